"""Scores equal the reference for every table of customers, and a fitted scorer says the same one by one."""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction
from typing import Any

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

import custcore
from tests.reference import RF10, edges_reference, rfm_scores_reference

BINS = st.one_of(st.integers(2, 12), st.sampled_from([5, 100]))
MONEY = st.one_of(
    st.integers(-100, 500).map(lambda n: n / 100),
    st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3]),
    st.integers(-(2**53), 2**53).map(lambda n: n / 10**6),
)
ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)
DAYS = st.integers(0, 40) | st.integers(0, 2**31 - 1)
COUNTS = st.integers(1, 6) | st.integers(1, 2**62)


def customers(money: st.SearchStrategy[float]) -> st.SearchStrategy[list[tuple[int, int, float]]]:
    return st.lists(st.tuples(DAYS, COUNTS, money), min_size=1, max_size=30)


def table(rows: list[tuple[int, int, float]]) -> pa.Table:
    recency, frequency, monetary = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": pa.array(range(len(rows)), pa.int64()),
            "recency_days": pa.array(recency, pa.int32()),
            "n_orders": pa.array(frequency, pa.int64()),
            "monetary_total": pa.array(monetary, pa.float64()),
        }
    )


def scores(found: Any) -> list[tuple[int, ...]]:
    arrow = found.to_pyarrow()
    return list(zip(*(arrow[c].to_pylist() for c in ("r_score", "f_score", "m_score")), strict=True))


def above(edges: list[Fraction], value: float) -> int:
    """1 + how many edges lie strictly below the value."""
    return 1 + bisect_left(edges, Fraction(value))


@given(customers(MONEY) | customers(ANY_FLOAT), BINS)
@example([(0, 1, 0.0)], 5)
@example([(0, 1, 0.0), (0, 1, -0.0)], 5)
def test_scores_equal_the_reference(rows: list[tuple[int, int, float]], bins: int) -> None:
    expected = rfm_scores_reference(*zip(*rows, strict=True), bins)
    scorer = custcore.RFMScorer(bins=bins)
    at_once = scorer.fit_transform(table(rows))
    assert scores(at_once) == expected
    assert scorer.transform(table(rows)).to_pyarrow().equals(at_once.to_pyarrow())
    one_by_one = [scorer.score_one(*row) for row in rows]
    assert [one[:3] for one in one_by_one] == expected
    assert [one[3] for one in one_by_one] == [RF10[r, f] if bins == 5 else None for r, f, _ in expected]


@given(customers(MONEY), customers(MONEY) | customers(ANY_FLOAT), BINS)
def test_values_never_seen(rows: list[tuple[int, int, float]], others: list[tuple[int, int, float]], bins: int) -> None:
    """Edges are the exact quantiles: every other value falls where exact arithmetic puts it."""
    recency, frequency, monetary = zip(*rows, strict=True)
    r, f, m = (edges_reference(values, bins) for values in (recency, frequency, monetary))
    expected = [(bins + 1 - above(r, a), above(f, b), above(m, c)) for a, b, c in others]
    scorer = custcore.RFMScorer(bins=bins).fit(table(rows))
    assert scores(scorer.transform(table(others))) == expected
    assert [scorer.score_one(*row)[:3] for row in others] == expected


@given(st.lists(MONEY | ANY_FLOAT, min_size=2, max_size=12), BINS)
def test_scores_change_right_above_the_exact_quantile(monetary: list[float], bins: int) -> None:
    """At the largest float that is not above the edge, and at the next one."""
    scorer = custcore.RFMScorer(bins=bins).fit(table([(0, 1, m) for m in monetary]))
    edges = edges_reference(monetary, bins)
    for edge in edges:
        for value in (math.nextafter(float(edge), -math.inf), float(edge), math.nextafter(float(edge), math.inf)):
            if math.isfinite(value):
                assert scorer.score_one(0, 1, value)[2] == above(edges, value)


@given(customers(MONEY), st.permutations(range(30)))
def test_order_of_customers(rows: list[tuple[int, int, float]], order: list[int]) -> None:
    kept = [i for i in order if i < len(rows)]
    found = scores(custcore.RFMScorer().fit_transform(table([rows[i] for i in kept])))
    expected = scores(custcore.RFMScorer().fit_transform(table(rows)))
    assert found == [expected[i] for i in kept]


@given(customers(st.integers(-(10**4), 10**4).map(lambda n: n / 4)), st.integers(1, 64))
def test_scale_of_money_does_not_matter(rows: list[tuple[int, int, float]], scale: int) -> None:
    scaled = [(r, f, m * scale) for r, f, m in rows]
    assert scores(custcore.RFMScorer().fit_transform(table(scaled))) == scores(
        custcore.RFMScorer().fit_transform(table(rows))
    )
