"""K-means is plain Lloyd with exact sums, bit by bit: on hostile numbers, in any layout, by every way of computing."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore import _core
from tests.reference import lloyd_reference, natural_breaks_reference

# Where numbers lie: around 0, far off with small differences, and so that squares come near the ends of float32 and 64.
SCALES = [(0.0, 1.0), (1e6, 1e-6), (1e6, 1.0), (-3.0, 1e-9), (0.0, 1e25), (0.0, 1e-30), (0.0, 1e120), (0.0, 1e-130)]
UNITS = st.one_of(
    st.integers(-3, 3).map(float),  # duplicates and ties
    st.integers(-20, 20).map(lambda i: i / 8),
    st.floats(-4, 4, width=32),
    st.floats(-4, 4),
)
WEIGHTS = st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.0, 0.1, 0.7, 1e-9, 1e9])


@st.composite
def problems(draw: Any, *, features: int = 5) -> dict[str, Any]:
    """Points, initial centres, weights and settings."""
    d = draw(st.integers(1, features))
    offset, scale = draw(st.sampled_from(SCALES))
    kind = draw(st.sampled_from([np.float64, np.float64, np.float32]))
    point = st.lists(UNITS, min_size=d, max_size=d).map(lambda p: [offset + scale * v for v in p])
    points = draw(st.lists(point, min_size=1, max_size=30))
    with np.errstate(over="ignore"):
        points = np.array(points, dtype=kind)
    if not np.isfinite(points).all():
        points = np.nan_to_num(points, posinf=3e38, neginf=-3e38).astype(kind)
    k = draw(st.integers(1, min(6, len(points))))
    rows = st.sampled_from(points.astype(np.float64).tolist())  # rows, some of them twice: empty clusters
    start = draw(st.lists(st.one_of(rows, rows, rows, point), min_size=k, max_size=k))
    weights = draw(st.one_of(st.none(), st.lists(WEIGHTS, min_size=len(points), max_size=len(points))))
    if weights is not None and not any(weights):
        weights = None
    settings = {"max_iter": draw(st.sampled_from([1, 2, 3, 300])), "tol": draw(st.sampled_from([0.0, 0.0, 1e-4, 0.3]))}
    return {"points": points, "start": start, "weights": weights, **settings}


def fit(problem: dict[str, Any], x: Any = None, *, path: str | None = None, n_threads: int | None = None) -> Any:
    """What the core finds: centres, labels, inertia, iterations."""
    start = problem["start"]
    settings = {"max_iter": problem["max_iter"], "tol": problem["tol"]}
    core = _core.KMeans(len(start), init="k-means++", n_init=1, random_state=0, scaler=None, **settings)
    weights = None if problem["weights"] is None else np.array(problem["weights"])
    model, labels = core.fit(
        problem["points"] if x is None else x,
        columns=None,
        sample_weight=weights,
        centers=[start],
        n_threads=n_threads,
        path=path,
    )
    return model.centers, np.frombuffer(memoryview(labels), "int32").tolist(), model.inertia, model.n_iter


def expected(problem: dict[str, Any]) -> Any:
    found = lloyd_reference(
        problem["points"].astype(np.float64).tolist(),
        problem["start"],
        weights=problem["weights"],
        max_iter=problem["max_iter"],
        tol=problem["tol"],
    )
    return found.centers, found.labels, found.inertia, found.n_iter


@given(problems())
def test_equal_to_the_reference(problem: dict[str, Any]) -> None:
    assert fit(problem) == expected(problem)


@pytest.mark.parametrize("path", _core.simd_paths())
@given(problem=problems(features=9))
def test_every_way_of_computing(path: str, problem: dict[str, Any]) -> None:
    assert fit(problem, path=path) == expected(problem)


@given(problems(), st.lists(st.integers(0, 30), max_size=4), st.sampled_from(["F", "strided", "arrow", "batches"]))
def test_layouts(problem: dict[str, Any], cuts: list[int], layout: str) -> None:
    points = problem["points"]
    names = [f"x{f}" for f in range(points.shape[1])]
    table = pa.table(list(np.ascontiguousarray(points.T)), names=names)
    x: Any = table
    if layout == "F":
        x = np.asfortranarray(points)
    elif layout == "strided":
        wide = np.zeros((2 * len(points), points.shape[1] + 3), dtype=points.dtype)
        x = wide[::2, 1:-2]
        x[:] = points
    elif layout == "batches":
        at = sorted({0, len(points), *(c for c in cuts if c < len(points))})
        x = pa.concat_tables([table.slice(0, 0), *(table.slice(a, b - a) for a, b in pairwise(at))])
    assert fit(problem, x) == fit(problem)


@given(problems(), st.data())
def test_weights_are_repetitions(problem: dict[str, Any], data: Any) -> None:
    """A weight of n is n rows, to the bit; rows of weight 0 move nothing."""
    points = problem["points"]
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(points), max_size=len(points)).filter(any))
    weighted = fit({**problem, "weights": [float(c) for c in counts], "tol": 0.0})
    repeated = np.repeat(points, counts, axis=0)
    if len(repeated) < len(problem["start"]):
        return
    plain = fit({**problem, "points": repeated, "weights": None, "tol": 0.0})
    # Which row an empty cluster takes depends on how many there are; so does the strictness of the stop.
    if len(set(plain[1])) == len(problem["start"]) == len(set(weighted[1])) and problem["max_iter"] == 300:
        labels = np.repeat(weighted[1], counts).tolist()
        if labels == plain[1]:
            assert (weighted[0], weighted[2]) == (plain[0], plain[2])


@given(problems())
def test_predict_score_and_transform_agree_with_the_fit(problem: dict[str, Any]) -> None:
    points = problem["points"]
    km = custcore.KMeans(len(problem["start"]), init=problem["start"], tol=problem["tol"], max_iter=problem["max_iter"])
    km._run(points, problem["weights"])
    labels = km.labels_.tolist()
    assert km.predict(points).tolist() == labels
    assert [km.predict_one([float(v) for v in row]) for row in points] == labels
    assert km.score(points, problem["weights"]) == -km.inertia_
    own = km.transform(points)[np.arange(len(points)), labels]
    assert (own == km.transform(points).min(axis=1)).all()


@given(st.lists(st.integers(-30, 30), min_size=2, max_size=14), st.integers(1, 5))
def test_natural_breaks(values: list[int], k: int) -> None:
    if k > len(set(values)):
        return
    found = custcore.natural_breaks([[float(v)] for v in values], k)
    assert found.inertia == pytest.approx(float(natural_breaks_reference(values, k)), rel=1e-12, abs=1e-12)
    groups = np.searchsorted(found.breaks, sorted(values), side="left")
    for group, center in enumerate(found.centers):
        members = [v for v, g in zip(sorted(values), groups, strict=True) if g == group]
        assert center == pytest.approx(np.mean(members))


# More rows than a block, a share, a sample


def many(n: int, d: int, kind: Any = np.float64, seed: int = 0) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) + rng.integers(0, 5, size=(n, 1)) * 2).astype(kind)


@pytest.mark.parametrize(("d", "k"), [(1, 4), (3, 8), (8, 16)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("how", ["plain", "weights", "few values", "offset"])
def test_many_rows(d: int, k: int, kind: Any, how: str) -> None:
    points = many(5_000, d, kind)
    if how == "few values":
        points = np.round(points)
    if how == "offset":
        points = (points + 1e6).astype(kind)
    weights = np.random.default_rng(1).choice([0.5, 1.0, 3.0], len(points)).tolist() if how == "weights" else None
    start = points[:: len(points) // k][:k].astype(np.float64).tolist()
    problem = {"points": points, "start": start, "weights": weights, "max_iter": 6, "tol": 0.0}
    found = fit(problem)
    assert found == expected(problem)
    for path in _core.simd_paths():
        assert fit(problem, path=path) == found


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("k", [3, 7, 12])
def test_few_distinct_rows(d: int, k: int) -> None:
    """Scores from 1 to 5, some starts twice and some far off: clusters that stay empty take row by row."""
    rng = np.random.default_rng(d * k)
    points = rng.integers(1, 6, size=(3_000, d)).astype(np.float64)
    start = points[rng.integers(0, 3_000, k)]
    start[-1] = start[0]
    start[-2] += 100.0
    problem = {"points": points, "start": start.tolist(), "weights": None, "max_iter": 20, "tol": 0.0}
    assert fit(problem) == expected(problem)
    assert fit({**problem, "weights": [1.0] * 3_000}) == expected(problem)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(3, 8), (8, 20)])
def test_threads_and_chunks_on_many_rows(kind: Any, d: int, k: int) -> None:
    points = many(300_000, d, kind)
    problem = {"points": points, "start": points[:k].astype(float).tolist(), "weights": None, "max_iter": 30, "tol": 0}
    found = fit(problem, n_threads=1)
    names = [f"x{f}" for f in range(d)]
    table = pa.table(list(np.ascontiguousarray(points.T)), names=names)
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=7_777))
    for x in (None, np.asfortranarray(points), table, chunked):
        for n_threads in (2, 7):
            assert fit(problem, x, n_threads=n_threads) == found
    for path in _core.simd_paths():
        assert fit(problem, path=path, n_threads=2) == found


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [5_000, 150_000])
@pytest.mark.parametrize("clusters", [2, 7, 20])
def test_the_search_does_not_depend_on_threads_layout_or_processor(kind: Any, rows: int, clusters: int) -> None:
    points = many(rows, 3, kind)
    columns = {f"x{f}": np.ascontiguousarray(points[:, f]) for f in range(3)}
    settings: dict[str, Any] = {"init": "k-means++", "n_init": None, "max_iter": 30, "tol": 1e-4, "random_state": 3}
    core = _core.KMeans(clusters, scaler=None, **settings)

    def found(x: Any, n_threads: int, path: str | None = None) -> Any:
        model, labels = core.fit(x, columns=None, sample_weight=None, centers=None, n_threads=n_threads, path=path)
        return model.init_centers, model.centers, model.inertia, model.n_iter, bytes(memoryview(labels))

    first = found(points, 1)
    table = pa.table(columns)
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=7_777))
    assert all(found(x, n_threads) == first for x in (points, table, chunked) for n_threads in (2, 7))
    assert all(found(points, 2, path) == first for path in _core.simd_paths())


@given(problems())
def test_a_default_fit_of_hostile_numbers_is_plain_lloyd(problem: dict[str, Any]) -> None:
    """From the centres that it found it is the reference, also of duplicates, ties and weights of zero."""
    points, weights, k = problem["points"], problem["weights"], len(problem["start"])
    try:
        km = custcore.KMeans(k, tol=0, max_iter=problem["max_iter"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", custcore.errors.ConvergenceWarning)
            km.fit(points, sample_weight=weights)
    except custcore.errors.OutOfRangeError:
        return
    again = lloyd_reference(
        points.astype(np.float64).tolist(), km.init_centers_.tolist(), weights=weights, max_iter=km.max_iter, tol=0
    )
    assert (km.cluster_centers_.tolist(), km.labels_.tolist()) == (again.centers, again.labels)
    assert (km.inertia_, km.n_iter_) == (again.inertia, again.n_iter)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_seeding_does_not_depend_on_threads_or_layout(init: Any, kind: Any) -> None:
    points = many(200_000, 3, kind)
    columns = {f"x{f}": np.ascontiguousarray(points[:, f]) for f in range(3)}
    fits = [
        custcore.KMeans(5, init=init, n_init=3, max_iter=20, random_state=7, n_threads=n_threads).fit(x)
        for n_threads, x in ((1, points), (2, points), (7, columns))
    ]
    for other in fits[1:]:
        assert (other.init_centers_ == fits[0].init_centers_).all()
        assert (other.labels_ == fits[0].labels_).all()
        assert (other.cluster_centers_ == fits[0].cluster_centers_).all()
    rows = {tuple(row) for row in points.astype(float).tolist()}
    assert {tuple(c) for c in fits[0].init_centers_.tolist()} <= rows


def test_from_the_centres_it_hands_over_it_is_plain_lloyd() -> None:
    points = many(3_000, 3)
    km = custcore.KMeans(6, n_init=4, tol=0, random_state=3).fit(points)
    again = lloyd_reference(points.tolist(), km.init_centers_.tolist(), tol=0)
    assert (km.cluster_centers_.tolist(), km.labels_.tolist()) == (again.centers, again.labels)
    assert (km.inertia_, km.n_iter_) == (again.inertia, again.n_iter)


@pytest.mark.slow
@pytest.mark.parametrize("n_threads", [1, 2])
def test_forty_million_rows_of_float32(n_threads: int) -> None:
    """Where sums and counts in float32 give 0.57 or 1.42, the mean is 1.5."""
    x = np.random.default_rng(0).random((40_000_000, 1), dtype=np.float32)
    x += np.float32(1)
    km = custcore.KMeans(1, init=[[1.0]], n_threads=n_threads, max_iter=2).fit(x)
    mean = float(x.mean(dtype=np.float64))
    assert km.cluster_centers_[0, 0] == pytest.approx(mean, rel=1e-12)
    assert abs(km.cluster_centers_[0, 0] - 1.5) < 1e-4
