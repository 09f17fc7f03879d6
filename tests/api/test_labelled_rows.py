"""One customer as a labelled row: values are taken by name, whatever their order; without labels by position."""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custcore
from custcore.errors import ColumnNotFoundError, CustcoreError, InvalidArgumentError, InvalidTypeError, NonFiniteError

# The features are visits, spend; the rows have them the other way round, with one more.
ROW = {"id": 7.0, "spend": 100.0, "visits": 1.0}


@dataclass
class Customer:
    id: float
    spend: float
    visits: float


def record() -> Any:
    kinds = [(name, "f8") for name in ROW]
    return np.array([tuple(ROW.values())], dtype=kinds)[0]


def database_row() -> Any:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute("select 7.0 as id, 100.0 as spend, 1.0 as visits").fetchone()


LABELLED: dict[str, Any] = {
    "dict": ROW,
    "Series": pd.Series(ROW),
    "row of a frame": pd.DataFrame([ROW]).iloc[0],
    "named tuple": next(pd.DataFrame([ROW]).itertuples(index=False)),
    "own named tuple": namedtuple("Own", ROW)(**ROW),
    "record": record(),
    "dataclass": Customer(**ROW),
    "polars": pl.DataFrame([ROW]).row(0, named=True),
    "pyarrow": pa.scalar(ROW),
    "sqlite": database_row(),
}


def model() -> custcore.KMeans:
    table = pa.table({"visits": [1.0, 100.0], "spend": [100.0, 1.0]})
    return custcore.KMeans(2, init=[[1, 100], [100, 1]]).fit(table)


def scorer() -> custcore.QuantileScorer:
    table = pa.table({"visits": [1.0, 50.0, 100.0], "spend": [1.0, 50.0, 100.0]})
    return custcore.QuantileScorer(["visits", "spend"], bins=3).fit(table)


@pytest.mark.parametrize("row", LABELLED.values(), ids=LABELLED)
def test_labelled_rows_are_taken_by_name(row: Any) -> None:
    assert model().predict_one(row) == 0
    assert scorer().score_one(row) == (1, 3)


def test_a_frame_row_by_row_is_the_frame() -> None:
    frame = pd.DataFrame({"spend": [100.0, 1.0, 90.0], "visits": [1.0, 100.0, 2.0]})
    assert frame.apply(model().predict_one, axis=1).tolist() == model().predict(frame).tolist() == [0, 1, 0]
    scores = scorer().transform(frame).to_pyarrow().select(["visits_score", "spend_score"]).to_pylist()
    assert [scorer().score_one(row) for _, row in frame.iterrows()] == [tuple(row.values()) for row in scores]


@pytest.mark.parametrize(
    "row", [[1.0, 100.0], (1.0, 100.0), np.array([1.0, 100.0]), pd.Series([1.0, 100.0]), pl.Series([1.0, 100.0])]
)
def test_rows_without_labels_are_taken_by_position(row: Any) -> None:
    assert model().predict_one(row) == 0
    assert scorer().score_one(row) == (1, 3)


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        (pd.Series({"visits": 1.0, "spent": 2.0}), ColumnNotFoundError, ["'spend'", "'spent'"]),
        (namedtuple("Other", "visits")(1.0), ColumnNotFoundError, ["'spend'"]),
        (pd.Series([100.0, 1.0], index=[1, 0]), ColumnNotFoundError, ["'visits'"]),
        (pd.Series([1.0, 2.0, 3.0], index=["visits", "spend", "spend"]), InvalidArgumentError, ["two", "'spend'"]),
        (np.array([(1.0, 2.0)], dtype=[("visits", "f8"), ("spend", "f8")]), InvalidTypeError, ["record"]),
        (pd.DataFrame({"visits": [1.0], "spend": [2.0]}), InvalidTypeError, ["DataFrame", "iloc"]),
        ("12", InvalidTypeError, ["'12'"]),
        (1.0, InvalidTypeError, ["float"]),
    ],
)
def test_other_rows_are_errors(row: Any, kind: type[CustcoreError], words: list[str]) -> None:
    for call in (model().predict_one, scorer().score_one):
        with pytest.raises(kind) as caught:
            call(row)
        assert all(word in str(caught.value) for word in words), caught.value


def test_a_model_without_names_takes_rows_by_position() -> None:
    unnamed = custcore.KMeans(2, init=[[1, 100], [100, 1]]).fit([[1.0, 100.0], [100.0, 1.0]])
    assert unnamed.predict_one(pd.Series({"any": 1.0, "names": 100.0})) == 0
    with pytest.raises(InvalidArgumentError, match="no names"):
        unnamed.predict_one({"a": 1.0, "b": 100.0})


@pytest.mark.parametrize("bad", [None, "1", pd.NA, 10**400, object()])
def test_a_value_that_is_no_number_is_named(bad: Any) -> None:
    for row in ([1.0, bad], {"spend": bad, "visits": 1.0}):
        with pytest.raises(CustcoreError, match="spend"):
            model().predict_one(row)
        with pytest.raises(CustcoreError, match="spend"):
            scorer().score_one(row)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_feature_that_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(NonFiniteError, match=r"'spend' is (NaN|inf)"):
        model().predict_one([1.0, bad])


def test_logarithms_of_one_row_and_of_a_table_are_alike() -> None:
    logs = custcore.KMeans(2, scaler=custcore.Scaler(log1p=["a"])).fit(pa.table({"a": [-1.0, -9.0, 1.0, 5.0]}))
    for value in (-100.0, -1.0, -0.5, 0.0, 0.5, 100.0):
        assert logs.predict_one([value]) == logs.predict(pa.table({"a": [value]}))[0] == logs.predict_one({"a": value})


def test_large_integers_are_numbers() -> None:
    assert scorer().score_one([10**40, -(10**40)]) == (3, 1)
    with pytest.raises(custcore.errors.OutOfRangeError, match="visits"):
        scorer().score_one([10**400, 1])
