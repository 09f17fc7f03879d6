"""What each customer is expected to do: predictions of tables, of one customer, of new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from custcore._input import arguments
from custcore._input.ids import one_group
from custcore._input.proposals import proposing_methods
from custcore.clv._fitted import Fitted
from custcore.clv._summaries import purchase_days, read_summary
from custcore.clv._time import horizon_days, horizons_argument
from custcore.clv._valuation import valuation
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore import _core
    from custcore._input.data import AsOf, Data
    from custcore._input.ids import Group
    from custcore.clv._settings import PurchaseSettings
    from custcore.clv._spend import GammaGamma
    from custcore.clv._time import Horizon, Horizons

__all__ = ["Prediction", "Predictions", "of_horizons"]


class Prediction(NamedTuple):
    """What ``predict_one`` of a model returns: the columns of ``predict``, None for null."""

    p_alive: float | None
    expected_purchases: float | None
    p_purchase: float | None
    p_alive_end: float | None
    expected_spend: float | None
    expected_revenue: float | None
    discounted_purchases: float | None
    clv: float | None
    purchases_low: int | None
    purchases_high: int | None


# Columns that are null without customers.
_MONEY = ("expected_spend", "expected_revenue", "clv")


def of_horizons(table: Table, *, is_list: bool) -> Table:
    """The table, without the column of horizons where one horizon was asked for."""
    return _without(table, (), is_list=is_list)


def _without(table: Table, left_out: tuple[str, ...], *, is_list: bool) -> Table:
    names = {*left_out, *(() if is_list else ("horizon_days",))} & set(table.column_names)
    return table.select([name for name in table.column_names if name not in names]) if names else table


@proposing_methods
class Predictions(Fitted):
    """The methods of a model of purchases that predict."""

    _settings: PurchaseSettings

    def predict(
        self,
        summary: Data,
        horizon: Horizons,
        *,
        spend: GammaGamma | Literal["own_mean"] | None = None,
        margin: float = 1.0,
        annual_rate: float = 0.1,
        discount: Literal["continuous", "monthly"] = "continuous",
        period_days: float | None = None,
        period_rate: float | None = None,
        level: float | None = None,
        cells: bool = False,
        as_of: AsOf | None = None,
        customer_id: str | Sequence[str] | None = None,
        unit: Literal["day", "week", "month", "year"] | None = None,
    ) -> Table:
        """What each customer is expected to do, and to be worth.

        Money of the past is not in it: ``clv`` is the value of what is to come.

        Parameters
        ----------
        summary : table
            One row per customer: what :meth:`custcore.CustomerBase.clv_summary` or
            :func:`custcore.clv_summary` returns, or any table with such columns by the names of
            custcore, lifetimes or BTYD. Times are in days, unless ``unit`` is given.
        horizon : float, timedelta, str, None, or list of these
            How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
            ``"1y"`` (of 7, 30.4375 and 365.25 days); None: no end; or a list of these, which
            gives a block of rows each and the column ``horizon_days``.
        spend : GammaGamma or "own_mean", optional
            The money of a purchase day: a fitted :class:`GammaGamma`; or ``"own_mean"``, the
            mean of the customer's own repeat purchase days, null for those without. Default:
            money is not predicted.
        margin : float, default 1.0
            What remains of the money: ``clv`` is multiplied by it.
        annual_rate : float, default 0.1
            The interest of a **year** by which later purchases count less.
        discount : {"continuous", "monthly"}, default "continuous"
            ``"continuous"``: each purchase is discounted from its own time. ``"monthly"``:
            those of each 30.4375 days at their end.
        period_days : float, optional
            Together with ``period_rate``, and instead of ``annual_rate`` and ``discount``: days
            of a period, at whose end its purchases are discounted, as other tools do (lifetimes
            with ``freq="W"``: 30.415).
        period_rate : float, optional
            The interest of such a period.
        level : float, optional
            Probability of the interval of the number of purchases, such as 0.9, for
            ``purchases_low`` and ``purchases_high``. Default: none.
        cells : bool, default False
            Whether to give one row for each distinct (x, t_x, T), with the number of its
            customers, instead of one for each customer; without columns of money.
        as_of : date, datetime or str, optional
            The day from which on to predict, if it is later than the end of the summary: nobody
            has bought since. Default: the end of the summary.
        customer_id : str or list of str, optional
            The columns of ids. Default: those that the metadata of the summary names, else
            ``customer_id`` if it is there.
        unit : {"day", "week", "month", "year"}, optional
            The unit of the times of a summary from elsewhere, which may then be fractions.
            Default: whole days.

        Returns
        -------
        Table
            One row per customer, ascending by id; for a list of horizons a block of rows for
            each. The ids; ``horizon_days`` (float64, for a list); ``p_alive``, the probability
            of not being lost; ``expected_purchases`` in the horizon; ``p_purchase``, the
            probability of at least one; ``p_alive_end``, that of not being lost at its end;
            ``expected_spend`` of a purchase day and ``expected_revenue`` (null without
            ``spend``); ``discounted_purchases``, their present value; ``clv`` = margin *
            expected_spend * discounted_purchases (null without ``spend``; all float64); with
            ``level`` ``purchases_low`` and ``purchases_high`` (int64), quantiles of the number
            of purchases given the parameters. Purchases are purchase days. Without an end
            those of the horizon are null. The report counts customers without an expected
            spend.

        Raises
        ------
        InvalidArgumentError
            If the horizon is negative, or ``spend`` is given for a summary without amounts.
        NotFittedError
            Before :meth:`fit`.
        SummaryError
            If a row of the summary is impossible.

        Notes
        -----
        Results are joined to other tables by id, never by position: customers whose first
        purchase is later than the summary have no row.
        """
        core = self._model()
        days, is_list = horizons_argument("horizon", horizon)
        only_cells = arguments.flag("cells", cells)
        if only_cells and spend is not None:
            raise InvalidArgumentError("cells=True has no customers, so spend= has no m_x; leave one of them out")
        read = self._read(summary, customer_id, unit, as_of)
        value = valuation(
            days,
            spend=spend,
            margin=margin,
            annual_rate=annual_rate,
            discount=discount,
            period_days=period_days,
            period_rate=period_rate,
            level=level,
            summary=read,
        )
        table = Table(
            core.predict(
                read, horizons=days, cells=only_cells, horizon_column=is_list, n_threads=self._n_threads, **value
            )
        )
        return _without(table, _MONEY if only_cells else (), is_list=is_list)

    def predict_one(
        self,
        x: int,
        t_x: float,
        T: float,
        m_x: float | None = None,
        *,
        horizon: Horizon,
        spend: GammaGamma | Literal["own_mean"] | None = None,
        margin: float = 1.0,
        annual_rate: float = 0.1,
        discount: Literal["continuous", "monthly"] = "continuous",
        period_days: float | None = None,
        period_rate: float | None = None,
        level: float | None = None,
        group: Group | None = None,
    ) -> Prediction:
        """What one customer is expected to do: :meth:`predict` without a table, for services.

        It has the same bits. Times are in days.

        Parameters
        ----------
        x : int
            Repeat purchase days: those after the first one.
        t_x : float
            Days from the first purchase to the last.
        T : float
            Days from the first purchase to now.
        m_x : float, optional
            Mean money of the repeat purchase days.
        horizon : float, timedelta, str or None
            How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
            ``"1y"`` (of 7, 30.4375 and 365.25 days); None: no end.
        spend : GammaGamma or "own_mean", optional
            The money of a purchase day: a fitted :class:`GammaGamma`; or ``"own_mean"``, the
            mean of the customer's own repeat purchase days, null for those without. Default:
            money is not predicted.
        margin : float, default 1.0
            What remains of the money: ``clv`` is multiplied by it.
        annual_rate : float, default 0.1
            The interest of a **year** by which later purchases count less.
        discount : {"continuous", "monthly"}, default "continuous"
            ``"continuous"``: each purchase is discounted from its own time. ``"monthly"``:
            those of each 30.4375 days at their end.
        period_days : float, optional
            Together with ``period_rate``, and instead of ``annual_rate`` and ``discount``: days
            of a period, at whose end its purchases are discounted, as other tools do (lifetimes
            with ``freq="W"``: 30.415).
        period_rate : float, optional
            The interest of such a period.
        level : float, optional
            Probability of the interval of the number of purchases, such as 0.9, for
            ``purchases_low`` and ``purchases_high``. Default: none.
        group : int, str, bytes, bool, float, date or UUID, optional
            The value of the column ``by``, for a model that has one.

        Returns
        -------
        Prediction
            A named tuple of the columns; None for null.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        SummaryError
            If the customer is impossible.
        """
        core = self._model()
        days = horizon_days("horizon", horizon)
        value = valuation(
            [days],
            spend=spend,
            margin=margin,
            annual_rate=annual_rate,
            discount=discount,
            period_days=period_days,
            period_rate=period_rate,
            level=level,
        )
        found = core.predict_one(
            purchase_days(x),
            arguments.number("t_x", t_x),
            arguments.number("T", T),
            None if m_x is None else arguments.number("m_x", m_x),
            group=one_group(group),
            horizon=days,
            **value,
        )
        return Prediction(*found)

    def new_customers(
        self,
        horizon: Horizons,
        *,
        include_first: bool = False,
        spend: GammaGamma | Literal["own_mean"] | None = None,
        margin: float = 1.0,
        annual_rate: float = 0.1,
        discount: Literal["continuous", "monthly"] = "continuous",
        period_days: float | None = None,
        period_rate: float | None = None,
        level: float | None = None,
    ) -> Table:
        """What a customer who buys for the first time now is expected to do.

        Repeat purchases are meant, and their value.

        Parameters
        ----------
        horizon : float, timedelta, str, None, or list of these
            How far ahead: days, a ``timedelta``, or a text such as ``"12w"``, ``"6mo"``,
            ``"1y"`` (of 7, 30.4375 and 365.25 days); None: no end; or a list of these, which
            gives a block of rows each and the column ``horizon_days``.
        include_first : bool, default False
            Whether the first purchase, which is made at once and is not discounted, counts,
            too.
        spend : GammaGamma or "own_mean", optional
            The money of a purchase day: a fitted :class:`GammaGamma`; or ``"own_mean"``, the
            mean of the customer's own repeat purchase days, null for those without. Default:
            money is not predicted.
        margin : float, default 1.0
            What remains of the money: ``clv`` is multiplied by it.
        annual_rate : float, default 0.1
            The interest of a **year** by which later purchases count less.
        discount : {"continuous", "monthly"}, default "continuous"
            ``"continuous"``: each purchase is discounted from its own time. ``"monthly"``:
            those of each 30.4375 days at their end.
        period_days : float, optional
            Together with ``period_rate``, and instead of ``annual_rate`` and ``discount``: days
            of a period, at whose end its purchases are discounted, as other tools do (lifetimes
            with ``freq="W"``: 30.415).
        period_rate : float, optional
            The interest of such a period.
        level : float, optional
            Probability of the interval of the number of purchases, such as 0.9, for
            ``purchases_low`` and ``purchases_high``. Default: none.

        Returns
        -------
        Table
            The columns of :meth:`predict`, one row for each horizon. Of a model with groups one
            row for each group with parameters of its own, and one of all customers (null).

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        """
        core = self._model()
        days, is_list = horizons_argument("horizon", horizon)
        value = valuation(
            days,
            spend=spend,
            margin=margin,
            annual_rate=annual_rate,
            discount=discount,
            period_days=period_days,
            period_rate=period_rate,
            level=level,
        )
        first = arguments.flag("include_first", include_first)
        table = Table(core.new_customers(horizons=days, include_first=first, **value))
        return of_horizons(table, is_list=is_list)

    def _model(self) -> _core.PurchaseModel:
        core: _core.PurchaseModel = self._ready()
        return core

    def _read(
        self,
        summary: Data,
        customer_id: str | Sequence[str] | None,
        unit: str | None,
        as_of: AsOf | None = None,
    ) -> _core.ClvSummary:
        """A summary for this model."""
        return read_summary(
            summary,
            customer_id=customer_id,
            by=self._settings.by,
            unit=unit,
            as_of=as_of,
            n_threads=self._n_threads,
        )
