"""Edges that were wrong once: each of these gave a wrong result, an abort or a message that blamed the wrong party."""

import decimal
import os
import threading
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import errors

DAY = date(2026, 1, 1)


def purchases(**columns: object) -> pa.Table:
    base = {"customer_id": [1, 2], "timestamp": [DAY, DAY], "amount": [1.0, 2.0]}
    return pa.table({**base, **columns})


def scored(**columns: object) -> pa.Table:
    n = len(next(iter(columns.values())))
    base = {"customer_id": list(range(n)), "recency_days": [1] * n, "n_orders": [1] * n, "monetary_total": [1.0] * n}
    return pa.table({**base, **columns})


def test_cells_of_nested_bins_within_many_groups_are_only_those_that_somebody_is_in() -> None:
    """20,000 groups of 100 x 100 cells would be 200 million."""
    n = 20_000
    table = scored(recency_days=np.arange(n), group=np.arange(n))
    found = custcore.RFMScorer(100, binning="nested", by="group").fit_transform(table)
    assert set(found.to_numpy("r_score")) == {100}
    assert set(found.to_numpy("f_score")) == {1}


def test_a_null_ends_the_nesting_of_its_row_alone() -> None:
    table = scored(recency_days=[1, 2, None, 4], n_orders=[1, 2, 3, 4], monetary_total=[1.0, 2.0, 3.0, 4.0])
    found = custcore.RFMScorer(2, binning="nested").fit_transform(table).to_pyarrow()
    for column in ("r_score", "f_score", "m_score", "rfm_cell"):
        assert [value is None for value in found[column].to_pylist()] == [False, False, True, False]


def test_equal_customers_are_not_above_their_mean() -> None:
    for money in (0.35, 0.05, 0.1, 1e300):
        table = scored(monetary_total=[money] * 3)
        segments = custcore.RFMScorer(segments="octants").fit_transform(table).to_pyarrow()["segment"]
        assert segments.to_pylist() == ["general win back customers"] * 3


def test_decimals_of_another_scale_are_compared_exactly() -> None:
    values = [decimal.Decimal(f"12345678901234567.{8 + i}0") for i in range(2)]
    values += [decimal.Decimal("12345678901234568.00") + i for i in range(3)]
    table = scored(monetary_total=pa.array(values, pa.decimal128(38, 2)), n_orders=[1] * 5, recency_days=[1] * 5)
    scorer = custcore.RFMScorer()
    together = scorer.fit_transform(table).to_pyarrow()["m_score"].to_pylist()
    assert together == [1, 2, 3, 4, 5]
    assert [scorer.score_one(1, 1, value.normalize())[2] for value in values] == together


def test_large_unsigned_values_are_compared_exactly() -> None:
    values = [2**53 + i for i in range(5)]
    table = scored(n_orders=pa.array(values, pa.uint64()), recency_days=[1] * 5)
    scorer = custcore.RFMScorer()
    together = scorer.fit_transform(table).to_pyarrow()["f_score"].to_pylist()
    assert together == [1, 2, 3, 4, 5]
    assert [scorer.score_one(1, value, 1.0)[1] for value in values] == together


def test_a_masked_array_is_refused_and_not_unmasked() -> None:
    columns = {"customer_id": np.array([1, 2]), "timestamp": np.array([DAY, DAY], "datetime64[s]")}
    amount = np.ma.array([1.0, 999.0], mask=[False, True])
    with pytest.raises(errors.InvalidTypeError, match="mask") as caught:
        custcore.rfm({**columns, "amount": amount})
    assert caught.value.column == "amount"


def test_arrays_of_the_other_byte_order_mean_the_same() -> None:
    times = np.array(["2026-01-01", "2026-01-03"], "datetime64[s]")
    columns = {"customer_id": np.array([1, 2]), "timestamp": times, "amount": np.array([1.0, 2.0])}
    swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in columns.items()}
    assert custcore.rfm(swapped).to_pyarrow().equals(custcore.rfm(columns).to_pyarrow())


def test_columns_that_a_fit_does_not_read_do_not_matter() -> None:
    """Two chunks whose dictionaries do not fit one int8 together, and a list."""
    chunks = [pa.array([f"{part}{i}" for i in range(100)]).dictionary_encode() for part in "ab"]
    who = pa.chunked_array([chunk.cast(pa.dictionary(pa.int8(), pa.string())) for chunk in chunks])
    table = scored(recency_days=np.arange(200)).append_column("who", who)
    table = table.append_column("tags", pa.array([["x"]] * 200))
    assert custcore.RFMScorer().fit(table).score_one(0, 1, 1.0)[0] == 5


def test_metadata_that_is_no_text_does_not_matter() -> None:
    table = purchases().replace_schema_metadata({b"k": b"\xff\xfe"})
    assert custcore.rfm(table).num_rows == 2


def test_a_decimal_of_too_many_places_is_the_columns_fault() -> None:
    amount = pa.array([decimal.Decimal(1), decimal.Decimal(2)], pa.decimal256(76, 40))
    with pytest.raises(errors.InvalidTypeError, match="scale") as caught:
        custcore.rfm(purchases(amount=amount))
    assert caught.value.column == "amount"


def test_a_row_speaks_for_its_first_fault_alone() -> None:
    found = custcore.rfm(purchases(customer_id=[1, None], amount=[1.0, float("inf")]))
    assert found.report["null_customer_id"].count == 1
    assert found.report["nonfinite_amount"].count == 0


def test_refunds_of_a_customer_without_purchase_are_all_counted() -> None:
    entry = custcore.rfm(purchases(customer_id=[1, 1], amount=[-1.0, -2.0])).report["refund_only_customers"]
    assert (entry.count, entry.n_rows, entry.sum) == (1, 2, -3.0)


def test_thresholds_of_cuts_outside_the_values_are_not_upside_down() -> None:
    scorer = custcore.RFMScorer(cuts={"monetary": [1.0, 2.0]}).fit(scored(monetary_total=[10.0, 20.0]))
    rows = [row for row in scorer.thresholds.to_pyarrow().to_pylist() if row["dimension"] == "monetary"]
    assert all(row["lower"] <= row["upper"] for row in rows)
    assert [row["customers"] for row in rows] == [0, 0, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_forked_while_a_base_is_read_can_read_it() -> None:
    base = custcore.CustomerBase()
    ids = np.arange(200_000)
    times = np.full(len(ids), np.datetime64("2026-01-01", "s"))
    base.update({"customer_id": ids, "timestamp": times, "amount": np.ones(len(ids))})
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            base.rfm()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(4):
            child = os.fork()
            if child == 0:
                os._exit(0 if base.rfm().num_rows == len(ids) else 1)
            assert _ended_well(child)
    finally:
        stop.set()
        reader.join()


def _ended_well(child: int, seconds: float = 20) -> bool:
    """Wait for a child, and kill it when it hangs."""
    import signal
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False
