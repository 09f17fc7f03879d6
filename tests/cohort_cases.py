"""Cases of cohort retention that several tests share: published ones, the gap case, and golden data as events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.reference.cohort import average, cells, cohort_reference, columns, customers, matrix
from tests.reference.cohort_orders import ROW, CohortResult, Event
from tests.reference.money import FLOAT, Money
from tests.reference.movement import movement, revenue_retention
from tests.reference_data import reference_data

# a is back in March, b never, c of February is back in March; the data end on 10 March.
GAP = [
    Event("a", date(2024, 1, 31)),
    Event("a", date(2024, 3, 1)),
    Event("b", date(2024, 1, 5)),
    Event("c", date(2024, 2, 10)),
    Event("c", date(2024, 3, 10)),
]

# PostHog's published cases, from its own tests: recurring cohorts by day, eleven intervals; day d is
# 10 June 2020 + d, 05:00 UTC. Where PostHog pads what is not observed with 0, there is null.
_DAY_0 = datetime(2020, 6, 10, 5, tzinfo=UTC)
POSTHOG = [Event("p1", _DAY_0 + timedelta(days=d)) for d in (0, 1, 2, 5, 5, 6)] + [
    Event("p2", _DAY_0 + timedelta(days=d)) for d in (1, 2, 3, 6)
]
_COUNTS: list[list[int]] = [
    [1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
    [2, 2, 1, 0, 1, 2, 0, 0, 0, 0],
    [2, 1, 0, 1, 2, 0, 0, 0, 0],
    [1, 0, 0, 1, 0, 0, 0, 0],
    [0] * 7,
    [1, 1, 0, 0, 0, 0],
    [2, 0, 0, 0, 0],
    [0] * 4,
    [0] * 3,
    [0] * 2,
    [0],
]
POSTHOG_ROWS: dict[str, Any] = {
    "options": {
        "amount": False,
        "period": ("day", 1),
        "cohort_by": "recurring",
        "observation_start": date(2020, 6, 10),
        "observation_end": date(2020, 6, 21),
        "n_periods": 11,
    },
    "customers": [row + [None] * (11 - len(row)) for row in _COUNTS],
}
POSTHOG_ZONES: dict[str, Any] = {
    "events": [
        *(Event("p1", datetime(2020, 6, 10, 1, tzinfo=UTC) + timedelta(days=d)) for d in (-1, 0, 1)),
        Event("p2", datetime(2020, 6, 16, 1, tzinfo=UTC)),
        Event("p2", datetime(2020, 6, 16, 9, tzinfo=UTC)),
    ],
    "UTC": {0: [1, 1], 1: [1], 6: [1]},
    "US/Pacific": {0: [1], 5: [1, 1], 6: [1]},
}


def golden_table(name: str) -> pa.Table:
    """The data behind a golden result, as customer_id, timestamp, amount and, for Online Retail, order_id."""
    data = reference_data(name).data
    if name.startswith("cdnow_master"):
        table = pq.read_table(data / "cdnow/cdnow_master.parquet")
        return table.select(["customer_id", "date", "spend"]).rename_columns(["customer_id", "timestamp", "amount"])
    if name.startswith("apparel"):
        table = pq.read_table(data / "apparel/apparel_trans.parquet")
        return table.select(["customer_id", "date", "price"]).rename_columns(["customer_id", "timestamp", "amount"])
    table = pq.read_table(data / "online_retail/online_retail.parquet")
    clean = pc.and_(pc.greater(table["quantity"], 0), pc.greater(table["unit_price"], 0))
    clean = pc.and_(clean, pc.and_(pc.is_valid(table["customer_id"]), pc.invert(pc.starts_with(table["invoice"], "C"))))
    table = table.filter(clean)
    amount = pc.multiply(table["quantity"].cast("float64"), table["unit_price"])
    names = ["customer_id", "timestamp", "amount", "order_id"]
    return pa.table([table["customer_id"], table["invoice_date"], amount, table["invoice"]], names=names)


def golden_events(name: str) -> list[Event]:
    """The same as the oracle reads it."""
    return [Event(*row) for row in zip(*(column.to_pylist() for column in golden_table(name)), strict=True)]


# From arguments of custcore to those of the oracle, and from its events to tables


def reference(events: list[Event], *, money: Money = FLOAT, zone: tzinfo | None = None, **given: Any) -> CohortResult:
    """The oracle's result for the arguments that `custcore.cohort_retention` gets."""
    options = {
        name: value for name, value in given.items() if name not in {"order_id", "timezone", "start", "returning"}
    }
    for name in ("period", "cohort_period"):
        if options.get(name):
            text = options[name]
            options[name] = ("days", int(text[:-1])) if text[-1] == "d" else (text, 1)
    for name in ("as_of", "observation_start", "observation_end"):
        if isinstance(options.get(name), str):
            text = options[name]
            options[name] = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    if options.get("brackets"):
        options["brackets"] = tuple(options["brackets"])
    if options.get("cohort_by") == "value":
        options["cohort_by"] = "column"
    for name in ("by", "amount"):
        options[name] = options.get(name) is not None
    if given.get("start") is None:
        events = [replace(event, start=True) for event in events]
    if given.get("returning") is None:
        events = [replace(event, returning=True) for event in events]
    if given.get("order_id") is None:
        events = [replace(event, order=ROW) for event in events]
    return cohort_reference(events, money=money, zone=zone, **options)


def events_table(events: list[Event], *, time: pa.DataType | None = None, money: pa.DataType | None = None) -> pa.Table:
    """Events as a table with all the columns that a call may name."""
    types = {
        "customer_id": pa.string(),
        "timestamp": time or pa.date32(),
        "amount": money or pa.float64(),
        "order_id": pa.int64(),
        "start": pa.bool_(),
        "returning": pa.bool_(),
        "value": pa.string(),
        "group": pa.string(),
    }
    fields = ("customer", "when", "amount", "order", "start", "returning", "value", "group")
    columns = [[None if (v := getattr(event, name)) is ROW else v for event in events] for name in fields]
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, types.values(), strict=True)], names=list(types))


def rows(table: Any) -> list[dict[str, Any]]:
    """Rows of a result, with the names that the oracle gives to the column of `by`."""
    return [{"by" if k == "group" else k: v for k, v in row.items()} for row in table.to_pyarrow().to_pylist()]


def check_cohorts(found: Any, expected: CohortResult) -> None:
    """Every table and the report of a `custcore.CohortRetention` equal the oracle's, bit by bit."""
    assert rows(found.to_table()) == cells(expected)
    values = [name for name in columns(expected.options) if name in MATRIX_VALUES]
    for value in values:
        assert rows(found.matrix(value)) == matrix(expected, value), value
    for kind in ("pooled", "simple"):
        assert rows(found.average(kind)) == average(expected, kind), kind
    assert rows(found.movement()) == movement(expected)
    assert rows(found.customers()) == customers(expected)
    if expected.options.amount:
        for switch in (False, True):
            assert rows(found.revenue_retention(reactivation=switch)) == revenue_retention(
                expected, reactivation=switch
            )
    for name, entry in expected.report.items():
        if name not in found.report:
            assert name == "null_order_id" or not expected.options.amount, name
            continue
        line = found.report[name]
        assert line.sum == (expected.options.money.total(entry.units) if expected.options.amount else None), name
        if name == "refund_only_customers" and not (
            expected.options.returns == "net" and expected.options.zero_is_purchase
        ):
            continue  # whether a customer without purchases and without refunds left is one of them is not defined
        assert (line.count, line.first_row) == (entry.count, entry.first_row), name


MATRIX_VALUES = frozenset(
    (
        *("rate", "rate_low", "rate_high", "customers", "customers_open", "eligible", "orders", "revenue"),
        *("revenue_cumulative", "revenue_cumulative_per_customer", "is_observed", "is_complete"),
    )
)


def retained(events: list[Event], *, time: pa.DataType | None = None, **options: Any) -> Any:
    """The result for events, after it was compared with the oracle's in all its tables."""
    import custcore

    zone = options.get("timezone") or getattr(time, "tz", None)
    result = custcore.cohort_retention(events_table(events, time=time), **options)
    check_cohorts(result, reference(events, zone=ZoneInfo(zone) if zone else None, **options))
    return result


def counts(result: Any, value: str = "customers") -> list[list[Any]]:
    """The matrix without its heads."""
    return [
        [cell for name, cell in row.items() if name not in {"by", "cohort", "cohort_size"}]
        for row in rows(result.matrix(value))
    ]


def buys(*days: str, customer: str = "a", amount: float | None = 1.0) -> list[Event]:
    return [Event(customer, date.fromisoformat(day), amount) for day in days]


# Cases of more than one test

WINDOW = [
    *buys("2023-12-05", "2024-02-05"),
    *buys("2024-01-05", "2024-02-07", "2024-02-08", customer="b"),
    *buys("2024-02-05", customer="c"),
]

CRITERIA = [
    *buys("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-05"),
    *buys("2024-01-01", "2024-01-04", "2024-01-04", customer="b"),
    *buys("2024-01-01", "2024-01-03", customer="c"),
]
