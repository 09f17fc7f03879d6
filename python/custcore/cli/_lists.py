"""Lists of customers to hand out: some segments, the first by a column, some columns."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from custcore.cli import _command, _render
from custcore.cli._options import Names
from custcore.cli._words import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console

    import custcore
    from custcore.cli._grid import Grid

__all__ = ["CustomerList", "Listing", "list_of", "list_options", "proposal", "segments_of", "show"]

Command = TypeVar("Command", bound="Callable[..., Any]")

# Rows that are shown of a list that is in no file.
SHOWN = 25
# Types of numbers, and columns that are shown rather than the others of a result; the rest are attributes.
NUMBERS = ("int", "uint", "float", "decimal")
MAIN = ("monetary_total", "recency_days", "n_orders", "rfm_cell")
MADE = (
    *("first_date", "last_date", "tenure_days", "n_rows", "n_days", "monetary_mean", "cluster"),
    *("r_score", "f_score", "m_score", "rfm_score", "rfm_total"),
)
# What `--top` orders by, the first of these that a result has.
MOST = ("monetary_total", "score_total")


@dataclass(frozen=True)
class CustomerList:
    """What a list is cut down to; `take` makes it.

    Attributes
    ----------
    customers : custcore.Table
        The rows and columns that remain.
    of : int
        Customers before.
    text : str
        What was taken, as a sentence.
    sort_by : str or None
        The column by which they are ordered.
    ties : int
        Customers that are left out although they have the value of the last one.
    """

    customers: custcore.Table
    of: int
    text: str
    sort_by: str | None
    ties: int


@dataclass(frozen=True)
class Listing:
    """The options of a list.

    Attributes
    ----------
    segments : tuple of str
        Names; none for all.
    top : int or None
        How many customers.
    sort_by : str or None
        The column by which they are ordered.
    ascending : bool
        Whether the smallest come first.
    columns : tuple of str
        Columns to keep, in this order; none for all.
    """

    segments: tuple[str, ...] = ()
    top: int | None = None
    sort_by: str | None = None
    ascending: bool = False
    columns: tuple[str, ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.segments or self.top or self.sort_by or self.columns)

    def check(self, there: Sequence[str], segments: Sequence[str] | None, inputs: Sequence[str] = ()) -> None:
        """Raise for names that a result does not have.

        Parameters
        ----------
        there
            The columns of the result.
        segments
            The names of its segments; None if they are not known yet.
        inputs
            Columns of the files, of which attributes are made.

        Raises
        ------
        click.UsageError
            With the nearest names, and the list of all.
        """
        for option, names in (("--columns", self.columns), ("--sort-by", (self.sort_by,) if self.sort_by else ())):
            for name in names:
                if name in there:
                    continue
                if name in inputs:
                    raise click.UsageError(
                        f"{option}: column {name!r} of the file is not in the result; it rides along with "
                        f"--attributes {name}"
                    )
                raise click.UsageError(f"{option}: there is no column {name!r} in the result{proposal(name, there)}")
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            raise click.UsageError(f"--columns names {twice[0]!r} twice")
        if self.ascending and not (self.sort_by or self.top):
            raise click.UsageError("--ascending needs --sort-by COLUMN")
        if self.top or self.sort_by:
            self._order(there)
        for name in self.segments if segments is not None else ():
            if not segments:
                raise click.UsageError("--segment: the result has no segments")
            if name not in segments:
                raise click.UsageError(f"--segment: there is no segment {name!r}{proposal(name, segments, 'segments')}")

    def take(self, table: custcore.Table) -> CustomerList:
        """Cut a result down to the list.

        Parameters
        ----------
        table
            What passed `check`.
        """
        of, parts, ties, by = table.num_rows, [], 0, None
        if self.segments:
            import pyarrow as pa
            import pyarrow.compute as pc

            column = table.to_pyarrow()[_column_of_segments(table) or "segment"].cast(pa.string())
            table = table.filter(pc.is_in(column, pa.array(self.segments)))
            parts.append(f"segment {' or '.join(self.segments)}")
        if self.top or self.sort_by:
            by = self._order(table.column_names)
            table = table.sort_by(by, descending=not self.ascending)
            order = f"by {by}, {'smallest' if self.ascending else 'largest'} first"
            if self.top:
                ties = _ties(table, by, self.top)
                table = table.head(self.top)
                order = f"the first {self.top:,} {order}"
            parts.append(order)
        customers = table.select(self.columns) if self.columns else table
        what = f" ({'; '.join(parts)})" if parts else ""
        return CustomerList(customers, of, f"The list has {customers.num_rows:,} of {of:,} customers{what}.", by, ties)

    def as_json(self, found: CustomerList, *, has_file: bool) -> dict[str, Any]:
        """What JSON says of a list: its options, its size, and its rows if they are in no file.

        Parameters
        ----------
        found
            What `take` made.
        has_file
            Whether the list is written to a file.
        """
        said: dict[str, Any] = {
            "customers": found.customers.num_rows,
            "of": found.of,
            "segments": list(self.segments),
            "top": self.top,
            "sort_by": found.sort_by,
            "ascending": self.ascending,
            "columns": found.customers.column_names,
            "left_out_of_equals": found.ties,
        }
        return said if has_file else {**said, "rows": found.customers.to_pylist()}

    def _order(self, columns: Sequence[str]) -> str:
        """The column by which customers are ordered."""
        found = self.sort_by or next((name for name in MOST if name in columns), None)
        if found is None:
            raise click.UsageError("--top takes the customers with the most money, and there is none: --sort-by COLUMN")
        return found


def list_options(command: Command) -> Command:
    """Add the options of lists."""
    options = (
        _command.option(
            "--segment",
            "only_segments",
            group="List",
            multiple=True,
            metavar="NAME",
            help="Only the customers of this segment; may be repeated.",
        ),
        _command.option(
            "--top",
            group="List",
            type=Whole(1),
            metavar="N",
            help="Only the first N customers. [default order: the most money first]",
        ),
        _command.option("--sort-by", group="List", metavar="COLUMN", help="Order by this column, the largest first."),
        _command.option("--ascending", group="List", is_flag=True, help="The smallest first."),
        _command.option(
            "--columns",
            "only_columns",
            group="List",
            type=Names(),
            metavar="A,B,C",
            help="Only these columns of the result, in this order. [default: all]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def list_of(given: dict[str, Any]) -> Listing:
    """Take the options of lists from those given.

    Parameters
    ----------
    given
        Values of options by name; those of lists are removed.
    """
    return Listing(
        tuple(given.pop("only_segments", None) or ()),
        given.pop("top", None),
        given.pop("sort_by", None),
        bool(given.pop("ascending", False)),
        tuple(given.pop("only_columns", None) or ()),
    )


def show(out: Console, found: CustomerList, *, has_file: bool) -> None:
    """Print what a list has, and its first rows if they are in no file.

    Parameters
    ----------
    out
        What `_render.console` opened.
    found
        What `Listing.take` made.
    has_file
        Whether the list is written to a file.
    """
    if not has_file and found.customers.num_rows:
        out.print(_rows(found))
        if found.customers.num_rows > SHOWN:
            _render.say(out, f"... and {found.customers.num_rows - SHOWN:,} more; -o writes all of them.")
    _render.say(out, found.text)
    if found.ties:
        last = "customer has" if found.ties == 1 else "customers have"
        _render.say(out, f"{found.ties:,} more {last} the value of the last one; the order of ids decides.")


def _rows(found: CustomerList) -> Grid:
    """The first rows; where the width is short, the columns that a list is made for stay."""
    table, kinds = found.customers, found.customers.schema
    there = table.column_names
    first = [found.sort_by, "segment", *(name for name in there if name not in MAIN and name not in MADE), *MAIN]
    rank = {name: place for place, name in enumerate(dict.fromkeys([*first, *there]))}
    columns = [
        _render.Column(name, is_left=not kinds[name].startswith(NUMBERS), rank=rank[name])
        for name in table.column_names
    ]
    grid = _render.Grid(columns)
    for row in table.head(SHOWN).rows():
        grid.add_row(*map(_cell, row))
    return grid


def _cell(value: Any) -> str:  # noqa: ANN401
    return "" if value is None else f"{value:,.2f}" if isinstance(value, float | Decimal) else str(value)


def proposal(name: str, there: Iterable[str], what: str = "columns") -> str:
    """The nearest names and all of them, to end a sentence.

    Parameters
    ----------
    name
        What was given.
    there
        What exists.
    what
        What the names are of.

    Examples
    --------
    >>> proposal("Champion", ["champions", "at_risk"], "segments")
    ". Did you mean 'champions'? The segments are 'champions', 'at_risk'"
    """
    listed = list(there)
    names = {_plain(other): other for other in listed}
    near = [names[other] for other in difflib.get_close_matches(_plain(name), names, 2, 0.6)]
    text = f". Did you mean {' or '.join(map(repr, near))}?" if near else "."
    shown = ", ".join(map(repr, listed[:30])) + (", ..." if len(listed) > 30 else "")
    return f"{text} The {what} are {shown}"


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "_").replace("-", "_")


def segments_of(table: custcore.Table) -> list[str]:
    """The names of segments that can occur: all of a map, the numbers of clusters that occur; none without segments.

    Parameters
    ----------
    table
        A result, perhaps without rows.
    """
    name = _column_of_segments(table)
    if name is None:
        return []
    column: Any = table.to_pyarrow()[name]
    values = column.chunk(0).dictionary if column.num_chunks and hasattr(column.chunk(0), "dictionary") else column
    return [str(value) for value in dict.fromkeys(values.to_pylist()) if value is not None]


def _column_of_segments(table: custcore.Table) -> str | None:
    """The column that names segments: clusters without names have numbers."""
    return next((name for name in ("segment", "cluster") if name in table.column_names), None)


def _ties(table: custcore.Table, by: str, top: int) -> int:
    """Customers after the first ones who have the value of the last of these."""
    if table.num_rows <= top:
        return 0
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.to_pyarrow()[by]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    last = column[top - 1]
    same = pc.equal(column[top:], last) if last.is_valid else pc.is_null(column[top:])
    return int(pc.sum(same).as_py() or 0)
