"""Each messy file is read as another library reads it, or refused with what, where and the way out."""

from __future__ import annotations

import pytest

pytest.importorskip("pandas")
pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

from tests.interop.messy_files import CASES, by_command_line, by_read, expected
from tests.versions import is_before


def test_no_name_twice():
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert all((case.oracle is None) == bool(case.error) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_messy_file(case, tmp_path, monkeypatch):
    if case.name == "year_3000.csv" and is_before("pandas", 3):
        pytest.skip("pandas before 3, the oracle, has no years beyond those of nanoseconds")
    monkeypatch.setenv("COLUMNS", "120")
    path = case.write(tmp_path)
    found, run = by_read(case, path), by_command_line(case, path)
    if case.oracle is not None:
        assert (found.error, run.error) == ("", "")
        read, scored = expected(case, path)
        assert found.rows == read
        assert run.rows == scored
        assert not case.note or any(case.note in note for note in found.notes), found.notes
        assert not case.note or case.note in run.notes[0], run.notes
        return
    assert found.rows is None, found
    assert run.exit_code in {2, 3}, run
    for said in (found.error, run.error):
        plain = " ".join(said.replace("-", "_").split())
        assert [word for word in case.error if word.replace("-", "_") not in plain] == [], said
        assert "Traceback" not in said
