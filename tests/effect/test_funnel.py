"""`custcore.funnel`: results of other tools, corners, errors, and what users see."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    OutOfRangeError,
)
from tests.effect.funnel_golden import golden

STEPS = ["view", "cart", "order"]
NEW_YORK = dt.timezone(dt.timedelta(hours=-5))


def at(day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 1, day, hour, minute)  # noqa: DTZ001 (times without a zone)


def table(rows: list[tuple[Any, ...]], **more: Any) -> pa.Table:
    ids, times, names = ([row[i] for row in rows] for i in range(3))
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.int64()),
            "timestamp": pa.array(times, pa.timestamp("us")),
            "event": pa.array(names, pa.string()),
            **more,
        }
    )


EVENTS = table(
    [
        (1, at(1, 8), "view"),
        (1, at(1, 9), "cart"),
        (1, at(1, 12), "order"),
        (2, at(2, 8), "view"),
        (2, at(4, 9), "cart"),
        (3, at(9, 8), "view"),
    ]
)


def customers(found: custcore.Table) -> list[int]:
    return found["customers"].to_pylist()


def refused(error: type[CustcoreError], *says: str, data: Any = EVENTS, steps: Any = STEPS, **options: Any) -> None:
    with pytest.raises(error) as caught:
        custcore.funnel(data, steps, **{"window": "1d", **options})
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value)


@pytest.mark.parametrize("group", [None, "channel"])
@pytest.mark.parametrize("window", ["1d", "3d"])
def test_every_value_of_other_tools(window: str, group: str | None):
    pq = pytest.importorskip("pyarrow.parquet")
    folder = golden("funnel")
    expected = json.loads((folder / "expected.json").read_text())
    events = pq.read_table(folder / "events.parquet")
    found = custcore.funnel(events, expected["steps"], window, by=group, observation_end=expected["end"])
    wanted = expected["windows"][window]
    names = sorted(set(wanted) - {"all"}) if group else ["all"]
    rows = [row for name in names for row in wanted[name]]
    assert found.num_rows == len(rows)
    for row, want in zip(found, rows, strict=True):
        for column, value in want.items():
            if isinstance(value, float):
                assert row[column] == pytest.approx(value, rel=1e-12, abs=1e-14), column
            else:
                assert row[column] == value, column
    # By default it was observed to the end of the last day.
    assert custcore.funnel(events, expected["steps"], window, by=group).equals(found)


def test_columns_and_types():
    found = custcore.funnel(EVENTS.append_column("channel", pa.array(["a"] * 6)), STEPS, "1d", by="channel")
    kinds = dict(zip(found.column_names, map(str, found.to_pyarrow().schema.types), strict=True))
    assert kinds == {
        "channel": "string",
        "step": "int64",
        "name": "string",
        "customers": "int64",
        "customers_open": "int64",
        **{f"{rate}{end}": "double" for rate in ("rate", "step_rate") for end in ("", "_low", "_high")},
        "median_seconds": "double",
        "median_seconds_from_start": "double",
    }


def test_windows_of_all_kinds():
    expected = custcore.funnel(EVENTS, STEPS, "3d")
    assert customers(expected) == [2, 2, 1]
    for window in (3, 3.0, dt.timedelta(days=3), np.timedelta64(3, "D"), "72h", "4320min", "259200 s"):
        assert custcore.funnel(EVENTS, STEPS, window).equals(expected)
    # Cart after 2 days and an hour: a window includes its end.
    assert customers(custcore.funnel(EVENTS, STEPS, "49h")) == [2, 2, 1]
    assert customers(custcore.funnel(EVENTS, STEPS, dt.timedelta(hours=49) - dt.timedelta.resolution)) == [2, 1, 1]


def test_what_was_not_observed_is_open():
    found = custcore.funnel(EVENTS, STEPS, "1d", observation_end="2026-01-10T08:00")
    assert (customers(found)[0], found["customers_open"].to_pylist()) == (3, [0, None, None])
    found = custcore.funnel(EVENTS, STEPS, "1d", observation_end="2026-01-10T07:59")
    assert (customers(found)[0], found["customers_open"].to_pylist()) == (2, [1, None, None])
    found = custcore.funnel(EVENTS, STEPS, "1d", observation_end=dt.date(2026, 1, 4))
    assert (customers(found), found.report["after_observation_end"].count) == ([2, 1, 1], 2)
    assert found.report["after_observation_end"].first_row == 4
    assert found.report.as_of == dt.date(2026, 1, 3)


def test_steps_at_the_same_time():
    days = pa.table(
        {
            "customer_id": [1, 1, 2, 2],
            "timestamp": [dt.date(2026, 1, day) for day in (1, 1, 1, 2)],
            "event": ["b", "a", "a", "b"],
        }
    )
    assert customers(custcore.funnel(days, ["a", "b"], "1d")) == [2, 2]
    assert customers(custcore.funnel(days, ["a", "b"], "1d", strict=True)) == [2, 1]


def test_any_order():
    found = custcore.funnel(EVENTS, ["order", "view", "cart"], "1d", order="any")
    assert customers(found) == [2, 1, 1]
    assert found["name"].to_pylist() == [None] * 3
    assert found["median_seconds"].to_pylist() == [None, 3600.0, 10800.0]


def test_groups_are_those_of_the_start_that_counts():
    rows = [(1, at(1), "a"), (1, at(2), "a"), (1, at(2, 1), "b"), (2, at(1), "a"), (3, at(1), "a"), (3, at(1), "a")]
    groups = pa.array(["x", "y", "x", None, "y", "x"]).dictionary_encode()
    found = custcore.funnel(table(rows, group=groups), ["a", "b"], "1d", by="group", observation_end=at(9))
    shown = [(row["group"], row["step"], row["customers"]) for row in found]
    # At the same time the smallest value counts; null is the last group.
    assert shown == [("x", 1, 1), ("x", 2, 0), ("y", 1, 1), ("y", 2, 1), (None, 1, 1), (None, 2, 0)]
    assert found.report["null_group"].count == 1
    numbers = pa.array([3, 20, 3, None, 20, 3], pa.int16())
    found = custcore.funnel(table(rows, group=numbers), ["a", "b"], "1d", by="group", observation_end=at(9))
    assert (found["group"].to_pylist(), str(found.to_pyarrow()["group"].type)) == ([3, 3, 20, 20, None, None], "int16")


def test_nothing_is_dropped_silently():
    rows = [
        (None, at(1), "view"),
        (1, None, "view"),
        (1, at(1), None),
        (1, at(1), "search"),
        (1, at(1), "view"),
        (None, None, None),
    ]
    found = custcore.funnel(table(rows), ["view", "crat"], "1d")
    counts = {entry.name: (entry.count, entry.first_row) for entry in found.report}
    assert counts == {
        "null_customer_id": (2, 0),
        "null_timestamp": (1, 1),
        "after_observation_end": (0, None),
        "null_event": (1, 2),
        "other_events": (1, 3),
    }
    assert found.report.n_rows == 6
    assert customers(found) == [1, 0]
    assert list(found.report.remarks) == ["no event is named 'crat'"]
    near = custcore.funnel(EVENTS, ["view", "ordr"], "1d")
    assert list(near.report.remarks) == ["no event is named 'ordr'; did you mean 'order'?"]


def test_no_events():
    found = custcore.funnel(EVENTS.slice(0, 0), STEPS, "1d")
    assert (customers(found), found["customers_open"].to_pylist()) == ([0, 0, 0], [0, None, None])
    assert found["rate"].to_pylist() == found["step_rate_low"].to_pylist() == [None] * 3
    grouped = custcore.funnel(
        EVENTS.append_column("g", pa.array([None] * 6, pa.string())).slice(0, 0), STEPS, 1, by="g"
    )
    assert (grouped.num_rows, grouped.column_names[0]) == (0, "g")


def test_units_and_zones_of_times():
    expected = custcore.funnel(EVENTS, STEPS, "3d")
    for unit in ("s", "ms", "us", "ns"):
        times = EVENTS["timestamp"].cast(pa.timestamp(unit))
        assert custcore.funnel(EVENTS.set_column(1, "timestamp", times), STEPS, "3d").equals(expected)
    # The last day of New York ends at 5:00 of UTC.
    instants = (
        pa.array([at(2, 3), at(2, 4)]).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "America/New_York"))
    )
    zoned = pa.table({"customer_id": [1, 1], "timestamp": instants, "event": ["a", "b"]})
    assert customers(custcore.funnel(zoned, ["a", "b"], "2h")) == [1, 1]
    assert customers(custcore.funnel(zoned, ["a", "b"], "3h")) == [0, 0]
    end = dt.datetime(2026, 1, 2, 0, tzinfo=NEW_YORK)
    assert customers(custcore.funnel(zoned, ["a", "b"], "2h", observation_end=end)) == [1, 1]
    assert customers(custcore.funnel(zoned, ["a", "b"], "2h", observation_end="2026-01-02")) == [1, 1]
    nanos = pa.array([0, 1, 2], pa.timestamp("ns"))
    close = pa.table({"customer_id": [1, 1, 1], "timestamp": nanos, "event": ["a", "b", "c"]})
    found = custcore.funnel(close, ["a", "b", "c"], "1s", strict=True)
    assert (customers(found), found["median_seconds"].to_pylist()[1]) == ([1, 1, 1], 1e-9)


def test_ids_and_events_of_other_types():
    expected = customers(custcore.funnel(EVENTS, STEPS, "3d"))
    pair = EVENTS.append_column("shop", pa.array(["s"] * 6))
    assert customers(custcore.funnel(pair, STEPS, "3d", customer_id=["shop", "customer_id"])) == expected
    encoded = EVENTS.set_column(2, "event", EVENTS["event"].dictionary_encode())
    assert customers(custcore.funnel(encoded, STEPS, "3d")) == expected
    codes = pa.array([STEPS.index(name) for name in EVENTS["event"].to_pylist()])
    assert customers(custcore.funnel(EVENTS.set_column(2, "event", codes), ["0", "1", "2"], "3d")) == expected


def test_errors_of_arguments():
    refused(InvalidTypeError, "steps='view'", "a list of the names", steps="view")
    refused(InvalidTypeError, "steps[1]=3 is int", steps=["view", 3])
    refused(InvalidArgumentError, "steps has 1 names; expected 2 to 100", steps=["view"])
    refused(InvalidArgumentError, "steps has 'view' twice", steps=["view", "cart", "view"])
    refused(InvalidArgumentError, "window='soon' is not a length of time", "30min", window="soon")
    refused(InvalidArgumentError, "window=0 is not longer than 0", window=0)
    refused(InvalidArgumentError, "is not longer than 0", window=dt.timedelta(-1))
    refused(InvalidTypeError, "window=None is NoneType", window=None)
    refused(OutOfRangeError, "window='9999999w' is more than 1,000,000 days", window="9999999w")
    refused(InvalidArgumentError, "order='all'", "'any'", order="all")
    refused(InvalidArgumentError, "strict=True", "order='any'", order="any", strict=True)
    refused(InvalidTypeError, "strict=1 is int", strict=1)
    refused(InvalidArgumentError, "every customer would be a group of one", by="customer_id")
    refused(InvalidTypeError, "observation_end is a time with a zone", observation_end=dt.datetime.now(dt.UTC))
    with pytest.raises(TypeError, match=r"funnel\(\) has no argument 'windows'; did you mean 'window'"):
        custcore.funnel(EVENTS, STEPS, windows="1d")  # type: ignore[call-arg]


def test_errors_of_data():
    refused(ColumnNotFoundError, "column 'events' (event)", "did you mean 'event'", event="events")
    refused(ColumnNotFoundError, "column 'group' (by)", by="group")
    refused(InvalidTypeError, "column 'event' (timestamp) is string", timestamp="event")
    refused(InvalidTypeError, "column 'timestamp' (customer_id)", customer_id="timestamp")
    refused(
        DuplicateColumnError, "two columns named 'rate'", data=EVENTS.append_column("rate", EVENTS["event"]), by="rate"
    )
    refused(InvalidTypeError, "data", data=None)
    old = pa.array([-(10**12)], pa.timestamp("s"))
    wrong = pa.table({"customer_id": [1], "timestamp": old, "event": ["view"]})
    refused(OutOfRangeError, "outside the years 1 to 9999 at row 0", data=wrong)
    many = pa.table(
        {"customer_id": range(10_001), "timestamp": [at(1)] * 10_001, "event": ["view"] * 10_001, "by": range(10_001)}
    )
    refused(InvalidArgumentError, "column 'by' (by) has more than 10,000 values", data=many, by="by")
