"""Attributes of random types and values: those of the oracle, with their type, however the rows came into a base."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import custcore
from tests.reference.extras import extras_reference

Base = custcore.CustomerBase
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def moments(unit: timedelta, *, zoned: bool = False) -> st.SearchStrategy[datetime]:
    """Times of the years 1 to 9999, or of those that nanoseconds reach, in whole units."""
    start = EPOCH.replace(tzinfo=UTC) if zoned else EPOCH
    span = timedelta(days=365 * 290) if unit < timedelta(milliseconds=1) else timedelta(days=365 * 1900)
    return st.integers(-(span // unit), span // unit).map(lambda n: start + n * unit)


def floats(width: int) -> st.SearchStrategy[float]:
    return st.floats(width=width) | st.sampled_from([0.0, -0.0, 1.5, math.inf, -math.inf, math.nan])


TYPES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.string(): st.text(max_size=3),
    pa.date32(): st.dates(),
    pa.date64(): st.dates(),
    pa.float32(): floats(32),
    pa.float64(): floats(64),
    pa.timestamp("s"): moments(timedelta(seconds=1)),
    pa.timestamp("ms", "UTC"): moments(timedelta(milliseconds=1), zoned=True),
    pa.timestamp("us"): moments(timedelta(microseconds=1)),
    pa.timestamp("ns"): moments(timedelta(microseconds=1)),
}


def case(kind: pa.DataType) -> st.SearchStrategy[tuple[pa.DataType, list[tuple[Any, ...]]]]:
    # Few customers, orders and hours, so that rows meet; few values, so that they repeat.
    values = st.lists(TYPES[kind], min_size=1, max_size=5)
    row = st.tuples(
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(0, 60).map(lambda n: datetime(2024, 1, 1) + timedelta(hours=n)),  # noqa: DTZ001
        st.sampled_from([5.0, -5.0, 2.5, 0.0, None]),
        st.sampled_from(["o1", "o2", None]),
    )
    lines = values.flatmap(
        lambda few: st.lists(
            st.tuples(row, st.sampled_from([*few, None])).map(lambda pair: (*pair[0], pair[1])), max_size=16
        )
    )
    return lines.map(lambda rows: (kind, rows))


CASES = st.sampled_from(list(TYPES)).flatmap(case)


def table(kind: pa.DataType, lines: list[tuple[Any, ...]], *, encoded: bool) -> pa.Table:
    names = ("customer_id", "timestamp", "amount", "order", "x")
    kinds = (pa.string(), pa.timestamp("us"), pa.float64(), pa.string(), kind)
    columns = [
        pa.array([line[i] for line in lines], kind, from_pandas=False) for i, kind in zip(range(5), kinds, strict=True)
    ]
    if encoded:
        columns[4] = columns[4].dictionary_encode()
    return pa.table(dict(zip(names, columns, strict=True)))


def stored(value: Any) -> Any:
    """A value as custcore has it: NaN is null, zero has no sign."""
    if isinstance(value, float):
        return None if math.isnan(value) else value + 0.0
    return value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    CASES,
    st.sampled_from(["first", "last"]),
    st.booleans(),
    st.lists(st.integers(0, 16), max_size=2),
    st.sampled_from(["update", "merge", "spill", "file"]),
)
def test_attributes_equal_the_oracle(
    given_case: tuple[pa.DataType, list[tuple[Any, ...]]], pick: str, encoded: bool, cuts: list[int], way: str
) -> None:
    kind, lines = given_case
    options: dict[str, Any] = {"attributes": {"x": pick}, "order_id": "order"}
    expected = getattr(extras_reference([(*line[:4], stored(line[4])) for line in lines]), pick)
    data = table(kind, lines, encoded=encoded)
    fresh = custcore.rfm(data, **options).to_pyarrow()
    assert fresh.schema.field("x").type == kind
    found = dict(zip(fresh["customer_id"].to_pylist(), fresh["x"].to_pylist(), strict=True))
    assert found == expected
    assert not any(isinstance(value, float) and value == 0 and math.copysign(1, value) < 0 for value in found.values())

    pieces = [data.slice(at, until - at) for at, until in pieces_of(len(lines), cuts)]
    base = Base(track="orders", **options, **({"max_memory": "1MiB"} if way == "spill" else {}))
    for piece in pieces:
        if way == "merge":
            other = Base(track="orders", **options)
            other.update(piece)
            base.merge(other)
        else:
            base.update(piece)
        if way == "spill":
            base._core.spill()
    if way == "file":
        with tempfile.TemporaryDirectory() as folder:
            base.save(Path(folder) / "base")
            base = Base.load(Path(folder) / "base")
    assert base.rfm().to_pyarrow()["x"].type == kind
    assert base.rfm().to_pyarrow().equals(fresh)
    whole = Base(track="orders", **options)
    whole.update(data)
    assert base.to_bytes() == whole.to_bytes()
    assert Base.from_bytes(base.to_bytes()).rfm().to_pyarrow().equals(fresh)


def pieces_of(n: int, cuts: list[int]) -> list[tuple[int, int]]:
    ends = sorted(min(cut, n) for cut in cuts)
    return list(zip([0, *ends], [*ends, n], strict=True))


@given(CASES)
def test_cohorts_split_by_the_value_at_the_first_purchase(
    given_case: tuple[pa.DataType, list[tuple[Any, ...]]],
) -> None:
    kind, lines = given_case
    data = table(kind, lines, encoded=False)
    expected = extras_reference([(*line[:4], stored(line[4])) for line in lines]).first
    options: dict[str, Any] = {"by": "x", "period": "month", "order_id": "order", "amount": "amount"}
    cells = custcore.cohort_retention(data, **options).customers().to_pyarrow()
    assert cells.schema.field("x").type == kind
    assert dict(zip(cells["customer_id"].to_pylist(), cells["x"].to_pylist(), strict=True)) == expected
