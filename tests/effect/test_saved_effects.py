"""Effects, comparisons and curves go to workers and into files: nothing of them is lost."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import custcore
from custcore.errors import InvalidTypeError, ModelFormatError, StateMismatchError
from custcore.experiments import EffectResult, Mean, Proportion, Ratio
from tests.effect import cdnow_experiment as cdnow

DRAW = random.Random(5)
N = 400
FIRST = datetime.date(2026, 1, 1)
ORDERS = pa.table(
    {
        "customer_id": [DRAW.randrange(N) for _ in range(4000)],
        "timestamp": [FIRST + datetime.timedelta(days=DRAW.randrange(120)) for _ in range(4000)],
        "amount": [round(DRAW.expovariate(0.05), 2) for _ in range(4000)],
    }
)
GROUPS = pa.table(
    {
        "customer_id": list(range(N)),
        "group": [("control", "mail", "coupon")[i % 3] for i in range(N)],
        "exposed_on": [datetime.date(2026, 3, 1 + i % 2) for i in range(N)],
        "store": [("a", "b", None)[i * i % 7 % 3] for i in range(N)],
        "reached": [int(i % 3 > 0 and i % 5 > 0) for i in range(N)],
    }
)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {"adjust": None},
    "history": {"by": "segment", "strata": "store", "every": "7d", "received": "reached", "margin": 0.3, "cost": 50},
    "capped": {"winsorize": 0.95, "every": 14, "adjust": "own", "shares": {"control": 1, "mail": 1, "coupon": 1}},
    "caps": {"winsorize": {"revenue": 30.0}, "cost": {"fixed": 5, "per_contact": 0.2}, "margin": 1},
    "few": {"metrics": ["churned", "purchase_frequency"], "alternative": "greater", "correction": "bh", "level": 0.9},
    "looks": {"metrics": ["revenue", "orders"], "sequential": 1000, "primary": "revenue", "correction": None},
}


def effect(groups: pa.Table, **options: Any) -> EffectResult:
    return custcore.effect(ORDERS, groups, days_after=28, as_of="2026-04-30", **options)


def tables(made: EffectResult) -> list[Any]:
    """All that it says."""
    found = [made.table(), made.checks(), made.moments, made.plan_next()]
    found += [made.segments()] if made.definition["by"] else []
    found += [made.periods()] if made.definition.get("every") else []
    found += [made.received()] if made._core.table and "reached" in str(made.definition) else []
    if made._margin is not None:
        found.append(made.roi())
    return [*map(custcore.Table.to_pylist, found), made.definition, made.report, repr(made)]


@pytest.mark.parametrize("name", SETTINGS)
def test_effects_come_back(name: str, tmp_path: Path) -> None:
    made = effect(GROUPS, **SETTINGS[name])
    made.save(tmp_path / "effect.json")
    for again in (
        pickle.loads(pickle.dumps(made)),
        EffectResult.load(tmp_path / "effect.json"),
        EffectResult.from_bytes(made.to_bytes()),
        copy.copy(made),
        copy.deepcopy(made),
    ):
        assert tables(again) == tables(made)
        assert again.to_bytes() == made.to_bytes()
    deep = copy.deepcopy(made)
    deep.definition["metrics"].append("other")
    assert made.definition["metrics"] != deep.definition["metrics"]


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "capped"])
def test_saved_effects_of_disjoint_customers_merge(name: str) -> None:
    """A service saves an effect for each part of the customers and merges them: the same as of all at once."""
    # Segments are those of a scorer that is the same for both.
    scorer = custcore.RFMScorer().fit(custcore.rfm(ORDERS, as_of="2026-02-28"))
    options = {**SETTINGS[name], "scorer": scorer}
    whole = effect(GROUPS, **options)
    first, second = (
        EffectResult.from_bytes(effect(part, **options).to_bytes())
        for part in (GROUPS.slice(0, 150), GROUPS.slice(150))
    )
    merged = first.merge(second)
    assert merged.table().to_pylist() == whole.table().to_pylist()
    assert merged.moments.to_pylist() == whole.moments.to_pylist()
    assert pickle.loads(pickle.dumps(merged)).checks().to_pylist() == whole.checks().to_pylist()
    with pytest.raises(StateMismatchError, match="settings"):
        first.merge(effect(GROUPS, **options | {"level": 0.5}))


def test_caps_of_quantiles_are_part_of_an_effect() -> None:
    """Quantiles of other customers are others, so these do not merge, loaded or not."""
    one, other = (effect(part, **SETTINGS["capped"]) for part in (GROUPS.slice(0, 150), GROUPS.slice(150)))
    with pytest.raises(StateMismatchError, match="caps"):
        EffectResult.from_bytes(one.to_bytes()).merge(other)


def test_effects_of_tables_come_back() -> None:
    table = pa.table(
        {
            "group": ["control", "mail"] * 50,
            "spend": pa.array([None if i == 7 else DRAW.gauss(1e9, 3) for i in range(100)]),
            "clicks": [i % 3 for i in range(100)],
            "was_open": [i % 2 == 0 for i in range(100)],
            "kind": ['x\n"é', "y"] * 50,
        }
    )
    made = custcore.effect_of(
        table,
        [Mean("spend"), Proportion("was_open"), Ratio("clicks", "spend")],
        adjust=["clicks"],
        on_missing="drop",
        by="kind",
    )
    assert tables(pickle.loads(pickle.dumps(made))) == tables(made)


def test_golden_effects_come_back() -> None:
    made = cdnow.base().effect(cdnow.assignments(), **cdnow.WINDOW, by="segment", every=21)
    again = EffectResult.from_bytes(made.to_bytes())
    assert tables(again) == tables(made)


def test_periods_of_capped_metrics() -> None:
    """Caps are of the whole window: a period has the columns that metrics share, without caps."""
    capped, plain = (effect(GROUPS, adjust=None, every=7, winsorize=w) for w in (0.95, None))
    found, expected = (
        [(row["metric"], row["control"], row["p_value"]) for row in made.periods()] for made in (capped, plain)
    )
    assert found == expected
    assert len(found) == 32
    assert all(control is not None for _, control, _ in found)


def test_comparisons_come_back() -> None:
    treated = GROUPS.filter(pc.equal(GROUPS["group"], "mail"))
    options: list[dict[str, Any]] = [
        {"metrics": ["revenue", "orders", "active", "repeat"]},
        {"match": {"n_orders": [5, 9], "m_score": None}, "metrics": ["orders"], "baseline": "year_before"},
        {"start": "2026-03-05", "lag": 2, "exclude": [1, 2, 3], "match": {"recency_days": [0]}},
        # Nobody is like them.
        {"match": {"n_orders": None, "monetary_total": None}},
    ]
    for given in options:
        made = custcore.before_after(ORDERS, treated, days_after=28, **given)
        again = pickle.loads(pickle.dumps(made))
        for name in ("table", "balance", "placebo", "placebo_draws"):
            assert getattr(again, name)().to_pylist() == getattr(made, name)().to_pylist()
        assert (again.definition, again.report, repr(again)) == (made.definition, made.report, repr(made))
        if given.get("metrics", [""])[0] != "orders":
            assert again.roi(0.3, 10).to_pylist() == made.roi(0.3, 10).to_pylist()
        assert copy.copy(made) is copy.deepcopy(made) is made
        assert pickle.dumps(again) == pickle.dumps(made)


def test_curves_come_back() -> None:
    table = pa.table(
        {
            "score": [DRAW.randrange(60) / 7 for _ in range(500)],
            "group": pa.array([("control", "mail", None)[i % 9 % 3] for i in range(500)]),
            "revenue": [DRAW.expovariate(1) for _ in range(500)],
        }
    )
    for value in ({}, {"margin": 0.5, "cost": 0.1}):
        made = custcore.uplift_curve(table, score="score", group="group", outcome="revenue", **value)
        again = pickle.loads(pickle.dumps(made))
        assert again.table().to_pylist() == made.table().to_pylist()
        assert again.report == made.report
        assert made.report["null_group"].count > 50
        for name in ("auuc", "auuc_se", "qini", "qini_se", "best_share"):
            assert getattr(again, name) == getattr(made, name)
        assert [again.at(share / 7) for share in range(8)] == [made.at(share / 7) for share in range(8)]
        assert repr(again) == repr(made)
        assert copy.copy(made) is copy.deepcopy(made) is made


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    made = effect(GROUPS, adjust=None)
    text = made.to_bytes().decode()
    other = custcore.RFMScorer().fit(custcore.rfm(ORDERS)).to_bytes().decode()
    for broken in (text[:-9], text.replace('"n":133', '"n":134'), other, "[]"):
        assert broken != text
        with pytest.raises(ModelFormatError):
            EffectResult.from_bytes(broken.encode())
    with pytest.raises(InvalidTypeError, match="bytes"):
        EffectResult.from_bytes("text")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        EffectResult.load(tmp_path / "nothing")


@pytest.mark.parametrize("what", ["sums", "cell", "pairs", "metrics", "names", "settings", "level", "number"])
def test_a_changed_body_is_refused_even_with_its_checksum(what: str) -> None:
    import hashlib

    written = json.loads(effect(GROUPS, adjust=None).to_bytes())
    body = written["body"]
    match what:
        case "sums":
            body["moments"][0][0]["sums"].pop()
        case "cell":
            body["moments"][0][0]["cell"][0] = 3
        case "pairs":
            body["sets"][0]["pairs"][0][1] = 99
        case "metrics":
            body["metrics"][0]["numerator"] = 99
        case "names":
            body["groups"] = ["control"]
        case "settings":
            body["settings"] = '{"definition": {}, "margin": null, "cost": null, "remarks": []}'
        case "level":
            body["spec"]["level"] = 2.0
        case "number":
            body["moments"][0][0]["sums"][0] = "many"
    text = json.dumps(body)
    written["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    del written["body"]
    data = json.dumps(written)[:-1] + f', "body": {text}}}'
    with pytest.raises(ModelFormatError):
        EffectResult.from_bytes(data.encode())


def test_the_check_before_knows_what_is_adjusted() -> None:
    """Groups that differed before: the plain effect should be adjusted, an adjusted one is."""
    spent = custcore.rfm(ORDERS, as_of="2026-02-28")
    best = {row["customer_id"] for row in spent if row["monetary_total"] > 200}
    names = ["mail" if i in best else "control" for i in range(N)]
    groups = GROUPS.set_column(1, "group", pa.array(names))
    for adjust, words in (
        (None, "differed before; use adjust"),
        ("own", "differed before; the effect is adjusted for it"),
    ):
        checks = effect(groups, adjust=adjust, metrics=["revenue"]).checks()
        (row,) = [row for row in checks if row["check"] == "before"]
        assert row["flagged"]
        assert row["message"] == words
