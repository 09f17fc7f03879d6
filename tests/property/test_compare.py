"""A comparison does not depend on the order of rows, on batches or on dictionaries, and equals a join by dicts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import UUIDS

SEGMENTS = ["", "a", "b", "ä", "longer than a word"]
IDS = st.sampled_from(
    ["", "a", "b", "ä", "longer than sixteen bytes", "longer than sixteen bytex", *UUIDS]
) | st.integers(0, 99).map(str)
CENTS = st.integers(-5_000, 20_000) | st.integers(-(10**12), 10**12)
ROW = st.tuples(st.sampled_from(SEGMENTS), CENTS, st.integers(1, 9) | st.none())
TABLE = st.dictionaries(IDS, ROW, max_size=25)
LAYOUT = st.tuples(
    st.sampled_from([pa.string(), pa.large_string(), pa.string_view(), "dictionary"]),
    st.booleans(),
    st.integers(1, 30),
    st.randoms(use_true_random=False),
)


def table(rows: dict[str, Any], layout: Any) -> pa.Table:
    """The rows in another order, layout and number of batches."""
    kind, ordered, size, random = layout
    items = list(rows.items())
    random.shuffle(items)
    ids = pa.array([i for i, _ in items], pa.string() if kind == "dictionary" else kind)
    segments = pa.array([row[0] for _, row in items], pa.string())
    made = pa.table(
        {
            "customer_id": ids.dictionary_encode() if kind == "dictionary" else ids,
            "segment": segments.dictionary_encode() if ordered else segments,
            "monetary_total": pa.array([row[1] / 100 for _, row in items], pa.float64()),
            "f_score": pa.array([row[2] for _, row in items], pa.uint8()),
        }
    )
    return pa.Table.from_batches(made.to_batches(max_chunksize=size), made.schema)


def joined(before: dict[str, Any], after: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Moves, segments and customers, by dicts."""
    moves: dict[Any, Any] = defaultdict(lambda: [0, 0, 0])
    segments: dict[str, Any] = defaultdict(lambda: [0, 0, 0, 0])
    customers = []
    for one in sorted({*before, *after}, key=str.encode):
        a, b = before.get(one), after.get(one)
        move = moves[a and a[0], b and b[0]]
        move[0] += 1
        for at, row in ((0, a), (1, b)):
            if row is not None:
                move[1 + at] += row[1]
                segments[row[0]][at] += 1
                segments[row[0]][2 + at] += row[1]
        scores = (a and a[2], b and b[2])
        change = None if None in scores else scores[1] - scores[0]
        money = tuple(None if row is None else row[1] / 100 for row in (a, b))
        customers.append((one, a and a[0], b and b[0], change, *money))
    return moves, segments, customers


@given(TABLE, TABLE, LAYOUT, LAYOUT)
def test_equals_a_join_by_dicts(before: dict[str, Any], after: dict[str, Any], first: Any, second: Any) -> None:
    compared = custcore.compare(table(before, first), table(after, second))
    moves, segments, customers = joined(before, after)
    assert [tuple(row.values()) for row in compared.customers] == customers
    found = {(row["from_segment"], row["to_segment"]): row for row in compared.moves}
    assert len(found) == compared.moves.num_rows
    assert found.keys() == moves.keys()
    sizes: dict[Any, int] = defaultdict(int)
    for (origin, _), move in moves.items():
        sizes[origin] += move[0]
    for (origin, target), move in moves.items():
        row = found[origin, target]
        assert row["customers"] == move[0]
        assert row["from_monetary"] == (None if origin is None else move[1] / 100)
        assert row["to_monetary"] == (None if target is None else move[2] / 100)
        assert row["share"] == move[0] / sizes[origin]
    for row in compared.segments:
        a, b, x, y = segments[row["segment"]]
        assert (row["customers_before"], row["customers_after"], row["customers_change"]) == (a, b, b - a)
        assert (row["monetary_before"], row["monetary_after"]) == (x / 100, y / 100)
        assert row["monetary_change"] == (y - x) / 100
    assert (compared.n_before, compared.n_after) == (len(before), len(after))
    both = before.keys() & after.keys()
    assert compared.n_new == len(after) - len(both)
    assert compared.n_moved == sum(before[one][0] != after[one][0] for one in both)


@given(TABLE, TABLE, LAYOUT, LAYOUT, LAYOUT)
def test_the_way_back(before: dict[str, Any], after: dict[str, Any], first: Any, second: Any, third: Any) -> None:
    """Of the tables exchanged every move goes the other way."""
    there = custcore.compare(table(before, first), table(after, second))
    back = custcore.compare(table(after, third), table(before, second))
    assert sorted(
        (r["from_segment"] or "", r["to_segment"] or "", r["customers"], r["from_monetary"] or 0.0) for r in there.moves
    ) == sorted(
        (r["to_segment"] or "", r["from_segment"] or "", r["customers"], r["to_monetary"] or 0.0) for r in back.moves
    )
