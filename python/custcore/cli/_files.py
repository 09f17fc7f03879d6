"""Input files: names, globs and folders to one stream of record batches with the requested columns.

Files are not read as a whole (except by `Files.table`), types are not guessed beyond what pyarrow infers for CSV, and a
column that is missing in one of several files is an error, not null.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from custcore.cli._failure import DataProblem
from custcore.errors import ColumnNotFoundError, DuplicateColumnError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["Files", "find"]

# Formats by the extension of the name; CSV may be compressed.
KINDS = {
    **dict.fromkeys((".parquet", ".pq", ".parq"), "parquet"),
    **dict.fromkeys((".arrow", ".ipc", ".feather", ".arrows"), "arrow"),
    ".csv": "csv",
    ".tsv": "tsv",
}
TEXT = ("csv", "tsv")
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")

# Types are inferred from the first block of a CSV file, so a larger block gives better types.
CSV_BLOCK = 4 << 20
BATCH_ROWS = 1 << 17


@dataclass(frozen=True)
class File:
    """One file, with its schema."""

    path: Path
    kind: str  # "parquet", "csv", "tsv", "arrow" (the file format), "stream" (Arrow's stream format)
    schema: Any
    n_rows: int | None  # if the file states it


@dataclass(frozen=True)
class Failure:
    """The exception that stopped the reader; through Arrow, custcore gets only its text, also for Ctrl-C."""

    path: Path
    error: BaseException


@dataclass
class Files:
    """Several files, read as one table."""

    files: list[File]
    delimiter: str = ","
    text_ids: tuple[str, ...] = ()
    decimals: tuple[str, ...] = ()
    failure: Failure | None = None
    _types: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path of the file, or the number of files."""
        return str(self.files[0].path) if len(self.files) == 1 else f"{len(self.files)} files"

    @property
    def label(self) -> str:
        """The name of the file without its folder, or the number of files."""
        return self.files[0].path.name if len(self.files) == 1 else self.name

    @property
    def n_rows(self) -> int | None:
        """Rows of all files, if all of them state it."""
        counts = [file.n_rows for file in self.files]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def has_csv(self) -> bool:
        """Whether any of them is CSV, whose types are inferred."""
        return any(file.kind in TEXT for file in self.files)

    @property
    def schema(self) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """The columns that all files have, in the order of the first file, in a common type."""
        import pyarrow as pa

        first = self.files[0].schema
        if len(self.files) == 1 and not self.has_csv:
            return first
        names = set(first.names).intersection(*(file.schema.names for file in self.files))
        fields = []
        for column in first:
            if column.name in names:
                try:
                    fields.append(column.with_type(self._type(column.name)))
                except InvalidTypeError:  # an error only if the column is requested
                    fields.append(column)
        return pa.schema(fields)

    def check(self, columns: Iterable[str]) -> None:
        """Raise if a column of a file is not in all of them, is duplicated, or has incompatible types."""
        for name in columns:
            lacking = [file.path for file in self.files if name not in file.schema.names]
            if lacking and len(lacking) < len(self.files):
                raise ColumnNotFoundError(
                    f"column {name!r} is missing in {lacking[0]}, but other files have it", column=name
                )
            for file in self.files:
                if file.schema.names.count(name) > 1:
                    raise DuplicateColumnError(f"{file.path} has two columns named {name!r}; rename one", column=name)
            if not lacking:
                self._type(name)

    def reader(self, columns: Sequence[str]) -> Any:  # noqa: ANN401
        """Return a ``pyarrow.RecordBatchReader`` over all files, in order.

        Parameters
        ----------
        columns
            The columns it has; all of them are in all files.
        """
        import pyarrow as pa

        schema = pa.schema([(name, self._type(name)) for name in dict.fromkeys(columns)])
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def table(self, columns: Sequence[str]) -> Any:  # noqa: ANN401
        """Read all rows of some columns into memory, as a ``pyarrow.Table``."""
        return self.reader(columns).read_all()

    def head(self, rows: int) -> Any:  # noqa: ANN401
        """Read the first rows of the first file, all columns, as a ``pyarrow.Table``."""
        import pyarrow as pa

        first = Files(self.files[:1], self.delimiter)
        names = [name for name in first.schema.names if first.schema.names.count(name) == 1]
        for batch in first.reader(names):
            if batch.num_rows:
                return pa.Table.from_batches([batch.slice(0, rows)])
        return pa.schema([(name, first._type(name)) for name in names]).empty_table()

    def _batches(self, schema: Any) -> Iterator[Any]:  # noqa: ANN401
        for file in self.files:
            try:
                for batch in self._read(file, schema):
                    yield _conform(batch, schema)
            except (Exception, KeyboardInterrupt) as error:
                self.failure = Failure(file.path, error)
                raise

    def _read(self, file: File, schema: Any) -> Iterator[Any]:  # noqa: ANN401
        """Read one file on this thread, columns in parallel if the format allows it.

        pyarrow's dataset scanner may crash the process at exit if it is abandoned while its threads run, as after
        Ctrl-C or an invalid value (seen with pyarrow 26); without threads it does not.
        """
        import pyarrow as pa
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq

        if file.kind == "parquet":
            with pq.ParquetFile(file.path) as source:
                yield from source.iter_batches(BATCH_ROWS, columns=schema.names)
        elif file.kind == "stream":
            with pa.OSFile(str(file.path)) as source, pa.ipc.open_stream(source) as stream:
                yield from stream
        else:
            reads = "ipc" if file.kind == "arrow" else _csv_format(file.kind, self.delimiter)
            dataset = ds.dataset([str(file.path)], format=reads, schema=schema)
            scanner = dataset.scanner(columns=schema.names, batch_size=BATCH_ROWS, use_threads=False)
            yield from scanner.to_batches()

    def _type(self, name: str) -> Any:  # noqa: ANN401
        """Find a common type for a column in all files."""
        if name not in self._types:
            found = [(file.path, self._type_in(file, name)) for file in self.files]
            kind = found[0][1]
            for path, other in found[1:]:
                merged = _merge(kind, other)
                if merged is None:
                    raise InvalidTypeError(
                        f"column {name!r} is {kind} in {found[0][0]} and {other} in {path}; cast one of them, or "
                        "read them one by one",
                        column=name,
                    )
                kind = merged
            self._types[name] = kind
        return self._types[name]

    def _type_in(self, file: File, name: str) -> Any:  # noqa: ANN401
        import pyarrow as pa

        kind = file.schema.field(file.schema.names.index(name)).type
        if file.kind in TEXT:
            if name in self.text_ids:
                return pa.string()
            # The first block may contain only integral amounts, or none.
            if name in self.decimals and (pa.types.is_integer(kind) or pa.types.is_null(kind)):
                return pa.float64()
        return kind


def find(
    patterns: Sequence[str],
    *,
    delimiter: str = ",",
    text_ids: Sequence[str] = (),
    decimals: Sequence[str] = (),
) -> Files:
    """Open all files that are named, and read their schemas.

    Parameters
    ----------
    patterns
        Names of files, globs (for shells that do not expand them, ``**`` for any folder) and folders.
    delimiter
        Between the cells of CSV files.
    text_ids
        Columns of CSV files that are text whatever they look like.
    decimals
        Columns of CSV files that are float64 where pyarrow infers integers.

    Raises
    ------
    click.UsageError
        If there is no such file, or its extension is unknown.
    DataProblem
        If a file does not have the format of its extension.
    """
    paths = list(dict.fromkeys(path for pattern in patterns for path in _expand(pattern)))
    files = [_open(path, delimiter) for path in paths]
    return Files(files, delimiter, tuple(text_ids), tuple(decimals))


def kind_of(path: Path) -> str | None:
    """The format of a file by its extension; None if it is unknown."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if len(suffixes) == 2 and suffixes[1] in COMPRESSED and KINDS.get(suffixes[0]) in TEXT:
        return KINDS[suffixes[0]]
    return KINDS.get(suffixes[-1]) if suffixes else None


def _expand(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_dir():
        # Hidden files, and markers such as "_SUCCESS" of Spark, are not data.
        inside = (p for p in path.rglob("*") if not any(part[0] in "._" for part in p.relative_to(path).parts))
        found = sorted(p for p in inside if p.is_file() and kind_of(p))
        if not found:
            raise click.UsageError(f"there is no {_known()} file in the folder {pattern}")
        return found
    if not path.exists() and glob.has_magic(pattern):
        found = sorted(p for p in map(Path, glob.glob(str(path), recursive=True)) if p.is_file())  # noqa: PTH207
        if not found:
            raise click.UsageError(f"no file matches {pattern}")
    elif path.is_file():
        found = [path]
    else:
        raise click.UsageError(f"there is no file {pattern}")
    for file in found:
        if kind_of(file) is None:
            raise click.UsageError(f"{file} has an unknown extension; custcore reads {_known()}")
    return found


def _known() -> str:
    return "Parquet (.parquet), CSV (.csv, .tsv, .csv.gz) and Arrow (.arrow, .feather, .ipc, .arrows)"


def _open(path: Path, delimiter: str) -> File:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    kind = kind_of(path) or ""
    try:
        if kind == "parquet":
            with pq.ParquetFile(path) as file:
                return File(path, kind, file.schema_arrow, file.metadata.num_rows)
        if kind in TEXT:
            return File(path, kind, ds.dataset(str(path), format=_csv_format(kind, delimiter)).schema, None)
        with path.open("rb") as head:
            if head.read(6) == b"ARROW1":
                n_rows = ds.dataset(str(path), format="ipc", schema=pa.schema([])).count_rows()
                with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
                    return File(path, kind, file.schema, n_rows)
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
            return File(path, "stream", stream.schema, None)
    except (pa.ArrowException, OSError) as error:
        what = {"parquet": "Parquet", "arrow": "Arrow"}.get(kind, kind.upper())
        raise DataProblem(f"{path} cannot be read as {what}: {error}") from error


def _csv_format(kind: str, delimiter: str) -> Any:  # noqa: ANN401
    import pyarrow.csv as csv
    import pyarrow.dataset as ds

    return ds.CsvFileFormat(
        parse_options=csv.ParseOptions(delimiter="\t" if kind == "tsv" else delimiter, newlines_in_values=True),
        read_options=csv.ReadOptions(block_size=CSV_BLOCK),
        # An empty cell is a null id, not a customer whose id is empty.
        convert_options=csv.ConvertOptions(strings_can_be_null=True),
    )


def _conform(batch: Any, schema: Any) -> Any:  # noqa: ANN401
    """Cast a batch to the columns and types of the schema."""
    import pyarrow as pa

    columns = [batch.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(
        [c if c.type == field.type else c.cast(field.type) for c, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _merge(one: Any, other: Any) -> Any:  # noqa: ANN401
    """Find a type that holds both without loss, or None."""
    import pyarrow as pa
    from pyarrow import types

    if one == other:
        return one
    one, other = (kind.value_type if types.is_dictionary(kind) else kind for kind in (one, other))
    is_day: Callable[[Any], bool] = types.is_date
    for day, time in ((one, other), (other, one)):
        if is_day(day) and types.is_timestamp(time) and time.tz is None:
            return time
        if types.is_decimal(day) and types.is_floating(time):
            return None  # decimals are not converted to floats
    try:
        schemas = [pa.schema([("column", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None
