"""Lifetime value by the references: fits, customers, totals, tracking, evaluation of CDNOW and of the apparel retailer.

Tolerances are the fair tests of `REFERENCE.md` beside the golden files. `pytest -s` prints the largest error of each
quantity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore import clv
from tests.golden.clv_golden import (
    CALIBRATION_END,
    DATA_END,
    MODELS,
    SETS,
    WEEKS,
    Worst,
    base_of,
    column,
    fit_of,
    folder,
    input_of,
    model_of,
    spend_of,
    worst_of,
)
from tests.golden.test_churn import purchases
from tests.reference.clv import Purchases
from tests.reference.clv_moments import variance
from tests.reference_data import SHIPPED

FAMILY = {"bgnbd": "BGNBD", "mbgnbd": "MBGNBD", "pareto": "ParetoNBD"}
ANNUAL_RATE = 0.10


@pytest.fixture(scope="module")
def worst() -> Iterator[Worst]:
    with worst_of("against the reference") as table:
        yield table


def inputs(name: str) -> list[pa.Table]:
    """In weeks as floats; of the apparel retailer in whole days, too, which is the other path of the code."""
    return [input_of(name)] + ([input_of(name, whole_days=True)] if name == "apparel" else [])


def unit_of(rows: pa.Table) -> dict[str, Any]:
    return {} if pa.types.is_integer(rows["T"].type) else {"unit": "week"}


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_fits(name: str, key: str, worst: Worst) -> None:
    wanted = fit_of(name)[key]
    for rows in inputs(name):
        model = MODELS[key](unit="week").fit(rows, **unit_of(rows))
        assert model.status_ == "converged"
        assert model.limit_ is None
        assert list(model.params_) == list(wanted["params"])
        assert model.n_customers_ == rows.num_rows
        assert model.log_likelihood_ >= wanted["log_likelihood"] - 1e-6
        title = f"{name}, {key}: "
        worst.check(title + "log-likelihood", model.log_likelihood_, wanted["log_likelihood"], 1e-6, scale=1.0)
        days = MODELS[key](unit="day").fit(rows, **unit_of(rows))
        worst.check(
            title + "log-likelihood, days", days.log_likelihood_, wanted["log_likelihood_days"], 1e-6, scale=1.0
        )
        errors = list(wanted["standard_errors"].values())
        worst.check(title + "parameters", [*model.params_.values()], [*wanted["params"].values()], 0.01, scale=errors)
        worst.check(title + "standard errors", [*model.standard_errors_.values()], errors, 1e-5)
        # Correlations of next to 0 are compared to the variances.
        covariance = np.array(wanted["covariance_log_params"])
        scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
        worst.check(title + "covariance", np.array(model.covariance_, dtype=float), covariance, 1e-5, scale=scale)


@pytest.mark.parametrize("name", SETS)
def test_fits_of_spend(name: str, worst: Worst) -> None:
    wanted = fit_of(name)["gg"]
    model = clv.GammaGamma().fit(spend_of(name))
    title = f"{name}, gamma-gamma: "
    assert model.status_ == "converged"
    worst.check(title + "log-likelihood", model.log_likelihood_, wanted["log_likelihood"], 1e-6, scale=1.0)
    errors = list(wanted["standard_errors"].values())
    worst.check(title + "parameters", [*model.params_.values()], [*wanted["params"].values()], 0.01, scale=errors)
    worst.check(title + "standard errors", [*model.standard_errors_.values()], errors, 1e-5)
    covariance = np.array(wanted["covariance_log_params"])
    worst.check(title + "covariance", np.array(model.covariance_, dtype=float), covariance, 1e-5)


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_customers(name: str, key: str, worst: Worst) -> None:
    """200 customers at the parameters of the reference."""
    golden, h = pq.read_table(folder() / f"oracle_{name}_customers.parquet"), WEEKS[name]
    rows = input_of(name).slice(0, golden.num_rows)
    assert rows["x"].to_pylist() == golden["x"].to_pylist()
    model = model_of(key, fit_of(name)[key]["params"])
    spend = clv.GammaGamma.of_parameters(fit_of(name)["gg"]["params"])
    found = model.predict(rows, f"{h}w", spend=spend, annual_rate=ANNUAL_RATE, unit="week")
    forever = model.predict(rows, None, spend=spend, annual_rate=ANNUAL_RATE, unit="week")
    title = f"{name}, {key}: "
    for quantity, of in (
        ("p_alive", "p_alive"),
        ("expected_purchases", f"expected_{h}"),
        ("p_purchase", f"p_purchase_{h}"),
        ("p_alive_end", f"p_alive_end_{h}"),
    ):
        worst.check(title + quantity, column(found, quantity), golden[f"{key}_{of}"].to_numpy(), 1e-10)
    discounted = golden[f"{key}_discounted_{h}"].to_numpy()
    worst.check(title + "discounted", column(found, "discounted_purchases"), discounted, 1e-9)
    endless = golden[f"{key}_discounted_inf"].to_numpy()
    worst.check(title + "discounted, no end", column(forever, "discounted_purchases"), endless, 1e-9)
    money = golden["expected_spend"].to_numpy()
    worst.check(f"{name}: expected_spend", column(found, "expected_spend"), money, 1e-10)
    revenue = golden[f"{key}_expected_{h}"].to_numpy() * money
    worst.check(title + "expected_revenue", column(found, "expected_revenue"), revenue, 1e-10)
    worst.check(title + "clv", column(found, "clv"), discounted * money, 1e-9)
    assert found.to_pyarrow()["customer_id"].to_pylist() == rows["customer_id"].to_pylist()
    for empty in ("expected_purchases", "p_purchase", "p_alive_end", "expected_revenue"):
        assert forever.to_pyarrow()[empty].null_count == rows.num_rows


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_sums_and_new_customers(name: str, key: str, worst: Worst) -> None:
    golden, h, rows = fit_of(name)[key], WEEKS[name], input_of(name)
    model = model_of(key, golden["params"])
    found = model.predict(rows, f"{h}w", unit="week")
    title = f"{name}, {key}: "
    worst.check(title + "sum of p_alive", column(found, "p_alive").sum(), golden["p_alive_sum"], 1e-10)
    total = column(found, "expected_purchases").sum()
    worst.check(title + "sum of expected", total, golden[f"expected_{h}_weeks_sum"], 1e-10)
    weeks = list(golden["new_customer_expected"])
    new = model.new_customers([7 * int(week) for week in weeks])
    wanted = list(golden["new_customer_expected"].values())
    worst.check(title + "new customers", column(new, "expected_purchases"), wanted, 1e-10)
    assert column(new, "horizon_days").tolist() == [7 * int(week) for week in weeks]


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_errors_of_totals(name: str, key: str, worst: Worst) -> None:
    """The variance of a total is that of the customers' counts and that of the parameters."""
    golden, h, rows = fit_of(name)[key], WEEKS[name], input_of(name)
    model = MODELS[key]().fit(rows, unit="week")
    (found,) = model.total(rows, f"{h}w", unit="week").to_pylist()
    assert found["customers"] == rows.num_rows
    sums = golden[f"expected_{h}_weeks_sum"]
    worst.check(f"{name}, {key}: total", found["expected_purchases"], sums, 1e-5)
    reference = Purchases.of(FAMILY[key], golden["params"])
    histories: dict[tuple[float, ...], int] = {}
    for row in rows.to_pylist():
        history = (row["x"], row["t_x"], row["T"])
        histories[history] = histories.get(history, 0) + 1
    counts = sum(n * variance(reference, int(x), t_x, age, h) for (x, t_x, age), n in histories.items())
    wanted = math.sqrt(counts + golden[f"expected_{h}_weeks_sum_se_delta"] ** 2)
    worst.check(f"{name}, {key}: error of the total", found["standard_error"], wanted, 1e-5)
    of_parameters = golden[f"expected_{h}_weeks_sum_se_delta"]
    worst.check(f"{name}, {key}: error by the parameters", found["parameter_error"], of_parameters, 1e-5)
    half = 1.959963984540054 * found["standard_error"]
    middle = found["expected_purchases"]
    assert (found["low"], found["high"]) == pytest.approx((middle - half, middle + half), rel=1e-9)


@pytest.mark.parametrize("name", [*SETS, "online_retail"])
def test_summaries(name: str) -> None:
    """x and days equal; CDNOW is published in weeks of two decimals."""
    place = SHIPPED.golden / "clv" if name == "online_retail" else folder()
    golden = pq.read_table(place / f"input_{name}_cbs.parquet")
    if name == "online_retail":
        found = pa.table(purchases(name, SHIPPED).clv_summary())
    else:
        found = pa.table(base_of(name).clv_summary(CALIBRATION_END[name]))
    assert found["x"].to_pylist() == golden["frequency"].to_pylist()
    for days, weeks in (("t_x", "recency_weeks"), ("T", "t_weeks")):
        exact = found[days].to_numpy() / 7
        if name == "cdnow_sample":
            assert np.abs(exact - golden[weeks].to_numpy()).max() < 0.005 + 1e-9
        else:
            assert np.abs(exact - golden[weeks].to_numpy()).max() < 1e-9
    spend, repeats = golden["mean_spend"].to_numpy(), found["x"].to_numpy() > 0
    assert found["m_x"].is_null().to_numpy().tolist() == (~repeats).tolist()
    if name != "online_retail":  # there the money of a line is its unit price
        places = 0.005 + 1e-9 if name == "cdnow_sample" else 1e-9
        assert np.abs(column(found, "m_x")[repeats] - spend[repeats]).max() < places
    if name == "apparel":
        assert found["x_holdout"].to_pylist() == golden["frequency_holdout"].to_pylist()
        assert set(found["holdout_days"].to_pylist()) == {1450}


def with_holdout(name: str) -> custcore.Table:
    """Days and purchases from the transactions, as many weeks after the calibration as the reference has."""
    end = CALIBRATION_END[name] + timedelta(weeks=WEEKS[name])
    return base_of(name).clv_summary(CALIBRATION_END[name], end)


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_evaluation(name: str, key: str, worst: Worst) -> None:
    """CDNOW's golden forecasts are those of its published weeks of two decimals."""
    golden = fit_of(name)["holdout"]
    wanted = golden[key]
    summary = with_holdout(name)
    model = model_of(key, fit_of(name)[key]["params"])
    given, options = summary, {}
    if name == "cdnow_sample":
        later = summary.to_pyarrow().select(["x_holdout", "holdout_days"])
        given, options = input_of(name), {"unit": "week"}
        for column_name in later.column_names:
            given = given.append_column(column_name, later[column_name])
    checked = model.evaluate(given, **options)
    rows = {row["model"]: row for row in checked.summary().to_pylist() if row["measure"] == "purchases"}
    mine = rows[FAMILY[key]]
    assert (mine["customers"], mine["days"], mine["actual"]) == (
        len(summary),
        7 * golden["weeks"],
        golden["actual_sum"],
    )
    fair = 1e-10
    title = f"{name}, {key}: evaluation, "
    for quantity in ("mae", "rmse", "bias"):
        worst.check(title + quantity, mine[quantity], wanted[quantity], fair)
    worst.check(title + "total_error", mine["total_error"], wanted["total_error_relative"], fair)
    for baseline, of in (("zero", "zero_prediction"), ("own_rate", "same_rate")):
        for quantity in ("mae", "rmse"):
            worst.check(f"{name}: {baseline}, {quantity}", rows[baseline][quantity], golden[f"{of}_{quantity}"], fair)
    found = checked.by_x().to_pylist()
    assert [(row["x"], row["customers"]) for row in found] == [(row["x"], row["customers"]) for row in wanted["by_x"]]
    for quantity in ("actual_mean", "expected_mean"):
        values = [row[quantity] for row in found]
        worst.check(title + quantity, values, [row[quantity] for row in wanted["by_x"]], fair)


@pytest.mark.parametrize("key", MODELS)
@pytest.mark.parametrize("name", SETS)
def test_tracking(name: str, key: str, worst: Worst) -> None:
    golden = pq.read_table(folder() / f"oracle_{name}_tracking.parquet")
    model = model_of(key, fit_of(name)[key]["params"])
    tracked = model.tracking(
        base_of(name), "week", calibration_end=CALIBRATION_END[name], holdout_end=DATA_END[name]
    ).to_pyarrow()
    whole = tracked.filter(tracked["is_complete"])
    n = golden.num_rows
    assert whole.num_rows == n
    assert whole["period_end"].to_pylist() == [
        getattr(day, "date", lambda day=day: day)() for day in golden["week_end"].to_pylist()
    ]
    assert whole["actual_cumulative"].to_pylist() == golden["actual_cumulative"].to_pylist()
    assert whole["actual"].to_pylist() == golden["actual_incremental"].to_pylist()
    title = f"{name}, {key}: tracking, "
    for quantity, of in (("expected", "incremental"), ("expected_cumulative", "cumulative")):
        # A week's number is a difference of cumulative ones, whose digits are those of the total.
        scale = 1.0 if of == "cumulative" else golden[f"{key}_expected_cumulative"].to_numpy()
        wanted = golden[f"{key}_expected_{of}"].to_numpy()
        scale = np.abs(wanted) if of == "cumulative" else scale
        worst.check(title + quantity, column(whole, quantity), wanted, 1e-10, scale=scale)
    ends = whole["period_end"].to_pylist()
    assert whole["in_calibration"].to_pylist() == [end <= CALIBRATION_END[name] for end in ends]
    low, high = column(whole, "expected_low"), column(whole, "expected_high")
    middle = column(whole, "expected")
    assert (low <= middle).all()
    assert (middle <= high).all()
