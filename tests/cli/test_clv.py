"""``custcore clv``: the page, what the API says, files, models, checks, inputs, what is refused."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len
from rich.console import Console

import custcore
from custcore import clv
from custcore.cli import _render
from tests.cli.conftest import save

SPLIT = "2025-09-30"


def purchases(n=1_500, *, money=True):
    """Customers who buy at rates of their own for a time of their own; spend does not depend on it."""
    rng = np.random.default_rng(5)
    first, rate = rng.integers(0, 200, n), rng.gamma(0.8, 1 / 40, n)
    time = np.minimum(rng.exponential(300, n), 500 - first)
    who = np.concatenate([np.arange(n), np.repeat(np.arange(n), rng.poisson(rate * time))])
    when = first[who] + np.where(np.arange(len(who)) < n, 0, time[who] * rng.random(len(who))).astype(int)
    amount = np.round(rng.gamma(6, 5 / rng.gamma(4, size=n)[who]) + 0.01, 2)
    table = {
        "customer_id": who,
        "timestamp": np.datetime64("2024-11-01") + when,
        "country": np.where(who % 3 == 0, "FR", "DE"),
    }
    return pa.table(table | ({"amount": amount} if money else {}))


@pytest.fixture(scope="module")
def base():
    made = custcore.CustomerBase(track="days", attributes={"country": "first"})
    made.update(purchases())
    return made


@pytest.fixture(scope="module")
def models(base):
    summary = base.clv_summary()
    return clv.MBGNBD().fit(summary), clv.GammaGamma().fit(summary)


@pytest.fixture(scope="module")
def predictions(base, models):
    model, spend = models
    return model.predict(base.clv_summary(), "1y", spend=spend, level=0.95)


@pytest.fixture
def file(tmp_path):
    return save(purchases(), tmp_path / "sales.parquet").name


def plain(rows):
    return json.loads(json.dumps(_render.plain(rows)))


def cells(shown):
    """The cells of each line, by the first one."""
    lines = [re.split(r"  +", line.strip()) for line in shown.splitlines() if line.strip()]
    return {line[0]: line[1:] for line in reversed(lines)}


def test_the_page(run, file, base, models, predictions):
    shown = run("clv", file).stdout
    model, spend = models
    found = cells(shown)
    assert f"MBG/NBD of {len(base):,} customers up to {base.last_date}" in shown
    assert "Fit: converged." in shown
    for name in ("r", "a", "b"):
        assert float(found[name][0]) == pytest.approx(model.params_[name], rel=1e-3)
        assert float(found[name][1]) == pytest.approx(model.standard_errors_[name], rel=1e-3)
        ends = [float(end) for end in found[name][2].split(" to ")]
        assert ends == pytest.approx(model.interval_[name], rel=1e-3)
    assert float(found["alpha (weeks)"][0]) == pytest.approx(model.params_["alpha"], rel=1e-3)
    assert float(found["q of spend"][0]) == pytest.approx(spend.params_["q"], rel=1e-3)
    [total] = model.total(base.clv_summary(), "1y").to_pylist()
    assert f"365.25 days after {base.last_date}: {total['expected_purchases']:,.0f} purchase days expected" in shown
    assert f"(95 % interval {total['low']:,.0f} to {total['high']:,.0f})" in shown
    worth = sum(predictions["clv"])
    assert f"worth {worth:,.2f} today (interest of 10 % a year)" in shown
    assert f"Spearman {spend.fit_.spearman:.3f}, Pearson {spend.fit_.pearson:.3f}" in shown
    tiers = clv.by_segment(custcore.QuantileScorer(["clv"]).fit_transform(predictions), segment="clv_score")
    best = next(row for row in tiers if row["clv_score"] == 5)
    assert found["5 (highest)"] == [
        f"{best['customers']:,}",
        f"{best['p_alive']:.1%}",
        f"{best['expected_purchases']:,.0f}",
        f"{best['clv']:,.2f}",
        f"{best['clv_share']:.1%}",
        f"{best['clv_mean']:,.2f}",
    ]
    assert found["all"][0] == f"{len(base):,}"
    order = [line.split()[0] for line in shown.splitlines() if re.match(r"[1-5] ", line)]
    assert order == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "xlsx"])
def test_predictions_to_files(run, file, tmp_path, predictions, suffix):
    if suffix == "xlsx":
        pytest.importorskip("xlsxwriter")
        pytest.importorskip("python_calamine")
    run("clv", file, "-o", f"clv.{suffix}")
    path = tmp_path / f"clv.{suffix}"
    if suffix == "parquet":
        read = pq.read_table(path)
    elif suffix == "csv":
        read = csv.read_csv(path)
    elif suffix == "arrow":
        with pa.memory_map(str(path)) as source:
            read = pa.ipc.open_file(source).read_all()
    else:
        read = custcore.read(path).table(["customer_id", "clv"])
    expected = custcore.QuantileScorer(["clv"]).fit_transform(predictions).to_pyarrow()
    assert read.num_rows == predictions.num_rows
    for name in read.column_names:
        assert read[name].to_pylist() == pytest.approx(expected[name].to_pylist(), rel=1e-12)
    if suffix == "parquet":
        assert read.column_names == [*predictions.column_names, "clv_score"]


def test_what_the_api_says(run_json, file, base, models):
    model, spend = models
    found = run_json("clv", file, "--calibration-end", SPLIT, "--compare", "--horizon", "26w", "--margin", "0.5")
    assert found["model"]["parameters"] == model.params_
    assert found["model"]["standard_errors"] == model.standard_errors_
    assert found["spend"]["parameters"] == spend.params_
    assert found["spend"]["mean_by_x"] == plain(spend.fit_.mean_by_x.to_pylist())
    [total] = model.total(base.clv_summary(), "26w").to_pylist()
    assert found["total"] == plain(total)
    assert found["horizon_days"] == 182
    value = model.predict(base.clv_summary(), "26w", spend=spend, margin=0.5)
    assert found["sums"]["clv"] == pytest.approx(sum(value["clv"]))
    assert found["sums"]["alive"] == pytest.approx(sum(value["p_alive"]))
    assert sum(row["customers"] for row in found["tiers"]) == found["customers"] == len(base)
    held = base.clv_summary(SPLIT)
    checked, money = clv.MBGNBD().fit(held), clv.GammaGamma().fit(held)
    evaluation = checked.evaluate(held, spend=money)
    assert found["check"]["calibration_end"] == SPLIT
    assert found["check"]["model"]["parameters"] == checked.params_
    assert found["check"]["summary"] == plain(evaluation.summary().to_pylist())
    assert found["check"]["by_x"] == plain(evaluation.by_x().to_pylist())
    assert [row["model"] for row in found["compared"]] == ["MBGNBD", "BGNBD", "ParetoNBD", "NBD"]
    assert found["compared"][0]["log_likelihood"] == checked.log_likelihood_
    assert found["compared"][0]["rmse"] == found["check"]["summary"][0]["rmse"]


def test_the_check_beside_simple_rules(run, file, base):
    shown = run("clv", file, "--calibration-end", SPLIT, "--holdout-end", "2025-12-31").stdout
    held = base.clv_summary(SPLIT, "2025-12-31")
    rows = clv.MBGNBD().fit(held).evaluate(held).summary().to_pylist()
    assert f"fitted on purchases up to {SPLIT}" in shown
    assert f"in the 92 days afterwards: {rows[0]['actual']:,.0f} purchases" in shown
    found = cells(shown)
    for row, name in zip(rows, ("MBG/NBD", "zero", "own_rate", "same_as_before"), strict=True):
        assert found[name][:2] == [f"{row['expected']:,.0f}", f"{row['total_error']:+.1%}"]
        assert found[name][2:4] == [f"{row['rmse']:.3f}", f"{row['mae']:.3f}"]
    assert "Revenue: " in shown
    assert "Judge by RMSE" in shown


def test_a_saved_model_predicts(run, run_json, file, tmp_path, base, models):
    shown = run("clv", file, "--as-of", SPLIT, "--save-model", "clv.json", "--unit", "day").stdout
    assert "Model written to clv.json." in shown
    assert "Model written to clv.spend.json." in shown
    summary = base.clv_summary(SPLIT)
    model = clv.MBGNBD(unit="day").fit(summary)
    assert clv.PurchaseModel.load(tmp_path / "clv.json") == model
    spend = clv.GammaGamma.load(tmp_path / "clv.spend.json")
    assert spend == clv.GammaGamma().fit(summary)
    shown = run("clv", file, "--with", "clv.json", "-o", "clv.parquet", "--calibration-end", "2025-06-30").stdout
    assert "customers in" in shown
    assert "by clv.json" in shown
    assert f"the saved model has seen days of the check: it was fitted up to {SPLIT}" in shown
    expected = model.predict(base.clv_summary(), "1y", spend=spend, level=0.95)
    assert pq.read_table(tmp_path / "clv.parquet").drop_columns(["clv_score"]).to_pylist() == expected.to_pylist()
    (tmp_path / "clv.spend.json").unlink()
    found = run_json("clv", file, "--with", "clv.json")
    assert found["spend"] is None
    assert found["sums"]["clv"] is None
    assert any("no model of spend beside clv.json" in remark for remark in found["remarks"])
    assert run_json("clv", file, "--with", "clv.json", "--spend", "own_mean")["spend"] == "own_mean"
    given = clv.BGNBD.of_parameters({"r": 0.3, "alpha": 5.0, "a": 0.8, "b": 2.5})
    given.save(tmp_path / "given.json")
    assert "BG/NBD with given parameters" in run("clv", file, "--with", "given.json").stdout


def test_models_and_groups(run, run_json, file, base):
    for word, kind in (("bgnbd", clv.BGNBD), ("nbd", clv.NBD)):
        found = run_json("clv", file, "--model", word, "--by", "country", "--unit", "month")
        model = kind(by="country", unit="month").fit(base.clv_summary())
        assert found["model"]["class"] == kind.__name__
        assert found["model"]["parameters"] == model.params_
        assert [row["group"] for row in found["model"]["groups"]] == ["DE", "FR"]
        assert found["model"]["groups"] == plain(model.fit_.groups.to_pylist())
        assert sum(row["customers"] for row in found["model"]["groups"]) == len(base)
    shown = run("clv", file, "--by", "country").stdout
    assert cells(shown)["FR"][0] == f"{sum(1 for i in range(1_500) if i % 3 == 0):,}"


def test_bases_and_summaries_give_the_same(run_json, tmp_path, base, file):
    base.save(tmp_path / "shop.base")
    base.clv_summary(names="lifetimes").to_csv(tmp_path / "life.csv")
    base.clv_summary(SPLIT).to_parquet(tmp_path / "held.parquet")
    weeks = base.clv_summary().to_pyarrow()
    weeks = weeks.set_column(2, "t_x", pa.array(weeks["t_x"].to_numpy() / 7))
    save(weeks.set_column(3, "T", pa.array(weeks["T"].to_numpy() / 7)), tmp_path / "weeks.parquet")
    expected = run_json("clv", file)
    for words, kind in (
        (["shop.base"], "base"),
        (["life.csv"], "summary"),
        (["weeks.parquet", "--times-in", "week"], "summary"),
    ):
        found = run_json("clv", *words)
        assert found["input"] == kind
        assert found["customers"] == expected["customers"]
        assert found["model"]["parameters"] == pytest.approx(expected["model"]["parameters"], rel=1e-6)
        assert found["sums"]["clv"] == pytest.approx(expected["sums"]["clv"], rel=1e-6)
    held = run_json("clv", "held.parquet")
    checked = run_json("clv", file, "--calibration-end", SPLIT)
    assert held["check"]["summary"] == checked["check"]["summary"]
    assert held["as_of"] == SPLIT


def test_ids_of_a_summary(run, tmp_path, base):
    summary = base.clv_summary().to_pyarrow().rename_columns(["who", "x", "t_x", "T", "m_x", "country"])
    save(summary.replace_schema_metadata(None), tmp_path / "other.csv")
    run("clv", "other.csv", "-o", "one.csv")
    run("clv", "other.csv", "--customer-id", "who", "-o", "two.csv")
    one, two = (csv.read_csv(tmp_path / name) for name in ("one.csv", "two.csv"))
    assert one.column_names[0] == two.column_names[0] == "who"
    assert one.equals(two)


def test_without_money_and_without_end(run, run_json, tmp_path):
    file = save(purchases(money=False), tmp_path / "visits.parquet").name
    found = run_json("clv", file, "--no-amount")
    assert (found["spend"], found["sums"]["clv"]) == (None, None)
    shown = run("clv", file, "--no-amount").stdout
    assert "column expected_purchases_score" in shown
    assert "worth" not in shown
    file = save(purchases(), tmp_path / "sales.parquet").name
    shown = run("clv", file, "--horizon", "none").stdout
    assert "without end, is worth" in shown
    endless = run_json("clv", file, "--horizon", "none")
    assert (endless["total"], endless["horizon_days"]) == (None, None)
    assert endless["sums"]["clv"] > run_json("clv", file)["sums"]["clv"]


def test_spend_that_depends_on_frequency_is_said(run, tmp_path):
    rows = purchases()
    counts = np.bincount(rows["customer_id"].to_numpy())
    amount = rows["amount"].to_numpy() * counts[rows["customer_id"].to_numpy()]
    file = save(rows.set_column(3, "amount", pa.array(amount)), tmp_path / "more.parquet").name
    shown = run("clv", file).stdout
    assert "Customers who buy often spend more a day" in shown
    assert "--spend own_mean" in shown
    assert "fit_" not in shown


def test_few_customers_are_warned_of_in_words_of_options(run, tmp_path):
    rows = purchases(60)
    shown = run("clv", save(rows, tmp_path / "few.parquet").name, "--calibration-end", SPLIT).stdout
    assert "fewer than 50" in shown
    assert "of the check: MBGNBD" in shown


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("words", [[], ["--calibration-end", SPLIT, "--compare", "--by", "country"]], ids=["", "check"])
def test_screens(run, file, monkeypatch, width, words):
    def terminal(_target=None):
        return Console(width=width, force_terminal=True, color_system=None, highlight=False, markup=False, emoji=False)

    monkeypatch.setattr(_render, "console", terminal)
    lines = run("clv", file, *words).stdout.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not any("…" in line for line in lines)
    for name in ("alpha (weeks)", "q of spend", "5 (highest)"):
        assert any(line.startswith(name) for line in lines)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--horizon", "x"], "is no length of time such as 90", 2),
        (["--horizon", "none", "--annual-rate", "0"], "only with interest", 2),
        (["--level", "2"], "--level 2.0 is invalid", 2),
        (["--annual-rate", "-1"], "--annual-rate -1.0 is negative", 2),
        (["--model", "mbgnb"], "Did you mean 'mbgnbd'?", 2),
        (["--holdout-end", "2025-12-31"], "--calibration-end", 2),
        (["--calibration-end", "2030-01-01"], "leaves no days for the check", 2),
        (["--calibration-end", "2025-13-01"], "--calibration-end 2025-13-01 is not an ISO date", 2),
        (["--calibration-end", SPLIT, "--holdout-end", "2025-01-01"], "is not after --calibration-end", 2),
        (["--as-of", "2020-01-01"], "no customer bought by 2020-01-01", 3),
        (["--times-in", "week"], "--times-in belongs to a summary", 2),
        (["--with", "no.json"], "--with: there is no file no.json", 2),
        (["--with", "no.json", "--model", "nbd"], "--model and --with exclude each other", 2),
        (["--by", "contry"], "Did you mean --by country?", 3),
        (["--save-model", "x.txt"], "models are written as .json", 2),
    ],
)
def test_what_is_refused(run, file, words, said, code):
    assert said in run("clv", file, *words, code=code).stderr


def test_what_is_refused_of_bases_and_summaries(run, tmp_path, base):
    base.save(tmp_path / "shop.base")
    assert "--amount belongs to files of purchases" in run("clv", "shop.base", "--amount", "x", code=2).stderr
    assert "keeps no column 'shop' (--by)" in run("clv", "shop.base", "--by", "shop", code=3).stderr
    assert "is the base" in run("clv", "shop.base", "-o", "shop.base", code=2).stderr
    totals = custcore.CustomerBase()
    totals.update(purchases(60))
    totals.save(tmp_path / "totals.base")
    assert "custcore base init NEW --track days" in run("clv", "totals.base", code=3).stderr
    base.clv_summary().to_csv(tmp_path / "summary.csv")
    assert "--returns belongs to purchases" in run("clv", "summary.csv", "--returns", "net", code=2).stderr
    refused = run("clv", "summary.csv", "--calibration-end", SPLIT, code=2).stderr
    assert "--calibration-end parts purchases" in refused
    assert "there is no column 'shop' (--by)" in run("clv", "summary.csv", "--by", "shop", code=3).stderr
    bad = pa.table({"customer_id": [1, 2, 3], "x": [1, 0, 2], "t_x": [9, 0, 3], "T": [5, 7, 9]})
    refused = run("clv", save(bad, tmp_path / "bad.csv").name, code=3).stderr
    assert "t_x > T" in refused
    assert "row 0" in refused


def test_nobody_bought_again(run, tmp_path):
    day = np.full(3, np.datetime64("2026-01-01"))
    one = pa.table({"customer_id": [1, 2, 3], "timestamp": day, "amount": [1.0] * 3})
    refused = run("clv", save(one, tmp_path / "one.parquet").name, code=3).stderr
    assert "no customer has a repeat purchase day" in refused
    refunds = one.set_column(2, "amount", pa.array([-1.0] * 3))
    assert "no customer has a purchase" in run("clv", save(refunds, tmp_path / "no.parquet").name, code=3).stderr


def test_other_verbs_say_what_the_file_is(run, file, tmp_path, models):
    model, spend = models
    model.save(tmp_path / "clv.json")
    spend.save(tmp_path / "spend.json")
    assert "is a model of purchases (custcore clv --with)" in run("score", file, "--model", "clv.json", code=3).stderr
    assert "is a model of spend" in run("clv", file, "--with", "spend.json", code=3).stderr


def test_models_of_purchases_and_of_spend_that_do_not_belong_together(run, file, tmp_path):
    run("clv", file, "--as-of", SPLIT, "--save-model", "old.json")
    run("clv", file, "--save-model", "new.json")
    (tmp_path / "old.spend.json").rename(tmp_path / "new.spend.json")
    assert f"up to {SPLIT}" in run("clv", file, "--with", "new.json").stdout
    refused = run("clv", file, "--no-amount", "--save-model", "new.json", code=2).stderr
    assert "new.spend.json is a model of spend of an earlier fit" in refused
