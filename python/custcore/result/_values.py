"""Values of columns as Python objects and as numpy arrays."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from custcore._extras import how_to_install
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    import numpy as np

    from custcore import _core

__all__ = ["numpy_values", "python_values"]

# Arrow types with the same name in numpy.
_NUMPY_TYPES = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float32",
    "float64",
}
# Types of which the core makes Python values.
_PLAIN = _NUMPY_TYPES | {
    *("bool", "date32", "string", "large_string", "string_view", "binary", "large_binary", "binary_view"),
}
_PLAIN_BEGINNINGS = ("decimal128", "fixed_size_binary")


def python_values(core: _core.Table, name: str, start: int, stop: int) -> list[Any]:
    """Rows ``start`` to ``stop`` of a column as Python objects, None for null.

    Raises
    ------
    ColumnNotFoundError
        If the column does not exist.
    InvalidTypeError
        If it has a type without Python values, and pyarrow is not installed.
    """
    values = core.values(name, start, stop)
    kind = dict(zip(core.column_names, core.column_types, strict=True))[name]
    inner = kind.removesuffix(">").split(", ", 1)[1] if kind.startswith("dictionary<") else kind
    of_list = kind.removeprefix("list<").removesuffix(">") if kind.startswith("list<") else ""
    if inner in _PLAIN or of_list in _PLAIN or (of_list or inner).startswith(_PLAIN_BEGINNINGS):
        return values
    if inner.startswith("timestamp["):
        moments = [value if zone is None else _local(value, zone) for zone in [_zone(inner)] for value in values]
        if not any(isinstance(value, str) for value in moments):
            return moments
        raise InvalidTypeError(
            f"column {name!r} is {kind} with times that a datetime cannot hold; use to_pyarrow() or to_numpy()",
            column=name,
        )
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        raise InvalidTypeError(
            f"column {name!r} is {kind}, of which only pyarrow makes Python values: {how_to_install('pyarrow')}",
            column=name,
        ) from None
    found: list[Any] = pa.table(core.part(start, stop, [name])).column(0).to_pylist()
    return found


def _zone(kind: str) -> datetime.tzinfo | None:
    """The time zone of ``timestamp[us, Europe/Paris]``."""
    _, separator, name = kind.removeprefix("timestamp[").removesuffix("]").partition(", ")
    if not separator:
        return None
    if name[:1] in "+-":
        hours, minutes = name[1:].split(":")
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        return datetime.timezone(-offset if name[0] == "-" else offset)
    import zoneinfo  # rarely needed

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return datetime.UTC


def _local(value: Any, zone: datetime.tzinfo) -> Any:  # noqa: ANN401
    return value.astimezone(zone) if isinstance(value, datetime.datetime) else value


def numpy_values(core: _core.Table, name: str) -> np.ndarray[Any, Any]:
    """A column as an array: numbers without a copy where they are contiguous and have no nulls."""
    import numpy as np

    core.values(name, 0, 0)  # raises for an unknown column
    kind = dict(zip(core.column_names, core.column_types, strict=True))[name]
    pieces = [memory for i in range(core.num_batches) if (memory := core.memory(name, i)) is not None]
    if len(pieces) == core.num_batches and (kind in _NUMPY_TYPES or kind == "date32"):
        width = "int32" if kind == "date32" else kind
        # Memory has the buffer protocol, which types can express from Python 3.12 on.
        arrays = [np.frombuffer(memoryview(piece), dtype=width) for piece in pieces]  # type: ignore[arg-type]
        array = arrays[0] if len(arrays) == 1 else np.concatenate([np.empty(0, dtype=width), *arrays])
        return array.astype("int64").view("datetime64[D]") if kind == "date32" else array
    values = python_values(core, name, 0, core.num_rows)
    if kind in _NUMPY_TYPES:
        return np.array([np.nan if value is None else value for value in values], dtype="float64")
    if kind == "date32":
        return np.array(values, dtype="datetime64[D]")
    if kind == "bool" and None not in values:
        return np.array(values, dtype=bool)
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects
