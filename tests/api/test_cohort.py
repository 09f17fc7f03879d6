"""``custcore.cohort_retention``: published cases, windows and their edges, the options, the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.cohort_cases import (
    CRITERIA,
    GAP,
    POSTHOG,
    POSTHOG_ROWS,
    POSTHOG_ZONES,
    WINDOW,
    buys,
    counts,
    events_table,
    retained,
    rows,
)
from tests.reference.cohort_orders import ROW, Event

UTC_SECONDS = pa.timestamp("s", "UTC")
BY_DAY = {"observation_start": "2020-06-10", "observation_end": "2020-06-21", "n_periods": 11}


# Published


@pytest.mark.parametrize("ask", [{"preset": "posthog"}, {"period": "day", "cohort_by": "recurring"}])
def test_posthog(ask: dict[str, Any]) -> None:
    result = custcore.cohort_retention(events_table(POSTHOG, time=UTC_SECONDS), **BY_DAY, **ask)
    assert counts(result) == POSTHOG_ROWS["customers"]
    assert rows(result.matrix())[4]["0"] is None  # nobody to come back: no rate
    assert rows(result.matrix("is_observed"))[10]["1"] is False


@pytest.mark.parametrize("zone", ["UTC", "US/Pacific"])
def test_posthog_zones(zone: str) -> None:
    table = events_table(POSTHOG_ZONES["events"], time=UTC_SECONDS)
    result = custcore.cohort_retention(table, preset="posthog", timezone=zone, **BY_DAY)
    for number, row in enumerate(counts(result)):
        expected = POSTHOG_ZONES[zone].get(number, [])
        assert [n or 0 for n in row] == expected + [0] * (11 - len(expected))
        assert row.count(None) == number


def test_gap() -> None:
    """Filling unobserved cells with 0, or taking 0 for "not yet", is wrong here."""
    result = retained(GAP)
    assert counts(result) == [[2, 0, 1], [1, 1, None], [0, None, None]]
    assert counts(result, "is_complete") == [[True, True, False], [True, False, None], [False, None, None]]
    assert [row["rate"] for row in rows(result.average())] == [1.0, 0.0, None]


# Periods


def test_iso_week_53_and_the_turn_of_the_year() -> None:
    days = ("2020-12-27", "2020-12-28", "2021-01-03", "2021-01-04")
    for start, cohort, row in (("monday", "2020-12-21", [1, 1, 1]), ("sunday", "2020-12-27", [1, 1])):
        result = retained(
            buys(*days), period="week", week_start=start, as_of="2021-01-10" if start == "monday" else "2021-01-09"
        )
        assert rows(result.matrix())[0]["cohort"] == date.fromisoformat(cohort)
        assert counts(result)[0] == row
        assert counts(result, "is_complete")[0] == [True] * len(row)


@pytest.mark.parametrize("week_start", ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
def test_every_first_day_of_the_week(week_start: str) -> None:
    result = retained(buys("1969-12-20", "1970-01-05", "1970-01-20"), period="week", week_start=week_start)
    assert rows(result.matrix())[0]["cohort"].strftime("%A").lower() == week_start


def test_the_end_of_january_by_calendar_and_by_thirty_days() -> None:
    """31 January to 29 February is one month and 29 days; to 1 March it is two months and 30 days."""
    for day, month, window in (("2024-02-29", 1, 0), ("2024-03-01", 2, 1)):
        by_month = retained(buys("2024-01-31", day))
        assert counts(by_month)[0][month] == 1
        elapsed = retained(
            buys("2024-01-31", day), period="30d", period_mode="elapsed", n_periods=2, as_of="2024-04-01"
        )
        assert counts(elapsed, "orders")[-3][:2] == ([2, 0] if window == 0 else [1, 1])


def test_new_york_has_a_day_of_25_hours() -> None:
    """3 November 2024 lasts from 04:00 to 05:00 UTC of the next day."""
    first = datetime(2024, 11, 3, 4, tzinfo=UTC)
    events = [
        Event("a", first),
        Event("a", first + timedelta(hours=24, minutes=59)),
        Event("b", first),
        Event("b", first + timedelta(hours=25)),
        Event("c", first - timedelta(seconds=1)),
    ]
    result = retained(events, time=UTC_SECONDS, timezone="America/New_York", period="day")
    assert counts(result) == [[1, 0, 0], [2, 1, None], [0, None, None]]
    assert rows(result.matrix())[0]["cohort"] == date(2024, 11, 2)


def test_fiscal_year() -> None:
    result = retained(buys("2024-03-31", "2024-04-01"), period="year", fiscal_year_start=4)
    assert counts(result) == [[1, 1], [0, None]]
    assert rows(result.to_table())[0]["period_start"] == date(2023, 4, 1)


def test_windows_of_days_count_from_observation_start() -> None:
    events = buys("2024-01-03", "2024-01-09", "2024-01-10")
    assert counts(retained(events, period="7d", observation_start="2024-01-03"))[0] == [1, 1]
    found = rows(retained(events, period="7d").to_table())[0]
    assert (found["cohort"] - date(1970, 1, 1)).days % 7 == 0


def test_more_than_128_periods() -> None:
    days = [date(2020, 1, 1) + timedelta(days=n) for n in (0, 63, 64, 127, 128, 200, 399)]
    events = [Event("a", day) for day in days] + [Event("b", date(2020, 1, 2))]
    table = events_table(events)
    seen = {
        criterion: counts(custcore.cohort_retention(table, period="day", return_criteria=criterion))[0]
        for criterion in ("on", "on_or_after", "on_or_before", "every")
    }
    assert [k for k, n in enumerate(seen["on"]) if n] == [0, 63, 64, 127, 128, 200, 399]
    assert seen["on_or_after"] == [1] * 400
    assert seen["on_or_before"] == [1] + [0] * 62 + [1] * 337
    assert seen["every"] == [1] + [0] * 399


def test_an_empty_cohort_and_an_empty_period_in_the_middle() -> None:
    events = buys("2024-01-05", "2024-05-05") + buys("2024-04-01", customer="b")
    result = retained(events, amount="amount")
    assert counts(result) == [
        [1, 0, 0, 0, 1],
        [0, 0, 0, 0, None],
        [0, 0, 0, None, None],
        [1, 0, None, None, None],
        [0, None, None, None, None],
    ]
    assert counts(result, "rate")[1] == [None] * 5
    assert [row["active"] for row in rows(result.movement())] == [1, 0, 0, 1, 1]


def test_the_first_period_is_cut_off() -> None:
    table = rows(retained(buys("2024-01-02", "2024-02-01") + buys("2024-02-05", customer="b")).to_table())
    assert [row["left_truncated"] for row in table] == [True, True, False, None]
    assert not any(row["left_truncated"] for row in rows(retained(buys("2024-01-01", "2024-02-01")).to_table()))
    noon = {"time": pa.timestamp("s"), "observation_start": datetime.fromisoformat("2024-01-01T12:00")}
    events = [Event("a", datetime.fromisoformat("2024-01-05T10:00"))]
    assert rows(retained(events, **noon).to_table())[0]["left_truncated"] is True


# Refunds and money


def test_refunds() -> None:
    """Only refunds: in the report. Before the first purchase: unattributed. Later: off the cell of its own date."""
    events = [
        *buys("2024-01-10", amount=100.0),
        *buys("2024-01-09", amount=-5.0),
        *buys("2024-01-10", amount=-7.0),
        *buys("2024-02-10", amount=-20.0),
        *buys("2024-01-20", customer="only", amount=-50.0),
    ]
    result = retained(events, amount="amount")
    assert counts(result, "revenue") == [[93.0, -20.0], [0.0, None]]
    assert counts(result)[0] == [1, 0]
    assert rows(result.to_table())[-1]["revenue"] == -5.0
    assert result.report["refund_only_customers"].sum == -50.0
    assert result.report["before_first_purchase"].sum == -5.0
    assert counts(retained(events, amount="amount", returns="count"), "orders") == [[4, 1], [0, None]]
    assert retained(events, amount="amount", returns="exclude").report["excluded_refunds"].sum == -82.0


def test_lines_of_an_order_and_flags_on_one_of_them() -> None:
    events = [
        Event("a", date(2024, 2, 1), -30.0, 1, start=False, returning=None),
        Event("a", date(2024, 1, 5), 40.0, 1, start=True, returning=False),
        Event("a", date(2024, 2, 5), 5.0, 2, start=None, returning=True),
        Event("a", date(2024, 2, 5), 5.0, None, start=False, returning=False),
        Event("b", date(2024, 2, 6), 7.0, 2, start=False, returning=True),
    ]
    options = {"amount": "amount", "order_id": "order_id", "start": "start", "returning": "returning"}
    result = retained(events, **options)
    assert counts(result) == [[1, 1], [0, None]]
    assert counts(result, "orders") == [[0, 1], [0, None]]
    assert counts(result, "revenue") == [[10.0, 10.0], [0.0, None]]
    assert result.report["outside_cohorts"].sum == 7.0
    assert result.report["null_order_id"].count == 1


@pytest.mark.parametrize(
    ("kind", "amounts", "total"),
    [(pa.int64(), [3, 4], 7), (pa.decimal128(9, 2), None, None), (pa.float32(), [0.5, 0.25], 0.75)],
)
def test_money_keeps_its_kind(kind: pa.DataType, amounts: Any, total: Any) -> None:
    days = [date(2024, 1, 1), date(2024, 1, 2)]
    values = pa.array(amounts or ["1.10", "2.20"]).cast(kind)
    table = pa.table({"customer_id": ["a", "a"], "timestamp": days, "amount": values})
    result = custcore.cohort_retention(table, amount="amount")
    assert str(rows(result.to_table())[0]["revenue"]) == str(total or "3.30")
    assert result.schema["revenue"] == {"int64": "int64", "float": "float64"}.get(str(kind), "decimal128(38, 2)")


def test_integer_revenue_beyond_its_type() -> None:
    table = pa.table({"customer_id": [1, 2, 3], "timestamp": [date(2024, 1, 1)] * 3, "amount": [2**62 - 1] * 3})
    with pytest.raises(custcore.errors.SumOverflowError, match="2024-01"):
        custcore.cohort_retention(table, amount="amount").to_table()


def test_flows_beyond_64_bits() -> None:
    """Sums of units that no 64 bits hold take another way, to the same exact money."""
    most = Decimal("40000000000000000.00")
    days = [date(2024, 1, 1)] * 3 + [date(2024, 2, 1)] * 2
    amounts = pa.array([most, most, most, most + 1, most - 1], pa.decimal128(38, 2))
    table = pa.table({"customer_id": [1, 2, 3, 1, 2], "timestamp": days, "amount": amounts})
    january, february = rows(custcore.cohort_retention(table, amount="amount").revenue_retention())
    assert january["revenue_end"] == february["revenue_start"] == 3 * most
    assert february["revenue_churned"] == most
    assert (february["revenue_expansion"], february["revenue_contraction"]) == (1, 1)
    assert february["revenue_end"] == 2 * most


# Who is in a cohort


def test_first_and_first_in_window() -> None:
    start = {"observation_start": "2024-01-01", "amount": "amount"}
    first = retained(WINDOW, **start)
    assert counts(first) == [[1, 1], [1, None]]
    assert first.report["outside_cohorts"].sum == 2.0
    within = retained(WINDOW, **start, cohort_by="first_in_window")
    assert counts(within) == [[1, 1], [2, None]]
    assert within.report["before_observation_start"].sum == 1.0
    assert [row["new"] for row in rows(first.movement())] == [1, 1]
    assert [row["new"] for row in rows(within.movement())] == [1, 2]


def test_recurring_cohorts_hold_a_customer_several_times() -> None:
    result = retained(WINDOW, cohort_by="recurring")
    assert counts(result) == [[1, 0, 1], [1, 1, None], [3, None, None]]
    assert [row["cohort"].month for row in rows(result.customers())] == [12, 2, 1, 2, 2]


def test_a_column_makes_cohorts() -> None:
    events = [
        Event("a", date(2024, 1, 5), value="web"),
        Event("a", date(2024, 2, 5), value="shop"),
        Event("b", date(2024, 2, 9), value="web"),
        Event("c", date(2024, 1, 9), value="shop"),
        Event("c", date(2024, 1, 9), value="ads"),
        Event("d", date(2024, 1, 9)),
    ]
    result = retained(events, cohort_by="value", as_of="2024-02-20")
    assert [row["cohort"] for row in rows(result.matrix())] == ["ads", "web"]
    assert counts(result) == [[1, 0], [1, 0]]
    assert counts(result, "customers_open") == [[0, 0], [1, 1]]
    assert result.report["outside_cohorts"].count == 1


def test_split_by_a_column() -> None:
    events = [
        Event("a", date(2024, 1, 5), group="DE"),
        Event("a", date(2024, 2, 5), group="FR"),
        Event("b", date(2024, 2, 9), group="FR"),
        Event("c", date(2024, 1, 9)),
    ]
    result = retained(events, by="group")
    assert result.to_table().column_names[:2] == ["group", "cohort"]
    assert counts(result) == [[1, 1], [0, None], [0, 0], [1, None], [1, 0], [0, None]]
    assert [row["by"] for row in rows(result.to_table()) if row["cohort"] is None] == ["DE", "FR", None]


def test_weekly_cohorts_daily_columns() -> None:
    events = buys("2024-01-01", "2024-01-08") + buys("2024-01-06", "2024-01-08", customer="b")
    result = retained(events, period="day", cohort_period="week", n_periods=8)
    assert counts(result)[0] == [2, 0, 1, 0, 0, 0, 0, 1]
    assert counts(result, "eligible")[0] == [2, 2, 2, 1, 1, 1, 1, 1]
    assert rows(result.to_table())[0]["period_start"] is None


# Who counts


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [3, 1, 2, 1, 1]),
        ({"return_criteria": "on_or_after"}, [3, 3, 3, 2, 1]),
        ({"return_criteria": "on_or_after", "horizon": 2}, [3, 2, 3, 2, 1]),
        ({"return_criteria": "on_or_after", "n_periods": 2}, [3, 3]),
        ({"return_criteria": "on_or_before"}, [3, 1, 2, 3, 3]),
        ({"return_criteria": "every"}, [3, 1, 1, 0, 0]),
        ({"brackets": [1, 3, 7]}, [3, 1, 3, 1]),
        ({"min_occurrences": 2}, [3, 0, 0, 1, 0]),
    ],
)
def test_criteria(options: dict[str, Any], expected: list[int]) -> None:
    assert counts(retained(CRITERIA, period="day", amount="amount", **options))[0] == expected


def test_brackets_are_named_by_their_last_period() -> None:
    result = retained(CRITERIA, period="day", brackets=[1, 3, 7], amount="amount")
    assert result.matrix().column_names[2:] == ["0", "1", "2-3", "4-7"]
    first = rows(result.to_table())[:4]
    assert [row["period_index"] for row in first] == [0, 1, 3, 7]
    assert [row["is_complete"] for row in first] == [True, True, True, False]
    assert (first[2]["period_start"], first[2]["period_end"]) == (date(2024, 1, 3), date(2024, 1, 5))


def test_a_horizon_makes_young_cohorts_wait() -> None:
    result = retained(CRITERIA, period="day", return_criteria="on_or_after", horizon=2)
    assert counts(result, "is_complete")[0] == [True, True, True, True, False]


def test_the_size_of_a_cohort_does_not_wait_for_the_horizon() -> None:
    for mode in ("calendar", "elapsed"):
        result = retained(CRITERIA, period="day", period_mode=mode, return_criteria="on_or_after", horizon=9)
        assert counts(result, "is_complete")[0] == [True, False, False, False, False]
        assert counts(result, "eligible")[0][0] == counts(result)[0][0] == 3
        assert rows(result.average())[0]["rate"] == 1.0


# The end


def test_the_end_is_exclusive_and_the_day_inclusive() -> None:
    events = buys("2024-01-31", "2024-02-29", "2024-03-01", amount=1.0)
    by_end = retained(events, amount="amount", observation_end="2024-03-01")
    by_day = retained(events, amount="amount", as_of=date(2024, 2, 29))
    assert rows(by_end.to_table()) == rows(by_day.to_table())
    assert by_end.report["after_as_of"].sum == 1.0
    assert by_end.report.as_of == date(2024, 2, 29)
    assert counts(by_end, "is_complete") == [[True, True], [True, None]]


def test_ends_in_the_middle_of_a_day() -> None:
    times = [
        datetime(2024, 1, 1, 9, tzinfo=UTC),
        datetime(2024, 1, 2, 9, tzinfo=UTC),
        datetime(2024, 1, 2, 13, tzinfo=UTC),
    ]
    events = [Event("a", when, 1.0) for when in times]
    noon = datetime(2024, 1, 2, 12, tzinfo=UTC)
    result = retained(events, time=UTC_SECONDS, period="day", observation_end=noon, amount="amount")
    assert counts(result, "orders") == [[1, 1], [0, None]]
    assert counts(result, "is_complete") == [[True, False], [False, None]]
    assert result.report["after_as_of"].count == 1
    later = retained(events, time=UTC_SECONDS, period="day", observation_start=noon, amount="amount")
    assert counts(later) == [[0]]
    assert rows(later.to_table())[-1]["revenue"] == 3.0


def test_nothing_in_the_window() -> None:
    result = retained(buys("2024-01-05"), amount="amount", observation_start="2024-02-01")
    assert [(row["cohort"], row["revenue"]) for row in rows(result.to_table())] == [(None, 1.0)]


@pytest.mark.parametrize("events", [[], [Event(None, None)], [Event("a", None, 1.0)], [Event(None, date(2024, 1, 1))]])
def test_no_rows(events: list[Event]) -> None:
    result = retained(events, amount="amount")
    assert result.to_table().num_rows == 0
    assert result.report.as_of is None
    assert "Nothing was observed" in result.definition
    assert "0 cohorts" in repr(result)
    assert "0 cohorts" in result._repr_html_()


def test_an_empty_window_has_empty_cohorts() -> None:
    result = retained([], observation_start="2024-01-05", observation_end="2024-03-01")
    assert counts(result) == [[0, 0], [0, None]]


def test_order_ids_absent_and_present() -> None:
    """Without order ids every row is an order."""
    events = [Event("a", date(2024, 1, 1), 1.0, 5), Event("a", date(2024, 1, 1), 2.0, 5)]
    assert counts(retained(events, order_id="order_id", amount="amount"), "orders") == [[1]]
    assert counts(retained([Event("a", e.when, e.amount, ROW) for e in events], amount="amount"), "orders") == [[2]]
