"""``custcore explain``: the API's explanation of typed values, or of a customer in a file."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.cli import _render
from tests.cli.conftest import save
from tests.cli.test_kmeans import COLUMNS, ROLES, purchases


@pytest.fixture
def scorer(tmp_path):
    made = custcore.RFMScorer().fit(custcore.rfm(purchases(), **ROLES))
    made.save(tmp_path / "m.json")
    return made


VALUES = ("--recency-days", "12", "--frequency", "3", "--monetary", "99.5")


def plain(explanation):
    return json.loads(json.dumps(_render.plain(explanation.to_dict())))


def without(said, *names):
    return {name: value for name, value in said.items() if name not in names}


def test_typed_values_are_explained_as_the_api_does(run, run_json, tmp_path, scorer, monkeypatch):
    expected = scorer.explain(12, 3, 99.5)
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("explain", "--model", "m.json", *VALUES).stdout
    assert shown == f"{expected}\n"
    assert max(map(len, shown.splitlines())) <= 80
    found = run_json("explain", "--model", "m.json", *VALUES, "-o", "why.csv")
    assert {name: found[name] for name in plain(expected)} == plain(expected)
    rows = csv.read_csv(tmp_path / "why.csv").to_pylist()
    assert [row["dimension"] for row in rows] == ["recency", "frequency", "monetary"]
    assert [row["score"] for row in rows] == [score.score for score in expected.scores]


def test_amounts_are_read_exactly(run_json, tmp_path):
    drawn = random.Random(3)
    amounts = [round(drawn.uniform(0, 100), 2) for _ in range(200)]
    table = {"recency_days": list(range(200)), "n_orders": [1 + i % 9 for i in range(200)]}
    for name, column in (("floats", pa.array(amounts)), ("decimals", pa.array([Decimal(f"{a:.2f}") for a in amounts]))):
        scorer = custcore.RFMScorer(10, segments=None).fit(pa.table({**table, "monetary_total": column}))
        scorer.save(tmp_path / f"{name}.json")
        edges = [row["upper"] for row in scorer.thresholds if row["dimension"] == "monetary"]
        for amount in [*amounts[:10], *map(str, edges)]:
            words = ("--recency-days", 5, "--frequency", 2, "--monetary", amount)
            found = run_json("explain", "--model", f"{name}.json", *words)
            exact = float(amount) if name == "floats" else Decimal(str(amount))
            assert found["scores"][2]["score"] == scorer.score_one(5, 2, exact)[2]
            assert found["scores"] == plain(scorer.explain(5, 2, exact))["scores"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_customer_of_purchases_or_of_one_row_each(run, run_json, tmp_path, scorer, suffix):
    customers = custcore.rfm(purchases(), **ROLES)
    save(purchases(), tmp_path / f"sales.{suffix}")
    save(customers.to_pyarrow(), tmp_path / f"customers.{suffix}")
    row = next(row for row in customers if row["who"] == "c07")
    expected = plain(scorer.explain(row["recency_days"], row["n_orders"], row["monetary_total"], customer_id="c07"))
    told = run_json("explain", "--model", "m.json", f"sales.{suffix}", *COLUMNS, "--customer", "c07")
    assert {name: told[name] for name in expected} == expected
    assert told["as_of"] == str(customers.report.as_of)
    told = run_json("explain", "--model", "m.json", f"customers.{suffix}", "--customer", "c07")
    assert {name: told[name] for name in expected} == expected
    assert told["as_of"] is None
    shown = run("explain", "--model", "m.json", f"sales.{suffix}", *COLUMNS, "--customer", "c07").stdout
    assert "customer c07" in shown
    assert f"Values of sales.{suffix}, as of {customers.report.as_of}; scored by m.json." in shown
    past = run_json(
        "explain", "--model", "m.json", f"sales.{suffix}", *COLUMNS, "--customer", "c07", "--as-of", "2026-09-01"
    )
    assert past["as_of"] == "2026-09-01"


IDS = {
    "whole numbers": (pa.array([7, 8, 9]), "8", 8),
    "text of numbers": (pa.array(["007", "7", "8"]), "7", "7"),
    "bytes": (pa.array([b"\x01", b"\x02", b"\x03"]), "02", b"\x02"),
    "dictionary": (pa.array(["a", "b", "c"]).dictionary_encode(), "b", "b"),
    "uuid": (
        pa.array([uuid.UUID(int=i).bytes for i in (1, 2, 3)], pa.binary(16)).cast(pa.uuid())
        if hasattr(pa, "uuid")
        else None,
        str(uuid.UUID(int=2)),
        uuid.UUID(int=2),
    ),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_every_kind(run_json, tmp_path, kind):
    ids, text, value = IDS[kind]
    if ids is None:
        pytest.skip("this pyarrow has no UUID")
    days = [dt.date(2026, 1, 1 + i) for i in range(3)]
    table = pa.table({"customer_id": ids, "timestamp": days, "amount": [1.0, 2.0, 3.0]})
    pq.write_table(table, tmp_path / "sales.parquet")
    scorer = custcore.RFMScorer(3, ties="split", segments=None).fit(custcore.rfm(table))
    scorer.save(tmp_path / "m.json")
    found = run_json("explain", "--model", "m.json", "sales.parquet", "--customer", text)
    assert found["rfm_cell"] == scorer.explain(1, 1, 2.0, customer_id=value).rfm_cell
    typed = ("--recency-days", 1, "--frequency", 1, "--monetary", 2, "--customer", text)
    assert run_json("explain", "--model", "m.json", *typed)["rfm_cell"] == found["rfm_cell"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_composite_ids(run, run_json, tmp_path, suffix):
    table = purchases().append_column(
        "shop", pa.array([["A", "B"][int(n[1:]) % 2] for n in purchases()["who"].to_pylist()])
    )
    key = {**ROLES, "customer_id": ["shop", "who"]}
    scorer = custcore.RFMScorer(ties="split").fit(custcore.rfm(table, **key))
    scorer.save(tmp_path / "m.json")
    save(table, tmp_path / f"sales.{suffix}")
    columns = ("--customer-id", "shop,who", *COLUMNS[2:])
    run("score", f"sales.{suffix}", *columns, "--model", "m.json", "-o", f"customers.{suffix}")
    by_purchases = run_json("explain", "--model", "m.json", f"sales.{suffix}", *columns, "--customer", "B,c07")
    scored = custcore.rfm_scores(table, **key, ties="split").to_pylist()
    assert by_purchases["rfm_cell"] == next(row["rfm_cell"] for row in scored if row["who"] == "c07")
    # Parquet states the key; of CSV it is said.
    words = () if suffix == "parquet" else ("--customer-id", "shop,who")
    by_row = run_json("explain", "--model", "m.json", f"customers.{suffix}", *words, "--customer", "B, c07")
    assert without(by_row, "files", "as_of", "remarks") == without(by_purchases, "files", "as_of", "remarks")
    run("score", f"customers.{suffix}", *words, "--model", "m.json", "-o", "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet")["rfm_cell"].to_pylist() == [row["rfm_cell"] for row in scored]
    assert (
        "has 1 parts"
        in run("explain", "--model", "m.json", f"sales.{suffix}", *columns, "--customer", "B", code=2).stderr
    )


@pytest.mark.parametrize(
    ("groups", "typed"),
    [
        (["A", "B"], "A"),
        ([1, 2], "1"),
        ([True, False], "true"),
        ([0.5, 1.5], "0.5"),
        ([dt.date(2020, 1, 1), dt.date(2021, 1, 1)], "2020-01-01"),
    ],
    ids=["text", "whole", "bool", "float", "date"],
)
def test_groups_of_every_kind(run, run_json, tmp_path, groups, typed):
    place = pa.array([groups[int(name[1:]) % 2] for name in purchases()["who"].to_pylist()])
    save(purchases().append_column("place", place), tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", *COLUMNS, "--by", "place", "--save-model", "m.json")
    scorer = custcore.RFMScorer.load(tmp_path / "m.json")
    expected = scorer.explain(12, 3, 99.5, group=groups[0])
    found = run_json("explain", "--model", "m.json", *VALUES, "--group", typed)
    assert found["rfm_cell"] == expected.rfm_cell
    told = run_json("explain", "--model", "m.json", "sales.parquet", *COLUMNS, "--customer", "c06")
    assert told["scores"][0]["customers"] == expected.scores[0].customers
    assert "--group VALUE" in run("explain", "--model", "m.json", *VALUES, code=2).stderr
    assert "nowhere" in run("explain", "--model", "m.json", *VALUES, "--group", "nowhere", code=2).stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "pass FILE and --customer ID, or --recency-days, --frequency and --monetary"),
        (["--recency-days", "3"], 2, "pass FILE and --customer ID"),
        (["--recency-days", "3", "--frequency", "2"], 2, "m.json scores money: --monetary AMOUNT"),
        (["--recency-days", "-3", "--frequency", "2", "--monetary", "1"], 2, "--recency-days"),
        (["--recency-days", "3", "--frequency", "0", "--monetary", "1"], 2, "--frequency"),
        (["--recency-days", "3", "--frequency", "2", "--monetary", "much"], 2, "'much' is not an amount"),
        (["--recency-days", "3", "--frequency", "2", "--monetary", "nan"], 2, "'nan' is not an amount"),
        (["sales.parquet", *COLUMNS], 2, "FILE needs --customer ID"),
        (["sales.parquet", *COLUMNS, "--customer", "c07", "--frequency", "3"], 2, "--frequency and FILE exclude"),
        (["sales.parquet", *COLUMNS, "--customer", "c7"], 3, "no customer c7 among 60 (who); ids are such as c00, c01"),
        (["sales.parquet", "--customer", "c07"], 3, "there is no column 'customer_id'"),
        (["twice.parquet", "--customer", "c07"], 3, "2 rows have the customer c07; expected one"),
        (["null.parquet", "--customer", "c07"], 3, "customer c07 has no recency_days"),
        ([*VALUES, "--group", "A"], 2, "m.json has no groups"),
        ([*VALUES, "--model", "q.json"], 3, "'q.json' is a QuantileScorer; expected the file of a fitted RFMScorer"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_what_cannot_be_explained(run, tmp_path, scorer, words, code, said):
    save(purchases(), tmp_path / "sales.parquet")
    customers = custcore.rfm(purchases(), **ROLES).to_pyarrow()
    one = customers.filter(pa.array([name == "c07" for name in customers["who"].to_pylist()]))
    save(pa.concat_tables([one, one]), tmp_path / "twice.parquet")
    save(one.set_column(3, "recency_days", pa.nulls(1, pa.int32())), tmp_path / "null.parquet")
    custcore.QuantileScorer(["n_orders"]).fit(customers).save(tmp_path / "q.json")
    assert said in run("explain", "--model", "m.json", *words, code=code).stderr
