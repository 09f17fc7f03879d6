"""polars: DataFrames and LazyFrames in, DataFrames out, by ``df.custcore``.

Only the columns that a call names leave polars. A LazyFrame is read as a stream of batches and never whole
in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, cast, overload

try:
    import polars as pl
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("custcore.polars needs polars: pip install 'custcore[polars]'", name="polars") from error

import custcore
from custcore.adapters._cohorts import FrameCohorts, forward_cohorts
from custcore.adapters._forward import cluster_inputs, columns_of, describe
from custcore.errors import DuplicateColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from custcore.result import Report, Table

__all__ = ["CustcoreNamespace"]

P = ParamSpec("P")


class Scorer(Protocol):
    """A fitted scorer: :class:`custcore.RFMScorer` and its kin."""

    def transform(self, table: Any, *, n_threads: int | None = None) -> Table: ...  # noqa: ANN401


class Method(Protocol[P]):
    """A method with the arguments of a function of the public API, which returns a frame, with its report if asked."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> pl.DataFrame: ...
    @overload
    def __call__(self, *, return_report: Literal[True], **options: Any) -> tuple[pl.DataFrame, Report]: ...  # noqa: ANN401
    @overload
    def __call__(self, *, return_report: Literal[False], **options: Any) -> pl.DataFrame: ...  # noqa: ANN401


def _forward(function: Callable[Concatenate[Any, P], Table]) -> Callable[[Callable[..., object]], Method[P]]:
    """Mark a method that takes the arguments of ``function``, and document it by them."""

    def mark(method: Callable[..., object]) -> Method[P]:
        describe(method, function)
        return cast("Method[P]", method)

    return mark


@pl.api.register_lazyframe_namespace("custcore")
@pl.api.register_dataframe_namespace("custcore")
class CustcoreNamespace:
    """custcore for polars: ``df.custcore`` and ``lf.custcore``, after ``import custcore.polars``.

    A LazyFrame is asked for the needed columns only and read in batches while the query runs; the results are
    DataFrames. polars frames carry no notes, so ``return_report=True`` returns the report beside the frame. The segment
    is an Enum in the order of its map, all else as :func:`custcore.rfm` has it.

    Examples
    --------
    >>> import datetime
    >>> import polars as pl
    >>> import custcore.polars
    >>> orders = pl.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob", None, "ann"],
    ...         "timestamp": [datetime.date(2026, 1, d) for d in (5, 9, 10, 12)],
    ...         "amount": [10.0, 25.0, 3.0, 5.5],
    ...     }
    ... )
    >>> buyers, report = orders.lazy().custcore.rfm(as_of="2026-01-31", return_report=True)
    >>> buyers.select("customer_id", "recency_days", "n_orders", "monetary_total").rows()
    [('ann', 19, 2, 15.5), ('bob', 22, 1, 25.0)]
    >>> report["null_customer_id"].sum
    3.0
    """

    def __init__(self, frame: pl.DataFrame | pl.LazyFrame) -> None:
        self._frame = frame

    @_forward(custcore.rfm)
    def rfm(self, *, return_report: bool = False, **options: Any) -> pl.DataFrame | tuple[pl.DataFrame, Report]:  # noqa: ANN401
        """Recency, frequency and money of every buyer in this frame: :func:`custcore.rfm`, polars in and out.

        Parameters
        ----------
        return_report : bool, default False
            Whether to return the report of what was left out, too.

        Returns
        -------
        polars.DataFrame, or (polars.DataFrame, Report)
            The columns of :func:`custcore.rfm`, one row per buyer.

        Examples
        --------
        >>> import datetime
        >>> import polars as pl
        >>> import custcore.polars
        >>> orders = pl.DataFrame(
        ...     {"who": ["ann", "bob"], "timestamp": [datetime.date(2026, 1, 5)] * 2, "amount": [9, 7]}
        ... )
        >>> orders.custcore.rfm(customer_id="who").select("who", "monetary_total").rows()
        [('ann', 9), ('bob', 7)]
        """
        return self._run(custcore.rfm, options, return_report=return_report)

    @_forward(custcore.rfm_scores)
    def rfm_scores(
        self,
        *,
        return_report: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
        """RFM table, scores and segments of this frame: :func:`custcore.rfm_scores`, polars in and out.

        Parameters
        ----------
        return_report : bool, default False
            Whether to return the report of what was left out, too.

        Returns
        -------
        polars.DataFrame, or (polars.DataFrame, Report)
            The columns of :func:`custcore.rfm_scores`, one row per buyer. The segment is an Enum in the
            order of its map.

        Examples
        --------
        >>> import datetime
        >>> import polars as pl
        >>> import custcore.polars
        >>> days = [datetime.date(2026, 1, d) for d in (1, 5, 9, 13, 17)]
        >>> orders = pl.DataFrame({"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9, 7, 5, 3, 1]})
        >>> orders.custcore.rfm_scores().select("customer_id", "rfm_cell", "segment").row(4)
        (5, '5-1-1', 'new_customers')
        """
        return self._run(custcore.rfm_scores, options, return_report=return_report)

    @forward_cohorts(custcore.cohort_retention)
    def cohort_retention(self, **options: Any) -> FrameCohorts[pl.DataFrame]:  # noqa: ANN401
        """Cohort retention of the customers in this frame: :func:`custcore.cohort_retention`, polars in and out.

        Returns
        -------
        FrameCohorts of polars.DataFrame
            The methods of :class:`custcore.CohortRetention`, whose tables are DataFrames.

        Examples
        --------
        >>> import datetime
        >>> import polars as pl
        >>> import custcore.polars
        >>> days = [datetime.date(2026, *d) for d in ((1, 5), (1, 9), (2, 12), (3, 1))]
        >>> orders = pl.DataFrame({"customer_id": [1, 2, 1, 3], "timestamp": days})
        >>> cohorts = orders.lazy().custcore.cohort_retention(as_of="2026-03-31")
        >>> cohorts.matrix("customers").select("cohort_size", "0", "1", "2").rows()
        [(2, 2, 1, 0), (0, 0, 0, None), (1, 1, None, None)]
        """
        wanted = list(columns_of(custcore.cohort_retention, options))
        result = custcore.cohort_retention(self._transactions(wanted), **options)
        return FrameCohorts(result, lambda table: table.to_polars())

    def score(self, scorer: Scorer, *, n_threads: int | None = None) -> pl.DataFrame:
        """Score this frame, which has a row per customer, by a fitted scorer.

        Parameters
        ----------
        scorer : RFMScorer or another with ``transform``
            A fitted scorer. ``scorer.fit`` takes the DataFrames that :meth:`rfm` returns.
        n_threads : int, optional
            As in :func:`custcore.rfm`.

        Returns
        -------
        polars.DataFrame
            All columns of this frame, then the scores.

        Raises
        ------
        DuplicateColumnError
            If a column of the scores is there already.

        Examples
        --------
        >>> import polars as pl
        >>> import custcore.polars
        >>> customers = pl.DataFrame({"recency_days": [9, 3], "n_orders": [1, 4], "monetary_total": [5.0, 80.0]})
        >>> scorer = custcore.RFMScorer().fit(customers)
        >>> customers.custcore.score(scorer).select("recency_days", "rfm_cell", "segment").rows()
        [(9, '1-1-1', 'hibernating'), (3, '5-5-5', 'champions')]
        """
        segments = getattr(scorer, "_settings", {}).get("segments")
        frame, added = self._added(lambda table: scorer.transform(table, n_threads=n_threads))
        return frame.hstack(_ordered(added, segments))

    def kmeans(
        self,
        n_clusters: int = 8,
        *,
        columns: Sequence[str] | None = None,
        sample_weight: Any = None,  # noqa: ANN401
        **settings: Any,  # noqa: ANN401
    ) -> custcore.KMeans:
        """Find clusters among the rows of this frame: :meth:`custcore.KMeans.fit`.

        Parameters
        ----------
        n_clusters : int, default 8
            How many clusters.
        columns : list of str, optional
            The features; default: those of the scaler, else all columns.
        sample_weight : (n_rows,), optional
            How much each row counts.
        **settings
            The other arguments of :class:`custcore.KMeans`.

        Returns
        -------
        KMeans
            The fitted model; :meth:`clusters` puts rows into its clusters.

        Examples
        --------
        >>> import polars as pl
        >>> import custcore.polars
        >>> customers = pl.DataFrame({"id": list("abcd"), "orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
        >>> customers.custcore.kmeans(2, columns=["orders", "spend"]).inertia_
        14.0
        """
        model = custcore.KMeans(n_clusters, columns=columns, **settings)
        return model.fit(self._customers(), sample_weight)

    def clusters(self, model: custcore.KMeans) -> pl.DataFrame:
        """Put the rows of this frame into the clusters of a fitted model.

        Parameters
        ----------
        model : KMeans
            A fitted model; its features are found by name.

        Returns
        -------
        polars.DataFrame
            All columns of this frame, then ``cluster`` and, where the clusters have names, ``segment`` (an Enum).

        Raises
        ------
        DuplicateColumnError
            If a column of that name is there already.

        Examples
        --------
        >>> import polars as pl
        >>> import custcore.polars
        >>> customers = pl.DataFrame({"orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
        >>> model = custcore.KMeans(2, init=[[1, 5], [9, 80]]).fit(customers)
        >>> customers.custcore.clusters(model)["cluster"].to_list()
        [0, 0, 1, 1]
        """
        frame, added = self._added(model.assign)
        return frame.hstack(_as_enum(added, model.names_))

    def segment_customers(
        self,
        k: int | Literal["auto"] = "auto",
        **options: Any,  # noqa: ANN401
    ) -> tuple[pl.DataFrame, custcore.KMeans, Report]:
        """Named clusters of the customers of this frame: :func:`custcore.segment_customers`, polars in and out.

        Parameters
        ----------
        k : int or "auto"
            How many clusters.
        **options
            The other arguments of :func:`custcore.segment_customers`.

        Returns
        -------
        polars.DataFrame
            One row per customer; the segment is an Enum, the best customers first.
        KMeans
            The model.
        Report
            What was left out.

        Examples
        --------
        >>> import polars as pl
        >>> import custcore.polars
        >>> customers = pl.DataFrame({"id": list("abcd"), "visits": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
        >>> segments, model, _ = customers.custcore.segment_customers(2, features=["visits", "spend"])
        >>> segments.select("id", "segment").rows()[0]
        ('a', 'low visits, low spend')
        """
        features, rfm_options = cluster_inputs(options)
        if set(features) <= set(self._frame.collect_schema()):
            data: Any = self._customers()
        else:
            data = self._transactions(list(columns_of(custcore.rfm, rfm_options)))
        table, model = custcore.segment_customers(data, k, **options)
        return _as_enum(table.to_polars(), model.names_), model, table.report

    def _customers(self) -> pl.DataFrame:
        """All columns that Arrow can hold, in memory: they are read several times."""
        frame = self._frame.collect() if isinstance(self._frame, pl.LazyFrame) else self._frame
        return frame.select(_exportable(frame.schema))

    def _added(self, call: Callable[[pl.DataFrame], Table]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Give the frame in memory, and the columns that ``call`` adds to its table."""
        frame = self._frame.collect() if isinstance(self._frame, pl.LazyFrame) else self._frame
        passed = frame.select(_exportable(frame.schema))
        found = call(passed)
        added = found.column_names[passed.width :]
        repeated = [name for name in added if name in frame.columns]
        if repeated:
            raise DuplicateColumnError(
                f"column {repeated[0]!r} is in the frame already, as if scored before; drop or rename it first: "
                f"df.drop({repeated!r})",
                column=repeated[0],
            )
        return frame, found.to_polars().select(added)

    def _run(
        self, function: Callable[..., Table], options: dict[str, Any], *, return_report: bool
    ) -> pl.DataFrame | tuple[pl.DataFrame, Report]:
        result = function(self._transactions(list(columns_of(function, options))), **options)
        frame = _ordered(result.to_polars(), options.get("segments", "auto"))
        return (frame, result.report) if return_report else frame

    def _transactions(self, wanted: list[str]) -> pl.DataFrame | Iterator[pl.DataFrame]:
        """Select the columns that are wanted; if one is missing all, without rows, as the core names the nearest."""
        schema = self._frame.collect_schema()
        if any(name not in schema for name in wanted):
            return pl.DataFrame(schema={name: schema[name] for name in _exportable(schema)})
        chosen = self._frame.select(wanted)
        return _batches(chosen) if isinstance(chosen, pl.LazyFrame) else chosen


def _batches(query: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query in their order, batch by batch; at least one batch, for its schema."""
    stream = getattr(query, "collect_batches", None)
    if stream is None:
        # polars before 1.34
        yield query.collect()
        return
    empty = True
    for batch in stream(maintain_order=True):
        empty = False
        yield batch
    if empty:
        yield pl.DataFrame(schema=query.collect_schema())


def _exportable(schema: pl.Schema) -> list[str]:
    """Columns that Arrow can hold: all but those of Python objects."""
    return [name for name, kind in schema.items() if kind != pl.Object]


def _ordered(frame: pl.DataFrame, segments: object) -> pl.DataFrame:
    """Make the segment an Enum, which sorts in the order of its map: a Categorical sorts by letters."""
    if isinstance(segments, str):
        segments = custcore.SegmentMap.named("rf10" if segments == "auto" else segments)
    return _as_enum(frame, segments.names if isinstance(segments, custcore.SegmentMap) else None)


def _as_enum(frame: pl.DataFrame, names: list[str] | None) -> pl.DataFrame:
    """Make the segment, if there is one, an Enum of these names."""
    if names is None or "segment" not in frame.columns:
        return frame
    return frame.with_columns(pl.col("segment").cast(pl.String).cast(pl.Enum(names)))
