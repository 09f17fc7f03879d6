"""The cases of BENCHMARKS.md: ``python benches/suite.py must`` (25 minutes), ``quick``, ``full`` (over an hour).

Results are written to ``benches/results/rfm.json`` after each case, so that an interrupted run can be resumed: with
``--missing`` the next run skips the cases that were already measured at this commit on this kind of machine.
``--only 3 7`` measures the third and the seventh case.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.harness import FailedError, Limits, UnequalError, load, measure, save, show
from benches.harness.machine import gibibytes, hardware, revision
from benches.python.rfm import BENCH, RfmCase

if TYPE_CHECKING:
    from benches.data import IdKind

WHERE = "benches.python.rfm:BENCH"
RESULTS = Path(__file__).parent / "results" / "rfm.json"

M = 1_000_000
THREADS = min(2, len(os.sched_getaffinity(0)))
ALL = tuple(BENCH.contenders)
# Variants of a case run with the contenders that the targets name; the others are in the main tables.
OURS = ("custcore", "custcore-whole")
NAMED = (*OURS, "polars", "polars-streaming", "duckdb", "numpy")
# What a case of 100 million rows, or one that differs in its batches only, is measured with.
QUICK = (*OURS, "polars-streaming", "duckdb")
MAIN = (*OURS, "pandas", "polars", "polars-streaming", "duckdb", "numpy")
ELSEWHERE = "measured in the main tables only, to save time"
# Scaling is plotted, and more than five lines are hard to distinguish.
DRAWN = ("custcore", "custcore-whole", "polars-streaming", "duckdb", "numpy", "pandas")
GROWTH_ROWS = (1 * M, 3 * M, 10 * M, 30 * M, 100 * M)
GROWTH_CUSTOMERS = (1_000, 10_000, 100_000, 1 * M, 10 * M)
CUSTOMERS_AT = 30 * M
# A table as one batch, as pandas gives it, and in the batches in which pyarrow reads a file.
CHUNKS = (0, 1 << 17)
# Kinds of ids that are measured with 10 million rows, sorted, by all threads.
LEFT_OUT = ("gap7", "gap30", "gaps", "uuid")


@dataclass(frozen=True)
class Entry:
    """One case of the suite, its contenders, repetitions, and the reasons why others are skipped."""

    case: RfmCase
    contenders: tuple[str, ...] = ALL
    rounds: int = 5
    why: str = ELSEWHERE


def lines(rows: int) -> list[RfmCase]:
    """The cases of the table of targets with a number of rows, in memory and sorted; the first is the headline."""
    plain = RfmCase(rows, rows // 10, threads=THREADS)
    kinds: tuple[IdKind, ...] = ("gap2", "gap7", "gap30", "gaps", "dense", "sparse", "string", "uuid", "dictionary")
    return [
        *(replace(plain, ids=ids) for ids in kinds),
        replace(plain, order="clustered"),
        replace(plain, order_id=True),
    ]


def parquet(rows: int) -> list[RfmCase]:
    """The cases of the table of targets that read a Parquet file."""
    plain = RfmCase(rows, rows // 10, threads=THREADS, source="parquet")
    kinds: tuple[IdKind, ...] = ("gap2", "dense", "string", "dictionaries", "dictionary")
    return [*(replace(plain, ids=ids) for ids in kinds), replace(plain, order_id=True)]


def chunked(rows: int) -> list[RfmCase]:
    """The same rows in one batch, and in small batches."""
    plain = RfmCase(rows, rows // 10, threads=THREADS)
    kinds: tuple[IdKind, ...] = ("gap2", "uuid", "dictionary")
    return [replace(plain, ids=ids, chunk_rows=chunk) for ids in kinds for chunk in CHUNKS]


def must() -> list[Entry]:
    """What the first page of BENCHMARKS.md begins with: 10 million rows of all kinds, 100 million of two."""
    hundred = RfmCase(100 * M, 10 * M, threads=THREADS)
    entries = [Entry(case, MAIN) for case in lines(10 * M)]
    entries += [Entry(case, QUICK) for case in [*parquet(10 * M), *chunked(10 * M)]]
    # Each contender loads 100 million rows anew in every round.
    return entries + [Entry(replace(hundred, ids=ids), QUICK, rounds=3) for ids in ("gap2", "string")]


def quick() -> list[Entry]:
    """10 million rows: the lines of the table of targets, and from Parquet."""
    return [able(Entry(case)) for case in [*lines(10 * M), *parquet(10 * M)]]


def able(entry: Entry) -> Entry:
    """Skip contenders that need minutes."""
    if entry.case.ids not in ("dictionary", "dictionaries") or "datafusion" not in entry.contenders:
        return entry
    contenders = tuple(name for name in entry.contenders if name != "datafusion")
    return replace(entry, contenders=contenders, why="needs 100 s and 7 GiB for 10 million rows with a dictionary")


def skews() -> list[RfmCase]:
    """Data that are difficult for some grouping methods."""
    plain = RfmCase(10 * M, M, threads=THREADS)
    return [
        replace(plain, skew="half"),
        replace(plain, skew="half", ids="string"),
        replace(plain, customers=1),
        replace(plain, customers=10 * M),
        replace(plain, customers=10 * M, ids="sparse"),
        replace(plain, ids="ends"),
        replace(plain, ids="long"),
        replace(plain, ids="strided"),
        replace(plain, ids="collide"),
    ]


def growth() -> list[RfmCase]:
    """More rows at ten per customer, and more customers at 30 million rows."""
    by_rows = [RfmCase(rows, rows // 10, threads=THREADS) for rows in GROWTH_ROWS]
    by_customers = [RfmCase(CUSTOMERS_AT, customers, threads=THREADS) for customers in GROWTH_CUSTOMERS]
    return by_rows + by_customers


def full() -> list[Entry]:
    """All cases: sorted and unsorted, one thread, Parquet of all kinds, skews, scaling, 100 million rows."""
    ten, hundred = lines(10 * M), lines(100 * M)
    plain = RfmCase(10 * M, M, threads=THREADS)
    entries = quick()
    entries += [Entry(case, DRAWN, rounds=2) for case in growth()]
    entries += [able(Entry(case, rounds=1)) for case in hundred if case.ids not in LEFT_OUT]
    few = [case for case in ten if case.ids not in LEFT_OUT]
    more = [replace(case, sort=False) for case in few]
    more += [replace(case, threads=1) for case in few]
    more += [replace(case, source="parquet") for case in few if case.order == "clustered" or case.ids == "sparse"]
    more += [replace(plain, order="clustered", order_id=True), replace(plain, source="parquet", threads=1)]
    entries += [Entry(case, NAMED, rounds=2) for case in [*more, *skews()]]
    entries += must()
    # Of duplicate cases, the one with more contenders is kept.
    best: dict[str, Entry] = {}
    for entry in entries:
        known = best.get(entry.case.key)
        if known is None or (len(known.contenders), known.rounds) < (len(entry.contenders), entry.rounds):
            best[entry.case.key] = entry
    return list(best.values())


SUITES = {"must": must, "quick": quick, "full": full}


def run(entries: list[Entry], path: Path, limits: Limits, *, missing: bool) -> int:
    """Measure the cases and record the results; return the number of failed cases."""
    begin, failures = time.monotonic(), 0
    for n, entry in enumerate(entries, 1):
        known = load(path).get(entry.case.key)
        if missing and known and (known["revision"], known["hardware"]) == (revision(), hardware()):
            continue
        print(f"\n[{n} of {len(entries)}, {(time.monotonic() - begin) / 60:.0f} min]", file=sys.stderr)
        try:
            record = measure(BENCH, WHERE, entry.case, entry.contenders, replace(limits, rounds=entry.rounds))
        except (UnequalError, FailedError) as error:
            print(f"FAILED {entry.case.key}: {error}", file=sys.stderr)
            failures += 1
            continue
        record["skipped"] |= {name: entry.why for name in ALL if name not in entry.contenders}
        print(show(record), flush=True)
        save(record, path)
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results are kept")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these cases, counted from 1; default: all")
    parser.add_argument("--missing", action="store_true", help="only what was not measured at this commit")
    parser.add_argument(
        "--shrink", type=int, default=1, metavar="N", help="N times fewer rows and customers, for trials"
    )
    parser.add_argument("--rounds", type=int, help="instead of the suite's number")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all contenders; default: what is available")
    arguments = parser.parse_args()
    if arguments.shrink > 1 and arguments.json == RESULTS:
        parser.error("a trial run must not be kept among the results: pass --json")
    entries = []
    for n, entry in enumerate(SUITES[arguments.suite](), 1):
        if arguments.only and n not in arguments.only:
            continue
        case = entry.case
        rows, customers = case.rows // arguments.shrink, max(1, case.customers // arguments.shrink)
        rounds = arguments.rounds or entry.rounds
        entries.append(replace(entry, case=replace(case, rows=rows, customers=customers), rounds=rounds))
    failures = run(entries, arguments.json, Limits(memory=gibibytes(arguments.memory)), missing=arguments.missing)
    if failures:
        raise SystemExit(f"{failures} of {len(entries)} cases failed")


if __name__ == "__main__":
    main()
