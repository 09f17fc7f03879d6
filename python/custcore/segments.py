"""``custcore.SegmentMap``: names for cells of R, F and M scores, as checked data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

__all__ = ["SegmentMap"]

ScoreRange: TypeAlias = "int | tuple[int, int] | None"


class SegmentMap:
    """An ordered list of segments, each with the ranges of scores it takes; the first that matches wins.

    Parameters
    ----------
    rules : iterable of (name, R range, F range) or (name, R range, F range, M range)
        A range is one score, an inclusive pair, or None for every score.
    bins : int or (R, F) or (R, F, M)
        The numbers of bins it is for.
    rest : str, optional
        The name of what no rule matches; without it an uncovered cell is an error.

    Examples
    --------
    >>> import custcore
    >>> two = custcore.SegmentMap([("good", (3, 5), (3, 5))], bins=5, rest="others")
    >>> two.names
    ['good', 'others']
    >>> len(two.uncovered())
    16
    >>> custcore.SegmentMap.named("rf10").segment(5, 5)
    'champions'
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        rules: Iterable[Sequence[str | ScoreRange]],
        *,
        bins: int | tuple[int, int] | tuple[int, int, int],
        rest: str | None = None,
    ) -> None:
        sizes = (bins, bins, bins) if isinstance(bins, int) else (*bins, 1)[:3]
        self._core = _core.SegmentMap([_rule(rule) for rule in rules], sizes, rest)

    @classmethod
    def named(cls, name: str) -> SegmentMap:
        """A map that comes with custcore: ``"rf10"``, ten segments of 5 R by 5 F bins."""
        return cls._wrap(_core.SegmentMap.named(name))

    @classmethod
    def _wrap(cls, core: _core.SegmentMap) -> SegmentMap:
        segment_map = cls.__new__(cls)
        segment_map._core = core
        return segment_map

    @property
    def names(self) -> list[str]:
        """The segments in their order, the rest last."""
        return self._core.names

    @property
    def bins(self) -> tuple[int, int, int]:
        """Bins of R, F and M; 1 where M plays no part."""
        return self._core.bins

    def segment(self, r: int, f: int, m: int = 1) -> str | None:
        """The segment of one cell; None when its scores are outside the bins."""
        return self._core.segment(r, f, m)

    def uncovered(self) -> list[tuple[int, int, int]]:
        """Cells (R, F, M) that no rule matches; they belong to the rest."""
        return self._core.uncovered()

    def overlaps(self) -> list[tuple[tuple[int, int, int], list[str]]]:
        """Cells that several segments match, with their names; the first has the cell."""
        return self._core.overlaps()

    def __repr__(self) -> str:
        return f"SegmentMap for bins {self.bins}: {', '.join(self.names)}"


def _rule(rule: Sequence[str | ScoreRange]) -> _core.SegmentRule:
    if isinstance(rule, str) or len(rule) not in {3, 4} or not isinstance(rule[0], str):
        raise InvalidTypeError(f"the segment rule {rule!r} is not (name, R range, F range) or (name, R range, F range, M range)")
    name, *ranges = rule
    r, f, m = (_range(part, str(name)) for part in (*ranges, None)[:3])
    return str(name), r, f, m


def _range(part: str | ScoreRange, name: str) -> tuple[int, int] | None:
    if part is None:
        return None
    if isinstance(part, int):
        return part, part
    if isinstance(part, tuple) and len(part) == 2:
        return part
    raise InvalidTypeError(f"segment {name!r}: the range {part!r} is not a score, a pair of scores or None")
