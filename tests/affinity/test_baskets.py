"""`custcore.Baskets`: what users see, corners and errors."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    DuplicateBatchError,
    InvalidArgumentError,
    InvalidTypeError,
    MemoryLimitError,
    ModelFormatError,
    NonFiniteError,
    NotEnoughDataError,
    NullValueError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.affinity.basket_cases import table

DAY = dt.date(2026, 1, 5)
# Customer, order, day, item, amount: two orders of bread and butter, one of tea, one that is a refund, one of a guest.
ROWS: list[tuple[Any, ...]] = [
    (1, 1, 0, 1, 100),
    (1, 1, 0, 2, 250),
    (2, 1, 0, 1, 100),
    (2, 1, 1, 2, 250),
    (2, 1, 1, 3, 70),
    (2, 1, 5, 3, -100),
    (3, 1, 1, 4, 0),
    (3, 2, 1, 1, 100),
    (3, 2, 5, 2, -250),
    (None, 9, 5, 1, 100),
    (None, 9, 5, 4, 100),
    (3, None, 5, 4, 250),
    (3, 1, 5, None, 250),
]


def filled(basket: Any = "order", data: Any = None, **options: Any) -> custcore.Baskets:
    given: dict[str, Any] = {"order_id": "order", "amount": "amount", **options}
    baskets = custcore.Baskets("item", basket, **given)
    baskets.update(table(ROWS) if data is None else data)
    return baskets


def refused(call: Callable[[], Any], error: type[CustcoreError], *says: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value), str(caught.value)


def counts(baskets: custcore.Baskets) -> dict[str, int]:
    return {entry.name: entry.count for entry in baskets.report if entry.count}


def test_what_is_left_out_is_counted_with_its_money() -> None:
    baskets = filled()
    assert len(baskets) == 4
    assert counts(baskets) == {
        "null_customer_id": 2,
        "null_item": 1,
        "refunds": 1,
        "returned_items": 1,
        "null_order_id": 1,
    }
    sums = {entry.name: entry.sum for entry in baskets.report if entry.count}
    assert sums == {
        "null_customer_id": 200,
        "null_item": 250,
        "refunds": -150,
        "returned_items": -30,
        "null_order_id": 250,
    }
    assert {entry.name for entry in baskets.report if entry.kind == "note"} >= {"null_order_id", "null_amount"}
    assert baskets.n_rows == baskets.report.n_rows == 13
    assert baskets.report["null_customer_id"].first_row == 9
    pairs = baskets.pairs(1, 1)
    assert list(pairs.select(["item_a", "item_b", "n_ab", "n_baskets"]).rows()) == [(1, 2, 2, 4)]
    assert {entry.name: entry.count for entry in pairs.report if entry.count} == counts(baskets)


def test_orders_without_a_customer() -> None:
    baskets = filled(anonymous=True)
    assert len(baskets) == 5
    assert "null_customer_id" not in [entry.name for entry in baskets.report]
    segments = {"customer_id": [1, 2], "segment": ["x", "y"]}
    found = baskets.pairs(1, 1, by=pa.table(segments))
    assert found.report["no_segment"].count == 3
    assert [(row["segment"], row["item_b"], row["n_ab"]) for row in found] == [
        (None, 2, 2),
        (None, 4, 1),
        ("x", 2, 1),
        ("y", 2, 1),
    ]


def test_large_and_small_baskets() -> None:
    assert len(filled(max_basket=1)) == 2
    large = filled(max_basket=1).report["large_baskets"]
    assert (large.count, large.kind) == (2, "left_out")
    found = filled().pairs(1, 1, min_basket=2)
    assert found["n_baskets"].to_pylist() == [2]
    assert found.report["small_baskets"].count == 2
    assert "small_baskets" not in [entry.name for entry in filled().pairs(1, 1).report]


def test_returns_and_days_and_customers() -> None:
    assert len(filled(returns="count")) == 5
    assert (
        filled(returns="count", amount=None).pairs(1, 1).to_pylist() == filled(returns="count").pairs(1, 1).to_pylist()
    )
    assert filled("day").settings["order_id"] is None
    assert [row["n_ab"] for row in filled("customer").pairs(1, 1)] == [2, 1]
    assert custcore.Baskets("item").settings["basket"] == "day"
    assert custcore.Baskets("item", order_id="order").settings["basket"] == "order"


def test_local_days_make_baskets() -> None:
    times = pa.array([dt.datetime(2026, 1, 5, 23), dt.datetime(2026, 1, 6, 1)], pa.timestamp("us", "UTC"))  # noqa: DTZ001
    data = pa.table({"customer_id": [1, 1], "timestamp": times, "item": ["a", "b"]})
    apart, together = custcore.Baskets("item"), custcore.Baskets("item", timezone="America/New_York")
    apart.update(data)
    together.update(data)
    assert (len(apart), len(together)) == (2, 1)


def test_copies_pickles_and_files(tmp_path: Path) -> None:
    baskets = filled()
    baskets.save(tmp_path / "sold.baskets")
    for again in (
        copy.copy(baskets),
        pickle.loads(pickle.dumps(baskets)),
        custcore.Baskets.load(tmp_path / "sold.baskets"),
    ):
        assert again.to_bytes() == baskets.to_bytes()
        assert again.settings == baskets.settings
        assert repr(again) == repr(baskets)
        again.update(table(ROWS[:1]))
        assert again.n_rows == 14
    assert baskets.n_rows == 13
    assert repr(baskets).startswith("4 baskets by order of 'item' from 13 rows (customer_id='customer_id', ")
    empty = custcore.Baskets(**baskets.settings)
    assert (len(empty), bool(empty), empty.nbytes) == (0, True, 0)
    assert custcore.Baskets.from_bytes(empty.to_bytes()).settings == baskets.settings
    assert baskets.nbytes > 0
    refused(lambda: custcore.Baskets.from_bytes(b"no"), ModelFormatError, "set of baskets")
    refused(lambda: custcore.Baskets.from_bytes("no"), InvalidTypeError, "load(path)")  # type: ignore[arg-type]
    base = custcore.CustomerBase(amount=None).to_bytes()
    refused(lambda: custcore.Baskets.from_bytes(base), ModelFormatError, "set of baskets")
    damaged = bytearray(baskets.to_bytes())
    for place in range(8, len(damaged), 97):
        damaged[place] ^= 1
        with pytest.raises(ModelFormatError):
            custcore.Baskets.from_bytes(bytes(damaged))
        damaged[place] ^= 1


def test_ids_and_items_of_many_types_survive_a_file() -> None:
    rows = pa.table(
        {
            "country": ["DE", "DE", "FR", None],
            "id": pa.array([7, 7, 7, 7], pa.uint16()),
            "timestamp": [DAY] * 4,
            "bill": pa.array([b"a", b"a", b"\xff", b"a"]),
            "line": pa.array(["1", "1", "1", "1"]).dictionary_encode(),
            "item": [True, False, True, True],
            "amount": [Decimal("1.25"), Decimal("2.50"), Decimal("9.00"), Decimal("1.00")],
        }
    )
    baskets = custcore.Baskets("item", customer_id=["country", "id"], order_id=["bill", "line"], amount="amount")
    baskets.update(rows)
    again = custcore.Baskets.from_bytes(baskets.to_bytes())
    assert again.to_bytes() == baskets.to_bytes()
    again.update(rows.slice(0, 2))
    assert list(again.pairs(1, 1).select(["item_a", "item_b", "n_ab"]).rows()) == [(False, True, 1)]
    assert again.remove([("DE", 7)]) == 1
    assert again.report["removed"].sum == Decimal("7.50")
    assert len(again) == 1


def test_sums_beyond_64_bits() -> None:
    most = 2**62 - 1
    rows = [(1, 1, 0, 1, most)] * 5 + [(1, 1, 0, 2, -most)] * 4
    baskets = filled(data=table(rows))
    assert len(baskets) == 1
    assert custcore.Baskets.from_bytes(baskets.to_bytes()).to_bytes() == baskets.to_bytes()
    more = table([(1, 1, 0, 2, most)] * 4)
    baskets.update(more)
    assert [row["n_ab"] for row in baskets.pairs(1, 1)] == [1]


def test_an_empty_table_and_no_pairs() -> None:
    baskets = filled(data=table([]))
    for found in (baskets.pairs(), baskets.itemsets(), baskets.rules()):
        assert found.num_rows == 0
        assert found.report.remarks[-1].startswith("no ")
    assert baskets.pairs().schema == filled().pairs(1, 1).schema
    few = filled().pairs(1, 5)
    assert few.num_rows == 0
    assert "no two are together in more than 2" in few.report.remarks[-1]
    assert (
        "fewer than two items are in 9 baskets; the commonest item is in 2" in filled().pairs(9, 9).report.remarks[-1]
    )
    assert "no two items are together in 3 baskets" in filled().rules(3).report.remarks[-1]
    assert custcore.pairs(table([]), "item").num_rows == 0


def test_one_shot_functions_are_the_methods() -> None:
    options: dict[str, Any] = {"order_id": "order", "amount": "amount", "max_basket": 9, "anonymous": True}
    baskets = filled(max_basket=9, anonymous=True)
    found = custcore.pairs(table(ROWS), "item", **options, min_item_baskets=1, min_pair_baskets=1, top=1)
    assert found.to_pyarrow().equals(baskets.pairs(1, 1, top=1).to_pyarrow())
    rules = custcore.rules(table(ROWS), "item", **options, min_baskets=1, min_confidence=0.5, max_len=2)
    assert rules.to_pyarrow().equals(baskets.rules(1, 0.5, max_len=2).to_pyarrow())
    assert rules.num_rows == 2


def test_metadata_and_the_remark_on_sizes() -> None:
    found = filled().pairs(1, 1)
    # Sizes 2, 2, 1, 1: N sum s (s - 1) / (sum s)^2.
    assert found.report.remarks[0].startswith("size_factor = 0.4444: ")
    assert found._core.metadata["custcore.size_factor"] == str(4 * 4 / 36)


def test_lists_are_shown_and_written(tmp_path: Path) -> None:
    found = filled().itemsets(2)
    assert "1, 2" in repr(found)
    found.to_csv(tmp_path / "sets.csv")
    assert (tmp_path / "sets.csv").read_text(encoding="utf-8").splitlines()[1:] == [
        '"1",1,2,0.5',
        '"2",1,2,0.5',
        '"4",1,2,0.5',
        '"1, 2",2,2,0.5',
    ]
    assert list(found["items"]) == [[1], [2], [4], [1, 2]]
    pytest.importorskip("xlsxwriter")
    found.to_xlsx(tmp_path / "sets.xlsx")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: custcore.Baskets("item", "week"), InvalidArgumentError, "basket='week'"),  # type: ignore[arg-type]
        (lambda: custcore.Baskets("item", "order"), InvalidArgumentError, "needs order_id"),
        (lambda: custcore.Baskets(3), InvalidTypeError, "item=3"),  # type: ignore[arg-type]
        (lambda: custcore.Baskets("item", anonymous=True), InvalidArgumentError, "basket='order'"),
        (lambda: custcore.Baskets("item", max_basket=0), OutOfRangeError, "max_basket=0"),
        (lambda: custcore.Baskets("item", amount_decimals=13), OutOfRangeError, "amount_decimals=13"),
        (lambda: custcore.Baskets("item").pairs(), NotEnoughDataError, "update()"),
        (lambda: filled().pairs(0), InvalidArgumentError, "min_item_baskets=0"),
        (lambda: filled().pairs(1, 2.5), InvalidArgumentError, "min_pair_baskets=2.5"),
        (lambda: filled().pairs(-1), InvalidArgumentError, "min_item_baskets=-1"),
        (lambda: filled().pairs("5"), InvalidTypeError, "min_item_baskets='5'"),  # type: ignore[arg-type]
        (lambda: filled().pairs(min_basket=0), OutOfRangeError, "min_basket=0"),
        (lambda: filled().pairs(top=0), OutOfRangeError, "top=0"),
        (lambda: filled().pairs(test="chi"), InvalidArgumentError, "test='chi'"),  # type: ignore[arg-type]
        (lambda: filled().pairs(adjust="bonferroni"), InvalidArgumentError, "adjust="),  # type: ignore[arg-type]
        (lambda: filled().pairs(by="segment"), InvalidTypeError, "by='segment' is a name"),  # type: ignore[arg-type]
        (lambda: filled().itemsets(max_len=17), OutOfRangeError, "max_len=17"),
        (lambda: filled().itemsets(max_len=0), OutOfRangeError, "max_len=0"),
        (lambda: filled().itemsets(max_itemsets=0), OutOfRangeError, "max_itemsets=0"),
        (lambda: filled().rules(max_len=1), OutOfRangeError, "max_len=1"),
        (lambda: filled().rules(1, 1.5), OutOfRangeError, "min_confidence=1.5"),
        (lambda: filled().itemsets(1, max_itemsets=3), MemoryLimitError, "no minimum fits; raise max_itemsets"),
        (lambda: filled(data=table(ROWS).drop_columns(["item"])), ColumnNotFoundError, "'item' (item)"),
        (lambda: filled(on_null="error"), NullValueError, "'customer_id' is null at row 9"),
        (
            lambda: filled(data=table(ROWS[10:]), anonymous=True, on_null="error"),
            NullValueError,
            "'item' is null at row 2",
        ),
        (lambda: filled(data={"item": "no"}), InvalidTypeError, ""),
        (lambda: filled().merge(3), InvalidTypeError, "expected Baskets"),  # type: ignore[arg-type]
        (lambda: filled().merge(filled("day")), StateMismatchError, "basket is 'order' here and 'day' there"),
        (lambda: filled().merge(filled(returns="count")), StateMismatchError, "returns is 'net' here"),
        (lambda: filled().seal(DAY.isoformat() + "T00:00"), InvalidTypeError, "expected a date"),
        (lambda: filled("customer").seal(DAY), StateMismatchError, "cannot be sealed"),
        (lambda: custcore.Baskets("item").seal(DAY), StateMismatchError, "update first"),
        (lambda: filled().relabel({"a": 3}), InvalidTypeError, "integers"),
        (lambda: filled().relabel([3]), InvalidTypeError, "pairs of them"),  # type: ignore[list-item]
    ],
)
def test_wrong_arguments(call: Callable[[], Any], error: type[CustcoreError], says: str) -> None:
    refused(call, error, says)


def test_a_failed_change_changes_nothing() -> None:
    baskets = filled()
    baskets.update(table(ROWS[:2]), batch_id="monday")
    before = baskets.to_bytes()
    wrong = table(ROWS).set_column(3, "item", pa.array(["x"] * len(ROWS)))
    refused(lambda: baskets.update(wrong), StateMismatchError, "'item'")
    refused(lambda: baskets.update(table(ROWS), batch_id="monday"), DuplicateBatchError, "monday")
    other = custcore.Baskets("item", order_id="order", amount="amount")
    other.update(table(ROWS[:1]), batch_id="monday")
    refused(lambda: baskets.merge(other), DuplicateBatchError, "monday")
    infinite = table(ROWS).set_column(4, "amount", pa.array([float("inf")] * len(ROWS)))
    refused(lambda: filled(data=infinite), NonFiniteError, "row 0")
    assert filled(data=infinite, on_nonfinite="drop").report["nonfinite_amount"].count == 11
    assert baskets.to_bytes() == before
    assert baskets.batch_ids == ["monday"]
    twice = pa.table({"customer_id": [1, 1], "segment": ["a", "b"]})
    refused(lambda: baskets.pairs(by=twice), InvalidArgumentError, "second row")
    text = pa.table({"customer_id": ["1"], "segment": ["a"]})
    refused(lambda: baskets.pairs(by=text), InvalidTypeError, "customer_id")


def test_late_lines_of_sealed_baskets() -> None:
    baskets = filled()
    baskets.seal("2026-01-03")
    assert baskets.sealed_before == dt.date(2026, 1, 3)
    before = baskets.to_bytes()
    refused(lambda: baskets.update(table([(8, 1, 1, 1, 1)])), StateMismatchError, "2026-01-03", "2026-01-02")
    assert baskets.to_bytes() == before
    # The order that got a line on the fifth is still open, and a line of the second day is not late.
    baskets.update(table([(2, 1, 1, 3, 100)]))
    assert [(row["item_a"], row["item_b"], row["n_ab"]) for row in baskets.pairs(1, 1)] == [
        (1, 2, 2),
        (1, 3, 1),
        (2, 3, 1),
    ]
    days = filled("day")
    days.seal("2026-01-03")
    refused(lambda: days.relabel({1: 2}), StateMismatchError, "Relabel before seal()")
    days.relabel({1: 8})


def test_progress_and_threads() -> None:
    seen: list[tuple[int, int | None]] = []
    rows = pa.concat_tables([table(ROWS)] * 20_000)
    one, three = (custcore.Baskets("item", order_id="order", amount="amount") for _ in range(2))
    one.update(rows, n_threads=1, progress=lambda done, total: seen.append((done, total)))
    three.update(rows, n_threads=3)
    assert seen[-1] == (260_000, 260_000)
    assert one.to_bytes() == three.to_bytes()
