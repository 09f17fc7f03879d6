"""The ways in which a column can be read in a role, all of them: for ``inspect``, which proposes and never guesses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from custcore._read.columnar import TypedFile
from custcore._read.columns import decide
from custcore._read.samples import one_for_each_day
from custcore._read.serials import COMPACT
from custcore._read.times import detect_timestamp_formats
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from custcore._read.options import Reading
    from custcore._read.source import Source

__all__ = ["Readings", "readings"]

# Rows of a text column of Parquet or Arrow that are looked at.
SAMPLE = 1 << 16


@dataclass(frozen=True)
class Readings:
    """How a column can be read.

    Attributes
    ----------
    type : pyarrow.DataType
        What its values become.
    options : tuple of dict
        Options of `Reading` by name, one set for each way; several if no value tells which is right. An empty dict
        stands for a way that needs no option.
    is_counted : bool
        Whether it is a column of numbers that may be times.
    """

    type: Any
    options: tuple[dict[str, Any], ...] = ({},)
    is_counted: bool = False


def readings(source: Source, roles: Mapping[str, str], *, all_rows: bool = False) -> dict[str, Readings | None]:
    """The ways to read columns in a role; None if there is none.

    Parameters
    ----------
    source
        The files.
    roles
        Columns, and what each would be for: "customer_id", "order_id", "timestamp" or "amount".
    all_rows
        Whether to decide by all values, as far as the files are not too large, instead of a sample.
    """
    strings = _strings(source, roles, all_rows=all_rows)
    return {name: _readings(source, name, role, strings.get(name)) for name, role in roles.items()}


def _readings(source: Source, name: str, role: str, strings: Any) -> Readings | None:  # noqa: ANN401
    import pyarrow as pa

    if source.column_names.count(name) != 1:  # which one is meant cannot be said
        return None
    if strings is None:
        return Readings(source.schema.field(name).type)
    if strings.null_count == len(strings):
        return None
    reading, is_text_file = source._reading, name in source._text_names
    decimal = source._texts.decimal if is_text_file else reading.decimal
    try:
        how = decide(name, strings, role, reading, decimal, name)[0]
    except InvalidTypeError:
        return _ambiguous(name, strings, role, reading)
    if role == "timestamp" and how.how == "time" and not reading.timestamp_format:
        return Readings(how.type, ({"timestamp_format": how.detail},), how.detail == (COMPACT,))
    if how.how == "serial":
        return Readings(how.type, is_counted=True)
    # Ids that other formats hold as text stay text.
    return Readings(how.type if is_text_file or role in {"timestamp", "amount"} else pa.string())


def _ambiguous(name: str, strings: Any, role: str, reading: Reading) -> Readings | None:  # noqa: ANN401
    """Several ways to read times, or numbers such as 1,234; None if a column is neither."""
    import pyarrow as pa

    if role == "timestamp":
        guess = detect_timestamp_formats(one_for_each_day(strings))
        if not guess.ambiguous:
            return None
        return Readings(pa.timestamp("s"), tuple({"timestamp_format": (one,)} for one in guess.formats))
    if role != "amount" or reading.decimal is not None or reading.thousands is not None:
        return None
    ways: list[dict[str, Any]] = [{"decimal": ","}, {"thousands": ","}]
    for way in ways:
        try:
            decide(name, strings, role, replace(reading, **way), way.get("decimal"), name)
        except InvalidTypeError:
            return None
    return Readings(pa.float64(), tuple(ways))


def _strings(source: Source, names: Iterable[str], *, all_rows: bool) -> dict[str, Any]:
    """The strings of columns of text, of all rows or some."""
    import pyarrow as pa

    texts = source._texts
    found: dict[str, Any] = {}
    named = [name for name in names if name in source._text_names]
    if named:
        whole = texts._wholes(named) if all_rows and not texts.is_sampled_whole else None
        for name in named:
            parts: list[Any]
            if whole is not None:
                parts = [table.column(name) for table in whole]
            else:
                both = zip(texts.files, texts.samples, strict=True)
                parts = [table.column(file.names.index(name)) for file, table in both]
            found[name] = pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())
    for name in set(names).intersection(source.column_names).difference(named):
        kind = source.schema.field(name).type if source.column_names.count(name) == 1 else None
        if kind is not None and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            found[name] = _of_batches(source, name, all_rows=all_rows)
    return found


def _of_batches(source: Source, name: str, *, all_rows: bool) -> Any:  # noqa: ANN401
    """The strings of a column of files that have types."""
    import pyarrow as pa

    found, rows = [], 0
    for file in source._files:
        for batch in file.batches([name]) if isinstance(file, TypedFile) and name in file.names else ():
            found.append(batch.column(0).cast(pa.string()))
            rows += batch.num_rows
            if rows >= SAMPLE and not all_rows:
                break
    return pa.chunked_array(found, pa.string())
