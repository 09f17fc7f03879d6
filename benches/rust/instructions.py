"""Count the instructions of the kernels under valgrind's callgrind, and compare with the recorded counts.

``make instructions`` fails if a kernel needs 10 % more instructions than recorded; ``make instructions
RECORD="reason"`` records the new counts, with the reason. Each kernel runs once and twice, in two processes; the
difference is the cost of one run, without the generation of its input and the start of threads. Counts do not depend on
the load of the machine; those of hash tables with random seeds vary by some tenths of a percent.

Counts depend on the compiler and on the processor: valgrind does not support AVX-512, so run-time dispatch selects the
AVX2 or the portable path, and the AVX-512 path is not measured. So counts are compared only for the same compiler,
target, flags and vector extensions; otherwise, and without valgrind, the check is skipped with a message.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_suffix(".json")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = TARGET / "release" / "kernels"
# Enough for the code paths of large inputs (65,536 rows and more), few enough for half a minute under valgrind.
ROWS = 100_000
ALLOWED = 0.10


def output(*command: str | Path) -> str:
    """Run a command and return its output."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def circumstances() -> dict[str, str]:
    """What counts depend on besides the code."""
    fields = dict(line.split(": ", 1) for line in output("rustc", "-vV").splitlines() if ": " in line)
    cpu = Path("/proc/cpuinfo")
    has_avx2 = cpu.exists() and " avx2" in cpu.read_text()
    return {
        "rustc": fields["release"],
        "target": fields["host"],
        "flags": os.environ.get("RUSTFLAGS", ""),
        "vectors": "avx2" if has_avx2 else "",
    }


def total(kernel: str, times: int) -> int:
    """Count the instructions of a process that runs a kernel some number of times."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "callgrind.out"
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={found}"]
        run = subprocess.run([*tool, PROGRAM, kernel, str(ROWS), str(times)], capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"{kernel} under valgrind ended with exit code {run.returncode}:\n{run.stderr[-2000:]}")
        matched = re.search(r"^(?:summary|totals): (\d+)", found.read_text(), re.MULTILINE)
    if not matched:
        raise SystemExit(f"callgrind reported no total for {kernel}")
    return int(matched[1])


def count() -> dict[str, int]:
    """Count one run of each kernel."""
    kernels = output(PROGRAM).split()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        totals = list(pool.map(lambda job: total(*job), [(kernel, times) for kernel in kernels for times in (1, 2)]))
    return {kernel: totals[2 * i + 1] - totals[2 * i] for i, kernel in enumerate(kernels)}


def compare(recorded: dict[str, int], found: dict[str, int]) -> list[str]:
    """Print the counts side by side; return the failures."""
    faults = []
    print(f"{'kernel':<18}{'recorded':>14}{'now':>14}{'change':>9}   per row")
    for kernel, now in found.items():
        before = recorded.get(kernel)
        change = f"{now / before - 1:+.1%}" if before else "new"
        print(f"{kernel:<18}{before or 0:>14,}{now:>14,}{change:>9}   {now / ROWS:.1f}")
        if not before:
            faults.append(f"{kernel} has no recorded count")
        elif now > before * (1 + ALLOWED):
            faults.append(f"{kernel} costs {change} instructions")
    faults += [f"{kernel} is recorded but does not exist" for kernel in recorded.keys() - found.keys()]
    return faults


def record(known: dict[str, Any], found: dict[str, int], reason: str) -> None:
    """Record the counts, and the change with its reason in the history."""
    before = known.get("instructions", {})
    changes = {kernel: [before.get(kernel), now] for kernel, now in found.items() if before.get(kernel) != now}
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    entry = {"date": date, "reason": reason, **circumstances(), "changes": changes}
    fresh = {
        "rows": ROWS,
        "made_with": circumstances(),
        "instructions": found,
        "history": [*known.get("history", []), entry],
    }
    text = json.dumps(fresh, indent=2)
    RECORD.write_text(re.sub(r"\[\s+(\d+|null),\s+(\d+)\s+\]", r"[\1, \2]", text) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--record", metavar="REASON", help="record the new counts")
    arguments = parser.parse_args()
    if arguments.record is not None and not arguments.record.strip():
        parser.error("--record needs a reason")
    known: dict[str, Any] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if not shutil.which("valgrind"):
        print("instructions: not counted, valgrind is not installed", file=sys.stderr)
        raise SystemExit(arguments.record is not None)
    made_with = known.get("made_with", circumstances())
    if not arguments.record and (made_with != circumstances() or known.get("rows", ROWS) != ROWS):
        print(f"instructions: not compared; recorded with {made_with}, here is {circumstances()}", file=sys.stderr)
        return
    found = count()
    faults = compare(known.get("instructions", {}), found)
    if arguments.record:
        record(known, found, arguments.record)
        print(f"recorded: {arguments.record}")
    elif faults:
        message = "\n".join(f"instructions: {fault}" for fault in faults)
        raise SystemExit(f'{message}\nIf this is intended: make instructions RECORD="reason"')


if __name__ == "__main__":
    main()
