"""``custcore bench``: every reason for a difference, on data made to have that reason and no other."""

from __future__ import annotations

import datetime as dt
import random

import pyarrow as pa
import pytest

from custcore.cli._differences import CAUSES
from tests.cli.conftest import save

START = dt.datetime(2026, 1, 1, 12)  # noqa: DTZ001 (naive on purpose)


def purchases(n=400, customers=50, seed=3):
    """Whole days at noon, whole amounts, no ties of money: pandas and custcore agree but for ties of orders."""
    rng = random.Random(seed)
    rows = [(rng.randrange(customers), START + dt.timedelta(days=rng.randrange(90)), 2**i % 997) for i in range(n)]
    rows += [(i, START, 1) for i in range(customers)]
    return rows


def table(rows, **columns):
    ids, times, amounts, *orders = zip(*rows, strict=True)
    named = {"customer_id": list(ids), "timestamp": pa.array(times, pa.timestamp("us"))}
    named["amount"] = pa.array(amounts, pa.float64())
    if orders:
        named["order_id"] = list(orders[0])
    return pa.table(named | columns)


@pytest.fixture
def bench(run_json, tmp_path):
    def call(rows, *words):
        save(table(rows), tmp_path / "sales.parquet")
        found = run_json("bench", "sales.parquet", "--repeat", 1, *words)
        columns = {column["column"]: column for column in found["columns"]}
        found["why"] = {
            name: {cause["cause"]: cause["customers"] for cause in column["causes"]} for name, column in columns.items()
        }
        for column in columns.values():
            assert column["same"] + column["differ"] == found["customers"]["both"]
            assert sum(cause["customers"] for cause in column["causes"]) == column["differ"]
        assert not any("other" in causes for causes in found["why"].values())
        return found

    return call


def test_ties_are_all_that_differs_on_plain_data(bench):
    found = bench(purchases())
    assert found["seconds"].keys() == {"pandas", "custcore"}
    assert found["ratio"] == pytest.approx(found["seconds"]["pandas"] / found["seconds"]["custcore"])
    assert found["customers"] == {"both": 50, "only_pandas": [], "only_custcore": []}
    assert not any(found["why"].values())  # values are many, so pd.qcut does not fail
    found = bench(purchases(80))  # most customers bought twice or three times
    for name in ("recency_days", "n_orders", "monetary_total", "m_score"):
        assert found["why"][name] == {}, name
    assert set(found["why"]["f_score"]) == {"ties"}
    assert "rank" in found["cut"]["f_score"]


def test_refunds(bench):
    rows = purchases()
    found = bench([*rows, (1, START + dt.timedelta(days=200), -5), (77, START, -1)])
    assert found["customers"]["only_pandas"] == [
        {"cause": "they have only refunds, so they bought nothing", "customers": 1}
    ]
    assert found["why"]["n_orders"] == {"refunds": 1}
    assert found["why"]["recency_days"] == {"refunds": 1}
    assert found["why"]["monetary_total"] == {}


def test_float_sums(bench):
    found = bench([*purchases(), (1, START, 0.1), (1, START, 0.2), (1, START, 1e-1)])
    assert set(found["why"]["monetary_total"]) <= {"float sum"}
    found = bench([(i, START, x) for i in range(5) for x in (0.1, 0.2)])
    assert found["why"]["monetary_total"] == {"float sum": 5}


def test_rows_without_id_and_time(bench):
    rows = [*purchases(), (None, START, 7), (3, None, 1000), (88, None, 5)]
    found = bench(rows)
    assert found["customers"]["only_pandas"] == [{"cause": "none of their rows has a time", "customers": 1}]
    assert found["why"]["monetary_total"] == {"no time": 1}
    late = START + dt.timedelta(days=400)
    found = bench([*purchases(), (None, late, 7)])
    assert found["why"]["recency_days"] == {"last day": 50}


def test_time_of_day(bench):
    rows = purchases()
    found = bench([*rows, (1, START + dt.timedelta(days=90, hours=-8), 5)])
    assert set(found["why"]["recency_days"]) == {"time of day"}


def test_orders(bench):
    rows = [(i % 30, START + dt.timedelta(days=i % 40), 1 + i, f"o{i // 2}") for i in range(240)]
    rows += [(5, START, 3, None), (5, START, 4, None)]
    midnight = START + dt.timedelta(days=80, hours=11)
    rows += [(6, midnight, 1, "late"), (6, midnight + dt.timedelta(hours=2), 1, "late")]
    rows += [(7, START, 10, "back"), (7, START, -30, "back")]
    found = bench(rows, "--order-id", "order_id")
    assert found["why"]["n_orders"]["no order id"] == 1
    assert found["why"]["n_orders"]["refunds"] == 1
    assert "order over midnight" in found["why"]["recency_days"]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_too_few_for_qcut(bench, n):
    found = bench([(i, START, 1.0) for i in range(n)])
    assert found["customers"]["both"] == n


@pytest.mark.parametrize("kind", ["string", "dictionary", "decimal"])
def test_other_types(run_json, tmp_path, kind):
    rows = table(purchases())
    if kind == "decimal":
        rows = rows.set_column(2, "amount", rows["amount"].cast(pa.decimal128(12, 2)))
    else:
        ids = rows["customer_id"].cast(pa.string())
        rows = rows.set_column(0, "customer_id", ids.dictionary_encode() if kind == "dictionary" else ids)
    save(rows, tmp_path / "sales.parquet")
    found = run_json("bench", "sales.parquet", "--repeat", 1)
    assert found["customers"]["both"] == 50
    assert [column["differ"] for column in found["columns"][:3]] == [0, 0, 0]


def test_the_screen(run, tmp_path):
    save(table(purchases(80)), tmp_path / "sales.parquet")
    shown = run("bench", "sales.parquet", "--repeat", 2).stdout
    for word in ("pandas", "custcore", "seconds", "f_score", "ties", CAUSES["ties"][:40], "50 customers are in both"):
        assert word in shown


def test_without_money(run_json, tmp_path):
    save(table(purchases()), tmp_path / "sales.parquet")
    found = run_json("bench", "sales.parquet", "--repeat", 1, "--no-amount")
    assert [column["column"] for column in found["columns"]] == ["recency_days", "n_orders", "r_score", "f_score"]


def test_pandas_is_asked_for_by_name(run, tmp_path, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pandas" else real(name))
    save(table(purchases()), tmp_path / "sales.parquet")
    assert "bench compares with pandas: pip install 'pandas>=" in run("bench", "sales.parquet", code=2).stderr
