"""The options that commands share, and what they mean to the API: every option has the name of its argument."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from custcore._options.cohorts import COHORT_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCORING", "column_options", "file_options", "roles", "settings", "transaction_options"]

Command = TypeVar("Command", bound="Callable[..., Any]")

# Arguments of `custcore.rfm_scores` that `custcore.rfm` does not have.
SCORING = ("bins", "ties", "binning", "by", "frequency", "monetary", "segments")


class Bins(click.ParamType[Any]):
    """A number of bins, or three for R, F and M."""

    name = "N | R,F,M"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Turn ``5`` into 5, ``5,5,3`` into (5, 5, 3)."""
        if not isinstance(value, str):
            return value
        try:
            numbers = tuple(int(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in {1, 3}:
            self.fail(f"{value!r} is neither a number nor three of them, such as 5 or 5,5,3", param, ctx)
        return numbers[0] if len(numbers) == 1 else numbers


def file_options(command: Command) -> Command:
    """Add FILE... and how CSV files are read."""
    return _with(
        command,
        click.argument("files", nargs=-1, required=True, metavar="FILE..."),
        click.option("--delimiter", default=",", show_default=True, metavar="CHAR", help="Between the cells of CSV."),
        click.option("--text-ids", is_flag=True, help="Ids of CSV are text whatever they look like (007 is not 7)."),
    )


def column_options(command: Command) -> Command:
    """Add the columns and their roles, with the defaults of the API."""
    return _with(
        command,
        click.option("--customer-id", default="customer_id", show_default=True, metavar="COLUMN", help="Who bought."),
        click.option("--timestamp", default="timestamp", show_default=True, metavar="COLUMN", help="When."),
        click.option("--amount", default="amount", show_default=True, metavar="COLUMN", help="For how much."),
        click.option("--no-amount", is_flag=True, help="There is no money; recency and frequency only."),
        click.option("--order-id", metavar="COLUMN", help="Which order a row belongs to. [default: a row is an order]"),
    )


def transaction_options(command: Command) -> Command:
    """Add how transactions are read."""
    return _with(
        command,
        click.option("--as-of", metavar="DAY", help="The last day that counts. [default: the last day in the data]"),
        click.option(
            "--returns",
            type=click.Choice(["net", "exclude", "count"]),
            default="net",
            show_default=True,
            help="Orders below 0: taken off the money, left out, or orders like any other.",
        ),
        click.option("--timezone", metavar="ZONE", help="In which zoned times are read. [default: the column's own]"),
        click.option(
            "--on-null",
            type=click.Choice(["drop", "error"]),
            default="drop",
            show_default=True,
            help="Empty ids, times and amounts: counted, or an error.",
        ),
        click.option(
            "--on-nonfinite",
            type=click.Choice(["error", "drop"]),
            default="error",
            show_default=True,
            help="Infinite amounts: an error, or left out and counted.",
        ),
        click.option(
            "--order-lines",
            type=click.Choice(["any", "adjacent"]),
            default="any",
            show_default=True,
            help="Lines of an order stand anywhere, or next to each other (needs less memory).",
        ),
        click.option("--threads", type=click.IntRange(min=1), metavar="N", help="[default: all cores]"),
    )


def scoring_options(command: Command) -> Command:
    """Add how customers are scored and named."""
    return _with(
        command,
        click.option("--bins", type=Bins(), default=5, show_default=True, help="Scores go from 1 to this."),
        click.option(
            "--ties",
            type=click.Choice(["same", "split"]),
            default="same",
            show_default=True,
            help="Equal values get equal scores, or bins of equal size.",
        ),
        click.option(
            "--binning",
            type=click.Choice(["independent", "nested"]),
            default="independent",
            show_default=True,
            help="F within each R, and M within each R and F, if nested.",
        ),
        click.option("--by", metavar="COLUMN", help="Score within each group of this column."),
        click.option(
            "--frequency",
            type=click.Choice(["orders", "days", "rows"]),
            default="orders",
            show_default=True,
            help="What F counts.",
        ),
        click.option(
            "--monetary",
            type=click.Choice(["total", "mean"]),
            default="total",
            show_default=True,
            help="Whether M is all money, or money per order.",
        ),
        click.option(
            "--segments",
            default="auto",
            show_default=True,
            metavar="MAP",
            help="auto, rf10, octants, r_vignette, or none.",
        ),
    )


def output_options(command: Command) -> Command:
    """Add where results go."""
    return _with(
        command,
        click.option(
            "-o",
            "--output",
            "target",
            type=click.Path(path_type=Path),
            metavar="OUT",
            help="Write one row per customer: .parquet, .csv, .arrow. [default: the table on the screen only]",
        ),
        json_option,
    )


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on stdout.")(
        command
    )


def settings(given: dict[str, Any]) -> dict[str, Any]:
    """Turn what was given on the command line into the arguments of the API.

    Parameters
    ----------
    given
        Values of the options above, by name.
    """
    arguments = dict(given)
    if arguments.pop("no_amount", False):
        context = click.get_current_context(silent=True)
        if context and context.get_parameter_source("amount") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("--amount and --no-amount exclude each other")
        arguments["amount"] = None
    if "threads" in arguments:
        arguments["n_threads"] = arguments.pop("threads")
    if arguments.get("segments") == "none":
        arguments["segments"] = None
    return arguments


def roles(arguments: dict[str, Any]) -> dict[str, str]:
    """Pick the columns that are read, by the argument that names them.

    Parameters
    ----------
    arguments
        What `settings` made.
    """
    names = ("customer_id", "timestamp", "amount", "order_id", "by", "start", "returning")
    found = {name: arguments[name] for name in names if arguments.get(name) is not None}
    if arguments.get("cohort_by", "first") not in COHORT_WORDS:
        found["cohort_by"] = arguments["cohort_by"]
    return found


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
