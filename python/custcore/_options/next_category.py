"""Options of ``custcore.NextCategory`` and ``custcore.backtest_next``."""

from __future__ import annotations

from custcore._options import preferences as p
from custcore._options.option import Option

__all__ = ["BACKTEST", "FIT", "MODEL", "RECOMMEND"]

METHOD = Option(
    "method",
    text="How a category c is scored for a customer who has the categories a; N counts customers. "
    '``"cosine"``: the sum of N_ac / sqrt(N_a N_c). ``"confidence"``: the mean of N_ac / N_a. '
    '``"popularity"``: N_c, the same order for everybody.',
    default="cosine",
    choices=("cosine", "confidence", "popularity"),
    help="How categories are scored.",
    group="Scores",
)
MIN_CUSTOMERS = Option(
    "min_customers",
    "int",
    "Categories with fewer customers are neither recommended nor count as what a customer has.",
    default=20,
    help="Categories with fewer customers are left out.",
    group="Scores",
    metavar="N",
    minimum=1,
)
BASE = Option(
    "base",
    "CustomerBase",
    "A base with ``categories=``, in memory or on disk. It is not changed.",
    type="CustomerBase",
)
K = Option(
    "k",
    "int",
    "Recommendations of each customer, at most.",
    default=5,
    help="Recommendations of each customer.",
    flags=("-k",),
    group="List",
    metavar="N",
    minimum=1,
)
EXCLUDE_OWNED = Option(
    "exclude_owned",
    "bool",
    "Whether categories that a customer has are left out. What a customer buys again is another question, which the "
    "own orders answer (:meth:`CustomerBase.preferences`).",
    default=True,
)

MODEL = (METHOD, MIN_CUSTOMERS)
FIT = (BASE, p.AS_OF)
RECOMMEND = (BASE, K, p.AS_OF, EXCLUDE_OWNED)
BACKTEST = (
    BASE.but(text="A base with ``categories=`` and ``category_days=True``, in memory or on disk. It is not changed."),
    Option(
        "dates",
        "Iterable[AsOf]",
        "The dates, ascending, each at least ``horizon`` days before the last day of the base.",
        type="list of date, datetime or str",
    ),
    Option("horizon", "int", "Days after a date in which new categories count."),
    Option(
        "k", "Sequence[int]", "Numbers of recommendations, ascending.", default=(1, 3, 5, 10), type="sequence of int"
    ),
    Option(
        "methods",
        "Sequence[str]",
        "Methods of :class:`NextCategory`. Popularity, the baseline, is always tested.",
        default=("cosine", "confidence"),
        type="sequence of str",
    ),
    MIN_CUSTOMERS,
)
