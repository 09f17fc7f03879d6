"""polars: DataFrames and LazyFrames in, DataFrames out, by ``df.custcore``.

Only the columns that a call names are converted. A LazyFrame is read as a stream of batches, never as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore._extras import how_to_install

try:
    import polars as pl
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(f"custcore.polars needs polars: {how_to_install('polars')}", name="polars") from _error

from custcore._input.projection import can_export, project
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import given
from custcore.adapters._polars_measures import PolarsMeasures
from custcore.adapters._polars_segment import with_ordered_segment
from custcore.adapters._polars_value import PolarsValue
from custcore.errors import DuplicateColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import custcore
    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore.result import Report, Table

__all__ = ["CustcoreNamespace"]


@pl.api.register_lazyframe_namespace("custcore")
@pl.api.register_dataframe_namespace("custcore")
@proposing_methods
class CustcoreNamespace(PolarsMeasures, PolarsValue):
    """custcore for polars: ``df.custcore`` and ``lf.custcore``, after ``import custcore.polars``.

    Of a LazyFrame only the needed columns are collected, in batches while the query runs;
    the results are DataFrames. polars frames have no metadata, so ``return_report=True``
    returns the report in addition to the frame. The segment is an Enum in the order of its
    map; all other columns are as in :func:`custcore.rfm`.

    Examples
    --------
    >>> import datetime
    >>> import polars as pl
    >>> import custcore.polars
    >>> orders = pl.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob", None, "ann"],
    ...         "timestamp": [datetime.date(2026, 1, d) for d in (5, 9, 10, 12)],
    ...         "amount": [10.0, 25.0, 3.0, 5.5],
    ...     }
    ... )
    >>> buyers, report = orders.lazy().custcore.rfm(as_of="2026-01-31", return_report=True)
    >>> buyers.select("customer_id", "recency_days", "n_orders", "monetary_total").rows()
    [('ann', 19, 2, 15.5), ('bob', 22, 1, 25.0)]
    >>> report["null_customer_id"].sum
    3.0

    Cohorts, scores by a fitted scorer, and clusters:

    >>> days = [datetime.date(2026, *d) for d in ((1, 5), (1, 9), (2, 12), (3, 1))]
    >>> orders = pl.DataFrame({"customer_id": [1, 2, 1, 3], "timestamp": days})
    >>> cohorts = orders.lazy().custcore.cohort_retention(as_of="2026-03-31")
    >>> cohorts.matrix("customers").select("cohort_size", "0", "1", "2").rows()
    [(2, 2, 1, 0), (0, 0, 0, None), (1, 1, None, None)]

    >>> customers = pl.DataFrame(
    ...     {"recency_days": [9, 3], "n_orders": [1, 4], "monetary_total": [5.0, 80.0]}
    ... )
    >>> scorer = custcore.RFMScorer().fit(customers)
    >>> customers.custcore.score(scorer).select(
    ...     "recency_days", "rfm_cell", "segment"
    ... ).rows()
    [(9, '1-1-1', 'hibernating'), (3, '5-5-5', 'champions')]

    >>> customers = pl.DataFrame(
    ...     {"id": list("abcd"), "orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}
    ... )
    >>> customers.custcore.kmeans(2, columns=["orders", "spend"]).inertia_
    14.0

    >>> customers = pl.DataFrame({"orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
    >>> model = custcore.KMeans(2, init=[[1, 5], [9, 80]]).fit(customers)
    >>> customers.custcore.clusters(model)["cluster"].to_list()
    [0, 0, 1, 1]
    """

    def __init__(self, frame: pl.DataFrame | pl.LazyFrame) -> None:
        self._frame = frame

    def segment_customers(
        self,
        k: int | Literal["auto"] = "auto",
        *,
        features: Sequence[str] | None = None,
        log1p: Sequence[str] | Literal["auto"] = "auto",
        how: Literal["standard", "robust"] = "standard",
        ks: Iterable[int] = range(2, 9),
        n_init: int | Literal["auto"] = "auto",
        random_state: int = 0,
        n_threads: int | None = None,
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
        progress: Progress | None = None,
    ) -> tuple[pl.DataFrame, custcore.KMeans, Report]:
        """Named clusters of the customers of this frame, by :func:`custcore.segment_customers`.

        Parameters
        ----------
        k : int or "auto", default "auto"
            Number of clusters; "auto" takes what :func:`custcore.select_k` suggests among
            ``ks``.
        features : list of str, optional
            Features to cluster by. Default: ``recency_days``, ``n_orders`` and, with money,
            ``monetary_total``. A frame that has these columns has one row per customer; then
            options of transactions are refused.
        log1p : list of str, or "auto", default "auto"
            Features whose logarithm is clustered, as in :class:`custcore.Scaler`; "auto":
            counts and money.
        how : {"standard", "robust"}, default "standard"
            ``"standard"``: the centre is the mean, the scale the population standard deviation.
            ``"robust"``: the median and the interquartile range, which a few very large
            customers do not move.
        ks : iterable of int, default range(2, 9)
            What "auto" may choose from; numbers above the number of customers are skipped.
        n_init : int or "auto", default "auto"
            Number of starts for each k, of which the best is kept. ``"auto"``: one start from
            centres that are searched first, as in :class:`custcore.KMeans`.
        random_state : int, default 0
            Seed; the same seed gives the same result in every version and on every machine.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
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
        progress : callable, optional
            Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
            the total may be ``None``.

        Returns
        -------
        polars.DataFrame
            One row per customer; the segment is an Enum, the best customers first.
        KMeans
            The model.
        Report
            What was excluded.

        Examples
        --------
        >>> import polars as pl
        >>> import custcore.polars
        >>> customers = pl.DataFrame(
        ...     {"id": list("abcd"), "visits": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}
        ... )
        >>> segments, model, _ = customers.custcore.segment_customers(
        ...     2, features=["visits", "spend"]
        ... )
        >>> segments.select("id", "segment").rows()[0]
        ('a', 'low visits, low spend')
        """
        table, model, _ = self._clustered(k, given(locals()))
        return with_ordered_segment(table.to_polars(), model.names_), model, table.report

    def _column_names(self) -> Iterable[object]:
        return list(self._frame.collect_schema())

    def _transactions(
        self,
        wanted: dict[str, str],
        remarks: list[str],  # noqa: ARG002 (nothing is changed on the way in)
    ) -> Data:
        """Select the wanted columns; of a LazyFrame, in batches while the query runs."""
        return project(self._frame, wanted)  # type: ignore[no-any-return]

    def _other(self, table: Data, wanted: dict[str, str], remarks: list[str]) -> Data:  # noqa: ARG002 (nothing is changed)
        """A LazyFrame as a DataFrame of the wanted columns, if it has them; all else as it is."""
        if not isinstance(table, pl.LazyFrame) or not set(wanted) <= set(table.collect_schema()):
            return table
        return table.select(list(wanted)).collect()

    def _customers(self) -> pl.DataFrame:
        """All columns, in memory, as they are read several times."""
        return self._frame.collect() if isinstance(self._frame, pl.LazyFrame) else self._frame

    @staticmethod
    def _converted(table: Table, remarks: list[str]) -> pl.DataFrame:  # noqa: ARG004 (frames carry no report)
        return table.to_polars()

    def _appended(self, call: Callable[[Any], Table], segments: object) -> pl.DataFrame:
        frame = self._frame.collect() if isinstance(self._frame, pl.LazyFrame) else self._frame
        found = call(frame)
        added = found.column_names[sum(map(can_export, frame.dtypes)) :]
        repeated = [name for name in added if name in frame.columns]
        if repeated:
            raise DuplicateColumnError(
                f"column {repeated[0]!r} is already in the frame, perhaps from an earlier call; drop or rename it: "
                f"df.drop({repeated!r})",
                column=repeated[0],
            )
        return frame.hstack(with_ordered_segment(found.to_polars().select(added), segments))
