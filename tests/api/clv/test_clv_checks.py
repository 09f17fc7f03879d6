"""`custcore.clv` on purchases: evaluation, tracking, comparisons, back-tests."""

from __future__ import annotations

import math
import pickle
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
)
from tests.clv_cases import CALIBRATION_END, HOLDOUT_DAYS, LAST_DAY, cut, purchases

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
