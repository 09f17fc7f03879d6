"""Files whose columns have types: Parquet, Arrow and sheets; JSON lines are in `json_lines`."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from custcore._extras import how_to_install
from custcore._read.decoded import decoded
from custcore.errors import FileFormatError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from custcore._read.options import Reading
    from custcore._read.place import Place

__all__ = ["ArrowFile", "ParquetFile", "SheetFile", "TableFile", "TypedFile", "unreadable"]

BATCH_ROWS = 1 << 17


class TypedFile:
    """A file whose columns have types.

    Attributes
    ----------
    schema : pyarrow.Schema
        Its columns.
    n_rows : int or None
        Its rows, if the file states them.
    """

    kind = ""
    # The format in errors.
    said = ""
    schema: Any
    n_rows: int | None = None
    place: Place
    # How columns are read, by name and role, where that is not how they are stored.
    restorations: dict[tuple[str, str | None], Any]

    def __init__(self, place: Place) -> None:
        self.place = place
        self.restorations = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns, by position."""
        return tuple(self.schema.names)

    def batches(self, columns: Sequence[str], pushdown: Any = None) -> Iterator[Any]:  # noqa: ANN401 (pyarrow publishes no types)
        """Read some columns.

        Parameters
        ----------
        columns
            Their names.
        pushdown : pyarrow.compute.Expression
            Rows that need not be read do not meet it.

        Raises
        ------
        FileFormatError
            If the file is damaged. Batches are checked to the last value, as pyarrow trusts what it reads.
        """
        import pyarrow as pa

        try:
            for batch in self._batches(columns, pushdown):
                batch.validate(full=True)
                yield batch
        except (pa.ArrowException, OSError, UnicodeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise unreadable(self.place, self.said, error) from error

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401
        raise NotImplementedError


class ParquetFile(TypedFile):
    """A Parquet file.

    INT96, the time stamps of Spark and Impala, are read as microseconds, which hold the years 1 to 9999; nanoseconds,
    the default of pyarrow, would wrap in 2262.
    """

    kind = "parquet"
    said = "Parquet"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        with self._open() as file:
            self.schema, self.n_rows = file.schema_arrow, file.metadata.num_rows

    def _open(self) -> Any:  # noqa: ANN401
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = self.place.local or self.place.open()
        try:
            return pq.ParquetFile(source, coerce_int96_timestamp_unit="us")
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self.place, self.said, error) from error

    def batches(self, columns: Sequence[str], pushdown: Any = None) -> Iterator[Any]:  # noqa: ANN401
        """Read some columns: by the core as far as it can, the rest by pyarrow."""
        done = 0
        if pushdown is None and self.place.local is not None and columns:
            for batch in decoded(self.place.local, self.schema, columns):
                done += batch.num_rows
                yield batch
            if done and done == self.n_rows:
                return
        for batch in super().batches(columns, pushdown):
            repeated = min(done, batch.num_rows)
            done -= repeated
            if repeated < batch.num_rows:
                yield batch.slice(repeated)

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401
        import pyarrow as pa
        import pyarrow.dataset as ds

        if pushdown is not None:
            # Without threads: a scanner that is abandoned while its threads run may crash the process at exit.
            options = ds.ParquetReadOptions(coerce_int96_timestamp_unit="us")
            parquet = ds.ParquetFileFormat(read_options=options)
            wanted = {"columns": list(columns), "filter": pushdown, "batch_size": BATCH_ROWS, "use_threads": False}
            if self.place.local is not None:
                yield from ds.dataset(str(self.place.local), format=parquet).to_batches(**wanted)
                return
            with self.place.open() as raw:
                yield from parquet.make_fragment(pa.PythonFile(raw, "r")).to_batches(**wanted)
            return
        with self._open() as file:
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns))


class ArrowFile(TypedFile):
    """Arrow's file or stream format."""

    kind = "arrow"
    said = "Arrow"

    def __init__(self, place: Place) -> None:
        import pyarrow as pa
        import pyarrow.dataset as ds

        super().__init__(place)
        try:
            with self._source() as source:
                self.is_file = source.read(6) == b"ARROW1"
                source.seek(0)
                if self.is_file:
                    self.schema = pa.ipc.open_file(source).schema
                else:
                    self.schema = pa.ipc.open_stream(source).schema
            if self.is_file and place.local is not None:
                # Counted without decoding a column.
                self.n_rows = ds.dataset(str(place.local), format="ipc", schema=pa.schema([])).count_rows()
        except (pa.ArrowException, OSError) as error:
            raise unreadable(place, self.said, error) from error

    def _source(self) -> Any:  # noqa: ANN401
        import pyarrow as pa

        return pa.memory_map(str(self.place.local)) if self.place.local else pa.PythonFile(self.place.open(), "r")

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401, ARG002
        import pyarrow as pa

        fields = [self.schema.get_field_index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=sorted(fields))
        with self._source() as source:
            if self.is_file:
                reader = pa.ipc.open_file(source, options=options)
                for i in range(reader.num_record_batches):
                    yield reader.get_batch(i)
            else:
                yield from pa.ipc.open_stream(source, options=options)


class TableFile(TypedFile):
    """A file that is read as a whole."""

    _table: Any = None

    def _load(self) -> Any:  # noqa: ANN401
        raise NotImplementedError

    @property
    def table(self) -> Any:  # noqa: ANN401
        """All of it, read once."""
        if self._table is None:
            self._table = self._load()
        return self._table

    @property
    def schema(self) -> Any:  # noqa: ANN401
        """Its columns."""
        return self.table.schema

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401, ARG002
        yield from self.table.select(list(columns)).to_batches(BATCH_ROWS)


class SheetFile(TableFile):
    """A sheet of a workbook of Excel or LibreOffice."""

    kind = "xlsx"
    said = "a workbook"

    def __init__(self, place: Place, reading: Reading) -> None:
        super().__init__(place)
        self.reading = reading
        self.notes: tuple[str, ...] = ()
        self._merged: dict[str, str] = {}

    def _load(self) -> Any:  # noqa: ANN401
        if importlib.util.find_spec("python_calamine") is None:
            raise InvalidArgumentError(
                f"{self.place.name}: workbooks are read by python-calamine: {how_to_install('xlsx')}"
            )
        from custcore._read.sheet import table_of

        table, self.notes, self._merged = table_of(self.place, self.reading)
        return table

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401, ARG002
        table = self.table
        for name in columns:
            if name in self._merged:
                raise FileFormatError(
                    f"{self.place.name} has merged cells in column {name!r} ({self._merged[name]} of the sheet), of "
                    "which only the first has the value; unmerge them and fill them down"
                )
        yield from table.select(list(columns)).to_batches(BATCH_ROWS)


def unreadable(place: Place, what: str, error: BaseException) -> FileFormatError:
    """The error of a library, as one of custcore.

    Parameters
    ----------
    place
        The file.
    what
        Its format.
    error
        What a library raised.
    """
    lines = str(error).strip().splitlines()
    return FileFormatError(f"{place.name} cannot be read as {what}: {lines[0] if lines else type(error).__name__}")
