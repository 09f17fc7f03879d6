"""Value classes, curves and demand classes equal the slow reference, whatever the batches and threads, and on disk."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import AMOUNTS, IDS, UUIDS, Row, table
from tests.reference import FLOAT
from tests.reference.periods import Calendar
from tests.reference.rfm import rfm_reference
from tests.reference.value_classes import abc_reference, gini_reference, pareto_reference, xyz_reference

GROUPS = {"a": "x", "b": "y", "c": "x", "d": None, "dd": "y", "": None, "ä": "z"} | dict.fromkeys(UUIDS, "y")
# Few values, so that many are equal; and days over some months.
MONEY = st.one_of(st.sampled_from([5.0, 5.0, 10.0, 80.0, -5.0, 0.0]), AMOUNTS)
DAYS = st.integers(0, 150).map(lambda n: date(2023, 12, 20) + timedelta(days=n))
ROWS = st.lists(st.tuples(IDS, DAYS, MONEY), max_size=40)
CLASSES = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["value", "customers"]),
        "rule": st.sampled_from(["before", "upto"]),
        "ties": st.sampled_from(["split", "same"]),
    },
    optional={"thresholds": st.sampled_from([(0.5,), (0.2, 0.5, 0.8), (0.8, 0.9)])},
)
PLACES = st.sampled_from(["one update", "updates", "merged", "on disk"])
TRACKS = st.sampled_from(["totals", "days"])


def grouped(rows: list[Row]) -> pa.Table:
    groups = pa.array([GROUPS.get(row[0]) for row in rows], pa.string())
    return table(rows).append_column("country", groups)


def base_of(rows: list[Row], place: str, track: str, size: int, **options: Any) -> custcore.CustomerBase:
    """A base of these rows, built in one of several ways."""

    def empty() -> custcore.CustomerBase:
        base = custcore.CustomerBase(track=track, attributes={"country": "first"}, **options)
        base.update(grouped([]))
        return base

    base = empty()
    if place == "on disk":
        base = custcore.CustomerBase(track=track, attributes={"country": "first"}, max_memory=1 << 20, **options)
        for at in range(0, max(len(rows), 1), size):
            base.update(grouped(rows[at : at + size]))
            base._core.spill()
    elif place == "one update":
        base.update(grouped(rows))
    else:
        for at in range(0, len(rows), size):
            piece = empty()
            piece.update(grouped(rows[at : at + size]))
            if place == "merged":
                base.merge(piece)
            else:
                base.update(grouped(rows[at : at + size]))
    return base


def buyers(rows: list[Row], **options: Any) -> list[dict[str, Any]]:
    return list(rfm_reference(rows, money=FLOAT, **options).rows)


def customers(rows: list[Row], **options: Any) -> list[tuple[Any, int, Any]]:
    """Id, units of money and group of each buyer."""
    return [
        (row["customer_id"], FLOAT.units(row["monetary_total"]), GROUPS[row["customer_id"]])
        for row in buyers(rows, **options)
    ]


def as_rows(found: list[tuple[Any, ...]], *, is_grouped: bool) -> list[dict[str, Any]]:
    names = ("customer_id", "country", "monetary_total", "rank", "cumulative_share", "value_class")
    rows = [dict(zip(names, (c, g, FLOAT.total(units), *rest), strict=True)) for c, g, units, *rest in found]
    return rows if is_grouped else [{name: row[name] for name in names if name != "country"} for row in rows]


@given(ROWS, CLASSES, PLACES, TRACKS, st.booleans(), st.integers(1, 40), st.sampled_from(["net", "exclude", "count"]))
def test_classes_equal_the_reference(
    rows: list[Row], options: dict[str, Any], place: str, track: str, is_grouped: bool, size: int, returns: str
) -> None:
    group = "country" if is_grouped else None
    own = [(c, units, g if is_grouped else None) for c, units, g in customers(rows, returns=returns)]
    expected = as_rows(abc_reference(own, **options), is_grouped=is_grouped)
    base = base_of(rows, place, track, size, returns=returns)
    found = base.abc(group=group, n_threads=1 + size % 3, **options)
    assert found.to_pyarrow().to_pylist() == expected
    at_once = custcore.abc(grouped(rows[::-1]), group=group, returns=returns, **options)
    assert at_once.to_pyarrow().to_pylist() == expected
    for table_ in (found, at_once):
        for name, chosen in (
            ("negative_totals", [u for _, u, _ in own if u < 0]),
            ("buyers_without_money", [u for _, u, _ in own if u == 0]),
        ):
            assert (table_.report[name].count, table_.report[name].sum) == (len(chosen), FLOAT.total(sum(chosen)))


@given(ROWS, PLACES, TRACKS, st.integers(1, 40), st.integers(1, 12))
def test_curve_and_concentration_equal_the_reference(
    rows: list[Row], place: str, track: str, size: int, points: int
) -> None:
    units = [own[1] for own in customers(rows)]
    base = base_of(rows, place, track, size)
    names = ("rank", "customers_share", "value_share", "value")
    curve = [dict(zip(names, (*own, FLOAT.total(v)), strict=True)) for *own, v in pareto_reference(units, points)]
    assert base.pareto(points).to_pyarrow().to_pylist() == curve
    whole = pareto_reference(units, 1_000_000)
    found = base.concentration([0.5, 0.01, 1.0]).to_pyarrow().to_pylist()
    for row, q in zip(found, (0.5, 0.01, 1.0), strict=True):
        n = next((k for k in range(len(units) + 1) if units and k / len(units) >= q), 0)
        assert row == {
            "top": q,
            "customers": n,
            "customers_share": whole[n][1],
            "value_share": whole[n][2],
            "value": FLOAT.total(whole[n][3]),
            "gini": gini_reference(units) if gini_reference(units) is None else pytest.approx(gini_reference(units)),
        }


@given(
    ROWS,
    PLACES,
    st.integers(1, 40),
    st.sampled_from([("month", 1), ("week", 1), ("days", 10), ("quarter", 1)]),
    st.integers(1, 4),
    st.integers(-20, 20),
)
def test_demand_equals_the_reference(
    rows: list[Row], place: str, size: int, period: tuple[str, int], min_periods: int, later: int
) -> None:
    rows = [("e", date(2024, 1, 5), 1.0), *rows]
    GROUPS["e"] = None
    last = max(row[1] for row in rows if row[0] is not None) + timedelta(days=later)
    calendar = Calendar(week_start="sunday", fiscal_year_start=3)
    daily: dict[Any, list[tuple[date, int]]] = defaultdict(list)
    for customer, day, amount in rows:
        if day <= last:
            daily[customer].append((day, FLOAT.units(amount) if amount is not None and not math.isnan(amount) else 0))
    expected = []
    for row in buyers(rows, as_of=last):
        days = daily[row["customer_id"]]
        demand = xyz_reference(days, row["first_date"], last, period=period, min_periods=min_periods, calendar=calendar)
        expected.append((row["customer_id"], *demand))
    base = base_of(rows, place, "days", size)
    options: dict[str, Any] = {
        "period": "10d" if period[0] == "days" else period[0],
        "min_periods": min_periods,
        "week_start": "sunday",
        "fiscal_year_start": 3,
        "as_of": last,
    }
    found = base.xyz(**options).to_pyarrow().to_pylist()
    assert [tuple(row[name] for name in ("customer_id", "n_periods", "demand_class")) for row in found] == [
        (customer, n, kind) for customer, n, _, _, kind in expected
    ]
    for row, (_, _, mean, cv, _) in zip(found, expected, strict=True):
        assert row["period_mean"] == (None if mean is None else pytest.approx(float(mean) / 10**6, rel=1e-12))
        assert row["cv"] == (None if cv is None else pytest.approx(cv, rel=1e-9, abs=1e-12))
    classes = {row["customer_id"]: row["value_class"] for row in base.abc(as_of=last).to_pyarrow().to_pylist()}
    cells = base.abc_xyz(**options)
    counts: dict[tuple[str, str], int] = {(a, b): 0 for a in "ABC" for b in "XYZ"}
    without = 0
    for customer, _, _, _, kind in expected:
        if kind is None:
            without += 1
        else:
            counts[classes[customer], kind] += 1
    assert {
        (row["value_class"], row["demand_class"]): row["customers"] for row in cells.to_pyarrow().to_pylist()
    } == counts
    assert cells.report["no_demand_class"].count == without
