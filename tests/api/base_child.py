"""What bases do in processes of their own: `python -m tests.api.base_child <what> <arguments>`."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import custcore
from tests.deadline import end_after


def generation(number: int, customers: int = 4000) -> custcore.CustomerBase:
    """One of two bases that differ in size and content, large enough for a save to take a while."""
    base = custcore.CustomerBase(track="days")
    n = customers * (1 + number)
    days = [date(2024, 1, 1) + timedelta(days=i % 50) for i in range(n)]
    ids = [i * 7 % (customers + 1) for i in range(n)]
    base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": [1.25 * (number + 1)] * n}))
    return base


def save_for_ever(path: str) -> None:
    """Write one base over the other until the end comes from outside."""
    bases = [generation(0), generation(1)]
    bases[0].save(path)
    print("ready", flush=True)
    number = 0
    while True:
        number = 1 - number
        bases[number].save(path)


def fold(source: str, target: str) -> None:
    """Fold a Parquet file into a base."""
    base = custcore.CustomerBase(track="days")
    base.update(pq.ParquetFile(source).iter_batches(), batch_id=Path(source).name)
    base.save(target)


def folded(source: str) -> custcore.CustomerBase:
    """The same, for a pool that sends the base home."""
    base = custcore.CustomerBase(track="days")
    base.update(pq.ParquetFile(source).iter_batches(), batch_id=Path(source).name)
    return base


if __name__ == "__main__":
    end_after(60)
    globals()[sys.argv[1]](*sys.argv[2:])
