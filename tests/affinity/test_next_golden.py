"""The next category against pair counts of DuckDB and scores of numpy."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.affinity.complete_journey import NAMES, journey
from tests.reference_data import SHIPPED, outside

EXACT = 1e-9
METHODS = ("popularity", "confidence", "cosine")


@cache
def online_retail() -> custcore.CustomerBase:
    """Clean orders: identified customers, no cancellations, quantities and prices above 0."""
    lines = pq.read_table(SHIPPED.data / "online_retail/online_retail.parquet")
    is_clean = pc.and_(pc.greater(lines["quantity"], 0), pc.greater(lines["unit_price"], 0.0))
    is_clean = pc.and_(is_clean, pc.invert(pc.starts_with(lines["invoice"], "C")))
    lines = lines.filter(pc.and_(is_clean, pc.is_valid(lines["customer_id"])))
    money = pc.round(pc.multiply(pc.multiply(lines["quantity"].cast(pa.float64()), lines["unit_price"]), 1000.0))
    base = custcore.CustomerBase(
        timestamp="invoice_date",
        amount="units",
        order_id="invoice",
        track="orders",
        categories="stock_code",
        category_days=True,
    )
    base.update(lines.append_column("units", money.cast(pa.int64())))
    return base


@cache
def complete_journey() -> custcore.CustomerBase:
    base = custcore.CustomerBase(**NAMES, track="orders", categories="product_category", category_days=True)
    base.update(journey())
    return base


BASES: dict[str, Callable[[], custcore.CustomerBase]] = {
    "online_retail_item": online_retail,
    "complete_journey_category": complete_journey,
}


def golden(name: str) -> tuple[dict[str, Any], list[dict[str, Any]], datetime.date, int]:
    """Results, scores, the day of the fit, and the horizon."""
    folder = outside("online_retail").golden / "value"
    results = json.loads((folder / f"next_category_{name}.json").read_text())
    first, last = (datetime.date.fromisoformat(results[key]) for key in ("fit_before", "test_before"))
    scores = pq.read_table(folder / f"next_category_{name}_scores.parquet").to_pylist()
    return results, scores, first - datetime.timedelta(1), (last - first).days


@pytest.mark.parametrize("name", list(BASES))
def test_backtest(name: str) -> None:
    expected, _, date, horizon = golden(name)
    found = custcore.backtest_next(BASES[name](), [date], horizon)
    rows = {row["method"]: row for row in found.to_pyarrow().to_pylist()}
    assert list(rows) == ["cosine", "confidence", "popularity"]
    for method, row in rows.items():
        assert (row["date"], row["categories"]) == (date, expected["categories"])
        assert row["customers"] == expected["customers_with_something_new"]
        assert row["buyers"] == expected["customers"]
        for rate, value in expected["results"][method].items():
            assert row[rate] == pytest.approx(value, abs=EXACT), (method, rate)


@pytest.mark.parametrize("name", list(BASES))
@pytest.mark.parametrize("method", METHODS)
def test_scores(name: str, method: str) -> None:
    _, scores, date, _ = golden(name)
    base = BASES[name]()
    key = base.settings["customer_id"]
    model = custcore.NextCategory(method).fit(base, date)
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in model.recommend(base, as_of=date).to_pyarrow().to_pylist():
        found.setdefault(row[key], []).append(row)
    expected: dict[Any, list[dict[str, Any]]] = {}
    for row in (row for row in scores if row["method"] == method):
        expected.setdefault(row[key], []).append(row)
    assert len(expected) > 100
    for customer, rows in expected.items():
        own = found[customer]
        assert [(row["rank"], row["category"]) for row in own] == [(row["rank"], row["category"]) for row in rows]
        assert [row["score"] for row in own] == pytest.approx([row["score"] for row in rows], rel=EXACT)
