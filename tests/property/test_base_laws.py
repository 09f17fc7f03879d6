"""The algebra of customer bases, compared by bytes: merges in any order, the empty base, updates that are merges."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custcore
from custcore.errors import StateMismatchError
from tests.property.bases import (
    AS_OF,
    IDS,
    LEVELS,
    N_DAYS,
    ROWS,
    RULES,
    START,
    Row,
    check_rfm,
    entries,
    folded,
    new_base,
    rows_of_level,
    table,
)
from tests.reference.base import BaseReference

Base = custcore.CustomerBase
LEVEL = st.sampled_from(sorted(LEVELS))
LONG = settings.default is not None and settings.default.max_examples > 1000
LAWS = settings(settings.default, max_examples=1000 if LONG else 50)
MAPPINGS = st.dictionaries(IDS, IDS, max_size=4)


def merged(*bases: Base) -> Base:
    first = Base.from_bytes(bases[0].to_bytes())
    for other in bases[1:]:
        first.merge(other)
    return first


@LAWS
@given(LEVEL, RULES, ROWS, ROWS, ROWS)
def test_associative_and_commutative(
    level: str, rules: dict[str, Any], one: list[Row], two: list[Row], three: list[Row]
) -> None:
    a, b, c = (folded(level, rows, **rules) for rows in (one, two, three))
    assert merged(a, b).to_bytes() == merged(b, a).to_bytes()
    assert merged(merged(a, b), c).to_bytes() == merged(a, merged(b, c)).to_bytes()


@LAWS
@given(LEVEL, RULES, ROWS)
def test_the_empty_base_changes_nothing(level: str, rules: dict[str, Any], rows: list[Row]) -> None:
    """Neither one that has seen the types of the columns nor one that has seen nothing."""
    base = folded(level, rows, **rules)
    for empty in (new_base(level, **rules), Base(**LEVELS[level], **rules)):
        assert merged(base, empty).to_bytes() == base.to_bytes() == merged(empty, base).to_bytes()


@LAWS
@given(LEVEL, RULES, ROWS, ROWS)
def test_update_is_merge(level: str, rules: dict[str, Any], one: list[Row], two: list[Row]) -> None:
    at_once = folded(level, one + two, **rules)
    assert folded(level, one, two, **rules).to_bytes() == at_once.to_bytes()
    assert folded(level, two, one, **rules).to_bytes() == at_once.to_bytes()
    assert merged(folded(level, one, **rules), folded(level, two, **rules)).to_bytes() == at_once.to_bytes()


@LAWS
@given(LEVEL, RULES, st.lists(ROWS, min_size=1, max_size=6), st.sampled_from(["update", "batch"]), st.integers(1, 4))
def test_batches_and_threads_do_not_show(
    level: str, rules: dict[str, Any], pieces: list[list[Row]], commit: str, threads: int
) -> None:
    base = new_base(level, **rules)
    base.update((table(rows) for rows in pieces), commit_every=commit, n_threads=threads)
    rows = [row for piece in pieces for row in piece]
    assert base.to_bytes() == folded(level, rows, **rules).to_bytes()
    assert base.to_bytes() == folded(level, random.Random(3).sample(rows, len(rows)), **rules).to_bytes()
    assert base.n_rows == len(rows)


@LAWS
@given(LEVEL, RULES, ROWS, MAPPINGS, AS_OF)
def test_new_ids_are_as_if_the_input_had_them(
    level: str, rules: dict[str, Any], rows: list[Row], mapping: dict[str, str], as_of: Any
) -> None:
    """Swaps and circles included; given as a dictionary or as pairs."""
    base = folded(level, rows, **rules)
    other = merged(base)
    base.relabel(mapping)
    other.relabel(list(mapping.items()))
    expected = folded(level, [(mapping.get(row[0], row[0]), *row[1:]) for row in rows], **rules)
    assert base.to_bytes() == other.to_bytes() == expected.to_bytes()
    model = BaseReference(has_orders=level == "orders", **rules)
    model.update(rows_of_level(level, rows))
    model.relabel(mapping)
    check_rfm(base, model, as_of if level != "totals" else None)


@LAWS
@given(LEVEL, RULES, ROWS, st.sets(IDS, max_size=3))
def test_what_is_removed_is_told_in_numbers_alone(
    level: str, rules: dict[str, Any], rows: list[Row], ids: set[str]
) -> None:
    """Others are as if the customer had never existed; the money is in the report; the id is not in the bytes."""
    rows = [("removed customer" if row[0] in ids else row[0], *row[1:]) for row in rows]
    base = folded(level, rows, **rules)
    known = {row[0] for row in rows if row[0] is not None and row[1] is not None}
    assert base.remove(["removed customer", "nobody"]) == len(known & {"removed customer"})
    assert b"removed customer" not in base.to_bytes()
    found = base.rfm()
    others = folded(level, [row for row in rows if row[0] != "removed customer" or row[1] is None], **rules)
    if base.last_date:
        assert found.to_pyarrow().equals(others.rfm(as_of=base.last_date).to_pyarrow())
    counted = sum(units(v) for v in found.to_pyarrow()["monetary_total"].to_pylist())
    left_out = sum(units(entry.sum) for entry in found.report if entry.kind == "left_out")
    assert counted + left_out == sum(units(row[2]) for row in rows)


def units(amount: float | None) -> int:
    return 0 if amount is None or amount != amount else round(amount * 10**6)


@LAWS
@given(RULES, ROWS, st.integers(0, N_DAYS), AS_OF)
def test_sealing_does_not_show_in_results(rules: dict[str, Any], rows: list[Row], day: int, as_of: Any) -> None:
    """Nor in what comes later, where it is not late."""
    before = START + timedelta(days=day)
    open_base, sealed = folded("orders", rows, **rules), folded("orders", rows, **rules)
    sealed.seal(before)
    sealed.seal(before)
    assert sealed.sealed_before == before
    for when in (None, as_of) if as_of is None or as_of >= before else (None,):
        assert sealed.rfm(when).to_pyarrow().equals(open_base.rfm(when).to_pyarrow())
        assert entries(sealed.rfm(when).report) == entries(open_base.rfm(when).report)
    later = table([("a", None, 1.0, "o1"), ("new", table_time(day), 2.5, "o9")])
    for base in (open_base, sealed):
        base.update(later)
    assert sealed.rfm().to_pyarrow().equals(open_base.rfm().to_pyarrow())


def table_time(day: int) -> Any:
    return datetime.combine(START + timedelta(days=day), datetime.min.time())


@LAWS
@given(st.sampled_from(["totals", "days"]), RULES, ROWS)
def test_adjacent_lines_need_no_open_orders(level: str, rules: dict[str, Any], rows: list[Row]) -> None:
    """Lines of an order that follow each other: the level of orders is not needed, and merging is refused."""
    rows = sorted(rows, key=lambda row: (row[3] is None, row[3] or "", row[0] is None, row[0] or ""))
    options: dict[str, Any] = {"track": level, "order_id": "order", "order_lines": "adjacent", **rules}
    base = Base(**options)
    base.update(table(rows))
    model = BaseReference(has_orders=True, **rules)
    model.update(rows)
    check_rfm(base, model)
    with pytest.raises(StateMismatchError, match="adjacent"):
        base.merge(Base(**options))


@LAWS
@given(st.sampled_from(["first", "last"]), RULES, ROWS, st.lists(st.sampled_from(["AT", "BE", None]), min_size=12))
def test_attributes_ride_along(pick: str, rules: dict[str, Any], rows: list[Row], places: list[str | None]) -> None:
    for level in LEVELS:
        data = table(rows).append_column("place", pa.array(places[: len(rows)], pa.string()))
        options = LEVELS[level] | rules | {"attributes": {"place": pick}}
        halves = [Base(**options), Base(**options)]
        for at, half in enumerate(halves):
            half.update(data.slice(at * (len(rows) // 2), len(rows) // 2 if at == 0 else None))
        base = merged(*reversed(halves))
        order = LEVELS[level].get("order_id")
        fresh = custcore.rfm(data, order_id=order, attributes={"place": pick}, **rules)
        assert base.rfm().to_pyarrow().equals(fresh.to_pyarrow())
        once = Base(**options)
        once.update(data)
        assert once.to_bytes() == base.to_bytes()


@pytest.mark.parametrize("level", sorted(LEVELS))
@pytest.mark.parametrize("ids", ["dense", "sparse", "text"])
def test_many_customers(level: str, ids: str) -> None:
    """Enough rows for every thread, partition and block of a file; the kinds of ids that have ways of their own."""
    rng = np.random.default_rng(11)
    n = 120_000
    codes = rng.integers(0, 9_000, n)
    numbers = codes if ids == "dense" else codes * 1_234_567_890_123
    data = pa.table(
        {
            "customer_id": pa.array([f"customer {i:06d}" for i in codes]) if ids == "text" else pa.array(numbers),
            "timestamp": pa.array(rng.integers(19_000, 19_400, n).astype("i4")).cast(pa.date32()),
            "amount": rng.integers(-500, 9_000, n) / 100,
            "order": rng.integers(0, n // 3, n),
        }
    )
    at_once = Base(**LEVELS[level])
    at_once.update(data, n_threads=4)
    parts = [Base(**LEVELS[level]) for _ in range(3)]
    for at, part in enumerate(parts):
        for start in range(at * 40_000, (at + 1) * 40_000, 10_000):
            part.update(data.slice(start, 10_000), n_threads=1 + at)
    together = merged(*parts[::-1])
    assert together.to_bytes() == at_once.to_bytes()
    assert merged(at_once).to_bytes() == at_once.to_bytes()
    order = LEVELS[level].get("order_id")
    days = [None, 19_100, 19_399, 19_500] if level != "totals" else [None, 19_500]
    for day in days:
        as_of = None if day is None else (np.datetime64("1970-01-01") + day).astype(object)
        found = together.rfm(as_of, n_threads=4)
        fresh = custcore.rfm(data, order_id=order, as_of=as_of)
        assert found.to_pyarrow().equals(fresh.to_pyarrow())
        assert entries(found.report, without=("removed", "late_lines")) == entries(fresh.report)
