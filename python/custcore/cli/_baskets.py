"""What ``pairs`` and ``rules`` share: options of baskets, the call, and what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.affinity import BASKETS
from custcore.cli import _command, _options, _output, _render, _run
from custcore.cli._failure import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from custcore._read import Source

__all__ = ["Least", "basket_options", "finish", "found_in", "items", "number"]

# Rows on the screen; files have all.
SHOWN = 20


class Least(click.ParamType[Any]):
    """A number of baskets, or a share of them."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``5`` or ``0.01``."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.0
        if 0 < number < 1:
            return number
        if number < 1 or number != int(number):
            self.fail(
                f"{value!r} is neither a number of baskets, such as 5, nor a share of them, such as 0.01", param, ctx
            )
        return int(number)


def basket_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of baskets, and the flag of anonymous orders."""
    anonymous = _command.option(
        "--anonymous", group="What counts", is_flag=True, help="Orders without a customer id are baskets, too."
    )
    return _options.api_options(BASKETS)(anonymous(command))


def found_in(
    files: tuple[str, ...], target: Path | None, given: dict[str, Any], function: Callable[..., custcore.Table]
) -> tuple[Source, dict[str, Any], custcore.Table, float]:
    """Read files into baskets and ask them.

    Parameters
    ----------
    files
        As given.
    target
        Where the table is to be written.
    given
        Values of all options.
    function
        ``custcore.pairs`` or ``custcore.rules``.
    """
    reading = _options.reading_of(given)
    if not given["item"]:
        raise click.UsageError("--item is missing, the column of what was bought, e.g. --item product_id")
    if given["basket"] == "order" and not given["order_id"]:
        raise click.UsageError("--basket order needs --order-id, the column of order ids")
    arguments = _options.settings(given)
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    found, seconds = _run.call(opened, arguments, function)
    return opened, arguments, found, seconds


def finish(
    opened: Source,
    arguments: dict[str, Any],
    found: custcore.Table,
    seconds: float,
    output: tuple[Path | None, bool],
    grid: _render.Grid,
) -> None:
    """Write the table, and print its first rows and the report, or all as JSON.

    Parameters
    ----------
    opened, arguments, found, seconds
        Of `found_in`.
    output
        The file to write, and whether JSON is printed.
    grid
        The rows for the screen.
    """
    target, as_json = output
    guarded = _output.write(found, target) if target else 0
    report = found.report
    if as_json:
        said = {
            "version": custcore.__version__,
            "files": opened.files,
            "settings": arguments,
            "rows": report.n_rows,
            "found": found.num_rows,
            "table": found.to_pylist(),
            "report": _render.entries(report),
            "remarks": [*report.remarks, *opened.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    if found.num_rows:
        out.print(grid)
        if found.num_rows > SHOWN:
            _render.say(out, f"The first {SHOWN} of {found.num_rows:,} rows; a file has all: -o OUT.")
        _render.say(
            out,
            "Lift above 1 says little: large baskets hold everything. The lift within compares baskets of like size.",
        )
    out.print()
    out.print(_render.report_grid(report, opened.notes))
    out.print()
    _render.say(out, f"{report.n_rows:,} rows of {opened._label} in {seconds:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def items(values: Any) -> str:  # noqa: ANN401 (an item, or a list of them)
    """An item, or several, as text."""
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def number(value: float | None) -> str:
    """A measure with few digits."""
    return "-" if value is None else f"{value:,.2f}"
