"""``custcore.LifecycleModel``: windows by which a customer is active, at risk or lost."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore._rfm.quantile_scorer import numbers
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf
    from custcore.base import CustomerBase

__all__ = ["LifecycleModel", "core_of_base"]


@proposing_methods
class LifecycleModel(Persistable):
    """Windows of a customer's life cycle: how long a pause between purchases may be.

    A gap is the number of days between two consecutive days with a purchase of a customer;
    the last one, up to ``as_of``, is open. :meth:`fit` estimates by Kaplan-Meier which share
    of gaps has ended after how many days, so open gaps count for what they are: not ended
    yet. Refunds end no gap.

    Many customers buy once, so most often there is no length by which 95 % of *all* gaps
    have ended. By default a window therefore speaks of the gaps that end within H days, the
    last length at which ``min_at_risk`` gaps were still at risk: it is the least length t
    with F(t) >= p F(H), F being the share of gaps that have ended by t. The quantile of
    closed gaps alone would be too short: long gaps are open more often.

    The windows are frozen: one model serves all dates, so that only customers move.

    Parameters
    ----------
    active_days : int, optional
        The longest gap in days of an active customer. Default: fitted.
    loss_days : int, optional
        The longest gap in days of a customer who is not lost. Default: fitted.
    quantiles : (float, float), default (0.8, 0.95)
        Shares of gaps that have ended by the two windows.
    among : {"returning", "all"}, default "returning"
        Of which gaps: those that end within the horizon H, or all, which is an error where
        so many never end.
    min_at_risk : int, default 30
        How many gaps are at risk at the horizon, at least.
    loyal_orders : int, default 5
        Orders from which on an active customer is loyal.
    rhythm : {"population", "own"}, default "population"
        ``"own"``: windows are multiples of the customer's typical gap, which says that
        someone is late by their own habit. It does not rank customers by the chance that
        they leave: frequent buyers who are late still come soon.
    prior_gaps : int, default 3
        With ``rhythm="own"``: how many gaps of a customer the typical gap of all counts as.
        The typical gap is ``(m * median + prior_gaps * M) / (m + prior_gaps)``, with m
        closed gaps of the customer and M the .50 window among gaps that end.

    Examples
    --------
    >>> import datetime, custcore, pyarrow as pa
    >>> days = [
    ...     datetime.date(2026, 1, 1) + datetime.timedelta(d) for d in (0, 3, 9, 12, 40)
    ... ]
    >>> base = custcore.CustomerBase(amount=None, track="days")
    >>> base.update(pa.table({"customer_id": [1, 1, 2, 1, 1], "timestamp": days}))
    >>> model = custcore.LifecycleModel(min_at_risk=1, quantiles=(0.5, 0.9)).fit(base)
    >>> model.active_days_, model.loss_days_, model.horizon_days_
    (9, 28, 28)
    >>> model.curve_.to_pyarrow().select(["gap_days", "at_risk", "returned"]).to_pylist()
    [{'gap_days': 3, 'at_risk': 4, 'returned': 1},
     {'gap_days': 9, 'at_risk': 3, 'returned': 1},
     {'gap_days': 28, 'at_risk': 2, 'returned': 1},
     {'gap_days': 31, 'at_risk': 1, 'returned': 0}]
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        active_days: int | None = None,
        loss_days: int | None = None,
        *,
        quantiles: tuple[float, float] = (0.8, 0.95),
        among: Literal["returning", "all"] = "returning",
        min_at_risk: int = 30,
        loyal_orders: int = 5,
        rhythm: Literal["population", "own"] = "population",
        prior_gaps: int = 3,
    ) -> None:
        first, second = numbers(quantiles, "quantiles", 2)
        self._core = _core.LifecycleModel(
            {
                "active_days": arguments.optional_whole("active_days", active_days),
                "loss_days": arguments.optional_whole("loss_days", loss_days),
                "quantiles": (first, second),
                "among": arguments.name("among", among),
                "min_at_risk": arguments.whole("min_at_risk", min_at_risk, bits=63),
                "loyal_orders": arguments.whole("loyal_orders", loyal_orders, bits=63),
                "rhythm": arguments.name("rhythm", rhythm),
                "prior_gaps": arguments.whole("prior_gaps", prior_gaps, bits=63),
            }
        )

    def fit(self, base: CustomerBase, as_of: AsOf | None = None, *, n_threads: int | None = None) -> LifecycleModel:
        """Learn the windows from the gaps of a base.

        Windows that were given are not changed; the curve is then for information. On a base
        of level ``"totals"`` there are no gaps, and both windows must be given.

        Parameters
        ----------
        base : CustomerBase
            A base of level ``"days"`` or ``"orders"``.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        LifecycleModel
            This model.

        Raises
        ------
        NotEnoughDataError
            If too few gaps ended, the two windows would be equal, or with ``among="all"`` so
            many gaps never end.
        StateMismatchError
            If the base has no days and a window is not given.
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        self._core = self._core.fit(core_of_base(base), as_of_argument(as_of), n_threads=threads)
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of an equal model that is not fitted."""
        return self._core.settings

    @property
    def active_days_(self) -> int | None:
        """The longest gap in days of an active customer; None with ``rhythm="own"``."""
        days = self._core.days
        return None if days is None else days[0]

    @property
    def loss_days_(self) -> int | None:
        """The longest gap in days of a customer who is not lost; None with ``rhythm="own"``."""
        days = self._core.days
        return None if days is None else days[1]

    @property
    def active_multiple_(self) -> float | None:
        """The longest gap of an active customer, in their typical gaps; None unless ``rhythm="own"``."""
        multiples = self._core.multiples
        return None if multiples is None else multiples[0]

    @property
    def loss_multiple_(self) -> float | None:
        """The longest gap of a customer who is not lost, in their typical gaps; None unless ``rhythm="own"``."""
        multiples = self._core.multiples
        return None if multiples is None else multiples[1]

    @property
    def typical_gap_days_(self) -> int | None:
        """The typical gap of all customers in days: half of the gaps that end have ended by it.

        None if too few gaps ended.
        """
        self._check_fitted()
        return self._core.typical_days

    @property
    def horizon_days_(self) -> int | None:
        """The horizon H: the last length in days at which a gap ended and ``min_at_risk`` were at risk.

        None if there is none.
        """
        self._check_fitted()
        found = self._core.horizon
        return None if found is None else found[0]

    @property
    def share_returned_(self) -> float | None:
        """F(H): the share of gaps that end within the horizon; None without one."""
        self._check_fitted()
        found = self._core.horizon
        return None if found is None else found[1]

    @property
    def as_of_(self) -> datetime.date | None:
        """The day of the fit; None if the model was not fitted."""
        day = self._core.as_of
        return None if day is None else datetime.date.fromisoformat(day)

    @property
    def curve_(self) -> Table:
        """The Kaplan-Meier curve of gaps: a row for each length of a day or more that occurred.

        Columns: ``gap_days`` (int32), ``at_risk`` (gaps of this length or longer), ``returned``
        (that ended at it), ``censored`` (that were open at it; int64), ``survival`` (share of
        gaps that are longer), ``survival_low``, ``survival_high`` (float64; 95 %, exponential
        Greenwood, as lifelines has it; 0 where the survival is 0). Empty if the model was fitted
        on a base of level ``"totals"``.
        """
        return Table(self._core.curve())

    def _check_fitted(self) -> None:
        # The core knows whether it can do without.
        _ = self._core.days

    def _can_be_saved(self) -> bool:
        settings = self.settings
        return self._core.is_fitted or None not in {settings["active_days"], settings["loss_days"]}

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        model = cls.__new__(cls)
        model._core = _core.LifecycleModel.from_bytes(data)
        return model

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self._bytes(),)

    def __eq__(self, other: object) -> bool:
        return self._bytes() == other._bytes() if isinstance(other, LifecycleModel) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        if not self._core.is_fitted:
            return f"LifecycleModel({settings}), not fitted"
        days, multiples = self._core.days, self._core.multiples
        if multiples is not None:
            windows = f"active up to {multiples[0]:.2f} and lost beyond {multiples[1]:.2f} typical gaps"
        elif days is not None:
            windows = f"active up to {days[0]} and lost beyond {days[1]} days"
        return f"LifecycleModel({settings}), {windows}"


def core_of_base(base: object) -> _core.CustomerBase:
    """What the core has of a base."""
    core = getattr(base, "_core", None)
    if not isinstance(core, _core.CustomerBase):
        raise InvalidTypeError(f"base is {type(base).__name__}; expected a CustomerBase with track='days' or 'orders'")
    return core
