"""Lifetime value by custcore and other libraries, one case: time and peak memory; results are compared first.

The method is described in ``benches/harness``, the contenders are in ``benches/python/clv``. lifetimes and
pymc-marketing are left out where they are not installed (group ``peers`` of pyproject.toml). For example::

    python benches/python/bench_clv.py --customers 1_000_000 --model BGNBD --task both
    python benches/python/bench_clv.py --data cdnow --model ParetoNBD
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.harness.machine import gibibytes
from benches.python.clv import BENCH, CONTENDERS, MODELS, TASKS, ClvCase
from benches.python.clv.case import DATA

WHERE = "benches.python.clv:BENCH"
CDNOW = 23_570


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--model", choices=MODELS, default="BGNBD")
    parser.add_argument("--task", choices=TASKS, default="fit")
    parser.add_argument("--data", choices=DATA, default="simulated")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), metavar="NAME", help="first: reference")
    parser.add_argument("--rounds", type=int, default=Limits.rounds, help="timed runs of each contender")
    parser.add_argument("--seconds", type=float, default=Limits.run, help="of one run, at most")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all of them; default: what is available")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    case = ClvCase(
        customers=CDNOW if arguments.data == "cdnow" else arguments.customers,
        model=arguments.model,
        task=arguments.task,
        data=arguments.data,
        threads=arguments.threads,
        seed=arguments.seed,
    )
    names = arguments.contenders or list(CONTENDERS)
    limits = Limits(rounds=arguments.rounds, run=arguments.seconds, memory=gibibytes(arguments.memory))
    try:
        record = measure(BENCH, WHERE, case, names, limits)
    except (UnequalError, FailedError) as error:
        raise SystemExit(f"{error}; no figures are printed") from error
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
