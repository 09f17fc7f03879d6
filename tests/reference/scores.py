"""Scores by definition: the integer form, the type-7 edges it is equal to, NTILE, nested and grouped."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any


def scores_reference(values: Sequence[Any], bins: int, *, reverse: bool = False) -> list[int]:
    """`max(1, ceil(bins * L / (n - 1)))`, L = how many are strictly smaller; reverse: bins + 1 - it."""
    ordered, n = sorted(values), len(values)
    scores = []
    for value in values:
        smaller = bisect_left(ordered, value)
        score = 1 if n == 1 else max(1, -(-bins * smaller // (n - 1)))
        scores.append(bins + 1 - score if reverse else score)
    return scores


def edges_reference(values: Sequence[Any], bins: int) -> list[Fraction]:
    """The inner type-7 quantiles, exactly: linear between the order statistics around (n - 1) * j / bins."""
    ordered = [Fraction(v) for v in sorted(values)]
    edges = []
    for j in range(1, bins):
        position = Fraction((len(ordered) - 1) * j, bins)
        low = math.floor(position)
        high = min(low + 1, len(ordered) - 1)
        edges.append(ordered[low] + (position - low) * (ordered[high] - ordered[low]))
    return edges


def float_at_or_below(value: Fraction) -> float:
    """The largest float64 that is not above `value`."""
    nearest = float(value)
    return math.nextafter(nearest, -math.inf) if Fraction(nearest) > value else nearest


def ntile_reference(values: Sequence[Any], ids: Sequence[Any], bins: int, *, reverse: bool = False) -> list[int]:
    """SQL's `ntile(bins) over (order by value, id)`: the first n % bins tiles are one larger."""
    n = len(values)
    size, larger = divmod(n, bins)
    tiles = [tile for tile in range(1, bins + 1) for _ in range(size + (tile <= larger))]
    scores = [0] * n
    for tile, row in zip(tiles, sorted(range(n), key=lambda i: (values[i], ids[i])), strict=True):
        scores[row] = bins + 1 - tile if reverse else tile
    return scores


def rfm_scores_reference(
    recency: Sequence[Any],
    frequency: Sequence[Any],
    monetary: Sequence[Any],
    bins: int | tuple[int, int, int],
) -> list[tuple[int, int, int]]:
    """Each dimension by itself over all customers."""
    r, f, m = bins if isinstance(bins, tuple) else (bins, bins, bins)
    return list(
        zip(
            scores_reference(recency, r, reverse=True),
            scores_reference(frequency, f),
            scores_reference(monetary, m),
            strict=True,
        )
    )


def nested_reference(
    recency: Sequence[Any], frequency: Sequence[Any], monetary: Sequence[Any], bins: int
) -> list[tuple[int, int, int]]:
    """R over all customers, F within each R score, M within each (R, F)."""
    r = scores_reference(recency, bins, reverse=True)
    f = _within(r, frequency, bins)
    m = _within(list(zip(r, f, strict=True)), monetary, bins)
    return list(zip(r, f, m, strict=True))


def group_reference(
    groups: Sequence[Any],
    recency: Sequence[Any],
    frequency: Sequence[Any],
    monetary: Sequence[Any],
    bins: int,
) -> list[tuple[int, int, int]]:
    """Each dimension by itself within each group."""
    r = _within(groups, recency, bins, reverse=True)
    return list(zip(r, _within(groups, frequency, bins), _within(groups, monetary, bins), strict=True))


def _within(groups: Sequence[Any], values: Sequence[Any], bins: int, *, reverse: bool = False) -> list[int]:
    members = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    scores = [0] * len(values)
    for rows in members.values():
        for row, score in zip(rows, scores_reference([values[i] for i in rows], bins, reverse=reverse), strict=True):
            scores[row] = score
    return scores
