"""Lifetime value by BTYD 2.4.3, CLVTools 0.12.1 and lifetimes 0.11.3, at their own parameters; and published values."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custcore import clv
from tests.golden.clv_golden import SETS, WEEKS, Worst, column, folder, input_of, model_of, spend_of, worst_of
from tests.reference_data import SHIPPED

# Per week as the tools mean it, as a rate per year of 365.25 days.
BTYD_RATE = math.exp(0.15 / 52 * 365.25 / 7) - 1
CLVTOOLS_RATE = 1.1 ** (365.25 / 7) - 1
# A month of lifetimes where the data are in weeks: 4.345 of them.
LIFETIMES_MONTH = 30.415
FAIR = 1e-10
FAIR_DISCOUNTED = 1e-9


@pytest.fixture(scope="module")
def worst() -> Iterator[Worst]:
    with worst_of("against other tools at their parameters") as table:
        yield table


def parameters(file: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    with (folder() / file).open() as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["model"], {})[row["parameter"]] = float(row["value"])
    return found


def money_of(params: dict[str, float]) -> clv.GammaGamma:
    return clv.GammaGamma.of_parameters(
        {"p": params["p"], "q": params["q"], "gamma": params.get("gamma", params.get("v"))}
    )


def in_weeks(rows: pa.Table) -> pa.Table:
    """The summary columns of a file of a tool, under the names of lifetimes."""
    x = rows["frequency"].to_numpy()
    return pa.table(
        {
            "customer_id": rows[0],
            "frequency": x.astype(np.int32),
            "recency": rows["recency_weeks"],
            "T": rows["t_weeks"],
            "monetary_value": pa.array(rows["mean_spend"].to_numpy(), mask=x == 0),
        }
    )


def numbers(rows: pa.Table, name: str) -> Any:
    return rows[name].to_numpy().astype(float)


@pytest.mark.parametrize("name", SETS)
def test_btyd(name: str, worst: Worst) -> None:
    golden = pq.read_table(folder() / f"btyd_r_{name}_customers.parquet")
    params = parameters(f"btyd_r_{name}_params.csv")
    rows, h = in_weeks(golden), f"{WEEKS[name]}w"
    spend = money_of(params["gamma_gamma"])
    for key, tool in (("bgnbd", "bgnbd"), ("pareto", "pnbd")):
        model = model_of(key, params[tool])
        found = model.predict(rows, h, spend=spend, unit="week")
        title = f"BTYD, {name}, {key}: "
        worst.check(title + "p_alive", column(found, "p_alive"), numbers(golden, f"{tool}_p_alive"), FAIR)
        worst.check(title + "expected", column(found, "expected_purchases"), numbers(golden, f"{tool}_cet"), FAIR)
        likelihood = model.log_likelihood(input_of(name), unit="week")
        worst.check(title + "log-likelihood", likelihood, params[tool]["log_likelihood"], 1e-6, scale=1.0)
    forever = model.predict(rows, None, annual_rate=BTYD_RATE, unit="week")
    dert = numbers(golden, "pnbd_dert_annual_015")
    worst.check(f"BTYD, {name}: DERT", column(forever, "discounted_purchases"), dert, FAIR_DISCOUNTED)
    worst.check(f"BTYD, {name}: spend", column(found, "expected_spend"), numbers(golden, "gg_expected_spend"), FAIR)


@pytest.mark.parametrize("name", SETS)
def test_lifetimes(name: str, worst: Worst) -> None:
    golden = pq.read_table(folder() / f"lifetimes_{name}_customers.parquet")
    params = json.loads((folder() / f"lifetimes_{name}_params.json").read_text())
    rows, h = in_weeks(golden), f"{WEEKS[name]}w"
    spend = money_of(params["gamma_gamma"])
    for key, tool in (("bgnbd", "bgnbd"), ("pareto", "pareto_nbd")):
        found = model_of(key, params[tool]).predict(rows, h, spend=spend, unit="week")
        title = f"lifetimes, {name}, {key}: "
        worst.check(title + "p_alive", column(found, "p_alive"), numbers(golden, f"{tool}_p_alive"), FAIR)
        expected = numbers(golden, f"{tool}_expected_purchases")
        worst.check(title + "expected", column(found, "expected_purchases"), expected, FAIR)
    spent = numbers(golden, "gg_expected_spend")
    worst.check(f"lifetimes, {name}: spend", column(found, "expected_spend"), spent, FAIR)
    year = model_of("bgnbd", params["bgnbd"]).predict(
        rows,
        12 * LIFETIMES_MONTH,
        spend=spend,
        period_days=LIFETIMES_MONTH,
        period_rate=0.01,
        unit="week",
    )
    wanted = numbers(golden, "clv_12_months_discount_1pct")
    worst.check(f"lifetimes, {name}: clv of 12 months", column(year, "clv"), wanted, FAIR_DISCOUNTED)


@pytest.mark.parametrize("name", SETS)
def test_clvtools(name: str, worst: Worst) -> None:
    """Its summary has the names of BTYD. Its discount rate is one per week by default."""
    summary = pq.read_table(folder() / f"clvtools_r_{name}_cbs.parquet")
    params = parameters(f"clvtools_r_{name}_params.csv")
    ids = [int(customer) for customer in summary["Id"].to_pylist()]
    by_id = {row["customer_id"]: row["m_x"] for row in input_of(name).to_pylist()}
    spent = pa.array([by_id[customer] for customer in ids], pa.float64())
    x = summary["x"].to_numpy().astype(np.int32)
    rows = pa.table({"Id": ids, "x": x, "t.x": summary["t.x"], "T.cal": summary["T.cal"], "m.x": spent})
    spend = money_of(params["gamma_gamma"])
    for key, tool in (("bgnbd", "bgnbd"), ("pareto", "pnbd")):
        golden = pq.read_table(folder() / f"clvtools_r_{name}_{tool}_predict.parquet")
        assert [int(customer) for customer in golden["Id"].to_pylist()] == ids
        (weeks,) = set(golden["period.length"].to_pylist())
        model = model_of(key, params[tool])
        found = model.predict(rows, f"{weeks:g}w", spend=spend, customer_id="Id", unit="week")
        title = f"CLVTools, {name}, {key}: "
        worst.check(title + "p_alive", column(found, "p_alive"), numbers(golden, "PAlive"), FAIR)
        worst.check(title + "expected", column(found, "expected_purchases"), numbers(golden, "CET"), FAIR)
    forever = model.predict(rows, None, spend=spend, annual_rate=CLVTOOLS_RATE, customer_id="Id", unit="week")
    dert = numbers(golden, "DERT")
    worst.check(f"CLVTools, {name}: DERT", column(forever, "discounted_purchases"), dert, FAIR_DISCOUNTED)
    if name == "apparel":  # CDNOW's mean spend has two decimals in the summary
        means = numbers(golden, "predicted.mean.spending")
        worst.check(f"CLVTools, {name}: spend", column(found, "expected_spend"), means, FAIR)
        value = numbers(golden, "predicted.CLV")
        worst.check(f"CLVTools, {name}: clv", column(forever, "clv"), value, FAIR_DISCOUNTED)


def test_published_values() -> None:
    """Fader, Hardie & Lee (2005), table 1; Fader & Hardie (2013); the expectation of 1.226."""
    published = json.loads((folder() / "published_cdnow_values.json").read_text())
    rows = input_of("cdnow_sample")
    for key, name, digits in (("bgnbd", "bgnbd", 3), ("pareto", "pareto_nbd", 3)):
        model: Any = {"bgnbd": clv.BGNBD, "pareto": clv.ParetoNBD}[key]().fit(rows, unit="week")
        for parameter, value in model.params_.items():
            # beta of the paper ends in 9, the maximum is at 11.668
            assert value == pytest.approx(published[name][parameter], abs=2 * 10**-digits)
        assert model.log_likelihood_ == pytest.approx(published[name]["log_likelihood"], abs=0.05)
    spend = clv.GammaGamma().fit(spend_of("cdnow_sample"))
    for parameter in ("p", "q", "gamma"):
        assert spend.params_[parameter] == pytest.approx(published["gamma_gamma"][parameter], abs=0.01)
    one = published["bgnbd_conditional_expectation"]
    params = {name: published["bgnbd"][name] for name in ("r", "alpha", "a", "b")}
    model = clv.BGNBD.of_parameters(params, unit="day")
    found = model.predict_one(one["x"], one["t_x"], one["T"], horizon=one["t"])
    assert found.expected_purchases == pytest.approx(one["value"], abs=5e-4)


@pytest.mark.parametrize("cohort", ["regular", "high_end"])
def test_contracts(cohort: str, worst: Worst) -> None:
    golden = json.loads((SHIPPED.golden / "clv" / "sbg.json").read_text())["fits"][cohort]
    survivors = golden["survivors"]
    lost = [before - after for before, after in itertools.pairwise(survivors)]
    model = clv.SBG().fit(lost, survivors[:-1])
    title = f"SBG, {cohort}: "
    errors = [golden["se_a"], golden["se_b"]]
    worst.check(
        title + "parameters", [model.params_["a"], model.params_["b"]], [golden["a"], golden["b"]], 0.01, scale=errors
    )
    worst.check(title + "standard errors", list(model.standard_errors_.values()), errors, 1e-5)
    worst.check(title + "log-likelihood", model.log_likelihood_, golden["log_likelihood"], 1e-6, scale=1.0)
    given = clv.SBG.of_parameters({"a": golden["a"], "b": golden["b"]})
    renewals = range(1, 13)
    worst.check(title + "survival", [given.survival(t) for t in renewals], golden["survival_1_to_12"], FAIR)
    rates = [given.retention_rate(t) for t in renewals]
    worst.check(title + "retention", rates, golden["retention_rate_1_to_12"], FAIR)
    lifetimes = [given.discounted_lifetime(n, 0.1) for n in range(1, 6)]
    worst.check(title + "lifetime", lifetimes, golden["discounted_lifetime_rate_0.1_n_1_to_5"], FAIR)
