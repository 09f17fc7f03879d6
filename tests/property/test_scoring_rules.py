"""Every rule of scoring against slow oracles: ties, nesting, groups, cuts, choices, octants, segment maps, profiles."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import custcore
from custcore.errors import InvalidArgumentError
from tests.reference import (
    RF10,
    edges_reference,
    group_reference,
    nested_reference,
    ntile_reference,
    scores_reference,
)
from tests.samples import transactions

Customer = tuple[int, int, float, Any]  # recency, frequency, money, group
Scores = list[tuple[int, ...]]

VALUES = ("recency_days", "n_orders", "monetary_total")
DIMENSIONS = ("recency", "frequency", "monetary")
RECENCY = st.integers(0, 12) | st.integers(0, 2**31 - 1)
FREQUENCY = st.integers(1, 5) | st.integers(1, 2**40)
MONEY = st.integers(-100, 400).map(lambda n: n / 100) | st.integers(-(10**9), 10**9).map(lambda n: n / 100)
GROUPS = st.sampled_from(["AT", "BE", "", None])
CUSTOMERS = st.lists(st.tuples(RECENCY, FREQUENCY, MONEY, GROUPS), min_size=1, max_size=25)
BIN = st.integers(2, 6) | st.integers(2, 100)
BINS = st.tuples(BIN, BIN, BIN)


def ids_of(n: int) -> list[str]:
    """Ids whose order is not that of the rows."""
    return [f"c{(i * 37) % 101:03d}" for i in range(n)]


def table(rows: Sequence[Customer]) -> pa.Table:
    recency, frequency, monetary, group = ([row[i] for row in rows] for i in range(4))
    return pa.table(
        {
            "customer_id": pa.array(ids_of(len(rows)), pa.string()),
            "recency_days": pa.array(recency, pa.int32()),
            "n_orders": pa.array(frequency, pa.int64()),
            "monetary_total": pa.array(monetary, pa.float64()),
            "group": pa.array(group, pa.string()),
        }
    )


def scores(found: Any, columns: Sequence[str] = ("r_score", "f_score", "m_score")) -> Scores:
    arrow = found.to_pyarrow()
    return list(zip(*(arrow[c].to_pylist() for c in columns), strict=True))


def within(cells: list[Any], values: list[Any], ids: list[Any], bins: int, ties: str, *, reverse: bool) -> list[int]:
    """One dimension scored by itself in each cell."""
    members = defaultdict(list)
    for row, cell in enumerate(cells):
        members[cell].append(row)
    found = [0] * len(values)
    for rows in members.values():
        own = [values[row] for row in rows]
        if ties == "split":
            part = ntile_reference(own, [ids[row] for row in rows], bins, reverse=reverse)
        else:
            part = scores_reference(own, bins, reverse=reverse)
        for row, score in zip(rows, part, strict=True):
            found[row] = score
    return found


def oracle(rows: Sequence[Customer], bins: tuple[int, int, int], ties: str, *, nested: bool, by: bool) -> Scores:
    ids = ids_of(len(rows))
    cells: list[Any] = [(row[3],) if by else () for row in rows]
    columns = []
    for i, size in enumerate(bins):
        column = within(cells, [row[i] for row in rows], ids, size, ties, reverse=i == 0)
        columns.append(column)
        if nested:
            cells = [(*cell, score) for cell, score in zip(cells, column, strict=True)]
    return list(zip(*columns, strict=True))


def above(edges: list[Fraction], value: float) -> int:
    """1 + how many edges lie strictly below the value."""
    return 1 + sum(edge < value for edge in edges)


def settings_of(bins: Any, ties: str, nested: bool, by: bool) -> dict[str, Any]:
    binning = "nested" if nested else "independent"
    return {"bins": bins, "ties": ties, "binning": binning, "by": "group" if by else None, "segments": None}


@given(CUSTOMERS, BINS, st.sampled_from(["same", "split"]), st.booleans(), st.booleans())
@example([(0, 1, 0.0, None)], (100, 2, 100), "split", True, True)
def test_ties_nesting_and_groups(
    rows: list[Customer], bins: tuple[int, int, int], ties: str, nested: bool, by: bool
) -> None:
    """At once, fitted and transformed, and one by one."""
    expected = oracle(rows, bins, ties, nested=nested, by=by)
    scorer, data = custcore.RFMScorer(**settings_of(bins, ties, nested, by)), table(rows)
    assert scores(scorer.fit_transform(data)) == expected
    assert scores(scorer.transform(data)) == expected
    ids = ids_of(len(rows))
    one_by_one = [
        scorer.score_one(r, f, m, customer_id=i, group=g)[:3] for i, (r, f, m, g) in zip(ids, rows, strict=True)
    ]
    assert one_by_one == expected
    backwards = data.take(pa.array(range(len(rows) - 1, -1, -1)))
    assert scores(scorer.fit_transform(backwards)) == expected[::-1]


@given(CUSTOMERS, st.integers(2, 8))
def test_nested_and_grouped_by_the_shared_oracles(rows: list[Customer], bins: int) -> None:
    r, f, m, groups = ([row[i] for row in rows] for i in range(4))
    data = table(rows)
    assert scores(custcore.RFMScorer(bins, binning="nested").fit_transform(data)) == nested_reference(r, f, m, bins)
    assert scores(custcore.RFMScorer(bins, by="group").fit_transform(data)) == group_reference(groups, r, f, m, bins)


@given(CUSTOMERS, BINS, st.sampled_from(["same", "split"]), st.booleans(), st.booleans())
def test_thresholds_count_the_fitted(
    rows: list[Customer], bins: tuple[int, int, int], ties: str, nested: bool, by: bool
) -> None:
    """Customers per group, cell and score; every score of every cell is there, empty ones too."""
    scorer = custcore.RFMScorer(**settings_of(bins, ties, nested, by)).fit(table(rows))
    expected: Counter[Any] = Counter()
    for row, found in zip(rows, oracle(rows, bins, ties, nested=nested, by=by), strict=True):
        for i, name in enumerate(DIMENSIONS):
            before = zip(DIMENSIONS[:i], found[:i], strict=True) if nested else ()
            cell = ", ".join(f"{dimension}={score}" for dimension, score in before) or None
            expected[row[3] if by else None, cell, name, found[i]] += 1
    lines = scorer.thresholds.to_pyarrow().to_pylist()
    counted = {(t.get("group"), t.get("within"), t["dimension"], t["score"]): t["customers"] for t in lines}
    assert len(counted) == len(lines)
    assert {key: n for key, n in counted.items() if n} == expected
    assert all(t["is_empty"] == (t["customers"] == 0) for t in lines)
    cells = {key[:3] for key in counted}
    assert len(lines) == sum(bins[DIMENSIONS.index(name)] for _, _, name in cells)


@given(CUSTOMERS, BINS, CUSTOMERS, st.lists(st.integers(0, 100), min_size=25, max_size=25))
def test_split_scores_of_customers_never_seen(
    rows: list[Customer], bins: tuple[int, int, int], others: list[Customer], numbers: list[int]
) -> None:
    """A tile begins with its first (value, id); without an id the customer comes before all equals."""
    scorer = custcore.RFMScorer(bins, ties="split").fit(table(rows))
    ids = ids_of(len(rows))
    for number, other in zip(numbers, others, strict=False):
        name = f"c{number:03d}"
        with_id, without = [], []
        for i, size in enumerate(bins):
            ordered = sorted((row[i], customer) for row, customer in zip(rows, ids, strict=True))
            tiles = ntile_reference([v for v, _ in ordered], [c for _, c in ordered], size)
            firsts = [ordered[tiles.index(tile)] for tile in sorted(set(tiles))[1:]]
            known = 1 + sum(first <= (other[i], name) for first in firsts)
            unknown = 1 + sum(value < other[i] for value, _ in firsts)
            with_id.append(size + 1 - known if i == 0 else known)
            without.append(size + 1 - unknown if i == 0 else unknown)
        assert scorer.score_one(*other[:3], customer_id=name)[:3] == tuple(with_id)
        assert scorer.score_one(*other[:3])[:3] == tuple(without)


CUTS = st.lists(st.integers(-4, 16).map(lambda n: n / 4), min_size=1, max_size=6, unique=True).map(sorted)
SMALL = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(-4, 16).map(lambda n: n / 4), GROUPS),
    min_size=1,
    max_size=25,
)


@given(SMALL, st.fixed_dictionaries({}, optional=dict.fromkeys(DIMENSIONS, CUTS)), st.sampled_from(["right", "left"]))
def test_cuts_are_numpys_digitize(rows: list[Customer], cuts: dict[str, list[float]], closed: str) -> None:
    """Dimensions without cuts keep their quantiles."""
    scorer = custcore.RFMScorer(7, cuts=cuts, closed=closed)
    found = scores(scorer.fit_transform(table(rows)))
    for i, name in enumerate(DIMENSIONS):
        values = [row[i] for row in rows]
        if name in cuts:
            expected = 1 + np.digitize(values, cuts[name], right=closed == "right")
            expected = len(cuts[name]) + 2 - expected if i == 0 else expected
            assert [row[i] for row in found] == expected.tolist()
        else:
            assert [row[i] for row in found] == scores_reference(values, 7, reverse=i == 0)
    assert [scorer.score_one(*row[:3])[:3] for row in rows] == found


@given(SMALL, CUTS, st.sampled_from(["right", "left"]), st.sampled_from([pa.decimal128(12, 2), pa.float32()]))
def test_cuts_of_other_kinds_of_money(rows: list[Customer], cuts: list[float], closed: str, kind: pa.DataType) -> None:
    data = table(rows)
    data = data.set_column(3, "monetary_total", data["monetary_total"].cast(kind))
    found = custcore.RFMScorer(cuts={"monetary": cuts}, closed=closed).fit_transform(data)
    expected = 1 + np.digitize([row[2] for row in rows], cuts, right=closed == "right")
    assert found.to_pyarrow()["m_score"].to_pylist() == expected.tolist()


@given(SMALL, BINS)
def test_rs_rule(rows: list[Customer], bins: tuple[int, int, int]) -> None:
    """Type-7 quantiles plus 1, intervals closed on the left; money in quarters, which floats hold exactly."""
    found = scores(custcore.RFMScorer(bins, cuts_rule="r", segments=None).fit_transform(table(rows)))
    for i, size in enumerate(bins):
        edges = edges_reference([row[i] for row in rows], size)
        expected = [1 + sum(edge + 1 <= row[i] for edge in edges) for row in rows]
        assert [row[i] for row in found] == ([size + 1 - e for e in expected] if i == 0 else expected)


@given(CUSTOMERS, CUSTOMERS, st.integers(2, 6), st.booleans())
def test_groups_never_seen(rows: list[Customer], others: list[Customer], bins: int, nested: bool) -> None:
    """An error that names the group, or the edges of all."""
    strangers = [(*row[:3], "nowhere") for row in others]
    fit = settings_of(bins, "same", nested, by=True)
    strict, lenient = (custcore.RFMScorer(**fit, unseen=rule).fit(table(rows)) for rule in ("error", "global"))
    with pytest.raises(InvalidArgumentError, match=r"nowhere.*global") as caught:
        strict.transform(table([*rows, *strangers]))
    assert caught.value.row == len(rows)
    with pytest.raises(InvalidArgumentError, match="nowhere"):
        strict.score_one(*strangers[0][:3], group="nowhere")
    edges = [edges_reference([row[i] for row in rows], bins) for i in range(3)]
    expected = [tuple(above(e, v) for e, v in zip(edges, row[:3], strict=True)) for row in strangers]
    expected = [(bins + 1 - r, f, m) for r, f, m in expected]
    found = scores(lenient.transform(table([*rows, *strangers])))
    assert found == oracle(rows, (bins,) * 3, "same", nested=nested, by=True) + expected
    assert [lenient.score_one(*row[:3], group="nowhere")[:3] for row in strangers] == expected


@given(CUSTOMERS, CUSTOMERS, BINS)
def test_nested_cells_never_seen(rows: list[Customer], others: list[Customer], bins: tuple[int, int, int]) -> None:
    fit = settings_of(bins, "same", nested=True, by=False)
    strict, lenient = (custcore.RFMScorer(**fit, unseen=rule).fit(table(rows)) for rule in ("error", "global"))
    members = defaultdict(list)
    for row, (r, f, _) in zip(rows, oracle(rows, bins, "same", nested=True, by=False), strict=True):
        for i, cell in enumerate([(), (r,), (r, f)]):
            members[cell].append(row[i])
    everyone = [[row[i] for row in rows] for i in range(3)]
    for other in others:
        cell: tuple[int, ...] = ()
        unseen = False
        for i, size in enumerate(bins):
            unseen = unseen or cell not in members
            score = above(edges_reference(members.get(cell, everyone[i]), size), other[i])
            cell = (*cell, size + 1 - score if i == 0 else score)
        assert lenient.score_one(*other[:3])[:3] == cell
        assert scores(lenient.transform(table([other]))) == [cell]
        if unseen:
            for score_it in (lambda o=other: strict.score_one(*o[:3]), lambda o=other: strict.transform(table([o]))):
                with pytest.raises(InvalidArgumentError, match="global"):
                    score_it()
        else:
            assert strict.score_one(*other[:3])[:3] == cell


WEIGHTS = st.tuples(*[st.integers(0, 1000).map(lambda n: n / 8)] * 3).filter(any)


@given(CUSTOMERS, BINS, WEIGHTS)
def test_columns_beside_the_scores(
    rows: list[Customer], bins: tuple[int, int, int], weights: tuple[float, float, float]
) -> None:
    found = custcore.RFMScorer(bins, weights=weights).fit_transform(table(rows)).to_pyarrow()
    for row in found.to_pylist():
        r, f, m = row["r_score"], row["f_score"], row["m_score"]
        assert row["rfm_cell"] == f"{r}-{f}-{m}"
        assert row["rfm_total"] == weights[0] * r + weights[1] * f + weights[2] * m  # eighths: exact
        assert row["rfm_score"] == (100 * r + 10 * f + m if max(bins) <= 9 else None)
    assert ("segment" in found.column_names) == (bins[:2] == (5, 5))


@given(
    st.integers(0, 30),
    st.sampled_from(["orders", "days", "rows"]),
    st.sampled_from(["total", "mean"]),
    st.sampled_from([None, "place"]),
)
def test_choices_of_frequency_money_and_group(seed: int, frequency: str, monetary: str, by: str | None) -> None:
    """`rfm_scores` collects what the choices need by itself, with orders, and scores the columns they name."""
    data = transactions(120, customers=25, seed=seed, nulls=False)
    data = data.append_column("order", pa.array([f"o{i // 3 % 9}" for i in range(120)]))
    data = data.append_column("place", pa.array(["x" if i % 3 else "y" for i in range(120)]))
    options: dict[str, Any] = {"frequency": frequency, "monetary": monetary, "by": by, "bins": 4}
    found = custcore.rfm_scores(data, order_id="order", **options)
    arrow = found.to_pyarrow()
    columns = ("recency_days", {"orders": "n_orders", "days": "n_days", "rows": "n_rows"}[frequency])
    r, f, m = (arrow[c].to_pylist() for c in (*columns, f"monetary_{monetary}"))
    groups = arrow[by].to_pylist() if by else [None] * arrow.num_rows
    assert scores(found) == group_reference(groups, r, f, m, 4)
    kept = custcore.rfm(data, order_id="order", n_days=True, attributes={"place": "first"})
    again = custcore.RFMScorer(**options).fit_transform(kept)
    assert scores(again) == scores(found)
    if by:
        assert groups == kept.to_pyarrow()["place"].to_pylist()


# The eight segments by (R, F, M) high, as definitions.md lists them.
OCTANTS = {
    (True, True, True): ("important value customers", "重要价值客户"),
    (False, True, True): ("important keep customers", "重要保持客户"),
    (True, False, True): ("important develop customers", "重要发展客户"),
    (False, False, True): ("important win back customers", "重要挽留客户"),
    (True, True, False): ("general value customers", "一般价值客户"),
    (False, True, False): ("general keep customers", "一般保持客户"),
    (True, False, False): ("general develop customers", "一般发展客户"),
    (False, False, False): ("general win back customers", "一般挽留客户"),
}
EQUAL = [(1, 1, 0.35, None)] * 3


@given(CUSTOMERS, st.sampled_from(["mean", "median"]), st.sampled_from(["en", "zh"]))
@example(EQUAL, "mean", "en")  # the floats' sum over 3 is below 0.35: nobody is above the mean of equals
def test_octants(rows: list[Customer], center: str, lang: str) -> None:
    """Strictly on the better side of the exact mean or median, in fractions."""
    centers = []
    for i in range(3):
        values = [Fraction(row[i]) for row in rows]
        centers.append(sum(values) / len(values) if center == "mean" else median(values))
    r, f, m = centers
    expected = [OCTANTS[row[0] < r, row[1] > f, row[2] > m][lang == "zh"] for row in rows]
    octants = custcore.SegmentMap.named("octants", center=center, lang=lang)
    scorer = custcore.RFMScorer(segments=octants)
    assert scorer.fit_transform(table(rows)).to_pyarrow()["segment"].to_pylist() == expected
    assert [scorer.score_one(*row[:3])[3] for row in rows] == expected
    assert set(octants.names) == {names[lang == "zh"] for names in OCTANTS.values()}


@given(CUSTOMERS, CUSTOMERS)
def test_octants_keep_the_fitted_centres(rows: list[Customer], others: list[Customer]) -> None:
    scorer = custcore.RFMScorer(segments="octants").fit(table(rows))
    r, f, m = (sum(Fraction(row[i]) for row in rows) / len(rows) for i in range(3))
    near = [row for row in others if min(abs(row[0] - r), abs(row[1] - f), abs(row[2] - m)) > Fraction(1, 1000)]
    expected = [OCTANTS[row[0] < r, row[1] > f, row[2] > m][0] for row in near]
    assert scorer.transform(table(near)).to_pyarrow()["segment"].to_pylist() == expected


RANGES = st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda pair: tuple(sorted(pair)))
RULES = st.lists(st.tuples(st.sampled_from("ABCD"), RANGES, RANGES, RANGES), min_size=1, max_size=7)


@given(RULES, st.sampled_from([None, "rest", "A"]))
@example([("A", (1, 3), None, None), ("B", None, None, None), ("A", (2, 4), None, None)], None)
def test_segment_maps_by_brute_force(rules: list[Any], rest: str | None) -> None:
    """Every cell of 4 x 4 (x 4) tried with every rule."""
    with_money = any(m is not None for *_, m in rules)
    cells = list(product(range(1, 5), range(1, 5), range(1, 5) if with_money else [1]))
    hits = {
        cell: [
            name
            for name, *ranges in rules
            if all(pair is None or pair[0] <= s <= pair[1] for pair, s in zip(ranges, cell, strict=True))
        ]
        for cell in cells
    }
    uncovered = [cell for cell in cells if not hits[cell]]
    if uncovered and rest is None:
        with pytest.raises(InvalidArgumentError, match=rf"{len(uncovered)} cells.*rest"):
            custcore.SegmentMap(rules, bins=4)
        return
    segment_map = custcore.SegmentMap(rules, bins=4, rest=rest)
    assert segment_map.uncovered() == uncovered
    names = {cell: list(dict.fromkeys(found)) for cell, found in hits.items()}
    assert segment_map.overlaps() == [(cell, found) for cell, found in names.items() if len(found) > 1]
    assert {cell: segment_map.segment(*cell) for cell in cells} == {c: (f[0] if f else rest) for c, f in names.items()}
    assert segment_map.names == list(dict.fromkeys([*(rule[0] for rule in rules), *([rest] if rest else [])]))
    assert segment_map.segment(5, 1) is None


@given(CUSTOMERS, RULES)
def test_segments_of_customers_are_those_of_their_cells(rows: list[Customer], rules: list[Any]) -> None:
    segment_map = custcore.SegmentMap(rules, bins=4, rest="rest")
    found = custcore.RFMScorer(4, segments=segment_map).fit_transform(table(rows)).to_pyarrow()
    cells = scores(custcore.RFMScorer(4).fit_transform(table(rows)))
    assert found["segment"].to_pylist() == [segment_map.segment(*cell) for cell in cells]
    assert found["segment"].chunk(0).dictionary.to_pylist() == segment_map.names


def test_named_maps_cell_by_cell() -> None:
    rf10, r = custcore.SegmentMap.named("rf10"), custcore.SegmentMap.named("r_vignette")
    assert {cell: rf10.segment(*cell) for cell in RF10} == RF10
    assert (rf10.uncovered(), rf10.overlaps(), rf10.rest) == ([], [], None)
    limits = {  # golden/README.md: lower and upper limits in the order of the names
        "R": ([5, 3, 2, 3, 4, 1, 1, 1, 2, 1], [5, 5, 4, 4, 5, 2, 2, 3, 3, 1]),
        "F": ([5, 3, 2, 1, 1, 3, 2, 3, 1, 1], [5, 5, 4, 3, 3, 4, 5, 5, 3, 5]),
        "M": ([5, 2, 2, 3, 1, 4, 4, 3, 1, 1], [5, 5, 4, 5, 5, 5, 5, 5, 4, 5]),
    }
    ranges = [list(zip(*limits[dimension], strict=True)) for dimension in "RFM"]
    rules = list(zip(r.names[:10], *ranges, strict=True))
    assert r.rules == rules
    assert (r.rest, r.names[10:]) == ("Others", ["Others"])
    for cell in product(range(1, 6), repeat=3):
        fits = (n for n, *pairs in rules if all(a <= s <= b for (a, b), s in zip(pairs, cell, strict=True)))
        assert r.segment(*cell) == next(fits, "Others")


@given(CUSTOMERS, BINS, st.sampled_from(["same", "split"]), WEIGHTS)
def test_rfm_is_a_case_of_quantile_scores(
    rows: list[Customer], bins: tuple[int, int, int], ties: str, weights: tuple[float, float, float]
) -> None:
    data = table(rows)
    rfm = custcore.RFMScorer(bins, ties=ties, weights=weights, segments=None)
    general = custcore.QuantileScorer(VALUES, directions={"recency_days": "low"}, bins=bins, ties=ties, weights=weights)
    ours, theirs = general.fit_transform(data), rfm.fit_transform(data).to_pyarrow()
    added = [*(f"{name}_score" for name in VALUES), "score_cell", "score_total"]
    assert ours.column_names == [*data.column_names, *added]
    assert scores(ours, added) == list(
        zip(*(theirs[c].to_pylist() for c in ("r_score", "f_score", "m_score", "rfm_cell", "rfm_total")), strict=True)
    )
    dimensions = dict(zip(VALUES, DIMENSIONS, strict=True))
    thresholds = general.thresholds.to_pyarrow().to_pylist()
    assert [t | {"dimension": dimensions[t["dimension"]]} for t in thresholds] == (
        rfm.thresholds.to_pyarrow().to_pylist()
    )
    for customer, row in zip(ids_of(len(rows)), rows, strict=True):
        one = general.score_one(row[:3], customer_id=customer)
        assert one == rfm.score_one(*row[:3], customer_id=customer)[:3]


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9) | st.none(), st.integers(-(2**62), 2**62)), min_size=1, max_size=25),
    st.tuples(BIN, BIN),
    st.tuples(*[st.sampled_from(["high", "low"])] * 2),
)
def test_scores_of_any_columns(rows: list[tuple[Any, int]], bins: tuple[int, int], ends: tuple[str, str]) -> None:
    """Nulls have no score and move no edge; which end is best turns the scores around."""
    margin, visits = zip(*rows, strict=True)
    data = pa.table({"margin": pa.array(margin, pa.float64()), "visits": pa.array(visits, pa.int64())})
    present = [value for value in margin if value is not None]
    if not present:
        return
    found = custcore.QuantileScorer(["margin", "visits"], directions=ends, bins=bins).fit_transform(data).to_pyarrow()
    known = iter(scores_reference(present, bins[0], reverse=ends[0] == "low"))
    expected = [None if value is None else next(known) for value in margin]
    assert found["margin_score"].to_pylist() == expected
    assert found["visits_score"].to_pylist() == scores_reference(visits, bins[1], reverse=ends[1] == "low")
    cells = zip(expected, found["visits_score"].to_pylist(), strict=True)
    assert found["score_cell"].to_pylist() == [None if a is None else f"{a}-{b}" for a, b in cells]
    assert "score_total" not in found.column_names


PROFILED = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 40), MONEY, GROUPS), min_size=1, max_size=25)


@given(PROFILED, st.booleans())
def test_profile_is_pandas_groupby(rows: list[Customer], dictionary: bool) -> None:
    data = table(rows)
    if dictionary:
        data = data.set_column(4, "group", data["group"].combine_chunks().dictionary_encode())
    found = {row["group"]: row for row in custcore.profile(data, by="group").to_pyarrow().to_pylist()}
    frame = pd.DataFrame(rows, columns=["recency", "frequency", "monetary", "group"])
    groups = frame.groupby("group", dropna=False)
    assert sum(row["customers"] for row in found.values()) == len(rows)
    assert {name for name, row in found.items() if row["customers"]} == {row[3] for row in rows}
    assert all(row["recency_mean"] is None for row in found.values() if not row["customers"])
    whole = math.fsum(frame["monetary"])
    for key, group in groups:
        row = found[None if pd.isna(key) else key]
        assert row["customers"] == len(group)
        assert row["share"] == len(group) / len(rows)
        assert row["revenue"] == math.fsum(group["monetary"])
        if abs(whole) > 1e-6:
            assert row["revenue_share"] == pytest.approx(math.fsum(group["monetary"]) / whole, rel=1e-9)
        for name in ("recency", "frequency", "monetary"):
            assert row[f"{name}_mean"] == pytest.approx(group[name].mean(), rel=1e-12, abs=1e-9)
            assert row[f"{name}_median"] == pytest.approx(group[name].median(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("money", [True, False])
def test_profile_keeps_the_order_of_the_map(money: bool) -> None:
    scored = custcore.rfm_scores(transactions(400, customers=60), amount="amount" if money else None)
    profile = custcore.profile(scored).to_pyarrow()
    assert profile["segment"].to_pylist() == custcore.SegmentMap.named("rf10").names
    assert sum(profile["customers"].to_pylist()) == scored.num_rows
    assert math.isclose(sum(profile["share"].to_pylist()), 1)
    names = {name.split("_")[0] for name in profile.column_names}
    assert ({"revenue", "monetary"} <= names) == money
    assert names.isdisjoint({"revenue", "monetary"}) != money


@pytest.mark.parametrize(("frequency", "monetary"), [("days", "mean"), ("rows", "total"), ("orders", "mean")])
def test_profile_of_other_choices(frequency: str, monetary: str) -> None:
    scored = custcore.rfm_scores(transactions(300, customers=40), frequency=frequency, monetary=monetary)
    frame = scored.to_pyarrow().to_pandas()
    groups = frame.groupby("segment", observed=True)
    profile = custcore.profile(scored, frequency=frequency, monetary=monetary).to_pyarrow().to_pandas()
    profile = profile[profile["customers"] > 0].set_index("segment")
    for column, name in ((f"n_{frequency}", "frequency"), (f"monetary_{monetary}", "monetary")):
        for statistic in ("mean", "median"):
            expected = getattr(groups[column], statistic)()
            found = profile[f"{name}_{statistic}"].reindex(expected.index.astype(str)).to_numpy()
            np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-12)
    revenue = groups["monetary_total"].sum()
    np.testing.assert_allclose(profile["revenue"].reindex(revenue.index.astype(str)), revenue.to_numpy(), rtol=1e-12)
