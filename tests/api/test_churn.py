"""`custcore.ChurnModel` and `custcore.backtest`: by hand, corners, errors, models as files, bases on disk."""

from __future__ import annotations

import copy
import pickle
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotEnoughDataError,
    NotFittedError,
    OutOfRangeError,
    StateMismatchError,
)

START = date(2025, 1, 1)


def day(n: int) -> date:
    return START + timedelta(days=n)


def base(purchases: dict[Any, list[int]], **options: Any) -> custcore.CustomerBase:
    """A base of purchases on some days, counted from the start."""
    rows = [(who, day(n)) for who, days in purchases.items() for n in days]
    made = custcore.CustomerBase(**{"track": "days"} | options)
    columns = {"customer_id": [r[0] for r in rows], "timestamp": [r[1] for r in rows], "amount": [1.0] * len(rows)}
    made.update(pa.table(columns))
    return made


def random_rows(n: int = 6_000, customers: int = 700, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "customer_id": (customers * rng.random(n) ** 2).astype(int) * 7 % 1_000,
        "timestamp": np.datetime64("2025-01-01") + rng.integers(0, 400, n),
        "amount": rng.integers(-20, 100, n).astype(float),
    }


@pytest.fixture(scope="module")
def shop() -> custcore.CustomerBase:
    made = custcore.CustomerBase(track="days")
    made.update(random_rows())
    return made


# Four customers come back after 5 and after 15 days, or not: S is 3/4 from 5 days on, 1/2 from 15 days on.
BY_HAND = {"a": [0, 5], "b": [0, 15], "c": [0], "d": [0], "e": [28]}


def test_by_hand() -> None:
    known = base({who: days for who, days in BY_HAND.items() if who != "e"} | {"z": [30]})
    model = custcore.ChurnModel(10, strata=[1, 2], min_at_risk=2).fit(known, day(30))
    assert model.as_of_ == day(30)
    curves = [row for row in model.curves_.to_pylist() if row["stratum"] == 1]
    steps = [tuple(row[name] for name in ("gap_days", "at_risk", "returned", "censored", "survival")) for row in curves]
    assert steps == [(5, 4, 1, 0, 0.75), (15, 3, 1, 0, 0.5), (30, 2, 0, 2, 0.5)]
    assert all(row["survival_low"] <= row["survival"] <= row["survival_high"] for row in curves)
    strata = {row["stratum"]: row for row in model.strata_.to_pylist()}
    assert strata[1] == {
        "stratum": 1,
        "gaps": 4,
        "returned": 2,
        "horizon_days": 15,
        "share_returned": 0.5,
        "is_pooled": False,
    }
    assert (strata[2]["horizon_days"], strata[2]["is_pooled"], strata[2]["gaps"]) == (None, True, 2)
    assert (strata[None]["gaps"], strata[None]["is_pooled"]) == (6, False)
    fresh = base({"x": [20], "y": [25], "w": [16], "v": [1]})
    scores = model.score(fresh, day(25)).to_pylist()
    by_id = {row["customer_id"]: row["churn_probability"] for row in scores}
    assert by_id == {"v": 1.0, "w": pytest.approx(0.5 / 0.75), "x": pytest.approx(0.5 / 0.75), "y": 0.75}
    assert [row["customer_id"] for row in scores] == sorted(by_id)


def test_a_stratum_without_a_curve_is_reported() -> None:
    known = base(BY_HAND)
    model = custcore.ChurnModel(10, strata=[1, 2], min_at_risk=2).fit(known)
    assert any("2 or more purchase days" in remark for remark in model.score(known).report.remarks)
    assert list(model.curves_.report.remarks) == list(model.strata_.report.remarks) != []


def test_a_model_of_later_days_is_reported(shop: custcore.CustomerBase) -> None:
    model = custcore.ChurnModel().fit(shop)
    assert not any("fitted as of" in remark for remark in model.score(shop).report.remarks)
    assert any("fitted as of" in remark for remark in model.score(shop, "2025-06-30").report.remarks)


def test_scores_of_later_days(shop: custcore.CustomerBase) -> None:
    """A day after the last one: every gap is longer."""
    model = custcore.ChurnModel().fit(shop)
    last = shop.report.as_of
    assert last is not None
    now, later = model.score(shop), model.score(shop, last + timedelta(days=9))
    assert (later.to_numpy("gap_days") - now.to_numpy("gap_days") == 9).all()
    assert later.report.as_of == last + timedelta(days=9)


def test_schema(shop: custcore.CustomerBase) -> None:
    scores = custcore.ChurnModel().fit(shop).score(shop).to_pyarrow().schema
    assert dict(zip(scores.names, map(str, scores.types), strict=True)) == {
        "customer_id": "int64",
        "gap_days": "int32",
        "n_days": "int64",
        "stratum": "int64",
        "churn_probability": "double",
    }
    test = custcore.backtest(shop)
    shapes = [
        (
            test.summary(),
            {"as_of": "date32[day]", "score": "string", "customers": "int64", "churned": "int64"},
            ["base_rate", "auc", "average_precision", "brier", "brier_base"],
        ),
        (
            test.thresholds().select(
                [
                    *("as_of", "score", "flagged", "true", "share", "threshold", "precision"),
                    *("precision_low", "precision_high", "recall", "lift"),
                ]
            ),
            {"as_of": "date32[day]", "score": "string", "flagged": "int64", "true": "int64"},
            ["share", "threshold", "precision", "precision_low", "precision_high", "recall", "lift"],
        ),
        (
            test.calibration(),
            {"as_of": "date32[day]", "bin": "int64", "customers": "int64"},
            ["predicted", "observed", "observed_low", "observed_high"],
        ),
    ]
    for table, types, floats in shapes:
        schema = table.to_pyarrow().schema
        found = dict(zip(schema.names, map(str, schema.types), strict=True))
        assert found == types | dict.fromkeys(floats, "double")
    assert repr(test).startswith("Backtest of probability, recency, overdue at ")


def test_default_dates(shop: custcore.CustomerBase) -> None:
    last = shop.report.as_of
    assert last is not None
    test = custcore.backtest(shop, 60)
    expected = [last - timedelta(days=60 * j) for j in (4, 3, 2, 1)]
    assert list(dict.fromkeys(test.summary()["as_of"].to_pylist())) == expected
    given = custcore.backtest(shop, 60, dates=[str(day) for day in expected])
    assert given.summary().to_pyarrow().equals(test.summary().to_pyarrow())


def test_dates_without_a_model_are_left_out_and_reported(shop: custcore.CustomerBase) -> None:
    test = custcore.backtest(shop, 90, n_dates=9)
    dates = dict.fromkeys(test.summary()["as_of"].to_pylist())
    # 400 days have four horizons of 90 days and a day before; at the first date few gaps have ended.
    assert any("4 of 9 dates (n_dates) are within the days of the base" in remark for remark in test.report.remarks)
    short = custcore.backtest(shop, 90, n_dates=9, min_at_risk=600)
    left = dict.fromkeys(short.summary()["as_of"].to_pylist())
    assert 0 < len(left) < len(dates)
    assert any(remark.startswith("left out: 20") for remark in short.report.remarks)


def test_recency_is_always_there(shop: custcore.CustomerBase) -> None:
    assert set(custcore.backtest(shop, scores=["probability"]).summary()["score"].to_pylist()) == {
        "probability",
        "recency",
    }
    only = custcore.backtest(shop, scores=[])
    assert set(only.summary()["score"].to_pylist()) == {"recency"}
    assert only.summary()["brier"].to_pylist() == [None] * only.summary().num_rows
    assert only.calibration().num_rows == 0


def test_thresholds_are_given(shop: custcore.CustomerBase) -> None:
    test = custcore.backtest(shop, n_dates=1, thresholds={"recency": [50], "probability": [0.5, 2]}, shares=[0.5])
    rows = {(row["as_of"], row["score"], row["threshold"]): row for row in test.thresholds().to_pylist()}
    [day] = {row["as_of"] for row in test.thresholds().to_pylist() if row["as_of"]}
    model = custcore.ChurnModel().fit(shop, day)
    scores = model.score(shop, day).to_pyarrow().to_pandas()
    scores = scores[scores["gap_days"] <= model.loss_days_]
    assert rows[day, "recency", 50.0]["flagged"] == (scores["gap_days"] >= 50).sum()
    assert rows[day, "probability", 0.5]["flagged"] == (scores["churn_probability"] >= 0.5).sum()
    assert rows[day, "probability", 0.5]["share"] == pytest.approx((scores["churn_probability"] >= 0.5).mean())
    nobody = rows[day, "probability", 2.0]
    assert (nobody["flagged"], nobody["precision"], nobody["precision_low"], nobody["lift"]) == (0, None, None, None)
    assert nobody["recall"] == 0.0
    # One date: all dates together are that date, and keep the thresholds that were given.
    for threshold in (0.5, 2.0):
        assert rows[None, "probability", threshold] == rows[day, "probability", threshold] | {"as_of": None}
    assert [row["share"] for row in test.thresholds().to_pylist() if row["score"] == "overdue"] == [0.5, 0.5]
    # A list is of probabilities.
    listed = custcore.backtest(shop, n_dates=1, thresholds=[0.5], shares=[0.5]).thresholds().to_pylist()
    assert rows[day, "probability", 0.5] in listed


def test_all_dates_together_are_sums(shop: custcore.CustomerBase) -> None:
    test = custcore.backtest(shop)
    rows = test.thresholds().to_pylist()
    summary = [row for row in test.summary().to_pylist() if row["score"] == "recency"]
    churned, customers = (sum(row[name] for row in summary) for name in ("churned", "customers"))
    pooled = [row for row in rows if row["as_of"] is None]
    assert len(pooled) == 15
    for row in pooled:
        own = [r for r in rows if r["as_of"] and (r["score"], r["share"]) == (row["score"], row["share"])]
        assert len(own) == 4
        assert (row["flagged"], row["true"]) == (sum(r["flagged"] for r in own), sum(r["true"] for r in own))
        assert row["precision"] == row["true"] / row["flagged"]
        assert row["recall"] == row["true"] / churned
        assert row["lift"] == pytest.approx(row["precision"] * customers / churned)
        assert row["threshold"] is None


@pytest.mark.parametrize("among", ["at_stake", "all"])
@pytest.mark.parametrize("kind", ["integers", "strings"])
def test_a_base_on_disk_gives_equal_results(tmp_path: Path, among: str, kind: str) -> None:
    def data(seed: int) -> dict[str, Any]:
        rows = random_rows(20_000, 9_000, seed)
        return rows if kind == "integers" else rows | {"customer_id": np.char.add("c", rows["customer_id"].astype(str))}

    whole = custcore.CustomerBase(track="days")
    on_disk = custcore.CustomerBase(track="days", max_memory="1MiB", spill_dir=tmp_path)
    for seed in range(3):
        whole.update(data(seed))
        on_disk.update(data(seed))
        on_disk._core.spill()
    assert on_disk.nbytes_on_disk > 0
    one, two = custcore.backtest(whole, among=among), custcore.backtest(on_disk, among=among)
    for name in ("summary", "thresholds", "calibration"):
        assert getattr(one, name)().to_pyarrow().equals(getattr(two, name)().to_pyarrow()), name
    assert list(one.report) == list(two.report)
    assert one.report.remarks == two.report.remarks
    models = [custcore.ChurnModel().fit(of, "2025-10-31") for of in (whole, on_disk)]
    assert models[0].to_bytes() == models[1].to_bytes()
    scores = [model.score(of, "2025-12-31") for model, of in zip(models, (whole, on_disk), strict=True)]
    assert scores[0].to_pyarrow().equals(scores[1].to_pyarrow())
    assert list(scores[0].report) == list(scores[1].report)


def test_a_model_as_a_file(shop: custcore.CustomerBase, tmp_path: Path) -> None:
    model = custcore.ChurnModel(30, strata=(1, 4), min_at_risk=5).fit(shop, "2025-11-30")
    model.save(tmp_path / "churn.json")
    back = custcore.ChurnModel.load(tmp_path / "churn.json")
    assert back == model
    assert (back.horizon, back.strata, back.min_at_risk, back.as_of_) == (30, (1, 4), 5, date(2025, 11, 30))
    assert back.score(shop).to_pyarrow().equals(model.score(shop).to_pyarrow())
    assert back.curves_.to_pyarrow().equals(model.curves_.to_pyarrow())
    for made in (model, custcore.ChurnModel(7)):
        assert pickle.loads(pickle.dumps(made)) == made
        assert copy.deepcopy(made) == made
    assert model != custcore.ChurnModel(30, strata=(1, 4), min_at_risk=5)
    with pytest.raises(ModelFormatError, match="rfm_scorer"):
        custcore.ChurnModel.from_bytes(custcore.RFMScorer().fit(shop.rfm()).to_bytes())
    test = custcore.backtest(shop)
    again = pickle.loads(pickle.dumps(test))
    assert again.thresholds().to_pyarrow().equals(test.thresholds().to_pyarrow())


def test_nobody_churns() -> None:
    """Everybody comes every day: no average precision, no AUC, a base rate of 0."""
    daily = base({who: list(range(40)) for who in range(40)})
    rows = custcore.backtest(daily, 5, n_dates=1).summary().to_pylist()
    assert [(r["customers"], r["churned"], r["base_rate"], r["auc"], r["average_precision"]) for r in rows] == [
        (40, 0, 0.0, None, None)
    ] * 3
    lifts = custcore.backtest(daily, 5, n_dates=1).thresholds()
    assert set(lifts["lift"].to_pylist()) == {None}
    assert set(lifts["recall"].to_pylist()) == {None}
    assert set(lifts["precision"].to_pylist()) == {0.0}


def test_a_composite_key(shop: custcore.CustomerBase) -> None:
    rows = random_rows()
    two = custcore.CustomerBase(customer_id=["shop", "customer_id"], track="days")
    two.update(rows | {"shop": np.where(rows["customer_id"] % 2, "b", "a")})
    model = custcore.ChurnModel().fit(two)
    assert model.to_bytes() == custcore.ChurnModel().fit(shop).to_bytes()
    found = model.score(two)
    assert found.column_names[:2] == ["shop", "customer_id"]
    ids = list(zip(found["shop"].to_pylist(), found["customer_id"].to_pylist(), strict=True))
    assert ids == sorted(ids)
    summaries = [custcore.backtest(of).summary().to_pyarrow() for of in (two, shop)]
    assert summaries[0].equals(summaries[1])


# Errors


def test_a_model_that_is_not_fitted(shop: custcore.CustomerBase) -> None:
    model = custcore.ChurnModel()
    for use in (lambda: model.score(shop), lambda: model.curves_, lambda: model.to_bytes(), lambda: model.loss_days_):
        with pytest.raises(NotFittedError, match=r"call fit\(base\)|call fit first"):
            use()
    assert repr(model) == "ChurnModel(horizon=90, strata=(1, 2, 3, 5, 10), min_at_risk=30), not fitted"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"horizon": 0}, InvalidArgumentError, "horizon=0 is invalid; expected a number of days, 1 or more"),
        ({"horizon": 2**40}, InvalidArgumentError, "horizon=1099511627776 is invalid"),
        ({"horizon": 9.5}, InvalidTypeError, "horizon=9.5 is float; expected an integer"),
        ({"strata": [2, 3]}, InvalidArgumentError, "ascending from 1"),
        ({"strata": [1, 3, 3]}, InvalidArgumentError, "ascending from 1"),
        ({"strata": []}, InvalidArgumentError, "ascending from 1"),
        ({"strata": [1, -2]}, InvalidArgumentError, r"strata\[1\]=-2 is invalid"),
        ({"strata": list(range(1, 400))}, InvalidArgumentError, "has 399 strata; the maximum is 200"),
        ({"strata": "1,2"}, InvalidTypeError, "strata='1,2' is str; expected a list of integers"),
        ({"min_at_risk": 0}, InvalidArgumentError, "min_at_risk=0 is invalid; expected 1 or more"),
    ],
)
def test_settings(shop: custcore.CustomerBase, options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        custcore.ChurnModel(**options)
    with pytest.raises(error, match=text):
        custcore.backtest(shop, **options)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"dates": []}, InvalidArgumentError, "dates has 0 dates; at least 1 is needed"),
        ({"dates": ["2025-06-30", "2025-06-30"]}, InvalidArgumentError, "dates has 2025-06-30 twice"),
        (
            {"dates": ["2025-06-30", "2025-05-31"]},
            InvalidArgumentError,
            "dates must ascend, but 2025-05-31 comes after",
        ),
        (
            {"dates": ["2025-12-31"]},
            InvalidArgumentError,
            "known only on 2026-03-31, after the last day of the base, 2026-",
        ),
        ({"dates": ["2024-12-31"]}, NotEnoughDataError, "as of 2024-12-31 no gap between purchases ended while 30"),
        ({"dates": "2025-06-30"}, InvalidTypeError, "dates is str; expected a list of dates"),
        ({"dates": [None]}, InvalidTypeError, r"dates\[0\] is None; expected a date"),
        ({"n_dates": 0}, InvalidArgumentError, "n_dates=0 is invalid"),
        ({"horizon": 500}, NotEnoughDataError, "less than a horizon of 500 days and a day before it"),
        ({"min_at_risk": 10**6}, NotEnoughDataError, "none of 4 dates can be tested: as of "),
        ({"scores": ["churn"]}, InvalidArgumentError, "scores='churn' is invalid; expected one of 'probability'"),
        ({"scores": ["recency", "recency"]}, InvalidArgumentError, "scores has 'recency' twice"),
        ({"scores": "recency"}, InvalidTypeError, "scores='recency' is str; expected a list"),
        (
            {"among": "returning"},
            InvalidArgumentError,
            "among='returning' is invalid; expected one of 'at_stake', 'all'",
        ),
        ({"shares": [0]}, InvalidArgumentError, "shares has 0; expected shares of the customers"),
        ({"shares": [1.5]}, InvalidArgumentError, "shares has 1.5; expected"),
        ({"shares": ["a"]}, InvalidTypeError, r"shares\[0\]='a' is str; expected a number"),
        ({"thresholds": [float("nan")]}, InvalidArgumentError, "thresholds has NaN; expected finite scores"),
        (
            {"thresholds": {"overdue": [1]}, "scores": ["probability"]},
            InvalidArgumentError,
            "thresholds has 'overdue', which is not among scores",
        ),
        ({"n_dates": 2**70}, OutOfRangeError, "n_dates=1180591620717411303424 is outside"),
    ],
)
def test_arguments(shop: custcore.CustomerBase, options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        custcore.backtest(shop, **options)


def test_bases_that_do_not_serve(shop: custcore.CustomerBase) -> None:
    model = custcore.ChurnModel().fit(shop)
    totals = custcore.CustomerBase()
    totals.update(random_rows())
    for use in (custcore.ChurnModel().fit, model.score, custcore.backtest):
        with pytest.raises(StateMismatchError, match="track='days'"):
            use(totals)
        with pytest.raises(NotEnoughDataError, match="never updated"):
            use(custcore.CustomerBase(track="days"))
        with pytest.raises(InvalidTypeError, match="base is dict; expected a custcore"):
            use(random_rows())  # type: ignore[arg-type]
    empty = custcore.CustomerBase(track="days")
    empty.update(pa.table({"customer_id": [1], "timestamp": [START], "amount": [-1.0]}))
    with pytest.raises(NotEnoughDataError, match="there are 0 gaps that ended and 0 open ones"):
        custcore.ChurnModel().fit(empty)
    assert model.score(empty).num_rows == 0
    nulls = custcore.CustomerBase(track="days")
    nulls.update(pa.table({"customer_id": pa.array([None], pa.int64()), "timestamp": [START], "amount": [1.0]}))
    with pytest.raises(NotEnoughDataError, match="no rows with an id and a time"):
        custcore.backtest(nulls)
