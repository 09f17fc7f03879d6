"""The types of the public names are complete, and their aliases can be used at run time."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

import custcore


def test_every_public_name_has_a_complete_type() -> None:
    pytest.importorskip("basedpyright")
    for library in ("numpy", "pandas", "polars", "pyarrow", "sklearn"):
        pytest.importorskip(library)
    package = Path(custcore.__file__).parents[1]
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", "custcore", "--ignoreexternal", "--outputjson"]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(package)})
    found = json.loads(done.stdout)["typeCompleteness"]
    incomplete = [
        symbol["name"] for symbol in found["symbols"] if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
    ]
    assert incomplete == []
    assert found["completenessScore"] == 1
    assert found["exportedSymbolCounts"]["withKnownType"] > 80


def test_the_aliases_are_types() -> None:
    def daily(orders: custcore.Data, day: custcore.AsOf | None = None) -> None: ...

    hints = typing.get_type_hints(daily, localns={"np": __import__("numpy"), "Any": Any})
    assert datetime.date in typing.get_args(hints["day"])
    assert len(typing.get_args(hints["orders"])) > 3
