"""``custcore before-after``: what a campaign changed, without random groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import before_after
from custcore.cli import _command, _lists, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable, said
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source
    from custcore._read.options import Reading

__all__ = ["command"]

TABLES = ("effects", "balance", "placebo")
READING = tuple(
    option for option in before_after.READING if option.name not in {"customer_id", "timestamp", "amount", "order_id"}
)
OWN = tuple(option.name for option in before_after.COMPARED if option.help and option.name != "exclude")


@_command.command(
    "before-after",
    short_help="Compare customers of a campaign with others who were alike before.",
    examples=(
        ("Two weeks after the date of each", "custcore before-after sales.csv --treated mail.csv --days-after 14"),
        ("As a file", "custcore before-after sales.csv --treated mail.csv --days-after 7 -o out.csv"),
    ),
)
@_options.file_options
@_options.output_option("Write a table: .parquet, .csv, .xlsx, .arrow. [default: print the effects only]")
@_options.json_option
@_options.api_option(before_after.TREATED)
@_options.api_options(tuple(option for option in before_after.COMPARED if option.name not in {"metrics", "exclude"}))
@_options.api_option(before_after.EXCLUDE.but(default=None))
@_command.option(
    "--metrics",
    group="What counts",
    type=_options.Names(),
    metavar="NAME[,...]",
    default="revenue,orders",
    show_default=True,
    help="What is compared: revenue, orders, active, repeat.",
)
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="effects",
    show_default=True,
    help="The table to write.",
)
@_options.column_options
@_options.api_options((*READING, before_after.BEFORE_AFTER[-2]))
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    treated: str,
    exclude: str | None,
    table: str,
    **given: Any,  # noqa: ANN401
) -> None:
    """Compare customers of a campaign with others who were alike the day before it.

    FILE is as for `custcore rfm`; --treated names a file with the ids of the treated customers, and the day of each.
    Without random groups an effect is bounded, not measured: four methods stand side by side.
    """
    reading = _options.reading_of(given)
    own = {name: given.pop(name) for name in OWN if name in given}
    arguments = _options.settings(given)
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    if arguments.get("amount") is None and "revenue" in own["metrics"]:
        own["metrics"] = [name for name in own["metrics"] if name != "revenue"] or ["orders"]
    names = _names(arguments["customer_id"])
    days = [] if own["start"] is not None else [own["exposed_on"]]
    rows = _rows(treated, "--treated", [*names, *days], names, reading)
    excluded = _rows(exclude, "--exclude", names, names, reading) if exclude else ()
    base, seconds = _run.call(opened, arguments, base_of)
    try:
        found = custcore.before_after(base, rows, exclude=excluded, n_threads=arguments["n_threads"], **own)
    except (InternalError, InvalidArgumentError):
        raise
    except CustcoreError as error:
        raise DataProblem(f"{opened._name} and {treated}: {said(error)}") from error
    made = {"effects": found.table, "balance": found.balance, "placebo": found.placebo}
    written = made[table]()
    guarded = _output.write(written, target) if target else 0
    if as_json:
        _say_json(found, opened, own | {"treated": treated}, seconds, target)
        return
    out = _render.console(target)
    for line in found._lines():
        _render.say(out, line)
    out.print()
    out.print(_grid(found))
    out.print()
    out.print(_render.report_grid(found.report, opened.notes))
    out.print()
    _render.say(out, f"{base.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _names(ids: str | list[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else list(ids)


def _rows(path: str, flag: str, wanted: list[str], ids: list[str], reading: Reading) -> Any:  # noqa: ANN401
    """The columns of a file that are needed."""
    files = _run.open_files((path,), {}, reading)
    there = files.column_names
    for name in wanted:
        if name not in there:
            raise DataProblem(f"{files._name} ({flag}): there is no column {name!r}{_lists.proposal(name, there)}")
    roles = {name: "customer_id" if name in ids else "timestamp" for name in wanted}
    try:
        return files.table(wanted, roles)
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error


def _grid(found: custcore.BeforeAfter) -> _render.Grid:
    """All methods of all metrics."""
    grid = _render.Grid(
        [
            _render.Column("metric", is_left=True),
            _render.Column("method", is_left=True),
            _render.Column("before", rank=3),
            _render.Column("after", rank=2),
            _render.Column("effect"),
            _render.Column("95 % interval"),
            _render.Column("p", rank=4),
        ]
    )
    before = None
    for row in found.table().to_pylist():
        if before not in {None, row["metric"]}:
            grid.add_section()
        before = row["metric"]
        numbers = [_number(row[name]) for name in ("before", "after", "effect")]
        interval = "-" if row["low"] is None else f"{row['low']:+,.4g} to {row['high']:+,.4g}"
        p_value = "-" if row["p_value"] is None else f"{row['p_value']:.3f}"
        grid.add_row(row["metric"], row["method"], *numbers, interval, p_value)
    return grid


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"


def _say_json(
    found: custcore.BeforeAfter, files: Source, settings: dict[str, Any], seconds: float, target: Path | None
) -> None:
    report = found.report
    headlines = [{"metric": metric, "headline": word} for metric, word, *_ in found._core.headlines]
    text = {
        "version": custcore.__version__,
        "files": files.files,
        "settings": settings,
        "as_of": report.as_of,
        "headlines": headlines,
        "definition": found.definition,
        "effects": found.table().to_pylist(),
        "balance": found.balance().to_pylist(),
        "placebo": found.placebo().to_pylist(),
        "report": _render.entries(report),
        "remarks": [*report.remarks, *files.notes],
        "seconds": round(seconds, 6),
        "output": str(target) if target else None,
    }
    click.echo(json.dumps(_render.plain(text), ensure_ascii=False, allow_nan=False))
