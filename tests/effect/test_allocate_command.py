"""``custcore allocate``: what the API says, on a screen and in files."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore import Curve
from tests.cli.conftest import run, save

assert run  # a fixture

CELLS = pa.table(
    {
        "segment": ["loyal", "loyal", "new", "new"],
        "channel": ["sms", "mail", "sms", "sms"],
        "curve": ["exp", "hill", "table", "table"],
        "a": [50_000, 30_000, None, None],
        "b": [0.000125, None, None, None],
        "c": [None, 2_000.0, None, None],
        "k": [None, 0.7, None, None],
        "spend": [None, None, 1_000, 3_000],
        "value": [None, None, 4_000, 9_000],
        "high": [None, "25%", None, None],
        "se": [4_000.0, None, 500.0, None],
    }
)
CONTACTS = pa.table(
    {
        "segment": ["loyal", "loyal", "new"],
        "channel": ["call", "mail", "mail"],
        "cost": [5.0, 0.8, 0.8],
        "value": [9.0, 4.0, 1.9],
        "customers": [80, 80, 300],
        "note": ["", "", "x"],
    }
)
ROWS = [
    {"segment": "loyal", "channel": "sms", "curve": Curve.exp(50_000, 0.000125), "se": 4_000},
    {"segment": "loyal", "channel": "mail", "curve": Curve.hill(30_000, 2_000, 0.7), "high": "25%"},
    {"segment": "new", "channel": "sms", "curve": Curve.table([1_000, 3_000], [4_000, 9_000]), "se": 500},
]


@pytest.fixture
def files(tmp_path):
    save(CELLS, tmp_path / "cells.csv")
    save(CELLS, tmp_path / "cells.parquet")
    save(CONTACTS, tmp_path / "contacts.csv")


def table(path):
    return csv.read_csv(path, convert_options=csv.ConvertOptions(strings_can_be_null=True)).to_pylist()


@pytest.mark.parametrize("file", ["cells.csv", "cells.parquet"])
def test_plan(run, files, tmp_path, file):
    shown = run("allocate", file, "--budget", "10000", "-o", "plan.parquet").stdout
    expected = custcore.allocate(ROWS, 10_000)
    assert pq.read_table(tmp_path / "plan.parquet").equals(expected.to_pyarrow())
    assert "Spent 10,000.00, 0.00 of the budget left; gained" in shown
    assert f"would bring {expected.price:.2f}." in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["new", "sms", "1,000.00", "4,000.00", "2.50", "inside"] in lines
    assert f"3 cells of {file} in" in shown
    assert "Written to plan.parquet." in shown


def test_options_are_those_of_the_api(run, files, tmp_path):
    words = ["--budget", "9000", "--objective", "return", "--low", "2%", "--high", "5000", "--group", "channel"]
    run("allocate", "cells.csv", *words, "--group-budget", "sms=4000", "--group-budget", "mail=40%", "-o", "plan.csv")
    expected = custcore.allocate(
        ROWS, 9_000, objective="return", low="2%", high=5_000, group_budget={"sms": 4_000, "mail": "40%"}
    )
    assert table(tmp_path / "plan.csv") == expected.table().to_pylist()
    save(CELLS.drop_columns(["high"]), tmp_path / "free.csv")
    shown = run("allocate", "free.csv", "--group-budget", "sms=4000", "--high", "5000").stdout
    assert "Spent" in shown
    assert "of the budget left" not in shown


def test_frontier(run, files, tmp_path):
    words = ["allocate", "cells.csv", "--budget", "9000", "--table", "frontier"]
    shown = run(*words, "--budgets", "1000,4000", "-o", "out.csv").stdout
    expected = custcore.allocate(ROWS, 9_000).frontier([1_000, 4_000])
    assert table(tmp_path / "out.csv") == expected.to_pylist()
    assert [line.split()[0] for line in shown.splitlines() if line.startswith((" 1,000", "1,000", "4,000"))]
    assert len([line for line in run(*words).stdout.splitlines() if line.count(".") == 4]) >= 20


def test_sensitivity(run, files, tmp_path):
    words = ["allocate", "cells.csv", "--budget", "9000", "--table", "sensitivity", "--draws", "50", "--seed", "3"]
    shown = run(*words, "-o", "out.csv").stdout
    expected = custcore.allocate(ROWS, 9_000).sensitivity(50, 3)
    assert table(tmp_path / "out.csv") == expected.to_pylist()
    assert "The best plan of a draw gains" in shown
    assert "on average of 50 draws" in shown


def test_contacts(run, files, tmp_path):
    shown = run("allocate", "contacts.csv", "--budget", "500", "--whole", "-o", "plan.csv").stdout
    options = CONTACTS.drop_columns(["note"]).to_pylist()
    expected = custcore.allocate_contacts(options, 500, whole=True)
    assert table(tmp_path / "plan.csv") == expected.table().to_pylist()
    assert any(line.split()[:2] == ["loyal", "call"] for line in shown.splitlines())
    run("allocate", "contacts.csv", "--budget", "500", "-o", "plan.csv")
    assert table(tmp_path / "plan.csv") == custcore.allocate_contacts(options, 500).table().to_pylist()


def test_errors(run, files, tmp_path):
    said = run("allocate", "cells.csv", "--budget", "9000", "--whole", code=2).stderr
    assert "--whole is for contacts" in said
    said = run("allocate", "contacts.csv", "--low", "3", code=2).stderr
    assert "--low is for response curves" in said
    said = run("allocate", "cells.csv", "--budgets", "3", code=2).stderr
    assert "--budgets is an option of --table frontier" in said
    said = run("allocate", "cells.csv", "--budgets", "x", "--table", "frontier", code=2).stderr
    assert "not a list of amounts such as 5000,10000" in said
    said = run("allocate", "cells.csv", "--group-budget", "sms", code=2).stderr
    assert "neither NAME=3000 nor NAME=40%" in said
    said = run("allocate", "cells.csv", "--budget", "-3", code=2).stderr
    assert "--budget -3.0 is invalid" in said
    said = run("allocate", "cells.csv", "--budget", "900", "--low", "some", code=2).stderr
    assert "--low some is invalid" in said
    said = run("allocate", "cells.csv", code=2).stderr
    assert "is a share of the budget" in said
    said = run("allocate", "cells.csv", "--budget", "9", "--group-budget", "sms=4", "--group-budget", "new=4", code=2)
    assert "LP solver" in said.stderr
    save(CELLS.drop_columns(["segment"]), tmp_path / "odd.csv")
    said = run("allocate", "odd.csv", code=3).stderr
    assert "odd.csv: there is no column 'segment'" in said
    save(CELLS.set_column(2, "curve", pa.array(["log"] * 4)), tmp_path / "odd.csv")
    assert "'log' at row 0" in run("allocate", "odd.csv", "--budget", "9", code=2).stderr
