"""RFM scores by custcore and other libraries, one case: time, peak memory, share of the memory bandwidth.

The method is described in ``benches/harness``, the contenders are in ``benches/python/rfm``. For example::

    python benches/python/bench_rfm.py --rows 1_000_000 --customers 100_000 --ids sparse --no-sort --threads 1

``benches/suite.py`` runs the cases of BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import ID_KINDS, ORDERS, SKEWS
from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.harness.machine import gibibytes
from benches.python.rfm import BENCH, CHUNK_ROWS, SOURCES, RfmCase

WHERE = "benches.python.rfm:BENCH"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    names = list(BENCH.contenders)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, help="a tenth of the rows; 1: ids all equal; ROWS: all distinct")
    parser.add_argument("--ids", choices=ID_KINDS, default="dense")
    parser.add_argument("--order", choices=ORDERS, default="time", help="of the rows")
    parser.add_argument("--order-id", action="store_true", help="rows are lines of orders, about nine each")
    parser.add_argument("--skew", choices=SKEWS, default="none", help="half: one customer has half of the orders")
    parser.add_argument("--source", choices=SOURCES, default="memory")
    parser.add_argument("--sort", action=argparse.BooleanOptionalAction, default=True, help="rows ascending by id")
    parser.add_argument("--chunk-rows", type=int, default=CHUNK_ROWS, help="rows in a batch in memory; 0: one batch")
    parser.add_argument("--threads", type=int, default=cores)
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
    case = RfmCase(
        rows=arguments.rows,
        customers=arguments.customers or max(1, arguments.rows // 10),
        ids=arguments.ids,
        order=arguments.order,
        order_id=arguments.order_id,
        skew=arguments.skew,
        source=arguments.source,
        sort=arguments.sort,
        threads=arguments.threads,
        seed=arguments.seed,
        chunk_rows=arguments.chunk_rows,
    )
    limits = Limits(rounds=arguments.rounds, memory=gibibytes(arguments.memory))
    try:
        record = measure(BENCH, WHERE, case, arguments.contenders, limits)
    except (UnequalError, FailedError) as error:
        raise SystemExit(f"{error}; no figures are printed") from error
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
