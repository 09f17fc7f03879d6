"""Errors on the command line: one paragraph on stderr, and an exit code."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import traceback
from typing import IO, Any

import click

import custcore
from custcore.cli._words import in_words, is_about_argument

__all__ = ["TRACEBACK", "DataProblem", "Defect", "WrongUsage", "failure", "printable", "said"]

# The environment variable with which tracebacks are shown.
TRACEBACK = "CUSTCORE_TRACEBACK"


def _wrapped(text: str) -> str:
    """A paragraph for stderr: wrapped at words on a terminal, else one line."""
    if not sys.stderr.isatty():
        return text
    return textwrap.fill(text, shutil.get_terminal_size().columns, break_long_words=False, break_on_hyphens=False)


class WrongUsage(click.UsageError):
    """A wrong option or value that the library found: exit code 2."""

    def format_message(self) -> str:
        """The message, wrapped behind the word that click writes in front."""
        return _wrapped(f"Error: {printable(self.message)}").removeprefix("Error: ")


class DataProblem(click.ClickException):
    """Unusable data: exit code 3."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr, wrapped at words on a terminal."""
        text = f"custcore: {printable(self.message)}"
        click.echo(_wrapped(text) if file is None else text, file=file, err=True)


class Defect(DataProblem):
    """A bug in custcore: exit code 1."""

    exit_code = 1


def failure(error: Exception, context: click.Context | None = None) -> click.ClickException:
    """What the command line reports for any exception: wrong usage (2), unusable data (3) or a bug (1).

    Parameters
    ----------
    error
        What was raised.
    context
        Of the verb, whose options messages name.
    """
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        return error
    if isinstance(error, custcore.errors.InternalError):
        return _defect(str(error))
    if isinstance(error, custcore.errors.CustcoreError):
        text = said(error, context)
        is_usage = isinstance(error, custcore.errors.InvalidArgumentError) or (
            error.column is None and is_about_argument(str(error))
        )
        return WrongUsage(text) if is_usage else DataProblem(text)
    if isinstance(error, MemoryError):
        return DataProblem(str(error) or "there is not enough memory")
    if isinstance(error, OSError):
        return DataProblem(_of_system(error))
    import pyarrow as pa

    if isinstance(error, pa.ArrowException):
        return DataProblem(str(error))
    return _defect(f"{type(error).__name__}: {error}")


def said(error: object, context: click.Context | None = None) -> str:
    """The message of an error of the library in the words of the command line.

    Parameters
    ----------
    error
        The error, or its message.
    context
        Of the verb; default: the current one.
    """
    context = context or click.get_current_context(silent=True)
    if context is None:
        return in_words(str(error), None)
    paths = context.params.get("files") or ()
    return in_words(str(error), context.command, [name for name in paths if any(sign in name for sign in "./\\")])


def _of_system(error: OSError) -> str:
    """``scores.csv: No space left on device``."""
    if error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror


def _defect(said: str) -> Defect:
    how = "" if os.environ.get(TRACEBACK) else f"; {TRACEBACK}=1 shows where it happened"
    return Defect(
        f"{said.rstrip('. ')}. This is a bug of custcore {custcore.__version__}. Please report it{_where()}{how}"
    )


def _where() -> str:
    """Where bugs are reported, if the package says so."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = dict(line.split(", ", 1) for line in metadata("custcore").get_all("Project-URL") or [])
    except PackageNotFoundError:
        return ""
    url = next((urls[name] for name in ("Issues", "Bug Tracker", "Tracker") if name in urls), None)
    return f" at {url}" if url else ""


def printable(text: str) -> str:
    r"""Convert ``text`` to one paragraph and escape control characters, which names in a file may contain.

    Parameters
    ----------
    text
        What a message, a column or a file says.

    Examples
    --------
    >>> printable("a column\n  named \x1b[2J")
    'a column named \\x1b[2J'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
