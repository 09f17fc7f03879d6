"""``custcore.ScoreExplanation``: why a customer has his scores and his segment, and what would change them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from custcore._rfm.explanation_text import explanation_text
from custcore.result import Table

if TYPE_CHECKING:
    from decimal import Decimal

    from custcore import _core
    from custcore._input.ids import Group, Id

__all__ = ["ExplainedScore", "ScoreChange", "ScoreExplanation"]

Value: TypeAlias = "int | float | Decimal"
Range: TypeAlias = "tuple[int, int] | None"


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The nearest value of one dimension that changes a score or the segment.

    :meth:`custcore.RFMScorer.score_one` gives exactly these scores for it, the other values
    being as they are; the value next to it (one less or more, or the next float) does not.

    Attributes
    ----------
    dimension : {"recency", "frequency", "monetary"}
        The dimension whose value changes.
    value : int, float or Decimal
        The value, in the type of the fitted values if that holds the value of the customer,
        else in the customer's; days and orders that were given as integers stay integers.
    r_score, f_score : int
        The scores with it. With nested binning another R may change F and M, too.
    m_score : int or None
        None without money.
    segment : str or None
        None without segments.
    """

    dimension: str
    value: Value
    r_score: int
    f_score: int
    m_score: int | None
    segment: str | None


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    """The score of one dimension: the bin, its edges and their rule, and the nearest changes.

    Attributes
    ----------
    dimension : {"recency", "frequency", "monetary"}
        The dimension.
    column : str
        Its column in RFM tables, e.g. ``n_orders``.
    value : int, float or Decimal
        The value.
    score, bins : int
        The score, and the best one.
    lower, upper : int, float, Decimal or None
        The exact ends of the bin that the value lies in. None: the bin has no end on this side.
    lower_closed, upper_closed : bool or None
        Whether the end itself has the score. With ``ties="split"`` it is that of this id.
    rule : {"type7", "r", "cuts", "split"}
        Where the edges come from: quantiles of type 7 (right-closed), those of R's package rfm
        (left-closed), given cuts, or tiles of equal size that split equal values by id.
    within : dict of str to int
        The scores within which the bins were fitted; empty unless binning is nested.
    is_global : bool
        Whether the group or the scores before did not occur in the fit, so that the bins of
        all customers apply (``unseen="global"``).
    customers, same_score : int or None
        How many customers the bins were fitted on, and how many of them have this score; None
        where ``is_global``.
    by_id : (int, int) or None
        The lowest and highest score of customers with this value, if only their ids decide.
    next_lower, next_higher : ScoreChange or None
        The nearest value with a lower and with a higher score of this dimension; None if there
        is none. An empty bin is skipped, so it may be more than one score away.
    segment_below, segment_above : ScoreChange or None
        The nearest smaller and the nearest larger value with another segment.
    """

    dimension: str
    column: str
    value: Value
    score: int
    bins: int
    lower: Value | None
    lower_closed: bool | None
    upper: Value | None
    upper_closed: bool | None
    rule: Literal["type7", "r", "cuts", "split"]
    within: dict[str, int]
    is_global: bool
    customers: int | None
    same_score: int | None
    by_id: tuple[int, int] | None
    next_lower: ScoreChange | None
    next_higher: ScoreChange | None
    segment_below: ScoreChange | None
    segment_above: ScoreChange | None


@dataclass(frozen=True, slots=True, repr=False)
class ScoreExplanation:
    """The scores and the segment of a customer, and why; :meth:`custcore.RFMScorer.explain`.

    Its text is for people; it fits the terminal. It can be pickled.

    Attributes
    ----------
    scores : tuple of ExplainedScore
        Recency, frequency and, with money, monetary.
    rfm_cell : str
        The scores joined by "-".
    rfm_score : int or None
        r*100 + f*10 + m; None where a B exceeds 9.
    rfm_total : float
        The weighted sum.
    segment : str or None
        None without segments.
    rule : (str, R range, F range, M range) or None
        The rule of the segment map that matched, the first one that does, as in
        :attr:`custcore.SegmentMap.rules`. None for the rest of the map, for octants and without
        segments.
    rule_number, n_rules : int or None
        Its number, from 1, and the number of rules.
    centers : dict of str to (float, bool), or None
        Of octants the centre of each dimension, and whether the value is on its high side.
    customer_id, group : object
        As they were passed.
    """

    scores: tuple[ExplainedScore, ...]
    rfm_cell: str
    rfm_score: int | None
    rfm_total: float
    segment: str | None
    rule: tuple[str, Range, Range, Range] | None
    rule_number: int | None
    n_rules: int | None
    centers: dict[str, tuple[float, bool]] | None
    customer_id: Id | None
    group: Group | None
    _table: Table = dataclasses.field(compare=False)

    @property
    def recency(self) -> ExplainedScore:
        """The R score."""
        return self.scores[0]

    @property
    def frequency(self) -> ExplainedScore:
        """The F score."""
        return self.scores[1]

    @property
    def monetary(self) -> ExplainedScore | None:
        """The M score; None if the scorer was fitted without money."""
        return self.scores[2] if len(self.scores) > 2 else None

    @property
    def segment_changes(self) -> tuple[ScoreChange, ...]:
        """The nearest changes of one value that lead to another segment, dimension by dimension."""
        both = (change for score in self.scores for change in (score.segment_below, score.segment_above))
        return tuple(change for change in both if change is not None)

    def to_table(self) -> Table:
        """One row per dimension, numbers as float64.

        Returns
        -------
        Table
            ``dimension``, ``column``, ``value``, ``score``, ``bins``, ``lower``,
            ``lower_closed``, ``upper``, ``upper_closed``, ``rule``, ``within``, ``customers``,
            ``lower_score`` and ``lower_score_at`` (the next lower score and the nearest value
            that has it), ``higher_score``, ``higher_score_at``, and with segments
            ``segment_below``, ``segment_below_at``, ``segment_above``, ``segment_above_at``.
        """
        return self._table

    def to_dict(self) -> dict[str, Any]:
        """The same as dicts and lists, with exact numbers: what this object has, by name."""
        names = [field.name for field in dataclasses.fields(self) if not field.name.startswith("_")]
        return {name: _plain(getattr(self, name)) for name in names}

    def __repr__(self) -> str:
        return explanation_text(self)


def explanation(found: _core.Explanation, customer_id: Id | None, group: Group | None) -> ScoreExplanation:
    """The explanation that the core gives, as an object."""
    scores = tuple(_score(part) for part in found["dimensions"])
    number, n_rules, rule = found["rule"] or (None, None, None)
    centers = found["centers"]
    return ScoreExplanation(
        scores=scores,
        rfm_cell=found["rfm_cell"],
        rfm_score=found["rfm_score"],
        rfm_total=found["rfm_total"],
        segment=found["segment"],
        rule=rule,
        rule_number=number,
        n_rules=n_rules,
        centers=None
        if centers is None
        else {score.dimension: center for score, center in zip(scores, centers, strict=True)},
        customer_id=customer_id,
        group=group,
        _table=Table(found["table"]),
    )


def _score(part: _core.ExplainedDimension) -> ExplainedScore:
    def change(values: tuple[Value, int, int, int | None, str | None] | None) -> ScoreChange | None:
        return values and ScoreChange(part["dimension"], *values)

    return ExplainedScore(
        dimension=part["dimension"],
        column=part["column"],
        value=part["value"],
        score=part["score"],
        bins=part["bins"],
        lower=part["lower"],
        lower_closed=part["lower_closed"],
        upper=part["upper"],
        upper_closed=part["upper_closed"],
        rule=part["rule"],
        within=dict(part["within"]),
        is_global=part["is_global"],
        customers=part["customers"],
        same_score=part["same_score"],
        by_id=part["by_id"],
        next_lower=change(part["next_lower"]),
        next_higher=change(part["next_higher"]),
        segment_below=change(part["segment_below"]),
        segment_above=change(part["segment_above"]),
    )


def _plain(value: object) -> object:
    """Objects and tuples as dicts and lists."""
    if isinstance(value, ExplainedScore | ScoreChange):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
