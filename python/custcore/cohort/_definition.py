"""Describes a cohort result in words, from the settings and the bounds of observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore._input.arguments import key_names

if TYPE_CHECKING:
    from custcore._core import CohortOptions, ReadOptions

__all__ = ["cohort_definition", "period_name"]

_RETURNS = {
    "net": "refunds lower the revenue of their date and are not activity",
    "exclude": "refunds are left out",
    "count": "orders below 0 count like all others",
}


def period_name(period: tuple[str, int]) -> str:
    """``("month", 1)`` as "month", ``("days", 7)`` as "7-day window".

    >>> period_name(("days", 7))
    '7-day window'
    """
    return f"{period[1]}-day window" if period[0] == "days" else period[0]


def cohort_definition(
    read: ReadOptions, options: CohortOptions, observed: tuple[str, str] | None, timezone: str | None
) -> str:
    """Sentences that state exactly what was computed."""
    sentences = [_belongs(options, observed), _clock(options), _counts(options), _active(read, options)]
    sentences.append(_observed(options, observed, timezone))
    sentences.append("The rate is customers / eligible, its interval Wilson's for 95 %.")
    if read["amount"] is not None:
        sentences.append(f"Revenue is the sum of '{read['amount']}'; {_RETURNS.get(read['returns'], read['returns'])}.")
    if options["by"] is not None:
        sentences.append(f"All of it for each value of '{options['by']}' at the first purchase.")
    return " ".join(sentences)


def _belongs(options: CohortOptions, observed: tuple[str, str] | None) -> str:
    cohort = period_name(options["cohort_period"])
    purchase = f"purchase marked by '{options['start']}'" if options["start"] is not None else "purchase"
    from_then = f" from {observed[0]} on" if observed and options["observation_start"] is not None else ""
    word = options["cohort_by"]
    if word == "recurring":
        return f"A customer is in the cohort of every {cohort} with a {purchase}{from_then}."
    if word == "first_in_window":
        return f"A customer is in the cohort of the {cohort} of the first {purchase}{from_then}."
    what = f"of the {cohort} of the first {purchase}"
    if word == "column":
        what = f"that '{options['cohort_column']}' names at the first purchase"
    before = f"; who had a {purchase} before {observed[0]} is in none" if observed and from_then else ""
    return f"A customer is in the cohort {what}{before}."


def _clock(options: CohortOptions) -> str:
    kind, n = options["period"]
    if options["period_mode"] == "elapsed":
        length = {"day": 1, "week": 7}.get(kind, n)
        unit = "day" if length == 1 else f"{length} days"
        return f"Window k is the k-th {unit} after the local date of that purchase, which is in window 0."
    text = f"Period k is the k-th {period_name(options['period'])} after that of this purchase, which is period 0"
    if kind == "week":
        text += f"; weeks begin on {options['week_start'].capitalize()}"
    if kind in {"quarter", "year"} and options["fiscal_year_start"] != 1:
        text += f"; years begin with month {options['fiscal_year_start']}"
    return text + "."


def _counts(options: CohortOptions) -> str:
    if options["brackets"] is not None:
        how = f"active in a period of the bracket (the brackets end with {', '.join(map(str, options['brackets']))})"
    elif options["horizon"] is not None:
        how = f"active in some period from k to k + {options['horizon'] - 1}"
    else:
        how = {
            "on": "active in period k",
            "on_or_after": "active in period k or any later one",
            "on_or_before": "active in some period from 1 to k",
            "every": "active in every period from 1 to k",
        }.get(options["return_criteria"], options["return_criteria"])
    return f"In cell 0 every member counts, in a later one who is {how}."


def _active(read: ReadOptions, options: CohortOptions) -> str:
    order = " and ".join(f"'{name}'" for name in key_names(read["order_id"]))
    one = f"the rows of a customer with one {order}" if order else "a row"
    least = "one order" if options["min_occurrences"] == 1 else f"{options['min_occurrences']} orders"
    marked = f" marked by '{options['returning']}'" if options["returning"] is not None else ""
    return f"Active means at least {least}{marked} in the period; an order is {one}."


def _observed(options: CohortOptions, observed: tuple[str, str] | None, timezone: str | None) -> str:
    if observed is None:
        return "Nothing was observed: no row has an id and a time."
    clock = f"times read in {timezone}" if timezone is not None else "times as they stand"
    own_windows = (
        options["period_mode"] == "elapsed"
        or options["cohort_by"] == "column"
        or options["cohort_period"] != options["period"]
    )
    cells = "a cell whose window ends later is partial, and null if it begins later"
    if own_windows:
        cells = "members whose window ends later are not eligible, and a cell is null if no member's has begun"
    return f"Observed from {observed[0]} until before {observed[1]}, {clock}; {cells}."
