"""`custcore.rfm`: what its columns, arguments and defaults mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.reference import INT, Money
from tests.samples import check_against_reference, one_customer, replace, rows_of, transactions

COLUMNS = ["customer_id", "first_date", "last_date", "recency_days", "tenure_days", "n_orders", "n_rows"]
MONEY = ["monetary_total", "monetary_mean"]
DAY = date(2024, 1, 1)


def rows(data: Any, **options: Any) -> list[dict[str, Any]]:
    return custcore.rfm(data, **options).to_pyarrow().to_pylist()


def test_defaults() -> None:
    found = custcore.rfm(transactions())
    assert isinstance(found, custcore.Table)
    assert found.column_names == COLUMNS + MONEY
    check_against_reference(found, rows_of(transactions()))


def test_names_of_columns() -> None:
    table = transactions()
    other = table.rename_columns(["who", "when", "how much"])
    found = custcore.rfm(other, customer_id="who", timestamp="when", amount="how much")
    assert found.column_names == ["who", *COLUMNS[1:], *MONEY]
    assert found.to_pyarrow().rename_columns(COLUMNS + MONEY).equals(custcore.rfm(table).to_pyarrow())


def test_one_column_in_two_roles() -> None:
    """The amount may be the id as well: nothing says that roles exclude each other."""
    table = pa.table({"x": pa.array([1, 1, 2]), "timestamp": pa.array([DAY] * 3)})
    found = rows(table, customer_id="x", amount="x")
    assert [(r["x"], r["monetary_total"]) for r in found] == [(1, 2), (2, 2)]


def test_without_an_amount() -> None:
    table = transactions().drop(["amount"])
    assert custcore.rfm(table, amount=None).column_names == COLUMNS
    assert custcore.rfm(transactions(), amount=None).column_names == COLUMNS
    expected = [(r["customer_id"], r["last_date"], r["n_orders"]) for r in rows(transactions(), returns="count")]
    assert [(r["customer_id"], r["last_date"], r["n_orders"]) for r in rows(table, amount=None)] == expected
    assert {entry.sum for entry in custcore.rfm(table, amount=None).report} == {None}
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="amount"):
        custcore.rfm(table)  # a missing amount is not guessed away


@pytest.mark.parametrize(
    "as_of",
    [date(2023, 12, 15), datetime.fromisoformat("2023-12-15T09:30"), "2023-12-15"],
    ids=["date", "datetime", "str"],
)
def test_as_of(as_of: Any) -> None:
    found = custcore.rfm(transactions(), as_of=as_of)
    assert found.report["after_as_of"].count > 0
    check_against_reference(found, rows_of(transactions()), as_of=date(2023, 12, 15))


def test_as_of_of_pandas_and_numpy() -> None:
    pd, np = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    expected = rows(transactions(), as_of=date(2024, 3, 1))
    assert rows(transactions(), as_of=pd.Timestamp("2024-03-01 12:00")) == expected
    assert rows(transactions(), as_of=np.datetime64("2024-03-01")) == expected


def test_as_of_is_inclusive_to_the_end_of_its_day() -> None:
    evening = [datetime.fromisoformat(t) for t in ("2024-01-01T23:59:59.999999", "2024-01-02T00:00")]
    table = pa.table({"customer_id": ["a", "b"], "timestamp": evening, "amount": [1.0, 2.0]})
    found = custcore.rfm(table, as_of=DAY)
    assert [(r["customer_id"], r["recency_days"]) for r in found.to_pyarrow().to_pylist()] == [("a", 0)]
    left = found.report["after_as_of"]
    assert (left.count, left.sum, left.first_row) == (1, 2.0, 1)


def test_as_of_after_and_before_everything() -> None:
    late = custcore.rfm(one_customer([1.0, 2.0]), as_of=date(2025, 1, 1))
    assert late.report.as_of == date(2025, 1, 1)
    assert [(r["recency_days"], r["tenure_days"]) for r in late.to_pyarrow().to_pylist()] == [(365, 366)]
    early = custcore.rfm(one_customer([1.0, 2.0]), as_of=date(2000, 1, 1))
    assert early.num_rows == 0
    assert (early.report["after_as_of"].count, early.report["after_as_of"].sum) == (2, 3.0)


def test_default_as_of_is_the_last_date_of_any_row_with_id_and_time() -> None:
    rows_ = [("a", DAY, 1.0), ("a", date(2024, 1, 5), -1.0), (None, date(2024, 1, 9), 1.0)]
    ids, days, amounts = zip(*rows_, strict=True)
    found = custcore.rfm(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
    assert found.report.as_of == date(2024, 1, 5)
    assert found.to_pyarrow()["recency_days"].to_pylist() == [4]


ZONED = pa.timestamp("us", "America/New_York")


@pytest.mark.parametrize(
    ("kind", "as_of"),
    [
        (pa.timestamp("us"), datetime(2024, 1, 5, tzinfo=UTC)),
        (pa.date32(), datetime(2024, 1, 5, tzinfo=UTC)),
        (ZONED, datetime.fromisoformat("2024-01-05")),
    ],
    ids=["zoned as_of, naive times", "zoned as_of, dates", "naive as_of, zoned times"],
)
def test_as_of_of_another_kind_of_clock(kind: pa.DataType, as_of: datetime) -> None:
    table = one_customer([1.0, 2.0])
    with pytest.raises(TypeError, match="zone") as caught:
        custcore.rfm(replace(table, "timestamp", table["timestamp"].cast(pa.timestamp("us")).cast(kind)), as_of=as_of)
    assert isinstance(caught.value, custcore.errors.CustcoreError)


def test_zoned_as_of_is_a_day_of_the_zone() -> None:
    times = pa.array([datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 3, 4, tzinfo=UTC)], ZONED)
    table = pa.table({"customer_id": ["a", "b"], "timestamp": times, "amount": [1.0, 2.0]})
    # 04:00 on the 3rd in UTC is 23:00 on the 2nd in New York
    for as_of in (date(2024, 1, 2), datetime(2024, 1, 3, 1, tzinfo=UTC)):
        found = custcore.rfm(table, as_of=as_of)
        assert found.report.as_of == date(2024, 1, 2)
        assert found.to_pyarrow()["recency_days"].to_pylist() == [1, 0]


@pytest.mark.parametrize("returns", ["net", "exclude", "count"])
@pytest.mark.parametrize("zero_is_purchase", [True, False])
def test_refunds_and_zeros(returns: str, zero_is_purchase: bool) -> None:
    options = {"returns": returns, "zero_is_purchase": zero_is_purchase}
    check_against_reference(custcore.rfm(transactions(300), **options), rows_of(transactions(300)), **options)


def test_a_refund_moves_no_date() -> None:
    (row,) = rows(one_customer([10.0, 5.0, -4.0]))
    assert (row["last_date"], row["recency_days"], row["n_orders"], row["n_rows"]) == (date(2024, 1, 2), 1, 2, 2)
    assert (row["monetary_total"], row["monetary_mean"]) == (11.0, 5.5)
    (row,) = rows(one_customer([10.0, 5.0, -4.0]), returns="exclude")
    assert (row["recency_days"], row["n_orders"], row["monetary_total"]) == (1, 2, 15.0)
    (row,) = rows(one_customer([10.0, 5.0, -4.0]), returns="count")
    assert (row["recency_days"], row["n_orders"], row["monetary_total"]) == (0, 3, 11.0)


def test_zero_amounts() -> None:
    assert rows(one_customer([0.0, -0.0]))[0]["n_orders"] == 2
    assert custcore.rfm(one_customer([0.0, -0.0]), zero_is_purchase=False).num_rows == 0
    (row,) = rows(one_customer([None, 0.0, float("nan")], type=pa.float64()), zero_is_purchase=False)
    assert (row["n_orders"], row["monetary_total"]) == (2, 0.0)


def test_a_customer_of_refunds_only_is_no_buyer() -> None:
    found = custcore.rfm(one_customer([-1.0, -2.5]))
    assert found.num_rows == 0
    entry = found.report["refund_only_customers"]
    assert (entry.count, entry.sum, entry.first_row) == (1, -3.5, 0)


def test_exact_duplicates_are_kept() -> None:
    table = one_customer([4.0])
    (row,) = rows(pa.concat_tables([table, table]))
    assert (row["n_orders"], row["monetary_total"]) == (2, 8.0)


def test_money_is_counted() -> None:
    (row,) = rows(one_customer([0.1, 0.2]))
    assert row["monetary_total"] == 0.3
    (row,) = rows(one_customer([10.10, 20.20, -30.30], timestamp=[DAY] * 3))
    assert (row["monetary_total"], row["n_orders"]) == (0.0, 2)
    (row,) = rows(one_customer([0.1] * 10_000, timestamp=[DAY] * 10_000))
    assert row["monetary_total"] == 1000.0


def test_sums_above_two_to_the_53_are_rounded_once() -> None:
    amounts = [4_000_000_000_000.0] * 4000 + [0.000001]
    days = [DAY] * len(amounts)
    (row,) = rows(one_customer(amounts, timestamp=days))
    assert row["monetary_total"] == (4_000_000_000_000 * 4000 * 10**6 + 1) / 10**6


def test_integers_and_decimals_are_not_floats() -> None:
    (row,) = rows(one_customer([2**53, 1, 1], type=pa.int64()))
    assert row["monetary_total"] == 2**53 + 2
    big = Decimal("12345678901234567890.12")
    table = one_customer([big, Decimal("0.01")], type=pa.decimal128(38, 2))
    found = custcore.rfm(table)
    assert found.to_pyarrow()["monetary_total"].to_pylist() == [big + Decimal("0.01")]
    check_against_reference(found, rows_of(table), money=Money("decimal", 2))
    small = one_customer([7, 2], type=pa.uint8())
    check_against_reference(custcore.rfm(small), rows_of(small), money=INT)


def test_empty_string_is_an_id() -> None:
    table = one_customer([1.0, 2.0], customer_id=["", "b"])
    assert [r["customer_id"] for r in rows(table)] == ["", "b"]


def test_strings_are_sorted_by_bytes() -> None:
    ids = ["ä", "z", "Z", "aa", "a", "￿", "𝄞", "\0", ""]
    found = rows(one_customer([1.0] * len(ids), customer_id=ids))
    assert [r["customer_id"] for r in found] == sorted(ids, key=str.encode)


EMPTY = transactions().slice(0, 0)


@pytest.mark.parametrize(
    "data",
    [
        EMPTY,
        EMPTY.schema.empty_table(),
        pa.table([pa.chunked_array([], f.type) for f in EMPTY.schema], schema=EMPTY.schema),
        pa.concat_tables([EMPTY, EMPTY]),
        pa.RecordBatchReader.from_batches(EMPTY.schema, []),
        pa.table([pa.nulls(3, f.type) for f in EMPTY.schema], schema=EMPTY.schema),
        [pa.RecordBatch.from_pylist([], EMPTY.schema)],
    ],
    ids=["slice", "no rows", "zero chunks", "two tables", "no batches", "all null", "list of an empty batch"],
)
def test_empty_inputs_keep_their_schema(data: Any) -> None:
    found = custcore.rfm(data)
    assert found.num_rows == 0
    assert pa.schema(found).equals(pa.schema(custcore.rfm(transactions())))
    assert found.report.as_of is None


def test_threads_and_batches_do_not_show() -> None:
    table = transactions(500)
    expected = custcore.rfm(table).to_pyarrow()
    for n_threads in (1, 2, 7):
        found = custcore.rfm(table.to_batches(max_chunksize=17), n_threads=n_threads)
        assert found.to_pyarrow().equals(expected)


def test_rfm_scores_is_rfm_and_a_scorer() -> None:
    at_once = custcore.rfm_scores(transactions(), bins=4, returns="exclude", as_of=date(2024, 3, 1))
    customers = custcore.rfm(transactions(), returns="exclude", as_of=date(2024, 3, 1))
    assert at_once.to_pyarrow().equals(custcore.RFMScorer(bins=4).fit_transform(customers).to_pyarrow())
    assert at_once.report.as_of == date(2024, 3, 1)
