"""Tables that fit the terminal: columns are left out before a name is cut, and named below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from custcore.cli._failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["Column", "Grid"]

# Between two columns.
GAP = 2


class Column(NamedTuple):
    """A column of a grid.

    Attributes
    ----------
    title : str
        Its header.
    is_left : bool
        Whether it is left-aligned, as text is; numbers are right-aligned.
    wraps_to : int
        The width to which it may be narrowed, with several lines in a cell; 0: it is as wide as its cells.
    rank : int
        When the width is short, columns of the highest rank are left out first. Those of rank 0 stay.
    said : str
        What it is called when it is left out, if its header does not tell.
    """

    title: str
    is_left: bool = False
    wraps_to: int = 0
    rank: int = 0
    said: str = ""


class Grid:
    """A table for ``Console.print`` that is laid out when the width is known.

    Parameters
    ----------
    columns
        Of which the first is never left out.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._rows: list[tuple[list[Text], str | None]] = []
        self._sections: set[int] = set()

    def add_row(self, *cells: str | Text, style: str | None = None) -> None:
        """Add a row; missing cells at its end are empty.

        Parameters
        ----------
        cells
            Text, which is made printable, or styled text, which is taken as it is.
        style
            Of the row.
        """
        from rich.text import Text

        texts = [cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells]
        self._rows.append((texts + [Text() for _ in self._columns[len(texts) :]], style))

    def add_section(self) -> None:
        """Draw a line below the last row."""
        self._sections.add(len(self._rows))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Lay it out."""
        from rich.text import Text

        widths = self._fitted(options.max_width)
        left_out = [column.said or column.title for i, column in enumerate(self._columns) if i not in widths]
        yield self._table(widths)
        yield Text()
        if left_out:
            yield Text(f"Not shown at this width: {', '.join(map(printable, left_out))}.", style="dim")

    def _fitted(self, width: int) -> dict[int, int]:
        """The widths of the columns that are shown."""
        widths = {i: self._natural(i) for i in range(len(self._columns))}
        while True:
            wanted = sum(widths.values()) + GAP * (len(widths) - 1)
            for i in sorted(widths, key=lambda i: -widths[i]):
                least = min(self._columns[i].wraps_to or widths[i], widths[i])
                narrowed = max(least, widths[i] - max(0, wanted - width))
                wanted -= widths[i] - narrowed
                widths[i] = narrowed
            last = max((self._columns[i].rank for i in widths if i), default=0)
            if wanted <= width or last <= 0:
                break
            widths = {i: self._natural(i) for i in widths if i == 0 or self._columns[i].rank < last}
        if wanted > width:  # nothing is left to leave out: the first column takes several lines
            widths[0] = max(1, widths[0] - (wanted - width))
        return widths

    def _natural(self, i: int) -> int:
        from rich.cells import cell_len

        return max(cell_len(printable(self._columns[i].title)), *(row[i].cell_len for row, _ in self._rows), 1)

    def _table(self, widths: dict[int, int]) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold"
        )
        for i, width in widths.items():
            column = self._columns[i]
            justify: Any = "left" if column.is_left or i == 0 else "right"
            table.add_column(Text(printable(column.title)), justify=justify, width=width, overflow="fold")
        for number, (cells, style) in enumerate(self._rows, 1):
            shown = [cells[i] for i in widths]
            table.add_row(*shown, style=style, end_section=number in self._sections)
        return table
