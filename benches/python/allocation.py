"""Allocation: `custcore.allocate`, its sensitivity and `allocate_contacts`, beside scipy where scipy is fast enough.

    python benches/python/allocation.py
    python benches/python/allocation.py --cells 1000 --rounds 50

Curves are drawn: exponential ones, Hill's, and tables of points. Values of plans are compared first: that of custcore
must not be below that of SLSQP, and that of contacts must be that of linprog (HiGHS). Printed are medians and ranges of
milliseconds of a call, in this process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import custcore

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("exp", "hill", "steep hill", "table")


def curve(kind: str, random: np.random.Generator) -> custcore.Curve:
    """A curve of a kind, with a height of thousands and a scale of hundreds to thousands."""
    a, c = float(random.uniform(1e3, 1e5)), float(random.uniform(1e2, 1e4))
    if kind == "exp":
        return custcore.Curve.exp(a, 1 / c)
    if kind == "table":
        spend = np.cumsum(random.uniform(0.1, 1, 8)) * c
        return custcore.Curve.table(spend, a * np.sort(random.uniform(0, 1, 8)))
    return custcore.Curve.hill(a, c, float(random.uniform(0.5, 0.95) if kind == "hill" else random.uniform(1.5, 3)))


def cells(kind: str, n: int) -> list[dict[str, Any]]:
    """Cells in three channels, with bounds for some and standard errors for all."""
    random = np.random.default_rng([n, KINDS.index(kind)])
    made = []
    for i in range(n):
        cell = {"segment": f"segment {i // 3}", "channel": ("sms", "mail", "call")[i % 3], "curve": curve(kind, random)}
        cell["se"] = cell["curve"].value(1e9) * 0.2
        if i % 10 == 0:
            cell["high"] = float(random.uniform(50, 500))
        made.append(cell)
    return made


def options(segments: int) -> list[dict[str, Any]]:
    """Five options of each segment."""
    random = np.random.default_rng(segments)
    made = []
    for segment in range(segments):
        customers, scale = int(random.integers(10, 5_000)), float(random.uniform(0.1, 3))
        for channel, cost in (("push", 0.01), ("sms", 0.05), ("mail", 0.8), ("call", 5.0), ("visit", 40.0)):
            value = scale * cost ** random.uniform(0.3, 0.9) * 3
            row = {"segment": segment, "channel": channel, "cost": cost, "value": float(value), "customers": customers}
            made.append(row | {"value_se": 0.3 * float(value)})
    return made


def times(call: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of calls, after one that is not counted."""
    call()
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        found.append(1e3 * (time.perf_counter() - start))
    return found


def show(what: str, found: list[float]) -> None:
    print(f"{what:<62}{statistics.median(found):>10.3f} ms  ({min(found):.3f} to {max(found):.3f})")


def slsqp(given: list[dict[str, Any]], budget: float) -> float:
    """The return of exponential curves as SLSQP finds it."""
    from scipy.optimize import LinearConstraint, minimize

    a, b = (np.array([cell["curve"].parameters[name] for cell in given]) for name in "ab")
    high = np.array([cell.get("high", budget) for cell in given])
    found = minimize(
        lambda x: -np.sum(a * -np.expm1(-b * x)),
        np.minimum(high, budget / len(given)),
        jac=lambda x: -a * b * np.exp(-b * x),
        bounds=[(0, most) for most in high],
        constraints=[LinearConstraint(np.ones((1, len(given))), ub=budget)],
        method="SLSQP",
        options={"maxiter": 1_000, "ftol": 1e-12},
    )
    return float(-found.fun)


def linprog(given: list[dict[str, Any]], budget: float) -> float:
    """The value of contacts as HiGHS finds it."""
    from scipy.optimize import linprog as solve
    from scipy.sparse import csr_array

    segment = np.array([row["segment"] for row in given])
    customers = np.array([row["customers"] for row in given])[np.unique(segment, return_index=True)[1]]
    each = csr_array((np.ones(len(given)), (segment, np.arange(len(given)))))
    cost = csr_array(np.array([[row["cost"] for row in given]]))
    from scipy.sparse import vstack

    found = solve(
        [-row["value"] for row in given], A_ub=vstack([each, cost]), b_ub=[*customers, budget], bounds=(0, None)
    )
    return float(-found.fun)


def compare(n: int, rounds: int) -> None:
    """Plans of custcore against those of scipy, and scipy's times."""
    given, budget = cells("exp", n), 20.0 * n
    ours, theirs = custcore.allocate(given, budget, objective="return").value, slsqp(given, budget)
    if ours < theirs * (1 - 1e-9):
        raise SystemExit(f"SLSQP finds {theirs}, custcore {ours}; no figures are printed")
    rows = options(n)
    ours, theirs = custcore.allocate_contacts(rows, budget).value, linprog(rows, budget)
    if abs(ours - theirs) > 1e-7 * theirs:
        raise SystemExit(f"HiGHS finds {theirs}, custcore {ours}; no figures are printed")
    show(f"scipy SLSQP, {n} exponential cells", times(lambda: slsqp(given, budget), min(rounds, 3)))
    show(f"scipy linprog, contacts of {n} segments", times(lambda: linprog(rows, budget), min(rounds, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--drawn-cells", type=int, default=50, help="cells of the sensitivity, and of scipy")
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    n, drawn, rounds = chosen.cells, chosen.drawn_cells, chosen.rounds
    compare(drawn, rounds)
    for kind in KINDS:
        given = cells(kind, n)
        show(f"allocate, {n} cells, {kind}", times(lambda given=given: custcore.allocate(given, 100.0 * n), rounds))
    given = cells("exp", n)
    groups = {"sms": "30%", "mail": 20.0 * n}
    show(
        f"allocate, {n} cells, budgets of two channels",
        times(lambda: custcore.allocate(given, 100.0 * n, group_budget=groups), rounds),
    )
    plan = custcore.allocate(given, 100.0 * n)
    show(f"frontier of 21 budgets, {n} cells", times(plan.frontier, rounds))
    for kind in KINDS:
        plan = custcore.allocate(cells(kind, drawn), 100.0 * drawn)
        show(
            f"sensitivity, {chosen.draws} draws of {drawn} cells, {kind}",
            times(lambda plan=plan: plan.sensitivity(chosen.draws), rounds),
        )
    rows = options(n)
    show(f"contacts of {n} segments, 5 options each", times(lambda: custcore.allocate_contacts(rows, 50.0 * n), rounds))
    whole = custcore.allocate_contacts(options(drawn), 50.0 * drawn)
    show(
        f"sensitivity, {chosen.draws} draws of contacts of {drawn} segments",
        times(lambda: whole.sensitivity(chosen.draws), rounds),
    )


if __name__ == "__main__":
    main()
