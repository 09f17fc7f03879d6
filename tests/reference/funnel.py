"""Funnels by brute force over all starts, and the ladder of orders by Kaplan and Meier's product, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

__all__ = ["funnel_reference", "ladder_reference", "median", "wilson"]

Z = 1.959963984540054


def median(values: list[float]) -> float | None:
    """Type 7; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def wilson(some: int, all_: int) -> tuple[float, float]:
    """The score interval of a share."""
    p, n = some / all_, all_
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def funnel_reference(
    events: list[tuple[Any, float, str, Any]],
    steps: list[str],
    window: float,
    *,
    end: float,
    strict: bool = False,
    order: str = "ordered",
    by: bool = False,
) -> dict[Any, list[dict[str, Any]]]:
    """The rows of each group; events are (customer, time, name, group)."""
    of_customers = defaultdict(list)
    for customer, time, name, group in events:
        if time < end and name in steps:
            of_customers[customer].append((time, name, group))
    reached: dict[Any, list[list[float]]] = defaultdict(list)
    open_: dict[Any, int] = defaultdict(int)
    for own in of_customers.values():
        starts = [event for event in own if order == "any" or event[1] == steps[0]]
        if not starts:
            continue
        # Null is after all other groups.
        starts.sort(key=lambda event: (event[0], event[2] is None, event[2]))
        over = [start for start in starts if start[0] + window <= end]
        if not over:
            open_[starts[0][2]] += 1
            continue
        chains = [(_chain(own, steps, start[0], window, strict, order), start[2]) for start in over]
        best, group = max(chains, key=lambda chain: len(chain[0]))  # the first one of several
        reached[group].append(best)
    groups = set(reached) | set(open_)
    if not by:
        reached = {None: [chain for chains in reached.values() for chain in chains]}
        open_ = {None: sum(open_.values())}
        groups = {None}
    ordered = sorted(groups, key=lambda group: (group is None, group))
    return {group: _rows(reached.get(group, []), open_.get(group, 0), steps, order) for group in ordered}


def _chain(own: list[Any], steps: list[str], start: float, window: float, strict: bool, order: str) -> list[float]:
    """The times of the steps from a start."""
    if order == "any":
        firsts = [[time for time, name, _ in own if name == step and start <= time <= start + window] for step in steps]
        return sorted(min(times) for times in firsts if times)
    times = [start]
    for step in steps[1:]:
        later = [
            time
            for time, name, _ in own
            if name == step and (time > times[-1] if strict else time >= times[-1]) and time <= start + window
        ]
        if not later:
            break
        times.append(min(later))
    return times


def _rows(chains: list[list[float]], open_: int, steps: list[str], order: str) -> list[dict[str, Any]]:
    rows, before = [], len(chains)
    for at, name in enumerate(steps):
        took = [chain for chain in chains if len(chain) > at]
        row: dict[str, Any] = {
            "step": at + 1,
            "name": name if order == "ordered" else None,
            "customers": len(took),
            "customers_open": open_ if at == 0 else None,
        }
        for prefix, whole in (("rate", len(chains)), ("step_rate", before)):
            low, high = wilson(len(took), whole) if whole else (None, None)
            row |= {
                prefix: len(took) / whole if whole else None,
                f"{prefix}_low": low,
                f"{prefix}_high": high,
            }
        row["median_seconds"] = median([chain[at] - chain[at - 1] for chain in took]) if at else None
        row["median_seconds_from_start"] = median([chain[at] - chain[0] for chain in took]) if at else None
        rows.append(row)
        before = len(took)
    return rows


def ladder_reference(orders: dict[Any, list[int]], n: int, last: int) -> list[dict[str, Any]]:
    """The ladder of customers whose orders are on these days, as of the last day."""
    rows = []
    for k in range(1, n + 1):
        durations = []  # (days, whether it ended)
        for days in orders.values():
            own = sorted(days)
            if len(own) > k:
                durations.append((own[k] - own[k - 1], True))
            elif len(own) == k:
                durations.append((last - own[k - 1], False))
        ended = [days for days, is_over in durations if is_over]
        row: dict[str, Any] = {
            "orders": k,
            "customers": len(durations),
            "customers_next": len(ended),
            "median_days": median(ended),
        }
        low, high = wilson(len(ended), len(durations)) if durations else (None, None)
        row |= {"rate": len(ended) / len(durations) if durations else None, "rate_low": low, "rate_high": high}
        survival, greenwood = (1.0, 0.0) if durations else (None, 0.0)
        for day in sorted({days for days, _ in durations}):
            at_risk = sum(days >= day for days, _ in durations)
            deaths = sum(days == day and is_over for days, is_over in durations)
            survival *= 1 - deaths / at_risk
            greenwood += deaths / (at_risk * (at_risk - deaths)) if deaths < at_risk else 0.0
        bounds: tuple[float | None, float | None] = (survival, survival)
        if survival and survival > 1e-12 and greenwood > 0:
            half = Z * math.sqrt(greenwood) / math.log(survival)
            bounds = survival ** math.exp(-half), survival ** math.exp(half)
        if survival is not None and survival <= 1e-12:
            bounds = (0.0, 0.0)
        row["rate_km"] = None if survival is None else 1 - survival
        row["rate_km_low"] = None if bounds[1] is None else 1 - bounds[1]
        row["rate_km_high"] = None if bounds[0] is None else 1 - bounds[0]
        rows.append(row)
    return rows
