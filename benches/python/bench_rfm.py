"""RFM scores by custcore beside pandas, polars (in memory and streaming) and DuckDB: time and peak memory.

Every contender does the same work on the same table: group by customer (last time, number of orders, sum of money),
days since the last purchase, the type-7 quantile edges of the three values, the scores 1 to 5, rows ascending by id.
custcore names the segments as well.

Method
------
- Each contender lives in a process of its own, with the data loaded *as it likes it* before anything is measured:
  pandas and polars have a DataFrame, DuckDB and custcore the pyarrow table. Loading and converting is not counted.
- Time: wall clock. The processes are asked in turns (a, b, c, a, b, c, ...), one at a time, so that a noisy neighbour
  hits all of them; the median counts. The first turn warms up and is not timed.
- Memory: in the first turn, the highest resident set (VmHWM, reset before) less the resident set before (VmRSS).
  Linux only.
- The results are compared row by row before a figure is printed. Money may differ by 1e-6 of itself (the others add
  binary fractions), and a score only where its value lies within 1e-6 of an edge; how often is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import purchases

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
PROBABILITIES = (0.2, 0.4, 0.6, 0.8)
VALUES = {"r_score": "recency_days", "f_score": "n_orders", "m_score": "monetary_total"}
RESULT = ["customer_id", *VALUES.values(), *VALUES]
TOLERANCE = 1e-6


# The contenders. Each is given the table and the number of threads, imports and prepares what it needs, and returns the
# work (a function of nothing) and how to make an Arrow table of what the work returns.


def run_custcore(table: pa.Table, threads: int) -> tuple[Callable[[], Any], Callable[[Any], pa.Table]]:
    import custcore

    def work() -> Any:
        return custcore.rfm_scores(
            table, customer_id="customer_id", timestamp="timestamp", amount="amount", n_threads=threads
        )

    return work, pa.table


def run_pandas(table: pa.Table, _threads: int) -> tuple[Callable[[], Any], Callable[[Any], pa.Table]]:
    frame = table.to_pandas()

    def score(values: Any, *, reverse: bool = False) -> np.ndarray:
        found = np.searchsorted(values.quantile(PROBABILITIES).to_numpy(), values.to_numpy(), side="left")
        return (5 - found if reverse else found + 1).astype(np.uint8)

    def work() -> Any:
        result = frame.groupby("customer_id", observed=True).agg(
            last=("timestamp", "max"), n_orders=("amount", "size"), monetary_total=("amount", "sum")
        )
        day = result["last"].dt.normalize()
        result["recency_days"] = (day.max() - day).dt.days
        result["r_score"] = score(result["recency_days"], reverse=True)
        result["f_score"] = score(result["n_orders"])
        result["m_score"] = score(result["monetary_total"])
        return result

    return work, lambda result: pa.Table.from_pandas(result.reset_index(), preserve_index=False)


def run_polars(  # polars takes its threads from the environment
    table: pa.Table, _threads: int, engine: str = "in-memory"
) -> tuple[Callable[[], Any], Callable[[Any], pa.Table]]:
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)

    def above(column: str) -> pl.Expr:
        value = pl.col(column)
        return pl.sum_horizontal(
            (value > value.quantile(edge, "linear")).cast(pl.UInt8) for edge in PROBABILITIES
        ).cast(pl.UInt8)

    def work() -> Any:
        day = pl.col("timestamp").dt.date()
        query = (
            frame.lazy()
            .group_by("customer_id")
            .agg(pl.col("timestamp").max(), pl.len().alias("n_orders"), pl.col("amount").sum().alias("monetary_total"))
            .with_columns((day.max() - day).dt.total_days().alias("recency_days"))
            .with_columns(
                (5 - above("recency_days")).alias("r_score"),
                (1 + above("n_orders")).alias("f_score"),
                (1 + above("monetary_total")).alias("m_score"),
            )
            .sort("customer_id")
        )
        return query.collect(engine=engine)

    return work, lambda result: result.to_arrow()


def run_polars_streaming(table: pa.Table, threads: int) -> tuple[Callable[[], Any], Callable[[Any], pa.Table]]:
    return run_polars(table, threads, engine="streaming")


def run_duckdb(table: pa.Table, threads: int) -> tuple[Callable[[], Any], Callable[[Any], pa.Table]]:
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    connection.register("purchases", table)
    probabilities = str(list(PROBABILITIES))

    def above(value: str, edges: str) -> str:
        return " + ".join(f"({value} > {edges}[{i}])::UTINYINT" for i in range(1, len(PROBABILITIES) + 1))

    query = f"""
        WITH customers AS (
            SELECT customer_id, max("timestamp")::DATE AS last_date, count(*) AS n_orders, sum(amount) AS monetary_total
            FROM purchases GROUP BY customer_id
        ), valued AS (
            SELECT *, (SELECT max(last_date) FROM customers) - last_date AS recency_days FROM customers
        ), edges AS (
            SELECT quantile_cont(recency_days, {probabilities}) AS r, quantile_cont(n_orders, {probabilities}) AS f,
                   quantile_cont(monetary_total, {probabilities}) AS m
            FROM valued
        )
        SELECT customer_id, recency_days, n_orders, monetary_total,
               (5 - ({above("recency_days", "r")}))::UTINYINT AS r_score,
               (1 + {above("n_orders", "f")})::UTINYINT AS f_score,
               (1 + {above("monetary_total", "m")})::UTINYINT AS m_score
        FROM valued, edges ORDER BY customer_id
    """  # noqa: S608 (built from constants)

    return lambda: connection.sql(query).to_arrow_table(), pa.table


CONTENDERS = {
    "custcore": run_custcore,
    "pandas": run_pandas,
    "polars": run_polars,
    "polars-streaming": run_polars_streaming,
    "duckdb": run_duckdb,
}


# One contender's process. It obeys lines on its input ("first", "again") and answers each with a line of JSON.


def memory(field: str) -> int:
    """Read VmRSS or VmHWM of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def serve(name: str, folder: Path, threads: int) -> None:
    """Prepare a contender and answer the parent's requests until its input ends."""
    with pa.OSFile(str(folder / "input.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    work, to_arrow = CONTENDERS[name](table, threads)
    del table
    print(json.dumps({"ready": True}), flush=True)
    for request in sys.stdin:
        gc.collect()
        if request.strip() == "first":
            pa.default_memory_pool().release_unused()
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
            before = memory("VmRSS")
            result = work()
            answer: dict[str, float] = {"bytes": memory("VmHWM") - before}
            output = to_arrow(result).select(RESULT)
            if not pa.types.is_integer(output["customer_id"].type):
                output = output.set_column(0, "customer_id", output["customer_id"].cast(pa.string()))
            with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as sink, pa.ipc.new_file(sink, output.schema) as writer:
                writer.write_table(output)
            del output
        else:
            start = time.perf_counter()
            result = work()
            answer = {"seconds": time.perf_counter() - start}
        del result
        print(json.dumps(answer), flush=True)


class Contender:
    """The parent's end of one contender's process."""

    def __init__(self, name: str, folder: Path, threads: int) -> None:
        command = [sys.executable, __file__, "--serve", name, "--folder", str(folder), "--threads", str(threads)]
        limits = ("POLARS_MAX_THREADS", "CUSTCORE_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS")
        environment = os.environ | dict.fromkeys(limits, str(threads))
        self.name = name
        self.seconds: list[float] = []
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()
        self.peak = int(self.ask("first")["bytes"])

    def ask(self, request: str) -> dict[str, float]:
        """Have the process do its work once."""
        assert self.process.stdin
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with exit code {self.process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer


def read_result(folder: Path, name: str) -> dict[str, np.ndarray]:
    with pa.OSFile(str(folder / f"{name}.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    return {column: table[column].to_numpy() for column in RESULT}


def compare(expected: dict[str, np.ndarray], found: dict[str, np.ndarray], name: str) -> int:
    """Raise unless two results are the same; return how many scores differ for a value on an edge."""
    for column in ("customer_id", "recency_days", "n_orders"):
        if not np.array_equal(expected[column], found[column]):
            raise SystemExit(f"{name}: {column} differs; no figures are printed")
    if not np.allclose(expected["monetary_total"], found["monetary_total"], rtol=TOLERANCE, atol=TOLERANCE):
        raise SystemExit(f"{name}: monetary_total differs; no figures are printed")
    on_edge = 0
    for score, value in VALUES.items():
        values = expected[value].astype(np.float64)
        edges = np.quantile(values, PROBABILITIES)
        differ = np.flatnonzero(expected[score] != found[score])
        gap = np.abs(values[differ, None] - edges).min(axis=1)
        if (gap > TOLERANCE * np.maximum(1, np.abs(values[differ]))).any():
            raise SystemExit(f"{name}: {score} differs for {len(differ)} customers; no figures are printed")
        on_edge += len(differ)
    return on_edge


def processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version(name: str) -> str:
    return importlib.metadata.version(name.removesuffix("-streaming"))


def report(arguments: argparse.Namespace, contenders: list[Contender], on_edge: dict[str, int]) -> dict[str, Any]:
    """Gather what was measured."""
    return {
        "rows": arguments.rows,
        "customers": arguments.customers,
        "ids": arguments.ids,
        "order": arguments.order,
        "threads": arguments.threads,
        "repeat": arguments.repeat,
        "seed": arguments.seed,
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "contenders": [
            {
                "name": contender.name,
                "version": version(contender.name),
                "median_seconds": statistics.median(contender.seconds),
                "seconds": contender.seconds,
                "peak_bytes_above_input": contender.peak,
                "scores_on_an_edge_that_differ": on_edge[contender.name],
            }
            for contender in contenders
        ],
    }


def markdown(measured: dict[str, Any]) -> str:
    """Lay out what was measured, each contender with its ratio to the first."""
    first = measured["contenders"][0]
    lines = [
        f"RFM scores: {measured['rows']:,} rows, {measured['customers']:,} customers, {measured['ids']} ids, "
        f"order: {measured['order']}; {measured['threads']} threads, median of {measured['repeat']} interleaved runs.",
        f"{measured['processor']}, {measured['cores']} cores, {measured['memory_bytes'] / MIB / 1024:.0f} GiB; "
        f"Python {measured['python']}.",
        "",
        f"| contender | seconds | least-most | x {first['name']} | peak MiB above the input | x {first['name']} "
        "| scores that differ on an edge |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in measured["contenders"]:
        seconds, peak = row["median_seconds"], row["peak_bytes_above_input"]
        lines.append(
            f"| {row['name']} {row['version']} | {seconds:.3f} | {min(row['seconds']):.3f}-{max(row['seconds']):.3f} "
            f"| {seconds / first['median_seconds']:.2f} | {peak / MIB:,.0f} "
            f"| {peak / max(1, first['peak_bytes_above_input']):.2f} | {row['scores_on_an_edge_that_differ']} |"
        )
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\n")[0] if __doc__ else None,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--ids", choices=["dense", "sparse", "string", "dictionary"], default="dense")
    parser.add_argument("--order", choices=["time", "clustered"], default="time")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=5, help="timed runs of each contender")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured as JSON, too")
    parser.add_argument("--serve", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.serve:
        serve(arguments.serve, arguments.folder, arguments.threads)
        return
    with tempfile.TemporaryDirectory(prefix="custcore-bench-") as name:
        folder = Path(name)
        table = purchases(
            arguments.rows, arguments.customers, ids=arguments.ids, order=arguments.order, seed=arguments.seed
        )
        with pa.OSFile(str(folder / "input.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        del table
        pa.default_memory_pool().release_unused()

        contenders: list[Contender] = []
        on_edge: dict[str, int] = {}
        try:
            for contender in arguments.contenders:
                contenders.append(Contender(contender, folder, arguments.threads))  # noqa: PERF401 (closed if one fails)
            expected = read_result(folder, contenders[0].name)
            for contender in contenders:
                on_edge[contender.name] = compare(expected, read_result(folder, contender.name), contender.name)
            del expected
            for turn in range(arguments.repeat):
                print(f"turn {turn + 1} of {arguments.repeat}", file=sys.stderr)
                for contender in contenders:
                    contender.seconds.append(contender.ask("again")["seconds"])
        finally:
            for contender in contenders:
                contender.close()
    measured = report(arguments, contenders, on_edge)
    print(markdown(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
