"""Performance targets, as ratios of medians in one run: contender, minimum and aspiration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

POLARS_AND_DUCKDB = ("polars", "polars-streaming", "duckdb")
BETTER = "the better of Polars and DuckDB"
M = 1_000_000


PLAIN: dict[str, Any] = {
    "rows": 10 * M,
    "ids": "dense",
    "order": "time",
    "order_id": False,
    "skew": "none",
    "source": "memory",
    "sort": True,
    "threads": 2,
}


@dataclass(frozen=True)
class Target:
    """One line of the table of targets.

    Parameters
    ----------
    case
        What a case of the results must have to be meant; fields left out have the values of `PLAIN`.
    """

    label: str
    case: dict[str, Any]
    against: tuple[str, ...]
    who: str
    at_least: float
    dream: float

    @property
    def rows(self) -> int:
        """Rows of the case."""
        return int((PLAIN | self.case)["rows"])


TARGETS = [
    Target("dense ids", {}, POLARS_AND_DUCKDB, BETTER, 6, 12),
    Target("dense ids", {"rows": 100 * M}, POLARS_AND_DUCKDB, BETTER, 5, 12),
    Target("dense ids", {}, ("numpy",), "numpy", 3, 5),
    Target("dense ids", {}, ("pandas",), "pandas", 15, 30),
    Target("sparse ids", {"ids": "sparse"}, POLARS_AND_DUCKDB, BETTER, 3.5, 6),
    Target("string ids", {"ids": "string"}, POLARS_AND_DUCKDB, BETTER, 3, 5),
    Target("dictionary ids", {"ids": "dictionary"}, POLARS_AND_DUCKDB, BETTER, 6, 10),
    Target("clustered by customer", {"order": "clustered"}, POLARS_AND_DUCKDB, BETTER, 6, 12),
    Target("lines to orders to customers", {"order_id": True}, POLARS_AND_DUCKDB, BETTER, 3, 6),
    Target("from Parquet", {"source": "parquet"}, POLARS_AND_DUCKDB, BETTER, 1.5, 3),
]


def is_meant(target: Target, case: dict[str, Any]) -> bool:
    """Whether a target applies to a case: ten rows per customer, equal in all other fields."""
    wanted = PLAIN | target.case
    return case["customers"] * 10 == case["rows"] and all(case[name] == value for name, value in wanted.items())
