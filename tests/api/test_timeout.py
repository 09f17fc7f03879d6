"""A test that hangs fails: the configuration of this repository ends it, whatever it hangs in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HANGS = {
    # A lock that is never released, waited for by the main thread.
    "python": "import threading\ndef test_it():\n    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire()\n",
    # Native code that released the GIL, as custcore does, and is not ended by a signal.
    "native": (
        "import ctypes, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\n"
        "def test_it():\n    ctypes.CDLL(None).sleep(600)\n"
    ),
    # Native code that holds the GIL: no Python thread runs.
    "native with the GIL": "import ctypes\ndef test_it():\n    ctypes.PyDLL(None).sleep(600)\n",
}


@pytest.mark.skipif(sys.platform == "win32", reason="calls sleep of the C library")
@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_is_a_failure(hang: str, tmp_path: Path) -> None:
    test = tmp_path / "test_hang.py"
    test.write_text(HANGS[hang])
    options = ["--override-ini=timeout=1", "--override-ini=faulthandler_timeout=2", "--no-header"]
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", str(test)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = done.stdout + done.stderr
    assert done.returncode == 1, found
    # pytest-timeout ends what it can, faulthandler the rest; the stack says where the test hung.
    assert ("Timeout (0:00:02)!" if "GIL" in hang else "+ Timeout +") in found
    assert "in test_it" in found


def test_every_test_has_a_timeout(pytestconfig: pytest.Config) -> None:
    assert float(pytestconfig.getini("timeout")) > 0
    # Later than the timeout, which says more.
    assert float(pytestconfig.getini("faulthandler_timeout")) > float(pytestconfig.getini("timeout"))
