"""``custcore abc``: the classes on the screen, the table and the curve as files, settings."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save

IDS = ["ann", "bob", "cleo", "dan", "eve", None]
DAY = dt.date(2026, 1, 5)


def sales(**columns):
    """Five customers, one of whom returned more than he bought, and a row without an id."""
    table = {"customer_id": IDS, "timestamp": [DAY] * 6, "amount": [10.0, 60.0, 25.0, 5.0, 0.0, 1.0]}
    country = ["FR", "DE", "DE", None, "FR", "FR"]
    rows = pa.table(table | {"country": country} | columns)
    refund = pa.table({"customer_id": ["eve"], "timestamp": [DAY], "amount": [-3.0], "country": ["FR"]})
    return pa.concat_tables([rows, refund]) if not columns else rows


@pytest.fixture
def file(tmp_path):
    return save(sales(), tmp_path / "sales.parquet").name


def test_the_screen(run, file):
    shown = run("abc", file).stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["A", "2", "40.0%", "85.00", "85.0%"] in lines
    assert ["B", "1", "20.0%", "10.00", "10.0%"] in lines
    assert ["C", "2", "40.0%", "2.00", "5.0%"] in lines
    assert ["all", "5", "100.0%", "97.00", "100.0%"] in lines
    assert "Of the value, the first 1% of the customers have 60.0%, 5% have 60.0%" in shown
    assert "The Gini coefficient is 0.560" in shown
    assert "1 customer with more refunds than purchases, of value 0 (-3.00 in all)" in shown
    assert "1 row without a customer id (1.00 in all)" in shown


def test_files(run, file, tmp_path):
    shown = run("abc", file, "-o", "out.parquet", "--pareto", "curve.parquet", "--thresholds", "0.5").stdout
    expected = custcore.abc(sales(), thresholds=[0.5]).to_pyarrow()
    # Lists: pyarrow before 20 does not keep the type of the indices of a dictionary in Parquet.
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == expected.to_pylist()
    base = custcore.CustomerBase()
    base.update(sales())
    assert pq.read_table(tmp_path / "curve.parquet").equals(base.pareto().to_pyarrow())
    assert "5 customers written to out.parquet." in shown
    assert "Pareto curve written to curve.parquet." in shown


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--by", "customers", "--ties", "same"], {"by": "customers", "ties": "same"}),
        (["--rule", "upto"], {"rule": "upto"}),
        (["--group", "country"], {"group": "country"}),
        (["--customer-id", "country,customer_id", "--group", "country"],
         {"customer_id": ["country", "customer_id"], "group": "country"}),
        (["--returns", "exclude", "--as-of", "2026-01-04"], {"returns": "exclude", "as_of": "2026-01-04"}),
        (["--order-id", "country"], {"order_id": "country"}),
    ],
)  # fmt: skip
def test_options_reach_the_api(run, file, tmp_path, words, options):
    run("abc", file, *words, "-o", "out.parquet")
    assert (
        pq.read_table(tmp_path / "out.parquet").to_pylist() == custcore.abc(sales(), **options).to_pyarrow().to_pylist()
    )


def test_json(run_json, file):
    found = run_json("abc", file, "--group", "country")
    assert (found["rows"], found["customers"], found["as_of"]) == (7, 5, "2026-01-05")
    assert [row["value_class"] for row in found["classes"]] == ["A", "B", "C"]
    assert sum(row["customers"] for row in found["classes"]) == 5
    assert found["concentration"][3]["top"] == 0.2
    assert found["settings"]["group"] == "country"


def test_no_customers(run, tmp_path):
    save(sales().slice(5, 1), tmp_path / "none.parquet")
    assert "No customers" in run("abc", "none.parquet").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--thresholds", "0.9,0.8"], "thresholds must ascend"),
        (["--thresholds", "a"], "is not a list of shares"),
        (["--rule", "befor"], "Did you mean 'before'?"),
        (["--pareto", "out.csv", "-o", "out.csv"], "-o and --pareto are both out.csv"),
    ],
)
def test_wrong_usage(run, file, words, said):
    assert said in run("abc", file, *words, code=2).stderr


def test_a_group_that_is_no_column(run, file):
    assert "'contry'" in run("abc", file, "--group", "contry", code=3).stderr
