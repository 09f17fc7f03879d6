"""How large a test must be, and what a score is worth: the options of three functions of effects."""

from __future__ import annotations

from custcore._options.option import Option
from custcore._options.transactions import N_THREADS

__all__ = ["DETECTABLE", "SAMPLE_SIZE", "UPLIFT", "UPLIFT_TABLE"]

SD = Option(
    "sd",
    "float | None",
    "Standard deviation of a mean's values among customers, such as that of their revenue in a past window of the same "
    "length. Either this or ``rate``.",
    default=None,
)
RATE = Option(
    "rate",
    "float | None",
    "Proportion without treatment, above 0 and below 1. Either this or ``sd``.",
    default=None,
)
DIFFERENCE = Option(
    "difference",
    "float",
    "Difference of treatment and control that the test should show, in the unit of the metric, not relative; not 0. "
    "With ``rate``, ``rate + difference`` is a proportion, too, and its sign matters.",
)
RATIO = Option(
    "ratio",
    "float",
    "Treated customers per customer of the control group, above 0.",
    default=1,
)
ALPHA = Option(
    "alpha",
    "float",
    "Probability of an effect that is not there, two-sided, between 0 and 1.",
    default=0.05,
)
POWER = Option(
    "power",
    "float",
    "Probability to see an effect of this size, above ``alpha`` and below 1.",
    default=0.8,
)
N_CONTROL = Option("n_control", "int", "Customers of the control group, at least 2.")
N_TREATMENT = Option("n_treatment", "int", "Treated customers, at least 2.")
SAMPLE_SIZE = (SD, RATE, DIFFERENCE, RATIO, ALPHA, POWER)
DETECTABLE = (N_CONTROL, N_TREATMENT, SD, RATE, ALPHA, POWER)

UPLIFT_TABLE = Option(
    "table",
    "Data",
    "One row per customer of a random experiment, with score, group and outcome: any table that :func:`custcore.rfm` "
    "takes. Other columns are not used.",
    type="table",
)
UPLIFT_SCORE = Option(
    "score",
    "str",
    "Column of scores, known before treatment: numbers, higher first. They are compared as float64.",
)
UPLIFT_GROUP = Option(
    "group",
    "str",
    "Column of the assigned group, with two values. Rows with null are left out and reported.",
)
UPLIFT_OUTCOME = Option(
    "outcome",
    "str",
    "Column of the outcome after treatment: numbers, such as revenue, or booleans, which are 0 and 1.",
)
CONTROL = Option(
    "control",
    "str | None",
    'The group that was not treated, as text. Default: ``"control"``.',
    default=None,
)
MARGIN = Option(
    "margin",
    "float | None",
    "What a unit of the outcome earns, such as 0.3 of revenue. With it the best share is that of the largest net "
    "value. Default: nothing is valued.",
    default=None,
)
COST = Option(
    "cost",
    "float | None",
    "What treating a customer costs, 0 or more; needs ``margin``. Default: 0.",
    default=None,
)
UPLIFT = (UPLIFT_SCORE, UPLIFT_GROUP, UPLIFT_OUTCOME, CONTROL, MARGIN, COST, N_THREADS)
