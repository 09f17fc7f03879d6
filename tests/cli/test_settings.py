"""Settings: command line over environment over custcore.toml over defaults, the same for every verb and option."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from custcore.cli import _settings
from custcore.cli._app import app
from tests.cli.conftest import sales, save
from tests.cli.verbs import verbs

LEAVES = [(words, command) for words, command in verbs(app) if not hasattr(command, "commands")]
IDS = [" ".join(words) for words, _ in LEAVES]


@pytest.fixture
def folder(tmp_path):
    """Where `run` runs, with purchases whose columns have other names."""
    save(sales().rename_columns(["client", "day", "total"]), tmp_path / "sales.parquet")
    return tmp_path


def settings(folder, text, name="custcore.toml"):
    (folder / name).write_text(text, encoding="utf-8")


def effective(run, *words):
    """The settings that a verb says it has."""
    return tomllib.loads(run(*words, "--print-config").stdout)[words[0]]


COLUMNS = 'customer-id = "client"\ntimestamp = "day"\namount = "total"\n'


def test_columns_of_a_file_are_used_by_every_verb(folder, run, run_json):
    run("rfm", "sales.parquet", code=3)
    settings(folder, COLUMNS)
    assert run_json("rfm", "sales.parquet")["customers"] == 3
    assert run_json("cohort", "sales.parquet")["rows"] == 6
    run("rfm", "sales.parquet", "--no-config", code=3)


def test_the_command_line_comes_first_then_the_environment_then_the_file(folder, run, monkeypatch):
    settings(folder, "bins = 3\n[rfm]\nbins = 4\n[cohort]\nperiod = 'week'\n")
    assert effective(run, "rfm")["bins"] == 4
    monkeypatch.setenv("CUSTCORE_BINS", "6")
    assert effective(run, "rfm")["bins"] == 6
    monkeypatch.setenv("CUSTCORE_RFM_BINS", "7")
    assert effective(run, "rfm")["bins"] == 7
    assert effective(run, "rfm", "--bins", "8")["bins"] == 8
    monkeypatch.setenv("CUSTCORE_RFM_BINS", "")  # an empty variable is none
    assert effective(run, "rfm")["bins"] == 6


def test_print_config_says_where_values_come_from(folder, run, monkeypatch):
    settings(folder, COLUMNS + "\n[rfm]\nbins = [5, 5, 3]\n")
    monkeypatch.setenv("CUSTCORE_AS_OF", "2026-01-30")
    shown = run("rfm", "--print-config", "--ties", "split").stdout
    for line in (
        'customer-id = "client"  # custcore.toml, line 1',
        "bins = [5, 5, 3]  # custcore.toml, line 6",
        'as-of = "2026-01-30"  # CUSTCORE_AS_OF',
        'ties = "split"  # --ties',
        '# binning = "independent"',
        "# threads: all cores",
    ):
        assert f"{line}\n" in shown


def test_a_printed_configuration_is_a_settings_file(folder, run, run_json):
    words = ["--customer-id", "client", "--timestamp", "day", "--amount", "total", "--bins", "4,4,2", "--as-of"]
    words += ["2026-01-30", "--timestamp-format", "%d/%m/%Y %H:%M", "--timestamp-format", "%Y", "--names", 'a,"b,c"']
    words += ["--where", "total > '\\\"' or \"é\" = 'x'", "-o", "out.parquet", "--threads", "2"]
    first = run("rfm", *words, "--print-config").stdout
    settings(folder, first, "printed.toml")
    again = run("rfm", "--config", "printed.toml", "--print-config").stdout
    assert tomllib.loads(again) == tomllib.loads(first)
    assert tomllib.loads(first)["rfm"]["timestamp-format"] == ["%d/%m/%Y %H:%M", "%Y"]
    assert tomllib.loads(first)["rfm"]["names"] == ["a", "b,c"]
    settings(folder, run("rfm", *words[:8], "--print-config").stdout, "printed.toml")
    typed, read = (run_json("rfm", "sales.parquet", *given) for given in (words[:8], ("--config", "printed.toml")))
    assert {**typed, "seconds": 0} == {**read, "seconds": 0}


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=IDS)
def test_every_option_can_be_set_and_is_printed_as_it_was_set(words, command, folder, run):
    lines = []
    for option in _settings.settable(command):
        value = sample(option)
        lines.append(f"{_settings.key(option)} = {value}")
    settings(folder, f"[{'.'.join(words)}]\n" + "\n".join(lines))
    table = tomllib.loads(run(*words, "--print-config").stdout)
    for word in words:
        table = table[word]
    assert list(table) == sorted(table, key=list(table).index)
    assert set(table) == {_settings.key(option) for option in _settings.settable(command)}
    settings(folder, run(*words, "--print-config").stdout, "printed.toml")
    again = tomllib.loads(run(*words, "--config", "printed.toml", "--print-config").stdout)
    for word in words:
        again = again[word]
    assert again == table


def sample(option):
    """A value that an option takes, as TOML."""
    if option.is_flag:
        return "true"
    choices = getattr(option.type, "choices", None)
    if choices:
        return f'"{choices[-1]}"'
    if option.type.name == "NAME=BINS":
        return '"age=30,50"'
    if option.type.name == "N|NAME=N,...":
        return '"a=0.25,b=3"'
    if option.type.name == "float":
        return "0.5"
    if option.type.name == "C,T":
        return '"0.25,0.75"'
    if option.type.name == "NAME=AMOUNT|SHARE":
        return '"sms=3000"'
    return "3" if "N" in str(option.metavar or option.type.name) and option.name != "names" else '"x"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "custmer-id = 'x'\n",
            "custcore.toml, line 1: no verb has the option 'custmer-id'; did you mean 'customer-id'?",
        ),
        ("\n[rfm]\nperiod = 'week'\n", "custcore.toml, line 3: [rfm] has no option 'period'"),
        ("[rmf]\nbins = 3\n", "custcore.toml, line 1: no verb [rmf]; did you mean 'rfm'?"),
        ("bins = [3\n", "custcore.toml: the file is not TOML: "),
        ("[rfm]\nbins = 'many'\n", "Invalid value for '--bins': 'many' is neither a number nor three of them"),
        ("[rfm]\nbins = 'many'\n", "(custcore.toml, line 2)"),
        ("threads = 0\n", "(custcore.toml, line 1)"),
        ("returns = 'gross'\n", "Invalid value for '--returns': 'gross' is not one of"),
        ("as-of = ['2026-01-01']\n", "custcore.toml, line 1: as-of takes one value, not a list"),
        ("as-of = true\n", "custcore.toml, line 1: as-of is true or false; expected text or a number"),
        ("customer-id = ['a', ['b']]\n", "custcore.toml, line 1: customer-id is a list; expected text or a number"),
        ("text-ids = 'perhaps'\n", "Invalid value for '--text-ids'"),
        ("rfm = 3\n", "no verb has the option 'rfm'"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(folder, run, text, said):
    settings(folder, text)
    result = run("rfm", "sales.parquet", code=2)
    assert said in result.stderr
    assert result.stdout == ""


def test_a_variable_with_a_wrong_value_is_named(folder, run, monkeypatch):
    monkeypatch.setenv("CUSTCORE_RFM_RETURNS", "gross")
    assert "(CUSTCORE_RFM_RETURNS)" in run("rfm", "sales.parquet", code=2).stderr


def test_bytes_that_are_no_utf8(folder, run):
    (folder / "custcore.toml").write_bytes(b"amount = '\xe9'\n")
    assert "not in UTF-8" in run("rfm", "sales.parquet", code=2).stderr
    (folder / "custcore.toml").write_bytes(b"\xef\xbb\xbf" + COLUMNS.encode())  # as editors of Windows write it
    run("rfm", "sales.parquet")


def test_config_names_a_file_that_must_be_there(folder, run, monkeypatch):
    assert "nowhere.toml" in run("rfm", "sales.parquet", "--config", "nowhere.toml", code=2).stderr
    settings(folder, COLUMNS, "other.toml")
    run("rfm", "sales.parquet", "--config", "other.toml")
    monkeypatch.setenv("CUSTCORE_CONFIG", "other.toml")
    run("rfm", "sales.parquet")
    for words in (("--config", "other.toml", "--no-config"), ("--no-config", "--config", "other.toml")):
        assert "exclude each other" in run("rfm", "sales.parquet", *words, code=2).stderr
    run("rfm", "sales.parquet", "--no-config", code=3)


def test_paths_in_a_file_are_relative_to_it(folder, run, monkeypatch):
    (folder / ".git").mkdir()
    (folder / "below").mkdir()
    settings(folder, COLUMNS + "output = 'scores.csv'\n")
    monkeypatch.chdir(folder / "below")
    run("rfm", "../sales.parquet")
    assert (folder / "scores.csv").exists()


def test_parents_are_searched_up_to_the_home_folder_or_the_root_of_a_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    below = tmp_path / "home" / "work" / "project" / "data"
    below.mkdir(parents=True)
    settings(tmp_path, "")
    assert _settings.found_file(below) is None  # above the home folder
    settings(tmp_path / "home", "")
    assert _settings.found_file(below) == tmp_path / "home" / "custcore.toml"
    (tmp_path / "home" / "work" / "project" / ".git").mkdir()
    assert _settings.found_file(below) is None
    settings(below.parent, "")
    assert _settings.found_file(below) == below.parent / "custcore.toml"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert _settings.found_file(elsewhere) is None  # neither in the home folder nor in a repository
    settings(elsewhere, "")
    assert _settings.found_file(elsewhere) == elsewhere / "custcore.toml"


def test_the_number_of_threads_has_the_variable_of_the_library_too(folder, run, monkeypatch):
    settings(folder, "threads = 3\n")
    assert effective(run, "rfm")["threads"] == 3
    for ignored in ("0", "many", ""):  # as the library does
        monkeypatch.setenv("CUSTCORE_NUM_THREADS", ignored)
        assert effective(run, "rfm")["threads"] == 3
    monkeypatch.setenv("CUSTCORE_NUM_THREADS", "2")
    assert effective(run, "rfm")["threads"] == 2
    monkeypatch.setenv("CUSTCORE_THREADS", "1")
    assert effective(run, "rfm")["threads"] == 1


def test_a_variable_of_a_verb_is_not_that_of_another_option(folder, run, monkeypatch):
    monkeypatch.setenv("CUSTCORE_COHORT_BY", "country")
    assert effective(run, "cohort") == {"by": "country"}
    monkeypatch.setenv("CUSTCORE_COHORT_COHORT_BY", "recurring")
    assert effective(run, "cohort") == {"by": "country", "cohort-by": "recurring"}


def test_repeated_options_in_the_environment_are_lines(folder, run, monkeypatch):
    monkeypatch.setenv("CUSTCORE_TIMESTAMP_FORMAT", "%d/%m/%Y %H:%M\n%Y-%m-%d")
    assert effective(run, "rfm")["timestamp-format"] == ["%d/%m/%Y %H:%M", "%Y-%m-%d"]


def test_of_two_options_that_exclude_each_other_the_typed_one_is_taken(folder, run_json, run):
    settings(folder, COLUMNS + "no-amount = true\n[rfm]\nno-scores = true\n")
    found = run_json("rfm", "sales.parquet")
    assert "revenue" not in found["all"] or found["all"]["revenue"] is None
    assert found["segments"] == []
    found = run_json("rfm", "sales.parquet", "--amount", "total", "--ties", "split")
    assert found["all"]["revenue"] > 0
    assert found["settings"]["ties"] == "split"
    settings(folder, COLUMNS + "ties = 'split'\n")
    assert run_json("rfm", "sales.parquet", "--no-scores", "--no-amount")["settings"]["amount"] is None


def test_a_preset_is_not_overruled_by_printed_defaults(folder, run, run_json):
    words = ["cohort", "sales.parquet", "--customer-id", "client", "--timestamp", "day", "--preset", "pandas"]
    shown = run(*words, "--print-config").stdout
    assert '# returns = "count"  # the preset\n' in shown
    settings(folder, shown, "printed.toml")
    typed, read = run_json(*words), run_json("cohort", "sales.parquet", "--config", "printed.toml")
    assert typed["definition"] == read["definition"]


def test_print_config_reads_no_data(run, tmp_path):
    assert run("rfm", "missing.parquet", "--print-config").stdout
    assert list(tmp_path.iterdir()) == []


def test_the_example_of_the_readme_is_one(folder, run):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    settings(folder, block)
    found = effective(run, "rfm")
    assert found["bins"] == [5, 5, 3]
    assert found["order-id"] == "InvoiceNo"
    assert found["output"] == str(folder / "scores.parquet")
