"""Help: every option is in a group, and every example runs as it is printed."""

from __future__ import annotations

import shlex

import click
import pytest
from click.testing import CliRunner

from custcore._options.option import GROUPS
from custcore.cli._app import app
from tests.cli.example_files import write_example_files
from tests.cli.verbs import verbs

VERBS = list(verbs(app))
EXAMPLES = [(words, example) for words, command in VERBS for example in command.examples]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that examples name. Examples of a verb follow each other, as one may need what another has written."""
    path = tmp_path_factory.mktemp("examples")
    write_example_files(path)
    return path


@pytest.mark.parametrize(("words", "example"), EXAMPLES, ids=[example.line for _, example in EXAMPLES])
def test_examples_run_as_they_are_printed(words, example, folder, monkeypatch):
    program, *given = shlex.split(example.line)
    assert program == "custcore"
    if given[0] == "bench":
        pytest.importorskip("pandas")
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, given, prog_name="custcore")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("words", "command"), VERBS, ids=[" ".join(words) for words, _ in VERBS])
def test_every_verb_shows_examples_of_its_own(words, command):
    assert command.examples
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="custcore", env={"COLUMNS": "80"}).output
    for does, line in command.examples:
        assert f"  {does}:\n    {line}\n" in shown
        assert shlex.split(line)[1 : 1 + len(words)] == list(words)


@pytest.mark.parametrize(("words", "command"), VERBS, ids=[" ".join(words) for words, _ in VERBS])
def test_every_option_is_in_a_group(words, command):
    with click.Context(command) as context:
        options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
        shown = command.get_help(context)
    groups = {getattr(option, "group", "General") for option in options}
    for option in options:
        assert option.help, option.name
        if not {"--help", "--version"} & set(option.opts):  # click's own
            assert option.group in GROUPS, option.name
    headings = [line.removesuffix(":") for line in shown.splitlines() if line.endswith(":") and line[0] != " "]
    assert [heading for heading in headings if heading in GROUPS] == [name for name in GROUPS if name in groups]
