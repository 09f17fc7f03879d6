"""Online Retail day by day: the base of each day, the tables of past days, and the moves between segments."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.property.bases import entries
from tests.reference_data import ReferenceData

NAMES: dict[str, Any] = {"customer_id": "customer_id", "timestamp": "invoice_date"}
LEVELS: dict[str, dict[str, Any]] = {
    "days": {**NAMES, "track": "days"},
    "orders": {**NAMES, "track": "orders", "order_id": "invoice"},
}
MONTH_ENDS = [
    date(2010, 12, 31),
    *(date(2011, month + 1, 1) - timedelta(days=1) for month in range(1, 12)),
    date(2011, 12, 9),
]


@pytest.fixture(scope="module")
def raw(shipped: ReferenceData) -> pa.Table:
    """All 541,909 rows as they are, with an amount."""
    table = pq.read_table(shipped.data / "online_retail/online_retail.parquet")
    amount = pc.multiply(table["quantity"].cast(pa.float64()), table["unit_price"])
    columns = ["customer_id", "invoice_date", "invoice", "amount"]
    return (
        table.append_column("amount", amount).select(columns).append_column("day", table["invoice_date"].cast("date32"))
    )


@pytest.fixture(scope="module")
def days(raw: pa.Table) -> list[tuple[date, pa.Table]]:
    """The rows of each of the 305 days, ascending."""
    by_day = raw.take(pc.sort_indices(raw, [("day", "ascending")])).combine_chunks()
    counts = by_day["day"].value_counts()
    found, start = [], 0
    for entry in counts.to_pylist():
        found.append((entry["values"], by_day.slice(start, entry["counts"])))
        start += entry["counts"]
    assert [day for day, _ in found] == sorted({*raw["day"].to_pylist()})
    assert start == raw.num_rows
    return found


@pytest.fixture(scope="module", params=sorted(LEVELS))
def level(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def base(raw: pa.Table, level: str) -> custcore.CustomerBase:
    """All rows in one go."""
    base = custcore.CustomerBase(**LEVELS[level])
    base.update(raw)
    return base


def fresh(raw: pa.Table, level: str, **options: Any) -> custcore.Table:
    order = LEVELS[level].get("order_id")
    return custcore.rfm(raw, **NAMES, order_id=order, **options)


def test_days_in_any_order_are_one_file(
    days: list[tuple[date, pa.Table]], base: custcore.CustomerBase, level: str, tmp_path: Path
) -> None:
    """Day by day, the days shuffled, and halves that were merged: the same file, byte by byte."""
    in_order, shuffled = (custcore.CustomerBase(**LEVELS[level]) for _ in range(2))
    halves = [custcore.CustomerBase(**LEVELS[level]) for _ in range(2)]
    for day, rows in days:
        in_order.update(rows, batch_id=str(day))
    for day, rows in random.Random(5).sample(days, len(days)):
        shuffled.update(rows, batch_id=str(day))
        halves[day.day % 2].update(rows, batch_id=str(day))
    halves[0].merge(halves[1])
    files = []
    for number, each in enumerate((in_order, shuffled, halves[0])):
        each.save(tmp_path / str(number))
        files.append((tmp_path / str(number)).read_bytes())
    assert files[0] == files[1] == files[2] == in_order.to_bytes()
    assert in_order.batch_ids == sorted(str(day) for day, _ in days)

    without_ids = custcore.CustomerBase(**LEVELS[level])
    for _, rows in random.Random(6).sample(days, len(days)):
        without_ids.update(rows)
    assert without_ids.to_bytes() == base.to_bytes()


def test_the_table_is_that_of_all_rows(raw: pa.Table, base: custcore.CustomerBase, level: str) -> None:
    found, expected = base.rfm(), fresh(raw, level)
    assert found.to_pyarrow().equals(expected.to_pyarrow())
    assert entries(found.report, without=("removed", "late_lines")) == entries(expected.report)
    assert base.n_rows == raw.num_rows == 541_909
    assert base.last_date == date(2011, 12, 9)


def test_totals_day_by_day(raw: pa.Table, days: list[tuple[date, pa.Table]]) -> None:
    """The level without days: the latest day only."""
    base, shuffled, at_once = (custcore.CustomerBase(**NAMES) for _ in range(3))
    for day, rows in days:
        base.update(rows)
        assert base.last_date == day
    for _, rows in random.Random(7).sample(days, len(days)):
        shuffled.update(rows)
    at_once.update(raw)
    assert base.to_bytes() == shuffled.to_bytes() == at_once.to_bytes()
    assert base.rfm().to_pyarrow().equals(fresh(raw, "days").to_pyarrow())


@pytest.mark.parametrize("as_of", MONTH_ENDS, ids=str)
def test_scores_as_of_a_month_end(raw: pa.Table, base: custcore.CustomerBase, level: str, as_of: date) -> None:
    """The past as it would have been computed then, from the rows of then."""
    until = raw.filter(pc.less_equal(raw["day"], pa.scalar(as_of)))
    order = LEVELS[level].get("order_id")
    expected = custcore.rfm_scores(until, **NAMES, order_id=order, as_of=as_of)
    found = custcore.RFMScorer().fit_transform(base.rfm(as_of))
    assert found.to_pyarrow().equals(expected.to_pyarrow())
    assert found.report.as_of == as_of
    everything = fresh(raw, level, as_of=as_of)
    assert entries(base.rfm(as_of).report, without=("removed", "late_lines")) == entries(everything.report)


@pytest.mark.parametrize("options", [{}, {"period": "week", "n_periods": 9}, {"cohort_by": "recurring"}], ids=str)
def test_cohorts_of_a_base(raw: pa.Table, base: custcore.CustomerBase, level: str, options: dict[str, Any]) -> None:
    found = base.cohort_retention(**options)
    order = LEVELS[level].get("order_id")
    expected = custcore.cohort_retention(raw, **NAMES, amount="amount", order_id=order, **options)
    for name in ("to_table", "average", "movement", "revenue_retention", "customers"):
        assert getattr(found, name)().to_pyarrow().equals(getattr(expected, name)().to_pyarrow()), name


@pytest.mark.parametrize("edges", ["frozen", "refit"])
def test_moves_between_segments_add_up(base: custcore.CustomerBase, edges: str) -> None:
    """For consecutive dates: all buyers of the second, each in the segment from scoring that day alone."""
    table = base.transitions(MONTH_ENDS, custcore.RFMScorer(), edges=edges).to_pyarrow()
    moves = defaultdict(list)
    for row in table.to_pylist():
        assert row["customers"] > 0
        assert row["scorer"] == edges
        moves[row["from_date"], row["to_date"]].append(row)
    assert list(moves) == list(pairwise(MONTH_ENDS))

    frozen = custcore.RFMScorer().fit(base.rfm(MONTH_ENDS[0]))
    segments = {}
    for day in MONTH_ENDS:
        scorer = frozen if edges == "frozen" else custcore.RFMScorer().fit(base.rfm(day))
        scored = scorer.transform(base.rfm(day)).to_pyarrow()
        names = scored["segment"].cast(pa.string()).to_pylist()
        pairs = zip(names, scored["monetary_total"].to_pylist(), strict=True)
        segments[day] = dict(zip(scored["customer_id"].to_pylist(), pairs, strict=True))
    for (before, after), rows in moves.items():
        expected: dict[Any, list[Any]] = defaultdict(list)
        for customer in {*segments[before], *segments[after]}:
            key = tuple(segments[day].get(customer, (None, 0.0))[0] for day in (before, after))
            expected[key].append(segments[after].get(customer, (None, 0.0))[1])
        assert {(r["from_segment"], r["to_segment"]): r["customers"] for r in rows} == {
            key: len(money) for key, money in expected.items()
        }
        for row in rows:
            money = expected[row["from_segment"], row["to_segment"]]
            assert row["revenue"] == pytest.approx(sum(money), abs=1e-6)
            of_segment = sum(len(v) for key, v in expected.items() if key[0] == row["from_segment"])
            assert row["share"] == row["customers"] / of_segment
        assert sum(r["customers"] for r in rows if r["to_segment"] is not None) == len(segments[after])


def test_stays_add_up(base: custcore.CustomerBase) -> None:
    """Spells by hand: customers in a segment at a date, and the days to the first later date at which they are not."""
    table = base.stays(MONTH_ENDS, custcore.RFMScorer()).to_pyarrow()
    frozen = custcore.RFMScorer().fit(base.rfm(MONTH_ENDS[0]))
    at = {}
    for day in MONTH_ENDS:
        scored = frozen.transform(base.rfm(day)).to_pyarrow()
        at[day] = dict(
            zip(scored["customer_id"].to_pylist(), scored["segment"].cast("string").to_pylist(), strict=True)
        )
    customers: dict[str, set[int]] = defaultdict(set)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for before, day in zip([None, *MONTH_ENDS], MONTH_ENDS, strict=False):
        for customer, segment in at[day].items():
            customers[segment].add(customer)
            if before is None or at[before].get(customer) != segment:
                counts[segment][0] += 1
        if before is not None:
            for customer, segment in at[before].items():
                counts[segment][1] += at[day].get(customer) != segment
    for segment in at[MONTH_ENDS[-1]].values():
        counts[segment][2] += 1
    found = {
        row["segment"]: (row["customers"], row["spells"], row["ended"], row["open"])
        for row in table.to_pylist()
        if row["spells"]
    }
    assert found == {name: (len(customers[name]), *counts[name]) for name in customers}
    for row in table.to_pylist():
        assert row["spells"] == row["ended"] + row["open"]
        if row["spells"]:
            assert 0 <= row["mean_days"] <= (MONTH_ENDS[-1] - MONTH_ENDS[0]).days
