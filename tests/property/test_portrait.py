"""Portraits and net promoter scores equal the slow oracle, whatever the order, layout and batches of the rows."""

from __future__ import annotations

import math
import random
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.reference.portrait import fisher, wilson
from tests.reference.portrait import nps as slow_nps
from tests.reference.portrait import portrait as slow_portrait

IDS = st.integers(0, 60)
WORDS = st.sampled_from(["", "a", "b", "ä", "longer than a word", None])
LAYOUT = st.tuples(
    st.sampled_from([pa.int64(), pa.int32(), pa.uint8(), "dictionary"]),
    st.sampled_from([pa.string(), pa.large_string(), pa.string_view(), "dictionary"]),
    st.integers(1, 40),
    st.randoms(use_true_random=False),
)


def table(name: str, rows: list[tuple[Any, Any]], layout: Any) -> pa.Table:
    """Ids and values in another order, layout and number of batches."""
    ids, words, size, shuffle = layout
    rows = list(rows)
    shuffle.shuffle(rows)
    id_column = pa.array([row[0] for row in rows], pa.int64() if ids == "dictionary" else ids)
    column = pa.array([row[1] for row in rows], pa.string() if words == "dictionary" else words)
    made = pa.table(
        {
            "customer_id": id_column.dictionary_encode() if ids == "dictionary" else id_column,
            name: column.dictionary_encode() if words == "dictionary" else column,
        }
    )
    return pa.Table.from_batches(made.to_batches(max_chunksize=size), made.schema)


def by_value(row: dict[str, Any]) -> Any:
    return row["segment"].encode(), row["attribute"], row["value"] is None, row["value"] or ""


def close(found: Any, expected: Any) -> bool:
    if not isinstance(expected, float):
        return bool(found == expected)
    return bool(math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12))


def equal(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for one, want in zip(found, expected, strict=True):
        assert {name: value for name, value in one.items() if not close(value, want[name])} == {}


@given(
    st.dictionaries(IDS, st.sampled_from(["x", "y", "ä"]), min_size=1, max_size=50),
    st.dictionaries(IDS, WORDS, max_size=50),
    st.sets(st.tuples(IDS, WORDS), max_size=80),
    st.sampled_from(["drop", "value"]),
    st.integers(0, 12),
    st.sampled_from(["bh", "holm", "none"]),
    LAYOUT,
    LAYOUT,
)
def test_equals_the_oracle(
    segments: dict[int, str],
    attribute: dict[int, Any],
    pairs: set[tuple[int, Any]],
    nulls: Any,
    least: int,
    adjust: Any,
    one: Any,
    other: Any,
):
    found = custcore.portrait(
        table("segment", list(segments.items()), (one[0], pa.string(), *one[2:])),
        {"word": table("word", list(attribute.items()), other)},
        long={"bought": table("bought", [*pairs, *list(pairs)[:5]], one)},
        nulls=nulls,
        min_customers=least,
        adjust=adjust,
    )
    expected = slow_portrait(
        segments, {"word": attribute}, {"bought": pairs}, nulls=nulls, min_customers=least, adjust=adjust
    )
    # Strengths that differ in the last bit may change the order of rows.
    equal(sorted(found.to_table().to_pylist(), key=by_value), sorted(expected, key=by_value))
    strengths = [(row["segment"].encode(), -row["strength"]) for row in found.to_table().to_pylist()]
    assert strengths == sorted(strengths)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n), st.randoms())))
def test_p_values_are_exact(sizes: Any):
    total, n, marked, drawn = sizes
    rows = [0] * marked + [1] * (total - marked)
    drawn.shuffle(rows)
    segments = pa.table({"customer_id": range(total), "segment": ["in"] * n + ["out"] * (total - n)})
    found = custcore.portrait(segments, pa.table({"customer_id": range(total), "flag": rows})).to_table().to_pylist()
    for row in found:
        counts = (row["customers"], row["segment_known"], row["all_customers"], row["all_known"])
        assert math.isclose(row["p_value"], fisher(*counts), rel_tol=1e-9)


def test_shuffled_segments_have_no_marks():
    """Segments that mean nothing: at most 5 % of portraits have a mark at the level of 5 %, within the interval."""
    drawn = random.Random(20)
    customers, tables = 900, 200
    values = [drawn.randrange(8) for _ in range(customers)]
    ages = [float(drawn.randrange(90)) for _ in range(customers)]
    attributes = pa.table({"customer_id": range(customers), "code": values, "age": ages})
    pairs = [(one, drawn.choice("abcdefgh")) for one in range(customers) for _ in range(3)]
    bought = pa.table({"customer_id": [one for one, _ in pairs], "item": [item for _, item in pairs]})
    segments = ["a"] * 200 + ["b"] * 300 + ["c"] * 400
    marked = 0
    for _ in range(tables):
        drawn.shuffle(segments)
        shuffled = pa.table({"customer_id": range(customers), "segment": segments})
        found = custcore.portrait(shuffled, attributes, long=bought)
        assert found.to_table().num_rows == 60
        marked += found.marks().num_rows > 0
    low, _ = wilson(marked, tables)
    assert low <= 0.05, marked


ANSWER = st.tuples(
    st.integers(0, 8), st.integers(0, 10) | st.none(), st.sampled_from(["x", "y", None]), st.integers(0, 5)
)


@given(
    st.lists(ANSWER, max_size=40),
    st.sampled_from(["adjusted", "wald"]),
    st.sampled_from(["last", "first"]),
    st.randoms(),
)
def test_nps_equals_the_oracle(rows: list[Any], interval: Any, which: Any, shuffled: Any):
    kinds = (pa.int64(), pa.float32(), pa.string(), pa.date32())
    columns = ["customer_id", "score", "segment", "day"]

    def answers(rows: list[Any]) -> pa.Table:
        made = pa.table({name: pa.array([row[i] for row in rows], kinds[i]) for i, name in enumerate(columns)})
        return pa.Table.from_batches(made.to_batches(max_chunksize=7), made.schema)

    found = custcore.nps(answers(rows), by="segment", interval=interval).to_pylist()
    expected = [{"segment": None, **slow_nps([row[1] for row in rows], interval)}]
    expected += [
        {"segment": segment, **slow_nps([row[1] for row in rows if row[2] == segment], interval)}
        for segment in sorted({row[2] for row in rows} - {None})
    ]
    equal(found, expected)
    # By customer, in the order of the rows: a missing answer counts only if there is no other.
    last: dict[int, Any] = {}
    for customer, score, _, _ in rows if which == "last" else rows[::-1]:
        if score is not None or customer not in last:
            last[customer] = score
    found = custcore.nps(answers(rows), customer_id="customer_id", interval=interval, which=which).to_pylist()
    equal(found, [slow_nps(list(last.values()), interval)])
    # By time: the order of the rows does not matter.
    by_time = {"by": "segment", "customer_id": "customer_id", "timestamp": "day", "which": which, "interval": interval}
    before = custcore.nps(answers(rows), **by_time).to_pylist()
    shuffled.shuffle(rows)
    assert custcore.nps(answers(rows), **by_time).to_pylist() == before
