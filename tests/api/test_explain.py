"""`RFMScorer.explain`: what it says of known customers, as an object, text, table and dict."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotFittedError

TABLE = {
    "recency_days": np.arange(10),
    "n_orders": np.arange(1, 11),
    "monetary_total": np.arange(5.0, 55.0, 5.0),
}
TIES = pa.table(
    {
        "customer_id": ["a", "b", "c", "d"],
        "recency_days": [5, 5, 5, 9],
        "n_orders": [1, 1, 1, 1],
        "monetary_total": pa.array([Decimal(n) for n in ("1.00", "2.50", "2.50", "9.99")], pa.decimal128(10, 2)),
        "country": ["AT", "AT", "BE", "BE"],
    }
)


def test_a_known_customer() -> None:
    why = custcore.RFMScorer().fit(TABLE).explain(3, 6, 30.0)
    assert (why.rfm_cell, why.rfm_score, why.rfm_total, why.segment) == ("4-3-3", 433, 433.0, "potential_loyalists")
    assert (why.rule, why.rule_number, why.n_rules) == (("potential_loyalists", (4, 5), (2, 3), None), 9, 10)
    assert why.centers is None
    r, f, m = why.scores
    assert (why.recency, why.frequency, why.monetary) == (r, f, m)
    assert (r.value, r.score, r.bins, r.lower, r.lower_closed, r.upper, r.upper_closed) == (3, 4, 5, 1, False, 3, True)
    assert (r.rule, r.within, r.is_global, r.customers, r.same_score, r.by_id) == ("type7", {}, False, 10, 2, None)
    assert r.next_higher == custcore.ScoreChange("recency", 1, 5, 3, 3, "potential_loyalists")
    assert r.next_lower == custcore.ScoreChange("recency", 4, 3, 3, 3, "need_attention")
    assert r.segment_above == r.next_lower
    assert r.segment_below is None
    assert (m.lower, m.upper, type(m.lower)) == (23.0, 32.0, float)
    assert m.next_higher is not None
    assert m.next_higher.value == np.nextafter(32.0, np.inf)
    assert [change.dimension for change in why.segment_changes] == ["recency", "frequency", "frequency"]


def test_the_ends_of_the_scale() -> None:
    scorer = custcore.RFMScorer().fit(TABLE)
    best = scorer.explain(0, 10, 99.0)
    assert [part.next_higher for part in best.scores] == [None] * 3
    assert (best.recency.lower, best.recency.lower_closed, best.frequency.upper) == (None, None, None)
    worst = scorer.explain(10**6, 1, -(10**6))
    assert [part.next_lower for part in worst.scores] == [None] * 3
    # Equal values of all customers: no value but the bounds has another score.
    equal = custcore.RFMScorer().fit({name: np.full(5, 3) for name in TABLE})
    assert equal.explain(0, 3, 3).recency.next_higher is None


def test_money_is_counted_in_the_type_of_the_fitted_values() -> None:
    scorer = custcore.RFMScorer(2).fit(TIES)
    for value in (2, 2.0, Decimal(2), Decimal("2.00"), np.int64(2)):
        found = scorer.explain(5, 1, value).monetary
        assert found is not None
        assert found.next_higher is not None
        if isinstance(value, float):
            assert found.next_higher.value == np.nextafter(2.5, np.inf)
        else:
            assert str(found.next_higher.value) == "2.51"
        assert found.upper == Decimal("2.50")
    whole = custcore.RFMScorer(2).fit(TABLE)
    change = whole.explain(3.0, np.float32(4.0), 20).frequency.next_higher  # type: ignore[arg-type]
    assert change is not None
    assert (change.value, type(change.value)) == (6, int)
    assert whole.explain(3, 4, Decimal("20.5")).monetary.next_higher.value == Decimal("27.6")  # type: ignore[union-attr]


def test_without_money_and_without_segments() -> None:
    columns = {name: values for name, values in TABLE.items() if name != "monetary_total"}
    why = custcore.RFMScorer(segments=None).fit(columns).explain(3, 6)
    assert why.monetary is None
    assert (why.rfm_cell, why.segment, why.rule, why.segment_changes) == ("4-3", None, None, ())
    assert why.to_table().num_rows == 2
    assert "segment_below" not in why.to_table()
    assert "segment" not in repr(why)
    assert custcore.RFMScorer(12, segments=None).fit(TABLE).explain(3, 6, 30.0).rfm_score is None


def test_ids_that_decide() -> None:
    scorer = custcore.RFMScorer(3, ties="split", segments=None).fit(TIES)
    for customer, (r, f, _, _) in {i: scorer.score_one(5, 1, 2.5, customer_id=i) for i in "abc"}.items():
        why = scorer.explain(5, 1, Decimal("2.50"), customer_id=customer)
        assert (why.recency.score, why.frequency.score) == (r, f)
        assert why.frequency.by_id == (1, 3)
        assert "customers with this value have F 1 to 3: the id decides" in repr(why)
    nobody = scorer.explain(5, 1, Decimal("2.50"))
    assert (nobody.frequency.score, nobody.frequency.by_id) == (1, (1, 3))
    assert "an id decides; without one the customer is the first of them" in " ".join(repr(nobody).split())
    # Nobody else has this value; a customer before "d" who had it would be in the tile below.
    assert scorer.explain(9, 1, Decimal("9.99"), customer_id="d").recency.by_id == (1, 2)
    assert scorer.explain(8, 1, Decimal("9.99"), customer_id="d").recency.by_id is None


def test_groups_and_nested_bins() -> None:
    grouped = custcore.RFMScorer(2, by="country", segments=None, unseen="global").fit(TIES)
    austria = grouped.explain(5, 1, 2, group="AT")
    assert (austria.group, austria.recency.customers, austria.recency.is_global) == ("AT", 2, False)
    assert "of 2 customers of the group" in repr(austria)
    france = grouped.explain(5, 1, 2, group="FR")
    assert (france.recency.customers, france.recency.is_global) == (None, True)
    assert "quantiles of all customers, as the fit had none of this group" in " ".join(repr(france).split())
    nested = custcore.RFMScorer(2, binning="nested", segments=None).fit(TABLE)
    why = nested.explain(3, 6, 30.0)
    assert [part.within for part in why.scores] == [
        {},
        {"recency": 2},
        {"recency": 2, "frequency": why.frequency.score},
    ]
    assert f"within R 2, F {why.frequency.score}" in " ".join(repr(why).split())
    assert why.to_table()["within"].to_pylist()[1] == "recency=2"
    # Another R means other bins of F.
    assert why.recency.next_lower is not None
    assert nested.score_one(why.recency.next_lower.value, 6, 30.0)[1] == why.recency.next_lower.f_score


def test_octants_and_the_rest_of_a_map() -> None:
    why = custcore.RFMScorer(segments="octants").fit(TABLE).explain(3, 6, 30.0)
    assert why.centers == {"recency": (4.5, True), "frequency": (5.5, True), "monetary": (27.5, True)}
    assert (why.rule, why.segment) == (None, "important value customers")
    assert {change.dimension: change.value for change in why.segment_changes} == {
        "recency": 5,
        "frequency": 5,
        "monetary": 27.5,
    }
    assert "R high (below 4.5), F high (above 5.5), M high (above 27.5)" in " ".join(repr(why).split())
    rest = custcore.SegmentMap([("good", 5, 5)], bins=5, rest="others")
    other = custcore.RFMScorer(segments=rest).fit(TABLE).explain(3, 6, 30.0)
    assert (other.segment, other.rule, other.rule_number) == ("others", None, None)
    assert "segment others: no rule of the map matches" in repr(other)
    # One change of one value does not make a customer of 4-3 one of 5-5.
    assert other.segment_changes == ()
    assert "no change of one value leads to another segment" in repr(other)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    chinese = custcore.SegmentMap.named("octants", lang="zh", center="median")
    scorers = [
        custcore.RFMScorer(segments=chinese),
        custcore.RFMScorer(ties="split"),
        custcore.RFMScorer(cuts_rule="r", binning="nested", unseen="global"),
    ]
    for scorer in scorers:
        named = {"customer_id": np.array([f"c{i}" for i in range(10)]), **TABLE}
        why = scorer.fit(named).explain(3, 6, 1e15 + 0.1, customer_id="a\x1b[31m" * 9)
        lines = repr(why).splitlines()
        assert max(len(line) for line in lines) <= width
        assert "\x1b" not in repr(why)
        assert "recency_days 3: R 4 of 5" in lines


def test_table_and_dict_say_the_same() -> None:
    why = custcore.RFMScorer().fit(TABLE).explain(3, 6, 30.0)
    table, plain = why.to_table(), why.to_dict()
    assert table.columns == [
        *("dimension", "column", "value", "score", "bins", "lower", "lower_closed", "upper", "upper_closed", "rule"),
        *("within", "customers", "lower_score", "lower_score_at", "higher_score", "higher_score_at"),
        *("segment_below", "segment_below_at", "segment_above", "segment_above_at"),
    ]
    for row, part in zip(table, plain["scores"], strict=True):
        for name in ("dimension", "column", "value", "score", "bins", "lower", "upper", "upper_closed", "rule"):
            assert row[name] == part[name]
        assert (row["lower_score_at"], row["higher_score_at"]) == (
            part["next_lower"]["value"],
            part["next_higher"]["value"],
        )
        below = part["segment_below"]
        assert (row["segment_below"], row["segment_below_at"]) == (
            (below["segment"], below["value"]) if below else (None, None)
        )
    assert json.loads(json.dumps(plain)) == plain
    assert plain["segment"] == why.segment
    assert "_table" not in plain


def test_copies() -> None:
    why = custcore.RFMScorer().fit(TABLE).explain(3, 6, 30.0, customer_id=7)
    for again in (pickle.loads(pickle.dumps(why)), copy.copy(why), copy.deepcopy(why)):
        assert again == why
        assert repr(again) == repr(why)
        assert again.to_table().to_pylist() == why.to_table().to_pylist()
    assert why != custcore.RFMScorer().fit(TABLE).explain(3, 6, 30.5, customer_id=7)
    with pytest.raises(AttributeError):
        why.segment = "other"  # type: ignore[misc]


def test_arguments() -> None:
    with pytest.raises(NotFittedError):
        custcore.RFMScorer().explain(1, 1, 1.0)
    scorer = custcore.RFMScorer(ties="split", by="country").fit(TIES)
    wrong: list[tuple[Any, dict[str, Any], type[Exception]]] = [
        ((1, 1), {"group": "AT"}, InvalidArgumentError),
        ((1, 1, "5"), {"group": "AT"}, InvalidTypeError),
        ((1, 1, 1.0), {"group": "nowhere"}, InvalidArgumentError),
        ((1, 1, 1.0), {"group": "AT", "customer_id": 7}, InvalidTypeError),
        ((1, 1, float("nan")), {"group": "AT"}, InvalidArgumentError),
    ]
    for values, options, error in wrong:
        with pytest.raises(error) as one:
            scorer.score_one(*values, **options)
        with pytest.raises(error) as why:
            scorer.explain(*values, **options)
        assert str(one.value) == str(why.value)
