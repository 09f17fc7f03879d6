"""``custcore measures``: months on the screen, tables as files, what changes consist of."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save

DAYS = [(1, 5), (1, 9), (2, 3), (2, 4), (2, 20), (2, 28), (3, 3), (3, 4)]


def sales() -> pa.Table:
    """Three months, the last one not over, with a refund, and one of somebody who bought nothing."""
    return pa.table(
        {
            "customer_id": ["ann", "bob", "ann", "bob", "cleo", "cleo", "dan", "ann"],
            "timestamp": [dt.date(2026, *day) for day in DAYS],
            "amount": [10.0, 20.0, 12.0, -5.0, 8.0, 9.0, -2.0, 11.0],
            "country": ["FR", "DE", "FR", "DE", None, None, "FR", "FR"],
        }
    )


@pytest.fixture
def file(tmp_path):
    return save(sales(), tmp_path / "sales.parquet").name


def test_the_screen(run, file):
    shown = run("measures", file).stdout
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0][:9] == ["month", "active", "new", "back", "churned", "kept", "orders", "repeat", "revenue"]
    assert ["2026-01", "2", "2", "0", "0", "-", "2", "0.0%", "30.00", "0.00", "15.00"] in [row[:11] for row in lines]
    assert ["2026-02", "2", "1", "0", "1", "50.0%", "3", "50.0%", "24.00", "-5.00", "8.00"] in [
        row[:11] for row in lines
    ]
    assert any(row[:2] == ["2026-03", "*"] for row in lines)
    assert "* not over on the last day." in shown
    assert "1 customer with refunds only (-2.00 in all)" in shown


def test_changes(run, file):
    shown = run("measures", file, "--decompose").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0] == ["month", "against", "change", "customers", "orders", "each", "order", "value", "refunds"]
    assert lines[2][:3] == ["2026-02", "2026-01", "-6.00"]
    assert lines[2][-1] == "-5.00"
    assert "1 change left out: a period is not over on the last day" in shown
    assert "2026-03" in run("measures", file, "--decompose", "--include-partial").stdout
    assert "No changes" in run("measures", file, "--decompose", "--lag", "12").stdout


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--period", "week", "--week-start", "sunday"], {"period": "week", "week_start": "sunday"}),
        (["--by", "country"], {"by": "country"}),
        (["--no-amount"], {"amount": None}),
        (["--period", "all", "--returns", "exclude"], {"period": "all", "returns": "exclude"}),
        (["--order-id", "country", "--as-of", "2026-02-28"], {"order_id": "country", "as_of": "2026-02-28"}),
    ],
)
def test_options_reach_the_api(run, file, tmp_path, words, options):
    shown = run("measures", file, *words, "-o", "out.parquet").stdout
    expected = custcore.measures(sales(), **options).to_pyarrow()
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == expected.to_pylist()
    assert "Written to out.parquet." in shown


def test_changes_as_a_file(run, file, tmp_path):
    run("measures", file, "--decompose", "--include-partial", "--by", "country", "-o", "out.csv")
    expected = custcore.decomposition(sales(), by="country", include_partial=True)
    header = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert header.replace('"', "").split(",") == list(expected.column_names)


def test_json(run_json, file):
    found = run_json("measures", file, "--by", "country")
    assert found["rows"] == 8
    assert [row["country"] for row in found["periods"]] == ["DE"] * 3 + ["FR"] * 3 + [None] * 3
    assert found["settings"]["by"] == "country"
    assert found["as_of"] == "2026-03-04"


def test_no_purchases(run, tmp_path):
    save(sales().slice(6, 1), tmp_path / "none.parquet")
    assert "No periods: there is no purchase." in run("measures", "none.parquet").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lag", "2"], "--lag is an option of --decompose"),
        (["--include-partial"], "--include-partial is an option of --decompose"),
        (["--decompose", "--no-amount"], "--decompose needs money"),
        (["--decompose", "--period", "all"], "--decompose compares periods"),
        (["--decompose", "--lag", "0"], "0"),
        (["--period", "moth"], "month"),
        (["--by", "customer_id"], "column of customer ids"),
    ],
)
def test_wrong_usage(run, file, words, said):
    assert said in run("measures", file, *words, code=2).stderr


def test_a_group_that_is_no_column(run, file):
    assert "contry" in run("measures", file, "--by", "contry", code=3).stderr
