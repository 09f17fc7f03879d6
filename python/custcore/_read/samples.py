"""Values of a column of text that tell how it is written."""

from __future__ import annotations

from typing import Any

__all__ = ["example", "one_for_each_day", "parts", "some"]

FIRST = 2000
# How many rows of a column are looked at for the style of its numbers: so many, at so many places.
PART = 500
PARTS = 20


def some(strings: Any) -> list[str]:  # noqa: ANN401
    """Distinct values for the detection of numbers: of the first rows, and of rows all over the column.

    Parameters
    ----------
    strings : pyarrow.ChunkedArray
        The column.
    """
    step = max(PART, len(strings) // PARTS)
    looked_at = (strings.slice(start, PART).unique().to_pylist() for start in range(0, len(strings), step))
    return list({value: None for part in looked_at for value in part if value is not None})


def parts(strings: Any) -> Any:  # noqa: ANN401
    """Some rows, of places all over the column.

    Parameters
    ----------
    strings : pyarrow.ChunkedArray
        The column.
    """
    import pyarrow as pa

    step = max(PART, len(strings) // PARTS)
    chunks = [chunk for start in range(0, len(strings), step) for chunk in strings.slice(start, PART).chunks]
    return pa.chunked_array(chunks, strings.type)


def one_for_each_day(strings: Any) -> list[str]:  # noqa: ANN401
    """Values for the detection of times: one for every day, as written, as one day may tell day and month apart.

    Parameters
    ----------
    strings : pyarrow.ChunkedArray
        The column.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.replace_substring_regex(strings, r"[T ].*$", "")
    if pc.count_distinct(days).as_py() > len(strings) // 2:
        return [value for value in strings.unique().to_pylist() if value is not None]
    # In one thread: in a process of many threads pyarrow may fail otherwise, with "thread index is out of range".
    found = (
        pa.table({"day": days, "text": strings})
        .group_by("day", use_threads=False)
        .aggregate([("text", "min"), ("text", "max")])
    )
    texts = {*found["text_min"].to_pylist(), *found["text_max"].to_pylist()} | set(some(strings))
    return sorted(texts - {None})


def example(strings: Any) -> str:  # noqa: ANN401
    """The first value that is not null.

    Parameters
    ----------
    strings : pyarrow.ChunkedArray
        The column.
    """
    return next((value for value in strings.slice(0, FIRST).to_pylist() if value is not None), "") or str(
        strings.drop_null()[0]
    )
