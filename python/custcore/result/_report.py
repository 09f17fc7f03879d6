"""What a result excludes and why: counts, sums of money, first rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence
    from decimal import Decimal
    from typing import Literal

__all__ = ["Report", "ReportEntry"]


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One line of a report.

    Attributes
    ----------
    name : str
        What it counts, e.g. ``"null_customer_id"``.
    kind : {"left_out", "note"}
        Whether the money is missing from the result, or is included in it.
    unit : {"rows", "orders", "customers"}
        What ``count`` counts.
    count : int
        Number of items; 0 if nothing was counted.
    sum : float, int, Decimal or None
        Sum of money, in the type of the amounts; None without an amount column. Of
        ``rounded_amount`` it is what rounding took: the amounts less what was read.
    first_row : int or None
        The first row, counted from 0 over the whole input; None if nothing was counted, or
        if it is not known, as of a base that was read from a file.
    n_rows : int
        Input rows of these items: the lines of the orders, the refunds of the customers.
    """

    name: str
    kind: Literal["left_out", "note"]
    unit: Literal["rows", "orders", "customers"]
    count: int
    sum: float | int | Decimal | None
    first_row: int | None
    n_rows: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What a result excludes and why.

    Result and report add up to the input, to the cent, as float amounts are read with
    ``amount_decimals`` places. Amounts that this changes by more than 1 % are a note,
    ``rounded_amount``.

    All entries are always present, with a count of 0 if nothing was counted:
    ``report["null_customer_id"].count``.

    Attributes
    ----------
    entries : tuple of ReportEntry
        The counts, in a fixed order.
    n_rows : int
        Number of input rows.
    as_of : datetime.date or None
        The last day that counts; None if no row has an id and a time.
    remarks : tuple of str
        Remarks: the time zone used, empty bins, segments that do not occur.
    notes : tuple of str
        How files were read, if the data were a :func:`custcore.read` source: the encoding,
        delimiter and formats of times that were detected, ids that became numbers.
    """

    entries: tuple[ReportEntry, ...] = ()
    n_rows: int = 0
    as_of: datetime.date | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __setstate__(self, state: Sequence[object]) -> None:
        # Pickles of earlier versions have no notes.
        defaults = {field.name: field.default for field in fields(self)}
        for name, value in {**defaults, **dict(zip(defaults, state, strict=False))}.items():
            object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[ReportEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, name: str) -> ReportEntry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(
            f"{name!r} is not an entry of the report; the entries are {[entry.name for entry in self.entries]}"
        )

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.entries)

    def __repr__(self) -> str:
        lines = [f"Report of {self.n_rows:,} rows" + (f", as of {self.as_of}" if self.as_of else "")]
        shown = [entry for entry in self.entries if entry.count]
        for entry in shown:
            money = "" if entry.sum is None else f", sum {entry.sum:,}"
            kind = "left out" if entry.kind == "left_out" else "note"
            row = "" if entry.first_row is None else f", first in row {entry.first_row}"
            lines.append(f"  {kind:<8}  {entry.name}: {entry.count:,} {entry.unit}{money}{row}")
        if not any(entry.kind == "left_out" for entry in shown):
            lines.append("  nothing was left out")
        lines.extend(f"  {remark}" for remark in self.remarks)
        lines.extend(f"  read from {note}" for note in self.notes)
        return "\n".join(lines)
