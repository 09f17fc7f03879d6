"""Pickles written by version 0.1, before its modules became packages, load to the same objects.

They were made of five customers, one order each (see ``orders``), by ``pickle.dumps(..., protocol=4)``.
"""

import dataclasses
import datetime
import pickle
from pathlib import Path

import pyarrow as pa
import pytest

import custcore

FOLDER = Path(__file__).parent / "pickles"


@pytest.fixture
def orders() -> pa.Table:
    days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 13, 17)]
    return pa.table({"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9.0, 7.0, 5.0, 3.0, 1.0]})


def load(name: str):
    return pickle.loads((FOLDER / f"{name}.pickle").read_bytes())


def test_a_base_loads(orders: pa.Table):
    base = load("customer_base")
    assert type(base) is custcore.CustomerBase
    assert (base.track, base.batch_ids) == ("days", ["a"])
    assert base.rfm().to_pyarrow() == custcore.rfm(orders).to_pyarrow()


def test_scorers_load(orders: pa.Table):
    table = custcore.rfm(orders)
    assert load("rfm_scorer") == custcore.RFMScorer().fit(table)
    quantiles = custcore.QuantileScorer(["n_orders", "recency_days"], directions={"recency_days": "low"}, bins=3)
    assert load("quantile_scorer") == quantiles.fit(table)
    assert load("segment_map") == custcore.SegmentMap.named("rf10")


def test_clusters_load(orders: pa.Table):
    table = custcore.rfm(orders)
    scaler = custcore.Scaler(["recency_days", "monetary_total"], log1p=["monetary_total"]).fit(table)
    model = load("kmeans")
    assert type(model) is custcore.KMeans
    assert load("scaler") == scaler == model.scaler_
    assert model.labels_.tolist() == model.predict(table).tolist()


def test_a_report_loads(orders: pa.Table):
    report = custcore.rfm(orders).report
    # An entry that came later.
    entries = tuple(entry for entry in report if entry.name != "rounded_amount")
    assert load("report") == dataclasses.replace(report, entries=entries)
