"""``custcore.KMeans``: exact k-means of customer features."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import features, weights
from custcore.cluster._fitted import Fitted
from custcore.cluster._init_centers import (
    at_least_one,
    called,
    feature_columns,
    given_centers,
    matrix,
    number_of_starts,
    reusable_features,
    too_few_clusters,
)
from custcore.cluster._scaler import Scaler
from custcore.errors import ConvergenceWarning, InvalidArgumentError, InvalidTypeError, ModelFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    import numpy as np

    from custcore.cluster._features import Features, Rows, Weights
    from custcore.result import Table

__all__ = ["KMeans"]

Init: TypeAlias = "Literal['k-means++', 'random'] | Rows | np.ndarray[Any, Any] | Callable[..., Any]"
_INITS = ("k-means++", "random")


@proposing_methods
class KMeans(Fitted, Persistable):
    """K-means clustering: k centres that minimise the sum of squared distances to them.

    Distances are float64 for features of any type, sums are exact and rounded once: the
    result is that of Lloyd's algorithm from the same initial centres, bitwise equal for any
    number of threads, order of batches and processor. Ties go to the lower cluster.

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
    random_state : int or None, default 0
        Seed; the same seed gives the same result in every version and on every machine.
        ``None`` draws one.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    columns : list of str, optional
        Names of the features. Default: those of the scaler, else every column of the table.
    scaler : Scaler, optional
        Scales the features first. A scaler that is not fitted is fitted on the given rows.
        It is kept with the model, which then takes features in their own units.

    Attributes
    ----------
    cluster_centers_ : numpy.ndarray (n_clusters, n_features) of float64
        The centres, on the scale of the scaler.
    labels_ : numpy.ndarray (n_rows,) of int32
        The cluster of each row of the fit, read-only.
    inertia_ : float
        The (weighted) sum of the squared distances.
    n_iter_ : int
        Iterations of the best start.
    init_centers_ : numpy.ndarray (n_clusters, n_features) of float64
        The centres that the best start began with.
    feature_names_in_ : list of str or None
        The features, in order; None after a fit on an array.
    n_features_in_ : int
        Number of features.
    scaler_ : Scaler or None
        The fitted scaler.
    names_ : list of str or None
        The names of the clusters, which :func:`custcore.segment_customers` gives.

    Notes
    -----
    Lloyd's algorithm ends in a local optimum, whose inertia may be percents above the best.
    So by default (``n_init="auto"`` and k-means++) the initial centres are searched in a
    sample of 8,192 to 32,768 rows, an eighth of all, or 64 for each cluster: k-means++ and
    Lloyd's algorithm, then *swaps*. A swap merges the two clusters that cost least to
    merge, or frees the centre whose rows have others nearby, and splits in two the cluster
    that gains most by it; Lloyd's algorithm follows, and the swap is kept if the inertia
    falls. The search ends when the eight most promising swaps are tried in vain.
    ``max_iter`` is for the start over all rows that follows. Up to 256 clusters are
    searched. ``n_init=1`` is one plain start.

    Split and merge: Kaukoranta, Franti & Nevalainen 1998, "Iterative split-and-merge algorithm
    for VQ codebook generation"; swaps: Franti & Kivijarvi 2000, "Randomised local search
    algorithm for the clustering problem".

    Examples
    --------
    >>> import custcore, pyarrow as pa
    >>> customers = pa.table(
    ...     {"n_orders": [1, 2, 1, 9, 8], "monetary_total": [10.0, 12.0, 8.0, 300.0, 280.0]}
    ... )
    >>> km = custcore.KMeans(
    ...     2, scaler=custcore.Scaler(log1p=["monetary_total"]), random_state=1
    ... ).fit(customers)
    >>> km.labels_.tolist() in ([0, 0, 0, 1, 1], [1, 1, 1, 0, 0])
    True
    >>> km.predict_one([1, 9.0]) == int(km.labels_[0])
    True
    >>> km.predict_one({"monetary_total": 250.0, "n_orders": 7}) == int(km.labels_[3])
    True
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: int | None = 0,
        n_threads: int | None = None,
        columns: Sequence[str] | None = None,
        scaler: Scaler | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_threads = n_threads
        self.columns = columns
        self.scaler = scaler
        self._core: _core.KMeans | None = None
        self._labels: _core.Memory | None = None
        self._scaler: Scaler | None = None
        self._names: list[str] | None = None
        self._profile: Table | None = None
        self._checked()

    def fit(self, x: Features, sample_weight: Weights | None = None) -> KMeans:
        """Fit the clusters.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
        sample_weight : (n_rows,), optional
            Weight of each row, 0 or more. Default: 1.

        Returns
        -------
        KMeans
            This model.

        Raises
        ------
        InvalidArgumentError
            If there are fewer rows than clusters, or invalid weights.
        NonFiniteError, NullValueError
            If a feature is null, NaN or infinite; the message names column and row.

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct rows than clusters.
        """
        self._run(x, sample_weight)
        core = self._fitted()
        if core.n_nonempty < core.n_clusters:
            warnings.warn(too_few_clusters(core.n_nonempty, core.n_clusters), ConvergenceWarning, stacklevel=2)
        return self

    def _run(self, x: Features, sample_weight: Weights | None) -> None:
        """Fit without the warning about fewer clusters, for which scikit-learn has another class."""
        n_clusters, starts, n_init, seed = self._checked()
        if starts is not None and not callable(starts) and self.n_init not in {"auto", 1}:
            warnings.warn(
                f"Explicit initial center position passed: performing only one init in KMeans instead of "
                f"n_init={self.n_init}.",
                RuntimeWarning,
                stacklevel=3,
            )
        scaler = self.scaler
        fits_scaler = scaler is not None and not scaler.is_fitted
        read_again = fits_scaler or callable(starts)
        read = (
            reusable_features(x, self.columns, scaler)
            if read_again
            else features(x, feature_columns(self.columns, scaler))
        )
        n_threads = arguments.optional_whole("n_threads", self.n_threads)
        if scaler is not None and fits_scaler:
            scaler = Scaler._wrap(scaler._core.fit(read, n_threads=n_threads))
        columns = feature_columns(self.columns, scaler)
        if callable(starts):
            rows = matrix(read, columns, None if scaler is None else scaler._core)
            starts = called(starts, rows, n_clusters, n_init or 10, seed)
        fitted, labels = _core.KMeans(
            n_clusters,
            init=self.init if isinstance(self.init, str) else "k-means++",
            n_init=n_init,
            max_iter=arguments.whole("max_iter", self.max_iter),
            tol=self._tol(),
            random_state=seed,
            scaler=None if scaler is None else scaler._core,
        ).fit(read, columns=columns, sample_weight=weights(sample_weight), centers=starts, n_threads=n_threads)
        self._core, self._labels, self._scaler, self._names, self._profile = fitted, labels, scaler, None, None

    def fit_predict(self, x: Features, sample_weight: Weights | None = None) -> np.ndarray[Any, Any]:
        """:meth:`fit`, then ``labels_``.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
        sample_weight : (n_rows,), optional
            Weight of each row, 0 or more. Default: 1.
        """
        return self.fit(x, sample_weight).labels_

    def _tol(self) -> float:
        try:
            tol = float(self.tol)
        except (TypeError, ValueError):
            raise InvalidTypeError(f"tol={self.tol!r} is {type(self.tol).__name__}; expected a number") from None
        if not (math.isfinite(tol) and tol >= 0):
            raise InvalidArgumentError(f"tol={self.tol!r} must be 0 or more, and finite")
        return tol

    def _checked(self) -> tuple[int, Any, int | None, int]:
        """Number of clusters, initial centres (a list, a callable, or None), number of starts, seed."""
        n_clusters = at_least_one("n_clusters", self.n_clusters)
        at_least_one("max_iter", self.max_iter)
        self._tol()
        arguments.optional_whole("n_threads", self.n_threads)
        checked_columns("columns", self.columns)
        if self.scaler is not None and not isinstance(self.scaler, Scaler):
            raise InvalidTypeError(f"scaler is {type(self.scaler).__name__}; expected a custcore.Scaler or None")
        n_init = number_of_starts(self.n_init)
        if self.random_state is None:
            import secrets  # rarely needed, and slow to import

            seed = secrets.randbits(63)
        else:
            seed = arguments.whole("random_state", self.random_state, bits=128)
            if not 0 <= seed < 2**64:
                raise InvalidArgumentError(f"random_state={seed} is outside 0 to 2**64 - 1")
        init: Any = self.init
        if isinstance(init, str):
            if init not in _INITS:
                raise InvalidArgumentError(
                    f"init={init!r} is invalid; expected one of {', '.join(map(repr, _INITS))}, centres, or a callable"
                )
            return n_clusters, None, n_init, seed
        if callable(init):
            return n_clusters, init, n_init, seed
        centers = given_centers(init, n_clusters)
        return n_clusters, [centers], 1, seed

    def _with(self, core: _core.KMeans, names: list[str] | None) -> KMeans:
        """A model with the same settings and scaler, other centres, and no labels."""
        found = KMeans.__new__(KMeans)
        vars(found).update(vars(self))
        found._core, found._names, found._labels, found._profile = core, names, None, None
        return found

    def _can_be_saved(self) -> bool:
        return self._core is not None

    def _bytes(self) -> bytes:
        self._checked()
        settings: _core.KMeansSettings = {
            "n_clusters": self.n_clusters,
            "init": self.init if isinstance(self.init, str) else "given",
            "n_init": None if isinstance(self.n_init, str) else self.n_init,
            "max_iter": self.max_iter,
            "tol": self.tol,
            "random_state": self.random_state,
            "columns": checked_columns("columns", self.columns),
        }
        scaler = None if self._scaler is None else self._scaler._core
        return self._fitted().to_bytes(settings, scaler=scaler, names=self._names)

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        core, settings, scaler, names = _core.KMeans.from_bytes(data)
        try:
            found = cls(
                settings["n_clusters"],
                init=core.init_centers if settings["init"] == "given" else settings["init"],  # type: ignore[arg-type]
                n_init="auto" if settings["n_init"] is None else settings["n_init"],
                max_iter=settings["max_iter"],
                tol=settings["tol"],
                random_state=settings["random_state"],
                columns=settings["columns"],
                scaler=None if scaler is None else Scaler._wrap(scaler),
            )
        except InvalidArgumentError as error:
            raise ModelFormatError(f"the model has invalid settings: {error}") from None
        found._core, found._scaler, found._names = core, found.scaler, names
        return found

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name not in {"_core", "_labels"}}
        state["_fit"] = None if self._core is None else self._bytes()
        if self._labels is not None:
            state["_labels_bytes"] = bytes(memoryview(self._labels))  # type: ignore[arg-type]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        fit, labels = state.pop("_fit"), state.pop("_labels_bytes", None)
        vars(self).update(state)
        self._core = None if fit is None else _core.KMeans.from_bytes(fit)[0]
        self._labels = labels
        # Older pickles have no profile.
        self._profile = state.get("_profile")

    def __repr__(self) -> str:
        given = {
            "n_clusters": self.n_clusters,
            "init": self.init if isinstance(self.init, str) else f"<{type(self.init).__name__}>",
            "n_init": self.n_init,
            "max_iter": self.max_iter,
            "tol": self.tol,
            "random_state": self.random_state,
            "scaler": self.scaler,
        }
        settings = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"KMeans({settings})" + ("" if self._core is not None else ", not fitted")
