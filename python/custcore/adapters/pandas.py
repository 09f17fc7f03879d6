"""pandas: DataFrames in and out by ``df.custcore``.

Only the columns that a call names are converted to Arrow, by position; the index is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore._extras import how_to_install

try:
    import pandas as pd
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(f"custcore.pandas needs pandas: {how_to_install('pandas')}", name="pandas") from _error

from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import given
from custcore.adapters._pandas_arrow import (
    REPORT,
    arrow_table,
    dump_report,
    load_report,
    pandas_column,
    passed_column,
    purchases,
    pyarrow_module,
    with_remarks,
)
from custcore.adapters._pandas_measures import PandasMeasures
from custcore.adapters._pandas_value import PandasValue
from custcore.errors import ColumnNotFoundError, DuplicateColumnError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    import custcore
    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore.result import Report, Table

__all__ = ["CustcoreAccessor"]


@pd.api.extensions.register_dataframe_accessor("custcore")
@proposing_methods
class CustcoreAccessor(PandasMeasures, PandasValue):
    """custcore for pandas: ``df.custcore``, after ``import custcore.pandas``.

    Ids, times and amounts may have any dtype for integers, strings, times or numbers:
    numpy, nullable and Arrow-backed dtypes, categories, columns of Python objects. Float
    ids are converted to integers if all are integral and below 2**53 (2**24 for float32),
    and NaN to null; a remark in the report counts them.

    In the results ids keep their type (a categorical id becomes a string), dates are
    ``datetime64[s]``, money is float64 or int64 or, for decimals, objects of ``Decimal``,
    the segment is a category in the order of its map, and integers are nullable (``Int32``,
    ``UInt8``) only if a value is null. The index is a range from 0.

    Examples
    --------
    >>> import pandas as pd
    >>> import custcore.pandas
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 8, None, 7],
    ...         "timestamp": pd.to_datetime(
    ...             ["2026-01-05", "2026-01-09", "2026-01-10", "2026-01-12"]
    ...         ),
    ...         "amount": [10.0, 25.0, 3.0, 5.5],
    ...     }
    ... )
    >>> buyers = orders.custcore.rfm(as_of="2026-01-31")
    >>> buyers[["customer_id", "last_date", "recency_days", "n_orders", "monetary_total"]]
       customer_id  last_date  recency_days  n_orders  monetary_total
    0            7 2026-01-12            19         2            15.5
    1            8 2026-01-09            22         1            25.0
    >>> buyers.custcore.report
    Report of 4 rows, as of 2026-01-31
      left out  null_customer_id: 1 rows, sum 3.0, first in row 2
      column 'customer_id': 3 float ids read as integers, 1 NaN as null

    Cohorts, scores by a fitted scorer, and clusters:

    >>> days = pd.to_datetime(["2026-01-05", "2026-01-09", "2026-02-12", "2026-03-01"])
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 1, 3], "timestamp": days})
    >>> orders.custcore.cohort_retention(as_of="2026-03-31").matrix("customers")
          cohort  cohort_size  0     1     2
    0 2026-01-01            2  2     1     0
    1 2026-02-01            0  0     0  <NA>
    2 2026-03-01            1  1  <NA>  <NA>

    >>> customers = pd.DataFrame(
    ...     {"recency_days": [9, 3], "n_orders": [1, 4], "monetary_total": [5.0, 80.0]}
    ... )
    >>> scorer = custcore.RFMScorer().fit(customers)
    >>> customers.custcore.score(scorer)[["recency_days", "rfm_cell", "segment"]]
       recency_days rfm_cell      segment
    0             9    1-1-1  hibernating
    1             3    5-5-5    champions

    >>> customers = pd.DataFrame(
    ...     {"id": list("abcd"), "orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}
    ... )
    >>> customers.custcore.kmeans(2, columns=["orders", "spend"]).inertia_
    14.0

    >>> customers = pd.DataFrame(
    ...     {"orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}, index=list("abcd")
    ... )
    >>> model = custcore.KMeans(2, init=[[1, 5], [9, 80]]).fit(customers)
    >>> customers.custcore.clusters(model)
       orders  spend  cluster
    a       1    5.0        0
    b       2    6.0        0
    c       9   80.0        1
    d       8   75.0        1
    """

    def __init__(self, frame: pd.DataFrame) -> None:
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
        set_index: bool = False,
    ) -> tuple[pd.DataFrame, custcore.KMeans]:
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
        set_index : bool, default False
            Whether the ids become the index of the result.

        Returns
        -------
        pandas.DataFrame
            One row per customer. Its report is ``result.custcore.report``.
        KMeans
            The model.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> customers = pd.DataFrame(
        ...     {"id": list("abcd"), "visits": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}
        ... )
        >>> segments, model = customers.custcore.segment_customers(
        ...     2, features=["visits", "spend"]
        ... )
        >>> segments[["id", "segment"]]
          id                  segment
        0  a    low visits, low spend
        1  b    low visits, low spend
        2  c  high visits, high spend
        3  d  high visits, high spend
        """
        table, model, remarks = self._clustered(k, given(locals()))
        return self._indexed(table, remarks, set_index=set_index), model

    @property
    def report(self) -> Report:
        """What this frame, a result of custcore, excludes and why.

        It is stored in ``df.attrs["custcore.report"]`` as plain values, which are preserved by
        copies, pickle and Parquet.

        Raises
        ------
        InvalidArgumentError
            If the frame has no report.
        """
        report = load_report(self._frame)
        if report is None:
            raise InvalidArgumentError(
                f"the frame has no report: it is not a result of df.custcore, or attrs[{REPORT!r}] was dropped"
            )
        return report

    def _column_names(self) -> Iterable[object]:
        return list(self._frame.columns)

    def _transactions(self, wanted: dict[str, str], remarks: list[str]) -> pa.Table:
        return purchases(self._frame, wanted, remarks)

    def _attributes(self, table: Data, ids: list[str], remarks: list[str]) -> Data:
        """A DataFrame as Arrow, with its ids converted as those of this frame."""
        if not isinstance(table, pd.DataFrame):
            return table
        names = [str(name) for name in table.columns]
        ids = ids if set(ids) <= set(names) else names[:1]
        wanted = {name: "customer_id" if name in ids else "attributes" for name in names}
        return purchases(table, wanted, remarks)  # type: ignore[no-any-return]

    def _other(self, table: Data, wanted: dict[str, str], remarks: list[str]) -> Data:
        """A DataFrame as Arrow; all else as it is."""
        return purchases(table, wanted, remarks) if isinstance(table, pd.DataFrame) else table

    def _predicted(self, predict: Any, keys: list[str], wanted: dict[str, str]) -> pd.DataFrame:  # noqa: ANN401 (a function)
        """Predictions; ids in the index, as lifetimes has them, come back in the index."""
        frame, remarks = self._frame, list[str]()
        named = [str(name) for name in frame.index.names if name is not None]
        keys = keys or (["customer_id"] if "customer_id" in frame.columns else named)
        in_index = bool(keys) and set(keys) <= set(named)
        table = purchases(
            frame.reset_index() if in_index else frame,
            {**dict.fromkeys(keys, "customer_id"), **wanted},
            remarks,
        )
        report = load_report(frame)
        if report is not None and report.as_of is not None:
            table = table.replace_schema_metadata({"custcore.calibration_end": f"{report.as_of}"})
        found = self._converted(predict(table, customer_id=keys or None), remarks)
        if in_index:
            return found.set_index(keys if len(keys) > 1 else keys[0])
        return found if keys or len(found) != len(frame) else found.set_axis(frame.index)

    def _customers(self) -> pa.Table:
        return self._arrow({})

    @staticmethod
    def _converted(table: Table, remarks: list[str]) -> pd.DataFrame:
        """A result as a DataFrame, with its report."""
        arrow = table.to_pyarrow()
        frame = pd.DataFrame({name: pandas_column(arrow[name]) for name in arrow.column_names})
        frame.attrs[REPORT] = dump_report(with_remarks(table.report, remarks))
        return frame

    def _arrow(self, failed: dict[str, InvalidTypeError]) -> pa.Table:
        """All columns as Arrow; those that Arrow cannot hold are added to ``failed``, as the call may not need them."""
        columns: list[tuple[str, Any]] = []
        for place, name in enumerate(self._frame.columns):
            try:
                columns.append((str(name), passed_column(self._frame.iloc[:, place], str(name))))
            except InvalidTypeError as error:
                failed[str(name)] = error
        return arrow_table(pyarrow_module(), columns)

    def _appended(self, call: Callable[[Any], Table], segments: object) -> pd.DataFrame:  # noqa: ARG002 (a dictionary is ordered)
        failed: dict[str, InvalidTypeError] = {}
        passed = self._arrow(failed)
        try:
            found = call(passed)
        except ColumnNotFoundError as error:
            raise failed.get(str(error.column), error) from None
        added = found.column_names[passed.num_columns :]
        repeated = [name for name in added if name in self._frame.columns]
        if repeated:
            raise DuplicateColumnError(
                f"column {repeated[0]!r} is already in the frame, perhaps from an earlier call; drop or rename it: "
                f"df.drop(columns={repeated!r})",
                column=repeated[0],
            )
        arrow = found.to_pyarrow()
        new = {name: pandas_column(arrow[name]).set_axis(self._frame.index) for name in added}
        result = self._frame.assign(**new)
        known = load_report(result)
        remarks = found.report.remarks
        report = found.report if known is None else with_remarks(known, [r for r in remarks if r not in known.remarks])
        result.attrs[REPORT] = dump_report(report)
        return result
