"""``custcore preferences``: what customers like, how broad they buy, and who buys on offer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._lifecycle.transactions import base_of
from custcore._options import bases, preferences
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _command, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

__all__ = ["UNUSED", "command", "required_column"]

TABLES = ("preferences", "breadth", "promotion", "features")
# Columns of a base that are not asked for.
UNUSED = ("n_days", "attributes", "sort")
# Categories on the screen.
SHOWN = 15


def required_column(categories: str | None) -> str:
    """The column of categories, which has no default."""
    if not categories:
        raise click.UsageError("--categories is missing: the column of categories, e.g. --categories department")
    return categories


@_command.command(
    "preferences",
    short_help="Show what customers like, compared with all.",
    examples=(
        ("The categories, and how many customers prefer each", "custcore preferences bought.csv --categories item"),
        (
            "What each customer likes, to a file",
            "custcore preferences bought.csv --categories item -o likes.parquet",
        ),
        ("What each country likes", "custcore preferences bought.csv --categories item --by country"),
        (
            "How broad customers buy",
            "custcore preferences bought.csv --categories item --table breadth -o out.csv",
        ),
    ),
)
@_options.file_options
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print the categories only]")
@_options.json_option
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="preferences",
    show_default=True,
    help="The table to write: preferences, breadth, sensitivity to promotion, or shares as columns.",
)
@_options.column_options
@_options.api_options(bases.CATEGORIES[:2])
@_options.api_options(tuple(option for option in RFM if option not in COLUMNS and option.name not in UNUSED))
@_options.api_options((preferences.MEASURE, preferences.GROUPS))
@_options.api_option(preferences.PRIOR_ORDERS, click.FLOAT)
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    table: str,
    measure: str,
    by: str | None,
    prior_orders: float,
    **given: Any,  # noqa: ANN401
) -> None:
    """Show the categories, their shares of all customers, and how many customers prefer each.

    FILE is as for `custcore rfm`, with a column of categories, departments or brands. The shares of a customer are
    averaged with those of all customers, so that two orders make no favourite.
    """
    reading = _options.reading_of(given)
    required_column(given["categories"])
    if table == "promotion" and not given["promotion"]:
        raise click.UsageError("--table promotion needs the column of discounts: --promotion COLUMN")
    if by is not None and table != "preferences":
        raise click.UsageError(f"--by and --table {table} exclude each other")
    arguments = _options.settings(given)
    as_of, threads = arguments.pop("as_of"), arguments["n_threads"]
    if by is not None:
        arguments["attributes"] = {by: "first"}
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    base, seconds = _run.call(opened, {**arguments, "category_days": as_of is not None}, base_of)
    start = time.perf_counter()
    if base.last_date is None:
        raise DataProblem(f"{opened._name}: no row has an id and a time")
    options = {"prior_orders": prior_orders, "as_of": as_of, "n_threads": threads}
    try:
        found = base.preferences(measure, by=by, **options)  # type: ignore[arg-type]
        made = found
        if table == "breadth":
            made = base.breadth(**options)
        elif table == "promotion":
            made = base.promotion_sensitivity(as_of=as_of, n_threads=threads)
        elif table == "features":
            made = base.preference_features(measure=measure, **options)  # type: ignore[arg-type]
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, arguments) from error
    rows = _groups(found, by) if by is not None else _categories(found)
    guarded = _output.write(made, target) if target else 0
    seconds += time.perf_counter() - start
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": arguments | {"as_of": as_of, "measure": measure, "by": by, "prior_orders": prior_orders},
            "rows": found.report.n_rows,
            "as_of": found.report.as_of,
            "categories": rows,
            "report": _render.entries(found.report),
            "remarks": [*found.report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    if by is not None:
        _show_groups(out, rows, by)
    else:
        _show(out, rows, measure)
    out.print()
    out.print(_render.report_grid(found.report, opened.notes))
    out.print()
    _render.say(out, f"{found.report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        place = "stdout" if str(target) == "-" else printable(str(target))
        _render.say(out, f"{made.num_rows:,} rows written to {place}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _categories(found: custcore.Table) -> list[dict[str, Any]]:
    """A row for each category, by its share of all customers: customers, orders, money, and favourites."""
    rows: dict[Any, dict[str, Any]] = {}
    names = ("category", "orders", "share_all", "rank")
    columns = [found[name].to_pylist() for name in names]
    money = found["monetary_total"].to_pylist() if "monetary_total" in found.column_names else None
    for at, (category, orders, share, rank) in enumerate(zip(*columns, strict=True)):
        row = rows.setdefault(
            category,
            {"category": category, "customers": 0, "orders": 0, "revenue": 0 if money else None, "share": share}
            | {"favourite_of": 0},
        )
        row["customers"] += 1
        row["orders"] += orders
        row["favourite_of"] += rank == 1
        if money:
            row["revenue"] += money[at]
    return sorted(rows.values(), key=lambda row: -(row["share"] or 0))


def _groups(found: custcore.Table, by: str) -> list[dict[str, Any]]:
    """The three categories of each group with the largest index among those with a share of 1 % or more."""
    rows = found.to_pylist()
    kept: list[dict[str, Any]] = []
    for group in dict.fromkeys(row[by] for row in rows):
        own = [row for row in rows if row[by] == group and (row["share"] or 0) >= 0.01 and row["index"] is not None]
        kept += sorted(own, key=lambda row: -row["index"])[:3]
    return kept


def _show(out: Console, rows: list[dict[str, Any]], measure: str) -> None:
    """Print the categories."""
    has_money = any(row["revenue"] is not None for row in rows)
    columns = [_render.Column("category", is_left=True, wraps_to=24), _render.Column("customers")]
    columns.append(_render.Column("orders", rank=2))
    if has_money:
        columns.append(_render.Column("revenue", rank=1))
    of = "revenue" if measure == "spend" else "orders"
    columns += [_render.Column("share", said=f"share of {of}"), _render.Column("favourite of", said="first choice of")]
    grid = _render.Grid(columns)
    for row in rows[:SHOWN]:
        cells = [str(row["category"]), f"{row['customers']:,}", f"{row['orders']:,}"]
        if has_money:
            cells.append(_render.amount_text(row["revenue"]))
        grid.add_row(*cells, _percent(row["share"]), f"{row['favourite_of']:,}")
    out.print(grid)
    if len(rows) > SHOWN:
        _render.say(out, f"The {SHOWN} largest of {len(rows):,} categories.")


def _show_groups(out: Console, rows: list[dict[str, Any]], by: str) -> None:
    """Print what each group likes most."""
    grid = _render.Grid(
        [
            _render.Column(by, is_left=True, wraps_to=16),
            _render.Column("category", is_left=True, wraps_to=24),
            _render.Column("customers", rank=1),
            _render.Column("share"),
            _render.Column("of all", rank=2),
            _render.Column("index"),
        ]
    )
    before: Any = object()
    for row in rows:
        name = "" if row[by] == before else "(none)" if row[by] is None else str(row[by])
        before = row[by]
        shares = (_percent(row["share"]), _percent(row["share_all"]))
        grid.add_row(name, str(row["category"]), f"{row['customers']:,}", *shares, f"{row['index']:,.0f}")
    out.print(grid)
    _render.say(out, "Index: 100 is the share of all customers. Categories with 1 % or more of a group.")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
