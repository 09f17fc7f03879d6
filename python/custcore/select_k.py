"""``custcore.select_k``: how many clusters, by all the usual measures at once; ``natural_breaks`` for one feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from custcore import _core, arguments
from custcore.errors import InvalidArgumentError
from custcore.features import columns as checked_columns
from custcore.features import features, weights
from custcore.kmeans import KMeans
from custcore.scaler import Scaler
from custcore.starts import at_least_one, feature_columns, reusable_features
from custcore.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore.features import Features, Weights

__all__ = ["Breaks", "natural_breaks", "select_k"]


def select_k(
    x: Features,
    ks: Iterable[int] = range(2, 11),
    *,
    columns: Iterable[str] | None = None,
    scaler: Scaler | None = None,
    n_init: int = 10,
    max_iter: int = 300,
    tol: float = 1e-4,
    random_state: int = 0,
    sample_size: int = 1000,
    n_threads: int | None = None,
) -> Table:
    """Cluster with each k, and measure what came out.

    Parameters
    ----------
    x : (n_rows, n_features)
        As in :meth:`custcore.KMeans.fit`.
    ks : whole numbers, default 2 to 10
        The numbers of clusters to try.
    columns, scaler, n_init, max_iter, tol, random_state, n_threads
        As in :class:`custcore.KMeans`. All k and all starts share the passes over the rows.
    sample_size : int, default 1000
        Rows drawn for ``silhouette_sampled``.

    Returns
    -------
    Table
        One row for each k: ``k`` (int32), ``inertia``, ``calinski_harabasz`` (between over within variance; large is
        good), ``davies_bouldin`` (small is good), ``bic`` (small is good; spherical Gaussians of one variance),
        ``silhouette_simplified`` (with distances to centres), ``silhouette_squared`` (exact, with squared Euclidean
        distances), ``silhouette_sampled`` (Euclidean, of a sample) with its standard error ``silhouette_se`` (float64;
        null where a measure is not defined), and ``suggested`` (bool; true in one row, for the reason that
        ``.report.remarks`` gives).

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(c, 0.3, (50, 2)) for c in (0, 4, 8)])
    >>> table = custcore.select_k(x, range(2, 6)).to_pyarrow()
    >>> [row["k"] for row in table.to_pylist() if row["suggested"]]
    [3]
    """
    listed = [at_least_one("ks", k) for k in ks]
    if not listed:
        raise InvalidArgumentError("ks is empty; expected numbers of clusters, e.g. range(2, 11)")
    settings = KMeans(n_init=n_init, max_iter=max_iter, tol=tol, scaler=scaler, random_state=random_state)
    threads = arguments.optional_whole("n_threads", n_threads)
    columns = checked_columns("columns", columns)
    if scaler is not None and not scaler.is_fitted:
        read = reusable_features(x, columns, scaler)
        scaler = Scaler._wrap(scaler._core.fit(read, n_threads=threads))
    else:
        read = features(x)
    return Table(
        _core.select_k(
            read,
            sorted(set(listed)),
            columns=feature_columns(columns, scaler),
            scaler=None if scaler is None else scaler._core,
            n_init=at_least_one("n_init", n_init),
            max_iter=max_iter,
            tol=settings._tol(),
            random_state=random_state,
            sample_size=at_least_one("sample_size", sample_size),
            n_threads=threads,
        )
    )


@dataclass(frozen=True, slots=True)
class Breaks:
    """The best way to cut one feature into k groups.

    Attributes
    ----------
    k : int
        How many groups.
    inertia : float
        Sum of the squared distances to the means of the groups; no other way to cut has less.
    centers : list of float
        The means of the groups, ascending.
    breaks : list of float
        The largest value of each group but the last. As ``cuts`` of :class:`custcore.RFMScorer` they give each group a
        score.
    """

    k: int
    inertia: float
    centers: list[float]
    breaks: list[float]


def natural_breaks(
    x: Features,
    k: int,
    *,
    columns: Iterable[str] | None = None,
    sample_weight: Weights | None = None,
    n_threads: int | None = None,
) -> Breaks:
    """Cut one feature into k groups in the best way there is (Jenks' natural breaks), by dynamic programming.

    Parameters
    ----------
    x : (n_rows, 1)
        A table or array of one feature; or a table, with its name in ``columns``.
    k : int
        How many groups.
    columns, sample_weight, n_threads
        As in :class:`custcore.KMeans`.

    Raises
    ------
    InvalidArgumentError
        If there is more than one feature, or fewer distinct values than groups.

    Examples
    --------
    >>> import custcore, pyarrow as pa
    >>> custcore.natural_breaks(pa.table({"spend": [1, 2, 4, 90, 100]}), 2)
    Breaks(k=2, inertia=54.666666666666664, centers=[2.3333333333333335, 95.0], breaks=[4.0])
    """
    k = at_least_one("k", k)
    (found,) = _core.natural_breaks(
        features(x),
        [k],
        columns=checked_columns("columns", columns),
        sample_weight=weights(sample_weight),
        n_threads=arguments.optional_whole("n_threads", n_threads),
    )
    return Breaks(k, *found)
