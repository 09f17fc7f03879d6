"""Every claim of an explanation is true when the customer is scored again, for every way of scoring."""

from __future__ import annotations

import math
import pickle
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import custcore
from custcore.errors import CustcoreError

NAMES = ("recency", "frequency", "monetary")
LETTERS = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
GROUPS = ["AT", "BE", None]

RECENCY = st.integers(0, 9) | st.integers(0, 2**31 - 1)
FREQUENCY = st.integers(1, 4) | st.integers(1, 2**40)
CENTS = st.integers(-100, 300) | st.integers(-(10**9), 10**9)
CUSTOMER = st.tuples(RECENCY, FREQUENCY, CENTS, st.sampled_from(GROUPS))
CUSTOMERS = st.lists(CUSTOMER, min_size=1, max_size=12)
MONEY = st.sampled_from(["float", "int", "decimal", "none"])
BINS = st.integers(2, 6) | st.integers(2, 100)
EDGES = st.lists(st.integers(-20, 120) | st.floats(-20, 120), min_size=1, max_size=6, unique=True).map(sorted)

MAPS = {
    "rf": custcore.SegmentMap([("good", (2, 3), (2, 3)), ("new", 3, 1)], bins=3, rest="others"),
    "rfm": custcore.SegmentMap(
        [("a", (1, 2), None, 3), ("b", None, (2, 3), (1, 2)), ("a", 3, 3, None)], bins=3, rest="z"
    ),
}


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """Options of a scorer that agree with each other."""
    rule = draw(st.sampled_from(["type7", "split", "r", "cuts"]))
    # Maps are for stated numbers of bins, which cuts are not.
    maps = [] if rule == "cuts" else ["rf10", "r_vignette", "rf", "rfm"]
    segments = draw(st.sampled_from([*maps, "octants", "median", None]))
    fixed = {"rf10": 5, "r_vignette": 5, "rf": 3, "rfm": 3}.get(segments or "")
    options: dict[str, Any] = {
        "bins": fixed or (draw(BINS), draw(BINS), draw(BINS)),
        "binning": draw(st.sampled_from(["independent", "nested"])),
        "by": draw(st.sampled_from([None, "group"])),
        "unseen": draw(st.sampled_from(["error", "global"])),
        "weights": draw(st.sampled_from([(100, 10, 1), (0.5, 0, 2)])),
        "segments": {"median": custcore.SegmentMap.named("octants", center="median", lang="zh"), **MAPS}.get(
            segments or "", segments
        ),
    }
    if rule == "split":
        options["ties"] = "split"
    elif rule == "r":
        options["cuts_rule"] = "r"
    elif rule == "cuts":
        named = draw(st.sets(st.sampled_from(NAMES), min_size=1))
        options["cuts"] = {name: draw(EDGES) for name in sorted(named)}
        options["closed"] = draw(st.sampled_from(["right", "left"]))
    return options


def table(rows: list[tuple[int, int, int, Any]], money: str) -> pa.Table:
    recency, frequency, cents, group = ([row[i] for row in rows] for i in range(4))
    columns = {
        "customer_id": pa.array([f"c{(i * 37) % 101:03d}" for i in range(len(rows))]),
        "recency_days": pa.array(recency, pa.int32()),
        "n_orders": pa.array(frequency, pa.int64()),
        "group": pa.array(group, pa.string()),
    }
    if money == "float":
        columns["monetary_total"] = pa.array([c / 100 for c in cents], pa.float64())
    elif money == "int":
        columns["monetary_total"] = pa.array(cents, pa.int64())
    elif money == "decimal":
        columns["monetary_total"] = pa.array([Decimal(c).scaleb(-2) for c in cents], pa.decimal128(38, 2))
    return pa.table(columns)


def step(value: Any, towards: Any) -> Any:
    """The next value of the same type towards another one."""
    up = towards > value
    if isinstance(value, float):
        return math.nextafter(value, math.inf if up else -math.inf)
    if isinstance(value, Decimal):
        return value + Decimal(1 if up else -1).scaleb(int(value.as_tuple().exponent))
    return value + (1 if up else -1)


class Rescored:
    """Scores a customer again with one value changed."""

    def __init__(self, scorer: custcore.RFMScorer, values: tuple[Any, Any, Any], options: dict[str, Any]) -> None:
        self.scorer, self.values, self.options = scorer, values, options

    def __call__(self, dimension: str | None = None, value: Any = None) -> Any:
        """The scores and the segment, or None for a value that cannot be scored."""
        values = [value if name == dimension else own for name, own in zip(NAMES, self.values, strict=True)]
        try:
            return self.scorer.score_one(*values, **self.options)
        except CustcoreError:
            return None


def check(why: custcore.ScoreExplanation, again: Rescored) -> None:
    """Every claim of an explanation."""
    r, f, m, segment = now = again()
    scores = [score for score in (r, f, m) if score is not None]
    assert [part.score for part in why.scores] == scores
    assert why.rfm_cell == "-".join(map(str, scores))
    assert why.segment == segment
    for place, part in enumerate(why.scores):
        for change, sign in ((part.next_higher, 1), (part.next_lower, -1)):
            if change is None:
                continue
            assert change.dimension == part.dimension
            found = again(change.dimension, change.value)
            assert found == (change.r_score, change.f_score, change.m_score, change.segment)
            assert (found[place] - part.score) * sign > 0
            before = again(change.dimension, step(change.value, part.value))
            # What lies between either has a score on this side of it or none at all.
            assert before is None or (found[place] - before[place]) * sign > 0
        for change, up in ((part.segment_below, False), (part.segment_above, True)):
            if change is None:
                continue
            assert (change.value > part.value) is up
            found = again(change.dimension, change.value)
            assert found == (change.r_score, change.f_score, change.m_score, change.segment)
            assert found[3] != segment
            before = again(change.dimension, step(change.value, part.value))
            assert before is None or before[3] != change.segment
        check_bounds(part, place, again, now)


def check_bounds(part: custcore.ExplainedScore, place: int, again: Rescored, now: Any) -> None:
    """The ends of the bin belong to it as the explanation says."""
    assert part.lower is None or (part.lower < part.value or (part.lower_closed and part.lower <= part.value))
    assert part.upper is None or (part.value < part.upper or (part.upper_closed and part.value <= part.upper))
    for end, is_closed in ((part.lower, part.lower_closed), (part.upper, part.upper_closed)):
        found = None if end is None else again(part.dimension, end)
        if found is not None:
            assert (found[place] == now[place]) is is_closed
    assert (part.customers is None) is (part.same_score is None) is part.is_global
    assert part.customers is None or 0 <= part.same_score <= part.customers
    if part.by_id is not None:
        low, high = part.by_id
        assert low < high
        assert low <= part.score <= high


def check_all(
    rows: list[tuple[int, int, int, Any]],
    options: dict[str, Any],
    money: str,
    asked: list[tuple[int, int, int, Any]],
) -> None:
    needs_money = options["segments"] is not None and (
        options["segments"] in ("octants", "r_vignette", MAPS["rfm"])
        or (isinstance(options["segments"], custcore.SegmentMap) and options["segments"].bins is None)
    )
    if money == "none" and needs_money:
        return
    data = table(rows, money)
    scorer = custcore.RFMScorer(**options).fit(data)
    one = {row["customer_id"]: row for row in data.to_pylist()}
    strangers = table(asked, money).to_pylist()
    for row in [*one.values(), *strangers]:
        values = (row["recency_days"], row["n_orders"], row.get("monetary_total"))
        for customer_id in (row["customer_id"], None):
            extra = {"customer_id": customer_id, "group": row["group"] if options["by"] else None}
            again = Rescored(scorer, values, extra)
            if again() is None:
                with pytest.raises(CustcoreError):
                    scorer.explain(*values, **extra)
                continue
            why = scorer.explain(*values, **extra)
            check(why, again)
            assert pickle.loads(pickle.dumps(why)) == why


EQUALS = [(3, 1, 100, "AT"), (3, 1, 100, "BE"), (3, 2, 100, "AT")]
NESTED_TILES = {
    "bins": 3,
    "ties": "split",
    "binning": "nested",
    "by": None,
    "unseen": "error",
    "segments": MAPS["rfm"],
}


@given(CUSTOMERS, settings(), MONEY, CUSTOMERS)
@example(EQUALS, NESTED_TILES, "float", EQUALS)
def test_every_claim_is_true_when_scored_again(
    rows: list[tuple[int, int, int, Any]],
    options: dict[str, Any],
    money: str,
    asked: list[tuple[int, int, int, Any]],
) -> None:
    check_all(rows, options, money, asked)


VALUES = st.one_of(
    st.tuples(st.floats(0, 20), st.floats(1, 9), st.floats(-5, 5)),
    st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(-5, 5)),
    st.tuples(st.decimals(0, 20, places=1), st.decimals(1, 9, places=1), st.decimals(-5, 5, places=3)),
    st.tuples(st.sampled_from([0, 10**25]), st.sampled_from([1, 10**25]), st.sampled_from([math.inf, -math.inf, 0.0])),
)


@given(CUSTOMERS, settings(), st.sampled_from(["float", "int", "decimal"]), VALUES)
def test_values_of_other_types_than_the_fitted_ones(
    rows: list[tuple[int, int, int, Any]], options: dict[str, Any], money: str, values: tuple[Any, Any, Any]
) -> None:
    scorer = custcore.RFMScorer(**options).fit(table(rows, money))
    again = Rescored(scorer, values, {"group": rows[0][3] if options["by"] else None})
    if again() is not None:
        why = scorer.explain(*values, group=rows[0][3] if options["by"] else None)
        assert all(part.value == value for part, value in zip(why.scores, values, strict=True))
        check(why, again)


@given(CUSTOMERS, st.integers(2, 6), st.sampled_from(["type7", "r"]), st.booleans())
def test_no_change_is_missed(rows: list[tuple[int, int, int, Any]], bins: int, rule: str, nested: bool) -> None:
    """Where the explanation names no value, none of the small numbers has another score."""
    rows = [(r % 12, 1 + f % 6, c % 12, g) for r, f, c, g in rows]
    options = {"binning": "nested" if nested else "independent", "unseen": "global", "cuts_rule": rule}
    scorer = custcore.RFMScorer(bins, segments=MAPS["rf"] if bins == 3 else None, **options).fit(table(rows, "int"))
    r, f, m, _ = rows[0]
    again = Rescored(scorer, (r, f, m), {})
    why = scorer.explain(r, f, m)
    for place, (part, numbers) in enumerate(zip(why.scores, (range(40), range(1, 40), range(-40, 60)), strict=True)):
        found = {value: again(part.dimension, value) for value in numbers}
        higher = [value for value, scored in found.items() if scored[place] > part.score]
        lower = [value for value, scored in found.items() if scored[place] < part.score]
        for change, values in ((part.next_higher, higher), (part.next_lower, lower)):
            if values:
                nearest = min(values, key=lambda value: abs(value - part.value))
                assert change is not None
                up = change.value > part.value
                assert (math.ceil(change.value) if up else math.floor(change.value)) == nearest
            else:
                assert change is None or change.value not in found
        others = {value for value, scored in found.items() if scored[3] != why.segment}
        above = min((value for value in others if value > part.value), default=None)
        below = max((value for value in others if value < part.value), default=None)
        assert above is None or (part.segment_above is not None and above == math.ceil(part.segment_above.value))
        assert below is None or (part.segment_below is not None and below == math.floor(part.segment_below.value))
