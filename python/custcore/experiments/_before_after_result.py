"""What ``custcore.before_after`` returns: a comparison without random groups, and its text."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.errors import InvalidArgumentError
from custcore.experiments._arguments import cost_argument
from custcore.result import Table
from custcore.result._layout import terminal_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from custcore.result import Report

__all__ = ["BeforeAfter"]


@proposing_methods
class BeforeAfter:
    """What a campaign changed, without random groups: what :func:`custcore.before_after` returns.

    Its text has the headline of each metric: the effect by difference in differences, or "the
    check failed" where the placebo shows an effect, or "depends on the method". It can be
    pickled, with the outcomes of controls that :meth:`placebo_draws` draws from.
    """

    __slots__ = ("_core", "_remarks")

    def __init__(self, core: _core.BeforeAfter) -> None:
        self._core = core
        self._remarks: tuple[str, ...] = ()

    def _remarked(self, remarks: Iterable[str]) -> BeforeAfter:
        """The same, with remarks on how its data were converted."""
        self._remarks = tuple(dict.fromkeys((*self._remarks, *remarks)))
        return self

    def table(self) -> Table:
        """The effect by all methods, worst first.

        Returns
        -------
        Table
            Four rows for each metric: ``metric``, ``method`` ("naive", "after", "did",
            "adjusted"), ``before`` (mean of the treated in the window before, times
            days_after / days_before; in the row "naive" of all treated, in the others of those
            with a control) and ``after``, ``effect`` per treated customer, ``se``, ``low``,
            ``high`` (95 %), ``p_value`` (two-sided, normal; null where se is 0), ``theta`` (the
            part of the window before that is taken off; null for "naive"), ``treated``,
            ``matched`` (treated with a control), ``matched_share``, ``controls`` (who are alike
            some of them), ``effective_controls`` = (Σw)² / Σw² of their weights, ``strata``. Who
            was matched is null for "naive". Effects are null where nobody was matched, errors
            where no stratum has two customers of a group.
        """
        return Table(self._core.table())

    def balance(self) -> Table:
        """Whether the treated and the controls were alike the day before.

        Returns
        -------
        Table
            One row for each ``feature``: ``recency_days``, ``tenure_days``, ``n_orders``,
            ``monetary_total``, ``orders_before``, ``revenue_before``. ``treated`` and
            ``others`` are the means of all who had bought, ``smd`` is their difference divided
            by the square root of the mean of both variances; ``treated_matched``,
            ``control_weighted`` and ``smd_matched`` are the same of those matched, weighted,
            with the same divisor. ``flagged``: ``smd_matched`` is beyond 0.1 (Austin 2009). Null
            where it is not known.
        """
        return Table(self._core.balance())

    def placebo(self) -> Table:
        """The same one window (lag + days_after) earlier, matching included: nothing should be there.

        Returns
        -------
        Table
            The columns of :meth:`table`, and ``flagged``: the effect is beyond 1.96 standard
            errors (null for "naive", or without a standard error). If that of "did" is flagged,
            the check failed.

        Notes
        -----
        Customers who were chosen by what they did in the window before, such as buying in the
        last 30 days, fail it although matching works: that window is its window after.
        """
        return Table(self._core.placebo())

    def placebo_draws(self, n: int = 400, seed: int = 0, *, n_threads: int | None = None) -> Table:
        """Half of the controls of each stratum as if they were treated, against the other half.

        Parameters
        ----------
        n : int, default 400
            Number of draws, 1 to 100,000.
        seed : int, default 0
            Seed of the draws, 0 or more. The same seed gives the same draws.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each metric and method but "naive": ``draws`` with a standard error,
            ``p_value``: the share of draws at least as far from 0 in standard errors as the
            effect; ``beyond``: the share of draws beyond 1.96 standard errors, which should be
            about 0.05 for the intervals to be trusted, with its own 95 % interval
            ``beyond_low``, ``beyond_high`` (Wilson). Strata keep their weights; those with one
            control are left out. Null without draws.

        Raises
        ------
        InvalidArgumentError
            If ``n`` is out of range, or ``seed`` is negative.
        """
        draws, start = arguments.whole("n", n), arguments.whole("seed", seed)
        for name, value in (("n", draws), ("seed", start)):
            if value < 0:
                raise InvalidArgumentError(f"{name}={value} is negative; expected a whole number, 0 or more")
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(self._core.placebo_draws(draws, start, n_threads=threads))

    def roi(self, margin: float, cost: float | Mapping[str, float]) -> Table:
        """The return on what the campaign cost, by the effect of "did" on revenue.

        Parameters
        ----------
        margin : float
            Share of revenue that is profit, above 0; 1 if the amount is profit already.
        cost : float, or dict of str to float
            What the campaign cost: an amount, or a dict with ``fixed``, ``per_contact`` (for
            each treated customer) and ``per_order`` (for each of their orders in the window
            after). A discount is already in revenue.

        Returns
        -------
        Table
            One row: ``group`` ("treated"), ``contacts`` (all treated), ``cost``, ``increment`` =
            effect x contacts with ``increment_low`` and ``increment_high``, ``roi`` = (margin x
            increment - cost) / cost with ``roi_low`` and ``roi_high``, ``revenue_per_cost`` =
            increment / cost, ``break_even_effect`` = cost / (margin x contacts), ``p_positive``:
            the probability that the profit is above 0, by the normal distribution. Null where
            the cost is 0, or the effect is not known. The effect is that on the matched; that of
            the other treated is assumed to be the same.

        Raises
        ------
        InvalidArgumentError
            If margin or cost are out of range, or "revenue" is not among the metrics.
        """
        return Table(self._core.roi(arguments.number("margin", margin), cost_argument(cost)))

    @property
    def definition(self) -> str:
        """What was computed, in sentences."""
        return self._core.definition

    @property
    def report(self) -> Report:
        """The treated customers who were left out, and why."""
        report = self.table().report
        return dataclasses.replace(report, remarks=(*report.remarks, *self._remarks))

    def __copy__(self) -> BeforeAfter:
        return self

    def __deepcopy__(self, memo: object) -> BeforeAfter:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return BeforeAfter._restored, (Table(self._core.state()), self._remarks)

    @staticmethod
    def _restored(state: Table, remarks: tuple[str, ...]) -> BeforeAfter:
        return BeforeAfter(_core.BeforeAfter.of_state(state._core))._remarked(remarks)

    def __repr__(self) -> str:
        width = terminal_width()
        lines = [line for text in self._lines() for line in wrapped(text, width)]
        return "\n".join(lines)

    def _lines(self) -> list[str]:
        """Who was compared, and for each metric the headline with what the methods say."""
        found = self.table()
        rows = list(found.select(["metric", "method", "effect", "treated", "matched", "controls", "strata"]).rows())
        *_, treated, matched, controls, strata = rows[-1]
        first, last = self._core.days
        days = first if first == last else f"{first} to {last}"
        lines = [
            f"custcore.BeforeAfter: {treated:,} treated on {days}, {matched:,} of them alike {controls:,} controls in "
            f"{strata:,} strata"
        ]
        for metric, verdict, effect, interval in self._core.headlines:
            methods = ", ".join(
                f"{row[1]} {_signed(row[2])}" for row in rows if row[0] == metric and row[2] is not None
            )
            lines.append(f"{metric}: {_headline(verdict, effect, interval)} ({methods})")
        return lines


def _headline(verdict: str, effect: float | None, interval: tuple[float, float] | None) -> str:
    """The verdict with the effect, unless that is not to be trusted."""
    if verdict == "no controls" or effect is None:
        return "no controls are like the treated"
    if verdict == "the check failed":
        return "the check failed: one window earlier there is an effect, too"
    if interval is None:
        return f"{verdict} {_signed(effect)} per customer, error unknown"
    low, high = interval
    known = "" if low > 0 or high < 0 else ", nothing that can be shown"
    words = "did" if verdict == "did" else f"{verdict}: did"
    return f"{words} {_signed(effect)} [{_signed(low)}, {_signed(high)}] per customer{known}"


def _signed(number: float) -> str:
    return f"{number:+.4g}"
