"""Data of others and results of other tools: those in `tests/data`, and sets that may not be shipped.

`tests/data/README.md` names sources and terms.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_OUTSIDE = Path(os.environ.get("CUSTCORE_SHARED", _HERE.parents[1] / "shared"))
# Sets whose terms do not allow to ship them.
OUTSIDE = ("cdnow", "apparel", "clustering")


@dataclass(frozen=True)
class ReferenceData:
    """Where a set's input (`data / "<set>/<file>"`) and its results (`golden / "<analysis>/<file>"`) are."""

    data: Path
    golden: Path


SHIPPED = ReferenceData(_HERE / "data", _HERE / "data" / "golden")


def outside(name: str) -> ReferenceData:
    """A set that is not in the repository; without it the test is skipped."""
    if not (_OUTSIDE / "data" / name).is_dir():
        pytest.skip(f"the data set {name} may not be shipped and is not beside the checkout (CUSTCORE_SHARED)")
    return ReferenceData(_OUTSIDE / "data", _OUTSIDE / "golden")


def reference_data(result: str) -> ReferenceData:
    """The set of a result, which is named for it: `cdnow_master_b5`, `online_retail_month`."""
    return next((outside(name) for name in OUTSIDE if result.startswith(name)), SHIPPED)
