"""The ladder of orders: by hand, of groups, on disk, errors."""

from __future__ import annotations

import datetime as dt
import random

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    StateMismatchError,
)
from tests.effect.growth_cases import BASE, ROWS, base_of, day, refused
from tests.reference_data import outside


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
