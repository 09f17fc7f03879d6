"""RFM: recency, frequency and money per buyer, scores and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore._rfm.scorer import RFMScorer
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore._rfm.scorer_arguments import Bins, Cuts, Segments

__all__ = ["rfm", "rfm_scores"]


@proposing
def rfm(
    data: Data,
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
) -> Table:
    """Recency, frequency and money of every buyer.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
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

    Returns
    -------
    Table
        One row per buyer: the id (the input's name and type), ``first_date``, ``last_date``
        (date32), ``recency_days`` (int32, from the last purchase to ``as_of``),
        ``tenure_days`` (int32, from the first), ``n_orders``, ``n_rows`` (int64, rows of
        purchases), ``n_days`` (int64, on request), ``monetary_total`` (float64, int64 or
        decimal128(38, s), like the amounts), ``monetary_mean`` (float64, per order), and
        the attributes; or those asked for. Its ``.report`` lists what was excluded; result
        and report add up to the input, to the cent.

    Raises
    ------
    ColumnNotFoundError
        If a column is not in the data.
    InvalidTypeError
        If ``data`` is not a table, or a column has an unsupported type.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.
    OutOfRangeError
        If a time is outside the years 1 to 9999, or an amount is too large to be represented
        exactly.
    InvalidArgumentError
        If ``columns`` names one that the result does not have, or one twice.
    SumOverflowError
        If a customer's integer or decimal total does not fit its type.
    ArrowImportError
        If the Arrow data are malformed, or their producer failed.

    Notes
    -----
    Money is exact: a float is rounded once to a decimal of ``amount_decimals`` places and
    summed as an integer, so that 0.1 + 0.2 is 0.3 and results are bitwise equal for any
    order of rows, batches and threads.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 1],
    ...         "timestamp": [
    ...             datetime.date(2026, 1, 5),
    ...             datetime.date(2026, 1, 9),
    ...             datetime.date(2026, 1, 12),
    ...         ],
    ...         "amount": [10.0, 25.0, 5.5],
    ...     }
    ... )
    >>> custcore.rfm(orders, as_of="2026-01-31").to_pyarrow().drop(
    ...     ["first_date", "last_date"]
    ... ).to_pylist()[0]
    {'customer_id': 1, 'recency_days': 19, 'tenure_days': 26, 'n_orders': 2, 'n_rows': 2,
     'monetary_total': 15.5, 'monetary_mean': 7.75}
    """
    options = read_options(
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        order_id=order_id,
        order_lines=order_lines,
        n_days=n_days,
        attributes=attributes,
    )
    table = _core.rfm_table(
        as_source(data, columns_read(options)),
        options,
        columns=arguments.optional_names("columns", columns),
        sort=arguments.flag("sort", sort),
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return Table(table)._noted(notes_of(data))


@proposing
def rfm_scores(
    data: Data,
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
) -> Table:
    """RFM table, scores and segments: :func:`rfm` and :meth:`custcore.RFMScorer.fit_transform`.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
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

    Returns
    -------
    Table
        The columns of :func:`rfm` and those of :meth:`custcore.RFMScorer.transform`, or those
        asked for. Without buyers the table is empty.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> days = [datetime.date(2026, 1, d) for d in (1, 5, 9, 13, 17)]
    >>> orders = pa.table(
    ...     {"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9, 7, 5, 3, 1]}
    ... )
    >>> t = custcore.rfm_scores(orders)
    >>> t.to_pyarrow().select(
    ...     ["customer_id", "rfm_cell", "rfm_score", "segment"]
    ... ).to_pylist()[4]
    {'customer_id': 5, 'rfm_cell': '5-1-1', 'rfm_score': 511, 'segment': 'new_customers'}
    """
    keys = arguments.key_names(customer_id)
    if by is not None and keys == [by]:
        raise InvalidArgumentError(f"by={by!r} is the column of customer ids: every customer would be a group of one")
    scorer = RFMScorer(
        bins,
        ties=ties,
        binning=binning,
        cuts=cuts,
        closed=closed,
        cuts_rule=cuts_rule,
        by=by,
        unseen=unseen,
        weights=weights,
        frequency=frequency,
        monetary=monetary,
        segments=segments,
    )
    options = read_options(
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        order_id=order_id,
        order_lines=order_lines,
        n_days=n_days or frequency == "days",
        # A part of a composite key is a column of the result already.
        attributes=attributes if by is None or by in keys else {by: "first", **(attributes or {})},
    )
    table = _core.rfm_scores(
        as_source(data, columns_read(options)),
        options,
        scorer._core,
        columns=arguments.optional_names("columns", columns),
        sort=arguments.flag("sort", sort),
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return Table(table)._noted(notes_of(data))
