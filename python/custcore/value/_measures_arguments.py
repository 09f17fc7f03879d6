"""Checks the arguments of ``custcore.measures`` and ``decomposition``, for data and for a base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore._input import arguments
from custcore._input.data import as_source
from custcore.cohort._arguments import count, period_argument
from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import MeasuresOptions
    from custcore._input.data import Data

__all__ = ["decomposition_argument", "measures_options", "segments_argument"]


def measures_options(
    *,
    customer_id: str | Sequence[str],
    period: str,
    by: str | Data | None,
    week_start: str,
    fiscal_year_start: int,
    decomposition: tuple[int, bool] | None = None,
) -> MeasuresOptions:
    """The options for the core, checked."""
    column = by if isinstance(by, str) else None
    if column is not None:
        arguments.name("by", column)
        if arguments.key_names(customer_id) == [column]:
            raise InvalidArgumentError(
                f"by={column!r} is the column of customer ids: every customer would be a group of one"
            )
    return {
        "period": _period(period, decomposition),
        "by": column,
        "week_start": arguments.name("week_start", week_start),
        "fiscal_year_start": count("fiscal_year_start", fiscal_year_start, most=12),
        "decomposition": decomposition,
    }


def decomposition_argument(lag: int, include_partial: bool) -> tuple[int, bool]:
    """The options of a decomposition for the core, checked."""
    return count("lag", lag), arguments.flag("include_partial", include_partial)


def segments_argument(by: str | Data | None, segment: str) -> tuple[object, str] | None:
    """The table of groups for the core, and its column of segments; None if ``by`` is no table."""
    column = arguments.name("segment", segment)
    return None if by is None or isinstance(by, str) else (as_source(by), column)


def _period(period: str, decomposition: tuple[int, bool] | None) -> tuple[str, int]:
    if period == "all":
        if decomposition is not None:
            raise InvalidArgumentError(
                "period='all' is one period, and a decomposition compares two; choose e.g. period='month'"
            )
        return "all", 0
    try:
        return period_argument("period", period)
    except InvalidArgumentError as error:
        words = str(error)
        raise InvalidArgumentError(words if decomposition is not None else f"{words}, or 'all'") from None
