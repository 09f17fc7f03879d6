"""Before and after a campaign without random groups: the options of ``custcore.before_after``."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BEFORE_AFTER", "COMPARED", "CORE", "DATA", "DRAWS", "EXCLUDE", "READING", "ROI", "TREATED"]

DATA = Option(
    "data",
    "Data | CustomerBase",
    'A base of level ``"days"`` or ``"orders"``, or transactions, one row per order, or with ``order_id`` one row per '
    "order line: any table that :func:`custcore.rfm` takes.",
    type="CustomerBase, or table",
)
TREATED = Option(
    "treated",
    "Data",
    "The treated customers: a table with their ids and the day of each. A customer with several rows was treated on "
    "the earliest. Rows with a null id or date are left out and reported.",
    type="table",
    help="A file with the ids of the treated customers, and the day of each.",
    group="Files",
    metavar="FILE",
)
DAYS_AFTER = Option(
    "days_after",
    "int",
    "Length of the window after, in local days. Customers whose window is not over are left out and reported.",
    core="int",
    help="Length of the window after, in days.",
    group="Time",
    metavar="N",
    minimum=1,
)
DAYS_BEFORE = Option(
    "days_before",
    "int | None",
    "Length of the window before, which ends the day before treatment. Default: ``days_after``.",
    default=None,
    core="int",
    help="Length of the window before, in days.",
    group="Time",
    metavar="N",
    shown_default="as the window after",
    minimum=1,
)
LAG = Option(
    "lag",
    "int",
    "Days from treatment to the window after. 0: the day of treatment is its first.",
    default=0,
    core="int",
    help="Days from treatment to the window after.",
    group="Time",
    metavar="N",
    minimum=0,
)
EXPOSED_ON = Option(
    "exposed_on",
    "str",
    "Column of ``treated`` with the day of treatment: dates, or times, of which the local day counts. Up to 31 "
    "distinct days.",
    default="exposed_on",
    core="str",
    help="Column of the day of treatment.",
    group="Columns",
    metavar="COLUMN",
)
START = Option(
    "start",
    "AsOf | None",
    "One day of treatment for all, instead of ``exposed_on``.",
    default=None,
    type="date, datetime or str",
    core="_Day | None",
    help="One day of treatment for all.",
    group="Time",
    metavar="DAY",
)
BASELINE = Option(
    "baseline",
    text='What the treated are compared with by themselves, in the row ``naive``. ``"before"``: the window before. '
    '``"year_before"``: the days of the window after, a year earlier.',
    default="before",
    choices=("before", "year_before"),
    core="str",
    help="What the treated are compared with by themselves.",
    group="What counts",
)
MATCH = Option(
    "match",
    'Literal["default"] | Mapping[str, Sequence[float] | None]',
    "What controls have in common with the treated on the day before: a dict of columns to ascending upper ends of "
    "their classes, the last being open; None: each value is a class. Columns: ``recency_days``, ``tenure_days``, "
    "``n_orders``, ``monetary_total``, ``orders_before``, ``revenue_before`` (in the window before), ``m_score`` (1 "
    "to 5). "
    "*The rule by which customers were chosen must be among them.* Default: recency up to 7, 14, 30, 60, 90, 180, 365 "
    "days and above, orders and orders before 0, 1, 2-3, 4-7, 8-15, ..., and the monetary score.",
    default="default",
    type='"default" or dict of str to list of float',
    core="list[tuple[str, list[float] | None]] | None",
)
EXCLUDE = Option(
    "exclude",
    "Data | Iterable[Id]",
    "Ids that are no controls, such as those of other campaigns: a list, or a table with the columns of the ids.",
    default=(),
    type="list of ids, or table",
    help="A file with the ids of customers who are no controls.",
    group="Files",
    metavar="FILE",
)
METRICS = Option(
    "metrics",
    "Sequence[str]",
    "What is compared per customer: ``revenue`` (money, refunds on their own day), ``orders``, ``active`` (with an "
    "order), ``repeat`` (with two or more).",
    default=("revenue", "orders"),
    type="sequence of str",
    core="list[str]",
    help="What is compared: revenue, orders, active, repeat.",
    group="What counts",
    metavar="NAME[,...]",
)
AS_OF = t.AS_OF.but(
    text="The last local day that counts: windows must be over by then. Default: the last day in the data, never "
    "today.",
)
COMPARED = (DAYS_AFTER, DAYS_BEFORE, LAG, EXPOSED_ON, START, BASELINE, MATCH, EXCLUDE, METRICS, AS_OF)
# What the core takes as a dict.
CORE = (t.CUSTOMER_ID, *(option for option in COMPARED if option.core))
READING = tuple(option for option in t.READ if option.name not in {"as_of", "n_days", "attributes"})
BEFORE_AFTER = (*COMPARED, *READING, t.N_THREADS, t.PROGRESS)

N_DRAWS = Option("n", "int", "Number of draws, 1 to 100,000.", default=400)
SEED = Option("seed", "int", "Seed of the draws, 0 or more. The same seed gives the same draws.", default=0)
DRAWS = (N_DRAWS, SEED, t.N_THREADS)

MARGIN = Option("margin", "float", "Share of revenue that is profit, above 0; 1 if the amount is profit already.")
COST = Option(
    "cost",
    "float | Mapping[str, float]",
    "What the campaign cost: an amount, or a dict with ``fixed``, ``per_contact`` (for each treated customer) and "
    "``per_order`` (for each of their orders in the window after). A discount is already in revenue.",
    type="float, or dict of str to float",
)
ROI = (MARGIN, COST)
