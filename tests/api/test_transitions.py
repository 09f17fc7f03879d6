"""`CustomerBase.transitions` and `.stays`: counted by hand, and by the slow reference."""

from __future__ import annotations

import datetime
import math
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    InvalidArgumentError,
    InvalidTypeError,
    NotEnoughDataError,
    StateMismatchError,
    SumOverflowError,
)
from tests.reference import FLOAT
from tests.reference.transitions import (
    OCTANT_NAMES,
    RF10_NAMES,
    looks_reference,
    octants_of,
    rf10_of,
    stays_reference,
    transitions_reference,
)
from tests.samples import rows_of, transactions

JAN, FEB, MAR = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
DATES = [JAN, FEB, MAR]

# ann comes again and again, bob once, cleo gives some of it back, dan is new.
SALES = [
    ("ann", date(2026, 1, 25), 10.0),
    ("ann", date(2026, 2, 20), 20.0),
    ("ann", date(2026, 3, 30), 5.0),
    ("bob", date(2026, 1, 28), 7.5),
    ("cleo", date(2026, 2, 25), 100.0),
    ("cleo", date(2026, 3, 10), -40.0),
    ("dan", date(2026, 3, 31), 1.0),
]
MAP = custcore.SegmentMap([("new", 2, 1), ("regular", 2, 2), ("asleep", 1, None)], bins=(2, 2))


def table(rows: list[tuple[Any, ...]], **columns: Any) -> pa.Table:
    ids, days, amounts = zip(*(row[:3] for row in rows), strict=True)
    return pa.table({"customer_id": ids, "timestamp": days, "amount": amounts} | columns)


def base(data: pa.Table, **options: Any) -> custcore.CustomerBase:
    made = custcore.CustomerBase(**{"track": "days"} | options)
    made.update(data)
    return made


def by_hand(**options: Any) -> custcore.RFMScorer:
    """Awake are those who came in the last 10 days."""
    return custcore.RFMScorer(cuts={"recency": [10], "frequency": [1]}, segments=MAP, **options)


def rows(found: custcore.Table) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found.to_pyarrow().to_pylist()
    return listed


def moved(found: custcore.Table) -> list[tuple[Any, ...]]:
    names = ("to_date", "from_segment", "to_segment", "customers", "revenue", "share")
    return [tuple(row[name] for name in names) for row in rows(found)]


EXPECTED = [
    (FEB, None, "new", 1, 100.0, 1.0),
    (FEB, "new", "regular", 1, 30.0, 0.5),
    (FEB, "new", "asleep", 1, 7.5, 0.5),
    (MAR, None, "new", 1, 1.0, 1.0),
    (MAR, "new", "asleep", 1, 60.0, 1.0),
    (MAR, "regular", "regular", 1, 35.0, 1.0),
    (MAR, "asleep", "asleep", 1, 7.5, 1.0),
]


def test_by_hand() -> None:
    found = base(table(SALES)).transitions(DATES, by_hand())
    assert moved(found) == EXPECTED
    assert {(row["from_date"], row["to_date"]) for row in rows(found)} == {(JAN, FEB), (FEB, MAR)}
    assert found.to_numpy("scorer").tolist() == ["frozen"] * 7
    types = {name: kind.split("<")[0] for name, kind in found.schema.items()}
    assert types == {
        "from_date": "date32",
        "to_date": "date32",
        "from_segment": "dictionary",
        "to_segment": "dictionary",
        "customers": "int64",
        "revenue": "float64",
        "share": "float64",
        "scorer": "string",
    }
    assert found.to_pandas()["to_segment"].cat.categories.tolist() == MAP.names


def test_stays_by_hand() -> None:
    found = base(table(SALES)).stays(DATES, by_hand())
    names = ("segment", "customers", "spells", "ended", "open", "mean_days", "median_days")
    assert found.column_names == list(names)
    assert [tuple(row.values()) for row in rows(found)] == [
        # ann and bob 28 days, cleo 31, dan from the last date on: 1 until 28, 1/3 until 31
        ("new", 4, 4, 3, 1, 29.0, 28.0),
        ("regular", 1, 1, 0, 1, 31.0, None),
        ("asleep", 2, 2, 0, 2, 31.0, None),
    ]


def test_rows_may_come_in_any_order_and_number_of_updates() -> None:
    in_pieces = custcore.CustomerBase(track="days")
    for i in (6, 2, 4, 0, 5, 1, 3):
        in_pieces.update(table(SALES[i : i + 1]))
    for n_threads in (1, 4):
        assert moved(in_pieces.transitions(DATES, by_hand(), n_threads=n_threads)) == EXPECTED


def test_whoever_comes_back_has_two_spells() -> None:
    data = table([("a", date(2026, 1, 30), 1.0), ("a", date(2026, 3, 30), 1.0), ("b", JAN, 1.0)])
    dates = [*DATES, date(2026, 4, 5), date(2026, 6, 30)]
    scorer = custcore.RFMScorer(cuts={"recency": [10], "frequency": [99]}, segments=_awake())
    awake, asleep = rows(base(data).stays(dates, scorer))
    # a: 28 days, and from 31 March to 30 June; b: 28 days
    assert (awake["customers"], awake["spells"], awake["ended"], awake["open"]) == (2, 3, 3, 0)
    assert (awake["mean_days"], awake["median_days"]) == (pytest.approx((28 + 28 + 91) / 3), 28)
    # a: from 28 February to 31 March, and from 30 June on; b: from 28 February on
    assert (asleep["customers"], asleep["spells"], asleep["ended"], asleep["open"]) == (2, 3, 1, 2)
    assert (asleep["mean_days"], asleep["median_days"]) == (31 + (122 - 31) / 2, 31)


def _awake() -> custcore.SegmentMap:
    return custcore.SegmentMap([("awake", 2, None), ("asleep", 1, None)], bins=(2, 2))


DATA = transactions(500, customers=60)
MANY = [date(2023, 11, 25), date(2023, 12, 10), date(2023, 12, 31), date(2024, 1, 15), date(2024, 2, 29)]


@pytest.mark.parametrize("edges", ["frozen", "refit"])
@pytest.mark.parametrize(
    ("segments", "names", "fit"),
    [("auto", RF10_NAMES, rf10_of), ("octants", OCTANT_NAMES, octants_of)],
    ids=["rf10", "octants"],
)
def test_equals_the_reference(segments: str, names: tuple[str, ...], fit: Any, edges: str) -> None:
    scorer = custcore.RFMScorer(segments=segments)
    looks = looks_reference(rows_of(DATA), MANY, fit, refit=edges == "refit", money=FLOAT)
    kept = base(DATA)
    assert rows(kept.transitions(MANY, scorer, edges=edges)) == transitions_reference(looks, names, edges, FLOAT)
    check_stays(rows(kept.stays(MANY, scorer, edges=edges)), stays_reference(looks, names))
    with pytest.raises(custcore.errors.NotFittedError):
        scorer.transform(kept.rfm())  # fits are copies; the scorer that was passed stays as it was


def check_stays(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(found) == len(expected)
    for row, other in zip(found, expected, strict=True):
        mean = other.pop("mean_days")
        if mean is not None:
            assert math.isclose(row["mean_days"], mean, rel_tol=1e-12)
        assert (row.pop("mean_days") is None) == (mean is None)
        assert row == other


def test_a_fitted_scorer_is_used_as_it_is() -> None:
    kept = base(DATA)
    later = custcore.RFMScorer().fit(kept.rfm())
    found = kept.transitions(MANY, later)
    assert rows(found) != rows(kept.transitions(MANY, custcore.RFMScorer()))
    for before, after in pairwise(MANY):
        was, now = (
            dict(zip(*(scored.to_pyarrow()[name].to_pylist() for name in ("customer_id", "segment")), strict=True))
            for scored in (later.transform(kept.rfm(as_of=day)) for day in (before, after))
        )
        step = [row for row in rows(found) if row["to_date"] == after]
        for row in step:
            pair = (row["from_segment"], row["to_segment"])
            assert row["customers"] == sum((was.get(customer), to) == pair for customer, to in now.items())
        assert sum(row["customers"] for row in step) == len(now)
    assert rows(kept.transitions(MANY, later, edges="refit")) == rows(
        kept.transitions(MANY, custcore.RFMScorer(), edges="refit")
    )


@pytest.mark.parametrize("edges", ["frozen", "refit"])
@pytest.mark.parametrize("returns", ["net", "exclude", "count"])
def test_the_table_sums_to_the_customers_of_each_date(edges: str, returns: str) -> None:
    kept = base(DATA, returns=returns)
    found = rows(kept.transitions(MANY, custcore.RFMScorer(), edges=edges))
    for day in MANY[1:]:
        at = custcore.rfm(DATA, as_of=day, returns=returns).to_pyarrow()
        own = [row for row in found if row["to_date"] == day]
        assert sum(row["customers"] for row in own) == at.num_rows
        assert sum(row["revenue"] for row in own) == sum(at["monetary_total"].to_pylist())
        for source in {row["from_segment"] for row in own}:
            assert math.isclose(sum(row["share"] for row in own if row["from_segment"] == source), 1)


def test_the_report_is_that_of_the_last_date() -> None:
    kept = base(DATA)
    found, last = kept.transitions(MANY, custcore.RFMScorer()), custcore.rfm(DATA, as_of=MANY[-1])
    assert found.report.as_of == MANY[-1]
    assert found.report.n_rows == DATA.num_rows
    assert [(e.name, e.count, e.sum) for e in found.report] == [
        (e.name, e.count, e.sum) for e in kept.rfm(as_of=MANY[-1]).report
    ]
    assert found.report["after_as_of"].count == last.report["after_as_of"].count
    first = custcore.RFMScorer().fit_transform(custcore.rfm(DATA, as_of=MANY[0]))
    assert found.report.remarks == first.report.remarks != ()
    refit = kept.transitions(MANY, custcore.RFMScorer(), edges="refit").report.remarks
    assert any(remark.startswith(f"at 1 of {len(MANY)} dates: frequency: ") for remark in refit)


def test_before_the_first_purchase_there_is_nobody() -> None:
    early = [date(2025, 1, 1), date(2025, 6, 1), *DATES]
    kept = base(table(SALES))
    fitted = by_hand().fit(kept.rfm(as_of=JAN))
    everybody = [(JAN, None, "new", 2, 17.5, 1.0), *EXPECTED]
    assert moved(kept.transitions(early, fitted)) == everybody
    assert moved(kept.transitions(early, by_hand(), edges="refit")) == everybody
    assert rows(kept.stays(early, fitted)) == rows(kept.stays(DATES, fitted))
    with pytest.raises(NotEnoughDataError, match="2025-01-01"):
        kept.transitions(early, by_hand())
    nobody = kept.transitions([date(2024, 1, 1), date(2025, 1, 1)], by_hand(), edges="refit")
    assert nobody.num_rows == 0
    assert nobody.column_names[-1] == "scorer"


def test_money_in_its_own_type() -> None:
    amounts = [Decimal("10.10"), Decimal("20.20"), Decimal("-30.30")]
    days = [date(2026, 1, 25), date(2026, 1, 26), date(2026, 2, 1)]
    data = table([("ann", day, amount) for day, amount in zip(days, amounts, strict=True)])
    found = base(data).transitions([JAN, FEB], by_hand())
    assert found.schema["revenue"].startswith("decimal128(38, 2")
    assert found.to_numpy("revenue").tolist() == [Decimal("0.00")]
    whole = base(table([("ann", JAN, 3), ("bob", FEB, 4)])).transitions([JAN, FEB], by_hand())
    assert whole.schema["revenue"] == "int64"
    without = base(table(SALES), amount=None).transitions(DATES, by_hand())
    assert "revenue" not in without.column_names
    assert without.to_numpy("customers").tolist() == [1, 1, 1, 1, 1, 1, 1]


def test_a_sum_beyond_its_type_is_told() -> None:
    big = 2**61
    data = table([(f"c{i}", FEB, big) for i in range(8)] + [("old", JAN, 1)])
    with pytest.raises(SumOverflowError, match=r"from 'none' to 'new' until 2026-02-28.*int64"):
        base(data).transitions([JAN, FEB], by_hand())


def test_an_order_that_turns_out_a_refund() -> None:
    """Orders count at a date by the lines up to it: a buyer may not be one later, which a remark reports."""
    sales = [
        ("ann", date(2026, 1, 30), 10.0),
        ("ann", date(2026, 2, 5), -15.0),
        ("bob", date(2026, 1, 30), 4.0),
        ("cleo", date(2026, 2, 25), 6.0),
    ]
    kept = base(table(sales, order_id=["A", "A", "B", "C"]), order_id="order_id", track="orders")
    scorer = by_hand()
    found = kept.transitions([JAN, FEB], scorer)
    assert moved(found) == [(FEB, None, "new", 1, 6.0, 1.0), (FEB, "new", "asleep", 1, 4.0, 0.5)]
    (remark,) = [r for r in found.report.remarks if "not buyers" in r]
    assert remark.startswith("1 customers of 2026-01-31 are not buyers as of 2026-02-28")
    assert found.report["refund_only_customers"].sum == -5.0
    new = rows(kept.stays([JAN, FEB], scorer))[0]
    assert (new["segment"], new["spells"], new["ended"], new["open"]) == ("new", 3, 2, 1)


def test_scorers_of_other_kinds() -> None:
    groups = table(SALES, country=["x", "x", "x", "y", "y", "y", "x"])
    kept = base(groups, attributes={"country": "first"})
    by_group = custcore.RFMScorer(by="country", unseen="global")
    found = kept.transitions(DATES, by_group, edges="refit")
    assert sum(row["customers"] for row in rows(found)) == 3 + 4
    split = base(DATA).transitions(MANY, custcore.RFMScorer(ties="split"), edges="refit")
    for day in MANY[1:]:
        scored = custcore.rfm_scores(DATA, as_of=day, ties="split").to_pyarrow()
        counted = [row for row in rows(split) if row["to_date"] == day]
        for name in RF10_NAMES:
            number = sum(row["customers"] for row in counted if row["to_segment"] == name)
            assert number == scored["segment"].to_pylist().count(name)
    with pytest.raises(ColumnNotFoundError, match="n_days"):
        base(DATA).transitions(MANY, custcore.RFMScorer(frequency="days"))


def test_many_segments_and_more_than_64() -> None:
    edges = list(range(1, 9))
    names = [(f"r{r} f{f}", r, f) for r in range(1, 10) for f in range(1, 10)]
    fine = custcore.SegmentMap(names, bins=(9, 9))
    scorer = custcore.RFMScorer(
        bins=(9, 9, 5), cuts={"recency": [5 * e for e in edges], "frequency": edges}, segments=fine
    )
    lasting = rows(base(DATA).stays(MANY, scorer))
    assert [row["segment"] for row in lasting] == [name for name, _, _ in names]
    last = custcore.rfm(DATA, as_of=MANY[-1])
    assert sum(row["open"] for row in lasting) == last.num_rows
    assert all(row["customers"] <= row["spells"] for row in lasting)
    segments = scorer.fit(last).transform(last).to_numpy("segment").tolist()
    assert [row["open"] for row in lasting] == [segments.count(name) for name, _, _ in names]


def test_dates_of_all_kinds() -> None:
    kept = base(table(SALES))
    expected = rows(kept.transitions(DATES, by_hand()))
    for dates in (
        [day.isoformat() for day in DATES],
        np.array(DATES, "datetime64[D]"),
        tuple(datetime.datetime.combine(day, datetime.time(23, 59)) for day in DATES),
        iter(DATES),
    ):
        assert rows(kept.transitions(dates, by_hand())) == expected


@pytest.mark.parametrize(
    ("dates", "error", "match"),
    [
        ([], InvalidArgumentError, "dates has 0"),
        ([JAN], InvalidArgumentError, "at least 2"),
        ([FEB, JAN], InvalidArgumentError, r"dates must ascend.*2026-01-31 comes after 2026-02-28"),
        ([JAN, FEB, FEB], InvalidArgumentError, "2026-02-28 twice"),
        ([JAN, "soon"], InvalidArgumentError, r"dates\[1\]"),
        ([JAN, 7], InvalidTypeError, r"dates\[1\] is int"),
        ([JAN, None], InvalidTypeError, r"dates\[1\] is None"),
        ("2026-01-31", InvalidTypeError, "dates is str"),
        (JAN, InvalidTypeError, "dates is date"),
    ],
)
def test_dates_are_checked(dates: Any, error: type[Exception], match: str) -> None:
    kept = base(table(SALES))
    for ask in (kept.transitions, kept.stays):
        with pytest.raises(error, match=match):
            ask(dates, by_hand())


def test_other_arguments_are_checked() -> None:
    kept = base(table(SALES))
    for ask in (kept.transitions, kept.stays):
        with pytest.raises(InvalidArgumentError, match=r"edges='thawed'.*'frozen', 'refit'"):
            ask(DATES, by_hand(), edges="thawed")  # type: ignore[arg-type]
        with pytest.raises(InvalidTypeError, match="scorer is SegmentMap"):
            ask(DATES, MAP)  # type: ignore[arg-type]
        for scorer in (custcore.RFMScorer(segments=None), custcore.RFMScorer(bins=4)):
            with pytest.raises(InvalidArgumentError, match="segments="):
                ask(DATES, scorer)
        with pytest.raises(InvalidArgumentError, match="octants need amounts"):
            base(table(SALES), amount=None).transitions(DATES, custcore.RFMScorer(segments="octants"))


def test_totals_cannot_look_back() -> None:
    kept = base(table(SALES), track="totals")
    with pytest.raises(StateMismatchError, match="days"):
        kept.transitions(DATES, by_hand())
    later = [MAR, date(2026, 5, 1)]
    assert rows(kept.transitions(later, by_hand())) == rows(base(table(SALES)).transitions(later, by_hand()))


def test_a_base_on_disk_has_the_same_transitions() -> None:
    ids = [*range(40), *range(20, 60), *range(50, 80)]
    days = [JAN] * 40 + [FEB] * 40 + [MAR] * 30
    data = pa.table({"customer_id": ids, "timestamp": days, "amount": [float(i % 17) for i in range(110)]})
    kept, on_disk = base(data), base(data.slice(0, 60), max_memory="1MiB")
    on_disk._core.spill()
    on_disk.update(data.slice(60))
    assert on_disk.nbytes_on_disk > 0
    for scorer in (by_hand(), custcore.RFMScorer(), custcore.RFMScorer().fit(kept.rfm())):
        for edges in ("frozen", "refit"):
            for call in ("transitions", "stays"):
                found = getattr(on_disk, call)(DATES, scorer, edges=edges)
                expected = getattr(kept, call)(DATES, scorer, edges=edges)
                assert found.to_pyarrow().equals(expected.to_pyarrow()), (call, edges)
                assert list(found.report) == list(expected.report)
                assert found.report.remarks == expected.report.remarks


def test_it_reads_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    text = repr(base(table(SALES)).transitions(DATES, by_hand()))
    assert text.splitlines()[0] == "custcore.Table: 7 rows x 8 columns"
    assert text.splitlines()[1].split() == [
        "from_date", "to_date", "from_segment", "to_segment", "customers", "revenue", "share", "scorer",
    ]  # fmt: skip
