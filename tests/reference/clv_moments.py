"""The variance of a customer's number of purchases, for errors of totals."""

from __future__ import annotations

import math

import numpy as np

from .clv import Purchases, b_power
from .clv_quadrature import over_time


def squared(model: Purchases, x: int, age: float, horizon: float) -> float:
    """E[N^2 | alive]."""
    q, alpha = model.r + x, model.alpha + age
    if model.family in ("BGNBD", "MBGNBD"):
        counts = model.counts(x, age, horizon)
        return float(counts @ np.arange(len(counts)) ** 2.0)
    # Given lambda and the time tau at which he stops, a Poisson number of mean lambda tau.
    mean, square = horizon, horizon**2
    if model.family == "ParetoNBD":
        s, beta = model.third, model.fourth + age
        mean = over_time(lambda u: math.exp(b_power(s, beta, u)), 0, horizon, beta)
        square = over_time(lambda u: 2 * u * math.exp(b_power(s, beta, u)), 0, horizon, beta)
    return q / alpha * mean + q * (q + 1) / alpha**2 * square


def variance(model: Purchases, x: int, t_x: float, age: float, horizon: float) -> float:
    """Of the number of purchases of a customer, alive or not."""
    alive = model.p_alive(x, t_x, age)
    mean = alive * model.expected(x, age, horizon)
    return alive * squared(model, x, age, horizon) - mean**2
