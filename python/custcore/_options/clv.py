"""Options of ``custcore.clv`` and of ``custcore.clv_summary``."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.churn import BASE as BASE_OF_DAYS
from custcore._options.option import Option

__all__ = [
    "BACKTEST",
    "BY_SEGMENT",
    "CLI",
    "CLV_SUMMARY",
    "COMPARE",
    "EVALUATE",
    "FIT",
    "FRAME_PREDICT",
    "GIVEN",
    "MODEL",
    "NEW_CUSTOMERS",
    "OTHER",
    "PREDICT",
    "PREDICT_ONE",
    "SBG_FIT",
    "SIMULATE",
    "SPEND",
    "SPEND_FIT",
    "SPEND_ONE",
    "SUMMARY",
    "TOTAL",
    "TRACKING",
]

CALIBRATION_END = Option(
    "calibration_end",
    "AsOf | None",
    "The last day of calibration, inclusive: what models are fitted on. Default: the last day of the data.",
    default=None,
    type="date, datetime or str",
    help="Check the model: fit it up to this day, and compare with what happened afterwards.",
    group="Time",
    metavar="DAY",
)
HOLDOUT_END = Option(
    "holdout_end",
    "AsOf | None",
    "The last day of the hold-out, inclusive: what happened afterwards, to check models. Default: the last day of the "
    "data if ``calibration_end`` is given, else there is no hold-out.",
    default=None,
    type="date, datetime or str",
    help="The last day of that comparison.",
    group="Time",
    metavar="DAY",
    shown_default="last day",
)
NAMES = Option(
    "names",
    text='The names of the columns: ``"custcore"`` (x, t_x, T, m_x), ``"lifetimes"`` (frequency, recency, T, '
    'monetary_value) or ``"btyd"`` (x, t.x, T.cal, m.x).',
    default="custcore",
    choices=("custcore", "lifetimes", "btyd"),
)
# Of a base.
SUMMARY = (CALIBRATION_END, HOLDOUT_END, NAMES, t.N_THREADS)
# Of transactions in one call, whose base is not kept.
CLV_SUMMARY = (
    CALIBRATION_END,
    HOLDOUT_END,
    NAMES,
    *(option for option in t.READ if option.name not in {"as_of", "n_days", "attributes"}),
    t.N_THREADS,
    t.PROGRESS,
)

UNIT = Option(
    "unit",
    text="The unit of time of alpha and beta, and of log-likelihoods. Everything is computed in days: a week is 7 of "
    "them, a month 30.4375, a year 365.25. It changes no prediction.",
    default="week",
    choices=("day", "week", "month", "year"),
    help="Unit of time of alpha and beta.",
    group="Lifetime value",
)
BY = Option(
    "by",
    "str | None",
    "Column of the summary whose values get parameters of their own, such as the quarter of the first purchase or a "
    "channel. Null is a value.",
    default=None,
    type="str",
    help="Fit parameters for each value of this column (of purchases: the value at the first one).",
    group="Lifetime value",
    metavar="COLUMN",
)
MIN_CUSTOMERS = Option(
    "min_customers",
    "int",
    "With ``by``: customers of a group with parameters of its own, at least; 50 of them must have bought again. The "
    "others get the parameters of all customers.",
    default=500,
)
UNSEEN = Option(
    "unseen",
    text="With ``by``: whether a group that was not in the fit gets the parameters of all customers, or is an error.",
    default="global",
    choices=("global", "error"),
)
START = Option(
    "start",
    "Mapping[str, float] | None",
    "The only start of the search, as ``params_`` has it: all parameters by name, times in ``unit``. Default: see "
    "``starts``.",
    default=None,
    type="dict of str to float",
)
STARTS = Option(
    "starts",
    text='``"auto"``: one start, and two more if it does not end in an interior maximum. ``"all"``: all of them. The '
    "highest likelihood wins, and ``fit_.starts`` has every start.",
    default="auto",
    choices=("auto", "all"),
)
PRIOR = Option(
    "prior",
    "Mapping[str, tuple[float, float]] | None",
    "Normal priors of the logarithms of some parameters, by name: mean and standard deviation of the logarithm, times "
    "in ``unit``. The estimate is another one then, and the report says so. Default: none, maximum likelihood.",
    default=None,
    type="dict of str to (float, float)",
)
MAX_ITER = Option("max_iter", "int", "Iterations from each start, at most.", default=100)
ON_FAILURE = Option(
    "on_failure",
    text="Whether a search without a maximum is an error, which has all that it found, or a warning, and the model has "
    "the best parameters seen.",
    default="error",
    choices=("error", "warn"),
)
MODEL = (UNIT, BY, MIN_CUSTOMERS, UNSEEN, START, STARTS, PRIOR, MAX_ITER, ON_FAILURE, t.N_THREADS)
SPEND = (
    START.but(
        text="The only start of the search: p, q and gamma by name. Default: several, of which the highest likelihood "
        "wins."
    ),
    PRIOR.but(
        text="Normal priors of the logarithms of some parameters, by name: mean and standard deviation of the "
        "logarithm. The estimate is another one then, and the report says so. Default: none, maximum likelihood."
    ),
    MAX_ITER,
    ON_FAILURE,
    t.N_THREADS,
)

TABLE = Option(
    "summary",
    "Data",
    "One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or :func:`custcore.clv_summary` returns, or "
    "any table with such columns by the names of custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is "
    "given.",
    type="table",
)
OF_ALL = "One row per customer, in days: what :meth:`custcore.CustomerBase.clv_summary` returns, or any such table."
WEIGHTS = Option(
    "weights",
    "str | None",
    "Name of a column: how many customers a row stands for, or how much it counts. Default: 1.",
    default=None,
    type="str",
)
IDS = Option(
    "customer_id",
    "str | Sequence[str] | None",
    "The columns of ids. Default: those that the metadata of the summary names, else ``customer_id`` if it is there.",
    default=None,
    type="str or list of str",
)
UNIT_OF_TIMES = Option(
    "unit",
    'Literal["day", "week", "month", "year"] | None',
    "The unit of the times of a summary from elsewhere, which may then be fractions. Default: whole days.",
    default=None,
    type='{"day", "week", "month", "year"}',
)
FIT = (TABLE, WEIGHTS, IDS, UNIT_OF_TIMES)
SPEND_FIT = FIT
OTHER = (TABLE, IDS, UNIT_OF_TIMES)

HORIZON = Option(
    "horizon",
    "Horizons",
    'How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``, ``"1y"`` (of 7, 30.4375 and 365.25 '
    "days); None: no end; or a list of these, which gives a block of rows each and the column ``horizon_days``.",
    type="float, timedelta, str, None, or list of these",
)
ONE_HORIZON = HORIZON.but(
    annotation="Horizon",
    text='How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``, ``"1y"`` (of 7, 30.4375 and '
    "365.25 days); None: no end.",
    type="float, timedelta, str or None",
)
ENDING = HORIZON.but(
    text='How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``, ``"1y"`` (of 7, 30.4375 and '
    "365.25 days); or a list of these, which gives a row each."
)
SPEND_MODEL = Option(
    "spend",
    'GammaGamma | Literal["own_mean"] | None',
    'The money of a purchase day: a fitted :class:`GammaGamma`; or ``"own_mean"``, the mean of the customer\'s own '
    "repeat purchase days, null for those without. Default: money is not predicted.",
    default=None,
    type='GammaGamma or "own_mean"',
)
MARGIN = Option(
    "margin",
    "float",
    "What remains of the money: ``clv`` is multiplied by it.",
    default=1.0,
    help="What remains of the money, a share.",
    group="Lifetime value",
    metavar="N",
)
ANNUAL_RATE = Option(
    "annual_rate",
    "float",
    "The interest of a **year** by which later purchases count less.",
    default=0.10,
    help="The interest of a year by which later purchases count less.",
    group="Lifetime value",
    metavar="N",
)
DISCOUNT = Option(
    "discount",
    text='``"continuous"``: each purchase is discounted from its own time. ``"monthly"``: those of each 30.4375 days '
    "at their end.",
    default="continuous",
    choices=("continuous", "monthly"),
)
PERIOD_DAYS = Option(
    "period_days",
    "float | None",
    "Together with ``period_rate``, and instead of ``annual_rate`` and ``discount``: days of a period, at whose end "
    'its purchases are discounted, as other tools do (lifetimes with ``freq="W"``: 30.415).',
    default=None,
    type="float",
)
PERIOD_RATE = Option("period_rate", "float | None", "The interest of such a period.", default=None, type="float")
LEVEL = Option(
    "level",
    "float | None",
    "Probability of the interval of the number of purchases, such as 0.9, for ``purchases_low`` and "
    "``purchases_high``. Default: none.",
    default=None,
    type="float",
)
_VALUE = (SPEND_MODEL, MARGIN, ANNUAL_RATE, DISCOUNT, PERIOD_DAYS, PERIOD_RATE, LEVEL)
CELLS = Option(
    "cells",
    "bool",
    "Whether to give one row for each distinct (x, t_x, T), with the number of its customers, instead of one for each "
    "customer; without columns of money.",
    default=False,
)
AS_OF = Option(
    "as_of",
    "AsOf | None",
    "The day from which on to predict, if it is later than the end of the summary: nobody has bought since. Default: "
    "the end of the summary.",
    default=None,
    type="date, datetime or str",
)
_WHERE = (AS_OF, IDS, UNIT_OF_TIMES)
PREDICT = (TABLE, HORIZON, *_VALUE, CELLS, *_WHERE)
PREDICT_ONE = (
    Option("x", "int", "Repeat purchase days: those after the first one."),
    Option("t_x", "float", "Days from the first purchase to the last."),
    Option("T", "float", "Days from the first purchase to now.", type="float"),
    Option("m_x", "float | None", "Mean money of the repeat purchase days.", default=None, type="float"),
    ONE_HORIZON,
    *_VALUE,
    Option(
        "group",
        "Group | None",
        "The value of the column ``by``, for a model that has one.",
        default=None,
        type="int, str, bytes, bool, float, date or UUID",
    ),
)
NEW_CUSTOMERS = (
    HORIZON,
    Option(
        "include_first",
        "bool",
        "Whether the first purchase, which is made at once and is not discounted, counts, too.",
        default=False,
    ),
    *_VALUE,
)
TOTAL = (TABLE, ENDING, LEVEL.but(annotation="float", text="Probability of the interval.", default=0.95), *_WHERE)
SIMULATE = (
    TABLE,
    ONE_HORIZON.but(
        text='How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``, ``"1y"``.',
        annotation="float | str | timedelta",
        type="float, timedelta or str",
    ),
    Option("seed", "int", "Seed of the random numbers. The same seed gives the same table on every machine."),
    Option("n", "int", "Number of simulations.", default=1000),
    Option(
        "parameters",
        text='``"fitted"``: all simulations have the parameters of the fit. ``"drawn"``: each draws its own, from '
        "their estimated distribution.",
        default="fitted",
        choices=("fitted", "drawn"),
    ),
    *_WHERE,
)
EVALUATE = (
    TABLE.but(text="A summary with a hold-out: ``base.clv_summary(calibration_end=...)``."),
    SPEND_MODEL.but(
        text="The money of a purchase day, as of :meth:`predict`. Default: only purchases are evaluated.",
    ),
    IDS,
    UNIT_OF_TIMES,
)
TRACKING = (
    BASE_OF_DAYS,
    Option(
        "period",
        "float | str | timedelta",
        'Length of a period in whole days: ``"day"``, ``"week"``, days, or a text such as ``"4w"``. Periods count from '
        "the first purchase day of all.",
        default="week",
        type="float, timedelta or str",
    ),
    CALIBRATION_END.but(text="The last day of calibration. Default: that of the fit."),
    HOLDOUT_END.but(text="The last day that is shown. Default: the last day of the base."),
    LEVEL.but(annotation="float", text="Probability of the interval of the number in a period.", default=0.95),
)
GIVEN = (
    Option(
        "params",
        "Mapping[str, float]",
        "All parameters by name, as ``params_`` has them.",
        type="dict of str to float",
    ),
    UNIT.but(text="The unit of alpha and beta."),
    t.N_THREADS,
)
SPEND_ONE = (
    Option("x", "int", "Repeat purchase days: those after the first one."),
    Option("m_x", "float | None", "Mean money of the repeat purchase days.", default=None, type="float"),
)
SBG_FIT = (
    Option(
        "lost",
        "Sequence[int] | Sequence[Sequence[int]] | CohortRetention",
        "How many did not renew at the first renewal, the second, ...: of one cohort, or a list for each cohort. Or "
        "the result of :func:`custcore.cohort_retention` for contracts.",
        type="list of int, list of these, or CohortRetention",
    ),
    Option(
        "at_risk",
        "int | Sequence[int] | Sequence[Sequence[int]] | None",
        "How many could renew: their number at the first renewal, or at each. For several cohorts a list of these. "
        "Those who are neither lost nor at risk at the next renewal have not got there yet.",
        default=None,
        type="int, list of int, or list of these",
    ),
)
COMPARE = (
    Option(
        "models",
        "Sequence[PurchaseModel]",
        "Models of purchases, fitted or not: each is fitted anew with its settings, and not changed. Their units must "
        "be the same.",
        type="list of models",
    ),
    TABLE.but(text=OF_ALL + " With a hold-out, expectations are compared with what happened."),
    WEIGHTS,
    IDS,
    UNIT_OF_TIMES,
)
BACKTEST = (
    BASE_OF_DAYS,
    Option(
        "model",
        "PurchaseModel",
        "A model of purchases, fitted or not: it is fitted anew at each end, with its settings, and not changed.",
        type="model",
    ),
    Option(
        "calibration_ends",
        "Iterable[AsOf]",
        "The last days of calibration, ascending.",
        type="list of date, datetime or str",
    ),
    Option(
        "horizon",
        "float | str | timedelta",
        'What is held out after each of them: whole days, a ``timedelta``, or a text such as ``"12w"``.',
        type="float, timedelta or str",
    ),
    t.N_THREADS,
)
BY_SEGMENT = (
    Option(
        "predictions",
        "Data",
        "What :meth:`PurchaseModel.predict` returned, also for several horizons.",
        type="table",
    ),
    Option(
        "segments",
        "Data | None",
        "A row for each customer: the ids, by the same names, and the column of segments, such as "
        ":func:`custcore.rfm_scores` or :meth:`custcore.CohortRetention.customers` return. Default: the predictions "
        "have that column.",
        default=None,
        type="table",
    ),
    Option("segment", "str", "Column of segments: strings, integers, dates, or a dictionary.", default="segment"),
    IDS.but(
        text="The columns of ids. Default: those that the metadata of the predictions names, else ``customer_id``."
    ),
)
# The command line, in the order of its help.
CLI = (
    CALIBRATION_END,
    HOLDOUT_END,
    HORIZON.but(
        default="1y",
        help="How far ahead: days, or 12w, 6mo, 1y (7, 30.4375, 365.25 days); none: without end.",
        group="Lifetime value",
        metavar="N[w|mo|y]",
    ),
    BY,
    UNIT,
    UNIT_OF_TIMES.but(
        name="times_in",
        help="Unit of the times of a summary from elsewhere.",
        group="Lifetime value",
        choices=("day", "week", "month", "year"),
        shown_default="whole days",
    ),
    Option(
        "spend",
        help="The money of a purchase day: by the Gamma-Gamma model, or each customer's own mean.",
        default="model",
        choices=("model", "own_mean", "none"),
        group="Lifetime value",
    ),
    MARGIN,
    ANNUAL_RATE,
    LEVEL.but(
        default=0.95,
        help="Probability of intervals: of the total, and in the file of each customer's purchases.",
        group="Lifetime value",
        metavar="N",
    ),
)
# Of a frame.
FRAME_PREDICT = (
    Option("model", "PurchaseModel", "A fitted model of purchases, such as :class:`custcore.clv.MBGNBD`."),
    HORIZON,
    *_VALUE,
    AS_OF.but(
        text="The day from which on to predict, if it is later than the end of the summary: nobody has bought since. A "
        "frame of pandas knows its end from the report of :meth:`clv_summary`; one of polars does not, and needs a "
        "summary of a later ``calibration_end`` instead."
    ),
    IDS.but(
        text="The columns of ids. Default: ``customer_id`` if it is there, else the named index of a frame of pandas."
    ),
    UNIT_OF_TIMES,
    t.N_THREADS,
)
