"""Level days: rows that are a customer-day each into a base, and analyses that read its days. custcore alone.

A process of its own makes the rows in memory, updates a new base with them several times, and then runs each analysis
several times on the last one. Medians are quoted. The peak is that of the first update, above the size with the rows
loaded. Before figures are kept the table of the base, also as of a past day, is compared with that of the rows::

    python benches/python/bench_days.py --rows 20_000_000 --ids gap2

``benches/suite_days.py`` runs the cases of BENCHMARKS.md. Linux only.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benches.data import DAY, DAYS, FIRST_DAY, ID_KINDS, IdKind, Ids
from benches.harness import FailedError, installed_version, save
from benches.harness.child import give_back
from benches.harness.machine import MIB, hardware, own_memory, revision
from benches.harness.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 20
# The day as of which tables of the past are asked for: two thirds of the way.
PAST = 2 * DAYS // 3
LIMIT_SECONDS = 1800


@dataclass(frozen=True)
class DaysCase:
    """Rows, each the only one of its customer on its day; ten a customer by default."""

    rows: int
    customers: int
    ids: IdKind = "dense"
    threads: int = 2

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = f"{self.rows} customer-days, {self.customers} customers, {self.ids} ids"
        return f"{words}, {self.threads} threads"


def customer_days(case: DaysCase, seed: int = 0) -> pa.Table:
    """Make the rows, day by day; within a day customers come in random order, few of them often, many rarely."""
    random = np.random.default_rng(seed)
    ends = np.linspace(0, case.rows, DAYS + 1).astype(np.int64)
    code = np.empty(case.rows, dtype=np.int32)
    for start, stop in itertools.pairwise(ends):
        code[start:stop] = _distinct(random, int(stop - start), case.customers)
    day = np.repeat(np.arange(DAYS, dtype=np.int16), np.diff(ends))
    identify = Ids(case.ids, case.customers)
    batches = []
    for first in range(0, case.rows, CHUNK):
        piece = slice(first, first + CHUNK)
        day_of = day[piece].astype(np.int64)
        time_of = day_of * DAY + random.integers(0, DAY, len(day_of))
        columns = {
            "customer_id": identify(code[piece]),
            "timestamp": pa.array(FIRST_DAY + time_of.astype("timedelta64[us]")),
            "amount": pa.array(random.integers(50, 20_000, len(time_of)) / 100),
        }
        batches.append(pa.record_batch(columns))
    return pa.Table.from_batches(batches)


def _distinct(random: np.random.Generator, n: int, customers: int) -> np.ndarray:
    """Draw n distinct customers."""
    if n > customers // 2:
        return random.permutation(customers)[:n]
    found = np.empty(0, dtype=np.int64)
    while len(found) < n:
        more = (random.random(n + n // 4) ** 2 * customers).astype(np.int64)
        found = np.unique(np.concatenate([found, more]))
    return random.permutation(found)[:n]


def timed(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Run once: seconds of the clock and of the processor."""
    begin, cpu = time.perf_counter(), time.process_time()
    found = work()
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}, found


def medians(runs: list[dict[str, float]]) -> dict[str, Any]:
    """The medians of some runs, and all seconds."""
    middle = {f"median_{name}": round(statistics.median(run[name] for run in runs), 5) for name in ("seconds", "cpu")}
    return middle | {"seconds": [round(run["seconds"], 5) for run in runs]}


def repeated(work: Callable[[], Any], rounds: int) -> dict[str, Any]:
    """Run several times, after a first run that is not timed: medians, and all seconds."""
    work()
    return medians([timed(work)[0] for _ in range(rounds)])


def day_after(days: int) -> datetime.date:
    return cast("datetime.date", FIRST_DAY.astype("datetime64[D]").item()) + datetime.timedelta(days=days)


def analyses(base: Any, threads: int) -> dict[str, Callable[[], Any]]:
    """What is asked of the base."""
    import custcore

    past, thirds = day_after(PAST), [day_after(DAYS // 3), day_after(PAST), day_after(DAYS - 1)]
    scorer = custcore.RFMScorer()
    return {
        "rfm": lambda: base.rfm(n_threads=threads),
        "rfm of a past day": lambda: base.rfm(as_of=past, n_threads=threads),
        "cohorts by month": lambda: base.cohort_retention(n_threads=threads).to_table(),
        "measures by month": lambda: base.measures(n_threads=threads),
        "transitions, 3 dates": lambda: base.transitions(thirds, scorer, n_threads=threads),
        "CLV summary": lambda: base.clv_summary(n_threads=threads),
        "CLV summary with hold-out": lambda: base.clv_summary(calibration_end=past, n_threads=threads),
    }


def checked(base: Any, table: pa.Table, threads: int) -> None:
    """Compare tables of the base with those of the rows."""
    import custcore

    before = int(np.linspace(0, table.num_rows, DAYS + 1).astype(np.int64)[PAST + 1])
    for rows, as_of in ((table, None), (table.slice(0, before), day_after(PAST))):
        expected = custcore.rfm(rows, as_of=as_of, n_threads=threads).to_pyarrow()
        if not base.rfm(as_of=as_of, n_threads=threads).to_pyarrow().equals(expected):
            raise FailedError(f"the base's table as of {as_of or 'the last day'} differs from that of the rows")


def child(case: DaysCase, rounds: int, *, check: bool) -> dict[str, Any]:
    """Measure a case in this process."""
    import custcore

    table = customer_days(case)

    def build() -> Any:
        base = custcore.CustomerBase(track="days")
        base.update(table, n_threads=case.threads)
        return base

    give_back()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before = own_memory("VmRSS")
    first, base = timed(build)
    figures = {"peak_bytes": own_memory("VmHWM") - before, "kept_bytes": base.nbytes, "customers": len(base)}
    if check:
        checked(base, table, case.threads)
    del base
    # The first run also started threads, and touched memory that later ones find.
    runs = [timed(build)[0] for _ in range(rounds)]
    fold = medians(runs)
    base = build()
    found = {name: repeated(work, rounds) for name, work in analyses(base, case.threads).items()}
    return figures | {"fold": fold, "first_seconds": round(first["seconds"], 5), "analyses": found}


def measure(case: DaysCase, rounds: int, *, check: bool = True) -> dict[str, Any]:
    """Measure a case in a process of its own, and the memory's bandwidth before and after."""
    probe = Process("benches.harness.bandwidth", str(case.threads), threads=case.threads, seconds=60)
    rates = [probe.ask("probe")["bytes_per_second"]]
    text = json.dumps({"case": asdict(case), "rounds": rounds, "check": check})
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--child", text],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=LIMIT_SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise FailedError(f"{case.key}: {error}") from error
    finally:
        rates.append(probe.ask("probe")["bytes_per_second"])
        probe.close()
    found = json.loads(done.stdout.splitlines()[-1])
    fold = found.pop("fold")
    return {
        "bench": "days",
        "key": case.key,
        "case": asdict(case),
        "revision": revision(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "hardware": hardware(),
        "python": platform.python_version(),
        "bandwidth_bytes_per_second": round(statistics.median(rates)),
        "contenders": [{"name": "custcore", "version": installed_version("custcore")} | fold],
        **found,
    }


def show(record: dict[str, Any]) -> str:
    """Format a record for the terminal."""
    rows, (fold,) = record["case"]["rows"], record["contenders"]
    kept, peak = record["kept_bytes"], record["peak_bytes"]
    lines = [
        f"days: {record['key']}",
        f"update {fold['median_seconds']:.2f} s ({fold['median_cpu']:.1f} of the processor), "
        f"{rows / fold['median_seconds'] / 1e6:.1f} M rows/s; kept {kept / MIB:,.0f} MiB, {kept / rows:.1f} bytes a "
        f"customer-day; peak {peak / MIB:,.0f} MiB, {peak / kept:.2f} of what is kept",
    ]
    once = kept / record["bandwidth_bytes_per_second"]
    for name, found in record["analyses"].items():
        lines.append(
            f"  {name}: {found['median_seconds']:.3f} s ({found['median_cpu']:.2f} of the processor), "
            f"{found['median_seconds'] / once:.1f} times reading the base once"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--customers", type=int, help="a tenth of the rows")
    parser.add_argument("--ids", choices=ID_KINDS, default="gap2")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action=argparse.BooleanOptionalAction, default=True, help="compare tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the record to this file")
    arguments = parser.parse_args()
    if arguments.child:
        asked = json.loads(arguments.child)
        print(json.dumps(child(DaysCase(**asked["case"]), asked["rounds"], check=asked["check"])))
        return
    customers = arguments.customers or max(1, arguments.rows // 10)
    case = DaysCase(arguments.rows, customers, arguments.ids, arguments.threads)
    try:
        record = measure(case, arguments.rounds, check=arguments.check)
    except FailedError as error:
        raise SystemExit(str(error)) from error
    print(show(record))
    if arguments.json:
        save(record, arguments.json)


if __name__ == "__main__":
    main()
