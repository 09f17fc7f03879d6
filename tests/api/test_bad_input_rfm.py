"""Bad input to orders, scorers and segment maps: one class per kind, and a message with the way out.

`test_errors.py` has what concerns ids, times and amounts.
"""

from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore import QuantileScorer, RFMScorer, SegmentMap, errors
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    NotEnoughDataError,
    NotFittedError,
    StateMismatchError,
    SumOverflowError,
)
from tests.samples import replace

DAY = date(2024, 1, 1)
LINES = pa.table(
    {
        "customer_id": ["a", "a", "b", "b"],
        "timestamp": [DAY] * 4,
        "amount": [1.0, 2.0, 3.0, 4.0],
        "order": ["x", "x", "y", None],
        "place": ["u", "v", None, "v"],
    }
)
CUSTOMERS = pa.table(
    {
        "customer_id": pa.array(range(6), pa.int64()),
        "recency_days": pa.array([9, 3, 3, 0, 7, 1], pa.int32()),
        "n_orders": pa.array([1, 2, 2, 5, 1, 3], pa.int64()),
        "monetary_total": [1.5, 2.5, 2.5, 9.0, -1.0, 4.0],
    }
)
RULES = [("all", None, None)]


def column(name: str, values: Any, kind: pa.DataType | None = None) -> pa.Table:
    return replace(LINES, name, pa.array(values, kind))


def refused(call: Any, error: type[CustcoreError], *says: str) -> CustcoreError:
    """`call` ends in this very class, whose message has all these parts."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value)
    return caught.value


ORDERS: dict[str, tuple[Any, dict[str, Any], type[CustcoreError], tuple[str, ...]]] = {
    "missing": (LINES, {"order_id": "odrer"}, ColumnNotFoundError, ("odrer", "order_id", "did you mean 'order'")),
    "twice": (LINES.append_column("order", LINES["order"]), {"order_id": "order"}, DuplicateColumnError, ("order",)),
    "floats": (column("order", [1.0, 1.0, 2.0, None]), {"order_id": "order"}, InvalidTypeError, ("float64", "pandas")),
    "bools": (column("order", [True, False, True, None]), {"order_id": "order"}, InvalidTypeError, ("bool", "ast")),
    "lists": (column("order", [[1], [], [], None]), {"order_id": "order"}, InvalidTypeError, ("list", "ast")),
    "structs": (column("order", [{"n": 1}] * 4), {"order_id": "order"}, InvalidTypeError, ("truct", "ast")),
    "dates": (column("order", [DAY] * 4), {"order_id": "order"}, InvalidTypeError, ("date32", "ast")),
    "unlike batches": (
        [LINES, column("order", [1, 2, 3, 4])],
        {"order_id": "order"},
        InvalidTypeError,
        ("order", "int64", "string"),
    ),
    "unknown rule": (LINES, {"order_lines": "adjcent"}, InvalidArgumentError, ("order_lines", "any", "adjacent")),
    "attribute missing": (LINES, {"attributes": {"plcae": "first"}}, ColumnNotFoundError, ("plcae", "place")),
    "attribute twice": (
        LINES.append_column("place", LINES["place"]),
        {"attributes": {"place": "last"}},
        DuplicateColumnError,
        ("place",),
    ),
    "attribute of a wrong type": (
        column("place", [[1]] * 4),
        {"attributes": {"place": "first"}},
        InvalidTypeError,
        ("place", "list<int64>", "integer, string, binary, bool, date, timestamp, float"),
    ),
    "unknown pick": (LINES, {"attributes": {"place": "frist"}}, InvalidArgumentError, ("attributes", "first", "last")),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders(name: str) -> None:
    data, options, error, says = ORDERS[name]
    refused(lambda: custcore.rfm(data, **options), error, *says)


def test_infinite_amount_of_a_line() -> None:
    data = [LINES, column("amount", [1.0, 2.0, math.inf, -math.inf])]
    assert refused(lambda: custcore.rfm(data, order_id="order"), NonFiniteError, "row 6", "drop").row == 6
    report = custcore.rfm(data, order_id="order", on_nonfinite="drop").report
    assert (report["nonfinite_amount"].count, report["nonfinite_amount"].first_row) == (2, 6)


def test_sums_beyond_int64_name_the_customer() -> None:
    """Also where every order fits and only the customer's sum does not."""
    big = column("amount", [1, 2, 2**62 - 1, 2**62 - 1], pa.int64())
    custcore.rfm(big, order_id="order")
    beyond = pa.concat_tables([big, big.slice(2)])
    refused(lambda: custcore.rfm(beyond, order_id="order"), SumOverflowError, "'b'", "ecimal")
    refused(lambda: custcore.rfm_scores(beyond, order_id="order"), SumOverflowError, "'b'")


@pytest.mark.parametrize(
    "options",
    [{"order_id": "order"}, {"order_id": "order", "order_lines": "adjacent"}, {"attributes": {"place": "first"}}],
    ids=str,
)
@pytest.mark.parametrize("empty", ["no rows", "no chunks", "empty chunks", "only nulls"])
def test_empty_input_keeps_the_schema(options: dict[str, Any], empty: str) -> None:
    options = options | {"n_days": True}
    nothing = {
        "no rows": LINES.slice(0, 0),
        "no chunks": pa.Table.from_batches([], LINES.schema),
        "empty chunks": [LINES.slice(0, 0), LINES.slice(4)],
        "only nulls": pa.table({f.name: pa.nulls(3, f.type) for f in LINES.schema}),
    }[empty]
    found = custcore.rfm(nothing, **options)
    assert found.num_rows == 0
    assert pa.schema(found).equals(pa.schema(custcore.rfm(LINES, **options)))
    assert found.report["null_customer_id"].count == (3 if empty == "only nulls" else 0)
    assert found.report.as_of is None
    scored = custcore.rfm_scores(nothing, by="place", **options)
    assert scored.num_rows == 0
    assert pa.schema(scored).equals(pa.schema(custcore.rfm_scores(LINES, by="place", **options)))


def test_negative_zero_is_zero() -> None:
    zeros = column("amount", [-0.0, 0.0, -0.0, 5.0])
    found = custcore.rfm(zeros, order_id="order", zero_is_purchase=False)
    assert found.report["zero_orders"].count == 2
    totals = custcore.rfm(zeros, order_id="order").to_pyarrow()["monetary_total"].to_pylist()
    assert [(math.copysign(1, v), v) for v in totals] == [(1, 0.0), (1, 5.0)]
    cut = RFMScorer(cuts={"monetary": [-0.0]}, closed="left")
    found = cut.fit_transform(replace(CUSTOMERS, "monetary_total", pa.array([-0.0, 0.0, 1.0, -1.0, -2.0, 2.0])))
    assert found.to_pyarrow()["m_score"].to_pylist() == [2, 2, 2, 1, 1, 2]


@pytest.mark.parametrize("unit", ["date32", "date64", "s", "ms", "us", "ns"])
def test_times_of_every_unit_make_the_same_orders(unit: str) -> None:
    kind = {"date32": pa.date32(), "date64": pa.date64()}.get(unit) or pa.timestamp(unit)
    days = pa.array([DAY + timedelta(days=n) for n in (0, 1, 2, 3)]).cast(kind)
    options: dict[str, Any] = {"order_id": "order", "n_days": True, "attributes": {"place": "last"}}
    expected = custcore.rfm(column("timestamp", [DAY + timedelta(days=n) for n in range(4)]), **options)
    assert custcore.rfm(replace(LINES, "timestamp", days), **options).to_pyarrow().equals(expected.to_pyarrow())


def test_as_of_and_zones() -> None:
    zoned = replace(LINES, "timestamp", pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 4, pa.timestamp("us", "UTC")))
    with_zone = datetime(2024, 1, 2, tzinfo=UTC)
    naive = with_zone.replace(tzinfo=None)
    for options in ({"order_id": "order"}, {}):
        refused(lambda o=options: custcore.rfm(LINES, as_of=with_zone, **o), InvalidTypeError, "as_of", "date")
        refused(lambda o=options: custcore.rfm(zoned, as_of=naive, **o), InvalidTypeError, "as_of", "2024-01-02")
        assert custcore.rfm(zoned, as_of=with_zone, **options).report.as_of == date(2024, 1, 2)
        refused(lambda o=options: custcore.rfm(LINES, timezone="UTC", **o), InvalidTypeError, "timezone", "naive")


def test_later_updates_of_another_kind() -> None:
    base = custcore.CustomerBase()
    base.update(LINES)
    before = base.rfm().to_pyarrow()
    zoned = LINES["timestamp"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    refused(lambda: base.update(replace(LINES, "timestamp", zoned)), StateMismatchError, "timestamp", "zone")
    refused(lambda: base.update(column("customer_id", [1, 2, 3, 4])), StateMismatchError, "customer_id", "strings")
    error = refused(lambda: base.update(column("amount", [1, 2, 3, 4])), StateMismatchError, "amount", "nteger")
    assert "Some(" not in str(error)  # no words of the machine room
    assert base.rfm().to_pyarrow().equals(before)


SCORERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown ties": ({"ties": "smae"}, ("ties", "smae", "same", "split")),
    "unknown binning": ({"binning": "nest"}, ("binning", "independent", "nested")),
    "unknown side": ({"closed": "both"}, ("closed", "right", "left")),
    "unknown rule": ({"cuts_rule": "type8"}, ("cuts_rule", "type7", "r")),
    "unknown rule of the unseen": ({"unseen": "skip"}, ("unseen", "error", "global")),
    "unknown frequency": ({"frequency": "n_orders"}, ("frequency", "orders", "days", "rows")),
    "unknown money": ({"monetary": "sum"}, ("monetary", "total", "mean")),
    "unknown segments": ({"segments": "rf11"}, ("rf11", "rf10", "octants", "r_vignette")),
    "descending cuts": ({"cuts": {"monetary": [2, 1]}}, ("monetary", "ascending")),
    "equal cuts": ({"cuts": {"recency": [1, 1]}}, ("recency", "ascending")),
    "no cuts": ({"cuts": {"frequency": []}}, ("frequency", "1 to 99")),
    "too many cuts": ({"cuts": {"frequency": list(range(100))}}, ("frequency", "1 to 99")),
    "NaN as a cut": ({"cuts": {"monetary": [1, math.nan]}}, ("monetary", "finite")),
    "infinity as a cut": ({"cuts": {"monetary": [1, math.inf]}}, ("monetary", "finite")),
    "cuts as text": ({"cuts": {"monetary": "12"}}, ("monetary", "12")),
    "cuts of nothing": ({"cuts": {"money": [1]}}, ("money", "monetary")),
    "cuts and split ties": ({"cuts": {"monetary": [1]}, "ties": "split"}, ("cuts", "split", "same")),
    "R's rule and split ties": ({"cuts_rule": "r", "ties": "split"}, ("cuts_rule", "same")),
    "a map for other bins": ({"segments": "r_vignette", "bins": 4}, ("5", "4", "segments")),
    "a map for other cuts": ({"segments": "rf10", "cuts": {"recency": [1]}}, ("5", "2", "segments")),
    "negative weights": ({"weights": (1, -1, 1)}, ("weights", "negative")),
    "zero weights": ({"weights": (0, 0, 0)}, ("weights", "0")),
    "two weights": ({"weights": (1, 2)}, ("weights", "3")),
    "NaN as a weight": ({"weights": (1, 2, math.nan)}, ("weights", "finite")),
    "too few bins": ({"bins": 1}, ("bins", "2 to 100")),
    "too many bins": ({"bins": {"recency": 101}}, ("bins", "2 to 100")),
    "broken bins": ({"bins": 2.5}, ("bins", "2 to 100")),
}


@pytest.mark.parametrize("name", SCORERS)
def test_settings_of_scorers(name: str) -> None:
    options, says = SCORERS[name]
    refused(lambda: RFMScorer(**options).fit(CUSTOMERS), InvalidArgumentError, *says)


QUANTILES: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "no columns": ([], {}, ("columns",)),
    "one string": ("visits", {}, ("columns",)),
    "the same column twice": (["visits", "visits"], {}, ("visits",)),
    "unknown direction": (["visits"], {"directions": ["up"]}, ("directions", "high", "low")),
    "direction of nothing": (["visits"], {"directions": {"vists": "low"}}, ("vists", "visits")),
    "two bins for one column": (["visits"], {"bins": [5, 5]}, ("bins", "2", "1")),
    "too few bins": (["visits"], {"bins": 1}, ("bins", "2 to 100")),
    "two weights for one column": (["visits"], {"weights": [1, 2]}, ("weights", "1")),
    "negative weights": (["visits"], {"weights": [-1]}, ("weights",)),
    "zero weights": (["visits"], {"weights": [0]}, ("weights",)),
    "NaN as a weight": (["visits"], {"weights": [math.nan]}, ("weights",)),
    "unknown ties": (["visits"], {"ties": "max"}, ("ties", "same", "split")),
}


@pytest.mark.parametrize("name", QUANTILES)
def test_settings_of_quantile_scorers(name: str) -> None:
    columns, options, says = QUANTILES[name]
    refused(lambda: QuantileScorer(columns, **options), InvalidArgumentError, *says)


MAPS: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "no rules": ([], {"bins": 5}, ("rule",)),
    "uncovered cells": ([("a", 1, None)], {"bins": 5}, ("20 cells", "R2 F1", "rest")),
    "range upside down": ([("a", (2, 1), None)], {"bins": 5}, ("'a'", "R", "2 to 1")),
    "score 0": ([("a", None, 0)], {"bins": 5}, ("'a'", "F", "1 to 5")),
    "score above the bins": ([("a", None, None, (1, 6))], {"bins": 5}, ("'a'", "M", "1 to 5")),
    "score far above the bins": ([("a", 300, None)], {"bins": 5}, ("'a'", "300", "1 to 5")),
    "negative score": ([("a", (-1, 3), None)], {"bins": 5}, ("'a'", "-1", "1 to 5")),
    "no bins": (RULES, {"bins": 0}, ("bins",)),
    "one bin": (RULES, {"bins": 1}, ("bins", "2 to 100")),
    "too many bins": (RULES, {"bins": 101}, ("bins", "2 to 100")),
    "far too many bins": (RULES, {"bins": 300}, ("bins",)),
    "negative bins": (RULES, {"bins": (5, 5, -1)}, ("bins",)),
    "bins of one dimension": (RULES, {"bins": (5,)}, ("bins",)),
    "bins of four dimensions": (RULES, {"bins": (5, 5, 5, 5)}, ("bins",)),
}


@pytest.mark.parametrize("name", MAPS)
def test_segment_maps(name: str) -> None:
    rules, options, says = MAPS[name]
    refused(lambda: SegmentMap(rules, **options), InvalidArgumentError, *says)


# Arguments of a wrong type: each has to name itself and be one of ours.
WRONG_TYPES: dict[str, tuple[Any, str]] = {
    "rules": (lambda: SegmentMap(None, bins=5), "rules"),
    "rule": (lambda: SegmentMap([5], bins=5), "5"),
    "rule without ranges": (lambda: SegmentMap([("a",)], bins=5), "F range"),
    "name of a segment": (lambda: SegmentMap([(1, 1, 1)], bins=5), "name"),
    "range": (lambda: SegmentMap([("a", 1.5, None)], bins=5), "1.5"),
    "end of a range": (lambda: SegmentMap([("a", (1, "2"), None)], bins=5), "'2'"),
    "rest": (lambda: SegmentMap(RULES, bins=5, rest=7), "rest"),
    "map bins": (lambda: SegmentMap(RULES, bins="5"), "bins"),
    "map bins None": (lambda: SegmentMap(RULES, bins=None), "bins"),
    "name of a map": (lambda: SegmentMap.named(5), "name"),
    "segments": (lambda: RFMScorer(segments=5), "segments"),
    "cuts": (lambda: RFMScorer(cuts=[1, 2]), "cuts"),
    "by": (lambda: RFMScorer(by=5), "by"),
    "by several": (lambda: RFMScorer(by=["a", "b"]), "by"),
    "ties": (lambda: RFMScorer(ties=None), "ties"),
    "columns": (lambda: QuantileScorer(5), "columns"),
    "column": (lambda: QuantileScorer([1]), "columns"),
    "values": (lambda: QuantileScorer(["visits"]).fit(pa.table({"visits": [1]})).score_one(5), "values"),
    "profile by": (lambda: custcore.profile(CUSTOMERS, by=5), "by"),
    "order_id": (lambda: custcore.rfm(LINES, order_id=5), "order_id"),
    "attributes list": (lambda: custcore.rfm(LINES, attributes=["place"]), "attributes"),
    "attributes str": (lambda: custcore.rfm(LINES, attributes="place"), "attributes"),
    "zero_is_purchase": (lambda: custcore.rfm(LINES, zero_is_purchase="no"), "zero_is_purchase"),
    "n_days": (lambda: custcore.rfm(LINES, n_days="yes"), "n_days"),
    "sort": (lambda: custcore.rfm(LINES, sort="no"), "sort"),
    "amount_decimals": (lambda: custcore.rfm(LINES, amount_decimals=2.5), "amount_decimals"),
    "n_threads": (lambda: custcore.rfm(LINES, n_threads=1.5), "n_threads"),
    "timezone": (lambda: custcore.rfm(LINES, timezone=5), "timezone"),
    "customer_id": (lambda: custcore.rfm(LINES, customer_id=None), "customer_id"),
    "returns": (lambda: custcore.rfm(LINES, returns=None), "returns"),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_arguments_of_a_wrong_type(name: str) -> None:
    call, says = WRONG_TYPES[name]
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert isinstance(caught.value, CustcoreError)
    assert says in str(caught.value)


def test_numbers_out_of_range_are_named_as_given() -> None:
    refused(lambda: custcore.rfm(LINES, amount_decimals=-1), errors.OutOfRangeError, "-1", "0 to 12")
    refused(lambda: custcore.rfm(LINES, n_threads=-1), errors.OutOfRangeError, "-1")


@pytest.mark.parametrize(
    "call",
    [
        lambda: custcore.rfm(LINES.append_column("n_orders", LINES["place"]), attributes={"n_orders": "first"}),
        lambda: custcore.rfm(LINES, attributes={"customer_id": "first"}),
        lambda: custcore.rfm(LINES.rename_columns(["n_rows", *LINES.column_names[1:]]), customer_id="n_rows"),
        lambda: RFMScorer().fit_transform(RFMScorer().fit_transform(CUSTOMERS)),
        lambda: RFMScorer().fit_transform(CUSTOMERS.append_column("segment", CUSTOMERS["n_orders"])),
        lambda: QuantileScorer(["x"]).fit_transform(pa.table({"x": [1, 2], "x_score": [1, 2]})),
        lambda: custcore.profile(CUSTOMERS.append_column("share", CUSTOMERS["n_orders"]), by="share"),
    ],
    ids=["attribute", "id as attribute", "id", "scored twice", "segment", "quantile", "profile"],
)
def test_a_result_never_has_two_columns_of_one_name(call: Any) -> None:
    """Refused, or one of them replaced: what comes out has to be usable."""
    try:
        names = call().column_names
    except (DuplicateColumnError, InvalidArgumentError) as error:
        assert "column" in str(error)  # noqa: PT017
    else:
        assert len(set(names)) == len(names)


def test_grouping_by_the_id_says_what_is_wrong() -> None:
    with pytest.raises(CustcoreError) as caught:
        custcore.rfm_scores(LINES, by="customer_id")
    assert "by" in str(caught.value)
    assert "two columns" not in str(caught.value)  # the input has one


TEXT = pa.table({"v": ["1"]})
NOBODY = pa.table({"v": pa.array([], pa.int64())})
NULLS = pa.table({"v": pa.nulls(2, pa.int64())})
NEEDS: dict[str, tuple[Any, type[CustcoreError], tuple[str, ...]]] = {
    "by": (lambda: RFMScorer(by="place").fit(CUSTOMERS), ColumnNotFoundError, ("place", "by")),
    "by in rfm_scores": (lambda: custcore.rfm_scores(LINES, by="plcae"), ColumnNotFoundError, ("plcae", "place")),
    "n_days": (lambda: RFMScorer(frequency="days").fit(CUSTOMERS), ColumnNotFoundError, ("n_days",)),
    "monetary_mean": (
        lambda: RFMScorer().fit(CUSTOMERS).transform(CUSTOMERS.drop(["monetary_total"])),
        ColumnNotFoundError,
        ("monetary_total",),
    ),
    "quantile column": (lambda: QuantileScorer(["orders"]).fit(CUSTOMERS), ColumnNotFoundError, ("orders", "n_orders")),
    "profile by": (lambda: custcore.profile(CUSTOMERS), ColumnNotFoundError, ("segment",)),
    "money for octants": (
        lambda: RFMScorer(segments="octants").fit(CUSTOMERS.drop(["monetary_total"])),
        InvalidArgumentError,
        ("monetary_total",),
    ),
    "money for a map of M": (
        lambda: RFMScorer(segments="r_vignette").fit(CUSTOMERS.drop(["monetary_total"])),
        InvalidArgumentError,
        ("monetary_total",),
    ),
    "text to score": (lambda: QuantileScorer(["v"]).fit(TEXT), InvalidTypeError, ("v", "string", "ast")),
    "bools to score": (lambda: QuantileScorer(["v"]).fit(pa.table({"v": [True]})), InvalidTypeError, ("v", "bool")),
    "lists to profile by": (
        lambda: custcore.profile(CUSTOMERS.append_column("tags", pa.array([[1]] * len(CUSTOMERS))), by="tags"),
        InvalidTypeError,
        ("tags", "ist"),
    ),
    "nobody": (lambda: QuantileScorer(["v"]).fit(NOBODY), NotEnoughDataError, ("empty",)),
    "only nulls": (lambda: QuantileScorer(["v"]).fit(NULLS), NotEnoughDataError, ("null",)),
    "unfitted": (lambda: QuantileScorer(["v"]).transform(pa.table({"v": [1]})), NotFittedError, ("fit",)),
    "unfitted, one": (lambda: QuantileScorer(["v"]).score_one([1]), NotFittedError, ("fit",)),
    "unfitted, thresholds": (lambda: QuantileScorer(["v"]).thresholds, NotFittedError, ("fit",)),
    "not a table": (lambda: RFMScorer().fit(None), InvalidTypeError, ("Arrow",)),
    "not a table to profile": (lambda: custcore.profile([{"segment": "a"}]), InvalidTypeError, ("Arrow",)),
}


@pytest.mark.parametrize("name", NEEDS)
def test_what_scorers_need(name: str) -> None:
    call, error, says = NEEDS[name]
    refused(call, error, *says)


ONE: dict[str, tuple[tuple[Any, ...], dict[str, Any], type[CustcoreError], str]] = {
    "text": ((1, 1, "5"), {}, InvalidTypeError, "monetary"),
    "None": ((None, 1, 5.0), {}, InvalidTypeError, "recency_days"),
    "no money": ((1, 1), {}, InvalidArgumentError, "monetary"),
    "NaN": ((1, 1, math.nan), {}, InvalidArgumentError, "NaN"),
    "NaN Decimal": ((1, 1, Decimal("NaN")), {}, InvalidArgumentError, "NaN"),
    "id": ((1, 1, 1.0), {"customer_id": 1.5}, InvalidTypeError, "customer_id"),
    "group": ((1, 1, 1.0), {"group": ["a"]}, InvalidTypeError, "group"),
}


@pytest.mark.parametrize("name", ONE)
def test_score_one(name: str) -> None:
    values, options, error, says = ONE[name]
    scorer = RFMScorer().fit(CUSTOMERS)
    refused(lambda: scorer.score_one(*values, **options), error, says)


def test_score_one_needs_one_value_for_each_column() -> None:
    scorer = QuantileScorer(["n_orders", "recency_days"]).fit(CUSTOMERS)
    for values in ([], [1], [1, 2, 3]):
        refused(lambda v=values: scorer.score_one(v), InvalidArgumentError, "2")
    refused(lambda: scorer.score_one([1, None]), InvalidTypeError, "recency_days")
    refused(lambda: scorer.score_one([1, math.nan]), InvalidArgumentError, "recency_days", "NaN")


def test_far_outside_the_fitted_range() -> None:
    """1 and B, in every way of scoring, for numbers of any size."""
    for options in ({}, {"ties": "split"}, {"binning": "nested", "unseen": "global"}, {"cuts_rule": "r"}):
        scorer = RFMScorer(**options).fit(CUSTOMERS)
        assert scorer.score_one(10**9, 1, -1e300)[:3] == (1, 1, 1)
        assert scorer.score_one(0, 10**15, math.inf)[:3] == (5, 5, 5)
        assert scorer.score_one(2**70, 2**70, Decimal(10**30))[:3] == (1, 5, 5)
    explicit = RFMScorer(cuts={"recency": [3], "frequency": [1, 2], "monetary": [0, 1, 2]}).fit(CUSTOMERS)
    assert explicit.score_one(10**9, 1, -math.inf)[:3] == (1, 1, 1)
    assert explicit.score_one(0, 10**15, math.inf)[:3] == (2, 3, 4)


@pytest.mark.parametrize("binning", ["independent", "nested"])
@pytest.mark.parametrize("ties", ["same", "split"])
def test_fewer_customers_than_bins(binning: str, ties: str) -> None:
    """One customer, equal customers: scores as defined, empty bins reported, no exception."""
    for n in (1, 2, 4):
        data = pa.table(
            {"customer_id": list(range(n)), "recency_days": [3] * n, "n_orders": [1] * n, "monetary_total": [2.5] * n}
        )
        scorer = RFMScorer(100, binning=binning, ties=ties)
        rows = scorer.fit_transform(data).to_pyarrow().to_pylist()
        if ties == "same" or n == 1:
            assert {(r["r_score"], r["f_score"], r["m_score"]) for r in rows} == {(100, 1, 1)}
        elif binning == "independent":
            assert [(r["r_score"], r["f_score"]) for r in rows] == [(100 - i, 1 + i) for i in range(n)]
        lines = scorer.thresholds.to_pyarrow().to_pylist()
        for name in ("recency", "frequency", "monetary"):
            counts = [t["customers"] for t in lines if t["dimension"] == name]
            assert sum(counts) == n
            assert len(counts) % 100 == 0
    assert any("no customer has score" in remark for remark in scorer.fit_transform(data).report.remarks)


def test_columns_are_found_by_name() -> None:
    """A different order, and columns that are not requested: no difference."""
    scorer = RFMScorer(ties="split", binning="nested").fit(custcore.rfm(LINES, order_id="order"))
    table = custcore.rfm(LINES, order_id="order").to_pyarrow()
    turned = table.append_column("note", pa.array(["x"] * table.num_rows))
    turned = turned.select([table.column_names[0], "note", *reversed(table.column_names[1:])])
    names = ["r_score", "f_score", "m_score", "segment"]
    assert scorer.transform(turned).to_pyarrow().select(names).to_pylist() == (
        scorer.transform(table).to_pyarrow().select(names).to_pylist()
    )
    general = QuantileScorer(["n_orders", "recency_days"]).fit(CUSTOMERS)
    other = CUSTOMERS.select(["recency_days", "n_orders"])
    found, expected = (general.transform(data).to_pyarrow()["score_cell"].to_pylist() for data in (other, CUSTOMERS))
    assert found == expected


def test_many_threads_on_one_scorer() -> None:
    rng = np.random.default_rng(3)
    data = {
        "customer_id": np.arange(20_000),
        "recency_days": rng.integers(0, 999, 20_000),
        "n_orders": rng.integers(1, 30, 20_000),
        "monetary_total": np.round(rng.lognormal(3, 1, 20_000), 2),
    }
    scorer = RFMScorer(10, ties="split").fit(data)
    expected = scorer.transform(data).to_pyarrow()
    found: list[bool] = []

    def work() -> None:
        found.extend(scorer.transform(data, n_threads=2).to_pyarrow().equals(expected) for _ in range(3))

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == [True] * 18


def test_html_in_ids_and_names_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    data = pa.table({evil: [evil, "b"], "timestamp": [DAY] * 2, "amount": [1.0, 2.0], "order": [evil, "y"]})
    segments = SegmentMap([(evil, None, None)], bins=5)
    found = custcore.rfm_scores(data, customer_id=evil, order_id="order", segments=segments)
    for table in (found, custcore.profile(found)):
        assert "<script" not in table._repr_html_()
        assert "&lt;script&gt;" in table._repr_html_()


def test_a_failed_fit_leaves_the_scorer_as_it_was() -> None:
    for scorer in (RFMScorer(by="customer_id", unseen="global"), QuantileScorer(["recency_days"])):
        scorer.fit(CUSTOMERS)
        before = scorer.thresholds.to_pyarrow()
        for bad in (CUSTOMERS.slice(6), CUSTOMERS.drop(["recency_days"]), None):
            with pytest.raises(CustcoreError):
                scorer.fit(bad)
        assert scorer.thresholds.to_pyarrow().equals(before)


def test_rows_behind_refund_only_customers() -> None:
    """`n_rows` of the report: the rows of all refunds of a customer, not one for each."""
    refunds = pa.concat_tables([column("amount", [-1.0, -2.0, -3.0, 5.0])] * 2)
    entry = custcore.rfm(refunds, order_id="order").report["refund_only_customers"]
    assert (entry.count, entry.sum, entry.n_rows) == (1, -6.0, 4)
