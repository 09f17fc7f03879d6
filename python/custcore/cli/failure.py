"""Errors as the command line shows them: one paragraph on stderr, and an exit code."""

from __future__ import annotations

from typing import IO, Any

import click

__all__ = ["DataProblem", "Defect", "printable"]


class DataProblem(click.ClickException):
    """Data that cannot be used: exit code 3."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr."""
        click.echo(f"custcore: {printable(self.message)}", file=file, err=True)


class Defect(DataProblem):
    """A defect of custcore itself: exit code 1."""

    exit_code = 1


def printable(text: str) -> str:
    r"""Put ``text`` into one paragraph, without what a terminal would obey: names in a file are not ours.

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
