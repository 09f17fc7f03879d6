"""Tests of what only newer versions of other libraries can do; with the lowest ones (`make lowest`) they are skipped."""

from __future__ import annotations

from importlib.metadata import version

import pytest

__all__ = ["is_before", "needs"]


def is_before(library: str, *least: int) -> bool:
    """Whether the installed version is before this one."""
    return tuple(int(part) for part in version(library).split(".")[:2] if part.isdigit()) < least


def needs(library: str, *least: int, to: str) -> pytest.MarkDecorator:
    """Skip a test or a case with a version that cannot do what it shows."""
    words = ".".join(map(str, least))
    return pytest.mark.skipif(is_before(library, *least), reason=f"{library} before {words} does not {to}")
