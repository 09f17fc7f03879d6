"""Random purchases for customer bases, and when a base and the model of all its rows agree."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import strategies as st

import custcore
from custcore.errors import InvalidArgumentError
from tests.property.strategies import CENTS, UUIDS
from tests.reference.base import BaseReference

Row = tuple[Any, ...]

START = date(2023, 12, 27)
N_DAYS = 9
IDS = st.sampled_from(["a", "b", "c", "dd", "", "ä", *UUIDS[:4]])
# Few days, hours and orders: lines of one order meet, over midnights and batches.
HOURS = st.integers(0, 24 * N_DAYS - 1).map(lambda n: datetime(2023, 12, 27) + timedelta(hours=n))  # noqa: DTZ001
AMOUNTS = st.one_of(
    st.sampled_from([5.0, -5.0, 5.0, 2.5, -2.5, 0.0, -0.0, 10.1, 20.2, -30.3, None, float("nan")]), CENTS
)
ORDERS = st.sampled_from(["o1", UUIDS[0], UUIDS[2], ""])
SOME = st.integers(0, 11)


def rarely_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(SOME, values).map(lambda pair: None if pair[0] == 0 else pair[1])


ROW = st.tuples(rarely_null(IDS), rarely_null(HOURS), AMOUNTS, rarely_null(ORDERS))
ROWS = st.lists(ROW, max_size=12)
BATCHES = st.lists(ROWS, min_size=1, max_size=3)
AS_OF = st.none() | st.integers(-1, N_DAYS + 2).map(lambda n: START + timedelta(days=n))
RULES = st.fixed_dictionaries(
    {"returns": st.sampled_from(["net", "exclude", "count"]), "zero_is_purchase": st.booleans()}
)

# Each level with what it takes: rows that are orders, or lines of orders.
LEVELS: dict[str, dict[str, Any]] = {
    "totals": {"track": "totals"},
    "days": {"track": "days"},
    "orders": {"track": "orders", "order_id": "order"},
}


def table(rows: list[Row]) -> pa.Table:
    """Rows as columns of fixed types; the order is there even where a base does not look at it."""
    kinds = {"customer_id": pa.string(), "timestamp": pa.timestamp("us"), "amount": pa.float64(), "order": pa.string()}
    columns = [[row[i] if i < len(row) else None for row in rows] for i in range(4)]
    arrays = [pa.array(c, kind, from_pandas=False) for c, kind in zip(columns, kinds.values(), strict=True)]
    return pa.table(dict(zip(kinds, arrays, strict=True)))


def new_base(level: str, **options: Any) -> custcore.CustomerBase:
    """An empty base that knows the types of its columns."""
    base = custcore.CustomerBase(**LEVELS[level], **options)
    base.update(table([]))
    return base


def folded(level: str, *pieces: list[Row], **options: Any) -> custcore.CustomerBase:
    """A base of some rows, each piece an update."""
    base = new_base(level, **options)
    for rows in pieces:
        base.update(table(rows))
    return base


def rows_of_level(level: str, rows: list[Row]) -> list[Row]:
    """Rows as the model of a level takes them: without order ids where every row is an order."""
    return list(rows) if level == "orders" else [row[:3] for row in rows]


def entries(report: Any, *, without: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """What a report counts, but for first rows, which a base does not keep."""
    return [(e.name, e.kind, e.unit, e.count, e.sum, e.n_rows) for e in report if e.name not in without]


OF_BASES = ("removed", "late_lines")
# Where a base counts a customer's refunds of one day, or one with a purchase, as one order.
BY_DAY = ("outside_cohorts", "before_observation_start", "before_first_purchase", "beyond_n_periods")


def check_rfm(
    base: custcore.CustomerBase, model: BaseReference, as_of: date | None = None, n_threads: int | None = None
) -> None:
    """Table, report and as_of are those of the oracle, and of a fresh `custcore.rfm` on all rows, bit by bit."""
    found = base.rfm(as_of, n_threads=n_threads)
    expected = model.rfm(as_of)
    assert found.to_pyarrow().to_pylist() == expected.rows
    assert found.report.as_of == expected.as_of
    assert found.report.n_rows == model.n_rows
    if "late_lines" in found.report:
        late = found.report["late_lines"]
        assert (late.count, late.sum) == (model.late_lines.count, model.money.total(model.late_lines.units))
    fresh = custcore.rfm(
        table(model.rows),
        order_id="order" if model.has_orders else None,
        as_of=as_of or model.last_date,
        returns=model.returns,
        zero_is_purchase=model.zero_is_purchase,
    )
    assert found.to_pyarrow().equals(fresh.to_pyarrow())
    if not model.removed.count:
        late_nulls = sum(as_of is None or day <= as_of for day in model.late_nulls)
        wanted = [
            (*e[:3], e[3] + late_nulls, e[4], e[5] + late_nulls) if e[0] == "null_amount" else e
            for e in entries(fresh.report)
        ]
        assert entries(found.report, without=OF_BASES) == wanted
        names = set(expected.report) & {entry.name for entry in found.report}
        # whether a customer without purchases and without refunds left is a refund-only one is not defined
        for name in names - (set() if model.returns == "net" and model.zero_is_purchase else {"refund_only_customers"}):
            line, entry = found.report[name], expected.report[name]
            more = late_nulls if name == "null_amount" else 0
            assert (line.count, line.sum) == (entry.count + more, model.money.total(entry.units)), name
    left_out = sum(round(entry.sum * 10**6) for entry in found.report if entry.kind == "left_out")
    counted = sum(round(row["monetary_total"] * 10**6) for row in expected.rows)
    given = sum(model.money.units(row[2]) for row in model.rows) + model.removed.units + model.late_lines.units
    assert counted + left_out == given


COHORTS = st.fixed_dictionaries(
    {},
    optional={
        "period": st.sampled_from(["day", "week", "month", "2d"]),
        "cohort_by": st.sampled_from(["first", "recurring"]),
        "return_criteria": st.sampled_from(["on", "on_or_after", "on_or_before", "every"]),
        "as_of": AS_OF.filter(bool),
        "observation_start": st.integers(0, N_DAYS).map(lambda n: START + timedelta(days=n)),
        "min_occurrences": st.integers(1, 2),
        "n_periods": st.integers(1, 4),
        "week_start": st.sampled_from(["monday", "sunday"]),
    },
)
COHORT_TABLES = ("to_table", "average", "movement", "revenue_retention", "customers")


def check_cohorts(base: custcore.CustomerBase, model: BaseReference, options: dict[str, Any]) -> None:
    """Every table of the base's cohorts is that of `custcore.cohort_retention` on all rows."""
    if model.removed.count or model.late_lines.count:
        return  # observation begins and ends with days of which no row is left
    # Both are given the day: the default of a base is its last day, that of a call the last day of its rows.
    options = {"as_of": model.last_date} | options
    chosen: dict[str, Any] = {
        "amount": "amount",
        "order_id": "order" if model.has_orders else None,
        "returns": model.returns,
        "zero_is_purchase": model.zero_is_purchase,
        **options,
    }
    try:
        fresh = custcore.cohort_retention(table(model.rows), **chosen)
    except InvalidArgumentError:  # a window that ends before it begins
        with pytest.raises(InvalidArgumentError):
            base.cohort_retention(**options)
        return
    found = base.cohort_retention(**options)
    for name in COHORT_TABLES:
        assert getattr(found, name)().to_pyarrow().equals(getattr(fresh, name)().to_pyarrow()), name
    assert entries(found.report, without=(*OF_BASES, *BY_DAY)) == entries(fresh.report, without=BY_DAY)
    for name in BY_DAY:
        line, entry = found.report[name], fresh.report[name]
        assert (line.unit, line.sum, bool(line.count)) == (entry.unit, entry.sum, bool(entry.count)), name
        assert line.count <= entry.count
        assert line.n_rows <= entry.n_rows
