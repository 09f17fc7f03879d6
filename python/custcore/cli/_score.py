"""``custcore score``: new data scored by a saved model, and how far they are from those of the fit."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.transactions import COLUMNS, RFM
from custcore._rfm.segment_profile import FREQUENCY, MONETARY
from custcore.cli import _command, _kmeans, _lists, _models, _options, _output, _render, _rfm, _run
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError, NotEnoughDataError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from custcore._read import Source
    from custcore.cli._grid import Grid
    from custcore.cli._models import Model

__all__ = ["Needs", "apply", "command", "drift_grid", "drift_of", "show_scored"]

# Rules of thumb for the population stability index: below the first nothing has changed, above the second fit again.
STABLE, SHIFTED = 0.1, 0.25


@dataclass(frozen=True)
class Needs:
    """What a model needs of a customer.

    Attributes
    ----------
    columns : tuple of str
        The columns it scores, and that of its groups.
    by : str or None
        The column of its groups.
    measures : dict
        The options of `custcore.profile` that suit its columns.
    """

    columns: tuple[str, ...]
    by: str | None
    measures: dict[str, str]

    @staticmethod
    def of(model: Model, path: Path) -> Needs:
        """Find what a model needs.

        Parameters
        ----------
        model
            A fitted model.
        path
            Its file, for errors.
        """
        if isinstance(model, custcore.KMeans):
            if model.feature_names_in_ is None:
                raise DataProblem(
                    f"{path} was fitted on an array, whose features have no names, so no columns of a file can be "
                    "found for them. Fit it on a table, or use predict(x) in Python"
                )
            return Needs(tuple(model.feature_names_in_), None, {})
        settings = model.get_params()
        if isinstance(model, custcore.QuantileScorer):
            return Needs(tuple(settings["columns"]), None, {})
        measures = {name: settings[name] for name in ("frequency", "monetary")}
        columns = ["recency_days", FREQUENCY[measures["frequency"]]]
        if "monetary" in set(model.thresholds["dimension"]):
            columns.append(MONETARY[measures["monetary"]])
        by = settings["by"]
        return Needs((*columns, *([by] if by else [])), by, measures)

    def of_purchases(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of `custcore.rfm` by which purchases have these columns.

        Parameters
        ----------
        arguments
            What `_options.settings` made.

        Raises
        ------
        DataProblem
            If a column cannot be made of purchases.
        """
        found = dict(arguments)
        if "n_days" in self.columns:
            found["n_days"] = True
        keys = found["customer_id"] if isinstance(found["customer_id"], list) else [found["customer_id"]]
        if self.by is not None and self.by not in keys:
            found["attributes"] = {self.by: "first", **(found.get("attributes") or {})}
        return found

    def check(self, table: custcore.Table, path: Path) -> None:
        """Raise if a table of purchases by customer lacks a column.

        Parameters
        ----------
        table
            What `custcore.rfm` returned.
        path
            The file of the model.
        """
        lacking = [name for name in self.columns if name not in table.column_names]
        if any(name in MONETARY.values() for name in lacking):
            raise click.UsageError(f"{path} scores money: name its column by --amount, without --no-amount")
        if lacking:
            raise DataProblem(
                f"{path} scores the column {lacking[0]!r}, which is not among those made of purchases: "
                f"{', '.join(table.column_names)}. Pass a file with one row per customer that has it"
            )


@_command.command(
    "score",
    short_help="Score new data with a saved model.",
    examples=(
        ("Purchases by the edges of an earlier fit", "custcore score sales.csv --model scorer.json -o scores.parquet"),
        (
            "The customers that the earlier fit would call at risk",
            "custcore score sales.csv --model scorer.json --segment at_risk -o list.csv",
        ),
        ("One row per customer that `custcore rfm` wrote", "custcore score scores.parquet --model scorer.json"),
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
    needs = Needs.of(scorer, model)
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    is_purchases = _is_purchases(opened, needs, arguments)
    threads = arguments.get("n_threads")

    def accept(customers: custcore.Table) -> None:
        needs.check(customers, model)
        result = apply(scorer, customers, threads)
        listing.check(result.column_names, _lists.segments_of(result), opened.column_names)

    notes: list[str] = []
    if is_purchases:
        customers, seconds = _run.call(opened, needs.of_purchases(arguments), custcore.rfm, accept)
    else:
        start = time.perf_counter()
        customers, notes = _customers(opened, scorer, needs)
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    try:
        table = apply(scorer, customers, threads)
        drift = drift_of(scorer, customers, threads)
    except InternalError:
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, {}) from error
    seconds += time.perf_counter() - start
    if not is_purchases:
        listing.check(table.column_names, _lists.segments_of(table))
    found = listing.take(table) if listing.is_asked else None
    guarded = _output.write(found.customers if found else table, target) if target else 0
    parts = parts_of(scorer, table, needs)
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
        show_scored(out, parts, needs, drift)
    else:
        out.print("No customers.")
    out.print()
    out.print(_render.report_grid(table.report, [*opened.notes, *notes]))
    out.print()
    _render.say(out, f"{opened._label} has {what}; scored by {model} ({type(scorer).__name__}).")
    rows = f"{table.report.n_rows:,} rows, " if is_purchases else ""
    _render.say(out, f"{rows}{table.num_rows:,} customers in {seconds:.2f} s.")
    _rfm.show_written(out, table, found, target, guarded)


def _is_purchases(files: Source, needs: Needs, arguments: dict[str, Any]) -> bool:
    """Whether files have purchases rather than customers: those have all that the model needs."""
    context = click.get_current_context()
    there = files.column_names
    lacking = [name for name in needs.columns if name not in there]
    has_times = arguments["timestamp"] in there
    asked = [
        option.name
        for option in (*COLUMNS, *RFM)
        if context.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE
        and option.name != "n_threads"
    ]
    if not lacking and not (asked and has_times):
        if asked:
            raise click.UsageError(
                f"--{asked[0].replace('_', '-')} belongs to purchases, but {files._name} has one row per customer: "
                f"the columns {', '.join(needs.columns)} are there"
            )
        return False
    if lacking and not has_times and len(lacking) < len(needs.columns):
        raise DataProblem(
            f"{files._name}: the model scores {', '.join(needs.columns)}, of which "
            f"{' and '.join(map(repr, lacking))} is not there{_lists.proposal(lacking[0], there)}"
        )
    return True


def _customers(files: Source, model: Model, needs: Needs) -> tuple[Any, list[str]]:
    """The rows of files with one row per customer, and what is said about them."""
    names = [name for name in files.column_names if name and files.column_names.count(name) == 1]
    try:
        sample = files._planned(needs.columns, {}).empty_table()
        added = [name for name in apply(model, sample, None).column_names if name not in needs.columns]
        old = [name for name in names if name in added]
        table = files.table([name for name in names if name not in old])
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error
    return table, [f"columns of an earlier score are replaced: {', '.join(old)}"] if old else []


def apply(model: Model, customers: Any, threads: int | None) -> custcore.Table:  # noqa: ANN401
    """Score customers.

    Parameters
    ----------
    model
        A fitted model.
    customers
        One row per customer.
    threads
        How many, or None.
    """
    if isinstance(model, custcore.KMeans):
        model.n_threads = threads
        return model.assign(customers)
    return model.transform(customers, n_threads=threads)


def drift_of(model: Model, customers: Any, threads: int | None) -> list[dict[str, Any]]:  # noqa: ANN401
    """The rows of `drift`; none for clusters, whose model keeps no sizes, and without customers.

    Parameters
    ----------
    model
        A fitted model.
    customers
        One row per customer.
    threads
        How many, or None.
    """
    if isinstance(model, custcore.KMeans):
        return []
    try:
        return model.drift(customers, n_threads=threads).to_pylist()
    except NotEnoughDataError:
        return []


def parts_of(model: Model | None, table: custcore.Table, needs: Needs) -> dict[str, Any]:
    """Segments, clusters or scores with their sizes, as they are told.

    Parameters
    ----------
    model
        A fitted model, or None for customers without scores.
    table
        What `apply` returned.
    needs
        What the model needs.
    """
    if isinstance(model, custcore.KMeans):
        return {"clusters": model.profile(table).to_pylist() if table.num_rows else []}
    if isinstance(model, custcore.QuantileScorer):
        return {"scores": model.drift(table, by_score=True).to_pylist() if table.num_rows else []}
    segments, everyone = _rfm.profiles(table, **needs.measures)
    return {"segments": segments, "all": {name: value for name, value in everyone.items() if name != "segment"}}


def show_scored(out: Console, parts: dict[str, Any], needs: Needs, drift: list[dict[str, Any]]) -> None:
    """Print segments, clusters or scores, and the drift.

    Parameters
    ----------
    out
        What `_render.console` opened.
    parts, needs, drift
        What `parts_of` returned, what the model needs, what `drift_of` returned.
    """
    if "clusters" in parts:
        out.print(_kmeans.grid(parts["clusters"], list(needs.columns)))
        _render.say(out, "Features: means per customer. A model of clusters keeps no sizes of its fit: no drift.")
        return
    if "scores" in parts:
        out.print(_shares(parts["scores"]))
    else:
        counted = needs.measures.get("frequency", "orders")
        out.print(_render.segment_grid(parts["segments"], parts["all"], counted))
        money = ", money" if parts["all"].get("revenue") is not None else ""
        _render.say(out, f"Recency in days, {counted}{money}: means per customer.")
    if drift:
        out.print()
        out.print(drift_grid(drift))
        _render.say(
            out,
            f"PSI, the population stability index against the fit: below {STABLE:g} nothing has changed; above "
            f"{SHIFTED:g} fit the model again.",
        )


def drift_grid(drift: list[dict[str, Any]]) -> Grid:
    """Render the population stability index of each dimension.

    Parameters
    ----------
    drift
        What `drift_of` returned.
    """
    from rich.text import Text

    grid = _render.table("dimension", "of the fit", "now", "PSI", "")
    for row in drift:
        psi = row["psi"]
        word = "stable" if psi < STABLE else "shifted" if psi <= SHIFTED else "fit again"
        cells = (printable(row["dimension"]), f"{row['customers_fitted']:,}", f"{row['customers_now']:,}")
        grid.add_row(*map(Text, (*cells, f"{psi:.3f}", word)))
    return grid


def _shares(scores: list[dict[str, Any]]) -> Grid:
    from rich.text import Text

    grid = _render.table("column", "score", "share of the fit", "share now")
    last = None
    for row in scores:
        name = printable(row["dimension"]) if row["dimension"] != last else ""
        last = row["dimension"]
        cells = (name, str(row["score"]), f"{row['share_fitted']:.1%}", f"{row['share_now']:.1%}")
        grid.add_row(*map(Text, cells))
    return grid
