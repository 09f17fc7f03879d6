"""``custcore.select_k``: quality measures for several numbers of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import features
from custcore.cluster._init_centers import (
    at_least_one,
    feature_columns,
    number_of_starts,
    numbers_of_clusters,
    reusable_features,
)
from custcore.cluster._kmeans import KMeans
from custcore.cluster._scaler import Scaler
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore.cluster._features import Features

__all__ = ["select_k"]


@proposing
def select_k(
    x: Features,
    ks: Iterable[int] = range(2, 11),
    *,
    columns: Iterable[str] | None = None,
    scaler: Scaler | None = None,
    n_init: int | Literal["auto"] = "auto",
    max_iter: int = 300,
    tol: float = 1e-4,
    random_state: int = 0,
    sample_size: int = 1000,
    n_threads: int | None = None,
) -> Table:
    """Cluster with each k and compute quality measures.

    Parameters
    ----------
    x : (n_rows, n_features)
        The features. A table that exports Arrow or a dict of numpy arrays, whose columns
        are floats, integers or decimals; or a two-dimensional array, which is not copied if
        it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
    ks : iterable of int, default range(2, 11)
        The numbers of clusters to try. All of them, and all starts, share the passes over
        the rows.
    columns : list of str, optional
        Names of the features. Default: those of the scaler, else every column of the table.
    scaler : Scaler, optional
        Scales the features first. A scaler that is not fitted is fitted on the given rows;
        it is not changed.
    n_init : int or "auto", default "auto"
        Number of starts for each k, of which the best is kept. ``"auto"``: one start from
        centres that are searched first, as in :class:`custcore.KMeans`.
    max_iter : int, default 300
        Maximum number of iterations of one start.
    tol : float, default 1e-4
        A start ends when the squared shifts of all centres sum to at most ``tol`` times the
        mean variance of the features, or when no row changes its cluster. A start from
        searched centres takes a tenth of ``tol``: it begins near its end, where centres
        shift little.
    random_state : int, default 0
        Seed; the same seed gives the same result in every version and on every machine.
    sample_size : int, default 1000
        Number of rows drawn for ``silhouette_sampled``.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        One row for each k: ``k`` (int32), ``inertia``, ``calinski_harabasz`` (between over
        within variance; higher is better), ``davies_bouldin`` (lower is better), ``bic`` (lower
        is better; spherical Gaussians of equal variance), ``silhouette_simplified`` (with
        distances to centres), ``silhouette_squared`` (exact, with squared Euclidean
        distances), ``silhouette_sampled`` (Euclidean, of a sample) with its standard error
        ``silhouette_se`` (float64; null if a measure is not defined), and ``suggested``
        (bool; true in one row; ``.report.remarks`` gives the reason).

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(c, 0.3, (50, 2)) for c in (0, 4, 8)])
    >>> table = custcore.select_k(x, range(2, 6)).to_pyarrow()
    >>> [row["k"] for row in table.to_pylist() if row["suggested"]]
    [3]
    """
    listed = numbers_of_clusters(ks)
    settings = KMeans(n_init=n_init, max_iter=max_iter, tol=tol, scaler=scaler, random_state=random_state)
    threads = arguments.optional_whole("n_threads", n_threads)
    columns = checked_columns("columns", columns)
    if scaler is not None and not scaler.is_fitted:
        read = reusable_features(x, columns, scaler)
        scaler = Scaler._wrap(scaler._core.fit(read, n_threads=threads))
    else:
        read = features(x, feature_columns(columns, scaler))
    return Table(
        _core.select_k(
            read,
            sorted(set(listed)),
            columns=feature_columns(columns, scaler),
            scaler=None if scaler is None else scaler._core,
            n_init=number_of_starts(n_init),
            max_iter=max_iter,
            tol=settings._tol(),
            random_state=random_state,
            sample_size=at_least_one("sample_size", sample_size),
            n_threads=threads,
        )
    )
