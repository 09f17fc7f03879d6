"""Options of ``custcore.cohort_retention``."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["COHORT", "COHORT_READ", "CORE", "OBSERVED", "PRESET", "SHAPE"]

PERIOD = Option(
    "period",
    "str",
    'Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or windows of days such as '
    '``"7d"``, which are counted from ``observation_start``, else from 1970-01-01. The k-th period of a customer is k '
    "after that of the first purchase.",
    default="month",
    core="_Period",
    help="day, week, month, quarter, year, or days: 7d.",
    group="Cohorts",
    metavar="PERIOD",
)
COHORT_PERIOD = Option(
    "cohort_period",
    "str | None",
    "Period that defines a cohort, e.g. weekly cohorts with daily columns. Default: ``period``.",
    default=None,
    core="_Period",
    help="Period that defines a cohort.",
    group="Cohorts",
    metavar="PERIOD",
    shown_default="the period",
)
PERIOD_MODE = Option(
    "period_mode",
    text='Calendar periods, or windows of fixed length (days, weeks, ``"30d"``) from each customer\'s first local '
    "date.",
    default="calendar",
    choices=("calendar", "elapsed"),
    core="str",
    help="Calendar periods, or windows from each customer's first day.",
    group="Cohorts",
)
RETURN_CRITERIA = Option(
    "return_criteria",
    text="Who counts in cell k >= 1: customers active in period k; in k or later; in any of 1 to k; in each of 1 to k. "
    "In cell 0 every member counts.",
    default="on",
    choices=("on", "on_or_after", "on_or_before", "every"),
    core="str",
    help="Active in period k, in k or later, in any of 1 to k, or in each of 1 to k.",
    group="Cohorts",
)
BRACKETS = Option(
    "brackets",
    "Iterable[int] | None",
    "``[1, 3, 7, 30]``: cells for the periods 1, 2 to 3, 4 to 7 and 8 to 30, named by their last period.",
    default=None,
    type="sequence of int",
    core="list[int] | None",
    help="Last periods of brackets, such as 1,3,7,30.",
    group="Cohorts",
)
HORIZON = Option(
    "horizon",
    "int | None",
    'With ``return_criteria="on_or_after"``: active in k to k + horizon - 1, complete when the last of these is over, '
    "so that old and young cohorts are comparable. Cell 0 is the size of the cohort and does not wait for that.",
    default=None,
    core="int | None",
    help="Periods that on_or_after looks ahead.",
    group="Cohorts",
    metavar="N",
    minimum=1,
)
COHORT_BY = Option(
    "cohort_by",
    "str",
    '``"first"``: the cohort is the period of the first purchase; customers who bought before ``observation_start`` '
    'are in no cohort. ``"first_in_window"``: the period of the first purchase from ``observation_start`` on. '
    '``"recurring"``: every period with a purchase starts a cohort that its customers are in. Any other string is a '
    "column: its value at the first purchase (ties by the smallest; null is in no cohort), with periods counted from "
    "that purchase.",
    default="first",
    core="str",
    help="first, first_in_window, recurring, or a column.",
    group="Cohorts",
    metavar="WORD|COLUMN",
)
BY = Option(
    "by",
    "str | None",
    "Split everything by this column's value at the first purchase (null is a group).",
    default=None,
    core="str | None",
    help="Split everything by this column.",
    group="Cohorts",
    metavar="COLUMN",
)
START = Option(
    "start",
    "str | None",
    "Boolean column of rows that may start a cohort. An order counts if one of its lines does; null is false. Default: "
    "every purchase.",
    default=None,
    core="str | None",
    help="Boolean column: rows that may start a cohort.",
    group="Columns",
    metavar="COLUMN",
)
RETURNING = Option(
    "returning",
    "str | None",
    "Boolean column of rows that count as coming back, as ``start``. Default: every purchase.",
    default=None,
    core="str | None",
    help="Boolean column: rows that count as coming back.",
    group="Columns",
    metavar="COLUMN",
)
MIN_OCCURRENCES = Option(
    "min_occurrences",
    "int",
    "Orders needed in a period to be active in it (not at k = 0).",
    default=1,
    core="int",
    help="Orders needed in a period to be active in it.",
    group="Cohorts",
    metavar="N",
    minimum=1,
)
WEEK_START = Option(
    "week_start",
    "str",
    "First day of the week, in English.",
    default="monday",
    core="str",
    help="First day of the week.",
    group="Time",
    metavar="DAY",
)
FISCAL_YEAR_START = Option(
    "fiscal_year_start",
    "int",
    "Month, 1 to 12, with which years and quarters begin.",
    default=1,
    core="int",
    help="Month with which years and quarters begin.",
    group="Time",
    metavar="MONTH",
    minimum=1,
    maximum=12,
)
OBSERVATION_START = Option(
    "observation_start",
    "AsOf | None",
    "Where observation begins, inclusive; a date means its 00:00. Earlier rows belong to no cell. Default: the first "
    "day in the data.",
    default=None,
    type="date, datetime or str",
    core="_Bound | None",
    help="Where observation begins.",
    group="Time",
    metavar="TIME",
    shown_default="the first day",
)
OBSERVATION_END = Option(
    "observation_end",
    "AsOf | None",
    "Where observation ends, exclusive, instead of ``as_of``; a date means its 00:00. Later rows are left out and "
    "reported.",
    default=None,
    type="date, datetime or str",
    core="_Bound | None",
    help="Where observation ends, exclusive.",
    group="Time",
    metavar="TIME",
    shown_default="after the last day",
)
N_PERIODS = Option(
    "n_periods",
    "int | None",
    "Cells 0 to n_periods - 1 for every cohort, null where not observed. Default: all that are observed.",
    default=None,
    core="int | None",
    help="Number of columns.",
    group="Cohorts",
    metavar="N",
    shown_default="all observed",
    minimum=1,
)
PRESET = Option(
    "preset",
    text="Options with which that tool counts; options given explicitly take precedence. Sources, and where a tool's "
    "windows differ (hours instead of local days), are in :mod:`custcore.presets`.",
    annotation='Literal["posthog", "mixpanel", "amplitude", "pandas"] | None',
    type='{"posthog", "mixpanel", "amplitude", "pandas"}',
    default=None,
    choices=("posthog", "mixpanel", "amplitude", "pandas"),
    help="Count as another tool does.",
    group="Cohorts",
)
RFM = Option(
    "rfm",
    "bool",
    "Whether the same scan also makes the table of :func:`custcore.rfm`, for :meth:`custcore.CohortRetention.rfm`.",
    default=False,
    core="bool",
)

# What a cohort and a period are, and who counts.
SHAPE = (PERIOD, COHORT_PERIOD, PERIOD_MODE, RETURN_CRITERIA, BRACKETS, HORIZON, COHORT_BY, BY)
MARKS = (START, RETURNING)
PERIODS = (MIN_OCCURRENCES, WEEK_START, FISCAL_YEAR_START)
BOUNDS = (OBSERVATION_START, OBSERVATION_END, N_PERIODS)
OBSERVED = (
    t.AS_OF.but(
        text="The last local day that counts, inclusive. Default: the last date among rows that have an id and a time."
    ),
    *BOUNDS,
)
COHORT_READ = (
    t.CUSTOMER_ID,
    t.TIMESTAMP,
    t.AMOUNT.but(
        annotation="str | None",
        text="Column of money. Default: money is not read, so no row is a refund and every row is a purchase.",
        default=None,
        type="",
        shown_default="no money",
    ),
    t.ORDER_ID,
)
COHORT = (
    *COHORT_READ,
    *SHAPE,
    *MARKS,
    *PERIODS,
    t.TIMEZONE,
    *OBSERVED,
    PRESET,
    RFM,
    t.RETURNS.but(
        text=t.RETURNS.text + " A refund lowers the revenue of the cell of its date and is not activity.",
    ),
    t.ZERO_IS_PURCHASE,
    t.ORDER_LINES,
    t.AMOUNT_DECIMALS,
    t.ON_NULL,
    t.ON_NONFINITE,
    t.N_THREADS,
    t.PROGRESS,
)
# The keys of the core's CohortOptions. The column of `cohort_by` is a key by itself.
COHORT_COLUMN = Option("cohort_column", core="str | None")
CORE = (*SHAPE[:-1], COHORT_COLUMN, BY, *MARKS, *PERIODS, *BOUNDS, RFM)
