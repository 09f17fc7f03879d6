"""Guesses the roles of columns from names and types; guesses are only proposed, never used automatically."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from custcore.cli._shell import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["ROLES", "as_options", "guess", "guess_product", "is_price_of_a_unit", "names_a_time", "serves"]

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

# Columns whose product is the amount of a row.
FACTORS: dict[str, dict[str, int]] = {
    "quantity": {
        **dict.fromkeys(("quantity", "quantities", "qty", "pieces", "menge", "anzahl", "quantite", "cantidad"), 10),
        "units": 7,
        **dict.fromkeys(("sold", "ordered", "item"), 1),
        **dict.fromkeys(("id", "price", "amount", "discount", "stock", "returned", "date", "type", "min", "max"), -12),
    },
    "unit_price": {
        **dict.fromkeys(("price", "preis", "prix", "precio", "prezzo"), 10),
        **dict.fromkeys(("unit", "item", "each", "single", "sale", "sales", "selling", "net"), 2),
        **dict.fromkeys(("total", "line", "sum", "extended", "row", "order", "invoice", "amount"), -12),
        **dict.fromkeys(("list", "old", "original", "cost", "discount", "tax", "id", "type", "range", "quantity"), -12),
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


def guess(
    schema: Any,  # noqa: ANN401
    *,
    without: Iterable[str] = (),
    kind_of: Callable[[str, Any], Any] | None = None,
) -> dict[str, str]:
    """Find the most likely column of each role, by name and type; a role without candidates is absent.

    Parameters
    ----------
    schema : pyarrow.Schema
        The columns of a file.
    without
        Columns that are out of the question.
    kind_of
        The type that a field has in a role, or None if it has none; without it, its own type.
    """
    kind = kind_of or (lambda role, field: field.type)  # noqa: ARG005
    fields = [field for field in schema if field.name not in set(without)]
    found: dict[str, str] = {}
    for role, words in WORDS.items():
        worth: dict[str, int] = {}
        for field in fields:
            own = _worth(field.name, words)
            # The type in a role may have to be read from the file, so unlikely names are passed over.
            if field.name in found.values() or own < (0 if role == "timestamp" else 4):
                continue
            there = kind(role, field)
            if there is not None and serves(role, there):
                worth[field.name] = own + _by_type(role, there)
        best = max(worth, key=lambda name: worth[name], default=None)
        if best is not None and (worth[best] > 4 or (role == "timestamp" and len(worth) == 1)):  # the only candidate
            found[role] = best
    return found


def guess_product(
    schema: Any,  # noqa: ANN401
    roles: Mapping[str, str],
    kind_of: Callable[[str, Any], Any],
) -> dict[str, str]:
    """Find the columns of quantity and price of a unit, if the amounts of rows are their product.

    Parameters
    ----------
    schema : pyarrow.Schema
        The columns of a file.
    roles
        What `guess` found: an amount that is no price of a unit needs no product.
    kind_of
        The type that a field has in a role.

    Returns
    -------
    dict
        The columns of "quantity" and "unit_price", or nothing.
    """
    taken = {column for role, column in roles.items() if role != "amount"}
    found: dict[str, str] = {}
    for factor, words in FACTORS.items():
        able: dict[str, int] = {}
        for field in schema:
            own = _worth(field.name, words)
            kind = kind_of("amount", field) if own > 4 and field.name not in taken else None
            if kind is not None and serves("amount", kind):
                able[field.name] = own
        if not able:
            return {}
        found[factor] = max(able, key=lambda name: able[name])
    return found if roles.get("amount", found["unit_price"]) == found["unit_price"] else {}


def is_price_of_a_unit(name: str) -> bool:
    """Whether a name says that a price is that of a unit, and not of a row.

    Parameters
    ----------
    name
        Of a column of prices.

    Examples
    --------
    >>> is_price_of_a_unit("UnitPrice"), is_price_of_a_unit("Price")
    (True, False)
    """
    return any(word in name.lower() for word in ("unit", "item", "each", "single", "einzel", "stück"))


def names_a_time(name: str) -> bool:
    """Whether a column is a time by its name alone.

    Parameters
    ----------
    name
        Its name.
    """
    return _worth(name, WORDS["timestamp"]) > 4


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
    return " ".join(f"--{role.replace('_', '-')} {quoted(column)}" for role, column in chosen.items())
