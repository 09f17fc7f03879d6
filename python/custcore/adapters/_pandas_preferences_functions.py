"""Preferences of pandas as a function, which type checkers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore._input.proposals import proposing
from custcore.adapters.pandas import CustcoreAccessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from custcore._input.data import AsOf, Progress, TimeZone

__all__ = ["preferences"]


@proposing
def preferences(
    frame: pd.DataFrame,
    categories: str,
    measure: Literal["spend", "orders"] = "spend",
    *,
    prior_orders: float = 5,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """What each customer likes: ``frame.custcore.preferences``.

    Parameters
    ----------
    frame : DataFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
    categories : str
        Column of categories, departments, brands or other values of lines, of the types of
        attributes. Rows without a value are reported.
    measure : {"spend", "orders"}, default "spend"
        What shares are of. ``"spend"``: of the money of a customer. ``"orders"``: of the
        orders with a category; an order may have several, so that shares need not sum to 1.
    prior_orders : float, default 5
        How many orders of an average customer are added to those of each: a customer with
        few orders is believed to be like all others. 0 adds none.
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
    pandas.DataFrame
        One row for each customer and category with an order, by id, then by category: the ids,
        ``category``, ``orders``, ``rows``, ``monetary_total``, ``share``, ``share_all``,
        ``share_shrunk``, ``index`` and ``rank``.
    """
    options: dict[str, Any] = locals()
    return CustcoreAccessor(options.pop("frame")).preferences(**options)
