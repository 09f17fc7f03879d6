"""``custcore.Allocation``: a plan for a budget, and what other budgets would bring."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.allocation._curve import Curve, _numbers
from custcore.errors import OutOfRangeError
from custcore.result import Table
from custcore.result._exports import Exports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore import _core
    from custcore.result import Report

__all__ = ["Allocation"]


@proposing_methods
class Allocation(Exports):
    """A plan: what :func:`custcore.allocate` and :func:`custcore.allocate_contacts` return.

    It exports Arrow itself: ``pyarrow.table(plan)`` is :meth:`table`, as are the frames and
    files of ``to_pandas()``, ``to_csv(path)`` and the like; ``to_xlsx(path)`` has sheets for
    the plan and the frontier. It can be pickled.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Allocation) -> None:
        self._core = core

    def table(self) -> Table:
        """The plan: a row for each cell or option, in the order given.

        Returns
        -------
        Table
            ``segment``, ``channel`` (string; null without one), ``spend``, ``value`` (float64,
            money: what is spent, and what that gains), ``marginal`` (float64: what one more unit
            of money brings there; of contacts, spent on stepping up to the option, null where that
            never pays), ``at`` (string: ``"none"`` without spend; ``"low"``, ``"high"`` at a bound,
            or at the end of a table of points, or where all customers have the option;
            ``"inside"``), ``customers`` (float64: contacted; null for cells).
        """
        return Table(self._core.table())

    @property
    def price(self) -> float:
        """What one more unit of money would bring.

        With ``objective="profit"`` 1 where money is left because more would bring less than
        itself; 0 where no more can be spent. Where the budget ends just where a slope ends, as
        with tables of points, the slope of the last unit spent.
        """
        return self._core.price

    @property
    def value(self) -> float:
        """What the plan gains."""
        return self._core.value

    @property
    def spend(self) -> float:
        """What the plan spends."""
        return self._core.spend

    @property
    def unspent(self) -> float | None:
        """What is left of the budget; None without one."""
        return self._core.unspent

    @property
    def gap(self) -> float:
        """By how much at most another plan could gain more.

        Above 0 for curves that are not concave: what is filled is their concave hull, and at most
        one cell (and one of each group with a budget) ends below it. With ``whole=True`` what
        fractions of customers would gain. Else 0: the plan is optimal.
        """
        return self._core.gap

    @property
    def group_prices(self) -> dict[str, float]:
        """What one more unit of money in each group with a budget would bring; 0 where it is not used up.

        A cell is filled down to the larger of this and :attr:`price`.
        """
        return dict(self._core.group_prices)

    def frontier(self, budgets: Sequence[float] | None = None) -> Table:
        """What each budget would bring, under the same bounds and the same objective.

        Bounds and budgets of groups that are shares of the budget change with it.

        Parameters
        ----------
        budgets : sequence of float, optional
            Budgets, 0 or more. Default: 21, from the least that the lower bounds allow to twice
            the budget of the plan.

        Returns
        -------
        Table
            ``budget``, ``value``, ``price``, ``roi`` (float64): what is gained, what one more
            unit of money would bring, and (value - spend) / spend (null without spend).

        Raises
        ------
        InvalidArgumentError
            If a budget is negative, or below the sum of the lower bounds.

        Examples
        --------
        >>> import custcore
        >>> cells = [{"segment": "new", "curve": custcore.Curve.exp(a=5_000, b=1 / 500)}]
        >>> plan = custcore.allocate(cells, 1_000, objective="return")
        >>> [round(price, 2) for price in plan.frontier([0, 500, 1_000])["price"]]
        [10.0, 3.68, 1.35]
        """
        return Table(self._core.frontier(None if budgets is None else _numbers("budgets", budgets)))

    def sensitivity(self, n: int = 1000, seed: int = 0) -> Table:
        """How much the plan depends on estimates: draws of them, each solved.

        Heights of curves, and values of contacts, are drawn from normal distributions with
        their standard errors, not below 0. Use effects that are shrunk: the best-looking
        segment is otherwise over-estimated.

        Parameters
        ----------
        n : int, default 1000
            Number of draws, 1 to 100,000.
        seed : int, default 0
            Seed of the draws, 0 or more: the same draws for the same seed.

        Returns
        -------
        Table
            ``segment``, ``channel``, ``spend`` of the plan, ``spend_median``, ``spend_low``,
            ``spend_high`` (the median and the 5 % and 95 % quantiles over the draws, type 7),
            ``funded_share`` (float64: of draws in which it gets money). The metadata entry
            ``custcore.regret`` is :meth:`regret`.

        Raises
        ------
        InvalidArgumentError
            If no row has a standard error.

        Examples
        --------
        >>> import custcore
        >>> curve = custcore.Curve.exp(a=5_000, b=1 / 500)
        >>> cells = [{"segment": name, "curve": curve, "se": 800} for name in ("new", "loyal")]
        >>> found = custcore.allocate(cells, 1_000).sensitivity()
        >>> found["funded_share"].to_pylist()
        [1.0, 1.0]
        """
        return Table(self._core.sensitivity(_draws(n), _seed(seed)))

    def regret(self, n: int = 1000, seed: int = 0) -> float:
        """The mean over draws of what the best plan of a draw gains more than this plan in it.

        What better estimates could bring at most. Draws are those of :meth:`sensitivity`; with
        ``objective="profit"`` gains are less what is spent.

        Parameters
        ----------
        n : int, default 1000
            Number of draws, 1 to 100,000.
        seed : int, default 0
            Seed of the draws, 0 or more: the same draws for the same seed.
        """
        return float(self.sensitivity(n, seed).metadata["custcore.regret"])

    @property
    def report(self) -> Report:
        """Remarks on the plan."""
        return self.table().report

    def _result(self) -> Table:
        return self.table()

    def _sheets(self) -> dict[str, Table]:
        return {"plan": self.table(), "frontier": self.frontier()}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.table().__arrow_c_schema__()

    def __copy__(self) -> Allocation:
        return self

    def __deepcopy__(self, memo: object) -> Allocation:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Allocation._restored, (self._core.budget, *self._core.arguments(Curve))

    @staticmethod
    def _restored(budget: float | None, rows: list[dict[str, Any]], settings: dict[str, Any]) -> Allocation:
        from custcore.allocation._allocate import allocate, allocate_contacts

        if "whole" in settings:
            return allocate_contacts(rows, budget, **settings)
        return allocate(rows, budget, **settings)

    def _text(self) -> str:
        of = "" if self._core.budget is None else f" of {self._core.budget:,.2f}"
        gap = f" (at most {self.gap:,.2f} below the best plan)" if self.gap else ""
        return (
            f"custcore.Allocation: {self.spend:,.2f}{of} spent, {self.value:,.2f} gained{gap}; one more unit of money "
            f"would bring {self.price:,.4g}"
        )

    def __repr__(self) -> str:
        return f"{self._text()}\n{self.table()!r}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._text())}</p>{self.table()._repr_html_()}"


def _draws(n: object) -> int:
    draws = arguments.whole("n", n)
    if draws < 1:
        raise OutOfRangeError(f"n={draws} is outside 1 to 100000; expected a number of draws")
    return draws


def _seed(seed: object) -> int:
    found = arguments.whole("seed", seed)
    if found < 0:
        raise OutOfRangeError(f"seed={found} is negative; expected an integer, 0 or more")
    return found
