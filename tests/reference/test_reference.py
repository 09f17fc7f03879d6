"""The oracles themselves, against published results, pandas, and cases small enough to check by hand."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from tests.reference import (
    DECIMAL,
    FLOAT,
    RF10,
    edges_reference,
    float_at_or_below,
    group_reference,
    nested_reference,
    ntile_reference,
    rfm_reference,
    scores_reference,
)
from tests.reference_data import ReferenceData

pq = pytest.importorskip("pyarrow.parquet")
D = date(2024, 1, 1)


@pytest.mark.parametrize("bins", [5, 10])
def test_cdnow(cdnow: ReferenceData, bins: int) -> None:
    golden = pq.read_table(cdnow.golden / f"rfm_quantile/cdnow_master_b{bins}.parquet").to_pydict()
    data = pq.read_table(cdnow.data / "cdnow/cdnow_master.parquet")
    rows = rfm_reference(list(zip(*(data[c].to_pylist() for c in ("customer_id", "date", "spend")), strict=True))).rows
    assert [r["customer_id"] for r in rows] == golden["customer_id"]
    for column, score, tile in (
        ("recency_days", "r_score", "r_ntile"),
        ("n_orders", "f_score", "f_ntile"),
        ("monetary_total", "m_score", "m_ntile"),
    ):
        values = [r[column] for r in rows]
        assert values == golden[column]
        reverse = column == "recency_days"
        assert scores_reference(values, bins, reverse=reverse) == golden[score]
        assert ntile_reference(values, golden["customer_id"], bins, reverse=reverse) == golden[tile]
    if bins == 5:
        assert [RF10[c] for c in zip(golden["r_score"], golden["f_score"], strict=True)] == golden["segment_rf10"]


def test_edges_are_quantiles_of_pandas_and_the_integer_form() -> None:
    pd = pytest.importorskip("pandas")
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    for bins in (2, 3, 5, 7, 100):
        edges = edges_reference(values, bins)
        expected = pd.Series(values).quantile([j / bins for j in range(1, bins)]).tolist()
        assert [float(e) for e in edges] == pytest.approx(expected)
        assert scores_reference(values, bins) == [1 + sum(e < v for e in edges) for v in values]


def test_distinct_values_score_as_qcut() -> None:
    pd = pytest.importorskip("pandas")
    values = [v * 37 % 101 for v in range(101)]
    assert scores_reference(values, 5) == (pd.qcut(values, 5, labels=False) + 1).tolist()


def test_float_at_or_below_is_never_above() -> None:
    third = float_at_or_below(Fraction(1, 3))
    assert Fraction(third) <= Fraction(1, 3) < Fraction(math.nextafter(third, 1))
    assert float_at_or_below(Fraction(1, 2)) == 0.5


def test_small_scores() -> None:
    assert scores_reference([7], 5) == [1]
    assert scores_reference([7], 5, reverse=True) == [5]
    assert scores_reference([2, 2, 2], 5) == [1, 1, 1]
    assert scores_reference([1, 2], 5) == [1, 5]
    assert ntile_reference([1, 1, 1, 1, 1], [5, 4, 3, 2, 1], 3) == [3, 2, 2, 1, 1]


def test_nested_and_grouped_by_hand() -> None:
    recency, frequency, monetary = [0, 0, 9, 9], [1, 2, 3, 4], [4, 3, 2, 1]
    assert nested_reference(recency, frequency, monetary, 2) == [(2, 1, 1), (2, 2, 1), (1, 1, 1), (1, 2, 1)]
    assert group_reference("abab", recency, frequency, monetary, 2) == [
        (2, 1, 2),
        (2, 1, 2),
        (1, 2, 1),
        (1, 2, 1),
    ]


def test_money() -> None:
    assert FLOAT.total(FLOAT.units(0.1) + FLOAT.units(0.2)) == 0.3
    assert FLOAT.units(0.5e-6) == 0
    assert FLOAT.units(1.5e-6) == 2
    assert str(DECIMAL.total(-5)) == "-0.05"


def test_lines_orders_customers() -> None:
    rows = [
        ("a", date(2024, 1, 5), -4.0, 1),  # its order is a purchase of 6 on the 3rd
        ("a", date(2024, 1, 3), 10.0, 1),
        ("a", date(2024, 1, 9), -1.0, 2),  # a refund: no order, moves no date
        ("a", date(2024, 1, 4), 2.0, None),
        ("b", date(2024, 1, 2), -3.0, 1),
        (None, D, 100.0, 1),
    ]
    result = rfm_reference(rows)
    assert result.as_of == date(2024, 1, 9)
    assert result.rows == [
        {
            "customer_id": "a",
            "first_date": date(2024, 1, 3),
            "last_date": date(2024, 1, 4),
            "recency_days": 5,
            "tenure_days": 6,
            "n_orders": 2,
            "n_rows": 3,
            "monetary_total": 7.0,
            "monetary_mean": 3.5,
        }
    ]
    found = {name: (e.count, e.units / 1e6, e.first_row) for name, e in result.report.items() if e.count}
    assert found == {
        "null_customer_id": (1, 100.0, 5),
        "refund_only_customers": (1, -3.0, 4),
        "netted_refunds": (2, -4.0, 2),
        "null_order_id": (1, 2.0, 3),
    }


def test_the_first_reason_counts() -> None:
    rows = [(None, None, math.inf), ("a", None, math.inf), ("a", date(2024, 2, 1), math.inf), ("a", D, 1.0)]
    result = rfm_reference(rows, as_of=D, on_nonfinite="drop")
    assert [result.report[n].count for n in ("null_customer_id", "null_timestamp", "nonfinite_amount")] == [
        1,
        1,
        1,
    ]
    assert result.report["after_as_of"].count == 0
    with pytest.raises(ValueError, match="row 2"):
        rfm_reference(rows, as_of=D)


def test_a_day_that_apia_skipped() -> None:
    apia = ZoneInfo("Pacific/Apia")
    before, after = (datetime(2011, 12, 30, h, tzinfo=ZoneInfo("UTC")) for h in (9, 11))
    (row,) = rfm_reference([("a", before, 1.0), ("a", after, 1.0)], zone=apia).rows
    assert (row["first_date"], row["last_date"]) == (date(2011, 12, 29), date(2011, 12, 31))


def test_orders_against_pandas(shipped: ReferenceData) -> None:
    """Lines of the raw file collapsed to orders: the same customers, orders and cents as a groupby."""
    pytest.importorskip("pandas")
    table = pq.read_table(shipped.data / "online_retail/online_retail.parquet")
    frame = table.to_pandas(types_mapper=None).dropna(subset=["customer_id"])
    frame["amount"] = frame["quantity"] * frame["unit_price"]
    columns = [
        frame["customer_id"].astype(int),
        frame["invoice_date"].dt.date,
        frame["amount"],
        frame["invoice"],
    ]
    result = rfm_reference(list(zip(*(c.tolist() for c in columns), strict=True)))
    orders = frame.groupby(["customer_id", "invoice"])["amount"].sum().round(6)
    purchases = orders[orders >= 0].groupby("customer_id").size()
    assert {r["customer_id"]: r["n_orders"] for r in result.rows} == purchases.to_dict()
    sums = defaultdict(float, frame.groupby("customer_id")["amount"].sum().to_dict())
    assert all(math.isclose(r["monetary_total"], sums[r["customer_id"]], abs_tol=1e-6) for r in result.rows)
