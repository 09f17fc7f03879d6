"""`custcore.clv` far out: amounts, rates and horizons beyond what is computed; groups that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import InvalidArgumentError, InvalidTypeError, SummaryError
from tests.clv_cases import cut


def test_an_amount_that_is_no_money_is_refused_with_its_row(columns: dict[str, Any], default: clv.MBGNBD) -> None:
    row = int(np.flatnonzero(columns["x"] > 0)[3])
    columns = {**columns, "m_x": columns["m_x"].copy()}
    columns["m_x"][row] = 1e308
    for work in (clv.GammaGamma().fit, lambda summary: default.predict(summary, 30)):
        with pytest.raises(SummaryError, match="1e308") as error:
            work(columns)
        assert (error.value.column, error.value.row) == ("m_x", row)
    spend = clv.GammaGamma.of_parameters({"p": 6.0, "q": 4.0, "gamma": 15.0})
    with pytest.raises(SummaryError, match="1e100"):
        default.predict_one(3, 100, 300, 1e307, horizon=30, spend=spend)


def test_no_end_needs_interest_that_counts(default: clv.MBGNBD) -> None:
    with pytest.raises(InvalidArgumentError, match="1e-6"):
        default.predict_one(2, 50, 200, horizon=None, annual_rate=1e-300)
    assert default.predict_one(2, 50, 200, horizon=None, annual_rate=1e-6).discounted_purchases < 1e9


def test_intervals_need_a_horizon_of_a_century_at_most(default: clv.MBGNBD) -> None:
    with pytest.raises(InvalidArgumentError, match="a century"):
        default.predict_one(2, 50, 200, horizon=36_526, level=0.9)
    assert default.predict_one(2, 50, 200, horizon=36_525, level=0.9).purchases_low == 0


def test_groups_of_another_type_and_of_no_fit(columns: dict[str, Any]) -> None:
    group = np.where(np.arange(len(columns["x"])) % 2 == 0, "app", "shop")
    model = clv.MBGNBD(by="channel").fit({**columns, "channel": group})
    few = cut({**columns, "channel": group}, slice(0, 60))
    few["channel"] = np.array(["app", "fair", "shop"] * 20)
    predicted = model.predict(few, 30)
    assert predicted.report["without_own_parameters"].count == 20
    with pytest.raises(InvalidTypeError, match="another type"):
        model.predict({**few, "channel": np.arange(60)}, 30)


def test_a_group_needs_a_model_with_groups(default: clv.MBGNBD) -> None:
    with pytest.raises(InvalidArgumentError, match="no groups"):
        default.predict_one(2, 50, 200, horizon=30, group="app")


def test_an_end_of_calibration_after_the_data_is_a_remark(base: custcore.CustomerBase) -> None:
    report = base.clv_summary("2031-01-01").report
    assert any("calibration_end=2031-01-01 is after the last day" in remark for remark in report.remarks)
