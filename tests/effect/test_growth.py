"""The ladder of orders, acquisition and changes of revenue: results of other tools, corners, errors."""

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
    CustcoreError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    NullValueError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.effect.funnel_golden import golden
from tests.reference_data import SHIPPED, outside

SOURCES = ["new", "reactivated", "lost", "kept_up", "kept_down"]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


def base_of(
    rows: list[tuple[Any, str, float]], channels: list[Any] | None = None, **options: Any
) -> custcore.CustomerBase:
    attributes = {"channel": "first"} if channels else None
    base = custcore.CustomerBase(**{"track": "days", "attributes": attributes, **options})
    base.update(
        pa.table(
            {
                "customer_id": pa.array([row[0] for row in rows], pa.string()),
                "timestamp": pa.array([day(row[1]) for row in rows], pa.date32()),
                "amount": pa.array([row[2] for row in rows], pa.float64()),
                **({"channel": channels} if channels else {}),
            }
        )
    )
    return base


ROWS = [("ann", "01-05", 10.0), ("bob", "01-09", 20.0), ("ann", "02-03", 30.0), ("cleo", "02-28", 8.0)]
BASE = base_of(ROWS)
COSTS = pa.table({"period": [day("01-01"), day("02-14")], "cost": [20.0, 9.0]})


def refused(error: type[CustcoreError], call: Any, *says: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value), str(caught.value)


class Effect:
    """What a measured effect of a campaign has to have."""

    def __init__(self, *groups: tuple[Any, ...], first: str | None = None, last: str | None = None) -> None:
        keys = ("name", "customers", "revenue", "low", "high")
        self._groups = [dict(zip(keys, group, strict=True)) for group in groups]
        days = {"first_day": first, "last_day": last}
        self.definition = {name: value for name, value in days.items() if value}

    def increments(self, metric: str = "revenue") -> list[dict[str, Any]]:
        assert metric == "revenue"
        return self._groups


# The ladder


def test_ladder_by_hand():
    rows = [
        ("ann", "01-05", 1.0),
        ("ann", "01-05", 2.0),
        ("ann", "01-15", 1.0),
        ("bob", "01-09", 5.0),
        ("bob", "01-20", -5.0),
    ]
    found = base_of(rows).order_ladder(3, as_of=day("01-25"))
    assert [(row["orders"], row["customers"], row["customers_next"], row["median_days"]) for row in found] == [
        (1, 2, 1, 0.0),
        (2, 1, 1, 10.0),
        (3, 1, 0, None),
    ]
    assert [row["rate_km"] for row in found] == [0.5, 1.0, 0.0]
    kinds = dict(zip(found.column_names, map(str, found.to_pyarrow().schema.types), strict=True))
    assert kinds == {
        **dict.fromkeys(["orders", "customers", "customers_next"], "int64"),
        **{f"{rate}{end}": "double" for rate in ("rate", "rate_km") for end in ("", "_low", "_high")},
        "median_days": "double",
    }


def test_ladder_of_groups():
    base = base_of(ROWS, ["web", None, "web", "shop"])
    found = base.order_ladder(2, by="channel")
    assert [(row["channel"], row["orders"], row["customers"]) for row in found] == [
        ("shop", 1, 1),
        ("shop", 2, 0),
        ("web", 1, 1),
        ("web", 2, 1),
        (None, 1, 1),
        (None, 2, 0),
    ]
    segments = pa.table({"customer_id": ["ann", "bob"], "kind": ["b", "a"]})
    found = base.order_ladder(1, by=segments, segment="kind")
    assert [(row["kind"], row["customers"], row["customers_next"]) for row in found] == [
        ("a", 1, 0),
        ("b", 1, 1),
        (None, 1, 0),
    ]


def test_ladder_of_nobody():
    found = base_of([]).order_ladder(2)
    assert found["customers"].to_pylist() == [0, 0]
    assert found["rate"].to_pylist() == found["rate_km"].to_pylist() == [None, None]


def test_ladder_on_disk_is_the_same():
    pq = pytest.importorskip("pyarrow.parquet")
    rows = pq.read_table(outside("cdnow").data / "cdnow/cdnow_master.parquet")
    names = {"customer_id": "customer_id", "timestamp": "date", "amount": "spend", "track": "days"}
    found = []
    for memory in (None, "1MiB"):
        base = custcore.CustomerBase(**names, max_memory=memory)
        base.update(rows)
        assert (base.nbytes_on_disk > 0) == (memory is not None)
        found.append((base.order_ladder(6), base.change("1997-03", "1997-04")))
    assert found[0][0].equals(found[1][0])
    assert found[0][1].equals(found[1][1])


def test_groups_on_disk_are_the_same():
    rng = random.Random(6)
    channels = ["web", "shop", None, "mail"]
    rows = [
        (rng.randrange(20_000), dt.date(2026, 1, 1) + dt.timedelta(rng.randrange(180)), rng.choice([9.0, 5.5, -2.25]))
        for _ in range(60_000)
    ]
    table = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "timestamp": [row[1] for row in rows],
            "amount": [row[2] for row in rows],
            "channel": [channels[row[0] % 4] for row in rows],
        }
    )
    segments = pa.table({"customer_id": range(0, 20_000, 3), "segment": [str(i % 5) for i in range(0, 20_000, 3)]})
    months = [day(f"0{month}-01") for month in range(1, 8) for _ in channels]
    costs = pa.table({"period": months, "channel": channels * 7, "cost": [700.0] * 28})
    values = pa.table({"customer_id": range(20_000), "clv": [i % 7 / 4 for i in range(20_000)]})
    found = []
    for memory in (None, "1MiB"):
        base = custcore.CustomerBase(track="days", attributes={"channel": "first"}, max_memory=memory)
        base.update(table)
        assert (base.nbytes_on_disk > 0) == (memory is not None)
        found.append(
            [
                base.order_ladder(4, by="channel"),
                base.order_ladder(4, by=segments),
                base.change("2026-02", "2026-03", by="channel"),
                base.change("2026-02", "2026-03", by=segments),
                base.acquisition(costs, by="channel", margin=0.25, value=values),
                base.acquisition(costs, by="channel", n_periods=2, n_threads=3),
            ]
        )
    for one, other in zip(*found, strict=True):
        assert one.num_rows > 9
        assert one.equals(other)


def test_errors_of_ladders():
    refused(InvalidArgumentError, lambda: BASE.order_ladder(0), "n=0 is outside 1 to 1,000")
    refused(InvalidTypeError, lambda: BASE.order_ladder(2.5), "n=2.5")
    refused(InvalidArgumentError, lambda: BASE.order_ladder(by="customer_id"), "a group of one")
    refused(StateMismatchError, lambda: BASE.order_ladder(by="channel"), "attributes={'channel': 'first'}")
    twice = pa.table({"customer_id": ["ann", "ann"], "segment": ["a", "b"]})
    refused(InvalidArgumentError, lambda: BASE.order_ladder(by=twice), "has a second row")
    refused(StateMismatchError, lambda: base_of(ROWS, track="totals").order_ladder(), "track='days'")


# Acquisition


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


# Changes of revenue


def test_changes_of_other_tools():
    pq = pytest.importorskip("pyarrow.parquet")
    pc = pytest.importorskip("pyarrow.compute")
    lines = pq.read_table(SHIPPED.data / "online_retail/online_retail.parquet")
    lines = lines.filter(pc.is_valid(lines["customer_id"]))
    is_clean = pc.and_(pc.greater(lines["quantity"], 0), pc.greater(lines["unit_price"], 0.0))
    lines = lines.filter(pc.and_(is_clean, pc.invert(pc.starts_with(lines["invoice"], "C"))))
    amounts = pc.multiply(lines["quantity"].cast(pa.float64()), lines["unit_price"])
    base = custcore.CustomerBase(timestamp="invoice_date", order_id="invoice", track="orders")
    base.update(lines.append_column("amount", amounts))
    for want in json.loads((golden("structure") / "online_retail.json").read_text()):
        found = {row["source"]: row for row in base.change(want["before"], want["after"])}
        assert list(found) == SOURCES
        for source in SOURCES:
            assert found[source]["revenue"] == pytest.approx(want[source], abs=1e-6)
        for source in ("new", "reactivated", "lost"):
            assert found[source]["customers"] == want["customers"][source]
        assert found["kept_up"]["customers"] + found["kept_down"]["customers"] == want["customers"]["kept"]
        whole = want["revenue_after"] - want["revenue_before"]
        assert sum(row["revenue"] for row in found.values()) == pytest.approx(whole, abs=1e-6)
        assert sum(row["share"] for row in found.values()) == pytest.approx(1.0, abs=1e-12)


def test_refunds_of_earlier_purchases_are_a_source_of_their_own():
    rows = [*ROWS, ("dan", "01-01", 9.0), ("dan", "03-02", -4.0), ("eve", "03-05", -1.0), ("ann", "03-07", 1.0)]
    found = base_of(rows).change("2026-02", "2026-03")
    assert [(row["source"], row["customers"], row["revenue"]) for row in found] == [
        ("new", 0, 0.0),
        ("reactivated", 0, 0.0),
        ("lost", 1, -8.0),
        ("kept_up", 0, 0.0),
        ("kept_down", 1, -29.0),
        ("refunds", 1, -4.0),
    ]
    # Who never bought is no customer, and is in the report.
    assert found.report["refund_only_customers"].count == 1


def test_periods_of_all_kinds():
    rows = [("ann", "01-05", 10.0), ("ann", "02-03", 30.0), ("bob", "03-31", 1.0), ("cleo", "04-01", 2.0)]
    base = base_of(rows)
    pairs = base.change((day("01-01"), "2026-01-31"), ("2026-02-01", day("02-28")))
    months = base.change("2026-01", "2026-02")
    assert pairs.to_pylist() == months.to_pylist()
    assert "the periods have 31 and 28 days" in pairs.report.remarks
    assert not months.report.remarks
    assert [row["revenue"] for row in base.change("2026-Q1", "2026-Q2")] == [2.0, 0.0, -41.0, 0.0, 0.0]
    late = base.change("2025", "2026")
    assert late["revenue"].to_pylist() == [43.0, 0.0, 0.0, 0.0, 0.0]
    assert "the data end on 2026-04-01" in late.report.remarks[0]
    assert base_of([]).change("2026-01", "2026-02")["share"].to_pylist() == [None] * 5


def test_changes_of_groups():
    base = base_of(ROWS, ["web", None, "web", "shop"])
    found = base.change("2026-01", "2026-02", by="channel")
    shown = [(row["channel"], row["source"], row["revenue"], row["share"]) for row in found if row["customers"]]
    assert shown == [("shop", "new", 8.0, 1.0), ("web", "kept_up", 20.0, 1.0), (None, "lost", -20.0, 1.0)]
    assert found.column_names == ["channel", "source", "name", "customers", "revenue", "low", "high", "share"]


def test_what_campaigns_added():
    mail = Effect(("mail", 100, 5.0, 1.0, 9.0), ("coupon", 50, -1.0, -4.0, 2.0), first="2026-02-01", last="2026-02-10")
    app = Effect(("app", 10, 2.0, 1.0, 3.0), first="2026-02-11", last="2026-02-20")
    found = BASE.change("2026-01", "2026-02", campaigns=[mail, app]).to_pylist()
    assert [(row["source"], row["name"], row["customers"]) for row in found[5:]] == [
        ("campaign", "mail", 100),
        ("campaign", "coupon", 50),
        ("campaign", "app", 10),
        ("unexplained", None, None),
    ]
    assert [(row["revenue"], row["low"], row["high"]) for row in found[5:8]] == [
        (5.0, 1.0, 9.0),
        (-1.0, -4.0, 2.0),
        (2.0, 1.0, 3.0),
    ]
    # Groups of one campaign have a control in common: their widths add up.
    half = math.hypot(4.0 + 3.0, 1.0)
    assert found[8]["revenue"] == 8.0 - 6.0
    assert (found[8]["low"], found[8]["high"]) == (pytest.approx(2.0 - half), pytest.approx(2.0 + half))
    assert found[8]["share"] == 0.25
    unknown = Effect(("app", 10, None, None, math.nan))
    (*_, campaign, rest) = BASE.change("2026-01", "2026-02", campaigns=[unknown])
    assert (campaign["revenue"], campaign["low"], rest["revenue"], rest["high"]) == (None, None, None, None)


def test_campaigns_at_once_are_not_added_up():
    mail = Effect(("mail", 100, 5.0, 1.0, 9.0), first="2026-02-01", last="2026-02-10")
    app = Effect(("app", 10, 2.0, 1.0, 3.0), first="2026-02-10", last="2026-02-20")
    for other, word in (
        (app, "ran at the same time"),
        (Effect(("app", 10, 2.0, 1.0, 3.0)), "may have customers in common"),
    ):
        found = BASE.change("2026-01", "2026-02", campaigns=[mail, other])
        assert [row["source"] for row in found] == [*SOURCES, "campaign", "campaign"]
        (remark,) = found.report.remarks
        assert "the campaigns 'mail' and 'app'" in remark
        assert word in remark
        assert "not added up" in remark


def test_errors_of_changes():
    def change(before: Any = "2026-01", after: Any = "2026-02", base: Any = BASE, **options: Any) -> Any:
        return lambda: base.change(before, after, **options)

    refused(InvalidArgumentError, change("2026-1"), "before='2026-1' is not a period", "'2026-08'")
    refused(InvalidArgumentError, change("2026-13"), "before='2026-13' is not a period")
    refused(InvalidTypeError, change(3), "before is int")
    refused(InvalidTypeError, change(after=("2026-01-01",)), "after is tuple")
    refused(InvalidArgumentError, change(after=("2026-02-01", "x")), "after[1]='x' is not an ISO date")
    refused(InvalidTypeError, change(after=("2026-02-01", None)), "after[1] is None")
    zoned = dt.datetime.now(dt.UTC)
    refused(InvalidTypeError, change(after=("2026-02-01", zoned)), "a time with a zone")
    refused(InvalidArgumentError, change("2026-02", "2026-01"), "the first period must end before the second begins")
    refused(InvalidArgumentError, change(after=("2026-02-09", "2026-02-01")), "ends before it begins")
    refused(InvalidArgumentError, change(base=base_of(ROWS, amount=None)), "no amounts")
    refused(StateMismatchError, change(base=base_of(ROWS, track="totals")), "track='days'")
    refused(StateMismatchError, change(by="channel"), "attributes={'channel': 'first'}")
    refused(InvalidArgumentError, change(by="customer_id"), "a group of one")
    refused(InvalidTypeError, change(campaigns=[3]), "campaigns[0] is int")
    refused(InvalidTypeError, change(campaigns=3), "campaigns is int")
    mail = Effect(("mail", 1, 1.0, 0.0, 2.0))
    with_groups = base_of(ROWS, ["web", None, "web", "shop"])
    refused(InvalidArgumentError, change(base=with_groups, by="channel", campaigns=[mail]), "is not known by group")
    refused(InvalidTypeError, change(campaigns=[Effect((None, 1, 1.0, 0.0, 2.0))]), "campaigns[0]: name=None")
    source = base_of(ROWS, ["a", "b", "c", "d"])
    segments = pa.table({"customer_id": ["ann"], "source": ["x"]})
    refused(DuplicateColumnError, change(base=source, by=segments, segment="source"), "two columns named 'source'")
