"""Small files of purchases, and the command line as tests call it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from custcore.cli._app import app

DAYS = [dt.date(2026, 1, day) for day in (5, 9, 12, 28, 30, 31)]


def sales(ids=("ann", "bob", "ann", "cleo", None, "dan"), amounts=(10.1, 25.0, 20.2, 99.9, 5.0, -3.0), **columns):
    """Six rows: one without an id, one refund of somebody who bought nothing."""
    table = {"customer_id": list(ids), "timestamp": DAYS[: len(ids)], "amount": list(amounts)}
    return pa.table(table | columns)


def save(table, path: Path) -> Path:
    """Write a table as its name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        start = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, start(sink, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the command line in a temporary folder; returns `.stdout`, `.stderr`, `.exit_code`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")

    def call(*words, code=0):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="custcore")
        assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
        assert "Traceback" not in result.stderr
        return result

    return call


@pytest.fixture
def run_json(run):
    """Call with --json; what stdout holds, which is one JSON object and nothing else."""

    def call(*words):
        result = run(*words, "--json")
        assert result.stderr == ""
        return json.loads(result.stdout)

    return call
