"""Malformed Arrow ends in ArrowImportError, never in a signal: each case in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interop.malformed_cases import COLUMNS, WHOLE, Case

ROOT = Path(__file__).parents[2]


def child(name: str, protocol: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.interop.malformed_child", name, protocol]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[-2000:]}"
    return json.loads(done.stdout)


def check(found: dict[str, Any], case: Case) -> None:
    assert found["outcome"] in case.outcomes, found
    if found["outcome"] == "ok":
        return
    assert found["is_value_error"]
    assert case.says in found["message"]
    if case.column:
        assert found["column"] == case.column
        assert case.column in found["message"]
        assert found["row"] in case.rows
        assert str(found["row"]) in found["message"]


@pytest.mark.parametrize("protocol", ["stream", "array"])
@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name: str, protocol: str) -> None:
    found = child(name, protocol)
    check(found, COLUMNS[name])
    expected = {"schema": 1, "array": 1} | ({"stream": 1} if protocol == "stream" else {})
    released = {kind: n for kind, n in found["released"].items() if not kind.startswith("inner")}
    if "array" not in released and found["outcome"] != "ok":
        expected.pop("array")  # refused by its schema: the batch was never asked for
    assert released == expected
    if protocol == "stream":
        assert found["again"] == "ArrowImportError"  # the capsule is spent


@pytest.mark.parametrize("name", WHOLE)
def test_whole_tables(name: str) -> None:
    check(child(name, "whole"), WHOLE[name])


@pytest.mark.parametrize("library", ["pyarrow", "nanoarrow"])
def test_a_spent_stream_says_so(library: str) -> None:
    lib, custcore = pytest.importorskip(library), pytest.importorskip("custcore")
    pa = pytest.importorskip("pyarrow")
    batch = pa.record_batch({"customer_id": ["a"], "timestamp": pa.array([0], pa.date32()), "amount": [1.0]})
    reader = pa.RecordBatchReader.from_batches(batch.schema, [batch])
    if library == "nanoarrow":
        reader = lib.c_array_stream(reader)
    assert custcore.rfm(reader).num_rows == 1
    # nanoarrow refuses to hand it over a second time, and that is the user's answer too
    refusal = RuntimeError if library == "nanoarrow" else custcore.errors.ArrowImportError
    with pytest.raises(refusal, match=r"already|released"):
        custcore.rfm(reader)
