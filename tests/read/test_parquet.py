"""Parquet files that the core decodes: the same as pyarrow reads, which goes on where the core cannot."""

from __future__ import annotations

import datetime
import decimal
import os
import signal
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore._read import columnar
from custcore._read.decoded import decoded
from custcore.errors import FileFormatError

ROWS = 5_000
DAYS = [datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=7 * i) for i in range(ROWS)]
SALES = pa.table(
    {
        "customer_id": [None if i % 17 == 3 else f"c{i * 7919 % 611}" for i in range(ROWS)],
        "timestamp": pa.array(DAYS, pa.timestamp("us")),
        "amount": [None if i % 101 == 7 else (i * 37 % 9000) / 100 for i in range(ROWS)],
        "order_id": [i // 3 for i in range(ROWS)],
    }
)
COLUMNS = {
    "small": pa.array([None if i % 5 == 0 else i % 100 for i in range(ROWS)], pa.int8()),
    "unsigned": pa.array([i << 50 for i in range(ROWS)], pa.uint64()),
    "float": pa.array([i / 3 for i in range(ROWS)], pa.float32()),
    "flag": pa.array([None if i % 9 == 0 else i % 2 == 0 for i in range(ROWS)]),
    "date": pa.array([day.date() for day in DAYS]),
    "zoned": pa.array(DAYS, pa.timestamp("ms", "Europe/Berlin")),
    "nanos": pa.array(DAYS, pa.timestamp("ns", "UTC")),
    "money": pa.array([decimal.Decimal(i) / 100 for i in range(ROWS)], pa.decimal128(12, 2)),
    "text": pa.array([None if i % 8 == 0 else f"é{i % 70}" for i in range(ROWS)], pa.large_string()),
    "bytes": pa.array([bytes([i % 256]) * (i % 30) for i in range(ROWS)], pa.binary()),
    "fixed": pa.array([bytes([i % 256, 1]) for i in range(ROWS)], pa.binary(2)),
    "words": pa.array([f"w{i % 19}" for i in range(ROWS)]).dictionary_encode(),
    "duration": pa.array(range(ROWS), pa.duration("s")),
    "none": pa.nulls(ROWS),
}


@pytest.fixture
def by_pyarrow(monkeypatch):
    """Reads a file with pyarrow alone."""

    def read(path, use):
        with monkeypatch.context() as patch:
            patch.setattr(columnar, "decoded", lambda *_: iter(()))
            return use(custcore.read(path))

    return read


def read_by_core(path, columns):
    return list(decoded(path, pq.ParquetFile(path).schema_arrow, columns))


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("group", [700, ROWS])
def test_every_type_is_what_pyarrow_reads(tmp_path, by_pyarrow, codec, group):
    path, table = (
        tmp_path / "all.parquet",
        pa.table({**COLUMNS, **dict(zip(SALES.column_names, SALES.columns, strict=True))}),
    )
    pq.write_table(table, path, compression=codec, row_group_size=group)
    found = custcore.read(path).table(table.column_names)
    assert found.equals(by_pyarrow(path, lambda source: source.table(table.column_names)))
    assert found.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("name", [name for name in COLUMNS if name not in ("none",)])
def test_the_core_decodes(tmp_path, name):
    path = tmp_path / "one.parquet"
    pq.write_table(pa.table({"x": COLUMNS["small"], name: COLUMNS[name]}), path, row_group_size=900)
    found = read_by_core(path, [name])
    assert pa.Table.from_batches(found).to_pylist() == pa.table({name: COLUMNS[name]}).to_pylist()
    assert [batch.num_rows for batch in found] == [900] * 5 + [500]


def test_what_the_core_does_not_read_is_left_to_pyarrow(tmp_path):
    table = pa.table({"id": [1, 2, 3], "list": [[1], [], None], "time": pa.array(DAYS[:3], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "old.parquet", use_deprecated_int96_timestamps=True)
    assert read_by_core(tmp_path / "old.parquet", ["time"]) == []
    assert read_by_core(tmp_path / "old.parquet", ["list"]) == []
    assert read_by_core(tmp_path / "old.parquet", ["id"]) != []
    assert custcore.read(tmp_path / "old.parquet").table(["time", "list", "id"]).to_pydict() == table.to_pydict()
    (tmp_path / "no.parquet").write_bytes(b"PAR1 no PAR1")
    assert list(decoded(tmp_path / "no.parquet", table.schema, ["id"])) == []
    pq.write_table(table.slice(0, 0), tmp_path / "empty.parquet")
    assert custcore.read(tmp_path / "empty.parquet").table(["id"]).num_rows == 0


@pytest.mark.parametrize("group", [130, 1_000, ROWS])
@pytest.mark.parametrize("order_id", [None, "order_id"])
def test_dictionaries_of_row_groups_give_what_strings_give(tmp_path, group, order_id):
    want = custcore.rfm(SALES, order_id=order_id).to_pyarrow()
    shared = SALES["customer_id"].combine_chunks().dictionary_encode()
    pq.write_table(SALES.set_column(0, "customer_id", shared), tmp_path / "shared.parquet", row_group_size=group)
    schema = SALES.schema.set(0, pa.field("customer_id", shared.type))
    with pq.ParquetWriter(tmp_path / "own.parquet", schema) as writer:
        for start in range(0, ROWS, group):
            part = SALES.slice(start, group)
            ids = part["customer_id"].combine_chunks().dictionary_encode()
            writer.write_table(part.set_column(0, "customer_id", ids))
    for name in ("shared", "own"):
        path = tmp_path / f"{name}.parquet"
        for threads in (1, 2, 3):
            assert custcore.rfm(custcore.read(path), order_id=order_id, n_threads=threads).to_pyarrow().equals(want), (
                name
            )
        # As pyarrow gives them: each batch with a dictionary of its own.
        assert custcore.rfm(pq.ParquetFile(path).iter_batches(170), order_id=order_id).to_pyarrow().equals(want), name


def test_a_damaged_row_group_is_reported_by_pyarrow(tmp_path, by_pyarrow):
    path = tmp_path / "sales.parquet"
    pq.write_table(SALES, path, row_group_size=500, compression="snappy")
    column = pq.ParquetFile(path).metadata.row_group(6).column(0)
    data = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(data)
    rows: list[int] = []

    def use(source):
        rows.clear()
        for batch in source._files[0].batches(["customer_id", "amount"]):
            rows.append(batch.num_rows)  # noqa: PERF401 (those before the error count)

    messages = []
    for read in (lambda use: use(custcore.read(path)), lambda use: by_pyarrow(path, use)):
        with pytest.raises(FileFormatError) as raised:
            read(use)
        messages.append(str(raised.value))
        assert sum(rows) <= 3_000
    assert messages[0] == messages[1]


def test_text_that_is_none_is_reported_by_pyarrow(tmp_path, by_pyarrow):
    path = tmp_path / "text.parquet"
    pq.write_table(pa.table({"id": pa.array([b"a", b"\xff\xfe", b"c"])}), path, store_schema=False)
    bare = pq.read_table(path).schema
    assert bare.field("id").type == pa.binary()
    text = pa.array([b"a", b"\xff\xfe", b"c"]).view(pa.string())
    pq.write_table(pa.table({"id": text}), path)
    found = []
    for read in (lambda use: use(custcore.read(path)), lambda use: by_pyarrow(path, use)):
        with pytest.raises(FileFormatError) as raised:
            read(lambda source: source.table(["id"]))
        found.append(str(raised.value))
    assert found[0] == found[1]


def test_an_abandoned_reader_ends_its_threads(tmp_path):
    path = tmp_path / "sales.parquet"
    pq.write_table(SALES, path, row_group_size=100)
    parts = decoded(path, SALES.schema, ["customer_id"])
    next(parts)
    parts.close()
    assert not [
        task for task in Path("/proc/self/task").glob("*/comm") if task.read_text().startswith("custcore-parqu")
    ]
    assert custcore.read(path).head(3).num_rows == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_reader_in_use_survives_a_fork(tmp_path):
    path = tmp_path / "sales.parquet"
    pq.write_table(SALES, path, row_group_size=100)
    batches = custcore.read(path)._files[0].batches(["order_id"])
    rows = next(batches).num_rows
    child = os.fork()
    if child == 0:
        # The threads are gone: pyarrow reads the rest.
        os._exit(0 if rows + sum(batch.num_rows for batch in batches) == ROWS else 1)
    end = time.monotonic() + 60
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the fork hangs")
        time.sleep(0.01)
    assert done[1] == 0
    assert rows + sum(batch.num_rows for batch in batches) == ROWS
