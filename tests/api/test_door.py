"""The runtime for long work: Ctrl-C, fork, panics, progress, the GIL, and the cost of the import."""

from __future__ import annotations

import ast
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import custcore
from custcore import _core
from tests.samples import transactions

ROOT = Path(__file__).parents[2]
np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")


def large(n: int = 1_000_000) -> pa.Table:
    rng = np.random.default_rng(3)
    days = pa.array(rng.integers(19_000, 20_000, n).astype("i4")).cast(pa.date32())
    return pa.table({"customer_id": rng.integers(0, n // 10, n), "timestamp": days, "amount": rng.random(n)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX signals and fork")
@pytest.mark.parametrize(
    "what",
    [
        "ctrl_c_in_a_long_job",
        "ctrl_c_in_rfm",
        "ctrl_c_in_rfm_of_strings",
        "ctrl_c_in_update",
        "fork_after_parallel_work",
    ],
)
def test_in_a_process_of_its_own(what: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.api.door_child", what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    print(what, done.stdout.strip())
    assert done.returncode == 0, done.stderr[-3000:]


def test_importing_custcore_imports_no_third_party() -> None:
    code = "import sys, custcore; print({n.split('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    imported = ast.literal_eval(done.stdout)
    assert "custcore" in imported
    assert not imported & {"pandas", "numpy", "pyarrow", "polars", "duckdb", "sklearn", "rich", "click"}


def test_a_call_imports_no_third_party() -> None:
    """A table by capsule from one library does not drag in another."""
    code = (
        "import sys, custcore;"
        "from tests.interop.arrow_c import export_stream;"
        "from tests.interop.malformed_cases import table, good;"
        "t = custcore.rfm_scores(export_stream(*table(*good())));"
        "repr(t); t._repr_html_(); repr(t.report);"
        "print({n.split('.')[0] for n in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert not ast.literal_eval(done.stdout) & {"pandas", "numpy", "pyarrow", "polars"}


def test_a_panic_is_an_internal_error(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(custcore.errors.InternalError) as caught:
            _core._panic()
        assert isinstance(caught.value, RuntimeError)
        assert isinstance(caught.value, custcore.errors.CustcoreError)
    assert custcore.rfm(transactions()).num_rows > 0


def test_a_panic_on_the_way_to_the_work_is_an_internal_error() -> None:
    """pyo3 raises an exception of its own class, which would derive from BaseException, for such a panic."""
    with pytest.raises(custcore.errors.InternalError, match="asked to panic") as caught:
        _core._panic(in_work=False)
    assert isinstance(caught.value, Exception)
    back = pickle.loads(pickle.dumps(caught.value))
    assert type(back) is custcore.errors.InternalError
    assert str(back) == str(caught.value)


OUT_OF_MEMORY = """
import resource
import pyarrow as pa
import custcore
from custcore import _core

ids = pa.array(range(300_000), pa.int64())
days = pa.array([19_700] * len(ids), pa.int32()).cast(pa.date32())
base = custcore.CustomerBase()
base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": ids.cast(pa.float64())}), n_threads=1)
size = len(base.to_bytes())
table = base.rfm()
said = set()
for call in (base.to_bytes, lambda: table._core.values("monetary_total", 0, 300_000)):
    for share in (0.05, 0.3, 0.7, 1.1, 1.6):
        with open("/proc/self/status") as status:
            used = next(int(line.split()[1]) for line in status if line.startswith("VmSize")) << 10
        resource.setrlimit(resource.RLIMIT_AS, (used + int(share * size), resource.RLIM_INFINITY))
        try:
            call()
        except Exception as error:
            said.add("MemoryError" if isinstance(error, MemoryError) else repr(error))
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(said)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the limits of Linux")
def test_objects_of_python_that_do_not_fit_are_a_memory_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "{'MemoryError'}", done.stderr


def test_the_gil_is_released() -> None:
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = counted[0]
        _core._spin(0.5)
        during = counted[0] - before
    finally:
        stop.set()
        thread.join()
    assert during > 1000  # with the GIL held it would be next to none


def test_two_threads_at_once_do_not_disturb_each_other() -> None:
    table = large(300_000)
    expected = custcore.rfm(table).to_pyarrow()
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.append(custcore.rfm(table, n_threads=2).to_pyarrow().equals(expected)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [True] * 4


def test_one_scorer_in_many_threads() -> None:
    customers = custcore.rfm(large(100_000))
    scorer = custcore.RFMScorer().fit(customers)
    expected = scorer.transform(customers).to_pyarrow()
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.append(scorer.transform(customers).to_pyarrow().equals(expected)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [True] * 4


@pytest.mark.parametrize("n_threads", [1, 2])
def test_progress(n_threads: int) -> None:
    calls: list[tuple[int, int | None, int]] = []
    table = pa.Table.from_batches(large().to_batches(max_chunksize=50_000) * 4)

    def progress(done: int, total: int | None) -> None:
        calls.append((done, total, threading.get_ident()))

    custcore.rfm(table, progress=progress, n_threads=n_threads)
    assert calls
    done = [c[0] for c in calls]
    assert done == sorted(done)
    assert 0 <= done[0] <= done[-1] <= table.num_rows
    assert done[-1] > 0
    assert {c[1] for c in calls} <= {table.num_rows, None}
    assert {c[2] for c in calls} == {threading.get_ident()}


class StopItError(Exception):
    pass


def test_an_exception_in_progress_ends_the_call() -> None:
    def progress(done: int, total: int | None) -> None:
        raise StopItError("enough")

    base = custcore.CustomerBase()
    table = pa.Table.from_batches(large().to_batches(max_chunksize=50_000) * 4)
    with pytest.raises(StopItError, match="enough"):
        custcore.rfm(table, progress=progress)
    with pytest.raises(StopItError, match="enough"):
        base.update(table, progress=progress)
    assert len(base) == 0
    assert custcore.rfm(table).num_rows > 0


@pytest.mark.parametrize("value", ["1", "3"])
def test_threads_by_environment(value: str) -> None:
    code = "import custcore; from tests.samples import transactions; print(custcore.rfm(transactions()).num_rows)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"CUSTCORE_NUM_THREADS": value},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(done.stdout) == custcore.rfm(transactions()).num_rows
