"""``custcore bench``: the usual pandas recipe and custcore on a file, timed and compared row by row.

The reasons of differences are computed: properties of the customer (refunds, empty cells, ...) explain the values, and
custcore's scorer on the values of the recipe shows which differences remain with equal values.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._extras import how_to_install
from custcore._options.transactions import N_THREADS
from custcore.cli import _command, _differences, _options, _recipe, _render, _run, _words
from custcore.cli._failure import printable

if TYPE_CHECKING:
    from custcore._read import Source

__all__ = ["command", "measure"]

HOW = {
    "qcut": "pd.qcut",
    "rank": 'pd.qcut of rank(method="first"), as pd.qcut failed on equal values',
    "failed": "no scores: pd.qcut failed, also on ranks",
}


@_command.command(
    "bench",
    short_help="Time and compare with the usual pandas recipe.",
    examples=(("One run of each", "custcore bench sales.csv --repeat 1"),),
)
@_options.file_options
@_options.column_options
@_command.option(
    "--repeat",
    group="General",
    type=_words.Whole(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="Timed runs; medians count.",
)
@_options.api_option(N_THREADS)
@_options.json_option
def command(files: tuple[str, ...], repeat: int, as_json: bool, **given: object) -> None:
    """Time the usual pandas recipe and custcore on FILE, and show where and why the results differ.

    The recipe: groupby and agg (last time, number of orders, sum of money), days to the day after the last one,
    pd.qcut in five; where pd.qcut fails on equal values, pd.qcut of rank(method="first"). The file is in memory
    before the clock starts, as a DataFrame and as an Arrow table.
    """
    if importlib.util.find_spec("pandas") is None:
        raise click.UsageError(f"bench compares with pandas: {how_to_install('pandas')}")
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    opened = _run.open_files(files, arguments, reading)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of numpy, for infinite values in the recipe
        found = measure(opened, arguments, repeat)
    if as_json:
        click.echo(json.dumps(_render.plain(found), ensure_ascii=False, allow_nan=False))
    else:
        show(found)


def measure(files: Source, arguments: dict[str, Any], repeat: int = 3) -> dict[str, Any]:
    """Run both in turns and compare the results.

    Parameters
    ----------
    files
        What is read, into memory.
    arguments
        Of `custcore.rfm_scores`.
    repeat
        How often both are run.
    """
    _run.check(files, arguments, custcore.rfm_scores)
    columns = {role: arguments.get(role) for role in ("customer_id", "timestamp", "amount", "order_id")}
    if any(isinstance(column, list) for column in columns.values()):
        raise click.UsageError(
            "bench compares with a recipe of one column of ids: join the columns of a composite key into one first, "
            "e.g. country || '/' || customer_id in SQL. The other commands take several columns"
        )
    roles = _options.roles(arguments)
    if len(roles) < sum(column is not None for column in columns.values()):
        raise click.UsageError("bench compares with a recipe of distinct columns; one is named for two purposes")
    table = files.table(list(roles), roles)
    frame = _recipe.frame_of(table, arguments["timestamp"], arguments.get("amount"))
    seconds: dict[str, list[float]] = {"pandas": [], "custcore": []}
    try:
        for _ in range(repeat):
            start = time.perf_counter()
            theirs = _recipe.run(frame, **columns)  # type: ignore[arg-type]
            middle = time.perf_counter()
            ours = custcore.rfm_scores(table, **arguments)
            seconds["custcore"].append(time.perf_counter() - middle)
            seconds["pandas"].append(middle - start)
    except custcore.errors.CustcoreError as error:
        raise _run.explained(error, files, arguments) from error
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    compared = _differences.compare(theirs, ours, frame, columns)
    return {
        "files": files.files,
        "settings": arguments,
        "rows": table.num_rows,
        "seconds": medians,
        "ratio": medians["pandas"] / medians["custcore"],
        "runs": seconds,
        "cut": {score: HOW[how] for score, how in theirs.cut.items()},
        **compared,
    }


def show(found: dict[str, Any]) -> None:
    """Print times, agreement, and the reasons of differences."""
    out = _render.console()
    times = _render.table("", "seconds", "rows/s", "x")
    best = found["seconds"]["custcore"]
    for name, taken in found["seconds"].items():
        cells = (name, f"{taken:.3f}", f"{found['rows'] / taken:,.0f}", f"{taken / best:.1f}")
        times.add_row(*cells)
    runs = len(found["runs"]["pandas"])
    how = f"median of {runs} runs in turns" if runs > 1 else "one run of each"
    _render.say(out, f"{found['rows']:,} rows in memory, reading not counted; {how}.")
    out.print(times)

    column = _render.Column
    grid = _render.table(
        column("column"),
        column("same", rank=3),
        column("differ"),
        column("of them"),
        column("why", is_left=True, wraps_to=12),
        *(
            column(title, is_left=title == "e.g.", rank=2, said=said)
            for title, said in (("e.g.", "an example"), ("pandas", "its value in pandas"), ("custcore", "in custcore"))
        ),
    )
    for compared in found["columns"]:
        counts = (compared["column"], f"{compared['same']:,}", f"{compared['differ']:,}")
        for i, cause in enumerate(compared["causes"] or [None]):
            first = counts if i == 0 else ("", "", "")
            if cause is None:
                grid.add_row(*first)
                continue
            example = (cause["example"]["customer"], cause["example"]["pandas"], cause["example"]["custcore"])
            cells = (*first, f"{cause['customers']:,}", cause["cause"], *(_cell(value) for value in example))
            grid.add_row(*cells)
    _render.say(out, f"{found['customers']['both']:,} customers are in both.")
    for side in ("pandas", "custcore"):
        for cause in found["customers"][f"only_{side}"]:
            _render.say(out, f"{cause['customers']:,} are in {side} only: {cause['cause']}.")
    out.print(grid)
    said = {cause["cause"]: cause["explanation"] for column in found["columns"] for cause in column["causes"]}
    legend = _render.table("why", column("in words", is_left=True, wraps_to=24))
    for cause, words in said.items():
        legend.add_row(cause, words)
    if said:
        out.print(legend)
    for note in found["notes"]:
        _render.say(out, note)
    for score, how in found["cut"].items():
        _render.say(out, f"pandas' {score}: {how}.")


def _cell(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, float):
        text = f"{value:,.2f}"
        return text if float(text.replace(",", "")) == value else repr(value)
    return printable(str(value))
