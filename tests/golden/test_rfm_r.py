"""R's package rfm 0.3.0: scores, thresholds, segments and their summaries, row for row (golden/README.md).

R's analysis date is our `as_of`: both take recency as that day minus the last order's. R's first edge is the smallest
value and its last one the largest plus 1, where ours are the smallest and the largest value.
There is no row where the two differ, also not among the fractional sums of online_retail.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference import edges_reference
from tests.reference_data import ReferenceData

CUTS = {"recency": [115, 181, 297, 482], "frequency": [4, 5, 6, 8], "monetary": [256, 382, 506, 666]}
CASES: dict[str, dict[str, Any]] = {
    "rfm_data_orders_b5": {"cuts_rule": "r"},
    "rfm_data_orders_custom": {"cuts": CUTS, "closed": "left"},
    "online_retail_b5": {"cuts_rule": "r"},
}
PUBLISHED = {
    "About To Sleep": 102,
    "At Risk": 28,
    "Can't Lose Them": 47,
    "Champions": 35,
    "Lost": 148,
    "Loyal Customers": 170,
    "Need Attention": 10,
    "New Customers": 104,
    "Potential Loyalist": 342,
    "Promising": 9,
}
OURS = ("recency_days", "n_orders", "monetary_total", "r_score", "f_score", "m_score", "rfm_score", "segment")
THEIRS = (
    "recency_days",
    "transaction_count",
    "amount",
    "recency_score",
    "frequency_score",
    "monetary_score",
    "rfm_score",
    "segment",
)


def customers(shipped: ReferenceData, name: str) -> custcore.Table:
    """The RFM table of a case's transactions at R's analysis date."""
    if name.startswith("rfm_data_orders"):
        table = pq.read_table(shipped.data / "rfm/rfm_data_orders.parquet")
        table = table.rename_columns(["customer_id", "timestamp", "amount"])
        return custcore.rfm(table, as_of="2006-12-31")
    table = pq.read_table(shipped.golden / "rfm_r/input_online_retail_orders.parquet").drop(["invoice"])
    table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.int64()))
    return custcore.rfm(table.rename_columns(["customer_id", "timestamp", "amount"]), as_of="2011-12-10")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=CASES)
def case(shipped: ReferenceData, request: pytest.FixtureRequest) -> tuple[str, custcore.RFMScorer, custcore.Table]:
    """Name, fitted scorer, scored customers."""
    scorer = custcore.RFMScorer(segments=custcore.SegmentMap.named("r_vignette"), **CASES[request.param])
    return request.param, scorer, scorer.fit_transform(customers(shipped, request.param))


def test_every_row(shipped: ReferenceData, case: tuple[str, custcore.RFMScorer, custcore.Table]) -> None:
    name, _, scored = case
    expected = pq.read_table(shipped.golden / f"rfm_r/{name}_table.parquet").to_pylist()
    by_id = {row["customer_id"]: tuple(row[c] for c in THEIRS) for row in expected}
    found = {row["customer_id"]: tuple(row[c] for c in OURS) for row in scored.to_pyarrow().to_pylist()}
    assert len(by_id) == len(expected) == len(found)
    if name == "online_retail_b5":  # R adds up floats; ours are the cents
        by_id = {i: (r, f, round(m, 2), *rest) for i, (r, f, m, *rest) in by_id.items()}
    assert found == by_id


def test_one_by_one(case: tuple[str, custcore.RFMScorer, custcore.Table]) -> None:
    _, scorer, scored = case
    for row in scored.to_pyarrow().to_pylist():
        one = scorer.score_one(row["recency_days"], row["n_orders"], row["monetary_total"])
        assert one == (row["r_score"], row["f_score"], row["m_score"], row["segment"])


def test_thresholds(shipped: ReferenceData, case: tuple[str, custcore.RFMScorer, custcore.Table]) -> None:
    """R's lines go by ascending value: recency's first has score 5."""
    name, scorer, scored = case
    table = scored.to_pyarrow()
    found = {(t["dimension"], t["score"]): t for t in scorer.thresholds.to_pyarrow().to_pylist()}
    for number, line in enumerate(read_csv(shipped.golden / f"rfm_r/{name}_thresholds.csv"), start=1):
        for dimension, column in (("recency", "r_score"), ("frequency", "f_score"), ("monetary", "m_score")):
            ours = found[dimension, 6 - number if dimension == "recency" else number]
            lower, upper = (float(line[f"{dimension}_{end}"]) for end in ("lower", "upper"))
            assert ours["lower"] == pytest.approx(lower, rel=1e-12)
            assert ours["upper"] == pytest.approx(upper - 1 if number == 5 else upper, rel=1e-12)
            assert ours["customers"] == table[column].to_pylist().count(ours["score"])
    assert len(found) == 15


def test_segment_summaries(shipped: ReferenceData, case: tuple[str, custcore.RFMScorer, custcore.Table]) -> None:
    """Customers, orders, revenue and its mean per order, of `custcore.profile` and R's `rfm_segment_summary`."""
    name, _, scored = case
    profile = {row["segment"]: row for row in custcore.profile(scored).to_pyarrow().to_pylist()}
    expected = read_csv(shipped.golden / f"rfm_r/{name}_segments.csv")
    assert {row["segment"] for row in expected} == {s for s, row in profile.items() if row["customers"]}
    for line in expected:
        ours = profile[line["segment"]]
        assert ours["customers"] == int(line["customers"])
        orders = ours["frequency_mean"] * ours["customers"]
        assert orders == pytest.approx(int(line["orders"]), rel=1e-12)
        assert round(ours["revenue"], 2) == float(line["revenue"])
        assert round(ours["revenue"] / orders, 2) == pytest.approx(float(line["aov"]), abs=0.0051)
        assert ours["monetary_mean"] == pytest.approx(float(line["revenue"]) / int(line["customers"]), rel=1e-12)


def test_published_counts(shipped: ReferenceData) -> None:
    scored = custcore.RFMScorer(cuts_rule="r", segments="r_vignette").fit_transform(
        customers(shipped, "rfm_data_orders_b5")
    )
    profile = custcore.profile(scored).to_pyarrow().to_pylist()
    assert {row["segment"]: row["customers"] for row in profile if row["customers"]} == PUBLISHED
    assert [row["segment"] for row in profile] == custcore.SegmentMap.named("r_vignette").names


@pytest.mark.parametrize("name", ["rfm_data_orders_b5", "online_retail_b5"])
def test_the_rule_adds_one(shipped: ReferenceData, name: str) -> None:
    """The rules part ways for values between an edge and the edge plus 1, and nowhere else."""
    table = customers(shipped, name)
    ours, r = (custcore.RFMScorer(cuts_rule=rule).fit_transform(table).to_pyarrow() for rule in ("type7", "r"))
    differences = 0
    for score, column in (("r_score", "recency_days"), ("f_score", "n_orders"), ("m_score", "monetary_total")):
        values = ours[column].to_pylist()
        edges = edges_reference(values, 5)
        differ = [a != b for a, b in zip(ours[score].to_pylist(), r[score].to_pylist(), strict=True)]
        assert differ == [any(edge < value < edge + 1 for edge in edges) for value in values]
        differences += sum(differ)
    assert differences > 0
