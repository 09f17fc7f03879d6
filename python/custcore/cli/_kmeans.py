"""``custcore kmeans``: named clusters of customers, from files of purchases or of customers."""

from __future__ import annotations

import dataclasses
import difflib
import json
import time
import warnings
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.clusters import SEGMENTED
from custcore.cli import _command, _options, _output, _render, _run
from custcore.cli._failure import DataProblem, printable
from custcore.errors import ConvergenceWarning, CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source
    from custcore._read.options import Reading

__all__ = ["command"]


class Clusters(click.ParamType[Any]):
    """A number of clusters, or "auto"."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``5`` to 5."""
        if value == "auto" or isinstance(value, int):
            return value
        if not str(value).isdecimal() or int(value) < 1:
            self.fail(f"{value!r} is neither a number from 1 nor auto", param, ctx)
        return int(value)


# Parsers of option values that are not plain strings.
KINDS = {"k": Clusters(), "features": _options.Names(), "log1p": _options.Names()}


@_command.command(
    "kmeans",
    short_help="Cluster customers and name the clusters.",
    examples=(
        ("As many clusters as suit the customers", "custcore kmeans sales.csv -o clusters.parquet"),
        ("Three clusters, with the model to score others by", "custcore kmeans sales.csv -k 3 --model clusters.json"),
        (
            "Columns of one row per customer",
            "custcore kmeans customers.csv --features visits,spend --log1p spend -k 2",
        ),
    ),
)
@_options.file_options
@_options.output_option("Write one row per customer: .parquet, .csv, .arrow. [default: print the table only]")
@_options.json_option
@_options.api_options(SEGMENTED[:-1], KINDS)
@_command.option("--model", group="Output", type=_options.Target(), metavar="OUT", help="Write the model: .json.")
@_options.column_options
@_options.transaction_options
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    k: Any,  # noqa: ANN401
    features: list[str] | None,
    log1p: list[str] | None,
    how: str,
    n_init: int,
    random_state: int,
    model: Path | None,
    **given: object,
) -> None:
    """Cluster customers by recency, frequency and money, choose the number of clusters, and name them.

    FILE is as for `custcore rfm`. With --features it has one row per customer, and these columns are clustered.
    """
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    wanted: dict[str, Any] = {"features": features, "how": how, "n_init": n_init, "random_state": random_state}
    wanted["log1p"] = "auto" if log1p is None else log1p
    for path in (target, model):
        if path is not None and path.is_dir():
            raise click.UsageError(f"{path} is a folder")
    if model is not None and model.suffix.lower() != ".json":
        raise click.UsageError(f"{model} has an unknown extension; models are written as .json")
    customers, opened, seconds = (
        _purchases(files, arguments, target, reading)
        if features is None
        else _customers(files, features, target, reading)
    )
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", ConvergenceWarning)
            table, found = custcore.segment_customers(
                customers,
                k,
                n_threads=arguments.get("n_threads"),
                **wanted,
            )
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, arguments) from error
    seconds += time.perf_counter() - start
    report = dataclasses.replace(
        table.report, remarks=(*table.report.remarks, *(str(warning.message) for warning in warned))
    )
    guarded = _output.write(table, target) if target else 0
    if model is not None:
        found.save(model)
    profile = found.profile().to_pyarrow().to_pylist()
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": {**({} if features else arguments), **wanted, "clusters": k},
            "rows": table.report.n_rows or table.num_rows,
            "customers": table.num_rows,
            "as_of": table.report.as_of,
            "clusters": profile,
            "inertia": found.inertia_,
            "iterations": found.n_iter_,
            "remarks": [*report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "model": str(model) if model else None,
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    out.print(_grid(profile, found.feature_names_in_ or []))
    _render.say(out, "Features: means per customer. Names say where centres lie apart from all customers.")
    if features is None or report.remarks or opened.notes:
        out.print()
        out.print(_render.report_grid(report, opened.notes))
    out.print()
    _render.say(out, printable(f"{table.num_rows:,} customers of {opened._label} in {seconds:.2f} s."))
    if target:
        _render.say(out, f"{table.num_rows:,} customers written to {printable(str(target))}.")
    if model:
        _render.say(out, f"Model written to {printable(str(model))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _purchases(
    patterns: tuple[str, ...], arguments: dict[str, Any], target: Path | None, reading: Reading
) -> tuple[Any, Source, float]:
    """One row per customer, from purchases."""
    files = _run.open_files(patterns, arguments, reading)
    if target:
        _output.check_target(target, files)
    table, seconds = _run.call(files, arguments, custcore.rfm)
    return table, files, seconds


def _customers(
    patterns: tuple[str, ...], features: list[str], target: Path | None, reading: Reading
) -> tuple[Any, Source, float]:
    """The rows of a file with one row per customer: the features, and the other common columns."""
    files = _run.open_files(patterns, {}, reading)
    if target:
        _output.check_target(target, files)
    start = time.perf_counter()
    names = [name for name in files.column_names if name and files.column_names.count(name) == 1]
    absent = [name for name in features if name not in names]
    if absent:
        near = difflib.get_close_matches(absent[0], names, 1, 0.6)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(map(repr, names))
        raise DataProblem(
            f"{files._name}: there is no column {absent[0]!r} (--features).{hint} The columns are {listed}"
        )
    try:
        table = files.table(names)
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error
    return table, files, time.perf_counter() - start


def _grid(profile: list[dict[str, Any]], features: list[str]) -> Any:  # noqa: ANN401
    grid = _render.table("cluster", "customers", "share", *features)
    for row in profile:
        share = "-" if row["share"] is None else f"{row['share']:.1%}"
        means = (_render.amount_text(row[f"{name}_mean"]) for name in features)
        grid.add_row(str(row.get("segment", row["cluster"])), f"{row['customers']:,}", share, *means)
    return grid
