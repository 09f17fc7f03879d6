"""Columns of results as pandas has them, and reports in the attrs of a DataFrame.

A report there consists of JSON types: pandas deep-copies attrs at every step, compares them when it joins frames, and
writes them to Parquet as JSON.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore.result._report import Report, ReportEntry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["REPORT", "dump_report", "load_report", "pandas_column"]

REPORT = "custcore.report"


def pandas_column(column: Any) -> pd.Series[Any]:  # noqa: ANN401 (pyarrow publishes no types)
    """Convert a column of a result: days as datetime64[s], integers and bools nullable only where there are nulls."""
    import pandas as pd
    import pyarrow as pa

    nullable: dict[Any, Any] = {}
    if column.null_count and pa.types.is_integer(column.type):
        sign = "U" if pa.types.is_unsigned_integer(column.type) else ""
        nullable[column.type] = pd.api.types.pandas_dtype(f"{sign}Int{column.type.bit_width}")
    if column.null_count and pa.types.is_boolean(column.type):
        nullable[column.type] = pd.BooleanDtype()
    # With any mapper pyarrow makes object columns of strings that are empty or all null.
    mapper = nullable.get if nullable else None
    series: pd.Series[Any] = column.to_pandas(date_as_object=False, types_mapper=mapper)
    return series.astype("datetime64[s]") if pa.types.is_date(column.type) else series


def dump_report(report: Report) -> dict[str, Any]:
    """Convert a report to plain values."""
    return {
        "entries": [
            {key: _plain(value) for key, value in dataclasses.asdict(entry).items()} for entry in report.entries
        ],
        "n_rows": report.n_rows,
        "as_of": _plain(report.as_of),
        "remarks": list(report.remarks),
    }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def load_report(frame: pd.DataFrame) -> Report | None:
    """The report in the attrs of a frame."""
    kept = frame.attrs.get(REPORT)
    if kept is None:
        return None
    entries = (e | {"sum": Decimal(e["sum"])} if isinstance(e["sum"], str) else e for e in kept["entries"])
    return Report(
        entries=tuple(ReportEntry(**entry) for entry in entries),
        n_rows=kept["n_rows"],
        as_of=date.fromisoformat(kept["as_of"]) if kept["as_of"] else None,
        remarks=tuple(kept["remarks"]),
    )
