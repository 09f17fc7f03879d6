"""Value classes, the Pareto curve, concentration and demand classes: every row as DuckDB and pandas have it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import ReferenceData, reference_data

CLASSES = {
    "by_value": {},
    "by_customers": {"by": "customers"},
    "by_value_ties_same": {"ties": "same"},
}


def lines(shipped: ReferenceData, *, clean: bool) -> pa.Table:
    """Lines of identified customers, with money in thousandths of a pound; of clean orders, or all."""
    table = pq.read_table(shipped.data / "online_retail/online_retail.parquet")
    table = table.filter(pc.is_valid(table["customer_id"]))
    if clean:
        is_clean = pc.and_(pc.greater(table["quantity"], 0), pc.greater(table["unit_price"], 0.0))
        table = table.filter(pc.and_(is_clean, pc.invert(pc.starts_with(table["invoice"], "C"))))
    money = pc.round(pc.multiply(pc.multiply(table["quantity"].cast(pa.float64()), table["unit_price"]), 1000.0))
    return table.append_column("units", money.cast(pa.int64()))


def cdnow_rows() -> pa.Table:
    source = reference_data("cdnow_master")
    table = pq.read_table(source.data / "cdnow/cdnow_master.parquet")
    money = pc.round(pc.multiply(table["spend"], 100.0)).cast(pa.int64())
    return table.append_column("units", money)


def base_of(rows: pa.Table, key: str | list[str], timestamp: str, **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(customer_id=key, timestamp=timestamp, amount="units", **options)
    base.update(rows)
    return base


def products(shipped: ReferenceData, *, clean: bool = True, **options: Any) -> custcore.CustomerBase:
    return base_of(lines(shipped, clean=clean), "stock_code", "invoice_date", **options)


@pytest.mark.parametrize("name", ["cdnow_master_customer", "online_retail_item", "online_retail_item_net_of_refunds"])
@pytest.mark.parametrize("column", list(CLASSES))
def test_every_class(shipped: ReferenceData, name: str, column: str) -> None:
    key, money = ("customer_id", "cents") if name.startswith("cdnow") else ("stock_code", "units_thousandths")
    expected = pq.read_table(reference_data(name).golden / f"value/abc_{name}.parquet").to_pylist()
    if name.startswith("cdnow"):
        base = base_of(cdnow_rows(), key, "date")
    else:
        # The reference counts products with refunds only, too.
        base = products(shipped, clean="refunds" not in name, returns="count")
    found = base.abc(**CLASSES[column])
    rows = found.to_pyarrow().to_pylist()
    for row, wanted in zip(rows, expected, strict=True):
        assert (row[key], row["monetary_total"], row["value_class"]) == (wanted[key], wanted[money], wanted[column])
        assert row["cumulative_share"] == pytest.approx(wanted["cumulative_share"], abs=1e-12)
    assert [row["rank"] for row in rows] == [row["rk"] + 1 for row in expected]
    negative = [row["monetary_total"] for row in rows if row["monetary_total"] < 0]
    entry = found.report["negative_totals"]
    assert (entry.count, entry.sum) == (len(negative), sum(negative))
    assert len(negative) == (27 if "refunds" in name else 0)  # as the README of the reference has it


def test_products_with_refunds_only_are_in_the_report(shipped: ReferenceData) -> None:
    name = "value/abc_online_retail_item_net_of_refunds.parquet"
    expected = {row["stock_code"]: row for row in pq.read_table(shipped.golden / name).to_pylist()}
    found = products(shipped, clean=False).abc()
    rows = found.to_pyarrow().to_pylist()
    # They are worth nothing, so the classes of the others are the same.
    assert all(row["value_class"] == expected[row["stock_code"]]["by_value"] for row in rows)
    without = set(expected) - {row["stock_code"] for row in rows}
    entry = found.report["refund_only_customers"]
    assert (entry.count, entry.sum) == (19, sum(expected[code]["units_thousandths"] for code in without))
    assert entry.sum + sum(row["monetary_total"] for row in rows) == sum(
        row["units_thousandths"] for row in expected.values()
    )


def test_customers_by_country(shipped: ReferenceData) -> None:
    expected = pyarrow.csv.read_csv(shipped.golden / "value/abc_online_retail_customer_by_country.csv").to_pylist()
    base = base_of(lines(shipped, clean=True), ["country", "customer_id"], "invoice_date")
    counts: Counter[tuple[str, str]] = Counter()
    units: dict[tuple[str, str], int] = defaultdict(int)
    for row in base.abc(group="country").to_pyarrow().to_pylist():
        cell = row["country"], row["value_class"]
        counts[cell] += 1
        units[cell] += row["monetary_total"]
    found = [{"country": c, "by_value": k, "n": n, "units": units[c, k]} for (c, k), n in sorted(counts.items())]
    assert found == expected


@pytest.mark.parametrize("name", ["cdnow_master_customer_id", "online_retail_item"])
@pytest.mark.parametrize(("column", "rule"), [("abc_upto", "upto"), ("abc_crossing", "before")])
def test_rules_curve_and_gini(shipped: ReferenceData, name: str, column: str, rule: str) -> None:
    source = reference_data(name)
    expected = pq.read_table(source.golden / f"abc_pareto/{name}.parquet").to_pylist()
    key = "customer_id" if name.startswith("cdnow") else "stock_code"
    base = base_of(cdnow_rows(), key, "date") if name.startswith("cdnow") else products(shipped)
    scale = 100 if name.startswith("cdnow") else 1000
    rows = base.abc(rule=rule).to_pyarrow().to_pylist()
    own = "customer_id" if name.startswith("cdnow") else "item"
    assert {row[key]: row["monetary_total"] for row in rows} == {
        wanted[own]: round(wanted["revenue"] * scale) for wanted in expected
    }
    # Its sums are floats: where two customers have the same money, the noise of sums decides which comes first.
    for row, wanted in zip(rows, expected, strict=True):
        assert row["value_class"] == wanted[column]
        assert row["monetary_total"] == round(wanted["revenue"] * scale)
        assert row["cumulative_share"] == pytest.approx(wanted["cum_share"], abs=1e-9)
    summary = json.loads((source.golden / "abc_pareto/summary.json").read_text())["sets"]
    facts = next(facts for facts in summary.values() if facts["n"] == len(rows))
    top = base.concentration([0.2, 1.0]).to_pyarrow().to_pylist()
    assert (top[0]["customers"], top[1]["customers"]) == (facts["n_top_20pct"], facts["n"])
    assert top[0]["value_share"] == pytest.approx(facts["share_of_top_20pct"], abs=1e-9)
    assert top[0]["gini"] == pytest.approx(facts["gini"], abs=1e-9)
    assert top[1]["value"] == round(facts["total_revenue"] * scale)
    curve = base.pareto(len(rows)).to_pyarrow()
    assert curve["value_share"].to_pylist()[1:] == [row["cumulative_share"] for row in rows]
    assert pc.index(pc.greater_equal(curve["value_share"], 0.8), True).as_py() == facts["smallest_n_reaching_80pct"]


@pytest.mark.parametrize("name", ["cdnow_master_customer", "online_retail_item"])
def test_demand_of_every_customer(shipped: ReferenceData, name: str) -> None:
    expected = pq.read_table(reference_data(name).golden / f"value/xyz_{name}.parquet").to_pylist()
    if name.startswith("cdnow"):
        base, key = base_of(cdnow_rows(), "customer_id", "date", track="days"), "customer_id"
    else:
        base, key = products(shipped, track="days"), "stock_code"
    found = base.xyz()
    rows = [row for row in found.to_pyarrow().to_pylist() if row["n_periods"]]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert (row[key], row["n_periods"], row["demand_class"]) == tuple(
            wanted[column] for column in (key, "n_periods", "demand_class")
        )
        assert row["period_mean"] == pytest.approx(wanted["mean_units"], rel=1e-9, abs=1e-9)
        assert row["cv"] == (None if wanted["cv"] is None else pytest.approx(wanted["cv"], abs=1e-9))
    if name.startswith("cdnow"):
        assert Counter(row["demand_class"] for row in rows)["X"] == 9  # as definitions-6-value.md has it


def test_the_nine_cells_and_the_report_are_all_products(shipped: ReferenceData) -> None:
    base = products(shipped, track="days")
    cells = base.abc_xyz()
    classes = {row["stock_code"]: row["value_class"] for row in base.abc().to_pyarrow().to_pylist()}
    demand = {row["stock_code"]: row["demand_class"] for row in base.xyz().to_pyarrow().to_pylist()}
    wanted = Counter((classes[product], demand[product]) for product in classes)
    found = {(row["value_class"], row["demand_class"]): row["customers"] for row in cells.to_pyarrow().to_pylist()}
    assert list(found) == [(a, b) for a in "ABC" for b in "XYZ"]
    assert found == {cell: wanted[cell] for cell in found}
    left = cells.report["no_demand_class"]
    assert sum(found.values()) + left.count == 3665
    revenue = pc.sum(cells.to_pyarrow()["revenue"]).as_py()
    assert revenue + left.sum == pc.sum(base.rfm().to_pyarrow()["monetary_total"]).as_py()
    assert base.xyz().report.as_of == date(2011, 12, 9)
