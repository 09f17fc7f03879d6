"""Checks of plain arguments: strings, booleans, integers. Errors name the argument and the expected value."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "choice",
    "flag",
    "key",
    "key_names",
    "name",
    "optional_key",
    "optional_name",
    "optional_whole",
    "pairs",
    "whole",
]


def name(argument: str, value: object) -> str:
    """A string, such as a choice or a column name."""
    if not isinstance(value, str):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a string")
    return value


def optional_name(argument: str, value: object) -> str | None:
    """A string, or None."""
    return None if value is None else name(argument, value)


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


def whole(argument: str, value: object) -> int:
    """An integer, also of numpy."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected an integer")
    return number


def optional_whole(argument: str, value: object) -> int | None:
    """An integer, or None."""
    return None if value is None else whole(argument, value)


def pairs(argument: str, value: object) -> list[tuple[str, str]]:
    """A dict of strings to strings, or None."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise InvalidTypeError(
            f"{argument}={value!r} is {type(value).__name__}; expected a dict of column to 'first' or 'last'"
        )
    return [(name(argument, key), name(argument, word)) for key, word in value.items()]
