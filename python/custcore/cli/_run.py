"""Runs commands: from files to a result, with progress, and with errors that propose a remedy."""

from __future__ import annotations

import difflib
import glob
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from custcore._options.transactions import KEYS
from custcore._read import Source, open_source
from custcore.cli import _columns, _options, _progress
from custcore.cli._failure import DataProblem, Defect, WrongUsage, said
from custcore.cli._words import is_about_argument
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    InternalError,
    InvalidArgumentError,
    InvalidTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from custcore._read.options import Reading

__all__ = ["call", "check", "explained", "open_files"]

Result = TypeVar("Result")


def open_files(patterns: Sequence[str], arguments: dict[str, Any], reading: Reading) -> Source:
    """Open the files of a command.

    Parameters
    ----------
    patterns
        Names of files, globs, folders, URLs, or ``-``.
    arguments
        What `options.settings` made. Texts that name several columns of a key become lists.
    reading
        What `options.reading_of` made.
    """
    try:
        files = open_source(patterns, reading)
    except FileNotFoundError as error:
        if error.errno is not None:
            raise
        raise click.UsageError(f"{error}{_similar_files(patterns)}") from error
    columns = files.column_names
    for role in KEYS:
        if arguments.get(role) is not None:
            arguments[role] = _options.key_columns(arguments[role], columns)
    return files


def check(files: Source, arguments: dict[str, Any], function: Callable[..., Result]) -> Result:
    """Raise for invalid columns and settings before any row is read; returns the result of no rows."""
    try:
        roles = _options.roles(arguments)
        return function(files._planned(list(roles), roles).empty_table(), **arguments)
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise explained(error, files, arguments) from error


def call(
    files: Source,
    arguments: dict[str, Any],
    function: Callable[..., Result],
    accept: Callable[[Result], object] | None = None,
) -> tuple[Result, float]:
    """Read all files in one stream, and return the result and the time in seconds.

    Parameters
    ----------
    files
        What `open_files` found.
    arguments
        Of the function.
    function
        Of the API: takes the rows as its data.
    accept
        Called with the result of no rows before any row is read; raises for options that do not go with it.
    """
    empty = check(files, arguments, function)
    if accept is not None:
        accept(empty)
    if arguments.get("n_threads"):
        import pyarrow as pa

        pa.set_cpu_count(arguments["n_threads"])
    start = time.perf_counter()
    try:
        with _progress.rows_read(f"reading {files._label}", files.n_rows) as report_rows:
            roles = _options.roles(arguments)
            result = function(files.reader(list(roles), roles), **arguments, progress=report_rows)
    except InternalError:
        raise
    except CustcoreError as error:
        if files._failure and isinstance(files._failure.error, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise explained(error, files, arguments) from error
    return result, time.perf_counter() - start


def explained(error: CustcoreError, files: Source, arguments: dict[str, Any]) -> click.ClickException:
    """Create an error with the name of the file, and the option that would help, if any.

    Parameters
    ----------
    error
        What custcore raised.
    files
        What was read.
    arguments
        What `options.settings` made.
    """
    failure = files._failure
    named = _options.roles(arguments)
    if isinstance(error, InternalError):
        return Defect(str(error))
    raised = str(failure.error if failure else error)
    message = said(raised).rstrip(". ")
    if error.column is None and is_about_argument(raised):
        return WrongUsage(message)
    if isinstance(error, ColumnNotFoundError):
        message = _not_found(error, files, named) or message
    elif isinstance(error, InvalidTypeError) and error.column in named:
        stated = re.search(r"^column .*? \(([\w ]+)\) is ", raised)  # a column may have several roles
        message = _of_other_type(message, stated[1] if stated else named[error.column], error.column, files, named)
    name = failure.name if failure else files._name
    return DataProblem(message if message.startswith(name) else f"{name}: {message}")


# What a column of a role may be written as.
WRITTEN = {
    "customer_id": "integers or text",
    "order_id": "integers or text",
    "timestamp": "dates or timestamps",
    "amount": "numbers",
}


def _of_other_type(message: str, role: str, column: str, files: Source, named: dict[str, str]) -> str:
    """What is wrong with the type of a column, and the way out."""
    schema = files.schema
    kind = str(schema.field(column).type) if column in schema.names else ""
    other = _columns.guess(schema, without=named).get(role)
    if "; expected " in message:  # what follows is how to cast a column in memory
        message = re.sub(r"(; expected [^.]*)\..*", r"\1", message)
        message += ". It holds nothing but nulls" if kind == "null" else ""
    if other:
        return f"{message}. Did you mean {_columns.as_options({role: other})}?"
    if role == "timestamp" and kind in {"string", "large_string"}:
        if "--timestamp-format" in message:
            return message
        return f"{message}. Text is read as times with --timestamp-format, e.g. '%d/%m/%Y %H:%M'"
    if role in KEYS and files._has_text:
        return f"{message}. Or read the ids as text: --text-ids"
    if role not in WRITTEN or "; expected " not in message:
        return message
    flag = f"--{role.replace('_', '-')}"
    without = ", or go without money: --no-amount" if role == "amount" else ""
    return f"{message}. Name another column by {flag}, or write this one as {WRITTEN[role]}{without}"


def _similar_files(patterns: Sequence[str]) -> str:
    """The file that was perhaps meant, for the first that is not there."""
    absent = next((Path(name) for name in patterns if not glob.has_magic(name) and not Path(name).exists()), None)
    if absent is None or not absent.parent.is_dir():
        return ""
    near = difflib.get_close_matches(absent.name, (path.name for path in absent.parent.iterdir()), 1, 0.75)
    return f". Did you mean {shlex.quote(str(absent.parent / near[0]))}?" if near else ""


def _not_found(error: ColumnNotFoundError, files: Source, named: dict[str, str]) -> str | None:
    """Name all missing columns at once, each with the option for the most similar column."""
    there = files.column_names
    absent = {column: role for column, role in named.items() if not files._has(column)}
    if error.column not in absent or any(error.column in file.names for file in files._files):
        return None
    quoted = " or ".join(
        f"{column!r} ({_columns.ROLES.get(role, '--' + role.replace('_', '-'))})" for column, role in absent.items()
    )
    found = _columns.guess(files.schema, without=[column for column in named if column in there])
    proposed = {}
    for column, role in absent.items():
        near = difflib.get_close_matches(column, there, 1, 0.75)
        if near or role in found:
            proposed[role] = near[0] if near else found[role]
    listed = ", ".join(map(repr, there[:20])) + (", ..." if len(there) > 20 else "")
    parts = [f"there is no column {quoted}"]
    if proposed:
        parts.append(f"Did you mean {_columns.as_options(proposed)}?")
    if "amount" in absent.values() and "amount" not in proposed:
        lacking = [part for column in absent for part in _lacking(column, there)]
        parts.append(" ".join(lacking) or "If the data have no amounts: --no-amount.")
    text = ". ".join(parts[:2]) + (" " + " ".join(parts[2:]) if len(parts) > 2 else "")
    hint = " Another delimiter? Try --delimiter ';'." if len(there) == 1 and files._has_text else ""
    return f"{text}{'' if text.endswith(('?', '.')) else '.'}{hint} The columns are {listed}"


def _lacking(text: str, names: Sequence[str]) -> list[str]:
    """What is no column in arithmetic over columns, in words; nothing if `text` has no sign of it."""
    operands = [part.strip().strip('"') for part in re.split(r"[*/+()]|\s-\s", text)]
    unknown = [part for part in operands if part and part not in names and not re.fullmatch(r"-?[\d.]+", part)]
    if unknown == [text]:
        return []
    found = []
    for part in dict.fromkeys(unknown):
        near = difflib.get_close_matches(part, names, 1, 0.6)
        found.append(f"In it, {part!r} is no column{f'; did you mean {near[0]!r}?' if near else '.'}")
    return found
