"""Plans against those of SLSQP, brute force, HiGHS and dynamic programming (golden/effect/README.md)."""

from __future__ import annotations

import pytest

import custcore
from tests.effect.allocation_cases import cells_of, curve_of, golden

CURVES = ("exp 20000", "exp 20000 with bounds", "exp 500", "exp 200000 with bounds", "hill 5000", "hill 30000")
TABLES = ("tables 3000", "tables 5000", "tables 7500", "tables 12000")
CONTACTS = ("contacts 1000", "contacts 4000", "contacts 12000", "contacts 100000")


@pytest.mark.parametrize("name", CURVES)
def test_curves(name):
    case = golden(name)
    plan = custcore.allocate(cells_of(case), case["budget"], objective="return")
    assert plan.table()["spend"].to_pylist() == pytest.approx(case["spend"], abs=1e-9 * case["budget"])
    assert plan.value == pytest.approx(case["value"], rel=1e-12)
    assert plan.value >= case["value_slsqp"] * (1 - 1e-12)
    assert plan.price == pytest.approx(case["price"], rel=1e-11)
    assert plan.gap == 0
    assert plan.spend + plan.unspent == pytest.approx(case["budget"], rel=1e-12)


@pytest.mark.parametrize("name", ["exp 20000", "exp 500", "exp 20000 with bounds", "hill 5000"])
def test_profit_is_the_same_where_money_brings_more_than_itself(name):
    case = golden(name)
    plan = custcore.allocate(cells_of(case), case["budget"])
    assert plan.table()["spend"].to_pylist() == pytest.approx(case["spend"], abs=1e-9 * case["budget"])
    assert plan.price == pytest.approx(case["price"], rel=1e-11)


def test_profit_without_a_budget():
    case = golden("exp, objective profit, no budget")
    plan = custcore.allocate(cells_of(case), None)
    assert plan.table()["spend"].to_pylist() == pytest.approx(case["spend"], rel=1e-12)
    assert plan.value == pytest.approx(case["value"], rel=1e-12)
    assert plan.value - plan.spend == pytest.approx(case["profit"], rel=1e-12)
    assert (plan.price, plan.unspent) == (case["price"], None)


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_points(name):
    case = golden(name)
    plan = custcore.allocate(cells_of(case), case["budget"], objective="return")
    assert plan.table()["spend"].to_pylist() == case["spend"]
    assert (plan.value, plan.price) == (case["value"], case["price"])
    assert plan.value + plan.gap == case["envelope"]
    assert plan.value <= case["brute_force_grid_50"]["value"] <= plan.value + plan.gap


@pytest.mark.parametrize("name", CONTACTS)
def test_contacts(name):
    case = golden(name)
    plan = custcore.allocate_contacts(case["options"], case["budget"])
    assert plan.value == pytest.approx(case["value"], rel=1e-12)
    assert plan.value == pytest.approx(case["value_linprog_highs"], rel=1e-12)
    assert plan.price == pytest.approx(case["price"], rel=1e-12)
    assert plan.price == pytest.approx(case["price_linprog_highs"], rel=1e-12)
    found = {f"{row['segment']}/{row['channel']}": row["customers"] for row in plan.table()}
    expected = dict.fromkeys(found, 0.0) | case["customers"]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", CONTACTS)
def test_contacts_of_whole_customers(name):
    case = golden(name)
    plan = custcore.allocate_contacts(case["options"], case["budget"], whole=True)
    rows = plan.table().to_pylist()
    assert all(row["customers"].is_integer() for row in rows)
    assert plan.spend <= case["budget"] * (1 + 1e-12)
    assert case["value_floor"] - 1e-9 <= plan.value <= case["value_whole_customers_milp"] + 1e-9
    assert plan.value + plan.gap == pytest.approx(case["value"], rel=1e-12)
    assert plan.price == pytest.approx(case["price"], rel=1e-12)


def test_several_contacts_of_equal_cost():
    case = golden("whole contacts")
    gains = [
        [first * decay**i for i in range(case["most"])]
        for first, decay in zip(case["first"], case["decay"], strict=True)
    ]
    values = [[sum(gain[:i]) for i in range(case["most"] + 1)] for gain in gains]
    cells = [
        {"segment": i, "curve": custcore.Curve.table(range(case["most"] + 1), value)} for i, value in enumerate(values)
    ]
    plan = custcore.allocate(cells, case["contacts"], objective="return")
    assert plan.table()["spend"].to_pylist() == case["plan"]
    assert plan.value == pytest.approx(case["value"], abs=1e-6)
    assert plan.gap == 0
    # The same as options: "3 letters" costs and gains what three letters do.
    options = [
        {"segment": i, "channel": f"{n} letters", "cost": n, "value": value[n], "customers": 1}
        for i, value in enumerate(values)
        for n in range(1, case["most"] + 1)
    ]
    plan = custcore.allocate_contacts(options, case["contacts"], whole=True)
    found = [row["spend"] for row in plan.table() if row["customers"]]
    assert found == case["plan"]
    assert plan.value == pytest.approx(case["value_dynamic_programming"], abs=1e-6)


def test_frontier():
    case = golden("frontier exp")
    plan = custcore.allocate(cells_of(case), 20_000, objective="return")
    rows = plan.frontier([row["budget"] for row in case["frontier"]]).to_pylist()
    for found, expected in zip(rows, case["frontier"], strict=True):
        assert found["value"] == pytest.approx(expected["value"], rel=1e-12)
        assert found["price"] == pytest.approx(expected["price"], rel=1e-11)
        budget = expected["budget"]
        assert found["roi"] == (pytest.approx((expected["value"] - budget) / budget, rel=1e-11) if budget else None)
        spend = custcore.allocate(cells_of(case), budget, objective="return").table()["spend"].to_pylist()
        assert spend == pytest.approx(expected["spend"], abs=1e-9 * budget)


@pytest.mark.parametrize("group", [None, "channel"])
def test_budgets_of_channels(group):
    case = golden("grid with channel budgets")
    cells = [cell | {"curve": curve_of(cell["curve"])} for cell in case["cells"]]
    plan = custcore.allocate(
        cells, case["budget"], objective="return", group=group, group_budget=case["channel_budget"]
    )
    spend = plan.table()["spend"].to_pylist()
    assert spend == pytest.approx(case["spend"], abs=1e-9 * case["budget"])
    assert plan.value == pytest.approx(case["value"], rel=1e-12)
    assert plan.value >= case["value_slsqp"] * (1 - 1e-12)
    assert plan.price == pytest.approx(case["price"], rel=1e-11)
    prices = {name: price for name, price in case["channel_price"].items() if case["channel_budget"][name] is not None}
    assert plan.group_prices == pytest.approx(prices, rel=1e-11)
