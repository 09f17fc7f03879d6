"""Logarithms of money: defined for customers with more refunds than purchases, in their order, and told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import SHIPPED

MONEY = [-1165.3, -50.0, -1.0, -0.5, 0.0, 0.5, 1.0, 50.0, 1e6]


def signed(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The oracle."""
    return np.sign(x) * np.log1p(np.abs(x))


@pytest.fixture(scope="module")
def retail() -> custcore.Table:
    """The customers of Online Retail, 8 of whom have a negative total."""
    lines = pq.read_table(SHIPPED.data / "online_retail" / "online_retail.parquet")
    money = pc.multiply(lines["quantity"].cast(pa.float64()), lines["unit_price"].cast(pa.float64()))
    columns = {"customer_id": "customer_id", "timestamp": "invoice_date", "order_id": "invoice"}
    return custcore.rfm(lines.append_column("amount", money), **columns)


@pytest.mark.parametrize("how", ["standard", "robust"])
def test_values_are_those_of_numpy(how: Any) -> None:
    x, table = np.array(MONEY), pa.table({"spend": MONEY})
    scaler = custcore.Scaler(log1p=["spend"], how=how).fit(table)
    logs = signed(x)
    center = logs.mean() if how == "standard" else np.median(logs)
    scale = logs.std() if how == "standard" else np.subtract(*np.percentile(logs, [75, 25]))
    found = scaler.transform(table)["spend"].to_numpy()
    assert np.allclose(found, (logs - center) / scale, rtol=0, atol=1e-12)
    assert (np.diff(found) > 0).all()
    back = np.array(scaler.inverse_transform([[value] for value in found]))[:, 0]
    assert np.allclose(back, x, rtol=1e-9, atol=1e-12)
    assert custcore.Scaler.from_bytes(scaler.to_bytes()).transform(table).equals(scaler.transform(table))


def test_centres_are_transformed_back_to_money() -> None:
    table = pa.table({"spend": [-100.0, -100.0, 400.0, 400.0]})
    model = custcore.KMeans(2, scaler=custcore.Scaler(log1p=["spend"])).fit(table)
    centers = custcore.Scaler(log1p=["spend"]).fit(table).inverse_transform(model.cluster_centers_)
    assert sorted(round(value, 9) for (value,) in centers) == [-100.0, 400.0]


def test_clusters_of_online_retail(retail: custcore.Table) -> None:
    negative = int((retail["monetary_total"].to_numpy() < 0).sum())
    assert negative == 8
    table, model = custcore.segment_customers(retail, 4, n_init=3)
    assert table.report.remarks == ("monetary_total is negative for 8 customers: their logarithm is -log(1 - x)",)
    # Without the logarithm six customers were a cluster of their own.
    assert min(np.bincount(model.labels_)) > 400
    choice = custcore.select_k(
        retail, [2, 3], scaler=custcore.Scaler(["n_orders", "monetary_total"], log1p=["monetary_total"]), n_init=1
    )
    assert choice["k"].to_pylist() == [2, 3]


def test_nothing_is_told_where_nothing_is_negative(retail: custcore.Table) -> None:
    rows = retail.to_pyarrow()
    positive = rows.filter(pc.greater_equal(rows["monetary_total"], 0))
    assert custcore.segment_customers(positive, 2, n_init=1)[0].report.remarks == ()
    assert custcore.segment_customers(rows, 2, n_init=1, log1p=[])[0].report.remarks == ()
    money = positive.set_column(
        positive.column_names.index("monetary_total"),
        "monetary_total",
        pc.negate(positive["monetary_total"]).cast(pa.decimal128(20, 6), safe=False),
    )
    assert "negative for" in custcore.segment_customers(money, 2, n_init=1)[0].report.remarks[0]
