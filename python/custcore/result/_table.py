"""``custcore.Table``: the result of every call, an Arrow table that converts to any dataframe."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

from custcore import _core
from custcore._input.proposals import proposing_methods
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import _show
from custcore.result._column import Column, rows_of
from custcore.result._exports import Exports
from custcore.result._libraries import needed
from custcore.result._report import Report, ReportEntry
from custcore.result._schema import Schema
from custcore.result._values import numpy_values, python_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

__all__ = ["Table"]

# Rows that are converted to Python at once.
_AT_ONCE = 4096


@proposing_methods
class Table(Exports):
    """An Arrow table with a report of what it excludes.

    It is a sequence of rows: ``len(t)``, ``t[0]`` (a dict), ``for row in t``, ``t[10:20]`` (a
    table). ``t["segment"]`` is a column and ``t[["customer_id", "segment"]]`` a table of some
    columns; ``dict(t)`` has the columns by name, and ``"segment" in t`` tells whether there is
    one. None of these needs another library.

    It can be passed to anything that reads Arrow, repeatedly and without a copy:
    ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``pandas.DataFrame.from_arrow(t)``,
    DuckDB, ``narwhals.from_arrow(t, backend=...)``, another custcore call. Plotting libraries
    read it by ``__dataframe__``, for which pyarrow must be installed. It can be pickled, with
    its report; copies and parts share the rows, which never change. A part keeps the report of
    the whole result.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> day = datetime.date(2026, 1, 1)
    >>> t = custcore.rfm(
    ...     pa.table({"customer_id": [7, 7], "timestamp": [day, day], "amount": [0.1, 0.2]})
    ... )
    >>> t.shape, t.columns[:2]
    ((1, 9), ['customer_id', 'first_date'])
    >>> t["monetary_total"].to_pylist()
    [0.3]
    >>> t[["customer_id", "n_orders", "monetary_total"]][0]
    {'customer_id': 7, 'n_orders': 2, 'monetary_total': 0.3}
    """

    __slots__ = ("_core", "_report")

    def __init__(self, core: _core.Table) -> None:
        self._core = core
        self._report: Report | None = None

    # What it is

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return self._core.column_names

    @property
    def columns(self) -> list[str]:
        """Names of the columns; the same as ``column_names``."""
        return self._core.column_names

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self._core.num_rows

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.num_rows, len(self.column_names)

    @property
    def schema(self) -> Schema:
        """Names and Arrow types of the columns."""
        return Schema(self._core)

    @property
    def metadata(self) -> dict[str, str]:
        """Key-value pairs of the Arrow schema, e.g. ``custcore.as_of``."""
        return self._core.metadata

    @property
    def report(self) -> Report:
        """What was excluded and why, with counts, sums of money and first rows."""
        if self._report is None:
            core = self._core
            self._report = Report(
                entries=tuple(ReportEntry(*entry) for entry in core.report_entries()),
                n_rows=core.input_rows,
                as_of=datetime.date.fromisoformat(core.as_of) if core.as_of else None,
                remarks=tuple(core.remarks),
            )
        return self._report

    # Parts and values

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice | list[str] | tuple[str, ...]) -> Table: ...
    def __getitem__(self, key: object) -> Any:
        if isinstance(key, str):
            return Column(self._core.part(0, self.num_rows, [key]), key)
        if isinstance(key, list | tuple):
            return self.select(key)
        start, stop = rows_of(key, self.num_rows, "table")
        part = Table._with_report(self._core.part(start, stop, self.column_names), self._report)
        return part if isinstance(key, slice) else next(part.rows(named=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows(named=True)

    def __len__(self) -> int:
        return self.num_rows

    def __contains__(self, item: object) -> bool:
        return item in self.column_names if isinstance(item, str) else any(row == item for row in self)

    def keys(self) -> list[str]:
        """Names of the columns, so that ``dict(t)`` is the columns by name."""
        return self._core.column_names

    def _ipython_key_completions_(self) -> list[str]:
        return self._core.column_names

    def select(self, columns: Sequence[str]) -> Table:
        """Some columns, in the given order, without a copy.

        Parameters
        ----------
        columns : list of str
            Their names.

        Raises
        ------
        ColumnNotFoundError
            If there is no such column.
        InvalidArgumentError
            If a name is given twice.
        """
        given: object = columns
        if isinstance(given, str) or not all(isinstance(name, str) for name in columns):
            raise InvalidTypeError(f"columns={columns!r}; expected a list of names, such as {self.column_names[:2]}")
        names = list(columns)
        if len(set(names)) < len(names):
            raise InvalidArgumentError(f"columns={names} names a column twice")
        return Table._with_report(self._core.part(0, self.num_rows, names), self._report)

    def head(self, n: int = 5) -> Table:
        """The first rows.

        Parameters
        ----------
        n : int, default 5
            How many. A negative number leaves out as many of the last rows.
        """
        return self[:n]

    def tail(self, n: int = 5) -> Table:
        """The last rows.

        Parameters
        ----------
        n : int, default 5
            How many. A negative number leaves out as many of the first rows.
        """
        return self[max(0, self.num_rows - n) if n >= 0 else -n :]

    @overload
    def rows(self, *, named: Literal[False] = False) -> Iterator[tuple[Any, ...]]: ...
    @overload
    def rows(self, *, named: Literal[True]) -> Iterator[dict[str, Any]]: ...
    def rows(self, *, named: bool = False) -> Iterator[Any]:
        """Iterate over the rows as Python values, None for null; needs no library.

        Parameters
        ----------
        named : bool, default False
            Whether a row is a dict by column name instead of a tuple.

        Examples
        --------
        >>> import custcore
        >>> table = custcore.select_k([[0.0], [0.1], [5.0], [5.1]], [1, 2])
        >>> [(k, suggested) for k, *_, suggested in table.rows()]
        [(1, False), (2, True)]
        """
        names, core = self.column_names, self._core
        for start in range(0, self.num_rows, _AT_ONCE):
            stop = min(start + _AT_ONCE, self.num_rows)
            parts = zip(*(python_values(core, name, start, stop) for name in names), strict=True)
            if named:
                for part in parts:
                    yield dict(zip(names, part, strict=True))
            else:
                yield from parts

    def _result(self) -> Table:
        return self

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as a list of dicts; needs no library."""
        return list(self)

    def to_pydict(self) -> dict[str, list[Any]]:
        """The columns as a dict of lists; needs no library."""
        return {name: self[name].to_pylist() for name in self.column_names}

    def sort_by(self, columns: str | Sequence[str], *, descending: bool = False) -> Table:
        """The rows in another order, nulls last; needs pyarrow.

        Parameters
        ----------
        columns : str or list of str
            Columns to sort by, the first one first. Equal rows keep their order.
        descending : bool, default False
            Whether the largest values come first.

        Raises
        ------
        ColumnNotFoundError
            If there is no such column.
        """
        names = [columns] if isinstance(columns, str) else list(columns)
        if not names:
            raise InvalidArgumentError("columns is an empty list; name at least one column to sort by")
        pa, rows = needed("pyarrow", "sort_by"), self.to_pyarrow()
        keys = self.select(names).to_pyarrow()
        for place, column in enumerate(keys.columns):
            if pa.types.is_dictionary(column.type):
                keys = keys.set_column(place, keys.column_names[place], column.cast(column.type.value_type))
        order = "descending" if descending else "ascending"
        places = needed("pyarrow.compute", "sort_by").sort_indices(keys, [(name, order) for name in names])
        return Table._with_report(_core.Table.read(rows.take(places), columns=None), self.report)

    def filter(self, mask: object) -> Table:
        """The rows for which a mask is true; needs pyarrow.

        The report stays that of the whole result.

        Parameters
        ----------
        mask : sequence of bool
            One value for each row: a list, a :class:`custcore.Column`, an array of numpy or
            pyarrow, a Series. A null is false.

        Raises
        ------
        InvalidTypeError
            If the values are not booleans.
        InvalidArgumentError
            If there are more or fewer of them than rows.

        Examples
        --------
        >>> import custcore
        >>> table = custcore.select_k([[0.0], [0.1], [5.0], [5.1]], [1, 2])
        >>> table.filter(table["suggested"])["k"].to_pylist()
        [2]
        """
        pa, rows = needed("pyarrow", "filter"), self.to_pyarrow()
        try:
            chosen = mask if isinstance(mask, pa.ChunkedArray) else pa.array(mask)
        except (pa.ArrowException, TypeError, ValueError):
            raise InvalidTypeError(f"mask is {type(mask).__name__}; expected one bool for each row") from None
        if len(chosen) and not pa.types.is_boolean(chosen.type):
            raise InvalidTypeError(f"mask has values of type {chosen.type}; expected one bool for each row")
        if len(chosen) != len(rows):
            raise InvalidArgumentError(f"mask has {len(chosen):,} values; expected one for each of {len(rows):,} rows")
        kept = rows.filter(chosen.cast(pa.bool_()))
        return Table._with_report(_core.Table.read(kept, columns=None), self.report)

    def equals(self, other: Table) -> bool:
        """Whether another table has the same columns: names, types and values.

        Nulls equal nulls, and NaN equals NaN. Reports are not compared.

        Parameters
        ----------
        other : Table
            Another table.
        """
        given: object = other
        if not isinstance(given, Table) or self.num_rows != other.num_rows:
            return False
        if list(self.schema.items()) != list(other.schema.items()):
            return False
        return self._core is other._core or all(_same(self[name], other[name]) for name in self.column_names)

    # Other libraries, beside those of Exports

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._core.__arrow_c_schema__()

    def to_numpy(self, column: str) -> np.ndarray[Any, Any]:
        """One column as a one-dimensional numpy array.

        Numbers are read-only and not copied if the column is contiguous and has no nulls; with
        nulls they are float64 with NaN. Dates are ``datetime64[D]``, all other types are
        objects with None for null, but booleans without nulls are bool.

        Parameters
        ----------
        column : str
            Name of the column.

        Raises
        ------
        ColumnNotFoundError
            If the column does not exist.
        """
        return numpy_values(self._core, column)

    # Copies and display

    def __copy__(self) -> Table:
        return Table._with_report(self._core, self._report)

    def __deepcopy__(self, memo: object) -> Table:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        return Table._restored, (self._core.to_bytes(), self._report)

    @staticmethod
    def _restored(data: bytes, report: Report | None) -> Table:
        return Table._with_report(_core.Table.from_bytes(data), report)

    def _noted(self, notes: tuple[str, ...]) -> Table:
        """The same table, whose report says how files were read."""
        return Table._with_report(self._core, replace(self.report, notes=notes)) if notes else self

    @staticmethod
    def _with_report(core: _core.Table, report: Report | None) -> Table:
        """A table whose report is that of the core, or another one."""
        table = Table(core)
        table._report = report
        return table

    def __repr__(self) -> str:
        return _show.table_text(self)

    def _repr_html_(self) -> str:
        return _show.table_html(self)


def _same(left: Column, right: Column) -> bool:
    """Whether two columns of one type and length have the same values."""
    ours, theirs = left._core, right._core
    if ours.num_batches == theirs.num_batches == 1:
        first, second = ours.memory(left.name, 0), theirs.memory(right.name, 0)
        if first is not None and second is not None and bytes(first) == bytes(second):  # type: ignore[call-overload]
            return True
    return all(a == b or (a != a and b != b) for a, b in zip(left, right, strict=True))
