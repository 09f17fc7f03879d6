"""Churn models and back-tests equal the slow reference, and know nothing of the rows after a date."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from custcore.errors import NotEnoughDataError
from tests.reference.churn import Model, Purchases, auc, average_precision, backtest_reference

Row = tuple[str, date, float]

START = date(2024, 1, 1)
# Few customers and days: equal scores are the rule.
IDS = st.sampled_from(["b", "a", "ab", "", "ä", "z", "c", "d", "e", "f", "g", "h"])
DAYS = st.integers(0, 40).map(lambda n: START + timedelta(days=n))
AMOUNTS = st.sampled_from([5.0, 7.5, 0.0, -5.0])
ROWS = st.lists(st.tuples(IDS, DAYS, AMOUNTS), min_size=1, max_size=80)
SETTINGS = st.fixed_dictionaries(
    {
        "horizon": st.integers(1, 12),
        "strata": st.sampled_from([(1,), (1, 2), (1, 2, 3), (1, 3, 5)]),
        "min_at_risk": st.integers(1, 4),
    }
)
SCORES = st.lists(st.sampled_from(["probability", "recency", "overdue"]), unique=True)


def table(rows: list[Row]) -> pa.Table:
    ids, days, amounts = ([row[i] for row in rows] for i in range(3))
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "timestamp": pa.array(days, pa.date32()),
            "amount": pa.array(amounts, pa.float64()),
        }
    )


def base_of(rows: list[Row], size: int = 100, **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(**{"track": "days"} | options)
    for at in range(0, len(rows), size):
        base.update(table(rows[at : at + size]))
    return base


def purchases(rows: list[Row]) -> Purchases:
    """Refunds are no purchases."""
    days: dict[str, set[date]] = {}
    for who, day, amount in rows:
        if amount >= 0:
            days.setdefault(who, set()).add(day)
    return {who: sorted(days[who]) for who in sorted(days, key=str.encode)}


def tables(found: custcore.Backtest) -> list[list[dict[str, Any]]]:
    return [part.to_pylist() for part in (found.summary(), found.thresholds(), found.calibration())]


def close(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert list(row) == list(wanted)
        for name, value in wanted.items():
            is_close = isinstance(value, float) and row[name] == pytest.approx(value, rel=1e-9, abs=1e-9)
            assert is_close or row[name] == value, (name, row, wanted)


@given(ROWS, SETTINGS, DAYS, st.integers(1, 80), st.sampled_from([1, 3]))
def test_scores_equal_the_reference(
    rows: list[Row], settings: dict[str, Any], day: date, size: int, n_threads: int
) -> None:
    model = Model(purchases(rows), day, **settings)
    base = base_of(rows, size)
    if model.pooled.horizon is None:
        with pytest.raises(NotEnoughDataError, match="min_at_risk"):
            custcore.ChurnModel(**settings).fit(base, day, n_threads=n_threads)
        return
    fitted = custcore.ChurnModel(**settings).fit(base, day, n_threads=n_threads)
    found = fitted.score(base, day, n_threads=n_threads)
    assert found.column_names == ["customer_id", "gap_days", "n_days", "stratum", "churn_probability"]
    scores = model.scores()
    assert [row[:4] for row in found.rows()] == [row[:4] for row in scores]
    assert [row[4] for row in found.rows()] == pytest.approx([row[4] for row in scores], abs=1e-9)
    pooled = [least for least, own in model.curves.items() if own.horizon is None]
    strata = fitted.strata_.to_pylist()
    assert [row["stratum"] for row in strata if row["is_pooled"]] == pooled
    assert any("have the probability of all customers" in remark for remark in found.report.remarks) == bool(pooled)
    assert fitted.loss_days_ == model.pooled.window(Fraction(95, 100))
    assert custcore.ChurnModel.from_bytes(fitted.to_bytes()) == fitted


@given(
    ROWS,
    SETTINGS,
    st.lists(st.integers(0, 40), min_size=1, max_size=3, unique=True).map(sorted),
    SCORES,
    st.sampled_from(["at_stake", "all"]),
    st.integers(1, 80),
    st.sampled_from([1, 3]),
)
def test_backtests_equal_the_reference(
    rows: list[Row],
    settings: dict[str, Any],
    back: list[int],
    scores: list[str],
    among: str,
    size: int,
    n_threads: int,
) -> None:
    last = max(day for _, day, _ in rows)
    dates = [last - timedelta(days=settings["horizon"] + n) for n in reversed(back)]
    shares = [Fraction(1, 10), Fraction(3, 10), Fraction(1, 2), Fraction(1)]
    options: dict[str, Any] = {"scores": scores, "among": among} | settings
    expected = backtest_reference(purchases(rows), dates, shares=shares, **options)
    base = base_of(rows, size)
    given_: dict[str, Any] = options | {"dates": dates, "shares": [float(share) for share in shares]}
    if expected is None:
        with pytest.raises(NotEnoughDataError, match="min_at_risk"):
            custcore.backtest(base, **given_, n_threads=n_threads)
        return
    for found, wanted in zip(tables(custcore.backtest(base, **given_, n_threads=n_threads)), expected, strict=True):
        close(found, wanted)


def scored(base: custcore.CustomerBase, day: date, settings: dict[str, Any]) -> Any:
    """Everything that is known on a day: the model, the scores, and what a back-test has of scores."""
    try:
        model = custcore.ChurnModel(**settings).fit(base, day)
    except NotEnoughDataError as error:
        return str(error)
    test = custcore.backtest(base, dates=[day], shares=[0.1, 0.5, 1.0], **settings)
    return (
        model.to_bytes(),
        model.score(base, day).to_pylist(),
        [(row["score"], row["customers"]) for row in test.summary().to_pylist()],
        [(row["score"], row["threshold"], row["flagged"]) for row in test.thresholds().to_pylist()],
        [(row["customers"], row["predicted"]) for row in test.calibration().to_pylist()],
    )


@given(ROWS, ROWS, ROWS, SETTINGS, st.integers(0, 40).map(lambda n: START + timedelta(days=n)))
def test_rows_after_the_date_change_no_score(
    rows: list[Row], after: list[Row], other: list[Row], settings: dict[str, Any], day: date
) -> None:
    before = [row for row in rows if row[1] <= day]
    # Both end on one day, so that the label is known, and both begin with somebody.
    end = ("late", day + timedelta(days=60), 1.0)
    before.append(("early", START, 1.0))
    one, two = (
        [(who, max(when, day + timedelta(days=1)), amount) for who, when, amount in part] for part in (after, other)
    )
    seen = scored(base_of([*before, *one, end]), day, settings)
    assert scored(base_of([*before, *two, end]), day, settings) == seen
    assert scored(base_of([*before, end]), day, settings) == seen


LINES = st.lists(st.tuples(IDS, DAYS, AMOUNTS, st.integers(0, 5)), min_size=1, max_size=60)


@given(LINES, LINES, SETTINGS, DAYS)
def test_lines_after_the_date_change_no_score(
    lines: list[tuple[Any, ...]], after: list[tuple[Any, ...]], settings: dict[str, Any], day: date
) -> None:
    """Also not those that turn an order of an earlier day into a refund."""

    def base(lines: list[tuple[Any, ...]]) -> custcore.CustomerBase:
        made = custcore.CustomerBase(track="orders", order_id="order")
        orders = pa.array([line[3] for line in lines], pa.int64())
        made.update(table([line[:3] for line in lines]).append_column("order", orders))
        return made

    before = [("early", START, 1.0, 7), *(line for line in lines if line[1] <= day)]
    later = [(who, max(when, day + timedelta(days=1)), amount, order) for who, when, amount, order in after]
    end = ("late", day + timedelta(days=60), 1.0, 9)
    assert scored(base([*before, *later, end]), day, settings) == scored(base([*before, end]), day, settings)


@given(ROWS, SETTINGS, st.integers(1, 30), st.randoms(use_true_random=False), st.sampled_from(["at_stake", "all"]))
def test_order_updates_threads_merges_and_disk_do_not_matter(
    rows: list[Row], settings: dict[str, Any], size: int, chance: random.Random, among: str
) -> None:
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    half = len(rows) // 2
    merged = base_of(shuffled[:half] or rows)
    if half:
        merged.merge(base_of(shuffled[half:]))
    bases = [
        base_of(shuffled, size),
        merged,
        base_of(shuffled, size, max_memory="1MiB"),
    ]
    outcomes = []
    for base, n_threads in zip([base_of(rows), *bases], (1, 2, 3, 1), strict=True):
        try:
            model = custcore.ChurnModel(**settings).fit(base, n_threads=n_threads)
            test = custcore.backtest(base, n_dates=2, among=among, **settings, n_threads=n_threads)
        except NotEnoughDataError as error:
            outcomes.append(str(error))
            continue
        scores = model.score(base, n_threads=n_threads)
        outcomes.append((model.to_bytes(), scores.to_pylist(), tables(test), list(test.report.remarks)))
    assert all(outcome == outcomes[0] for outcome in outcomes[1:])


@given(ROWS, SETTINGS, st.integers(1, 80), st.sampled_from(["at_stake", "all"]))
def test_open_orders_of_one_line_are_as_rows(
    rows: list[Row], settings: dict[str, Any], size: int, among: Literal["at_stake", "all"]
) -> None:
    """A base whose orders may get more lines is looked at as of each date; the results are those of one pass."""
    orders = custcore.CustomerBase(track="orders", order_id="order")
    data = table(rows).append_column("order", pa.array(range(len(rows))))
    for at in range(0, len(rows), size):
        orders.update(data.slice(at, size))
    outcomes = []
    for base in (base_of(rows), orders):
        try:
            model = custcore.ChurnModel(**settings).fit(base)
            test = custcore.backtest(base, n_dates=3, among=among, **settings)
        except NotEnoughDataError as error:
            outcomes.append(str(error))
            continue
        early = model.score(base, START + timedelta(days=20)).to_pylist()
        outcomes.append((model.to_bytes(), model.score(base).to_pylist(), early, tables(test)))
    assert outcomes[0] == outcomes[1]


@given(st.lists(st.tuples(st.integers(0, 12).map(lambda n: n / 8), st.booleans()), min_size=2, max_size=40))
def test_the_reference_measures_as_scikit_learn(labelled: list[tuple[float, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = [score for score, _ in labelled], [label for _, label in labelled]
    if any(labels) and not all(labels):
        assert auc(labelled) == pytest.approx(metrics.roc_auc_score(labels, scores))
    if any(labels):
        assert average_precision(labelled) == pytest.approx(metrics.average_precision_score(labels, scores))
