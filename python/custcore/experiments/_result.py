"""What ``custcore.effect`` returns: the effect of an experiment in tables."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any, Self

from custcore import _core
from custcore._input import arguments
from custcore._persistable import Persistable
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.experiments._arguments import cost_argument
from custcore.experiments._settings import EffectSettings
from custcore.experiments._text import effect_text
from custcore.experiments._uses import contact_options_of, increments_of
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from custcore.result import Report

__all__ = ["EffectResult"]


class EffectResult(Persistable):
    """The effect of an experiment: differences to control, with intervals, checks and returns.

    It is made by :func:`custcore.effect`, :meth:`custcore.CustomerBase.effect` and
    :func:`custcore.effect_of`. It keeps exact moments by group, not customers, so results of
    disjoint customers can be merged. It can be pickled, and saved to a file, which has the
    moments: a service keeps one for each week, say, and merges them.

    Attributes
    ----------
    definition : dict
        The settings: windows, metrics, adjustment, strata, level; ``first_day`` and
        ``last_day`` (ISO texts) of the windows after exposure, None for a table.
    report : Report
        Customers that were left out, and why; remarks.

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> from custcore.experiments import Mean
    >>> table = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3, 4, 5, 6],
    ...         "group": ["control", "mail", "control", "mail", "control", "mail"],
    ...         "spend": [10.0, 14.0, 12.0, 15.0, 11.0, 16.0],
    ...     }
    ... )
    >>> result = custcore.effect_of(table, metrics=[Mean("spend")])
    >>> row = result.table()[0]
    >>> row["control"], row["treatment"], row["effect"], round(row["p_value"], 4)
    (11.0, 15.0, 4.0, 0.008)
    """

    __slots__ = ("_core", "_cost", "_margin", "_remarks", "definition")

    def __init__(
        self,
        core: _core.EffectResult,
        definition: dict[str, Any],
        *,
        margin: float | None = None,
        cost: float | Mapping[str, float] | None = None,
    ) -> None:
        self._core = core
        # Of a table of customers the windows are not known.
        first, last = core.days or (None, None)
        self.definition: dict[str, Any] = {**definition, "first_day": first, "last_day": last}
        self._margin = None if margin is None else arguments.number("margin", margin)
        self._cost = None if cost is None else cost_argument(cost)
        self._remarks: tuple[str, ...] = ()

    @property
    def report(self) -> Report:
        """Customers that were left out, and why; remarks."""
        report = self._whole().report
        return dataclasses.replace(report, remarks=(*report.remarks, *self._remarks))

    def _remarked(self, remarks: Iterable[str]) -> Self:
        """The same, with remarks on how its data were converted."""
        self._remarks = tuple(dict.fromkeys((*self._remarks, *remarks)))
        return self

    def _whole(self) -> Table:
        return Table(self._core.table())

    def table(self) -> Table:
        """Give the effects.

        Returns
        -------
        Table
            A row for each metric and group; then, with ``by``, for each segment; then, with
            ``every``, for each period. Columns: ``metric``, ``kind`` ("mean", "proportion",
            "ratio"), ``group``, ``segment`` (null: all customers), ``period`` (int32, from 0;
            null: the whole window), ``n_control``, ``n_treatment`` (int64), ``control``,
            ``treatment`` (the adjusted means), ``effect`` (their difference), ``se``, ``df``,
            ``low``, ``high`` (the interval), ``p_value``, ``p_adjusted``, ``relative``
            (effect by control), ``relative_low``, ``relative_high``, ``adjust``,
            ``variance_ratio`` (the share of the variance that adjustment leaves), ``cap``
            (of winsorised means). A group of one customer has nulls; without variance the
            interval is the effect and the p-value null.

        Notes
        -----
        Means and ratios: Welch's test (1947), ratios by the delta method. Proportions without
        adjustment and strata: Newcombe's interval (1998) and the pooled z test. Relative:
        Fieller's interval (1954). Adjustment: CUPED (Deng et al. 2013).
        """
        return self._whole()

    def segments(self) -> Table:
        """Give the effects by segment, with shrunk values.

        The best-looking of several segments is over-estimated; its ``shrunk`` effect hardly.
        Rank and spend by ``shrunk``.

        Returns
        -------
        Table
            The columns of :meth:`table`, then ``scale`` (the mean of the metric in the segment,
            by which effects are divided; 1 for proportions), ``shrunk``, ``shrunk_se``
            (DerSimonian and Laird 1986), ``q`` and ``q_p_value`` (Cochran's test whether
            segments differ at all), the same for all segments of a metric and group.

        Raises
        ------
        InvalidArgumentError
            If the effect was computed without ``by``.
        """
        if self.definition["by"] is None:
            raise InvalidArgumentError("segments() needs by=, such as by='segment', when the effect is computed")
        return Table(self._core.segments())

    def periods(self) -> Table:
        """Give the effects by period, and from the start up to the end of each.

        A rise that falls back was brought forward, not gained.

        Returns
        -------
        Table
            The columns of :meth:`table`, then ``first_day``, ``last_day`` (int32, from the
            start of the window), ``cumulative``, ``cumulative_low``, ``cumulative_high``.

        Raises
        ------
        InvalidArgumentError
            If the effect was computed without ``every``.
        """
        if self.definition.get("every") is None:
            raise InvalidArgumentError("periods() needs every=, such as every='7d', when the effect is computed")
        return Table(self._core.periods())

    def checks(self) -> Table:
        """Give the checks of the experiment; those that are flagged come first.

        Returns
        -------
        Table
            ``check``, ``metric``, ``group``, ``statistic``, ``df``, ``p_value``, ``value``,
            ``flagged``, ``message``. Checks: ``ratio`` (sizes of groups, flagged below
            p = 0.001), ``ratio_by_stratum``, ``before`` (metrics of the window before as if
            they were results, flagged below p = 0.01), ``skewness`` (groups too small and
            unequal for the normal approximation), ``overlap``, ``cut_off``.
        """
        return Table(self._core.checks())

    def received(self) -> Table:
        """Give the effect on those whom the campaign reached.

        Assignment is the instrument (two-stage least squares, robust): comparing receivers with
        others would compare those who opened the letter with those who did not.

        Returns
        -------
        Table
            ``metric``, ``group``, ``share_treatment``, ``share_control`` (reached), ``effect``,
            ``se``, ``low``, ``high``, ``p_value``.

        Raises
        ------
        InvalidArgumentError
            If the effect was computed without ``received``.
        """
        return Table(self._core.received())

    def roi(
        self,
        margin: float | None = None,
        cost: float | Mapping[str, float] | None = None,
        *,
        metric: str = "revenue",
    ) -> Table:
        """Give the return on the cost of each group.

        Parameters
        ----------
        margin : float, optional
            Share of revenue that is profit. Default: that of the call. A discount is in
            revenue already.
        cost : float or dict, optional
            The cost of each group: a fixed amount, or a dict of ``"fixed"``,
            ``"per_contact"`` (times its customers) and ``"per_order"`` (times its orders in
            the window). Default: that of the call.
        metric : str, default "revenue"
            The metric whose effect is money.

        Returns
        -------
        Table
            ``group``, ``contacts`` (customers of the group), ``cost``, ``increment`` (effect x
            contacts), ``increment_low``, ``increment_high``, ``roi`` (profit by cost),
            ``roi_low``, ``roi_high``, ``revenue_per_cost``, ``break_even_effect``,
            ``p_positive``. Null where the cost is 0.

        Raises
        ------
        InvalidArgumentError
            If margin or cost are missing or out of range.
        """
        found = self._margin if margin is None else arguments.number("margin", margin)
        spent = self._cost if cost is None else cost_argument(cost)
        if found is None or spent is None:
            raise InvalidArgumentError("roi needs margin= and cost=, e.g. roi(0.3, {'fixed': 500, 'per_contact': 0.2})")
        return Table(self._core.roi(arguments.name("metric", metric), found, spent))

    def increments(self, metric: str = "revenue") -> list[dict[str, Any]]:
        """Give what each group added in all: its effect times its customers.

        Parameters
        ----------
        metric : str, default "revenue"
            The metric.

        Returns
        -------
        list of dict
            ``name`` (the group), ``customers``, ``revenue``, ``low``, ``high``.
        """
        return increments_of(self, metric)

    def contact_options(
        self, margin: float, cost: float | Mapping[str, float], *, metric: str = "revenue"
    ) -> list[dict[str, Any]]:
        """Give what a contact is worth in each segment, for :func:`custcore.allocate_contacts`.

        Shrunk effects are the values: by plain ones the best-looking segment would get too much.

        Parameters
        ----------
        margin : float
            Share of revenue that is profit.
        cost : float or dict of str to float
            Cost of a contact, for all groups or by group.
        metric : str, default "revenue"
            The metric whose effect is money.

        Returns
        -------
        list of dict
            A dict for each segment and group whose shrunk effect is known: ``segment``, ``channel`` (the
            group), ``cost``, ``value`` (margin x shrunk effect), ``value_se``, ``customers`` (of
            the segment, in all groups).

        Raises
        ------
        InvalidArgumentError
            If the effect was computed without ``by``, or a group has no cost.
        """
        return contact_options_of(self, arguments.number("margin", margin), cost, metric)

    def plan_next(self, power: float = 0.8) -> Table:
        """Give what the next experiment of the same kind would find, from the variances of this one.

        Parameters
        ----------
        power : float, default 0.8
            The probability that a difference which is there is found.

        Returns
        -------
        Table
            A row for each metric and group: ``metric``, ``group``, ``n_control``,
            ``n_treatment``, ``mean`` (of control), ``sd``, ``detectable`` (the least difference
            that as many customers find at p < 0.05), ``detectable_relative``,
            ``n_for_5_percent`` (int64, the customers of both groups that a difference of 5 %
            takes, with the same shares).
        """
        return Table(self._core.plan_next(arguments.number("power", power)))

    @property
    def moments(self) -> Table:
        """Customers, sums and squared deviations of each metric by group, stratum and segment.

        They are sums rounded for reading; :meth:`save` keeps the exact ones, which :meth:`merge`
        adds.

        Returns
        -------
        Table
            ``metric``, ``group``, ``stratum``, ``segment`` (string; null without strata or
            segments), ``customers`` (int64), ``sum``, ``squared_deviations`` (from the mean of
            the row), and of ratios ``denominator`` and ``denominator_squared_deviations``
            (float64; else null).
        """
        return Table(self._core.moments())

    def merge(self, other: EffectResult) -> EffectResult:
        """Give the effect of the customers of both results, to the bit as if computed at once.

        Parameters
        ----------
        other : EffectResult
            The result of other customers, with the same settings.

        Returns
        -------
        EffectResult
            The effect of all of them.

        Raises
        ------
        StateMismatchError
            If the settings or caps differ.
        """
        if not isinstance(other, EffectResult):
            raise InvalidTypeError(f"other is {type(other).__name__}; expected an EffectResult")
        merged = EffectResult(self._core.merge(other._core), self.definition)
        merged._margin, merged._cost = self._margin, self._cost
        return merged._remarked((*self._remarks, *other._remarks))

    def _can_be_saved(self) -> bool:
        return True

    def _bytes(self) -> bytes:
        return self._core.to_bytes(EffectSettings(self.definition, self._margin, self._cost, self._remarks).text())

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        core, text = _core.EffectResult.from_bytes(data)
        settings = EffectSettings.of_text(text)
        result = cls(core, settings.definition)
        result._margin, result._cost, result._remarks = settings.margin, settings.cost, settings.remarks
        return result

    def __copy__(self) -> Self:
        other = type(self)(self._core, self.definition)
        other._margin, other._cost, other._remarks = self._margin, self._cost, self._remarks
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = self.__copy__()
        other.definition = copy.deepcopy(self.definition, memo)
        return other

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return effect_text(self)
