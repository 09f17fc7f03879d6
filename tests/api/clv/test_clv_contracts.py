"""`custcore.clv.SBG`: how long customers of contracts stay."""

from __future__ import annotations

import copy
import math
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotEnoughDataError,
    NotFittedError,
)

# Fader & Hardie (2007), "How to project customer retention", table 1: who is left after 0, 1, ..., 7 years, of 1000;
# the published estimates.
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
PUBLISHED = {"regular": (REGULAR, 0.704, 1.182, -1680.3), "high end": (HIGH_END, 0.668, 3.806, -1611.2)}


def lost(survivors: list[int]) -> list[int]:
    return [before - after for before, after in pairwise(survivors)]


@pytest.fixture(scope="module")
def sbg() -> clv.SBG:
    return clv.SBG().fit(lost(REGULAR), 1000)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_estimates(name: str) -> None:
    survivors, a, b, log_likelihood = PUBLISHED[name]
    found = clv.SBG().fit(lost(survivors), 1000)
    assert found.params_ == pytest.approx({"a": a, "b": b}, abs=6e-4)
    assert found.log_likelihood_ == pytest.approx(log_likelihood, abs=0.06)
    assert found.status_ == "converged"
    assert found.aic_ == pytest.approx(4 - 2 * found.log_likelihood_)
    assert all(error is not None and error > 0 for error in found.standard_errors_.values())
    assert found.n_customers_ == 1000


def test_curves(sbg: clv.SBG) -> None:
    a, b = sbg.params_.values()
    assert sbg.survival(0) == 1.0
    for t in range(1, 30):
        rate = sbg.retention_rate(t)
        assert rate == pytest.approx((b + t - 1) / (a + b + t - 1), rel=1e-14)
        assert sbg.survival(t) == pytest.approx(sbg.survival(t - 1) * rate, rel=1e-12)
    # Published forecast for year 12 (figure 4): about 17 %.
    assert sbg.survival(12) == pytest.approx(0.17, abs=0.005)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("rate", [0.01, 0.1, 2.0])
def test_discounted_lifetime(sbg: clv.SBG, n: int, rate: float) -> None:
    """The sum of the survivors of each renewal to come, discounted: retained at the next, paid now."""
    by_hand, weight = 0.0, 1.0
    for k in range(6_000):
        weight *= sbg.retention_rate(n + k)
        by_hand += weight
        weight /= 1 + rate
    assert sbg.discounted_lifetime(n, rate) == pytest.approx(by_hand, rel=1e-9)


def test_several_cohorts(sbg: clv.SBG) -> None:
    """A younger cohort has seen fewer renewals."""
    found = clv.SBG().fit([lost(REGULAR), lost(REGULAR)[:3]], [1000, 1000])
    by_hand = clv.SBG().fit(
        [2 * n for n in lost(REGULAR)[:3]] + lost(REGULAR)[3:], [2000, 1262, 936, 382, 326, 289, 262]
    )
    assert found.log_likelihood_ == pytest.approx(by_hand.log_likelihood_, rel=1e-12)
    assert found.params_ == pytest.approx(by_hand.params_, rel=1e-6)
    assert found.n_customers_ == 2000
    assert found != sbg


def test_arrays_of_numpy(sbg: clv.SBG) -> None:
    assert clv.SBG().fit(np.array(lost(REGULAR)), np.int64(1000)) == sbg
    assert clv.SBG().fit(np.array(lost(REGULAR)), np.array(REGULAR[:-1])) == sbg


def payments(survivors: list[int], months: int = 8) -> dict[str, Any]:
    """Monthly payments of the cohort that signed in January, and of one that signed later."""
    start = np.datetime64("2025-01")
    who = [customer for month, number in enumerate(survivors) for customer in range(number)]
    when = [start + month for month, number in enumerate(survivors) for _ in range(number)]
    return {"customer_id": np.array(who), "timestamp": np.array(when).astype("datetime64[D]") + 4}


def test_a_cohort_result(sbg: clv.SBG) -> None:
    data = payments(REGULAR)
    cohorts = custcore.cohort_retention(data, observation_start="2024-12-01", observation_end="2025-09-01")
    assert clv.SBG().fit(cohorts) == sbg
    # The last month is not over: its cell is not complete.
    open_month = custcore.cohort_retention(data, observation_start="2024-12-01", observation_end="2025-08-20")
    assert clv.SBG().fit(open_month) == clv.SBG().fit(lost(REGULAR[:7]), 1000)
    assert clv.SBG().fit(pickle.loads(pickle.dumps(cohorts))) == sbg


def test_groups_of_a_cohort_result() -> None:
    one, two = payments(REGULAR), payments(HIGH_END)
    data = {
        "customer_id": np.concatenate([one["customer_id"], two["customer_id"] + 5_000]),
        "timestamp": np.concatenate([one["timestamp"], two["timestamp"]]),
        "plan": np.concatenate([np.full(len(one["timestamp"]), 1), np.full(len(two["timestamp"]), 2)]),
    }
    bounds: dict[str, Any] = {"observation_start": "2024-12-01", "observation_end": "2025-09-01"}
    both = clv.SBG().fit([lost(REGULAR), lost(HIGH_END)], [1000, 1000])
    found = clv.SBG().fit(custcore.cohort_retention(data, by="plan", **bounds))
    assert found.params_ == pytest.approx(both.params_, rel=1e-9)


def test_purchases_are_no_contracts() -> None:
    data = payments([100, 40, 60, 30])
    with pytest.raises(InvalidArgumentError, match=r"60 customers in period 2 after 40 before, so some came back"):
        clv.SBG().fit(custcore.cohort_retention(data, observation_start="2024-12-01", observation_end="2025-05-01"))


@pytest.mark.parametrize(
    "options", [{"brackets": [1, 3]}, {"return_criteria": "on_or_before"}, {"cohort_by": "recurring"}]
)
def test_cohorts_that_are_no_renewals(options: dict[str, Any]) -> None:
    cohorts = custcore.cohort_retention(
        payments(REGULAR), observation_start="2024-12-01", observation_end="2025-09-01", **options
    )
    with pytest.raises(InvalidArgumentError, match="cohort"):
        clv.SBG().fit(cohorts)


def test_cohorts_without_a_complete_renewal() -> None:
    """A cohort that is cut off at its start, or has seen no renewal, says nothing."""
    data = payments([100, 40])
    for bounds in (("2025-01-03", "2025-03-01"), ("2024-12-01", "2025-02-10")):
        cohorts = custcore.cohort_retention(data, observation_start=bounds[0], observation_end=bounds[1])
        with pytest.raises(NotEnoughDataError, match="no cohort has a complete cell after its first"):
            clv.SBG().fit(cohorts)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (([10, 5],), InvalidArgumentError, "at_risk is missing"),
        (([], 100), NotEnoughDataError, "lost is empty"),
        (([10, -1], 100), InvalidArgumentError, r"lost\[1\]=-1 is negative"),
        (([10, 95], 100), InvalidArgumentError, r"lost\[1\]=95 is more than the 90 who were at risk at renewal 2"),
        (([10, 5], [100, 95]), InvalidArgumentError, r"at_risk\[1\]=95 is more than the 90 who stayed"),
        (([10, 5], [100]), InvalidArgumentError, "lost has 2 renewals and at_risk 1"),
        (([[10], [5]], [100]), InvalidArgumentError, "lost has 2 cohorts and at_risk 1"),
        (([10.5], 100), InvalidTypeError, r"lost\[0\]=10.5 is float; expected an integer"),
        (("ten", 100), InvalidTypeError, "lost='ten' is str; expected a list of counts"),
        ((3, 100), InvalidTypeError, "lost=3 is int; expected a list of counts"),
        (([[10], 5], [100, 100]), InvalidTypeError, r"lost\[1\]=5 is int; expected a list"),
    ],
)
def test_counts_that_are_none(arguments: tuple[Any, ...], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        clv.SBG().fit(*arguments)


@pytest.mark.parametrize("counts", [[0, 0, 0], [100]])
def test_nobody_left_or_nobody_stayed(counts: list[int]) -> None:
    with pytest.raises(NotEnoughDataError):
        clv.SBG().fit(counts, 100)


def test_a_cohort_result_has_its_own_counts() -> None:
    cohorts = custcore.cohort_retention(payments(REGULAR))
    with pytest.raises(InvalidArgumentError, match="at_risk is given beside a cohort result"):
        clv.SBG().fit(cohorts, 1000)


def test_arguments_of_curves(sbg: clv.SBG) -> None:
    with pytest.raises(InvalidArgumentError, match="t=-1 is invalid; expected a number of renewals, 0 or more"):
        sbg.survival(-1)
    with pytest.raises(InvalidArgumentError, match=r"t=0 is invalid; expected a number of renewals, 1 or more"):
        sbg.retention_rate(0)
    with pytest.raises(InvalidArgumentError, match=r"rate=0\.0 is invalid"):
        sbg.discounted_lifetime(1, 0)
    with pytest.raises(InvalidTypeError, match=r"t=1\.5 is float"):
        sbg.survival(1.5)  # type: ignore[arg-type]


def test_given_parameters() -> None:
    given = clv.SBG.of_parameters({"a": 0.668, "b": 3.806})
    assert given.survival(1) == pytest.approx(3.806 / 4.474)
    assert given.status_ == "given"
    with pytest.raises(NotFittedError, match="were given"):
        _ = given.log_likelihood_
    with pytest.raises(NotFittedError, match=r"call fit\(lost, at_risk\) first"):
        clv.SBG().survival(1)


def test_saved_models(sbg: clv.SBG, tmp_path: Path) -> None:
    sbg.save(tmp_path / "sbg.json")
    for loaded in (clv.SBG.load(tmp_path / "sbg.json"), pickle.loads(pickle.dumps(sbg)), copy.deepcopy(sbg)):
        assert loaded == sbg
        assert loaded.survival(9) == sbg.survival(9)
        assert repr(loaded.fit_) == repr(sbg.fit_)
    assert pickle.loads(pickle.dumps(clv.SBG())) == clv.SBG() != sbg
    with pytest.raises(ModelFormatError):
        clv.SBG.from_bytes(clv.NBD.of_parameters({"r": 1.0, "alpha": 2.0}).to_bytes())
    assert repr(clv.SBG()) == "SBG(), not fitted"
    assert math.isfinite(sbg.bic_)
