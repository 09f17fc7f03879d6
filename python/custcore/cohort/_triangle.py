"""The cohort triangle for display: a part of the wide table, as lines of cells, in text and HTML."""

from __future__ import annotations

import dataclasses
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from custcore.result._layout import CELL, cell_text, cut, display_width, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import CohortRetention
    from custcore.cohort._stored import StoredCohorts

__all__ = ["Cell", "Line", "Triangle", "triangle"]

LEGEND = "* not over yet; < cut off at its start; - no customers; blank: not observed"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its rate (None if not observed or without customers), and what was observed."""

    rate: float | None = None
    is_observed: bool = False
    is_complete: bool = False

    @property
    def text(self) -> str:
        """The rate in per cent, with a star if the window is not over."""
        if not self.is_observed:
            return ""
        return (percent(self.rate) if self.rate is not None else "-") + ("" if self.is_complete else "*")


@dataclass(frozen=True, slots=True)
class Line:
    """One cohort: its label, its size (None for averages) and its cells."""

    label: str
    size: int | None
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Triangle:
    """The part of the matrix that is shown; None among the lines marks omitted cohorts."""

    columns: list[str]
    lines: list[Line | None]
    more_columns: int = 0

    def text(self) -> str:
        """The triangle in plain text."""
        head = ["cohort", "size", *self.columns]
        shown = [
            ["...", *[""] * (len(head) - 1)]
            if line is None
            else [line.label, "" if line.size is None else f"{line.size:,}", *(cell.text for cell in line.cells)]
            for line in self.lines
        ]
        widths = [max(display_width(row[i]) for row in [head, *shown]) for i in range(len(head))]
        rows = [
            "  ".join(pad(text, w, right=i > 0) for i, (text, w) in enumerate(zip(row, widths, strict=True)))
            for row in [head, *shown]
        ]
        return "\n".join([*(row.rstrip() for row in rows), *self._more("...")])

    def within(self, width: int) -> Triangle:
        """The triangle with as many of its columns as fit lines of a width, at least one.

        Parameters
        ----------
        width : int
            Cells of a terminal; East Asian characters take two.
        """
        shown = self
        while len(shown.columns) > 1 and max(map(display_width, shown.text().split("\n"))) > width:
            shown = dataclasses.replace(
                shown,
                columns=shown.columns[:-1],
                lines=[line and dataclasses.replace(line, cells=line.cells[:-1]) for line in shown.lines],
                more_columns=shown.more_columns + 1,
            )
        return shown

    def html(self) -> str:
        """The triangle as an HTML table: darker for higher rates; hatched if the window is not over."""
        head = "".join(f'<th style="text-align:right">{html.escape(name)}</th>' for name in ("size", *self.columns))
        body = "".join(self._html_row(line) for line in self.lines)
        more = "".join(f"<p>{text}</p>" for text in self._more("&hellip;"))
        return (
            f'<table class="custcore"><thead><tr><th style="text-align:left">cohort</th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{more}"
        )

    def _more(self, dots: str) -> list[str]:
        noun = "column" if self.more_columns == 1 else "columns"
        return [f"{dots} {self.more_columns:,} more {noun}"] if self.more_columns else []

    def _html_row(self, line: Line | None) -> str:
        if line is None:
            return f'<tr><td colspan="{len(self.columns) + 2}">&hellip;</td></tr>'
        size = "" if line.size is None else f"{line.size:,}"
        cells = "".join(
            f'<td style="text-align:right{_shade(cell)}">{html.escape(cell.text)}</td>' for cell in line.cells
        )
        return f'<tr><td>{html.escape(line.label)}</td><td style="text-align:right">{size}</td>{cells}</tr>'


def percent(rate: float) -> str:
    """The share in per cent, with three digits.

    >>> percent(0.3661), percent(1.0), percent(0.0)
    ('36.6%', '100%', '0.0%')
    """
    return "100%" if rate == 1 else f"{100 * rate:.1f}%"


def triangle(core: CohortRetention | StoredCohorts, *, rows: int, columns: int) -> Triangle:
    """The first and last cohorts, the first columns, and the pooled average.

    Parameters
    ----------
    core
        The result.
    rows, columns : int
        How many cohorts and cells are shown at most.
    """
    n = core.n_cohorts
    spans = [(0, n)] if n <= rows else [(0, rows - rows // 3), (n - rows // 3, n)]
    cut: object = None
    lines: list[Line | None] = []
    names: list[str] = []
    first = 0
    for number, span in enumerate(spans):
        rates, observed, complete = (
            core.matrix(value, (*span, columns)) for value in ("rate", "is_observed", "is_complete")
        )
        names = rates.column_names
        first = names.index("cohort_size") + 1
        if number:
            lines.append(None)
        elif core.starts_truncated and rates.num_rows:
            cut = rates.values("cohort", 0, 1)[0]
        shown_rows = (0, rates.num_rows)
        heads = [rates.values(name, *shown_rows) for name in names[: first - 1]]
        sizes: list[Any] = rates.values("cohort_size", *shown_rows)
        cells = [[table.values(name, *shown_rows) for name in names[first:]] for table in (rates, observed, complete)]
        for i, size in enumerate(sizes):
            *group, cohort = (column[i] for column in heads)
            label = " ".join(_plain(part) for part in [*group, cohort]) + (
                " <" if cut is not None and cohort == cut else ""
            )
            lines.append(
                Line(label, size, [_cell(*parts) for parts in zip(*([c[i] for c in t] for t in cells), strict=True)])
            )
    shown = names[first:]
    if len(names) == first and not shown:
        return Triangle([], lines)
    if first == 2 and n > 1:
        lines.append(_average(core, len(shown)))
    return Triangle(shown, lines, core.n_columns - len(shown))


def _average(core: CohortRetention | StoredCohorts, columns: int) -> Line:
    rates: Sequence[Any] = core.average("pooled", columns).values("rate", 0, columns)
    return Line("average", None, [Cell(rate, rate is not None, True) for rate in rates])


def _cell(rate: Any, is_observed: Any, is_complete: Any) -> Cell:  # noqa: ANN401
    return Cell(rate, bool(is_observed), bool(is_complete))


def _plain(value: object) -> str:
    return cut(cell_text(value), CELL)


def _shade(cell: Cell) -> str:
    if not cell.is_observed or cell.rate is None:
        return ""
    hatch = ""
    if not cell.is_complete:
        hatch = ";background-image:repeating-linear-gradient(45deg,transparent 0 4px,rgba(128,128,128,.35) 4px 6px)"
    return f";background-color:rgba(31,119,180,{0.05 + 0.6 * cell.rate:.3f}){hatch}"
