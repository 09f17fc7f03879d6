"""Units of time and horizons. Everything is computed in days; a unit names parameters and log-likelihoods only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore._input import arguments
from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "UNITS",
    "Horizon",
    "Horizons",
    "finite_horizon",
    "horizon_days",
    "horizons_argument",
    "unit_days",
    "whole_days",
]

Horizon: TypeAlias = "float | str | timedelta | None"
Horizons: TypeAlias = "Horizon | Sequence[Horizon]"

# Lengths in days. Months and years are means: calendar months differ, and a horizon is the same for every customer.
UNITS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
_LENGTHS = {"d": 1.0, "w": 7.0, "mo": 30.4375, "y": 365.25}
# Beyond it a horizon is a mistake of units, and a model of today's customers no forecast.
_LONGEST = 1_000_000.0
_EXPECTED = "expected days, a timedelta, or a text such as '12w', '6mo', '1y'"


def unit_days(argument: str, unit: object) -> float:
    """The days of a unit.

    >>> unit_days("unit", "week")
    7.0
    """
    return UNITS[arguments.choice(argument, unit, UNITS)]


def horizon_days(argument: str, value: object) -> float | None:
    """A horizon in days; None, which has no end, stays.

    >>> [horizon_days("horizon", value) for value in (90, "12w", "6mo", "1y", None)]
    [90.0, 84.0, 182.625, 365.25, None]
    """
    if value is None:
        return None
    if isinstance(value, str):
        days = _parsed(argument, value)
    elif isinstance(value, timedelta):
        days = value / timedelta(days=1)
    elif type(value).__module__ == "numpy" and type(value).__name__ == "timedelta64":
        days = _of_numpy(argument, value)
    else:
        try:
            days = arguments.number(argument, value)
        except InvalidTypeError:
            raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; {_EXPECTED}") from None
        except InvalidArgumentError:
            raise InvalidArgumentError(f"{argument}={value} is invalid; {_EXPECTED}, or None for no end") from None
    if days < 0:
        raise InvalidArgumentError(f"{argument}={value!r} is negative; {_EXPECTED}")
    if days > _LONGEST:
        raise OutOfRangeError(f"{argument}={value!r} is more than {_LONGEST:,.0f} days; None is a horizon without end")
    return days


def horizons_argument(argument: str, value: object) -> tuple[list[float | None], bool]:
    """One horizon or several, in days, and whether they are a list."""
    if isinstance(value, str | bytes | timedelta) or not isinstance(value, Iterable):
        return [horizon_days(argument, value)], False
    found = [horizon_days(f"{argument}[{i}]", one) for i, one in enumerate(value)]
    if not found:
        raise InvalidArgumentError(f"{argument} is empty; give at least one horizon")
    if len(set(found)) < len(found):
        raise InvalidArgumentError(f"{argument}={found} names a horizon twice")
    return found, True


def finite_horizon(argument: str, value: object) -> float:
    """One horizon with an end, in days."""
    days = horizon_days(argument, value)
    if days is None:
        raise InvalidArgumentError(f"{argument}=None has no end, and purchases without end have no number; {_EXPECTED}")
    return days


def whole_days(argument: str, value: object) -> int:
    """A length of whole days, at least one: a period, or the days that were held out."""
    word = {"day": 1, "week": 7}.get(value) if isinstance(value, str) else None
    days = finite_horizon(argument, value) if word is None else float(word)
    if days < 1 or days != int(days):
        raise InvalidArgumentError(
            f"{argument}={value!r} is {days:g} days; expected whole days, at least one, such as 28 or '4w'"
        )
    return int(days)


def _parsed(argument: str, text: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(d|w|mo|y)\s*", text)
    if found is None:
        raise InvalidArgumentError(f"{argument}={text!r} is not a length of time; {_EXPECTED} (units d, w, mo, y)")
    return float(found[1]) * _LENGTHS[found[2]]


def _of_numpy(argument: str, value: Any) -> float:  # noqa: ANN401
    try:
        length = value.astype("timedelta64[us]", casting="same_kind").item()
    except (TypeError, ValueError):
        length = None
    if not isinstance(length, timedelta):
        raise InvalidArgumentError(f"{argument}={value!r} has no length in days; {_EXPECTED}")
    return length / timedelta(days=1)
