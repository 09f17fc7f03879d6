"""Experiments: the options of ``custcore.effect``, ``effect_of`` and the methods of a base."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.option import REQUIRED, Option

__all__ = ["AA", "EFFECT", "EFFECT_OF", "EXPERIMENT", "EXPERIMENT_TABLE", "OF_BASE", "PLAN", "TRACKING"]

EXPERIMENT = Option(
    "experiment",
    "Data",
    "One row per customer: the id, named as in the transactions, the group that was assigned, and the day of exposure. "
    "Any table that :func:`custcore.rfm` takes. Whoever is in it is in the analysis: no purchase means zeros.",
    type="table",
)
GROUP = Option(
    "group",
    "str",
    "Column of groups: strings, integers or booleans. A group is what was assigned, not what arrived.",
    default="group",
    core="str",
    help="Column of groups in the experiment.",
    group="Experiment",
    metavar="COLUMN",
    flags=("--group-column",),
)
EXPOSED_ON = Option(
    "exposed_on",
    "str",
    "Column of the days of exposure in the experiment: dates or timestamps, also different ones. Not read with "
    "``start``.",
    default="exposed_on",
    help="Column of the days of exposure in the experiment.",
    group="Experiment",
    metavar="COLUMN",
)
START = Option(
    "start",
    "AsOf | None",
    "One day of exposure for all customers, instead of ``exposed_on``.",
    default=None,
    type="date, datetime or str",
    help="One day of exposure for all customers.",
    group="Experiment",
    metavar="DATE",
)
DAYS_AFTER = Option(
    "days_after",
    "int",
    "Length of the window after exposure, in days. The day of exposure is its first day, unless ``lag`` moves it. Take "
    "it longer than returns take: a refund counts on its own day.",
    core="int",
    help="Length of the window after exposure, in days.",
    group="Experiment",
    metavar="N",
    minimum=1,
)
DAYS_BEFORE = Option(
    "days_before",
    "int | None",
    "Length of the window before exposure, in days. Default: ``days_after``.",
    default=None,
    help="Length of the window before exposure, in days.",
    group="Experiment",
    metavar="N",
    shown_default="as --days-after",
    minimum=1,
)
LAG = Option(
    "lag",
    "int",
    "Days from exposure to the window after: 1 leaves out the day of exposure.",
    default=0,
    core="int",
    help="Days from exposure to the window after.",
    group="Experiment",
    metavar="N",
    minimum=0,
)
GAP = Option(
    "gap",
    "int",
    "Days from the window before to exposure.",
    default=0,
    core="int",
    help="Days from the window before to exposure.",
    group="Experiment",
    metavar="N",
    minimum=0,
)
CONTROL = Option(
    "control",
    "str | None",
    'The group that the others are compared with. Default: ``"control"``, if there is one.',
    default=None,
    help="The group that the others are compared with.",
    group="Experiment",
    metavar="GROUP",
    shown_default="'control'",
)
METRICS = Option(
    "metrics",
    "Sequence[str] | None",
    'What is compared, per customer in the window after: the means ``"revenue"`` and ``"orders"``; the proportions '
    '``"active"`` (an order), ``"repeat"`` (two orders) and ``"churned"`` (no order, among those with one in the '
    'window before); the ratios ``"average_order_value"`` (revenue by orders), ``"repurchase_rate"`` (repeat by '
    'active) and ``"purchase_frequency"`` (orders by active). '
    "Default: revenue, orders, active and average_order_value; without amounts orders and active.",
    default=None,
    type="sequence of str",
    help="Metrics that are compared.",
    group="Experiment",
    metavar="METRIC[,...]",
    shown_default="revenue, orders, active, average_order_value",
)
ADJUST = Option(
    "adjust",
    "str | Sequence[str] | None",
    'What the metrics are adjusted by, which makes intervals shorter and removes differences of before. ``"own"``: the '
    'same metric in the window before. ``"history"``: that, the same of all time before, the logarithms of recency and '
    "of the number of orders, and whether he had bought. Or columns of the experiment that were known before exposure. "
    "``None``: nothing.",
    default="history",
    type="str or sequence of str",
    help="What the metrics are adjusted by: history, own, none, or columns.",
    group="Experiment",
    metavar="WHAT",
)
STRATA = Option(
    "strata",
    "str | None",
    '``"segment"`` or ``"rfm_cell"`` as of the day before exposure, or a column of the experiment: groups are compared '
    "within strata, which are weighted by all their customers.",
    default=None,
    help="Strata: segment, rfm_cell, or a column of the experiment.",
    group="Experiment",
    metavar="WHAT",
)
BY = Option(
    "by",
    "str | None",
    '``"segment"`` or ``"rfm_cell"`` as of the day before exposure, or a column of the experiment: the effect in each, '
    "too.",
    default=None,
    help="The effect in each segment, rfm_cell or value of a column of the experiment, too.",
    group="Experiment",
    metavar="WHAT",
)
EVERY = Option(
    "every",
    "str | int | None",
    'Length of periods of the window after, such as ``"7d"`` or a number of days: the effect in each, too. A shorter '
    "last period is left out.",
    default=None,
    type="str or int",
    help="Length of periods of the window after, such as 7d: the effect in each, too.",
    group="Experiment",
    metavar="DAYS",
)
SCORER = Option(
    "scorer",
    "RFMScorer | None",
    "The scorer of ``segment`` and ``rfm_cell``. One that is not fitted is fitted once, on all buyers as of the day "
    "before the first exposure. Default: ``RFMScorer()``.",
    default=None,
)
MIN_STRATUM = Option(
    "min_stratum",
    "int",
    "A stratum with fewer customers of some group is joined with others.",
    default=10,
    core="int",
    help="Customers of each group that a stratum needs.",
    group="Experiment",
    metavar="N",
    minimum=1,
)
WINSORIZE = Option(
    "winsorize",
    "float | Mapping[str, float] | None",
    "Values of means above this quantile of all groups together, or above these caps by metric, count as it. The "
    "effect is then one on capped values.",
    default=None,
    type="float or dict of str to float",
    help="Quantile at which means are capped, such as 0.99.",
    group="Experiment",
    metavar="Q",
)
ALTERNATIVE = Option(
    "alternative",
    text='The alternative to no effect. ``"greater"``, ``"less"``: a one-sided p-value, and the other bound is '
    "infinite.",
    default="two-sided",
    choices=("two-sided", "greater", "less"),
    core="str",
    help="The alternative to no effect.",
    group="Experiment",
)
LEVEL = Option(
    "level",
    "float",
    "Coverage of the intervals.",
    default=0.95,
    core="float",
    help="Coverage of the intervals.",
    group="Experiment",
    metavar="SHARE",
)
CORRECTION = Option(
    "correction",
    'Literal["holm", "bh"] | None',
    'How ``p_adjusted`` accounts for several comparisons: ``"holm"`` (Holm 1979), ``"bh"`` (Benjamini and Hochberg '
    "1995) or ``None``. All metrics and groups are a family; the segments of each metric are one.",
    default="holm",
    type='{"holm", "bh"} or None',
    core="str | None",
    help="How p-values account for several comparisons: holm, bh or none.",
    group="Experiment",
    metavar="HOW",
)
PRIMARY = Option(
    "primary",
    "str | None",
    "A metric that is a family of comparisons of its own.",
    default=None,
    core="str | None",
    help="A metric that is a family of comparisons of its own.",
    group="Experiment",
    metavar="METRIC",
)
SHARES = Option(
    "shares",
    "Mapping[str, float] | None",
    "The planned share of each group, for the check of their sizes. Default: equal shares.",
    default=None,
    type="dict of str to float",
)
SEQUENTIAL = Option(
    "sequential",
    "int | None",
    "The number of customers planned: intervals and p-values are then valid at every look, however many.",
    default=None,
    help="The number of customers planned, for results that are valid at every look.",
    group="Experiment",
    metavar="N",
    minimum=1,
)
RECEIVED = Option(
    "received",
    "str | None",
    "Column of the experiment that is 1 for whoever the campaign reached, else 0, for :meth:`EffectResult.received`.",
    default=None,
    help="Column of the experiment that is 1 for whoever the campaign reached.",
    group="Experiment",
    metavar="COLUMN",
)
OTHERS = Option(
    "others",
    "Sequence[Data] | None",
    "Other experiments, with the same column of ids: the check ``overlap`` counts the customers who are in one.",
    default=None,
    type="sequence of tables",
)
MARGIN = Option(
    "margin",
    "float | None",
    "Share of revenue that is profit, the default of :meth:`EffectResult.roi`.",
    default=None,
    help="Share of revenue that is profit, for the return on the cost.",
    group="Experiment",
    metavar="SHARE",
)
COST = Option(
    "cost",
    "float | Mapping[str, float] | None",
    'The cost of each group: a fixed amount, or a dict of ``"fixed"``, ``"per_contact"`` and ``"per_order"``; the '
    "default of :meth:`EffectResult.roi`.",
    default=None,
    type="float or dict of str to float",
    help="Cost of each group; 2000, or fixed=500,per_contact=0.2.",
    group="Experiment",
    metavar="COST",
)
ON_CONFLICT = Option(
    "on_conflict",
    text="Whether a customer in several groups is left out and counted, or an error that names it.",
    default="drop",
    choices=("drop", "error"),
    core="str",
    help="Customers in several groups: leave them out and count them, or fail.",
    group="Experiment",
)
AS_OF = t.AS_OF.but(
    text="The last day that counts. Customers whose window after ends later are left out and counted. Default: the "
    "last day of the data.",
)
ON_MISSING = Option(
    "on_missing",
    text="Whether a null or NaN in the columns of a metric is an error that names its row, counts as 0, or leaves the "
    "customer out of the metric.",
    default="error",
    choices=("error", "zero", "drop"),
)

_WINDOWS = (DAYS_AFTER, DAYS_BEFORE, LAG, GAP)
_READ = (GROUP, EXPOSED_ON, START, *_WINDOWS)
_ESTIMATE = (
    MIN_STRATUM,
    WINSORIZE,
    ALTERNATIVE,
    LEVEL,
    CORRECTION,
    PRIMARY,
    SHARES,
    SEQUENTIAL,
)
_REST = (RECEIVED, OTHERS, MARGIN, COST, ON_CONFLICT, AS_OF)
OF_BASE = (*_READ, CONTROL, METRICS, ADJUST, STRATA, BY, EVERY, SCORER, *_ESTIMATE, *_REST, t.N_THREADS)
TRACKING = (
    SCORER.but(
        annotation="RFMScorer",
        text="The scorer of segments. One that is not fitted is fitted once, on all buyers as of the day before the "
        "first exposure.",
        default=REQUIRED,
    ),
    GROUP,
    EXPOSED_ON,
    START,
    DAYS_AFTER,
    LAG,
    CONTROL,
    Option(
        "target",
        "Sequence[str] | None",
        "Segments that are watched together, such as the good ones. Default: each segment by itself.",
        default=None,
        type="sequence of str",
    ),
    ON_CONFLICT,
    AS_OF,
    t.N_THREADS,
)
_ATTRIBUTES = Option(
    "attributes",
    "Sequence[str]",
    'Attributes that the base keeps as ``"first"``, which become the last columns, such as strata for '
    ":func:`effect_of`. Their values are those known the day before exposure: null for whoever had not bought. Those "
    'kept as ``"last"`` may be from after exposure, and are refused.',
    default=(),
    type="sequence of str",
)
EXPERIMENT_TABLE = (*_READ, SCORER, _ATTRIBUTES, ON_CONFLICT, AS_OF, t.N_THREADS)
_PLANNED = Option(
    "start",
    "AsOf",
    "The day on which the experiment would start: windows of the days before it are read, or of the last days of the "
    "base, if those are earlier.",
    type="date or str",
)
_LENGTHS = Option(
    "days_after",
    "int | Sequence[int]",
    "Lengths of the window after exposure, in days.",
    default=(7, 14, 28),
    type="int or sequence of int",
    help="Lengths of the window after exposure, in days.",
    group="Experiment",
    metavar="N[,...]",
)
_WHO = Option(
    "who",
    "Data | str | Sequence[str] | None",
    "Who takes part: a table with the column of ids, or the names of segments. Default: all who had bought before.",
    default=None,
    type="table, str or sequence of str",
)
_PAIR = Option(
    "shares",
    "tuple[float, float]",
    "The shares of control and treatment.",
    default=(0.5, 0.5),
    help="The shares of control and treatment.",
    group="Experiment",
    metavar="C,T",
)
_POWER = Option(
    "power",
    "float",
    "The probability that a difference which is there is found.",
    default=0.8,
    help="The probability that a difference which is there is found.",
    group="Experiment",
    metavar="SHARE",
)
_OF_PAST = ADJUST.but(text=ADJUST.text.replace(" Or columns of the experiment that were known before exposure.", ""))
PLAN = (_PLANNED, _LENGTHS, _WHO, _PAIR, _POWER, METRICS, _OF_PAST, t.N_THREADS)
AA = (
    _PLANNED.but(text="The day on which the windows start, in which nothing was tried."),
    DAYS_AFTER.but(text="Length of the window, in days."),
    Option("n", "int", "Number of comparisons.", default=1000),
    Option("seed", "int", "Seed of the halves.", default=0),
    METRICS,
    _OF_PAST,
    t.N_THREADS,
)
EFFECT = (
    *OF_BASE[:-1],
    *(option for option in t.READ if option.name not in {"n_days", "attributes", "as_of"}),
    t.N_THREADS,
    t.PROGRESS,
)
EFFECT_OF = (
    METRICS.but(
        annotation="Sequence[str | Mean | Proportion | Ratio]",
        text="What is compared: :class:`Mean`, :class:`Proportion` and :class:`Ratio` of columns; of a result of "
        ":meth:`CustomerBase.experiment_table` also names, as in :meth:`CustomerBase.effect`.",
        default=REQUIRED,
        type="sequence of metrics",
    ),
    GROUP,
    CONTROL,
    ADJUST.but(
        default=None,
        text="Columns that were known before exposure, by which the metrics are adjusted, which makes intervals "
        "shorter. What a column is from cannot be seen: one from after exposure would remove the effect, so names "
        'that end in ``_after`` are refused. For metrics by name also ``"own"`` and ``"history"``.',
    ),
    STRATA.but(text="Column of strata that were known before exposure: groups are compared within each."),
    BY.but(text="Column of segments that were known before exposure: the effect in each, too."),
    ON_MISSING,
    *_ESTIMATE,
    RECEIVED.but(text=RECEIVED.text.replace("of the experiment ", "")),
    MARGIN,
    COST,
    t.N_THREADS,
)
