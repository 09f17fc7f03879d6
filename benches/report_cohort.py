"""The part of BENCHMARKS.md about cohorts, of ``results/cohort.json``: one table."""

from __future__ import annotations

from typing import Any

from benches.python.cohort import PEERS, WITH_RFM
from benches.report_rfm import KINDS
from benches.tables import by_name, compact, left_out, rows_of, when

Record = dict[str, Any]
M = 1_000_000

HEAD = """## Cohorts: customers and revenue by month

Each contender finds the month of every customer's first purchase, then for each such month and number of months since
the distinct customers and the sum of money; custcore its whole table, with what is complete and what is not. Cells and
customers are compared exactly, money up to 1e-9 of itself.
"""
BOTH = """RFM and cohorts in one scan (`rfm=True`), the RFM tables equal to the last bit:
"""


def label(record: Record) -> str:
    """Name a case."""
    case = record["case"]
    words = [f"{case['rows'] // M} M rows, {case['customers'] / M:g} M customers", KINDS[case["ids"]]]
    words += ["clustered by customer"] if case["order"] == "clustered" else []
    return ", ".join([*words, *(["1 thread"] if case["threads"] == 1 else [])])


def rank(record: Record) -> tuple[Any, ...]:
    """Order the cases."""
    case = record["case"]
    return -case["threads"], case["rows"], case["customers"], list(KINDS).index(case["ids"]), case["order"] != "time"


def with_rfm(records: list[Record]) -> list[str]:
    """Format RFM and cohorts in one scan, compared with RFM alone."""
    names = ["both in one scan", "RFM alone", "both, in turn"]
    lines = [BOTH, "| seconds | " + " | ".join(names) + " | one scan by RFM alone |", "|---|" + "---:|" * 4]
    for record in records:
        rows = by_name(record)
        cells = [f"{rows[name]['median_seconds']:.3f}" if name in rows else "-" for name in WITH_RFM]
        ratio = rows["custcore"]["median_seconds"] / rows["rfm-alone"]["median_seconds"]
        lines += rows_of([[label(record), *cells, f"{ratio:.2f}"]])
    return [*lines, ""]


def section(records: list[Record]) -> list[str]:
    """Format all results of cohorts; empty without results."""
    records = sorted(records, key=rank)
    if not records:
        return []
    alone = [record for record in records if not record["case"]["rfm"]]
    both = [record for record in records if record["case"]["rfm"]]
    lines = [HEAD, *compact("cohorts", [("", alone)], label, PEERS), *left_out(alone), ""]
    lines += with_rfm(both) if both else []
    return [*lines, f"{when(records)}.", ""]
