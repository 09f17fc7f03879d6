"""Pairs of items by custcore and other libraries, one case: time, peak memory, share of the memory bandwidth.

The method is described in ``benches/harness``, the contenders are in ``benches/python/affinity``. For example::

    python benches/python/bench_pairs.py --source online_retail
    python benches/python/bench_pairs.py --lines 10_000_000 --items 10_000 --minimum 100
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.harness.machine import gibibytes
from benches.python.affinity import BENCH, CONTENDERS, PairCase
from benches.python.affinity.case import MINIMUM, SOURCES

WHERE = "benches.python.affinity:BENCH"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--source", choices=SOURCES, default="made")
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--minimum", type=int, help="default: 100, of Online Retail 20, of the Complete Journey 50")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), metavar="NAME", help="first: reference")
    parser.add_argument("--rounds", type=int, default=Limits.rounds, help="timed runs of each contender")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all of them; default: what is available")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    case = PairCase(
        arguments.source,
        arguments.lines,
        arguments.items,
        arguments.minimum or MINIMUM[arguments.source],
        threads=arguments.threads,
        seed=arguments.seed,
    )
    names = arguments.contenders or list(CONTENDERS)
    limits = Limits(rounds=arguments.rounds, memory=gibibytes(arguments.memory))
    try:
        record = measure(BENCH, WHERE, case, names, limits)
    except (UnequalError, FailedError) as error:
        raise SystemExit(f"{error}; no figures are printed") from error
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
