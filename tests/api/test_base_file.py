"""The file of a base: damaged anywhere, cut short, read by others, killed in mid-write, carried between processes.

`CUSTCORE_LONG=1` tries every value of every byte, and kills 200 times instead of 30.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.errors import DuplicateBatchError, ModelFormatError, ModelVersionError
from tests.api.base_child import folded, generation
from tests.samples import transactions

LONG = os.environ.get("CUSTCORE_LONG") == "1"
Base = custcore.CustomerBase
LEVELS: dict[str, dict[str, Any]] = {
    "totals": {"track": "totals"},
    "days": {"track": "days", "attributes": {"place": "first"}},
    "orders": {"track": "orders", "order_id": "order"},
}


def small(level: str, rows: int = 24) -> Base:
    """A few customers with everything that a file may hold."""
    rng = random.Random(3)
    data = transactions(rows, customers=6)
    data = data.append_column("order", pa.array([rng.choice(["x", "y", "z", None]) for _ in range(rows)]))
    data = data.append_column("place", pa.array([rng.choice(["AT", "BE", None]) for _ in range(rows)]))
    base = Base(**LEVELS[level])
    base.update(data, batch_id="monday")
    if level == "orders":
        base.seal(date(2023, 12, 1))
    base.remove(["c01"])
    return base


@pytest.fixture(params=sorted(LEVELS))
def base(request: pytest.FixtureRequest) -> Base:
    return small(request.param)


def is_the_same_or_refused(data: bytes, original: bytes) -> bool:
    """Whether it was refused; if not, it says what the original says."""
    try:
        found = Base.from_bytes(data)
    except (ModelFormatError, ModelVersionError):
        return True
    assert found.to_bytes() == original
    return False


def test_every_change_of_a_byte(base: Base) -> None:
    original = base.to_bytes()
    assert Base.from_bytes(original).to_bytes() == original
    refused = 0
    changes = range(1, 256) if LONG else (1, 0x80, 0xFF)
    for at in range(len(original)):
        for change in changes:
            damaged = bytearray(original)
            damaged[at] ^= change
            refused += is_the_same_or_refused(bytes(damaged), original)
    assert refused > 0.8 * len(original) * len(changes)


def test_every_truncation_and_some_growth(base: Base) -> None:
    original = base.to_bytes()
    for length in range(len(original)):
        with pytest.raises(ModelFormatError):
            Base.from_bytes(original[:length])
    for more in (b"\0", b"ARROW1", original):
        is_the_same_or_refused(original + more, original)


def test_a_damaged_file_is_told_by_name(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "customers.base"
    base.save(path)
    assert path.read_bytes() == base.to_bytes()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ModelFormatError, match=r"customers\.base"):
        Base.load(path)
    with pytest.raises(OSError, match="missing"):
        Base.load(tmp_path / "missing")


@pytest.mark.parametrize("data", [b"", b"ARROW1", b"{}", b"PAR1" * 10, bytes(100), os.urandom(1000)], ids=len)
def test_foreign_bytes(data: bytes) -> None:
    with pytest.raises(ModelFormatError):
        Base.from_bytes(data)


def test_foreign_arrow_files(tmp_path: Path) -> None:
    """A valid Arrow file that is not a base, and a model that is not a base."""
    with pa.OSFile(str(tmp_path / "other"), "wb") as file, pa.ipc.new_file(file, transactions().schema) as writer:
        writer.write_table(transactions())
    with pytest.raises(ModelFormatError):
        Base.load(tmp_path / "other")
    custcore.KMeans(2, random_state=0).fit([[0.0], [1.0], [5.0]]).save(tmp_path / "clusters.json")
    with pytest.raises(ModelFormatError):
        Base.load(tmp_path / "clusters.json")


def test_huge_counts_are_refused_before_memory_is_taken(base: Base) -> None:
    """Eight bytes of ones anywhere: no error but the one of the format, and no gigabytes."""
    original = base.to_bytes()
    for at in range(0, len(original) - 8, 1 if LONG else 4):
        damaged = original[:at] + b"\xff" * 7 + b"\x7f" + original[at + 8 :]
        is_the_same_or_refused(damaged, original)


def test_any_arrow_reader_reads_it(base: Base, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "customers.arrow"
    base.save(path)
    with pa.OSFile(str(path), "rb") as file:
        table = pa.ipc.open_file(file).read_all()
    table.validate(full=True)
    assert table.num_rows >= len(base)
    frame = polars.read_ipc(path)
    assert frame.columns == table.column_names
    assert frame.height == table.num_rows


def test_same_content_same_bytes(base: Base, tmp_path: Path) -> None:
    base.save(tmp_path / "one")
    Base.load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    for again in (pickle.loads(pickle.dumps(base)), copy.copy(base), copy.deepcopy(base)):
        assert again.to_bytes() == base.to_bytes()
        assert repr(again) == repr(base)


def test_a_loaded_base_goes_on(base: Base) -> None:
    again = Base.from_bytes(base.to_bytes())
    assert again.batch_ids == ["monday"]
    assert (again.track, again.n_rows, len(again)) == (base.track, base.n_rows, len(base))
    assert (again.last_date, again.sealed_before) == (base.last_date, base.sealed_before)
    with pytest.raises(DuplicateBatchError):
        again.update(transactions(), batch_id="monday")
    copied = copy.copy(base)
    assert copied.remove(["c02"]) == 1
    assert base.remove(["c02"]) == 1  # a copy is another base


@pytest.mark.skipif(sys.platform == "win32" or (os.geteuid() == 0 and not Path("/dev/full").exists()), reason="POSIX")
def test_a_failed_save_leaves_the_old_file(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "customers.base"
    base.save(path)
    before = path.read_bytes()
    other = generation(1)
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))  # as on a disk that is full
    try:
        with pytest.raises(OSError):
            other.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["customers.base"]  # nothing is left lying about


@pytest.mark.parametrize("target", ["folder that is not there/base", "."])
def test_targets_that_cannot_be_written(base: Base, tmp_path: Path, target: str) -> None:
    before = base.to_bytes()
    with pytest.raises(OSError):
        base.save(tmp_path / target)
    assert base.to_bytes() == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_killed_in_mid_write(tmp_path: Path) -> None:
    """The old file or the new one, never another, whenever the end comes."""
    path = tmp_path / "customers.base"
    wanted = {generation(0).to_bytes(), generation(1).to_bytes()}
    rng = random.Random(int(time.time()) if LONG else 1)
    seen = set()
    for _ in range(200 if LONG else 30):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.api.base_child", "save_for_ever", str(path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert child.stdout is not None
        with child, child.stdout as answers:
            assert answers.readline() == b"ready\n"
            time.sleep(rng.random() * 0.05)
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
        found = path.read_bytes()
        assert found in wanted
        assert Base.load(path).to_bytes() == found
        seen.add(found)
    assert seen == wanted


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three days of purchases in a file each."""
    folder = tmp_path_factory.mktemp("parts")
    paths = []
    for number in range(3):
        paths.append(folder / f"{number}.parquet")
        pq.write_table(transactions(500, customers=80, seed=number), paths[-1])
    return paths


def all_of(parts: list[Path]) -> Base:
    base = Base(track="days")
    for path in parts:
        base.update(pq.read_table(path), batch_id=path.name)
    return base


@pytest.mark.slow
def test_bases_of_several_processes(parts: list[Path], tmp_path: Path) -> None:
    """Through files, and through the pickles of a pool: the same as in one process."""
    expected = all_of(parts).to_bytes()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        # A worker that dies leaves its task undone for ever.
        first, *others = pool.map_async(folded, map(str, parts)).get(timeout=120)
    for other in others:
        first.merge(other)
    assert first.to_bytes() == expected

    for path in parts:
        command = [sys.executable, "-m", "tests.api.base_child", "fold", str(path), str(tmp_path / path.name)]
        root = Path(__file__).parents[2]
        subprocess.run(
            command,
            check=True,
            timeout=60,
            cwd=root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    base = Base(track="days")
    for path in reversed(parts):
        base.merge(Base.load(tmp_path / path.name))
    assert base.to_bytes() == expected
    with pytest.raises(DuplicateBatchError):
        base.merge(Base.load(tmp_path / parts[0].name))
    assert base.to_bytes() == expected
    assert base.last_date is not None
    assert base.rfm(base.last_date - timedelta(days=20)).num_rows > 0
