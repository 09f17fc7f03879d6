"""Campaigns of polars, before and after, and what scores are worth, as functions, which type checkers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input.proposals import proposing
from custcore.adapters.polars import CustcoreNamespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    import custcore
    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore._input.ids import Id

__all__ = ["before_after", "uplift_curve"]


@proposing
def before_after(
    frame: pl.DataFrame | pl.LazyFrame,
    treated: Data,
    *,
    days_after: int,
    days_before: int | None = None,
    lag: int = 0,
    exposed_on: str = "exposed_on",
    start: AsOf | None = None,
    baseline: Literal["before", "year_before"] = "before",
    match: Literal["default"] | Mapping[str, Sequence[float] | None] = "default",
    exclude: Data | Iterable[Id] = (),
    metrics: Sequence[str] = ("revenue", "orders"),
    as_of: AsOf | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> custcore.BeforeAfter:
    """What a campaign changed, without random groups: ``frame.custcore.before_after``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
    treated : table
        The treated customers: a table with their ids and the day of each. A customer with
        several rows was treated on the earliest. Rows with a null id or date are left out
        and reported.
    days_after : int
        Length of the window after, in local days. Customers whose window is not over are
        left out and reported.
    days_before : int, optional
        Length of the window before, which ends the day before treatment. Default:
        ``days_after``.
    lag : int, default 0
        Days from treatment to the window after. 0: the day of treatment is its first.
    exposed_on : str, default "exposed_on"
        Column of ``treated`` with the day of treatment: dates, or times, of which the local
        day counts. Up to 31 distinct days.
    start : date, datetime or str, optional
        One day of treatment for all, instead of ``exposed_on``.
    baseline : {"before", "year_before"}, default "before"
        What the treated are compared with by themselves, in the row ``naive``.
        ``"before"``: the window before. ``"year_before"``: the days of the window after, a
        year earlier.
    match : "default" or dict of str to list of float, default "default"
        What controls have in common with the treated on the day before: a dict of columns
        to ascending upper ends of their classes, the last being open; None: each value is a
        class. Columns: ``recency_days``, ``tenure_days``, ``n_orders``, ``monetary_total``,
        ``orders_before``, ``revenue_before`` (in the window before), ``m_score`` (1 to 5).
        *The rule by which customers were chosen must be among them.* Default: recency up to
        7, 14, 30, 60, 90, 180, 365 days and above, orders and orders before 0, 1, 2-3, 4-7,
        8-15, ..., and the monetary score.
    exclude : list of ids, or table, default ()
        Ids that are no controls, such as those of other campaigns: a list, or a table with
        the columns of the ids.
    metrics : sequence of str, default ("revenue", "orders")
        What is compared per customer: ``revenue`` (money, refunds on their own day),
        ``orders``, ``active`` (with an order), ``repeat`` (with two or more).
    as_of : date, datetime or str, optional
        The last local day that counts: windows must be over by then. Default: the last day
        in the data, never today.
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
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
        the total may be ``None``.

    Returns
    -------
    BeforeAfter
        Its tables become frames by ``.to_pandas()`` and ``.to_polars()``, such as
        ``result.table().to_polars()``.
    """
    options = dict(locals())
    return CustcoreNamespace(options.pop("frame")).before_after(**options)


@proposing
def uplift_curve(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    score: str,
    group: str,
    outcome: str,
    control: str | None = None,
    margin: float | None = None,
    cost: float | None = None,
    n_threads: int | None = None,
) -> custcore.UpliftCurve:
    """What a score is worth: ``frame.custcore.uplift_curve``.

    Parameters
    ----------
    frame : DataFrame or LazyFrame
        One row per customer of a random experiment.
    score : str
        Column of scores, known before treatment: numbers, higher first. They are compared
        as float64.
    group : str
        Column of the assigned group, with two values. Rows with null are left out and
        reported.
    outcome : str
        Column of the outcome after treatment: numbers, such as revenue, or booleans, which
        are 0 and 1.
    control : str, optional
        The group that was not treated, as text. Default: ``"control"``.
    margin : float, optional
        What a unit of the outcome earns, such as 0.3 of revenue. With it the best share is
        that of the largest net value. Default: nothing is valued.
    cost : float, optional
        What treating a customer costs, 0 or more; needs ``margin``. Default: 0.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    UpliftCurve
        Its points become a frame by ``.table().to_polars()``.
    """
    options = dict(locals())
    return CustcoreNamespace(options.pop("frame")).uplift_curve(**options)
