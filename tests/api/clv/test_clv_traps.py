"""Five traps of lifetime value, each of which gave somebody wrong numbers without a sound.

Units and yearly rates; ridges and edges of the likelihood; published formulas that divide zero by zero; what looks
good by the mean absolute error, and P(alive) of one-time buyers; tables put together by position.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import custcore
from custcore import clv
from custcore.errors import BoundaryWarning
from tests.clv_simulation import TRUE, histories
from tests.golden.test_churn import purchases
from tests.reference.clv import Purchases
from tests.reference_data import SHIPPED

# CDNOW (Fader, Hardie & Lee 2005), in weeks.
BG = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
PARETO = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
MODELS: dict[str, Any] = {"NBD": clv.NBD, "BGNBD": clv.BGNBD, "MBGNBD": clv.MBGNBD, "ParetoNBD": clv.ParetoNBD}
VALUES = ("p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases")


def in_days(rows: pa.Table) -> pa.Table:
    """Simulated weeks as whole days."""
    found = {name: rows[name].to_numpy() for name in ("x", "t_x", "T")}
    t_x = np.ceil(7 * found["t_x"]).astype(np.int32)
    age = np.maximum(np.ceil(7 * found["T"]).astype(np.int32), t_x)
    x = np.minimum(found["x"], t_x)
    return pa.table({"customer_id": np.arange(len(x)), "x": x, "t_x": t_x, "T": age})


# Units and yearly rates.


@pytest.mark.parametrize("name", MODELS)
def test_a_unit_names_parameters_and_changes_nothing_else(name: str) -> None:
    rows = in_days(histories(name, TRUE[name], 3_000, 1))
    lengths = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
    fits = {unit: MODELS[name](unit=unit).fit(rows) for unit in lengths}
    days = fits["day"]
    predicted = days.predict(rows, 91).to_pyarrow()
    purchases = pc.sum(rows["x"]).as_py()
    for unit, length in lengths.items():
        found = fits[unit]
        for parameter, value in days.params_.items():
            factor = length if parameter in ("alpha", "beta") else 1
            assert found.params_[parameter] * factor == pytest.approx(value, rel=1e-14)
            error = found.standard_errors_[parameter] * factor
            assert error == pytest.approx(days.standard_errors_[parameter], rel=1e-14)
        wanted = days.log_likelihood_ + math.log(length) * purchases
        assert found.log_likelihood_ == pytest.approx(wanted, rel=1e-14)
        assert found.covariance_ == days.covariance_
        assert found.predict(rows, 91).to_pyarrow().equals(predicted)
        again = MODELS[name].of_parameters(found.params_, unit=unit).predict(rows, 91).to_pyarrow()
        for column in VALUES:
            assert np.allclose(again[column].to_numpy(), predicted[column].to_numpy(), rtol=1e-11, atol=0)


def test_a_summary_in_weeks_is_one_in_days() -> None:
    rows = in_days(histories("BGNBD", TRUE["BGNBD"], 500, 2))
    weeks = rows
    for name in ("t_x", "T"):
        weeks = weeks.set_column(weeks.column_names.index(name), name, pa.array(rows[name].to_numpy() / 7))
    model = clv.BGNBD.of_parameters(BG)
    days, found = model.predict(rows, "13w").to_pyarrow(), model.predict(weeks, "13w", unit="week").to_pyarrow()
    for column in VALUES:
        assert np.allclose(found[column].to_numpy(), days[column].to_numpy(), rtol=1e-11, atol=0)
    # Without the unit fractions of days would be taken for days: refused, not guessed.
    with pytest.raises(ValueError, match="unit"):
        model.predict(weeks, "13w")


def test_a_rate_is_per_year_whatever_the_unit() -> None:
    """CLVTools takes its rate per unit of the data: 10 % a week by default, which makes 0.425 purchases of 8.159."""
    for unit, length in (("week", 1.0), ("day", 7.0)):
        params = {"r": 0.553, "alpha": 10.578 * length, "s": 0.606, "beta": 11.669 * length}
        model = clv.ParetoNBD.of_parameters(params, unit=unit)
        year = model.predict_one(2, 213, 272, horizon=None, annual_rate=0.10).discounted_purchases
        week = model.predict_one(2, 213, 272, horizon=None, annual_rate=1.1 ** (365.25 / 7) - 1).discounted_purchases
        assert year == pytest.approx(8.16, abs=0.02)
        assert week == pytest.approx(0.425, abs=0.001)


def test_horizons_are_days_however_they_are_written() -> None:
    import datetime

    model = clv.MBGNBD.of_parameters(BG)
    texts = {"12w": 84, "6mo": 6 * 30.4375, "1y": 365.25, "90d": 90, datetime.timedelta(weeks=2): 14, 30: 30}
    for text, days in texts.items():
        assert model.predict_one(2, 213, 272, horizon=text) == model.predict_one(2, 213, 272, horizon=days)


def test_months_discount_less_than_the_moment() -> None:
    """Money at the end of each month is worth less than at once, by half a month's interest at the most."""
    model = clv.ParetoNBD.of_parameters(PARETO)
    at_once = model.predict_one(2, 213, 272, horizon="1y").discounted_purchases
    monthly = model.predict_one(2, 213, 272, horizon="1y", discount="monthly").discounted_purchases
    assert at_once * 1.1 ** (-1 / 12) < monthly < at_once
    plain = model.predict_one(2, 213, 272, horizon="1y", annual_rate=0.0)
    assert plain.discounted_purchases == pytest.approx(plain.expected_purchases, rel=1e-12)
    with pytest.raises(ValueError, match="annual_rate"):
        model.predict_one(2, 213, 272, horizon=None, annual_rate=0.0)


# Ridges and edges of the likelihood.


@pytest.fixture(scope="module")
def online_retail() -> Any:
    """Clean orders, an occasion a day, up to 2011-12-09."""
    return purchases("online_retail", SHIPPED).clv_summary()


# Log-likelihoods of weeks by an independent reference: the maximum of BG/NBD, and that of the NBD, to which
# Pareto/NBD rises.
MAXIMUM, NBD_MAXIMUM = -37645.5376, -37645.6573


def test_online_retail_has_no_dropout_to_see(online_retail: Any) -> None:
    """Pareto/NBD has no maximum; BG/NBD has one, and a ridge on which the usual start ends."""
    nbd = clv.NBD().fit(online_retail)
    assert nbd.log_likelihood_ == pytest.approx(NBD_MAXIMUM, abs=1e-4)
    with pytest.warns(BoundaryWarning):
        pareto = clv.ParetoNBD().fit(online_retail)
    assert (pareto.status_, pareto.limit_) == ("boundary", "no_dropout")
    assert pareto.log_likelihood_ == pytest.approx(NBD_MAXIMUM, abs=1e-3)
    assert [pareto.standard_errors_[name] for name in ("s", "beta")] == [None, None]
    assert pareto.standard_errors_["r"] == pytest.approx(nbd.standard_errors_["r"], rel=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bg = clv.BGNBD().fit(online_retail)
    assert bg.status_ == "converged"
    assert bg.log_likelihood_ == pytest.approx(MAXIMUM, abs=1e-4)
    assert bg.params_["a"] == pytest.approx(0.0034, abs=0.0002)
    assert bg.params_["b"] == pytest.approx(6.745, abs=0.05)


def test_a_search_that_ends_on_a_ridge_loses(online_retail: Any) -> None:
    """MBG/NBD has a maximum and a ridge a, b -> infinity, where a start or two end; the best of all starts wins."""
    model = clv.MBGNBD(starts="all").fit(online_retail)
    starts = model.fit_.starts.to_pylist()
    assert len(starts) == 3
    on_ridge = [row for row in starts if row["status"] == "boundary"]
    assert on_ridge
    assert all(row["limit"] == "no_dropout" and row["a"] > 1e6 for row in on_ridge)
    assert all(row["log_likelihood"] == pytest.approx(NBD_MAXIMUM, abs=1e-3) for row in on_ridge)
    assert model.status_ == "converged"
    assert model.log_likelihood_ == max(row["log_likelihood"] for row in starts)
    assert model.log_likelihood_ > NBD_MAXIMUM + 0.01
    with pytest.warns(BoundaryWarning):
        alone = clv.MBGNBD(start={"r": 1.0, "alpha": 10.0, "a": 100.0, "b": 2e5}).fit(online_retail)
    assert (alone.status_, alone.limit_) == ("boundary", "no_dropout")


def test_predictions_of_a_limit_are_those_of_the_simpler_model(online_retail: Any) -> None:
    nbd = clv.NBD().fit(online_retail).predict(online_retail, "12w").to_pyarrow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pareto = clv.ParetoNBD().fit(online_retail).predict(online_retail, "12w").to_pyarrow()
    for column in VALUES:
        assert np.allclose(pareto[column].to_numpy(), nbd[column].to_numpy(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD", "ParetoNBD"])
def test_customers_who_never_leave(name: str) -> None:
    """Simulated without drop-out: a fit ends at the edge or far out, and nobody is called lost."""
    rows = histories("NBD", TRUE["NBD"], 3_000, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name]().fit(rows, unit="week")
        nbd = clv.NBD().fit(rows, unit="week")
    assert model.log_likelihood_ >= nbd.log_likelihood_ - 1e-6
    assert (model.limit_ is not None) == (model.status_ == "boundary")
    found = model.predict(rows, "12w", unit="week").to_pyarrow()
    assert pc.mean(found["p_alive"]).as_py() > 0.9
    total = pc.sum(found["expected_purchases"]).as_py()
    plain = pc.sum(nbd.predict(rows, "12w", unit="week").to_pyarrow()["expected_purchases"]).as_py()
    assert total == pytest.approx(plain, rel=0.06)


# Published formulas where they break.


@pytest.mark.parametrize("a", [1.0, 1 - 1e-9, 1 + 1e-9, 0.3, 1e-12])
@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD"])
def test_expectations_near_a_of_1(name: str, a: float) -> None:
    """(a + b + x - 1) / (a - 1) (1 - ...) is 0 / 0 at a = 1, and its 2F1 has no c > 0 at a + b < 1, x = 0."""
    for b in (0.2, 2.426):
        params = {"r": 0.243, "alpha": 4.414, "a": a, "b": b}
        model, reference = MODELS[name].of_parameters(params, unit="day"), Purchases.of(name, params)
        for x, t_x, age in ((0, 0.0, 38.86), (0, 0.0, 0.0), (2, 30.43, 38.86)):
            found = model.predict_one(x, t_x, age, horizon=39)
            alive = reference.p_alive(x, t_x, age)
            assert found.p_alive == pytest.approx(alive, rel=1e-9)
            assert found.expected_purchases == pytest.approx(alive * reference.expected(x, age, 39), rel=1e-8)


@pytest.mark.parametrize("s", [1.0, 1 - 1e-9, 1 + 1e-9, 2.0])
def test_expectations_near_s_of_1(s: float) -> None:
    """(beta + T) / (s - 1) (1 - ...) is 0 / 0 at s = 1."""
    params = PARETO | {"s": s}
    model, reference = clv.ParetoNBD.of_parameters(params, unit="day"), Purchases.of("ParetoNBD", params)
    found = model.predict_one(2, 30.43, 38.86, horizon=39)
    wanted = reference.p_alive(2, 30.43, 38.86) * reference.expected(2, 38.86, 39)
    assert found.expected_purchases == pytest.approx(wanted, rel=1e-10)


def test_a_tiny_b_is_no_nan() -> None:
    """(b + x) - 1 is 0 for b = 1e-17, x = 1: lifetimes' likelihood is NaN there."""
    rows = pa.table({"x": [1, 1, 0], "t_x": [30, 38, 0], "T": [40, 40, 40]})
    for name in ("BGNBD", "MBGNBD"):
        model = MODELS[name].of_parameters({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 1e-17}, unit="day")
        assert math.isfinite(model.log_likelihood(rows))
        for row in model.predict(rows, 39).to_pylist():
            assert all(math.isfinite(row[column]) for column in VALUES)


def test_alpha_is_beta_is_no_special_case() -> None:
    """The published 2F1 form changes its branch there."""
    values = []
    for beta in (10.578 * (1 - 1e-12), 10.578, 10.578 * (1 + 1e-12)):
        model = clv.ParetoNBD.of_parameters(PARETO | {"beta": beta}, unit="day")
        values.append(model.predict_one(26, 30.86, 31, horizon=39))
    for column in VALUES:
        one, two, three = (getattr(found, column) for found in values)
        assert one == pytest.approx(two, rel=1e-11)
        assert two == pytest.approx(three, rel=1e-11)


def test_large_x_and_long_times_do_not_overflow() -> None:
    for name, params in (("BGNBD", BG), ("MBGNBD", BG), ("ParetoNBD", PARETO)):
        model = MODELS[name].of_parameters(params)
        for x, t_x, age in ((100_000, 200_000, 300_000), (1, 1, 1_000_000), (3_000, 3_000, 900_000), (0, 0, 1_000_000)):
            found = model.predict_one(x, t_x, age, horizon="1y", level=0.9)
            assert all(math.isfinite(getattr(found, column)) for column in VALUES)
            assert 0 <= found.p_alive <= 1
        # Silent for ages after 3,000 purchases: lost, without a NaN.
        lost = model.predict_one(3_000, 3_000, 900_000, horizon="1y")
        assert (lost.p_alive, lost.expected_purchases) == (0.0, 0.0)


# What looks good by the mean absolute error, and one-time buyers.


def simulated_holdout(weeks: float = 26) -> tuple[pa.Table, pa.Table]:
    """One-time buyers, mostly, with what they do next; and the parameters by which they behave."""
    rng = np.random.default_rng(7)
    n = 4_000
    rate = rng.gamma(1.5, 1 / 130, n)
    age = rng.uniform(26, 52, n)
    before, after = rng.poisson(rate * age), rng.poisson(rate * weeks)
    last = np.where(before > 0, age * rng.beta(np.maximum(before, 1), 1), 0)
    t_x = np.ceil(7 * last).astype(np.int32)
    columns = {
        "customer_id": np.arange(n),
        "x": np.minimum(before, t_x).astype(np.int32),
        "t_x": t_x,
        "T": np.maximum(np.ceil(7 * age).astype(np.int32), t_x),
        "x_holdout": after.astype(np.int32),
        "holdout_days": np.full(n, int(7 * weeks), np.int32),
    }
    return pa.table(columns), pa.table({"x": after})


def test_mean_absolute_error_rewards_predicting_nothing() -> None:
    """The true model has a higher mean absolute error than the forecast 0, and a lower squared one."""
    rows, after = simulated_holdout()
    model = clv.NBD.of_parameters({"r": 1.5, "alpha": 130.0})
    checked = model.evaluate(rows)
    found = {row["model"]: row for row in checked.summary().to_pylist() if row["measure"] == "purchases"}
    assert found["zero"]["mae"] < found["NBD"]["mae"]
    assert found["NBD"]["rmse"] < min(found["zero"]["rmse"], found["own_rate"]["rmse"])
    assert found["zero"]["expected"] == 0
    assert found["zero"]["total_error"] == -1
    assert found["NBD"]["actual"] == after["x"].to_numpy().sum()
    assert abs(found["NBD"]["total_error"]) < 0.1
    assert not any("no better" in remark for remark in checked.report.remarks)


def test_a_model_that_does_not_beat_zero_is_told_so() -> None:
    rows, _ = simulated_holdout()
    model = clv.NBD.of_parameters({"r": 25.0, "alpha": 12.0})
    assert any("zero" in remark for remark in model.evaluate(rows).report.remarks)


def test_one_time_buyers_are_alive_for_ever_under_bg() -> None:
    """By construction, not by evidence; MBG and Pareto let them be lost."""
    for age in (0, 100, 10_000, 1_000_000):
        assert clv.BGNBD.of_parameters(BG).predict_one(0, 0, age, horizon=30).p_alive == 1.0
    pareto = [
        clv.ParetoNBD.of_parameters(PARETO).predict_one(0, 0, age, horizon=30).p_alive for age in (0, 100, 10_000)
    ]
    assert pareto[0] == 1.0
    assert pareto[0] > pareto[1] > pareto[2]
    mbg = [clv.MBGNBD.of_parameters(BG).predict_one(0, 0, age, horizon=30).p_alive for age in (0, 100, 10_000)]
    assert mbg[0] == pytest.approx(2.426 / (2.426 + 0.793), rel=1e-12)
    assert mbg[0] > mbg[1] > mbg[2]
    assert "one-time" in (clv.BGNBD.__doc__ or "") or "bought once" in (clv.BGNBD.__doc__ or "")


# Tables put together by position.


def test_each_id_gets_its_own_prediction() -> None:
    """Predictions come by id: a table beside them in another order, or with other customers, has to be joined by id."""
    rng = np.random.default_rng(3)
    rows = in_days(histories("MBGNBD", TRUE["MBGNBD"], 400, 3))
    ids = pa.array([f"c{number}" for number in rng.permutation(400)])
    rows = rows.set_column(0, "customer_id", ids)
    model = clv.MBGNBD.of_parameters(TRUE["MBGNBD"])
    found = model.predict(rows, "12w").to_pyarrow()
    assert found["customer_id"].to_pylist() == sorted(ids.to_pylist())
    by_id = {row["customer_id"]: row for row in found.to_pylist()}
    for row in rows.to_pylist():
        one = model.predict_one(row["x"], row["t_x"], row["T"], horizon="12w")
        assert by_id[row["customer_id"]]["expected_purchases"] == one.expected_purchases
    some = rows.take(rng.permutation(400)[:50])
    assert {row["customer_id"]: row for row in model.predict(some, "12w").to_pylist()}.items() <= by_id.items()


def test_customers_of_the_holdout_alone_have_no_row() -> None:
    """Who is first seen after the calibration is in no row; the report has their number and money."""
    base = custcore.CustomerBase(track="days")
    when = np.array(["2024-01-01", "2024-01-20", "2024-02-10", "2024-02-12", "2024-03-01"], "datetime64[D]")
    who = ["b", "b", "c", "late", "b"]
    base.update(pa.table({"customer_id": who, "timestamp": when, "amount": [5.0, 3.0, 9.0, 2.0, 4.0]}))
    found = base.clv_summary("2024-02-11")
    assert [row["customer_id"] for row in found.to_pylist()] == ["b", "c"]
    assert any(line.count == 1 and line.sum == 2.0 for line in found.report)
    assert base.clv_summary("2024-02-11").to_pylist()[0]["x_holdout"] == 1


def test_rows_of_a_summary_that_no_customer_has() -> None:
    for rows, what in (
        ({"x": [0, 1], "t_x": [0, 50], "T": [9, 40]}, "t_x"),
        ({"x": [0, 0], "t_x": [0, 3], "T": [9, 40]}, "t_x"),
        ({"x": [0, 2], "t_x": [0, 0], "T": [9, 40]}, "t_x"),
        ({"x": [0, -1], "t_x": [0, 3], "T": [9, 40]}, "x"),
    ):
        with pytest.raises(custcore.errors.SummaryError, match=what) as caught:
            clv.MBGNBD.of_parameters(BG).predict(pa.table(rows), 30)
        assert caught.value.row == 1
