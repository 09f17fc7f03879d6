"""Times as numbers: seconds and their fractions since 1970, serial numbers of Excel, and days such as 20260105."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["COMPACT", "detect_serial", "serial_times"]


class Serial(NamedTuple):
    """A way to count times: the numbers of 1980 and 2100, between which all values are, and its name.

    These ranges do not overlap, so that no value is in two of them.
    """

    low: int
    high: int
    said: str


# Seconds of 1980-01-01 and 2100-01-01.
LOW, HIGH = 315_532_800, 4_102_444_800
# Excel counts days from 1899-12-30.
EPOCH = 25_569
COMPACT = "%Y%m%d"
SERIALS = {
    "days": Serial(LOW // 86_400 + EPOCH, HIGH // 86_400 + EPOCH, "serial numbers of Excel (days since 1899-12-30)"),
    COMPACT: Serial(19_800_101, 21_000_101, f"days written as {COMPACT}"),
    "s": Serial(LOW, HIGH, "seconds since 1970"),
    "ms": Serial(LOW * 1_000, HIGH * 1_000, "milliseconds since 1970"),
    "us": Serial(LOW * 1_000_000, HIGH * 1_000_000, "microseconds since 1970"),
    "ns": Serial(LOW * 1_000_000_000, HIGH * 1_000_000_000, "nanoseconds since 1970"),
}


def detect_serial(numbers: Any) -> tuple[str, str] | None:  # noqa: ANN401 (pyarrow publishes no types)
    """The way in which numbers count times of the years 1980 to 2099, and its name; None if there is none.

    Parameters
    ----------
    numbers : pyarrow.ChunkedArray
        Integers or floats.

    Examples
    --------
    >>> import pyarrow as pa
    >>> detect_serial(pa.chunked_array([[1767601560, 1768294800]]))
    ('s', 'seconds since 1970')
    >>> detect_serial(pa.chunked_array([[1, 2]])) is None
    True
    """
    import pyarrow.compute as pc

    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None:
        return None
    for name, serial in SERIALS.items():
        if serial.low <= ends["min"] and ends["max"] < serial.high:
            return name, serial.said
    return None


def serial_times(strings: Any, name: str) -> Any:  # noqa: ANN401
    """Times of strings of numbers; nulls stay.

    Parameters
    ----------
    strings : pyarrow.Array or pyarrow.ChunkedArray
        The numbers as text.
    name
        The way to count, of `detect_serial`, other than `COMPACT`.

    Raises
    ------
    ValueError
        If a value is outside of the years 1980 to 2099.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    serial = SERIALS[name]
    is_whole = name != "days" and not pc.any(pc.match_substring(strings, ".")).as_py()
    numbers = strings.cast(pa.int64() if is_whole else pa.float64())
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is not None and not (serial.low <= ends["min"] and ends["max"] < serial.high):
        raise ValueError(f"a value is not among {serial.said} of the years 1980 to 2099")
    if is_whole:
        return numbers.cast(pa.timestamp(name))
    if name == "days":
        seconds = pc.subtract(pc.round(pc.multiply(numbers, 86_400.0)), EPOCH * 86_400.0)
        return seconds.cast(pa.int64()).cast(pa.timestamp("s"))
    scale = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[name]
    return pc.round(pc.multiply(numbers, scale)).cast(pa.int64()).cast(pa.timestamp("us"))
