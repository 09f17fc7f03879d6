"""The life cycle by definition: gaps in lists, Kaplan-Meier in fractions, stages customer by customer."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .money import Money
from .rfm import rfm_reference

STAGES = ("prospect", "new", "repeat", "loyal", "at_risk", "lost")

# Length of a gap, and whether it has ended.
Gap = tuple[Fraction, bool]


@dataclass(frozen=True)
class Customer:
    """A buyer as of a day."""

    days: list[tuple[date, int]]  # distinct purchase days, and the purchases of each
    units: int

    @property
    def last(self) -> date:
        return self.days[-1][0]

    @property
    def gaps(self) -> list[int]:
        return [(after - before).days for (before, _), (after, _) in pairwise(self.days)]


def customers_reference(
    rows: Sequence[tuple[Any, ...]], as_of: date, money: Money, **rules: Any
) -> dict[Any, Customer]:
    """The buyers as of a day. Each row is an order; what was bought and returned on a day is its money."""
    totals = rfm_reference(list(rows), as_of=as_of, money=money, **rules).rows
    days = [row[1].date() if hasattr(row[1], "date") else row[1] for row in rows if row[1] is not None]
    purchases: dict[Any, Counter[date]] = {}
    for day in sorted({day for day in days if day <= as_of}):
        before = {c["customer_id"]: c["n_orders"] for c in _until(rows, day - timedelta(days=1), money, rules)}
        for c in _until(rows, day, money, rules):
            more = c["n_orders"] - before.get(c["customer_id"], 0)
            if more:
                purchases.setdefault(c["customer_id"], Counter())[day] = more
    return {
        c["customer_id"]: Customer(sorted(purchases[c["customer_id"]].items()), money.units(c["monetary_total"]))
        for c in totals
    }


def _until(rows: Sequence[tuple[Any, ...]], day: date, money: Money, rules: dict[str, Any]) -> list[dict[str, Any]]:
    return rfm_reference(list(rows), as_of=day, money=money, **rules).rows


def gaps_reference(customers: dict[Any, Customer], as_of: date) -> list[Gap]:
    """All gaps in days."""
    closed = [(Fraction(gap), True) for c in customers.values() for gap in c.gaps]
    return closed + [(Fraction((as_of - c.last).days), False) for c in customers.values()]


def curve_reference(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """A row for each length above 0."""
    survival, rows = Fraction(1), []
    for length in sorted({length for length, _ in gaps if length > 0}):
        at_risk = sum(other >= length for other, _ in gaps)
        returned = sum(other == length and ended for other, ended in gaps)
        survival *= 1 - Fraction(returned, at_risk)
        censored = sum(other == length and not ended for other, ended in gaps)
        rows.append(
            {"gap": length, "at_risk": at_risk, "returned": returned, "censored": censored, "survival": survival}
        )
    return rows


def window_reference(gaps: Sequence[Gap], share: Fraction, among: str, min_at_risk: int) -> Fraction | None:
    """The window; None if there is none."""
    curve = curve_reference(gaps)
    if among == "all":
        return next((row["gap"] for row in curve if 1 - row["survival"] >= share), None)
    within = [row for row in curve if row["returned"] and row["at_risk"] >= min_at_risk]
    if not within:
        return None
    target = share * (1 - within[-1]["survival"])
    return next(row["gap"] for row in curve if 1 - row["survival"] >= target)


def typical_reference(gaps: Sequence[int], prior_days: Fraction, prior_gaps: int) -> Fraction:
    """The typical gap of a customer with these closed gaps."""
    if not gaps:
        return prior_days
    return (len(gaps) * Fraction(statistics.median(gaps)) + prior_gaps * prior_days) / (len(gaps) + prior_gaps)


def ratios_reference(customers: dict[Any, Customer], as_of: date, prior_days: Fraction, prior_gaps: int) -> list[Gap]:
    """All gaps in the typical gaps that were known when they began."""
    found = []
    for c in customers.values():
        for number, (gap, ended) in enumerate([*((gap, True) for gap in c.gaps), ((as_of - c.last).days, False)]):
            found.append((gap / typical_reference(c.gaps[:number], prior_days, prior_gaps), ended))
    return found


def standing_reference(
    c: Customer,
    as_of: date,
    windows: tuple[Fraction, Fraction],
    loyal_orders: int = 5,
    prior: tuple[Fraction, int] | None = None,
) -> dict[str, Any]:
    """The stage of a customer; with a prior the windows are in typical gaps."""

    def typical(number: int) -> Fraction:
        return Fraction(1) if prior is None else typical_reference(c.gaps[:number], *prior)

    active, loss = windows
    gap, orders = (as_of - c.last).days, sum(n for _, n in c.days)
    own = typical(len(c.gaps))
    if gap / own > active:
        stage, window = ("at_risk", active) if gap / own <= loss else ("lost", loss)
        since = c.last + timedelta(days=next(days for days in range(gap + 1) if days / own > window))
    elif orders == 1:
        stage, since = "new", c.last
    else:
        stage, needed = ("repeat", 2) if orders < loyal_orders else ("loyal", loyal_orders)
        each = [day for day, n in c.days for _ in range(n)]
        resumed = [c.days[number + 1][0] for number, gap in enumerate(c.gaps) if gap / typical(number) > active]
        since = max([each[needed - 1], *resumed[-1:]])
    return {"stage": stage, "gap_days": gap, "n_orders": orders, "since": since, "typical": own, "overdue": gap / own}
