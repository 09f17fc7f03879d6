"""The contenders of the k-means bench. All get the same array in C order, without conversion.

``custcore-columns`` gets the same numbers as an Arrow table, the usual layout of customer features. Subsampling of
faiss is disabled. The process is bound to as many cores as there are threads before any import, because not every
library has a setting for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benches.harness import Contender, Work
from benches.python.kmeans.case import KS, ONE_BY_ONE, STARTS, KMeansCase, KMeansInput, load, result, start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

M = 1_000_000
# Number of rows to which the model of ``predict`` is fitted.
FITTED = 1 << 16


def bind(case: KMeansCase) -> None:
    """Bind the process to as many cores as there are threads."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: case.threads])


def _to_arrow(case: KMeansCase, x: np.ndarray) -> Callable[[Any], pa.Table]:
    def to_table(found: Any) -> pa.Table:
        if case.task == "select":
            return result(inertia=[float(value) for value in found])
        if case.task in ("predict", "predict_one"):
            return result(found)
        return result(found.labels_, x, found.cluster_centers_, n_iter=int(found.n_iter_))

    return to_table


def prepare_custcore(case: KMeansCase, path: Path, *, columns: bool = False) -> Work:
    bind(case)
    import custcore

    x = load(path)
    data: Any = x
    if columns:
        names = [f"x{feature}" for feature in range(case.features)]
        data = pa.table([np.ascontiguousarray(x[:, feature]) for feature in range(case.features)], names)
    first = start(case, x)
    fitted = custcore.KMeans(case.clusters, init=first, max_iter=1, n_threads=case.threads).fit(data[:FITTED])

    def run() -> Any:
        if case.task == "select":
            table = custcore.select_k(data, KS, n_init=STARTS, random_state=case.seed, n_threads=case.threads)
            return table.to_numpy("inertia")
        if case.task == "predict":
            return fitted.predict(data)
        if case.task == "predict_one":
            return [fitted.predict_one(row) for row in one_by_one]
        if case.task == "fit":
            return custcore.KMeans(case.clusters, random_state=case.seed, n_threads=case.threads).fit(data)
        settings: Any = {"init": first, "max_iter": case.iterations, "tol": 0, "n_threads": case.threads}
        return custcore.KMeans(case.clusters, **settings).fit(data)

    one_by_one = x[:ONE_BY_ONE].tolist() if case.task == "predict_one" else []
    return Work(run, _to_arrow(case, x))


def prepare_custcore_columns(case: KMeansCase, path: Path) -> Work:
    return prepare_custcore(case, path, columns=True)


def _prepare_estimator(case: KMeansCase, path: Path, estimator: Any, algorithm: str) -> Work:
    x = load(path)
    first = start(case, x).astype(x.dtype)
    fitted = estimator(case.clusters, init=first, n_init=1, max_iter=1, algorithm=algorithm).fit(x[:FITTED])

    def run() -> Any:
        if case.task == "select":
            # One start of ten; the report multiplies and states this.
            fits = [estimator(k, n_init=1, random_state=case.seed, algorithm=algorithm).fit(x) for k in KS]
            return [fit.inertia_ for fit in fits]
        if case.task == "predict":
            return fitted.predict(x)
        if case.task == "predict_one":
            return [fitted.predict(x[row : row + 1])[0] for row in range(ONE_BY_ONE)]
        if case.task == "fit":
            return estimator(case.clusters, random_state=case.seed, algorithm=algorithm).fit(x)
        settings: Any = {"init": first, "n_init": 1, "max_iter": case.iterations, "tol": 0, "algorithm": algorithm}
        return estimator(case.clusters, **settings).fit(x)

    return Work(run, _to_arrow(case, x))


def prepare_sklearn(case: KMeansCase, path: Path, algorithm: str = "lloyd") -> Work:
    bind(case)
    from sklearn.cluster import KMeans

    return _prepare_estimator(case, path, KMeans, algorithm)


def prepare_elkan(case: KMeansCase, path: Path) -> Work:
    return prepare_sklearn(case, path, "elkan")


def prepare_intelex(case: KMeansCase, path: Path) -> Work:
    bind(case)
    from sklearnex.cluster import KMeans

    return _prepare_estimator(case, path, KMeans, "lloyd")


def prepare_faiss(case: KMeansCase, path: Path) -> Work:
    bind(case)
    import faiss

    faiss.omp_set_num_threads(case.threads)
    x = load(path)
    first = start(case, x).astype(np.float32)

    def run() -> Any:
        all_rows = {"min_points_per_centroid": 1, "max_points_per_centroid": len(x)}
        found = faiss.Kmeans(case.features, case.clusters, niter=case.iterations, seed=case.seed, **all_rows)
        found.train(x, init_centroids=first)
        return found.centroids, found.index.search(x, 1)[1][:, 0]

    return Work(run, lambda found: result(found[1], x, found[0], n_iter=case.iterations))


def _refuses_elkan(case: KMeansCase) -> str | None:
    if case.task != "iterations":
        return "not asked: slower than lloyd at few features"
    if case.rows > 10 * M:
        return "keeps k + 1 floats a row, more than there is memory for, or minutes"
    if case.rows == 10 * M and (case.clusters, case.threads) != (8, 2):
        return "minutes; measured at 1 million rows"
    return None


def _refuses_faiss(case: KMeansCase) -> str | None:
    if case.task != "iterations":
        return "its seeding, stopping and models are of another kind"
    if case.dtype != "float32":
        return "knows float32 only"
    if case.rows >= 10 * M and (case.clusters, case.threads) != (8, 2):
        return "minutes; measured with k = 8 and 2 threads, and at 1 million rows"
    return None


def _refuses_intelex(case: KMeansCase) -> str | None:
    return "not asked" if case.task in ("select", "predict_one") else None


def _refuses_columns(case: KMeansCase) -> str | None:
    return "the same as custcore" if case.task in ("select", "predict_one") else None


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "KMeans on the array", needed=2.5),
    "custcore-columns": Contender(
        prepare_custcore_columns, "custcore", "KMeans on an Arrow table", held=2, needed=3.5, refuses=_refuses_columns
    ),
    "scikit-learn": Contender(prepare_sklearn, "scikit-learn", "KMeans, algorithm lloyd", needed=4),
    "scikit-learn-elkan": Contender(
        prepare_elkan, "scikit-learn", "KMeans, algorithm elkan", needed=10, refuses=_refuses_elkan
    ),
    "scikit-learn-intelex": Contender(
        prepare_intelex, "scikit-learn-intelex", "sklearnex.cluster.KMeans", needed=4, refuses=_refuses_intelex
    ),
    "faiss": Contender(
        prepare_faiss,
        "faiss-cpu",
        "Kmeans on all rows, and a search for their labels",
        needed=5,
        refuses=_refuses_faiss,
    ),
}


class KMeansBench(KMeansInput):
    """K-means."""

    contenders = CONTENDERS


BENCH = KMeansBench()
