"""Text columns of files that have types: times and numbers that a sheet, JSON or a careless export holds as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore._read.columns import decide
from custcore._read.conversion import convert
from custcore._read.options import ID_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from custcore._read.columnar import TypedFile
    from custcore._read.conversion import Conversion
    from custcore._read.options import Reading

__all__ = ["restoration", "restored", "restored_type"]

# Formats without types of their own for money and times: their text is read as that of CSV.
LOOSE = ("xlsx", "jsonl")
SAMPLE = 1 << 16


def restored_type(file: TypedFile, name: str, role: str | None, reading: Reading) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """The type of a column once its text is read.

    Parameters
    ----------
    file
        The file.
    name
        The column.
    role
        What it is for.
    reading
        What the caller says.
    """
    import pyarrow as pa

    how = restoration(file, name, role, reading)
    if how is not None:
        return how.type
    kind = file.schema.field(file.schema.names.index(name)).type
    return pa.string() if _as_text(name, kind, role, reading) else kind


def restored(
    file: TypedFile, batches: Iterable[Any], names: Sequence[str], roles: Mapping[str, str], reading: Reading
) -> Iterator[Any]:
    """The batches of a file, with text read as values where it has to be.

    Parameters
    ----------
    file
        The file.
    batches
        Its batches.
    names
        Their columns.
    roles
        What columns are for.
    reading
        What the caller says.
    """
    import pyarrow as pa

    hows = {name: restoration(file, name, roles.get(name), reading) for name in names}
    texts = {name for name in names if _as_text(name, file.schema.field(name).type, roles.get(name), reading)}
    if not texts and not any(hows.values()):
        yield from batches
        return
    row = 0
    for batch in batches:
        columns = []
        for name in names:
            column, how = batch.column(name), hows[name]
            if how is not None:
                column = convert(how, column.cast(pa.string()), file.place.name, row)
            elif name in texts:
                column = column.cast(pa.string())
            columns.append(column)
        row += batch.num_rows
        yield pa.RecordBatch.from_arrays(columns, names=list(names))


def restoration(file: TypedFile, name: str, role: str | None, reading: Reading) -> Conversion | None:
    """How a column of text, or of numbers that count times, is read; None if it stays as it is.

    Parameters
    ----------
    file
        The file.
    name
        The column.
    role
        What it is for.
    reading
        What the caller says.
    """
    import pyarrow as pa

    kind = file.schema.field(file.schema.names.index(name)).type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not is_text:
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if not (is_number and role == "timestamp" and file.kind in LOOSE):
            return None
    asked = (role == "timestamp" and reading.timestamp_format) or (
        role in {"amount", "operand"} and (reading.decimal or reading.thousands)
    )
    if not asked and not (file.kind in LOOSE and role in {"timestamp", "amount", "operand"}):
        return None
    if (name, role) not in file.restorations:
        strings, rows = [], 0
        for batch in file.batches([name]):
            strings.append(batch.column(name).cast(pa.string()))
            rows += batch.num_rows
            if rows >= SAMPLE and file.kind not in LOOSE:
                break
        column = pa.chunked_array(strings, pa.string())
        file.restorations[name, role] = decide(name, column, role, reading, reading.decimal, file.place.name)[0]
    found: Conversion = file.restorations[name, role]
    return found


def _as_text(name: str, kind: Any, role: str | None, reading: Reading) -> bool:  # noqa: ANN401
    """Whether a column of whole numbers is asked for as text."""
    import pyarrow as pa

    asked = name in reading.text or (role in ID_ROLES and reading.text_ids)
    return bool(asked and pa.types.is_integer(kind))
