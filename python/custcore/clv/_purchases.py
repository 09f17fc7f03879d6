"""What all models of purchases do: fit, files, and what their fits are called."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.clv._checks import Checks
from custcore.clv._fit import Fit
from custcore.clv._settings import PurchaseSettings, days_of, parameters, restored
from custcore.clv._summaries import read_summary
from custcore.clv._totals import Totals
from custcore.errors import InvalidTypeError, ModelFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import Data
    from custcore.clv._estimates import Estimates

__all__ = ["PurchaseModel"]


@proposing_methods
class PurchaseModel(Totals, Checks):
    """What :class:`BGNBD`, :class:`MBGNBD`, :class:`ParetoNBD` and :class:`NBD` have in common.

    ``PurchaseModel.load(path)`` and ``from_bytes`` read any of them.

    Parameters
    ----------
    unit : {"day", "week", "month", "year"}, default "week"
        The unit of time of alpha and beta, and of log-likelihoods. Everything is computed
        in days: a week is 7 of them, a month 30.4375, a year 365.25. It changes no
        prediction.
    by : str, optional
        Column of the summary whose values get parameters of their own, such as the quarter
        of the first purchase or a channel. Null is a value.
    min_customers : int, default 500
        With ``by``: customers of a group with parameters of its own, at least; 50 of them
        must have bought again. The others get the parameters of all customers.
    unseen : {"global", "error"}, default "global"
        With ``by``: whether a group that was not in the fit gets the parameters of all
        customers, or is an error.
    start : dict of str to float, optional
        The only start of the search, as ``params_`` has it: all parameters by name, times
        in ``unit``. Default: see ``starts``.
    starts : {"auto", "all"}, default "auto"
        ``"auto"``: one start, and two more if it does not end in an interior maximum.
        ``"all"``: all of them. The highest likelihood wins, and ``fit_.starts`` has every
        start.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm, times in ``unit``. The estimate is another one then, and
        the report says so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
    """

    # The name that the core knows.
    _family: ClassVar[str]
    _core_class: ClassVar[Any] = _core.PurchaseModel

    def __init__(
        self,
        *,
        unit: Literal["day", "week", "month", "year"] = "week",
        by: str | None = None,
        min_customers: int = 500,
        unseen: Literal["global", "error"] = "global",
        start: Mapping[str, float] | None = None,
        starts: Literal["auto", "all"] = "auto",
        prior: Mapping[str, tuple[float, float]] | None = None,
        max_iter: int = 100,
        on_failure: Literal["error", "warn"] = "error",
        n_threads: int | None = None,
    ) -> None:
        if not hasattr(self, "_family"):
            raise InvalidTypeError("PurchaseModel is what models have in common; make one of them, such as MBGNBD()")
        self._settings = PurchaseSettings.of(
            self._names,
            unit=unit,
            by=by,
            min_customers=min_customers,
            unseen=unseen,
            start=start,
            starts=starts,
            prior=prior,
            max_iter=max_iter,
            on_failure=on_failure,
        )
        self._n_threads = arguments.optional_whole("n_threads", n_threads)
        self._fit_core, self._infos = None, []

    def fit(
        self,
        summary: Data,
        weights: str | None = None,
        *,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Self:
        """Fit the parameters by maximum likelihood.

        Only the distinct triples (x, t_x, T) and their counts are kept while it runs, and
        the model keeps no customers. The result has the same bits for any order of rows and
        any number of threads.

        Parameters
        ----------
        summary : table
            One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or
            :func:`custcore.clv_summary` returns, or any table with such columns by the names of
            custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is given.
        weights : str, optional
            Name of a column: how many customers a row stands for, or how much it counts.
            Default: 1.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Returns
        -------
        PurchaseModel
            This model.

        Raises
        ------
        ConvergenceError
            If the search found no maximum, unless ``on_failure="warn"``. The error has the best
            parameters, the gradient there and all starts.
        NotEnoughDataError
            If nobody bought again, so that parameters are not identified, or there is one customer.
        SummaryError
            If a row is impossible: t_x > T, x = 0 with t_x > 0, a fraction of a purchase.

        Warns
        -----
        BoundaryWarning
            If the likelihood rises towards a limit of the model; ``limit_`` names it.
        SmallSampleWarning
            If fewer than 50 customers bought again.
        UserWarning
            If a summary from elsewhere has rows with more purchases than days.
        """
        read = read_summary(
            summary,
            customer_id=customer_id,
            by=self._settings.by,
            weights=weights,
            unit=unit,
            n_threads=self._n_threads,
        )
        found = self._fitted_on(read)
        for text, category in found._warnings():
            warnings.warn(text, category, stacklevel=3)
        for remark in read.remarks:
            warnings.warn(remark, UserWarning, stacklevel=3)
        self._fit_core, self._infos = found._fit_core, found._infos
        return self

    @classmethod
    def of_parameters(
        cls,
        params: Mapping[str, float],
        *,
        unit: Literal["day", "week", "month", "year"] = "week",
        n_threads: int | None = None,
    ) -> Self:
        """A model with known parameters, from a publication or an earlier fit.

        It predicts as a fitted one does, and has no standard errors.

        Parameters
        ----------
        params : dict of str to float
            All parameters by name, as ``params_`` has them.
        unit : {"day", "week", "month", "year"}, default "week"
            The unit of alpha and beta.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Raises
        ------
        InvalidArgumentError
            If a parameter is missing, unknown, or not above 0.
        """
        model = cls(unit=unit, n_threads=n_threads)
        values = days_of(cls._names, parameters("params", cls._names, params), model._settings.unit_days)
        return model._with(_core.PurchaseModel.given(cls._family, values))

    def log_likelihood(
        self,
        summary: Data,
        *,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> float:
        """The log-likelihood of any customers at the parameters of this model, in its unit.

        On the summary of the fit it is ``log_likelihood_``.

        Parameters
        ----------
        summary : table
            One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or
            :func:`custcore.clv_summary` returns, or any table with such columns by the names of
            custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is given.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        read = self._read(summary, customer_id, unit)
        of_days = core.log_likelihood(read, n_threads=self._n_threads)
        return of_days + math.log(self._settings.unit_days) * read.repeat_purchases

    def _fitted_on(self, summary: _core.ClvSummary) -> Self:
        """A model with these settings, fitted on a summary that was read; without warnings."""
        options = self._settings.options(self._names)
        core = _core.PurchaseModel.fit(self._family, summary, options, n_threads=self._n_threads)
        return self._with(core)._check_converged()

    @property
    def unit(self) -> str:
        """The unit of time of alpha, beta and log-likelihoods."""
        return self._settings.unit

    @property
    def by(self) -> str | None:
        """The column whose values get parameters of their own."""
        return self._settings.by

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of an equal model that is not fitted."""
        return {**{name: getattr(self._settings, name) for name in _SETTINGS}, "n_threads": self._n_threads}

    @property
    def n_cells_(self) -> int:
        """The distinct triples (x, t_x, T) of the fit."""
        return self._info()["cells"]

    @property
    def log_likelihood_(self) -> float:
        """The log-likelihood in ``unit``, without priors; with ``by`` the sum over the groups."""
        return sum(found.log_likelihood for found in self._parts())

    @property
    def fit_(self) -> Fit:
        """How the search went, the groups, and what is to be said; its text is one page."""
        found = self._estimates(self._info())
        remarks: tuple[str, ...] = ()
        if self._settings.prior is not None:
            names = ", ".join(self._settings.prior)
            remarks = (f"{names} had a prior: these are not the estimates of maximum likelihood",)
        return Fit(
            type(self).__name__,
            found,
            unit=self.unit,
            labels=list(self._ready().groups),
            groups=[self._estimates(info) for info in self._infos[1:]],
            remarks=remarks,
        )

    # For the other classes

    @property
    def _unit_days(self) -> float:
        return self._settings.unit_days

    def _parts(self) -> list[Estimates]:
        """The fits of the groups, and the pooled one for the customers without one of their own."""
        pooled = self._info()
        groups = [self._estimates(info) for info in self._infos[1:]]
        if not groups or "rest_customers" not in pooled:
            return [self._estimates(pooled)]
        rest = pooled["rest_customers"]
        if not rest:
            return groups
        purchases = pooled["repeat_purchases"] - sum(found.info["repeat_purchases"] for found in groups)
        of_rest = pooled.copy()
        of_rest["customers"], of_rest["repeat_purchases"] = rest, purchases
        of_rest["log_likelihood"] = pooled["rest_log_likelihood"]
        return [*groups, self._estimates(of_rest)]

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        core, text = _core.PurchaseModel.from_bytes(data)
        expected = getattr(cls, "_family", None)
        kinds = {kind._family: kind for kind in PurchaseModel.__subclasses__()}
        kind = kinds[core.family] if expected is None else cls
        if expected not in {None, core.family}:
            raise ModelFormatError(
                f"the model is a {core.family}; expected {expected}. PurchaseModel reads any of them"
            )
        model: Self = restored(text, kind)
        if model._settings.by != core.by:
            raise ModelFormatError(
                f"the model has invalid settings: by={model._settings.by!r}, but a fit by {core.by!r}"
            )
        return model._with(core)

    def _shown(self) -> dict[str, object]:
        shown = {name: value for name, value in self.settings.items() if value != _SETTINGS.get(name)}
        return {"unit": self.unit, **shown}


# The settings, with their defaults.
_SETTINGS: dict[str, object] = {
    "unit": "week",
    "by": None,
    "min_customers": 500,
    "unseen": "global",
    "start": None,
    "starts": "auto",
    "prior": None,
    "max_iter": 100,
    "on_failure": "error",
}
