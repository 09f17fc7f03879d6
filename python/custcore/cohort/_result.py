"""``custcore.CohortRetention``: the result of :func:`custcore.cohort_retention`, as tables, text and a triangle."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Literal

from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.cohort._definition import cohort_definition, period_name
from custcore.cohort._stored import StoredCohorts
from custcore.cohort._triangle import LEGEND, Triangle, triangle
from custcore.errors import OutOfRangeError
from custcore.result import Table
from custcore.result._exports import Exports
from custcore.result._layout import terminal_width, wrapped
from custcore.result._show import left_out

if TYPE_CHECKING:
    from custcore import _core
    from custcore.result import Report, Schema

__all__ = ["CohortRetention"]


@proposing_methods
class CohortRetention(Exports):
    """Retention by cohort and period; returned by :func:`custcore.cohort_retention`.

    It exports Arrow itself: ``pyarrow.table(result)`` is the long table, as are the frames
    and files of ``to_pandas()``, ``to_csv(path)`` and the like; ``to_xlsx(path)`` has sheets
    for the rates, the customers, the long table and the report. It can be pickled: the
    pickle holds all of its tables. Copies share the result, which never changes.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": ["a", "b", "c", "a", "c"],
    ...         "timestamp": [
    ...             datetime.date(2024, *d)
    ...             for d in ((1, 31), (1, 5), (2, 10), (3, 1), (3, 10))
    ...         ],
    ...         "amount": [10.0, 20.0, 5.0, 7.5, 5.0],
    ...     }
    ... )
    >>> cohorts = custcore.cohort_retention(orders, amount="amount")
    >>> print(cohorts)
    custcore.CohortRetention: 3 cohorts by month, 3 customers, observed from 2024-01-05 until
    before 2024-03-11
    cohort        size      0      1      2
    2024-01-01 <     2   100%   0.0%  50.0%*
    2024-02-01       1   100%  100%*
    2024-03-01       0     -*
    average            100%   0.0%
    * not over yet; < cut off at its start; - no customers; blank: not observed
    >>> cohorts.movement().to_pyarrow().select(
    ...     ["active", "new", "retained", "reactivated", "churned"]
    ... ).to_pylist()[2]
    {'active': 2, 'new': 0, 'retained': 1, 'reactivated': 1, 'churned': 0}
    """

    __slots__ = ("_core", "_notes", "_options", "_preset", "_read")

    def __init__(
        self,
        core: _core.CohortRetention | StoredCohorts,
        read: _core.ReadOptions,
        options: _core.CohortOptions,
        preset: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._core = core
        self._read = read
        self._options = options
        self._preset = preset
        self._notes = notes

    def to_table(self) -> Table:
        """The long table: one row per cohort and period, then the unattributed row.

        Returns
        -------
        Table
            The column of ``by`` if given; ``cohort`` (date32, first day of its period; for a
            cohort column its value), ``cohort_size`` (int64, customers), ``period_index``
            (int32, k; for brackets their last period), ``period_start``, ``period_end``
            (date32; the end is exclusive; null if the windows of the members differ: elapsed
            mode, cohort columns, a cohort period other than the period), ``eligible``,
            ``customers``, ``customers_open`` (int64), ``rate``, ``rate_low``, ``rate_high``
            (float64; null without eligible customers), ``orders`` (int64, orders that count as
            activity), with money ``revenue``, ``revenue_cumulative`` (like the amounts) and
            ``revenue_cumulative_per_customer`` (float64), ``is_observed``, ``is_complete``,
            ``left_truncated`` (bool; null for cohort columns).

            ``eligible`` is the size of the cohort or, if windows differ, the number of members
            whose window is over; ``customers`` counts only these, ``customers_open`` the members
            who returned in a window that is still open. All counts and sums are null if nothing
            was observed.

            The last row (of each group) has no cohort: orders and money of buyers that are not in
            a cell, because they have no cohort, are before the observation or before the first
            purchase, or beyond the last column. The notes of the report break it down.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> day = datetime.date(2024, 1, 5)
        >>> orders = pa.table(
        ...     {"customer_id": [1, 2], "timestamp": [day, day], "amount": [10.0, 2.5]}
        ... )
        >>> table = custcore.cohort_retention(orders, amount="amount").to_table().to_pyarrow()
        >>> table.select(["cohort_size", "orders", "revenue", "is_complete"]).to_pylist()
        [{'cohort_size': 2, 'orders': 2, 'revenue': 12.5, 'is_complete': False},
         {'cohort_size': None, 'orders': 0, 'revenue': 0.0, 'is_complete': None}]
        """
        return Table(self._core.cells())

    def _result(self) -> Table:
        return self.to_table()

    def _sheets(self) -> dict[str, Table]:
        return {"rate": self.matrix("rate"), "customers": self.matrix("customers"), "cells": self.to_table()}

    def matrix(self, value: str = "rate") -> Table:
        """The wide table of one column of the long one.

        Parameters
        ----------
        value : str, default "rate"
            ``"rate"``, ``"rate_low"``, ``"rate_high"``, ``"customers"``, ``"customers_open"``,
            ``"eligible"``, ``"orders"``, ``"revenue"``, ``"revenue_cumulative"``,
            ``"revenue_cumulative_per_customer"``, ``"is_observed"`` or ``"is_complete"``.

        Returns
        -------
        Table
            The column of ``by`` if given, ``cohort``, ``cohort_size``, then a column for each
            period: ``"0"``, ``"1"``, ..., or ``"2-3"`` for brackets. Null where not observed.

        Raises
        ------
        InvalidArgumentError
            If the value is unknown.
        """
        return Table(self._core.matrix(arguments.name("value", value)))

    def average(self, kind: Literal["pooled", "simple"] = "pooled") -> Table:
        """The average over cohorts, of complete cells only, including cohorts at 0 %.

        Parameters
        ----------
        kind : {"pooled", "simple"}
            Sum of customers / sum of eligible, or the mean of the rates.

        Returns
        -------
        Table
            The column of ``by`` if given, ``period_index`` (int32), ``cohorts`` (int64, cells
            included), ``eligible``, ``customers`` (int64), ``rate``, ``rate_low``,
            ``rate_high`` (float64; null without such a cell, the interval only where pooled).
        """
        return Table(self._core.average(arguments.name("kind", kind)))

    def movement(self) -> Table:
        """Customers per calendar period: new, retained, reactivated, churned.

        Returns
        -------
        Table
            The column of ``by`` if given, ``period_start``, ``period_end`` (date32, exclusive),
            ``is_complete``, and as int64 ``active``, ``new`` (first active period),
            ``retained`` (active in the period before, too), ``reactivated`` (not in that, but
            earlier) and ``churned`` (active in the period before only), so that active = active
            before - churned + new + reactivated. Activity before ``observation_start`` counts
            as earlier, unless ``cohort_by="first_in_window"``.
        """
        return Table(self._core.movement())

    def revenue_retention(self, *, reactivation: bool = False) -> Table:
        """Gross and net revenue retention per calendar period, customer by customer.

        Parameters
        ----------
        reactivation : bool, default False
            Whether the revenue of customers who come back counts in ``nrr``.

        Returns
        -------
        Table
            The column of ``by`` if given, ``period_start``, ``period_end`` (date32, exclusive),
            ``is_complete``; ``revenue_start`` (that of the period before), ``revenue_churned``,
            ``revenue_contraction``, ``revenue_expansion``, ``revenue_reactivated``,
            ``revenue_new``, ``revenue_end``, all like the amounts; then ``grr`` = (start -
            churned - contraction) / start and ``nrr`` = (start - churned - contraction +
            expansion) / start (float64; null if the start is 0). A customer's negative
            period counts as 0.

        Raises
        ------
        InvalidArgumentError
            If no amount was given.
        """
        return Table(self._core.revenue_retention(arguments.flag("reactivation", reactivation)))

    def customers(self) -> Table:
        """The cohort of every customer.

        Returns
        -------
        Table
            The id (the input's name and type), the column of ``by`` if given, ``cohort`` as in
            :meth:`to_table`, ``first_date`` (date32, local day from which periods are counted);
            by id, then cohort. Customers without a cohort have no row; in recurring cohorts a
            customer has several.
        """
        return Table(self._core.customers())

    def rfm(self) -> Table:
        """The table of :func:`custcore.rfm` from the same scan; needs ``rfm=True``.

        Raises
        ------
        InvalidArgumentError
            If the call did not have ``rfm=True``.
        """
        return Table(self._core.rfm())

    def triangle(self, *, rows: int = 16, columns: int = 12) -> Triangle:
        """Rates of the first and last cohorts in the first periods, and the pooled average.

        Parameters
        ----------
        rows, columns : int
            How many cohorts and periods at most.

        Returns
        -------
        custcore.cohort.Triangle
            Its lines, with what was observed and what is complete; ``.text()`` and ``.html()``
            render it.
        """
        shown = {name: arguments.whole(name, value) for name, value in (("rows", rows), ("columns", columns))}
        for name, value in shown.items():
            if value < 0:
                raise OutOfRangeError(f"{name}={value} is negative; expected how many to show")
        return triangle(self._core, **shown)

    @property
    def definition(self) -> str:
        """What was computed, in words.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> orders = pa.table({"customer_id": [1], "timestamp": [datetime.date(2024, 1, 5)]})
        >>> print(custcore.cohort_retention(orders).definition.split(". ")[0])
        A customer is in the cohort of the month of the first purchase
        """
        return cohort_definition(self._read, self._options, self._core.observed, self._core.timezone)

    @property
    def report(self) -> Report:
        """What was excluded and why, with notes that break down the unattributed row."""
        return Table(self._core.empty_cells())._noted(self._notes).report

    @property
    def schema(self) -> Schema:
        """Names and Arrow types of the long table."""
        return Table(self._core.empty_cells()).schema

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.cells().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._core.empty_cells().__arrow_c_schema__()

    def __repr__(self) -> str:
        width = terminal_width()
        shown = self.triangle(columns=max(12, width // 8)).within(width)
        lines = wrapped(f"custcore.CohortRetention: {self._title()}", width)
        if shown.lines:
            lines += [shown.text(), *wrapped(LEGEND, width)]
        return "\n".join([*lines, *left_out(self.report, width)])

    def _repr_html_(self) -> str:
        shown = self.triangle(rows=40, columns=40)
        parts = [f"<p>{html.escape(self._title())}</p>"]
        if shown.lines:
            parts += [shown.html(), f"<p>{html.escape(LEGEND)}</p>"]
        parts.append(f"<p>{html.escape(self.definition)}</p>")
        if any(entry.count for entry in self.report) or self._notes:
            parts.append(f"<pre>{html.escape(repr(self.report))}</pre>")
        return "".join(parts)

    def __copy__(self) -> CohortRetention:
        return CohortRetention(self._core, self._read, self._options, self._preset, self._notes)

    def __deepcopy__(self, memo: object) -> CohortRetention:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        core = self._core
        stored = core if isinstance(core, StoredCohorts) else StoredCohorts.of(core)
        return CohortRetention, (stored, self._read, self._options, self._preset, self._notes)

    def _title(self) -> str:
        core, options = self._core, self._options
        by = repr(options["cohort_column"]) if options["cohort_column"] else period_name(options["cohort_period"])
        title = f"{core.n_cohorts:,} cohorts by {by}, {core.n_customers:,} customers"
        if core.observed is not None:
            title += f", observed from {core.observed[0]} until before {core.observed[1]}"
        return title + (f", preset {self._preset!r}" if self._preset else "")
