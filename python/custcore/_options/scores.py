"""How customers are scored: the options of ``custcore.RFMScorer`` and ``custcore.QuantileScorer``."""

from __future__ import annotations

from custcore._options.option import Option

__all__ = ["BY_SCORE", "COMPARED", "IDS", "PROFILE", "QUANTILES", "SCORED", "SCORES", "SCORING", "TABLE"]

BINS = Option(
    "bins",
    "Bins",
    "Number of bins, 2 to 100: one for all, or one each for recency, frequency and monetary.",
    default=5,
    type='int, (R, F, M), or dict by "recency", "frequency", "monetary"',
    help="Scores go from 1 to this number.",
    group="Scores",
)
TIES = Option(
    "ties",
    text='``"same"``: equal values get equal scores. ``"split"``: tiles of equal size over (value, customer id), '
    "like SQL's NTILE; the id is what the table was grouped by, else its first column.",
    default="same",
    choices=("same", "split"),
    core="str",
    help="Equal values get equal scores, or bins get equal sizes.",
    group="Scores",
)
BINNING = Option(
    "binning",
    text='``"nested"`` scores F within each R score and M within each (R, F), as SPSS does.',
    default="independent",
    choices=("independent", "nested"),
    core="str",
    help="If nested, F is scored within each R, and M within each R and F.",
    group="Scores",
)
CUTS = Option(
    "cuts",
    "Cuts | None",
    "Given edges instead of quantiles. A dimension then has one more bin than cuts.",
    default=None,
    type='dict of "recency", "frequency", "monetary" to ascending values',
)
CLOSED = Option(
    "closed",
    text="Whether a value equal to one of ``cuts`` belongs to the bin below it or above it.",
    default="right",
    choices=("right", "left"),
    core="str",
)
CUTS_RULE = Option(
    "cuts_rule",
    text='How edges follow from the data. ``"type7"``: quantiles of type 7. ``"r"``: as R\'s package rfm (edges plus '
    "1, left-closed), for parity only: adding 1 is wrong for fractional money.",
    default="type7",
    choices=("type7", "r"),
    core="str",
)
BY = Option(
    "by",
    "str | None",
    "Column whose groups are scored separately.",
    default=None,
    core="str | None",
    help="Score within each group of this column.",
    group="Scores",
    metavar="COLUMN",
)
UNSEEN = Option(
    "unseen",
    text="Whether a group or nested cell that did not occur in the fit is an error, or is scored with the edges of all "
    "customers.",
    default="error",
    choices=("error", "global"),
    core="str",
    help="Groups that a saved scorer meets and its fit did not: fail, or score them by the edges of all customers.",
    group="Scores",
)
WEIGHTS = Option(
    "weights",
    "tuple[float, float, float]",
    "Weights of R, F and M in ``rfm_total``.",
    default=(100, 10, 1),
    type="(float, float, float)",
)
FREQUENCY = Option(
    "frequency",
    text="Whether F is ``n_orders``, ``n_days`` or ``n_rows``.",
    default="orders",
    choices=("orders", "days", "rows"),
    help="What F counts.",
    group="Scores",
)
MONETARY = Option(
    "monetary",
    text="Whether M is ``monetary_total`` or ``monetary_mean``.",
    default="total",
    choices=("total", "mean"),
    help="Whether M is the total, or the mean per order.",
    group="Scores",
)
SEGMENTS = Option(
    "segments",
    "Segments",
    'How segments are named. ``"auto"``: the map ``rf10`` if R and F have 5 bins, else no segments (with a remark in '
    "the report). Names of maps are those of :meth:`custcore.SegmentMap.named`; ``None``: no segments.",
    default="auto",
    type='"auto", a name, a SegmentMap or None',
    help="auto, rf10, octants, r_vignette, or none.",
    group="Scores",
    metavar="MAP",
)

IDS = Option(
    "customer_id",
    "str | Sequence[str] | None",
    'Column of customer ids, or a list of columns, that decides among equal values with ``ties="split"``. Default: '
    "what the table was grouped by, which Arrow and Parquet keep and frames do not, else its first column.",
    default=None,
    type="str or list of str",
    core="str | list[str] | None",
)

SCORING = (BINS, TIES, BINNING, CUTS, CLOSED, CUTS_RULE, BY, UNSEEN, WEIGHTS, FREQUENCY, MONETARY, SEGMENTS)
# The keys of the core's ScoreOptions.
SCORES = (TIES, BINNING, CLOSED, CUTS_RULE, BY, UNSEEN, IDS)

QUANTILES = (
    Option("columns", "Sequence[str]", "The columns to score.", type="sequence of str"),
    Option(
        "directions",
        'Mapping[str, Literal["high", "low"]] | Sequence[Literal["high", "low"]] | None',
        "Which end of each column is best. Default: high.",
        default=None,
        type='dict of str to {"high", "low"}, or sequence',
    ),
    BINS.but(
        annotation="int | Sequence[int] | Mapping[str, int]",
        text="Number of bins, 2 to 100: one for all columns, or one for each.",
        type="int, sequence of int, or dict of str to int",
    ),
    TIES.but(
        text='``"same"``: equal values get equal scores. ``"split"``: tiles of equal size over (value, id), like '
        "SQL's NTILE; the id is ``customer_id``."
    ),
    IDS,
    WEIGHTS.but(
        annotation="Sequence[float] | None",
        text="Weights of the columns in ``score_total``. Default: the result has no such column.",
        default=None,
        type="sequence of float",
    ),
)

TABLE = Option(
    "table",
    "Data",
    "The result of :func:`custcore.rfm`, or any table with ``recency_days``, ``n_orders`` and ``monetary_total`` (or "
    "the columns that ``frequency`` and ``monetary`` stand for). Without the column of money M is left out. Nulls are "
    "ignored in a fit and get null scores.",
    type="table",
)
BY_SCORE = Option("by_score", "bool", "One row for each score instead of each dimension.", default=False)
CUSTOMER = Option(
    "customer_id",
    "Id | None",
    'With ``ties="split"`` decides among equal values; a tuple for a composite key. Default: the customer counts as '
    "the first among equals.",
    default=None,
    type="int, str, bytes, UUID or tuple",
)
# What `score_one` takes of one customer.
SCORED = (
    Option("recency_days", "int", "Days since the last purchase."),
    Option("frequency", "int", "Number of orders (or what ``frequency`` stands for)."),
    Option(
        "monetary",
        "float | Decimal | None",
        "Total (or what ``monetary`` stands for); ignored when the scorer was fitted without money.",
        default=None,
        type="float, int or Decimal",
    ),
    CUSTOMER,
    Option(
        "group",
        "Group | None",
        "The customer's group, if the scorer has ``by``; of the type of that column.",
        default=None,
        type="int, str, bytes, UUID, bool, float, date or datetime",
    ),
)

PROFILE = (
    Option(
        "scored",
        "Data",
        "The result of :func:`custcore.rfm_scores`, or any table with ``recency_days``, ``n_orders`` and "
        "``monetary_total``.",
        type="table",
    ),
    Option(
        "by",
        "str",
        "Column of segments: strings, integers, or a dictionary, whose order the rows keep (segments without customers "
        "are shown with 0 customers).",
        default="segment",
    ),
    FREQUENCY,
    MONETARY,
)

COMPARED = (
    Option("before", "Data", "The first table, one row per customer.", type="table"),
    Option("after", "Data", "The second table, with columns of the same names.", type="table"),
    Option(
        "customer_id",
        "str | Sequence[str] | None",
        "Column of customer ids, or a list of columns (a composite key). Default: what the tables were grouped by, "
        "which Arrow and Parquet keep and frames do not, else the first column of ``before``.",
        default=None,
        type="str or list of str",
    ),
    Option("segment", "str", "Column of segments: strings, integers, or a dictionary of these.", default="segment"),
    Option(
        "monetary",
        "str",
        "Column of the money of each customer: floats, integers or decimals. A null amount adds 0 and is a remark in "
        "the report.",
        default="monetary_total",
    ),
)
