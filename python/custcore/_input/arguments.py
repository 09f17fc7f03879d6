"""Checks of plain arguments: strings, booleans, integers. Errors name the argument and the expected value."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta, tzinfo

from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError

__all__ = [
    "choice",
    "flag",
    "key",
    "key_names",
    "name",
    "number",
    "optional_key",
    "optional_name",
    "optional_names",
    "optional_whole",
    "pairs",
    "shown",
    "whole",
    "zone",
]


def name(argument: str, value: object) -> str:
    """A string, such as a choice or a column name."""
    if not isinstance(value, str):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a string")
    return value


def optional_name(argument: str, value: object) -> str | None:
    """A string, or None."""
    return None if value is None else name(argument, value)


def optional_names(argument: str, value: object) -> list[str] | None:
    """Several names, or None."""
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a list of strings")
    return [name(argument, part) for part in value]


def key(argument: str, value: object) -> str | list[str]:
    """The columns of a key: a name, or several names for a composite key."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence) or not all(isinstance(part, str) for part in value):
        raise InvalidTypeError(
            f"{argument}={value!r} is {type(value).__name__}; expected a string, or a list of them for a composite key"
        )
    if not value:
        raise InvalidArgumentError(f"{argument} is an empty list; name at least one column")
    return str(value[0]) if len(value) == 1 else list(value)


def optional_key(argument: str, value: object) -> str | list[str] | None:
    """The columns of a key, or None."""
    return None if value is None else key(argument, value)


def key_names(columns: str | Sequence[str] | None) -> list[str]:
    """The names of the columns of a key."""
    return [] if columns is None else [columns] if isinstance(columns, str) else list(columns)


def choice(argument: str, value: object, words: Iterable[str]) -> str:
    """One of a list of choices."""
    word = name(argument, value)
    if word not in words:
        raise InvalidArgumentError(f"{argument}={word!r} is invalid; expected one of {', '.join(map(repr, words))}")
    return word


def flag(argument: str, value: object) -> bool:
    """A boolean, also of numpy."""
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ == "bool":
        return bool(value)
    raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected True or False")


def whole(argument: str, value: object, *, bits: int = 64) -> int:
    """An integer, also of numpy, that the core can hold: of 64 bits, or 63 and a sign."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected an integer")
    if not -(2**63) <= number < 2**bits:
        raise OutOfRangeError(f"{argument}={shown(number)} is outside -2**63 to 2**{bits} - 1")
    return number


def number(argument: str, value: object) -> float:
    """A finite number, also of numpy."""
    try:
        found = None if isinstance(value, bool | str | bytes) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None:
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a number")
    if not math.isfinite(found):
        raise InvalidArgumentError(f"{argument}={found} is invalid; expected a finite number")
    return found


def shown(number: int) -> str:
    """An integer as text, in short if it has more digits than ``str`` converts."""
    return str(number) if number.bit_length() <= 128 else f"<an integer of {number.bit_length()} bits>"


def optional_whole(argument: str, value: object) -> int | None:
    """An integer, or None."""
    return None if value is None else whole(argument, value, bits=63)


def zone(value: object) -> str | None:
    """The name of a time zone, from a name or a ``tzinfo``; None stays."""
    if not isinstance(value, tzinfo):
        return optional_name("timezone", value)
    # zoneinfo has a key, pytz a zone; a fixed offset, such as datetime.UTC, has none.
    name = getattr(value, "key", None) or getattr(value, "zone", None)
    if name:
        return str(name)
    offset = value.utcoffset(None)
    if offset is None:
        raise InvalidTypeError(f"timezone={value!r} has no name; pass one, such as 'Europe/London'")
    if offset.microseconds or offset.seconds % 60:
        raise InvalidArgumentError(f"timezone={value!r} is {offset} from UTC; expected whole minutes")
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"


def pairs(argument: str, value: object) -> list[tuple[str, str]]:
    """A dict of strings to strings, or None."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise InvalidTypeError(
            f"{argument}={value!r} is {type(value).__name__}; expected a dict of column to 'first' or 'last'"
        )
    return [(name(argument, key), name(argument, word)) for key, word in value.items()]
