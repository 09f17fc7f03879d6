"""Before and after by the definition, in Python: one customer after the other, variances by the two-pass formula."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

Row = tuple[object, date, float]  # an order: customer, day, amount
RECENCY = (7, 14, 30, 60, 90, 180, 365)


@dataclass
class Known:
    """A customer on the day before, and what he did in the windows."""

    recency: int | None = None
    tenure: int | None = None
    orders: int = 0
    total: float = 0.0
    before: tuple[int, float] = (0, 0.0)
    after: tuple[int, float] = (0, 0.0)


def cents(values: list[float]) -> float:
    """The exact sum of amounts with up to 6 decimals."""
    return float(sum((Fraction(round(value * 10**6), 10**6) for value in values), Fraction(0)))


def look(rows: list[tuple[date, float]], day: date, after: int, before: int, lag: int) -> Known:
    """A customer's orders; negative amounts are refunds, and no orders."""
    past = [row for row in rows if row[0] < day]
    buys = [row[0] for row in past if row[1] >= 0]
    days = timedelta(days=1)
    yesterday = day - days

    def window(start: date, length: int) -> tuple[int, float]:
        inside = [row for row in rows if start <= row[0] < start + length * days]
        return sum(row[1] >= 0 for row in inside), cents([row[1] for row in inside])

    return Known(
        (yesterday - max(buys)).days if buys else None,
        (yesterday - min(buys)).days if buys else None,
        len(buys),
        cents([row[1] for row in past]),
        window(day - before * days, before),
        window(day + lag * days, after),
    )


def m_scores(totals: list[float]) -> list[int]:
    """1 to 5: one more than the type-7 quantile edges strictly below."""
    n = len(totals)
    return [max(1, -(-5 * sum(other < total for other in totals) // (n - 1))) if n > 1 else 1 for total in totals]


def doubling(count: int) -> int:
    """0, 1, 2-3, 4-7, ..."""
    return count.bit_length()


def compare(
    rows: list[Row],
    treated: dict[object, date],
    after: int,
    before: int,
    lag: int,
    exclude: frozenset[object] = frozenset(),
    back: int = 0,
) -> dict[str, object]:
    """Effects on revenue and orders by all methods; `back` moves everything so many days back."""
    by_customer: dict[object, list[tuple[date, float]]] = defaultdict(list)
    for customer, day, amount in rows:
        by_customer[customer].append((day, amount))
    strata: dict[object, tuple[list[Known], list[Known]]] = defaultdict(lambda: ([], []))
    of_treated: list[Known] = []
    for treated_on in sorted(set(treated.values())):
        day = treated_on - timedelta(days=back)
        looked = {customer: look(own, day, after, before, lag) for customer, own in by_customer.items()}
        known = [customer for customer, found in looked.items() if found.orders]
        scores = dict(zip(known, m_scores([looked[customer].total for customer in known]), strict=True))
        end = treated_on + timedelta(days=lag + after - 1)
        of_treated += [looked.get(customer, Known()) for customer, own in treated.items() if own == treated_on]
        for customer in known:
            other = treated.get(customer)
            if other != treated_on and ((other is not None and other <= end) or customer in exclude):
                continue
            found = looked[customer]
            assert found.recency is not None
            key = (
                treated_on,
                sum(edge < found.recency for edge in RECENCY),
                doubling(found.orders),
                doubling(found.before[0]),
                scores[customer],
            )
            strata[key][other == treated_on].append(found)
    matched = [arms for arms in strata.values() if arms[0] and arms[1]]
    found: dict[str, object] = {
        "treated": len(of_treated),
        "matched": sum(len(arms[1]) for arms in matched),
        "controls": sum(len(arms[0]) for arms in matched),
        "strata": len(matched),
        "all": strata,
    }
    for at, metric in ((1, "revenue"), (0, "orders")):
        found[metric] = effects(matched, of_treated, at, after / before)
    return found


def effects(
    matched: list[tuple[list[Known], list[Known]]], treated: list[Known], at: int, scale: float
) -> dict[str, tuple[float | None, float | None]]:
    """Effect and standard error of each method."""
    changes = [one.after[at] - scale * one.before[at] for one in treated]
    naive_se = math.sqrt(statistics.variance(changes) / len(changes)) if len(changes) > 1 else None
    found: dict[str, tuple[float | None, float | None]] = {"naive": (statistics.fmean(changes), naive_se)}
    pairs = [[np.array([[one.after[at], one.before[at]] for one in arm], float) for arm in arms] for arms in matched]
    if not pairs:
        return found | dict.fromkeys(("after", "did", "adjusted"), (None, None))
    centred = np.vstack([arm - arm.mean(0) for arms in pairs for arm in arms])
    xx = float(centred[:, 1] @ centred[:, 1])
    everything = np.vstack([arm for arms in pairs for arm in arms])[:, 1]
    total = float(((everything - everything.mean()) ** 2).sum())
    theta = float(centred[:, 0] @ centred[:, 1]) / xx if xx > 1e-12 * total else 0.0
    for name, own in (("after", 0.0), ("did", scale), ("adjusted", theta)):
        found[name] = weighted([[arm[:, 0] - own * arm[:, 1] for arm in arms] for arms in pairs])
    return found


def weighted(strata: list[list[np.ndarray]]) -> tuple[float, float | None]:
    """Σ w (mean of the treated - mean of the controls), and its standard error."""
    n = sum(len(treated) for _, treated in strata)
    pooled = []
    for arm in (0, 1):
        degrees = sum(len(arms[arm]) - 1 for arms in strata)
        squares = sum(float(((arms[arm] - arms[arm].mean()) ** 2).sum()) for arms in strata)
        pooled.append(squares / degrees if degrees else None)
    effect, variance = 0.0, 0.0
    known = True
    for arms in strata:
        weight = len(arms[1]) / n
        effect += weight * (arms[1].mean() - arms[0].mean())
        for values, rest in zip(arms, pooled, strict=True):
            own = values.var(ddof=1) if len(values) > 1 else rest
            known &= own is not None
            variance += weight**2 * (own or 0.0) / len(values)
    return effect, math.sqrt(variance) if known else None
