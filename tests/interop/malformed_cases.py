"""What no honest producer hands over, one function a case.

Column cases give the `customer_id` of a three-row table, as a schema and an array; the child wraps it both as a
stream and as a single array. Whole cases give the exporting object itself.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.interop.arrow_c import (
    Array,
    ArrayExporter,
    Schema,
    StreamExporter,
    array,
    capsule,
    export_array,
    export_stream,
    schema,
    stream,
)

REFUSED = ("ArrowImportError",)
BENIGN = ("ArrowImportError", "ok")  # may be refused or survived, but not crash


@dataclass(frozen=True)
class Case:
    make: Callable[[], Any]
    outcomes: tuple[str, ...] = REFUSED
    column: str | None = None
    rows: tuple[int, ...] = ()
    says: str = ""


COLUMNS: dict[str, Case] = {}
WHOLE: dict[str, Case] = {}


def column(name: str, *outcomes: str, rows: tuple[int, ...] = (), says: str = "") -> Callable[[Any], Any]:
    def register(make: Callable[[], tuple[Schema, Array]]) -> Any:
        COLUMNS[name] = Case(make, outcomes or REFUSED, "customer_id" if rows else None, rows, says)
        return make

    return register


def whole(name: str, *outcomes: str, says: str = "", rows: tuple[int, ...] = ()) -> Callable[[Any], Any]:
    def register(make: Callable[[], Any]) -> Any:
        WHOLE[name] = Case(make, outcomes or REFUSED, "customer_id" if rows else None, rows, says)
        return make

    return register


def i32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def i64(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def ids(kind: bytes = b"u", **changes: Any) -> Schema:
    return schema(kind, b"customer_id", **changes)


def text(offsets: bytes, data: bytes = b"abc", kind: bytes = b"u") -> tuple[Schema, Array]:
    return ids(kind), array(3, [None, offsets, data])


def good() -> tuple[Schema, Array]:
    return text(i32(0, 1, 2, 3))


def table(id_schema: Schema, id_array: Array, **changes: Any) -> tuple[Schema, Array]:
    """customer_id, timestamp, amount as the struct that a record batch is."""
    head = schema(b"+s", b"", [id_schema, schema(b"tdD", b"timestamp"), schema(b"g", b"amount")], outer=True)
    days, amounts = array(3, [None, i32(19700, 19701, 19702)]), array(3, [None, struct.pack("<3d", 1, 2, 3)])
    return head, array(3, [None], [id_array, days, amounts], **{"outer": True, **changes})


def good_batch() -> Array:
    return table(*good())[1]


def good_head() -> Schema:
    return table(*good())[0]


# Offsets and text

column("good", "ok")(good)
column("negative offset", rows=(0,))(lambda: text(i32(-1, 1, 2, 3)))
column("decreasing offset", rows=(1,))(lambda: text(i32(0, 2, 1, 3)))
column("offset beyond the last", rows=(0, 1))(lambda: text(i32(0, 9, 2, 3)))
column("far offset beyond the last", rows=(0, 1))(lambda: text(i32(0, 2**31 - 1, 2, 3)))
column("large: negative offset", rows=(0,))(lambda: text(i64(-1, 1, 2, 3), kind=b"U"))
column("large: decreasing offset", rows=(1,))(lambda: text(i64(0, 2, 1, 3), kind=b"U"))
column("large: offset beyond the last", rows=(0, 1))(lambda: text(i64(0, 2**62, 2, 3), kind=b"U"))
column("binary: negative offset", rows=(0,))(lambda: text(i32(-9, 1, 2, 3), kind=b"z"))
column("binary: decreasing offset", rows=(1,))(lambda: text(i32(0, 3, 1, 3), kind=b"z"))
column("large binary: decreasing offset", rows=(1,))(lambda: text(i64(0, 3, 1, 3), kind=b"Z"))
column("invalid UTF-8", rows=(1,), says="UTF-8")(lambda: text(i32(0, 1, 2, 3), b"a\xffc"))
column("UTF-8 cut in two", rows=(1,), says="UTF-8")(lambda: text(i32(0, 1, 2, 3), "aé".encode()))
column("large: invalid UTF-8", rows=(2,), says="UTF-8")(lambda: text(i64(0, 1, 2, 3), b"ab\xc0", b"U"))


# Dictionaries


def coded(kind: bytes, indices: bytes, values: tuple[Schema, Array] | None = None) -> tuple[Schema, Array]:
    value_schema, value_array = values or good()
    return ids(kind, dictionary=value_schema), array(3, [None, indices], dictionary=value_array)


column("good dictionary", "ok")(lambda: coded(b"i", i32(0, 1, 2)))
column("index outside the dictionary", rows=(1,))(lambda: coded(b"i", i32(0, 3, 2)))
column("negative index", rows=(2,))(lambda: coded(b"c", bytes([0, 1, 255])))
column("unsigned index outside", rows=(0,))(lambda: coded(b"C", bytes([200, 1, 2])))
column("64-bit index outside", rows=(1,))(lambda: coded(b"l", i64(0, 2**62, 1)))
column("uint64 index outside", rows=(1,))(lambda: coded(b"L", struct.pack("<3Q", 0, 2**64 - 1, 1)))
column("float index")(lambda: coded(b"g", struct.pack("<3d", 0, 1, 2)))
column("malformed dictionary values")(lambda: coded(b"i", i32(0, 1, 2), text(i32(0, 2, 1, 3))))
column("dictionary values not UTF-8")(lambda: coded(b"i", i32(0, 1, 2), text(i32(0, 1, 2, 3), b"\xff\xffc")))
column("no dictionary in the array")(lambda: (ids(b"i", dictionary=good()[0]), array(3, [None, i32(0, 1, 2)])))


# Views: 16 bytes each; length and up to 12 bytes, or length, prefix, buffer and offset


def inline(value: bytes) -> bytes:
    return i32(len(value)) + value.ljust(12, b"\0")


def far(length: int, prefix: bytes, buffer: int, offset: int) -> bytes:
    return i32(length) + prefix + i32(buffer, offset)


LONG = b"a customer of many letters"


def viewed(*views: bytes, kind: bytes = b"vu", data: bytes = LONG, sizes: bytes | None = None) -> tuple[Schema, Array]:
    return ids(kind), array(3, [None, b"".join(views), data, i64(len(data)) if sizes is None else sizes])


A, B = inline(b"a"), inline(b"b")
column("good views", "ok")(lambda: viewed(A, far(len(LONG), LONG[:4], 0, 0), B))
column("view beyond its buffer", rows=(1,))(lambda: viewed(A, far(99, LONG[:4], 0, 0), B))
column("view offset beyond its buffer", rows=(1,))(lambda: viewed(A, far(20, LONG[:4], 0, 2**31 - 1), B))
column("negative view offset", rows=(1,))(lambda: viewed(A, far(20, LONG[:4], 0, -4), B))
column("view of no buffer", rows=(1,))(lambda: viewed(A, far(20, LONG[:4], 7, 0), B))
column("view of a negative buffer", rows=(1,))(lambda: viewed(A, far(20, LONG[:4], -1, 0), B))
column("view of negative length", rows=(1,))(lambda: viewed(A, i32(-5) + bytes(12), B))
column("view with another prefix", rows=(1,))(lambda: viewed(A, far(20, b"zzzz", 0, 0), B))
column("view not UTF-8", rows=(2,))(lambda: viewed(A, B, inline(b"\xff")))
column("long view not UTF-8", rows=(1,))(lambda: viewed(A, far(20, b"\xff\xff\xff\xff", 0, 0), B, data=b"\xff" * 20))
column("binary view beyond its buffer", rows=(1,))(lambda: viewed(A, far(99, LONG[:4], 0, 0), B, kind=b"vz"))
column("view buffer of negative size")(lambda: viewed(A, far(20, LONG[:4], 0, 0), B, sizes=i64(-1)))
column("view without its buffers")(lambda: (ids(b"vu"), array(3, [None])))


# Shapes of arrays


def numbers(**changes: Any) -> tuple[Schema, Array]:
    return ids(b"l"), array(3, [None, i64(1, 2, 3)], **changes)


column("good numbers", "ok")(numbers)
column("no list of buffers")(lambda: numbers(buffers=None))
column("null buffer of values")(lambda: (ids(b"l"), array(3, [None, None])))
column("null buffer of offsets")(lambda: (ids(), array(3, [None, None, b"abc"])))
column("null buffer of text")(lambda: (ids(), array(3, [None, i32(0, 1, 2, 3), None])))
column("too few buffers")(lambda: numbers(n_buffers=1))
column("negative number of buffers")(lambda: numbers(n_buffers=-1))
column("huge number of buffers", *BENIGN)(lambda: numbers(n_buffers=2**62))
column("negative length")(lambda: numbers(length=-1))
column("negative offset")(lambda: numbers(offset=-1))
column("length beyond memory", *BENIGN)(lambda: numbers(length=2**62))
column("offset beyond memory")(lambda: numbers(offset=2**63 - 1))
column("shorter than its table")(lambda: numbers(length=2))
column("nulls without a bitmap", *BENIGN)(lambda: numbers(null_count=2))
column("negative null count", *BENIGN)(lambda: numbers(null_count=-7))
column("children where none belong", *BENIGN)(lambda: (ids(b"l"), array(3, [None, i64(1, 2, 3)], [numbers()[1]])))
column("released column", *BENIGN)(lambda: numbers(release=None))

# Format strings and names

for _name, _format in {
    "unknown format": b"?",
    "empty format": b"",
    "null format": None,
    "format not UTF-8": b"\xff\xfe",
    "unfinished format": b"+",
    "fixed size that is negative": b"w:-3",
    "fixed size that is no number": b"w:x",
    "decimal of no digits": b"d:",
    "decimal of too many digits": b"d:999999999999,2",
    "time zone not UTF-8": b"tsu:\xff\xfe",
    "union of nonsense": b"+ud:1,x,,",
    "endless format": b"+" * 1_000_000,
}.items():
    column(_name)(lambda kind=_format: (ids(kind), array(3, [None, i64(1, 2, 3), None])))

column("name not UTF-8")(lambda: (schema(b"l", b"\xff\xfe"), numbers()[1]))


def nested(depth: int, name: bytes) -> tuple[Schema, Array]:
    """A list of lists of lists ...: depth enough to end a stack."""
    head, data = schema(b"l", b"x"), array(1, [None, i64(1)])
    for _ in range(depth):
        head, data = schema(b"+l", b"x", [head]), array(1, [None, i32(0, 1)], [data])
    head.name = name
    return head, array(3, [None, i32(0, 1, 1, 1)], [data])


column("nested without end")(lambda: nested(50_000, b"customer_id"))


# Tables and streams


def beside(extra_schema: Schema, extra_array: Array) -> Any:
    """A valid table with one more column that is not requested."""
    head, batch = table(*good())
    children = [head.children[i].contents for i in range(3)]
    arrays = [batch.children[i].contents for i in range(3)]
    return export_stream(
        schema(b"+s", b"", [*children, extra_schema], outer=True),
        array(3, [None], [*arrays, extra_array], outer=True),
    )


@whole("released array")
def _() -> Any:
    head, batch = table(*good(), release=None)
    return export_array(head, batch)


@whole("released schema")
def _() -> Any:
    head, batch = table(*good())
    head.release = None
    return export_array(head, batch)


whole("unused column nested without end", *BENIGN)(lambda: beside(*nested(50_000, b"x")))
whole("unused column without a name", *BENIGN)(lambda: beside(schema(b"l", None), numbers()[1]))
whole("unused column of unknown format", *BENIGN)(lambda: beside(schema(b"?", b"x"), numbers()[1]))
whole("unused column with malformed text", *BENIGN)(
    lambda: beside(schema(b"u", b"x"), array(3, [None, i32(0, 2, 1, 3), b"abc"]))
)
whole("released stream")(lambda: export_stream(good_head(), good_batch(), release=None))
whole("stream without get_schema")(lambda: export_stream(good_head(), good_batch(), get_schema=None))
whole("stream without get_next")(lambda: export_stream(good_head(), good_batch(), get_next=None))
whole("error without a text")(lambda: export_stream(good_head(), good_batch(), "", get_last_error=None))
whole("stream of the wrong name")(lambda: export_stream(good_head(), good_batch(), name=b"arrow_array"))
whole("array of the wrong name")(lambda: export_array(*table(*good()), array_name=b"arrow_schema"))
whole("schema of the wrong name")(lambda: export_array(*table(*good()), schema_name=b"arrow_array"))
whole("array and schema exchanged")(lambda: export_array(*reversed(table(*good()))))  # type: ignore[arg-type]
whole("capsule without a name")(
    lambda: StreamExporter(capsule(stream(good_head(), [good_batch()]), None))  # type: ignore[arg-type]
)
whole("no capsule at all")(lambda: StreamExporter(None))
whole("a number for a capsule")(lambda: StreamExporter(7))
whole("one capsule where two belong")(lambda: ArrayExporter((capsule(good_head(), b"arrow_schema"),)))
whole("no pair of capsules")(lambda: ArrayExporter(7))
whole("error in the schema", says="no such bucket")(lambda: export_stream(schema(b"error", b"no such bucket")))
whole("error in the 2nd batch", says="disk on fire")(
    lambda: export_stream(good_head(), good_batch(), "disk on fire", good_batch())
)
whole("error text not UTF-8", says="disk")(lambda: export_stream(good_head(), "disk \udcff fire"))
whole("bad text in the 2nd batch", rows=(4,), says="UTF-8")(
    lambda: export_stream(good_head(), good_batch(), table(*text(i32(0, 1, 2, 3), b"a\xffc"))[1])
)
whole("fewer columns than the schema")(lambda: export_stream(good_head(), table(*good(), n_children=2)[1]))
whole("fewer columns in the 2nd batch")(
    lambda: export_stream(good_head(), good_batch(), table(*good(), n_children=2)[1])
)
whole("negative number of columns")(lambda: export_stream(good_head(), table(*good(), n_children=-1)[1]))
whole("negative number of fields")(
    lambda: export_stream(schema(b"+s", b"", [good()[0]], n_children=-1, outer=True), good_batch())
)
whole("no list of columns")(lambda: export_stream(good_head(), table(*good(), children=None)[1]))
whole("no list of fields")(
    lambda: export_stream(schema(b"+s", b"", [good()[0]], children=None, outer=True), good_batch())
)
whole("a null column")(lambda: export_stream(good_head(), array(3, [None], [good()[1], None, None], outer=True)))
whole("a null field")(lambda: export_stream(schema(b"+s", b"", [good()[0], None, None], outer=True), good_batch()))
whole("rows that are null", *BENIGN)(
    lambda: export_array(good_head(), table(*good(), buffers=_bitmap(0b101), null_count=1)[1])
)
whole("table longer than memory")(lambda: export_stream(good_head(), table(*good(), length=2**62)[1]))
whole("table of negative length")(lambda: export_stream(good_head(), table(*good(), length=-3)[1]))
whole("table of negative offset")(lambda: export_stream(good_head(), table(*good(), offset=-3)[1]))
whole("table offset beyond its columns")(lambda: export_stream(good_head(), table(*good(), offset=2)[1]))


def _bitmap(bits: int) -> Any:
    held = array(0, [bytes([bits])])
    return ctypes.cast(held.buffers, ctypes.POINTER(ctypes.c_void_p))
