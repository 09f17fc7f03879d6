"""The command line: ``custcore``, ``python -m custcore``.

It reads files, calls the public API and prints. Its options are generated from the table in ``custcore._options``. It
computes no results and does not use ``custcore._core``. click, rich and pyarrow (the extra ``cli``) are imported when
a command runs.

Exit codes: 0; 1 for a bug; 2 for wrong usage; 3 for unusable data; 4 for a base that another process changes; 130 after
Ctrl-C.
"""

from __future__ import annotations

import codecs
import importlib.util
import io
import json
import sys
from typing import TYPE_CHECKING

from custcore._extras import how_to_install

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

NEEDED = ("click", "rich", "pyarrow")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv
        The arguments after the program's name; by default those of the process.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"custcore: the command line needs {', '.join(missing)}: {how_to_install('cli')}", file=sys.stderr)
        return 2

    _write_any_character()
    try:
        from custcore.cli._app import app

        app.main(args=None if argv is None else list(argv), prog_name="custcore")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:  # before or after the command, which reports it itself
        return 130


def _write_any_character() -> None:
    """Let stdout and stderr escape what their encoding does not have, as JSON does, instead of failing."""
    codecs.register_error("custcore", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="custcore")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
