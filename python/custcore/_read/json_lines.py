"""JSON lines: an object in each line. Large files are read block by block, in the types that all blocks have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from custcore._read.columnar import BATCH_ROWS, TypedFile, unreadable
from custcore._read.merge import merged
from custcore._read.place import decompressed
from custcore.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from custcore._read.place import Place

__all__ = ["JsonFile"]

# Files up to this size, decompressed, are kept in memory; larger ones are read twice: for their types and their rows.
WHOLE = 128 << 20
BLOCK = 16 << 20


class JsonFile(TypedFile):
    """A file of JSON lines.

    The types are those of all values: numbers are integers only if all are whole, and text is read as times only if all
    of it is ISO times.
    """

    kind = "jsonl"
    said = "JSON lines (an object in each line)"

    _table: Any = None
    _schema: Any = None

    @property
    def schema(self) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """Its columns."""
        if self._schema is None:
            import pyarrow as pa

            try:
                self._load()
            except (pa.ArrowException, OSError, UnicodeError, EOFError) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise unreadable(self.place, self.said, error) from error
        return self._schema

    def _load(self) -> None:
        """Find the types, and keep the rows if they are few."""
        blocks = _blocks(self.place)
        first = next(blocks, None)
        if first is None:
            raise FileFormatError(f"{self.place.name}: the file is empty")
        data, size = [first[1]], len(first[1])
        for _, block in blocks:
            data.append(block)
            size += len(block)
            if size > WHOLE:
                break
        else:
            self._table = _parsed(first[0], b"".join(data))
            self._schema = self._table.schema
            return
        types: dict[str, Any] = {}
        for line, block in _blocks(self.place):
            for field in _parsed(line, block).schema:
                types[field.name] = self._merged(field.name, types.get(field.name), field.type)
        import pyarrow as pa

        self._schema = pa.schema(list(types.items()))

    def _merged(self, name: str, one: Any, other: Any) -> Any:  # noqa: ANN401
        """The type that the values of two blocks have."""
        import pyarrow as pa

        if one is None or one == other:
            return other
        texts = [kind for kind in (one, other) if pa.types.is_string(kind) or pa.types.is_timestamp(kind)]
        common = pa.string() if len(texts) == 2 else merged(one, other)
        if common is None:
            raise FileFormatError(
                f"{self.place.name}: the values of {name!r} are {one} in some lines and {other} in others; write them "
                "in one type"
            )
        return common

    def _batches(self, columns: Sequence[str], pushdown: Any) -> Iterator[Any]:  # noqa: ANN401, ARG002
        import pyarrow as pa

        schema = pa.schema([self.schema.field(name) for name in columns])
        if self._table is not None:
            yield from self._table.select(list(columns)).to_batches(BATCH_ROWS)
            return
        for line, block in _blocks(self.place):
            yield from _parsed(line, block, schema).select(list(columns)).to_batches(BATCH_ROWS)


def _blocks(place: Place) -> Iterator[tuple[int, bytes]]:
    """Whole lines of about the size of a block, with the number of the first; not those that are empty."""
    with decompressed(place) as raw:
        left, line = b"", 1
        while part := raw.read(BLOCK):
            data = left + part
            end = data.rfind(b"\n") + 1
            block, left = data[:end], data[end:]
            if block.strip():
                yield line, block
            line += block.count(b"\n")
        if left.strip():
            yield line, left


def _parsed(line: int, data: bytes, schema: Any = None) -> Any:  # noqa: ANN401
    """The rows of a block that begins with a line; with a schema only its columns."""
    import pyarrow as pa
    import pyarrow.json as pajson

    data.decode()  # pyarrow does not look
    # One block of pyarrow, so that all values have their say about the types.
    options = pajson.ReadOptions(block_size=max(len(data) + 1, 1 << 16))
    given = {} if schema is None else {"explicit_schema": schema, "unexpected_field_behavior": "ignore"}
    try:
        return pajson.read_json(pa.BufferReader(data), read_options=options, parse_options=pajson.ParseOptions(**given))
    except pa.ArrowInvalid as error:
        found = re.search(r"\bin row (\d+)", str(error))
        if found is None:
            raise
        # pyarrow counts the rows of the block.
        full = [i for i, text in enumerate(data.split(b"\n")) if text.strip()]
        at = line + full[min(int(found[1]), len(full) - 1)]
        raise pa.ArrowInvalid(str(error).replace(found[0], f"in line {at:,}")) from None
