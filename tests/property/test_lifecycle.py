"""Windows, stages, counts and flows equal the slow reference, whatever the rows, dates and cuts into updates."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore.errors import NotEnoughDataError
from tests.property.strategies import AMOUNTS, DAYS, IDS, Row, table
from tests.reference import FLOAT
from tests.reference.lifecycle import (
    STAGES,
    curve_reference,
    customers_reference,
    gaps_reference,
    ratios_reference,
    standing_reference,
    window_reference,
)

START = date(2023, 12, 20)
ROWS = st.lists(st.tuples(IDS, DAYS, AMOUNTS), max_size=40)
RETURNS = st.sampled_from(["net", "exclude", "count"])
DATES = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(
    lambda days: [START + timedelta(days=n) for n in sorted(days)]
)
WINDOWS = st.tuples(st.integers(1, 8), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair)))
THREADS = st.sampled_from([1, 3])
QUANTILES = st.sampled_from([(0.5, 0.75), (0.8, 0.95), (0.1, 0.9)])


def base_of(rows: list[Row], size: int, returns: str = "net", **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(track="days", returns=returns, **options)
    base.update(table([]))
    for at in range(0, len(rows), size):
        base.update(table(rows[at : at + size]))
    return base


def on_disk(rows: list[Row], returns: str, count: int) -> custcore.CustomerBase:
    """A base with runs on disk, some of which have the same customers."""
    base = base_of([], 1, returns, max_memory="64MiB")
    for part in range(count):
        base.update(table(rows[part::count]))
        base._core.spill()
    return base


def exact(share: float) -> Fraction:
    return Fraction(str(share))


@given(ROWS, RETURNS, st.integers(1, 60), QUANTILES, st.sampled_from(["returning", "all"]), st.integers(1, 4), THREADS)
def test_curves_and_windows(
    rows: list[Row],
    returns: str,
    size: int,
    quantiles: tuple[float, float],
    among: Any,
    min_at_risk: int,
    n_threads: int,
) -> None:
    as_of = START + timedelta(days=50)
    base = base_of(rows, size, returns)
    gaps = gaps_reference(customers_reference(rows, as_of, FLOAT, returns=returns), as_of)
    given_windows = custcore.LifecycleModel(1, 2, min_at_risk=min_at_risk).fit(base, as_of, n_threads=n_threads)
    curve = curve_reference(gaps)
    found = given_windows.curve_.to_pyarrow()
    for column, key in (("gap_days", "gap"), ("at_risk",) * 2, ("returned",) * 2, ("censored",) * 2):
        assert found[column].to_pylist() == [row[key] for row in curve]
    assert found["survival"].to_pylist() == pytest.approx([float(row["survival"]) for row in curve], abs=1e-12)
    assert (given_windows.active_days_, given_windows.loss_days_) == (1, 2)
    expected = [window_reference(gaps, exact(share), among, min_at_risk) for share in quantiles]
    model = custcore.LifecycleModel(quantiles=quantiles, among=among, min_at_risk=min_at_risk)
    if None in expected or expected[0] == expected[1]:
        with pytest.raises(NotEnoughDataError):
            model.fit(base, as_of, n_threads=n_threads)
    else:
        model.fit(base, as_of, n_threads=n_threads)
        assert [model.active_days_, model.loss_days_] == expected
        assert custcore.LifecycleModel.from_bytes(model.to_bytes()).curve_.to_pyarrow() == model.curve_.to_pyarrow()


@given(ROWS, RETURNS, st.integers(1, 60), DATES, WINDOWS, st.integers(2, 4), THREADS)
def test_stages(
    rows: list[Row],
    returns: str,
    size: int,
    dates: list[date],
    windows: tuple[int, int],
    loyal_orders: int,
    n_threads: int,
) -> None:
    as_of, asked = dates[0], ["a", "zz", "e", "e"]
    base = base_of(rows, size, returns)
    model = custcore.LifecycleModel(*windows, loyal_orders=loyal_orders)
    buyers = customers_reference(rows, as_of, FLOAT, returns=returns)
    days = (Fraction(windows[0]), Fraction(windows[1]))
    nobody = {"stage": "prospect", "gap_days": None, "n_orders": 0, "since": None}
    expected = [
        {"customer_id": i, **(standing_reference(buyers[i], as_of, days, loyal_orders) if i in buyers else nobody)}
        for i in sorted(set(buyers) | set(asked), key=str.encode)
    ]
    for row in expected:
        row.pop("typical", None)
        row.pop("overdue", None)
    for own in (base, on_disk(rows, returns, 3)):
        found = own.lifecycle(as_of, model, asked, n_threads=n_threads)
        assert found.to_pyarrow().to_pylist() == expected
        alone = own.lifecycle(as_of, model, n_threads=n_threads)
        assert alone.to_pyarrow().to_pylist() == [row for row in expected if row["stage"] != "prospect"]


@given(ROWS, RETURNS, st.integers(1, 60), DATES, WINDOWS, THREADS)
def test_counts_and_flows(
    rows: list[Row], returns: str, size: int, dates: list[date], windows: tuple[int, int], n_threads: int
) -> None:
    base = base_of(rows, size, returns)
    model = custcore.LifecycleModel(*windows)
    days = (Fraction(windows[0]), Fraction(windows[1]))
    looks = []
    for day in dates:
        buyers = customers_reference(rows, day, FLOAT, returns=returns)
        looks.append({i: (standing_reference(c, day, days)["stage"], c.units) for i, c in buyers.items()})
    asked = ["a", "zz"]
    expected = []
    for day, now in zip(dates, looks, strict=True):
        here = {stage: [units for other, units in now.values() if other == stage] for stage in STAGES}
        here["prospect"] = [0 for i in asked if i not in now]
        number = sum(map(len, here.values()))
        for stage, units in here.items():
            share = len(units) / number if number else None
            revenue = FLOAT.total(sum(units))
            row = {"as_of": day, "stage": stage, "customers": len(units), "share": share, "revenue": revenue}
            expected.append(row)
    moves = []
    for (before, was), (after, now) in pairwise(zip(dates, looks, strict=True)):
        pairs = Counter((was.get(i, (None,))[0], stage) for i, (stage, _) in now.items())
        froms = Counter(was.get(i, (None,))[0] for i in now)
        for source in (None, *STAGES):
            for target in STAGES:
                if pairs[source, target]:
                    units = sum(u for i, (to, u) in now.items() if (was.get(i, (None,))[0], to) == (source, target))
                    row = {"from_date": before, "to_date": after, "from_stage": source, "to_stage": target}
                    share = pairs[source, target] / froms[source]
                    moves.append(
                        row | {"customers": pairs[source, target], "revenue": FLOAT.total(units), "share": share}
                    )
    for own in (base, on_disk(rows, returns, 2)):
        counts = own.lifecycle_counts(dates, model, prospects=asked, n_threads=n_threads)
        assert counts.to_pyarrow().to_pylist() == expected
        flows = own.lifecycle_flows(dates, model, n_threads=n_threads)
        assert flows.to_pyarrow().to_pylist() == moves


@given(ROWS, st.integers(1, 60), DATES, st.integers(0, 4), QUANTILES, THREADS)
def test_own_rhythm(
    rows: list[Row],
    size: int,
    dates: list[date],
    prior_gaps: int,
    quantiles: tuple[float, float],
    n_threads: int,
) -> None:
    # Enough gaps to fit on.
    rows = [*(("e", START + timedelta(days=n), 1.0) for n in (0, 2, 9, 10)), *rows]
    as_of = START + timedelta(days=50)
    base = base_of(rows, size)
    buyers = customers_reference(rows, as_of, FLOAT)
    prior_days = window_reference(gaps_reference(buyers, as_of), Fraction(1, 2), "returning", 1)
    assert prior_days is not None
    ratios = ratios_reference(buyers, as_of, prior_days, prior_gaps)
    model = custcore.LifecycleModel(rhythm="own", prior_gaps=prior_gaps, quantiles=quantiles, min_at_risk=1)
    expected = [window_reference(ratios, exact(share), "returning", 1) for share in quantiles]
    if expected[0] == expected[1]:
        with pytest.raises(NotEnoughDataError):
            model.fit(base, as_of, n_threads=n_threads)
        return
    disk = on_disk(rows, "net", 2)
    assert model.fit(base, as_of, n_threads=n_threads) == custcore.LifecycleModel.from_bytes(model.to_bytes())
    assert [model.active_multiple_, model.loss_multiple_] == pytest.approx([float(share or 0) for share in expected])
    assert (model.typical_gap_days_, model.active_days_) == (prior_days, None)
    again = custcore.LifecycleModel(rhythm="own", prior_gaps=prior_gaps, quantiles=quantiles, min_at_risk=1)
    assert again.fit(disk, as_of) == model
    windows = (expected[0] or Fraction(), expected[1] or Fraction())
    for day in dates:
        found = base.lifecycle(day, model, n_threads=n_threads).to_pyarrow()
        assert disk.lifecycle(day, model).to_pyarrow().to_pylist() == found.to_pylist()
        now = customers_reference(rows, day, FLOAT)
        standings = [
            standing_reference(now[i], day, windows, prior=(prior_days, prior_gaps))
            for i in sorted(now, key=str.encode)
        ]
        for column, key in (("stage",) * 2, ("since",) * 2, ("typical_gap_days", "typical"), ("overdue",) * 2):
            of_key = [float(s[key]) if isinstance(s[key], Fraction) else s[key] for s in standings]
            assert found[column].to_pylist() == (pytest.approx(of_key) if key in {"typical", "overdue"} else of_key)
    counts = base.lifecycle_counts(dates, model).to_pyarrow().to_pylist()
    for day in dates:
        stages = Counter(base.lifecycle(day, model).to_pyarrow()["stage"].to_pylist())
        assert {row["stage"]: row["customers"] for row in counts if row["as_of"] == day} == {
            stage: stages[stage] for stage in STAGES
        }


@given(
    st.lists(st.tuples(IDS, DAYS, AMOUNTS, st.integers(0, 3) | st.none()), max_size=60),
    DATES,
    WINDOWS,
    st.sampled_from(["net", "exclude"]),
    st.integers(1, 60),
    THREADS,
)
def test_laws_with_orders_over_several_days(
    lines: list[tuple[Any, ...]],
    dates: list[date],
    windows: tuple[int, int],
    returns: str,
    size: int,
    n_threads: int,
) -> None:
    """Counts of a date are the buyers by then, flows add up to counts, whether orders wait for lines or not."""
    base = custcore.CustomerBase(track="orders", order_id="order_id", returns=returns)
    orders = pa.array([line[3] for line in lines], pa.int64())
    data = table([line[:3] for line in lines]).append_column("order_id", orders)
    base.update(data.slice(0, 0))
    for at in range(0, len(lines), size):
        base.update(data.slice(at, size))
    model = custcore.LifecycleModel(*windows)
    for sealed in (False, True):
        if sealed:
            base.seal(date(2024, 6, 1))
        counts = base.lifecycle_counts(dates, model, n_threads=n_threads).to_pyarrow().to_pylist()
        flows = base.lifecycle_flows(dates, model, n_threads=n_threads).to_pyarrow().to_pylist()
        for day in dates:
            own = {row["stage"]: (row["customers"], row["revenue"]) for row in counts if row["as_of"] == day}
            bought = base.rfm(day).to_pyarrow()
            assert sum(customers for customers, _ in own.values()) == bought.num_rows
            # Sums beyond 2**53 units are rounded where they become floats.
            spent = sum(revenue for _, revenue in own.values())
            assert spent == pytest.approx(sum(bought["monetary_total"].to_pylist()), rel=1e-12, abs=1e-6)
            if day == dates[0]:
                continue
            into: Counter[str] = Counter()
            for row in flows:
                if row["to_date"] == day:
                    into[row["to_stage"]] += row["customers"]
            assert {stage: into[stage] for stage in STAGES} == {stage: n for stage, (n, _) in own.items()}
