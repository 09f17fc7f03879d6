"""``custcore plan``: what an experiment on these customers would find."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import effects
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _experiment, _options, _output, _render, _run
from custcore.cli._failure import DataProblem, printable, said
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]

OPTIONS = tuple(option for option in effects.PLAN if option.help and option.name != "n_threads")
UNUSED = ("n_days", "attributes", "sort", "as_of")


class Lengths(click.ParamType[Any]):
    """Whole numbers, separated by commas."""

    is_list = True
    name = "N[,...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``7,14,28``."""
        if not isinstance(value, str):
            return value
        try:
            return [int(part) for part in value.split(",")]
        except ValueError:
            return self.fail(f"{value!r} is not a list of whole numbers such as 7,14,28", param, ctx)


class Shares(click.ParamType[Any]):
    """Two numbers, separated by a comma."""

    is_list = True
    name = "C,T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``0.2,0.8``."""
        if not isinstance(value, str):
            return value
        try:
            control, treatment = (float(part) for part in value.split(","))
        except ValueError:
            return self.fail(f"{value!r} is not two numbers such as 0.5,0.5", param, ctx)
        return control, treatment


@_command.command(
    "plan",
    short_help="Show what an experiment on these customers would find.",
    examples=(
        ("An experiment next month", "custcore plan sales.csv --start 2026-04-01"),
        ("1 in 5 gets no mail", "custcore plan sales.csv --start 2026-04-01 --shares 0.2,0.8"),
    ),
)
@_options.file_options
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
@_options.json_option
@_options.column_options
@_options.api_options(tuple(option for option in RFM if option not in COLUMNS and option.name not in UNUSED))
@_command.option("--start", group="Experiment", required=True, metavar="DATE", help="The day on which it would start.")
@_options.api_options(
    OPTIONS,
    {
        "days_after": Lengths(),
        "shares": Shares(),
        "metrics": _experiment.Words(),
        "adjust": _experiment.Words(),
        "power": click.FLOAT,
    },
)
@_command.option(
    "--who",
    group="Experiment",
    type=_experiment.Words(),
    metavar="SEGMENT[,...]",
    help="Only customers of these segments. [default: all who had bought before]",
)
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    start: str,
    who: list[str] | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Show how small a difference an experiment on these customers would find, from what they did just before.

    FILE is as for `custcore rfm`. What the customers did in the windows before the start says how much they differ:
    the experiment will meet the same.
    """
    reading = _options.reading_of(given)
    asked = {option.name: given.pop(option.name) for option in OPTIONS}
    asked["metrics"] = _experiment.as_argument(asked["metrics"])
    asked["adjust"] = _experiment.as_argument(asked["adjust"], ("history", "own"))
    arguments = _options.settings(given)
    threads = arguments["n_threads"]
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    base, seconds = _run.call(opened, arguments, base_of)
    try:
        found = base.plan(start, **asked, who=who, n_threads=threads)
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise DataProblem(f"{opened._name}: {said(error)}") from error
    guarded = _output.write(found, target) if target else 0
    if as_json:
        made = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": arguments | asked | {"start": start, "who": who},
            "plan": found.to_pyarrow().to_pylist(),
            "report": _render.entries(base.report),
            "remarks": [*base.report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        click.echo(json.dumps(_render.plain(made), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    out.print(_grid(found))
    _render.say(
        out,
        f"Found with a probability of {asked['power']:g} at p < 0.05; for 5 %: customers of both groups that find a "
        "difference of 5 %.",
    )
    out.print()
    out.print(_render.report_grid(base.report, opened.notes))
    out.print()
    _render.say(out, f"{base.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _grid(found: custcore.Table) -> _render.Grid:
    grid = _render.Grid(
        [
            _render.Column("metric", is_left=True),
            _render.Column("days"),
            _render.Column("control", rank=3),
            _render.Column("treated", rank=3),
            _render.Column("mean"),
            _render.Column("sd", rank=2),
            _render.Column("variance left", rank=4),
            _render.Column("is found", rank=1),
            _render.Column("relative"),
            _render.Column("for 5 %"),
        ]
    )
    days = None
    for row in found:
        if days not in {None, row["days_after"]}:
            grid.add_section()
        days = row["days_after"]
        grid.add_row(
            row["metric"],
            str(days),
            f"{row['n_control']:,}",
            f"{row['n_treatment']:,}",
            _number(row["mean"]),
            _number(row["sd"]),
            _percent(row["variance_ratio"], 0),
            _number(row["detectable"]),
            _percent(row["detectable_relative"], 1),
            "-" if row["n_for_5_percent"] is None else f"{row['n_for_5_percent']:,}",
        )
    return grid


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _percent(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}%}"
