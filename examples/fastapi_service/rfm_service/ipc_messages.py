"""What an Arrow IPC stream would take once decoded, read from its messages before anything is decoded.

pyarrow decodes a record batch as a whole, and a compressed buffer of some kilobytes may state a length of gigabytes,
which are allocated at once. The lengths are in the metadata of each message, a flatbuffer that pyarrow has verified,
and in the first eight bytes of each compressed buffer, see
https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pyarrow as pa

from rfm_service.errors import bad_body, too_large
from rfm_service.settings import Settings

__all__ = ["Stated", "stated"]

END = b"\xff\xff\xff\xff\0\0\0\0"
# A batch without rows takes no memory, but time; metadata holds names, types and offsets.
MOST_MESSAGES = 10_000
LARGEST_METADATA = 1 << 20
# Positions of fields in the tables of the format's Message.fbs.
HEADER, DICTIONARY_DATA = 2, 1
ROWS, BUFFERS, COMPRESSION = 0, 2, 3


@dataclass
class Stated:
    """What the messages of a stream state."""

    rows: int = 0
    decoded_bytes: int = 0
    dictionaries: int = 0


def stated(body: pa.Buffer, settings: Settings) -> Stated:
    """Go through the messages of a whole stream, which are not copied; an error if they hold more than is allowed."""
    found = Stated()
    source = pa.BufferReader(body)
    batches = 0
    for number, message in enumerate(pa.ipc.MessageReader.open_stream(source)):
        if (number == 0) != (message.type == "schema"):
            raise bad_body(f"the Arrow stream has a message of type {message.type!r} as number {number}")
        if number == MOST_MESSAGES:
            raise too_large(f"the Arrow stream has more than {MOST_MESSAGES:,} messages; send larger batches")
        if len(message.metadata) > LARGEST_METADATA:
            raise too_large(f"the metadata of message {number} is larger than {LARGEST_METADATA:,} bytes")
        if message.type == "schema":
            continue
        metadata, data = memoryview(message.metadata), memoryview(message.body)
        batch = _target(metadata, _field(metadata, _target(metadata, 0), HEADER))
        if message.type == "record batch":
            batches += 1
            found.rows += _rows(metadata, batch)
        elif message.type == "dictionary":
            # One that is added to or replaced later would be copied each time.
            if batches:
                raise bad_body("the Arrow stream changes a dictionary after its first batch; send it as one batch")
            found.dictionaries += 1
            batch = _target(metadata, _field(metadata, batch, DICTIONARY_DATA))
        else:
            raise bad_body(f"the Arrow stream has a message of type {message.type!r}; expected a table")
        found.decoded_bytes += _decoded(metadata, batch, data)
        if found.rows > settings.max_arrow_rows:
            raise too_large(f"more than {settings.max_arrow_rows:,} customers; send them in several requests")
        if found.decoded_bytes > settings.max_arrow_decoded_bytes:
            raise too_large(
                f"the table takes more than {settings.max_arrow_decoded_bytes:,} bytes once it is decoded; "
                "send the customers in several requests"
            )
    # Arrow also takes the end of the bytes for the end of the stream, and misses what was cut off between two batches.
    if source.tell() != len(body) or bytes(body[max(len(body) - len(END), 0) :]) != END:
        raise bad_body(
            "the Arrow stream does not end with its end marker: it was cut off, or its writer was not closed"
        )
    return found


def _rows(metadata: memoryview, batch: int) -> int:
    at = _field(metadata, batch, ROWS, 0)
    rows = _int64(metadata, at) if at else 0
    if rows < 0:
        raise bad_body(f"the Arrow stream has a batch of {rows} rows")
    return rows


def _decoded(metadata: memoryview, batch: int, data: memoryview) -> int:
    """Bytes of the buffers of a batch; two that share their bytes count twice, as they do in the answer."""
    compressed = _field(metadata, batch, COMPRESSION, 0)
    at = _field(metadata, batch, BUFFERS, 0)
    if not at:
        return 0
    vector = _target(metadata, at)
    (count,) = struct.unpack_from("<I", metadata, vector)
    total = 0
    for offset, length in struct.iter_unpack("<qq", metadata[vector + 4 : vector + 4 + 16 * count]):
        if not 0 <= offset <= offset + length <= len(data):
            raise bad_body("the Arrow stream has a buffer that lies outside of its message")
        if compressed and length:
            if length < 8:
                raise bad_body(f"the Arrow stream has a compressed buffer of {length} bytes")
            whole = _int64(data, offset)
            # -1: stored as it is.
            length = length - 8 if whole == -1 else whole
            if length < 0:
                raise bad_body(f"the Arrow stream has a buffer of {length} bytes")
        total += length
    return total


def _int64(data: memoryview, at: int) -> int:
    return int(struct.unpack_from("<q", data, at)[0])


def _target(data: memoryview, at: int) -> int:
    """What a flatbuffer's offset points at."""
    return at + int(struct.unpack_from("<I", data, at)[0])


def _field(data: memoryview, table: int, number: int, default: int | None = None) -> int:
    """Where a field of a flatbuffer's table is."""
    vtable = table - int(struct.unpack_from("<i", data, table)[0])
    entry = 4 + 2 * number
    size, offset = struct.unpack_from("<H", data, vtable)[0], 0
    if entry < size:
        offset = int(struct.unpack_from("<H", data, vtable + entry)[0])
    if offset:
        return table + offset
    if default is None:
        raise bad_body("the Arrow stream has a message without content")
    return default
