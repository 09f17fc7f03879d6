"""``custcore.SegmentMap``: names for cells of R, F and M scores, as checked data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore._persistable import Persistable
from custcore._rfm.quantile_scorer import whole_bins
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

__all__ = ["SegmentMap"]

ScoreRange: TypeAlias = "int | tuple[int, int] | None"


@proposing_methods
class SegmentMap(Persistable):
    """An ordered list of segments with ranges of scores; the first match counts.

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
        asked: object = bins
        given = (bins,) * 3 if isinstance(bins, int) else tuple(asked) if isinstance(asked, tuple | list) else ()
        if len(given) not in {2, 3}:
            raise InvalidArgumentError(f"bins={bins!r} is not one number, (R, F) or (R, F, M)")
        # M of 1 bin is not used.
        sizes = (
            *(whole_bins(size) for size in given[:2]),
            *(size if size == 1 else whole_bins(size) for size in given[2:]),
            1,
        )
        if isinstance(rules, str) or not isinstance(rules, Iterable):
            raise InvalidTypeError(
                f"rules={rules!r} is {type(rules).__name__}; expected a list of (name, R range, F range)"
            )
        checked = [_rule(rule, sizes) for rule in rules]
        self._core = _core.SegmentMap(checked, sizes[:3], arguments.optional_name("rest", rest))

    @classmethod
    def named(
        cls, name: str, *, lang: Literal["en", "zh"] = "en", center: Literal["mean", "median"] = "mean"
    ) -> SegmentMap:
        """Return a map that is included in custcore.

        Parameters
        ----------
        name : {"rf10", "octants", "r_vignette"}
            ``"rf10"``: ten segments of 5 R by 5 F bins, the default. ``"octants"``: the eight
            segments usual in China, by values: R is high where the last purchase is more recent
            than the centre of all customers, F and M where they lie strictly above theirs.
            ``"r_vignette"``: R's package rfm 0.3.0, 5 bins each, rest "Others".
        lang : {"en", "zh"}
            The language of the octants' names.
        center : {"mean", "median"}
            The centre that divides low from high.
        """
        words = (
            arguments.name("the name of segments", name),
            arguments.name("lang", lang),
            arguments.name("center", center),
        )
        return cls._wrap(_core.SegmentMap.named(*words))

    @classmethod
    def _wrap(cls, core: _core.SegmentMap) -> Self:
        segment_map = cls.__new__(cls)
        segment_map._core = core
        return segment_map

    @property
    def names(self) -> list[str]:
        """The segments in order, ``rest`` last."""
        return self._core.names

    @property
    def bins(self) -> tuple[int, int, int] | None:
        """Bins of R, F and M, 1 if M is not used; None for the octants, which use values."""
        return self._core.bins

    def segment(self, r: int, f: int, m: int = 1) -> str | None:
        """The segment of one cell; None when its scores are outside the bins.

        Parameters
        ----------
        r, f, m : int
            The scores of recency, frequency and money; m is 1 if the map has no M.
        """
        return self._core.segment(r, f, m)

    def uncovered(self) -> list[tuple[int, int, int]]:
        """Cells (R, F, M) that no rule matches; they belong to ``rest``."""
        return self._core.uncovered()

    def overlaps(self) -> list[tuple[tuple[int, int, int], list[str]]]:
        """Cells that several segments match, with their names; the cell belongs to the first."""
        return self._core.overlaps()

    @property
    def rest(self) -> str | None:
        """The name of the segment of all cells that no rule matches."""
        return self._core.rest

    @property
    def rules(self) -> list[tuple[str, tuple[int, int] | None, tuple[int, int] | None, tuple[int, int] | None]]:
        """The rules in order: name, and inclusive ranges of R, F and M (None for all scores)."""
        return self._core.rules

    def _can_be_saved(self) -> bool:
        return True

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        return cls._wrap(_core.SegmentMap.from_bytes(data))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (self._bytes(),)

    def __eq__(self, other: object) -> bool:
        return self._bytes() == other._bytes() if isinstance(other, SegmentMap) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._bytes())

    def __repr__(self) -> str:
        """Show the map as a grid of R (down) by F (across); if M is used, a cell may have several segments."""
        if self.bins is None:
            return f"SegmentMap by value: {', '.join(self.names)}"
        r_bins, f_bins, m_bins = self.bins
        head = f"SegmentMap of {len(self.names)} segments, {r_bins} R x {f_bins} F"
        lines = [head + (f" x {m_bins} M" if m_bins > 1 else ""), *self._grid(r_bins, f_bins, m_bins)]
        if self.uncovered():
            lines.append(f"{len(self.uncovered())} cells uncovered (rest: {self.rest!r})")
        if self.overlaps():
            lines.append(f"{len(self.overlaps())} cells matched by several segments; the first has them")
        return "\n".join(lines)

    def _grid(self, r_bins: int, f_bins: int, m_bins: int) -> list[str]:
        """Lines of the grid, the best R first."""
        rows = [["R\\F", *(str(f) for f in range(1, f_bins + 1))]]
        rows.extend([str(r), *(self._cell(r, f, m_bins) for f in range(1, f_bins + 1))] for r in range(r_bins, 0, -1))
        widths = [max(len(row[i]) for row in rows) for i in range(f_bins + 1)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def _cell(self, r: int, f: int, m_bins: int) -> str:
        """Distinct segments of one cell over all M, in the order of M."""
        return "/".join(dict.fromkeys(self.segment(r, f, m) or "-" for m in range(1, m_bins + 1)))


def _rule(rule: object, sizes: tuple[int, ...]) -> _core._SegmentRule:
    if (
        isinstance(rule, str)
        or not isinstance(rule, Sequence)
        or len(rule) not in {3, 4}
        or not isinstance(rule[0], str)
    ):
        raise InvalidTypeError(
            f"the segment rule {rule!r} is not (name, R range, F range) or (name, R range, F range, M range)"
        )
    segment, *ranges = rule
    r, f, m = (
        _range(part, f"segment {segment!r}: the {dimension} range", bins)
        for part, dimension, bins in zip((*ranges, None), "RFM", sizes, strict=False)
    )
    return segment, r, f, m


def _range(part: object, what: str, bins: int) -> tuple[int, int] | None:
    if part is None:
        return None
    low, high = part if isinstance(part, tuple) and len(part) == 2 else (part, part)
    if not isinstance(low, int) or not isinstance(high, int):
        raise InvalidTypeError(f"{what} {part!r} is not a score, a pair of scores or None")
    if not 1 <= low <= high <= bins:
        raise InvalidArgumentError(f"{what} {low} to {high} is not within 1 to {bins}, the lower score first")
    return low, high
