"""What new customers cost and earned: results of other tools, corners, errors."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    NullValueError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.effect.funnel_golden import golden
from tests.effect.growth_cases import BASE, COSTS, ROWS, base_of, day, refused
from tests.reference_data import outside


def test_acquisition_of_other_tools():
    pq = pytest.importorskip("pyarrow.parquet")
    expected = json.loads((golden("acquisition") / "cdnow_months.json").read_text())
    base = custcore.CustomerBase(timestamp="date", amount="spend", track="days")
    base.update(pq.read_table(outside("cdnow").data / "cdnow/cdnow_master.parquet"))
    months = [dt.date.fromisoformat(f"{row['cohort']}-01") for row in expected]
    costs = pa.table({"period": months, "cost": [row["cost"] for row in expected]})
    found = base.acquisition(costs, margin=0.3)
    names = {"margin_per_customer_to_date": "margin_per_customer", "payback_periods": "payback"}
    assert found["cohort"].to_pylist() == months
    for row, want in zip(found, expected, strict=True):
        for name, value in want.items():
            if name in {"cohort", "margin"}:
                continue
            own = row[names.get(name, name)]
            assert own == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), name


def test_acquisition_agrees_with_cohorts():
    rng = random.Random(4)
    begun = {f"c{i}": rng.randrange(150) for i in range(40)}
    rows = []
    for customer, first in begun.items():
        for at in [first, *(rng.randrange(first, 171) for _ in range(4))]:
            when = dt.date(2026, 1, 1) + dt.timedelta(days=at)
            rows.append((customer, f"{when:%m-%d}", rng.randrange(1, 30) * rng.choice([1, 1, 1, -0.25])))
    base = base_of(rows)
    cells = base.cohort_retention().to_table().to_pylist()
    costs = pa.table({"period": [day(f"0{month}-09") for month in range(1, 7)], "cost": [120.0] * 6})
    paybacks = set()
    for n in (None, 2, 3):
        for row in base.acquisition(costs, margin=0.5, n_periods=n):
            own = [cell for cell in cells if cell["cohort"] == row["cohort"]]
            assert row["new_customers"] == (own[0]["cohort_size"] if own else 0)
            if not row["new_customers"]:
                assert (row["cac"], row["value"], row["payback"]) == (None, None, None)
                continue
            until = [cell for cell in own if cell["is_complete"]]
            last = own[-1] if n is None else own[n - 1] if len(until) >= n else None
            value = None if last is None else 0.5 * last["revenue_cumulative"] / last["cohort_size"]
            assert row["value"] == (None if value is None else pytest.approx(value))
            paid = [cell["period_index"] for cell in until if 0.5 * cell["revenue_cumulative"] >= 120.0]
            assert row["payback"] == (paid[0] if paid else None)
            assert row["observed_periods"] == (until[-1]["period_index"] if until else None)
            paybacks.add(row["payback"])
    assert len(paybacks) > 2


def test_acquisition_by_hand():
    found = BASE.acquisition(COSTS, margin=0.5)
    assert [tuple(row.values()) for row in found] == [
        (day("01-01"), 2, 20.0, 10.0, 15.0, 15.0, 1.5, 1, 1),
        (day("02-01"), 1, 9.0, 9.0, 4.0, 4.0, pytest.approx(4 / 9), None, 0),
    ]
    # February is not over.
    found = BASE.acquisition(COSTS, margin=0.5, as_of=day("02-27"))
    assert [(row["payback"], row["observed_periods"]) for row in found] == [(None, 0), (None, None)]
    kinds = dict(zip(found.column_names, map(str, found.to_pyarrow().schema.types), strict=True))
    assert kinds == {
        "cohort": "date32[day]",
        "new_customers": "int64",
        **dict.fromkeys(["cost", "cac", "margin_per_customer", "value", "value_to_cac"], "double"),
        **dict.fromkeys(["payback", "observed_periods"], "int64"),
    }


def test_costs_without_customers_and_customers_without_costs_are_counted():
    costs = pa.table({"period": [day("01-03"), day("01-20"), day("06-01")], "cost": pa.array([5, 15, 100], pa.int32())})
    found = BASE.acquisition(costs)
    assert [(row["cohort"], row["new_customers"], row["cost"], row["cac"]) for row in found] == [
        (day("01-01"), 2, 20.0, 10.0),
        (day("02-01"), 1, None, None),
        (day("06-01"), 0, 100.0, None),
    ]
    assert [row["value"] for row in found] == [30.0, 8.0, None]
    assert found.report["cost_without_customers"].count == 1
    assert found.report["customers_without_cost"].count == 1
    free = BASE.acquisition(pa.table({"period": [day("01-03")], "cost": [0.0]}))
    assert [(row["cac"], row["value_to_cac"], row["payback"]) for row in free] == [(0.0, None, 0), (None, None, None)]


def test_acquisition_of_channels():
    base = base_of(ROWS, ["web", None, "web", "shop"])
    costs = pa.table(
        {
            "period": [day("01-01")] * 3,
            "channel": pa.array(["web", None, "mail"]).dictionary_encode(),
            "cost": [8.0, 2.0, 1.0],
        }
    )
    found = base.acquisition(costs, by="channel")
    assert [(row["cohort"], row["channel"], row["new_customers"], row["cost"]) for row in found] == [
        (day("01-01"), "mail", 0, 1.0),
        (day("01-01"), "web", 1, 8.0),
        (day("01-01"), None, 1, 2.0),
        (day("02-01"), "shop", 1, None),
    ]


def test_values_of_customers():
    values = pa.table({"customer_id": ["ann", "cleo", "eve"], "clv": [50.0, None, 7.0]})
    found = BASE.acquisition(COSTS, value=values, margin=0.5)
    assert [(row["value"], row["value_to_cac"]) for row in found] == [(50.0, 5.0), (None, None)]
    assert found.report["customers_without_value"].count == 2
    named = pa.table({"id": ["ann", "bob"], "value": [1, 2]})
    assert BASE.acquisition(COSTS, value=named)["value"].to_pylist() == [1.5, None]


def test_weeks_and_quarters():
    costs = pa.table({"period": [day("01-05"), day("02-26")], "cost": [1.0, 2.0]})
    weeks = BASE.acquisition(costs, period="week")
    assert weeks["cohort"].to_pylist() == [day("01-05"), day("02-23")]
    assert BASE.acquisition(costs, period="quarter")["cost"].to_pylist() == [3.0]


def test_errors_of_acquisition():
    def costs(period: Any, cost: Any, kind: Any = None) -> Any:
        return lambda: BASE.acquisition(
            pa.table({"period": pa.array([day("01-01"), period], kind), "cost": [1.0, cost]})
        )

    refused(InvalidArgumentError, lambda: BASE.acquisition(COSTS, margin=0), "margin=0 is invalid")
    refused(InvalidArgumentError, lambda: BASE.acquisition(COSTS, margin=math.inf), "margin=inf")
    refused(InvalidArgumentError, lambda: BASE.acquisition(COSTS, n_periods=0), "n_periods=0")
    refused(InvalidArgumentError, lambda: BASE.acquisition(COSTS, period="moon"), "period='moon'")
    refused(NullValueError, costs(day("01-02"), None), "costs: column 'cost' is null at row 1")
    refused(NullValueError, costs(None, 1.0), "costs: column 'period' is null at row 1")
    refused(NonFiniteError, costs(day("01-02"), math.inf), "infinite at row 1")
    refused(OutOfRangeError, costs(day("01-02"), -3.0), "column 'cost' is -3 at row 1")
    text = pa.table({"period": ["2026-01"], "cost": [1.0]})
    refused(InvalidTypeError, lambda: BASE.acquisition(text), "column 'period'", "is string")
    refused(ColumnNotFoundError, lambda: BASE.acquisition(COSTS.select(["period"])), "column 'cost'")
    base = base_of(ROWS, ["web", None, "web", "shop"])
    refused(ColumnNotFoundError, lambda: base.acquisition(COSTS, by="channel"), "column 'channel'")
    numbers = COSTS.append_column("channel", pa.array([1, 2]))
    refused(InvalidTypeError, lambda: base.acquisition(numbers, by="channel"), "strings, as in the base")
    refused(StateMismatchError, lambda: BASE.acquisition(COSTS, by="channel"), "attributes={'channel': 'first'}")
    refused(StateMismatchError, lambda: base_of(ROWS, track="totals").acquisition(COSTS), "track='days'")
    refused(InvalidArgumentError, lambda: base_of(ROWS, amount=None).acquisition(COSTS), "no amounts")
    twice = pa.table({"customer_id": ["ann", "ann"], "value": [1.0, 2.0]})
    refused(InvalidArgumentError, lambda: BASE.acquisition(COSTS, value=twice), "value: customer", "two rows, 0 and 1")
    refused(
        ColumnNotFoundError,
        lambda: BASE.acquisition(COSTS, value=pa.table({"customer_id": ["a"]})),
        "neither a column 'clv' nor 'value'",
    )
    infinite = pa.table({"customer_id": ["ann"], "value": [math.inf]})
    refused(NonFiniteError, lambda: BASE.acquisition(COSTS, value=infinite), "column 'value' is inf at row 0")
    numbered = pa.table({"customer_id": [1], "value": [1.0]})
    refused(InvalidTypeError, lambda: BASE.acquisition(COSTS, value=numbered), "Ids of different kinds are never equal")
    null = pa.table({"customer_id": pa.array([None], pa.string()), "value": [1.0]})
    refused(NullValueError, lambda: BASE.acquisition(COSTS, value=null), "a customer id is null at row 0")
