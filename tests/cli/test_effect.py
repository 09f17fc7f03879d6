"""``custcore effect`` and ``custcore plan``: what the API says, on a screen and in files."""

from __future__ import annotations

import json

import pyarrow.csv as pc
import pytest

import custcore
from tests.cli.example_files import write_example_files


@pytest.fixture
def files(tmp_path):
    write_example_files(tmp_path)
    return tmp_path


def base_of(folder):
    made = custcore.CustomerBase(track="days")
    made.update(custcore.read(folder / "sales.csv"))
    return made


def test_effects_on_a_screen(run, files):
    shown = run("effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "21", "--adjust", "own").stdout
    (row, *_) = base_of(files).effect(pc.read_csv(files / "groups.csv"), days_after=21, adjust="own").table()
    line = next(line.split() for line in shown.splitlines() if line.startswith("revenue "))
    assert line[:6] == [
        "revenue",
        "mail",
        "20",
        f"{row['control']:.4g}",
        f"{row['treatment']:.4g}",
        f"{row['effect']:+.4g}",
    ]
    assert line[6:9] == [f"{row['low']:+.4g}", "to", f"{row['high']:+.4g}"]
    assert line[-1] == f"{row['p_value']:.4f}"
    assert "200 rows of sales.csv" in shown


@pytest.mark.parametrize(
    ("table", "more"),
    [
        ("effects", []),
        ("segments", ["--by", "segment"]),
        ("periods", ["--every", "7d"]),
        ("checks", []),
        ("moments", []),
        ("roi", ["--margin", "0.3", "--cost", "fixed=5,per_contact=0.1"]),
    ],
)
def test_tables_as_files(run, files, table, more):
    run(
        "effect",
        "sales.csv",
        "--experiment",
        "groups.csv",
        "--days-after",
        "21",
        "--table",
        table,
        *more,
        "-o",
        "o.csv",
    )
    options = {"by": "segment"} if table == "segments" else {"every": 7} if table == "periods" else {}
    result = base_of(files).effect(pc.read_csv(files / "groups.csv"), days_after=21, **options)
    expected = {
        "effects": result.table,
        "segments": result.segments,
        "periods": result.periods,
        "checks": result.checks,
        "moments": lambda: result.moments,
        "roi": lambda: result.roi(0.3, {"fixed": 5, "per_contact": 0.1}),
    }[table]()
    expected.to_csv(files / "expected.csv")
    assert (files / "o.csv").read_text() == (files / "expected.csv").read_text()


def test_effects_as_json(run, files):
    options = ["--days-after", "21", "--start", "2026-02-01", "--metrics", "orders", "--adjust", "none", "--json"]
    found = json.loads(run("effect", "sales.csv", "--experiment", "groups.csv", *options).stdout)
    assert (found["control"], found["settings"]["adjust"]) == ("control", None)
    assert [row["metric"] for row in found["effects"]] == ["orders"]
    assert {row["check"] for row in found["checks"]} >= {"ratio", "before", "skewness"}


def test_wrong_use_of_effect(run, files):
    assert "Missing option '--days-after'" in run("effect", "sales.csv", "--experiment", "groups.csv", code=2).stderr
    wrong = run("effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "9", "--table", "roi", code=2)
    assert "--table roi needs --margin and --cost" in wrong.stderr
    wrong = run("effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "9", "--table", "periods", code=2)
    assert "--table periods needs --every" in wrong.stderr
    wrong = run("effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "90", code=3).stderr
    assert "40 customers whose window is not over" in wrong
    wrong = run("effect", "sales.csv", "--experiment", "sales.csv", "--days-after", "9", code=3).stderr
    assert "sales.csv: there is no column 'group'" in wrong
    wrong = run(
        "effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "9", "--control", "x", code=2
    ).stderr
    assert "--control x is not among the groups control, mail" in wrong
    wrong = run(
        "effect", "sales.csv", "--experiment", "groups.csv", "--days-after", "9", "--cost", "a,b", code=2
    ).stderr
    assert "is neither a number nor numbers by name" in wrong


def test_a_plan(run, files):
    shown = run("plan", "sales.csv", "--start", "2026-03-01", "--days-after", "7,14", "-o", "plan.csv").stdout
    expected = base_of(files).plan("2026-03-01", days_after=[7, 14])
    expected.to_csv(files / "expected.csv")
    assert (files / "plan.csv").read_text() == (files / "expected.csv").read_text()
    line = next(line.split() for line in shown.splitlines() if line.startswith("orders "))
    row = next(row for row in expected if row["metric"] == "orders")
    assert line[1:4] == ["7", str(row["n_control"]), str(row["n_treatment"])]
    assert line[-1] == f"{row['n_for_5_percent']:,}"
    wrong = run("plan", "sales.csv", "--start", "2026-03-01", "--who", "nobody", code=2).stderr
    assert "the segment 'nobody', in which nobody is" in wrong
    assert (
        "not a list of whole numbers"
        in run("plan", "sales.csv", "--start", "2026-03-01", "--days-after", "x", code=2).stderr
    )
    made = json.loads(run("plan", "sales.csv", "--start", "2026-03-01", "--days-after", "7", "--json").stdout)
    assert made["plan"][0]["days_after"] == 7


def test_checks_name_options(run, files):
    rows = (files / "groups.csv").read_text().splitlines()
    keep = [rows[0], *(row for at, row in enumerate(rows[1:]) if ",mail," in row or at % 40 < 4)]
    (files / "few.csv").write_text("\n".join(keep) + "\n")
    shown = " ".join(run("effect", "sales.csv", "--experiment", "few.csv", "--days-after", "21").stdout.split())
    assert "differ from equal shares (pass --shares if they were planned otherwise)" in shown
