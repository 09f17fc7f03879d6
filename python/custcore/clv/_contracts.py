"""``custcore.clv.SBG``: how long customers of contracts stay."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.clv._cohorts import cohorts_argument
from custcore.clv._fit import Fit
from custcore.clv._fitted import Fitted
from custcore.clv._settings import SearchSettings, parameters
from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from custcore.cohort import CohortRetention

__all__ = ["SBG"]


@proposing_methods
class SBG(Fitted):
    """For **contracts only**, where leaving is seen: subscriptions, memberships, policies.

    Never for purchases without a contract, where nobody says good-bye and who is silent may
    come back: :class:`MBGNBD` is for those, and never for a subscription.

    The shifted beta-geometric model (Fader & Hardie 2007, "How to project customer
    retention"): each customer renews with a probability of his own at every renewal, and
    these probabilities vary among customers as Beta(a, b) does for leaving. So the retention
    rate of a cohort rises with time although nobody changes: those who stay are the loyal
    ones. A curve fitted to the first renewals sees that; the mean rate does not.

    Not to be trusted where conditions change, such as prices or terms, and for renewals of
    another length than those of the fit.

    Attributes
    ----------
    params_ : dict of str to float
        ``a``, ``b``. The mean probability of leaving at the first renewal is a / (a + b).
    log_likelihood_, aic_, bic_ : float
        The log-likelihood, and criteria of it.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %.
    status_, limit_ : str
        How the fit ended.

    Examples
    --------
    >>> import custcore
    >>> # "Regular" customers of Fader & Hardie (2007): 1000, of whom 631, 468, 382, 326 renewed
    >>> sbg = custcore.clv.SBG().fit([369, 163, 86, 56], 1000)
    >>> [round(sbg.survival(t), 2) for t in (1, 4, 8)]
    [0.63, 0.33, 0.21]
    >>> round(sbg.retention_rate(1), 2), round(sbg.retention_rate(8), 2)
    (0.63, 0.92)
    """

    _names: ClassVar[tuple[str, ...]] = ("a", "b")
    _core_class: ClassVar[Any] = _core.SbgModel
    _call: ClassVar[str] = "fit(lost, at_risk)"
    _settings: SearchSettings

    def __init__(self) -> None:
        self._settings = SearchSettings.of(self._names, start=None, prior=None, max_iter=100, on_failure="error")
        self._n_threads = None
        self._fit_core, self._infos = None, []

    def fit(
        self,
        lost: Sequence[int] | Sequence[Sequence[int]] | CohortRetention,
        at_risk: int | Sequence[int] | Sequence[Sequence[int]] | None = None,
    ) -> Self:
        """Fit the parameters by maximum likelihood.

        Of a :class:`custcore.CohortRetention` the complete cells of each cohort count, up to
        the first one that is not: those of cell 0 were signed, those of cell t have renewed
        t times. It must be one of contracts: who is missing in a cell must not come back.
        Cohorts that are cut off at their start are left out.

        Parameters
        ----------
        lost : list of int, list of these, or CohortRetention
            How many did not renew at the first renewal, the second, ...: of one cohort, or a
            list for each cohort. Or the result of :func:`custcore.cohort_retention` for
            contracts.
        at_risk : int, list of int, or list of these, optional
            How many could renew: their number at the first renewal, or at each. For several
            cohorts a list of these. Those who are neither lost nor at risk at the next renewal
            have not got there yet.

        Returns
        -------
        SBG
            This model.

        Raises
        ------
        ConvergenceError
            If the search found no maximum.
        InvalidArgumentError
            If counts are negative, more are lost than were at risk, or customers of a cohort
            come back.
        NotEnoughDataError
            If nobody left, or nobody stayed.

        Warns
        -----
        BoundaryWarning
            If the likelihood rises towards a limit: all customers have the same probability.
        """
        core = _core.SbgModel.fit(cohorts_argument(lost, at_risk), self._settings.options(self._names))
        found = self._with(core)._check_converged()
        for text, category in found._warnings():
            warnings.warn(text, category, stacklevel=3)
        self._fit_core, self._infos = found._fit_core, found._infos
        return self

    @classmethod
    def of_parameters(cls, params: Mapping[str, float]) -> Self:
        """A model with known parameters, from a publication or an earlier fit.

        Parameters
        ----------
        params : dict of str to float
            All parameters by name, as ``params_`` has them.

        Examples
        --------
        >>> import custcore
        >>> sbg = custcore.clv.SBG.of_parameters({"a": 0.668, "b": 3.806})
        >>> round(sbg.survival(12), 3)
        0.378
        """
        values = parameters("params", cls._names, params)
        return cls()._with(_core.SbgModel.given(list(values.values())))

    def survival(self, t: int) -> float:
        """The share of a cohort that is still there after the t-th renewal.

        Parameters
        ----------
        t : int
            Renewals, 0 or more.
        """
        return self._model().survival(_renewals("t", t, least=0))

    def retention_rate(self, t: int) -> float:
        """The share of those who could renew a t-th time who do.

        Parameters
        ----------
        t : int
            Which renewal, 1 or more.
        """
        return self._model().retention_rate(_renewals("t", t, least=1))

    def discounted_lifetime(self, n: int, rate: float) -> float:
        """The present value of the payments to come, of 1 each period.

        They are those of a customer with n - 1 renewals behind him.

        Parameters
        ----------
        n : int
            Which renewal comes next, 1 or more.
        rate : float
            Interest of a **period** from renewal to renewal, above 0.
        """
        interest = arguments.number("rate", rate)
        if interest <= 0:
            raise InvalidArgumentError(
                f"rate={interest} is invalid; expected interest of a period above 0, such as 0.1"
            )
        return self._model().discounted_lifetime(_renewals("n", n, least=1), interest)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of an equal model that is not fitted: none."""
        return {}

    @property
    def fit_(self) -> Fit:
        """How the search went; its text is one page."""
        return _ContractFit("SBG", self._estimates(self._info()))

    def _model(self) -> _core.SbgModel:
        core: _core.SbgModel = self._ready()
        return core

    def _warnings(self) -> Iterator[tuple[str, type[Warning]]]:
        # Cohorts have no repeat customers.
        yield from (found for found in super()._warnings() if found[1].__name__ != "SmallSampleWarning")

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        core, _ = _core.SbgModel.from_bytes(data)
        return cls()._with(core)

    def __reduce__(self) -> tuple[object, ...]:
        return (SBG, ()) if self._fit_core is None else (SBG.from_bytes, (self._bytes(),))


class _ContractFit(Fit):
    """How a fit of contracts went."""

    __slots__ = ()

    def _counted(self) -> str:
        return ""


def _renewals(argument: str, value: object, *, least: int) -> int:
    found = arguments.whole(argument, value)
    if not least <= found < 2**31:
        raise InvalidArgumentError(f"{argument}={found} is invalid; expected a number of renewals, {least} or more")
    return found
