"""What bases with categories refuse, and what they report."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    InvalidArgumentError,
    InvalidTypeError,
    NotFittedError,
    StateMismatchError,
)

DAYS = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]


def rows(**columns: Any) -> pa.Table:
    given = {
        "customer_id": ["ann", "ann", "bob", "cleo"],
        "timestamp": DAYS,
        "amount": [10, 20, 30, -5],
        "kind": ["tea", None, "tea", "mug"],
        "discount": [0.5, 0.0, None, 1.0],
    }
    return pa.table(given | columns)


def base_of(table: pa.Table | None = None, **options: Any) -> custcore.CustomerBase:
    base = custcore.CustomerBase(**{"categories": "kind", **options})
    base.update(rows() if table is None else table)
    return base


def test_what_is_in_no_row_is_in_the_report() -> None:
    found = base_of().preferences()
    assert found.to_pylist() == [
        {"customer_id": name, "category": "tea", "orders": 1, "rows": 1, "monetary_total": total, "share": 1.0}
        | {"share_all": 1.0, "share_shrunk": 1.0, "index": 100.0, "rank": 1}
        for name, total in (("ann", 10), ("bob", 30))
    ]
    report = {entry.name: (entry.count, entry.sum) for entry in found.report}
    assert report["null_category"] == (1, 20)
    assert report["refund_only_categories"] == (1, -5)
    assert report["negative_categories"] == (0, 0)
    left_out = sum(report[name][1] or 0 for name in ("null_category", "refund_only_categories"))
    assert sum(found["monetary_total"].to_pylist()) + left_out == 55


def test_money_below_nothing_counts_as_nothing() -> None:
    base = base_of(rows(customer_id=["ann"] * 4, kind=["tea", "tea", "mug", "tea"], amount=[10, -70, 30, 5]))
    found = base.preferences().to_pylist()
    assert [(row["category"], row["monetary_total"], row["share"]) for row in found] == [
        ("mug", 30, 1.0),
        ("tea", 0, 0.0),
    ]
    assert base.preferences().report["negative_categories"].sum == -55


def test_a_base_without_rows() -> None:
    base = base_of(rows().slice(0, 0), promotion="discount", channel="kind")
    for name in ("preferences", "breadth", "promotion_sensitivity", "channels", "channel_preferences"):
        assert getattr(base, name)().num_rows == 0
    assert base.preference_features().column_names == ["customer_id"]
    model = custcore.NextCategory().fit(base)
    assert (model.n_customers_, model.as_of_, model.recommend(base).num_rows) == (0, None, 0)
    assert "no category has 20 customers" in " ".join(model.recommend(base).report.remarks)


def test_settings_are_kept() -> None:
    options = {"categories": "kind", "promotion": "discount", "channel": "kind", "category_days": True}
    base = base_of(track="days", **options)
    assert {name: base.settings[name] for name in options} == options
    assert custcore.CustomerBase(**base.settings).settings == base.settings
    assert custcore.CustomerBase.from_bytes(base.to_bytes()).settings == base.settings
    assert "categories='kind', promotion='discount', channel='kind', category_days=True" in repr(base)
    assert "categories" not in repr(custcore.CustomerBase())


def test_an_update_that_fails_changes_nothing() -> None:
    base = base_of(promotion="discount")
    before = base.to_bytes()
    for wrong in (rows(kind=[1, 2, 3, 4]), rows(discount=["a", "b", "c", "d"]), rows().drop_columns(["kind"])):
        with pytest.raises((StateMismatchError, InvalidTypeError, ColumnNotFoundError)):
            base.update(wrong)
    assert base.to_bytes() == before


def test_types_of_categories() -> None:
    for values in (
        pa.array([True, None, True, False]),
        pa.array([0.5, float("nan"), 0.5, -1.0]),
        pa.array([DAYS[0], None, DAYS[0], DAYS[1]]),
        pa.array([b"x", None, b"x", b"a"], pa.binary()),
        pa.array([2**64 - 1, None, 2**64 - 1, 0], pa.uint64()),
    ):
        base = base_of(rows(kind=values))
        table = base.preferences().to_pyarrow()
        assert table["category"].type == values.type
        assert table["category"].to_pylist() == [values[0].as_py()] * 2
        again = custcore.CustomerBase.from_bytes(base.to_bytes())
        assert again.preferences().to_pyarrow() == table
        model = custcore.NextCategory(min_customers=1).fit(base)
        assert custcore.NextCategory.from_bytes(model.to_bytes()) == model
        assert model.categories_["category"].to_pylist() == [values[0].as_py()]


def test_values_of_a_composite_key_and_wide_money() -> None:
    big = 10**28
    money = pa.array([big, 2 * big, 3 * big, -1], pa.decimal128(38, 0))
    table = rows(amount=money, country=["DE", "DE", "FR", "FR"])
    base = base_of(table, customer_id=["country", "customer_id"])
    found = base.preferences().to_pylist()
    assert [(row["country"], row["customer_id"], row["monetary_total"]) for row in found] == [
        ("DE", "ann", big),
        ("FR", "bob", 3 * big),
    ]
    assert custcore.CustomerBase.from_bytes(base.to_bytes()).preferences().to_pylist() == found


NO_CATEGORIES = custcore.CustomerBase()
NO_CATEGORIES.update(rows())
WITHOUT_MONEY = {"amount": None}


@pytest.mark.parametrize(
    ("error", "call", "said"),
    [
        (StateMismatchError, NO_CATEGORIES.preferences, "keeps no categories; build it with categories='column'"),
        (StateMismatchError, NO_CATEGORIES.channels, "keeps no channels; build it with channel='column'"),
        (StateMismatchError, lambda: base_of().promotion_sensitivity(), "promotion='column'"),
        (StateMismatchError, lambda: base_of(**WITHOUT_MONEY).preferences(), "measure='orders'"),
        (StateMismatchError, lambda: base_of(**WITHOUT_MONEY).breadth(), "need amounts"),
        (InvalidArgumentError, lambda: custcore.CustomerBase(promotion="discount"), "categories=..."),
        (InvalidArgumentError, lambda: custcore.CustomerBase(category_days=True), "categories=..."),
        (StateMismatchError, lambda: custcore.CustomerBase(categories="kind", category_days=True), "track='days'"),
        (StateMismatchError, lambda: base_of(track="days").preferences(as_of="2026-01-09"), "category_days=True"),
        (StateMismatchError, lambda: base_of().breadth(as_of="2026-01-09"), "category_days=True"),
        (StateMismatchError, lambda: custcore.NextCategory().fit(base_of(), "2026-01-09"), "category_days=True"),
        (InvalidTypeError, lambda: base_of(rows(discount=["a"] * 4), promotion="discount"), "bool or a number"),
        (ColumnNotFoundError, lambda: base_of(categories="kid"), "kind"),
        (InvalidTypeError, lambda: base_of(rows(kind=[[1]] * 4)), "categories"),
        (StateMismatchError, lambda: base_of().update(rows(kind=[1, 2, 3, 4])), "categories were"),
        (StateMismatchError, lambda: base_of().merge(NO_CATEGORIES), "categories is 'kind' here and None there"),
        (InvalidArgumentError, lambda: base_of().preferences(prior_orders=-1), "prior_orders=-1"),
        (InvalidArgumentError, lambda: base_of().preferences("money"), "measure='money'"),  # type: ignore[arg-type]
        (InvalidArgumentError, lambda: base_of().preference_features(0), "top=0"),
        (InvalidArgumentError, lambda: base_of().preferences(by="customer_id"), "a group of one"),
        (StateMismatchError, lambda: base_of().preferences(by="country"), "attributes={'country': 'first'}"),
        (InvalidArgumentError, lambda: custcore.NextCategory("lift"), "method='lift'"),  # type: ignore[arg-type]
        (InvalidArgumentError, lambda: custcore.NextCategory(min_customers=0), "min_customers=0"),
        (NotFittedError, lambda: custcore.NextCategory().recommend(base_of()), "call fit(base) first"),
        (InvalidArgumentError, lambda: custcore.NextCategory().fit(base_of()).recommend(base_of(), 0), "k=0"),
        (
            StateMismatchError,
            lambda: custcore.NextCategory().fit(base_of()).recommend(base_of(rows(kind=[1, 2, 3, 4]))),
            "cast one of them",
        ),
        (StateMismatchError, lambda: custcore.backtest_next(base_of(), ["2026-01-09"], 5), "category_days=True"),
        (
            InvalidArgumentError,
            lambda: custcore.backtest_next(base_of(track="days", category_days=True), ["2026-01-30"], 5),
            "smaller horizon",
        ),
        (
            InvalidArgumentError,
            lambda: custcore.backtest_next(base_of(track="days", category_days=True), ["2026-01-09"], 5, k=[3, 1]),
            "ascending",
        ),
        (
            InvalidTypeError,
            lambda: custcore.backtest_next(base_of(track="days", category_days=True), "2026-01-09", 5),
            "expected a list of dates",
        ),
    ],
)
def test_refused(error: type[Exception], call: Callable[[], object], said: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert said in str(raised.value)


def test_a_model_of_later_days_is_a_remark() -> None:
    base = base_of(track="days", category_days=True)
    model = custcore.NextCategory(min_customers=1).fit(base)
    found = model.recommend(base, as_of="2026-01-09")
    assert found.report.remarks[-1].startswith("the model was fitted as of 2026-01-31, after 2026-01-09")
