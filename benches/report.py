"""Generate BENCHMARKS.md from the results in ``benches/results`` and the notes in ``benches/learnt.md``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.harness import load
from benches.harness.machine import MIB
from benches.python.rfm import BENCH
from benches.report_base import section as base_section
from benches.report_cohort import section as cohort_section
from benches.report_kmeans import sections as kmeans_sections
from benches.targets import PLAIN, POLARS_AND_DUCKDB, TARGETS, is_meant

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent
M = 1_000_000

HEAD = """# Benchmarks

<!-- Made by benches/report.py from benches/results/*.json and benches/learnt.md: `make bench-report`. Do not edit. -->

custcore beside its peers, each asked for the same: one row per customer (days since the last purchase, orders, money),
type-7 quantile edges of the three, and scores from 1 to 5. custcore computes its whole table besides (first and last
day, tenure, mean, cells, segments), with nulls checked and money counted exactly. `make bench` measures the 10 million
rows, `make bench-full` everything here; `benches/python/bench_rfm.py` measures a case of your own.
"""

METHOD = """## Method

- One seeded generator (`benches/data.py`): three years, amounts of whole cents, some customers keener than others.
- Each contender has a process of its own, its input loaded as it likes it: that is not timed. From Parquet, each reads
  with the reader that suits it best, and that is timed; the file is in the page cache.
- Runs are interleaved (custcore, pandas, Polars, DuckDB, ..., custcore, ...), one at a time; medians are quoted. The
  machine may be shared and drift, so the ratios say more than the seconds.
- Every result is compared with custcore's, row by row, before times are quoted: ids, days, orders the same, money up to
  1e-6 of itself. Scores may differ only where a value lies within 1e-6 of an edge: float sums fall on either side.
- Peak memory is the growth of the peak of the process above its size with the input loaded, in the first run.
- The share of the bandwidth: the time that reading the columns once would take, at the rate at which the machine read
  memory between the rounds of the same run with as many threads, by the median. From Parquet it is left out.
"""


def same(case: Record, **wanted: Any) -> bool:
    """Whether a case differs from the default case only in the given fields."""
    return all(case[name] == value for name, value in (PLAIN | wanted).items())


def is_line(case: Record, **wanted: Any) -> bool:
    """Whether a case is in the table of targets: any ids and order, with or without order_id."""
    free = {name: case[name] for name in ("ids", "order", "order_id")}
    kind = case["ids"] in ("dense", "sparse", "string", "dictionary")
    return kind and case["customers"] * 10 == case["rows"] and same(case, **(free | wanted))


def is_skew(case: Record) -> bool:
    free = {name: case[name] for name in ("ids", "skew")}
    return same(case, **free) and not is_line(case) and case["customers"] in (1, M, case["rows"])


SECTIONS: list[tuple[str, Callable[[Record], bool]]] = [
    ("10 million rows, 1 million customers, sorted by id", is_line),
    ("The same, in any order", lambda case: is_line(case, sort=False)),
    ("The same, sorted, one thread", lambda case: is_line(case, threads=1)),
    ("The same, from a Parquet file", lambda case: is_line(case, source="parquet", threads=case["threads"])),
    ("100 million rows, 10 million customers, sorted by id", lambda case: is_line(case, rows=100 * M)),
    ("10 million rows that are hard on some way of grouping", is_skew),
]


def label(case: Record) -> str:
    """Name a case by its differences from the default."""
    words = [f"{case['ids']} ids", "by time" if case["order"] == "time" else "by customer"]
    if case["order_id"]:
        words.append("lines of orders")
    if case["skew"] == "half":
        words.append("one customer has half of the rows")
    if case["customers"] == 1:
        words.append("all ids equal")
    if case["customers"] == case["rows"]:
        words.append("all ids distinct")
    if case["source"] == "parquet" and case["threads"] != PLAIN["threads"]:
        words.append(f"{case['threads']} thread")
    return ", ".join(words)


def by_name(record: Record) -> dict[str, Record]:
    return {row["name"]: row for row in record["contenders"]}


def table(first: str, records: list[Record], cell: Callable[[Record, Record], str]) -> list[str]:
    """Format one figure of each contender in each case."""
    names = [name for name in BENCH.contenders if any(name in by_name(record) for record in records)]
    lines = [f"| {first} | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for record in records:
        rows = by_name(record)
        cells = [cell(rows[name], rows["custcore"]) if name in rows else "-" for name in names]
        lines.append(f"| {label(record['case'])} | " + " | ".join(cells) + " |")
    return lines


def with_better(lines: list[str], records: list[Record]) -> list[str]:
    """Add the ratio of the better of Polars and DuckDB to custcore."""
    cells = ["better of Polars and DuckDB |", "---:|"]
    for record in records:
        rows = by_name(record)
        peers = [rows[name]["median_seconds"] for name in POLARS_AND_DUCKDB if name in rows]
        ratio = min(peers) / rows["custcore"]["median_seconds"] if peers else None
        cells.append("- |" if ratio is None else f"{ratio:.1f} x |")
    return [f"{line}{' ' * (i != 1)}{cell}" for i, (line, cell) in enumerate(zip(lines, cells, strict=True))]


def seconds(row: Record, ours: Record) -> str:
    if row is ours:
        return f"**{row['median_seconds']:.3f}**"
    return f"{row['median_seconds']:.3f} ({row['median_seconds'] / ours['median_seconds']:.1f})"


def section(title: str, records: list[Record]) -> list[str]:
    """Format the cases of a section: seconds, memory, share of the bandwidth, and skipped contenders with reasons."""
    lines = [f"## {title}", "", "Seconds, and in brackets how many times as long as custcore.", ""]
    lines += with_better(table("seconds", records, seconds), records)
    lines += ["", "MiB above the input at the peak:", ""]
    lines += table("MiB", records, lambda row, _: f"{row['peak_bytes_above_input'] / MIB:,.0f}")
    if all(record["case"]["source"] == "memory" for record in records):
        lines += ["", "Share of the time that the memory's bandwidth would allow:", ""]
        lines += table("share", records, lambda row, _: f"{row['share_of_bandwidth']:.0%}")
    missing: dict[tuple[str, str], int] = {}
    for record in records:
        for name, why in record["skipped"].items():
            missing[name, why] = missing.get((name, why), 0) + 1
    if missing:
        lines += [
            "",
            "Left out: " + "; ".join(f"{name} ({why}; cases: {n})" for (name, why), n in missing.items()) + ".",
        ]
    return [*lines, ""]


def targets(records: list[Record]) -> list[str]:
    """Format the targets with the measurements."""
    lines = ["## Targets", "", "Ratios of medians in one run, results equal and sorted, 2 threads.", ""]
    lines += [
        "| RFM scores | rows | against | custcore, s | they, s | ratio | at least | dream | |",
        "|---|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    for target in TARGETS:
        rows = target.rows // M
        found = [by_name(record) for record in records if is_meant(target, record["case"])]
        peers = [found[0][name] for name in target.against if name in found[0]] if found else []
        cells = f"| {target.label} | {rows} M | {target.who} |"
        if not peers:
            lines.append(f"{cells} | | | {target.at_least:g} | {target.dream:g} | not measured |")
            continue
        ours, theirs = found[0]["custcore"]["median_seconds"], min(row["median_seconds"] for row in peers)
        ratio = theirs / ours
        verdict = "dream" if ratio >= target.dream else "met" if ratio >= target.at_least else "missed"
        lines.append(
            f"{cells} {ours:.3f} | {theirs:.3f} | {ratio:.1f} | {target.at_least:g} | {target.dream:g} | {verdict} |"
        )
    lines += ["", "Peak memory, to be no more than the leanest peer's (dream: half of it):", ""]
    lines += [
        "| RFM scores | rows | custcore, MiB | leanest peer | MiB | ratio | |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    seen = set()
    for target in TARGETS:
        found_records = [record for record in records if is_meant(target, record["case"])]
        if not found_records or found_records[0]["key"] in seen:
            continue
        record = found_records[0]
        seen.add(record["key"])
        peaks = {row["name"]: row["peak_bytes_above_input"] / MIB for row in record["contenders"]}
        ours = peaks.pop("custcore")
        if not peaks:
            continue
        name = min(peaks, key=lambda name: peaks[name])
        ratio = ours / max(peaks[name], 1)
        verdict = "dream" if ratio <= 0.5 else "met" if ratio <= 1 else "missed"
        rows = record["case"]["rows"] // M
        lines.append(
            f"| {target.label} | {rows} M | {ours:,.0f} | {name} | {peaks[name]:,.0f} | {ratio:.2f} | {verdict} |"
        )
    return [*lines, ""]


def machines(records: list[Record]) -> list[str]:
    """The machine, date and versions of the measurements."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        machine = record["hardware"]
        vectors = f" ({', '.join(machine['vectors'])})" if machine["vectors"] else ""
        words = f"{machine['processor']}{vectors}, {machine['cores']} cores, {machine['memory_gib']} GiB"
        words += f", {machine['system']}"
        groups.setdefault(words, []).append(record)
    lines = ["## Hardware and versions", ""]
    for words, measured in groups.items():
        rates = sorted(record["bandwidth_bytes_per_second"] / 1e9 for record in measured)
        dates = sorted({record["date"] for record in measured})
        commits = sorted({record["revision"] for record in measured})
        lines.append(
            f"- {words}; read memory at {rates[0]:.0f} to {rates[-1]:.0f} GB/s. {len(measured)} cases, "
            f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}, commit {', '.join(commits)}."
        )
    versions: dict[str, set[str]] = {}
    for record in records:
        versions.setdefault("Python", set()).add(record["python"])
        for row in record["contenders"]:
            versions.setdefault(row["name"].removesuffix("-streaming"), set()).add(row["version"])
    lines.append("- " + ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in versions.items()) + ".")
    lines.append("- custcore is built with the `dist` profile (fat LTO), as its wheels are.")
    lines += [
        "",
        "## What each was asked",
        "",
        "The recipe that was found the fastest for it (`benches/python/rfm`):",
        "",
    ]
    lines += [f"- {name}: {contender.asked}." for name, contender in BENCH.contenders.items()]
    return [*lines, ""]


def report(records: list[Record], picture: str | None) -> str:
    """Assemble the parts."""
    records = [record for record in records if "custcore" in by_name(record)]
    parts = [HEAD, METHOD, *machines(records), *targets(records)]
    for title, belongs in SECTIONS:
        found = [record for record in records if belongs(record["case"])]
        if found:
            parts += section(title, sorted(found, key=lambda record: rank(record["case"])))
    if picture:
        parts += ["## How the cost grows", "", f"![Nanoseconds a row, by rows and by customers]({picture})", ""]
    parts += cohort_section()
    parts += base_section()
    parts += ["## What was learnt", "", (BENCHES / "learnt.md").read_text()]
    parts += [kmeans_sections(list(load(BENCHES / "results" / "kmeans.json").values()))]
    return "\n".join(parts)


def rank(case: Record) -> tuple[Any, ...]:
    """Order the cases of a table like the targets."""
    kinds = list(RANKED)
    return case["order_id"], kinds.index(case["ids"]), case["order"] != "time", case["skew"], case["customers"]


RANKED = ("dense", "sparse", "string", "dictionary", "ends", "strided", "collide", "long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=BENCHES / "results" / "rfm.json", metavar="FILE")
    parser.add_argument("--output", type=Path, default=BENCHES.parent / "BENCHMARKS.md", metavar="FILE")
    arguments = parser.parse_args()
    records = list(load(arguments.json).values())
    if not records:
        raise SystemExit(f"{arguments.json} has no results; run `make bench` first")
    from benches.growth import draw

    image = arguments.json.parent / "growth.svg"
    picture = Path(os.path.relpath(image, arguments.output.parent)).as_posix() if draw(records, image) else None
    arguments.output.write_text(report(records, picture))


if __name__ == "__main__":
    main()
