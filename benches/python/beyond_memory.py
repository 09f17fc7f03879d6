"""A base beyond memory: random ids, `max_memory` at shares of what the base takes, beside the base without a limit.

    python benches/python/beyond_memory.py --folder FOLDER --rows 50_000_000 --customers 5_000_000

Every base is built in a process of its own, from rows that are made while they are read. It prints the seconds, the
customers and bytes written to disk, and the peak of the process; results, files and reports must be equal.

Random order is the worst case: a run holds each customer that came since the run before. If a run holds F of C
customers and any row is of any customer, it is full after C ln(C / (C - F)) rows, so the runs of R rows have about
R F / (C ln(C / (C - F))) customers together. Compaction writes some of them again.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 16
MIB = 1 << 20
DAYS = 1095
DATES = ["2023-12-31", "2024-06-30", "2024-12-31"]


def batches(rows: int, customers: int) -> Iterator[pa.RecordBatch]:
    """The rows, made while they are read."""
    for number, first in enumerate(range(0, rows, PIECE)):
        random = np.random.default_rng([11, number])
        n = min(PIECE, rows - first)
        yield pa.record_batch(
            {
                "customer_id": random.integers(0, customers, n) * 7_919,
                "timestamp": np.datetime64("2023-01-01", "D") + random.integers(0, DAYS, n),
                "amount": random.integers(-300, 20_000, n) / 100,
            }
        )


def resident(field: str) -> int:
    """Resident memory of this process in bytes: VmHWM is the peak, VmRSS is now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def digest(table: pa.Table) -> str:
    """A hash of the values of numeric columns, whatever their chunks."""
    found = hashlib.sha256()
    for column in table.columns:
        found.update(np.ascontiguousarray(column.to_numpy()).tobytes())
    return found.hexdigest()


def child(asked: dict[str, Any]) -> dict[str, Any]:
    """Build a base and read it; seconds, bytes and peaks by step."""
    import custcore

    track = asked["track"]
    options = {"max_memory": asked["max_memory"], "spill_dir": asked["spill"]} if asked["max_memory"] else {}
    # what making the rows takes is no part of the base
    for _ in batches(4 * PIECE, asked["customers"]):
        pass
    figures: dict[str, Any] = {"start": resident("VmHWM")}

    def step(name: str, work: Any) -> Any:
        gc.collect()
        # what earlier results left in the pool of pyarrow is no part of this step
        pa.default_memory_pool().release_unused()
        before = resident("VmRSS")
        reset_peak()
        begun = time.perf_counter()
        result = work()
        seconds = round(time.perf_counter() - begun, 2)
        figures[name] = {"seconds": seconds, "before": before, "peak": resident("VmHWM")}
        print(name, figures[name], file=sys.stderr, flush=True)
        return result

    base = custcore.CustomerBase(track=track, **options)
    data = batches(asked["rows"], asked["customers"])
    step("update", lambda: base.update(data, n_threads=2))
    runs, written, written_bytes = base._core.runs
    figures |= {"nbytes": base.nbytes, "on_disk": base.nbytes_on_disk, "runs": runs}
    figures |= {"written": written, "written_bytes": written_bytes}
    figures["customers"] = step("len", lambda: len(base))
    path = Path(asked["spill"]) / f"saved-{os.getpid()}"
    step("save", lambda: base.save(path))
    with path.open("rb") as file:
        # the footer, at the end, has the limit
        figures["file"] = hashlib.sha256(file.read((path.stat().st_size >> 20) - 1 << 20)).hexdigest()
    table = step("rfm", lambda: base.rfm(n_threads=2))
    figures["rfm_digest"] = digest(table.to_pyarrow())
    del table
    if track != "totals":
        cohorts = step("cohorts", lambda: base.cohort_retention(n_threads=2))
        results = [cohorts.to_table()]
        results += [step("movement", cohorts.movement)]
        scorer = custcore.RFMScorer()
        results += [step("transitions", lambda: base.transitions(DATES, scorer, n_threads=2))]
        results += [step("stays", lambda: base.stays(DATES, scorer, n_threads=2))]
        figures["results"] = [
            hashlib.sha256(str(table.to_pyarrow().to_pylist()).encode()).hexdigest() for table in results
        ]
        del cohorts
    figures["report"] = [(entry.name, entry.count, entry.sum, entry.first_row) for entry in base.report]
    again = step("load", lambda: custcore.CustomerBase.load(path, spill_dir=asked["spill"] if options else None))
    assert len(again) == figures["customers"]
    assert ("max_memory" in repr(again)) == bool(options)
    figures["loaded_on_disk"] = again.nbytes_on_disk
    path.unlink()
    return figures


def ask(arguments: argparse.Namespace, max_memory: int | None) -> dict[str, Any]:
    asked = {"rows": arguments.rows, "customers": arguments.customers, "track": arguments.track}
    asked |= {"max_memory": max_memory, "spill": str(arguments.folder)}
    done = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(asked)], stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="folder for spilled data")
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--customers", type=int, default=5_000_000)
    parser.add_argument("--track", choices=["totals", "days"], default="totals")
    parser.add_argument("--shares", type=float, nargs="+", default=[1 / 4, 1 / 10])
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(json.loads(arguments.child))))
        return
    if not arguments.folder:
        parser.error("--folder is needed")
    free = ask(arguments, None)
    show("no limit", free)
    for share in arguments.shares:
        limit = int(free["nbytes"] * share)
        found = ask(arguments, limit)
        show(f"max_memory {limit / MIB:.0f} MiB", found)
        for name in ("customers", "rfm_digest", "results", "report", "file"):
            if found.get(name) != free.get(name):
                raise SystemExit(f"{name} differ: {found.get(name)} and {free.get(name)}")
        print(f"  results equal; written {found['written'] / arguments.customers:.2f} times the customers")


def show(name: str, found: dict[str, Any]) -> None:
    mib = {key: f"{found[key] / MIB:,.0f} MiB" for key in ("nbytes", "on_disk", "written_bytes", "start")}
    print(f"{name}: {mib['nbytes']} in memory, {mib['on_disk']} in {found['runs']} runs on disk")
    print(f"  written {found['written']:,} customers, {mib['written_bytes']}; process {mib['start']} before")
    steps = {step: of for step, of in found.items() if isinstance(of, dict)}
    for step, of in steps.items():
        print(f"  {step} {of['seconds']} s, {of['before'] / MIB:.0f} to {of['peak'] / MIB:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
