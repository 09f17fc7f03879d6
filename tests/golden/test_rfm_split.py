"""Tiles over (value, customer id): every row as DuckDB's `ntile` has it, beside the scores that keep ties together."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import reference_data

SETS = ["cdnow_master_b5", "cdnow_master_b10", "online_retail_b4"]
VALUES = ("recency_days", "n_orders", "monetary_total")
SCORES = ("r_score", "f_score", "m_score")
EXPECTED = {"same": SCORES, "split": ("r_ntile", "f_ntile", "m_ntile")}


def rows(table: pa.Table, columns: tuple[str, ...]) -> list[tuple[int, ...]]:
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


@pytest.fixture(scope="module", params=SETS)
def golden(request: pytest.FixtureRequest) -> tuple[int, custcore.Table, pa.Table]:
    """Bins, customers as custcore finds them, and the reference table of the same customers."""
    name = request.param
    source = reference_data(name)
    if name.startswith("cdnow_master"):
        columns = ["customer_id", "date", "spend"]
        transactions = pq.read_table(source.data / "cdnow/cdnow_master.parquet", columns=columns)
    else:
        transactions = pq.read_table(source.golden / "rfm_r/input_online_retail_orders.parquet").drop(["invoice"])
        ids = transactions["customer_id"].cast(pa.int64())
        transactions = transactions.set_column(0, "customer_id", ids)
    customers = custcore.rfm(transactions.rename_columns(["customer_id", "timestamp", "amount"]))
    expected = pq.read_table(source.golden / f"rfm_quantile/{name}.parquet")
    assert customers.to_pyarrow()["customer_id"].to_pylist() == expected["customer_id"].to_pylist()
    return int(name.rsplit("_b", 1)[1]), customers, expected


@pytest.mark.parametrize("ties", ["same", "split"])
def test_every_row(golden: tuple[int, custcore.Table, pa.Table], ties: str) -> None:
    bins, customers, expected = golden
    found = custcore.RFMScorer(bins=bins, ties=ties).fit_transform(customers).to_pyarrow()
    assert rows(found, SCORES) == rows(expected, EXPECTED[ties])


@pytest.mark.parametrize("ties", ["same", "split"])
def test_fit_transform_is_fit_and_transform_and_score_one(
    golden: tuple[int, custcore.Table, pa.Table], ties: str
) -> None:
    bins, customers, expected = golden
    scorer = custcore.RFMScorer(bins=bins, ties=ties)
    at_once = scorer.fit_transform(customers).to_pyarrow()
    assert custcore.RFMScorer(bins=bins, ties=ties).fit(customers).transform(customers).to_pyarrow().equals(at_once)
    ids = at_once["customer_id"].to_pylist()
    values = zip(ids, *(at_once[name].to_pylist() for name in VALUES), strict=True)
    one_by_one = [scorer.score_one(r, f, m, customer_id=i)[:3] for i, r, f, m in values]
    assert one_by_one == rows(expected, EXPECTED[ties])


def test_order_and_batches_of_the_customers_do_not_matter(golden: tuple[int, custcore.Table, pa.Table]) -> None:
    """The ids decide among equals, not the rows."""
    bins, customers, expected = golden
    table = customers.to_pyarrow()
    backwards = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    batches = pa.Table.from_batches(backwards.to_batches(max_chunksize=999), backwards.schema)
    found = custcore.RFMScorer(bins=bins, ties="split").fit_transform(batches).to_pyarrow()
    assert rows(found, SCORES) == rows(expected, EXPECTED["split"])[::-1]


def test_tiles_are_as_equal_as_can_be(golden: tuple[int, custcore.Table, pa.Table]) -> None:
    bins, customers, _ = golden
    scorer = custcore.RFMScorer(bins=bins, ties="split").fit(customers)
    found = scorer.transform(customers).to_pyarrow()
    thresholds = scorer.thresholds.to_pyarrow().to_pylist()
    for column, dimension in zip(SCORES, ("recency", "frequency", "monetary"), strict=True):
        sizes = Counter(found[column].to_pylist())
        assert max(sizes.values()) - min(sizes.values()) <= 1
        assert len(sizes) == bins
        assert {t["score"]: t["customers"] for t in thresholds if t["dimension"] == dimension} == sizes


def test_without_an_id_first_among_equals(golden: tuple[int, custcore.Table, pa.Table]) -> None:
    """The tile of the first customer who has the value."""
    bins, customers, expected = golden
    scorer = custcore.RFMScorer(bins=bins, ties="split").fit(customers)
    tile: dict[int, int] = {}
    for orders, score in sorted(rows(expected, ("n_orders", "f_ntile"))):
        tile.setdefault(orders, score)
    assert {n: scorer.score_one(0, n, 0.0)[1] for n in tile} == tile
