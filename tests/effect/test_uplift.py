"""Uplift curves equal scikit-uplift's (golden/effect/uplift) and a slow reference, in any order of rows."""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    NotEnoughDataError,
    NullValueError,
)
from tests.reference_data import outside


def test_curves_of_scikit_uplift():
    golden = outside("cdnow").golden / "effect"
    metrics = pq.read_table(golden / "cdnow_ab" / "metrics.parquet")
    metrics = metrics.filter(pc.not_equal(metrics["group"], "coupon"))
    results = json.loads((golden / "uplift" / "expected.json").read_text())["results"]
    for name, expected in results.items():
        score, outcome = name.replace(" (ties)", "").split(" | ")
        curve = custcore.uplift_curve(metrics, score=score, group="group", outcome=outcome)
        table = curve.table()
        assert table.num_rows == expected["points"]
        assert curve.auuc == pytest.approx(expected["auuc"], rel=1e-12)
        assert curve.qini == pytest.approx(expected["qini"], rel=1e-9)
        assert curve.best_share == expected["best_share"]
        assert curve.at(curve.best_share).gain == pytest.approx(expected["best_gain"], rel=1e-12)
        assert curve.at(1.0).gain == pytest.approx(expected["gain_all"], rel=1e-12)
        for spot in expected["spot"]:
            assert curve.at(spot["share"]).gain == pytest.approx(spot["gain"], rel=1e-10)


def slow(rows: list[tuple[float, str, int]]) -> list[tuple[Fraction, Fraction]]:
    """Share and gain of each distinct score, in fractions."""
    points = [(Fraction(0), Fraction(0))]
    for score in sorted({row[0] for row in rows}, reverse=True):
        above = [row for row in rows if row[0] >= score]
        arms = [[row[2] for row in above if row[1] == group] for group in ("control", "mail")]
        share = Fraction(len(above), len(rows))
        gain = Fraction(0)
        if all(arms):
            control, treated = (Fraction(sum(arm), len(arm)) for arm in arms)
            gain = share * (treated - control)
        points.append((share, gain))
    return points


ROW = st.tuples(
    st.sampled_from([-1.5, 0.0, 0.25, 2.0, 7.0, 8.0]), st.sampled_from(["control", "mail"]), st.integers(-9, 99)
)
ROWS = st.lists(ROW, min_size=2, max_size=40).filter(lambda rows: len({row[1] for row in rows}) == 2)


def table(rows: list[tuple[float, str, int]]) -> pa.Table:
    return pa.table({"s": [row[0] for row in rows], "g": [row[1] for row in rows], "y": [row[2] for row in rows]})


@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 9))
def test_a_curve_equals_the_reference(rows: list[Any], random: Any, size: int):
    curve = custcore.uplift_curve(table(rows), score="s", group="g", outcome="y", margin=2.0, cost=3.0)
    points = slow(rows)
    found = curve.table()
    assert found["share"].to_pylist() == pytest.approx([float(share) for share, _ in points], rel=1e-14)
    assert found["gain"].to_pylist() == pytest.approx([float(gain) for _, gain in points], rel=1e-12, abs=1e-12)
    nets = [2 * gain - 3 * share for share, gain in points]
    assert found["net"].to_pylist() == pytest.approx([float(net) for net in nets], rel=1e-12, abs=1e-12)
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))
    assert curve.auuc == pytest.approx(float(area), abs=1e-12)
    assert curve.qini == pytest.approx(float(area - points[-1][1] / 2), abs=1e-12)
    best = curve.at(curve.best_share)
    assert best.net == pytest.approx(float(max(nets)), abs=1e-11)
    for (a, low), (b, high) in itertools.pairwise(points):
        assert curve.at(float(a + b) / 2).gain == pytest.approx(float(low + high) / 2, abs=1e-11)
    # Neither the order of rows nor batches change a bit.
    shuffled = list(rows)
    random.shuffle(shuffled)
    batches = pa.Table.from_batches(table(shuffled).to_batches(max_chunksize=size))
    other = custcore.uplift_curve(batches, score="s", group="g", outcome="y", margin=2.0, cost=3.0, n_threads=3)
    assert other.table().to_pyarrow().equals(found.to_pyarrow())
    assert (other.auuc, other.qini) == (curve.auuc, curve.qini)


def test_errors_are_those_of_repeated_experiments():
    rng = np.random.default_rng(5)
    found, errors = [], []
    for _ in range(200):
        n = 4_000
        score, is_treated = rng.random(n), rng.random(n) < 0.5
        outcome = rng.exponential(10, n) * (rng.random(n) < 0.3) + is_treated * score
        customers = pa.table({"s": score, "g": np.where(is_treated, "t", "control"), "y": outcome})
        curve = custcore.uplift_curve(customers, score="s", group="g", outcome="y")
        half = curve.at(0.5)
        assert half.se is not None
        assert curve.qini_se is not None
        assert curve.auuc_se is not None
        found.append((half.gain, curve.auuc, curve.qini))
        errors.append((half.se, curve.auuc_se, curve.qini_se))
    spread, claimed = np.std(found, axis=0, ddof=1), np.sqrt((np.array(errors) ** 2).mean(0))
    # 200 experiments: the spread is known within 5 % (one standard error).
    assert np.abs(claimed / spread - 1).max() < 0.2, (claimed, spread)


def test_columns_of_other_types():
    rows = {"s": pa.array([3, 3, 1, 1], pa.int8()), "g": pa.array([0, 1, 0, 1]).dictionary_encode()}
    plain = custcore.uplift_curve(
        pa.table(rows | {"y": [0.0, 1.0, 1.0, 1.0]}), score="s", group="g", outcome="y", control="0"
    )
    answers = pa.table(rows | {"y": [False, True, True, True]})
    found = custcore.uplift_curve(answers, score="s", group="g", outcome="y", control="0")
    assert found.table().to_pyarrow().equals(plain.table().to_pyarrow())
    assert found.at(0.5) == custcore.UpliftPoint(0.5, 3.0, 0.5, None, None)
    assert found.at(0.0) == custcore.UpliftPoint(0.0, None, 0.0, None, None)
    assert math.isclose(found.qini, 0.25 * 0.5 + 0.5 * 0.5 - 0.25)
    assert "1 against 0" in repr(found)


def test_rows_without_a_group_are_reported():
    customers = pa.table({"s": [1, 2, 3], "g": ["control", None, "x"], "y": [1.0, 99.0, 2.0]})
    curve = custcore.uplift_curve(customers, score="s", group="g", outcome="y")
    assert curve.at(1.0).gain == 1.0
    entry = curve.table().report["null_group"]
    assert (entry.count, entry.first_row) == (1, 1)


@pytest.mark.parametrize(
    ("columns", "options", "error", "words"),
    [
        ({"g": ["a", "b"]}, {}, InvalidArgumentError, "the groups 'a', 'b'; expected two, of which one is 'control'"),
        ({"g": ["control", "control"]}, {}, InvalidArgumentError, "the groups 'control'; expected two"),
        ({"g": ["a", "b"]}, {"control": "c"}, InvalidArgumentError, "one is 'c'"),
        ({"s": [1.0, None]}, {}, NullValueError, "column 's' is null or NaN at row 1"),
        ({"y": [float("nan"), 1.0]}, {}, NullValueError, "column 'y' is null or NaN at row 0"),
        ({"y": [1.0, float("inf")]}, {}, NonFiniteError, "column 'y' is infinite at row 1"),
        ({"y": ["a", "b"]}, {}, InvalidTypeError, "column 'y'"),
        ({}, {"score": "z"}, ColumnNotFoundError, "'z'"),
        ({}, {"cost": 1.0}, InvalidArgumentError, "cost was given without margin"),
        ({}, {"margin": 1.0, "cost": -1.0}, InvalidArgumentError, "a cost of 0 or more"),
    ],
)
def test_bad_input(columns: dict[str, Any], options: dict[str, Any], error: type[Exception], words: str):
    customers = pa.table({"s": [1.0, 2.0], "g": ["control", "t"], "y": [1.0, 2.0]} | columns)
    with pytest.raises(error, match=words):
        custcore.uplift_curve(customers, **{"score": "s", "group": "g", "outcome": "y", **options})


def test_rows_of_errors_count_over_batches():
    batches = [pa.record_batch({"s": [1.0, 2.0], "g": ["control", "t"], "y": y}) for y in ([1.0, 2.0], [1.0, None])]
    with pytest.raises(NullValueError, match="at row 3"):
        custcore.uplift_curve(pa.Table.from_batches(batches), score="s", group="g", outcome="y")


def test_no_customers():
    empty = pa.table({"s": pa.array([], pa.float64()), "g": pa.array([], pa.string()), "y": pa.array([], pa.float64())})
    with pytest.raises(NotEnoughDataError, match="the groups none"):
        custcore.uplift_curve(empty, score="s", group="g", outcome="y")


def test_shares_outside():
    customers = pa.table({"s": [1.0, 2.0], "g": ["control", "t"], "y": [1.0, 2.0]})
    curve = custcore.uplift_curve(customers, score="s", group="g", outcome="y")
    with pytest.raises(InvalidArgumentError, match=r"share=1\.5; expected a share of the customers, from 0 to 1"):
        curve.at(1.5)
