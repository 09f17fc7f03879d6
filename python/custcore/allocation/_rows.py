"""Cells and options of contacts as the core takes them: lists of dicts, or tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore._input.data import as_source, exports
from custcore.allocation._curve import Curve

if TYPE_CHECKING:
    from custcore._input.data import Data

__all__ = ["Rows", "as_rows"]

Rows: TypeAlias = "Data | Sequence[Mapping[str, Any]]"


def as_rows(given: Any, required: Sequence[str], optional: Sequence[str]) -> object:  # noqa: ANN401
    """A list of dicts, or what :func:`as_source` makes of a table, which is never a list.

    Parameters
    ----------
    given
        What was passed.
    required, optional
        Columns of a table that are read; the second ones if they are there.
    """
    if isinstance(given, list | tuple):
        if all(type(row) is dict for row in given):
            return list(given)
        if all(isinstance(row, Mapping) and not exports(row) for row in given):
            return [dict(row) for row in given]
    records = _records(given)
    if records is not None:
        return records
    source = as_source(given, required, optional)
    return tuple(source) if isinstance(source, list) else source


def _records(frame: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401
    """The rows of a frame of pandas or polars that holds curves, which Arrow cannot."""
    library = type(frame).__module__.partition(".")[0]
    if library not in {"pandas", "polars"} or type(frame).__name__ != "DataFrame" or "curve" not in frame.columns:
        return None
    column = frame["curve"]
    if str(column.dtype) not in {"object", "Object"} or not any(isinstance(curve, Curve) for curve in column):
        return None
    found: list[dict[str, Any]] = frame.to_dict("records") if library == "pandas" else frame.to_dicts()
    return found
