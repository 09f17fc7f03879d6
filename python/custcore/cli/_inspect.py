"""``custcore inspect``: the columns of a file, their likely roles, and the next command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from custcore._options.transactions import COLUMNS
from custcore._read.dialect import NoHeaderError
from custcore._read.expression import parse_expression
from custcore._read.readings import Readings, readings
from custcore.cli import _columns, _command, _options, _render, _run
from custcore.cli._failure import printable
from custcore.cli._shell import quoted
from custcore.errors import CustcoreError

if TYPE_CHECKING:
    from custcore._read import Source

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
        role = _columns.ROLES.get(row["role"] or "", (row["role"] or "").replace("_", " "))
        grid.add_row(row["column"], row["type"], Text(role, style="bold green"), ", ".join(map(str, row["examples"])))
    rows = f"{found['rows']:,} rows" if found["rows"] is not None else "rows not counted (the file does not say)"
    if found["is_empty"]:
        rows = "no rows"
    _render.say(out, f"{printable(found['name'])}: {rows}, {len(found['columns'])} columns.")
    out.print(grid)
    for note in found["notes"]:
        _render.say(out, note)
    for i, proposal in enumerate(found["commands"]):
        # As it is, and not wrapped, so that it can be copied.
        out.print(f"{' or: ' if i else 'Next:'}  {proposal}", soft_wrap=True)


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
    try:
        opened = _opened(patterns, asked)
    except NoHeaderError as error:
        if "-" in patterns:
            raise
        return _without_header(patterns, asked, error.width)
    if opened.head(1).num_rows == 0:
        return _without_rows(opened)
    found = _Found(opened)
    notes, ways = _advice(found)
    asked = {name: value for name, value in asked.items() if not _is_detected(name, asked, patterns, opened)}
    commands = [_proposed(patterns, found, {**asked, **way}) for way in ways]
    return {
        **_described(opened, found),
        "roles": found.roles,
        "notes": [*notes, *opened.notes],
        "command": commands[0] if len(commands) == 1 else None,
        "commands": commands,
    }


class _Found:
    """What the columns of files are for, and all ways to read them so."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._sampled: dict[tuple[str, str], Readings | None] = {}
        schema = source.schema
        self.roles = _columns.guess(schema, kind_of=self._kind)
        self.factors = _columns.guess_product(schema, self.roles, self._kind)
        if self.factors:
            self.roles["amount"] = _product(list(self.factors.values()), source.column_names)
        chosen = {column: role for role, column in self.roles.items()} | dict.fromkeys(self.factors.values(), "amount")
        there = {column: role for column, role in chosen.items() if column in source.column_names}
        found = readings(source, there, all_rows=True)
        self.readings = {column: way for column, way in found.items() if way is not None}
        self.role_of = {column: role for role, column in [*self.roles.items(), *self.factors.items()]}

    def _kind(self, role: str, field: Any) -> Any:  # noqa: ANN401
        key = (role, field.name)
        if key not in self._sampled:
            self._sampled[key] = readings(self.source, {field.name: role})[field.name]
        found = self._sampled[key]
        if found is None or (found.is_counted and not _columns.names_a_time(field.name)):
            return None
        return found.type

    @property
    def ways(self) -> list[dict[str, Any]]:
        """The options of each way to read all columns: one, unless no value tells which is right."""
        ways: list[dict[str, Any]] = [{}]
        for found in self.readings.values():
            ways = [{**way, **more} for way in ways for more in found.options]
        return list({repr(way): way for way in ways}.values())

    def unclear(self, role: str) -> list[str]:
        """Columns of a role that several ways would read."""
        columns = [self.roles.get(role, ""), *(self.factors.values() if role == "amount" else ())]
        return [name for name in columns if name in self.readings and len(self.readings[name].options) > 1]


def _opened(patterns: tuple[str, ...], asked: dict[str, Any]) -> Source:
    return _run.open_files(patterns, {}, _options.reading_of(dict(asked)))


def _described(opened: Source, found: _Found) -> dict[str, Any]:
    """The files and their columns."""
    import pyarrow as pa

    head = opened.head(SAMPLE_ROWS)
    # Factors keep their types; ids and times are what they become.
    own = {name for name in found.factors.values() if opened.schema.field(name).type != pa.string()}
    types = {name: way.type for name, way in found.readings.items() if name not in own}
    rows = [
        {
            "column": field.name,
            "type": str(types.get(field.name, field.type)),
            "role": found.role_of.get(field.name),
            "examples": _examples(head, field.name),
        }
        for field in opened.schema
    ]
    return {
        "name": opened._name,
        "files": opened.files,
        "rows": opened.n_rows,
        "is_empty": head.num_rows == 0,
        "columns": rows,
    }


def _without_rows(opened: Source) -> dict[str, Any]:
    """Describe files that have columns and no rows: nothing says what the columns hold."""
    columns: list[dict[str, Any]] = [
        {"column": name, "type": "", "role": None, "examples": []} for name in opened.column_names
    ]
    note = "There is a header and no row below it, so nothing can be computed. Check the export that wrote the file."
    described = {"name": opened._name, "files": opened.files, "rows": 0, "is_empty": True, "columns": columns}
    return {**described, "roles": {}, "notes": [note, *opened.notes], "command": None, "commands": []}


def _without_header(patterns: tuple[str, ...], asked: dict[str, Any], width: int) -> dict[str, Any]:
    """Describe files without a header: their columns by number, and the command that names them."""
    names = [f"c{i + 1}" for i in range(width)]
    opened = _opened(patterns, {**asked, "names": names})
    found = _Found(opened)
    # A column of times is known without its name.
    named = ["timestamp" if name == found.roles.get("timestamp") else name for name in names]
    words = ["custcore", "inspect", *map(_file, patterns), *_options.as_words({**asked, "names": named})]
    note = (
        "The file has no header. Put the names of its columns in place of c1, c2, ... in this command, e.g. "
        "customer_id, amount, order_id."
    )
    return {
        **_described(opened, found),
        "roles": found.roles,
        "notes": [note, *opened.notes],
        "command": " ".join(words),
        "commands": [" ".join(words)],
    }


def _proposed(patterns: tuple[str, ...], found: _Found, reading: dict[str, Any]) -> str:
    """The command that scores the customers."""
    words = ["custcore", "rfm", *map(_file, patterns)]
    chosen = {role: column for role, column in found.roles.items() if DEFAULTS.get(role) != column}
    if chosen:
        words.append(_columns.as_options(chosen))
    if "amount" not in found.roles:
        words.append("--no-amount")
    return " ".join([*words, *_options.as_words(reading), "-o scores.parquet"])


def _file(pattern: str) -> str:
    """A name of a file for a shell, which is not taken for an option."""
    return quoted(f"./{pattern}" if pattern.startswith("-") and pattern != "-" else pattern)


def _product(columns: list[str], names: list[str]) -> str:
    """The product of columns as ``--amount`` takes it."""
    plain = " * ".join(columns)
    parsed = parse_expression(plain, names) if plain not in names else None
    if parsed is not None and parsed.columns == tuple(columns):
        return plain
    return " * ".join('"{}"'.format(name.replace('"', '""')) for name in columns)


def _is_detected(name: str, asked: dict[str, Any], patterns: tuple[str, ...], opened: Source) -> bool:
    """Whether a given option says what is detected without it."""
    if name not in {"delimiter", "encoding", "decimal"} or "-" in patterns or not opened._has_text:
        return False
    try:
        other = _opened(patterns, {key: value for key, value in asked.items() if key != name})
        pairs = list(zip(opened._texts.files, other._texts.files, strict=True))
        if name == "decimal":
            return opened._texts.decimal == other._texts.decimal
        return all(getattr(one.dialect, name) == getattr(two.dialect, name) for one, two in pairs)
    except CustcoreError:
        return False


def _advice(found: _Found) -> tuple[list[str], list[dict[str, Any]]]:
    """Report what was decided and what is missing, and the ways to read the files if a command can run."""
    notes = []
    roles = found.roles
    if "customer_id" not in roles:
        notes.append("No column looks like a customer id (integer, text or binary): name it with --customer-id.")
    if "timestamp" not in roles:
        notes.append(
            "No column is a date or a timestamp. Convert the column of times: --timestamp-format '%d/%m/%Y %H:%M'."
        )
    if found.factors:
        quantity, price = found.factors.values()
        also = f" If {price} is the money of a whole row: --amount {quoted(price)}."
        notes.append(
            f"The amount of a row is {quantity} times {price}. Rows of a negative quantity are refunds."
            + ("" if _columns.is_price_of_a_unit(price) else also)
        )
    elif "amount" not in roles:
        notes.append(
            "No column looks like an amount of money. Without one (--no-amount) refunds and cancellations cannot be "
            "seen: they count as purchases. Name it with --amount, also as arithmetic: --amount 'quantity * price'."
        )
    if "order_id" not in roles:
        notes.append("No column looks like an order id: every row is an order, unless --order-id names one.")
    notes += [
        f"No value of column {name!r} tells day and month apart; take the command with the right --timestamp-format."
        for name in found.unclear("timestamp")
    ]
    notes += [
        f"No value of column {name!r} tells whether its comma is a decimal sign; take the command with --decimal ',' "
        "if it is, or that with --thousands ','."
        for name in found.unclear("amount")
    ]
    return notes, found.ways if "customer_id" in roles and "timestamp" in roles else []


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
