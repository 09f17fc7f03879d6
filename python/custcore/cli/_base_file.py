"""The file of a base on the command line: the argument BASE, and how it is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import click

import custcore
from custcore.cli import _command, _options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["base_argument", "check_exists", "is_new", "load", "lock_option", "quiet_option"]

Command = TypeVar("Command", bound="Callable[..., Any]")


class Seconds(click.FloatRange):
    """Seconds to wait: `nan` is no number of them, and would wait for ever."""

    name = "float range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The number, or an error."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def base_argument(command: Command) -> Command:
    """Add BASE."""
    return _command.argument("base", type=_options.Target(), metavar="BASE")(command)


def quiet_option(command: Command) -> Command:
    """Add ``--quiet``."""
    return _command.option("-q", "--quiet", group="Output", is_flag=True, help="Print nothing on success.")(command)


def lock_option(command: Command) -> Command:
    """Add ``--lock-timeout``."""
    return _command.option(
        "--lock-timeout",
        group="Base",
        type=Seconds(min=0),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for another process that changes the base.",
    )(command)


def is_new(base: custcore.CustomerBase) -> bool:
    """Whether a base was never updated: it then knows no type of ids, and has no report."""
    return not base.n_rows and not base.batch_ids


def check_exists(path: Path) -> None:
    """Raise if there is no base.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    click.UsageError
        If there is no such file.
    """
    if not path.exists():
        raise click.UsageError(f"there is no base {path}; make one: custcore base init {path}")


def load(path: Path) -> custcore.CustomerBase:
    """Read a base.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    click.UsageError
        If there is no such file.
    ModelFormatError
        If it is not a base, or was changed.
    """
    check_exists(path)
    return custcore.CustomerBase.load(path)
