"""Guesses the roles of columns from names and types; guesses are only proposed, never used automatically."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ROLES", "as_options", "guess", "serves"]

# The option of each role, and its name in a sentence.
ROLES = {
    "customer_id": "customer id",
    "timestamp": "time",
    "amount": "amount",
    "order_id": "order id",
}

# Scores of the words of a name (split at "_", spaces and capitals); the highest sum above 0 is chosen.
WORDS: dict[str, dict[str, int]] = {
    "customer_id": {
        **dict.fromkeys(
            ("customer", "cust", "client", "household", "buyer", "shopper", "member", "kunde", "kunden"), 10
        ),
        **dict.fromkeys(("user", "account", "contact", "visitor", "person", "panelist"), 7),
        **dict.fromkeys(("id", "key", "no", "nr", "number", "code", "uid", "uuid"), 2),
        **dict.fromkeys(("order", "invoice", "basket", "product", "store", "item", "transaction", "sku"), -9),
        **dict.fromkeys(("name", "country", "age", "type", "segment", "city", "email", "address", "count"), -9),
    },
    "timestamp": {
        **dict.fromkeys(("timestamp", "datetime", "date", "time", "day", "ts", "at", "datum", "when"), 8),
        **dict.fromkeys(("order", "invoice", "purchase", "purchased", "transaction", "sale", "created", "event"), 3),
        **dict.fromkeys(("birth", "birthday", "signup", "registered", "updated", "modified", "expiry", "delivery"), -9),
        **dict.fromkeys(("shipped", "delivered", "due", "loaded", "inserted"), -9),
    },
    "amount": {
        **dict.fromkeys(("amount", "revenue", "amt", "spend", "spent", "sales", "turnover", "umsatz", "betrag"), 10),
        **dict.fromkeys(("monetary", "margin", "paid", "payment", "money"), 9),
        **dict.fromkeys(("total", "price", "value", "net", "gross"), 5),
        **dict.fromkeys(
            ("unit", "list", "tax", "disc", "discount", "coupon", "shipping", "cost", "rate", "match"), -12
        ),
        **dict.fromkeys(("id", "quantity", "qty", "count", "number", "score", "rank", "mean", "avg"), -12),
    },
    "order_id": {
        **dict.fromkeys(
            ("order", "invoice", "basket", "receipt", "transaction", "trans", "ticket", "bill", "cart"), 10
        ),
        **dict.fromkeys(("purchase", "checkout", "bon", "txn"), 7),
        **dict.fromkeys(("id", "key", "no", "nr", "number", "code", "uid", "uuid"), 2),
        **dict.fromkeys(
            ("date", "time", "timestamp", "line", "item", "type", "status", "total", "count", "value"), -12
        ),
        **dict.fromkeys(("amount", "customer", "week", "day", "month", "price"), -12),
    },
}


def serves(role: str, kind: Any) -> bool:  # noqa: ANN401 (pyarrow publishes no types)
    """Whether a column of this Arrow type can have a role.

    Parameters
    ----------
    role
        One of `ROLES`.
    kind : pyarrow.DataType
        Its type.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        return role in {"customer_id", "order_id"} and serves(role, kind.value_type)
    if role == "timestamp":
        return bool(types.is_date(kind) or types.is_timestamp(kind))
    if role == "amount":
        return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))
    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_binary, types.is_large_binary)
    return bool(types.is_integer(kind) or types.is_fixed_size_binary(kind) or any(test(kind) for test in texts))


def guess(schema: Any, *, without: Iterable[str] = ()) -> dict[str, str]:  # noqa: ANN401
    """Find the most likely column of each role, by name and type; a role without candidates is absent.

    Parameters
    ----------
    schema : pyarrow.Schema
        The columns of a file.
    without
        Columns that are out of the question.
    """
    fields = [field for field in schema if field.name not in set(without)]
    found: dict[str, str] = {}
    for role, words in WORDS.items():
        able = [field for field in fields if serves(role, field.type) and field.name not in found.values()]
        worth = {field.name: _worth(field.name, words) + _by_type(role, field.type) for field in able}
        best = max(worth, key=lambda name: worth[name], default=None)
        if best is not None and worth[best] > 4:
            found[role] = best
        elif role == "timestamp" and len(able) == 1 and worth[able[0].name] >= 0:
            found[role] = able[0].name  # the only candidate
    return found


def _worth(name: str, words: Mapping[str, int]) -> int:
    parts = re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower())
    # Names without separators: "customerid", "invoicedate".
    pieces = {part for part in parts if part not in words}
    glued = [word for word in words if len(word) > 3 and any(word in piece for piece in pieces)]
    return sum(words.get(part, 0) for part in parts) + sum(words[word] for word in glued)


def _by_type(role: str, kind: Any) -> int:  # noqa: ANN401
    """Tie-breaker: prefer a timestamp to a date, and a fractional type to an integer for money."""
    from pyarrow import types

    if role == "timestamp":
        return 1 if types.is_timestamp(kind) else 0
    if role == "amount":
        return 1 if types.is_floating(kind) or types.is_decimal(kind) else 0
    return 0


def as_options(chosen: Mapping[str, str]) -> str:
    """``--customer-id household_id ...``, quoted for a shell.

    Parameters
    ----------
    chosen
        Columns by role.

    Examples
    --------
    >>> as_options({"customer_id": "household id", "amount": "sales"})
    "--customer-id 'household id' --amount sales"
    """
    return " ".join(f"--{role.replace('_', '-')} {shlex.quote(column)}" for role, column in chosen.items())
