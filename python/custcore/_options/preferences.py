"""Preferences, breadth, promotion sensitivity, channels and next categories: options of methods and functions."""

from __future__ import annotations

from custcore._options import measures as m
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BREADTH", "CHANNELS", "CHANNEL_PREFERENCES", "FEATURES", "OF_TRANSACTIONS", "PREFERENCES", "PROMOTION"]

AS_OF = t.AS_OF.but(
    text="The last local day that counts, inclusive; later rows do not exist. A day before the last one in the base "
    "needs ``category_days=True``. Default: the last day in the base.",
)
MEASURE = Option(
    "measure",
    text='What shares are of. ``"spend"``: of the money of a customer. ``"orders"``: of the orders with a category; an '
    "order may have several, so that shares need not sum to 1.",
    default="spend",
    choices=("spend", "orders"),
    help="Shares of money, or of orders.",
    group="What counts",
)
PRIOR_ORDERS = Option(
    "prior_orders",
    "float",
    "How many orders of an average customer are added to those of each: a customer with few orders is believed to be "
    "like all others. 0 adds none.",
    default=5,
    help="Orders of an average customer that are added to those of each.",
    group="What counts",
    metavar="N",
)
CATEGORIES = Option(
    "categories",
    "str",
    "Column of categories, departments, brands or other values of lines, of the types of attributes. Rows without a "
    "value are reported.",
)
PRIOR_ROWS = Option(
    "prior_rows",
    "float",
    "How many rows are added to those with a discount, and to those expected.",
    default=10,
)
GROUPS = Option(
    "by",
    "str | Data | None",
    "Groups, with rows of their own instead of customers: an attribute of the base, whose value at the first purchase "
    "counts (ties by the smallest; null is a group), or a table with one row per customer: the columns of customer "
    "ids, else its first column, and ``segment``. Customers who are not in the table are the group null. Default: a "
    "row for each customer.",
    default=None,
    type="str or table",
    help="Rows for each value of this attribute, not for each customer.",
    group="What counts",
    metavar="COLUMN",
    shown_default="each customer",
)
TOP = Option("top", "int", "Number of columns: the categories with the largest shares of all customers.", default=20)

PREFERENCES = (MEASURE, PRIOR_ORDERS, GROUPS, m.SEGMENT, AS_OF, t.N_THREADS)
CHANNEL_PREFERENCES = (PRIOR_ORDERS, GROUPS, m.SEGMENT, AS_OF, t.N_THREADS)
BREADTH = (PRIOR_ORDERS, AS_OF, t.N_THREADS)
PROMOTION = (PRIOR_ROWS, AS_OF, t.N_THREADS)
CHANNELS = (AS_OF, t.N_THREADS)
FEATURES = (TOP, MEASURE, PRIOR_ORDERS, AS_OF, t.N_THREADS)

# Of transactions in one call, whose base is not kept.
OF_TRANSACTIONS = (
    CATEGORIES,
    MEASURE,
    PRIOR_ORDERS,
    *(option for option in t.READ if option.name not in {"n_days", "attributes"}),
    t.N_THREADS,
    t.PROGRESS,
)
