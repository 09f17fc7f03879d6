"""Results of other tools that are not in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference_data import _OUTSIDE

__all__ = ["golden"]


def golden(name: str) -> Path:
    """A folder of results of effects and budgets; without it the test is skipped."""
    folder = _OUTSIDE / "golden" / "effect" / name
    if not folder.is_dir():
        pytest.skip(f"golden/effect/{name} is not beside the checkout (CUSTCORE_SHARED)")
    return folder
