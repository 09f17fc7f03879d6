"""Cohort retention: who comes back, by the period of the first purchase, with cells that say what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._options.cohorts import cohort_options
from custcore._options.read import read_options
from custcore.cohort._presets import with_presets
from custcore.cohort._result import CohortRetention

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._input.data import AsOf, Data, Progress

__all__ = ["cohort_retention"]


@with_presets
def cohort_retention(
    data: Data,
    *,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = None,
    order_id: str | None = None,
    period: str = "month",
    cohort_period: str | None = None,
    period_mode: Literal["calendar", "elapsed"] = "calendar",
    return_criteria: Literal["on", "on_or_after", "on_or_before", "every"] = "on",
    brackets: Iterable[int] | None = None,
    horizon: int | None = None,
    cohort_by: str = "first",
    by: str | None = None,
    start: str | None = None,
    returning: str | None = None,
    min_occurrences: int = 1,
    week_start: str = "monday",
    fiscal_year_start: int = 1,
    timezone: str | None = None,
    as_of: AsOf | None = None,
    observation_start: AsOf | None = None,
    observation_end: AsOf | None = None,
    n_periods: int | None = None,
    preset: Literal["posthog", "mixpanel", "amplitude", "pandas"] | None = None,
    rfm: bool = False,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    amount_decimals: int = 6,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> CohortRetention:
    """Retention of customers and their revenue, by cohort and period since its start.

    A cell whose window has not begun is not observed (null); one whose window is not over is partial: it keeps its
    value, says so, and stays out of averages; one whose window is over is complete, and 0 then means that nobody came.

    Parameters
    ----------
    data
        Transactions, one row per order, or with ``order_id`` one per line of an order: as in :func:`custcore.rfm`.
    customer_id, timestamp, order_id : str
        Columns, as in :func:`custcore.rfm`. Rows without id or time are left out and counted.
    amount : str, optional
        Column of money. Default: no money; then nothing is told a refund, and every row is a purchase.
    period : str, default "month"
        ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or windows of days such as ``"7d"``, which are
        counted from ``observation_start``, else from 1970-01-01. The k-th period of a customer is k after that of the
        first purchase.
    cohort_period : str, optional
        Period that makes a cohort, if it is another: weekly cohorts with daily columns. Default: ``period``.
    period_mode : {"calendar", "elapsed"}
        Periods of the calendar, or windows of fixed length (days, weeks, ``"30d"``) from each customer's own first
        local date.
    return_criteria : {"on", "on_or_after", "on_or_before", "every"}
        Who counts in cell k >= 1: active in period k; in k or any later one; in some of 1 to k; in each of 1 to k. In
        cell 0 every member counts.
    brackets : sequence of int, optional
        ``[1, 3, 7, 30]``: cells for the periods 1, 2 to 3, 4 to 7 and 8 to 30, named by their last period.
    horizon : int, optional
        With ``"on_or_after"``: active in k to k + horizon - 1, complete when the last of them is over, so that old and
        young cohorts compare.
    cohort_by : str, default "first"
        ``"first"``: the period of the first purchase; who bought before ``observation_start`` is in no cohort.
        ``"first_in_window"``: of the first one from ``observation_start`` on. ``"recurring"``: every period with a
        purchase starts a cohort that its customer is in. Any other word is a column: its value at the first purchase
        (ties by the smallest; null is in no cohort), with periods counted from that purchase.
    by : str, optional
        Split everything by this column's value at the first purchase (null is a group of its own).
    start, returning : str, optional
        Boolean columns: rows that may start a cohort, rows that count as coming back. An order counts if one of its
        lines does; null is False. Default: every purchase does both.
    min_occurrences : int, default 1
        Orders needed in a period to be active in it (not at k = 0).
    week_start : str, default "monday"
        First day of the week.
    fiscal_year_start : int, default 1
        Month with which quarters and years begin.
    timezone : str, optional
        The zone in which zoned times are read (default: the column's own). A local day may have 23 or 25 hours.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive. Default: the last date among rows that have an id and a time.
    observation_start, observation_end : date, datetime or str, optional
        Where observation begins (inclusive) and ends (exclusive; not together with ``as_of``). A date means its 00:00.
        Rows from the end on are left out; rows before the start belong to no cell.
    n_periods : int, optional
        Cells 0 to n_periods - 1 for every cohort, null where not observed. Default: what is observed.
    preset : {"posthog", "mixpanel", "amplitude", "pandas"}, optional
        Options with which that tool counts; any that is given by hand wins. Sources, and where a tool's windows
        differ (hours instead of local days), are in ``custcore.presets``.
    rfm : bool, default False
        Whether the same scan also makes the table of :func:`custcore.rfm`, for :meth:`CohortRetention.rfm`.
    returns, zero_is_purchase, order_lines, amount_decimals, on_null, on_nonfinite, n_threads, progress
        As in :func:`custcore.rfm`. A refund lowers the revenue of the cell of its own date and is no activity.

    Returns
    -------
    CohortRetention
        Long and wide tables, averages, movement, revenue retention, the definition in words and the report.

    Raises
    ------
    InvalidArgumentError
        If an option is out of range, or two exclude each other.
    OutOfRangeError
        If there would be more than 50 million cells.
    ColumnNotFoundError, InvalidTypeError, NonFiniteError, SumOverflowError, ArrowImportError
        As in :func:`custcore.rfm`.

    Notes
    -----
    rate = customers / eligible, with Wilson's 95 % interval (Wilson 1927; Newcombe 1998). Cohorts that nobody is in and
    periods in which nobody buys have their rows, too. Cells + the unattributed row + what the report leaves out is the
    input, to the cent (not for recurring cohorts, where a customer is in several).

    Examples
    --------
    Nobody of January came back in February: 0, complete. One did in March, which is not over: partial.

    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["a", "b", "c", "a", "c"],
    ...         "timestamp": [datetime.date(2024, *d) for d in ((1, 31), (1, 5), (2, 10), (3, 1), (3, 10))],
    ...     }
    ... )
    >>> cohorts = custcore.cohort_retention(orders)
    >>> cells = cohorts.to_table().to_pyarrow().select(["cohort", "period_index", "customers", "is_complete"])
    >>> [tuple(row.values()) for row in cells.slice(0, 3).to_pylist()]
    [(datetime.date(2024, 1, 1), 0, 2, True), (datetime.date(2024, 1, 1), 1, 0, True),
     (datetime.date(2024, 1, 1), 2, 1, False)]
    >>> cohorts.matrix("rate").to_pyarrow()["2"].to_pylist()
    [0.5, None, None]
    """
    read = read_options(
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        order_id=order_id,
        order_lines=order_lines,
    )
    options = cohort_options(
        customer_id=customer_id,
        as_of=as_of,
        period=period,
        cohort_period=cohort_period,
        period_mode=period_mode,
        return_criteria=return_criteria,
        brackets=brackets,
        horizon=horizon,
        cohort_by=cohort_by,
        by=by,
        start=start,
        returning=returning,
        min_occurrences=min_occurrences,
        week_start=week_start,
        fiscal_year_start=fiscal_year_start,
        observation_start=observation_start,
        observation_end=observation_end,
        n_periods=n_periods,
        rfm=rfm,
    )
    core = _core.cohort_retention(
        as_source(data),
        read,
        options,
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return CohortRetention(core, read, options, preset)
