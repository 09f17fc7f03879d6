"""The contenders of the bench of experiments.

All compute the effect of two groups on four metrics (revenue, orders, active, average order value), adjusted by the
window before, and its standard error. The peers take plain sums of floats in one pass and share the formulas
(``moments.py``), as tea-tasting does on these engines. custcore's sums are exact, and it also has intervals, p-values,
relative effects and checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benches.harness import Contender, Work
from benches.python.experiments.case import (
    GROUPS,
    METRICS,
    RESULT,
    WINDOW,
    ExperimentCase,
    ExperimentInput,
    experiment,
    exposure,
)
from benches.python.experiments.moments import COLUMNS, PAIRS, effects
from benches.python.rfm.case import load

if TYPE_CHECKING:
    from pathlib import Path


def prepare_custcore(case: ExperimentCase, path: Path) -> Work:
    import custcore

    pa.set_cpu_count(case.threads)
    table = load(path)

    def read(found: Any) -> pa.Table:
        rows = pa.table(found.table())
        return rows.select(RESULT)

    if case.task == "table":
        return Work(lambda: custcore.effect_of(table, METRICS, adjust="own", n_threads=case.threads), read)
    groups = experiment(np.unique(table["customer_id"].to_numpy()))
    options: dict[str, Any] = {"start": exposure().item(), "days_after": WINDOW, "adjust": "own"}
    return Work(lambda: custcore.effect(table, groups, **options, n_threads=case.threads), read)


def prepare_numpy(case: ExperimentCase, path: Path) -> Work:
    table = load(path)
    if case.task == "table":
        columns = {name: table[name].to_numpy() for name in table.column_names if name != "group"}
        groups = pa.chunked_array([chunk.indices for chunk in table["group"].chunks]).to_numpy()
        return Work(lambda: _numpy(columns, groups), lambda found: found)
    ids = table["customer_id"].to_numpy()
    days = table["timestamp"].to_numpy().astype("datetime64[D]")
    amounts = table["amount"].to_numpy()
    groups = experiment(np.arange(ids.max() + 1))["group"].combine_chunks().indices.to_numpy()
    known = np.zeros(len(groups), dtype=bool)
    known[ids] = True

    def run() -> pa.Table:
        columns, offset = {}, (days - exposure()).astype(np.int64)
        for name, wanted in (
            ("after", (offset >= 0) & (offset < WINDOW)),
            ("before", (offset < 0) & (offset >= -WINDOW)),
        ):
            own = ids[wanted]
            columns[f"orders_{name}"] = np.bincount(own, minlength=len(groups))[known]
            columns[f"revenue_{name}"] = np.bincount(own, weights=amounts[wanted], minlength=len(groups))[known]
        return _numpy(columns, groups[known])

    return Work(run, lambda found: found)


def _numpy(columns: dict[str, np.ndarray], groups: np.ndarray) -> pa.Table:
    n, sums = np.empty(len(GROUPS)), np.empty((len(GROUPS), len(COLUMNS)))
    products = np.empty((len(GROUPS), len(PAIRS)))
    for group in range(len(GROUPS)):
        wanted = groups == group
        own = {name: column[wanted].astype(float) for name, column in columns.items() if name.split("_")[0] != "n"}
        own |= {f"active_{when}": (own[f"orders_{when}"] > 0).astype(float) for when in ("before", "after")}
        values = [own[name] for name in COLUMNS]
        n[group], sums[group] = wanted.sum(), [value.sum() for value in values]
        products[group] = [values[a] @ values[b] for a, b in PAIRS]
    return effects(n, sums, products)


def prepare_polars(case: ExperimentCase, path: Path) -> Work:
    import polars as pl

    frame = pl.from_arrow(load(path)).lazy()  # type: ignore[union-attr]
    customers = (
        frame.with_columns(pl.col("group").cast(pl.String)) if case.task == "table" else _polars_windows(pl, frame)
    )
    active = [(pl.col(f"orders_{when}") > 0).cast(pl.Float64).alias(f"active_{when}") for when in ("before", "after")]
    whole = customers.with_columns(active).with_columns(pl.col(COLUMNS).cast(pl.Float64))
    query = whole.group_by("group").agg(
        pl.len().alias("n"),
        *(pl.col(name).sum().alias(f"s{at}") for at, name in enumerate(COLUMNS)),
        *((pl.col(COLUMNS[a]) * pl.col(COLUMNS[b])).sum().alias(f"p{at}") for at, (a, b) in enumerate(PAIRS)),
    )

    def run() -> pa.Table:
        return _of_rows(query.collect(engine="streaming").to_arrow())

    return Work(run, lambda found: found)


def _polars_windows(pl: Any, frame: Any) -> Any:
    day, start = pl.col("timestamp").cast(pl.Date), pl.lit(exposure().item())
    offset = (day - start).dt.total_days()
    windows = {"after": (offset >= 0) & (offset < WINDOW), "before": (offset < 0) & (offset >= -WINDOW)}
    per_customer = frame.group_by("customer_id").agg(
        *(window.sum().alias(f"orders_{name}") for name, window in windows.items()),
        *(pl.col("amount").filter(window).sum().alias(f"revenue_{name}") for name, window in windows.items()),
    )
    ids = frame.select("customer_id").unique().collect(engine="streaming")["customer_id"].sort().to_numpy()
    groups = pl.from_arrow(experiment(ids)).with_columns(pl.col("group").cast(pl.String)).lazy()
    return groups.join(per_customer, on="customer_id", how="left").fill_null(0)


def prepare_duckdb(case: ExperimentCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads})
    rows = load(path)
    connection.register("rows", rows)
    source = "rows"
    if case.task == "transactions":
        connection.register("groups", experiment(np.unique(rows["customer_id"].to_numpy())))
        day = f"date_diff('day', DATE '{exposure()}', timestamp::DATE)"
        windows = {"after": f"{day} BETWEEN 0 AND {WINDOW - 1}", "before": f"{day} BETWEEN {-WINDOW} AND -1"}
        made = ", ".join(
            f"count(*) FILTER ({window}) AS orders_{name}, coalesce(sum(amount) FILTER ({window}), 0) AS revenue_{name}"
            for name, window in windows.items()
        )
        by_customer = f"SELECT customer_id, {made} FROM rows GROUP BY 1"  # noqa: S608 (constants)
        source = f"groups LEFT JOIN ({by_customer}) USING (customer_id)"
    active = ", ".join(f"(orders_{when} > 0)::DOUBLE AS active_{when}" for when in ("before", "after"))
    names = ", ".join(f"{name}::DOUBLE AS {name}" for name in COLUMNS if not name.startswith("active"))
    sums = ", ".join(f"sum({name}) AS s{at}" for at, name in enumerate(COLUMNS))
    products = ", ".join(f"sum({COLUMNS[a]} * {COLUMNS[b]}) AS p{at}" for at, (a, b) in enumerate(PAIRS))
    query = (
        f'SELECT "group"::VARCHAR AS "group", count(*) AS n, {sums}, {products} '  # noqa: S608 (constants)
        f'FROM (SELECT "group", {names}, {active} FROM {source}) GROUP BY 1'
    )
    return Work(lambda: _of_rows(connection.sql(query).to_arrow_table()), lambda found: found)


def _of_rows(rows: pa.Table) -> pa.Table:
    order = [rows["group"].cast(pa.string()).to_pylist().index(name) for name in GROUPS]
    column = lambda name: rows[name].cast(pa.float64()).to_numpy()[order]  # noqa: E731
    sums = np.stack([column(f"s{at}") for at in range(len(COLUMNS))], 1)
    products = np.stack([column(f"p{at}") for at in range(len(PAIRS))], 1)
    return effects(column("n"), sums, products)


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "effect_of, or effect in one call"),
    "numpy": Contender(
        prepare_numpy,
        "numpy",
        "boolean masks and dot products by group; windows by bincount",
        needed=6,
        refuses=lambda case: None if case.ids == "dense" else "its recipe takes integer ids of a narrow range only",
    ),
    "polars-streaming": Contender(
        prepare_polars, "polars", "sums of products in one query, engine streaming", needed=6
    ),
    "duckdb": Contender(prepare_duckdb, "duckdb", "sums of products in one query", needed=6),
}


class ExperimentBench(ExperimentInput):
    """The bench of experiments."""

    contenders = CONTENDERS


BENCH = ExperimentBench()
