"""The cohort cases of BENCHMARKS.md: ``suite_cohort.py must`` (minutes), ``quick``, ``full`` (a quarter of an hour).

Results are written to ``benches/results/cohort.json`` after each case, as in ``benches/suite.py``.
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
from benches.python.cohort import BENCH, PEERS, WITH_RFM, CohortCase

WHERE = "benches.python.cohort:BENCH"
RESULTS = Path(__file__).parent / "results" / "cohort.json"
M = 1_000_000
THREADS = min(2, len(os.sched_getaffinity(0)))


# Most of the time is that of those who are slowest.
MAIN = ("custcore", "polars-streaming", "duckdb", "numpy")


@dataclass(frozen=True)
class Entry:
    """One case of the suite, the number of repetitions, and the contenders; default: all."""

    case: CohortCase
    rounds: int = 5
    some: tuple[str, ...] = ()

    @property
    def contenders(self) -> tuple[str, ...]:
        """The contenders."""
        return self.some or (WITH_RFM if self.case.rfm else PEERS)


def must() -> list[Entry]:
    """Integer ids with and without gaps, interleaved with the peers that come near."""
    plain = CohortCase(10 * M, M, threads=THREADS)
    return [Entry(replace(plain, ids=ids), some=MAIN) for ids in ("gap2", "dense", "gap7")]


def quick() -> list[Entry]:
    """10 million rows of all kinds, also with RFM."""
    plain = CohortCase(10 * M, M, threads=THREADS)
    cases = [
        replace(plain, ids="gap2"),
        plain,
        replace(plain, order="clustered"),
        replace(plain, ids="sparse"),
        replace(plain, ids="string"),
        replace(plain, ids="dictionary"),
    ]
    return [*(Entry(case, rounds=3) for case in cases), Entry(replace(plain, rfm=True), rounds=9)]


def full() -> list[Entry]:
    """All cases: 10 million customers, 100 million rows, one thread."""
    plain = CohortCase(10 * M, M, threads=THREADS)
    long = replace(plain, rows=100 * M)
    more = [replace(plain, customers=10 * M), replace(plain, threads=1), replace(plain, order="clustered", threads=1)]
    more += [replace(plain, ids="gap7")]
    long_ones = [long, replace(long, customers=10 * M), replace(long, customers=10 * M, order="clustered")]
    return [*quick(), *(Entry(case, rounds=3) for case in more), *(Entry(case, rounds=1) for case in long_ones)]


SUITES = {"must": must, "quick": quick, "full": full}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results are kept")
    parser.add_argument("--missing", action="store_true", help="only what was not measured at this commit")
    parser.add_argument(
        "--shrink", type=int, default=1, metavar="N", help="N times fewer rows and customers, for trials"
    )
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all contenders; default: what is available")
    arguments = parser.parse_args()
    if arguments.shrink > 1 and arguments.json == RESULTS:
        parser.error("a trial run must not be kept among the results: pass --json")
    begin, failures, entries = time.monotonic(), 0, SUITES[arguments.suite]()
    for n, entry in enumerate(entries, 1):
        rows, customers = (max(1, number // arguments.shrink) for number in (entry.case.rows, entry.case.customers))
        case = replace(entry.case, rows=rows, customers=customers)
        known = load(arguments.json).get(case.key)
        if arguments.missing and known and (known["revision"], known["hardware"]) == (revision(), hardware()):
            continue
        print(f"\n[{n} of {len(entries)}, {(time.monotonic() - begin) / 60:.0f} min]", file=sys.stderr)
        limits = Limits(rounds=entry.rounds, run=90, memory=gibibytes(arguments.memory))
        try:
            record = measure(BENCH, WHERE, case, entry.contenders, limits)
        except (UnequalError, FailedError) as error:
            print(f"FAILED {case.key}: {error}", file=sys.stderr)
            failures += 1
            continue
        print(show(record), flush=True)
        save(record, arguments.json)
    if failures:
        raise SystemExit(f"{failures} of {len(entries)} cases failed")


if __name__ == "__main__":
    main()
