"""Experiments, campaigns and funnels of pandas and polars give what the functions give of Arrow."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest

import custcore
from custcore.experiments import EffectResult, Mean

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

import custcore.pandas  # noqa: E402
import custcore.polars  # noqa: E402

N = 200
DRAW = random.Random(3)
FIRST = datetime.date(2026, 1, 1)
# Ids of another name than usual, so that a column that is not passed on is missing.
NAMES: dict[str, Any] = {"customer_id": "who", "timestamp": "at", "amount": "paid"}
ORDERS = {
    "who": [DRAW.randrange(N) for _ in range(1500)],
    "at": [FIRST + datetime.timedelta(days=DRAW.randrange(120)) for _ in range(1500)],
    "paid": [DRAW.randrange(100, 9000) / 100 for _ in range(1500)],
    "note": ["not read"] * 1500,
}
GROUPS = {
    "who": list(range(N)),
    "arm": ["control" if i % 2 else "mail" for i in range(N)],
    "on": [datetime.date(2026, 3, 1 + i % 3) for i in range(N)],
    "region": ["north" if i % 5 < 2 else "south" for i in range(N)],
    "got": [int(i % 2 == 0 and i % 3 > 0) for i in range(N)],
    "visits": [i * 7 % 11 for i in range(N)],
}
EFFECT: dict[str, Any] = {
    "group": "arm",
    "exposed_on": "on",
    "days_after": 28,
    "strata": "region",
    "by": "segment",
    "received": "got",
    "adjust": ["visits"],
}
LIBRARIES = (
    (custcore.pandas, pd.DataFrame),
    (custcore.polars, pl.DataFrame),
    (custcore.polars, lambda columns: pl.DataFrame(columns).lazy()),
)


def with_gaps(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns with a row whose id is missing: pandas makes the ids floats."""
    return {name: [*values, None if name == "who" else values[0]] for name, values in columns.items()}


def same(found: custcore.Table, expected: custcore.Table) -> None:
    assert found.column_names == expected.column_names
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(("module", "frame"), LIBRARIES)
def test_effects(module: Any, frame: Any) -> None:
    expected = custcore.effect(pa.table(ORDERS), pa.table(GROUPS), **NAMES, **EFFECT)
    assert len(expected.segments()) > 5
    for made in (
        frame(ORDERS).custcore.effect(frame(GROUPS), **NAMES, **EFFECT, others=[frame(GROUPS)]),
        module.effect(frame(ORDERS), pa.table(GROUPS), **NAMES, **EFFECT, others=[frame(GROUPS)]),
    ):
        assert isinstance(made, EffectResult)
        same(made.table(), expected.table())
        same(made.received(), expected.received())
        (overlap,) = [row for row in made.checks() if row["check"] == "overlap"]
        assert overlap["value"] == 1.0
    start = {**EFFECT, "start": "2026-03-01", "by": None, "strata": "rfm_cell"}
    del start["exposed_on"]
    columns = {name: values for name, values in GROUPS.items() if name != "on"}
    made = frame(ORDERS).custcore.effect(frame(columns), **NAMES, **start)
    same(made.table(), custcore.effect(pa.table(ORDERS), pa.table(columns), **NAMES, **start).table())


@pytest.mark.parametrize(("module", "frame"), LIBRARIES)
def test_effects_of_a_table_of_customers(module: Any, frame: Any) -> None:
    metrics = [Mean("visits"), custcore.experiments.Ratio("got", "visits")]
    options: dict[str, Any] = {"group": "arm", "strata": "region", "by": "region", "received": "got", "margin": 0.5}
    expected = custcore.effect_of(pa.table(GROUPS), metrics, **options)
    for made in (
        frame(GROUPS).custcore.effect_of(metrics, **options),
        module.effect_of(frame(GROUPS), metrics, **options),
    ):
        same(made.table(), expected.table())
        same(made.roi(cost=10, metric="visits"), expected.roi(cost=10, metric="visits"))
        assert isinstance(made.table().to_pandas(), pd.DataFrame)
        assert made.table().to_polars()["effect"].to_list() == expected.table()["effect"].to_pylist()


@pytest.mark.parametrize(("module", "frame"), LIBRARIES)
def test_before_and_after(module: Any, frame: Any) -> None:
    treated = {name: values[::4] for name, values in GROUPS.items() if name in {"who", "on"}}
    options: dict[str, Any] = {"days_after": 28, "exposed_on": "on", "match": {"n_orders": [3, 6, 9]}}
    others = {"who": [1, 3, 5]}
    expected = custcore.before_after(pa.table(ORDERS), pa.table(treated), **NAMES, **options, exclude=[1, 3, 5])
    assert expected.table()["controls"].to_pylist()[-1] > 20
    for made in (
        frame(ORDERS).custcore.before_after(frame(treated), **NAMES, **options, exclude=frame(others)),
        module.before_after(frame(ORDERS), frame(treated), **NAMES, **options, exclude=[1, 3, 5]),
    ):
        assert isinstance(made, custcore.BeforeAfter)
        same(made.table(), expected.table())
        same(made.placebo_draws(20), expected.placebo_draws(20))


@pytest.mark.parametrize(("module", "frame"), LIBRARIES)
def test_uplift_curves(module: Any, frame: Any) -> None:
    options: dict[str, Any] = {"score": "visits", "group": "arm", "outcome": "got", "margin": 2.0, "cost": 0.1}
    expected = custcore.uplift_curve(pa.table(GROUPS), **options)
    for made in (frame(GROUPS).custcore.uplift_curve(**options), module.uplift_curve(frame(GROUPS), **options)):
        same(made.table(), expected.table())
        assert (made.qini, made.best_share) == (expected.qini, expected.best_share)


@pytest.mark.parametrize(("module", "frame"), LIBRARIES)
def test_funnels(module: Any, frame: Any) -> None:
    events = {
        "who": ORDERS["who"],
        "at": ORDERS["at"],
        "step": [("view", "cart", "order")[i % 3] for i in range(1500)],
        "channel": [("web", None, "app")[i % 4 % 3] for i in range(1500)],
    }
    options: dict[str, Any] = {"customer_id": "who", "timestamp": "at", "event": "step", "by": "channel"}
    steps = (["view", "cart", "order"], "20d")
    expected = custcore.funnel(pa.table(events), *steps, **options)
    for made in (frame(events).custcore.funnel(*steps, **options), module.funnel(frame(events), *steps, **options)):
        assert isinstance(made, pd.DataFrame | pl.DataFrame)
        assert list(made.columns) == expected.column_names
        assert list(made["customers"]) == expected["customers"].to_pylist()
        assert [name for name in made["channel"] if isinstance(name, str)] == [*["app"] * 3, *["web"] * 3]


def test_float_ids_of_all_frames_are_read_as_integers() -> None:
    orders, groups = pd.DataFrame(with_gaps(ORDERS)), pd.DataFrame(with_gaps(GROUPS))
    assert orders["who"].dtype == groups["who"].dtype == "float64"
    plain = custcore.effect(pa.table(ORDERS), pa.table(GROUPS), **NAMES, **EFFECT)
    made = orders.custcore.effect(groups, **NAMES, **EFFECT, others=[groups])
    same(made.table(), plain.table())
    assert made.report["null_id"].count == 1
    remarks = [text for text in made.report.remarks if "float ids read as integers, 1 NaN as null" in text]
    assert remarks == [f"column 'who': {n:,} float ids read as integers, 1 NaN as null" for n in (1500, N)]
    days = {"days_after": 28, "exposed_on": "on"}
    compared = orders.custcore.before_after(groups[groups["arm"] == "mail"], **NAMES, **days)
    assert sum("float ids" in text for text in compared.report.remarks) == 2
    assert compared.table()["treated"].to_pylist()[0] == N // 2


def test_errors_name_the_column() -> None:
    orders, groups = pd.DataFrame(ORDERS), pd.DataFrame(GROUPS)
    with pytest.raises(custcore.errors.ColumnNotFoundError, match=r"'arms'.*'arm'"):
        orders.custcore.effect(groups, **NAMES, **{**EFFECT, "group": "arms"})
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="index of the frame"):
        orders.custcore.effect(groups.set_index("who"), **NAMES, **EFFECT)
    with pytest.raises(custcore.errors.InvalidTypeError, match="adjust"):
        orders.custcore.effect(groups, **NAMES, **{**EFFECT, "adjust": 5})
    with pytest.raises(custcore.errors.InvalidTypeError, match="customer_id"):
        orders.custcore.before_after(groups, customer_id=5, days_after=3)
    with pytest.raises(custcore.errors.InvalidTypeError, match="score"):
        groups.custcore.uplift_curve(score=["a"], group="arm", outcome="got")
    with pytest.raises(TypeError, match="days_after"):
        orders.custcore.effect(groups, day_after=3)
