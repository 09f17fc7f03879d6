"""Model files that are changed, cut off, foreign, hostile; and saves that fail or are killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import custcore
from custcore.errors import CustcoreError, InternalError, ModelFormatError, ModelVersionError
from tests.model_cases import FITTED, SMALL, Model, body_of, customers, purchases, sealed
from tests.peak_memory import peak, reset_peak

# How often the test of SIGKILL kills.
KILLS = int(os.environ.get("CUSTCORE_KILLS", "20"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_change_of_a_byte(name: str) -> None:
    """An error, or the same content."""
    model = SMALL[name]()
    data = model.to_bytes()
    read = type(model).from_bytes
    loaded = 0
    for place in range(len(data)):
        changed = bytearray(data)
        for value in range(256):
            changed[place] = value
            try:
                found = read(changed)
            except ModelFormatError:
                continue
            assert found.to_bytes() == data, (place, value)
            loaded += 1
    # The file itself, once for each place, the library's version changed, and another blank at the end.
    assert len(data) < loaded < len(data) + 6 * 256


@pytest.mark.parametrize("name", FITTED)
def test_every_truncation(name: str) -> None:
    model = FITTED[name]()
    data = model.to_bytes()
    read = type(model).from_bytes
    for length in range(0, len(data) - 1, 1 if len(data) < 4_000 else 13):
        with pytest.raises(ModelFormatError):
            read(data[:length])
    # Without its line end it is whole.
    assert read(data[:-1]).to_bytes() == data


@pytest.mark.parametrize("name", SMALL)
def test_bytes_that_are_no_model(name: str, tmp_path: Path) -> None:
    model = SMALL[name]()
    data = model.to_bytes()
    head = json.loads(data)
    foreign = [
        b"",
        b"{}",
        b"null",
        b"[1, 2]",
        b"\x80\x04\x95",
        b"PAR1",
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        data[:-2] + b"[" * 1_000_000,
        data + data,
        data + b"x",
        b"\xef\xbb\xbf" + data,
        data.decode().encode("utf-16"),
        json.dumps(head | {"version": "2"}).encode(),
        json.dumps(head | {"version": -2}).encode(),
        json.dumps(head | {"version": 1}).encode(),
        json.dumps(head | {"version": None}).encode(),
        json.dumps(head | {"sha256": None}).encode(),
        json.dumps(head | {"sha256": head["sha256"].upper()}).encode(),
        json.dumps(head | {"body": {}}).encode(),
        json.dumps(head | {"format": "custcore state"}).encode(),
        json.dumps({key: value for key, value in head.items() if key != "body"}).encode(),
    ]
    path = tmp_path / "model.json"
    for found in foreign:
        path.write_bytes(found)
        for read in (lambda: type(model).from_bytes(found), lambda: type(model).load(path)):  # noqa: B023
            with pytest.raises(ModelFormatError) as caught:
                read()
            assert not isinstance(caught.value, ModelVersionError)


@pytest.mark.parametrize("name", SMALL)
def test_a_newer_version(name: str) -> None:
    model = SMALL[name]()
    newer = json.loads(model.to_bytes()) | {"version": 3, "library_version": "9.1", "body": [], "new": {}}
    with pytest.raises(ModelVersionError, match=r"version 3.*newer custcore \(9\.1\)"):
        type(model).from_bytes(json.dumps(newer).encode())


@pytest.mark.parametrize("name", SMALL)
def test_deep_nesting_and_huge_counts(name: str, tmp_path: Path) -> None:
    model = SMALL[name]()
    data = model.to_bytes()
    deep = "[" * 100_000 + "]" * 100_000
    text = deep if name == "segment_map" else '{"spec": ' + deep + "}"
    head = {key: value for key, value in json.loads(data).items() if key != "body"}
    head["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(ModelFormatError):
        type(model).from_bytes((json.dumps(head)[:-1] + ', "body": ' + text + "}").encode())
    # A terabyte that takes no room on the disk.
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.write(data)
        file.truncate(1 << 40)
    before = reset_peak()
    with pytest.raises(ModelFormatError, match="maximum"):
        type(model).load(path)
    assert peak() - before < 400_000


def test_a_map_too_large_to_build() -> None:
    data = SMALL["segment_map"]().to_bytes()
    rules = [{"name": str(i), "ranges": [None, None, [1, 100]]} for i in range(9_999)]
    body = {"map": {"bins": [100, 100, 100], "rules": rules, "rest": None}}
    start = time.monotonic()
    with pytest.raises(ModelFormatError, match="more than a segment map can hold"):
        custcore.SegmentMap.from_bytes(sealed(data, body))
    assert time.monotonic() - start < 10


def test_sealing_is_how_the_core_seals() -> None:
    for make in SMALL.values():
        data = make().to_bytes()
        assert type(make()).from_bytes(sealed(data, body_of(data))).to_bytes() == data


STRANGE = [None, True, -1, 0, 255, 256, 2**62, 2**64, 1e308, -1e308, "", "x", [], [None], [[]], {}, {"x": 1}]


def variants(body: Any) -> Iterator[Any]:
    """The body with each of its parts, one at a time, replaced, left out, or repeated."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield {k: v for k, v in body.items() if k != key}
            yield from ({**body, key: part} for part in variants(value))
        yield {**body, "unknown": 1}
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield body[:place] + body[place + 1 :]
            yield [*body[:place], value, *body[place:]]
            yield from ([*body[:place], part, *body[place + 1 :]] for part in variants(value))
        yield body[::-1]
    yield from STRANGE


def used(model: Model) -> None:
    """Goes through all that a model can do; what it cannot is an error of the user's, never of custcore's own."""
    table = customers()
    calls: list[Any] = [model.to_bytes, lambda: repr(model)]
    if isinstance(model, custcore.RFMScorer | custcore.QuantileScorer):
        calls += [lambda: model.transform(table), lambda: model.drift(table), lambda: model.thresholds]
    if isinstance(model, custcore.RFMScorer):
        calls.append(lambda: model.score_one(3, 2, 5.5, customer_id=4, group="de"))
    if isinstance(model, custcore.QuantileScorer):
        calls.append(lambda: model.score_one([3] * len(model._core.settings["columns"])))
    if isinstance(model, custcore.LifecycleModel):
        calls += [lambda: model.curve_, lambda: model.horizon_days_, lambda: purchases().lifecycle(model=model)]
    if isinstance(model, custcore.SegmentMap):
        calls.append(lambda: (model.overlaps(), [model.segment(r, f, 1) for r in range(4) for f in range(4)]))
    if isinstance(model, custcore.Scaler):
        calls += [lambda: model.transform(table), lambda: model.inverse_transform([[1.0]])]
    if isinstance(model, custcore.KMeans):
        calls += [lambda: model.predict(table), lambda: model.predict_one([1.0]), lambda: model.profile(table)]
    for call in calls:
        try:
            call()
        except InternalError:
            raise
        except CustcoreError:
            pass


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*SMALL, "nested", "split", "by", "octants", "k-means with a scaler", "named clusters"]
)
def test_a_sealed_model_of_any_parts(name: str) -> None:
    """With a checksum that fits, a body that cannot be is an error, and one that can be is a model that works."""
    model = FITTED[name]()
    data = model.to_bytes()
    refused = 0
    for body in variants(body_of(data)):
        try:
            found = type(model).from_bytes(sealed(data, body))
        except ModelFormatError:
            refused += 1
            continue
        used(found)
    assert refused > 50


def test_saves_that_fail(tmp_path: Path) -> None:
    model = FITTED["rfm"]()
    with pytest.raises(FileNotFoundError) as caught:
        model.save(tmp_path / "no" / "model.json")
    assert caught.value.filename == str(tmp_path / "no" / "model.json")
    with pytest.raises(IsADirectoryError):
        model.save(tmp_path)
    with pytest.raises(OSError):
        model.save(tmp_path / ("n" * 300))
    with pytest.raises(FileNotFoundError):
        custcore.RFMScorer.load(tmp_path / "absent.json")
    with pytest.raises(IsADirectoryError):
        custcore.RFMScorer.load(tmp_path)
    with pytest.raises(OSError, match="NUL"):
        model.save("nul\0")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(b"old")
    path.chmod(0o400)
    with pytest.raises(PermissionError):
        FITTED["rfm"]().save(path)
    assert path.read_bytes() == b"old"


def child(code: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join(["python", ".", *filter(None, [os.environ.get("PYTHONPATH")])])
    code = "from tests.deadline import end_after; end_after(60)\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, **options)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """No file of the child may have more than 100 bytes, as if the disk were full."""
    path = tmp_path / "model.json"
    FITTED["split"]().save(path)
    before = path.read_bytes()
    code = """
        import resource, sys
        from tests.model_cases import FITTED
        model = FITTED["rfm"]()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            model.save(sys.argv[1])
        except OSError as error:
            print(error.errno)
    """
    with child(code, path) as process:
        assert process.communicate(timeout=60)[0].strip() == b"27"  # EFBIG
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_in_the_middle_of_a_save(tmp_path: Path) -> None:
    """The old or the new file stands, never another."""
    path = tmp_path / "model.json"
    code = """
        import sys
        import custcore
        models = [custcore.KMeans.load(name) for name in sys.argv[2:]]
        print("ready", flush=True)
        while True:
            for model in models:
                model.save(sys.argv[1])
    """
    sources = [tmp_path / "a.json", tmp_path / "b.json"]
    rng = random.Random(7)
    for seed, source in enumerate(sources):
        rows = [[rng.random() for _ in range(20)] for _ in range(1_500)]
        custcore.KMeans(1_000, random_state=seed, max_iter=1, n_init=1).fit(rows).save(source)
    allowed = [source.read_bytes() for source in sources]
    assert allowed[0] != allowed[1]
    path.write_bytes(allowed[0])
    left = set()
    for _ in range(KILLS):
        with child(code, path, *sources) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.random() * 0.05)
            process.send_signal(signal.SIGKILL)
        assert path.read_bytes() in allowed
        # What a killed process was writing lies beside it under a name that nothing reads.
        left |= {file.name for file in tmp_path.iterdir()} - {"model.json", "a.json", "b.json"}
    assert all(name.startswith(".model.json.") and name.endswith(".tmp") for name in left)
    custcore.KMeans.load(path).save(path)
    assert {file.name for file in tmp_path.iterdir()} == {"model.json", "a.json", "b.json"}
