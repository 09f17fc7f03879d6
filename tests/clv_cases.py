"""Customers who buy at rates of their own until they are lost, drawn with a seed: for the tests of lifetime value."""

from __future__ import annotations

from typing import Any

import numpy as np

import custcore

FIRST_DAY = np.datetime64("2024-01-01")
# The last day of calibration, the last day of all, and the days between.
CALIBRATION_END, LAST_DAY, HOLDOUT_DAYS = "2024-10-26", "2025-02-03", 100


def purchases(n: int = 2_000, seed: int = 0, *, lost: bool = True, spend_by_rate: float = 0.0) -> dict[str, Any]:
    """Transactions of n customers in 400 days: a Pareto / NBD process, or without losses an NBD process."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 120, n).astype(float)
    rate = rng.gamma(0.9, 1 / 60, n)
    life = rng.exponential(1 / rng.gamma(0.8, 1 / 70, n)) if lost else np.full(n, np.inf)
    gaps = rng.exponential(1.0, (n, 80)) / rate[:, None]
    times = np.column_stack([np.zeros(n), np.cumsum(gaps, axis=1)])
    seen = (times <= life[:, None]) & (first[:, None] + times < 400)
    who, which = np.nonzero(seen)
    mean = 15.0 * 6.0 / rng.gamma(4.0, size=n) * (rate / rate.mean()) ** spend_by_rate
    return {
        "customer_id": who,
        "timestamp": FIRST_DAY + (first[who] + times[who, which]).astype(int),
        "amount": np.round(rng.gamma(6.0, size=len(who)) / 6.0 * mean[who], 2) + 0.01,
    }


def shop(n: int = 2_000, seed: int = 0, **options: Any) -> custcore.CustomerBase:
    """A base of these customers."""
    base = custcore.CustomerBase(track="days")
    base.update(purchases(n, seed, **options))
    return base


def summary_columns(table: custcore.Table) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of a summary as arrays, to be changed."""
    return {name: table.to_numpy(name).copy() for name in table.column_names}


def cut(columns: dict[str, Any], rows: Any) -> dict[str, Any]:
    """Some rows."""
    return {name: values[rows] for name, values in columns.items()}
