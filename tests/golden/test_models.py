"""Model files that an earlier custcore wrote: they load for ever, as what they were.

A new version of the format adds files; it changes none. `tests/model_cases.py` names what they hold.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.model_cases import FITTED

MODELS = Path(__file__).parent / "models"
BY_FILE = {name.replace(", ", "_").replace(" ", "_"): name for name in FITTED}


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_a_file_of_an_earlier_version(path: Path) -> None:
    model = FITTED[BY_FILE[path.stem]]()
    found = type(model).load(path)
    # The same but for the version that wrote it.
    old, new = json.loads(path.read_bytes()), json.loads(found.to_bytes())
    assert (old["kind"], old["body"]) == (new["kind"], new["body"])
    # And what a fit gives today.
    assert found.to_bytes() == model.to_bytes()


def test_there_are_files_of_each_kind() -> None:
    kinds = {json.loads(path.read_bytes())["kind"] for path in MODELS.glob("*.json")}
    assert kinds == {
        *("churn", "kmeans", "lifecycle", "next_category", "quantile_scorer", "rfm_scorer", "scaler", "segment_map"),
        *("clv_contracts", "clv_purchases", "clv_spend"),
    }
