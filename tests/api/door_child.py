"""Tests that need a separate process: `python -m tests.api.door_child <what>` exits with 0 on success.

Prints the delays in milliseconds that it measured.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

import custcore
from custcore import _core
from tests.deadline import end_after

LIMIT = 1.0  # the promise is 0.2 s on a machine that does nothing else


def batch(n: int, customers: int = 1000) -> pa.RecordBatch:
    rng = np.random.default_rng(1)
    return pa.record_batch(
        {
            "customer_id": rng.integers(0, customers, n),
            "timestamp": pa.array(rng.integers(19_000, 20_000, n).astype("i4")).cast(pa.date32()),
            "amount": rng.integers(-500, 10_000, n) / 100,
        }
    )


def endless(customers: int = 1000) -> pa.Table:
    """Half a million rows, counted eight thousand times over: minutes of work in a few megabytes."""
    return pa.Table.from_batches([batch(500_000, customers)] * 8000)


def interrupted(work: Callable[[], Any]) -> None:
    """Ctrl-C a moment into `work`: KeyboardInterrupt comes out of it soon."""
    sent = [0.0]

    def interrupt() -> None:
        sent[0] = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.4, interrupt)
    timer.start()
    try:
        work()
    except KeyboardInterrupt:
        delay = time.monotonic() - sent[0]
        print(f"{delay * 1000:.0f} ms")
        assert sent[0], "interrupted before the signal"
        assert delay < LIMIT, f"KeyboardInterrupt after {delay:.2f} s"
    else:
        raise AssertionError("the work ended before the signal, or swallowed it")
    finally:
        timer.join()


def ctrl_c_in_a_long_job() -> None:
    interrupted(lambda: _core._spin(10))
    started = time.monotonic()
    _core._spin(0.05)
    assert 0.04 < time.monotonic() - started < 5


def ctrl_c_in_rfm() -> None:
    for threads in (1, 2):
        table = endless()
        interrupted(lambda table=table, threads=threads: custcore.rfm(table, n_threads=threads))
        assert custcore.rfm(table.slice(0, 1000)).num_rows > 0


def ctrl_c_in_rfm_of_strings() -> None:
    table = endless()
    ids = pa.array([f"customer {i}" for i in range(1000)])
    chunk = pa.chunked_array([ids.take(table["customer_id"].chunk(0))] * table["customer_id"].num_chunks)
    interrupted(lambda: custcore.rfm(table.set_column(0, "customer_id", chunk)))


def ctrl_c_in_update() -> None:
    base = custcore.CustomerBase()
    base.update(batch(10_000))
    before = base.rfm().to_pyarrow()
    interrupted(lambda: base.update(endless(customers=5000)))
    assert len(base) == before.num_rows
    assert base.rfm().to_pyarrow().equals(before)
    base.update(batch(10_000))
    twice = [2 * n for n in before["n_orders"].to_pylist()]
    assert base.rfm().to_pyarrow()["n_orders"].to_pylist() == twice


def fork_after_parallel_work() -> None:
    table = pa.Table.from_batches([batch(2_000_000, 200_000)])
    expected = custcore.rfm(table, n_threads=2).to_pyarrow()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a hang ends here
        code = 4
        try:
            found = custcore.rfm(table, n_threads=2).to_pyarrow()
            _core._spin(0.05)
            code = 0 if found.equals(expected) else 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert custcore.rfm(table, n_threads=2).to_pyarrow().equals(expected)


if __name__ == "__main__":
    end_after(80)
    globals()[sys.argv[1]]()
