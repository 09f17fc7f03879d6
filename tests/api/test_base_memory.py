"""What a base takes follows the customers that were seen, not the ids that could occur, nor the number of threads."""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import custcore
from tests.peak_memory import peak, reset_peak

ROOT = Path(__file__).resolve().parents[2]

LEVELS = {
    "totals": {},
    "totals_attributes": {"attributes": {"country": "first"}},
    "days": {"track": "days"},
    "orders": {"track": "orders", "order_id": "order_id"},
    "orders_attributes": {"track": "orders", "order_id": "order_id", "attributes": {"country": "last"}},
}
# A base that takes updates has a table to look ids up in, and room to grow; one that was read from a file has neither.
MOST = 5
# The table has room for the ids of one more block of rows.
BLOCK_OF_IDS = 1 << 17


def rows(day, n=1_000, window=50_000, ids=None):
    rng = np.random.default_rng(day)
    return {
        "customer_id": rng.integers(day * window, (day + 1) * window, n) if ids is None else ids,
        "timestamp": np.datetime64("2025-01-01") + np.full(n, day),
        "amount": np.ones(n),
        "order_id": rng.integers(0, 10**15, n),
        "country": np.array(["x", "y"])[rng.integers(0, 2, n)],
    }


def reloaded(base):
    return custcore.CustomerBase.from_bytes(base.to_bytes())


def check(base):
    after = reloaded(base)
    assert len(after) == len(base)
    assert base.nbytes <= MOST * after.nbytes + BLOCK_OF_IDS, (
        f"{base.nbytes} against {after.nbytes} for {len(base)} customers"
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("first", ["window", "far"])
def test_ids_in_a_window_take_what_customers_take(level, first):
    base = custcore.CustomerBase(**LEVELS[level])
    if first == "far":
        base.update(rows(0, 1, ids=np.array([10**15])))
    for day in range(30):
        base.update(rows(day))
        check(base)


@pytest.mark.parametrize("level", LEVELS)
def test_after_one_update_and_after_merges(level):
    bases = []
    for day in range(6):
        base = custcore.CustomerBase(**LEVELS[level])
        base.update(rows(day))
        check(base)
        bases.append(base)
    whole = bases[0]
    for base in bases[1:]:
        whole.merge(base)
        check(whole)
    whole.remove(rows(3)["customer_id"][:500].tolist())
    check(whole)


def test_ids_without_gaps_still_need_no_table():
    base = custcore.CustomerBase()
    base.update(rows(0, 50_000, ids=np.arange(50_000)))
    before = base.nbytes
    base.update(rows(1, 50_000, ids=np.arange(50_000)))
    assert base.nbytes == before <= 2 * reloaded(base).nbytes


def sealed_base():
    base = custcore.CustomerBase(**LEVELS["orders_attributes"])
    base.update(rows(60, 2_000), batch_id="first")
    base.seal("2025-03-01")
    return base


def test_refused_updates_leave_ids_tables_and_bytes():
    base = sealed_base()
    before, file = base.nbytes, base.to_bytes()
    for day in range(5):
        with pytest.raises(custcore.errors.StateMismatchError):
            base.update(rows(day, 20_000))
        with pytest.raises(custcore.errors.DuplicateBatchError):
            base.update(rows(70 + day, 20_000), batch_id="first")
        other = custcore.CustomerBase(**LEVELS["orders_attributes"])
        other.update(rows(day, 20_000))
        with pytest.raises(custcore.errors.StateMismatchError):
            base.merge(other)
        with pytest.raises(custcore.errors.CustcoreError):
            base.update({**rows(70, 20_000), "amount": np.full(20_000, np.inf)})
    assert base.nbytes == before
    assert base.to_bytes() == file


def test_a_scan_that_one_base_refuses_leaves_all_as_they_were():
    sealed, other = sealed_base(), custcore.CustomerBase(**LEVELS["days"])
    other.update(rows(1))
    before = sealed.nbytes, other.nbytes
    with pytest.raises(custcore.errors.StateMismatchError):
        custcore.scan(rows(2, 20_000), {"other": other, "sealed": sealed})
    assert (sealed.nbytes, other.nbytes) == before


PEAK = """
import sys
import numpy as np, custcore
from tests.peak_memory import peak, reset_peak
threads, what = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
n = 1 << 20
data = {
    "customer_id": rng.integers(1, 2 * n - n // 8, n),
    "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 700, n),
    "amount": np.ones(n),
}
options = {}
if what == "orders":
    data["order_id"], options = rng.integers(1, n, n), {"order_id": "order_id"}
elif what == "attributes":
    data["country"], options = rng.integers(0, 5, n), {"attributes": {"country": "first"}}
before = reset_peak()
table = custcore.rfm(data, n_threads=threads, **options)
print(table.num_rows, peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
@pytest.mark.parametrize("what", ["rows", "orders", "attributes"])
def test_the_peak_does_not_grow_with_threads_times_range(what):
    def peak(threads):
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(threads), what], capture_output=True, text=True, check=True, cwd=ROOT
        )
        customers, kibibytes = map(int, done.stdout.split())
        return customers, kibibytes

    (customers, alone), (same, some), (again, many) = peak(1), peak(4), peak(16)
    assert customers == same == again
    assert max(some, many) <= 3 * alone, f"{alone} KiB with one thread, {some} with 4, {many} with 16"


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_an_update_beside_a_reader_copies_nothing():
    """A copy shares the data of the base, as a reader does."""
    n = 1_000_000
    base = custcore.CustomerBase(track="days")
    base.update({**rows(0, n, ids=np.arange(n) * 7919), "amount": np.ones(n)})
    some = rows(1, 100, ids=np.arange(100) * 7919 + 1)
    base.update(some)
    reader = copy.copy(base)
    before = reset_peak()
    for _ in range(3):
        base.update(some)
    assert (len(base), base.n_rows, reader.n_rows) == (n + 100, n + 400, n + 100)
    assert (peak() - before) * 1024 < base.nbytes / 8
