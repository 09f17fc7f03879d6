"""The small tables that many tests share, and the way from a table to the oracle's rows."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from tests.reference import FLOAT, Money, rfm_reference

START = date(2023, 11, 20)


def transactions(n: int = 90, *, customers: int = 12, seed: int = 7, nulls: bool = True) -> pa.Table:
    """Whole amounts (every money type holds them), refunds, ties, zeros; nulls in each column if wanted."""
    rng = random.Random(seed)
    rows = [
        (
            None if nulls and rng.random() < 0.08 else rng.randrange(customers),
            None if nulls and rng.random() < 0.06 else START + timedelta(days=rng.randrange(70)),
            None if nulls and rng.random() < 0.07 else rng.choice([0, 1, 5, 5, 20, 99, -5, -20]),
        )
        for _ in range(n)
    ]
    ids, days, amounts = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": pa.array([None if i is None else f"c{i:02d}" for i in ids]),
            "timestamp": pa.array(days, pa.date32()),
            "amount": pa.array(amounts, pa.float64()),
        }
    )


def replace(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with one column exchanged."""
    return table.set_column(table.column_names.index(name), name, values)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows as the oracle reads them."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def one_customer(amounts: list[Any], *, type: pa.DataType | None = None, **columns: Any) -> pa.Table:  # noqa: A002
    """Purchases of customer "a", a day apart from 2024-01-01 on; `columns` exchange or add some."""
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(len(amounts))]
    table = {"customer_id": ["a"] * len(amounts), "timestamp": days, "amount": pa.array(amounts, type)}
    return pa.table(table | columns)


def check_against_reference(found: Any, rows: list[tuple[Any, ...]], *, money: Money = FLOAT, **options: Any) -> None:
    """A `custcore.rfm` table, its report and its as_of equal the oracle's, bit by bit."""
    expected = rfm_reference(rows, money=money, **options)
    table = found.to_pyarrow()
    assert table.to_pylist() == expected.rows
    if expected.rows:
        assert table.column_names == list(expected.rows[0])
    assert found.report.as_of == expected.as_of
    silent = options.get("returns") == "exclude" or not options.get("zero_is_purchase", True)
    has_orders = any(len(row) > 3 for row in rows)
    for name, entry in expected.report.items():
        if name == "null_order_id" and not has_orders:
            continue
        line = found.report[name]
        total = money.total(entry.units)
        assert (line.sum, type(line.sum)) == (total, type(total)), name
        if name == "refund_only_customers" and silent:
            continue  # whether a customer without purchases and without refunds left is one of them is not defined
        assert (line.count, line.first_row) == (entry.count, entry.first_row), name
