"""Laws of experiments: what must not change a result, and what results must add up."""

from __future__ import annotations

import datetime as dt
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings

import custcore
from custcore.experiments import Mean, Proportion, Ratio

START = dt.date(2026, 3, 1)
METRICS = ("revenue", "orders", "active", "repeat", "churned", "repurchase_rate", "average_order_value")
WINDOW: dict[str, Any] = {"days_after": 10, "days_before": 15, "lag": 1, "gap": 2}


@st.composite
def purchases(draw: st.DrawFn) -> list[tuple[int, dt.date, float]]:
    """Rows of a few customers around the day of exposure, refunds included."""
    row = st.tuples(
        st.integers(0, 14),
        st.integers(-40, 25).map(lambda days: START + dt.timedelta(days)),
        st.integers(-300, 2000).map(lambda cents: cents / 100),
    )
    return draw(st.lists(row, min_size=30, max_size=120))


@st.composite
def experiments(draw: st.DrawFn) -> list[tuple[int, str, dt.date]]:
    """A group and a day of exposure for most customers, some of whom are unknown."""
    ids = draw(st.lists(st.integers(0, 17), min_size=12, max_size=18, unique=True))
    groups = draw(st.lists(st.sampled_from(["control", "mail", "sms"]), min_size=len(ids), max_size=len(ids)))
    groups[:4] = ["control", "control", "mail", "mail"]
    days = draw(st.lists(st.integers(0, 3), min_size=len(ids), max_size=len(ids)))
    return [(i, group, START + dt.timedelta(day)) for i, group, day in zip(ids, groups, days, strict=True)]


def table(rows: list[tuple[int, dt.date, float]]) -> pa.Table:
    ids, days, amounts = zip(*rows, strict=True)
    return pa.table({"customer_id": pa.array(ids, pa.int64()), "timestamp": pa.array(days), "amount": amounts})


def groups_of(rows: list[tuple[int, str, dt.date]]) -> pa.Table:
    ids, groups, days = zip(*rows, strict=True)
    return pa.table({"customer_id": pa.array(ids, pa.int64()), "group": groups, "exposed_on": pa.array(days)})


def base_of(rows: list[tuple[int, dt.date, float]], **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(track="days", **options)
    # The last day is the same whatever the rows are.
    base.update(table([*rows, (99, START + dt.timedelta(40), 1.0)]))
    return base


def tables(result: Any) -> list[list[dict[str, Any]]]:
    return [
        list(result.table()),
        list(result.segments()),
        list(result.periods()),
        list(result.checks()),
        list(result.moments),
    ]


def effect(base: custcore.CustomerBase, experiment: pa.Table, **more: Any) -> Any:
    options: dict[str, Any] = {"metrics": METRICS, "by": "segment", "every": 5, "strata": "segment", "min_stratum": 2}
    return base.effect(experiment, **WINDOW, **options, **more)


@settings(max_examples=25, deadline=None)
@given(purchases(), experiments(), st.integers(0, 2**32))
def test_order_of_rows_batches_and_threads_do_not_matter(
    rows: list[tuple[int, dt.date, float]], experiment: list[tuple[int, str, dt.date]], seed: int
) -> None:
    if not any(day < START and amount >= 0 for _, day, amount in rows):
        return
    found = tables(effect(base_of(rows), groups_of(experiment)))
    shuffled, others = rows[:], experiment[:]
    random.Random(seed).shuffle(shuffled)
    random.Random(seed + 1).shuffle(others)
    base = custcore.CustomerBase(track="days")
    for at in range(0, len(shuffled), 7):
        base.update(table(shuffled[at : at + 7]))
    base.update(table([(99, START + dt.timedelta(40), 1.0)]))
    assert tables(effect(base, groups_of(others), n_threads=1)) == found
    texts = groups_of(experiment)
    encoded = texts.set_column(1, "group", texts["group"].dictionary_encode())
    assert tables(effect(base, encoded)) == found


@settings(max_examples=25, deadline=None)
@given(purchases(), experiments())
def test_one_shot_base_and_table_agree(
    rows: list[tuple[int, dt.date, float]], experiment: list[tuple[int, str, dt.date]]
) -> None:
    base, groups = base_of(rows), groups_of(experiment)
    of_base = list(base.effect(groups, **WINDOW, metrics=METRICS).table())
    one_shot = custcore.effect(table([*rows, (99, START + dt.timedelta(40), 1.0)]), groups, **WINDOW, metrics=METRICS)
    assert list(one_shot.table()) == of_base
    made = (
        base.experiment_table(groups, **WINDOW, scorer=custcore.RFMScorer())
        if any(day < START and amount >= 0 for _, day, amount in rows)
        else None
    )
    if made is not None:
        assert list(custcore.effect_of(made, METRICS, adjust="history").table()) == of_base


@settings(max_examples=25, deadline=None)
@given(purchases(), experiments(), purchases())
def test_later_rows_change_neither_strata_nor_adjustment(
    rows: list[tuple[int, dt.date, float]],
    experiment: list[tuple[int, str, dt.date]],
    more: list[tuple[int, dt.date, float]],
) -> None:
    if not any(day < START and amount >= 0 for _, day, amount in rows):
        return
    groups = groups_of([(i, group, START) for i, group, _ in experiment])
    before = base_of(rows).experiment_table(groups, **WINDOW).to_pyarrow()
    later = [(i, day, amount) for i, day, amount in more if day >= START]
    after = base_of(rows + later).experiment_table(groups, **WINDOW).to_pyarrow()
    names = ["orders_before", "revenue_before", "n_orders", "monetary_total", "recency_days", "segment", "rfm_cell"]
    assert before.select(names).to_pydict() == after.select(names).to_pydict()
    # Rows after the windows change nothing at all.
    beyond = [(i, day + dt.timedelta(60), amount) for i, day, amount in more if day >= START]
    day = START + dt.timedelta(40)
    assert list(base_of(rows + beyond).effect(groups, **WINDOW, as_of=day).table()) == list(
        base_of(rows).effect(groups, **WINDOW, as_of=day).table()
    )


@settings(max_examples=25, deadline=None)
@given(purchases(), experiments(), st.integers(1, 11))
def test_results_of_disjoint_customers_add_up(
    rows: list[tuple[int, dt.date, float]], experiment: list[tuple[int, str, dt.date]], cut: int
) -> None:
    base = base_of(rows)
    parts = [experiment[:cut], experiment[cut:]]
    both = [{group for _, group, _ in part} for part in parts]
    if any("control" not in groups or len(groups) < 2 for groups in both):
        return
    options: dict[str, Any] = {"metrics": METRICS, "every": 5}
    whole = base.effect(groups_of(experiment), **WINDOW, **options)
    first, second = (base.effect(groups_of(part), **WINDOW, **options) for part in parts)
    for merged in (first.merge(second), second.merge(first)):
        assert list(merged.table()) == list(whole.table())
        assert list(merged.periods()) == list(whole.periods())
        assert list(merged.moments) == list(whole.moments)
        assert merged.report.n_rows == whole.report.n_rows


@settings(max_examples=40, deadline=None)
@given(purchases(), experiments())
def test_windows_are_those_of_plain_python(
    rows: list[tuple[int, dt.date, float]], experiment: list[tuple[int, str, dt.date]]
) -> None:
    made = (
        base_of(rows).experiment_table(groups_of(experiment), **WINDOW, scorer=None)
        if any(day < START and amount >= 0 for _, day, amount in rows)
        else None
    )
    if made is None:
        return
    for row, (customer, group, day) in zip(made, sorted(experiment), strict=True):
        assert (row["customer_id"], row["group"], row["exposed_on"]) == (customer, group, day)
        own = [(when, round(amount * 100)) for i, when, amount in rows if i == customer]
        after = [cents for when, cents in own if 1 <= (when - day).days < 11]
        before = [cents for when, cents in own if -17 <= (when - day).days < -2]
        known = [(when, cents) for when, cents in own if when < day]
        bought = [when for when, cents in known if cents >= 0]
        assert row["orders_after"] == sum(cents >= 0 for cents in after)
        assert row["orders_before"] == sum(cents >= 0 for cents in before)
        assert round(row["revenue_after"] * 100) == sum(after)
        assert round(row["revenue_before"] * 100) == sum(before)
        assert row["n_orders"] == len(bought)
        assert round(row["monetary_total"] * 100) == sum(cents for _, cents in known)
        assert row["recency_days"] == ((day - max(bought)).days - 1 if bought else None)
        assert row["churned"] == (None if not row["orders_before"] else row["orders_after"] == 0)


def test_orders_with_later_lines_count_as_known_before_exposure() -> None:
    """A line after exposure changes the money of an order of before, but not what was known before."""
    base = custcore.CustomerBase(track="orders", order_id="order_id")
    days = [START - dt.timedelta(3), START + dt.timedelta(2), START + dt.timedelta(30)]
    rows = {"customer_id": [1, 1, 2], "order_id": [7, 7, 8], "timestamp": days, "amount": [5.0, 4.0, 1.0]}
    base.update(pa.table(rows))
    groups = pa.table({"customer_id": [1, 2], "group": ["control", "mail"]})
    made = base.experiment_table(groups, days_after=10, start=START)
    assert (made[0]["n_orders"], made[0]["monetary_total"], made[0]["revenue_before"]) == (1, 5.0, 5.0)


@pytest.mark.parametrize("kind", ["strings", "uuid", "two columns"])
def test_ids_of_any_kind(kind: str) -> None:
    rows = [(i % 6, START + dt.timedelta(i % 30 - 15), float(i)) for i in range(60)]
    plain = base_of(rows).effect(groups_of([(i, "control" if i % 2 else "mail", START) for i in range(6)]), **WINDOW)
    purchases = table([*rows, (99, START + dt.timedelta(40), 1.0)])
    groups = groups_of([(i, "control" if i % 2 else "mail", START) for i in range(6)])
    text = "00000000-0000-0000-0000-00000000000{}" if kind == "uuid" else "c{}"
    key: Any = ["shop", "number"] if kind == "two columns" else "customer_id"

    def add(data: pa.Table) -> pa.Table:
        if kind == "two columns":
            names = ["number", *data.column_names[1:], "shop"]
            return data.append_column("shop", pa.array(["a"] * len(data))).rename_columns(names)
        ids = [text.format(i) for i in data["customer_id"].to_pylist()]
        return data.set_column(0, "customer_id", pa.array(ids))

    base = custcore.CustomerBase(track="days", customer_id=key)
    base.update(add(purchases))
    assert list(base.effect(add(groups), **WINDOW).table()) == list(plain.table())


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_own_columns_of_any_size(data: st.DataObject) -> None:
    """Means, proportions and ratios of floats, integers and decimals, against sums in fractions."""
    n = data.draw(st.integers(6, 40))
    value = st.one_of(
        st.integers(-(10**6), 10**6).map(lambda cents: cents / 100), st.floats(-1e9, 1e9), st.floats(-1e-3, 1e-3)
    )
    values = data.draw(st.lists(value, min_size=n, max_size=n))
    counts = data.draw(st.lists(st.integers(0, 2**40), min_size=n, max_size=n))
    flags = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    groups = ["a" if i % 2 else "control" for i in range(n)]
    rows = pa.table({"group": groups, "value": values, "count": counts, "flag": flags})
    metrics = [Mean("value"), Mean("count"), Proportion("flag"), Ratio("value", "count", "ratio")]
    found = {row["metric"]: row for row in custcore.effect_of(rows, metrics).table()}

    def mean(column: list[Any], group: str) -> float:
        own = [Fraction(value) for value, name in zip(column, groups, strict=True) if name == group]
        return float(sum(own, Fraction(0)) / len(own))

    for name, column in (("value", values), ("count", counts), ("flag", flags)):
        expected = mean(column, "a") - mean(column, "control")
        scale = max(abs(mean(column, "a")), abs(mean(column, "control")), 1e-3)
        assert abs(found[name]["effect"] - expected) < 1e-9 * scale
    for group, column in (("a", "treatment"), ("control", "control")):
        if mean(counts, group) and found["ratio"][column] is not None:
            expected = mean(values, group) / mean(counts, group)
            assert found["ratio"][column] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_bases_on_disk_and_streams(tmp_path: Path) -> None:
    drawn = random.Random(0)
    rows = [
        (drawn.randrange(9_000), START + dt.timedelta(drawn.randrange(-200, 30)), drawn.randrange(-300, 3000) / 100)
        for _ in range(60_000)
    ]
    groups = groups_of([(i, "control" if i % 2 else "mail", START) for i in range(10_000)])
    limited = custcore.CustomerBase(track="days", max_memory="1MiB", spill_dir=tmp_path)
    for at in range(0, len(rows), 20_000):
        limited.update(table(rows[at : at + 20_000]))
    assert limited.nbytes_on_disk > 0
    whole = custcore.CustomerBase(track="days")
    whole.update(table(rows))
    options: dict[str, Any] = {"by": "segment", "strata": "rfm_cell", "every": 5, "as_of": START + dt.timedelta(29)}
    assert tables(limited.effect(groups, **WINDOW, **options)) == tables(whole.effect(groups, **WINDOW, **options))
    purchases, experiment = table(rows).to_reader(max_chunksize=999), groups.to_reader(max_chunksize=77)
    streamed = custcore.effect(purchases, experiment, **WINDOW, **options)
    assert tables(streamed) == tables(whole.effect(groups, **WINDOW, **options))
