"""`custcore.clv` on purchases: predictions, totals, simulations."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    NotFittedError,
)
from tests.clv_cases import CALIBRATION_END

COUNTS = ["p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases"]
COLUMNS = [*COUNTS[:4], "expected_spend", "expected_revenue", COUNTS[4], "clv"]


def nulls(table: custcore.Table, name: str) -> int:
    return table[name].to_pylist().count(None)


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
