"""Effects from sums by group, as a reader of the literature would write them: shared by the contenders."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benches.python.experiments.case import GROUPS, METRICS, RESULT

# The columns whose sums and products are needed, in this order.
COLUMNS = ("revenue_after", "orders_after", "active_after", "revenue_before", "orders_before", "active_before")
PAIRS = [(a, b) for a in range(len(COLUMNS)) for b in range(a, len(COLUMNS))]
OF_METRIC = {
    "revenue": ([0], [3]),
    "orders": ([1], [4]),
    "active": ([2], [5]),
    "average_order_value": ([0, 1], [3, 4]),
}


def effects(n: np.ndarray, sums: np.ndarray, products: np.ndarray) -> pa.Table:
    """The effect and its standard error, adjusted by the window before.

    Parameters
    ----------
    n
        Customers by group.
    sums
        By group and column.
    products
        By group and pair.
    """
    means = sums / n[:, None]
    square = np.empty((len(n), len(COLUMNS), len(COLUMNS)))
    for at, (a, b) in enumerate(PAIRS):
        square[:, a, b] = square[:, b, a] = products[:, at] - n * means[:, a] * means[:, b]
    overall = sums.sum(0) / n.sum()
    rows = []
    for metric in METRICS:
        outcome, covariates = OF_METRIC[metric]
        weights, level = np.zeros((len(n), len(COLUMNS))), means[:, outcome[0]]
        weights[:, outcome[0]] = 1.0
        if len(outcome) == 2:
            level = means[:, outcome[0]] / means[:, outcome[1]]
            weights[:, outcome[0]] = 1 / means[:, outcome[1]]
            weights[:, outcome[1]] = -level / means[:, outcome[1]]
        cross = np.einsum("gi,gij->gj", weights, square)
        theta = np.linalg.solve(square[:, covariates][:, :, covariates].sum(0), cross[:, covariates].sum(0))
        adjusted = level - (means[:, covariates] - overall[covariates]) @ theta
        weights[:, covariates] -= theta
        variance = np.einsum("gi,gij,gj->g", weights, square, weights) / (n - 1) / n
        se = np.sqrt(variance + variance[0])
        rows += [(metric, GROUPS[group], adjusted[group] - adjusted[0], se[group]) for group in range(1, len(n))]
    return pa.table([pa.array(column) for column in zip(*rows, strict=True)], RESULT)
