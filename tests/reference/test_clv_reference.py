"""The slow lifetime-value reference against published values, other forms of formulas, and golden files."""

from __future__ import annotations

import csv
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import beta, betaln, gamma, hyp2f1

from tests.reference import clv, clv_fit
from tests.reference.clv import Purchases
from tests.reference.clv_quadrature import beta_nodes, over_time
from tests.reference.clv_summary import clv_summary_reference
from tests.reference_data import SHIPPED, outside

# Fader, Hardie & Lee (2005), table 1: CDNOW, weeks.
BG = Purchases("BGNBD", 0.243, 4.414, 0.793, 2.426)
PARETO = Purchases("ParetoNBD", 0.553, 10.578, 0.606, 11.669)
HISTORY = (2, 30.43, 38.86)


@pytest.fixture(scope="module")
def golden() -> Path:
    return outside("cdnow").golden / "clv"


def test_the_published_expectation() -> None:
    """1.226 purchases in 39 weeks (Fader, Hardie & Lee 2005)."""
    assert BG.p_alive(*HISTORY) * BG.expected(2, 38.86, 39) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize(("a", "b"), [(0.003, 6.7), (0.5, 0.4), (0.8, 2.4), (30.0, 2.0), (1e6, 1e6)])
def test_nodes_of_a_beta_distribution(a: float, b: float) -> None:
    p, _, weight = beta_nodes(a, b)
    assert weight @ p == pytest.approx(a / (a + b), rel=1e-11)
    assert weight @ p**2 == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)), rel=1e-11)


def test_integrals_over_time() -> None:
    assert over_time(lambda t: 1 / (1 + t), 2, 1e5, 1.0) == pytest.approx(math.log((1 + 1e5) / 3), rel=1e-13)
    assert over_time(lambda t: math.exp(-0.01 * t), 0, math.inf, 3.0, 0.01) == pytest.approx(100, rel=1e-12)
    assert over_time(lambda t: 1.0, 4, 4, 1.0) == 0


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 38.86), (2, 30.43, 38.86), (26, 30.86, 31.0), (1, 1.71, 38.86)])
def test_published_forms_of_bg_and_pareto(x: int, t_x: float, age: float) -> None:
    """The likelihood (3) of Fader, Hardie & Lee (2005), and A_0 of Fader & Hardie's note on Pareto/NBD."""
    r, alpha, a, b = BG.r, BG.alpha, BG.third, BG.fourth
    first = gamma(r + x) * alpha**r / gamma(r)
    published = beta(a, b + x) / beta(a, b) * first / (alpha + age) ** (r + x)
    if x:
        published += beta(a + 1, b + x - 1) / beta(a, b) * first / (alpha + t_x) ** (r + x)
    assert BG.log_likelihood(x, t_x, age) == pytest.approx(math.log(published), rel=1e-12)

    r, alpha, s, b_ = PARETO.r, PARETO.alpha, PARETO.third, PARETO.fourth
    q = r + x

    def area(time: float) -> float:
        return float(hyp2f1(q + s, q, q + s + 1, (b_ - alpha) / (b_ + time)) / (b_ + time) ** (q + s))

    whole = gamma(q) * alpha**r * b_**s / gamma(r)
    published = whole * (1 / ((alpha + age) ** q * (b_ + age) ** s) + s / (q + s) * (area(t_x) - area(age)))
    assert PARETO.log_likelihood(x, t_x, age) == pytest.approx(math.log(published), rel=1e-11)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 38.86), (2, 30.43, 38.86), (26, 30.86, 31.0)])
@pytest.mark.parametrize("horizon", [1.0, 39.0, 520.0])
def test_published_forms_of_expectations(x: int, t_x: float, age: float, horizon: float) -> None:
    r, alpha, a, b = BG.r, BG.alpha, BG.third, BG.fourth
    q, z = r + x, horizon / (alpha + age + horizon)
    factor = (a + b + x - 1) / (a - 1)
    published = factor * (1 - (1 - z) ** q * hyp2f1(q, b + x, a + b + x - 1, z))
    assert BG.expected(x, age, horizon) == pytest.approx(published, rel=1e-10)
    s, wait = PARETO.third, PARETO.fourth + age
    published = (PARETO.r + x) / (PARETO.alpha + age) * wait / (s - 1) * (1 - (wait / (wait + horizon)) ** (s - 1))
    assert PARETO.expected(x, age, horizon) == pytest.approx(published, rel=1e-11)


@pytest.mark.parametrize("family", clv.FAMILIES)
@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (0, 38.86), (5, 20.0)])
def test_counts_add_up(family: str, x: int, age: float) -> None:
    """Probabilities of counts sum to 1, their mean is the expectation, and discounting at a tiny rate is none."""
    model = Purchases(family, 0.7, 6.0, 0.9, 3.0)
    counts = model.counts(x, age, 30.0)
    assert counts.sum() == pytest.approx(1, abs=1e-10)
    mean = counts @ np.arange(len(counts))
    assert mean == pytest.approx(model.expected(x, age, 30.0), rel=1e-9)
    assert model.discounted(x, age, 30.0, 1e-13) == pytest.approx(model.expected(x, age, 30.0), rel=1e-10)
    days = [model.discounted_by_periods(x, age, 30.0, 0.05, 0.01 * 0.05), model.discounted(x, age, 30.0, 0.01)]
    assert days[0] == pytest.approx(days[1], rel=2e-3)
    assert model.p_alive(0, 0.0, 0.0) == pytest.approx(0.75 / 0.975 if family == "MBGNBD" else 1.0)


def test_units() -> None:
    """Likelihood in days = that in weeks - x ln 7; probabilities stay."""
    for model in (BG, PARETO):
        days = model.in_unit(7)
        x, t_x, age = HISTORY
        wanted = model.log_likelihood(*HISTORY) - x * math.log(7)
        assert days.log_likelihood(x, 7 * t_x, 7 * age) == pytest.approx(wanted, rel=1e-12)
        assert days.p_alive(x, 7 * t_x, 7 * age) == pytest.approx(model.p_alive(*HISTORY), rel=1e-12)


def test_spend_of_the_paper() -> None:
    """Fader & Hardie (2013): p = 6.25, q = 3.74, gamma = 15.44; the population mean is 35.22."""
    assert clv.expected_spend(6.25, 3.74, 15.44, 0, None) == pytest.approx(35.22, abs=0.005)
    assert clv.expected_spend(6.25, 0.9, 15.44, 0, None) is None
    x, m = 2, 22.35
    form = -betaln(12.5, 3.74) - math.log(m) - 12.5 * math.log1p(15.44 / (x * m)) - 3.74 * math.log1p(x * m / 15.44)
    assert clv.spend_log_likelihood(6.25, 3.74, 15.44, x, m) == pytest.approx(form, rel=1e-12)


def test_contracts_of_the_paper() -> None:
    """Fader & Hardie (2007), figure 4 and the log-likelihoods of the two cohorts."""
    regular = [1000, 631, 468, 382, 326, 289, 262, 241]
    high_end = [1000, 869, 743, 653, 593, 551, 517, 491]
    assert clv.contract_log_likelihood(0.704, 1.182, regular) == pytest.approx(-1680.3, abs=0.05)
    assert clv.contract_log_likelihood(0.668, 3.806, high_end) == pytest.approx(-1611.2, abs=0.05)
    lifetime = clv.contract_lifetime(0.668, 3.806, 1, 0.1)
    form = 3.806 / 4.474 * hyp2f1(1, 4.806, 5.474, 1 / 1.1)
    assert lifetime == pytest.approx(form, rel=1e-12)


def test_summary_by_hand() -> None:
    d = [date(2024, 1, day) for day in range(1, 32)]
    rows = [
        ("b", d[0], 10.0), ("b", d[4], 5.0), ("b", d[4], 7.0), ("b", d[9], -3.0), ("b", d[9], 8.0), ("b", d[19], 4.0),
        ("a", d[5], -2.0), ("a", d[6], 1.0), ("a", d[8], -1.0), ("late", d[15], 9.0), ("none", d[2], -4.0),
    ]  # fmt: skip
    found = clv_summary_reference(rows, d[10])
    assert [tuple(row.values()) for row in found] == [
        ("a", 0, 0, 4, None, 0, None, 9, 1, 1.0),
        ("b", 2, 9, 10, 8.5, 1, 4.0, 9, 2, 8.5),
    ]
    names = ["customer_id", "x", "t_x", "T", "m_x", "x_holdout", "m_holdout", "holdout_days", "x_before", "m_before"]
    assert list(found[0]) == names
    assert [row["x"] for row in clv_summary_reference(rows)] == [0, 3, 0]
    assert [row["x"] for row in clv_summary_reference(rows, returns="count")] == [2, 3, 0, 0]


@pytest.mark.parametrize("family", ["BGNBD", "MBGNBD", "ParetoNBD"])
def test_fits_equal_golden(golden: Path, family: str) -> None:
    """The optimum, its standard errors and sums of expectations: CDNOW by two independent references."""
    key = {"BGNBD": "bgnbd", "MBGNBD": "mbgnbd", "ParetoNBD": "pareto"}[family]
    wanted = json.loads((golden / "oracle_cdnow_sample_fit.json").read_text())[key]
    rows = pq.read_table(golden / "input_cdnow_sample_cbs.parquet")
    x, t_x, age = (rows[name].to_numpy().astype(float) for name in ("frequency", "recency_weeks", "t_weeks"))
    found = clv_fit.fit(family, x, t_x, age)
    assert found.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=1e-6)
    for name, value in wanted["params"].items():
        assert found.params[name] == pytest.approx(value, abs=0.001 * wanted["standard_errors"][name])
        assert found.standard_errors[name] == pytest.approx(wanted["standard_errors"][name], rel=1e-4)
    assert np.allclose(found.covariance, wanted["covariance_log_params"], rtol=1e-4, atol=1e-7)


def test_fit_of_spend_equals_golden(golden: Path) -> None:
    wanted = json.loads((golden / "oracle_cdnow_sample_fit.json").read_text())["gg"]
    rows = pq.read_table(golden / "input_cdnow_sample_cbs.parquet")
    found = clv_fit.fit_spend(rows["frequency"].to_numpy().astype(float), rows["mean_spend"].to_numpy())
    assert found.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=1e-6)
    for name, value in wanted["params"].items():
        assert found.params[name] == pytest.approx(value, abs=0.001 * wanted["standard_errors"][name])


def test_customers_equal_golden(golden: Path) -> None:
    params = json.loads((golden / "oracle_apparel_fit.json").read_text())
    rows: list[dict[str, Any]] = pq.read_table(golden / "oracle_apparel_customers.parquet").slice(0, 12).to_pylist()
    delta = float(params["discount_per_week"])
    for family, key in (("BGNBD", "bgnbd"), ("MBGNBD", "mbgnbd"), ("ParetoNBD", "pareto")):
        model = Purchases.of(family, params[key]["params"])
        for row in rows:
            x, age = int(row["x"]), row["T"]
            alive = model.p_alive(x, row["t_x"], age)
            assert alive == pytest.approx(row[f"{key}_p_alive"], rel=1e-10)
            assert alive * model.expected(x, age, 52) == pytest.approx(row[f"{key}_expected_52"], rel=1e-10)
            assert alive * model.alive_end(x, age, 52) == pytest.approx(row[f"{key}_p_alive_end_52"], rel=1e-10)
            none = model.distribution(x, row["t_x"], age, 52, 400)[0]
            assert 1 - none == pytest.approx(row[f"{key}_p_purchase_52"], rel=1e-9)
            assert alive * model.discounted(x, age, 52, delta) == pytest.approx(row[f"{key}_discounted_52"], rel=1e-9)
            forever = alive * model.discounted(x, age, math.inf, delta)
            assert forever == pytest.approx(row[f"{key}_discounted_inf"], rel=1e-9)


def test_hard_points_that_plain_floats_can_do() -> None:
    """Those where lgamma does not cancel: shapes below 1000."""
    names = {"bgnbd": "BGNBD", "mbgnbd": "MBGNBD", "pareto": "ParetoNBD"}
    checked = 0
    with (SHIPPED.golden / "clv" / "hard_points.csv").open() as file:
        for row in csv.DictReader(file):
            parameters = [float(row[name]) for name in ("r", "alpha", "a_or_s", "b_or_beta")]
            if max(parameters) > 1000 or min(parameters) < 1e-3 or int(row["x"]) > 200:
                continue
            model = Purchases(names[row["model"]], *parameters)
            x, t_x, age, horizon = int(row["x"]), *(float(row[name]) for name in ("t_x", "T", "h"))
            assert model.log_likelihood(x, t_x, age) == pytest.approx(float(row["log_likelihood"]), rel=1e-10)
            alive = model.p_alive(x, t_x, age)
            assert alive == pytest.approx(float(row["p_alive"]), rel=1e-9, abs=1e-14)
            wanted = float(row["expected_h"])
            assert alive * model.expected(x, age, horizon) == pytest.approx(wanted, rel=1e-9, abs=1e-14)
            checked += 1
    assert checked > 40
