"""Measures per period of polars as functions, which type checkers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from custcore._input.proposals import proposing
from custcore.adapters.polars import CustcoreNamespace

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore.result import Report

__all__ = ["decomposition", "measures"]


@overload
def measures(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: Literal[False] = False,
) -> pl.DataFrame: ...
@overload
def measures(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: Literal[True],
) -> tuple[pl.DataFrame, Report]: ...
@proposing
def measures(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: bool = False,
) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
    """The numbers of every period: ``frame.custcore.measures``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
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
    return_report : bool, default False
        Whether to return the report of what was left out, too.

    Returns
    -------
    polars.DataFrame, or tuple of it and Report
        The columns of :func:`custcore.measures`; with ``return_report=True``
        also the report.
    """
    options: dict[str, Any] = locals()
    found: pl.DataFrame | tuple[pl.DataFrame, Report] = CustcoreNamespace(options.pop("frame")).measures(**options)
    return found


@overload
def decomposition(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: Literal[False] = False,
) -> pl.DataFrame: ...
@overload
def decomposition(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: Literal[True],
) -> tuple[pl.DataFrame, Report]: ...
@proposing
def decomposition(
    frame: pl.DataFrame | pl.LazyFrame,
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
    return_report: bool = False,
) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
    """What changes of revenue consist of: ``frame.custcore.decomposition``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
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
    return_report : bool, default False
        Whether to return the report of what was left out, too.

    Returns
    -------
    polars.DataFrame, or tuple of it and Report
        The columns of :func:`custcore.decomposition`; with ``return_report=True``
        also the report.
    """
    options: dict[str, Any] = locals()
    found: pl.DataFrame | tuple[pl.DataFrame, Report] = CustcoreNamespace(options.pop("frame")).decomposition(**options)
    return found
