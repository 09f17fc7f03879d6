"""Churn by definition, in plain Python: product-limit curves in fractions, and measures by counting pairs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import ceil, sqrt
from statistics import median
from typing import Any

Z = 1.959963984540054
# The purchase days of each customer, distinct and ascending, customers ascending.
Purchases = dict[Any, list[date]]


@dataclass
class Curve:
    """S by length, and the horizon."""

    steps: list[tuple[int, Fraction]]
    horizon: int | None

    def at(self, days: int) -> Fraction:
        """S(days), which does not fall beyond the horizon."""
        assert self.horizon is not None
        known = min(days, self.horizon)
        at = bisect_right([length for length, _ in self.steps], known)
        return self.steps[at - 1][1] if at else Fraction(1)

    def window(self, share: Fraction) -> int:
        """The least length with F >= share * F(H)."""
        assert self.horizon is not None
        wanted = share * (1 - self.at(self.horizon))
        return next(length for length, survival in self.steps if 1 - survival >= wanted)


def curve(gaps: Sequence[tuple[int, bool]], min_at_risk: int) -> Curve:
    """The curve of (length, whether it ended)."""
    steps, survival, horizon = [], Fraction(1), None
    for length in sorted({length for length, _ in gaps if length >= 1}):
        at_risk = sum(other >= length for other, _ in gaps)
        ended = sum(other == length and closed for other, closed in gaps)
        survival *= 1 - Fraction(ended, at_risk)
        steps.append((length, survival))
        if ended and at_risk >= min_at_risk:
            horizon = length
    return Curve(steps, horizon)


def stratum_of(n_days: int, strata: Sequence[int]) -> int:
    return max(least for least in strata if least <= n_days)


class Model:
    """The model as of a day; None of `pooled.horizon` means that there is none."""

    def __init__(self, purchases: Purchases, day: date, horizon: int, strata: Sequence[int], min_at_risk: int) -> None:
        self.day, self.horizon, self.strata = day, horizon, strata
        self.known = {who: before for who, days in purchases.items() if (before := [d for d in days if d <= day])}
        gaps: dict[int, list[tuple[int, bool]]] = {least: [] for least in strata}
        for days in self.known.values():
            for number, (start, end) in enumerate(pairwise(days), 1):
                gaps[stratum_of(number, strata)].append(((end - start).days, True))
            gaps[stratum_of(len(days), strata)].append(((day - days[-1]).days, False))
        self.curves = {least: curve(own, min_at_risk) for least, own in gaps.items()}
        self.pooled = curve([gap for own in gaps.values() for gap in own], min_at_risk)

    def probability(self, stratum: int, gap: int) -> float:
        own = self.curves[stratum]
        used = self.pooled if own.horizon is None else own
        survival = used.at(gap)
        return float(used.at(gap + self.horizon) / survival) if survival else 1.0

    def scores(self) -> list[tuple[Any, int, int, int, float]]:
        """Id, gap, purchase days, stratum, probability."""
        found = []
        for who, days in self.known.items():
            gap, stratum = (self.day - days[-1]).days, stratum_of(len(days), self.strata)
            found.append((who, gap, len(days), stratum, self.probability(stratum, gap)))
        return found

    def overdue(self, who: Any) -> float:
        days = self.known[who]
        gaps = [(end - start).days for start, end in pairwise(days)]
        middle = self.pooled.window(Fraction(1, 2))
        # Floats, as the typical gap is a float: which scores are equal depends on it.
        typical = (len(gaps) * median(gaps or [0]) + 3 * middle) / (len(gaps) + 3)
        return (self.day - days[-1]).days / typical


def churned(days: Sequence[date], day: date, horizon: int) -> bool:
    return not any(0 < (other - day).days <= horizon for other in days)


def auc(labelled: Sequence[tuple[float, bool]]) -> float | None:
    """By all pairs."""
    up = [score for score, label in labelled if label]
    down = [score for score, label in labelled if not label]
    if not up or not down:
        return None
    return sum((a > b) + (a == b) / 2 for a in up for b in down) / (len(up) * len(down))


def average_precision(labelled: Sequence[tuple[float, bool]]) -> float | None:
    """By all thresholds."""
    positives = sum(label for _, label in labelled)
    if not positives:
        return None
    total, before = 0.0, 0
    for threshold in sorted({score for score, _ in labelled}, reverse=True):
        flagged = [label for score, label in labelled if score >= threshold]
        total += (sum(flagged) - before) / positives * sum(flagged) / len(flagged)
        before = sum(flagged)
    return total


def wilson(k: int, n: int) -> tuple[float | None, float | None]:
    if n == 0:
        return None, None
    p, z2 = k / n, Z * Z
    middle, half = p + z2 / (2 * n), Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = ((middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n))
    return (0.0 if k == 0 else low), (1.0 if k == n else high)


def ratio(a: float, b: float) -> float | None:
    return a / b if b else None


def backtest_reference(
    purchases: Purchases,
    dates: Sequence[date],
    horizon: int,
    *,
    scores: Sequence[str],
    among: str,
    shares: Sequence[Fraction],
    strata: Sequence[int],
    min_at_risk: int,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]] | None:
    """Summary, thresholds, calibration as lists of rows; None if a date has no model."""
    summary, cuts, bins = [], [], []
    names = [*scores, *(["recency"] if "recency" not in scores else [])]
    pooled: dict[tuple[str, Fraction], list[int]] = {}
    for day in dates:
        model = Model(purchases, day, horizon, strata, min_at_risk)
        if model.pooled.horizon is None:
            return None
        longest = model.pooled.window(Fraction(95, 100)) if among == "at_stake" else 10**9
        stake = [row for row in model.scores() if row[1] <= longest]
        labels = [churned(purchases[row[0]], day, horizon) for row in stake]
        n, positives = len(stake), sum(labels)
        rate = ratio(positives, n)
        for name in names:
            values = {
                "probability": lambda row: row[4],
                "recency": lambda row: float(row[1]),
                "overdue": lambda row, model=model: model.overdue(row[0]),
            }[name]
            labelled = [(values(row), label) for row, label in zip(stake, labels, strict=True)]
            brier = ratio(sum((score - label) ** 2 for score, label in labelled), n) if name == "probability" else None
            base = rate * (1 - rate) if name == "probability" and rate is not None else None
            summary.append(
                {
                    "as_of": day,
                    "score": name,
                    "customers": n,
                    "churned": positives,
                    "base_rate": rate,
                    "auc": auc(labelled),
                    "average_precision": average_precision(labelled),
                    "brier": brier,
                    "brier_base": base,
                }
            )
            # Stable: of equal scores the lowest ids come first.
            ranked = sorted(labelled, key=lambda pair: -pair[0])
            for share in shares:
                flagged = ranked[: ceil(share * n)]
                true = sum(label for _, label in flagged)
                last = flagged[-1][0] if flagged else None
                cuts.append(cut(day, name, share, last, (len(flagged), true, n, positives)))
                counts = pooled.setdefault((name, share), [0, 0, 0, 0])
                pooled[name, share] = [a + b for a, b in zip(counts, (len(flagged), true, n, positives), strict=True)]
            if name == "probability":
                rising, start = sorted(labelled, key=lambda pair: pair[0]), 0
                for number in range(10):
                    size = n // 10 + (number < n % 10)
                    own, start = rising[start : start + size], start + size
                    k = sum(label for _, label in own)
                    low, high = wilson(k, size)
                    bins.append(
                        {
                            "as_of": day,
                            "bin": number + 1,
                            "customers": size,
                            "predicted": ratio(sum(score for score, _ in own), size),
                            "observed": ratio(k, size),
                            "observed_low": low,
                            "observed_high": high,
                        }
                    )
    for (name, share), (flagged_, true, n, positives) in pooled.items():
        cuts.append(cut(None, name, share, None, (flagged_, true, n, positives)))
    return summary, cuts, bins


def cut(
    day: date | None, name: str, share: Fraction, last: float | None, counts: tuple[int, int, int, int]
) -> dict[str, Any]:
    flagged, true, n, positives = counts
    low, high = wilson(true, flagged)
    precision, rate = ratio(true, flagged), ratio(positives, n)
    return {
        "as_of": day,
        "score": name,
        "share": float(share),
        "threshold": last,
        "flagged": flagged,
        "true": true,
        "precision": precision,
        "precision_low": low,
        "precision_high": high,
        "recall": ratio(true, positives),
        "lift": precision / rate if precision is not None and rate else None,
    }
