"""`custcore.clv.GammaGamma`: the money of a purchase day."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    BoundaryWarning,
    ConvergenceError,
    InvalidArgumentError,
    InvalidTypeError,
    NotEnoughDataError,
    NotFittedError,
    SmallSampleWarning,
    SpendFrequencyWarning,
)
from tests.clv_cases import CALIBRATION_END, cut, shop, summary_columns

PUBLISHED = {"p": 6.25, "q": 3.74, "gamma": 15.44}


@pytest.fixture(scope="module")
def summary() -> custcore.Table:
    return shop().clv_summary(CALIBRATION_END)


@pytest.fixture(scope="module")
def columns(summary: custcore.Table) -> dict[str, Any]:
    return summary_columns(summary)


@pytest.fixture(scope="module")
def spend(summary: custcore.Table) -> clv.GammaGamma:
    return clv.GammaGamma().fit(summary)


def log_likelihood(x: Any, m: Any, p: float, q: float, gamma: float) -> float:
    """The published form (Fader & Hardie 2013, equation 1a)."""
    return sum(
        math.lgamma(p * k + q)
        - math.lgamma(p * k)
        - math.lgamma(q)
        + q * math.log(gamma)
        + (p * k - 1) * math.log(mean)
        + p * k * math.log(k)
        - (p * k + q) * math.log(gamma + mean * k)
        for k, mean in zip(x.tolist(), m.tolist(), strict=True)
    )


def test_attributes(spend: clv.GammaGamma, columns: dict[str, Any]) -> None:
    again = columns["x"] > 0
    assert list(spend.params_) == ["p", "q", "gamma"]
    assert (spend.status_, spend.limit_, spend.n_customers_) == ("converged", None, again.sum())
    at = log_likelihood(columns["x"][again], columns["m_x"][again], **spend.params_)
    assert spend.log_likelihood_ == pytest.approx(at, rel=1e-9)
    # A maximum: nothing near is better.
    for name in spend.params_:
        for factor in (0.98, 1.02):
            other = {**spend.params_, name: spend.params_[name] * factor}
            assert log_likelihood(columns["x"][again], columns["m_x"][again], **other) < at
    assert spend.aic_ == pytest.approx(6 - 2 * spend.log_likelihood_)
    assert spend.decrement_ <= 1e-6
    errors = spend.standard_errors_
    assert all(error is not None and error > 0 for error in errors.values())
    for name, true in (("p", 6.0), ("q", 4.0)):
        assert abs(spend.params_[name] - true) < 4 * errors[name]  # type: ignore[operator]


def test_predictions(spend: clv.GammaGamma, summary: custcore.Table) -> None:
    found = spend.predict(summary)
    assert found.column_names == ["customer_id", "expected_spend"]
    p, q, gamma = spend.params_.values()
    for row, customer in zip(found, summary, strict=True):
        x, m = customer["x"], customer["m_x"] or 0.0
        assert row["expected_spend"] == pytest.approx(p * (gamma + x * m) / (p * x + q - 1), rel=1e-12)
        assert row["expected_spend"] == spend.predict_one(x, customer["m_x"])
    once = summary.to_numpy("x") == 0
    assert len(set(found.to_numpy("expected_spend")[once])) == 1


def test_the_published_customers() -> None:
    """Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", section 5: CDNOW."""
    spend = clv.GammaGamma.of_parameters(PUBLISHED)
    assert spend.predict_one(0) == pytest.approx(6.25 * 15.44 / 2.74)
    assert spend.predict_one(2, 22.35) == pytest.approx(24.66, abs=0.05)
    assert spend.status_ == "given"
    with pytest.raises(NotFittedError, match="were given"):
        _ = spend.standard_errors_


def test_customers_without_money(spend: clv.GammaGamma, columns: dict[str, Any]) -> None:
    """They are left out of the fit, counted with their money, and predicted as customers with x = 0."""
    free = {name: values.copy() for name, values in columns.items()}
    rows = np.flatnonzero(free["x"] > 0)[:3]
    free["m_x"][rows] = [0.0, -2.5, -1.0]
    found = clv.GammaGamma().fit(free)
    money = float((free["m_x"][rows] * free["x"][rows]).sum())
    assert found.n_customers_ == spend.n_customers_ - 3
    assert (found.fit_.customers_left_out, found.fit_.money_left_out) == (3, pytest.approx(money))
    assert any(remark.startswith("3 customers with repeat purchases") for remark in found.fit_.remarks)
    assert {found.predict_one(int(free["x"][row]), float(free["m_x"][row])) for row in rows} == {found.predict_one(0)}
    kept = np.setdiff1d(np.arange(len(free["x"])), rows)
    assert clv.GammaGamma().fit(cut(free, kept)).params_ == found.params_


def test_independence_is_always_looked_at(spend: clv.GammaGamma, columns: dict[str, Any]) -> None:
    again = columns["x"] > 0
    x, m = columns["x"][again], columns["m_x"][again]
    assert spend.fit_.pearson == pytest.approx(np.corrcoef(x, m)[0, 1], rel=1e-9)
    stats = pytest.importorskip("scipy.stats")
    assert spend.fit_.spearman == pytest.approx(stats.spearmanr(x, m).statistic, rel=1e-9)
    table = spend.fit_.mean_by_x
    assert table["x"].to_pylist() == ["1", "2", "3", "4-6", "7-12", "13+"]
    assert table["customers"].to_pylist() == [
        *((x == k).sum() for k in (1, 2, 3)),
        ((x >= 4) & (x <= 6)).sum(),
        ((x >= 7) & (x <= 12)).sum(),
        (x >= 13).sum(),
    ]
    assert table[0]["mean_spend"] == pytest.approx(m[x == 1].mean(), rel=1e-12)
    assert "Spearman" in repr(spend.fit_)


@pytest.mark.parametrize(("power", "word"), [(0.8, "more"), (-0.8, "less")])
def test_dependence_is_warned_of(power: float, word: str) -> None:
    summary = shop(spend_by_rate=power).clv_summary(CALIBRATION_END)
    with pytest.warns(SpendFrequencyWarning, match=rf"spend {word} per purchase .*spend='own_mean'"):
        found = clv.GammaGamma().fit(summary)
    assert found.status_ == "converged"
    assert abs(found.fit_.spearman or 0) > 0.3


def test_an_infinite_mean_is_null_and_warned_of() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 6, 3_000)
    m = rng.gamma(6.0 * x) * 15.0 / rng.gamma(0.7, size=3_000) / x
    with pytest.warns(BoundaryWarning, match="the mean of all customers is infinite"):
        found = clv.GammaGamma().fit({"x": x, "t_x": 9 * x, "T": np.full(3_000, 90), "m_x": m})
    assert found.params_["q"] < 1
    assert found.predict_one(0) is None
    assert found.predict_one(3, 20.0) is not None
    two = {"x": np.array([0, 3]), "t_x": np.array([0, 9]), "T": np.array([9, 9]), "m_x": np.array([math.nan, 2.0])}
    table = found.predict(two)
    assert table["expected_spend"].to_pylist()[0] is None


def test_too_few_customers(columns: dict[str, Any]) -> None:
    with pytest.raises(NotEnoughDataError):
        clv.GammaGamma().fit(cut(columns, columns["x"] == 0))
    again = np.flatnonzero(columns["x"] > 0)
    with pytest.raises(NotEnoughDataError):
        clv.GammaGamma().fit(cut(columns, again[:1]))
    with pytest.warns(SmallSampleWarning, match="45 customers bought again"):
        clv.GammaGamma().fit(cut(columns, again[:45]))


def test_a_summary_without_amounts(columns: dict[str, Any]) -> None:
    without = {name: columns[name] for name in ("customer_id", "x", "t_x", "T")}
    with pytest.raises(InvalidArgumentError, match="the summary has no column m_x"):
        clv.GammaGamma().fit(without)


def test_weights(columns: dict[str, Any]) -> None:
    weights = np.arange(len(columns["x"])) % 2 + 1
    weighted = clv.GammaGamma().fit({**columns, "n": weights}, "n")
    without_ids = {name: columns[name] for name in ("x", "t_x", "T", "m_x")}
    repeated = clv.GammaGamma().fit(cut(without_ids, np.repeat(np.arange(len(weights)), weights)))
    assert weighted.params_ == pytest.approx(repeated.params_, rel=1e-6)


def test_saved_models(spend: clv.GammaGamma, summary: custcore.Table, tmp_path: Path) -> None:
    spend.save(tmp_path / "spend.json")
    for loaded in (clv.GammaGamma.load(tmp_path / "spend.json"), pickle.loads(pickle.dumps(spend))):
        assert loaded == spend
        assert repr(loaded.fit_) == repr(spend.fit_)
        assert loaded.predict(summary).equals(spend.predict(summary))
    assert clv.GammaGamma() != spend
    settings = {"start": PUBLISHED, "prior": {"q": (1.0, 5.0)}, "max_iter": 50, "on_failure": "warn"}
    other = clv.GammaGamma(**settings)  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(other)) == other
    assert other.settings == {**settings, "n_threads": None}
    assert clv.GammaGamma.from_bytes(other.fit(summary).to_bytes()).settings == other.settings


def test_starts(spend: clv.GammaGamma, summary: custcore.Table) -> None:
    assert spend.fit_.starts["status"].to_pylist()[0] == "converged"
    given = clv.GammaGamma(start=spend.params_).fit(summary)
    assert len(given.fit_.starts) == 1
    assert given.params_ == pytest.approx(spend.params_, rel=1e-4)


def test_a_failure(summary: custcore.Table) -> None:
    with pytest.raises(ConvergenceError, match="the fit of GammaGamma found no maximum") as error:
        clv.GammaGamma(max_iter=1, start={"p": 90.0, "q": 0.1, "gamma": 1.0}).fit(summary)
    assert error.value.params is not None


def test_arguments() -> None:
    with pytest.raises(InvalidArgumentError, match="expected all of p, q, gamma"):
        clv.GammaGamma.of_parameters({"p": 1.0})
    with pytest.raises(InvalidTypeError, match=r"m_x='a' is str; expected a number"):
        clv.GammaGamma.of_parameters(PUBLISHED).predict_one(1, "a")  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match=r"x=1.5 is float; expected an integer"):
        clv.GammaGamma.of_parameters(PUBLISHED).predict_one(1.5, 2.0)  # type: ignore[arg-type]
    with pytest.raises(NotFittedError, match="this GammaGamma is not fitted yet"):
        clv.GammaGamma().predict_one(0)
    with pytest.raises(TypeError, match=r"GammaGamma\(\) has no argument 'maxiter'; did you mean 'max_iter'"):
        clv.GammaGamma(maxiter=3)  # type: ignore[call-arg]
