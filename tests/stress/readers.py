"""Many threads read a base while another updates it.

Every reader sees a state between two updates, and the end is that of the same updates in one thread.

`python -m tests.stress.readers --seconds 60` prints the number of readings and the slowest of each kind.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np

import custcore
from tests.deadline import end_after

Base = custcore.CustomerBase
OPTIONS = {"track": "orders", "order_id": "order"}
PER_UPDATE = 500


def rows(number: int, customers: int) -> dict[str, np.ndarray]:
    """The rows of an update: the same for the same number, and their money is the number of rows."""
    rng = np.random.default_rng(number)
    return {
        "customer_id": rng.integers(0, customers, PER_UPDATE) * 7919,
        "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 60, PER_UPDATE),
        "amount": np.ones(PER_UPDATE),
        "order": rng.integers(0, 3 * customers, PER_UPDATE),
    }


def run(seconds: float, n_threads: int, customers: int) -> None:
    base = Base(**OPTIONS)
    base.update(rows(0, customers))
    end, errors = time.monotonic() + seconds, []
    slowest: dict[str, float] = defaultdict(float)
    readings: dict[str, int] = defaultdict(int)

    def money() -> float:
        return float(sum(base.rfm(n_threads=1).to_pyarrow()["monetary_total"].to_pylist()))

    def whole(value: float) -> None:
        assert value % PER_UPDATE == 0, f"a reader saw {value} rows: a part of an update"

    def rfm() -> None:
        whole(money())

    def count() -> None:
        before = base.n_rows
        assert 0 < len(base) <= customers
        whole(base.n_rows)
        assert base.n_rows >= before

    def copied() -> None:
        other = Base.from_bytes(base.to_bytes())
        whole(other.n_rows)
        assert len(other) == len(set(other.rfm().to_pyarrow()["customer_id"].to_pylist()))

    def report() -> None:
        assert base.report.n_rows % PER_UPDATE == 0
        assert "customers" in repr(base)

    def snapshot() -> None:
        base._core.copy()
        time.sleep(0.01)

    kinds: list[Callable[[], None]] = [rfm, count, copied, report, snapshot]

    def read(which: int) -> None:
        try:
            while time.monotonic() < end:
                kind = kinds[which % len(kinds)]
                started = time.perf_counter()
                kind()
                slowest[kind.__name__] = max(slowest[kind.__name__], time.perf_counter() - started)
                readings[kind.__name__] += 1
                if kind is count:
                    started = time.perf_counter()
                    len(base)
                    slowest["len"] = max(slowest["len"], time.perf_counter() - started)
        except BaseException as error:  # noqa: BLE001 (told below)
            errors.append(error)

    readers = [threading.Thread(target=read, args=(which,)) for which in range(n_threads)]
    for reader in readers:
        reader.start()
    updates, longest = 1, 0.0
    while time.monotonic() < end and not errors:
        started = time.perf_counter()
        base.update(rows(updates, customers))
        longest = max(longest, time.perf_counter() - started)
        updates += 1
        time.sleep(0.002)
    for reader in readers:
        reader.join()
    if errors:
        raise errors[0]
    serial = Base(**OPTIONS)
    for number in range(updates):
        serial.update(rows(number, customers))
    assert base.to_bytes() == serial.to_bytes()
    times = ", ".join(f"{name} {1e3 * slowest[name]:.0f} ms" for name in sorted(slowest))
    print(f"{updates} updates beside {dict(readings)}; slowest: update {1e3 * longest:.0f} ms, {times}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--customers", type=int, default=20_000)
    given = parser.parse_args()
    end_after(given.seconds + 300)
    run(given.seconds, given.threads, given.customers)
