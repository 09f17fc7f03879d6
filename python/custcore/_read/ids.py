"""Ids in text: whole numbers that an export wrote as floats, and leading zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore._read.conversion import Conversion, without_zeros
from custcore._read.samples import example

if TYPE_CHECKING:
    from custcore._read.options import Reading

__all__ = ["are_whole", "spaces_note", "text_ids", "whole_ids", "zeros_note"]


def text_ids(column: str, strings: Any, decimal: str | None) -> tuple[Conversion, Any]:  # noqa: ANN401
    """Ids as text; those that an export wrote as 12346.0 are 12346.

    Parameters
    ----------
    column
        Its name.
    strings : pyarrow.ChunkedArray
        Its values.
    decimal
        The decimal sign of the file.
    """
    import pyarrow as pa

    sign = decimal or "."
    if not are_whole(strings, sign, needs_zeros=True):
        return Conversion(column, "text", pa.string()), strings
    note = (
        f"column {column!r} has whole numbers written as floats ({example(strings)}); read as text without the zeros "
        "at the end"
    )
    return Conversion(column, "text", pa.string(), sign, (note,)), without_zeros(strings, sign)


def whole_ids(column: str, strings: Any, sign: str) -> tuple[Conversion, Any]:  # noqa: ANN401
    """Ids such as 12346.0, or 12346,0 where commas are decimal signs, as integers.

    Parameters
    ----------
    column
        Its name.
    strings : pyarrow.ChunkedArray
        Its values; `are_whole` is true for them.
    sign
        The decimal sign.
    """
    import pyarrow as pa

    note = f"ids of column {column!r} are whole numbers written as floats ({example(strings)}); read as integers"
    return Conversion(column, "whole", pa.int64(), sign, (note,)), without_zeros(strings, sign).cast(pa.int64())


def are_whole(strings: Any, sign: str, *, needs_zeros: bool = False) -> bool:  # noqa: ANN401
    """Whether all values are whole numbers, with zeros behind a decimal sign.

    Parameters
    ----------
    strings : pyarrow.ChunkedArray
        The values.
    sign
        The decimal sign.
    needs_zeros
        Whether each must have them.
    """
    import pyarrow.compute as pc

    behind = rf"\{sign}0+" if needs_zeros else rf"(\{sign}0*)?"
    return bool(pc.all(pc.match_substring_regex(strings, rf"^-?\d{{1,18}}{behind}$"), min_count=1).as_py())


def zeros_note(column: str, strings: Any, values: Any, reading: Reading) -> tuple[str, ...]:  # noqa: ANN401
    """What is to be said if ids that differ in leading zeros become one number.

    Parameters
    ----------
    column
        Its name.
    strings, values : pyarrow.ChunkedArray
        The ids as they are written, and as numbers.
    reading
        What the caller says.
    """
    import pyarrow.compute as pc

    zeros = pc.starts_with(strings, "0")
    if not pc.any(zeros).as_py() or pc.count_distinct(strings).as_py() == pc.count_distinct(values).as_py():
        return ()
    padded = [text for text in strings.filter(zeros).unique().to_pylist() if text and len(text) > 1]
    shown = padded[0] if padded else "007"
    return (
        f"ids of column {column!r} are read as numbers, so that {shown} and {int(shown)} are one; "
        f"{reading.option('text', column)} keeps leading zeros apart",
    )


def spaces_note(column: str, strings: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What is to be said if ids differ in nothing but the spaces around them.

    Parameters
    ----------
    column
        Its name.
    strings : pyarrow.ChunkedArray
        The ids.
    """
    import pyarrow.compute as pc

    if not any(pc.any(test(strings, " ")).as_py() for test in (pc.starts_with, pc.ends_with)):
        return ()
    distinct = strings.unique().drop_null()
    spaced = distinct.filter(pc.or_(pc.starts_with(distinct, " "), pc.ends_with(distinct, " ")))
    bare = pc.utf8_trim_whitespace(spaced)
    twice = spaced.filter(pc.is_in(bare, distinct))
    if not len(twice):
        return ()
    text = twice[0].as_py()
    return (f"ids of column {column!r} differ in spaces around them only: {text!r} and {text.strip()!r} are two",)
