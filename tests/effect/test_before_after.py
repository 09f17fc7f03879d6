"""Before and after equals the slow reference, whatever rows, batches and threads; later rows change nothing known."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    InvalidArgumentError,
    InvalidTypeError,
    NotEnoughDataError,
    StateMismatchError,
)
from tests.reference.before_after import compare

START = date(2024, 1, 31)
IDS = st.integers(0, 14)
DAYS = st.integers(0, 60).map(lambda n: START + timedelta(days=n))
AMOUNTS = st.sampled_from([0.0, 1.0, 2.5, 9.99, 20.0, -3.0])
ROWS = st.lists(st.tuples(IDS, DAYS, AMOUNTS), min_size=20, max_size=120)
TREATED = st.dictionaries(
    IDS, st.sampled_from([20, 24, 31]).map(lambda n: START + timedelta(days=n)), min_size=1, max_size=6
)
WINDOWS = st.fixed_dictionaries(
    {"days_after": st.integers(1, 20), "days_before": st.integers(1, 20), "lag": st.integers(0, 5)}
)
# The day that the data end on.
LAST = (99, START + timedelta(days=60), 1.0)


def orders(rows: list[Any]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.int64()),
            "timestamp": pa.array([row[1] for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()),
        }
    )


def campaign(treated: dict[int, date]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array(list(treated), pa.int64()),
            "exposed_on": pa.array(list(treated.values()), pa.date32()),
        }
    )


def numbered(rows: list[Any], first: int = 0) -> pa.Table:
    """Each row is an order with an id of its own."""
    return orders(rows).append_column("order", pa.array(range(first, first + len(rows)), pa.int64()))


def base_of(rows: list[Any], track: str = "days", **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(track=track, **options)
    base.update(orders(rows))
    return base


def same(table: custcore.Table, expected: dict[str, Any]) -> None:
    """The rows of a table are those of the reference."""
    for row in table.to_pylist():
        effect, se = expected[row["metric"]][row["method"]]
        for found, wanted in ((row["effect"], effect), (row["se"], se)):
            if wanted is None:
                assert found is None, row
            else:
                assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9), row
        assert row["treated"] == expected["treated"]
        if row["method"] != "naive":
            assert (row["matched"], row["controls"], row["strata"]) == (
                expected["matched"],
                expected["controls"],
                expected["strata"],
            )


@given(ROWS, TREATED, WINDOWS, st.frozensets(IDS, max_size=3))
def test_effects_equal_the_reference(
    rows: list[Any], treated: dict[int, date], windows: dict[str, int], exclude: frozenset[int]
):
    rows = [*rows, LAST]
    result = custcore.before_after(base_of(rows), campaign(treated), **windows, exclude=sorted(exclude))
    own = {"after": windows["days_after"], "before": windows["days_before"], "lag": windows["lag"]}
    same(result.table(), compare(rows, treated, **own, exclude=exclude))
    back = windows["lag"] + windows["days_after"]
    same(result.placebo(), compare(rows, treated, **own, exclude=exclude, back=back))


@given(ROWS, TREATED, WINDOWS, st.randoms(use_true_random=False), st.integers(1, 40), st.sampled_from([1, 3]))
def test_order_batches_and_threads_change_no_bit(
    rows: list[Any], treated: dict[int, date], windows: dict[str, int], random: Any, size: int, threads: int
):
    rows = [*rows, LAST]
    one = custcore.before_after(base_of(rows), campaign(treated), **windows)
    random.shuffle(rows)
    items = list(treated.items())
    random.shuffle(items)
    parts = pa.Table.from_batches(campaign(dict(items)).to_batches(max_chunksize=2))
    base = custcore.CustomerBase(track="orders", order_id="order")
    for start in range(0, len(rows), size):
        base.update(numbered(rows[start : start + size], start))
    other = custcore.before_after(base, parts, **windows, n_threads=threads)
    for name in ("table", "balance", "placebo"):
        a, b = (getattr(result, name)().to_pyarrow() for result in (one, other))
        assert a.equals(b), name
    assert one.placebo_draws(20).to_pyarrow().equals(other.placebo_draws(20, n_threads=threads).to_pyarrow())
    scan = custcore.before_after(orders(rows), parts, **windows)
    assert scan.table().to_pyarrow().equals(one.table().to_pyarrow())


LATER = st.lists(st.tuples(IDS, st.integers(0, 50), AMOUNTS, st.none() | st.integers(0, 19)), max_size=30)


@given(ROWS, TREATED, WINDOWS, LATER, st.sampled_from(["days", "orders"]))
def test_later_rows_change_nothing_known(
    rows: list[Any], treated: dict[int, date], windows: dict[str, int], later: list[Any], track: str
):
    """Rows from the day of treatment on move effects, but neither strata nor what customers were like.

    At level "orders" some of them are lines of earlier orders.
    """
    rows = [*rows, LAST]
    day = max(treated.values())
    treated = dict.fromkeys(treated, day)
    base = custcore.CustomerBase(track=track, order_id="order" if track == "orders" else None)
    base.update(numbered(rows))
    before = custcore.before_after(base, campaign(treated), **windows)
    more, ids = [], []
    for n, (customer, days, amount, earlier) in enumerate(later):
        is_line = track == "orders" and earlier is not None and rows[earlier][1] < day
        more.append((rows[earlier][0] if is_line else customer, day + timedelta(days=days), amount))
        ids.append(earlier if is_line else 1_000 + n)
    base.update(orders(more).append_column("order", pa.array(ids, pa.int64())))
    after = custcore.before_after(base, campaign(treated), **windows, as_of=LAST[1])
    assert after.balance().to_pyarrow().equals(before.balance().to_pyarrow())
    who = ["metric", "method", "treated", "matched", "controls", "effective_controls", "strata"]
    assert after.table().to_pyarrow().select(who).equals(before.table().to_pyarrow().select(who))
    assert after.placebo().to_pyarrow().select(who).equals(before.placebo().to_pyarrow().select(who))
    if track == "days":
        # The placebo ends the day before, so all of it stays.
        assert after.placebo().to_pyarrow().equals(before.placebo().to_pyarrow())


@given(ROWS, TREATED, WINDOWS)
def test_rows_after_the_windows_change_nothing(rows: list[Any], treated: dict[int, date], windows: dict[str, int]):
    rows = [*rows, LAST]
    base = base_of(rows)
    before = custcore.before_after(base, campaign(treated), **windows)
    base.update(orders([(customer, LAST[1] + timedelta(days=1 + customer), 5.0) for customer in range(14)]))
    after = custcore.before_after(base, campaign(treated), **windows)
    for name in ("table", "balance", "placebo"):
        assert getattr(after, name)().to_pyarrow().equals(getattr(before, name)().to_pyarrow())
    assert after.placebo_draws(9).to_pyarrow().equals(before.placebo_draws(9).to_pyarrow())


def lines(parts: list[tuple[int, int, int, float]]) -> pa.Table:
    """Customer, order, days after the start, amount."""
    table = orders([(customer, START + timedelta(days=n), amount) for customer, _, n, amount in parts])
    return table.append_column("order", pa.array([order for _, order, _, _ in parts]))


def test_what_was_known_of_an_order_with_later_lines():
    """Of an order with lines on both sides of the day, only the first were known; the rest is no result either."""
    base = custcore.CustomerBase(track="orders", order_id="order")
    base.update(
        lines(
            [(1, 10, 0, 5.0), (1, 11, 19, 5.0), (1, 11, 21, 100.0), (2, 20, 0, 5.0), (2, 21, 19, 5.0), (3, 30, 40, 1.0)]
        )
    )
    treated = campaign({1: START + timedelta(days=20)})
    row = {row["feature"]: row for row in custcore.before_after(base, treated, days_after=10).balance().to_pylist()}
    assert row["monetary_total"]["treated"] == 10.0
    assert row["revenue_before"]["treated"] == row["revenue_before"]["others"] == 5.0


def test_strata_and_weights_by_hand():
    day = START + timedelta(days=30)
    # Customers 1 and 2 are treated; 3 and 4 are alike 1, nobody is alike 2, who bought twice.
    rows = [(1, START, 10.0), (3, START, 10.0), (4, START, 10.0), (2, START, 10.0), (2, START, 10.0)]
    rows += [(1, day, 30.0), (3, day, 8.0), (4, day + timedelta(days=1), 4.0), (2, day, 500.0), LAST]
    result = custcore.before_after(
        base_of(rows), campaign({1: day, 2: day}), days_after=5, days_before=31, match={"n_orders": None}
    )
    found = {row["method"]: row for row in result.table().to_pylist() if row["metric"] == "revenue"}
    assert (found["after"]["treated"], found["after"]["matched"], found["after"]["controls"]) == (2, 1, 2)
    assert found["after"]["effect"] == 30.0 - 6.0
    assert found["did"]["effect"] == pytest.approx(24.0)
    assert found["after"]["se"] is None
    assert found["naive"]["effect"] == pytest.approx((30.0 - 5 / 31 * 10 + 500.0 - 5 / 31 * 20) / 2)
    assert found["after"]["effective_controls"] == 2.0
    assert result.report["without_control"].count == 1


def test_later_treated_customers_are_controls_until_then():
    day, later = START + timedelta(days=10), START + timedelta(days=30)
    rows = [(1, START, 1.0), (2, START, 1.0), LAST]
    both = campaign({1: day, 2: later})
    found = custcore.before_after(base_of(rows), both, days_after=10)
    assert [row["controls"] for row in found.table().to_pylist()][1:4] == [1, 1, 1]
    in_window = custcore.before_after(base_of(rows), both, days_after=21)
    assert [row["controls"] for row in in_window.table().to_pylist()][1:4] == [0, 0, 0]
    assert "no controls are like the treated" in repr(in_window)
    assert [row["effect"] for row in in_window.table().to_pylist()][1:4] == [None] * 3


def test_a_year_earlier():
    day = date(2024, 3, 1)
    rows = [
        (1, date(2023, 2, 28), 50.0),
        (1, date(2023, 3, 2), 7.0),
        (1, date(2024, 2, 20), 1.0),
        (1, day, 9.0),
        (2, date(2024, 6, 1), 1.0),
    ]
    found = custcore.before_after(
        base_of(rows), campaign({1: day}), days_after=3, days_before=30, baseline="year_before"
    )
    naive = found.table().to_pylist()[0]
    assert (naive["before"], naive["after"], naive["effect"]) == (7.0, 9.0, 2.0)
    assert "a year earlier" in found.definition
    assert not any("a year earlier" in remark for remark in found.report.remarks)
    cut = custcore.before_after(base_of(rows[1:]), campaign({1: day}), days_after=3, baseline="year_before")
    assert "the window a year earlier of 1 treated customers begins before the data" in cut.report.remarks


def test_treated_customers_who_are_left_out():
    day = START + timedelta(days=20)
    treated = pa.table(
        {
            "customer_id": pa.array([1, None, 2, 1, 3, 77], pa.int64()),
            "exposed_on": pa.array([day, day, None, day + timedelta(days=1), LAST[1], day], pa.date32()),
        }
    )
    rows = [(1, START, 5.0), (3, START, 5.0), (4, START, 5.0), LAST]
    result = custcore.before_after(base_of(rows), treated, days_after=10)
    counts = {entry.name: entry.count for entry in result.report}
    assert counts == {
        "null_id": 1,
        "null_date": 1,
        "repeated_row": 1,
        "window_not_over": 1,
        "without_control": 1,
        "not_bought_before": 1,
    }
    # 77 is unknown to the base: treated, with zeros. Customer 3 is treated on a day that is left out: no control.
    row = result.table().to_pylist()[1]
    assert (row["treated"], row["matched"], row["controls"]) == (2, 1, 1)


def test_windows_that_begin_before_the_data():
    rows = [(1, START, 5.0), (2, START, 5.0), LAST]
    result = custcore.before_after(base_of(rows), campaign({1: START + timedelta(days=20)}), days_after=30)
    assert "the window before of 1 treated customers begins before the data" in result.report.remarks


def test_the_check_fails_where_the_treated_were_another_kind_before():
    rng = np.random.default_rng(11)
    day = START + timedelta(days=200)
    rows: list[Any] = []
    for customer in range(600):
        is_treated = customer < 300
        for n in range(0, 400, 10):
            # The treated buy ever more from day 120 on, long before the campaign.
            growth = max(0, n - 120) / 10 if is_treated else 0.0
            rows.append((customer, START + timedelta(days=n), 10 + growth + float(rng.normal())))
    result = custcore.before_after(
        base_of(rows), campaign(dict.fromkeys(range(300), day)), days_after=40, match={"n_orders": None}
    )
    text = " ".join(repr(result).split())
    assert "revenue: the check failed: one window earlier there is an effect, too" in text
    flags = {row["method"]: row["flagged"] for row in result.placebo().to_pylist() if row["metric"] == "revenue"}
    assert flags["did"] is True
    assert flags["naive"] is None


def test_draws_trust_the_interval_where_they_should():
    rng = np.random.default_rng(2)
    rows: list[Any] = [
        (customer, START + timedelta(days=int(n)), round(float(rng.exponential(20)), 2))
        for customer in range(800)
        for n in rng.integers(0, 100, rng.integers(1, 7))
    ]
    rows.append((9_999, START + timedelta(days=100), 1.0))
    treated = campaign(dict.fromkeys(range(0, 800, 4), START + timedelta(days=60)))
    result = custcore.before_after(base_of(rows), treated, days_after=40, match={"n_orders": None})
    draws = {(row["metric"], row["method"]): row for row in result.placebo_draws(600, seed=1).to_pylist()}
    table = {(row["metric"], row["method"]): row for row in result.table().to_pylist()}
    for key, row in draws.items():
        assert 0.02 < row["beyond"] < 0.09, (key, row)
        assert row["beyond_low"] <= row["beyond"] <= row["beyond_high"]
        # Near the p-value of the normal distribution, as the interval can be trusted.
        assert abs(row["p_value"] - table[key]["p_value"]) < 0.09, (key, row["p_value"], table[key]["p_value"])


def test_a_base_on_disk_and_a_saved_one_give_the_same(tmp_path: Path):
    rng = np.random.default_rng(8)
    rows = [
        (int(c), START + timedelta(days=int(n)), float(a))
        for c, n, a in zip(
            rng.integers(0, 3_000, 20_000), rng.integers(0, 90, 20_000), rng.integers(1, 50, 20_000), strict=True
        )
    ]
    treated = campaign({customer: START + timedelta(days=50 + customer % 3) for customer in range(0, 3_000, 7)})
    expected = custcore.before_after(base_of(rows), treated, days_after=20)
    spilled = base_of(rows, max_memory="1MiB", spill_dir=tmp_path)
    found = custcore.before_after(spilled, treated, days_after=20)
    for name in ("table", "balance", "placebo"):
        assert getattr(found, name)().to_pyarrow().equals(getattr(expected, name)().to_pyarrow()), name
    assert found.placebo_draws(5).to_pyarrow().equals(expected.placebo_draws(5).to_pyarrow())


def test_ids_of_other_layouts_and_composite_keys():
    rows = [(1, START, 5.0), (2, START, 5.0), (3, START, 8.0), (2, START + timedelta(days=21), 6.0), LAST]
    day = START + timedelta(days=20)
    plain = custcore.before_after(base_of(rows), campaign({1: day}), days_after=10)
    text = orders(rows).set_column(0, "customer_id", pa.array([f"c{row[0]}" for row in rows]))
    treated = pa.table({"customer_id": pa.array(["c1"]).dictionary_encode(), "exposed_on": [day]})
    assert custcore.before_after(text, treated, days_after=10).table().to_pyarrow().equals(plain.table().to_pyarrow())
    both = orders(rows).append_column("shop", pa.array(["a"] * len(rows)))
    keyed = pa.table({"shop": ["a"], "customer_id": [1], "exposed_on": [day]})
    found = custcore.before_after(both, keyed, days_after=10, customer_id=["shop", "customer_id"], exclude=[("a", 3)])
    assert (
        found.table()
        .to_pyarrow()
        .equals(
            custcore.before_after(base_of(rows), campaign({1: day}), days_after=10, exclude=[3]).table().to_pyarrow()
        )
    )


def test_a_result_of_custcore_names_its_ids():
    rows = [(1, START, 5.0), (2, START, 5.0), LAST]
    base = base_of(rows)
    chosen = base.rfm(as_of=START + timedelta(days=5)).select(["customer_id"])
    found = custcore.before_after(base, chosen, start=START + timedelta(days=20), days_after=10)
    assert found.table()["treated"].to_pylist()[0] == 2


def test_orders_alone():
    rows = [(1, START, 5.0), (2, START, 5.0), (2, START + timedelta(days=21), 6.0), LAST]
    table = orders(rows).drop(["amount"])
    found = custcore.before_after(
        table,
        campaign({1: START + timedelta(days=20)}),
        days_after=10,
        amount=None,
        metrics=["orders", "active", "repeat"],
    )
    assert [row["effect"] for row in found.table().to_pylist() if row["method"] == "did"] == [-1.0, -1.0, 0.0]
    assert "monetary_total" not in found.balance()["feature"].to_pylist()
    with pytest.raises(StateMismatchError, match="there is no amount"):
        custcore.before_after(table, campaign({1: START + timedelta(days=20)}), days_after=10, amount=None)


def test_returns_on_cost_by_hand():
    day = START + timedelta(days=20)
    rows = (
        [(customer, START, 10.0) for customer in range(6)]
        + [(customer, day, 10.0 + customer) for customer in range(6)]
        + [LAST]
    )
    result = custcore.before_after(base_of(rows), campaign(dict.fromkeys([3, 4, 5], day)), days_after=10)
    did = next(row for row in result.table().to_pylist() if row["metric"] == "revenue" and row["method"] == "did")
    assert did["effect"] == 3.0
    row = result.roi(0.5, {"per_contact": 1.0, "per_order": 0.25}).to_pylist()[0]
    assert (row["cost"], row["increment"], row["roi"]) == (3.75, 9.0, pytest.approx((4.5 - 3.75) / 3.75))
    z = (4.5 - 3.75) / (0.5 * did["se"] * 3)
    assert row["p_positive"] == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)))
    free = result.roi(1.0, 0.0).to_pylist()[0]
    assert (free["roi"], free["revenue_per_cost"], free["break_even_effect"], free["p_positive"]) == (None,) * 4


DAY = START + timedelta(days=20)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"days_after": 0}, InvalidArgumentError, "days_after=0; expected whole days, 1 to 36525"),
        ({"lag": -1}, InvalidArgumentError, "lag=-1; expected whole days, 0 to"),
        ({"days_before": 10**12}, InvalidArgumentError, "days_before=.*; expected whole days"),
        ({"days_after": 2.5}, InvalidTypeError, "days_after=2.5 is float"),
        ({"baseline": "then"}, InvalidArgumentError, "baseline='then'"),
        ({"metrics": ["sales"]}, InvalidArgumentError, "metrics='sales' is invalid; expected one of"),
        ({"metrics": []}, InvalidArgumentError, "expected one or more metrics, each once"),
        ({"metrics": ["orders", "orders"]}, InvalidArgumentError, "each once"),
        ({"match": {}}, InvalidArgumentError, "match is empty"),
        ({"match": {"age": None}}, InvalidArgumentError, "match has the column 'age'; expected 'recency_days'"),
        ({"match": {"n_orders": [3, 1]}}, InvalidArgumentError, "the edges of 'n_orders' are .*ascend"),
        ({"match": "usual"}, InvalidTypeError, "match='usual' is str; expected 'default'"),
        ({"match": {"n_orders": 3}}, InvalidTypeError, "the edges of 'n_orders' are 3; expected a list"),
        ({"exposed_on": "day"}, ColumnNotFoundError, "day"),
        ({"exclude": "c1"}, InvalidTypeError, "exclude='c1' is one id"),
        ({"exclude": ["c1"]}, InvalidTypeError, "exclude"),
        ({"amount": "money"}, InvalidArgumentError, "amount= was given, but data is a CustomerBase"),
        (
            {"as_of": "2024-02-01"},
            NotEnoughDataError,
            "1 customers whose window is not over. The data end on 2024-02-01",
        ),
    ],
)
def test_bad_options(options: dict[str, Any], error: type[Exception], words: str):
    base = base_of([(1, START, 5.0), (2, START, 5.0), LAST])
    with pytest.raises(error, match=words):
        custcore.before_after(base, campaign({1: DAY}), **{"days_after": 10, **options})


def test_bad_treated():
    base = base_of([(1, START, 5.0), LAST])
    with pytest.raises(NotEnoughDataError, match="no treated customer is left: no rows"):
        custcore.before_after(base, campaign({}), days_after=5)
    many = campaign({n: START + timedelta(days=n) for n in range(32)})
    with pytest.raises(InvalidArgumentError, match="treated on 32 different days; expected up to 31"):
        custcore.before_after(base, many, days_after=5)
    words = pa.table({"customer_id": ["1"], "exposed_on": [DAY]})
    with pytest.raises(InvalidTypeError, match="Ids of different kinds are never equal"):
        custcore.before_after(base, words, days_after=5)
    texts = pa.table({"customer_id": [1], "exposed_on": ["2024-02-20"]})
    with pytest.raises(InvalidTypeError, match="exposed_on"):
        custcore.before_after(base, texts, days_after=5)
    with pytest.raises(InvalidTypeError):
        custcore.before_after(base, None, days_after=5)  # type: ignore[arg-type]
    totals = base_of([(1, START, 5.0)], track="totals")
    with pytest.raises(StateMismatchError, match="track='days' or track='orders'"):
        custcore.before_after(totals, campaign({1: DAY}), days_after=5)
    with pytest.raises(NotEnoughDataError):
        custcore.before_after(custcore.CustomerBase(track="days"), campaign({1: DAY}), days_after=5)


def test_bad_calls_of_a_result():
    base = base_of([(1, START, 5.0), (2, START, 5.0), LAST])
    result = custcore.before_after(base, campaign({1: DAY}), days_after=10, metrics=["orders"])
    with pytest.raises(InvalidArgumentError, match="n=0; expected 1 to 100000 draws"):
        result.placebo_draws(0)
    with pytest.raises(InvalidArgumentError, match="seed=-1 is negative"):
        result.placebo_draws(5, -1)
    with pytest.raises(InvalidArgumentError, match="roi needs the effect on revenue"):
        result.roi(0.3, 10.0)
    with pytest.raises(InvalidArgumentError, match=r"margin=0\.0; expected the share of revenue"):
        result.roi(0.0, 10.0)
    with pytest.raises(InvalidArgumentError, match="cost has 'each'; expected 'fixed'"):
        result.roi(0.3, {"each": 1.0})
    with pytest.raises(InvalidArgumentError, match=r"cost has per_contact=-1\.0"):
        result.roi(0.3, {"per_contact": -1.0})
