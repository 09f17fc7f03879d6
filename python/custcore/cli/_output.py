"""Files out: Parquet, CSV or Arrow by the name, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import custcore

__all__ = ["check_target", "write"]

SUFFIXES = (".parquet", ".pq", ".csv", ".arrow", ".feather", ".ipc", ".arrows")

# What a spreadsheet would take for a formula when it opens a CSV file.
FORMULA = r"^[=+\-@\t\r]"


def check_target(target: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise before any work is done, if nothing can be written to `target`.

    Parameters
    ----------
    target
        The file to be.
    inputs
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If its name does not say the format, its folder is not there or not writable, or it is an input.
    """
    if target.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"the name of {target} does not say what to write: .parquet, .csv, or .arrow (.arrows for a stream)"
        )
    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {target.parent} to write {target.name} into")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{target} is a folder" if target.is_dir() else f"nothing can be written to {folder}")
    if any(path.resolve() == target.resolve() for path in inputs):
        raise click.UsageError(f"{target} is one of the files to read; choose another name for the result")


def write(table: custcore.Table, target: Path) -> int:
    """Write a table to `target`, whose name says how; an old file stands until the new one is whole.

    In CSV a text that a spreadsheet would take for a formula gets a ``'`` in front.

    Parameters
    ----------
    table
        What a call of custcore returned.
    target
        Passed `check_target` before.

    Returns
    -------
    int
        How many cells of CSV got a ``'`` in front.
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
    """Make a table for CSV: text that begins like a formula gets a ``'`` in front, in cells and in names.

    Parameters
    ----------
    rows : pyarrow.Table
        What is to be written.

    Returns
    -------
    tuple
        The table, and in how many cells that was done.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns, guarded = [], 0
    for column in rows.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            # CSV has no bytes; hexadecimal digits begin no formula.
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


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Any]:
    """Open a file that takes the place of `target` when all went well, and vanishes when it did not."""
    target = target.resolve()  # a link stays a link
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    # As `open` would create it: the permissions are those that the user's mask leaves.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o7777)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
