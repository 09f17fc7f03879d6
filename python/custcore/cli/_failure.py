"""Errors on the command line: one paragraph on stderr, and an exit code."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import IO, Any

import click

__all__ = ["DataProblem", "Defect", "printable"]


class DataProblem(click.ClickException):
    """Unusable data: exit code 3."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr, wrapped at words on a terminal."""
        text = f"custcore: {printable(self.message)}"
        if file is None and sys.stderr.isatty():
            width = shutil.get_terminal_size().columns
            text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
        click.echo(text, file=file, err=True)


class Defect(DataProblem):
    """A bug in custcore: exit code 1."""

    exit_code = 1


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
