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
    from collections.abc import Sequence

    from custcore._read.options import Reading

__all__ = ["Dialect", "NoHeaderError", "look", "nul_text", "refuse_pages", "refuse_titles"]

DELIMITERS = ",;\t|"
SAID = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LINES = 200
# A cell that is no name of a column: a number (also 1.234,50 and $5), a date, a time.
VALUE = re.compile(
    r"[-+(]?\s*[$€£¥]?\s*\d[\d.,' ]*\)?%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?"
)
# Excel states the delimiter in a line of its own.
SEP = re.compile(r"sep=(.)\r?\n")


class NoHeaderError(FileFormatError):
    """A file without a header, of which no names are given.

    Attributes
    ----------
    width : int
        Its columns.
    """

    def __init__(self, message: str, width: int = 0) -> None:
        super().__init__(message)
        self.width = width


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
        If it is empty, or its encoding cannot be detected.
    NoHeaderError
        If it has no header and no names are given.
    """
    notes: list[str] = []
    if reading.encoding is not None:
        encoding = known_encoding(reading.encoding)
    else:
        found = detect_encoding(head, is_whole=is_whole)
        if found is None:
            raise FileFormatError(
                f"{name} is not UTF-8, and its encoding cannot be detected; set it, e.g. "
                f"{reading.option('encoding', 'cp1252')}"
            )
        encoding = found
        if encoding != "utf-8":
            notes.append(f"read as {encoding} (detected; set another with {reading.option('encoding', 'NAME')})")
    text = head[: 1 << 18].decode(encoding, errors="replace").removeprefix("\ufeff")
    refuse_pages(name, text)
    if "\0" in text and text.strip("\ufeff \t\r\n\0"):
        raise FileFormatError(nul_text(name, text.count("\n", 0, text.index("\0")) + 1))
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
    refuse_titles(name, rows)
    if _is_data(rows):
        example = ",".join(["customer_id", "timestamp", "amount"] + [f"c{i}" for i in range(4, len(header) + 1)])
        how = f"--names {example}" if reading.words else f"names={example.split(',')!r}"
        raise NoHeaderError(
            f"{name} has no header: its first row is {', '.join(map(repr, header[:6]))}. Name the "
            f"{len(header)} columns, in their order: {how}",
            len(header),
        )
    return Dialect(encoding, delimiter, tuple(header), skip, True, tuple(notes))


def refuse_titles(name: str, rows: Sequence[Sequence[str]]) -> None:
    """Raise if the first rows are lines of a report above the header.

    Parameters
    ----------
    name
        Of the file.
    rows
        The first rows, without empty ones.

    Raises
    ------
    FileFormatError
        If the first row has one cell, and most others have more.
    """
    widths = [len([cell for cell in row if cell.strip()]) for row in rows[:50]]
    usual = max(set(widths), key=widths.count)
    # One name and no other is that of an index and a column; in wider tables a spreadsheet filled up the line.
    is_title = widths[0] == 1 < usual and (len(rows[0]) > 2 or len(rows[0]) < max(len(row) for row in rows))
    if len(rows) > 2 and is_title:
        header = next(i for i, width in enumerate(widths) if width == usual)
        raise FileFormatError(
            f"{name} has lines above its header ({' '.join(rows[0]).strip()[:60]!r}); remove the {header} above "
            f"{', '.join(rows[header][:4])!r}"
        )


def refuse_pages(name: str, text: str) -> None:
    """Raise for a web page in the place of a file: what a server sends to sign in, or an old shop calls Excel.

    Parameters
    ----------
    name
        Of the file.
    text
        Its beginning.

    Raises
    ------
    FileFormatError
        If it is HTML.
    """
    if re.match(r"\s*(<!doctype\s+html|<html|<table|<body)", text[:1000], re.IGNORECASE):
        raise FileFormatError(
            f"{name} is a page of HTML, not a table; if it is an export, open it in a spreadsheet and save it as .xlsx "
            "or .csv, else look at it in a browser"
        )


def nul_text(name: str, line: int) -> str:
    """What is said of a file with NUL bytes.

    Parameters
    ----------
    name
        Of the file.
    line
        The line, counted from 1.
    """
    return f"{name}, line {line:,}: a NUL byte, so the file is damaged or no text; export it again, or remove the line"


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
