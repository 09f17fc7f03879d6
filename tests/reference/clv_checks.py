"""Forecasts against what happened, by definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import rankdata

from .clv import Purchases

Array = Any
# Probabilities nearer to 0 or 1 count as this near in the logarithmic loss.
CLIP = 1e-15


def measures(expected: Array, actual: Array) -> dict[str, float]:
    """Of one forecast; customers in order of their ids."""
    error = expected - actual
    found = {
        "actual": float(actual.sum()),
        "expected": float(expected.sum()),
        "total_error": float(expected.sum() / actual.sum() - 1) if actual.sum() else math.nan,
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
    }
    if len(set(expected.tolist())) > 1 and len(set(actual.tolist())) > 1:
        found["rank_correlation"] = float(np.corrcoef(rankdata(expected), rankdata(actual))[0, 1])
    return found


def probability_measures(p: Array, happened: Array) -> dict[str, float]:
    """Of the probability of at least one purchase."""
    # A probability of 0 of what happened would count without end.
    some = np.clip(p, CLIP, 1 - CLIP)
    up, down = some[happened], some[~happened]
    log_loss = -(np.log(up).sum() + np.log1p(-down).sum()) / len(p)
    ranks = rankdata(p)
    wins = ranks[happened].sum() - len(up) * (len(up) + 1) / 2
    return {
        "brier": float(((p - happened) ** 2).mean()),
        "log_loss": float(log_loss),
        "auc": float(wins / (len(up) * len(down))) if len(up) and len(down) else math.nan,
    }


def top_share(expected: Array, actual: Array, top: int) -> float:
    """Share of the purchases made by the `top` customers with the highest expectation; of equals the first ids."""
    order = sorted(range(len(expected)), key=lambda i: (-expected[i], i))
    return float(actual[order[:top]].sum() / actual.sum())


def tracking(model: Purchases, first_days: Array, ends: Array) -> list[float]:
    """Expected repeat purchases of all customers up to each day; first days and ends are days of one calendar."""
    found = []
    for end in ends:
        ages = [int(end - first) for first in first_days if first < end]
        counts = {age: ages.count(age) for age in set(ages)}
        found.append(sum(count * model.unconditional(age) for age, count in sorted(counts.items())))
    return found
