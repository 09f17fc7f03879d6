"""``custcore funnel`` and ``custcore review``: what the API says, on a screen and in files."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import run, run_json, save  # noqa: F401 (fixtures)
from tests.effect.test_health import ROWS

EVENTS = pa.table(
    {
        "customer_id": [1, 1, 1, 2, 2, 3, None],
        "timestamp": [
            f"2026-01-{day:02} {hour:02}:00:00"
            for day, hour in ((1, 8), (1, 9), (1, 12), (2, 8), (4, 9), (9, 8), (9, 9))
        ],
        "event": ["view", "cart", "order", "view", "cart", "view", "search"],
        "channel": ["app", "app", "web", "web", "web", "app", "app"],
    }
)
STEPS = ["view", "cart", "order"]
CALL = ("funnel", "events.csv", "--steps", "view,cart,order", "--window", "1d")


@pytest.fixture
def events(tmp_path):
    save(EVENTS, tmp_path / "events.csv")


@pytest.fixture
def sales(tmp_path):
    names = ("customer_id", "timestamp", "amount")
    save(pa.table({name: [row[i] for row in ROWS] for i, name in enumerate(names)}), tmp_path / "sales.parquet")


def test_funnel_on_a_screen(run, events, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(*CALL).stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["1", "view", "2", "100.0%"] in [line[:4] for line in lines]
    assert ["3", "order", "1", "50.0%"] in [line[:4] for line in lines]
    assert "3.0 h" in shown
    assert "1 more only have starts whose window is not over." in shown
    assert "1 row without a customer id" in shown
    assert max(map(len, shown.splitlines())) <= 160
    by = run(*CALL, "--by", "channel").stdout
    assert ["app", "1", "view", "1", "100.0%"] in [line.split()[:5] for line in by.splitlines()]


def test_funnel_in_files(run, run_json, events, tmp_path):  # noqa: F811
    run(*CALL, "--by", "channel", "-o", "out.parquet")
    times = pa.array([dt.datetime.fromisoformat(text) for text in EVENTS["timestamp"].to_pylist()], pa.timestamp("us"))
    table = EVENTS.set_column(1, "timestamp", times)
    expected = custcore.funnel(table, STEPS, "1d", by="channel")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == expected.to_pylist()
    found = run_json(*CALL, "--order", "any", "--observation-end", "2026-01-04")
    assert [row["customers"] for row in found["steps"]] == [2, 1, 1]
    assert found["settings"]["window"] == "1d"
    assert {entry["name"]: entry["count"] for entry in found["report"]}["after_observation_end"] == 2
    strict = run_json(*CALL, "--strict")
    assert [row["customers"] for row in strict["steps"]] == [2, 1, 1]


def test_wrong_funnels(run, events):  # noqa: F811
    assert "--steps is missing, e.g. --steps view,cart,order" in run("funnel", "events.csv", code=2).stderr
    assert "--window is missing" in run("funnel", "events.csv", "--steps", "view,cart", code=2).stderr
    assert "is not a length of time" in run(*CALL[:-1], "soon", code=2).stderr
    assert "--strict has no meaning" in run(*CALL, "--strict", "--order", "any", code=2).stderr
    assert "there is no column 'chanel' (--by)" in run(*CALL, "--by", "chanel", code=3).stderr
    assert "steps has 1 names" in run("funnel", "events.csv", "--steps", "view", "--window", "1d", code=2).stderr


def test_review_on_a_screen(run, sales, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("review", "sales.parquet", "--month", "2026-02").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["measure", "2026-02", "2026-01", "2025-02"] in lines
    for words in ("where the change came from", "kept down", "effects against"):
        assert words in shown
    # By default it is the last month that is over.
    assert ["measure", "2026-03", "2026-02", "2025-03"] in [
        line.split() for line in run("review", "sales.parquet").stdout.splitlines()
    ]


def test_review_of_a_month_that_is_not_over(run, tmp_path):  # noqa: F811
    days = [dt.date(2026, 1, day) for day in (5, 9, 12)]
    save(pa.table({"customer_id": [1, 2, 1], "timestamp": days, "amount": [1.0, 2.0, 4.5]}), tmp_path / "few.parquet")
    shown = run("review", "few.parquet").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["measure", "2026-01", "*"] in lines
    assert ["revenue", "7.50"] in lines
    assert "There are fewer than six months before: nothing has limits." in shown
    only_refunds = pa.table({"customer_id": [1], "timestamp": days[:1], "amount": [-1.0]})
    save(only_refunds, tmp_path / "refunds.parquet")
    assert "no purchase by its end" in run("review", "refunds.parquet", code=3).stderr


def test_review_in_files(run, run_json, sales, tmp_path):  # noqa: F811
    base = custcore.CustomerBase(track="days")
    base.update(pq.read_table(tmp_path / "sales.parquet"))
    review = base.review("2026-02")
    run("review", "sales.parquet", "--month", "2026-02", "--table", "change", "-o", "out.csv")
    options = csv.ConvertOptions(strings_can_be_null=True)
    found = csv.read_csv(tmp_path / "out.csv", convert_options=options).to_pylist()
    assert [row["revenue"] for row in found] == review.change["revenue"].to_pylist()
    run("review", "sales.parquet", "--month", "2026-02", "--table", "health", "-o", "health.parquet")
    assert pq.read_table(tmp_path / "health.parquet").to_pylist() == base.health("2026-02-28").to_pylist()
    said = run_json("review", "sales.parquet", "--month", "2026-02")
    assert said["change"] == json.loads(json.dumps(review.change.to_pylist()))
    assert len(said["measures"]) == 3
    assert said["settings"]["month"] == "2026-02"


def test_a_workbook_has_all_tables(run, sales, tmp_path):  # noqa: F811
    pytest.importorskip("xlsxwriter")
    run("review", "sales.parquet", "--month", "2026-02", "-o", "review.xlsx")
    with zipfile.ZipFile(tmp_path / "review.xlsx") as book:
        sheets = re.findall(r'<sheet name="([^"]*)"', book.read("xl/workbook.xml").decode())
    changes = ["change", "change_year", "decomposition", "decomposition_year"]
    assert sheets[:-1] == ["measures", *changes, "flows", "health"]


def test_wrong_reviews(run, sales):  # noqa: F811
    assert "--no-amount" in run("review", "sales.parquet", "--no-amount", code=2).stderr
    assert "no data of 2030-01" in run("review", "sales.parquet", "--month", "2030-01", code=3).stderr
    assert "is not a period" in run("review", "sales.parquet", "--month", "2026-13", code=2).stderr
    wrong = run("review", "sales.parquet", "--month", "2025-01", "--table", "flows", "-o", "out.csv", code=2)
    assert "there is no table 'flows' of 2025-01" in wrong.stderr
