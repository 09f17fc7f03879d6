"""Where the money goes: the options of ``custcore.allocate`` and ``custcore.allocate_contacts``."""

from __future__ import annotations

from custcore._options.option import Option

__all__ = ["ALLOCATE", "CONTACTS", "FIT", "SENSITIVITY", "TABLE"]

CELLS = Option(
    "cells",
    "Rows",
    "A row for each cell: a segment, or a segment in a channel. Of dicts: ``segment``, ``curve`` (a :class:`Curve`) "
    "and, if there are any, ``channel``, ``low``, ``high`` (bounds of its spend) and ``se`` (the standard error of the "
    "height of its curve; default: that of :meth:`Curve.fit`). Of a table the same columns, where ``curve`` is "
    '``"exp"`` with the columns ``a``, ``b``, or ``"hill"`` with ``a``, ``c``, ``k`` (null: 1), or ``"table"`` with '
    "``spend``, ``value``, a row for each point; without ``curve`` all are points.",
    type="list of dict, or table",
)
BUDGET = Option(
    "budget",
    "float | None",
    'The most that is spent, 0 or more. None: as much as pays; with ``objective="return"`` all cells then need an '
    "upper bound.",
    type="float or None",
    help="The most that is spent.",
    group="What counts",
    metavar="AMOUNT",
    shown_default="as much as pays",
)
OBJECTIVE = Option(
    "objective",
    text='What is maximised. ``"profit"``: what is gained less what is spent, so that money whose next unit brings '
    'less than itself is not spent. ``"return"``: what is gained.',
    default="profit",
    choices=("profit", "return"),
    help="What is maximised: what is gained less what is spent, or what is gained.",
    group="What counts",
)
LOW = Option(
    "low",
    "float | str | None",
    'Least spend of cells without a bound of their own: an amount of money, or a share of the budget such as ``"5%"``. '
    "Default: 0.",
    default=None,
    type="float or str",
    help="Least spend of a cell: an amount, or a share of the budget such as 5%.",
    group="What counts",
    metavar="AMOUNT|SHARE",
    shown_default="0",
)
HIGH = Option(
    "high",
    "float | str | None",
    "Most spend of cells without a bound of their own, as ``low``. Default: unbounded.",
    default=None,
    type="float or str",
    help="Most spend of a cell: an amount, or a share of the budget such as 25%.",
    group="What counts",
    metavar="AMOUNT|SHARE",
    shown_default="unbounded",
)
GROUP = Option(
    "group",
    'Literal["segment", "channel"] | None',
    "The column whose values ``group_budget`` names. Default: the one that has them all.",
    default=None,
    type='{"segment", "channel"}',
    choices=("segment", "channel"),
    help="The column that --group-budget names.",
    group="What counts",
    shown_default="the one that has the names",
)
GROUP_BUDGET = Option(
    "group_budget",
    "Mapping[str, float | str | None] | None",
    'The most that is spent in a group, by its name: ``{"sms": 3000, "mail": "40%"}``. Groups are segments or '
    "channels, not both: such budgets cross, which needs an LP solver.",
    default=None,
    type="dict of str to float or str",
)
ALLOCATE = (CELLS, BUDGET, OBJECTIVE, LOW, HIGH, GROUP, GROUP_BUDGET)

OPTIONS = Option(
    "options",
    "Rows",
    "A row for each way to contact the customers of a segment: ``segment``, ``channel`` (may be missing), ``cost`` "
    "and ``value`` of a customer contacted, ``customers`` in the segment (the same for all its options) and, if there "
    "is any, ``value_se``, the standard error of the value. A customer gets one option or none; two letters to one "
    "customer are an option of their own.",
    type="list of dict, or table",
)
CONTACT_BUDGET = BUDGET.but(text="The most that is spent, 0 or more. None: enough for all that gains anything.")
WHOLE = Option(
    "whole",
    "bool",
    "Whether customers are whole. The plan is then rounded down, and customers step up to better options, one by one, "
    "as long as it fits.",
    default=False,
    help="Contact whole customers only.",
    group="What counts",
)
CONTACTS = (OPTIONS, CONTACT_BUDGET, WHOLE)

TABLE = (
    Option(
        "spend",
        "Sequence[float]",
        "Spend at the measured points, ascending, each once.",
        type="sequence of float",
    ),
    Option(
        "value",
        "Sequence[float]",
        "The margin that it gained, never falling. Where the first point is at spend 0, its value is 0.",
        type="sequence of float",
    ),
)
FIT = (
    Option(
        "spend",
        "Sequence[float]",
        "Spend at the measured points, in any order.",
        type="sequence of float",
    ),
    Option(
        "value",
        "Sequence[float]",
        "The margin that it gained; noise may make it fall, or negative.",
        type="sequence of float",
    ),
    Option(
        "se",
        "Sequence[float] | None",
        "Standard errors of the values, above 0: points have the weights 1 / se². Default: equal weights, and errors "
        "estimated from the residuals.",
        default=None,
        type="sequence of float",
    ),
    Option(
        "kind",
        text='The curve: ``"exp"`` a (1 - exp(-b x)), or ``"hill"`` a x^k / (c^k + x^k).',
        default="exp",
        choices=("exp", "hill"),
    ),
    Option(
        "k",
        "float | None",
        'The steepness of ``"hill"``, which is then not fitted: for few points. Default: it is fitted.',
        default=None,
    ),
)
SENSITIVITY = (
    Option(
        "n",
        "int",
        "Number of draws, 1 to 100,000.",
        default=1000,
    ),
    Option("seed", "int", "Seed of the draws, 0 or more: the same draws for the same seed.", default=0),
)
