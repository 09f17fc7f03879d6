"""Transitions and stays by definition: everybody's segment at each date, in dictionaries; Kaplan-Meier in fractions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .money import Money
from .rfm import rfm_reference
from .scores import edges_reference
from .segments import RF10

RF10_NAMES = (
    "hibernating",
    "at_risk",
    "cant_lose",
    "about_to_sleep",
    "need_attention",
    "loyal_customers",
    "promising",
    "new_customers",
    "potential_loyalists",
    "champions",
)
# By (R high, F high, M high) as bits 1, 2 and 4.
OCTANT_NAMES = tuple(
    f"{value} {how} customers" for value in ("general", "important") for how in ("win back", "develop", "keep", "value")
)

Values = tuple[int, int, Any]
Segmenter = Callable[[Values], str]
# A date, and each buyer's segment and units of money then.
Look = tuple[date, dict[Any, tuple[str, int]]]


def rf10_of(customers: Sequence[Values]) -> Segmenter:
    """The map rf10 over 5 bins that are cut by these customers; a score is 1 + the edges strictly below the value."""
    edges = [edges_reference([c[dimension] for c in customers], 5) for dimension in (0, 1)]

    def segment(values: Values) -> str:
        r, f = (1 + sum(edge < values[dimension] for edge in edges[dimension]) for dimension in (0, 1))
        return RF10[6 - r, f]

    return segment


def octants_of(customers: Sequence[Values]) -> Segmenter:
    """High is more recent than the mean, and strictly above the mean."""
    means = [sum(Fraction(c[i]) for c in customers) / len(customers) for i in range(3)]

    def segment(values: Values) -> str:
        r, f, m = values[0] < means[0], values[1] > means[1], Fraction(values[2]) > means[2]
        return OCTANT_NAMES[r + 2 * f + 4 * m]

    return segment


def looks_reference(
    rows: list[tuple[Any, ...]],
    dates: Sequence[date],
    fit: Callable[[Sequence[Values]], Segmenter],
    *,
    refit: bool,
    money: Money,
    **options: Any,
) -> list[Look]:
    """Who is where at each date."""
    looks: list[Look] = []
    segment: Segmenter | None = None
    for day in dates:
        table = rfm_reference(rows, as_of=day, money=money, **options).rows
        buyers = {c["customer_id"]: (c["recency_days"], c["n_orders"], c["monetary_total"]) for c in table}
        if segment is None or (refit and buyers):
            segment = fit(list(buyers.values()))
        looks.append((day, {i: (segment(values), money.units(values[2])) for i, values in buyers.items()}))
    return looks


def transitions_reference(looks: list[Look], names: Sequence[str], scorer: str, money: Money) -> list[dict[str, Any]]:
    """One row for each pair of segments between consecutive dates."""
    rows = []
    order = [None, *names]
    for (before, was), (after, now) in pairwise(looks):
        pairs: dict[tuple[Any, str], list[int]] = defaultdict(list)
        for customer, (segment, units) in now.items():
            pairs[was.get(customer, (None, 0))[0], segment].append(units)
        were = Counter(segment for segment, _ in was.values())
        new = sum(customer not in was for customer in now)
        rows += [
            {
                "from_date": before,
                "to_date": after,
                "from_segment": source,
                "to_segment": target,
                "customers": len(pairs[source, target]),
                "revenue": money.total(sum(pairs[source, target])),
                "share": len(pairs[source, target]) / (new if source is None else were[source]),
                "scorer": scorer,
            }
            for source in order
            for target in names
            if (source, target) in pairs
        ]
    return rows


def stays_reference(looks: list[Look], names: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each segment; the mean is an exact fraction."""
    spells: dict[str, list[tuple[Any, int, bool]]] = {name: [] for name in names}
    last = looks[-1][0]
    for customer in {c for _, now in looks for c in now}:
        path = [(day, now.get(customer, (None, 0))[0]) for day, now in looks]
        for i, (day, segment) in enumerate(path):
            if segment is None or (i > 0 and path[i - 1][1] == segment):
                continue
            end = next((later for later, other in path[i:] if other != segment), None)
            spells[segment].append((customer, ((end or last) - day).days, end is not None))
    return [
        {
            "segment": name,
            "customers": len({customer for customer, _, _ in own}),
            "spells": len(own),
            "ended": sum(ended for _, _, ended in own),
            "open": sum(not ended for _, _, ended in own),
            **kaplan_meier_reference([(days, ended) for _, days, ended in own]),
        }
        for name, own in spells.items()
    ]


def kaplan_meier_reference(spells: list[tuple[int, bool]]) -> dict[str, Any]:
    """The area under the curve up to the longest spell, and where the curve first comes down to a half."""
    longest = max((days for days, _ in spells), default=0)
    if longest == 0:
        return {"mean_days": None, "median_days": None}
    curve, mean, median = Fraction(1), Fraction(0), None
    for day in range(1, longest + 1):
        mean += curve  # what it was since the day before
        at_risk = sum(days >= day for days, _ in spells)
        curve *= 1 - Fraction(sum(ended and days == day for days, ended in spells), at_risk)
        if median is None and curve <= Fraction(1, 2):
            median = day
    return {"mean_days": mean, "median_days": median}
