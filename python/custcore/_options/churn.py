"""Options of ``custcore.ChurnModel`` and ``custcore.backtest``."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BACKTEST", "BASE", "FIT", "MODEL", "SCORE"]

BASE = Option(
    "base",
    "CustomerBase",
    'A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.',
    type="CustomerBase",
)
HORIZON = Option(
    "horizon",
    "int",
    "Days ahead. A customer has churned who buys nothing in these days.",
    default=90,
    help="Days ahead; who buys nothing in them has churned.",
    group="Scores",
    metavar="N",
    minimum=1,
)
STRATA = Option(
    "strata",
    "Sequence[int]",
    "The least number of distinct purchase days of each stratum, ascending from 1. Each stratum has a curve of its "
    "own: who has bought ten times comes back sooner than who has bought once.",
    default=(1, 2, 3, 5, 10),
    type="sequence of int",
)
MIN_AT_RISK = Option(
    "min_at_risk",
    "int",
    "A curve is used up to the longest gap that ended while at least so many gaps were at risk; beyond it nobody is "
    "known to come back. A stratum without such a gap uses the curve of all customers, which is reported.",
    default=30,
)
AS_OF = t.AS_OF.but(
    text="The last day that counts: no later row is read. Default: the last day of the base.",
)
MODEL = (HORIZON, STRATA, MIN_AT_RISK)
FIT = (BASE, AS_OF)
SCORE = FIT
BACKTEST = (
    BASE,
    HORIZON,
    Option(
        "dates",
        "Iterable[AsOf] | None",
        "The dates, ascending, each at least ``horizon`` days before the last day of the base. Default: ``n_dates`` "
        "dates, each ``horizon`` days before the next, the last one ``horizon`` days before the last day. Of those, "
        "dates too early for a model are left out, which is reported.",
        default=None,
        type="list of date, datetime or str",
    ),
    Option("n_dates", "int", "Number of dates, if none are given.", default=4),
    Option(
        "scores",
        "Sequence[str]",
        '``"probability"``: that of :class:`ChurnModel`. ``"recency"``: days since the last purchase, the baseline, '
        'which is always there. ``"overdue"``: days since the last purchase over the typical gap of the customer: the '
        "mean of the median of the customer's own gaps (weight: their number) and that of all customers (weight: 3).",
        default=("probability", "recency", "overdue"),
        type="sequence of str",
    ),
    Option(
        "among",
        text='``"at_stake"``: buyers whose gap is within the loss window, the days by which 95 % of the gaps that end '
        'have ended, fitted at each date. ``"all"``: all buyers, also those who left long ago and are easy to predict.',
        default="at_stake",
        choices=("at_stake", "all"),
    ),
    Option(
        "shares",
        "Sequence[float]",
        "Shares of the customers to flag: those with the highest scores, of equal ones those with the lowest ids.",
        default=(0.05, 0.1, 0.2, 0.3, 0.5),
        type="sequence of float",
    ),
    Option(
        "thresholds",
        "Sequence[float] | Mapping[str, Sequence[float]] | None",
        "Flag customers with at least such a score instead: a dict of score to thresholds, or a list of probabilities. "
        "Scores without thresholds keep ``shares``.",
        default=None,
        type="list of float, or dict of str to list of float",
    ),
    STRATA,
    MIN_AT_RISK,
    t.N_THREADS,
)
