"""`custcore.allocate`, `allocate_contacts` and `Curve`: kinds of input, columns, copies, exports."""

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
from custcore import Curve
from tests.effect.allocation_samples import CELLS, MAIL, OPTIONS, POINTS, SMS, contacts, plan

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
        plan(objective="return", low="7%", high=5_000),
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
