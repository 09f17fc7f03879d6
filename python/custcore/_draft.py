"""Files that Python writes, such as Parquet of the command line: whole or not at all, by the rules of the core."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from custcore import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a draft that replaces ``target`` on success and is deleted on failure.

    Raises
    ------
    OSError
        If the file cannot be written, or ``target`` is not a regular file.
    """
    draft = _core.Draft(os.fsdecode(target))
    try:
        with Path(str(draft.path)).open("wb") as sink:
            yield sink
        draft.commit()
    finally:
        draft.discard()
