"""``custcore inspect``: the columns of a file, their likely roles, and the next command."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click

from custcore._options.transactions import COLUMNS
from custcore.cli import _columns, _command, _options, _render, _run
from custcore.cli._failure import printable

__all__ = ["command"]

SAMPLE_ROWS = 1000
EXAMPLES = 3
# The default column names of custcore.
DEFAULTS = {option.name: option.default for option in COLUMNS}


@_command.command(
    "inspect",
    short_help="Show the columns of a file and the next command.",
    examples=(
        ("Columns, types, what they look like", "custcore inspect sales.csv"),
        ("All files of a folder as one", "custcore inspect 'sales/*.csv'"),
    ),
)
@_options.input_options
@_options.json_option
def command(files: tuple[str, ...], as_json: bool, **given: Any) -> None:  # noqa: ANN401
    """Show columns, types and rows of FILE, and the likely columns of customer id, time, amount and order id."""
    found = look(files, given)
    if as_json:
        click.echo(json.dumps(_render.plain(found), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console()
    grid = _render.table(
        "column",
        _render.Column("type", is_left=True, wraps_to=12, rank=2),
        _render.Column("looks like", is_left=True, rank=1),
        _render.Column("first values", is_left=True, wraps_to=16, rank=3),
    )
    from rich.text import Text

    for row in found["columns"]:
        role = Text(_columns.ROLES.get(row["role"] or "", ""), style="bold green")
        grid.add_row(row["column"], row["type"], role, ", ".join(map(str, row["examples"])))
    rows = f"{found['rows']:,} rows" if found["rows"] is not None else "rows not counted (the file does not say)"
    _render.say(out, f"{printable(found['name'])}: {rows}, {len(found['columns'])} columns.")
    out.print(grid)
    for note in found["notes"]:
        _render.say(out, note)
    if found["command"]:
        out.print(f"Next:  {printable(found['command'])}", soft_wrap=True)  # not wrapped, so that it can be copied


def look(patterns: tuple[str, ...], given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe the files as one dict.

    Parameters
    ----------
    patterns
        Names of files, as `open_files` takes them.
    given
        Options for reading them.
    """
    asked = {name: value for name, value in (given or {}).items() if value}
    opened = _run.open_files(patterns, {}, _options.reading_of(dict(asked)))
    schema = opened.schema
    roles = _columns.guess(schema)
    role_of = {column: role for role, column in roles.items()}
    head = opened.head(SAMPLE_ROWS)
    rows = [
        {
            "column": field.name,
            "type": str(field.type),
            "role": role_of.get(field.name),
            "examples": _examples(head, field.name),
        }
        for field in schema
    ]
    notes, ready = _advice(roles)
    words = ["custcore", "rfm", *map(shlex.quote, patterns)]
    chosen = {role: column for role, column in roles.items() if DEFAULTS.get(role) != column}
    if chosen:
        words.append(_columns.as_options(chosen))
    if "amount" not in roles:
        words.append("--no-amount")
    words += _options.as_words(asked)
    return {
        "name": opened._name,
        "files": opened.files,
        "rows": opened.n_rows,
        "columns": rows,
        "roles": roles,
        "notes": [*notes, *opened.notes],
        "command": " ".join([*words, "-o scores.parquet"]) if ready else None,
    }


def _advice(roles: dict[str, str]) -> tuple[list[str], bool]:
    """Report what is missing to run a command, and whether one can run."""
    notes = []
    if "customer_id" not in roles:
        notes.append("No column looks like a customer id (integer, text or binary): name it with --customer-id.")
    if "timestamp" not in roles:
        notes.append(
            "No column is a date or a timestamp. Convert the column of times: --timestamp-format '%d/%m/%Y %H:%M'."
        )
    if "amount" not in roles:
        notes.append("No column looks like an amount of money: name it with --amount, or go without (--no-amount).")
    if "order_id" not in roles:
        notes.append("No column looks like an order id: every row is an order, unless --order-id names one.")
    return notes, "customer_id" in roles and "timestamp" in roles


def _examples(head: Any, name: str) -> list[Any]:  # noqa: ANN401 (pyarrow publishes no types)
    """The first few distinct values, shortened."""
    if name not in head.column_names:
        return []
    column = head[name].slice(0, SAMPLE_ROWS).drop_null()
    try:
        column = column.unique()
    except NotImplementedError:  # nested types
        column = column.slice(0, EXAMPLES)
    values = [value if isinstance(value, int | float | bool) else str(value) for value in column[:EXAMPLES].to_pylist()]
    return [f"{value[:29]}…" if isinstance(value, str) and len(value) > 30 else value for value in values]
