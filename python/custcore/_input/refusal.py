"""The error for data that are no table, with the one way out that suits them."""

from __future__ import annotations

import os
from typing import Any

from custcore.errors import InvalidTypeError

__all__ = ["refused"]

_ACCEPTED = (
    "Accepted are tables of pyarrow (also a Dataset, Scanner, ParquetFile or RecordBatchReader), pandas, polars (also "
    "a LazyFrame), DuckDB, ibis, dask and narwhals, what custcore.read(path) returns, anything else with "
    "__arrow_c_stream__ or __arrow_c_array__, an iterable of such tables, or a dict of numpy arrays."
)


def refused(data: Any) -> InvalidTypeError:  # noqa: ANN401
    """The error for an object that is no table."""
    kind = type(data)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return InvalidTypeError(f"data is {name}, which does not export Arrow data. {_ACCEPTED} {_way_out(data)}")


def _way_out(data: Any) -> str:  # noqa: ANN401
    if data is None:
        return "A function that changes a table in place, or that has no return, gives None"
    if isinstance(data, type):
        return f"Pass an object, not the class {data.__name__}"
    if isinstance(data, str | os.PathLike):
        return "Read the file first: custcore.read(path)"
    if isinstance(data, bytes | bytearray | memoryview):
        return "Read Arrow data from bytes first: pyarrow.ipc.open_stream(data)"
    if isinstance(data, list | tuple):
        return _of_list(data)
    modules = {parent.__module__.partition(".")[0].removeprefix("_") for parent in type(data).__mro__}
    name = type(data).__name__
    if "custcore" in modules:
        return _of_custcore(name)
    if "pyspark" in modules:
        return "Convert the columns of a Spark DataFrame that are needed: df.select('customer_id', ...).toArrow()"
    if "duckdb" in modules:
        return "Pass a relation: connection.sql('SELECT ...'), or connection.table('orders')"
    if "numpy" in modules:
        return "Pass a dict of one-dimensional arrays by column name: {'customer_id': ids, 'timestamp': times, ...}"
    if modules & {"pandas", "polars", "pyarrow", "dask", "narwhals"} and "group" in name.lower():
        return "Pass the table before it is grouped"
    if modules & {"pandas", "polars", "dask", "narwhals"} and name in {"Series", "Expr", "Index"}:
        return "Pass a frame with the columns of ids, times and amounts"
    return _by_attributes(data)


def _of_list(items: list[Any] | tuple[Any, ...]) -> str:
    if not items:
        return "The list is empty"
    first = items[0]
    if isinstance(first, dict):
        return "Make a table of a list of dicts first: pyarrow.Table.from_pylist(data)"
    if isinstance(first, str | os.PathLike):
        return "Read the files first: custcore.read(paths)"
    return f"Its first item is {type(first).__name__}, not a table"


def _of_custcore(name: str) -> str:
    if name == "CustomerBase":
        return "A base already has its transactions: base.rfm(), base.cohort_retention()"
    return f"A {name} is no table"


def _by_attributes(data: Any) -> str:  # noqa: ANN401
    if hasattr(data, "read") and hasattr(data, "seek"):
        return "Pass the path of the file: custcore.read(path)"
    if hasattr(data, "fetchall"):
        return "A cursor of a database has no columns of Arrow; fetch a table first, e.g. with ADBC or pandas.read_sql"
    if hasattr(data, "collect"):
        return "A lazy frame has no data yet: call .collect() first"
    if hasattr(data, "compute"):
        return "It has no data yet: call .compute() first"
    if hasattr(data, "to_arrow"):
        return "Convert it first: .to_arrow()"
    if hasattr(data, "to_pandas"):
        return "Convert it first: .to_pandas()"
    if hasattr(data, "columns"):
        return "Convert it to one of these first"
    if hasattr(data, "__iter__"):
        return "Its items are no tables"
    return "Pass one of these"
