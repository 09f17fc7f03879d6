"""``custcore.funnel``: how many customers take each of several steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, bound_argument
from custcore._input.durations import microseconds
from custcore._input.proposals import proposing
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf, Data
    from custcore._input.durations import Duration

__all__ = ["funnel"]


@proposing
def funnel(
    data: Data,
    steps: Sequence[str],
    window: Duration,
    *,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    event: str = "event",
    by: str | None = None,
    strict: bool = False,
    order: Literal["ordered", "any"] = "ordered",
    observation_end: AsOf | None = None,
    n_threads: int | None = None,
) -> Table:
    """How many customers take each of several steps, within a window after the first one.

    A start is an event of the first step whose window is over by the end of observation. From
    it each further step takes its earliest event at or after that of the step before, and
    within the window. A customer counts once: with the start that gets farthest, and of
    several with the earliest.

    Parameters
    ----------
    data : table
        Events, one row each: any table that :func:`custcore.rfm` takes.
    steps : sequence of str
        The names of the events that are steps, 2 to 100 of them.
    window : float, timedelta or str
        How long after the start a step counts, inclusive: days, a ``timedelta``, or a text
        such as ``"3d"``, ``"12h"``, ``"30min"`` (units w, d, h, min, s).
    customer_id : str or list of str, default "customer_id"
        Column of customer ids: integers, strings, binary, or a dictionary of these. A list
        of columns is a composite key, which is null if a part is, and is ordered part by
        part; a single id of it is a tuple. Rows with a null id are left out and reported.
    timestamp : str, default "timestamp"
        Column of dates or timestamps. Rows with a null time are left out and reported.
    event : str, default "event"
        Column of the names of events: strings, a dictionary of them, or values that are
        compared as text. Rows with a null name are left out and reported, and so are events
        that are no step.
    by : str, optional
        Column of groups, each with rows of its own. A customer is in the group of the start
        that counts; null is a group, the last one. Default: all customers.
    strict : bool, default False
        Whether a step must be later than the one before. By default it may be at the same
        time, as days or seconds of a log often are.
    order : {"ordered", "any"}, default "ordered"
        ``"ordered"``: steps are taken as listed, whatever happens between them. ``"any"``:
        a start is an event of any step, and a row is the number of different steps taken;
        ``name`` is null.
    observation_end : date, datetime or str, optional
        The first moment that was not observed; events from then on are left out and
        reported. A date is its 00:00, in the zone of the column. Default: the end of the
        last day with an event.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        One row for each step, with ``by`` of each group in the order of values: the column
        ``by``, ``step`` (int64, from 1), ``name`` (string), ``customers`` (int64, who took the
        step), ``customers_open`` (int64, first step only: customers who only have starts
        whose window is not over; they are in no other number), ``rate`` = customers / those
        of step 1, ``step_rate`` = customers / those of the step before, each with its 95 %
        interval (``rate_low``, ``rate_high``, ``step_rate_low``, ``step_rate_high``; Wilson
        1927), and of those who took the step the medians of the time since the step before
        and since the start, ``median_seconds`` and ``median_seconds_from_start`` (type 7).
        Rates are float64, and null where nobody could take the step; medians are null at
        step 1 and where nobody took the step.

        The report counts rows that were left out: ``null_customer_id``, ``null_timestamp``,
        ``after_observation_end``, ``null_event``, ``other_events`` (no step), and notes
        ``null_group`` (steps without a value of ``by``). A step that no event has is a remark.

    Raises
    ------
    InvalidArgumentError
        If steps are fewer than two, or one is named twice; if the window is not longer than
        0; if ``strict`` is combined with ``order="any"``.
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or its type cannot be what it is named for; if
        ``observation_end`` has a zone and the times have none, or the reverse.
    OutOfRangeError
        If a time is outside the years 1 to 9999; it names the row.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> def at(day, hour):
    ...     return datetime.datetime(2026, 1, day, hour)
    >>> events = pa.table(
    ...     {
    ...         "customer_id": [1, 1, 1, 2, 2, 3],
    ...         "timestamp": [at(1, 8), at(1, 9), at(1, 12), at(2, 8), at(4, 9), at(9, 8)],
    ...         "event": ["view", "cart", "order", "view", "cart", "view"],
    ...     }
    ... )
    >>> found = custcore.funnel(events, ["view", "cart", "order"], "1d")
    >>> list(found.select(["name", "customers", "customers_open", "rate"]).rows())
    [('view', 2, 1, 1.0), ('cart', 1, None, 0.5), ('order', 1, None, 0.5)]
    >>> found["median_seconds"].to_pylist()
    [None, 3600.0, 10800.0]
    """
    ids = arguments.key("customer_id", customer_id)
    names = [*arguments.key_names(ids), arguments.name("timestamp", timestamp), arguments.name("event", event)]
    group = arguments.optional_name("by", by)
    if group is not None and [group] == arguments.key_names(ids):
        raise InvalidArgumentError(
            f"by={group!r} is the column of customer ids: every customer would be a group of one"
        )
    return Table(
        _core.funnel(
            as_source(data, [*names, group] if group is not None else names),
            customer_id=ids,
            timestamp=timestamp,
            event=event,
            by=group,
            steps=_steps(steps),
            window=microseconds("window", window),
            strict=arguments.flag("strict", strict),
            order=arguments.name("order", order),
            observation_end=bound_argument("observation_end", observation_end),
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )


def _steps(steps: object) -> list[str]:
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise InvalidTypeError(
            f"steps={steps!r} is {type(steps).__name__}; expected a list of the names of events, in their order"
        )
    return [arguments.name(f"steps[{i}]", step) for i, step in enumerate(steps)]
