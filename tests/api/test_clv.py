"""`custcore.clv` on purchases: fits in all units, predictions, files, checks, comparisons."""

from __future__ import annotations

import copy
import math
import pickle
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotFittedError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.clv_cases import CALIBRATION_END, HOLDOUT_DAYS, LAST_DAY, cut, purchases, shop, summary_columns

MODELS = [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.NBD]
COUNTS = ["p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases"]
COLUMNS = [*COUNTS[:4], "expected_spend", "expected_revenue", COUNTS[4], "clv"]


@pytest.fixture(scope="module")
def base() -> custcore.CustomerBase:
    return shop()


@pytest.fixture(scope="module")
def summary(base: custcore.CustomerBase) -> custcore.Table:
    return base.clv_summary(CALIBRATION_END)


@pytest.fixture(scope="module")
def columns(summary: custcore.Table) -> dict[str, Any]:
    return summary_columns(summary)


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model.__name__)
def model(request: pytest.FixtureRequest, summary: custcore.Table) -> clv.PurchaseModel:
    fitted: clv.PurchaseModel = request.param().fit(summary)
    return fitted


@pytest.fixture(scope="module")
def default(summary: custcore.Table) -> clv.MBGNBD:
    return clv.MBGNBD().fit(summary)


def nulls(table: custcore.Table, name: str) -> int:
    return table[name].to_pylist().count(None)


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


# Predictions


def test_columns_of_predictions(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    found = model.predict(summary, "12w")
    assert found.column_names == ["customer_id", *COLUMNS]
    assert found["customer_id"].to_pylist() == summary["customer_id"].to_pylist()
    assert {str(found.to_pyarrow().schema.field(name).type) for name in COLUMNS} == {"double"}
    assert {nulls(found, name) for name in COLUMNS if name not in COUNTS} == {len(found)}
    p_alive, expected, p_purchase, p_end, discounted = (found.to_numpy(name) for name in COUNTS)
    assert ((p_alive >= 0) & (p_alive <= 1) & (p_end <= p_alive) & (p_purchase <= p_alive)).all()
    assert ((p_purchase <= expected) & (discounted <= expected) & (discounted >= 0)).all()
    once = summary.to_numpy("x") == 0
    if isinstance(model, clv.BGNBD | clv.NBD):
        assert (p_alive[once] == 1).all()
    else:
        assert (p_alive[once] < 1).all()


def test_all_columns(default: clv.MBGNBD, summary: custcore.Table) -> None:
    spend = clv.GammaGamma().fit(summary)
    found = default.predict(summary, [30, "1y"], spend=spend, margin=0.5, level=0.9)
    assert found.column_names == [
        *("customer_id", "horizon_days", "p_alive", "expected_purchases", "p_purchase", "p_alive_end"),
        *("expected_spend", "expected_revenue", "discounted_purchases", "clv", "purchases_low", "purchases_high"),
    ]
    n = summary.num_rows
    assert len(found) == 2 * n
    assert found["horizon_days"].to_pylist() == [30.0] * n + [365.25] * n
    purchases, spent, revenue, present, value = (
        found.to_numpy(name)
        for name in ("expected_purchases", "expected_spend", "expected_revenue", "discounted_purchases", "clv")
    )
    assert revenue == pytest.approx(purchases * spent, rel=1e-15)
    assert value == pytest.approx(0.5 * spent * present, rel=1e-15)
    assert found["expected_spend"][:n].to_pylist() == spend.predict(summary)["expected_spend"].to_pylist()
    low, high = found.to_numpy("purchases_low"), found.to_numpy("purchases_high")
    assert str(found.to_pyarrow().schema.field("purchases_low").type) == "int64"
    assert ((low >= 0) & (low <= high)).all()
    assert ((low <= purchases + 1) & (purchases <= high + 1)).all()
    assert (
        found[:n]
        .select([*found.column_names[:1], *found.column_names[2:]])
        .equals(default.predict(summary, timedelta(days=30), spend=spend, margin=0.5, level=0.9))
    )


def test_no_end(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    found = model.predict(summary, None, spend="own_mean", annual_rate=0.2)
    assert [name for name in found.column_names if nulls(found, name) == len(found)] == [
        *("expected_purchases", "p_purchase", "p_alive_end", "expected_revenue")
    ]
    long = model.predict(summary, "100y", annual_rate=0.2).to_numpy("discounted_purchases")
    assert found.to_numpy("discounted_purchases") == pytest.approx(long, rel=1e-6)
    with pytest.raises(InvalidArgumentError, match="annual_rate=0 needs a horizon"):
        model.predict(summary, [30, None], annual_rate=0)


def test_own_mean(default: clv.MBGNBD, summary: custcore.Table) -> None:
    found = default.predict(summary, 30, spend="own_mean")
    assert found["expected_spend"].to_pylist() == summary["m_x"].to_pylist()
    assert nulls(found, "clv") == nulls(found, "expected_spend") == (summary.to_numpy("x") == 0).sum()


def test_discounting(default: clv.MBGNBD, summary: custcore.Table) -> None:
    def present(**options: Any) -> Any:
        return default.predict(summary, "1y", **options).to_numpy("discounted_purchases")

    expected = default.predict(summary, "1y").to_numpy("expected_purchases")
    assert present(annual_rate=0) == pytest.approx(expected, rel=1e-9)
    at_ends, at_once = present(discount="monthly"), present()
    assert (at_ends < at_once).all()
    assert at_ends == pytest.approx(at_once, rel=0.006)
    assert present(period_days=30.4375, period_rate=1.1 ** (1 / 12) - 1) == pytest.approx(at_ends, rel=1e-12)


def test_cells(default: clv.MBGNBD, summary: custcore.Table) -> None:
    found = default.predict(summary, 60, cells=True)
    assert found.column_names == ["x", "t_x", "T", "n_customers", *COUNTS]
    assert len(found) == default.n_cells_
    assert sum(found["n_customers"]) == summary.num_rows
    by_cell = {(row["x"], row["t_x"], row["T"]): row["expected_purchases"] for row in found}
    each = default.predict(summary, 60)["expected_purchases"].to_pylist()
    assert each == [by_cell[row["x"], row["t_x"], row["T"]] for row in summary]
    with pytest.raises(InvalidArgumentError, match="cells=True has no customers"):
        default.predict(summary, 60, cells=True, spend="own_mean")


def test_a_later_day(default: clv.MBGNBD, summary: custcore.Table, columns: dict[str, Any]) -> None:
    """Nobody has bought since, so everybody is older."""
    later = date.fromisoformat(CALIBRATION_END) + timedelta(days=30)
    found = default.predict(summary, 60, as_of=later)
    by_hand = default.predict({**columns, "T": columns["T"] + 30}, 60)
    assert [found[name].to_pylist() for name in COLUMNS] == [by_hand[name].to_pylist() for name in COLUMNS]
    with pytest.raises(InvalidArgumentError):
        default.predict(summary, 60, as_of="2024-01-01")


def test_one_customer_is_the_same_to_the_bit(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    spend = clv.GammaGamma().fit(summary)
    part = summary[:150]
    for options in ({}, {"discount": "monthly", "margin": 0.3, "level": 0.8}, {"annual_rate": 0.3}):
        for horizon in (0, 45, "2y", None):
            rows = model.predict(part, horizon, spend=spend, **options).to_pylist()  # type: ignore[arg-type]
            for customer, row in zip(part, rows, strict=True):
                one = model.predict_one(
                    customer["x"],
                    customer["t_x"],
                    customer["T"],
                    customer["m_x"],
                    horizon=horizon,
                    spend=spend,
                    **options,  # type: ignore[arg-type]
                )
                found = {name: value for name, value in one._asdict().items() if name in row}
                assert found == {name: row[name] for name in found}
                assert set(found) == set(row) - {"customer_id"}


def test_new_customers(model: clv.PurchaseModel) -> None:
    new = model.new_customers([30, 365, None])
    assert new.column_names == ["horizon_days", *COLUMNS]
    one = model.predict_one(0, 0, 0, horizon=365)
    assert new[1] == {"horizon_days": 365.0} | {name: getattr(one, name) for name in COLUMNS}
    assert model.new_customers(365)[0] == {name: value for name, value in new[1].items() if name != "horizon_days"}
    first = model.new_customers(365, include_first=True)[0]
    assert first["expected_purchases"] == pytest.approx(new[1]["expected_purchases"] + 1, rel=1e-15)


def test_given_parameters(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    given = type(model).of_parameters(model.params_)
    assert given.status_ == "given"
    assert given.params_ == pytest.approx(model.params_, rel=1e-15)
    found, fitted = (m.predict(summary, 90).to_numpy("expected_purchases") for m in (given, model))
    assert found == pytest.approx(fitted, rel=1e-12)
    with pytest.raises(NotFittedError, match=r"the parameters of this .* were given"):
        _ = given.log_likelihood_
    again = type(given).from_bytes(given.to_bytes())
    assert again == given
    assert again != model


def test_the_published_customer() -> None:
    """Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way": CDNOW, 1.226 purchases in 39 weeks."""
    model = clv.BGNBD.of_parameters({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, unit="week")
    found = model.predict_one(2, 30.43 * 7, 38.86 * 7, horizon="39w")
    assert found.expected_purchases == pytest.approx(1.226, abs=5e-4)
    days = clv.BGNBD.of_parameters({"r": 0.243, "alpha": 4.414 * 7, "a": 0.793, "b": 2.426}, unit="day")
    assert days.predict_one(2, 30.43 * 7, 38.86 * 7, horizon=273).expected_purchases == found.expected_purchases


def test_totals(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    found = model.total(summary, [30, 100])
    assert found.column_names == [
        *("horizon_days", "customers", "expected_purchases", "standard_error", "parameter_error", "low", "high")
    ]
    for row in found:
        expected = model.predict(summary, row["horizon_days"]).to_numpy("expected_purchases").sum()
        assert row["expected_purchases"] == pytest.approx(expected, rel=1e-12)
        assert row["high"] - row["low"] == pytest.approx(2 * 1.959964 * row["standard_error"], rel=1e-6)
        # At least what customers vary by themselves.
        assert row["standard_error"] > math.hypot(math.sqrt(expected), row["parameter_error"])
        assert row["parameter_error"] > 0
    with pytest.raises(InvalidArgumentError, match="horizon=None has no end"):
        model.total(summary, None)


def test_simulations(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    total = model.total(summary, 100)[0]
    found = model.simulate(summary, 100, seed=7, n=300)
    assert found.column_names == ["simulation", "purchases"]
    assert found["simulation"].to_pylist() == list(range(1, 301))
    drawn = found.to_numpy("purchases")
    assert drawn.mean() == pytest.approx(total["expected_purchases"], abs=4 * drawn.std() / math.sqrt(300))
    assert found.equals(model.simulate(summary, 100, seed=7, n=300))
    assert not found.equals(model.simulate(summary, 100, seed=8, n=300))
    wider = model.simulate(summary, 100, seed=7, n=300, parameters="drawn").to_numpy("purchases")
    assert wider.std() == pytest.approx(total["standard_error"], rel=0.2)
    given = type(model).of_parameters(model.params_)
    with pytest.raises(NotFittedError):
        given.simulate(summary, 100, seed=1, parameters="drawn")


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


# Files and copies


def test_saved_models(model: clv.PurchaseModel, summary: custcore.Table, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    model.save(path)
    for loaded in (
        type(model).load(path),
        clv.PurchaseModel.load(path),
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
    ):
        assert type(loaded) is type(model)
        assert loaded == model
        assert loaded.settings == model.settings
        assert repr(loaded.fit_) == repr(model.fit_)
        assert loaded.predict(summary, [9, None]).equals(model.predict(summary, [9, None]))
    assert model.to_bytes() == type(model).load(path).to_bytes()


def test_settings_are_saved(summary: custcore.Table) -> None:
    settings: dict[str, Any] = {
        "unit": "month",
        "min_customers": 300,
        "unseen": "error",
        "start": {"r": 1.0, "alpha": 3.0, "s": 0.5, "beta": 2.0},
        "starts": "auto",
        "prior": {"r": (0.0, 10.0), "beta": (0.5, 9.0)},
        "max_iter": 77,
        "on_failure": "warn",
    }
    model = clv.ParetoNBD(**settings)
    assert {name: model.settings[name] for name in settings} == settings
    assert pickle.loads(pickle.dumps(model)) == model == clv.ParetoNBD(**model.settings)
    fitted = model.fit(summary)
    loaded = clv.ParetoNBD.from_bytes(fitted.to_bytes())
    assert loaded == fitted
    assert loaded.settings == fitted.settings
    assert fitted != clv.ParetoNBD(**{**settings, "max_iter": 78}).fit(summary)


def test_models_of_another_kind(default: clv.MBGNBD) -> None:
    with pytest.raises(ModelFormatError, match="the model is a MBGNBD; expected BGNBD"):
        clv.BGNBD.from_bytes(default.to_bytes())
    with pytest.raises(ModelFormatError):
        clv.GammaGamma.from_bytes(default.to_bytes())
    with pytest.raises(InvalidTypeError, match="make one of them"):
        clv.PurchaseModel()
    with pytest.raises(ModelFormatError):
        clv.PurchaseModel.from_bytes(custcore.SegmentMap.named("rf10").to_bytes())
    with pytest.raises(ModelFormatError):
        clv.MBGNBD.from_bytes(default.to_bytes()[:-20])


def test_models_are_equal_or_not(default: clv.MBGNBD, summary: custcore.Table) -> None:
    assert clv.MBGNBD() == clv.MBGNBD(n_threads=2) != clv.BGNBD()
    assert clv.MBGNBD() != default
    assert default == clv.MBGNBD().fit(summary)
    assert default != clv.MBGNBD(unit="day").fit(summary)
    assert default != 1


# Checks


def test_evaluation(model: clv.PurchaseModel, summary: custcore.Table) -> None:
    found = model.evaluate(summary)
    rows = [row for row in found.summary() if row["measure"] == "purchases"]
    assert [row["model"] for row in rows] == [type(model).__name__, "zero", "own_rate", "same_as_before"]
    actual, expected = (
        summary.to_numpy("x_holdout"),
        model.predict(summary, HOLDOUT_DAYS).to_numpy("expected_purchases"),
    )
    first, zero, rate = rows[:3]
    assert (first["customers"], first["days"], first["actual"]) == (summary.num_rows, HOLDOUT_DAYS, actual.sum())
    assert first["expected"] == pytest.approx(expected.sum(), rel=1e-12)
    assert first["total_error"] == pytest.approx(expected.sum() / actual.sum() - 1, rel=1e-9)
    assert first["mae"] == pytest.approx(np.abs(expected - actual).mean(), rel=1e-12)
    assert first["rmse"] == pytest.approx(math.sqrt(((expected - actual) ** 2).mean()), rel=1e-12)
    assert first["bias"] == pytest.approx((expected - actual).mean(), abs=1e-12)
    p = model.predict(summary, HOLDOUT_DAYS).to_numpy("p_purchase")
    assert first["brier"] == pytest.approx(((p - (actual > 0)) ** 2).mean(), rel=1e-12)
    assert 0.5 < first["auc"] < 1
    assert (zero["expected"], zero["rmse"]) == (0, pytest.approx(math.sqrt((actual**2).mean())))
    x, age = summary.to_numpy("x"), summary.to_numpy("T")
    own = np.where(age > 0, x * HOLDOUT_DAYS / np.maximum(age, 1), 0)
    assert rate["rmse"] == pytest.approx(math.sqrt(((own - actual) ** 2).mean()), rel=1e-9)
    by_x = found.by_x().to_pylist()
    assert [row["x"] for row in by_x] == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert [row["customers"] for row in by_x] == [*((x == n).sum() for n in range(7)), (x >= 7).sum()]
    assert by_x[0]["expected_mean"] == pytest.approx(expected[x == 0].mean(), rel=1e-9)
    assert pickle.loads(pickle.dumps(found)).summary().equals(found.summary())
    assert repr(found).startswith(f"Evaluation of {type(model).__name__} in the 100")


def test_evaluation_of_money(default: clv.MBGNBD, summary: custcore.Table) -> None:
    found = default.evaluate(summary, spend=clv.GammaGamma().fit(summary)).summary()
    revenue = next(row for row in found if row["measure"] == "revenue" and row["model"] == "MBGNBD")
    spent = np.nan_to_num(summary.to_numpy("m_holdout")) * summary.to_numpy("x_holdout")
    assert revenue["actual"] == pytest.approx(spent.sum(), rel=1e-12)
    assert revenue["total_error"] == pytest.approx(revenue["expected"] / revenue["actual"] - 1)


def test_a_model_that_does_not_beat_simple_rules_is_named(summary: custcore.Table) -> None:
    wild = clv.NBD.of_parameters({"r": 50.0, "alpha": 5.0})
    found = wild.evaluate(summary)
    assert any("does not beat zero and own_rate" in remark for remark in found.report.remarks)
    assert "does not beat" in repr(found)
    good = clv.MBGNBD().fit(summary).evaluate(summary)
    assert not any("does not beat" in remark for remark in good.report.remarks)


def test_evaluation_needs_a_holdout(default: clv.MBGNBD, base: custcore.CustomerBase) -> None:
    with pytest.raises(InvalidArgumentError, match=r"has no hold-out .* base.clv_summary\(calibration_end=...\)"):
        default.evaluate(base.clv_summary())


def test_tracking(model: clv.PurchaseModel, base: custcore.CustomerBase, summary: custcore.Table) -> None:
    found = model.tracking(base)
    assert found.column_names == [
        *("period_start", "period_end", "is_complete", "in_calibration", "actual", "expected"),
        *("actual_cumulative", "expected_cumulative", "expected_low", "expected_high"),
    ]
    rows = found.to_pylist()
    assert rows[0]["period_start"] == date(2024, 1, 1)
    assert all(row["period_end"] - row["period_start"] == timedelta(days=6) for row in rows[:-1])
    assert rows[-1]["period_end"] == date.fromisoformat(LAST_DAY)
    assert [row["is_complete"] for row in rows] == [True] * (len(rows) - 1) + [False]
    assert rows[-1]["actual_cumulative"] == sum(summary["x"]) + sum(summary["x_holdout"])
    assert sum(row["actual"] for row in rows) == rows[-1]["actual_cumulative"]
    assert all(row["expected_low"] <= row["expected"] <= row["expected_high"] for row in rows)
    assert [row["in_calibration"] for row in rows] == [str(row["period_end"]) <= CALIBRATION_END for row in rows]
    longer = model.tracking(base, "4w", CALIBRATION_END, LAST_DAY)
    assert longer[0]["actual_cumulative"] == rows[3]["actual_cumulative"]
    assert longer[0]["expected_cumulative"] == pytest.approx(rows[3]["expected_cumulative"], rel=1e-12)
    for period in (0, 1.5, "1mo"):
        with pytest.raises(InvalidArgumentError, match="expected whole days"):
            model.tracking(base, period)


def test_tracking_needs_the_end_of_calibration(base: custcore.CustomerBase, columns: dict[str, Any]) -> None:
    elsewhere = clv.NBD().fit(columns)
    with pytest.raises(InvalidArgumentError, match="calibration_end is not given"):
        elsewhere.tracking(base)
    assert len(elsewhere.tracking(base, calibration_end=CALIBRATION_END)) == 58


def test_comparison(summary: custcore.Table, model: clv.PurchaseModel) -> None:
    models = [clv.BGNBD(), clv.ParetoNBD(starts="all"), clv.NBD(), clv.MBGNBD()]
    found = clv.compare(models, summary)
    assert found["model"].to_pylist() == ["BGNBD", "ParetoNBD", "NBD", "MBGNBD"]
    row = next(row for row in found if row["model"] == type(model).__name__)
    measured = next(row for row in model.evaluate(summary).summary() if row["measure"] == "purchases")
    assert {name: row[name] for name in model.params_} == pytest.approx(model.params_, rel=1e-6)
    assert row["log_likelihood"] == pytest.approx(model.log_likelihood_, abs=1e-6)
    assert row["rmse"] == pytest.approx(measured["rmse"], rel=1e-6)
    assert row["n_parameters"] == len(model.params_)
    nbd = found[2]
    assert nbd["likelihood_ratio"] is None
    assert nbd["s"] is None
    for other in found:
        if other["model"] != "NBD":
            gain = other["log_likelihood"] - nbd["log_likelihood"]
            assert other["likelihood_ratio"] == pytest.approx(2 * gain, rel=1e-12)
            assert gain > 0
    assert models[0] == clv.BGNBD()  # compare does not change them


def test_comparisons_read_any_table(base: custcore.CustomerBase) -> None:
    summary = base.clv_summary()
    expected = clv.compare([clv.NBD(), clv.MBGNBD()], summary)
    assert clv.compare([clv.NBD(), clv.MBGNBD()], summary.to_pyarrow().to_reader()).equals(expected)
    weeks = {"x": summary.to_numpy("x"), "t_x": summary.to_numpy("t_x") / 7, "T": summary.to_numpy("T") / 7}
    found = clv.compare([clv.NBD(), clv.MBGNBD()], weeks, unit="week")
    assert found.to_numpy("log_likelihood") == pytest.approx(expected.to_numpy("log_likelihood"), rel=1e-9)


def test_a_comparison_without_a_holdout(base: custcore.CustomerBase) -> None:
    found = clv.compare([clv.MBGNBD()], base.clv_summary())
    assert "rmse" not in found.column_names
    assert found[0]["likelihood_ratio"] > 0


def test_arguments_of_comparisons(summary: custcore.Table) -> None:
    with pytest.raises(InvalidArgumentError, match="the models have the units week, day"):
        clv.compare([clv.NBD(), clv.NBD(unit="day")], summary)
    with pytest.raises(InvalidArgumentError, match="models is empty"):
        clv.compare([], summary)
    with pytest.raises(InvalidTypeError, match=r"models\[0\] is the class NBD; pass a model, NBD\(\)"):
        clv.compare([clv.NBD], summary)  # type: ignore[list-item]
    with pytest.raises(InvalidTypeError, match=r"models\[0\] is GammaGamma"):
        clv.compare([clv.GammaGamma()], summary)  # type: ignore[list-item]


def test_backtest(base: custcore.CustomerBase, default: clv.MBGNBD, summary: custcore.Table) -> None:
    ends = ["2024-07-01", "2024-10-26"]
    found = clv.backtest(base, default, ends, HOLDOUT_DAYS)
    assert [str(day) for day in found["calibration_end"]] == ends
    assert str(found[1]["holdout_end"]) == LAST_DAY
    row = found[1]
    assert {name: row[name] for name in default.params_} == default.params_
    assert row["log_likelihood"] == default.log_likelihood_
    assert (row["customers"], row["status"], row["s"]) == (summary.num_rows, "converged", None)
    measured = [row for row in default.evaluate(summary).summary() if row["measure"] == "purchases"]
    assert row["rmse"] == measured[0]["rmse"]
    assert row["beats_own_rate"] == (measured[0]["rmse"] < measured[2]["rmse"])
    assert row["beats_zero"] is True
    assert str(found.to_pyarrow().schema.field("calibration_end").type) == "date32[day]"
    # What comes later changes nothing.
    early = custcore.CustomerBase(track="days")
    data = purchases()
    kept = data["timestamp"] <= np.datetime64("2024-10-09")
    early.update(cut(data, kept))
    assert clv.backtest(early, default, ends[:1], HOLDOUT_DAYS).equals(found[:1])


def test_arguments_of_backtests(base: custcore.CustomerBase) -> None:
    model = clv.NBD()
    with pytest.raises(InvalidArgumentError, match="after the last day of the base"):
        clv.backtest(base, model, ["2024-12-31"], "12w")
    with pytest.raises(InvalidArgumentError, match="calibration_ends is empty"):
        clv.backtest(base, model, [], 30)
    with pytest.raises(InvalidTypeError, match="calibration_ends is str; expected a list of dates"):
        clv.backtest(base, model, "2024-12-31", 30)
    with pytest.raises(InvalidArgumentError, match="horizon=0 is less than a day"):
        clv.backtest(base, model, ["2024-10-01"], 0)
    with pytest.raises(InvalidTypeError, match="model is ChurnModel; expected a model of purchases"):
        clv.backtest(base, custcore.ChurnModel(), ["2024-10-01"], 30)  # type: ignore[arg-type]
    assert clv.backtest(base, model, ["2024-10-01"], "1mo")[0]["holdout_end"] == date(2024, 10, 31)


# Arguments


def test_horizons() -> None:
    model = clv.NBD.of_parameters({"r": 1.0, "alpha": 1.0})

    def expected(horizon: Any) -> float | None:
        return model.predict_one(3, 5, 9, horizon=horizon).expected_purchases

    assert expected("12w") == expected(84) == expected(84.0) == expected(timedelta(weeks=12)) == expected(" 12 w ")
    assert expected("6mo") == expected(182.625)
    assert expected("1y") == expected(365.25) == expected(np.float64(365.25))
    assert expected(np.timedelta64(84, "D")) == expected(np.int64(84)) == expected("84d")
    assert expected("0.5w") == expected(timedelta(hours=84))
    assert expected(None) is None


@pytest.mark.parametrize(
    ("horizon", "error", "says"),
    [
        (-1, InvalidArgumentError, "horizon=-1 is negative; expected days, a timedelta"),
        (timedelta(days=-1), InvalidArgumentError, "is negative"),
        (math.nan, InvalidArgumentError, "horizon=nan is invalid"),
        (math.inf, InvalidArgumentError, "or None for no end"),
        ("3m", InvalidArgumentError, "units d, w, mo, y"),
        ("w", InvalidArgumentError, "is not a length of time"),
        (True, InvalidTypeError, "horizon=True is bool"),
        (b"12w", InvalidTypeError, "is bytes"),
        (1e9, OutOfRangeError, "more than 1,000,000 days"),
        (np.timedelta64(3, "M"), InvalidArgumentError, "has no length in days"),
    ],
)
def test_horizons_that_are_none(horizon: Any, error: type[Exception], says: str) -> None:
    model = clv.NBD.of_parameters({"r": 1.0, "alpha": 1.0})
    with pytest.raises(error, match=says) as raised:
        model.predict_one(3, 5, 9, horizon=horizon)
    assert isinstance(raised.value, ValueError | TypeError)


def test_lists_of_horizons(default: clv.MBGNBD, summary: custcore.Table) -> None:
    assert default.predict(summary[:2], [30])["horizon_days"].to_pylist() == [30.0, 30.0]
    with pytest.raises(InvalidArgumentError, match="horizon is empty"):
        default.predict(summary, [])
    with pytest.raises(InvalidArgumentError, match=r"horizon\[1\]=-2 is negative"):
        default.predict(summary, [1, -2])
    with pytest.raises(InvalidArgumentError, match="names a horizon twice"):
        default.predict(summary, [7, "1w"])


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (
            {"unit": "weeks"},
            InvalidArgumentError,
            "unit='weeks' is invalid; expected one of 'day', 'week', 'month', 'year'",
        ),
        ({"by": 3}, InvalidTypeError, "by=3 is int; expected a string"),
        ({"min_customers": 0}, InvalidArgumentError, "min_customers=0 is invalid"),
        ({"unseen": "x"}, InvalidArgumentError, "expected one of 'global', 'error'"),
        ({"starts": 3}, InvalidTypeError, "starts=3 is int"),
        ({"start": {"r": 1.0}}, InvalidArgumentError, "expected all of r, alpha, a, b"),
        ({"start": [1, 2, 3, 4]}, InvalidTypeError, "expected a dict of r, alpha, a, b"),
        ({"start": {"r": 0, "alpha": 1, "a": 1, "b": 1}}, InvalidArgumentError, r"start\['r'\]=0.0 is invalid"),
        ({"prior": {"s": (0, 1)}}, InvalidArgumentError, "prior has 's'; the parameters are r, alpha, a, b"),
        ({"prior": {"r": 1}}, InvalidTypeError, r"prior\['r'\]=1; expected \(mean, standard deviation\)"),
        ({"prior": {"r": (0, 0)}}, InvalidArgumentError, r"prior\['r'\]\[1\]=0.0 is invalid"),
        ({"max_iter": 0}, InvalidArgumentError, "max_iter=0 is invalid"),
        ({"on_failure": "ignore"}, InvalidArgumentError, "expected one of 'error', 'warn'"),
        ({"n_threads": "two"}, InvalidTypeError, "n_threads='two' is str"),
    ],
)
def test_settings_that_are_none(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        clv.MBGNBD(**options)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"spend": 20.0}, InvalidTypeError, "spend=20.0 is float; expected a GammaGamma, 'own_mean' or None"),
        ({"spend": "mean"}, InvalidArgumentError, "expected one of 'own_mean'"),
        ({"spend": clv.GammaGamma()}, NotFittedError, "this GammaGamma is not fitted yet"),
        ({"margin": math.nan}, InvalidArgumentError, "margin=nan is invalid"),
        ({"annual_rate": -0.1}, InvalidArgumentError, "annual_rate=-0.1 is negative"),
        ({"discount": "yearly"}, InvalidArgumentError, "expected one of 'continuous', 'monthly'"),
        ({"period_days": 7}, InvalidArgumentError, "period_days is given without period_rate"),
        ({"period_rate": 0.01}, InvalidArgumentError, "period_rate is given without period_days"),
        ({"period_rate": 0.01, "period_days": 0}, InvalidArgumentError, "period_days=0.0 is invalid"),
        ({"level": 1}, InvalidArgumentError, "level=1.0 is invalid; expected a probability"),
        ({"cells": 1}, InvalidTypeError, "cells=1 is int; expected True or False"),
        ({"unit": "hour"}, InvalidArgumentError, "unit='hour' is invalid"),
    ],
)
def test_options_of_predictions_that_are_none(
    default: clv.MBGNBD, summary: custcore.Table, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        default.predict(summary, 30, **options)


def test_a_base_is_no_summary(base: custcore.CustomerBase) -> None:
    with pytest.raises(InvalidTypeError, match=r"summary is a CustomerBase; pass base.clv_summary\(\)"):
        clv.MBGNBD().fit(base)  # type: ignore[arg-type]


def test_before_the_fit(summary: custcore.Table) -> None:
    model = clv.BGNBD()
    says = r"this BGNBD is not fitted yet; call fit\(summary\) first, or BGNBD.of_parameters"
    for call in (
        lambda: model.params_,
        lambda: model.fit_,
        lambda: model.predict(summary, 30),
        lambda: model.predict_one(1, 2, 3, horizon=4),
        lambda: model.evaluate(summary),
    ):
        with pytest.raises(NotFittedError, match=says):
            call()
    with pytest.raises(NotFittedError, match="nothing to save"):
        model.to_bytes()
    assert repr(model) == "BGNBD(unit='week'), not fitted"


def test_parameters_that_are_none() -> None:
    with pytest.raises(InvalidArgumentError, match=r"params has \['alpha'\]; expected all of r, alpha"):
        clv.NBD.of_parameters({"alpha": 1.0})
    with pytest.raises(InvalidArgumentError, match="expected more than 0"):
        clv.NBD.of_parameters({"alpha": 1.0, "r": -1.0})
    with pytest.raises(InvalidTypeError, match=r"params\['r'\]='1' is str"):
        clv.NBD.of_parameters({"alpha": 1.0, "r": "1"})  # type: ignore[dict-item]
