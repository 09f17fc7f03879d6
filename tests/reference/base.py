"""A customer base that keeps every row it was given: what the one that keeps only sums has to agree with.

Nothing is added up before it is asked for. Rows are `(id, when, amount)`, or `(id, when, amount, order_id)` where the
base tells orders; an order that is sealed gets an id of its own, which no later line can have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from typing import Any

from .money import FLOAT, Money
from .rfm import Entry, Result, local_day, rfm_reference

Row = tuple[Any, ...]

SEALED = count()


class LateError(Exception):
    """A line of an order that may have been sealed."""


class AgainError(Exception):
    """A batch that was loaded before."""


@dataclass
class BaseReference:
    """All rows so far, under the ids of today."""

    has_orders: bool = False
    returns: str = "net"
    zero_is_purchase: bool = True
    late: str = "error"
    money: Money = FLOAT
    rows: list[Row] = field(default_factory=list)
    batch_ids: set[str] = field(default_factory=set)
    sealed_before: date | None = None
    last_date: date | None = None
    removed: Entry = field(default_factory=Entry)
    late_lines: Entry = field(default_factory=Entry)
    # Days of the late lines without an amount, which the note of such rows counts, too.
    late_nulls: list[date] = field(default_factory=list)
    n_rows: int = 0

    def copy(self) -> BaseReference:
        return replace(
            self,
            rows=list(self.rows),
            batch_ids=set(self.batch_ids),
            removed=replace(self.removed),
            late_lines=replace(self.late_lines),
            late_nulls=list(self.late_nulls),
        )

    @property
    def n_customers(self) -> int:
        """Buyers, and those who have only refunds."""
        result = self.rfm()
        return len(result.rows) + result.report["refund_only_customers"].count

    @property
    def open_orders(self) -> set[tuple[Any, Any]]:
        """Orders that may still grow: those with an id that a line can name."""
        orders = {(row[0], row[3]) for row in self.rows if is_known(row)} if self.has_orders else set()
        return {key for key in orders if key[1] is not None and not is_sealed(key[1])}

    def update(self, rows: Iterable[Row], batch_id: str | None = None) -> None:
        """Add rows; a line before the sealed day has to belong to an order that is open, in the base or in the rows."""
        if batch_id in self.batch_ids:
            raise AgainError(batch_id)
        rows = list(rows)
        kept = [row for row in rows if not self.is_late(row, rows)]
        if len(kept) < len(rows) and self.late == "error":
            raise LateError(f"{len(rows) - len(kept)} lines")
        for row in rows:
            if self.is_late(row, rows):
                self._leave_out_late(row)
        self.rows += kept
        self.n_rows += len(rows)
        days = [local_day(row[1], None) for row in rows if is_known(row)]
        self.last_date = max([*days, *([self.last_date] if self.last_date else [])], default=None)
        if batch_id is not None:
            self.batch_ids.add(batch_id)

    def _leave_out_late(self, row: Row) -> None:
        self.late_lines.add(0, self.money.units(row[2]))
        if self.money.is_null(row[2]):
            self.late_nulls.append(local_day(row[1], None))

    def is_late(self, row: Row, rows: list[Row]) -> bool:
        """Whether a row is of a sealed day, and its order is not known to be open."""
        if not is_known(row) or not self.has_orders or row[3] is None or (row[0], row[3]) in self.open_orders:
            return False
        mine = [r for r in rows if is_known(r) and (r[0], r[3]) == (row[0], row[3])]
        return self.has_sealed([local_day(r[1], None) for r in mine])

    def merge(self, other: BaseReference) -> None:
        """Both; what is open in the one that sealed less may be late for the other."""
        if self.batch_ids & other.batch_ids:
            raise AgainError(min(self.batch_ids & other.batch_ids))
        less, more = sorted((self, other), key=lambda base: base.sealed_before or date.min)
        closed = {key for key in less.open_orders - more.open_orders if more.has_sealed(less.days_of(key))}
        late = [row for row in less.rows if is_known(row) and len(row) > 3 and (row[0], row[3]) in closed]
        if late and self.late == "error":
            raise LateError(f"{len(late)} lines")
        rows = [row for row in less.rows if not any(row is gone for gone in late)] + more.rows
        days = [base.last_date for base in (less, more) if base.last_date]
        for mine, theirs in ((self.removed, other.removed), (self.late_lines, other.late_lines)):
            mine.count += theirs.count
            mine.units += theirs.units
        self.late_nulls += other.late_nulls
        for row in late:
            self._leave_out_late(row)
        self.rows, self.sealed_before, self.last_date = rows, more.sealed_before, max(days, default=None)
        self.n_rows += other.n_rows
        self.batch_ids |= other.batch_ids

    def days_of(self, key: tuple[Any, Any]) -> list[date]:
        """The days of the lines of an order."""
        return [local_day(row[1], None) for row in self.rows if is_known(row) and (row[0], row[3]) == key]

    def has_sealed(self, days: list[date]) -> bool:
        """Whether these are the days of an order that is closed, or would be."""
        return self.sealed_before is not None and all(day < self.sealed_before for day in days)

    def seal(self, before: date) -> None:
        """Close the orders whose lines all lie before a day."""
        self.sealed_before = max(before, self.sealed_before or before)
        closed = {
            key: f"sealed {next(SEALED)}" for key in self.open_orders if all(day < before for day in self.days_of(key))
        }
        self.rows = [
            (*row[:3], closed[row[0], row[3]]) if is_known(row) and (row[0], row[3]) in closed else row
            for row in self.rows
        ]

    def relabel(self, mapping: Mapping[Any, Any]) -> None:
        """Write new ids over old ones, all at once, as if the input had carried them."""
        self.rows = [(mapping.get(row[0], row[0]), *row[1:]) for row in self.rows]

    def remove(self, ids: Iterable[Any]) -> int:
        """Forget customers; how many orders and how much money they had stays."""
        theirs = [row for row in self.rows if is_known(row) and row[0] in set(ids)]
        keys = [(row[0], row[3]) if self.has_orders and row[3] is not None else object() for row in theirs]
        before = self.n_customers
        self.removed.count += len(Counter(keys))
        self.removed.units += sum(self.money.units(row[2]) for row in theirs)
        self.rows = [row for row in self.rows if not any(row is gone for gone in theirs)]
        return before - self.n_customers

    def rfm(self, as_of: date | None = None) -> Result:
        """The table of the rows so far, as of a day; the last date outlives who was removed."""
        return rfm_reference(
            self.rows,
            as_of=as_of or self.last_date,
            returns=self.returns,
            zero_is_purchase=self.zero_is_purchase,
            money=self.money,
        )


def is_known(row: Row) -> bool:
    return row[0] is not None and row[1] is not None


def is_sealed(order: Any) -> bool:
    return isinstance(order, str) and order.startswith("sealed ")
