"""``custcore.Baskets``: which items were bought together; updated, merged, saved."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source, rows_total
from custcore._input.ids import as_key, listed
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore.affinity._arguments import count
from custcore.affinity._patterns import Patterns
from custcore.base._changes import relabelled
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore._input.ids import Id
    from custcore.result import Report

__all__ = ["Baskets"]

# The settings of a base that baskets have, too.
OF_BASE = (
    *("customer_id", "timestamp", "amount", "order_id", "returns"),
    *("amount_decimals", "timezone", "on_null", "on_nonfinite"),
)


class Baskets(Patterns):
    """The distinct items of every basket: kept, updated, merged, saved.

    It is built from transactions by updates in any order; the result is bitwise equal to
    that of a single update. A failed update leaves it unchanged. Items are a set: quantities
    and repeats do not matter. Counts of pairs of parts of the data do not add up where a
    basket is cut in two; baskets do, so they are what is kept.

    Parameters
    ----------
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

    Notes
    -----
    An item of an open basket takes 8 bytes, and 8 more with ``amount``, as a line may still
    be returned; of a sealed one 4.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> def lines(order, items):
    ...     return pa.table(
    ...         {
    ...             "customer_id": [7] * len(items),
    ...             "timestamp": [datetime.date(2026, 1, 5)] * len(items),
    ...             "order": [order] * len(items),
    ...             "item": items,
    ...         }
    ...     )
    >>> baskets = custcore.Baskets("item", order_id="order")
    >>> baskets.update(lines(1, ["bread", "butter"]))
    >>> baskets.update(lines(2, ["bread", "butter", "tea"]))
    >>> len(baskets)
    2
    >>> baskets.pairs(min_item_baskets=1, min_pair_baskets=2)["n_ab"].to_pylist()
    [2]
    """

    __slots__ = ("_anonymous", "_basket", "_core", "_item", "_max_basket", "_options")

    @proposing
    def __init__(
        self,
        item: str,
        basket: Literal["order", "day", "customer"] | None = None,
        *,
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
    ) -> None:
        given = basket if basket is not None else "day" if order_id is None else "order"
        by = arguments.choice("basket", given, ("order", "day", "customer"))
        options = read_options(
            customer_id=customer_id,
            timestamp=timestamp,
            amount=amount,
            as_of=None,
            returns=returns,
            zero_is_purchase=True,
            amount_decimals=amount_decimals,
            timezone=timezone,
            on_null=on_null,
            on_nonfinite=on_nonfinite,
            order_id=order_id,
        )
        core = _core.Baskets(
            options,
            arguments.name("item", item),
            by,
            None if max_basket is None else count("max_basket", max_basket),
            arguments.flag("anonymous", anonymous),
        )
        self._take(core)

    def _take(self, core: _core.Baskets) -> None:
        self._core = core
        self._options, self._item, self._basket, self._max_basket, self._anonymous = core.settings()

    def update(
        self, data: Data, *, batch_id: str | None = None, n_threads: int | None = None, progress: Progress | None = None
    ) -> None:
        """Add transactions.

        Parameters
        ----------
        data : table, iterable of batches, or dict of arrays
            Transactions, one row per order, or with ``order_id`` one row per order line: a
            table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
            LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
            decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
            such as a RecordBatchReader; an iterable of such batches; or a dict of
            one-dimensional numpy arrays.
        batch_id : str, optional
            A name for the data, such as their date or file. Data with the same name are refused
            a second time.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        progress : callable, optional
            Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
            the total may be ``None``.

        Raises
        ------
        DuplicateBatchError
            If the data of this ``batch_id`` were already loaded.
        StateMismatchError
            If the types of ids, times, items or amounts differ from earlier updates, or a
            basket has only lines before the day of :meth:`seal`, and is not open.
        """
        _ = self._core.update(
            as_source(data, columns_read(self._options, others=[self._item])),
            batch_id=arguments.optional_name("batch_id", batch_id),
            n_threads=arguments.optional_whole("n_threads", n_threads),
            progress=progress,
            rows_total=rows_total(data),
        ).applied

    def merge(self, other: Baskets) -> None:
        """Add other baskets, which are not changed.

        Baskets of the same customer and order (or day) become one. Merging is commutative and
        associative, and merging the baskets of two parts of the data gives those of both.

        Parameters
        ----------
        other : Baskets
            Baskets of the same settings. No batch may be in both, and no sealed basket.

        Raises
        ------
        StateMismatchError
            If settings or types differ; the message lists them.
        DuplicateBatchError
            If a ``batch_id`` is in both.
        """
        if not isinstance(other, Baskets):
            raise InvalidTypeError(f"other is {type(other).__name__}; expected Baskets")
        _ = self._core.merge(other._core).applied

    def seal(self, before: AsOf) -> None:
        """Close the baskets whose lines are all before a day.

        Their items stay; order ids and sums of money are dropped, which makes them smaller. An
        order of which there are later only lines before that day is an error.

        Parameters
        ----------
        before : date, datetime or str
            The first day whose lines may still come.

        Raises
        ------
        StateMismatchError
            If a basket is all that a customer ever bought: it is never complete.
        """
        kind, value = as_of_argument(before) or ("", 0)
        if kind != "date":
            raise InvalidTypeError(f"before={before!r}: expected a date, or its ISO text such as '2026-01-31'")
        _ = self._core.seal(value).applied

    def relabel(self, mapping: Mapping[Id, Id] | Iterable[tuple[Id, Id]]) -> None:
        """Change the ids of customers, all at once; customers with the same new id are merged.

        The result is that of the same data with the new ids. Old ids that do not occur are
        ignored.

        Parameters
        ----------
        mapping : dict of old to new id, or pairs of them
            Ids as they are in the data, tuples of these for a composite key.

        Raises
        ------
        StateMismatchError
            If two customers would become one, and days of them are sealed: the same day may be
            in both.
        """
        _ = self._core.relabel([(as_key(old), as_key(new)) for old, new in relabelled(mapping)]).applied

    def remove(self, ids: Iterable[Id] | Data) -> int:
        """Erase customers; only the number of their baskets and money remain, in the report.

        Parameters
        ----------
        ids : iterable of ids, array, column or table
            Ids as they are in the data, tuples for a composite key; ids that do not occur are
            ignored. Of a table the columns of the key are read.

        Returns
        -------
        int
            Number of customers erased.
        """
        return self._core.remove(listed("ids", ids, arguments.key_names(self._options["customer_id"]))).applied

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the baskets to a file atomically.

        The file is an Arrow file with a row for each basket and a checksum for each of its
        blocks; equal content gives equal bytes. First rows in the report are not kept: they
        depend on the order of updates.

        Parameters
        ----------
        path : str or path
            Path of the file. An existing file is replaced when the new one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        _ = self._core.save(os.fspath(path)).applied

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Baskets:
        """Read baskets from a file that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        ModelFormatError
            If the file has no baskets of custcore, or was changed.
        ModelVersionError
            If a newer custcore wrote it.
        """
        return Baskets._of(_core.Baskets.load(os.fspath(path)))

    def to_bytes(self) -> bytes:
        """The bytes of the file that :meth:`save` writes."""
        return self._core.to_bytes()

    @staticmethod
    def from_bytes(data: bytes) -> Baskets:
        """Read baskets from the bytes that :meth:`to_bytes` returned.

        Parameters
        ----------
        data : bytes
            The bytes.

        Raises
        ------
        ModelFormatError
            If the bytes are no baskets of custcore, or were changed.
        ModelVersionError
            If a newer custcore wrote them.
        """
        given: object = data
        if not isinstance(given, bytes | bytearray | memoryview):
            raise InvalidTypeError(
                f"baskets are read from bytes, not from {type(given).__name__}; load(path) reads a file"
            )
        return Baskets._of(_core.Baskets.from_bytes(bytes(given)))

    @staticmethod
    def _of(core: _core.Baskets) -> Baskets:
        """Wrap baskets of the core."""
        baskets = object.__new__(Baskets)
        baskets._take(core)
        return baskets

    def __reduce__(self) -> tuple[object, ...]:
        return Baskets.from_bytes, (self.to_bytes(),)

    @property
    def report(self) -> Report:
        """What was left out so far, and why.

        Rows: ``null_customer_id``, ``null_timestamp``, ``nonfinite_amount``, ``null_item``, and
        ``returned_items`` (items of a basket whose lines sum to less than 0). Baskets:
        ``refunds`` (orders that sum to less than 0), ``large_baskets``, ``removed``. Notes:
        ``null_amount``, ``rounded_amount``, ``null_order_id``.
        """
        return Table(self._core.report()).report

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of these baskets: ``Baskets(**baskets.settings)`` are none like them."""
        return {"item": self._item, "basket": self._basket, **self._shown()}

    def _shown(self) -> dict[str, Any]:
        read = {name: value for name, value in self._options.items() if name in OF_BASE}
        return {**read, "max_basket": self._max_basket, "anonymous": self._anonymous}

    @property
    def n_rows(self) -> int:
        """Number of rows read."""
        return self._core.rows

    @property
    def nbytes(self) -> int:
        """Approximate memory in bytes."""
        return self._core.nbytes

    @property
    def batch_ids(self) -> list[str]:
        """The ids of the batches loaded, ascending."""
        return self._core.batches

    @property
    def sealed_before(self) -> date | None:
        """The day before which baskets are sealed."""
        sealed = self._core.sealed
        return None if sealed is None else date.fromisoformat(sealed)

    def __copy__(self) -> Baskets:
        return Baskets._of(self._core.copy())

    def __deepcopy__(self, memo: object) -> Baskets:
        return self.__copy__()

    def __len__(self) -> int:
        """Number of baskets with at least one item."""
        return len(self._core)

    def __bool__(self) -> bool:
        # Without this, no baskets would be false.
        return True

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._shown().items())
        kind = f"{len(self):,} baskets by {self._basket} of {self._item!r}"
        return f"{kind} from {self.n_rows:,} rows ({shown})"
