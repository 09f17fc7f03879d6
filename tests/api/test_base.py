"""`CustomerBase` at the level of totals: batch by batch is the same as at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import custcore
from custcore.errors import CustcoreError, NonFiniteError, OutOfRangeError
from tests.samples import one_customer, replace, transactions

DATA = transactions(400, customers=40)


def entries(report: Any) -> list[tuple[Any, ...]]:
    return [(e.name, e.kind, e.unit, e.count, e.sum, e.first_row) for e in report]


def same(found: Any, expected: Any) -> None:
    assert found.to_pyarrow().equals(expected.to_pyarrow())
    assert entries(found.report) == entries(expected.report)
    assert found.report.as_of == expected.report.as_of


@pytest.mark.parametrize("size", [1, 7, 150, 400])
def test_in_batches_is_at_once(size: int) -> None:
    base = custcore.CustomerBase()
    for at in range(0, DATA.num_rows, size):
        base.update(DATA.slice(at, size))
    same(base.rfm(), custcore.rfm(DATA))


def test_options_are_those_of_rfm() -> None:
    table = DATA.rename_columns(["who", "when", "what"])
    names = {"customer_id": "who", "timestamp": "when", "amount": "what"}
    base = custcore.CustomerBase(**names, returns="exclude", zero_is_purchase=False)
    base.update(table)
    same(base.rfm(), custcore.rfm(table, **names, returns="exclude", zero_is_purchase=False))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"customer_id": ["country", "who"], "amount": None, "order_id": "bill", "track": "orders", "late": "report"},
        {"attributes": {"country": "first", "mail": "last"}, "track": "days", "n_days": True, "max_memory": "1GiB"},
        {"timezone": "Europe/Berlin", "returns": "count", "zero_is_purchase": False, "amount_decimals": 2},
        {"on_null": "error", "on_nonfinite": "drop", "order_id": "bill", "order_lines": "adjacent"},
    ],
)
def test_settings_make_a_base_like_it(given: dict[str, Any]) -> None:
    base = custcore.CustomerBase(**given)
    empty = custcore.CustomerBase(**base.settings)
    assert empty.settings == base.settings
    assert repr(empty) == repr(base)
    loaded = custcore.CustomerBase.from_bytes(base.to_bytes())
    assert {**loaded.settings, "max_memory": None} == {**base.settings, "max_memory": None}
    for name, value in given.items():
        assert base.settings[name] == (1 << 30 if name == "max_memory" else value)


def test_without_an_amount() -> None:
    base = custcore.CustomerBase(amount=None)
    base.update(DATA)
    same(base.rfm(), custcore.rfm(DATA, amount=None))


def test_length_is_the_number_of_customers() -> None:
    base = custcore.CustomerBase()
    assert len(base) == 0
    base.update(one_customer([1.0, 2.0, 3.0], customer_id=["a", "b", "a"]))
    assert len(base) == 2
    base.update(one_customer([1.0, 2.0], customer_id=["c", "b"]))
    assert len(base) == 3
    assert "3" in repr(base)
    assert "totals" in repr(base)


def test_rfm_does_not_use_it_up() -> None:
    base = custcore.CustomerBase()
    base.update(DATA.slice(0, 200))
    first = base.rfm().to_pyarrow()
    assert base.rfm().to_pyarrow().equals(first)
    base.update(DATA.slice(200))
    same(base.rfm(), custcore.rfm(DATA))


def test_as_of_the_last_date_or_later() -> None:
    base = custcore.CustomerBase()
    base.update(DATA)
    last = base.rfm().report.as_of
    later = last + timedelta(days=30)
    same(base.rfm(as_of=later), custcore.rfm(DATA, as_of=later))
    same(base.rfm(as_of=last), custcore.rfm(DATA))
    with pytest.raises(ValueError, match="days") as caught:  # the level to choose
        base.rfm(as_of=last - timedelta(days=1))
    assert isinstance(caught.value, CustcoreError)


def test_empty_base() -> None:
    """No update yet: an empty result; an empty update: an empty result with the types of that update."""
    base = custcore.CustomerBase()
    base.update(DATA.slice(0, 0))
    same(base.rfm(), custcore.rfm(DATA.slice(0, 0)))


def broken_stream() -> Iterator[pa.Table]:
    yield DATA.slice(0, 100)
    raise RuntimeError("the disk went away")


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (pa.concat_tables([DATA, one_customer([float("inf")])]), NonFiniteError),
        ([DATA.slice(0, 100), one_customer([1e300])], OutOfRangeError),
        (DATA.drop(["amount"]), KeyError),
        (None, TypeError),
        (broken_stream(), RuntimeError),
    ],
    ids=["infinite", "2nd batch", "missing column", "no table", "producer"],
)
def test_a_failed_update_leaves_the_base_as_it_was(bad: Any, error: type[Exception]) -> None:
    base = custcore.CustomerBase()
    base.update(DATA.slice(0, 300))
    before = base.rfm()
    size = len(base)
    with pytest.raises(error):
        base.update(bad)
    same(base.rfm(), before)
    assert len(base) == size
    base.update(DATA.slice(300))
    same(base.rfm(), custcore.rfm(DATA))


def test_other_layouts_of_the_same_types() -> None:
    numbered = replace(DATA, "customer_id", pc.utf8_slice_codeunits(DATA["customer_id"], 1).cast(pa.int64()))
    for table, ids in ((DATA, [pa.large_string(), pa.string_view()]), (numbered, [pa.int8(), pa.uint16()])):
        base = custcore.CustomerBase()
        base.update(table.slice(0, 100))
        for at, kind, unit in zip((100, 200), ids, ("ms", "ns"), strict=True):
            part = table.slice(at, 100)
            part = replace(part, "customer_id", part["customer_id"].cast(kind))
            base.update(replace(part, "timestamp", part["timestamp"].cast(pa.timestamp(unit))))
        base.update(replace(table.slice(300), "customer_id", table.slice(300)["customer_id"].dictionary_encode()))
        expected = custcore.rfm(table).to_pyarrow()
        assert base.rfm().to_pyarrow().cast(expected.schema).equals(expected)  # the ids' type may have grown
        assert entries(base.rfm().report) == entries(custcore.rfm(table).report)


def test_ids_outgrow_the_type_they_began_with() -> None:
    """The first update's ids fit int8, the second's do not: none is wrapped into another customer."""
    base = custcore.CustomerBase()
    base.update(one_customer([1.0, 2.0], customer_id=pa.array([1, 2], pa.int8())))
    base.update(one_customer([4.0, 8.0], customer_id=pa.array([257, 2**40], pa.int64())))
    rows = base.rfm().to_pyarrow()
    assert rows["customer_id"].to_pylist() == [1, 2, 257, 2**40]
    assert rows["monetary_total"].to_pylist() == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.array(["a", "b"]), pa.array([b"a", b"\xff\xfe"], pa.binary())),
        (pa.array([b"abc", b"abd"], pa.binary(3)), pa.array([b"a", b"long id"], pa.binary())),
        (pa.array([b"abc", b"abd"], pa.binary(3)), pa.array([b"ab", b"cd"], pa.binary(2))),
    ],
    ids=["binary after text", "binary after fixed size", "another fixed size"],
)
def test_binary_ids_that_do_not_fit_are_refused_or_kept(first: pa.Array, second: pa.Array) -> None:
    base = custcore.CustomerBase()
    base.update(one_customer([1.0, 2.0], customer_id=first))
    expected = {*first.cast(pa.binary()).to_pylist()}
    try:
        base.update(one_customer([4.0, 8.0], customer_id=second))
        expected |= {*second.to_pylist()}
    except (TypeError, ValueError) as error:
        assert isinstance(error, CustcoreError)  # noqa: PT017 - to refuse is one of two right answers
    found = base.rfm().to_pyarrow()["customer_id"].cast(pa.binary()).to_pylist()
    assert found == sorted(expected)


@pytest.mark.parametrize(
    "other",
    [
        replace(DATA, "timestamp", DATA["timestamp"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))),
        replace(DATA, "customer_id", pc.utf8_slice_codeunits(DATA["customer_id"], 1).cast(pa.int64())),
        replace(DATA, "amount", DATA["amount"].cast(pa.int64())),
        replace(DATA, "amount", DATA["amount"].cast(pa.decimal128(20, 2))),
    ],
    ids=["zoned after naive", "integers after strings", "integer money after floats", "decimal money after floats"],
)
def test_other_types_are_refused(other: pa.Table) -> None:
    base = custcore.CustomerBase()
    base.update(DATA)
    with pytest.raises((TypeError, ValueError), match=r"timestamp|customer_id|amount") as caught:
        base.update(other)
    assert isinstance(caught.value, CustcoreError)
    same(base.rfm(), custcore.rfm(DATA))


def test_scores_of_a_base() -> None:
    base = custcore.CustomerBase()
    base.update(DATA)
    scored = custcore.RFMScorer().fit_transform(base.rfm())
    same(scored, custcore.rfm_scores(DATA))
    assert scored.report.as_of == base.rfm().report.as_of >= date(2023, 11, 20)
