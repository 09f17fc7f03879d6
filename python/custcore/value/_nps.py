"""``custcore.nps``: net promoter scores of answers from 0 to 10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._input.data import Data

__all__ = ["nps"]


@proposing
def nps(
    data: Data,
    *,
    score: str = "score",
    by: str | None = None,
    customer_id: str | Sequence[str] | None = None,
    which: Literal["last", "first"] = "last",
    timestamp: str | None = None,
    interval: Literal["adjusted", "wald"] = "adjusted",
    n_threads: int | None = None,
) -> Table:
    """Net promoter score with its interval, overall and by segment.

    Promoters answer 9 or 10, passives 7 or 8, detractors 0 to 6. The score is the share of
    promoters less that of detractors, in points from -100 to 100 (Reichheld 2003).

    Parameters
    ----------
    data : table
        One row per answer: any table that :func:`custcore.rfm` takes.
    score : str, default "score"
        Column of answers: whole numbers from 0 to 10, as integers, floats or decimals. Null
        and NaN are missing answers.
    by : str, optional
        Column of segments, each of which gets a row. Answers without a segment count in the
        first row only, and are reported.
    customer_id : str or list of str, optional
        Column of customer ids, or a list of columns (a composite key), of which each counts
        once. Rows with a null id are left out and reported. Default: every row counts.
    which : {"last", "first"}, default "last"
        Which answer of a customer counts. A missing one counts only if there is no other.
    timestamp : str, optional
        Column of dates or timestamps that orders the answers of a customer; of several at
        the same time the lowest counts. Rows with a null time are left out and reported.
        Default: the order of the rows.
    interval : {"adjusted", "wald"}, default "adjusted"
        The 95 % interval. ``"adjusted"``: Wald's interval after 3 answers are added, 3/4 of
        a promoter, 3/4 of a detractor, 3/2 of a passive, so that its width is not 0 where
        all answer alike. ``"wald"``: nothing is added.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        With ``by`` the column ``segment`` (string): the first row is all answers, with null,
        the others are the segments in the order of the dictionary, else of the values. Then
        ``answers``, ``missing``, ``promoters``, ``passives``, ``detractors`` (int64), ``nps``,
        ``nps_low``, ``nps_high`` (float64, points; the 95 % interval, cut at -100 and 100;
        null without an answer). With ``customer_id`` all of them count customers.

    Raises
    ------
    OutOfRangeError
        If an answer is not a whole number from 0 to 10; it names the row.
    ColumnNotFoundError, InvalidTypeError
        If a column is missing, or its type cannot be what it is named for.
    InvalidArgumentError
        If ``timestamp`` is given without ``customer_id``.

    Notes
    -----
    The adjusted interval is AW(3, T) of Rocks, Interval Estimation for the Net Promoter Score,
    The American Statistician 70 (2016).

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> answers = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3, 3, 4],
    ...         "score": [10, 9, 2, 7, None],
    ...         "segment": ["new", "loyal", "loyal", "loyal", "new"],
    ...     }
    ... )
    >>> table = custcore.nps(answers, by="segment", customer_id="customer_id")
    >>> list(table.select(["segment", "answers", "missing", "promoters", "nps"]).rows())
    [(None, 3, 1, 2, 66.66666666666667), ('loyal', 2, 0, 1, 50.0), ('new', 1, 1, 1, 100.0)]
    """
    ids = arguments.optional_key("customer_id", customer_id)
    score, by = arguments.name("score", score), arguments.optional_name("by", by)
    timestamp = arguments.optional_name("timestamp", timestamp)
    names = [score, by, timestamp, *arguments.key_names(ids)]
    return Table(
        _core.nps(
            as_source(data, [name for name in names if name is not None]),
            score=score,
            by=by,
            customer_id=ids,
            timestamp=timestamp,
            which=arguments.name("which", which),
            interval=arguments.name("interval", interval),
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )
