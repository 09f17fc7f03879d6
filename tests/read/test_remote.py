"""Files behind URLs: HTTP by a server of this process, and the file system in memory of fsspec."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.errors import FileFormatError, InvalidArgumentError

fsspec = pytest.importorskip("fsspec")

TEXT = "customer_id,timestamp,amount\nann,2026-01-05,1.5\nbob,2026-01-06,2.25\n"
DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=i % 90) for i in range(50_000)]
TABLE = pa.table(
    {"customer_id": list(range(50_000)), "timestamp": DAYS, "amount": [1.0] * 50_000, "note": ["x" * 99] * 50_000}
)


def parquet():
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, row_group_size=5_000, compression="none", use_dictionary=False)
    return sink.getvalue()


@pytest.fixture(scope="module")
def server():
    files = {
        "/sales.csv": TEXT.encode(),
        "/sales.csv.gz": gzip.compress(TEXT.encode()),
        "/sales.parquet": parquet(),
        "/page.csv": b"<html></html>",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, *, body):
            data = files.get(self.path.split("?")[0])
            if data is None:
                self.send_error(404)
                return
            first, last = re.fullmatch(r"(?:bytes=(\d+)-(\d+))?", self.headers.get("Range") or "").groups()
            if first is not None:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
                data = data[int(first) : int(last) + 1]
            else:
                self.send_response(200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data) + (10 if self.path == "/sales.csv?cut" else 0)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(params=["fsspec", "no library"])
def way(request, monkeypatch):
    """By fsspec, which needs aiohttp for HTTP, and without it."""
    if request.param == "fsspec":
        pytest.importorskip("aiohttp")
    else:
        monkeypatch.setattr("custcore._read.remote._has_http", lambda: False)


@pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz", "sales.csv?version=2"])
def test_files_by_http(server, way, name):
    assert custcore.rfm(custcore.read(f"{server}/{name}")).to_pyarrow()["monetary_total"].to_pylist() == [1.5, 2.25]


def test_parquet_by_http(server, way):
    source = custcore.read(f"{server}/sales.parquet", where="customer_id >= 49000")
    assert custcore.rfm(source).num_rows == 1000


def test_what_http_has_not(server, way):
    with pytest.raises(FileNotFoundError):
        custcore.read(f"{server}/nope.csv")
    with pytest.raises(InvalidArgumentError, match="cannot be opened"):
        custcore.read("http://127.0.0.1:9/nope.csv")
    with pytest.raises(FileFormatError, match="HTML"):
        custcore.read(f"{server}/page.csv")


def test_an_answer_that_is_cut_off(server, monkeypatch):
    monkeypatch.setattr("custcore._read.remote._has_http", lambda: False)
    with pytest.raises(FileFormatError, match="not received whole: 10 bytes are missing"):
        custcore.read(f"{server}/sales.csv?cut")


def test_conditions_skip_row_groups_of_remote_parquet(monkeypatch):
    with fsspec.open("memory://remote/sales.parquet", "wb") as sink:
        sink.write(parquet())
    read = []
    source = custcore.read("memory://remote/sales.parquet", where="customer_id >= 49000")
    opener = source._files[0].place.opener

    class Counted(io.RawIOBase):
        def __init__(self):
            super().__init__()
            self._raw = opener()

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, *where):
            return self._raw.seek(*where)

        def tell(self):
            return self._raw.tell()

        def readinto(self, buffer):
            part = self._raw.read(len(buffer))
            read.append(len(part))
            buffer[: len(part)] = part
            return len(part)

    object.__setattr__(source._files[0].place, "opener", Counted)
    assert source.table(["customer_id"])["customer_id"].to_pylist() == list(range(49_000, 50_000))
    assert sum(read) < len(parquet()) / 20
