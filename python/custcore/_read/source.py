"""A lazy source: files as one table, of which only the columns that are asked for are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from custcore._input.proposals import proposing_methods
from custcore.errors import ColumnNotFoundError, CustcoreError, DuplicateColumnError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from custcore._read.columnar import TypedFile
    from custcore._read.computed import Selection
    from custcore._read.conversion import Conversion
    from custcore._read.csv_file import CsvFile
    from custcore._read.options import Reading

__all__ = ["Source"]


@dataclass(frozen=True)
class Failure:
    """The exception that stopped a reader; through Arrow, its consumer gets only its text, also for Ctrl-C."""

    name: str
    error: BaseException


@proposing_methods
class Source:
    """Files as one lazy table, made by :func:`custcore.read`.

    It is read as often as needed, and only in the columns needed. Every function of custcore
    takes one as its data. Other libraries read it through Arrow (``__arrow_c_stream__``, all
    columns), or a part by :meth:`reader`.
    """

    _custcore_source = True

    def __init__(self, files: Sequence[CsvFile | TypedFile], reading: Reading) -> None:
        from custcore._read.csv_file import CsvFile
        from custcore._read.place import partition_types  # not with `import custcore`
        from custcore._read.text_files import TextFiles

        self._files = list(files)
        self._reading = reading
        self._failure: Failure | None = None
        self._partitions = partition_types(file.place for file in self._files)
        self._texts = TextFiles([file for file in self._files if isinstance(file, CsvFile)], reading)
        self._notes: dict[str, None] = {}  # each once, however often the files are read
        self._where: Any = None
        if reading.where is not None:
            from custcore._read.where import parse_where

            self._where = parse_where(reading.where, self.column_names)

    @property
    def files(self) -> list[str]:
        """Paths or URLs of the files, in the order in which they are read."""
        return [file.place.name for file in self._files]

    @property
    def column_names(self) -> list[str]:
        """The columns that all files have, in the order of the first, then those that names of folders state."""
        first = self._files[0].names
        common = set(first).intersection(*(file.names for file in self._files))
        return [name for name in first if name in common] + [n for n in self._partitions if n not in common]

    @property
    def schema(self) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """Columns and types as a ``pyarrow.Schema``; those of text files by the values looked at so far."""
        import pyarrow as pa

        fields = []
        for name in self.column_names:
            try:
                fields.append(pa.field(name, self._type(name)))
            except CustcoreError:  # an error only if the column is asked for
                fields.append(pa.field(name, pa.string()))
        return pa.schema(fields)

    @property
    def n_rows(self) -> int | None:
        """Rows of all files, if all of them state it and no filter is set."""
        counts = [file.n_rows for file in self._files]
        return None if None in counts or self._where is not None else sum(count or 0 for count in counts)

    @property
    def notes(self) -> list[str]:
        """What was detected and decided, in sentences: encoding, delimiter, formats of times, ids."""
        found = [note for file in self._files for note in self._file_notes(file)]
        return list(dict.fromkeys([*found, *self._notes]))

    def reader(self, columns: Sequence[str], roles: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        """Read some columns of all files, in their order.

        Parameters
        ----------
        columns : sequence of str
            Names of columns, or arithmetic over columns (``"Quantity * UnitPrice"``), which is
            named by its text.
        roles : dict of str to str, optional
            What columns are for ("customer_id", "order_id", "timestamp", "amount"); it decides
            how text is read: ids written as ``12346.0`` are whole numbers, amounts are not.

        Returns
        -------
        pyarrow.RecordBatchReader
            Exactly these columns.

        Raises
        ------
        ColumnNotFoundError
            If a file does not have a column.
        DuplicateColumnError
            If a file has two of that name.
        InvalidTypeError
            If its types in several files do not go together, or values are no numbers or times.
        FileFormatError
            If a file is not what it is taken for.
        """
        import pyarrow as pa

        from custcore._read.computed import Selection

        wanted = list(dict.fromkeys(columns))
        selection = Selection(wanted, self.column_names, self._where)
        stored = list(selection.stored)
        self.check(stored)
        roles = {**dict.fromkeys(selection.operands, "operand"), **(roles or {})}
        asked = {name: roles.get(name) for name in stored if name in self._text_names}
        if not asked and self._text_names:  # rows are counted by some column
            asked = {min(self._text_names): None}
        found, texts = self._texts.read(asked)
        hows = [*found.values(), *self._restorations(stored, roles)]
        self._notes.update(dict.fromkeys(note for how in hows for note in how.notes))
        types = {
            name: self._common(name, found[name].type if name in found else None, roles.get(name)) for name in stored
        }
        schema = pa.schema(list(types.items()))
        if self._where is not None:
            self._where.check(schema)
        parts = iter(texts)
        from custcore._read.csv_file import CsvFile

        streams = [next(parts) if isinstance(file, CsvFile) else None for file in self._files]
        batches = self._batches(streams, schema, roles, selection)
        return pa.RecordBatchReader.from_batches(selection.schema(schema), batches)

    def _planned(self, columns: Sequence[str], roles: Mapping[str, str]) -> Any:  # noqa: ANN401
        """The schema that `reader` will have, by the values looked at so far."""
        import pyarrow as pa

        from custcore._read.computed import Selection

        selection = Selection(list(dict.fromkeys(columns)), self.column_names, self._where)
        self.check(selection.stored)
        roles = {**dict.fromkeys(selection.operands, "operand"), **roles}
        types = {}
        for name in selection.stored:
            role = roles.get(name)
            text = self._planned_type(name, role) if name in self._text_names else None
            types[name] = self._common(name, text, role)
        return selection.schema(pa.schema(list(types.items())))

    def _planned_type(self, name: str, role: str | None) -> Any:  # noqa: ANN401
        """The type by the sample; where that is not enough, what the role needs, as all values have their say later."""
        import pyarrow as pa

        try:
            return self._texts.sampled(name, role).type
        except InvalidTypeError:
            if self._texts.is_sampled_whole or role not in {"timestamp", "amount"}:
                raise
            return pa.timestamp("s") if role == "timestamp" else pa.float64()

    def _has(self, name: str) -> bool:
        """Whether it is a column, or arithmetic over columns."""
        if name in self.column_names:
            return True
        from custcore._read.expression import parse_expression

        return parse_expression(name, self.column_names) is not None

    def head(self, n: int = 10) -> Any:  # noqa: ANN401
        """Read the first rows, all columns, as a ``pyarrow.Table``.

        Parameters
        ----------
        n : int, default 10
            Number of rows.
        """
        import pyarrow as pa

        names = [name for name in self.column_names if self.column_names.count(name) == 1 and name]
        first = Source(self._files[:1], self._reading)
        first._texts._sample = self._texts._sample[:1]
        kept, rows = [], 0
        reader = first.reader([name for name in names if name in first.column_names])
        for batch in reader:
            kept.append(batch.slice(0, n - rows))
            rows += kept[-1].num_rows
            if rows >= n:
                break
        return pa.Table.from_batches(kept, reader.schema)

    def table(self, columns: Sequence[str], roles: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        """Read some columns of all rows into memory, as a ``pyarrow.Table``.

        Parameters
        ----------
        columns, roles
            As :meth:`reader` takes them.
        """
        return self.reader(columns, roles).read_all()

    def check(self, columns: Iterable[str]) -> None:
        """Raise if a column is missing in a file, is in one twice, or has types that do not fit.

        Parameters
        ----------
        columns : iterable of str
            Names of columns.
        """
        for name in columns:
            having = [file for file in self._files if name in file.names or name in self._partitions]
            if not having:
                raise ColumnNotFoundError(self._absent(name), column=name)
            if len(having) < len(self._files):
                lacking = next(file for file in self._files if file not in having)
                raise ColumnNotFoundError(
                    f"column {name!r} is missing in {lacking.place.name}, but other files have it", column=name
                )
            for file in self._files:
                if file.names.count(name) > 1:
                    raise DuplicateColumnError(
                        f"{file.place.name} has two columns named {name!r}; rename one", column=name
                    )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export all columns as an Arrow stream."""
        return self.reader(self.column_names).__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        names = self.column_names
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        rows = f", {self.n_rows:,} rows" if self.n_rows is not None else ""
        return f"<Source {self._name}: {len(names)} columns{rows} ({shown})>"

    @property
    def _name(self) -> str:
        """The path of the file, or the number of files."""
        return self.files[0] if len(self._files) == 1 else f"{len(self._files)} files"

    @property
    def _label(self) -> str:
        """The name of the file without its folder, or the number of files."""
        return PurePath(self.files[0]).name if len(self._files) == 1 else self._name

    @property
    def _has_text(self) -> bool:
        return bool(self._texts.files)

    @property
    def _text_names(self) -> set[str]:
        """Columns that every CSV file has; else the error is about the file that lacks it."""
        sets = [set(file.names) for file in self._texts.files]
        return set.intersection(*sets) if sets else set()

    def _file_notes(self, file: CsvFile | TypedFile) -> list[str]:
        from custcore._read.csv_file import CsvFile

        notes = file.dialect.notes if isinstance(file, CsvFile) else getattr(file, "notes", ())
        return [f"{PurePath(file.place.name).name}: {note}" for note in notes]

    def _restorations(self, names: Iterable[str], roles: Mapping[str, str]) -> list[Conversion]:
        """How columns of files that have types are read, where that is not how they are stored."""
        from custcore._read.csv_file import CsvFile
        from custcore._read.restored import restoration

        found = [
            restoration(file, name, roles.get(name), self._reading)
            for file in self._files
            if not isinstance(file, CsvFile)
            for name in names
            if name in file.names
        ]
        return [how for how in found if how is not None]

    def _type(self, name: str) -> Any:  # noqa: ANN401
        sampled = self._texts.sampled(name, None).type if name in self._text_names else None
        return self._common(name, sampled, None)

    def _common(self, name: str, text_type: Any, role: str | None) -> Any:  # noqa: ANN401
        """The type that holds a column of all files."""
        from custcore._read.csv_file import CsvFile
        from custcore._read.merge import merged
        from custcore._read.restored import restored_type

        found: list[tuple[str, Any]] = []
        for file in self._files:
            if name not in file.names:
                kind = self._partitions[name]
            elif isinstance(file, CsvFile):
                kind = text_type
            else:
                kind = restored_type(file, name, role, self._reading)
            found.append((file.place.name, kind))
        common = found[0][1]
        for place, other in found[1:]:
            both = merged(common, other)
            if both is None:
                raise InvalidTypeError(
                    f"column {name!r} is {common} in {found[0][0]} and {other} in {place}; cast one of them, or read "
                    "them one by one",
                    column=name,
                )
            common = both
        return common

    def _batches(
        self,
        streams: list[Iterator[Any] | None],
        schema: Any,  # noqa: ANN401
        roles: Mapping[str, str],
        selection: Selection,
    ) -> Iterator[Any]:
        from custcore._read.csv_file import CsvFile
        from custcore._read.merge import conform
        from custcore._read.restored import restored

        for file, stream in zip(self._files, streams, strict=True):
            inside = [name for name in schema.names if name in file.names]
            try:
                if isinstance(file, CsvFile):
                    parts = stream or iter(())
                else:
                    pushdown = self._where.pushdown(file.schema, schema) if self._where is not None else None
                    parts = restored(file, file.batches(inside, pushdown), inside, roles, self._reading)
                for batch in parts:
                    whole = batch if len(inside) == len(schema) else self._with_partitions(batch, file, schema)
                    yield selection.select(conform(whole, schema))
            except (Exception, KeyboardInterrupt) as error:
                self._failure = Failure(file.place.name, error)
                raise

    def _with_partitions(self, batch: Any, file: CsvFile | TypedFile, schema: Any) -> Any:  # noqa: ANN401
        """A batch with the columns that the folders of its file state."""
        import pyarrow as pa

        columns, names = list(batch.columns), list(batch.schema.names)
        for name in schema.names:
            if name not in names:
                text = pa.scalar(file.place.partitions.get(name), pa.string())
                columns.append(pa.repeat(text, batch.num_rows).cast(self._partitions[name]))
                names.append(name)
        return pa.RecordBatch.from_arrays(columns, names=names)

    def _absent(self, name: str) -> str:
        import difflib

        there = self.column_names
        near = difflib.get_close_matches(name, there, 3, 0.6)
        proposed = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
        listed = ", ".join(map(repr, there[:20])) + (", ..." if len(there) > 20 else "")
        is_undivided = self._has_text and len(there) == 1
        delimiter = f" Another delimiter? Say it: {self._reading.option('delimiter', ';')}." if is_undivided else ""
        return f"there is no column {name!r}{proposed}{delimiter} The columns are {listed}"
