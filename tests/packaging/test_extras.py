"""What errors say to install is what the extras of the package install."""

import tomllib
from pathlib import Path

from custcore._extras import EXTRAS, how_to_install

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_that_of_the_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    joint = declared.pop("all")
    assert {name: tuple(wanted) for name, wanted in declared.items()} == EXTRAS
    assert joint == [f"custcore[{','.join(EXTRAS)}]"]


def test_a_library_of_several_extras_is_named_once():
    assert how_to_install("pandas", "pyarrow") == "pip install 'pandas>=2.2' 'pyarrow>=17'"


def test_no_error_names_a_package_that_is_not_published():
    named = [path.name for path in (ROOT / "python").rglob("*.py") if "pip install 'custcore" in path.read_text()]
    assert named == []
