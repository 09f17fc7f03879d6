"""``custcore kmeans``: purchases or customers in, named clusters out, and a model that is kept."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save


def purchases():
    """Three kinds of customers in turns: regulars, occasional ones, those who left."""
    rng = np.random.default_rng(2)
    rows = []
    for customer in range(60):
        often, since, money = [(12, 0, 80.0), (3, 60, 30.0), (1, 250, 10.0)][customer % 3]
        for _ in range(max(1, often + int(rng.integers(-1, 2)))):
            when = dt.date(2026, 1, 1) + dt.timedelta(days=int(330 - since - rng.integers(0, 40)))
            rows.append((f"c{customer:02d}", when, round(float(money * rng.uniform(0.8, 1.2)), 2)))
    ids, days, amounts = zip(*rows, strict=True)
    return pa.table({"who": ids, "day": days, "paid": amounts})


COLUMNS = ("--customer-id", "who", "--timestamp", "day", "--amount", "paid")
ROLES = {"customer_id": "who", "timestamp": "day", "amount": "paid"}


def test_what_the_api_says(run, tmp_path):
    save(purchases(), tmp_path / "sales.parquet")
    shown = run("kmeans", "sales.parquet", *COLUMNS, "-o", "clusters.parquet", "--save-model", "model.json").stdout
    table, model = custcore.segment_customers(purchases(), **ROLES)
    found = pq.read_table(tmp_path / "clusters.parquet")
    assert found["segment"].to_pylist() == table.to_pyarrow()["segment"].to_pylist()
    assert found["cluster"].to_pylist() == table.to_pyarrow()["cluster"].to_pylist()
    assert all(name in shown for name in model.names_)
    kept = custcore.KMeans.load(tmp_path / "model.json")
    assert (kept.predict(table) == model.labels_).all()
    assert "60 customers" in shown


def test_json(run_json, tmp_path):
    save(purchases(), tmp_path / "sales.csv")
    found = run_json("kmeans", "sales.csv", *COLUMNS, "-k", "3", "--starts", "4", "--seed", "5")
    assert (found["customers"], found["rows"]) == (60, purchases().num_rows)
    assert [row["customers"] for row in found["clusters"]] == [20, 20, 20]
    assert found["clusters"][0]["n_orders_mean"] > 10
    assert (found["settings"]["n_init"], found["settings"]["random_state"]) == (4, 5)


def test_customers_instead_of_purchases(run_json, tmp_path):
    rfm = custcore.rfm(purchases(), **ROLES).to_pyarrow()
    save(rfm, tmp_path / "customers.parquet")
    found = run_json(
        "kmeans", "customers.parquet", "--features", "n_orders,monetary_mean", "-k", "2", "--log1p", "monetary_mean",
        "-o", "out.csv",
    )  # fmt: skip
    assert [set(row) for row in found["clusters"]] == [
        {
            "cluster",
            "segment",
            "customers",
            "share",
            "n_orders_mean",
            "n_orders_median",
            "monetary_mean_mean",
            "monetary_mean_median",
        }
    ] * 2
    assert sum(row["customers"] for row in found["clusters"]) == 60
    assert (tmp_path / "out.csv").read_text().splitlines()[0].count("cluster") == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-k", "0"), 2, "neither a number"),
        (("-k", "many"), 2, "neither a number"),
        (("-k", "100"), 2, "--clusters 100 is more than the 60 customers"),
        (("--how", "minmax"), 2, "minmax"),
        (("--customer-id", "nobody"), 3, "nobody"),
        (("--features", "age"), 3, "age"),
    ],
)
def test_errors(run, tmp_path, words, code, said):
    save(purchases(), tmp_path / "sales.parquet")
    assert said in run("kmeans", "sales.parquet", *COLUMNS, *words, code=code).stderr


def test_one_customer_is_not_enough(run, tmp_path):
    save(purchases().slice(0, 1), tmp_path / "one.parquet")
    assert "customers" in run("kmeans", "one.parquet", *COLUMNS, code=3).stderr


def test_features_that_are_not_numbers(run, tmp_path):
    save(pa.table({"name": ["a", "b"], "spend": [1.0, float("nan")]}), tmp_path / "c.parquet")
    assert "name" in run("kmeans", "c.parquet", "--features", "name", "-k", "1", code=3).stderr
    assert "row 1" in run("kmeans", "c.parquet", "--features", "spend", "-k", "1", code=3).stderr
