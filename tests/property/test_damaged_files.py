"""Files of any bytes are read or refused by an error of custcore: a sample of `tests.stress.files`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

from tests.property.damaged_files import VALID, Edit, check, damaged

PIECES = [
    b"",
    b"\0",
    b'"',
    b"\n",
    b"\r",
    b",",
    b";",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NaN",
    b"1e999",
    b"-",
    b"\x1f\x8b",
    b"{",
    b"[]",
]
EDITS = st.builds(
    Edit,
    at=st.floats(0, 1),
    cut=st.sampled_from([0, 1, 2, 100, 10_000]),
    put=st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)),
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("name", VALID)
def test_valid_files_are_read(folder, name):
    assert check(folder, name, VALID[name]) == "read"


@settings(max_examples=120)
@given(name=st.sampled_from(list(VALID)), edits=st.lists(EDITS, min_size=1, max_size=3))
def test_damaged_files(folder, name, edits):
    check(folder, name, damaged(VALID[name], edits))


@settings(max_examples=60)
@given(
    name=st.sampled_from(list(VALID)),
    data=st.one_of(st.binary(max_size=200), st.text(alphabet='a1,;"\n\r\t {}[]:.-', max_size=80).map(str.encode)),
)
def test_any_bytes(folder, name, data):
    check(folder, name, data)
