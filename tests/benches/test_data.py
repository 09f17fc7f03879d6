"""The generator of the benches: ids of every kind, the same rows however they are cut into batches."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa
import pytest

from benches.data import DAYS, GAPS, ID_KINDS, Ids, purchases
from benches.python.bench_days import DaysCase, customer_days


@pytest.mark.parametrize("ids", ID_KINDS)
def test_every_customer_has_one_id(ids):
    rows = purchases(4_000, 400, ids=ids)
    assert len(rows["customer_id"].unique()) == 400


@pytest.mark.parametrize("ids", ID_KINDS)
def test_batches_do_not_change_the_rows(ids):
    kinds = purchases(3_000, 300, ids=ids), purchases(3_000, 300, ids=ids, chunk_rows=777)
    assert kinds[1]["customer_id"].num_chunks == 4
    assert kinds[0].to_pylist() == kinds[1].to_pylist()


@pytest.mark.parametrize(("ids", "gap"), GAPS.items())
def test_every_nth_id_is_used(ids, gap):
    assert Ids(ids, 5)(np.arange(5)).to_pylist() == [1 + gap * code for code in range(5)]


def test_random_gaps_are_seven_wide_on_average():
    found = Ids("gaps", 20_000)(np.arange(20_000)).to_numpy()
    gaps = np.diff(found)
    assert gaps.min() == 1
    assert gaps.max() > 30
    assert found[-1] / 20_000 == pytest.approx(7, rel=0.05)


def test_uuids_are_random_ones_in_lower_case():
    found = Ids("uuid", 5_000)(np.arange(5_000)).to_pylist()
    assert all(str(read := uuid.UUID(text)) == text and read.version == 4 for text in found)
    assert all(read.variant == uuid.RFC_4122 for read in map(uuid.UUID, found))
    # Random places have all digits about equally often: no id tells its code.
    digits = np.array([list(text.replace("-", "")) for text in found])
    free = [place for place in range(32) if place not in (12, 16)]
    shares = np.array([np.mean(digits[:, free] == digit, axis=0) for digit in "0123456789abcdef"])
    assert shares.min() > 0.04
    assert shares.max() < 0.09


@pytest.mark.parametrize("customers", [1_000, 30])
def test_days_are_customer_days(customers):
    case = DaysCase(22 * DAYS, customers, "gap2")
    rows = customer_days(case)
    day = rows["timestamp"].cast(pa.date32(), safe=False)
    pairs = pa.table([rows["customer_id"], day], ["customer", "day"])
    assert pairs.group_by(["customer", "day"], use_threads=False).aggregate([]).num_rows == rows.num_rows == case.rows
    counts = day.combine_chunks().value_counts().field("counts").to_pylist()
    assert counts == [22] * DAYS
