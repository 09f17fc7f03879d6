"""Online Retail day by day: the time of an update of the base compared with a full recomputation.

After each day the base's table is compared with that of `custcore.rfm` over all rows so far (not timed)::

    python benches/python/bench_base.py --data online_retail.parquet --track orders
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import custcore
from benches.harness import save
from benches.harness.machine import hardware, revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONLINE_RETAIL = Path(__file__).resolve().parents[2] / "tests/data/online_retail/online_retail.parquet"
NAMES: dict[str, Any] = {"customer_id": "customer_id", "timestamp": "invoice_date"}
MICROSECOND = 1e-6


def days(path: Path) -> Iterator[tuple[datetime.date, pa.Table]]:
    """Yield the rows of each day, ascending."""
    raw = pq.read_table(path)
    amount = pc.multiply(raw["quantity"].cast("float64"), raw["unit_price"])
    table = raw.select(["customer_id", "invoice_date", "invoice"]).append_column("amount", amount)
    table = table.append_column("day", raw["invoice_date"].cast("date32"))
    table = table.take(pc.sort_indices(table, [("day", "ascending")])).combine_chunks()
    start = 0
    for entry in table["day"].value_counts().to_pylist():
        yield entry["values"], table.slice(start, entry["counts"]).drop_columns(["day"]).combine_chunks()
        start += entry["counts"]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure(path: Path, track: str, threads: int, *, quiet: bool) -> dict[str, Any]:
    """Update a base day by day."""
    order: dict[str, Any] = {"order_id": "invoice"} if track == "orders" else {}
    base = custcore.CustomerBase(track=track, **NAMES, **order)
    rows: list[pa.Table] = []
    lines = []
    if not quiet:
        print(f"{'day':<12}{'rows':>8}{'so far':>10}{'update':>12}{'table':>12}{'again':>12}   (milliseconds)")
    for day, purchases in days(path):
        rows.append(purchases)
        so_far = pa.concat_tables(rows)
        update, _ = timed(lambda data=purchases: base.update(data, n_threads=threads))
        table, kept = timed(lambda: base.rfm(n_threads=threads))
        again, fresh = timed(lambda data=so_far: custcore.rfm(data, n_threads=threads, **NAMES, **order))
        if not kept.to_pyarrow().equals(fresh.to_pyarrow()):
            raise SystemExit(f"{day}: the base's table differs from that of all rows; no figures are kept")
        lines.append((purchases.num_rows, so_far.num_rows, update, table, again))
        if not quiet:
            spans = "".join(f"{seconds * 1000:>12.2f}" for seconds in (update, table, again))
            print(f"{day!s:<12}{purchases.num_rows:>8,}{so_far.num_rows:>10,}{spans}")
    last = lines[-30:]
    return {
        "bench": "base day by day",
        "key": f"{track} {threads} threads",
        "track": track,
        "threads": threads,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "hardware": hardware(),
        "python": platform.python_version(),
        "days": len(lines),
        "rows": lines[-1][1],
        "customers": len(base),
        "nbytes": base.nbytes,
        "update_seconds": round(sum(line[2] for line in lines), 4),
        "table_seconds": round(sum(line[3] for line in lines), 4),
        "again_seconds": round(sum(line[4] for line in lines), 4),
        "last_30_days": {
            name: round(statistics.median(line[at] for line in last), 6)
            for name, at in (("rows", 0), ("update_seconds", 2), ("table_seconds", 3), ("again_seconds", 4))
        },
        # every tenth day: rows of the day, rows so far, and microseconds of the update, the table, the recomputation
        "every_tenth_day": [(*line[:2], *(round(s / MICROSECOND) for s in line[2:])) for line in lines[::10]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--data", type=Path, default=ONLINE_RETAIL)
    parser.add_argument(
        "--track", nargs="+", choices=["totals", "days", "orders"], default=["totals", "days", "orders"]
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quiet", action="store_true", help="only the sums")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    arguments = parser.parse_args()
    for track in arguments.track:
        record = measure(arguments.data, track, arguments.threads, quiet=arguments.quiet)
        sums = {name: record[f"{name}_seconds"] for name in ("update", "table", "again")}
        print(f"{track}: {record['days']} days; " + ", ".join(f"{name} {s:.3f} s" for name, s in sums.items()))
        if arguments.json:
            save(record, arguments.json)


if __name__ == "__main__":
    main()
