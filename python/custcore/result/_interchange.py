"""Tables for the dataframe interchange protocol, which has fewer types than Arrow."""

from __future__ import annotations

from typing import Any

__all__ = ["interchangeable"]


def interchangeable(rows: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """A ``pyarrow.Table`` whose types the protocol has: days as timestamps, decimals as floats, ids of bytes as hex."""
    import pyarrow as pa

    for place, column in enumerate(rows.columns):
        kind = column.type
        if pa.types.is_date(kind):
            column = column.cast(pa.timestamp("ms"))
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_string_view(kind):
            column = column.cast(pa.large_string())
        elif pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
            values = pa.string() if pa.types.is_large_string(kind.value_type) else None
            column = column.cast(kind.value_type if values is None else pa.dictionary(kind.index_type, values))
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            column = pa.chunked_array([[v if v is None else v.hex() for v in column.to_pylist()]], pa.string())
        rows = rows.set_column(place, rows.column_names[place], column)
    return rows
