"""Bases of composite keys whose customers are on disk give the results and the file of a base in memory."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore

KEY = ["country", "customer_id"]
DATES = ["2025-03-01", "2025-06-01", "2025-09-01"]
ROWS = 8_000


def orders() -> pa.Table:
    rng = np.random.default_rng(7)
    return pa.table(
        {
            "country": pa.array(rng.choice(["DE", "FR", "", "é"], ROWS)),
            "customer_id": rng.integers(-9, 1_200, ROWS),
            "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 300, ROWS),
            "amount": rng.integers(-3, 99, ROWS) / 4,
            "order": rng.integers(0, 4_000, ROWS),
        }
    )


def check_equal(in_memory: custcore.CustomerBase, on_disk: custcore.CustomerBase) -> None:
    assert on_disk.to_bytes() == in_memory.to_bytes()
    assert on_disk.rfm().to_pyarrow().equals(in_memory.rfm().to_pyarrow())
    assert (len(on_disk), on_disk.report) == (len(in_memory), in_memory.report)


@pytest.mark.parametrize("level", ["totals", "days", "orders"])
def test_results_and_files_are_those_of_a_base_in_memory(level: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"track": level, "customer_id": KEY}
    if level == "orders":
        options["order_id"] = ["country", "order"]
    in_memory = custcore.CustomerBase(**options)
    on_disk = custcore.CustomerBase(**options, max_memory="1MiB", spill_dir=tmp_path)
    table = orders()
    for start in range(0, ROWS, ROWS // 4):
        piece = table.slice(start, ROWS // 4)
        in_memory.update(piece)
        on_disk.update(piece)
        on_disk._core.spill()
    assert on_disk.nbytes_on_disk > 0
    check_equal(in_memory, on_disk)
    if level != "totals":
        cohorts = [base.cohort_retention().to_table().to_pyarrow() for base in (in_memory, on_disk)]
        assert cohorts[0].equals(cohorts[1])
        moves = [base.transitions(DATES, custcore.RFMScorer()).to_pyarrow() for base in (in_memory, on_disk)]
        assert moves[0].equals(moves[1])
    on_disk.save(tmp_path / "base")
    for again in (custcore.CustomerBase.load(tmp_path / "base"), pickle.loads(pickle.dumps(on_disk))):
        # Files do not store row numbers, which reports name.
        check_equal(custcore.CustomerBase.from_bytes(in_memory.to_bytes()), again)
    for base in (in_memory, on_disk):
        base.relabel({("DE", 5): ("DE", 2**40), ("FR", 6): ("zz", 1)})
        assert base.remove([("é", 7), ("é", 10**6)]) == 1
    check_equal(in_memory, on_disk)
    if level == "orders":
        in_memory.seal("2025-05-01")
        on_disk.seal("2025-05-01")
        check_equal(in_memory, on_disk)
