"""A day before the data: no customers, and the report says why."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc
import pytest

import custcore
from tests.samples import transactions

BEFORE = "2001-01-01"
REMARK = "as_of=2001-01-01 is before the data: all 81 rows with an id and a time are after it"


def base() -> custcore.CustomerBase:
    found = custcore.CustomerBase(track="days")
    found.update(transactions())
    return found


CALLS: dict[str, Any] = {
    "rfm": lambda day: custcore.rfm(transactions(), as_of=day),
    "rfm_scores": lambda day: custcore.rfm_scores(transactions(), as_of=day),
    "cohort_retention": lambda day: custcore.cohort_retention(transactions(), as_of=day),
    "base": lambda day: base().rfm(as_of=day),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_report_says_so(call: Any) -> None:
    report = call(BEFORE).report
    assert REMARK in report.remarks
    assert report["after_as_of"].count == 81
    for day in ("2023-12-20", None):
        assert not any("before the data" in remark for remark in call(day).report.remarks)


def test_other_empty_results_say_nothing_of_it() -> None:
    for data in (transactions().slice(0, 0), transactions().filter(pc.is_null(transactions()["customer_id"]))):
        assert not any("before the data" in remark for remark in custcore.rfm(data, as_of=BEFORE).report.remarks)
