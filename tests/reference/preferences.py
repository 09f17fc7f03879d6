"""What customers like, computed slowly from rows: orders first, then every sum by itself."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Line", "breadth", "cells", "channels", "next_scores", "orders_of", "owned", "preferences", "promotion"]


@dataclass(frozen=True)
class Line:
    """A purchase line; money is an integer."""

    customer: int
    moment: int  # seconds; a day is 86,400 of them
    amount: int | None
    order: int | None
    category: Any
    discount: bool
    channel: Any

    @property
    def day(self) -> int:
        return self.moment // 86_400


def orders_of(lines: Iterable[Line], until: int | None = None) -> list[list[Line]]:
    """The lines of each order; a line without an order id is one."""
    groups: dict[Any, list[Line]] = defaultdict(list)
    for at, line in enumerate(lines):
        if until is None or line.day <= until:
            groups[line.customer, ("alone", at) if line.order is None else line.order].append(line)
    return list(groups.values())


def money(lines: Iterable[Line]) -> int:
    return sum(line.amount or 0 for line in lines)


def cells(
    orders: list[list[Line]], of: str = "category"
) -> tuple[dict[Any, dict[Any, dict[str, int]]], dict[Any, int]]:
    """By customer and value: orders, rows, money, those with a discount; and orders with a value by customer."""
    found: dict[Any, dict[Any, dict[str, int]]] = defaultdict(dict)
    with_value: dict[Any, int] = defaultdict(int)
    for order in orders:
        is_refund = money(order) < 0
        customer = order[0].customer
        values = {line: line.category for line in order}
        if of == "channel":
            first = min(line.moment for line in order)
            tied = [line.channel for line in order if line.moment == first]
            chosen = min((value for value in tied if value is not None), default=None)
            values = dict.fromkeys(order, chosen)
        pairs = [(values[line], line) for line in order]
        for value in {value for value, _ in pairs}:
            own = [line for other, line in pairs if other == value]
            cell = found[customer].setdefault(
                value, {"orders": 0, "rows": 0, "money": 0, "promo_rows": 0, "promo_money": 0, "last": -1}
            )
            cell["money"] += money(own)
            cell["promo_money"] += money(line for line in own if line.discount)
            if not is_refund:
                cell["orders"] += 1
                cell["rows"] += len(own)
                cell["promo_rows"] += sum(line.discount for line in own)
                cell["last"] = max(cell["last"], min(line.moment for line in order))
        with_value[customer] += not is_refund and any(value is not None for value in values.values())
    return found, with_value


def listed(found: dict[Any, dict[str, int]]) -> dict[Any, dict[str, int]]:
    """What is in the result: values with an order, money at least 0."""
    with_order = {value: cell for value, cell in found.items() if value is not None and cell["orders"]}
    return {value: {**with_order[value], "money": max(with_order[value]["money"], 0)} for value in sorted(with_order)}


def preferences(orders: list[list[Line]], measure: str, prior: float, of: str = "category") -> list[dict[str, Any]]:
    all_cells, with_value = cells(orders, of)
    held = {customer: listed(found) for customer, found in all_cells.items()}
    key = "money" if measure == "spend" else "orders"
    total = sum(cell["money"] for own in held.values() for cell in own.values())
    if measure == "orders":
        total = sum(count for customer, count in with_value.items() if held[customer])
    rows = []
    for customer in sorted(held):
        own, n = held[customer], with_value[customer]
        spent = sum(cell["money"] for cell in own.values()) if measure == "spend" else n
        found = []
        for value, cell in own.items():
            share = cell[key] / spent if spent else None
            of_all = sum(other[value][key] for other in held.values() if value in other)
            p = of_all / total if total else None
            shrunk = p if share is None or p is None else (n * share + prior * p) / (n + prior)
            index = 100 * shrunk / p if p else None
            found.append(
                {
                    "customer": customer,
                    of: value,
                    "orders": cell["orders"],
                    "rows": cell["rows"],
                    "monetary_total": cell["money"],
                    "share": share,
                    "share_all": p,
                    "share_shrunk": shrunk,
                    "index": index,
                }
            )
        rows.extend(found)
    return rows


def breadth(orders: list[list[Line]]) -> dict[Any, tuple[int, float | None]]:
    """Number of categories, and entropy."""
    found = {}
    for customer, own in cells(orders)[0].items():
        held = listed(own)
        total = sum(cell["money"] for cell in held.values())
        shares = [cell["money"] / total for cell in held.values()] if total else None
        if held:
            entropy = None if shares is None else -sum(share * math.log(share) for share in shares if share)
            found[customer] = (len(held), entropy)
    return found


def promotion(orders: list[list[Line]]) -> dict[Any, tuple[int, int, float]]:
    """Rows, rows with a discount, and those expected."""
    held = {customer: listed(own) for customer, own in cells(orders)[0].items()}
    rates = {}
    for value in {value for own in held.values() for value in own}:
        of_value = [own[value] for own in held.values() if value in own]
        rates[value] = sum(cell["promo_rows"] for cell in of_value) / sum(cell["rows"] for cell in of_value)
    return {
        customer: (
            sum(cell["rows"] for cell in own.values()),
            sum(cell["promo_rows"] for cell in own.values()),
            sum(cell["rows"] * rates[value] for value, cell in own.items()),
        )
        for customer, own in held.items()
        if own
    }


def channels(orders: list[list[Line]]) -> dict[Any, tuple[Any, int, Any]]:
    """Main channel, number of channels, last channel."""
    found = {}
    for customer, own in cells(orders, "channel")[0].items():
        held = listed(own)
        if held:
            main = min(held, key=lambda value: (-held[value]["orders"], value))
            last = min(held, key=lambda value: (-held[value]["last"], value))
            found[customer] = (main, len(held), last)
    return found


def owned(orders: list[list[Line]]) -> dict[Any, set[Any]]:
    """The categories of each buyer."""
    buyers = {order[0].customer for order in orders if money(order) >= 0}
    found = cells(orders)[0]
    return {customer: set(listed(found.get(customer, {}))) for customer in buyers}


def next_scores(lists: dict[Any, set[Any]], method: str, least: int) -> dict[Any, dict[Any, float]]:
    """The score of each category that a customer does not have."""
    n: dict[Any, int] = defaultdict(int)
    for own in lists.values():
        for value in own:
            n[value] += 1
    frequent = {value for value, count in n.items() if count >= least}
    both = {(a, c): sum(a in own and c in own for own in lists.values()) for a in frequent for c in frequent}
    scores: dict[Any, dict[Any, float]] = {}
    for customer, own in lists.items():
        known = sorted(own & frequent)
        scores[customer] = {}
        for value in frequent - own:
            if not own or method == "popularity":
                score: float = n[value]
            elif method == "cosine":
                score = sum(both[a, value] / math.sqrt(n[a] * n[value]) for a in known)
            else:
                score = sum(both[a, value] / n[a] for a in known) / max(len(known), 1)
            scores[customer][value] = score
    return scores
