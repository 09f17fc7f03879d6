"""Where revenue of a customer base comes from: ladder of orders, acquisition, changes, health, review of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source
from custcore._input.day_ranges import day_range
from custcore._input.proposals import proposing_methods
from custcore._rfm import RFMScorer
from custcore.base._campaigns import increments, overlap
from custcore.base._review import Review, review_of
from custcore.cohort._arguments import count, period_argument
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import Table
from custcore.value._measures_arguments import segments_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data
    from custcore._input.day_ranges import DayRange
    from custcore.base._campaigns import Campaign

__all__ = ["Growth", "scorer_argument"]


def scorer_argument(scorer: RFMScorer | None) -> RFMScorer:
    """The scorer, or that of default options."""
    if scorer is None:
        return RFMScorer()
    if not isinstance(scorer, RFMScorer):
        raise InvalidTypeError(f"scorer is {type(scorer).__name__}; expected an RFMScorer")
    return scorer


@proposing_methods
class Growth:
    """The methods of :class:`custcore.CustomerBase` for where revenue comes from."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def order_ladder(
        self,
        n: int = 5,
        by: str | Data | None = None,
        *,
        segment: str = "segment",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """Of the customers with so many orders, how many made one more, and how long it took.

        A customer who ordered for the k-th time last week had no time to order again: the
        plain share is too low where many are recent. The estimator of Kaplan and Meier (1958)
        censors the days since the k-th order. It requires ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        n : int, default 5
            Number of rows: orders from 1 to n, at most 1,000.
        by : str or table, optional
            Groups, each with rows of its own: an attribute of the base, whose value at the
            first purchase counts (ties by the smallest; null is a group), or a table with one
            row per customer: the columns of customer ids, else its first column, and
            ``segment``. Customers who are not in the table are the group null. Default: all
            customers.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. Default: the
            last day in the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each number of orders, with ``by`` of each group: the column of groups,
            ``orders`` = k (int64), ``customers`` with k orders or more, ``customers_next`` with
            k + 1 or more (int64), ``rate`` = customers_next / customers and its 95 % interval
            ``rate_low``, ``rate_high`` (Wilson), ``rate_km`` and its 95 % interval
            ``rate_km_low``, ``rate_km_high``: 1 - S after the longest time observed, by
            Kaplan-Meier and exponential Greenwood; it rests on few customers where ``customers``
            are few. ``median_days`` from the k-th order to the next one, of those who made it
            (type 7; orders of one day have 0 days between them). All are float64, and null
            without customers.

        Raises
        ------
        InvalidArgumentError
            If ``n`` is not 1 to 1,000, or a customer is twice in a table ``by``.
        StateMismatchError
            If the base keeps only totals, or does not keep the attribute ``by`` of the first
            purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> ids, amounts = ["ann", "ann", "bob", "cleo"], [10.0, 20.0, 5.0, 8.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> ladder = base.order_ladder(2)
        >>> list(ladder.select(["orders", "customers", "customers_next", "median_days"]).rows())
        [(1, 3, 1, 4.0), (2, 1, 0, None)]
        >>> [(round(row["rate"], 3), row["rate_km"]) for row in ladder]
        [(0.333, 0.5), (0.0, 0.0)]
        """
        return Table(
            _core.order_ladder(
                self._core,
                count("n", n, most=1_000),
                *self._groups(by, segment),
                as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def acquisition(
        self,
        costs: Data,
        *,
        period: str = "month",
        by: str | None = None,
        margin: float = 1.0,
        value: Data | None = None,
        n_periods: int | None = None,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """What new customers cost, what they earned, and when they had earned what they cost.

        Cohorts are the customers whose first purchase was in a period. It requires amounts, and
        ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        costs : table
            What was spent: a table with the columns ``period`` (any day of the period, as date
            or timestamp), ``cost`` (0 or more) and, with ``by``, the column of that name.
            Several rows of a period are added up.
        period : str, default "month"
            Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
            or windows of days such as ``"7d"``, which are counted from 1970-01-01.
        by : str, optional
            An attribute of the base, whose value at the first purchase is the group of a
            customer, such as a channel. Default: all customers.
        margin : float, default 1.0
            What is earned of an amount, such as 0.3. Default: the amounts are margins already.
        value : table, optional
            What a customer is worth: a table with the columns of ids, else its first column,
            and ``clv`` or ``value``, such as predictions of :mod:`custcore.clv`. The value of a
            cohort is the mean of its customers who have one; ``margin`` is not applied to it.
            Default: the margin that was observed.
        n_periods : int, optional
            The observed value is that of the first n periods, null where they are not over.
            Default: all to date.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. Default: the
            last day in the base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each period and group with new customers or costs, ascending:
            ``cohort`` (date32, the first day of the period), the column ``by``,
            ``new_customers`` (int64), ``cost``, ``cac`` = cost / new_customers (float64; null
            without a cost, and without new customers), ``margin_per_customer`` = margin x
            revenue of the cohort to date / new_customers (refunds subtracted on their day),
            ``value`` per customer (see there), ``value_to_cac`` = value / cac (null for a cac
            of 0), ``payback`` (int64): the first period k, counted from 0, by whose end margin
            x cumulative revenue was at least the cost, among periods that are over; null if
            there is none. ``observed_periods`` (int64): the last k that is over; null if not
            even the first period is.

            The report notes ``cost_without_customers`` (periods that cost money and brought
            nobody), ``customers_without_cost`` and, with ``value``, ``customers_without_value``.

        Raises
        ------
        InvalidArgumentError
            If ``margin`` is not above 0, the base has no amounts, or a customer is twice in
            ``value``.
        NullValueError, NonFiniteError, OutOfRangeError
            If a cost is null, infinite or negative, or a period is null; it names the row.
        InvalidTypeError
            If the columns of ``by`` are of different kinds; cast one.
        StateMismatchError
            If the base keeps only totals, or does not keep the attribute ``by`` of the first
            purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [datetime.date(2026, *day) for day in ((1, 5), (1, 9), (2, 3), (2, 28))]
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [10.0, 20.0, 30.0, 8.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> months = [datetime.date(2026, 1, 1), datetime.date(2026, 2, 1)]
        >>> found = base.acquisition(
        ...     pa.table({"period": months, "cost": [20.0, 9.0]}), margin=0.5
        ... )
        >>> columns = ["new_customers", "cac", "margin_per_customer", "value_to_cac", "payback"]
        >>> list(found.select(columns).rows())
        [(2, 10.0, 15.0, 1.5, 1), (1, 9.0, 4.0, 0.4444444444444444, None)]
        """
        group = arguments.optional_name("by", by)
        self._check_group(group)
        names = ["period", "cost", *([group] if group is not None else [])]
        return Table(
            _core.acquisition(
                self._core,
                as_source(costs, names),
                period=period_argument("period", period),
                by=group,
                margin=arguments.number("margin", margin),
                n_periods=None if n_periods is None else count("n_periods", n_periods),
                values=None if value is None else as_source(value),
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def change(
        self,
        before: DayRange,
        after: DayRange,
        *,
        by: str | Data | None = None,
        segment: str = "segment",
        campaigns: Sequence[Campaign] = (),
        n_threads: int | None = None,
    ) -> Table:
        """Where a change of revenue came from: who is new, came back, was lost, spent more or less.

        Every customer is in one source, and the sources add up to the change, exactly.
        :meth:`decomposition` explains the same change by orders per customer and order value.
        It requires amounts, and ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        before : str, or pair of dates
            The earlier period: a month ``"2026-08"``, a quarter ``"2026-Q3"``, a year
            ``"2026"``, or a first and a last day, both inclusive.
        after : str, or pair of dates
            The later period: a month ``"2026-08"``, a quarter ``"2026-Q3"``, a year ``"2026"``,
            or a first and a last day, both inclusive. It may not overlap the earlier one.
        by : str or table, optional
            Groups, each with rows of its own: an attribute of the base, whose value at the
            first purchase counts (ties by the smallest; null is a group), or a table with one
            row per customer: the columns of customer ids, else its first column, and
            ``segment``. Customers who are not in the table are the group null. Default: all
            customers.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        campaigns : sequence of EffectResult, default ()
            Measured effects of campaigns in the later period, whose increments of revenue
            become rows. Not with ``by``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            With ``by`` the column of groups first. ``source`` (string): ``"new"`` (first
            purchase in the later period), ``"reactivated"`` (bought in it and before it, but
            not in the earlier period), ``"lost"`` (bought in the earlier period only),
            ``"kept_up"`` and ``"kept_down"`` (bought in both, and spent as much or more, or
            less), and ``"refunds"`` where there are any (bought in neither, but got money back
            for earlier purchases). ``name`` (string; null), ``customers`` (int64), ``revenue``
            (float64, later period less earlier one), ``low``, ``high`` (null) and ``share`` =
            revenue / the change of all (float64; null where that is 0).

            With ``campaigns`` rows ``"campaign"`` follow, with ``name``, customers and the
            increment with its interval, and ``"unexplained"`` = change - sum of increments. Its
            interval takes campaigns as independent, and groups of one campaign, which share a
            control, as if they were not. Where customers may be in two campaigns at once, their
            increments do not add up: a remark says so, and the row is left out.

        Raises
        ------
        InvalidArgumentError
            If a text is no period, the periods overlap, the base has no amounts, a customer is
            twice in a table ``by``, or campaigns are given with ``by``.
        InvalidTypeError
            If one of ``campaigns`` is no measured effect.
        StateMismatchError
            If the base keeps only totals, or does not keep the attribute ``by`` of the first
            purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [datetime.date(2026, *day) for day in ((1, 5), (1, 9), (2, 3), (2, 28))]
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [10.0, 20.0, 30.0, 8.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> found = base.change("2026-01", "2026-02")
        >>> [
        ...     (row["source"], row["customers"], row["revenue"])
        ...     for row in found
        ...     if row["customers"]
        ... ]
        [('new', 1, 8.0), ('lost', 1, -20.0), ('kept_up', 1, 20.0)]
        """
        (first, of_months), (second, of_other_months) = day_range("before", before), day_range("after", after)
        added = increments(campaigns)
        group, table = self._groups(by, segment)
        return Table(
            _core.change(
                self._core,
                first,
                second,
                by=group,
                segment_table=table,
                are_calendar=of_months and of_other_months,
                campaigns=added,
                overlap=overlap(campaigns) if added else None,
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def health(
        self, as_of: AsOf | None = None, *, scorer: RFMScorer | None = None, n_threads: int | None = None
    ) -> Table:
        """What is unusual: the last complete month against limits of the months before.

        Segments are those of one scorer at the ends of all months. It requires ``track="days"``
        or ``"orders"``.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            A local day: the last month that is complete by then is judged. Default: the last
            day in the base.
        scorer : RFMScorer, optional
            The scorer that makes the segments. One that is not fitted is fitted on the buyers
            as of the last day that is scored. Default: ``RFMScorer()``.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each measure: ``area``, ``measure`` (strings), ``value`` in the month,
            ``before`` (in the month before), ``change`` = value - before, ``low``, ``high``
            (float64) and ``flag`` (bool): whether the value is outside of low to high. These
            are mean ± 2.66 x mean step between neighbours, of the up to 12 complete months
            before (XmR chart; Wheeler and Chambers 1992); null below 6 of them, and of
            ``customers``, which can only grow. A change that is not flagged is no news.

            Areas: ``"base"`` (customers, active, new, ...) and ``"value"`` (revenue, ...): the
            columns of :meth:`measures`. ``"structure"``: ``customers_share: <segment>``,
            ``revenue_share: <segment>`` (of all money so far), ``gini``, ``top_20_share`` (of
            the best 20 % of customers). ``"risk"``: ``revenue_365d: <segment>``, the revenue of
            the last 365 days of at_risk, cant_lose and about_to_sleep. ``"flows"``:
            ``entered: <segment>`` and ``left: <segment>``, customers who came from or went to
            another segment in the month.

        Raises
        ------
        InvalidTypeError
            If the scorer is no RFMScorer.
        InvalidArgumentError
            If the scorer has no segments.
        StateMismatchError
            If the base keeps only totals.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [
        ...     datetime.date(2026, month, day) for month in (1, 2, 3) for day in (1, 15, 28)
        ... ]
        >>> ids = [1, 2, 3, 1, 2, 4, 1, 5, 6]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": [10.0] * 9}))
        >>> found = base.health("2026-03-31")
        >>> [(row["value"], row["before"], row["flag"]) for row in found][2]
        (2.0, 1.0, None)
        """
        return Table(
            _core.health(
                self._core,
                as_of_argument(as_of),
                scorer_argument(scorer)._core,
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def review(
        self,
        month: str | AsOf,
        *,
        scorer: RFMScorer | None = None,
        campaigns: Sequence[Campaign] = (),
        n_threads: int | None = None,
    ) -> Review:
        """The review of a month: measures, where the change came from, moves, campaigns.

        Each part is a table of another method, as of the last day of the month. It requires
        amounts, and ``track="days"`` or ``"orders"``.

        Parameters
        ----------
        month : str or date
            The month, as ``"2026-08"`` or any of its days.
        scorer : RFMScorer, optional
            The scorer that makes the segments. One that is not fitted is fitted on the buyers
            as of the last day that is scored. Default: ``RFMScorer()``.
        campaigns : sequence of EffectResult, default ()
            Measured effects of campaigns. Those whose window ended in the month are listed, and
            become rows of the change.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Review
            Its text is a summary; its tables are attributes, see :class:`custcore.Review`.

        Raises
        ------
        InvalidArgumentError
            If the month is no month, the base has no amounts, or a campaign does not say when it
            ended.
        OutOfRangeError
            If the month is outside the years 2 to 9998.
        InvalidTypeError
            If one of ``campaigns`` is no measured effect, or the scorer is no RFMScorer.
        NotEnoughDataError
            If the base has no data in the month or before it.
        StateMismatchError
            If the base keeps only totals.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(track="days")
        >>> days = [
        ...     datetime.date(2026, month, day) for month in (1, 2, 3) for day in (1, 15, 28)
        ... ]
        >>> ids = [1, 2, 3, 1, 2, 4, 1, 5, 6]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": [10.0] * 9}))
        >>> review = base.review("2026-03")
        >>> list(review.measures.select(["which", "active", "new", "revenue"]).rows())
        [('month', 3, 2, 30.0), ('month_before', 3, 1, 30.0)]
        >>> review.change["revenue"].to_pylist()
        [20.0, 0.0, -20.0, 0.0, 0.0]
        """
        return review_of(
            self,  # type: ignore[arg-type]
            month,
            scorer_argument(scorer),
            campaigns,
            arguments.optional_whole("n_threads", n_threads),
        )

    def _groups(self, by: str | Data | None, segment: str) -> tuple[str | None, tuple[object, str] | None]:
        """An attribute, or a table of segments, for the core."""
        group = by if isinstance(by, str) else None
        self._check_group(group)
        return group, segments_argument(by, segment)

    def _check_group(self, group: str | None) -> None:
        if group is not None and [group] == arguments.key_names(self._options["customer_id"]):
            raise InvalidArgumentError(
                f"by={group!r} is the column of customer ids: every customer would be a group of one"
            )
