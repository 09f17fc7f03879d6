"""How long the service takes to answer: ``python latency.py http://127.0.0.1:8000 [requests]``."""

from __future__ import annotations

import statistics
import sys
import time

import httpx


def main() -> None:
    """Ask for one customer after the other over one connection, and print the quantiles."""
    address = sys.argv[1]
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    took = []
    with httpx.Client(base_url=address, trust_env=False) as client:
        for number in range(requests + 200):
            customer = {"recency_days": number % 365, "frequency": 1 + number % 9, "monetary": 0.5 * (number % 999)}
            start = time.perf_counter()
            client.post("/score", json=customer).raise_for_status()
            took.append(1_000 * (time.perf_counter() - start))
    # The first ones warm up.
    took = took[200:]
    cuts = statistics.quantiles(took, n=100)
    rate = 1_000 / statistics.mean(took)
    print(f"{requests:,} requests: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, {rate:,.0f}/s")


if __name__ == "__main__":
    main()
