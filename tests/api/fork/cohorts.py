"""Cohort retention and its results."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import custcore
from tests.api.fork.case import THREADS, Case, kinds, touch

COHORT_TABLES = ("to_table", "matrix", "average", "movement", "revenue_retention", "customers", "rfm", "triangle")
COHORT_WORDS = ("definition", "report", "schema", "__repr__", "_repr_html_", "__arrow_c_stream__", "__arrow_c_schema__")


def cohorts() -> Iterator[Case]:
    ways: dict[str, dict[str, Any]] = {
        "months": {},
        "elapsed": {"period": "30d", "period_mode": "elapsed"},
        "by country": {"by": "country"},
    }
    for way, options in ways.items():

        def cohort(data: dict[str, Any], options: dict[str, Any] = options) -> Any:
            return custcore.cohort_retention(data, amount="amount", rfm=True, n_threads=THREADS, **options)

        for kind, data in kinds("few", "many"):
            yield Case(f"cohort_retention, {way}, {kind}", ("cohort_retention",), cohort, data)
            for method in COHORT_TABLES:
                yield Case(
                    f"CohortRetention.{method}, {way}, {kind}",
                    (f"CohortRetention.{method}",),
                    lambda result, method=method: getattr(result, method)(),
                    lambda cohort=cohort, data=data: cohort(data()),
                )
            yield Case(
                f"CohortRetention, copies and pickles, {way}, {kind}",
                tuple(f"CohortRetention.{word}" for word in ("__reduce__", "__copy__", "__deepcopy__")),
                lambda result: [pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)],
                lambda cohort=cohort, data=data: cohort(data()),
            )
            yield Case(
                f"CohortRetention, {way}, {kind}",
                tuple(f"CohortRetention.{word}" for word in COHORT_WORDS),
                lambda result: touch(result),
                lambda cohort=cohort, data=data: cohort(data()),
            )
