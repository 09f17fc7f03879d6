"""Value classes and demand classes: corners counted by hand, types of money, and errors."""

from __future__ import annotations

from datetime import date
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
    StateMismatchError,
    SumOverflowError,
)

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

DAY = date(2026, 1, 5)


def orders(amounts: list[Any], ids: list[Any] | None = None, **columns: Any) -> pa.Table:
    ids = ids or [f"c{i:02}" for i in range(len(amounts))]
    return pa.table({"customer_id": ids, "timestamp": [DAY] * len(ids), "amount": amounts} | columns)


def base_of(data: pa.Table, **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(**options)
    base.update(data)
    return base


def classes(data: pa.Table, **options: Any) -> str:
    return "".join(custcore.abc(data, **options).to_pyarrow()["value_class"].to_pylist())


def test_the_customer_who_crosses_a_threshold():
    data = orders([70.0, 15.0, 10.0, 5.0])
    assert classes(data) == "AABC"
    assert classes(data, rule="upto") == "ABBC"
    assert classes(data, by="customers") == "ABCC"
    assert classes(data, thresholds=(0.1, 0.2, 0.3, 0.9)) == "ADDE"


def test_a_dominant_customer_leaves_a_empty():
    table = custcore.abc(orders([90.0, 6.0, 4.0]), rule="upto")
    assert table.to_pyarrow()["value_class"].to_pylist() == ["B", "C", "C"]
    assert any("class A is empty" in remark for remark in table.report.remarks)
    assert not custcore.abc(orders([90.0, 6.0, 4.0])).report.remarks


def test_ties_are_split_by_id_or_stay_together():
    data = orders([5.0] * 10, ids=[f"c{i}" for i in reversed(range(10))])
    assert custcore.abc(data).to_pyarrow()["customer_id"].to_pylist() == [f"c{i}" for i in range(10)]
    assert classes(data) == "AAAAAAAABB"
    assert classes(data, ties="same") == "A" * 10


def test_thresholds_are_compared_with_rounded_quotients():
    # 0.1 + 0.2 + ... in floats would pass 0.8 one customer early or late.
    assert classes(orders([0.1] * 10)) == "AAAAAAAABB"
    assert classes(orders([1] * 30), by="customers") == "A" * 6 + "B" * 9 + "C" * 15


def test_no_value():
    table = custcore.abc(orders([0.0, 5.0, -7.0], ids=["a", "b", "b"]))
    assert table.to_pyarrow().to_pylist() == [
        {"customer_id": "a", "monetary_total": 0.0, "rank": 1, "cumulative_share": None, "value_class": "C"},
        {"customer_id": "b", "monetary_total": -2.0, "rank": 2, "cumulative_share": None, "value_class": "C"},
    ]
    assert any("the total value is 0" in remark for remark in table.report.remarks)
    assert (table.report["negative_totals"].count, table.report["negative_totals"].sum) == (1, -2.0)
    assert table.report["buyers_without_money"].count == 1
    base = base_of(orders([0.0]))
    assert base.pareto().to_pyarrow()["value_share"].to_pylist() == [None, None]
    assert set(base.concentration().to_pyarrow()["gini"].to_pylist()) == {None}


def test_no_customers():
    base = base_of(orders([-1.0]), track="days")
    assert base.abc().num_rows == base.xyz().num_rows == 0
    assert base.pareto().to_pyarrow().to_pylist() == [
        {"rank": 0, "customers_share": None, "value_share": None, "value": 0.0}
    ]
    assert base.concentration([0.5]).to_pyarrow()["customers"].to_pylist() == [0]
    assert base.abc_xyz().to_pyarrow()["customers"].to_pylist() == [0] * 9
    assert base.abc().report["refund_only_customers"].count == 1
    empty = base_of(orders([1.0]).slice(1), track="days")
    assert empty.abc().num_rows == empty.xyz().num_rows == 0
    assert empty.abc_xyz().num_rows == 9


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [
        (pa.int64(), [5_000_000_000_000_000_000, 3, 1]),
        (pa.decimal128(20, 2), [Decimal("99999999999999.25"), Decimal("0.50"), Decimal("0.25")]),
        (pa.float32(), [1.5, 0.5, 0.25]),
    ],
)
def test_types_of_money(kind: pa.DataType, amounts: list[Any]):
    data = orders(pa.array(amounts, kind))
    if pa.types.is_integer(kind):
        amounts[0] = 4_000_000_000_000_000_000
        data = orders(pa.array(amounts, kind))
    found = custcore.abc(data).to_pyarrow()
    assert found["monetary_total"].to_pylist() == amounts
    assert found["monetary_total"].type == custcore.rfm(data).to_pyarrow()["monetary_total"].type
    curve = base_of(data).pareto().to_pyarrow()
    assert curve["value"].to_pylist()[-1] == sum(amounts)
    assert curve["value"].type == found["monetary_total"].type


def test_money_beyond_64_bits():
    """The classes of decimals are exact where a float64 is not: 2**70 + 1 against 2**70."""
    kind = pa.decimal128(30, 0)
    big = Decimal(2**70)
    found = custcore.abc(orders(pa.array([big, big + 1, Decimal(-1)], kind), ids=["a", "b", "a"]))
    assert found.to_pyarrow()["customer_id"].to_pylist() == ["b", "a"]
    assert found.to_pyarrow()["cumulative_share"].to_pylist() == [0.5, 1.0]


def test_a_total_that_its_type_does_not_hold():
    with pytest.raises(SumOverflowError, match="does not fit int64"):
        custcore.abc(orders([2**62 - 1] * 3, ids=["a"] * 3))


def test_groups():
    data = orders([10.0, 90.0, 5.0, 1.0], country=["FR", "FR", None, "DE"])
    expected = [("c03", "DE", "A"), ("c01", "FR", "A"), ("c00", "FR", "B"), ("c02", None, "A")]

    def found(table: custcore.Table) -> list[Any]:
        return [(row["customer_id"], row["country"], row["value_class"]) for row in table.to_pyarrow().to_pylist()]

    assert found(custcore.abc(data, group="country")) == expected
    assert found(base_of(data, attributes={"country": "last"}).abc(group="country")) == expected
    assert custcore.abc(data, group="country").column_names[:3] == ["customer_id", "country", "monetary_total"]
    keyed = custcore.abc(data, customer_id=["country", "customer_id"], group="country")
    assert keyed.column_names[:3] == ["country", "customer_id", "monetary_total"]
    assert found(keyed) == expected[:3]  # a key with a null part is null
    dates = orders([1.0, 2.0], since=[date(2025, 1, 1), None])
    assert custcore.abc(dates, group="since").to_pyarrow()["since"].to_pylist() == [date(2025, 1, 1), None]


def test_as_of():
    data = pa.table(
        {"customer_id": ["a", "b", "b"], "timestamp": [DAY, DAY, date(2026, 2, 1)], "amount": [9.0, 1.0, 99.0]}
    )
    by_then = custcore.abc(data, as_of=DAY)
    assert by_then.to_pyarrow()["customer_id"].to_pylist() == ["a", "b"]
    base = base_of(data, track="days")
    assert base.abc(as_of=DAY).to_pyarrow().equals(by_then.to_pyarrow())
    assert base.concentration([0.5], as_of=DAY).to_pyarrow()["value_share"].to_pylist() == [0.9]
    with pytest.raises(StateMismatchError):
        base_of(data).abc(as_of=DAY)


def test_demand_by_hand():
    days = [
        date(2026, 1, 31),
        date(2026, 2, 1),
        date(2026, 3, 5),
        date(2026, 4, 9),
        date(2026, 2, 10),
        date(2026, 4, 1),
    ]
    ids = ["a", "a", "a", "a", "b", "c"]
    base = base_of(
        pa.table({"customer_id": ids, "timestamp": days, "amount": [1.0, 3.0, 2.0, 9.0, 4.0, 7.0]}), track="days"
    )
    found = base.xyz()
    a, b, c = found.to_pyarrow().to_pylist()
    assert (a["n_periods"], a["period_mean"], a["demand_class"]) == (3, 2.0, "X")
    assert a["cv"] == pytest.approx((2 / 3) ** 0.5 / 2)
    assert b == {"customer_id": "b", "n_periods": 2, "period_mean": 2.0, "cv": None, "demand_class": None}
    assert c == {"customer_id": "c", "n_periods": 0, "period_mean": None, "cv": None, "demand_class": None}
    entry = found.report["incomplete_period"]
    assert (entry.kind, entry.count, entry.sum) == ("left_out", 2, 16.0)
    assert base.xyz(min_periods=2).to_pyarrow()["demand_class"].to_pylist() == ["X", "Y", None]
    assert base.xyz(as_of="2026-04-30").to_pyarrow()["n_periods"].to_pylist() == [4, 3, 1]
    cells = base.abc_xyz(min_periods=2)
    assert cells.to_pyarrow()["revenue"].to_pylist() == [15.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]
    assert cells.report["no_demand_class"].sum == 7.0
    assert cells.to_pyarrow()["customers_share"].to_pylist()[:5] == [0.5, 0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "revenue"}, InvalidArgumentError, "expected one of 'value', 'customers'"),
        ({"thresholds": [0.9, 0.8]}, InvalidArgumentError, "must ascend, but 0.8 comes after 0.9"),
        ({"thresholds": [80, 95]}, InvalidArgumentError, "thresholds has 80; expected shares between 0 and 1"),
        ({"thresholds": [float("nan")]}, InvalidArgumentError, "expected shares"),
        ({"thresholds": []}, InvalidArgumentError, "has 0 values"),
        ({"thresholds": 0.8}, InvalidTypeError, "thresholds=0.8 is float; expected numbers"),
        ({"thresholds": ["0.8"]}, InvalidTypeError, "thresholds has '0.8'"),
        ({"rule": 1}, InvalidTypeError, "rule=1 is int"),
        ({"ties": "none"}, InvalidArgumentError, "ties='none'"),
        ({"group": 3}, InvalidTypeError, "group=3"),
        ({"group": "customer_id"}, InvalidArgumentError, "every customer would be a group of one"),
        ({"group": "customer_id", "customer_id": ["customer_id"]}, InvalidArgumentError, "a group of one"),
        ({"group": "region"}, ColumnNotFoundError, "region"),
        ({"amount": None}, InvalidTypeError, "amount=None"),
        ({"group": "rank"}, DuplicateColumnError, "rank"),
    ],
)
def test_errors(options: dict[str, Any], error: type[Exception], message: str):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        custcore.abc(orders([1.0], rank=["x"]), **options)


def test_errors_of_a_base():
    base = base_of(orders([1.0]))
    with pytest.raises(StateMismatchError, match="group='country' is neither an attribute"):
        base.abc(group="country")
    with pytest.raises(InvalidArgumentError, match="a group of one"):
        base.abc(group="customer_id")
    with pytest.raises(StateMismatchError, match="track='days'"):
        base.xyz()
    with pytest.raises(StateMismatchError, match="track='days'"):
        base.abc_xyz()
    with pytest.raises(StateMismatchError, match="amount=None"):
        base_of(orders([1.0]), amount=None).concentration()
    with pytest.raises(InvalidArgumentError, match="points=0"):
        base.pareto(0)
    with pytest.raises(InvalidArgumentError, match="top has 20"):
        base.concentration([20])
    days = base_of(orders([1.0]), track="days")
    for options, message in (
        ({"thresholds": (1.0, 0.5)}, "two ascending numbers"),
        ({"thresholds": (0.5,)}, "has 1 values; expected two"),
        ({"min_periods": 0}, "min_periods=0"),
        ({"period": "moth"}, "period='moth'"),
        ({"week_start": "mondy"}, "week_start='mondy'"),
        ({"fiscal_year_start": 13}, "fiscal_year_start=13"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            days.xyz(**options)
    with pytest.raises(InvalidArgumentError, match="demand_thresholds has 3 values"):
        days.abc_xyz(demand_thresholds=(1, 2, 3))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pl.LazyFrame])
def test_frames(frame: Any):
    import custcore.pandas
    import custcore.polars

    columns = {"who": ["a", "b", "c"], "timestamp": [DAY] * 3, "amount": [80.0, 15.0, 5.0], "value": ["x", "x", "y"]}
    module = custcore.pandas if frame is pd.DataFrame else custcore.polars
    found = frame(columns).custcore.abc(customer_id="who", group="value")
    assert found.equals(module.abc(frame(columns), customer_id="who", group="value"))
    assert list(found["value_class"]) == ["A", "B", "A"]
    assert list(found["value"]) == ["x", "x", "y"]
    if frame is pd.DataFrame:
        assert found["value_class"].dtype == "category"
        assert found.custcore.report.n_rows == 3
        assert frame(columns).custcore.abc(customer_id="who", set_index=True).index.name == "who"
    else:
        _, report = frame(columns).custcore.abc(customer_id="who", return_report=True)
        assert report.n_rows == 3
