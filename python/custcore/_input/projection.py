"""Tables of other libraries, of which only the columns that a call reads are decoded.

No library is imported: an object is known by the module and the name of its class.
"""

# ruff: noqa: ANN401 (objects of libraries that are not imported)

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from custcore.errors import ArrowImportError, CustcoreError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["can_export", "column_names", "is_projected", "is_source", "project", "total_rows"]


def project(data: Any, names: Iterable[str | None] | None, optional: Iterable[str] = ()) -> Any:
    """``data`` for the core, with the columns ``names`` and no others where its library can leave them out.

    Parameters
    ----------
    data
        Anything. An object of an unknown kind is returned as it is. So is a RecordBatchReader, whose producer has
        decided what it decodes.
    names
        The columns that are read; None stands for all of them, and a None among them for a role without a column.
    optional
        Columns that are read if they are there.

    Returns
    -------
    object
        An exporter of Arrow, or an iterator of them. If a column is missing or there twice, a table of all the columns,
        without the rows, so that the core raises its error.

    Raises
    ------
    ArrowImportError
        If the library fails, with its message: here, or when the rows are read.
    """
    if is_source(data):
        there = list(data.column_names)
        wanted = there if names is None else _wanted(names, optional, there)
        return _of_source(data.reader(wanted or there, getattr(names, "roles", None)))
    kind = _kind(data)
    if kind is None:
        return data
    if kind.unwrap is not None:
        return project(kind.unwrap(data), names, optional)
    if names is None:
        return kind.read(data, None)
    with _foreign("to provide its columns"):
        there = kind.columns(data)
    wanted = _wanted(names, optional, there)
    if any(there.count(name) != 1 for name in wanted):
        with _foreign("to provide its columns"):
            return data if kind.empty is None else kind.empty(data)
    return kind.read(data, wanted if wanted and _are_unambiguous(wanted, there, kind) else None)


def is_projected(data: object) -> bool:
    """Whether :func:`project` knows how to read the object."""
    return _kind(data) is not None or is_source(data)


def is_source(data: object) -> bool:
    """Whether the object is what :func:`custcore.read` returns."""
    return bool(getattr(type(data), "_custcore_source", False))


def column_names(data: Any) -> list[str] | None:
    """The names of the columns of a known kind of table; None for an unknown kind, and if a label is not a string."""
    if is_source(data):
        return list(data.column_names)
    kind = _kind(data)
    if kind is None:
        return None
    if kind.unwrap is not None:
        return column_names(kind.unwrap(data))
    with _foreign("to provide its columns"):
        names = kind.columns(data)
    return names if all(isinstance(name, str) for name in names) else None


def total_rows(data: Any) -> int | None:
    """The number of rows of a known kind of table that does not count them to tell it, else None."""
    kind = _kind(data)
    if kind is not None and kind.unwrap is not None:
        return total_rows(kind.unwrap(data))
    rows = None if kind is None or kind.rows is None else kind.rows(data)
    return rows if isinstance(rows, int) else None


class _Kind(NamedTuple):
    """How tables of one class are read."""

    # The columns, without reading rows.
    columns: Callable[[Any], list[Any]]
    # An exporter of Arrow or an iterator of exporters, of some columns or, for None, all.
    read: Callable[[Any, list[str] | None], Any]
    rows: Callable[[Any], object] | None = None
    # The object that this one wraps.
    unwrap: Callable[[Any], Any] | None = None
    # Whether names differ that differ only in case.
    is_case_sensitive: bool = True
    # A table of all columns and few rows or none; without it the object itself.
    empty: Callable[[Any], Any] | None = None


class _Exporter:
    """Exports what a call returns, which is called anew for each export."""

    __slots__ = ("_open",)

    def __init__(self, open: Callable[[], Any]) -> None:  # noqa: A002
        self._open = open

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        with _foreign("to provide its rows"):
            return self._open().__arrow_c_stream__(requested_schema)


@contextlib.contextmanager
def _foreign(where: str) -> Iterator[None]:
    """Pass on an error of a library as the core passes on those of a stream of Arrow data."""
    try:
        yield
    except (CustcoreError, OSError, MemoryError):
        raise
    except Exception as error:
        raise ArrowImportError(f"the producer of the data failed {where}: {error}") from error


def _batches(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield batches that a library makes while it is read."""
    iterator = iter(batches)
    number = 0
    while True:
        with _foreign(f"at batch {number}"):
            batch = next(iterator, None)
        if batch is None:
            return
        yield batch
        number += 1


def _wanted(names: Iterable[str | None], optional: Iterable[str], there: Iterable[Any]) -> list[str]:
    """The names to read, each once, and those of the optional ones that are there."""
    given = [name for name in names if name is not None]
    return list(dict.fromkeys([*given, *(name for name in optional if name in there)]))


def _are_unambiguous(wanted: list[str], there: list[Any], kind: _Kind) -> bool:
    """Whether a library that ignores the case of names takes each wanted one for the right column."""
    if kind.is_case_sensitive:
        return True
    folded = [str(name).casefold() for name in there]
    return all(folded.count(name.casefold()) == 1 for name in wanted)


def _of_source(reader: Any) -> Iterator[Any]:
    """Yield the batches of files: through a stream of Arrow their errors would lose their class."""
    yield reader.schema.empty_table()
    yield from reader


# DuckDB and DataFusion


def _duckdb(relation: Any, names: list[str] | None) -> Any:
    if names is None:
        return _Exporter(lambda: relation)
    chosen = ", ".join(map(_quoted, names))
    return _Exporter(lambda: relation.project(chosen))


def _datafusion(frame: Any, names: list[str] | None) -> Any:
    return _Exporter(lambda: frame if names is None else frame.select(*map(_quoted, names)))


def _quoted(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


# pyarrow


def _dataset(dataset: Any, names: list[str] | None) -> Any:
    return _Exporter(lambda: (dataset.scanner() if names is None else dataset.scanner(columns=names)).to_reader())


def _scanner(scanner: Any, names: list[str] | None) -> Any:  # noqa: ARG001 (it is planned already)
    return _Exporter(scanner.to_reader)


def _parquet_file(file: Any, names: list[str] | None) -> Iterator[Any]:
    empty = file.schema_arrow.empty_table()
    # A file without rows has no batches.
    yield empty if names is None else empty.select(names)
    yield from _batches(file.iter_batches(columns=names))


def _ipc_file(file: Any, names: list[str] | None) -> Iterator[Any]:
    """Yield the batches of an Arrow file, whose reader was opened with the columns that it decodes."""
    empty = file.schema.empty_table()
    yield empty if names is None else empty.select(names)
    yield from _batches(file.get_batch(number) for number in range(file.num_record_batches))


# polars


def _lazy_frame(query: Any, names: list[str] | None) -> Iterator[Any]:
    """Yield the rows of a query in order, batch by batch; at least one batch, for its schema."""
    if names is not None:
        query = query.select(names)
    if _exports_no_objects():
        _refuse_objects(query.collect_schema())
    stream = getattr(query, "collect_batches", None)
    if stream is None:
        # polars before 1.34
        yield from _batches(frame.collect() for frame in (query,))
        return
    empty = True
    for batch in _batches(stream(maintain_order=True)):
        empty = False
        yield batch
    if empty:
        yield sys.modules["polars"].DataFrame(schema=query.collect_schema())


def can_export(kind: object) -> bool:
    """Whether polars exports a column of this type; Arrow has no type for some."""
    return str(kind) not in {"Object", "Int128", "UInt128"}


def _exports_no_objects() -> bool:
    """Whether this polars panics when it exports Python objects, which ends the process: before 1.40."""
    major, minor = sys.modules["polars"].__version__.split(".")[:2]
    return (int(major), int(minor)) < (1, 40)


def _refuse_objects(schema: Any) -> None:
    for name, kind in schema.items():
        if str(kind) == "Object":
            raise InvalidTypeError(
                f"column {name!r} holds Python objects, which polars exports since 1.40 only. Cast it first, e.g. "
                f"pl.col({name!r}).map_elements(str, return_dtype=pl.String), or drop it",
                column=name,
            )


def _polars_header(frame: Any) -> Any:
    schema = frame.collect_schema()
    return sys.modules["polars"].DataFrame(schema={name: kind for name, kind in schema.items() if can_export(kind)})


def _polars(frame: Any, names: list[str] | None) -> Any:
    found = frame if names is None else frame.select(names)
    if _exports_no_objects():
        _refuse_objects(found.schema)
    return found


# ibis, dask, pandas


def _ibis(table: Any, names: list[str] | None) -> Any:
    return _Exporter(lambda: table if names is None else table.select(*names))


def _dask(frame: Any, names: list[str] | None) -> Iterator[Any]:
    """Yield the partitions, of which one at a time is in memory."""
    chosen = frame if names is None else frame[names]
    # pandas exports the index, which dask numbers from 0 in each partition.
    parts = (chosen.partitions[number].compute().reset_index(drop=True) for number in range(chosen.npartitions))
    yield from _batches(parts)


def _pandas(frame: Any, names: list[str] | None) -> Any:
    return frame if names is None or len(names) == len(frame.columns) else frame[names]


def _listed(frame: Any) -> list[Any]:
    return list(frame.columns)


def _schema(frame: Any) -> list[Any]:
    return list(frame.collect_schema())


def _native(frame: Any) -> Any:
    return frame.to_native()


def _none(frame: Any, names: list[str] | None) -> Any:  # noqa: ARG001 (a wrapper is unwrapped before)
    return frame


_NARWHALS = _Kind(_listed, _none, unwrap=_native)
_KINDS = {
    ("duckdb", "DuckDBPyRelation"): _Kind(
        _listed, _duckdb, is_case_sensitive=False, empty=lambda relation: _Exporter(lambda: relation.limit(0))
    ),
    ("datafusion", "DataFrame"): _Kind(
        lambda frame: list(frame.schema().names), _datafusion, empty=lambda frame: frame.schema().empty_table()
    ),
    ("pyarrow", "Dataset"): _Kind(
        lambda dataset: list(dataset.schema.names), _dataset, empty=lambda dataset: dataset.schema.empty_table()
    ),
    ("pyarrow", "Scanner"): _Kind(
        lambda scanner: list(scanner.projected_schema.names),
        _scanner,
        empty=lambda scanner: scanner.projected_schema.empty_table(),
    ),
    ("pyarrow", "ParquetFile"): _Kind(
        lambda file: list(file.schema_arrow.names),
        _parquet_file,
        rows=lambda file: file.metadata.num_rows,
        empty=lambda file: file.schema_arrow.empty_table(),
    ),
    ("pyarrow", "RecordBatchFileReader"): _Kind(
        lambda file: list(file.schema.names), _ipc_file, empty=lambda file: file.schema.empty_table()
    ),
    ("polars", "LazyFrame"): _Kind(_schema, _lazy_frame, empty=_polars_header),
    ("polars", "DataFrame"): _Kind(_schema, _polars, empty=_polars_header),
    ("ibis", "Table"): _Kind(
        _listed, _ibis, is_case_sensitive=False, empty=lambda table: table.schema().to_pyarrow().empty_table()
    ),
    ("dask", "DataFrame"): _Kind(_listed, _dask, empty=lambda frame: frame._meta_nonempty),
    ("narwhals", "LazyFrame"): _NARWHALS,
    ("narwhals", "DataFrame"): _NARWHALS,
    ("pandas", "DataFrame"): _Kind(_listed, _pandas),
}


def _kind(data: object) -> _Kind | None:
    """How an object is read, by its class and the classes that it derives from."""
    if isinstance(data, type):
        return None
    for parent in type(data).__mro__:
        library = parent.__module__.partition(".")[0].removeprefix("_")
        found = _KINDS.get((library, parent.__name__))
        if found is not None:
            return found
    return None
