"""Customers of a shop, and models that are fitted to them."""

from __future__ import annotations

from typing import Any

import pytest

import custcore
from custcore import clv
from tests.clv_cases import CALIBRATION_END, shop, summary_columns

MODELS = [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.NBD]


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
