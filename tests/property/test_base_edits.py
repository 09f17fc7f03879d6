"""Few customers removed or relabelled in place, and updates beside readers, compared with bases that are built anew."""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custcore
from custcore.errors import DuplicateBatchError, StateMismatchError, SumOverflowError
from tests.property.bases import LEVELS, RULES

Base = custcore.CustomerBase
LEVEL = st.sampled_from(sorted(LEVELS))
LONG = settings.default is not None and settings.default.max_examples > 1000
LAWS = settings(settings.default, max_examples=500 if LONG else 40)

CUSTOMERS = 24
KINDS: dict[str, Any] = {
    "dense": lambda n: n,
    "sparse": lambda n: (n * 7919**3) % 2**61,
    "text": lambda n: f"customer number {n}" if n % 3 else f"c{n}",
}
# Orders that several customers share, so that the first of an id may go.
ROW = st.tuples(
    st.integers(0, CUSTOMERS - 1), st.integers(0, 6), st.sampled_from([5.0, -5.0, 2.5, 0.0, None]), st.integers(0, 9)
)
ROWS = st.lists(ROW, min_size=20, max_size=60)
FEW = st.lists(st.integers(0, CUSTOMERS - 1), max_size=4, unique=True)


def table(rows: list[tuple[int, int, float | None, int]], kind: str) -> pa.Table:
    ids = pa.array([KINDS[kind](row[0]) for row in rows], pa.string() if kind == "text" else pa.int64())
    days = pa.array([date(2024, 1, 1) + timedelta(days=row[1]) for row in rows], pa.date32())
    places = pa.array(["east", "west", None], pa.string()).take(pa.array([row[1] % 3 for row in rows], pa.int64()))
    return pa.table(
        {
            "customer_id": ids,
            "timestamp": days,
            "amount": pa.array([row[2] for row in rows], pa.float64()),
            "order": pa.array([row[3] for row in rows], pa.int64()),
            "place": places,
        }
    )


def base_of(level: str, kind: str, *updates: list[Any], **options: Any) -> Base:
    base = Base(**LEVELS[level], attributes={"place": "first"}, **options)
    for rows in updates:
        base.update(table(rows, kind), n_threads=2)
    return base


def customers_of(base: Base) -> pa.Table:
    """The rows of its file: everything that is kept of a customer."""
    with pa.ipc.open_file(base.to_bytes()) as file:
        return file.read_all().replace_schema_metadata(None)


@LAWS
@given(LEVEL, st.sampled_from(sorted(KINDS)), RULES, ROWS, FEW, ROWS, st.booleans())
def test_removed_customers_leave_nothing(
    level: str, kind: str, rules: dict[str, Any], rows: list[Any], gone: list[int], later: list[Any], held: bool
) -> None:
    """What is left is the file of those who stay, before and after the removed come back."""
    base = base_of(level, kind, rows, **rules)
    reader = copy.copy(base) if held else None
    before = reader.to_bytes() if reader else b""
    present = len(base)
    some = len(base_of(level, kind, [row for row in rows if row[0] in gone], **rules)) if gone else 0
    removed = base.remove([KINDS[kind](n) for n in gone])
    assert present - len(base) == some <= removed
    stay = [row for row in rows if row[0] not in gone]
    assert customers_of(base).equals(customers_of(base_of(level, kind, stay, **rules)))
    base.update(table(later, kind))
    anew = base_of(level, kind, stay, later, **rules)
    assert customers_of(base).equals(customers_of(anew))
    assert len(base) == len(anew)
    if level != "totals":
        as_of = date(2024, 1, 3)
        assert base.rfm(as_of).to_pyarrow().equals(anew.rfm(as_of).to_pyarrow())
        days = {"period": "day", "as_of": date(2024, 1, 9), "observation_start": date(2024, 1, 1)}
        for by in (None, "place"):
            found, expected = (each.cohort_retention(by=by, **days) for each in (base, anew))
            assert found.to_table().to_pyarrow().equals(expected.to_table().to_pyarrow())
    assert reader is None or reader.to_bytes() == before


@LAWS
@given(
    LEVEL,
    st.sampled_from(sorted(KINDS)),
    RULES,
    ROWS,
    st.dictionaries(st.integers(0, 23), st.integers(0, 47), max_size=4),
    ROWS,
)
def test_relabelled_customers_are_those_of_the_data_with_the_new_ids(
    level: str, kind: str, rules: dict[str, Any], rows: list[Any], mapping: dict[int, int], later: list[Any]
) -> None:
    base = base_of(level, kind, rows, **rules)
    of = KINDS[kind]
    base.relabel({of(old): of(new) for old, new in mapping.items()})
    base.update(table(later, kind))
    moved = [(mapping.get(row[0], row[0]), *row[1:]) for row in rows]
    assert base.to_bytes() == base_of(level, kind, moved, later, **rules).to_bytes()


@LAWS
@given(LEVEL, st.sampled_from(sorted(KINDS)), RULES, st.lists(ROWS, min_size=2, max_size=5), st.integers(0, 2**32))
def test_updates_beside_a_reader(
    level: str, kind: str, rules: dict[str, Any], updates: list[list[Any]], seed: int
) -> None:
    """A copy shares the data, as a reader does. The base tells and holds the same as after plain updates."""
    chosen = random.Random(seed)
    base, alone = base_of(level, kind, updates[0], **rules), base_of(level, kind, updates[0], **rules)
    reader, before = copy.copy(base), base.to_bytes()
    for number, rows in enumerate(updates[1:]):
        for each in (base, alone):
            each.update(table(rows, kind), batch_id=f"batch {number}")
        with pytest.raises(DuplicateBatchError):
            base.update(table(rows, kind), batch_id=f"batch {number}")
        assert (len(base), base.n_rows, base.batch_ids) == (len(alone), alone.n_rows, alone.batch_ids)
        assert (base.last_date, base.sealed_before) == (alone.last_date, alone.sealed_before)
        if chosen.random() < 0.3:
            assert base.to_bytes() == alone.to_bytes()
            reader, before = copy.copy(base), base.to_bytes()
    assert reader.to_bytes() == before
    if chosen.random() < 0.5:
        base.remove([KINDS[kind](3)])
        alone.remove([KINDS[kind](3)])
    if chosen.random() < 0.5:
        del reader
    assert base.rfm().to_pyarrow().equals(alone.rfm().to_pyarrow())
    assert base.to_bytes() == alone.to_bytes()


def test_late_lines_beside_a_reader() -> None:
    """An order that was opened beside the reader takes older lines; another one does not."""
    base = base_of("orders", "text", [(1, 0, 5.0, 1), (2, 5, 5.0, 2)])
    base.seal(date(2024, 1, 4))
    alone, reader = Base.from_bytes(base.to_bytes()), copy.copy(base)
    for rows in ([(3, 5, 1.0, 3)], [(3, 1, 1.0, 3), (2, 2, 1.0, 2)]):
        base.update(table(rows, "text"))
        alone.update(table(rows, "text"))
    before = len(base), base.n_rows
    with pytest.raises(StateMismatchError, match="not open"):
        base.update(table([(1, 1, 1.0, 1)], "text"))
    assert (len(base), base.n_rows) == before
    assert base.to_bytes() == alone.to_bytes() != reader.to_bytes()


def test_sums_beyond_38_digits_are_refused_before_the_merge() -> None:
    """A base merged with its copy over and over: the sums double, until the next would not fit."""
    amount = pa.array([Decimal(2) ** 95], pa.decimal128(38, 0))
    base = Base(track="days")
    base.update(pa.table({"customer_id": ["a"], "timestamp": [date(2024, 1, 1)], "amount": amount}))
    for _ in range(31):
        base.merge(copy.copy(base))
    before = base.to_bytes()
    with pytest.raises(SumOverflowError, match="38 digits"):
        base.merge(copy.copy(base))
    assert base.to_bytes() == before
    assert base.rfm().to_pyarrow()["monetary_total"].to_pylist()[0] > 0
