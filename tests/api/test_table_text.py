"""`custcore.Table` on a screen and in a notebook: it fits the width, and hides nothing silently."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.result._layout import columns_shown, cut, display_width, pad, wrapped
from tests.samples import one_customer, transactions

HOSTILE = '<script>alert("x")</script>&\'<b>'
NAMES = ["王小明", "Jürgen", "José".replace("é", "e\u0301"), "ann", "東京カスタマー", "이영희", "👩", "x" * 60]


def cells(text: str) -> int:
    """The width by rich, which has tables of its own."""
    return pytest.importorskip("rich.cells").cell_len(text)


@pytest.fixture(params=[20, 40, 80, 120, 300])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def scored(ids: list[Any] | None = None, **options: Any) -> custcore.Table:
    ids = ids or [f"{name}{i}" for i, name in enumerate(NAMES * 3)]
    days = [date(2024, 1, 1) + timedelta(days=3 * i) for i in range(len(ids))]
    data = pa.table({"customer_id": ids, "timestamp": days, "amount": [1.5 * i for i in range(len(ids))]})
    return custcore.rfm_scores(data, **options)


def test_every_line_fits(width: int) -> None:
    tables = [
        scored(),
        scored(["王" * 100, "\u200b" * 3 + "e" + "\u0301" * 50]),
        scored(segments="octants"),
        custcore.rfm(transactions()),
        custcore.rfm(transactions().slice(0, 0)),
        custcore.profile(scored()),
        custcore.RFMScorer().fit(scored()).thresholds,
        custcore.cohort_retention(transactions()).to_table(),
    ]
    for table in tables:
        text = repr(table)
        first, *lines = text.split("\n")
        assert first == f"custcore.Table: {table.num_rows:,} rows x {len(table.columns)} columns"
        assert [line for line in lines if cells(line) > width] == []
        hidden = re.search(r"not shown, (\d+) columns: ", text)
        header = lines[0].replace("…", " ").split()
        if hidden and width >= 80:
            assert int(hidden[1]) == len(table.columns) - len(header)
            assert header[0] == table.columns[0]
            assert header[-1] == table.columns[-1]
        if width == 300:
            assert header == table.columns
    orders = transactions(300).append_column("who", pa.array((NAMES * 38)[:300]))
    triangle = repr(custcore.cohort_retention(orders, period="week", by="who"))
    assert [line for line in triangle.split("\n") if cells(line) > max(width, 70)] == []


def test_columns_are_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    table = scored([f"{name}{i}" for i, name in enumerate(NAMES[:-2] * 4)])
    lines = repr(table).split("\n")[1:12]
    gap = lines[0].index("…")
    for line in [line for line in lines[1:] if line != "…"]:
        place = line.index("…")
        assert cells(line[:place]) == gap


def test_the_names_of_segments_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("rf10", "octants", "r_vignette"):
        names = custcore.SegmentMap.named(name).names
        assert max(map(len, names)) <= 34
    # 4 of 8 octants occur.
    table = scored(segments="octants")
    assert all(str(name) in repr(table[i : i + 1]) for i, name in enumerate(table["segment"]))
    chinese = custcore.SegmentMap.named("octants", lang="zh")
    assert str(scored(segments=chinese)["segment"][0]) in repr(scored(segments=chinese))


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (1, 1), (15, 15), (25, 25), (26, 10), (5000, 10)])
def test_small_tables_are_shown_whole(n: int, shown: int) -> None:
    ids = [f"c{i:04}" for i in range(n)]
    data = pa.table(
        {"customer_id": pa.array(ids, pa.string()), "timestamp": pa.array([date(2024, 1, 1)] * n, pa.date32())}
    )
    table = custcore.rfm(data, amount=None)
    for text in (repr(table), table._repr_html_(), repr(table["customer_id"])):
        assert re.findall(r"c\d{4}", text) == [f"c{i:04}" for i in range(n) if n == shown or not 5 <= i < n - 5]
        assert f"{n:,} rows" in text
        assert ("…" in text or "&hellip;" in text) == (n > shown or "not shown" in text)
    thresholds = repr(custcore.RFMScorer().fit(scored()).thresholds)
    assert [thresholds.count(word) for word in ("recency", "frequency", "monetary")] == [5, 5, 5]


def test_long_and_hostile_ids_stay_on_their_line() -> None:
    ids = ["x" * 10_000, "line\nbreak", "\x1b[31mred", "a\u202eb", HOSTILE]
    data = one_customer([1.0] * 5, customer_id=ids).rename_columns(["id\x1b[31m", "timestamp", "amount"])
    table = custcore.rfm(data, customer_id="id\x1b[31m")
    for text in (repr(table), table._repr_html_(), repr(table["id\x1b[31m"])):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "line\nbreak" not in text
        assert max(map(len, text.splitlines())) < 5000


def test_html_is_escaped() -> None:
    table = one_customer([1.0, 2.0], customer_id=[HOSTILE, "plain"]).rename_columns(["<i>who", "timestamp", "amount"])
    text = custcore.rfm(table, customer_id="<i>who")._repr_html_()
    assert "<table" in text
    assert "plain" in text
    assert "&lt;script&gt;" in text
    assert "&lt;i&gt;who" in text
    for tag in ("<script", "<b>", "<i>"):
        assert tag not in text
    assert not re.search(r"&(?!\w+;|#)", text)


def test_html_of_binary_ids_and_of_many_columns() -> None:
    ids = pa.array([b"<b>\xff", b"ok"], pa.binary())
    assert "<b>" not in custcore.rfm(one_customer([1.0, 2.0], customer_id=ids))._repr_html_()
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(70)]
    matrix = custcore.cohort_retention(one_customer([1.0] * 70, timestamp=days), period="day").matrix()
    text = matrix._repr_html_()
    heads = [html.unescape(head) for head in re.findall(r"<th(?: [^>]*)?>(.*?)</th>", text)]
    assert heads == [*matrix.columns[:20], "…", *matrix.columns[-20:]]
    assert f"not shown, {len(matrix.columns) - 40} columns: 18, 19" in text


def test_left_out_rows_and_remarks_are_told() -> None:
    data = transactions()
    table = custcore.rfm(data, as_of="2001-01-01")
    assert "left out: null_customer_id 7, null_timestamp 2, after_as_of 81" in repr(table)
    assert "as_of=2001-01-01 is before the data" in table._repr_html_()


@pytest.mark.parametrize("text", ["", "abc", "王小明", "e\u0301e", "한국어", "ｆｕｌｌ", "ｶﾅ", "naïve café"])
def test_widths_are_those_of_rich(text: str) -> None:
    assert display_width(text) == cells(text)
    for size in range(1, 12):
        found = cut(text, size)
        assert cells(found) <= size
        assert found == text or found.endswith("…")
        assert cells(pad(found, size)) == cells(pad(found, size, right=True)) == size


def test_columns_are_dropped_from_the_middle() -> None:
    sizes = [5, 5, 50, 5, 5, 5]

    def fits(room: int) -> Any:
        return lambda places: sum(sizes[i] for i in places) <= room

    assert columns_shown(6, fits(75)) == [0, 1, 2, 3, 4, 5]
    assert columns_shown(6, fits(20)) == [0, 1, 4, 5]
    assert columns_shown(6, fits(25)) == [0, 1, 3, 4, 5]
    assert columns_shown(6, fits(5)) == [0]
    assert columns_shown(6, fits(0)) == [0]


def test_lines_of_words() -> None:
    assert wrapped("a bb ccc", 80) == ["a bb ccc"]
    assert wrapped("aa bb cc dd", 5) == ["aa bb", "  cc", "  dd"]
    assert wrapped("aa bb cc dd", 7, most=1) == ["aa bb …"]
    assert wrapped("王小明 李华 ann", 10, most=2) == ["王小明", "  李华 ann"]
