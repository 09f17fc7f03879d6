"""A sheet of a workbook as a table: dates are dates, whole numbers are integers, other cells are text."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from custcore._read.dialect import NoHeaderError, refuse_titles
from custcore.errors import FileFormatError, InvalidArgumentError

if TYPE_CHECKING:
    from custcore._read.options import Reading
    from custcore._read.place import Place

__all__ = ["table_of"]


def table_of(place: Place, reading: Reading) -> Sheet:
    """Read a sheet; its first row that is not empty states the names.

    Parameters
    ----------
    place
        The workbook.
    reading
        What the caller says: the sheet, and the names if the sheet has none.

    Raises
    ------
    FileFormatError
        If it is no workbook, or the sheet is empty.
    InvalidArgumentError
        If there is no such sheet.
    """
    import pyarrow as pa
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with place.open() as raw:
            book = CalamineWorkbook.from_filelike(raw)
            name, notes = _chosen(book.sheet_names, reading, place)
            sheet = book.get_sheet_by_name(name)
            rows = sheet.to_python(skip_empty_area=True)
    except (CalamineError, OSError) as error:
        raise FileFormatError(f"{place.name} cannot be read as a workbook: {error}") from None
    merged = _merged_down(sheet, rows)
    rows = [row for row in rows if any(cell != "" for cell in row)]
    if not rows:
        raise FileFormatError(f"{place.name}: the sheet {name!r} is empty")
    if reading.names is not None:
        if len(reading.names) != len(rows[0]):
            raise FileFormatError(f"{place.name} has {len(rows[0])} columns, and {len(reading.names)} names are given")
        names = list(reading.names)
        body = rows[1:] if [str(cell).lower() for cell in rows[0]] == [one.lower() for one in names] else rows
    else:
        refuse_titles(f"{place.name}, sheet {name!r}", [[str(cell) for cell in row] for row in rows[:50]])
        names, body = [str(cell).strip() for cell in rows[0]], rows[1:]
        if not any(isinstance(cell, str) and cell != "" for cell in rows[0]):
            raise NoHeaderError(
                f"{place.name} has no header: the first row of sheet {name!r} is {', '.join(map(str, rows[0][:6]))}; "
                f"name the {len(names)} columns with {reading.option('names', 'A,B,...')}",
                len(names),
            )
    columns = [_column([row[i] if i < len(row) else "" for row in body]) for i in range(len(names))]
    return Sheet(pa.Table.from_arrays(columns, names=names), notes, {names[i]: at for i, at in merged.items()})


class Sheet(NamedTuple):
    """A sheet as a table.

    Attributes
    ----------
    table : pyarrow.Table
        Its rows.
    notes : tuple of str
        What is to be said.
    merged : dict
        Columns in which cells of several rows are merged, and the first range of each.
    """

    table: Any
    notes: tuple[str, ...]
    merged: dict[str, str]


def _merged_down(sheet: Any, rows: list[list[Any]]) -> dict[int, str]:  # noqa: ANN401
    """The columns in which cells of several rows below the first are merged, and the first range of each."""
    found: dict[int, str] = {}
    if not rows or sheet.start is None:
        return found
    top, left = sheet.start
    for (first, column), (last, _) in sorted(sheet.merged_cell_ranges or []):
        if last > first > top and 0 <= column - left < len(rows[0]):
            found.setdefault(column - left, f"rows {first + 1} to {last + 1}")
    return found


def _chosen(names: list[str], reading: Reading, place: Place) -> tuple[str, tuple[str, ...]]:
    """The sheet to read, and what is said about the others."""
    if not names:
        raise FileFormatError(f"{place.name} has no sheets")
    sheet = reading.sheet
    if sheet is None:
        others = ", ".join(names[1:6])
        return names[0], (f"sheet {names[0]!r} is read; there are also {others}",) if others else ()
    if isinstance(sheet, int) or (sheet.isdecimal() and sheet not in names):
        if not 1 <= int(sheet) <= len(names):
            raise InvalidArgumentError(f"sheet={sheet}: {place.name} has {len(names)} sheets, counted from 1")
        return names[int(sheet) - 1], ()
    if sheet not in names:
        raise InvalidArgumentError(f"sheet={sheet!r}: {place.name} has the sheets {', '.join(map(repr, names))}")
    return sheet, ()


def _column(cells: list[Any]) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """The type that all cells have; cells of several types are text, as the sheet would show them."""
    import pyarrow as pa

    values = [None if cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {float, int} and all(value is None or _is_whole(value) for value in values):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    if kinds <= {float, int}:
        return pa.array(values, pa.float64())
    if kinds == {datetime.date}:
        return pa.array(values, pa.date32())
    if kinds <= {datetime.date, datetime.datetime}:
        times = [_moment(value) for value in values]
        return pa.array(times, pa.timestamp("us"))
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _is_whole(value: float) -> bool:
    """Whether a cell is a whole number that a float holds exactly."""
    return abs(value) <= 1 << 53 and float(value).is_integer()


def _moment(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return value


def _text(value: Any) -> str:  # noqa: ANN401
    """A cell as text: 12346.0 is 12346, a time is ISO."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
