"""Periods as arguments: a month, a quarter, a year, or a first and a last day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

from custcore._input.data import as_of_argument
from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError

if TYPE_CHECKING:
    from custcore._input.data import AsOf

__all__ = ["DayRange", "day_range", "month_of"]

DayRange: TypeAlias = "str | tuple[AsOf, AsOf]"

_EPOCH = date(1970, 1, 1)
_EXPECTED = (
    "expected a month such as '2026-08', a quarter '2026-Q3', a year '2026', or a first and a last day: "
    "('2026-08-01', '2026-08-15')"
)


def day_range(argument: str, value: object) -> tuple[tuple[int, int], bool]:
    """The first and the last day, since 1970, and whether they are a month, a quarter or a year.

    >>> day_range("before", "2026-02")
    ((20485, 20512), True)
    >>> day_range("before", ("2026-02-01", "2026-02-28"))
    ((20485, 20512), False)
    """
    if isinstance(value, str):
        return _calendar(argument, value), True
    if not isinstance(value, Sequence) or len(value) != 2:
        raise InvalidTypeError(f"{argument} is {type(value).__name__}; {_EXPECTED}")
    first, last = (_day(f"{argument}[{i}]", day) for i, day in enumerate(value))
    return (first, last), False


def month_of(argument: str, value: object) -> date:
    """The first day of a month, given as ``"2026-08"`` or by any of its days.

    >>> month_of("month", "2026-08")
    datetime.date(2026, 8, 1)
    """
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value):
        value = _EPOCH + timedelta(days=_calendar(argument, value)[0])
    first = (_EPOCH + timedelta(days=_day(argument, value))).replace(day=1)
    # There has to be a month after it, and a year before.
    if not 2 <= first.year <= 9998:
        raise OutOfRangeError(f"{argument}={value!r} is outside the years 2 to 9998")
    return first


def _day(argument: str, value: object) -> int:
    found = as_of_argument(value, argument)
    if found is None:
        raise InvalidTypeError(f"{argument} is None; expected a date")
    kind, day = found
    if kind == "instant":
        raise InvalidTypeError(f"{argument} is a time with a zone; expected a date: a base stores local days")
    return day


def _calendar(argument: str, text: str) -> tuple[int, int]:
    """The days of a month, a quarter or a year."""
    found = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})))?", text)
    if found is None:
        raise InvalidArgumentError(f"{argument}={text!r} is not a period; {_EXPECTED}")
    year, quarter, month = int(found[1]), found[2], found[3]
    start, months = (3 * int(quarter) - 2, 3) if quarter else (int(month), 1) if month else (1, 12)
    if not 1 <= start <= 12 or not 1 <= year <= 9998:
        raise InvalidArgumentError(f"{argument}={text!r} is not a period; {_EXPECTED}")
    end = 12 * year + start - 1 + months
    first, after = date(year, start, 1), date(end // 12, end % 12 + 1, 1)
    return (first - _EPOCH).days, (after - _EPOCH).days - 1
