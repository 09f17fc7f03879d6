"""``custcore funnel``: how many customers take each of several steps."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._input.arguments import key_names
from custcore._options.funnels import FUNNEL, FUNNEL_STEPS
from custcore.cli import _command, _lists, _options, _output, _render, _run
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source

__all__ = ["command"]

FLAGS = {"customer_id": "--customer-id", "timestamp": "--timestamp", "event": "--event", "by": "--by"}


@_command.command(
    "funnel",
    short_help="Count how many customers take each of several steps.",
    examples=(
        ("Steps within three days", "custcore funnel events.csv --steps view,cart,order --window 3d"),
        ("Each channel by itself", "custcore funnel events.csv --steps view,cart --window 1d --by channel"),
        ("As a file", "custcore funnel events.csv --steps view,cart --window 1d -o out.csv"),
    ),
)
@_options.file_options
@_options.api_options(FUNNEL_STEPS, {"steps": _options.Names()})
@_options.api_options(FUNNEL, {"customer_id": _options.Key()})
@_command.option("--strict", group="What counts", is_flag=True, help="A step must be later than the one before.")
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
@_options.json_option
def command(
    files: tuple[str, ...],
    steps: list[str] | None,
    window: str | None,
    target: Path | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Count the customers who take each step within a window after the first one.

    FILE has one row per event. A customer counts once, with the start that gets farthest.
    """
    start = time.perf_counter()
    reading = _options.reading_of(given)
    for flag, value in (("--steps view,cart,order", steps), ("--window 3d", window)):
        if not value:
            raise click.UsageError(f"{flag.split()[0]} is missing, e.g. {flag}")
    if given["strict"] and given["order"] == "any":
        raise click.UsageError("--strict has no meaning in any order: leave it or --order out")
    opened = _run.open_files(files, given, reading)
    if target:
        _output.check_target(target, opened)
    roles: dict[str, str] = {}
    there = opened.column_names
    for argument, flag in FLAGS.items():
        for column in key_names(given[argument]):
            if column not in there:
                raise DataProblem(
                    f"{opened._name}: there is no column {column!r} ({flag}){_lists.proposal(column, there)}"
                )
            roles.setdefault(column, argument)
    if given["n_threads"]:
        import pyarrow as pa

        pa.set_cpu_count(given["n_threads"])
    try:
        found = custcore.funnel(opened.table(list(roles), roles), steps or [], window or 0, **given)
    except (InternalError, InvalidArgumentError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, given) from error
    guarded = _output.write(found, target) if target else 0
    seconds = time.perf_counter() - start
    if as_json:
        said = _as_json(opened, {"steps": steps, "window": window, **given}, found, seconds, target)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    out.print(_grid(found, given["by"]))
    _render.say(out, f"Of the customers who took step 1 and whose window of {window} was over.")
    still = sum(row["customers_open"] or 0 for row in found)
    if still:
        _render.say(out, f"{still:,} more only have starts whose window is not over.")
    out.print()
    out.print(_render.report_grid(found.report, opened.notes))
    out.print()
    _render.say(out, f"{found.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _grid(found: custcore.Table, by: str | None) -> _render.Grid:
    columns = [_render.Column(by, wraps_to=14)] if by is not None else []
    columns += [
        _render.Column("step", is_left=True, wraps_to=20),
        _render.Column("customers"),
        _render.Column("of step 1"),
        _render.Column("95 % interval", rank=2),
        _render.Column("of before"),
        _render.Column("95 % interval", rank=3, said="interval of the share of the step before"),
        _render.Column("median time", rank=1, said="median time from the step before"),
        _render.Column("from start", rank=4, said="median time from the start"),
    ]
    grid = _render.Grid(columns)
    for at, row in enumerate(found):
        if by is not None and at and row["step"] == 1:
            grid.add_section()
        cells = [] if by is None else ["" if row["step"] > 1 else "(none)" if row[by] is None else str(row[by])]
        cells += [f"{row['step']} {row['name'] or ''}".strip(), f"{row['customers']:,}"]
        for rate in ("rate", "step_rate"):
            cells += [_percent(row[rate]), _interval(row[f"{rate}_low"], row[f"{rate}_high"])]
        cells += [_length(row["median_seconds"]), _length(row["median_seconds_from_start"])]
        grid.add_row(*cells)
    return grid


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.1%} to {high:.1%}"


def _length(seconds: float | None) -> str:
    """A length in the largest unit of which there is one."""
    if seconds is None:
        return "-"
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    return next((f"{seconds / size:.1f} {unit}" for unit, size in units if seconds >= size), f"{seconds:.1f} s")


def _as_json(
    files: Source, arguments: dict[str, Any], found: custcore.Table, seconds: float, target: Path | None
) -> dict[str, Any]:
    report = found.report
    return {
        "version": custcore.__version__,
        "files": files.files,
        "settings": arguments,
        "rows": report.n_rows,
        "as_of": report.as_of,
        "steps": found.to_pylist(),
        "report": _render.entries(report),
        "remarks": [*report.remarks, *files.notes],
        "seconds": round(seconds, 6),
        "output": str(target) if target else None,
    }
