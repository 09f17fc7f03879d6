"""Money below the resolution: what rounding takes from an amount is in the report, under the name `rounded_amount`."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore

DAY = date(2026, 1, 5)


def table(amounts: list[float | None], kind: pa.DataType | None = None) -> pa.Table:
    n = len(amounts)
    return pa.table(
        {
            "customer_id": pa.array([row % 3 for row in range(n)], pa.int64()),
            "timestamp": pa.array([DAY] * n, pa.date32()),
            "amount": pa.array(amounts, kind or pa.float64()),
        }
    )


def noted(found: Any) -> tuple[int, Any, int | None]:
    entry = found.report["rounded_amount"]
    assert (entry.kind, entry.unit, entry.n_rows) == ("note", "rows", entry.count)
    return entry.count, entry.sum, entry.first_row


def test_amounts_that_vanish_are_noted() -> None:
    n = 100_000
    data = table([1.0, *[4e-7] * n])
    found = custcore.rfm(data)
    assert found.to_pyarrow()["monetary_total"].to_pylist() == [1.0, 0.0, 0.0]
    assert noted(found) == (n, float(n * Fraction(4, 10**7)), 1)
    assert any("amount_decimals" in remark and "100000" in remark for remark in found.report.remarks)
    finer = custcore.rfm(data, amount_decimals=9)
    assert sum(map(round, (1e9 * total for total in finer.to_pyarrow()["monetary_total"].to_pylist()))) == 1_040_000_000
    assert noted(finer) == (0, 0.0, None)
    assert not any("amount_decimals" in remark for remark in finer.report.remarks)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([0.0, -0.0, 0.01, 1e-6, 1e9], (0, 0.0, None)),
        ([0.01, 5e-7, 1.5e-6], (2, 0.0, 1)),  # ties to even: one to 0, one to 0.000002
        ([6e-7, 6e-7], (2, -8e-7, 0)),  # rounded up
        ([-4e-7], (1, -4e-7, 0)),
        ([None, float("nan"), 4e-7], (1, 4e-7, 2)),
        ([0.1 + 0.2 - 0.3, 1e-300, 4e-13], (0, 0.0, None)),  # the noise of float arithmetic
        ([1.0000004, 12.3456789], (0, 0.0, None)),  # less than 1 %
    ],
)
def test_what_rounding_takes(amounts: list[float | None], expected: tuple[int, float, int | None]) -> None:
    assert noted(custcore.rfm(table(amounts))) == expected


def test_other_types_of_money_lose_nothing() -> None:
    assert noted(custcore.rfm(table([1, 2], pa.int32()))) == (0, 0, None)
    assert custcore.rfm(table([1, 2], pa.int32()), amount=None).report["rounded_amount"].sum is None
    assert noted(custcore.rfm(table([0.125], pa.float32()), amount_decimals=1)) == (1, 0.025, 0)


@given(
    amounts=st.lists(
        st.one_of(st.floats(-1e-4, 1e-4), st.floats(-1e3, 1e3), st.sampled_from([0.0, 4e-7])), max_size=60
    ),
    decimals=st.integers(0, 9),
)
def test_result_and_note_are_the_amounts(amounts: list[float], decimals: int) -> None:
    found = custcore.rfm(table(amounts), amount_decimals=decimals, returns="count")
    unit = Fraction(1, 10**decimals)
    scaled = [amount * 10.0**decimals for amount in amounts]
    pairs = zip(amounts, scaled, strict=True)
    coarse = [(x, round(x)) for amount, x in pairs if abs(x - round(x)) > 0.01 * abs(x) and abs(amount) >= 5e-13]
    count, total, _ = noted(found)
    assert count == len(coarse)
    expected = sum((Fraction(x) - read) * unit for x, read in coarse)
    assert total == pytest.approx(float(expected), rel=1e-9, abs=1e-15)
    kept = sum(map(Fraction, found.to_pyarrow()["monetary_total"].to_pylist()))
    assert float(kept) == pytest.approx(float(sum(round(x) for x in scaled) * unit), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("rows", [3_000, 70_000])
def test_every_path_notes_the_same(rows: int) -> None:
    rng = np.random.default_rng(1)
    amounts = np.where(rng.random(rows) < 0.01, 3e-7, np.round(rng.random(rows) * 100, 2))
    data = pa.table(
        {
            "customer_id": rng.integers(0, 10**9, rows),
            "timestamp": pa.array(rng.integers(19_000, 19_400, rows).astype("int32"), pa.date32()),
            "amount": amounts,
            "order": rng.integers(0, rows // 2, rows),
        }
    )
    small = np.flatnonzero(amounts == 3e-7)
    expected = (len(small), float(len(small) * Fraction(3, 10**7)), int(small[0]))
    for threads in (1, 3):
        assert noted(custcore.rfm(data, n_threads=threads)) == expected
        assert noted(custcore.rfm(data.to_batches(max_chunksize=777), n_threads=threads)) == expected
        assert noted(custcore.rfm(data, order_id="order", n_threads=threads)) == expected
        assert noted(custcore.cohort_retention(data, amount="amount", n_threads=threads)) == expected


def test_bases_keep_the_note() -> None:
    base = custcore.CustomerBase(track="days")
    base.update(table([4e-7, 1.0]))
    later = table([4e-7, 4e-7]).set_column(1, "timestamp", pa.array([date(2026, 2, 1)] * 2))
    base.update(later)
    assert noted(base.rfm()) == (3, 1.2e-6, 0)
    assert noted(base.rfm(DAY)) == (1, 4e-7, 0)
    again = custcore.CustomerBase.from_bytes(base.to_bytes())
    assert noted(again.rfm()) == (3, 1.2e-6, None)
    assert noted(again.rfm(DAY)) == (1, 4e-7, None)
    other = custcore.CustomerBase(track="days")
    other.update(table([4e-7]))
    again.merge(other)
    assert noted(again.rfm())[:2] == (4, 1.6e-6)
