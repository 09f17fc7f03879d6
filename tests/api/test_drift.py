"""`drift` of scorers: the population stability index as defined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import ColumnNotFoundError, InvalidTypeError, NotEnoughDataError, NotFittedError


def psi_reference(fitted: np.ndarray[Any, Any], now: np.ndarray[Any, Any], bins: int) -> float:
    """By numpy: shares of scores, floored at 1e-4."""
    expected, actual = (
        np.maximum(np.bincount(scores, minlength=bins + 1)[1:] / len(scores), 1e-4) for scores in (fitted, now)
    )
    return float(((actual - expected) * np.log(actual / expected)).sum())


def table(rng: np.random.Generator, n: int, shift: float = 0.0) -> pa.Table:
    return pa.table(
        {
            "customer_id": np.arange(n),
            "recency_days": rng.integers(0, 100, n) + int(10 * shift),
            "n_orders": rng.poisson(2 + shift, n) + 1,
            "monetary_total": np.round(rng.lognormal(3 + shift / 10, 1, n), 2),
            "country": rng.choice(["de", "fr", "it"], n),
        }
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bins": (2, 10, 100), "segments": None},
        {"ties": "split"},
        {"by": "country"},
        {"binning": "nested", "bins": 3, "unseen": "global", "segments": None},
        {"cuts": {"recency": [10, 20], "monetary": [1e6]}, "segments": None},
    ],
    ids=str,
)
def test_as_by_numpy(seed: int, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    then, now = table(rng, 500), table(rng, 300, shift=seed)
    scorer = custcore.RFMScorer(**settings).fit(then)
    fitted, scored = scorer.transform(then), scorer.transform(now)
    found = scorer.drift(now).to_pyarrow().to_pylist()
    assert [row["dimension"] for row in found] == ["recency", "frequency", "monetary"]
    by_score = scorer.drift(now, by_score=True).to_pyarrow().to_pylist()
    bins = [len({row["score"] for row in by_score if row["dimension"] == name["dimension"]}) for name in found]
    for row, name, size in zip(found, ("r_score", "f_score", "m_score"), bins, strict=True):
        before, after = fitted.to_numpy(name), scored.to_numpy(name)
        assert math.isclose(row["psi"], psi_reference(before, after, size), rel_tol=1e-12, abs_tol=1e-15)
        assert (row["customers_fitted"], row["customers_now"]) == (500, 300)
        own = [part for part in by_score if part["dimension"] == row["dimension"]]
        assert [part["score"] for part in own] == list(range(1, size + 1))
        assert [part["customers_now"] for part in own] == np.bincount(after, minlength=size + 1)[1:].tolist()
        assert [part["share_fitted"] for part in own] == [part["customers_fitted"] / 500 for part in own]
        assert math.isclose(sum(part["psi"] for part in own), row["psi"], rel_tol=1e-12, abs_tol=1e-15)
    # Batches and a loaded scorer tell the same.
    batches = pa.Table.from_batches(now.to_batches(max_chunksize=7))
    loaded = custcore.RFMScorer.from_bytes(scorer.to_bytes())
    assert loaded.drift(batches).to_pyarrow().to_pylist() == found


def test_by_hand() -> None:
    then = {"visits": np.array([1, 2, 3, 4])}
    scorer = custcore.QuantileScorer(["visits"], bins=2).fit(then)
    # 2.5 is the edge. Half of them were above it, now three of four are: two terms.
    now = {"visits": np.array([9, 9, 9, 0])}
    (row,) = scorer.drift(now).to_pyarrow().to_pylist()
    assert row == {
        "dimension": "visits",
        "customers_fitted": 4,
        "customers_now": 4,
        "psi": pytest.approx(-0.25 * math.log(0.5) + 0.25 * math.log(1.5), abs=1e-15),
    }
    # Nobody is below it: that share counts as 1 in 10,000.
    low, high = scorer.drift({"visits": np.array([5])}, by_score=True).to_pyarrow().to_pylist()
    assert (low["share_fitted"], low["share_now"], low["customers_now"]) == (0.5, 0.0, 0)
    assert low["psi"] == pytest.approx((1e-4 - 0.5) * math.log(1e-4 / 0.5), abs=1e-15)
    assert high["psi"] == pytest.approx(0.5 * math.log(2), abs=1e-15)
    assert scorer.drift(then).to_pyarrow()["psi"].to_pylist() == [0.0]


def test_many_rows_and_threads() -> None:
    rng = np.random.default_rng(1)
    then, now = table(rng, 200_000), table(rng, 150_000, shift=1)
    scorer = custcore.RFMScorer().fit(then)
    found = [scorer.drift(now, n_threads=n).to_pyarrow().to_pylist() for n in (1, 4)]
    assert found[0] == found[1]
    scored = scorer.transform(now)
    expected = [
        psi_reference(scorer.transform(then).to_numpy(name), scored.to_numpy(name), 5)
        for name in ("r_score", "f_score", "m_score")
    ]
    assert [row["psi"] for row in found[0]] == pytest.approx(expected, rel=1e-12)


def test_nulls_are_passed_over() -> None:
    then = pa.table({"visits": [1, 2, 3, 4, None]})
    scorer = custcore.QuantileScorer(["visits"], bins=2).fit(then)
    (row,) = scorer.drift(pa.table({"visits": [None, 1, 4]})).to_pyarrow().to_pylist()
    assert (row["customers_fitted"], row["customers_now"], row["psi"]) == (4, 2, 0.0)


def test_bad_input() -> None:
    then = pa.table({"visits": [1, 2, 3, 4]})
    scorer = custcore.QuantileScorer(["visits"], bins=2)
    with pytest.raises(NotFittedError):
        scorer.drift(then)
    scorer.fit(then)
    for empty in (then.slice(0, 0), pa.table({"visits": pa.array([None, None], pa.int64())})):
        with pytest.raises(NotEnoughDataError, match="'visits' has no value"):
            scorer.drift(empty)
    with pytest.raises(ColumnNotFoundError, match="visits"):
        scorer.drift(pa.table({"visit": [1]}))
    with pytest.raises(InvalidTypeError, match="by_score"):
        scorer.drift(then, by_score="yes")  # type: ignore[arg-type]
