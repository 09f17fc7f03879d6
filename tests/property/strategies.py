"""Random transactions that look for trouble: ties, refunds, nulls, zeros of either sign, cents and millionths."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

Row = tuple[Any, Any, Any]

# The texts of UUIDs, which are stored as 16 bytes, and what is nearly one
UUID = "0188a7c2-5e0f-7bd3-8c44-9fe01122aabb"
UUIDS = [UUID, UUID[:35] + "c", UUID.upper(), UUID[:19] + UUID[19:].upper(), UUID[:35], UUID.replace("-", "_")]

IDS = st.sampled_from(["a", "b", "c", "d", "dd", "", "ä", None, *UUIDS[:4]])
DAYS = st.integers(0, 30).map(lambda n: date(2023, 12, 20) + timedelta(days=n))
CENTS = st.integers(-5_000, 20_000).map(lambda n: n / 100)
MILLIONTHS = st.integers(-(10**12), 10**12).map(lambda n: n / 10**6)
ODD_AMOUNTS = st.sampled_from([0.0, -0.0, 0.1, 0.2, -0.3, 5e-7, -5e-7, 1.5e-6, 9e9, None, math.nan])
AMOUNTS = st.one_of(CENTS, CENTS, MILLIONTHS, ODD_AMOUNTS)

ROWS = st.lists(st.tuples(IDS, st.one_of(DAYS, DAYS, DAYS, st.none()), AMOUNTS), max_size=40)

# Instants around changes of the clock, of the law, and of the day; and anywhere else in two centuries
TURNS = [
    datetime(2024, 3, 10, 7, tzinfo=UTC),  # New York springs forward
    datetime(2024, 11, 3, 6, tzinfo=UTC),  # and falls back
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia skips the 30th
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 18, 30, tzinfo=UTC),  # midnight in Kolkata
    datetime(1945, 10, 14, 17, 30, tzinfo=UTC),  # the end of war time in Kolkata
    datetime(1950, 1, 1, 11, 30, tzinfo=UTC),  # Apia, before the half hour went
]
INSTANTS = st.one_of(
    st.tuples(st.sampled_from(TURNS), st.integers(-90_000, 90_000)).map(lambda t: t[0] + timedelta(seconds=t[1])),
    st.integers(-2_800_000_000, 4_000_000_000).map(lambda s: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
)


def table(rows: list[Row], kind: pa.DataType | None = None) -> pa.Table:
    """The rows as columns of fixed types, also where every value is null."""
    ids, whens, amounts = ([row[i] for row in rows] for i in range(3))
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "timestamp": pa.array(whens, kind or pa.date32()),
            "amount": pa.array(amounts, pa.float64(), from_pandas=False),
        }
    )
