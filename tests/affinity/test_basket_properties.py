"""Baskets, pairs, itemsets and rules equal counting, whatever the order of rows, batches, threads, merges and types."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.affinity.basket_cases import ITEM_TYPES, ROWS, baskets, item_column, table
from tests.reference.baskets import baskets_reference, itemsets_reference, pairs_reference, rules_reference

BASKET = st.sampled_from(["order", "day", "customer"])
RETURNS = st.sampled_from(["net", "exclude", "count"])
MOST = st.sampled_from([None, 1, 3])


def equal(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for row, want in zip(found, expected, strict=True):
        for name, value in want.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
            else:
                assert row[name] == value, name


@given(ROWS, BASKET, RETURNS, MOST, st.booleans(), st.integers(1, 3), st.integers(1, 3))
def test_pairs_equal_counting(
    rows: list[Any], basket: str, returns: str, most: int | None, anonymous: bool, min_item: int, min_pair: int
) -> None:
    anonymous = anonymous and basket == "order"
    options = {"returns": returns, "anonymous": anonymous}
    expected = [own for _, own in baskets_reference(rows, basket, most=most, **options)]  # type: ignore[arg-type]
    found = baskets(rows, basket, max_basket=most, **options)
    assert len(found) == len(expected)
    want = pairs_reference(expected, min_item, min_pair)
    for test in ("within", "fisher"):
        table = found.pairs(min_item, min_pair, test=test, adjust="none")  # type: ignore[arg-type]
        p_values = [{**row, "p_value": row[f"p_{test}"]} for row in want]
        equal(table.to_pylist(), [{k: v for k, v in row.items() if not k.startswith("p_w")} for row in strip(p_values)])


def strip(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in {"p_within", "p_fisher"}} for row in rows]


@given(ROWS, st.integers(1, 4), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.7]))
def test_itemsets_and_rules_equal_counting(rows: list[Any], least: int, max_len: int, confidence: float) -> None:
    expected = [own for _, own in baskets_reference(rows, "day")]
    found = baskets(rows, "day")
    sets = found.itemsets(least, max_len=max_len)
    assert {tuple(row["items"]): row["baskets"] for row in sets} == itemsets_reference(expected, least, max_len)
    order = [(-row["baskets"], row["size"], row["items"]) for row in sets]
    assert order == sorted(order)
    if max_len > 1:
        equal(
            found.rules(least, confidence, max_len=max_len).to_pylist(),
            rules_reference(expected, least, confidence, max_len),
        )


@given(ROWS, BASKET, st.randoms(use_true_random=False), st.integers(1, 5), st.integers(0, 60))
def test_order_batches_updates_and_merges_change_no_bit(
    rows: list[Any], basket: str, shuffle: random.Random, size: int, cut: int
) -> None:
    whole = baskets(rows, basket)
    bytes_ = whole.to_bytes()
    mixed = rows.copy()
    shuffle.shuffle(mixed)
    batched = custcore.Baskets("item", basket, order_id="order", amount="amount")  # type: ignore[arg-type]
    batched.update(pa.Table.from_batches(table(mixed).to_batches(max_chunksize=size), table(mixed).schema))
    first, second, third = (baskets(part, basket) for part in (rows[:cut], rows[cut : cut + 9], rows[cut + 9 :]))
    first.merge(second)
    first.merge(third)
    third.merge(baskets(rows[cut : cut + 9], basket))
    updated = baskets(rows[cut:], basket)
    updated.update(table(rows[:cut]))
    for other in (batched, first, updated, custcore.Baskets.from_bytes(bytes_)):
        assert other.to_bytes() == bytes_
        assert other.pairs(1, 1).to_pyarrow().equals(whole.pairs(1, 1).to_pyarrow())
    again = baskets(rows[:cut], basket)
    again.merge(third)
    assert again.to_bytes() == bytes_


@given(ROWS, BASKET, st.sampled_from(ITEM_TYPES))
def test_items_of_any_type_have_the_same_counts(rows: list[Any], basket: str, kind: str) -> None:
    found = baskets(rows, basket, kind=kind).pairs(1, 1).to_pyarrow()
    expected = baskets(rows, basket).pairs(1, 1).to_pyarrow()
    counts = expected.column_names[2:]
    assert found.select(counts).equals(expected.select(counts))
    for name in ("item_a", "item_b"):
        column = item_column(expected[name].to_pylist(), kind)
        plain = column.dictionary_decode() if kind == "dictionary" else column
        assert found[name].to_pylist() == plain.to_pylist()


@given(ROWS, BASKET, st.dictionaries(st.sampled_from([1, 2, 3, 9]), st.sampled_from([1, 2, 3, 8]), max_size=3))
def test_new_ids_are_those_of_the_same_data(rows: list[Any], basket: str, mapping: dict[int, int]) -> None:
    found = baskets(rows, basket)
    found.relabel(mapping)
    renamed = [(mapping.get(row[0], row[0]), *row[1:]) for row in rows]
    assert found.to_bytes() == baskets(renamed, basket).to_bytes()


@given(ROWS, BASKET, st.sets(st.sampled_from([1, 2, 9])))
def test_removed_customers_are_as_if_they_never_bought(rows: list[Any], basket: str, ids: set[int]) -> None:
    found = baskets(rows, basket)
    before = len(baskets([row for row in rows if row[0] in ids], basket))
    found.remove(ids)
    kept = [row for row in rows if row[0] not in ids]
    assert found.pairs(1, 1).to_pyarrow().equals(baskets(kept, basket).pairs(1, 1).to_pyarrow())
    assert found.report["removed"].count >= before


@given(ROWS, st.sampled_from(["order", "day"]), st.integers(1, 8))
def test_sealing_changes_no_result(rows: list[Any], basket: str, day: int) -> None:
    found, open_ = baskets(rows, basket), baskets(rows, basket)
    found.seal(f"2026-01-{day:02}")
    assert found.pairs(1, 1).to_pyarrow().equals(open_.pairs(1, 1).to_pyarrow())
    assert [(e.name, e.count, e.sum) for e in found.report] == [(e.name, e.count, e.sum) for e in open_.report]
    assert custcore.Baskets.from_bytes(found.to_bytes()).to_bytes() == found.to_bytes()


@given(ROWS, st.sampled_from([(1, 1), (2, 1), (0.3, 0.2)]))
def test_segments_are_blocks_of_their_own(rows: list[Any], least: tuple[float, float]) -> None:
    segments = pa.table({"customer_id": [1, 2, 3], "segment": ["b", "a", None]})
    found = baskets(rows, "order").pairs(*least, by=segments)
    assert found.column_names[0] == "segment"
    assert found.column_names[-1] == "lift_ratio"
    whole = {(r["item_a"], r["item_b"]): r["lift_within"] for r in baskets(rows).pairs(1, 1)}
    blocks = {None: rows, "a": [row for row in rows if row[0] == 2], "b": [row for row in rows if row[0] == 1]}
    seen = [row["segment"] for row in found]
    assert seen == sorted(seen, key=lambda name: (name is not None, name or ""))
    for name, own in blocks.items():
        expected = baskets(own).pairs(*least).to_pylist()
        here = [row for row in found if row["segment"] == name]
        equal(here, expected)
        for row in here:
            # Minimums that are shares may leave out items of all baskets.
            if row["lift_ratio"] is not None:
                ratio = row["lift_within"] / whole[row["item_a"], row["item_b"]]
                assert row["lift_ratio"] == pytest.approx(ratio, rel=1e-9)
            else:
                assert least[0] < 1
