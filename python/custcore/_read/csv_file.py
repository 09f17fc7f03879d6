"""A CSV file: its columns as strings, read by pyarrow, and the line of what is wrong with it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from custcore._read.dialect import Dialect, look, nul_text
from custcore._read.encodings import Utf8Stream, blank_lines, detect_encoding, to_utf8
from custcore._read.place import decompressed
from custcore.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from custcore._read.options import Reading
    from custcore._read.place import Place

__all__ = ["WHOLE", "CsvFile"]

# The part that tells the dialect and the types, and those from the middle and the end of larger files.
HEAD = 1 << 20
PART = 1 << 19
# Files up to this size are read as a whole, so that every value has its say about the type of its column.
WHOLE = 128 << 20
BLOCK = 4 << 20
CELL = 1 << 24
# Nulls as Python and pandas write them in text, beside those of pyarrow: empty, NA, N/A, NULL, nan, ...
PYTHON_NULLS = ("None", "<NA>", "NaT")


class CsvFile:
    """One CSV file.

    Parameters
    ----------
    place
        Where it is.
    reading
        What the caller says.
    is_tsv
        Whether cells are separated by tabs.

    Attributes
    ----------
    names : tuple of str
        Its columns.
    """

    kind = "csv"
    n_rows = None

    def __init__(self, place: Place, reading: Reading, *, is_tsv: bool = False) -> None:
        self.place = place
        self.reading = reading
        self.head, self.is_whole = self._first(HEAD)
        self.dialect: Dialect = look(place.name, self.head, reading, is_whole=self.is_whole, is_tsv=is_tsv)
        self.names = self.dialect.names

    def sample(self) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """The strings of the first rows, and of some in the middle and at the end; columns are named by position."""
        import pyarrow as pa

        if self.is_whole:
            head = self._utf8(self.head)
        else:  # its end may be in the middle of a row, and of a character
            head = self.head.decode(self.dialect.encoding, errors="ignore").encode()
            head = head[: _last_end(head)]
        tables = [self._parse(head, range(len(self.names)), check=self.is_whole)]
        local = self.place.local
        if not self.is_whole and local is not None and self.dialect.encoding == "utf-8":
            size = local.stat().st_size
            with decompressed(self.place) as raw:
                if not isinstance(raw, pa.CompressedInputStream):
                    for start in (size // 2, max(size - PART, HEAD)):
                        raw.seek(start)
                        tables += self._part(raw.read(PART))
        return pa.concat_tables(tables)

    def whole(self, positions: Sequence[int], limit: int) -> tuple[Any, int] | None:
        """All rows of some columns as strings, and the bytes of text; None if the text is larger than the limit.

        Parameters
        ----------
        positions
            The columns.
        limit
            Bytes of text.
        """
        data, is_whole = (self.head, True) if self.is_whole else self._first(limit)
        if not is_whole or len(data) > limit:
            return None
        return self._parse(self._utf8(data), positions, check=True), len(data)

    def batches(self, positions: Sequence[int]) -> Iterator[Any]:
        """All rows of some columns as strings, block by block.

        Parameters
        ----------
        positions
            The columns.
        """
        import pyarrow as pa
        import pyarrow.csv as pacsv

        rows = 0
        stream = Utf8Stream(decompressed(self.place), self.dialect.encoding)
        try:
            # Without threads: a reader that is abandoned while its threads run may crash the process at exit.
            reader = pacsv.open_csv(pa.PythonFile(stream, mode="r"), **self._options(positions, threads=False))
            for batch in reader:
                rows += batch.num_rows
                yield batch
        except (pa.ArrowException, UnicodeError, EOFError, OSError) as error:
            raise self._explained(error) from None
        if stream.nul is not None:
            raise FileFormatError(nul_text(self.place.name, stream.nul))
        if stream.lines != rows + self._lines_above():
            self._check_quotes()

    def _first(self, limit: int) -> tuple[bytes, bool]:
        import pyarrow as pa

        parts: list[bytes] = []
        size = 0
        try:
            with decompressed(self.place) as raw:
                while size <= limit and (block := raw.read(min(limit + 1 - size, 16 << 20))):
                    parts.append(block)
                    size += len(block)
        except (pa.ArrowException, EOFError) as error:
            raise FileFormatError(f"{self.place.name} cannot be decompressed: {error}") from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise FileFormatError(f"{self.place.name} cannot be decompressed: {error}") from None
        data = b"".join(parts)
        return data[:limit], size <= limit

    def _utf8(self, data: bytes) -> bytes:
        """The text in UTF-8; an encoding that only later bytes tell is detected anew."""
        encoding = self.dialect.encoding
        try:
            text = to_utf8(data, encoding)
            if b"\0" in text:
                raise FileFormatError(nul_text(self.place.name, text.count(b"\n", 0, text.index(b"\0")) + 1))
            return text
        except UnicodeDecodeError as error:
            if encoding == "utf-8" and self.reading.encoding is None:
                found = detect_encoding(data, is_whole=True)
                if found and found != "utf-8":
                    note = f"read as {found} (detected; set another with {self.reading.option('encoding', 'NAME')})"
                    self.dialect = Dialect(
                        found,
                        self.dialect.delimiter,
                        self.names,
                        self.dialect.skip,
                        self.dialect.has_header,
                        (*self.dialect.notes, note),
                    )
                    return to_utf8(data, found)
            line = data.count(b"\n", 0, error.start) + 1
            raise FileFormatError(
                f"{self.place.name} is not {encoding}: line {line:,} has the byte 0x{data[error.start]:02x}; say the "
                f"encoding, e.g. {self.reading.option('encoding', 'cp1252')}"
            ) from None

    def _parse(self, data: bytes, positions: Sequence[int], *, check: bool) -> Any:  # noqa: ANN401
        import pyarrow as pa
        import pyarrow.csv as pacsv

        if not self._has_rows(data):
            return pa.table({str(i): pa.array([], pa.string()) for i in positions})
        try:
            options = self._options(positions)
            # Without quotes no cell has a line end, so that blocks are parsed beside each other.
            options["parse_options"].newlines_in_values = b'"' in data
            table = pacsv.read_csv(pa.BufferReader(data), **options)
        except pa.ArrowException as error:
            raise self._explained(error) from None
        if check:
            lines = data.count(b"\n") + (0 if data.endswith(b"\n") else 1)
            expected = table.num_rows + self._lines_above()
            if lines != expected and lines - blank_lines(data) != expected:
                self._check_quotes()
        return table

    def _part(self, data: bytes) -> list[Any]:
        """The rows of a part from the middle of the file; none if it does not begin where a row does."""
        import pyarrow as pa
        import pyarrow.csv as pacsv

        data = data[data.find(b"\n") + 1 : _last_end(data)]
        options = self._options(range(len(self.names)))
        options["read_options"].skip_rows = options["read_options"].skip_rows_after_names = 0
        try:
            return [pacsv.read_csv(pa.BufferReader(data), **options)] if data else []
        except pa.ArrowException:
            return []

    def _has_rows(self, data: bytes) -> bool:
        """Whether there is more than the header: pyarrow takes a file of a header only for an empty one."""
        rest = io.BytesIO(data)
        for _ in range(self.dialect.skip):
            rest.readline()
        if not self.dialect.has_header:
            return bool(rest.read(1))
        start = rest.tell()
        if data.find(b"\n", start, start + (1 << 16)) >= 0 and b'"' not in data[start : start + (1 << 16)]:
            rest.readline()
            return bool(rest.read(4096).strip() or rest.read().strip())
        text = io.StringIO(data[start : start + (1 << 18)].decode(errors="replace"), newline="")
        rows = (row for row in csv.reader(text, delimiter=self.dialect.delimiter) if row)
        try:
            next(rows, None)
            return next(rows, None) is not None
        except csv.Error:
            return True

    def _options(self, positions: Sequence[int], *, threads: bool = True) -> dict[str, Any]:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        chosen = [str(i) for i in positions]
        return {
            "read_options": pacsv.ReadOptions(
                use_threads=threads,
                block_size=BLOCK,
                column_names=[str(i) for i in range(len(self.names))],
                skip_rows=self.dialect.skip,
                skip_rows_after_names=1 if self.dialect.has_header else 0,
            ),
            "parse_options": pacsv.ParseOptions(delimiter=self.dialect.delimiter, newlines_in_values=True),
            # An empty cell is a null id, not a customer whose id is empty.
            "convert_options": pacsv.ConvertOptions(
                column_types=dict.fromkeys(chosen, pa.string()),
                include_columns=chosen,
                strings_can_be_null=True,
                null_values=[*pacsv.ConvertOptions().null_values, *PYTHON_NULLS],
            ),
        }

    def _lines_above(self) -> int:
        """Lines that are not empty before the first row."""
        stated = self.dialect.skip and self.head[:16].lstrip(b"\xef\xbb\xbf").startswith(b"sep=")
        return int(self.dialect.has_header) + (1 if stated else 0)

    def _lines(self) -> Iterator[str]:
        stream: Any = io.BufferedReader(_Readable(Utf8Stream(decompressed(self.place), self.dialect.encoding)))
        with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="") as lines:
            for _ in range(self.dialect.skip):
                lines.readline()
            yield from lines

    def _check_quotes(self) -> None:
        """Raise for quotes that never close, or close in the middle of a cell: rows would be lost in one cell."""
        line = self._flaw()
        if line is not None:
            raise FileFormatError(line)

    def _flaw(self) -> str | None:
        """The first row that is not as it should be, in words."""
        name, width = self.place.name, len(self.names)
        # The limit is one for the process: that of its owner is set again.
        usual = csv.field_size_limit(CELL)
        rows = csv.reader(self._lines(), delimiter=self.dialect.delimiter, strict=True)
        start = self.dialect.skip + 1
        try:
            for row in rows:
                if row and len(row) != width:
                    many = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                    return (
                        f"{name}, line {start:,}: the row has {many}, the header has {width}: "
                        f"{self.dialect.delimiter.join(row)[:80]!r}. {self._remedy()}"
                    )
                start = self.dialect.skip + rows.line_num + 1
        except csv.Error:
            return (
                f'{name}, line {start:,}: a quote (") that opens a cell there does not close at the end of a cell, so '
                'that the rows after it would be taken for text of that cell; write quotes within a cell twice ("")'
            )
        finally:
            csv.field_size_limit(usual)
        return None

    def _remedy(self) -> str:
        if len(self.names) == 1:
            return f"If cells are separated by another sign, say it: {self.reading.option('delimiter', ';')}"
        return "A cell that contains the delimiter needs quotes around it; lines above the header must go"

    def _explained(self, error: BaseException) -> FileFormatError:
        """The error of a library, as one that names the line."""
        if isinstance(error, UnicodeError) or "UTF8" in str(error):
            return FileFormatError(
                f"{self.place.name} is not {self.dialect.encoding}; say the encoding, e.g. "
                f"{self.reading.option('encoding', 'cp1252')}"
            )
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return FileFormatError(self._flaw() or f"{self.place.name} cannot be read as CSV: {said}")


class _Readable(io.RawIOBase):
    """A stream for `io.BufferedReader`, which reads into buffers."""

    def __init__(self, stream: Utf8Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _last_end(data: bytes) -> int:
    """The position after the last line end."""
    return data.rfind(b"\n") + 1 or len(data)
