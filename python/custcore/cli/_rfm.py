"""``custcore rfm``: one row per customer, with scores and segments, from transaction files; lists and the scorer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore.cli import _command, _lists, _models, _options, _output, _render, _run
from custcore.cli._failure import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from custcore._read import Source
    from custcore.cli._lists import CustomerList

__all__ = ["NEED_SCORES", "command", "profiles", "run", "show", "show_written"]

# Options that exclude --no-scores, beside those of scoring.
NEED_SCORES = ("only_segments", "save_model")


@_command.command(
    "rfm",
    short_help="Score and segment customers.",
    examples=(
        ("Segments on the screen, and one row per customer in a file", "custcore rfm sales.csv -o scores.parquet"),
        (
            "Other names of columns, and lines of orders",
            "custcore rfm lines.csv --customer-id client --amount total --order-id bill",
        ),
        ("The scorer for customers to come", "custcore rfm sales.csv --save-model m.json"),
        ("Money as a product", 'custcore rfm lines.csv --customer-id client --amount "price * pieces"'),
        ("The best hundred champions", "custcore rfm sales.csv --segment champions --top 100 -o list.csv"),
        ("With a column of the file", "custcore rfm sales.csv --attributes country --columns customer_id,country"),
        ("As of a day, of one country", "custcore rfm sales.csv --as-of 2026-01-30 --where \"country = 'FR'\""),
    ),
)
@_options.file_options
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print the table only]")
@_options.json_option
@_options.column_options
@_options.transaction_options
@_options.scoring_options
@_command.option("--no-scores", group="Scores", is_flag=True, help="Recency, frequency and money only.")
@_models.save_option("the scorer")
@_lists.list_options
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    no_scores: bool,
    save_model: Path | None,
    **given: object,
) -> None:
    """Compute recency, frequency and money, scores and segments of each customer.

    FILE is Parquet, CSV, JSON lines, Arrow or a workbook (.xlsx); several files, globs, folders and URLs are read as
    one, and only the columns needed; - is stdin. An empty cell of CSV (or NA, NULL, nan) is a null. --amount takes
    arithmetic over columns, too: --amount "Quantity * UnitPrice".
    """
    without = no_scores and all(_options.excludes("no_scores", name) for name in (*_options.SCORING, *NEED_SCORES))
    if without:  # those that a settings file has do not apply
        given["only_segments"], save_model = (), None
    run(files, target, as_json=as_json, scores=not without, save_model=save_model, given=given)


def run(
    patterns: tuple[str, ...],
    target: Path | None,
    *,
    as_json: bool,
    given: dict[str, Any],
    scores: bool = True,
    save_model: Path | None = None,
) -> None:
    """Read, score, cut down to a list, write, show.

    Parameters
    ----------
    patterns
        Names of files, as `open_files` takes them.
    target
        The file to write, if any.
    as_json
        Whether stdout gets JSON instead of tables.
    given
        Values of the options of reading, columns, transactions, scoring and lists.
    scores
        Whether customers are scored.
    save_model
        The file for the scorer, if any.
    """
    reading = _options.reading_of(given)
    listing = _lists.list_of(given)
    arguments = _options.settings(given)
    if not scores:
        arguments = {name: value for name, value in arguments.items() if name not in _options.SCORING}
    if arguments.get("by") in (arguments.get("attributes") or ()):
        raise click.UsageError(f"{arguments['by']} rides along because of --by; leave it out of --attributes")
    files = _run.open_files(patterns, arguments, reading)
    if target:
        _output.check_target(target, files)
    if save_model:
        _models.check_target(save_model, files.files)
    function = custcore.rfm_scores if scores else custcore.rfm
    table, seconds = _run.call(
        files,
        arguments,
        function,
        lambda empty: listing.check(empty.column_names, _lists.segments_of(empty), files.column_names),
    )
    if save_model:
        scorer = custcore.RFMScorer(**{name: arguments[name] for name in _options.SCORING if name in arguments})
        scorer.fit(table, n_threads=arguments.get("n_threads")).save(save_model)
    found = listing.take(table) if listing.is_asked else None
    guarded = _output.write(found.customers if found else table, target) if target else 0
    if as_json:
        said = _as_json(files, arguments, table, seconds, target)
        said["model"] = str(save_model) if save_model else None
        if found:
            said["list"] = listing.as_json(found, has_file=target is not None)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
    else:
        out = _render.console(target)
        show(out, files, arguments, table, seconds)
        show_written(out, table, found, target, guarded, save_model)


def show_written(
    out: Console,
    table: custcore.Table,
    found: CustomerList | None,
    target: Path | None,
    guarded: int,
    model: Path | None = None,
) -> None:
    """Print the list, if one is asked for, and the files written.

    Parameters
    ----------
    out
        What `_render.console` opened.
    table, found
        All customers, and the list of some.
    target, guarded
        The file of customers, and what `_output.write` returned.
    model
        The file of the model.
    """
    if found:
        out.print()
        _lists.show(out, found, has_file=target is not None)
    if target:
        written = found.customers if found else table
        place = "stdout" if str(target) == "-" else printable(str(target))
        _render.say(out, f"{written.num_rows:,} customers written to {place}.")
    if model:
        _render.say(out, f"Model written to {printable(str(model))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def show(out: Console, files: Source, arguments: dict[str, Any], table: custcore.Table, seconds: float) -> None:
    """Print the segments, what was excluded and the time."""
    counted = arguments.get("frequency", "orders")
    segments, everyone = profiles(table)
    if everyone["customers"]:
        out.print(_render.segment_grid(segments, everyone, counted))
        money = ", money" if everyone.get("revenue") is not None else ""
        _render.say(
            out, f"Recency (days before the end of {table.report.as_of}), {counted}{money}: means per customer."
        )
    else:
        _render.say(out, _nobody(table.report))
    out.print()
    out.print(_render.report_grid(table.report, files.notes))
    out.print()
    rows = table.report.n_rows
    rate = rows / max(seconds, 1e-9)
    counts = f"{rows:,} rows of {files._label}, {everyone.get('orders', 0):,} orders, {table.num_rows:,} customers"
    _render.say(out, printable(f"{counts} in {seconds:.2f} s ({_rate(rate)} rows/s)."))


def profiles(table: custcore.Table, **measures: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # noqa: ANN401
    """Return `custcore.profile` of the segments (an empty list without segments), and of all customers as one.

    Parameters
    ----------
    table
        What `custcore.rfm` or `custcore.rfm_scores` returned.
    measures
        The options of `custcore.profile`, if a scorer has others than the defaults.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    segments: list[dict[str, Any]] = []
    if "segment" in table.column_names:
        segments = custcore.profile(table, **measures).to_pyarrow().to_pylist()
    rows = table.to_pyarrow()
    rows = rows.drop_columns(["segment"]) if "segment" in rows.column_names else rows
    all_of_them = pa.DictionaryArray.from_arrays(pa.nulls(rows.num_rows, pa.int8()).fill_null(0), ["all"])
    everyone = custcore.profile(rows.append_column("segment", all_of_them), **measures).to_pyarrow().to_pylist()
    if not everyone:
        return [], {"customers": 0, "orders": 0}
    orders = pc.sum(rows["n_orders"]).as_py() if "n_orders" in rows.column_names else None
    return segments, {**everyone[0], "orders": orders}


def _nobody(report: custcore.Report) -> str:
    """Why there are no customers."""
    if not report.n_rows:
        return "No customers: there are no rows."
    after = report["after_as_of"].count
    usable = report.n_rows - sum(entry.n_rows for entry in report if entry.kind == "left_out")
    if after and not usable:
        return (
            f"No customers: all {after:,} rows with an id and a time are after {report.as_of}; choose a later --as-of."
        )
    return "No customers: no row has an id, a time and a purchase."


def _as_json(
    files: Source, arguments: dict[str, Any], table: custcore.Table, seconds: float, target: Path | None
) -> dict[str, Any]:
    report = table.report
    segments, everyone = profiles(table)
    found: dict[str, Any] = _render.plain(
        {
            "version": custcore.__version__,
            "files": files.files,
            "settings": arguments,
            "rows": report.n_rows,
            "customers": table.num_rows,
            "as_of": report.as_of,
            "segments": segments,
            "all": {name: value for name, value in everyone.items() if name != "segment"},
            "report": _render.entries(report),
            "remarks": [*report.remarks, *files.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
    )
    return found


def _rate(rate: float) -> str:
    return f"{rate / 1e6:,.1f} million" if rate >= 1e6 else f"{rate:,.0f}"
