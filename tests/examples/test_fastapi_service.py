"""`examples/fastapi_service`: started as its README says, asked by a real client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "examples" / "fastapi_service"


def customers(n: int) -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "customer_id": np.arange(n),
            "recency_days": rng.integers(0, 365, n),
            "n_orders": rng.integers(1, 20, n),
            "monetary_total": np.round(rng.lognormal(4, 1, n), 2),
        }
    )


@pytest.fixture(scope="module")
def scorer() -> custcore.RFMScorer:
    return custcore.RFMScorer().fit(customers(1_000))


@pytest.fixture(scope="module")
def client(scorer: custcore.RFMScorer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    model = tmp_path_factory.mktemp("model") / "scorer.json"
    scorer.save(model)
    command = [
        sys.executable,
        "-c",
        "import faulthandler, uvicorn; faulthandler.dump_traceback_later(280, exit=True); uvicorn.main()",
        "--app-dir",
        str(SERVICE),
        "app:app",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    paths = os.pathsep.join([str(ROOT / "python"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"CUSTCORE_MODEL": str(model), "PYTHONPATH": paths}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stderr is not None
            said = []
            address = None
            for line in server.stderr:
                said.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    address = found[0]
                    break
            assert address is not None, "".join(said)
            # Asked directly, whatever proxy the environment names.
            with httpx.Client(base_url=address, trust_env=False, timeout=30) as asking:
                yield asking
        finally:
            server.terminate()
            server.communicate(timeout=30)


def ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    return sink.getvalue().to_pybytes()


def test_one_customer(client: Any, scorer: custcore.RFMScorer) -> None:
    for row in customers(50).to_pylist():
        asked = {"recency_days": row["recency_days"], "frequency": row["n_orders"], "monetary": row["monetary_total"]}
        answer = client.post("/score", json=asked)
        assert answer.status_code == 200
        expected = scorer.score_one(*asked.values())
        assert tuple(answer.json().values()) == expected


def test_a_batch(client: Any, scorer: custcore.RFMScorer) -> None:
    table = customers(1_234)
    answer = client.post("/score_batch", content=ipc(table))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    scored = pa.ipc.open_stream(answer.content).read_all()
    assert scored.equals(scorer.transform(table).to_pyarrow())


def test_bad_requests(client: Any) -> None:
    for asked in ({}, {"recency_days": "x", "frequency": 1, "monetary": 2}, {"recency_days": 1, "frequency": 1}):
        assert client.post("/score", json=asked).status_code == 422
    for number in ("1e999", "NaN", "-Infinity", '"x"', "9" * 400):
        for name in ("recency_days", "frequency", "monetary"):
            values = {"recency_days": "1", "frequency": "1", "monetary": "1.0"} | {name: number}
            body = "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}"
            answer = client.post("/score", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 422, body
            assert name in answer.text
    whole = ipc(customers(10))
    for body in (b"", b"PAR1", whole[:40], b"\xff" * 100):
        assert client.post("/score_batch", content=body).status_code == 400
    answer = client.post("/score_batch", content=ipc(customers(10).drop_columns(["n_orders"])))
    assert answer.status_code == 422
    assert "n_orders" in answer.json()["detail"]
    # Offsets that point nowhere.
    text = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 900, 1], "int32")), pa.py_buffer(b"ab")]
    )
    broken = pa.table({"customer_id": text, "recency_days": [1, 2], "n_orders": [1, 2], "monetary_total": [1.0, 2.0]})
    assert client.post("/score_batch", content=ipc(broken)).status_code == 400


def test_changed_batches_are_bad_requests(client: Any) -> None:
    whole = ipc(customers(300).append_column("segment", pa.array(["a", "b", "c"] * 100).dictionary_encode()))
    rng = np.random.default_rng(5)
    found = set()
    for _ in range(300):
        changed = bytearray(whole)
        # Most of what matters, the schema and the first message, comes first.
        changed[rng.integers(0, rng.choice([800, len(whole)]))] = rng.integers(0, 256)
        found.add(client.post("/score_batch", content=bytes(changed)).status_code)
    assert found <= {200, 400, 422}
    assert 400 in found


def test_many_clients_at_once(client: Any, scorer: custcore.RFMScorer) -> None:
    rows = customers(200).to_pylist()

    def ask(row: dict[str, Any]) -> tuple[Any, ...]:
        asked = {"recency_days": row["recency_days"], "frequency": row["n_orders"], "monetary": row["monetary_total"]}
        return tuple(client.post("/score", json=asked).json().values())

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, rows))
    assert found == [scorer.score_one(r["recency_days"], r["n_orders"], r["monetary_total"]) for r in rows]
