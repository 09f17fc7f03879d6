"""Sizes of tests equal statsmodels' (golden/effect/power), and sizes and differences are each other's inverse."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError
from tests.reference_data import outside


def test_sizes_and_differences_of_statsmodels():
    cases = json.loads((outside("cdnow").golden / "effect" / "power" / "cases.json").read_text())
    seen = {"mean": 0, "mde": 0, "proportion": 0}
    for case in cases:
        errors = {"alpha": case["alpha"], "power": case["power"]}
        if case["kind"] == "mde":
            # A treated group that is no whole number of customers cannot be asked for.
            n_treatment = round(case["n_treatment"])
            found = custcore.detectable(sd=case["sd"], n_control=case["n_control"], n_treatment=n_treatment, **errors)
            expected = case["difference"] * math.sqrt(
                (1 / case["n_control"] + 1 / n_treatment) / (1 / case["n_control"] + 1 / case["n_treatment"])
            )
            assert found == pytest.approx(expected, rel=1e-12)
        elif case["kind"] == "mean":
            sizes = {"sd": case["sd"], "difference": case["difference"], "ratio": case["ratio"]}
            assert custcore.sample_size(**sizes, **errors) == math.ceil(case["n_control"])
            assert abs(custcore.sample_size(**sizes, **errors) - case["n_control_statsmodels_normal"]) < 1.1
        else:
            rates = {"rate": case["control"], "difference": case["treatment"] - case["control"]}
            found = custcore.sample_size(**rates, ratio=case["ratio"], **errors)
            assert found == math.ceil(case["n_control_statsmodels"])
        seen[case["kind"]] += 1
    assert all(seen.values())


SIZES = st.integers(20, 10**6)


@given(SIZES, st.sampled_from([0.25, 0.5, 1, 3]), st.floats(0.01, 0.2), st.floats(0.5, 0.99), st.floats(1e-3, 1e6))
def test_a_difference_needs_the_size_that_shows_it(n: int, ratio: float, alpha: float, power: float, sd: float):
    n -= n % 4
    sizes = {"n_control": n, "n_treatment": int(n * ratio)}
    difference = custcore.detectable(sd=sd, **sizes, alpha=alpha, power=power)
    assert abs(custcore.sample_size(sd=sd, difference=difference, ratio=ratio, alpha=alpha, power=power) - n) <= 1


@given(st.integers(5_000, 10**6), st.floats(0.02, 0.9))
def test_a_rise_of_a_proportion_needs_the_size_that_shows_it(n: int, rate: float):
    rise = custcore.detectable(rate=rate, n_control=n, n_treatment=n)
    assert 0 < rise < 1 - rate
    assert abs(custcore.sample_size(rate=rate, difference=rise) - n) <= 1


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({}, "neither sd nor rate was given"),
        ({"sd": 1.0, "rate": 0.1}, "both sd and rate were given"),
        ({"sd": 0.0}, "sd=0.0; expected a standard deviation above 0"),
        ({"rate": 1.0}, "rate=1.0; expected a proportion above 0 and below 1"),
        ({"sd": 1.0, "difference": 0.0}, "difference=0.0; expected the difference to be shown"),
        ({"sd": 1.0, "ratio": -1.0}, "ratio=-1.0; expected treated customers per control"),
        ({"sd": 1.0, "alpha": 0.0}, "alpha=0.0; expected a probability"),
        ({"sd": 1.0, "power": 0.01}, "power=0.01; expected a probability above alpha=0.05"),
        ({"rate": 0.9, "difference": 0.2}, "rate + difference = 1.1; expected a proportion"),
        ({"sd": float("nan")}, "sd=nan is invalid; expected a finite number"),
    ],
)
def test_bad_sizes(given_: dict[str, Any], words: str):
    with pytest.raises(InvalidArgumentError, match=words.replace("+", r"\+")):
        custcore.sample_size(**{"difference": 1.0, **given_})


def test_bad_groups():
    with pytest.raises(InvalidArgumentError, match="n_control=1; expected at least 2 customers"):
        custcore.detectable(sd=1.0, n_control=1, n_treatment=5)
    with pytest.raises(InvalidArgumentError, match="n_treatment=-3; expected at least 2 customers"):
        custcore.detectable(sd=1.0, n_control=7, n_treatment=-3)
    with pytest.raises(InvalidArgumentError, match=r"no rise of rate=0\.99 can be shown by 5 and 5 customers"):
        custcore.detectable(rate=0.99, n_control=5, n_treatment=5)
    with pytest.raises(InvalidTypeError, match=r"n_control=2\.5 is float; expected an integer"):
        custcore.detectable(sd=1.0, n_control=2.5, n_treatment=5)  # type: ignore[arg-type]
    with pytest.raises(OutOfRangeError, match=r"needs .* customers"):
        custcore.sample_size(sd=1e9, difference=1e-6)
