"""``custcore demo``: baskets are orders; the published numbers of Complete Journey."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import save

JOURNEY = ["household_id", "transaction_timestamp", "sales_value", "basket_id"]


def test_complete_journey(run_json, tmp_path):
    found = run_json("demo", "--output", "made/scores.parquet")
    assert (found["rows"], found["customers"], found["all"]["orders"]) == (1_469_307, 2_469, 155_848)
    assert found["all"]["revenue"] == pytest.approx(4_596_039.58, abs=0.005)
    scores = pq.read_table(tmp_path / "made" / "scores.parquet")
    assert scores.num_rows == 2_469
    assert sum(scores["n_orders"].to_pylist()) == 155_848


def test_the_screen(run):
    shown = run("demo").stdout
    assert "155,848 orders" in shown
    assert "4,596,039.58" in shown


def test_own_input(run, run_json, tmp_path):
    from tests.cli.conftest import sales

    save(sales(basket=[1, 1, 1, 2, 3, 4]).rename_columns(JOURNEY), tmp_path / "own.csv")
    assert run_json("demo", "--input", "own.csv")["customers"] == 3
    save(sales(), tmp_path / "wrong.parquet")
    assert "--customer-id customer_id" in run("demo", "--input", "wrong.parquet", code=3).stderr
    run("demo", "--input", "missing.parquet", code=2)
