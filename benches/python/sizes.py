"""The size of the wheel, and the CPU time of ``import custcore``.

The CPU time (user and system) of new processes that import one module, in turns, minus that of new processes that
import nothing; medians. Byte code is cached before the first turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

MODULES = ("custcore", "pyarrow", "pandas", "polars")


def cpu_seconds(module: str | None) -> float:
    """Import a module in a new process and return the CPU time of the process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, "-c", f"import {module}" if module else "pass"], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"import {module} failed")
    return usage.ru_utime + usage.ru_stime


def print_wheel(wheel: Path) -> None:
    """Print the size of a wheel and of what it unpacks to."""
    with zipfile.ZipFile(wheel) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        native = sum(entry.file_size for entry in archive.infolist() if entry.filename.endswith((".so", ".pyd")))
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB, unpacked {unpacked / 1e6:.2f} MB", end=" ")
    print(f"({native / 1e6:.2f} MB of it the extension)\n")


def print_imports(repeat: int) -> None:
    """Print a table of the CPU time of imports."""
    seconds: dict[str | None, list[float]] = {module: [] for module in (None, *MODULES)}
    for module in seconds:
        cpu_seconds(module)
    for _ in range(repeat):
        for module, taken in seconds.items():
            taken.append(cpu_seconds(module))
    nothing = statistics.median(seconds.pop(None))
    print(f"| import | CPU ms above an empty process ({nothing * 1e3:.1f} ms), median of {repeat} | x custcore |")
    print("|---|---:|---:|")
    above = {module: statistics.median(taken) - nothing for module, taken in seconds.items()}
    for module, taken in above.items():
        print(f"| {module} | {taken * 1e3:.1f} | {taken / max(above['custcore'], 1e-4):.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--wheel", type=Path, help="the wheel to measure")
    parser.add_argument("--repeat", type=int, default=21, help="processes for each module")
    arguments = parser.parse_args()
    if arguments.wheel:
        print_wheel(arguments.wheel)
    print_imports(arguments.repeat)


if __name__ == "__main__":
    main()
