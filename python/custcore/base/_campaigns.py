"""Measured effects of campaigns as arguments: what they added, and when they ran."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol

from custcore._input import arguments
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore._core import Increment

__all__ = ["Campaign", "ended_in", "increments", "overlap"]


class Campaign(Protocol):
    """The measured effect of a campaign, such as what :func:`custcore.effect` returns."""

    definition: Mapping[str, Any]

    def increments(self, metric: str = "revenue") -> Sequence[Mapping[str, Any]]: ...


def increments(campaigns: Sequence[Campaign]) -> list[Increment]:
    """What the groups of each campaign added, for the core."""
    return [
        (number, *_increment(f"campaigns[{number}]", found))
        for number, campaign in enumerate(_checked(campaigns))
        for found in campaign.increments(metric="revenue")
    ]


def overlap(campaigns: Sequence[Campaign]) -> str | None:
    """Why increments do not add up; None if no customer can be in two campaigns at once."""
    for (i, a), (j, b) in combinations(enumerate(campaigns), 2):
        one, other = window(a), window(b)
        if one is None or other is None:
            return f"{_both(i, a, j, b)} may have customers in common: their increments are not added up"
        if one[0] <= other[1] and other[0] <= one[1]:
            return (
                f"{_both(i, a, j, b)} ran at the same time and may have customers in common: their increments are "
                "not added up"
            )
    return None


def ended_in(campaigns: Sequence[Campaign], first: date, last: date) -> list[Campaign]:
    """The campaigns whose window ended in these days."""
    found = []
    for number, campaign in enumerate(_checked(campaigns)):
        days = window(campaign)
        if days is None:
            raise InvalidArgumentError(
                f"campaigns[{number}] does not say when its window ended: its definition has no 'first_day' and "
                "'last_day'"
            )
        if first <= days[1] <= last:
            found.append(campaign)
    return found


def window(campaign: Campaign) -> tuple[date, date] | None:
    """The first and the last day of the window after the campaign, if its definition has them."""
    days = [_date(campaign.definition.get(name)) for name in ("first_day", "last_day")]
    return None if days[0] is None or days[1] is None else (days[0], days[1])


def _date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value[:10]) if isinstance(value, str) else None


def _checked(campaigns: Sequence[Campaign]) -> list[Campaign]:
    if isinstance(campaigns, str | Mapping) or not isinstance(campaigns, Iterable):
        raise InvalidTypeError(
            f"campaigns is {type(campaigns).__name__}; expected a list of measured effects: [custcore.effect(...)]"
        )
    found = list(campaigns)
    for number, campaign in enumerate(found):
        if not callable(getattr(campaign, "increments", None)) or not isinstance(
            getattr(campaign, "definition", None), Mapping
        ):
            raise InvalidTypeError(
                f"campaigns[{number}] is {type(campaign).__name__}; expected a measured effect: the result of "
                "custcore.effect(...)"
            )
    return found


def _increment(argument: str, found: Mapping[str, Any]) -> tuple[str, int, float | None, tuple[float, float] | None]:
    low, high = _number(found.get("low")), _number(found.get("high"))
    return (
        arguments.name(f"{argument}: name", found.get("name")),
        arguments.whole(f"{argument}: customers", found.get("customers")),
        _number(found.get("revenue")),
        None if low is None or high is None else (low, high),
    )


def _number(value: Any) -> float | None:  # noqa: ANN401
    return None if value is None or math.isnan(value) else float(value)


def _both(i: int, a: Campaign, j: int, b: Campaign) -> str:
    names = [
        ", ".join(repr(found.get("name")) for found in campaign.increments(metric="revenue")) or f"campaigns[{at}]"
        for at, campaign in ((i, a), (j, b))
    ]
    return f"the campaigns {names[0]} and {names[1]}"
