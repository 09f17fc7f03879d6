"""Whatever carries the table, and however its columns are laid out: the same result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import custcore
from tests.reference import Money
from tests.samples import START, check_against_reference, replace, rows_of, transactions
from tests.versions import is_before

SAMPLE = transactions()
NUMBERED = replace(SAMPLE, "customer_id", pc.cast(pc.utf8_slice_codeunits(SAMPLE["customer_id"], 1), pa.int64()))
RESULT = custcore.rfm(SAMPLE)


def check(data: Any, *, like: pa.Table = SAMPLE) -> None:
    """Equal in every value and in the report, whatever the string layout of the producer."""
    expected = custcore.rfm(like)
    found = custcore.rfm(data)
    target = expected.to_pyarrow()
    assert found.to_pyarrow().cast(target.schema).equals(target)
    assert [vars_of(e) for e in found.report] == [vars_of(e) for e in expected.report]


def vars_of(entry: Any) -> tuple[Any, ...]:
    return entry.name, entry.kind, entry.unit, entry.count, entry.sum, entry.first_row


def test_the_baseline_is_right() -> None:
    check_against_reference(RESULT, rows_of(SAMPLE))
    check_against_reference(custcore.rfm(NUMBERED), rows_of(NUMBERED))


# The carriers


def batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def batches(table: pa.Table, size: int = 7) -> list[pa.RecordBatch]:
    return table.to_batches(max_chunksize=size)


def generator(table: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from batches(table)


def unevenly_chunked(table: pa.Table) -> pa.Table:
    """Chunks that begin elsewhere in every column, empty ones among them."""
    columns = []
    for step, column in enumerate(table.columns, start=5):
        chunks = [column.slice(at, step).combine_chunks() for at in range(0, len(column), step)]
        columns.append(pa.chunked_array([chunks[0].slice(0, 0), *chunks, chunks[0].slice(0, 0)], column.type))
    return pa.table(columns, names=table.column_names)


def with_offsets(table: pa.Table) -> pa.Table:
    """Every column a slice with a different offset, with other valid values before and after it."""
    columns = []
    for before, column in zip((3, 9, 17), table.columns, strict=True):
        dense = column.combine_chunks()
        padded = pa.concat_arrays([dense.slice(1, before), dense, dense.slice(0, 4)])
        columns.append(padded.slice(before, len(dense)))
    return pa.table(columns, names=table.column_names)


def sliced_struct(table: pa.Table) -> pa.StructArray:
    """A struct array with an offset over columns without."""
    padded = pa.concat_tables([table.slice(10, 6), table, table.slice(0, 3)])
    return padded.to_struct_array().combine_chunks().slice(6, table.num_rows)


def dictionaries_that_differ(table: pa.Table) -> pa.Table:
    """Each chunk with a different dictionary: the same index means another customer."""
    chunks = [pa.concat_tables([table.slice(at, 11)]) for at in range(0, table.num_rows, 11)]
    encoded = [c["customer_id"].combine_chunks().dictionary_encode() for c in chunks]
    return replace(table, "customer_id", pa.chunked_array(encoded))


def polars_frame(table: pa.Table) -> Any:
    return pytest.importorskip("polars").from_arrow(table)


def pandas_arrow(table: pa.Table) -> Any:
    return table.to_pandas(types_mapper=pytest.importorskip("pandas").ArrowDtype)


def duckdb_relation(table: pa.Table) -> Any:
    return pytest.importorskip("duckdb").from_arrow(table)


def datafusion_frame(table: pa.Table) -> Any:
    return pytest.importorskip("datafusion").SessionContext().from_arrow(table)


def nanoarrow(kind: str) -> Callable[[pa.Table], Any]:
    def carry(table: pa.Table) -> Any:
        na = pytest.importorskip("nanoarrow")
        return getattr(na, kind)(batch(table) if kind in ("Array", "c_array") else table)

    carry.__name__ = f"nanoarrow {kind}"
    return carry


CARRIERS = [
    batch,
    pa.Table.to_reader,
    batches,
    generator,
    unevenly_chunked,
    with_offsets,
    sliced_struct,
    lambda table: pa.chunked_array([sliced_struct(table)]),
    lambda table: batch(with_offsets(table)).slice(0),
    lambda table: [batch(table).slice(0, 40), batch(table).slice(40)],
    lambda table: iter([table.slice(0, 33), table.slice(33).to_reader()]),
    lambda table: table.select(["amount", "customer_id", "timestamp"]).append_column("x", table["amount"]),
    dictionaries_that_differ,
    polars_frame,
    pandas_arrow,
    duckdb_relation,
    datafusion_frame,
    *map(nanoarrow, ("Array", "ArrayStream", "c_array", "c_array_stream")),
]
NAMES = [
    *("batch", "reader", "list", "generator", "chunked", "offsets", "sliced struct", "chunks of structs"),
    *("batch with offsets", "two slices", "tables and readers", "other columns", "unlike dictionaries"),
    *("polars", "pandas", "duckdb", "datafusion", "nanoarrow Array", "nanoarrow ArrayStream"),
    *("nanoarrow c_array", "nanoarrow c_array_stream"),
]


@pytest.mark.parametrize("ids", [SAMPLE, NUMBERED], ids=["strings", "integers"])
@pytest.mark.parametrize("carry", CARRIERS, ids=NAMES)
def test_carriers(carry: Callable[[pa.Table], Any], ids: pa.Table) -> None:
    data = carry(ids)
    if ids is SAMPLE and type(data).__module__.startswith("polars") and is_before("pyarrow", 18):
        pytest.skip("pyarrow before 18 does not cast the string views of polars")
    check(data, like=ids)


def test_numpy_backed_pandas() -> None:
    frame = SAMPLE.to_pandas()
    frame["timestamp"] = frame["timestamp"].astype("datetime64[us]")
    check(frame)


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_numpy_dict(unit: str) -> None:
    times = np.array(SAMPLE["timestamp"].to_pylist(), dtype=f"datetime64[{unit}]")
    amounts = np.array([np.nan if v is None else v for v in SAMPLE["amount"].to_pylist()])
    ids = np.array(SAMPLE["customer_id"].to_pylist(), dtype=object)
    check({"customer_id": ids, "timestamp": times, "amount": amounts})


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "U3", "S3", "object"])
def test_numpy_ids_and_strides(dtype: str) -> None:
    table = transactions(nulls=False)
    ids = table["customer_id"].to_pylist()
    ids = ids if dtype in ("U3", "S3", "object") else [int(i[1:]) for i in ids]
    days = np.array(table["timestamp"].to_pylist(), dtype="datetime64[D]")
    columns = {"customer_id": np.array(ids, dtype=dtype), "timestamp": days, "amount": table["amount"].to_numpy()}
    dense = custcore.rfm(columns).to_pyarrow()
    reference = custcore.rfm(table).to_pyarrow()
    assert dense.drop(["customer_id"]).equals(reference.drop(["customer_id"]))
    every_other = {name: np.repeat(values, 2)[::2] for name, values in columns.items()}
    assert custcore.rfm(every_other).to_pyarrow().equals(dense)


# The column types


def encoded(index: pa.DataType, values: pa.DataType) -> Callable[[pa.Table], pa.Array]:
    """A dictionary with unused values, duplicates and a null among its values, and nulls among its indices."""

    def encode(table: pa.Table) -> pa.Array:
        ids = table["customer_id"].to_pylist()
        distinct = sorted({i for i in ids if i is not None}, reverse=True)
        unused = "zz" if isinstance(distinct[0], str) else 99
        dictionary = [unused, *distinct, None, distinct[0]]  # the last one says what index 1 says
        index_of = {value: at for at, value in enumerate(dictionary[:-2])}
        indices = []
        for row, value in enumerate(ids):
            if value is None:
                indices.append(None if row % 2 else len(dictionary) - 2)
            elif value == distinct[0] and row % 2:
                indices.append(len(dictionary) - 1)
            else:
                indices.append(index_of[value])
        return pa.DictionaryArray.from_arrays(pa.array(indices, index), pa.array(dictionary, values))

    return encode


STRING_IDS: dict[str, Callable[[pa.Table], Any]] = {
    "string": lambda t: t["customer_id"],
    "large_string": lambda t: t["customer_id"].cast(pa.large_string()),
    "string_view": lambda t: t["customer_id"].cast(pa.string_view()),
    "long string_view": lambda t: pc.binary_join_element_wise("a long prefix ", t["customer_id"], "").cast(
        pa.string_view()
    ),
    "binary": lambda t: t["customer_id"].cast(pa.binary()),
    "large_binary": lambda t: t["customer_id"].cast(pa.large_binary()),
    "binary_view": lambda t: t["customer_id"].cast(pa.binary()).cast(pa.binary_view()),
    "fixed_size_binary": lambda t: t["customer_id"].cast(pa.binary()).cast(pa.binary(3)),
    "dictionary<int8, string>": encoded(pa.int8(), pa.string()),
    "dictionary<int32, string>": encoded(pa.int32(), pa.string()),
    "dictionary<uint16, string>": encoded(pa.uint16(), pa.string()),
    "dictionary<int64, large_string>": encoded(pa.int64(), pa.large_string()),
}
WIDTHS = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]
INTEGER_IDS: dict[str, Callable[[pa.Table], Any]] = {str(w): lambda t, w=w: t["customer_id"].cast(w) for w in WIDTHS}
for _index in (pa.int8(), pa.int32(), pa.uint16()):
    INTEGER_IDS[f"dictionary<{_index}, int64>"] = encoded(_index, pa.int64())


def check_ids(table: pa.Table, ids: Any) -> None:
    """The same rows under the ids' own type: of a dictionary, that of its values."""
    found = custcore.rfm(replace(table, "customer_id", ids)).to_pyarrow()
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    assert found.schema.field("customer_id").type == kind
    expected = custcore.rfm(table).to_pyarrow()
    assert found.drop(["customer_id"]).equals(expected.drop(["customer_id"]))
    values = found["customer_id"].to_pylist()
    values = [v.decode() if isinstance(v, bytes) else v for v in values]
    values = [v.removeprefix("a long prefix ") if isinstance(v, str) else v for v in values]
    assert values == expected["customer_id"].to_pylist()


@pytest.mark.parametrize("layout", [lambda t: t, with_offsets, unevenly_chunked], ids=["dense", "offset", "chunked"])
@pytest.mark.parametrize("kind", STRING_IDS)
def test_string_ids(kind: str, layout: Callable[[pa.Table], pa.Table]) -> None:
    if "view" in kind and is_before("pyarrow", 18):
        pytest.skip("pyarrow before 18 casts no views")
    table = layout(replace(SAMPLE, "customer_id", STRING_IDS[kind](SAMPLE)))
    check_ids(SAMPLE, table["customer_id"])


@pytest.mark.parametrize("layout", [lambda t: t, with_offsets, unevenly_chunked], ids=["dense", "offset", "chunked"])
@pytest.mark.parametrize("kind", INTEGER_IDS)
def test_integer_ids(kind: str, layout: Callable[[pa.Table], pa.Table]) -> None:
    table = layout(replace(NUMBERED, "customer_id", INTEGER_IDS[kind](NUMBERED)))
    check_ids(NUMBERED, table["customer_id"])


@pytest.mark.parametrize("width", WIDTHS, ids=str)
def test_extreme_integer_ids_are_sorted_by_value(width: pa.DataType) -> None:
    bits, signed = width.bit_width, str(width).startswith("int")
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    ids = pa.array([high, 1, low, 0, high, low], width)
    times = pa.array([START] * 6)
    found = custcore.rfm(pa.table({"customer_id": ids, "timestamp": times}), amount=None)
    assert found.to_pyarrow()["customer_id"].to_pylist() == sorted(set(ids.to_pylist()))


def zoned(unit: str, zone: str) -> Callable[[pa.Table], Any]:
    """Half past eleven at night by the zone's own clock: another day in UTC or in the next zone."""

    def localise(table: pa.Table) -> Any:
        night = pc.add(table["timestamp"].cast(pa.timestamp(unit)), timedelta(hours=23, minutes=30))
        return pc.assume_timezone(night.cast(pa.timestamp(unit)), zone)

    return localise


TIMES: dict[str, Callable[[pa.Table], Any]] = {
    "date32": lambda t: t["timestamp"],
    "date64": lambda t: t["timestamp"].cast(pa.date64()),
    **{u: lambda t, u=u: t["timestamp"].cast(pa.timestamp(u)) for u in ("s", "ms", "us", "ns")},
    "s UTC": zoned("s", "UTC"),
    "ms New York": zoned("ms", "America/New_York"),
    "us Kolkata": zoned("us", "Asia/Kolkata"),
    "ns Apia": zoned("ns", "Pacific/Apia"),
    "us +05:30": lambda t: pc.add(t["timestamp"].cast(pa.timestamp("us")), timedelta(hours=18)).cast(
        pa.timestamp("us", "+05:30")
    ),
}


@pytest.mark.parametrize("layout", [lambda t: t, with_offsets], ids=["dense", "offset"])
@pytest.mark.parametrize("kind", TIMES)
def test_times(kind: str, layout: Callable[[pa.Table], pa.Table]) -> None:
    check(layout(replace(SAMPLE, "timestamp", TIMES[kind](SAMPLE))))


FLOATS = [pa.float32(), pa.float64()]
DECIMALS = [pa.decimal128(12, 2), pa.decimal128(38, 0), pa.decimal256(40, 2), pa.decimal256(76, 9)]


@pytest.mark.parametrize("kind", [*FLOATS, *WIDTHS, *DECIMALS], ids=str)
def test_amounts(kind: pa.DataType) -> None:
    amounts = SAMPLE["amount"]
    if str(kind).startswith("uint"):
        amounts = pc.abs(amounts)
    whole = [None if v is None else int(v) for v in amounts.to_pylist()]
    table = replace(
        SAMPLE, "amount", pa.array(whole, kind) if pa.types.is_decimal(kind) else pa.array(whole).cast(kind)
    )
    money, out = Money("float", 6), pa.float64()
    if pa.types.is_integer(kind):
        money, out = Money("int", 0), pa.int64()
    elif pa.types.is_decimal(kind):
        money, out = Money("decimal", kind.scale), pa.decimal128(38, kind.scale)
    found = custcore.rfm(with_offsets(table))
    assert found.to_pyarrow().schema.field("monetary_total").type == out
    assert found.to_pyarrow().schema.field("monetary_mean").type == pa.float64()
    check_against_reference(found, rows_of(table), money=money)
