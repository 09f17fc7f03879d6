"""What a terminal shows at 60, 80 and 120 columns: names whole, columns aligned, nothing beyond the edge."""

from __future__ import annotations

import pyarrow as pa
import pytest
from rich.cells import cell_len
from rich.console import Console

from custcore.cli import _render
from custcore.cli._grid import Column, Grid
from tests.cli.conftest import save
from tests.cli.example_files import write_example_files

WIDTHS = (60, 80, 120)
# The eight segments usual in China, in their language.
OCTANTS = (
    "重要价值客户",
    "重要发展客户",
    "重要保持客户",
    "重要挽留客户",
    "一般价值客户",
    "一般发展客户",
    "一般保持客户",
    "一般挽留客户",
)


@pytest.fixture
def shown(run, tmp_path, monkeypatch):
    """Run a command on a terminal of some width; the lines on it."""
    write_example_files(tmp_path)

    def call(width, *words):
        monkeypatch.setattr(_render, "console", lambda _target=None: terminal(width))
        return run(*words).stdout.splitlines()

    return call


def terminal(width):
    return Console(width=width, force_terminal=True, color_system=None, highlight=False, markup=False, emoji=False)


def lines_of(grid, width):
    out = terminal(width)
    with out.capture() as captured:
        out.print(grid)
    return captured.get().splitlines()


def check_fits(lines, width):
    assert max(map(cell_len, lines)) <= width
    assert not any("…" in line for line in lines)


def profile(names):
    rows = [
        {
            "segment": name,
            "customers": 1234 * (i + 1),
            "share": 0.125,
            "revenue": 1_234_567.89 / (i + 1),
            "revenue_share": 0.125,
            "recency_mean": 123.4,
            "frequency_mean": 12.3,
            "monetary_mean": 1_234.56,
        }
        for i, name in enumerate(names)
    ]
    return rows, {**rows[0], "customers": 44_424, "share": 1.0, "revenue_share": 1.0}


@pytest.mark.parametrize("width", [40, *WIDTHS])
@pytest.mark.parametrize("names", [OCTANTS, ("important win back customers", "cant_lose", "x" * 28)], ids=["cn", "en"])
def test_names_of_segments_are_whole_and_columns_are_aligned(width, names):
    lines = lines_of(_render.segment_grid(*profile(names), "orders"), width)
    check_fits(lines, width)
    rows = [next(line for line in lines if line.startswith(name)) for name in names]
    for customers in range(len(names)):
        assert f" {1234 * (customers + 1):,} " in f"{rows[customers]} "
    # The right edges of the columns: cells, not characters, as East Asian characters take two.
    assert {cell_len(line.rstrip()) for line in [lines[0], *rows]} == {cell_len(lines[0].rstrip())}
    edges = {
        cell_len(row[: row.index(f"{1234 * (i + 1):,}")]) + len(f"{1234 * (i + 1):,}") for i, row in enumerate(rows)
    }
    assert len(edges) == 1


def test_what_does_not_fit_is_named():
    narrow, wide = (lines_of(_render.segment_grid(*profile(OCTANTS), "orders"), width) for width in (60, 120))
    assert any(line.startswith("Not shown at this width: share of customers, ") for line in narrow)
    assert not any("Not shown" in line for line in wide)
    assert wide[0].split() == ["segment", "customers", "share", "revenue", "share", "recency", "orders", "money"]


def test_columns_of_the_highest_rank_are_left_out_together():
    grid = Grid([Column("name"), Column("same", rank=1), Column("left", rank=2), Column("right", rank=2)])
    grid.add_row("n" * 10, "1", "2" * 10, "3" * 10)
    assert lines_of(grid, 60)[0].split() == ["name", "same", "left", "right"]
    assert lines_of(grid, 30)[0].split() == ["name", "same"]
    assert lines_of(grid, 12)[0].split() == ["name"]
    assert [line.strip() for line in lines_of(grid, 6) if line.strip("n ") == ""][:2] == ["nnnnnn", "nnnn"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["rfm", "sales.csv", "--segments", "octants", "--bins", "2"], ["important win back customers"]),
        (["rfm", "sales.csv"], ["potential_loyalists", "about_to_sleep", "all"]),
        (["kmeans", "sales.csv", "-k", "4"], ["frequent", "big spend"]),
        (["cohort", "sales.csv", "--period", "week"], ["2025-12-29 <", "average"]),
        (["abc", "sales.csv", "--group", "country"], ["class", "all", "Gini"]),
        (["cohort", "sales.csv", "--by", "country"], ["FR 2026-01", "DE 2026-02"]),
        (["measures", "sales.csv"], ["2026-01", "2026-02", "revenue"]),
        (["measures", "sales.csv", "--by", "country", "--period", "week"], ["2025-12-29", "DE", "FR"]),
        (["measures", "sales.csv", "--decompose", "--include-partial"], ["2026-02", "change"]),
        (["bench", "sales.csv", "--repeat", "1"], ["recency_days", "monetary_total"]),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) and " " not in part[0] else "",
)
def test_screens(shown, width, words, names):
    lines = shown(width, *words)
    check_fits(lines, width)
    for name in names:
        assert any(name in line for line in lines), name


@pytest.mark.parametrize("width", WIDTHS)
def test_screens_of_inspect(shown, width, tmp_path):
    table = pa.table(
        {
            "客户编号": ["甲", "乙", "丙"],
            "a_rather_long_name_of_a_column": pa.array(["x" * 40, "y" * 40, "z" * 40]).dictionary_encode(),
            "timestamp": pa.array(["2026-01-01", "2026-01-02", "2026-01-03"]),
        }
    )
    save(table, tmp_path / "cn.parquet")
    *lines, _ = [line for line in shown(width, "inspect", "cn.parquet") if not line.startswith("Next:")]
    assert max(map(cell_len, lines)) <= width
    assert any(line.startswith("客户编号  ") for line in lines)
    assert any(line.startswith("a_rather_long_name_of_a_column  ") for line in lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_cohorts_of_a_column_in_chinese(shown, width, tmp_path):
    days = pa.array(["2026-01-01", "2026-01-20", "2026-02-03", "2026-02-05"]).cast(pa.date32())
    table = pa.table({"customer_id": [1, 1, 2, 2], "timestamp": days, "channel": ["微信小程序"] * 2 + ["线下门店"] * 2})
    save(table, tmp_path / "cn.parquet")
    lines = shown(width, "cohort", "cn.parquet", "--cohort-by", "channel", "--period", "week")
    check_fits(lines, width)
    first, second = (next(line for line in lines if line.startswith(name)) for name in ("微信小程序", "线下门店"))
    assert cell_len(first[: first.index("100%")] + "100%") == cell_len(second[: second.index("-*")] + "-*")


def test_one_more_column_is_no_plural(shown):
    lines = shown(80, "cohort", "sales.csv", "--period", "week")
    assert "1 more column." in lines
