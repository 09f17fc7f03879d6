"""``custcore.clv_summary``: a row per customer for models of lifetime value, from transactions in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore._lifecycle.transactions import base_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore.result import Table

__all__ = ["clv_summary"]


@proposing
def clv_summary(
    data: Data,
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
) -> Table:
    """Repeat purchases, last purchase and age of customers: what lifetime value needs.

    It is :meth:`custcore.CustomerBase.clv_summary` of a base that is not kept.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
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
    Table
        One row per buyer whose first purchase day is in calibration, ascending by id: the id;
        ``x`` (int32, purchase days in calibration after the first), ``t_x`` (int32, days from
        the first to the last of them), ``T`` (int32, days from the first to the end of
        calibration), ``m_x`` (float64, mean money of the ``x`` days; null for x = 0; omitted
        without an amount). With a hold-out ``x_holdout`` (int32, purchase days in it),
        ``m_holdout`` (float64, their mean money, null without any), ``holdout_days``
        (int32), and for the baseline of the same length before it ``x_before`` and
        ``m_before``. Buyers who came first in the hold-out are counted in the report.

    Raises
    ------
    ColumnNotFoundError
        If a column is not in the data.
    InvalidArgumentError
        If ``holdout_end`` is not after ``calibration_end``, or is given without it.
    InvalidTypeError
        If ``data`` is not a table, or a column has an unsupported type.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.

    See Also
    --------
    CustomerBase.clv_summary : The same of a customer base, which may be kept and updated.

    Notes
    -----
    A day is one occasion: its orders are summed. A repeat purchase on the day of the first one
    is none.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> days = [datetime.date(2026, 1, day) for day in (1, 4, 8, 8, 20)]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["ann", "bob", "ann", "ann", "ann"],
    ...         "timestamp": days,
    ...         "amount": [5.0, 9.0, 1.0, 2.0, 4.0],
    ...     }
    ... )
    >>> for row in custcore.clv_summary(orders, calibration_end="2026-01-15"):
    ...     print(*row.values())
    ann 1 7 14 3.0 1 4.0 5 0 None
    bob 0 0 11 None 0 None 5 0 None
    """
    base = base_of(
        data,
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        order_id=order_id,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        order_lines=order_lines,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        n_threads=n_threads,
        progress=progress,
    )
    table = base.clv_summary(calibration_end, holdout_end, names=names, n_threads=n_threads)
    return table._noted(notes_of(data))
