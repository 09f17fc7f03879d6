"""Checks the arguments of ``custcore.cohort_retention``, one by one and together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from custcore._input import arguments
from custcore._input.data import bound_argument
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import CohortOptions
    from custcore._input.data import AsOf

__all__ = ["COHORT_WORDS", "cohort_options", "count", "period_argument"]

# Choices of `cohort_by`; any other string is the name of a column.
COHORT_WORDS = ("first", "first_in_window", "recurring")


_PERIODS = ("day", "week", "month", "quarter", "year")
_MAX_DAYS = 3_652_059  # from year 1 to 9999


def cohort_options(
    *,
    customer_id: str | Sequence[str],
    as_of: AsOf | None,
    period: str,
    cohort_period: str | None,
    period_mode: str,
    return_criteria: str,
    brackets: Iterable[int] | None,
    horizon: int | None,
    cohort_by: str,
    by: str | None,
    start: str | None,
    returning: str | None,
    min_occurrences: int,
    week_start: str,
    fiscal_year_start: int,
    observation_start: AsOf | None,
    observation_end: AsOf | None,
    n_periods: int | None,
    rfm: bool,
) -> CohortOptions:
    """The options, checked.

    Raises
    ------
    InvalidArgumentError
        If an option is out of range, or two exclude each other.
    InvalidTypeError
        If an option has the wrong type.
    """
    one = period_argument("period", period)
    word = arguments.name("cohort_by", cohort_by)
    column = None if word in COHORT_WORDS else word
    group = arguments.optional_name("by", by)
    for argument, name in (("by", group), ("cohort_by", column)):
        if name is not None and arguments.key_names(customer_id) == [name]:
            raise InvalidArgumentError(
                f"{argument}={name!r} is the column of customer ids: every customer would be a group of one"
            )
    options: CohortOptions = {
        "period": one,
        "cohort_period": one if cohort_period is None else period_argument("cohort_period", cohort_period),
        "period_mode": arguments.name("period_mode", period_mode),
        "return_criteria": arguments.name("return_criteria", return_criteria),
        "brackets": _brackets(brackets),
        "horizon": _optional_count("horizon", horizon),
        "cohort_by": "column" if column is not None else word,
        "cohort_column": column,
        "by": group,
        "start": arguments.optional_name("start", start),
        "returning": arguments.optional_name("returning", returning),
        "min_occurrences": count("min_occurrences", min_occurrences),
        "week_start": arguments.name("week_start", week_start),
        "fiscal_year_start": count("fiscal_year_start", fiscal_year_start, most=12),
        "observation_start": bound_argument("observation_start", observation_start),
        "observation_end": bound_argument("observation_end", observation_end),
        "n_periods": _optional_count("n_periods", n_periods),
        "rfm": arguments.flag("rfm", rfm),
    }
    _check_together(options, as_of)
    return options


# The last ends before which there is no whole day, in the units of `bound_argument`: year 1 begins at this day. An
# instant may be a day earlier where its zone is.
_FIRST_DAY = (date.min - date(1970, 1, 1)).days
_FIRST_END = {"date": _FIRST_DAY, "naive": _FIRST_DAY * 86_400_000_000, "instant": (_FIRST_DAY + 1) * 86_400_000_000}


def _check_together(options: CohortOptions, as_of: AsOf | None) -> None:
    """Raise for options that exclude each other."""
    if options["period_mode"] == "elapsed" and options["period"][0] not in {"day", "week", "days"}:
        raise InvalidArgumentError(
            f"period_mode='elapsed' counts days, weeks or windows such as '30d' from each customer's first day; "
            f"period={options['period'][0]!r} has no fixed length. Choose e.g. period='30d', "
            "with cohort_period='month' for cohorts by month"
        )
    if options["horizon"] is not None and options["return_criteria"] != "on_or_after":
        raise InvalidArgumentError("horizon= limits return_criteria='on_or_after'; give both, or neither")
    if options["brackets"] is not None:
        if options["return_criteria"] != "on":
            raise InvalidArgumentError("brackets= requires return_criteria='on': active in a bracket of periods")
        if options["n_periods"] is not None:
            raise InvalidArgumentError("brackets= and n_periods= exclude each other: the last bracket is the end")
    begin, end = options["observation_start"], options["observation_end"]
    if as_of is not None and end is not None:
        raise InvalidArgumentError(
            "as_of= (the last day that counts) and observation_end= (the first moment that does not) are one bound; "
            "pass only one of them"
        )
    if end is not None and end[1] <= _FIRST_END[end[0]]:
        raise InvalidArgumentError(
            "observation_end is the first day there is or before it, so nothing would be observed"
        )
    if begin is not None and end is not None and begin[0] == end[0] and end[1] <= begin[1]:
        raise InvalidArgumentError("observation_end is not after observation_start, so nothing would be observed")


def period_argument(argument: str, value: object) -> tuple[str, int]:
    """``"month"`` as ("month", 1), ``"7d"`` as ("days", 7)."""
    text = arguments.name(argument, value)
    if text in _PERIODS:
        return text, 1
    match = re.fullmatch(r"([0-9]{1,7})d", text)
    days = int(match[1]) if match else 0
    if not 1 <= days <= _MAX_DAYS:
        words = ", ".join(map(repr, _PERIODS))
        raise InvalidArgumentError(f"{argument}={text!r} is invalid; expected one of {words}, or a window such as '7d'")
    return ("day", 1) if days == 1 else ("days", days)


def count(argument: str, value: object, most: int = 2**31 - 1) -> int:
    number = arguments.whole(argument, value)
    if not 1 <= number <= most:
        raise InvalidArgumentError(f"{argument}={number} is outside 1 to {most:,}")
    return number


def _optional_count(argument: str, value: object) -> int | None:
    return None if value is None else count(argument, value)


def _brackets(value: object) -> list[int] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidTypeError(f"brackets={value!r} is {type(value).__name__}; expected integers such as [1, 3, 7]")
    ends = [count("brackets", end) for end in value]
    if not ends or any(a >= b for a, b in pairwise(ends)):
        raise InvalidArgumentError(
            f"brackets={ends} must ascend, e.g. [1, 3, 7, 30] for the periods 1, 2 to 3, 4 to 7 and 8 to 30"
        )
    return ends
