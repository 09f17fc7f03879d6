"""``custcore.ChurnModel``: the probability that a customer buys nothing in the next days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore.base import CustomerBase
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotFittedError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf

__all__ = ["ChurnModel"]

_LARGEST = 2**32


@proposing_methods
class ChurnModel(Persistable):
    """Early warning of churn: the probability that a customer buys nothing within the horizon.

    Customers are divided into strata by their number of distinct purchase days. Each
    stratum has a Kaplan-Meier curve S of the gaps between purchase days (Kaplan & Meier
    1958): a gap belongs to the stratum of the purchase day at which it began, and the
    last gap of every customer is censored at the day of the fit. With g days since the
    last purchase the probability is ``S(g + horizon) / S(g)``.

    It says who will probably not come back, not why, and not whether an offer would change
    it. :func:`custcore.backtest` measures on your data how good it is, beside the days
    since the last purchase, which is often nearly as good.

    Parameters
    ----------
    horizon : int, default 90
        Days ahead. A customer has churned who buys nothing in these days.
    strata : sequence of int, default (1, 2, 3, 5, 10)
        The least number of distinct purchase days of each stratum, ascending from 1. Each
        stratum has a curve of its own: who has bought ten times comes back sooner than who
        has bought once.
    min_at_risk : int, default 30
        A curve is used up to the longest gap that ended while at least so many gaps were at
        risk; beyond it nobody is known to come back. A stratum without such a gap uses the
        curve of all customers, which is reported.

    Attributes
    ----------
    as_of_ : datetime.date
        The day of the fit.
    curves_ : Table
        The curves: ``stratum`` (int64, its least number of purchase days; null: all
        customers), ``gap_days`` (int32), ``at_risk``, ``returned``, ``censored`` (int64),
        ``survival``, ``survival_low``, ``survival_high`` (float64, exponential Greenwood).
    strata_ : Table
        ``stratum`` as in ``curves_``, ``gaps``, ``returned`` (int64), ``horizon_days``
        (int32, the longest gap up to which the curve is used; null if there is none),
        ``share_returned`` (float64, the share of the gaps that end by then) and
        ``is_pooled`` (bool, whether the curve of all customers is used instead).
    loss_days_ : int
        The days by which 95 % of the gaps that end within the horizon of the data have ended.
        Customers with longer gaps are lost rather than at stake.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> base = custcore.CustomerBase(track="days")
    >>> base.update(
    ...     {
    ...         "customer_id": rng.integers(0, 500, 3_000),
    ...         "timestamp": np.datetime64("2024-01-01") + rng.integers(0, 366, 3_000),
    ...         "amount": np.full(3_000, 10.0),
    ...     }
    ... )
    >>> model = custcore.ChurnModel(horizon=60).fit(base)
    >>> model.as_of_, model.loss_days_
    (datetime.date(2024, 12, 31), 157)
    >>> scores = model.score(base)
    >>> scores.column_names
    ['customer_id', 'gap_days', 'n_days', 'stratum', 'churn_probability']
    """

    __slots__ = ("_core",)

    def __init__(self, horizon: int = 90, *, strata: Sequence[int] = (1, 2, 3, 5, 10), min_at_risk: int = 30) -> None:
        self._core = _core.ChurnModel(
            horizon=arguments.whole("horizon", horizon),
            strata=strata_argument(strata),
            min_at_risk=at_risk_argument(min_at_risk),
        )

    def fit(self, base: CustomerBase, as_of: AsOf | None = None, *, n_threads: int | None = None) -> ChurnModel:
        """Fit the curves on the purchases up to a day.

        Parameters
        ----------
        base : CustomerBase
            A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.
        as_of : date, datetime or str, optional
            The last day that counts: no later row is read. Default: the last day of the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        ChurnModel
            This model.

        Raises
        ------
        NotEnoughDataError
            If no gap ended while ``min_at_risk`` were at risk.
        StateMismatchError
            If the base is of level ``"totals"``, which has no purchase days.
        """
        self._core = self._core.fit(
            core_of(base), as_of_argument(as_of), n_threads=arguments.optional_whole("n_threads", n_threads)
        )
        return self

    def score(self, base: CustomerBase, as_of: AsOf | None = None, *, n_threads: int | None = None) -> Table:
        """The churn probability of every buyer.

        Parameters
        ----------
        base : CustomerBase
            A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.
        as_of : date, datetime or str, optional
            The last day that counts: no later row is read. Default: the last day of the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The ids, ascending, then ``gap_days`` (int32, days since the last purchase day),
            ``n_days`` (int64, distinct purchase days), ``stratum`` (int64, its least number of
            purchase days) and ``churn_probability`` (float64). Customers with refunds only are
            not in it. Strata that use the curve of all customers are remarks of the report, and
            so is a model that was fitted after ``as_of``.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        StateMismatchError
            If the base is of level ``"totals"``, which has no purchase days.
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(self._fitted().score(core_of(base), as_of_argument(as_of), n_threads=threads))

    @property
    def horizon(self) -> int:
        """Days ahead."""
        return self._core.settings[0]

    @property
    def strata(self) -> tuple[int, ...]:
        """The least number of purchase days of each stratum."""
        return tuple(self._core.settings[1])

    @property
    def min_at_risk(self) -> int:
        """Gaps at risk up to which a curve is used."""
        return self._core.settings[2]

    @property
    def as_of_(self) -> date:
        """The day of the fit."""
        return date.fromisoformat(self._fitted().as_of)

    @property
    def curves_(self) -> Table:
        """The curves of the strata and of all customers."""
        return Table(self._fitted().curves())

    @property
    def strata_(self) -> Table:
        """The strata: gaps, horizon of the curve, and whether the curve of all customers is used."""
        return Table(self._fitted().strata())

    @property
    def loss_days_(self) -> int:
        """The days by which 95 % of the gaps that end have ended."""
        return self._fitted().loss_days

    def _fitted(self) -> _core.ChurnModel:
        if not self._core.is_fitted:
            raise NotFittedError("this ChurnModel is not fitted yet; call fit(base) first")
        return self._core

    def _can_be_saved(self) -> bool:
        return self._core.is_fitted

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        model = cls.__new__(cls)
        model._core = _core.ChurnModel.from_bytes(data)
        return model

    def __reduce__(self) -> tuple[object, ...]:
        if self._core.is_fitted:
            return type(self).from_bytes, (self._bytes(),)
        return _unfitted, self._core.settings

    def __eq__(self, other: object) -> bool:
        return self.__reduce__() == other.__reduce__() if isinstance(other, ChurnModel) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = f"horizon={self.horizon}, strata={self.strata}, min_at_risk={self.min_at_risk}"
        fit = f"fitted as of {self.as_of_}" if self._core.is_fitted else "not fitted"
        return f"ChurnModel({settings}), {fit}"


def _unfitted(horizon: int, strata: Sequence[int], min_at_risk: int) -> ChurnModel:
    """A model that was pickled before it was fitted."""
    return ChurnModel(horizon, strata=strata, min_at_risk=min_at_risk)


def core_of(base: CustomerBase) -> _core.CustomerBase:
    """The base for the core."""
    if not isinstance(base, CustomerBase):
        raise InvalidTypeError(
            f"base is {type(base).__name__}; expected a custcore.CustomerBase with track='days' or track='orders'"
        )
    return base._core


def strata_argument(strata: Sequence[int]) -> list[int]:
    """The strata for the core, which checks their order."""
    if isinstance(strata, str | bytes) or not isinstance(strata, Sequence):
        raise InvalidTypeError(f"strata={strata!r} is {type(strata).__name__}; expected a list of integers")
    found = [arguments.whole(f"strata[{i}]", least) for i, least in enumerate(strata)]
    for i, least in enumerate(found):
        if not 1 <= least < _LARGEST:
            raise InvalidArgumentError(f"strata[{i}]={least} is invalid; expected a number of purchase days, 1 or more")
    return found


def at_risk_argument(min_at_risk: int) -> int:
    """The gaps at risk for the core."""
    number = arguments.whole("min_at_risk", min_at_risk)
    if number < 1:
        raise InvalidArgumentError(f"min_at_risk={number} is invalid; expected 1 or more")
    return number
