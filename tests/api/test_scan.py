"""`custcore.scan`: several bases from one pass are as after updates of their own, or as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    NonFiniteError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.samples import replace, transactions

N = 600


def sales() -> pa.Table:
    """Purchases with a product, its margin and an unused column."""
    table = transactions(N, customers=40)
    table = table.append_column("product", pa.array([i * 7 % 23 for i in range(N)], pa.int16()))
    table = table.append_column("margin", pa.array([i % 11 - 2 for i in range(N)], pa.int64()))
    return table.append_column("remark", pa.array(["x"] * N))


SALES = sales()


def bases() -> dict[str, custcore.CustomerBase]:
    return {
        "customers": custcore.CustomerBase(),
        "products": custcore.CustomerBase(customer_id="product", amount="margin", returns="count"),
        "visits": custcore.CustomerBase(amount=None, returns="exclude"),
    }


def state(base: custcore.CustomerBase) -> tuple[Any, ...]:
    table = base.rfm()
    entries = [(e.name, e.kind, e.unit, e.count, e.sum, e.first_row, e.n_rows) for e in table.report]
    return table.to_pyarrow(), entries, table.report.as_of, len(base), base.n_rows


def check(found: dict[str, custcore.CustomerBase], updates: list[Any]) -> None:
    for name, base in bases().items():
        for update in updates:
            base.update(update)
        assert state(found[name]) == state(base), name


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize(
    "form",
    [
        lambda table: table,
        lambda table: table.to_reader(max_chunksize=37),
        lambda table: [table.slice(at, 100) for at in range(0, N, 100)],
        lambda table: iter(table.to_batches(max_chunksize=64)),
    ],
    ids=["table", "reader", "list", "iterator"],
)
def test_it_is_an_update_of_each(form: Callable[[pa.Table], Any], threads: int) -> None:
    found = bases()
    custcore.scan(form(SALES.slice(0, 450)), found, n_threads=threads)
    custcore.scan(form(SALES.slice(450)), found, n_threads=threads)
    check(found, [SALES.slice(0, 450), SALES.slice(450)])


def test_many_rows_take_the_way_through_the_pool() -> None:
    big = pa.concat_tables([SALES] * 300)
    found = bases()
    seen: list[tuple[int, int | None]] = []
    custcore.scan(big, found, n_threads=2, progress=lambda done, total: seen.append((done, total)))
    check(found, [big])
    assert seen[-1] == (big.num_rows, big.num_rows)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_arrays_and_one_base() -> None:
    arrays = {name: SALES.drop_null()[name].to_numpy() for name in ("timestamp", "amount", "product")}
    (found, alone) = (custcore.CustomerBase(customer_id="product"), custcore.CustomerBase(customer_id="product"))
    custcore.scan(arrays, {"products": found})
    alone.update(arrays)
    assert state(found) == state(alone)


def test_no_rows_are_an_update_too() -> None:
    found = bases()
    custcore.scan(SALES.slice(0, 0), found)
    check(found, [SALES.slice(0, 0)])


def broken_stream() -> Iterator[pa.Table]:
    yield SALES.slice(0, 100)
    raise RuntimeError("the disk went away")


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        (SALES.drop(["margin"]), ColumnNotFoundError, "base 'products': .*margin"),
        (replace(SALES, "amount", pa.array([float("inf")] * N)), NonFiniteError, "base 'customers': .*amount"),
        ([SALES, replace(SALES, "margin", pa.array([2**62] * N))], OutOfRangeError, "base 'products': .*margin"),
        (
            replace(SALES, "product", SALES["product"].cast(pa.string())),
            StateMismatchError,
            "base 'products': .*product",
        ),
        (broken_stream(), RuntimeError, "the disk went away"),
        (None, InvalidTypeError, "does not export Arrow data"),
    ],
    ids=["missing column", "infinite", "second batch", "other ids", "producer", "no table"],
)
def test_data_that_fail_change_nothing(bad: Any, error: type[Exception], match: str) -> None:
    found = bases()
    custcore.scan(SALES, found)
    with pytest.raises(error, match=match):
        custcore.scan(bad, found)
    check(found, [SALES])
    custcore.scan(SALES, found)
    check(found, [SALES, SALES])


def test_the_fault_of_the_smallest_row_is_told() -> None:
    """However the rows are cut, and whichever base comes first."""
    amounts = [1.0] * N
    amounts[500] = float("inf")
    margins = [1] * N
    margins[300] = 2**62
    bad = replace(replace(SALES, "amount", pa.array(amounts)), "margin", pa.array(margins))
    ids = pa.array(["a"] * N)
    bad = replace(replace(bad, "customer_id", ids), "timestamp", pa.array([19_000] * N, pa.int32()).cast(pa.date32()))
    for size in (7, 100, N):
        for order in (1, -1):
            found = dict(list(bases().items())[::order])
            with pytest.raises(OutOfRangeError, match=r"base 'products'") as caught:
                custcore.scan(bad.to_reader(max_chunksize=size), found)
            assert (caught.value.column, caught.value.row) == ("margin", 300)


def test_another_update_in_between_is_kept() -> None:
    """An update while the stream is read is not lost; what no longer goes together then is refused, by all."""
    found = bases()

    def stream() -> Iterator[pa.Table]:
        yield SALES.slice(0, 300)
        found["customers"].update(SALES.slice(500))
        yield SALES.slice(300, 200)

    custcore.scan(stream(), found)
    alone = custcore.CustomerBase()
    alone.update(SALES.slice(500))
    alone.update(SALES.slice(0, 500))
    assert state(found["customers"]) == state(alone)

    fresh = bases()
    numbers = replace(SALES, "customer_id", pa.array(range(N)))

    def meddling() -> Iterator[pa.Table]:
        yield SALES
        fresh["visits"].update(numbers)

    with pytest.raises(StateMismatchError, match="base 'visits'"):
        custcore.scan(meddling(), fresh)
    assert [len(fresh[name]) for name in ("customers", "products")] == [0, 0]
    assert fresh["visits"].n_rows == N


def test_a_batch_is_taken_once_by_each() -> None:
    found = bases()
    found["visits"].update(SALES.slice(0, 0), batch_id="monday")
    reader = SALES.to_reader()
    with pytest.raises(DuplicateBatchError, match=r"base 'visits': .*'monday'"):
        custcore.scan(reader, found, batch_id="monday")
    assert [base.batch_ids for base in found.values()] == [[], [], ["monday"]]
    assert [base.n_rows for base in found.values()] == [0, 0, 0]
    custcore.scan(SALES, found, batch_id="tuesday")
    assert [base.batch_ids for base in found.values()] == [["tuesday"], ["tuesday"], ["monday", "tuesday"]]
    with pytest.raises(DuplicateBatchError, match=r"base 'customers': .*'tuesday'"):
        custcore.scan(SALES, found, batch_id="tuesday")
    assert [base.n_rows for base in found.values()] == [N, N, N]
    with pytest.raises(InvalidTypeError, match="batch_id"):
        custcore.scan(SALES, found, batch_id=3)  # type: ignore[arg-type]


def test_a_batch_that_comes_in_between_is_not_taken_twice() -> None:
    found = bases()

    def stream() -> Iterator[pa.Table]:
        yield SALES
        found["visits"].update(SALES, batch_id="monday")

    with pytest.raises(DuplicateBatchError, match="base 'visits'"):
        custcore.scan(stream(), found, batch_id="monday")
    assert [base.n_rows for base in found.values()] == [0, 0, N]


def test_bases_of_all_levels() -> None:
    """A line that comes too late for one base keeps the data from all of them, unless it is to be counted."""
    lines = SALES.append_column("order", pa.array([i // 3 for i in range(N)]))
    late = lines.slice(0, 30).drop_null()
    first = lines.slice(60)

    def levels(what: str) -> dict[str, custcore.CustomerBase]:
        return {
            "totals": custcore.CustomerBase(),
            "days": custcore.CustomerBase(track="days", customer_id="product"),
            "orders": custcore.CustomerBase(track="orders", order_id="order", late=what),  # type: ignore[arg-type]
        }

    for what in ("error", "report"):
        found, alone = levels(what), levels(what)
        for base in alone.values():
            base.update(first)
        custcore.scan(first, found)
        for several in (found, alone):
            several["orders"].seal("2030-01-01")
        if what == "error":
            with pytest.raises(StateMismatchError, match=r"base 'orders': .*sealed"):
                custcore.scan(late, found, batch_id="late")
            assert [base.batch_ids for base in found.values()] == [[], [], []]
        else:
            custcore.scan(late, found)
            for base in alone.values():
                base.update(late)
            assert found["orders"].report["late_lines"].count == late.num_rows
        for name, base in found.items():
            assert state(base) == state(alone[name]), (what, name)


def test_bases_are_checked() -> None:
    base = custcore.CustomerBase()
    with pytest.raises(InvalidArgumentError, match=r"'a'.*'b'.*same base"):
        custcore.scan(SALES, {"a": base, "b": base})
    with pytest.raises(InvalidArgumentError, match="empty"):
        custcore.scan(SALES, {})
    with pytest.raises(InvalidTypeError, match="list"):
        custcore.scan(SALES, [base])  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match=r"bases\['a'\] is Table"):
        custcore.scan(SALES, {"a": SALES})  # type: ignore[dict-item]
    with pytest.raises(InvalidTypeError, match="name of bases"):
        custcore.scan(SALES, {1: base})  # type: ignore[dict-item]
    assert len(base) == 0


def test_errors_are_custcores() -> None:
    with pytest.raises(CustcoreError):
        custcore.scan("sales.parquet", bases())  # type: ignore[arg-type]
