"""``custcore portrait`` and ``custcore nps``: what the API says, on a screen and in files."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save

N = 120
SEGMENTS = pa.table({"customer_id": range(N), "segment": ["new"] * 40 + ["loyal"] * 80})
PEOPLE = pa.table(
    {
        "customer_id": range(N),
        "land": ["DE"] * 30 + ["FR"] * 30 + ["DE"] * 60,
        "age": [20 + i % 60 for i in range(N)],
        "income": [i / 2 for i in range(N)],
    }
)
BOUGHT = pa.table({"customer_id": [i % N for i in range(3 * N)], "item": ["tea", "tin", "pot"] * N})
ANSWERS = pa.table(
    {
        "customer_id": [1, 1, 2, 3, 4, None],
        "score": [9, 3, 10, None, 7, 9],
        "team": ["a", "a", "b", "b", None, "a"],
        "day": ["2026-01-02", "2026-01-01", "2026-01-01", "2026-01-01", "2026-01-01", "2026-01-01"],
    }
)


@pytest.fixture
def files(tmp_path):
    for table, name in ((SEGMENTS, "scores.parquet"), (PEOPLE, "people.csv"), (BOUGHT, "bought.parquet")):
        save(table, tmp_path / name)
    save(ANSWERS, tmp_path / "answers.csv")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sentences_on_a_screen(run, files, lang, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(
        "portrait", "scores.parquet", "--attributes", "people.csv", "--lang", lang, "--bins", "age=40,60"
    ).stdout
    expected = custcore.portrait(SEGMENTS, PEOPLE, bins={"age": [40, 60]})
    for sentence in expected.sentences(lang)["sentence"].to_pylist():
        assert sentence in shown
    assert "attribute 'land': known for 120 of 120 customers (100.0 %)" in shown
    assert "240 rows of scores.parquet, people.csv in" in shown


def test_lists_and_names(run, files, tmp_path):
    target = tmp_path / "out.parquet"
    run("portrait", "scores.parquet", "--attributes", "people.csv", "--long", "what=bought.parquet", "-o", target)
    expected = custcore.portrait(SEGMENTS, {"people": PEOPLE}, long={"what": BOUGHT})
    assert pq.read_table(target).drop_columns(["segment"]).equals(expected.to_pyarrow().drop_columns(["segment"]))
    run(
        "portrait",
        "scores.parquet",
        "--long",
        "bought.parquet",
        "--table",
        "sentences",
        "--lang",
        "zh",
        "-o",
        "out.csv",
    )
    found = csv.read_csv(tmp_path / "out.csv").to_pylist()
    assert found == custcore.portrait(SEGMENTS, long=BOUGHT).sentences("zh").to_pylist()
    run("portrait", "scores.parquet", "--attributes", "people.csv", "--table", "marks", "-o", "marks.csv")
    marks = csv.read_csv(tmp_path / "marks.csv")
    assert marks["value"].to_pylist() == custcore.portrait(SEGMENTS, PEOPLE).marks()["value"].to_pylist()
    shown = run("portrait", "scores.parquet", "--attributes", "people.csv", "--min-customers", "1000").stdout
    assert "nothing sets it apart at the 5 % level (80 customers)" in shown
    run("portrait", "scores.parquet", "--attributes", "people.csv", "-o", "all.xlsx")
    assert (tmp_path / "all.xlsx").exists()


def test_portrait_errors(run, files):
    assert "no attributes: --attributes FILE" in run("portrait", "scores.parquet", code=2).stderr
    wrong = run("portrait", "scores.parquet", "--attributes", "people.csv", "--segment-column", "segmen", code=3)
    assert "there is no column 'segmen' (--segment-column)" in wrong.stderr
    wrong = run("portrait", "scores.parquet", "--attributes", "people.csv", "--customer-id", "id", code=3)
    assert "there is no column 'id' (--customer-id)" in wrong.stderr
    for bins in ("age", "age=many", "=3"):
        wrong = run("portrait", "scores.parquet", "--attributes", "people.csv", "--bins", bins, code=2)
        assert "is none of NAME=4 (quantiles), NAME=30,50 (edges) and NAME=each" in words(wrong.stderr)
    wrong = run("portrait", "people.csv", "--attributes", "bought.parquet", code=3)
    assert "there is no column 'segment'" in wrong.stderr


def test_nps_on_a_screen(run, files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("nps", "answers.csv", "--by", "team").stdout
    lines = {line.split()[0]: line.split() for line in shown.splitlines() if line.strip()}
    assert lines["all"] == ["all", "5", "3", "1", "1", "1", "+40.0", "-29.8", "to", "+79.8"]
    assert lines["a"][:7] == ["a", "3", "2", "0", "1", "0", "+33.3"]
    assert "1 row without a segment" in shown


def test_nps_in_files(run, files, tmp_path):
    run("nps", "answers.csv", "--by", "team", "--customer-id", "customer_id", "--timestamp", "day", "-o", "out.csv")
    answers = ANSWERS.set_column(3, "day", ANSWERS["day"].cast(pa.date32()))
    expected = custcore.nps(answers, by="team", customer_id="customer_id", timestamp="day")
    found = csv.read_csv(tmp_path / "out.csv", convert_options=csv.ConvertOptions(strings_can_be_null=True))
    assert found.to_pylist() == expected.to_pylist()
    wrong = run("nps", "answers.csv", "--timestamp", "day", code=2)
    assert "name their column, --customer-id" in wrong.stderr
    assert (
        "there is no column 'answer' (--score-column)"
        in run("nps", "answers.csv", "--score-column", "answer", code=3).stderr
    )
    save(pa.table({"score": [9, 11]}), tmp_path / "odd.csv")
    assert "'score' is 11 at row 1" in run("nps", "odd.csv", code=3).stderr
