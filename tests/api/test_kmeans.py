"""`KMeans` and `Scaler` as users meet them: tables and arrays, names, weights, models that are kept."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import ColumnNotFoundError, ConvergenceWarning, NotFittedError


def customers(n: int = 60) -> pa.Table:
    """Three kinds of customers, with an id that is not a feature."""
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 3, n)
    return pa.table(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "recency_days": pa.array(rng.integers(0, 30, n) + 100 * (2 - kind), pa.int32()),
            "n_orders": pa.array(rng.integers(1, 4, n) + 10 * kind, pa.int64()),
            "monetary_total": pa.array(np.round(rng.lognormal(2 + 1.5 * kind, 0.2), 2)),
        }
    )


FEATURES = ["recency_days", "n_orders", "monetary_total"]


def matrix(table: pa.Table) -> np.ndarray[Any, Any]:
    return np.column_stack([table[name].to_numpy().astype(float) for name in FEATURES])


def scaler(**options: Any) -> custcore.Scaler:
    return custcore.Scaler(FEATURES, log1p=["monetary_total"], **options)


# Fit


def test_a_table_and_an_array_are_one() -> None:
    table = customers()
    one = custcore.KMeans(3, columns=FEATURES).fit(table)
    other = custcore.KMeans(3).fit(matrix(table))
    assert (one.labels_ == other.labels_).all()
    assert (one.cluster_centers_ == other.cluster_centers_).all()
    assert (one.feature_names_in_, other.feature_names_in_) == (FEATURES, None)
    assert (one.n_features_in_, other.n_features_in_) == (3, 3)


@pytest.mark.parametrize("how", ["table", "batches", "reader", "polars", "pandas", "dict", "custcore", "rows"])
def test_what_features_may_come_in(how: str) -> None:
    table = customers().select(FEATURES)
    x: Any = table
    if how == "batches":
        x = iter(table.to_batches(max_chunksize=7))
    elif how == "reader":
        x = table.to_reader(max_chunksize=7)
    elif how == "polars":
        x = pytest.importorskip("polars").DataFrame(table)
    elif how == "pandas":
        x = table.to_pandas()
    elif how == "dict":
        x = {name: table[name].to_numpy() for name in FEATURES}
    elif how == "custcore":
        x = scaler().fit(table)  # replaced below: any table of custcore
        x = custcore.Scaler(FEATURES).fit_transform(table)
    elif how == "rows":
        x = matrix(table).tolist()
    found = custcore.KMeans(3).fit(x)
    expected = custcore.KMeans(3).fit(custcore.Scaler(FEATURES).fit_transform(table) if how == "custcore" else table)
    assert (found.labels_ == expected.labels_).all()
    assert found.feature_names_in_ == (None if how == "rows" else FEATURES)


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float32(), pa.decimal128(12, 2)],
    ids=str,
)
def test_types_of_numbers(kind: pa.DataType) -> None:
    values = [[1, 2, 3, 50, 51, 52], [7, 7, 8, 1, 2, 1]]
    plain = pa.table([pa.array(v, pa.float64()) for v in values], names=["a", "b"])
    numbers = [[decimal.Decimal(x) for x in v] for v in values] if pa.types.is_decimal(kind) else values
    table = pa.table([pa.array(v, kind) for v in numbers], names=["a", "b"])
    found, expected = (custcore.KMeans(2, random_state=3).fit(t) for t in (table, plain))
    assert (found.labels_ == expected.labels_).all()
    assert (found.cluster_centers_ == expected.cluster_centers_).all()


def test_minus_zero_is_zero() -> None:
    km = custcore.KMeans(1).fit([[-0.0], [-0.0]])
    assert str(km.cluster_centers_[0, 0]) == "0.0"
    assert km.predict_one([-0.0]) == 0


def test_columns_are_matched_by_name() -> None:
    table = customers()
    km = custcore.KMeans(3, scaler=scaler()).fit(table)
    turned = table.select(["monetary_total", "customer_id", "n_orders", "recency_days"])
    assert (km.predict(turned) == km.labels_).all()
    assert km.score(turned) == -km.inertia_
    with pytest.raises(ColumnNotFoundError, match="monetary_total"):
        km.predict(table.drop(["monetary_total"]))


def test_a_scaler_is_part_of_the_model() -> None:
    table = customers()
    kept = scaler()
    km = custcore.KMeans(3, scaler=kept).fit(table)
    assert not kept.is_fitted
    assert km.scaler_ is not None
    by_hand = custcore.KMeans(3).fit(scaler().fit_transform(table))
    assert (km.labels_ == by_hand.labels_).all()
    assert (km.cluster_centers_ == by_hand.cluster_centers_).all()
    row = table.slice(11, 1).to_pylist()[0]
    assert km.predict_one([row[name] for name in FEATURES]) == km.labels_[11]
    assert km.predict_one({name: row[name] for name in reversed(FEATURES)}) == km.labels_[11]
    means = km.scaler_.inverse_transform(km.cluster_centers_.tolist())
    assert min(m[0] for m in means) > 0


def test_weights() -> None:
    x = [[0.0], [1.0], [10.0]]
    km = custcore.KMeans(2, init=[[0.0], [10.0]]).fit(x, sample_weight=[3, 1, 1])
    assert km.cluster_centers_.tolist() == [[0.25], [10.0]]
    assert km.inertia_ == 0.75
    assert km.score(x, sample_weight=[3, 1, 1]) == -0.75
    for weights in (np.array([3, 1, 1]), pa.array([3.0, 1.0, 1.0]), (3, 1, 1)):
        assert custcore.KMeans(2, init=[[0.0], [10.0]]).fit(x, weights).inertia_ == 0.75


def test_fewer_distinct_rows_than_clusters() -> None:
    with pytest.warns(ConvergenceWarning, match=r"\(2\) found smaller than n_clusters \(4\)"):
        km = custcore.KMeans(4).fit([[1.0], [1.0], [1.0], [2.0], [2.0]])
    assert km.inertia_ == 0
    assert len(set(km.labels_.tolist())) == 2


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_as_many_clusters_as_rows(n_clusters: int) -> None:
    x = np.arange(n_clusters, dtype=float).reshape(-1, 1) ** 2
    km = custcore.KMeans(n_clusters).fit(x)
    assert km.inertia_ == 0
    assert sorted(km.labels_.tolist()) == list(range(n_clusters))


def test_more_clusters_than_a_byte_holds() -> None:
    x = np.arange(700, dtype=np.float64).reshape(-1, 1)
    km = custcore.KMeans(300, init=x[:300]).fit(x)
    assert km.labels_.max() == 299
    assert (km.predict(x) == km.labels_).all()


def test_the_same_seed_gives_the_same_result_forever() -> None:
    """These centres are what seed 0 and 1 have always given."""
    x = np.arange(40, dtype=float).reshape(-1, 2) % 7
    first, second = (custcore.KMeans(3, random_state=seed).fit(x) for seed in (0, 1))
    again = custcore.KMeans(3, random_state=0).fit(x)
    assert first.init_centers_.tolist() == again.init_centers_.tolist()
    assert first.init_centers_.tolist() != second.init_centers_.tolist()


def test_more_starts_are_never_worse() -> None:
    x = np.random.default_rng(1).normal(size=(500, 2))
    inertias = [custcore.KMeans(12, n_init=n, init="random", random_state=2).fit(x).inertia_ for n in (1, 5, 20)]
    assert inertias == sorted(inertias, reverse=True)


def test_a_number_of_starts_is_plain_starts() -> None:
    """Only "auto" searches the centres: one start is the first of several, and begins with rows."""
    x = np.random.default_rng(1).normal(size=(3000, 2))
    plain, searched = custcore.KMeans(9, n_init=1).fit(x), custcore.KMeans(9).fit(x)
    rows = {tuple(row) for row in x.tolist()}
    assert {tuple(c) for c in plain.init_centers_.tolist()} <= rows
    assert not {tuple(c) for c in searched.init_centers_.tolist()} & rows
    assert searched.inertia_ < plain.inertia_
    assert custcore.KMeans(9, n_init=7).fit(x).inertia_ <= plain.inertia_


@pytest.mark.parametrize("rows", [300, 40_000])
def test_select_k_finds_what_a_default_fit_finds(rows: int) -> None:
    x = np.random.default_rng(5).gamma(2, size=(rows, 2))
    found = custcore.select_k(x, [1, 3, 6], random_state=4)
    fits = [custcore.KMeans(k, random_state=4).fit(x).inertia_ for k in (1, 3, 6)]
    assert found.to_numpy("inertia").tolist() == fits


def test_a_search_with_weights() -> None:
    """A row of weight 2 is two rows, also to the search; rows of weight 0 are not seen."""
    x = np.random.default_rng(2).normal(size=(400, 2))
    weights = np.repeat([0.0, 1.0, 3.0, 2.0], 100)
    km = custcore.KMeans(6, tol=0).fit(x, sample_weight=weights)
    again = custcore.KMeans(6, init=km.cluster_centers_, tol=0).fit(np.repeat(x, weights.astype(int), axis=0))
    assert km.inertia_ == pytest.approx(again.inertia_, rel=1e-12)
    starts = [custcore.KMeans(6, n_init=1, random_state=seed).fit(x, sample_weight=weights) for seed in range(10)]
    assert km.inertia_ <= np.mean([start.inertia_ for start in starts])


def test_a_callable() -> None:
    table = customers()
    seen: list[Any] = []

    def start(x: Any, n_clusters: int, random_state: Any) -> Any:
        seen.append((x.shape, random_state.randint(1000)))
        return x[:n_clusters]

    km = custcore.KMeans(3, init=start, n_init=2, scaler=scaler(), random_state=9).fit(table)
    expected = scaler().fit_transform(table)
    assert km.init_centers_[:, 0].tolist() == expected.to_numpy("recency_days")[:3].tolist()
    assert [shape for shape, _ in seen] == [(60, 3)] * 2
    assert seen[0][1] != seen[1][1]


def test_a_result_does_not_change_with_the_next_fit() -> None:
    x = matrix(customers())
    km = custcore.KMeans(2).fit(x)
    labels = km.labels_
    before = labels.copy()
    km.fit(x[::-1].copy())
    assert (labels == before).all()
    assert not labels.flags.writeable


def test_a_failed_fit_leaves_the_model_as_it_was() -> None:
    x = matrix(customers())
    km = custcore.KMeans(3).fit(x)
    inertia = km.inertia_
    with pytest.raises(ValueError, match="row 1"):
        km.fit([[1.0], [float("nan")], [2.0]])
    assert km.inertia_ == inertia
    assert (km.predict(x) == km.labels_).all()


def test_many_threads_on_one_model() -> None:
    x = matrix(customers(5_000))
    km = custcore.KMeans(4).fit(x)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(km.predict(x))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all((labels == km.labels_).all() for labels in found)


# What the clusters are like


def test_assign_and_profile() -> None:
    table = customers()
    km = custcore.KMeans(3, scaler=scaler()).fit(table)
    assigned = km.assign(table).to_pyarrow()
    assert assigned.column_names == [*table.column_names, "cluster"]
    assert assigned["cluster"].to_pylist() == km.labels_.tolist()
    assert assigned.select(table.column_names).equals(table)
    rows = km.profile(table).to_pyarrow().to_pylist()
    for cluster, row in enumerate(rows):
        own = matrix(table)[km.labels_ == cluster]
        assert (row["cluster"], row["customers"]) == (cluster, len(own))
        assert row["share"] == pytest.approx(len(own) / 60)
        for feature, name in enumerate(FEATURES):
            assert row[f"{name}_mean"] == pytest.approx(own[:, feature].mean(), rel=1e-12)
            assert row[f"{name}_median"] == pytest.approx(np.median(own[:, feature]), rel=1e-12)
    assert km.profile(table.slice(0, 10)).to_pyarrow()["customers"].to_pylist() == [
        int((km.labels_[:10] == j).sum()) for j in range(3)
    ]


# Models that are kept


@pytest.mark.parametrize("scaled", [False, True])
def test_round_trips(tmp_path: Any, scaled: bool) -> None:
    table = customers()
    km = custcore.KMeans(3, columns=FEATURES, scaler=scaler(how="robust") if scaled else None, tol=0.0).fit(table)
    km.save(tmp_path / "model.json")
    copies = [
        custcore.KMeans.from_bytes(km.to_bytes()),
        custcore.KMeans.load(tmp_path / "model.json"),
        pickle.loads(pickle.dumps(km)),
        copy.deepcopy(km),
    ]
    for other in copies:
        assert other.cluster_centers_.tolist() == km.cluster_centers_.tolist()
        assert (other.inertia_, other.n_iter_, other.feature_names_in_) == (km.inertia_, km.n_iter_, FEATURES)
        assert (other.predict(table) == km.labels_).all()
        assert other.to_bytes() == km.to_bytes()
        assert repr(other) == repr(km) or scaled
    assert (copies[2].labels_ == km.labels_).all()
    with pytest.raises(NotFittedError, match="loaded"):
        _ = copies[0].labels_
    with pytest.raises(NotFittedError, match="profile"):
        copies[0].profile()


def test_an_unfitted_model_can_be_pickled() -> None:
    km = pickle.loads(pickle.dumps(custcore.KMeans(5, scaler=custcore.Scaler(["a"]))))
    assert (km.n_clusters, repr(km)) == (5, repr(custcore.KMeans(5, scaler=custcore.Scaler(["a"]))))


def test_scaler_round_trip() -> None:
    fitted = scaler().fit(customers())
    other = pickle.loads(pickle.dumps(fitted))
    assert (other.center_, other.scale_, other.feature_names_in_) == (fitted.center_, fitted.scale_, FEATURES)
    assert repr(other) == repr(fitted)


def test_neither_numpy_nor_pyarrow_is_needed() -> None:
    """Rows of numbers in, one customer at a time out."""
    code = """
import sys
for name in ("numpy", "pyarrow", "pandas", "polars", "sklearn"):
    sys.modules[name] = None
import custcore
km = custcore.KMeans(2, init=[[0.0, 0.0], [9.0, 9.0]])
km.fit([[0, 1], [1, 0], [9, 8], [8, 9]], sample_weight=[1, 1, 1, 1])
assert [km.predict_one(row) for row in ([0, 0], (9, 9))] == [0, 1]
assert custcore.KMeans.from_bytes(km.to_bytes()).predict_one([8, 8]) == 1
print(km.inertia_, custcore.Scaler().fit([[1.0], [3.0]]).center_)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("2.0 [2.0]\n", "")


# The scaler


def test_standard_and_robust() -> None:
    table = customers()
    x = matrix(table)
    x[:, 2] = np.log1p(x[:, 2])
    found = scaler().fit(table)
    assert np.allclose(found.center_, x.mean(axis=0), rtol=1e-12)
    assert np.allclose(found.scale_, x.std(axis=0), rtol=1e-12)
    robust = scaler(how="robust").fit(table)
    assert np.allclose(robust.center_, np.median(x, axis=0), rtol=1e-12)
    assert np.allclose(robust.scale_, np.subtract(*np.percentile(x, [75, 25], axis=0)), rtol=1e-12)


@pytest.mark.parametrize("how", ["standard", "robust"])
def test_constant_columns_are_safe(how: Any) -> None:
    table = pa.table({"a": [0.1] * 5, "b": [1.0, 2.0, 3.0, 4.0, 5.0]})
    found = custcore.Scaler(how=how).fit(table)
    assert found.scale_[0] == 1
    assert found.transform(table).to_pyarrow()["a"].to_pylist() == [0.0] * 5


def test_robust_where_most_values_are_equal() -> None:
    """Quartiles that fall together do not blow up the others."""
    table = pa.table({"a": [1.0] * 9 + [100.0]})
    found = custcore.Scaler(how="robust").fit(table)
    assert all(abs(v) < 1e6 for v in found.transform(table).to_pyarrow()["a"].to_pylist())


def test_inverse() -> None:
    table = customers()
    fitted = scaler().fit(table)
    scaled = fitted.transform(table)
    rows = list(zip(*(scaled.to_numpy(name).tolist() for name in FEATURES), strict=True))
    assert np.allclose(fitted.inverse_transform(rows), matrix(table), rtol=1e-12)


# Choosing k, and the whole way


def test_select_k_and_its_columns() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.4, (60, 2)) for c in (0, 5, 10, 15)])
    found = custcore.select_k(x, [6, 2, 3, 4, 5, 4])
    assert found.column_names == [
        "k",
        "inertia",
        "calinski_harabasz",
        "davies_bouldin",
        "bic",
        "silhouette_simplified",
        "silhouette_squared",
        "silhouette_sampled",
        "silhouette_se",
        "suggested",
    ]
    rows = found.to_pyarrow().to_pylist()
    assert [row["k"] for row in rows] == [2, 3, 4, 5, 6]
    assert [row["k"] for row in rows if row["suggested"]] == [4]
    assert any("4" in remark for remark in found.report.remarks)


def test_select_k_measures_are_scikit_learn_s() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    x = np.random.default_rng(3).normal(size=(400, 3))
    rows = custcore.select_k(x, [2, 5, 9], n_init=4, random_state=1, sample_size=400).to_pyarrow().to_pylist()
    for row in rows:
        fits = custcore.KMeans(row["k"], n_init=4, random_state=1).fit(x)
        assert row["inertia"] <= fits.inertia_ * 1.02
        if row["inertia"] != fits.inertia_:
            continue  # another local optimum
        labels = fits.labels_
        assert row["calinski_harabasz"] == pytest.approx(metrics.calinski_harabasz_score(x, labels), rel=1e-9)
        assert row["davies_bouldin"] == pytest.approx(metrics.davies_bouldin_score(x, labels), rel=1e-9)
        squared = metrics.silhouette_score(x, labels, metric="sqeuclidean")
        assert row["silhouette_squared"] == pytest.approx(squared, rel=1e-9)
        assert row["silhouette_sampled"] == pytest.approx(metrics.silhouette_score(x, labels), abs=0.02)
        assert 0 < row["silhouette_se"] < 0.05


def purchases() -> pa.Table:
    """Regulars, occasional customers, and those who left."""
    rng = np.random.default_rng(2)
    day = dt.date(2026, 1, 1)
    rows = []
    for customer in range(90):
        often, since, money = [(12, 0, 80.0), (3, 60, 30.0), (1, 250, 10.0)][customer % 3]
        for _ in range(max(1, often + int(rng.integers(-1, 2)))):
            when = day + dt.timedelta(days=int(330 - since - rng.integers(0, 40)))
            rows.append((customer, when, round(float(money * rng.uniform(0.8, 1.2)), 2)))
    ids, days, amounts = zip(*rows, strict=True)
    return pa.table({"customer_id": ids, "timestamp": days, "amount": amounts})


def test_segment_customers() -> None:
    table, model = custcore.segment_customers(purchases())
    found = table.to_pyarrow()
    assert found.column_names[-2:] == ["cluster", "segment"]
    assert found.num_rows == 90
    assert model.n_clusters == 3
    by_kind = [set(found["cluster"].to_numpy()[kind::3].tolist()) for kind in range(3)]
    assert by_kind == [{0}, {1}, {2}]  # the best first
    assert model.names_ is not None
    assert len(set(model.names_)) == 3
    assert found["segment"].to_pylist()[0] == model.names_[0]
    assert "frequent" in model.names_[0]
    assert "lapsed" in model.names_[2]
    assert model.profile().to_pyarrow()["segment"].to_pylist() == model.names_
    again = custcore.KMeans.from_bytes(model.to_bytes())
    assert again.names_ == model.names_
    row = found.slice(2, 1).to_pylist()[0]
    assert again.predict_one({name: row[name] for name in FEATURES}) == row["cluster"]
    assert table.report.n_rows == purchases().num_rows
    assert "3" in table.report.remarks[-1]


def test_segment_customers_from_one_row_per_customer() -> None:
    rfm = custcore.rfm(purchases())
    table, _ = custcore.segment_customers(rfm, k=3)
    expected, _ = custcore.segment_customers(purchases(), k=3)
    assert table.to_pyarrow().equals(expected.to_pyarrow())
    two, _ = custcore.segment_customers(rfm.to_pyarrow(), k=2, features=["n_orders", "monetary_mean"])
    assert sorted(set(two.to_pyarrow()["cluster"].to_pylist())) == [0, 1]


def test_segment_customers_without_money() -> None:
    table, model = custcore.segment_customers(purchases().drop(["amount"]), k=3, amount=None)
    assert model.feature_names_in_ == ["recency_days", "n_orders"]
    assert table.num_rows == 90
