"""``custcore.Table``: the result of every call, an Arrow table that converts to any dataframe."""

from __future__ import annotations

import datetime
import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore.result._report import Report, ReportEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa


__all__ = ["Schema", "Table"]

# Rows shown at each end of a repr.
_HEAD = 5
_TAIL = 5
_MAX_WIDTH = 24

# Arrow types with the same name in numpy.
_NUMPY_TYPES = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float32",
    "float64",
}


class Schema(Mapping[str, str]):
    """Names and Arrow types of the columns of a table, in order; exports ``__arrow_c_schema__``."""

    __slots__ = ("_core", "_types")

    def __init__(self, core: _core.Table) -> None:
        self._core = core
        self._types = dict(zip(core.column_names, core.column_types, strict=True))

    def __getitem__(self, name: str) -> str:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __arrow_c_schema__(self) -> object:
        return self._core.__arrow_c_schema__()

    def __copy__(self) -> Schema:
        return Schema(self._core)

    def __deepcopy__(self, memo: object) -> Schema:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        # The rows are not part of the schema.
        return Schema._restored, (self._core.part(0, 0, self._core.column_names).to_bytes(),)

    @classmethod
    def _restored(cls, data: bytes) -> Schema:
        return cls(_core.Table.from_bytes(data))

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {kind}" for name, kind in self._types.items())


class Table:
    """An Arrow table with a report of what it excludes.

    It can be passed to anything that reads Arrow, repeatedly and without a copy:
    ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``pandas.DataFrame.from_arrow(t)``,
    DuckDB, another custcore call. It can be pickled, with its report; copies share the
    rows, which never change.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> day = datetime.date(2026, 1, 1)
    >>> t = custcore.rfm(
    ...     pa.table({"customer_id": [7, 7], "timestamp": [day, day], "amount": [0.1, 0.2]})
    ... )
    >>> t.num_rows, t.column_names[:2]
    (1, ['customer_id', 'first_date'])
    >>> t.to_pyarrow()["monetary_total"].to_pylist()
    [0.3]
    """

    __slots__ = ("_core", "_report")

    def __init__(self, core: _core.Table) -> None:
        self._core = core
        self._report: Report | None = None

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return self._core.column_names

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self._core.num_rows

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

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._core.__arrow_c_schema__()

    def __len__(self) -> int:
        return self.num_rows

    def __copy__(self) -> Table:
        return Table._with_report(self._core, self._report)

    def __deepcopy__(self, memo: object) -> Table:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        return Table._restored, (self._core.to_bytes(), self._report)

    @staticmethod
    def _restored(data: bytes, report: Report | None) -> Table:
        return Table._with_report(_core.Table.from_bytes(data), report)

    @staticmethod
    def _with_report(core: _core.Table, report: Report | None) -> Table:
        """A table whose report is that of the core, or another one."""
        table = Table(core)
        table._report = report
        return table

    def to_pyarrow(self) -> pa.Table:
        """The table as a ``pyarrow.Table``, without a copy."""
        import pyarrow as pa

        return pa.table(self)

    def to_pandas(self) -> pd.DataFrame:
        """The table as a ``pandas.DataFrame``, the segment categorical; needs pandas and pyarrow."""
        frame: pd.DataFrame = self.to_pyarrow().to_pandas()
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The table as a ``polars.DataFrame``, without a copy."""
        import polars as pl

        return pl.DataFrame(self)

    def to_numpy(self, column: str) -> np.ndarray[Any, Any]:
        """One column as a one-dimensional numpy array.

        Numbers are read-only and not copied if the column is contiguous and has no nulls; with
        nulls they are float64 with NaN. Dates are ``datetime64[D]``, all other types are
        objects with None for null.

        Parameters
        ----------
        column : str
            Name of the column.

        Raises
        ------
        ColumnNotFoundError
            If the column does not exist.
        """
        import numpy as np

        core = self._core
        values = core.values(column, 0, 0)  # raises for an unknown column
        kind = self.schema[column]
        pieces = [memory for i in range(core.num_batches) if (memory := core.memory(column, i)) is not None]
        if len(pieces) == core.num_batches and (kind in _NUMPY_TYPES or kind == "date32"):
            width = "int32" if kind == "date32" else kind
            # Memory has the buffer protocol, which types can express from Python 3.12 on.
            arrays = [np.frombuffer(memoryview(piece), dtype=width) for piece in pieces]  # type: ignore[arg-type]
            array = arrays[0] if len(arrays) == 1 else np.concatenate([np.empty(0, dtype=width), *arrays])
            return array.astype("int64").view("datetime64[D]") if kind == "date32" else array
        values = core.values(column, 0, self.num_rows)
        if kind in _NUMPY_TYPES:
            return np.array([np.nan if value is None else value for value in values], dtype="float64")
        if kind == "date32":
            return np.array(values, dtype="datetime64[D]")
        objects = np.empty(len(values), dtype=object)
        objects[:] = values
        return objects

    def __repr__(self) -> str:
        rows, cells = self._shown()
        names = self.column_names
        title = f"custcore.Table: {self.num_rows:,} rows x {len(names)} columns"
        if not names:
            return title
        numeric = [_is_numeric(kind) for kind in self._core.column_types]
        widths = [max(len(name), *(len(row[i]) for row in cells), 1) for i, name in enumerate(names)]
        lines = [title]
        for start, stop in _blocks(widths, 100):
            span = range(start, stop)
            if start:
                lines.append("")
            lines.append("  ".join(_pad(names[i], widths[i], numeric[i]) for i in span).rstrip())
            for number, row in zip(rows, cells, strict=True):
                if number is None:
                    lines.append("...")
                else:
                    lines.append("  ".join(_pad(row[i], widths[i], numeric[i]) for i in span).rstrip())
        left_out = [entry for entry in self.report if entry.count and entry.kind == "left_out"]
        if left_out:
            lines.append("left out: " + ", ".join(f"{entry.name} {entry.count:,}" for entry in left_out))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows, cells = self._shown()
        numeric = [_is_numeric(kind) for kind in self._core.column_types]
        align = ["right" if is_number else "left" for is_number in numeric]
        parts = ['<table class="custcore"><thead><tr>']
        for name, kind, side in zip(self.column_names, self._core.column_types, align, strict=True):
            parts.append(f'<th style="text-align:{side}" title="{html.escape(kind)}">{html.escape(name)}</th>')
        parts.append("</tr></thead><tbody>")
        for number, row in zip(rows, cells, strict=True):
            shown = row if number is not None else ["&hellip;"] * len(row)
            tds = (
                f'<td style="text-align:{side}">{html.escape(cell) if number is not None else cell}</td>'
                for cell, side in zip(shown, align, strict=True)
            )
            parts.append("<tr>" + "".join(tds) + "</tr>")
        parts.append(f"</tbody></table><p>{self.num_rows:,} rows &times; {len(self.column_names)} columns</p>")
        if any(entry.count for entry in self.report):
            parts.append(f"<pre>{html.escape(repr(self.report))}</pre>")
        return "".join(parts)

    def _shown(self) -> tuple[list[int | None], list[list[str]]]:
        """Row numbers that a repr shows (None for the gap) and their cells as text."""
        n = self.num_rows
        spans = [(0, n)] if n <= _HEAD + _TAIL else [(0, _HEAD), (n - _TAIL, n)]
        columns = [[self._core.values(name, *span) for span in spans] for name in self.column_names]
        rows: list[int | None] = []
        cells: list[list[str]] = []
        for i, (start, stop) in enumerate(spans):
            if i:
                rows.append(None)
                cells.append([""] * len(columns))
            for offset in range(stop - start):
                rows.append(start + offset)
                cells.append([_text(column[i][offset]) for column in columns])
        return rows, cells


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        # Up to six decimals, without trailing zeros.
        text = f"{value:.6f}".rstrip("0")
        text = text + "0" if text.endswith(".") else text
        return text if float(text) == value or abs(value) >= 1e-3 else repr(value)
    text = repr(value) if isinstance(value, bytes) else str(value)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= _MAX_WIDTH else text[: _MAX_WIDTH - 1] + "…"


def _is_numeric(kind: str) -> bool:
    return kind in _NUMPY_TYPES or kind.startswith("decimal")


def _pad(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _blocks(widths: list[int], line: int) -> list[tuple[int, int]]:
    """Cut the columns into blocks that fit a line."""
    blocks: list[tuple[int, int]] = []
    start, used = 0, 0
    for i, width in enumerate(widths):
        if i > start and used + width + 2 > line:
            blocks.append((start, i))
            start, used = i, 0
        used += width + 2
    blocks.append((start, len(widths)))
    return blocks
