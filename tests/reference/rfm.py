"""RFM by definition: lines -> orders -> customers, in dictionaries and whole numbers of money.

A row is `(id, when, amount)` or, where the table has order ids, `(id, when, amount, order_id)`; None is null.
The oracle does not stream, does not parse and accepts only what the definitions call valid, apart from
infinite amounts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from .money import FLOAT, Money

LEFT_OUT = (
    "null_customer_id",
    "null_timestamp",
    "nonfinite_amount",
    "after_as_of",
    "excluded_refunds",
    "refund_only_customers",
)
NOTES = ("null_amount", "netted_refunds", "null_order_id")


@dataclass
class Entry:
    """One line of the report: how many, how much, and the first row (0-based) it happened in."""

    count: int = 0
    units: int = 0
    first_row: int | None = None

    def add(self, row: int, units: int) -> None:
        self.count += 1
        self.units += units
        self.first_row = row if self.first_row is None else min(row, self.first_row)


@dataclass
class Order:
    """One order of one customer: its lines summed, its time the earliest line's."""

    customer: Any
    when: Any
    day: date
    first_row: int
    units: int = 0
    rows: int = 0
    only_nulls: bool = True


@dataclass
class Result:
    """The table as dictionaries in ascending order of id, the report, and the end of observation."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Entry] = field(default_factory=dict)
    as_of: date | None = None


def local_day(when: date | datetime, zone: tzinfo | None) -> date:
    """A date is itself, a naive time is wall time, a zoned time is read in `zone` (else its own)."""
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is None or zone is None:
        return when.date()
    return when.astimezone(zone).date()


def instant(when: date | datetime) -> date | datetime:
    """Comparable times: Python compares two times of one zone by their wall clocks, so go to UTC."""
    return when.astimezone(UTC) if isinstance(when, datetime) and when.tzinfo else when


def id_order(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def rfm_reference(
    rows: list[tuple[Any, ...]],
    *,
    as_of: date | None = None,
    returns: str = "net",
    zero_is_purchase: bool = True,
    on_nonfinite: str = "error",
    zone: tzinfo | None = None,
    money: Money = FLOAT,
) -> Result:
    """The result of `custcore.rfm` for `rows`."""
    result = Result(report={name: Entry() for name in LEFT_OUT + NOTES})
    days = [local_day(r[1], zone) for r in rows if r[0] is not None and r[1] is not None]
    result.as_of = as_of if as_of is not None else max(days, default=None)

    kept = _leave_rows_out(rows, result, on_nonfinite, zone, money)
    purchases, refunds, idle = _sort_orders(_collapse(kept, result, zone, money), returns, zero_is_purchase, result)

    for customer in sorted({*purchases, *refunds, *idle}, key=id_order):
        bought = purchases.get(customer, [])
        units = sum(o.units for o in bought + refunds.get(customer, []))
        if bought:
            result.rows.append(_customer(customer, bought, units, result.as_of, money))
        else:
            everything = refunds.get(customer, []) + idle.get(customer, [])
            result.report["refund_only_customers"].add(min(o.first_row for o in everything), units)
    return result


def _leave_rows_out(
    rows: list[tuple[Any, ...]], result: Result, on_nonfinite: str, zone: tzinfo | None, money: Money
) -> list[tuple[int, tuple[Any, ...]]]:
    """The rows that stay, with their numbers; the others count under the first reason that applies."""
    kept = []
    for number, row in enumerate(rows):
        customer, when, amount = row[:3]
        units = money.units(amount)
        if customer is None:
            result.report["null_customer_id"].add(number, units)
        elif when is None:
            result.report["null_timestamp"].add(number, units)
        elif money.is_infinite(amount):
            if on_nonfinite != "drop":
                raise ValueError(f"row {number}: infinite amount")
            result.report["nonfinite_amount"].add(number, 0)
        elif local_day(when, zone) > result.as_of:
            result.report["after_as_of"].add(number, units)
        else:
            if money.is_null(amount):
                result.report["null_amount"].add(number, 0)
            kept.append((number, row))
    return kept


def _collapse(
    kept: list[tuple[int, tuple[Any, ...]]], result: Result, zone: tzinfo | None, money: Money
) -> list[Order]:
    """One order per distinct (customer, order id); without an order id every row is an order."""
    orders: dict[Any, Order] = {}
    for number, row in kept:
        customer, when, amount = row[:3]
        key: tuple[Any, ...] = (customer, "row", number)
        if len(row) > 3 and row[3] is None:
            result.report["null_order_id"].add(number, money.units(amount))
        elif len(row) > 3:
            key = (customer, "order", row[3])
        order = orders.setdefault(key, Order(customer, when, local_day(when, zone), number))
        if instant(when) < instant(order.when):
            order.when, order.day = when, local_day(when, zone)
        order.units += money.units(amount)
        order.rows += 1
        order.only_nulls = order.only_nulls and money.is_null(amount)
    return list(orders.values())


def _sort_orders(
    orders: list[Order], returns: str, zero_is_purchase: bool, result: Result
) -> tuple[dict[Any, list[Order]], dict[Any, list[Order]], dict[Any, list[Order]]]:
    """Per customer: purchases, refunds that lower the sums, and zero orders that are not purchases."""
    purchases, refunds, idle = defaultdict(list), defaultdict(list), defaultdict(list)
    for order in orders:
        if order.units < 0 and returns == "exclude":
            result.report["excluded_refunds"].add(order.first_row, order.units)
        elif order.units < 0 and returns == "net":
            result.report["netted_refunds"].add(order.first_row, order.units)
            refunds[order.customer].append(order)
        elif order.units == 0 and not zero_is_purchase and not order.only_nulls:
            idle[order.customer].append(order)
        else:
            purchases[order.customer].append(order)
    return purchases, refunds, idle


def _customer(customer: Any, bought: list[Order], units: int, as_of: date | None, money: Money) -> dict[str, Any]:
    assert as_of is not None
    days = [o.day for o in bought]
    return {
        "customer_id": customer,
        "first_date": min(days),
        "last_date": max(days),
        "recency_days": (as_of - max(days)).days,
        "tenure_days": (as_of - min(days)).days,
        "n_orders": len(bought),
        "n_rows": sum(o.rows for o in bought),
        "monetary_total": money.total(units),
        "monetary_mean": money.mean(units, len(bought)),
    }
