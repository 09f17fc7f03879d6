"""The machine, its free memory, and installed versions."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

MIB = 1 << 20
GIB = 1 << 30
# What measuring and reporting writes.
WRITTEN = ("benches/results", "benches/HISTORY.md", "BENCHMARKS.md")


def hardware() -> dict[str, Any]:
    """Describe the processor, its vectors, cores, caches and memory."""
    fields: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    vectors = [flag for flag in ("avx2", "avx512f", "asimd", "sve") if flag in fields.get("flags", "").split()]
    return {
        "processor": fields.get("model name") or platform.processor() or platform.machine(),
        "vectors": vectors,
        "cores": len(os.sched_getaffinity(0)),
        "last_cache": fields.get("cache size", ""),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def revision() -> str:
    """The last commit that changed anything but results, with a + if files have changed since.

    So a run that is resumed after its first results were written or committed finds them to be of this commit.
    """
    code = ["--", ":/", *(f":(top,exclude){path}" for path in WRITTEN)]
    try:
        commit = _git("log", "-1", "--format=%h", *code)
        changed = _git("status", "--porcelain", "--untracked-files=no", *code)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + "+" * bool(changed)


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words],  # noqa: S607 (git is where the user has it)
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def available_memory() -> int:
    """Bytes available without swapping."""
    return _read_size(Path("/proc/meminfo"), "MemAvailable")


def gibibytes(count: float | None) -> int | None:
    """Convert GiB to bytes."""
    return None if count is None else int(count * GIB)


def own_memory(field: str) -> int:
    """VmRSS or VmHWM of this process, in bytes."""
    return _read_size(Path("/proc/self/status"), field)


def _read_size(path: Path, field: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{path} has no {field}")


def installed_version(package: str) -> str | None:
    """The version of a distribution; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
