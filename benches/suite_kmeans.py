"""The k-means cases of BENCHMARKS.md: ``python benches/suite_kmeans.py quick`` (minutes), ``full`` (longer).

Results are written to ``benches/results/kmeans.json`` after each case; with ``--missing`` the next run skips the cases
that were already measured at this commit on this kind of machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.harness import FailedError, Limits, UnequalError, load, measure, save, show
from benches.harness.machine import gibibytes, hardware, revision
from benches.python.kmeans import BENCH, KMeansCase

WHERE = "benches.python.kmeans:BENCH"
RESULTS = Path(__file__).parent / "results" / "kmeans.json"

M = 1_000_000
THREADS = min(2, len(os.sched_getaffinity(0)))
ALL = tuple(BENCH.contenders)
# A first run of more seconds than this is timed: long runs need no warm-up.
WARM = 1.0


@dataclass(frozen=True)
class Entry:
    """One case of the suite, its contenders and repetitions."""

    case: KMeansCase
    rounds: int = 3
    contenders: tuple[str, ...] = ALL


def quick() -> list[Entry]:
    """The cases of the table of targets."""
    plain = KMeansCase(10 * M, threads=THREADS)
    fit = replace(plain, task="fit")
    wide = replace(fit, rows=M, features=8, clusters=16)
    cases = [plain, fit, replace(fit, rows=M), wide, *heavy()]
    both = [replace(case, dtype=dtype) for case in cases for dtype in ("float32", "float64")]
    select = KMeansCase(M, task="select", threads=THREADS)
    one = replace(plain, rows=M, task="predict_one", threads=1)
    return [*(Entry(case) for case in both), Entry(select, rounds=1), Entry(one)]


def heavy() -> list[KMeansCase]:
    """Heavy tails, as money has: 20 iterations and a default fit, few and more features and clusters."""
    mixed = KMeansCase(4 * M, shape="mixed", threads=THREADS)
    money = replace(mixed, rows=M, features=8, shape="money")
    few = [mixed, replace(mixed, task="fit"), replace(mixed, shape="money")]
    return [*few, money, replace(money, clusters=16), replace(money, clusters=20), replace(money, task="fit")]


def grid() -> list[Entry]:
    """1, 10 and 100 million rows (the last float32), few and more features and clusters, one and two threads."""
    entries = []
    for rows in (M, 10 * M):
        for dtype in ("float32", "float64"):
            for features in (3, 8):
                for clusters in (8, 20):
                    for threads in (THREADS, 1):
                        case = KMeansCase(rows, features, clusters, dtype, threads=threads)
                        entries.append(Entry(case, rounds=3 if rows == M else 1))
    hundred = KMeansCase(100 * M, dtype="float32", iterations=5, threads=THREADS)
    entries.append(Entry(hundred, rounds=1))
    entries.append(Entry(replace(hundred, threads=1), rounds=1))
    entries += [Entry(replace(hundred, features=d, clusters=k), rounds=1) for d, k in ((3, 20), (8, 8), (8, 20))]
    return entries


def full() -> list[Entry]:
    """All cases: the grid, data with clusters, and the prediction of 100 million rows."""
    grouped = KMeansCase(M, groups=10, threads=THREADS)
    more = [Entry(replace(grouped, dtype=dtype)) for dtype in ("float32", "float64")]
    more.append(Entry(KMeansCase(100 * M, dtype="float32", task="predict", threads=THREADS), rounds=3))
    entries = {entry.case.key: entry for entry in [*grid(), *more, *quick()]}
    return list(entries.values())


SUITES = {"quick": quick, "full": full}


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
        print(show(record), flush=True)
        save(record, path)
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results are kept")
    parser.add_argument("--missing", action="store_true", help="only what was not measured at this commit")
    parser.add_argument("--shrink", type=int, default=1, metavar="N", help="N times fewer rows, for trials")
    parser.add_argument("--rounds", type=int, help="in place of what the suite says")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all contenders; default: what is available")
    parser.add_argument("--only", metavar="TEXT", help="only the cases whose key contains this")
    arguments = parser.parse_args()
    if arguments.shrink > 1 and arguments.json == RESULTS:
        parser.error("a trial run must not be kept among the results: pass --json")
    entries = []
    for entry in SUITES[arguments.suite]():
        rounds = arguments.rounds or entry.rounds
        fresh = replace(entry, case=replace(entry.case, rows=entry.case.rows // arguments.shrink), rounds=rounds)
        if not arguments.only or arguments.only in fresh.case.key:
            entries.append(fresh)
    limits = Limits(warm=WARM, memory=gibibytes(arguments.memory))
    failures = run(entries, arguments.json, limits, missing=arguments.missing)
    if failures:
        raise SystemExit(f"{failures} of {len(entries)} cases failed")


if __name__ == "__main__":
    main()
