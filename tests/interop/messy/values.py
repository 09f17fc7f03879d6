"""Numbers and times as people write them."""

from __future__ import annotations

from tests.interop.messy.case import Case, frame

__all__ = ["CASES"]

DAYS = ("2026-01-05", "2026-01-06", "2026-01-20")
IDS = ("ann", "bob", "ann")


def amounts(name: str, what: str, *values: str, plain: tuple[float, ...] = (), sign: str = ";", **more: object) -> Case:
    """Amounts in a way to write them, and the same ones plainly by hand."""
    days = DAYS[: len(values)]
    text = "".join(sign.join(row) + "\n" for row in zip(IDS, days, values, strict=False))
    expected = "".join(f"{c},{d},{v}\n" for c, d, v in zip(IDS, days, plain, strict=False))
    head = sign.join(("customer_id", "timestamp", "amount")) + "\n"
    oracle = frame(expected) if plain else None
    expects = "the numbers" if plain else "not guessed: told how to say it"
    return Case(name, what, expects, (head + text).encode(), oracle, **more)


def times(name: str, what: str, *values: str, plain: tuple[str, ...] = (), **more: object) -> Case:
    """Times in a way to write them, and the same ones in ISO by hand."""
    head = "customer_id,timestamp,amount\n"
    text = "".join(f"{c},{v},2\n" for c, v in zip(IDS, values, strict=False))
    expected = "".join(f"{c},{v},2\n" for c, v in zip(IDS, plain, strict=False))
    oracle = frame(expected) if plain else None
    expects = "the times" if plain else "not guessed: told how to say it"
    return Case(name, what, expects, (head + text).encode(), oracle, **more)


MORNING = ("2026-01-05 08:26:00", "2026-01-13 09:00:00", "2026-01-20 23:59:00")
UNCLEAR = ("amount", "'1,234' in row 0", "decimal", "thousands")

NUMBERS = [
    amounts(
        "thousands_commas.csv",
        "commas between thousands",
        "1,234.50",
        "2.25",
        "-1,000,000.00",
        plain=(1234.5, 2.25, -1e6),
    ),
    amounts(
        "thousands_points.csv",
        "points between thousands, decimal commas",
        "1.234,50",
        "2,25",
        "-1.000.000,00",
        plain=(1234.5, 2.25, -1e6),
    ),
    amounts(
        "thousands_spaces.csv",
        "spaces between thousands",
        "1 234,50",
        "2,25",
        "1 000 000,00",
        plain=(1234.5, 2.25, 1e6),
    ),
    amounts(
        "thousands_nbsp.csv",
        "no-break spaces between thousands",
        "1\u00a0234,50",
        "2,25",
        "1\u202f000\u202f000,00",
        plain=(1234.5, 2.25, 1e6),
    ),
    amounts(
        "thousands_apostrophes.csv",
        "apostrophes between thousands (Switzerland)",
        "1'234.50",
        "2.25",
        "1’000’000.00",
        plain=(1234.5, 2.25, 1e6),
    ),
    amounts("unclear_comma.csv", "a comma that may be either", "1,234", "5,678", error=UNCLEAR),
    amounts(
        "unclear_comma_said.csv", "the same, said", "1,234", "5,678", plain=(1.234, 5.678), options={"decimal": ","}
    ),
    amounts(
        "unclear_comma_thousands.csv",
        "the same, said otherwise",
        "1,234",
        "5,678",
        plain=(1234, 5678),
        options={"thousands": ","},
    ),
    amounts(
        "two_styles.csv",
        "decimal points and decimal commas in one column",
        "1,5",
        "2.25",
        "3",
        error=("amount", "no number", "decimal"),
    ),
    amounts(
        "currency_before.csv", "currency signs before numbers", "$1,234.50", "-$2.25", "$ 4", plain=(1234.5, -2.25, 4)
    ),
    amounts(
        "currency_behind.csv",
        "currency signs behind numbers",
        "1.234,50 €",
        "-2,25 €",
        "4,00 €",
        plain=(1234.5, -2.25, 4),
    ),
    amounts("currency_code.csv", "codes of currencies", "USD 1.50", "USD 2.25", "USD 4", plain=(1.5, 2.25, 4)),
    amounts(
        "two_currencies.csv",
        "several currencies in one column",
        "$1.50",
        "€2.25",
        "$4",
        error=("amount", "currencies", "'€2.25'"),
    ),
    amounts("parentheses.csv", "negatives in parentheses", "1.50", "(2.25)", "(1,004.00)", plain=(1.5, -2.25, -1004)),
    amounts(
        "trailing_minus.csv",
        "a minus behind the number, as SAP writes",
        "1.50",
        "2.25-",
        "4.00-",
        plain=(1.5, -2.25, -4),
    ),
    amounts("unicode_minus.csv", "the minus sign of typography", "1.50", "−2.25", "4", plain=(1.5, -2.25, 4)),
    amounts("exponents.csv", "exponents", "1.5e3", "2E-1", "4", plain=(1500, 0.2, 4)),
    amounts("percent.csv", "percent signs", "5%", "7%", error=("amount", "'5%' in row 0", "no number")),
    amounts("hexadecimal.csv", "hexadecimal numbers", "0x10", "0x20", error=("amount", "'0x10' in row 0", "no number")),
]

TIMES = [
    times(
        "day_first.csv",
        "13/1/2026: the day is first",
        "5/1/2026 8:26",
        "13/1/2026 9:00",
        "20/1/2026 23:59",
        plain=MORNING,
        note="%d/%m/%Y %H:%M",
    ),
    times(
        "month_first.csv",
        "1/13/2026: the month is first",
        "1/5/2026 8:26",
        "1/13/2026 9:00",
        "1/20/2026 23:59",
        plain=MORNING,
        note="%m/%d/%Y %H:%M",
    ),
    times(
        "ambiguous.csv",
        "no value tells day and month apart",
        "1/2/2026",
        "3/4/2026",
        error=("timestamp", "'1/2/2026'", "timestamp_format", "%m/%d/%Y", "%d/%m/%Y"),
    ),
    times(
        "ambiguous_said.csv",
        "the same, said",
        "1/2/2026",
        "3/4/2026",
        plain=("2026-02-01", "2026-04-03"),
        options={"timestamp_format": "%d/%m/%Y"},
    ),
    times(
        "both_orders.csv",
        "13/1 and 1/13 in one column",
        "13/1/2026",
        "1/13/2026",
        error=("timestamp", "'1/13/2026'", "row 1", "timestamp_format"),
    ),
    times(
        "dotted.csv", "points, as in Germany", "05.01.2026 08:26", "13.01.2026 09:00", "20.01.2026 23:59", plain=MORNING
    ),
    times(
        "two_digit_years.csv",
        "years of two digits",
        "05.01.26",
        "13.01.26",
        "20.01.26",
        plain=("2026-01-05", "2026-01-13", "2026-01-20"),
    ),
    times(
        "month_names.csv",
        "names of months",
        "05-Jan-2026",
        "13-Jan-2026",
        "20-Feb-2026",
        plain=("2026-01-05", "2026-01-13", "2026-02-20"),
    ),
    times(
        "half_days.csv",
        "AM and PM",
        "1/5/2026 12:26 AM",
        "1/13/2026 12:26 PM",
        "1/20/2026 11:59 PM",
        plain=("2026-01-05 00:26:00", "2026-01-13 12:26:00", "2026-01-20 23:59:00"),
    ),
    times(
        "iso_offsets.csv",
        "ISO with several offsets",
        "2026-01-05T10:00:00+02:00",
        "2026-01-05T10:00:00Z",
        "2026-01-05T10:00:00-0500",
        plain=("2026-01-05 08:00:00", "2026-01-05 10:00:00", "2026-01-05 15:00:00"),
    ),
    times(
        "some_zones.csv",
        "ISO, some with a zone and some without",
        "2026-01-05T10:00:00Z",
        "2026-01-05T10:00:00",
        error=("timestamp", "zone", "row 1"),
    ),
    times(
        "days_and_times.csv",
        "days and times in one column",
        "2026-01-05",
        "2026-01-13 09:00:00",
        "2026-01-20 23:59:00",
        plain=("2026-01-05 00:00:00", *MORNING[1:]),
    ),
    times(
        "compact.csv",
        "20260105",
        "20260105",
        "20260113",
        "20260120",
        plain=("2026-01-05", "2026-01-13", "2026-01-20"),
        note="%Y%m%d",
    ),
    times(
        "epoch_seconds.csv",
        "seconds since 1970",
        "1767601560",
        "1768294800",
        "1768953540",
        plain=MORNING,
        note="seconds since 1970",
    ),
    times(
        "epoch_millis.csv",
        "milliseconds since 1970",
        "1767601560000",
        "1768294800000",
        "1768953540000",
        plain=MORNING,
        note="milliseconds since 1970",
    ),
    times(
        "excel_serials.csv",
        "serial numbers of Excel",
        "46027.3513888889",
        "46035.375",
        "46042.9993055556",
        plain=MORNING,
        note="serial numbers",
    ),
    times(
        "small_numbers.csv",
        "numbers that are no times",
        "1",
        "2",
        "3",
        error=("timestamp", "numbers", "timestamp_format"),
    ),
    times(
        "no_such_day.csv",
        "a day that does not exist",
        "31.01.2026",
        "30.02.2026",
        error=("timestamp", "'30.02.2026'", "row 1"),
    ),
    times(
        "zero_dates.csv",
        "0000-00-00, as MySQL writes nulls",
        "2026-01-05",
        "0000-00-00",
        error=("timestamp", "'0000-00-00'", "row 1"),
    ),
    times(
        "year_3000.csv",
        "a year beyond those of nanoseconds",
        "3000-01-05",
        "9999-12-31",
        plain=("3000-01-05", "9999-12-31"),
    ),
]

CASES = [*NUMBERS, *TIMES]
