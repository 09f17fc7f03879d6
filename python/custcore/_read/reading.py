"""``custcore.read``: names of files, and how to read them, to a lazy source."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from custcore._extras import how_to_install
from custcore._input.proposals import proposing
from custcore._read.dialect import refuse_pages
from custcore._read.kinds import CODECS, FORMATS, KNOWN, TEXT, is_text, kind_of_bytes, kind_of_name
from custcore._read.options import Reading
from custcore.errors import FileFormatError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._read.columnar import TypedFile
    from custcore._read.csv_file import CsvFile
    from custcore._read.place import Place
    from custcore._read.source import Source

__all__ = ["open_source", "read"]


@proposing
def read(
    *paths: Any,  # noqa: ANN401
    format: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    names: Sequence[str] | None = None,
    text: Sequence[str] = (),
    timestamp_format: str | Sequence[str] = (),
    where: str | None = None,
    sheet: str | int | None = None,
) -> Source:
    r"""Open files as one lazy table that every function of custcore takes.

    Only the columns that a function needs are read. What is not given is detected from the
    data, and :attr:`Source.notes` says what was detected.

    Parameters
    ----------
    *paths : str, path or binary file
        File names, globs (``**`` for any folder), folders, URLs (``https://``,
        ``memory://`` by fsspec, ``s3://`` by fsspec or pyarrow), open binary files, ``"-"``
        for stdin. Several are read as one table, in their order. Folders named
        ``month=2026-01`` add a column.
    format : str, optional
        ``csv``, ``tsv``, ``jsonl``, ``parquet``, ``arrow`` or ``xlsx``. Default: by
        extension, else by the first bytes.
    delimiter : str, optional
        Between the cells of CSV. Default: detected among comma, semicolon, tab and bar.
    encoding : str, optional
        Of CSV, as Python names it. Default: by byte order mark, else UTF-8, else detected.
    decimal : str, optional
        The decimal sign of numbers in text. Default: detected.
    thousands : str, optional
        The sign between groups of digits of numbers in text. Default: detected.
    names : sequence of str, optional
        Names of the columns of files without a header.
    text : sequence of str, default ()
        Columns that are text whatever they look like, so that 007 is not 7. Whole numbers
        written as 12346.0 become 12346.
    timestamp_format : str or sequence of str, default ()
        Formats of times in text, in the codes of strftime (``%d/%m/%Y %H:%M``). Default:
        ISO, or the one format by which all values are times; if day and month cannot be
        told apart, it is an error.
    where : str, optional
        Only rows that meet a condition: ``"Country = 'France' and Quantity > 0"``.
    sheet : str | int, optional
        The sheet of a workbook, by name or counted from 1. Default: the first. A sheet is
        read as a whole: 100,000 rows of four columns took 1 s and 90 MB.

    Returns
    -------
    Source
        Can be read any number of times.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If a file is empty or not what it is taken for, has no header, or is a part of a table
        of Delta or Iceberg.
    InvalidArgumentError
        If an option is invalid, or an extension unknown.

    Examples
    --------
    >>> import io, custcore
    >>> data = io.BytesIO(
    ...     b"Kunde;Datum;Betrag\n17;2026-01-05;1.020,50\n18;2026-01-09;15,30\n"
    ... )
    >>> sales = custcore.read(data)
    >>> custcore.rfm(
    ...     sales, customer_id="Kunde", timestamp="Datum", amount="Betrag"
    ... ).num_rows
    2
    """
    formats = (timestamp_format,) if isinstance(timestamp_format, str) else tuple(timestamp_format)
    return open_source(
        paths,
        Reading(
            format=format,
            delimiter=delimiter,
            encoding=encoding,
            decimal=decimal,
            thousands=thousands,
            names=None if names is None else tuple(names),
            text=frozenset([text] if isinstance(text, str) else text),
            timestamp_format=formats,
            where=where,
            sheet=sheet,
        ),
    )


def open_source(paths: Sequence[Any], reading: Reading) -> Source:
    """Open files.

    Parameters
    ----------
    paths
        As `read` takes them.
    reading
        The options; they are checked here.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidArgumentError(f"files are read by pyarrow: {how_to_install('read')}")
    from custcore._read.places import places  # not with `import custcore`
    from custcore._read.source import Source

    _check(reading)
    found = places(paths, explicit_format=reading.format is not None)
    return Source([_open(place, reading) for place in found], reading)


def _check(reading: Reading) -> None:
    if reading.format is not None and reading.format not in FORMATS:
        raise InvalidArgumentError(f"format={reading.format!r}: expected one of {', '.join(FORMATS)}")
    for name in ("delimiter", "decimal", "thousands"):
        value = getattr(reading, name)
        if value is not None and (not isinstance(value, str) or len(value) != 1):
            raise InvalidArgumentError(f"{name}={value!r}: expected one character")
    if reading.delimiter is not None and (not reading.delimiter.isascii() or reading.delimiter in '"\r\n'):
        raise InvalidArgumentError(
            f"delimiter={reading.delimiter!r}: expected a character of ASCII, and no quote or end of line"
        )
    if reading.decimal is not None and reading.decimal == reading.thousands:
        raise InvalidArgumentError(
            f"decimal={reading.decimal!r} is the sign of thousands, too; expected different signs"
        )
    for one in reading.timestamp_format:
        if "%" not in one:
            raise InvalidArgumentError(
                f"timestamp_format={one!r}: expected the codes of strftime, such as '%d/%m/%Y %H:%M'"
            )
    if reading.names is not None and len(set(reading.names)) < len(reading.names):
        raise InvalidArgumentError(f"names={list(reading.names)} has a name twice; expected one for each column")
    if reading.where is not None and not isinstance(reading.where, str):
        raise InvalidTypeError(f"where is {type(reading.where).__name__}; expected text such as \"country = 'France'\"")


def _open(place: Place, reading: Reading) -> CsvFile | TypedFile:
    from custcore._read.columnar import ArrowFile, ParquetFile, SheetFile
    from custcore._read.csv_file import CsvFile
    from custcore._read.json_lines import JsonFile

    named = kind_of_name(place.name.split("?")[0])
    kind = reading.format if reading.format is not None else named
    if kind is None or named in TEXT:
        head = _head(place)
        if not head:
            raise FileFormatError(f"{place.name}: the file is empty")
        found = kind_of_bytes(head)
        if kind is None:
            kind = found
        elif reading.format is None and found in {"parquet", "xlsx"}:
            raise FileFormatError(
                f"{place.name} is no text but {found}; say so: {reading.option('format', found)}. "
                f"custcore reads {KNOWN}"
            )
    if kind in TEXT:
        return CsvFile(place, reading, is_tsv=kind == "tsv")
    if kind == "jsonl":
        return JsonFile(place)
    if kind == "xlsx":
        if reading.format is None:
            _refuse_misnamed(place, kind, reading)
        return SheetFile(place, reading)
    try:
        return ParquetFile(place) if kind == "parquet" else ArrowFile(place)
    except FileFormatError:
        if reading.format is None:
            _refuse_misnamed(place, kind, reading)
        raise


def _refuse_misnamed(place: Place, kind: str, reading: Reading) -> None:
    """Raise if the first bytes are those of another format than the name says."""
    head = _head(place)
    found = kind_of_bytes(head)
    if found in TEXT and not is_text(head):
        return
    refuse_pages(place.name, head.decode("utf-8", errors="replace"))
    if found != kind:
        what = "text" if found == "csv" else found
        named = "Parquet" if kind == "parquet" else "Arrow" if kind == "arrow" else "a workbook"
        raise FileFormatError(
            f"{place.name} is no {named.removeprefix('a ')} but {what}; say so: {reading.option('format', found)}"
        )


def _head(place: Place) -> bytes:
    """The first bytes, decompressed."""
    import pyarrow as pa

    from custcore._read.place import decompressed

    try:
        with decompressed(place) as raw:
            return bytes(raw.read(64))
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FileFormatError(f"{place.name} cannot be decompressed ({', '.join(CODECS.values())}): {error}") from None
