"""What ``custcore.cohort_retention`` says of arguments and data that cannot serve: which error, and the way out."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    NullValueError,
    OutOfRangeError,
)

DAY = date(2024, 1, 5)
TABLE = pa.table(
    {
        "customer_id": [1, 2],
        "timestamp": [DAY, date(2024, 2, 5)],
        "amount": [1.0, 2.0],
        "flag": [True, False],
        "country": ["DE", "FR"],
    }
)
ZONED = TABLE.set_column(1, "timestamp", pa.array([1704412800, 1704412801], pa.timestamp("s", "UTC")))


def call(table: Any = TABLE, **options: Any) -> Any:
    return custcore.cohort_retention(table, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"period": "hour"}, ["period='hour'", "'month'", "'7d'"]),
        ({"period": "0d"}, ["period='0d'"]),
        ({"period": "99999999d"}, ["period="]),
        ({"period": "7 d"}, ["'7 d'"]),
        ({"cohort_period": "decade"}, ["cohort_period='decade'"]),
        ({"period_mode": "rolling"}, ["period_mode='rolling'", "elapsed"]),
        ({"period_mode": "elapsed"}, ["'month'", "period='30d'"]),
        ({"return_criteria": "unbounded"}, ["return_criteria='unbounded'", "on_or_after"]),
        ({"week_start": "Mon"}, ["week_start='Mon'", "monday"]),
        ({"fiscal_year_start": 0}, ["fiscal_year_start=0", "1 to 12"]),
        ({"fiscal_year_start": 13}, ["fiscal_year_start=13"]),
        ({"min_occurrences": 0}, ["min_occurrences=0"]),
        ({"n_periods": 0}, ["n_periods=0"]),
        ({"horizon": 0, "return_criteria": "on_or_after"}, ["horizon=0"]),
        ({"horizon": 3}, ["horizon", "on_or_after"]),
        ({"brackets": []}, ["brackets=[]", "ascend"]),
        ({"brackets": [3, 3]}, ["brackets=[3, 3]"]),
        ({"brackets": [0, 3]}, ["brackets=0"]),
        ({"brackets": [1, 3], "n_periods": 4}, ["brackets", "n_periods"]),
        ({"brackets": [1, 3], "return_criteria": "every"}, ["brackets", "'on'"]),
        ({"as_of": DAY, "observation_end": DAY}, ["as_of", "observation_end"]),
        ({"observation_start": DAY, "observation_end": DAY}, ["observation_end", "observation_start"]),
        ({"observation_start": "2024-03-01", "as_of": "2024-02-01"}, ["observation_start"]),
        ({"observation_start": "yesterday"}, ["observation_start='yesterday'", "2026-01-31"]),
        ({"by": "customer_id"}, ["by='customer_id'"]),
        ({"cohort_by": "customer_id"}, ["cohort_by='customer_id'"]),
        ({"preset": "excel"}, ["preset='excel'", "posthog"]),
        ({"returns": "ignore"}, ["returns='ignore'"]),
    ],
)
def test_arguments_out_of_range(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call(**options)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"period": 7}, ["period=7", "string"]),
        ({"cohort_by": None}, ["cohort_by"]),
        ({"brackets": 3}, ["brackets=3", "[1, 3, 7]"]),
        ({"brackets": "1,3"}, ["brackets="]),
        ({"brackets": [1.5]}, ["brackets=1.5"]),
        ({"min_occurrences": True}, ["min_occurrences=True"]),
        ({"n_periods": 2.0}, ["n_periods=2.0"]),
        ({"rfm": 1}, ["rfm=1"]),
        ({"observation_start": 5}, ["observation_start is int"]),
        ({"preset": 1}, ["preset=1"]),
        ({"start": ["flag"]}, ["start="]),
    ],
)
def test_arguments_of_a_wrong_type(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidTypeError) as caught:
        call(**options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    "argument", ["customer_id", "timestamp", "amount", "order_id", "by", "cohort_by", "start", "returning"]
)
def test_columns_that_are_not_there(argument: str) -> None:
    with pytest.raises(ColumnNotFoundError, match="absent") as caught:
        call(**{argument: "absent"})
    assert caught.value.column == "absent"


@pytest.mark.parametrize("argument", ["start", "returning"])
@pytest.mark.parametrize("column", ["country", "amount", "timestamp"])
def test_flags_are_boolean(argument: str, column: str) -> None:
    with pytest.raises(InvalidTypeError, match="bool") as caught:
        call(**{argument: column})
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (ZONED, {"observation_start": datetime.fromisoformat("2024-01-01T00:00")}, ["observation_start", "zone"]),
        (ZONED, {"observation_end": datetime.fromisoformat("2024-03-01T09:00")}, ["observation_end", "zone"]),
        (TABLE, {"observation_start": datetime(2024, 1, 1, tzinfo=UTC)}, ["observation_start", "zone"]),
        (TABLE, {"observation_end": datetime(2024, 3, 1, tzinfo=UTC)}, ["observation_end", "zone"]),
        (TABLE, {"timezone": "Europe/Berlin"}, ["timezone"]),
    ],
)
def test_times_with_and_without_a_zone(table: pa.Table, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(TypeError) as caught:
        call(table, **options)
    assert isinstance(caught.value, CustcoreError)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_data_that_cannot_serve() -> None:
    floats = TABLE.set_column(0, "customer_id", pa.array([1.0, 2.0]))
    texts = TABLE.set_column(1, "timestamp", pa.array(["2024-01-05", "2024-02-05"]))
    for data in (floats, texts, None, "purchases.parquet"):
        with pytest.raises(InvalidTypeError):
            call(data)
    infinite = TABLE.set_column(2, "amount", pa.array([1.0, math.inf]))
    with pytest.raises(NonFiniteError) as caught:
        call(infinite, amount="amount")
    assert caught.value.row == 1
    dropped = call(infinite, amount="amount", on_nonfinite="drop")
    assert dropped.report["nonfinite_amount"].count == 1
    null = TABLE.set_column(0, "customer_id", pa.array([1, None]))
    with pytest.raises(NullValueError):
        call(null, on_null="error")


def test_more_than_fifty_million_cells() -> None:
    table = pa.table({"customer_id": [1, 2], "timestamp": [date(1, 1, 1), date(9999, 12, 31)]})
    with pytest.raises(OutOfRangeError, match="50") as caught:
        call(table, period="day")
    assert "n_periods" in str(caught.value)
    with pytest.raises(OutOfRangeError):
        call(TABLE, n_periods=2**31 - 1)


def test_columns_of_one_name_in_the_result() -> None:
    table = TABLE.rename_columns(["customer_id", "timestamp", "amount", "flag", "cohort"])
    with pytest.raises(custcore.errors.DuplicateColumnError):
        call(table, by="cohort")


@pytest.mark.parametrize(
    "ask", [lambda r: r.matrix("rates"), lambda r: r.average("median"), lambda r: r.revenue_retention()]
)
def test_tables_that_there_are_not(ask: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        ask(call())


def test_a_stream_is_read_once() -> None:
    reader = TABLE.to_reader()
    call(reader)
    with pytest.raises(custcore.errors.ArrowImportError, match="already consumed"):
        call(reader)
