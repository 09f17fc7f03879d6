"""``custcore lifecycle``: windows and stages of customers, from transaction files; counts over dates; the model."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import lifecycles
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _models, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InvalidArgumentError
from custcore.errors import InternalError as Bug

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

__all__ = ["command"]

TABLES = ("customers", "counts", "flows", "curve")
# Settings of a model that a fitted one has already.
SETTINGS = tuple(option.name for option in lifecycles.MODEL if option.help)
# Columns that stages do not need.
UNUSED = ("n_days", "attributes", "sort")


class Dates(click.ParamType[Any]):
    """Dates, separated by commas."""

    is_list = True
    name = "DATE,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401, ARG002
        """Part ``2026-01-31,2026-02-28``; the API reads the dates."""
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


@_command.command(
    "lifecycle",
    short_help="Show windows and stages: who is new, loyal, at risk, lost.",
    examples=(
        ("Stages on the screen, and one row per customer in a file", "custcore lifecycle sales.csv -o stages.parquet"),
        ("Windows of your own, in days", "custcore lifecycle sales.csv --active-days 90 --loss-days 365"),
        ("Month by month, as a file", "custcore lifecycle sales.csv --monthly --table counts -o counts.csv"),
        ("The model for months to come", "custcore lifecycle sales.csv --save-model life.json"),
        ("The same windows again", "custcore lifecycle sales.csv --model life.json"),
    ),
)
@_options.file_options
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print windows and stages only]")
@_options.json_option
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="customers",
    show_default=True,
    help="The table to write: the stage of each customer, counts or flows over dates, or the curve of gaps.",
)
@_options.column_options
@_options.api_options(tuple(option for option in RFM if option not in COLUMNS and option.name not in UNUSED))
@_command.option(
    "--dates", group="Time", type=Dates(), help="Count stages at these dates, too.", metavar="DATE,...", default=None
)
@_command.option("--monthly", group="Time", is_flag=True, help="Count stages at every month's end, too.")
@_options.api_options(lifecycles.MODEL)
@_models.model_option("Use the windows of this model, instead of those of these gaps.", required=False)
@_command.option(
    "--save-model",
    group="Output",
    type=_options.Target(),
    metavar="OUT",
    help="Write the model (.json), for --model.",
)
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    table: str,
    dates: list[str] | None,
    monthly: bool,
    model: Path | None,
    save_model: Path | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Show who is new, repeat, loyal, at risk or lost, by how long customers pause between purchases.

    FILE is as for `custcore rfm`. The windows are fitted by Kaplan-Meier on the gaps between purchase days, the open
    ones included: a customer is active up to the first, and lost beyond the second.
    """
    if monthly and dates is not None and _options.excludes("monthly", "dates"):
        dates = None
    if model and all(_options.excludes("model", name) for name in (*SETTINGS, "save_model")):
        save_model = None
    else:
        model = None
    reading = _options.reading_of(given)
    settings = {name: given.pop(name) for name in SETTINGS}
    arguments = _options.settings(given)
    as_of, threads = arguments.pop("as_of"), arguments["n_threads"]
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    if save_model:
        _models.check_target(save_model, opened.files)
    lifecycle = _models.load(model, (custcore.LifecycleModel,)) if model else custcore.LifecycleModel(**settings)
    base, seconds = _run.call(opened, arguments, base_of)
    try:
        if not model:
            lifecycle.fit(base, as_of, n_threads=threads)
        stages = base.lifecycle(as_of, lifecycle, n_threads=threads)
        day = stages.report.as_of
        if day is None:
            raise DataProblem(f"{opened._name}: no row has an id and a time")
        now = base.lifecycle_counts([day], lifecycle, n_threads=threads)
        looks = _month_ends(base, day) if monthly else dates
        counts = base.lifecycle_counts(looks, lifecycle, n_threads=threads) if looks else None
        if table == "flows":
            if looks is None or len(looks) < 2:
                raise click.UsageError("--table flows needs two dates or more: --dates, or --monthly")
            flows = base.lifecycle_flows(looks, lifecycle, n_threads=threads)
    except (InvalidArgumentError, Bug):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, arguments) from error
    made: dict[str, Callable[[], custcore.Table]] = {
        "customers": lambda: stages,
        "counts": lambda: counts or now,
        "flows": lambda: flows,
        "curve": lambda: lifecycle.curve_,
    }
    written = made[table]()
    if save_model:
        lifecycle.save(save_model)
    guarded = _output.write(written, target) if target else 0
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": arguments | (settings if not model else {"model": str(model)}),
            "rows": stages.report.n_rows,
            "customers": stages.num_rows,
            "as_of": day,
            "windows": _windows(lifecycle),
            "stages": now.to_pyarrow().to_pylist(),
            "counts": counts.to_pyarrow().to_pylist() if counts else None,
            "report": _render.entries(stages.report),
            "remarks": [*stages.report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "model": str(save_model) if save_model else None,
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    _show_windows(out, lifecycle, model)
    out.print()
    _show_stages(out, now, day)
    if counts:
        out.print()
        _show_counts(out, counts)
    out.print()
    out.print(_render.report_grid(stages.report, opened.notes))
    out.print()
    _render.say(out, f"{stages.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        place = "stdout" if str(target) == "-" else printable(str(target))
        _render.say(out, f"{written.num_rows:,} rows written to {place}.")
    if save_model:
        _render.say(out, f"Model written to {printable(str(save_model))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _month_ends(base: custcore.CustomerBase, last: dt.date) -> list[dt.date]:
    """The last days of all months from that of the first purchase on, and the last day."""
    first = min(base.rfm(last)["first_date"].to_pylist(), default=last)
    month, ends = first.replace(day=1), []
    while month <= last:
        month = (month + dt.timedelta(31)).replace(day=1)
        ends.append(min(month - dt.timedelta(1), last))
    return ends


def _windows(model: custcore.LifecycleModel) -> dict[str, Any]:
    found = ("active_days", "loss_days", "active_multiple", "loss_multiple", "typical_gap_days", "horizon_days")
    return {name: getattr(model, f"{name}_") for name in (*found, "share_returned", "as_of")}


def _show_windows(out: Console, model: custcore.LifecycleModel, path: Path | None) -> None:
    """The windows, and where they come from."""
    settings = model.settings
    own = settings["rhythm"] == "own"
    unit = "typical gaps" if own else "days"
    ends = (model.active_multiple_, model.loss_multiple_) if own else (model.active_days_, model.loss_days_)
    grid = _render.table("window", unit, _render.Column("source", is_left=True, wraps_to=30, rank=2))
    for name, end, share, given in zip(
        ("active up to", "lost beyond"),
        ends,
        settings["quantiles"],
        (settings["active_days"], settings["loss_days"]),
        strict=True,
    ):
        of = "all gaps" if settings["among"] == "all" else "gaps that end"
        source = "given" if given is not None else f"{share:.0%} of {of} have ended"
        grid.add_row(name, f"{end:,.2f}" if own else f"{end:,}", source)
    out.print(grid)
    if model.share_returned_ is not None:
        text = (
            f"Kaplan-Meier as of {model.as_of_}: {model.share_returned_:.1%} of gaps between purchase days end within "
            f"{model.horizon_days_:,} days, half of these within {model.typical_gap_days_:,}."
        )
        _render.say(out, text + (f" From {path}." if path else ""))


def _show_stages(out: Console, now: custcore.Table, day: dt.date) -> None:
    rows = [row for row in now if row["stage"] != "prospect"]
    has_money = "revenue" in now.column_names
    columns = [_render.Column(f"stage on {day}", is_left=True), _render.Column("customers"), _render.Column("share")]
    if has_money:
        columns += [
            _render.Column("revenue", rank=1),
            _render.Column("share", rank=2, said="share of revenue"),
        ]
    grid = _render.Grid(columns)
    everyone = sum(row["customers"] for row in rows)
    money = sum(row["revenue"] for row in rows) if has_money else None

    def add(name: str, customers: int, revenue: Any, style: str | None = None) -> None:  # noqa: ANN401
        cells = [name, f"{customers:,}", _share(customers, everyone)]
        if has_money:
            cells += [_render.amount_text(revenue), _share(revenue, money)]
        grid.add_row(*cells, style=style)

    for row in rows:
        add(row["stage"], row["customers"], row.get("revenue"))
    grid.add_section()
    add("all", everyone, money, "bold")
    out.print(grid)


def _share(part: Any, whole: Any) -> str:  # noqa: ANN401 (numbers of any kind)
    return f"{float(part) / float(whole):.1%}" if whole else "-"


def _show_counts(out: Console, counts: custcore.Table) -> None:
    """Customers of each stage, a line for each date."""
    stages = [name for name in dict.fromkeys(counts["stage"].to_pylist()) if name != "prospect"]
    grid = _render.table("as of", *stages, "all")
    by_date: dict[dt.date, dict[str, int]] = {}
    for row in counts:
        by_date.setdefault(row["as_of"], {})[row["stage"]] = row["customers"]
    for day, numbers in by_date.items():
        grid.add_row(str(day), *(f"{numbers[stage]:,}" for stage in stages), f"{sum(numbers.values()):,}")
    out.print(grid)
