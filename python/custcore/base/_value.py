"""Value classes and demand classes of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.cohort._arguments import count
from custcore.result import Table
from custcore.value._classes import abc_options, shares, xyz_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf

__all__ = ["ValueClasses"]


@proposing_methods
class ValueClasses:
    """The methods of :class:`custcore.CustomerBase` that rank customers by their money."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def abc(
        self,
        by: Literal["value", "customers"] = "value",
        thresholds: Sequence[float] | None = None,
        rule: Literal["before", "upto"] = "before",
        ties: Literal["split", "same"] = "split",
        group: str | None = None,
        *,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """The value class of every buyer, with the columns of :func:`custcore.abc`.

        Parameters
        ----------
        by : {"value", "customers"}, default "value"
            ``"value"``: a class ends at a share of the value. ``"customers"``: at a share of
            the customers.
        thresholds : sequence of float, optional
            Ascending shares between 0 and 1: n of them make n + 1 classes, A, B, ... Default:
            0.80 and 0.95 of the value, 0.20 and 0.50 of the customers.
        rule : {"before", "upto"}, default "before"
            ``"before"``: a customer is in A while the share of those *before* is below the
            first threshold, so the one who crosses it is in A. ``"upto"``: while the share
            *including* the customer is at most the threshold; then one dominant customer leaves
            A empty, with a remark.
        ties : {"split", "same"}, default "split"
            ``"split"``: customers of equal value may be in different classes, in the order of
            ids. ``"same"``: all of them are in the class of the first.
        group : str, optional
            Column whose values are classed each by itself: an attribute that the base keeps, or
            a column of a composite key. Null is a group.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per buyer, by ``monetary_total`` descending, then by id; with ``group``, by
            group ascending first, null last. The columns and the report are those of
            :func:`custcore.abc`.

        Raises
        ------
        InvalidArgumentError
            If thresholds do not ascend, or are not between 0 and 1.
        StateMismatchError
            If the base keeps no money or not this group, or ``as_of`` is before the last day in
            a base of level ``"totals"``.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(customer_id="product", attributes={"kind": "first"})
        >>> base.update(
        ...     pa.table(
        ...         {
        ...             "product": ["pen", "ink", "cup", "mug"],
        ...             "kind": ["desk", "desk", "bar", "bar"],
        ...             "timestamp": [datetime.date(2026, 1, 5)] * 4,
        ...             "amount": [90.0, 10.0, 1.0, 1.0],
        ...         }
        ...     )
        ... )
        >>> for row in base.abc(group="kind").to_pyarrow().to_pylist():
        ...     print(*row.values())
        cup bar 1.0 1 0.5 A
        mug bar 1.0 2 1.0 A
        pen desk 90.0 1 0.9 A
        ink desk 10.0 2 1.0 B
        """
        options = abc_options(by, thresholds, rule, ties, group, self._options["customer_id"])
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(_core.abc(self._core, as_of_argument(as_of), options, n_threads=threads))

    def pareto(self, points: int = 200, *, as_of: AsOf | None = None, n_threads: int | None = None) -> Table:
        """The Pareto curve: the share of the value that the best customers have.

        Parameters
        ----------
        points : int, default 200
            Number of points after the first, at equal shares of the customers.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each point, ``rank`` ceil(k n / points) of n buyers, k from 0 to
            ``points``; every rank if there are no more buyers: ``rank`` (int64, number of best
            customers), ``customers_share`` and ``value_share`` (float64; null where the whole is
            0) and ``value`` (their money, in the type of ``monetary_total``; a negative total
            counts as 0).

        Raises
        ------
        InvalidArgumentError
            If ``points`` is below 1.
        StateMismatchError
            If the base keeps no money, or ``as_of`` is too early for its level.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase()
        >>> days = [datetime.date(2026, 1, 5)] * 4
        >>> amounts = [10.0, 60.0, 25.0, 5.0]
        >>> base.update(
        ...     pa.table({"customer_id": [1, 2, 3, 4], "timestamp": days, "amount": amounts})
        ... )
        >>> base.pareto(2).to_pyarrow().to_pydict()
        {'rank': [0, 2, 4], 'customers_share': [0.0, 0.5, 1.0],
         'value_share': [0.0, 0.85, 1.0], 'value': [0.0, 85.0, 100.0]}
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        number = count("points", points)
        return Table(_core.pareto(self._core, as_of_argument(as_of), number, n_threads=threads))

    def concentration(
        self,
        top: Sequence[float] = (0.01, 0.05, 0.1, 0.2, 0.5),
        *,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """How concentrated the value is: the shares of the best customers, and the Gini coefficient.

        Parameters
        ----------
        top : sequence of float, default (0.01, 0.05, 0.1, 0.2, 0.5)
            Shares of the customers, above 0 and up to 1.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each of ``top``, in their order: ``top`` (float64), ``customers``
            (int64, ceil(top n) of n buyers), ``customers_share``, ``value_share`` (float64; null
            where the whole is 0), ``value`` (their money, in the type of ``monetary_total``) and
            ``gini`` (float64, the same in all rows): sum of (2 i - n - 1) v_i over values
            ascending, divided by n times their sum; 0 where all have the same. It has no
            correction n / (n - 1). A negative total has value 0.

        Raises
        ------
        InvalidArgumentError
            If one of ``top`` is not above 0 and up to 1.
        StateMismatchError
            If the base keeps no money, or ``as_of`` is too early for its level.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase()
        >>> days = [datetime.date(2026, 1, 5)] * 4
        >>> amounts = [10.0, 60.0, 25.0, 5.0]
        >>> base.update(
        ...     pa.table({"customer_id": [1, 2, 3, 4], "timestamp": days, "amount": amounts})
        ... )
        >>> base.concentration([0.5]).to_pyarrow().to_pylist()
        [{'top': 0.5, 'customers': 2, 'customers_share': 0.5, 'value_share': 0.85,
          'value': 85.0, 'gini': 0.45}]
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(_core.concentration(self._core, as_of_argument(as_of), shares("top", top), n_threads=threads))

    def xyz(
        self,
        period: str = "month",
        thresholds: tuple[float, float] = (0.5, 1.0),
        min_periods: int = 3,
        *,
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """The demand class of every buyer: how regular the revenue is from period to period.

        It is a rule for products (``customer_id="stock_code"``): few customers buy so often
        that their months are alike. Requires level "days" or "orders".

        Parameters
        ----------
        period : str, default "month"
            Calendar period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or
            windows of days such as ``"7d"``, which are counted from 1970-01-01.
        thresholds : (float, float), default (0.5, 1.0)
            The largest coefficients of variation of X and of Y.
        min_periods : int, default 3
            Customers with fewer complete periods have no class.
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per buyer, ascending by id: the id, ``n_periods`` (int32, periods from that
            of the first purchase, the whole of it, to the last one that is over, empty ones
            too), ``period_mean`` (float64, net revenue of a period; null without periods),
            ``cv`` (float64, population standard deviation / mean; null for fewer than
            ``min_periods`` or a mean of 0 or less) and ``demand_class``: "X" up to the first
            threshold, "Y" up to the second, "Z" above or where the mean is 0 or less; null for
            fewer than ``min_periods``. The report also has ``incomplete_period`` (revenue of the
            period that is not over) and ``before_first_period`` (refunds before the period of
            the first purchase).

        Raises
        ------
        InvalidArgumentError
            If thresholds do not ascend, or an option is out of range.
        StateMismatchError
            If the base keeps only totals, or no money.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(customer_id="product", track="days")
        >>> days = [datetime.date(2026, month, 28) for month in (1, 2, 3, 1, 2, 3)]
        >>> products, amounts = ["ink"] * 3 + ["cup"] * 3, [5.0, 6.0, 5.0, 1.0, 20.0, 1.0]
        >>> base.update(pa.table({"product": products, "timestamp": days, "amount": amounts}))
        >>> for row in base.xyz(as_of="2026-03-31").to_pyarrow().to_pylist():
        ...     print(
        ...         row["product"], row["n_periods"], round(row["cv"], 3), row["demand_class"]
        ...     )
        cup 3 1.221 Z
        ink 3 0.088 X
        """
        options = xyz_options(period, thresholds, min_periods, week_start, fiscal_year_start)
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(_core.xyz(self._core, as_of_argument(as_of), options, n_threads=threads))

    def abc_xyz(
        self,
        *,
        by: Literal["value", "customers"] = "value",
        thresholds: Sequence[float] | None = None,
        rule: Literal["before", "upto"] = "before",
        ties: Literal["split", "same"] = "split",
        period: str = "month",
        demand_thresholds: tuple[float, float] = (0.5, 1.0),
        min_periods: int = 3,
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """Value classes by demand classes: what is worth much, and whether it is regular.

        Requires level "days" or "orders".

        Parameters
        ----------
        by : {"value", "customers"}, default "value"
            ``"value"``: a class ends at a share of the value. ``"customers"``: at a share of
            the customers.
        thresholds : sequence of float, optional
            Ascending shares between 0 and 1: n of them make n + 1 classes, A, B, ... Default:
            0.80 and 0.95 of the value, 0.20 and 0.50 of the customers.
        rule : {"before", "upto"}, default "before"
            ``"before"``: a customer is in A while the share of those *before* is below the
            first threshold, so the one who crosses it is in A. ``"upto"``: while the share
            *including* the customer is at most the threshold; then one dominant customer leaves
            A empty, with a remark.
        ties : {"split", "same"}, default "split"
            ``"split"``: customers of equal value may be in different classes, in the order of
            ids. ``"same"``: all of them are in the class of the first.
        period : str, default "month"
            Calendar period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or
            windows of days such as ``"7d"``, which are counted from 1970-01-01.
        demand_thresholds : (float, float), default (0.5, 1.0)
            The largest coefficients of variation of X and of Y.
        min_periods : int, default 3
            Customers with fewer complete periods have no class.
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each pair, all nine of them for A, B, C: ``value_class``,
            ``demand_class`` (dictionaries), ``customers`` (int64), ``revenue`` (their
            ``monetary_total``), ``customers_share`` and ``revenue_share`` (float64, of all rows;
            null where the whole is 0). Customers without a demand class are in the report, as
            ``no_demand_class``.

        Raises
        ------
        InvalidArgumentError
            If thresholds do not ascend, or an option is out of range.
        StateMismatchError
            If the base keeps only totals, or no money.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(customer_id="product", track="days")
        >>> days = [datetime.date(2026, month, 28) for month in (1, 2, 3, 1, 2, 3)]
        >>> products, amounts = ["ink"] * 3 + ["cup"] * 3, [5.0, 6.0, 5.0, 1.0, 20.0, 1.0]
        >>> base.update(pa.table({"product": products, "timestamp": days, "amount": amounts}))
        >>> for row in base.abc_xyz(as_of="2026-03-31").to_pyarrow().to_pylist():
        ...     if row["customers"]:
        ...         print(row["value_class"], row["demand_class"], row["revenue"])
        A X 16.0
        A Z 22.0
        """
        value = abc_options(by, thresholds, rule, ties, None)
        demand = xyz_options(
            period, demand_thresholds, min_periods, week_start, fiscal_year_start, argument="demand_thresholds"
        )
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(_core.abc_xyz(self._core, as_of_argument(as_of), value, demand, n_threads=threads))
