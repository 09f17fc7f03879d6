"""Memory of cohorts follows the cohorts and cells that occur: one odd date among a few hundred orders costs none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import datetime, sys
import pyarrow as pa
import custcore
from tests.peak_memory import peak, reset_peak

day, options = datetime.date.fromisoformat(sys.argv[1]), eval(sys.argv[2])
days = [datetime.date(2022, 1, 1) + datetime.timedelta(days=(7 * i) % 300) for i in range(299)]
orders = pa.table(
    {
        "customer_id": [i % 50 for i in range(300)],
        "timestamp": [*days, day],
        "amount": [float(i % 9) for i in range(300)],
        "group": ["ab"[i % 2] for i in range(300)],
    }
)
custcore.cohort_retention(orders.slice(0, 10), amount="amount").to_table()

before = reset_peak()
try:
    cohorts = custcore.cohort_retention(orders, **options)
    repr(cohorts), cohorts._repr_html_(), cohorts.report, cohorts.schema
    cohorts.average()
    cohorts.movement()
    cohorts.customers()
    if "amount" in options:
        cohorts.revenue_retention()
    print("ok", end=" ")
except custcore.errors.OutOfRangeError as error:
    assert "50,000,000" in str(error) and "observation_start" in str(error), error
    print("refused", end=" ")
print((peak() - before) >> 10)
"""
# Of all that the child does after its imports.
MOST_MIB = 24

CASES = [
    ("2243-10-17", "dict(period='month')", "ok"),
    ("2243-10-17", "dict(period='month', amount='amount', by='group', rfm=True)", "ok"),
    ("2736-08-13", "dict(period='month', amount='amount')", "ok"),
    ("2736-08-13", "dict(period='quarter', return_criteria='on_or_after')", "ok"),
    ("2736-08-13", "dict(period='45d', period_mode='elapsed')", "ok"),
    ("2736-08-13", "dict(period='day')", "refused"),
    ("2736-08-13", "dict(period='day', n_periods=10, amount='amount')", "ok"),
    ("1900-06-01", "dict(period='month', amount='amount')", "ok"),
    ("1900-06-01", "dict(period='week', cohort_by='recurring')", "ok"),
    ("1900-06-01", "dict(period='week', cohort_by='group')", "ok"),
    ("0001-01-01", "dict(period='year', return_criteria='every')", "ok"),
    ("0001-01-01", "dict(period='week')", "refused"),
    ("9999-12-31", "dict(period='year', amount='amount')", "ok"),
    ("9999-12-31", "dict(period='month')", "refused"),
    ("9999-12-31", "dict(period='month', observation_end='2023-01-01')", "ok"),
    ("9999-12-31", "dict(period='45d', brackets=[1, 3, 10])", "ok"),
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
@pytest.mark.parametrize(("day", "options", "expected"), CASES)
def test_an_odd_date_costs_no_memory(day: str, options: str, expected: str) -> None:
    command = [sys.executable, "-c", CHILD, day, options]
    child = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert child.returncode == 0, child.stderr
    word, mib = child.stdout.split()
    assert word == expected
    assert int(mib) <= MOST_MIB


LIMITED = """
import datetime, resource
import pyarrow as pa
import custcore

days = [datetime.date(2022, 1, 1), datetime.date(2736, 8, 13)]
cohorts = custcore.cohort_retention(pa.table({"customer_id": [1, 2], "timestamp": days}))
size = int(next(l.split()[1] for l in open("/proc/self/status") if l.startswith("VmSize"))) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30), resource.RLIM_INFINITY))
for table in (cohorts.to_table, lambda: pa.table(cohorts)):
    try:
        table()
    except MemoryError as error:
        print(type(error).__name__, "observation_start" in str(error))
print(cohorts.matrix("customers").num_rows)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what memory is left")
def test_a_table_that_does_not_fit_is_an_error_before_it_is_made() -> None:
    child = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["MemoryLimitError", "True", "MemoryLimitError", "True", "8576"]
