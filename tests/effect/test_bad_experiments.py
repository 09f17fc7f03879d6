"""Experiments that are not as they should be: counted, or refused with the way out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore import errors
from custcore.experiments import Mean, Proportion, Ratio

START = dt.date(2026, 3, 1)
DAYS: dict[str, Any] = {"start": START, "days_after": 10}


def base(last: int = 30) -> custcore.CustomerBase:
    made = custcore.CustomerBase(track="days")
    ids = [i % 8 for i in range(64)] + [99]
    days = [START + dt.timedelta((i * 5) % 40 - 20) for i in range(64)] + [START + dt.timedelta(last)]
    made.update(pa.table({"customer_id": ids, "timestamp": days, "amount": [float(i) for i in range(65)]}))
    return made


def groups(**columns: Any) -> pa.Table:
    return pa.table({"customer_id": list(range(8)), "group": ["control", "mail"] * 4} | columns)


def counted(result: Any) -> dict[str, int]:
    return {entry.name: entry.count for entry in result.report if entry.count}


def test_rows_are_left_out_under_the_first_reason() -> None:
    rows = pa.table(
        {
            "customer_id": pa.array([None, 0, 1, 2, 2, 3, 3, 3, 4, 5, 6, 7]),
            "group": ["mail", None, "mail", "mail", "control", *["mail"] * 3, "control", "control", "control", "mail"],
            "exposed_on": [
                START,
                None,
                None,
                START,
                START,
                START + dt.timedelta(3),
                START,
                START,
                START,
                START,
                START + dt.timedelta(22),
                START,
            ],
        }
    )
    result = base().effect(rows, days_after=10, metrics=["orders"])
    assert counted(result) == {
        "null_id": 1,
        "null_group": 1,
        "null_date": 1,
        "in_several_groups": 1,
        "repeated_row": 2,
        "window_not_over": 1,
    }
    made = base().experiment_table(rows, days_after=10)
    assert made["customer_id"].to_pylist() == [3, 4, 5, 7]
    assert made["exposed_on"].to_pylist()[0] == START


def test_a_customer_in_two_groups_is_an_error_on_request() -> None:
    rows = pa.table({"customer_id": [1, 1, 2], "group": ["mail", "control", "control"]})
    with pytest.raises(
        errors.InvalidArgumentError, match=r"customer customer_id=1 is in the groups 'mail' and 'control', at row 1"
    ):
        base().effect(rows, **DAYS, on_conflict="error")


def test_windows_that_are_not_over() -> None:
    with pytest.raises(
        errors.NotEnoughDataError, match=r"8 customers whose window is not over\. The data end on 2026-03-05"
    ):
        base().effect(groups(), **DAYS, as_of="2026-03-05")


def test_an_unknown_control_group() -> None:
    with pytest.raises(errors.InvalidArgumentError, match="control='none' is not among the groups control, mail"):
        base().effect(groups(), **DAYS, control="none")
    with pytest.raises(errors.InvalidArgumentError, match=r"there is none named 'control' among a, b\. Pass control="):
        base().effect(groups(group=["a", "b"] * 4), **DAYS)
    with pytest.raises(errors.InvalidArgumentError, match="has 1 groups with customers: control"):
        base().effect(groups(group=["control"] * 8), **DAYS)


def test_one_customer_in_a_group_has_no_estimate() -> None:
    result = base().effect(groups(group=["mail"] + ["control"] * 7), **DAYS, adjust=None)
    for row in result.table():
        assert (row["n_treatment"], row["n_control"]) == (1, 7)
        assert row["effect"] is row["low"] is row["p_value"] is row["p_adjusted"] is None
    assert "no estimate: 1 and 7 customers" in repr(result)


def test_without_variance_the_interval_is_the_effect() -> None:
    rows = pa.table(
        {"group": ["control"] * 3 + ["mail"] * 3, "value": [1.0] * 3 + [2.0] * 3, "other": [1.0, 2.0, 3.0] * 2}
    )
    first, second = custcore.effect_of(rows, [Mean("value"), Mean("other")]).table()
    assert (first["effect"], first["se"], first["low"], first["high"]) == (1.0, 0.0, 1.0, 1.0)
    assert first["p_value"] is first["p_adjusted"] is None
    # It is in no family: the other is tested alone.
    assert second["p_adjusted"] == second["p_value"] == 1.0


def test_a_denominator_of_0_is_null() -> None:
    rows = pa.table({"group": ["control", "mail"] * 3, "a": [1.0, 2, 3, 4, 5, 6], "b": [1.0, 0, 2, 0, 3, 0]})
    (row,) = custcore.effect_of(rows, [Ratio("a", "b")]).table()
    assert row["metric"] == "a/b"
    assert row["effect"] is row["treatment"] is row["p_value"] is None


def test_empty_and_small_strata_are_joined() -> None:
    rows = pa.table(
        {
            "group": ["control", "mail"] * 20 + ["control"] * 3 + ["mail"],
            "value": [float(i % 7) for i in range(44)],
            "stratum": ["a", "a", "b", "b"] * 10 + ["c", "c", None, "d"],
        }
    )
    result = custcore.effect_of(rows, [Mean("value")], strata="stratum")
    found = {row["stratum"] for row in result.moments}
    assert found == {"a", "b", "c", "d", "(null)"}
    joined = rows.set_column(
        2, "stratum", pa.array([name if name in {"b"} else "a" for name in rows["stratum"].to_pylist()])
    )
    # Those that are short joined the smallest that is not: "a" and "b" have 20 each, and "a" is first by name.
    expected = custcore.effect_of(joined, [Mean("value")], strata="stratum").table()
    assert list(result.table()) == list(expected)


@pytest.mark.parametrize("column", ["spend_after", "x_after"])
def test_columns_from_after_exposure_are_refused(column: str) -> None:
    rows = pa.table({"group": ["control", "mail"] * 3, "value": [1.0, 2, 3, 4, 5, 6], column: [1.0, 2, 3, 4, 5, 6]})
    with pytest.raises(
        errors.InvalidArgumentError, match=f"adjust has '{column}', which by its name is from after exposure"
    ):
        custcore.effect_of(rows, [Mean("value")], adjust=[column])


def test_missing_values() -> None:
    rows = pa.table({"group": ["control", "mail"] * 3, "value": [1.0, 2, None, 4, float("nan"), 6]})
    with pytest.raises(errors.NullValueError, match="column 'value' of metric 'value' is null at row 2"):
        custcore.effect_of(rows, [Mean("value")])
    (dropped,) = custcore.effect_of(rows, [Mean("value")], on_missing="drop").table()
    assert (dropped["n_control"], dropped["n_treatment"], dropped["control"]) == (1, 3, None)
    (zero,) = custcore.effect_of(rows, [Mean("value")], on_missing="zero").table()
    assert (zero["n_control"], zero["control"], zero["treatment"]) == (3, pytest.approx(1 / 3), 4.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"days_after": 0}, "days_after=0; expected whole days, 1 to"),
        ({"days_after": 5, "lag": -1}, "lag=-1; expected whole days"),
        ({"days_after": 5, "days_before": 10**9}, "days_before=1000000000; expected whole days"),
        ({"days_after": 5, "level": 1.0}, "level=1; expected a coverage"),
        ({"days_after": 5, "winsorize": 0.2}, "winsorize=0.2; expected a quantile above 0.5"),
        ({"days_after": 5, "winsorize": {"spend": 3.0}}, "winsorize has 'spend', which is not among the metrics"),
        ({"days_after": 5, "winsorize": {"active": 3.0}}, "winsorize has 'active', which is no mean"),
        ({"days_after": 5, "primary": "spend"}, "primary='spend' is not among the metrics"),
        ({"days_after": 5, "metrics": ["spend"]}, "metrics has 'spend'; expected one of orders, revenue"),
        ({"days_after": 5, "metrics": []}, "metrics is empty"),
        ({"days_after": 5, "metrics": ["orders", "orders"]}, "metrics has 'orders' twice"),
        ({"days_after": 5, "every": 9}, "every=9 days; expected 1 to days_after=5"),
        ({"days_after": 5, "every": "monthly"}, "every='monthly'; expected days"),
        ({"days_after": 5, "sequential": 0}, "sequential=0; expected the number of customers"),
        ({"days_after": 5, "sequential": 9, "alternative": "less"}, "sequential intervals are two-sided"),
        ({"days_after": 5, "shares": {"control": 0.5}}, "shares has the groups control; expected control, mail"),
        ({"days_after": 5, "shares": {"control": 0.5, "mail": 0.0}}, "shares has 0 for 'mail'"),
        ({"days_after": 5, "cost": {"per_mail": 1.0}}, "cost has 'per_mail'; expected 'fixed'"),
    ],
)
def test_arguments_out_of_range(given: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=message):
        base().effect(groups(), start=START, **given).checks()


def test_wrong_types() -> None:
    with pytest.raises(errors.InvalidTypeError, match="metrics is int"):
        base().effect(groups(), **DAYS, metrics=3)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidTypeError, match=r"metrics\[1\] is float"):
        base().effect(groups(), **DAYS, metrics=["orders", 1.5])  # type: ignore[list-item]
    with pytest.raises(errors.InvalidTypeError, match="scorer is str"):
        base().effect(groups(), **DAYS, by="segment", scorer="rf10")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidTypeError, match=r"experiment: column 'customer_id'.*as the ids of the customers"):
        base().effect(groups(customer_id=list("abcdefgh")), **DAYS)
    with pytest.raises(errors.ColumnNotFoundError, match="exposed_on"):
        base().effect(groups(), days_after=10)
    with pytest.raises(errors.InvalidTypeError, match="exposed_on"):
        base().effect(groups(exposed_on=["2026-03-01"] * 8), days_after=10)


def test_values_that_are_no_flags() -> None:
    rows = pa.table({"group": ["control", "mail"] * 3, "value": [0, 1, 2, 0, 1, 0]})
    with pytest.raises(errors.InvalidArgumentError, match=r"column 'value' .* is 2 at row 2; expected 0 or 1"):
        custcore.effect_of(rows, [Proportion("value")])
    with pytest.raises(errors.InvalidArgumentError, match="is 2 at row 2; expected 0 or 1"):
        custcore.effect_of(rows, [Mean("value")], received="value")
    with pytest.raises(errors.OutOfRangeError, match="is 10000000000000000 at row 0; expected values up to 1e15"):
        custcore.effect_of(rows.set_column(1, "value", pa.array([10**16] * 6)), [Mean("value")])


def test_what_was_not_asked_for_is_an_error() -> None:
    result = base().effect(groups(), **DAYS, metrics=["orders"])
    with pytest.raises(errors.InvalidArgumentError, match="needs by="):
        result.segments()
    with pytest.raises(errors.InvalidArgumentError, match="needs every="):
        result.periods()
    with pytest.raises(errors.InvalidArgumentError, match="needs received="):
        result.received()
    with pytest.raises(errors.InvalidArgumentError, match="roi needs margin= and cost="):
        result.roi()
    with pytest.raises(errors.InvalidArgumentError, match="roi needs the effect on 'revenue'"):
        result.roi(0.3, 100)
    with pytest.raises(errors.InvalidArgumentError, match="margin=0; expected"):
        base().effect(groups(), **DAYS).roi(0.0, 100)


def test_a_cost_of_0_has_no_return() -> None:
    (row,) = base().effect(groups(), **DAYS).roi(0.3, 0.0)
    assert row["increment"] is not None
    assert row["roi"] is row["revenue_per_cost"] is row["break_even_effect"] is row["p_positive"] is None


def test_results_of_other_settings_do_not_add_up() -> None:
    one = base().effect(groups(), **DAYS)
    with pytest.raises(errors.StateMismatchError, match="differ in their settings"):
        one.merge(base().effect(groups(), **DAYS, adjust=None))
    first, second = (
        base().effect(groups().slice(rows.start, 4), **DAYS, winsorize=0.9) for rows in (slice(0, 4), slice(4, 8))
    )
    with pytest.raises(errors.StateMismatchError, match="the caps of winsorize"):
        first.merge(second)
    with pytest.raises(errors.InvalidTypeError, match="other is int"):
        one.merge(3)  # type: ignore[arg-type]


def test_a_base_of_totals_has_no_windows() -> None:
    totals = custcore.CustomerBase()
    totals.update(pa.table({"customer_id": [1], "timestamp": [START], "amount": [1.0]}))
    with pytest.raises(errors.StateMismatchError, match="'totals'"):
        totals.effect(groups(), days_after=1, start=START)
    with pytest.raises(errors.NotEnoughDataError, match="the base was never updated"):
        custcore.CustomerBase(track="days").effect(groups(), **DAYS)


def test_without_amounts() -> None:
    made = custcore.CustomerBase(amount=None, track="days")
    made.update(pa.table({"customer_id": [0, 1, 2, 3], "timestamp": [START + dt.timedelta(i * 9) for i in range(4)]}))
    result = made.effect(groups(), **DAYS, as_of=START + dt.timedelta(27))
    assert [row["metric"] for row in result.table()] == ["orders", "active"]
    with pytest.raises(errors.ColumnNotFoundError, match="revenue_after"):
        made.effect(groups(), **DAYS, as_of=START + dt.timedelta(27), metrics=["revenue"])


def test_checks_count_overlap_and_windows_before_the_data() -> None:
    other = pa.table({"customer_id": [1, 2, 77]})
    checks = {row["check"]: row for row in base().effect(groups(), **DAYS, days_before=30, others=[other]).checks()}
    assert (checks["overlap"]["value"], checks["overlap"]["flagged"]) == (0.25, True)
    assert (checks["cut_off"]["value"], checks["cut_off"]["flagged"]) == (8.0, True)
    flagged = [row["flagged"] for row in base().effect(groups(), **DAYS, days_before=30, others=[other]).checks()]
    assert flagged == sorted(flagged, reverse=True)
