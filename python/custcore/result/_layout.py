"""Text that fits a terminal: the width of characters, cut cells, the rows and columns shown of a table."""

from __future__ import annotations

import shutil
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CELL",
    "cell_text",
    "columns_shown",
    "cut",
    "display_width",
    "pad",
    "printable",
    "rows_shown",
    "terminal_width",
    "wrapped",
]

# Cells longer than this are cut; the names of segments and clusters fit.
CELL = 34
# Tables of up to so many rows are shown whole, of longer ones the first and last.
_WHOLE = 25
_ENDS = 5


def terminal_width() -> int:
    """The columns of the terminal: ``COLUMNS`` if it is set, else those of stdout if it is a terminal, else 80."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def display_width(text: str) -> int:
    r"""Cells of a terminal: East Asian wide characters take two, combining marks none.

    >>> display_width("abc"), display_width("重要价值客户"), display_width("e\u0301")
    (3, 12, 1)
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits before an ellipsis.

    >>> cut("champions", 9), cut("champions", 6), cut("重要价值客户", 6)
    ('champions', 'champ…', '重要…')
    """
    if display_width(text) <= width:
        return text
    used, end = 0, 0
    for end, char in enumerate(text):  # noqa: B007 (the place of the cut)
        used += _width(char)
        if used > width - 1:
            break
    return text[:end] + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to a width; before it if it is right-aligned."""
    blanks = " " * (width - display_width(text))
    return blanks + text if right else text + blanks


def printable(text: str) -> str:
    r"""The text with control characters, line breaks and marks of direction escaped.

    >>> printable("a\tb\n")
    'a\\tb\\n'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def cell_text(value: object) -> str:
    """One value: floats with up to six decimals, null for None, lists with commas."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return ", ".join(map(cell_text, value))
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0")
        text = text + "0" if text.endswith(".") else text
        return text if float(text) == value or abs(value) >= 1e-3 else repr(value)
    return printable(repr(value) if isinstance(value, bytes) else str(value))


def rows_shown(n: int) -> list[tuple[int, int]]:
    """The rows to show, as one or two ranges.

    >>> rows_shown(25), rows_shown(26)
    ([(0, 25)], [(0, 5), (21, 26)])
    """
    return [(0, n)] if n <= _WHOLE else [(0, _ENDS), (n - _ENDS, n)]


def columns_shown(n: int, fits: Callable[[list[int]], bool]) -> list[int]:
    """The positions of the columns to show: from both ends as many as fit, at least one.

    >>> columns_shown(6, lambda columns: len(columns) <= 3)
    [0, 1, 5]
    """
    everything = list(range(n))
    if fits(everything):
        return everything
    ends = [n - 1 - i // 2 if i % 2 else i // 2 for i in range(n)]
    shown = ends[:1]
    # A wide column that does not fit hides no narrow one behind it on the other side.
    open_ends = {0, 1}
    for i, place in enumerate(ends[1:], 1):
        if i % 2 in open_ends:
            if fits(sorted([*shown, place])):
                shown.append(place)
            else:
                open_ends.discard(i % 2)
    return sorted(shown)


def wrapped(text: str, width: int, most: int | None = None) -> list[str]:
    """The words of a text in lines of a width; if there are more than ``most``, the last one ends with an ellipsis.

    >>> wrapped("left out: null_customer_id 1, after_as_of 2", 30)
    ['left out: null_customer_id 1,', '  after_as_of 2']
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and display_width(longer) > width:
            longer = f"  {word}"
            lines.append("")
        lines[-1:] = [cut(longer, width)]
    if most is not None and len(lines) > most:
        last = lines[most - 1]
        last = last if display_width(last) <= width - 2 else cut(last, width - 2)[:-1]
        lines = [*lines[: most - 1], last.rstrip(" ,") + " …"]
    return lines
