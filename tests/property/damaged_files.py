"""Valid files, damage to them, and what holds for a file with any bytes.

Reading raises errors of custcore and no others, the command line ends with a documented exit code, and where an oracle
reads the file, too, custcore reads no fewer rows.
"""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

import custcore
from custcore.cli._app import app
from custcore.errors import CustcoreError, InternalError

__all__ = ["VALID", "Edit", "check", "damaged"]

COLUMNS = ["customer_id", "timestamp", "amount"]
ROLES = dict(zip(COLUMNS, COLUMNS, strict=True))
ROWS = [(f"c{i % 7}", f"2026-01-{i % 28 + 1:02}", f"{i}.25") for i in range(40)]
TEXT = ",".join(COLUMNS) + "\n" + "".join(",".join(row) + "\n" for row in ROWS)
QUOTED = TEXT.replace("c3", '"c""3, Ltd"').replace("c5", '"c\n5"')
COMMAS = ";".join(COLUMNS) + "\n" + "".join(f"{c};{t[8:]}.01.2026;{a.replace('.', ',')}\n" for c, t, a in ROWS)
DAYS = [dt.date.fromisoformat(row[1]) for row in ROWS]
TABLE = pa.table({"customer_id": [row[0] for row in ROWS], "timestamp": DAYS, "amount": [1.5] * 40})
# Exit codes of the command line: done, wrong usage, unusable data.
EXIT_CODES = {0, 2, 3}


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, row_group_size=10)
    return sink.getvalue()


def _arrow(*, stream: bool) -> bytes:
    sink = io.BytesIO()
    start = pa.ipc.new_stream if stream else pa.ipc.new_file
    with start(sink, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=10)
    return sink.getvalue()


def _zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sales.csv", TEXT)
    return sink.getvalue()


def _zstd() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(TEXT.encode())
    return sink.getvalue().to_pybytes()


def _xlsx() -> bytes:
    import xlsxwriter

    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate([COLUMNS, *ROWS[:10]]):
            sheet.write_row(i, 0, row)
    return sink.getvalue()


def _lines() -> bytes:
    rows = ({"customer_id": c, "timestamp": t, "amount": float(a)} for c, t, a in ROWS)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


VALID: dict[str, bytes] = {
    "a.csv": TEXT.encode(),
    "quoted.csv": QUOTED.encode(),
    "commas.csv": COMMAS.encode(),
    "wide.csv": TEXT.encode("utf-16"),
    "a.csv.gz": gzip.compress(TEXT.encode(), mtime=0),
    "a.csv.bz2": bz2.compress(TEXT.encode()),
    "a.csv.zst": _zstd(),
    "a.zip": _zip(),
    "a.parquet": _parquet(),
    "a.arrow": _arrow(stream=False),
    "a.arrows": _arrow(stream=True),
    "a.xlsx": _xlsx(),
    "a.jsonl": _lines(),
}


@dataclass(frozen=True)
class Edit:
    """A change of bytes: `cut` bytes at a place, given as a share of the length, are replaced by others."""

    at: float
    cut: int
    put: bytes


def damaged(data: bytes, edits: list[Edit]) -> bytes:
    """The data after some edits."""
    for edit in edits:
        start = int(edit.at * len(data))
        data = data[:start] + edit.put + data[start + edit.cut :]
    return data


def check(folder: Path, name: str, data: bytes) -> str:
    """Read a file by `custcore.read` and the command line; returns "read" or "refused".

    Raises
    ------
    AssertionError
        If another error is raised, the command line ends otherwise, or rows are missing.
    """
    path = folder / name
    path.unlink(missing_ok=True)  # an Arrow file that is open is mapped, and must not shrink
    path.write_bytes(data)
    try:
        source = custcore.read(path)
        columns = [column for column in source.column_names if source.column_names.count(column) == 1]
        n_rows = source.table(columns[:3]).num_rows
        least = _least_rows(source, name, data)
        assert n_rows >= least, f"{n_rows} rows, and an oracle has {least}"
        custcore.rfm(source)
        outcome = "read"
    except InternalError:
        raise
    except CustcoreError:
        outcome = "refused"
    for words in (["inspect", str(path)], ["rfm", str(path)]):
        result = CliRunner().invoke(app, words, prog_name="custcore")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise AssertionError(f"{words[0]} raised {result.exception!r}") from result.exception
        assert result.exit_code in EXIT_CODES, (words, result.exit_code, result.stderr)
        assert "Traceback" not in result.stderr
    return outcome


def _least_rows(source: Any, name: str, data: bytes) -> int:
    """Rows that another library finds in the same bytes; 0 if it finds none or raises an error."""
    try:
        if name.endswith((".csv", ".gz", ".bz2")):
            unpacked = {"gz": gzip.decompress, "bz2": bz2.decompress}.get(name.rpartition(".")[2], bytes)(data)
            return _csv_rows(source._files[0].dialect, unpacked)
        if name.endswith(".parquet"):
            return int(pq.read_table(io.BytesIO(data)).num_rows)
        if name.endswith(".arrow"):
            return int(pa.ipc.open_file(data).read_all().num_rows)
        if name.endswith(".jsonl"):
            return sum(isinstance(json.loads(line), dict) for line in data.decode().split("\n") if line.strip())
    except Exception:  # noqa: BLE001 (an oracle that does not read the file has nothing to say)
        return 0
    return 0


def _csv_rows(dialect: Any, data: bytes) -> int:
    """Rows by Python's csv module, in the dialect that custcore found."""
    text = data.decode(dialect.encoding).removeprefix("\ufeff")
    lines = io.StringIO(text, newline="")
    for _ in range(dialect.skip):
        lines.readline()
    rows = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    return sum(bool(row) for row in rows) - int(dialect.has_header)
