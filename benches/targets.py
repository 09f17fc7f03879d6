"""Performance targets, as ratios of medians in one run, and the lines of the headline of BENCHMARKS.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benches import report_kmeans
from benches.tables import POLARS_AND_DUCKDB

BETTER = "the better of Polars and DuckDB"
KMEANS = "the best of scikit-learn's"
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
    "chunk_rows": 1 << 20,
}
COHORT: dict[str, Any] = {"rows": 10 * M, "ids": "dense", "order": "time", "threads": 2, "rfm": False}
PLAINS = {"rfm": PLAIN, "cohort": COHORT, "kmeans": report_kmeans.PLAIN}
# Records of older runs lack what was added to a case later.
ADDED: dict[str, Any] = {"chunk_rows": 1 << 20, "seed": 0, "shape": "normal"}


@dataclass(frozen=True)
class Target:
    """What a case should reach.

    Parameters
    ----------
    case
        What a case of the results must have to be meant; fields left out have the values of `PLAINS`.
    at_least
        How many times as long as custcore the fastest of ``against`` should take; None: no target.
    results
        The file of results.
    """

    label: str
    case: dict[str, Any]
    at_least: float | None
    against: tuple[str, ...] = POLARS_AND_DUCKDB
    who: str = BETTER
    results: str = "rfm"


# What users have comes first: ids with gaps.
HEADLINE = [
    Target("every 2nd id used", {"ids": "gap2"}, 5),
    Target("every 7th id used", {"ids": "gap7"}, 5),
    Target("every 30th id used", {"ids": "gap30"}, 5),
    Target("one id in 7 used, at random", {"ids": "gaps"}, 5),
    Target("ids without a gap", {}, 6),
    Target("random ids of 63 bits", {"ids": "sparse"}, 3.5),
    Target("strings of 10 bytes", {"ids": "string"}, 3),
    Target("UUID texts of 36 bytes", {"ids": "uuid"}, 3, ("duckdb",), "DuckDB"),
    Target("a dictionary of strings", {"ids": "dictionary"}, 6),
    Target("clustered by customer", {"order": "clustered"}, 6),
    Target("lines to orders to customers", {"order_id": True}, 3),
    Target("Parquet, every 2nd id used", {"ids": "gap2", "source": "parquet"}, 2),
    Target("Parquet, strings", {"ids": "string", "source": "parquet"}, 2),
    Target("Parquet, a dictionary each row group", {"ids": "dictionaries", "source": "parquet"}, 2),
    Target("Parquet, lines to orders", {"order_id": True, "source": "parquet"}, 2),
    Target("100 M rows, every 2nd id used", {"rows": 100 * M, "ids": "gap2"}, None),
    Target("100 M rows, strings", {"rows": 100 * M, "ids": "string"}, None),
    Target("cohorts, every 2nd id used", {"ids": "gap2"}, 8, results="cohort"),
    Target("cohorts, ids without a gap", {}, 8, results="cohort"),
    *(
        Target(
            f"k-means, fit of 10 M x 3, {each.case['dtype']}", each.case, each.at_least, each.against, KMEANS, "kmeans"
        )
        for each in report_kmeans.TARGETS
        if each.label == "default fit" and (each.case["rows"], each.case["dtype"]) == (10 * M, "float64")
    ),
]
OTHERS = [
    Target("Parquet, ids without a gap", {"source": "parquet"}, 2),
    Target("Parquet, the same dictionary each", {"ids": "dictionary", "source": "parquet"}, 2),
    Target("every 2nd id used", {"ids": "gap2"}, 15, ("pandas",), "pandas"),
    Target("ids without a gap", {}, 15, ("pandas",), "pandas"),
    Target("ids without a gap", {}, 3, ("numpy",), "numpy"),
    Target("100 M rows, ids without a gap", {"rows": 100 * M}, 5),
    Target("cohorts, ids without a gap", {}, 4, ("numpy",), "numpy", "cohort"),
    Target("cohorts, ids without a gap", {}, 30, ("pandas",), "pandas", "cohort"),
    Target("cohorts, 100 M rows, ids without a gap", {"rows": 100 * M}, 8, results="cohort"),
]
# The peak of custcore by that of the leanest peer, at most; with strings at 100 million rows a fifth more.
MEMORY, MEMORY_OF_LONG_STRINGS = 1.0, 1.2
# Cohorts of ids with gaps by those of ids without, and RFM with cohorts in one scan by RFM alone: at most.
COHORT_GAP, RFM_AND_COHORTS = 1.2, 1.4


@dataclass(frozen=True)
class DaysTargets:
    """What level days should reach: rows a second, the peak by what is kept, bytes of a customer-day, passes."""

    rows_per_second: float = 30e6
    peak: float = 1.5
    bytes_per_day: float = 12.0
    passes: float = 2.0


DAYS = DaysTargets()


def is_meant(target: Target, case: dict[str, Any]) -> bool:
    """Whether a target applies to a case: ten rows per customer, equal in all other fields."""
    wanted, found = PLAINS[target.results] | target.case, ADDED | case
    usual = "customers" not in case or case["customers"] * 10 == case["rows"]
    return usual and all(found[name] == value for name, value in wanted.items())


def find(target: Target, records: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """The record that a target speaks of, among those of each file of results."""
    return next((record for record in records.get(target.results, []) if is_meant(target, record["case"])), None)


def memory_limit(target: Target) -> float:
    """What the peak may be of the leanest peer's."""
    strings = target.case.get("ids") == "string" and target.case.get("rows") == 100 * M
    return MEMORY_OF_LONG_STRINGS if strings else MEMORY
