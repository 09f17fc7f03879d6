"""The summary of random purchases equals the slow reference, at every level of a base and from a table."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.property.clv_cases import DAYS, IDS, ROWS, purchases
from tests.reference.clv_summary import clv_summary_reference, last_day

Row = tuple[Any, ...]
RULES = st.fixed_dictionaries(
    {"returns": st.sampled_from(["net", "exclude", "count"]), "zero_is_purchase": st.booleans()}
)
LINE = st.tuples(IDS, DAYS, st.sampled_from([5.0, 2.5, 0.0, -2.5, -5.0, None]), st.integers(0, 12))
LINES = st.lists(LINE, min_size=1, max_size=50)


@st.composite
def split(draw: st.DrawFn, last: date) -> tuple[date | None, date | None]:
    """The end of calibration and that of the hold-out, or the defaults."""
    if draw(st.booleans()):
        return None, None
    first = last - timedelta(days=draw(st.integers(1, 30)))
    if draw(st.booleans()):
        return first, None
    return first, first + timedelta(days=draw(st.integers(1, (last - first).days)))


def compare(found: Any, expected: list[dict[str, Any]]) -> None:
    rows = found.to_pylist()
    names = [name for name in (expected[0] if expected else {}) if name in found.column_names]
    if expected:
        assert names == list(expected[0])
    assert [{name: row[name] for name in names} for row in rows] == expected


@given(ROWS, RULES, st.data(), st.sampled_from([1, 4]))
def test_summaries_equal_the_reference(
    rows: list[Row], rules: dict[str, Any], data: st.DataObject, n_threads: int
) -> None:
    last = last_day(rows)
    assert last
    end, until = data.draw(split(last))
    expected = clv_summary_reference(rows, end, until, **rules)
    base = custcore.CustomerBase(track="days", **rules)
    size = data.draw(st.integers(1, 60))
    for at in range(0, len(rows), size):
        base.update(purchases(rows[at : at + size]))
    compare(base.clv_summary(end, until, n_threads=n_threads), expected)
    called = custcore.clv_summary(purchases(rows), calibration_end=end, holdout_end=until, n_threads=n_threads, **rules)
    compare(called, expected)


@given(LINES, RULES, st.data())
def test_orders_are_summed_before_days(lines: list[Row], rules: dict[str, Any], data: st.DataObject) -> None:
    """Lines of an order stand on one day here; lines on several days are the next test."""
    day_of: dict[tuple[Any, int], date] = {}
    lines = [(who, day_of.setdefault((who, order), day), amount, order) for who, day, amount, order in lines]
    last = last_day(lines)
    assert last
    end, until = data.draw(split(last))
    expected = clv_summary_reference(lines, end, until, **rules)
    columns = purchases(lines).append_column("order", pa.array([line[3] for line in lines], pa.int64()))
    base = custcore.CustomerBase(track="orders", order_id="order", **rules)
    for at in range(0, len(lines), 7):
        base.update(columns.slice(at, 7))
    compare(base.clv_summary(end, until), expected)


@given(LINES, RULES, st.data())
def test_lines_of_an_order_on_several_days(lines: list[Row], rules: dict[str, Any], data: st.DataObject) -> None:
    """An order is on the day of its first line; lines after the end of calibration are not seen in it."""
    last = last_day(lines)
    assert last
    end, until = data.draw(split(last))
    expected = clv_summary_reference(lines, end, until, **rules)
    columns = purchases(lines).append_column("order", pa.array([line[3] for line in lines], pa.int64()))
    base = custcore.CustomerBase(track="orders", order_id="order", **rules)
    base.update(columns)
    compare(base.clv_summary(end, until), expected)


@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_days_are_orders_and_order_of_rows_does_not_matter(
    rows: list[Row], chance: random.Random, data: st.DataObject
) -> None:
    last = last_day(rows)
    assert last
    end, until = data.draw(split(last))
    days = custcore.CustomerBase(track="days")
    days.update(purchases(rows))
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    orders = custcore.CustomerBase(track="orders", order_id="order")
    orders.update(purchases(shuffled).append_column("order", pa.array(range(len(rows)), pa.int64())))
    one, two = days.clv_summary(end, until), orders.clv_summary(end, until)
    assert one.to_pyarrow().equals(two.to_pyarrow())
    for names, columns in (
        ("lifetimes", ["frequency", "recency", "T", "monetary_value"]),
        ("btyd", ["x", "t.x", "T.cal", "m.x"]),
    ):
        other = days.clv_summary(end, until, names=names)
        assert other.column_names[1:5] == columns
        assert [row[1:5] for row in other.rows()] == [row[1:5] for row in one.rows()]


@given(ROWS)
def test_laws_of_a_summary(rows: list[Row]) -> None:
    base = custcore.CustomerBase(track="days", returns="count")
    base.update(purchases(rows))
    for row in base.clv_summary().to_pylist():
        assert row["x"] <= row["t_x"] <= row["T"]
        assert (row["x"] == 0) == (row["t_x"] == 0) == (row["m_x"] is None)


def test_without_amounts() -> None:
    base = custcore.CustomerBase(track="days", amount=None)
    base.update(purchases([("a", date(2024, 1, 1), 1.0), ("a", date(2024, 1, 3), 1.0)]).drop_columns(["amount"]))
    assert base.clv_summary().column_names == ["customer_id", "x", "t_x", "T"]
