"""Compressed files, files with a wrong name, workbooks and JSON."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.interop.messy.case import Case, csv
from tests.interop.messy.text import HEAD, ROWS, SALES

__all__ = ["CASES"]

MANY = HEAD + ROWS * 2000
TITLES = ["customer_id", "timestamp", "amount"]
DAYS = [dt.datetime(2026, 1, day) for day in (5, 6, 20)]  # noqa: DTZ001 (sheets have no zone)
TABLE = pa.table({"customer_id": ["ann", "bob", "ann"], "timestamp": DAYS, "amount": [1.5, 2.25, 4.0]})


def zstd(path):
    with pa.CompressedOutputStream(str(path), "zstd") as sink:
        sink.write(SALES.encode())


def archive(**files: str):
    def write(path):
        with zipfile.ZipFile(path, "w") as out:
            for name, text in files.items():
                out.writestr(name, text)

    return write


def damaged_zip(path):
    archive(**{"a.csv": MANY})(path)
    data = bytearray(path.read_bytes())
    data[2000:2010] = bytes(10)
    path.write_bytes(data)


def parquet(path):
    pq.write_table(TABLE, path)


def read_parquet(path):
    return pd.read_parquet(io.BytesIO(path.read_bytes()))


def workbook(*rows, merged=(), sheets=(), before=()):
    def write(path):
        import xlsxwriter

        with xlsxwriter.Workbook(path) as book:
            day = book.add_format({"num_format": "dd/mm/yyyy"})
            for name in before:
                book.add_worksheet(name).write_row(0, 0, ["nothing"])
            sheet = book.add_worksheet("sales")
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if isinstance(cell, dt.datetime):
                        sheet.write_datetime(i, j, cell, day)
                    elif cell is not None:
                        sheet.write(i, j, cell)
            for first, last, column, value in merged:
                sheet.merge_range(first, column, last, column, value)
            for name in sheets:
                book.add_worksheet(name).write_row(0, 0, ["nothing"])

    return write


def excel(time=None, **options):
    """The oracle of workbooks: `pandas.read_excel` by openpyxl or calamine."""

    def read(path):
        table = pd.read_excel(io.BytesIO(path.read_bytes()), engine="calamine", **options)
        table["timestamp"] = pd.to_datetime(table["timestamp"], format=time)
        return table

    return read


def lines(text: str):
    def read(path):
        table = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines() if line])
        table["timestamp"] = pd.to_datetime(table["timestamp"], **({"unit": "ms"} if "millis" in path.name else {}))
        return table

    return text.encode(), read


SHEET = [(c, d, a) for c, d, a in zip(["ann", "bob", "ann"], DAYS, [1.5, 2.25, 4], strict=True)]
TEXT_DAYS = [(c, d.strftime("%d.%m.%Y"), a) for c, d, a in SHEET]

COMPRESSED = [
    Case("sales.csv.gz", "gzip", "read", gzip.compress(SALES.encode()), csv()),
    Case("sales.csv.bz2", "bzip2", "read", bz2.compress(SALES.encode()), csv()),
    Case(
        "sales.csv.zst",
        "Zstandard",
        "read",
        zstd,
        lambda path: csv()(io.BytesIO(pa.CompressedInputStream(str(path), "zstd").read())),
    ),
    Case("sales.zip", "a ZIP archive of one file", "read", archive(**{"sales.csv": SALES}), csv(compression="zip")),
    Case(
        "two.zip",
        "a ZIP archive of two files",
        "one table",
        archive(**{"a.csv": SALES, "b.csv": HEAD + "dan,2026-02-01,3\n"}),
        lambda path: csv()(io.StringIO(SALES + "dan,2026-02-01,3\n")),
    ),
    Case(
        "mac.zip",
        "a ZIP archive of a Mac, with its hidden files",
        "they are no data",
        archive(**{"sales.csv": SALES, "__MACOSX/._sales.csv": "\0\5\26\7"}),
        lambda path: csv()(io.StringIO(SALES)),
    ),
    Case(
        "other_columns.zip",
        "a ZIP archive with a file of other columns",
        "the file is named",
        archive(**{"a.csv": SALES, "b.csv": "x,y\n1,2\n"}),
        error=("customer_id", "missing in", "b.csv"),
    ),
    Case("empty.zip", "an empty ZIP archive", "told so", archive(), error=("empty.zip", "no files")),
    Case("damaged.zip", "a damaged ZIP archive", "told so", damaged_zip, error=("damaged.zip", "ZIP")),
    Case(
        "cut_off.csv.gz",
        "a gzip file that is cut off, as by an aborted download",
        "never fewer rows: told so",
        gzip.compress(MANY.encode())[:-20],
        error=("cut_off.csv.gz", "decompressed"),
    ),
    Case(
        "gzipped_twice.csv.gz",
        "several gzip files in one",
        "all rows",
        gzip.compress(SALES.encode()) + gzip.compress(ROWS.encode()),
        csv(),
    ),
    Case("plain.csv.gz", "a plain file named .gz", "read by its first bytes", SALES.encode(), csv(compression=None)),
    Case(
        "gzipped.csv",
        "a gzip file named .csv",
        "read by its first bytes",
        gzip.compress(SALES.encode()),
        csv(compression="gzip"),
    ),
]

NAMES = [
    Case(
        "csv.parquet",
        "CSV named .parquet",
        "told what it is, and how to say so",
        SALES.encode(),
        error=("csv.parquet", "Parquet", "format", "csv"),
    ),
    Case("csv_said.parquet", "the same, said", "read", SALES.encode(), csv(), options={"format": "csv"}),
    Case(
        "parquet.csv",
        "Parquet named .csv",
        "told what it is, and how to say so",
        parquet,
        error=("parquet.csv", "format", "parquet"),
    ),
    Case("parquet_said.csv", "the same, said", "read", parquet, read_parquet, options={"format": "parquet"}),
    Case(
        "cut_off.parquet",
        "a Parquet file that is cut off",
        "told so",
        lambda path: (parquet(path), path.write_bytes(path.read_bytes()[:-30])),
        error=("cut_off.parquet", "Parquet"),
    ),
    Case(
        "text.xls",
        "text named .xls, as old web shops export",
        "told what it is, and how to say so",
        SALES.replace(",", "\t").encode(),
        error=("text.xls", "format", "csv"),
    ),
    Case(
        "page.xls",
        "an HTML table named .xls",
        "told that it is HTML",
        b"<html><body><table><tr><td>customer_id</td></tr></table></body></html>",
        error=("page.xls", "HTML", "save it as"),
    ),
    Case(
        "page.csv",
        "an error page instead of the file",
        "told that it is HTML",
        b"<!DOCTYPE html>\n<html><head><title>Login</title></head>\n<body>Please, sign in.</body></html>",
        error=("page.csv", "HTML"),
    ),
    Case(
        "sales.doc",
        "an unknown extension",
        "told which there are",
        SALES.encode(),
        error=("extension", "csv", "format"),
    ),
    Case(
        "letters.arrow",
        "an Arrow file that is none",
        "told so",
        SALES.encode(),
        error=("letters.arrow", "Arrow", "format", "csv"),
    ),
]

SHEETS = [
    Case("plain.xlsx", "a plain sheet", "read", workbook(TITLES, *SHEET), excel()),
    Case(
        "title.xlsx",
        "a title row above the header",
        "told what to remove",
        workbook(["Sales of January"], [], TITLES, *SHEET),
        error=("title.xlsx", "lines above its header", "Sales of January"),
    ),
    Case(
        "merged.xlsx",
        "merged cells of a customer",
        "no rows vanish for want of a customer: told to unmerge them",
        workbook(TITLES, (None, DAYS[0], 1.5), (None, DAYS[1], 2.25), ("bob", DAYS[2], 4), merged=[(1, 2, 0, "ann")]),
        error=("merged.xlsx", "merged cells in column 'customer_id'", "rows 2 to 3", "unmerge"),
    ),
    Case(
        "sheets.xlsx",
        "several sheets",
        "the first, and the others are told",
        workbook(TITLES, *SHEET, sheets=["costs", "2025"]),
        excel(),
        note="costs",
    ),
    Case(
        "second_sheet.xlsx",
        "a sheet that is not the first, said",
        "read",
        workbook(TITLES, *SHEET, before=["notes"]),
        excel(sheet_name="sales"),
        options={"sheet": "sales"},
    ),
    Case(
        "no_such_sheet.xlsx",
        "a sheet that is not there",
        "told which there are",
        workbook(TITLES, *SHEET),
        options={"sheet": "Sales"},
        error=("sheet", "'sales'"),
    ),
    Case("text_days.xlsx", "days as text", "days", workbook(TITLES, *TEXT_DAYS), excel(time="%d.%m.%Y")),
    Case(
        "text_amounts.xlsx",
        "amounts as text with decimal commas",
        "numbers",
        workbook(TITLES, ("ann", DAYS[0], "1.234,50"), ("bob", DAYS[1], "2,25")),
        lambda path: excel()(path).assign(amount=[1234.5, 2.25]),
    ),
    Case(
        "float_ids.xlsx",
        "ids, which a sheet holds as floats",
        "whole numbers",
        workbook(TITLES, (17, DAYS[0], 1.5), (18, DAYS[1], 2)),
        excel(),
    ),
    Case(
        "no_header.xlsx",
        "a sheet without a header",
        "told to name the columns",
        workbook((17, DAYS[0], 1.5), (18, DAYS[1], 2)),
        error=("no_header.xlsx", "no header", "names"),
    ),
    Case("empty.xlsx", "an empty sheet", "told so", workbook(), error=("empty.xlsx", "empty")),
    Case(
        "mixed.xlsx",
        "days and text in one column",
        "the text is named",
        workbook(TITLES, ("ann", DAYS[0], 1.5), ("bob", "unknown", 2)),
        error=("mixed.xlsx", "timestamp", "'unknown'"),
    ),
    Case(
        "broken.xlsx", "a workbook that is none", "told so", b"PK\3\4" + bytes(200), error=("broken.xlsx", "workbook")
    ),
]

ANN = '{"customer_id": "ann", "timestamp": "2026-01-05", "amount": 1.5}\n'
PLAIN, read_lines = lines(ANN + ANN.replace("ann", "bob").replace("-05", "-06"))
HOLES, _ = lines(
    ANN.replace(', "amount": 1.5', "")
    + '{"timestamp": "2026-01-06", "amount": 2}\n\n'
    + '{"amount": 1.5, "customer_id": "bob", "timestamp": "2026-01-06", "extra": 1}\n'
)
MILLIS, _ = lines(ANN.replace('"2026-01-05"', "1767601560000") + ANN.replace('"2026-01-05"', "1768294800000"))

JSON = [
    Case("plain.jsonl", "JSON lines", "read", PLAIN, read_lines),
    Case("missing_keys.jsonl", "JSON lines with missing and additional keys", "nulls", HOLES, read_lines),
    Case(
        "millis.jsonl",
        "JSON lines with milliseconds since 1970",
        "times",
        MILLIS,
        read_lines,
        note="milliseconds since 1970",
    ),
    Case(
        "nested.jsonl",
        "nested JSON",
        "told which columns there are",
        b'{"customer": {"id": "ann"}, "timestamp": "2026-01-05", "amount": 1}\n',
        error=("no column 'customer_id'", "'customer'"),
    ),
    Case(
        "array.jsonl",
        "a JSON array instead of lines",
        "told so",
        b'[{"customer_id": "ann", "timestamp": "2026-01-05", "amount": 1}]\n',
        error=("array.jsonl", "an object in each line"),
    ),
    Case(
        "mixed_types.jsonl",
        "numbers and texts in one key",
        "the key is named",
        (ANN.replace('"ann"', "1") + ANN).encode(),
        error=("mixed_types.jsonl", "customer_id", "number to string"),
    ),
    Case(
        "broken.jsonl",
        "a line that is cut off",
        "told so",
        b'{"customer_id": 1, "timestamp": "2026-01-05", "amount": 1}\n{"customer_id": 2, "timest',
        error=("broken.jsonl", "JSON lines"),
    ),
    Case(
        "array.json",
        "JSON that is none of lines",
        "told how to say it",
        b'[{"customer_id": 1}]',
        error=("extension", "jsonl"),
    ),
]

CASES = [*COMPRESSED, *NAMES, *SHEETS, *JSON]
