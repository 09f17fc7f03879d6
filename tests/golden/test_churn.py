"""Churn probabilities and back-tests of CDNOW and Online Retail: lifelines' curves, scikit-learn's measures."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import ReferenceData, reference_data

SETS = ("cdnow_master", "online_retail")
NAMES = {"hazard": "probability", "recency": "recency", "rhythm_k3": "overdue"}
FLOATS = {"rel": 0.0, "abs": 1e-9}


def purchases(name: str, files: ReferenceData) -> custcore.CustomerBase:
    """CDNOW's rows; of Online Retail the clean orders."""
    if name == "cdnow_master":
        base = custcore.CustomerBase(timestamp="date", amount="spend", track="days")
        base.update(pq.read_table(files.data / "cdnow/cdnow_master.parquet"))
        return base
    rows = pq.read_table(files.data / "online_retail/online_retail.parquet")
    clean = pc.and_(
        pc.and_(pc.is_valid(rows["customer_id"]), pc.invert(pc.starts_with(rows["invoice"], "C"))),
        pc.and_(pc.greater(rows["quantity"], 0), pc.greater(rows["unit_price"], 0)),
    )
    base = custcore.CustomerBase(
        timestamp="invoice_date", order_id="invoice", amount="unit_price", track="orders", amount_decimals=6
    )
    base.update(rows.filter(clean))
    return base


@pytest.fixture(scope="module", params=SETS)
def golden(request: pytest.FixtureRequest) -> tuple[custcore.CustomerBase, list[dict[str, Any]], pa.Table]:
    files = reference_data(request.param)
    folder = files.golden / "value"
    expected = json.loads((folder / f"churn_{request.param}.json").read_text())
    return purchases(request.param, files), expected, pq.read_table(folder / f"churn_{request.param}_scores.parquet")


def close(found: Any, expected: Any) -> None:
    assert found == pytest.approx(expected, **FLOATS)


def test_probabilities(golden: tuple[custcore.CustomerBase, list[dict[str, Any]], pa.Table]) -> None:
    """Every customer at stake of every date."""
    base, entries, scores = golden
    dates = scores["as_of"].unique().to_pylist()
    assert dates == list(dict.fromkeys(entry["as_of"] for entry in entries))
    for day in dates:
        expected = scores.filter(pc.equal(scores["as_of"], day))
        model = custcore.ChurnModel().fit(base, day)
        found = model.score(base, day).to_pyarrow()
        at_stake = found.filter(pc.less_equal(found["gap_days"], model.loss_days_))
        for column in ("customer_id", "gap_days", "n_days"):
            assert at_stake[column].to_pylist() == expected[column].to_pylist()
        close(at_stake["churn_probability"].to_pylist(), expected["hazard"].to_pylist())
        strata = [max(least for least in (1, 2, 3, 5, 10) if least <= n) for n in expected["n_days"].to_pylist()]
        assert at_stake["stratum"].to_pylist() == strata
        windows = {entry["loss_days"] for entry in entries if entry["as_of"] == day}
        assert windows == {model.loss_days_}


@pytest.mark.parametrize("among", ["at_stake", "all"])
def test_backtest(golden: tuple[custcore.CustomerBase, list[dict[str, Any]], pa.Table], among: str) -> None:
    base, entries, _ = golden
    expected = [entry for entry in entries if entry["population"] == among]
    dates = [date.fromisoformat(entry["as_of"]) for entry in expected]
    found = custcore.backtest(base, dates=dates, among=among)
    rows = found.summary().to_pylist()
    assert len(rows) == 3 * len(expected)
    summary = {(row["as_of"], row["score"]): row for row in rows}
    cuts: dict[Any, list[dict[str, Any]]] = {}
    for row in found.thresholds().to_pylist():
        cuts.setdefault((row["as_of"], row["score"]), []).append(row)
    bins = found.calibration().to_pylist()
    for day, entry in zip(dates, expected, strict=True):
        for name, score in NAMES.items():
            row = summary[day, score]
            assert (row["customers"], row["churned"]) == (entry["customers"], entry["churned"])
            close(row["base_rate"], entry["base_rate"])
            close(row["auc"], entry["auc"][name])
            close(row["average_precision"], entry["average_precision"][name])
        brier = (summary[day, "probability"]["brier"], summary[day, "probability"]["brier_base"])
        close(brier, (entry["brier"]["hazard"], entry["brier"]["base_rate"]))
        for name, wanted in entry["thresholds"].items():
            shown = cuts[day, NAMES[name]]
            assert len(shown) == len(wanted) == 5
            for row, cut in zip(shown, wanted, strict=True):
                assert (row["flagged"], row["true"]) == (cut["flagged"], cut["true"])
                close(
                    [row[c] for c in ("share", "precision", "recall", "lift")],
                    [cut[c] for c in ("share", "precision", "recall", "lift")],
                )
        own = [row for row in bins if row["as_of"] == day]
        assert len(own) == len(entry["calibration"]) == 10
        for number, (row, group) in enumerate(zip(own, entry["calibration"], strict=True), 1):
            assert (row["bin"], row["customers"]) == (number, group["customers"])
            close((row["predicted"], row["observed"]), (group["predicted"], group["observed"]))
