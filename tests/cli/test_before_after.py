"""``custcore before-after``: the numbers of the API, its tables as files, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import click.testing
import pytest

import custcore
from custcore.cli._app import app
from tests.cli.example_files import write_example_files


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    write_example_files(tmp_path)
    runner = click.testing.CliRunner()
    return lambda *words: runner.invoke(app, ["before-after", *words], prog_name="custcore", terminal_width=100)


USUAL = ("sales.csv", "--treated", "mail.csv", "--days-after", "14")


def of_api(**options: Any) -> custcore.BeforeAfter:
    return custcore.before_after(custcore.read("sales.csv"), custcore.read("mail.csv"), **{"days_after": 14, **options})


def test_numbers_are_those_of_the_api(run: Any):
    found = run(*USUAL, "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.output)
    assert said["effects"] == of_api().table().to_pylist()
    assert said["balance"] == of_api().balance().to_pylist()
    assert said["placebo"] == of_api().placebo().to_pylist()
    assert [row["metric"] for row in said["headlines"]] == ["revenue", "orders"]
    assert said["definition"] == of_api().definition


def test_options_reach_the_api(run: Any):
    words = ("--start", "2026-02-02", "--days-before", "10", "--lag", "2", "--metrics", "active,orders")
    said = json.loads(run(*USUAL, *words, "--baseline", "year_before", "--exclude", "customers.csv", "--json").output)
    own = of_api(
        start="2026-02-02",
        days_before=10,
        lag=2,
        metrics=["active", "orders"],
        baseline="year_before",
        exclude=custcore.read("customers.csv"),
    )
    assert said["effects"] == own.table().to_pylist()


def test_the_screen_and_a_file(run: Any):
    found = run(*USUAL, "--table", "balance", "-o", "balance.csv")
    assert found.exit_code == 0, found.output
    assert "10 treated on 2026-02-05" in found.output
    assert "Written to balance.csv." in found.output
    with Path("balance.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["feature"] for row in rows] == of_api().balance()["feature"].to_pylist()
    assert float(rows[2]["treated"]) == of_api().balance()["treated"].to_pylist()[2]


def test_without_money(run: Any):
    said = json.loads(run(*USUAL, "--no-amount", "--json").output)
    assert {row["metric"] for row in said["effects"]} == {"orders"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--exposed-on", "day"), 3, "mail.csv (--treated): there is no column 'day'"),
        (("--days-after", "300"), 3, "no treated customer is left: 10 customers whose window is not over"),
        (("--treated", "none.csv"), 2, "there is no file none.csv"),
        (("--days-after", "0"), 2, "--days-after"),
        (("--metrics", "sales"), 2, "--metrics sales is invalid"),
    ],
)
def test_what_is_refused(run: Any, words: tuple[str, ...], code: int, message: str):
    found = run(*USUAL, *words)
    assert found.exit_code == code, found.output
    assert message in " ".join(found.output.split())
