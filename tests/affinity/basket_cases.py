"""Small transactions for tests of baskets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

import custcore

START = dt.date(2026, 1, 1)
# Customer, order, day, item, amount.
ROW = st.tuples(
    st.sampled_from([1, 2, 3, 4, None]),
    st.sampled_from([1, 2, 3, None]),
    st.sampled_from([0, 0, 1, 5, None]),
    st.sampled_from([1, 2, 3, 4, 5, 6, 7, 11, None]),
    st.sampled_from([100, 250, 0, 70, -100]),
)
ROWS = st.lists(ROW, max_size=60)
ITEM_TYPES = ("int64", "int8", "uint64", "string", "dictionary", "float64", "date32", "binary")


def item_column(items: list[int | None], kind: str) -> pa.Array:
    """Items as another type, whose order is that of the numbers (all of one or two digits)."""
    if kind == "dictionary":
        return pa.array(
            [None if item is None else f"item {item:02}" for item in items], pa.string()
        ).dictionary_encode()
    if kind in {"string", "binary"}:
        texts = [None if item is None else f"item {item:02}" for item in items]
        return pa.array(texts, pa.string()).cast(pa.type_for_alias(kind))
    return pa.array(items, pa.int32() if kind == "date32" else pa.int64()).cast(pa.type_for_alias(kind))


def table(rows: Iterable[tuple[Any, ...]], kind: str = "int64") -> pa.Table:
    listed = list(rows)
    days = [None if row[2] is None else START + dt.timedelta(days=row[2]) for row in listed]
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in listed], pa.int64()),
            "order": pa.array([row[1] for row in listed], pa.int64()),
            "timestamp": pa.array(days, pa.date32()),
            "item": item_column([row[3] for row in listed], kind),
            "amount": pa.array([row[4] for row in listed], pa.int64()),
        }
    )


def baskets(rows: Iterable[tuple[Any, ...]], basket: str = "order", **options: Any) -> custcore.Baskets:
    given: dict[str, Any] = {"order_id": "order", "amount": "amount", **options}
    kind = given.pop("kind", "int64")
    found = custcore.Baskets("item", basket, **given)  # type: ignore[arg-type]
    found.update(table(rows, kind))
    return found
