"""Pages of text about fits and evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore.result._layout import cell_text, cut, display_width, pad

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LIMITS", "grid", "number", "sentence_of_limit"]

# What the limits of a fit mean.
LIMITS = {
    "no_dropout": "nobody drops out (the NBD)",
    "equal_dropout": "all customers drop out with the same probability or rate",
    "equal_rate": "all customers buy at the same rate",
    "point_dropout": "a customer drops out at once or never",
    "constant_spend": "all purchase days of a customer bring the same",
}
_GAP = "  "


def number(value: float | None, digits: int = 4) -> str:
    """A number with some significant digits, commas between thousands.

    >>> (
    ...     number(0.2425934),
    ...     number(4.4135934),
    ...     number(-9582.4292),
    ...     number(None),
    ...     number(1e-17),
    ... )
    ('0.2426', '4.414', '-9,582', '', '1e-17')
    """
    if value is None:
        return ""
    if value and not 1e-4 <= abs(value) < 1e15:
        return f"{value:.{digits}g}"
    whole = len(f"{abs(value):.0f}") if abs(value) >= 1 else 0
    zeros = 0
    small = abs(value)
    while 0 < small < 0.1:
        small *= 10
        zeros += 1
    return f"{value:,.{max(0, digits - whole + zeros)}f}"


def grid(rows: Iterable[Sequence[object]], width: int, texts: int = 1) -> list[str]:
    """Lines of a grid whose first columns are text; as many columns as fit.

    >>> grid([["", "estimate"], ["r", "0.24"]], 80)
    ['   estimate', 'r      0.24']
    """
    cells = [[cell if isinstance(cell, str) else cell_text(cell) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(display_width(row[at]) for row in cells) for at in range(len(cells[0]))]
    while len(widths) > 2 and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        widths.pop()
    lines = []
    for row in cells:
        parts = (pad(cell, size, right=at >= texts) for at, (cell, size) in enumerate(zip(row, widths, strict=False)))
        lines.append(cut(_GAP.join(parts).rstrip(), width))
    return lines


def sentence_of_limit(limit: str | None) -> str:
    """What a fit on the boundary means."""
    found = LIMITS.get(limit or "", f"a limit of the model ({limit})")
    return f"the likelihood rises towards a limit of the model: {found}. Predictions are those of the limit"
