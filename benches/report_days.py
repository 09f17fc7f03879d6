"""The part of BENCHMARKS.md about level days, of ``results/days.json``."""

from __future__ import annotations

from typing import Any

from benches.harness.machine import MIB
from benches.tables import rows_of, when

Record = dict[str, Any]
M = 1_000_000

HEAD = """### Level days: rows that are a customer-day each

custcore alone (`benches/python/bench_days.py`). *cpu*: seconds of the processor. In brackets: how many times as long as
reading once, at the memory's bandwidth, what the base keeps.
"""


def label(record: Record) -> str:
    """Name a case."""
    case = record["case"]
    return f"{case['rows'] / M:g} M rows, {case['ids']} ids" + (", 1 thread" if case["threads"] == 1 else "")


def section(records: list[Record]) -> list[str]:
    """Format all results of level days; empty without results."""
    if not records:
        return []
    records = sorted(
        records, key=lambda record: (-record["case"]["threads"], record["case"]["rows"], record["case"]["ids"])
    )
    lines = [HEAD]
    lines += ["| update | s | cpu | M rows/s | kept, MiB | bytes a customer-day | peak, MiB | peak by kept |"]
    lines += ["|---|" + "---:|" * 7]
    for record in records:
        (fold,), rows = record["contenders"], record["case"]["rows"]
        kept, peak = record["kept_bytes"], record["peak_bytes"]
        cells = [label(record), f"{fold['median_seconds']:.2f}", f"{fold['median_cpu']:.2f}"]
        cells += [f"{rows / fold['median_seconds'] / M:.1f}", f"{kept / MIB:,.0f}", f"{kept / rows:.1f}"]
        lines += rows_of([[*cells, f"{peak / MIB:,.0f}", f"{peak / kept:.2f}"]])
    names = list(dict.fromkeys(name for record in records for name in record["analyses"]))
    lines += ["", "| seconds | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for record in records:
        once = record["kept_bytes"] / record["bandwidth_bytes_per_second"]
        cells = []
        for name in names:
            found = record["analyses"].get(name)
            cells.append(f"{found['median_seconds']:.3f} ({found['median_seconds'] / once:.1f})" if found else "-")
        lines += rows_of([[label(record), *cells]])
    return [*lines, "", f"{when(records)}.", ""]
