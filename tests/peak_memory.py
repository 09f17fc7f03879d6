"""The peak of resident memory between two points of a process, on Linux.

Not by ``ru_maxrss``: a child inherits its parent's there, so that a test in a large process would measure nothing.
"""

from __future__ import annotations

from pathlib import Path


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def reset_peak() -> int:
    """Forget earlier peaks; the resident memory now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> int:
    """The peak of resident memory since the last reset, in KiB."""
    return _status("VmHWM")
