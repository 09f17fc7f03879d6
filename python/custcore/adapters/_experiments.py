"""Effects of experiments of frames: methods of ``df.custcore`` common to all libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import custcore
from custcore._input.arguments import key, key_names
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import columns_of, given
from custcore.experiments._arguments import COMPUTED, adjust_argument, effect_arguments
from custcore.experiments._effect_of import columns_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore._rfm import RFMScorer
    from custcore.experiments import EffectResult, Mean, Proportion, Ratio

__all__ = ["ExperimentMethods", "named", "of_purchases"]


def of_purchases(options: Mapping[str, object]) -> dict[str, str]:
    """The columns of purchases that options name, each with its argument."""
    names = ("customer_id", "timestamp", "amount", "order_id")
    return columns_of(custcore.rfm, {name: options[name] for name in names})


def named(argument: str, *names: object) -> dict[str, str]:
    """Columns of an argument; what is no name is refused by the call that takes it."""
    return {name: argument for name in names if isinstance(name, str)}


@proposing_methods
class ExperimentMethods:
    """Effects of experiments of a frame."""

    # Conversion, which differs by library.

    def _transactions(self, wanted: dict[str, str], remarks: list[str]) -> Data:
        """The wanted columns, by the argument that names each; conversions are added to ``remarks``."""
        raise NotImplementedError

    def _other(self, table: Data, wanted: dict[str, str], remarks: list[str]) -> Data:  # noqa: ARG002
        """Another table than the frame, whose wanted columns are converted as those of the frame are."""
        return table

    # Calls, the same for all libraries.

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
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = "amount",
        order_id: str | Sequence[str] | None = None,
        returns: Literal["net", "exclude", "count"] = "net",
        zero_is_purchase: bool = True,
        order_lines: Literal["any", "adjacent"] = "any",
        amount_decimals: int = 6,
        timezone: TimeZone | None = None,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> EffectResult:
        """Compare what the groups of an experiment bought, by :func:`custcore.effect`.

        The frame has the transactions.

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
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        amount : str or None, default "amount"
            Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is
            reported. ``None``: money is not read, and the result has no monetary columns.
        order_id : str or list of str, optional
            Column of order ids, or a list of columns, of the same types as customer ids. Lines
            with the same customer and order id form one order, whose amount is their sum and
            whose time is the earliest. A line with a null order id is an order by itself, and
            reported. Default: every row is an order.
        returns : {"net", "exclude", "count"}, default "net"
            How orders with a negative amount count. ``"net"``: they lower the sums and are not
            purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
            like any other order. A customer who has only refunds is not a buyer.
        zero_is_purchase : bool, default True
            Whether an order with amount 0 is a purchase. Orders whose amounts are all null
            always are.
        order_lines : {"any", "adjacent"}, default "any"
            ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
            consecutive lines form an order, which needs memory per customer only.
        amount_decimals : int, default 6
            Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
            are then exact and independent of row order. Amounts that this changes by more than
            1 %, such as those read as 0, are reported.
        timezone : str or tzinfo, optional
            Time zone whose local days count for times with a zone: an IANA name, an offset such
            as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
            are never shifted. Default: the column's own zone.
        on_null : {"drop", "error"}, default "drop"
            Whether a null id, time or amount is reported, or an error that names its row.
        on_nonfinite : {"error", "drop"}, default "error"
            Whether an infinite amount is an error that names its row, or left out and reported.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        progress : callable, optional
            Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
            the total may be ``None``.

        Returns
        -------
        EffectResult
            Its tables become frames by ``.to_pandas()`` and ``.to_polars()``, such as
            ``result.table().to_pandas()``.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        ids = named("customer_id", *key_names(key("customer_id", options["customer_id"])))
        exposed = named("timestamp", options["exposed_on"] if options["start"] is None else None)
        groups = named("group", *(options[name] for name in ("group", "strata", "by")))
        # Columns of nothing but nulls are numbers, as amounts are.
        numbers = named("amount", options["received"], *adjust_argument(options["adjust"])[1])
        read = {name: role for name, role in (numbers | groups | exposed | ids).items() if name not in COMPUTED}
        others = options["others"]
        data = self._transactions(of_purchases(options), remarks)
        options["experiment"] = self._other(options["experiment"], read, remarks)
        options["others"] = None if others is None else [self._other(other, ids, remarks) for other in others]
        return custcore.effect(data, **options)._remarked(remarks)

    def effect_of(
        self,
        metrics: Sequence[str | Mean | Proportion | Ratio],
        *,
        group: str = "group",
        control: str | None = None,
        adjust: str | Sequence[str] | None = None,
        strata: str | None = None,
        by: str | None = None,
        on_missing: Literal["error", "zero", "drop"] = "error",
        min_stratum: int = 10,
        winsorize: float | Mapping[str, float] | None = None,
        alternative: Literal["two-sided", "greater", "less"] = "two-sided",
        level: float = 0.95,
        correction: Literal["holm", "bh"] | None = "holm",
        primary: str | None = None,
        shares: Mapping[str, float] | None = None,
        sequential: int | None = None,
        received: str | None = None,
        margin: float | None = None,
        cost: float | Mapping[str, float] | None = None,
        n_threads: int | None = None,
    ) -> EffectResult:
        """Compare the groups of an experiment in this frame, by :func:`custcore.effect_of`.

        The frame has one row per customer, with the column of groups and those of the metrics.

        Parameters
        ----------
        metrics : sequence of metrics
            What is compared: :class:`Mean`, :class:`Proportion` and :class:`Ratio` of columns;
            of a result of :meth:`CustomerBase.experiment_table` also names, as in
            :meth:`CustomerBase.effect`.
        group : str, default "group"
            Column of groups: strings, integers or booleans. A group is what was assigned, not
            what arrived.
        control : str, optional
            The group that the others are compared with. Default: ``"control"``, if there is
            one.
        adjust : str or sequence of str, optional
            Columns that were known before exposure, by which the metrics are adjusted, which
            makes intervals shorter. What a column is from cannot be seen: one from after
            exposure would remove the effect, so names that end in ``_after`` are refused. For
            metrics by name also ``"own"`` and ``"history"``.
        strata : str, optional
            Column of strata that were known before exposure: groups are compared within each.
        by : str, optional
            Column of segments that were known before exposure: the effect in each, too.
        on_missing : {"error", "zero", "drop"}, default "error"
            Whether a null or NaN in the columns of a metric is an error that names its row,
            counts as 0, or leaves the customer out of the metric.
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
            Column that is 1 for whoever the campaign reached, else 0, for
            :meth:`EffectResult.received`.
        margin : float, optional
            Share of revenue that is profit, the default of :meth:`EffectResult.roi`.
        cost : float or dict of str to float, optional
            The cost of each group: a fixed amount, or a dict of ``"fixed"``, ``"per_contact"``
            and ``"per_order"``; the default of :meth:`EffectResult.roi`.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        EffectResult
            Its tables become frames by ``.to_pandas()`` and ``.to_polars()``, such as
            ``result.table().to_pandas()``.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        words = ("group", "strata", "by")
        asked = effect_arguments(metrics, **{name: options[name] for name in (*words, "adjust", "received")})
        # Columns of nothing but nulls are numbers, as amounts are.
        wanted = {
            name: "group" if name in {options[word] for word in words} else "amount" for name in columns_read(asked)
        }
        return custcore.effect_of(self._transactions(wanted, remarks), **options)._remarked(remarks)
