"""The oracle of cohorts, against results of pandas and DuckDB, PostHog's published cases, and cases done by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cohort_cases import GAP, POSTHOG, POSTHOG_ROWS, POSTHOG_ZONES, golden_events
from tests.reference.cohort import average, cells, cohort_reference, matrix, wilson
from tests.reference.cohort_orders import Event
from tests.reference.movement import movement, revenue_retention
from tests.reference.periods import Calendar, as_date, as_day
from tests.reference_data import ReferenceData, reference_data

pq = pytest.importorskip("pyarrow.parquet")


@pytest.mark.parametrize(
    ("name", "period"),
    [("cdnow_master_month", "month"), ("apparel_quarter", "quarter"), ("online_retail_month", "month")],
)
def test_golden_cohorts(name: str, period: str) -> None:
    result = cohort_reference(golden_events(name), period=(period, 1))
    found = {(row["cohort"], row["period_index"]): row for row in cells(result) if row["cohort"]}
    golden = pq.read_table(reference_data(name).golden / f"cohort/{name}.parquet").to_pylist()
    for row in golden:
        cell = found.pop((row["cohort_start"], row["offset"]))
        assert all(cell[column] == row[column] for column in ("customers", "orders", "cohort_size"))
        assert cell["revenue"] == pytest.approx(row["revenue"], abs=0.005)
        assert cell["rate"] == pytest.approx(row["retention"], abs=1e-6)
    assert all(row["customers"] == row["orders"] == row["revenue"] == 0 for row in found.values())
    if period != "month":
        return
    flows = movement(result)
    for row, expected in zip(
        flows, pq.read_table(reference_data(name).golden / f"movement/{name}.parquet").to_pylist(), strict=True
    ):
        assert str(row["period_start"])[:7] == expected.pop("month")
        assert {column: row[column] for column in expected} == expected


def test_posthog() -> None:
    result = cohort_reference(POSTHOG, zone=UTC, **POSTHOG_ROWS["options"])
    assert [list(row.values())[2:] for row in matrix(result, "customers")] == POSTHOG_ROWS["customers"]


@pytest.mark.parametrize("zone", ["UTC", "US/Pacific"])
def test_posthog_zones(zone: str) -> None:
    result = cohort_reference(POSTHOG_ZONES["events"], zone=ZoneInfo(zone), **POSTHOG_ROWS["options"])
    rows = [list(row.values())[2:] for row in matrix(result, "customers")]
    for number, row in enumerate(rows):
        expected = POSTHOG_ZONES[zone].get(number, [])
        assert [n or 0 for n in row] == expected + [0] * (11 - len(expected))


def test_gap() -> None:
    found = {
        (row["cohort"].month, row["period_index"]): (row["cohort_size"], row["customers"], row["is_complete"])
        for row in cells(cohort_reference(GAP))
        if row["cohort"]
    }
    assert found == {
        (1, 0): (2, 2, True),
        (1, 1): (2, 0, True),
        (1, 2): (2, 1, False),
        (2, 0): (1, 1, True),
        (2, 1): (1, 1, False),
        (3, 0): (0, 0, False),
    }


def test_weeks_are_those_of_the_calendar() -> None:
    """Against isocalendar: Mondays, week 53, the turn of the year, days before 1970."""
    calendar = Calendar()
    for day in range(as_day(date(1967, 1, 1)), as_day(date(2028, 1, 1))):
        start = as_date(calendar.start(calendar.index(day, ("week", 1)), ("week", 1)))
        assert start.weekday() == 0
        assert start.isocalendar()[:2] == as_date(day).isocalendar()[:2]
    sunday = Calendar(week_start="sunday")
    assert as_date(sunday.start(sunday.index(as_day(date(2021, 1, 2)), ("week", 1)), ("week", 1))) == date(2020, 12, 27)


def test_fiscal_years() -> None:
    calendar = Calendar(fiscal_year_start=4)
    start = {
        kind: calendar.start(calendar.index(as_day(date(2024, 3, 31)), (kind, 1)), (kind, 1))
        for kind in ("quarter", "year")
    }
    assert {kind: as_date(day) for kind, day in start.items()} == {
        "quarter": date(2024, 1, 1),
        "year": date(2023, 4, 1),
    }


def test_wilson() -> None:
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    # Newcombe (1998), table I: 81 of 263 and 15 of 148
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_money_is_all_somewhere() -> None:
    """By hand: a refund before the first purchase, on its day, and in a later month; a purchase beyond the columns."""
    events = [
        Event("a", date(2024, 1, 9), -1.0),
        Event("a", date(2024, 1, 10), 10.0),
        Event("a", date(2024, 1, 10), -2.0),
        Event("a", date(2024, 2, 1), -3.0),
        Event("a", date(2024, 3, 1), 40.0),
        Event("b", date(2024, 1, 10), -500.0),
        Event("c", date(2023, 12, 31), 6000.0),
    ]
    options: dict[str, Any] = {"observation_start": date(2024, 1, 1), "n_periods": 2}
    result = cohort_reference(events, **options)
    table = cells(result)
    assert [(row["cohort"] and row["cohort"].month, row["orders"], row["revenue"]) for row in table] == [
        (1, 1, 8.0),
        (1, 0, -3.0),
        (2, 0, 0.0),
        (2, 0, 0.0),
        (3, 0, 0.0),
        (3, None, None),
        (None, 2, 6039.0),
    ]
    found = {name: (e.count, e.units / 1e6, e.first_row) for name, e in result.report.items() if e.count}
    assert found == {
        "refund_only_customers": (1, -500.0, 5),
        "netted_refunds": (4, -506.0, 0),
        "outside_cohorts": (1, 6000.0, 6),
        "before_first_purchase": (1, -1.0, 0),
        "beyond_n_periods": (1, 40.0, 4),
    }


def test_revenue_retention_by_hand() -> None:
    months = {"a": [100, 60, 0, 50], "b": [100, 130, 0, 0], "c": [0, 20, 20, -5]}
    events = [
        Event(customer, date(2024, month, 3), float(amount))
        for customer, amounts in months.items()
        for month, amount in enumerate(amounts, 1)
        if amount
    ]
    rows = revenue_retention(cohort_reference(events, as_of=date(2024, 4, 30)))
    flows = [
        [row[f"revenue_{f}"] for f in ("start", "churned", "contraction", "expansion", "reactivated", "new", "end")]
        for row in rows
    ]
    assert flows == [
        [0, 0, 0, 0, 0, 200, 200],
        [200, 0, 40, 30, 0, 20, 210],
        [210, 190, 0, 0, 0, 0, 20],
        [20, 20, 0, 0, 50, 0, 50],
    ]
    assert [(row["grr"], row["nrr"]) for row in rows] == [(None, None), (0.8, 0.95), (20 / 210, 20 / 210), (0, 0)]
    again = revenue_retention(cohort_reference(events, as_of=date(2024, 4, 30)), reactivation=True)
    assert again[3]["nrr"] == 2.5


def test_elapsed_windows_end_for_each_customer() -> None:
    """Three customers of one month, in windows of 30 days: one ended, one open and back, one not begun."""
    first = [date(2024, 1, 1), date(2024, 1, 20), date(2024, 1, 31)]
    events = [Event(name, day) for name, day in zip("abc", first, strict=True)]
    events.append(Event("b", first[1] + timedelta(days=31)))
    result = cohort_reference(
        events,
        amount=False,
        period=("days", 30),
        cohort_period=("month", 1),
        period_mode="elapsed",
        as_of=date(2024, 2, 29),
    )
    rows = [r for r in cells(result) if r["cohort"] == date(2024, 1, 1)]
    assert [(r["eligible"], r["customers"], r["customers_open"], r["is_complete"]) for r in rows] == [
        (3, 3, 0, True),
        (1, 0, 1, False),
    ]
    assert [(r["cohorts"], r["eligible"], r["rate"]) for r in average(result, "pooled")] == [(1, 3, 1.0), (0, 0, None)]


def test_a_time_in_the_middle_of_a_window() -> None:
    events = [
        Event("a", datetime.fromisoformat("2024-01-01T09:00")),
        Event("a", datetime.fromisoformat("2024-01-02T13:00")),
    ]
    noon = datetime.fromisoformat("2024-01-02T12:00")
    rows = cells(cohort_reference(events, amount=False, period=("day", 1), observation_end=noon))
    assert [(r["customers"], r["is_complete"]) for r in rows[:2]] == [(1, True), (0, False)]


def test_elapsed_windows_against_pandas(cdnow: ReferenceData) -> None:
    """Monthly cohorts in windows of 28 days, by a groupby: eligible, back, back in an open window, orders, money."""
    pd = pytest.importorskip("pandas")
    table = pq.read_table(cdnow.data / "cdnow/cdnow_sample.parquet")
    frame = pd.DataFrame({name: table[name].to_pylist() for name in ("customer_id", "date", "spend")})
    day = pd.to_datetime(frame["date"])
    first = day.groupby(frame["customer_id"]).transform("min")
    frame["cohort"], frame["k"] = first.dt.strftime("%Y-%m"), (day - first).dt.days // 28
    end = pd.Timestamp("1998-07-01")
    age = frame.assign(first=first).drop_duplicates("customer_id").set_index("customer_id")
    ended = (end - age["first"]).dt.days // 28  # windows that are over, by customer
    frame["is_open"] = frame["k"] >= frame["customer_id"].map(ended)
    back = frame.drop_duplicates(["customer_id", "k"]).groupby(["cohort", "k"])["is_open"].agg(["size", "sum"])
    money = frame.groupby(["cohort", "k"])["spend"].agg(["size", "sum"])

    events = [Event(*row) for row in zip(*(frame[n] for n in ("customer_id", "date", "spend")), strict=True)]
    result = cohort_reference(events, period=("days", 28), cohort_period=("month", 1), period_mode="elapsed")
    seen = 0
    for row in cells(result):
        if not row["cohort_size"]:
            continue
        key = row["cohort"].strftime("%Y-%m"), row["period_index"]
        of = ended[age["cohort"] == key[0]]
        assert (row["cohort_size"], row["eligible"]) == (len(of), (of > key[1]).sum())
        size, still_open = back.loc[key] if key in back.index else (0, 0)
        assert (row["customers"], row["customers_open"]) == (size - still_open, still_open)
        assert row["is_complete"] == (row["eligible"] == len(of))
        assert row["orders"] == (money.loc[key, "size"] if key in money.index else 0)
        assert row["revenue"] == pytest.approx(money.loc[key, "sum"] if key in money.index else 0)
        seen += row["orders"]
    assert seen == len(frame)
