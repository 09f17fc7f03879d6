"""Customer bases of hundreds of millions of rows, compared with Polars (streaming) and DuckDB on the same Parquet.

The rows are generated batch by batch, each batch seeded by its number, so that any number of them can be reproduced.
Each contender runs in a separate process, reads the files, and ends with a row per customer in memory: first and last
day, orders, money. Results are compared by checksums over all customers, weighted by id; measurements of unequal
results are not recorded::

    python benches/python/bench_base_large.py --folder /tmp/large --rows 500_000_000
    python benches/python/bench_base_large.py --folder /tmp/large --rows 50_000_000 --track orders --no-peers
    python benches/python/bench_base_large.py --folder /tmp/large --rows 50_000_000 --share-of-memory 0.25

Linux only.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import DAY, DAYS, FIRST_DAY, GOLDEN, SECOND, Ids
from benches.harness import installed_version, save
from benches.harness.child import watch
from benches.harness.machine import GIB, MIB, hardware, own_memory, revision

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 6_000_000
LINES_PER_ORDER = 3
PIECE = 1 << 20
READ_ROWS = 1 << 17


@dataclass(frozen=True)
class Case:
    """A case: the input and how it is loaded."""

    rows: int
    customers: int
    ids: str = "dense"
    track: str = "totals"
    threads: int = 2

    @property
    def data(self) -> str:
        """The name of the folder of its rows."""
        orders = " orders" if self.track == "orders" else ""
        return f"{self.rows} rows {self.customers} customers {self.ids}{orders}".replace(" ", "-")

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = f"{self.rows:_} rows, {self.customers:_} customers, {self.ids} ids, {self.track}"
        return f"{words}, {self.threads} threads"


# The rows


def batch(case: Case, number: int) -> pa.RecordBatch:
    """Generate the rows of one batch: part of three years, ascending by time; few customers buy often, many rarely."""
    random = np.random.default_rng([7, number])
    first = number * BATCH
    n = min(BATCH, case.rows - first)
    lines = LINES_PER_ORDER if case.track == "orders" else 1
    n_orders = -(-n // lines)
    code = (random.random(n_orders) ** 2 * case.customers).astype(np.int64)
    start = int(DAYS * DAY * first / case.rows)
    stop = int(DAYS * DAY * (first + n) / case.rows)
    when = np.sort(random.integers(start, stop, n_orders))
    columns = {
        "customer_id": Ids(case.ids, case.customers)(np.repeat(code, lines)[:n]),
        "timestamp": pa.array(FIRST_DAY + (np.repeat(when, lines)[:n] // SECOND * SECOND).astype("timedelta64[us]")),
        "amount": pa.array(random.integers(50, 20_000, n) / 100),
    }
    if lines > 1:
        columns["order_id"] = pa.array(np.repeat(np.arange(n_orders) + first // lines, lines)[:n])
    return pa.record_batch(columns)


def generate(case: Case, folder: Path) -> Path:
    """Write the rows, a file per batch, unless they exist."""
    target = folder / case.data
    if (target / "complete").exists():
        return target
    target.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    for number in range(-(-case.rows // BATCH)):
        rows = pa.Table.from_batches([batch(case, number)])
        pq.write_table(rows, target / f"{number:05d}.parquet", row_group_size=PIECE, use_dictionary=["amount"])
        print(f"\rmade {number * BATCH + rows.num_rows:,} rows", end="", file=sys.stderr, flush=True)
    print(f" in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    (target / "complete").touch()
    return target


def parquet_files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.glob("*.parquet"))


# Checksums


class Sums:
    """Sums over customers that do not depend on their order, exact modulo 2**64."""

    def __init__(self) -> None:
        self.found = dict.fromkeys(("customers", "orders", "cents", "ids", "orders_of", "cents_of", "days_of"), 0)

    def add(self, ids: Any, first: Any, last: Any, orders: Any, money: Any) -> None:
        """Add some customers, given as numpy arrays."""
        weight = (ids.astype(np.int64).view(np.uint64) * np.uint64(GOLDEN)) >> np.uint64(20)
        count = orders.astype(np.uint64)
        cents = np.rint(money * 100).astype(np.int64).view(np.uint64)
        days = [day.astype("datetime64[D]").astype(np.int64).astype(np.uint64) for day in (first, last)]
        sums = {
            "customers": len(ids),
            "orders": count.sum(),
            "cents": cents.sum(),
            "ids": weight.sum(),
            "orders_of": (weight * count).sum(),
            "cents_of": (weight * cents).sum(),
            "days_of": (weight * (days[0] * np.uint64(1 << 20) + days[1])).sum(),
        }
        for name, value in sums.items():
            self.found[name] = (self.found[name] + int(value)) % (1 << 64)

    def add_arrow(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Add customers, given as Arrow batches of the five columns."""
        for piece in batches:
            self.add(*(column.to_numpy(zero_copy_only=False) for column in piece.columns))


COLUMNS = ["customer_id", "first_date", "last_date", "n_orders", "monetary_total"]


CUSTOMERS = """
    CREATE TABLE customers AS
    SELECT customer_id, min(timestamp)::DATE, max(timestamp)::DATE, count(*), sum(amount) FROM {source} GROUP BY 1
"""
ORDERS = """
    (SELECT customer_id, min(timestamp) AS timestamp, sum(amount) AS amount FROM rows GROUP BY customer_id, order_id)
"""

# Contenders; each returns its measurements and checksums


def run_custcore(case: Case, files: list[str], options: dict[str, Any]) -> dict[str, Any]:
    import custcore

    order: dict[str, Any] = {"order_id": "order_id"} if case.track == "orders" else {}
    names = ["customer_id", "timestamp", "amount", *order]
    begun = time.perf_counter()
    base = custcore.CustomerBase(track=case.track, **order, **options["base"])
    # one stream over all files; a few batches are read ahead
    scanner = ds.dataset(files).scanner(columns=names, batch_size=READ_ROWS, batch_readahead=8, fragment_readahead=1)
    base.update(scanner.to_reader(), n_threads=case.threads)
    folded = time.perf_counter()
    peak = own_memory("VmHWM")
    figures = {"nbytes": base.nbytes, "fold_seconds": folded - begun, "peak_after_fold": peak}
    figures |= {"customers": len(base), "nbytes_on_disk": base.nbytes_on_disk}
    if options["save"]:
        target = Path(options["save"])
        begun = time.perf_counter()
        base.save(target)
        figures["save_seconds"] = time.perf_counter() - begun
        with target.open("rb") as file:
            figures["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        figures["file_bytes"] = target.stat().st_size
        target.unlink()
    begun = time.perf_counter()
    table = base.rfm(n_threads=case.threads)
    figures["table_seconds"] = time.perf_counter() - begun
    figures["seconds"] = figures["fold_seconds"] + figures["table_seconds"]
    figures["peak"] = own_memory("VmHWM")
    sums = Sums()
    sums.add_arrow(table.to_pyarrow().select(COLUMNS).to_batches(max_chunksize=PIECE))
    return figures | {"sums": sums.found}


def run_polars(case: Case, files: list[str], _options: dict[str, Any]) -> dict[str, Any]:
    import polars as pl

    begun = time.perf_counter()
    rows = pl.scan_parquet(files)
    if case.track == "orders":
        rows = rows.group_by("customer_id", "order_id").agg(pl.col("timestamp").min(), pl.col("amount").sum())
    time_of, money = pl.col("timestamp"), pl.col("amount").sum()
    grouped = rows.group_by("customer_id").agg(
        time_of.min().dt.date().alias("first"), time_of.max().dt.date().alias("last"), pl.len().alias("orders"), money
    )
    frame = grouped.collect(engine="streaming")
    figures = {"seconds": time.perf_counter() - begun, "peak": own_memory("VmHWM")}
    sums = Sums()
    for piece in frame.iter_slices(PIECE):
        sums.add(*(column.to_numpy() for column in piece.get_columns()))
    return figures | {"sums": sums.found}


def run_duckdb(case: Case, files: list[str], options: dict[str, Any]) -> dict[str, Any]:
    import duckdb

    settings = {
        "threads": case.threads,
        "memory_limit": f"{options['duckdb_gib']}GiB",
        "preserve_insertion_order": False,
    }
    connection = duckdb.connect(config=settings | {"temp_directory": options["spill"]})
    begun = time.perf_counter()
    connection.read_parquet(files).create_view("rows")
    connection.execute(CUSTOMERS.format(source=ORDERS if case.track == "orders" else "rows"))
    figures = {"seconds": time.perf_counter() - begun, "peak": own_memory("VmHWM")}
    sums = Sums()
    sums.add_arrow(connection.sql("FROM customers").to_arrow_reader(PIECE))
    return figures | {"sums": sums.found}


CONTENDERS = {"custcore": run_custcore, "polars": run_polars, "duckdb": run_duckdb}


def child(text: str) -> None:
    """Run one contender in a child process; the last line of output is its result."""
    asked = json.loads(text)
    # before the OOM killer acts
    threading.Thread(target=watch, args=(sys.stdout,), daemon=True).start()
    answer = CONTENDERS[asked["name"]](Case(**asked["case"]), asked["files"], asked["options"])
    print(json.dumps(answer))


def ask(name: str, case: Case, folder: Path, options: dict[str, Any], minutes: float) -> dict[str, Any]:
    """Run a contender in a separate process; a failure is also returned as a result."""
    files = parquet_files(folder)
    text = json.dumps({"name": name, "case": asdict(case), "files": files, "options": options})
    threads = str(case.threads)
    environment = os.environ | {
        "POLARS_MAX_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "CUSTCORE_NUM_THREADS": threads,
    }
    command = [sys.executable, __file__, "--child", text]
    try:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, timeout=60 * minutes, check=True
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took more than {minutes:g} minutes"}
    except subprocess.CalledProcessError as error:
        said = error.stdout.splitlines()[-1:]
        return {"failed": json.loads(said[0])["error"] if said else f"ended with {error.returncode}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def count_days(case: Case, folder: Path, spill: str) -> int:
    """Count distinct pairs of customer and day of purchase."""
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads, "memory_limit": "8GiB", "temp_directory": spill})
    connection.read_parquet(parquet_files(folder)).create_view("rows")
    ((found,),) = connection.sql(
        "SELECT count(*) FROM (SELECT DISTINCT customer_id, timestamp::DATE FROM rows)"
    ).fetchall()
    return int(found)


def measure(arguments: argparse.Namespace, case: Case) -> dict[str, Any]:
    """Generate the input, run all contenders, compare."""
    folder = generate(case, arguments.folder)
    spill = arguments.folder / "spill"
    spill.mkdir(exist_ok=True)
    names = ["custcore", *([] if arguments.no_peers else ["polars", "duckdb"])]
    options: dict[str, Any] = {"base": {}, "save": None, "spill": str(spill), "duckdb_gib": arguments.duckdb_gib}
    if arguments.share_of_memory:
        options["save"] = str(arguments.folder / "saved.base")
    found = {name: ask(name, case, folder, options, arguments.minutes) for name in names}
    if arguments.share_of_memory and "failed" not in found["custcore"]:
        limit = int(found["custcore"]["nbytes"] * arguments.share_of_memory)
        options |= {"base": {"max_memory": limit, "spill_dir": str(spill)}, "save": None}
        found["custcore within memory"] = ask("custcore", case, folder, options, arguments.minutes)
        found["custcore within memory"]["max_memory"] = limit
    return compared(case, folder, found, str(spill))


def compared(case: Case, folder: Path, found: dict[str, dict[str, Any]], spill: str) -> dict[str, Any]:
    """Record the measurements, unless two results differ."""
    if "failed" in found["custcore"]:
        raise SystemExit(f"custcore {found['custcore']['failed']}")
    for name, answer in found.items():
        if "failed" not in answer and answer["sums"] != found["custcore"]["sums"]:
            raise SystemExit(
                f"{name} found {answer['sums']}, custcore {found['custcore']['sums']}; nothing is recorded"
            )
    packages = {name: name.partition(" ")[0] for name in found}
    shape = {"files_bytes": sum(Path(path).stat().st_size for path in parquet_files(folder))}
    if case.track != "totals":
        shape["customer_days"] = count_days(case, folder, spill)
        shape["orders"] = found["custcore"]["sums"]["orders"]
    return {
        "bench": "large base",
        "key": case.key,
        "case": asdict(case),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "hardware": hardware(),
        "python": platform.python_version(),
        "shape": shape,
        "contenders": [
            {"name": name, "version": installed_version(packages[name])} | rounded(answer)
            for name, answer in found.items()
        ],
    }


def rounded(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in answer.items()}


def show(record: dict[str, Any]) -> str:
    lines = [record["key"], ""]
    for row in record["contenders"]:
        if "failed" in row:
            lines.append(f"{row['name']}: {row['failed']}")
            continue
        rate = record["case"]["rows"] / row["seconds"] / 1e6
        text = f"{row['name']} {row['version']}: {row['seconds']:.1f} s, {rate:.1f} M rows/s"
        text += f", peak {row['peak'] / MIB:,.0f} MiB"
        if "nbytes" in row:
            text += f"; fold {row['fold_seconds']:.1f} s, table {row['table_seconds']:.1f} s"
            text += f", base {row['nbytes'] / MIB:,.0f} MiB = {row['nbytes'] / row['customers']:.1f} bytes a customer"
        if "max_memory" in row:
            text += f", max_memory {row['max_memory'] / GIB:.2f} GiB"
        lines.append(text)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="folder for rows and spilled data; nothing is deleted")
    parser.add_argument("--rows", type=int, default=500_000_000)
    parser.add_argument("--customers", type=int, help="default: a tenth of the rows")
    parser.add_argument("--ids", choices=["dense", "gap2", "sparse"], default="dense")
    parser.add_argument("--track", choices=["totals", "days", "orders"], default="totals")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-peers", action="store_true", help="custcore alone")
    parser.add_argument(
        "--share-of-memory", type=float, help="repeat with max_memory at this share of the size of the base"
    )
    parser.add_argument("--duckdb-gib", type=float, default=12, help="memory_limit of DuckDB")
    parser.add_argument("--minutes", type=float, default=30, help="time limit of a contender")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there, too")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    if not arguments.folder:
        parser.error("--folder is needed")
    customers = arguments.customers or arguments.rows // 10
    case = Case(arguments.rows, customers, arguments.ids, arguments.track, arguments.threads)
    record = measure(arguments, case)
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
