"""Cohorts and movement against results of pandas and DuckDB: every cell of them equal."""

from __future__ import annotations

from typing import Any

import pytest

import custcore
from tests.cohort_cases import golden_table
from tests.reference_data import reference_data

pq = pytest.importorskip("pyarrow.parquet")

COHORTS = [
    ("cdnow_master_month", "month"),
    ("cdnow_master_week", "week"),
    ("apparel_quarter", "quarter"),
    ("online_retail_month", "month"),
]


def retention(name: str, **options: Any) -> custcore.CohortRetention:
    table = golden_table(name)
    order_id = "order_id" if "order_id" in table.column_names else None
    return custcore.cohort_retention(table, amount="amount", order_id=order_id, **options)


@pytest.mark.parametrize(("name", "period"), COHORTS)
def test_cohorts(name: str, period: str) -> None:
    result = retention(name, period=period)
    table = result.to_table().to_pyarrow().to_pylist()
    found = {(row["cohort"], row["period_index"]): row for row in table if row["cohort"]}
    for row in pq.read_table(reference_data(name).golden / f"cohort/{name}.parquet").to_pylist():
        cell = found.pop((row["cohort_start"], row["offset"]))
        assert all(cell[column] == row[column] for column in ("customers", "orders", "cohort_size")), row
        assert cell["revenue"] == pytest.approx(row["revenue"], abs=0.0051), row
        assert cell["rate"] == pytest.approx(row["retention"], abs=1e-6), row
    # Cells that the others leave out are there, and nobody is in them.
    assert all(row["customers"] == row["orders"] == row["revenue"] == 0 for row in found.values())
    assert (table[-1]["cohort"], table[-1]["orders"], table[-1]["revenue"]) == (None, 0, 0.0)
    total = sum(row["revenue"] for row in table)
    assert total == pytest.approx(sum(golden_table(name)["amount"].to_pylist()), abs=0.01)


@pytest.mark.parametrize("name", ["cdnow_master_month", "online_retail_month"])
def test_movement(name: str) -> None:
    found = retention(name).movement().to_pyarrow().to_pylist()
    golden = pq.read_table(reference_data(name).golden / f"movement/{name}.parquet").to_pylist()
    for row, expected in zip(found, golden, strict=True):
        assert row["period_start"].strftime("%Y-%m") == expected.pop("month")
        assert {column: row[column] for column in expected} == expected


@pytest.mark.parametrize("name", ["cdnow_master_month", "online_retail_month"])
def test_on_or_after_and_on_or_before(name: str) -> None:
    found = {
        criterion: {
            (row["cohort"].strftime("%Y-%m"), row["period_index"]): row["customers"]
            for row in retention(name, return_criteria=criterion).to_table().to_pyarrow().to_pylist()
            if row["cohort"]
        }
        for criterion in ("on_or_after", "on_or_before")
    }
    for row in pq.read_table(reference_data(name).golden / f"movement/{name}_on_or_after.parquet").to_pylist():
        key = row["cohort"], row["offset"]
        assert found["on_or_after"][key] == row["customers_on_or_after"], row
        # In cell 0 everybody counts, under every criterion; the other tools have 0 there.
        expected = row["customers_on_or_before"] if row["offset"] else row["cohort_size"]
        assert found["on_or_before"][key] == expected, row


def test_the_last_month_of_online_retail_is_partial() -> None:
    """Its last day is 9 December 2011; the rate of December is kept, flagged, and in no average."""
    result = retention("online_retail_month")
    table = [row for row in result.to_table().to_pyarrow().to_pylist() if row["cohort"]]
    assert {row["period_start"].isoformat() for row in table if not row["is_complete"]} == {"2011-12-01"}
    average = result.average().to_pyarrow().to_pylist()
    assert [row["cohorts"] for row in average] == [*range(12, 0, -1), 0]
    assert average[-1]["rate"] is None
    # Of the first cohort month 11 is complete, month 12 is not.
    assert [row["is_complete"] for row in table if row["period_index"] in {11, 12}][:2] == [True, False]
