"""Changes to a customer base: more data, other bases, other ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source, rows_total
from custcore._input.ids import as_key, listed
from custcore._input.read_options import columns_read
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore import _core
    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data, Progress
    from custcore._input.ids import Id
    from custcore.base._customer_base import CustomerBase

__all__ = ["Changes", "relabelled"]


class Changes:
    """The methods of :class:`custcore.CustomerBase` that change it.

    A change takes effect while the attribute ``applied`` is read, as the last step: the interpreter runs no signal
    handler between that and the return, so a change that raises ``KeyboardInterrupt`` has done nothing.
    """

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def update(
        self,
        data: Data,
        *,
        batch_id: str | None = None,
        commit_every: Literal["update", "batch"] = "update",
        n_threads: int | None = None,
        progress: Progress | None = None,
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
        commit_every : {"update", "batch"}, default "update"
            ``"update"``: all of the data are added or, after an error, none. ``"batch"``: what
            was read before an error or an interrupt is kept, in steps of about a million rows;
            for unbounded streams. It excludes ``batch_id``.
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
            If the types of ids, times or amounts differ from earlier updates, or a line is too
            late.
        """
        batch = arguments.optional_name("batch_id", batch_id)
        threads = arguments.optional_whole("n_threads", n_threads)
        every = arguments.choice("commit_every", commit_every, ("update", "batch"))
        if every == "update":
            _ = self._core.update(
                as_source(data, columns_read(self._options)),
                batch_id=batch,
                n_threads=threads,
                progress=progress,
                rows_total=rows_total(data),
            ).applied
        elif batch is None:
            self._core.update_by_batch(
                as_source(data, columns_read(self._options)),
                n_threads=threads,
                progress=progress,
                rows_total=rows_total(data),
            )
        else:
            raise InvalidArgumentError(
                "batch_id= requires that data are loaded completely or not at all; omit it with commit_every='batch'"
            )

    def merge(self, other: CustomerBase) -> None:
        """Add the customers of another base, which is not changed.

        Merging is commutative and associative, and merging the bases of two parts of the data
        gives the base of both.

        Parameters
        ----------
        other : CustomerBase
            A base of the same settings. No batch may be in both.

        Raises
        ------
        StateMismatchError
            If settings, levels or types differ; the message lists them.
        DuplicateBatchError
            If a ``batch_id`` is in both.
        """
        if not isinstance(other, Changes):
            raise InvalidTypeError(f"other is {type(other).__name__}; expected a CustomerBase")
        _ = self._core.merge(other._core).applied

    def seal(self, before: AsOf) -> None:
        """Seal the orders whose lines are all before a day; for ``track="orders"``.

        They become purchases or refunds of their days, and their ids are dropped, which makes
        the base smaller. A later line before that day is then an error (or counted, see
        ``late``) unless its order is still open.

        Parameters
        ----------
        before : date, datetime or str
            The first day whose lines may still come.
        """
        kind, value = as_of_argument(before) or ("", 0)
        if kind != "date":
            raise InvalidTypeError(f"before={before!r}: expected a date, or its ISO text such as '2026-01-31'")
        _ = self._core.seal(value).applied

    def relabel(self, mapping: Mapping[Id, Id] | Iterable[tuple[Id, Id]]) -> None:
        """Change the ids of customers, all at once; customers with the same new id are merged.

        The result is the base of the same data with the new ids. Old ids that are not in the
        base are ignored.

        Parameters
        ----------
        mapping : dict of old to new id, or pairs of them
            Ids as they are in the data: int, str, bytes or uuid.UUID, and tuples of these for a
            composite key. ``{1: 2, 2: 1}`` swaps two customers. The type of the ids in results
            widens to hold new ids, as in an update.
        """
        pairs = relabelled(mapping)
        _ = self._core.relabel([(as_key(old), as_key(new)) for old, new in pairs]).applied

    def remove(self, ids: Iterable[Id] | Data) -> int:
        """Erase customers; only the number of their orders and their money remain, in the report.

        Parameters
        ----------
        ids : iterable of ids, array, column or table
            Ids as they are in the data, tuples for a composite key; ids that are not in the base
            are ignored. Of a table the columns of the key are read.

        Returns
        -------
        int
            Number of customers erased.
        """
        plain = listed("ids", ids, arguments.key_names(self._options["customer_id"]))
        return self._core.remove(plain).applied


def relabelled(mapping: object) -> list[Any]:
    """Pairs of old and new ids, of a dict or an iterable of them."""
    items = getattr(mapping, "items", None)
    pairs = items() if callable(items) else mapping
    if not isinstance(pairs, Iterable) or isinstance(pairs, str | bytes):
        raise InvalidTypeError(f"mapping={pairs!r}: expected several ids, for instance in a list")
    found = list(pairs)
    for pair in found:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InvalidTypeError(f"mapping contains {pair!r}; expected a dict of old to new ids, or pairs of them")
    return found
