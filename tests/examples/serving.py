"""Starts `examples/fastapi_service` as its README says, for tests that ask it over the network."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "examples" / "fastapi_service"
ARROW = "/score_batch/arrow"
LIST = "/score_batch/json"


@dataclass
class Server:
    process: subprocess.Popen[str]
    address: str
    log: list[str] = field(default_factory=list)
    access: list[str] = field(default_factory=list)

    @property
    def peak(self) -> int:
        """Peak memory so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024

    def connect(self) -> socket.socket:
        host, port = self.address.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def raw(self, *parts: bytes) -> bytes:
        """What a connection answers to these bytes until it is closed."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return rest(connection)


def rest(connection: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            found += part
    return found


@contextlib.contextmanager
def serving(model: Path, **settings: Any) -> Iterator[Server]:
    paths = os.pathsep.join([str(ROOT / "python"), str(SERVICE), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": paths, "RFM_SETTING_MODEL": str(model), "RFM_SETTING_PORT": "0"}
    environment |= {f"RFM_SETTING_{name.upper()}": str(value) for name, value in settings.items()}
    # Ends by itself if the tests are killed.
    ends = "import faulthandler; faulthandler.dump_traceback_later(280, exit=True)"
    start = f"{ends}; import rfm_service.__main__ as service; service.main()"
    with subprocess.Popen(
        [sys.executable, "-c", start], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        threads: list[threading.Thread] = []
        try:
            server = Server(process, "")
            for line in process.stderr:
                server.log.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    server.address = found[0]
                    break
            assert server.address, "".join(server.log)
            threads = [
                threading.Thread(target=kept.extend, args=(stream,), daemon=True)
                for kept, stream in ((server.log, process.stderr), (server.access, process.stdout))
            ]
            for thread in threads:
                thread.start()
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)
            for thread in threads:
                thread.join(timeout=10)


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


def ipc(table: pa.Table, chunk: int = 100_000, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=chunk)
    return sink.getvalue().to_pybytes()


def question(row: dict[str, Any]) -> dict[str, Any]:
    return {"recency_days": row["recency_days"], "frequency": row["n_orders"], "monetary": row["monetary_total"]}
