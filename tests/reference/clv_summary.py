"""The summary by definition: purchase days of each customer, counted on both sides of the split."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from .money import FLOAT, Money
from .rfm import LEFT_OUT, NOTES, Entry, Result, _collapse, _leave_rows_out, _sort_orders, id_order, local_day


def purchase_days(
    rows: list[tuple[Any, ...]], end: date, *, returns: str, zero_is_purchase: bool, money: Money
) -> dict[Any, dict[date, int]]:
    """The money of each purchase day as of a day: a day with a purchase, less the refunds of that day."""
    result = Result(report={name: Entry() for name in LEFT_OUT + NOTES}, as_of=end)
    kept = _leave_rows_out(rows, result, "error", None, money)
    bought, refunds, _ = _sort_orders(_collapse(kept, result, None, money), returns, zero_is_purchase, result)
    found: dict[Any, dict[date, int]] = {}
    for customer, orders in bought.items():
        days: dict[date, int] = defaultdict(int)
        for order in orders:
            days[order.day] += order.units
        for order in refunds.get(customer, []):
            if order.day in days:
                days[order.day] += order.units
        found[customer] = dict(days)
    return found


def last_day(rows: list[tuple[Any, ...]]) -> date | None:
    return max((local_day(row[1], None) for row in rows if row[0] is not None and row[1] is not None), default=None)


def clv_summary_reference(
    rows: list[tuple[Any, ...]],
    calibration_end: date | None = None,
    holdout_end: date | None = None,
    *,
    returns: str = "net",
    zero_is_purchase: bool = True,
    money: Money = FLOAT,
    has_amounts: bool = True,
) -> list[dict[str, Any]]:
    """The rows of `clv_summary`, by id."""
    last = last_day(rows)
    assert last is not None
    rules: dict[str, Any] = {"returns": returns, "zero_is_purchase": zero_is_purchase, "money": money}
    split = calibration_end is not None
    end = calibration_end or last
    seen = purchase_days(rows, end, **rules)
    until = holdout_end or last
    after = purchase_days(rows, until, **rules) if split else {}
    found = []
    for customer in sorted(seen, key=id_order):
        days = sorted(seen[customer])
        x = len(days) - 1
        row: dict[str, Any] = {
            "customer_id": customer,
            "x": x,
            "t_x": (days[-1] - days[0]).days,
            "T": (end - days[0]).days,
        }
        if has_amounts:
            row["m_x"] = money.mean(sum(seen[customer][day] for day in days[1:]), x) if x else None
        if split:
            later = [day for day in after.get(customer, {}) if day > end]
            row["x_holdout"] = len(later)
            if has_amounts:
                units = sum(after[customer][day] for day in later)
                row["m_holdout"] = money.mean(units, len(later)) if later else None
            row["holdout_days"] = (until - end).days
            recent = [day for day in days if (end - day).days < row["holdout_days"]]
            row["x_before"] = len(recent)
            if has_amounts:
                units = sum(seen[customer][day] for day in recent)
                row["m_before"] = money.mean(units, len(recent)) if recent else None
        found.append(row)
    return found
