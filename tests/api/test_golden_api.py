"""Signatures and help as they were agreed on: a change shows as a difference to the text in ``golden``.

Renew the text with ``make golden`` (``CUSTCORE_RENEW_GOLDEN=1``), and look at the difference.
"""

import os
import pydoc
from pathlib import Path

import pytest

import custcore
from tests.api.public_api import callables, signature
from tests.cli.verbs import verbs

click_testing = pytest.importorskip("click.testing")

FOLDER = Path(__file__).parent / "golden"


def agrees(name: str, text: str) -> None:
    """Compare with the file, or write it."""
    path = FOLDER / name
    if os.environ.get("CUSTCORE_RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"tests/api/golden/{name} differs; make golden renews it"


def test_signatures():
    parts = (f"{name}\n{signature(function)}".rstrip() for name, function in sorted(callables().items()))
    agrees("signatures.txt", "\n\n".join(parts) + "\n")


def test_help():
    text = pydoc.render_doc(custcore.rfm_scores, renderer=pydoc.plaintext)
    # How the signature is laid out depends on the version of Python.
    agrees("help_rfm_scores.txt", text[text.index("    RFM table") :])


@pytest.mark.parametrize("width", [80, 100])
def test_command_line(width: int, monkeypatch: pytest.MonkeyPatch):
    from custcore.cli._app import app

    monkeypatch.setenv("COLUMNS", str(width))
    runner = click_testing.CliRunner()
    calls = [words for words, _ in verbs(app)]
    texts = [runner.invoke(app, [*call, "--help"], prog_name="custcore", terminal_width=width).output for call in calls]
    assert max(len(line) for text in texts for line in text.splitlines()) <= width
    agrees(f"command_line_{width}.txt", "\n".join(texts))
