"""Measures and decompositions equal the slow reference, whatever the rows, batches, threads and merges."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import AMOUNTS, IDS
from tests.reference.measures import decomposition_reference, measures_reference
from tests.reference.money import INT
from tests.reference.periods import Calendar

START = date(2023, 10, 25)
DAYS = st.one_of(st.integers(0, 100), st.integers(0, 700)).map(lambda n: START + timedelta(days=n))
GROUPS = st.sampled_from(["x", "y", "z"])
ROW = st.tuples(IDS, st.one_of(DAYS, DAYS, DAYS, DAYS, st.none()), AMOUNTS, st.integers(0, 3) | st.none(), GROUPS)
ROWS = st.lists(ROW, max_size=50)
PERIODS = st.sampled_from(["day", "week", "month", "quarter", "year", "10d", "all"])
RULES = st.fixed_dictionaries(
    {"returns": st.sampled_from(["net", "exclude", "count"]), "zero_is_purchase": st.booleans()}
)
CALENDARS = st.fixed_dictionaries(
    {"week_start": st.sampled_from(["monday", "sunday"]), "fiscal_year_start": st.integers(1, 12)}
)
AS_OF = st.none() | st.integers(-10, 400).map(lambda n: START + timedelta(days=n))


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    kinds = {
        "customer_id": pa.string(),
        "timestamp": pa.date32(),
        "amount": pa.float64(),
        "order": pa.int64(),
        "group": pa.string(),
    }
    columns = [[row[i] for row in rows] for i in range(5)]
    arrays = [pa.array(column, kind, from_pandas=False) for column, kind in zip(columns, kinds.values(), strict=True)]
    return pa.table(dict(zip(kinds, arrays, strict=True)))


def period_of(word: str) -> tuple[str, int] | None:
    return None if word == "all" else ("days", 10) if word == "10d" else (word, 1)


def check(found: custcore.Table, expected: Any, group: str | None = None) -> None:
    rows = found.to_pyarrow().to_pylist()
    wanted = [{group if name == "group" else name: row[name] for name in row} for row in expected.rows]
    assert [{name: row[name] for name in other} for row, other in zip(rows, wanted, strict=True)] == wanted
    for name, entry in expected.report.items():
        own = found.report[name]
        assert (own.count, own.sum) == (entry.count, entry.units / 10**6), name
    before = found.report["before_first_period"]
    assert (before.count, before.sum) == (expected.before.count, expected.before.units / 10**6)


@given(ROWS, PERIODS, CALENDARS, RULES, AS_OF, st.booleans(), st.integers(1, 60), st.sampled_from([1, 3]))
def test_a_scan_equals_the_reference(
    rows: list[Any],
    period: str,
    calendar: dict[str, Any],
    rules: dict[str, Any],
    as_of: date | None,
    has_orders: bool,
    size: int,
    n_threads: int,
) -> None:
    data = table(rows)
    order = {"order_id": "order"} if has_orders else {}
    options = {"period": period, "as_of": as_of, "n_threads": n_threads, **calendar, **rules, **order}
    found = custcore.measures(data.to_reader(max_chunksize=size), **options)
    lines = [row[: 4 if has_orders else 3] for row in rows]
    expected = measures_reference(lines, period=period_of(period), calendar=Calendar(**calendar), as_of=as_of, **rules)
    check(found, expected)
    if rows:
        left_out = sum(entry.sum for entry in found.report if entry.kind == "left_out")
        total = sum(row["revenue"] for row in found.to_pyarrow().to_pylist()) + left_out
        assert total == pytest.approx(sum(found_units(row[2]) for row in rows), rel=1e-12, abs=1e-5)


def found_units(amount: float | None) -> float:
    return 0.0 if amount is None or amount != amount else round(amount * 1e6) / 1e6


@given(
    ROWS, PERIODS, CALENDARS, RULES, AS_OF, st.booleans(), st.integers(1, 60), st.booleans(), st.sampled_from([1, 3])
)
def test_a_base_equals_the_reference(
    rows: list[Any],
    period: str,
    calendar: dict[str, Any],
    rules: dict[str, Any],
    as_of: date | None,
    has_orders: bool,
    size: int,
    merged: bool,
    n_threads: int,
) -> None:
    level = {"track": "orders", "order_id": "order"} if has_orders else {"track": "days"}
    base = custcore.CustomerBase(**level, **rules)
    base.update(table([]))
    data = table(rows)
    for at in range(0, len(rows), size):
        part = custcore.CustomerBase(**level, **rules) if merged else base
        part.update(data.slice(at, size))
        if merged:
            base.merge(part)
    lines = [row[: 4 if has_orders else 3] for row in rows]
    expected = measures_reference(lines, period=period_of(period), calendar=Calendar(**calendar), as_of=as_of, **rules)
    found = base.measures(period, as_of=as_of, n_threads=n_threads, **calendar)
    rows_of = found.to_pyarrow().to_pylist()
    assert [
        {name: row[name] for name in other} for row, other in zip(rows_of, expected.rows, strict=True)
    ] == expected.rows
    if as_of is None:
        check(found, expected)


@given(ROWS, PERIODS, RULES, st.booleans(), st.booleans())
def test_groups_of_a_table_and_of_a_column(
    rows: list[Any], period: str, rules: dict[str, Any], has_orders: bool, one_shot: bool
) -> None:
    """A customer who is not in the table is in the group null; a column counts at the first purchase."""
    lines = [row[: 4 if has_orders else 3] for row in rows]
    segments = {"a": "late", "b": "early", "c": "late", "": "early"}
    order = {"order_id": "order"} if has_orders else {}
    by = pa.table({"customer_id": list(segments), "segment": list(segments.values())})
    options = {"period": period_of(period), **rules}
    if one_shot:
        found = custcore.measures(table(rows), period=period, by=by, **order, **rules)
    else:
        base = custcore.CustomerBase(track="orders" if has_orders else "days", **order, **rules)
        base.update(table(rows))
        found = base.measures(period, by)
    expected = measures_reference(lines, group_of=segments, groups=["early", "late", None], **options)
    check(found, expected, "segment")
    # The same groups as a column: those of every row of a customer are equal.
    own = [(*row[:4], segments.get(row[0])) for row in rows]
    found = custcore.measures(table(own), period=period, by="group", **order, **rules)
    check(found, expected, "group")


@given(
    ROWS,
    st.sampled_from(["week", "month", "quarter"]),
    RULES,
    st.sampled_from([1, 2, 12]),
    st.booleans(),
    st.booleans(),
)
def test_a_decomposition_adds_up(
    rows: list[Any], period: str, rules: dict[str, Any], lag: int, include_partial: bool, by_group: bool
) -> None:
    segments = {"a": "late", "b": "early", "c": "late", "d": "early"}
    groups = {"group_of": segments, "groups": ["early", "late", None]} if by_group else {}
    by = pa.table({"customer_id": list(segments), "segment": list(segments.values())}) if by_group else None
    expected = measures_reference([row[:3] for row in rows], period=(period, 1), **groups, **rules)
    wanted = decomposition_reference(expected.rows, lag=lag, include_partial=include_partial, by_group=by_group)
    found = custcore.decomposition(
        table(rows), period=period, lag=lag, include_partial=include_partial, by=by, **rules
    ).to_pyarrow()
    size = max((abs(row["gross"]) + abs(row["refunds"]) for row in expected.rows), default=0.0)
    for row, other in zip(found.to_pylist(), wanted, strict=True):
        for name in ("period_start", "from_start"):
            assert row.pop(name) == other.pop(name)
        assert row == pytest.approx(other, rel=1e-8, abs=1e-9 * size + 1e-9)
        effects = sum(value for name, value in row.items() if name.endswith("_effect"))
        assert effects == pytest.approx(row["change"], abs=1e-9 * size + 1e-12)


@given(ROWS, st.sampled_from(["month", "10d", "all"]), st.integers(1, 20), st.booleans())
def test_a_base_on_disk_equals_one_in_memory(rows: list[Any], period: str, size: int, by_group: bool) -> None:
    options = {"track": "days", "attributes": {"group": "first"}}
    limited, memory = custcore.CustomerBase(**options, max_memory="1MiB"), custcore.CustomerBase(**options)
    for base in (limited, memory):
        base.update(table([]))
        for at in range(0, len(rows), size):
            base.update(table(rows[at : at + size]))
            if base is limited:
                base._core.spill()
    by = "group" if by_group else None
    one, two = (base.measures(period, by) for base in (limited, memory))
    assert one.to_pyarrow().equals(two.to_pyarrow())
    assert [(entry.name, entry.count, entry.sum) for entry in one.report] == [
        (entry.name, entry.count, entry.sum) for entry in two.report
    ]
    if period != "all":
        one, two = (base.decomposition(period, by=by, include_partial=True) for base in (limited, memory))
        assert one.to_pyarrow().equals(two.to_pyarrow())


@given(st.lists(st.tuples(st.integers(0, 5), DAYS, st.integers(-50, 200)), max_size=40), st.randoms())
def test_integer_money_is_exact_in_any_order(rows: list[Any], random: Any) -> None:
    def data(rows: list[Any]) -> pa.Table:
        ids, days, amounts = zip(*rows, strict=True) if rows else ((), (), ())
        columns = (pa.array(ids, pa.int64()), pa.array(days, pa.date32()), pa.array(amounts, pa.int64()))
        return pa.table(dict(zip(("customer_id", "timestamp", "amount"), columns, strict=True)))

    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = (custcore.measures(data(part)) for part in (rows, shuffled))
    assert one.to_pyarrow().equals(two.to_pyarrow())
    expected = measures_reference(rows, period=("month", 1), money=INT)
    assert [
        {name: row[name] for name in other}
        for row, other in zip(one.to_pyarrow().to_pylist(), expected.rows, strict=True)
    ] == expected.rows
