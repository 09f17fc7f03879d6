"""One type for a column of several files, without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["conform", "merged"]


def merged(one: Any, other: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """Find a type that holds the values of both without loss, or None.

    Parameters
    ----------
    one, other : pyarrow.DataType
        The types in two files.
    """
    import pyarrow as pa
    from pyarrow import types

    if one == other:
        return one
    one, other = (kind.value_type if types.is_dictionary(kind) else kind for kind in (one, other))
    is_day: Callable[[Any], bool] = types.is_date
    for day, time in ((one, other), (other, one)):
        if is_day(day) and types.is_timestamp(time) and time.tz is None:
            return time
        if types.is_decimal(day) and types.is_floating(time):
            return None  # decimals are not converted to floats
    try:
        schemas = [pa.schema([("column", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None


def conform(batch: Any, schema: Any) -> Any:  # noqa: ANN401
    """Cast a batch to the columns and types of the schema.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Has at least these columns.
    schema : pyarrow.Schema
        What is to come out.
    """
    import pyarrow as pa

    columns = [batch.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(
        [c if c.type == field.type else c.cast(field.type) for c, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
