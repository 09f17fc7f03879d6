"""The part of BENCHMARKS.md about cohorts, made of ``results/cohort.json`` and ``learnt_cohort.md``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches.harness import load
from benches.harness.machine import MIB
from benches.python.cohort import CONTENDERS, PEERS, WITH_RFM
from benches.targets import POLARS_AND_DUCKDB

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent
M = 1_000_000

HEAD = """## Cohorts: customers and revenue by month

Each contender finds the month of every customer's first purchase, then for each such month and number of months since
the distinct customers and the sum of money; custcore its whole table, with what is complete and what is not. Cells and
customers are compared exactly, money up to 1e-9 of itself. `benches/suite_cohort.py` measures all of it.
"""

# What is compared, against whom, at least, dreamt of.
TARGETS = [
    ("the better of Polars and DuckDB", POLARS_AND_DUCKDB, 8.0, 15.0),
    ("numpy", ("numpy",), 4.0, 8.0),
    ("pandas", ("pandas",), 30.0, 60.0),
]
RFM_AND_COHORTS = (1.4, 1.2)


def by_name(record: Record) -> dict[str, Record]:
    return {row["name"]: row for row in record["contenders"]}


def label(case: Record) -> str:
    """Name a case."""
    order = "by time" if case["order"] == "time" else "by customer"
    words = [f"{case['rows'] // M} M rows, {case['customers'] / M:g} M customers", f"{case['ids']} ids", order]
    return ", ".join([*words, *(["1 thread"] if case["threads"] == 1 else [])])


def rank(record: Record) -> tuple[Any, ...]:
    case = record["case"]
    kinds = ("dense", "sparse", "string", "dictionary")
    return -case["threads"], case["rows"], kinds.index(case["ids"]), case["customers"], case["order"] != "time"


def best(record: Record, names: tuple[str, ...]) -> float | None:
    """The ratio of the fastest of some contenders to custcore."""
    rows = by_name(record)
    peers = [rows[name]["median_seconds"] for name in names if name in rows]
    return min(peers) / rows["custcore"]["median_seconds"] if peers else None


def table(first: str, records: list[Record], cell: Callable[[Record, Record], str], *, better: bool) -> list[str]:
    """Format one figure of each contender in each case."""
    names = [name for name in PEERS if any(name in by_name(record) for record in records)]
    last = " better of Polars and DuckDB |" if better else ""
    lines = [f"| {first} | " + " | ".join(names) + " |" + last, "|---|" + "---:|" * (len(names) + better)]
    for record in records:
        rows = by_name(record)
        cells = [cell(rows[name], rows["custcore"]) if name in rows else "-" for name in names]
        ratio = best(record, POLARS_AND_DUCKDB)
        cells += [f"{ratio:.1f} x" if ratio else "-"] if better else []
        lines.append(f"| {label(record['case'])} | " + " | ".join(cells) + " |")
    return lines


def seconds(row: Record, ours: Record) -> str:
    if row is ours:
        return f"**{row['median_seconds']:.3f}**"
    return f"{row['median_seconds']:.3f} ({row['median_seconds'] / ours['median_seconds']:.1f})"


def left_out(records: list[Record]) -> list[str]:
    """The contenders that were skipped, the reason, and the number of cases."""
    missing: dict[tuple[str, str], int] = {}
    for record in records:
        for reason in record["skipped"].items():
            missing[reason] = missing.get(reason, 0) + 1
    skipped = "; ".join(f"{name} ({why}; cases: {n})" for (name, why), n in missing.items())
    return ["", f"Left out: {skipped}."] if skipped else []


def targets(records: list[Record]) -> list[str]:
    """Format the targets, of dense ids by time with two threads and ten rows per customer, with the measurements."""
    lines = ["| rows | against | ratio | at least | dream | |", "|---:|---|---:|---:|---:|---|"]
    for record in records:
        case = record["case"]
        plain = (case["ids"], case["order"], case["threads"]) == ("dense", "time", 2)
        if not plain or case["rows"] != 10 * case["customers"]:
            continue
        for who, names, least, dream in TARGETS:
            if ratio := best(record, names):
                verdict = "dream" if ratio >= dream else "met" if ratio >= least else "missed"
                lines.append(f"| {case['rows'] // M} M | {who} | {ratio:.1f} | {least:g} | {dream:g} | {verdict} |")
    return [*lines, ""]


def with_rfm(records: list[Record]) -> list[str]:
    """Format RFM and cohorts in one scan, compared with RFM alone."""
    lines = ["RFM and cohorts in one scan (`rfm=True`), the RFM tables equal to the last bit:", ""]
    names = ["both in one scan", "RFM alone", "both, in turn"]
    lines += [
        "| seconds | " + " | ".join(names) + " | one scan by RFM alone | at most | dream | |",
        "|---|" + "---:|" * 6 + "---|",
    ]
    least, dream = RFM_AND_COHORTS
    for record in records:
        rows = by_name(record)
        cells = [f"{rows[name]['median_seconds']:.3f}" if name in rows else "-" for name in WITH_RFM]
        ratio = rows["custcore"]["median_seconds"] / rows["rfm-alone"]["median_seconds"]
        verdict = "dream" if ratio <= dream else "met" if ratio <= least else "missed"
        lines.append(
            f"| {label(record['case'])} | "
            + " | ".join(cells)
            + f" | {ratio:.2f} | {least:g} | {dream:g} | {verdict} |"
        )
    return [*lines, ""]


def section(path: Path = BENCHES / "results" / "cohort.json") -> list[str]:
    """Format all results of cohorts; empty without results."""
    records = sorted(load(path).values(), key=rank)
    if not records:
        return []
    alone = [record for record in records if not record["case"]["rfm"]]
    both = [record for record in records if record["case"]["rfm"]]
    lines = [HEAD, *targets(alone)]
    lines += ["Seconds, and in brackets how many times as long as custcore.", ""]
    lines += [*table("seconds", alone, seconds, better=True), "", "MiB above the input at the peak:", ""]
    lines += table("MiB", alone, lambda row, _: f"{row['peak_bytes_above_input'] / MIB:,.0f}", better=False)
    lines += [*left_out(alone), "", *(with_rfm(both) if both else [])]
    lines += ["What each was asked (`benches/python/cohort`):", ""]
    lines += [f"- {name}: {CONTENDERS[name].asked}." for name in PEERS]
    dates = sorted({record["date"] for record in records})
    commits = sorted({record["revision"] for record in records})
    summary = f"{len(records)} cases, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, commit {', '.join(commits)}."
    return [*lines, "", summary, "", (BENCHES / "learnt_cohort.md").read_text()]
