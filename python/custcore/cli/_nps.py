"""``custcore nps``: net promoter scores of answers from 0 to 10."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.portraits import NPS
from custcore.cli import _command, _lists, _options, _output, _render, _run
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]

FLAGS = {"score": "--score-column", "by": "--by", "customer_id": "--customer-id", "timestamp": "--timestamp"}


@_command.command(
    "nps",
    short_help="Net promoter score, overall and by segment.",
    examples=(
        ("All answers", "custcore nps answers.csv"),
        ("By segment, each customer once", "custcore nps answers.csv --by segment --customer-id customer_id"),
        (
            "By the last answer in time, as a file",
            "custcore nps answers.csv --customer-id customer_id --timestamp day",
        ),
    ),
)
@_options.file_options
@_options.api_options(NPS, {"customer_id": _options.Key()})
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
def command(files: tuple[str, ...], target: Path | None, **given: Any) -> None:  # noqa: ANN401
    """Compute net promoter scores: the share of answers of 9 and 10 less that of 0 to 6, in points.

    FILE has one row per answer.
    """
    start = time.perf_counter()
    reading = _options.reading_of(given)
    opened = _run.open_files(files, given, reading)
    if target:
        _output.check_target(target, opened)
    if given["timestamp"] and not given["customer_id"]:
        raise click.UsageError("--timestamp orders the answers of each customer: name their column, --customer-id")
    roles: dict[str, str] = {}
    there = opened.column_names
    for argument, flag in FLAGS.items():
        value = given[argument]
        for column in [value] if isinstance(value, str) else value or []:
            if column not in there:
                raise DataProblem(
                    f"{opened._name}: there is no column {column!r} ({flag}){_lists.proposal(column, there)}"
                )
            roles.setdefault(column, argument)
    if given["n_threads"]:
        import pyarrow as pa

        pa.set_cpu_count(given["n_threads"])
    try:
        found = custcore.nps(opened.table(list(roles), roles), **given)
    except (InternalError, InvalidArgumentError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, given) from error
    guarded = _output.write(found, target) if target else 0
    out = _render.console(target)
    out.print(_grid(found))
    _render.say(out, "Points from -100 to 100: share of promoters (9, 10) less that of detractors (0 to 6).")
    out.print()
    out.print(_render.report_grid(found.report, opened.notes))
    out.print()
    _render.say(out, f"{found.report.n_rows:,} rows of {opened._label} in {time.perf_counter() - start:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _grid(found: custcore.Table) -> _render.Grid:
    grid = _render.Grid(
        [
            _render.Column("segment", wraps_to=12),
            _render.Column("answers"),
            _render.Column("promoters", rank=3),
            _render.Column("passives", rank=5),
            _render.Column("detractors", rank=4),
            _render.Column("missing", rank=6),
            _render.Column("NPS"),
            _render.Column("95 % interval", rank=1),
        ]
    )
    rows = found.to_pylist()
    for at, row in enumerate(rows):
        counts = [f"{row[name]:,}" for name in ("answers", "promoters", "passives", "detractors", "missing")]
        grid.add_row(row.get("segment") or ("all" if at == 0 else ""), *counts, _points(row["nps"]), _interval(row))
        if at == 0 and len(rows) > 1:
            grid.add_section()
    return grid


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _interval(row: dict[str, Any]) -> str:
    return "-" if row["nps"] is None else f"{row['nps_low']:+.1f} to {row['nps_high']:+.1f}"
