"""A deadline for the processes that tests start: when a test is ended by its timeout, they must not stay behind."""

from __future__ import annotations

import faulthandler


def end_after(seconds: float) -> None:
    """Print all stacks and exit with status 1 after ``seconds``, even while native code holds the GIL.

    A forked child does not inherit the deadline and has to set its own.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
