"""Converts data, dates and totals for progress to the types that the core accepts; computes no results."""

from __future__ import annotations

import contextlib
import datetime
import sys
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from custcore import _core
from custcore._input.projection import is_projected, project, total_rows
from custcore._input.refusal import refused
from custcore.errors import ArrowImportError, InvalidArgumentError, InvalidTypeError, OutOfRangeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

__all__ = ["ArrowArrayExportable", "ArrowStreamExportable", "AsOf", "Data", "Progress", "TimeZone"]


class ArrowStreamExportable(Protocol):
    """Anything with ``__arrow_c_stream__``: tables of pyarrow, polars, DuckDB, custcore, ..."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ArrowArrayExportable(Protocol):
    """Anything with ``__arrow_c_array__``: one record batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


class Dataset(Protocol):
    """A Dataset of pyarrow."""

    def scanner(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: ANN401


class Scanner(Protocol):
    """A Scanner of pyarrow, or another plan that gives a reader."""

    def to_reader(self) -> Any: ...  # noqa: ANN401


class ParquetFile(Protocol):
    """A ParquetFile of pyarrow."""

    def iter_batches(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: ANN401


class LazyFrame(Protocol):
    """A LazyFrame of polars or narwhals."""

    def collect_schema(self) -> Any: ...  # noqa: ANN401


class PartitionedFrame(Protocol):
    """A DataFrame of dask."""

    @property
    def partitions(self) -> Any: ...  # noqa: ANN401


Batch: TypeAlias = ArrowStreamExportable | ArrowArrayExportable | Dataset | Scanner | ParquetFile | LazyFrame
Data: TypeAlias = Batch | PartitionedFrame | Iterable[Batch] | Mapping[str, "np.ndarray[Any, Any]"]
AsOf: TypeAlias = datetime.date | datetime.datetime | str | Any
TimeZone: TypeAlias = str | datetime.tzinfo
Progress: TypeAlias = "Callable[[int, int | None], object]"

_EPOCH = datetime.date(1970, 1, 1)
_UTC_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PLAIN_KINDS = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float32",
    "float64",
}


def as_source(data: Data, names: Sequence[str | None] | None = None, optional: Sequence[str] = ()) -> object:
    """``data`` for the core: an exporter of Arrow, or an iterable of them.

    A mapping of numpy arrays is converted to a table. Of the tables of other libraries only the columns ``names`` are
    decoded, and those of ``optional`` that are there; None stands for all.

    Raises
    ------
    InvalidTypeError
        If ``data`` are no table.
    """
    if isinstance(data, Table):
        return data._core
    if isinstance(data, Mapping) and not exports(data):
        return _from_arrays(data)
    if isinstance(data, list | tuple):
        if data and not (_is_table(data[0]) or is_projected(data[0])):
            raise refused(data)
        if any(is_projected(batch) for batch in data):
            return _projected(data, data, names, optional)
        for batch in data:
            _check_batch(batch, names)
        return data
    found: Any = project(data, names, optional)
    if _is_table(found):
        _check_batch(found, names)
        return found
    if isinstance(found, type | str | bytes) or not hasattr(found, "__iter__"):
        raise refused(found)
    return _projected(data, found, names, optional)


def in_memory(data: object, columns: Sequence[str] | None = None) -> _core.Table:
    """``data``, as :func:`as_source` returns it, in a form that can be read any number of times.

    Whatever is read more than once goes through here: a stream, an iterator and a query give their rows once.
    ``columns`` names those to keep; None keeps all.
    """
    if isinstance(data, _core.Table):
        return data
    return _core.Table.read(data, columns=None if columns is None else list(columns))


# Readers already passed to custcore. A pyarrow reader that was consumed silently exports an empty stream.
_SPENT: weakref.WeakSet[Any] = weakref.WeakSet()


def _projected(
    data: object, batches: Iterable[Any], names: Sequence[str | None] | None, optional: Sequence[str]
) -> Iterator[Any]:
    """Yield exporters of Arrow, each checked, of the batches of ``data``, which need not export it themselves."""
    for batch in batches:
        found = project(batch, names, optional)
        if not _is_table(found) and not (is_projected(batch) and isinstance(found, Iterator)):
            raise refused(data)
        for part in (found,) if _is_table(found) else found:
            _check_batch(part, names)
            yield part


def _is_table(data: object) -> bool:
    """Whether it exports Arrow."""
    return not isinstance(data, type) and (isinstance(data, _core.Table) or exports(data))


def _check_batch(batch: Any, names: Sequence[str | None] | None) -> None:  # noqa: ANN401
    """Raise an error for a reader that was read before, and for pandas columns that Arrow would convert wrongly."""
    _refuse_spent(batch)
    if type(batch).__module__.startswith("pandas") and hasattr(batch, "columns"):
        from custcore._input.objects import check_objects  # rarely needed

        check_objects(batch, names or ())


def _refuse_spent(reader: object) -> None:
    """Raise an error if a reader was read before, and remember it as read."""
    if not hasattr(reader, "read_next_batch"):
        return
    if reader in _SPENT:
        raise ArrowImportError("the reader was already consumed; pass a new reader, or a table")
    with contextlib.suppress(TypeError):  # a reader without weak references
        _SPENT.add(reader)


def rows_total(data: Data) -> int | None:
    """The number of rows for progress, if it is known without reading."""
    for name in ("num_rows", "height", "n_rows"):
        rows = getattr(data, name, None)
        if isinstance(rows, int):
            return rows
    known = total_rows(data)
    if known is not None:
        return known
    # The length of a DataFrame is its number of rows; of a list, its number of batches. For DuckDB it runs a query.
    if type(data).__module__.startswith("pandas") and hasattr(data, "__len__"):
        return len(data)  # type: ignore[arg-type]
    return None


def as_of_argument(as_of: AsOf | None, argument: str = "as_of") -> tuple[str, int] | None:
    """A day for the core: ("date" | "naive", days since 1970) or ("instant", UTC seconds).

    Accepts dates, datetimes, ISO strings, pandas timestamps and ``numpy.datetime64``.
    """
    if as_of is None:
        return None
    value = _moment(argument, as_of)
    if not isinstance(value, datetime.datetime):
        return "date", (value - _EPOCH).days
    if value.tzinfo is None or value.utcoffset() is None:
        return "naive", (value.date() - _EPOCH).days
    return "instant", (value - _UTC_EPOCH) // datetime.timedelta(seconds=1)


def bound_argument(argument: str, value: AsOf | None) -> tuple[str, int] | None:
    """A bound of observation for the core, of the same types as ``as_of``.

    ("date", days since 1970), ("naive", microseconds of local wall time) or
    ("instant", UTC microseconds).
    """
    if value is None:
        return None
    moment = _moment(argument, value)
    if not isinstance(moment, datetime.datetime):
        return "date", (moment - _EPOCH).days
    if moment.tzinfo is None or moment.utcoffset() is None:
        return "naive", (moment.replace(tzinfo=datetime.UTC) - _UTC_EPOCH) // datetime.timedelta(microseconds=1)
    return "instant", (moment - _UTC_EPOCH) // datetime.timedelta(microseconds=1)


def _moment(argument: str, given: AsOf) -> datetime.date:
    """A date or datetime, from any of the accepted types."""
    value: object = given
    if isinstance(value, str):
        value = _parse(argument, value)
    elif type(value).__module__ == "numpy" and type(value).__name__ == "datetime64":
        value = _from_datetime64(argument, value)
    if _is_null(value):
        raise InvalidArgumentError(f"{argument} is {given}, not a day; pass a date, or None")
    if isinstance(value, datetime.date):
        return value
    raise InvalidTypeError(
        f"{argument} is {type(given).__name__}; expected a date, a datetime, or an ISO string such as '2026-01-31'"
    )


def _is_null(value: Any) -> bool:  # noqa: ANN401
    """Whether it is NaT, NaN or NA of pandas, of which only the last has no truth value."""
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _parse(argument: str, text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            raise InvalidArgumentError(f"{argument}={text!r} is not an ISO date such as '2026-01-31'") from None


def _from_datetime64(argument: str, value: Any) -> datetime.date:  # noqa: ANN401
    text = str(value)
    if text == "NaT":
        raise InvalidArgumentError(f"{argument} is NaT; pass a date, or None")
    # Days, months and years become a date (the first day); finer units become a naive datetime.
    try:
        day = datetime.date.fromisoformat(str(value.astype("datetime64[D]")))
    except ValueError:
        raise OutOfRangeError(f"{argument}={text} is outside the years 1 to 9999") from None
    if "T" not in text:
        return day
    return datetime.datetime.combine(
        day, datetime.time.fromisoformat(str(value.astype("datetime64[us]")).split("T")[1])
    )


def exports(data: object) -> bool:
    """Whether it exports Arrow itself."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def _from_arrays(arrays: Mapping[str, Any]) -> _core.Table:
    """A table of one-dimensional numpy arrays; contiguous numbers and times are not copied."""
    numpy = sys.modules.get("numpy")
    columns: list[tuple[str, str, object]] = []
    rows: int | None = None
    for name, array in arrays.items():
        if numpy is None or not isinstance(array, numpy.ndarray):
            raise InvalidTypeError(
                f"data is a dict whose value for {name!r} is {type(array).__name__}; expected one-dimensional numpy "
                "arrays by column name. Convert it with numpy.asarray, or pass an Arrow table"
            )
        if isinstance(array, numpy.ma.MaskedArray):
            raise InvalidTypeError(
                f"column {name!r} is a masked array, whose mask would be lost; pass array.filled(numpy.nan), "
                "or a table with nulls",
                column=name,
            )
        if array.ndim != 1:
            raise InvalidTypeError(f"column {name!r} has {array.ndim} dimensions; expected one", column=name)
        if rows is not None and len(array) != rows:
            raise InvalidArgumentError(f"column {name!r} has length {len(array)}, the others {rows}", column=name)
        rows = len(array)
        columns.append((name, *_column(numpy, name, array)))
    return _core.Table.from_columns(columns)


def _column(numpy: Any, name: str, array: Any) -> tuple[str, object]:  # noqa: ANN401
    """Kind and values of one array, for ``_core.Table.from_columns``."""
    kind = array.dtype.kind
    if kind == "M":
        unit, count = numpy.datetime_data(array.dtype)
        if unit not in {"s", "ms", "us", "ns"} or count != 1:
            array, unit = array.astype("datetime64[s]"), "s"
        return f"timestamp[{unit}]", _native(numpy, array).view("int64")
    if array.dtype.name in _PLAIN_KINDS:
        return array.dtype.name, _native(numpy, array)
    values = [None if value is None or value != value else value for value in array.tolist()]
    if kind in {"U", "O", "T"} and all(value is None or isinstance(value, str) for value in values):
        return "string", values
    if kind in {"S", "O"} and all(value is None or isinstance(value, bytes) for value in values):
        return "binary", values
    raise InvalidTypeError(
        f"column {name!r} is a numpy array of {array.dtype}; expected integers, floats, datetime64, strings or bytes. "
        "Cast it first with .astype",
        column=name,
    )


def _native(numpy: Any, array: Any) -> Any:  # noqa: ANN401
    """A contiguous array in native byte order."""
    return numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
