"""Large files of JSON lines are read block by block, in the types of all blocks."""

from __future__ import annotations

import json

import pytest

import custcore
from custcore._read import json_lines
from custcore.errors import FileFormatError

ROLES = {"customer_id": "customer_id", "timestamp": "timestamp", "amount": "amount"}


def lines(n=3000, **late):
    rows = [{"customer_id": i % 97, "timestamp": f"2026-01-{i % 28 + 1:02}T10:00:00", "amount": i} for i in range(n)]
    rows[n - 2] |= late
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    "late",
    [{}, {"amount": 1.5}, {"amount": None}, {"extra": [1]}, {"customer_id": None}, {"timestamp": "2026-01-05 11:30"}],
)
def test_blocks_are_the_whole(tmp_path, monkeypatch, late):
    (tmp_path / "a.jsonl").write_text(lines(**late))
    whole = custcore.read(tmp_path / "a.jsonl")
    expected = whole.table(list(ROLES), ROLES)
    monkeypatch.setattr(json_lines, "WHOLE", 10_000)
    monkeypatch.setattr(json_lines, "BLOCK", 4_000)
    parts = custcore.read(tmp_path / "a.jsonl")
    assert parts.table(list(ROLES), ROLES).combine_chunks().equals(expected.combine_chunks())
    assert parts.schema.equals(whole.schema)
    assert parts._files[0]._table is None
    assert custcore.rfm(parts).equals(custcore.rfm(whole))


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    ("late", "words"), [({"customer_id": "A7"}, "customer_id"), ({"amount": {"eur": 1}}, "amount")]
)
def test_a_late_value_of_another_type(tmp_path, monkeypatch, late, words, is_large):
    (tmp_path / "a.jsonl").write_text("\n" + lines(**late))
    if is_large:
        monkeypatch.setattr(json_lines, "WHOLE", 10_000)
        monkeypatch.setattr(json_lines, "BLOCK", 4_000)
    with pytest.raises(FileFormatError, match=rf"a\.jsonl.*{words}.*in line 3,000"):
        custcore.rfm(custcore.read(tmp_path / "a.jsonl"))


def test_blocks_of_different_types(tmp_path, monkeypatch):
    texts = json.dumps({"customer_id": "A7", "timestamp": "2026-01-05", "amount": 1}) + "\n"
    (tmp_path / "a.jsonl").write_text(lines(200) + "\n" * 4000 + texts)
    monkeypatch.setattr(json_lines, "WHOLE", 10_000)
    monkeypatch.setattr(json_lines, "BLOCK", 4_000)
    with pytest.raises(FileFormatError, match="'customer_id' are int64 in some lines and string in others"):
        custcore.rfm(custcore.read(tmp_path / "a.jsonl"))
