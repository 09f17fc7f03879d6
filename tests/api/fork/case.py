"""A case of the sweep: a call, what it needs, and which public calls it covers, so that one without a case is found."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import custcore

# Calls that take n_threads are given this; the default is another number, so that a call that ignores it is seen.
THREADS = 2
# More than 65,536, from which on there is parallel work, of few customers and of as many as that.
ROWS = 150_000
FEW, MANY = 5_000, 80_000
DATES = ["2024-06-30", "2024-12-31", "2025-06-30"]
FEATURES = ["recency_days", "n_orders", "monetary_total"]


@dataclass(frozen=True)
class Case:
    """A call to sweep."""

    name: str
    covers: tuple[str, ...]
    call: Callable[[Any], Any]
    prepare: Callable[[], Any] = lambda: None
    # Calls without n_threads may use all threads.
    given: bool = True


@functools.cache
def rows(customers: int, kind: str = "dense") -> dict[str, Any]:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, customers, ROWS)
    names = np.array([f"customer {i:08d}" for i in range(customers)]) if kind == "strings" else None
    orders = np.array([f"order {i:07d}" for i in range(ROWS // 2)])
    return {
        "customer_id": names[codes] if names is not None else codes if kind == "dense" else codes * (10**9 + 7),
        "timestamp": np.datetime64("2024-01-01") + rng.integers(0, 700, ROWS),
        "amount": np.round(rng.lognormal(3, 1, ROWS) - 3, 2),
        "order_id": orders[rng.integers(0, ROWS // 2, ROWS)],
        "country": rng.integers(0, 9, ROWS),
    }


INPUTS = {"few": (FEW, "dense"), "many": (MANY, "sparse"), "strings": (MANY, "strings")}


def kinds(*names: str) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    for name in names or tuple(INPUTS):
        yield name, functools.partial(rows, *INPUTS[name])


def points(n: int) -> Any:
    return np.random.default_rng(0).normal(size=(n, 3))


def table(data: dict[str, Any]) -> Any:
    return custcore.rfm(data, n_threads=THREADS)


def base(data: dict[str, Any], track: str) -> custcore.CustomerBase:
    made = custcore.CustomerBase(track=track, order_id="order_id" if track == "orders" else None)
    made.update(data, batch_id="one", n_threads=THREADS)
    return made


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"{os.getpid()}"


def stored(cls: type, *covers: str) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
    """Calls that write and read a model."""

    def call(model: Any) -> Any:
        with scratch() as path:
            model.save(path)
            loaded = cls.load(path)
        again = pickle.loads(pickle.dumps(cls.from_bytes(loaded.to_bytes())))
        return again, hash(again) if cls.__hash__ is not None else None, again == model

    names = ("save", "load", "to_bytes", "from_bytes", "__repr__", *covers)
    return tuple(f"{cls.__name__}.{name}" for name in names), call


def touch(thing: Any) -> list[str]:
    """Read all that is public and no method."""
    values = {name: getattr(thing, name) for name in public_names(type(thing)) if not name.startswith("_")}
    seen = [repr(thing), *(f"{name}: {value!r}"[:500] for name, value in values.items() if not callable(value))]
    if hasattr(thing, "__arrow_c_stream__"):
        thing.__arrow_c_stream__()
        thing.__arrow_c_schema__()
    if hasattr(thing, "__len__"):
        seen.append(str(len(thing)))
    return seen


# Special methods that do work. Others compare, freeze and hash the few values of a small class.
SPECIAL = [
    "__init__",
    "__len__",
    "__bool__",
    "__repr__",
    "_repr_html_",
    "__arrow_c_stream__",
    "__arrow_c_schema__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__copy__",
    "__deepcopy__",
    "__eq__",
    "__hash__",
]
# Made by custcore only.
NOT_MADE_BY_USERS = (
    *("CohortRetention", "Column", "Table", "Schema", "Report", "ReportEntry", "Source", "Breaks"),
    *("ExplainedScore", "ScoreChange", "ScoreExplanation", "ScoreComparison"),
)


def public_names(cls: type) -> list[str]:
    """The public attributes of a class, and its special methods that do work."""
    inherited = [getattr(object, name, None) for name in SPECIAL]
    special = [n for n, own in zip(SPECIAL, inherited, strict=True) if getattr(cls, n, None) not in (None, own)]
    if cls.__name__ in NOT_MADE_BY_USERS:
        special.remove("__init__")
    return [name for name in dir(cls) if not name.startswith("_")] + special
