"""The contenders of the ABC bench.

All sum the money of each customer, sort by it, and compute ranks, cumulative shares and classes. custcore also checks
for nulls, sums money exactly, and reports negative totals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from benches.harness import Contender, UnequalError, Work
from benches.python.rfm.case import RfmCase, RfmInput, load

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 1e-9
ENDS = (0.80, 0.95)
RESULT = ("customer_id", "monetary_total", "rank", "cumulative_share", "value_class")


def prepare_custcore(case: RfmCase, path: Path) -> Work:
    import custcore

    table = load(path)
    order_id = "order_id" if case.order_id else None
    return Work(lambda: custcore.abc(table, order_id=order_id, n_threads=case.threads), pa.table)


def prepare_polars(case: RfmCase, path: Path, engine: Literal["in-memory", "streaming"] = "streaming") -> Work:
    """Orders need not be put together: sums of lines are sums of orders."""
    import polars as pl

    assert case.source == "memory"
    frame = pl.DataFrame(load(path))
    money = pl.col("monetary_total")

    def run() -> Any:
        before = pl.col("cumulative_share").shift(1, fill_value=0.0)
        query = (
            frame.lazy()
            .group_by("customer_id")
            .agg(pl.col("amount").sum().round(2).alias("monetary_total"))
            .sort([money, pl.col("customer_id")], descending=[True, False])
            .with_columns(
                pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"),
                (money.clip(0).cum_sum() / money.clip(0).sum()).alias("cumulative_share"),
            )
            .with_columns(
                pl.when(before < ENDS[0])
                .then(pl.lit("A"))
                .when(before < ENDS[1])
                .then(pl.lit("B"))
                .otherwise(pl.lit("C"))
                .alias("value_class")
            )
        )
        return query.collect(engine=engine)

    return Work(run, lambda found: found.to_arrow())


def prepare_polars_in_memory(case: RfmCase, path: Path) -> Work:
    return prepare_polars(case, path, "in-memory")


def prepare_duckdb(case: RfmCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads})
    connection.register("purchases", load(path))
    query = f"""
        WITH customers AS (
            SELECT customer_id, round(sum(amount), 2) AS monetary_total, greatest(monetary_total, 0) AS value
            FROM purchases GROUP BY customer_id
        ), ranked AS (
            SELECT *, row_number() OVER best AS rank,
                   sum(value) OVER best / (SELECT sum(value) FROM customers) AS cumulative_share,
                   value / (SELECT sum(value) FROM customers) AS own
            FROM customers
            WINDOW best AS (ORDER BY monetary_total DESC, customer_id ROWS UNBOUNDED PRECEDING)
        )
        SELECT customer_id, monetary_total, rank, cumulative_share,
               CASE WHEN cumulative_share - own < {ENDS[0]} THEN 'A' WHEN cumulative_share - own < {ENDS[1]} THEN 'B'
                    ELSE 'C' END AS value_class
        FROM ranked ORDER BY rank
    """  # noqa: S608 (built from constants)
    return Work(lambda: connection.sql(query).to_arrow_table(), lambda found: found)


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "custcore.abc"),
    "polars-streaming": Contender(prepare_polars, "polars", "one lazy query, engine streaming", needed=4),
    "polars": Contender(prepare_polars_in_memory, "polars", "the same, engine in-memory", needed=4),
    "duckdb": Contender(prepare_duckdb, "duckdb", "one query with a window, on the Arrow table; result to Arrow"),
}


class AbcBench(RfmInput):
    """Value classes."""

    name = "abc"
    contenders = CONTENDERS

    def compare(self, case: RfmCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:  # noqa: ARG002
        """Ids, money and ranks are equal; shares within 1e-9; classes except where a share is within 1e-9 of an end."""
        ours, theirs = expected.select(RESULT), found.select(RESULT)
        if theirs.num_rows != ours.num_rows:
            raise UnequalError(f"{theirs.num_rows} customers instead of {ours.num_rows}")
        for column in ("customer_id", "rank"):
            a, b = ours[column], theirs[column]
            b = b.cast(a.type)
            if not b.combine_chunks().equals(a.combine_chunks()):
                raise UnequalError(f"{column} differs")
        for column in ("monetary_total", "cumulative_share"):
            a, b = ours[column].to_numpy(), theirs[column].to_numpy()
            if not np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE):
                raise UnequalError(f"{column} by up to {np.abs(a - b).max()}")
        letters = [table["value_class"].cast(pa.string()).to_numpy() for table in (ours, theirs)]
        differ = np.flatnonzero(letters[0] != letters[1])
        share = ours["cumulative_share"].to_numpy()
        before = np.concatenate([[0.0], share[:-1]])[differ]
        if len(differ) and (np.abs(before[:, None] - np.array(ENDS)).min(axis=1) > TOLERANCE).any():
            raise UnequalError(f"value_class for {len(differ)} of {ours.num_rows} customers")
        return {"value_class": len(differ)} if len(differ) else {}


BENCH = AbcBench()
