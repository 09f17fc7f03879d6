"""Bases with customers on disk: what other users, processes and readers see of it."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import custcore

LINUX = pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc/self/status").exists(), reason="Linux")


def rows(seed: int = 0, n: int = 400) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "customer_id": random.integers(0, 300, n),
        "timestamp": np.datetime64("2025-01-01") + random.integers(0, 200, n),
        "amount": random.integers(-100, 1000, n) / 100,
    }


def spilled(folder: Path, runs: int = 3, track: str = "days") -> custcore.CustomerBase:
    """A base with some runs on disk, and some customers in memory."""
    base = custcore.CustomerBase(track=track, max_memory="1MiB", spill_dir=folder)
    for seed in range(runs):
        base.update(rows(seed))
        base._core.spill()
    base.update(rows(runs))
    assert (base._core.runs[0], base.nbytes_on_disk > 0) == (runs, True)
    return base


def in_memory(runs: int = 3, track: str = "days") -> custcore.CustomerBase:
    base = custcore.CustomerBase(track=track)
    for seed in range(runs + 1):
        base.update(rows(seed))
    return base


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_reading_writes_nothing(tmp_path: Path) -> None:
    base, whole = spilled(tmp_path), in_memory()
    before = files(tmp_path)
    assert "up to" in repr(base)
    assert len(base) == len(whole)
    assert f"CustomerBase of {len(whole)} customers" in repr(base)
    assert base.rfm().to_pyarrow().equals(whole.rfm().to_pyarrow())
    assert list(base.report) == list(whole.report)
    for name in ("to_table", "average", "movement", "revenue_retention", "customers"):
        tables = [getattr(of.cohort_retention(period="week"), name)().to_pyarrow() for of in (base, whole)]
        assert tables[0].equals(tables[1]), name
    assert base.to_bytes() == whole.to_bytes()
    assert files(tmp_path) == before
    del base
    assert folders(tmp_path) == []


def test_it_is_saved_copied_pickled_and_merged(tmp_path: Path) -> None:
    base, whole = spilled(tmp_path), in_memory()
    base.save(tmp_path / "base")
    loaded = custcore.CustomerBase.load(tmp_path / "base", spill_dir=tmp_path)
    less = custcore.CustomerBase.load(tmp_path / "base", max_memory="2MiB", spill_dir=tmp_path)
    restored = pickle.loads(pickle.dumps(base))
    for other, limit in ((loaded, 1 << 20), (less, 2 << 20), (restored, 1 << 20), (copy.copy(base), 1 << 20)):
        assert f"max_memory={limit}" in repr(other)
        assert other.to_bytes() == whole.to_bytes()
    assert "max_memory" not in repr(custcore.CustomerBase.from_bytes(base.to_bytes()))
    # A copy shares the runs, and each goes its own way.
    clone = copy.copy(base)
    clone.merge(base)
    twice = copy.copy(whole)
    twice.merge(whole)
    assert (clone._core.runs[0], clone.to_bytes()) == (6, twice.to_bytes())
    assert base.to_bytes() == whole.to_bytes()
    del base, loaded, less, restored, other
    assert clone.to_bytes() == twice.to_bytes()
    unlimited = custcore.CustomerBase(track="days")
    unlimited.merge(clone)
    assert (unlimited.nbytes_on_disk, unlimited.to_bytes()) == (0, twice.to_bytes())


def test_customers_are_renamed_and_removed(tmp_path: Path) -> None:
    base, whole = spilled(tmp_path), in_memory()
    before = copy.copy(base)
    for of in (base, whole):
        of.relabel({1: 2, 2: 1, 3: 4, 5: 1000})
        assert of.remove([7, 8, 5000]) == 2
    assert base.to_bytes() == whole.to_bytes()
    assert list(base.report) == list(whole.report)
    assert before.to_bytes() == in_memory().to_bytes()


@LINUX
@pytest.mark.parametrize("umask", [0, 0o777], ids=oct)
def test_only_the_user_can_read_it(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        base = spilled(tmp_path)
    finally:
        os.umask(before)
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes <= {0o600 & ~umask}
    assert len(base) > 0


@LINUX
@pytest.mark.parametrize("first", ["child", "parent"])
def test_a_forked_child_deletes_nothing_and_reads_on(tmp_path: Path, first: str) -> None:
    """The child drops its copy before the parent reads; or the parent deletes the runs before the child reads them."""
    base, expected = spilled(tmp_path), in_memory().rfm().to_pyarrow()
    before = files(tmp_path)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if first == "parent":
                os.read(reading, 1)
                assert base.rfm(n_threads=1).to_pyarrow().equals(expected)
                # Its own runs go to a folder of its own.
                base.update(rows(9), n_threads=1)
                base._core.spill()
                assert len(folders(tmp_path)) == 1
                assert base.n_rows == 2000
            del base
            status = 0
        finally:
            os._exit(status)
    if first == "parent":
        del base
        assert folders(tmp_path) == []
        os.write(writing, b"x")
    assert os.waitpid(pid, 0)[1] == 0
    if first == "child":
        assert files(tmp_path) == before
        assert base.rfm().to_pyarrow().equals(expected)
        del base
    assert folders(tmp_path) == []


@LINUX
@pytest.mark.parametrize("end", ["exit", "kill"])
def test_folders_of_dead_processes_are_deleted(tmp_path: Path, end: str) -> None:
    living = spilled(tmp_path)
    code = (
        "import os, sys, time; from pathlib import Path; from tests.api.test_spill import spilled\n"
        f"base = spilled(Path({str(tmp_path)!r})); print('ready', flush=True)\n"
        + ("os._exit(0)" if end == "exit" else "time.sleep(60)")
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if end == "kill":
        # That of a living process stays.
        other = spilled(tmp_path)
        assert len(folders(tmp_path)) == 3
        del other
        process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    (tmp_path / "custcore-notes").mkdir()
    (tmp_path / "custcore-1-2").write_text("a file")
    assert len(folders(tmp_path)) == 4
    again = spilled(tmp_path)
    names = folders(tmp_path)
    assert len(names) == 4
    assert {"custcore-notes", "custcore-1-2"} <= set(names)
    assert len(living) == len(again)


def test_the_interpreter_goes_on_while_runs_are_read(tmp_path: Path) -> None:
    """What is shown of a base takes no lock that a reader of its runs holds."""
    base, customers = spilled(tmp_path), len(in_memory())
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            base.rfm()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert base.nbytes_on_disk > 0
            assert "max_memory" in repr(base)
            assert len(base) == customers
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_runs_are_few_after_many_updates(tmp_path: Path) -> None:
    base = custcore.CustomerBase(max_memory="1MiB", spill_dir=tmp_path)
    for seed in range(150):
        base.update(rows(seed, 50))
        base._core.spill()
        if seed % 50 == 0:
            base.rfm()
        assert base._core.runs[0] < 100
    assert len(files(tmp_path)) == base._core.runs[0] + 1
