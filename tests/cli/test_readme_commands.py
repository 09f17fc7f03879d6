"""The commands of the README's sections on lists, models and the daily job run as they are printed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.csv as csv
import pytest
from click.testing import CliRunner

import custcore
from custcore.cli._app import app
from tests.cli.example_files import write_example_files

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def section(title):
    """The text below a heading."""
    found = re.search(rf"^### {title}\n(.*?)^##", README, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def lines(title):
    """The command lines of a section."""
    blocks = re.findall(r"^```\n(.*?)^```", section(title), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.startswith("custcore ")]


@pytest.mark.parametrize(("title", "count"), [("Lists and saved models", 6), ("A daily job", 4)])
def test_sections_run_as_they_are_printed(title, count, tmp_path, monkeypatch):
    pytest.importorskip("xlsxwriter")
    write_example_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(lines(title)) == count
    for line in lines(title):
        _, *words = shlex.split(line, comments=True)
        done = CliRunner().invoke(app, words, prog_name="custcore")
        assert done.exit_code == 0, (line, done.output)


def test_commands_of_lifetime_value_run_as_they_are_printed(tmp_path, monkeypatch):
    write_example_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    custcore (clv .*)$", README, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        done = CliRunner().invoke(app, shlex.split(command), prog_name="custcore")
        assert done.exit_code == 0, (command, done.output)
    written = csv.read_csv(tmp_path / "clv.csv")
    assert {"customer_id", "clv", "clv_score"} <= set(written.column_names)


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_the_line_for_cron_runs_again_and_again(tmp_path, monkeypatch):
    write_example_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for line in lines("A daily job"):
        assert CliRunner().invoke(app, shlex.split(line, comments=True)[1:]).exit_code == 0
    program = tmp_path / "bin" / "custcore"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m custcore "$@"\n')
    program.chmod(0o755)
    (line,) = re.findall(r"^```cron\n(.*?)\n```", section("A daily job"), re.DOTALL | re.MULTILINE)
    job = " ".join(line.split()[5:])
    assert "%" not in job  # which cron takes for ends of lines
    assert job.startswith("cd /srv/shop && ")
    job = job.removeprefix("cd /srv/shop && ")
    later = (tmp_path / "sales" / "2026-01.csv").read_text().replace("2026-01-", "2026-03-")
    for rows in (200, 200, 300):
        if rows == 300:
            (tmp_path / "sales" / "2026-03.csv").write_text(later)
        done = subprocess.run(
            ["sh", "-c", job], env={"PATH": f"{program.parent}:/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("", "")
        assert custcore.CustomerBase.load("customers.base").n_rows == rows
    assert set(csv.read_csv("list.csv")["segment"].to_pylist()) <= {"at_risk"}
