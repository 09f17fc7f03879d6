"""LifecycleModel and the stages of a base: corners, errors, kinds of ids, models as files."""

from __future__ import annotations

import copy
import pickle
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotEnoughDataError,
    NotFittedError,
    OutOfRangeError,
    StateMismatchError,
)

START = date(2026, 1, 1)
MODEL = custcore.LifecycleModel(10, 20, loyal_orders=3)


def day(n: int) -> date:
    return START + timedelta(days=n)


def purchases(rows: list[tuple[Any, int, float]], kind: pa.DataType | None = None) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], kind),
            "timestamp": pa.array([day(row[1]) for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()),
        }
    )


def base_of(
    rows: list[tuple[Any, int, float]], kind: pa.DataType | None = None, **options: Any
) -> custcore.CustomerBase:
    base = custcore.CustomerBase(**{"track": "days", **options})
    base.update(purchases(rows, kind))
    return base


ROWS = [("ann", 0, 1.0), ("ann", 5, 2.0), ("ann", 25, 4.0), ("bob", 24, 8.0), ("cleo", 0, 16.0), ("dan", 12, -5.0)]


def stages(table: custcore.Table) -> dict[Any, tuple[str, date | None]]:
    return {row["customer_id"]: (row["stage"], row["since"]) for row in table.to_pyarrow().to_pylist()}


def test_stages_and_types() -> None:
    table = base_of(ROWS).lifecycle(model=MODEL, prospects=["dan", "eve", "ann", "eve"])
    assert stages(table) == {
        "ann": ("loyal", day(25)),
        "bob": ("new", day(24)),
        "cleo": ("lost", day(21)),
        "dan": ("prospect", None),
        "eve": ("prospect", None),
    }
    assert table.to_pyarrow().schema.types[1:] == [
        pa.dictionary(pa.int16(), pa.string()),
        pa.int32(),
        pa.int64(),
        pa.date32(),
    ]
    assert table.column_names == ["customer_id", "stage", "gap_days", "n_orders", "since"]
    assert table.report["refund_only_customers"].count == 1
    assert "10 days" in table.report.remarks[-1]
    assert table.metadata["custcore.as_of"] == str(day(25))
    dictionary = table.to_pyarrow()["stage"].combine_chunks().dictionary.to_pylist()
    assert dictionary == ["prospect", "new", "repeat", "loyal", "at_risk", "lost"]


def test_chinese() -> None:
    found = stages(base_of(ROWS).lifecycle(day(40), MODEL, ["eve"], lang="zh"))
    assert {name for name, _ in found.values()} == {"流失预警客户", "流失客户", "潜在客户"}
    counts = base_of(ROWS).lifecycle_counts([day(4)], MODEL, lang="zh").to_pyarrow()
    assert counts["stage"].to_pylist() == [
        "潜在客户",
        "初次购买客户",
        "重复购买客户",
        "忠实客户",
        "流失预警客户",
        "流失客户",
    ]
    flows = base_of(ROWS).lifecycle_flows([day(4), day(5)], MODEL, lang="zh").to_pyarrow()
    assert set(flows["to_stage"].to_pylist()) == {"重复购买客户", "初次购买客户"}
    with pytest.raises(InvalidArgumentError, match="lang='fr' is invalid"):
        base_of(ROWS).lifecycle(model=MODEL, lang="fr")  # type: ignore[arg-type]


def test_totals_know_all_but_when_repeat_and_loyal_began() -> None:
    totals, days = base_of(ROWS, track="totals"), base_of(ROWS)
    for as_of in (None, day(30), day(60)):
        known = stages(totals.lifecycle(as_of, MODEL, ["eve"]))
        assert known == {
            name: (stage, None if stage in {"repeat", "loyal"} else since)
            for name, (stage, since) in stages(days.lifecycle(as_of, MODEL, ["eve"])).items()
        }
    later = [day(25), day(40)]
    for method in ("lifecycle_counts", "lifecycle_flows"):
        assert getattr(totals, method)(later, MODEL).to_pyarrow() == getattr(days, method)(later, MODEL).to_pyarrow()
    fitted = custcore.LifecycleModel(10, 20).fit(totals)
    assert (fitted.active_days_, fitted.share_returned_, fitted.horizon_days_, fitted.as_of_) == (
        10,
        None,
        None,
        day(25),
    )
    assert fitted.curve_.num_rows == 0


def test_totals_without_windows_are_an_error_that_says_so() -> None:
    totals = base_of(ROWS, track="totals")
    for call in (totals.lifecycle, lambda: custcore.LifecycleModel(10).fit(totals)):
        with pytest.raises(StateMismatchError, match="give active_days and loss_days, pass a model that was fitted"):
            call()
    with pytest.raises(StateMismatchError, match="before the last day in the base"):
        totals.lifecycle(day(3), MODEL)
    own = custcore.LifecycleModel(rhythm="own", min_at_risk=1, quantiles=(0.4, 0.9)).fit(regular())
    with pytest.raises(StateMismatchError, match=r"rhythm='own'.*needs their purchase days"):
        totals.lifecycle(model=own)
    with pytest.raises(StateMismatchError, match="use rhythm='population' with active_days"):
        custcore.LifecycleModel(rhythm="own").fit(totals)


def regular() -> custcore.CustomerBase:
    """Gaps of 3, 6 and 12 days."""
    days = [(1, 0), (1, 3), (1, 6), (2, 0), (2, 6), (2, 12), (3, 0), (3, 12), (4, 1), (4, 25)]
    return base_of([(i, n, 1.0) for i, n in days])


def test_a_model_is_fitted_where_none_is_given() -> None:
    base = base_of([(i, n * (3 + i), 1.0) for i in range(40) for n in range(6)])
    model = custcore.LifecycleModel().fit(base)
    table = base.lifecycle()
    assert table.to_pyarrow() == base.lifecycle(model=model).to_pyarrow()
    assert f"{model.active_days_} days" in table.report.remarks[-1]
    with pytest.raises(NotEnoughDataError, match=r"give active_days and loss_days"):
        base_of(ROWS).lifecycle()


def test_given_windows_are_frozen_not_fitted() -> None:
    model = custcore.LifecycleModel(4, 100, min_at_risk=1).fit(regular())
    assert (model.active_days_, model.loss_days_) == (4, 100)
    assert model.curve_.num_rows > 0
    assert model.share_returned_ is not None
    settings: dict[str, Any] = {"min_at_risk": 1, "quantiles": (0.4, 0.9)}
    half = custcore.LifecycleModel(4, **settings).fit(regular())
    assert (half.active_days_, half.loss_days_) == (4, custcore.LifecycleModel(**settings).fit(regular()).loss_days_)
    # Nothing ended: there is no curve to fit on, and none is needed.
    assert custcore.LifecycleModel(4, 9).fit(base_of([("ann", 0, 1.0)])).horizon_days_ is None


def test_models_are_told_apart_and_saved(tmp_path: Any) -> None:
    fitted = [
        custcore.LifecycleModel(min_at_risk=1, quantiles=(0.4, 0.9)).fit(regular()),
        custcore.LifecycleModel(min_at_risk=1, quantiles=(0.4, 0.9), rhythm="own", prior_gaps=1).fit(regular()),
        MODEL,
    ]
    for i, model in enumerate(fitted):
        model.save(tmp_path / "life.json")
        for again in (
            custcore.LifecycleModel.load(tmp_path / "life.json"),
            pickle.loads(pickle.dumps(model)),
            copy.deepcopy(model),
        ):
            assert again == model
            assert repr(again) == repr(model)
            assert again.settings == model.settings
            assert again.curve_.to_pyarrow() == model.curve_.to_pyarrow()
            assert regular().lifecycle(model=again).to_pyarrow() == regular().lifecycle(model=model).to_pyarrow()
        assert [other == model for other in fitted] == [j == i for j in range(3)]
    assert MODEL != "a model"
    data = fitted[0].to_bytes().replace(b'"active":', b'"actual":')
    with pytest.raises(ModelFormatError):
        custcore.LifecycleModel.from_bytes(data)
    with pytest.raises(ModelFormatError, match="of the kind 'lifecycle'"):
        custcore.RFMScorer.from_bytes(MODEL.to_bytes())


def test_unfitted_models() -> None:
    model = custcore.LifecycleModel()
    for call in (
        lambda: model.active_days_,
        lambda: model.loss_multiple_,
        lambda: model.curve_,
        lambda: model.horizon_days_,
        lambda: model.share_returned_,
        lambda: model.typical_gap_days_,
        model.to_bytes,
        lambda: regular().lifecycle(model=model),
        lambda: regular().lifecycle_counts([day(9)], model),
        lambda: regular().lifecycle_flows([day(9), day(12)], model),
    ):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()
    assert model.as_of_ is None
    assert repr(model).endswith("prior_gaps=3), not fitted")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"active_days": 20, "loss_days": 20}, "active_days=20 must be less than loss_days=20"),
        ({"active_days": 0}, "active_days=0 is not a number of days"),
        ({"loss_days": 2**40}, "loss_days=1099511627776 is not a number of days"),
        ({"quantiles": (0.9, 0.8)}, r"quantiles=\(0.9, 0.8\) must be two ascending numbers"),
        ({"quantiles": (0.5, float("nan"))}, r"must be two ascending numbers"),
        ({"quantiles": (0.5,)}, "has 1 numbers; expected 2"),
        ({"among": "some"}, "among='some' is invalid; expected one of 'returning', 'all'"),
        ({"rhythm": "fast"}, "rhythm='fast' is invalid"),
        ({"min_at_risk": 0}, "min_at_risk=0 is too small; expected 1 or more"),
        ({"loyal_orders": 1}, "loyal_orders=1 is too small; expected 2 or more"),
        ({"prior_gaps": -1}, "prior_gaps=-1 is too small; expected 0 or more"),
        ({"rhythm": "own", "active_days": 9}, "active_days is a window in days, but with rhythm='own'"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        custcore.LifecycleModel(**settings)


def test_wrong_types() -> None:
    wrong: Any = "2026"
    with pytest.raises(InvalidTypeError, match="active_days='2026' is str; expected an integer"):
        custcore.LifecycleModel(wrong)
    with pytest.raises(InvalidTypeError, match="base is Table; expected a CustomerBase"):
        custcore.LifecycleModel().fit(purchases(ROWS))  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="model is RFMScorer; expected a LifecycleModel"):
        regular().lifecycle(model=custcore.RFMScorer())  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="model is NoneType; expected a LifecycleModel"):
        regular().lifecycle_counts([day(1)], None)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="dates is str; expected a list of dates"):
        regular().lifecycle_counts("2026-01-01", MODEL)
    with pytest.raises(InvalidArgumentError, match="dates has 0 dates; at least 1 is needed"):
        regular().lifecycle_counts([], MODEL)
    with pytest.raises(InvalidArgumentError, match="dates has 1 dates; at least 2 are needed"):
        regular().lifecycle_flows([day(1)], MODEL)
    with pytest.raises(InvalidArgumentError, match="dates must ascend"):
        regular().lifecycle_flows([day(2), day(1)], MODEL)
    with pytest.raises(
        InvalidTypeError, match="a string was given as a customer id; the ids of this base are integers"
    ):
        regular().lifecycle(model=MODEL, prospects=["ann"])
    with pytest.raises(InvalidTypeError, match="is one id; pass a list"):
        base_of(ROWS).lifecycle(model=MODEL, prospects="ann")
    with pytest.raises(OutOfRangeError, match="outside the range"):
        regular().lifecycle(model=MODEL, prospects=[2**70])
    with pytest.raises(NotEnoughDataError, match="no gap between purchases ended while 30 or more"):
        custcore.LifecycleModel().fit(regular())


def test_windows_that_are_equal_are_an_error() -> None:
    base = base_of([(i, n, 1.0) for i in range(40) for n in (0, 5, 10)])
    with pytest.raises(NotEnoughDataError, match="active_days=5 and loss_days=5, which leaves no customer at risk"):
        custcore.LifecycleModel().fit(base)
    with pytest.raises(NotEnoughDataError, match="active_days=9 is not less than the fitted loss_days=5; give both"):
        custcore.LifecycleModel(9).fit(base)
    with pytest.raises(NotEnoughDataError, match="use rhythm='population' with active_days and loss_days"):
        custcore.LifecycleModel(rhythm="own", min_at_risk=200).fit(base)


def test_windows_of_all_gaps_that_do_not_exist() -> None:
    base = base_of([(i, n, 1.0) for i in range(60) for n in (0, i % 9 + 1) if i < 40 or not n])
    with pytest.raises(NotEnoughDataError, match=r"only 0\.\d{4} of them end within the horizon of \d days"):
        custcore.LifecycleModel(among="all").fit(base)
    custcore.LifecycleModel(among="all", quantiles=(0.1, 0.3)).fit(base)


@pytest.mark.parametrize(
    ("ids", "kind", "others"),
    [
        ([5, 70, 9], pa.int8(), [6, 300, 5]),
        ([5, 2**63 + 7, 9], pa.uint64(), [2**64 - 1, 0, 9]),
        ([-5, 10**12, 9], pa.int64(), [-(10**15), 0, 9]),
        (["b", "äö", ""], pa.string(), ["a", "zz", "b"]),
        ([b"\x01", b"\xff\x00", b""], pa.binary(), [b"\xff", b"\x01"]),
        ([b"0123456789abcdef", b"1123456789abcdef", b"2123456789abcdef"], pa.binary(16), [b"1" * 16]),
    ],
)
@pytest.mark.parametrize("spilled", [False, True])
def test_prospects_of_every_kind(ids: list[Any], kind: pa.DataType, others: list[Any], spilled: bool) -> None:
    base = base_of([(i, n, 1.0) for n, i in enumerate(ids)], kind, max_memory="64MiB")
    if spilled:
        base._core.spill()
        base.update(purchases([(ids[0], 4, 1.0)], kind))
    table = base.lifecycle(model=MODEL, prospects=others)
    found = table.to_pyarrow()
    key = (lambda i: i.encode()) if kind == pa.string() else (lambda i: i)
    assert found["customer_id"].to_pylist() == sorted({*ids, *others}, key=key)
    expected = ["prospect" if i not in ids else None for i in found["customer_id"].to_pylist()]
    stage = found["stage"].to_pylist()
    assert [name if name == "prospect" else None for name in stage] == expected
    column = pa.table(
        {"customer_id": pa.array([i for i in others if i not in ids], pa.int64() if kind == pa.int8() else kind)}
    )
    assert base.lifecycle(model=MODEL, prospects=column).to_pyarrow() == found
    counts = base.lifecycle_counts([day(-1), day(9)], MODEL, prospects=others).to_pyarrow()
    customers = counts.filter(pa.compute.equal(counts["stage"], "prospect"))["customers"].to_pylist()
    assert customers == [len(set(others)), len(set(others) - set(ids))]


def test_prospects_of_a_composite_key() -> None:
    base = custcore.CustomerBase(customer_id=["country", "customer"], amount=None, track="days")
    keys = {"country": ["de", "fr", "de"], "customer": [7, 8, 9]}
    base.update(pa.table({**keys, "timestamp": [day(0)] * 3}))
    found = base.lifecycle(model=MODEL, prospects=[("de", 8), ("fr", 8)]).to_pyarrow()
    rows = zip(*(found[name].to_pylist() for name in ("country", "customer", "stage")), strict=True)
    assert list(rows) == [("de", 7, "new"), ("de", 8, "prospect"), ("de", 9, "new"), ("fr", 8, "new")]
    assert base.lifecycle(model=MODEL, prospects=[]).num_rows == 3


def test_nobody() -> None:
    base = base_of([("dan", 5, -1.0)])
    assert base.lifecycle(model=MODEL).num_rows == 0
    assert stages(base.lifecycle(model=MODEL, prospects=["dan", "a"])) == {
        "a": ("prospect", None),
        "dan": ("prospect", None),
    }
    counts = base.lifecycle_counts([day(5)], MODEL).to_pyarrow()
    assert (
        counts.select(["customers", "share", "revenue"]).to_pylist()
        == [{"customers": 0, "share": None, "revenue": 0.0}] * 6
    )
    assert base.lifecycle_flows([day(4), day(5)], MODEL).num_rows == 0
    with pytest.raises(NotEnoughDataError):
        base.lifecycle()
    with pytest.raises(custcore.errors.CustcoreError, match="update"):
        custcore.CustomerBase(track="days").lifecycle(model=MODEL)


def test_money_in_its_own_type_and_none_without_it() -> None:
    cents = purchases(ROWS).set_column(2, "amount", pa.array([1, 2, 4, 8, 16, -5], pa.int64()))
    base = custcore.CustomerBase(track="days")
    base.update(cents)
    counts = base.lifecycle_counts([day(25)], MODEL).to_pyarrow()
    assert counts["revenue"].to_pylist() == [0, 8, 0, 7, 0, 16]
    assert counts.schema.field("revenue").type == pa.int64()
    without = custcore.CustomerBase(amount=None, track="days")
    without.update(cents)
    assert "revenue" not in without.lifecycle_counts([day(25)], MODEL).column_names
    assert "revenue" not in without.lifecycle_flows([day(5), day(25)], MODEL).column_names


def test_refunds_after_the_purchase_are_in_the_revenue_of_their_day() -> None:
    base = base_of([("ann", 0, 10.0), ("ann", 3, -4.0), ("bob", 2, 1.0)])
    counts = base.lifecycle_counts([day(0), day(3)], MODEL).to_pyarrow().to_pylist()
    assert [row["revenue"] for row in counts if row["stage"] == "new"] == [10.0, 7.0]


def test_an_order_that_becomes_a_refund_is_told() -> None:
    base = custcore.CustomerBase(track="orders", order_id="order")
    lines = purchases([("ann", 0, 1.0), ("ann", 3, -2.0), ("bob", 0, 1.0)])
    base.update(lines.append_column("order", pa.array([1, 1, 2])))
    flows = base.lifecycle_flows([day(0), day(5)], MODEL)
    assert flows["customers"].to_pylist() == [1]
    assert flows["share"].to_pylist() == [0.5]
    assert any("1 customers of 2026-01-01 are not buyers as of 2026-01-06" in text for text in flows.report.remarks)
