"""What a user of the command line reads names its options: never arguments of Python, code, or a traceback.

All error paths of the table of options: every option of every verb with values that are wrong in some way, every role
of a column with every type, and command lines drawn at random. Exit codes are those that are documented.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import custcore
from custcore.cli import _settings
from custcore.cli._app import app
from custcore.cli._rfm import command as rfm
from custcore.cli._words import ARGUMENTS, in_words
from tests.cli.example_files import write_example_files
from tests.cli.verbs import verbs

QUOTED = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|(?<!\w)\"(?:[^\"\\]|\\.)*\"(?!\w)")
OF_PYTHON = re.compile(
    rf"(?<![\w-])(?:{'|'.join(ARGUMENTS)})=|\bargument|\b(?:pd|pl|pc|df|pandas|polars|pyarrow|duckdb|custcore)[.\[]\w"
    r"|from_pylist|Traceback|\bCast it first|\.\w+\("
)
WRONG = (
    *("", "x", "-1", "0", "2.5", "99999999999999999999999", "é\x1b[2J", "a,b", "2026-13-01", "2026-01-01T00:00+02:00"),
    *(
        "0001-01-01",
        "9999-12-31",
        "((((",
        "customer_id",
        "timestamp",
        "country",
        "5,5,3",
        "101",
        "elapsed",
        "/proc/x.csv",
    ),
)
DAY = dt.date(2026, 1, 1)
TYPES = [
    pa.array(["x", "y", None]),
    pa.array([1.5, 2.5, 3.5]),
    pa.array([True, False, None]),
    pa.nulls(3),
    pa.array([[1], [2], [3]]),
    pa.array([{"a": 1}] * 3),
    pa.array([DAY] * 3),
    pa.array([DAY] * 3).cast(pa.timestamp("us")),
    pa.array([dt.timedelta(1)] * 3),
    pa.array([dt.time(1)] * 3),
    pa.array([decimal.Decimal("1.5")] * 3),
    pa.array([b"x", b"y", b"z"]),
    pa.array([1, 2, 3], pa.uint64()),
    pa.array(["x", "y", None]).dictionary_encode(),
    pa.array([float("inf"), 1.0, 2.0]),
    pa.array([1e300, 1.0, 2.0]),
    pa.array([2**62, 2**62, 2**62]),
    pa.array([decimal.Decimal("1" * 30)] * 3, pa.decimal256(76, 40)),
]
LEAVES = [(words, command) for words, command in verbs(app) if not hasattr(command, "commands")]
FILES = [
    (words, command)
    for words, command in LEAVES
    if words[0] in {"base", "compare"} or any(param.name == "files" for param in command.params)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("words")
    write_example_files(path)
    sales = custcore.read(path / "sales.csv")
    custcore.RFMScorer().fit(custcore.rfm(sales)).save(path / "scorer.json")
    base = custcore.CustomerBase(track="days")
    base.update(sales)
    base.save(path / "shop.base")
    return path


def begun(words: tuple[str, ...], file: str) -> list[str]:
    """A verb with what it cannot do without."""
    if words[0] == "base":
        return [*words, "shop.base", *([file] if words[1] == "update" else [])]
    if words == ("compare",):
        return [*words, "before.parquet", file]
    more = {("score",): ["--model", "scorer.json"], ("explain",): ["--model", "scorer.json", "--customer", "1007"]}
    return [*words, file, *more.get(words, [])]


@pytest.fixture
def check(folder, monkeypatch):
    """Run a command line and check what it says."""
    monkeypatch.chdir(folder)
    return run_and_check


def run_and_check(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), prog_name="custcore")
    assert done.exit_code in {0, 2, 3}, (words, done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), words
    said = QUOTED.sub("''", done.stderr)
    for word in sorted(words, key=len, reverse=True):  # what was typed is said as it was
        said = said if word.isidentifier() or word.startswith("--") or not word else said.replace(word, "")
    assert not OF_PYTHON.search(said), (words, done.stderr)
    assert (done.exit_code == 0) or "Error: " in done.stderr or done.stderr.startswith("custcore: "), words
    return done.stderr


def options_of(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option) and not option.is_flag]


# An option of the table is the same in each verb: it is tried in the first verb that has it.
TRIED = {
    (option.name, option.help): (words, f"--{_settings.key(option)}")
    for words, command in reversed(FILES)
    for option in options_of(command)
}


@pytest.mark.parametrize(("words", "flag"), sorted(TRIED.values()), ids=lambda part: "".join(part))
def test_every_option_with_wrong_values(check, folder, words, flag):
    before = {path.name for path in folder.iterdir()}
    for value in WRONG:
        more = ["--repeat", "1"] if words == ("bench",) and flag != "--repeat" else []
        if flag != "--repeat" or len(value) < 4:
            check(*begun(words, "sales.csv"), flag, value, *more)
    for path in folder.iterdir():
        if path.name not in before:
            path.unlink()


@pytest.mark.parametrize("role", ["customer_id", "timestamp", "amount", "order_id"])
@pytest.mark.parametrize(("words", "command"), FILES, ids=[" ".join(words) for words, _ in FILES])
def test_every_role_with_every_type(check, folder, words, command, role):
    flags = {option.name for option in command.params}
    if role not in flags:
        return
    roles = {"customer_id": pa.array([1, 2, 3]), "timestamp": pa.array([DAY] * 3), "amount": pa.array([1.0, 2.0, 3.0])}
    roles |= {"order_id": pa.array([1, 2, 3])}
    more = [word for name in ("amount", "order_id") for word in (f"--{name.replace('_', '-')}", name)]
    more += ["--repeat", "1"] if words == ("bench",) else []
    for values in TYPES:
        if words == ("bench",) and pa.types.is_nested(values.type):
            continue
        pq.write_table(pa.table({**roles, role: values}), folder / "typed.parquet")
        check(*begun(words, "typed.parquet"), *more)
        if "timezone" in flags:
            check(*begun(words, "typed.parquet"), *more, "--timezone", "Europe/Paris", "--on-null", "error")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_command_line(folder, data):
    words, command = data.draw(st.sampled_from(FILES))
    file = data.draw(st.sampled_from(("sales.csv", "lines.csv", "customers.csv", "sales", "no.csv", "*.csv")))
    line = begun(words, file)
    values = st.one_of(
        st.sampled_from((*WRONG, "amount", "total", "price * pieces", "visits,spend", "week", "7d", "3", "octants")),
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8),
    )
    options = [option for option in command.params if isinstance(option, click.Option)]
    for option in data.draw(st.lists(st.sampled_from(options), max_size=5)):
        if option.name in {"repeat", "n_threads", "n_init", "target", "save_model", "model", "config"}:
            continue  # slow, or written
        line.append(data.draw(st.sampled_from(option.opts)))
        if not option.is_flag:
            choices = st.sampled_from(option.type.choices) if isinstance(option.type, click.Choice) else st.nothing()
            line.append(data.draw(st.one_of(choices, values)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_and_check(*line, *(["--repeat", "1"] if words == ("bench",) else []))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.one_of(st.text(max_size=40), st.from_regex(r"(\[[a-z.]{1,6}\]\n|[a-z-]{1,9} = ('x'|3|\[1\]|true)\n){1,4}"))
)
def test_any_settings_file(folder, text):
    (folder / "any.toml").write_text(text, encoding="utf-8", errors="replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_and_check("rfm", "sales.csv", "--config", "any.toml")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("as_of='31.01.2011' is not an ISO date", "--as-of 31.01.2011 is not an ISO date"),
        ("bins=(5, 5) has 2 entries", "--bins 5,5 has 2 entries"),
        ("n_threads=0 is outside 1 to 1024", "--threads 0 is outside 1 to 1024"),
        ("column 'as_of' (order_id) is null", "column 'as_of' (--order-id) is null"),
        (
            "wrong. Drop such rows, or pass on_null='drop' to count them",
            "wrong. Drop such rows, or pass --on-null drop to count them",
        ),
        ("wrong. Cast it first, e.g. pd.to_datetime(df[col], format=...)", "wrong."),
        (
            "wrong. Omit timezone, or attach it, e.g. df[col].dt.tz_localize('UTC')",
            "wrong. Omit --timezone, or attach it",
        ),
        ("wrong. Lower amount_decimals, or use larger units", "wrong. Use larger units"),
        ("wrong; leave amount=None, or use segments=None", "wrong; leave --no-amount, or use --segments none"),
        ("as_of= and observation_end= exclude each other", "--as-of and observation_end= exclude each other"),
        ("no header. Name them: --names customer_id,as_of", "no header. Name them: --names customer_id,as_of"),
        ("the map is for bins 3. It names by", "the map is for bins 3. It names by"),
        ("a column 'x=as_of=3' is there", "a column 'x=as_of=3' is there"),
    ],
)
def test_arguments_become_options(said, words):
    assert in_words(said, rfm) == words


def test_names_of_files_are_left_alone():
    path = "data/order_id.as_of=3.csv"
    assert in_words(f"{path}: as_of='x' is wrong", rfm, [path]) == f"{path}: --as-of x is wrong"


@pytest.mark.parametrize(
    "words", [["--delimiter", "\x80"], ["--delimiter", '"'], ["--names", "\n0"], ["--customer-id", "a,\nb"]]
)
def test_found_by_random_command_lines(check, words):
    check("rfm", "sales.csv", *words)


def test_a_value_of_an_option_is_no_fault_of_the_data(check):
    assert "Error: --clusters 4000 is more than the 37 customers" in check("kmeans", "sales.csv", "-k", "4000")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rmf", "sales.csv"], "'rfm'"),
        (["rfm", "sales.csv", "--customerid", "x"], "--customer-id"),
        (["rfm", "sales.csv", "--returns", "exlude"], "Did you mean 'exclude'?"),
        (["cohort", "sales.csv", "--table", "movements"], "Did you mean 'movement'?"),
        (["rfm", "sales.csv", "--customer-id", "custmer_id"], "Did you mean --customer-id customer_id?"),
        (["rfm", "sales.csv", "--by", "contry"], "Did you mean --by country?"),
        (["rfm", "sales.csv", "--where", "contry = 'FR'"], "'country'"),
        (["rfm", "sales.csv", "--amount", "amount * prize"], "'amount'"),
        (["rfm", "sales.csv", "--timezone", "Europe/Lodon"], "--timezone"),
        (["kmeans", "customers.csv", "--features", "visit,spend"], "Did you mean 'visits'?"),
        (["cohort", "sales.csv", "--period", "moth"], "Did you mean 'month'?"),
        (["cohort", "sales.csv", "--week-start", "mondy"], "Did you mean 'monday'?"),
        (["rfm", "sales.csv", "--segments", "octant"], "Did you mean 'octants'?"),
        (["cohort", "sales.csv", "--cohort-by", "contry"], "Did you mean --cohort-by country?"),
        (["rfm", "sale.csv"], "Did you mean sales.csv?"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_what_was_perhaps_meant_is_proposed(check, words, meant):
    assert meant in check(*words)


def test_a_bug_is_called_one(folder, monkeypatch):
    monkeypatch.chdir(folder)

    def broken(*_data, **_options):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(custcore, "rfm_scores", broken)
    done = CliRunner().invoke(app, ["rfm", "sales.csv"])
    assert done.exit_code == 1
    assert done.stderr.startswith("custcore: ZeroDivisionError: division by zero. This is a bug of custcore")
    assert "CUSTCORE_TRACEBACK=1" in done.stderr
    assert "Traceback" not in done.stderr
    monkeypatch.setenv("CUSTCORE_TRACEBACK", "1")
    done = CliRunner().invoke(app, ["rfm", "sales.csv"])
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    assert "in broken" in done.stderr


def test_a_table_format_is_refused_with_a_way_that_the_command_line_has(check, folder):
    (folder / "delta" / "_delta_log").mkdir(parents=True)
    said = check("rfm", "delta")
    assert "COPY (FROM delta_scan('path')) TO 'rows.parquet'" in said
    assert Path("delta").name in said
