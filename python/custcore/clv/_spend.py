"""``custcore.clv.GammaGamma``: the money of a purchase day."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.clv._fit import Fit
from custcore.clv._fitted import Fitted
from custcore.clv._settings import SearchSettings, parameters
from custcore.clv._summaries import purchase_days, read_summary
from custcore.clv._tables import table_of
from custcore.clv._text import grid, number
from custcore.errors import BoundaryWarning, InvalidArgumentError, SpendFrequencyWarning
from custcore.result import Table
from custcore.result._layout import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from custcore._input.data import Data
    from custcore.clv._estimates import Estimates

__all__ = ["GammaGamma", "SpendFit"]

# From here on frequent buyers spend so differently that one mean for all misleads.
_DEPENDENT = 0.3


class SpendFit(Fit):
    """How a fit of spend went, and whether spend depends on how often customers buy.

    Attributes
    ----------
    pearson, spearman : float or None
        Correlation of x and m_x over the customers of the fit.
    customers_left_out : int
        Customers who bought again for no money, or for less: they are not in the fit.
    money_left_out : float
        Their money.
    """

    __slots__ = ("customers_left_out", "money_left_out", "pearson", "spearman")

    def __init__(self, title: str, estimates: Estimates) -> None:
        super().__init__(title, estimates)
        info = estimates.info
        self.pearson: float | None = info.get("pearson")
        self.spearman: float | None = info.get("spearman")
        self.customers_left_out: int = info.get("customers_left_out", 0)
        self.money_left_out: float = info.get("money_left_out", 0.0)

    @property
    def mean_by_x(self) -> Table:
        """The mean of m_x by x: ``x`` ("1", "2", "3", "4-6", "7-12", "13+"), ``customers`` (int64), ``mean_spend``."""
        rows = self._estimates.info.get("mean_by_x", [])
        return table_of(
            {
                "x": ("string", [label for label, _, _ in rows]),
                "customers": ("int64", [customers for _, customers, _ in rows]),
                "mean_spend": ("float64", [mean for _, _, mean in rows]),
            }
        )

    def _more(self, width: int) -> list[str]:
        info = self._estimates.info
        lines = wrapped(
            f"x and m_x of {info['repeat_customers']:,.0f} customers: Spearman {number(self.spearman) or '-'}, Pearson "
            f"{number(self.pearson) or '-'} (the model takes them to be independent)",
            width,
        )
        rows = [[label, f"{customers:,}", number(mean)] for label, customers, mean in info.get("mean_by_x", [])]
        return lines + (grid([["x", "customers", "mean spend"], *rows], width) if rows else [])


@proposing_methods
class GammaGamma(Fitted):
    """The Gamma-Gamma model of spend: what a purchase day of each customer brings on average.

    The money of a customer's purchase days varies about a mean of his own, and the means of
    customers vary about that of all (Fader & Hardie 2013, "The Gamma-Gamma Model of Monetary
    Value"). Who bought seldom is expected nearer to the mean of all. It is fitted on
    customers who bought again (x >= 1) for more than nothing.

    It takes spend to be independent of how often customers buy. Every fit looks at that:
    ``fit_`` has the correlation and the mean spend by x. If they depend on each other,
    customers who buy often are valued too low or too high, and :class:`SpendFrequencyWarning`
    says so; then fit groups of customers separately, or predict with ``spend="own_mean"``.

    Parameters
    ----------
    start : dict of str to float, optional
        The only start of the search: p, q and gamma by name. Default: several, of which the
        highest likelihood wins.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm. The estimate is another one then, and the report says
        so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    params_ : dict of str to float
        ``p``, ``q``, ``gamma``. The mean of all customers is ``p gamma / (q - 1)``, infinite
        for q <= 1.
    log_likelihood_, aic_, bic_ : float
        The log-likelihood of the means m_x, and criteria of it.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %.
    status_, limit_ : str
        How the fit ended.
    fit_ : SpendFit
        How the search went, and whether spend depends on x.

    Examples
    --------
    >>> import numpy as np, custcore
    >>> rng = np.random.default_rng(0)
    >>> x = rng.poisson(2.0, 2_000)
    >>> mean = (
    ...     rng.gamma(6.0 * np.maximum(x, 1))
    ...     / rng.gamma(4.0, size=2_000)
    ...     * 15.0
    ...     / np.maximum(x, 1)
    ... )
    >>> summary = {
    ...     "x": x,
    ...     "t_x": 30 * x,
    ...     "T": np.full(2_000, 365),
    ...     "m_x": np.where(x > 0, mean, np.nan),
    ... }
    >>> spend = custcore.clv.GammaGamma().fit(summary)
    >>> spend.predict_one(0) < spend.predict_one(10, 80.0) < 80.0
    True
    """

    _names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")
    _core_class: ClassVar[Any] = _core.SpendModel
    _settings: SearchSettings

    def __init__(
        self,
        *,
        start: Mapping[str, float] | None = None,
        prior: Mapping[str, tuple[float, float]] | None = None,
        max_iter: int = 100,
        on_failure: Literal["error", "warn"] = "error",
        n_threads: int | None = None,
    ) -> None:
        self._settings = SearchSettings.of(
            self._names, start=start, prior=prior, max_iter=max_iter, on_failure=on_failure
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
        GammaGamma
            This model.

        Raises
        ------
        ConvergenceError
            If the search found no maximum, unless ``on_failure="warn"``.
        InvalidArgumentError
            If the summary has no amounts.
        NotEnoughDataError
            If nobody, or one customer, bought again for more than nothing.
        SummaryError
            If a row of the summary is impossible.

        Warns
        -----
        BoundaryWarning
            If the likelihood rises towards a limit, or the mean of all customers is infinite.
        SmallSampleWarning
            If fewer than 50 customers bought again.
        SpendFrequencyWarning
            If spend depends on how often customers buy: a rank correlation beyond 0.3.
        """
        read = self._read(summary, customer_id, unit, weights)
        if not read.has_amounts:
            raise InvalidArgumentError(
                "the summary has no column m_x, the mean money of repeat purchase days; make it from a base with an "
                "amount"
            )
        core = _core.SpendModel.fit(read, self._settings.options(self._names), n_threads=self._n_threads)
        found = self._with(core)._check_converged()
        for text, category in found._warnings():
            warnings.warn(text, category, stacklevel=3)
        self._fit_core, self._infos = found._fit_core, found._infos
        return self

    @classmethod
    def of_parameters(cls, params: Mapping[str, float], *, n_threads: int | None = None) -> Self:
        """A model with known parameters, from a publication or an earlier fit.

        Parameters
        ----------
        params : dict of str to float
            All parameters by name, as ``params_`` has them.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Examples
        --------
        >>> import custcore
        >>> published = {"p": 6.25, "q": 3.74, "gamma": 15.44}
        >>> spend = custcore.clv.GammaGamma.of_parameters(published)
        >>> round(spend.predict_one(0), 1), round(spend.predict_one(2, 22.4), 1)
        (35.2, 24.7)
        """
        values = parameters("params", cls._names, params)
        return cls(n_threads=n_threads)._with(_core.SpendModel.given(list(values.values())))

    def predict(
        self,
        summary: Data,
        *,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Table:
        """The expected money of one purchase day of each customer.

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

        Returns
        -------
        Table
            The ids, ascending, and ``expected_spend`` (float64): ``p (gamma + x m_x) / (p x + q -
            1)``; of customers with x = 0, or without money, the mean of all, which is null for
            q <= 1.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        read = self._read(summary, customer_id, unit)
        return Table(core.predict(read, n_threads=self._n_threads))

    def predict_one(self, x: int, m_x: float | None = None) -> float | None:
        """The expected money of one purchase day of one customer: the same bits as :meth:`predict`.

        Parameters
        ----------
        x : int
            Repeat purchase days: those after the first one.
        m_x : float, optional
            Mean money of the repeat purchase days.

        Returns
        -------
        float or None
            None where q <= 1 leaves the mean infinite.
        """
        mean = None if m_x is None else arguments.number("m_x", m_x)
        return self._model().predict_one(purchase_days(x), mean)

    def log_likelihood(
        self,
        summary: Data,
        *,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> float:
        """The log-likelihood of other customers at the parameters of this model.

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
        return core.log_likelihood(self._read(summary, customer_id, unit), n_threads=self._n_threads)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of an equal model that is not fitted."""
        given = self._settings
        names = ("start", "prior", "max_iter", "on_failure")
        return {**{name: getattr(given, name) for name in names}, "n_threads": self._n_threads}

    @property
    def fit_(self) -> SpendFit:
        """How the search went, and whether spend depends on how often customers buy; its text is one page."""
        return SpendFit("GammaGamma", self._estimates(self._info()))

    def _read(
        self, summary: Data, customer_id: str | Sequence[str] | None, unit: str | None, weights: str | None = None
    ) -> _core.ClvSummary:
        """A summary; its times do not matter."""
        return read_summary(summary, customer_id=customer_id, weights=weights, unit=unit, n_threads=self._n_threads)

    def _model(self) -> _core.SpendModel:
        core: _core.SpendModel = self._ready()
        return core

    def _warnings(self) -> Iterator[tuple[str, type[Warning]]]:
        yield from super()._warnings()
        if self.params_["q"] <= 1:
            yield (
                f"GammaGamma: q = {number(self.params_['q'])} is not above 1, so the mean of all customers is "
                "infinite, and the expected spend of customers with x = 0 is null",
                BoundaryWarning,
            )
        rank = self._infos[0].get("spearman")
        if rank is not None and abs(rank) > _DEPENDENT:
            more = "more" if rank > 0 else "less"
            yield (
                f"GammaGamma: customers who buy often spend {more} per purchase (Spearman {rank:.2f} of x and m_x), "
                "which the model takes to be independent; see fit_.mean_by_x, fit groups separately, or predict "
                "with spend='own_mean'",
                SpendFrequencyWarning,
            )

    def _shown(self) -> dict[str, object]:
        return {name: value for name, value in self.settings.items() if value != _DEFAULTS[name]}


_DEFAULTS = {"start": None, "prior": None, "max_iter": 100, "on_failure": "error", "n_threads": None}
