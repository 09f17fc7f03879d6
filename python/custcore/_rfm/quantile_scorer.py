"""``custcore.QuantileScorer``: scores of any columns, and the settings common to all scorers."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, in_memory
from custcore._input.ids import one
from custcore._input.proposals import proposing_methods
from custcore._input.rows import row_values
from custcore._persistable import Persistable
from custcore._rfm.parameters import Parameters, arguments_given
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._core import ScoreOptions
    from custcore._input.data import Data
    from custcore._input.ids import Id
    from custcore._input.rows import Row

__all__ = ["QuantileScorer"]


def score_options(
    *,
    ties: str = "same",
    binning: str = "independent",
    closed: str = "right",
    cuts_rule: str = "type7",
    by: str | None = None,
    unseen: str = "error",
    customer_id: str | Sequence[str] | None = None,
) -> ScoreOptions:
    """The binning options, checked, for the core."""
    return {
        "ties": arguments.name("ties", ties),
        "binning": arguments.name("binning", binning),
        "closed": arguments.name("closed", closed),
        "cuts_rule": arguments.name("cuts_rule", cuts_rule),
        "by": arguments.optional_name("by", by),
        "unseen": arguments.name("unseen", unseen),
        "customer_id": arguments.optional_key("customer_id", customer_id),
    }


def whole_bins(value: object) -> int:
    """A number of bins, checked."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgumentError(f"bins={value!r} is not an integer; expected 2 to 100") from None
    if isinstance(value, bool) or not 2 <= number <= 100:
        raise InvalidArgumentError(
            f"bins={value if isinstance(value, bool) else arguments.shown(number)} is outside 2 to 100"
        )
    return number


def numbers(values: object, argument: str, count: int | None = None) -> list[float]:
    """A sequence of numbers as floats, checked."""
    if isinstance(values, str | bytes):
        raise InvalidArgumentError(f"{argument}={values!r} is text; expected a sequence of numbers")
    try:
        floats = [float(value) for value in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{argument}={values!r} is not a sequence of numbers") from None
    if count is not None and len(floats) != count:
        raise InvalidArgumentError(f"{argument}={values!r} has {len(floats)} numbers; expected {count}")
    return floats


def checked_weights(weights: object, count: int) -> list[float]:
    """Weights of scores: finite, not negative, not all 0."""
    floats = numbers(weights, "weights", count)
    if not all(math.isfinite(weight) and weight >= 0 for weight in floats) or not any(floats):
        raise InvalidArgumentError(f"weights={weights!r} must be finite, not negative and not all 0")
    return floats


@proposing_methods
class QuantileScorer(Parameters, Persistable):
    """Scores 1 to B of any numeric columns: contacts, margin, number of categories, ...

    :class:`custcore.RFMScorer` does this for recency, frequency and money; the rule is
    described there.

    Parameters
    ----------
    columns : sequence of str
        The columns to score.
    directions : dict of str to {"high", "low"}, or sequence, optional
        Which end of each column is best. Default: high.
    bins : int, sequence of int, or dict of str to int, default 5
        Number of bins, 2 to 100: one for all columns, or one for each.
    ties : {"same", "split"}, default "same"
        ``"same"``: equal values get equal scores. ``"split"``: tiles of equal size over
        (value, id), like SQL's NTILE; the id is ``customer_id``.
    customer_id : str or list of str, optional
        Column of customer ids, or a list of columns, that decides among equal values with
        ``ties="split"``. Default: what the table was grouped by, which Arrow and Parquet
        keep and frames do not, else its first column.
    weights : sequence of float, optional
        Weights of the columns in ``score_total``. Default: the result has no such column.

    Examples
    --------
    >>> import custcore, pyarrow as pa
    >>> table = pa.table(
    ...     {"customer": ["a", "b", "c"], "visits": [1, 5, 9], "days_away": [30, 2, 7]}
    ... )
    >>> scorer = custcore.QuantileScorer(
    ...     ["visits", "days_away"], directions={"days_away": "low"}, bins=3
    ... )
    >>> scorer.fit_transform(table).to_pyarrow().select(
    ...     ["customer", "score_cell"]
    ... ).to_pylist()
    [{'customer': 'a', 'score_cell': '1-1'},
     {'customer': 'b', 'score_cell': '2-3'},
     {'customer': 'c', 'score_cell': '3-2'}]
    >>> scorer.score_one([9, 2])
    (3, 3)
    """

    __slots__ = ("_core", "_given")

    def __init__(
        self,
        columns: Sequence[str],
        *,
        directions: Mapping[str, Literal["high", "low"]] | Sequence[Literal["high", "low"]] | None = None,
        bins: int | Sequence[int] | Mapping[str, int] = 5,
        ties: Literal["same", "split"] = "same",
        customer_id: str | Sequence[str] | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        given = arguments_given(locals())
        asked: object = columns
        if isinstance(asked, str) or not isinstance(asked, Sequence) or not columns:
            raise InvalidArgumentError(f"columns={columns!r} is not a sequence of at least one column name")
        columns = [arguments.name("columns", column) for column in columns]
        if len(set(columns)) < len(columns):
            raise InvalidArgumentError(f"columns={columns!r} names a column twice")
        ends = _by_column(columns, directions, "directions", "high")
        sizes = _by_column(columns, bins, "bins", 5)
        for end in ends:
            if end not in {"high", "low"}:
                raise InvalidArgumentError(f"directions has {end!r}; expected 'high' or 'low', the end that is best")
        dimensions = [
            (name, whole_bins(size), end == "low") for name, size, end in zip(columns, sizes, ends, strict=True)
        ]
        checked = None if weights is None else checked_weights(weights, len(columns))
        self._core = _core.QuantileScorer(dimensions, score_options(ties=ties, customer_id=customer_id), checked)
        self._given = given

    def fit(self, table: Data, *, n_threads: int | None = None) -> QuantileScorer:
        """Learn the edges from a table, ignoring nulls. Returns this scorer.

        Parameters
        ----------
        table : table
            A table with the columns that are scored. Nulls are ignored in a fit and get null
            scores.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        """
        self._core = self._core.fit(self._source(table), n_threads=arguments.optional_whole("n_threads", n_threads))
        return self

    def transform(self, table: Data, *, n_threads: int | None = None) -> Table:
        """Score a table.

        Parameters
        ----------
        table : table
            A table with the columns that are scored. Nulls are ignored in a fit and get null
            scores.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            The columns of ``table``, then ``<column>_score`` (uint8) for each column,
            ``score_cell`` (the scores joined by "-") and, with weights, ``score_total``
            (float64). A null value gives a null score.
        """
        return Table(self._core.transform(as_source(table), n_threads=arguments.optional_whole("n_threads", n_threads)))

    def fit_transform(self, table: Data, *, n_threads: int | None = None) -> Table:
        """Learn the edges from a table and score it: :meth:`fit`, then :meth:`transform`.

        The data are read once, so ``table`` may be a stream.

        Parameters
        ----------
        table : table
            A table with the columns that are scored. Nulls are ignored in a fit and get null
            scores.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        """
        kept = in_memory(as_source(table))
        return self.fit(kept, n_threads=n_threads).transform(kept, n_threads=n_threads)

    def score_one(self, values: Row, *, customer_id: Id | None = None) -> tuple[int, ...]:
        """Score one customer: one value for each column, without Arrow or numpy.

        Parameters
        ----------
        values : sequence of numbers, or labelled row
            One value for each column, in their order. Of a labelled row (a dict, a pandas
            Series, a named tuple, a record of numpy, a dataclass) they are found by name, and
            others are ignored.
        customer_id : int, str, bytes, UUID or tuple, optional
            With ``ties="split"`` decides among equal values; a tuple for a composite key.
            Default: the customer counts as the first among equals.
        """
        kind = type(values)
        if kind is list or kind is tuple:
            return tuple(self._core.score_one(values, one(customer_id), None))  # type: ignore[arg-type]
        names = list(self._core.settings["columns"])
        return tuple(self._core.score_one(row_values("values", values, names), one(customer_id), None))

    def drift(self, table: Data, *, by_score: bool = False, n_threads: int | None = None) -> Table:
        """Population drift between the fit and a table: :meth:`custcore.RFMScorer.drift`.

        Parameters
        ----------
        table : table
            A table with the columns that are scored. Nulls are ignored in a fit and get null
            scores.
        by_score : bool, default False
            One row for each score instead of each dimension.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.
        """
        threads = arguments.optional_whole("n_threads", n_threads)
        by_score = arguments.flag("by_score", by_score)
        return Table(self._core.drift(self._source(table), by_score=by_score, n_threads=threads))

    @property
    def thresholds(self) -> Table:
        """The edges, one row per column and score, as :attr:`custcore.RFMScorer.thresholds`."""
        return Table(self._core.thresholds())

    @property
    def _settings(self) -> dict[str, Any]:
        """The arguments of an equal scorer."""
        return dict(self._core.settings)

    def _source(self, table: Data) -> object:
        """A table for the core, with the columns of a fit."""
        settings = self._core.settings
        return as_source(table, columns_of_fit(settings["columns"], settings))

    def _can_be_saved(self) -> bool:
        return self._core.is_fitted

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        scorer = cls.__new__(cls)
        scorer._core = _core.QuantileScorer.from_bytes(data)
        return scorer

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self._bytes(),)

    def __eq__(self, other: object) -> bool:
        return self._bytes() == other._bytes() if isinstance(other, QuantileScorer) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._core.settings.items())
        return f"QuantileScorer({settings})" + ("" if self._core.is_fitted else ", not fitted")


def columns_of_fit(scored: Sequence[str], settings: Any) -> list[str | None] | None:  # noqa: ANN401
    """The columns that a fit reads; None for all, where the first one decides between equal values."""
    ids = arguments.key_names(settings["customer_id"])
    if settings["ties"] != "split":
        return [*scored, settings.get("by")]
    return [*scored, settings.get("by"), *ids] if ids else None


def _by_column(columns: Sequence[str], given: object, argument: str, default: object) -> list[object]:
    """One setting per column, from one value, a sequence or a dict."""
    if given is None:
        return [default] * len(columns)
    if isinstance(given, Mapping):
        unknown = set(given) - set(columns)
        if unknown:
            raise InvalidArgumentError(
                f"{argument} names {sorted(unknown)}, which are not among the columns {list(columns)}"
            )
        return [given.get(name, default) for name in columns]
    if isinstance(given, Sequence) and not isinstance(given, str):
        if len(given) != len(columns):
            raise InvalidArgumentError(f"{argument} has {len(given)} entries for {len(columns)} columns")
        return list(given)
    return [given] * len(columns)
