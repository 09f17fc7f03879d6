"""The contenders of the cohort bench, each with the fastest known implementation.

All compute the month of each customer's first purchase, then, by that month and the number of months since, the
distinct customers and the sum of money. custcore also computes the rest of its table (orders, intervals, completeness),
checks for nulls and sums money exactly. With RFM, variants of custcore are compared: both in one scan, RFM alone, and
one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benches.harness import Contender, Work
from benches.python.cohort.case import RESULT, CohortCase, CohortInput
from benches.python.cohort.engines import prepare_datafusion, prepare_duckdb, prepare_polars, prepare_polars_streaming
from benches.python.rfm.case import load
from benches.python.rfm.contenders import NARROW

if TYPE_CHECKING:
    from pathlib import Path

# From this number of rows on, contenders that are many times slower are skipped.
LONG = 30_000_000


def prepare_custcore(case: CohortCase, path: Path) -> Work:
    import custcore

    pa.set_cpu_count(case.threads)
    table = load(path)

    def run() -> Any:
        found = custcore.cohort_retention(table, amount="amount", rfm=case.rfm, n_threads=case.threads)
        return (found.rfm(), found.to_table()) if case.rfm else found.to_table()

    def read(found: Any) -> pa.Table:
        if case.rfm:
            return pa.table(found[0])
        cells = pa.table(found)
        cells = cells.filter(pc.is_valid(cells["cohort"]))
        month = pc.add(pc.multiply(pc.year(cells["cohort"]), 12), pc.subtract(pc.month(cells["cohort"]), 1))
        return pa.table([month, cells["period_index"], cells["customers"], cells["revenue"]], RESULT)

    return Work(run, read)


def prepare_rfm_alone(case: CohortCase, path: Path) -> Work:
    import custcore

    table = load(path)
    return Work(lambda: custcore.rfm(table, n_threads=case.threads), pa.table)


def prepare_in_turn(case: CohortCase, path: Path) -> Work:
    import custcore

    table = load(path)

    def run() -> Any:
        custcore.cohort_retention(table, amount="amount", n_threads=case.threads).to_table()
        return custcore.rfm(table, n_threads=case.threads)

    return Work(run, pa.table)


def prepare_pandas(_case: CohortCase, path: Path) -> Work:
    frame = load(path).to_pandas()

    def run() -> Any:
        times = frame["timestamp"].dt
        month = times.year * 12 + times.month - 1
        first = month.groupby(frame["customer_id"], observed=True).transform("min")
        keyed = frame.assign(cohort=first, k=month - first)
        return keyed.groupby(["cohort", "k"]).agg(customers=("customer_id", "nunique"), revenue=("amount", "sum"))

    return Work(run, lambda found: pa.Table.from_pandas(found.reset_index(), preserve_index=False))


def prepare_pyarrow(case: CohortCase, path: Path) -> Work:
    pa.set_cpu_count(case.threads)
    table, threads = load(path), case.threads > 1

    def run() -> pa.Table:
        times = table["timestamp"]
        month = pc.add(pc.multiply(pc.year(times), 12), pc.subtract(pc.month(times), 1))
        keyed = table.select(["customer_id", "amount"]).append_column("month", month)
        monthly = keyed.group_by(["customer_id", "month"], use_threads=threads).aggregate([("amount", "sum")])
        first = monthly.group_by("customer_id", use_threads=threads).aggregate([("month", "min")])
        placed = monthly.join(first, "customer_id", use_threads=threads)
        since = pc.subtract(placed["month"], placed["month_min"])
        cells = placed.append_column("k", since).group_by(["month_min", "k"], use_threads=threads)
        return cells.aggregate([("customer_id", "count"), ("amount_sum", "sum")])

    return Work(run, lambda found: found.rename_columns(RESULT))


def prepare_numpy(_case: CohortCase, path: Path) -> Work:
    table = load(path)
    ids, times, amounts = (table[name].to_numpy() for name in ("customer_id", "timestamp", "amount"))

    def run() -> list[np.ndarray]:
        customer = ids - ids.min()
        month = times.astype("datetime64[M]").astype(np.int64)
        base = month.min()
        month -= base
        n = int(month.max()) + 1
        first = np.full(int(customer.max()) + 1, n)
        np.minimum.at(first, customer, month)
        cohort = first[customer]
        cell = cohort * n + month - cohort
        revenue = np.bincount(cell, amounts, n * n)
        seen = np.zeros(len(first) * n, dtype=bool)
        seen[customer * n + month] = True
        who, when = np.divmod(np.flatnonzero(seen), n)
        customers = np.bincount(first[who] * n + when - first[who], minlength=n * n)
        cohorts, k = np.divmod(np.arange(n * n), n)
        return [12 * 1970 + int(base) + cohorts, k, customers, revenue]

    return Work(run, lambda found: pa.table(found, RESULT))


def _narrow_only(case: CohortCase) -> str | None:
    return None if case.ids in NARROW else "its recipe takes integer ids of a narrow range only"


def _not_long(case: CohortCase) -> str | None:
    return None if case.rows < LONG else "skipped: not competitive at 10 million rows"


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "cohort_retention, its whole table"),
    "pandas": Contender(
        prepare_pandas, "pandas", "groupby.transform, then nunique and sum", needed=6, refuses=_not_long
    ),
    "polars": Contender(prepare_polars, "polars", "one lazy query, engine in-memory", needed=4, refuses=_not_long),
    "polars-streaming": Contender(prepare_polars_streaming, "polars", "the same, engine streaming", needed=4),
    "duckdb": Contender(
        prepare_duckdb, "duckdb", "once per customer and month, the first by a window, then cells; on the Arrow table"
    ),
    "datafusion": Contender(
        prepare_datafusion, "datafusion", "the same query, one partition a thread", refuses=_not_long
    ),
    "pyarrow": Contender(prepare_pyarrow, "pyarrow", "Table.group_by twice, a join, Table.group_by", refuses=_not_long),
    "numpy": Contender(
        prepare_numpy,
        "numpy",
        "ids less the least as codes; minimum.at, bincount, a table of customers by months; takes every id in the "
        "range for a customer",
        needed=5,
        refuses=_narrow_only,
    ),
    "rfm-alone": Contender(prepare_rfm_alone, "custcore", "custcore.rfm alone"),
    "in-turn": Contender(prepare_in_turn, "custcore", "custcore.cohort_retention, then custcore.rfm"),
}
WITH_RFM = ("custcore", "rfm-alone", "in-turn")
PEERS = tuple(name for name in CONTENDERS if name not in WITH_RFM[1:])


class CohortBench(CohortInput):
    """Cohort retention."""

    contenders = CONTENDERS


BENCH = CohortBench()
