"""Customer ids as arguments: of Python, numpy, pandas, polars and Arrow, one by one and as columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore._input.data import as_source, exports, in_memory
from custcore.errors import ColumnNotFoundError, InvalidTypeError

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

__all__ = ["Group", "Id", "as_key", "listed", "one", "one_group"]

_Part: TypeAlias = "int | str | bytes | UUID"
Id: TypeAlias = "_Part | tuple[_Part, ...]"
Group: TypeAlias = "int | str | bytes | bool | float | date | UUID"


def one(value: object) -> object:
    """An id as the core takes it: a UUID as its bytes, the parts of a tuple likewise; the core checks it."""
    kind = type(value)
    if kind is int or kind is str or kind is bytes or value is None:
        return value
    if isinstance(value, tuple):
        return tuple(map(one, value))
    return value.bytes if _is_uuid(value) else value  # type: ignore[attr-defined]


def one_group(value: object) -> object:
    """The value of a group as the core takes it: an id, a bool, a float, a date or a datetime; None if missing."""
    kind = type(value)
    if value is None or kind is str or kind is int:
        return value
    if kind.__module__ == "numpy":
        scalar: Any = value
        # A datetime64 in nanoseconds would become an integer.
        value = (scalar.astype("datetime64[us]") if kind.__name__ == "datetime64" else scalar).item()
    # NaN and NaT differ from themselves.
    return None if value != value else one(value)


def as_key(value: object) -> Any:  # noqa: ANN401 (an id, or a tuple of them)
    """An id, checked: int, str, bytes, a UUID as its bytes, or a tuple of these; numpy ids as Python objects."""
    if isinstance(value, int | str | bytes) and not isinstance(value, bool):
        return value
    if isinstance(value, tuple):
        return tuple(map(as_key, value))
    if _is_uuid(value):
        return value.bytes  # type: ignore[attr-defined]
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return as_key(value.item())
    raise InvalidTypeError(
        f"{value!r} is {type(value).__name__}, not a customer id; expected int, str, bytes, uuid.UUID, or for a "
        "composite key a tuple of these"
    )


def listed(argument: str, ids: object, columns: Sequence[str]) -> list[Any]:
    """Several ids: those of an iterable, an array, a column, or of a table with the columns of the key."""
    if (isinstance(ids, Mapping) and set(columns) <= set(ids)) or (exports(ids) and _is_table(ids)):
        return _rows(argument, ids, columns)
    is_one = isinstance(ids, str | bytes)
    if len(columns) > 1 and isinstance(ids, tuple) and ids:
        is_one = not any(isinstance(id_, tuple) for id_ in ids)
    if is_one:
        raise InvalidTypeError(f"{argument}={ids!r} is one id; pass a list of ids")
    for method in ("to_pylist", "tolist", "to_list"):
        if hasattr(ids, method):
            ids = getattr(ids, method)()
            break
    if not isinstance(ids, Iterable):
        raise InvalidTypeError(f"{argument}={ids!r}: expected several ids, for instance in a list")
    return [as_key(id_) for id_ in ids]


def _rows(argument: str, data: Any, columns: Sequence[str]) -> list[Any]:  # noqa: ANN401
    """The ids in the rows of a table."""
    try:
        table = in_memory(as_source(data), columns)
    except ColumnNotFoundError as error:
        raise ColumnNotFoundError(
            f"{argument} is a table without the column {error.column!r}; it needs the columns of the ids, {columns}",
            column=error.column,
        ) from None
    parts = [table.values(name, 0, table.num_rows) for name in columns]
    return [as_key(row[0] if len(row) == 1 else row) for row in zip(*parts, strict=True)]


def _is_table(data: object) -> bool:
    """Whether it has named columns: a single array or column exports Arrow, too."""
    return hasattr(data, "column_names") or hasattr(data, "columns") or hasattr(data, "schema")


def _is_uuid(value: object) -> bool:
    uuid = sys.modules.get("uuid")
    return uuid is not None and isinstance(value, uuid.UUID)
