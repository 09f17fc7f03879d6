"""Baskets, pairs, itemsets and rules by counting them one by one, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any

__all__ = ["baskets_reference", "itemsets_reference", "pairs_reference", "rules_reference", "within"]

# Customer, order, day, item, amount.
Row = tuple[Any, Any, Any, Any, int]


def baskets_reference(
    rows: Iterable[Row], basket: str, *, returns: str = "net", most: int | None = None, anonymous: bool = False
) -> list[tuple[Any, frozenset[Any]]]:
    """The customer and the items of each basket with at least one item."""
    sums: dict[Any, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for number, (customer, order, day, item, amount) in enumerate(rows):
        if (customer is None and not anonymous) or day is None:
            continue
        other = {"order": ("alone", number) if order is None else ("order", order), "day": day, "customer": 0}[basket]
        sums[customer, other][item] += 0 if returns == "count" else amount
    found = []
    for (customer, _), items in sums.items():
        if basket == "order" and sum(items.values()) < 0:
            continue
        kept = frozenset(item for item, amount in items.items() if item is not None and amount >= 0)
        if kept and (most is None or len(kept) <= most):
            found.append((customer, kept))
    return found


def stratum(items: frozenset[Any]) -> int:
    """ceil(log2(n))."""
    return math.ceil(math.log2(len(items)))


def within(baskets: list[frozenset[Any]], a: frozenset[Any], b: frozenset[Any]) -> tuple[float, float]:
    """How many baskets with both are expected within those of like size, and the variance."""
    expected = variance = 0.0
    for k in sorted({stratum(own) for own in baskets}):
        like = [own for own in baskets if stratum(own) == k]
        n, n_a, n_b = len(like), sum(a <= own for own in like), sum(b <= own for own in like)
        expected += n_a * n_b / n
        if n > 1:
            variance += n_a * (n - n_a) * n_b * (n - n_b) / (n * n * (n - 1))
    return expected, variance


def pairs_reference(baskets: list[frozenset[Any]], min_item: int, min_pair: int) -> list[dict[str, Any]]:
    """The pairs in the order of the result, with some of their measures."""
    n = len(baskets)
    support: dict[Any, int] = defaultdict(int)
    both: dict[tuple[Any, Any], int] = defaultdict(int)
    for own in baskets:
        for item in own:
            support[item] += 1
    for own in baskets:
        for pair in combinations(sorted(item for item in own if support[item] >= min_item), 2):
            both[pair] += 1
    rows = []
    for (a, b), count in both.items():
        if count < min_pair:
            continue
        expected, variance = within(baskets, frozenset([a]), frozenset([b]))
        n_a, n_b = support[a], support[b]
        z = (count - expected) / math.sqrt(variance) if variance > 0 else 0.0
        ways = [math.comb(n_a, x) * math.comb(n - n_a, n_b - x) for x in range(count, min(n_a, n_b) + 1)]
        rows.append(
            {
                "item_a": a,
                "item_b": b,
                "n_ab": count,
                "n_a": n_a,
                "n_b": n_b,
                "n_baskets": n,
                "lift": count * n / (n_a * n_b),
                "expected_within": expected,
                "lift_within": count / expected,
                "z_within": z,
                "p_within": 0.5 * math.erfc(z / math.sqrt(2)),
                "p_fisher": sum(ways) / math.comb(n, n_b),
            }
        )
    return sorted(rows, key=lambda row: (-row["n_ab"], row["item_a"], row["item_b"]))


def itemsets_reference(baskets: list[frozenset[Any]], least: int, max_len: int) -> dict[tuple[Any, ...], int]:
    """The number of baskets of each set that is in enough of them."""
    items = sorted(set().union(*baskets)) if baskets else []
    found = {}
    for size in range(1, max_len + 1):
        for own in combinations(items, size):
            count = sum(frozenset(own) <= basket for basket in baskets)
            if count >= least:
                found[own] = count
    return found


def rules_reference(baskets: list[frozenset[Any]], least: int, confidence: float, max_len: int) -> list[dict[str, Any]]:
    """The rules in the order of the result."""
    sets = {**itemsets_reference(baskets, least, max_len), (): len(baskets)}

    def confidence_of(antecedent: tuple[Any, ...], consequent: Any) -> float:
        return sets[tuple(sorted((*antecedent, consequent)))] / sets[antecedent]

    rows = []
    for own, count in sets.items():
        for consequent in own if len(own) > 1 else ():
            antecedent = tuple(item for item in own if item != consequent)
            if confidence_of(antecedent, consequent) < confidence:
                continue
            parts = [part for size in range(len(antecedent)) for part in combinations(antecedent, size)]
            expected, _ = within(baskets, frozenset(antecedent), frozenset([consequent]))
            best = max(confidence_of(part, consequent) for part in parts)
            rows.append(
                {
                    "antecedent": list(antecedent),
                    "consequent": consequent,
                    "n_both": count,
                    "n_antecedent": sets[antecedent],
                    "n_consequent": sets[(consequent,)],
                    "improvement": confidence_of(antecedent, consequent) - best,
                    "lift_within": count / expected,
                }
            )
    return sorted(rows, key=lambda row: (-row["n_both"], row["antecedent"], row["consequent"]))
