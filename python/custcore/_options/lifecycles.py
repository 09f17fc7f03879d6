"""Options of ``custcore.LifecycleModel`` and of the stages of a base."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.bases import AS_OF, TRANSITIONS
from custcore._options.option import Option

__all__ = ["COUNTS", "FIT", "FLOWS", "LIFECYCLE", "MODEL", "OF_TRANSACTIONS"]

MODEL = (
    Option(
        "active_days",
        "int | None",
        "The longest gap in days of an active customer. Default: fitted.",
        default=None,
        core="int | None",
        help="The longest gap of an active customer, in days.",
        group="Life cycle",
        metavar="N",
        shown_default="fitted",
        minimum=1,
    ),
    Option(
        "loss_days",
        "int | None",
        "The longest gap in days of a customer who is not lost. Default: fitted.",
        default=None,
        core="int | None",
        help="The longest gap of a customer who is not lost, in days.",
        group="Life cycle",
        metavar="N",
        shown_default="fitted",
        minimum=1,
    ),
    Option(
        "quantiles",
        "tuple[float, float]",
        "Shares of gaps that have ended by the two windows.",
        default=(0.8, 0.95),
        type="(float, float)",
        core="tuple[float, float]",
    ),
    Option(
        "among",
        text="Of which gaps: those that end within the horizon H, or all, which is an error where so many never end.",
        default="returning",
        choices=("returning", "all"),
        core="str",
        help="Of which gaps: those that end, or all.",
        group="Life cycle",
    ),
    Option(
        "min_at_risk",
        "int",
        "How many gaps are at risk at the horizon, at least.",
        default=30,
        core="int",
        help="How many gaps are at risk at the horizon, at least.",
        group="Life cycle",
        metavar="N",
        minimum=1,
    ),
    Option(
        "loyal_orders",
        "int",
        "Orders from which on an active customer is loyal.",
        default=5,
        core="int",
        help="Orders from which on an active customer is loyal.",
        group="Life cycle",
        metavar="N",
        minimum=2,
    ),
    Option(
        "rhythm",
        text='``"own"``: windows are multiples of the customer\'s typical gap, which says that someone is late by '
        "their own habit. It does not rank customers by the chance that they leave: frequent buyers who are late "
        "still come soon.",
        default="population",
        choices=("population", "own"),
        core="str",
        help="Windows in days, or in typical gaps of each customer.",
        group="Life cycle",
    ),
    Option(
        "prior_gaps",
        "int",
        'With ``rhythm="own"``: how many gaps of a customer the typical gap of all counts as. The typical gap is '
        "``(m * median + prior_gaps * M) / (m + prior_gaps)``, with m closed gaps of the customer and M the .50 window "
        "among gaps that end.",
        default=3,
        core="int",
    ),
)

FIT = (
    Option("base", "CustomerBase", 'A base of level ``"days"`` or ``"orders"``.'),
    AS_OF.but(text="The last day that counts. Default: the last day in the base."),
    t.N_THREADS,
)

_PROSPECTS = Option(
    "prospects",
    "Data | Iterable[Id] | None",
    "Ids of possible customers: a sequence, a column, or a table with the id column of the base. Those without a "
    "purchase by then are prospects. Default: none.",
    default=None,
    type="table or sequence of ids",
)
_LANG = Option("lang", text="Language of the names of stages.", default="en", choices=("en", "zh"))
_MODEL = Option(
    "model",
    "LifecycleModel",
    "A fitted model, or one with both windows in days.",
)

LIFECYCLE = (
    AS_OF.but(
        text='The last day that counts. Default: the last day in the base. With ``track="days"`` or ``"orders"`` it '
        "may be any day."
    ),
    _MODEL.but(
        annotation="LifecycleModel | None",
        text="A fitted model, or one with both windows in days. Default: one with default settings is fitted as of "
        "``as_of``.",
        default=None,
        type="LifecycleModel",
    ),
    _PROSPECTS,
    _LANG,
    t.N_THREADS,
)
_DATES = TRANSITIONS[0]
COUNTS = (
    _DATES.but(
        text='One or more, ascending. Dates before the last one in the base need ``track="days"`` or ``"orders"``. '
        "Before the first purchase there are no customers."
    ),
    _MODEL,
    _PROSPECTS,
    _LANG,
    t.N_THREADS,
)
FLOWS = (_DATES, _MODEL, _LANG, t.N_THREADS)

# Of transactions in one call, whose base is not kept: the options that are not those of the model and the ids.
OF_TRANSACTIONS = (
    _LANG,
    *(option for option in t.READ if option.name not in {"n_days", "attributes"}),
    t.N_THREADS,
    t.PROGRESS,
)
