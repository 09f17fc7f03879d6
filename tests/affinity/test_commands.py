"""``custcore pairs`` and ``custcore rules``: what the API says, on a screen and in files."""

from __future__ import annotations

import json

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.affinity.basket_cases import table
from tests.affinity.test_baskets import ROWS
from tests.cli.conftest import run, run_json, save  # noqa: F401 (fixtures)

CALL = ("lines.parquet", "--item", "item", "--order-id", "order", "--amount", "amount")
FEW = ("--min-item-baskets", "1", "--min-pair-baskets", "1")
OPTIONS = {"order_id": "order", "amount": "amount"}


@pytest.fixture
def lines(tmp_path):
    save(table(ROWS), tmp_path / "lines.parquet")


def test_pairs_on_a_screen(run, lines):  # noqa: F811
    shown = run("pairs", *CALL, *FEW).stdout
    cells = [line.split() for line in shown.splitlines()]
    assert ["1", "2", "2", "100.0%", "100.0%", "2.00", "1.00", "1"] in cells
    for words in ("1 order that sum to less than 0", "size_factor", "compares baskets of like size", "13 rows of"):
        assert words in shown
    assert "no pairs: fewer than two items are in 5 baskets" in run("pairs", *CALL).stdout


def test_pairs_in_files(run, run_json, lines, tmp_path):  # noqa: F811
    run("pairs", *CALL, *FEW, "--anonymous", "-o", "out.parquet")
    expected = custcore.pairs(
        table(ROWS), "item", **OPTIONS, anonymous=True, min_item_baskets=1, min_pair_baskets=1
    ).to_pylist()
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == expected
    found = run_json("pairs", *CALL, "--min-item-baskets", "0.2", "--min-pair-baskets", "1", "--test", "fisher")
    assert [row["n_ab"] for row in found["table"]] == [2]
    assert found["settings"]["min_item_baskets"] == 0.2
    assert {entry["name"]: entry["count"] for entry in found["report"]}["refunds"] == 1


def test_rules_on_a_screen_and_in_files(run, run_json, lines, tmp_path):  # noqa: F811
    shown = run("rules", *CALL, "--min-baskets", "2").stdout
    assert ["1", "2", "2", "100.0%", "+50.0%", "2.00", "1.00"] in [line.split() for line in shown.splitlines()]
    run("rules", *CALL, "--min-baskets", "2", "-o", "rules.csv")
    assert csv.read_csv(tmp_path / "rules.csv").column("antecedent").to_pylist() == [1, 2]
    found = run_json("rules", *CALL, "--min-baskets", "1", "--max-len", "2", "--min-confidence", "0.9")
    expected = custcore.rules(table(ROWS), "item", **OPTIONS, min_baskets=1, max_len=2, min_confidence=0.9)
    assert found["table"] == json.loads(json.dumps(expected.to_pylist()).replace("Infinity", "null"))


def test_wrong_commands(run, lines):  # noqa: F811
    assert "--item is missing" in run("pairs", "lines.parquet", code=2).stderr
    assert "--basket order needs --order-id" in run("rules", *CALL[:3], "--basket", "order", code=2).stderr
    assert "neither a number of baskets" in run("pairs", *CALL, "--min-item-baskets", "1.5", code=2).stderr
    assert "there is no column 'itm' (--item)" in run("pairs", "lines.parquet", "--item", "itm", code=3).stderr
    assert "--anonymous" in run("pairs", "lines.parquet", "--item", "item", "--anonymous", code=2).stderr
