"""Pairs and rules of frames of pandas and polars."""

from __future__ import annotations

from typing import Any

import pytest

from tests.affinity.basket_cases import table
from tests.affinity.test_baskets import ROWS

PAIRS: dict[str, Any] = {"order_id": "order", "amount": "amount", "min_item_baskets": 1, "min_pair_baskets": 1}
RULES: dict[str, Any] = {"order_id": "order", "amount": "amount", "min_baskets": 1}


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    import custcore.pandas

    frame = table(ROWS).to_pandas()
    found = frame.custcore.pairs("item", **PAIRS)
    expected = custcore.pairs(table(ROWS), "item", **PAIRS)
    assert list(found.columns) == expected.column_names
    assert found["n_ab"].tolist() == expected["n_ab"].to_pylist()
    assert found.custcore.report["refunds"].count == 1
    pd.testing.assert_frame_equal(custcore.pandas.pairs(frame, "item", **PAIRS), found)
    rules = custcore.pandas.rules(frame, "item", **RULES)
    assert [list(items) for items in rules["antecedent"]] == [[1], [2]]
    segments = pd.DataFrame({"customer_id": [1, 2], "segment": ["x", "y"]})
    by = frame.custcore.pairs("item", **PAIRS, by=segments)
    assert by["segment"].dropna().tolist() == ["x", "y"]


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    import custcore.polars

    frame = pl.from_arrow(table(ROWS))
    expected = custcore.pairs(table(ROWS), "item", **PAIRS).to_polars()
    assert frame.custcore.pairs("item", **PAIRS).equals(expected)
    assert custcore.polars.pairs(frame.lazy(), "item", **PAIRS).equals(expected)
    rules = custcore.polars.rules(frame, "item", **RULES)
    assert rules["antecedent"].to_list() == [[1], [2]]
    assert frame.custcore.rules("item", **RULES).equals(rules)
