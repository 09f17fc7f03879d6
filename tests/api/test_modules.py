"""The shape of the package: which modules are public, and that none has the name of a public function."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import custcore

PUBLIC = {
    "custcore",
    "custcore.__main__",
    *(
        f"custcore.{name}"
        for name in (
            *("affinity", "allocation", "base", "cluster", "clv", "cohort"),
            *("errors", "experiments", "presets", "result", "value"),
        )
    ),
    # One dataframe library each; `custcore.pandas` is the way in, `custcore.adapters.pandas` holds the class.
    *(f"custcore.{name}" for name in ("adapters", "duckdb", "pandas", "polars", "sklearn")),
    *(f"custcore.adapters.{name}" for name in ("pandas", "polars", "sklearn")),
    "custcore.cli",
    "custcore.cli.__main__",
}
FUNCTIONS = [name for name in custcore.__all__ if inspect.isfunction(getattr(custcore, name))]


def modules() -> set[str]:
    return {"custcore", *(found.name for found in pkgutil.walk_packages(custcore.__path__, "custcore."))}


def is_private(module: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in module.split("."))


def test_every_module_is_public_or_underscored():
    assert {name for name in modules() if not is_private(name)} == PUBLIC


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_module_has_the_name_of_a_function(name: str):
    assert sys.modules.get(f"custcore.{name}") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"custcore.{name}")


def test_public_names_are_listed_where_they_can_be_imported_from():
    packages = [
        importlib.import_module(f"custcore.{name}")
        for name in ("affinity", "allocation", "base", "cluster", "cohort", "result", "value")
    ]
    for package in packages:
        for name in set(package.__all__) & set(custcore.__all__):
            assert getattr(package, name) is getattr(custcore, name)


def test_import_brings_in_no_other_package():
    code = "import sys; before = set(sys.modules); import custcore; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = {name.split(".")[0] for name in found.stdout.split()} - set(sys.stdlib_module_names) - {"custcore"}
    assert foreign == set()
