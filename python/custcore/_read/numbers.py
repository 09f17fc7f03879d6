"""Numbers as people write them: decimal commas, thousands, currencies, parentheses for negatives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NotANumberError", "NumberStyle", "detect_number_style", "other_currency", "parse_numbers"]

# One currency each, in the ways to write it.
CURRENCIES = (
    r"US\$|USD|\$",
    "€|EUR",
    "£|GBP",
    "¥|JPY",
    "CNY|RMB",
    "CHF",
    r"kr\.?",
    "zł",
    *"₹₽₩฿₺₴",
)
SPACES = "[ \u00a0\u202f\u2009]"


def _before(currency: str) -> str:
    """A currency before a number, after its sign or bracket: not between its digits."""
    return rf"^([-+(−]?){SPACES}*(?:{currency}){SPACES}*"


def _behind(currency: str) -> str:
    """A currency behind a number."""
    return rf"{SPACES}*(?:{currency}){SPACES}*([-−)]?)$"


GROUPS = "'’"
BODY = re.compile(rf"\d[\d.,{GROUPS} \u00a0\u202f\u2009]*|[.,]\d+")
# What has no currency.
PLAIN = re.compile(rf"[-+−(]?[\d.,{GROUPS} \u00a0\u202f\u2009]*[-−)]?")


class NotANumberError(ValueError):
    """A value is no number in a style.

    Attributes
    ----------
    row : int
        Its row.
    value : str
        The value.
    """

    def __init__(self, row: int, value: str) -> None:
        super().__init__(f"row {row:,} has {value!r}, which is no number")
        self.row = row
        self.value = value


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written.

    Attributes
    ----------
    decimal : str
        The decimal sign.
    thousands : str or None
        The sign between groups of three digits; " " stands for any space, "'" for any apostrophe.
    currency : str
        The currency that may be around numbers, as a regular expression; empty if there is none.
    parentheses : bool
        Whether parentheses are negative amounts.
    """

    decimal: str = "."
    thousands: str | None = None
    currency: str = ""
    parentheses: bool = False


def detect_number_style(sample: Sequence[str]) -> NumberStyle | None:
    """The style in which all values are numbers; None if there is none, or several (``1,234``).

    Parameters
    ----------
    sample
        Distinct values.

    Examples
    --------
    >>> detect_number_style(["1.020,34", "15,30"])
    NumberStyle(decimal=',', thousands='.', currency='', parentheses=False)
    >>> detect_number_style(["1,234", "5,678"]) is None
    True
    """
    decimals: set[str] = set()
    groups: set[str] = set()
    unclear: set[str] = set()
    currencies: set[str] = set()
    parentheses = False
    for value in sample:
        text = value.strip(" \u00a0\t")
        bare = _without_currency(text, currencies)
        if bare.startswith("(") and bare.endswith(")"):
            bare, parentheses = bare[1:-1].strip(), True
            bare = _without_currency(bare, currencies)
        bare = bare.strip("-+−").strip(" \u00a0")
        if not BODY.fullmatch(bare):
            return None
        _signs(bare, decimals, groups, unclear)
    if len(currencies) > 1 or len(decimals) > 1 or len(groups) > 1 or decimals & groups:
        return None
    unclear -= decimals | groups
    if unclear == {","} and (decimals == {"."}):
        groups, unclear = groups | {","}, set()
    if unclear == {"."} and (decimals == {","}):
        groups, unclear = groups | {"."}, set()
    if unclear or len(groups) > 1:
        return None
    decimal = next(iter(decimals), "," if groups == {"."} else ".")
    return NumberStyle(decimal, next(iter(groups), None), next(iter(currencies), ""), parentheses)


def _without_currency(text: str, found: set[str]) -> str:
    """A number without the currency around it, which is added to those found."""
    if PLAIN.fullmatch(text):
        return text
    for currency in CURRENCIES:
        bare = re.sub(_behind(currency), r"\1", re.sub(_before(currency), r"\1", text)).strip(" \u00a0")
        if bare != text:
            found.add(currency)
            return bare
    return text


def other_currency(sample: Sequence[str]) -> str | None:
    """The first value whose currency is not that of the values before it.

    Parameters
    ----------
    sample
        Values.

    Examples
    --------
    >>> other_currency(["$1.50", "2", "€2.25"])
    '€2.25'
    """
    found: set[str] = set()
    for value in sample:
        _without_currency(value.strip(" \u00a0\t"), found)
        if len(found) > 1:
            return value
    return None


def _signs(bare: str, decimals: set[str], groups: set[str], unclear: set[str]) -> None:
    """What the signs of one number are."""
    if any(sign in bare for sign in GROUPS):
        groups.add("'")
    if re.search(SPACES, bare):
        groups.add(" ")
    found = [letter for letter in bare if letter in ".,"]
    kinds = set(found)
    if len(kinds) == 2:
        decimals.add(found[-1])
        groups.add(found[0])
    elif len(found) > 1:
        groups.add(found[0])
    elif found:
        before, after = re.split("[.,]", re.sub(rf"{SPACES}|[{GROUPS}]", "", bare))
        if len(after) != 3 or len(before) > 3 or before in {"", "0"}:
            decimals.add(found[0])
        else:
            unclear.add(found[0])


def parse_numbers(values: Any, style: NumberStyle) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """Numbers of an array of strings; nulls stay.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        Strings.
    style
        How they are written.

    Returns
    -------
    pyarrow.Array or pyarrow.ChunkedArray
        float64, which custcore sums without rounding.

    Raises
    ------
    NotANumberError
        If a value is no such number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    group, decimal = style.thousands, re.escape(style.decimal)
    text = pc.utf8_trim_whitespace(values)
    if style.currency:
        text = pc.replace_substring_regex(text, _before(style.currency), r"\1")
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, _behind(style.currency), r"\1"))
    if pc.any(pc.starts_with(text, "(")).as_py():
        text = pc.replace_substring_regex(text, rf"^\({SPACES}*([^()]*)\)$", r"-\1")
    text = pc.replace_substring_regex(text, rf"^[-−]{SPACES}*|^([^-−]*)[-−]$", r"-\1")
    text = pc.replace_substring_regex(text, r"^\+", "")
    digits = r"\d+"
    if group is not None:
        sign = {" ": SPACES, "'": f"[{GROUPS}]"}.get(group) or re.escape(group)
        digits = rf"(\d{{1,3}}({sign}\d{{3}})+|\d+)"
    pattern = rf"^-?({digits}({decimal}\d*)?|{decimal}\d+)$"
    fits = pc.match_substring_regex(text, pattern)
    if not pc.all(fits, min_count=0).as_py():
        row = pc.index(fits, False).as_py()
        raise NotANumberError(row, values[row].as_py())
    if group is not None:
        text = pc.replace_substring_regex(text, sign, "")
    if style.decimal != ".":
        text = pc.replace_substring(text, style.decimal, ".")
    return text.cast(pa.float64())
