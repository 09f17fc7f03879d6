"""The review of a month: what :meth:`custcore.CustomerBase.review` returns."""

from __future__ import annotations

import copy
import html
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore._input.day_ranges import month_of
from custcore.base._campaigns import ended_in
from custcore.errors import NotEnoughDataError
from custcore.result import Table
from custcore.result._exports import Exports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import AsOf
    from custcore._rfm import RFMScorer
    from custcore.base._campaigns import Campaign
    from custcore.base._customer_base import CustomerBase
    from custcore.result import Report

__all__ = ["Review", "review_of"]


class Review(Exports):
    """The review of a month: what :meth:`custcore.CustomerBase.review` returns.

    Its text is a summary for people. It exports Arrow itself: ``pyarrow.table(result)`` is
    :attr:`measures`, as are the frames and files of ``to_pandas()``, ``to_csv(path)`` and the
    like; ``to_xlsx(path)`` has a sheet for each table. It can be pickled.
    """

    __slots__ = ("_campaigns", "_month", "_tables")

    def __init__(self, month: date, tables: Mapping[str, Table], campaigns: Sequence[Mapping[str, Any]]) -> None:
        self._month = month
        self._tables = dict(tables)
        self._campaigns = [dict(campaign) for campaign in campaigns]

    @property
    def month(self) -> date:
        """The first day of the month."""
        return self._month

    @property
    def measures(self) -> Table:
        """The numbers of the month, of the month before and of the year before.

        Returns
        -------
        Table
            ``which`` (string: ``"month"``, ``"month_before"``, ``"year_before"``; months before
            the first purchase have no row), then the columns of
            :meth:`custcore.CustomerBase.measures`.
        """
        return self._tables["measures"]

    @property
    def change(self) -> Table:
        """Where the change from the month before came from, with the campaigns that ended in the month.

        Returns
        -------
        Table
            The columns of :meth:`custcore.CustomerBase.change`.
        """
        return self._tables["change"]

    @property
    def change_year(self) -> Table | None:
        """The same from the year before; None if the base begins later.

        Returns
        -------
        Table or None
            The columns of :meth:`custcore.CustomerBase.change`.
        """
        return self._tables.get("change_year")

    @property
    def decomposition(self) -> Table:
        """The effects of customers, orders and order value on the change from the month before.

        Returns
        -------
        Table
            The columns of :meth:`custcore.CustomerBase.decomposition`; no row in the month of the
            first purchase.
        """
        return self._tables["decomposition"]

    @property
    def decomposition_year(self) -> Table | None:
        """The same for the change from the year before; None if the base begins later.

        Returns
        -------
        Table or None
            The columns of :meth:`custcore.CustomerBase.decomposition`.
        """
        return self._tables.get("decomposition_year")

    @property
    def flows(self) -> Table | None:
        """Moves between segments in the month; None in the month of the first purchase.

        Returns
        -------
        Table or None
            The columns of :meth:`custcore.CustomerBase.transitions`.
        """
        return self._tables.get("flows")

    @property
    def campaigns(self) -> list[dict[str, Any]]:
        """What the campaigns that ended in the month added.

        Returns
        -------
        list of dict
            For each group ``name``, ``customers``, ``revenue``, ``low`` and ``high``.
        """
        return [dict(campaign) for campaign in self._campaigns]

    @property
    def report(self) -> Report:
        """What was left out of the measures."""
        return self.measures.report

    def tables(self) -> dict[str, Table]:
        """The tables by the names of their attributes, without those that there are not.

        Returns
        -------
        dict of str to Table
            ``measures``, ``change``, ``decomposition``, ...
        """
        return dict(self._tables)

    def _result(self) -> Table:
        return self.measures

    def _sheets(self) -> dict[str, Table]:
        return self.tables()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.measures.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.measures.__arrow_c_schema__()

    def __copy__(self) -> Review:
        return self

    def __deepcopy__(self, memo: object) -> Review:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Review, (self._month, self._tables, self._campaigns)

    def _texts(self) -> list[str]:
        rows = {row["which"]: row for row in self.measures}
        texts = [f"{self._month:%Y-%m}: {_numbers(rows['month'])}"]
        texts += [f"{rows[name]['period_start']:%Y-%m}: {_numbers(rows[name])}" for name in list(rows)[1:]]
        for words, change in (("the month before", self.change), ("the year before", self.change_year)):
            parts = [
                f"{row['name'] or row['source']} {row['revenue']:+,.2f}"
                for row in change or ()
                if row["revenue"] is not None and (row["customers"] or row["source"] == "unexplained")
            ]
            if parts:
                texts.append(f"From {words}: {', '.join(parts)}.")
        return texts

    def __repr__(self) -> str:
        return "\n".join(["custcore.Review", *self._texts()])

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in self._texts()) + "</ul>"


def _numbers(row: Mapping[str, Any]) -> str:
    whole = "" if row["is_complete"] else " (not over)"
    return f"{row['active']:,} customers, {row['orders']:,} orders, revenue {row['revenue']:,.2f}{whole}"


def review_of(
    base: CustomerBase,
    month: str | AsOf,
    scorer: RFMScorer,
    campaigns: Sequence[Campaign],
    n_threads: int | None,
) -> Review:
    """The tables of a review, each of a method of the base."""
    first = month_of("month", month)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    before = first - timedelta(days=1)
    year_before = first.replace(year=first.year - 1)
    ended = ended_in(campaigns, first, last)
    found: dict[str, Table] = {"measures": Table(_core.month_measures(base._core, _days(first), n_threads=n_threads))}
    there = found["measures"]["which"].to_pylist()
    if "month" not in there:
        raise NotEnoughDataError(
            f"the base has no data of {first:%Y-%m}, or no purchase by its end: choose another month"
        )
    of_month: dict[str, Any] = {"n_threads": n_threads}
    months = [f"{day:%Y-%m}" for day in (year_before, before, first)]
    found["change"] = base.change(months[1], months[2], campaigns=ended, **of_month)
    if "year_before" in there:
        found["change_year"] = base.change(months[0], months[2], campaigns=ended, **of_month)
    of_month |= {"as_of": last, "include_partial": True}
    effects = base.decomposition(**of_month)
    found["decomposition"] = effects[max(0, len(effects) - 1) :]
    if "year_before" in there:
        effects = base.decomposition(lag=12, **of_month)
        found["decomposition_year"] = effects[len(effects) - 1 :]
    if "month_before" in there:
        if not scorer._core.is_fitted:
            scorer = copy.deepcopy(scorer).fit(base.rfm(last, n_threads=n_threads), n_threads=n_threads)
        found["flows"] = base.transitions([before, last], scorer, n_threads=n_threads)
    added = [dict(found) for campaign in ended for found in campaign.increments(metric="revenue")]
    return Review(first, found, added)


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days
