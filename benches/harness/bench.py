"""The interface of a bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa


class UnequalError(Exception):
    """Two contenders have different results."""


@dataclass(frozen=True)
class Work:
    """The prepared work of a contender.

    Parameters
    ----------
    run
        The work that is timed, as a whole. What it returns is dropped, or handed to ``to_arrow``.
    to_arrow
        Makes a table of what the work returned, for the comparison. Not timed.
    """

    run: Callable[[], Any]
    to_arrow: Callable[[Any], pa.Table]


@dataclass(frozen=True)
class Contender:
    """One of the implementations compared.

    Parameters
    ----------
    prepare
        Called in the contender's process with the case and the input's path; imports, loads, and gives the work.
    package
        The distribution whose version is recorded; if it is not installed, the contender is skipped.
    asked
        What it is asked to do, in a few words, for the report.
    held
        How many times the size of the input it keeps at rest.
    needed
        How many times the size of the input and the grouped rows it takes at the most, at rest included. Both decide
        beforehand whether memory will do.
    refuses
        Why it cannot do a case; None if it can.
    """

    prepare: Callable[[Any, Path], Work]
    package: str
    asked: str
    held: float = 1.0
    needed: float = 3.0
    refuses: Callable[[Any], str | None] = lambda _case: None


@dataclass(frozen=True)
class Input:
    """The input of a case.

    Parameters
    ----------
    path
        The file that the contenders read or load.
    in_memory
        Bytes it takes in memory.
    grouped
        Bytes that what is kept for each group takes, about.
    to_read
        Bytes that any contender must read at least, for the share of the bandwidth.
    """

    path: Path
    in_memory: int
    grouped: int
    to_read: int


class Bench(Protocol):
    """A bench. Its module must be importable, as the processes of the contenders import it, too.

    A case is a frozen dataclass of plain values with ``threads`` and a unique ``key``, the key of its record.
    """

    name: str

    @property
    def case(self) -> Callable[..., Any]:
        """The class of its cases."""

    @property
    def contenders(self) -> Mapping[str, Contender]:
        """The contenders by name; the first is the reference."""

    def write(self, case: Any, folder: Path) -> Input:
        """Write the input of a case into a folder."""

    def compare(self, case: Any, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Raise `UnequalError` if two results differ; return the number of tolerated differences, by name."""
