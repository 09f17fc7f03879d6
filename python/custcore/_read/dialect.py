"""What a CSV file is: its encoding, its delimiter, whether it has a header."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from custcore._read.encodings import detect_encoding, known_encoding
from custcore.errors import FileFormatError

if TYPE_CHECKING:
    from custcore._read.options import Reading

__all__ = ["Dialect", "look"]

DELIMITERS = ",;\t|"
SAID = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LINES = 200
# A cell that is no name of a column: a number (also 1.234,50 and $5), a date, a time.
VALUE = re.compile(
    r"[-+(]?\s*[$€£¥]?\s*\d[\d.,' ]*\)?%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?"
)
# Excel states the delimiter in a line of its own.
SEP = re.compile(r"sep=(.)\r?\n")


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    names : tuple of str
        Columns by position; they may repeat and may be empty.
    skip : int
        Lines before the header, or before the data.
    has_header : bool
        Whether the next row states the names.
    notes : tuple of str
        What was detected, unless it is what one expects.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    skip: int
    has_header: bool
    notes: tuple[str, ...]


def look(name: str, head: bytes, reading: Reading, *, is_whole: bool, is_tsv: bool) -> Dialect:
    """Detect the dialect of a file.

    Parameters
    ----------
    name
        Of the file, for errors.
    head
        Its first bytes, decompressed; more than one line of it.
    reading
        What the caller says.
    is_whole
        Whether `head` is all of it.
    is_tsv
        Whether its name says that cells are separated by tabs.

    Raises
    ------
    FileFormatError
        If it is empty, its encoding cannot be told, or it has no header and no names are given.
    """
    notes: list[str] = []
    if reading.encoding is not None:
        encoding = known_encoding(reading.encoding)
    else:
        found = detect_encoding(head, is_whole=is_whole)
        if found is None:
            raise FileFormatError(
                f"{name} is not UTF-8, and its encoding cannot be told; say it, e.g. "
                f"{reading.option('encoding', 'cp1252')}"
            )
        encoding = found
        if encoding != "utf-8":
            notes.append(f"read as {encoding} (detected; {reading.option('encoding', 'NAME')} says another)")
    text = head[: 1 << 18].decode(encoding, errors="replace").removeprefix("\ufeff")
    stated = SEP.match(text)
    skip = 1 if stated else 0
    text = text[stated.end() :] if stated else text
    while (blank := re.match(r"[ \t]*\r?\n", text)) and (text := text[blank.end() :]) is not None:
        skip += 1
    if not text.strip("\ufeff \t\r\n\0"):
        raise FileFormatError(f"{name}: the file is empty")
    delimiter = reading.delimiter or (stated and stated.group(1)) or ("\t" if is_tsv else "")
    if not delimiter:
        delimiter = _delimiter(text)
        if delimiter != ",":
            notes.append(f"cells are separated by {SAID[delimiter]} (detected)")
    rows = _rows(text, delimiter)
    header = [cell.strip() for cell in rows[0]]
    if reading.names is not None:
        names = reading.names
        width = max((len(row) for row in rows[:5]), default=0)
        if len(names) != len(rows[0]):
            raise FileFormatError(
                f"{name} has {width} columns, and {len(names)} names are given: {', '.join(map(repr, names))}"
            )
        has_header = [cell.lower() for cell in header] == [cell.lower() for cell in names]
        return Dialect(encoding, delimiter, names, skip, has_header, tuple(notes))
    _refuse_titles(name, rows)
    if _is_data(rows):
        example = ",".join(["customer_id", "timestamp", "amount"] + [f"c{i}" for i in range(4, len(header) + 1)])
        how = f"--names {example}" if reading.words else f"names={example.split(',')!r}"
        raise FileFormatError(
            f"{name} has no header: its first row is {', '.join(map(repr, header[:6]))}. Name the "
            f"{len(header)} columns, in their order: {how}"
        )
    return Dialect(encoding, delimiter, tuple(header), skip, True, tuple(notes))


def _refuse_titles(name: str, rows: list[list[str]]) -> None:
    """Raise if the first rows are lines of a report above the header."""
    widths = [len([cell for cell in row if cell.strip()]) for row in rows[:50]]
    usual = max(set(widths), key=widths.count)
    if len(rows) > 2 and widths[0] == 1 < usual and len(rows[0]) < max(len(row) for row in rows):
        header = next(i for i, width in enumerate(widths) if width == usual)
        raise FileFormatError(
            f"{name} has lines above its header ({' '.join(rows[0]).strip()[:60]!r}); remove the {header} above "
            f"{', '.join(rows[header][:4])!r}"
        )


def _rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == LINES:
                break
    except csv.Error:  # told with its line when the file is read
        pass
    return rows or [[text.splitlines()[0]]]


def _delimiter(text: str) -> str:
    """The delimiter by which the most rows have as many cells as the first, at least two; else the comma."""
    best, worth = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter)
        width = len(rows[0])
        if width > 1:
            same = sum(len(row) == width for row in rows) / len(rows)
            if (round(same, 2), width) > worth:
                best, worth = delimiter, (round(same, 2), width)
    if worth[1] == 0:  # the first line is none of the table
        for delimiter in DELIMITERS:
            widths = [len(row) for row in _rows(text, delimiter)]
            usual = max(set(widths), key=widths.count)
            if usual > 1 and (widths.count(usual) / len(widths), usual) > worth:
                best, worth = delimiter, (widths.count(usual) / len(widths), usual)
    return best


def _is_data(rows: list[list[str]]) -> bool:
    """Whether the first row is data: it has numbers or dates, and in no column it differs from the rows below."""
    first, below = rows[0], rows[1:20]
    values = [bool(VALUE.fullmatch(cell.strip())) for cell in first]
    if not any(values):
        return False
    for i, is_value in enumerate(values):
        cells = [row[i].strip() for row in below if i < len(row) and row[i].strip()]
        if not is_value and first[i].strip() and cells and all(VALUE.fullmatch(cell) for cell in cells):
            return False  # a name above numbers
    # Names that are years above text or numbers: 2009, 2010, 2011 are names if some other column has one.
    return bool(below) or sum(values) * 2 >= len([cell for cell in first if cell.strip()])
