"""Value classes, curves and demand classes by definition: sorted lists and exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from .periods import Calendar, Period, as_day

# A customer's id, money in integer units, and group.
Customer = tuple[Any, int, Any]


def abc_reference(
    customers: Sequence[Customer],
    *,
    by: str = "value",
    thresholds: Sequence[float] | None = None,
    rule: str = "before",
    ties: str = "split",
) -> list[tuple[Any, Any, int, int, float | None, str]]:
    """Id, group, money, rank, cumulative share and class of each, in the order of the result."""
    ends = thresholds or {"value": (0.80, 0.95), "customers": (0.20, 0.50)}[by]
    found = []
    groups = [*sorted({c[2] for c in customers if c[2] is not None}), None]
    for group in groups:
        own = sorted((c for c in customers if c[2] == group), key=lambda c: (-max(c[1], 0), -c[1], c[0]))
        values = [max(units, 0) for _, units, _ in own]
        whole = sum(values)
        for row, (customer, units, _) in enumerate(own):
            at = values.index(values[row]) if ties == "same" else row
            until = at if rule == "before" else at + 1
            share = Fraction(sum(values[:until]), whole or 1) if by == "value" else Fraction(until, len(own))
            passed = [float(share) >= end if rule == "before" else float(share) > end for end in ends]
            letter = "ABCDEFGH"[sum(passed) if whole else len(ends)]
            included = float(Fraction(sum(values[: row + 1]), whole)) if whole else None
            found.append((customer, group, units, row + 1, included, letter))
    return found


def pareto_reference(units: Sequence[int], points: int) -> list[tuple[int, float | None, float | None, int]]:
    """Rank, shares and value of each point."""
    values = sorted((max(x, 0) for x in units), reverse=True)
    n, whole = len(values), sum(values)
    ranks = range(n + 1) if n <= points else [math.ceil(Fraction(k * n, points)) for k in range(points + 1)]
    return [
        (
            rank,
            rank / n if n else None,
            float(Fraction(sum(values[:rank]), whole)) if whole else None,
            sum(values[:rank]),
        )
        for rank in ranks
    ]


def gini_reference(units: Sequence[int]) -> float | None:
    """Half the mean absolute difference of all pairs, by the mean."""
    values = [max(x, 0) for x in units]
    if not sum(values):
        return None
    return float(Fraction(sum(abs(a - b) for a in values for b in values), 2 * len(values) * sum(values)))


def xyz_reference(
    days: Sequence[tuple[date, int]],
    first: date,
    last: date,
    *,
    period: Period = ("month", 1),
    thresholds: tuple[float, float] = (0.5, 1.0),
    min_periods: int = 3,
    calendar: Calendar = Calendar(),  # noqa: B008 (it is frozen)
) -> tuple[int, Fraction | None, float | None, str | None]:
    """Number of periods, mean in units, coefficient of variation and class of one customer."""

    def index(day: date) -> int:
        return calendar.index(as_day(day), period)

    ends = range(index(first), index(last + timedelta(days=1)))
    sums = [sum(units for day, units in days if index(day) == at) for at in ends]
    if not sums:
        return 0, None, None, None
    mean = Fraction(sum(sums), len(sums))
    if len(sums) < min_periods:
        return len(sums), mean, None, None
    if mean <= 0:
        return len(sums), mean, None, "Z"
    variance = sum((x - mean) ** 2 for x in sums) / len(sums)
    cv = math.sqrt(variance / mean**2)
    # The squares are compared, which are exact.
    squares = [variance / mean**2 > Fraction(end) ** 2 for end in thresholds]
    return len(sums), mean, cv, "XYZ"[sum(squares)]
