"""`df.custcore` and `lf.custcore`: every dtype polars has for an id, a time or an amount, and what comes back."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.samples import replace, transactions
from tests.versions import is_before

pl = pytest.importorskip("polars")
import custcore.polars  # noqa: E402

SAMPLE = transactions()
NUMBERED = replace(SAMPLE, "customer_id", pa.array([i and int(i[1:]) for i in SAMPLE["customer_id"].to_pylist()]))
IDS, DAYS = pl.col("customer_id"), pl.col("timestamp")


def frame(like: pa.Table = SAMPLE, *changes: Any) -> Any:
    return pl.from_arrow(like).with_columns(*changes)


def check(data: Any, like: pa.Table = SAMPLE, **options: Any) -> Any:
    """Eager and lazy, the frame gives what the Arrow table gives, in every value and in the report."""
    expected = custcore.rfm(like, **options)
    for way in (data, data.lazy()):
        found, report = way.custcore.rfm(return_report=True, **options)
        assert isinstance(found, pl.DataFrame)
        assert found.rows(named=True) == expected.to_pyarrow().to_pylist()
        assert report.entries == expected.report.entries
        assert (report.n_rows, report.as_of) == (expected.report.n_rows, expected.report.as_of)
    return found


@pytest.mark.parametrize(
    "dtype",
    [pl.String, pl.Categorical, pl.Enum([f"c{i:02d}" for i in reversed(range(20))])],
    ids=["String", "Categorical", "Enum"],
)
def test_string_ids(dtype: Any) -> None:
    assert check(frame(SAMPLE, IDS.cast(dtype)))["customer_id"].dtype == pl.String


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64])
def test_integer_ids(dtype: Any) -> None:
    assert check(frame(NUMBERED, IDS.cast(dtype)), NUMBERED)["customer_id"].dtype == dtype


def test_binary_ids() -> None:
    found = frame(SAMPLE, IDS.cast(pl.Binary)).custcore.rfm()
    assert (
        found["customer_id"].cast(pl.String).to_list() == custcore.rfm(SAMPLE).to_pyarrow()["customer_id"].to_pylist()
    )


def test_float_ids_are_refused() -> None:
    """A null makes no float of an integer in polars: a float id is a slip."""
    with pytest.raises(custcore.errors.InvalidTypeError, match="customer_id") as caught:
        frame(NUMBERED, IDS.cast(pl.Float64)).custcore.rfm()
    assert caught.value.column == "customer_id"


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        *(DAYS.cast(pl.Datetime(unit)) for unit in ("ms", "us", "ns")),
        DAYS.cast(pl.Datetime("us")) + timedelta(hours=23, minutes=59),
        DAYS.cast(pl.Datetime("ms")).dt.replace_time_zone("Europe/Berlin"),
        (DAYS.cast(pl.Datetime("us")) + timedelta(hours=22)).dt.replace_time_zone("Pacific/Apia"),
    ],
    ids=["Date", "ms", "us", "ns", "late", "Berlin", "Apia"],
)
def test_times(times: Any) -> None:
    check(frame(SAMPLE, times))


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_float_amounts(dtype: Any) -> None:
    nan = pl.col("amount").cast(dtype).fill_null(float("nan"))
    check(frame(SAMPLE, pl.col("amount").cast(dtype)))
    assert check(frame(SAMPLE, nan))["monetary_total"].dtype == pl.Float64


@pytest.mark.parametrize("dtype", [pl.Int16, pl.Int64])
def test_integer_amounts(dtype: Any) -> None:
    whole = pa.array([a if a is None else int(a) for a in SAMPLE["amount"].to_pylist()], pa.int64())
    found = check(frame(SAMPLE, pl.col("amount").cast(dtype)), replace(SAMPLE, "amount", whole))
    assert found["monetary_total"].dtype == pl.Int64


def test_decimal_amounts() -> None:
    exact = pa.array(
        [a if a is None else Decimal(f"{a:.2f}") for a in SAMPLE["amount"].to_pylist()], pa.decimal128(12, 2)
    )
    found = check(frame(SAMPLE, pl.col("amount").cast(pl.Decimal(12, 2))), replace(SAMPLE, "amount", exact))
    assert found["monetary_total"].dtype == pl.Decimal(38, 2)


def test_arguments_go_through() -> None:
    orders = SAMPLE.append_column("basket", pa.array([i // 2 for i in range(len(SAMPLE))]))
    check(frame(orders), orders, order_id="basket", returns="exclude", as_of="2024-03-01", zero_is_purchase=False)
    renamed = SAMPLE.rename_columns(["who", "when", "paid"])
    check(frame(renamed), renamed, customer_id="who", timestamp="when", amount="paid", n_threads=1)
    found = frame().drop("amount").custcore.rfm(amount=None)
    assert "monetary_total" not in found.columns
    with pytest.raises(TypeError, match="custmer"):
        frame().custcore.rfm(custmer="customer_id")


def test_the_arguments_are_those_of_the_function() -> None:
    for name in ("rfm", "rfm_scores"):
        method = getattr(custcore.polars.CustcoreNamespace, name)
        theirs = list(inspect.signature(getattr(custcore, name)).parameters.values())[1:]
        assert list(inspect.signature(method).parameters.values())[1:-1] == theirs
        assert "return_report : bool" in inspect.getdoc(method)


def test_other_columns_play_no_part() -> None:
    data = frame().with_columns(pl.Series("objects", [object()] * len(SAMPLE), dtype=pl.Object))
    data = data.with_columns(pl.lit([[1]]).alias("lists"), pl.lit(timedelta(1)).alias("durations"))
    expected = custcore.rfm(SAMPLE).to_pyarrow().to_pylist()
    assert data.custcore.rfm().rows(named=True) == expected
    assert data.columns == ["customer_id", "timestamp", "amount", "objects", "lists", "durations"]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_missing_column(lazy: bool) -> None:
    data = frame().rename({"customer_id": "household"})
    data = data.with_columns(pl.Series("objects", [object()] * len(SAMPLE), dtype=pl.Object))
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="did you mean 'household'") as caught:
        (data.lazy() if lazy else data).custcore.rfm(customer_id="houshold")
    assert caught.value.column == "houshold"


def test_slices_and_chunks() -> None:
    check(frame()[10:50], SAMPLE.slice(10, 40))
    check(pl.concat([frame()[:7], frame()[7:8], frame()[8:]], rechunk=False))
    check(frame()[:0], SAMPLE.slice(0, 0))


# Lazy


def test_a_query_is_run_for_the_needed_columns_only() -> None:
    """A scan, a filter, and a column that would fail if it were computed."""
    fails = pl.col("amount").map_batches(lambda s: 1 / 0, return_dtype=pl.Float64)
    query = frame().lazy().with_columns(wrong=fails).filter(pl.col("amount") > 0)
    expected = custcore.rfm(SAMPLE.filter(pa.compute.greater(SAMPLE["amount"], 0))).to_pyarrow().to_pylist()
    assert query.custcore.rfm().rows(named=True) == expected


def test_rows_keep_their_order(tmp_path: Any) -> None:
    """`first_row` counts over the whole query, whatever the batches."""
    files = []
    for i in range(9):
        files.append(tmp_path / f"{i}.parquet")
        frame(SAMPLE.slice(10 * i, 10)).write_parquet(files[-1])
    check(pl.scan_parquet(files))


def test_an_empty_query() -> None:
    found, report = frame().lazy().filter(pl.lit(False)).custcore.rfm_scores(return_report=True)
    assert found.is_empty()
    assert found.schema == frame().custcore.rfm_scores().schema
    assert report.n_rows == 0


def test_a_query_that_fails_says_so() -> None:
    fails = frame().lazy().with_columns(timestamp=pl.col("customer_id").str.to_date("%Y"))
    with pytest.raises(custcore.errors.ArrowImportError, match="conversion from `str` to `date` failed") as caught:
        fails.custcore.rfm()
    assert isinstance(caught.value.__cause__, pl.exceptions.PolarsError)


def test_polars_that_has_no_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pl.LazyFrame, "collect_batches", raising=False)
    check(frame())


# Out


def test_dtypes() -> None:
    found = frame().custcore.rfm_scores()
    assert dict(found.schema) == {
        "customer_id": pl.String,
        "first_date": pl.Date,
        "last_date": pl.Date,
        "recency_days": pl.Int32,
        "tenure_days": pl.Int32,
        "n_orders": pl.Int64,
        "n_rows": pl.Int64,
        "monetary_total": pl.Float64,
        "monetary_mean": pl.Float64,
        "r_score": pl.UInt8,
        "f_score": pl.UInt8,
        "m_score": pl.UInt8,
        "rfm_cell": pl.Categorical,
        "rfm_score": pl.Int32,
        "rfm_total": pl.Float64,
        "segment": pl.Enum(custcore.SegmentMap.named("rf10").names),
    }
    assert found.rows(named=True) == custcore.rfm_scores(SAMPLE).to_pyarrow().to_pylist()


def test_segments_sort_in_the_order_of_their_map() -> None:
    mine = custcore.SegmentMap([("zebras", (4, 5), None), ("apes", (2, 3), None)], bins=5, rest="moles")
    found = frame().custcore.rfm_scores(segments=mine)
    assert found["segment"].unique().sort().to_list() == ["zebras", "apes", "moles"]
    assert found.lazy().select("segment").collect_schema()["segment"] == pl.Enum(["zebras", "apes", "moles"])
    assert "segment" not in frame().custcore.rfm_scores(segments=None).columns
    named = frame().custcore.rfm_scores(segments="rf10")
    assert named.equals(frame().custcore.rfm_scores())


def test_no_segments_where_the_bins_are_others() -> None:
    found, report = frame().custcore.rfm_scores(bins=4, return_report=True)
    expected = custcore.rfm_scores(SAMPLE, bins=4)
    assert found.rows(named=True) == expected.to_pyarrow().to_pylist()
    assert report == expected.report


@pytest.mark.parametrize("lazy", [False, True])
def test_score(lazy: bool) -> None:
    customers = frame().custcore.rfm()
    scorer = custcore.RFMScorer().fit(customers)
    # polars exports Python objects since 1.40; lists are passed on.
    note = pl.List(pl.Int64) if is_before("polars", 1, 40) else pl.Object
    notes = customers.with_columns(pl.Series("note", [[1]] * customers.height, dtype=note))
    scored = (customers.lazy() if lazy else notes).custcore.score(scorer)
    expected = frame().custcore.rfm_scores()
    assert scored.drop("note", strict=False).equals(expected)
    assert scored.columns == [*(customers if lazy else notes).columns, *expected.columns[customers.width :]]
    with pytest.raises(custcore.errors.DuplicateColumnError, match="r_score"):
        scored.custcore.score(scorer)
    with pytest.raises(custcore.errors.NotFittedError):
        customers.custcore.score(custcore.RFMScorer())
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="n_orders"):
        customers.drop("n_orders").custcore.score(scorer)


# Against polars


def test_net_of_refunds_as_polars_has_it() -> None:
    whole = pl.from_arrow(transactions(5000, customers=400, seed=3)).with_columns(pl.col("amount").cast(pl.Int64))
    found, report = whole.lazy().custcore.rfm(return_report=True)
    known = whole.drop_nulls(["customer_id", "timestamp"])
    bought = pl.col("amount").fill_null(0) >= 0
    expected = (
        known.group_by("customer_id")
        .agg(
            pl.col("timestamp").filter(bought).min().alias("first_date"),
            pl.col("timestamp").filter(bought).max().alias("last_date"),
            bought.sum().cast(pl.Int64).alias("n_orders"),
            pl.col("amount").sum().alias("monetary_total"),
        )
        .filter(pl.col("n_orders") > 0)
        .sort("customer_id")
    )
    assert found.select(expected.columns).equals(expected)
    left_out = sum(entry.sum for entry in report if entry.kind == "left_out")
    assert found["monetary_total"].sum() + left_out == whole["amount"].sum()


# What is imported, and what is missing


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_the_door() -> None:
    """Neither pandas nor pyarrow nor numpy is imported on the way through."""
    code = (
        "import sys, datetime, custcore; assert 'polars' not in sys.modules; import custcore.polars, polars as pl;"
        "f = pl.DataFrame({'customer_id': [1], 'timestamp': [datetime.date(2024, 1, 1)], 'amount': [2.5]});"
        "print(f.lazy().custcore.rfm_scores()['segment'][0], {'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    )
    assert run(code) == "new_customers set()"


def test_what_is_missing_is_said() -> None:
    said = run(
        "import sys; sys.modules['polars'] = None\ntry:\n import custcore.polars\nexcept ImportError as e: print(e)"
    )
    assert "pip install 'polars>=" in said
