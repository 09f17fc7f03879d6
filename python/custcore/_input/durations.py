"""Lengths of time as arguments, in microseconds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore._input import arguments
from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Duration", "microseconds"]

Duration: TypeAlias = "float | str | timedelta"

_UNITS: Mapping[str, timedelta] = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
# Beyond it a length is a mistake of units.
_LONGEST = timedelta(days=1_000_000)
_EXPECTED = "expected days, a timedelta, or a text such as '3d', '12h', '30min' (units w, d, h, min, s)"


def microseconds(argument: str, value: object) -> int:
    """A length above 0.

    >>> [
    ...     microseconds("window", value) // 10**6
    ...     for value in (0.5, "3d", "1.5h", timedelta(minutes=1))
    ... ]
    [43200, 259200, 5400, 60]
    """
    length = _length(argument, value)
    if length <= timedelta(0):
        raise InvalidArgumentError(f"{argument}={value!r} is not longer than 0; {_EXPECTED}")
    if length > _LONGEST:
        raise OutOfRangeError(f"{argument}={value!r} is more than {_LONGEST.days:,} days; {_EXPECTED}")
    return length // timedelta(microseconds=1)


def _length(argument: str, value: object) -> timedelta:
    if isinstance(value, timedelta):
        return timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    try:
        if isinstance(value, str):
            found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(w|d|h|min|s)\s*", value)
            if found is None:
                raise InvalidArgumentError(f"{argument}={value!r} is not a length of time; {_EXPECTED}")
            return float(found[1]) * _UNITS[found[2]]
        if type(value).__module__ == "numpy" and type(value).__name__ == "timedelta64":
            return _of_numpy(argument, value)
        return arguments.number(argument, value) * _UNITS["d"]
    except InvalidTypeError:
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; {_EXPECTED}") from None
    except OverflowError:
        raise OutOfRangeError(f"{argument}={value!r} is more than {_LONGEST.days:,} days; {_EXPECTED}") from None


def _of_numpy(argument: str, value: Any) -> timedelta:  # noqa: ANN401
    try:
        length = value.astype("timedelta64[us]", casting="same_kind").item()
    except (TypeError, ValueError):
        length = None
    if not isinstance(length, timedelta):
        raise InvalidArgumentError(f"{argument}={value!r} has no fixed length; {_EXPECTED}")
    return length
