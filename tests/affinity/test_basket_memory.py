"""What baskets and their pairs take at the most, for each line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Buffers of two workers, which do not grow with the lines.
BUFFERS = 24 << 20
PEAK = """
import sys
import numpy as np
import pyarrow as pa
import custcore
from tests.peak_memory import peak, reset_peak

def rows(n):
    random = np.random.default_rng(7)
    items = (random.random(n) ** 2 * 10_000).astype(np.int32)
    basket = np.sort(random.integers(0, n // 10, n))
    day = np.datetime64("2026-01-01") + basket // (n // 100)
    columns = {"customer_id": basket // 20, "order": basket, "timestamp": day, "item": items, "amount": np.ones(n)}
    return pa.table(columns)

options = {"order_id": "order", "amount": "amount" if sys.argv[1] == "money" else None, "n_threads": 2}
custcore.pairs(rows(100_000), "item", **options)
data = rows(int(sys.argv[2]))
pa.default_memory_pool().release_unused()
before = reset_peak()
found = custcore.pairs(data, "item", min_item_baskets=100, min_pair_baskets=100, **options)
print((peak() - before) * 1024, found.num_rows)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize(("money", "limit"), [("money", 50), ("no money", 40)])
def test_bytes_of_pairs_by_line(money: str, limit: int) -> None:
    pytest.importorskip("pyarrow")
    lines = 4_000_000
    command = [sys.executable, "-c", PEAK, money, str(lines)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    taken, found = map(int, done.stdout.split())
    assert found > 100
    # 30 to 43 with amounts, 22 to 28 without: as threads happen to wait for each other.
    assert taken - BUFFERS < limit * lines, f"{taken / lines:.1f} bytes a line"
