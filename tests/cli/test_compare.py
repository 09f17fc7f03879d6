"""``custcore compare``: two files of scores, as ``custcore.compare`` compares them."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.cli import _render
from tests.cli.conftest import save
from tests.cli.test_kmeans import COLUMNS, ROLES, purchases


@pytest.fixture
def files(tmp_path, run):
    """Scores of two days, as the command line writes them."""
    save(purchases(), tmp_path / "sales.parquet")
    for name, words in (("before", ("--as-of", "2026-08-01")), ("after", ())):
        for suffix in ("parquet", "csv"):
            run("rfm", "sales.parquet", *COLUMNS, *words, "-o", f"{name}.{suffix}")


@pytest.fixture
def expected():
    return custcore.compare(
        custcore.rfm_scores(purchases(), **ROLES, as_of="2026-08-01"), custcore.rfm_scores(purchases(), **ROLES)
    )


def plain(table):
    return json.loads(json.dumps(_render.plain(table.to_pylist())))


def sizes(segments):
    """Segments that have customers."""
    return {row["segment"]: row["customers_after"] for row in segments if row["customers_after"]}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_the_api_says(run, run_json, tmp_path, files, expected, suffix, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = (f"before.{suffix}", f"after.{suffix}")
    shown = run("compare", *names).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert f"{expected.n_before:,} customers before, {expected.n_after:,} after: {expected.n_new:,} new" in shown
    assert "all customers" in shown
    found = run_json("compare", *names)
    counts = [found[name] for name in ("customers_before", "customers_after", "new", "gone", "moved")]
    assert counts == [expected.n_before, expected.n_after, expected.n_new, expected.n_gone, expected.n_moved]
    if suffix == "parquet":  # dictionaries have an order, and files of custcore a day
        assert found["segments"] == plain(expected.segments)
        assert found["moves"] == plain(expected.moves)
        assert found["days"] == ["2026-08-01", str(custcore.rfm(purchases(), **ROLES).report.as_of)]
        assert shown.startswith("before.parquet and after.parquet, 2026-08-01 to 2026-11-")
    else:
        assert sizes(found["segments"]) == sizes(plain(expected.segments))


@pytest.mark.parametrize("table", ["moves", "segments", "customers"])
def test_tables_as_files(run, tmp_path, files, expected, table):
    run("compare", "before.parquet", "after.parquet", "--table", table, "-o", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == getattr(expected, table).to_pylist()
    run("compare", "before.parquet", "after.parquet", "--table", table, "-o", "out.csv")
    assert csv.read_csv(tmp_path / "out.csv").num_rows == getattr(expected, table).num_rows
    result = run("compare", "before.parquet", "after.parquet", "--table", table, "-o", "-")
    assert result.stdout == (tmp_path / "out.csv").read_text()
    assert "all customers" in result.stderr


def test_a_workbook_has_all_tables(run, tmp_path, files):
    calamine = pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    run("compare", "before.parquet", "after.parquet", "-o", "out.xlsx")
    names = calamine.CalamineWorkbook.from_path(tmp_path / "out.xlsx").sheet_names
    assert names[:3] == ["moves", "segments", "customers"]


def test_composite_ids_and_other_columns(run, run_json, tmp_path):
    one = pa.table({"shop": ["A", "B"], "id": [1, 1], "kind": ["x", "y"], "spend": [1.0, 2.0]})
    two = pa.table({"shop": ["A", "C"], "id": [1, 1], "kind": ["y", "y"], "spend": [4.0, 2.0]})
    for suffix in ("parquet", "csv"):
        save(one, tmp_path / f"one.{suffix}")
        save(two, tmp_path / f"two.{suffix}")
        words = ("--customer-id", "shop,id", "--segment-column", "kind", "--monetary-column", "spend")
        found = run_json("compare", f"one.{suffix}", f"two.{suffix}", *words)
        expected = custcore.compare(one, two, customer_id=["shop", "id"], segment="kind", monetary="spend")
        assert found["moves"] == plain(expected.moves)
        assert (found["new"], found["gone"], found["moved"]) == (1, 1, 1)
    # Files of custcore state their key.
    sales = purchases().append_column("shop", pa.array(["A"] * purchases().num_rows))
    save(sales, tmp_path / "sales.parquet")
    for name, words in (("before", ("--as-of", "2026-08-01")), ("after", ())):
        run("rfm", "sales.parquet", "--customer-id", "shop,who", *COLUMNS[2:], *words, "-o", f"{name}.parquet")
    run("compare", "before.parquet", "after.parquet", "--table", "customers", "-o", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").column_names[:2] == ["shop", "who"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["before.parquet"], 2, "AFTER"),
        (["before.parquet", "none.parquet"], 2, "none.parquet"),
        (["before.parquet", "sales.parquet"], 3, "sales.parquet: there is no column 'segment' (--segment-column)"),
        (["before.parquet", "after.parquet", "--segment-column", "segmnt"], 3, "Did you mean 'segment'?"),
        (
            ["before.parquet", "after.parquet", "--customer-id", "whom"],
            3,
            "'whom' (--customer-id). Did you mean",
        ),
        (["before.parquet", "numbers.parquet"], 3, "before.parquet and numbers.parquet: "),
        (["before.parquet", "twice.parquet"], 3, "before.parquet and twice.parquet: "),
        (["before.parquet", "after.parquet", "-o", "after.parquet"], 2, "is an input file"),
        (["before.parquet", "after.parquet", "--table", "move"], 2, "Did you mean 'moves'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_compared(run, tmp_path, files, words, code, said):
    after = pq.read_table(tmp_path / "after.parquet")
    save(after.set_column(0, "who", pa.array(range(len(after)))), tmp_path / "numbers.parquet")
    save(pa.concat_tables([after, after]), tmp_path / "twice.parquet")
    assert said in run("compare", *words, code=code).stderr


def test_a_customer_in_two_rows_is_named_without_an_option(run, tmp_path):
    rows = pa.table({"customer_id": ["c1", "c1"], "segment": ["a", "b"]})
    pq.write_table(rows, tmp_path / "twice.parquet")
    shown = run("compare", "twice.parquet", "twice.parquet", code=3).stderr
    assert "customer 'c1' has two rows" in shown
    assert "--customer-id COLUMN,..." in shown
    assert "Ellipsis" not in shown
