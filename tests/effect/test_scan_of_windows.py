"""A scan that keeps only the totals of the windows finds what a base with day records finds, to the bit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

import custcore
from tests.effect.test_experiment_laws import METRICS, START, WINDOW, experiments, groups_of, purchases, table

BY_SEGMENT: dict[str, Any] = {"metrics": METRICS, "by": "segment", "strata": "rfm_cell", "min_stratum": 2}


def tables(result: Any) -> list[list[dict[str, Any]]]:
    asked = [result.table(), result.checks(), result.moments]
    asked += [result.segments()] if result.definition["by"] else []
    asked += [result.periods()] if result.definition["every"] else []
    return [list(found) for found in asked]


def of_days(data: pa.Table, groups: pa.Table, *, read: dict[str, Any] | None = None, **options: Any) -> Any:
    """The effect of a base with day records."""
    base = custcore.CustomerBase(track="days", **(read or {}))
    base.update(data)
    return base.effect(groups, **options)


@settings(max_examples=40, deadline=None)
@given(
    purchases(),
    experiments(),
    st.sampled_from(["net", "exclude", "count"]),
    st.booleans(),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_scan_is_a_base_with_days(
    rows: list[tuple[int, dt.date, float]],
    experiment: list[tuple[int, str, dt.date]],
    returns: Any,
    zero_is_purchase: bool,
    size: int,
    as_text: bool,
) -> None:
    data = table([*rows, (99, START + dt.timedelta(40), 1.0), (98, START - dt.timedelta(30), 2.0)])
    groups = groups_of([(i, group, START) for i, group, _ in experiment])
    if as_text:
        data = data.set_column(0, "customer_id", data["customer_id"].cast(pa.string()))
        groups = groups.set_column(0, "customer_id", groups["customer_id"].cast(pa.string()))
    read = {"returns": returns, "zero_is_purchase": zero_is_purchase}
    expected = tables(of_days(data, groups, read=read, **WINDOW, **BY_SEGMENT))
    assert tables(custcore.effect(data, groups, **WINDOW, **BY_SEGMENT, **read)) == expected
    batches = data.to_reader(max_chunksize=size)
    by_start = custcore.effect(batches, groups.drop(["exposed_on"]), start=START, **WINDOW, **BY_SEGMENT, **read)
    assert tables(by_start) == expected


def many(kind: str, n: int = 400_000) -> tuple[pa.Table, pa.Table]:
    """Purchases of so many customers that rows are partitioned, and an experiment with some who are unknown."""
    random = np.random.default_rng(5)
    customers = random.integers(0, n // 3, n)
    ids: Any = customers
    everybody: Any = np.arange(n // 3 + 500)
    if kind == "scattered":
        ids, everybody = (of * 0x5851F42D4C957F2D % (1 << 61) for of in (ids.astype(object), everybody.astype(object)))
        ids, everybody = ids.astype(np.int64), everybody.astype(np.int64)
    elif kind == "strings":
        ids, everybody = ids.astype(str), everybody.astype(str)
    days = np.datetime64(START) + random.integers(-60, 31, n)
    data = {"customer_id": ids, "timestamp": days, "amount": random.integers(-500, 5000, n) / 100}
    groups = {"customer_id": everybody, "group": np.where(np.arange(len(everybody)) % 3 > 0, "control", "mail")}
    return pa.table(data), pa.table(groups)


@pytest.mark.parametrize("kind", ["dense", "scattered", "strings"])
def test_partitioned_rows(kind: str) -> None:
    data, groups = many(kind)
    options: dict[str, Any] = {"start": START, "days_after": 20, "days_before": 30, "lag": 1, "gap": 2, "by": "segment"}
    expected = tables(of_days(data, groups, **options))
    for threads in (1, 2):
        assert tables(custcore.effect(data, groups, **options, n_threads=threads)) == expected
    assert tables(custcore.effect(data.to_reader(max_chunksize=9_999), groups, **options)) == expected


def test_windows_that_a_scan_cannot_keep() -> None:
    """Periods, several days of exposure, purchase days in the scorer and orders of several lines need day records."""
    data, groups = many("dense", 30_000)
    options: dict[str, Any] = {"start": START, "days_after": 20, "days_before": 30, "by": "segment"}
    counting = custcore.RFMScorer(frequency="days")
    read = {"n_days": True}
    counted = of_days(data, groups, read=read, **options, scorer=counting.fit(custcore.rfm(data, n_days=True)))
    scanned = custcore.effect(data, groups, **options, scorer=counting.fit(custcore.rfm(data, n_days=True)))
    assert tables(scanned) == tables(counted)
    assert tables(custcore.effect(data, groups, **options, every=5)) == tables(
        of_days(data, groups, **options, every=5)
    )
    staggered = groups.append_column("exposed_on", pa.array(np.datetime64(START) + np.arange(len(groups)) % 4))
    del options["start"]
    assert tables(custcore.effect(data, staggered, **options)) == tables(of_days(data, staggered, **options))


def test_zoned_exposure_is_read_in_the_zone_of_the_purchases() -> None:
    data, groups = many("dense", 30_000)
    zoned = data.set_column(1, "timestamp", data["timestamp"].cast(pa.timestamp("s")).cast(pa.timestamp("s", "UTC")))
    late = pa.array([dt.datetime(2026, 2, 28, 23, 30, tzinfo=dt.UTC)] * len(groups), pa.timestamp("s", "UTC"))
    read = {"timezone": "Asia/Shanghai"}
    options: dict[str, Any] = {"days_after": 20, "days_before": 30}
    by_time = groups.append_column("exposed_on", late)
    expected = tables(of_days(zoned, by_time, read=read, **options))
    assert tables(custcore.effect(zoned, by_time, **options, **read)) == expected
    assert tables(custcore.effect(zoned, groups, start=START, **options, **read)) == expected
    assert tables(custcore.effect(zoned, groups, start=late[0].as_py(), **options, **read)) == expected
