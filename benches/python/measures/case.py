"""Cases of the bench of measures, their input, and the comparison of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from benches.harness import Input, UnequalError
from benches.python.rfm.case import RfmCase, RfmInput

if TYPE_CHECKING:
    from pathlib import Path

    from benches.data import IdKind, Order

# The month as 12 * year + month - 1. Churned is what was active before less what is retained, so it is not compared.
COUNTS = ["month", "active", "new", "retained", "reactivated", "orders", "rows", "repeat_customers"]
RESULT = [*COUNTS, "revenue"]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class MeasuresCase:
    """Measures by month; the fields are described in `benches.data.purchases`.

    Parameters
    ----------
    order_id
        Whether rows are lines of orders, which are put together first.
    """

    rows: int
    customers: int
    ids: IdKind = "dense"
    order: Order = "time"
    order_id: bool = False
    threads: int = 2
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            f"{self.rows} rows",
            f"{self.customers} customers",
            f"{self.ids} ids",
            f"order {self.order}",
            "order_id" if self.order_id else "",
            f"{self.threads} threads",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


class MeasuresInput:
    """Writes the input of a case, and compares results."""

    name = "measures"
    case = MeasuresCase

    def write(self, case: MeasuresCase, folder: Path) -> Input:
        """Write the purchases as an Arrow file."""
        rows = RfmCase(
            case.rows, case.customers, ids=case.ids, order=case.order, order_id=case.order_id, seed=case.seed
        )
        return RfmInput().write(rows, folder)

    def compare(self, _case: MeasuresCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Counts are equal, money within 1e-9."""
        ours, theirs = _columns(expected), _columns(found)
        for column in COUNTS:
            if not np.array_equal(ours[column], theirs[column]):
                raise UnequalError(f"{column}, in {len(ours[column])} and {len(theirs[column])} months")
        if not np.allclose(theirs["revenue"], ours["revenue"], rtol=TOLERANCE, atol=TOLERANCE):
            raise UnequalError(f"revenue by up to {np.abs(theirs['revenue'] - ours['revenue']).max()}")
        return {}


def _columns(table: pa.Table) -> dict[str, np.ndarray]:
    """Sort by month and cast for comparison."""
    types = [*([pa.int64()] * len(COUNTS)), pa.float64()]
    columns = {name: table[name].cast(kind).to_numpy() for name, kind in zip(RESULT, types, strict=True)}
    rank = np.argsort(columns["month"])
    return {name: column[rank] for name, column in columns.items()}
