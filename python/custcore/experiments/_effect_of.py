"""``custcore.effect_of``: the effect in a table with a row for each customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing
from custcore.experiments._arguments import effect_arguments
from custcore.experiments._definition import definition_of
from custcore.experiments._result import EffectResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import Data
    from custcore.experiments._metrics import Mean, Proportion, Ratio

__all__ = ["columns_read", "effect_of"]

# What the metrics by name are computed from.
NAMED = {
    "orders": ("orders",),
    "active": ("orders",),
    "repeat": ("orders",),
    "churned": ("orders",),
    "repurchase_rate": ("orders",),
    "purchase_frequency": ("orders",),
    "revenue": ("orders", "revenue"),
    "average_order_value": ("orders", "revenue"),
}
OF_QUANTITY = {
    "orders": ("orders_after", "orders_before", "n_orders"),
    "revenue": ("revenue_after", "revenue_before", "monetary_total"),
}


@proposing
def effect_of(
    table: Data,
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
    """Compare the groups of an experiment in a table with a row for each customer.

    Parameters
    ----------
    table : table
        One row per customer, with the column of groups and those of the metrics: any table
        that :func:`custcore.rfm` takes, such as a result of
        :meth:`CustomerBase.experiment_table`.
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
        The effect of each group on each metric.

    Raises
    ------
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or is not of numbers.
    InvalidArgumentError
        If the control group is unknown, there are fewer than two groups, or a column of
        ``adjust`` ends in ``_after``.
    NullValueError
        If a value is null, unless ``on_missing`` says what it counts as.

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> from custcore.experiments import Mean, Proportion
    >>> table = pa.table(
    ...     {
    ...         "group": ["control", "mail"] * 4,
    ...         "spend_before": [3.0, 5.0, 2.0, 1.0, 6.0, 5.0, 4.0, 4.0],
    ...         "spend": [3.0, 7.0, 3.0, 4.0, 6.0, 8.0, 5.0, 6.0],
    ...     }
    ... )
    >>> result = custcore.effect_of(table, [Mean("spend")], adjust="spend_before")
    >>> [(row["group"], round(row["effect"], 2)) for row in result.table()]
    [('mail', 2.0)]
    """
    asked = effect_arguments(
        metrics,
        group=group,
        control=control,
        adjust=adjust,
        strata=strata,
        by=by,
        min_stratum=min_stratum,
        winsorize=winsorize,
        alternative=alternative,
        level=level,
        correction=correction,
        primary=primary,
        shares=shares,
        sequential=sequential,
        received=received,
        on_missing=on_missing,
    )
    names = columns_read(asked)
    core = _core.EffectResult.of_table(
        as_source(table, names), names, asked, n_threads=arguments.optional_whole("n_threads", n_threads)
    )
    return EffectResult(core, definition_of(asked), margin=margin, cost=cost)


def columns_read(asked: _core.EffectArguments) -> list[str]:
    """The columns that are read."""
    names = [asked["group"], asked["strata"], asked["by"], asked["received"], *asked["adjust"][1]]
    for kind, name, columns in asked["metrics"]:
        names += columns if kind != "named" else [column for of in NAMED.get(name, ()) for column in OF_QUANTITY[of]]
    if asked["adjust"][0] == "history":
        names += ["recency_days", "n_orders"]
    return list(dict.fromkeys(name for name in names if name is not None))
