"""Options of ``custcore.measures`` and ``decomposition``, and of the methods of a base."""

from __future__ import annotations

from custcore._options import cohorts as c
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BASE_DECOMPOSITION", "BASE_MEASURES", "BY", "CORE", "DECOMPOSITION", "LAG", "MEASURES", "PERIOD"]

PERIOD = c.PERIOD.but(
    text='Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, windows of days such as '
    '``"7d"``, which are counted from 1970-01-01, or ``"all"``: all time as one row.',
    help="day, week, month, quarter, year, days: 7d, or all.",
    group="Measures",
)
PERIODS = PERIOD.but(
    text=PERIOD.text.replace(', or ``"all"``: all time as one row.', ".").replace("windows of", "or windows of"),
)
BY = Option(
    "by",
    "str | Data | None",
    "Groups, each with rows of its own: the name of a column, whose value at the first purchase counts (ties by the "
    "smallest; null is a group), or a table with one row per customer: the columns of customer ids, else its first "
    "column, and ``segment``. Customers who are not in the table are the group null. Who is new, retained or churned "
    "is so within the group. Default: all customers.",
    default=None,
    type="str or table",
    core="str | None",
    help="Rows for each value of this column.",
    group="Measures",
    metavar="COLUMN",
    shown_default="all customers",
)
SEGMENT = Option(
    "segment",
    "str",
    "The column of segments of a table ``by``.",
    default="segment",
)
LAG = Option(
    "lag",
    "int",
    "With which earlier period one is compared: 1 is the one before, 12 months the year before.",
    default=1,
    help="Compare with so many periods before: 12 months is the year before.",
    group="Measures",
    metavar="N",
    minimum=1,
)
INCLUDE_PARTIAL = Option(
    "include_partial",
    "bool",
    "Whether periods that are not complete are compared, too; they are marked in the measures.",
    default=False,
)
OF_BASE = BY.but(
    text=BY.text.replace("the name of a column, whose value", "an attribute of the base, whose value"),
)
AS_OF = t.AS_OF.but(
    text="The last local day that counts, inclusive; later rows do not exist. Default: the last day in the base.",
)
READ = (t.CUSTOMER_ID, t.TIMESTAMP, t.AMOUNT, t.ORDER_ID)
CALENDAR = (c.WEEK_START, c.FISCAL_YEAR_START)
ORDERS = (
    *CALENDAR,
    t.TIMEZONE,
    t.AS_OF,
    t.RETURNS.but(text=t.RETURNS.text + " A refund counts on its own day."),
    t.ZERO_IS_PURCHASE,
    t.ORDER_LINES,
    t.AMOUNT_DECIMALS,
    t.ON_NULL,
    t.ON_NONFINITE,
    t.N_THREADS,
    t.PROGRESS,
)
MEASURES = (*READ, PERIOD, BY, SEGMENT, *ORDERS)
DECOMPOSITION = (*READ, PERIODS, LAG, BY, INCLUDE_PARTIAL, SEGMENT, *ORDERS)
BASE_MEASURES = (PERIOD, OF_BASE, SEGMENT, *CALENDAR, AS_OF, t.N_THREADS)
BASE_DECOMPOSITION = (PERIODS, LAG, OF_BASE, INCLUDE_PARTIAL, SEGMENT, *CALENDAR, AS_OF, t.N_THREADS)
# The keys of the core's MeasuresOptions.
CORE = (PERIOD, BY, *CALENDAR, Option("decomposition", core="tuple[int, bool] | None"))
