"""Results go to workers and into caches: they can be pickled and copied, with their reports."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custcore
import custcore.pandas
import custcore.polars
from custcore.errors import InvalidArgumentError, ModelFormatError, NotFittedError
from tests.samples import transactions

WAYS = {
    "pickle": lambda found: pickle.loads(pickle.dumps(found)),
    "oldest pickle": lambda found: pickle.loads(pickle.dumps(found, protocol=2)),
    "twice": lambda found: pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(found)))),
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def orders() -> pa.Table:
    data = transactions(300, customers=40)
    return data.append_column("country", pa.array(["de", "fr", None] * 100).dictionary_encode())


def same(found: custcore.Table, expected: custcore.Table) -> None:
    assert pa.table(found).equals(pa.table(expected), check_metadata=True)
    assert found.report == expected.report
    assert found.schema == expected.schema
    assert repr(found) == repr(expected)


@every_way
def test_tables(way: Any) -> None:
    scores = custcore.rfm_scores(orders(), attributes={"country": "last"})
    clusters, _ = custcore.segment_customers(orders(), 3)
    base = custcore.CustomerBase(track="days")
    base.update(orders())
    scorer = custcore.RFMScorer().fit(base.rfm())
    moves = base.transitions([date(2023, 12, 22), date(2024, 1, 3)], scorer)
    for table in (custcore.rfm(orders()), scores, custcore.profile(scores), clusters, moves, scorer.thresholds):
        same(way(table), table)


@every_way
def test_types_of_columns_and_money(way: Any) -> None:
    ids: list[pa.Array] = [
        pa.array([2**64 - 1, 3], pa.uint64()),
        pa.array(["a long string that is stored outside of its view", "b"], pa.string_view()),
        pa.array([b"\x00" * 16, b"\xff" * 16], pa.binary(16)),
        pa.array(["x", "y"]).dictionary_encode(),
    ]
    money = [pa.array([1.5, 2.5]), pa.array([1, 2]), pa.array([Decimal("1.10"), Decimal("-2.20")])]
    for column in ids:
        for amounts in money:
            data = pa.table({"customer_id": column, "timestamp": [date(2026, 1, 5)] * 2, "amount": amounts})
            found = custcore.rfm(data)
            same(way(found), found)
            assert [type(entry.sum) for entry in way(found).report] == [type(entry.sum) for entry in found.report]
    many = custcore.RFMScorer().fit(custcore.rfm(orders())).transform(pa.table(custcore.rfm(orders())).to_batches(7))
    same(way(many), many)


@every_way
def test_schemas_and_reports(way: Any) -> None:
    found = custcore.rfm(orders())
    schema = way(found.schema)
    assert schema == found.schema
    assert pa.schema(schema).equals(pa.schema(found.schema), check_metadata=True)
    assert way(found.report) == found.report
    assert way(found.report["null_amount"]) == found.report["null_amount"]


COHORTS: list[dict[str, Any]] = [
    {"amount": "amount", "rfm": True},
    {"period": "week", "period_mode": "elapsed", "brackets": [1, 3]},
    {"by": "country", "amount": "amount", "period": "week"},
    {"cohort_by": "country"},
    {"return_criteria": "on_or_after", "horizon": 2, "period": "day", "n_periods": 40},
]


def told(call: Any, result: Any) -> tuple[custcore.Table | None, str]:
    """The table, or what the error says."""
    try:
        return call(result), ""
    except InvalidArgumentError as error:
        return None, str(error)


@every_way
@pytest.mark.parametrize("options", COHORTS, ids=str)
def test_cohorts(way: Any, options: dict[str, Any]) -> None:
    found = custcore.cohort_retention(orders(), **options)
    again = way(found)
    calls: list[Any] = [
        lambda r: r.to_table(),
        *(lambda r, v=v: r.matrix(v) for v in ("rate", "revenue", "is_complete", "rates")),
        *(lambda r, k=k: r.average(k) for k in ("pooled", "simple", "mean")),
        lambda r: r.movement(),
        lambda r: r.revenue_retention(),
        lambda r: r.revenue_retention(reactivation=True),
        lambda r: r.customers(),
        lambda r: r.rfm(),
    ]
    for call in calls:
        expected, error = told(call, found)
        given, other = told(call, again)
        assert other == error
        if given is not None and expected is not None:
            same(given, expected)
    assert pa.table(again).equals(pa.table(found))
    assert repr(again) == repr(found)
    assert again._repr_html_() == found._repr_html_()
    assert (again.definition, again.report, again.schema) == (found.definition, found.report, found.schema)
    for size in ((0, 0), (1, 1), (3, 2), (100, 100)):
        assert again.triangle(rows=size[0], columns=size[1]) == found.triangle(rows=size[0], columns=size[1])


@every_way
def test_cohorts_of_frames(way: Any) -> None:
    columns = ["customer_id", "timestamp", "amount"]
    pandas_frame = orders().select(columns).to_pandas()
    in_pandas = pandas_frame.custcore.cohort_retention(amount="amount")
    pd.testing.assert_frame_equal(way(in_pandas).matrix(), in_pandas.matrix())
    in_polars = pl.DataFrame(orders().select(columns)).custcore.cohort_retention(amount="amount")
    assert way(in_polars).matrix().equals(in_polars.matrix())
    assert way(in_pandas).report == in_pandas.report


@every_way
def test_models(way: Any) -> None:
    table, model = custcore.segment_customers(orders(), 3)
    again = way(model)
    same(again.profile(), model.profile())
    assert (again.labels_ == model.labels_).all()
    customers = table.to_pyarrow().drop_columns(["cluster", "segment"])
    same(again.assign(customers), model.assign(customers))
    fitted = way(custcore.KMeans(2).fit([[0.0], [1.0], [5.0]]))
    with pytest.raises(NotFittedError, match="pass them") as caught:
        fitted.profile()
    assert "loaded" not in str(caught.value)


@every_way
def test_models_without_labels_say_why(way: Any) -> None:
    model = custcore.KMeans.from_bytes(custcore.KMeans(2).fit([[0.0], [1.0], [5.0]]).to_bytes())
    with pytest.raises(NotFittedError, match="use predict"):
        _ = way(model).labels_
    json.loads(model.to_bytes(), parse_constant=pytest.fail)


def test_a_worker_returns_a_table() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        same(pool.apply(custcore.rfm, (orders(),)), custcore.rfm(orders()))


def test_changed_bytes_are_an_error() -> None:
    restored, (data, report) = custcore.rfm(orders()).__reduce__()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(data), 200):
        changed = bytearray(data)
        changed[place] ^= 16
        with pytest.raises(ModelFormatError):
            restored(bytes(changed), report)
    for length in (0, 5, 17, 40, len(data) - 1):
        with pytest.raises(ModelFormatError):
            restored(data[:length], report)
