"""The verbs of the command line, also those below others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


def verbs(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the words of each verb and its command, those of groups before those below them, in order of listing."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from verbs(below, (*words, name))
