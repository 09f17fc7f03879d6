"""Results as files: Parquet, CSV, Arrow, xlsx, each written whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import math
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from custcore._draft import replacing
from custcore.errors import OutOfRangeError
from custcore.result._layout import display_width
from custcore.result._libraries import needed
from custcore.result._values import python_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from custcore import _core
    from custcore.result._report import Report
    from custcore.result._table import Table

__all__ = ["FORMULA", "guarded", "write_arrow", "write_csv", "write_parquet", "write_xlsx"]

# Characters at the start of a CSV cell that a spreadsheet interprets as a formula.
FORMULA = "=+-@\t\r"
# Signed numbers and telephone numbers are no danger, and ids have to join to their source.
SIGNED = r"^[+-][0-9 ().+/-]*$"

# Bounds of a sheet of Excel, which has 15 digits and no day before 1900.
_ROWS = 1_048_576
_COLUMNS = 16_384
_TEXT = 32_767
_DIGITS = 15
_WHOLE = 1_000_000_000_000_000
_FIRST_DAY = datetime.date(1900, 3, 1)
_AT_ONCE = 4096


def write_parquet(rows: Any, path: str | os.PathLike[str], compression: str = "zstd") -> None:  # noqa: ANN401
    """Write a ``pyarrow.Table`` as Parquet."""
    parquet = needed("pyarrow.parquet", "to_parquet")
    with replacing(path) as sink:
        parquet.write_table(rows, sink, compression=compression)


def write_arrow(rows: Any, path: str | os.PathLike[str], *, stream: bool = False) -> None:  # noqa: ANN401
    """Write a ``pyarrow.Table`` as an Arrow file, or as a stream."""
    ipc = needed("pyarrow.ipc", "to_arrow_ipc")
    with replacing(path) as sink, (ipc.new_stream if stream else ipc.new_file)(sink, rows.schema) as writer:
        writer.write_table(rows)


def write_csv(rows: Any, path: str | os.PathLike[str] | BinaryIO, delimiter: str = ",") -> int:  # noqa: ANN401
    """Write a ``pyarrow.Table`` as CSV, formulas guarded; the number of guarded cells."""
    csv = needed("pyarrow.csv", "to_csv")
    rows, count = guarded(rows)
    if rows.num_columns == 1 and rows.column(0).null_count:
        # A line with nothing in it is no row to most readers; one with "" is.
        rows = rows.set_column(0, rows.column_names[0], rows.column(0).cast("large_string").fill_null(""))
    with replacing(path) if isinstance(path, str | os.PathLike) else contextlib.nullcontext(path) as sink:
        csv.write_csv(rows, sink, csv.WriteOptions(delimiter=delimiter))
    return count


def guarded(rows: Any) -> tuple[Any, int]:  # noqa: ANN401 (pyarrow publishes no types)
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
        if pa.types.is_list(column.type):
            # CSV has no lists.
            texts = [None if values is None else ", ".join(map(_text, values)) for values in column.to_pylist()]
            column = pa.chunked_array([pa.array(texts, pa.string())])
        kind = column.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            # CSV has no bytes; hexadecimal digits cannot be a formula.
            column = pa.chunked_array([[v if v is None else v.hex() for v in column.to_pylist()]], pa.string())
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            column = column.cast(pa.large_string())
            risky = pc.and_not(
                pc.match_substring_regex(column, r"^[=+\-@\t\r]"), pc.match_substring_regex(column, SIGNED)
            )
            count = pc.sum(risky).as_py() or 0
            if count:
                quoted = pc.binary_join_element_wise(
                    pa.scalar("'", pa.large_string()), column, pa.scalar("", pa.large_string())
                )
                column = pc.if_else(risky, quoted, column)
                guarded += count
        columns.append(column)
    names = [f"'{name}" if name[:1] in tuple(FORMULA) else name for name in rows.column_names]
    return pa.table(columns, names=names), guarded


def write_xlsx(sheets: Mapping[str, Table], report: Report, path: str | os.PathLike[str]) -> None:
    """Write tables and a report as the sheets of a workbook.

    Raises
    ------
    OutOfRangeError
        If a table has more rows or columns, or a text is longer, than a sheet can hold.
    """
    xlsxwriter = needed("xlsxwriter", "to_xlsx", "xlsx")
    for table in sheets.values():
        if table.num_rows >= _ROWS or len(table.column_names) > _COLUMNS:
            raise OutOfRangeError(
                f"the table has {table.num_rows:,} rows and {len(table.column_names):,} columns; a sheet of Excel "
                f"holds {_ROWS - 1:,} rows below its header and {_COLUMNS:,} columns. Use to_parquet or to_csv"
            )
    # Rows go to the file as they come, so memory does not grow with them.
    with replacing(path) as sink, xlsxwriter.Workbook(sink, {"constant_memory": True}) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        for name, table in sheets.items():
            _write_sheet(book.add_worksheet(name), table, formats)
        _write_report(book.add_worksheet("report"), report, formats)


def _write_sheet(sheet: Any, table: Table, formats: dict[str, Any]) -> None:  # noqa: ANN401
    names, core = table.column_names, table._core
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(names):
        widest = max(map(display_width, [name, *map(str, core.values(name, 0, 50))]), default=0)
        sheet.set_column(place, place, min(60, widest + 2))
    for place, name in enumerate(names):
        sheet.write_string(0, place, name, formats["head"])
    for number, values in enumerate(_rows(core, names)):
        for place, value in enumerate(values):
            _write_cell(sheet, number + 1, place, value, formats, names[place])


def _write_report(sheet: Any, report: Report, formats: dict[str, Any]) -> None:  # noqa: ANN401
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 6, 12)
    lines: list[tuple[object, ...]] = [
        ("input rows", report.n_rows),
        ("as of", report.as_of),
        (),
        ("name", "kind", "unit", "count", "sum", "first_row", "n_rows"),
    ]
    header = len(lines) - 1
    lines += [(e.name, e.kind, e.unit, e.count, e.sum, e.first_row, e.n_rows) for e in report]
    lines += [(), *((f"remark: {remark}",) for remark in report.remarks)]
    lines += [(f"reading: {note}",) for note in report.notes]
    for number, line in enumerate(lines):
        for place, value in enumerate(line):
            if number == header:
                sheet.write_string(number, place, str(value), formats["head"])
            else:
                _write_cell(sheet, number, place, value, formats, "report")


def _rows(core: _core.Table, names: list[str]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, core.num_rows, _AT_ONCE):
        stop = min(start + _AT_ONCE, core.num_rows)
        yield from zip(*(python_values(core, name, start, stop) for name in names), strict=True)


def _write_cell(
    sheet: Any,  # noqa: ANN401
    row: int,
    place: int,
    value: Any,  # noqa: ANN401
    formats: dict[str, Any],
    name: str,
) -> None:
    """Write a value as Excel has it; what it cannot hold exactly, such as an id of 18 digits, as text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif _is_number(value):
        sheet.write_number(row, place, value)
    elif isinstance(value, datetime.datetime) and value.tzinfo is None and value.date() >= _FIRST_DAY:
        sheet.write_datetime(row, place, value, formats["time"])
    elif isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) and value >= _FIRST_DAY:
        sheet.write_datetime(row, place, value, formats["day"])
    else:
        text = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
        if len(text) > _TEXT:
            raise OutOfRangeError(
                f"column {name!r} has {len(text):,} characters in row {row - 1}; a cell of Excel holds {_TEXT:,}. "
                "Use to_parquet or to_csv",
                column=name,
                row=row - 1,
            )
        sheet.write_string(row, place, text)


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < _WHOLE
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    digits: tuple[int, ...] = value.normalize().as_tuple().digits
    return len(digits) <= _DIGITS
