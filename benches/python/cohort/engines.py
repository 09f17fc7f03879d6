"""The query engines: Polars, DuckDB, DataFusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from benches.harness import Work
from benches.python.rfm.case import load

if TYPE_CHECKING:
    from pathlib import Path

    from benches.python.cohort.case import CohortCase


def prepare_polars(_case: CohortCase, path: Path, engine: Literal["in-memory", "streaming"] = "in-memory") -> Work:
    import polars as pl

    frame = pl.DataFrame(load(path))
    month = pl.col("timestamp").dt.year() * 12 + pl.col("timestamp").dt.month().cast(pl.Int32) - 1

    def run() -> Any:
        monthly = (
            frame.lazy()
            .group_by("customer_id", month.alias("month"))
            .agg(pl.col("amount").sum())
            .with_columns(pl.col("month").min().over("customer_id").alias("cohort"))
        )
        cells = monthly.group_by("cohort", (pl.col("month") - pl.col("cohort")).alias("k")).agg(
            pl.len().alias("customers"), pl.col("amount").sum().alias("revenue")
        )
        return cells.collect(engine=engine)

    return Work(run, lambda found: found.to_arrow())


def prepare_polars_streaming(case: CohortCase, path: Path) -> Work:
    return prepare_polars(case, path, engine="streaming")


# Group by customer and month, then the first month by a window, then cells: the fastest of the variants tried.
SQL = """
    WITH monthly AS (
        SELECT customer_id, {month} AS month, sum(amount) AS revenue FROM purchases GROUP BY 1, 2
    ), placed AS (
        SELECT month, revenue, min(month) OVER (PARTITION BY customer_id) AS cohort FROM monthly
    )
    SELECT cohort, month - cohort AS k, count(*) AS customers, sum(revenue) AS revenue FROM placed GROUP BY 1, 2
"""


def prepare_duckdb(case: CohortCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads, "preserve_insertion_order": False})
    connection.register("purchases", load(path))
    query = SQL.format(month='12 * year("timestamp") + month("timestamp") - 1')
    return Work(lambda: connection.sql(query).to_arrow_table(), lambda found: found)


def prepare_datafusion(case: CohortCase, path: Path) -> Work:
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(case.threads))
    batches = load(path).to_batches()
    shares = [batches[i :: case.threads] for i in range(case.threads)]
    context.register_record_batches("purchases", [share for share in shares if share])
    part = "CAST(date_part('{}', \"timestamp\") AS BIGINT)"
    query = SQL.format(month=f"12 * {part.format('year')} + {part.format('month')} - 1")
    return Work(lambda: context.sql(query).to_arrow_table(), lambda found: found)
