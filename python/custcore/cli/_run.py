"""Runs commands: from files to a result, with progress, and with errors that propose a remedy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import click

from custcore._read import Source, open_source
from custcore.cli import _columns, _options, _progress
from custcore.cli._failure import DataProblem, Defect
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

# Arguments that name a key.
KEYS = ("customer_id", "order_id")


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
        raise click.UsageError(str(error)) from error
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


def explained(error: CustcoreError, files: Source, arguments: dict[str, Any]) -> DataProblem:
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
    message = str(failure.error if failure else error).rstrip(". ")
    named = _options.roles(arguments)
    if isinstance(error, InternalError):
        return Defect(message)
    if isinstance(error, ColumnNotFoundError):
        message = _not_found(error, files, named) or message
    elif isinstance(error, InvalidTypeError) and error.column in named:
        role = named[error.column]
        schema = files.schema
        kind = schema.field(error.column).type if error.column in schema.names else None
        other = _columns.guess(schema, without=named).get(role)
        if other:
            message += f". Did you mean {_columns.as_options({role: other})}?"
        elif role == "timestamp" and str(kind) in {"string", "large_string"} and "--timestamp-format" not in message:
            message += ". Text is read as times with --timestamp-format, e.g. '%d/%m/%Y %H:%M'"
        elif role in KEYS and files._has_text:
            message += ". Or read the ids as text: --text-ids"
    name = failure.name if failure else files._name
    return DataProblem(message if message.startswith(name) else f"{name}: {message}")


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
    proposed = {role: found[role] for role in absent.values() if role in found}
    listed = ", ".join(map(repr, there[:20])) + (", ..." if len(there) > 20 else "")
    parts = [f"there is no column {quoted}"]
    if proposed:
        parts.append(f"Did you mean {_columns.as_options(proposed)}?")
    if "amount" in absent.values() and "amount" not in proposed:
        parts.append("If the data have no amounts: --no-amount.")
    text = ". ".join(parts[:2]) + (" " + " ".join(parts[2:]) if len(parts) > 2 else "")
    hint = " Another delimiter? Try --delimiter ';'." if len(there) == 1 and files._has_text else ""
    return f"{text}{'' if text.endswith(('?', '.')) else '.'}{hint} The columns are {listed}"
