"""``custcore.effect``: the effect of an experiment from transactions in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, rows_total
from custcore._input.proposals import proposing
from custcore._input.read_options import columns_read, read_options
from custcore.experiments._arguments import effect_request
from custcore.experiments._definition import definition_of
from custcore.experiments._result import EffectResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore._rfm import RFMScorer

__all__ = ["effect"]


@proposing
def effect(
    data: Data,
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
    """Compare what the groups of an experiment did: did it work.

    It is :meth:`custcore.CustomerBase.effect` of a base that is not kept.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays.
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
        The effect of each group on each metric, with checks, segments, periods and the return
        on the cost.

    Raises
    ------
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or of an unsupported type.
    InvalidArgumentError
        If the control group is unknown, or an argument is out of range.
    NotEnoughDataError
        If no window is over.

    See Also
    --------
    CustomerBase.effect : The same of a customer base, which may be kept and updated.

    Examples
    --------
    >>> import datetime, custcore, pyarrow as pa
    >>> days = [datetime.date(2026, 1, day) for day in (1, 2, 3, 3, 20, 21, 22)]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3, 4, 1, 2, 4],
    ...         "timestamp": days,
    ...         "amount": [5.0, 4.0, 6.0, 5.0, 9.0, 3.0, 8.0],
    ...     }
    ... )
    >>> groups = pa.table(
    ...     {"customer_id": [1, 2, 3, 4], "group": ["mail", "control", "control", "mail"]}
    ... )
    >>> custcore.effect(
    ...     orders,
    ...     groups,
    ...     start="2026-01-10",
    ...     days_after=13,
    ...     days_before=9,
    ...     metrics=["revenue"],
    ...     adjust=None,
    ... )
    Effect against 'control', not adjusted
    revenue  mail  1.5 to 8.5: +7, 95 % [-6.272, +20.27], p = 0.1071
    """
    options = read_options(
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        as_of=None,
        order_id=order_id,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        order_lines=order_lines,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
    )
    request = effect_request(
        options,
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
    core = _core.EffectResult.of_transactions(
        as_source(data, columns_read(options)),
        options,
        *request,
        n_threads=arguments.optional_whole("n_threads", n_threads),
        progress=progress,
        rows_total=rows_total(data),
    )
    return EffectResult(core, definition_of(request.asked, request.read), margin=margin, cost=cost)
