"""Evaluation, tracking and simulation of lifetime value equal their definitions on random customers."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import custcore
from tests.property.clv_cases import MODELS, ROWS, histories, parameters, purchases, quietly, table
from tests.reference.clv import Purchases
from tests.reference.clv_checks import measures, probability_measures, top_share, tracking
from tests.reference.clv_summary import last_day, purchase_days
from tests.reference.money import FLOAT

FEWER = settings(max_examples=max(10, settings.default.max_examples // 4) if settings.default else 30)
PARTS = ("actual", "expected", "mae", "rmse", "bias")


def of(case: tuple[str, dict[str, float]], n_threads: int | None = None) -> Any:
    return MODELS[case[0]].of_parameters(case[1], unit="day", n_threads=n_threads)


@given(parameters(wild=False), st.data(), st.integers(1, 200), st.randoms(use_true_random=False))
def test_evaluations_equal_their_definitions(
    case: tuple[str, dict[str, float]], data: st.DataObject, days: int, chance: random.Random
) -> None:
    rows = data.draw(histories(on_days=True, most=20))
    n = len(rows)
    after = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    before = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    summary = table(rows)
    for name, values in (("x_holdout", after), ("holdout_days", np.full(n, days)), ("x_before", before)):
        summary = summary.append_column(name, pa.array(values, pa.int32()))
    order = list(range(n))
    chance.shuffle(order)
    model = of(case)
    with quietly():
        checked = model.evaluate(summary)
        assert model.evaluate(summary.take(order)).summary().to_pylist() == checked.summary().to_pylist()
        predicted = model.predict(summary, days).to_pyarrow()
    found = {row["model"]: row for row in checked.summary().to_pylist()}
    x, age = (summary[name].to_numpy().astype(float) for name in ("x", "T"))
    own_rate = np.divide(x * days, age, out=np.zeros(n), where=age > 0)
    expected = predicted["expected_purchases"].to_numpy()
    forecasts = {case[0]: expected, "zero": np.zeros(n), "own_rate": own_rate, "same_as_before": before.astype(float)}
    assert list(found) == list(forecasts)
    for name, forecast in forecasts.items():
        wanted = measures(forecast, after.astype(float))
        for part in PARTS:
            assert found[name][part] == pytest.approx(wanted[part], rel=1e-9, abs=1e-12), (name, part)
        if after.sum():
            assert found[name]["total_error"] == pytest.approx(wanted["total_error"], rel=1e-9, abs=1e-9)
            share = top_share(forecast, after, -(-n // 10))
            assert found[name]["top_decile_share"] == pytest.approx(share, abs=1e-12)
        else:
            assert found[name]["total_error"] is None
        rank = wanted.get("rank_correlation")
        assert found[name]["rank_correlation"] == (None if rank is None else pytest.approx(rank, abs=1e-9))
    happened = after > 0
    probabilities = predicted["p_purchase"].to_numpy()
    wanted = probability_measures(probabilities, happened)
    assert found[case[0]]["brier"] == pytest.approx(wanted["brier"], abs=1e-12)
    if probabilities.max() < 1 - 1e-12:
        assert found[case[0]]["log_loss"] == pytest.approx(wanted["log_loss"], rel=1e-9)
    both = happened.any() and not happened.all()
    assert found[case[0]]["auc"] == (pytest.approx(wanted["auc"], abs=1e-12) if both else None)
    for row in checked.by_x().to_pylist():
        mine = x >= 7 if row["x"] == "7+" else x == int(row["x"])
        assert row["customers"] == mine.sum()
        if mine.any():
            assert row["actual_mean"] == pytest.approx(after[mine].mean(), rel=1e-12)
            assert row["expected_mean"] == pytest.approx(expected[mine].mean(), rel=1e-9)


@FEWER
@given(ROWS, parameters(wild=False), st.sampled_from([1, 3, 7]), st.integers(1, 40))
def test_tracking_equals_its_definition(
    rows: list[Any], case: tuple[str, dict[str, float]], period: int, back: int
) -> None:
    last = last_day(rows)
    assert last
    days = purchase_days(rows, last, returns="net", zero_is_purchase=True, money=FLOAT)
    end = last - timedelta(days=back)
    calibrated = {who: sorted(own) for who, own in days.items() if min(own) <= end}
    assume(calibrated)
    base = custcore.CustomerBase(track="days")
    base.update(purchases(rows))
    tracked = of(case).tracking(base, timedelta(days=period), calibration_end=end, holdout_end=last).to_pylist()
    first = min(min(own) for own in calibrated.values())
    repeats = [day for own in calibrated.values() for day in own[1:]]
    n = (last - first).days + 1
    ends = [min(at + period, n) - 1 for at in range(0, n, period)]
    assert [(row["period_end"] - first).days for row in tracked] == [
        end if (end + 1) % period == 0 else tracked[-1]["period_end"].toordinal() - first.toordinal() for end in ends
    ]
    starts = [(min(own) - first).days for own in calibrated.values()]
    cumulative = tracking(Purchases.of(*case), starts, ends)
    for number, (row, at) in enumerate(zip(tracked, ends, strict=True)):
        assert row["period_start"] == first + timedelta(days=period * number)
        assert row["is_complete"] == ((at + 1) % period == 0)
        assert row["actual_cumulative"] == sum((day - first).days <= at for day in repeats)
        assert row["expected_cumulative"] == pytest.approx(cumulative[number], rel=1e-9, abs=1e-12)
        previous = cumulative[number - 1] if number else 0.0
        assert row["expected"] == pytest.approx(cumulative[number] - previous, rel=1e-7, abs=1e-9)
        assert row["expected_low"] <= row["expected"] <= row["expected_high"]


@FEWER
@given(parameters(wild=False), st.data(), st.integers(1, 300), st.integers(0, 2**32))
def test_simulations_have_the_mean_and_the_error_of_the_total(
    case: tuple[str, dict[str, float]], data: st.DataObject, horizon: int, seed: int
) -> None:
    summary = table(data.draw(histories(on_days=True)))
    model = of(case)
    with quietly():
        n = 1_500
        drawn = model.simulate(summary, horizon, seed=seed, n=n).to_pyarrow()
        again = of(case, n_threads=3)
        assert (
            again.simulate(summary.take(list(range(summary.num_rows))[::-1]), horizon, seed=seed, n=n)
            .to_pyarrow()
            .equals(drawn)
        )
        (total,) = model.total(summary, horizon).to_pylist()
    assert drawn["simulation"].to_pylist() == list(range(1, n + 1))
    counts = drawn["purchases"].to_numpy()
    assert counts.min() >= 0
    error = total["standard_error"]
    assert counts.mean() == pytest.approx(total["expected_purchases"], abs=6 * error / np.sqrt(n) + 1e-9)
    # A variance has an error of its own, larger where a total of a few is mostly 0.
    fourth = ((counts - counts.mean()) ** 4).mean()
    slack = 7 * np.sqrt(max(fourth - counts.var() ** 2, 0) / n) + 3 * error**2 / np.sqrt(n) + 0.01
    assert counts.var() == pytest.approx(error**2, abs=slack)
