"""What an experiment on the customers of a base would find: methods of a customer base."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source
from custcore._input.proposals import proposing_methods
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotEnoughDataError, OutOfRangeError
from custcore.experiments._arguments import effect_arguments, experiment_arguments, metrics_of, scorer_argument
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data

__all__ = ["Planning"]

_EPOCH = datetime.date(1970, 1, 1).toordinal()


@proposing_methods
class Planning:
    """The methods of :class:`custcore.CustomerBase` on experiments to come."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def plan(
        self,
        start: AsOf,
        *,
        days_after: int | Sequence[int] = (7, 14, 28),
        who: Data | str | Sequence[str] | None = None,
        shares: tuple[float, float] = (0.5, 0.5),
        power: float = 0.8,
        metrics: Sequence[str] | None = None,
        adjust: str | Sequence[str] | None = "history",
        n_threads: int | None = None,
    ) -> Table:
        """What an experiment would find, from what the customers did one window earlier.

        Parameters
        ----------
        start : date or str
            The day on which the experiment would start: windows of the days before it are read,
            or of the last days of the base, if those are earlier.
        days_after : int or sequence of int, default (7, 14, 28)
            Lengths of the window after exposure, in days.
        who : table, str or sequence of str, optional
            Who takes part: a table with the column of ids, or the names of segments. Default:
            all who had bought before.
        shares : tuple[float, float], default (0.5, 0.5)
            The shares of control and treatment.
        power : float, default 0.8
            The probability that a difference which is there is found.
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
            the number of orders, and whether he had bought. ``None``: nothing.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            A row for each length and metric: ``metric``, ``days_after``, ``n_control``,
            ``n_treatment`` (int64, the customers there are), ``mean``, ``sd``,
            ``variance_ratio`` (the share of the variance that adjustment leaves),
            ``detectable`` (the least difference that is found with ``power`` at p < 0.05),
            ``detectable_relative`` (by the mean), ``n_for_5_percent`` (int64, the customers of
            both groups that a difference of 5 % takes).

        Raises
        ------
        NotEnoughDataError
            If the base has no window that is over.
        InvalidArgumentError
            If an argument is out of range, or a segment of ``who`` is empty.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, 1 + (i * 7) % 28) for i in range(60)]
        >>> ids = [i % 11 for i in range(60)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days}))
        >>> base.plan("2026-01-28", days_after=[7]).select(["metric", "n_control", "mean"])[0]
        {'metric': 'orders', 'n_control': 6, 'mean': 1.3636363636363635}
        """
        asked = effect_arguments(metrics_of(metrics, self._options), adjust=adjust)
        names = [who] if isinstance(who, str) else list(who) if isinstance(who, list | tuple) else None
        first, over = _day("start", start), self._day_after_the_data()
        lengths = [days_after] if isinstance(days_after, int) else list(days_after)
        tables = []
        for at, length in enumerate(lengths):
            days = arguments.whole(f"days_after[{at}]", length)
            tables.append((_past_windows(self, min(first, over), days, (who, names), n_threads), days))
        return Table(
            _core.experiment_plan(
                tables,
                asked,
                segments=names,
                shares=_pair(shares),
                power=arguments.number("power", power),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def aa(
        self,
        start: AsOf,
        days_after: int,
        *,
        n: int = 1000,
        seed: int = 0,
        metrics: Sequence[str] | None = None,
        adjust: str | Sequence[str] | None = "history",
        n_threads: int | None = None,
    ) -> Table:
        """How often two halves of the customers differ although nothing was tried.

        Customers are divided into 1,024 buckets at random, and random halves of the buckets
        are compared. About 5 % of the comparisons should be below p = 0.05; more means that
        intervals for these customers are too short.

        Parameters
        ----------
        start : date or str
            The day on which the windows start, in which nothing was tried.
        days_after : int
            Length of the window, in days.
        n : int, default 1000
            Number of comparisons.
        seed : int, default 0
            Seed of the halves.
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
            the number of orders, and whether he had bought. ``None``: nothing.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            A row for each metric: ``metric``, ``customers``, ``comparisons`` (int64),
            ``false_alarms`` (float64, the share of comparisons with p < 0.05), ``low`` and
            ``high`` (its 95 % interval).

        Raises
        ------
        NotEnoughDataError
            If the window is not over.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, 1 + i * i % 29) for i in range(6000)]
        >>> ids = [i * 7919 % 1103 for i in range(6000)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days}))
        >>> table = base.aa("2026-01-15", 7, n=100, metrics=["orders"])
        >>> table["low"][0] <= 0.05 <= table["high"][0]
        True
        """
        asked = effect_arguments(metrics_of(metrics, self._options), adjust=adjust)
        first, days = _day("start", start), arguments.whole("days_after", days_after)
        return Table(
            _core.aa_comparisons(
                _past_windows(self, first + days, days, (None, None), n_threads),
                asked,
                draws=max(min(arguments.whole("n", n), 2**32 - 1), 0),
                seed=arguments.whole("seed", seed) % 2**64,
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def _day_after_the_data(self) -> int:
        last = self._core.last_day
        if last is None:
            raise NotEnoughDataError("the base has no data, so no window is over. Update it first")
        return _day("", last) + 1


def _day(argument: str, value: AsOf) -> int:
    """A day as a number, from 1970."""
    found = as_of_argument(value, argument)
    if found is None or found[0] == "instant":
        raise InvalidTypeError(f"{argument}={value!r}; expected a date, such as '2026-01-31'")
    return found[1]


def _date(day: int) -> datetime.date:
    if not 1 <= _EPOCH + day <= datetime.date.max.toordinal():
        raise OutOfRangeError("start is too early or too late: the windows before it leave the years 1 to 9999")
    return datetime.date.fromordinal(_EPOCH + day)


def _pair(shares: object) -> tuple[float, float]:
    """The shares of control and treatment."""
    if isinstance(shares, str) or not isinstance(shares, Sequence) or len(shares) != 2:
        raise InvalidArgumentError(f"shares={shares!r}; expected two numbers, the shares of control and treatment")
    return arguments.number("shares[0]", shares[0]), arguments.number("shares[1]", shares[1])


def _past_windows(
    base: Any,  # noqa: ANN401 (a customer base)
    end: int,
    days: int,
    who: tuple[Data | str | Sequence[str] | None, list[str] | None],
    n_threads: int | None,
) -> _core.Table:
    """The windows of customers that end on the day before `end`: those who had bought before, or of a table."""
    table, segments = who
    exposed_on = end - days
    of_day = _date(exposed_on - 1)
    # Named segments are those of all who had bought.
    ids: Any = base.rfm(of_day, columns=["n_orders"], n_threads=n_threads) if table is None or segments else table
    read = experiment_arguments(
        base._options["customer_id"],
        group=None,
        exposed_on="exposed_on",
        start=_date(exposed_on),
        days_after=days,
        days_before=None,
        lag=0,
        gap=0,
        on_conflict="drop",
        as_of=None,
    )
    return _core.experiment_table(
        base._core,
        as_source(ids, arguments.key_names(read["customer_id"])),
        read,
        scorer_argument(None) if segments else None,
        attributes=[],
        n_threads=arguments.optional_whole("n_threads", n_threads),
    )
