"""Gaps, windows, stages, counts and flows equal those of lifelines, DuckDB and pandas: every row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.errors import NotEnoughDataError
from tests.reference_data import SHIPPED, outside

WINDOWS = {"cdnow_master": (136, 319), "online_retail": (103, 258)}
SETS = list(WINDOWS)


def golden(name: str) -> Path:
    """A result of other tools; the test is skipped where it is absent."""
    return outside("cdnow").golden / "value" / name


def cdnow_master() -> custcore.CustomerBase:
    base = custcore.CustomerBase(timestamp="date", amount=None, track="days")
    base.update(pq.read_table(outside("cdnow").data / "cdnow/cdnow_master.parquet"))
    return base


def online_retail() -> custcore.CustomerBase:
    """Clean orders: identified customers, no invoice that begins with C, quantity and price above 0."""
    table = pq.read_table(SHIPPED.data / "online_retail/online_retail.parquet")
    bought = pc.and_(pc.greater(table["quantity"], 0), pc.greater(table["unit_price"], 0))
    clean = pc.and_(bought, pc.invert(pc.starts_with(table["invoice"], "C")))
    base = custcore.CustomerBase(timestamp="invoice_date", amount=None, order_id="invoice", track="orders")
    base.update(table.filter(clean))
    return base


MAKE: dict[str, Callable[[], custcore.CustomerBase]] = {"cdnow_master": cdnow_master, "online_retail": online_retail}


@pytest.fixture(scope="module", params=SETS)
def case(request: pytest.FixtureRequest) -> tuple[str, custcore.CustomerBase, dict[str, Any]]:
    summary = json.loads(golden("km_summary.json").read_text())[request.param]
    return request.param, MAKE[request.param](), summary


Case = tuple[str, custcore.CustomerBase, dict[str, Any]]


def test_every_row_of_the_curve(case: Case) -> None:
    name, base, summary = case
    model = custcore.LifecycleModel().fit(base, as_of=summary["end"])
    expected, found = pq.read_table(golden(f"km_{name}.parquet")), model.curve_.to_pyarrow()
    # The file may have the gaps of 0 days, which are no step of the curve.
    expected = expected.filter(pc.greater(expected["gap_days"], 0))
    assert found.num_rows == expected.num_rows > 300
    for column in ("gap_days", "at_risk", "returned", "censored"):
        assert found[column].to_pylist() == expected[column].cast(pa.int64()).to_pylist(), column
    for column in ("survival", "survival_low", "survival_high"):
        np.testing.assert_allclose(found[column].to_numpy(), expected[column].to_numpy(), rtol=1e-9, atol=1e-12)
    assert pc.sum(found["returned"]).as_py() == summary["returned"]
    assert pc.sum(found["censored"]).as_py() == summary["open"] - summary["open_at_0_days"]


def test_windows(case: Case) -> None:
    name, base, summary = case
    model = custcore.LifecycleModel().fit(base, as_of=summary["end"])
    assert (model.active_days_, model.loss_days_) == WINDOWS[name]
    assert model.typical_gap_days_ == summary["quantile_returning"]["0.5"]
    assert model.horizon_days_ == summary["horizon_at_risk_30"]
    assert model.share_returned_ == pytest.approx(summary["share_returned_by_horizon"], rel=1e-12)
    assert model.as_of_ == date.fromisoformat(summary["end"])
    for lower, upper in ((0.25, 0.5), (0.5, 0.8), (0.8, 0.95)):
        days = [summary["quantile_all"][str(share)] for share in (lower, upper)]
        of_all = custcore.LifecycleModel(quantiles=(lower, upper), among="all")
        if None in days:
            with pytest.raises(
                NotEnoughDataError, match=f"only {summary['share_returned_by_horizon']:.4f} of them end"
            ):
                of_all.fit(base, as_of=summary["end"])
        else:
            of_all.fit(base, as_of=summary["end"])
            assert [of_all.active_days_, of_all.loss_days_] == days


def test_every_customer(case: Case) -> None:
    name, base, summary = case
    model = custcore.LifecycleModel(*WINDOWS[name]).fit(base)
    found = base.lifecycle(summary["end"], model).to_pyarrow()
    expected = pq.read_table(golden(f"lifecycle_{name}_customers.parquet")).sort_by("customer_id")
    assert found["customer_id"].cast(pa.int64()).to_pylist() == expected["customer_id"].cast(pa.int64()).to_pylist()
    assert found.num_rows > 4000
    assert found["stage"].to_pylist() == expected["stage"].cast(pa.string()).to_pylist()
    for column in set(found.column_names) & set(expected.column_names) - {"customer_id", "stage"}:
        assert found[column].to_pylist() == expected[column].cast(found[column].type).to_pylist(), column
    assert {"gap_days", "n_orders", "since"} <= set(expected.column_names)


def rows(name: str, keys: list[str]) -> dict[tuple[Any, ...], int]:
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
    table = pyarrow.csv.read_csv(golden(name), convert_options=options)
    return {tuple(row[key] for key in keys): row["customers"] for row in table.to_pylist()}


def test_counts_and_flows(case: Case) -> None:
    name, base, _ = case
    model = custcore.LifecycleModel(*WINDOWS[name])
    expected = rows(f"lifecycle_{name}_counts.csv", ["as_of", "stage"])
    dates = sorted({day for day, _ in expected})
    counts = base.lifecycle_counts(dates, model).to_pyarrow().to_pylist()
    assert len(counts) == 6 * len(dates)
    assert {(row["as_of"], row["stage"]): row["customers"] for row in counts if row["customers"]} == expected
    moves = rows(f"lifecycle_{name}_flows.csv", ["from_date", "to_date", "from_stage", "to_stage"])
    flows = base.lifecycle_flows(dates, model).to_pyarrow().to_pylist()
    keys = ("from_date", "to_date", "from_stage", "to_stage")
    assert {tuple(row[key] for key in keys): row["customers"] for row in flows} == moves
    assert len(flows) == len(moves) > 100
