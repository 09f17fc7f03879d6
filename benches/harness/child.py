"""The process of a contender. It reads commands from stdin ("first", "again") and replies with a line of JSON each.

``python -m benches.harness.child MODULE:BENCH CONTENDER CASE INPUT RESULT``, with the case as JSON. Output of the
contender itself goes to stderr. If the machine runs out of memory, the process exits before the OOM killer acts.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from benches.harness.machine import GIB, MIB, available_memory, own_memory

# A contender exits if less memory than this is available.
FLOOR = GIB // 2


def watch(answers: Any) -> None:
    """Exit with a reply when memory is about to run out."""
    while True:
        if available_memory() < FLOOR:
            answers.write(json.dumps({"error": f"ran out of memory (less than {FLOOR // MIB} MiB left)"}) + "\n")
            answers.flush()
            os._exit(1)
        time.sleep(0.05)


def give_back() -> None:
    """Return freed memory to the system, so that it does not hide a peak."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def plain(table: pa.Table) -> pa.Table:
    """Decode dictionaries: a file can have only one, but chunks may have several."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(field.type.value_type))
    return table


def run(work: Any, result: Path | None) -> dict[str, float]:
    """Run the work once. With a path for the result, also measure memory, and write the result there."""
    gc.collect()
    before = 0
    if result:
        give_back()
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
        before = own_memory("VmRSS")
    begin = time.perf_counter()
    found = work.run()
    answer: dict[str, float] = {"seconds": time.perf_counter() - begin}
    if result:
        answer["bytes"] = own_memory("VmHWM") - before
        table = plain(work.to_arrow(found))
        with pa.OSFile(str(result), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    return answer


def main() -> None:
    where, name, case, path, result = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threading.Thread(target=watch, args=(answers,), daemon=True).start()

    def answer(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        module, _, attribute = where.partition(":")
        bench = getattr(importlib.import_module(module), attribute)
        work = bench.contenders[name].prepare(bench.case(**json.loads(case)), Path(path))
        answer({"ready": True})
        for request in sys.stdin:
            answer(run(work, Path(result) if request.strip() == "first" else None))
    except BaseException as error:  # noqa: BLE001 (failures are recorded, and the others continue)
        answer({"error": f"{type(error).__name__}: {error}"[:500]})
    os._exit(0)  # some contenders take long to free their memory


if __name__ == "__main__":
    main()
