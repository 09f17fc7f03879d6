"""The harness of all benches: contenders in separate processes, measured in turns, results compared, records as JSON.

A bench implements :class:`Bench`; see ``benches/python/rfm.py``. It defines what a case is, writes the input of a case,
lists the contenders and compares two results. The harness does the rest::

    record = measure(bench, "benches.python.rfm:BENCH", case, list(bench.contenders))
    save(record, Path("benches/results/rfm.json"))

Method
------
- Each contender runs in a separate process and converts the input to *its preferred form* before the clock starts: a
  DataFrame for pandas and polars, an Arrow table for DuckDB and custcore. A case that reads a file prepares nothing.
- The contenders run in turns (a, b, c, a, b, c, ...), one at a time, so that other load on the machine affects all of
  them; the median counts. The first run is a warm-up and not timed, unless it takes more than `Limits.warm` seconds.
- If memory does not hold all contenders with their input at once, they run one after the other in each round: start,
  load, warm up, run, end. A contender that needs more memory than available is skipped, which is recorded.
- Memory: in the first run, the highest resident set (VmHWM, reset before) less the resident set before it (VmRSS).
- Every result is compared with that of the first contender. A difference ends the run; nothing is recorded.
- The memory read bandwidth is measured between the rounds, with the same number of threads as the contenders.

Linux only.
"""

from benches.harness.bench import Bench, Contender, Input, UnequalError, Work
from benches.harness.machine import installed_version
from benches.harness.process import FailedError
from benches.harness.record import load, save, show
from benches.harness.rounds import Limits, measure

__all__ = [
    "Bench",
    "Contender",
    "FailedError",
    "Input",
    "Limits",
    "UnequalError",
    "Work",
    "installed_version",
    "load",
    "measure",
    "save",
    "show",
]
