"""Changes of revenue by source: results of other tools, corners, errors."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    StateMismatchError,
)
from tests.effect.funnel_golden import golden
from tests.effect.growth_cases import BASE, ROWS, Effect, base_of, day, refused
from tests.reference_data import SHIPPED

SOURCES = ["new", "reactivated", "lost", "kept_up", "kept_down"]


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
