"""Cases of the RFM bench, their input, and the comparison of results."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benches.data import LINES_PER_ORDER, IdKind, Order, Skew, purchase_batches
from benches.harness import Input, UnequalError

if TYPE_CHECKING:
    from pathlib import Path

Source = Literal["memory", "parquet"]
SOURCES: tuple[Source, ...] = get_args(Source)

PROBABILITIES = [0.2, 0.4, 0.6, 0.8]
VALUES = {"r_score": "recency_days", "f_score": "n_orders", "m_score": "monetary_total"}
RESULT = ["customer_id", *VALUES.values(), *VALUES]
TOLERANCE = 1e-6
GROUP_BYTES = 64
CHUNK_ROWS = 1 << 20


@dataclass(frozen=True)
class RfmCase:
    """The input and the settings; the fields are described in `benches.data.purchases`.

    Parameters
    ----------
    order_id
        Whether rows are lines of orders, which are put together first.
    source
        ``memory``: a table at hand. ``parquet``: a file (snappy, row groups of a million rows, each written from one
        batch, in the page cache), which every contender reads with the reader that suits it best.
    sort
        Whether the rows of the result must ascend by id.
    chunk_rows
        Rows in a batch of a table in memory; 0: one batch. pyarrow reads a file in batches of 131,072 rows.
    """

    rows: int
    customers: int
    ids: IdKind = "dense"
    order: Order = "time"
    order_id: bool = False
    skew: Skew = "none"
    source: Source = "memory"
    sort: bool = True
    threads: int = 2
    seed: int = 0
    chunk_rows: int = CHUNK_ROWS

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            f"{self.rows} rows",
            f"{self.customers} customers",
            f"{self.ids} ids",
            f"order {self.order}",
            "order_id" if self.order_id else "",
            f"skew {self.skew}" if self.skew != "none" else "",
            f"from {self.source}",
            "sorted" if self.sort else "unsorted",
            f"{self.threads} threads",
            "" if self.chunk_rows == CHUNK_ROWS else f"chunks of {self.chunk_rows}" if self.chunk_rows else "one batch",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        return ["customer_id", "timestamp", "amount", *(["order_id"] if self.order_id else [])]


class RfmInput:
    """Writes the input of a case, and compares results."""

    name = "rfm"
    case = RfmCase

    def write(self, case: RfmCase, folder: Path) -> Input:
        """Write the purchases as an Arrow or a Parquet file."""
        if case.ids == "dictionaries" and case.source == "memory":
            raise ValueError("an Arrow file has one dictionary for all batches: ids dictionaries needs source parquet")
        batches = purchase_batches(
            case.rows,
            case.customers,
            ids=case.ids,
            order=case.order,
            order_ids=case.order_id,
            skew=case.skew,
            seed=case.seed,
            chunk_rows=case.chunk_rows or case.rows,
        )
        first = next(batches)
        path = folder / f"input.{'arrow' if case.source == 'memory' else 'parquet'}"
        size = 0
        with pa.OSFile(str(path), "wb") as sink:
            if case.source == "memory":
                writer = pa.ipc.new_file(sink, first.schema)
            else:
                writer = pq.ParquetWriter(sink, first.schema)
            with writer:
                for batch in itertools.chain([first], batches):
                    writer.write_batch(batch)
                    size += sum(_bytes(column) for column in batch.columns)
        pa.default_memory_pool().release_unused()
        groups = case.customers + (case.rows // LINES_PER_ORDER if case.order_id else 0)
        to_read = size if case.source == "memory" else path.stat().st_size
        return Input(path, in_memory=size, grouped=groups * GROUP_BYTES, to_read=to_read)

    def compare(self, case: RfmCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Ids, days and orders are equal; sums within 1e-6; scores except for values within 1e-6 of an edge."""
        ours, theirs = _columns(case, expected), _columns(case, found)
        for column in ("customer_id", "recency_days", "n_orders"):
            if not theirs[column].equals(ours[column]):
                raise UnequalError(_first_difference(column, ours, theirs))
        money, other = ours["monetary_total"].to_numpy(), theirs["monetary_total"].to_numpy()
        if not np.allclose(money, other, rtol=TOLERANCE, atol=TOLERANCE):
            raise UnequalError(f"monetary_total by up to {np.abs(money - other).max()}")
        notes: dict[str, int] = {}
        for score, value in VALUES.items():
            values = ours[value].to_numpy().astype(np.float64)
            differ = np.flatnonzero(ours[score].to_numpy() != theirs[score].to_numpy())
            if not len(differ):
                continue
            gap = np.abs(values[differ, None] - np.quantile(values, PROBABILITIES)).min(axis=1)
            if (gap > TOLERANCE * np.maximum(1, np.abs(values[differ]))).any():
                raise UnequalError(f"{score} for {len(differ)} of {len(values)} customers")
            notes[score] = len(differ)
        return notes


def load(path: Path) -> pa.Table:
    """Read an Arrow file into memory, as a whole."""
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _bytes(column: pa.Array) -> int:
    return int((column.indices if pa.types.is_dictionary(column.type) else column).nbytes)


def _columns(case: RfmCase, table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Sort and cast the columns of a result for comparison."""
    table = table.select(RESULT)
    ids = table["customer_id"]
    kind = pa.int64() if pa.types.is_integer(ids.type) else pa.large_string()
    types = [kind, pa.int64(), pa.int64(), pa.float64(), *[pa.int64()] * 3]
    columns = dict(zip(RESULT, (table[name].cast(t) for name, t in zip(RESULT, types, strict=True)), strict=True))
    if case.sort:
        return {name: column.combine_chunks() for name, column in columns.items()}
    rank = pc.sort_indices(columns["customer_id"])
    return {name: column.take(rank).combine_chunks() for name, column in columns.items()}


def _first_difference(column: str, ours: dict[str, pa.Array], theirs: dict[str, pa.Array]) -> str:
    sizes = len(ours[column]), len(theirs[column])
    if sizes[0] != sizes[1]:
        return f"{sizes[1]} customers instead of {sizes[0]}"
    different = pc.fill_null(pc.not_equal(ours[column], theirs[column]), True)
    row = pc.index(different, True).as_py()
    return f"{column} is {theirs[column][row]} instead of {ours[column][row]} at row {row} of {sizes[0]}"
