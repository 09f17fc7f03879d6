"""Who is in a segment, and who recommends us: the options of ``custcore.portrait`` and ``custcore.nps``."""

from __future__ import annotations

from custcore._options.option import Option
from custcore._options.transactions import N_THREADS

__all__ = ["NPS", "NPS_DATA", "PORTRAIT", "SEGMENTS"]

SEGMENTS = Option(
    "segments",
    "Data",
    "One row per customer, with the id and a column of segments, such as the result of :func:`custcore.rfm_scores`: "
    "any table that :func:`custcore.rfm` takes. Other columns are not used.",
    type="table",
)
ATTRIBUTES = Option(
    "attributes",
    "Attributes | None",
    "What is known of the customers: a table with the id, of which every other column is an attribute; a list of such "
    "tables; or a dict of names to tables, where the name is that of the attribute if the table has one only. "
    "A table of the id and one column in which an id occurs twice is a list of values, of which a customer may have "
    "several, as in ``long``.",
    default=None,
    type="table, list of tables, or dict of str to table",
)
LONG = Option(
    "long",
    "Attributes | None",
    "Lists of values, such as the categories that were bought: tables of the id and one column, given as "
    "``attributes``. A customer may have several values, each of which counts once, and one who is not in the list has "
    "none of them, which is known.",
    default=None,
    type="table, list of tables, or dict of str to table",
)
SEGMENT = Option(
    "segment",
    "str",
    "Column of segments: strings, integers, or a dictionary of these, whose order is kept.",
    default="segment",
    help="Column of segments.",
    group="Columns",
    metavar="COLUMN",
    flags=("--segment-column",),
)
IDS = Option(
    "customer_id",
    "str | Sequence[str] | None",
    "Column of customer ids in all tables, or a list of columns (a composite key). Default: what a table was grouped "
    "by, else the name in the table of segments, else the first column; in the table of segments ``customer_id`` if "
    "it has such a column.",
    default=None,
    type="str or list of str",
    help="Column of customer ids in all files; several form a composite key.",
    group="Columns",
    metavar="COLUMN[,...]",
    shown_default="as the files state, else 'customer_id', else the first column",
)
NULLS = Option(
    "nulls",
    text='``"drop"``: a customer without a value of an attribute is not counted for it. ``"value"``: null is a value, '
    "also of customers who are not in the table.",
    default="drop",
    choices=("drop", "value"),
    core="str",
    help="Whether customers without a value are left out, or null is a value.",
    group="What counts",
)
MIN_CUSTOMERS = Option(
    "min_customers",
    "int",
    "A value is tested in a segment where the segment has so many customers with a known value, and so many of all "
    "customers have the value.",
    default=30,
    core="int",
    help="Customers that a segment and a value need to be tested.",
    group="What counts",
    metavar="N",
    minimum=0,
)
ADJUST = Option(
    "adjust",
    text='How p-values are adjusted for the number of tests of the call. ``"bh"``: false discovery rate (Benjamini '
    'and Hochberg 1995). ``"holm"``: family-wise error rate (Holm 1979). ``"none"``: not at all.',
    default="bh",
    choices=("bh", "holm", "none"),
    core="str",
    help="How p-values are adjusted for the number of tests.",
    group="What counts",
)
ALPHA = Option(
    "alpha",
    "float",
    "Level below which an adjusted p-value makes a value a mark of its segment.",
    default=0.05,
    core="float",
    help="Level of the marks.",
    group="What counts",
    metavar="NUMBER",
)
BINS = Option(
    "bins",
    "int | Mapping[str, int | Sequence[float] | None] | None",
    "How floats and decimals become values: the number of type-7 quantile bins over all customers of segments (4: "
    "quartiles), 2 to 100, or None to count each number. A dict gives an attribute a number of bins, ascending edges, "
    "which belong to the bin below, or None; integers are in bins only if it names them.",
    default=4,
    type="int or None, or dict of str to int, sequence of numbers or None",
)
PERIOD = Option(
    "period",
    text="Calendar period by which dates and timestamps are counted. Times with a zone are read in their own.",
    default="month",
    choices=("day", "week", "month", "quarter", "year"),
    core="str",
    help="Calendar period by which dates are counted.",
    group="What counts",
)
PORTRAIT = (
    SEGMENTS,
    ATTRIBUTES,
    LONG,
    SEGMENT,
    IDS,
    NULLS,
    MIN_CUSTOMERS,
    ADJUST,
    ALPHA,
    BINS,
    PERIOD,
    N_THREADS,
)

NPS_DATA = Option(
    "data",
    "Data",
    "One row per answer: any table that :func:`custcore.rfm` takes.",
    type="table",
)
SCORE = Option(
    "score",
    "str",
    "Column of answers: whole numbers from 0 to 10, as integers, floats or decimals. Null and NaN are missing answers.",
    default="score",
    help="Column of answers, from 0 to 10.",
    group="Columns",
    metavar="COLUMN",
    flags=("--score-column",),
)
BY = Option(
    "by",
    "str | None",
    "Column of segments, each of which gets a row. Answers without a segment count in the first row only, and are "
    "reported.",
    default=None,
    help="A row for each value of this column, too.",
    group="Columns",
    metavar="COLUMN",
)
NPS_IDS = Option(
    "customer_id",
    "str | Sequence[str] | None",
    "Column of customer ids, or a list of columns (a composite key), of which each counts once. Rows with a null id "
    "are left out and reported. Default: every row counts.",
    default=None,
    type="str or list of str",
    help="Count each customer once by this column; several form a composite key.",
    group="Columns",
    metavar="COLUMN[,...]",
    shown_default="every row counts",
)
WHICH = Option(
    "which",
    text="Which answer of a customer counts. A missing one counts only if there is no other.",
    default="last",
    choices=("last", "first"),
    help="Which answer of a customer counts.",
    group="What counts",
)
NPS_TIME = Option(
    "timestamp",
    "str | None",
    "Column of dates or timestamps that orders the answers of a customer; of several at the same time the lowest "
    "counts. Rows with a null time are left out and reported. Default: the order of the rows.",
    default=None,
    help="Column of dates or timestamps that orders the answers of a customer.",
    group="Columns",
    metavar="COLUMN",
    shown_default="the order of the rows",
)
INTERVAL = Option(
    "interval",
    text='The 95 % interval. ``"adjusted"``: Wald\'s interval after 3 answers are added, 3/4 of a promoter, 3/4 of a '
    'detractor, 3/2 of a passive, so that its width is not 0 where all answer alike. ``"wald"``: nothing is added.',
    default="adjusted",
    choices=("adjusted", "wald"),
    help="How the 95 % interval is computed.",
    group="What counts",
)
NPS = (SCORE, BY, NPS_IDS, WHICH, NPS_TIME, INTERVAL, N_THREADS)
