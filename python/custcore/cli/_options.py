"""The options of commands. Options of the API are generated from its table of options, with the same names."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from custcore._input.arguments import key_names
from custcore._options import reading, scores, transactions
from custcore._options.option import REQUIRED, names
from custcore._read.options import Reading
from custcore.cli import _command, _settings, _words
from custcore.cli._shell import quoted
from custcore.cohort._arguments import COHORT_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from custcore._options.option import Option

__all__ = [
    "SCORING",
    "Target",
    "api_option",
    "api_options",
    "as_words",
    "column_options",
    "excludes",
    "file_options",
    "id_file_options",
    "input_options",
    "json_option",
    "key_columns",
    "output_option",
    "parted",
    "reading_of",
    "roles",
    "scoring_options",
    "settings",
    "transaction_options",
]

Command = TypeVar("Command", bound="Callable[..., Any]")

_SCORING = tuple(option for option in scores.SCORING if option.help)
# Arguments of `custcore.rfm_scores` that `custcore.rfm` does not have.
SCORING = names(_SCORING)


class Bins(click.ParamType[Any]):
    """A number of bins, or three for R, F and M."""

    is_list = True
    name = "N|R,F,M"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``5`` to 5, ``5,5,3`` to (5, 5, 3)."""
        if not isinstance(value, str):
            return value
        try:
            numbers = tuple(int(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in {1, 3}:
            self.fail(f"{value!r} is neither a number nor three of them, such as 5 or 5,5,3", param, ctx)
        return numbers[0] if len(numbers) == 1 else numbers


class Names(click.ParamType[Any]):
    """Column names, separated by commas."""

    is_list = True
    name = "A,B,C"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``a, b`` to ["a", "b"]."""
        if not isinstance(value, str):
            return value
        names = parted(value)
        if names is None:
            self.fail(f"{value!r} is not a list of names such as A,B,C", param, ctx)
        return [name for name in names if name]


class Attributes(Names):
    """Columns kept per customer, separated by commas, each perhaps with ``=first`` or ``=last``."""

    name = "COLUMN[,...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``a, b=first`` to ["a", "b=first"]; `attributes_of` makes the argument of it."""
        names = super().convert(value, param, ctx)
        columns = [column for column, _ in map(_attribute, names or ())]
        for column in columns:
            if columns.count(column) > 1:
                self.fail(f"{column!r} is named twice", param, ctx)
        return names


def _attribute(text: str) -> tuple[str, str]:
    """The column of an attribute, and which of its values: ``country=first``."""
    column, _, which = text.rpartition("=")
    return (column.strip(), which) if column.strip() and which in {"first", "last"} else (text, "last")


class Key(click.ParamType[Any]):
    """The columns of a key; `key_columns` parts them when the columns of the data are known."""

    is_list = True
    name = "COLUMN[,...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401, ARG002
        """Leave the text as it is."""
        return value


class Target(click.Path):
    """The name of a file to write."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Convert to a path; an empty one would be the working directory."""
        if value == "":
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


def api_option(
    option: Option, kind: click.ParamType[Any] | None = None, *, deferred: bool = False
) -> Callable[[Command], Command]:
    """Create the command option for an option of the API.

    Parameters
    ----------
    option
        From the table of options; it has a text for the command line.
    kind
        How its value is parsed, if it is not a word, a whole number or one of its choices.
    deferred
        Whether the default is left to the API, which may have another one for a preset; help shows it all the same.
    """
    flags = option.flags or (f"--{option.name.replace('_', '-')}",)
    if kind is None and option.name in transactions.KEYS:
        kind = Key()
    elif kind is None and option.choices:
        kind = _words.Word(option.choices)
    elif kind is None and (option.minimum, option.maximum) != (None, None):
        kind = _words.Whole(option.minimum, option.maximum)
    default = None if option.default is REQUIRED else option.default
    stated = option.shown_default or (str(default) if deferred and default is not None else "")
    text = option.help + (f" [default: {stated}]" if stated else "")
    given: dict[str, Any] = {} if stated or default is None else {"default": default, "show_default": True}
    if option.repeatable:
        given = {"multiple": True}
    return _command.option(
        *flags,
        option.name,
        group=option.group,
        stated_default=stated,
        type=kind,
        metavar=option.metavar or None,
        help=text,
        **given,
    )


def api_options(
    options: tuple[Option, ...], kinds: Mapping[str, click.ParamType[Any]] | None = None, *, deferred: bool = False
) -> Callable[[Command], Command]:
    """Create all options of a command that have a text for the command line, as `api_option` does.

    Parameters
    ----------
    options
        A group of the table of options.
    kinds
        How values are parsed, by the names of options.
    deferred
        Whether defaults are left to the API.
    """
    shown = (option for option in options if option.help)
    made = [api_option(option, (kinds or {}).get(option.name), deferred=deferred) for option in shown]
    return lambda command: _with(command, *made)


def reading_options(command: Command) -> Command:
    """Add the options for reading files."""
    return api_options(reading.READING, {"names": Names()})(command)


def input_options(command: Command) -> Command:
    """Add FILE... and the options for reading files."""
    return _with(command, _command.argument("files", nargs=-1, required=True, metavar="FILE..."), reading_options)


def file_options(command: Command) -> Command:
    """Add FILE... and the options for reading files, and ids in them."""
    return _with(command, _command.argument("files", nargs=-1, required=True, metavar="FILE..."), id_file_options)


def id_file_options(command: Command) -> Command:
    """Add the options for reading files, and ids in them."""
    return _with(
        command,
        reading_options,
        _command.option(
            "--text-ids",
            group="Files",
            is_flag=True,
            help="Read CSV ids as text, even if they look like numbers (007 is not 7).",
        ),
    )


def column_options(command: Command) -> Command:
    """Add the columns and their roles, with the defaults of the API."""
    *_, order_id = columns = transactions.COLUMNS
    no_amount = _command.option(
        "--no-amount", group="Columns", is_flag=True, help="Do not read money: recency and frequency only."
    )
    return _with(command, api_options(columns[:-1]), no_amount, api_option(order_id))


def transaction_options(command: Command) -> Command:
    """Add the options for reading transactions."""
    options = tuple(option for option in transactions.RFM if option not in transactions.COLUMNS)
    return api_options(options, {"attributes": Attributes()})(command)


def scoring_options(command: Command) -> Command:
    """Add the options for scores and segments."""
    return api_options(_SCORING, {"bins": Bins()})(command)


def output_option(text: str) -> Callable[[Command], Command]:
    """Create the option ``--output`` with this help text."""
    return _command.option("-o", "--output", "target", group="Output", type=Target(), metavar="OUT", help=text)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return _command.option(
        "--json", "as_json", group="Output", is_flag=True, help="Print one JSON object on stdout, and nothing else."
    )(command)


def reading_of(given: dict[str, Any]) -> Reading:
    """Take the options for reading files from those given.

    Parameters
    ----------
    given
        Values of options by name; those of reading are removed.
    """
    taken = {name: given.pop(name, None) for name in names(reading.READING) if name != "text"}
    taken["delimiter"] = {"\\t": "\t", "tab": "\t"}.get(taken["delimiter"], taken["delimiter"])
    taken["names"] = tuple(taken["names"]) if taken["names"] else None
    taken["timestamp_format"] = tuple(taken["timestamp_format"] or ())
    return Reading(**taken, text_ids=bool(given.pop("text_ids", False)), words=True)


def as_words(given: Mapping[str, Any]) -> list[str]:
    """Options for reading as they are written in a command.

    Parameters
    ----------
    given
        Values by name.
    """
    words = []
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "names":
            words.append(f"{flag} {quoted(','.join(value))}")
        else:
            words += [f"{flag} {quoted(str(one))}" for one in (value if isinstance(value, tuple) else (value,))]
    return words


def settings(given: dict[str, Any]) -> dict[str, Any]:
    """Convert the command-line options to arguments of the API.

    Parameters
    ----------
    given
        Values of the options above, by name.
    """
    arguments = dict(given)
    if arguments.pop("no_amount", False) and excludes("no_amount", "amount"):
        arguments["amount"] = None
    if arguments.get("segments") == "none":
        arguments["segments"] = None
    if arguments.get("attributes"):
        arguments["attributes"] = dict(map(_attribute, arguments["attributes"]))
    return arguments


# The sources of values, the one that takes precedence first.
_SOURCES = (
    click.core.ParameterSource.COMMANDLINE,
    click.core.ParameterSource.ENVIRONMENT,
    click.core.ParameterSource.DEFAULT_MAP,
    click.core.ParameterSource.DEFAULT,
)


def excludes(flag: str, other: str) -> bool:
    """Whether a flag that is set takes precedence over an option it excludes: the one typed, over that of a file.

    Parameters
    ----------
    flag, other
        Names of the two options. If both are from the same place, the flag takes precedence.

    Raises
    ------
    click.UsageError
        If both were typed.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return True
    ranks = [
        _SOURCES.index(context.get_parameter_source(name) or click.core.ParameterSource.DEFAULT)
        for name in (flag, other)
    ]
    if ranks == [0, 0]:
        flags = {option.name: f"--{_settings.key(option)}" for option in context.command.params}
        raise click.UsageError(f"{flags[other]} and {flags[flag]} exclude each other")
    return ranks[0] <= ranks[1]


def roles(arguments: dict[str, Any]) -> dict[str, str]:
    """Select the columns to read, each with the argument that names it first.

    Parameters
    ----------
    arguments
        What `settings` made.
    """
    names = (
        *("customer_id", "timestamp", "amount", "order_id", "by", "group", "start", "returning"),
        *("categories", "promotion", "channel", "item"),
    )
    found: dict[str, str] = {}
    for name in names:
        for column in key_names(arguments.get(name)):
            found.setdefault(column, name)
    for column in arguments.get("attributes") or ():
        found.setdefault(column, "attributes")
    if arguments.get("cohort_by", "first") not in COHORT_WORDS:
        found.setdefault(arguments["cohort_by"], "cohort_by")
    return found


def key_columns(text: str, columns: Iterable[str]) -> str | list[str]:
    """The columns of a key on the command line: names with commas between, as in a line of CSV.

    A text that is the name of a column is that column, whatever commas it has.

    Parameters
    ----------
    text
        What was given.
    columns
        The columns of the data.

    Examples
    --------
    >>> key_columns("country,id", ["country", "id"])
    ['country', 'id']
    >>> key_columns("country,id", ["country,id"])
    'country,id'
    >>> key_columns('"last, first",id', ["last, first", "id"])
    ['last, first', 'id']
    """
    if "," not in text or text in columns:
        return text
    names = parted(text)
    return text if names is None or "" in names else names


def parted(text: str) -> list[str] | None:
    """The names in a text, with commas between, as in a line of CSV; None if it is no such line.

    Parameters
    ----------
    text
        What was given.
    """
    try:
        return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    except csv.Error:  # an end of line outside quotes
        return None


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
