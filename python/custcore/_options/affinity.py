"""Baskets, pairs, itemsets and rules: options of ``custcore.Baskets``, its methods, and the one-shot functions."""

from __future__ import annotations

from custcore._options import bases
from custcore._options import measures as m
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BASKETS", "ITEM", "ITEMSETS", "ONCE", "PAIRS", "PAIRS_CORE", "RULES", "UPDATE"]

ITEM = Option(
    "item",
    "str",
    "Column of items, such as products or categories: integers, strings, binary, bools, dates, timestamps, floats, or "
    "a dictionary of these. Rows with a null item are left out and reported.",
    help="Column of items, such as products or categories.",
    group="Columns",
    metavar="COLUMN",
)
BASKET = Option(
    "basket",
    'Literal["order", "day", "customer"] | None',
    'What is a basket. ``"order"``: the lines of an order id of a customer. ``"day"``: what a customer bought on a '
    'local day. ``"customer"``: all that a customer ever bought; ``order_id`` is not read then, as with ``"day"``. '
    'Default: ``"order"`` with ``order_id``, else ``"day"``.',
    default=None,
    type='{"order", "day", "customer"}',
    choices=("order", "day", "customer"),
    help="What is a basket: an order, what a customer bought on a day, or ever.",
    group="What counts",
    shown_default="order with --order-id, else day",
)
AMOUNT = t.AMOUNT.but(
    text="Column of money: floats, integers or decimals. It decides what was returned, see ``returns``. Default: "
    "every line counts.",
    default=None,
    help="Column of money: what was returned is not in a basket.",
    shown_default="every line counts",
)
ORDER_ID = t.ORDER_ID.but(
    text="Column of order ids, or a list of columns, of the same types as customer ids. A line with a null order id is "
    "an order by itself, and reported.",
    shown_default="none",
)
RETURNS = t.RETURNS.but(
    text='What an ``amount`` below 0 does. ``"net"`` and ``"exclude"``: an item is in a basket unless its lines there '
    'sum to less than 0, and an order that sums to less than 0 is none; both are reported. ``"count"``: every line '
    "puts its item into the basket.",
    help="Amounts below 0: take items and orders out (net, exclude), or count every line.",
)
MAX_BASKET = Option(
    "max_basket",
    "int | None",
    "Baskets of more distinct items are left out and reported, such as wholesale orders: one of 541 items makes "
    "146,070 pairs. Default: no limit.",
    default=None,
    help="Leave out baskets of more items.",
    group="What counts",
    metavar="N",
    shown_default="no limit",
    minimum=1,
)
ANONYMOUS = Option(
    "anonymous",
    "bool",
    'Whether orders without a customer id are baskets; for ``basket="order"``.',
    default=False,
)
READ = (
    t.CUSTOMER_ID,
    t.TIMESTAMP,
    ORDER_ID,
    AMOUNT,
    RETURNS,
    MAX_BASKET,
    ANONYMOUS,
    t.AMOUNT_DECIMALS,
    t.TIMEZONE,
    t.ON_NULL,
    t.ON_NONFINITE,
)
BASKETS = (ITEM, BASKET, *READ)
UPDATE = (bases.BATCH_ID, t.N_THREADS, t.PROGRESS)

LEAST = "A number below 1 is a share of the baskets."
MIN_ITEM_BASKETS = Option(
    "min_item_baskets",
    "float",
    f"Items in fewer baskets are in no pair. {LEAST}",
    default=5,
    type="int or float",
    core="int | float",
    help="Leave out items in fewer baskets; below 1 a share of them.",
    group="What counts",
    metavar="N",
)
MIN_PAIR_BASKETS = Option(
    "min_pair_baskets",
    "float",
    f"Pairs in fewer baskets are not listed. {LEAST}",
    default=5,
    type="int or float",
    core="int | float",
    help="Leave out pairs in fewer baskets; below 1 a share of them.",
    group="What counts",
    metavar="N",
)
MIN_BASKET = Option(
    "min_basket",
    "int",
    "Baskets of fewer distinct items are left out and reported. With 2, baskets of one item are not among "
    "``n_baskets``.",
    default=1,
    core="int",
    help="Leave out baskets of fewer items.",
    group="What counts",
    metavar="N",
    minimum=1,
)
BY = Option(
    "by",
    "Data | None",
    "Segments of customers: a table with one row per customer, the columns of customer ids, else its first column, and "
    "``segment``. Each segment has a block of rows of its own, with minimums of its own. Default: all baskets only.",
    default=None,
    type="table",
)
SEGMENT = m.SEGMENT
TEST = Option(
    "test",
    text='Where ``p_value`` comes from. ``"within"``: baskets of like size are compared (Cochran, Mantel, Haenszel). '
    '``"fisher"``: the exact test of all baskets, which takes large baskets for association.',
    default="within",
    choices=("within", "fisher"),
    core="str",
    help="Compare baskets of like size, or all (Fisher's exact test).",
    group="What counts",
)
ADJUST = Option(
    "adjust",
    text="How ``p_adjusted`` is adjusted for the number of pairs of items that are in enough baskets: Benjamini and "
    "Hochberg, Holm, or not at all.",
    default="bh",
    choices=("bh", "holm", "none"),
    core="str",
    help="Adjust p-values for the number of pairs: Benjamini-Hochberg, Holm, none.",
    group="What counts",
)
TOP = Option(
    "top",
    "int | None",
    "The most pairs that are listed, of each block those in most baskets. Default: all.",
    default=None,
    core="int | None",
    help="List so many pairs at most, those in most baskets.",
    group="What counts",
    metavar="N",
    shown_default="all",
    minimum=1,
)
_PAIRS = (MIN_ITEM_BASKETS, MIN_PAIR_BASKETS, MIN_BASKET, BY, SEGMENT, TEST, ADJUST, TOP)
PAIRS = (*_PAIRS, t.N_THREADS)
PAIRS_CORE = tuple(option for option in _PAIRS if option.core)

MIN_BASKETS = Option(
    "min_baskets",
    "float",
    f"Sets of items in fewer baskets are not listed. {LEAST}",
    default=0.01,
    type="int or float",
    help="Leave out sets of items in fewer baskets; below 1 a share of them.",
    group="What counts",
    metavar="N",
)
MAX_LEN = Option(
    "max_len",
    "int",
    "The most items of a set, 1 to 16.",
    default=4,
    help="The most items of a set.",
    group="What counts",
    metavar="N",
    minimum=1,
    maximum=16,
)
MAX_ITEMSETS = Option(
    "max_itemsets",
    "int",
    "More sets than this are an error, before memory is gone; it names the least minimum that fits.",
    default=10_000_000,
)
MIN_CONFIDENCE = Option(
    "min_confidence",
    "float",
    "Rules of a lower confidence are not listed.",
    default=0.3,
    help="Leave out rules of a lower confidence.",
    group="What counts",
    metavar="SHARE",
)
ITEMSETS = (MIN_BASKETS, MAX_LEN, MAX_ITEMSETS, t.N_THREADS)
RULES = (
    MIN_BASKETS,
    MIN_CONFIDENCE,
    MAX_LEN.but(text="The most items of a rule, antecedent and consequent together, 2 to 16.", minimum=2),
    MAX_ITEMSETS,
    t.N_THREADS,
)
# What the one-shot functions read, besides the item.
ONCE = (BASKET, *READ, t.PROGRESS)
