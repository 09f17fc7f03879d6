"""The source distribution holds what the build needs, with a lock file that cargo accepts, and nothing else.

That a wheel builds from it takes minutes: `make dist-check`.
"""

import subprocess
import sys
import tarfile
import tomllib
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Beside the sources of the package and of both crates.
FILES = {
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "PKG-INFO",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "maturin", "sdist", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("custcore-*.tar.gz")
    return file


@pytest.fixture(scope="module")
def unpacked(sdist):
    with tarfile.open(sdist) as archive:
        archive.extractall(sdist.parent, filter="data")
    return sdist.parent / sdist.name.removesuffix(".tar.gz")


def test_cargo_accepts_its_lock(unpacked):
    # Without `locked` in pyproject.toml cargo would choose other versions silently.
    assert tomllib.loads((unpacked / "pyproject.toml").read_text())["tool"]["maturin"]["locked"] is True
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    command += ["--manifest-path", str(unpacked / "rust" / "custcore-py" / "Cargo.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_has_the_files_that_the_build_needs_and_no_others(unpacked):
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {name for name in found if "/" not in name} == FILES
    inside = {PurePosixPath(name) for name in found if "/" in name}
    assert {path.parts[0] for path in inside} == {"python", "rust"}
    assert {path.parts[1] for path in inside if path.parts[0] == "rust"} == {"custcore", "custcore-py"}
    tracked = subprocess.run(
        ["git", "ls-files", "python", "rust"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    sources = {name for name in tracked.stdout.splitlines() if "/tests/" not in name}
    assert sources - found == set()
    assert {path.name for path in inside if path.suffix == ".md"} == {"README.md"}  # of the crate
    assert {path.suffix for path in inside} <= {
        "",
        ".md",
        ".rs",
        ".toml",
        ".py",
        ".pyi",
        ".typed",
        ".proptest-regressions",
    }


def test_it_is_small(sdist):
    assert sdist.stat().st_size < 1_900_000


def test_its_metadata_are_complete(unpacked):
    found = BytesParser().parsebytes((unpacked / "PKG-INFO").read_bytes())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (found["Name"], found["Version"]) == ("custcore", project["version"])
    assert sorted(found.get_all("Project-URL")) == sorted(f"{name}, {url}" for name, url in project["urls"].items())
    assert found["License-Expression"] == "MIT OR Apache-2.0"
    assert found.get_all("License-File") == ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]
    # The page of the package has no folder beside it.
    text = found.get_payload()
    assert "](https://" in text
    assert [part[:60] for part in text.split("](")[1:] if not part.startswith("https://")] == []
