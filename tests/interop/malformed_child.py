"""The process that a malformed table is handed over in: `python -m tests.interop.malformed_child <case> <protocol>`.

Says as JSON what came of it. It imports nothing but the standard library and custcore.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

import custcore
from tests.interop.arrow_c import RELEASED, export_array, export_stream
from tests.interop.malformed_cases import COLUMNS, WHOLE, table


def run(name: str, protocol: str) -> dict[str, Any]:
    """What the call ended in, and how often the outermost structs were released."""
    if protocol == "whole":
        data = WHOLE[name].make()
    else:
        export = export_stream if protocol == "stream" else export_array
        data = export(*table(*COLUMNS[name].make()))
    result = outcome(data)
    gc.collect()
    result["released"] = dict(RELEASED)
    result["again"] = outcome(data)["outcome"] if protocol == "stream" else None
    return result


def outcome(data: Any) -> dict[str, Any]:
    try:
        rows = custcore.rfm(data).num_rows
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent wants to see it
        return {
            "outcome": type(error).__name__,
            "is_value_error": isinstance(error, ValueError),
            "message": str(error),
            "column": getattr(error, "column", None),
            "row": getattr(error, "row", None),
        }
    return {"outcome": "ok", "rows": rows}


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:3])))
