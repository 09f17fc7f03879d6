"""Lines to orders to customers equal the slow reference, however the lines are scattered."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import AMOUNTS, CENTS, IDS
from tests.reference import FLOAT, INT, Money, rfm_reference
from tests.reference.extras import extras_reference
from tests.reference.rfm import LEFT_OUT, NOTES

Line = tuple[Any, Any, Any, Any, Any]

# Few days, hours and orders: lines of one order meet, and orders of one customer tie in time.
HOURS = st.integers(0, 120).map(lambda n: datetime(2023, 12, 29) + timedelta(hours=n))  # noqa: DTZ001
TIMES = st.one_of(HOURS, HOURS, HOURS, st.none())
ORDER_IDS = st.sampled_from(["o1", "o2", "o3", "o4", "", None])
PLACES = st.sampled_from(["AT", "BE", "", "ä", None])
MONEY = st.one_of(AMOUNTS, st.sampled_from([5.0, -5.0, 2.5, -2.5, 10.1, 20.2, -30.3]))
LINES = st.lists(st.tuples(IDS, TIMES, MONEY, ORDER_IDS, PLACES), max_size=40)
RULES = st.fixed_dictionaries(
    {
        "returns": st.sampled_from(["net", "exclude", "count"]),
        "zero_is_purchase": st.booleans(),
        "as_of": st.none() | st.integers(0, 5).map(lambda n: date(2023, 12, 29) + timedelta(days=n)),
    }
)
NAMES = ("customer_id", "timestamp", "amount", "order", "place")
ORDERS: dict[str, Any] = {"order_id": "order"}
WHOLE: dict[str, Any] = {"order_id": "order", "n_days": True, "attributes": {"place": "first"}}


def table(lines: list[Line], amount: pa.DataType | None = None, time: pa.DataType | None = None) -> pa.Table:
    kinds = (pa.string(), time or pa.timestamp("us"), amount or pa.float64(), pa.string(), pa.string())
    columns = ([line[i] for line in lines] for i in range(5))
    arrays = [pa.array(column, kind, from_pandas=False) for column, kind in zip(columns, kinds, strict=True)]
    return pa.table(dict(zip(NAMES, arrays, strict=True)))


def everything(found: Any) -> tuple[Any, ...]:
    """The result with every bit of its floats, and the report."""
    arrow = found.to_pyarrow()
    floats = [np.asarray(c).tobytes() for c in arrow.columns if pa.types.is_floating(c.type)]
    return arrow.to_pylist(), floats, [(e.name, e.count, e.sum, e.n_rows) for e in found.report], found.report.as_of


def first_rows(found: Any) -> list[int | None]:
    return [entry.first_row for entry in found.report]


def check(found: Any, lines: list[Line], *, money: Money = FLOAT, **rules: Any) -> None:
    """Table, report and as_of are the oracle's, bit by bit, and nothing of the input is missing from both."""
    expected = rfm_reference([line[:4] for line in lines], money=money, **rules)
    arrow = found.to_pyarrow()
    assert arrow.select([n for n in arrow.column_names if n not in {"n_days", "place"}]).to_pylist() == expected.rows
    assert found.report.as_of == expected.as_of
    extras = extras_reference(lines, money=money, **rules)
    entries = expected.report | {"zero_orders": extras.zero_orders}
    for name in (*LEFT_OUT, *NOTES, "zero_orders"):
        entry, line = entries[name], found.report[name]
        assert (line.count, line.first_row) == (entry.count, entry.first_row), name
        assert (line.sum, type(line.sum)) == (money.total(entry.units), type(money.total(0))), name

    # Each total is its count of units, rounded once to the type of the column.
    totals = [Fraction(value) for value in arrow["monetary_total"].to_pylist()]
    rounding = sum(Fraction(math.ulp(value)) / 2 for value in totals) if money.kind == "float" else 0
    units = sum(money.units(line[2]) for line in lines) - sum(entries[name].units for name in LEFT_OUT)
    assert abs(sum(totals) - Fraction(units, 10**money.places)) <= rounding
    gone = ("null_customer_id", "null_timestamp", "after_as_of", "excluded_refunds", "netted_refunds", "zero_orders")
    rows = sum(arrow["n_rows"].to_pylist()) + sum(found.report[name].n_rows for name in gone)
    assert rows == len(lines) == found.report.n_rows


@given(LINES, RULES)
@example([("a", datetime(2024, 1, 1), 5.0, "o1", None), ("a", datetime(2024, 1, 2), -5.0, "o1", None)], {})  # noqa: DTZ001
@example([], {})
def test_equals_the_reference(lines: list[Line], rules: dict[str, Any]) -> None:
    check(custcore.rfm(table(lines), **ORDERS, **rules), lines, **rules)


@given(LINES, RULES, st.sampled_from(["first", "last"]))
def test_days_and_attributes(lines: list[Line], rules: dict[str, Any], pick: str) -> None:
    found = custcore.rfm(table(lines), **ORDERS, n_days=True, attributes={"place": pick}, **rules)
    check(found, lines, **rules)
    expected, arrow = extras_reference(lines, **rules), found.to_pyarrow()
    buyers = arrow["customer_id"].to_pylist()
    assert dict(zip(buyers, arrow["n_days"].to_pylist(), strict=True)) == expected.n_days
    assert dict(zip(buyers, arrow["place"].to_pylist(), strict=True)) == getattr(expected, pick)


@given(LINES, RULES, st.sampled_from(["first", "last"]))
def test_days_and_attributes_of_rows_that_are_orders(lines: list[Line], rules: dict[str, Any], pick: str) -> None:
    found = custcore.rfm(table(lines), n_days=True, attributes={"place": pick}, **rules).to_pyarrow()
    expected = extras_reference([(*line[:3], None, line[4]) for line in lines], **rules)
    buyers = found["customer_id"].to_pylist()
    assert dict(zip(buyers, found["n_days"].to_pylist(), strict=True)) == expected.n_days
    assert dict(zip(buyers, found["place"].to_pylist(), strict=True)) == getattr(expected, pick)


@given(LINES, RULES, st.randoms(use_true_random=False))
def test_row_order(lines: list[Line], rules: dict[str, Any], rng: random.Random) -> None:
    shuffled = rng.sample(lines, len(lines))
    found = custcore.rfm(table(shuffled), **WHOLE, **rules)
    assert everything(found) == everything(custcore.rfm(table(lines), **WHOLE, **rules))


@given(LINES, RULES, st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_batches_and_slices(lines: list[Line], rules: dict[str, Any], cuts: list[int], as_stream: bool) -> None:
    whole = table(lines)
    at = sorted({0, len(lines), *(c for c in cuts if c < len(lines))})
    parts = [whole.slice(0, 0), *(whole.slice(a, b - a) for a, b in pairwise(at))]
    expected = custcore.rfm(whole, **WHOLE, **rules)
    found = custcore.rfm(pa.concat_tables(parts) if as_stream else iter(parts), **WHOLE, **rules)
    assert everything(found) == everything(expected)
    assert first_rows(found) == first_rows(expected)


@given(LINES, st.integers(0, 40), st.integers(0, 40))
def test_a_slice_is_its_rows(lines: list[Line], skip: int, length: int) -> None:
    check(custcore.rfm(table(lines).slice(skip, length), **ORDERS), lines[skip : skip + length])


@given(LINES, RULES, st.integers(2, 3))
def test_exact_duplicates_are_kept(lines: list[Line], rules: dict[str, Any], times: int) -> None:
    """A line twice in one order counts twice; without an order id it is an order twice."""
    check(custcore.rfm(table(lines * times), **ORDERS, **rules), lines * times, **rules)
    once = [(*line[:3], "one" if line[3] is None else line[3], line[4]) for line in lines]
    rows, repeated = (custcore.rfm(table(data), **ORDERS).to_pyarrow().to_pylist() for data in (once, once * times))
    assert [r["n_orders"] for r in repeated] == [r["n_orders"] for r in rows]
    assert [r["n_rows"] for r in repeated] == [times * r["n_rows"] for r in rows]


@given(LINES, RULES, st.integers(-700_000, 2_900_000))
def test_shift_of_time(lines: list[Line], rules: dict[str, Any], days: int) -> None:
    """All dates k days on: all dates of the result k days on, and nothing else."""
    shift = timedelta(days=days)
    lines = [(c, t, a, o, p) for c, t, a, o, p in lines if t is None or can_shift(t, shift)]
    moved = [(c, t and t + shift, a, o, p) for c, t, a, o, p in lines]
    as_of = rules["as_of"] and (rules["as_of"] + shift if can_shift(rules["as_of"], shift) else None)
    before = custcore.rfm(table(lines), **WHOLE, **(rules | {"as_of": as_of and rules["as_of"]})).to_pyarrow()
    after = custcore.rfm(table(moved), **WHOLE, **(rules | {"as_of": as_of})).to_pyarrow()
    dates = ["first_date", "last_date"]
    assert after.drop(dates).equals(before.drop(dates))
    for name in dates:
        assert after[name].to_pylist() == [day + shift for day in before[name].to_pylist()]


def can_shift(day: date, shift: timedelta) -> bool:
    try:
        _ = day + shift
    except OverflowError:
        return False
    return True


@given(
    st.lists(st.tuples(IDS, TIMES, st.integers(-5_000, 20_000) | st.none(), ORDER_IDS, PLACES), max_size=30),
    RULES,
)
def test_scale_of_money(lines: list[Line], rules: dict[str, Any]) -> None:
    """The same money in whole cents, in floats of two unlike numbers of places, and in decimals."""
    whole = custcore.rfm(table(lines, pa.int64()), **ORDERS, **rules)
    check(whole, lines, money=INT, **rules)
    expected = whole.to_pyarrow().drop(["monetary_mean"])
    totals = expected["monetary_total"].to_pylist()
    hundredth = [(c, t, None if a is None else a / 100, o, p) for c, t, a, o, p in lines]
    hundredfold = [(c, t, None if a is None else float(a * 100), o, p) for c, t, a, o, p in lines]
    exact = [(c, t, None if a is None else Decimal(a).scaleb(-2), o, p) for c, t, a, o, p in lines]
    for data, decimals, scale in (
        (table(hundredth), 6, Decimal(100)),
        (table(hundredth), 2, Decimal(100)),
        (table(hundredfold), 0, Decimal("0.01")),
        (table(exact, pa.decimal128(20, 2)), 6, Decimal(100)),
    ):
        found = custcore.rfm(data, **ORDERS, amount_decimals=decimals, **rules)
        arrow = found.to_pyarrow()
        assert arrow.drop(["monetary_total", "monetary_mean"]).equals(expected.drop(["monetary_total"]))
        assert [
            Decimal(repr(v) if isinstance(v, float) else v) * scale for v in arrow["monetary_total"].to_pylist()
        ] == totals
        assert [(e.name, e.count, e.first_row) for e in found.report] == [
            (e.name, e.count, e.first_row) for e in whole.report
        ]


@given(
    st.lists(CENTS.filter(bool), min_size=1, max_size=6),
    st.integers(-1, 1),
    st.lists(st.tuples(st.sampled_from("bc"), HOURS, CENTS, ORDER_IDS, PLACES), max_size=10),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_a_refund_line_among_scattered_lines(
    amounts: list[float], sign: int, others: list[Line], rng: random.Random, size: int
) -> None:
    """The last line turns the order into a purchase, nothing, or a refund, wherever it stands."""
    cents = [round(a * 100) for a in amounts]
    last = sign - sum(cents)
    start = datetime(2024, 1, 1)  # noqa: DTZ001
    order = [("a", start + timedelta(days=i), c / 100, "the order", "AT") for i, c in enumerate([*cents, last])]
    lines = [*order, *others]
    rng.shuffle(lines)
    batches = [table(lines[i : i + size]) for i in range(0, len(lines), size)]
    rules: list[dict[str, Any]] = [{}, {"returns": "exclude"}, {"returns": "count"}, {"zero_is_purchase": False}]
    for rule in rules:
        found = custcore.rfm(batches, **ORDERS, **rule)
        check(found, lines, **rule)
        buyers = {row["customer_id"]: row for row in found.to_pyarrow().to_pylist()}
        bought = sign > 0 or (sign == 0 and "zero_is_purchase" not in rule) or rule.get("returns") == "count"
        assert ("a" in buyers) == bought
        if bought:
            assert buyers["a"]["monetary_total"] == sign / 100
            assert buyers["a"]["first_date"] == buyers["a"]["last_date"] == date(2024, 1, 1)
            assert (buyers["a"]["n_orders"], buyers["a"]["n_rows"]) == (1, len(order))


@given(st.lists(st.tuples(st.sampled_from("ab"), HOURS, CENTS, st.none() | st.just("x"), PLACES), max_size=20))
def test_null_order_ids_are_orders_of_their_own(lines: list[Line]) -> None:
    found = custcore.rfm(table(lines), **ORDERS, returns="count")
    nulls = [line for line in lines if line[3] is None]
    assert found.report["null_order_id"].count == len(nulls)
    for row in found.to_pyarrow().to_pylist():
        own = [line for line in lines if line[0] == row["customer_id"]]
        assert row["n_orders"] == sum(line[3] is None for line in own) + any(line[3] == "x" for line in own)


@given(st.lists(st.tuples(st.sampled_from("abcd"), HOURS, CENTS, st.sampled_from("xyz"), PLACES), max_size=30))
def test_one_order_id_under_several_customers(lines: list[Line]) -> None:
    """An order is a (customer, order id): telling the customer in the id as well changes nothing."""
    apart = [(c, t, a, f"{o} of {c}", p) for c, t, a, o, p in lines]
    assert everything(custcore.rfm(table(lines), **WHOLE)) == everything(custcore.rfm(table(apart), **WHOLE))


def contiguous(lines: list[Line]) -> list[Line]:
    """The lines with those of one order behind each other, in place of the first; null order ids stay single."""
    first: dict[Any, int] = {}
    keys = [(line[0], line[3]) if line[3] is not None else number for number, line in enumerate(lines)]
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    return [lines[i] for i in sorted(range(len(lines)), key=lambda i: (first[keys[i]], i))]


@given(LINES, RULES, st.integers(1, 9), st.sampled_from(["first", "last"]))
def test_adjacent_lines(lines: list[Line], rules: dict[str, Any], size: int, pick: str) -> None:
    """Where the lines of orders follow each other both ways agree; rows that are left out may stand between."""
    lines = contiguous(lines)
    options = {**ORDERS, "n_days": True, "attributes": {"place": pick}, **rules}
    expected = custcore.rfm(table(lines), **options)
    batches = [table(lines[i : i + size]) for i in range(0, len(lines), size)] or [table([])]
    found = custcore.rfm(batches, order_lines="adjacent", **options)
    assert everything(found) == everything(expected)
    assert first_rows(found) == first_rows(expected)


@given(LINES, RULES)
def test_types_of_order_ids(lines: list[Line], rules: dict[str, Any]) -> None:
    plain = table(lines)
    expected = everything(custcore.rfm(plain, **ORDERS, **rules))
    ids = plain["order"].combine_chunks()
    numbers = pa.array(
        [None if v is None else ["o1", "o2", "o3", "o4", ""].index(v) for v in ids.to_pylist()], pa.int64()
    )
    kinds = [
        ids.cast(pa.large_string()),
        ids.cast(pa.binary()),
        ids.cast(pa.string_view()),
        ids.dictionary_encode(),
        numbers,
        numbers.cast(pa.uint8()),
    ]
    for kind in kinds:
        assert everything(custcore.rfm(plain.set_column(3, "order", kind), **ORDERS, **rules)) == expected


def many(kind: str, n: int = 210_000) -> pa.Table:
    """Lines enough for threads: 60,000 orders, some of two customers, refunds, nulls everywhere."""
    rng = np.random.default_rng(11)
    orders = rng.integers(0, 60_000, n)
    customers = orders % 9_001 + (rng.random(n) < 0.01)
    seconds = 1_700_000_000 + orders * 60 + rng.integers(0, 200_000, n)
    cents = rng.integers(1, 9_999, n) * np.where(rng.random(n) < 0.3, -1, 1)
    cents[orders % 50 == 0] = 0

    def holes(share: float) -> np.ndarray[Any, Any]:
        return rng.random(n) < share

    ids: Any = pa.array(customers, mask=holes(0.01))
    order_ids: Any = pa.array(orders, mask=holes(0.02))
    places = pa.array([f"p{i}" for i in rng.integers(0, 5, n)], mask=holes(0.2))
    if kind == "strings":
        ids, order_ids = ids.cast(pa.string()), order_ids.cast(pa.string())
    return pa.table(
        {
            "customer_id": ids,
            "timestamp": pa.array(seconds, mask=holes(0.01)).cast(pa.timestamp("s")),
            "amount": pa.array(cents / 100, mask=holes(0.01)),
            "order": order_ids,
            "place": places,
        }
    )


@pytest.mark.parametrize("kind", ["integers", "strings"])
@pytest.mark.parametrize("returns", ["net", "exclude"])
def test_threads_order_and_batches_on_many_lines(kind: str, returns: str) -> None:
    data = many(kind)
    options: dict[str, Any] = {
        **ORDERS,
        "returns": returns,
        "zero_is_purchase": False,
        "n_days": True,
        "attributes": {"place": "last"},
        "as_of": date(2023, 12, 20),
    }
    single = custcore.rfm(data, n_threads=1, **options)
    names = {"after_as_of", "zero_orders", "null_order_id", "null_amount", "null_timestamp", "null_customer_id"}
    assert names <= {entry.name for entry in single.report if entry.count}
    assert single.num_rows > 5_000
    expected, firsts = everything(single), first_rows(single)
    for n_threads in (2, 7):
        found = custcore.rfm(data, n_threads=n_threads, **options)
        assert everything(found) == expected
        assert first_rows(found) == firsts
    shuffled = data.take(pa.array(np.random.default_rng(5).permutation(data.num_rows)))
    assert everything(custcore.rfm(shuffled, n_threads=2, **options)) == expected
    found = custcore.rfm(data.to_batches(max_chunksize=7_777), n_threads=7, **options)
    assert everything(found) == expected
    assert first_rows(found) == firsts


def test_many_lines_equal_the_reference() -> None:
    """Several threads against the oracle itself."""
    data = many("integers")
    lines = list(zip(*(column.to_pylist() for column in data.columns), strict=True))
    found = custcore.rfm(data, **WHOLE, n_threads=7)
    check(found, lines)
    extras, arrow = extras_reference(lines), found.to_pyarrow()
    buyers = arrow["customer_id"].to_pylist()
    assert dict(zip(buyers, arrow["n_days"].to_pylist(), strict=True)) == extras.n_days
    assert dict(zip(buyers, arrow["place"].to_pylist(), strict=True)) == extras.first


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_many_adjacent_lines(n_threads: int) -> None:
    data = many("strings").sort_by([("order", "ascending"), ("customer_id", "ascending")])
    expected = custcore.rfm(data, **WHOLE, n_threads=1)
    found = custcore.rfm(data, **WHOLE, n_threads=n_threads, order_lines="adjacent")
    assert everything(found) == everything(expected)
    assert first_rows(found) == first_rows(expected)
    batches = data.to_batches(max_chunksize=5_001)
    assert everything(custcore.rfm(batches, **WHOLE, n_threads=n_threads, order_lines="adjacent")) == everything(
        expected
    )


def test_lines_that_are_not_adjacent_are_orders_apart() -> None:
    """What "adjacent" means where the promise is broken: each run of lines is an order."""
    start = datetime(2024, 1, 1)  # noqa: DTZ001
    lines = [("a", start, 5.0, o, None) for o in "xyx"]
    counts = [
        custcore.rfm(table(lines), **ORDERS, order_lines=rule).to_pyarrow()["n_orders"].to_pylist()
        for rule in ("any", "adjacent")
    ]
    assert counts == [[2], [3]]
