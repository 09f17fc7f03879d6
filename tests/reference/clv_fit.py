"""Fits of the slow lifetime-value reference: scipy's optimiser on the logarithms, derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from .clv import NAMES

Array = Any
NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)


@dataclass
class ReferenceFit:
    """The maximum, and what the curvature there says."""

    params: dict[str, float]
    log_likelihood: float
    covariance: Array
    standard_errors: dict[str, float]


def log_likelihood(
    family: str, parameters: Array, x: Array, t_x: Array, age: Array, weight: Array | float = 1.0
) -> float:
    """Of all rows together; the Pareto integral in 96 nodes of the logarithm of time."""
    r, alpha = parameters[:2]
    q = r + x
    buying = gammaln(q) - gammaln(r) + r * np.log(alpha)
    alive = -q * np.log(alpha + age)
    if family == "NBD":
        return float(np.sum(weight * (buying + alive)))
    a, b = parameters[2:]
    if family == "ParetoNBD":
        offset = min(alpha, b)
        low, high = np.log(offset + t_x), np.log(offset + age)
        v = low[:, None] + (high - low)[:, None] * (NODES + 1) / 2
        time = np.exp(v) - offset
        log_f = -q[:, None] * np.log(alpha + time) + np.log(a / b) - (a + 1) * np.log1p(time / b) + v
        top = log_f.max(axis=1)
        area = (np.exp(log_f - top[:, None]) @ WEIGHTS) * (high - low) / 2
        with np.errstate(divide="ignore"):
            lost = top + np.log(area)
        return float(np.sum(weight * (buying + np.logaddexp(alive - a * np.log1p(age / b), lost))))
    draws = x + (family == "MBGNBD")
    alive = alive + betaln(a, b + draws) - betaln(a, b)
    some = draws > 0
    lost = -q * np.log(alpha + t_x) + betaln(a + 1, b + np.where(some, draws, 1) - 1) - betaln(a, b)
    both = np.logaddexp(alive, np.where(some, lost, -np.inf))
    return float(np.sum(weight * (buying + both)))


def spend_log_likelihood(parameters: Array, x: Array, m_x: Array) -> float:
    p, q, gamma = parameters
    return float(
        np.sum(
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
            + (p * x - 1) * np.log(m_x) + p * x * np.log(x) - (p * x + q) * np.log(gamma + m_x * x)
        )
    )  # fmt: skip


def hessian(f: Callable[[Array], float], at: Array, step: float = 2e-3) -> Array:
    """Second derivatives by central differences of fourth order."""
    n = len(at)
    places, factors = np.array([-2, -1, 1, 2]) * step, np.array([1, -8, 8, -1]) / (12 * step)
    found = np.empty((n, n))
    unit = np.eye(n)
    for i in range(n):
        for j in range(i, n):
            found[i, j] = found[j, i] = sum(
                a * b * f(at + d * unit[i] + e * unit[j])
                for a, d in zip(factors, places, strict=True)
                for b, e in zip(factors, places, strict=True)
            )
    return found


def maximum(f: Callable[[Array], float], names: tuple[str, ...], start: Array) -> ReferenceFit:
    """The maximum of a log-likelihood over the logarithms of parameters."""
    scale = abs(f(np.log(start)))

    def loss(logs: Array) -> float:
        return -f(logs) / scale

    rough = minimize(
        loss, np.log(start), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-12, "maxiter": 4000}
    )
    logs = rough.x
    for _ in range(6):  # Newton, with differences
        curvature = hessian(f, logs)
        step = 1e-4
        slope = np.array([(f(logs + step * e) - f(logs - step * e)) / (2 * step) for e in np.eye(len(logs))])
        logs = logs - np.linalg.solve(curvature, slope)
    covariance = np.linalg.inv(-hessian(f, logs))
    values = np.exp(logs)
    errors = values * np.sqrt(np.diag(covariance))
    pairs = dict(zip(names, values.tolist(), strict=True))
    return ReferenceFit(pairs, f(logs), covariance, dict(zip(names, errors.tolist(), strict=True)))


def fit(family: str, x: Array, t_x: Array, age: Array) -> ReferenceFit:
    """The maximum nearest to the usual start."""
    names = NAMES[family]
    mean = float(np.mean(age))
    start = {"r": 1.0, "alpha": mean / 2, "a": 1.0, "b": 1.0, "s": 1.0, "beta": mean}
    rows, weight = np.unique(np.column_stack([x, t_x, age]), axis=0, return_counts=True)

    def f(logs: Array) -> float:
        return log_likelihood(family, np.exp(logs), rows[:, 0], rows[:, 1], rows[:, 2], weight)

    return maximum(f, names, np.array([start[name] for name in names]))


def fit_spend(x: Array, m_x: Array) -> ReferenceFit:
    used = (x >= 1) & (m_x > 0)
    x, m_x = x[used], m_x[used]
    start = np.array([2.0, 3.0, float(np.mean(m_x))])
    return maximum(lambda logs: spend_log_likelihood(np.exp(logs), x, m_x), ("p", "q", "gamma"), start)
