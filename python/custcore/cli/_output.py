"""Output files: Parquet, CSV or Arrow by the extension, written atomically."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from custcore._draft import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import custcore

__all__ = ["check_target", "write"]

SUFFIXES = (".parquet", ".pq", ".csv", ".arrow", ".feather", ".ipc", ".arrows")

# Characters at the start of a CSV cell that a spreadsheet interprets as a formula.
FORMULA = r"^[=+\-@\t\r]"


def check_target(target: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise before any work if `target` cannot be written.

    Parameters
    ----------
    target
        The file to be.
    inputs
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If its extension is unknown, its folder is missing or not writable, or it is an input.
    """
    if target.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"{target} has an unknown extension; expected .parquet, .csv, or .arrow (.arrows for a stream)"
        )
    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{target} is a folder" if target.is_dir() else f"the folder {folder} is not writable")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"{target} is a device, a pipe or a socket; results are written to regular files")
    if any(path.resolve() == target.resolve() for path in inputs):
        raise click.UsageError(f"{target} is an input file; choose another name for the result")


def write(table: custcore.Table, target: Path) -> int:
    """Write a table to `target` in the format of its extension; an old file is replaced at the end.

    In CSV, text that a spreadsheet would interpret as a formula is prefixed with ``'``.

    Parameters
    ----------
    table
        What a call of custcore returned.
    target
        Passed `check_target` before.

    Returns
    -------
    int
        Number of CSV cells that were prefixed with ``'``.
    """
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    rows, guarded = table.to_pyarrow(), 0
    kind = target.suffix.lower()
    if kind == ".csv":
        rows, guarded = guard(rows)
    with replacing(target) as sink:
        if kind == ".csv":
            csv.write_csv(rows, sink)
        elif kind in {".parquet", ".pq"}:
            pq.write_table(rows, sink, compression="zstd")
        else:
            start = pa.ipc.new_stream if kind == ".arrows" else pa.ipc.new_file
            with start(sink, rows.schema) as writer:
                writer.write_table(rows)
    return guarded


def guard(rows: Any) -> tuple[Any, int]:  # noqa: ANN401 (pyarrow publishes no types)
    """Convert a table for CSV: text that begins like a formula is prefixed with ``'``, in cells and in names.

    Parameters
    ----------
    rows : pyarrow.Table
        What is to be written.

    Returns
    -------
    tuple
        The table, and the number of such cells.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns, guarded = [], 0
    for column in rows.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            # CSV has no bytes; hexadecimal digits cannot be a formula.
            column = pa.chunked_array([[v if v is None else v.hex() for v in column.to_pylist()]], pa.string())
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            column = column.cast(pa.large_string())
            risky = pc.match_substring_regex(column, FORMULA)
            count = pc.sum(risky).as_py() or 0
            if count:
                quoted = pc.binary_join_element_wise(
                    pa.scalar("'", pa.large_string()), column, pa.scalar("", pa.large_string())
                )
                column = pc.if_else(risky, quoted, column)
                guarded += count
        columns.append(column)
    names = [f"'{name}" if name[:1] in tuple("=+-@\t\r") else name for name in rows.column_names]
    return pa.table(columns, names=names), guarded
