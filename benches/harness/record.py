"""Recorded results: one JSON file per bench with a record per case, and a record as a table for the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benches.harness.machine import GIB, MIB

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
# Earlier runs of a case that are kept.
EARLIER = 8


def load(path: Path) -> dict[str, Record]:
    """Read the records of a file by key; empty if there is no file."""
    if not path.exists():
        return {}
    return {record["key"]: record for record in json.loads(path.read_text())}


def save(record: Record, path: Path) -> None:
    """Write a record to a file, replacing an older one of the same case.

    A case is replaced as a whole, since ratios of different runs are meaningless. Of the older one its commit, its date
    and its medians are kept in ``earlier``.
    """
    records = load(path)
    earlier = _earlier(records.get(record["key"]), record["revision"])
    records[record["key"]] = record | ({"earlier": earlier} if earlier else {})
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(records[key]) for key in sorted(records)]
    fresh = path.with_suffix(".json.new")
    fresh.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    fresh.replace(path)


def _earlier(old: Record | None, revision: str) -> list[Record]:
    """The earlier runs of a case: those of an older record, and itself unless it is of the same commit."""
    if not old:
        return []
    known: list[Record] = old.get("earlier", [])
    medians = {row["name"]: row["median_seconds"] for row in old.get("contenders", []) if "median_seconds" in row}
    if medians and old["revision"] != revision:
        known = [*known, {"revision": old["revision"], "date": old["date"], "seconds": medians}]
    return known[-EARLIER:]


def show(record: Record) -> str:
    """Format a record, each contender with its ratio to the first."""
    machine, rows = record["hardware"], record["contenders"]
    lines = [
        f"{record['bench']}: {record['key']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; Python {record['python']}; "
        f"reads {record['bandwidth_bytes_per_second'] / GIB:.1f} GiB/s; {record['date']}",
        "",
        "| contender | seconds | least-most of | x first | MiB above the input | share of the bandwidth | let pass |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        seconds = row["seconds"]
        notes = ", ".join(f"{name} {count}" for name, count in row["notes"].items()) or "-"
        lines.append(
            f"| {row['name']} {row['version']} | {row['median_seconds']:.3f} "
            f"| {min(seconds):.3f}-{max(seconds):.3f} of {len(seconds)} "
            f"| {row['median_seconds'] / rows[0]['median_seconds']:.2f} | {row['peak_bytes_above_input'] / MIB:,.0f} "
            f"| {row['share_of_bandwidth']:.0%} | {notes} |"
        )
    lines += [f"| {name}: {why} | | | | | | |" for name, why in record["skipped"].items()]
    return "\n".join(lines)
