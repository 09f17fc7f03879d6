"""The report: every row and every cent that is not in the result, under one name each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.reference.rfm import LEFT_OUT, NOTES
from tests.samples import check_against_reference, rows_of, transactions

D1, D2, D3 = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)
INF = float("inf")
ROWS: list[tuple[Any, Any, Any]] = [
    ("a", D1, 10.0),
    (None, D1, 1.5),
    ("a", None, 2.5),
    ("a", D1, INF),
    ("a", D3, 4.0),
    ("a", D2, -3.0),
    ("b", D2, -7.0),
    ("c", D2, None),
    ("c", D2, float("nan")),
    (None, None, INF),
    ("b", D1, -1.0),
]
UNITS = dict.fromkeys(LEFT_OUT + NOTES, "rows") | {
    "excluded_refunds": "orders",
    "netted_refunds": "orders",
    "refund_only_customers": "customers",
}


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    ids, days, amounts = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "timestamp": pa.array(days, pa.date32()),
            "amount": pa.array(amounts, pa.float64()),
        }
    )


def counted(found: Any) -> dict[str, tuple[int, Any, int | None]]:
    return {e.name: (e.count, e.sum, e.first_row) for e in found.report if e.count}


def test_every_entry() -> None:
    found = custcore.rfm(table(ROWS), as_of=D2, on_nonfinite="drop")
    assert counted(found) == {
        "null_customer_id": (2, 1.5, 1),
        "null_timestamp": (1, 2.5, 2),
        "nonfinite_amount": (1, 0.0, 3),
        "after_as_of": (1, 4.0, 4),
        "refund_only_customers": (1, -8.0, 6),
        "null_amount": (2, 0.0, 7),
        "netted_refunds": (3, -11.0, 5),
    }
    check_against_reference(found, ROWS, as_of=D2, on_nonfinite="drop")


def test_excluded_refunds() -> None:
    found = custcore.rfm(table(ROWS), as_of=D2, on_nonfinite="drop", returns="exclude")
    assert counted(found)["excluded_refunds"] == (3, -11.0, 5)
    assert "netted_refunds" not in counted(found)


def test_names_kinds_and_units_are_always_there() -> None:
    report = custcore.rfm(table(ROWS[:1])).report
    kinds = dict.fromkeys(LEFT_OUT, "left_out") | dict.fromkeys(NOTES, "note")
    assert {e.name: e.kind for e in report if e.name in kinds} == kinds
    assert {e.name: e.unit for e in report if e.name in UNITS} == UNITS
    assert len(report) == len(list(report)) >= len(kinds)
    for entry in report:
        assert report[entry.name].name == entry.name
        assert (entry.count, entry.sum, entry.first_row) == (0, 0.0, None)
    with pytest.raises(KeyError, match="null_customer_id"):
        report["null_custmer_id"]


def test_reads_well() -> None:
    report = custcore.rfm(table(ROWS), as_of=D2, on_nonfinite="drop").report
    text = repr(report)
    assert "null_customer_id" in text
    assert "2024-01-02" in text
    assert "null_timestamp" in repr(report["null_timestamp"])


@pytest.mark.parametrize(
    ("kind", "zero"),
    [(pa.float64(), 0.0), (pa.int32(), 0), (pa.decimal128(22, 3), Decimal("0.000"))],
    ids=["float", "int", "decimal"],
)
def test_sums_have_the_type_of_the_money(kind: pa.DataType, zero: Any) -> None:
    amounts = pa.array([5, 6, -7]).cast(kind)
    found = custcore.rfm(pa.table({"customer_id": [None, "a", "a"], "timestamp": [D1] * 3, "amount": amounts}))
    sums = {e.name: e.sum for e in found.report}
    assert (sums["null_customer_id"], sums["netted_refunds"], sums["after_as_of"]) == (5, -7, zero)
    assert {type(s) for s in sums.values()} == {type(zero)}


@pytest.mark.parametrize("returns", ["net", "exclude", "count"])
@pytest.mark.parametrize("as_of", [None, date(2023, 12, 20)])
def test_result_and_report_make_the_input(returns: str, as_of: date | None) -> None:
    data = transactions(400, customers=60)
    found = custcore.rfm(data, returns=returns, as_of=as_of)
    rows = found.to_pyarrow()
    left = {e.name: e for e in found.report if e.kind == "left_out"}

    money = sum(rows["monetary_total"].to_pylist()) + sum(e.sum for e in left.values())
    assert money == sum(v or 0 for v in data["amount"].to_pylist())

    gone = sum(e.count for e in left.values() if e.unit != "customers") + found.report["netted_refunds"].count
    assert sum(rows["n_rows"].to_pylist()) + gone == data.num_rows
    check_against_reference(found, rows_of(data), returns=returns, as_of=as_of)


def test_first_row_counts_over_all_batches() -> None:
    data = table([*ROWS[:1] * 10, *ROWS])
    batches = data.to_batches(max_chunksize=3)
    report = custcore.rfm(batches, as_of=D2, on_nonfinite="drop").report
    assert [report[n].first_row for n in LEFT_OUT[:4]] == [11, 12, 13, 14]
    assert report["null_amount"].first_row == 17


def test_scores_carry_the_report_on() -> None:
    found = custcore.rfm_scores(table(ROWS), as_of=D2, on_nonfinite="drop")
    assert counted(found) == counted(custcore.rfm(table(ROWS), as_of=D2, on_nonfinite="drop"))
