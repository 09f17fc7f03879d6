"""Options of ``custcore.CustomerBase`` and its methods, and of ``custcore.scan``."""

from __future__ import annotations

from custcore._options import cohorts as c
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = [
    "AS_OF",
    "BASE",
    "BASES",
    "BATCH_ID",
    "CATEGORIES",
    "CATEGORY_DAYS",
    "COHORTS_OF_BASE",
    "COMMIT_EVERY",
    "TRANSITIONS",
]

CATEGORY_DAYS = Option(
    "category_days",
    "bool",
    "Whether categories and channels are kept by day, so that they are known as of past days. It needs "
    '``track="days"`` or ``"orders"``.',
    default=False,
    core="bool",
)
CATEGORIES = (
    Option(
        "categories",
        "str | None",
        "Column of categories, departments, brands or other values of lines, of the types of attributes. The orders, "
        "rows, money and last day of each customer with each value are kept: for :meth:`preferences`, :meth:`breadth` "
        "and :class:`custcore.NextCategory`. Rows without a value are reported there.",
        default=None,
        type="str",
        core="str | None",
        help="Column of categories, whose orders, rows and money are kept for each customer.",
        group="Columns",
        metavar="NAME",
    ),
    Option(
        "promotion",
        "str | None",
        "Column of discounts, with ``categories``: a line with true, or with a number above 0, has one. Rows and money "
        "with a discount are kept, too: for :meth:`promotion_sensitivity`.",
        default=None,
        type="str",
        core="str | None",
        help="Column of discounts: true, or a number above 0.",
        group="Columns",
        metavar="NAME",
    ),
    Option(
        "channel",
        "str | None",
        "Column of channels, such as stores: that of an order is the value of its earliest line, ties by the smallest. "
        "The orders of each customer through each are kept: for :meth:`channels`.",
        default=None,
        type="str",
        core="str | None",
        help="Column of channels, such as stores.",
        group="Columns",
        metavar="NAME",
    ),
    CATEGORY_DAYS,
)

BASE = (
    t.CUSTOMER_ID,
    t.TIMESTAMP,
    t.AMOUNT,
    t.ORDER_ID.but(
        text=t.ORDER_ID.text + ' It needs ``track="orders"``, or ``order_lines="adjacent"``.',
    ),
    Option(
        "track",
        text="What is kept, see above.",
        default="totals",
        choices=("totals", "days", "orders"),
        help="What is kept: totals (scores as of the last day), days (of any day), or orders (whose lines may come "
        "late).",
        group="Base",
    ),
    t.ATTRIBUTES,
    *CATEGORIES,
    t.N_DAYS.but(text="Whether :meth:`rfm` has the column ``n_days``, the number of distinct days with a purchase."),
    t.RETURNS,
    t.ZERO_IS_PURCHASE,
    t.ORDER_LINES.but(
        text='``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only consecutive lines form '
        'an order, with ``track="totals"`` or ``"days"``; such a base cannot be merged.',
    ),
    t.AMOUNT_DECIMALS,
    t.TIMEZONE,
    t.ON_NULL,
    t.ON_NONFINITE,
    Option(
        "late",
        text="Whether a line of a sealed order is an error, or left out and reported. The notes on rows, such as "
        "``null_amount``, count late lines, too.",
        default="error",
        choices=("error", "report"),
        help="Lines of sealed orders: fail, or leave them out and count them.",
        group="Base",
    ),
    Option(
        "max_memory",
        "int | str | None",
        'Bytes, or a text such as ``"4GiB"``, that the base may take in memory, with the work on it. The rest is '
        "spilled to disk, and results are computed by ranges of ids; they are the same. It is kept by :meth:`save` and "
        "by pickling. Results and the batches of the data are not counted: with what the allocator keeps, the process "
        "takes at most about 128 MiB more in an update, and 256 MiB in an analysis, in saving and loading. "
        "Default: no limit.",
        default=None,
        type="int or str",
        help="Memory of the base and the work on it, such as 4GiB; the rest is on disk.",
        group="Base",
        metavar="SIZE",
        shown_default="no limit",
    ),
    Option(
        "spill_dir",
        "str | os.PathLike[str] | None",
        "Where to create the folder of spilled data, which only this user can read and which is removed with the base. "
        "Folders of processes that were killed are removed, too. Default: the system's temporary directory.",
        default=None,
        type="str or path",
    ),
)

BATCH_ID = Option(
    "batch_id",
    "str | None",
    "A name for the data, such as their date or file. Data with the same name are refused a second time.",
    default=None,
)
COMMIT_EVERY = Option(
    "commit_every",
    text='``"update"``: all of the data are added or, after an error, none. ``"batch"``: what was read before an '
    "error or an interrupt is kept, in steps of about a million rows; for unbounded streams. It excludes "
    "``batch_id``.",
    default="update",
    choices=("update", "batch"),
)
AS_OF = t.AS_OF.but(
    text='The last day that counts. Default: the last day in the base. With ``track="days"`` or ``"orders"`` it may '
    "be any day; the result is that of :func:`custcore.rfm` with this ``as_of``.",
)

_DATES = "A date or its ISO text: a base keeps no times."
COHORTS_OF_BASE = (
    *(
        option.but(text=f'{option.text} A column must be among the attributes of the base, as ``"first"``.')
        if option.name in {"cohort_by", "by"}
        else option
        for option in c.SHAPE
    ),
    *c.PERIODS,
    *(option if option.name == "n_periods" else option.but(text=f"{option.text} {_DATES}") for option in c.OBSERVED),
    c.RFM,
    t.N_THREADS,
)

TRANSITIONS = (
    Option(
        "dates",
        "Iterable[AsOf]",
        "At least two, ascending; customers are followed from each to the next. Dates before the last one in the base "
        'need ``track="days"`` or ``"orders"``. Before the first purchase there are no customers.',
        type="list of date, datetime or str",
    ),
    Option("scorer", "RFMScorer", "A scorer with segments. It is not changed."),
    Option(
        "edges",
        text='``"frozen"``: the same edges for all dates, so that only customers move: those of a fitted scorer, or '
        'of an unfitted one fitted at the first date. ``"refit"``: the scorer is fitted at each date, so that '
        "customers also move because others do.",
        default="frozen",
        choices=("frozen", "refit"),
    ),
    t.N_THREADS,
)

BASES = Option(
    "bases",
    "Mapping[str, CustomerBase]",
    "The bases by names of your choice, which errors report. Their columns and settings may differ.",
    type="dict of str to CustomerBase",
)
