"""Tables of the reports: one compact table a topic, from records of any bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.harness.machine import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Record = dict[str, Any]
M = 1_000_000
POLARS_AND_DUCKDB = ("polars", "polars-streaming", "duckdb")
# The whole table of custcore, beside the columns that the others compute. Older records have the former only.
WHOLE = "custcore-whole"
# Other ways to ask custcore are no peers.
OURS = ("custcore", WHOLE, "custcore-columns")

READING = """Columns named after a peer say how many times as long as custcore it takes; *MiB* is what custcore takes
above its input at the peak, *leanest* what the peer takes that needs the least; *share* is the part of custcore's time
that reading the input once would take. Peers without a figure were left out to save time, or for a reason given below.
"""


def by_name(record: Record) -> dict[str, Record]:
    """The contenders of a record."""
    return {row["name"]: row for row in record["contenders"]}


def ratio_to(record: Record, names: Iterable[str]) -> float | None:
    """How many times as long as custcore the fastest of some contenders takes; None if none was measured."""
    rows = by_name(record)
    peers = [rows[name]["median_seconds"] for name in names if name in rows]
    return min(peers) / rows["custcore"]["median_seconds"] if peers else None


def whole_seconds(record: Record) -> float:
    """Seconds of custcore for its whole table."""
    rows = by_name(record)
    return float(rows.get(WHOLE, rows["custcore"])["median_seconds"])


def leanest(record: Record) -> float | None:
    """MiB at the peak of the peer that needs the least."""
    peaks = [row["peak_bytes_above_input"] for row in record["contenders"] if row["name"] not in OURS]
    return min(peaks) / MIB if peaks else None


def memory_ratio(record: Record) -> float | None:
    """The peak of custcore by that of the leanest peer."""
    least = leanest(record)
    peak = by_name(record)["custcore"]["peak_bytes_above_input"] / MIB
    return None if least is None else float(peak / max(least, 1))


def times(ratio: float | None, *, mark: str = "") -> str:
    """Format a ratio; small ones so that one that misses a target does not look like it."""
    if ratio is None:
        return "-"
    return f"{ratio:.{2 if ratio < 2.95 else 1 if ratio < 99.95 else 0}f}{mark}"


def rows_of(lines: Iterable[Sequence[str]]) -> list[str]:
    """Format rows of cells."""
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def compact(
    first: str,
    groups: Iterable[tuple[str, list[Record]]],
    label: Callable[[Record], str],
    names: Sequence[str],
    extra: Sequence[tuple[str, Callable[[Record], str]]] = (),
    *,
    better: bool = True,
) -> list[str]:
    """Format records as one table, with a row for the title of each group that has one.

    Parameters
    ----------
    names
        Contenders in the order of the columns; those without a record are left out.
    extra
        Further columns: their heads, and a cell for each record.
    better
        Whether to add the better of Polars and DuckDB.
    """
    groups = [(title, records) for title, records in groups if records]
    measured = {row["name"] for _, records in groups for record in records for row in record["contenders"]}
    peers = [name for name in names if name in measured and name not in ("custcore", WHOLE)]
    heads = [first, "custcore, s"]
    heads += ["whole table, s"] if WHOLE in names else []
    heads += peers
    heads += ["better of Polars, DuckDB"] if better else []
    heads += [*(head for head, _ in extra), "MiB", "leanest", "share"]
    table = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for title, records in groups:
        if title:
            table.append([f"**{title}**", *[""] * (len(heads) - 1)])
        for record in records:
            found = by_name(record)
            ours = found["custcore"]
            cells = [label(record), f"**{ours['median_seconds']:.3f}**"]
            cells += [f"{whole_seconds(record):.3f}"] if WHOLE in names else []
            cells += [times(ratio_to(record, [name])) for name in peers]
            cells += [times(ratio_to(record, POLARS_AND_DUCKDB), mark=" x")] if better else []
            cells += [cell(record) for _, cell in extra]
            least = leanest(record)
            cells += [f"{ours['peak_bytes_above_input'] / MIB:,.0f}", "-" if least is None else f"{least:,.0f}"]
            cells.append(f"{ours['share_of_bandwidth']:.0%}")
            table.append(cells)
    lines = rows_of(table)
    lines[1] = lines[1].replace(" ", "")
    return lines


def left_out(records: Iterable[Record], usual: str = "") -> list[str]:
    """The contenders that were skipped, the reason, and the number of cases; ``usual`` is said elsewhere."""
    missing: dict[tuple[str, str], int] = {}
    for record in records:
        for name, why in record["skipped"].items():
            if why != usual:
                missing[name, why] = missing.get((name, why), 0) + 1
    skipped = "; ".join(f"{name} ({why}; cases: {n})" for (name, why), n in missing.items())
    return ["", f"Left out: {skipped}."] if skipped else []


def when(records: Sequence[Record]) -> str:
    """The dates and commits of records."""
    dates = sorted({record["date"] for record in records})
    commits = sorted({record["revision"] for record in records})
    return f"{len(records)} cases, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, commit {', '.join(commits)}"
