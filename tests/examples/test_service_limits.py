"""`examples/fastapi_service` under bodies that are too large, clients that stall, too many of them, and signals."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.examples.serving import ARROW, LIST, ROOT, SERVICE, Server, customers, ipc, question, rest, serving

httpx = pytest.importorskip("httpx")

MIB = 1 << 20
HEAD = f"POST {ARROW} HTTP/1.1\r\nhost: here\r\n".encode()


@pytest.fixture(scope="module")
def strict(model: Path) -> Iterator[Server]:
    """A server with little patience and small limits."""
    settings = {
        "head_timeout": 0.6,
        "read_timeout": 0.6,
        "upload_timeout": 1.5,
        "send_timeout": 0.6,
        "max_arrow_bytes": "1MiB",
    }
    with serving(model, **settings) as server:
        yield server


def waited(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def zeros(size: int) -> Iterator[bytes]:
    """A body without Content-Length."""
    for _ in range(size // 65_536):
        yield bytes(65_536)


@pytest.mark.parametrize(("path", "size"), [("/score", 5_000), (LIST, 5 * MIB), (ARROW, 65 * MIB)])
def test_too_large(client: Any, path: str, size: int) -> None:
    answer = client.post(path, content=b" " * size, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "larger than" in answer.json()["detail"]


def test_too_large_without_a_length(server: Server, client: Any) -> None:
    answer = client.post(ARROW, content=zeros(70 * MIB))
    assert answer.status_code == 413
    before = server.peak
    # Some bytes more than are read at once.
    assert client.post("/score", content=zeros(40 * MIB)).status_code == 413
    assert server.peak - before < 20 * MIB


def test_an_announced_size_is_not_waited_for(server: Server) -> None:
    start = time.monotonic()
    answer = server.raw(HEAD + b"connection: close\r\ncontent-length: 99999999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - start < 5


def test_too_many_customers(client: Any) -> None:
    answer = client.post(LIST, json=[{"recency_days": 1, "frequency": 1, "monetary": 1}] * 10_001)
    assert answer.status_code == 413
    assert "10,001" in answer.json()["detail"]


def test_a_body_that_stalls(strict: Server) -> None:
    answer = strict.raw(HEAD + b"content-length: 100\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"3 bytes of it did" in answer


def test_a_body_that_drips(strict: Server) -> None:
    """Each byte comes in time, all of them do not."""
    start = time.monotonic()
    with strict.connect() as connection:
        connection.sendall(HEAD + b"content-length: 100000\r\n\r\n")
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(rest(connection)))
        reader.start()
        while reader.is_alive() and time.monotonic() - start < 20:
            try:
                connection.sendall(b"a")
            except OSError:
                break
            time.sleep(0.1)
        reader.join(10)
    assert answer[0].startswith(b"HTTP/1.1 408 ")
    assert 1 < time.monotonic() - start < 15


def test_a_head_that_does_not_end(strict: Server) -> None:
    for head in (b"", b"POST /score HTTP/1.1\r\nhost: "):
        assert strict.raw(head).startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_is_not_read(model: Path) -> None:
    """It keeps a place for a batch until it is given up; then the next one is served."""
    body = ipc(customers(400_000))
    with serving(model, max_batches=1, batch_timeout=20, send_timeout=1) as server:
        with server.connect() as stalled:
            stalled.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
            stalled.recv(1_000)
            with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
                assert client.post(ARROW, content=ipc(customers(10))).status_code == 200
        waited(lambda: [json.loads(line)["path"] for line in server.access].count(ARROW) == 2)


def test_a_client_that_leaves(strict: Server) -> None:
    with strict.connect() as connection:
        connection.sendall(HEAD + b"content-length: 100\r\n\r\nabc")
    with httpx.Client(base_url=strict.address, trust_env=False) as client:
        assert client.get("/health").json()["status"] == "ready"
    assert not any("Traceback" in line for line in strict.log)


def test_too_many_batches(model: Path) -> None:
    body = ipc(customers(500_000))
    with serving(model, max_batches=1, batch_timeout=0.05) as server:
        with (
            httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            answers = list(pool.map(lambda _: client.post(ARROW, content=body), range(8)))
        found = {answer.status_code for answer in answers}
        assert found == {200, 503}
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)


def test_too_many_bodies(model: Path) -> None:
    with serving(model, max_upload_bytes="3MiB") as server, server.connect() as slow:
        slow.sendall(HEAD + b"content-length: %d\r\n\r\n" % (4 * MIB) + bytes(5 * MIB // 2))
        time.sleep(0.5)
        with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
            assert client.post(ARROW, content=bytes(MIB)).status_code == 503
            slow.close()
            # What the other one held is free again.
            waited(lambda: client.post(ARROW, content=bytes(MIB)).status_code == 400)


def test_too_many_connections(model: Path) -> None:
    with serving(model, max_connections=4) as server:
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(server.connect())
            assert server.raw(b"GET /health HTTP/1.1\r\nhost: here\r\n\r\n").startswith(b"HTTP/1.1 503 ")
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            waited(lambda: client.get("/health").status_code == 200)


def test_health(client: Any, model: Path, scorer: custcore.RFMScorer) -> None:
    assert client.get("/health/live").json() == {"status": "alive"}
    answer = client.get("/health")
    assert answer.status_code == 200
    about = answer.json()["model"]
    assert about["customers"] == 1_000
    assert about["custcore"] == custcore.__version__
    # Nobody noted the fit of this one.
    assert about["fitted_at"] is about["as_of"] is about["trained_on"] is None
    assert "scorer.json.about" in about["unknown"]


def test_the_access_log(server: Server, client: Any) -> None:
    answer = client.post("/score?secret=1", json={"recency_days": -1}, headers={"x-request-id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    forged = client.get("/health/live", headers={"x-request-id": 'a"b'})
    assert len(forged.headers["x-request-id"]) == 32
    waited(lambda: any("abc-1" in line for line in server.access))
    [line] = [json.loads(line) for line in server.access if "abc-1" in line]
    assert (line["method"], line["path"], line["status"], line["bytes_in"]) == ("POST", "/score", 422, 19)
    assert not any("secret" in line for line in server.access)


def test_requests_are_answered_before_the_end(model: Path) -> None:
    body = ipc(customers(500_000))
    with serving(model) as server:
        with (
            httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            answer = pool.submit(client.post, ARROW, content=body)
            time.sleep(0.15)
            server.process.terminate()
            assert pa.ipc.open_stream(answer.result().content).read_all().num_rows == 500_000
        # uvicorn raises the signal again when all is done.
        assert server.process.wait(30) == -signal.SIGTERM
        waited(lambda: any("Application shutdown complete" in line for line in server.log))


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a signal of Unix")
def test_a_new_model(tmp_path: Path) -> None:
    path = tmp_path / "scorer.json"
    first, second = (custcore.RFMScorer(bins).fit(customers(500)) for bins in (5, 3))
    first.save(path)
    row = question(customers(500).to_pylist()[1])
    with serving(path) as server, httpx.Client(base_url=server.address, trust_env=False) as client:

        def after_reload(seen: str) -> dict[str, Any]:
            server.process.send_signal(signal.SIGHUP)
            waited(lambda: any(seen in line for line in server.log))
            return dict(client.get("/health").json())

        second.save(path)
        health = after_reload("loaded again")
        assert health["model"]["bins"] == 3
        assert tuple(client.post("/score", json=row).json().values()) == second.score_one(*row.values())
        path.write_bytes(b"{}")
        health = after_reload("not loaded again")
        # The model in use stays, and it is told.
        assert health["status"] == "ready"
        assert health["model"]["bins"] == 3
        assert health["reload_error"]
        assert client.post("/score", json=row).status_code == 200


def test_a_start_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="absent"), serving(tmp_path / "absent.json"):
        pass


def test_the_model_that_train_makes(tmp_path: Path) -> None:
    lines = ["customer,day,quantity,price", *(f"{n % 40},2026-01-{1 + n % 20:02},{1 + n % 3},2.5" for n in range(400))]
    (tmp_path / "lines.csv").write_text("\n".join(lines))
    path = tmp_path / "scorer.json"
    names = ["--customer-id", "customer", "--timestamp", "day", "--amount", "quantity * price", "--as-of", "2026-02-01"]
    paths = os.pathsep.join([str(ROOT / "python"), *filter(None, [os.environ.get("PYTHONPATH")])])
    subprocess.run(
        [sys.executable, SERVICE / "train.py", tmp_path / "lines.csv", path, *names],
        env=os.environ | {"PYTHONPATH": paths},
        check=True,
        capture_output=True,
    )
    expected = custcore.RFMScorer().fit(
        custcore.rfm(
            custcore.read(tmp_path / "lines.csv"),
            customer_id="customer",
            timestamp="day",
            amount="quantity * price",
            as_of="2026-02-01",
        )
    )
    assert custcore.RFMScorer.load(path) == expected
    with serving(path) as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        about = client.get("/health").json()["model"]
        assert about["as_of"] == "2026-02-01"
        assert about["trained_on"] == {"file": "lines.csv", "rows": 400}
        assert about["customers"] == 40
        assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(about["fitted_at"])
        assert datetime.timedelta(seconds=-2) < age < datetime.timedelta(minutes=5)
        # Another model without its own description: what is noted is not true of it.
        custcore.RFMScorer(4).fit(customers(30)).save(path)
        server.process.send_signal(signal.SIGHUP)
        waited(lambda: client.get("/health").json()["model"]["customers"] == 30)
        about = client.get("/health").json()["model"]
        assert about["as_of"] is about["fitted_at"] is None
        assert "another model" in about["unknown"]
