"""Integrals of the slow lifetime-value reference: expectations over a beta distribution, and over time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import polygamma

Array = Any


def beta_nodes(a: float, b: float, n: int = 1501) -> tuple[Array, Array, Array]:
    """Values p, logarithms of p, and weights of a sum that is the expectation over p ~ Beta(a, b).

    Trapezoids in t, where ln(p / (1 - p)) = c + S sinh t (double exponential, Takahasi & Mori 1974).
    """
    centre = np.log(a) - np.log(b)
    deviation = float(np.sqrt(polygamma(1, a) + polygamma(1, b)))
    scale = min(deviation, 1.0)
    left = -np.arcsinh((50 / a + 12 * deviation) / scale)
    right = np.arcsinh((50 / b + 12 * deviation) / scale)
    t = np.linspace(left, right, n)
    logit = centre + scale * np.sinh(t)
    log_p, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    log_weight = a * log_p + b * log_rest + np.log(np.cosh(t))
    weight = np.exp(log_weight - log_weight.max())
    return np.exp(log_p), log_p, weight / weight.sum()


def over_time(f: Callable[[float], float], start: float, end: float, offset: float, tail: float = 0.0) -> float:
    """The integral of f over (start, end), in v = ln(offset + time), in which powers of times are smooth.

    `tail`: a rate at which f falls at least; beyond e^-80 of it nothing is added, so that `end` may be infinite.
    """
    if end <= start:
        return 0.0
    last = min(end, start + 80 / tail) if tail else end
    low, high = np.log(offset + start), np.log(offset + last)
    cuts = np.linspace(low, high, max(2, int(2 * (high - low)) + 2))

    def smooth(v: float) -> float:
        time = np.exp(v)
        return f(max(time - offset, 0.0)) * time

    parts = [quad(smooth, a, b, epsabs=0, epsrel=1e-12, limit=200)[0] for a, b in itertools.pairwise(cuts)]
    return float(sum(parts))
