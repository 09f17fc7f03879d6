"""The explanation of scores as text that fits a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from custcore.result._layout import printable, terminal_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from custcore._rfm.explanation import ExplainedScore, Range, ScoreChange, ScoreExplanation, Value

__all__ = ["explanation_text"]

_LETTERS = {"recency": "R", "frequency": "F", "monetary": "M"}


def explanation_text(explained: ScoreExplanation) -> str:
    """The scores, each with its bin and what would change it, then the segment."""
    width = terminal_width()
    lines: list[str] = []
    for text in _paragraphs(explained):
        indent = len(text) - len(text.lstrip())
        lines += [" " * indent + line for line in wrapped(text.lstrip(), width - indent)]
    return "\n".join(lines)


def _paragraphs(explained: ScoreExplanation) -> Iterator[str]:
    score = "" if explained.rfm_score is None else f"rfm_score {explained.rfm_score}, "
    who = [] if explained.customer_id is None else [f"customer {printable(str(explained.customer_id))}"]
    who += [] if explained.group is None else [f"group {printable(str(explained.group))}"]
    yield f"RFM {explained.rfm_cell}: {score}rfm_total {_shown(explained.rfm_total)}" + "".join(f", {w}" for w in who)
    for part in explained.scores:
        yield from _score(part, explained)
    if explained.segment is not None:
        yield from _segment(explained)


def _score(part: ExplainedScore, explained: ScoreExplanation) -> Iterator[str]:
    letter = _LETTERS[part.dimension]
    yield f"{part.column} {_shown(part.value)}: {letter} {part.score} of {part.bins}"
    yield f"  bin: {_bin(part)}; {_rule(part, explained)}"
    if part.by_id is not None:
        low, high = part.by_id
        sure = "an id decides" if explained.customer_id is None else "the id decides"
        first = "; without one the customer is the first of them" if explained.customer_id is None else ""
        yield f"  customers with this value have {letter} {low} to {high}: {sure}{first}"
    ways = [
        f"{letter} {_score_of(change)} {_reached(part.value, change)}"
        for change in (part.next_higher, part.next_lower)
        if change is not None
    ]
    yield f"  would change: {'; '.join(ways)}" if ways else f"  no value of {part.column} has another score"


def _segment(explained: ScoreExplanation) -> Iterator[str]:
    yield f"segment {printable(explained.segment or '')}: {_reason(explained)}"
    changes = explained.segment_changes
    values = {part.dimension: part for part in explained.scores}
    for change in changes:
        part = values[change.dimension]
        yield f"  {part.column} {_reached(part.value, change)}: {printable(change.segment or 'none')}"
    if not changes:
        yield "  no change of one value leads to another segment"


def _reason(explained: ScoreExplanation) -> str:
    if explained.centers is not None:
        sides = (
            f"{_LETTERS[name]} {'high' if is_high else 'low'} ({_side(name, is_high)} {_shown(center)})"
            for name, (center, is_high) in explained.centers.items()
        )
        return ", ".join(sides)
    if explained.rule is None:
        return "no rule of the map matches"
    _, *ranges = explained.rule
    letters = zip("RFM", ranges, strict=True)
    told = ", ".join(f"{letter} {_range(scores)}" for letter, scores in letters if scores is not None)
    return f"rule {explained.rule_number} of {explained.n_rules} ({told or 'every score'})"


def _side(dimension: str, is_high: bool) -> str:
    """How a value relates to the centre: recent is below it."""
    if dimension == "recency":
        return "below" if is_high else "not below"
    return "above" if is_high else "not above"


def _range(scores: Range) -> str:
    low, high = scores or (0, 0)
    return str(low) if low == high else f"{low} to {high}"


def _bin(part: ExplainedScore) -> str:
    if part.lower is None:
        if part.upper is None:
            return "every value"
        return f"{'up to' if part.upper_closed else 'below'} {_shown(part.upper)}"
    if part.upper is None:
        return f"{'from' if part.lower_closed else 'above'} {_shown(part.lower)}{' on' if part.lower_closed else ''}"
    words = {
        (True, True): ("from", "to"),
        (True, False): ("from", "to below"),
        (False, True): ("above", "up to"),
        (False, False): ("above", "and below"),
    }[bool(part.lower_closed), bool(part.upper_closed)]
    return f"{words[0]} {_shown(part.lower)} {words[1]} {_shown(part.upper)}"


def _rule(part: ExplainedScore, explained: ScoreExplanation) -> str:
    if part.rule == "cuts":
        text = "given cuts"
    else:
        count = part.customers
        of = "all customers" if count is None else f"{count:,} customer{'' if count == 1 else 's'}"
        text = {
            "type7": f"type-7 quantiles of {of}",
            "r": f"quantiles plus 1 of {of}, as R's package rfm",
            "split": f"tiles of equal size of {of}, equal values by id",
        }[part.rule]
        if part.is_global:
            return f"{text}, as the fit had none of this group and these scores before"
        if explained.group is not None:
            text += " of the group"
    within = ", ".join(f"{_LETTERS[name]} {score}" for name, score in part.within.items())
    return f"{text} within {within}" if within and part.rule != "cuts" else text


def _score_of(change: ScoreChange) -> int | None:
    return {"recency": change.r_score, "frequency": change.f_score, "monetary": change.m_score}[change.dimension]


def _reached(now: Value, change: ScoreChange) -> str:
    """Where the change happens, seen from the value: ``from 17 on``, ``above 49.9``, ``from 5 down``."""
    up = change.value > now
    if isinstance(change.value, float):
        before = math.nextafter(change.value, -math.inf if up else math.inf)
        if len(repr(before)) < len(repr(change.value)):
            return f"{'above' if up else 'below'} {_shown(before)}"
    return f"from {_shown(change.value)} {'on' if up else 'down'}"


def _shown(value: Value) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
