"""``custcore.natural_breaks``: the optimal partition of one feature into k groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import features, weights
from custcore.cluster._init_centers import at_least_one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore.cluster._features import Features, Weights

__all__ = ["Breaks", "natural_breaks"]


@dataclass(frozen=True, slots=True)
class Breaks:
    """The optimal partition of one feature into k groups.

    Attributes
    ----------
    k : int
        Number of groups.
    inertia : float
        Sum of squared distances to the means of the groups, the minimum over all partitions.
    centers : list of float
        The means of the groups, ascending.
    breaks : list of float
        The largest value of each group except the last. As ``cuts`` of
        :class:`custcore.RFMScorer` they give each group a score.
    """

    k: int
    inertia: float
    centers: list[float]
    breaks: list[float]


@proposing
def natural_breaks(
    x: Features,
    k: int,
    *,
    columns: Iterable[str] | None = None,
    sample_weight: Weights | None = None,
    n_threads: int | None = None,
) -> Breaks:
    """Partition one feature optimally into k groups (Jenks' natural breaks).

    Computed by dynamic programming.

    Parameters
    ----------
    x : (n_rows, 1)
        A table or array of one feature; or a table, with its name in ``columns``.
    k : int
        Number of groups.
    columns : list of str, optional
        The name of the feature. Default: the only column.
    sample_weight : (n_rows,), optional
        Weight of each row, 0 or more. Default: 1.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Raises
    ------
    InvalidArgumentError
        If there is more than one feature, or fewer distinct values than groups.

    Examples
    --------
    >>> import custcore, pyarrow as pa
    >>> custcore.natural_breaks(pa.table({"spend": [1, 2, 4, 90, 100]}), 2)
    Breaks(k=2, inertia=54.666666666666664, centers=[2.3333333333333335, 95.0], breaks=[4.0])
    """
    k = at_least_one("k", k)
    names = checked_columns("columns", columns)
    (found,) = _core.natural_breaks(
        features(x, names),
        [k],
        columns=names,
        sample_weight=weights(sample_weight),
        n_threads=arguments.optional_whole("n_threads", n_threads),
    )
    return Breaks(k, *found)
