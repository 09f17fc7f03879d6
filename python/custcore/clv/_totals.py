"""What all customers together are expected to do, with its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.clv._predictions import Predictions, of_horizons
from custcore.clv._time import finite_horizon, horizons_argument
from custcore.clv._valuation import level_argument
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from custcore._input.data import AsOf, Data
    from custcore.clv._time import Horizons

__all__ = ["Totals"]


@proposing_methods
class Totals(Predictions):
    """The methods of a model of purchases on all customers together."""

    def total(
        self,
        summary: Data,
        horizon: Horizons,
        *,
        level: float = 0.95,
        as_of: AsOf | None = None,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Table:
        """The expected number of purchases of all customers, with its standard error.

        The error has the customers' own variation and that of the estimated parameters. It
        takes the model for true; :meth:`evaluate` shows how far it is.

        Parameters
        ----------
        summary : table
            One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or
            :func:`custcore.clv_summary` returns, or any table with such columns by the names of
            custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is given.
        horizon : float, timedelta, str, None, or list of these
            How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
            ``"1y"`` (of 7, 30.4375 and 365.25 days); or a list of these, which gives a row
            each.
        level : float, default 0.95
            Probability of the interval.
        as_of : date, datetime or str, optional
            The day from which on to predict, if it is later than the end of the summary: nobody
            has bought since. Default: the end of the summary.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Returns
        -------
        Table
            One row for each horizon: ``horizon_days`` (float64, for a list), ``customers``
            (int64), ``expected_purchases``, ``standard_error``, ``parameter_error`` (the part of
            it that comes from the parameters; 0 if they were given), ``low``, ``high`` (float64).

        Raises
        ------
        InvalidArgumentError
            If a horizon has no end, or is negative.
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        days, is_list = horizons_argument("horizon", horizon)
        ends = [finite_horizon("horizon", day) for day in days]
        read = self._read(summary, customer_id, unit, as_of)
        found = core.total(read, horizons=ends, level=level_argument(level), n_threads=self._n_threads)
        return of_horizons(Table(found), is_list=is_list)

    def simulate(
        self,
        summary: Data,
        horizon: float | str | timedelta,
        *,
        seed: int,
        n: int = 1000,
        parameters: Literal["fitted", "drawn"] = "fitted",
        as_of: AsOf | None = None,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Table:
        """Draw the number of purchases of all customers many times: the distribution of the total.

        Parameters
        ----------
        summary : table
            One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or
            :func:`custcore.clv_summary` returns, or any table with such columns by the names of
            custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is given.
        horizon : float, timedelta or str
            How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
            ``"1y"``.
        seed : int
            Seed of the random numbers. The same seed gives the same table on every machine.
        n : int, default 1000
            Number of simulations.
        parameters : {"fitted", "drawn"}, default "fitted"
            ``"fitted"``: all simulations have the parameters of the fit. ``"drawn"``: each
            draws its own, from their estimated distribution.
        as_of : date, datetime or str, optional
            The day from which on to predict, if it is later than the end of the summary: nobody
            has bought since. Default: the end of the summary.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Returns
        -------
        Table
            ``simulation`` (int64, from 1), ``purchases`` (int64).

        Raises
        ------
        InvalidArgumentError
            If the horizon has no end, or is negative.
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        days = finite_horizon("horizon", horizon)
        number, start = arguments.whole("n", n), arguments.whole("seed", seed)
        if number < 1:
            raise InvalidArgumentError(f"n={number} is invalid; expected 1 or more simulations")
        if start < 0:
            raise InvalidArgumentError(f"seed={start} is outside 0 to 2**64 - 1")
        drawn = arguments.choice("parameters", parameters, ("fitted", "drawn")) == "drawn"
        if drawn:
            self._info()  # given parameters have no distribution
        read = self._read(summary, customer_id, unit, as_of)
        return Table(
            core.simulate(read, horizon=days, seed=start, n=number, draw_parameters=drawn, n_threads=self._n_threads)
        )
