"""The parts of BENCHMARKS.md about k-means, lifetime value, measures and value classes, as far as there are results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches import report_kmeans
from benches.harness import load
from benches.python import clv, kmeans, measures, value_classes
from benches.tables import OURS, compact, left_out, when

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]

# Title, file of results, and contenders.
TOPICS: list[tuple[str, str, Any]] = [
    ("Lifetime value", "clv.json", clv.BENCH),
    ("Measures by month", "measures.json", measures.BENCH),
    ("Value classes", "abc.json", value_classes.BENCH),
]


def kmeans_section(records: list[Record]) -> list[str]:
    """Format all results of k-means: targets, and one table; empty without results."""
    records = [record for record in records if any(row["name"] == "custcore" for row in record["contenders"])]
    if not records:
        return []
    groups = [
        (title, sorted((record for record in records if belongs(record["case"])), key=report_kmeans._rank))
        for title, belongs in report_kmeans.SECTIONS
    ]
    shown = [record for _, group in groups for record in group]
    lines = [_lower(report_kmeans.HEAD), _lower(report_kmeans._targets(records))]
    table = compact(
        "k-means",
        groups,
        lambda record: report_kmeans._label(record["case"]),
        list(kmeans.BENCH.contenders),
        [("others off by", off)],
        better=False,
    )
    lines += [*table, *left_out(shown), "", f"{when(records)}.", ""]
    return lines


def _lower(text: str) -> str:
    """The text with its headings one level lower where they are those of a page."""
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines()) + "\n"


def off(record: Record) -> str:
    """How far the results of others are from custcore's: from the least to the greatest."""
    notes = [row["notes"] for row in record["contenders"] if row["name"] not in OURS]
    labels = [note.get("labels", 0) for note in notes]
    above = [note.get("inertia, millionths above", 0) for note in notes]
    words = [f"{min(labels):,} to {max(labels):,} labels"] if any(labels) else []
    words += [f"inertia {min(above):+,} to {max(above):+,} ppm"] if any(above) else []
    return ", ".join(words) or "same"


def more_sections(results: Path) -> list[str]:
    """Format the results of other analyses; empty without results."""
    lines: list[str] = []
    for title, file, bench in TOPICS:
        records = sorted(load(results / file).values(), key=lambda record: str(record["key"]))
        if not records:
            continue
        names = list(bench.contenders)
        better = any(name.startswith(("polars", "duckdb")) for name in names)
        table = compact("case", [("", records)], lambda record: str(record["key"]), names, better=better)
        lines += [f"## {title}", "", *table, *left_out(records), "", f"{when(records)}.", ""]
    return lines
