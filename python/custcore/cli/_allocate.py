"""``custcore allocate``: a budget along response curves, or by contacts of customers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.allocation import ALLOCATE, WHOLE
from custcore.cli import _command, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source

__all__ = ["command"]

TABLES = ("plan", "frontier", "sensitivity")
COLUMNS = {
    "cells": ("segment", "channel", "curve", "a", "b", "c", "k", "spend", "value", "low", "high", "se"),
    "options": ("segment", "channel", "cost", "value", "customers", "value_se"),
}
# Options of a plan along curves.
OF_CELLS = {
    "objective": "--objective",
    "low": "--low",
    "high": "--high",
    "group": "--group",
    "group_budget": "--group-budget",
}


class GroupBudget(click.ParamType[Any]):
    """The budget of a group: ``sms=3000``, ``mail=40%``."""

    name = "NAME=AMOUNT|SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Leave the text as it is, if it has a name and an amount."""
        name, _, most = str(value).rpartition("=")
        if not name.strip() or not most.strip():
            self.fail(f"{value!r} is neither NAME=3000 nor NAME=40%", param, ctx)
        return str(value)


class Budgets(click.ParamType[Any]):
    """Budgets, separated by commas."""

    is_list = True
    name = "AMOUNT,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``5000,10000`` to [5000.0, 10000.0]."""
        if not isinstance(value, str):
            return list(value) if isinstance(value, list | tuple) else [value]
        try:
            return [float(part) for part in value.split(",")]
        except ValueError:
            self.fail(f"{value!r} is not a list of amounts such as 5000,10000", param, ctx)


@_command.command(
    "allocate",
    short_help="Allocate a budget to segments and channels.",
    examples=(
        ("Along response curves", "custcore allocate cells.csv --budget 20000"),
        ("At most 3000 for one channel", "custcore allocate cells.csv --budget 20000 --group-budget sms=3000"),
        ("What other budgets would bring", "custcore allocate cells.csv --budget 20000 --table frontier"),
        (
            "By contacts of whole customers, as a file",
            "custcore allocate contacts.csv --budget 500 --whole -o plan.csv",
        ),
    ),
)
@_options.input_options
@_options.api_options(ALLOCATE, {"budget": click.FLOAT})
@_command.option(
    "--group-budget",
    "group_budget",
    group="What counts",
    multiple=True,
    type=GroupBudget(),
    metavar="NAME=AMOUNT|SHARE",
    help="The most that is spent on a segment or a channel: sms=3000, mail=40%; may be given several times.",
)
@_command.option("--whole", group=WHOLE.group, is_flag=True, help=WHOLE.help)
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="plan",
    show_default=True,
    help="What is shown and written: the plan, what other budgets would bring, or spend over draws of the estimates.",
)
@_command.option(
    "--budgets",
    group="Output",
    type=Budgets(),
    metavar="AMOUNT,...",
    help="Budgets of the frontier. [default: 21, up to twice the budget]",
)
@_command.option(
    "--draws",
    group="Output",
    type=_words.Whole(1, 100_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="Draws of estimates.",
)
@_command.option(
    "--seed", group="Output", type=_words.Whole(0), metavar="N", default=0, show_default=True, help="Seed of the draws."
)
@_options.output_option("Write the table: .parquet, .csv, .xlsx, .arrow. [default: print it only]")
def command(
    files: tuple[str, ...],
    group_budget: tuple[str, ...],
    whole: bool,
    table: str,
    budgets: list[float] | None,
    draws: int,
    seed: int,
    target: Path | None,
    **given: Any,  # noqa: ANN401 (options of reading and of the API)
) -> None:
    """Allocate a budget to segments and channels, so that it brings the most.

    FILE has a row for each cell: segment, channel, curve (exp with a, b; hill with a, c, k; table
    with spend, value, a row for each point), low, high, se. Or, with a column cost, a row for each
    way to contact the customers of a segment: segment, channel, cost, value, customers, value_se.
    """
    start = time.perf_counter()
    _refuse_options_of_tables(table)
    reading = _options.reading_of(given)
    opened = _run.open_files(files, {}, reading)
    if target:
        _output.check_target(target, opened)
    kind = "options" if "cost" in opened.column_names else "cells"
    rows = _rows(opened, kind)
    given["group_budget"] = dict(map(_group_budget, group_budget)) or None
    try:
        if kind == "options":
            _refuse_options_of_cells(given)
            found = custcore.allocate_contacts(rows, given["budget"], whole=whole)
        elif whole:
            raise click.UsageError("--whole is for contacts: files with the columns cost, value and customers")
        else:
            found = custcore.allocate(rows, **given)
        made = _table(found, table, budgets, draws, seed)
    except (InternalError, InvalidArgumentError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, {}) from error
    guarded = _output.write(made, target) if target else 0
    out = _render.console(target)
    out.print(_grid(made, table, is_contacts=kind == "options"))
    _render.say(out, _sentence(found))
    if table == "sensitivity":
        regret = float(made.metadata["custcore.regret"])
        _render.say(
            out, f"The best plan of a draw gains {regret:,.2f} more than this plan, on average of {draws:,} draws."
        )
    out.print()
    notes = _render.report_grid(found.report, opened.notes)
    if found.report.remarks or opened.notes:
        out.print(notes)
        out.print()
    _render.say(out, f"{found.report.n_rows:,} {kind} of {opened._label} in {time.perf_counter() - start:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _rows(opened: Source, kind: str) -> Any:  # noqa: ANN401
    """The columns of a file that say something."""
    there = opened.column_names
    if "segment" not in there:
        listed = ", ".join(map(repr, there[:20])) + (", ..." if len(there) > 20 else "")
        raise DataProblem(f"{opened._name}: there is no column 'segment'. The columns are {listed}")
    try:
        return opened.table([name for name in COLUMNS[kind] if name in there])
    except CustcoreError as error:
        raise _run.explained(error, opened, {}) from error


def _group_budget(text: str) -> tuple[str, str]:
    """Parse ``sms=3000`` to ("sms", "3000")."""
    name, _, most = text.rpartition("=")
    return name.strip(), most


def _refuse_options_of_cells(given: dict[str, Any]) -> None:
    defaults = {option.name: option.default for option in ALLOCATE}
    for name, flag in OF_CELLS.items():
        if given[name] != defaults[name]:
            raise click.UsageError(f"{flag} is for response curves; these are contacts, as there is a column cost")


def _refuse_options_of_tables(table: str) -> None:
    context = click.get_current_context()
    for name, of in (("budgets", "frontier"), ("draws", "sensitivity"), ("seed", "sensitivity")):
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and table != of:
            raise click.UsageError(f"--{name} is an option of --table {of}")


def _table(
    found: custcore.Allocation, table: str, budgets: list[float] | None, draws: int, seed: int
) -> custcore.Table:
    if table == "frontier":
        return found.frontier(budgets)
    return found.sensitivity(draws, seed) if table == "sensitivity" else found.table()


def _sentence(found: custcore.Allocation) -> str:
    unspent = found.unspent
    left = "" if unspent is None else f", {_render.amount_text(unspent)} of the budget left"
    return (
        f"Spent {_render.amount_text(found.spend)}{left}; gained {_render.amount_text(found.value)}. One more unit of "
        f"money would bring {_number(found.price)}."
    )


def _grid(made: custcore.Table, table: str, *, is_contacts: bool) -> _render.Grid:
    Column = _render.Column  # noqa: N806
    if table == "frontier":
        grid = _render.Grid([Column("budget"), Column("gained"), Column("price"), Column("ROI", rank=1)])
        for row in made:
            money = (_render.amount_text(row[name]) for name in ("budget", "value"))
            grid.add_row(*money, _number(row["price"]), _number(row["roi"]))
        return grid
    columns = [Column("segment", wraps_to=12)]
    has_channels = any(row["channel"] is not None for row in made)
    columns += [Column("channel", is_left=True)] if has_channels else []
    columns.append(Column("spend"))
    if table == "sensitivity":
        columns += [Column("median", rank=2), Column("5 % to 95 %", rank=1), Column("funded")]
    else:
        columns += [Column("customers", rank=1)] if is_contacts else []
        columns += [Column("gained"), Column("marginal", rank=2), Column("at", is_left=True, rank=3)]
    grid = _render.Grid(columns)
    for row in made:
        cells = [row["segment"], *([row["channel"] or ""] if has_channels else []), _render.amount_text(row["spend"])]
        if table == "sensitivity":
            low, high = (_render.amount_text(row[name]) for name in ("spend_low", "spend_high"))
            cells += [_render.amount_text(row["spend_median"]), f"{low} to {high}", f"{row['funded_share']:.0%}"]
        else:
            cells += [f"{row['customers']:,.10g}"] if is_contacts else []
            cells += [_render.amount_text(row["value"]), _number(row["marginal"]), row["at"]]
        grid.add_row(*cells)
    return grid


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
