"""``custcore.clv.backtest``: a model of purchases at several past days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore._input import arguments
from custcore._input.dates import listed_dates
from custcore._input.proposals import proposing
from custcore._lifecycle.model import core_of_base
from custcore.clv._comparison import MEASURES, PARAMETERS, measures_of, model_argument
from custcore.clv._evaluation import BASELINES, is_better
from custcore.clv._summaries import read_summary, with_holdout
from custcore.clv._tables import table_of
from custcore.clv._time import finite_horizon
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from custcore._input.data import AsOf
    from custcore.base import CustomerBase
    from custcore.clv._purchases import PurchaseModel

__all__ = ["backtest"]

_DAY_SECONDS = 86_400


@proposing
def backtest(
    base: CustomerBase,
    model: PurchaseModel,
    calibration_ends: Iterable[AsOf],
    horizon: float | str | timedelta,
    *,
    n_threads: int | None = None,
) -> Table:
    """Fit a model at several past days, and see whether it would have told what came next.

    At each end the model is fitted on the purchases up to that day, and compared with
    those of the ``horizon`` after it. All of it is from one base; nothing after an end
    changes its fit.

    Parameters
    ----------
    base : CustomerBase
        A base of level ``"days"`` or ``"orders"``, in memory or on disk. It is not changed.
    model : model
        A model of purchases, fitted or not: it is fitted anew at each end, with its
        settings, and not changed.
    calibration_ends : list of date, datetime or str
        The last days of calibration, ascending.
    horizon : float, timedelta or str
        What is held out after each of them: whole days, a ``timedelta``, or a text such as
        ``"12w"``.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        A row for each end: ``calibration_end``, ``holdout_end`` (date32), ``customers``
        (int64), ``log_likelihood`` (float64), ``status``, ``limit`` (string), ``r``, ``alpha``,
        ``a``, ``b``, ``s``, ``beta`` (float64, null where the model has no such parameter); the
        measures of :meth:`Evaluation.summary` for purchases: ``actual``, ``expected``,
        ``total_error``, ``mae``, ``rmse``, ``bias``, ``rank_correlation``,
        ``top_decile_share``, ``brier``, ``log_loss``, ``auc`` (float64); and ``beats_zero``,
        ``beats_own_rate``, ``beats_same_as_before`` (bool): whether its ``rmse`` is lower than
        that of the rule.

    Raises
    ------
    ConvergenceError
        If a search found no maximum, unless the model has ``on_failure="warn"``.
    InvalidArgumentError
        If the horizon is less than a day, or the days after an end are not all in the base.
    NotEnoughDataError
        If nobody bought again up to an end.
    StateMismatchError
        If the base is of level ``"totals"``, which has no past days.

    Notes
    -----
    A horizon of months or years is rounded to whole days here, as a hold-out has them.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> base = custcore.CustomerBase(amount=None, track="days")
    >>> base.update(
    ...     {
    ...         "customer_id": (2_000 * rng.random(8_000) ** 2).astype(int),
    ...         "timestamp": np.datetime64("2024-01-01") + rng.integers(0, 366, 8_000),
    ...     }
    ... )
    >>> ends = ["2024-06-30", "2024-09-30"]
    >>> test = custcore.clv.backtest(
    ...     base, custcore.clv.MBGNBD(on_failure="warn"), ends, "12w"
    ... )
    >>> [str(day) for day in test["holdout_end"]]
    ['2024-09-22', '2024-12-23']
    """
    core = core_of_base(base)
    asked = model_argument("model", model)
    days = round(finite_horizon("horizon", horizon))
    if days < 1:
        raise InvalidArgumentError(f"horizon={horizon!r} is less than a day; expected at least one")
    threads = arguments.optional_whole("n_threads", n_threads)
    rows = [_row(core, asked, end, days, threads) for end in listed_dates(calibration_ends, "calibration_ends")]
    if not rows:
        raise InvalidArgumentError("calibration_ends is empty; give at least one day")
    columns: dict[str, tuple[str, list[Any]]] = {
        name: (kind, [row[name] for row in rows]) for name, kind in _COLUMNS.items()
    }
    remarks = [f"{row['calibration_end']}: {remark}" for row in rows for remark in row["remarks"]]
    for name in ("calibration_end", "holdout_end"):
        columns[name] = ("date32", [_epoch_days(row[name]) for row in rows])
    return table_of(columns, remarks)


_COLUMNS = {
    "calibration_end": "date32",
    "holdout_end": "date32",
    "customers": "int64",
    "log_likelihood": "float64",
    "status": "string",
    "limit": "string",
    **dict.fromkeys(PARAMETERS, "float64"),
    **dict.fromkeys(MEASURES, "float64"),
    **dict.fromkeys((f"beats_{rule}" for rule in BASELINES), "bool"),
}


def _row(
    core: _core.CustomerBase, model: PurchaseModel, end: tuple[str, int], days: int, n_threads: int | None
) -> dict[str, Any]:
    """The fit and the measures of one end."""
    kind, number = end
    later = (kind, number + days * (_DAY_SECONDS if kind == "instant" else 1))
    table = _core.clv_summary(core, end, later, names="custcore", n_threads=n_threads)
    last = core.last_day
    holdout_end = table.metadata["custcore.holdout_end"]
    if last is not None and holdout_end > last:
        raise InvalidArgumentError(
            f"calibration_ends has {table.metadata['custcore.calibration_end']}, whose {days} days end on "
            f"{holdout_end}, after the last day of the base, {last}; nothing is known of the days between"
        )
    read = with_holdout(read_summary(Table(table), by=model.by, n_threads=n_threads))
    fitted = model._fitted_on(read)
    measured = measures_of(fitted, read)
    return {
        "calibration_end": table.metadata["custcore.calibration_end"],
        "holdout_end": holdout_end,
        "customers": read.rows,
        "log_likelihood": fitted.log_likelihood_,
        "status": fitted.status_,
        "limit": fitted.limit_,
        **{name: fitted.params_.get(name) for name in PARAMETERS},
        **{name: measured[0][name] for name in MEASURES},
        **{f"beats_{rule}": is_better(measured, rule) for rule in BASELINES},
        "remarks": fitted.fit_.remarks,
    }


def _epoch_days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days
