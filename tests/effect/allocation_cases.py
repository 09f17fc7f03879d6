"""Cells of allocations: those of the golden cases, drawn ones, and slow obvious ways to allocate a budget."""

from __future__ import annotations

import itertools
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from custcore import Curve

FOLDER = Path(os.environ.get("CUSTCORE_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "golden" / "effect"


def golden(name: str) -> dict[str, Any]:
    """A golden case; without the file the test is skipped."""
    path = FOLDER / "allocation" / "cases.json"
    if not path.is_file():
        pytest.skip("the golden cases of allocations are not beside the checkout (CUSTCORE_SHARED)")
    return next(case for case in json.loads(path.read_text()) if case["name"] == name)


def curve_of(described: dict[str, Any]) -> Curve:
    """The curve of a golden case."""
    if described["kind"] == "exp":
        return Curve.exp(described["a"], described["b"])
    if described["kind"] == "hill":
        return Curve.hill(described["a"], described["c"], described["k"])
    spend, value = zip(*described["points"], strict=True)
    return Curve.table(spend, value)


def cells_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells of a golden case."""
    n = len(case["curves"])
    bounds = zip(case.get("low", [None] * n), case.get("high", [None] * n), strict=True)
    return [
        {"segment": f"s{i}", "curve": curve_of(curve), "low": low, "high": high}
        for i, (curve, (low, high)) in enumerate(zip(case["curves"], bounds, strict=True))
    ]


def value(curve: Curve, x: float) -> float:
    """What a curve gains, by its formula."""
    given = curve.parameters
    if curve.kind == "exp":
        return given["a"] * -math.expm1(-given["b"] * x)
    if curve.kind == "hill":
        return 0.0 if x == 0 else given["a"] / (1 + (given["c"] / x) ** given["k"])
    points = list(zip(given["spend"], given["value"], strict=True))
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


MONEY = st.floats(0.5, 5_000)
EXP = st.builds(lambda a, scale: Curve.exp(a, 1 / scale), st.floats(1, 1e5), MONEY)
HILL = st.builds(Curve.hill, st.floats(1, 1e5), MONEY, st.floats(0.2, 1))
STEEP = st.builds(Curve.hill, st.floats(1, 1e5), MONEY, st.floats(1.05, 6))
CONCAVE = st.one_of(EXP, HILL)


@st.composite
def tables(draw: st.DrawFn, *, most: int = 12, concave: bool = False) -> Curve:
    """Points at whole amounts of money."""
    steps = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=4))
    if concave:
        steps.sort(key=lambda step: -step[1] / step[0])
    spend, gained = [0], [0]
    for length, gain in steps:
        if spend[-1] + length > most:
            break
        spend.append(spend[-1] + length)
        gained.append(gained[-1] + gain)
    return Curve.table(spend, gained)


@st.composite
def problems(draw: st.DrawFn, curves: st.SearchStrategy[Curve] = CONCAVE, most: int = 7) -> list[dict[str, Any]]:
    """Cells in two channels, some with bounds."""
    cells = []
    for i in range(draw(st.integers(1, most))):
        low = draw(st.one_of(st.none(), st.floats(0, 50)))
        room = draw(st.one_of(st.none(), st.floats(0, 3_000)))
        high = None if room is None else (low or 0.0) + room
        channel = draw(st.sampled_from(("sms", "mail")))
        cells.append({"segment": f"s{i}", "channel": channel, "curve": draw(curves), "low": low, "high": high})
    return cells


def least(cells: list[dict[str, Any]]) -> float:
    """The sum of the lower bounds."""
    return math.fsum(cell["low"] or 0.0 for cell in cells)


def brute_force(curves: list[Curve], budget: int, *, profit: bool = False) -> float:
    """The best plan of whole units of money, by trying all of them one cell after the other."""
    best = [0.0] * (budget + 1)
    for curve in curves:
        gains = [value(curve, x) - (x if profit else 0) for x in range(budget + 1)]
        best = [max(best[rest] + gains[total - rest] for rest in range(total + 1)) for total in range(budget + 1)]
    return max(best)
