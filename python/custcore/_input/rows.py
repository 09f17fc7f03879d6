"""One labelled row of numbers, such as a dict, a pandas Series or a named tuple, as values in a given order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore.errors import ColumnNotFoundError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

__all__ = ["Row", "row_values"]

Row: TypeAlias = "Sequence[float | Decimal] | Mapping[str, float | Decimal] | Any"


def row_values(argument: str, row: object, names: list[str] | None) -> list[Any]:
    """The values of a row: by name if it has labels, else by position.

    Parameters
    ----------
    argument
        The name of the argument, for errors.
    row
        Values in the order of ``names``; or a labelled row: a mapping, a pandas Series, a named tuple, a record of
        numpy, a dataclass, a row of a database.
    names
        The names to take; None if they are unknown, so that a row is taken by position.
    """
    labelled = _labelled(row)
    if labelled is None:
        if isinstance(row, str | bytes) or not isinstance(row, Iterable):
            raise InvalidTypeError(f"{argument}={row!r} is {type(row).__name__}; expected one number for each column")
        return [_plain(value) for value in row]
    labels, values = labelled
    if names is None:
        if isinstance(row, Mapping):
            raise InvalidArgumentError("the features have no names, as the model was fitted on an array; pass a list")
        return [_plain(value) for value in values]
    by_name: dict[object, Any] = {}
    for label, value in zip(labels, values, strict=True):
        if label in by_name and label in names:
            raise InvalidArgumentError(f"{argument} has two values named {label!r}; pass one of each")
        by_name[label] = value
    for name in names:
        if name not in by_name:
            raise ColumnNotFoundError(
                f"{argument} has no {name!r}; its names are {_listed(labels)}, and those needed are {names}",
                column=name,
            )
    return [_plain(by_name[name]) for name in names]


def _labelled(row: object) -> tuple[list[object], list[Any]] | None:
    """Labels and values of a row; None if it has no labels."""
    if isinstance(row, Mapping):
        return list(row), list(row.values())
    fields = getattr(row, "_fields", None)
    if isinstance(row, tuple) and isinstance(fields, Iterable):
        return list(fields), list(row)
    names = getattr(getattr(row, "dtype", None), "names", None)
    if names is not None:
        values: Any = row
        if getattr(row, "ndim", 0) != 0:
            raise InvalidTypeError(
                f"an array of {len(values)} records is several rows; pass one of them, e.g. array[0]"
            )
        return list(names), [values[name] for name in names]
    index, items = getattr(row, "index", None), getattr(row, "items", None)
    if index is not None and not callable(index) and callable(items):
        if getattr(row, "ndim", 1) != 1:
            raise InvalidTypeError(f"a {type(row).__name__} is several rows; pass one of them, e.g. df.iloc[0]")
        labels, values = list(index), [value for _, value in items()]
        # The default labels of pandas, 0 to n - 1, are positions.
        return None if labels == list(range(len(labels))) else (labels, values)
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        names = [field.name for field in dataclasses.fields(row)]
        return names, [getattr(row, name) for name in names]
    keys = getattr(row, "keys", None)
    if callable(keys) and hasattr(row, "__getitem__"):
        labels = list(keys())
        return labels, [row[label] for label in labels]
    return None


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A scalar of pyarrow as a Python number."""
    return value.as_py() if hasattr(value, "as_py") else value


def _listed(labels: list[object]) -> str:
    return str(labels[:20])[:-1] + (", ...]" if len(labels) > 20 else "]")
