"""A seeded experiment on CDNOW whose truth is known, and results of other tools."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

import custcore
from tests.reference_data import outside

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = {"days_after": 273, "start": "1997-10-01", "as_of": "1998-06-30"}


def folder() -> Path:
    """Where the results are; without the data of CDNOW the test is skipped."""
    return outside("cdnow").golden / "effect" / "cdnow_ab"


def results(name: str) -> Any:
    """A file of results."""
    return json.loads((folder() / f"{name}.json").read_text())


@functools.cache
def transactions() -> pa.Table:
    """All purchases, those that the treatment caused included."""
    columns = ["customer_id", "date", "spend"]
    own = pq.read_table(outside("cdnow").data / "cdnow" / "cdnow_master.parquet", columns=columns)
    more = pq.read_table(folder() / "extra_rows.parquet", columns=columns)
    types = pa.schema([("customer_id", pa.int32()), ("date", pa.date32()), ("spend", pa.float64())])
    return pa.concat_tables([own.cast(types), more.cast(types)])


@functools.cache
def assignments() -> pa.Table:
    """The group of each customer."""
    return pq.read_table(folder() / "assignments.parquet", columns=["customer_id", "group"])


@functools.cache
def base() -> custcore.CustomerBase:
    """A base of the purchases."""
    made = custcore.CustomerBase(timestamp="date", amount="spend", track="days")
    made.update(transactions())
    return made


def rows(table: custcore.Table, **where: object) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table by metric and group; by default those of all customers."""
    wanted = {"segment": None, "period": None} | where
    found = [row for row in table if all(row.get(name) == value for name, value in wanted.items())]
    return {(row["group"], row["metric"]): row for row in found}
