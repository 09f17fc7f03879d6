"""From strings to values: which type a column of text has, decided by all values that are at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from custcore._read.conversion import Conversion, trimmed
from custcore._read.ids import are_whole, spaces_note, text_ids, whole_ids, zeros_note
from custcore._read.numbers import NotANumberError, NumberStyle, detect_number_style, other_currency, parse_numbers
from custcore._read.options import ID_ROLES
from custcore._read.samples import example, one_for_each_day, some
from custcore._read.serials import COMPACT, detect_serial, serial_times
from custcore._read.times import detect_timestamp_formats, first_misfit, parse_timestamps
from custcore.errors import InvalidTypeError

if TYPE_CHECKING:
    from custcore._read.options import Reading

__all__ = ["decide", "file_decimal"]

FIRST = 2000
# What is tried, in this order; the first that all values have is the type.
NATIVE = ("int64", "double", "bool", "date32", "timestamp[s]", "timestamp[us]", "timestamp[ns]", "timestamp[us, UTC]")
# How often a style of numbers is detected anew with a value that does not fit.
RETRIES = 5


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
        return text_ids(column, strings, decimal)
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
    if native is None and _has_spaces(strings):
        bare = trimmed(strings)
        native = _native(column, bare, names)
        if native is not None or role == "timestamp":
            strings = bare
        if native is not None:
            native = (replace(native[0], how="trimmed"), native[1])
    if native:
        return _by_role(*native, strings, role, reading, where)
    if is_id and decimal == "," and are_whole(strings, ","):
        return whole_ids(column, strings, ",")
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
            return _by_role(*native, strings, role, reading, where)
    if role == "amount":
        raise InvalidTypeError(_not_numbers(column, strings, reading, where), column=column)
    if role == "timestamp":
        raise InvalidTypeError(_not_times(column, strings, reading, where), column=column)
    notes = spaces_note(column, strings) if is_id else ()
    return Conversion(column, "text", pa.string(), notes=notes), strings


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

    for strings in samples:
        if pc.any(pc.match_substring_regex(strings, r"\d,\d")).as_py():
            values = some(strings)
            style = detect_number_style(values)
            if style is not None and style.decimal == ",":
                return ","
    return None


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
    where: str,
) -> tuple[Conversion, Any]:
    """What a column is for decides between whole numbers and floats, and what has to be said of ids."""
    import pyarrow as pa

    column, kind = conversion.column, conversion.type
    if role == "operand" and pa.types.is_floating(kind):
        exact = _decimals(strings)
        return (conversion, values) if exact is None else (replace(conversion, type=exact.type), exact)
    if role == "amount" and pa.types.is_integer(kind):
        return replace(conversion, type=pa.float64()), strings.cast(pa.float64())
    if role == "timestamp" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _serial(column, strings, values, reading, where)
    if role in ID_ROLES and pa.types.is_floating(kind) and are_whole(strings, "."):
        return whole_ids(column, strings, ".")
    if role in ID_ROLES and pa.types.is_integer(kind):
        return replace(conversion, notes=zeros_note(column, strings, values, reading)), values
    return conversion, values


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
    values = some(strings)
    if not any(letter.isdigit() for value in values[:50] for letter in value):
        return None
    for _ in range(RETRIES):
        style = _style(values, reading, decimal)
        if style is None:
            return None
        try:
            parse_numbers(strings.slice(0, FIRST), style)
            numbers = parse_numbers(strings, style)
        except NotANumberError as error:
            if error.value in values:
                return None
            values.append(error.value)  # the sample has no such value: a style for it, too
            continue
        return Conversion(column, "number", numbers.type, style), numbers
    return None


def _style(values: list[str], reading: Reading, decimal: str | None) -> NumberStyle | None:
    """The style of numbers that the values show, with the signs that are known."""
    style = detect_number_style(values)
    if decimal is None and reading.thousands is None:
        return style
    style, sign = style or NumberStyle(), decimal or "."
    shown = style.thousands if style.thousands != sign else None
    thousands = reading.thousands or shown or ("." if sign == "," else ",")
    return replace(style, decimal=sign, thousands=thousands)


def _times(column: str, strings: Any, reading: Reading, where: str, role: str | None) -> tuple[Conversion, Any] | None:  # noqa: ANN401
    """Times in given formats, or in the one format that all values have."""
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
            parse_timestamps(strings.slice(0, FIRST), formats)
        values = parse_timestamps(strings, formats)
    except (ValueError, TypeError) as error:
        if role is None or not reading.timestamp_format:
            return None
        raise InvalidTypeError(f"{where}: column {column!r}: {error}", column=column) from None
    return Conversion(column, "time", values.type, formats, notes), values


def _serial(column: str, strings: Any, numbers: Any, reading: Reading, where: str) -> tuple[Conversion, Any]:  # noqa: ANN401
    """Times that are counted, in the one way that makes all of them times of our days."""
    found = detect_serial(numbers)
    if found is None:
        raise InvalidTypeError(
            f"{where}: column {column!r} has numbers, {example(strings)} for instance, which are neither times since "
            "1970, serial numbers of Excel nor days such as 20260105, of the years 1980 to 2099; write them as ISO "
            f"times, or say their format, e.g. {reading.option('timestamp_format', '%Y%m')}",
            column=column,
        )
    name, said = found
    note = (f"times of column {column!r} are {said}",)
    if name != COMPACT:
        times = serial_times(strings, name)
        return Conversion(column, "serial", times.type, name, note), times
    try:
        times = parse_timestamps(strings, (COMPACT,))
    except ValueError as error:
        raise InvalidTypeError(f"{where}: column {column!r}: {error}", column=column) from None
    return Conversion(column, "time", times.type, (COMPACT,), note), times


def _has_spaces(strings: Any) -> bool:  # noqa: ANN401
    """Whether some value has a space around it."""
    import pyarrow.compute as pc

    return any(pc.any(test(strings, sign)).as_py() for sign in " \t" for test in (pc.starts_with, pc.ends_with))


def _not_times(column: str, strings: Any, reading: Reading, where: str) -> str:  # noqa: ANN401
    """What is said of text that is no time: the value that differs from those before it, or the first."""
    import pyarrow.compute as pc

    option = reading.option("timestamp_format", "%d/%m/%Y %H:%M")
    found = first_misfit([value for value in strings.unique().to_pylist() if value is not None])
    if found is None:
        return (
            f"{where}: column {column!r} is text, {example(strings)!r} for instance, and no date in a format that can "
            f"be told; say its format, e.g. {option}"
        )
    value, form = found
    row = pc.index(strings, value).as_py()
    zone = "; some have a time zone and some have none" if "%z" in form else ""
    return (
        f"{where}: column {column!r} has {value!r} in row {row:,}, while the values before it are {form}{zone}; "
        f"correct the value, or say all formats, e.g. {option}"
    )


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

    found = other_currency(some(strings))
    if found is not None:
        return (
            f"{where}: column {column!r} has amounts in several currencies, {found!r} for instance; convert them to "
            "one before they are added"
        )
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
