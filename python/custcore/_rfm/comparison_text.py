"""A comparison of two score tables as text that fits a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore.result._layout import cut, display_width, pad, printable, terminal_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from custcore._rfm.comparison import ScoreComparison

__all__ = ["comparison_text"]

_GAP = "  "
# Segments and moves that are shown; tables have all of them.
_SEGMENTS = 25
_MOVES = 5
# The longest name of a segment in the table of moves.
_NAME = 28


def comparison_text(compared: ScoreComparison) -> str:
    """The counts, the segments before and after, and the largest moves between segments."""
    width = terminal_width()
    before, after = compared.days
    title = "custcore.ScoreComparison"
    lines = wrapped(f"{title}: {before or 'before'} to {after or 'after'}" if before or after else title, width)
    lines += wrapped(
        f"{compared.n_before:,} customers before, {compared.n_after:,} after: {compared.n_new:,} new, "
        f"{compared.n_gone:,} gone",
        width,
    )
    both = compared.n_before - compared.n_gone
    share = f" ({compared.n_moved / both:.1%})" if both else ""
    lines += wrapped(f"{compared.n_moved:,} of {both:,} who are in both{share} changed their segment", width)
    lines += _segments(compared, width)
    lines += _moves(compared, width)
    for remark in compared.moves.report.remarks:
        lines += wrapped(remark, width)
    return "\n".join(lines)


def _segments(compared: ScoreComparison, width: int) -> Iterator[str]:
    rows = compared.segments.to_pylist()
    if not rows:
        return
    heads = ["segment", "before", "after", "change"]
    columns = ["segment", "customers_before", "customers_after", "customers_change"]
    if "monetary_after" in compared.segments:
        heads += ["money before", "money after"]
        columns += ["monetary_before", "monetary_after"]
    shown = rows[:_SEGMENTS]
    cells = [[_cell(name, row[name]) for name in columns] for row in shown]
    cells += [["all customers", *(_cell(name, _sum(rows, name)) for name in columns[1:])]]
    yield from _grid(heads, cells, width)
    if len(rows) > len(shown):
        yield f"… {len(rows) - len(shown):,} more segments"


def _moves(compared: ScoreComparison, width: int) -> Iterator[str]:
    moved = [
        row
        for row in compared.moves
        if None not in {row["from_segment"], row["to_segment"]} and row["from_segment"] != row["to_segment"]
    ]
    if not moved:
        return
    moved.sort(key=lambda row: -row["customers"])
    heads = ["largest moves from", "to", "customers", "share"]
    cells = [
        [
            printable(row["from_segment"]),
            printable(row["to_segment"]),
            f"{row['customers']:,}",
            f"{row['share']:.1%}",
        ]
        for row in moved[:_MOVES]
    ]
    yield from _grid(heads, cells, width, texts=2)
    if len(moved) > _MOVES:
        yield f"… {len(moved) - _MOVES:,} more moves"


def _grid(heads: list[str], cells: list[list[str]], width: int, texts: int = 1) -> Iterator[str]:
    """Lines of a grid whose first columns are text; as many columns as fit."""
    rows = [[cut(cell, _NAME) for cell in row] for row in (heads, *cells)]
    widths = [max(display_width(row[at]) for row in rows) for at in range(len(heads))]
    while len(widths) > 2 and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        widths.pop()
    for row in rows:
        parts = (pad(cell, size, right=at >= texts) for at, (cell, size) in enumerate(zip(row, widths, strict=False)))
        yield cut(_GAP.join(parts).rstrip(), width)


def _cell(name: str, value: Any) -> str:  # noqa: ANN401
    if name == "segment":
        return printable(str(value))
    if name == "customers_change":
        return f"{value:+,}" if value else "0"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _sum(rows: list[dict[str, Any]], name: str) -> Any:  # noqa: ANN401
    return sum(row[name] for row in rows)
