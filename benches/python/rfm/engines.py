"""The query engines: Polars, DuckDB, DataFusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from benches.harness import Work
from benches.python.rfm.case import PROBABILITIES, VALUES, RfmCase, load

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def prepare_polars(case: RfmCase, path: Path, engine: Literal["in-memory", "streaming"] = "in-memory") -> Work:
    import polars as pl

    frame = pl.DataFrame(load(path)) if case.source == "memory" else None

    def above(value: str, edges: Any) -> pl.Expr:
        """Count the edges below a value."""
        return pl.sum_horizontal((pl.col(value) > edge).cast(pl.UInt8) for edge in edges).cast(pl.UInt8)

    def scores(recency: Any, orders: Any, money: Any) -> list[pl.Expr]:
        return [
            (5 - above("recency_days", recency)).alias("r_score"),
            (1 + above("n_orders", orders)).alias("f_score"),
            (1 + above("monetary_total", money)).alias("m_score"),
        ]

    def run() -> Any:
        rows = pl.scan_parquet(path) if frame is None else frame.lazy()
        if case.order_id:
            orders = rows.group_by("customer_id", "order_id")
            rows = orders.agg(pl.col("timestamp").min(), pl.col("amount").sum())
        day = pl.col("timestamp").dt.date()
        found = (
            rows.group_by("customer_id")
            .agg(pl.col("timestamp").max(), pl.len().alias("n_orders"), pl.col("amount").sum().alias("monetary_total"))
            .with_columns((day.max() - day).dt.total_days().alias("recency_days"))
        )
        if engine == "in-memory":
            edges = [[pl.col(value).quantile(p, "linear") for p in PROBABILITIES] for value in VALUES.values()]
            found = found.with_columns(scores(*edges))
        else:  # the streaming engine is faster in two steps
            customers = found.collect(engine=engine)
            lists = customers.select(pl.col(value).quantile(PROBABILITIES, "linear") for value in VALUES.values())
            found = customers.lazy().with_columns(scores(*lists.row(0)))
        return (found.sort("customer_id") if case.sort else found).collect(engine=engine)

    return Work(run, lambda found: found.to_arrow())


def prepare_polars_streaming(case: RfmCase, path: Path) -> Work:
    return prepare_polars(case, path, engine="streaming")


def _lines_to_orders(case: RfmCase, rows: str) -> str:
    """SQL that aggregates lines to orders; the rows themselves if they are orders."""
    if not case.order_id:
        return rows
    return (
        f'(SELECT customer_id, min("timestamp") AS "timestamp", sum(amount) AS amount FROM {rows} '  # noqa: S608
        "GROUP BY customer_id, order_id)"
    )


def prepare_duckdb(case: RfmCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads, "preserve_insertion_order": False})
    rows = f"read_parquet('{path}')"
    if case.source == "memory":
        connection.register("purchases", load(path))
        rows = "purchases"
    probabilities = str(PROBABILITIES)

    def above(value: str, edges: str) -> str:
        return " + ".join(f"({value} > {edges}[{i}])::UTINYINT" for i in range(1, len(PROBABILITIES) + 1))

    query = f"""
        WITH customers AS (
            SELECT customer_id, max("timestamp")::DATE AS last_date, count(*) AS n_orders, sum(amount) AS monetary_total
            FROM {_lines_to_orders(case, rows)} GROUP BY customer_id
        ), valued AS (
            SELECT *, (SELECT max(last_date) FROM customers) - last_date AS recency_days FROM customers
        ), edges AS (
            SELECT quantile_cont(recency_days, {probabilities}) AS r, quantile_cont(n_orders, {probabilities}) AS f,
                   quantile_cont(monetary_total, {probabilities}) AS m
            FROM valued
        )
        SELECT customer_id, recency_days, n_orders, monetary_total,
               (5 - ({above("recency_days", "r")}))::UTINYINT AS r_score,
               (1 + {above("n_orders", "f")})::UTINYINT AS f_score,
               (1 + {above("monetary_total", "m")})::UTINYINT AS m_score
        FROM valued, edges {"ORDER BY customer_id" if case.sort else ""}
    """  # noqa: S608 (built from constants)
    return Work(lambda: connection.sql(query).to_arrow_table(), lambda found: found)


def prepare_datafusion(case: RfmCase, path: Path) -> Work:
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(case.threads))
    if case.source == "parquet":
        context.register_parquet("purchases", str(path))
    else:
        batches = load(path).to_batches()
        shares = [batches[i :: case.threads] for i in range(case.threads)]
        context.register_record_batches("purchases", [share for share in shares if share])

    def above(value: str, edges: list[float]) -> str:
        return " + ".join(f"({value} > CAST({edge!r} AS DOUBLE))::TINYINT" for edge in edges)

    group = f"""
        SELECT customer_id, arrow_cast(arrow_cast(max("timestamp"), 'Date32'), 'Int32') AS last_day,
               count(*) AS n_orders, sum(amount) AS monetary_total
        FROM {_lines_to_orders(case, "purchases")} GROUP BY customer_id
    """  # noqa: S608

    def percentiles(value: str, name: str) -> str:
        return ", ".join(f"percentile_cont({value}, {p}) AS {name}{i}" for i, p in enumerate(PROBABILITIES))

    def run() -> pa.Table:
        context.register_view("customers", context.sql(group).cache())
        last = context.sql("SELECT max(last_day) AS last_day FROM customers").to_pylist()[0]["last_day"]
        recency = f"({last} - last_day)"
        values = {"r": recency, "f": "n_orders", "m": "monetary_total"}
        wanted = ", ".join(percentiles(f"CAST({value} AS DOUBLE)", name) for name, value in values.items())
        found = context.sql(f"SELECT {wanted} FROM customers").to_pylist()[0]  # noqa: S608
        edges = {name: [found[f"{name}{i}"] for i in range(len(PROBABILITIES))] for name in values}
        result = context.sql(f"""
            SELECT customer_id, {recency} AS recency_days, n_orders, monetary_total,
                   5 - ({above(recency, edges["r"])}) AS r_score, 1 + {above("n_orders", edges["f"])} AS f_score,
                   1 + {above("monetary_total", edges["m"])} AS m_score
            FROM customers {"ORDER BY customer_id" if case.sort else ""}
        """).to_arrow_table()  # noqa: S608
        context.deregister_table("customers")
        return result

    return Work(run, lambda found: found)
