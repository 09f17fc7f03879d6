"""Lifetime value of pandas as functions, which type checkers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore._input.proposals import proposing
from custcore.adapters.pandas import CustcoreAccessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from custcore._input.data import AsOf, Progress, TimeZone
    from custcore.clv import GammaGamma, PurchaseModel
    from custcore.clv._time import Horizons

__all__ = ["clv_predict", "clv_summary"]


@proposing
def clv_summary(
    frame: pd.DataFrame,
    *,
    calibration_end: AsOf | None = None,
    holdout_end: AsOf | None = None,
    names: Literal["custcore", "lifetimes", "btyd"] = "custcore",
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
) -> pd.DataFrame:
    """Repeat purchases, last purchase and age of customers: ``frame.custcore.clv_summary``.

    Parameters
    ----------
    frame : DataFrame
        Transactions, one row per order, or with ``order_id`` one row per order line.
    calibration_end : date, datetime or str, optional
        The last day of calibration, inclusive: what models are fitted on. Default: the last
        day of the data.
    holdout_end : date, datetime or str, optional
        The last day of the hold-out, inclusive: what happened afterwards, to check models.
        Default: the last day of the data if ``calibration_end`` is given, else there is no
        hold-out.
    names : {"custcore", "lifetimes", "btyd"}, default "custcore"
        The names of the columns: ``"custcore"`` (x, t_x, T, m_x), ``"lifetimes"``
        (frequency, recency, T, monetary_value) or ``"btyd"`` (x, t.x, T.cal, m.x).
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
    pandas.DataFrame
        The columns of :func:`custcore.clv_summary`, one row per customer.
    """
    options: dict[str, Any] = locals()
    return CustcoreAccessor(options.pop("frame")).clv_summary(**options)


@proposing
def clv_predict(
    frame: pd.DataFrame,
    model: PurchaseModel,
    horizon: Horizons,
    *,
    spend: GammaGamma | Literal["own_mean"] | None = None,
    margin: float = 1.0,
    annual_rate: float = 0.1,
    discount: Literal["continuous", "monthly"] = "continuous",
    period_days: float | None = None,
    period_rate: float | None = None,
    level: float | None = None,
    as_of: AsOf | None = None,
    customer_id: str | Sequence[str] | None = None,
    unit: Literal["day", "week", "month", "year"] | None = None,
    n_threads: int | None = None,
) -> pd.DataFrame:
    """What each customer of a summary is expected to do: ``frame.custcore.clv_predict``.

    Parameters
    ----------
    frame : DataFrame
        One row per customer: what :func:`clv_summary` returns.
    model : PurchaseModel
        A fitted model of purchases, such as :class:`custcore.clv.MBGNBD`.
    horizon : float, timedelta, str, None, or list of these
        How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
        ``"1y"`` (of 7, 30.4375 and 365.25 days); None: no end; or a list of these, which
        gives a block of rows each and the column ``horizon_days``.
    spend : GammaGamma or "own_mean", optional
        The money of a purchase day: a fitted :class:`GammaGamma`; or ``"own_mean"``, the
        mean of the customer's own repeat purchase days, null for those without. Default:
        money is not predicted.
    margin : float, default 1.0
        What remains of the money: ``clv`` is multiplied by it.
    annual_rate : float, default 0.1
        The interest of a **year** by which later purchases count less.
    discount : {"continuous", "monthly"}, default "continuous"
        ``"continuous"``: each purchase is discounted from its own time. ``"monthly"``:
        those of each 30.4375 days at their end.
    period_days : float, optional
        Together with ``period_rate``, and instead of ``annual_rate`` and ``discount``: days
        of a period, at whose end its purchases are discounted, as other tools do (lifetimes
        with ``freq="W"``: 30.415).
    period_rate : float, optional
        The interest of such a period.
    level : float, optional
        Probability of the interval of the number of purchases, such as 0.9, for
        ``purchases_low`` and ``purchases_high``. Default: none.
    as_of : date, datetime or str, optional
        The day from which on to predict, if it is later than the end of the summary: nobody
        has bought since. A frame of pandas knows its end from the report of
        :meth:`clv_summary`; one of polars does not, and needs a summary of a later
        ``calibration_end`` instead.
    customer_id : str or list of str, optional
        The columns of ids. Default: ``customer_id`` if it is there, else the named index of
        a frame of pandas.
    unit : {"day", "week", "month", "year"}, optional
        The unit of the times of a summary from elsewhere, which may then be fractions.
        Default: whole days.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    pandas.DataFrame
        The ids and the columns of :meth:`custcore.clv.PurchaseModel.predict`.
    """
    options: dict[str, Any] = locals()
    return CustcoreAccessor(options.pop("frame")).clv_predict(**options)
