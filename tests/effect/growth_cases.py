"""A base of three customers, and what the tests of growth share."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import CustcoreError


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


def base_of(
    rows: list[tuple[Any, str, float]], channels: list[Any] | None = None, **options: Any
) -> custcore.CustomerBase:
    attributes = {"channel": "first"} if channels else None
    base = custcore.CustomerBase(**{"track": "days", "attributes": attributes, **options})
    base.update(
        pa.table(
            {
                "customer_id": pa.array([row[0] for row in rows], pa.string()),
                "timestamp": pa.array([day(row[1]) for row in rows], pa.date32()),
                "amount": pa.array([row[2] for row in rows], pa.float64()),
                **({"channel": channels} if channels else {}),
            }
        )
    )
    return base


ROWS = [("ann", "01-05", 10.0), ("bob", "01-09", 20.0), ("ann", "02-03", 30.0), ("cleo", "02-28", 8.0)]
BASE = base_of(ROWS)
COSTS = pa.table({"period": [day("01-01"), day("02-14")], "cost": [20.0, 9.0]})


def refused(error: type[CustcoreError], call: Any, *says: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value), str(caught.value)


class Effect:
    """What a measured effect of a campaign has to have."""

    def __init__(self, *groups: tuple[Any, ...], first: str | None = None, last: str | None = None) -> None:
        keys = ("name", "customers", "revenue", "low", "high")
        self._groups = [dict(zip(keys, group, strict=True)) for group in groups]
        days = {"first_day": first, "last_day": last}
        self.definition = {name: value for name, value in days.items() if value}

    def increments(self, metric: str = "revenue") -> list[dict[str, Any]]:
        assert metric == "revenue"
        return self._groups
