"""Cohort retention by definition: orders -> memberships -> cells, one customer and one cell at a time.

An order is in a cell or it is not, and every function below asks that question the long way round. `CohortResult` has
the tables that `custcore.cohort_retention` returns, as lists of dictionaries in their order. What the definitions leave
open, and what is done here:

- Cohorts run from the period of the first local date (or of `observation_start`) to the last observed period.
- `first` with an `observation_start`: who bought before it is in no cohort. `by` and a cohort column are read at the
  first purchase of all, whatever window and flags.
- An order of lines has a flag if one of its lines has it; `orders` counts events that return, `revenue` all money.
- Money on a local day before the anchor of its customer is in no cell, also in the anchor's own period.
- `min_occurrences` speaks of periods after the first; a member is always counted at k = 0.
- With `n_periods` or brackets every cohort has all the rows, unobserved ones null; else it ends with what is observed.
- `period_end` is exclusive. Where members' windows differ, period_start and period_end are null.
- A refund-only customer is in the report; the unattributed row speaks of buyers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import Any

from .cohort_orders import CohortResult, Event, Membership, Options, Order, read_orders
from .extras import nulls_last
from .periods import as_date
from .rfm import Entry, instant

Z = 1.959963984540054

UNATTRIBUTED = ("outside_cohorts", "before_observation_start", "before_first_purchase", "beyond_n_periods")


def cohort_reference(events: list[Event], **options: Any) -> CohortResult:
    """Read, sort into cohorts; the tables are functions of the result."""
    result = read_orders(events, Options(**options))
    result.members = memberships(result)
    unattributed(result)
    return result


def memberships(result: CohortResult) -> list[Membership]:
    """Which cohorts each buyer belongs to, and from which local day on."""
    options, calendar = result.options, result.calendar
    cohort_period = options.cohort_period or options.period
    found = []
    for customer, orders in result.orders.items():
        starts = [o for o in orders if o.is_purchase and o.start]
        inside = [o for o in starts if result.in_window(o)]
        if options.cohort_by in {"first", "column"} and len(inside) < len(starts):
            continue
        if not inside:
            continue
        if options.cohort_by == "recurring":
            periods = defaultdict(list)
            for order in inside:
                periods[calendar.index(order.day, cohort_period)].append(order.day)
            found += [Membership(customer, cohort, min(days)) for cohort, days in periods.items()]
            continue
        anchor = min(o.day for o in inside)
        if options.cohort_by == "column":
            bought = [o for o in orders if o.is_purchase]
            first = min(instant(o.when) for o in bought)
            value = min((o.value for o in bought if instant(o.when) == first), key=nulls_last)
            if value is not None:
                found.append(Membership(customer, value, anchor))
            continue
        found.append(Membership(customer, calendar.index(anchor, cohort_period), anchor))
    return found


def window(result: CohortResult, anchor: int, k: int) -> tuple[int, int]:
    """First day and end (exclusive) of the k-th window of a member."""
    options, calendar = result.options, result.calendar
    if options.period_mode == "elapsed":
        length = calendar.days(options.period)
        return anchor + k * length, anchor + (k + 1) * length
    index = calendar.index(anchor, options.period) + k
    return calendar.start(index, options.period), calendar.start(index + 1, options.period)


def offset(result: CohortResult, anchor: int, day: int) -> int:
    """The k whose window holds a day."""
    options, calendar = result.options, result.calendar
    if options.period_mode == "elapsed":
        return (day - anchor) // calendar.days(options.period)
    return calendar.index(day, options.period) - calendar.index(anchor, options.period)


def limit(options: Options) -> float:
    """The k from which on no cell takes an order."""
    if options.brackets:
        return options.brackets[-1] + 1
    return options.n_periods if options.n_periods is not None else math.inf


def offset_of(result: CohortResult, member: Membership, order: Order) -> int | None:
    """The k in which an order of a member counts, None outside of the member's observation."""
    if order.day < member.anchor or not result.in_window(order):
        return None
    return offset(result, member.anchor, order.day)


def active(result: CohortResult, member: Membership) -> set[int]:
    """The k in which a member comes back often enough."""
    counts: dict[int, int] = defaultdict(int)
    for order in result.orders[member.customer]:
        k = offset_of(result, member, order)
        if k is not None and order.is_purchase and order.returning:
            counts[k] += 1
    return {k for k, n in counts.items() if n >= result.options.min_occurrences}


def fulfils(options: Options, seen: set[int], first: int, last: int) -> bool:
    """Whether who was active in the periods `seen` counts in a cell; `first..=last` are the periods of the cell."""
    if first == 0:
        return True
    if options.return_criteria == "on":
        return any(first <= k <= last for k in seen)
    if options.return_criteria == "on_or_after":
        until = first + options.horizon - 1 if options.horizon else math.inf
        return any(first <= k <= until for k in seen)
    if options.return_criteria == "on_or_before":
        return any(1 <= k <= first for k in seen)
    return all(k in seen for k in range(1, first + 1))


def wilson(c: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z2 = Z * Z
    spread = Z * math.sqrt(c * (n - c) / n + z2 / 4)
    low = (c + z2 / 2 - spread) / (n + z2)
    high = (c + z2 / 2 + spread) / (n + z2)
    return 0.0 if c == 0 else low, 1.0 if c == n else high


def unattributed(result: CohortResult) -> dict[Any, list[Order]]:
    """The orders of buyers that lie in no cell, by group; counts them in the report under the first reason."""
    theirs = defaultdict(list)
    for member in result.members:
        theirs[member.customer].append(member)
    found: dict[Any, list[Order]] = {group: [] for group in result.all_groups()}
    entries = {name: Entry() for name in UNATTRIBUTED}
    for customer, orders in result.orders.items():
        outside = []
        for order in orders:
            ks = [offset_of(result, member, order) for member in theirs[customer]]
            if any(k is not None and k < limit(result.options) for k in ks):
                continue
            found[result.groups[customer] if result.options.by else None].append(order)
            if not theirs[customer]:
                outside.append(order)
            elif not result.in_window(order):
                entries["before_observation_start"].add(order.first_row, order.units)
            elif all(k is None for k in ks):
                entries["before_first_purchase"].add(order.first_row, order.units)
            else:
                entries["beyond_n_periods"].add(order.first_row, order.units)
        if outside:
            entries["outside_cohorts"].add(min(o.first_row for o in outside), sum(o.units for o in outside))
    result.report.update(entries)
    return found


def spans(options: Options, last: int) -> list[tuple[int, int, int]]:
    """The rows of a cohort: (period_index, first k, last k); `last` is the last k observed of it."""
    if options.brackets:
        befores = (0, *options.brackets)
        return [(0, 0, 0)] + [(b, a + 1, b) for a, b in pairwise(befores)]
    n = options.n_periods if options.n_periods is not None else last + 1
    return [(k, k, k) for k in range(n)]


def cells(result: CohortResult) -> list[dict[str, Any]]:
    """The long table, with the unattributed rows."""
    if result.table is None:
        result.table = _cells(result)
    return result.table


def _cells(result: CohortResult) -> list[dict[str, Any]]:
    options, calendar = result.options, result.calendar
    if not result.is_observed:
        return []
    assert result.start is not None
    assert result.end is not None
    cohort_period = options.cohort_period or options.period
    cohorts: dict[Any, dict[Any, list[Membership]]] = {group: {} for group in result.all_groups()}
    if options.cohort_by != "column" and result.has_periods:
        first, last = (calendar.index(day, cohort_period) for day in (result.start.day, result.end.last_day))
        for group in cohorts:
            cohorts[group] = {index: [] for index in range(first, last + 1)}
    for member in result.members:
        group = result.groups[member.customer] if options.by else None
        cohorts[group].setdefault(member.cohort, []).append(member)

    lost = unattributed(result)
    rows = []
    for group in result.all_groups():
        for cohort in sorted(cohorts[group], key=nulls_last):
            rows += _cohort_rows(result, group, cohort, cohorts[group][cohort])
        row = dict.fromkeys(columns(options))
        row.update(result.label(group))
        row["orders"] = sum(o.is_purchase and o.returning for o in lost[group])
        if options.amount:
            row["revenue"] = options.money.total(sum(o.units for o in lost[group]))
        rows.append(row)
    return rows


def columns(options: Options) -> list[str]:
    money = ["revenue", "revenue_cumulative", "revenue_cumulative_per_customer"] if options.amount else []
    return [
        *(["by"] if options.by else []),
        *("cohort", "cohort_size", "period_index", "period_start", "period_end", "eligible", "customers"),
        *("customers_open", "rate", "rate_low", "rate_high", "orders"),
        *money,
        *("is_observed", "is_complete", "left_truncated"),
    ]


def _cohort_rows(result: CohortResult, group: Any, cohort: Any, members: list[Membership]) -> list[dict[str, Any]]:
    options, calendar, start, end = result.options, result.calendar, result.start, result.end
    assert start is not None
    assert end is not None
    truncated, shown = None, cohort
    anchors = [m.anchor for m in members]
    if options.cohort_by != "column":
        cohort_period = options.cohort_period or options.period
        begins, ends = calendar.start(cohort, cohort_period), calendar.start(cohort + 1, cohort_period)
        truncated = begins <= start.day < ends and (begins < start.day or start.has_time)
        shown = as_date(begins)
        if not anchors:
            # An empty cohort is judged as if somebody had come on each of its observed days.
            anchors = list(range(max(begins, start.day), min(ends - 1, end.last_day) + 1))
    if not options.own_windows:
        anchors = anchors[:1]  # one stands for all
    observed = max(offset(result, anchor, end.last_day) for anchor in anchors)
    seen = {member: active(result, member) for member in members}
    size, total = len(members), 0
    rows = []
    for index, first, last in spans(options, observed):
        row: dict[str, Any] = dict.fromkeys(columns(options))
        row.update(result.label(group))
        row.update(cohort=shown, cohort_size=size, period_index=index, left_truncated=truncated)
        if not options.own_windows:
            row["period_start"] = as_date(window(result, anchors[0], first)[0])
            row["period_end"] = as_date(window(result, anchors[0], last)[1])
        # Cell 0 is the size of the cohort, which no horizon delays.
        judged = first + options.horizon - 1 if options.horizon and first > 0 else last
        begun = [end.has_begun(window(result, anchor, first)[0]) for anchor in anchors]
        ended = [end.has_ended(window(result, anchor, judged)[1]) for anchor in anchors]
        row["is_observed"], row["is_complete"] = any(begun), all(ended)
        rows.append(row)
        if not any(begun):
            continue
        counts = [fulfils(options, seen[m], first, last) for m in members]
        if options.own_windows and members:
            row["eligible"] = sum(ended)
            row["customers"] = sum(e and c for e, c in zip(ended, counts, strict=True))
            row["customers_open"] = sum(b and not e and c for b, e, c in zip(begun, ended, counts, strict=True))
        else:
            row["eligible"], row["customers"], row["customers_open"] = size, sum(counts), 0
        if row["eligible"]:
            row["rate"] = row["customers"] / row["eligible"]
            row["rate_low"], row["rate_high"] = wilson(row["customers"], row["eligible"])
        inside = [
            order
            for member in members
            for order in result.orders[member.customer]
            if (k := offset_of(result, member, order)) is not None and first <= k <= last
        ]
        row["orders"] = sum(o.is_purchase and o.returning for o in inside)
        if options.amount:
            units = sum(o.units for o in inside)
            total += units
            row["revenue"], row["revenue_cumulative"] = options.money.total(units), options.money.total(total)
            row["revenue_cumulative_per_customer"] = options.money.mean(total, size) if size else None
    return rows


def average(result: CohortResult, kind: str) -> list[dict[str, Any]]:
    """Complete cells pooled, or the mean of their rates."""
    table = [row for row in cells(result) if row["cohort"] is not None]
    complete = defaultdict(list)
    for row in table:
        if row["is_complete"] and row["eligible"]:
            complete[row.get("by"), row["period_index"]].append(row)
    rows = []
    for group in result.all_groups():
        for index in sorted({row["period_index"] for row in table}):
            full = complete[group, index]
            n, c = sum(r["eligible"] for r in full), sum(r["customers"] for r in full)
            row = result.label(group) | {"period_index": index, "cohorts": len(full), "eligible": n, "customers": c}
            row |= {"rate": None, "rate_low": None, "rate_high": None}
            if full and kind == "pooled":
                row["rate"], (row["rate_low"], row["rate_high"]) = c / n, wilson(c, n)
            elif full:
                total = 0.0
                for cell in full:
                    total += cell["rate"]
                row["rate"] = total / len(full)
            rows.append(row)
    return rows


def matrix(result: CohortResult, value: str) -> list[dict[str, Any]]:
    """The wide table: a row per cohort, a column per k."""
    table = [row for row in cells(result) if row["cohort"] is not None]
    options = result.options
    names = {index: str(index) for index in sorted({row["period_index"] for row in table})}
    if options.brackets:
        befores = (0, *options.brackets)
        names |= {b: str(b) if b == a + 1 else f"{a + 1}-{b}" for a, b in pairwise(befores)}
    wide: dict[Any, dict[str, Any]] = {}
    for row in table:
        key = (row.get("by"), row["cohort"])
        found = wide.setdefault(
            key,
            result.label(row.get("by"))
            | {"cohort": row["cohort"], "cohort_size": row["cohort_size"]}
            | dict.fromkeys(names.values()),
        )
        found[names[row["period_index"]]] = row[value]
    return list(wide.values())


def customers(result: CohortResult) -> list[dict[str, Any]]:
    """A row per membership, by id and cohort."""
    options = result.options
    cohort_period = options.cohort_period or options.period
    rows = []
    for member in result.members:
        cohort = member.cohort
        if options.cohort_by != "column":
            cohort = as_date(result.calendar.start(cohort, cohort_period))
        row = {"customer_id": member.customer} | result.label(result.groups[member.customer])
        rows.append(row | {"cohort": cohort, "first_date": as_date(member.anchor)})
    return sorted(rows, key=lambda row: (nulls_last(row["customer_id"]), row["cohort"]))
