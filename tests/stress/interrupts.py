"""Interrupts at random moments: a change that raises has done nothing, and one that took effect returns.

`python -m tests.stress.interrupts --times 200` interrupts every change 200 times and prints how often it was undone.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np

import custcore
from tests.deadline import end_after

Base = custcore.CustomerBase

FORMS = {
    "totals": {"track": "totals"},
    "days": {"track": "days"},
    "orders": {"track": "orders", "order_id": "order"},
}


def rows(customers: int, seed: int) -> dict[str, np.ndarray]:
    """Three rows for each customer, in random order; ids far apart, so that they are hashed."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(customers), 3))
    return {
        "customer_id": ids * 7919,
        "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 60, len(ids)),
        "amount": rng.integers(-20, 100, len(ids)) / 4,
        "order": rng.integers(0, 2 * len(ids), len(ids)),
    }


class Interrupts:
    """Raises KeyboardInterrupt in the main thread at a given time, while it is armed."""

    def __init__(self) -> None:
        self.armed = False
        signal.signal(signal.SIGALRM, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt

    def attempt(self, change: Callable[[], object], delay: float) -> bool:
        """Whether `change` returned."""
        returned = False
        try:
            self.armed = True
            signal.setitimer(signal.ITIMER_REAL, delay)
            change()
            returned = True
        except KeyboardInterrupt:
            pass
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        return returned


def changes(
    form: str, customers: int, folder: Path
) -> dict[str, tuple[Callable[[Base], object], Callable[[Base], object]]]:
    """By name: the change, and what can be seen of it."""
    more, some = rows(customers, 2), [int(id_) * 7919 for id_ in range(0, customers, 50)]
    other = Base(**FORMS[form])
    other.update(rows(customers, 3))
    target = folder / "base"

    def saved(base: Base) -> object:
        names = sorted(path.name for path in folder.iterdir())
        return names, target.read_bytes()

    def scan(base: Base) -> None:
        custcore.scan(more, {"base": base})

    seen = Base.to_bytes
    all_changes: dict[str, tuple[Callable[[Base], object], Callable[[Base], object]]] = {
        "update": (lambda base: base.update(more), seen),
        "update of few rows": (lambda base: base.update({name: column[:9] for name, column in more.items()}), seen),
        "scan": (scan, seen),
        "merge": (lambda base: base.merge(other), seen),
        "relabel": (lambda base: base.relabel({id_: id_ + 1 for id_ in some}), seen),
        "relabel many": (lambda base: base.relabel({id_ * 7919: -id_ - 1 for id_ in range(customers)}), seen),
        "remove": (lambda base: base.remove(some), seen),
        "remove many": (lambda base: base.remove([id_ * 7919 for id_ in range(customers // 2)]), seen),
        "save": (lambda base: base.save(target), saved),
    }
    if form == "orders":
        all_changes["seal"] = (lambda base: base.seal("2025-02-01"), seen)
    return all_changes


def run(times: int, customers: int, seed: int) -> None:
    interrupts, moments = Interrupts(), random.Random(seed)
    for form, options in FORMS.items():
        base = Base(**options)
        base.update(rows(customers, 1))
        old = Base(**options)
        old.update(rows(10, 1))
        with tempfile.TemporaryDirectory() as folder:
            for name, (change, seen) in changes(form, customers, Path(folder)).items():
                old.save(Path(folder) / "base")
                before, again, longest = seen(base), copy.copy(base), 0.0
                for _ in range(2):
                    old.save(Path(folder) / "base")
                    again = Base.from_bytes(base.to_bytes())
                    started = time.perf_counter()
                    change(again)
                    longest = max(longest, time.perf_counter() - started)
                after, undone = seen(again), 0
                assert after != before, name
                for _ in range(times):
                    old.save(Path(folder) / "base")
                    again = Base.from_bytes(base.to_bytes())
                    returned = interrupts.attempt(
                        lambda change=change, again=again: change(again), moments.uniform(1e-6, 1.2 * longest)
                    )
                    found = seen(again)
                    assert found in (before, after), f"{form}: {name} was half done"
                    assert returned == (found == after), (
                        f"{form}: {name} {'returned' if returned else 'raised'}, but see what it did"
                    )
                    undone += not returned
                counts = f"{undone:4} raised and undone, {times - undone:4} returned and done"
                print(f"{form:6} {name:18} {1e3 * longest:7.1f} ms: {counts}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    parser.add_argument("--deadline", type=float, default=3600)
    given = parser.parse_args()
    end_after(given.deadline)
    print("seed", given.seed)
    run(given.times, given.customers, given.seed)
