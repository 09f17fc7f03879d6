"""pandas: DataFrames in and out by ``df.custcore``.

Only the columns that a call names are converted to Arrow, by position: the index plays no part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, cast, overload

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("custcore.pandas needs pandas: pip install 'custcore[pandas]'", name="pandas") from error

import custcore
from custcore.adapters._cohorts import FrameCohorts, forward_cohorts
from custcore.adapters._forward import cluster_inputs, columns_of, describe
from custcore.adapters._pandas_arrow import (
    REPORT,
    arrow_column,
    arrow_table,
    dump_report,
    load_report,
    pandas_column,
    purchases,
    pyarrow_module,
    with_remarks,
)
from custcore.errors import ColumnNotFoundError, DuplicateColumnError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from custcore.result import Report, Table

__all__ = ["CustcoreAccessor"]

P = ParamSpec("P")


class Scorer(Protocol):
    """A fitted scorer: :class:`custcore.RFMScorer` and its kin."""

    def transform(self, table: Any, *, n_threads: int | None = None) -> Table: ...  # noqa: ANN401


class Method(Protocol[P]):
    """A method with the arguments of a function of the public API, which returns a DataFrame."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> pd.DataFrame: ...
    @overload
    def __call__(self, *, set_index: bool, **options: Any) -> pd.DataFrame: ...  # noqa: ANN401


def _forward(function: Callable[Concatenate[Any, P], Table]) -> Callable[[Callable[..., pd.DataFrame]], Method[P]]:
    """Mark a method that takes the arguments of ``function``, and document it by them."""

    def mark(method: Callable[..., pd.DataFrame]) -> Method[P]:
        describe(method, function)
        return cast("Method[P]", method)

    return mark


@pd.api.extensions.register_dataframe_accessor("custcore")
class CustcoreAccessor:
    """custcore for pandas: ``df.custcore``, after ``import custcore.pandas``.

    Ids, times and amounts may have any dtype that means an integer, a string, a day or a number: numpy, nullable and
    Arrow-backed dtypes, categories, columns of Python objects. Float ids are taken as integers where all of them are
    whole and below 2**53 (2**24 for float32), and NaN as null; a remark in the report says so.

    In the results ids keep their kind (a categorical id becomes a string), dates are ``datetime64[s]``, money is
    float64 or int64 or, for decimals, objects of ``Decimal``, the segment is a category in the order of its map, and
    integers are nullable (``Int32``, ``UInt8``) only where there is a null. Rows are numbered from 0.

    Examples
    --------
    >>> import pandas as pd
    >>> import custcore.pandas
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 8, None, 7],
    ...         "timestamp": pd.to_datetime(["2026-01-05", "2026-01-09", "2026-01-10", "2026-01-12"]),
    ...         "amount": [10.0, 25.0, 3.0, 5.5],
    ...     }
    ... )
    >>> buyers = orders.custcore.rfm(as_of="2026-01-31")
    >>> buyers[["customer_id", "last_date", "recency_days", "n_orders", "monetary_total"]]
       customer_id  last_date  recency_days  n_orders  monetary_total
    0            7 2026-01-12            19         2            15.5
    1            8 2026-01-09            22         1            25.0
    >>> buyers.custcore.report
    Report of 4 rows, as of 2026-01-31
      left out  null_customer_id: 1 rows, sum 3.0, first in row 2
      column 'customer_id': 3 float ids read as integers, 1 NaN as null
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @_forward(custcore.rfm)
    def rfm(self, *, set_index: bool = False, **options: Any) -> pd.DataFrame:  # noqa: ANN401
        """Recency, frequency and money of every buyer in this frame: :func:`custcore.rfm`, DataFrame in and out.

        Parameters
        ----------
        set_index : bool, default False
            Whether the ids become the index of the result.

        Returns
        -------
        pandas.DataFrame
            The columns of :func:`custcore.rfm`, one row per buyer. Its report is ``result.custcore.report``, whose rows
            are positions in this frame.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> orders = pd.DataFrame(
        ...     {"who": ["ann", "bob"], "timestamp": [pd.Timestamp("2026-01-05")] * 2, "amount": [9, 7]}
        ... )
        >>> orders.custcore.rfm(customer_id="who", set_index=True)["monetary_total"]
        who
        ann    9
        bob    7
        Name: monetary_total, dtype: int64
        """
        return self._run(custcore.rfm, options, set_index=set_index)

    @_forward(custcore.rfm_scores)
    def rfm_scores(self, *, set_index: bool = False, **options: Any) -> pd.DataFrame:  # noqa: ANN401
        """RFM table, scores and segments of this frame: :func:`custcore.rfm_scores`, DataFrame in and out.

        Parameters
        ----------
        set_index : bool, default False
            Whether the ids become the index of the result.

        Returns
        -------
        pandas.DataFrame
            The columns of :func:`custcore.rfm_scores`, one row per buyer. The segment is a category in the order of its
            map. The report is ``result.custcore.report``, whose rows are positions in this frame.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> days = pd.to_datetime(["2026-01-01", "2026-01-05", "2026-01-09", "2026-01-13", "2026-01-17"])
        >>> orders = pd.DataFrame({"customer_id": [1, 2, 3, 4, 5], "timestamp": days, "amount": [9, 7, 5, 3, 1]})
        >>> orders.custcore.rfm_scores(set_index=True)[["rfm_cell", "rfm_score", "segment"]].tail(2)
                    rfm_cell  rfm_score        segment
        customer_id
        4              4-1-2        412      promising
        5              5-1-1        511  new_customers
        """
        return self._run(custcore.rfm_scores, options, set_index=set_index)

    @forward_cohorts(custcore.cohort_retention)
    def cohort_retention(self, **options: Any) -> FrameCohorts[pd.DataFrame]:  # noqa: ANN401
        """Cohort retention of the customers in this frame: :func:`custcore.cohort_retention`, DataFrame in and out.

        Returns
        -------
        FrameCohorts of pandas.DataFrame
            The methods of :class:`custcore.CohortRetention`, whose tables are DataFrames.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> days = pd.to_datetime(["2026-01-05", "2026-01-09", "2026-02-12", "2026-03-01"])
        >>> orders = pd.DataFrame({"customer_id": [1, 2, 1, 3], "timestamp": days})
        >>> orders.custcore.cohort_retention(as_of="2026-03-31").matrix("customers")
              cohort  cohort_size  0     1     2
        0 2026-01-01            2  2     1     0
        1 2026-02-01            0  0     0  <NA>
        2 2026-03-01            1  1  <NA>  <NA>
        """
        remarks: list[str] = []
        wanted = columns_of(custcore.cohort_retention, options)
        result = custcore.cohort_retention(purchases(self._frame, wanted, remarks), **options)
        return FrameCohorts(result, lambda table: self._returned(table, remarks, set_index=False), remarks)

    def score(self, scorer: Scorer, *, n_threads: int | None = None) -> pd.DataFrame:
        """Score this frame, which has a row per customer, by a fitted scorer.

        Parameters
        ----------
        scorer : RFMScorer or another with ``transform``
            A fitted scorer. ``scorer.fit`` takes the DataFrames that :meth:`rfm` returns.
        n_threads : int, optional
            As in :func:`custcore.rfm`.

        Returns
        -------
        pandas.DataFrame
            This frame with its index and all its columns, then the scores.

        Raises
        ------
        DuplicateColumnError
            If a column of the scores is there already.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> customers = pd.DataFrame({"recency_days": [9, 3], "n_orders": [1, 4], "monetary_total": [5.0, 80.0]})
        >>> scorer = custcore.RFMScorer().fit(customers)
        >>> customers.custcore.score(scorer)[["recency_days", "rfm_cell", "segment"]]
           recency_days rfm_cell      segment
        0             9    1-1-1  hibernating
        1             3    5-5-5    champions
        """
        return self._appended(lambda table: scorer.transform(table, n_threads=n_threads))

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
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> customers = pd.DataFrame({"id": list("abcd"), "orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
        >>> customers.custcore.kmeans(2, columns=["orders", "spend"]).inertia_
        14.0
        """
        model = custcore.KMeans(n_clusters, columns=columns, **settings)
        return model.fit(self._customers({}), sample_weight)

    def clusters(self, model: custcore.KMeans) -> pd.DataFrame:
        """Put the rows of this frame into the clusters of a fitted model.

        Parameters
        ----------
        model : KMeans
            A fitted model; its features are found by name.

        Returns
        -------
        pandas.DataFrame
            This frame with its index and all its columns, then ``cluster`` and, where the clusters have names,
            ``segment``.

        Raises
        ------
        DuplicateColumnError
            If a column of that name is there already.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> customers = pd.DataFrame({"orders": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]}, index=list("abcd"))
        >>> model = custcore.KMeans(2, init=[[1, 5], [9, 80]]).fit(customers)
        >>> customers.custcore.clusters(model)
           orders  spend  cluster
        a       1    5.0        0
        b       2    6.0        0
        c       9   80.0        1
        d       8   75.0        1
        """
        return self._appended(model.assign)

    def segment_customers(
        self,
        k: int | Literal["auto"] = "auto",
        *,
        set_index: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> tuple[pd.DataFrame, custcore.KMeans]:
        """Named clusters of the customers of this frame: :func:`custcore.segment_customers`, DataFrame in and out.

        Parameters
        ----------
        k : int or "auto"
            How many clusters.
        set_index : bool, default False
            Whether the first column, that of the ids, becomes the index of the result.
        **options
            The other arguments of :func:`custcore.segment_customers`.

        Returns
        -------
        pandas.DataFrame
            One row per customer. Its report is ``result.custcore.report``.
        KMeans
            The model.

        Examples
        --------
        >>> import pandas as pd
        >>> import custcore.pandas
        >>> customers = pd.DataFrame({"id": list("abcd"), "visits": [1, 2, 9, 8], "spend": [5.0, 6.0, 80.0, 75.0]})
        >>> segments, model = customers.custcore.segment_customers(2, features=["visits", "spend"])
        >>> segments[["id", "segment"]]
          id                  segment
        0  a    low visits, low spend
        1  b    low visits, low spend
        2  c  high visits, high spend
        3  d  high visits, high spend
        """
        features, rfm_options = cluster_inputs(options)
        remarks: list[str] = []
        if set(features) <= set(self._frame.columns):
            data = self._customers({})
        else:
            data = purchases(self._frame, columns_of(custcore.rfm, rfm_options), remarks)
        table, model = custcore.segment_customers(data, k, **options)
        return self._returned(table, remarks, set_index=set_index), model

    @property
    def report(self) -> Report:
        """What this frame, a result of custcore, leaves out and why.

        It is kept in ``df.attrs["custcore.report"]`` as plain values, as they go through copies, pickle and Parquet.

        Raises
        ------
        InvalidArgumentError
            If the frame carries no report.
        """
        report = load_report(self._frame)
        if report is None:
            raise InvalidArgumentError(
                f"the frame carries no report: it is no result of df.custcore, or something dropped attrs[{REPORT!r}]"
            )
        return report

    def _run(self, function: Callable[..., Table], options: dict[str, Any], *, set_index: bool) -> pd.DataFrame:
        remarks: list[str] = []
        result = function(purchases(self._frame, columns_of(function, options), remarks), **options)
        return self._returned(result, remarks, set_index=set_index)

    def _returned(self, result: Table, remarks: list[str], *, set_index: bool) -> pd.DataFrame:
        """Make a frame of a result, with its report."""
        arrow = result.to_pyarrow()
        frame = pd.DataFrame({name: pandas_column(arrow[name]) for name in arrow.column_names})
        frame.attrs[REPORT] = dump_report(with_remarks(result.report, remarks))
        # The id is the first column of every result.
        return frame.set_index(str(frame.columns[0])) if set_index else frame

    def _customers(self, failed: dict[str, InvalidTypeError]) -> pa.Table:
        """Convert all columns; which of them are read, the scorer or the model knows: what is no Arrow may be none."""
        columns: list[tuple[str, Any]] = []
        for place, name in enumerate(self._frame.columns):
            try:
                columns.append((str(name), arrow_column(self._frame.iloc[:, place], str(name))))
            except InvalidTypeError as error:
                failed[str(name)] = error
        return arrow_table(pyarrow_module(), columns)

    def _appended(self, call: Callable[[pa.Table], Table]) -> pd.DataFrame:
        """Add to this frame the columns that ``call`` adds to its table."""
        failed: dict[str, InvalidTypeError] = {}
        passed = self._customers(failed)
        try:
            found = call(passed)
        except ColumnNotFoundError as error:
            raise failed.get(str(error.column), error) from None
        added = found.column_names[passed.num_columns :]
        repeated = [name for name in added if name in self._frame.columns]
        if repeated:
            raise DuplicateColumnError(
                f"column {repeated[0]!r} is in the frame already, as if scored before; drop or rename it first: "
                f"df.drop(columns={repeated!r})",
                column=repeated[0],
            )
        arrow = found.to_pyarrow()
        new = {name: pandas_column(arrow[name]).set_axis(self._frame.index) for name in added}
        result = self._frame.assign(**new)
        known = load_report(result)
        remarks = found.report.remarks
        report = found.report if known is None else with_remarks(known, [r for r in remarks if r not in known.remarks])
        result.attrs[REPORT] = dump_report(report)
        return result
