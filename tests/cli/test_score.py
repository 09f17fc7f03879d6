"""``custcore score``: saved models on new data; ``--save-model`` of the commands that fit."""

from __future__ import annotations

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save
from tests.cli.test_kmeans import COLUMNS, ROLES, purchases


def half(table, *, first: bool):
    """The purchases up to a day in the middle, or all."""
    days = table["day"].to_pylist()
    middle = sorted(days)[len(days) // 2]
    return table.filter(pa.array([day <= middle for day in days])) if first else table


@pytest.fixture
def files(tmp_path):
    save(half(purchases(), first=True), tmp_path / "then.parquet")
    save(purchases(), tmp_path / "now.parquet")


def rfm(**options):
    return custcore.rfm(purchases(), **ROLES, **options)


def test_the_scorer_that_rfm_saves_scores_as_rfm_did(run, tmp_path, files):
    run("rfm", "then.parquet", *COLUMNS, "-o", "scores.parquet", "--save-model", "m.json")
    run("score", "then.parquet", *COLUMNS, "--model", "m.json", "-o", "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(tmp_path / "scores.parquet"))
    kept = custcore.RFMScorer.load(tmp_path / "m.json")
    assert kept == custcore.RFMScorer().fit(custcore.rfm(half(purchases(), first=True), **ROLES))


@pytest.mark.parametrize(
    "words",
    [
        ["--bins", "3", "--segments", "octants"],
        ["--ties", "split"],
        ["--binning", "nested"],
        ["--frequency", "days", "--monetary", "mean"],
        ["--no-amount"],
    ],
    ids=" ".join,
)
def test_settings_are_kept_in_the_model(run, tmp_path, files, words):
    money = [] if "--no-amount" in words else COLUMNS[4:]
    columns = [*COLUMNS[:4], *money]
    run("rfm", "now.parquet", *columns, *words, "-o", "scores.parquet", "--save-model", "m.json")
    no_money = ["--no-amount"] if not money else []
    run("score", "now.parquet", *columns, *no_money, "--model", "m.json", "-o", "again.parquet")
    scores, again = (pq.read_table(tmp_path / name) for name in ("scores.parquet", "again.parquet"))
    assert again.to_pylist() == scores.to_pylist()


def test_purchases_or_customers_are_told_apart_by_their_columns(run, run_json, tmp_path, files):
    run("rfm", "then.parquet", *COLUMNS, "--save-model", "m.json")
    save(rfm().to_pyarrow(), tmp_path / "customers.parquet")
    save(rfm().to_pyarrow(), tmp_path / "customers.csv")
    expected = custcore.RFMScorer.load(tmp_path / "m.json").transform(rfm())
    for name, words in (("now.parquet", COLUMNS), ("customers.parquet", ()), ("customers.csv", ())):
        found = run_json("score", name, *words, "--model", "m.json", "-o", "out.parquet")
        assert found["input"] == ("purchases" if words else "customers")
        assert found["as_of"] == (str(rfm().report.as_of) if words else None)
        out = pq.read_table(tmp_path / "out.parquet")
        assert out["rfm_cell"].to_pylist() == expected["rfm_cell"].to_pylist()
        assert out["segment"].to_pylist() == expected["segment"].to_pylist()
    assert (
        "now.parquet has purchases, as of 2026-11-" in run("score", "now.parquet", *COLUMNS, "--model", "m.json").stdout
    )
    shown = run("score", "customers.csv", "--model", "m.json").stdout
    assert "customers.csv has customers with recency_days, n_orders, monetary_total; scored by m.json" in shown


def test_purchases_are_scored_as_of_a_day(run_json, run, files):
    run("rfm", "now.parquet", *COLUMNS, "--save-model", "m.json")
    found = run_json("score", "now.parquet", *COLUMNS, "--model", "m.json", "--as-of", "2026-06-30")
    table = rfm(as_of="2026-06-30")
    assert (found["as_of"], found["customers"]) == ("2026-06-30", table.num_rows)
    scores = custcore.RFMScorer().fit(rfm()).transform(table)
    assert {row["segment"]: row["customers"] for row in found["segments"] if row["customers"]} == {
        name: scores["segment"].to_pylist().count(name) for name in set(scores["segment"])
    }


def test_drift_is_that_of_the_scorer(run, run_json, files):
    run("rfm", "then.parquet", *COLUMNS, "--save-model", "m.json")
    scorer = custcore.RFMScorer().fit(custcore.rfm(half(purchases(), first=True), **ROLES))
    expected = scorer.drift(rfm()).to_pylist()
    found = run_json("score", "now.parquet", *COLUMNS, "--model", "m.json")["drift"]
    assert found == expected
    shown = run("score", "now.parquet", *COLUMNS, "--model", "m.json").stdout
    for row in expected:
        line = next(line for line in shown.splitlines() if line.split()[:1] == [row["dimension"]])
        word = "stable" if row["psi"] < 0.1 else "shifted" if row["psi"] <= 0.25 else "fit again"
        assert f"{row['psi']:.3f}" in line
        assert word in line
    assert any(row["psi"] > 0.25 for row in expected)
    same = run("score", "then.parquet", *COLUMNS, "--model", "m.json").stdout
    assert same.count("stable") == 3


def test_lists_of_scored_customers(run, tmp_path, files):
    run("rfm", "now.parquet", *COLUMNS, "--save-model", "m.json")
    shown = run(
        "score", "now.parquet", *COLUMNS, "--model", "m.json", "--segment", "hibernating", "--top", "3",
        "--columns", "who,monetary_total", "-o", "list.parquet",
    ).stdout  # fmt: skip
    scored = custcore.rfm_scores(purchases(), **ROLES).sort_by("monetary_total", descending=True)
    rows = [row for row in scored if row["segment"] == "hibernating"][:3]
    assert pq.read_table(tmp_path / "list.parquet")["who"].to_pylist() == [row["who"] for row in rows]
    assert "The list has 3 of 60 customers" in shown


def test_clusters_that_kmeans_saves(run, run_json, tmp_path, files):
    run("kmeans", "now.parquet", *COLUMNS, "-k", "3", "-o", "clusters.parquet", "--save-model", "k.json")
    shown = run("score", "now.parquet", *COLUMNS, "--model", "k.json", "-o", "again.parquet").stdout
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(tmp_path / "clusters.parquet"))
    assert "no drift" in shown
    found = run_json("score", "now.parquet", *COLUMNS, "--model", "k.json")
    assert [row["customers"] for row in found["clusters"]] == [20, 20, 20]
    assert found["model"] == {"file": "k.json", "kind": "KMeans"}
    name = found["clusters"][2]["segment"]
    run("score", "now.parquet", *COLUMNS, "--model", "k.json", "--segment", name, "-o", "list.parquet")
    assert set(pq.read_table(tmp_path / "list.parquet")["segment"].to_pylist()) == {name}


def test_clusters_of_own_features_without_names(run, tmp_path):
    table = pa.table({"id": [1, 2, 3, 4], "visits": [1, 2, 50, 51], "spend": [1.0, 2.0, 90.0, 95.0]})
    model = custcore.KMeans(2, random_state=1).fit(table.select(["visits", "spend"]))
    model.save(tmp_path / "k.json")
    save(table, tmp_path / "c.csv")
    run("score", "c.csv", "--model", "k.json", "-o", "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["cluster"].to_pylist() == model.labels_.tolist()
    shown = run("score", "c.csv", "--model", "k.json", "--segment", "0", "-o", "list.parquet").stdout
    assert set(pq.read_table(tmp_path / "list.parquet")["cluster"].to_pylist()) == {0}
    assert "2 of 4 customers (segment 0)" in shown
    # A cluster that nobody is in today is an empty list, a number beyond them an error.
    other = 1 - model.predict(table.slice(0, 1).select(["visits", "spend"]))[0]
    save(table.slice(0, 1), tmp_path / "one.csv")
    shown = run("score", "one.csv", "--model", "k.json", "--segment", other, "-o", "list.parquet").stdout
    assert f"0 of 1 customers (segment {other})" in shown
    assert "The segments are '0', '1'" in run("score", "c.csv", "--model", "k.json", "--segment", "2", code=2).stderr


def test_a_scorer_of_other_columns(run, run_json, tmp_path):
    table = pa.table({"id": list("abcdef"), "visits": [1, 2, 3, 4, 5, 6], "margin": [5.0, 1.0, 4.0, 2.0, 9.0, 7.0]})
    scorer = custcore.QuantileScorer(["visits", "margin"], bins=3, weights=[2, 1]).fit(table)
    scorer.save(tmp_path / "q.json")
    save(table, tmp_path / "c.csv")
    run("score", "c.csv", "--model", "q.json", "--top", "2", "-o", "out.parquet")
    expected = scorer.transform(table).sort_by("score_total", descending=True).head(2)
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == expected["id"].to_pylist()
    found = run_json("score", "c.csv", "--model", "q.json")
    assert found["scores"] == scorer.drift(table, by_score=True).to_pylist()
    assert math.isclose(sum(row["share_now"] for row in found["scores"]), 2.0)
    assert "share of the fit" in run("score", "c.csv", "--model", "q.json").stdout


def test_a_scored_file_is_scored_anew(run, run_json, tmp_path, files):
    run("rfm", "now.parquet", *COLUMNS, "-o", "scores.parquet", "--save-model", "m.json")
    found = run_json("score", "scores.parquet", "--model", "m.json", "-o", "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(tmp_path / "scores.parquet"))
    assert any("columns of an earlier score are replaced: r_score, f_score" in remark for remark in found["remarks"])


def test_wrong_models_are_named(run, tmp_path, files):
    scorer = custcore.RFMScorer().fit(rfm())
    scorer.save(tmp_path / "m.json")
    custcore.SegmentMap.named("rf10").save(tmp_path / "map.json")
    custcore.Scaler(["n_orders"]).fit(rfm()).save(tmp_path / "scaler.json")
    custcore.KMeans(2).fit([[0.0], [1.0]]).save(tmp_path / "nameless.json")
    text = (tmp_path / "m.json").read_text()
    (tmp_path / "changed.json").write_text(text.replace('"orders"', '"days"'))
    (tmp_path / "half.json").write_text(text[: len(text) // 2])
    (tmp_path / "notes.json").write_text(json.dumps({"a": 1}))
    for name, said in (
        (
            "map.json",
            "'map.json' is a segment map; expected the file of a fitted RFMScorer or QuantileScorer or KMeans",
        ),
        ("scaler.json", "'scaler.json' is a scaler"),
        ("nameless.json", "nameless.json was fitted on an array"),
        ("changed.json", "'changed.json'"),
        ("half.json", "'half.json'"),
        ("notes.json", "'notes.json'"),
        ("now.parquet", "'now.parquet'"),
    ):
        message = run("score", "now.parquet", *COLUMNS, "--model", name, code=3).stderr
        assert said in message
        assert "of the kind" not in message
    assert "there is no file none.json" in run("score", "now.parquet", "--model", "none.json", code=2).stderr
    assert "is no file" in run("score", "now.parquet", "--model", ".", code=2).stderr
    assert "--model" in run("score", "now.parquet", code=2).stderr


def test_files_that_suit_neither_way(run, tmp_path, files):
    custcore.RFMScorer().fit(rfm()).save(tmp_path / "m.json")
    custcore.QuantileScorer(["visits"]).fit(pa.table({"visits": [1, 2, 3]})).save(tmp_path / "q.json")
    save(rfm().to_pyarrow().drop_columns(["monetary_total"]), tmp_path / "part.parquet")
    save(rfm().to_pyarrow(), tmp_path / "customers.parquet")
    message = run("score", "part.parquet", "--model", "m.json", code=3).stderr
    assert "of which 'monetary_total' is not there" in message
    message = run("score", "now.parquet", "--model", "m.json", code=3).stderr
    assert "there is no column 'customer_id' (customer id)" in message
    message = run("score", "now.parquet", *COLUMNS, "--model", "q.json", code=3).stderr
    assert "q.json scores the column 'visits', which is not among those made of purchases" in message
    message = run("score", "now.parquet", *COLUMNS[:4], "--no-amount", "--model", "m.json", code=2).stderr
    assert "m.json scores money" in message
    message = run("score", "customers.parquet", "--as-of", "2026-01-01", "--model", "m.json", code=2).stderr
    assert "--as-of belongs to purchases, but customers.parquet has one row per customer" in message


def test_a_group_that_was_not_in_the_fit_is_an_error_of_the_data(run, tmp_path):
    table = purchases()
    place = pa.array(["A" if int(name[1:]) < 30 else "B" for name in table["who"].to_pylist()])
    save(table.append_column("place", place), tmp_path / "now.parquet")
    save(table.append_column("place", pa.array(["C"] * table.num_rows)), tmp_path / "other.parquet")
    run("rfm", "now.parquet", *COLUMNS, "--by", "place", "--save-model", "m.json", "-o", "a.parquet")
    run("score", "now.parquet", *COLUMNS, "--model", "m.json", "-o", "b.parquet")
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert "'C'" in run("score", "other.parquet", *COLUMNS, "--model", "m.json", code=3).stderr
    save(table.append_column("plaec", place), tmp_path / "none.parquet")
    message = run("score", "none.parquet", *COLUMNS, "--model", "m.json", code=3).stderr
    assert "the model scores within groups of 'place', which is no column of it. Did you mean 'plaec'?" in message
    run("rfm", "now.parquet", *COLUMNS, "--by", "place", "--unseen", "global", "--save-model", "m.json")
    run("score", "other.parquet", *COLUMNS, "--model", "m.json", "-o", "c.parquet")
    assert pq.read_table(tmp_path / "c.parquet").num_rows == 60


@pytest.mark.parametrize("verb", ["rfm", "kmeans"])
def test_a_model_is_not_written_over_what_is_read(run, tmp_path, files, verb):
    before = (tmp_path / "now.parquet").read_bytes()
    assert "is an input file" in run(verb, "now.parquet", *COLUMNS, "--save-model", "now.parquet", code=2).stderr
    assert "is a folder" in run(verb, "now.parquet", *COLUMNS, "--save-model", ".", code=2).stderr
    assert "does not exist" in run(verb, "now.parquet", *COLUMNS, "--save-model", "no/m.json", code=2).stderr
    assert (tmp_path / "now.parquet").read_bytes() == before
    assert "Did you mean" in run(verb, "now.parquet", *COLUMNS, "--model", "m.json", code=2).stderr


def test_no_customers_is_no_model(run, tmp_path, files):
    message = run("rfm", "now.parquet", *COLUMNS, "--as-of", "2001-01-01", "--save-model", "m.json", code=3).stderr
    assert "custcore: " in message
    assert not (tmp_path / "m.json").exists()
    custcore.RFMScorer().fit(rfm()).save(tmp_path / "m.json")
    assert "No customers." in run("score", "now.parquet", *COLUMNS, "--as-of", "2001-01-01", "--model", "m.json").stdout
