"""Runs the cases in processes of their own: ``python -m tests.api.fork.child <group>``.

Each case runs in a fork of a process that has not used custcore. There the call must start no thread that custcore did
not name, no more than it was given, and it must work again in a fork of that process. Prints a line for each fault, and
ends with 0 if there is none.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import custcore
from tests.api.fork import cases
from tests.api.fork.case import FEATURES, FEW, ROWS, THREADS, Case, base, points, rows

# A call takes a tenth of a second, on a busy machine some seconds.
# One that waits for a thread that does not exist never ends.
DEADLINE = float(os.environ.get("CUSTCORE_FORK_DEADLINE", "60"))
# How long a new thread may take to name itself on a busy machine.
SETTLE = 5.0


def threads() -> dict[int, str]:
    """The threads of this process by id, as the system names them."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            found[int(task.name)] = (task / "comm").read_text().strip()
        except OSError:  # it ended meanwhile
            continue
    return found


def names(before: dict[int, str]) -> set[str]:
    """The names of the threads that were not there before."""
    return {name for task, name in threads().items() if task not in before}


def forked(work: Callable[[], list[str]], what: str, deadline: float) -> list[str]:
    """The faults that `work` finds in a fork of this process, or that it does not end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            faults = work()
        except BaseException:  # noqa: BLE001
            faults = [f"{what}: {traceback.format_exc()}"]
        with os.fdopen(writing, "w") as pipe:
            pipe.write("\0".join(faults))
        os._exit(0)
    os.close(writing)
    end = time.monotonic() + deadline
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)
            return [f"{what}: hangs"]
        time.sleep(0.002)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    return text.split("\0") if text else []


def run(case: Case, foreign: tuple[str, ...]) -> list[str]:
    """The faults of a case, in this process; without a fork if ``foreign`` threads are allowed."""
    state = case.prepare()
    before = threads()
    expected = repr(case.call(state))
    new = names(before)
    end = time.monotonic() + SETTLE
    # A thread names itself once it runs.
    while any(not name.startswith(("custcore-", *foreign)) for name in new) and time.monotonic() < end:
        time.sleep(0.01)
        new = names(before)
    own = {name for name in new if name.startswith("custcore-")}
    allowed = {f"custcore-{i}" for i in range(THREADS)}
    faults = [
        f"{case.name}: starts the foreign thread {name}" for name in sorted(new - own) if not name.startswith(foreign)
    ]
    if case.given:
        faults += [f"{case.name}: n_threads={THREADS} starts {name}" for name in sorted(own - allowed)]
    if not foreign:

        def again() -> list[str]:
            found = repr(case.call(state))
            return [] if found == expected else [f"{case.name}: in a fork {found[:200]} instead of {expected[:200]}"]

        faults += forked(again, f"{case.name}: in a fork", DEADLINE)
    return faults


def sweep(group: str) -> list[str]:
    faults: list[str] = []
    for case in cases.group(group):
        foreign = cases.FOREIGN.get(group, ())
        faults += forked(lambda case=case, foreign=foreign: run(case, foreign), case.name, 3 * DEADLINE)
    return faults


def work(_: int) -> list[Any]:
    """Calls that use threads, for a process of a pool."""
    data = rows(FEW)
    known = base(data, "days")
    return [
        custcore.rfm(data, n_threads=THREADS).num_rows,
        custcore.cohort_retention(data, n_threads=THREADS).movement().num_rows,
        custcore.select_k(points(FEW), range(2, 5), n_threads=THREADS).num_rows,
        custcore.KMeans(3, columns=FEATURES[1:], n_threads=THREADS).fit(known.rfm(n_threads=THREADS)).n_iter_,
        len(custcore.CustomerBase.from_bytes(known.to_bytes())),
    ]


def start_methods() -> list[str]:
    """Processes of multiprocessing, started in each way from one that has used threads."""
    faults = []
    expected = work(0)
    for method in ("fork", "forkserver", "spawn"):
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(["custcore"])
        pool = context.Pool(1)
        try:
            if pool.map_async(work, range(2)).get(3 * DEADLINE) != [expected] * 2:
                faults.append(f"{method}: another result")
        except multiprocessing.TimeoutError:
            faults.append(f"{method}: hangs")
        pool.terminate()
    return faults


def pools() -> list[str]:
    """Threads after calls with many numbers of threads: those of a few pools are left."""
    data = rows(FEW)
    numbers = range(1, 41)
    for number in numbers:
        custcore.rfm(data, n_threads=number)
    end = time.monotonic() + DEADLINE
    # Threads of pools that are no longer kept end by themselves.
    while (left := sum(name.startswith("custcore-") for name in threads().values())) > 4 * max(numbers):
        if time.monotonic() > end:
            return [f"{left} threads are left after calls with 1 to {max(numbers)}"]
        time.sleep(0.01)
    assert custcore.rfm(data, n_threads=1).report.n_rows == ROWS
    return []


if __name__ == "__main__":
    # Neither the number that calls are given nor that of the cores.
    os.environ["CUSTCORE_NUM_THREADS"] = str(THREADS + 1)
    what = sys.argv[1]
    faults = {"pools": pools, "start methods": start_methods}.get(what, lambda: sweep(what))()
    print("\n".join(faults))
    sys.exit(bool(faults))
