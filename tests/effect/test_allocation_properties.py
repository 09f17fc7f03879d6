"""Laws of allocations: conditions of an optimum, no better plan by trying all, more money is never worth less."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import custcore
from custcore import Curve
from tests.effect.allocation_cases import CONCAVE, EXP, STEEP, brute_force, least, problems, tables, value

scipy_optimize = pytest.importorskip("scipy.optimize")

BUDGETS = st.one_of(st.just(0.0), st.floats(1e-3, 20_000))


def within(spend, cell):
    """Whether a spend is within its bounds."""
    high = math.inf if cell["high"] is None else cell["high"]
    return (cell["low"] or 0.0) - 1e-9 <= spend <= high * (1 + 1e-12) + 1e-9


def check_prices(cells, spends, price_of):
    """The conditions of Karush, Kuhn and Tucker, at the price of each cell."""
    for cell, spend in zip(cells, spends, strict=True):
        assert within(spend, cell)
        price, curve = price_of(cell), cell["curve"]
        low, high = cell["low"] or 0.0, math.inf if cell["high"] is None else cell["high"]
        # Slopes of Hill's curve near 0 are steep: compared at a spend a little to the side.
        if spend < high * (1 - 1e-12):
            assert curve.marginal(spend * (1 + 1e-9)) <= price * (1 + 1e-6) + 1e-12
        if spend > low * (1 + 1e-12):
            assert curve.marginal(spend * (1 - 1e-9)) >= price * (1 - 1e-6) - 1e-12


@given(cells=problems(), budget=BUDGETS, profit=st.booleans())
def test_conditions_of_an_optimum(cells, budget, profit):
    budget += least(cells)
    plan = custcore.allocate(cells, budget, objective="profit" if profit else "return")
    spends = plan.table()["spend"].to_pylist()
    assert sum(spends) <= budget * (1 + 1e-12)
    assert plan.unspent == pytest.approx(budget - sum(spends), abs=1e-9 * budget)
    assert plan.gap == 0
    assert plan.value == pytest.approx(math.fsum(map(value, [c["curve"] for c in cells], spends)), rel=1e-9)
    floor = 1.0 if profit else 0.0
    if plan.unspent > 0:
        # What is left would not pay, or cannot be spent.
        assert plan.price in {0.0, floor}
        check_prices(cells, spends, lambda _: floor)
    elif sum(spends) > least(cells) * (1 + 1e-9):
        assert plan.price >= floor * (1 - 1e-12) or plan.price == 0.0
        check_prices(cells, spends, lambda _: plan.price)


@given(cells=problems(EXP), budget=BUDGETS, caps=st.tuples(st.floats(0, 5_000), st.floats(0, 1)))
def test_conditions_of_an_optimum_with_groups(cells, budget, caps):
    channels = {cell["channel"] for cell in cells}
    lows = {name: least([cell for cell in cells if cell["channel"] == name]) for name in channels}
    budget += least(cells)
    budgets = {"sms": lows.get("sms", 0) + caps[0], "mail": lows.get("mail", 0) + caps[1] * budget}
    budgets = {name: most for name, most in budgets.items() if name in channels}
    plan = custcore.allocate(cells, budget, objective="return", group_budget=budgets)
    spends = plan.table()["spend"].to_pylist()
    for name, most in budgets.items():
        spent = math.fsum(x for x, cell in zip(spends, cells, strict=True) if cell["channel"] == name)
        assert spent <= most * (1 + 1e-12) + 1e-9
    assert sum(spends) <= budget * (1 + 1e-12)
    prices = plan.group_prices
    if sum(spends) > least(cells) * (1 + 1e-9) and all(
        most > lows[name] * (1 + 1e-9) for name, most in budgets.items()
    ):
        check_prices(cells, spends, lambda cell: max(plan.price, prices[cell["channel"]]))


@given(curves=st.lists(tables(), min_size=1, max_size=4), budget=st.integers(0, 25), profit=st.booleans())
def test_no_better_plan_of_whole_units(curves, budget, profit):
    cells = [{"segment": i, "curve": curve} for i, curve in enumerate(curves)]
    plan = custcore.allocate(cells, budget, objective="profit" if profit else "return")
    worth = plan.value - (plan.spend if profit else 0.0)
    assert worth + plan.gap >= brute_force(curves, budget, profit=profit) - 1e-9
    rows = plan.table().to_pylist()
    for row, curve in zip(rows, curves, strict=True):
        assert row["value"] == pytest.approx(value(curve, row["spend"]), rel=1e-12, abs=1e-12)
    # At most one cell ends within a straight piece of its hull.
    inside = [row for row, curve in zip(rows, curves, strict=True) if row["spend"] not in curve.parameters["spend"]]
    assert len(inside) <= 1


@given(curves=st.lists(tables(concave=True), min_size=1, max_size=4), budget=st.integers(0, 25), profit=st.booleans())
def test_concave_tables_are_optimal(curves, budget, profit):
    cells = [{"segment": i, "curve": curve} for i, curve in enumerate(curves)]
    plan = custcore.allocate(cells, budget, objective="profit" if profit else "return")
    worth = plan.value - (plan.spend if profit else 0.0)
    assert plan.gap == pytest.approx(0, abs=1e-9)
    assert worth == pytest.approx(brute_force(curves, budget, profit=profit), abs=1e-9)


@given(curves=st.lists(st.one_of(CONCAVE, STEEP), min_size=1, max_size=3), budget=st.integers(0, 60))
def test_no_better_plan_of_whole_units_along_curves(curves, budget):
    cells = [{"segment": i, "curve": curve} for i, curve in enumerate(curves)]
    for objective in ("return", "profit"):
        plan = custcore.allocate(cells, budget, objective=objective)
        worth = plan.value - (plan.spend if objective == "profit" else 0.0)
        best = brute_force(curves, budget, profit=objective == "profit")
        assert worth + plan.gap >= best * (1 - 1e-9) - 1e-9


@given(cells=problems(st.one_of(CONCAVE, STEEP)), budget=BUDGETS, order=st.randoms(use_true_random=False))
def test_order_of_cells_does_not_matter(cells, budget, order):
    budget += least(cells)
    shuffled = cells.copy()
    order.shuffle(shuffled)
    plan, other = (custcore.allocate(rows, budget) for rows in (cells, shuffled))
    spends = dict(zip((c["segment"] for c in shuffled), other.table()["spend"].to_pylist(), strict=True))
    assert plan.value + plan.gap == pytest.approx(other.value + other.gap, rel=1e-9, abs=1e-9)
    if plan.gap == 0 and other.gap == 0:
        found = [spends[cell["segment"]] for cell in cells]
        assert plan.table()["spend"].to_pylist() == pytest.approx(found, rel=1e-6, abs=1e-6 * budget + 1e-9)


@given(cells=problems(st.one_of(CONCAVE, STEEP, tables())), budgets=st.lists(BUDGETS, min_size=2, max_size=5))
def test_more_money_is_never_worth_less(cells, budgets):
    budgets = sorted(budget + least(cells) for budget in budgets)
    plan = custcore.allocate(cells, budgets[-1], objective="return")
    plans = [custcore.allocate(cells, budget, objective="return") for budget in budgets]
    bounds = [found.value + found.gap for found in plans]
    assert all(b >= a * (1 - 1e-9) for a, b in itertools.pairwise(bounds))
    rows = plan.frontier(budgets).to_pylist()
    assert [row["value"] for row in rows] == [found.value for found in plans]
    assert [row["price"] for row in rows] == [found.price for found in plans]
    assert all(b["price"] <= a["price"] * (1 + 1e-9) for a, b in itertools.pairwise(rows))


@given(cells=problems(EXP, most=4), budget=BUDGETS, percent=st.integers(0, 25))
def test_shares_of_the_budget_are_amounts(cells, budget, percent):
    cells = [cell | {"low": None, "high": None} for cell in cells]
    money = custcore.allocate(cells, budget, low=budget * percent / 100, high=budget * 0.5)
    share = custcore.allocate(cells, budget, low=f"{percent}%", high="50 %")
    own = custcore.allocate([cell | {"low": f"{percent}%", "high": "50%"} for cell in cells], budget, high=1.0)
    assert money.table()["spend"].to_pylist() == pytest.approx(share.table()["spend"].to_pylist(), rel=1e-9, abs=1e-9)
    assert share.table().equals(own.table())


@st.composite
def contact_options(draw):
    options = []
    for segment in range(draw(st.integers(1, 4))):
        customers = draw(st.integers(0, 6))
        for channel in range(draw(st.integers(1, 4))):
            cost, gain = draw(st.integers(0, 12)) / 4, draw(st.integers(-2, 30)) / 4
            row = {"segment": segment, "channel": channel, "cost": cost, "value": gain, "customers": customers}
            options.append(row)
    return draw(st.permutations(options))


def highs(options, budget):
    """The linear relaxation, solved by HiGHS."""
    segments = sorted({row["segment"] for row in options})
    each = [[float(row["segment"] == segment) for row in options] for segment in segments]
    limits = [next(row["customers"] for row in options if row["segment"] == segment) for segment in segments]
    found = scipy_optimize.linprog(
        [-row["value"] for row in options],
        A_ub=[*each, [row["cost"] for row in options]],
        b_ub=[*limits, budget],
        bounds=(0, None),
        method="highs",
    )
    return -found.fun


@given(options=contact_options(), budget=st.integers(0, 100))
def test_contacts_are_those_of_a_linear_program(options, budget):
    plan = custcore.allocate_contacts(options, budget / 4)
    expected = highs(options, budget / 4)
    assert plan.value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert plan.spend <= budget / 4 * (1 + 1e-12)
    # The price is a slope of the value: it lies between the slopes to both sides.
    step = 1e-3
    right = (highs(options, budget / 4 + step) - expected) / step
    assert plan.price >= right - 1e-5
    if budget:
        assert plan.price <= (expected - highs(options, budget / 4 - step)) / step + 1e-5
    rows = plan.table().to_pylist()
    for segment in {row["segment"] for row in rows}:
        contacted = [row["customers"] for row in rows if row["segment"] == segment]
        customers = next(row["customers"] for row in options if str(row["segment"]) == segment)
        assert min(contacted) >= -1e-9
        assert sum(contacted) <= customers + 1e-9


def whole_optimum(options, budget):
    """The best value of whole customers for a budget in quarters, customer by customer."""
    best = [0.0] * (budget + 1)
    customers = {row["segment"]: row["customers"] for row in options}
    for segment, n in customers.items():
        choices = [(round(4 * row["cost"]), row["value"]) for row in options if row["segment"] == segment]
        for _ in range(n):
            best = [
                max([best[left], *(best[left - cost] + gain for cost, gain in choices if cost <= left)])
                for left in range(budget + 1)
            ]
    return best[budget]


@given(options=contact_options(), budget=st.integers(0, 60))
def test_whole_customers_are_near_the_optimum(options, budget):
    plan = custcore.allocate_contacts(options, budget / 4, whole=True)
    rows = plan.table().to_pylist()
    assert all(row["customers"].is_integer() and row["customers"] >= 0 for row in rows)
    assert plan.spend <= budget / 4 + 1e-9
    best = whole_optimum(options, budget)
    assert plan.value <= best + 1e-9
    assert plan.value + plan.gap >= best - 1e-9
    # What is missing is less than one customer's step.
    assert plan.gap <= max(0.0, *(row["value"] for row in options)) + 1e-9


@given(options=contact_options(), budget=st.integers(0, 60), order=st.randoms(use_true_random=False))
def test_order_of_options_does_not_matter(options, budget, order):
    shuffled = list(options)
    order.shuffle(shuffled)
    plan, other = (custcore.allocate_contacts(rows, budget / 4) for rows in (options, shuffled))
    assert plan.value == pytest.approx(other.value, rel=1e-12, abs=1e-12)
    assert plan.price == other.price


def test_sensitivity_is_that_of_a_simulation():
    # Two exponential cells: spend x of the first solves a1 b1 exp(-b1 x) = a2 b2 exp(-b2 (B - x)).
    budget, a, b, se = 1_000.0, np.array([5_000.0, 4_000.0]), np.array([1 / 500, 1 / 900]), np.array([900.0, 1_500.0])
    cells = [{"segment": str(i), "curve": Curve.exp(a[i], b[i]), "se": se[i]} for i in range(2)]
    random = np.random.default_rng(0)
    heights = np.maximum(a + se * random.standard_normal((200_000, 2)), 1e-9)
    first = (np.log(heights[:, 0] * b[0]) - np.log(heights[:, 1] * b[1]) + b[1] * budget) / b.sum()
    first = np.clip(first, 0, budget)
    plan = custcore.allocate(cells, budget, objective="return")
    x = plan.table()["spend"].to_pylist()[0]

    def worth(spend):
        both = np.stack([np.broadcast_to(spend, len(heights)), budget - np.broadcast_to(spend, len(heights))], axis=1)
        return np.sum(heights * -np.expm1(-b * both), axis=1)

    table = plan.sensitivity(20_000, seed=1)
    row = table.to_pylist()[0]
    assert row["spend"] == x
    for name, p in (("spend_low", 0.05), ("spend_median", 0.5), ("spend_high", 0.95)):
        assert row[name] == pytest.approx(np.quantile(first, p), rel=0.03)
    assert row["funded_share"] == pytest.approx(np.mean(first > 0), abs=0.01)
    regret = np.mean(worth(first) - worth(x))
    assert plan.regret(20_000, seed=1) == pytest.approx(regret, rel=0.05)
    assert float(table.metadata["custcore.regret"]) == plan.regret(20_000, seed=1)


def test_sensitivity_of_contacts_is_that_of_a_simulation():
    options = [
        {"segment": "a", "channel": "mail", "cost": 1.0, "value": 3.0, "customers": 10, "value_se": 1.0},
        {"segment": "b", "channel": "mail", "cost": 1.0, "value": 2.0, "customers": 10, "value_se": 1.5},
    ]
    plan = custcore.allocate_contacts(options, 10)
    random = np.random.default_rng(0)
    drawn = np.maximum([3.0, 2.0] + np.array([1.0, 1.5]) * random.standard_normal((200_000, 2)), 0)
    a_is_best = (drawn[:, 0] >= drawn[:, 1]) & (drawn[:, 0] > 0)
    table = plan.sensitivity(20_000)
    assert table["funded_share"].to_pylist()[0] == pytest.approx(a_is_best.mean(), abs=0.015)
    regret = 10 * np.mean(drawn.max(axis=1) - drawn[:, 0])
    assert plan.regret(20_000) == pytest.approx(regret, rel=0.05)


@given(cells=problems(st.one_of(CONCAVE, STEEP, tables())), budget=BUDGETS, seed=st.integers(0, 2**63 - 1))
def test_without_errors_draws_are_the_plan(cells, budget, seed):
    plan = custcore.allocate([cell | {"se": 0.0} for cell in cells], budget + least(cells))
    table = plan.sensitivity(3, seed)
    for name in ("spend_median", "spend_low", "spend_high"):
        assert table[name].to_pylist() == table["spend"].to_pylist()
    assert set(table["funded_share"].to_pylist()) <= {0.0, 1.0}
    assert plan.regret(3, seed) == 0


SPEND = np.array([50.0, 120.0, 300.0, 700.0, 1_500.0, 3_000.0, 6_000.0])
SHAPES = {
    "exp": lambda x, a, b: a * -np.expm1(-b * x),
    "hill": lambda x, a, c, k: a / (1 + (c / x) ** k),
    "hill with k": lambda x, a, c: a / (1 + (c / x) ** 1.3),
}


@pytest.mark.parametrize("has_se", [True, False])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", list(SHAPES))
def test_fit_is_that_of_scipy(kind, seed, has_se):
    random = np.random.default_rng(seed)
    a, scale = random.uniform(1e3, 1e6), random.uniform(300, 1_500)
    start = {"exp": (a, 1 / scale), "hill": (a, scale, random.uniform(0.8, 2)), "hill with k": (a, scale)}[kind]
    se = a * random.uniform(0.005, 0.03, len(SPEND))
    values = SHAPES[kind](SPEND, *start) + se * random.standard_normal(len(SPEND))
    expected, covariance = scipy_optimize.curve_fit(
        SHAPES[kind],
        SPEND,
        values,
        p0=start,
        sigma=se if has_se else None,
        absolute_sigma=has_se,
        xtol=1e-14,
        ftol=1e-14,
    )
    k = 1.3 if kind == "hill with k" else None
    curve = Curve.fit(SPEND, values, se if has_se else None, kind.split()[0], k=k)
    found = [curve.parameters[name] for name in ("a", *("bck" if kind == "exp" else "ck")[: len(start) - 1])]
    assert found == pytest.approx(list(expected), rel=1e-5)
    assert curve.se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-4)

    def misfit(parameters):
        return np.sum(((values - SHAPES[kind](SPEND, *parameters)) / (se if has_se else 1)) ** 2)

    assert misfit(found) <= misfit(expected) * (1 + 1e-12)


@given(curve=EXP, where=st.lists(st.floats(0.05, 4), min_size=2, max_size=6, unique=True))
def test_exact_points_give_the_curve_back(curve, where):
    where.sort()
    assume(all(b > a * 1.05 for a, b in itertools.pairwise(where)))
    spend = [x / curve.parameters["b"] for x in where]
    found = Curve.fit(spend, [curve.value(x) for x in spend])
    assert found.parameters == pytest.approx(curve.parameters, rel=1e-6)
