"""Portraits and net promoter scores by pandas, statsmodels, scipy and numpy, row for row (golden/value/README.md)."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import outside

COUNTS = ("customers", "segment_known", "all_customers", "all_known")
FLOATS = ("share", "share_low", "share_high", "share_all", "index", "index_low", "index_high", "p_value", "strength")


@pytest.fixture(scope="module")
def online_retail() -> tuple[pa.Table, dict[str, Any], list[dict[str, Any]]]:
    """ABC classes, their attributes, and the expected portrait."""
    folder = outside("online_retail").golden / "value"
    customers = pq.read_table(folder / "profile_online_retail_input.parquet")
    items = pq.read_table(folder / "profile_online_retail_items.parquet").rename_columns(["customer_id", "item"])
    attributes = {"customers": customers.select(["customer_id", "country", "first_month"]), "item": items}
    expected = pq.read_table(folder / "profile_online_retail.parquet").to_pylist()
    return customers.select(["customer_id", "segment"]), attributes, expected


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]], adjusted: str = "p_adjusted") -> int:
    """Compare all rows in their order; the result is how many there are."""
    assert len(found) == len(expected)
    for row, want in zip(found, expected, strict=True):
        key = ("segment", "attribute", "value")
        assert [row[name] for name in key] == [str(want[name]) for name in key]
        for name in (*COUNTS, "tested"):
            assert row[name] == want[name], (name, want)
        for name in FLOATS:
            assert row[name] == pytest.approx(want[name], rel=1e-9, abs=1e-12 if name == "strength" else 0), name
        if not row["tested"]:
            assert row["p_adjusted"] is None
            assert want[adjusted] is None or math.isnan(want[adjusted])
        else:
            assert row["p_adjusted"] == pytest.approx(want[adjusted], rel=1e-9), want
        if adjusted == "p_adjusted":
            assert row["is_mark"] == want["is_mark"], want
    return len(found)


def test_abc_classes_of_online_retail(online_retail: Any):
    segments, attributes, expected = online_retail
    assert same(custcore.portrait(segments, attributes).to_table().to_pylist(), expected) == 270
    holm = custcore.portrait(segments, attributes, adjust="holm").to_table().to_pylist()
    assert same(holm, expected, "p_holm") == 270
    lists = custcore.portrait(segments, attributes["customers"], long={"item": attributes["item"]})
    assert lists.to_table().to_pylist() == custcore.portrait(segments, attributes).to_table().to_pylist()


def test_marks_and_sentences_of_online_retail(online_retail: Any):
    segments, attributes, expected = online_retail
    portrait = custcore.portrait(segments, attributes)
    want = []
    for segment in ("A", "B", "C"):
        marks = [row for row in expected if row["segment"] == segment and row["is_mark"]]
        want += [row for row in marks if row["index"] > 100][:3]
        want += [row for row in marks if row["index"] < 100][-1:]
    key = ("segment", "attribute", "value")
    assert [[row[name] for name in key] for row in portrait.marks().to_pylist()] == [[w[n] for n in key] for w in want]
    english = portrait.sentences().to_pylist()[2]
    assert english["sentence"] == (
        "C (1736 customers, 40 % of all): 2011-11 in first_month (14 % against 7 %, index 182); 2011-10 in first_month "
        "(13 % against 8 %, index 155); United Kingdom in country (93 % against 90 %, index 103); rarely 22423 in item "
        "(9 % against 20 %, index 43)."
    )
    assert portrait.sentences("zh").to_pylist()[2]["sentence"] == (
        "C（1736 人，占 40%）：first_month为“2011-11”的占 14%（全体 7%，指数 182）；first_month为“2011-10”的占 13%"
        "（全体 8%，指数 155）；country为“United Kingdom”的占 93%（全体 90%，指数 103）；"
        "较少item为“22423”（占 9%，全体 20%，指数 43）。"
    )


def test_rows_per_customer_of_apparel():
    data = outside("apparel")
    rows = Counter(pq.read_table(data.data / "apparel/apparel_trans.parquet")["customer_id"].to_pylist())
    bounds = ((1, "1"), (3, "2-3"), (7, "4-7"), (10**9, "8+"))
    classes = {customer: next(name for most, name in bounds if n <= most) for customer, n in rows.items()}
    names = [name for _, name in bounds]
    codes = pa.array([names.index(name) for name in classes.values()], pa.int8())
    segments = pa.table(
        {"customer_id": pa.array(classes, pa.int64()), "segment": pa.DictionaryArray.from_arrays(codes, names)}
    )
    attributes = pq.read_table(data.data / "apparel/apparel_static_cov.parquet")
    expected = pc.read_csv(data.golden / "value/profile_apparel.csv").to_pylist()
    assert same(custcore.portrait(segments, attributes).to_table().to_pylist(), expected) == 16
    holm = custcore.portrait(segments, attributes, adjust="holm").to_table().to_pylist()
    assert same(holm, expected, "p_holm") == 16


@pytest.mark.parametrize(
    ("interval", "low", "high"), [("adjusted", "nps_low", "nps_high"), ("wald", "wald_low", "wald_high")]
)
def test_nps(interval: Any, low: str, high: str):
    folder = outside("online_retail").golden / "value"
    answers = pc.read_csv(folder / "nps_input.csv")
    expected = pc.read_csv(folder / "nps.csv").to_pylist()
    for ids in (None, "customer_id"):
        found = custcore.nps(answers, by="segment", customer_id=ids, interval=interval).to_pylist()
        assert len(found) == len(expected) == 5
        for row, want in zip(found, expected, strict=True):
            assert row["segment"] == (None if want["segment"] == "(all)" else want["segment"])
            for name in ("answers", "missing", "promoters", "passives", "detractors"):
                assert row[name] == want[name]
            assert row["nps"] == pytest.approx(want["nps"], rel=1e-9)
            assert row["nps_low"] == pytest.approx(want[low], rel=1e-9)
            assert row["nps_high"] == pytest.approx(want[high], rel=1e-9)
    overall = custcore.nps(answers, interval=interval).to_pylist()
    assert [dict(found[0], segment=None)] == [{"segment": None, **overall[0]}]
