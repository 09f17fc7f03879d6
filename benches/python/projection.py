"""Projection: `custcore.rfm` of a wide table that another library reads, of which four of nine columns are needed.

    python benches/python/projection.py --folder FOLDER --rows 5_400_000

Each kind of table is handed in in three ways: with all columns decoded before, as custcore once read everything; as
it is, so that custcore names the columns to its library; and after a projection by hand, which is the best that can be
had. A Scanner and a RecordBatchReader cannot be projected any more: only the one who makes them can leave columns out,
so that "as it is" is "all decoded" there. A file is written once and read from the page cache. The ways take turns,
each in a process of its own; printed are the medians of the seconds of the call, the range, and the peak of memory less
what the imports take. Results must be equal.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

NEEDED = ["customer_id", "timestamp", "amount", "order_id"]
KINDS = ["duckdb relation", "pyarrow Dataset", "pyarrow Scanner", "pyarrow ParquetFile", "polars LazyFrame", "reader"]
WAYS = ["all decoded", "as it is", "by hand"]
ROWS_IN_GROUP = 1 << 17


def write(path: Path, rows: int) -> None:
    """Lines of orders with the columns that an export has."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = pa.array(
        [
            f"{size} {colour} {thing}"
            for size in "SML"
            for colour in ("red", "blue", "green")
            for thing in ("mug", "lamp", "bag")
        ]
    )
    draft = path.with_suffix(".draft")
    writer = None
    for number, first in enumerate(range(0, rows, ROWS_IN_GROUP)):
        random = np.random.default_rng([17, number])
        n = min(ROWS_IN_GROUP, rows - first)
        order = (first + np.arange(n)) // 20
        batch = pa.table(
            {
                "order_id": order,
                "customer_id": (order * 2_654_435_761) % max(rows // 90, 1),
                "timestamp": np.datetime64("2024-01-01", "s") + random.integers(0, 700 * 86_400, n),
                "amount": random.integers(50, 20_000, n) / 100,
                "sku": pa.array(random.integers(10_000, 99_999, n)).cast(pa.string()),
                "description": words.take(pa.array(random.integers(0, len(words), n))),
                "quantity": random.integers(1, 30, n),
                "country": pa.array(["United Kingdom", "Germany", "France", "Norway"]).take(
                    pa.array(random.integers(0, 4, n))
                ),
                "note": pa.array([f"line {line} of order {of}" for line, of in zip(range(n), order, strict=True)]),
            }
        )
        writer = writer or pq.ParquetWriter(draft, batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()
    draft.replace(path)


def table(kind: str, way: str, path: Path) -> Any:
    """The object that is handed in; making it reads the schema only, but where all is decoded before."""
    if kind == "duckdb relation":
        import duckdb

        relation = duckdb.connect().read_parquet(str(path))
        if way == "by hand":
            return relation.select(*NEEDED)
        # A capsule without a choice of columns.
        return _Stream(relation) if way == "all decoded" else relation
    if kind == "polars LazyFrame":
        import polars as pl

        frame = pl.scan_parquet(path)
        return {"as it is": frame, "by hand": frame.select(NEEDED), "all decoded": frame}[way]
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    if kind == "pyarrow ParquetFile":
        file = pq.ParquetFile(path)
        if way == "as it is":
            return file
        batches = file.iter_batches(columns=NEEDED if way == "by hand" else None)
        first = next(batches)
        return pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], batches))
    dataset = ds.dataset(path)
    if way == "by hand":
        return dataset.scanner(columns=NEEDED).to_reader()
    if way == "all decoded" or kind == "reader":
        return dataset.scanner().to_reader()
    return dataset if kind == "pyarrow Dataset" else dataset.scanner()


class _Stream:
    """The rows of a relation by the protocol of Arrow alone."""

    def __init__(self, relation: Any) -> None:
        self.relation = relation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.relation.__arrow_c_stream__(requested_schema)


def peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def child(kind: str, way: str, path: Path) -> dict[str, Any]:
    """Seconds and memory of one call."""
    # Imports and the first use of each library, of one row group, are no part of it.
    import pyarrow.parquet as pq

    import custcore

    warm = path.with_suffix(".small")
    if not warm.exists():
        pq.write_table(pq.ParquetFile(path).read_row_group(0).slice(0, 1_000), warm)
    options = {"order_id": "order_id", "n_threads": 2}
    custcore.rfm(_collected(kind, way, warm), **options)
    before = peak()
    begun = time.perf_counter()
    result = custcore.rfm(_collected(kind, way, path), **options)
    seconds = time.perf_counter() - begun
    digest = hashlib.sha256()
    for column in result.to_pyarrow().columns:
        digest.update(column.combine_chunks().cast("string").to_pylist().__repr__().encode())
    return {"seconds": seconds, "memory": peak() - before, "digest": digest.hexdigest(), "customers": len(result)}


def _collected(kind: str, way: str, path: Path) -> Any:
    data = table(kind, way, path)
    # What a LazyFrame was before it was taken as it is.
    return data.collect() if kind == "polars LazyFrame" and way == "all decoded" else data


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, required=True, help="folder for the file of rows, which is kept")
    parser.add_argument("--rows", type=int, default=5_400_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    path = arguments.folder / f"lines-{arguments.rows}.parquet"
    if arguments.child:
        print(json.dumps(child(*arguments.child, path)))
        return
    if not path.exists():
        write(path, arguments.rows)
    path.read_bytes()
    found = defaultdict(list)
    for _ in range(arguments.rounds):
        for kind in KINDS:
            for way in WAYS:
                asked = ["--child", kind, way, "--folder", str(arguments.folder), "--rows", str(arguments.rows)]
                done = subprocess.run([sys.executable, __file__, *asked], stdout=subprocess.PIPE, text=True, check=True)
                found[kind, way].append(json.loads(done.stdout.splitlines()[-1]))
    if len({(one["digest"], one["customers"]) for runs in found.values() for one in runs}) != 1:
        raise SystemExit("results differ")
    customers = found[KINDS[0], WAYS[0]][0]["customers"]
    print(
        f"{arguments.rows:,} rows, {path.stat().st_size >> 20:,} MiB of Parquet, {customers:,} customers, results equal"
    )
    print("| table | " + " | ".join(f"{way} s | MiB" for way in WAYS) + " |")
    print("|---|" + "---:|---:|" * len(WAYS))
    for kind in KINDS:
        cells = []
        for way in WAYS:
            seconds = [one["seconds"] for one in found[kind, way]]
            memory = statistics.median(one["memory"] for one in found[kind, way]) / (1 << 20)
            cells.append(f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) | {memory:,.0f}")
        print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
