"""A table as text and as HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from custcore.result._layout import (
    CELL,
    cell_text,
    columns_shown,
    cut,
    display_width,
    pad,
    printable,
    rows_shown,
    terminal_width,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore.result._report import Report
    from custcore.result._table import Table

__all__ = ["left_out", "table_html", "table_text"]

_GAP = "  "
# Columns of HTML, which scrolls, and the longest cell of it.
_HTML_COLUMNS = 40
_HTML_CELL = 80


def table_text(table: Table) -> str:
    """The rows and columns that fit the terminal, and what is not shown or was left out."""
    names = table.column_names
    title = f"custcore.Table: {table.num_rows:,} rows x {len(names)} columns"
    if not names:
        return title
    line = terminal_width()
    cell = min(CELL, line)
    spans = rows_shown(table.num_rows)
    cells = {name: [[cut(text, cell) for text in part] for part in _cells(table, name, spans)] for name in names}
    heads = {name: cut(printable(name), cell) for name in names}
    widths = [max(display_width(heads[n]), *(display_width(c) for part in cells[n] for c in part), 1) for n in names]
    numeric = [_is_numeric(kind) for kind in table.schema.values()]

    def fits(places: list[int]) -> bool:
        gap = len(_GAP) + 1 if len(places) < len(names) else 0
        return sum(widths[i] for i in places) + len(_GAP) * (len(places) - 1) + gap <= line

    shown = columns_shown(len(names), fits)
    # The first column after those that are hidden; at the end if only columns of the start are shown.
    after = next((at for at, place in enumerate(shown) if place != at), len(shown))
    is_cut = len(shown) < len(names) and sum(widths[i] for i in shown) + len(_GAP) * len(shown) < line

    def joined(parts: list[str], mark: str) -> str:
        if is_cut:
            parts.insert(after, mark)
        return _GAP.join(parts).rstrip()

    lines = [title, joined([pad(heads[names[i]], widths[i], right=numeric[i]) for i in shown], "…")]
    for number, (start, stop) in enumerate(spans):
        if number:
            lines.append("…")
        for row in range(stop - start):
            texts = [pad(cells[names[i]][number][row], widths[i], right=numeric[i]) for i in shown]
            lines.append(joined(texts, "…"))
    hidden = [printable(names[i]) for i in range(len(names)) if i not in set(shown)]
    if hidden:
        lines += wrapped(f"not shown, {len(hidden)} columns: " + ", ".join(hidden), line, most=3)
    return "\n".join([*lines, *left_out(table.report, line)])


def table_html(table: Table) -> str:
    """The rows and columns that are shown in a notebook, and the report."""
    names, kinds = table.column_names, list(table.schema.values())
    shown = columns_shown(len(names), lambda places: len(places) <= _HTML_COLUMNS)
    gap = next((at for at, place in enumerate(shown) if place != at), None)
    spans = rows_shown(table.num_rows)
    cells = {i: [[cut(text, _HTML_CELL) for text in part] for part in _cells(table, names[i], spans)] for i in shown}
    sides = {i: "right" if _is_numeric(kinds[i]) else "left" for i in shown}

    def row(tag: str, parts: Sequence[str]) -> str:
        cells = list(parts)
        if gap is not None:
            cells.insert(gap, f"<{tag}>&hellip;</{tag}>")
        return "<tr>" + "".join(cells) + "</tr>"

    heads = [
        f'<th style="text-align:{sides[i]}" title="{html.escape(kinds[i])}">{html.escape(printable(names[i]))}</th>'
        for i in shown
    ]
    parts = ['<table class="custcore"><thead>', row("th", heads), "</thead><tbody>"]
    for number, (start, stop) in enumerate(spans):
        if number:
            parts.append(row("td", ["<td>&hellip;</td>"] * len(shown)))
        for at in range(stop - start):
            texts = (f'<td style="text-align:{sides[i]}">{html.escape(cells[i][number][at])}</td>' for i in shown)
            parts.append(row("td", list(texts)))
    parts.append(f"</tbody></table><p>{table.num_rows:,} rows &times; {len(names)} columns</p>")
    hidden = [printable(names[i]) for i in range(len(names)) if i not in set(shown)]
    if hidden:
        listed = html.escape(", ".join(hidden[:_HTML_COLUMNS]) + (", …" if len(hidden) > _HTML_COLUMNS else ""))
        parts.append(f"<p>not shown, {len(hidden)} columns: {listed}</p>")
    report = table.report
    if any(entry.count for entry in report) or report.remarks or report.notes:
        parts.append(f"<pre>{html.escape(printable_lines(repr(report)))}</pre>")
    return "".join(parts)


def left_out(report: Report, width: int) -> list[str]:
    """Counts of what was left out, and how files were read, in lines."""
    counts = [f"{entry.name} {entry.count:,}" for entry in report if entry.count and entry.kind == "left_out"]
    lines = wrapped("left out: " + ", ".join(counts), width) if counts else []
    for note in report.notes:
        lines += wrapped(f"reading: {printable(note)}", width)
    return lines


def printable_lines(text: str) -> str:
    """The text with all control characters but line breaks escaped."""
    return "\n".join(map(printable, text.split("\n")))


def _cells(table: Table, name: str, spans: list[tuple[int, int]]) -> list[list[str]]:
    return [[cell_text(value) for value in table._core.values(name, *span)] for span in spans]


def _is_numeric(kind: str) -> bool:
    return kind.startswith(("int", "uint", "float", "decimal"))
