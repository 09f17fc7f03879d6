"""The query engines: Polars and DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from benches.harness import Work
from benches.python.rfm.case import load

if TYPE_CHECKING:
    from pathlib import Path

    from benches.python.measures.case import MeasuresCase


def prepare_polars(case: MeasuresCase, path: Path, engine: Literal["in-memory", "streaming"] = "in-memory") -> Work:
    import polars as pl

    frame = pl.DataFrame(load(path))
    month = (pl.col("timestamp").dt.year() * 12 + pl.col("timestamp").dt.month().cast(pl.Int32) - 1).alias("month")
    previous = pl.when(pl.col("customer_id") == pl.col("customer_id").shift()).then(pl.col("month").shift())
    before = pl.col("before")

    def run() -> Any:
        rows = frame.lazy()
        if case.order_id:
            rows = rows.group_by("customer_id", "order_id").agg(
                pl.col("timestamp").min(), pl.col("amount").sum(), pl.len().alias("rows")
            )
        else:
            rows = rows.with_columns(pl.lit(1, pl.UInt32).alias("rows"))
        monthly = (
            rows.group_by("customer_id", month)
            .agg(pl.len().alias("orders"), pl.col("rows").sum(), pl.col("amount").sum())
            .sort("customer_id", "month")
            .with_columns(previous.alias("before"))
        )
        found = monthly.group_by("month").agg(
            pl.len().alias("active"),
            before.is_null().sum().alias("new"),
            (before == pl.col("month") - 1).sum().alias("retained"),
            (before < pl.col("month") - 1).sum().alias("reactivated"),
            pl.col("orders").sum(),
            pl.col("rows").sum(),
            (pl.col("orders") >= 2).sum().alias("repeat_customers"),
            pl.col("amount").sum().alias("revenue"),
        )
        return found.collect(engine=engine)

    return Work(run, lambda found: found.to_arrow())


def prepare_polars_streaming(case: MeasuresCase, path: Path) -> Work:
    return prepare_polars(case, path, engine="streaming")


SQL = """
    WITH monthly AS (
        SELECT customer_id, 12 * year("timestamp") + month("timestamp") - 1 AS month,
            count(*) AS orders, sum(rows) AS rows, sum(amount) AS revenue
        FROM orders GROUP BY 1, 2
    ), placed AS (
        SELECT *, lag(month) OVER (PARTITION BY customer_id ORDER BY month) AS before FROM monthly
    )
    SELECT month, count(*) AS active,
        count(*) FILTER (before IS NULL) AS new,
        count(*) FILTER (before = month - 1) AS retained,
        count(*) FILTER (before < month - 1) AS reactivated,
        sum(orders)::BIGINT AS orders, sum(rows)::BIGINT AS rows,
        count(*) FILTER (orders >= 2) AS repeat_customers,
        sum(revenue) AS revenue
    FROM placed GROUP BY 1
"""
ORDERS = """
    CREATE VIEW orders AS SELECT customer_id, min("timestamp") AS "timestamp", sum(amount) AS amount, count(*) AS rows
    FROM purchases GROUP BY customer_id, order_id
"""
ROWS = 'CREATE VIEW orders AS SELECT customer_id, "timestamp", amount, 1 AS rows FROM purchases'


def prepare_duckdb(case: MeasuresCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads, "preserve_insertion_order": False})
    connection.register("purchases", load(path))
    connection.execute((ORDERS if case.order_id else ROWS).replace("CREATE VIEW", "CREATE TEMP VIEW"))
    return Work(lambda: connection.sql(SQL).to_arrow_table(), lambda found: found)
