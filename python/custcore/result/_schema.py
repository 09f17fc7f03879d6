"""Names and Arrow types of the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from custcore import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Schema"]


class Schema(Mapping[str, str]):
    """Names and Arrow types of the columns of a table, in order; exports ``__arrow_c_schema__``."""

    __slots__ = ("_core", "_types")

    def __init__(self, core: _core.Table) -> None:
        self._core = core
        self._types = dict(zip(core.column_names, core.column_types, strict=True))

    def __getitem__(self, name: str) -> str:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __arrow_c_schema__(self) -> object:
        return self._core.__arrow_c_schema__()

    def __copy__(self) -> Schema:
        return Schema(self._core)

    def __deepcopy__(self, memo: object) -> Schema:
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        # The rows are not part of the schema.
        return Schema._restored, (self._core.part(0, 0, self._core.column_names).to_bytes(),)

    @classmethod
    def _restored(cls, data: bytes) -> Schema:
        return cls(_core.Table.from_bytes(data))

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {kind}" for name, kind in self._types.items())
