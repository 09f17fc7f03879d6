"""One writer of a base at a time: a lock on a file beside it, which a process that ends gives back."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from custcore.cli._failure import DataProblem, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Locked", "locked"]

# Seconds between two attempts.
PAUSE = 0.05


class Locked(DataProblem):
    """Another process holds the base: exit code 4."""

    exit_code = 4


@contextlib.contextmanager
def locked(base: Path, timeout: float, *, quiet: bool = False) -> Iterator[None]:
    """Hold the lock of a base; it is the file beside it with ``.lock`` at the end, and stays there.

    Parameters
    ----------
    base
        The file of the base, which need not exist.
    timeout
        Seconds to wait for another process.
    quiet
        Whether not to say that it waits.

    Raises
    ------
    Locked
        If another process holds it all that time.
    DataProblem
        If the file system has no locks.
    """
    if importlib.util.find_spec("fcntl") is None:
        raise DataProblem("bases are locked by flock, which this system does not have; update the base in Python")
    target = Path(os.path.realpath(base))
    path = target.with_name(f"{target.name}.lock")
    if not target.parent.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    with path.open("a+", encoding="utf-8") as file:
        _wait(file.fileno(), path, base, timeout, quiet=quiet)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")  # for the message of those who wait
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _wait(handle: int, path: Path, base: Path, timeout: float, *, quiet: bool) -> None:
    import fcntl

    end = time.monotonic() + timeout
    said = quiet
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        except OSError as error:
            raise DataProblem(f"{path} cannot be locked: {error.strerror}") from error
        else:
            return
        left = end - time.monotonic()
        if left <= 0:
            raise Locked(
                f"{base} is being changed by {_holder(path)}, which did not end within {timeout:g} s; nothing was "
                "changed. Run it again later, or wait longer: --lock-timeout SECONDS"
            )
        if not said:
            click.echo(f"custcore: waiting for {_holder(path)}, which changes {printable(str(base))}", err=True)
            said = True
        time.sleep(min(PAUSE, left))


def _holder(path: Path) -> str:
    """Who holds the lock, as far as its file says."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8").strip()
        if text.isdecimal():
            return f"process {text}"
    return "another process"
