"""How transactions are read: the options of ``custcore.rfm``, which most calls share."""

from __future__ import annotations

from custcore._options.option import Option

__all__ = ["COLUMNS", "DATA", "KEYS", "N_THREADS", "ORDERS", "PROGRESS", "READ", "RESULT", "RFM", "SORT"]

DATA = Option(
    "data",
    "Data",
    "Transactions, one row per order, or with ``order_id`` one row per order line: a table of pyarrow (also a Dataset, "
    "Scanner or ParquetFile), pandas 3, polars (also a LazyFrame), DuckDB, ibis, dask or narwhals, of which only the "
    "named columns are decoded; files opened by :func:`custcore.read`; any other object that exports "
    "Arrow, such as a RecordBatchReader; an iterable of such batches; or a dict of one-dimensional numpy arrays.",
    type="table, iterable of batches, or dict of arrays",
)
CUSTOMER_ID = Option(
    "customer_id",
    "str | Sequence[str]",
    "Column of customer ids: integers, strings, binary, or a dictionary of these. A list of columns is a composite "
    "key, which is null if a part is, and is ordered part by part; a single id of it is a tuple. Rows with a null id "
    "are left out and reported.",
    default="customer_id",
    type="str or list of str",
    core="str | list[str]",
    help="Column of customer ids; several form a composite key.",
    group="Columns",
    metavar="COLUMN[,...]",
)
TIMESTAMP = Option(
    "timestamp",
    "str",
    "Column of dates or timestamps. Rows with a null time are left out and reported.",
    default="timestamp",
    core="str",
    help="Column of dates or timestamps.",
    group="Columns",
    metavar="COLUMN",
)
AMOUNT = Option(
    "amount",
    "str | None",
    "Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is reported. "
    "``None``: money is not read, and the result has no monetary columns.",
    default="amount",
    type="str or None",
    core="str | None",
    help="Column of money.",
    group="Columns",
    metavar="COLUMN",
)
ORDER_ID = Option(
    "order_id",
    "str | Sequence[str] | None",
    "Column of order ids, or a list of columns, of the same types as customer ids. Lines with the same customer and "
    "order id form one order, whose amount is their sum and whose time is the earliest. A line with a null order id is "
    "an order by itself, and reported. Default: every row is an order.",
    default=None,
    type="str or list of str",
    core="str | list[str] | None",
    help="Column of order ids; several form a composite key.",
    group="Columns",
    metavar="COLUMN[,...]",
    shown_default="every row is an order",
)
AS_OF = Option(
    "as_of",
    "AsOf | None",
    "The last local day that counts, inclusive; later rows are left out and reported. Default: the last "
    "date among rows that have an id and a time, never today.",
    default=None,
    type="date, datetime or str",
    core="_Day | None",
    help="The last day that counts.",
    group="Time",
    metavar="DAY",
    shown_default="the last day in the data",
)
RETURNS = Option(
    "returns",
    text='How orders with a negative amount count. ``"net"``: they lower the sums and are not purchases. '
    '``"exclude"``: they are left out and reported. ``"count"``: they count like any other order. A '
    "customer who has only refunds is not a buyer.",
    default="net",
    choices=("net", "exclude", "count"),
    core="str",
    help="Orders below 0: subtract them, leave them out, or count them like any other.",
    group="What counts",
)
ZERO_IS_PURCHASE = Option(
    "zero_is_purchase",
    "bool",
    "Whether an order with amount 0 is a purchase. Orders whose amounts are all null always are.",
    default=True,
    core="bool",
)
ORDER_LINES = Option(
    "order_lines",
    text='``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only consecutive lines form an '
    "order, which needs memory per customer only.",
    default="any",
    choices=("any", "adjacent"),
    core="str",
    help="Lines of an order are anywhere, or next to each other (needs less memory).",
    group="What counts",
)
N_DAYS = Option(
    "n_days",
    "bool",
    "Whether to add the column ``n_days``, the number of distinct days with a purchase.",
    default=False,
    core="bool",
)
ATTRIBUTES = Option(
    "attributes",
    'Mapping[str, Literal["first", "last"]] | None',
    "Columns to keep per customer, each with its value at the first or at the last purchase; ties go to the smallest "
    "value. They may be integers, strings, binary, bools, dates, timestamps or floats (NaN is null); results have "
    "the same type.",
    default=None,
    type='dict of str to {"first", "last"}',
    core="list[tuple[str, str]]",
    help="More columns for the result, with the value at the last purchase (COLUMN=first: at the first).",
    group="Columns",
    metavar="COLUMN[,...]",
)
AMOUNT_DECIMALS = Option(
    "amount_decimals",
    "int",
    "Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums are then exact and independent "
    "of row order. Amounts that this changes by more than 1 %, such as those read as 0, are reported.",
    default=6,
    core="int",
)
TIMEZONE = Option(
    "timezone",
    "TimeZone | None",
    'Time zone whose local days count for times with a zone: an IANA name, an offset such as ``"+05:30"``, or a '
    "``tzinfo`` with a name or a fixed offset. Times without a zone are never shifted. Default: the column's own zone.",
    default=None,
    type="str or tzinfo",
    core="str | None",
    help="Time zone whose local days count.",
    group="Time",
    metavar="ZONE",
    shown_default="the column's own",
)
ON_NULL = Option(
    "on_null",
    text="Whether a null id, time or amount is reported, or an error that names its row.",
    default="drop",
    choices=("drop", "error"),
    core="str",
    help="Null ids, times and amounts: leave them out and count them, or fail.",
    group="What counts",
)
ON_NONFINITE = Option(
    "on_nonfinite",
    text="Whether an infinite amount is an error that names its row, or left out and reported.",
    default="error",
    choices=("error", "drop"),
    core="str",
    help="Infinite amounts: fail, or leave them out and count them.",
    group="What counts",
)
SORT = Option(
    "sort",
    "bool",
    "Whether rows are sorted by id (integers by value, strings by bytes). ``False`` leaves their order unspecified and "
    "is faster.",
    default=True,
)
N_THREADS = Option(
    "n_threads",
    "int | None",
    "Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else all available cores. Results "
    "do not depend on it.",
    default=None,
    help="Number of threads.",
    group="General",
    flags=("--threads",),
    metavar="N",
    shown_default="all cores",
    minimum=1,
)
PROGRESS = Option(
    "progress",
    "Progress | None",
    "Called on this thread as ``progress(rows_done, rows_total)`` while rows are read; the total may be ``None``.",
    default=None,
    type="callable",
)

RESULT = Option(
    "columns",
    "Sequence[str] | None",
    "Columns of the result, in this order; only what they need is computed. The columns of customer ids always come "
    "first, named or not. Default: all columns.",
    default=None,
    type="sequence of str",
)

# Options that name one column or several.
KEYS = ("customer_id", "order_id")
COLUMNS = (CUSTOMER_ID, TIMESTAMP, AMOUNT, ORDER_ID)
ORDERS = (RETURNS, ZERO_IS_PURCHASE, ORDER_LINES)
# What a scan needs to know, in the order of `custcore.rfm`.
READ = (*COLUMNS, AS_OF, *ORDERS, N_DAYS, ATTRIBUTES, AMOUNT_DECIMALS, TIMEZONE, ON_NULL, ON_NONFINITE)
RFM = (*READ, SORT, N_THREADS, PROGRESS)
