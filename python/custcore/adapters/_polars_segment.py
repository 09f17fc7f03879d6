"""The segment column of a result in polars."""

from __future__ import annotations

import polars as pl

import custcore

__all__ = ["with_ordered_segment"]


def with_ordered_segment(frame: pl.DataFrame, segments: object) -> pl.DataFrame:
    """Convert the segment, if any, to an Enum, which sorts in the order of its map; a Categorical sorts alphabetically.

    ``segments`` is a map, the name of one, or a list of names; otherwise the frame is unchanged.
    """
    if isinstance(segments, str):
        segments = custcore.SegmentMap.named("rf10" if segments == "auto" else segments)
    names = segments.names if isinstance(segments, custcore.SegmentMap) else segments
    if not isinstance(names, list) or "segment" not in frame.columns:
        return frame
    return frame.with_columns(pl.col("segment").cast(pl.String).cast(pl.Enum(names)))
