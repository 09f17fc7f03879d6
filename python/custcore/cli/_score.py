"""``custcore score``: new data scored by a saved model, and how far they are from those of the fit."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

import custcore
from custcore.cli import _command, _customers, _lists, _models, _options, _output, _render, _rfm, _run, _scored
from custcore.errors import CustcoreError, InternalError

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["command"]


@_command.command(
    "score",
    short_help="Score new data with a saved model.",
    examples=(
        ("Purchases by the edges of an earlier fit", "custcore score sales.csv --model m.json -o scores.parquet"),
        (
            "The customers that the earlier fit would call at risk",
            "custcore score sales.csv --model m.json --segment at_risk -o list.csv",
        ),
        ("One row per customer that `custcore rfm` wrote", "custcore score scores.parquet --model m.json"),
        ("Clusters of `custcore kmeans --save-model`", "custcore score sales.csv --model clusters.json"),
    ),
)
@_options.file_options
@_models.model_option(
    "The model: written by `custcore rfm` or `custcore kmeans` with --save-model, or by save() in Python.",
    required=True,
)
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print the table only]")
@_options.json_option
@_options.column_options
@_options.transaction_options
@_lists.list_options
def command(
    files: tuple[str, ...],
    model: Path,
    target: Path | None,
    as_json: bool,
    **given: object,
) -> None:
    """Score customers with the edges or the clusters of a saved model, and show how they differ from its fit.

    FILE has purchases, as for `custcore rfm`, or one row per customer with the columns that the model scores; its
    columns decide.
    """
    reading = _options.reading_of(given)
    listing = _lists.list_of(given)
    arguments = _options.settings(given)
    scorer = _models.load(model)
    needs = _models.Needs.of(scorer, model)
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    is_purchases = _customers.are_purchases(opened, needs, arguments)
    threads = arguments.get("n_threads")

    def accept(customers: custcore.Table) -> None:
        needs.check(customers, model)
        result = _models.apply(scorer, customers, threads)
        listing.check(result.column_names, _models.segments_of(scorer, result), opened.column_names)

    notes: list[str] = []
    if is_purchases:
        customers, seconds = _run.call(opened, needs.of_purchases(arguments), custcore.rfm, accept)
    else:
        start = time.perf_counter()
        customers, notes = _customers.read(opened, scorer, needs, arguments)
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    try:
        table = _models.apply(scorer, customers, threads)
        drift = _scored.drift_of(scorer, customers, threads)
    except InternalError:
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, {}) from error
    seconds += time.perf_counter() - start
    if not is_purchases:
        listing.check(table.column_names, _models.segments_of(scorer, table))
    found = listing.take(table) if listing.is_asked else None
    guarded = _output.write(found.customers if found else table, target) if target else 0
    parts = _scored.parts_of(scorer, table, needs)
    what = f"purchases, as of {table.report.as_of}" if is_purchases else f"customers with {', '.join(needs.columns)}"
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "model": {"file": str(model), "kind": type(scorer).__name__},
            "input": "purchases" if is_purchases else "customers",
            "settings": arguments if is_purchases else {},
            "rows": table.report.n_rows if is_purchases else table.num_rows,
            "customers": table.num_rows,
            "as_of": table.report.as_of if is_purchases else None,
            **parts,
            "drift": drift,
            "remarks": [*table.report.remarks, *opened.notes, *notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        if found:
            said["list"] = listing.as_json(found, has_file=target is not None)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    if table.num_rows:
        _scored.show_scored(out, parts, needs, drift)
    else:
        out.print("No customers.")
    out.print()
    out.print(_render.report_grid(table.report, [*opened.notes, *notes]))
    out.print()
    _render.say(out, f"{opened._label} has {what}; scored by {model} ({type(scorer).__name__}).")
    rows = f"{table.report.n_rows:,} rows, " if is_purchases else ""
    _render.say(out, f"{rows}{table.num_rows:,} customers in {seconds:.2f} s.")
    _rfm.show_written(out, table, found, target, guarded)
