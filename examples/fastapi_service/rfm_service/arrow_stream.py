"""Tables of customers as Arrow IPC streams from anybody: checked before they are believed, and answered in chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from custcore.errors import CustcoreError
from rfm_service.errors import bad_body, bad_value, too_large
from rfm_service.ipc_messages import stated
from rfm_service.model import Model
from rfm_service.settings import Settings

__all__ = ["ARROW", "scored", "written"]

ARROW = "application/vnd.apache.arrow.stream"
MOST_COLUMNS = 200
# Rows of a chunk of the answer, which is what a client has to read in time.
CHUNK = 16_384
# Each row of these takes some of the body, so that the size of the body bounds the number of rows.
FLAT = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)


def scored(body: bytearray, model: Model, settings: Settings) -> pa.Table:
    """Read an RFM table and score it."""
    try:
        table = _read(pa.py_buffer(body), settings)
    except (pa.ArrowException, OSError, UnicodeDecodeError, struct.error, OverflowError) as error:
        raise bad_body(f"the body is no Arrow IPC stream: {error}") from error
    for column in model.columns.values():
        _check(table, column, model)
    try:
        return model.scorer.transform(table, n_threads=settings.threads).to_pyarrow()
    except CustcoreError as error:
        raise bad_body(str(error)) from error


def written(table: pa.Table) -> Iterator[bytes]:
    """Write a table as a stream, chunk by chunk."""
    sink = _Chunks()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches(CHUNK):
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()


class _Chunks:
    """A file that is taken away as it is written."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing to close."""

    def taken(self) -> bytes:
        parts, self.parts = self.parts, []
        return b"".join(parts)


def _read(body: pa.Buffer, settings: Settings) -> pa.Table:
    if not len(body):
        raise bad_body("the body is empty; expected an Arrow IPC stream")
    found = stated(body, settings)
    with pa.ipc.open_stream(body) as reader:
        schema = reader.schema
        if len(schema) > MOST_COLUMNS:
            raise too_large(f"the table has {len(schema):,} columns; at most {MOST_COLUMNS} are taken")
        for field in schema:
            if not _is_flat(field.type):
                raise bad_body(
                    f"column {field.name!r} is {field.type}; expected numbers, booleans, dates, timestamps, "
                    "strings, binary, or dictionaries of strings. Leave it out, or cast it"
                )
        dictionaries = sum(pa.types.is_dictionary(field.type) for field in schema)
        if found.dictionaries > dictionaries:
            raise bad_body(f"the Arrow stream has {found.dictionaries} dictionaries for {dictionaries} columns of them")
        table = reader.read_all()
    # Offsets, UTF-8, positions in dictionaries: what comes from outside is checked before it is used.
    table.validate(full=True)
    for field, column in zip(schema, table.columns, strict=True):
        if pa.types.is_dictionary(field.type):
            _check_dictionary(field.name, column, settings)
    return table


def _is_flat(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        kind, text = kind.value_type, (pa.types.is_string, pa.types.is_large_string)
        return any(is_kind(kind) for is_kind in text)
    if pa.types.is_fixed_size_binary(kind) and not kind.byte_width:
        return False
    return any(is_kind(kind) for is_kind in FLAT)


def _check_dictionary(name: str, column: pa.ChunkedArray, settings: Settings) -> None:
    """Many rows may share one long string."""
    long = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
        long += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    if long > settings.max_arrow_decoded_bytes:
        raise too_large(f"the strings of column {name!r} take {long:,} bytes without their dictionary")


def _check(table: pa.Table, name: str, model: Model) -> None:
    """A column that is scored: there, once, a number in each row, within its bounds."""
    count = table.schema.names.count(name)
    if count != 1:
        raise bad_body(
            f"the table has {count or 'no'} column{'s' if count > 1 else ''} {name!r}; expected "
            f"{', '.join(model.columns.values())} once each, as custcore.rfm names them. "
            f"Found: {', '.join(table.schema.names)[:500]}"
        )
    column = table[name]
    money = name == model.columns.get("monetary")
    kind = column.type
    number = pa.types.is_integer(kind) or (money and (pa.types.is_floating(kind) or pa.types.is_decimal(kind)))
    if not number:
        raise bad_body(f"column {name!r} is {kind}; expected {'numbers' if money else 'integers'}")
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise bad_body(
            f"column {name!r} has {column.null_count:,} nulls, the first in row {row}; "
            "a customer without it has no score"
        )
    if not money:
        least = 0 if name == model.columns["recency_days"] else 1
        _refuse(name, column, pc.less(column, pa.scalar(least, kind)), f"expected at least {least}")
    elif pa.types.is_floating(kind):
        _refuse(name, column, pc.invert(pc.is_finite(column)), "expected a finite number")


def _refuse(name: str, column: pa.ChunkedArray, wrong: pa.ChunkedArray, expected: str) -> None:
    row = pc.index(wrong, True).as_py()
    if row >= 0:
        raise bad_value(f"{name}[{row}]", expected, column[row])
