"""Imports of the Rust crates run one way, and no files import each other in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.structure.rust_imports import circles, import_graph

RUST = Path(__file__).resolve().parents[2] / "rust"
CORE = RUST / "custcore" / "src"
BINDING = RUST / "custcore-py" / "src"

# From the bottom up: a module imports only from those before its own. Modules of one group stand beside each other.
LAYERS = [
    {"error"},
    {"exec", "time"},
    {"num"},
    {"report", "store"},
    {"column"},
    {"order_statistics", "group"},
    {"table"},
    {"state"},
    {"ingest"},
    {"base"},
    {"baskets"},
    {"analysis"},
]


def test_every_module_of_the_crate_has_a_layer():
    found = {path.stem if path.is_file() else path.name for path in CORE.iterdir()} - {"lib"}
    assert found == set().union(*LAYERS)


def test_imports_run_downwards():
    layer = {name: level for level, names in enumerate(LAYERS) for name in names}
    upwards = [
        f"{'::'.join(module)} -> {'::'.join(other)}"
        for module, others in import_graph(CORE).items()
        for other in others
        if module[0] != other[0] and layer[other[0]] >= layer[module[0]]
    ]
    assert not sorted(upwards)


@pytest.mark.parametrize("root", [CORE, BINDING], ids=["core", "binding"])
def test_no_files_import_each_other_in_a_circle(root: Path):
    assert circles(import_graph(root)) == []


def test_a_circle_is_found():
    assert circles({("a",): {("b",)}, ("b",): {("c",)}, ("c",): {("b",)}}) == [[("b",), ("c",)]]


def test_architecture_names_every_file_of_the_crate():
    text = (RUST.parent / "ARCHITECTURE.md").read_text()
    names = {source.stem for source in CORE.rglob("*.rs")} - {"mod", "lib"}
    # Modules that are compiled for tests only need no word.
    tests = {name for name in names if name == "tests" or name.endswith("_tests")} | {"largest_amount"}
    assert [name for name in sorted(names - tests) if f"`{name}`" not in text and f"`{name}/`" not in text] == []
