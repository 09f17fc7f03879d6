"""Columns of pandas that Arrow would convert by their first value: objects of several types, times of several zones.

Arrow takes the type and the time zone of a column of Python objects from its first value, and converts the others to it
silently: 7 after a datetime becomes microseconds, and the local days of all times are those of the first zone.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Number
from typing import TYPE_CHECKING, Any

from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_objects", "refuse_mixture"]

# Types that Arrow converts to one another without loss.
_COMPATIBLE = ({"integer", "float"}, {"integer", "Decimal"})
# `pandas.api.types.infer_dtype` looks at every value for most kinds, but takes datetimes among dates for dates.
_SUSPECT = ("mixed", "date")


def check_objects(frame: Any, names: Iterable[str | None]) -> None:  # noqa: ANN401
    """Raise for a column of a pandas DataFrame that Arrow would convert by its first value.

    Parameters
    ----------
    frame
        A DataFrame of pandas.
    names
        The columns that are read; those that the frame lacks are ignored.
    """
    pandas = sys.modules["pandas"]
    labels = list(frame.columns)
    for name in dict.fromkeys(names):
        if name is None or labels.count(name) != 1:
            continue  # the core names a missing or repeated column
        series = frame[name]
        if isinstance(series.dtype, pandas.PeriodDtype):
            raise InvalidTypeError(
                f"column {name!r} is {series.dtype}, which Arrow holds as ordinals of periods; "
                f"convert it first: df[{name!r}].dt.to_timestamp()",
                column=name,
            )
        refuse_mixture(series, name)


def refuse_mixture(series: Any, name: str) -> None:  # noqa: ANN401
    """Raise if the objects of a column have several types, or are times of several zones."""
    pandas = sys.modules["pandas"]
    is_category = isinstance(series.dtype, pandas.CategoricalDtype)
    values = series.cat.categories if is_category else series
    if values.dtype != "object" or not pandas.api.types.infer_dtype(values).startswith(_SUSPECT):
        return
    if is_category:
        series = series.astype(object)
    if _is_uniform(series):
        return
    seen: dict[str, int] = {}
    for row, value in enumerate(series):
        if pandas.api.types.is_scalar(value) and pandas.isna(value):
            continue
        family = _family(value)
        if family in seen:
            continue
        seen[family] = row
        if len(seen) > 1 and not any(set(seen) <= group for group in _COMPATIBLE):
            first = next(iter(seen))
            raise InvalidTypeError(
                f"column {name!r} contains objects of several types: {_named(first)} in row {seen[first]}, "
                f"{_named(family)} in row {row}; {_remedy(name, seen)}",
                column=name,
                row=row,
            )


def _is_uniform(series: Any) -> bool:  # noqa: ANN401
    """Whether all values are dates, or datetimes of one zone; a quick check of the usual columns."""
    nulls = {"NoneType", "NaTType", "NAType"}
    types = {kind for kind in set(map(type, series)) if kind.__name__ not in nulls}
    if len(types) != 1 or not issubclass(next(iter(types)), date):
        return False
    if not issubclass(next(iter(types)), datetime):
        return True
    return len({value.tzinfo for value in series if type(value) in types}) == 1


def _family(value: object) -> str:
    """The type of a value, and the zone of a datetime."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Decimal):
        return "Decimal"
    if isinstance(value, Integral):
        return "integer"
    if isinstance(value, Number):
        return "float"
    if isinstance(value, datetime):
        return "datetime without a zone" if value.tzinfo is None else f"datetime in {_zone(value)}"
    return type(value).__name__


def _zone(value: datetime) -> str:
    """The name of a zone, or the offset if it has none."""
    zone: Any = value.tzinfo
    name = getattr(zone, "zone", None) or getattr(zone, "key", None)
    return str(name) if name else str(value.isoformat()[-6:] if value.utcoffset() else "UTC")


def _named(family: str) -> str:
    return f"a {family}" if family.startswith("datetime") else family


def _remedy(name: str, seen: Iterable[str]) -> str:
    """How to make the values one type."""
    column, families = f"df[{name!r}]", set(seen)
    if families <= {"bool", "integer", "float", "Decimal"}:
        return f"cast it to one of them first, e.g. {column}.astype(float)"
    if all(family.startswith("datetime in ") for family in families):
        return f"convert it to one zone first: pd.to_datetime({column}, utc=True)"
    if any(family.startswith("datetime in ") for family in families):
        return f"give every time a zone, or none, then pd.to_datetime({column})"
    if all(family == "date" or family.startswith(("datetime", "Timestamp")) for family in families):
        return f"convert it first: pd.to_datetime({column})"
    if "bytes" in families:
        return f"decode the bytes first, e.g. {column}.map(lambda v: v.decode() if isinstance(v, bytes) else v)"
    return f"cast it to one type first, e.g. {column}.astype('string')"
