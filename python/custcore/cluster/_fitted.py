"""The methods and attributes of a fitted k-means model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore._input.rows import row_values
from custcore.cluster._features import features, weights
from custcore.errors import NotFittedError
from custcore.result import Table

if TYPE_CHECKING:
    import numpy as np

    from custcore._core import KMeans as CoreKMeans
    from custcore._input.rows import Row
    from custcore.cluster._features import Features, Weights
    from custcore.cluster._scaler import Scaler

__all__ = ["Fitted"]


@proposing_methods
class Fitted:
    """The fitted part of :class:`custcore.KMeans`."""

    n_threads: int | None
    _core: CoreKMeans | None
    _labels: Any
    _scaler: Scaler | None
    _names: list[str] | None
    _profile: Table | None

    def predict(self, x: Features) -> np.ndarray[Any, Any]:
        """The nearest cluster of each row.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
            Columns of a table are found by the names of the fit, in any order.

        Returns
        -------
        numpy.ndarray (n_rows,) of int32
            Read-only.
        """
        return _ints(self._fitted().predict(self._features(x), n_threads=self._threads()))

    def transform(self, x: Features) -> np.ndarray[Any, Any]:
        """The distance of each row to each centre.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
            Columns of a table are found by the names of the fit, in any order.

        Returns
        -------
        numpy.ndarray (n_rows, n_clusters) of float64
            Euclidean distances, on the scale of the scaler.
        """
        import numpy as np

        core = self._fitted()
        distances = core.transform(self._features(x), n_threads=self._threads())
        return np.frombuffer(memoryview(distances), dtype="float64").reshape(-1, core.n_clusters)  # type: ignore[arg-type]

    def score(self, x: Features, sample_weight: Weights | None = None) -> float:
        """Minus the (weighted) sum of squared distances of the rows to their nearest centres.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
            Columns of a table are found by the names of the fit, in any order.
        sample_weight : (n_rows,), optional
            Weight of each row, 0 or more. Default: 1.
        """
        return self._fitted().score(self._features(x), sample_weight=weights(sample_weight), n_threads=self._threads())

    def predict_one(self, values: Row) -> int:
        """The cluster of one customer, without Arrow or numpy.

        Parameters
        ----------
        values
            The features in the order of the fit, in their own units; or a labelled row, whose
            values are found by name: a dict, a pandas Series, a named tuple, a record of numpy,
            a dataclass. Labels that are no features are ignored.
        """
        core = self._core
        if core is None:
            core = self._fitted()
        kind = type(values)
        if kind is list or kind is tuple:
            return core.predict_one(values)  # type: ignore[arg-type]
        return core.predict_one(row_values("values", values, core.feature_names))

    def assign(self, data: Features) -> Table:
        """The table with the cluster of each row.

        Parameters
        ----------
        data
            A table with the features, as in :meth:`predict`; what else it has is carried along.

        Returns
        -------
        Table
            The columns of ``data``, then ``cluster`` (int32) and, if the clusters have names,
            ``segment`` (dictionary of strings).
        """
        return Table(self._fitted().assign(features(data), names=self._names, n_threads=self._threads()))

    def profile(self, x: Features | None = None) -> Table:
        """Size, share, mean and median of each feature, by cluster, in original units.

        Parameters
        ----------
        x : (n_rows, n_features), optional
            The rows to describe, those of the fit or others: a model does not keep the rows of
            its fit. Only the model of :func:`custcore.segment_customers` has the profile of its
            customers and may be called without ``x``; a file of it, or the bytes of
            :meth:`to_bytes`, do not keep that.

        Returns
        -------
        Table
            One row for each cluster: ``cluster`` (int32), ``segment`` if the clusters have
            names, ``customers`` (int64), ``share`` of all rows, and for each feature
            ``..._mean`` and ``..._median`` (float64; null for a cluster without rows).
        """
        core = self._fitted()
        if x is not None:
            return Table(core.profile(self._features(x), names=self._names, n_threads=self._threads()))
        if self._profile is None:
            raise NotFittedError("a model does not keep the rows of its fit; pass them: profile(x)")
        return self._profile

    @property
    def cluster_centers_(self) -> np.ndarray[Any, Any]:
        """The centres, on the scale of the scaler."""
        import numpy as np

        return np.array(self._fitted().centers, dtype="float64")

    @property
    def init_centers_(self) -> np.ndarray[Any, Any]:
        """The initial centres."""
        import numpy as np

        return np.array(self._fitted().init_centers, dtype="float64")

    @property
    def labels_(self) -> np.ndarray[Any, Any]:
        """The cluster of each row of the fit."""
        self._fitted()
        if self._labels is None:
            raise NotFittedError(
                "this model has no labels_: it was loaded or changed after its fit, whose rows it does not keep; "
                "use predict(x)"
            )
        return _ints(self._labels)

    @property
    def inertia_(self) -> float:
        """The sum of squared distances to the nearest centres."""
        return self._fitted().inertia

    @property
    def n_iter_(self) -> int:
        """Iterations of the best start."""
        return self._fitted().n_iter

    @property
    def feature_names_in_(self) -> list[str] | None:
        """The features, in order."""
        return self._fitted().feature_names

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return len(self._fitted().centers[0])

    @property
    def scaler_(self) -> Scaler | None:
        """The fitted scaler."""
        self._fitted()
        return self._scaler

    @property
    def names_(self) -> list[str] | None:
        """The names of the clusters."""
        self._fitted()
        return None if self._names is None else list(self._names)

    def _fitted(self) -> CoreKMeans:
        if self._core is None:
            raise NotFittedError("this KMeans is not fitted yet; call fit(x) first")
        return self._core

    def _features(self, x: Features) -> object:
        """Rows for the core, with the features of the fit."""
        return features(x, self._fitted().feature_names)

    def _threads(self) -> int | None:
        return arguments.optional_whole("n_threads", self.n_threads)


def _ints(labels: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401
    import numpy as np

    return np.frombuffer(memoryview(labels), dtype="int32")
