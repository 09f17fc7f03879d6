"""The health of a base and the review of a month: against plain Python, corners, errors."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import random
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    NotEnoughDataError,
    OutOfRangeError,
    StateMismatchError,
)
from tests.effect.growth_cases import Effect, base_of, refused

MONTHS = [dt.date(2025, month, 1) for month in range(1, 13)] + [dt.date(2026, month, 1) for month in range(1, 5)]
RISK = ("at_risk", "cant_lose", "about_to_sleep")


def end_of(month: dt.date) -> dt.date:
    return (month + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)


def purchases(seed: int = 3, n: int = 1_500) -> list[tuple[int, dt.date, float]]:
    rng = random.Random(seed)
    days = (MONTHS[-1] - MONTHS[0]).days + 20
    rows = [
        (
            int(rng.paretovariate(0.4)) % 200,
            MONTHS[0] + dt.timedelta(days=int(days * rng.random() ** 0.8)),
            round(rng.lognormvariate(3, 1), 2) * (-1 if rng.random() < 0.05 else 1),
        )
        for _ in range(n)
    ]
    return [(0, MONTHS[0], 5.0), *rows]


def kept(rows: list[tuple[int, dt.date, float]], **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(track="days", **options)
    names = ("customer_id", "timestamp", "amount")
    base.update(pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}))
    return base


ROWS = purchases()
BASE = kept(ROWS)


def judged(values: list[float | None]) -> dict[str, Any]:
    """The last value against the others, by the words of the definition."""
    *history, value = values
    known = [x for x in history[-12:] if x is not None]
    before = history[-1] if history else None
    found: dict[str, Any] = {"value": value, "before": before, "low": None, "high": None, "flag": None}
    found["change"] = None if value is None or before is None else value - before
    if len(known) >= 6:
        mean = sum(known) / len(known)
        step = sum(abs(b - a) for a, b in pairwise(known)) / (len(known) - 1)
        found["low"], found["high"] = mean - 2.66 * step, mean + 2.66 * step
        if value is not None:
            found["flag"] = not found["low"] <= value <= found["high"]
    return found


def series_of(base: custcore.CustomerBase, rows: list[Any], last: dt.date) -> dict[tuple[str, str], list[float | None]]:
    """Each measure by month, up to one: of the public methods of a base, and of its rows."""
    months = [month for month in MONTHS if month <= last][-13:]
    measures = {row["period_start"]: row for row in base.measures(as_of=end_of(last))}
    series: dict[tuple[str, str], list[float | None]] = {}
    areas = {
        "base": ("customers", "active", "new", "retained", "reactivated", "churned", "retention_rate", "churn_rate"),
        "value": (
            *("revenue", "refunds", "orders", "average_order_value", "purchase_frequency"),
            *("revenue_per_customer", "repurchase_rate"),
        ),
    }
    for area, names in areas.items():
        for name in names:
            series[area, name] = [measures[month][name] for month in months]
    scorer = custcore.RFMScorer().fit(base.rfm(end_of(last)))
    before: dict[int, str] | None = None
    first = months[0] - dt.timedelta(1)
    names = custcore.SegmentMap.named("rf10").names
    for day in [first, *map(end_of, months)]:
        table = base.rfm(day)
        scored = {row["customer_id"]: row for row in scorer.transform(table)} if len(table) else {}
        now = {customer: row["segment"] for customer, row in scored.items()}
        if day != first:
            money = sum(row["monetary_total"] for row in scored.values())
            totals = sorted(max(row["monetary_total"], 0.0) for row in scored.values())
            n, whole = len(totals), sum(totals)
            gini = sum((2 * i - n - 1) * x for i, x in enumerate(totals, 1)) / (n * whole)
            top = sum(totals[n - -(-n // 5) :]) / whole
            series.setdefault(("structure", "gini"), []).append(gini)
            series.setdefault(("structure", "top_20_share"), []).append(top)
            for name in names:
                own = [customer for customer, segment in now.items() if segment == name]
                share = sum(scored[customer]["monetary_total"] for customer in own) / money
                series.setdefault(("structure", f"customers_share: {name}"), []).append(len(own) / n)
                series.setdefault(("structure", f"revenue_share: {name}"), []).append(share)
                if name in RISK:
                    year = day - dt.timedelta(365)
                    recent = sum(row[2] for row in rows if row[0] in set(own) and year < row[1] <= day)
                    series.setdefault(("risk", f"revenue_365d: {name}"), []).append(recent)
                moved = [(before or {}).get(customer) for customer in own]
                entered = sum(segment not in {None, name} for segment in moved)
                left = sum(
                    segment == name and now.get(customer) != name for customer, segment in (before or {}).items()
                )
                series.setdefault(("flows", f"entered: {name}"), []).append(entered)
                series.setdefault(("flows", f"left: {name}"), []).append(left)
        before = now
    return series


@pytest.mark.parametrize("last", [MONTHS[8], MONTHS[12], MONTHS[14]])
def test_health_is_that_of_plain_python(last: dt.date):
    base = BASE
    found = base.health(end_of(last) + dt.timedelta(3))
    expected = series_of(BASE, ROWS, last)
    assert {(row["area"], row["measure"]) for row in found} == set(expected)
    for row in found:
        values = expected[row["area"], row["measure"]]
        expected_row = judged(values)
        if row["measure"] == "customers":  # can only grow
            expected_row |= dict.fromkeys(["low", "high", "flag"])
        for name, value in expected_row.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (row["measure"], name)
            else:
                assert row[name] == value, (row["measure"], name)
    assert found.report.as_of == end_of(last)
    assert f"as of {end_of(last)}, the end of the last complete month" in found.report.remarks
    assert found.equals(base.health(end_of(last) + dt.timedelta(3), n_threads=3))


def test_health_and_reviews_on_disk_are_the_same():
    rng = random.Random(8)
    rows = [
        (rng.randrange(20_000), MONTHS[0] + dt.timedelta(rng.randrange(480)), rng.randrange(1, 99) / 4)
        for _ in range(60_000)
    ]
    found = []
    for memory in (None, "1MiB"):
        base = kept(rows, max_memory=memory)
        assert (base.nbytes_on_disk > 0) == (memory is not None)
        found.append([base.health("2026-03-31"), *base.review("2026-03").tables().values()])
    assert len(found[0]) == 7
    for one, other in zip(*found, strict=True):
        assert one.equals(other)


def test_columns_areas_and_a_fitted_scorer():
    found = BASE.health("2026-03-31")
    kinds = dict(zip(found.column_names, map(str, found.to_pyarrow().schema.types), strict=True))
    assert kinds == {
        "area": "string",
        "measure": "string",
        **dict.fromkeys(["value", "before", "change", "low", "high"], "double"),
        "flag": "bool",
    }
    assert list(dict.fromkeys(found["area"].to_pylist())) == ["base", "value", "structure", "risk", "flows"]
    scorer = custcore.RFMScorer().fit(BASE.rfm("2026-03-31"))
    assert BASE.health("2026-03-31", scorer=scorer).equals(found)
    octants = custcore.RFMScorer(segments="octants")
    other = BASE.health("2026-03-31", scorer=octants)
    assert "risk" not in set(other["area"].to_pylist())
    assert any("no area 'risk'" in remark for remark in other.report.remarks)
    assert not octants._core.is_fitted


def test_bases_without_history_or_money():
    young = base_of([("ann", "01-01", 10.0), ("bob", "02-09", 20.0)])
    assert young.health("2026-01-30").num_rows == 0
    assert list(young.health("2026-01-30").report.remarks) == ["no month is complete: there is nothing to compare"]
    assert base_of([]).health().num_rows == 0
    first = young.health("2026-01-31")
    assert {(row["before"], row["low"], row["flag"]) for row in first if row["area"] == "value"} == {(None, None, None)}
    # A month of which the first days are missing is not complete.
    assert base_of([("ann", "01-02", 1.0), ("bob", "02-09", 1.0)]).health("2026-01-31").num_rows == 0
    base = custcore.CustomerBase(track="days", amount=None)
    days = [dt.date(2026, month, 1) for month in (1, 2, 3)]
    base.update(pa.table({"customer_id": [1, 2, 1], "timestamp": days}))
    names = set(base.health("2026-02-28")["measure"].to_pylist())
    assert {"active", "orders", "customers_share: champions"} <= names
    assert not {"revenue", "gini"} & names


def test_errors_of_health():
    refused(InvalidTypeError, lambda: BASE.health(scorer=3), "scorer is int; expected an RFMScorer")
    refused(InvalidArgumentError, lambda: BASE.health(scorer=custcore.RFMScorer(segments=None)), "segments")
    refused(
        StateMismatchError,
        lambda: base_of([("a", "01-01", 1.0), ("a", "02-01", 1.0)], track="totals").health("2026-02-28"),
        "track",
    )
    refused(InvalidArgumentError, lambda: BASE.health("soon"), "as_of='soon'")


# The review


def test_a_review_is_made_of_the_methods():
    review = BASE.review("2026-02")
    assert review.month == dt.date(2026, 2, 1)
    last = dt.date(2026, 2, 28)
    rows = {row["period_start"]: row for row in BASE.measures(as_of=last)}
    assert review.measures["which"].to_pylist() == ["month", "month_before", "year_before"]
    starts = [dt.date(2026, 2, 1), dt.date(2026, 1, 1), dt.date(2025, 2, 1)]
    assert [{name: row[name] for name in row if name != "which"} for row in review.measures] == [
        rows[start] for start in starts
    ]
    assert review.change.equals(BASE.change("2026-01", "2026-02"))
    assert review.change_year.equals(BASE.change("2025-02", "2026-02"))
    effects = BASE.decomposition(as_of=last).to_pylist()[-1]
    assert review.decomposition.to_pylist() == [effects]
    assert review.decomposition_year.to_pylist() == [BASE.decomposition(lag=12, as_of=last).to_pylist()[-1]]
    scorer = custcore.RFMScorer().fit(BASE.rfm(last))
    assert review.flows.equals(BASE.transitions(["2026-01-31", last], scorer))
    assert review.campaigns == []
    assert list(review.tables()) == [
        "measures",
        "change",
        "change_year",
        "decomposition",
        "decomposition_year",
        "flows",
    ]
    assert BASE.review(dt.date(2026, 2, 11)).change.equals(review.change)


def test_reviews_are_shown_copied_and_exported():
    review = BASE.review("2026-02")
    lines = repr(review).splitlines()
    assert lines[0] == "custcore.Review"
    assert lines[1].startswith("2026-02: ")
    assert "From the month before: new +" in repr(review)
    assert "<li>2026-02: " in review._repr_html_()
    for other in (pickle.loads(pickle.dumps(review)), copy.copy(review), copy.deepcopy(review)):
        assert (other.month, repr(other)) == (review.month, repr(review))
        assert other.flows.equals(review.flows)
    assert pa.table(review).equals(review.measures.to_pyarrow())
    assert review.report is review.measures.report


def test_first_months_have_fewer_tables():
    review = BASE.review("2025-01")
    assert list(review.tables()) == ["measures", "change", "decomposition"]
    assert (review.change_year, review.decomposition_year, review.flows) == (None, None, None)
    assert len(review.decomposition) == 0
    assert len(BASE.review("2025-02").decomposition) == 1


def test_campaigns_that_ended_in_the_month():
    ended = Effect(("mail", 10, 5.0, 1.0, 9.0), first="2026-01-20", last="2026-02-03")
    later = Effect(("app", 10, 5.0, 1.0, 9.0), first="2026-02-20", last="2026-03-03")
    review = BASE.review("2026-02", campaigns=[ended, later])
    assert review.campaigns == [{"name": "mail", "customers": 10, "revenue": 5.0, "low": 1.0, "high": 9.0}]
    assert review.change["name"].to_pylist()[-2:] == ["mail", None]
    assert "mail +5.00" in repr(review)


def test_errors_of_reviews():
    refused(NotEnoughDataError, lambda: BASE.review("2027-01"), "no data of 2027-01")
    refused(NotEnoughDataError, lambda: BASE.review("2024-12"), "no data of 2024-12")
    refused(InvalidArgumentError, lambda: BASE.review("2026-13"), "month='2026-13'")
    refused(OutOfRangeError, lambda: BASE.review("0001-01"), "outside the years 2 to 9998")
    refused(OutOfRangeError, lambda: BASE.review(dt.date(9999, 12, 31)), "outside the years 2 to 9998")
    refused(InvalidTypeError, lambda: BASE.review(3), "month is int")
    refused(InvalidTypeError, lambda: BASE.review("2026-02", scorer="rf10"), "expected an RFMScorer")
    unknown = Effect(("mail", 10, 5.0, 1.0, 9.0))
    refused(
        InvalidArgumentError, lambda: BASE.review("2026-02", campaigns=[unknown]), "does not say when its window ended"
    )
    refused(StateMismatchError, lambda: base_of([("a", "01-01", 1.0)], track="totals").review("2026-01"), "track")
    refused(InvalidArgumentError, lambda: base_of([("a", "01-01", 1.0)], amount=None).review("2026-01"), "no amounts")
