"""Value classes by custcore, Polars and DuckDB, one case: time, peak memory, ratios. Results are compared first.

For example::

    python benches/python/bench_abc.py --rows 10_000_000 --customers 1_000_000 --ids sparse
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import ID_KINDS
from benches.harness import FailedError, Limits, UnequalError, measure, save, show
from benches.python.rfm import RfmCase
from benches.python.value_classes import BENCH

WHERE = "benches.python.value_classes:BENCH"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    names = list(BENCH.contenders)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--ids", choices=ID_KINDS, default="dense")
    parser.add_argument("--order-id", action="store_true", help="rows are lines of orders, about nine each")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--contenders", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=Limits.rounds, help="timed runs of each contender")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    given = parser.parse_args()
    case = RfmCase(given.rows, given.customers, ids=given.ids, order_id=given.order_id, threads=given.threads)
    try:
        record = measure(BENCH, WHERE, case, given.contenders, Limits(rounds=given.rounds))
    except (UnequalError, FailedError) as error:
        raise SystemExit(f"{error}; no figures are printed") from error
    print(show(record))
    if given.json:
        save(record, given.json)


if __name__ == "__main__":
    main()
