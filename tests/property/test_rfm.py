"""`custcore.rfm` equals the slow reference, whatever the rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import AMOUNTS, DAYS, IDS, INSTANTS, ROWS, Row, table
from tests.reference import INT, Money
from tests.samples import check_against_reference, one_customer


@given(ROWS, st.sampled_from(["net", "exclude", "count"]), st.booleans(), st.none() | DAYS)
@example([], "net", True, None)
@example([(None, None, None)], "net", True, None)
@example([("a", date(2024, 1, 1), -1.0), ("a", date(2024, 1, 2), None)], "net", False, None)
def test_equals_the_reference(rows: list[Row], returns: str, zero_is_purchase: bool, as_of: date | None) -> None:
    options: dict[str, Any] = {"returns": returns, "zero_is_purchase": zero_is_purchase, "as_of": as_of}
    check_against_reference(custcore.rfm(table(rows), **options), rows, **options)


@given(ROWS, st.integers(0, 40), st.sampled_from([float("inf"), float("-inf")]))
def test_infinite_amounts(rows: list[Row], at: int, infinite: float) -> None:
    rows = [*rows[:at], ("a", date(2024, 1, 2), infinite), *rows[at:]]
    found = custcore.rfm(table(rows), on_nonfinite="drop")
    check_against_reference(found, rows, on_nonfinite="drop")
    with pytest.raises(custcore.errors.NonFiniteError) as caught:
        custcore.rfm(table(rows))
    assert caught.value.row == min(at, len(rows) - 1)


@given(
    st.lists(st.tuples(IDS, INSTANTS | st.none(), AMOUNTS), min_size=1, max_size=25),
    st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC", "Australia/Lord_Howe"]),
    st.sampled_from(["s", "ms", "us"]),
    st.booleans(),
)
def test_zoned_times(rows: list[Row], zone: str, unit: str, as_argument: bool) -> None:
    """The zone of the column, or the one asked for."""
    kind = pa.timestamp(unit, "Europe/Berlin" if as_argument else zone)
    options = {"timezone": zone} if as_argument else {}
    check_against_reference(custcore.rfm(table(rows, kind), **options), rows, zone=ZoneInfo(zone))


@given(st.lists(st.tuples(IDS, st.datetimes() | st.none(), AMOUNTS), max_size=25))
def test_naive_times_are_never_shifted(rows: list[Row]) -> None:
    check_against_reference(custcore.rfm(table(rows, pa.timestamp("us"))), rows)


@given(st.lists(st.tuples(st.sampled_from([-(2**31), -1, 0, 7, 2**31 - 1, None]), DAYS, st.integers(-(10**6), 10**6))))
def test_integers(rows: list[Row]) -> None:
    ids, days, amounts = ([row[i] for row in rows] for i in range(3))
    data = {"customer_id": pa.array(ids, pa.int32()), "timestamp": pa.array(days, pa.date32())}
    found = custcore.rfm(pa.table(data | {"amount": pa.array(amounts, pa.int32())}))
    check_against_reference(found, rows, money=INT)


@given(st.lists(st.integers(-(2**62) + 1, 2**62 - 1), min_size=1, max_size=12), st.sampled_from([0, 3, 9]))
def test_decimals_of_any_size(units: list[int], scale: int) -> None:
    amounts = [Decimal(u).scaleb(-scale) for u in units]
    found = custcore.rfm(one_customer(amounts, type=pa.decimal128(38, scale)), returns="count")
    assert found.to_pyarrow()["monetary_total"].to_pylist() == [Decimal(sum(units)).scaleb(-scale)]
    rows = [("a", day, v) for day, v in zip(one_customer(amounts)["timestamp"].to_pylist(), amounts, strict=True)]
    check_against_reference(found, rows, money=Money("decimal", scale), returns="count")


@given(st.lists(st.integers(-(2**33) * 100, 2**33 * 100), min_size=1, max_size=30))
def test_cents_add_up(cents: list[int]) -> None:
    """Money written as floats adds up as the cents do: there is no 0.30000000000000004 (up to 2^33)."""
    found = custcore.rfm(one_customer([c / 100 for c in cents]), returns="count").to_pyarrow()
    assert found["monetary_total"].to_pylist() == [sum(cents) / 100]
    assert found["monetary_mean"].to_pylist() == [sum(cents) / 100 / len(cents)]
