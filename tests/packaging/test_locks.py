"""The lock files agree, and name no index."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def crates(lock):
    found = {}
    for package in tomllib.loads(lock.read_text())["package"]:
        found.setdefault(package["name"], set()).add(package["version"])
    return found


def test_the_benches_measure_the_versions_that_are_published():
    ours, benches = crates(ROOT / "Cargo.lock"), crates(ROOT / "benches" / "rust" / "Cargo.lock")
    assert {"custcore", "criterion"} <= benches.keys()
    assert "criterion" not in ours
    assert {name: benches[name] for name in ours.keys() & benches if benches[name] - ours[name]} == {}


def test_requirements_are_pinned_by_hash_and_name_no_index():
    files = sorted(ROOT.glob("requirements-*.txt"))
    assert len(files) >= 4
    for file in files:
        text = file.read_text()
        assert "://" not in text, file.name
        assert "index-url" not in text, file.name
        pins = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
        assert pins, file.name
        assert [line for line in pins if "==" not in line or not line.endswith("\\")] == [], file.name
        assert text.count("--hash=sha256:") >= len(pins), file.name
