"""Several CSV files as one table: the type of a column is that which its values in all files have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore._read.columns import decide, file_decimal
from custcore._read.conversion import Conversion, convert
from custcore._read.csv_file import WHOLE, CsvFile
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from custcore._read.options import Reading

__all__ = ["TextFiles"]

BATCH_ROWS = 1 << 17


class TextFiles:
    """The CSV files of a source.

    Parameters
    ----------
    files
        The files.
    reading
        What the caller says.
    """

    def __init__(self, files: Sequence[CsvFile], reading: Reading) -> None:
        self.files = files
        self.reading = reading
        self._sample: list[Any] = []
        self._decimal: tuple[str | None] | None = None
        self._decided: dict[tuple[str, str | None], Conversion] = {}

    @property
    def where(self) -> str:
        """The files, in errors."""
        return self.files[0].place.name if len(self.files) == 1 else f"{len(self.files)} files"

    @property
    def samples(self) -> list[Any]:
        """Some rows of each file, as strings."""
        if not self._sample:
            self._sample = [file.sample() for file in self.files]
        return self._sample

    @property
    def is_sampled_whole(self) -> bool:
        """Whether the samples are all rows."""
        return all(file.is_whole for file in self.files)

    @property
    def decimal(self) -> str | None:
        """The decimal sign that some column shows."""
        if self._decimal is None:
            columns = [table.column(i) for table in self.samples[:8] for i in range(table.num_columns)]
            self._decimal = (file_decimal(columns, self.reading),)
        return self._decimal[0]

    def sampled(self, name: str, role: str | None) -> Conversion:
        """What a column is by the sample.

        Parameters
        ----------
        name
            The column; all files have it, once.
        role
            What it is for.
        """
        key = (name, role)
        if key not in self._decided:
            strings = _joined([t.column(f.names.index(name)) for f, t in zip(self.files, self.samples, strict=True)])
            self._decided[key] = decide(name, strings, role, self.reading, self.decimal, self.where)[0]
        return self._decided[key]

    def read(self, roles: Mapping[str, str | None]) -> tuple[dict[str, Conversion], list[Iterator[Any]]]:
        """Read some columns: their conversions, and the batches of each file.

        Parameters
        ----------
        roles
            What each column is for.
        """
        wholes = self._wholes(list(roles))
        if wholes is None:
            found = {name: self._streamable(name, role) for name, role in roles.items()}
            return found, [self._streamed(file, found) for file in self.files]
        from concurrent.futures import ThreadPoolExecutor

        decimal, where = self.decimal, self.where

        def decided(name: str) -> tuple[Conversion, Any]:
            strings = _joined([table.column(name) for table in wholes])
            return decide(name, strings, roles[name], self.reading, decimal, where)

        with ThreadPoolExecutor(min(4, len(roles)) or 1) as pool:  # pyarrow computes without the GIL
            both = dict(zip(roles, pool.map(decided, roles), strict=True))
        found = {name: how for name, (how, _) in both.items()}
        values = {name: column for name, (_, column) in both.items()}
        import pyarrow as pa

        table = pa.table(list(values.values()), names=list(values))
        batches: list[Iterator[Any]] = []
        start = 0
        for whole in wholes:
            rows = whole.num_rows
            batches.append(iter(table.slice(start, rows).to_batches(BATCH_ROWS)))
            start += rows
        return found, batches

    def _streamable(self, name: str, role: str | None) -> Conversion:
        """What a column of large files is; all days are looked at where a sample does not tell day and month apart."""
        try:
            return self.sampled(name, role)
        except InvalidTypeError:
            if role != "timestamp":
                raise
        parts = [batch.column(0).unique() for file in self.files for batch in file.batches([file.names.index(name)])]
        return decide(name, _joined_arrays(parts), role, self.reading, self.decimal, self.where)[0]

    def _wholes(self, names: list[str]) -> list[Any] | None:
        """All rows of all files as strings; None if they are too large to be read at once."""
        left, tables = WHOLE, []
        for file in self.files:
            positions = [file.names.index(name) for name in names] or [0]
            whole = file.whole(positions, left)
            if whole is None:
                return None
            table, size = whole
            left -= size
            tables.append(table.rename_columns(names) if names else table)
        return tables

    def _streamed(self, file: CsvFile, found: Mapping[str, Conversion]) -> Iterator[Any]:
        import pyarrow as pa

        row = 0
        for batch in file.batches([file.names.index(name) for name in found] or [0]):
            columns = [convert(how, batch.column(i), file.place.name, row) for i, how in enumerate(found.values())]
            row += batch.num_rows
            yield pa.RecordBatch.from_arrays(columns, names=list(found))


def _joined_arrays(arrays: list[Any]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    return pa.chunked_array(arrays, pa.string())


def _joined(columns: list[Any]) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    import pyarrow as pa

    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
