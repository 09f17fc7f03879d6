"""Every public call works in a forked child, and runs on custcore's own threads, as many as it was given."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")
from tests.api.fork import cases

ROOT = Path(__file__).parents[2]
LIMIT = 300

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir() or not hasattr(os, "fork"), reason="Linux")


def child(what: str) -> list[str]:
    """The faults that the child finds."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.api.fork.child", what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    assert done.returncode == 1 or not done.stdout.strip()
    return [line for line in done.stdout.splitlines() if line] or [done.stderr[-3000:]] * done.returncode


@pytest.mark.parametrize("group", cases.GROUPS)
def test_calls_survive_fork_on_custcores_own_threads(group: str) -> None:
    if group in ("pandas", "polars"):
        pytest.importorskip(group)
    assert child(group) == []


def test_processes_of_each_start_method() -> None:
    assert child("start methods") == []


def test_pools_are_bounded() -> None:
    assert child("pools") == []


def test_each_public_call_has_a_case() -> None:
    libraries = [name for name in ("pandas", "polars") if importlib.util.find_spec(name) is not None]
    accessors = []
    if "pandas" in libraries:
        from custcore.pandas import CustcoreAccessor

        accessors.append(CustcoreAccessor)
    if "polars" in libraries:
        from custcore.polars import CustcoreNamespace

        accessors.append(CustcoreNamespace)
    groups = [group for group in cases.GROUPS if group not in ("pandas", "polars") or group in libraries]
    covered = {name for group in groups for case in cases.group(group) for name in case.covers}
    public = cases.public_calls(accessors)
    assert public - covered == set(), "calls without a case"
    assert covered - public == set(), "cases of calls that are not there"
