"""``custcore lifecycle``: windows and stages on the screen, tables as files, models, settings."""

from __future__ import annotations

import datetime as dt
import random

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import save


def sales():
    """Sixty customers for half a year, some of whom came once; money, and a row without an id."""
    drawn = random.Random(3)
    rows = []
    for customer in range(60):
        day = drawn.randrange(60)
        while day < 180:
            rows.append((customer, dt.date(2026, 1, 1) + dt.timedelta(day), float(drawn.randrange(1, 90))))
            day += drawn.randrange(1, 40) if drawn.random() < 0.8 else 999
    rows.append((None, dt.date(2026, 2, 2), 5.0))
    return pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "timestamp": [row[1] for row in rows],
            "amount": [row[2] for row in rows],
        }
    )


@pytest.fixture
def file(tmp_path):
    return save(sales(), tmp_path / "sales.parquet").name


@pytest.fixture
def base():
    base = custcore.CustomerBase(track="days")
    base.update(sales())
    return base


def test_the_screen(run, file, base):
    shown = run("lifecycle", file, "--monthly").stdout
    model = custcore.LifecycleModel().fit(base)
    lines = [line.split() for line in shown.splitlines()]
    assert [
        "active",
        "up",
        "to",
        str(model.active_days_),
        *["80%", "of", "gaps", "that", "end", "have", "ended"],
    ] in lines
    assert any(line[:3] == ["lost", "beyond", str(model.loss_days_)] for line in lines)
    text = f"{model.share_returned_:.1%} of gaps between purchase days end within {model.horizon_days_} days"
    assert text in " ".join(shown.split())
    for row in base.lifecycle_counts([base.last_date], model):
        if row["stage"] != "prospect":
            assert any(line[:2] == [row["stage"], str(row["customers"])] for line in lines), row
    assert any(line[:2] == ["all", str(len(base))] for line in lines)
    assert [line[0] for line in lines if line and line[0].startswith("2026-")] == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"),
        str(base.last_date),
    ]
    assert "1 row without a customer id (5.00 in all)" in shown


@pytest.mark.parametrize("out", ["parquet", "csv"])
def test_tables_to_files(run, file, tmp_path, base, out):
    model = custcore.LifecycleModel().fit(base)
    dates = ["2026-03-31", "2026-05-31"]
    tables = {
        "customers": base.lifecycle(model=model),
        "counts": base.lifecycle_counts(dates, model),
        "flows": base.lifecycle_flows(dates, model),
        "curve": model.curve_,
    }
    for name, table in tables.items():
        run("lifecycle", file, "--dates", ", ".join(dates), "--table", name, "-o", f"{name}.{out}")
        expected = table.to_pyarrow()
        if out == "parquet":
            assert pq.read_table(tmp_path / f"{name}.parquet").to_pylist() == expected.to_pylist()
        else:
            found = csv.read_csv(tmp_path / f"{name}.csv")
            assert (found.column_names, found.num_rows) == (expected.column_names, expected.num_rows)


def test_settings_and_models(run, run_json, file, base, tmp_path):
    found = run_json("lifecycle", file, "--as-of", "2026-04-30", "--save-model", "life.json")
    model = custcore.LifecycleModel().fit(base, "2026-04-30")
    assert custcore.LifecycleModel.load(tmp_path / "life.json") == model
    assert found["windows"]["active_days"] == model.active_days_
    assert found["windows"]["share_returned"] == model.share_returned_
    assert (found["as_of"], found["model"], found["counts"]) == ("2026-04-30", "life.json", None)
    later = run_json("lifecycle", file, "--model", "life.json", "--dates", "2026-05-31")
    assert [row["customers"] for row in later["counts"]] == base.lifecycle_counts(["2026-05-31"], model)[
        "customers"
    ].to_pylist()
    given = run_json("lifecycle", file, "--active-days", "9", "--loss-days", "30", "--loyal-orders", "3", "--no-amount")
    by_hand = custcore.LifecycleModel(9, 30, loyal_orders=3)
    assert [row["customers"] for row in given["stages"]] == base.lifecycle_counts([base.last_date], by_hand)[
        "customers"
    ].to_pylist()
    assert "revenue" not in given["stages"][0]
    assert "given" in run("lifecycle", file, "--active-days", "9", "--loss-days", "30").stdout
    own = run_json("lifecycle", file, "--rhythm", "own")["windows"]
    assert own["active_days"] is None
    assert own["active_multiple"] > 0
    assert "typical gaps" in run("lifecycle", file, "--rhythm", "own").stdout


def test_orders_of_several_lines(run_json, tmp_path):
    table = sales()
    lines = pa.concat_tables([table, table]).append_column("bill", pa.array([*range(table.num_rows)] * 2))
    save(lines, tmp_path / "lines.parquet")
    one = run_json("lifecycle", save(table, tmp_path / "sales.parquet").name)
    two = run_json("lifecycle", "lines.parquet", "--order-id", "bill")
    assert [row["customers"] for row in two["stages"]] == [row["customers"] for row in one["stages"]]


def test_errors(run, file, tmp_path):
    said = run("lifecycle", file, "--among", "all", "--quantiles", "x", code=2).stderr
    assert "No such option" in said
    said = run("lifecycle", file, "--among", "all", code=3).stderr
    assert "of them end within the horizon" in " ".join(said.split())
    assert "--among returning" in said
    assert "--active-days" in said
    said = run("lifecycle", file, "--active-days", "30", "--loss-days", "20", code=2).stderr
    assert "--active-days 30 must be less than" in " ".join(said.split())
    said = run("lifecycle", file, "--table", "flows", "-o", "x.csv", code=2).stderr
    assert "needs two dates" in said
    said = run("lifecycle", file, "--model", "none.json", code=2).stderr
    assert "there is no file" in said
    run("rfm", file, "--save-model", "rfm.json")
    said = run("lifecycle", file, "--model", "rfm.json", code=3).stderr
    assert "RFMScorer" in said
    assert "LifecycleModel" in said
    run("lifecycle", file, "--model", "rfm.json", "--active-days", "9", code=2)
    empty = save(sales().slice(0, 0), tmp_path / "empty.parquet").name
    assert run("lifecycle", empty, code=3).stderr
