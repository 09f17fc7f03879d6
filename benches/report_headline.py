"""The first screen of BENCHMARKS.md: what users have, ids with gaps first."""

from __future__ import annotations

from typing import Any

from benches.tables import by_name, memory_ratio, ratio_to, rows_of, times, whole_seconds
from benches.targets import COHORT_GAP, DAYS, HEADLINE, OTHERS, RFM_AND_COHORTS, Target, find, memory_limit

Record = dict[str, Any]
Results = dict[str, list[Record]]
M = 1_000_000

HEAD = """# Benchmarks

<!-- Made by benches/report.py of benches/results/*.json: `make bench-report`. Do not edit. -->

RFM scores of 10 million rows and 1 million customers, sorted by id, 2 threads, unless a line says otherwise. *custcore*
computes the columns that the others compute, *whole* its whole table; ratios are those of *custcore*. *x best*: the
better of Polars and DuckDB takes so many times as long (UUIDs: DuckDB; k-means: the best of scikit-learn's); *memory*:
peak by the leanest peer's.
"""

TAIL = """Missed targets with their profiles, what was learnt, earlier runs: [benches/HISTORY.md](benches/HISTORY.md).
"""


def verdict(ratio: float | None, at_least: float | None) -> str:
    """Whether a target is met."""
    if at_least is None:
        return ""
    return "not measured" if ratio is None else "met" if ratio >= at_least else "**missed**"


def line(target: Target, record: Record | None) -> list[str]:
    """One line of the headline."""
    goal = "-" if target.at_least is None else f"{target.at_least:g}"
    if record is None:
        return [target.label, "-", "-", "-", goal, verdict(None, target.at_least), "-", "-"]
    whole = f"{whole_seconds(record):.3f}" if target.results == "rfm" else "-"
    ratio = ratio_to(record, target.against)
    return [
        target.label,
        f"{by_name(record)['custcore']['median_seconds']:.3f}",
        whole,
        times(ratio, mark=" x"),
        goal,
        verdict(ratio, target.at_least),
        times(ratio_to(record, ["pandas"]), mark=" x"),
        "-" if (memory := memory_ratio(record)) is None else f"{memory:.2f}",
    ]


def days(records: list[Record]) -> list[str]:
    """Level days in a few words a case."""
    table = []
    for record in sorted(records, key=lambda record: record["case"]["rows"]):
        case, (fold,) = record["case"], record["contenders"]
        if case["ids"] != "gap2" or case["threads"] == 1:
            continue
        rate = case["rows"] / fold["median_seconds"]
        peak, size = record["peak_bytes"] / record["kept_bytes"], record["kept_bytes"] / case["rows"]
        met = rate >= DAYS.rows_per_second and peak <= DAYS.peak and size <= DAYS.bytes_per_day
        past = record["analyses"]["rfm of a past day"]["median_seconds"]
        cells = [f"level days, {case['rows'] // M} M customer-days", f"{rate / 1e6:.1f} M", f"{peak:.2f}"]
        table.append([*cells, f"{size:.1f}", "met" if met else "**missed**", f"{past:.2f}"])
    if not table:
        return []
    goals = f"{DAYS.rows_per_second / 1e6:g} M, {DAYS.peak:g}, {DAYS.bytes_per_day:g}"
    heads = ["customer bases", "rows/s", "peak by kept", "bytes a day", f"target {goals}", "`rfm` of a past day, s"]
    return ["", *rows_of([heads]), "|---|" + "---:|" * 3 + "---|---:|", *rows_of(table)]


def headline(results: Results) -> list[str]:
    """The first screen."""
    heads = ["", "custcore, s", "whole, s", "x best", "target", "", "x pandas", "memory"]
    lines = [HEAD, *rows_of([heads]), "|---|---:|---:|---:|---:|---|---:|---:|"]
    lines += rows_of(line(target, find(target, results)) for target in HEADLINE)
    return [*lines, *days(results.get("days", [])), "", TAIL]


def targets(results: Results) -> list[list[str]]:
    """All targets: what, against whom, what was found, what should be, and whether it is met."""
    found = []
    for target in [*HEADLINE, *OTHERS]:
        record = find(target, results)
        if record is None or target.at_least is None:
            continue
        ratio = ratio_to(record, target.against)
        goal = f"at least {target.at_least:g} x"
        found.append([target.label, target.who, times(ratio, mark=" x"), goal, verdict(ratio, target.at_least)])
    for target in HEADLINE:
        record = find(target, results)
        if record is None or (memory := memory_ratio(record)) is None:
            continue
        limit = memory_limit(target)
        met = "met" if memory <= limit else "**missed**"
        found.append([target.label, "peak of the leanest peer", f"{memory:.2f}", f"at most {limit:g}", met])
    return found + cohort_targets(results) + days_targets(results)


def cohort_targets(results: Results) -> list[list[str]]:
    """Cohorts of ids with gaps beside those without, and RFM with cohorts beside RFM alone."""
    found = []
    pair = [find(target, results) for target in HEADLINE if target.results == "cohort"]
    if len(pair) == 2 and pair[0] and pair[1]:
        gap, dense = (by_name(record)["custcore"]["median_seconds"] for record in pair if record)
        met = "met" if gap <= COHORT_GAP * dense else "**missed**"
        cells = ["cohorts, every 2nd id used", "ids without a gap", f"{gap / dense:.2f}", f"at most {COHORT_GAP:g}"]
        found.append([*cells, met])
    for record in results.get("cohort", []):
        if record["case"]["rfm"]:
            rows = by_name(record)
            ratio = rows["custcore"]["median_seconds"] / rows["rfm-alone"]["median_seconds"]
            met = "met" if ratio <= RFM_AND_COHORTS else "**missed**"
            found.append(
                ["RFM and cohorts in one scan", "RFM alone", f"{ratio:.2f}", f"at most {RFM_AND_COHORTS:g}", met]
            )
    return found


def days_targets(results: Results) -> list[list[str]]:
    """Rate, memory and passes of level days."""
    found = []
    for record in results.get("days", []):
        case, (fold,) = record["case"], record["contenders"]
        if case["threads"] == 1:
            continue
        name = f"level days, {case['rows'] // M} M customer-days, {case['ids']} ids"
        rate, kept = case["rows"] / fold["median_seconds"], record["kept_bytes"]
        peak, size = record["peak_bytes"] / kept, kept / case["rows"]
        checks = [
            (
                "rows a second",
                f"{rate / 1e6:.1f} M",
                f"at least {DAYS.rows_per_second / 1e6:g} M",
                rate >= DAYS.rows_per_second,
            ),
            ("peak by kept", f"{peak:.2f}", f"at most {DAYS.peak:g}", peak <= DAYS.peak),
            ("bytes a customer-day", f"{size:.1f}", f"at most {DAYS.bytes_per_day:g}", size <= DAYS.bytes_per_day),
        ]
        found += [[name, what, is_, goal, "met" if met else "**missed**"] for what, is_, goal, met in checks]
    return found
