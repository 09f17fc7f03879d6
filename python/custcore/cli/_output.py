"""Output files: Parquet, CSV or Arrow by the extension, written atomically."""

from __future__ import annotations

import importlib.util
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from custcore._draft import replacing
from custcore.cli._failure import DataProblem

if TYPE_CHECKING:
    import custcore
    from custcore._read import Source

__all__ = ["check_target", "write"]

SUFFIXES = (".parquet", ".pq", ".csv", ".xlsx", ".arrow", ".feather", ".ipc", ".arrows")
# What a sheet of Excel holds.
SHEET_ROWS = (1 << 20) - 1

# Characters at the start of a CSV cell that a spreadsheet interprets as a formula.
FORMULA = r"^[=+\-@\t\r]"
# Signed numbers and telephone numbers are no danger, and ids that have to join to their source.
SIGNED = r"^[+-][0-9 ().+/-]*$"


def check_target(target: Path, files: Source | None = None) -> None:
    """Raise before any work if `target` cannot be written.

    Parameters
    ----------
    target
        The file to be; ``-`` is stdout.
    files
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If its extension is unknown, its folder is missing or not writable, or it is an input.
    """
    if str(target) == "-":
        context = click.get_current_context(silent=True)
        if context and context.params.get("as_json"):
            raise click.UsageError("--json and -o - both write to stdout; leave one out")
        return
    if target.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"{target} has an unknown extension; expected .parquet, .csv, .xlsx, or .arrow (.arrows for a stream)"
        )
    if target.suffix.lower() == ".xlsx" and importlib.util.find_spec("xlsxwriter") is None:
        raise click.UsageError(f"{target}: workbooks are written by xlsxwriter: pip install 'custcore[xlsx]'")
    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{target} is a folder" if target.is_dir() else f"the folder {folder} is not writable")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"{target} is a device, a pipe or a socket; results are written to regular files")
    if files and any(Path(name).resolve() == target.resolve() for name in files.files):
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
    if kind == ".csv" or str(target) == "-":
        rows, guarded = guard(rows)
    if str(target) == "-":
        csv.write_csv(rows, sys.stdout.buffer)
        return guarded
    with replacing(target) as sink:
        if kind == ".csv":
            csv.write_csv(rows, sink)
        elif kind in {".parquet", ".pq"}:
            pq.write_table(rows, sink, compression="zstd")
        elif kind == ".xlsx":
            _write_sheet(rows, sink)
        else:
            start = pa.ipc.new_stream if kind == ".arrows" else pa.ipc.new_file
            with start(sink, rows.schema) as writer:
                writer.write_table(rows)
    return guarded


def _write_sheet(rows: Any, sink: Any) -> None:  # noqa: ANN401 (pyarrow publishes no types)
    """Write a table as a sheet: texts are texts, never formulas or links; days are dates."""
    import pyarrow as pa
    import xlsxwriter

    if rows.num_rows > SHEET_ROWS:
        raise DataProblem(
            f"the result has {rows.num_rows:,} rows, a sheet holds {SHEET_ROWS:,}; write .csv or .parquet"
        )
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True, "in_memory": True}
    book = xlsxwriter.Workbook(sink, {**options, "remove_timezone": True})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    formats = [
        day if pa.types.is_date(field.type) else moment if pa.types.is_timestamp(field.type) else None
        for field in rows.schema
    ]
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(rows.column_names):
        sheet.write_string(0, at, name, bold)
        if formats[at] is not None:
            sheet.set_column(at, at, 19 if formats[at] is moment else 11)
    line = 0
    for batch in rows.to_batches(1 << 14):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            line += 1
            for at, value in enumerate(values):
                _write_cell(sheet, line, at, value, formats[at])
    book.close()


def _write_cell(sheet: Any, line: int, at: int, value: Any, form: Any) -> None:  # noqa: ANN401
    if value is None or value != value:
        return
    if form is not None:
        sheet.write_datetime(line, at, value, form)
    elif isinstance(value, bool):
        sheet.write_boolean(line, at, value)
    elif isinstance(value, int | float | Decimal) and -(10**15) < value < 10**15:  # a sheet holds 15 digits
        sheet.write_number(line, at, value)
    else:
        sheet.write_string(line, at, value.hex() if isinstance(value, bytes) else str(value))


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
            risky = pc.and_not(pc.match_substring_regex(column, FORMULA), pc.match_substring_regex(column, SIGNED))
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
