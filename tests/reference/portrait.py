"""Portraits and net promoter scores, row by row: slow and obvious."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

Z = 1.959963984540054


def fisher(k: int, n: int, marked: int, total: int) -> float:
    """The two-sided p-value, as the sum over all tables of the same margins, in whole numbers."""
    ways = {
        x: math.comb(marked, x) * math.comb(total - marked, n - x)
        for x in range(max(0, n + marked - total), min(n, marked) + 1)
    }
    seen = ways[k] * Fraction(10**7 + 1, 10**7)
    return float(Fraction(sum(way for way in ways.values() if way <= seen), math.comb(total, n)))


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % score interval."""
    p, square = k / n, Z * Z
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = Z * math.sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def adjusted(values: list[float], how: str) -> list[float]:
    """p-values adjusted for their number, by definition."""
    m = len(values)
    ranked = sorted(values)
    if how == "none":
        return values
    if how == "holm":
        return [min(1.0, max((m - i) * p for i, p in enumerate(ranked) if p <= value)) for value in values]
    return [min(1.0, *(m * p / (i + 1) for i, p in enumerate(ranked) if p >= value)) for value in values]


def portrait(
    segments: dict[Any, str],
    attributes: dict[str, dict[Any, Any]],
    lists: dict[str, set[tuple[Any, Any]]],
    *,
    nulls: str = "drop",
    min_customers: int = 30,
    adjust: str = "bh",
    alpha: float = 0.05,
) -> list[dict[str, Any]]:
    """The rows of a portrait, of attributes with one value per customer and of lists."""
    rows = []
    for attribute in [*attributes, *lists]:
        if attribute in lists:
            pairs = {(one, value) for one, value in lists[attribute] if one in segments}
            if nulls == "drop":
                pairs = {(one, value) for one, value in pairs if value is not None}
            known = set(segments)
        else:
            values = {one: attributes[attribute].get(one) for one in segments}
            pairs = {(one, value) for one, value in values.items() if nulls == "value" or value is not None}
            known = {one for one, _ in pairs}
        for segment in sorted(set(segments.values()), key=str.encode):
            n = sum(segments[one] == segment for one in known)
            for value in {value for _, value in pairs}:
                k = sum(segments[one] == segment for one, other in pairs if other == value)
                all_k = sum(other == value for _, other in pairs)
                rows.append(row(segment, attribute, value, (k, n, all_k, len(known)), min_customers))
    tested = [one for one in rows if one["tested"]]
    for one, p in zip(tested, adjusted([one["p_value"] for one in tested], adjust), strict=True):
        one["p_adjusted"] = p
        one["is_mark"] = p < alpha and one["strength"] != 0
    return rows


def row(segment: str, attribute: str, value: Any, counts: tuple[int, int, int, int], least: int) -> dict[str, Any]:
    """One row, without what depends on the others."""
    k, n, all_k, all_n = counts
    share_all = all_k / all_n
    low, high = wilson(k, n) if n else (None, None)
    tested = n >= least and all_k >= least
    nearer = 0.0
    if tested and low is not None and high is not None:
        nearer = low if low > share_all else high if high < share_all else 0.0
    return {
        "segment": segment,
        "attribute": attribute,
        "value": value,
        "customers": k,
        "segment_known": n,
        "all_customers": all_k,
        "all_known": all_n,
        "share": k / n if n else None,
        "share_low": low,
        "share_high": high,
        "share_all": share_all,
        "index": 100 * (k / n) / share_all if n else None,
        "index_low": None if low is None else 100 * low / share_all,
        "index_high": None if high is None else 100 * high / share_all,
        "p_value": fisher(k, n, all_k, all_n),
        "tested": tested,
        "p_adjusted": None,
        "strength": nearer * math.log(nearer / share_all) if nearer > 0 else 0.0,
        "is_mark": False,
    }


def nps(scores: list[int | None], interval: str) -> dict[str, Any]:
    """Counts, score and interval."""
    answers = [score for score in scores if score is not None]
    n, p, d = len(answers), sum(score >= 9 for score in answers), sum(score <= 6 for score in answers)
    found: dict[str, Any] = {
        "answers": n,
        "missing": len(scores) - n,
        "promoters": p,
        "passives": n - p - d,
        "detractors": d,
        "nps": None,
        "nps_low": None,
        "nps_high": None,
    }
    if n:
        m, extra = (n + 3, 0.75) if interval == "adjusted" else (n, 0.0)
        a, b = (p + extra) / m, (d + extra) / m
        half = Z * math.sqrt(max(0.0, (a + b - (a - b) ** 2) / m))
        found |= {
            "nps": 100 * (p - d) / n,
            "nps_low": max(-100.0, 100 * (a - b - half)),
            "nps_high": min(100.0, 100 * (a - b + half)),
        }
    return found
