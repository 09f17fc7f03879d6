"""The summary for models of lifetime value: a method of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf

__all__ = ["LifetimeValue"]


@proposing_methods
class LifetimeValue:
    """The methods of :class:`custcore.CustomerBase` on lifetime value."""

    __slots__ = ()

    _core: _core.CustomerBase

    def clv_summary(
        self,
        calibration_end: AsOf | None = None,
        holdout_end: AsOf | None = None,
        *,
        names: Literal["custcore", "lifetimes", "btyd"] = "custcore",
        n_threads: int | None = None,
    ) -> Table:
        """Repeat purchases, last purchase and age of customers: what lifetime value needs.

        A day is one occasion: its orders are summed, and a repeat purchase on the day of the
        first one is none. Days up to ``calibration_end`` are for the fit; those after it, up
        to ``holdout_end``, show what happened then. Both ends are inclusive.

        Parameters
        ----------
        calibration_end : date, datetime or str, optional
            The last day of calibration, inclusive: what models are fitted on. Default: the last
            day of the data.
        holdout_end : date, datetime or str, optional
            The last day of the hold-out, inclusive: what happened afterwards, to check models.
            Default: the last day of the data if ``calibration_end`` is given, else there is no
            hold-out.
        names : {"custcore", "lifetimes", "btyd"}, default "custcore"
            The names of the columns: ``"custcore"`` (x, t_x, T, m_x), ``"lifetimes"``
            (frequency, recency, T, monetary_value) or ``"btyd"`` (x, t.x, T.cal, m.x).
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per buyer whose first purchase day is in calibration, ascending by id: the
            id; ``x`` (int32, purchase days in calibration after the first), ``t_x`` (int32,
            days from the first to the last of them), ``T`` (int32, days from the first to the
            end of calibration), ``m_x`` (float64, mean money of the ``x`` days; null for x = 0;
            omitted without an amount). With a hold-out ``x_holdout`` (int32, purchase days in
            it), ``m_holdout`` (float64, their mean money, null without any), ``holdout_days``
            (int32), and for the baseline of the same length before it ``x_before`` and
            ``m_before``. Buyers who came first in the hold-out are counted in the report, and
            a hold-out beyond the last day of the data is a remark.

        Raises
        ------
        InvalidArgumentError
            If ``holdout_end`` is not after ``calibration_end``, or is given without it.
        StateMismatchError
            If the base is of level ``"totals"``, which has no purchase days.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 4, 8, 20)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": [1, 2, 1, 1], "timestamp": days}))
        >>> list(base.clv_summary())
        [{'customer_id': 1, 'x': 2, 't_x': 19, 'T': 19},
         {'customer_id': 2, 'x': 0, 't_x': 0, 'T': 16}]
        """
        return Table(
            _core.clv_summary(
                self._core,
                as_of_argument(calibration_end, "calibration_end"),
                as_of_argument(holdout_end, "holdout_end"),
                names=arguments.choice("names", names, ("custcore", "lifetimes", "btyd")),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
