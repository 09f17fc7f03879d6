"""Small tables of Python values, such as the starts of a fit, with the remarks of their report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore.result import Report, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["label_column", "table_of"]


def table_of(columns: Mapping[str, tuple[str, list[Any]]], remarks: Iterable[str] = ()) -> Table:
    """A table of columns with a type each: "string", "int64", "float64", "bool" or "date32"; None is null."""
    core = _core.Table.from_values([(name, kind, values) for name, (kind, values) in columns.items()])
    rows = max((len(values) for _, values in columns.values()), default=0)
    return Table._with_report(core, Report(n_rows=rows, remarks=tuple(remarks)))


def label_column(labels: list[Any]) -> tuple[str, list[Any]]:
    """Values of a group as a column: integers and strings as they are, others as text."""
    known = [label for label in labels if label is not None]
    if known and all(isinstance(label, int) and not isinstance(label, bool) for label in known):
        return "int64", labels
    return "string", [None if label is None else str(label) for label in labels]
