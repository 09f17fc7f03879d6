"""Bad input: one class per kind, and a message with the column, the row, and the way out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore import errors
from custcore.errors import ColumnNotFoundError
from tests.samples import one_customer, replace, transactions

DAY = date(2024, 1, 1)
GOOD = one_customer([1.0, 2.0, 3.0])


@dataclass
class Bad:
    """An input, the class it ends in (and the built-in that it is), and what the message has to say."""

    data: Any
    error: type[Exception]
    also: type[Exception]
    says: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    column: str | None = None
    row: int | None = None


def column(name: str, values: Any, kind: pa.DataType | None = None) -> pa.Table:
    return replace(GOOD, name, pa.array(values, kind))


def times(values: list[int], kind: pa.DataType) -> pa.Table:
    return column("timestamp", pa.array(values, pa.int32() if kind == pa.date32() else pa.int64()).cast(kind))


TWICE = pa.Table.from_arrays([*GOOD.columns, GOOD["amount"]], names=[*GOOD.column_names, "amount"])
NULL_ID = column("customer_id", ["a", None, "a"])
NULL_TIME = column("timestamp", [DAY, DAY, None])
NULL_AMOUNT = column("amount", [1.0, None, 2.0])
NAN_AMOUNT = column("amount", [1.0, 2.0, math.nan])
BIG = 2**62 - 1

CASES = {
    "missing id": Bad(
        GOOD,
        errors.ColumnNotFoundError,
        KeyError,
        ("custmer_id", "customer_id"),
        {"customer_id": "custmer_id"},
        "custmer_id",
    ),
    "missing time": Bad(
        GOOD.drop(["timestamp"]), errors.ColumnNotFoundError, KeyError, ("timestamp",), {}, "timestamp"
    ),
    "missing in a batch of a list": Bad([GOOD.drop(["amount"])], errors.ColumnNotFoundError, KeyError, ("amount",)),
    "the same name twice": Bad(TWICE, errors.DuplicateColumnError, ValueError, ("amount",), {}, "amount"),
    "dates as strings": Bad(
        column("timestamp", ["2024-01-01"] * 3),
        errors.InvalidTypeError,
        TypeError,
        ("timestamp", "string", "date", "ast"),
        {},
        "timestamp",
    ),
    "times as integers": Bad(
        column("timestamp", [1, 2, 3]),
        errors.InvalidTypeError,
        TypeError,
        ("timestamp", "nt64", "to_datetime"),
        {},
        "timestamp",
    ),
    "time of day": Bad(
        times([1, 2, 3], pa.time64("us")), errors.InvalidTypeError, TypeError, ("timestamp",), {}, "timestamp"
    ),
    "money as bool": Bad(
        column("amount", [True, False, True]),
        errors.InvalidTypeError,
        TypeError,
        ("amount", "ool", "ast"),
        {},
        "amount",
    ),
    "money as string": Bad(
        column("amount", ["1", "2", "3"]), errors.InvalidTypeError, TypeError, ("amount", "string", "ast"), {}, "amount"
    ),
    "money as list": Bad(
        column("amount", [[1.0], [], []]), errors.InvalidTypeError, TypeError, ("amount", "ist"), {}, "amount"
    ),
    "money as struct": Bad(
        column("amount", [{"gbp": 1}] * 3), errors.InvalidTypeError, TypeError, ("amount", "truct"), {}, "amount"
    ),
    "ids as floats": Bad(
        column("customer_id", [1.0, 2.0, None]),
        errors.InvalidTypeError,
        TypeError,
        ("customer_id", "null", "pandas", "nteger", "ast"),
        {},
        "customer_id",
    ),
    "ids as bools": Bad(
        column("customer_id", [True] * 3), errors.InvalidTypeError, TypeError, ("customer_id", "ool"), {}, "customer_id"
    ),
    "ids as a dictionary of floats": Bad(
        replace(GOOD, "customer_id", pa.array([1.5, 2.5, 1.5]).dictionary_encode()),
        errors.InvalidTypeError,
        TypeError,
        ("customer_id",),
        {},
        "customer_id",
    ),
    "ids as lists": Bad(column("customer_id", [[1], [], []]), errors.InvalidTypeError, TypeError, ("customer_id",)),
    "null id on request": Bad(
        NULL_ID,
        errors.NullValueError,
        ValueError,
        ("customer_id", "row 1", "drop"),
        {"on_null": "error"},
        "customer_id",
        1,
    ),
    "null time on request": Bad(
        NULL_TIME,
        errors.NullValueError,
        ValueError,
        ("timestamp", "row 2", "drop"),
        {"on_null": "error"},
        "timestamp",
        2,
    ),
    "null amount on request": Bad(
        NULL_AMOUNT, errors.NullValueError, ValueError, ("amount", "row 1"), {"on_null": "error"}, "amount", 1
    ),
    "NaN amount on request": Bad(
        NAN_AMOUNT, errors.NullValueError, ValueError, ("amount", "row 2"), {"on_null": "error"}, "amount", 2
    ),
    "infinite amount": Bad(
        column("amount", [1.0, -math.inf, math.inf]),
        errors.NonFiniteError,
        ValueError,
        ("amount", "row 1", "on_nonfinite", "drop"),
        {},
        "amount",
        1,
    ),
    "infinite float32 amount in the 2nd batch": Bad(
        [GOOD, column("amount", [1.0, 2.0, math.inf])], errors.NonFiniteError, ValueError, ("row 5",), {}, "amount", 5
    ),
    "integer sum beyond int64": Bad(
        column("amount", [BIG, BIG, BIG], pa.int64()),
        errors.SumOverflowError,
        OverflowError,
        ("amount", "'a'", "ecimal"),
    ),
    "integer sum below int64": Bad(
        one_customer([1, *[-BIG] * 3], type=pa.int64()), errors.SumOverflowError, OverflowError, ("'a'",)
    ),
    "integer amount too large": Bad(
        column("amount", [1, 2**62, 2], pa.int64()),
        errors.OutOfRangeError,
        ValueError,
        ("amount", "row 1"),
        {},
        "amount",
        1,
    ),
    "unsigned amount too large": Bad(
        column("amount", [1, 2, 2**64 - 1], pa.uint64()),
        errors.OutOfRangeError,
        ValueError,
        ("row 2",),
        {},
        "amount",
        2,
    ),
    "float amount too large": Bad(
        column("amount", [1e13, 1.0, 1.0]),
        errors.OutOfRangeError,
        ValueError,
        ("amount", "row 0", "amount_decimals"),
        {},
        "amount",
        0,
    ),
    "decimal amount too large": Bad(
        column("amount", [Decimal(2**96), Decimal(1), Decimal(1)], pa.decimal128(38, 0)),
        errors.OutOfRangeError,
        ValueError,
        ("amount", "row 0"),
        {},
        "amount",
        0,
    ),
    "decimal256 amount too large": Bad(
        column("amount", [Decimal(1), Decimal(10**60), Decimal(1)], pa.decimal256(70, 0)),
        errors.OutOfRangeError,
        ValueError,
        ("amount", "row 1"),
        {},
        "amount",
        1,
    ),
    "date after 9999": Bad(
        times([0, 2_932_897, 0], pa.date32()),
        errors.OutOfRangeError,
        ValueError,
        ("timestamp", "row 1", "9999"),
        {},
        "timestamp",
        1,
    ),
    "date before year 1": Bad(
        times([0, 0, -719_163], pa.date32()), errors.OutOfRangeError, ValueError, ("row 2",), {}, "timestamp", 2
    ),
    "date64 far out": Bad(
        times([-(2**62) // 86_400_000 * 86_400_000, 0, 0], pa.date64()),
        errors.OutOfRangeError,
        ValueError,
        ("row 0",),
        {},
        "timestamp",
        0,
    ),
    "seconds far out": Bad(
        times([0, 2**63 - 1, 0], pa.timestamp("s")), errors.OutOfRangeError, ValueError, ("row 1",), {}, "timestamp", 1
    ),
    "milliseconds just out": Bad(
        times([0, 253_402_300_800_000, 0], pa.timestamp("ms")),
        errors.OutOfRangeError,
        ValueError,
        ("row 1",),
        {},
        "timestamp",
        1,
    ),
    "zoned seconds far out": Bad(
        times([0, -(2**62), 0], pa.timestamp("s", "Asia/Tokyo")),
        errors.OutOfRangeError,
        ValueError,
        ("row 1",),
        {},
        "timestamp",
        1,
    ),
    "unknown time zone of a column": Bad(
        times([0, 0, 0], pa.timestamp("us", "Europe/Berln")),
        errors.InvalidArgumentError,
        ValueError,
        ("Europe/Berln", "Europe/Berlin"),
    ),
    "unknown time zone": Bad(
        times([0, 0, 0], pa.timestamp("us", "UTC")),
        errors.InvalidArgumentError,
        ValueError,
        ("Asia/Kolkatta", "Asia/Kolkata"),
        {"timezone": "Asia/Kolkatta"},
    ),
    "time zone for naive times": Bad(
        GOOD, errors.InvalidTypeError, TypeError, ("timezone", "naive"), {"timezone": "Asia/Kolkata"}
    ),
    "unknown refund rule": Bad(
        GOOD,
        errors.InvalidArgumentError,
        ValueError,
        ("returns", "gross", "net", "exclude", "count"),
        {"returns": "gross"},
    ),
    "unknown null rule": Bad(
        GOOD, errors.InvalidArgumentError, ValueError, ("on_null", "drop", "error"), {"on_null": "skip"}
    ),
    "unknown rule for infinite amounts": Bad(
        GOOD, errors.InvalidArgumentError, ValueError, ("on_nonfinite", "error", "drop"), {"on_nonfinite": "skip"}
    ),
    "too many decimals": Bad(
        GOOD, errors.OutOfRangeError, ValueError, ("amount_decimals", "12"), {"amount_decimals": 13}
    ),
    "no threads": Bad(GOOD, errors.OutOfRangeError, ValueError, ("n_threads",), {"n_threads": 0}),
    "as_of that is no date": Bad(
        GOOD, errors.InvalidArgumentError, ValueError, ("as_of", "2024-13-01"), {"as_of": "2024-13-01"}
    ),
    "as_of of another type": Bad(GOOD, errors.InvalidTypeError, TypeError, ("as_of",), {"as_of": 20240101}),
    "progress that cannot be called": Bad(GOOD, errors.InvalidTypeError, TypeError, ("progress",), {"progress": 7}),
    "batches of unlike types": Bad(
        [GOOD, column("customer_id", [1, 2, 3])],
        errors.InvalidTypeError,
        TypeError,
        ("customer_id", "int64", "string"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str) -> None:
    case = CASES[name]
    with pytest.raises(case.error) as caught:
        custcore.rfm(case.data, **case.options)
    error, message = caught.value, str(caught.value)
    assert isinstance(error, errors.CustcoreError)
    assert isinstance(error, case.also)
    for part in case.says:
        assert part in message
    if case.column:
        assert error.column == case.column
    if case.row is not None:
        assert error.row == case.row


NOT_TABLES = {
    "None": None,
    "path as str": "sales.parquet",
    "Path": Path("sales.csv"),
    "number": 7,
    "list of dicts": [{"customer_id": 1}],
    "list of numbers": [1, 2],
    "dict of lists": {"customer_id": [1]},
    "object": object(),
}


@pytest.mark.parametrize("name", NOT_TABLES)
def test_not_a_table(name: str) -> None:
    with pytest.raises(TypeError, match=r"Arrow|numpy") as caught:
        custcore.rfm(NOT_TABLES[name])
    assert isinstance(caught.value, errors.CustcoreError)


def test_iterables_of_nothing_say_so() -> None:
    spent = iter([GOOD])
    custcore.rfm(spent)
    for nothing in ([], spent):
        with pytest.raises(errors.ArrowImportError, match="already"):
            custcore.rfm(nothing)


def test_a_path_says_how_to_read_it() -> None:
    for path in ("sales.parquet", Path("sales.parquet")):
        with pytest.raises(TypeError, match=r"Read the file first: custcore\.read\(path\)"):
            custcore.rfm(path)


def test_an_array_is_not_a_table() -> None:
    with pytest.raises((TypeError, ValueError), match=r"table|columns|struct") as caught:
        custcore.rfm(pa.array([1, 2]))
    assert isinstance(caught.value, errors.CustcoreError)


def test_dict_of_unequal_columns() -> None:
    np = pytest.importorskip("numpy")
    data = {"customer_id": np.arange(3), "timestamp": np.zeros(2, "M8[D]"), "amount": np.ones(3)}
    with pytest.raises(ValueError, match=r"timestamp.* length") as caught:
        custcore.rfm(data)
    assert isinstance(caught.value, errors.CustcoreError)
    with pytest.raises(TypeError, match="amount"):
        custcore.rfm({"customer_id": np.arange(1), "timestamp": np.zeros(1, "M8[D]"), "amount": np.ones((1, 2))})


def test_unused_duplicates_do_no_harm() -> None:
    table = pa.Table.from_arrays([*GOOD.columns, GOOD["amount"], GOOD["amount"]], names=[*GOOD.column_names, "x", "x"])
    assert custcore.rfm(table).to_pyarrow().equals(custcore.rfm(GOOD).to_pyarrow())


def test_unused_columns_may_be_anything() -> None:
    table = GOOD.append_column("x", pa.array([[{"y": [1]}], None, []])).append_column("z", pa.nulls(3))
    assert custcore.rfm(table).to_pyarrow().equals(custcore.rfm(GOOD).to_pyarrow())


def test_left_out_infinite_amounts() -> None:
    found = custcore.rfm(column("amount", [1.0, -math.inf, math.inf]), on_nonfinite="drop")
    assert (found.report["nonfinite_amount"].count, found.report["nonfinite_amount"].first_row) == (2, 1)
    assert found.to_pyarrow()["monetary_total"].to_pylist() == [1.0]


def test_the_largest_amounts_that_fit() -> None:
    (row,) = custcore.rfm(column("amount", [BIG, BIG, -BIG], pa.int64()), returns="count").to_pyarrow().to_pylist()
    assert row["monetary_total"] == BIG
    top = Decimal(2**96 - 1)
    table = column("amount", [top, top, top.copy_negate()], pa.decimal128(38, 0))
    assert custcore.rfm(table).to_pyarrow()["monetary_total"].to_pylist() == [top]
    edges = times([-719_162, 2_932_896, 0], pa.date32())
    (row,) = custcore.rfm(edges).to_pyarrow().to_pylist()
    assert (row["first_date"], row["last_date"]) == (date.min, date.max)


def test_partial_sums_may_pass_what_the_sum_does_not() -> None:
    """int64 overflows on the way and comes back: the sum fits, and is right."""
    table = one_customer([BIG] * 4 + [-BIG] * 4 + [7], type=pa.int64())
    assert custcore.rfm(table).to_pyarrow()["monetary_total"].to_pylist() == [7]


def test_every_error_is_a_custcore_error_and_a_built_in() -> None:
    parents = {
        "ColumnNotFoundError": KeyError,
        "DuplicateColumnError": ValueError,
        "InvalidTypeError": TypeError,
        "InvalidArgumentError": ValueError,
        "OutOfRangeError": ValueError,
        "NullValueError": ValueError,
        "NonFiniteError": ValueError,
        "NotEnoughDataError": ValueError,
        "NotFittedError": AttributeError,
        "SumOverflowError": OverflowError,
        "ArrowImportError": ValueError,
        "StateMismatchError": ValueError,
        "DuplicateBatchError": errors.StateMismatchError,
        "MemoryLimitError": MemoryError,
        "InternalError": RuntimeError,
    }
    for name, parent in parents.items():
        assert issubclass(getattr(errors, name), parent)
        assert issubclass(getattr(errors, name), errors.CustcoreError)


def test_messages_read_like_sentences() -> None:
    """A KeyError shows the repr of its argument: ours has to read like the others."""
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        custcore.rfm(transactions(), customer_id="custmer_id")
    assert not str(caught.value).startswith(('"', "'"))
    assert "\\n" not in str(caught.value)


def test_transactions_where_customers_are_expected() -> None:
    data = transactions()
    customers = custcore.rfm(data)
    scorer = custcore.RFMScorer().fit(customers)
    calls: list[Any] = [
        lambda: scorer.transform(data),
        lambda: scorer.drift(data),
        lambda: custcore.RFMScorer().fit(data),
        lambda: custcore.QuantileScorer(["monetary_total"]).fit(data),
        lambda: custcore.KMeans(2, columns=["n_orders"]).fit(data),
    ]
    for call in calls:
        with pytest.raises(ColumnNotFoundError, match=r"transactions, run custcore\.rfm on them first"):
            call()
    for table in (data, customers):
        with pytest.raises(ColumnNotFoundError, match=r"run custcore\.rfm_scores first, or .* by=") as caught:
            custcore.profile(table)
        assert caught.value.column == "segment"
    # A table of customers without one of the columns has another remedy.
    with pytest.raises(ColumnNotFoundError) as caught:
        scorer.transform(customers.select(["customer_id", "n_orders"]))
    assert "run custcore" not in str(caught.value)
