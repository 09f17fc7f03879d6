"""RFM of polars as functions, which type checkers know; ``df.custcore`` is not known to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from custcore._input.proposals import proposing
from custcore.adapters.polars import CustcoreNamespace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from custcore._input.data import AsOf, Progress, TimeZone
    from custcore._rfm.scorer_arguments import Bins, Cuts, Segments
    from custcore.result import Report

__all__ = ["rfm", "rfm_scores"]


@overload
def rfm(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: Literal[False] = False,
) -> pl.DataFrame: ...


@overload
def rfm(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: Literal[True],
) -> tuple[pl.DataFrame, Report]: ...


@proposing
def rfm(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: bool = False,
) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
    """Recency, frequency and money of every buyer: ``frame.custcore.rfm``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
    columns : sequence of str, optional
        Columns of the result, in this order; only what they need is computed. The columns
        of customer ids always come first, named or not. Default: all columns.
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
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and reported.
        Default: the last date among rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer.
    zero_is_purchase : bool, default True
        Whether an order with amount 0 is a purchase. Orders whose amounts are all null
        always are.
    order_lines : {"any", "adjacent"}, default "any"
        ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
        consecutive lines form an order, which needs memory per customer only.
    n_days : bool, default False
        Whether to add the column ``n_days``, the number of distinct days with a purchase.
    attributes : dict of str to {"first", "last"}, optional
        Columns to keep per customer, each with its value at the first or at the last
        purchase; ties go to the smallest value. They may be integers, strings, binary,
        bools, dates, timestamps or floats (NaN is null); results have the same type.
    amount_decimals : int, default 6
        Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
        are then exact and independent of row order. Amounts that this changes by more than
        1 %, such as those read as 0, are reported.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    on_null : {"drop", "error"}, default "drop"
        Whether a null id, time or amount is reported, or an error that names its row.
    on_nonfinite : {"error", "drop"}, default "error"
        Whether an infinite amount is an error that names its row, or left out and reported.
    sort : bool, default True
        Whether rows are sorted by id (integers by value, strings by bytes). ``False``
        leaves their order unspecified and is faster.
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
    polars.DataFrame, or (polars.DataFrame, Report)
        The columns of :func:`custcore.rfm`, one row per buyer.
    """
    options: dict[str, Any] = locals()
    result: pl.DataFrame | tuple[pl.DataFrame, Report] = CustcoreNamespace(options.pop("frame")).rfm(**options)
    return result


@overload
def rfm_scores(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    bins: Bins = 5,
    ties: Literal["same", "split"] = "same",
    binning: Literal["independent", "nested"] = "independent",
    cuts: Cuts | None = None,
    closed: Literal["right", "left"] = "right",
    cuts_rule: Literal["type7", "r"] = "type7",
    by: str | None = None,
    unseen: Literal["error", "global"] = "error",
    weights: tuple[float, float, float] = (100, 10, 1),
    frequency: Literal["orders", "days", "rows"] = "orders",
    monetary: Literal["total", "mean"] = "total",
    segments: Segments = "auto",
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: Literal[False] = False,
) -> pl.DataFrame: ...


@overload
def rfm_scores(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    bins: Bins = 5,
    ties: Literal["same", "split"] = "same",
    binning: Literal["independent", "nested"] = "independent",
    cuts: Cuts | None = None,
    closed: Literal["right", "left"] = "right",
    cuts_rule: Literal["type7", "r"] = "type7",
    by: str | None = None,
    unseen: Literal["error", "global"] = "error",
    weights: tuple[float, float, float] = (100, 10, 1),
    frequency: Literal["orders", "days", "rows"] = "orders",
    monetary: Literal["total", "mean"] = "total",
    segments: Segments = "auto",
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: Literal[True],
) -> tuple[pl.DataFrame, Report]: ...


@proposing
def rfm_scores(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    columns: Sequence[str] | None = None,
    bins: Bins = 5,
    ties: Literal["same", "split"] = "same",
    binning: Literal["independent", "nested"] = "independent",
    cuts: Cuts | None = None,
    closed: Literal["right", "left"] = "right",
    cuts_rule: Literal["type7", "r"] = "type7",
    by: str | None = None,
    unseen: Literal["error", "global"] = "error",
    weights: tuple[float, float, float] = (100, 10, 1),
    frequency: Literal["orders", "days", "rows"] = "orders",
    monetary: Literal["total", "mean"] = "total",
    segments: Segments = "auto",
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
    return_report: bool = False,
) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
    """RFM table, scores and segments: ``frame.custcore.rfm_scores``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
    columns : sequence of str, optional
        Columns of the result, in this order; only what they need is computed. The columns
        of customer ids always come first, named or not. Default: all columns.
    bins : int, (R, F, M), or dict by "recency", "frequency", "monetary", default 5
        Number of bins, 2 to 100: one for all, or one each for recency, frequency and
        monetary.
    ties : {"same", "split"}, default "same"
        ``"same"``: equal values get equal scores. ``"split"``: tiles of equal size over
        (value, customer id), like SQL's NTILE; the id is what the table was grouped by,
        else its first column.
    binning : {"independent", "nested"}, default "independent"
        ``"nested"`` scores F within each R score and M within each (R, F), as SPSS does.
    cuts : dict of "recency", "frequency", "monetary" to ascending values, optional
        Given edges instead of quantiles. A dimension then has one more bin than cuts.
    closed : {"right", "left"}, default "right"
        Whether a value equal to one of ``cuts`` belongs to the bin below it or above it.
    cuts_rule : {"type7", "r"}, default "type7"
        How edges follow from the data. ``"type7"``: quantiles of type 7. ``"r"``: as R's
        package rfm (edges plus 1, left-closed), for parity only: adding 1 is wrong for
        fractional money.
    by : str, optional
        Column whose groups are scored separately. It is kept per customer, with its value
        at the first purchase.
    unseen : {"error", "global"}, default "error"
        Whether a group or nested cell that did not occur in the fit is an error, or is
        scored with the edges of all customers.
    weights : (float, float, float), default (100, 10, 1)
        Weights of R, F and M in ``rfm_total``.
    frequency : {"orders", "days", "rows"}, default "orders"
        Whether F is ``n_orders``, ``n_days`` or ``n_rows``.
    monetary : {"total", "mean"}, default "total"
        Whether M is ``monetary_total`` or ``monetary_mean``.
    segments : "auto", a name, a SegmentMap or None, default "auto"
        How segments are named. ``"auto"``: the map ``rf10`` if R and F have 5 bins, else no
        segments (with a remark in the report). Names of maps are those of
        :meth:`custcore.SegmentMap.named`; ``None``: no segments.
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
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and reported.
        Default: the last date among rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer.
    zero_is_purchase : bool, default True
        Whether an order with amount 0 is a purchase. Orders whose amounts are all null
        always are.
    order_lines : {"any", "adjacent"}, default "any"
        ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
        consecutive lines form an order, which needs memory per customer only.
    n_days : bool, default False
        Whether to add the column ``n_days``, the number of distinct days with a purchase.
    attributes : dict of str to {"first", "last"}, optional
        Columns to keep per customer, each with its value at the first or at the last
        purchase; ties go to the smallest value. They may be integers, strings, binary,
        bools, dates, timestamps or floats (NaN is null); results have the same type.
    amount_decimals : int, default 6
        Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
        are then exact and independent of row order. Amounts that this changes by more than
        1 %, such as those read as 0, are reported.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    on_null : {"drop", "error"}, default "drop"
        Whether a null id, time or amount is reported, or an error that names its row.
    on_nonfinite : {"error", "drop"}, default "error"
        Whether an infinite amount is an error that names its row, or left out and reported.
    sort : bool, default True
        Whether rows are sorted by id (integers by value, strings by bytes). ``False``
        leaves their order unspecified and is faster.
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
    polars.DataFrame, or (polars.DataFrame, Report)
        The columns of :func:`custcore.rfm_scores`, one row per buyer.
    """
    options: dict[str, Any] = locals()
    result: pl.DataFrame | tuple[pl.DataFrame, Report] = CustcoreNamespace(options.pop("frame")).rfm_scores(**options)
    return result
