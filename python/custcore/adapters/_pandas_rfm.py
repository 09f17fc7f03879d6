"""Methods of ``df.custcore`` specific to pandas, whose results may have the ids as index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

import custcore
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import given, id_names
from custcore.adapters._mixin import FrameMethods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import AsOf, Progress, TimeZone
    from custcore._rfm.scorer_arguments import Bins, Cuts, Segments
    from custcore.result import Table

__all__ = ["PandasRfm"]


@proposing_methods
class PandasRfm(FrameMethods[pd.DataFrame]):
    """Methods with ``set_index=``."""

    def _indexed(self, table: Table, remarks: list[str], *, set_index: bool) -> pd.DataFrame:
        """A result as a DataFrame, with its ids as index if asked for: those of a composite key as a MultiIndex."""
        frame = self._converted(table, remarks)
        if not set_index:
            return frame
        names = id_names(table)
        return frame.set_index(names if len(names) > 1 else names[0])

    def rfm(
        self,
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
        set_index: bool = False,
    ) -> pd.DataFrame:
        """Recency, frequency and money of every buyer in this frame, by :func:`custcore.rfm`.

        Parameters
        ----------
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
        set_index : bool, default False
            Whether the ids become the index of the result.

        Returns
        -------
        pandas.DataFrame
            The columns of :func:`custcore.rfm`, one row per buyer. Its report is
            ``result.custcore.report``, whose rows are positions in this frame.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> orders = pd.DataFrame(
        ...     {
        ...         "who": ["ann", "bob"],
        ...         "timestamp": [pd.Timestamp("2026-01-05")] * 2,
        ...         "amount": [9, 7],
        ...     }
        ... )
        >>> orders.custcore.rfm(customer_id="who", set_index=True)["monetary_total"]
        who
        ann    9
        bob    7
        Name: monetary_total, dtype: int64
        """
        return self._indexed(*self._call(custcore.rfm, given(locals())), set_index=set_index)

    def rfm_scores(
        self,
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
        set_index: bool = False,
    ) -> pd.DataFrame:
        """RFM table, scores and segments of this frame, by :func:`custcore.rfm_scores`.

        Parameters
        ----------
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
        set_index : bool, default False
            Whether the ids become the index of the result.

        Returns
        -------
        pandas.DataFrame
            The columns of :func:`custcore.rfm_scores`, one row per buyer. The segment is a
            category in the order of its map. The report is ``result.custcore.report``, whose
            rows are positions in this frame.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> days = pd.to_datetime(
        ...     ["2026-01-01", "2026-01-05", "2026-01-09", "2026-01-13", "2026-01-17"]
        ... )
        >>> orders = pd.DataFrame(
        ...     {"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9, 7, 5, 3, 1]}
        ... )
        >>> orders.custcore.rfm_scores(set_index=True)[
        ...     ["rfm_cell", "rfm_score", "segment"]
        ... ].tail(2)
                    rfm_cell  rfm_score        segment
        customer_id
        4              4-1-2        412      promising
        5              5-1-1        511  new_customers
        """
        return self._indexed(*self._call(custcore.rfm_scores, given(locals())), set_index=set_index)
