"""Customers who behave as the models say, in continuous time: to see whether fits find the parameters again.

Between two purchases lies an exponential time; given their number in an interval, times are uniform in it. On whole
days two purchases of a day become one, and the models are true no longer: here times are floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Array = Any

# In weeks, identified within some thousand customers: many repeat purchases, and drop-outs that can be seen.
TRUE: dict[str, dict[str, float]] = {
    "NBD": {"r": 0.8, "alpha": 8.0},
    "BGNBD": {"r": 0.8, "alpha": 6.0, "a": 0.9, "b": 2.5},
    "MBGNBD": {"r": 0.9, "alpha": 6.0, "a": 0.8, "b": 2.5},
    "ParetoNBD": {"r": 0.9, "alpha": 8.0, "s": 0.8, "beta": 15.0},
    "GammaGamma": {"p": 4.0, "q": 4.0, "gamma": 20.0},
}


def histories(
    family: str, params: dict[str, float], customers: int, seed: int, weeks: tuple[float, float] = (52, 104)
) -> pa.Table:
    """x, t_x and T in weeks of customers whose first purchases spread over a time."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(*weeks, customers)
    rate = rng.gamma(params["r"], 1 / params["alpha"], customers)
    if family == "ParetoNBD":
        loss = rng.exponential(1 / rng.gamma(params["s"], 1 / params["beta"], customers))
        seen = np.minimum(age, loss)
        x = rng.poisson(rate * seen)
        last = x
    else:
        seen = age
        count = rng.poisson(rate * age)
        x = count if family == "NBD" else np.minimum(count, draws(family, params, customers, rng))
        last, x = count, x
    # The x-th of `last` uniform times: x = last is the greatest of them.
    t_x = np.zeros(customers)
    some = x > 0
    t_x[some] = seen[some] * rng.beta(x[some], last[some] - x[some] + 1)
    return pa.table({"x": x.astype(np.int32), "t_x": np.minimum(t_x, age), "T": age})


def draws(family: str, params: dict[str, float], customers: int, rng: np.random.Generator) -> Array:
    """Repeat purchases up to the drop-out: after the first purchase already under MBG."""
    p = rng.beta(params["a"], params["b"], customers)
    # A geometric number by its inverse: p may be too small for an integer of numpy.
    with np.errstate(divide="ignore"):
        tries = np.ceil(np.log(rng.random(customers)) / np.log1p(-p))
    tries = np.clip(np.nan_to_num(tries, nan=1.0, posinf=2**31), 1, 2**31).astype(np.int64)
    return tries - (family == "MBGNBD")


def spending(params: dict[str, float], x: Array, seed: int) -> Array:
    """The mean of x purchases of each customer; null without one."""
    rng = np.random.default_rng([seed, 1])
    scale = 1 / rng.gamma(params["q"], 1 / params["gamma"], len(x))
    some = np.maximum(x, 1)
    return np.where(x > 0, rng.gamma(params["p"] * some) * scale / some, np.nan)


def spenders(params: dict[str, float], customers: int, seed: int) -> pa.Table:
    """Histories with spend, which looks at no times: these are whole days."""
    rows = histories("NBD", TRUE["NBD"], customers, seed)
    for name in ("t_x", "T"):
        days = np.ceil(7 * rows[name].to_numpy()).astype(np.int32)
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(days))
    means = spending(params, rows["x"].to_numpy(), seed)
    return rows.append_column("m_x", pa.array(means, mask=np.isnan(means)))
