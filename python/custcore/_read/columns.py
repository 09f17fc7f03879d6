"""From strings to values: which type a column of text has, decided by all values that are at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from custcore._read.options import ID_ROLES
from custcore._read.samples import example, one_for_each_day, some
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from custcore._read.options import Reading

__all__ = ["Conversion", "convert", "decide", "file_decimal"]

FIRST = 2000
# What is tried, in this order; the first that all values have is the type.
NATIVE = ("int64", "double", "bool", "date32", "timestamp[s]", "timestamp[us]", "timestamp[ns]", "timestamp[us, UTC]")
TIMES = NATIVE[3:]


@dataclass(frozen=True)
class Conversion:
    """How the strings of a column become values.

    Attributes
    ----------
    how : str
        "text", "native", "whole" (floats such as 12346.0 that are whole numbers), "number" (in a style) or "time".
    type : pyarrow.DataType
        The result.
    detail : object
        The style of numbers, or the formats of times.
    notes : tuple of str
        What was decided that the data did not state plainly.
    """

    column: str
    how: str
    type: Any
    detail: Any = None
    notes: tuple[str, ...] = ()


def decide(
    column: str,
    strings: Any,  # noqa: ANN401 (pyarrow publishes no types)
    role: str | None,
    reading: Reading,
    decimal: str | None,
    where: str,
) -> tuple[Conversion, Any]:
    """Decide what the values of a column are, and convert those at hand.

    Parameters
    ----------
    column
        Its name.
    strings : pyarrow.ChunkedArray
        All its values, or a sample.
    role
        What it is for, if known.
    reading
        What the caller says.
    decimal
        The decimal sign that other columns of the file show.
    where
        The file, for errors.

    Returns
    -------
    tuple
        The conversion, and the values.
    """
    import pyarrow as pa

    is_id = role in ID_ROLES
    if column in reading.text or (is_id and reading.text_ids):
        return _text(column, strings)
    if strings.null_count == len(strings):
        kind = {"amount": pa.float64(), "timestamp": pa.timestamp("s")}.get(
            role or "", pa.int64() if is_id else pa.null()
        )
        return Conversion(column, "native", kind), pa.chunked_array([pa.nulls(len(strings), kind)])
    if reading.timestamp_format and role in {None, "timestamp"}:
        found = _times(column, strings, reading, where, role)
        if found:
            return found
    style_first = decimal == "," or reading.decimal is not None or reading.thousands is not None
    names = NATIVE if not style_first else tuple(name for name in NATIVE if name != "double")
    native = _native(column, strings, names)
    if native:
        return _by_role(*native, strings, role, reading)
    if not is_id and role != "timestamp":
        styled = _styled(column, strings, reading, decimal)
        if styled:
            return styled
    if role in {None, "timestamp"} and not reading.timestamp_format:
        found = _times(column, strings, reading, where, role)
        if found:
            return found
    if style_first:
        native = _native(column, strings, ("double",))
        if native:
            return _by_role(*native, strings, role, reading)
    if role == "amount":
        raise InvalidTypeError(_not_numbers(column, strings, reading, where), column=column)
    if role == "timestamp":
        raise InvalidTypeError(
            f"{where}: column {column!r} is text, {example(strings)!r} for instance, and no date in a format that can "
            f"be told; say its format, e.g. {reading.option('timestamp_format', '%d/%m/%Y %H:%M')}",
            column=column,
        )
    return Conversion(column, "text", pa.string()), strings


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
        if conversion.how == "text":
            return strings
        if conversion.how == "whole":
            return _whole(strings).cast(kind)
        if conversion.how == "number":
            return _cast(_parse_numbers(strings, conversion.detail), kind)
        if conversion.how == "time":
            return _cast(_parse_times(strings, conversion.detail), kind)
        return strings.cast(kind)
    except (pa.ArrowException, ValueError, TypeError) as error:
        row, value = _first_misfit(conversion, strings)
        raise InvalidTypeError(
            f"{where}: column {conversion.column!r} has {value!r} in row {first_row + row:,}, while the values read "
            f"first are {kind}; {_way_out(conversion)}",
            column=conversion.column,
            row=first_row + row,
        ) from error


def file_decimal(samples: list[Any], reading: Reading) -> str | None:
    """The decimal sign of a file: that of the first column whose values show it.

    Parameters
    ----------
    samples : list of pyarrow.ChunkedArray
        Strings of every column.
    reading
        What the caller says.
    """
    if reading.decimal is not None:
        return reading.decimal
    import pyarrow.compute as pc

    from custcore._read.numbers import detect_number_style

    for strings in samples:
        if pc.any(pc.match_substring_regex(strings, r"\d,\d")).as_py():
            values = some(strings)
            style = detect_number_style(values)
            if style is not None and style.decimal == ",":
                return ","
    return None


def _text(column: str, strings: Any) -> tuple[Conversion, Any]:  # noqa: ANN401
    """Ids as text; those that an export wrote as 12346.0 are 12346."""
    import pyarrow as pa
    import pyarrow.compute as pc

    floats = pc.match_substring_regex(strings, r"^-?\d+\.0$")
    if pc.all(floats, min_count=1).as_py():
        note = f"column {column!r} has whole numbers written as floats ({example(strings)}); read as text without .0"
        plain = pc.replace_substring_regex(strings, r"\.0$", "")
        return Conversion(column, "text", pa.string(), notes=(note,)), plain
    return Conversion(column, "text", pa.string()), strings


def _native(column: str, strings: Any, names: tuple[str, ...]) -> tuple[Conversion, Any] | None:  # noqa: ANN401
    """The type that pyarrow parses all values as."""
    import pyarrow as pa

    for name in names:
        kind = _type(name)
        try:
            strings.slice(0, FIRST).cast(kind)
            values = strings.cast(kind)
        except pa.ArrowException:
            continue
        if name == "int64" and _has_letters(strings):  # 0x10 is no number here
            continue
        return Conversion(column, "native", kind), values
    return None


def _by_role(
    conversion: Conversion,
    values: Any,  # noqa: ANN401
    strings: Any,  # noqa: ANN401
    role: str | None,
    reading: Reading,
) -> tuple[Conversion, Any]:
    """What a column is for decides between whole numbers and floats, and what has to be said of ids."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column, kind = conversion.column, conversion.type
    if role == "operand" and pa.types.is_floating(kind):
        exact = _decimals(strings)
        return (conversion, values) if exact is None else (replace(conversion, type=exact.type), exact)
    if role == "amount" and pa.types.is_integer(kind):
        return replace(conversion, type=pa.float64()), strings.cast(pa.float64())
    if role in ID_ROLES and pa.types.is_floating(kind) and _are_whole(strings):
        note = f"ids of column {column!r} are whole numbers written as floats ({example(strings)}); read as integers"
        ids = _whole(strings).cast(pa.int64())
        return replace(conversion, how="whole", type=pa.int64(), notes=(note,)), ids
    if role in ID_ROLES and pa.types.is_integer(kind):
        zeros = pc.starts_with(strings, "0")
        if pc.any(zeros).as_py() and pc.count_distinct(strings).as_py() != pc.count_distinct(values).as_py():
            padded = [text for text in strings.filter(zeros).unique().to_pylist() if text and len(text) > 1]
            shown = padded[0] if padded else "007"
            note = (
                f"ids of column {column!r} are read as numbers, so that {shown} and {int(shown)} are one; "
                f"{reading.option('text', column)} keeps leading zeros apart"
            )
            return replace(conversion, notes=(note,)), values
    return conversion, values


def _are_whole(strings: Any) -> bool:  # noqa: ANN401
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(strings, r"^-?\d{1,18}(\.0+)?$"), min_count=1).as_py())


def _decimals(strings: Any) -> Any:  # noqa: ANN401
    """The values as decimals, if they are plain: then products of columns are exact."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(strings, r"^-?\d{1,11}(\.\d{0,6})?$"), min_count=0).as_py():
        return None
    try:
        return strings.cast(pa.decimal128(18, 6))
    except pa.ArrowException:
        return None


def _styled(column: str, strings: Any, reading: Reading, decimal: str | None) -> tuple[Conversion, Any] | None:  # noqa: ANN401
    """Numbers with a decimal comma, thousands, a currency or parentheses."""
    from custcore._read.numbers import NumberStyle, detect_number_style

    values = some(strings)
    if not any(letter.isdigit() for value in values[:50] for letter in value):
        return None
    style = detect_number_style(values)
    if decimal is not None or reading.thousands is not None:
        sign = decimal or "."
        thousands = reading.thousands or ("." if sign == "," else ",")
        style = (
            replace(style, decimal=sign, thousands=thousands)
            if style is not None
            else NumberStyle(decimal=sign, thousands=thousands)
        )
    if style is None:
        return None
    try:
        _parse_numbers(strings.slice(0, FIRST), style)
        numbers = _parse_numbers(strings, style)
    except (ValueError, TypeError):
        return None
    return Conversion(column, "number", numbers.type, style), numbers


def _times(column: str, strings: Any, reading: Reading, where: str, role: str | None) -> tuple[Conversion, Any] | None:  # noqa: ANN401
    """Times in given formats, or in the one format that all values have."""
    from custcore._read.times import detect_timestamp_formats

    notes: tuple[str, ...] = ()
    formats = reading.timestamp_format
    if not formats and not any(letter.isdigit() for letter in example(strings)):
        return None
    if not formats:
        guess = detect_timestamp_formats(one_for_each_day(strings))
        if not guess.formats:
            return None
        if guess.ambiguous:
            if role is None:
                return None
            ways = " or ".join(reading.option("timestamp_format", one) for one in guess.formats)
            raise InvalidTypeError(
                f"{where}: column {column!r} has dates such as {example(strings)!r}, whose day and month no value "
                f"tells apart; say the format: {ways}",
                column=column,
            )
        formats = tuple(guess.formats)
        said = ", ".join(formats)
        notes = (f"times of column {column!r} are read as {said} (the only reading of all values)",)
    try:
        if role is None:
            _parse_times(strings.slice(0, FIRST), formats)
        values = _parse_times(strings, formats)
    except (ValueError, TypeError) as error:
        if role is None or not reading.timestamp_format:
            return None
        raise InvalidTypeError(f"{where}: column {column!r}: {error}", column=column) from None
    return Conversion(column, "time", values.type, formats, notes), values


def _parse_numbers(strings: Any, style: Any) -> Any:  # noqa: ANN401
    from custcore._read.numbers import parse_numbers

    return parse_numbers(strings, style)


def _parse_times(strings: Any, formats: Any) -> Any:  # noqa: ANN401
    from custcore._read.times import parse_timestamps

    return parse_timestamps(strings, formats)


def _whole(strings: Any) -> Any:  # noqa: ANN401
    import pyarrow.compute as pc

    return pc.replace_substring_regex(strings, r"\.0*$", "")


def _cast(values: Any, kind: Any) -> Any:  # noqa: ANN401
    return values if values.type == kind else values.cast(kind)


def _type(name: str) -> Any:  # noqa: ANN401
    import pyarrow as pa

    if name.startswith("timestamp"):
        unit, *zone = name[10:-1].split(", ")
        return pa.timestamp(unit, zone[0] if zone else None)
    return {"int64": pa.int64(), "double": pa.float64(), "bool": pa.bool_(), "date32": pa.date32()}[name]


def _has_letters(strings: Any) -> bool:  # noqa: ANN401
    import pyarrow.compute as pc

    prefixed = pc.or_(pc.starts_with(strings, "0"), pc.starts_with(strings, "-0"))
    return bool(pc.any(pc.match_substring_regex(strings.filter(prefixed), "[xX]")).as_py())


def _not_numbers(column: str, strings: Any, reading: Reading, where: str) -> str:  # noqa: ANN401
    import pyarrow as pa

    row, value = 0, ""
    for row, value in enumerate(strings.to_pylist()):  # noqa: B007 (used after the loop)
        if value is not None:
            try:
                pa.array([value]).cast(pa.float64())
            except pa.ArrowException:
                break
    return (
        f"{where}: column {column!r} has {value!r} in row {row:,}, which is no number; how numbers are written is said "
        f"by {reading.option('decimal', ',')} and {reading.option('thousands', '.')}"
    )


def _first_misfit(conversion: Conversion, strings: Any) -> tuple[int, str]:  # noqa: ANN401
    """The first string that a conversion does not take."""
    low, high = 0, len(strings)
    import pyarrow as pa

    def fits(part: Any) -> bool:  # noqa: ANN401
        try:
            if pa.types.is_null(conversion.type):
                return bool(part.null_count == len(part))
            if conversion.how == "number":
                _cast(_parse_numbers(part, conversion.detail), conversion.type)
            elif conversion.how == "time":
                _cast(_parse_times(part, conversion.detail), conversion.type)
            else:
                (_whole(part) if conversion.how == "whole" else part).cast(conversion.type)
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
    if conversion.how == "time" or pa.types.is_temporal(conversion.type):
        return "say the formats of all its times (timestamp_format=, --timestamp-format, which may be repeated)"
    return "correct the value, or say how numbers are written (decimal=, thousands=)"
