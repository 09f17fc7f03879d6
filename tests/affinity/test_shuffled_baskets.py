"""Items spread over baskets at random: lift and Fisher see association, comparing baskets of like size does not."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

import custcore
from tests.golden.test_abc import lines
from tests.reference_data import ReferenceData


def shuffled(shipped: ReferenceData, seed: int) -> custcore.Baskets:
    """The invoices of Online Retail with their sizes, and the items permuted over their lines."""
    rows = lines(shipped, clean=True).select(["customer_id", "invoice", "invoice_date", "stock_code"])
    distinct = rows.group_by(["customer_id", "invoice", "invoice_date", "stock_code"], use_threads=False).aggregate([])
    items = distinct["stock_code"].to_pylist()
    random.Random(seed).shuffle(items)
    mixed = distinct.set_column(distinct.column_names.index("stock_code"), "stock_code", pa.array(items))
    baskets = custcore.Baskets("stock_code", order_id="invoice", timestamp="invoice_date")
    baskets.update(mixed)
    return baskets


@pytest.mark.parametrize("seed", [1, 2])
def test_no_pair_is_significant_where_there_is_nothing_to_find(shipped: ReferenceData, seed: int) -> None:
    baskets = shuffled(shipped, seed)
    found = baskets.pairs(100, 20)
    assert found.num_rows > 40_000
    lifts = found["lift"].to_pylist()
    assert sum(lift > 1 for lift in lifts) > 0.9 * len(lifts)
    inside = found["lift_within"].to_pylist()
    assert sorted(inside)[len(inside) // 2] == pytest.approx(1, abs=0.1)
    for adjust in ("bh", "holm"):
        within = baskets.pairs(100, 20, adjust=adjust)["p_adjusted"].to_pylist()
        fisher = baskets.pairs(100, 20, adjust=adjust, test="fisher")["p_adjusted"].to_pylist()
        assert sum(p < 0.05 for p in within) <= 5
        assert sum(p < 0.05 for p in fisher) > 1_000
