"""``custcore.pairs`` and ``custcore.rules``: what is bought together, of transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input.projection import notes_of
from custcore._input.proposals import proposing
from custcore.affinity._arguments import count, least, pair_options, share
from custcore.affinity._baskets import Baskets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import Data, Progress, TimeZone
    from custcore.result import Table

__all__ = ["pairs", "rules"]


@proposing
def pairs(
    data: Data,
    item: str,
    *,
    basket: Literal["order", "day", "customer"] | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    order_id: str | Sequence[str] | None = None,
    amount: str | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    max_basket: int | None = None,
    anonymous: bool = False,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    min_item_baskets: float = 5,
    min_pair_baskets: float = 5,
    min_basket: int = 1,
    by: Data | None = None,
    segment: str = "segment",
    test: Literal["within", "fisher"] = "within",
    adjust: Literal["bh", "holm", "none"] = "bh",
    top: int | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """All pairs of items that are in enough baskets together: what is bought with what.

    This is :meth:`Baskets.pairs` of one call, where columns, measures and tests are
    described. A lift above 1 is found for nearly all pairs, as large baskets hold everything;
    ``lift_within`` compares baskets of like size only.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
    item : str
        Column of items, such as products or categories: integers, strings, binary, bools,
        dates, timestamps, floats, or a dictionary of these. Rows with a null item are left
        out and reported.
    basket : {"order", "day", "customer"}, optional
        What is a basket. ``"order"``: the lines of an order id of a customer. ``"day"``:
        what a customer bought on a local day. ``"customer"``: all that a customer ever
        bought; ``order_id`` is not read then, as with ``"day"``. Default: ``"order"`` with
        ``order_id``, else ``"day"``.
    customer_id : str or list of str, default "customer_id"
        Column of customer ids: integers, strings, binary, or a dictionary of these. A list
        of columns is a composite key, which is null if a part is, and is ordered part by
        part; a single id of it is a tuple. Rows with a null id are left out and reported.
    timestamp : str, default "timestamp"
        Column of dates or timestamps. Rows with a null time are left out and reported.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. A line
        with a null order id is an order by itself, and reported.
    amount : str or None, optional
        Column of money: floats, integers or decimals. It decides what was returned, see
        ``returns``. Default: every line counts.
    returns : {"net", "exclude", "count"}, default "net"
        What an ``amount`` below 0 does. ``"net"`` and ``"exclude"``: an item is in a basket
        unless its lines there sum to less than 0, and an order that sums to less than 0 is
        none; both are reported. ``"count"``: every line puts its item into the basket.
    max_basket : int, optional
        Baskets of more distinct items are left out and reported, such as wholesale orders:
        one of 541 items makes 146,070 pairs. Default: no limit.
    anonymous : bool, default False
        Whether orders without a customer id are baskets; for ``basket="order"``.
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
    min_item_baskets : int or float, default 5
        Items in fewer baskets are in no pair. A number below 1 is a share of the baskets.
    min_pair_baskets : int or float, default 5
        Pairs in fewer baskets are not listed. A number below 1 is a share of the baskets.
    min_basket : int, default 1
        Baskets of fewer distinct items are left out and reported. With 2, baskets of one
        item are not among ``n_baskets``.
    by : table, optional
        Segments of customers: a table with one row per customer, the columns of customer
        ids, else its first column, and ``segment``. Each segment has a block of rows of its
        own, with minimums of its own. Default: all baskets only.
    segment : str, default "segment"
        The column of segments of a table ``by``.
    test : {"within", "fisher"}, default "within"
        Where ``p_value`` comes from. ``"within"``: baskets of like size are compared
        (Cochran, Mantel, Haenszel). ``"fisher"``: the exact test of all baskets, which
        takes large baskets for association.
    adjust : {"bh", "holm", "none"}, default "bh"
        How ``p_adjusted`` is adjusted for the number of pairs of items that are in enough
        baskets: Benjamini and Hochberg, Holm, or not at all.
    top : int, optional
        The most pairs that are listed, of each block those in most baskets. Default: all.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
        the total may be ``None``.

    Returns
    -------
    Table
        The columns of :meth:`Baskets.pairs`.

    Raises
    ------
    InvalidArgumentError, OutOfRangeError
        If an option is out of range, or a customer is twice in a table ``by``.
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or its type cannot be what it is named for.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> lines = [(1, "bread"), (1, "butter"), (2, "bread"), (2, "butter"), (3, "tea")]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [7] * 5,
    ...         "timestamp": [datetime.date(2026, 1, 5)] * 5,
    ...         "order": [order for order, _ in lines],
    ...         "item": [item for _, item in lines],
    ...     }
    ... )
    >>> found = custcore.pairs(
    ...     orders, "item", order_id="order", min_item_baskets=1, min_pair_baskets=1
    ... )
    >>> list(found.select(["item_a", "item_b", "n_ab", "lift", "lift_within"]).rows())
    [('bread', 'butter', 2, 1.5, 1.0)]
    """
    # What is wrong with options is said before any row is read.
    pair_options(
        min_item_baskets=min_item_baskets,
        min_pair_baskets=min_pair_baskets,
        min_basket=min_basket,
        test=test,
        adjust=adjust,
        top=top,
    )
    baskets = Baskets(
        item,
        basket,
        customer_id=customer_id,
        timestamp=timestamp,
        order_id=order_id,
        amount=amount,
        returns=returns,
        max_basket=max_basket,
        anonymous=anonymous,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
    )
    baskets.update(data, n_threads=n_threads, progress=progress)
    table = baskets.pairs(
        min_item_baskets,
        min_pair_baskets,
        min_basket=min_basket,
        by=by,
        segment=segment,
        test=test,
        adjust=adjust,
        top=top,
        n_threads=n_threads,
    )
    return table._noted(notes_of(data))


@proposing
def rules(
    data: Data,
    item: str,
    *,
    basket: Literal["order", "day", "customer"] | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    order_id: str | Sequence[str] | None = None,
    amount: str | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    max_basket: int | None = None,
    anonymous: bool = False,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    min_baskets: float = 0.01,
    min_confidence: float = 0.3,
    max_len: int = 4,
    max_itemsets: int = 10000000,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Rules: of the baskets with some items, how many also have another one.

    This is :meth:`Baskets.rules` of one call, where the columns are described.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
    item : str
        Column of items, such as products or categories: integers, strings, binary, bools,
        dates, timestamps, floats, or a dictionary of these. Rows with a null item are left
        out and reported.
    basket : {"order", "day", "customer"}, optional
        What is a basket. ``"order"``: the lines of an order id of a customer. ``"day"``:
        what a customer bought on a local day. ``"customer"``: all that a customer ever
        bought; ``order_id`` is not read then, as with ``"day"``. Default: ``"order"`` with
        ``order_id``, else ``"day"``.
    customer_id : str or list of str, default "customer_id"
        Column of customer ids: integers, strings, binary, or a dictionary of these. A list
        of columns is a composite key, which is null if a part is, and is ordered part by
        part; a single id of it is a tuple. Rows with a null id are left out and reported.
    timestamp : str, default "timestamp"
        Column of dates or timestamps. Rows with a null time are left out and reported.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. A line
        with a null order id is an order by itself, and reported.
    amount : str or None, optional
        Column of money: floats, integers or decimals. It decides what was returned, see
        ``returns``. Default: every line counts.
    returns : {"net", "exclude", "count"}, default "net"
        What an ``amount`` below 0 does. ``"net"`` and ``"exclude"``: an item is in a basket
        unless its lines there sum to less than 0, and an order that sums to less than 0 is
        none; both are reported. ``"count"``: every line puts its item into the basket.
    max_basket : int, optional
        Baskets of more distinct items are left out and reported, such as wholesale orders:
        one of 541 items makes 146,070 pairs. Default: no limit.
    anonymous : bool, default False
        Whether orders without a customer id are baskets; for ``basket="order"``.
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
    min_baskets : int or float, default 0.01
        Sets of items in fewer baskets are not listed. A number below 1 is a share of the
        baskets.
    min_confidence : float, default 0.3
        Rules of a lower confidence are not listed.
    max_len : int, default 4
        The most items of a rule, antecedent and consequent together, 2 to 16.
    max_itemsets : int, default 10000000
        More sets than this are an error, before memory is gone; it names the least minimum
        that fits.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
        the total may be ``None``.

    Returns
    -------
    Table
        The columns of :meth:`Baskets.rules`.

    Raises
    ------
    MemoryLimitError
        If there are more than ``max_itemsets`` sets in enough baskets.
    InvalidArgumentError, OutOfRangeError
        If an option is out of range.
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or its type cannot be what it is named for.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> lines = [(1, "bread"), (1, "butter"), (2, "bread"), (2, "butter"), (3, "tea")]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [7] * 5,
    ...         "timestamp": [datetime.date(2026, 1, 5)] * 5,
    ...         "order": [order for order, _ in lines],
    ...         "item": [item for _, item in lines],
    ...     }
    ... )
    >>> found = custcore.rules(orders, "item", order_id="order", min_baskets=2).to_pyarrow()
    >>> found.select(["antecedent", "consequent", "confidence"]).to_pylist()
    [{'antecedent': ['bread'], 'consequent': 'butter', 'confidence': 1.0},
     {'antecedent': ['butter'], 'consequent': 'bread', 'confidence': 1.0}]
    """
    least("min_baskets", min_baskets)
    share("min_confidence", min_confidence)
    count("max_len", max_len, lowest=2, highest=16)
    baskets = Baskets(
        item,
        basket,
        customer_id=customer_id,
        timestamp=timestamp,
        order_id=order_id,
        amount=amount,
        returns=returns,
        max_basket=max_basket,
        anonymous=anonymous,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
    )
    baskets.update(data, n_threads=n_threads, progress=progress)
    table = baskets.rules(min_baskets, min_confidence, max_len=max_len, max_itemsets=max_itemsets, n_threads=n_threads)
    return table._noted(notes_of(data))
