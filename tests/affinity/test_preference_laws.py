"""Properties of categories and channels: a slow reference, and the same bits however the rows come."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custcore
from tests.reference import preferences as slow
from tests.reference.preferences import Line

LINES = st.lists(
    st.builds(
        Line,
        customer=st.integers(0, 4),
        moment=st.integers(0, 12 * 4).map(lambda quarter: quarter * 21_600),
        amount=st.one_of(st.none(), st.integers(-40, 60)),
        order=st.one_of(st.none(), st.integers(0, 6)),
        category=st.sampled_from([None, "a", "b", "c", "d"]),
        discount=st.booleans(),
        channel=st.sampled_from([None, "x", "y", "z"]),
    ),
    max_size=40,
)
NAMES: dict[str, Any] = {
    "timestamp": "moment",
    "order_id": "order",
    "track": "orders",
    "categories": "category",
    "promotion": "discount",
    "channel": "channel",
}


def table(lines: list[Line], kind: str = "string") -> pa.Table:
    """The lines; categories as strings, a dictionary, or their numbers."""
    values = {
        "string": pa.string(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "integer": pa.int16(),
    }
    categories = [line.category for line in lines]
    if kind == "integer":
        categories = [value and "abcd".index(value) + 7 for value in categories]
    return pa.table(
        {
            "customer_id": pa.array([line.customer for line in lines], pa.int64()),
            "moment": pa.array([line.moment for line in lines], pa.timestamp("s")),
            "amount": pa.array([line.amount for line in lines], pa.int64()),
            "order": pa.array([line.order for line in lines], pa.int32()),
            "category": pa.array(categories, pa.string() if kind == "dictionary" else values[kind]).cast(values[kind]),
            "discount": pa.array([line.discount for line in lines], pa.bool_()),
            "channel": pa.array([line.channel for line in lines], pa.string()),
        }
    )


def base_of(*parts: list[Line], kind: str = "string", **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(**{**NAMES, **options})
    for part in parts:
        base.update(table(part, kind))
    return base


def results(base: custcore.CustomerBase, **options: Any) -> list[list[dict[str, Any]]]:
    """All tables; NaN does not occur, so that equal lists are equal bits."""
    found = [
        base.preferences(**options),
        base.preferences("orders", prior_orders=0, **options),
        base.channel_preferences(**options),
        base.breadth(**options),
        base.promotion_sensitivity(**options),
        base.channels(**options),
        base.preference_features(3, **options),
    ]
    return [table.to_pyarrow().to_pylist() for table in found]


def close(found: float | None, expected: float | None) -> bool:
    return found is expected if found is None or expected is None else math.isclose(found, expected, rel_tol=1e-12)


@settings(max_examples=80)
@given(LINES, st.sampled_from([None, 2, 5, 11]))
def test_the_slow_reference(lines: list[Line], until: int | None) -> None:
    base = base_of(lines, category_days=True)
    day = None if until is None else (np.datetime64("1970-01-01") + until).item()
    orders = slow.orders_of(lines, until)
    for measure, prior in (("spend", 5.0), ("orders", 2.0)):
        rows = base.preferences(measure, prior_orders=prior, as_of=day).to_pyarrow().to_pylist()
        check_preferences(rows, slow.preferences(orders, measure, prior), "category")
    rows = base.channel_preferences(prior_orders=1, as_of=day).to_pyarrow().to_pylist()
    check_preferences(rows, slow.preferences(orders, "orders", 1, "channel"), "channel")
    found = {row["customer_id"]: row for row in base.breadth(as_of=day).to_pyarrow().to_pylist()}
    expected = slow.breadth(orders)
    assert sorted(expected) == list(found)
    for customer, (n, entropy) in expected.items():
        assert found[customer]["n_categories"] == n
        own = found[customer]["entropy"]
        assert (own is None) == (entropy is None)
        assert own is None or math.isclose(own, entropy or 0.0, rel_tol=1e-12, abs_tol=1e-12)
    promoted = base.promotion_sensitivity(prior_rows=3, as_of=day).to_pyarrow().to_pylist()
    assert [row["customer_id"] for row in promoted] == sorted(slow.promotion(orders))
    for row in promoted:
        rows_, discounted, awaited = slow.promotion(orders)[row["customer_id"]]
        assert (row["rows"], row["promo_rows"]) == (rows_, discounted)
        assert close(row["expected_rows"], awaited)
        assert close(row["index_standardised"], 100 * (discounted + 3) / (awaited + 3))
    found_channels = base.channels(as_of=day).to_pyarrow().to_pylist()
    keys = ("main_channel", "n_channels", "last_channel")
    assert {row["customer_id"]: tuple(row[key] for key in keys) for row in found_channels} == slow.channels(orders)
    assert all(row["switched"] == (row["main_channel"] != row["last_channel"]) for row in found_channels)


def check_preferences(rows: list[dict[str, Any]], expected: list[dict[str, Any]], value: str) -> None:
    exact = ("orders", "rows", "monetary_total")
    assert [(row["customer_id"], row[value], *(row[key] for key in exact)) for row in rows] == [
        (row["customer"], row[value], *(row[key] for key in exact)) for row in expected
    ]
    for row, other in zip(rows, expected, strict=True):
        assert all(close(row[key], other[key]) for key in ("share", "share_all", "share_shrunk", "index")), (row, other)
    for customer in {row["customer_id"] for row in rows}:
        own = [row for row in rows if row["customer_id"] == customer]
        ranked = sorted(own, key=lambda row: row["rank"])
        assert [row["rank"] for row in ranked] == list(range(1, len(own) + 1))
        for better, worse in itertools.pairwise(ranked):
            pair = (-(better["share_shrunk"] or 0), better[value]), (-(worse["share_shrunk"] or 0), worse[value])
            assert pair[0] <= pair[1]


@settings(max_examples=40)
@given(LINES, st.randoms(use_true_random=False), st.booleans())
def test_the_same_bits_however_the_rows_come(lines: list[Line], random: Any, by_day: bool) -> None:
    whole = base_of(lines, category_days=by_day)
    expected = results(whole)
    shuffled = lines.copy()
    random.shuffle(shuffled)
    cut = random.randint(0, len(lines))
    first, second = base_of(shuffled[:cut], category_days=by_day), base_of(shuffled[cut:], category_days=by_day)
    assert results(base_of(*([line] for line in shuffled), [], category_days=by_day)) == expected
    bytes_of_whole = whole.to_bytes()
    first.merge(second)
    assert results(first) == expected
    assert first.to_bytes() == bytes_of_whole
    loaded = custcore.CustomerBase.from_bytes(bytes_of_whole)
    assert results(loaded) == expected
    assert loaded.to_bytes() == bytes_of_whole
    assert results(base_of(shuffled, kind="dictionary", category_days=by_day)) == expected
    assert results(whole, n_threads=3) == expected
    spilled = base_of(shuffled[:cut], max_memory="1MiB", category_days=by_day)
    spilled._core.spill()
    spilled.update(table(shuffled[cut:]))
    assert results(spilled) == expected
    spilled._core.spill()
    assert results(spilled) == expected
    assert spilled.to_bytes() == bytes_of_whole


@settings(max_examples=25)
@given(LINES)
def test_numbers_are_categories_as_strings_are(lines: list[Line]) -> None:
    texts, numbers = base_of(lines), base_of(lines, kind="integer")
    names = {7 + at: name for at, name in enumerate("abcd")}
    found = [{**row, "category": names[row["category"]]} for row in numbers.preferences().to_pyarrow().to_pylist()]
    assert found == texts.preferences().to_pyarrow().to_pylist()


@settings(max_examples=40)
@given(LINES, st.integers(0, 13))
def test_edits(lines: list[Line], sealed: int) -> None:
    base = base_of(lines, late="report")
    day = (np.datetime64("1970-01-01") + sealed).item()
    if lines:
        base.seal(day)
    assert results(base) == results(base_of(lines))
    base.relabel({0: 3, 4: 9})
    moved = [Line(**{**vars(line), "customer": {0: 3, 4: 9}.get(line.customer, line.customer)}) for line in lines]
    # Orders of the same id of two customers become one, unless they are sealed: compared without such orders.
    apart = {line.order for line in lines if line.customer == 0} & {line.order for line in lines if line.customer == 3}
    if not apart - {None}:
        assert results(base) == results(base_of(moved))
        base.remove([1, 9])
        assert results(base) == results(base_of([line for line in moved if line.customer not in (1, 9)]))


@settings(max_examples=30)
@given(LINES)
def test_groups_are_sums_of_their_customers(lines: list[Line]) -> None:
    base = base_of(lines)
    segments = pa.table({"customer_id": pa.array([0, 1, 2], pa.int64()), "segment": ["s", "t", "s"]})
    rows = base.preferences("spend", by=segments).to_pyarrow().to_pylist()
    own = slow.preferences(slow.orders_of(lines), "spend", 0)
    group = {0: "s", 1: "t", 2: "s"}
    total = sum(row["monetary_total"] for row in own)
    expected: dict[Any, list[Any]] = {}
    for row in own:
        at = expected.setdefault((group.get(row["customer"]), row["category"]), [0, 0, 0, 0])
        for i, more in enumerate((1, row["orders"], row["rows"], row["monetary_total"])):
            at[i] += more
    keys = ("customers", "orders", "rows", "monetary_total")
    assert {(row["segment"], row["category"]): [row[key] for key in keys] for row in rows} == expected
    for row in rows:
        spent = sum(sums[3] for (name, _), sums in expected.items() if name == row["segment"])
        of_all = sum(sums[3] for (_, category), sums in expected.items() if category == row["category"])
        share, share_all = row["monetary_total"] / spent if spent else None, of_all / total if total else None
        assert close(row["share"], share)
        assert close(row["share_all"], share_all)
        assert close(row["index"], 100 * share / share_all if share is not None and share_all else None)


@settings(max_examples=40)
@given(LINES, st.sampled_from(["cosine", "confidence", "popularity"]), st.integers(1, 3))
def test_scores_of_the_next_category(lines: list[Line], method: Any, least: int) -> None:
    base = base_of(lines, category_days=True)
    lists = slow.owned(slow.orders_of(lines))
    expected = slow.next_scores(lists, method, least)
    model = custcore.NextCategory(method, min_customers=least).fit(base)
    assert model.n_customers_ == len(lists)
    rows = model.recommend(base, 3).to_pyarrow().to_pylist()
    assert sorted({row["customer_id"] for row in rows}) == sorted(name for name, own in expected.items() if own)
    for customer, scores in expected.items():
        own = [row for row in rows if row["customer_id"] == customer]
        best = sorted(scores.values(), reverse=True)[:3]
        assert [row["score"] for row in own] == pytest.approx(best)
        assert all(scores[row["category"]] == pytest.approx(row["score"]) for row in own)
        assert all(row["because"] is None or row["because"] in lists[customer] for row in own)
    again = custcore.NextCategory.from_bytes(model.to_bytes())
    assert again == model
    assert again.recommend(base, 3).to_pyarrow().equals(model.recommend(base, 3, n_threads=3).to_pyarrow())
    spilled = base_of(lines, max_memory="1MiB", category_days=True)
    spilled._core.spill()
    assert custcore.NextCategory(method, min_customers=least).fit(spilled) == model
    assert model.recommend(spilled, 3).to_pyarrow().to_pylist() == rows


@settings(max_examples=30)
@given(LINES.filter(lambda lines: len(lines) > 5), st.integers(1, 6))
def test_a_backtest_counts_what_was_new(lines: list[Line], horizon: int) -> None:
    last = max(line.day for line in lines)
    date = last - horizon
    base = base_of(lines, category_days=True)
    day = (np.datetime64("1970-01-01") + date).item()
    rows = custcore.backtest_next(base, [day], horizon, k=[1, 2], methods=["confidence"], min_customers=1)
    before, after = (slow.owned(slow.orders_of(lines, until)) for until in (date, last))
    known = set().union(*before.values())
    new = {customer: (after.get(customer, set()) - own) & known for customer, own in before.items()}
    new = {customer: values for customer, values in new.items() if values}
    model = custcore.NextCategory("confidence", min_customers=1).fit(base, day)
    best: dict[Any, list[Any]] = {customer: [] for customer in before}
    for row in model.recommend(base, 2, day).to_pyarrow().to_pylist():
        best[row["customer_id"]].append(row["category"])
    row = rows.to_pyarrow().to_pylist()[0]
    assert (row["buyers"], row["customers"]) == (len(before), len(new))
    for k in (1, 2):
        hits = {customer: len(set(best[customer][:k]) & values) for customer, values in new.items()}
        if new:
            assert row[f"hit@{k}"] == pytest.approx(sum(map(bool, hits.values())) / len(new))
            assert row[f"recall@{k}"] == pytest.approx(sum(hits[c] / len(new[c]) for c in new) / len(new))
            assert row[f"precision@{k}"] == pytest.approx(sum(hits.values()) / k / len(new))
        else:
            assert row[f"hit@{k}"] is None
