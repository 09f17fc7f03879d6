"""``custcore next``: the category that each customer may buy next, and how good that guess was."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import bases, next_category
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _models, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem
from custcore.cli._preferences import UNUSED, required_column
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

__all__ = ["command"]

# Categories on the screen.
SHOWN = 10


@_command.command(
    "next",
    short_help="Recommend the category that each customer may buy next.",
    examples=(
        ("Five for each customer, to a file", "custcore next bought.csv --categories item -o next.parquet"),
        (
            "How often that would have been right in the last 14 days",
            "custcore next bought.csv --categories item --backtest --horizon 14",
        ),
        (
            "The model, for purchases to come",
            "custcore next bought.csv --categories item --save-model next.json",
        ),
        ("New purchases by that model", "custcore next bought.csv --categories item --model next.json -k 1"),
    ),
)
@_options.file_options
@_options.output_option("Write the recommendations: .parquet, .csv, .xlsx, .arrow. [default: print a summary only]")
@_options.json_option
@_options.column_options
@_options.api_option(bases.CATEGORIES[0])
@_options.api_options(tuple(option for option in RFM if option not in COLUMNS and option.name not in UNUSED))
@_options.api_options(next_category.MODEL)
@_options.api_option(next_category.K)
@_models.model_option("Recommend by this model, instead of one fitted on these purchases.", required=False)
@_command.option(
    "--backtest",
    group="Scores",
    is_flag=True,
    help="Test the methods on the last days, beside the most popular categories.",
)
@_command.option(
    "--horizon",
    group="Scores",
    type=_words.Whole(1),
    default=90,
    show_default=True,
    metavar="N",
    help="Days of the test.",
)
@_models.save_option("the model", "next")
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    method: str,
    min_customers: int,
    k: int,
    model: Path | None,
    backtest: bool,
    horizon: int,
    save_model: Path | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Recommend categories that a customer has not bought yet, by what others with the same ones have bought.

    FILE is as for `custcore rfm`, with a column of categories or products. Test with --backtest first: where most
    customers buy most categories, the most popular ones are as good.
    """
    reading = _options.reading_of(given)
    required_column(given["categories"])
    if model and all(_options.excludes("model", name) for name in ("method", "min_customers", "save_model")):
        save_model = None
    else:
        model = None
    arguments = _options.settings(given)
    as_of, threads = arguments.pop("as_of"), arguments["n_threads"]
    if backtest and as_of is not None:
        raise click.UsageError("--backtest tests the last days of all rows; leave out --as-of")
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    if save_model:
        _models.check_target(save_model, opened.files)
    fitted = _models.load(model, (custcore.NextCategory,)) if model else None
    base, seconds = _run.call(opened, {**arguments, "category_days": backtest or as_of is not None}, base_of)
    start = time.perf_counter()
    if base.last_date is None:
        raise DataProblem(f"{opened._name}: no row has an id and a time")
    try:
        if fitted is None:
            fitted = custcore.NextCategory(method, min_customers=min_customers)  # type: ignore[arg-type]
            fitted.fit(base, as_of, n_threads=threads)
        found = fitted.recommend(base, k, as_of, n_threads=threads)
        test = _tested(base, horizon, fitted.min_customers, threads) if backtest else None
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, arguments) from error
    if save_model:
        fitted.save(save_model)
    first = _first(found, fitted)
    guarded = _output.write(found, target) if target else 0
    seconds += time.perf_counter() - start
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": arguments
            | {"as_of": as_of, "k": k, "method": fitted.method}
            | {"min_customers": fitted.min_customers},
            "model": {"file": str(model) if model else None, "as_of": fitted.as_of_},
            "rows": base.report.n_rows,
            "as_of": found.report.as_of,
            "customers": fitted.n_customers_,
            "categories": fitted.categories_.num_rows,
            "first": first,
            "backtest": test.to_pylist() if test else None,
            "report": _render.entries(found.report),
            "remarks": [*found.report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "saved_model": str(save_model) if save_model else None,
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    _show(out, first)
    if test:
        out.print()
        _show_test(out, test, horizon)
    out.print()
    out.print(_render.report_grid(found.report, opened.notes))
    out.print()
    by = f", by {model} of {fitted.as_of_}" if model else ""
    _render.say(out, f"{base.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s{by}.")
    if target:
        _render.say(out, f"{found.num_rows:,} rows written to {target}.")
    if save_model:
        _render.say(out, f"Model written to {save_model}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _tested(base: custcore.CustomerBase, horizon: int, min_customers: int, threads: int | None) -> custcore.Table:
    """The test of the last days."""
    last = base.last_date or dt.date.min
    if last.toordinal() <= horizon:
        raise InvalidArgumentError(f"horizon={horizon} is longer than the calendar before the last day, {last}")
    date = last - dt.timedelta(horizon)
    return custcore.backtest_next(base, [date], horizon, min_customers=min_customers, n_threads=threads)


def _first(found: custcore.Table, model: custcore.NextCategory) -> list[dict[str, Any]]:
    """How many customers get each category as the first recommendation."""
    ranks, categories = found["rank"].to_pylist(), found["category"].to_pylist()
    counts = Counter(category for category, rank in zip(categories, ranks, strict=True) if rank == 1)
    owners = dict(model.categories_.rows())
    rows = [{"category": name, "first_of": n, "customers": owners[name]} for name, n in counts.items()]
    return sorted(rows, key=lambda row: -row["first_of"])


def _show(out: Console, first: list[dict[str, Any]]) -> None:
    """Print the first recommendations."""
    grid = _render.Grid(
        [
            _render.Column("recommended first", is_left=True, wraps_to=28),
            _render.Column("to customers"),
            _render.Column("who have it", rank=1),
        ]
    )
    for row in first[:SHOWN]:
        grid.add_row(str(row["category"]), f"{row['first_of']:,}", f"{row['customers']:,}")
    out.print(grid)
    if len(first) > SHOWN:
        _render.say(out, f"The {SHOWN} most frequent of {len(first):,} categories.")


def _show_test(out: Console, test: custcore.Table, horizon: int) -> None:
    """Print the hits of each method, and which one is better than popularity."""
    rows = test.to_pylist()
    hits = [name for name in test.column_names if name.startswith("hit@")]
    columns = [_render.Column("method", is_left=True)]
    columns += [_render.Column(name, rank=0 if name == "hit@5" else 1) for name in hits]
    grid = _render.Grid(columns)
    for row in rows:
        grid.add_row(row["method"], *("-" if row[name] is None else f"{row[name]:.1%}" for name in hits))
    out.print(grid)
    _render.say(
        out,
        f"Fitted as of {rows[0]['date']}. Of {rows[0]['customers']:,} customers who bought something new in the "
        f"{horizon} days after it, the share of whom one of the first recommendations was among it.",
    )
    popular = next(row for row in rows if row["method"] == "popularity")
    best = max(rows, key=lambda row: row["hit@5"] or 0.0)
    if popular["hit@5"] is None:
        return
    if best["hit@5"] > popular["hit@5"] + 0.02:
        _render.say(out, f"{best['method']} hits more often than the most popular categories.")
    else:
        _render.say(out, "The most popular categories hit about as often: a model adds little here.")
