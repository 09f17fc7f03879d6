"""`custcore.clv` on purchases: summaries and fits in all units, groups."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    StateMismatchError,
)
from tests.clv_cases import CALIBRATION_END, HOLDOUT_DAYS, cut, purchases

COUNTS = ["p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases"]
COLUMNS = [*COUNTS[:4], "expected_spend", "expected_revenue", COUNTS[4], "clv"]


# The summary


def day(n: int) -> date:
    return date(2026, 1, n)


BY_HAND = pa.table(
    {
        "customer_id": ["ann", "ann", "ann", "ann", "bob", "cleo"],
        "timestamp": [day(1), day(1), day(8), day(20), day(4), day(18)],
        "amount": [5.0, 1.0, 3.0, 4.0, 9.0, 2.0],
    }
)


def test_summary_by_hand() -> None:
    found = custcore.clv_summary(BY_HAND, calibration_end=day(15))
    assert found.column_names[5:] == ["x_holdout", "m_holdout", "holdout_days", "x_before", "m_before"]
    assert [tuple(row.values()) for row in found] == [
        ("ann", 1, 7, 14, 3.0, 1, 4.0, 5, 0, None),
        ("bob", 0, 0, 11, None, 0, None, 5, 0, None),
    ]
    types = dict(zip(found.column_names, map(str, found.to_pyarrow().schema.types), strict=True))
    assert (types["x"], types["t_x"], types["T"], types["m_x"]) == ("int32", "int32", "int32", "double")
    whole = custcore.clv_summary(BY_HAND)
    assert whole.column_names == ["customer_id", "x", "t_x", "T", "m_x"]
    assert [row["x"] for row in whole] == [2, 0, 0]
    assert [row["T"] for row in whole] == [19, 16, 2]


def test_names_of_other_tools() -> None:
    lifetimes = custcore.clv_summary(BY_HAND, names="lifetimes")
    assert lifetimes.column_names == ["customer_id", "frequency", "recency", "T", "monetary_value"]
    btyd = custcore.clv_summary(BY_HAND, names="btyd")
    assert btyd.column_names == ["customer_id", "x", "t.x", "T.cal", "m.x"]
    with pytest.raises(
        InvalidArgumentError, match="names='r' is invalid; expected one of 'custcore', 'lifetimes', 'btyd'"
    ):
        custcore.clv_summary(BY_HAND, names="r")  # type: ignore[arg-type]


def test_summary_of_a_base_and_of_transactions(base: custcore.CustomerBase, summary: custcore.Table) -> None:
    found = custcore.clv_summary(purchases(), calibration_end=CALIBRATION_END)
    assert found.equals(summary)
    assert set(summary["holdout_days"]) == {HOLDOUT_DAYS}
    assert found.metadata["custcore.calibration_end"] == CALIBRATION_END


def test_summary_of_order_lines() -> None:
    lines = BY_HAND.append_column("order", pa.array([1, 1, 2, 3, 4, 5]))
    found = custcore.clv_summary(lines, order_id="order")
    assert found.equals(custcore.clv_summary(BY_HAND))


def test_summary_without_amounts_has_no_money() -> None:
    found = custcore.clv_summary(BY_HAND, amount=None, calibration_end=day(15))
    assert found.column_names == ["customer_id", "x", "t_x", "T", "x_holdout", "holdout_days", "x_before"]


def test_a_base_of_totals_has_no_summary() -> None:
    totals = custcore.CustomerBase()
    totals.update(BY_HAND)
    with pytest.raises(StateMismatchError):
        totals.clv_summary()


@pytest.mark.parametrize(("calibration", "holdout"), [(None, day(15)), (day(15), day(15)), (day(15), day(3))])
def test_ends_of_a_summary_that_do_not_fit(calibration: Any, holdout: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="holdout_end"):
        custcore.clv_summary(BY_HAND, calibration_end=calibration, holdout_end=holdout)


def test_a_holdout_beyond_the_data_is_a_remark() -> None:
    found = custcore.clv_summary(BY_HAND, calibration_end=day(15), holdout_end=day(25))
    assert found[0]["holdout_days"] == 10
    assert any("2026-01-25" in remark for remark in found.report.remarks)


# Fits


def test_attributes(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    names = list(model.params_)
    assert names == {"NBD": ["r", "alpha"], "ParetoNBD": ["r", "alpha", "s", "beta"]}.get(
        type(model).__name__, ["r", "alpha", "a", "b"]
    )
    assert all(value > 0 for value in model.params_.values())
    assert (model.status_, model.limit_, model.n_customers_) == ("converged", None, summary.num_rows)
    assert 0 < model.n_cells_ <= summary.num_rows
    assert model.decrement_ <= 1e-6
    assert model.gradient_norm_ <= 1e-4
    assert model.n_evaluations_ > 0
    covariance = np.array(model.covariance_, dtype=float)
    assert (covariance == covariance.T).all()
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    for at, name in enumerate(names):
        width = math.sqrt(covariance[at, at])
        error, ends = model.standard_errors_[name], model.interval_[name]
        assert error == pytest.approx(model.params_[name] * width)
        assert ends is not None
        assert ends[0] < model.params_[name] < ends[1]
        assert math.log(ends[1] / ends[0]) == pytest.approx(2 * 1.959963984540054 * width)
    k = len(names)
    assert model.aic_ == pytest.approx(2 * k - 2 * model.log_likelihood_)
    assert model.bic_ == pytest.approx(k * math.log(summary.num_rows) - 2 * model.log_likelihood_)
    assert CALIBRATION_END in model.fingerprint_


@pytest.mark.parametrize(("unit", "days"), [("day", 1.0), ("month", 30.4375), ("year", 365.25)])
def test_units(model: clv.PurchaseModel, summary: custcore.Table, unit: Any, days: float) -> None:
    """A unit names alpha, beta and the log-likelihood; nothing else changes, not a bit of predictions."""
    other = type(model)(unit=unit).fit(summary)
    for name, value in model.params_.items():
        factor = 7 / days if name in {"alpha", "beta"} else 1.0
        assert other.params_[name] == pytest.approx(value * factor, rel=1e-12)
        error, errors = model.standard_errors_[name], other.standard_errors_
        assert error is not None
        assert errors[name] == pytest.approx(error * factor, rel=1e-12)
    total = sum(summary["x"].to_pylist())
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ + math.log(days / 7) * total, rel=1e-12)
    assert other.log_likelihood(summary) == pytest.approx(other.log_likelihood_, rel=1e-12)
    assert other.covariance_ == model.covariance_
    assert other.predict(summary, 90).equals(model.predict(summary, 90))


def test_the_order_of_rows_does_not_matter(model: clv.PurchaseModel, columns: dict[str, Any]) -> None:
    order = np.random.default_rng(5).permutation(len(columns["x"]))
    for threads in (1, 4):
        again = type(model)(n_threads=threads).fit(cut(columns, order))
        assert again.params_ == model.params_
        assert again.covariance_ == model.covariance_


def test_names_of_columns_do_not_matter(default: clv.MBGNBD, base: custcore.CustomerBase) -> None:
    for names in ("lifetimes", "btyd"):
        other = base.clv_summary(CALIBRATION_END, names=names)  # type: ignore[arg-type]
        assert clv.MBGNBD().fit(other) == default


def test_a_dataframe_of_a_summary(default: clv.MBGNBD, summary: custcore.Table) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (summary.to_pandas(), summary.to_polars(), summary.to_pyarrow()):
        assert clv.MBGNBD().fit(frame).params_ == default.params_
        assert default.predict(frame, 90)["p_alive"].to_pylist() == default.predict(summary, 90)["p_alive"].to_pylist()
    assert pandas
    assert polars


def test_weights_count_rows_several_times(columns: dict[str, Any]) -> None:
    weights = np.arange(len(columns["x"])) % 3 + 1
    weighted = clv.BGNBD().fit({**columns, "n": weights}, "n")
    without_ids = {name: columns[name] for name in ("x", "t_x", "T")}
    repeated = clv.BGNBD().fit(cut(without_ids, np.repeat(np.arange(len(weights)), weights)))
    assert weighted.params_ == pytest.approx(repeated.params_, rel=1e-9)
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-12)
    assert weighted.n_customers_ == weights.sum() == repeated.n_customers_


def test_times_that_are_no_whole_days(default: clv.MBGNBD, columns: dict[str, Any]) -> None:
    weeks = {**columns, "t_x": columns["t_x"] / 7, "T": columns["T"] / 7}
    found = clv.MBGNBD().fit(weeks, unit="week")
    assert found.params_ == pytest.approx(default.params_, rel=1e-5)
    assert found.log_likelihood_ == pytest.approx(default.log_likelihood_, rel=1e-9)
    expected = found.predict(weeks, 90, unit="week").to_numpy("expected_purchases")
    assert expected == pytest.approx(default.predict(columns, 90).to_numpy("expected_purchases"), rel=1e-4)


def test_starts(default: clv.MBGNBD, summary: custcore.Table) -> None:
    one, all_ = default.fit_.starts, clv.MBGNBD(starts="all").fit(summary)
    names = [*(f"start_{name}" for name in default.params_), *default.params_, "log_likelihood", "status", "limit"]
    assert one.column_names == names
    assert len(all_.fit_.starts) == 3 > len(one)
    assert max(all_.fit_.starts["log_likelihood"].to_pylist()) == pytest.approx(all_.log_likelihood_, abs=1e-6)
    assert all_.params_ == pytest.approx(default.params_, rel=1e-4)
    given = clv.MBGNBD(start=default.params_).fit(summary)
    assert [row[f"start_{name}"] for row in given.fit_.starts for name in default.params_] == pytest.approx(
        list(default.params_.values())
    )
    assert given.n_evaluations_ <= default.n_evaluations_
    assert given.params_ == pytest.approx(default.params_, rel=1e-6)


def test_a_prior_moves_the_estimate_and_is_named(default: clv.MBGNBD, summary: custcore.Table) -> None:
    tight = {"alpha": (math.log(default.params_["alpha"]) + 1, 1e-3)}
    found = clv.MBGNBD(prior=tight).fit(summary)
    assert found.params_["alpha"] == pytest.approx(math.e * default.params_["alpha"], rel=1e-2)
    assert found.log_likelihood_ < default.log_likelihood_
    assert any("alpha had a prior" in remark for remark in found.fit_.remarks)
    # The unit of a prior is that of the model.
    in_days = clv.MBGNBD(unit="day", prior={"alpha": (tight["alpha"][0] + math.log(7), 1e-3)}).fit(summary)
    assert in_days.params_["r"] == pytest.approx(found.params_["r"], rel=1e-6)


def test_the_text_of_a_fit(model: clv.PurchaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = repr(model.fit_).splitlines()
    assert lines[0].startswith(f"{type(model).__name__} of 2,000 customers up to {CALIBRATION_END}, ")
    assert "converged" in repr(model.fit_)
    assert all(len(line) <= 80 for line in lines)
    assert all(any(line.startswith(name) for line in lines) for name in model.params_)
    assert repr(model).startswith(f"{type(model).__name__}(unit='week'), r=")


# Groups


@pytest.fixture(scope="module")
def grouped(columns: dict[str, Any]) -> dict[str, Any]:
    names = np.array(["app", "shop", "fair"])
    return {**columns, "channel": names[np.where(np.arange(2_000) % 20 == 0, 2, np.arange(2_000) % 2)]}


def test_groups_have_their_own_parameters(grouped: dict[str, Any]) -> None:
    model = clv.MBGNBD(by="channel", min_customers=200).fit(grouped)
    assert model.fit_.groups["group"].to_pylist() == ["app", "shop"]
    pooled = clv.MBGNBD().fit(grouped)
    assert model.params_ == pooled.params_
    found = model.predict(grouped, 50)
    for name, own in (("app", True), ("shop", True), ("fair", False)):
        rows = grouped["channel"] == name
        alone = clv.MBGNBD().fit(cut(grouped, rows)) if own else pooled
        expected = alone.predict(cut(grouped, rows), 50)["expected_purchases"].to_pylist()
        assert [row["expected_purchases"] for row, chosen in zip(found, rows, strict=True) if chosen] == expected
        row = next(iter(cut(grouped, rows)["x"])), cut(grouped, rows)["t_x"][0], cut(grouped, rows)["T"][0]
        assert model.predict_one(*row, horizon=50, group=name).expected_purchases == expected[0]
    assert model.log_likelihood_ > pooled.log_likelihood_
    assert model.aic_ == pytest.approx(2 * 12 - 2 * model.log_likelihood_)
    assert clv.MBGNBD.from_bytes(model.to_bytes()) == model


def test_groups_that_were_not_in_the_fit(grouped: dict[str, Any]) -> None:
    new = {**grouped, "channel": np.full(2_000, "phone")}
    model = clv.MBGNBD(by="channel", min_customers=200).fit(grouped)
    pooled = clv.MBGNBD().fit(grouped)
    assert model.predict(new, 50)["p_alive"].to_pylist() == pooled.predict(new, 50)["p_alive"].to_pylist()
    strict = clv.MBGNBD(by="channel", min_customers=200, unseen="error").fit(grouped)
    with pytest.raises(InvalidArgumentError, match="phone"):
        strict.predict(new, 50)
