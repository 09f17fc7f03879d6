"""``custcore.allocate`` and ``custcore.allocate_contacts``: budgets along curves, and contacts of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing
from custcore.allocation._result import Allocation
from custcore.allocation._rows import as_rows
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore.allocation._rows import Rows

__all__ = ["allocate", "allocate_contacts"]

_OF_CELLS = ("channel", "curve", "a", "b", "c", "k", "spend", "value", "low", "high", "se")
_CROSSING = (
    "budgets of segments and of channels cross; filling by price takes those of one column. Solve both with an LP "
    "solver such as HiGHS (scipy.optimize.linprog), over the points of the curves"
)


@proposing
def allocate(
    cells: Rows,
    budget: float | None,
    *,
    objective: Literal["profit", "return"] = "profit",
    low: float | str | None = None,
    high: float | str | None = None,
    group: Literal["segment", "channel"] | None = None,
    group_budget: Mapping[str, float | str | None] | None = None,
) -> Allocation:
    """Allocate a budget to segments and channels, along their response curves.

    Every cell is filled until one more unit of money brings the same everywhere, or a bound is
    reached: the optimum for concave curves. Of others the concave hulls are filled, and
    ``gap`` says how much that may miss.

    Parameters
    ----------
    cells : list of dict, or table
        A row for each cell: a segment, or a segment in a channel. Of dicts: ``segment``,
        ``curve`` (a :class:`Curve`) and, if there are any, ``channel``, ``low``, ``high``
        (bounds of its spend) and ``se`` (the standard error of the height of its curve;
        default: that of :meth:`Curve.fit`). Of a table the same columns, where ``curve`` is
        ``"exp"`` with the columns ``a``, ``b``, or ``"hill"`` with ``a``, ``c``, ``k``
        (null: 1), or ``"table"`` with ``spend``, ``value``, a row for each point; without
        ``curve`` all are points.
    budget : float or None
        The most that is spent, 0 or more. None: as much as pays; with
        ``objective="return"`` all cells then need an upper bound.
    objective : {"profit", "return"}, default "profit"
        What is maximised. ``"profit"``: what is gained less what is spent, so that money
        whose next unit brings less than itself is not spent. ``"return"``: what is gained.
    low : float or str, optional
        Least spend of cells without a bound of their own: an amount of money, or a share of
        the budget such as ``"5%"``. Default: 0.
    high : float or str, optional
        Most spend of cells without a bound of their own, as ``low``. Default: unbounded.
    group : {"segment", "channel"}, optional
        The column whose values ``group_budget`` names. Default: the one that has them all.
    group_budget : dict of str to float or str, optional
        The most that is spent in a group, by its name: ``{"sms": 3000, "mail": "40%"}``.
        Groups are segments or channels, not both: such budgets cross, which needs an LP
        solver.

    Returns
    -------
    Allocation
        ``.table()``, ``.price``, ``.value``, ``.unspent``, ``.gap``, ``.frontier(budgets)`` and
        ``.sensitivity(n, seed)``.

    Raises
    ------
    InvalidArgumentError
        If lower bounds sum to more than the budget, or a bound, a name of a group or a
        parameter is invalid; it names the cell. If a cell is given twice, or budgets cross.
    ColumnNotFoundError, InvalidTypeError, NullValueError
        If a column is missing, of another type, or null where a value is needed.

    Notes
    -----
    With λ the price of money a cell gets the spend at which its slope is λ, within its bounds;
    λ is where the sum of spends is the budget (the conditions of Karush, Kuhn and Tucker).
    Groups with a budget get prices of their own, and a cell is filled to the larger one. Money
    left at a slope that several straight pieces have goes to them in order. Exact to 1e-12 of
    the budget.

    Examples
    --------
    >>> import custcore
    >>> cells = [
    ...     {"segment": "loyal", "curve": custcore.Curve.exp(a=50_000, b=1 / 8_000)},
    ...     {"segment": "at_risk", "curve": custcore.Curve.exp(a=30_000, b=1 / 3_000)},
    ...     {"segment": "new", "curve": custcore.Curve.exp(5_000, 1 / 500), "high": 600},
    ... ]
    >>> plan = custcore.allocate(cells, 12_000)
    >>> [round(spend) for spend in plan.table()["spend"]], round(plan.price, 2)
    ([7265, 4135, 600], 2.52)
    >>> round(custcore.allocate(cells, 40_000).unspent)
    17832
    """
    return Allocation(
        _core.allocate(
            as_rows(cells, ("segment",), _OF_CELLS),
            _budget(budget),
            objective=arguments.name("objective", objective),
            low=low,
            high=high,
            group=_group(group),
            group_budget=_group_budget(group_budget),
        )
    )


@proposing
def allocate_contacts(options: Rows, budget: float | None, *, whole: bool = False) -> Allocation:
    """Allocate a budget to contacts: which customers of which segment get which option.

    Customers of a segment step up along the concave hull of cost and value of its options, by
    what a unit of money brings, until the budget is spent. That is the optimum where fractions
    of customers are allowed. Give values less the cost to stop where a contact costs more than
    it brings.

    Parameters
    ----------
    options : list of dict, or table
        A row for each way to contact the customers of a segment: ``segment``, ``channel``
        (may be missing), ``cost`` and ``value`` of a customer contacted, ``customers`` in
        the segment (the same for all its options) and, if there is any, ``value_se``, the
        standard error of the value. A customer gets one option or none; two letters to one
        customer are an option of their own.
    budget : float or None
        The most that is spent, 0 or more. None: enough for all that gains anything.
    whole : bool, default False
        Whether customers are whole. The plan is then rounded down, and customers step up to
        better options, one by one, as long as it fits.

    Returns
    -------
    Allocation
        ``.table()`` with the customers contacted, and the rest as of :func:`allocate`.

    Raises
    ------
    InvalidArgumentError
        If options of a segment differ in its number of customers, an option is given twice, or
        a number is negative where it must not be; it names the option.
    ColumnNotFoundError, InvalidTypeError, NullValueError
        If a column is missing, of another type, or null where a value is needed.

    Notes
    -----
    The linear relaxation of the multiple-choice knapsack problem (Sinha & Zoltners 1979). Of
    equal steps the one to the cheaper option comes first, then the one in the earlier row.

    Examples
    --------
    >>> import custcore
    >>> options = [
    ...     {
    ...         "segment": "loyal",
    ...         "channel": "call",
    ...         "cost": 5.0,
    ...         "value": 9.0,
    ...         "customers": 800,
    ...     },
    ...     {
    ...         "segment": "loyal",
    ...         "channel": "mail",
    ...         "cost": 0.8,
    ...         "value": 4.0,
    ...         "customers": 800,
    ...     },
    ...     {
    ...         "segment": "new",
    ...         "channel": "mail",
    ...         "cost": 0.8,
    ...         "value": 1.9,
    ...         "customers": 900,
    ...     },
    ... ]
    >>> plan = custcore.allocate_contacts(options, 1_780)
    >>> plan.table()["customers"].to_pylist(), plan.value
    ([100.0, 700.0, 900.0], 5410.0)
    """
    return Allocation(
        _core.allocate_contacts(
            as_rows(options, ("segment", "cost", "value", "customers"), ("channel", "value_se")),
            _budget(budget),
            whole=arguments.flag("whole", whole),
        )
    )


def _budget(budget: object) -> float | None:
    return None if budget is None else arguments.number("budget", budget)


def _group(group: object) -> str | None:
    if isinstance(group, list | tuple):
        raise InvalidArgumentError(f"group={group!r} names several columns; {_CROSSING}")
    return arguments.optional_name("group", group)


def _group_budget(given: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    """The budgets of groups, by name."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise InvalidTypeError(
            f"group_budget={given!r} is {type(given).__name__}; expected a dict such as {{'sms': 3000, 'mail': '40%'}}"
        )
    if any(isinstance(most, Mapping) for most in given.values()):
        raise InvalidArgumentError(f"group_budget={given!r} has dicts of several columns; {_CROSSING}")
    return [(arguments.name("a name in group_budget", name), most) for name, most in given.items() if most is not None]
