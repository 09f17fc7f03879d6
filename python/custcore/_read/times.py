"""Times in text: the formats that values have, and whether day and month can be told apart."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TimestampGuess", "detect_timestamp_formats", "first_misfit", "parse_timestamps"]

NUMBERS = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{2,4})(?:([T ]\s*)(.+))?")
WORDS = re.compile(r"(\d{1,2})([- ])([A-Za-z]{3,9})\2(\d{2,4})(?:([T ]\s*)(.+))?")
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?( ?[AaPp][Mm])?( ?(?:Z|[+-]\d{2}:?\d{2}))?")
# What only Python parses, value by value.
SLOW = ("%f", "%z", "%B", "%b")


@dataclass(frozen=True)
class TimestampGuess:
    """The formats by which all values are times.

    Attributes
    ----------
    formats : tuple of str
        In the codes of strftime; none if some value is no time.
    ambiguous : bool
        Whether the formats are several readings: no value tells day and month apart.
    """

    formats: tuple[str, ...] = ()
    ambiguous: bool = False


def detect_timestamp_formats(sample: Sequence[str]) -> TimestampGuess:
    """Detect the formats of times.

    Parameters
    ----------
    sample
        Values; every date, if day and month are to be told apart.

    Examples
    --------
    >>> detect_timestamp_formats(["12/1/2010 8:26", "12/13/2010 8:26"])
    TimestampGuess(formats=('%m/%d/%Y %H:%M',), ambiguous=False)
    >>> detect_timestamp_formats(["12/1/2010"])
    TimestampGuess(formats=('%m/%d/%Y', '%d/%m/%Y'), ambiguous=True)
    """
    readings: dict[str, set[str]] = {"month first": set(), "day first": set()}
    for value in sample:
        found = _formats(value.strip())
        for reading in list(readings):
            if reading in found and _is(value.strip(), found[reading]):
                readings[reading].add(found[reading])
            else:
                del readings[reading]
        if not readings:
            return TimestampGuess()
    distinct = {frozenset(formats) for formats in readings.values()}
    formats = dict.fromkeys(one for reading in readings.values() for one in sorted(reading))
    if len({"%z" in one for one in formats}) > 1:  # which zone the others have is not said
        return TimestampGuess()
    return TimestampGuess(tuple(formats), len(distinct) > 1)


def first_misfit(values: Sequence[str]) -> tuple[str, str] | None:
    """The first value that has not the format of those before it, and this format; None if the first has none.

    Parameters
    ----------
    values
        Distinct values in their order; in some way to read them, not all are times.

    Examples
    --------
    >>> first_misfit(["13/1/2026", "14/1/2026", "1/15/2026"])
    ('1/15/2026', '%d/%m/%Y')
    """
    forms = dict.fromkeys(_formats(values[0].strip()).values()) if values else {}
    found = []
    for form in forms:
        row = next((row for row, value in enumerate(values) if not _is(value.strip(), form)), None)
        if row is not None:
            found.append((row, form))
    row, form = max(found, default=(0, ""))
    return (values[row], form) if row else None


def _formats(value: str) -> dict[str, str]:
    """The formats of one value by the order of day and month."""
    words = WORDS.fullmatch(value)
    numbers = NUMBERS.fullmatch(value)
    if words:
        _, sign, month, year, gap, clock = words.groups()
        one = f"%d{sign}{'%b' if len(month) == 3 else '%B'}{sign}{'%Y' if len(year) == 4 else '%y'}"
        orders = {"month first": one, "day first": one}
    elif numbers:
        first, sign, _, last, gap, clock = numbers.groups()
        if len(first) == 4:
            one = f"%Y{sign}%m{sign}%d"
            orders = {"month first": one, "day first": one}
        else:
            year = "%Y" if len(last) == 4 else "%y"
            orders = {"month first": f"%m{sign}%d{sign}{year}", "day first": f"%d{sign}%m{sign}{year}"}
            if sign == ".":  # the sign of countries that write the day first
                orders["month first"] = orders["day first"]
    else:
        return {}
    time = "" if clock is None else _clock(clock, gap)
    return {} if time is None else {name: one + time for name, one in orders.items()}


def _clock(clock: str, gap: str) -> str | None:
    found = CLOCK.fullmatch(clock)
    if not found:
        return None
    seconds, fraction, half, zone = found.groups()
    hours = "%I" if half else "%H"
    return (
        gap
        + hours
        + ":%M"
        + (":%S" if seconds else "")
        + (".%f" if fraction else "")
        + ((" " if half.startswith(" ") else "") + "%p" if half else "")
        + ((" " if zone.startswith(" ") else "") + "%z" if zone else "")
    )


def _is(value: str, form: str) -> bool:
    try:
        datetime.datetime.strptime(value, form)  # noqa: DTZ007 (times without a zone stay so)
    except ValueError:
        return False
    return True


def parse_timestamps(values: Any, formats: Sequence[str]) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """Times of an array of strings; nulls stay. Each value has one of the formats, the first that fits.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        Strings.
    formats
        In the codes of strftime.

    Raises
    ------
    ValueError
        If a value has none of the formats.
    """
    import pyarrow as pa

    is_chunked = isinstance(values, pa.ChunkedArray)
    whole = values.combine_chunks() if is_chunked else values
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    has_zone, is_fine = any("%z" in one for one in formats), any("%f" in one for one in formats)
    kind = pa.timestamp("us" if is_fine or has_zone else "s", "UTC" if has_zone else None)
    distinct = whole.dictionary_encode()
    parsed = _parsed(distinct.dictionary, formats, kind)
    result = parsed.take(distinct.indices)
    return pa.chunked_array([result]) if is_chunked else result


def _parsed(texts: Any, formats: Sequence[str], kind: Any) -> Any:  # noqa: ANN401
    """Times of distinct texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.nulls(len(texts), kind)
    for one in formats:
        if found.null_count == 0:
            break
        if any(code in one for code in SLOW):
            times = pa.array([_one(text, one) for text in texts.to_pylist()], kind)
        else:
            times = _checked(texts, pc.strptime(texts, one, "s", error_is_null=True), one).cast(kind)
        found = pc.coalesce(found, times)
    if found.null_count:
        text = texts[pc.index(found.is_null(), True).as_py()].as_py()
        raise ValueError(f"{text!r} has none of the formats {', '.join(formats)}")
    return found


def _checked(texts: Any, times: Any, form: str) -> Any:  # noqa: ANN401
    """The times without those of days that do not exist: the C library takes February 30 for March 2."""
    import pyarrow as pa
    import pyarrow.compute as pc

    early = pc.fill_null(pc.less_equal(pc.day(times), 3), False)
    rows = pc.indices_nonzero(early)
    wrong = [
        row
        for row, text in zip(rows.to_pylist(), texts.take(rows).to_pylist(), strict=True)
        if _one(text, form) is None
    ]
    if not wrong:
        return times
    is_wrong = pc.is_in(pa.array(range(len(texts)), pa.int64()), pa.array(wrong, pa.int64()))
    return pc.if_else(is_wrong, pa.scalar(None, times.type), times)


def _one(text: str | None, form: str) -> datetime.datetime | None:
    try:
        return None if text is None else datetime.datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return None
