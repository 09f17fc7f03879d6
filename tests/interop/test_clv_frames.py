"""Lifetime value of frames: ids in columns or in the index, lazy frames, what the API gives; tiers and segments."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import pytest

import custcore
from custcore import clv

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

import custcore.pandas  # noqa: E402
import custcore.polars  # noqa: E402

MODEL = clv.MBGNBD.of_parameters({"r": 0.6, "alpha": 8.0, "a": 0.9, "b": 2.7})
SPEND = clv.GammaGamma.of_parameters({"p": 6.0, "q": 4.0, "gamma": 15.0})
END = "2025-09-30"


def purchases(n: int = 400) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    who = np.concatenate([np.arange(n), rng.integers(0, n, 4 * n)])
    days = np.datetime64("2025-01-01") + rng.integers(0, 365, len(who))
    return {"customer_id": 7 * who + 3, "timestamp": days, "amount": np.round(rng.gamma(3, 10, len(who)) + 1, 2)}


@pytest.fixture(scope="module")
def summary() -> custcore.Table:
    return custcore.clv_summary(purchases(), calibration_end=END)


@pytest.fixture(scope="module")
def predictions(summary: custcore.Table) -> custcore.Table:
    return MODEL.predict(summary, "1y", spend=SPEND)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=3)


# Summaries


def test_summaries_of_frames(summary: custcore.Table) -> None:
    frame = pd.DataFrame(purchases())
    found = shuffled(frame).custcore.clv_summary(calibration_end=END)
    assert found.equals(summary.to_pandas())
    assert found.custcore.report.as_of == dt.date.fromisoformat(END)
    for lazy in (pl.DataFrame(purchases()), pl.DataFrame(purchases()).lazy()):
        assert lazy.custcore.clv_summary(calibration_end=END).equals(summary.to_polars())
    life = frame.custcore.clv_summary(calibration_end=END, names="lifetimes")
    assert list(life.columns[:5]) == ["customer_id", "frequency", "recency", "T", "monetary_value"]


def test_float_ids_are_read_as_integers(summary: custcore.Table) -> None:
    frame = pd.DataFrame(purchases())
    frame["customer_id"] = frame["customer_id"].astype("float64")
    frame.loc[0, "customer_id"] = np.nan
    found = frame.custcore.clv_summary()
    assert found["customer_id"].dtype == "int64"
    assert any("float ids read as integers" in remark for remark in found.custcore.report.remarks)
    floats = summary.to_pandas()
    floats["customer_id"] = floats["customer_id"].astype("float64")
    predicted = floats.custcore.clv_predict(MODEL, "1y")
    assert predicted["customer_id"].dtype == "int64"
    assert any("float ids read as integers" in remark for remark in predicted.custcore.report.remarks)
    floats.loc[0, "customer_id"] = 0.5
    with pytest.raises(custcore.errors.InvalidTypeError, match=r"contains 0.5 in row 0"):
        floats.custcore.clv_predict(MODEL, "1y")


# Predictions


def test_predictions_are_those_of_the_model(summary: custcore.Table, predictions: custcore.Table) -> None:
    frame = summary.to_pandas()
    assert shuffled(frame).custcore.clv_predict(MODEL, "1y", spend=SPEND).equals(predictions.to_pandas())
    for lazy in (summary.to_polars(), summary.to_polars().lazy()):
        assert lazy.custcore.clv_predict(MODEL, "1y", spend=SPEND, n_threads=1).equals(predictions.to_polars())
    options: dict[str, Any] = {"spend": "own_mean", "margin": 0.3, "annual_rate": 0.2, "level": 0.8}
    found = frame.custcore.clv_predict(MODEL, ["4w", None], **options)
    assert found.equals(MODEL.predict(summary, ["4w", None], **options).to_pandas())


def test_ids_in_the_index_come_back_in_the_index(predictions: custcore.Table) -> None:
    """As lifetimes has them: summary_data_from_transaction_data returns the ids as index."""
    frame = pd.DataFrame(purchases()).custcore.clv_summary(calibration_end=END, names="lifetimes")
    life = shuffled(frame.set_index("customer_id"))
    found = life.custcore.clv_predict(MODEL, "1y", spend=SPEND)
    assert found.index.name == "customer_id"
    assert found.equals(predictions.to_pandas().set_index("customer_id"))
    # pandas aligns by index: every customer has the own value.
    joined = life.assign(clv=found["clv"])
    value = dict(zip(predictions["customer_id"], predictions["clv"], strict=True))
    assert joined["clv"].to_dict() == value
    other = life.rename_axis("who").custcore.clv_predict(MODEL, "1y", spend=SPEND)
    assert other.index.name == "who"
    assert list(other["clv"]) == predictions["clv"].to_pylist()


def test_composite_ids_in_the_index() -> None:
    frame = pd.DataFrame(purchases()).assign(shop=lambda rows: np.where(rows.customer_id % 2, "b", "a"))
    table = frame.custcore.clv_summary(customer_id=["shop", "customer_id"])
    expected = table.custcore.clv_predict(MODEL, 90, customer_id=["shop", "customer_id"])
    found = table.set_index(["shop", "customer_id"]).custcore.clv_predict(MODEL, 90)
    assert found.index.names == ["shop", "customer_id"]
    assert found.reset_index().equals(expected)


def test_a_frame_without_ids_keeps_its_rows_and_its_index(summary: custcore.Table, predictions: custcore.Table) -> None:
    frame = summary.to_pandas()
    index = [f"c{i}" for i in frame.pop("customer_id")]
    found = shuffled(frame.set_axis(pd.Index(index))).custcore.clv_predict(MODEL, "1y", spend=SPEND)
    assert "customer_id" not in found
    value = dict(zip((f"c{i}" for i in predictions["customer_id"]), predictions["clv"], strict=True))
    assert found["clv"].to_dict() == value


def test_the_end_of_the_summary_is_known_of_pandas(summary: custcore.Table) -> None:
    frame = pd.DataFrame(purchases()).custcore.clv_summary(calibration_end=END)
    later = frame.set_index("customer_id").custcore.clv_predict(MODEL, "1y", as_of="2025-12-31")
    expected = MODEL.predict(summary, "1y", as_of="2025-12-31")
    assert list(later["p_alive"]) == expected["p_alive"].to_pylist()
    with pytest.raises(custcore.errors.InvalidArgumentError, match="last day of calibration"):
        summary.to_polars().custcore.clv_predict(MODEL, "1y", as_of="2025-12-31")


def test_groups_of_a_frame() -> None:
    frame = pd.DataFrame(purchases(3_000)).custcore.clv_summary()
    frame["channel"] = np.where(frame["customer_id"] % 2, "web", "shop")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = clv.NBD(by="channel", min_customers=100).fit(frame)
    found = frame.set_index("customer_id").custcore.clv_predict(model, "1y")
    assert found["p_alive"].eq(1).all()
    assert list(found["expected_purchases"]) == model.predict(frame, "1y")["expected_purchases"].to_pylist()


def test_what_is_refused(summary: custcore.Table) -> None:
    frame = summary.to_pandas()
    with pytest.raises(custcore.errors.InvalidTypeError, match="expected a model of purchases"):
        frame.custcore.clv_predict("mbgnbd", "1y")
    with pytest.raises(custcore.errors.NotFittedError):
        frame.custcore.clv_predict(clv.BGNBD(), "1y")
    with pytest.raises(custcore.errors.SummaryError, match="has two rows"):
        pd.concat([frame, frame]).set_index("customer_id").custcore.clv_predict(MODEL, "1y")
    with pytest.raises(custcore.errors.ColumnNotFoundError):
        frame.drop(columns=["t_x"]).custcore.clv_predict(MODEL, "1y")
    with pytest.raises(TypeError, match=r"no argument 'horizons'; did you mean 'horizon'"):
        frame.custcore.clv_predict(MODEL, horizons="1y")


# Tiers, segments, cohorts


def test_tiers_of_value(predictions: custcore.Table) -> None:
    scorer = custcore.QuantileScorer(["clv"], bins=4).fit(predictions)
    scored = scorer.transform(predictions)
    tiers = clv.by_segment(scored, segment="clv_score").to_pylist()
    assert [row["clv_score"] for row in tiers] == [4, 3, 2, 1]
    assert sum(row["customers"] for row in tiers) == predictions.num_rows
    edges = np.quantile(predictions.to_numpy("clv"), [0.25, 0.5, 0.75])
    expected = np.searchsorted(edges, predictions.to_numpy("clv"), side="left") + 1
    assert scored["clv_score"].to_pylist() == expected.tolist()
    for row in tiers:
        own = predictions.to_numpy("clv")[expected == row["clv_score"]]
        assert row["clv"] == pytest.approx(own.sum(), rel=1e-12)
        assert row["clv_share"] == pytest.approx(own.sum() / predictions.to_numpy("clv").sum(), rel=1e-12)


def grouped(predictions: custcore.Table, segments: pd.DataFrame, column: str) -> pd.DataFrame:
    """The same by pandas."""
    joined = predictions.to_pandas().merge(segments[["customer_id", column]], on="customer_id", how="left")
    return joined.groupby(column, dropna=False, observed=True).agg(
        customers=("clv", "size"),
        p_alive=("p_alive", "mean"),
        expected_purchases=("expected_purchases", "sum"),
        expected_revenue=("expected_revenue", "sum"),
        clv=("clv", "sum"),
        clv_mean=("clv", "mean"),
    )


@pytest.mark.parametrize("column", ["segment", "cohort"])
def test_value_by_rfm_segment_and_by_cohort(predictions: custcore.Table, column: str) -> None:
    if column == "segment":
        table = custcore.rfm_scores(purchases(), as_of=END)
    else:
        table = custcore.cohort_retention(purchases(), period="quarter", as_of=END).customers()
    segments = shuffled(table.to_pandas())
    expected = grouped(predictions, segments, column)
    for given in (table, segments, pl.from_pandas(segments[["customer_id", column]])):
        found = clv.by_segment(predictions, given, segment=column)
        assert found.num_rows == len(expected)
        for row in found:
            label = pd.Timestamp(row[column]) if column == "cohort" else row[column]
            for name in expected.columns:
                assert row[name] == pytest.approx(expected.loc[label, name], rel=1e-12)
        values = found["clv"].to_pylist()
        assert values == sorted(values, reverse=True)
        assert sum(found["share"]) == pytest.approx(1)
        assert sum(found["clv_share"]) == pytest.approx(1)


def test_customers_are_found_by_id(predictions: custcore.Table) -> None:
    ids = predictions["customer_id"].to_pylist()
    segments = pa.table({"segment": ["odd" if i % 2 else "even" for i in reversed(ids[:-5])] + ["nobody"],
                         "customer_id": [*reversed(ids[:-5]), 10**9]})  # fmt: skip
    found = clv.by_segment(predictions, segments)
    rows = {row["segment"]: row for row in found}
    assert set(rows) == {"odd", "even", None}
    assert rows[None]["customers"] == 5
    value = dict(zip(ids, predictions["clv"].to_pylist(), strict=True))
    assert rows["odd"]["clv"] == pytest.approx(sum(value[i] for i in ids[:-5] if i % 2), rel=1e-12)
    assert found.report.remarks == (
        "1 customers of the segments have no prediction",
        "5 customers with a prediction are in no segment",
    )
    again = clv.by_segment(predictions.sort_by("clv"), segments)
    assert again.equals(found)


def test_segments_of_horizons_and_without_money(summary: custcore.Table) -> None:
    several = MODEL.predict(summary, ["4w", "1y"])
    segments = {"customer_id": summary.to_numpy("customer_id"), "segment": np.arange(summary.num_rows) % 2}
    found = clv.by_segment(several, segments)
    assert found["horizon_days"].to_pylist() == [28.0, 28.0, 365.25, 365.25]
    assert found["clv"].to_pylist() == [None] * 4
    assert found["clv_share"].to_pylist() == [None] * 4
    for days in (28, 365.25):
        whole = sum(row["expected_purchases"] for row in found if row["horizon_days"] == days)
        part = MODEL.total(summary, days)["expected_purchases"].to_pylist()[0]
        assert whole == pytest.approx(part, rel=1e-9)
        assert sum(row["share"] for row in found if row["horizon_days"] == days) == pytest.approx(1)


def test_unknown_values_are_left_out() -> None:
    half = np.full(3, 0.5)
    rows = {
        "customer_id": np.arange(3),
        "p_alive": half,
        "expected_purchases": half,
        "clv": np.array([4.0, np.nan, 2.0]),
    }
    for given in (rows, pd.DataFrame(rows)):
        [row] = clv.by_segment(given, {"customer_id": np.arange(3), "segment": np.zeros(3, dtype=int)})
        assert (row["customers"], row["clv"], row["clv_mean"], row["expected_purchases"]) == (3, 6.0, 3.0, 1.5)


def test_what_by_segment_refuses(predictions: custcore.Table) -> None:
    ids = predictions.to_numpy("customer_id")
    with pytest.raises(custcore.errors.InvalidTypeError, match="int64 in the predictions and string in the segments"):
        clv.by_segment(predictions, pa.table({"customer_id": [str(i) for i in ids], "segment": ["a"] * len(ids)}))
    with pytest.raises(custcore.errors.InvalidArgumentError, match=r"customer 3 is in the segments twice"):
        clv.by_segment(predictions, pa.table({"customer_id": [3, 3], "segment": ["a", "b"]}))
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="'segment'"):
        clv.by_segment(predictions)
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="'segment'"):
        clv.by_segment(predictions, {"customer_id": ids})
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="'p_alive'"):
        clv.by_segment({"customer_id": ids}, {"customer_id": ids, "segment": ids})
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="name it: customer_id"):
        clv.by_segment({"p_alive": ids, "expected_purchases": ids}, {"customer_id": ids, "segment": ids})
