"""Measures per period by definition: orders in lists, periods one by one; effects by logarithms."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from .money import FLOAT, Money
from .periods import Calendar, Period, as_date, as_day
from .rfm import LEFT_OUT, NOTES, Entry, Order, Result, _collapse, _leave_rows_out, _sort_orders

Row = tuple[Any, ...]
NO_MOVEMENT = (
    "new",
    "retained",
    "reactivated",
    "churned",
    "retention_rate",
    "churn_rate",
    "growth_rate",
    "quick_ratio",
)


@dataclass
class Measured:
    """The rows, and what the report has beside that of RFM."""

    rows: list[dict[str, Any]]
    report: dict[str, Entry]
    before: Entry


def rate(a: float, b: int) -> float | None:
    return None if b == 0 else a / b


def measures_reference(
    rows: list[Row],
    *,
    period: Period | None,
    group_of: dict[Any, Any] | None = None,
    groups: list[Any] | None = None,
    calendar: Calendar | None = None,
    as_of: date | None = None,
    returns: str = "net",
    zero_is_purchase: bool = True,
    money: Money = FLOAT,
) -> Measured:
    """The rows of ``custcore.measures``: those of each group in turn; ``period`` None is all time."""
    calendar = calendar or Calendar()
    result = Result(report={name: Entry() for name in LEFT_OUT + NOTES})
    days = [row[1] for row in rows if row[0] is not None and row[1] is not None]
    last = as_of if as_of is not None else max(days, default=None)
    result.as_of = last
    kept = _leave_rows_out(rows, result, "error", None, money)
    purchases, refunds, idle = _sort_orders(_collapse(kept, result, None, money), returns, zero_is_purchase, result)
    for customer in {*refunds, *idle} - {*purchases}:
        everything = refunds.get(customer, []) + idle.get(customer, [])
        result.report["refund_only_customers"].add(0, sum(order.units for order in everything))
    measured = Measured([], result.report, Entry())
    if not purchases or last is None:
        return measured

    def index(day: date) -> int:
        return 0 if period is None else calendar.index(as_day(day), period)

    first_day = min(order.day for orders in purchases.values() for order in orders)
    numbers = range(index(first_day), index(last) + 1)
    of = {customer: (group_of or {}).get(customer) for customer in purchases}
    for group in [None] if groups is None else groups:
        members = [customer for customer in purchases if of[customer] == group]
        if not members and groups is not None:
            continue
        bought = {customer: _by_period(purchases[customer], index) for customer in members}
        returned = {customer: _by_period(refunds.get(customer, []), index) for customer in members}
        for at in returned.values():
            for number, orders in at.items():
                for order in orders:
                    if number < numbers.start:
                        measured.before.add(0, order.units)
        before: dict[str, Any] | None = None
        for number in numbers:
            row = _row(number, bought, returned, money)
            if period is None:
                row |= {"period_start": first_day, "period_end": as_date(as_day(last) + 1), "is_complete": True}
                row |= dict.fromkeys(NO_MOVEMENT) | {"left_truncated": False}
            else:
                start, end = (calendar.start(n, period) for n in (number, number + 1))
                row |= {"period_start": as_date(start), "period_end": as_date(end)}
                row |= {"is_complete": end <= as_day(last) + 1, "left_truncated": before is None}
                active = before["active"] if before else 0
                row |= {
                    "retention_rate": rate(row["retained"], active),
                    "churn_rate": rate(row["churned"], active),
                    "growth_rate": rate(row["active"] - active, active),
                }
            before = row
            measured.rows.append({"group": group} | row if groups is not None else row)
    return measured


def _by_period(orders: list[Order], index: Any) -> dict[int, list[Order]]:
    found: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        found[index(order.day)].append(order)
    return found


def _row(number: int, bought: Any, returned: Any, money: Money) -> dict[str, Any]:
    """One period of the customers of a group."""
    orders = [order for at in bought.values() for order in at.get(number, [])]
    refunds = [order for at in returned.values() for order in at.get(number, [])]
    now = {customer for customer, at in bought.items() if number in at}
    before = {customer for customer, at in bought.items() if number - 1 in at}
    earlier = {customer for customer, at in bought.items() if any(n < number for n in at)}
    gross, back = sum(order.units for order in orders), sum(order.units for order in refunds)
    revenue = money.total(gross + back)
    row = {
        "customers": len(earlier | now),
        "active": len(now),
        "new": len(now - earlier),
        "retained": len(now & before),
        "reactivated": len((now & earlier) - before),
        "churned": len(before - now),
        "orders": len(orders),
        "rows": sum(order.rows for order in orders),
        "repeat_customers": sum(len(at.get(number, [])) >= 2 for at in bought.values()),
        "gross": money.total(gross),
        "refund_orders": len(refunds),
        "refunds": money.total(back),
        "revenue": revenue,
    }
    return row | {
        "average_order_value": rate(float(revenue), len(orders)),
        "purchase_frequency": rate(len(orders), len(now)),
        "revenue_per_customer": rate(float(revenue), len(now)),
        "repurchase_rate": rate(row["repeat_customers"], len(now)),
        "quick_ratio": rate(row["new"] + row["reactivated"], row["churned"]),
    }


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean in 50 digits: nearly equal numbers leave few digits of a float."""
    if a == b:
        return a
    with localcontext(prec=50):
        large, small = Decimal(a), Decimal(b)
        return float((large - small) / (large / small).ln())


def decomposition_reference(
    rows: list[dict[str, Any]], *, lag: int, include_partial: bool, by_group: bool
) -> list[dict[str, Any]]:
    """The rows of ``custcore.decomposition`` for those of `measures_reference`."""
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row.get("group")].append(row)
    number = max(map(len, groups.values()), default=0)
    found = []
    for at in range(lag, number):
        pairs = [(of[at - lag], of[at]) for of in groups.values()]
        first = pairs[0]
        if not include_partial and not all(row["is_complete"] for row in first):
            continue
        found.append(
            {"period_start": first[1]["period_start"], "from_start": first[0]["period_start"]}
            | _effects(pairs, by_group)
        )
    return found


def _effects(pairs: list[tuple[dict[str, Any], dict[str, Any]]], by_group: bool) -> dict[str, float]:
    names = ("change", "customers_effect", "frequency_effect", "order_value_effect", "refunds_effect")
    sums = dict.fromkeys(names, 0.0) | ({"mix_effect": 0.0} if by_group else {})
    all_before, all_after = (sum(pair[side]["active"] for pair in pairs) for side in (0, 1))
    for before, after in pairs:
        v0, v1 = before["gross"], after["gross"]
        sums["change"] += after["revenue"] - before["revenue"]
        sums["refunds_effect"] += after["refunds"] - before["refunds"]
        if not before["active"] or not after["active"]:
            whose = "mix_effect" if all_before and all_after and by_group else "customers_effect"
            sums[whose] += v1 - v0
        elif v0 <= 0 or v1 <= 0:
            sums["order_value_effect"] += v1 - v0
        else:
            weight = log_mean(v1, v0)
            share = [row["active"] / n for row, n in ((before, all_before), (after, all_after))]
            sums["customers_effect"] += weight * math.log(all_after / all_before)
            if by_group:
                sums["mix_effect"] += weight * math.log(share[1] / share[0])
            each = [row["orders"] / row["active"] for row in (before, after)]
            sums["frequency_effect"] += weight * math.log(each[1] / each[0])
            value = [row["gross"] / row["orders"] for row in (before, after)]
            sums["order_value_effect"] += weight * math.log(value[1] / value[0])
    return sums
