"""The page benches/HISTORY.md: targets, what was learnt, earlier runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches.harness import load
from benches.report_headline import Results, targets
from benches.tables import POLARS_AND_DUCKDB, rows_of

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent

HEAD = """# History of the benchmarks

<!-- Made by benches/report.py of benches/results/*.json and benches/learnt*.md: `make bench-report`. Do not edit. -->

Targets and how they were met, what was learnt on the way, and earlier runs. The results are in
[BENCHMARKS.md](../BENCHMARKS.md).
"""
RUNS = """Medians of custcore in seconds, and in brackets how many times as long the better of Polars and DuckDB took in
the same run, from the oldest run to the newest. Cases that were measured at one commit only are left out. Machines are
shared and differ from day to day, so ratios say more than seconds.
"""
# Title, and the file of notes.
LEARNT = [
    ("Missed targets, and what the profile says", "learnt_missed.md"),
    ("RFM", "learnt.md"),
    ("Customer bases", "learnt_base.md"),
    ("Cohorts", "learnt_cohort.md"),
    ("K-means", "learnt_kmeans.md"),
    ("Experiments and baskets", "learnt_effect.md"),
]


def notes() -> list[str]:
    """What was learnt, by topic."""
    lines = []
    for title, file in LEARNT:
        path = BENCHES / file
        if path.exists():
            lines += [f"## {title}", "", path.read_text().strip(), ""]
    return lines


def run_of(revision: str, date: str, seconds: dict[str, float]) -> str:
    """One run of a case."""
    peers = [seconds[name] for name in POLARS_AND_DUCKDB if name in seconds]
    ratio = f" ({min(peers) / seconds['custcore']:.1f})" if peers else ""
    return f"{seconds['custcore']:.3f}{ratio}, {date} {revision}"


def earlier(records: list[Record]) -> list[str]:
    """The runs of each case that was measured more than once."""
    table = []
    for record in sorted(records, key=lambda record: (str(record["bench"]), str(record["key"]))):
        if "earlier" not in record:
            continue
        seconds = {row["name"]: row["median_seconds"] for row in record["contenders"]}
        runs = [*record["earlier"], {"revision": record["revision"], "date": record["date"], "seconds": seconds}]
        words = [run_of(**run) for run in runs if "custcore" in run["seconds"]]
        table.append([f"{record['bench']}: {record['key']}", "; ".join(words)])
    first = BENCHES / "learnt_runs.md"
    lines = ["## Earlier runs", "", *([first.read_text()] if first.exists() else [])]
    return [*lines, *([RUNS, "| case | runs |", "|---|---|", *rows_of(table), ""] if table else [])]


def history(results: Results, folder: Path, picture: str | None = None) -> str:
    """Assemble the page; ``picture``: the plot of scaling, relative to the page."""
    lines = [HEAD]
    if table := targets(results):
        lines += [
            "## Targets",
            "",
            "| case | against | found | target | |",
            "|---|---|---:|---|---|",
            *rows_of(table),
            "",
        ]
    lines += notes()
    if picture:
        lines += ["## How the cost grows", "", f"![Nanoseconds a row, by rows and by customers]({picture})", ""]
    files = sorted(folder.glob("*.json"))
    lines += earlier([record for file in files for record in load(file).values()])
    return "\n".join(lines).rstrip() + "\n"
