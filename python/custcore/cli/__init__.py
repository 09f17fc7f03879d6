"""The command line: ``python -m custcore.cli``.

It reads files, calls the public API and prints. It computes nothing of its own that the API could be asked for, and it
touches neither ``custcore._core`` nor the internals of the package. pyarrow is imported when a command runs.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for a wrong call, 3 for data that cannot be used.

    Parameters
    ----------
    argv
        The arguments after the program's name; by default those of the process.
    """
    from custcore.cli import demo

    parser = argparse.ArgumentParser(prog="custcore", description="Customer analytics over Arrow.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo.add_command(commands)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code
