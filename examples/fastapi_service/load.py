"""Load the service with good, malformed and oversized requests at once, and print what came back.

python load.py http://127.0.0.1:8000 --connections 16 --seconds 20 --pid "$(pgrep -f rfm_service)"
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa


@dataclass
class Kind:
    """A kind of request: how often, and what has to come back."""

    weight: int
    path: str
    body: Callable[[], dict[str, Any]]
    expected: int
    took: list[float] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Ask for some seconds over some connections; the exit code is 1 if anything else than expected came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pid", type=int, help="of the server on this machine, to tell its peak memory")
    parser.add_argument("--only", help="one kind of request")
    asked = parser.parse_args()
    kinds = requests()
    if asked.only:
        kinds = {asked.only: kinds[asked.only]}
    elapsed = asyncio.run(load(asked.address, kinds, asked.connections, asked.seconds))
    print(f"{'request':<18} {'expected':>8} {'count':>8} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}  other answers")
    for name, kind in kinds.items():
        good = kind.found.pop(str(kind.expected), 0)
        if len(kind.took) > 1:
            cuts = statistics.quantiles(kind.took, n=100, method="inclusive")
            times = f"{cuts[49]:8.1f} {cuts[98]:8.1f} {max(kind.took):8.1f}"
            print(f"{name:<18} {kind.expected:>8} {good:>8,} {times}  {dict(kind.found) or '-'}")
    total = sum(len(kind.took) for kind in kinds.values())
    errors = sum(sum(kind.found.values()) for kind in kinds.values())
    print(f"{total:,} requests in {elapsed:.1f} s over {asked.connections} connections: {total / elapsed:,.0f}/s")
    print(f"{errors} errors")
    if asked.pid:
        status = Path(f"/proc/{asked.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s*(\d+) kB", status)
        print(f"peak memory of the server: {int(peak[1]) / 1024:,.0f} MiB" if peak else "no peak memory")
    return 1 if errors else 0


def requests() -> dict[str, Kind]:
    """The kinds of requests, and bodies that are made once."""
    table = customers(20_000)
    whole = ipc(table)
    zeros = pa.nulls(1_000_000, pa.int64()).fill_null(0)
    bomb = ipc(pa.table({f"c{number}": zeros for number in range(100)}), compression="zstd")
    customer = {"recency_days": 3, "frequency": 7, "monetary": 250.0}
    some = [customer | {"recency_days": number} for number in range(100)]
    arrow = "/score_batch/arrow"
    return {
        "score": Kind(800, "/score", lambda: {"json": customer | {"recency_days": random.randrange(365)}}, 200),  # noqa: S311
        "list of 100": Kind(50, "/score_batch/json", lambda: {"json": some}, 200),
        "table of 20,000": Kind(50, arrow, lambda: {"content": whole}, 200),
        "bad value": Kind(40, "/score", lambda: {"json": customer | {"frequency": 0}}, 422),
        "no JSON": Kind(20, "/score", lambda: {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        "table cut off": Kind(20, arrow, lambda: {"content": whole[: random.randrange(len(whole))]}, 400),  # noqa: S311
        "compressed bomb": Kind(15, arrow, lambda: {"content": bomb}, 413),
        "too large": Kind(5, arrow, lambda: {"content": endless()}, 413),
    }


async def load(address: str, kinds: dict[str, Kind], connections: int, seconds: float) -> float:
    """Ask over all connections until the time is over."""
    names, weights = list(kinds), [kind.weight for kind in kinds.values()]
    start = time.perf_counter()

    async def ask(client: httpx.AsyncClient) -> None:
        while time.perf_counter() - start < seconds:
            kind = kinds[random.choices(names, weights)[0]]  # noqa: S311
            asked = kind.body()
            began = time.perf_counter()
            try:
                answer = await client.post(kind.path, **asked)
                kind.found[str(answer.status_code)] += 1
            except httpx.HTTPError as error:
                kind.found[type(error).__name__] += 1
            kind.took.append(1_000 * (time.perf_counter() - began))

    # Asked directly, whatever proxy the environment names.
    limits = httpx.Limits(max_connections=1)
    async with asyncio.TaskGroup() as group:
        clients = [
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=60, limits=limits) for _ in range(connections)
        ]
        for client in clients:
            group.create_task(ask(client))
    for client in clients:
        await client.aclose()
    return time.perf_counter() - start


async def endless() -> AsyncIterator[bytes]:
    """A body that does not say how large it is."""
    chunk = bytes(1 << 20)
    for _ in range(100):
        yield chunk


def customers(n: int) -> pa.Table:
    """An RFM table."""
    some = random.Random(1)  # noqa: S311
    return pa.table(
        {
            "customer_id": list(range(n)),
            "recency_days": [some.randrange(365) for _ in range(n)],
            "n_orders": [some.randrange(1, 20) for _ in range(n)],
            "monetary_total": [round(some.lognormvariate(4, 1), 2) for _ in range(n)],
        }
    )


def ipc(table: pa.Table, **options: Any) -> bytes:  # noqa: ANN401 (of pyarrow)
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


if __name__ == "__main__":
    sys.exit(main())
