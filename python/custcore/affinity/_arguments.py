"""Checks the options of pairs, itemsets and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore._input import arguments
from custcore.errors import InvalidArgumentError, OutOfRangeError

if TYPE_CHECKING:
    from custcore._core import PairOptions

__all__ = ["count", "least", "pair_options", "share"]


def least(argument: str, value: object) -> int | float:
    """A number of baskets, 1 or more, or a share of them, above 0 and below 1."""
    number = arguments.number(argument, value)
    if 0 < number < 1:
        return number
    if number < 1 or number != int(number):
        raise InvalidArgumentError(
            f"{argument}={value!r}: expected 1 or more baskets, a whole number, or a share of them above 0 and below 1"
        )
    return int(number)


def count(argument: str, value: object, *, lowest: int = 1, highest: int | None = None) -> int:
    """A whole number in a range."""
    number = arguments.whole(argument, value, bits=63)
    if number < lowest or (highest is not None and number > highest):
        bounds = f"{lowest} or more" if highest is None else f"{lowest} to {highest}"
        raise OutOfRangeError(f"{argument}={arguments.shown(number)}: expected {bounds}")
    return number


def share(argument: str, value: object) -> float:
    """A number from 0 to 1."""
    number = arguments.number(argument, value)
    if not 0 <= number <= 1:
        raise OutOfRangeError(f"{argument}={value!r}: expected a share, 0 to 1")
    return number


def pair_options(
    *, min_item_baskets: float, min_pair_baskets: float, min_basket: int, test: str, adjust: str, top: int | None
) -> PairOptions:
    """The options of pairs for the core, checked."""
    return {
        "min_item_baskets": least("min_item_baskets", min_item_baskets),
        "min_pair_baskets": least("min_pair_baskets", min_pair_baskets),
        "min_basket": count("min_basket", min_basket),
        "test": arguments.choice("test", test, ("within", "fisher")),
        "adjust": arguments.choice("adjust", adjust, ("bh", "holm", "none")),
        "top": None if top is None else count("top", top),
    }
