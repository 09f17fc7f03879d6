"""`RFMScorer`: scores as defined, at the borders and beyond them."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import CustcoreError, NotEnoughDataError, NotFittedError
from tests.reference import RF10, edges_reference, float_at_or_below, rfm_scores_reference
from tests.samples import transactions


def customers(recency: list[int], frequency: list[int], monetary: list[float] | None) -> pa.Table:
    columns: dict[str, Any] = {
        "customer_id": pa.array(range(len(recency)), pa.int64()),
        "recency_days": pa.array(recency, pa.int32()),
        "n_orders": pa.array(frequency, pa.int64()),
    }
    return pa.table(columns if monetary is None else columns | {"monetary_total": pa.array(monetary, pa.float64())})


def scores(table: Any) -> list[tuple[int, ...]]:
    arrow = table.to_pyarrow()
    return list(zip(*(arrow[c].to_pylist() for c in ("r_score", "f_score", "m_score")), strict=True))


RECENCY = [0, 3, 3, 9, 30, 31, 60, 90, 200, 365]
FREQUENCY = [9, 1, 1, 1, 2, 2, 3, 5, 1, 1]
MONETARY = [99.5, 10.0, 10.01, 20.0, 0.0, -5.0, 33.33, 66.67, 100.0, 10.0]


@pytest.mark.parametrize("bins", [2, 3, 4, 5, 10, 100])
def test_scores_are_the_integer_form(bins: int) -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY)
    found = custcore.RFMScorer(bins=bins).fit_transform(table)
    assert scores(found) == rfm_scores_reference(RECENCY, FREQUENCY, MONETARY, bins)


def test_output_columns_follow_the_input_columns() -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY).append_column("note", pa.array(list("abcdefghij")))
    found = custcore.RFMScorer().fit_transform(table).to_pyarrow()
    added = ["r_score", "f_score", "m_score", "rfm_cell", "rfm_score", "rfm_total", "segment"]
    assert found.column_names == table.column_names + added
    assert found.select(table.column_names).equals(table)
    for row in found.to_pylist():
        r, f, m = row["r_score"], row["f_score"], row["m_score"]
        assert row["rfm_cell"] == f"{r}-{f}-{m}"
        assert row["rfm_score"] == 100 * r + 10 * f + m
        assert row["rfm_total"] == 100 * r + 10 * f + m
        assert row["segment"] == RF10[r, f]


def test_weights() -> None:
    found = custcore.RFMScorer(weights=(0.5, 0.3, 0.2)).fit_transform(customers(RECENCY, FREQUENCY, MONETARY))
    for row in found.to_pyarrow().to_pylist():
        expected = 0.5 * row["r_score"] + 0.3 * row["f_score"] + 0.2 * row["m_score"]
        assert row["rfm_total"] == pytest.approx(expected, rel=1e-15)
        assert row["rfm_score"] == 100 * row["r_score"] + 10 * row["f_score"] + row["m_score"]


def test_rfm_score_is_null_where_a_digit_would_not_do() -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY)
    found = custcore.RFMScorer(bins=(5, 10, 3)).fit_transform(table)
    arrow = found.to_pyarrow()
    assert arrow["rfm_score"].type == pa.int32()
    assert arrow["rfm_score"].null_count == arrow.num_rows
    assert arrow["rfm_cell"].to_pylist() == [f"{r}-{f}-{m}" for r, f, m in scores(found)]
    assert custcore.RFMScorer(bins=9).fit_transform(table).to_pyarrow()["rfm_score"].null_count == 0


def test_one_customer_and_equal_customers() -> None:
    assert scores(custcore.RFMScorer().fit_transform(customers([7], [2], [9.9]))) == [(5, 1, 1)]
    assert scores(custcore.RFMScorer(bins=3).fit_transform(customers([7] * 4, [2] * 4, [0.0] * 4))) == [(3, 1, 1)] * 4


def test_fewer_distinct_values_than_bins() -> None:
    table = customers([1, 1, 2, 2], [1, 1, 1, 2], [5.0, 5.0, 6.0, 6.0])
    found = custcore.RFMScorer().fit_transform(table)
    assert scores(found) == rfm_scores_reference([1, 1, 2, 2], [1, 1, 1, 2], [5, 5, 6, 6], 5)


def test_zeros_of_either_sign_are_equal() -> None:
    found = custcore.RFMScorer(bins=2).fit_transform(customers([1, 1, 1], [1, 1, 1], [0.0, -0.0, 1.0]))
    assert [m for _, _, m in scores(found)] == [1, 1, 2]
    scorer = custcore.RFMScorer(bins=2).fit(customers([1, 1, 1], [1, 1, 1], [-0.0, -0.0, -0.0]))
    assert scorer.score_one(1, 1, 0.0)[2] == 1


def test_outside_the_fitted_range() -> None:
    scorer = custcore.RFMScorer().fit(customers(RECENCY, FREQUENCY, MONETARY))
    assert scorer.score_one(10_000, 1, -1e9)[:3] == (1, 1, 1)
    assert scorer.score_one(0, 10_000, 1e9)[:3] == (5, 5, 5)
    far = scorer.transform(customers([10_000, 0], [1, 10_000], [-math.inf, math.inf]))
    assert scores(far) == [(1, 1, 1), (5, 5, 5)]


def test_edges_are_quantiles_rounded_down() -> None:
    """The score changes right above the largest float that is not above the exact quantile."""
    scorer = custcore.RFMScorer(bins=4).fit(customers(RECENCY, FREQUENCY, MONETARY))
    for j, edge in enumerate(edges_reference(MONETARY, 4), start=1):
        at = float_at_or_below(edge)
        assert scorer.score_one(0, 1, at)[2] == j
        assert scorer.score_one(0, 1, math.nextafter(at, math.inf))[2] == j + 1
    for j, edge in enumerate(edges_reference(RECENCY, 4), start=1):
        at = math.floor(edge)
        assert (scorer.score_one(at, 1, 0.0)[0], scorer.score_one(at + 1, 1, 0.0)[0]) == (5 - j, 4 - j)


def test_thresholds_show_edges_counts_and_empty_bins() -> None:
    recency, frequency = [1, 2, 3, 4], [1, 1, 1, 2]
    scorer = custcore.RFMScorer(bins=(2, 4, 3)).fit(customers(recency, frequency, [0.0, 1.0, 2.0, 3.0]))
    rows = scorer.thresholds.to_pyarrow().to_pylist()
    found = [(r["dimension"], r["score"], r["lower"], r["upper"], r["customers"], r["is_empty"]) for r in rows]
    assert found == [
        ("recency", 1, 2.0, 4.0, 2, False),  # edges of whole days are whole: 2.5 rounded down
        ("recency", 2, 1.0, 2.0, 2, False),
        ("frequency", 1, 1.0, 1.0, 3, False),
        ("frequency", 2, 1.0, 1.0, 0, True),
        ("frequency", 3, 1.0, 1.0, 0, True),
        ("frequency", 4, 1.0, 2.0, 1, False),
        ("monetary", 1, 0.0, 1.0, 2, False),
        ("monetary", 2, 1.0, 2.0, 1, False),
        ("monetary", 3, 2.0, 3.0, 1, False),
    ]


def test_transform_needs_the_names_not_the_order() -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY)
    scorer = custcore.RFMScorer().fit(table)
    other = table.select(["monetary_total", "n_orders", "customer_id", "recency_days"])
    assert scores(scorer.transform(other)) == scores(scorer.transform(table))
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="n_orders"):
        scorer.transform(table.drop(["n_orders"]))


def test_other_choices_of_frequency_and_money() -> None:
    table = custcore.rfm(transactions(400, customers=40))
    arrow = table.to_pyarrow()
    found = custcore.RFMScorer(frequency="rows", monetary="mean").fit_transform(table)
    columns = (arrow[c].to_pylist() for c in ("recency_days", "n_rows", "monetary_mean"))
    assert scores(found) == rfm_scores_reference(*columns, 5)


def test_without_money_there_is_no_m() -> None:
    found = custcore.RFMScorer().fit_transform(customers(RECENCY, FREQUENCY, None)).to_pyarrow()
    assert "m_score" not in found.column_names
    expected = rfm_scores_reference(RECENCY, FREQUENCY, FREQUENCY, 5)
    for column, at in (("r_score", 0), ("f_score", 1)):
        assert found[column].to_pylist() == [e[at] for e in expected]
    assert found["segment"].to_pylist() == [RF10[r, f] for r, f, _ in expected]
    assert "m_score" not in custcore.rfm_scores(transactions(), amount=None).column_names


@pytest.mark.parametrize("bins", [(5, 4, 3), {"recency": 5, "frequency": 4, "monetary": 3}], ids=["tuple", "dict"])
def test_bins_per_dimension(bins: Any) -> None:
    found = custcore.RFMScorer(bins=bins).fit_transform(customers(RECENCY, FREQUENCY, MONETARY))
    assert scores(found) == rfm_scores_reference(RECENCY, FREQUENCY, MONETARY, (5, 4, 3))


@pytest.mark.parametrize(
    "bins", [1, 0, -5, 101, 5.5, "5", True, None, (5, 5), (5, 1, 5), {"recency": 5, "money": 5}], ids=str
)
def test_bins_out_of_range(bins: Any) -> None:
    with pytest.raises(ValueError, match="bins") as caught:
        custcore.RFMScorer(bins=bins)
    assert isinstance(caught.value, CustcoreError)
    assert any(hint in str(caught.value) for hint in ("2 to 100", "recency", "three"))


@pytest.mark.parametrize("weights", [(1, 2), (1, 2, 3, 4), (1, -1, 1), (0, 0, 0), (1, math.nan, 1), "abc", 5], ids=str)
def test_wrong_weights(weights: Any) -> None:
    with pytest.raises(ValueError, match="weights") as caught:
        custcore.RFMScorer(weights=weights)
    assert isinstance(caught.value, CustcoreError)


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("ties", "smae", "same"),
        ("frequency", "order", "orders"),
        ("monetary", "sum", "total"),
        ("segments", "rf11", "rf10"),
    ],
)
def test_unknown_options_list_the_known_ones(option: str, value: str, known: str) -> None:
    with pytest.raises(ValueError, match=rf"{option}|name") as caught:
        custcore.RFMScorer(**{option: value})
    assert isinstance(caught.value, CustcoreError)
    assert value in str(caught.value)
    assert known in str(caught.value)


def test_not_fitted() -> None:
    scorer = custcore.RFMScorer()
    for use in (
        lambda: scorer.transform(customers([1], [1], [1.0])),
        lambda: scorer.score_one(1, 1, 1.0),
        lambda: scorer.thresholds,
    ):
        with pytest.raises(NotFittedError, match="fit") as caught:
            use()
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, AttributeError)


def test_nothing_to_fit() -> None:
    with pytest.raises(NotEnoughDataError):
        custcore.RFMScorer().fit(customers([], [], []))
    with pytest.raises(NotEnoughDataError):
        custcore.RFMScorer().fit(customers([1], [1], [1.0]).slice(1))


def test_scores_of_an_empty_table_are_an_empty_table() -> None:
    empty = custcore.rfm_scores(transactions().slice(0, 0))
    assert empty.num_rows == 0
    assert pa.schema(empty).equals(pa.schema(custcore.rfm_scores(transactions())))


def test_a_failed_fit_leaves_the_old_one() -> None:
    scorer = custcore.RFMScorer().fit(customers(RECENCY, FREQUENCY, MONETARY))
    before = scorer.score_one(10, 2, 20.0)
    with pytest.raises(NotEnoughDataError):
        scorer.fit(customers([], [], []))
    assert scorer.score_one(10, 2, 20.0) == before


def test_fit_returns_itself_and_may_be_repeated() -> None:
    scorer, table = custcore.RFMScorer(), customers(RECENCY, FREQUENCY, MONETARY)
    assert scorer.fit(customers([1], [1], [1.0])) is scorer
    assert scores(scorer.fit(table).transform(table)) == rfm_scores_reference(RECENCY, FREQUENCY, MONETARY, 5)


@pytest.mark.parametrize("missing", [None, math.nan], ids=["null", "NaN"])
def test_a_missing_value_has_no_score_and_moves_no_edge(missing: float | None) -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY)
    holed = pa.concat_tables([table, customers([1], [1], [missing])])
    rows = custcore.RFMScorer().fit_transform(holed).to_pyarrow().to_pylist()
    assert [r["m_score"] for r in rows] == [
        *(s[2] for s in rfm_scores_reference(RECENCY, FREQUENCY, MONETARY, 5)),
        None,
    ]
    assert [rows[-1][c] for c in ("rfm_score", "rfm_total")] == [None, None]


def test_fields_pass_through_as_they_are() -> None:
    """Names, types, nullability and metadata: a scorer adds columns and touches none."""
    table = customers(RECENCY, FREQUENCY, MONETARY)
    fields = [pa.field(f.name, f.type, nullable=False, metadata={"note": f.name}) for f in table.schema]
    strict = table.cast(pa.schema(fields)).append_column("group", pa.array(list("aabbaabbaa")).dictionary_encode())
    found = custcore.RFMScorer().fit_transform(strict).to_pyarrow()
    for before, after in zip(strict.schema, found.schema, strict=False):
        assert after.equals(before, check_metadata=True)
    assert found.select(strict.column_names).to_pylist() == strict.to_pylist()


def test_segments_are_automatic_for_five_bins_only() -> None:
    table = customers(RECENCY, FREQUENCY, MONETARY)
    assert "segment" in custcore.RFMScorer().fit_transform(table).column_names
    assert "segment" in custcore.RFMScorer(bins=(5, 5, 3)).fit_transform(table).column_names
    assert "segment" not in custcore.RFMScorer(bins=4).fit_transform(table).column_names
    assert "segment" not in custcore.RFMScorer(segments=None).fit_transform(table).column_names
    assert custcore.RFMScorer(bins=4).fit(table).score_one(1, 1, 1.0)[3] is None
    named = custcore.RFMScorer(segments=custcore.SegmentMap.named("rf10")).fit_transform(table)
    assert named.to_pyarrow().equals(custcore.RFMScorer().fit_transform(table).to_pyarrow())
    with pytest.raises(ValueError, match="5") as caught:
        custcore.RFMScorer(bins=4, segments="rf10").fit(table)
    assert isinstance(caught.value, CustcoreError)


def test_rf10_cell_by_cell() -> None:
    """All 25 cells, out of a table whose R and F scores are every pair."""
    pairs = [(r, f) for r in range(5) for f in range(1, 6)]
    found = custcore.RFMScorer().fit_transform(customers([r for r, _ in pairs], [f for _, f in pairs], [0.0] * 25))
    rows = found.to_pyarrow().to_pylist()
    assert {(row["r_score"], row["f_score"]): row["segment"] for row in rows} == RF10
    assert set(pa.table(found)["segment"].chunk(0).dictionary.to_pylist()) == set(RF10.values())


def test_the_scorer_describes_itself() -> None:
    assert "bins=7" in repr(custcore.RFMScorer(bins=7)).replace(" ", "")
    assert "not fitted" in repr(custcore.RFMScorer()).lower()
