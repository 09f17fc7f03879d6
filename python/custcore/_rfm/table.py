"""RFM: recency, frequency and money of every buyer, their scores and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._options.read import read_options
from custcore._rfm.scorer import RFMScorer
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custcore._input.data import AsOf, Data, Progress
    from custcore._rfm.scorer import Bins, Cuts, Segments

__all__ = ["rfm", "rfm_scores"]


def rfm(
    data: Data,
    *,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: str | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Recency, frequency and money of every buyer.

    Parameters
    ----------
    data
        Transactions, one row per order, or with ``order_id`` one per line of an order: anything that exports Arrow (a
        table of pyarrow, pandas 3, polars, DuckDB,
        DataFusion, ...), an iterable of such batches, or a dict of one-dimensional numpy arrays.
    customer_id : str
        Column of ids: integers, strings, binary, or a dictionary of these. Rows without an id are left out and counted.
    timestamp : str
        Column of dates or timestamps. Rows without a time are left out and counted.
    amount : str or None
        Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is counted. None counts no money.
    order_id : str, optional
        Column of order ids, of the types of ids. Lines with one customer and order id are one order: its amount is
        their sum, its time the earliest. A null order id is an order of its own, and counted. Default: every
        row is an order.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and counted. Default: the last date among
        rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}
        What an order with a negative amount means: it lowers the sums and is no purchase of its own, it is left out and
        counted, or it counts as it stands. A customer who has only refunds is no buyer.
    zero_is_purchase : bool, default True
        Whether an order of amount 0 is a purchase (orders whose amounts are all null always are).
    order_lines : {"any", "adjacent"}
        ``"any"`` is exact whatever the order of the rows. ``"adjacent"`` takes lines that follow each other as one
        order and keeps memory per customer only.
    n_days : bool, default False
        Whether to count the distinct days with a purchase.
    attributes : dict of str to {"first", "last"}, optional
        Columns to carry along, each with the value at the first or last purchase; ties by the smallest value.
    amount_decimals : int, default 6
        Decimal places (0 to 12) at which float amounts are read; sums are then exact and do not depend on row order.
    timezone : str, optional
        The zone in which zoned times are read (default: the column's own). Naive times are never shifted.
    on_null : {"drop", "error"}
        Whether a null id, time or amount is counted in the report or an error that names its row.
    on_nonfinite : {"error", "drop"}
        Whether an infinite amount is an error that names its row, or left out and counted.
    sort : bool, default True
        Whether rows ascend by id (integers by value, strings by bytes); False leaves the order open and is faster.
    n_threads : int, optional
        Default: the environment variable ``CUSTCORE_NUM_THREADS``, else all cores available. It never changes a result.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while the rows are read; the total may be None.

    Returns
    -------
    Table
        One row per buyer: the id (the input's name and type), ``first_date``, ``last_date`` (date32), ``recency_days``
        (int32, from the last purchase to ``as_of``), ``tenure_days`` (int32, from the first), ``n_orders``, ``n_rows``
        (int64, rows of purchases), ``n_days`` (int64, on request), ``monetary_total`` (float64, int64 or
        decimal128(38, s), like the amounts), ``monetary_mean`` (float64, per order), and the attributes. Its
        ``.report`` says what was left out; result plus report is the input, to the cent.

    Raises
    ------
    ColumnNotFoundError
        If a column is not in the data.
    InvalidTypeError
        If ``data`` is no table, or a column has a type that cannot serve.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.
    OutOfRangeError
        If a time lies outside the years 1 to 9999, or an amount is too large to be counted exactly.
    SumOverflowError
        If a customer's integer or decimal total does not fit its type.
    ArrowImportError
        If the Arrow data are malformed, or their producer failed.

    Notes
    -----
    Money is counted, not approximated: a float is read once as a decimal of ``amount_decimals`` places and summed as an
    integer, so that 0.1 + 0.2 is 0.3 and the same bits come out for any order of rows, batches and threads.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 1],
    ...         "timestamp": [datetime.date(2026, 1, 5), datetime.date(2026, 1, 9), datetime.date(2026, 1, 12)],
    ...         "amount": [10.0, 25.0, 5.5],
    ...     }
    ... )
    >>> custcore.rfm(orders, as_of="2026-01-31").to_pyarrow().drop(["first_date", "last_date"]).to_pylist()[0]
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
        as_source(data),
        options,
        sort=arguments.flag("sort", sort),
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return Table(table)


def rfm_scores(
    data: Data,
    *,
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
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: str | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """RFM table, scores and segments in one call: :func:`rfm`, then :meth:`custcore.RFMScorer.fit_transform`.

    Parameters
    ----------
    data, customer_id, timestamp, amount, order_id, as_of, returns, zero_is_purchase, order_lines, n_days, attributes, \
amount_decimals, timezone, on_null, on_nonfinite, sort, n_threads, progress
        As in :func:`rfm`.
    bins, ties, binning, cuts, closed, cuts_rule, by, unseen, weights, frequency, monetary, segments
        As in :class:`custcore.RFMScorer`. The column ``by`` is carried along by itself, with its value at the first
        purchase.

    Returns
    -------
    Table
        The columns of :func:`rfm` and those of :meth:`custcore.RFMScorer.transform`. Without buyers the table is empty.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> days = [datetime.date(2026, 1, d) for d in (1, 5, 9, 13, 17)]
    >>> orders = pa.table({"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9, 7, 5, 3, 1]})
    >>> t = custcore.rfm_scores(orders)
    >>> t.to_pyarrow().select(["customer_id", "rfm_cell", "rfm_score", "segment"]).to_pylist()[4]
    {'customer_id': 5, 'rfm_cell': '5-1-1', 'rfm_score': 511, 'segment': 'new_customers'}
    """
    if by is not None and by == customer_id:
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
    table = rfm(
        data,
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        order_id=order_id,
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        order_lines=order_lines,
        n_days=n_days or frequency == "days",
        attributes=attributes if by is None else {by: "first", **(attributes or {})},
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        sort=sort,
        n_threads=n_threads,
        progress=progress,
    )
    return Table(scorer._core.fit_transform(table._core, n_threads=arguments.optional_whole("n_threads", n_threads)))
