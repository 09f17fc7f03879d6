"""Funnels and ladders equal brute force, whatever the order of rows, batches and threads."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.reference.funnel import funnel_reference, ladder_reference

START = dt.datetime(2026, 1, 1)  # noqa: DTZ001
SECONDS = st.one_of(st.integers(0, 30), st.integers(0, 400))
EVENT = st.tuples(
    st.sampled_from([1, 2, 3, None]),
    st.one_of(SECONDS, SECONDS, SECONDS, st.none()),
    st.sampled_from(["a", "b", "c", "a", "b", "d", None]),
    st.sampled_from(["x", "y", None]),
)
EVENTS = st.lists(EVENT, max_size=40)
STEPS = st.permutations(["a", "b", "c"]).flatmap(lambda steps: st.integers(2, 3).map(lambda n: steps[:n]))


def table(events: list[tuple[Any, ...]]) -> pa.Table:
    times = [None if time is None else START + dt.timedelta(seconds=time) for _, time, _, _ in events]
    return pa.table(
        {
            "customer_id": pa.array([event[0] for event in events], pa.int64()),
            "timestamp": pa.array(times, pa.timestamp("us")),
            "event": pa.array([event[2] for event in events], pa.string()),
            "group": pa.array([event[3] for event in events], pa.string()),
        }
    )


def equal(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for row, want in zip(found, expected, strict=True):
        for name, value in want.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
            else:
                assert row[name] == value, name


@given(
    EVENTS,
    STEPS,
    st.integers(1, 60),
    st.integers(0, 450),
    st.sampled_from([("ordered", False), ("ordered", True), ("any", False)]),
    st.booleans(),
    st.randoms(use_true_random=False),
    st.integers(1, 50),
)
def test_funnels_are_those_of_brute_force(
    events: list[Any],
    steps: list[str],
    window: int,
    end: int,
    rule: tuple[str, bool],
    has_groups: bool,
    rng: random.Random,
    size: int,
) -> None:
    order, strict = rule
    options: dict[str, Any] = {
        "by": "group" if has_groups else None,
        "strict": strict,
        "order": order,
        "observation_end": START + dt.timedelta(seconds=end),
    }
    known = [event for event in events if event[0] is not None and event[1] is not None and event[2] is not None]
    expected = funnel_reference(known, steps, window, end=end, strict=strict, order=order, by=has_groups)
    wanted = [{**({"group": group} if has_groups else {}), **row} for group, rows in expected.items() for row in rows]
    found = custcore.funnel(table(events), steps, f"{window}s", n_threads=1, **options)
    equal(found.to_pylist(), wanted)
    mixed = events[:]
    rng.shuffle(mixed)
    batches = table(mixed).to_batches(max_chunksize=size) or table([]).to_batches()
    again = custcore.funnel(batches or table([]), steps, f"{window}s", n_threads=3, **options)
    assert again.equals(found)
    left_out = sum(entry.count for entry in found.report if entry.kind == "left_out")
    assert left_out == len(events) - sum(time < end and name in steps for _, time, name, _ in known)


def test_many_events_of_many_threads() -> None:
    rng = random.Random(5)
    events = [
        (rng.randrange(30_000), rng.randrange(10**6), rng.choice("abcd"), rng.choice(["x", "y", None]))
        for _ in range(200_000)
    ]
    options: dict[str, Any] = {"by": "group", "observation_end": START + dt.timedelta(seconds=10**6)}
    found = custcore.funnel(table(events), ["a", "b", "c"], "2d", n_threads=3, **options)
    expected = funnel_reference(events, ["a", "b", "c"], 172_800, end=10**6, by=True)
    equal(found.to_pylist(), [{"group": group, **row} for group, rows in expected.items() for row in rows])
    assert custcore.funnel(table(events), ["a", "b", "c"], "2d", n_threads=1, **options).equals(found)


DAY = st.one_of(st.integers(0, 20), st.integers(0, 300))
ORDER = st.tuples(st.sampled_from("abcdefgh"), DAY, st.sampled_from([5.0, 1.0, -2.0]))


@given(
    st.lists(ORDER, max_size=40), st.integers(1, 6), st.none() | st.integers(0, 320), st.randoms(use_true_random=False)
)
def test_ladders_are_those_of_the_product(
    orders: list[tuple[str, int, float]], n: int, as_of: int | None, rng: random.Random
) -> None:
    base = custcore.CustomerBase(track="days")
    mixed = orders[:]
    rng.shuffle(mixed)
    for at in range(0, len(mixed) + 1, 7):
        part = mixed[at : at + 7]
        base.update(
            pa.table(
                {
                    "customer_id": pa.array([order[0] for order in part], pa.string()),
                    "timestamp": pa.array(
                        [dt.date(2026, 1, 1) + dt.timedelta(days=order[1]) for order in part], pa.date32()
                    ),
                    "amount": pa.array([order[2] for order in part], pa.float64()),
                }
            )
        )
    day = None if as_of is None else dt.date(2026, 1, 1) + dt.timedelta(days=as_of)
    last = max((order[1] for order in orders), default=0) if as_of is None else as_of
    own: dict[str, list[int]] = {}
    for customer, when, amount in orders:
        if amount > 0 and when <= last:
            own.setdefault(customer, []).append(when)
    found = [base.order_ladder(n, as_of=day, n_threads=threads) for threads in (1, 3)]
    assert found[0].equals(found[1])
    equal(found[0].to_pylist(), ladder_reference(own, n, last))


PERIOD = st.tuples(st.integers(0, 200), st.integers(0, 60))
SPENT = st.tuples(
    st.sampled_from("abcdef"), st.integers(0, 250), st.integers(-9_999, 9_999).map(lambda cents: cents / 100)
)


@given(st.lists(SPENT, max_size=40), PERIOD, PERIOD, st.integers(1, 40), st.sampled_from([1, 3]))
def test_changes_add_up_to_the_cent(
    rows: list[tuple[str, int, float]], one: tuple[int, int], gap: tuple[int, int], size: int, n_threads: int
) -> None:
    before = (one[0], one[0] + one[1])
    after = (before[1] + 1 + gap[0] % 30, before[1] + 1 + gap[0] % 30 + gap[1])
    base = custcore.CustomerBase(track="days")
    for at in range(0, len(rows) + 1, size):
        part = rows[at : at + size]
        base.update(
            pa.table(
                {
                    "customer_id": pa.array([row[0] for row in part], pa.string()),
                    "timestamp": pa.array(
                        [dt.date(2026, 1, 1) + dt.timedelta(days=row[1]) for row in part], pa.date32()
                    ),
                    "amount": pa.array([row[2] for row in part], pa.float64()),
                }
            )
        )
    first, second = (tuple(dt.date(2026, 1, 1) + dt.timedelta(days=d) for d in period) for period in (before, after))
    found = base.change(first, second, n_threads=n_threads)
    expected: dict[str, list[int]] = {}
    for customer in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == customer and row[1] <= after[1]]
        bought = [day for _, day, amount in own if amount >= 0]
        if not bought:
            continue
        cents = [
            sum(round(amount * 100) for _, day, amount in own if period[0] <= day <= period[1])
            for period in (before, after)
        ]
        if not any(period[0] <= day <= period[1] for _, day, _ in own for period in (before, after)):
            continue
        then, now = (any(period[0] <= day <= period[1] for day in bought) for period in (before, after))
        change = cents[1] - cents[0]
        if now and not then:
            source = "new" if min(bought) >= after[0] else "reactivated"
        elif then and not now:
            source = "lost"
        elif then:
            source = "kept_up" if change >= 0 else "kept_down"
        else:
            source = "refunds"
        expected.setdefault(source, []).append(change)
    rows_of = {row["source"]: row for row in found}
    assert set(rows_of) - {"refunds"} == {"new", "reactivated", "lost", "kept_up", "kept_down"}
    for source, row in rows_of.items():
        own_cents = expected.pop(source, [])
        assert (row["customers"], row["revenue"]) == (len(own_cents), sum(own_cents) / 100)
    assert not expected
    whole = sum(round(row["revenue"] * 100) for row in rows_of.values())
    shares = [row["share"] for row in rows_of.values()]
    assert shares == [None] * len(shares) if whole == 0 else sum(shares) == pytest.approx(1.0)
