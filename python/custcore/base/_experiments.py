"""Experiments on the customers of a base: methods of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.experiments._arguments import (
    effect_request,
    experiment_arguments,
    experiment_source,
    scorer_argument,
)
from custcore.experiments._definition import definition_of
from custcore.experiments._result import EffectResult
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data
    from custcore._rfm import RFMScorer

__all__ = ["Experiments"]


@proposing_methods
class Experiments:
    """The methods of :class:`custcore.CustomerBase` on experiments."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def effect(
        self,
        experiment: Data,
        *,
        group: str = "group",
        exposed_on: str = "exposed_on",
        start: AsOf | None = None,
        days_after: int,
        days_before: int | None = None,
        lag: int = 0,
        gap: int = 0,
        control: str | None = None,
        metrics: Sequence[str] | None = None,
        adjust: str | Sequence[str] | None = "history",
        strata: str | None = None,
        by: str | None = None,
        every: str | int | None = None,
        scorer: RFMScorer | None = None,
        min_stratum: int = 10,
        winsorize: float | Mapping[str, float] | None = None,
        alternative: Literal["two-sided", "greater", "less"] = "two-sided",
        level: float = 0.95,
        correction: Literal["holm", "bh"] | None = "holm",
        primary: str | None = None,
        shares: Mapping[str, float] | None = None,
        sequential: int | None = None,
        received: str | None = None,
        others: Sequence[Data] | None = None,
        margin: float | None = None,
        cost: float | Mapping[str, float] | None = None,
        on_conflict: Literal["drop", "error"] = "drop",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> EffectResult:
        """Compare what the groups of an experiment did: did it work.

        Each customer has a window of days after exposure, and one before it. What counts is the
        group that was assigned at random; who bought nothing counts with zeros.

        Parameters
        ----------
        experiment : table
            One row per customer: the id, named as in the transactions, the group that was
            assigned, and the day of exposure. Any table that :func:`custcore.rfm` takes.
            Whoever is in it is in the analysis: no purchase means zeros.
        group : str, default "group"
            Column of groups: strings, integers or booleans. A group is what was assigned, not
            what arrived.
        exposed_on : str, default "exposed_on"
            Column of the days of exposure in the experiment: dates or timestamps, also
            different ones. Not read with ``start``.
        start : date, datetime or str, optional
            One day of exposure for all customers, instead of ``exposed_on``.
        days_after : int
            Length of the window after exposure, in days. The day of exposure is its first day,
            unless ``lag`` moves it. Take it longer than returns take: a refund counts on its
            own day.
        days_before : int, optional
            Length of the window before exposure, in days. Default: ``days_after``.
        lag : int, default 0
            Days from exposure to the window after: 1 leaves out the day of exposure.
        gap : int, default 0
            Days from the window before to exposure.
        control : str, optional
            The group that the others are compared with. Default: ``"control"``, if there is
            one.
        metrics : sequence of str, optional
            What is compared, per customer in the window after: the means ``"revenue"`` and
            ``"orders"``; the proportions ``"active"`` (an order), ``"repeat"`` (two orders) and
            ``"churned"`` (no order, among those with one in the window before); the ratios
            ``"average_order_value"`` (revenue by orders), ``"repurchase_rate"`` (repeat by
            active) and ``"purchase_frequency"`` (orders by active). Default: revenue, orders,
            active and average_order_value; without amounts orders and active.
        adjust : str or sequence of str, default "history"
            What the metrics are adjusted by, which makes intervals shorter and removes
            differences of before. ``"own"``: the same metric in the window before.
            ``"history"``: that, the same of all time before, the logarithms of recency and of
            the number of orders, and whether he had bought. Or columns of the experiment that
            were known before exposure. ``None``: nothing.
        strata : str, optional
            ``"segment"`` or ``"rfm_cell"`` as of the day before exposure, or a column of the
            experiment: groups are compared within strata, which are weighted by all their
            customers.
        by : str, optional
            ``"segment"`` or ``"rfm_cell"`` as of the day before exposure, or a column of the
            experiment: the effect in each, too.
        every : str or int, optional
            Length of periods of the window after, such as ``"7d"`` or a number of days: the
            effect in each, too. A shorter last period is left out.
        scorer : RFMScorer, optional
            The scorer of ``segment`` and ``rfm_cell``. One that is not fitted is fitted once,
            on all buyers as of the day before the first exposure. Default: ``RFMScorer()``.
        min_stratum : int, default 10
            A stratum with fewer customers of some group is joined with others.
        winsorize : float or dict of str to float, optional
            Values of means above this quantile of all groups together, or above these caps by
            metric, count as it. The effect is then one on capped values.
        alternative : {"two-sided", "greater", "less"}, default "two-sided"
            The alternative to no effect. ``"greater"``, ``"less"``: a one-sided p-value, and
            the other bound is infinite.
        level : float, default 0.95
            Coverage of the intervals.
        correction : {"holm", "bh"} or None, default "holm"
            How ``p_adjusted`` accounts for several comparisons: ``"holm"`` (Holm 1979),
            ``"bh"`` (Benjamini and Hochberg 1995) or ``None``. All metrics and groups are a
            family; the segments of each metric are one.
        primary : str, optional
            A metric that is a family of comparisons of its own.
        shares : dict of str to float, optional
            The planned share of each group, for the check of their sizes. Default: equal
            shares.
        sequential : int, optional
            The number of customers planned: intervals and p-values are then valid at every
            look, however many.
        received : str, optional
            Column of the experiment that is 1 for whoever the campaign reached, else 0, for
            :meth:`EffectResult.received`.
        others : sequence of tables, optional
            Other experiments, with the same column of ids: the check ``overlap`` counts the
            customers who are in one.
        margin : float, optional
            Share of revenue that is profit, the default of :meth:`EffectResult.roi`.
        cost : float or dict of str to float, optional
            The cost of each group: a fixed amount, or a dict of ``"fixed"``, ``"per_contact"``
            and ``"per_order"``; the default of :meth:`EffectResult.roi`.
        on_conflict : {"drop", "error"}, default "drop"
            Whether a customer in several groups is left out and counted, or an error that names
            it.
        as_of : date, datetime or str, optional
            The last day that counts. Customers whose window after ends later are left out and
            counted. Default: the last day of the data.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        EffectResult
            The effect of each group on each metric, with checks, segments, periods and the
            return on the cost. Its report counts the customers that were left out, under the
            first reason that applies: ``null_id``, ``null_group``, ``null_date``,
            ``in_several_groups``, ``repeated_row`` (the earliest date counts),
            ``window_not_over``.

        Raises
        ------
        InvalidArgumentError
            If the control group is unknown, an argument is out of range, or a column of
            ``adjust`` ends in ``_after``.
        NotEnoughDataError
            If no window is over, or nobody had bought before and segments are asked for.
        StateMismatchError
            If the base is of level ``"totals"``, which has no days.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 2, 3, 3, 20, 21, 22)]
        >>> base = custcore.CustomerBase(track="days")
        >>> base.update(
        ...     pa.table(
        ...         {
        ...             "customer_id": [1, 2, 3, 4, 1, 2, 4],
        ...             "timestamp": days,
        ...             "amount": [5.0, 4.0, 6.0, 5.0, 9.0, 3.0, 8.0],
        ...         }
        ...     )
        ... )
        >>> groups = pa.table(
        ...     {"customer_id": [1, 2, 3, 4], "group": ["mail", "control", "control", "mail"]}
        ... )
        >>> result = base.effect(groups, start="2026-01-10", days_after=13, adjust=None)
        >>> for row in result.table().select(["metric", "control", "treatment", "effect"]):
        ...     print(*row.values())
        revenue 1.5 8.5 7.0
        orders 0.5 1.0 0.5
        active 0.5 1.0 0.5
        average_order_value 3.0 8.5 5.5
        """
        request = effect_request(
            self._options,
            experiment,
            group=group,
            exposed_on=exposed_on,
            start=start,
            days_after=days_after,
            days_before=days_before,
            lag=lag,
            gap=gap,
            control=control,
            metrics=metrics,
            adjust=adjust,
            strata=strata,
            by=by,
            every=every,
            scorer=scorer,
            min_stratum=min_stratum,
            winsorize=winsorize,
            alternative=alternative,
            level=level,
            correction=correction,
            primary=primary,
            shares=shares,
            sequential=sequential,
            received=received,
            others=others,
            on_conflict=on_conflict,
            as_of=as_of,
        )
        core = _core.EffectResult.of_base(
            self._core, *request, n_threads=arguments.optional_whole("n_threads", n_threads)
        )
        return EffectResult(core, definition_of(request.asked, request.read), margin=margin, cost=cost)

    def experiment_table(
        self,
        experiment: Data,
        *,
        group: str = "group",
        exposed_on: str = "exposed_on",
        start: AsOf | None = None,
        days_after: int,
        days_before: int | None = None,
        lag: int = 0,
        gap: int = 0,
        scorer: RFMScorer | None = None,
        attributes: Sequence[str] = (),
        on_conflict: Literal["drop", "error"] = "drop",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """What the customers of an experiment did before and after exposure: one row each.

        Parameters
        ----------
        experiment : table
            One row per customer: the id, named as in the transactions, the group that was
            assigned, and the day of exposure. Any table that :func:`custcore.rfm` takes.
            Whoever is in it is in the analysis: no purchase means zeros.
        group : str, default "group"
            Column of groups: strings, integers or booleans. A group is what was assigned, not
            what arrived.
        exposed_on : str, default "exposed_on"
            Column of the days of exposure in the experiment: dates or timestamps, also
            different ones. Not read with ``start``.
        start : date, datetime or str, optional
            One day of exposure for all customers, instead of ``exposed_on``.
        days_after : int
            Length of the window after exposure, in days. The day of exposure is its first day,
            unless ``lag`` moves it. Take it longer than returns take: a refund counts on its
            own day.
        days_before : int, optional
            Length of the window before exposure, in days. Default: ``days_after``.
        lag : int, default 0
            Days from exposure to the window after: 1 leaves out the day of exposure.
        gap : int, default 0
            Days from the window before to exposure.
        scorer : RFMScorer, optional
            The scorer of ``segment`` and ``rfm_cell``. One that is not fitted is fitted once,
            on all buyers as of the day before the first exposure. Default: ``RFMScorer()``.
        attributes : sequence of str, default ()
            Attributes that the base keeps as ``"first"``, which become the last columns, such
            as strata for :func:`effect_of`. Their values are those known the day before
            exposure: null for whoever had not bought. Those kept as ``"last"`` may be from
            after exposure, and are refused.
        on_conflict : {"drop", "error"}, default "drop"
            Whether a customer in several groups is left out and counted, or an error that names
            it.
        as_of : date, datetime or str, optional
            The last day that counts. Customers whose window after ends later are left out and
            counted. Default: the last day of the data.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            Ascending by id: the id, ``group``, ``exposed_on``, ``orders_before``,
            ``orders_after`` (int64), ``revenue_before``, ``revenue_after`` (in the type of sums
            of money; omitted without an amount), ``active_before``, ``active_after``,
            ``repeat_before``, ``repeat_after`` (bool), ``churned`` (bool; null without an order
            before), ``n_orders``, ``monetary_total`` and ``recency_days`` (as of the day before
            exposure; null: had not bought), ``segment`` and ``rfm_cell`` (as of that day;
            "none": had not bought), then the ``attributes``.

        Raises
        ------
        NotEnoughDataError
            If no window is over, or nobody had bought before the first exposure.
        StateMismatchError
            If the base is of level ``"totals"``, which has no days, or does not keep an
            attribute of the first purchase.
        InvalidArgumentError
            If the table has a column of the name of an attribute already.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 2, 20)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": [1, 2, 1], "timestamp": days}))
        >>> groups = pa.table({"customer_id": [1, 2, 3], "group": ["a", "b", "b"]})
        >>> table = base.experiment_table(groups, start="2026-01-10", days_after=11)
        >>> table["orders_after"].to_pylist(), table["recency_days"].to_pylist()
        ([1, 0, 0], [8, 7, None])
        """
        read = experiment_arguments(
            self._options["customer_id"],
            group=group,
            exposed_on=exposed_on,
            start=start,
            days_after=days_after,
            days_before=days_before,
            lag=lag,
            gap=gap,
            on_conflict=on_conflict,
            as_of=as_of,
        )
        return Table(
            _core.experiment_table(
                self._core,
                experiment_source(experiment, read),
                read,
                scorer_argument(scorer),
                attributes=arguments.optional_names("attributes", attributes) or [],
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
