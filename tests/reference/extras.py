"""What `custcore.rfm` adds on request, by definition: distinct days of purchases, and attributes; and idle orders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from .money import FLOAT, Money
from .rfm import Entry, id_order, instant, local_day


@dataclass
class Extras:
    """Per customer with a purchase: distinct days and the attribute at the first and last purchase."""

    n_days: dict[Any, int]
    first: dict[Any, Any]
    last: dict[Any, Any]
    zero_orders: Entry


def extras_reference(
    rows: list[tuple[Any, ...]],
    *,
    as_of: date | None = None,
    returns: str = "net",
    zero_is_purchase: bool = True,
    money: Money = FLOAT,
) -> Extras:
    """Extras of rows `(id, when, amount, order_id, attribute)` without infinite amounts.

    The attribute of an order is its earliest line's, that of a customer the first or last order's; among equal times
    the smallest value, null after all values.
    """
    known = [(number, row) for number, row in enumerate(rows) if row[0] is not None and row[1] is not None]
    end = as_of if as_of is not None else max((local_day(row[1], None) for _, row in known), default=None)
    orders = defaultdict(list)
    for number, row in known:
        if local_day(row[1], None) <= end:
            orders[row[0], row[3] is None, number if row[3] is None else row[3]].append((number, row))

    extras = Extras({}, {}, {}, Entry())
    bought = defaultdict(list)
    for (customer, *_), lines in orders.items():
        units = sum(money.units(row[2]) for _, row in lines)
        start = min(instant(row[1]) for _, row in lines)
        value = min((row[4] for _, row in lines if instant(row[1]) == start), key=nulls_last)
        if units < 0 and returns != "count":
            continue
        if units == 0 and not zero_is_purchase and not all(money.is_null(row[2]) for _, row in lines):
            extras.zero_orders.add(min(number for number, _ in lines), 0)
            continue
        bought[customer].append((start, value))
    for customer, purchases in bought.items():
        extras.n_days[customer] = len({local_day(start, None) for start, _ in purchases})
        for picked, end_of in ((extras.first, min), (extras.last, max)):
            at = end_of(start for start, _ in purchases)
            picked[customer] = min((value for start, value in purchases if start == at), key=nulls_last)
    return extras


def nulls_last(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else id_order(value))
