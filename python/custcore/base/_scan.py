"""``custcore.scan``: one pass over the data for several customer bases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.read_options import columns_read
from custcore.base._customer_base import CustomerBase
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore._input.data import Data, Progress

__all__ = ["scan"]


def scan(
    data: Data,
    bases: Mapping[str, CustomerBase],
    *,
    batch_id: str | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Add transactions to several bases in one scan: to all of them, or to none.

    The result is the same as that of ``update(data)`` on each base. The columns of all
    bases are read, and each batch is read once, so that one stream can update, for example,
    a base of customers and a base of products.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
    bases : dict of str to CustomerBase
        The bases by names of your choice, which errors report. Their columns and settings
        may differ.
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
    InvalidArgumentError
        If no base is given, or the same base twice.
    DuplicateBatchError
        If one of the bases already has the data of this ``batch_id``.
    StateMismatchError
        If the types of ids, times or amounts differ from earlier updates of one of the
        bases. After any error all bases are unchanged.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> sales = pa.table(
    ...     {
    ...         "customer_id": ["ann", "bob", "ann"],
    ...         "product": [7, 7, 8],
    ...         "timestamp": [datetime.date(2026, 1, d) for d in (5, 9, 12)],
    ...         "amount": [10.0, 20.0, 5.5],
    ...     }
    ... )
    >>> customers = custcore.CustomerBase()
    >>> products = custcore.CustomerBase(customer_id="product")
    >>> custcore.scan(sales, {"customers": customers, "products": products})
    >>> customers.rfm().to_pyarrow()["monetary_total"].to_pylist()
    [15.5, 20.0]
    >>> products.rfm().to_pyarrow()["monetary_total"].to_pylist()
    [30.0, 5.5]
    """
    checked = _checked(bases)
    _ = _core.scan(
        as_source(data, columns_read(*(base._options for base in bases.values()))),
        checked,
        batch_id=arguments.optional_name("batch_id", batch_id),
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    ).applied


def _checked(bases: Mapping[str, CustomerBase]) -> list[tuple[str, _core.CustomerBase]]:
    """The bases, checked, for the core."""
    if not isinstance(bases, Mapping):
        raise InvalidTypeError(f"bases is {type(bases).__name__}; expected a dict of names to CustomerBase")
    if not bases:
        raise InvalidArgumentError("bases is empty; pass at least one CustomerBase by its name")
    names: dict[int, str] = {}
    for name, base in bases.items():
        if not isinstance(base, CustomerBase):
            raise InvalidTypeError(f"bases[{name!r}] is {type(base).__name__}; expected a CustomerBase")
        other = names.setdefault(id(base._core), arguments.name("a name of bases", name))
        if other != name:
            raise InvalidArgumentError(
                f"bases[{other!r}] and bases[{name!r}] are the same base, which would get the data twice; pass it once"
            )
    return [(name, base._core) for name, base in bases.items()]
