"""scikit-learn: a KMeans estimator computed by custcore, for pipelines, grid searches and ``set_output``."""

from __future__ import annotations

import numbers
import warnings
from typing import TYPE_CHECKING, Any, Literal, Self

from custcore._extras import how_to_install

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_array, check_random_state
    from sklearn.utils.validation import check_is_fitted
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"custcore.sklearn needs scikit-learn: {how_to_install('sklearn')}", name="sklearn"
    ) from _error

import custcore
from custcore import _core
from custcore._input.proposals import proposing_methods
from custcore.cluster._init_centers import at_least_one, given_centers, too_few_clusters
from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KMeans"]


if TYPE_CHECKING:

    class _Estimator:
        """What the base classes add; scikit-learn publishes no types."""

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...  # noqa: ANN401
        def set_output(self, *, transform: Literal["default", "pandas", "polars"] | None = None) -> Self: ...
        def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]: ...

else:

    class _Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
        """The base classes of scikit-learn."""


@proposing_methods
class KMeans(_Estimator):
    """scikit-learn's ``KMeans``, computed by custcore: exact and faster.

    Arguments, attributes and warnings are the same.

    From the same initial centres the result is that of ``sklearn.cluster.KMeans`` in
    float64 with exact sums. Random starts use a different generator than numpy, so the same
    seed gives different starts. Sparse matrices are not supported.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "random"}, array of centres, or callable, default "k-means++"
        How to start: greedy k-means++ (Arthur & Vassilvitskii 2007), distinct random rows,
        given centres, or a function ``init(x, n_clusters, random_state=...)`` that returns
        them. Given centres are on the scale of the scaler, if there is one. k-means++ draws
        from a sample of 65,536 rows (64 for each cluster, if that is more).
    n_init : int or "auto", default "auto"
        Number of starts, of which the best result is kept: Lloyd's algorithm runs from
        each. ``"auto"``: for k-means++ one start from centres that are searched first, see
        Notes; 1 for given centres; 10 for random rows and callables.
    max_iter : int, default 300
        Maximum number of iterations of one start.
    tol : float, default 1e-4
        A start ends when the squared shifts of all centres sum to at most ``tol`` times the
        mean variance of the features, or when no row changes its cluster. A start from
        searched centres takes a tenth of ``tol``: it begins near its end, where centres
        shift little.
    verbose : int, default 0
        Accepted and ignored: nothing is printed.
    random_state : int, RandomState or None, optional
        An int gives the result of :class:`custcore.KMeans` with that seed; otherwise a seed
        is drawn.
    copy_x : bool, default True
        Accepted and ignored: the data are never changed.
    algorithm : {"lloyd", "elkan"}, default "lloyd"
        Accepted and ignored: both give the same result.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    cluster_centers_ : numpy.ndarray (n_clusters, n_features)
        In the float type of the data. Setting them changes the result of ``predict``.
    labels_, inertia_, n_iter_, init_centers_, n_features_in_, feature_names_in_
        As in :class:`custcore.KMeans`; ``labels_`` is writable.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from custcore.sklearn import KMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> pipeline = make_pipeline(
    ...     StandardScaler(), KMeans(n_clusters=2, random_state=0)
    ... ).fit(X)
    >>> labels = pipeline.predict([[0, 0], [12, 3]])
    >>> bool(labels[0] == pipeline[-1].labels_[0] and labels[1] == pipeline[-1].labels_[3])
    True
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",  # noqa: ANN401
        n_init: Any = "auto",  # noqa: ANN401
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,  # noqa: ANN401
        copy_x: bool = True,
        algorithm: str = "lloyd",
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:  # noqa: ANN401, ARG002, N803
        """Fit the clusters.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.
        y : None, optional
            Ignored.
        sample_weight : array-like (n_samples,), optional
            Weight of each sample, in seeding, too.
        """
        if self.algorithm not in {"lloyd", "elkan"}:
            raise InvalidArgumentError(f"algorithm={self.algorithm!r} is invalid; expected one of 'lloyd', 'elkan'")
        X = self._validated(X, reset=True)  # noqa: N806
        if at_least_one("n_clusters", self.n_clusters) > len(X):
            raise InvalidArgumentError(f"n_samples={len(X)} should be >= n_clusters={self.n_clusters}.")
        if sample_weight is not None:
            sample_weight = check_array(
                sample_weight, dtype="float64", ensure_2d=False, ensure_all_finite=False, input_name="sample_weight"
            )
        model = custcore.KMeans(
            self.n_clusters,
            init=self._start(X),
            n_init=self.n_init,
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self._seed(),
            n_threads=self.n_threads,
        )
        model._run(X, sample_weight)
        core = model._fitted()
        if core.n_nonempty < core.n_clusters:
            warnings.warn(too_few_clusters(core.n_nonempty, core.n_clusters), ConvergenceWarning, stacklevel=2)
        self.labels_: np.ndarray[Any, Any] = model.labels_.copy()
        self.cluster_centers_: np.ndarray[Any, Any] = model.cluster_centers_.astype(X.dtype)
        self.init_centers_: np.ndarray[Any, Any] = model.init_centers_.astype(X.dtype)
        self.inertia_: float = model.inertia_
        self.n_iter_: int = model.n_iter_
        several = callable(self.init) or (isinstance(self.init, str) and self.init == "random")
        self._n_init = (10 if several else 1) if isinstance(self.n_init, str) else self.n_init
        self._n_features_out = len(self.cluster_centers_)
        model._labels, model.init = None, "k-means++"
        self._model = model
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401, N803
        """The nearest cluster of each sample.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.

        Returns
        -------
        numpy.ndarray (n_samples,) of int32
        """
        check_is_fitted(self)
        return self._current().predict(self._validated(X)).copy()

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray[Any, Any]:  # noqa: ANN401, ARG002, N803
        """:meth:`fit`, then ``labels_``.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.
        y : None, optional
            Ignored.
        sample_weight : array-like (n_samples,), optional
            Weight of each sample, in seeding, too.
        """
        labels: np.ndarray[Any, Any] = self.fit(X, sample_weight=sample_weight).labels_
        return labels

    def transform(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401, N803
        """The distance of each sample to each centre.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.

        Returns
        -------
        numpy.ndarray (n_samples, n_clusters) of float64
        """
        check_is_fitted(self)
        return self._current().transform(self._validated(X)).copy()

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray[Any, Any]:  # noqa: ANN401, ARG002, N803
        """:meth:`fit`, then :meth:`transform`.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.
        y : None, optional
            Ignored.
        sample_weight : array-like (n_samples,), optional
            Weight of each sample, in seeding, too.
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ANN401, ARG002, N803
        """Minus the sum of squared distances of the samples to their nearest centres.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Not copied if it is float32 or float64, in any memory order.
        y : None, optional
            Ignored.
        sample_weight : array-like (n_samples,), optional
            Weight of each sample, in seeding, too.
        """
        check_is_fitted(self)
        X = self._validated(X)  # noqa: N806
        if sample_weight is not None:
            sample_weight = check_array(
                sample_weight, dtype="float64", ensure_2d=False, ensure_all_finite=False, input_name="sample_weight"
            )
        return self._current().score(X, sample_weight)

    def _validated(self, X: Any, *, reset: bool = False) -> Any:  # noqa: ANN401, N803
        """A two-dimensional array of float32 or float64; the core checks that values are finite while it reads them."""
        from sklearn.utils.validation import validate_data

        return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        seed: int = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return seed

    def _start(self, X: Any) -> Any:  # noqa: ANN401, N803
        if isinstance(self.init, str):
            return str(self.init)
        if callable(self.init):
            given: Callable[..., Any] = self.init
            return lambda x, n_clusters, random_state: check_array(
                given(x, n_clusters, random_state=random_state), dtype="float64"
            )
        centers = check_array(self.init, dtype="float64", ensure_min_samples=0)
        return given_centers(centers, self.n_clusters, X.shape[1])

    def _current(self) -> custcore.KMeans:
        """The model, with centres that the user may have set after the fit."""
        model: custcore.KMeans = self._model
        if np.array_equal(model.cluster_centers_.astype(self.cluster_centers_.dtype), self.cluster_centers_):
            return model
        core, centers = model._fitted(), np.asarray(self.cluster_centers_, dtype="float64").tolist()
        changed = _core.KMeans.from_parameters(centers, core.init_centers, core.inertia, core.n_iter, None, None)
        return model._with(changed, None)
