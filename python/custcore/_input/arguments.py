"""Checks of plain arguments: strings, booleans, integers. Errors name the argument and the expected value."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING

from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["choice", "flag", "name", "optional_name", "optional_whole", "pairs", "whole"]


def name(argument: str, value: object) -> str:
    """A string, such as a choice or a column name."""
    if not isinstance(value, str):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a string")
    return value


def optional_name(argument: str, value: object) -> str | None:
    """A string, or None."""
    return None if value is None else name(argument, value)


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
