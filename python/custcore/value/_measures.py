"""Measures per period of transactions, and the effects that a change of revenue consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore.result import Table
from custcore.value._measures_arguments import decomposition_argument, measures_options, segments_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone

__all__ = ["decomposition", "measures"]


@proposing
def measures(
    data: Data,
    *,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    period: str = "month",
    by: str | Data | None = None,
    segment: str = "segment",
    week_start: str = "monday",
    fiscal_year_start: int = 1,
    timezone: TimeZone | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    amount_decimals: int = 6,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """The numbers of every period: customers, orders, revenue, and the rates made of them.

    Transactions are scanned once; with ``by`` also by customer and day. A period that is not
    over keeps its values and is marked.

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
    amount : str or None, default "amount"
        Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is
        reported. ``None``: money is not read, and the result has no monetary columns.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. Lines
        with the same customer and order id form one order, whose amount is their sum and
        whose time is the earliest. A line with a null order id is an order by itself, and
        reported. Default: every row is an order.
    period : str, default "month"
        Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
        windows of days such as ``"7d"``, which are counted from 1970-01-01, or ``"all"``:
        all time as one row.
    by : str or table, optional
        Groups, each with rows of its own: the name of a column, whose value at the first
        purchase counts (ties by the smallest; null is a group), or a table with one row per
        customer: the columns of customer ids, else its first column, and ``segment``.
        Customers who are not in the table are the group null. Who is new, retained or
        churned is so within the group. Default: all customers.
    segment : str, default "segment"
        The column of segments of a table ``by``.
    week_start : str, default "monday"
        First day of the week, in English.
    fiscal_year_start : int, default 1
        Month, 1 to 12, with which years and quarters begin.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and reported.
        Default: the last date among rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer. A refund
        counts on its own day.
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
    Table
        One row for each period from that of the first purchase to that of the last day, none
        skipped; with ``by`` for each group and period, after a column of groups. Counts are
        int64, rates float64, null where their denominator is 0:

        - ``period_start``, ``period_end`` (date32, exclusive), ``is_complete`` (the period is
          over by the end of the last day), ``left_truncated`` (the first period: all of its
          customers are new, although some may have bought before the data begin);
        - ``customers``: who bought by the end of the period; ``active``: who bought in it, of
          whom ``new`` for the first time, ``retained`` also in the period before,
          ``reactivated`` earlier, but not in the period before; ``churned``: active in the
          period before, not in this one;
        - ``orders``, ``rows``: purchases and their rows; ``repeat_customers``: with at least
          two orders in the period;
        - ``gross``: the purchases; ``refund_orders``, ``refunds`` (not positive): on their own
          day; ``revenue`` = gross + refunds; in the type of ``monetary_total``, omitted without
          an amount column;
        - ``average_order_value`` = revenue / orders, ``purchase_frequency`` = orders / active,
          ``revenue_per_customer`` = revenue / active, ``repurchase_rate`` = repeat_customers /
          active;
        - against ``before``, those active in the period before (null in the first row):
          ``retention_rate`` = retained / before, ``churn_rate`` = churned / before,
          ``growth_rate`` = active / before - 1; ``quick_ratio`` = (new + reactivated) /
          churned.

        With ``period="all"`` the numbers that compare periods are null, and the row ends with
        the last day.

    Raises
    ------
    InvalidArgumentError
        If an option is out of range, or a customer is twice in a table ``by``.
    OutOfRangeError
        If there would be more than 50 million rows.
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
    The sum of ``revenue`` and of what the report left out is the sum of the input, to the cent.
    Refunds of customers who never bought are in the report, and in no period, as are refunds in
    a period before that of the first purchase (``before_first_period``).
    Customer movement is that of :meth:`custcore.CohortRetention.movement`; the quick ratio is
    Social Capital's (Mamoon Hamid, 2015) for customers instead of revenue.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["ann", "bob", "ann", "bob", "cleo", "cleo"],
    ...         "timestamp": [
    ...             datetime.date(2026, *day)
    ...             for day in ((1, 5), (1, 9), (2, 3), (2, 4), (2, 20), (2, 28))
    ...         ],
    ...         "amount": [10.0, 20.0, 12.0, -5.0, 8.0, 9.0],
    ...     }
    ... )
    >>> found = custcore.measures(orders)
    >>> list(found.select(["active", "new", "churned", "repeat_customers"]).rows())
    [(2, 2, 0, 0), (2, 1, 1, 1)]
    >>> list(found.select(["gross", "refunds", "revenue", "retention_rate"]).rows())
    [(30.0, 0.0, 30.0, None), (29.0, -5.0, 24.0, 0.5)]
    """
    return _scan(None, **locals())


@proposing
def decomposition(
    data: Data,
    *,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    period: str = "month",
    lag: int = 1,
    by: str | Data | None = None,
    include_partial: bool = False,
    segment: str = "segment",
    week_start: str = "monday",
    fiscal_year_start: int = 1,
    timezone: TimeZone | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    amount_decimals: int = 6,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """What a change of revenue consists of: customers, orders per customer, order value, refunds.

    With revenue = active customers * orders per customer * money per order + refunds, each
    factor has the effect by which it changed the revenue. The effects add up to the change.

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
    amount : str or None, default "amount"
        Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is
        reported. ``None``: money is not read, and the result has no monetary columns.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. Lines
        with the same customer and order id form one order, whose amount is their sum and
        whose time is the earliest. A line with a null order id is an order by itself, and
        reported. Default: every row is an order.
    period : str, default "month"
        Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
        or windows of days such as ``"7d"``, which are counted from 1970-01-01.
    lag : int, default 1
        With which earlier period one is compared: 1 is the one before, 12 months the year
        before.
    by : str or table, optional
        Groups, each with rows of its own: the name of a column, whose value at the first
        purchase counts (ties by the smallest; null is a group), or a table with one row per
        customer: the columns of customer ids, else its first column, and ``segment``.
        Customers who are not in the table are the group null. Who is new, retained or
        churned is so within the group. Default: all customers.
    include_partial : bool, default False
        Whether periods that are not complete are compared, too; they are marked in the
        measures.
    segment : str, default "segment"
        The column of segments of a table ``by``.
    week_start : str, default "monday"
        First day of the week, in English.
    fiscal_year_start : int, default 1
        Month, 1 to 12, with which years and quarters begin.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and reported.
        Default: the last date among rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer. A refund
        counts on its own day.
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
    Table
        One row for each period that is compared with an earlier one, ``lag`` periods before:
        ``period_start``, ``from_start`` (date32), ``change`` of the revenue,
        ``customers_effect``, ``frequency_effect``, ``order_value_effect``, ``refunds_effect``
        (float64, money); with ``by`` also ``mix_effect``: what the shares of the groups among
        the customers changed. With ``by`` effects are summed over the groups.

    Raises
    ------
    InvalidArgumentError
        If an option is out of range, ``amount`` is ``None``, or a customer is twice in a table
        ``by``.
    OutOfRangeError
        If there would be more than 50 million rows.
    ColumnNotFoundError
        If a column is not in the data.
    InvalidTypeError
        If ``data`` is not a table, or a column has an unsupported type.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.
    ArrowImportError
        If the Arrow data are malformed, or their producer failed.

    Notes
    -----
    The effects are those of the logarithmic mean Divisia index (Ang, Energy Policy 33, 2005):
    L(gross, gross before) * ln(factor / factor before) with L(a, b) = (a - b) / ln(a / b). It
    leaves no residual, and no effect depends on the order of the factors. Where there are no
    customers in one of the periods, all of the change of gross is the effect of customers (of
    one of several groups: the mix); where orders are worth nothing, that of order value.
    Refunds are apart, because a period of net refunds has no logarithm.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "ann"],
    ...         "timestamp": [
    ...             datetime.date(2026, *day) for day in ((1, 5), (2, 3), (2, 4), (2, 28))
    ...         ],
    ...         "amount": [10.0, 20.0, 20.0, -5.0],
    ...     }
    ... )
    >>> found = custcore.decomposition(orders)
    >>> list(found.select(["change", "customers_effect", "order_value_effect"]).rows())
    [(25.0, 15.0, 15.0)]
    >>> found.to_numpy("refunds_effect")
    array([-5.])
    """
    compared = decomposition_argument(lag, include_partial)
    options = {name: value for name, value in locals().items() if name not in {"lag", "include_partial", "compared"}}
    return _scan(compared, **options)


def _scan(
    compared: tuple[int, bool] | None,
    *,
    data: Data,
    period: str,
    by: str | Data | None,
    segment: str,
    week_start: str,
    fiscal_year_start: int,
    n_threads: int | None,
    progress: Progress | None,
    **reading: Any,  # noqa: ANN401 (the arguments of read_options)
) -> Table:
    """The measures of transactions, or their decomposition, of which ``compared`` is the lag and what it includes."""
    read = read_options(**reading)
    options = measures_options(
        customer_id=reading["customer_id"],
        period=period,
        by=by,
        week_start=week_start,
        fiscal_year_start=fiscal_year_start,
        decomposition=compared,
    )
    table = _core.measures(
        as_source(data, columns_read(read, others=[options["by"]])),
        read,
        options,
        segments_argument(by, segment),
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return Table(table)._noted(notes_of(data))
