"""The part of BENCHMARKS.md about customer bases, of ``results/base.json``, ``base_large.json``, ``days.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches.harness import load
from benches.harness.machine import GIB, MIB
from benches.report_days import section as days_section
from benches.tables import by_name, when

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent
M = 1_000_000
TRACKS = ("totals", "days", "orders")

DAY_BY_DAY = """### Day by day

Online Retail (541,909 rows of 305 days), each day an update of the base. Beside it the whole table anew from all rows
so far, in memory already (`benches/python/bench_base.py`); the tables are compared after each day. Milliseconds; of the
last 30 days the medians.
"""

LARGE = """### Larger

Rows made batch by batch, in Parquet files of 6 million rows (`benches/python/bench_base_large.py`). Each contender
reads them in a process of its own and ends with a row per customer in memory: first and last day, orders, money. What
they find is compared by sums in which every id has a weight of its own. The peak is that of the whole process.
"""


def day_by_day(records: list[Record]) -> list[str]:
    """Format the cost of an update, compared with a full recomputation."""
    lines = [DAY_BY_DAY]
    lines += [
        "| level | all days: update | table | anew | last 30 days: update | table | anew | anew by update |",
        "|---|" + "---:|" * 7,
    ]
    for record in sorted(records, key=lambda record: TRACKS.index(record["track"])):
        last = record["last_30_days"]
        names = ("update_seconds", "table_seconds", "again_seconds")
        cells = [f"{1000 * record[name]:,.0f}" for name in names] + [f"{1000 * last[name]:.2f}" for name in names]
        ratio = last["again_seconds"] / last["update_seconds"]
        lines.append(f"| {record['track']} | " + " | ".join(cells) + f" | {ratio:.0f} x |")
    return [*lines, ""]


def label(case: Record) -> str:
    words = f"{case['rows'] // M} M rows, {case['customers'] / M:g} M customers, {case['ids']} ids, {case['track']}"
    return words + (", 1 thread" if case["threads"] == 1 else "")


def row_cells(row: Record, rows: int) -> str:
    if "failed" in row:
        return str(row["failed"])
    return f"{row['seconds']:.1f} s, {rows / row['seconds'] / M:.1f} M rows/s, {row['peak'] / GIB:.2f} GiB"


def large(records: list[Record]) -> list[str]:
    """Format rates, memory, and bytes per customer, day and order."""
    lines = [LARGE, "| rows | custcore | Polars, streaming | DuckDB |", "|---|---|---|---|"]
    for record in records:
        rows, found = record["case"]["rows"], by_name(record)
        cells = [row_cells(found[name], rows) if name in found else "-" for name in ("custcore", "polars", "duckdb")]
        lines.append(f"| {label(record['case'])} | " + " | ".join(cells) + " |")
    lines += ["", "What is kept:", ""]
    lines += ["| rows | MiB | bytes a customer | a customer and day | an order | file, MiB |", "|---|" + "---:|" * 5]
    for record in records:
        ours, shape = by_name(record)["custcore"], record["shape"]
        cells = [f"{ours['nbytes'] / MIB:,.0f}", f"{ours['nbytes'] / ours['customers']:.1f}"]
        cells += [
            f"{ours['nbytes'] / shape[name]:.1f}" if name in shape else "-" for name in ("customer_days", "orders")
        ]
        cells.append(f"{ours['file_bytes'] / MIB:,.0f}" if "file_bytes" in ours else "-")
        lines.append(f"| {label(record['case'])} | " + " | ".join(cells) + " |")
    spilled = [record for record in records if "custcore within memory" in by_name(record)]
    if spilled:
        lines += [
            "",
            "With `max_memory` at a part of what the base takes; the tables have the same sums:",
            "",
        ]
        lines += [
            "| rows | max_memory, MiB | base, MiB | on disk, MiB | seconds | without a limit | peak, GiB | without |"
        ]
        lines += ["|---|" + "---:|" * 7]
        for record in spilled:
            found = by_name(record)
            free, within = found["custcore"], found["custcore within memory"]
            if "failed" in within:
                lines.append(f"| {label(record['case'])} | {within['failed']} | | | | | | |")
                continue
            cells = [f"{size / MIB:,.0f}" for size in (within["max_memory"], free["nbytes"], within["nbytes_on_disk"])]
            cells += [f"{within['seconds']:.1f}", f"{free['seconds']:.1f}"]
            cells += [f"{row['peak'] / GIB:.2f}" for row in (within, free)]
            lines.append(f"| {label(record['case'])} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def section(results: Path = BENCHES / "results") -> list[str]:
    """Format all results of bases; empty without results."""
    days = list(load(results / "base.json").values())
    levels = list(load(results / "days.json").values())
    rows = sorted(
        load(results / "base_large.json").values(),
        key=lambda record: (-record["case"]["rows"], TRACKS.index(record["case"]["track"]), record["case"]["ids"]),
    )
    if not days and not rows and not levels:
        return []
    lines = ["## Customer bases", ""]
    lines += days_section(levels)
    lines += day_by_day(days) if days else []
    lines += large(rows) if rows else []
    return [*lines, *([f"Day by day and larger: {when(days + rows)}.", ""] if days or rows else [])]
