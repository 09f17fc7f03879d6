"""``custcore.Column``: one column of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from custcore import _core
from custcore.result._layout import CELL, cell_text, cut, printable, rows_shown
from custcore.result._values import numpy_values, python_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Column"]

# Rows that are converted at once by an iteration.
_AT_ONCE = 4096


class Column:
    """One column of a table, by ``table["name"]``: a sequence of Python values, None for null.

    It can be read without any library, and converts to arrays of others without a copy where
    they allow it. It exports Arrow (``__arrow_c_array__``), and numpy reads it:
    ``numpy.asarray(column)``. It holds values and does not compute with them.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> day = datetime.date(2026, 1, 1)
    >>> t = custcore.rfm(
    ...     pa.table({"customer_id": [7, 8], "timestamp": [day, day], "amount": [0.5, 2.0]})
    ... )
    >>> t["monetary_total"].to_pylist(), max(t["monetary_total"]), t["first_date"][0]
    ([0.5, 2.0], 2.0, datetime.date(2026, 1, 1))
    >>> t["monetary_total"]
    custcore.Column: monetary_total, float64, 2 rows
    0.5
    2.0
    """

    __slots__ = ("_core", "_name")

    def __init__(self, core: _core.Table, name: str) -> None:
        self._core = core
        self._name = name

    @property
    def name(self) -> str:
        """Name of the column."""
        return self._name

    @property
    def type(self) -> str:
        """Arrow type, e.g. ``"int64"``."""
        return self._core.column_types[0]

    def to_pylist(self) -> list[Any]:
        """The values as Python objects, None for null.

        Raises
        ------
        InvalidTypeError
            If the type has no Python values, such as a list, and pyarrow is not installed.
        """
        return python_values(self._core, self._name, 0, len(self))

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """The values as a one-dimensional array, as :meth:`custcore.Table.to_numpy` makes it."""
        return numpy_values(self._core, self._name)

    def to_pyarrow(self) -> pa.Array:
        """The values as a ``pyarrow.Array``."""
        import pyarrow as pa

        return pa.array(self)

    def to_pandas(self) -> pd.Series[Any]:
        """The values as a ``pandas.Series``; types are those of :meth:`custcore.Table.to_pandas`."""
        from custcore.result._pandas import pandas_column

        return pandas_column(self.to_pyarrow()).rename(self._name)

    def to_polars(self) -> pl.Series:
        """The values as a ``polars.Series``."""
        import polars as pl

        return pl.DataFrame(self._core).to_series(0)

    def __len__(self) -> int:
        return self._core.num_rows

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), _AT_ONCE):
            yield from python_values(self._core, self._name, start, min(start + _AT_ONCE, len(self)))

    @overload
    def __getitem__(self, rows: int) -> Any: ...  # noqa: ANN401
    @overload
    def __getitem__(self, rows: slice) -> Column: ...
    def __getitem__(self, rows: int | slice) -> Any:
        start, stop = rows_of(rows, len(self), "column")
        if isinstance(rows, slice):
            return Column(self._core.part(start, stop, [self._name]), self._name)
        return python_values(self._core, self._name, start, stop)[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:  # noqa: ANN401
        import numpy as np

        values = self.to_numpy()
        if copy:
            return np.array(values, dtype=dtype)
        return values if dtype is None else values.astype(dtype, copy=False)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        # The protocol allows a producer that cannot cast to ignore the requested schema.
        return self._core.array(self._name)

    def __arrow_c_schema__(self) -> object:
        return self._core.array(self._name)[0]

    def __copy__(self) -> Column:
        return Column(self._core, self._name)

    def __deepcopy__(self, memo: object) -> Column:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        return Column._restored, (self._core.to_bytes(), self._name)

    @staticmethod
    def _restored(data: bytes, name: str) -> Column:
        return Column(_core.Table.from_bytes(data), name)

    def __repr__(self) -> str:
        lines = [f"custcore.Column: {printable(self._name)}, {self.type}, {len(self):,} rows"]
        for number, span in enumerate(rows_shown(len(self))):
            lines += ["…"] if number else []
            lines += [cut(cell_text(value), CELL) for value in self._core.values(self._name, *span)]
        return "\n".join(lines)


def rows_of(rows: object, n: int, what: str) -> tuple[int, int]:
    """The range of rows of an index or of a slice of step 1.

    Raises
    ------
    TypeError
        If it is neither.
    IndexError
        If there is no such row.
    ValueError
        If the slice has another step.
    """
    if isinstance(rows, slice):
        start, stop, step = rows.indices(n)
        if step != 1:
            raise ValueError(
                f"a slice of a {what} has the step {step}; expected rows that follow each other, {what}[a:b]"
            )
        return start, max(start, stop)
    place = rows.__index__() if hasattr(rows, "__index__") and not isinstance(rows, bool) else None
    if place is None:
        raise TypeError(f"a {what} is indexed by {type(rows).__name__}; expected a row number or a slice")
    if not -n <= place < n:
        raise IndexError(f"row {place} of a {what} of {n:,} rows")
    return place % n, place % n + 1
