"""``custcore.Scaler``: transforms features of different size and skew to a common scale, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import feature_rows, features, reusable
from custcore.errors import InvalidArgumentError, NotFittedError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore.cluster._features import Features, Rows

__all__ = ["Scaler"]


@proposing_methods
class Scaler(Persistable):
    """Scales features, as k-means would otherwise be dominated by the one with the largest unit.

    ``(x - center) / scale`` for each feature, after the signed logarithm
    ``sign(x) log(1 + |x|)`` where ``log1p`` names it. A constant feature becomes 0.

    Parameters
    ----------
    columns : list of str, optional
        Names of the features. Default: every column of the table of the fit. Arrays have no
        names: leave it out.
    how : {"standard", "robust"}, default "standard"
        ``"standard"``: the centre is the mean, the scale the population standard deviation.
        ``"robust"``: the median and the interquartile range, which a few very large
        customers do not move.
    log1p : list of str, default ()
        Features whose logarithm is scaled, as money and counts are skewed: ``log(1 + x)``,
        and ``-log(1 - x)`` of negative values, such as the money of customers with more
        refunds than purchases. It keeps their order.

    Attributes
    ----------
    feature_names_in_ : list of str or None
        The features, in order.
    center_, scale_ : list of float
        Of each feature, after the logarithm.

    Examples
    --------
    >>> import custcore, pyarrow as pa
    >>> customers = pa.table({"n_orders": [1, 3, 5], "monetary_total": [10.0, 30.0, 110.0]})
    >>> scaler = custcore.Scaler(
    ...     ["n_orders", "monetary_total"], log1p=["monetary_total"]
    ... ).fit(customers)
    >>> scaler.center_[0]
    3.0
    >>> [
    ...     round(x, 3)
    ...     for x in scaler.transform(customers).to_pyarrow()["n_orders"].to_pylist()
    ... ]
    [-1.225, 0.0, 1.225]
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        how: Literal["standard", "robust"] = "standard",
        log1p: Sequence[str] = (),
    ) -> None:
        names = checked_columns("columns", columns)
        method = arguments.choice("how", how, ("standard", "robust"))
        logs = (checked_columns("log1p", log1p) or []) if len(log1p) else []
        unknown = [name for name in logs if names is not None and name not in names]
        if unknown:
            raise InvalidArgumentError(f"log1p names {unknown}, which are not among the columns {names}")
        self._core = _core.Scaler(names, how=method, log1p=logs)

    def fit(self, x: Features, *, n_threads: int | None = None) -> Scaler:
        """Learn center and scale.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Scaler
            This scaler.

        Raises
        ------
        NotEnoughDataError
            If there are no rows.
        NonFiniteError
            If a value is null, NaN or infinite; the message names column and row.
        """
        self._core = self._core.fit(
            features(x, self._core.feature_names), n_threads=arguments.optional_whole("n_threads", n_threads)
        )
        return self

    def transform(self, x: Features, *, n_threads: int | None = None) -> Table:
        """Scale the features.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
            Columns of a table are found by the names of the fit, in any order.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The features only (float64), in the order of the fit.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        """
        return Table(
            self._fitted().transform(
                features(x, self._core.feature_names), n_threads=arguments.optional_whole("n_threads", n_threads)
            )
        )

    def fit_transform(self, x: Features, *, n_threads: int | None = None) -> Table:
        """:meth:`fit`, then :meth:`transform`. The data are read once, so ``x`` may be a stream.

        Parameters
        ----------
        x : (n_rows, n_features)
            The features. A table that exports Arrow or a dict of numpy arrays, whose columns
            are floats, integers or decimals; or a two-dimensional array, which is not copied if
            it is float32 or float64; or rows of numbers. Nulls, NaN and infinities are errors.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        """
        kept, threads = reusable(x, self._core.columns), arguments.optional_whole("n_threads", n_threads)
        self._core = self._core.fit(kept, n_threads=threads)
        return Table(self._core.transform(kept, n_threads=threads))

    def inverse_transform(self, rows: Rows) -> list[list[float]]:
        """Transform points, such as centres, back to the units of the features.

        Parameters
        ----------
        rows : (n_points, n_features)
            Rows of numbers.
        """
        return self._fitted().inverse_rows(feature_rows("rows", rows))

    @property
    def is_fitted(self) -> bool:
        """Whether it was fitted."""
        return self._core.is_fitted

    @property
    def feature_names_in_(self) -> list[str] | None:
        """The features, in order; None after a fit on an array."""
        return self._fitted().feature_names

    @property
    def center_(self) -> list[float]:
        """What is subtracted from each feature."""
        return self._fitted().centers

    @property
    def scale_(self) -> list[float]:
        """What each feature is divided by; 1 for a constant feature."""
        return self._fitted().scales

    def _fitted(self) -> _core.Scaler:
        if not self._core.is_fitted:
            raise NotFittedError("this Scaler is not fitted yet; call fit(x) first")
        return self._core

    @classmethod
    def _wrap(cls, core: _core.Scaler) -> Self:
        scaler = cls.__new__(cls)
        scaler._core = core
        return scaler

    def _can_be_saved(self) -> bool:
        return self._core.is_fitted

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        return cls._wrap(_core.Scaler.from_bytes(data))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self._bytes(),)

    def __eq__(self, other: object) -> bool:
        return self._bytes() == other._bytes() if isinstance(other, Scaler) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        core = self._core
        settings = f"columns={core.columns!r}, how={core.how!r}, log1p={core.log1p!r}"
        return f"Scaler({settings})" + ("" if core.is_fitted else ", not fitted")
