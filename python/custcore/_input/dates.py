"""Lists of dates as arguments of analyses that follow customers from date to date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from custcore._input.data import as_of_argument
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from custcore._input.data import AsOf

__all__ = ["listed_dates"]


def listed_dates(dates: Iterable[AsOf], argument: str = "dates") -> list[tuple[str, int]]:
    """The dates for the core, which checks their order."""
    if isinstance(dates, str | bytes) or not isinstance(dates, Iterable):
        raise InvalidTypeError(f"{argument} is {type(dates).__name__}; expected a list of dates, ascending")
    days = [as_of_argument(date, f"{argument}[{i}]") for i, date in enumerate(dates)]
    if None in days:
        raise InvalidTypeError(f"{argument}[{days.index(None)}] is None; expected a date")
    return [day for day in days if day is not None]
