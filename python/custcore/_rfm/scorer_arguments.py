"""The arguments of ``custcore.RFMScorer``, checked for the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from custcore._rfm.quantile_scorer import numbers, whole_bins
from custcore._rfm.segment_map import SegmentMap
from custcore.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["DIMENSIONS", "Bins", "Cuts", "Segments", "bins_of", "cuts_of", "segments_of"]

Bins: TypeAlias = "int | Sequence[int] | Mapping[str, int]"
Cuts: TypeAlias = "Mapping[str, Sequence[float]]"
Segments: TypeAlias = "Literal['auto'] | str | SegmentMap | None"

DIMENSIONS = ("recency", "frequency", "monetary")


def bins_of(bins: Bins) -> tuple[int, int, int]:
    """Numbers of bins, checked."""
    if isinstance(bins, Mapping):
        unknown = set(bins) - set(DIMENSIONS)
        if unknown:
            raise InvalidArgumentError(
                f"bins has no dimension {sorted(unknown)}; the dimensions are {list(DIMENSIONS)}"
            )
        values: Sequence[object] = [bins.get(name, 5) for name in DIMENSIONS]
    elif isinstance(bins, Sequence):
        values = bins
    else:
        values = [bins] * 3
    if len(values) != 3:
        raise InvalidArgumentError(
            f"bins={bins!r} has {len(values)} entries; expected one number from 2 to 100, or three: "
            "recency, frequency, monetary"
        )
    r, f, m = (whole_bins(value) for value in values)
    return r, f, m


def cuts_of(cuts: Cuts | None) -> tuple[list[float] | None, list[float] | None, list[float] | None]:
    """Given edges, checked."""
    if cuts is None:
        return None, None, None
    if not isinstance(cuts, Mapping):
        raise InvalidTypeError(f"cuts is {type(cuts).__name__}; expected a dict by {list(DIMENSIONS)}")
    unknown = set(cuts) - set(DIMENSIONS)
    if unknown:
        raise InvalidArgumentError(f"cuts has no dimension {sorted(unknown)}; the dimensions are {list(DIMENSIONS)}")
    r, f, m = (None if cuts.get(name) is None else numbers(cuts[name], f"cuts of {name}") for name in DIMENSIONS)
    return r, f, m


def segments_of(segments: Segments) -> object:
    """Segments as the core takes them."""
    if segments is None or segments == "auto":
        return segments
    if isinstance(segments, str):
        return SegmentMap.named(segments)._core
    if isinstance(segments, SegmentMap):
        return segments._core
    raise InvalidTypeError(f"segments is {type(segments).__name__}; expected 'auto', a name, a SegmentMap or None")
