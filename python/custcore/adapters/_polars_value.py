"""Methods of ``df.custcore`` for value classes, in polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import custcore
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import given
from custcore.adapters._polars_rfm import PolarsRfm

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from custcore._input.data import AsOf, Progress, TimeZone
    from custcore.result import Report

__all__ = ["PolarsValue"]


@proposing_methods
class PolarsValue(PolarsRfm):
    """Value classes."""

    @overload
    def abc(
        self,
        *,
        by: Literal["value", "customers"] = "value",
        thresholds: Sequence[float] | None = None,
        rule: Literal["before", "upto"] = "before",
        ties: Literal["split", "same"] = "split",
        group: str | None = None,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
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
        return_report: Literal[False] = False,
    ) -> pl.DataFrame: ...

    @overload
    def abc(
        self,
        *,
        by: Literal["value", "customers"] = "value",
        thresholds: Sequence[float] | None = None,
        rule: Literal["before", "upto"] = "before",
        ties: Literal["split", "same"] = "split",
        group: str | None = None,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
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
        return_report: Literal[True],
    ) -> tuple[pl.DataFrame, Report]: ...

    def abc(
        self,
        *,
        by: Literal["value", "customers"] = "value",
        thresholds: Sequence[float] | None = None,
        rule: Literal["before", "upto"] = "before",
        ties: Literal["split", "same"] = "split",
        group: str | None = None,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
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
        return_report: bool = False,
    ) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
        """The value class of every buyer in this frame, by :func:`custcore.abc`.

        Parameters
        ----------
        by : {"value", "customers"}, default "value"
            ``"value"``: a class ends at a share of the value. ``"customers"``: at a share of
            the customers.
        thresholds : sequence of float, optional
            Ascending shares between 0 and 1: n of them make n + 1 classes, A, B, ... Default:
            0.80 and 0.95 of the value, 0.20 and 0.50 of the customers.
        rule : {"before", "upto"}, default "before"
            ``"before"``: a customer is in A while the share of those *before* is below the
            first threshold, so the one who crosses it is in A. ``"upto"``: while the share
            *including* the customer is at most the threshold; then one dominant customer leaves
            A empty, with a remark.
        ties : {"split", "same"}, default "split"
            ``"split"``: customers of equal value may be in different classes, in the order of
            ids. ``"same"``: all of them are in the class of the first.
        group : str, optional
            Column whose values are classed each by itself: a column of a composite key, or any
            other, by its value at the first purchase (ties by the smallest). Null is a group.
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        amount : str, default "amount"
            Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is
            reported.
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
        return_report : bool, default False
            Whether to return the report of what was left out, too.

        Returns
        -------
        polars.DataFrame
            The columns of :func:`custcore.abc`.
        Report
            What was left out, with ``return_report=True``.

        Examples
        --------
        >>> import datetime
        >>> import polars as pl
        >>> import custcore.polars
        >>> orders = pl.DataFrame(
        ...     {
        ...         "customer_id": ["ann", "bob", "cleo"],
        ...         "timestamp": [datetime.date(2026, 1, 5)] * 3,
        ...         "amount": [10.0, 85.0, 5.0],
        ...     }
        ... )
        >>> orders.lazy().custcore.abc().select("customer_id", "value_class").rows()
        [('bob', 'A'), ('ann', 'B'), ('cleo', 'C')]
        """
        table, _ = self._call(custcore.abc, given(locals()))
        return self._reported(table, None, return_report=return_report)
