"""Data that can be read once: every call that needs them twice reads them once, and a second call says so."""

from __future__ import annotations

import datetime
import gc
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import ArrowImportError, NotFittedError

FEATURES = ["recency_days", "n_orders", "monetary_total"]
DAYS = [datetime.date(2025, 1, 1) + datetime.timedelta(days=i) for i in range(100)]
ORDERS = pa.table(
    {
        "customer_id": [i * i % 37 for i in range(100)],
        "timestamp": DAYS,
        "amount": [i % 7 * 1.5 + 1 for i in range(100)],
    }
)
CUSTOMERS = custcore.rfm(ORDERS).to_pyarrow()
HALF = CUSTOMERS.num_rows // 2


def generator(table: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from table.to_batches(max_chunksize=7)


def datafusion_query(table: pa.Table) -> Any:
    return pytest.importorskip("datafusion").SessionContext().from_arrow(table)


ONCE: dict[str, Callable[[pa.Table], Any]] = {
    "reader": lambda table: table.to_reader(max_chunksize=7),
    "generator": generator,
    "iterator": lambda table: iter(table.to_batches(max_chunksize=7)),
    "list of readers": lambda table: [table.slice(0, HALF).to_reader(), table.slice(HALF).to_reader()],
    "iterator of readers": lambda table: iter([table.slice(0, HALF).to_reader(), table.slice(HALF).to_reader()]),
    "nanoarrow stream": lambda table: pytest.importorskip("nanoarrow").ArrayStream(table),
    "capsule stream": lambda table: pytest.importorskip("nanoarrow").c_array_stream(table),
    "duckdb": lambda table: pytest.importorskip("duckdb").from_arrow(table).to_arrow_reader(),
    "datafusion": datafusion_query,
}


def first_rows(x: Any, n_clusters: int, random_state: Any) -> Any:
    return x[:n_clusters]


def scaler() -> custcore.Scaler:
    return custcore.Scaler(FEATURES)


def labels(x: Any, **settings: Any) -> pa.Table:
    return pa.table({"labels": custcore.KMeans(3, **settings).fit_predict(x)})


CALLS: dict[str, Callable[[Any], pa.Table]] = {
    "RFMScorer": lambda x: custcore.RFMScorer().fit_transform(x).to_pyarrow(),
    "QuantileScorer": lambda x: custcore.QuantileScorer(FEATURES).fit_transform(x).to_pyarrow(),
    "Scaler": lambda x: scaler().fit_transform(x).to_pyarrow(),
    "KMeans": lambda x: labels(x, columns=FEATURES),
    "KMeans, scaler": lambda x: labels(x, scaler=scaler()),
    "KMeans, other columns than the scaler": lambda x: labels(x, scaler=scaler(), columns=FEATURES[::-1]),
    "KMeans, callable": lambda x: labels(x, columns=FEATURES, init=first_rows),
    "KMeans, callable and scaler": lambda x: labels(x, scaler=scaler(), init=first_rows),
    "select_k": lambda x: custcore.select_k(x, [2, 3], columns=FEATURES).to_pyarrow(),
    "select_k, scaler": lambda x: custcore.select_k(x, [2, 3], scaler=scaler()).to_pyarrow(),
    "natural_breaks": lambda x: pa.table({"breaks": custcore.natural_breaks(x, 3, columns=["n_orders"]).breaks}),
    "segment_customers": lambda x: custcore.segment_customers(x)[0].to_pyarrow(),
    "segment_customers, profile": lambda x: custcore.segment_customers(x, 2)[1].profile().to_pyarrow(),
    "profile": lambda x: custcore.profile(x, by="n_orders").to_pyarrow(),
    "drift": lambda x: custcore.RFMScorer().fit(CUSTOMERS).drift(x).to_pyarrow(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("once", ONCE)
def test_what_can_be_read_once_is_read_once(once: str, call: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # given centres: one start
        found, expected = CALLS[call](ONCE[once](CUSTOMERS)), CALLS[call](CUSTOMERS)
    assert found.num_rows > 0
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize("once", ONCE)
def test_purchases_of_a_stream_become_segments(once: str) -> None:
    found, model = custcore.segment_customers(ONCE[once](ORDERS), 2)
    expected, other = custcore.segment_customers(ORDERS, 2)
    assert found.to_pyarrow().equals(expected.to_pyarrow())
    assert model.profile().to_pyarrow().equals(other.profile().to_pyarrow())


@pytest.mark.parametrize("once", [name for name in ONCE if name != "datafusion"])
def test_a_second_call_fails(once: str) -> None:
    """Nothing is computed from the no rows that are left."""
    data = ONCE[once](CUSTOMERS)
    scorer = custcore.RFMScorer().fit(data)
    # nanoarrow refuses by an error of its own.
    with pytest.raises((ArrowImportError, RuntimeError), match=r"already consumed|released"):
        scorer.transform(data)


def test_readers_in_batches_are_refused_one_by_one() -> None:
    """The second of two readers was read: its rows would be missing without a word."""
    spent = CUSTOMERS.slice(HALF).to_reader()
    custcore.RFMScorer().fit(spent)
    for data in (
        [CUSTOMERS.slice(0, HALF).to_reader(), spent],
        (CUSTOMERS.slice(0, HALF).to_reader(), spent),
        iter([CUSTOMERS.slice(0, HALF).to_reader(), spent]),
    ):
        with pytest.raises(ArrowImportError, match="already consumed"):
            custcore.RFMScorer().fit(data)


def test_segments_of_few_customers_take_ks_that_are_possible() -> None:
    """Whatever the customers come in."""
    few = CUSTOMERS.slice(0, 5)
    for data in (few, few.to_reader(), {name: few[name].to_numpy() for name in FEATURES}):
        assert custcore.segment_customers(data, features=["n_orders"])[0].num_rows == 5


# What a fitted model holds


class Held:
    """Training data, and whether anything still holds their memory."""

    def __init__(self) -> None:
        self.x = np.random.default_rng(0).normal(size=(5000, 3))
        self.seen = weakref.ref(self.x)

    def released(self) -> bool:
        del self.x
        gc.collect()
        return self.seen() is None


def as_array(x: Any) -> Any:
    return x


def as_dict(x: Any) -> Any:
    return {str(i): x[:, i] for i in range(3)}


@pytest.mark.parametrize("carrier", [as_array, as_dict])
@pytest.mark.parametrize(
    "settings", [{}, {"scaler": True}, {"init": first_rows, "n_init": 1}], ids=["plain", "scaled", "init"]
)
def test_a_fitted_model_does_not_hold_its_training_data(settings: dict[str, Any], carrier: Any) -> None:
    held = Held()
    given = {**settings, "scaler": custcore.Scaler() if "scaler" in settings else None}
    model = custcore.KMeans(3, **given).fit(carrier(held.x))
    assert held.released()
    assert len(model.labels_) == 5000


def test_a_fitted_estimator_does_not_hold_its_training_data() -> None:
    pytest.importorskip("sklearn")
    from custcore.sklearn import KMeans

    held = Held()
    model = KMeans(3, random_state=0).fit(held.x)
    assert held.released()
    assert len(model.labels_) == 5000


def test_scorers_and_scalers_do_not_hold_their_training_data() -> None:
    held = Held()
    table = as_dict(held.x)
    scorer = custcore.QuantileScorer(["0", "1"]).fit(table)
    tiles = custcore.QuantileScorer(["1"], ties="split").fit({"id": np.arange(5000), **table})
    scaled = custcore.Scaler().fit(table)
    del table
    assert held.released()
    assert (scorer.thresholds.num_rows, tiles.thresholds.num_rows, len(scaled.scale_)) == (10, 5, 3)


def test_a_profile_needs_its_rows() -> None:
    model = custcore.KMeans(3, columns=FEATURES).fit(CUSTOMERS)
    with pytest.raises(NotFittedError, match=r"does not keep the rows of its fit; pass them: profile\(x\)"):
        model.profile()
    assert sum(model.profile(CUSTOMERS).to_pyarrow()["customers"].to_pylist()) == CUSTOMERS.num_rows


def test_the_profile_of_segments_is_that_of_their_customers() -> None:
    table, model = custcore.segment_customers(ORDERS, 3)
    assert model.profile().to_pyarrow().equals(model.profile(table).to_pyarrow())
    refitted = model.fit(CUSTOMERS)
    with pytest.raises(NotFittedError):
        refitted.profile()
