"""Wrong cells, options, bounds and curves: the class of each error, and what it says."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from custcore import Curve, errors
from tests.effect.allocation_samples import CELLS, OPTIONS, SMS, contacts, plan


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
