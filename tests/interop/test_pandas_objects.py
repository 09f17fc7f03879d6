"""pandas columns of Python objects: the first value does not speak for all, through `df.custcore` and directly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

import custcore
import custcore.pandas
from custcore.errors import InvalidTypeError

EAST = timezone(timedelta(hours=9))
BERLIN = ZoneInfo("Europe/Berlin")
NAIVE, EVENING = datetime.fromisoformat("2026-01-05T00:00"), datetime.fromisoformat("2026-01-05T20:00")


def batches(frame: pd.DataFrame, **options: Any) -> Any:
    return custcore.rfm(iter([frame]), **options)


def updated(frame: pd.DataFrame, **options: Any) -> Any:
    base = custcore.CustomerBase(**options)
    base.update([frame])
    return base.rfm()


CALLS: dict[str, Callable[..., Any]] = {
    "accessor": lambda frame, **options: frame.custcore.rfm(**options),
    "function": custcore.rfm,
    "iterator": batches,
    "base": updated,
    "scores": custcore.rfm_scores,
    "cohorts": custcore.cohort_retention,
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def frame(**columns: list[Any]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    given = {"customer_id": range(n), "timestamp": [date(2026, 1, 5)] * n, "amount": [1.0] * n} | columns
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in given.items()})


MIXTURES: dict[str, tuple[str, list[Any], str]] = {
    "offsets": ("timestamp", [datetime(2026, 1, 5, 20, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=EAST)], "utc=True"),
    "naive and zoned": ("timestamp", [NAIVE, datetime(2026, 1, 6, tzinfo=EAST)], "zone"),
    "date and datetime": ("timestamp", [date(2026, 1, 5), EVENING], "to_datetime"),
    "datetime and date": ("timestamp", [EVENING, date(2026, 1, 5)], "to_datetime"),
    "datetime and number": ("timestamp", [NAIVE, 7], "integer in row 1"),
    "decimal and float": ("amount", [Decimal("1.1"), 2.2], "astype(float)"),
    "float and decimal": ("amount", [2.2, Decimal("1.1")], "astype(float)"),
    "bool and number": ("amount", [True, 2.5], "astype(float)"),
    "string and number": ("customer_id", ["7", 7], "astype('string')"),
    "string and bytes": ("customer_id", ["a", b"b"], "decode"),
}


@every_call
@pytest.mark.parametrize(("column", "values", "remedy"), MIXTURES.values(), ids=MIXTURES)
def test_mixtures_are_errors(call: Callable[..., Any], column: str, values: list[Any], remedy: str) -> None:
    options = {"amount": "amount"}
    with pytest.raises(InvalidTypeError) as caught:
        call(frame(**{column: values}), **options)
    assert (caught.value.column, caught.value.row) == (column, 1)
    assert remedy in str(caught.value)
    with pytest.raises(InvalidTypeError) as caught:
        call(frame(**{column: [None, *values]}), **options)
    assert caught.value.row == 2


@every_call
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("timestamp", [datetime(2026, 1, 5, tzinfo=BERLIN), None, datetime(2026, 7, 5, tzinfo=BERLIN)]),
        ("timestamp", [date(2026, 1, 5), None, float("nan")]),
        ("timestamp", [pd.Timestamp("2026-01-05"), NAIVE, pd.NaT]),
        ("amount", [1, 2.5, None]),
        ("amount", [Decimal("1.1"), 2, None]),
        ("customer_id", ["a", None, "b"]),
    ],
)
def test_columns_of_one_type_are_read(call: Callable[..., Any], column: str, values: list[Any]) -> None:
    call(frame(**{column: values}), amount="amount")


def test_local_days_of_one_zone() -> None:
    times = [datetime(2026, 1, 5, 23, 30, tzinfo=BERLIN), datetime(2026, 7, 5, 23, 30, tzinfo=BERLIN)]
    found = custcore.rfm(frame(timestamp=times)).to_pyarrow()
    assert found["last_date"].to_pylist() == [date(2026, 1, 5), date(2026, 7, 5)]


def test_columns_that_are_not_read_may_be_mixed_if_arrow_can_hold_them() -> None:
    mixed = frame(
        timestamp=[date(2026, 1, 5)] * 2, other=[datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=EAST)]
    )
    assert custcore.rfm(mixed).num_rows == 2
    assert len(mixed.custcore.rfm()) == 2


def test_categories_may_be_mixed_too() -> None:
    offsets = pd.Series(MIXTURES["offsets"][1], dtype=object)
    with pytest.raises(InvalidTypeError, match="utc=True"):
        custcore.rfm(frame(amount=[1.0, 2.0]).assign(timestamp=offsets.astype("category")))


@every_call
def test_periods_are_no_numbers(call: Callable[..., Any]) -> None:
    days = pd.period_range("2026-01-05", periods=2, freq="D")
    with pytest.raises(InvalidTypeError, match="to_timestamp") as caught:
        call(frame(amount=[1.0, 2.0]).assign(timestamp=days), amount="amount")
    assert "unit=" not in str(caught.value)


def test_a_frame_is_converted_as_its_arrow_table() -> None:
    data = frame(customer_id=["a", "b", "a"], amount=[1.5, 2, 4])
    expected = custcore.rfm(pa.Table.from_pandas(data, preserve_index=False)).to_pyarrow().to_pylist()
    assert custcore.rfm(data).to_pyarrow().to_pylist() == expected
