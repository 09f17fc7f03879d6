"""``custcore.compare``: who moved between the segments of two score tables, and what became of their money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing, proposing_methods
from custcore._rfm.comparison_text import comparison_text
from custcore.result import Table
from custcore.result._exports import Exports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import Data

__all__ = ["ScoreComparison", "compare"]

_SCORES = ("r_score", "f_score", "m_score")


@proposing_methods
class ScoreComparison(Exports):
    """Two score tables compared: what :func:`custcore.compare` returns.

    Its text is a summary for people. It exports Arrow itself: ``pyarrow.table(result)`` is
    :attr:`moves`, as are the frames and files of ``to_pandas()``, ``to_csv(path)`` and the
    like; ``to_xlsx(path)`` has sheets for the moves, the segments and the customers. It can be
    pickled.
    """

    __slots__ = ("_core", "_counts", "_customers", "_days", "_moves", "_segments")

    def __init__(self, core: _core.Comparison) -> None:
        self._core: _core.Comparison | None = core
        self._counts = core.counts
        self._days = core.days
        self._moves = Table(core.moves())
        self._segments = Table(core.segments())
        self._customers: Table | None = None

    @property
    def moves(self) -> Table:
        """Customers by the segments that they were in and are in.

        Returns
        -------
        Table
            ``from_segment`` (null: not in the first table), ``to_segment`` (null: not in the
            second), ``customers`` (int64), ``from_monetary`` and ``to_monetary`` (their money in
            each table, of the type of its amounts; null where they are not in it), ``share``
            (float64) of the customers of ``from_segment``, or of all who are new. New customers
            come first; those who stayed in a segment have it twice.
        """
        return self._moves

    @property
    def segments(self) -> Table:
        """Size and money of each segment in both tables.

        Returns
        -------
        Table
            ``segment``, ``customers_before``, ``customers_after``, ``customers_change`` (int64),
            ``share_before``, ``share_after`` (float64, of all customers of the table; null if it
            has none), ``monetary_before``, ``monetary_after``, ``monetary_change``,
            ``monetary_share_before``, ``monetary_share_after`` (null unless the sum is
            positive). The segments of dictionaries keep their order, also those without
            customers; others are in the order of their names.
        """
        return self._segments

    @property
    def customers(self) -> Table:
        """What became of each customer; computed when it is asked for first.

        Returns
        -------
        Table
            One row per customer of either table, ascending by id: the id, ``from_segment``,
            ``to_segment`` (null: not in that table), ``r_change``, ``f_change``, ``m_change``
            (int16, scores of the second table less those of the first; null if one is), and
            ``from_monetary``, ``to_monetary``.
        """
        if self._customers is None:
            assert self._core is not None
            self._customers = Table(self._core.customers(n_threads=None))
        return self._customers

    @property
    def n_before(self) -> int:
        """Number of customers of the first table."""
        return self._counts[0]

    @property
    def n_after(self) -> int:
        """Number of customers of the second table."""
        return self._counts[1]

    @property
    def n_new(self) -> int:
        """Number of customers of the second table who are not in the first."""
        return self._counts[1] - self._counts[2]

    @property
    def n_gone(self) -> int:
        """Number of customers of the first table who are not in the second."""
        return self._counts[0] - self._counts[2]

    @property
    def n_moved(self) -> int:
        """Number of customers who are in another segment than before."""
        return self._counts[3]

    @property
    def days(self) -> tuple[str | None, str | None]:
        """The days of the two tables (``as_of``) as ISO dates, if they name them."""
        return self._days

    def to_table(self) -> Table:
        """The moves; the same as :attr:`moves`."""
        return self._moves

    def _result(self) -> Table:
        return self._moves

    def _sheets(self) -> dict[str, Table]:
        return {"moves": self.moves, "segments": self.segments, "customers": self.customers}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._moves.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._moves.__arrow_c_schema__()

    def __copy__(self) -> ScoreComparison:
        return self

    def __deepcopy__(self, memo: object) -> ScoreComparison:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self._counts, self._days, self.moves, self.segments, self.customers)

    def __repr__(self) -> str:
        return comparison_text(self)


def _restored(
    counts: tuple[int, int, int, int],
    days: tuple[str | None, str | None],
    moves: Table,
    segments: Table,
    customers: Table,
) -> ScoreComparison:
    """A comparison that was pickled."""
    result = ScoreComparison.__new__(ScoreComparison)
    result._core = None
    result._counts, result._days = counts, days
    result._moves, result._segments, result._customers = moves, segments, customers
    return result


@proposing
def compare(
    before: Data,
    after: Data,
    *,
    customer_id: str | Sequence[str] | None = None,
    segment: str = "segment",
    monetary: str = "monetary_total",
    amount_decimals: int = 6,
    n_threads: int | None = None,
) -> ScoreComparison:
    """Compare two score tables: moves between segments, sizes and money of segments.

    Both may be results of :func:`custcore.rfm_scores` of two days, or of two scorers, files
    of them that were kept, or any tables with one row per customer.
    :meth:`custcore.CustomerBase.transitions` counts the same from one base.

    Parameters
    ----------
    before : table
        The first table, one row per customer.
    after : table
        The second table, with columns of the same names.
    customer_id : str or list of str, optional
        Column of customer ids, or a list of columns (a composite key). Default: what the
        tables were grouped by, which Arrow and Parquet keep and frames do not, else the
        first column of ``before``.
    segment : str, default "segment"
        Column of segments: strings, integers, or a dictionary of these.
    monetary : str, default "monetary_total"
        Column of the money of each customer: floats, integers or decimals. A null amount
        adds 0 and is a remark in the report.
    amount_decimals : int, default 6
        Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
        are then exact and independent of row order. Amounts that this changes by more than
        1 %, such as those read as 0, are reported.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    ScoreComparison
        ``.moves``, ``.segments`` and ``.customers`` are tables.

    Raises
    ------
    ColumnNotFoundError
        If a table has no column of ids or of segments.
    InvalidTypeError
        If the ids of the tables are of different kinds, such as integers and strings, or a
        column has an unsupported type.
    NullValueError
        If an id or a segment is null; it names the row.
    InvalidArgumentError
        If a customer has two rows in a table; it names the id and the rows.
    NonFiniteError
        If an amount is infinite.

    Notes
    -----
    Ids are equal whatever the width of integers, the layout of strings, and whether they are
    in a dictionary. Money is summed exactly, as in :func:`custcore.rfm`. Columns that only one
    of the tables has are left out of the result, of money with a remark in the report.

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> before = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3],
    ...         "monetary_total": [10.0, 20.0, 5.0],
    ...         "segment": ["new", "loyal", "loyal"],
    ...     }
    ... )
    >>> after = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 4],
    ...         "monetary_total": [30.0, 20.0, 7.5],
    ...         "segment": ["loyal", "loyal", "new"],
    ...     }
    ... )
    >>> compared = custcore.compare(before, after)
    >>> compared
    custcore.ScoreComparison
    3 customers before, 3 after: 1 new, 1 gone
    1 of 2 who are in both (50.0%) changed their segment
    segment        before  after  change  money before  money after
    loyal               2      2       0         25.00        50.00
    new                 1      1       0         10.00         7.50
    all customers       3      3       0         35.00        57.50
    largest moves from  to     customers   share
    new                 loyal          1  100.0%
    >>> list(compared.moves.select(["from_segment", "to_segment", "customers"]).rows())
    [(None, 'new', 1), ('loyal', 'loyal', 1), ('loyal', None, 1), ('new', 'loyal', 1)]
    """
    ids = arguments.optional_key("customer_id", customer_id)
    segment, monetary = arguments.name("segment", segment), arguments.name("monetary", monetary)
    # Without names of ids they are those that a table names, or its first column.
    names = None if ids is None else [*([ids] if isinstance(ids, str) else ids), segment]
    first, second = (as_source(table, names, optional=[monetary, *_SCORES]) for table in (before, after))
    core = _core.compare(
        first,
        second,
        customer_id=ids,
        segment=segment,
        monetary=monetary,
        amount_decimals=arguments.whole("amount_decimals", amount_decimals),
        n_threads=arguments.optional_whole("n_threads", n_threads),
    )
    return ScoreComparison(core)
