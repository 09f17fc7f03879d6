"""Words of a command as a shell takes them."""

from __future__ import annotations

import os
import shlex

__all__ = ["quoted"]


def quoted(text: str) -> str:
    r"""A word for bash or zsh: quoted if it needs it, and control characters as escapes, so that it fits one line.

    Parameters
    ----------
    text
        The word.

    Examples
    --------
    >>> print(quoted("sales.csv"), quoted("my sales.csv"), quoted("a\tb"))
    sales.csv 'my sales.csv' $'a\x09b'
    """
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(_escaped(letter) for letter in text)
    return f"$'{escaped}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    return letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))
