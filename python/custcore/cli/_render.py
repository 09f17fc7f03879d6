"""Renders results for the terminal: tables of segments, excluded rows, times. It computes nothing."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore.cli._failure import printable
from custcore.cli._grid import Column, Grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from custcore import Report, ReportEntry

__all__ = [
    "Column",
    "Grid",
    "amount_text",
    "console",
    "entries",
    "plain",
    "report_grid",
    "say",
    "segment_grid",
    "table",
]

# Descriptions of report entries, after their count and unit ("12 rows").
SAID = {
    "null_customer_id": "without a customer id",
    "null_timestamp": "without a time",
    "nonfinite_amount": "with an infinite amount",
    "after_as_of": "after the day",
    "excluded_refunds": "refunded",
    "refund_only_customers": "with refunds only",
    "null_amount": "without an amount, counted as 0",
    "rounded_amount": "whose amount rounding changed by more than 1 %",
    "netted_refunds": "refunded, subtracted from the money",
    "null_order_id": "without an order id, each an order by itself",
    "zero_orders": "of amount 0",
    "outside_cohorts": "in no cohort",
    "before_observation_start": "before observation began",
    "before_first_purchase": "before the first purchase of their customer",
    "beyond_n_periods": "beyond the last column",
    "negative_totals": "with more refunds than purchases, of value 0",
    "buyers_without_money": "whose purchases sum to 0",
    "before_first_period": "refunded before the first period",
    "null_segment": "without a segment",
    "null_attribute_id": "of attributes without a customer id",
    "not_in_segments": "of attributes who are in no segment",
    "not_in_attributes": "of segments who are not in a file of attributes",
    "without_mean_spend": "who bought once, or for nothing",
    "without_expected_spend": "whose spend is unknown",
    "first_bought_in_holdout": "who came first after the end of calibration",
    "other_answers": "of customers of whom another answer counts",
    "after_observation_end": "after the end of observation",
    "null_event": "without the name of an event",
    "other_events": "of events that are no step",
    "null_group": "without a group",
    "null_item": "without an item",
    "returned_items": "whose items were returned",
    "refunds": "that sum to less than 0",
    "large_baskets": "of more items than the limit",
    "small_baskets": "of fewer items than the minimum",
    "no_segment": "of customers without a segment",
    "removed": "of customers who were removed",
}


def console(target: Path | None = None) -> Console:
    """Open stdout, or stderr if stdout gets the result. Without a terminal, lines are not wrapped, without colours.

    Parameters
    ----------
    target
        Where the result is written; ``-`` is stdout.
    """
    from rich.console import Console

    to_stderr = str(target) == "-"
    screen = Console(highlight=False, markup=False, emoji=False, stderr=to_stderr)
    if not screen.is_terminal:
        screen = Console(highlight=False, markup=False, emoji=False, stderr=to_stderr, width=max(screen.width, 160))
    return screen


def say(out: Console, text: str) -> None:
    """Print a sentence: wrapped at words on a terminal, otherwise on one line.

    Parameters
    ----------
    out
        What `console` opened.
    text
        One paragraph.
    """
    out.print(printable(text), soft_wrap=not out.is_terminal)


def table(*columns: str | Column, left: int = 1) -> Grid:
    """Create an empty table that leaves out columns from the right where it would be wider than the terminal.

    Parameters
    ----------
    columns
        Headers, or columns that say more of themselves.
    left
        How many of them, from the first, are left-aligned.
    """
    return Grid(
        [
            column if isinstance(column, Column) else Column(column, is_left=i < left, rank=i)
            for i, column in enumerate(columns)
        ]
    )


def segment_grid(segments: list[dict[str, Any]], everyone: dict[str, Any], frequency: str) -> Grid:
    """Render the segments, largest revenue first, and a line for all customers.

    Parameters
    ----------
    segments, everyone
        Rows of `custcore.profile`: those of the segments, and that of all customers.
    frequency
        What the frequency counts, e.g. "orders".
    """
    has_money = everyone.get("revenue") is not None
    columns = [Column("segment"), Column("customers"), Column("share", rank=6, said="share of customers")]
    if has_money:
        columns += [Column("revenue", rank=1), Column("share", rank=4, said="share of revenue")]
    columns += [Column("recency", rank=2), Column(frequency, rank=3)]
    if has_money:
        columns.append(Column("money", rank=5, said="money (mean per customer)"))
    grid = Grid(columns)

    def key(row: dict[str, Any]) -> Any:  # noqa: ANN401 (numbers of any kind)
        return row["revenue"] if has_money else row["customers"]

    def add(row: dict[str, Any], name: str, style: str | None = None) -> None:
        cells = [name, f"{row['customers']:,}", _percent(row["share"])]
        if has_money:
            cells += [amount_text(row["revenue"]), _percent(row["revenue_share"])]
        cells += [_mean(row["recency_mean"]), _mean(row["frequency_mean"])]
        if has_money:
            cells.append(amount_text(row["monetary_mean"]))
        grid.add_row(*cells, style=style)

    for row in sorted(segments, key=key, reverse=True):
        add(row, str(row["segment"]) if row["segment"] is not None else "(none)")
    if segments:
        grid.add_section()
    add(everyone, "all", "bold")
    return grid


def report_grid(report: Report, reading: Sequence[str] = ()) -> Table:
    """Render excluded rows, notes and remarks.

    Parameters
    ----------
    report
        Of a result.
    reading
        What is said about how files were read.
    """
    from rich.table import Table
    from rich.text import Text

    lines: list[tuple[str, str]] = []
    for kind, title in (("left_out", "left out"), ("note", "noted")):
        said = [_said(entry) for entry in report if entry.kind == kind and entry.count]
        if kind == "left_out" and not said:
            said = ["nothing"]
        lines += [(title if i == 0 else "", text) for i, text in enumerate(said)]
    lines += [("remark" if i == 0 else "", text) for i, text in enumerate(report.remarks)]
    lines += [("reading" if i == 0 else "", text) for i, text in enumerate(reading)]
    grid = Table.grid(padding=(0, 2))
    for title, text in lines:
        grid.add_row(Text(title, style="dim"), Text(printable(text)))
    return grid


def entries(report: Report) -> list[dict[str, Any]]:
    """The entries of a report for JSON.

    Parameters
    ----------
    report
        Of a result.
    """
    shown = ("name", "kind", "unit", "count", "sum", "first_row")
    return [{name: getattr(entry, name) for name in shown} for entry in report]


def _said(entry: ReportEntry) -> str:
    unit = entry.unit[:-1] if entry.count == 1 else entry.unit
    money = "" if entry.sum is None or entry.name == "null_amount" else f" ({amount_text(entry.sum)} in all)"
    return f"{entry.count:,} {unit} {SAID.get(entry.name, f'of {entry.name}')}{money}"


def amount_text(value: float | Decimal | None) -> str:
    """Format money with two decimals (integers with none)."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.1%}"


def _mean(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:,.1f}"


def plain(value: Any) -> Any:  # noqa: ANN401
    """Convert a value for JSON: dates to ISO text, decimals and UUIDs to text, non-finite values to null.

    Parameters
    ----------
    value
        A cell of a table, an entry of a report, or a dict or list of such.
    """
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value
