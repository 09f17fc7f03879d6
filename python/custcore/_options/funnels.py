"""Funnels, what new customers cost, changes of revenue, the health of a base: options of functions and of methods."""

from __future__ import annotations

from custcore._options import cohorts as c
from custcore._options import measures as m
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["ACQUISITION", "CHANGE", "EVENTS", "FUNNEL", "FUNNEL_STEPS", "HEALTH", "LADDER", "MONTH", "REVIEW"]

EVENTS = Option(
    "data",
    "Data",
    "Events, one row each: any table that :func:`custcore.rfm` takes.",
    type="table",
)
STEPS = Option(
    "steps",
    "Sequence[str]",
    "The names of the events that are steps, 2 to 100 of them.",
    type="sequence of str",
    help="The names of the events that are steps, in their order.",
    group="What counts",
    metavar="A,B,C",
)
WINDOW = Option(
    "window",
    "Duration",
    'How long after the start a step counts, inclusive: days, a ``timedelta``, or a text such as ``"3d"``, ``"12h"``, '
    '``"30min"`` (units w, d, h, min, s).',
    type="float, timedelta or str",
    help="How long after the start a step counts: 3d, 12h, 30min.",
    group="What counts",
    metavar="LENGTH",
)
EVENT = Option(
    "event",
    "str",
    "Column of the names of events: strings, a dictionary of them, or values that are compared as text. Rows with a "
    "null name are left out and reported, and so are events that are no step.",
    default="event",
    help="Column of the names of events.",
    group="Columns",
    metavar="COLUMN",
)
BY = Option(
    "by",
    "str | None",
    "Column of groups, each with rows of its own. A customer is in the group of the start that counts; null is a "
    "group, the last one. Default: all customers.",
    default=None,
    help="Rows for each value of this column at the start.",
    group="Columns",
    metavar="COLUMN",
    shown_default="all customers",
)
STRICT = Option(
    "strict",
    "bool",
    "Whether a step must be later than the one before. By default it may be at the same time, as days or seconds of a "
    "log often are.",
    default=False,
)
ORDER = Option(
    "order",
    text='``"ordered"``: steps are taken as listed, whatever happens between them. ``"any"``: a start is an event of '
    "any step, and a row is the number of different steps taken; ``name`` is null.",
    default="ordered",
    choices=("ordered", "any"),
    help="Steps as listed, or in any order.",
    group="What counts",
)
OBSERVATION_END = c.OBSERVATION_END.but(
    text="The first moment that was not observed; events from then on are left out and reported. A date is its 00:00, "
    "in the zone of the column. Default: the end of the last day with an event.",
    group="Time",
    help="The first moment that was not observed.",
    shown_default="the end of the last day",
)
FUNNEL = (
    t.CUSTOMER_ID,
    t.TIMESTAMP,
    EVENT,
    BY,
    STRICT,
    ORDER,
    OBSERVATION_END,
    t.N_THREADS,
)
FUNNEL_STEPS = (STEPS, WINDOW)

GROUPS = m.OF_BASE.but(
    text=m.OF_BASE.text.replace(" Who is new, retained or churned is so within the group.", ""),
)
LADDER = (
    Option("n", "int", "Number of rows: orders from 1 to n, at most 1,000.", default=5),
    GROUPS,
    m.SEGMENT,
    m.AS_OF,
    t.N_THREADS,
)
COSTS = Option(
    "costs",
    "Data",
    "What was spent: a table with the columns ``period`` (any day of the period, as date or timestamp), ``cost`` (0 or "
    "more) and, with ``by``, the column of that name. Several rows of a period are added up.",
    type="table",
)
MARGIN = Option(
    "margin",
    "float",
    "What is earned of an amount, such as 0.3. Default: the amounts are margins already.",
    default=1.0,
)
VALUE = Option(
    "value",
    "Data | None",
    "What a customer is worth: a table with the columns of ids, else its first column, and ``clv`` or ``value``, such "
    "as predictions of :mod:`custcore.clv`. The value of a cohort is the mean of its customers who have one; "
    "``margin`` is not applied to it. Default: the margin that was observed.",
    default=None,
    type="table",
)
N_PERIODS = Option(
    "n_periods",
    "int | None",
    "The observed value is that of the first n periods, null where they are not over. Default: all to date.",
    default=None,
)
ATTRIBUTE = Option(
    "by",
    "str | None",
    "An attribute of the base, whose value at the first purchase is the group of a customer, such as a channel. "
    "Default: all customers.",
    default=None,
)
PERIOD = c.PERIOD.but(
    text='Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or windows of days such '
    'as ``"7d"``, which are counted from 1970-01-01.',
)
ACQUISITION = (COSTS, PERIOD, ATTRIBUTE, MARGIN, VALUE, N_PERIODS, m.AS_OF, t.N_THREADS)

PERIOD_TEXT = (
    'a month ``"2026-08"``, a quarter ``"2026-Q3"``, a year ``"2026"``, or a first and a last day, both inclusive.'
)
BEFORE = Option(
    "before",
    "DayRange",
    f"The earlier period: {PERIOD_TEXT}",
    type="str, or pair of dates",
)
AFTER = Option(
    "after",
    "DayRange",
    f"The later period: {PERIOD_TEXT} It may not overlap the earlier one.",
    type="str, or pair of dates",
)
CAMPAIGNS = Option(
    "campaigns",
    "Sequence[Campaign]",
    "Measured effects of campaigns in the later period, whose increments of revenue become rows. Not with ``by``.",
    default=(),
    type="sequence of EffectResult",
)
CHANGE = (BEFORE, AFTER, GROUPS, m.SEGMENT, CAMPAIGNS, t.N_THREADS)
SCORER = Option(
    "scorer",
    "RFMScorer | None",
    "The scorer that makes the segments. One that is not fitted is fitted on the buyers as of the last day that is "
    "scored. Default: ``RFMScorer()``.",
    default=None,
    type="RFMScorer",
)
HEALTH_DAY = Option(
    "as_of",
    "AsOf | None",
    "A local day: the last month that is complete by then is judged. Default: the last day in the base.",
    default=None,
    type="date, datetime or str",
)
HEALTH = (HEALTH_DAY, SCORER, t.N_THREADS)
MONTH = Option(
    "month",
    "str | AsOf",
    'The month, as ``"2026-08"`` or any of its days.',
    type="str or date",
    help="The month, such as 2026-08.",
    group="Time",
    metavar="MONTH",
    shown_default="the last that is over",
)
REVIEW = (
    MONTH,
    SCORER,
    CAMPAIGNS.but(
        text="Measured effects of campaigns. Those whose window ended in the month are listed, and become rows of the "
        "change.",
    ),
    t.N_THREADS,
)
