"""Transitions and stays equal the slow reference, whatever the rows, the dates and the cuts into updates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.api.test_transitions import check_stays
from tests.property.strategies import AMOUNTS, DAYS, IDS, Row, table
from tests.reference import FLOAT
from tests.reference.transitions import (
    OCTANT_NAMES,
    RF10_NAMES,
    looks_reference,
    octants_of,
    rf10_of,
    stays_reference,
    transitions_reference,
)

KINDS = {"rf10": (RF10_NAMES, rf10_of), "octants": (OCTANT_NAMES, octants_of)}


@given(
    st.lists(st.tuples(IDS, DAYS, AMOUNTS), max_size=60),
    st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True),
    st.sampled_from(["frozen", "refit"]),
    st.sampled_from(["rf10", "octants"]),
    st.sampled_from(["net", "exclude", "count"]),
    st.integers(1, 60),
    st.sampled_from([1, 3]),
)
def test_equals_the_reference(
    rows: list[Row], days: list[int], edges: str, segments: str, returns: str, size: int, n_threads: int
) -> None:
    # Somebody has bought by the first date, so that there is something to fit on.
    start = date(2023, 12, 20)
    rows = [("e", start, 1.0), *rows]
    dates = [start, *(start + timedelta(days=n + 1) for n in sorted(days))]
    names, fit = KINDS[segments]
    base = custcore.CustomerBase(track="days", returns=returns)
    for at in range(0, len(rows), size):
        base.update(table(rows[at : at + size]))
    options: dict[str, Any] = {"edges": edges, "n_threads": n_threads}
    looks = looks_reference(rows, dates, fit, refit=edges == "refit", money=FLOAT, returns=returns)
    scorer = custcore.RFMScorer(segments=segments)
    found = base.transitions(dates, scorer, **options)
    assert found.to_pyarrow().to_pylist() == transitions_reference(looks, names, edges, FLOAT)
    stays: pa.Table = base.stays(dates, scorer, **options).to_pyarrow()
    check_stays(stays.to_pylist(), stays_reference(looks, names))
