"""Checks of the options of value classes and demand classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from custcore._input import arguments
from custcore.cohort._arguments import count, period_argument
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore._core import AbcOptions, XyzOptions

__all__ = ["abc_options", "shares", "xyz_options"]


def abc_options(
    by: object, thresholds: object, rule: object, ties: object, group: object, customer_id: object = None
) -> AbcOptions:
    """The options of value classes for the core, which checks thresholds; `customer_id` is the key."""
    if group is not None and group == customer_id:
        raise InvalidArgumentError(
            f"group={group!r} is the column of customer ids: every customer would be a group of one"
        )
    return {
        "by": arguments.name("by", by),
        "thresholds": None if thresholds is None else shares("thresholds", thresholds),
        "rule": arguments.name("rule", rule),
        "ties": arguments.name("ties", ties),
        "group": arguments.optional_name("group", group),
    }


def xyz_options(
    period: object,
    thresholds: object,
    min_periods: object,
    week_start: object,
    fiscal_year_start: object,
    argument: str = "thresholds",
) -> XyzOptions:
    """The options of demand classes for the core."""
    ends = shares(argument, thresholds)
    if len(ends) != 2:
        raise InvalidArgumentError(f"{argument} has {len(ends)} values; expected two, for X, Y and Z, e.g. (0.5, 1.0)")
    return {
        "period": period_argument("period", period),
        "thresholds": (ends[0], ends[1]),
        "min_periods": count("min_periods", min_periods),
        "week_start": arguments.name("week_start", week_start),
        "fiscal_year_start": count("fiscal_year_start", fiscal_year_start, most=12),
    }


def shares(argument: str, value: object) -> list[float]:
    """A list of numbers."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected numbers such as (0.8, 0.95)")
    numbers = []
    for number in value:
        if isinstance(number, str | bytes | bool) or not hasattr(number, "__float__"):
            raise InvalidTypeError(f"{argument} has {number!r}, a {type(number).__name__}; expected numbers")
        numbers.append(float(number))
    return numbers
