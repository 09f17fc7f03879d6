"""The contenders of the bench of measures.

All compute for each month the active, new, retained and reactivated customers, those with two orders, orders, rows and
money. custcore also computes the rest of its table (refunds on their own day, rates, completeness), reports refunds of
customers who never bought, checks for nulls and sums money exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from benches.harness import Contender, Work
from benches.python.measures.case import RESULT, MeasuresCase, MeasuresInput
from benches.python.measures.engines import prepare_duckdb, prepare_polars, prepare_polars_streaming
from benches.python.rfm.case import load

if TYPE_CHECKING:
    from pathlib import Path


def prepare_custcore(case: MeasuresCase, path: Path) -> Work:
    import custcore

    pa.set_cpu_count(case.threads)
    table = load(path)
    order_id = "order_id" if case.order_id else None

    def read(found: Any) -> pa.Table:
        rows = pa.table(found)
        start = rows["period_start"]
        month = pc.add(pc.multiply(pc.year(start), 12), pc.subtract(pc.month(start), 1))
        return pa.table([month, *(rows[name] for name in RESULT[1:])], RESULT)

    return Work(lambda: custcore.measures(table, order_id=order_id, n_threads=case.threads), read)


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "measures, its whole table"),
    "polars": Contender(prepare_polars, "polars", "one lazy query, engine in-memory", needed=6),
    "polars-streaming": Contender(prepare_polars_streaming, "polars", "the same, engine streaming", needed=6),
    "duckdb": Contender(
        prepare_duckdb, "duckdb", "by customer and month, the month before by a window, then by month", needed=6
    ),
}


class MeasuresBench(MeasuresInput):
    """The bench of measures."""

    contenders = CONTENDERS


BENCH = MeasuresBench()
