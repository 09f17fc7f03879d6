"""Nested and run-end encoded columns that are passed on unread are validated too: an error, never a signal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.arrow_c import Array, Schema, array, export_array, schema
from tests.interop.malformed_cases import i32, i64

ROOT = Path(__file__).parents[2]
CASES: dict[str, Callable[[], tuple[Schema, Array]]] = {}


def case(name: str) -> Any:
    def register(make: Callable[[], tuple[Schema, Array]]) -> Any:
        CASES[name] = make
        return make

    return register


def ints(*values: int, **changes: Any) -> tuple[Schema, Array]:
    return schema(b"l", b"item"), array(len(values), [None, i64(*values)], **changes)


def lists(offsets: bytes, item: tuple[Schema, Array], kind: bytes = b"+l", **changes: Any) -> tuple[Schema, Array]:
    return schema(kind, b"x", [item[0]]), array(3, [None, offsets], [item[1]], **changes)


case("list: negative offset")(lambda: lists(i32(-1, 0, 1, 2), ints(1, 2)))
case("list: decreasing offset")(lambda: lists(i32(0, 2, 1, 2), ints(1, 2)))
case("list: items end early")(lambda: lists(i32(0, 1, 2, 9), ints(1, 2)))
case("list: far end")(lambda: lists(i64(0, 1, 2, 2**62), ints(1, 2), b"+L"))
case("list: no items")(lambda: lists(i32(0, 1, 2, 2), ints(1, 2), children=None))
case("list: released items")(lambda: lists(i32(0, 1, 2, 2), ints(1, 2, release=None)))
case("list: no offsets")(lambda: (schema(b"+l", b"x", [ints()[0]]), array(3, [None, None], [ints(1)[1]])))
case("list: one buffer")(lambda: (schema(b"+l", b"x", [ints()[0]]), array(3, [None], [ints(1)[1]])))
case("list: malformed items")(
    lambda: lists(i32(0, 1, 2, 2), (schema(b"u", b"item"), array(2, [None, i32(0, 2, 1), b"abc"])))
)
case("list of lists: decreasing offset")(lambda: lists(i32(0, 1, 2, 3), lists(i32(0, 2, 1, 2), ints(1, 2))))
case("fixed size: items end early")(lambda: (schema(b"+w:2", b"x", [ints()[0]]), array(3, [None], [ints(1, 2, 3)[1]])))
case("fixed size: beyond memory")(
    lambda: (schema(b"+w:2147483647", b"x", [ints()[0]]), array(3, [None], [ints(1, 2, 3)[1]]))
)
case("struct: short field")(lambda: (schema(b"+s", b"x", [ints()[0]]), array(3, [None], [ints(1, 2)[1]])))
case("struct: missing field")(
    lambda: (schema(b"+s", b"x", [ints()[0], ints()[0]]), array(3, [None], [ints(1, 2, 3)[1]]))
)
case("dictionary of lists: index outside")(
    lambda: (
        schema(b"i", b"x", dictionary=lists(b"", ints())[0]),
        array(3, [None, i32(0, 7, 1)], dictionary=lists(i32(0, 1, 2, 2), ints(1, 2))[1]),
    )
)


def ended(ends: bytes, values: tuple[Schema, Array], kind: bytes = b"i", n: int = 2, **changes: Any) -> Any:
    head = schema(b"+r", b"x", [schema(kind, b"run_ends"), values[0]])
    return head, array(3, [], [array(n, [None, ends]), values[1]], **changes)


case("runs: end early")(lambda: ended(i32(1, 2), ints(1, 2)))
case("runs: decrease")(lambda: ended(i32(3, 2), ints(1, 2)))
case("runs: repeat")(lambda: ended(i32(3, 3), ints(1, 2)))
case("runs: zero")(lambda: ended(i32(0, 3), ints(1, 2)))
case("runs: negative")(lambda: ended(i32(-5, 3), ints(1, 2)))
case("runs: fewer values")(lambda: ended(i32(1, 3), ints(1)))
case("runs: none")(lambda: ended(i32(), ints(), n=0))
case("runs: no children")(lambda: ended(i32(1, 3), ints(1, 2), children=None))
case("runs: floats")(lambda: ended(i64(1, 3), ints(1, 2), b"g"))
case("runs: malformed values")(lambda: ended(i32(1, 3), (schema(b"u", b"v"), array(2, [None, i32(0, 2, 1), b"ab"]))))


@case("runs: beyond memory")
def _() -> tuple[Schema, Array]:
    return ended(i64(1, 2**62), ints(1, 2), b"l", length=2**62)


def outcomes() -> dict[str, str]:
    """What reading each case ends in, in this process."""
    from custcore import _core

    found = {}
    for name, make in CASES.items():
        head, column = make()
        rows = column.length
        whole = schema(b"+s", b"", [head], outer=True), array(rows, [None], [column], outer=True)
        try:
            _core.Table.read(export_array(*whole), columns=None)
        except Exception as error:  # noqa: BLE001 - the parent looks at it
            found[name] = f"{type(error).__name__}: {error}"
        else:
            found[name] = "ok"
    return found


def test_every_case_is_refused() -> None:
    code = "import json; from tests.interop.test_malformed_nested import outcomes; print(json.dumps(outcomes()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found.keys() == CASES.keys()
    accepted = {name: what for name, what in found.items() if not what.startswith("ArrowImportError: ")}
    assert accepted == {}


@pytest.mark.parametrize("kind", ["list", "struct", "runs"])
def test_sound_columns_of_the_same_make(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    from custcore import _core

    make: dict[str, Any] = {
        "list": lambda: lists(i32(0, 1, 2, 2), ints(1, 2)),
        "struct": lambda: (schema(b"+s", b"x", [ints()[0]]), array(3, [None], [ints(1, 2, 3)[1]])),
        "runs": lambda: ended(i32(1, 3), ints(1, 2)),
    }
    head, column = make[kind]()
    whole = schema(b"+s", b"", [head], outer=True), array(3, [None], [column], outer=True)
    expected = {"list": [[1], [2], []], "struct": [{"item": 1}, {"item": 2}, {"item": 3}], "runs": [1, 2, 2]}
    assert pa.table(_core.Table.read(export_array(*whole), columns=None))["x"].to_pylist() == expected[kind]
