"""An interrupted change has done nothing, one that took effect returns; readers beside a writer see whole updates."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import custcore
from tests.samples import transactions

ROOT = Path(__file__).parents[2]


def child(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")
def test_interrupts_at_random_moments() -> None:
    told = child("tests.stress.interrupts", "--times", "10", "--customers", "12000", "--deadline", "100")
    assert told.count("raised and undone") == 28


def test_readers_beside_updates() -> None:
    assert "updates beside" in child("tests.stress.readers", "--seconds", "3", "--customers", "2000")


def test_a_progress_callback_that_fails_at_the_end() -> None:
    """It is called last before the update takes effect, not after."""
    base = custcore.CustomerBase(track="days")
    base.update(transactions())
    before = base.to_bytes()

    def progress(done: int, total: int | None) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        base.update(transactions(), progress=progress)
    assert base.to_bytes() == before
