"""What every test may ask for: the folder of reference data, and the hypothesis profile.

The repository is on the path (pyproject.toml): tests import the slow oracles from `tests.reference`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(os.environ.get("CUSTCORE_SHARED", Path(__file__).resolve().parents[2] / "shared"))

settings.register_profile(
    "ci", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("CUSTCORE_HYPOTHESIS", "ci"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with `data/` and `golden/`; tests that need it are skipped where it is not there."""
    if not (SHARED / "golden").is_dir():
        pytest.skip(f"no reference data at {SHARED} (set CUSTCORE_SHARED)")
    return SHARED
