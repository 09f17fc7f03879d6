"""The contenders of the RFM bench, each with the fastest known implementation.

All group by customer (last time, number of orders, sum of money) and compute days since the last purchase, the type-7
quantile edges of the three values, and the scores 1 to 5. With ``order_id``, lines are first aggregated to orders:
their earliest time and the sum of their money. custcore also checks for nulls and sums money exactly. It is asked
twice: for the columns that the others compute, and for its whole table, with first day, tenure, mean, cells, segments.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benches.data import DAY, GAPS
from benches.harness import Contender, Work
from benches.python.rfm.case import PROBABILITIES, VALUES, RfmCase, RfmInput, load
from benches.python.rfm.engines import prepare_datafusion, prepare_duckdb, prepare_polars, prepare_polars_streaming

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NARROW = (*GAPS, "gaps")


def set_threads(case: RfmCase) -> None:
    """Set the number of threads of pyarrow."""
    pa.set_cpu_count(case.threads)
    pa.set_io_thread_count(case.threads)


def prepare_custcore(case: RfmCase, path: Path, *, whole: bool = False) -> Work:
    import custcore

    wanted: dict[str, Any] = {}
    # Builds of before this option compute the whole table in any case; `benches/builds.py` compares with them.
    if not whole and "columns" in inspect.signature(custcore.rfm_scores).parameters:
        wanted = {"columns": [*VALUES.values(), *VALUES]}
    set_threads(case)
    table = load(path) if case.source == "memory" else None

    def run() -> Any:
        data = custcore.read(path) if table is None else table
        order_id = "order_id" if case.order_id else None
        return custcore.rfm_scores(data, order_id=order_id, sort=case.sort, n_threads=case.threads, **wanted)

    return Work(run, pa.table)


def prepare_custcore_whole(case: RfmCase, path: Path) -> Work:
    return prepare_custcore(case, path, whole=True)


def _numpy_score(values: np.ndarray, *, reverse: bool = False) -> np.ndarray:
    """Score by counting the edges below each value."""
    scores = np.zeros(len(values), dtype=np.uint8)
    for edge in np.quantile(values, PROBABILITIES):
        scores += values > edge
    return 5 - scores if reverse else scores + 1


def prepare_pandas(case: RfmCase, path: Path) -> Work:
    import pandas as pd

    set_threads(case)
    frame = load(path).to_pandas() if case.source == "memory" else None

    def run() -> Any:
        rows = pd.read_parquet(path, columns=case.columns) if frame is None else frame
        if case.order_id:
            orders = rows.groupby(["customer_id", "order_id"], observed=True, sort=False)
            rows = orders.agg(timestamp=("timestamp", "min"), amount=("amount", "sum")).reset_index("customer_id")
        # Categories that do not ascend would be sorted by their order: the ids themselves are, of the customers alone.
        late = case.sort and case.ids == "dictionaries"
        found = rows.groupby("customer_id", observed=True, sort=case.sort and not late).agg(
            last=("timestamp", "max"), n_orders=("amount", "size"), monetary_total=("amount", "sum")
        )
        if late:
            found = found.set_axis(found.index.astype("str")).rename_axis("customer_id").sort_index()
        day = found["last"].dt.normalize()
        found["recency_days"] = (day.max() - day).dt.days
        found["r_score"] = _numpy_score(found["recency_days"].to_numpy(), reverse=True)
        found["f_score"] = _numpy_score(found["n_orders"].to_numpy())
        found["m_score"] = _numpy_score(found["monetary_total"].to_numpy())
        return found

    return Work(run, lambda found: pa.Table.from_pandas(found.reset_index(), preserve_index=False))


def prepare_pyarrow(case: RfmCase, path: Path) -> Work:
    set_threads(case)
    table = load(path) if case.source == "memory" else None
    threads = case.threads > 1

    def score(values: pa.ChunkedArray, *, reverse: bool = False) -> pa.ChunkedArray:
        above = None
        for edge in pc.quantile(values, PROBABILITIES):
            this = pc.cast(pc.greater(values, edge), pa.uint8())
            above = this if above is None else pc.add(above, this)
        return pc.subtract(pa.scalar(5, pa.uint8()), above) if reverse else pc.add(above, pa.scalar(1, pa.uint8()))

    def run() -> pa.Table:
        rows = pq.read_table(path, columns=case.columns, use_threads=threads) if table is None else table
        if case.order_id:
            orders = rows.group_by(["customer_id", "order_id"], use_threads=threads)
            rows = orders.aggregate([("timestamp", "min"), ("amount", "sum")])
            rows = rows.rename_columns({"timestamp_min": "timestamp", "amount_sum": "amount"})
        customers = rows.group_by("customer_id", use_threads=threads)
        found = customers.aggregate([("timestamp", "max"), ([], "count_all"), ("amount", "sum")])
        day = pc.cast(pc.cast(found["timestamp_max"], pa.date32(), safe=False), pa.int32())
        values = [pc.subtract(pc.max(day), day), found["count_all"], found["amount_sum"]]
        scores = [score(values[0], reverse=True), score(values[1]), score(values[2])]
        ids = found["customer_id"]
        if pa.types.is_dictionary(ids.type):  # which it cannot sort by
            ids = ids.cast(ids.type.value_type)
        result = pa.table([ids, *values, *scores], ["customer_id", *VALUES.values(), *VALUES])
        return result.sort_by("customer_id") if case.sort else result

    return Work(run, lambda found: found)


def prepare_numpy(case: RfmCase, path: Path) -> Work:
    names = case.columns

    def arrays(table: pa.Table) -> list[np.ndarray]:
        found = [table[name].to_numpy() for name in names]
        found[1] = found[1].view(np.int64)
        return found

    set_threads(case)
    at_hand = arrays(load(path)) if case.source == "memory" else None

    def extreme(update: Callable[..., None], codes: np.ndarray, values: np.ndarray, n: int, start: int) -> np.ndarray:
        found = np.full(n, start, dtype=np.int64)
        update(found, codes, values)
        return found

    def run() -> pa.Table:
        columns = (
            arrays(pq.read_table(path, columns=names, use_threads=case.threads > 1)) if at_hand is None else at_hand
        )
        ids, time, amount = columns[:3]
        least = ids.min()
        code = ids - least
        if case.order_id:
            order = columns[3] - columns[3].min()
            n = int(order.max()) + 1
            customer = np.empty(n, dtype=np.int64)
            customer[order] = code
            time = extreme(np.minimum.at, order, time, n, np.iinfo(np.int64).max)
            amount = np.bincount(order, weights=amount, minlength=n)
            code = customer
        n = int(code.max()) + 1
        n_orders = np.bincount(code, minlength=n)
        monetary = np.bincount(code, weights=amount, minlength=n)
        day = extreme(np.maximum.at, code, time, n, np.iinfo(np.int64).min) // DAY
        recency = day.max() - day
        customers = np.arange(least, least + n)
        if case.ids != "dense":  # ids that did not occur
            seen = n_orders > 0
            customers, recency, n_orders, monetary = (x[seen] for x in (customers, recency, n_orders, monetary))
        scores = [_numpy_score(recency, reverse=True), _numpy_score(n_orders), _numpy_score(monetary)]
        return [customers, recency, n_orders, monetary, *scores]

    return Work(run, lambda found: pa.table(found, ["customer_id", *VALUES.values(), *VALUES]))


def _narrow_only(case: RfmCase) -> str | None:
    return None if case.ids in NARROW else "its recipe takes integer ids of a narrow range only"


CONTENDERS = {
    "custcore": Contender(
        prepare_custcore,
        "custcore",
        "rfm_scores, the columns that the others compute; from Parquet by custcore.read",
    ),
    "custcore-whole": Contender(prepare_custcore_whole, "custcore", "the same, its whole table"),
    "pandas": Contender(prepare_pandas, "pandas", "groupby.agg, numpy's quantile and comparisons", needed=4),
    "polars": Contender(prepare_polars, "polars", "one lazy query, engine in-memory", needed=4),
    "polars-streaming": Contender(
        prepare_polars_streaming, "polars", "group_by with engine streaming, then edges, then scores", needed=4
    ),
    "duckdb": Contender(prepare_duckdb, "duckdb", "one query, on the Arrow table or read_parquet; result to Arrow"),
    "datafusion": Contender(
        prepare_datafusion, "datafusion", "GROUP BY kept in memory, then edges, then scores; one partition a thread"
    ),
    "pyarrow": Contender(prepare_pyarrow, "pyarrow", "Table.group_by, pc.quantile, comparisons"),
    "numpy": Contender(
        prepare_numpy,
        "numpy",
        "ids less the least as codes; bincount and maximum.at; takes every id in the range for a customer, and an "
        "order for one customer's",
        refuses=_narrow_only,
    ),
}


class RfmBench(RfmInput):
    """RFM scores."""

    contenders = CONTENDERS


BENCH = RfmBench()
