"""``custcore.RFMScorer``: scores and segments from recency, frequency and money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, in_memory
from custcore._input.ids import one, one_group
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore._rfm.explanation import explanation
from custcore._rfm.parameters import Parameters, arguments_given
from custcore._rfm.quantile_scorer import checked_weights, columns_of_fit, score_options
from custcore._rfm.scorer_arguments import DIMENSIONS, bins_of, cuts_of, segments_of
from custcore._rfm.segment_map import SegmentMap
from custcore._rfm.segment_profile import FREQUENCY, MONETARY
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from custcore._input.data import Data
    from custcore._input.ids import Group, Id
    from custcore._rfm.explanation import ScoreExplanation
    from custcore._rfm.scorer_arguments import Bins, Cuts, Segments

__all__ = ["RFMScorer"]


@proposing_methods
class RFMScorer(Parameters, Persistable):
    """Scores 1 to B of recency, frequency and money, and segments.

    B is best: most recent, most frequent, largest.

    With n customers and L the number of strictly smaller values a score is ``max(1, ceil(B
    * L / (n - 1)))``, which is 1 plus the number of type-7 quantile edges strictly below
    the value (Hyndman & Fan 1996, as ``pandas.qcut`` cuts); recency uses ``B + 1 - score``.
    Equal values always get equal scores, so a bin may stay empty; it is reported.

    A fitted scorer keeps the edges: ``fit_transform(t)``, ``fit(t).transform(t)`` and
    ``score_one`` row by row agree exactly. Values outside the fitted range get 1 or B. A
    negative recency and a frequency below 1 are of no customer, and an error.

    Parameters
    ----------
    bins : int, (R, F, M), or dict by "recency", "frequency", "monetary", default 5
        Number of bins, 2 to 100: one for all, or one each for recency, frequency and
        monetary.
    ties : {"same", "split"}, default "same"
        ``"same"``: equal values get equal scores. ``"split"``: tiles of equal size over
        (value, customer id), like SQL's NTILE; the id is what the table was grouped by,
        else its first column.
    binning : {"independent", "nested"}, default "independent"
        ``"nested"`` scores F within each R score and M within each (R, F), as SPSS does.
    cuts : dict of "recency", "frequency", "monetary" to ascending values, optional
        Given edges instead of quantiles. A dimension then has one more bin than cuts.
    closed : {"right", "left"}, default "right"
        Whether a value equal to one of ``cuts`` belongs to the bin below it or above it.
    cuts_rule : {"type7", "r"}, default "type7"
        How edges follow from the data. ``"type7"``: quantiles of type 7. ``"r"``: as R's
        package rfm (edges plus 1, left-closed), for parity only: adding 1 is wrong for
        fractional money.
    by : str, optional
        Column whose groups are scored separately.
    unseen : {"error", "global"}, default "error"
        Whether a group or nested cell that did not occur in the fit is an error, or is
        scored with the edges of all customers.
    weights : (float, float, float), default (100, 10, 1)
        Weights of R, F and M in ``rfm_total``.
    frequency : {"orders", "days", "rows"}, default "orders"
        Whether F is ``n_orders``, ``n_days`` or ``n_rows``.
    monetary : {"total", "mean"}, default "total"
        Whether M is ``monetary_total`` or ``monetary_mean``.
    segments : "auto", a name, a SegmentMap or None, default "auto"
        How segments are named. ``"auto"``: the map ``rf10`` if R and F have 5 bins, else no
        segments (with a remark in the report). Names of maps are those of
        :meth:`custcore.SegmentMap.named`; ``None``: no segments.
    customer_id : str or list of str, optional
        Column of customer ids, or a list of columns, that decides among equal values with
        ``ties="split"``. Default: what the table was grouped by, which Arrow and Parquet
        keep and frames do not, else its first column.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> table = {
    ...     "recency_days": np.arange(10),
    ...     "n_orders": np.arange(1, 11),
    ...     "monetary_total": np.arange(10.0),
    ... }
    >>> scorer = custcore.RFMScorer().fit(table)
    >>> scorer.score_one(recency_days=0, frequency=10, monetary=9.0)
    (5, 5, 5, 'champions')
    >>> scorer.thresholds.to_pyarrow().slice(0, 1).to_pylist()
    [{'dimension': 'recency', 'score': 1, 'lower': 7.0, 'upper': 9.0, 'customers': 2,
      'is_empty': False}]
    """

    __slots__ = ("_core", "_given")

    def __init__(
        self,
        bins: Bins = 5,
        *,
        ties: Literal["same", "split"] = "same",
        binning: Literal["independent", "nested"] = "independent",
        cuts: Cuts | None = None,
        closed: Literal["right", "left"] = "right",
        cuts_rule: Literal["type7", "r"] = "type7",
        by: str | None = None,
        unseen: Literal["error", "global"] = "error",
        weights: tuple[float, float, float] = (100, 10, 1),
        frequency: Literal["orders", "days", "rows"] = "orders",
        monetary: Literal["total", "mean"] = "total",
        segments: Segments = "auto",
        customer_id: str | Sequence[str] | None = None,
    ) -> None:
        given = arguments_given(locals())
        options = score_options(
            ties=ties,
            binning=binning,
            closed=closed,
            cuts_rule=cuts_rule,
            by=by,
            unseen=unseen,
            customer_id=customer_id,
        )
        r, f, m = checked_weights(weights, 3)
        self._core = _core.RfmScorer(
            bins_of(bins),
            cuts_of(cuts),
            options,
            (r, f, m),
            arguments.name("frequency", frequency),
            arguments.name("monetary", monetary),
            segments_of(segments),
        )
        # Last, so that a failed change of an argument changes nothing.
        self._given = given

    def fit(self, table: Data, *, n_threads: int | None = None) -> RFMScorer:
        """Learn the edges from an RFM table.

        Parameters
        ----------
        table : table
            The result of :func:`custcore.rfm`, or any table with ``recency_days``, ``n_orders``
            and ``monetary_total`` (or the columns that ``frequency`` and ``monetary`` stand
            for). Without the column of money M is left out. Nulls are ignored in a fit and get
            null scores.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        RFMScorer
            This scorer.

        Raises
        ------
        NotEnoughDataError
            If all values are null.
        OutOfRangeError
            If a recency is negative or a frequency below 1; it names the row.
        """
        self._core = self._core.fit(self._source(table), n_threads=arguments.optional_whole("n_threads", n_threads))
        return self

    def transform(self, table: Data, *, columns: Sequence[str] | None = None, n_threads: int | None = None) -> Table:
        """Score an RFM table.

        Parameters
        ----------
        table : table
            The result of :func:`custcore.rfm`, or any table with ``recency_days``, ``n_orders``
            and ``monetary_total`` (or the columns that ``frequency`` and ``monetary`` stand
            for). Without the column of money M is left out. Nulls are ignored in a fit and get
            null scores.
        columns : sequence of str, optional
            Columns of the result, in this order, of the table and of the scores; only these are
            computed. The columns of customer ids always come first: those of the scorer's
            ``customer_id``, else those that the table was grouped by, else its first column,
            unless it is scored. Default: all columns.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The columns of ``table``, then ``r_score``, ``f_score``, ``m_score`` (uint8),
            ``rfm_cell`` ("r-f-m", dictionary of strings), ``rfm_score`` (int32, r*100 + f*10 +
            m; null where a B exceeds 9), ``rfm_total`` (float64, the weighted sum) and
            ``segment`` (dictionary of strings); or the columns asked for. A null value gives a
            null score.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        InvalidArgumentError
            If ``columns`` names one that the result does not have, or one twice.
        OutOfRangeError
            If a recency is negative or a frequency below 1; it names the row.
        """
        return Table(
            self._core.transform(
                as_source(table),
                columns=arguments.optional_names("columns", columns),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def fit_transform(
        self, table: Data, *, columns: Sequence[str] | None = None, n_threads: int | None = None
    ) -> Table:
        """Learn the edges from an RFM table and score it: :meth:`fit`, then :meth:`transform`.

        The data are read once, so ``table`` may be a stream.

        Parameters
        ----------
        table : table
            The result of :func:`custcore.rfm`, or any table with ``recency_days``, ``n_orders``
            and ``monetary_total`` (or the columns that ``frequency`` and ``monetary`` stand
            for). Without the column of money M is left out. Nulls are ignored in a fit and get
            null scores.
        columns : sequence of str, optional
            Columns of the result, in this order, of the table and of the scores; only these are
            computed. The columns of customer ids always come first: those of the scorer's
            ``customer_id``, else those that the table was grouped by, else its first column,
            unless it is scored. Default: all columns.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        """
        kept = in_memory(as_source(table))
        return self.fit(kept, n_threads=n_threads).transform(kept, columns=columns, n_threads=n_threads)

    def score_one(
        self,
        recency_days: int,
        frequency: int,
        monetary: float | Decimal | None = None,
        *,
        customer_id: Id | None = None,
        group: Group | None = None,
    ) -> tuple[int, int, int | None, str | None]:
        """Score one customer, without Arrow or numpy.

        Parameters
        ----------
        recency_days : int
            Days since the last purchase.
        frequency : int
            Number of orders (or what ``frequency`` stands for).
        monetary : float, int or Decimal, optional
            Total (or what ``monetary`` stands for); ignored when the scorer was fitted without
            money.
        customer_id : int, str, bytes, UUID or tuple, optional
            With ``ties="split"`` decides among equal values; a tuple for a composite key.
            Default: the customer counts as the first among equals.
        group : int, str, bytes, UUID, bool, float, date or datetime, optional
            The customer's group, if the scorer has ``by``; of the type of that column.

        Returns
        -------
        tuple
            ``(r, f, m, segment)``; m is None without money, the segment None without segments.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        OutOfRangeError
            If the recency is negative or the frequency below 1.
        """
        return self._core.score_one(recency_days, frequency, monetary, one(customer_id), one_group(group))

    def explain(
        self,
        recency_days: int,
        frequency: int,
        monetary: float | Decimal | None = None,
        *,
        customer_id: Id | None = None,
        group: Group | None = None,
    ) -> ScoreExplanation:
        """Why a customer has these scores and this segment, and what would change them.

        Parameters
        ----------
        recency_days : int
            Days since the last purchase.
        frequency : int
            Number of orders (or what ``frequency`` stands for).
        monetary : float, int or Decimal, optional
            Total (or what ``monetary`` stands for); ignored when the scorer was fitted without
            money.
        customer_id : int, str, bytes, UUID or tuple, optional
            With ``ties="split"`` decides among equal values; a tuple for a composite key.
            Default: the customer counts as the first among equals.
        group : int, str, bytes, UUID, bool, float, date or datetime, optional
            The customer's group, if the scorer has ``by``; of the type of that column.

        Returns
        -------
        ScoreExplanation
            For each score the bin with its exact ends, which of them belong to it, the rule
            that made them, and the nearest values with the next lower and the next higher
            score; then the rule of the segment map that matched, and the nearest changes of
            one value that lead to another segment. Every change that it names is found by
            scoring: :meth:`score_one` gives for it what the explanation says.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        OutOfRangeError
            If the recency is negative or the frequency below 1.

        Examples
        --------
        >>> import custcore, numpy as np
        >>> table = {
        ...     "recency_days": np.arange(10),
        ...     "n_orders": np.arange(1, 11),
        ...     "monetary_total": np.arange(5.0, 55.0, 5.0),
        ... }
        >>> why = custcore.RFMScorer().fit(table).explain(3, 6, 30.0)
        >>> why
        RFM 4-3-3: rfm_score 433, rfm_total 433
        recency_days 3: R 4 of 5
          bin: above 1 up to 3; type-7 quantiles of 10 customers
          would change: R 5 from 1 down; R 3 from 4 on
        n_orders 6: F 3 of 5
          bin: above 4 up to 6; type-7 quantiles of 10 customers
          would change: F 4 from 7 on; F 2 from 4 down
        monetary_total 30: M 3 of 5
          bin: above 23 up to 32; type-7 quantiles of 10 customers
          would change: M 4 above 32; M 2 from 23 down
        segment potential_loyalists: rule 9 of 10 (R 4 to 5, F 2 to 3)
          recency_days from 4 on: need_attention
          n_orders from 2 down: promising
          n_orders from 7 on: loyal_customers
        >>> why.recency.next_higher.value
        1
        """
        found = self._core.explain(recency_days, frequency, monetary, one(customer_id), one_group(group))
        return explanation(found, customer_id, group)

    def drift(self, table: Data, *, by_score: bool = False, n_threads: int | None = None) -> Table:
        """Population drift between the fit and a table: the population stability index (PSI).

        The bins are those of the fit. With the share of a score among the fitted customers (e)
        and in the table (a), each floored at 0.0001, PSI is the sum of ``(a - e) * ln(a / e)``
        over all scores. As a rule of thumb, below 0.1 nothing has changed, and above 0.25 the
        scorer should be fitted again.

        Parameters
        ----------
        table : table
            The result of :func:`custcore.rfm`, or any table with ``recency_days``, ``n_orders``
            and ``monetary_total`` (or the columns that ``frequency`` and ``monetary`` stand
            for). Without the column of money M is left out. Nulls are ignored in a fit and get
            null scores.
        by_score : bool, default False
            One row for each score instead of each dimension.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each dimension: ``dimension``, ``customers_fitted``, ``customers_now``
            (int64), ``psi`` (float64). With ``by_score`` also ``score`` (uint8),
            ``share_fitted`` and ``share_now`` (float64, before the floor), and ``psi`` is the
            term of the score.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        NotEnoughDataError
            If no row of the table has a value.

        Examples
        --------
        >>> import custcore, numpy as np
        >>> table = {
        ...     "recency_days": np.arange(100),
        ...     "n_orders": np.arange(1, 101),
        ...     "monetary_total": np.arange(100.0),
        ... }
        >>> scorer = custcore.RFMScorer().fit(table)
        >>> later = table | {"recency_days": np.arange(100) + 30}
        >>> [round(psi, 3) for psi in scorer.drift(later).to_pyarrow()["psi"].to_pylist()]
        [1.864, 0.0, 0.0]
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        by_score = arguments.flag("by_score", by_score)
        return Table(self._core.drift(self._source(table), by_score=by_score, n_threads=threads))

    @property
    def thresholds(self) -> Table:
        """The edges, one row per dimension and score.

        Columns: ``dimension``, ``score``, ``lower`` (exclusive, but for the smallest value) and
        ``upper`` (inclusive) of the values that get the score (the other way round where
        ``closed="left"`` or ``cuts_rule="r"``; with ``ties="split"`` both are the first values
        of tiles), ``customers`` (how many fitted customers have it) and ``is_empty``. With
        ``by`` a column ``group`` comes first, with nested binning ``within`` names the scores
        before.
        """
        return Table(self._core.thresholds())

    def _source(self, table: Data) -> object:
        """A table for the core, with the columns of a fit."""
        settings = self._core.settings
        frequency, monetary = FREQUENCY[settings["frequency"]], MONETARY[settings["monetary"]]
        names = columns_of_fit(["recency_days", frequency], settings)
        return as_source(table, names, optional=[monetary])

    @property
    def _settings(self) -> dict[str, Any]:
        """The arguments of an equal scorer."""
        settings = self._core.settings
        bins, cuts, segments = settings["bins"], settings["cuts"], settings["segments"]
        cut = {name: edges for name, edges in zip(DIMENSIONS, cuts, strict=True) if edges is not None}
        return settings | {
            "bins": bins[0] if len(set(bins)) == 1 else tuple(bins),
            "cuts": cut or None,
            "weights": tuple(settings["weights"]),
            "segments": SegmentMap._wrap(segments) if isinstance(segments, _core.SegmentMap) else segments,
        }

    def _can_be_saved(self) -> bool:
        return self._core.is_fitted

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        scorer = cls.__new__(cls)
        scorer._core = _core.RfmScorer.from_bytes(data)
        return scorer

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self._bytes(),)

    def __eq__(self, other: object) -> bool:
        return self._bytes() == other._bytes() if isinstance(other, RFMScorer) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        return f"RFMScorer({settings})" + ("" if self._core.is_fitted else ", not fitted")
