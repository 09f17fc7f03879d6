"""A negative recency and a frequency below 1 are of no customer: errors that name the place and the way out."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import OutOfRangeError

CUSTOMERS = pa.table(
    {
        "customer_id": range(6),
        "recency_days": pa.array([9, 3, 3, 0, 7, 1], pa.int32()),
        "n_orders": [1, 2, 2, 5, 1, 3],
        "n_days": [1, 1, 2, 4, 1, 3],
        "monetary_total": [1.5, 2.5, 2.5, 9.0, -1.0, 4.0],
        "country": ["a", "a", "b", "b", "b", "a"],
    }
)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "split": {"ties": "split"},
    "nested": {"binning": "nested", "unseen": "global"},
    "r": {"cuts_rule": "r"},
    "cuts": {"cuts": {"recency": [-5, 3], "frequency": [-1, 2]}, "segments": None},
    "octants": {"segments": "octants"},
    "groups": {"by": "country"},
    "days": {"frequency": "days"},
}
BELOW = [-1, -(2**70), -0.5, -1e-300, -math.inf, Decimal("-0.01"), np.int8(-1), np.float32(-2)]
FREQUENCIES = [0, -3, 0.5, 0.0, -0.0, math.nextafter(1, 0), Decimal("0.99"), np.int64(0)]


def refused(call: Any, *says: str) -> OutOfRangeError:
    with pytest.raises(OutOfRangeError) as caught:
        call()
    assert isinstance(caught.value, ValueError)
    for part in says:
        assert part in str(caught.value)
    return caught.value


def changed(column: str, at: int, value: Any, kind: pa.DataType | None = None) -> pa.Table:
    values = CUSTOMERS[column].to_pylist()
    if isinstance(value, Decimal):
        values, kind = [Decimal(number) for number in values], pa.decimal128(20, 1)
    values[at] = value
    return CUSTOMERS.set_column(CUSTOMERS.column_names.index(column), column, pa.array(values, kind))


@pytest.mark.parametrize("name", OPTIONS)
def test_one_customer(name: str) -> None:
    scorer = custcore.RFMScorer(**OPTIONS[name]).fit(CUSTOMERS)
    group = {"group": "a"} if name == "groups" else {}
    for call in (scorer.score_one, scorer.explain):
        for value in BELOW:
            error = refused(
                lambda v=value, call=call: call(v, 1, 2.0, **group), "recency_days is ", "expected 0 or more"
            )
            assert error.column == "recency_days"
        for value in FREQUENCIES:
            error = refused(lambda v=value, call=call: call(1, v, 2.0, **group), "frequency is ", "expected 1 or more")
            assert error.column == "frequency"
    # The bounds themselves, and money of any size, are scored.
    assert scorer.score_one(0, 1, -math.inf, **group)[:3]
    assert scorer.score_one(0.0, 1.0, -1e300, **group)[:3]
    assert scorer.score_one(Decimal(0), Decimal(1), Decimal(-5), **group)[:3]


def test_what_is_said_of_one_customer() -> None:
    scorer = custcore.RFMScorer().fit(CUSTOMERS)
    assert str(refused(lambda: scorer.score_one(-1, 1, 3))) == (
        "recency_days is -1; expected 0 or more (the days since the last purchase): compute it as of the day of the "
        "last purchase or a later one"
    )
    assert str(refused(lambda: scorer.score_one(1, Decimal("0.50"), 3))) == (
        "frequency is 0.50; expected 1 or more (every customer has a purchase): whoever has none has no score"
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_tables(name: str) -> None:
    frequency = "n_days" if name == "days" else "n_orders"
    wrong = [("recency_days", 4, -2, "-2", "0"), (frequency, 2, 0, "0", "1"), (frequency, 3, 0.25, "0.25", "1")]
    wrong += [("recency_days", 5, Decimal("-0.5"), "-0.5", "0")]
    fitted = custcore.RFMScorer(**OPTIONS[name]).fit(CUSTOMERS)
    before = fitted.to_bytes()
    for column, row, value, shown, least in wrong:
        table = changed(column, row, value)
        for call in (fitted.transform, fitted.fit_transform, fitted.fit, fitted.drift):
            error = refused(
                lambda call=call, table=table: call(table),
                f"column '{column}' is {shown} at row {row}; expected {least} or more",
            )
            assert (error.column, error.row) == (column, row)
    assert fitted.to_bytes() == before


def test_rows_are_counted_over_all_batches_and_all_wrong_rows_are_told() -> None:
    scorer = custcore.RFMScorer().fit(CUSTOMERS)
    broken = changed("n_orders", 3, 0)
    stream = pa.Table.from_batches([*CUSTOMERS.to_batches(), *broken.to_batches(), *broken.to_batches()])
    for call in (scorer.transform, scorer.fit, scorer.drift):
        assert refused(lambda call=call: call(stream), "n_orders", "at row 9").row == 9
    both = CUSTOMERS.set_column(2, "n_orders", pa.array([1, 0, 2, -1, 0, 3]))
    assert refused(lambda: scorer.transform(both), "at row 1, and 2 more rows have such values").row == 1


def test_an_unknown_group_is_counted_over_all_batches() -> None:
    scorer = custcore.RFMScorer(by="country").fit(CUSTOMERS)
    table = pa.Table.from_batches([*CUSTOMERS.to_batches(), *changed("country", 4, "z").to_batches()])
    with pytest.raises(custcore.errors.InvalidArgumentError, match="at row 10"):
        scorer.transform(table)


def test_nulls_and_nan_have_no_score_as_before() -> None:
    table = changed("recency_days", 1, None, pa.int32())
    table = table.set_column(2, "n_orders", pa.array([1, 2, None, 5, math.nan, 3], pa.float64()))
    found = custcore.RFMScorer().fit_transform(table).to_pyarrow()
    assert [score is None for score in found["r_score"].to_pylist()] == [False, True, False, False, False, False]
    assert [score is None for score in found["f_score"].to_pylist()] == [False, False, True, False, True, False]
    empty = CUSTOMERS.slice(0, 0)
    assert custcore.RFMScorer().fit(CUSTOMERS).transform(empty).num_rows == 0
    nothing = CUSTOMERS.set_column(1, "recency_days", pa.nulls(6, pa.int32()))
    assert custcore.RFMScorer().fit(CUSTOMERS).transform(nothing)["r_score"].to_pylist() == [None] * 6


def test_scores_of_other_columns_have_no_bounds() -> None:
    scorer = custcore.QuantileScorer(["recency_days", "n_orders"]).fit(changed("n_orders", 0, 0))
    assert scorer.score_one([-7, 0]) == (1, 1)
    assert scorer.transform(changed("recency_days", 0, -9)).num_rows == 6
