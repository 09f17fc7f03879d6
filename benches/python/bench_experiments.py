"""Effects of an experiment by custcore and other libraries, one case: time, peak memory, share of the memory bandwidth.

The method is described in ``benches/harness``, the contenders are in ``benches/python/experiments``. For example::

    python benches/python/bench_experiments.py --customers 1_000_000 --task transactions --threads 1
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import ID_KINDS
from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.harness.machine import gibibytes
from benches.python.experiments import BENCH, CONTENDERS, ExperimentCase
from benches.python.experiments.case import TASKS

WHERE = "benches.python.experiments:BENCH"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=10_000_000)
    parser.add_argument("--task", choices=TASKS, default="table")
    parser.add_argument("--ids", choices=ID_KINDS, default="dense")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), metavar="NAME", help="first: reference")
    parser.add_argument("--rounds", type=int, default=Limits.rounds, help="timed runs of each contender")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all of them; default: what is available")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    case = ExperimentCase(
        arguments.customers, arguments.task, ids=arguments.ids, threads=arguments.threads, seed=arguments.seed
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
