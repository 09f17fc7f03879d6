"""Third-party modules, imported when they are needed, with errors that state how to install them."""

from __future__ import annotations

import importlib
from typing import Any

from custcore._extras import how_to_install

__all__ = ["needed"]


def needed(module: str, what: str, extra: str | None = None) -> Any:  # noqa: ANN401
    """Import a module.

    Parameters
    ----------
    module
        Its name.
    what
        What needs it, e.g. ``"to_xlsx"``.
    extra
        The extra of custcore that installs it, if that is not its name.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top:
            raise
        raise ModuleNotFoundError(f"{what} needs {top}: {how_to_install(extra or top)}", name=top) from error
