"""`custcore.allocate`, `allocate_contacts` and `Curve`: kinds of input, columns, errors, copies."""

from __future__ import annotations

import copy
import decimal
import math
import pickle
from collections import UserDict

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import Curve, errors

SMS = Curve.exp(50_000, 1 / 8_000)
MAIL = Curve.hill(30_000, 2_000, 0.7)
POINTS = Curve.table([1_000, 3_000], [4_000, 9_000])
CELLS = [
    {"segment": "loyal", "channel": "sms", "curve": SMS, "low": 500, "se": 4_000.0},
    {"segment": "loyal", "channel": "mail", "curve": MAIL, "high": "25%"},
    {"segment": "new", "channel": "sms", "curve": POINTS},
]
OPTIONS = [
    {"segment": "loyal", "channel": "call", "cost": 5.0, "value": 9.0, "customers": 800, "value_se": 2.0},
    {"segment": "loyal", "channel": "mail", "cost": 0.8, "value": 4.0, "customers": 800},
    {"segment": "new", "channel": "mail", "cost": 0.8, "value": 1.9, "customers": 900},
]
AS_TABLE = pa.table(
    {
        "note": ["x", None, "y", "z"],
        "segment": ["loyal", "loyal", "new", "new"],
        "channel": ["sms", "mail", "sms", "sms"],
        "curve": ["exp", "hill", "table", "table"],
        "a": [50_000, 30_000, None, None],
        "b": [1 / 8_000, None, None, None],
        "c": [None, 2_000.0, None, None],
        "k": [None, 0.7, None, None],
        "spend": [None, None, 3_000, 1_000],
        "value": [None, None, 9_000, 4_000],
        "low": ["500", None, None, None],
        "high": [None, "25%", None, None],
        "se": [4_000.0, None, None, None],
    }
)


def plan(cells=CELLS, budget=10_000, **given):
    return custcore.allocate(cells, budget, **given)


def contacts(options=OPTIONS, budget=1_780, **given):
    return custcore.allocate_contacts(options, budget, **given)


def test_columns_of_all_tables():
    names = [("segment", "string"), ("channel", "string")]
    kinds = [
        ("spend", "double"),
        ("value", "double"),
        ("marginal", "double"),
        ("at", "string"),
        ("customers", "double"),
    ]
    for made in (plan(), contacts()):
        assert [(field.name, str(field.type)) for field in made.to_pyarrow().schema] == names + kinds
        assert made.frontier().columns == ["budget", "value", "price", "roi"]
        sensitivity = made.sensitivity(5)
        expected = ["segment", "channel", "spend", "spend_median", "spend_low", "spend_high", "funded_share"]
        assert sensitivity.columns == expected
        assert isinstance(made.table(), custcore.Table)
        assert made.table().report.n_rows == 3


def test_rows_of_a_plan():
    cells = [CELLS[0], CELLS[1] | {"high": 1_500}, CELLS[2], {"segment": "gone", "curve": Curve.exp(10, 1e-3)}]
    found = plan(cells, 16_000)
    rows = {(row["segment"], row["channel"]): row for row in found.table()}
    assert {key: row["at"] for key, row in rows.items()} == {
        ("loyal", "sms"): "inside",
        ("loyal", "mail"): "high",
        ("new", "sms"): "high",
        ("gone", None): "none",
    }
    assert rows["loyal", "mail"]["spend"] == 1_500
    assert all(row["customers"] is None for row in rows.values())
    assert rows["loyal", "sms"]["marginal"] == pytest.approx(found.price)
    assert rows["new", "sms"]["marginal"] == 0
    assert rows["new", "sms"]["spend"] == 3_000
    assert plan([CELLS[0]], 500).table()[0]["at"] == "low"
    assert plan([CELLS[0] | {"low": 800, "high": 800}], 900).table()[0]["at"] == "low"


def test_rows_of_contacts():
    found = contacts()
    rows = found.table().to_pylist()
    assert [(row["customers"], row["at"]) for row in rows] == [(100.0, "inside"), (700.0, "inside"), (900.0, "high")]
    assert [row["spend"] for row in rows] == pytest.approx([500, 560, 720])
    assert [row["value"] for row in rows] == pytest.approx([900, 2_800, 1_710])
    assert [row["marginal"] for row in rows] == pytest.approx([5 / 4.2, 5.0, 1.9 / 0.8])
    dominated = [*OPTIONS, {"segment": "new", "channel": "visit", "cost": 40, "value": 1.0, "customers": 900}]
    row = contacts(dominated).table()[3]
    assert (row["marginal"], row["at"], row["spend"]) == (None, "none", 0)
    assert contacts(budget=None).unspent is None
    assert contacts(budget=1e6).price == 0
    assert contacts(budget=1e6).unspent == pytest.approx(1e6 - 800 * 5 - 900 * 0.8)


def test_options_that_cost_nothing_are_taken():
    free = [{"segment": "new", "channel": "app", "cost": 0, "value": 0.1, "customers": 5}, *OPTIONS[1:2]]
    found = contacts(free, 0)
    assert found.table()["customers"].to_pylist() == [5, 0]
    assert (found.price, found.spend) == (5.0, 0)


def frames():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    yield "pyarrow", AS_TABLE
    yield "chunked", pa.concat_tables([AS_TABLE.slice(i, 1) for i in range(4)])
    yield "dictionaries", AS_TABLE.set_column(1, "segment", AS_TABLE["segment"].dictionary_encode())
    yield "pandas", AS_TABLE.to_pandas()
    yield "polars", pl.DataFrame(AS_TABLE)
    yield "lazy", pl.LazyFrame(AS_TABLE)
    yield "batches", AS_TABLE.to_batches(2)
    yield "reader", AS_TABLE.to_reader()
    yield "pandas with curves", pd.DataFrame(CELLS)
    yield "tuple", tuple(CELLS)
    yield "mappings", [UserDict(cell) for cell in CELLS]


def test_kinds_of_tables():
    expected = plan().table()
    for name, cells in frames():
        assert plan(cells).table().equals(expected), name
    frame = pytest.importorskip("polars").DataFrame([{"segment": "a", "curve": SMS}, {"segment": "b", "curve": MAIL}])
    assert plan(frame).table().equals(plan(frame.to_dicts()).table())


def test_kinds_of_tables_of_contacts():
    expected = contacts().table()
    table = pa.Table.from_pylist(OPTIONS)
    for options in (
        table,
        table.to_pandas(),
        table.to_batches(1),
        custcore.Table(custcore._core.Table.read(table, columns=None)),
    ):
        assert contacts(options).table().equals(expected)


def test_points_only():
    points = pa.table({"segment": ["a", "b", "a"], "spend": [3_000, 500, 1_000], "value": [9_000.0, 800, 4_000]})
    found = plan(points, 2_000).table()["spend"].to_pylist()
    cells = [{"segment": "a", "curve": POINTS}, {"segment": "b", "curve": Curve.table([500], [800])}]
    assert found == plan(cells, 2_000).table()["spend"].to_pylist() == [2_000, 0]


def test_numbers_of_all_types():
    cell = {"segment": 7, "curve": Curve.exp(decimal.Decimal(100), np.float32(0.125)), "low": np.int64(1), "high": 2}
    found = plan([cell | {"channel": math.nan, "se": math.nan}], np.float64(50)).table()[0]
    assert (found["segment"], found["channel"], found["spend"]) == ("7", None, 2.0)
    table = pa.table({"segment": [1], "curve": ["exp"], "a": [decimal.Decimal("100.0")], "b": pa.array([0.125], "f4")})
    assert plan(table, 2).table()[0]["spend"] == 2
    assert Curve.table(np.array([1, 2]), pa.chunked_array([[1, 2]]).to_pylist()).value(2) == 2


def test_nothing_to_allocate_to():
    for empty in ([], AS_TABLE.slice(0, 0)):
        found = plan(empty)
        assert found.table().num_rows == 0
        assert (found.price, found.value, found.unspent, found.gap) == (0, 0, 10_000, 0)
        assert found.sensitivity(3).num_rows == 0
    found = contacts([])
    assert (found.table().num_rows, found.price, found.unspent) == (0, 0, 1_780)
    assert plan(budget=500).frontier([500]).num_rows == 1


def test_default_budgets_of_a_frontier():
    budgets = plan().frontier()["budget"].to_pylist()
    assert (budgets[0], budgets[-1], len(budgets)) == (500, 20_000, 21)
    found = custcore.allocate(CELLS[:1], None)
    assert found.frontier()["budget"].to_pylist()[-1] == pytest.approx(2 * found.spend)
    assert contacts().frontier()["budget"].to_pylist()[10] == 1_780
    shares = [{"segment": "a", "curve": SMS, "low": "20%"}, {"segment": "b", "curve": SMS, "low": 80}]
    assert custcore.allocate(shares, 1_000).frontier()["budget"].to_pylist()[0] == pytest.approx(100)


def test_profit_leaves_money():
    found = plan(CELLS[:1], 90_000)
    assert found.spend == pytest.approx(8_000 * math.log(6.25))
    assert (found.price, found.unspent) == (1.0, pytest.approx(90_000 - found.spend))
    everything = plan(CELLS[2:], 90_000)
    assert (everything.spend, everything.price) == (3_000, 0.0)
    # A straight piece that brings just what it costs is spent.
    even = {"segment": "a", "curve": Curve.table([10, 20, 30], [30, 40, 41])}
    assert plan([even], 90).spend == 20
    assert plan([even], 90, objective="return").spend == 30


def test_profit_with_groups_says_why_money_is_left():
    # The group is full, and nothing else is left that pays.
    found = plan(CELLS[:1], 90_000, group_budget={"sms": 2_000})
    assert (found.spend, found.price) == (pytest.approx(2_000), 0.0)
    assert found.group_prices["sms"] == pytest.approx(6.25 * math.exp(-0.25))


def test_steep_curves_have_a_gap():
    cells = [{"segment": i, "curve": Curve.hill(1_000, 500, 4)} for i in range(2)]
    found = custcore.allocate(cells, 600, objective="return")
    best = max(sum(cell["curve"].value(x) for cell, x in zip(cells, (x, 600 - x), strict=True)) for x in range(601))
    assert found.gap > 0
    assert found.value <= best <= found.value + found.gap
    assert "not concave" in found.report.remarks[0]
    assert "below the best plan" in repr(found)


def test_pickles_and_copies():
    for made in (
        plan(group_budget={"sms": 3_000, "mail": "10%"}),
        plan(objective="return", low="1%", high=5_000),
        plan(CELLS[::2], None),
        contacts(),
        contacts(whole=True),
    ):
        again = pickle.loads(pickle.dumps(made))
        assert again.table().equals(made.table())
        assert (again.price, again.unspent, again.gap, again.group_prices) == (
            made.price,
            made.unspent,
            made.gap,
            made.group_prices,
        )
        assert again.sensitivity(4).equals(made.sensitivity(4))
        assert copy.deepcopy(made) is copy.copy(made) is made
    fitted = Curve.fit([1, 2, 4], [1.0, 1.6, 2.1])
    for curve in (SMS, MAIL, POINTS, fitted):
        again = pickle.loads(pickle.dumps(curve))
        assert (again, again.se, hash(again), copy.copy(curve)) == (curve, curve.se, hash(curve), curve)
        assert repr(curve).startswith(f"Curve.{curve.kind}(")
        assert eval(repr(curve)) == curve or curve is fitted
    assert SMS != MAIL
    assert SMS != "sms"


def test_exports(tmp_path):
    pytest.importorskip("xlsxwriter")
    made = plan()
    assert made.to_pandas()["spend"].sum() == pytest.approx(10_000)
    assert pa.table(made).num_rows == 3
    made.to_xlsx(tmp_path / "plan.xlsx")
    made.to_csv(tmp_path / "plan.csv")
    assert (tmp_path / "plan.csv").read_text().startswith('"segment","channel","spend"')
    assert "<table" in made._repr_html_()
    assert "10,000.00 of 10,000.00 spent" in repr(made)


def test_draws_are_those_of_the_seed():
    made = plan()
    assert made.sensitivity(50, 1).equals(made.sensitivity(50, 1))
    assert not made.sensitivity(50, 1).equals(made.sensitivity(50, 2))
    fitted = Curve.fit([500, 1_000, 2_000, 4_000], [1_140, 1_950, 3_180, 4_300], se=[60] * 4)
    of_fit = custcore.allocate(
        [{"segment": "a", "curve": fitted}, {"segment": "b", "curve": Curve.exp(4_000, 1e-3)}], 3_000
    )
    rows = of_fit.sensitivity(200).to_pylist()
    assert rows[0]["spend_low"] < rows[0]["spend_high"]


def cell(**changes):
    return [CELLS[0] | changes]


def option(**changes):
    return [OPTIONS[0] | changes]


TABLE_OF_ONE = pa.table({"segment": ["a"], "curve": ["exp"], "a": [1.0], "b": [1.0]})
WRONG = {
    "budget below 0": (lambda: plan(budget=-1), errors.InvalidArgumentError, "budget=-1.0 is invalid"),
    "budget not finite": (lambda: plan(budget=math.inf), errors.InvalidArgumentError, "budget=inf"),
    "budget of another type": (lambda: plan(budget="much"), errors.InvalidTypeError, "budget='much'"),
    "lower bounds": (lambda: plan(budget=499), errors.InvalidArgumentError, "below the sum of the lower bounds, 500.0"),
    "frontier below them": (lambda: plan().frontier([400]), errors.InvalidArgumentError, "sum of the lower bounds"),
    "low above high": (
        lambda: plan(cell(high=100)),
        errors.InvalidArgumentError,
        "'loyal' in 'sms' exceeds its high=100",
    ),
    "low below 0": (lambda: plan(cell(low=-1)), errors.InvalidArgumentError, r"cells\[0\]\['low'\]=-1.0 is invalid"),
    "low of another type": (lambda: plan(cell(low=[1])), errors.InvalidTypeError, r"cells\[0\]\['low'\] is list"),
    "a share above all": (lambda: plan(high="120%"), errors.InvalidArgumentError, "high='120%' is invalid"),
    "a bound in words": (lambda: plan(low="some"), errors.InvalidArgumentError, "such as '25%'"),
    "a share without a budget": (lambda: plan(CELLS[1:2], None), errors.InvalidArgumentError, "but budget=None"),
    "objective": (lambda: plan(objective="fame"), errors.InvalidArgumentError, "expected one of 'profit', 'return'"),
    "return without end": (
        lambda: plan(CELLS[:1], None, objective="return"),
        errors.InvalidArgumentError,
        "spends without end on the cell 'loyal' in 'sms'",
    ),
    "cells twice": (lambda: plan(CELLS + CELLS[:1]), errors.InvalidArgumentError, "given twice, at 0 and 3"),
    "no curve": (lambda: plan([{"segment": "a"}]), errors.ColumnNotFoundError, r"cells\[0\]\['curve'\] is missing"),
    "curve of another type": (lambda: plan(cell(curve="exp")), errors.InvalidTypeError, "is str; expected a curve"),
    "no segment": (lambda: plan([{"curve": SMS}]), errors.ColumnNotFoundError, r"cells\[0\]\['segment'\] is missing"),
    "null segment": (lambda: plan(cell(segment=None)), errors.NullValueError, r"cells\[0\]\['segment'\] is None"),
    "se below 0": (lambda: plan(cell(se=-1)), errors.InvalidArgumentError, "se=-1.0 of the cell"),
    "se of another type": (lambda: plan(cell(se="x")), errors.InvalidTypeError, r"cells\[0\]\['se'\] is str"),
    "rows of another type": (lambda: plan([CELLS[0], 3]), errors.InvalidTypeError, "list"),
    "no table": (lambda: plan(None), errors.InvalidTypeError, "NoneType"),
    "group budget below lows": (
        lambda: plan(group_budget={"sms": 400}),
        errors.InvalidArgumentError,
        "group_budget of 'sms' is 400.0, below the sum of the lower bounds of its cells, 500.0",
    ),
    "unknown group": (
        lambda: plan(group_budget={"sma": 400}),
        errors.InvalidArgumentError,
        "neither a segment nor a channel of the cells; did you mean 'sms'",
    ),
    "groups that cross": (
        lambda: plan(group_budget={"sms": 4_000, "loyal": 3_000}),
        errors.InvalidArgumentError,
        "LP solver such as HiGHS",
    ),
    "groups that cross, of a column": (
        lambda: plan(group="channel", group_budget={"sms": 4_000, "loyal": 3_000}),
        errors.InvalidArgumentError,
        "LP solver such as HiGHS",
    ),
    "several columns": (lambda: plan(group=["segment", "channel"]), errors.InvalidArgumentError, "LP solver"),
    "dicts of columns": (
        lambda: plan(group_budget={"channel": {"sms": 3}, "segment": {"new": 2}}),
        errors.InvalidArgumentError,
        "LP solver",
    ),
    "a group of the other column": (
        lambda: plan(group="segment", group_budget={"sms": 4_000}),
        errors.InvalidArgumentError,
        "which is a channel and no segment; pass group='channel'",
    ),
    "a name of both columns": (
        lambda: plan([{"segment": "x", "channel": "x", "curve": SMS}], group_budget={"x": 1}),
        errors.InvalidArgumentError,
        "values of both columns",
    ),
    "group": (lambda: plan(group="town", group_budget={"sms": 1}), errors.InvalidArgumentError, "group='town'"),
    "group budget of another type": (lambda: plan(group_budget=3), errors.InvalidTypeError, "expected a dict"),
    "kind in a table": (
        lambda: plan(TABLE_OF_ONE.set_column(1, "curve", pa.array(["log"]))),
        errors.InvalidArgumentError,
        "column 'curve' is 'log' at row 0; expected 'exp', 'hill' or 'table'",
    ),
    "parameter in a table": (
        lambda: plan(TABLE_OF_ONE.set_column(2, "a", pa.array([None], "f8"))),
        errors.NullValueError,
        "column 'a' is null at row 0; expected a number, as its curve is 'exp'",
    ),
    "wrong parameter in a table": (
        lambda: plan(TABLE_OF_ONE.set_column(2, "a", pa.array([-1.0]))),
        errors.InvalidArgumentError,
        "row 0: a=-1.0 is invalid; expected a positive number",
    ),
    "column of another type": (
        lambda: plan(TABLE_OF_ONE.set_column(2, "a", pa.array(["x"]))),
        errors.InvalidTypeError,
        r"column 'a' \(curve\) is string",
    ),
    "no column of curves": (lambda: plan(TABLE_OF_ONE.drop_columns(["curve"])), errors.ColumnNotFoundError, "'curve'"),
    "no column of segments": (
        lambda: plan(TABLE_OF_ONE.drop_columns(["segment"])),
        errors.ColumnNotFoundError,
        "segment",
    ),
    "two curves of a cell": (
        lambda: plan(pa.concat_tables([TABLE_OF_ONE] * 2)),
        errors.InvalidArgumentError,
        "the cell 'a' has a second curve at row 1",
    ),
    "points that fall": (
        lambda: plan(pa.table({"segment": ["a", "a"], "spend": [1, 2], "value": [2, 1]})),
        errors.InvalidArgumentError,
        r"points of the cell 'a', by spend: value\[1\]=1.0 is below the one before, 2.0; a curve may not fall",
    ),
    "points that contradict": (
        lambda: plan(pa.table({"segment": ["a", "a"], "spend": [1, 2], "value": [1, 2], "high": [1.0, 2.0]})),
        errors.InvalidArgumentError,
        "column 'high' of the cell 'a' has another value at row 1",
    ),
    "bound in a table": (
        lambda: plan(TABLE_OF_ONE.append_column("low", pa.array(["lots"]))),
        errors.InvalidArgumentError,
        "column 'low' at row 0='lots' is invalid",
    ),
    "nothing to draw": (
        lambda: plan(CELLS[1:]).sensitivity(),
        errors.InvalidArgumentError,
        "no cell has a standard error",
    ),
    "nothing to draw of contacts": (
        lambda: contacts(OPTIONS[1:]).sensitivity(),
        errors.InvalidArgumentError,
        "no option has a value_se",
    ),
    "no draws": (lambda: plan().sensitivity(0), errors.OutOfRangeError, "n=0 is outside 1 to 100000"),
    "too many draws": (lambda: plan().sensitivity(100_001), errors.OutOfRangeError, "n=100001 is outside 1 to 100000"),
    "seed": (lambda: plan().sensitivity(3, -1), errors.OutOfRangeError, "seed=-1 is negative"),
    "budgets": (lambda: plan().frontier([-1.0]), errors.InvalidArgumentError, "budget=-1.0 is invalid"),
    "budgets of another type": (lambda: plan().frontier("9"), errors.InvalidTypeError, "budgets is str"),
    "cost below 0": (lambda: contacts(option(cost=-1)), errors.InvalidArgumentError, "cost=-1.0 of the option 'loyal'"),
    "value not finite": (
        lambda: contacts(option(value=math.inf)),
        errors.InvalidArgumentError,
        "value=inf of the option",
    ),
    "value_se below 0": (lambda: contacts(option(value_se=-1)), errors.InvalidArgumentError, "value_se=-1.0"),
    "customers below 0": (lambda: contacts(option(customers=-1)), errors.InvalidArgumentError, "customers'] is -1.0"),
    "part of a customer": (lambda: contacts(option(customers=1.5)), errors.InvalidArgumentError, "is 1.5; expected"),
    "part of a customer in a table": (
        lambda: contacts(pa.Table.from_pylist(option(customers=1.5))),
        errors.InvalidArgumentError,
        "column 'customers' is 1.5 at row 0",
    ),
    "null cost": (lambda: contacts(option(cost=None)), errors.NullValueError, r"options\[0\]\['cost'\] is None"),
    "null value in a table": (
        lambda: contacts(pa.Table.from_pylist([OPTIONS[0], OPTIONS[1] | {"value": None}])),
        errors.NullValueError,
        "column 'value' is null at row 1",
    ),
    "no cost": (
        lambda: contacts([{"segment": "a", "value": 1, "customers": 1}]),
        errors.ColumnNotFoundError,
        r"options\[0\]\['cost'\] is missing",
    ),
    "customers of a segment differ": (
        lambda: contacts([OPTIONS[0], OPTIONS[1] | {"customers": 700}]),
        errors.InvalidArgumentError,
        "segment 'loyal' has 800 customers in row 0 and 700 in row 1",
    ),
    "options twice": (lambda: contacts(OPTIONS + OPTIONS[:1]), errors.InvalidArgumentError, "in rows 0 and 3"),
    "whole of another type": (lambda: contacts(whole=1), errors.InvalidTypeError, "whole=1"),
    "a of 0": (lambda: Curve.exp(0, 1), errors.InvalidArgumentError, "a=0.0 is invalid; expected a positive number"),
    "b not finite": (lambda: Curve.exp(1, math.nan), errors.InvalidArgumentError, "b=nan"),
    "c below 0": (lambda: Curve.hill(1, -1), errors.InvalidArgumentError, "c=-1.0"),
    "k of 0": (lambda: Curve.hill(1, 1, 0), errors.InvalidArgumentError, "k=0.0"),
    "curve of nothing": (lambda: Curve(3), errors.InvalidTypeError, r"Curve\.exp"),
    "no points": (lambda: Curve.table([], []), errors.InvalidArgumentError, "no point above 0"),
    "other lengths": (lambda: Curve.table([1], [1, 2]), errors.InvalidArgumentError, "1 entries and value has 2"),
    "spend twice": (
        lambda: Curve.table([1, 1], [1, 2]),
        errors.InvalidArgumentError,
        r"spend\[1\]=1.0 does not exceed",
    ),
    "value at 0": (lambda: Curve.table([0, 1], [1, 2]), errors.InvalidArgumentError, "a curve begins at 0"),
    "points in words": (lambda: Curve.table("12", [1, 2]), errors.InvalidTypeError, "spend is str"),
    "spend below 0": (lambda: SMS.value(-1), errors.InvalidArgumentError, "spend=-1.0 is negative"),
    "fit of few": (lambda: Curve.fit([1], [1]), errors.NotEnoughDataError, "do not determine 2 parameters"),
    "fit of few to hill": (lambda: Curve.fit([1, 2], [1, 2], kind="hill"), errors.NotEnoughDataError, "3 parameters"),
    "fit of a line": (lambda: Curve.fit([1, 2, 3], [1, 2, 3]), errors.NotEnoughDataError, "measure larger spends"),
    "fit of a step": (lambda: Curve.fit([1, 2, 3], [5, 5, 5]), errors.NotEnoughDataError, "measure smaller spends"),
    "fit of losses": (lambda: Curve.fit([1, 2, 3], [-5, -6, 0]), errors.NotEnoughDataError, "no spend gained anything"),
    "fit with se of 0": (lambda: Curve.fit([1, 2], [1, 2], [0, 1]), errors.InvalidArgumentError, r"se\[0\]=0.0"),
    "fit with other lengths": (lambda: Curve.fit([1, 2], [1, 2], [1]), errors.InvalidArgumentError, "se has 1 entries"),
    "fit of another kind": (lambda: Curve.fit([1], [1], kind="log"), errors.InvalidArgumentError, "kind='log'"),
    "fit of exp with k": (lambda: Curve.fit([1], [1], k=1), errors.InvalidArgumentError, "k=1 is the steepness"),
    "fit with k of 0": (lambda: Curve.fit([1, 2], [1, 1.5], None, "hill", k=0), errors.InvalidArgumentError, "k=0.0"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_errors(name):
    call, kind, says = WRONG[name]
    with pytest.raises(kind, match=says) as error:
        call()
    assert type(error.value) is kind
