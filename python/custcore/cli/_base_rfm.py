"""``custcore base rfm``: the customers of a base as of a day, with scores and segments."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.bases import AS_OF
from custcore._options.transactions import N_THREADS
from custcore.cli import _command, _lists, _models, _options, _output, _render, _rfm, _scored
from custcore.cli._base_file import base_argument, is_new, load, quiet_option
from custcore.cli._failure import DataProblem
from custcore.errors import StateMismatchError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore.cli._models import Model

__all__ = ["command"]


@_command.command(
    "rfm",
    short_help="Score the customers of a base.",
    examples=(
        ("As of the last day, with the scorer for days to come", "custcore base rfm shop.base --save-model shop.json"),
        (
            "With the same edges every day, and how far customers drift from them",
            "custcore base rfm shop.base --model shop.json -o scores.parquet",
        ),
        ("A list to hand out", "custcore base rfm shop.base --segment at_risk -o list.csv"),
    ),
)
@base_argument
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print the table only]")
@_options.json_option
@_options.api_option(AS_OF)
@_models.model_option("Score with this model, instead of edges of the customers of that day.", required=False)
@_options.scoring_options
@_command.option("--no-scores", group="Scores", is_flag=True, help="Recency, frequency and money only.")
@_models.save_option("the scorer")
@_lists.list_options
@_options.api_option(N_THREADS)
@quiet_option
def command(
    base: Path,
    target: Path | None,
    as_json: bool,
    as_of: str | None,
    model: Path | None,
    no_scores: bool,
    save_model: Path | None,
    n_threads: int | None,
    quiet: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Score and segment the customers of BASE as of a day, as `custcore rfm` does of all its purchases.

    A day before the last one needs a base of level days or orders. BASE is not changed.
    """
    listing = _lists.list_of(given)
    scoring = _options.settings(given)
    exclusive = (*_options.SCORING, "save_model")
    if no_scores and all(_options.excludes("no_scores", name) for name in (*exclusive, "only_segments", "model")):
        # What a settings file has of these does not apply.
        model, save_model, listing = None, None, replace(listing, segments=())
    else:
        no_scores = False
    if model and all(_options.excludes("model", name) for name in exclusive):
        save_model = None
    else:
        model = None
    if target:
        if target.resolve() == base.resolve():
            raise click.UsageError(f"{target} is the base; choose another name for the result")
        _output.check_target(target)
    if save_model:
        _models.check_target(save_model)
    start = time.perf_counter()
    fitted: Model | None = _models.load(model) if model else None
    kept = load(base)
    if is_new(kept):
        raise DataProblem(f"{base} is empty; add files: custcore base update {base} FILE...")
    customers = _customers(kept, as_of, n_threads)
    if not customers.num_rows:
        raise DataProblem(f"{base} has no customers with a purchase" + (f" as of {as_of}" if as_of else ""))
    needs = _models.Needs((), None, {})
    if fitted is None and not no_scores:
        fitted = custcore.RFMScorer(**scoring).fit(customers, n_threads=n_threads)
    if fitted is not None:
        needs = _models.Needs.of(fitted, model or base)
        needs.check(customers, model or base)
    table = customers if fitted is None else _models.apply(fitted, customers, n_threads)
    listing.check(table.column_names, _models.segments_of(fitted, table))
    found = listing.take(table) if listing.is_asked else None
    drift = _scored.drift_of(fitted, customers, n_threads) if model and fitted else []
    if save_model and fitted:
        fitted.save(save_model)
    guarded = _output.write(found.customers if found else table, target) if target else 0
    seconds = time.perf_counter() - start
    parts = _scored.parts_of(fitted, table, needs)
    if as_json:
        said = {
            "version": custcore.__version__,
            "base": str(base),
            "as_of": table.report.as_of,
            "customers": table.num_rows,
            "settings": {"model": str(model)} if model else {} if no_scores else scoring,
            **parts,
            "drift": drift,
            "report": _render.entries(table.report),
            "remarks": list(table.report.remarks),
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "model": str(save_model) if save_model else None,
        }
        if found:
            said["list"] = listing.as_json(found, has_file=target is not None)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        out = _render.console(target)
        _scored.show_scored(out, parts, needs, drift)
        out.print()
        out.print(_render.report_grid(table.report))
        out.print()
        by = f", scored by {model}" if model else ""
        _render.say(out, f"{base} as of {table.report.as_of}: {table.num_rows:,} customers in {seconds:.2f} s{by}.")
        _rfm.show_written(out, table, found, target, guarded, save_model)


def _customers(kept: custcore.CustomerBase, as_of: str | None, n_threads: int | None) -> custcore.Table:
    try:
        return kept.rfm(as_of, n_threads=n_threads)
    except StateMismatchError as error:
        if kept.track != "totals":
            raise
        raise click.UsageError(
            f"--as-of {as_of} is before the last day in the base, {kept.last_date}; a base of level totals has no "
            "past days, one of `custcore base init --track days` has"
        ) from error
