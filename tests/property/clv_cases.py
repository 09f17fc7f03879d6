"""Random parameters, histories and purchases for the tests of lifetime value."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from custcore import clv

MODELS: dict[str, Any] = {"NBD": clv.NBD, "BGNBD": clv.BGNBD, "MBGNBD": clv.MBGNBD, "ParetoNBD": clv.ParetoNBD}
NAMES = {
    "NBD": ("r", "alpha"),
    "BGNBD": ("r", "alpha", "a", "b"),
    "MBGNBD": ("r", "alpha", "a", "b"),
    "ParetoNBD": ("r", "alpha", "s", "beta"),
}
History = tuple[int, float, float]


def powers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers whose logarithm (to the base of 10) is even between two."""
    return st.floats(low, high).map(lambda power: 10.0**power)


@st.composite
def parameters(draw: st.DrawFn, *, wild: bool) -> tuple[str, dict[str, float]]:
    """A model and its parameters in days: such as customers have, or any."""
    family = draw(st.sampled_from(list(NAMES)))
    shapes = powers(-6, 6) if wild else powers(-1, 1)
    times = powers(-2, 6) if wild else powers(0, 2.5)
    edge = st.sampled_from([1.0, 0.5, 1 + 1e-9, 2.0]) if wild else st.just(1.0)
    values = {}
    for name in NAMES[family]:
        kind = times if name in ("alpha", "beta") else st.one_of(shapes, shapes, edge)
        values[name] = draw(kind)
    return family, values


@st.composite
def histories(draw: st.DrawFn, *, on_days: bool, most: int = 8, longest: int = 800) -> list[History]:
    """x, t_x and T of customers, some of them equal."""
    found = []
    for _ in range(draw(st.integers(1, most))):
        age = draw(st.integers(0, longest))
        x = draw(st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 40)))
        x = min(x, age)
        last = draw(st.integers(x, age)) if x else 0
        if draw(st.integers(0, 5)) == 0 and x:
            last = age
        row: History = (x, last, age)
        if not on_days:
            # Times nearer to a whole day than 1e-9 of it are that day in tables: multiples of 2^-20 are not.
            shift = draw(st.integers(0, 7 * 2**17)) / 2**20
            row = (x, last * (1 - shift / 8) if x else 0.0, age + shift)
        found += [row] * draw(st.integers(1, 2))
    return found


def table(rows: list[History], *, on_days: bool = True, spend: list[float | None] | None = None) -> pa.Table:
    """With ids c0, c1, ... in order of the rows."""
    kind = pa.int32() if on_days else pa.float64()
    columns: dict[str, Any] = {
        "customer_id": [f"c{number:04d}" for number in range(len(rows))],
        "x": pa.array([row[0] for row in rows], pa.int32()),
        "t_x": pa.array([row[1] for row in rows], kind),
        "T": pa.array([row[2] for row in rows], kind),
    }
    if spend is not None:
        columns["m_x"] = pa.array(spend, pa.float64())
    return pa.table(columns)


def unit(*, on_days: bool) -> dict[str, Any]:
    """What a call needs for times that are no whole days."""
    return {} if on_days else {"unit": "day"}


@contextmanager
def quietly() -> Iterator[None]:
    """Few customers and odd parameters are what the tests are of: without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


START = date(2024, 1, 1)
IDS = st.sampled_from(["b", "a", "ab", "", "ä", "z"])
DAYS = st.integers(0, 40).map(lambda n: START + timedelta(days=n))
AMOUNTS = st.sampled_from([5.0, 7.25, 0.0, -5.0, 0.1, 0.2, -0.3, None])
ROWS = st.lists(st.tuples(IDS, DAYS, AMOUNTS), min_size=1, max_size=60)


def purchases(rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "timestamp": pa.array([row[1] for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()),
        }
    )
