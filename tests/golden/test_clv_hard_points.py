"""Single customers at parameters that break published formulas: values of 30 digits and more.

`pytest -s` prints the largest error of each case, beside what is fair.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pyarrow as pa
import pytest

from custcore import clv
from tests.golden.clv_golden import Worst, model_of, quietly, worst_of
from tests.reference_data import SHIPPED

CASES = {
    "bgnbd": ("a_is_1", "a_plus_b_below_1", "cdnow", "days", "homogeneous", "large_r", "no_dropout", "tiny_b"),
    "mbgnbd": ("a_is_1", "a_plus_b_below_1", "cdnow", "days", "homogeneous", "large_r", "no_dropout", "tiny_b"),
    "pareto": (
        "alpha_is_beta", "alpha_large", "beta_large", "cdnow", "homogeneous", "no_dropout", "s_is_1", "s_near_1",
    ),
}  # fmt: skip
FAIR = 1e-11
# Of expected purchases of the order of 1e-9 the relative error counts, too.
FAIR_RELATIVE = 1e-10


@pytest.fixture(scope="module")
def worst() -> Iterator[Worst]:
    with worst_of("hard points, errors of max(1, |value|)") as table:
        yield table


def points(key: str, case: str) -> list[dict[str, float]]:
    with (SHIPPED.golden / "clv" / "hard_points.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["model"], row["case"]) == (key, case)]
    assert rows
    return [{name: float(value) for name, value in row.items() if name not in ("model", "case")} for row in rows]


def test_every_case_is_checked() -> None:
    with (SHIPPED.golden / "clv" / "hard_points.csv").open() as file:
        found = {(row["model"], row["case"]) for row in csv.DictReader(file)}
    assert found == {(key, case) for key, cases in CASES.items() for case in cases}


@pytest.mark.parametrize(("key", "case"), [(key, case) for key, cases in CASES.items() for case in cases])
def test_hard_points(key: str, case: str, worst: Worst) -> None:
    for point in points(key, case):
        x, t_x, age, horizon = int(point["x"]), point["t_x"], point["T"], point["h"]
        parameters = [point[name] for name in ("r", "alpha", "a_or_s", "b_or_beta")]
        model = model_of(key, parameters, unit="day")
        rows = pa.table({"x": [x], "t_x": [t_x], "T": [age]})
        with quietly():
            found = model.predict_one(x, t_x, age, horizon=horizon)
            (table,) = model.predict(rows, horizon, unit="day").to_pylist()
            likelihood = model.log_likelihood(rows, unit="day")
        name = f"{key}, {case}: "
        worst.check(name + "log-likelihood", likelihood, point["log_likelihood"], FAIR, at_least=1.0)
        worst.check(name + "p_alive", found.p_alive, point["p_alive"], FAIR, at_least=1.0)
        worst.check(name + "expected_purchases", found.expected_purchases, point["expected_h"], FAIR, at_least=1.0)
        if point["p_alive"] > 1e-290:
            worst.check(name + "expected, relative", found.expected_purchases, point["expected_h"], FAIR_RELATIVE)
        for column in ("p_alive", "expected_purchases", "p_purchase", "p_alive_end", "discounted_purchases"):
            assert table[column] == getattr(found, column)
        assert 0 <= found.p_alive_end <= found.p_alive <= 1
        assert 0 <= found.p_purchase <= found.p_alive
        assert 0 <= found.discounted_purchases <= found.expected_purchases


def test_hard_points_of_spend(worst: Worst) -> None:
    with (SHIPPED.golden / "clv" / "hard_points_gamma_gamma.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        x, m_x = int(row["x"]), float(row["m_x"])
        model = clv.GammaGamma.of_parameters({name: float(row[name]) for name in ("p", "q", "gamma")})
        table = pa.table({"x": [x], "t_x": [3000], "T": [4000], "m_x": [m_x]})
        name = f"gamma-gamma, {row['case']}: "
        with quietly():
            worst.check(
                name + "log-likelihood", model.log_likelihood(table), float(row["log_likelihood"]), FAIR, at_least=1.0
            )
            (found,) = model.predict(table).to_pylist()
        spend = model.predict_one(x, m_x)
        worst.check(name + "expected_spend", spend, float(row["expected_spend"]), FAIR)
        assert found["expected_spend"] == spend
