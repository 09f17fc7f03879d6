"""``custcore churn``: the screen, lists and files, models, the back-test, what is refused."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.cli import _render
from tests.cli.conftest import save


def purchases(n=3_000):
    """A year of purchases of some hundred customers, some of them often."""
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "customer_id": (400 * rng.random(n) ** 2).astype(int),
            "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 365, n),
            "amount": rng.integers(1, 100, n).astype(float),
        }
    )


@pytest.fixture
def file(tmp_path):
    return save(purchases(), tmp_path / "sales.parquet").name


@pytest.fixture(scope="module")
def base():
    made = custcore.CustomerBase(track="days")
    made.update(purchases())
    return made


def plain(table):
    return json.loads(json.dumps(_render.plain(table.to_pylist())))


def test_the_screen(run, file, base, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("churn", file, "--horizon", "60").stdout
    model = custcore.ChurnModel(60).fit(base)
    scores = model.score(base).to_pyarrow().to_pandas()
    at_stake = scores[scores["gap_days"] <= model.loss_days_]
    assert f"At stake: {len(at_stake):,} of {len(scores):,} customers" in shown
    assert f"at most {model.loss_days_} days ago" in shown
    money = base.rfm().to_pyarrow().to_pandas().set_index("customer_id")["monetary_total"]
    lines = [line.split("  ") for line in shown.splitlines()]
    cells = {line[0].strip(): [cell.strip() for cell in line[1:] if cell.strip()] for line in lines if line[0].strip()}
    assert cells["at stake"] == [
        f"{len(at_stake):,}",
        "100.0%",
        f"{money[at_stake['customer_id']].sum():,.2f}",
        "100.0%",
        f"{at_stake['churn_probability'].mean():.1%}",
    ]
    for name, low, high in (("50% to 75%", 0.5, 0.75), ("below 25%", -1.0, 0.25), ("90% and more", 0.9, 9.0)):
        own = at_stake[(at_stake["churn_probability"] >= low) & (at_stake["churn_probability"] < high)]
        assert cells[name][0] == f"{len(own):,}"
        assert cells[name][2] == f"{money[own['customer_id']].sum():,.2f}"
    assert max(map(len, shown.splitlines())) <= 160


def test_what_the_api_says(run_json, file, base):
    found = run_json("churn", file, "--horizon", "60", "--backtest", "--top", "7")
    model, test = custcore.ChurnModel(60).fit(base), custcore.backtest(base, 60)
    assert found["backtest"]["summary"] == plain(test.summary())
    assert found["backtest"]["thresholds"] == plain(test.thresholds())
    assert found["backtest"]["calibration"] == plain(test.calibration())
    assert found["strata"] == plain(model.strata_)
    assert (found["horizon"], found["loss_days"], found["as_of"]) == (60, model.loss_days_, str(model.as_of_))
    *groups, at_stake, lost = found["groups"]
    assert sum(group["customers"] for group in groups) == at_stake["customers"] == found["at_stake"]
    assert at_stake["customers"] + lost["customers"] == found["customers"]
    assert found["list"]["customers"] == 7
    probabilities = [row["churn_probability"] for row in found["list"]["rows"]]
    assert probabilities == sorted(probabilities, reverse=True)


def test_backtest_beside_recency(run, file, base):
    shown = run("churn", file, "--horizon", "60", "--backtest").stdout
    rows = {(row["as_of"], row["score"]): row for row in custcore.backtest(base, 60).summary().to_pylist()}
    dates = sorted({day for day, _ in rows})
    for day in dates:
        [line] = [line.split() for line in shown.splitlines() if line.startswith(str(day))]
        own, other = rows[day, "probability"], rows[day, "recency"]
        assert line[1:5] == [
            f"{own['customers']:,}",
            f"{own['base_rate']:.1%}",
            f"{own['auc']:.3f}",
            f"{other['auc']:.3f}",
        ]
    better = sum(rows[day, "probability"]["auc"] > rows[day, "recency"]["auc"] for day in dates)
    assert f"ranks better than recency at {better} of {len(dates)} dates" in shown
    assert "Among the first tenth" in shown or "So it does among the first tenth" in shown


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_scores_and_lists_to_files(run, file, tmp_path, base, suffix):
    read = pq.read_table if suffix == "parquet" else csv.read_csv
    run("churn", file, "-o", f"scores.{suffix}")
    scores = custcore.ChurnModel().fit(base).score(base)
    assert read(tmp_path / f"scores.{suffix}").to_pylist() == scores.to_pylist()
    shown = run("churn", file, "--top", 20, "-o", f"list.{suffix}").stdout
    listed = read(tmp_path / f"list.{suffix}").to_pylist()
    loss = custcore.ChurnModel().fit(base).loss_days_
    stake = [row for row in scores.to_pylist() if row["gap_days"] <= loss]
    wanted = sorted(stake, key=lambda row: (-row["churn_probability"], row["customer_id"]))[:20]
    assert listed == wanted
    assert f"The list has 20 of {len(stake):,} customers" in shown


def test_models(run, file, tmp_path, base):
    run("churn", file, "--horizon", "30", "--as-of", "2025-10-31", "--save-model", "churn.json")
    model = custcore.ChurnModel(30).fit(base, "2025-10-31")
    assert custcore.ChurnModel.load(tmp_path / "churn.json") == model
    shown = run("churn", file, "--model", "churn.json", "-o", "scores.parquet").stdout
    assert "by churn.json of 2025-10-31" in shown
    assert "no purchase in 30 days" in shown
    assert pq.read_table(tmp_path / "scores.parquet").to_pylist() == model.score(base).to_pylist()
    custcore.RFMScorer().fit(base.rfm()).save(tmp_path / "rfm.json")
    refused = run("churn", file, "--model", "rfm.json", code=3).stderr
    assert "is a RFMScorer; expected the file of a fitted ChurnModel" in refused
    assert "is a churn model" in run("score", file, "--model", "churn.json", code=3).stderr


def test_orders_without_money(run, run_json, tmp_path):
    rows = purchases().append_column("basket", pa.array(range(3_000)))
    file = save(rows.drop_columns(["amount"]), tmp_path / "lines.csv").name
    found = run_json("churn", file, "--no-amount", "--order-id", "basket")
    assert {group["revenue"] for group in found["groups"]} == {None}
    assert "revenue" not in run("churn", file, "--no-amount", "--order-id", "basket").stdout


def test_what_is_refused(run, file, tmp_path):
    refused = run("churn", file, "--backtest", "--as-of", "2025-06-30", code=2).stderr
    assert "leave out --as-of" in refused
    assert "'--horizon': 0 is" in run("churn", file, "--horizon", 0, code=2).stderr
    assert "--model" in run("churn", file, "--horizon", 5, "--model", "x.json", code=2).stderr
    assert "there is no file x.json" in run("churn", file, "--model", "x.json", code=2).stderr
    short = save(purchases(5), tmp_path / "short.parquet").name
    assert "min_at_risk" in run("churn", short, code=3).stderr
    days = pa.array([dt.date(2025, 1, 1)] * 5)
    one = save(purchases(5).set_column(1, "timestamp", days), tmp_path / "one.parquet").name
    assert "no gap between purchases ended" in run("churn", one, code=3).stderr
