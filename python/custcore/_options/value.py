"""Options of value classes and demand classes: ``custcore.abc`` and the methods of a base."""

from __future__ import annotations

from custcore._options import cohorts as c
from custcore._options import transactions as t
from custcore._options.bases import AS_OF
from custcore._options.option import Option

__all__ = ["ABC", "ABC_CORE", "ABC_XYZ", "CLASSES", "OF_DAY", "OF_PERIODS", "POINTS", "TOP", "XYZ", "XYZ_CORE"]

BY = Option(
    "by",
    text='``"value"``: a class ends at a share of the value. ``"customers"``: at a share of the customers.',
    default="value",
    choices=("value", "customers"),
    core="str",
    help="Whether classes end at shares of the value or of the customers.",
    group="Classes",
)
THRESHOLDS = Option(
    "thresholds",
    "Sequence[float] | None",
    "Ascending shares between 0 and 1: n of them make n + 1 classes, A, B, ... Default: 0.80 and 0.95 of the value, "
    "0.20 and 0.50 of the customers.",
    default=None,
    type="sequence of float",
    core="list[float] | None",
    help="Where classes end, as shares.",
    group="Classes",
    metavar="N,N,...",
    shown_default="0.8,0.95 of value, 0.2,0.5 of customers",
)
RULE = Option(
    "rule",
    text='``"before"``: a customer is in A while the share of those *before* is below the first threshold, so the one '
    'who crosses it is in A. ``"upto"``: while the share *including* the customer is at most the threshold; then one '
    "dominant customer leaves A empty, with a remark.",
    default="before",
    choices=("before", "upto"),
    core="str",
    help="Whether the customer who crosses a threshold is above it (before) or below (upto).",
    group="Classes",
)
TIES = Option(
    "ties",
    text='``"split"``: customers of equal value may be in different classes, in the order of ids. ``"same"``: all of '
    "them are in the class of the first.",
    default="split",
    choices=("split", "same"),
    core="str",
    help="Whether a class may end between equal values.",
    group="Classes",
)
GROUP = Option(
    "group",
    "str | None",
    "Column whose values are classed each by itself: an attribute that the base keeps, or a column of a composite "
    "key. Null is a group.",
    default=None,
    type="str",
    core="str | None",
    help="Column whose values are classed each by itself.",
    group="Classes",
    metavar="COLUMN",
)
POINTS = Option("points", "int", "Number of points after the first, at equal shares of the customers.", default=200)
TOP = Option(
    "top",
    "Sequence[float]",
    "Shares of the customers, above 0 and up to 1.",
    default=(0.01, 0.05, 0.1, 0.2, 0.5),
    type="sequence of float",
)
PERIOD = c.PERIOD.but(
    text='Calendar period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or windows of days such as '
    '``"7d"``, which are counted from 1970-01-01.',
)
DEMAND_THRESHOLDS = Option(
    "thresholds",
    "tuple[float, float]",
    "The largest coefficients of variation of X and of Y.",
    default=(0.5, 1.0),
    type="(float, float)",
    core="tuple[float, float]",
)
MIN_PERIODS = Option(
    "min_periods",
    "int",
    "Customers with fewer complete periods have no class.",
    default=3,
    core="int",
)

CLASSES = (BY, THRESHOLDS, RULE, TIES, GROUP)
ABC_CORE = CLASSES
XYZ_CORE = (PERIOD, DEMAND_THRESHOLDS, MIN_PERIODS, c.WEEK_START, c.FISCAL_YEAR_START)
AMOUNT = t.AMOUNT.but(
    annotation="str",
    text="Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is reported.",
    type="",
)
GROUP_OF_DATA = GROUP.but(
    text="Column whose values are classed each by itself: a column of a composite key, or any other, by its value at "
    "the first purchase (ties by the smallest). Null is a group.",
)
# What `custcore.abc` takes: its own options, and those of reading.
ABC = (
    *CLASSES[:-1],
    GROUP_OF_DATA,
    *(
        AMOUNT if option is t.AMOUNT else option
        for option in t.RFM
        if option.name not in {"n_days", "attributes", "sort"}
    ),
)
# Of a base; the options that follow the star.
OF_DAY = (AS_OF, t.N_THREADS)
XYZ = (PERIOD, DEMAND_THRESHOLDS, MIN_PERIODS)
OF_PERIODS = (c.WEEK_START, c.FISCAL_YEAR_START, *OF_DAY)
ABC_XYZ = (
    *CLASSES[:-1],
    PERIOD,
    DEMAND_THRESHOLDS.but(name="demand_thresholds"),
    MIN_PERIODS,
    *OF_PERIODS,
)
