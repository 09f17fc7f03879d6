"""The Arrow C Data Interface by hand, in ctypes: the only way to say something that no producer would say.

Structs, their buffers and callbacks stay alive for the life of the process (`ALIVE`): a child process that hands
over one table does not need more. `RELEASED` counts the calls of the outermost release callbacks.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterable
from typing import Any

ALIVE: list[Any] = []
RELEASED: Counter[str] = Counter()


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.POINTER(Array)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
Stream._fields_ = [
    ("get_schema", ctypes.c_void_p),
    ("get_next", ctypes.c_void_p),
    ("get_last_error", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


def _address(callback: Any) -> int:
    ALIVE.append(callback)
    return ctypes.cast(callback, ctypes.c_void_p).value or 0


def _releaser(kind: str, struct: type[ctypes.Structure]) -> int:
    def release(pointer: int) -> None:
        RELEASED[kind] += 1
        struct.from_address(pointer).release = None

    return _address(ctypes.CFUNCTYPE(None, ctypes.c_void_p)(release))


_RELEASE = {
    (kind, outer): _releaser(kind if outer else f"inner {kind}", struct)
    for kind, struct in (("schema", Schema), ("array", Array), ("stream", Stream))
    for outer in (True, False)
}


def _pointers(kind: type[ctypes.Structure], structs: Iterable[Any]) -> Any:
    pointers = [ctypes.pointer(s) if s is not None else ctypes.POINTER(kind)() for s in structs]
    return (ctypes.POINTER(kind) * len(pointers))(*pointers) if pointers else None


def schema(
    kind: bytes | None,
    name: bytes | None = b"",
    children: Iterable[Schema | None] = (),
    /,
    dictionary: Schema | None = None,
    **changes: Any,
) -> Schema:
    """An ArrowSchema; `changes` overwrite its fields afterwards."""
    children = list(children)
    made = Schema(kind, name, None, 2, len(children), _pointers(Schema, children))
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    return _finish(made, "schema", changes)


def array(
    length: int,
    buffers: Iterable[ctypes.Array[Any] | bytes | None],
    children: Iterable[Array | None] = (),
    /,
    dictionary: Array | None = None,
    **changes: Any,
) -> Array:
    """An ArrowArray over buffers of the caller's; `changes` overwrite its fields afterwards."""
    children = list(children)
    held = [ctypes.create_string_buffer(b, max(len(b), 1)) if isinstance(b, bytes) else b for b in buffers]
    ALIVE.append(held)
    addresses = (ctypes.c_void_p * max(len(held), 1))(*(b if b is None else ctypes.addressof(b) for b in held))
    made = Array(length, 0, 0, len(held), len(children), addresses, _pointers(Array, children))
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    return _finish(made, "array", changes)


def stream(head: Schema, batches: Iterable[Array | str], **changes: Any) -> Stream:
    """An ArrowArrayStream of `batches`; a text in their place is an error with that text."""
    rest, error = list(batches), [b""]

    def get_schema(_: int, out: int) -> int:
        if head.format == b"error":
            error[0] = head.name or b""
            return 5
        _move(head, out)
        return 0

    def get_next(_: int, out: int) -> int:
        batch = rest.pop(0) if rest else Array()
        if isinstance(batch, str):
            error[0] = batch.encode("utf-8", "surrogateescape")
            return 5
        _move(batch, out)
        return 0

    def get_last_error(_: int) -> int:
        ALIVE.append(ctypes.create_string_buffer(error[0]))
        return ctypes.addressof(ALIVE[-1])

    out_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    made = Stream(
        _address(out_type(get_schema)),
        _address(out_type(get_next)),
        _address(ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(get_last_error)),
    )
    return _finish(made, "stream", changes)


def _finish(made: Any, kind: str, changes: dict[str, Any]) -> Any:
    outer = kind == "stream" or bool(changes.pop("outer", False))
    made.release = _RELEASE[kind, outer]
    for name, value in changes.items():
        setattr(made, name, value)
    ALIVE.append(made)
    return made


def _move(struct: ctypes.Structure, to: int) -> None:
    ALIVE.append(struct)
    ctypes.memmove(to, ctypes.addressof(struct), ctypes.sizeof(struct))


def capsule(struct: ctypes.Structure, name: bytes) -> Any:
    """A PyCapsule without a destructor around the struct."""
    ALIVE.extend((struct, name))
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(ctypes.addressof(struct), name, None)


class StreamExporter:
    """Answers every `__arrow_c_stream__` with the same thing."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.answer


class ArrayExporter:
    """Answers every `__arrow_c_array__` with the same thing."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.answer


def export_stream(head: Schema, *batches: Array | str, name: bytes = b"arrow_array_stream", **changes: Any) -> Any:
    return StreamExporter(capsule(stream(head, batches, **changes), name))


def export_array(
    head: Schema, batch: Array, schema_name: bytes = b"arrow_schema", array_name: bytes = b"arrow_array"
) -> Any:
    return ArrayExporter((capsule(head, schema_name), capsule(batch, array_name)))
