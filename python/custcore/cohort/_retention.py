"""Cohort retention: returning customers by the period of their first purchase, with the state of observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore.cohort._arguments import cohort_options
from custcore.cohort._presets import with_presets
from custcore.cohort._result import CohortRetention

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone

__all__ = ["cohort_retention"]


@proposing
@with_presets
def cohort_retention(
    data: Data,
    *,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = None,
    order_id: str | Sequence[str] | None = None,
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
    timezone: TimeZone | None = None,
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

    A cell whose window has not begun is not observed (null). A cell whose window is not
    over is partial: it has a value, is marked, and is excluded from averages. A cell whose
    window is over is complete; 0 then means that no customer returned.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
    customer_id : str or list of str, default "customer_id"
        Column of customer ids: integers, strings, binary, or a dictionary of these. A list
        of columns is a composite key, which is null if a part is, and is ordered part by
        part; a single id of it is a tuple. Rows with a null id are left out and reported.
    timestamp : str, default "timestamp"
        Column of dates or timestamps. Rows with a null time are left out and reported.
    amount : str, optional
        Column of money. Default: money is not read, so no row is a refund and every row is
        a purchase.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. Lines
        with the same customer and order id form one order, whose amount is their sum and
        whose time is the earliest. A line with a null order id is an order by itself, and
        reported. Default: every row is an order.
    period : str, default "month"
        Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
        or windows of days such as ``"7d"``, which are counted from ``observation_start``,
        else from 1970-01-01. The k-th period of a customer is k after that of the first
        purchase.
    cohort_period : str, optional
        Period that defines a cohort, e.g. weekly cohorts with daily columns. Default:
        ``period``.
    period_mode : {"calendar", "elapsed"}, default "calendar"
        Calendar periods, or windows of fixed length (days, weeks, ``"30d"``) from each
        customer's first local date.
    return_criteria : {"on", "on_or_after", "on_or_before", "every"}, default "on"
        Who counts in cell k >= 1: customers active in period k; in k or later; in any of 1
        to k; in each of 1 to k. In cell 0 every member counts.
    brackets : sequence of int, optional
        ``[1, 3, 7, 30]``: cells for the periods 1, 2 to 3, 4 to 7 and 8 to 30, named by
        their last period.
    horizon : int, optional
        With ``return_criteria="on_or_after"``: active in k to k + horizon - 1, complete
        when the last of these is over, so that old and young cohorts are comparable. Cell 0
        is the size of the cohort and does not wait for that.
    cohort_by : str, default "first"
        ``"first"``: the cohort is the period of the first purchase; customers who bought
        before ``observation_start`` are in no cohort. ``"first_in_window"``: the period of
        the first purchase from ``observation_start`` on. ``"recurring"``: every period with
        a purchase starts a cohort that its customers are in. Any other string is a column:
        its value at the first purchase (ties by the smallest; null is in no cohort), with
        periods counted from that purchase.
    by : str, optional
        Split everything by this column's value at the first purchase (null is a group).
    start : str, optional
        Boolean column of rows that may start a cohort. An order counts if one of its lines
        does; null is false. Default: every purchase.
    returning : str, optional
        Boolean column of rows that count as coming back, as ``start``. Default: every
        purchase.
    min_occurrences : int, default 1
        Orders needed in a period to be active in it (not at k = 0).
    week_start : str, default "monday"
        First day of the week, in English.
    fiscal_year_start : int, default 1
        Month, 1 to 12, with which years and quarters begin.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive. Default: the last date among rows that
        have an id and a time.
    observation_start : date, datetime or str, optional
        Where observation begins, inclusive; a date means its 00:00. Earlier rows belong to
        no cell. Default: the first day in the data.
    observation_end : date, datetime or str, optional
        Where observation ends, exclusive, instead of ``as_of``; a date means its 00:00.
        Later rows are left out and reported.
    n_periods : int, optional
        Cells 0 to n_periods - 1 for every cohort, null where not observed. Default: all
        that are observed.
    preset : {"posthog", "mixpanel", "amplitude", "pandas"}, optional
        Options with which that tool counts; options given explicitly take precedence.
        Sources, and where a tool's windows differ (hours instead of local days), are in
        :mod:`custcore.presets`.
    rfm : bool, default False
        Whether the same scan also makes the table of :func:`custcore.rfm`, for
        :meth:`custcore.CohortRetention.rfm`.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer. A refund
        lowers the revenue of the cell of its date and is not activity.
    zero_is_purchase : bool, default True
        Whether an order with amount 0 is a purchase. Orders whose amounts are all null
        always are.
    order_lines : {"any", "adjacent"}, default "any"
        ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
        consecutive lines form an order, which needs memory per customer only.
    amount_decimals : int, default 6
        Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
        are then exact and independent of row order. Amounts that this changes by more than
        1 %, such as those read as 0, are reported.
    on_null : {"drop", "error"}, default "drop"
        Whether a null id, time or amount is reported, or an error that names its row.
    on_nonfinite : {"error", "drop"}, default "error"
        Whether an infinite amount is an error that names its row, or left out and reported.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
        the total may be ``None``.

    Returns
    -------
    CohortRetention
        Long and wide tables, averages, movement, revenue retention, the definition in words
        and the report.

    Raises
    ------
    InvalidArgumentError
        If an option is out of range, or two exclude each other.
    OutOfRangeError
        If there would be more than 50 million cells.
    ColumnNotFoundError
        If a column is not in the data.
    InvalidTypeError
        If ``data`` is not a table, or a column has an unsupported type.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.
    SumOverflowError
        If a sum of integers or decimals does not fit its type.
    ArrowImportError
        If the Arrow data are malformed, or their producer failed.

    Notes
    -----
    rate = customers / eligible, with Wilson's 95 % interval (Wilson 1927; Newcombe 1998).
    Cohorts without customers and periods without purchases also have rows. The cells, the
    unattributed row and the excluded rows of the report add up to the input, to the cent
    (except for recurring cohorts, where a customer is in several).

    Examples
    --------
    No customer of January returned in February: 0, complete. One did in March, which is not
    over: partial.

    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["a", "b", "c", "a", "c"],
    ...         "timestamp": [
    ...             datetime.date(2024, *d)
    ...             for d in ((1, 31), (1, 5), (2, 10), (3, 1), (3, 10))
    ...         ],
    ...     }
    ... )
    >>> cohorts = custcore.cohort_retention(orders)
    >>> cells = (
    ...     cohorts.to_table()
    ...     .to_pyarrow()
    ...     .select(["cohort", "period_index", "customers", "is_complete"])
    ... )
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
        as_source(
            data,
            columns_read(read, others=(options[role] for role in ("by", "cohort_column", "start", "returning"))),
        ),
        read,
        options,
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return CohortRetention(core, read, options, preset, notes_of(data))
