"""Online Retail month by month: the table of transitions sums to the customers and the money of each date."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import ReferenceData

NAMES = {"customer_id": "customer_id", "timestamp": "invoice_date"}
MONTHS = [date(2010, 12, 31), *(date(2011, month, 28) for month in range(1, 12)), date(2011, 12, 9)]


@pytest.fixture(scope="module")
def raw(shipped: ReferenceData) -> pa.Table:
    """All 541,909 rows as they are, with an amount in thousandths of a pound (no price has more places)."""
    table = pq.read_table(shipped.data / "online_retail/online_retail.parquet")
    amount = pc.round(pc.multiply(pc.multiply(table["quantity"].cast(pa.float64()), table["unit_price"]), 1000.0))
    return table.append_column("amount", amount.cast(pa.int64()))


@pytest.mark.parametrize("order_id", [None, "invoice"])
@pytest.mark.parametrize("edges", ["frozen", "refit"])
def test_it_sums_to_the_customers_of_each_date(raw: pa.Table, order_id: str | None, edges: str) -> None:
    level = "days" if order_id is None else "orders"
    base = custcore.CustomerBase(**NAMES, order_id=order_id, track=level)
    base.update(raw)
    scorer = custcore.RFMScorer()
    moves = base.transitions(MONTHS, scorer, edges=edges).to_pyarrow()
    assert moves["to_date"].unique().to_pylist() == MONTHS[1:]
    fitted = custcore.RFMScorer().fit(custcore.rfm(raw, **NAMES, order_id=order_id, as_of=MONTHS[0]))
    for day in MONTHS[1:]:
        table = custcore.rfm(raw, **NAMES, order_id=order_id, as_of=day)
        scored = (custcore.RFMScorer().fit(table) if edges == "refit" else fitted).transform(table).to_pyarrow()
        own = moves.filter(pc.equal(moves["to_date"], day))
        found = own.group_by("to_segment", use_threads=False).aggregate([("customers", "sum"), ("revenue", "sum")])
        expected = scored.group_by("segment", use_threads=False).aggregate(
            [("segment", "count"), ("monetary_total", "sum")]
        )
        assert {row["to_segment"]: (row["customers_sum"], row["revenue_sum"]) for row in found.to_pylist()} == {
            row["segment"]: (row["segment_count"], row["monetary_total_sum"]) for row in expected.to_pylist()
        }
        assert pc.sum(own["customers"]).as_py() == table.num_rows
    lasting = base.stays(MONTHS, scorer, edges=edges).to_pyarrow()
    assert pc.sum(lasting["open"]).as_py() == scored.num_rows
