"""``custcore.uplift_curve``: what a score is worth for choosing whom to treat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing, proposing_methods
from custcore.errors import InvalidArgumentError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import Data
    from custcore.result import Report

__all__ = ["UpliftCurve", "UpliftPoint", "uplift_curve"]


@dataclass(frozen=True, slots=True)
class UpliftPoint:
    """The curve at a share of the customers.

    Attributes
    ----------
    share : float
        Share of customers with the highest scores.
    score : float or None
        The lowest score among them; None at share 0.
    gain : float
        What treating them gains, per customer of all.
    se : float or None
        Its standard error; between two points an upper bound. None where it is not known.
    net : float or None
        ``margin * gain - cost * share``; None without a margin.
    """

    share: float
    score: float | None
    gain: float
    se: float | None
    net: float | None


@proposing_methods
class UpliftCurve:
    """The gain of treating the customers with the highest scores, by their share.

    It is what :func:`custcore.uplift_curve` returns. It can be pickled.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.UpliftCurve) -> None:
        self._core = core

    def table(self) -> Table:
        """The points of the curve.

        Returns
        -------
        Table
            One row for nobody and one for each distinct score, descending: ``share`` of the
            customers with this or a higher score (float64), ``score`` (float64; null for
            nobody), ``n_control``, ``n_treatment`` (int64), ``control`` and ``treatment`` (their
            mean outcomes; null without any), ``gain`` = share x (treatment - control), 0 while
            a group is empty, ``se`` its standard error (null with fewer than 100 customers in
            all, or fewer than 2 of a group); with a margin ``net`` = margin x gain - cost x
            share. Gain and net are per customer of all.
        """
        return Table(self._core.table())

    def at(self, share: float) -> UpliftPoint:
        """The curve at a share of the customers.

        Parameters
        ----------
        share : float
            From 0 to 1. Within equal scores the curve is straight: customers are treated in
            random order.

        Returns
        -------
        UpliftPoint
            ``share, score, gain, se, net``.

        Raises
        ------
        InvalidArgumentError
            If the share is not from 0 to 1.
        """
        return UpliftPoint(*self._core.at(arguments.number("share", share)))

    @property
    def auuc(self) -> float:
        """Area under the curve by trapezoids, in units of the outcome."""
        return self._core.auuc[0]

    @property
    def auuc_se(self) -> float | None:
        """Standard error of the area; None with fewer than 100 customers."""
        return self._core.auuc[1]

    @property
    def qini(self) -> float:
        """Area between the curve and that of a random order, ``auuc`` - gain of all / 2; not normalised."""
        return self._core.qini[0]

    @property
    def qini_se(self) -> float | None:
        """Standard error of ``qini``; None with fewer than 100 customers."""
        return self._core.qini[1]

    @property
    def best_share(self) -> float:
        """The smallest share with the largest net value, or without a margin the largest gain; 0 if none is above 0."""
        return self._core.best_share

    @property
    def report(self) -> Report:
        """The rows that were left out, and why."""
        return self.table().report

    def __copy__(self) -> UpliftCurve:
        return self

    def __deepcopy__(self, memo: object) -> UpliftCurve:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return UpliftCurve._restored, (Table(self._core.state()),)

    @staticmethod
    def _restored(state: Table) -> UpliftCurve:
        return UpliftCurve(_core.UpliftCurve.of_state(state._core))

    def __repr__(self) -> str:
        control, treated = self._core.groups
        best, whole = self.at(self.best_share), self.at(1.0)
        error = "" if self.qini_se is None else f" ± {self.qini_se:.3g}"
        worth = "" if best.net is None else f", net {best.net:.6g}"
        return (
            f"custcore.UpliftCurve: {treated} against {control}\n"
            f"qini {self.qini:.6g}{error}, auuc {self.auuc:.6g}\n"
            f"treating all gains {whole.gain:.6g} per customer; the best share is "
            f"{best.share:.1%} with {best.gain:.6g}{worth}"
        )


@proposing
def uplift_curve(
    table: Data,
    *,
    score: str,
    group: str,
    outcome: str,
    control: str | None = None,
    margin: float | None = None,
    cost: float | None = None,
    n_threads: int | None = None,
) -> UpliftCurve:
    """What a score is worth: the gain of treating the customers with the highest scores.

    It needs random groups: without them treated and others differ for other reasons. A score
    that finds good customers need not find those whom treatment changes.

    Parameters
    ----------
    table : table
        One row per customer of a random experiment, with score, group and outcome: any
        table that :func:`custcore.rfm` takes. Other columns are not used.
    score : str
        Column of scores, known before treatment: numbers, higher first. They are compared
        as float64.
    group : str
        Column of the assigned group, with two values. Rows with null are left out and
        reported.
    outcome : str
        Column of the outcome after treatment: numbers, such as revenue, or booleans, which
        are 0 and 1.
    control : str, optional
        The group that was not treated, as text. Default: ``"control"``.
    margin : float, optional
        What a unit of the outcome earns, such as 0.3 of revenue. With it the best share is
        that of the largest net value. Default: nothing is valued.
    cost : float, optional
        What treating a customer costs, 0 or more; needs ``margin``. Default: 0.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    UpliftCurve
        With ``.table()``, ``.auuc``, ``.qini``, ``.best_share`` and ``.at(share)``.

    Raises
    ------
    ColumnNotFoundError
        If a column is not in the table.
    InvalidTypeError
        If ``table`` is not a table, or a column has an unsupported type.
    InvalidArgumentError
        If there are not two groups, one of them ``control``; it lists the groups.
    NullValueError, NonFiniteError
        If a score or an outcome is null, NaN or infinite; it names the row.
    NotEnoughDataError
        If the table is empty.

    Notes
    -----
    At share φ of the customers, by score descending, gain(φ) = φ (mean of the treated - mean of
    the control group) among them, from (0, 0); equal scores are one point. AUUC is its area,
    Qini = AUUC - gain(1)/2, in units of the outcome: they are not divided by those of a perfect
    order, which outcomes in money do not have (Radcliffe, Using control groups to target on
    predicted lift, 2007). Standard errors are by a jackknife over 100 random buckets of
    customers; they do not depend on the order of rows. A score fitted on the same customers
    looks better than it is.

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> customers = pa.table(
    ...     {
    ...         "score": [9, 9, 7, 7, 2, 2],
    ...         "group": ["mail", "control"] * 3,
    ...         "revenue": [30.0, 10.0, 20.0, 14.0, 5.0, 5.0],
    ...     }
    ... )
    >>> curve = custcore.uplift_curve(
    ...     customers, score="score", group="group", outcome="revenue", margin=0.5, cost=3.0
    ... )
    >>> [round(gain, 6) for gain in curve.table()["gain"].to_pylist()]
    [0.0, 6.666667, 8.666667, 8.666667]
    >>> round(curve.best_share, 6), round(curve.qini, 6)
    (0.333333, 2.222222)
    >>> curve.at(0.5).gain
    7.666666666666666
    """
    score, group = arguments.name("score", score), arguments.name("group", group)
    outcome = arguments.name("outcome", outcome)
    value = None
    if margin is not None:
        value = (arguments.number("margin", margin), 0.0 if cost is None else arguments.number("cost", cost))
    elif cost is not None:
        raise InvalidArgumentError("cost was given without margin; pass margin=1 if the outcome is profit already")
    return UpliftCurve(
        _core.uplift_curve(
            as_source(table, [score, group, outcome]),
            score=score,
            group=group,
            outcome=outcome,
            control=arguments.optional_name("control", control),
            value=value,
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )
