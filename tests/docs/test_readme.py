"""The README's snippets run as they are printed.

The ```python blocks run in order, in one namespace, in a directory of their own; a block of ``>>>`` lines runs as a
doctest. A ```bash block runs only where a line ``<!-- run -->`` stands right before it, from the root of the
repository, and only with CUSTCORE_README_SHELL=1 (set by .ci/run): such a block may build and install. A block
with ``<!-- not run: reason -->`` right before it is left out.
"""

import doctest
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>python|bash)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
# Libraries of snippets that no extra of custcore installs.
OTHERS = {"dask"}


def blocks(language):
    text = README.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        mark = match["mark"] or ""
        runs = mark == "run" if language == "bash" else not mark.startswith("not run:")
        if match["language"] == language and runs:
            line = text.count("\n", 0, match.start("code"))
            yield pytest.param(line, match["code"], id=f"line-{line + 1}")


@pytest.fixture(scope="module")
def namespace():
    return {"__name__": "readme"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


def test_the_readme_has_python_snippets():
    assert list(blocks("python"))


@pytest.mark.parametrize(("line", "code"), list(blocks("python")))
def test_python(line, code, namespace, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    if code.lstrip().startswith(">>>"):
        examples = doctest.DocTestParser().get_doctest(code, namespace, f"README.md:{line + 1}", str(README), line)
        runner = doctest.DebugRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        runner.run(examples, clear_globs=False)
        namespace.update(examples.globs)
    else:
        # Padded with empty lines, so that a traceback names the line of the README.
        try:
            exec(compile("\n" * line + code, str(README), "exec"), namespace)
        except ModuleNotFoundError as error:
            if error.name not in OTHERS:
                raise
            pytest.skip(f"{error.name} is not installed")


@pytest.mark.skipif(os.environ.get("CUSTCORE_README_SHELL") != "1", reason="shell snippets run in .ci/run")
@pytest.mark.parametrize(("line", "code"), list(blocks("bash")))
def test_bash(line, code):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=ROOT, timeout=3500, check=False)
    assert done.returncode == 0, f"the block at line {line + 1} of README.md failed"
