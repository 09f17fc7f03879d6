"""Attributes of a base in the table of an experiment: what was known the day before exposure, and strata of effects."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import InvalidArgumentError, InvalidTypeError, StateMismatchError

DRAW = random.Random(11)
FIRST = datetime.date(2026, 1, 1)
N = 300
CHANNELS = ["web", "app", None, "shop"]
ORDERS = pa.table(
    {
        "customer_id": [DRAW.randrange(N) for _ in range(900)],
        "timestamp": [FIRST + datetime.timedelta(days=DRAW.randrange(90)) for _ in range(900)],
        "amount": [DRAW.randrange(100, 9000) / 100 for _ in range(900)],
        "channel": [CHANNELS[DRAW.randrange(4)] for _ in range(900)],
        "since": pa.array([FIRST - datetime.timedelta(days=DRAW.randrange(4)) for _ in range(900)]),
        "order": list(range(900)),
        "store": pa.array([DRAW.randrange(3) for _ in range(900)], pa.int8()),
    }
)
GROUPS = pa.table(
    {
        # Ten of them never bought.
        "customer_id": list(range(N + 10)),
        "group": ["control", "mail"] * (N // 2 + 5),
        "exposed_on": [datetime.date(2026, 2, 10 + i % 5) for i in range(N + 10)],
    }
)
KEPT = {"channel": "first", "since": "first", "store": "first"}


def base(**options: Any) -> custcore.CustomerBase:
    made = custcore.CustomerBase(**{"track": "days", "attributes": KEPT, **options})
    made.update(ORDERS)
    return made


def known() -> dict[int, tuple[Any, ...]]:
    """The values of the first purchase of whoever had bought before exposure: of several on a day the smallest."""
    exposed = dict(zip(GROUPS["customer_id"].to_pylist(), GROUPS["exposed_on"].to_pylist(), strict=True))
    rows = ORDERS.to_pylist()
    found = {}
    for customer, day in exposed.items():
        own = [row for row in rows if row["customer_id"] == customer]
        first = min((row["timestamp"] for row in own), default=day)
        if first < day:
            of_first = [row for row in own if row["timestamp"] == first]
            values = ([row[name] for row in of_first if row[name] is not None] for name in KEPT)
            found[customer] = tuple(min(of_name, default=None) for of_name in values)
    return found


@pytest.mark.parametrize("options", [{}, {"track": "orders", "order_id": "order"}])
def test_values_of_the_day_before(options: dict[str, Any]) -> None:
    expected = known()
    assert 150 < len(expected) < N
    table = base(**options).experiment_table(GROUPS, days_after=14, attributes=list(KEPT))
    assert table.column_names[-3:] == list(KEPT)
    for row in table:
        assert tuple(row[name] for name in KEPT) == expected.get(row["customer_id"], (None, None, None))
        assert (row["recency_days"] is not None) == (row["customer_id"] in expected)
    types = pa.table(table).schema
    assert (types.field("since").type, types.field("store").type) == (pa.date32(), pa.int8())
    # In the order asked for; all else is as without them.
    other = base(**options).experiment_table(GROUPS, days_after=14, attributes=["store", "channel"])
    assert other.column_names[-2:] == ["store", "channel"]
    plain = base(**options).experiment_table(GROUPS, days_after=14)
    assert other.select(plain.column_names).to_pylist() == plain.to_pylist()


def test_a_base_on_disk_gives_the_same(tmp_path: Path) -> None:
    n = 60_000
    orders = pa.table(
        {
            "customer_id": [f"customer {i * 7919 % 20_011}" for i in range(n)],
            "timestamp": [FIRST + datetime.timedelta(days=i * i % 89) for i in range(n)],
            "amount": [i % 100 / 4 for i in range(n)],
            "channel": [CHANNELS[i * i % 7 % 4] for i in range(n)],
        }
    )
    groups = pa.table(
        {"customer_id": [f"customer {i * 3}" for i in range(6_800)], "group": ["control", "mail"] * 3_400}
    )
    found = []
    for options in ({}, {"max_memory": "1MiB", "spill_dir": tmp_path}):
        made = custcore.CustomerBase(track="days", attributes={"channel": "first"}, **options)
        made.update(orders)
        assert (made.nbytes_on_disk > 0) == bool(options)
        table = made.experiment_table(groups, start="2026-01-20", days_after=14, attributes=["channel"])
        found.append(table.to_pylist())
    assert found[0] == found[1]
    assert {row["channel"] for row in found[0]} == {"web", "app", None}


def test_attributes_are_strata_and_segments() -> None:
    made = base()
    table = made.experiment_table(GROUPS, days_after=14, attributes=["channel"])
    given = pa.table(GROUPS).append_column("channel", pa.table(table)["channel"])
    found = custcore.effect_of(table, ["revenue", "orders"], adjust="own", strata="channel", by="channel")
    expected = made.effect(
        given, days_after=14, metrics=["revenue", "orders"], adjust="own", strata="channel", by="channel"
    )
    assert found.table().to_pylist() == expected.table().to_pylist()
    assert {row["segment"] for row in found.segments()} == {"web", "app", "shop", "(null)"}


def test_an_experiment_of_nobody_known() -> None:
    nobody = pa.table({"customer_id": [N + 1, N + 2], "group": ["control", "mail"]})
    table = base().experiment_table(nobody, start="2026-02-10", days_after=14, attributes=["store"])
    assert table["store"].to_pylist() == [None, None]


def test_errors() -> None:
    made = base(attributes={"channel": "last", "store": "first"})
    call: dict[str, Any] = {"days_after": 14}
    with pytest.raises(StateMismatchError, match="first purchase"):
        made.experiment_table(GROUPS, **call, attributes=["channel"])
    made = base()
    with pytest.raises(StateMismatchError, match="does not keep column 'shop'"):
        made.experiment_table(GROUPS, **call, attributes=["shop"])
    with pytest.raises(InvalidArgumentError, match="attributes has 'store', which the table has already"):
        made.experiment_table(GROUPS, **call, attributes=["store", "store"])
    with pytest.raises(InvalidTypeError, match="attributes='store' is str"):
        made.experiment_table(GROUPS, **call, attributes="store")
    segment = ORDERS.rename_columns(["segment" if name == "channel" else name for name in ORDERS.column_names])
    other = custcore.CustomerBase(track="days", attributes={"segment": "first"})
    other.update(segment)
    with pytest.raises(InvalidArgumentError, match="under another name"):
        other.experiment_table(GROUPS, **call, attributes=["segment"])
