"""What was detected of files is said with the result, once, and stays with it."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import custcore

TEXT = "customer_id;timestamp;amount\n12346.0;13.01.2026;1,5\n17850.0;14.01.2026;2,5\n"


def source():
    return custcore.read(io.BytesIO(TEXT.encode("utf-16")), format="csv")


@pytest.mark.parametrize("call", [custcore.rfm, custcore.rfm_scores, custcore.cohort_retention])
def test_notes_come_with_the_result(call):
    sales = source()
    results = [call(sales) for _ in range(3)]
    notes = results[0].report.notes
    assert len(notes) == len(set(notes)) == len(sales.notes)
    for said in ("utf-16", "semicolons", "%d.%m.%Y", "12346.0"):
        assert sum(said in note for note in notes) == 1
    assert all(result.report.notes == notes for result in results)
    assert "semicolons" in repr(results[0])
    assert "12346.0" in repr(results[0].report)
    assert "semicolons" in results[0]._repr_html_()
    for other in (pickle.loads(pickle.dumps(results[0])), copy.copy(results[0])):
        assert other.report == results[0].report


def test_notes_do_not_grow_and_parts_keep_them():
    sales = source()
    table = custcore.rfm(sales)
    for _ in range(5):
        custcore.rfm(sales)
    assert len(sales._notes) == 2
    assert table[:1].report.notes == table.select(["n_orders"]).report.notes == table.report.notes
    assert table.to_pandas().attrs["custcore.report"]["notes"] == list(table.report.notes)


def test_other_data_have_no_notes():
    roles = {"customer_id": "customer_id", "timestamp": "timestamp", "amount": "amount"}
    assert custcore.rfm(source().table(list(roles), roles)).report.notes == ()
