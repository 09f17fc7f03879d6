"""``custcore measures``: the numbers of every period, and what changes of revenue consist of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.measures import LAG, MEASURES
from custcore.cli import _command, _options, _output, _render, _run
from custcore.cli._failure import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from custcore._read import Source
    from custcore.cli._grid import Grid

__all__ = ["command"]

# Rows on the screen; a file has all.
MOST_ROWS = 60
NUMBERS = tuple(option for option in MEASURES if option.name not in {"customer_id", "timestamp", "amount", "order_id"})


@_command.command(
    "measures",
    short_help="Show customers, orders, revenue and rates of every month.",
    examples=(
        ("Months on the screen, all columns in a file", "custcore measures sales.csv -o months.csv"),
        ("Weeks of each country", "custcore measures sales.csv --period week --by country"),
        ("All time as one row", "custcore measures sales.csv --period all"),
        ("Why revenue changed against the year before", "custcore measures sales.csv --decompose --lag 12"),
    ),
)
@_options.file_options
@_options.column_options
@_options.api_options(NUMBERS)
@_command.option(
    "--decompose",
    group="Measures",
    is_flag=True,
    help="What changes of revenue consist of: customers, orders per customer, order value, refunds.",
)
@_options.api_option(LAG)
@_command.option(
    "--include-partial", group="Measures", is_flag=True, help="Compare also periods that are not over: --decompose."
)
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
@_options.json_option
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    decompose: bool,
    lag: int,
    include_partial: bool,
    **given: object,
) -> None:
    """Count customers, orders and revenue of every period, and the rates made of them.

    FILE is as for `custcore rfm`. A star marks periods that are not over. A customer is new in the period of the first
    purchase, retained if active in the period before, too, back if active only earlier; churned: active in the period
    before, not in this one.
    """
    context = click.get_current_context()
    for name in ("lag", "include_partial"):
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and not decompose:
            raise click.UsageError(f"--{name.replace('_', '-')} is an option of --decompose")
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    if decompose:
        arguments |= {"lag": lag, "include_partial": include_partial}
        if arguments.get("amount") is None:
            raise click.UsageError("--decompose needs money: leave --no-amount out")
        if arguments.get("period") == "all":
            raise click.UsageError("--decompose compares periods, and --period all is only one")
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    function = custcore.decomposition if decompose else custcore.measures
    result, seconds = _run.call(opened, arguments, function)
    guarded = _output.write(result, target) if target else 0
    if as_json:
        found = _as_json(opened, arguments, result, seconds, target)
        click.echo(json.dumps(_render.plain(found), ensure_ascii=False, allow_nan=False))
    else:
        _show(opened, arguments, result, seconds, target, guarded, decompose=decompose)


def _show(
    files: Source,
    arguments: dict[str, Any],
    result: custcore.Table,
    seconds: float,
    target: Path | None,
    guarded: int,
    *,
    decompose: bool,
) -> None:
    """Print the table, what was excluded, the time and the file written."""
    out = _render.console(target)
    rows = result.to_pyarrow().slice(max(0, result.num_rows - MOST_ROWS)).to_pylist()
    period = arguments.get("period", "month")
    if rows:
        out.print(_changes(rows, period) if decompose else _measures(rows, period, _by(result, "period_start")))
        if result.num_rows > len(rows):
            _render.say(out, f"The last {len(rows)} of {result.num_rows:,} rows; -o writes all.")
        if not decompose and not all(row["is_complete"] for row in rows):
            _render.say(out, "* not over on the last day.")
    elif decompose:
        out.print("No changes: there are not two complete periods to compare.")
    else:
        out.print("No periods: there is no purchase.")
    out.print()
    out.print(_render.report_grid(result.report, files.notes))
    out.print()
    _render.say(out, f"{result.report.n_rows:,} rows of {files._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _by(result: custcore.Table, first: str) -> str | None:
    """The column of groups: the one before the first column of all results."""
    name = result.column_names[0]
    return None if name == first else name


def _measures(rows: list[dict[str, Any]], period: str, by: str | None) -> Grid:
    """The numbers that fit: the most asked for stay longest."""
    columns = [_render.Column(period if period != "all" else "from")]
    if by is not None:
        columns.append(_render.Column(by, is_left=True))
    moves = period != "all"
    numbers = [
        ("active", "active", _count, 0, ""),
        ("new", "new", _count, 3 * moves or 99, "new"),
        ("reactivated", "back", _count, 5, "reactivated"),
        ("churned", "churned", _count, 4, "churned"),
        ("retention_rate", "kept", _percent, 3, "retention_rate"),
        ("orders", "orders", _count, 1, ""),
        ("repurchase_rate", "repeat", _percent, 6, "repurchase_rate"),
        ("revenue", "revenue", None, 0, ""),
        ("refunds", "refunds", None, 7, ""),
        ("average_order_value", "per order", None, 2, "average_order_value"),
        ("revenue_per_customer", "per customer", None, 8, "revenue_per_customer"),
        ("growth_rate", "growth", _percent, 9, "growth_rate"),
        ("quick_ratio", "quick", _ratio, 10, "quick_ratio"),
    ]
    shown = [number for number in numbers if any(row.get(number[0]) is not None for row in rows)]
    columns += [_render.Column(title, rank=rank, said=said) for _, title, _, rank, said in shown]
    grid = _render.Grid(columns)
    texts = [
        (*number[:2], _money(rows, number[0]) if number[2] is None else number[2], *number[3:]) for number in shown
    ]
    before = object()
    for at, row in enumerate(rows):
        start = _period_text(row["period_start"], period) + ("" if row["is_complete"] else " *")
        cells = [start]
        if by is not None:
            group = row[by]
            if at and group != before:
                grid.add_section()
            before = group
            cells.append("(none)" if group is None else str(group))
        cells += [text(row[name]) for name, _, text, _, _ in texts]
        grid.add_row(*cells, style=None if row["is_complete"] else "dim")
    return grid


def _changes(rows: list[dict[str, Any]], period: str) -> Grid:
    titles = {
        "change": "change",
        "customers_effect": "customers",
        "frequency_effect": "orders each",
        "order_value_effect": "order value",
        "mix_effect": "mix",
        "refunds_effect": "refunds",
    }
    shown = {name: title for name, title in titles.items() if name in rows[0]}
    grid = _render.Grid(
        [_render.Column(period), _render.Column("against", is_left=True, rank=2)]
        + [_render.Column(title, said=name, rank=int(name == "refunds_effect")) for name, title in shown.items()]
    )
    texts = {name: _money(rows, *shown, sign="+") for name in shown}
    for row in rows:
        starts = [_period_text(row[name], period) for name in ("period_start", "from_start")]
        grid.add_row(*starts, *(text(row[name]) for name, text in texts.items()))
    return grid


def _period_text(start: date, period: str) -> str:
    text = start.isoformat()
    return text[:7] if period in {"month", "quarter"} else text


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _money(rows: list[dict[str, Any]], *names: str, sign: str = "") -> Callable[[Any], str]:
    """The text of money in these columns: without cents where a number is large."""
    values = [abs(row[name]) for row in rows for name in names if row[name] is not None]
    places = 0 if max(values, default=0) >= 10_000 or all(isinstance(value, int) for value in values) else 2
    return lambda value: "-" if value is None else f"{value:{sign},.{places}f}"


def _as_json(
    files: Source, arguments: dict[str, Any], result: custcore.Table, seconds: float, target: Path | None
) -> dict[str, Any]:
    report = result.report
    return {
        "version": custcore.__version__,
        "files": files.files,
        "settings": arguments,
        "rows": report.n_rows,
        "as_of": report.as_of,
        "periods": result.to_pyarrow().to_pylist(),
        "report": _render.entries(report),
        "remarks": [*report.remarks, *files.notes],
        "seconds": round(seconds, 6),
        "output": str(target) if target else None,
    }
