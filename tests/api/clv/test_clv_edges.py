"""Where models of purchases end: customers that cannot be, too few of them, limits, failures (definitions 5.7)."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    BoundaryWarning,
    ConvergenceError,
    InvalidArgumentError,
    NotEnoughDataError,
    SmallSampleWarning,
    SummaryError,
)
from tests.clv_cases import CALIBRATION_END, cut, purchases, shop, summary_columns

MODELS = [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.NBD]
PARAMETERS: dict[type[clv.PurchaseModel], dict[str, float]] = {
    clv.BGNBD: {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    clv.MBGNBD: {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    clv.ParetoNBD: {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
    clv.NBD: {"r": 0.385, "alpha": 12.072},
}


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def kind(request: pytest.FixtureRequest) -> type[clv.PurchaseModel]:
    found: type[clv.PurchaseModel] = request.param
    return found


@pytest.fixture
def given(kind: type[clv.PurchaseModel]) -> clv.PurchaseModel:
    return kind.of_parameters(PARAMETERS[kind])


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    return summary_columns(shop().clv_summary(CALIBRATION_END))


def table(*rows: tuple[Any, Any, Any]) -> dict[str, Any]:
    x, t_x, age = zip(*rows, strict=True)
    return {"customer_id": np.arange(len(rows)), "x": np.array(x), "t_x": np.array(t_x), "T": np.array(age)}


def expected_of(model: clv.PurchaseModel, *customer: Any, horizon: Any = 100) -> clv.Prediction:
    found = model.predict_one(*customer, horizon=horizon, level=0.9)
    for value in found:
        assert value is None or math.isfinite(value)
    return found


# Customers that cannot be


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ((1, 20, 10), "t_x"),
        ((0, 3, 10), "x"),
        ((2, 0, 10), "t_x"),
        ((-1, 0, 10), "x"),
        ((1, -3, 10), "t_x"),
        ((0, 0, -1), "T"),
    ],
)
def test_rows_that_cannot_be(kind: type[clv.PurchaseModel], wrong: tuple[int, int, int], says: str) -> None:
    with pytest.raises(SummaryError, match=says) as error:
        kind().fit(table((1, 5, 10), wrong, (2, 4, 10)))
    assert isinstance(error.value, ValueError)
    assert error.value.row == 1
    with pytest.raises(SummaryError, match=says):
        kind.of_parameters(PARAMETERS[kind]).predict_one(*wrong, horizon=10)


@pytest.mark.parametrize(
    ("x", "says"), [([1.0, 1.5, 2.0], "x"), ([1.0, math.nan, 2.0], "x"), ([1.0, math.inf, 2.0], "x")]
)
def test_counts_that_are_no_counts(x: list[float], says: str) -> None:
    rows = {"x": np.array(x), "t_x": np.array([3, 4, 5]), "T": np.array([9, 9, 9])}
    with pytest.raises(SummaryError, match=says) as error:
        clv.NBD().fit(rows)
    assert error.value.row == 1


@pytest.mark.parametrize("name", ["t_x", "T"])
def test_times_that_are_missing(name: str) -> None:
    rows: dict[str, Any] = {"x": np.array([1, 2]), "t_x": np.array([3.0, 4.0]), "T": np.array([9.0, 9.0])}
    rows[name][1] = math.nan
    with pytest.raises(SummaryError, match=name) as error:
        clv.NBD().fit(rows)
    assert error.value.row == 1


def test_columns_that_are_missing() -> None:
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="t_x"):
        clv.NBD().fit({"x": np.array([1]), "T": np.array([3])})


def test_more_purchases_than_days_are_warned_of(columns: dict[str, Any]) -> None:
    often = {name: values.copy() for name, values in columns.items()}
    row = int(np.argmax(often["x"]))
    often["x"][row] = often["t_x"][row] + 3
    with pytest.warns(UserWarning, match="1 row"):
        clv.NBD().fit(often)


# Too few customers


def test_nobody_bought_again(kind: type[clv.PurchaseModel]) -> None:
    with pytest.raises(NotEnoughDataError, match=r"no_repeat|again"):
        kind().fit(table(*((0, 0, 5 * n) for n in range(1, 200))))


def test_one_customer(kind: type[clv.PurchaseModel]) -> None:
    with pytest.raises(NotEnoughDataError):
        kind().fit(table((3, 40, 50)))


def test_no_customers(kind: type[clv.PurchaseModel], given: clv.PurchaseModel, columns: dict[str, Any]) -> None:
    nobody = cut(columns, slice(0, 0))
    with pytest.raises(NotEnoughDataError):
        kind().fit(nobody)
    assert len(given.predict(nobody, [10, None])) == 0


def test_a_small_sample_is_warned_of(columns: dict[str, Any]) -> None:
    again = np.flatnonzero(columns["x"] > 0)
    few = cut(columns, np.concatenate([again[:30], np.flatnonzero(columns["x"] == 0)[:40]]))
    with pytest.warns(SmallSampleWarning, match="30 customers bought again, fewer than 50"):
        model = clv.NBD().fit(few)
    assert model.n_customers_ == 70


# Awkward customers


def test_the_last_day(kind: type[clv.PurchaseModel], given: clv.PurchaseModel) -> None:
    """T = 0: a new customer."""
    found = expected_of(given, 0, 0, 0)
    params = PARAMETERS[kind]
    assert found.p_alive == (pytest.approx(params["b"] / (params["a"] + params["b"])) if kind is clv.MBGNBD else 1.0)
    new = given.new_customers(100)[0]
    assert found.expected_purchases == new["expected_purchases"]


def test_a_purchase_on_the_last_day(kind: type[clv.PurchaseModel], given: clv.PurchaseModel) -> None:
    """t_x = T: the last purchase may have been the last one."""
    found = expected_of(given, 3, 50, 50)
    params = PARAMETERS[kind]
    if kind in {clv.ParetoNBD, clv.NBD}:
        assert found.p_alive == 1.0
    else:
        b = params["b"] + (2 if kind is clv.BGNBD else 3)
        assert found.p_alive == pytest.approx(b / (params["a"] + b), rel=1e-12)


def test_huge_customers(given: clv.PurchaseModel) -> None:
    for x in (1_000, 100_000):
        for age in (200_000, 1_000_000):
            found = expected_of(given, x, 150_000, age)
            assert found.p_alive is not None
            assert 0.0 <= found.p_alive <= 1.0


def test_a_probability_that_is_no_number_any_more(kind: type[clv.PurchaseModel], given: clv.PurchaseModel) -> None:
    found = expected_of(given, 5_000, 6_000, 900_000)
    if kind is not clv.NBD:
        assert (found.p_alive, found.expected_purchases, found.p_alive_end) == (0.0, 0.0, 0.0)
        assert (found.discounted_purchases, found.p_purchase) == (0.0, 0.0)
        assert (found.purchases_low, found.purchases_high) == (0, 0)


def test_one_cohort(kind: type[clv.PurchaseModel]) -> None:
    """All T are equal."""
    data = purchases(seed=3)
    first = dict(zip(reversed(data["customer_id"]), reversed(data["timestamp"]), strict=True))
    shifted = data["timestamp"] - np.array([first[who] for who in data["customer_id"]]) + np.datetime64("2024-01-01")
    kept = shifted < np.datetime64("2024-10-01")
    base = custcore.CustomerBase(track="days")
    base.update(cut({**data, "timestamp": shifted}, kept))
    summary = base.clv_summary("2024-10-01")
    assert len(set(summary["T"])) == 1
    model = kind().fit(summary)
    assert model.status_ == "converged"


def test_horizon_of_nothing(given: clv.PurchaseModel) -> None:
    found = given.predict_one(3, 40, 90, horizon=0, level=0.5)
    assert (found.expected_purchases, found.p_purchase, found.discounted_purchases) == (0, 0, 0)
    assert found.p_alive_end == found.p_alive
    assert (found.purchases_low, found.purchases_high) == (0, 0)
    with pytest.raises(ValueError, match="horizon=-1 is negative"):
        given.predict_one(3, 40, 90, horizon=-1)


def test_one_customer_with_most_purchases_is_named(columns: dict[str, Any]) -> None:
    few = cut(columns, np.concatenate([np.flatnonzero(columns["x"] > 0)[:60], np.flatnonzero(columns["x"] == 0)]))
    few["x"][0] = few["t_x"][0] = few["T"][0]
    model = clv.NBD().fit(few)
    share = few["x"][0] / few["x"].sum()
    assert share > 0.5
    who = f"customer {few['customer_id'][0]} has {few['x'][0]} of all"
    assert any(remark.startswith(who) for remark in model.fit_.remarks)
    assert who in repr(model.fit_)


# Limits and failures


@pytest.fixture(scope="module")
def loyal() -> custcore.Table:
    """Customers of whom nobody is lost."""
    return shop(3_000, seed=11, lost=False).clv_summary(CALIBRATION_END)


def test_a_limit_is_warned_of(loyal: custcore.Table) -> None:
    with pytest.warns(BoundaryWarning, match=r"ParetoNBD: the likelihood rises towards a limit .*nobody drops out"):
        model = clv.ParetoNBD().fit(loyal)
    assert (model.status_, model.limit_) == ("boundary", "no_dropout")
    assert model.params_["s"] / (model.params_["beta"] / (365.25 / 7)) < 1e-6
    assert model.standard_errors_["s"] is None
    assert model.interval_["s"] is None
    assert model.standard_errors_["r"] is not None
    assert any("limit" in remark for remark in model.fit_.remarks)
    # Its predictions are those of the limit.
    nbd = clv.NBD().fit(loyal)
    assert model.log_likelihood_ == pytest.approx(nbd.log_likelihood_, abs=1e-3)
    ours, theirs = (found.predict(loyal, 100).to_numpy("expected_purchases") for found in (model, nbd))
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert model.predict(loyal, 100).to_numpy("p_alive").min() > 0.9999
    again = clv.ParetoNBD.from_bytes(model.to_bytes())
    assert (again, again.limit_) == (model, "no_dropout")


def test_a_failure_is_an_error_that_has_everything(columns: dict[str, Any]) -> None:
    with pytest.raises(ConvergenceError, match="the fit of MBGNBD found no maximum: after") as raised:
        clv.MBGNBD(max_iter=1).fit(columns)
    error = raised.value
    assert isinstance(error, RuntimeError)
    assert error.params is not None
    assert list(error.params) == ["r", "alpha", "a", "b"]
    assert error.gradient_norm > 1e-6
    assert error.starts["status"].to_pylist().count("not_converged") == len(error.starts)
    assert isinstance(error.model, clv.MBGNBD)
    assert error.model.params_ == error.params
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.params, again.model) == (str(error), error.params, error.model)


def test_a_failure_may_be_a_warning(columns: dict[str, Any]) -> None:
    with pytest.warns(RuntimeWarning, match="found no maximum.*the best parameters seen are kept"):
        model = clv.MBGNBD(max_iter=1, on_failure="warn").fit(columns)
    assert model.status_ == "not_converged"
    assert all(math.isfinite(value) for value in model.params_.values())
    # A failure leaves the model as it was.
    fitted = clv.MBGNBD().fit(columns)
    before = fitted.to_bytes()
    with pytest.raises(NotEnoughDataError):
        fitted.fit(table((0, 0, 3), (0, 0, 4)))
    assert fitted.to_bytes() == before


# Money


def test_spend_needs_amounts(given: clv.PurchaseModel, columns: dict[str, Any]) -> None:
    without = {name: values for name, values in columns.items() if name not in {"m_x", "m_holdout"}}
    spend = clv.GammaGamma.of_parameters({"p": 6.0, "q": 4.0, "gamma": 15.0})
    says = "has no column m_x; make it from a base with an amount, or leave spend out"
    with pytest.raises(InvalidArgumentError, match=says):
        given.predict(without, 30, spend=spend)
    with pytest.raises(InvalidArgumentError, match=says):
        given.evaluate(without, spend="own_mean")
    assert given.predict(without, 30)["clv"].to_pylist() == [None] * 2_000


def test_no_result_is_nan(given: clv.PurchaseModel, columns: dict[str, Any]) -> None:
    spend = clv.GammaGamma.of_parameters({"p": 6.0, "q": 0.9, "gamma": 15.0})
    found = given.predict(columns, [0, 1, "3y", None], spend=spend, level=0.99)
    for name in found.column_names:
        for value in found[name]:
            assert value is None or math.isfinite(value), name
