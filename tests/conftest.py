"""What every test may ask for: reference data, and the hypothesis profile.

The repository is on the path (pyproject.toml): tests import the slow oracles from `tests.reference`.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.reference_data import SHIPPED, ReferenceData, outside

settings.register_profile(
    "ci", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("CUSTCORE_HYPOTHESIS", "ci"))


@pytest.fixture(scope="session")
def shipped() -> ReferenceData:
    """Online Retail, R rfm and what derives from them: in the repository."""
    return SHIPPED


@pytest.fixture(scope="session")
def cdnow() -> ReferenceData:
    """CDNOW and what derives from it; tests that need it are skipped where it is not there."""
    return outside("cdnow")


@pytest.fixture(scope="session")
def clustering() -> ReferenceData:
    """The clustering sets S1, S2 and A1; tests that need them are skipped where they are not there."""
    return outside("clustering")
