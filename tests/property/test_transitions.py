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


START = date(2023, 12, 20)
DATES = st.lists(st.integers(1, 41), min_size=1, max_size=5, unique=True).map(
    lambda days: [START, *(START + timedelta(days=n) for n in sorted(days))]
)
OPTIONS = st.fixed_dictionaries({"edges": st.sampled_from(["frozen", "refit"]), "n_threads": st.sampled_from([1, 3])})


def check(
    rows: list[tuple[Any, ...]],
    base: custcore.CustomerBase,
    dates: list[date],
    segments: str,
    options: Any,
    **rules: Any,
) -> None:
    names, fit = KINDS[segments]
    looks = looks_reference(rows, dates, fit, refit=options["edges"] == "refit", money=FLOAT, **rules)
    scorer = custcore.RFMScorer(segments=segments)
    found = base.transitions(dates, scorer, **options)
    assert found.to_pyarrow().to_pylist() == transitions_reference(looks, names, options["edges"], FLOAT)
    stays = base.stays(dates, scorer, **options).to_pyarrow()
    check_stays(stays.to_pylist(), stays_reference(looks, names))


@given(
    st.lists(st.tuples(IDS, DAYS, AMOUNTS), max_size=60),
    DATES,
    st.sampled_from(["rf10", "octants"]),
    st.sampled_from(["net", "exclude", "count"]),
    st.integers(1, 60),
    OPTIONS,
)
def test_equals_the_reference(
    rows: list[Row], dates: list[date], segments: str, returns: str, size: int, options: dict[str, Any]
) -> None:
    # Somebody has bought by the first date, so that there is something to fit on.
    rows = [("e", START, 1.0), *rows]
    base = custcore.CustomerBase(track="days", returns=returns)
    for at in range(0, len(rows), size):
        base.update(table(rows[at : at + size]))
    check(rows, base, dates, segments, options, returns=returns)


@given(
    st.lists(st.tuples(IDS, DAYS, AMOUNTS, st.integers(0, 3) | st.none()), max_size=60),
    DATES,
    st.sampled_from(["net", "exclude"]),
    st.integers(1, 60),
    OPTIONS,
)
def test_orders_over_several_days(
    lines: list[tuple[Any, ...]], dates: list[date], returns: str, size: int, options: dict[str, Any]
) -> None:
    """An order counts at a date by its lines so far; later it may be a refund, and its customer no buyer."""
    lines = [("e", START, 1.0, 9), *lines]
    base = custcore.CustomerBase(track="orders", order_id="order_id", returns=returns)
    orders = pa.array([line[3] for line in lines], pa.int64())
    data = table([line[:3] for line in lines]).append_column("order_id", orders)
    for at in range(0, len(lines), size):
        base.update(data.slice(at, size))
    check(lines, base, dates, "rf10", options, returns=returns)
