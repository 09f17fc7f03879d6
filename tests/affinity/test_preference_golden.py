"""Preferences, breadth, sensitivity to promotion and channels, against results of DuckDB and pandas."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow.parquet as pq
import pytest

import custcore
from tests.affinity.complete_journey import NAMES, journey
from tests.reference_data import outside

EXACT = 1e-9


@cache
def base(column: str = "department", **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(
        **NAMES, track="orders", categories=column, promotion="discounted", channel="store_id", **options
    )
    base.update(journey())
    return base


def golden(name: str) -> list[dict[str, Any]]:
    return pq.read_table(outside("online_retail").golden / f"value/{name}.parquet").to_pylist()


def check(
    found: custcore.Table, expected: list[dict[str, Any]], counts: dict[str, str], floats: dict[str, str]
) -> None:
    rows = found.to_pyarrow().to_pylist()
    for own, other in {"household_id": "household_id", **counts}.items():
        assert [row[own] for row in rows] == [row[other] for row in expected], own
    for own, other in floats.items():
        for row, by in zip(rows, expected, strict=True):
            same = by[other] if by[other] is None else pytest.approx(by[other], rel=EXACT, abs=EXACT)
            assert row[own] == same, (own, row, by)


def test_preferences() -> None:
    found = base().preferences()
    counts = {"category": "department", "orders": "orders", "rows": "rows", "monetary_total": "cents", "rank": "rank"}
    floats = {name: name for name in ("share", "share_all", "share_shrunk", "index")}
    check(found, golden("preference_complete_journey_department"), counts, floats)


def test_breadth() -> None:
    counts = {name: name for name in ("n_categories", "favourite", "signature")}
    floats = {name: name for name in ("entropy", "effective_categories")}
    check(base().breadth(), golden("breadth_complete_journey_department"), counts, floats)


def test_promotion_sensitivity() -> None:
    counts = {"rows": "lines", "promo_rows": "promo_lines", "monetary_total": "cents", "promo_money": "promo_cents"}
    floats = {
        name: name for name in ("promo_share", "promo_spend_share", "promo_share_low", "promo_share_high", "index")
    }
    floats |= {"expected_rows": "expected_lines", "index_standardised": "index_standardised"}
    check(base().promotion_sensitivity(), golden("promotion_complete_journey"), counts, floats)


def test_channels() -> None:
    counts = {"main_channel": "main_store", "n_channels": "n_stores"}
    check(base().channels(), golden("channel_complete_journey_store"), counts, {"main_share": "main_share"})


def test_bytes_of_a_cell() -> None:
    """What categories add to a base of totals: the target is 24 bytes a cell."""
    sizes = []
    lines = journey()
    for options in ({}, {"categories": "product_category"}):
        one = custcore.CustomerBase(**NAMES, order_lines="adjacent", **options)
        one.update(lines.sort_by([("household_id", "ascending"), ("basket_id", "ascending")]))
        sizes.append(one.nbytes)
    cells = one.preferences().num_rows
    assert (sizes[1] - sizes[0]) / cells < 24
