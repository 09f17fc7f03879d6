"""``custcore.backtest``: how well scores of churn would have ranked customers on past days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing
from custcore._lifecycle._churn import at_risk_argument, strata_argument
from custcore._lifecycle.model import core_of_base
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf
    from custcore.base import CustomerBase
    from custcore.result import Report

__all__ = ["Backtest", "backtest"]


class Backtest:
    """The result of :func:`custcore.backtest`: three tables, and their report."""

    __slots__ = ("_calibration", "_summary", "_thresholds")

    def __init__(self, summary: Table, thresholds: Table, calibration: Table) -> None:
        self._summary, self._thresholds, self._calibration = summary, thresholds, calibration

    def summary(self) -> Table:
        """How well each score ranks, at each date.

        Returns
        -------
        Table
            ``as_of`` (date32), ``score`` (string), ``customers``, ``churned`` (int64),
            ``base_rate`` (churned / customers), ``auc`` (the probability that a customer who
            churned has a higher score than one who did not, plus half of that of equal scores;
            null if all or none churned), ``average_precision`` (the mean precision over recall,
            equal scores are one step), and for the probability ``brier`` (its mean squared error)
            and ``brier_base`` (that of the base rate for everybody), all float64.
        """
        return self._summary

    def thresholds(self) -> Table:
        """Who would have been flagged, and how many of them churned.

        Returns
        -------
        Table
            ``as_of`` (date32; null: all dates together), ``score`` (string), ``share``
            (float64), ``threshold`` (float64, the score of the last flagged customer; null for
            shares of all dates), ``flagged``, ``true`` (int64, the flagged who churned),
            ``precision`` = true / flagged with ``precision_low``, ``precision_high`` (95 %,
            Wilson 1927), ``recall`` = true / churned, ``lift`` = precision / base rate (float64).
        """
        return self._thresholds

    def calibration(self) -> Table:
        """Whether of customers with a probability of about p a share of about p churned.

        Returns
        -------
        Table
            Ten groups of equal size for each date, by ascending probability, then id: ``as_of``
            (date32), ``bin`` (int64, from 1), ``customers`` (int64), ``predicted`` (float64, the
            mean probability), ``observed`` (float64, the share who churned) with
            ``observed_low``, ``observed_high`` (95 %, Wilson 1927). Empty without the score
            ``"probability"``.
        """
        return self._calibration

    @property
    def report(self) -> Report:
        """What the base left out, and remarks: dates without a model, strata without a curve of their own."""
        return self._summary.report

    def _sheets(self) -> dict[str, Table]:
        return {"summary": self._summary, "thresholds": self._thresholds, "calibration": self._calibration}

    def __reduce__(self) -> tuple[object, ...]:
        return Backtest, (self._summary, self._thresholds, self._calibration)

    def __repr__(self) -> str:
        dates = list(dict.fromkeys(str(day) for day in self._summary["as_of"].to_pylist()))
        scores = list(dict.fromkeys(self._summary["score"].to_pylist()))
        return f"Backtest of {', '.join(scores)} at {', '.join(dates)}; summary(), thresholds(), calibration()"


@proposing
def backtest(
    base: CustomerBase,
    horizon: int = 90,
    *,
    dates: Iterable[AsOf] | None = None,
    n_dates: int = 4,
    scores: Sequence[str] = ("probability", "recency", "overdue"),
    among: Literal["at_stake", "all"] = "at_stake",
    shares: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.5),
    thresholds: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    strata: Sequence[int] = (1, 2, 3, 5, 10),
    min_at_risk: int = 30,
    n_threads: int | None = None,
) -> Backtest:
    """Test scores of churn on past days, to see whether they would have warned in time.

    At each date a :class:`ChurnModel` is fitted on the rows up to that date, the customers
    are scored, and only then it is looked up who bought in the ``horizon`` days after it.
    No row after a date changes its models and scores.

    Parameters
    ----------
    base : CustomerBase
        A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.
    horizon : int, default 90
        Days ahead. A customer has churned who buys nothing in these days.
    dates : list of date, datetime or str, optional
        The dates, ascending, each at least ``horizon`` days before the last day of the
        base. Default: ``n_dates`` dates, each ``horizon`` days before the next, the last
        one ``horizon`` days before the last day. Of those, dates too early for a model are
        left out, which is reported.
    n_dates : int, default 4
        Number of dates, if none are given.
    scores : sequence of str, default ("probability", "recency", "overdue")
        ``"probability"``: that of :class:`ChurnModel`. ``"recency"``: days since the last
        purchase, the baseline, which is always there. ``"overdue"``: days since the last
        purchase over the typical gap of the customer: the mean of the median of the
        customer's own gaps (weight: their number) and that of all customers (weight: 3).
    among : {"at_stake", "all"}, default "at_stake"
        ``"at_stake"``: buyers whose gap is within the loss window, the days by which 95 %
        of the gaps that end have ended, fitted at each date. ``"all"``: all buyers, also
        those who left long ago and are easy to predict.
    shares : sequence of float, default (0.05, 0.1, 0.2, 0.3, 0.5)
        Shares of the customers to flag: those with the highest scores, of equal ones those
        with the lowest ids.
    thresholds : list of float, or dict of str to list of float, optional
        Flag customers with at least such a score instead: a dict of score to thresholds, or
        a list of probabilities. Scores without thresholds keep ``shares``.
    strata : sequence of int, default (1, 2, 3, 5, 10)
        The least number of distinct purchase days of each stratum, ascending from 1. Each
        stratum has a curve of its own: who has bought ten times comes back sooner than who
        has bought once.
    min_at_risk : int, default 30
        A curve is used up to the longest gap that ended while at least so many gaps were at
        risk; beyond it nobody is known to come back. A stratum without such a gap uses the
        curve of all customers, which is reported.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Backtest
        ``summary()``, ``thresholds()``, ``calibration()``.

    Raises
    ------
    InvalidArgumentError
        If the days after a given date are not all in the base.
    NotEnoughDataError
        If the base is too short, or has too few purchases for a model at a given date.
    StateMismatchError
        If the base is of level ``"totals"``, which has no past days.

    Notes
    -----
    Compare each score with ``"recency"`` before you build on it. A probability ranks better
    over all customers, because those who buy often come back soon; among the few with the
    highest scores the days since the last purchase may do as well. ``"overdue"`` says who is
    late by their own rhythm. It ranks worse than recency: frequent buyers who are late still
    come within the horizon.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> base = custcore.CustomerBase(track="days")
    >>> base.update(
    ...     {
    ...         "customer_id": (500 * rng.random(4_000) ** 2).astype(int),
    ...         "timestamp": np.datetime64("2024-01-01") + rng.integers(0, 366, 4_000),
    ...         "amount": np.full(4_000, 10.0),
    ...     }
    ... )
    >>> test = custcore.backtest(base, 30, n_dates=2)
    >>> [
    ...     (str(row["as_of"]), row["score"], round(row["auc"], 2))
    ...     for row in test.summary().to_pylist()[3:]
    ... ]
    [('2024-12-01', 'probability', 0.63), ('2024-12-01', 'recency', 0.59),
     ('2024-12-01', 'overdue', 0.57)]
    """
    threads = arguments.optional_whole("n_threads", n_threads)
    number = arguments.whole("n_dates", n_dates)
    if number < 1:
        raise InvalidArgumentError(f"n_dates={number} is invalid; expected 1 or more")
    return Backtest(
        *map(
            Table,
            _core.backtest(
                core_of_base(base),
                horizon=arguments.whole("horizon", horizon),
                dates=_dates(dates),
                n_dates=number,
                scores=[arguments.name(f"scores[{i}]", score) for i, score in enumerate(_listed("scores", scores))],
                among=arguments.name("among", among),
                shares=_numbers("shares", shares),
                thresholds=_thresholds(thresholds),
                strata=strata_argument(strata),
                min_at_risk=at_risk_argument(min_at_risk),
                n_threads=threads,
            ),
        )
    )


def _dates(dates: Iterable[AsOf] | None) -> list[tuple[str, int]] | None:
    """The dates for the core, which checks their order."""
    if dates is None:
        return None
    if isinstance(dates, str | bytes) or not isinstance(dates, Iterable):
        raise InvalidTypeError(f"dates is {type(dates).__name__}; expected a list of dates, ascending, or None")
    days = [as_of_argument(date, f"dates[{i}]") for i, date in enumerate(dates)]
    if None in days:
        raise InvalidTypeError(f"dates[{days.index(None)}] is None; expected a date")
    return [day for day in days if day is not None]


def _listed(argument: str, values: object) -> Sequence[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidTypeError(f"{argument}={values!r} is {type(values).__name__}; expected a list")
    return values


def _numbers(argument: str, values: object) -> list[float]:
    found = []
    for i, value in enumerate(_listed(argument, values)):
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            raise InvalidTypeError(f"{argument}[{i}]={value!r} is {type(value).__name__}; expected a number") from None
    return found


def _thresholds(thresholds: Sequence[float] | Mapping[str, Sequence[float]] | None) -> list[tuple[str, list[float]]]:
    """The thresholds of each score; a list is of probabilities."""
    if thresholds is None:
        return []
    if isinstance(thresholds, Mapping):
        each = [(arguments.name("thresholds", score), values) for score, values in thresholds.items()]
        return [(score, _numbers(f"thresholds[{score!r}]", values)) for score, values in each]
    return [("probability", _numbers("thresholds", thresholds))]
