"""``custcore compare``: two score tables, who moved between segments and what became of the money."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.transactions import N_THREADS
from custcore.cli import _command, _customers, _lists, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable, said
from custcore.errors import CustcoreError, InternalError

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["command"]

TABLES = ("moves", "segments", "customers")
SCORES = ("r_score", "f_score", "m_score")


@_command.command(
    "compare",
    short_help="Compare two score tables: moves between segments.",
    examples=(
        ("Two files of `custcore rfm -o`", "custcore compare before.parquet after.parquet"),
        (
            "What became of each customer",
            "custcore compare before.parquet after.parquet --table customers -o all.csv",
        ),
    ),
)
@_command.argument("before", metavar="BEFORE")
@_command.argument("after", metavar="AFTER")
@_command.option(
    "--customer-id",
    group="Columns",
    type=_options.Key(),
    metavar="COLUMN[,...]",
    help="Column of customer ids; several form a composite key. [default: as the files state, else the first column]",
)
@_command.option(
    "--segment-column",
    "segment",
    group="Columns",
    default="segment",
    show_default=True,
    metavar="COLUMN",
    help="Column of segments.",
)
@_command.option(
    "--monetary-column",
    "monetary",
    group="Columns",
    default="monetary_total",
    show_default=True,
    metavar="COLUMN",
    help="Column of the money of each customer, if there is one.",
)
@_options.id_file_options
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="moves",
    show_default=True,
    help="The table to write; a workbook has all of them.",
)
@_options.output_option("Write a table: .parquet, .csv, .xlsx, .arrow. [default: print the summary only]")
@_options.json_option
@_options.api_option(N_THREADS)
def command(
    before: str,
    after: str,
    customer_id: str | None,
    segment: str,
    monetary: str,
    table: str,
    target: Path | None,
    as_json: bool,
    n_threads: int | None,
    **given: object,
) -> None:
    """Compare two score tables, such as `custcore rfm -o` writes: sizes and money of segments, and who moved.

    BEFORE and AFTER have one row per customer, with columns of the same names.
    """
    start = time.perf_counter()
    reading = _options.reading_of(given)
    opened = [_run.open_files((name,), {}, reading) for name in (before, after)]
    if target:
        for files in opened:
            _output.check_target(target, files)
    ids = None if customer_id is None else _options.key_columns(customer_id, opened[0].column_names)
    keys = None if ids is None else [ids] if isinstance(ids, str) else ids
    tables = [_read(files, keys, segment, monetary) for files in opened]
    try:
        compared = custcore.compare(*tables, customer_id=ids, segment=segment, monetary=monetary, n_threads=n_threads)
    except InternalError:
        raise
    except CustcoreError as error:
        raise DataProblem(f"{before} and {after}: {said(error)}") from error
    notes = list(dict.fromkeys(note for files in opened for note in files.notes))
    if target:
        written = {"moves": compared.moves, "segments": compared.segments, "customers": compared.customers}
        if target.suffix.lower() == ".xlsx":
            compared.to_xlsx(target)
        else:
            _output.write(written[table], target)
    seconds = time.perf_counter() - start
    if as_json:
        found = {
            "version": custcore.__version__,
            "files": [before, after],
            "days": compared.days,
            "customers_before": compared.n_before,
            "customers_after": compared.n_after,
            "new": compared.n_new,
            "gone": compared.n_gone,
            "moved": compared.n_moved,
            "segments": compared.segments.to_pylist(),
            "moves": compared.moves.to_pylist(),
            "remarks": [*compared.moves.report.remarks, *notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        click.echo(json.dumps(_render.plain(found), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    days = " to ".join(str(day or "unknown day") for day in compared.days) if any(compared.days) else ""
    _render.say(out, f"{before} and {after}" + (f", {days}" if days else ""))
    _, _, text = str(compared).partition("\n")  # the name of the class
    out.print(text, soft_wrap=True)
    for note in notes:
        _render.say(out, note)
    if target and str(target) != "-":
        _render.say(out, f"Written to {printable(str(target))}.")


def _read(files: Any, keys: list[str] | None, segment: str, monetary: str) -> Any:  # noqa: ANN401
    """The columns of a score table that are compared, with the names of its ids."""
    there = [name for name in files.column_names if name and files.column_names.count(name) == 1]
    for flag, names in (("--customer-id", keys or ()), ("--segment-column", (segment,))):
        for name in names:
            if name not in there:
                raise DataProblem(f"{files._name}: there is no column {name!r} ({flag}){_lists.proposal(name, there)}")
    sample = files._planned(there, {}).empty_table().replace_schema_metadata(_customers.stated(files) or None)
    names = [*(keys or _customers.ids_of(sample)), segment, monetary, *SCORES]
    try:
        table = files.table([name for name in dict.fromkeys(names) if name in there])
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error
    return table.replace_schema_metadata(sample.schema.metadata)
