"""Categories in a base: bytes of a cell, and seconds of preferences and of a model of the next category.

    python benches/python/categories.py --customers 10_000_000 --categories 30 --rows 300_000_000

Rows are made batch by batch: each customer prefers some categories, and buys the others now and then. It prints what
categories add to a base without them, by cell, and the peak of the process. Without a release build the seconds say
nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 1 << 20
MIB = 1 << 20
DAYS = 730


def batches(rows: int, customers: int, categories: int, *, seed: int = 7) -> Iterator[pa.RecordBatch]:
    """The rows, made while they are read."""
    for number, first in enumerate(range(0, rows, PIECE)):
        random = np.random.default_rng([seed, number])
        n = min(PIECE, rows - first)
        ids = random.integers(0, customers, n)
        near = (categories * random.random(n) ** 2).astype(np.int64)
        yield pa.record_batch(
            {
                "customer_id": ids,
                "timestamp": np.datetime64("2024-01-01", "D") + random.integers(0, DAYS, n),
                "amount": random.integers(-300, 20_000, n) / 100,
                "category": ((ids + near) % categories).astype(np.int32),
                "discount": random.random(n) < 0.3,
            }
        )


def peak() -> int:
    """Peak resident memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def built(asked: argparse.Namespace, **options: Any) -> tuple[float, Any]:
    import custcore

    base = custcore.CustomerBase(**options)
    seconds, _ = timed(lambda: base.update(batches(asked.rows, asked.customers, asked.categories)))
    return seconds, base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("customers", 1_000_000), ("categories", 30), ("rows", 10_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--max-memory", default=None, help="limit of the base, such as 2GiB")
    asked = parser.parse_args()

    import custcore

    seconds, plain = built(asked)
    print(f"base without categories: {seconds:.1f} s, {plain.nbytes / MIB:,.0f} MiB", flush=True)
    plain_bytes = plain.nbytes
    del plain
    figures: dict[str, Any] = {"customers": asked.customers, "rows": asked.rows, "plain_seconds": seconds}
    variants: dict[str, dict[str, Any]] = {
        "categories": {"categories": "category"},
        "promotion": {"categories": "category", "promotion": "discount"},
    }
    for name, options in variants.items():
        seconds, base = built(asked, **options, max_memory=asked.max_memory)
        read, found = timed(base.preferences)
        cells = found.num_rows
        del found
        per_cell = (base.nbytes - plain_bytes) / cells
        print(f"{name}: {seconds:.1f} s, {cells:,} cells of {per_cell:.1f} bytes, peak {peak() / MIB:,.0f} MiB")
        print(f"  preferences {read:.1f} s, breadth {timed(base.breadth)[0]:.1f} s", flush=True)
        figures[name] = {"seconds": seconds, "cells": cells, "bytes_per_cell": per_cell, "preferences": read}
        if name == "promotion":
            print(f"  promotion_sensitivity {timed(base.promotion_sensitivity)[0]:.1f} s", flush=True)
            continue
        fit, model = timed(lambda base=base: custcore.NextCategory().fit(base))
        recommend, _ = timed(lambda base=base, model=model: model.recommend(base, 5))
        print(f"  fit {fit:.1f} s, recommend {recommend:.1f} s", flush=True)
        figures[name] |= {"fit": fit, "recommend": recommend}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
