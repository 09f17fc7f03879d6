"""Orders as cohorts see them: the ends of observation found, lines collapsed, refunds told from purchases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from .extras import nulls_last
from .money import FLOAT, Money
from .periods import Bound, Calendar, Period, as_day
from .rfm import Entry, instant, local_day

ROW = object()  # the order id of a table without order ids

LEFT_OUT = (
    "null_customer_id",
    "null_timestamp",
    "nonfinite_amount",
    "after_as_of",
    "excluded_refunds",
    "refund_only_customers",
)
NOTES = ("netted_refunds", "zero_orders", "null_amount", "null_order_id")


@dataclass(frozen=True)
class Event:
    """One row of the input. `value` is what the column of `cohort_by` holds, `group` what that of `by` does."""

    customer: Any
    when: Any
    amount: Any = None
    order: Any = ROW
    start: bool | None = True
    returning: bool | None = True
    value: Any = None
    group: Any = None


@dataclass(frozen=True)
class Options:
    """The arguments of `custcore.cohort_retention`, resolved. `cohort_by="column"` reads `Event.value`."""

    period: Period = ("month", 1)
    cohort_period: Period | None = None
    period_mode: str = "calendar"
    return_criteria: str = "on"
    brackets: tuple[int, ...] | None = None
    horizon: int | None = None
    cohort_by: str = "first"
    min_occurrences: int = 1
    week_start: str = "monday"
    fiscal_year_start: int = 1
    as_of: date | None = None
    observation_start: date | datetime | None = None
    observation_end: date | datetime | None = None
    n_periods: int | None = None
    zone: tzinfo | None = None
    returns: str = "net"
    zero_is_purchase: bool = True
    by: bool = False
    amount: bool = True
    money: Money = FLOAT

    @property
    def own_windows(self) -> bool:
        """Whether the windows of the members of a cohort differ."""
        return (
            self.period_mode == "elapsed" or self.cohort_by == "column" or self.cohort_period not in {None, self.period}
        )


@dataclass
class Order:
    """One order: its lines summed, its time the earliest line's."""

    customer: Any
    when: Any
    day: int
    first_row: int
    value: Any
    group: Any
    units: int = 0
    only_nulls: bool = True
    start: bool = False
    returning: bool = False
    is_purchase: bool = False


@dataclass(frozen=True)
class Membership:
    """A customer in a cohort; periods start on the local day `anchor`."""

    customer: Any
    cohort: Any
    anchor: int


@dataclass
class CohortResult:
    """Everything that was found out on the way; the tables are made of it."""

    options: Options
    calendar: Calendar = field(default_factory=Calendar)
    start: Bound | None = None
    end: Bound | None = None
    orders: dict[Any, list[Order]] = field(default_factory=dict)
    groups: dict[Any, Any] = field(default_factory=dict)
    members: list[Membership] = field(default_factory=list)
    report: dict[str, Entry] = field(default_factory=dict)
    table: list[dict[str, Any]] | None = None  # what `cohort.cells` found

    @property
    def is_observed(self) -> bool:
        """Whether there is a day to speak of."""
        return self.start is not None and self.end is not None

    @property
    def has_periods(self) -> bool:
        return self.start is not None and self.end is not None and self.end.last_day >= self.start.day

    def in_window(self, order: Order) -> bool:
        assert self.start is not None
        return not self.start.is_after(order.when)

    def all_groups(self) -> list[Any]:
        return sorted(set(self.groups.values()), key=nulls_last) if self.options.by else [None]

    def label(self, group: Any) -> dict[str, Any]:
        return {"by": group} if self.options.by else {}


def read_orders(events: list[Event], options: Options) -> CohortResult:
    """The orders of all buyers, the ends of observation, and what was left out."""
    result = CohortResult(options, report={name: Entry() for name in LEFT_OUT + NOTES})
    kept = _leave_rows_out(events, result)
    origin = result.start.day if options.observation_start is not None and result.start else 0
    result.calendar = Calendar(options.week_start, options.fiscal_year_start, origin)
    _sort_orders(_collapse(kept, result), result)
    return result


def _leave_rows_out(events: list[Event], result: CohortResult) -> list[tuple[int, Event]]:
    """Find the ends of observation, and count the rows that lie beyond or lack something."""
    options, money = result.options, result.options.money
    known = [e for e in events if e.customer is not None and e.when is not None]
    days = [local_day(e.when, options.zone) for e in known]
    if options.observation_end is not None:
        result.end = Bound(options.observation_end, options.zone)
    else:
        last = options.as_of if options.as_of is not None else max(days, default=None)
        result.end = Bound(last + timedelta(days=1), options.zone) if last is not None else None
    if options.observation_start is not None:
        result.start = Bound(options.observation_start, options.zone)
    else:
        before = [d for e, d in zip(known, days, strict=True) if result.end and result.end.is_after(e.when)]
        result.start = Bound(min(before), options.zone) if before else None

    kept = []
    for number, event in enumerate(events):
        units = money.units(event.amount)
        if event.customer is None:
            result.report["null_customer_id"].add(number, units)
        elif event.when is None:
            result.report["null_timestamp"].add(number, units)
        elif money.is_infinite(event.amount):
            result.report["nonfinite_amount"].add(number, 0)
        elif result.end is not None and not result.end.is_after(event.when):
            result.report["after_as_of"].add(number, units)
        else:
            if options.amount and money.is_null(event.amount):
                result.report["null_amount"].add(number, 0)
            kept.append((number, event))
    return kept


def _collapse(kept: list[tuple[int, Event]], result: CohortResult) -> list[Order]:
    """One order per (customer, order id), or per row."""
    options = result.options
    lines = defaultdict(list)
    for number, event in kept:
        alone = event.order is ROW or event.order is None
        if event.order is None:
            result.report["null_order_id"].add(number, options.money.units(event.amount))
        lines[event.customer, alone, number if alone else event.order].append((number, event))
    orders = []
    for (customer, *_), rows in lines.items():
        first = min(instant(e.when) for _, e in rows)
        earliest = [e for _, e in rows if instant(e.when) == first]
        orders.append(
            Order(
                customer=customer,
                when=earliest[0].when,
                day=as_day(local_day(earliest[0].when, options.zone)),
                first_row=min(number for number, _ in rows),
                value=min((e.value for e in earliest), key=nulls_last),
                group=min((e.group for e in earliest), key=nulls_last),
                units=sum(options.money.units(e.amount) for _, e in rows) if options.amount else 0,
                only_nulls=not options.amount or all(options.money.is_null(e.amount) for _, e in rows),
                start=any(e.start for _, e in rows),
                returning=any(e.returning for _, e in rows),
            )
        )
    return orders


def _sort_orders(orders: list[Order], result: CohortResult) -> None:
    """Say which orders are purchases, and keep the orders of the customers who have one."""
    options, report = result.options, result.report
    found = defaultdict(list)
    for order in orders:
        if order.units < 0 and options.returns == "exclude":
            report["excluded_refunds"].add(order.first_row, order.units)
            continue
        if order.units < 0 and options.returns == "net":
            report["netted_refunds"].add(order.first_row, order.units)
        elif order.units == 0 and not options.zero_is_purchase and not order.only_nulls:
            report["zero_orders"].add(order.first_row, 0)
        else:
            order.is_purchase = True
        found[order.customer].append(order)
    for customer, theirs in found.items():
        bought = [o for o in theirs if o.is_purchase]
        if not bought:
            report["refund_only_customers"].add(min(o.first_row for o in theirs), sum(o.units for o in theirs))
            continue
        result.orders[customer] = theirs
        first = min(instant(o.when) for o in bought)
        result.groups[customer] = min((o.group for o in bought if instant(o.when) == first), key=nulls_last)
