"""Moves between segments equal those of frozen edges with scipy's test (golden/effect), and a slow reference."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import custcore
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotEnoughDataError, StateMismatchError
from tests.effect.cdnow_experiment import WINDOW, assignments, base, results

START = date(2024, 1, 31)
DAY = timedelta(days=1)


def test_moves_of_the_experiment():
    golden = results("tracking")
    found = base().track_segments(assignments(), custcore.RFMScorer(), **WINDOW).to_pylist()
    own = {(row["group"], row["from_segment"], row["to_segment"]): row for row in found}
    wanted = {(row["group"], row["from_segment"], row["to_segment"]): row for row in golden["rows"]}
    assert set(own) == set(wanted)
    for key, row in wanted.items():
        for name in ("customers", "control_customers"):
            assert own[key][name] == row[name], key
        for name in ("share", "control_share", "difference", "low", "high"):
            assert own[key][name] == pytest.approx(row[name], rel=1e-9, abs=1e-13), key
    tests = {(row["group"], row["from_segment"]): row for row in golden["tests"]}
    assert tests
    for key, row in own.items():
        test = tests.get(key[:2])
        if test is None:
            assert row["p_value"] is None, key
            continue
        assert row["df"] == test["df"]
        assert row["chi2"] == pytest.approx(test["chi2"], rel=1e-10)
        assert row["p_value"] == pytest.approx(test["p_value"], rel=1e-10)


@pytest.fixture(scope="module")
def random_base() -> custcore.CustomerBase:
    rng = np.random.default_rng(3)
    made = custcore.CustomerBase(track="days")
    made.update(
        pa.table(
            {
                "customer_id": rng.integers(0, 400, 3_000),
                "timestamp": pa.array([START + int(day) * DAY for day in rng.integers(0, 200, 3_000)]),
                "amount": rng.integers(1, 90, 3_000).astype(float),
            }
        )
    )
    return made


def experiment() -> pa.Table:
    """Two days of exposure; customers 400 to 409 are unknown to the base."""
    rng = np.random.default_rng(4)
    groups = np.array(["control", "mail", "call"])[rng.integers(0, 3, 410)]
    days = [START + (100 if at % 3 else 110) * DAY for at in range(410)]
    return pa.table({"customer_id": range(410), "group": groups, "exposed_on": days})


def segments(base: custcore.CustomerBase, scorer: custcore.RFMScorer, day: date) -> dict[int, str]:
    scored = scorer.transform(base.rfm(day))
    return dict(zip(scored["customer_id"].to_pylist(), scored["segment"].to_pylist(), strict=True))


def test_moves_equal_the_reference(random_base: custcore.CustomerBase):
    scorer = custcore.RFMScorer().fit(random_base.rfm(START + 99 * DAY))
    counts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in ("control", "mail", "call")}
    for row in experiment().to_pylist():
        before = segments(random_base, scorer, row["exposed_on"] - DAY).get(row["customer_id"], "none")
        after = segments(random_base, scorer, row["exposed_on"] + (3 + 60 - 1) * DAY).get(row["customer_id"], "none")
        counts[row["group"]][before, after] += 1
    found = random_base.track_segments(experiment(), custcore.RFMScorer(), days_after=60, lag=3).to_pylist()
    seen = 0
    for row in found:
        group, start, end = row["group"], row["from_segment"], row["to_segment"]
        arms = [{to: n for (before, to), n in counts[name].items() if before == start} for name in (group, "control")]
        assert [row["customers"], row["control_customers"]] == [arm.get(end, 0) for arm in arms]
        assert row["share"] == pytest.approx(arms[0].get(end, 0) / sum(arms[0].values()))
        ends = sorted({*arms[0], *arms[1]})
        if len(ends) > 1:
            test = stats.chi2_contingency([[arm.get(to, 0) for to in ends] for arm in arms], correction=False)
            assert (row["chi2"], row["p_value"]) == (pytest.approx(test.statistic), pytest.approx(test.pvalue))
            assert row["df"] == test.dof
        seen += row["customers"]
    assert seen == sum(sum(counts[name].values()) for name in ("mail", "call"))
    watched = random_base.track_segments(
        experiment(), scorer, days_after=60, lag=3, target=["champions", "loyal_customers"], n_threads=3
    ).to_pylist()
    for row in watched:
        inside = [other for other in found if all(other[name] == row[name] for name in ("group", "from_segment"))]
        assert row["to_segment"] == "in target"
        assert row["customers"] == sum(
            other["customers"] for other in inside if other["to_segment"] in {"champions", "loyal_customers"}
        )
        assert row["p_value"] == inside[0]["p_value"]


def test_later_rows_change_no_first_segment(random_base: custcore.CustomerBase):
    first = random_base.track_segments(experiment(), custcore.RFMScorer(), days_after=30)
    more = random_base.copy() if hasattr(random_base, "copy") else random_base
    days = [START + (110 + at % 60) * DAY for at in range(300)]
    more.update(pa.table({"customer_id": range(300), "timestamp": days, "amount": [1_000.0] * 300}))
    second = more.track_segments(experiment(), custcore.RFMScorer(), days_after=30)

    def before(table: custcore.Table) -> Counter[tuple[str, str]]:
        counted: Counter[tuple[str, str]] = Counter()
        for row in table.to_pylist():
            counted[row["group"], row["from_segment"]] += row["customers"]
        return counted

    assert before(first) == before(second)
    assert first.to_pylist() != second.to_pylist()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"control": "none"}, InvalidArgumentError, "has the groups 'call', 'control', 'mail'; expected 'none'"),
        ({"target": ["best"]}, InvalidArgumentError, "target has the segment 'best'; expected 'hibernating'"),
        ({"target": []}, InvalidArgumentError, "target is empty"),
        ({"days_after": 0}, InvalidArgumentError, "days_after=0; expected whole days"),
        ({"days_after": 5_000}, NotEnoughDataError, "no customer is left"),
        ({"scorer": "rf10"}, InvalidTypeError, "scorer is str; expected an RFMScorer"),
        ({"scorer": custcore.RFMScorer(segments=None)}, InvalidArgumentError, "the scorer has no segments"),
    ],
)
def test_bad_input(random_base: custcore.CustomerBase, options: dict[str, Any], error: type[Exception], words: str):
    given = {"scorer": custcore.RFMScorer(), "days_after": 30, **options}
    with pytest.raises(error, match=words):
        random_base.track_segments(experiment(), **given)


def test_a_base_of_totals():
    totals = custcore.CustomerBase()
    totals.update(pa.table({"customer_id": [1], "timestamp": [START + 200 * DAY], "amount": [1.0]}))
    with pytest.raises(StateMismatchError):
        totals.track_segments(experiment(), custcore.RFMScorer(), days_after=1)
