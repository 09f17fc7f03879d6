"""Bad input to customer bases: one class per kind, a message with the way out, and the base as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
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
    NonFiniteError,
    NotEnoughDataError,
    OutOfRangeError,
    StateMismatchError,
    SumOverflowError,
)
from tests.samples import replace

Base = custcore.CustomerBase
DAYS = [date(2024, 1, day) for day in (1, 2, 5, 9)]
LINES = pa.table(
    {
        "customer_id": ["a", "a", "b", "b"],
        "timestamp": DAYS,
        "amount": [1.0, 2.0, 3.0, 4.0],
        "order": ["x", "x", "y", None],
        "place": ["u", "v", None, "v"],
    }
)
TOTALS: dict[str, Any] = {"track": "totals"}
BY_DAY: dict[str, Any] = {"track": "days"}
BY_ORDER: dict[str, Any] = {"track": "orders", "order_id": "order"}
ADJACENT: dict[str, Any] = {"track": "days", "order_id": "order", "order_lines": "adjacent"}


def filled(options: dict[str, Any], data: Any = LINES, **update: Any) -> Base:
    base = Base(**options)
    base.update(data, **update)
    return base


def refused(call: Callable[[], Any], error: type[CustcoreError], *says: str) -> CustcoreError:
    """`call` ends in this very class, whose message has all these parts."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value)
    assert "Some(" not in str(caught.value)  # no words of the machine room
    return caught.value


def unchanged(base: Base, call: Callable[[], Any], error: type[CustcoreError], *says: str) -> None:
    before = base.to_bytes()
    refused(call, error, *says)
    assert base.to_bytes() == before


@pytest.mark.parametrize("options", [TOTALS, BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_the_same_batch_twice(options: dict[str, Any]) -> None:
    base = filled(options, batch_id="2024-01")
    unchanged(base, lambda: base.update(LINES, batch_id="2024-01"), DuplicateBatchError, "2024-01")
    base.update(LINES, batch_id="2024-02")
    assert base.batch_ids == ["2024-01", "2024-02"]
    other = filled(options, batch_id="2024-02")
    unchanged(base, lambda: base.merge(other), DuplicateBatchError, "2024-02")
    assert issubclass(DuplicateBatchError, StateMismatchError)
    assert issubclass(DuplicateBatchError, ValueError)


def test_a_batch_that_failed_may_come_again() -> None:
    base = filled(TOTALS)
    bad = [LINES, replace(LINES, "amount", pa.array([1.0, math.inf, 1.0, 1.0]))]
    unchanged(base, lambda: base.update(bad, batch_id="monday"), NonFiniteError, "row 5", "drop")
    base.update(LINES, batch_id="monday")
    assert base.batch_ids == ["monday"]


@pytest.mark.parametrize("batch_id", [7, b"monday", ["monday"], date(2024, 1, 1)], ids=repr)
def test_batch_ids_are_text(batch_id: Any) -> None:
    base = filled(TOTALS)
    unchanged(base, lambda: base.update(LINES, batch_id=batch_id), InvalidTypeError, "batch_id")


UNLIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "levels": (TOTALS, BY_DAY),
    "levels of orders": (BY_ORDER, BY_DAY),
    "returns": (TOTALS, TOTALS | {"returns": "exclude"}),
    "zero_is_purchase": (TOTALS, TOTALS | {"zero_is_purchase": False}),
    "amount_decimals": (TOTALS, TOTALS | {"amount_decimals": 2}),
    "no amount": (TOTALS, TOTALS | {"amount": None}),
    "attributes": (BY_DAY, BY_DAY | {"attributes": {"place": "first"}}),
    "pick of an attribute": (
        BY_DAY | {"attributes": {"place": "last"}},
        BY_DAY | {"attributes": {"place": "first"}},
    ),
    "late": (BY_ORDER, BY_ORDER | {"late": "report"}),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike_bases_do_not_merge(name: str) -> None:
    one, two = (filled(options) for options in UNLIKE[name])
    unchanged(one, lambda: one.merge(two), StateMismatchError)
    unchanged(two, lambda: two.merge(one), StateMismatchError)


@pytest.mark.parametrize(
    "other",
    [
        replace(LINES, "customer_id", pa.array([1, 2, 3, 4])),
        replace(LINES, "amount", pa.array([1, 2, 3, 4])),
        replace(LINES, "timestamp", pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 4, pa.timestamp("us", "UTC"))),
    ],
    ids=["integer ids", "integer money", "zoned times"],
)
@pytest.mark.parametrize("options", [TOTALS, BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_unlike_kinds_of_columns(options: dict[str, Any], other: pa.Table) -> None:
    base = filled(options)
    unchanged(base, lambda: base.update(other), StateMismatchError)
    unchanged(base, lambda: base.merge(filled(options, other)), StateMismatchError)


def test_unlike_kinds_of_orders() -> None:
    base, numbered = filled(BY_ORDER), replace(LINES, "order", pa.array([1, 1, 2, None]))
    unchanged(base, lambda: base.update(numbered), StateMismatchError, "order")
    unchanged(base, lambda: base.merge(filled(BY_ORDER, numbered)), StateMismatchError, "order")


@pytest.mark.parametrize("other", [None, LINES, "base", 7], ids=["None", "table", "text", "number"])
def test_what_is_no_base_does_not_merge(other: Any) -> None:
    base = filled(TOTALS)
    unchanged(base, lambda: base.merge(other), InvalidTypeError, "CustomerBase")


def test_merging_with_itself() -> None:
    """Either is right: every row twice, or an error; not a hang."""
    base = filled(BY_DAY)
    try:
        base.merge(base)
    except CustcoreError:
        assert base.rfm().to_pyarrow()["n_orders"].to_pylist() == [2, 2]
    else:
        assert base.rfm().to_pyarrow()["n_orders"].to_pylist() == [4, 4]


def test_adjacent_lines_do_not_merge() -> None:
    base = filled(ADJACENT)
    unchanged(base, lambda: base.merge(filled(ADJACENT)), StateMismatchError, "adjacent", "orders")


# Levels

NEED_DAYS: dict[str, Callable[[Base], Any]] = {
    "past as_of": lambda base: base.rfm(date(2024, 1, 3)),
    "cohorts": lambda base: base.cohort_retention(),
    "transitions": lambda base: base.transitions(DAYS[:2], custcore.RFMScorer()),
    "stays": lambda base: base.stays(DAYS[:2], custcore.RFMScorer()),
}


@pytest.mark.parametrize("name", NEED_DAYS)
def test_the_level_to_choose_is_named(name: str) -> None:
    base = filled(TOTALS)
    with pytest.raises(StateMismatchError, match="days"):
        NEED_DAYS[name](base)


def test_order_ids_need_the_level_of_orders() -> None:
    for track in ("totals", "days"):
        refused(lambda track=track: Base(track=track, order_id="order"), StateMismatchError, "orders", "adjacent")
    with pytest.raises(CustcoreError, match="order_id"):
        Base(track="orders")
    for options in (TOTALS, BY_DAY):
        base = filled(options)
        with pytest.raises(StateMismatchError, match="orders"):
            base.seal(date(2024, 1, 3))


ARGUMENTS: dict[str, tuple[dict[str, Any], type[CustcoreError], tuple[str, ...]]] = {
    "track": ({"track": "day"}, InvalidArgumentError, ("track", "totals", "days", "orders")),
    "track as a number": ({"track": 1}, InvalidTypeError, ("track",)),
    "late": ({"late": "ignore"}, InvalidArgumentError, ("late", "error", "report")),
    "order_lines": ({"order_lines": "adjcent"}, InvalidArgumentError, ("order_lines", "any", "adjacent")),
    "returns": ({"returns": "nett"}, InvalidArgumentError, ("returns", "net", "exclude", "count")),
    "on_null": ({"on_null": "skip"}, InvalidArgumentError, ("on_null", "drop", "error")),
    "amount_decimals": ({"amount_decimals": 13}, OutOfRangeError, ("amount_decimals", "12")),
    "attributes": ({"attributes": {"place": "frist"}}, InvalidArgumentError, ("attributes", "first", "last")),
    "max_memory": ({"max_memory": "4 gigs"}, InvalidArgumentError, ("max_memory", "GiB")),
    "negative max_memory": ({"max_memory": -1}, CustcoreError, ("max_memory",)),
    "max_memory as a list": ({"max_memory": [1]}, InvalidTypeError, ("max_memory",)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name: str) -> None:
    options, error, says = ARGUMENTS[name]
    with pytest.raises(error) as caught:
        filled(options)
    for part in says:
        assert part in str(caught.value)


def test_arguments_of_update() -> None:
    base = filled(TOTALS)
    unchanged(base, lambda: base.update(LINES, commit_every="row"), InvalidArgumentError, "commit_every", "batch")
    unchanged(base, lambda: base.update(LINES, n_threads="two"), InvalidTypeError, "n_threads")
    unchanged(base, lambda: base.update(None), InvalidTypeError)
    unchanged(base, lambda: base.update("purchases.parquet"), InvalidTypeError)
    unchanged(base, lambda: base.update(LINES.drop(["amount"])), ColumnNotFoundError, "amount")


def test_batches_that_were_committed_stay() -> None:
    """About a million rows at a time; of what came before the error the last of them may be missing."""
    n = 1_200_000

    def batch(number: int) -> pa.Table:
        days = pa.array([19_000 + number], pa.int32()).cast(pa.date32()).take(pa.array([0] * n))
        return pa.table({"customer_id": pa.array(range(n)), "timestamp": days, "amount": [1.0] * n})

    def stream() -> Iterator[pa.Table]:
        yield batch(0)
        yield batch(1)
        raise RuntimeError("the disk went away")

    base = Base()
    with pytest.raises(RuntimeError, match="disk"):
        base.update(stream(), commit_every="batch")
    assert base.n_rows in {n, 2 * n}
    again = filled(TOTALS, [batch(0), batch(1)][: base.n_rows // n])
    assert base.to_bytes() == again.to_bytes()
    unchanged(base, lambda: base.update(batch(2), commit_every="batch", batch_id="x"), InvalidArgumentError, "batch_id")


def test_sums_beyond_the_type_name_the_customer() -> None:
    """In update, in merge, and when customers are merged: always an error, never a wrapped value."""
    big = replace(LINES, "amount", pa.array([1, 2, 2**62 - 1, 2**62 - 1]))
    for options in (TOTALS, BY_DAY, BY_ORDER):
        base = filled(options, big)
        base.rfm()

        def twice(base: Base = base, options: dict[str, Any] = options) -> None:
            base.merge(filled(options, big))
            base.rfm()

        error = refused(twice, SumOverflowError, "'b'", "ecimal")
        assert isinstance(error, OverflowError)


# As of, seals, late lines


@pytest.mark.parametrize("options", [BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_as_of_before_the_first_row(options: dict[str, Any]) -> None:
    """Nobody has bought yet: no error, an empty table, and all money after that day."""
    found = filled(options).rfm(date(2023, 12, 31))
    assert found.num_rows == 0
    assert found.report["after_as_of"].sum == 10.0
    assert found.report.as_of == date(2023, 12, 31)
    fresh = custcore.rfm(LINES, order_id=options.get("order_id"), as_of=date(2023, 12, 31))
    assert pa.schema(found).equals(pa.schema(fresh))


@pytest.mark.parametrize("options", [TOTALS, BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_as_of_of_a_wrong_kind(options: dict[str, Any]) -> None:
    base = filled(options)
    refused(lambda: base.rfm(datetime(2024, 2, 1, tzinfo=UTC)), InvalidTypeError, "as_of")
    with pytest.raises(CustcoreError, match="as_of"):
        base.rfm("the first of May")
    with pytest.raises(CustcoreError, match="as_of"):
        base.rfm(20240101)


@pytest.mark.parametrize("options", [TOTALS, BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_a_base_that_saw_nothing(options: dict[str, Any]) -> None:
    """The type of the ids is not known: no table; all else is nothing."""
    base = Base(**options)
    assert (len(base), base.n_rows, base.last_date, base.batch_ids) == (0, 0, None, [])
    refused(base.rfm, NotEnoughDataError, "update")
    assert base.remove(["a"]) == 0
    base.relabel({"a": "b"})
    assert Base.from_bytes(base.to_bytes()).to_bytes() == base.to_bytes()
    other = filled(options)
    other.merge(base)
    assert other.to_bytes() == filled(options).to_bytes()
    base.merge(other)
    assert base.to_bytes() == other.to_bytes()


@pytest.mark.parametrize("options", [TOTALS, BY_DAY, BY_ORDER], ids=lambda o: o["track"])
def test_a_base_without_rows(options: dict[str, Any]) -> None:
    base = filled(options, LINES.slice(0, 0))
    assert (len(base), base.n_rows, base.last_date) == (0, 0, None)
    for as_of in (None, DAYS[0]):
        assert base.rfm(as_of).num_rows == 0
    if options is not TOTALS:
        assert base.cohort_retention().to_table().num_rows == 0


LATE = pa.table({name: column.slice(0, 1) for name, column in zip(LINES.column_names, LINES.columns, strict=True)})


def test_late_lines() -> None:
    """Order x of a is sealed, y of b is open: a line for x is late, one for y is not."""
    base = filled(BY_ORDER)
    base.seal(date(2024, 1, 4))
    unchanged(base, lambda: base.update(LATE, batch_id="late"), StateMismatchError, "order", "2024-01-04", "late")
    y = replace(replace(LATE, "customer_id", pa.array(["b"])), "order", pa.array(["y"]))
    base.update(y)
    assert base.rfm().to_pyarrow()["n_orders"].to_pylist() == [1, 2]

    base = filled(BY_ORDER | {"late": "report"})
    before = base.rfm().to_pyarrow()
    base.seal(date(2024, 1, 4))
    base.update(pa.concat_tables([LATE, LATE]))
    found = base.rfm()
    assert found.to_pyarrow().equals(before)
    assert (found.report["late_lines"].count, found.report["late_lines"].sum) == (2, 2.0)
    assert found.report["late_lines"].kind == "left_out"
    assert found.report.n_rows == 6


@pytest.mark.parametrize("before", [None, 20240101, "soon", datetime(2024, 1, 1, 12, tzinfo=UTC)], ids=repr)
def test_seals_are_dates(before: Any) -> None:
    base = filled(BY_ORDER)
    unchanged(base, lambda: seal_or_raise(base, before), CustcoreError)


def seal_or_raise(base: Base, before: Any) -> None:
    """Any error of custcore's, whichever kind."""
    try:
        base.seal(before)
    except CustcoreError as error:
        raise CustcoreError(str(error)) from error


RELABELS: dict[str, tuple[Any, type[CustcoreError]]] = {
    "numbers for text": ({1: 2}, CustcoreError),
    "one new id a number": ({"a": 2}, CustcoreError),
    "null": ({"a": None}, CustcoreError),
    "no pairs": (["a", "bc", "d"], CustcoreError),
    "triples": ([("a", "b", "c")], CustcoreError),
    "two new ids for one": ([("a", "b"), ("a", "c")], CustcoreError),
    "None": (None, CustcoreError),
}


@pytest.mark.parametrize("name", RELABELS)
@pytest.mark.parametrize("options", [TOTALS, BY_ORDER], ids=lambda o: o["track"])
def test_new_ids_that_cannot_be(name: str, options: dict[str, Any]) -> None:
    mapping, error = RELABELS[name]
    base = filled(options)
    before = base.to_bytes()
    with pytest.raises(error):
        base.relabel(mapping)
    assert base.to_bytes() == before


@pytest.mark.parametrize("ids", [None, 7, "a", [1], [None], [1.5], [["a"]]], ids=repr)
def test_ids_to_remove_that_cannot_be(ids: Any) -> None:
    """A string is not a list of ids: its letters would be taken for customers."""
    base = filled(TOTALS)
    before = base.to_bytes()
    with pytest.raises(CustcoreError):
        base.remove(ids)
    assert base.to_bytes() == before


# Dates of transitions

DATES: dict[str, Any] = {
    "one date": [DAYS[0]],
    "none": [],
    "descending": DAYS[::-1],
    "twice the same": [DAYS[0], DAYS[0]],
    "no dates": [1, 2],
    "text": "2024-01-01",
}


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize("what", ["transitions", "stays"])
def test_dates_that_cannot_be(name: str, what: str) -> None:
    base = filled(BY_DAY)
    with pytest.raises(CustcoreError, match="date"):
        getattr(base, what)(DATES[name], custcore.RFMScorer())


@pytest.mark.parametrize("what", ["transitions", "stays"])
def test_scorers_and_edges_that_cannot_be(what: str) -> None:
    base = filled(BY_DAY)
    call = getattr(base, what)
    refused(lambda: call(DAYS[:2], custcore.RFMScorer(), edges="fixed"), InvalidArgumentError, "edges", "frozen")
    for scorer in (None, "rfm", custcore.QuantileScorer(["n_orders"], directions=["high"])):
        with pytest.raises(CustcoreError):
            call(DAYS[:2], scorer)
    with pytest.raises(CustcoreError, match="segment"):
        call(DAYS[:2], custcore.RFMScorer(segments=None))


# One scan for several bases


def test_a_scan_is_all_or_nothing() -> None:
    customers, products = Base(), Base(customer_id="place")
    custcore.scan(LINES, {"customers": customers, "products": products}, batch_id="monday")
    assert customers.to_bytes() == filled(TOTALS, batch_id="monday").to_bytes()
    assert products.rfm().to_pyarrow()["place"].to_pylist() == ["u", "v"]
    before = customers.to_bytes(), products.to_bytes()
    bases = {"customers": customers, "products": products}
    refused(lambda: custcore.scan(LINES, bases, batch_id="monday"), DuplicateBatchError, "monday")
    refused(lambda: custcore.scan(LINES.drop(["place"]), bases), ColumnNotFoundError, "place")
    bad = [LINES, replace(LINES, "amount", pa.array([1.0, math.inf, 1.0, 1.0]))]
    refused(lambda: custcore.scan(bad, bases), NonFiniteError, "row 5")
    assert (customers.to_bytes(), products.to_bytes()) == before


@pytest.mark.parametrize("bases", [None, {}, [Base()], {"customers": None}, {"customers": LINES}], ids=repr)
def test_scans_into_what_is_no_base(bases: Any) -> None:
    with pytest.raises(CustcoreError):
        custcore.scan(LINES, bases)


def test_a_scan_into_one_base_twice() -> None:
    """Either is right: an error, or every row twice; not a hang, and nothing in between."""
    base = Base()
    try:
        custcore.scan(LINES, {"one": base, "two": base})
    except CustcoreError:
        assert base.n_rows == 0
    else:
        assert base.to_bytes() == filled(TOTALS, [LINES, LINES]).to_bytes()


# Memory


def test_less_memory_than_a_base_can_work_in(tmp_path: Any) -> None:
    refused(lambda: Base(max_memory=1000, spill_dir=tmp_path), MemoryLimitError, "max_memory", "1048576")


@pytest.mark.parametrize("options", [TOTALS, BY_DAY], ids=lambda o: o["track"])
def test_a_base_on_disk(options: dict[str, Any], tmp_path: Any) -> None:
    """More customers than the memory holds: the same table, and a failed update changes nothing."""
    data = many_customers()
    free, within = Base(**options), Base(**options, max_memory="2MiB", spill_dir=tmp_path)
    for at in range(0, data.num_rows, 50_000):
        for base in (free, within):
            base.update(data.slice(at, 50_000), batch_id=str(at))
    assert within.nbytes_on_disk > 0
    assert free.nbytes_on_disk == 0
    assert within.rfm().to_pyarrow().equals(free.rfm().to_pyarrow())
    assert (len(within), within.n_rows, within.batch_ids) == (len(free), free.n_rows, free.batch_ids)
    with pytest.raises(DuplicateBatchError):
        within.update(data, batch_id="50000")
    bad = [data, replace(LINES.select(["customer_id", "timestamp", "amount"]), "customer_id", pa.array([1, 2, 3, 4]))]
    bad[1] = replace(bad[1], "amount", pa.array([1.0, math.inf, 1.0, 1.0]))
    with pytest.raises(NonFiniteError):
        within.update(bad)
    assert within.rfm().to_pyarrow().equals(free.rfm().to_pyarrow())


def test_spill_folders_that_cannot_be(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "missing" / "deep"):
        with pytest.raises((OSError, CustcoreError)):
            filled(TOTALS | {"max_memory": "2MiB", "spill_dir": folder}, many_customers())


def many_customers() -> pa.Table:
    n = 200_000
    return pa.table({"customer_id": range(n), "timestamp": [DAYS[0]] * n, "amount": [1.0] * n})
