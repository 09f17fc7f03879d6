"""Runs commands: from files to a result, with progress, and with errors that propose a remedy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import click

import custcore
from custcore._input.arguments import key_names
from custcore.cli import _columns, _options, _progress
from custcore.cli._failure import DataProblem, Defect
from custcore.cli._files import Files, find
from custcore.errors import (
    ArrowImportError,
    ColumnNotFoundError,
    CustcoreError,
    InternalError,
    InvalidArgumentError,
    InvalidTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["call", "check", "explained", "open_files"]

Result = TypeVar("Result")

# Arguments that name a key.
KEYS = ("customer_id", "order_id")

CSV_TIMES = (
    "The types of CSV columns are inferred by pyarrow, which recognises only ISO times (2026-01-31, "
    "2026-01-31 18:30:00); rewrite the column in this format, or convert the file to Parquet with the right type"
)


def open_files(patterns: Sequence[str], arguments: dict[str, Any], *, delimiter: str, text_ids: bool) -> Files:
    """Open the files of a command; the roles of columns determine the types of CSV columns.

    Parameters
    ----------
    patterns, delimiter
        As `files.find` takes them.
    arguments
        What `options.settings` made. Texts that name several columns of a key become lists.
    text_ids
        Whether ids in CSV are text.
    """
    if len(delimiter) != 1:
        delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, "")
        if not delimiter:
            raise click.UsageError("--delimiter must be one character, or tab")
    amount = arguments.get("amount")
    files = find(patterns, delimiter=delimiter, decimals=[amount] if amount is not None else [])
    columns = files.files[0].schema.names
    for role in KEYS:
        if arguments.get(role) is not None:
            arguments[role] = _options.key_columns(arguments[role], columns)
    if text_ids:
        files.text_ids = tuple(column for role in KEYS for column in key_names(arguments.get(role)))
    return files


def check(files: Files, arguments: dict[str, Any], function: Callable[..., object] = custcore.rfm_scores) -> None:
    """Raise for invalid columns and settings before any row is read."""
    try:
        files.check(_options.roles(arguments))
        function(files.schema.empty_table(), **arguments)
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise explained(error, files, arguments) from error


def call(files: Files, arguments: dict[str, Any], function: Callable[..., Result]) -> tuple[Result, float]:
    """Read all files in one stream, and return the result and the time in seconds.

    Parameters
    ----------
    files
        What `open_files` found.
    arguments
        Of the function.
    function
        Of the API: takes the rows as its data.
    """
    check(files, arguments, function)
    if arguments.get("n_threads"):
        import pyarrow as pa

        pa.set_cpu_count(arguments["n_threads"])
    start = time.perf_counter()
    try:
        with _progress.rows_read(f"reading {files.label}", files.n_rows) as report_rows:
            result = function(files.reader(list(_options.roles(arguments))), **arguments, progress=report_rows)
    except InternalError:
        raise
    except CustcoreError as error:
        if files.failure and isinstance(files.failure.error, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise explained(error, files, arguments) from error
    return result, time.perf_counter() - start


def explained(error: CustcoreError, files: Files, arguments: dict[str, Any]) -> DataProblem:
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
    failure = files.failure
    message = str(failure.error if failure else error).rstrip(". ")
    named = _options.roles(arguments)
    if isinstance(error, InternalError):
        return Defect(message)
    if isinstance(error, ColumnNotFoundError):
        message = _not_found(error, files, named) or message
    elif isinstance(error, InvalidTypeError) and error.column in named:
        role = named[error.column]
        kind = files.schema.field(error.column).type if error.column in files.schema.names else None
        other = _columns.guess(files.schema, without=named).get(role)
        if other:
            message += f". Did you mean {_columns.as_options({role: other})}?"
        elif role == "timestamp" and files.has_csv and str(kind) in {"string", "large_string"}:
            message += f". {CSV_TIMES}"
        elif role in KEYS and files.has_csv:
            message += ". Or read the ids of CSV as text: --text-ids"
    elif isinstance(error, ArrowImportError) and files.has_csv and "conversion error" in message:
        message += (
            ". The types of CSV columns are inferred from the first 4 MB; ids that look like numbers at first are read "
            "as text with --text-ids, all else needs a type: convert the file to Parquet"
        )
    return DataProblem(f"{failure.path if failure else files.name}: {message}")


def _not_found(error: ColumnNotFoundError, files: Files, named: dict[str, str]) -> str | None:
    """Name all missing columns at once, each with the option for the most similar column."""
    there = files.schema.names
    absent = {column: role for column, role in named.items() if column not in there}
    if error.column not in absent or any(error.column in file.schema.names for file in files.files):
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
    hint = " Another delimiter? Try --delimiter ';'." if len(there) == 1 and files.has_csv else ""
    return f"{text}{'' if text.endswith(('?', '.')) else '.'}{hint} The columns are {listed}"
