"""The reference data in the repository: little, and each file with its source and its terms."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.reference_data import OUTSIDE, SHIPPED, outside

DATA = SHIPPED.data
NOTICE = (DATA / "README.md").read_text(encoding="utf-8")
# Files by their path in tests/data; the notices themselves need no source.
FILES = [path.relative_to(DATA) for path in sorted(DATA.rglob("*")) if path.is_file() and path.parent != DATA]


def described(path: Path) -> bool:
    """Whether a row of the tables names the file, in its folder."""
    folder = path.parts[1] if path.parts[0] == "golden" else None
    within = "/".join(path.parts[2:]) if folder else path.as_posix()
    for line in NOTICE.splitlines():
        cells = line.split("|")
        if len(cells) < 3 or (folder and cells[1].strip() != f"`{folder}`"):
            continue
        if any(fnmatch(within, name) for name in re.findall(r"`([^`]+)`", "|".join(cells[1:]))):
            return True
    return False


def test_it_is_five_megabytes_at_most() -> None:
    assert sum((DATA / path).stat().st_size for path in FILES) <= 5_000_000


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_file_has_its_source_and_its_terms(path: Path) -> None:
    assert described(path), f"{path} stands in no table of tests/data/README.md"
    # What derives from a set is under the terms of that set; these three are facts.
    facts = {"golden/clv/sbg.json", "golden/clv/hard_points.csv", "golden/clv/hard_points_gamma_gamma.csv"}
    parts = {name for name in ("online_retail", "rfm_data_orders") if name in path.name}
    if path.suffix == ".json" and not parts and str(path) not in facts:
        # A summary of several sets: of this one only.
        found = json.loads((DATA / path).read_text(encoding="utf-8"))
        sets = found.get("sets", found)
        parts = {"online_retail"} if all(name.startswith("online_retail") for name in sets) else parts
    assert parts or path.as_posix() in facts


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_set_that_may_not_be_shipped(name: str) -> None:
    assert not [path for path in FILES if name in path.as_posix()]


def test_they_are_what_stands_outside() -> None:
    """Byte by byte, where the other sets are there to compare with."""
    source = outside(OUTSIDE[0])
    # JSON files may be a part of those outside.
    compared = [path for path in FILES if path.suffix != ".json"]
    roots = {path: source.golden.parent if path.parts[0] == "golden" else source.data for path in compared}
    assert [path for path in compared if (DATA / path).read_bytes() != (roots[path] / path).read_bytes()] == []
