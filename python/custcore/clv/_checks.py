"""Models of purchases against what happened: evaluation of a hold-out, tracking curve."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore._lifecycle.model import core_of_base
from custcore.clv._evaluation import Evaluation
from custcore.clv._predictions import Predictions
from custcore.clv._summaries import with_holdout
from custcore.clv._time import whole_days
from custcore.clv._valuation import level_argument, spend_argument
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from custcore._input.data import AsOf, Data
    from custcore.base import CustomerBase
    from custcore.clv._spend import GammaGamma

__all__ = ["Checks"]


@proposing_methods
class Checks(Predictions):
    """The methods of a model of purchases that look at what happened."""

    def evaluate(
        self,
        summary: Data,
        *,
        spend: GammaGamma | Literal["own_mean"] | None = None,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Evaluation:
        """Compare what was expected of the hold-out with what happened in it, and with simple rules.

        Parameters
        ----------
        summary : table
            A summary with a hold-out: ``base.clv_summary(calibration_end=...)``.
        spend : GammaGamma or "own_mean", optional
            The money of a purchase day, as of :meth:`predict`. Default: only purchases are
            evaluated.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Returns
        -------
        Evaluation
            ``summary()``, ``by_x()``, and a page of text.

        Raises
        ------
        InvalidArgumentError
            If the summary has no hold-out.
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        read = with_holdout(self._read(summary, customer_id, unit))
        found = core.evaluate(read, spend=spend_argument(spend, read), n_threads=self._n_threads)
        return Evaluation(type(self).__name__, *map(Table, found))

    def tracking(
        self,
        base: CustomerBase,
        period: float | str | timedelta = "week",
        calibration_end: AsOf | None = None,
        holdout_end: AsOf | None = None,
        *,
        level: float = 0.95,
    ) -> Table:
        """Repeat purchases period by period: what happened, and what was expected.

        They are those of the customers of calibration.

        Expected is what the model says of each customer from the first purchase on, without
        looking at the later ones, so calibration is a test, too.

        Parameters
        ----------
        base : CustomerBase
            A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.
        period : float, timedelta or str, default "week"
            Length of a period in whole days: ``"day"``, ``"week"``, days, or a text such as
            ``"4w"``. Periods count from the first purchase day of all.
        calibration_end : date, datetime or str, optional
            The last day of calibration. Default: that of the fit.
        holdout_end : date, datetime or str, optional
            The last day that is shown. Default: the last day of the base.
        level : float, default 0.95
            Probability of the interval of the number in a period.

        Returns
        -------
        Table
            ``period_start``, ``period_end`` (date32, both inclusive), ``is_complete``,
            ``in_calibration`` (bool), ``actual`` (int64), ``expected`` (float64),
            ``actual_cumulative`` (int64), ``expected_cumulative``, ``expected_low``,
            ``expected_high`` (float64, of the number in the period).

        Raises
        ------
        InvalidArgumentError
            If the period is no whole number of days.
        NotFittedError
            Before :meth:`fit`.
        StateMismatchError
            If the base is of level ``"totals"``, which has no purchase days.
        """
        core = self._model()
        end = as_of_argument(calibration_end, "calibration_end")
        if end is None:
            fitted = self._parameters_info()["calibration_end"] if self.status_ != "given" else None
            if fitted is None:
                raise InvalidArgumentError(
                    "calibration_end is not given, and the model does not know it: it was not fitted on a summary of a "
                    "base; pass the last day of calibration"
                )
            end = as_of_argument(date.fromisoformat(fitted))
            assert end is not None
        return Table(
            core.tracking(
                core_of_base(base),
                end,
                as_of_argument(holdout_end, "holdout_end"),
                period_days=whole_days("period", period),
                level=level_argument(level),
                n_threads=self._n_threads,
            )
        )
