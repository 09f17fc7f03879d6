"""``custcore review``: the review of a month, from transaction files."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options.funnels import MONTH
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError, NotEnoughDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rich.console import Console

    from custcore._read import Source

__all__ = ["command"]

TABLES = ("measures", "change", "change_year", "decomposition", "decomposition_year", "flows", "health")
# Options that a review does not need.
UNUSED = ("as_of", "n_days", "attributes", "sort")
EFFECTS = {
    "customers_effect": "customers",
    "frequency_effect": "orders each",
    "order_value_effect": "order value",
    "refunds_effect": "refunds",
}


@_command.command(
    "review",
    short_help="Review a month: what changed, where it came from, what is unusual.",
    examples=(
        ("The last month that is over", "custcore review sales.csv"),
        ("Another month, all tables as a workbook", "custcore review sales.csv --month 2026-01 -o review.xlsx"),
        ("One table", "custcore review sales.csv --table change -o change.csv"),
    ),
)
@_options.file_options
@_options.column_options
@_options.api_option(MONTH)
@_options.api_options(tuple(option for option in RFM if option not in COLUMNS and option.name not in UNUSED))
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="measures",
    show_default=True,
    metavar="TABLE",
    help=f"The table to write: {', '.join(TABLES)}; a workbook has all of them.",
)
@_options.output_option("Write a table: .parquet, .csv, .xlsx, .arrow. [default: print the review only]")
@_options.json_option
def command(
    files: tuple[str, ...],
    month: str | None,
    table: str,
    target: Path | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Review a month beside the month before and the year before.

    FILE is as for `custcore rfm`. Every customer is in one source of the change, and they add up to it. What is
    unusual is outside of the limits of up to twelve months before.
    """
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    if arguments.get("amount") is None:
        raise click.UsageError("a review needs money: leave --no-amount out")
    threads = arguments["n_threads"]
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    base, seconds = _run.call(opened, arguments, base_of)
    last = base.last_date
    if last is None:
        raise DataProblem(f"{opened._name}: no row has an id and a time")
    try:
        review = _reviewed(base, month, last, threads)
        health = base.health(_end(review.month), n_threads=threads)
    except (InternalError, InvalidArgumentError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, arguments) from error
    tables = {**review.tables(), "health": health}
    guarded = _write(review, tables, table, target) if target else 0
    if as_json:
        said = _as_json(opened, {**arguments, "month": f"{review.month:%Y-%m}"}, tables, seconds, target)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    _show(out, review, health)
    out.print(_render.report_grid(review.report, opened.notes))
    out.print()
    _render.say(out, f"{base.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _reviewed(base: custcore.CustomerBase, month: str | None, last: dt.date, n_threads: int | None) -> custcore.Review:
    """The review of a month; by default of the last one that is over, or of the only one that has begun."""
    try:
        return base.review(month or _last_over(last), n_threads=n_threads)
    except NotEnoughDataError:
        if month is not None:
            raise
        return base.review(last, n_threads=n_threads)


def _last_over(last: dt.date) -> dt.date:
    """A day of the last month that is over at the end of a day."""
    after = last + dt.timedelta(1)
    return after.replace(day=1) - dt.timedelta(1)


def _end(month: dt.date) -> dt.date:
    """The last day of a month."""
    return (month + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)


def _write(review: custcore.Review, tables: Mapping[str, custcore.Table], name: str, target: Path) -> int:
    """Write a table, or the workbook; returns the number of guarded cells."""
    if target.suffix.lower() == ".xlsx":
        custcore.Review(review.month, tables, review.campaigns).to_xlsx(target)
        return 0
    if name not in tables:
        raise click.UsageError(f"there is no table {name!r} of {review.month:%Y-%m}; choose from {', '.join(tables)}")
    return _output.write(tables[name], target)


def _show(out: Console, review: custcore.Review, health: custcore.Table) -> None:
    out.print(_measures(review))
    changes = [("month before", review.change), ("year before", review.change_year)]
    out.print(_changes([(words, table) for words, table in changes if table is not None]))
    effects = [("month before", review.decomposition), ("year before", review.decomposition_year)]
    rows = [(words, row) for words, table in effects for row in table or ()]
    if rows:
        out.print(_effects(rows))
    moves = sorted((row for row in review.flows or () if _is_move(row)), key=lambda row: -row["customers"])
    if moves:
        out.print(_flows(moves[:8]))
        if len(moves) > 8:
            _render.say(out, f"The 8 largest of {len(moves)} moves between segments; --table flows has all.")
            out.print()
    flagged = [row for row in health if row["flag"]]
    if flagged:
        out.print(_unusual(flagged))
    else:
        known = any(row["flag"] is not None for row in health)
        _render.say(
            out, "Nothing is unusual." if known else "There are fewer than six months before: nothing has limits."
        )
        out.print()


def _measures(review: custcore.Review) -> _render.Grid:
    rows = {row["which"]: row for row in review.measures}
    titles = [f"{row['period_start']:%Y-%m}" + ("" if row["is_complete"] else " *") for row in rows.values()]
    grid = _render.Grid([_render.Column("measure"), *(_render.Column(title) for title in titles)])
    for name, title in (
        ("active", "active customers"),
        ("new", "new"),
        ("reactivated", "back"),
        ("churned", "churned"),
        ("orders", "orders"),
    ):
        grid.add_row(title, *(f"{row[name]:,}" for row in rows.values()))
    for name, title in (("retention_rate", "kept"), ("repurchase_rate", "bought again")):
        grid.add_row(title, *("-" if row[name] is None else f"{row[name]:.1%}" for row in rows.values()))
    for name, title in (
        ("revenue", "revenue"),
        ("refunds", "refunds"),
        ("average_order_value", "per order"),
        ("revenue_per_customer", "per customer"),
    ):
        grid.add_row(title, *(_money(row[name]) for row in rows.values()))
    return grid


def _changes(changes: list[tuple[str, custcore.Table]]) -> _render.Grid:
    """Sources of the change from the month and from the year before, side by side."""
    columns = [_render.Column("where the change came from")]
    for words, _ in changes:
        columns += [_render.Column("customers", rank=1), _render.Column(words)]
    grid = _render.Grid(columns)
    by_source = [{row["source"]: row for row in table} for _, table in changes]
    for source in dict.fromkeys(source for rows in by_source for source in rows):
        cells = []
        for rows in by_source:
            row = rows.get(source)
            cells += ["-", "-"] if row is None else [f"{row['customers'] or 0:,}", _signed(row["revenue"])]
        grid.add_row(source.replace("_", " "), *cells)
    return grid


def _effects(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> _render.Grid:
    grid = _render.Grid(
        [_render.Column("effects against"), _render.Column("change"), *map(_render.Column, EFFECTS.values())]
    )
    for words, row in rows:
        grid.add_row(words, _signed(row["change"]), *(_signed(row[name]) for name in EFFECTS))
    return grid


def _is_move(row: Mapping[str, Any]) -> bool:
    return row["from_segment"] is not None and row["from_segment"] != row["to_segment"]


def _flows(moves: Iterable[Mapping[str, Any]]) -> _render.Grid:
    grid = _render.Grid([_render.Column("from"), _render.Column("to", is_left=True), _render.Column("customers")])
    for row in moves:
        grid.add_row(str(row["from_segment"]), str(row["to_segment"]), f"{row['customers']:,}")
    return grid


def _unusual(rows: Iterable[Mapping[str, Any]]) -> _render.Grid:
    grid = _render.Grid(
        [
            _render.Column("unusual", wraps_to=26),
            _render.Column("value"),
            _render.Column("before", rank=1),
            _render.Column("limits of the months before"),
        ]
    )
    for row in rows:
        limits = f"{_number(row['low'])} to {_number(row['high'])}"
        grid.add_row(row["measure"], _number(row["value"]), _number(row["before"]), limits)
    return grid


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 1_000 else f"{value:,.0f}"


def _money(value: Any) -> str:  # noqa: ANN401 (a number of any kind)
    return "-" if value is None else f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+,.2f}" if abs(value) < 10_000 else f"{value:+,.0f}"


def _as_json(
    files: Source,
    arguments: dict[str, Any],
    tables: Mapping[str, custcore.Table],
    seconds: float,
    target: Path | None,
) -> dict[str, Any]:
    report = tables["measures"].report
    return {
        "version": custcore.__version__,
        "files": files.files,
        "settings": arguments,
        "rows": report.n_rows,
        "as_of": report.as_of,
        **{name: table.to_pylist() for name, table in tables.items()},
        "report": _render.entries(report),
        "remarks": [*report.remarks, *files.notes],
        "seconds": round(seconds, 6),
        "output": str(target) if target else None,
    }
