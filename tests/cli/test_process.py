"""The command line as a process: entry points, exit codes, what is imported, what is said when an extra is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from custcore._extras import how_to_install
from custcore.cli import main
from tests.cli.conftest import sales, save

ROOT = Path(__file__).resolve().parents[2]


def call(*words, **options):
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("module", ["custcore", "custcore.cli"])
def test_both_modules_run(module, tmp_path):
    path = save(sales(), tmp_path / "sales.parquet")
    done = call("-m", module, "rfm", path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["customers"] == 3
    assert call("-m", module, "rfm").returncode == 2
    assert call("-m", module, "rfm", path, "--amount", "nothing").returncode == 3
    assert call("-m", module, "--help").stdout.startswith("Usage: custcore ")


def test_the_script_is_the_same_function():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"custcore": "custcore.cli:main"}


def test_main_returns_the_exit_code(tmp_path, capsys):
    path = save(sales(), tmp_path / "sales.parquet")
    assert main(["rfm", str(path), "--json"]) == 0
    assert main(["rfm", str(path), "--amount", "nothing"]) == 3
    assert main(["--version"]) == 0
    capsys.readouterr()


def test_a_quoted_glob_is_expanded(tmp_path):
    for name in ("a", "b"):
        save(sales(), tmp_path / f"{name}.parquet")
    done = call("-m", "custcore", "rfm", "*.parquet", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["rows"] == 12


@pytest.mark.parametrize("missing", ["click", "rich", "pyarrow"])
def test_a_missing_extra_is_named(missing):
    code = f"""
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else real(name, *rest)
from custcore._extras import how_to_install
from custcore.cli import main
sys.exit(main(["rfm", "x.parquet"]))
"""
    done = call("-c", code)
    assert done.returncode == 2
    assert done.stderr == f"custcore: the command line needs {missing}: {how_to_install('cli')}\n"


def test_help_imports_neither_pandas_nor_pyarrow():
    code = "import sys; from custcore.cli._app import app; print(*{'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    assert call("-c", code).stdout.strip() == ""


def test_the_package_does_not_import_the_command_line():
    code = "import sys, custcore; print([m for m in sys.modules if m.startswith(('click', 'rich', 'custcore.cli'))])"
    assert call("-c", code).stdout.strip() == "[]"


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_sees_progress(tmp_path):
    import pty

    path = save(sales(), tmp_path / "sales.parquet")
    code = """
import sys, time, custcore
from custcore.cli import _progress, main
_progress.PATIENCE = 0.0
real = custcore.rfm_scores
def slow(data, *, progress=None, **options):
    if progress:
        progress(3, None)
        time.sleep(0.3)
        progress(6, None)
    return real(data, **options)
custcore.rfm_scores = slow
sys.exit(main(["rfm", sys.argv[1], "--json"]))
"""
    parent, child = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=child, timeout=60, env=environment
    )
    os.close(child)
    shown = os.read(parent, 1 << 16).decode()
    os.close(parent)
    assert done.returncode == 0, shown
    assert "reading sales.parquet" in shown
    assert "rows/s" in shown
    assert json.loads(done.stdout)["rows"] == 6  # stdout has no bar in it


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_characters_that_a_terminal_does_not_have_are_escaped(tmp_path, form):
    save(
        sales(ids=("甲", "é", "x", "y", "z", "😀")).rename_columns(["客户", "timestamp", "amount"]),
        tmp_path / "销售.parquet",
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    words = ("-m", "custcore", "rfm", "销售.parquet", "--customer-id", "客户", *form)
    done = call(*words, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "\\u9500\\u552e.parquet" in done.stdout
    if form:
        assert json.loads(done.stdout)["files"] == ["销售.parquet"]
    done = call(*words[:4], cwd=tmp_path, env=environment)
    assert done.returncode == 3
    assert done.stderr.startswith("custcore: \\u9500\\u552e.parquet: there is no column 'customer_id'")
