"""``custcore abc``: value classes of customers, top shares and the Gini coefficient, from transaction files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._input.arguments import key_names
from custcore._options import value as options_of_value
from custcore._options.option import names
from custcore.cli import _command, _options, _output, _render, _run
from custcore.cli._failure import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from custcore._read import Source

__all__ = ["command"]

CLASSES = names(options_of_value.CLASSES)


class Shares(click.ParamType[Any]):
    """Shares, separated by commas."""

    is_list = True
    name = "N,N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``0.8,0.95`` to [0.8, 0.95]."""
        try:
            return [float(part) for part in value.split(",")] if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} is not a list of shares such as 0.8,0.95", param, ctx)


@dataclass(frozen=True)
class Found:
    """Value classes of customers, and how concentrated the value is."""

    table: custcore.Table
    concentration: custcore.Table
    pareto: custcore.Table


@_command.command(
    "abc",
    short_help="Class customers or products by their value: ABC.",
    examples=(
        ("Classes on the screen, and one row per customer in a file", "custcore abc sales.csv -o classes.parquet"),
        ("Money as a product, other names", 'custcore abc lines.csv --customer-id client --amount "price * pieces"'),
        ("Heavy, medium and light buyers: 20 % and 50 % of the customers", "custcore abc sales.csv --by customers"),
        ("Each country by itself", "custcore abc sales.csv --group country -o classes.csv"),
        ("The Pareto curve, to plot", "custcore abc sales.csv --pareto curve.csv"),
    ),
)
@_options.file_options
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print the classes only]")
@_command.option(
    "--pareto",
    group="Output",
    type=_options.Target(),
    metavar="OUT",
    help="Write the Pareto curve, 200 points: .parquet, .csv, .xlsx, .arrow.",
)
@_options.json_option
@_options.api_options(options_of_value.ABC, {"thresholds": Shares()})
def command(
    files: tuple[str, ...],
    target: Path | None,
    pareto: Path | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Class customers by their money: A are the first ones with 80 % of it, B the next ones until 95 %, C the rest.

    FILE is as for `custcore rfm`. Customers may be any key, such as products: --customer-id stock_code.
    """
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    classes = {name: arguments.pop(name) for name in CLASSES if name != "group" and name in arguments}
    opened = _run.open_files(files, arguments, reading)
    for path in (target, pareto):
        if path:
            _output.check_target(path, opened)
    if target and pareto and target.resolve() == pareto.resolve():
        raise click.UsageError(f"-o and --pareto are both {target}; name two files")
    found, seconds = _run.call(opened, arguments, partial(classed, classes=classes))
    guarded = _output.write(found.table, target) if target else 0
    guarded += _output.write(found.pareto, pareto) if pareto else 0
    if as_json:
        said = _as_json(opened, {**arguments, **classes}, found, seconds, target, pareto)
        click.echo(json.dumps(said, ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(pareto if str(pareto) == "-" else target)
    _show(out, opened, found, seconds, arguments.get("group"))
    for path, what in ((target, f"{found.table.num_rows:,} customers"), (pareto, "Pareto curve")):
        if path:
            place = "stdout" if str(path) == "-" else printable(str(path))
            _render.say(out, f"{what} written to {place}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def classed(
    data: Any,  # noqa: ANN401 (any transactions)
    *,
    classes: dict[str, Any],
    group: str | None = None,
    as_of: str | None = None,
    n_threads: int | None = None,
    progress: Any = None,  # noqa: ANN401 (a function)
    **read: Any,  # noqa: ANN401 (options of a base)
) -> Found:
    """Read transactions once into a base, which has all that is shown.

    Parameters
    ----------
    data
        Transactions.
    classes
        Options of classes, but the group.
    group, as_of, n_threads, progress
        As of `custcore.abc`.
    read
        Options of reading, as of `custcore.CustomerBase`.
    """
    is_kept = group is not None and group not in key_names(read.get("customer_id"))
    has_lines = read.get("order_id") is not None and read.get("order_lines", "any") == "any"
    base = custcore.CustomerBase(
        **read,
        track="orders" if has_lines else "totals" if as_of is None else "days",
        attributes={str(group): "first"} if is_kept else None,
    )
    base.update(data, n_threads=n_threads, progress=progress)
    of_day: dict[str, Any] = {"as_of": as_of, "n_threads": n_threads}
    return Found(base.abc(**classes, group=group, **of_day), base.concentration(**of_day), base.pareto(**of_day))


def _classes(table: custcore.Table) -> list[dict[str, Any]]:
    """Customers, revenue and share of the value of each class, all groups together, in the order of classes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = table.to_pyarrow().combine_chunks()
    column = rows["value_class"]
    letters = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    values = pc.max_element_wise(rows["monetary_total"].cast(pa.float64()), 0.0)
    whole = pc.sum(values).as_py() or 0.0
    found = []
    for letter in letters:
        is_own = pc.equal(column.cast(pa.string()), letter)
        own = rows.filter(is_own)
        found.append(
            {
                "value_class": letter,
                "customers": own.num_rows,
                "customers_share": own.num_rows / rows.num_rows if rows.num_rows else None,
                "revenue": pc.sum(own["monetary_total"]).as_py() or 0,
                "value_share": (pc.sum(values.filter(is_own)).as_py() or 0.0) / whole if whole else None,
            }
        )
    return found


def _show(out: Console, files: Source, found: Found, seconds: float, group: str | None) -> None:
    """Print the classes, top shares, what was excluded and the time."""
    table = found.table
    if table.num_rows:
        out.print(_grid(_classes(table)))
        if group is not None:
            _render.say(out, f"Each {group} is classed by itself; the lines are sums over all of them.")
        out.print()
        tops = found.concentration.to_pyarrow().to_pylist()
        if tops and tops[0]["gini"] is not None:
            shares = ", ".join(f"{row['top']:.0%} have {row['value_share']:.1%}" for row in tops)
            _render.say(out, f"Of the value, the first {shares.replace(' have', ' of the customers have', 1)}.")
            _render.say(out, f"The Gini coefficient is {tops[0]['gini']:.3f} (0: all have the same, 1: one has all).")
    else:
        _render.say(out, "No customers: no row has an id, a time and a purchase.")
    out.print()
    out.print(_render.report_grid(table.report, files.notes))
    out.print()
    rows = f"{table.report.n_rows:,} rows of {files._label}, {table.num_rows:,} customers"
    _render.say(out, printable(f"{rows} in {seconds:.2f} s."))


def _grid(classes: list[dict[str, Any]]) -> _render.Grid:
    """One line for each class, and one for all."""
    columns = [
        _render.Column("class"),
        _render.Column("customers"),
        _render.Column("share", rank=2, said="share of customers"),
        _render.Column("revenue", rank=1),
        _render.Column("share", rank=3, said="share of the value, negative totals as 0"),
    ]
    grid = _render.Grid(columns)
    for row in classes:
        grid.add_row(
            row["value_class"],
            f"{row['customers']:,}",
            _percent(row["customers_share"]),
            _render.amount_text(row["revenue"]),
            _percent(row["value_share"]),
        )
    grid.add_section()
    customers, revenue = (sum(row[name] for row in classes) for name in ("customers", "revenue"))
    whole = _percent(None if any(row["value_share"] is None for row in classes) else 1.0)
    grid.add_row("all", f"{customers:,}", _percent(1.0), _render.amount_text(revenue), whole, style="bold")
    return grid


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _as_json(
    files: Source,
    arguments: dict[str, Any],
    found: Found,
    seconds: float,
    target: Path | None,
    pareto: Path | None,
) -> dict[str, Any]:
    report = found.table.report
    said: dict[str, Any] = _render.plain(
        {
            "version": custcore.__version__,
            "files": files.files,
            "settings": arguments,
            "rows": report.n_rows,
            "customers": found.table.num_rows,
            "as_of": report.as_of,
            "classes": _classes(found.table),
            "concentration": found.concentration.to_pyarrow().to_pylist(),
            "report": _render.entries(report),
            "remarks": [*report.remarks, *files.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "pareto": str(pareto) if pareto else None,
        }
    )
    return said
