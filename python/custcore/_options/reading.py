"""How files are read: the options of ``custcore.read`` and of every command that takes files."""

from __future__ import annotations

from custcore._options.option import Option

__all__ = ["PATHS", "READING"]

PATHS = Option(
    "*paths",
    "Any",
    "File names, globs (``**`` for any folder), folders, URLs (``https://``, ``memory://`` by fsspec, ``s3://`` by "
    'fsspec or pyarrow), open binary files, ``"-"`` for stdin. Several are read as one table, in their order. '
    "Folders named ``month=2026-01`` add a column.",
    type="str, path or binary file",
)
FORMAT = Option(
    "format",
    "str | None",
    "``csv``, ``tsv``, ``jsonl``, ``parquet``, ``arrow`` or ``xlsx``. Default: by extension, else by the first bytes.",
    default=None,
    help="csv, tsv, jsonl, parquet, arrow or xlsx.",
    group="Files",
    metavar="FORMAT",
    shown_default="by extension",
)
DELIMITER = Option(
    "delimiter",
    "str | None",
    "Between the cells of CSV. Default: detected among comma, semicolon, tab and bar.",
    default=None,
    help="Between the cells of CSV.",
    group="Files",
    metavar="CHAR",
    shown_default="detected",
)
ENCODING = Option(
    "encoding",
    "str | None",
    "Of CSV, as Python names it. Default: by byte order mark, else UTF-8, else detected.",
    default=None,
    help="Of CSV: utf-8, cp1252, mac_roman, gb18030, utf-16, ...",
    group="Files",
    metavar="NAME",
    shown_default="detected",
)
DECIMAL = Option(
    "decimal",
    "str | None",
    "The decimal sign of numbers in text. Default: detected.",
    default=None,
    help="Decimal sign of numbers in text.",
    group="Files",
    metavar="CHAR",
    shown_default="detected",
)
THOUSANDS = Option(
    "thousands",
    "str | None",
    "The sign between groups of digits of numbers in text. Default: detected.",
    default=None,
    help="Sign between groups of digits in text.",
    group="Files",
    metavar="CHAR",
    shown_default="detected",
)
NAMES = Option(
    "names",
    "Sequence[str] | None",
    "Names of the columns of files without a header.",
    default=None,
    type="sequence of str",
    help="Names of all columns, for files without a header.",
    group="Files",
    metavar="A,B,...",
)
TEXT = Option(
    "text",
    "Sequence[str]",
    "Columns that are text whatever they look like, so that 007 is not 7. Whole numbers written as 12346.0 become "
    "12346.",
    default=(),
    type="sequence of str",
)
TIMESTAMP_FORMAT = Option(
    "timestamp_format",
    "str | Sequence[str]",
    "Formats of times in text, in the codes of strftime (``%d/%m/%Y %H:%M``). Default: ISO, or the one format by "
    "which all values are times; if day and month cannot be told apart, it is an error.",
    default=(),
    type="str or sequence of str",
    help="Format of times in text, e.g. '%d/%m/%Y %H:%M'; may be repeated.",
    group="Files",
    metavar="FORMAT",
    shown_default="detected",
    repeatable=True,
)
WHERE = Option(
    "where",
    "str | None",
    "Only rows that meet a condition: ``\"Country = 'France' and Quantity > 0\"``.",
    default=None,
    help="Only rows that meet a condition: \"Country = 'France' and Quantity > 0\".",
    group="What counts",
    metavar="CONDITION",
)
SHEET = Option(
    "sheet",
    "str | int | None",
    "The sheet of a workbook, by name or counted from 1. Default: the first. A sheet is read as a whole: 100,000 rows "
    "of four columns took 1 s and 90 MB.",
    default=None,
    help="Sheet of a workbook: its name, or its number from 1.",
    group="Files",
    metavar="SHEET",
    shown_default="the first",
)

# In the order of `custcore.read`.
READING = (FORMAT, DELIMITER, ENCODING, DECIMAL, THOUSANDS, NAMES, TEXT, TIMESTAMP_FORMAT, WHERE, SHEET)
