"""Value classes of the customers of transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore.result import Table
from custcore.value._classes import abc_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone

__all__ = ["abc"]


@proposing
def abc(
    data: Data,
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
) -> Table:
    """The value class of every buyer: who carries the revenue.

    Buyers are ranked by their money, refunds taken off. Class A are the first ones, until
    they have 80 % of the value; B the next ones until 95 %; C the rest. Customers may be any
    key, such as products: ``customer_id="stock_code"``.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
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

    Returns
    -------
    Table
        One row per buyer, by ``monetary_total`` descending, then by id; with ``group``, by
        group ascending first, null last: the id, the group, ``monetary_total`` (float64,
        int64 or decimal128(38, s), like the amounts), ``rank`` (int64, from 1),
        ``cumulative_share`` (float64, of the value, the row included; null where the total
        value is 0) and ``value_class`` (dictionary of "A", "B", ...). A negative total has
        value 0. Where the total value is 0, everybody is in the last class.
        The report also counts ``negative_totals`` and ``buyers_without_money`` (total 0),
        which are in the last places of the table, and ``refund_only_customers``, who are not.

    Raises
    ------
    ColumnNotFoundError
        If a column is not in the data.
    InvalidTypeError
        If ``data`` is not a table, or a column has an unsupported type.
    InvalidArgumentError
        If thresholds do not ascend, or are not between 0 and 1.
    NonFiniteError
        If an amount is infinite, unless ``on_nonfinite="drop"``.
    SumOverflowError
        If a customer's integer or decimal total does not fit its type.

    See Also
    --------
    CustomerBase.abc : The same of a customer base, which may be kept and updated.
    CustomerBase.concentration : Top shares and the Gini coefficient.

    Notes
    -----
    Shares are correctly rounded quotients of exact sums, so classes do not depend on the order
    of rows, on batches or threads. ``rule="before"`` is the usual one; textbooks that use
    ``"upto"`` leave the customer who crosses 80 % in B. The classes by customers (20 % and
    50 %) are known as heavy, medium and light buyers.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["ann", "bob", "cleo", "dan"],
    ...         "timestamp": [datetime.date(2026, 1, 5)] * 4,
    ...         "amount": [10.0, 60.0, 25.0, 5.0],
    ...     }
    ... )
    >>> for row in custcore.abc(orders).to_pyarrow().to_pylist():
    ...     print(*row.values())
    bob 60.0 1 0.6 A
    cleo 25.0 2 0.85 A
    ann 10.0 3 0.95 B
    dan 5.0 4 1.0 C
    """
    key = arguments.key("customer_id", customer_id)
    options = abc_options(by, thresholds, rule, ties, group, key)
    is_kept = options["group"] is not None and options["group"] not in arguments.key_names(key)
    read = read_options(
        customer_id=key,
        timestamp=timestamp,
        amount=arguments.name("amount", amount),
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        order_id=order_id,
        order_lines=order_lines,
        attributes={str(options["group"]): "first"} if is_kept else None,
    )
    table = _core.abc_table(
        as_source(data, columns_read(read)),
        read,
        options,
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return Table(table)._noted(notes_of(data))
