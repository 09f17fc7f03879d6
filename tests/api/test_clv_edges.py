"""What lifetime value answers at the edges: one test for each row of the table of edges in the definitions."""

from __future__ import annotations

import math
import warnings
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    NotEnoughDataError,
    SmallSampleWarning,
    SpendFrequencyWarning,
    SummaryError,
)
from tests.clv_simulation import TRUE, histories, spenders
from tests.reference.clv import Purchases

MODELS: dict[str, Any] = {"NBD": clv.NBD, "BGNBD": clv.BGNBD, "MBGNBD": clv.MBGNBD, "ParetoNBD": clv.ParetoNBD}
VALUES = ("p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases")
START = date(2024, 1, 1)
every = pytest.mark.parametrize("name", MODELS)


def given(name: str) -> Any:
    return MODELS[name].of_parameters(TRUE[name])


def days(rows: list[tuple[int, int, int]], **more: Any) -> pa.Table:
    x, t_x, age = zip(*rows, strict=True)
    return pa.table({"x": x, "t_x": t_x, "T": age} | more)


def base_of(purchases: list[tuple[str, int, float]], **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(track="days", **options)
    columns = {
        "customer_id": [who for who, _, _ in purchases],
        "timestamp": [START + timedelta(days=day) for _, day, _ in purchases],
        "amount": [amount for _, _, amount in purchases],
    }
    base.update(pa.table(columns))
    return base


@every
def test_nobody_bought_again(name: str) -> None:
    with pytest.raises(NotEnoughDataError, match=r"again|repeat"):
        MODELS[name]().fit(days([(0, 0, 30), (0, 0, 9), (0, 0, 100)]))


@every
def test_one_customer(name: str) -> None:
    with pytest.raises(NotEnoughDataError):
        MODELS[name]().fit(days([(3, 20, 30)]))


@every
def test_few_customers_are_warned_of(name: str) -> None:
    rows = histories(name, TRUE[name], 60, 5)
    assert (rows["x"].to_numpy() > 0).sum() < 50
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MODELS[name](on_failure="warn").fit(rows, unit="week")
    assert any(issubclass(warning.category, SmallSampleWarning) for warning in caught)
    assert all(value > 0 for value in model.params_.values())


@every
def test_bought_on_the_last_day(name: str) -> None:
    """T = 0: nothing is known, and the prediction is that of a new customer."""
    model = given(name)
    found = model.predict_one(0, 0, 0, horizon="12w")
    wanted = 1.0
    if name == "MBGNBD":
        wanted = TRUE[name]["b"] / (TRUE[name]["a"] + TRUE[name]["b"])
    assert found.p_alive == pytest.approx(wanted, rel=1e-14)
    new = model.new_customers("12w").to_pylist()[0]
    assert found.expected_purchases == pytest.approx(new["expected_purchases"], rel=1e-14)
    rows = days([(0, 0, 0)])
    # The first purchase under MBG may have been the last; its likelihood is known to be 1 all the same.
    assert model.log_likelihood(rows) == pytest.approx(0.0, abs=1e-12)


def test_bought_today() -> None:
    """t_x = T: alive under Pareto; under BG the last purchase may have been the last."""
    assert given("ParetoNBD").predict_one(3, 50, 50, horizon=30).p_alive == 1.0
    a, b = TRUE["BGNBD"]["a"], TRUE["BGNBD"]["b"]
    found = given("BGNBD").predict_one(3, 50, 50, horizon=30).p_alive
    assert found == pytest.approx(1 / (1 + a / (b + 2)), rel=1e-14)


@every
def test_a_reseller_does_no_harm(name: str) -> None:
    """One customer with half of all repeat purchases fits, and is named in the report."""
    rows = histories(name, TRUE[name], 1_000, 6)
    total = int(rows["x"].to_numpy().sum())
    one = pa.table({"x": pa.array([2 * total], pa.int32()), "t_x": [51.0], "T": [52.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name](on_failure="warn").fit(pa.concat_tables([rows, one]), unit="week")
        found = model.predict(one, 84, unit="week").to_pylist()[0]
    assert all(math.isfinite(value) for value in model.params_.values())
    assert all(math.isfinite(found[column]) for column in VALUES)
    assert any("one customer" in remark for remark in model.fit_.remarks)


@every
def test_all_customers_of_one_day(name: str) -> None:
    """T is equal: it fits."""
    rows = histories(name, TRUE[name], 5_000, 7, weeks=(60, 60))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name]().fit(rows, unit="week")
    assert model.status_ == "converged"
    reference = Purchases.of(name, model.params_).unconditional(60)
    assert model.new_customers("60w").to_pylist()[0]["expected_purchases"] == pytest.approx(reference, rel=1e-9)


@every
def test_lost_beyond_doubt(name: str) -> None:
    """A p_alive below 1e-300 is 0, and so is what is expected; never NaN."""
    found = given(name).predict_one(2_000, 2_000, 1_000_000, horizon=365, level=0.9)
    assert all(math.isfinite(getattr(found, column)) for column in VALUES)
    if name == "NBD":
        assert found.p_alive == 1.0
    else:
        assert (found.p_alive, found.expected_purchases, found.purchases_high) == (0.0, 0.0, 0)


@every
def test_horizons_of_nothing_and_of_the_past(name: str) -> None:
    model = given(name)
    found = model.predict_one(2, 30, 40, horizon=0, level=0.9)
    assert (found.expected_purchases, found.p_purchase, found.discounted_purchases) == (0.0, 0.0, 0.0)
    assert found.p_alive_end == found.p_alive
    assert (found.purchases_low, found.purchases_high) == (0, 0)
    for horizon in (-1, "-1w", [7, -7]):
        with pytest.raises(ValueError, match="horizon"):
            model.predict(days([(2, 30, 40)]), horizon)


def test_a_holdout_beyond_the_data() -> None:
    base = base_of([("a", 0, 1.0), ("a", 9, 1.0), ("b", 3, 1.0)])
    last = START + timedelta(days=9)
    with pytest.raises(InvalidArgumentError, match=r"holdout_end|calibration_end"):
        base.clv_summary(last + timedelta(days=1))
    by_hand = base.clv_summary(START + timedelta(days=5), last + timedelta(days=5))
    assert [row["holdout_days"] for row in by_hand.to_pylist()] == [9, 9]
    assert any("after" in remark or "beyond" in remark for remark in by_hand.report.remarks)


def test_without_amounts_no_spend() -> None:
    rows = histories("MBGNBD", TRUE["MBGNBD"], 200, 8)
    money = clv.GammaGamma.of_parameters(TRUE["GammaGamma"])
    with pytest.raises(InvalidArgumentError, match="m_x"):
        given("MBGNBD").predict(rows, 30, spend=money, unit="week")
    with pytest.raises(InvalidArgumentError, match="m_x"):
        clv.GammaGamma().fit(days([(2, 3, 4), (1, 2, 9)]))
    base = base_of([("a", 0, 1.0)], amount=None)
    assert "m_x" not in base.clv_summary().column_names


def test_spend_of_nothing_and_an_infinite_mean() -> None:
    """Means of 0 or less are left out of the fit, counted, and predicted as x = 0; q <= 1 has no mean."""
    money = clv.GammaGamma.of_parameters({"p": 2.0, "q": 0.9, "gamma": 10.0})
    assert money.predict_one(0) is None
    assert money.predict_one(1, 20.0) == pytest.approx(2 * (10 + 20) / (2 + 0.9 - 1), rel=1e-14)
    finite = clv.GammaGamma.of_parameters({"p": 2.0, "q": 3.0, "gamma": 10.0})
    assert finite.predict_one(3, -5.0) == finite.predict_one(0) == pytest.approx(10.0, rel=1e-14)
    rows = spenders(TRUE["GammaGamma"], 800, 9)
    rows = rows.set_column(1, "t_x", pa.array(np.ceil(7 * rows["t_x"].to_numpy()).astype(np.int32)))
    rows = rows.set_column(2, "T", pa.array(np.ceil(7 * rows["T"].to_numpy()).astype(np.int32)))
    worthless = pa.table({"x": [2, 3], "t_x": [5, 50], "T": [60, 60], "m_x": [0.0, -4.0]}).cast(rows.schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted, all_rows = clv.GammaGamma().fit(rows), pa.concat_tables([rows, worthless])
        again = clv.GammaGamma().fit(all_rows)
    assert again.params_ == fitted.params_
    assert (again.fit_.customers_left_out, again.fit_.money_left_out) == (2, -12.0)


def test_spend_that_depends_on_frequency_is_warned_of() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(1, 20, 1_000)
    rows = pa.table({"x": x, "t_x": x, "T": np.full(1_000, 60), "m_x": x * rng.uniform(0.8, 1.2, 1_000)})
    with pytest.warns(SpendFrequencyWarning, match="own_mean"):
        fitted = clv.GammaGamma().fit(rows)
    assert fitted.fit_.spearman > 0.9
    by_x = fitted.fit_.mean_by_x.to_pylist()
    assert [row["x"] for row in by_x] == ["1", "2", "3", "4-6", "7-12", "13+"]
    assert sum(row["customers"] for row in by_x) == 1_000
    means = [row["mean_spend"] for row in by_x]
    assert means == sorted(means)


def test_impossible_rows_are_refused() -> None:
    model = given("MBGNBD")
    for row, name in (((2, 50, 40), "t_x"), ((0, 3, 40), "t_x"), ((2, 0, 40), "t_x")):
        with pytest.raises(SummaryError, match=name):
            model.predict(days([(0, 0, 1), row]), 30)
        with pytest.raises(SummaryError):
            model.predict_one(*row, horizon=30)
    for values in ([0, None], [0, -1], [0, 1.5], [0, math.nan], [0, math.inf]):
        rows = pa.table({"x": pa.array(values, from_pandas=False), "t_x": [0, 3], "T": [9, 9]})
        with pytest.raises((SummaryError, custcore.errors.CustcoreError), match="x"):
            model.predict(rows, 30)


def test_more_purchases_than_days_come_from_elsewhere() -> None:
    """From a base it is impossible; a table with it was not collapsed to days, which is said, not refused."""
    rows = days([(5, 2, 9), (0, 0, 9), *[(1 + i % 3, 5 + i, 90) for i in range(60)]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clv.MBGNBD(on_failure="warn").fit(rows)
    assert any("day" in str(warning.message) for warning in caught if warning.category is UserWarning)


@every
def test_a_later_day_of_prediction_is_time_without_purchases(name: str) -> None:
    """as_of= shifts T; x and t_x stay."""
    base = base_of([("a", 0, 5.0), ("a", 20, 5.0), ("b", 8, 1.0)])
    model, summary = given(name), base.clv_summary()
    found = model.predict(summary, 30, as_of=START + timedelta(days=50)).to_pylist()
    for row, (x, t_x, age) in zip(found, ((1, 20, 50), (0, 0, 42)), strict=True):
        one = model.predict_one(x, t_x, age, horizon=30)
        assert [row[column] for column in VALUES] == [getattr(one, column) for column in VALUES]
    with pytest.raises(ValueError, match="as_of"):
        model.predict(summary, 30, as_of=START + timedelta(days=10))
