"""``custcore effect``: whether a campaign with random groups worked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import effects
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _experiment, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable, said
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from custcore.experiments import EffectResult

__all__ = ["command"]

TABLES = ("effects", "segments", "periods", "checks", "received", "roi", "moments")
# Those of reading are there already, and the length of the window has no default.
OPTIONS = tuple(
    option for option in effects.OF_BASE if option.help and option.name not in {"as_of", "n_threads", "days_after"}
)
KINDS = {
    "metrics": _experiment.Words(),
    "adjust": _experiment.Words(),
    "winsorize": _experiment.Numbers(),
    "cost": _experiment.Numbers(),
    "level": click.FLOAT,
    "margin": click.FLOAT,
}


@_command.command(
    "effect",
    short_help="Show whether a campaign with random groups worked.",
    examples=(
        ("Three weeks after the mail", "custcore effect sales.csv --experiment groups.csv --days-after 21"),
        (
            "Week by week",
            "custcore effect sales.csv --experiment groups.csv --days-after 21 --every 7",
        ),
        (
            "Whether it was only brought forward",
            "custcore effect sales.csv --experiment groups.csv --days-after 9 --every 3d",
        ),
    ),
)
@_options.file_options
@_command.option(
    "--experiment",
    group="Experiment",
    required=True,
    metavar="FILE",
    help="File of the experiment: one row per customer, with the id, the group and the day of exposure.",
)
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
@_options.json_option
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="effects",
    show_default=True,
    help="The table to write.",
)
@_options.column_options
@_options.api_options(
    tuple(option for option in RFM if option not in COLUMNS and option.name not in {"n_days", "attributes", "sort"})
)
@_command.option(
    "--days-after",
    group="Experiment",
    required=True,
    type=_words.Whole(1, None),
    metavar="N",
    help=effects.DAYS_AFTER.help,
)
@_options.api_options(OPTIONS, KINDS)
@_command.option(
    "--shares",
    group="Experiment",
    type=_experiment.Numbers(),
    metavar="GROUP=N,...",
    help="The planned share of each group, for the check of their sizes. [default: equal]",
)
def command(
    files: tuple[str, ...],
    experiment: str,
    target: Path | None,
    as_json: bool,
    table: str,
    **given: Any,  # noqa: ANN401
) -> None:
    """Compare what the groups of an experiment did: a difference with its interval for each metric and group.

    FILE is as for `custcore rfm`. Groups must have been assigned at random; for a campaign without random groups see
    `custcore before-after`.
    """
    reading = _options.reading_of(given)
    asked = {option.name: given.pop(option.name) for option in OPTIONS} | {
        name: given.pop(name) for name in ("shares", "days_after")
    }
    asked["metrics"] = _experiment.as_argument(asked["metrics"])
    asked["adjust"] = _experiment.as_argument(asked["adjust"], ("history", "own"))
    for name in ("winsorize", "cost", "shares"):
        asked[name] = _experiment.numbers(asked[name])
    if asked["correction"] == "none":
        asked["correction"] = None
    for name, option in (("segments", "by"), ("periods", "every"), ("received", "received")):
        if table == name and asked[option] is None:
            raise click.UsageError(f"--table {name} needs --{option}")
    if table == "roi" and (asked["margin"] is None or asked["cost"] is None):
        raise click.UsageError("--table roi needs --margin and --cost")
    arguments = _options.settings(given)
    as_of, threads = arguments.pop("as_of"), arguments["n_threads"]
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    ids = arguments["customer_id"]
    names = [*([ids] if isinstance(ids, str) else ids), asked["group"], *_columns(asked)]
    groups, rows = _experiment.groups_of(experiment, reading, names)
    base, seconds = _run.call(opened, arguments, base_of)
    try:
        result = base.effect(rows, **asked, as_of=as_of, n_threads=threads)
        found = _table(result, table)
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise DataProblem(f"{opened._name} and {groups._name}: {said(error)}") from error
    guarded = _output.write(found, target) if target else 0
    notes = [*opened.notes, *groups.notes]
    if as_json:
        found_as = {
            "version": custcore.__version__,
            "files": [*opened.files, *groups.files],
            "settings": arguments | asked,
            "control": result._core.control,
            table: found.to_pyarrow().to_pylist(),
            "checks": result.checks().to_pyarrow().to_pylist(),
            "report": _render.entries(result.report),
            "remarks": [*result.report.remarks, *notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        click.echo(json.dumps(_render.plain(found_as), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    _show(out, result)
    if asked["margin"] is not None and asked["cost"] is not None:
        _show_return(out, result)
    out.print()
    out.print(_render.report_grid(result.report, notes))
    out.print()
    _render.say(out, f"{base.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _columns(asked: dict[str, Any]) -> list[str]:
    """The other columns of the experiment that are read."""
    dates = [asked["exposed_on"]] if asked["start"] is None else []
    adjust = asked["adjust"] if isinstance(asked["adjust"], list) else []
    other = [name for name in (asked["strata"], asked["by"], asked["received"]) if name is not None]
    return [*dates, *adjust, *(name for name in other if name not in {"segment", "rfm_cell"})]


def _table(result: EffectResult, name: str) -> custcore.Table:
    if name == "effects":
        return result.table()
    if name == "moments":
        return result.moments
    made: custcore.Table = getattr(result, name)()
    return made


def _show(out: Console, result: EffectResult) -> None:
    """Print flagged checks, and the effects on all customers."""
    for row in result.checks():
        if row["flagged"]:
            of = ", ".join(text for text in (row["metric"], row["group"]) if text)
            _render.say(out, f"! {f'{of}: ' if of else ''}{said(row['message'])}")
    level = 100 * result.definition["level"]
    grid = _render.Grid(
        [
            _render.Column("metric", is_left=True),
            _render.Column("group", is_left=True, wraps_to=12),
            _render.Column("customers", rank=4),
            _render.Column(str(result._core.control), rank=1),
            _render.Column("group mean", rank=3),
            _render.Column("effect"),
            _render.Column(f"{level:g} % interval"),
            _render.Column("relative", rank=2),
            _render.Column("p", rank=1),
        ]
    )
    metric = None
    for row in result.table():
        if row["segment"] is not None or row["period"] is not None:
            continue
        if metric not in {None, row["metric"]}:
            grid.add_section()
        metric = row["metric"]
        grid.add_row(
            metric,
            row["group"],
            f"{row['n_treatment']:,}",
            _number(row["control"]),
            _number(row["treatment"]),
            _number(row["effect"], "+"),
            "-" if row["low"] is None else f"{_number(row['low'], '+')} to {_number(row['high'], '+')}",
            "-" if row["relative"] is None else f"{row['relative']:+.1%}",
            "-" if row["p_value"] is None else ("<.0001" if row["p_value"] < 1e-4 else f"{row['p_value']:.4f}"),
        )
    out.print(grid)


def _show_return(out: Console, result: EffectResult) -> None:
    grid = _render.Grid(
        [
            _render.Column("group", is_left=True, wraps_to=12),
            _render.Column("cost"),
            _render.Column("increment"),
            _render.Column("return"),
            _render.Column("interval", rank=1),
            _render.Column("break-even", rank=2, said="break_even_effect"),
            _render.Column("p positive", rank=3, said="p_positive"),
        ]
    )
    for row in result.roi():
        grid.add_row(
            row["group"],
            _number(row["cost"]),
            _number(row["increment"], "+"),
            "-" if row["roi"] is None else f"{row['roi']:+.0%}",
            "-" if row["roi"] is None else f"{row['roi_low']:+.0%} to {row['roi_high']:+.0%}",
            _number(row["break_even_effect"]),
            "-" if row["p_positive"] is None else f"{row['p_positive']:.1%}",
        )
    out.print()
    out.print(grid)


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:{sign},.0f}" if abs(value) >= 1000 else f"{value:{sign}.4g}"
