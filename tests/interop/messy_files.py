"""Messy files: makes them, reads each by `custcore.read` and the command line, and compares with pandas.

``python -m tests.interop.messy_files`` prints the table, file by file; `test_messy_files` checks it.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

import custcore
from custcore.cli._app import app
from custcore.errors import CustcoreError
from tests.interop.messy import containers, encodings, text, values
from tests.interop.messy.case import ROLES, Case, rows

__all__ = ["CASES", "Outcome", "by_command_line", "by_read", "expected", "table_of"]

CASES = [*encodings.CASES, *text.CASES, *values.CASES, *containers.CASES]


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its rows and notes, or the error."""

    rows: list[tuple[Any, ...]] | None = None
    notes: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0


def by_read(case: Case, path: Path) -> Outcome:
    """Read a file by `custcore.read`, and compute the table that the command line writes."""
    try:
        source = custcore.read(path, **case.options)
        found = source.table(list(ROLES), ROLES)
        custcore.rfm(source)
        return Outcome(rows(found.to_pydict()), tuple(source.notes))
    except (CustcoreError, OSError) as error:
        return Outcome(error=str(error))


def by_command_line(case: Case, path: Path) -> Outcome:
    """Read a file by ``custcore rfm``: customers, last days and money."""
    target = path.parent / "scores.parquet"
    target.unlink(missing_ok=True)
    result = CliRunner().invoke(app, ["rfm", str(path), *case.words, "-o", str(target)], prog_name="custcore")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return Outcome(error=f"Traceback: {result.exception!r}", exit_code=1)
    if result.exit_code:
        return Outcome(error=result.stderr, exit_code=result.exit_code)
    table = pq.read_table(target, columns=["customer_id", "last_date", "monetary_total"])
    return Outcome([tuple(row.values()) for row in table.to_pylist()], (result.stdout,))


def expected(case: Case, path: Path) -> tuple[list[Any], list[Any]]:
    """What the oracle reads, and what custcore computes from it."""
    assert case.oracle is not None
    read = rows(case.oracle(path))
    columns = list(zip(*read, strict=True)) or [(), (), ()]
    kinds = [None, pa.timestamp("us"), pa.float64()]
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, kinds, strict=True)]
    arrays[0] = arrays[0].cast(pa.int64()) if pa.types.is_null(arrays[0].type) else arrays[0]
    scored = custcore.rfm(pa.table(dict(zip(ROLES, arrays, strict=True)))).to_pyarrow()
    picked = scored.select(["customer_id", "last_date", "monetary_total"]).to_pylist()
    return read, [tuple(row.values()) for row in picked]


def table_of(folder: Path) -> str:
    """The table, in Markdown."""
    lines = ["| file | what is messy | what a user expects | outcome |", "|---|---|---|---|"]
    counts = {"read": 0, "clear error": 0}
    for case in CASES:
        path = case.write(folder)
        found, run = by_read(case, path), by_command_line(case, path)
        if case.oracle is not None:
            read, scored = expected(case, path)
            right = found.rows == read and run.rows == scored
            outcome = f"read: {len(read)} rows, equal to the oracle's" if right else f"WRONG: {found} {run}"
            outcome += "".join(f"; note: {note}" for note in found.notes)
            counts["read"] += right
        else:
            outcome = f"error: {found.error}" if found.error and run.error else f"WRONG: {found} {run}"
            counts["clear error"] += bool(found.error and run.error)
        cells = (case.name, case.what, case.expects, outcome.replace(str(folder) + "/", ""))
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    lines.append("")
    lines.append(f"{len(CASES)} files: {counts['read']} read right, {counts['clear error']} clear errors.")
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(table_of(Path(name)) + "\n")
