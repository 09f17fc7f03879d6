"""Arguments of unusual types: zones as objects, missing dates, integers without an end, ids by their own names."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import custcore
from custcore.errors import CustcoreError, InvalidArgumentError, InvalidTypeError, OutOfRangeError

DAY = date(2026, 1, 5)
PLAIN = pa.table({"customer_id": [1, 2, 3], "timestamp": [DAY] * 3, "amount": [1.0, 2.0, 3.0]})
LATE = pa.array([datetime(2026, 1, 5, 20, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC"))
ZONED = PLAIN.set_column(1, "timestamp", LATE)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (zoneinfo.ZoneInfo("Asia/Shanghai"), date(2026, 1, 6)),
        (timezone(timedelta(hours=8)), date(2026, 1, 6)),
        (timezone(timedelta(hours=-3, minutes=-30)), DAY),
        (UTC, DAY),
        ("+08:00", date(2026, 1, 6)),
    ],
)
def test_zones(zone: Any, day: date) -> None:
    assert custcore.rfm(ZONED, timezone=zone).to_pyarrow()["last_date"][0].as_py() == day
    assert custcore.cohort_retention(ZONED, timezone=zone).report.as_of == day
    base = custcore.CustomerBase(timezone=zone)
    base.update(ZONED)
    assert base.last_date == day


@pytest.mark.parametrize("zone", ["UTC+8", "GMT+08:00", "+8", "utc +0800"])
def test_offsets_are_written_in_one_way(zone: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"'\+08:00'"):
        custcore.rfm(ZONED, timezone=zone)


def test_zones_without_a_name() -> None:
    with pytest.raises(InvalidArgumentError, match="minutes"):
        custcore.rfm(ZONED, timezone=timezone(timedelta(seconds=1)))
    with pytest.raises(InvalidTypeError, match="timezone"):
        custcore.rfm(ZONED, timezone=8)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", [pd.NA, pd.NaT, float("nan"), np.datetime64("NaT")])
def test_missing_days(missing: Any) -> None:
    base = custcore.CustomerBase(track="days")
    base.update(PLAIN)
    calls = {
        "as_of": [lambda: custcore.rfm(PLAIN, as_of=missing), lambda: base.rfm(missing)],
        "observation_start": [lambda: custcore.cohort_retention(PLAIN, observation_start=missing)],
    }
    for argument, named in calls.items():
        for call in named:
            with pytest.raises(InvalidArgumentError, match=argument):
                call()


@pytest.mark.parametrize("days", [np.array(["2026-01-05"]), pd.Series([DAY]), [DAY]], ids=["array", "Series", "list"])
def test_several_days_are_no_day(days: Any) -> None:
    with pytest.raises(InvalidTypeError, match="as_of"):
        custcore.rfm(PLAIN, as_of=days)


X = np.arange(20.0).reshape(10, 2)


@pytest.mark.parametrize("huge", [10**30, -(10**30), 10**5000, 2**63], ids=["10**30", "-10**30", "10**5000", "2**63"])
def test_integers_without_an_end(huge: int) -> None:
    cohorts = custcore.cohort_retention(PLAIN)
    calls = {
        "n_threads": [
            lambda: custcore.rfm(PLAIN, n_threads=huge),
            lambda: cohorts_of(n_threads=huge),
            lambda: custcore.KMeans(2, n_threads=huge).fit(X),
            lambda: custcore.Scaler().fit(X, n_threads=huge),
            lambda: custcore.RFMScorer().fit(custcore.rfm(PLAIN), n_threads=huge),
        ],
        "amount_decimals": [lambda: custcore.rfm(PLAIN, amount_decimals=huge)],
        "n_periods": [lambda: cohorts_of(n_periods=huge)],
        "horizon": [lambda: cohorts_of(return_criteria="on_or_after", horizon=huge)],
        "brackets": [lambda: cohorts_of(brackets=[1, huge])],
        "min_occurrences": [lambda: cohorts_of(min_occurrences=huge)],
        "fiscal_year_start": [lambda: cohorts_of(fiscal_year_start=huge)],
        "n_clusters": [lambda: custcore.KMeans(huge).fit(X)],
        "max_iter": [lambda: custcore.KMeans(2, max_iter=-abs(huge))],
        "random_state": [lambda: custcore.KMeans(2, random_state=-abs(huge))],
        "ks": [lambda: custcore.select_k(X, [2, huge])],
        "bins": [lambda: custcore.RFMScorer(huge)],
        "rows": [lambda: cohorts.triangle(rows=-abs(huge))],
        "columns": [lambda: cohorts.triangle(columns=-abs(huge))],
    }
    for argument, named in calls.items():
        for call in named:
            with pytest.raises(
                (InvalidArgumentError, OutOfRangeError), match=argument.rstrip("s") if argument == "ks" else argument
            ):
                call()


def cohorts_of(**options: Any) -> custcore.CohortRetention:
    return custcore.cohort_retention(PLAIN, **options)


@pytest.mark.parametrize("memory", [10**30, "100000000TiB", "9" * 500, f"{'9' * 400}GB", -1])
def test_memory_without_an_end(memory: Any) -> None:
    with pytest.raises(OutOfRangeError, match="max_memory"):
        custcore.CustomerBase(max_memory=memory)


@pytest.mark.parametrize("ks", [3, "23", None])
def test_numbers_of_clusters_are_several(ks: Any) -> None:
    with pytest.raises(InvalidTypeError, match="ks"):
        custcore.select_k(X, ks)
    with pytest.raises(InvalidTypeError, match="ks"):
        custcore.segment_customers(pa.table({"a": X[:, 0], "b": X[:, 1]}), features=["a", "b"], ks=ks)


def test_attributes_are_no_ids() -> None:
    for column in (pa.array([[1], [2], [3]]), pa.array([{"a": 1}] * 3), pa.nulls(3)):
        data = PLAIN.append_column("member", column)
        for call in (
            lambda data=data: custcore.rfm(data, attributes={"member": "first"}),
            lambda data=data: custcore.cohort_retention(data, by="member"),
        ):
            with pytest.raises(InvalidTypeError, match="member") as caught:
                call()
            assert not any(word in str(caught.value) for word in ("two ids", "your ids", "integer ids"))


def test_ids_to_relabel() -> None:
    base = custcore.CustomerBase()
    base.update(PLAIN)
    with pytest.raises(InvalidArgumentError, match="the id 1 is mapped"):
        base.relabel([(1, 2), (1, 3)])
    base.relabel(pd.Series([20, 30], index=[2, 3]))
    assert base.rfm().to_pyarrow()["customer_id"].to_pylist() == [1, 20, 30]
    names = custcore.CustomerBase()
    names.update(PLAIN.set_column(0, "customer_id", pa.array(["a", "b", "c"])))
    with pytest.raises(CustcoreError, match="the id 'a' is mapped"):
        names.relabel([("a", "b"), ("a", "c")])
