"""How the strings of a column become values, and which value does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from custcore._read.numbers import parse_numbers
from custcore._read.serials import serial_times
from custcore._read.times import parse_timestamps
from custcore.errors import InvalidTypeError

__all__ = ["Conversion", "convert", "trimmed", "without_zeros"]


@dataclass(frozen=True)
class Conversion:
    """How the strings of a column become values.

    Attributes
    ----------
    how : str
        "text", "native", "whole" (floats such as 12346.0 that are whole numbers), "number" (in a style), "time" (in
        formats), "serial" (numbers that count times) or "trimmed" (native, with spaces around).
    type : pyarrow.DataType
        The result.
    detail : object
        The style of numbers, the formats of times, the way to count them, or the decimal sign of whole numbers.
    notes : tuple of str
        What was decided that the data did not state plainly.
    """

    column: str
    how: str
    type: Any
    detail: Any = None
    notes: tuple[str, ...] = ()


def convert(conversion: Conversion, strings: Any, where: str, first_row: int) -> Any:  # noqa: ANN401
    """The values of more strings of a column.

    Parameters
    ----------
    conversion
        What `decide` found.
    strings : pyarrow.Array
        The strings.
    where
        The file, for errors.
    first_row
        The row of the first of them.

    Raises
    ------
    InvalidTypeError
        If one is no such value; it names the row.
    """
    import pyarrow as pa

    kind = conversion.type
    try:
        if pa.types.is_null(kind) and strings.null_count < len(strings):
            raise pa.ArrowInvalid("not null")
        return _values(conversion, strings)
    except (pa.ArrowException, ValueError, TypeError) as error:
        row, value = _first_misfit(conversion, strings)
        raise InvalidTypeError(
            f"{where}: column {conversion.column!r} has {value!r} in row {first_row + row:,}, while the values read "
            f"first are {kind}; {_way_out(conversion)}",
            column=conversion.column,
            row=first_row + row,
        ) from error


def _values(conversion: Conversion, strings: Any) -> Any:  # noqa: ANN401
    how, detail = conversion.how, conversion.detail
    if how == "number":
        values = parse_numbers(strings, detail)
    elif how == "time":
        values = parse_timestamps(strings, detail)
    elif how == "serial":
        values = serial_times(strings, detail)
    elif how == "trimmed":
        values = trimmed(strings)
    elif how in {"text", "whole"}:
        values = strings if detail is None else without_zeros(strings, detail)
    else:
        values = strings
    return values if values.type == conversion.type else values.cast(conversion.type)


def trimmed(strings: Any) -> Any:  # noqa: ANN401
    """Texts without spaces around; what is nothing but spaces is null.

    Parameters
    ----------
    strings : pyarrow.Array or pyarrow.ChunkedArray
        The texts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(strings)
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)


def without_zeros(strings: Any, sign: str) -> Any:  # noqa: ANN401
    """Whole numbers written as 12346.0, as 12346; other texts stay.

    Parameters
    ----------
    strings : pyarrow.Array or pyarrow.ChunkedArray
        The texts.
    sign
        The decimal sign.
    """
    import pyarrow.compute as pc

    return pc.replace_substring_regex(strings, rf"^(-?\d+)\{sign}0*$", r"\1")


def _first_misfit(conversion: Conversion, strings: Any) -> tuple[int, str]:  # noqa: ANN401
    """The first string that a conversion does not take."""
    low, high = 0, len(strings)
    import pyarrow as pa

    def fits(part: Any) -> bool:  # noqa: ANN401
        try:
            if pa.types.is_null(conversion.type):
                return bool(part.null_count == len(part))
            _values(conversion, part)
        except (pa.ArrowException, ValueError, TypeError):
            return False
        return True

    while high - low > 1:
        middle = (low + high) // 2
        if fits(strings.slice(low, middle - low)):
            low = middle
        else:
            high = middle
    return low, str(strings[low].as_py())


def _way_out(conversion: Conversion) -> str:
    import pyarrow as pa

    if pa.types.is_integer(conversion.type):
        return "if the column holds ids, read it as text (text=, --text-ids); else correct the value"
    if conversion.how in {"time", "serial"} or pa.types.is_temporal(conversion.type):
        return "say the formats of all its times (timestamp_format=, --timestamp-format, which may be repeated)"
    return "correct the value, or say how numbers are written (decimal=, thousands=)"
