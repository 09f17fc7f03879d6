"""Measures and decompositions against results of pandas and DuckDB: every row, counts and money equal."""

from __future__ import annotations

import csv
import json
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

import custcore
from tests.reference_data import reference_data

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")

SETS = ["cdnow_master", "online_retail", "online_retail_with_refunds"]
ONLINE = {"customer_id": "customer_id", "timestamp": "invoice_date", "amount": "units", "order_id": "invoice"}
CDNOW = {"customer_id": "customer_id", "timestamp": "date", "amount": "units"}
# Columns of the reference by those of custcore, if their names differ.
NAMES = {"gross_units": "gross", "refund_units": "refunds", "revenue_units": "revenue"}


def rows_of(name: str) -> tuple[pa.Table, dict[str, Any]]:
    """The rows of a set, with money in cents or thousandths of a pound, and the names of their columns."""
    if name == "cdnow_master":
        table = pq.read_table(reference_data(name).data / "cdnow/cdnow_master.parquet")
        money = pc.round(pc.multiply(table["spend"], 100.0)).cast(pa.int64())
        return table.append_column("units", money), CDNOW
    table = raw()
    table = table.filter(pc.is_valid(table["customer_id"]))
    if name == "online_retail":
        is_clean = pc.and_(pc.greater(table["quantity"], 0), pc.greater(table["unit_price"], 0.0))
        table = table.filter(pc.and_(is_clean, pc.invert(pc.starts_with(table["invoice"], "C"))))
    return table, ONLINE


def raw() -> pa.Table:
    """All 541,909 lines of Online Retail."""
    table = pq.read_table(reference_data("online_retail").data / "online_retail/online_retail.parquet")
    money = pc.round(pc.multiply(pc.multiply(table["quantity"].cast(pa.float64()), table["unit_price"]), 1000.0))
    return table.append_column("units", money.cast(pa.int64()))


def base_of(name: str, **options: Any) -> custcore.CustomerBase:
    table, columns = rows_of(name)
    base = custcore.CustomerBase(**columns, track="orders" if "order_id" in columns else "days", **options)
    for start in range(0, table.num_rows, 150_000):
        base.update(table.slice(start, 150_000))
    return base


def found_by(way: str, name: str, analysis: str = "measures", **options: Any) -> custcore.Table:
    """The measures or their decomposition, of a scan or of a base in memory or on disk."""
    if way == "scan":
        table, columns = rows_of(name)
        return getattr(custcore, analysis)(table, **columns, **options)
    memory = {"max_memory": "2MiB"} if way == "base on disk" else {}
    return getattr(base_of(name, **memory), analysis)(**options)


def left_out_of(found: custcore.Table) -> int:
    """The money that the report says is not in the result."""
    return sum(entry.sum for entry in found.report if entry.kind == "left_out")


WAYS = ["scan", "base", "base on disk"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SETS)
def test_every_measure(name: str, way: str) -> None:
    source = reference_data(name).golden / "value"
    expected = list(csv.DictReader((source / f"measures_{name}.csv").read_text().splitlines()))
    found = found_by(way, name)
    rows = found.to_pyarrow().to_pylist()
    for row, wanted in zip(rows, expected, strict=True):
        assert row["period_start"] == date.fromisoformat(wanted.pop("period_start"))
        assert row["is_complete"] == (wanted.pop("is_complete") == "True")
        assert {name: row[NAMES.get(name, name)] for name in wanted} == {name: int(n) for name, n in wanted.items()}
    assert [row["left_truncated"] for row in rows] == [True] + [False] * (len(rows) - 1)
    assert all(before["period_end"] == row["period_start"] for before, row in pairwise(rows))
    summary = json.loads((source / "measures_summary.json").read_text())[name]
    left_out = found.report["refund_only_customers"]
    assert (left_out.count, left_out.sum) == (summary["refund_only_customers"], summary["refund_only_units"])
    assert sum(row["revenue"] for row in rows) == summary["in_table"]
    assert summary["in_table"] + left_out_of(found) == summary["sum_units"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SETS)
def test_every_effect(name: str, way: str) -> None:
    source = reference_data(name).golden / "value"
    expected = list(csv.DictReader((source / f"decomposition_{name}.csv").read_text().splitlines()))
    found = found_by(way, name, "decomposition", include_partial=True).to_pyarrow().to_pylist()
    revenue = {row["period_start"]: row["revenue"] for row in found_by(way, name).to_pyarrow().to_pylist()}
    starts = sorted(revenue)
    for row, wanted, start in zip(found, expected, starts, strict=False):
        assert row["period_start"] == date.fromisoformat(wanted.pop("period_start"))
        assert row["from_start"] == start
        assert row["change"] == int(wanted.pop("change_units"))
        scale = max(abs(revenue[row["period_start"]]), abs(revenue[start]))
        for effect, value in wanted.items():
            assert row[effect] == pytest.approx(float(value), rel=1e-9, abs=1e-9 * scale)
        assert sum(row[effect] for effect in wanted) == pytest.approx(row["change"], abs=1e-9 * scale)
    assert len(found) == len(expected) == len(starts) - 1
    # The last month of Online Retail is not over: its change is left out by default.
    complete = found_by(way, name, "decomposition")
    assert complete.num_rows == len(expected) - (name != "cdnow_master")
    assert complete.to_pyarrow().to_pylist() == found[: complete.num_rows]


@pytest.mark.parametrize("name", ["cdnow_master_month", "online_retail_month"])
def test_movement(name: str) -> None:
    golden = pq.read_table(reference_data(name).golden / f"movement/{name}.parquet").to_pylist()
    found = found_by("scan", name.removesuffix("_month")).to_pyarrow().to_pylist()
    for row, expected in zip(found, golden, strict=True):
        assert row["period_start"].strftime("%Y-%m") == expected.pop("month")
        assert {column: row[column] for column in expected} == expected


@pytest.mark.parametrize("name", ["cdnow_master", "online_retail"])
def test_monthly_numbers(name: str) -> None:
    golden = pq.read_table(reference_data(name).golden / f"kpi/{name}_monthly.parquet").to_pylist()
    found = found_by("scan", name).to_pyarrow().to_pylist()
    scale = 100 if name == "cdnow_master" else 1000
    for row, expected in zip(found, golden, strict=True):
        assert row["period_start"].strftime("%Y-%m") == expected["month"]
        own = [row[column] for column in ("orders", "active", "rows", "new")]
        assert own == [expected[column] for column in ("orders", "customers", "lines", "new_customers")]
        assert row["active"] - row["new"] == expected["returning_customers"]
        assert row["revenue"] / scale == pytest.approx(expected["revenue"], abs=0.0051)
        assert row["average_order_value"] / scale == pytest.approx(expected["aov"], abs=1e-5)
        assert row["revenue_per_customer"] / scale == pytest.approx(expected["arpu"], abs=1e-5)


@pytest.mark.parametrize("way", ["scan", "base"])
def test_revenue_and_report_are_the_input(way: str) -> None:
    table = raw()
    if way == "scan":
        found = custcore.measures(table, **ONLINE)
    else:
        base = custcore.CustomerBase(**ONLINE, track="orders")
        base.update(table)
        found = base.measures()
    revenue = sum(found.to_pyarrow()["revenue"].to_pylist())
    assert revenue + left_out_of(found) == pc.sum(table["units"]).as_py()
    assert found.report["null_customer_id"].count == 135_080
