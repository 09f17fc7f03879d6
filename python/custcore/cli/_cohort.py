"""``custcore cohort``: retention triangle of transaction files, and its tables as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.cohorts import COHORT
from custcore._options.transactions import CUSTOMER_ID, TIMESTAMP
from custcore.cli import _command, _options, _output, _render, _run, _words
from custcore.cli._failure import printable
from custcore.cohort import LEGEND

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source
    from custcore.cli._grid import Grid
    from custcore.cohort import Cell, Triangle

__all__ = ["command"]

TABLES = ("cells", "matrix", "average", "movement", "revenue", "customers")
NARROWEST = 3  # width of a cell of the triangle: "0", or "-", and a gap


class Brackets(click.ParamType[Any]):
    """Last periods of brackets: ``1,3,7,30``."""

    is_list = True
    name = "N,N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``1,3,7`` to [1, 3, 7]."""
        try:
            return [int(part) for part in value.split(",")] if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 1,3,7,30", param, ctx)


@_command.command(
    "cohort",
    short_help="Show returning customers by the period of their first purchase.",
    examples=(
        ("Months on the screen", "custcore cohort sales.csv"),
        ("Weeks, at most 12 columns", "custcore cohort sales.csv --period week --n-periods 12"),
        (
            "Revenue of each cohort, as a file",
            "custcore cohort sales.csv --amount amount --table revenue -o revenue.csv",
        ),
        ("By country, as PostHog counts", "custcore cohort sales.csv --by country --preset posthog"),
    ),
)
@_options.file_options
@_options.api_options(COHORT, {"brackets": Brackets()}, deferred=True)
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="cells",
    show_default=True,
    help="The table to write.",
)
@_command.option(
    "--value",
    group="Output",
    default="rate",
    show_default=True,
    metavar="COLUMN",
    help="The values of the table matrix.",
)
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print the triangle only]")
@_options.json_option
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    table: str,
    value: str,
    **given: object,
) -> None:
    """Count returning customers: cohorts of customers over the periods since their first purchase.

    FILE is as for `custcore rfm`. A star marks cells whose window is
    not over; blank cells were not observed.
    """
    context = click.get_current_context()
    # Options that were not given are left to the API, as presets set options.
    asked = {name for name in given if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
    reading = _options.reading_of(given)
    arguments = _options.settings({name: option for name, option in given.items() if name in asked})
    for option in (CUSTOMER_ID, TIMESTAMP):
        arguments.setdefault(option.name, option.default)
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    if table == "revenue" and "amount" not in arguments:
        raise click.UsageError("--table revenue needs money: --amount COLUMN")
    result, seconds = _run.call(opened, arguments, custcore.cohort_retention)
    guarded = _output.write(_table(result, table, value), target) if target else 0
    if as_json:
        found = _as_json(opened, arguments, result, seconds, target)
        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
    else:
        _show(opened, result, seconds, target, guarded)


def _table(result: custcore.CohortRetention, name: str, value: str) -> custcore.Table:
    tables = {
        "cells": result.to_table,
        "matrix": lambda: result.matrix(value),
        "average": result.average,
        "movement": result.movement,
        "revenue": result.revenue_retention,
        "customers": result.customers,
    }
    return tables[name]()


def _show(files: Source, result: custcore.CohortRetention, seconds: float, target: Path | None, guarded: int) -> None:
    """Print the triangle, the definition, what was excluded, the time and the file written."""
    out = _render.console(target)
    triangle = result.triangle(rows=30, columns=max(1, out.width // NARROWEST)).within(out.width)
    if triangle.lines:
        out.print(_grid(triangle))
        if triangle.more_columns:
            noun = "column" if triangle.more_columns == 1 else "columns"
            _render.say(out, f"{triangle.more_columns:,} more {noun}.")
        _render.say(out, LEGEND)
    else:
        out.print("No cohorts: no row has an id and a time in the window.")
    out.print()
    _render.say(out, result.definition)
    out.print()
    out.print(_render.report_grid(result.report, files.notes))
    out.print()
    _render.say(out, f"{result.report.n_rows:,} rows of {files._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _grid(triangle: Triangle) -> Grid:
    from rich.text import Text

    grid = _render.table("cohort", "size", *triangle.columns)
    for line in triangle.lines:
        if line is None:
            grid.add_row("...")
            continue
        size = "" if line.size is None else f"{line.size:,}"
        cells = [Text(cell.text, style=_shade(cell)) for cell in line.cells]
        grid.add_row(Text(printable(line.label)), size, *cells, style="bold" if line.size is None else None)
    return grid


def _shade(cell: Cell) -> str:
    """A deeper blue for higher rates; italic and dim if the window is not over."""
    if not cell.is_observed or cell.rate is None:
        return "dim"
    depth = cell.rate**0.5  # most rates are small
    red, green, blue = (round(low + (high - low) * depth) for low, high in ((20, 66), (28, 146), (46, 255)))
    return f"rgb(235,240,255) on rgb({red},{green},{blue})" + ("" if cell.is_complete else " italic dim")


def _as_json(
    files: Source,
    arguments: dict[str, Any],
    result: custcore.CohortRetention,
    seconds: float,
    target: Path | None,
) -> dict[str, Any]:
    report = result.report
    found: dict[str, Any] = _render.plain(
        {
            "version": custcore.__version__,
            "files": files.files,
            "settings": arguments,
            "definition": result.definition,
            "rows": report.n_rows,
            "as_of": report.as_of,
            "cells": result.to_table().to_pyarrow().to_pylist(),
            "average": result.average().to_pyarrow().to_pylist(),
            "movement": result.movement().to_pyarrow().to_pylist(),
            "report": _render.entries(report),
            "remarks": [*report.remarks, *files.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
    )
    return found
