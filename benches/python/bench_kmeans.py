"""K-means by custcore, scikit-learn (Lloyd, Elkan), scikit-learn-intelex and faiss, one case.

The method is described in ``benches/harness``, the contenders are in ``benches/python/kmeans``. For example::

    python benches/python/bench_kmeans.py --rows 1_000_000 --features 8 --clusters 20 --task fit

``benches/suite_kmeans.py`` runs the cases of BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.harness.machine import gibibytes
from benches.python.kmeans import BENCH, DTYPES, SHAPES, TASKS, KMeansCase

WHERE = "benches.python.kmeans:BENCH"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    names = list(BENCH.contenders)
    parser.add_argument("--task", choices=TASKS, default="iterations")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=3)
    parser.add_argument("--clusters", type=int, default=8)
    parser.add_argument("--dtype", choices=DTYPES, default="float64")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument(
        "--groups", type=int, default=0, help="number of centres that rows are drawn around; 0: a single cloud"
    )
    parser.add_argument("--shape", choices=SHAPES, default="normal", help="distribution of the features of one cloud")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--contenders", nargs="+", choices=names, default=names, metavar="NAME", help="first: reference"
    )
    parser.add_argument("--rounds", type=int, default=Limits.rounds, help="timed runs of each contender")
    parser.add_argument("--memory", type=float, metavar="GIB", help="for all of them; default: what is available")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    settings = {name: getattr(arguments, name) for name in KMeansCase.__dataclass_fields__}
    limits = Limits(rounds=arguments.rounds, memory=gibibytes(arguments.memory))
    try:
        record = measure(BENCH, WHERE, KMeansCase(**settings), arguments.contenders, limits)
    except (UnequalError, FailedError) as error:
        raise SystemExit(f"{error}; no figures are printed") from error
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
