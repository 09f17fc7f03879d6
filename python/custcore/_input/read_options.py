"""Options for reading transactions: columns, refunds, nulls, money, memory."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore.errors import InvalidArgumentError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, TimeZone

__all__ = ["columns_read", "folder", "memory", "read_options"]


def read_options(
    *,
    customer_id: str | Sequence[str],
    timestamp: str,
    amount: str | None,
    as_of: AsOf | None,
    returns: str,
    zero_is_purchase: bool,
    amount_decimals: int,
    timezone: TimeZone | None,
    on_null: str,
    on_nonfinite: str,
    order_id: str | Sequence[str] | None = None,
    order_lines: str = "any",
    n_days: bool = False,
    attributes: Mapping[str, str] | None = None,
    categories: str | None = None,
    promotion: str | None = None,
    channel: str | None = None,
    category_days: bool = False,
) -> ReadOptions:
    """The options for reading transactions, checked, for the core."""
    return {
        "customer_id": arguments.key("customer_id", customer_id),
        "timestamp": arguments.name("timestamp", timestamp),
        "amount": arguments.optional_name("amount", amount),
        "as_of": as_of_argument(as_of),
        "returns": arguments.name("returns", returns),
        "zero_is_purchase": arguments.flag("zero_is_purchase", zero_is_purchase),
        "amount_decimals": _decimals(amount_decimals),
        "timezone": arguments.zone(timezone),
        "on_null": arguments.name("on_null", on_null),
        "on_nonfinite": arguments.name("on_nonfinite", on_nonfinite),
        "order_id": arguments.optional_key("order_id", order_id),
        "order_lines": arguments.name("order_lines", order_lines),
        "n_days": arguments.flag("n_days", n_days),
        "attributes": arguments.pairs("attributes", attributes),
        "categories": arguments.optional_name("categories", categories),
        "promotion": arguments.optional_name("promotion", promotion),
        "channel": arguments.optional_name("channel", channel),
        "category_days": arguments.flag("category_days", category_days),
    }


class ColumnsRead(list["str | None"]):
    """Names of the columns that are read, None for those that are not given, with what they are for."""

    roles: dict[str, str]


def columns_read(*scans: ReadOptions, others: Iterable[str | None] = ()) -> ColumnsRead:
    """The columns that scans with these options read, and others; None for a role that has none."""
    found = ColumnsRead([name for options in scans for name in _columns(options)])
    found.extend(others)
    found.roles = {}
    for options in scans:
        for role in ("customer_id", "timestamp", "amount", "order_id", "categories", "promotion", "channel"):
            given: Any = options[role]
            for name in given if isinstance(given, list | tuple) else [given]:
                if name is not None:
                    found.roles.setdefault(name, role)
    return found


def _columns(options: ReadOptions) -> list[str | None]:
    names: list[str | None] = []
    roles: tuple[Any, ...] = (options["customer_id"], options["timestamp"], options["amount"], options["order_id"])
    for role in roles:  # a composite key is a list
        names.extend(role if isinstance(role, list | tuple) else [role])
    names.extend(name for name, _ in options["attributes"])
    return [*names, options["categories"], options["promotion"], options["channel"]]


def _decimals(value: object) -> int:
    decimals = arguments.whole("amount_decimals", value)
    if not 0 <= decimals <= 12:
        raise OutOfRangeError(f"amount_decimals={decimals} is outside 0 to 12")
    return decimals


def memory(value: int | str | None) -> int | None:
    """A number of bytes: 4096, "512MiB", "4GB"."""
    if value is None:
        return None
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", value.lower())
        if not found:
            raise InvalidArgumentError(
                f"max_memory={value!r} is not a number of bytes; expected e.g. 4_000_000_000 or '4GiB'"
            )
        number, unit = found.groups()
        power = "kmgt".index(unit[0]) + 1 if unit else 0
        value = int(Decimal(number) * (1024 if unit and unit.endswith("i") else 1000) ** power)
    whole = arguments.whole("max_memory", value)
    if whole < 0:
        raise OutOfRangeError(f"max_memory={whole} is negative; expected a number of bytes")
    return whole


def folder(path: str | os.PathLike[str] | None) -> str | None:
    """A folder as text."""
    return None if path is None else os.fspath(path)
