"""Cases of the cohort bench, their input, and the comparison of results."""

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

# The month of the first purchase as 12 * year + month - 1, and the months since.
CELL = ["cohort", "k"]
RESULT = [*CELL, "customers", "revenue"]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class CohortCase:
    """Customers and revenue by month; the fields are described in `benches.data.purchases`.

    Parameters
    ----------
    rfm
        Whether the RFM table of the same rows is asked for, too.
    """

    rows: int
    customers: int
    ids: IdKind = "dense"
    order: Order = "time"
    threads: int = 2
    rfm: bool = False
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            f"{self.rows} rows",
            f"{self.customers} customers",
            f"{self.ids} ids",
            f"order {self.order}",
            f"{self.threads} threads",
            "with RFM" if self.rfm else "",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


class CohortInput:
    """Writes the input of a case, and compares results."""

    name = "cohort"
    case = CohortCase

    def write(self, case: CohortCase, folder: Path) -> Input:
        """Write the purchases as an Arrow file."""
        rows = RfmCase(case.rows, case.customers, ids=case.ids, order=case.order, seed=case.seed)
        return RfmInput().write(rows, folder)

    def compare(self, case: CohortCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Cells and customers are equal, money within 1e-9; with RFM, both tables bitwise."""
        if case.rfm:
            if not found.equals(expected):
                raise UnequalError("the RFM tables")
            return {}
        ours, theirs = _columns(expected), _columns(found)
        for column in [*CELL, "customers"]:
            if not np.array_equal(ours[column], theirs[column]):
                raise UnequalError(f"{column}, in {len(ours[column])} and {len(theirs[column])} cells")
        if not np.allclose(theirs["revenue"], ours["revenue"], rtol=TOLERANCE, atol=TOLERANCE):
            raise UnequalError(f"revenue by up to {np.abs(theirs['revenue'] - ours['revenue']).max()}")
        return {}


def _columns(table: pa.Table) -> dict[str, np.ndarray]:
    """Sort and cast the cells with customers for comparison."""
    types = [pa.int64(), pa.int64(), pa.int64(), pa.float64()]
    columns = {name: table[name].cast(kind).to_numpy() for name, kind in zip(RESULT, types, strict=True)}
    rank = np.lexsort([columns[name] for name in reversed(CELL)])
    rank = rank[columns["customers"][rank] > 0]
    return {name: column[rank] for name, column in columns.items()}
