"""Summaries of purchases as arguments: tables of one row per customer, from a base or from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source
from custcore.clv._time import unit_days
from custcore.errors import InvalidArgumentError, InvalidTypeError, SummaryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import AsOf, Data

__all__ = ["COLUMNS", "purchase_days", "read_summary", "with_holdout"]

# The names that the core looks for: custcore's, those of lifetimes, those of BTYD.
COLUMNS = (
    *("x", "t_x", "T", "m_x", "x_holdout", "m_holdout", "holdout_days", "x_before", "m_before"),
    *("frequency", "recency", "monetary_value"),
    *("frequency_cal", "recency_cal", "T_cal", "monetary_value_cal"),
    *("frequency_holdout", "monetary_value_holdout", "duration_holdout"),
    *("t.x", "T.cal", "m.x", "x.star", "m.star"),
)


def read_summary(
    summary: Data,
    *,
    customer_id: str | Sequence[str] | None = None,
    by: str | None = None,
    weights: str | None = None,
    unit: str | None = None,
    as_of: AsOf | None = None,
    n_threads: int | None = None,
) -> _core.ClvSummary:
    """A summary, read and checked by the core; ``as_of`` later than its end makes every customer older."""
    given: object = summary
    if isinstance(getattr(given, "_core", None), _core.CustomerBase):
        raise InvalidTypeError("summary is a CustomerBase; pass base.clv_summary(), which has one row per customer")
    keys = arguments.key_names(arguments.optional_key("customer_id", customer_id))
    weights = arguments.optional_name("weights", weights)
    # Without names of ids the metadata of the table has them, which only the core reads: then all columns are passed.
    names = [*keys, by, weights] if keys else None
    found = _core.ClvSummary.read(
        as_source(summary, names, COLUMNS),
        customer_id=keys or None,
        by=by,
        weights=weights,
        unit_days=None if unit is None else unit_days("unit", unit),
        n_threads=n_threads,
    )
    day = as_of_argument(as_of)
    return found if day is None else found.shifted(day)


def with_holdout(summary: _core.ClvSummary) -> _core.ClvSummary:
    """The summary, if it has what happened afterwards."""
    if not summary.has_holdout:
        raise InvalidArgumentError(
            "the summary has no hold-out (x_holdout, holdout_days) to compare expectations with; make it with "
            "base.clv_summary(calibration_end=...), some time before the last day of the base"
        )
    return summary


def purchase_days(x: object) -> int:
    """The number of repeat purchase days of a customer."""
    number = arguments.whole("x", x)
    if not 0 <= number < 2**31:
        raise SummaryError(f"x={number} is no number of repeat purchase days; expected 0 or more")
    return number
