"""Stages of the life cycle: methods of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.dates import listed_dates
from custcore._input.ids import listed
from custcore._input.proposals import proposing_methods
from custcore._lifecycle import LifecycleModel
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data
    from custcore._input.ids import Id

__all__ = ["Lifecycle"]


@proposing_methods
class Lifecycle:
    """The methods of :class:`custcore.CustomerBase` on the stages of customers."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def lifecycle(
        self,
        as_of: AsOf | None = None,
        model: LifecycleModel | None = None,
        prospects: Data | Iterable[Id] | None = None,
        *,
        lang: Literal["en", "zh"] = "en",
        n_threads: int | None = None,
    ) -> Table:
        """The stage of each customer at the end of a day.

        With the gap between the last purchase and ``as_of``: ``new`` (one order), ``repeat``
        (2 to ``loyal_orders`` - 1) and ``loyal`` while the gap is not longer than the active
        window of the model; then ``at_risk`` up to its loss window, and ``lost`` beyond.
        ``prospect``: a listed id without a purchase.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            The last day that counts. Default: the last day in the base. With ``track="days"``
            or ``"orders"`` it may be any day.
        model : LifecycleModel, optional
            A fitted model, or one with both windows in days. Default: one with default settings
            is fitted as of ``as_of``.
        prospects : table or sequence of ids, optional
            Ids of possible customers: a sequence, a column, or a table with the id column of
            the base. Those without a purchase by then are prospects. Default: none.
        lang : {"en", "zh"}, default "en"
            Language of the names of stages.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per buyer, and per prospect, ascending by id: the id, ``stage`` (dictionary,
            in the order above), ``gap_days`` (int32; null for prospects), ``n_orders`` (int64),
            ``since`` (date32), the day on which the stage began. New: the first purchase. At
            risk, lost: the first day on which the gap was longer than the window. Repeat,
            loyal: the later of the day of the 2nd (``loyal_orders``-th) order and the first
            purchase after the last gap beyond the active window; null for a base of level
            ``"totals"``. Prospects: null. With ``rhythm="own"`` also ``typical_gap_days`` and
            ``overdue`` (float64), the gap in typical gaps. Ids with refunds only are in no
            stage, unless they are listed. A remark of the report has the windows.

        Raises
        ------
        NotEnoughDataError
            If there is no model and too few gaps ended to fit one.
        NotFittedError
            If the model is not fitted and has no windows.
        StateMismatchError
            If the base is of level ``"totals"``, and there is no model with windows in days, or
            ``as_of`` is before its last day.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 3, 20, 31)]
        >>> base = custcore.CustomerBase(amount=None)
        >>> base.update(pa.table({"customer_id": [1, 2, 2, 3], "timestamp": days}))
        >>> model = custcore.LifecycleModel(active_days=14, loss_days=28)
        >>> stages = base.lifecycle(model=model, prospects=[3, 4])
        >>> stages.to_pyarrow().select(["customer_id", "stage", "since"]).to_pylist()
        [{'customer_id': 1, 'stage': 'lost', 'since': datetime.date(2026, 1, 30)},
         {'customer_id': 2, 'stage': 'repeat', 'since': None},
         {'customer_id': 3, 'stage': 'new', 'since': datetime.date(2026, 1, 31)},
         {'customer_id': 4, 'stage': 'prospect', 'since': None}]
        """
        return Table(
            _core.lifecycle(
                self._core,
                as_of_argument(as_of),
                model=None if model is None else _core_of(model),
                prospects=self._ids(prospects),
                lang=arguments.name("lang", lang),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def lifecycle_counts(
        self,
        dates: Iterable[AsOf],
        model: LifecycleModel,
        *,
        prospects: Data | Iterable[Id] | None = None,
        lang: Literal["en", "zh"] = "en",
        n_threads: int | None = None,
    ) -> Table:
        """Customers and revenue of each stage at several dates, by one model.

        Parameters
        ----------
        dates : list of date, datetime or str
            One or more, ascending. Dates before the last one in the base need ``track="days"``
            or ``"orders"``. Before the first purchase there are no customers.
        model : LifecycleModel
            A fitted model, or one with both windows in days.
        prospects : table or sequence of ids, optional
            Ids of possible customers: a sequence, a column, or a table with the id column of
            the base. Those without a purchase by then are prospects. Default: none.
        lang : {"en", "zh"}, default "en"
            Language of the names of stages.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            A row for each date and stage, also where nobody is in it: ``as_of`` (date32),
            ``stage``, ``customers`` (int64), ``share`` (float64: of all rows of the date; null
            if there are none), ``revenue`` (what these customers have spent by then, in the type
            of ``monetary_total``; omitted without an amount column). The customers of a date,
            without prospects, are the buyers by then. The report is that of the last date.

        Raises
        ------
        InvalidArgumentError
            If there is no date, or they do not ascend.
        NotFittedError
            If the model is not fitted and has no windows.
        StateMismatchError
            If a date is too early for the level of the base.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 3, 20)]
        >>> base = custcore.CustomerBase(track="days")
        >>> base.update(
        ...     pa.table(
        ...         {"customer_id": [1, 2, 2], "timestamp": days, "amount": [5.0, 1.0, 2.0]}
        ...     )
        ... )
        >>> model = custcore.LifecycleModel(active_days=14, loss_days=28)
        >>> counts = base.lifecycle_counts(["2026-01-10", "2026-01-31"], model)
        >>> [row for row in counts.to_pyarrow().to_pylist() if row["customers"]]
        [{'as_of': datetime.date(2026, 1, 10), 'stage': 'new', 'customers': 2, 'share': 1.0,
          'revenue': 6.0},
         {'as_of': datetime.date(2026, 1, 31), 'stage': 'repeat', 'customers': 1, 'share': 0.5,
          'revenue': 3.0},
         {'as_of': datetime.date(2026, 1, 31), 'stage': 'lost', 'customers': 1, 'share': 0.5,
          'revenue': 5.0}]
        """
        return Table(
            _core.lifecycle_counts(
                self._core,
                listed_dates(dates),
                _core_of(model),
                prospects=self._ids(prospects),
                lang=arguments.name("lang", lang),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def lifecycle_flows(
        self,
        dates: Iterable[AsOf],
        model: LifecycleModel,
        *,
        lang: Literal["en", "zh"] = "en",
        n_threads: int | None = None,
    ) -> Table:
        """How customers move between stages from date to date, by one model.

        Parameters
        ----------
        dates : list of date, datetime or str
            At least two, ascending; customers are followed from each to the next. Dates before
            the last one in the base need ``track="days"`` or ``"orders"``. Before the first
            purchase there are no customers.
        model : LifecycleModel
            A fitted model, or one with both windows in days.
        lang : {"en", "zh"}, default "en"
            Language of the names of stages.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each pair of stages that has customers: ``from_date``, ``to_date``
            (date32), ``from_stage`` (null: no buyer yet), ``to_stage``, ``customers`` (int64),
            ``revenue`` (what they have spent by ``to_date``; omitted without an amount column),
            ``share`` (float64: of all customers in ``from_stage`` at ``from_date``; of the
            newcomers for null). The customers of the rows of one ``to_date`` add up to
            those of :meth:`lifecycle_counts`. If later lines turn an order into a refund, a
            customer can be a buyer at one date and not at the next: a remark counts them.

        Raises
        ------
        InvalidArgumentError
            If there are fewer than two dates, or they do not ascend.
        NotFittedError
            If the model is not fitted and has no windows.
        StateMismatchError
            If a date is too early for the level of the base.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 3, 20)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": [1, 2, 2], "timestamp": days}))
        >>> model = custcore.LifecycleModel(active_days=14, loss_days=28)
        >>> flows = base.lifecycle_flows(["2026-01-10", "2026-01-31"], model).to_pyarrow()
        >>> flows.select(["from_stage", "to_stage", "share"]).to_pylist()
        [{'from_stage': 'new', 'to_stage': 'repeat', 'share': 0.5},
         {'from_stage': 'new', 'to_stage': 'lost', 'share': 0.5}]
        """
        return Table(
            _core.lifecycle_flows(
                self._core,
                listed_dates(dates),
                _core_of(model),
                lang=arguments.name("lang", lang),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def _ids(self, prospects: object) -> list[Any] | None:
        if prospects is None:
            return None
        return listed("prospects", prospects, arguments.key_names(self._options["customer_id"]))


def _core_of(model: object) -> _core.LifecycleModel:
    if not isinstance(model, LifecycleModel):
        raise InvalidTypeError(f"model is {type(model).__name__}; expected a LifecycleModel")
    return model._core
