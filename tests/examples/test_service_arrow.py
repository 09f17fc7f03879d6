"""`examples/fastapi_service` is sent Arrow bodies that are broken, or hold far more than their size."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.examples.serving import ARROW, Server, customers, ipc

MIB = 1 << 20


def refused(client: Any, body: bytes, status: int = 400) -> str:
    answer = client.post(ARROW, content=body)
    assert answer.status_code == status, (answer.status_code, answer.content[:300])
    return str(answer.json()["detail"])


def test_what_is_no_stream(client: Any) -> None:
    assert "empty" in refused(client, b"")
    for body in (
        b"PAR1",
        b"\xff" * 100,
        b"\0" * 100,
        b"ARROW1\0\0" + ipc(customers(5)),
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    ):
        assert "Arrow" in refused(client, body)


def test_cut_off_anywhere(client: Any) -> None:
    whole = ipc(customers(300), 100)
    for end in [*range(1, len(whole), 97), len(whole) - 8, len(whole) - 1]:
        refused(client, whole[:end])
    # Between two batches, where pyarrow sees the end of the stream.
    assert "end marker" in refused(client, whole[:-8])
    assert "end marker" in refused(client, whole + b"more")


def test_changed_bytes(client: Any) -> None:
    whole = ipc(customers(300).append_column("segment", pa.array(["a", "b", "c"] * 100).dictionary_encode()), 100)
    rng = np.random.default_rng(5)
    found = set()
    for number in range(400):
        changed = bytearray(ipc(customers(300), compression="zstd") if number % 2 else whole)
        # Most of what matters, the schema and the first message, comes first.
        changed[rng.integers(0, rng.choice([800, len(changed)]))] = rng.integers(0, 256)
        found.add(client.post(ARROW, content=bytes(changed)).status_code)
    assert found <= {200, 400, 413, 422}
    assert 400 in found


def test_wrong_columns(client: Any) -> None:
    table = customers(10)
    assert "n_orders" in refused(client, ipc(table.drop_columns(["n_orders"])))
    twice = table.append_column("n_orders", table["n_orders"])
    assert "2 columns 'n_orders'" in refused(client, ipc(twice))
    text = table.set_column(1, "recency_days", pa.array(["1"] * 10))
    assert "is string; expected integers" in refused(client, ipc(text))
    nulls = table.set_column(2, "n_orders", pa.array([1, 2, None, None] + [3] * 6))
    assert "2 nulls, the first in row 2" in refused(client, ipc(nulls, 3))
    wide = pa.table({f"c{number}": [1] for number in range(300)})
    refused(client, ipc(wide), 413)


def test_content_that_is_invalid(client: Any) -> None:
    table = customers(2)
    offsets = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 900, 1], "int32")), pa.py_buffer(b"ab")]
    )
    text = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 2], "int32")), pa.py_buffer(b"\xff\xfe")]
    )
    outside = pa.DictionaryArray.from_arrays(pa.array([0, 9], pa.int8()), pa.array(["a"]), safe=False)
    for column in (offsets, text, outside):
        assert "no Arrow IPC stream" in refused(client, ipc(table.set_column(0, "customer_id", column)))


@pytest.mark.parametrize(
    "column",
    [
        pa.nulls(2),
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array(["a", "b"]).cast(pa.string_view()),
        pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([1])),
        pa.array([b"", b""], pa.binary(0)),
    ],
    ids=lambda column: str(column.type),
)
def test_types_whose_rows_take_no_bytes(client: Any, column: pa.Array) -> None:
    assert "column 'other' is" in refused(client, ipc(customers(2).append_column("other", column)))


def test_declared_lengths(client: Any, server: Server) -> None:
    """A compressed buffer says that it holds an exbibyte, then less than it does, then less than nothing."""
    table = customers(1_000)
    body = ipc(table.select([1, 2, 3]), compression="zstd")
    before = server.peak
    length = struct.pack("<q", 8_000)
    assert body.count(length) >= 3
    for stated, status in ((1 << 60, 413), (1 << 33, 413), (80 * MIB, 400), (8, 400), (-2, 400)):
        refused(client, body.replace(length, struct.pack("<q", stated)), status)
    assert server.peak - before < 300 * MIB


def bomb(columns: int) -> bytes:
    """One record batch of zeros: each column takes 8 MB once decoded, and some hundred bytes before."""
    zeros = pa.array(np.zeros(1_000_000, "int64"))
    table = pa.table({"recency_days": zeros} | {f"c{number}": zeros for number in range(columns)})
    return ipc(table, 1_000_000, compression="zstd")


def test_a_bomb_is_not_decoded(client: Any, server: Server) -> None:
    body = bomb(150)
    assert len(body) < 2 * MIB
    client.post(ARROW, content=ipc(customers(1_000)))
    before = server.peak
    assert "once it is decoded" in refused(client, body, 413)
    # Decoded, it would take 1,150 MiB.
    assert server.peak - before < 20 * MIB


def test_more_rows_than_bytes(client: Any, server: Server) -> None:
    before = server.peak
    table = pa.table({"flag": pa.array(np.zeros(9_000_000, bool))})
    assert "customers" in refused(client, ipc(table, 9_000_000), 413)
    # A long string that many rows share.
    codes = pa.array(np.zeros(300_000, "int8"))
    shared = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 2_000]))
    table = customers(300_000).set_column(0, "customer_id", shared)
    assert "dictionary" in refused(client, ipc(table, 300_000), 413)
    assert server.peak - before < 80 * MIB


def test_messages_without_end(client: Any) -> None:
    empty = customers(0).to_batches() or [pa.RecordBatch.from_pylist([], customers(0).schema)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, empty[0].schema) as writer:
        for _ in range(10_001):
            writer.write_batch(empty[0])
    assert "messages" in refused(client, sink.getvalue().to_pybytes(), 413)


def test_dictionaries_that_grow(client: Any) -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    values = [f"v{number}" for number in range(100)]
    batches = [
        pa.record_batch(
            [pa.DictionaryArray.from_arrays(pa.array([n], pa.int32()), pa.array(values[: n + 1]))], ["city"]
        )
        for n in range(100)
    ]
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, pa.schema({"city": kind}), options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    assert "changes a dictionary" in refused(client, sink.getvalue().to_pybytes())


def test_a_tensor(client: Any) -> None:
    sink = pa.BufferOutputStream()
    pa.ipc.write_tensor(pa.Tensor.from_numpy(np.zeros((2, 2))), sink)
    assert "tensor" in refused(client, sink.getvalue().to_pybytes())
