"""Type-7 quantile scores, equal values equal scores: every row as numpy and DuckDB computed it (golden/README.md)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import ReferenceData, reference_data

SCORES = ("r_score", "f_score", "m_score")


def input_of(source: ReferenceData, name: str) -> pa.Table:
    """The transactions behind a golden set, with the names that custcore looks for by itself."""
    if name.startswith("cdnow_master"):
        table = pq.read_table(source.data / "cdnow/cdnow_master.parquet", columns=["customer_id", "date", "spend"])
    else:
        table = pq.read_table(source.golden / "rfm_r/input_online_retail_orders.parquet").drop(["invoice"])
        table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.int64()))
    return table.rename_columns(["customer_id", "timestamp", "amount"])


@pytest.fixture(scope="module", params=["cdnow_master_b5", "cdnow_master_b10", "online_retail_b4"])
def golden(request: pytest.FixtureRequest) -> tuple[int, pa.Table, pa.Table]:
    """Bins, transactions, and the published table."""
    source = reference_data(request.param)
    expected = pq.read_table(source.golden / f"rfm_quantile/{request.param}.parquet")
    return int(request.param.rsplit("_b", 1)[1]), input_of(source, request.param), expected


def test_rfm(golden: tuple[int, pa.Table, pa.Table]) -> None:
    _, transactions, expected = golden
    found = custcore.rfm(transactions).to_pyarrow()
    for column in ("customer_id", "recency_days", "n_orders"):
        assert found[column].to_pylist() == expected[column].to_pylist()
    cents = [round(v, 2) for v in found["monetary_total"].to_pylist()]
    assert cents == [round(v, 2) for v in expected["monetary_total"].to_pylist()]


def test_scores(golden: tuple[int, pa.Table, pa.Table]) -> None:
    bins, transactions, expected = golden
    found = custcore.rfm_scores(transactions, bins=bins, ties="same").to_pyarrow()
    for column in SCORES:
        assert found[column].to_pylist() == expected[column].to_pylist()
    if "segment_rf10" in expected.column_names:
        assert found["segment"].to_pylist() == expected["segment_rf10"].to_pylist()


def test_fit_transform_is_fit_and_transform_and_score_one(golden: tuple[int, pa.Table, pa.Table]) -> None:
    bins, transactions, expected = golden
    customers = custcore.rfm(transactions)
    scorer = custcore.RFMScorer(bins=bins)
    at_once = scorer.fit_transform(customers).to_pyarrow()
    assert custcore.RFMScorer(bins=bins).fit(customers).transform(customers).to_pyarrow().equals(at_once)

    values = (at_once[c].to_pylist() for c in ("recency_days", "n_orders", "monetary_total"))
    one_by_one = [scorer.score_one(*row) for row in zip(*values, strict=True)]
    assert [row[:3] for row in one_by_one] == list(zip(*(expected[c].to_pylist() for c in SCORES), strict=True))
    if bins == 5:
        assert [row[3] for row in one_by_one] == at_once["segment"].to_pylist()
    else:
        assert {row[3] for row in one_by_one} == {None}
