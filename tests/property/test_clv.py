"""Lifetime value for random histories: never NaN, equal to the slow reference, no bit by order or threads."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custcore import clv
from custcore.errors import ConvergenceError, NotEnoughDataError
from tests.property.clv_cases import MODELS, History, histories, parameters, powers, quietly, table, unit
from tests.reference.clv import Purchases, expected_spend, quantile

# The reference integrates numerically.
SLOW = settings(max_examples=settings.default.max_examples // 6 if settings.default else 25)
HORIZONS = st.one_of(st.just(0), st.integers(1, 2000), st.floats(0.5, 4000))
SPEND = st.fixed_dictionaries({"p": powers(-2, 3), "q": powers(-1, 3), "gamma": powers(-2, 4)})
MONEY = st.one_of(st.floats(0.01, 1e6), st.sampled_from([0.01, 25.0, 1e9]))
DISCOUNTS: list[dict[str, Any]] = [
    {},
    {"discount": "monthly"},
    {"annual_rate": 0.0},
    {"annual_rate": 3.0},
    {"period_days": 7, "period_rate": 0.01},
]
VALUES = (
    "p_alive",
    "expected_purchases",
    "p_purchase",
    "p_alive_end",
    "expected_spend",
    "expected_revenue",
    "discounted_purchases",
    "clv",
)


def model(case: tuple[str, dict[str, float]], n_threads: int | None = None) -> Any:
    family, values = case
    return MODELS[family].of_parameters(values, unit="day", n_threads=n_threads)


def predicted(found: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = found.to_pylist()
    for row in rows:
        for name, value in row.items():
            assert not isinstance(value, float) or math.isfinite(value), (name, row)
    return rows


def check_ranges(row: dict[str, Any], horizon: float | None) -> None:
    slack = 1 + 1e-12
    assert 0 <= row["p_alive"] <= 1
    assert row["discounted_purchases"] is None or row["discounted_purchases"] >= 0
    if horizon is None:
        assert all(row[name] is None for name in ("expected_purchases", "p_purchase", "p_alive_end"))
        return
    assert 0 <= row["p_alive_end"] <= row["p_alive"] * slack
    # A complement of a probability near to 1: its error is that of 1.
    assert 0 <= row["p_purchase"] <= min(row["p_alive"], row["expected_purchases"]) * slack + 1e-15
    assert 0 <= row["discounted_purchases"] <= row["expected_purchases"] * slack
    if horizon == 0:
        assert (row["expected_purchases"], row["p_purchase"]) == (0.0, 0.0)
        assert row["p_alive_end"] == row["p_alive"]
    if row.get("purchases_high") is not None:
        assert 0 <= row["purchases_low"] <= row["purchases_high"]


@given(
    parameters(wild=True),
    st.booleans(),
    st.data(),
    st.lists(HORIZONS, min_size=1, max_size=3, unique_by=float),
    SPEND,
    st.one_of(st.none(), st.sampled_from([0.5, 0.9, 0.99])),
    st.sampled_from(DISCOUNTS),
)
def test_predictions_are_finite_or_null(
    case: tuple[str, dict[str, float]],
    on_days: bool,
    data: st.DataObject,
    horizons: list[float],
    spend: dict[str, float],
    level: float | None,
    discounting: dict[str, Any],
) -> None:
    rows = data.draw(histories(on_days=on_days))
    money = data.draw(st.lists(st.one_of(st.none(), MONEY), min_size=len(rows), max_size=len(rows)))
    money = [value if row[0] else None for value, row in zip(money, rows, strict=True)]
    money = [25.0 if value is None and row[0] else value for value, row in zip(money, rows, strict=True)]
    summary = table(rows, on_days=on_days, spend=money)
    with quietly():
        spent = clv.GammaGamma.of_parameters(spend)
        options: dict[str, Any] = {"spend": spent, **discounting, **unit(on_days=on_days)}
        found = predicted(model(case).predict(summary, horizons, level=level, **options))
        assert len(found) == len(rows) * len(horizons)
        for row in found:
            check_ranges(row, row["horizon_days"])
            mean = row["expected_spend"]
            assert (mean is None) == (row["clv"] is None)
        if discounting.get("annual_rate", 0.1) > 0:
            for row in predicted(model(case).predict(summary, None, **options)):
                check_ranges(row, None)
        new = predicted(model(case).new_customers(horizons, level=level))
        for row in new:
            check_ranges(row, row["horizon_days"])
        assert math.isfinite(model(case).log_likelihood(summary, **unit(on_days=on_days)))


@given(st.booleans(), st.data(), st.sampled_from(list(MODELS)))
def test_fits_are_finite_or_say_why_not(on_days: bool, data: st.DataObject, family: str) -> None:
    rows: list[History] = data.draw(histories(on_days=on_days, most=40))
    summary = table(rows, on_days=on_days)
    with quietly():
        try:
            fitted = MODELS[family](on_failure="warn").fit(summary, **unit(on_days=on_days))
        except NotEnoughDataError:
            assert len(rows) == 1 or not any(row[0] for row in rows)
            return
        assert fitted.status_ in ("converged", "boundary", "not_converged")
        assert (fitted.limit_ is not None) == (fitted.status_ == "boundary")
        assert all(value > 0 and math.isfinite(value) for value in fitted.params_.values()) or fitted.limit_
        errors = list(fitted.standard_errors_.values())
        assert all(error is None or (error >= 0 and math.isfinite(error)) for error in errors)
        if fitted.status_ == "converged":
            assert fitted.decrement_ <= 1e-6
            assert None not in errors
        assert math.isfinite(fitted.log_likelihood_)
        for row in predicted(fitted.predict(summary, 30, level=0.9, **unit(on_days=on_days))):
            check_ranges(row, 30)
        if fitted.status_ == "not_converged":
            with pytest.raises(ConvergenceError) as caught:
                MODELS[family]().fit(summary, **unit(on_days=on_days))
            assert caught.value.params == fitted.params_
        else:
            strict = MODELS[family]().fit(summary, **unit(on_days=on_days))
            assert strict.params_ == fitted.params_


def close(found: float, wanted: float, tolerance: float = 1e-8) -> None:
    assert found == pytest.approx(wanted, rel=tolerance, abs=1e-11)


@SLOW
@given(parameters(wild=False), st.booleans(), st.data(), st.integers(1, 400), st.sampled_from([0.1, 1.0]))
def test_predictions_equal_the_reference(
    case: tuple[str, dict[str, float]], on_days: bool, data: st.DataObject, horizon: int, rate: float
) -> None:
    rows = data.draw(histories(on_days=on_days, most=2, longest=300))
    summary = table(rows, on_days=on_days)
    reference = Purchases.of(*case)
    delta = math.log1p(rate) / 365.25
    with quietly():
        fitted = model(case)
        found = fitted.predict(summary, horizon, annual_rate=rate, level=0.8, **unit(on_days=on_days)).to_pylist()
        monthly = fitted.predict(
            summary, horizon, discount="monthly", annual_rate=rate, **unit(on_days=on_days)
        ).to_pylist()
        total = fitted.log_likelihood(summary, **unit(on_days=on_days))
        endless = None
        if case[0] != "NBD":
            endless = fitted.predict(summary, None, annual_rate=rate, **unit(on_days=on_days)).to_pylist()
    close(total, sum(reference.log_likelihood(*row) for row in rows))
    for at, (row, (x, t_x, age)) in enumerate(zip(found, rows, strict=True)):
        alive = reference.p_alive(x, t_x, age)
        close(row["p_alive"], alive)
        close(row["expected_purchases"], alive * reference.expected(x, age, horizon))
        close(row["p_alive_end"], alive * reference.alive_end(x, age, horizon))
        close(row["discounted_purchases"], alive * reference.discounted(x, age, horizon, delta))
        by_months = reference.discounted_by_periods(x, age, horizon, 30.4375, (1 + rate) ** (1 / 12) - 1)
        close(monthly[at]["discounted_purchases"], alive * by_months)
        if endless:
            close(endless[at]["discounted_purchases"], alive * reference.discounted(x, age, math.inf, delta))
        counts = reference.distribution(x, t_x, age, horizon)
        close(row["p_purchase"], 1 - counts[0])
        summed = np.cumsum(counts)
        for name, level in (("purchases_low", 0.1), ("purchases_high", 0.9)):
            if summed[-1] > level and np.abs(summed - level).min() > 1e-9:
                assert row[name] == quantile(counts, level)


@given(SPEND, st.lists(st.tuples(st.integers(0, 50), MONEY), min_size=1, max_size=10))
def test_spend_equals_the_reference(spend: dict[str, float], customers: list[tuple[int, float]]) -> None:
    rows: list[History] = [(x, x, 60) if x else (0, 0, 60) for x, _ in customers]
    money = [value if x else None for x, value in customers]
    with quietly():
        fitted = clv.GammaGamma.of_parameters(spend)
        found = fitted.predict(table(rows, spend=money)).to_pylist()
        for row, (x, _), value in zip(found, customers, money, strict=True):
            wanted = expected_spend(**spend, x=x, m_x=value)
            assert row["expected_spend"] == (None if wanted is None else pytest.approx(wanted, rel=1e-10))
            assert fitted.predict_one(x, value) == row["expected_spend"]


@given(
    parameters(wild=True),
    st.booleans(),
    st.data(),
    st.one_of(st.none(), HORIZONS),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_order_batches_and_threads_change_no_bit(
    case: tuple[str, dict[str, float]],
    on_days: bool,
    data: st.DataObject,
    horizon: float | None,
    size: int,
    chance: random.Random,
) -> None:
    rows = data.draw(histories(on_days=on_days))
    spend = [float(10 + row[0]) if row[0] else None for row in rows]
    summary = table(rows, on_days=on_days, spend=spend)
    order = list(range(len(rows)))
    chance.shuffle(order)
    with quietly():
        money = clv.GammaGamma.of_parameters({"p": 2.0, "q": 3.0, "gamma": 20.0})
        level = None if horizon is None else 0.9
        options: dict[str, Any] = {"spend": money, "level": level}

        def by_id(rows: pa.Table, n_threads: int) -> dict[str, dict[str, Any]]:
            fitted = model(case, n_threads=n_threads)
            found = fitted.predict(rows, horizon, **options, **unit(on_days=on_days))
            return {row["customer_id"]: row for row in found.to_pylist()}

        wanted = by_id(summary, 1)
        assert by_id(summary, 4) == wanted
        shuffled = summary.take(order)
        assert by_id(shuffled, 2) == wanted
        pieces = pa.concat_tables([shuffled.slice(at, size) for at in range(0, len(rows), size)])
        assert by_id(pieces, 1) == wanted
        one = model(case)
        for who, (x, t_x, age), m_x in zip(summary["customer_id"].to_pylist(), rows, spend, strict=True):
            single = one.predict_one(x, t_x, age, m_x, horizon=horizon, **options)
            for name in (*VALUES, *(("purchases_low", "purchases_high") if level else ())):
                assert getattr(single, name) == wanted[who][name], name


@given(st.sampled_from(list(MODELS)), st.data(), st.randoms(use_true_random=False))
def test_fits_do_not_depend_on_order_and_threads(family: str, data: st.DataObject, chance: random.Random) -> None:
    rows = data.draw(histories(on_days=True, most=30))
    summary = table(rows)
    order = list(range(len(rows)))
    chance.shuffle(order)
    outcomes = []
    with quietly():
        for given_, n_threads in ((summary, 1), (summary.take(order), 4), (summary.take(order[::-1]), 2)):
            try:
                fitted = MODELS[family](on_failure="warn", n_threads=n_threads).fit(given_)
            except NotEnoughDataError as error:
                outcomes.append(str(error))
                continue
            outcomes.append((fitted.params_, fitted.log_likelihood_, fitted.covariance_, fitted.fingerprint_))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@given(parameters(wild=False), st.data())
def test_weights_are_customers(case: tuple[str, dict[str, float]], data: st.DataObject) -> None:
    """A row with weight 3 is three rows."""
    rows = data.draw(histories(on_days=True, most=12))
    weights = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    repeated = [row for row, weight in zip(rows, weights, strict=True) for _ in range(weight)]
    weighted = table(rows).append_column("w", pa.array(weights, pa.float64()))
    with quietly():
        outcomes = []
        for summary, column in ((weighted, "w"), (table(repeated), None)):
            try:
                fitted = MODELS[case[0]](on_failure="warn").fit(summary, weights=column)
                outcomes.append((fitted.params_, fitted.log_likelihood_, fitted.n_customers_, fitted.n_cells_))
            except NotEnoughDataError:
                outcomes.append(None)
    if len(rows) > 1:
        assert outcomes[0] == outcomes[1]


@given(parameters(wild=False), st.lists(HORIZONS, min_size=1, max_size=3, unique_by=float))
def test_a_new_customer_is_one_without_a_past(case: tuple[str, dict[str, float]], horizons: list[float]) -> None:
    fitted = model(case)
    summary = table([(0, 0, 0)])
    with quietly():
        new = fitted.new_customers(horizons).to_pylist()
        first = fitted.new_customers(horizons, include_first=True).to_pylist()
        known = fitted.predict(summary, horizons).to_pylist()
    for mine, more, theirs in zip(new, first, known, strict=True):
        for name in ("p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases"):
            close(mine[name], theirs[name], 1e-12)
        close(more["expected_purchases"], 1 + mine["expected_purchases"], 1e-12)
        close(more["discounted_purchases"], 1 + mine["discounted_purchases"], 1e-12)


@given(parameters(wild=False), st.data(), st.integers(1, 300))
def test_totals_are_sums(case: tuple[str, dict[str, float]], data: st.DataObject, horizon: int) -> None:
    rows = data.draw(histories(on_days=True))
    fitted, summary = model(case), table(rows)
    with quietly():
        found = fitted.predict(summary, horizon).to_pylist()
        cells = fitted.predict(summary, horizon, cells=True).to_pylist()
        (total,) = fitted.total(summary, horizon).to_pylist()
    close(total["expected_purchases"], math.fsum(row["expected_purchases"] for row in found), 1e-12)
    close(
        total["expected_purchases"], math.fsum(row["n_customers"] * row["expected_purchases"] for row in cells), 1e-12
    )
    assert total["low"] <= total["expected_purchases"] <= total["high"]
    counted = {(row["x"], row["t_x"], row["T"]): row["n_customers"] for row in cells}
    assert counted == {row: rows.count(row) for row in rows}
    assert {tuple(row[name] for name in ("x", "t_x", "T")) for row in cells} == set(rows)
