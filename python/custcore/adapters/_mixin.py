"""Methods of ``df.custcore`` common to all libraries; the accessor of a library converts frames from and to Arrow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import custcore
from custcore._input.proposals import proposing_methods
from custcore.adapters._affinity import FrameAffinity
from custcore.adapters._campaigns import CampaignMethods
from custcore.adapters._clv import FrameLifetimeValue
from custcore.adapters._cohorts import FrameCohorts
from custcore.adapters._columns import columns_of, feature_names, given
from custcore.adapters._lifecycle import FrameLifecycle
from custcore.adapters._portraits import PortraitMethods
from custcore.adapters._preferences import FramePreferences
from custcore.cohort._presets import with_presets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone
    from custcore.cluster import Scaler
    from custcore.cluster._features import Weights
    from custcore.cluster._kmeans import Init
    from custcore.result import Table

__all__ = ["FrameMethods", "Scorer"]

Frame = TypeVar("Frame")


class Scorer(Protocol):
    """A fitted scorer: :class:`custcore.RFMScorer` or :class:`custcore.QuantileScorer`."""

    def transform(self, table: Any, *, n_threads: int | None = None) -> Table: ...  # noqa: ANN401


@proposing_methods
class FrameMethods(
    FrameLifecycle[Frame],
    FrameLifetimeValue[Frame],
    FramePreferences[Frame],
    PortraitMethods[Frame],
    FrameAffinity[Frame],
    CampaignMethods,
):
    """Methods of an accessor whose results are frames of its library."""

    # Conversion, which differs by library.

    def _column_names(self) -> Iterable[object]:
        """The columns of the frame."""
        raise NotImplementedError

    def _transactions(self, wanted: dict[str, str], remarks: list[str]) -> Data:
        """The wanted columns, by the argument that names each; conversions are added to ``remarks``."""
        raise NotImplementedError

    def _customers(self) -> Data:
        """All columns that Arrow can hold, to be read several times."""
        raise NotImplementedError

    @staticmethod
    def _converted(table: Table, remarks: list[str]) -> Frame:
        """A result as a frame; static, so that cohort results, which keep it, can be pickled."""
        raise NotImplementedError

    def _appended(self, call: Callable[[Any], Table], segments: object) -> Frame:
        """The frame with the columns that ``call`` adds to its table; ``segments`` gives the order of segments."""
        raise NotImplementedError

    # Calls, the same for all libraries.

    def _call(self, function: Callable[..., Table], options: dict[str, Any]) -> tuple[Table, list[str]]:
        """The result of a function of transactions, and remarks on the conversion."""
        remarks: list[str] = []
        return function(self._transactions(columns_of(function, options), remarks), **options), remarks

    def _clustered(self, k: int | Literal["auto"], options: dict[str, Any]) -> tuple[Table, custcore.KMeans, list[str]]:
        """The result of :func:`custcore.segment_customers`, of customers or of transactions."""
        remarks: list[str] = []
        if set(feature_names(options["features"])) <= set(self._column_names()):
            data = self._customers()
        else:
            names = {name: options[name] for name in ("customer_id", "timestamp", "amount", "order_id", "attributes")}
            data = self._transactions(columns_of(custcore.rfm, names), remarks)
        table, model = custcore.segment_customers(data, k, **options)
        return table, model, remarks

    @with_presets
    def cohort_retention(
        self,
        *,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = None,
        order_id: str | Sequence[str] | None = None,
        period: str = "month",
        cohort_period: str | None = None,
        period_mode: Literal["calendar", "elapsed"] = "calendar",
        return_criteria: Literal["on", "on_or_after", "on_or_before", "every"] = "on",
        brackets: Iterable[int] | None = None,
        horizon: int | None = None,
        cohort_by: str = "first",
        by: str | None = None,
        start: str | None = None,
        returning: str | None = None,
        min_occurrences: int = 1,
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        timezone: TimeZone | None = None,
        as_of: AsOf | None = None,
        observation_start: AsOf | None = None,
        observation_end: AsOf | None = None,
        n_periods: int | None = None,
        preset: Literal["posthog", "mixpanel", "amplitude", "pandas"] | None = None,
        rfm: bool = False,
        returns: Literal["net", "exclude", "count"] = "net",
        zero_is_purchase: bool = True,
        order_lines: Literal["any", "adjacent"] = "any",
        amount_decimals: int = 6,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> FrameCohorts[Frame]:
        """Cohort retention of the customers of this frame, by :func:`custcore.cohort_retention`.

        Parameters
        ----------
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        amount : str, optional
            Column of money. Default: money is not read, so no row is a refund and every row is
            a purchase.
        order_id : str or list of str, optional
            Column of order ids, or a list of columns, of the same types as customer ids. Lines
            with the same customer and order id form one order, whose amount is their sum and
            whose time is the earliest. A line with a null order id is an order by itself, and
            reported. Default: every row is an order.
        period : str, default "month"
            Length of a period: ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``,
            or windows of days such as ``"7d"``, which are counted from ``observation_start``,
            else from 1970-01-01. The k-th period of a customer is k after that of the first
            purchase.
        cohort_period : str, optional
            Period that defines a cohort, e.g. weekly cohorts with daily columns. Default:
            ``period``.
        period_mode : {"calendar", "elapsed"}, default "calendar"
            Calendar periods, or windows of fixed length (days, weeks, ``"30d"``) from each
            customer's first local date.
        return_criteria : {"on", "on_or_after", "on_or_before", "every"}, default "on"
            Who counts in cell k >= 1: customers active in period k; in k or later; in any of 1
            to k; in each of 1 to k. In cell 0 every member counts.
        brackets : sequence of int, optional
            ``[1, 3, 7, 30]``: cells for the periods 1, 2 to 3, 4 to 7 and 8 to 30, named by
            their last period.
        horizon : int, optional
            With ``return_criteria="on_or_after"``: active in k to k + horizon - 1, complete
            when the last of these is over, so that old and young cohorts are comparable. Cell 0
            is the size of the cohort and does not wait for that.
        cohort_by : str, default "first"
            ``"first"``: the cohort is the period of the first purchase; customers who bought
            before ``observation_start`` are in no cohort. ``"first_in_window"``: the period of
            the first purchase from ``observation_start`` on. ``"recurring"``: every period with
            a purchase starts a cohort that its customers are in. Any other string is a column:
            its value at the first purchase (ties by the smallest; null is in no cohort), with
            periods counted from that purchase.
        by : str, optional
            Split everything by this column's value at the first purchase (null is a group).
        start : str, optional
            Boolean column of rows that may start a cohort. An order counts if one of its lines
            does; null is false. Default: every purchase.
        returning : str, optional
            Boolean column of rows that count as coming back, as ``start``. Default: every
            purchase.
        min_occurrences : int, default 1
            Orders needed in a period to be active in it (not at k = 0).
        week_start : str, default "monday"
            First day of the week, in English.
        fiscal_year_start : int, default 1
            Month, 1 to 12, with which years and quarters begin.
        timezone : str or tzinfo, optional
            Time zone whose local days count for times with a zone: an IANA name, an offset such
            as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
            are never shifted. Default: the column's own zone.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive. Default: the last date among rows that
            have an id and a time.
        observation_start : date, datetime or str, optional
            Where observation begins, inclusive; a date means its 00:00. Earlier rows belong to
            no cell. Default: the first day in the data.
        observation_end : date, datetime or str, optional
            Where observation ends, exclusive, instead of ``as_of``; a date means its 00:00.
            Later rows are left out and reported.
        n_periods : int, optional
            Cells 0 to n_periods - 1 for every cohort, null where not observed. Default: all
            that are observed.
        preset : {"posthog", "mixpanel", "amplitude", "pandas"}, optional
            Options with which that tool counts; options given explicitly take precedence.
            Sources, and where a tool's windows differ (hours instead of local days), are in
            :mod:`custcore.presets`.
        rfm : bool, default False
            Whether the same scan also makes the table of :func:`custcore.rfm`, for
            :meth:`custcore.CohortRetention.rfm`.
        returns : {"net", "exclude", "count"}, default "net"
            How orders with a negative amount count. ``"net"``: they lower the sums and are not
            purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
            like any other order. A customer who has only refunds is not a buyer. A refund
            lowers the revenue of the cell of its date and is not activity.
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
        FrameCohorts
            The methods of :class:`custcore.CohortRetention`, whose tables are frames.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        wanted = columns_of(custcore.cohort_retention, options)
        result = custcore.cohort_retention(self._transactions(wanted, remarks), **options)
        return FrameCohorts(result, partial(self._converted, remarks=remarks), remarks)

    def score(self, scorer: Scorer, *, n_threads: int | None = None) -> Frame:
        """Score this frame, which has one row per customer, by a fitted scorer.

        Parameters
        ----------
        scorer : RFMScorer or another with ``transform``
            A fitted scorer, whose ``fit`` takes the frames that :meth:`rfm` returns.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        frame
            This frame with all its columns, then the scores.

        Raises
        ------
        DuplicateColumnError
            If a column of the scores already exists.
        """
        segments = getattr(scorer, "_settings", {}).get("segments")
        return self._appended(lambda table: scorer.transform(table, n_threads=n_threads), segments)

    def kmeans(
        self,
        n_clusters: int = 8,
        *,
        sample_weight: Weights | None = None,
        init: Init = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: int | None = 0,
        n_threads: int | None = None,
        columns: Sequence[str] | None = None,
        scaler: Scaler | None = None,
    ) -> custcore.KMeans:
        """Cluster the rows of this frame: :meth:`custcore.KMeans.fit`.

        Parameters
        ----------
        n_clusters : int, default 8
            Number of clusters.
        sample_weight : (n_rows,), optional
            Weight of each row, 0 or more. Default: 1.
        init : {"k-means++", "random"}, array of centres, or callable, default "k-means++"
            How to start: greedy k-means++ (Arthur & Vassilvitskii 2007), distinct random rows,
            given centres, or a function ``init(x, n_clusters, random_state=...)`` that returns
            them. Given centres are on the scale of the scaler, if there is one. k-means++ draws
            from a sample of 65,536 rows (64 for each cluster, if that is more).
        n_init : int or "auto", default "auto"
            Number of starts, of which the best result is kept: Lloyd's algorithm runs from
            each. ``"auto"``: for k-means++ one start from centres that are searched first, see
            Notes; 1 for given centres; 10 for random rows and callables.
        max_iter : int, default 300
            Maximum number of iterations of one start.
        tol : float, default 1e-4
            A start ends when the squared shifts of all centres sum to at most ``tol`` times the
            mean variance of the features, or when no row changes its cluster. A start from
            searched centres takes a tenth of ``tol``: it begins near its end, where centres
            shift little.
        random_state : int or None, default 0
            Seed; the same seed gives the same result in every version and on every machine.
            ``None`` draws one.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        columns : list of str, optional
            Names of the features. Default: those of the scaler, else every column of the table.
        scaler : Scaler, optional
            Scales the features first. A scaler that is not fitted is fitted on the given rows.
            It is kept with the model, which then takes features in their own units.

        Returns
        -------
        KMeans
            The fitted model; :meth:`clusters` assigns rows to its clusters.
        """
        model = custcore.KMeans(
            n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            n_threads=n_threads,
            columns=columns,
            scaler=scaler,
        )
        return model.fit(self._customers(), sample_weight)

    def clusters(self, model: custcore.KMeans) -> Frame:
        """Assign the rows of this frame to the clusters of a fitted model.

        Parameters
        ----------
        model : KMeans
            A fitted model; its features are found by name.

        Returns
        -------
        frame
            This frame with all its columns, then ``cluster`` and, if the clusters have names,
            ``segment``.

        Raises
        ------
        DuplicateColumnError
            If a column with that name already exists.
        """
        return self._appended(model.assign, model.names_)
