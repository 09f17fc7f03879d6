"""Columns of a Parquet file that the core decodes.

Threads of its own do so without the GIL, and dictionaries stay as they are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore.errors import CustcoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["decoded"]


def decoded(path: Path, schema: Any, columns: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 (pyarrow publishes no types)
    """Batches of some columns, as far as the core can read them.

    It ends early, also without a row, where the core cannot go on: the file has a codec or a type that it does not
    know, or is damaged. What follows is for pyarrow, whose messages say what is wrong.

    Parameters
    ----------
    path
        The file.
    schema : pyarrow.Schema
        The columns of the file as pyarrow reads them.
    columns
        Names.

    Yields
    ------
    pyarrow.RecordBatch
        The columns in the order of the file. They need no validation: the core has checked them.
    """
    import pyarrow as pa

    try:
        from custcore._core import ParquetColumns
    except ImportError:  # a build without the feature
        return
    failures = (CustcoreError, pa.ArrowException, OSError)
    try:
        reader = pa.RecordBatchReader.from_stream(ParquetColumns(str(path), list(columns), pa.cpu_count()))
    except failures:
        return
    with reader:
        if not all(_is_read_alike(reader.schema, schema, name) for name in columns):
            return
        while True:
            try:
                batch = reader.read_next_batch()
            except (StopIteration, *failures):
                return
            yield batch


def _is_read_alike(ours: Any, theirs: Any, name: str) -> bool:  # noqa: ANN401
    """Whether the core reads a column as the type that pyarrow reads; not time stamps of 96 bits."""
    import pyarrow as pa

    kind = theirs.field(name).type
    return ours.field(name).type == kind and not pa.types.is_nested(kind)
