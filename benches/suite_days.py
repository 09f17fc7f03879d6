"""The cases of level days in BENCHMARKS.md: ``suite_days.py must`` (minutes), ``quick``, ``full``.

Results are written to ``benches/results/days.json`` after each case, as in ``benches/suite.py``.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.harness import FailedError, load, save
from benches.harness.machine import hardware, revision
from benches.python.bench_days import DaysCase, measure, show

RESULTS = Path(__file__).parent / "results" / "days.json"
M = 1_000_000
THREADS = min(2, len(os.sched_getaffinity(0)))
# From this number of rows on three rounds must do.
LONG = 100 * M
ROUNDS, LONG_ROUNDS = 5, 3


def quick() -> list[DaysCase]:
    """20 million rows."""
    return [DaysCase(20 * M, 2 * M, "gap2", THREADS)]


def must() -> list[DaysCase]:
    """20 million rows with and without gaps, 50 and 100 million."""
    plain = DaysCase(20 * M, 2 * M, "gap2", THREADS)
    longer = [replace(plain, rows=n * M, customers=n * M // 10) for n in (50, 100)]
    return [plain, replace(plain, ids="dense"), *longer]


def full() -> list[DaysCase]:
    """All cases: also strings, and one thread."""
    plain = DaysCase(20 * M, 2 * M, "gap2", THREADS)
    return [*must(), replace(plain, ids="string"), replace(plain, ids="sparse"), replace(plain, threads=1)]


SUITES = {"must": must, "quick": quick, "full": full}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results are kept")
    parser.add_argument("--missing", action="store_true", help="only what was not measured at this commit")
    parser.add_argument("--rounds", type=int, help="instead of the suite's number")
    parser.add_argument(
        "--shrink", type=int, default=1, metavar="N", help="N times fewer rows and customers, for trials"
    )
    arguments = parser.parse_args()
    if arguments.shrink > 1 and arguments.json == RESULTS:
        parser.error("a trial run must not be kept among the results: pass --json")
    failures = 0
    for case in SUITES[arguments.suite]():
        rows, customers = (max(1, number // arguments.shrink) for number in (case.rows, case.customers))
        smaller = replace(case, rows=rows, customers=customers)
        known = load(arguments.json).get(smaller.key)
        if arguments.missing and known and (known["revision"], known["hardware"]) == (revision(), hardware()):
            continue
        try:
            record = measure(smaller, arguments.rounds or (LONG_ROUNDS if case.rows >= LONG else ROUNDS))
        except FailedError as error:
            print(f"FAILED {error}", file=sys.stderr)
            failures += 1
            continue
        print(show(record), flush=True)
        save(record, arguments.json)
    if failures:
        raise SystemExit(f"{failures} cases failed")


if __name__ == "__main__":
    main()
