"""pandas to Arrow and back, for ``custcore.adapters.pandas``: columns in, columns and reports out.

Conversions specific to pandas: integral float ids become integers (pandas converts integers with nulls to floats), and
object columns get the common type of their values.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from custcore._extras import how_to_install
from custcore._input.objects import refuse_mixture
from custcore.errors import ColumnNotFoundError, InvalidTypeError
from custcore.result._pandas import REPORT, dump_report, load_report, pandas_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from custcore.result import Report

__all__ = [
    "REPORT",
    "arrow_column",
    "arrow_table",
    "dump_report",
    "load_report",
    "pandas_column",
    "passed_column",
    "purchases",
    "pyarrow_module",
    "with_remarks",
]

# Upper bounds, exclusive, below which all integers are distinct floats, by bits.
_WHOLE_BELOW = {16: 2**11, 32: 2**24, 64: 2**53}
_IDS = frozenset({"customer_id", "order_id"})

# In


def pyarrow_module() -> Any:  # noqa: ANN401
    """pyarrow, or an error that states how to install it."""
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"df.custcore needs pyarrow in addition to pandas: {how_to_install('pandas')}", name="pyarrow"
        ) from error
    return pa


def purchases(frame: pd.DataFrame, wanted: dict[str, str], remarks: list[str]) -> pa.Table:
    """Convert the wanted columns to Arrow; conversions are added to ``remarks``."""
    pa = pyarrow_module()
    labels = list(frame.columns)
    missing = [name for name in wanted if name not in labels]
    for name in missing:
        if name in frame.index.names:
            raise ColumnNotFoundError(
                f"column {name!r} ({wanted[name]}) is in the index of the frame, which is not used; "
                "make it a column first: df.reset_index()",
                column=name,
            )
    columns: list[tuple[str, Any]] = []
    for place, label in enumerate(labels):
        if label in wanted:
            columns.append((label, _role(arrow_column(frame.iloc[:, place], label), label, wanted[label], remarks)))
        elif missing:
            # The core suggests similar column names, so it gets all of them.
            columns.append((str(label), pa.nulls(len(frame))))
    return arrow_table(pa, columns)


def arrow_table(pa: Any, columns: list[tuple[str, Any]]) -> pa.Table:  # noqa: ANN401
    """Build a table of columns, whose names may repeat."""
    return pa.table([array for _, array in columns], names=[name for name, _ in columns])


def arrow_column(series: pd.Series[Any], name: str) -> pa.ChunkedArray:
    """Convert a column to Arrow; NaN, NaT and NA are null."""
    import numpy as np

    pa = pyarrow_module()
    dtype: Any = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        series = series.astype(dtype.subtype)
    elif isinstance(dtype, np.dtype) and not dtype.isnative:
        series = series.astype(dtype.newbyteorder("="))
    elif isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
        cast = ", e.g. .dt.to_timestamp()" if isinstance(dtype, pd.PeriodDtype) else ""
        raise InvalidTypeError(
            f"column {name!r} is {dtype}; expected numbers, strings or times. Cast it first{cast}", column=name
        )
    refuse_mixture(series, name)
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InvalidTypeError(
            f"column {name!r} is {dtype} that Arrow cannot hold ({error}); cast it to numbers, strings or times first",
            column=name,
        ) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def passed_column(series: pd.Series[Any], name: str) -> pa.ChunkedArray:
    """Convert a column that the core passes on to the result, which it does not do for all types."""
    types = pyarrow_module().types
    column = arrow_column(series, name)
    if any(is_type(column.type) for is_type in (types.is_union, types.is_list_view, types.is_large_list_view)):
        raise InvalidTypeError(f"column {name!r} is {column.type}, which custcore does not read", column=name)
    return column


def _role(array: pa.ChunkedArray, name: str, argument: str, remarks: list[str]) -> pa.ChunkedArray:
    """Cast the column to the type that its argument needs."""
    pa = pyarrow_module()
    kind = array.type
    is_untyped = len(array) == 0 and pa.types.is_floating(kind) and argument in {"timestamp", "start", "returning"}
    if is_untyped or pa.types.is_null(kind):
        # A column without values, such as that of an empty frame, has no type; that of an empty list is float64.
        types = {"timestamp": pa.timestamp("s"), "amount": pa.float64(), "start": pa.bool_(), "returning": pa.bool_()}
        return pa.chunked_array([pa.nulls(len(array), types.get(argument, pa.string()))])
    if argument not in _IDS:
        return array
    if pa.types.is_dictionary(kind) and pa.types.is_floating(kind.value_type):
        array, kind = array.cast(kind.value_type), kind.value_type
    return _integers(array, name, argument, remarks) if pa.types.is_floating(kind) else array


def _integers(array: pa.ChunkedArray, name: str, argument: str, remarks: list[str]) -> pa.ChunkedArray:
    """Convert integral float ids back to integers."""
    import numpy as np

    pa = pyarrow_module()
    below = _WHOLE_BELOW[array.type.bit_width]
    values = array.cast(pa.float64()).to_numpy()
    null = np.isnan(values)
    odd = ~null & ~((np.floor(values) == values) & (np.abs(values) < below))
    if odd.any():
        row = int(odd.argmax())
        raise InvalidTypeError(
            f"column {name!r} ({argument}) is {array.type} and contains {values[row].item()!r} in row {row} "
            f"({int(odd.sum()):,} such rows); float ids are converted to integers only if all are integral and below "
            f"2**{below.bit_length() - 1}. "
            f"Read the column as integers or strings, e.g. pandas.read_csv(..., dtype={{{name!r}: 'Int64'}})",
            column=name,
            row=row,
        )
    nulls = int(null.sum())
    if len(values):
        remarks.append(
            f"column {name!r}: {len(values) - nulls:,} float ids read as integers"
            + (f", {nulls:,} NaN as null" if nulls else "")
        )
    whole = np.where(null, 0.0, values).astype("int64")
    return pa.chunked_array([pa.array(whole, mask=null)])


# Out


def with_remarks(report: Report, remarks: Iterable[str]) -> Report:
    """Add remarks to a report."""
    return dataclasses.replace(report, remarks=(*report.remarks, *remarks))
