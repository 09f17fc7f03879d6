"""``custcore.measures`` and ``decomposition``: columns, corners, groups, errors."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    NullValueError,
    OutOfRangeError,
    StateMismatchError,
)

COLUMNS = [
    *("period_start", "period_end", "is_complete", "left_truncated", "customers", "active"),
    *("new", "retained", "reactivated", "churned", "orders", "rows", "repeat_customers"),
    *("gross", "refund_orders", "refunds", "revenue"),
    *("average_order_value", "purchase_frequency", "revenue_per_customer"),
    *("repurchase_rate", "retention_rate", "churn_rate", "growth_rate", "quick_ratio"),
]
MONEY = {"gross", "refund_orders", "refunds", "revenue", "average_order_value", "revenue_per_customer"}
MONTHS = [1, 1, 2, 4, 4, 4]


def table(rows: list[tuple[Any, ...]], **columns: Any) -> pa.Table:
    """Rows of (id, (month, day) of 2026, amount)."""
    ids, days, amounts = zip(*rows, strict=True)
    dates = [day if isinstance(day, dt.date) else dt.date(2026, *day) for day in days]
    return pa.table({"customer_id": ids, "timestamp": dates, "amount": amounts} | columns)


def orders() -> pa.Table:
    """January to April: nobody in March; bob comes back; dan only returns something."""
    return table(
        [
            ("ann", (1, 5), 10.0),
            ("bob", (1, 9), 20.0),
            ("ann", (2, 3), 12.0),
            ("bob", (4, 4), 7.0),
            ("bob", (4, 5), -3.0),
            ("dan", (4, 30), -2.0),
        ]
    )


def both(data: pa.Table, **options: Any) -> list[custcore.Table]:
    """The measures of a scan and of a base."""
    base = custcore.CustomerBase(track="days")
    base.update(data)
    return [custcore.measures(data, **options), base.measures(**options)]


def test_columns_and_types():
    for found in both(orders()):
        assert list(found.column_names) == COLUMNS
        schema = found.to_pyarrow().schema
        counts = [*COLUMNS[4:13], "refund_orders"]
        assert {schema.field(name).type for name in counts} == {pa.int64()}
        assert {schema.field(name).type for name in COLUMNS[-8:]} == {pa.float64()}
        assert {schema.field(name).type for name in COLUMNS[:2]} == {pa.date32()}
    without = custcore.measures(orders(), amount=None)
    assert list(without.column_names) == [name for name in COLUMNS if name not in MONEY]
    # Without money nothing is a refund, so dan is a buyer.
    assert without.to_pyarrow()["customers"].to_pylist()[-1] == 3


@pytest.mark.parametrize(
    ("kind", "total"),
    [(pa.int64(), pa.int64()), (pa.decimal128(9, 2), pa.decimal128(38, 2)), (pa.float32(), pa.float64())],
)
def test_money_has_the_type_of_its_sums(kind: pa.DataType, total: pa.DataType):
    data = orders()
    data = data.set_column(2, "amount", data["amount"].cast(kind))
    for found in both(data):
        arrow = found.to_pyarrow()
        assert {arrow.schema.field(name).type for name in ("gross", "refunds", "revenue")} == {total}
        assert [Decimal(value) for value in arrow["revenue"].to_pylist()] == [30, 12, 0, 4]


def test_months_of_nothing_have_rows():
    for found in both(orders()):
        rows = found.to_pyarrow().to_pylist()
        assert [row["period_start"] for row in rows] == [dt.date(2026, month, 1) for month in (1, 2, 3, 4)]
        assert [row["active"] for row in rows] == [2, 1, 0, 1]
        assert [row["customers"] for row in rows] == [2, 2, 2, 2]
        assert [row["reactivated"] for row in rows] == [0, 0, 0, 1]
        assert [row["churned"] for row in rows] == [0, 1, 1, 0]
        march, april = rows[2], rows[3]
        assert [march[name] for name in ("average_order_value", "purchase_frequency", "repurchase_rate")] == [None] * 3
        assert (march["retention_rate"], march["churn_rate"], march["growth_rate"]) == (0.0, 1.0, -1.0)
        # After a month of nobody there is nothing to compare with.
        assert (april["retention_rate"], april["churn_rate"], april["growth_rate"]) == (None, None, None)
        assert (april["gross"], april["refund_orders"], april["refunds"], april["revenue"]) == (7.0, 1, -3.0, 4.0)
        assert found.report["refund_only_customers"].sum == -2.0
        assert [row["left_truncated"] for row in rows] == [True, False, False, False]
        assert all(row["is_complete"] for row in rows)


def test_a_period_is_complete_when_the_last_day_ends_it():
    for last, complete in ((dt.date(2026, 4, 30), True), (dt.date(2026, 4, 29), False)):
        for found in both(orders(), as_of=last):
            assert found.to_pyarrow()["is_complete"].to_pylist() == [True, True, True, complete]
    for found in both(orders(), as_of="2026-06-15"):  # periods go on to the day asked for
        assert found.to_pyarrow()["is_complete"].to_pylist() == [True] * 5 + [False]


def test_all_time_is_one_row():
    for found in both(orders(), period="all"):
        (row,) = found.to_pyarrow().to_pylist()
        assert (row["period_start"], row["period_end"]) == (dt.date(2026, 1, 5), dt.date(2026, 5, 1))
        assert (row["customers"], row["active"], row["orders"], row["revenue"]) == (2, 2, 4, 46.0)
        assert row["repurchase_rate"] == 1.0  # both bought twice
        moves = (
            "new",
            "retained",
            "reactivated",
            "churned",
            "retention_rate",
            "churn_rate",
            "growth_rate",
            "quick_ratio",
        )
        assert [row[name] for name in moves] == [None] * 8


def test_refunds_before_the_first_period_are_reported():
    data = table([("ann", (1, 5), -1.0), ("ann", (2, 3), 10.0), ("ann", (2, 1), -2.0)])
    for found in both(data):
        rows = found.to_pyarrow().to_pylist()
        assert [(row["period_start"].month, row["revenue"]) for row in rows] == [(2, 8.0)]
        entry = found.report["before_first_period"]
        assert (entry.kind, entry.count, entry.sum) == ("left_out", 1, -1.0)


@pytest.mark.parametrize("level", ["days", "orders"])
def test_purchases_and_refunds_of_one_day_stay_apart(level: str):
    data = table([("ann", (1, 5), 10.0), ("ann", (1, 5), -4.0), ("ann", (1, 5), -1.0)], order_id=[1, 2, 2])
    base = custcore.CustomerBase(track=level, order_id="order_id" if level == "orders" else None)
    for row in range(3):  # in three updates
        base.update(data.slice(row, 1))
    again = custcore.CustomerBase.from_bytes(base.to_bytes())
    for found in (base.measures(), again.measures()):
        (row,) = found.to_pyarrow().to_pylist()
        assert (row["gross"], row["refunds"], row["rows"]) == (10.0, -5.0, 1)
        assert row["refund_orders"] == (1 if level == "orders" else 2)
    base = again
    if level == "orders":  # closed orders keep the number of refunds, not of their lines
        base.seal(before=dt.date(2026, 2, 1))
        assert base.measures().to_pyarrow()["refund_orders"].to_pylist() == [1]


def test_an_empty_result_has_all_columns():
    data = orders().slice(0, 0)
    for found in both(data):
        assert (found.num_rows, list(found.column_names)) == (0, COLUMNS)
    (found,) = {custcore.measures(orders(), as_of="2025-01-01").num_rows}
    assert found == 0


def test_an_outlying_date_makes_empty_periods():
    data = table(
        [("ann", dt.date(1, 1, 2), 1.0), ("ann", dt.date(2026, 3, 1), 2.0), ("bob", dt.date(2026, 3, 1), -1.0)]
    )
    for found in both(data, period="day"):
        rows = found.to_pyarrow()
        assert rows.num_rows == 739_675
        assert rows["active"].to_numpy().sum() == 2
        assert (rows["revenue"][0].as_py(), rows["revenue"][-1].as_py()) == (1.0, 2.0)
        assert rows["reactivated"][-1].as_py() == 1


def test_groups_in_a_dictionary_have_its_order():
    by = pa.table({"id": ["bob", "ann"], "segment": pa.array(["old", "new"]).dictionary_encode()})
    for found in both(orders(), by=by):
        rows = found.to_pyarrow()
        assert rows["segment"].to_pylist() == ["old"] * 4 + ["new"] * 4
        assert rows["active"].to_pylist() == [1, 0, 0, 1, 1, 1, 0, 0]
        assert rows.schema.field("segment").type == pa.dictionary(pa.int16(), pa.string())


def test_groups_of_scores_and_of_another_column():
    scored = custcore.rfm_scores(orders(), segments="octants")
    names = set(scored.to_pyarrow()["segment"].to_pylist())
    for found in both(orders(), by=scored):
        assert set(found.to_pyarrow()["segment"].to_pylist()) == names
    by = pa.table({"customer_id": ["ann"], "tier": [3]})
    for found in both(orders(), by=by, segment="tier"):
        assert found.to_pyarrow()["tier"].to_pylist() == ["3"] * 4 + [None] * 4  # bob is in no tier


@pytest.mark.parametrize(
    ("by", "error", "said"),
    [
        ("customer_id", InvalidArgumentError, "the column of customer ids"),
        ("country", ColumnNotFoundError, "country"),
        (pa.table({"id": ["ann", "ann"], "segment": ["a", "b"]}), InvalidArgumentError, "second row, at row 1"),
        (pa.table({"id": ["ann", None], "segment": ["a", "b"]}), NullValueError, "null at row 1"),
        (pa.table({"id": ["ann"], "group": ["a"]}), ColumnNotFoundError, "segment"),
        (pa.table({"id": [7], "segment": ["a"]}), InvalidTypeError, "by: column 'id'"),
        (7, InvalidTypeError, "int"),
    ],
)
def test_wrong_groups(by: Any, error: type[Exception], said: str):
    with pytest.raises(error, match=said):
        custcore.measures(orders(), by=by)


def test_a_group_named_like_a_column_of_the_result():
    data = orders().append_column("active", pa.array(["x"] * 6))
    with pytest.raises(DuplicateColumnError, match="active"):
        custcore.measures(data, by="active")


def test_what_a_base_must_keep():
    base = custcore.CustomerBase(attributes={"country": "last"})
    data = orders().append_column("country", pa.array(["FR"] * 6))
    base.update(data)
    with pytest.raises(StateMismatchError, match="track='days'"):
        base.measures()
    base = custcore.CustomerBase(track="days", attributes={"country": "last"})
    base.update(data)
    for by in ("country", "city"):
        with pytest.raises(StateMismatchError, match="'first'"):
            base.measures(by=by)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"period": "moth"}, InvalidArgumentError, "'7d', or 'all'"),
        ({"week_start": "mo"}, InvalidArgumentError, "monday"),
        ({"fiscal_year_start": 13}, InvalidArgumentError, "1 to 12"),
        ({"n_threads": 0}, OutOfRangeError, "n_threads"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], said: str):
    base = custcore.CustomerBase(track="days")
    base.update(orders())
    for call in (base.measures, lambda **given: custcore.measures(orders(), **given)):
        with pytest.raises(error, match=said):
            call(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"lag": 0}, "lag=0"), ({"period": "all"}, "is one period"), ({"amount": None}, "needs amounts")],
)
def test_wrong_decompositions(options: dict[str, Any], said: str):
    with pytest.raises(InvalidArgumentError, match=said):
        custcore.decomposition(orders(), **options)


def test_effects_of_months_of_nothing_and_of_refunds_only():
    data = pa.concat_tables([orders(), table([("ann", (5, 2), -6.0), ("bob", (6, 2), 0.0), ("ann", (7, 31), 4.0)])])
    found = custcore.decomposition(data, include_partial=True).to_pyarrow().to_pylist()
    rows = [tuple(row.values())[2:] for row in found]
    assert rows[1:] == [
        (-12.0, -12.0, 0.0, 0.0, 0.0),  # March: nobody
        (4.0, 7.0, 0.0, 0.0, -3.0),  # April: bob is back
        (-10.0, -7.0, 0.0, 0.0, -3.0),  # May: refunds only, which have no logarithm
        (6.0, 0.0, 0.0, 0.0, 6.0),  # June: an order of 0 against nobody
        (4.0, 0.0, 0.0, 4.0, 0.0),  # July: against orders worth nothing
    ]
    change, customers, frequency, value, refunds = rows[0]
    assert change == pytest.approx(customers + frequency + value + refunds)
    weight = (12 - 30) / math.log(12 / 30)
    assert customers == pytest.approx(weight * math.log(1 / 2))
    assert value == pytest.approx(weight * math.log(12 / 15))
    assert frequency == 0.0


def test_the_mix_of_groups():
    """As many customers, of whom more are in the dear group: all of it is the mix."""
    rows = [("a", (1, 1), 10.0), ("b", (1, 1), 10.0), ("c", (1, 1), 100.0), ("a", (2, 1), 10.0)]
    rows += [("c", (2, 1), 100.0), ("d", (2, 28), 100.0)]
    by = {"customer_id": ["a", "b", "c", "d"], "segment": ["cheap", "cheap", "dear", "dear"]}
    (row,) = custcore.decomposition(table(rows), by=pa.table(by)).to_pyarrow().to_pylist()
    assert row["change"] == 90.0
    assert row["mix_effect"] == pytest.approx(90.0)
    assert [row[f"{name}_effect"] for name in ("customers", "frequency", "order_value", "refunds")] == [0.0] * 4
    (plain,) = custcore.decomposition(table(rows)).to_pyarrow().to_pylist()
    assert "mix_effect" not in plain
    assert plain["order_value_effect"] == pytest.approx(90.0)


def test_a_lag_of_a_year():
    rows = [("a", dt.date(2024 + i // 12, i % 12 + 1, 28), 10.0 + i) for i in range(30)]
    found = custcore.decomposition(table(rows), lag=12, include_partial=True).to_pyarrow()
    assert found.num_rows == 18
    assert found["change"].to_pylist() == [12.0] * 18
    assert found["from_start"][0].as_py() == dt.date(2024, 1, 1)
    assert custcore.decomposition(table(rows), lag=40).num_rows == 0


def test_partial_periods_are_left_out_and_said():
    data = orders().slice(0, 4)  # ends on April 4
    found = custcore.decomposition(data)
    assert found.num_rows == 2
    assert found.report.remarks[-1] == "1 change left out: a period is not over on the last day"
    assert custcore.decomposition(data, include_partial=True).num_rows == 3


def test_integer_and_decimal_money_have_exact_changes():
    data = orders()
    cents = data.set_column(2, "amount", pa.array([Decimal(1) / 4, *[Decimal("0.10")] * 5], pa.decimal128(5, 2)))
    found = custcore.decomposition(cents, include_partial=True).to_pyarrow()
    assert found.schema.field("change").type == pa.float64()
    assert found["change"].to_pylist()[0] == -0.25


def test_many_rows_in_threads_equal_few():
    import numpy as np

    n = 200_000
    random = np.random.default_rng(5)
    data = {
        "customer_id": random.integers(0, 30_000, n),
        "timestamp": np.datetime64("2024-01-01") + random.integers(0, 700, n),
        "amount": random.integers(-500, 5_000, n) / 100,
        "order_id": random.integers(0, 120_000, n),
    }
    for options in ({}, {"order_id": "order_id"}, {"period": "all"}, {"period": "day", "order_id": "order_id"}):
        tables = [custcore.measures(data, **options, n_threads=threads).to_pyarrow() for threads in (1, 2, 4)]
        assert tables[0].equals(tables[1])
        assert tables[0].equals(tables[2])
        base = custcore.CustomerBase(
            track="orders" if "order_id" in options else "days", order_id=options.get("order_id")
        )
        base.update(data)
        period = options.get("period", "month")
        assert base.measures(period).to_pyarrow().equals(tables[0])
        if period != "day":
            assert tables[0]["gross"].to_numpy().sum() > 0
