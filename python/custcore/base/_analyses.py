"""Analyses of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.base._transitions import stays, transitions
from custcore.cohort import CohortRetention
from custcore.cohort._arguments import cohort_options
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custcore import _core
    from custcore._core import ReadOptions
    from custcore._input.data import AsOf
    from custcore._rfm import RFMScorer

__all__ = ["Analyses"]


@proposing_methods
class Analyses:
    """The methods of :class:`custcore.CustomerBase` that compute a result and do not change the base."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def rfm(
        self,
        as_of: AsOf | None = None,
        *,
        columns: Sequence[str] | None = None,
        sort: bool = True,
        n_threads: int | None = None,
    ) -> Table:
        """The RFM table of the base, with the columns of :func:`custcore.rfm`.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day; the result is that of :func:`custcore.rfm` with
            this ``as_of``.
        columns : sequence of str, optional
            Columns of the result, in this order; only what they need is computed. The columns
            of customer ids always come first, named or not. Default: all columns.
        sort : bool, default True
            Whether rows are sorted by id (integers by value, strings by bytes). ``False``
            leaves their order unspecified and is faster.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Raises
        ------
        StateMismatchError
            If ``as_of`` is before the last day in a base of level ``"totals"``.
        InvalidArgumentError
            If ``columns`` names one that the result does not have, or one twice.
        """
        return Table(
            self._core.rfm(
                as_of_argument(as_of),
                columns=arguments.optional_names("columns", columns),
                sort=arguments.flag("sort", sort),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def cohort_retention(
        self,
        *,
        period: str = "month",
        cohort_period: str | None = None,
        period_mode: Literal["calendar", "elapsed"] = "calendar",
        return_criteria: Literal["on", "on_or_after", "on_or_before", "every"] = "on",
        brackets: Iterable[int] | None = None,
        horizon: int | None = None,
        cohort_by: str = "first",
        by: str | None = None,
        min_occurrences: int = 1,
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        observation_start: AsOf | None = None,
        observation_end: AsOf | None = None,
        n_periods: int | None = None,
        rfm: bool = False,
        n_threads: int | None = None,
    ) -> CohortRetention:
        """Cohort retention of the base, as :func:`custcore.cohort_retention` of all its rows.

        Requires level "days" or "orders".

        Parameters
        ----------
        period : str, default "month"
            Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
            or windows of days such as ``"7d"``, which are counted from ``observation_start``,
            else from 1970-01-01. The k-th period of a customer is k after that of the first
            purchase.
        cohort_period : str, optional
            Period that defines a cohort, e.g. weekly cohorts with daily columns. Default:
            ``period``.
        period_mode : {"calendar", "elapsed"}, default "calendar"
            Calendar periods, or windows of fixed length (days, weeks, ``"30d"``) from each
            customer's first local date.
        return_criteria : {"on", "on_or_after", "on_or_before", "every"}, default "on"
            Who counts in cell k >= 1: customers active in period k; in k or later; in any of 1
            to k; in each of 1 to k. In cell 0 every member counts.
        brackets : sequence of int, optional
            ``[1, 3, 7, 30]``: cells for the periods 1, 2 to 3, 4 to 7 and 8 to 30, named by
            their last period.
        horizon : int, optional
            With ``return_criteria="on_or_after"``: active in k to k + horizon - 1, complete
            when the last of these is over, so that old and young cohorts are comparable. Cell 0
            is the size of the cohort and does not wait for that.
        cohort_by : str, default "first"
            ``"first"``: the cohort is the period of the first purchase; customers who bought
            before ``observation_start`` are in no cohort. ``"first_in_window"``: the period of
            the first purchase from ``observation_start`` on. ``"recurring"``: every period with
            a purchase starts a cohort that its customers are in. Any other string is a column:
            its value at the first purchase (ties by the smallest; null is in no cohort), with
            periods counted from that purchase. A column must be among the attributes of the
            base, as ``"first"``.
        by : str, optional
            Split everything by this column's value at the first purchase (null is a group). A
            column must be among the attributes of the base, as ``"first"``.
        min_occurrences : int, default 1
            Orders needed in a period to be active in it (not at k = 0).
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive. Default: the last date among rows that
            have an id and a time. A date or its ISO text: a base keeps no times.
        observation_start : date, datetime or str, optional
            Where observation begins, inclusive; a date means its 00:00. Earlier rows belong to
            no cell. Default: the first day in the data. A date or its ISO text: a base keeps no
            times.
        observation_end : date, datetime or str, optional
            Where observation ends, exclusive, instead of ``as_of``; a date means its 00:00.
            Later rows are left out and reported. A date or its ISO text: a base keeps no times.
        n_periods : int, optional
            Cells 0 to n_periods - 1 for every cohort, null where not observed. Default: all
            that are observed.
        rfm : bool, default False
            Whether the same scan also makes the table of :func:`custcore.rfm`, for
            :meth:`custcore.CohortRetention.rfm`.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        CohortRetention
            As from :func:`custcore.cohort_retention`. Where the report counts orders that are in no
            cell, the refunds of a customer on one day are one order: a base keeps days.

        Raises
        ------
        StateMismatchError
            If the base keeps only totals, or does not keep a requested column.
        """
        options = cohort_options(
            customer_id=self._options["customer_id"],
            as_of=as_of,
            period=period,
            cohort_period=cohort_period,
            period_mode=period_mode,
            return_criteria=return_criteria,
            brackets=brackets,
            horizon=horizon,
            cohort_by=cohort_by,
            by=by,
            start=None,
            returning=None,
            min_occurrences=min_occurrences,
            week_start=week_start,
            fiscal_year_start=fiscal_year_start,
            observation_start=observation_start,
            observation_end=observation_end,
            n_periods=n_periods,
            rfm=rfm,
        )
        threads = arguments.optional_whole("n_threads", n_threads)
        day = as_of_argument(as_of)
        read: ReadOptions = {**self._options, "as_of": day}
        return CohortRetention(self._core.cohort_retention(options, day, n_threads=threads), read, options, None)

    def transitions(
        self,
        dates: Iterable[AsOf],
        scorer: RFMScorer,
        *,
        edges: Literal["frozen", "refit"] = "frozen",
        n_threads: int | None = None,
    ) -> Table:
        """How customers move between segments from date to date, e.g. for a Sankey diagram.

        Buyers, orders and money at a date are those of :meth:`rfm` as of that date. Customers
        and revenue of the rows of one ``to_date`` add up to the customers and the money of that
        table.

        Parameters
        ----------
        dates : list of date, datetime or str
            At least two, ascending; customers are followed from each to the next. Dates before
            the last one in the base need ``track="days"`` or ``"orders"``. Before the first
            purchase there are no customers.
        scorer : RFMScorer
            A scorer with segments. It is not changed.
        edges : {"frozen", "refit"}, default "frozen"
            ``"frozen"``: the same edges for all dates, so that only customers move: those of a
            fitted scorer, or of an unfitted one fitted at the first date. ``"refit"``: the
            scorer is fitted at each date, so that customers also move because others do.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each pair of segments that has customers: ``from_date``, ``to_date``
            (date32), ``from_segment`` (null: no buyer yet), ``to_segment``, ``customers``
            (int64), ``revenue`` (the money that these customers have spent by ``to_date``, in
            the type of ``monetary_total``; omitted without an amount column), ``share``
            (float64: of all customers in ``from_segment`` at ``from_date``; of all new customers
            for null) and ``scorer`` ("frozen" or "refit"). Rows are ordered by dates, then by the
            segments in the order of their map, null first. The report is that of the last date.
            If later lines turn an order into a refund, a customer can be a buyer at one date and
            not at the next: such customers are not in any row, and a remark counts them.

        Raises
        ------
        InvalidArgumentError
            If there are fewer than two dates, they do not ascend, or the scorer has no segments.
        StateMismatchError
            If a date is too early for the level of the base.
        NotEnoughDataError
            If the scorer is not fitted and there are no purchases by the first date.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> days = [
        ...     datetime.date(2026, month, day)
        ...     for month, day in ((1, 20), (1, 28), (2, 25), (2, 27))
        ... ]
        >>> base = custcore.CustomerBase(track="days")
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [5.0, 7.5, 20.0, 1.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> awake = custcore.SegmentMap([("awake", 2, None), ("asleep", 1, None)], bins=(2, 2))
        >>> scorer = custcore.RFMScorer(
        ...     cuts={"recency": [14], "frequency": [1]}, segments=awake
        ... )
        >>> moves = base.transitions(["2026-01-31", "2026-02-28"], scorer).to_pandas()
        >>> moves[["from_segment", "to_segment", "customers", "revenue", "share"]].astype(
        ...     object
        ... ).values.tolist()
        [[nan, 'awake', 1, 1.0, 1.0], ['awake', 'awake', 1, 25.0, 0.5],
         ['awake', 'asleep', 1, 7.5, 0.5]]
        """
        return transitions(self._core, dates, scorer, edges, n_threads)

    def stays(
        self,
        dates: Iterable[AsOf],
        scorer: RFMScorer,
        *,
        edges: Literal["frozen", "refit"] = "frozen",
        n_threads: int | None = None,
    ) -> Table:
        """The time that customers spend in each segment, observed on given dates.

        A spell begins at the first date at which a customer is in the segment (a spell that is
        open at the first of all dates may have begun earlier) and ends at the first later date
        at which they are not. Its length is the number of days between the two; a spell that is
        open at the last date is censored there. Closer dates give more precise lengths.

        Parameters
        ----------
        dates : list of date, datetime or str
            At least two, ascending; customers are followed from each to the next. Dates before
            the last one in the base need ``track="days"`` or ``"orders"``. Before the first
            purchase there are no customers.
        scorer : RFMScorer
            A scorer with segments. It is not changed.
        edges : {"frozen", "refit"}, default "frozen"
            ``"frozen"``: the same edges for all dates, so that only customers move: those of a
            fitted scorer, or of an unfitted one fitted at the first date. ``"refit"``: the
            scorer is fitted at each date, so that customers also move because others do.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each segment of the map, also without customers:
            ``segment``, ``customers`` (distinct customers in it at any of the dates),
            ``spells``, ``ended``, ``open`` (int64), ``mean_days`` and ``median_days`` (float64)
            of the Kaplan-Meier curve of lengths. The mean is restricted to the longest spell,
            ended or open; null if no spell spans two dates. The median is the shortest length
            at which the curve is at most 1/2; null if it stays above.
            The report is that of the last date.

        Raises
        ------
        InvalidArgumentError
            If there are fewer than two dates, they do not ascend, or the scorer has no segments.
        StateMismatchError
            If a date is too early for the level of the base.
        NotEnoughDataError
            If the scorer is not fitted and there are no purchases by the first date.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> days = [
        ...     datetime.date(2026, month, day)
        ...     for month, day in ((1, 20), (1, 28), (2, 25), (2, 27))
        ... ]
        >>> base = custcore.CustomerBase(track="days")
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [5.0, 7.5, 20.0, 1.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> awake = custcore.SegmentMap([("awake", 2, None), ("asleep", 1, None)], bins=(2, 2))
        >>> scorer = custcore.RFMScorer(
        ...     cuts={"recency": [14], "frequency": [1]}, segments=awake
        ... )
        >>> stays = base.stays(["2026-01-31", "2026-02-28", "2026-03-31"], scorer)
        >>> stays.to_pyarrow().select(
        ...     ["segment", "spells", "ended", "mean_days", "median_days"]
        ... ).to_pylist()
        [{'segment': 'awake', 'spells': 3, 'ended': 3, 'mean_days': 39.333333333333336,
          'median_days': 31.0},
         {'segment': 'asleep', 'spells': 3, 'ended': 0, 'mean_days': 31.0, 'median_days': None}]
        """
        return stays(self._core, dates, scorer, edges, n_threads)
