"""Measures per period of a customer base, and their decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.result import Table
from custcore.value._measures_arguments import decomposition_argument, measures_options, segments_argument

if TYPE_CHECKING:
    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data

__all__ = ["BaseMeasures"]


@proposing_methods
class BaseMeasures:
    """The methods of :class:`custcore.CustomerBase` for measures per period."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def measures(
        self,
        period: str = "month",
        by: str | Data | None = None,
        *,
        segment: str = "segment",
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """The numbers of every period: customers, orders, revenue, and the rates made of them.

        They are those of :func:`custcore.measures` for all rows of the base, which must keep
        days: ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        period : str, default "month"
            Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
            windows of days such as ``"7d"``, which are counted from 1970-01-01, or ``"all"``:
            all time as one row.
        by : str or table, optional
            Groups, each with rows of its own: an attribute of the base, whose value at the
            first purchase counts (ties by the smallest; null is a group), or a table with one
            row per customer: the columns of customer ids, else its first column, and
            ``segment``. Customers who are not in the table are the group null. Who is new,
            retained or churned is so within the group. Default: all customers.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. Default: the
            last day in the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The columns of :func:`custcore.measures`.

        Raises
        ------
        InvalidArgumentError
            If an option is out of range, or a customer is twice in a table ``by``.
        OutOfRangeError
            If there would be more than 50 million rows.
        StateMismatchError
            If the base keeps only totals, or does not keep the attribute ``by`` of the first
            purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days", attributes={"country": "first"})
        >>> days = [datetime.date(2026, *day) for day in ((1, 5), (1, 9), (2, 3))]
        >>> ids, countries = ["ann", "bob", "ann"], ["DE", "FR", "DE"]
        >>> amounts = [10.0, 20.0, 12.0]
        >>> base.update(
        ...     pa.table(
        ...         {
        ...             "customer_id": ids,
        ...             "timestamp": days,
        ...             "amount": amounts,
        ...             "country": countries,
        ...         }
        ...     )
        ... )
        >>> found = base.measures(by="country")
        >>> list(found.select(["country", "active", "churned", "revenue"]).rows())
        [('DE', 1, 0, 10.0), ('DE', 1, 0, 12.0), ('FR', 1, 0, 20.0), ('FR', 0, 1, 0.0)]
        """
        return self._measures(period, by, segment, week_start, fiscal_year_start, as_of, n_threads)

    def decomposition(
        self,
        period: str = "month",
        lag: int = 1,
        by: str | Data | None = None,
        *,
        include_partial: bool = False,
        segment: str = "segment",
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """What a change of revenue consists of: customers, orders per customer, order value, refunds.

        The result is that of :func:`custcore.decomposition` for all rows of the base, which
        must keep days: ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        period : str, default "month"
            Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
            or windows of days such as ``"7d"``, which are counted from 1970-01-01.
        lag : int, default 1
            With which earlier period one is compared: 1 is the one before, 12 months the year
            before.
        by : str or table, optional
            Groups, each with rows of its own: an attribute of the base, whose value at the
            first purchase counts (ties by the smallest; null is a group), or a table with one
            row per customer: the columns of customer ids, else its first column, and
            ``segment``. Customers who are not in the table are the group null. Who is new,
            retained or churned is so within the group. Default: all customers.
        include_partial : bool, default False
            Whether periods that are not complete are compared, too; they are marked in the
            measures.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. Default: the
            last day in the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The columns of :func:`custcore.decomposition`.

        Raises
        ------
        InvalidArgumentError
            If an option is out of range, the base has no amounts, or a customer is twice in a
            table ``by``.
        OutOfRangeError
            If there would be more than 50 million rows.
        StateMismatchError
            If the base keeps only totals, or does not keep the attribute ``by`` of the first
            purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [datetime.date(2026, *day) for day in ((1, 5), (2, 9), (2, 28))]
        >>> ids, amounts = ["ann", "ann", "bob"], [10.0, 20.0, 20.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> found = base.decomposition()
        >>> list(found.select(["change", "customers_effect", "order_value_effect"]).rows())
        [(30.0, 15.0, 15.0)]
        """
        compared = decomposition_argument(lag, include_partial)
        return self._measures(period, by, segment, week_start, fiscal_year_start, as_of, n_threads, compared)

    def _measures(
        self,
        period: str,
        by: str | Data | None,
        segment: str,
        week_start: str,
        fiscal_year_start: int,
        as_of: AsOf | None,
        n_threads: int | None,
        decomposition: tuple[int, bool] | None = None,
    ) -> Table:
        options = measures_options(
            customer_id=self._options["customer_id"],
            period=period,
            by=by,
            week_start=week_start,
            fiscal_year_start=fiscal_year_start,
            decomposition=decomposition,
        )
        threads = arguments.optional_whole("n_threads", n_threads)
        segments = segments_argument(by, segment)
        return Table(_core.base_measures(self._core, options, segments, as_of_argument(as_of), n_threads=threads))
