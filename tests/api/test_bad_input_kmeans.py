"""Bad features, weights, settings and model files: one class of error for each kind, with column and row."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotEnoughDataError,
    NotFittedError,
)
from tests.model_cases import body_of, sealed

X = [[0.0, 1.0], [1.0, 0.0], [9.0, 8.0], [8.0, 9.0]]


def fitted() -> custcore.KMeans:
    return custcore.KMeans(2).fit(X)


# Features


@pytest.mark.parametrize("x", [None, "customers.parquet", 7, object()])
def test_what_is_no_features(x: Any) -> None:
    for call in (custcore.KMeans(1).fit, fitted().predict, custcore.Scaler().fit, custcore.select_k):
        with pytest.raises(InvalidTypeError, match=r"table|array"):
            call(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), "reshape"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        ([], "empty"),
        ([1.0, 2.0], "row of numbers"),
        ([[1.0], [1.0, 2.0]], "numbers"),
        ([[]], "empty"),
    ],
)
def test_shapes_that_cannot_be(x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        custcore.KMeans(1).fit(x)
    assert isinstance(caught.value, CustcoreError)


@pytest.mark.parametrize(
    "x",
    [
        [["a"], ["b"]],
        np.array([["a"], ["b"]]),
        np.zeros((2, 2), complex),
        np.zeros((2, 2), "datetime64[s]"),
        np.ma.masked_equal(np.zeros((2, 2)), 0),
        np.array([[1, "x"]], dtype=object),
    ],
    ids=["text", "array of text", "complex", "times", "masked", "objects"],
)
def test_what_is_no_number(x: Any) -> None:
    with pytest.raises(InvalidTypeError):
        custcore.KMeans(1).fit(x)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("row", [0, 3, 5_000])
def test_what_is_not_finite_is_named_by_column_and_row(bad: Any, row: int) -> None:
    values: list[Any] = [float(i) for i in range(5_001)]
    values[row] = bad
    table = pa.table({"orders": list(range(5_001)), "spend": pa.array(values, pa.float64(), from_pandas=False)})
    for call in (custcore.KMeans(2).fit, custcore.Scaler().fit, lambda x: custcore.KMeans(1, columns=["spend"]).fit(x)):
        with pytest.raises(ValueError, match=rf"spend.*row {row:,}|spend.*row {row}") as caught:
            call(table)
        assert isinstance(caught.value, CustcoreError)
        assert (caught.value.column, caught.value.row) == ("spend", row)
    km = custcore.KMeans(2).fit(table.slice(row + 1, 10) if row < 100 else table.slice(0, 10))
    with pytest.raises(ValueError, match="spend"):
        km.predict(table)


def test_the_row_is_counted_over_all_batches() -> None:
    batches = [pa.table({"a": [1.0, 2.0, 3.0]}), pa.table({"a": pa.array([4.0, None, 5.0])})]
    with pytest.raises(ValueError, match="row 4"):
        custcore.KMeans(1).fit(pa.concat_tables(batches))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_in_an_array(bad: float) -> None:
    for order in ("C", "F"):
        x = np.array([[1.0, 2.0], [3.0, bad], [5.0, 6.0]], order=order)  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="row 1"):
            custcore.KMeans(2).fit(x)
        with pytest.raises(ValueError, match="row 1"):
            fitted().predict(x.astype(np.float32))
    with pytest.raises(ValueError):
        fitted().predict_one([1.0, bad])


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b", "c"]),
        pa.array([True, False, True]),
        pa.array([dt.date(2026, 1, 1)] * 3),
        pa.array([[1.0], [2.0], [3.0]]),
        pa.array([{"a": 1}] * 3),
    ],
    ids=["text", "bool", "date", "list", "struct"],
)
def test_columns_of_a_wrong_type(column: pa.Array) -> None:
    with pytest.raises(InvalidTypeError, match="spend") as caught:
        custcore.KMeans(2).fit(pa.table({"orders": [1, 2, 3], "spend": column}))
    assert caught.value.column == "spend"


def test_columns_that_are_not_there() -> None:
    table = pa.table({"orders": [1, 2, 3], "spend": [1.0, 2.0, 3.0]})
    for call in (custcore.KMeans(2, columns=["spent"]).fit, custcore.Scaler(["spent"]).fit):
        with pytest.raises(ColumnNotFoundError, match="spend"):
            call(table)
    with pytest.raises(ColumnNotFoundError, match="orders"):
        custcore.KMeans(2).fit(table).predict(table.select(["spend"]))
    with pytest.raises(ColumnNotFoundError, match="orders"):
        custcore.KMeans(2).fit(table).predict_one({"spend": 1.0})
    with pytest.raises(ColumnNotFoundError):
        custcore.Scaler(log1p=["spent"]).fit(table)


def test_two_columns_of_one_name() -> None:
    table = pa.table([[1.0, 2.0], [3.0, 4.0]], names=["a", "a"])
    with pytest.raises(DuplicateColumnError, match="a"):
        custcore.KMeans(1).fit(table)


def test_another_number_of_features() -> None:
    for call in (fitted().predict, fitted().transform, fitted().score):
        with pytest.raises(InvalidArgumentError, match=r"features"):
            call([[1.0, 2.0, 3.0]])
    with pytest.raises(InvalidArgumentError):
        fitted().predict_one([1.0])


@pytest.mark.parametrize(
    "x",
    [pa.table({"a": pa.array([], pa.float64())}), np.empty((0, 2)), pa.table({"a": pa.chunked_array([], pa.int64())})],
    ids=["table", "array", "no chunks"],
)
def test_no_rows(x: Any) -> None:
    for call in (custcore.KMeans(1).fit, custcore.Scaler().fit):
        with pytest.raises(NotEnoughDataError):
            call(x)


def test_no_rows_to_predict() -> None:
    assert fitted().predict(np.empty((0, 2))).tolist() == []
    assert fitted().transform(np.empty((0, 2))).shape == (0, 2)


def test_no_columns() -> None:
    with pytest.raises(ValueError):
        custcore.KMeans(1).fit(np.empty((3, 0)))
    with pytest.raises(ValueError):
        custcore.KMeans(1).fit(pa.table({}))


# Weights


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ([1, 1, 1], InvalidArgumentError),
        ([0, 0, 0, 0], InvalidArgumentError),
        ([1, 1, -1, 1], InvalidArgumentError),
        ([1, 1, math.nan, 1], ValueError),
        ([1, 1, math.inf, 1], ValueError),
        (np.ones((4, 1)), InvalidArgumentError),
        ("abcd", InvalidTypeError),
        (3.0, InvalidTypeError),
        (["a"] * 4, InvalidTypeError),
        ([1, 1, None, 1], InvalidTypeError),
    ],
    ids=["short", "zeros", "negative", "nan", "inf", "2-d", "text", "scalar", "words", "none"],
)
def test_weights_that_cannot_be(weights: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        custcore.KMeans(2).fit(X, sample_weight=weights)
    assert isinstance(caught.value, CustcoreError)


# Settings


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"n_clusters": 0}, InvalidArgumentError),
        ({"n_clusters": -3}, InvalidArgumentError),
        ({"n_clusters": 2.0}, InvalidTypeError),
        ({"n_clusters": True}, InvalidTypeError),
        ({"n_clusters": "2"}, InvalidTypeError),
        ({"init": "kmeans"}, InvalidArgumentError),
        ({"init": [[1.0, 2.0]]}, InvalidArgumentError),
        ({"init": [[1.0, 2.0], [math.nan, 1.0]]}, InvalidArgumentError),
        ({"init": 5}, InvalidTypeError),
        ({"n_init": 0}, InvalidArgumentError),
        ({"n_init": "many"}, InvalidTypeError),
        ({"max_iter": 0}, InvalidArgumentError),
        ({"tol": -1.0}, InvalidArgumentError),
        ({"tol": math.nan}, InvalidArgumentError),
        ({"tol": "small"}, InvalidTypeError),
        ({"random_state": 1.5}, InvalidTypeError),
        ({"random_state": -1}, InvalidArgumentError),
        ({"columns": "spend"}, InvalidTypeError),
        ({"columns": []}, InvalidArgumentError),
        ({"columns": ["a", "a"]}, InvalidArgumentError),
        ({"scaler": "standard"}, InvalidTypeError),
    ],
    ids=str,
)
def test_settings_that_cannot_be(settings: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(settings))):
        custcore.KMeans(**{"n_clusters": 2, **settings})


def test_settings_that_do_not_go_with_the_data() -> None:
    with pytest.raises(InvalidArgumentError, match=r"n_samples=4 should be >= n_clusters=5"):
        custcore.KMeans(5).fit(X)
    with pytest.raises(InvalidArgumentError, match=r"initial (centres|centers)"):
        custcore.KMeans(2, init=[[1.0], [2.0]]).fit(X)
    with pytest.raises(InvalidArgumentError, match=r"initial (centres|centers)"):
        custcore.KMeans(2, init=lambda x, k, random_state: x[:3]).fit(X)
    with pytest.raises(ZeroDivisionError):
        custcore.KMeans(2, init=lambda x, k, random_state: 1 / 0).fit(X)
    with pytest.warns(RuntimeWarning, match="only one init"):
        custcore.KMeans(2, init=X[:2], n_init=5).fit(X)


def test_scaler_settings_that_cannot_be() -> None:
    with pytest.raises(InvalidArgumentError, match="how"):
        custcore.Scaler(how="minmax")  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="columns"):
        custcore.Scaler("spend")
    with pytest.raises(InvalidArgumentError, match="log1p"):
        custcore.Scaler(["a"], log1p=["b"])


def test_ks_that_cannot_be() -> None:
    for ks in ([], [0], [2, 9]):
        with pytest.raises(InvalidArgumentError):
            custcore.select_k(X, ks)
    with pytest.raises(InvalidTypeError):
        custcore.select_k(X, [2.5])  # type: ignore[list-item]


def test_breaks_that_cannot_be() -> None:
    with pytest.raises(InvalidArgumentError):
        custcore.natural_breaks([[1.0], [1.0]], 2)
    with pytest.raises(InvalidArgumentError):
        custcore.natural_breaks(X, 2)
    with pytest.raises(InvalidArgumentError):
        custcore.natural_breaks([[1.0]], 0)


def test_segments_that_cannot_be() -> None:
    one = {"customer_id": [1], "timestamp": [dt.date(2026, 1, 1)], "amount": [1.0]}
    with pytest.raises(NotEnoughDataError):
        custcore.segment_customers(pa.table(one))
    with pytest.raises(InvalidArgumentError, match="one row per customer"):
        custcore.segment_customers(pa.table({"recency_days": [1, 2], "n_orders": [1, 2]}), timestamp="day")
    with pytest.raises(ColumnNotFoundError):
        custcore.segment_customers(pa.table({"customer_id": [1, 2]}))


# Models


def test_before_the_fit() -> None:
    km = custcore.KMeans(2)
    for name in ("labels_", "cluster_centers_", "inertia_", "n_iter_", "init_centers_", "feature_names_in_", "scaler_"):
        with pytest.raises(NotFittedError):
            getattr(km, name)
        assert not hasattr(km, name)
    for call in (km.predict, km.transform, km.score, km.predict_one, km.profile, km.assign):
        with pytest.raises(NotFittedError):
            call(X)  # type: ignore[operator]
    with pytest.raises(NotFittedError):
        km.to_bytes()
    for call in (custcore.Scaler().transform, custcore.Scaler().inverse_transform):
        with pytest.raises(NotFittedError):
            call(X)


@pytest.mark.parametrize(
    "part",
    [
        {"model": {"centers": []}},
        {"model": {"centers": [1.0, 2.0, 3.0]}},
        {"model": {"centers": "x"}},
        {"model": {"centers": [1.0, 2.0] * 3}},
        {"model": {"n_features": 0}},
        {"model": {"inertia": "much"}},
        {"model": {"inertia": "7"}},
        {"feature_names": ["a"]},
        {"scaler": {"columns": None}},
        {"settings": {"n_clusters": -1}},
        {"settings": {"n_clusters": 0}},
        {"settings": {"init": "given", "n_clusters": 7}},
        {"settings": {"columns": []}},
        {"settings": None},
        {"names": 7},
        {"names": ["only one"]},
    ],
    ids=str,
)
def test_a_sealed_model_with_parts_that_cannot_be(part: dict[str, Any]) -> None:
    data = fitted().to_bytes()
    body = body_of(data)
    for name, value in part.items():
        body[name] = body[name] | value if isinstance(value, dict) and isinstance(body[name], dict) else value
    with pytest.raises(ModelFormatError):
        custcore.KMeans.from_bytes(sealed(data, body))


def test_a_failed_save_leaves_the_old_file(tmp_path: Any) -> None:
    path = tmp_path / "model.json"
    fitted().save(path)
    before = path.read_bytes()
    with pytest.raises(NotFittedError):
        custcore.KMeans(2).save(path)
    assert path.read_bytes() == before
    with pytest.raises(OSError):
        fitted().save(tmp_path / "no" / "model.json")
    with pytest.raises(OSError):
        custcore.KMeans.load(tmp_path / "absent.json")
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]
