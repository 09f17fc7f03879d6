"""`df.custcore`: every dtype pandas has for an id, a time or an amount, and what comes back."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from tests.samples import replace, transactions
from tests.versions import needs

pd = pytest.importorskip("pandas")
import custcore.pandas  # noqa: E402

SAMPLE = transactions()
NUMBERED = replace(SAMPLE, "customer_id", pa.array([i and int(i[1:]) for i in SAMPLE["customer_id"].to_pylist()]))
AS_OF = "2024-02-15"


def rows(frame: Any) -> list[dict[str, Any]]:
    """Rows as Python values, days as dates, whatever the dtypes."""
    found = pa.Table.from_pandas(frame, preserve_index=False).to_pylist()
    return [{k: v.date() if isinstance(v, datetime) else v for k, v in row.items()} for row in found]


def check(frame: Any, like: pa.Table = SAMPLE, *remarks: str, **options: Any) -> Any:
    """The frame gives what the Arrow table gives, in every value and in the report."""
    expected = custcore.rfm(like, as_of=AS_OF, **options)
    found = frame.custcore.rfm(as_of=AS_OF, **options)
    assert rows(found) == expected.to_pyarrow().to_pylist()
    report = found.custcore.report
    assert report.entries == expected.report.entries
    assert (report.n_rows, report.as_of) == (expected.report.n_rows, expected.report.as_of)
    assert report.remarks == (*expected.report.remarks, *remarks)
    assert found.index.equals(pd.RangeIndex(len(found)))
    return found


def frame(like: pa.Table = SAMPLE, **columns: Any) -> Any:
    """The sample with nullable columns, some of them exchanged."""
    return like.to_pandas(types_mapper=pd.ArrowDtype).assign(**columns)


# In: ids

STRINGS = SAMPLE["customer_id"].to_pylist()
NUMBERS = NUMBERED["customer_id"].to_pylist()


@pytest.mark.parametrize(
    "ids",
    [
        pd.Series(STRINGS, dtype=object),
        pd.Series([np.nan if i is None else i for i in STRINGS], dtype=object),
        pd.Series([pd.NA if i is None else i for i in STRINGS], dtype=object),
        pd.Series(STRINGS, dtype="str"),
        pd.Series(STRINGS, dtype="string[python]"),
        pd.Series(STRINGS, dtype="string[pyarrow]"),
        pd.Series(STRINGS, dtype=pd.ArrowDtype(pa.string())),
        pd.Series(STRINGS, dtype=pd.ArrowDtype(pa.large_string())),
        pd.Series(STRINGS).astype(pd.ArrowDtype(pa.string_view())),
        pd.Series(pd.Categorical(STRINGS, categories=["unused", *sorted({i for i in STRINGS if i}, reverse=True)])),
        pd.Series(STRINGS, dtype="string[python]").astype("category"),
        pd.Series(STRINGS).astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
    ],
    ids=lambda s: str(s.dtype)[:40],
)
def test_string_ids(ids: Any) -> None:
    check(frame(customer_id=ids))


@pytest.mark.parametrize(
    "dtype", ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt32", "UInt64", "object", "category"]
)
def test_integer_ids_with_nulls(dtype: str) -> None:
    ids = pd.Series(NUMBERS, dtype="Int64").astype(dtype)
    found = check(frame(customer_id=ids), NUMBERED)
    assert found["customer_id"].dtype.kind in "iu"


@pytest.mark.parametrize("dtype", [pa.int16(), pa.int64(), pa.uint32()])
def test_arrow_integer_ids(dtype: pa.DataType) -> None:
    check(frame(customer_id=pd.Series(NUMBERS).astype("Int64").astype(pd.ArrowDtype(dtype))), NUMBERED)


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4", "Sparse[int64]"]
)
def test_integer_ids_without_nulls(dtype: str) -> None:
    like = NUMBERED.drop_null()
    check(frame(like, customer_id=pd.Series(like["customer_id"].to_pylist()).astype(dtype)), like)


def test_binary_ids() -> None:
    raw = [i and i.encode() for i in STRINGS]
    found = frame(customer_id=pd.Series(raw, dtype=object)).custcore.rfm()
    assert [i.decode() for i in found["customer_id"]] == custcore.rfm(SAMPLE).to_pyarrow()["customer_id"].to_pylist()


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "Float64", "object", "category", "arrow", "Sparse[float64]", ">f8"]
)
def test_float_ids_that_were_integers(dtype: str) -> None:
    floats = pd.Series([None if i is None else float(i) for i in NUMBERS], dtype="float64")
    if dtype == "arrow":
        ids = floats.astype(pd.ArrowDtype(pa.float64()))
    elif dtype == "object":
        ids = pd.Series(floats.tolist(), dtype=object)
    else:
        ids = floats.astype(dtype)
    nulls = NUMBERS.count(None)
    remark = f"column 'customer_id': {len(NUMBERS) - nulls} float ids read as integers, {nulls} NaN as null"
    assert check(frame(customer_id=ids), NUMBERED, remark)["customer_id"].dtype == "int64"


def test_float_ids_at_the_limit() -> None:
    day = pd.Timestamp("2024-01-01")
    ids = [2.0**53 - 1, -(2.0**53) + 1, -0.0, 0.0]
    found = pd.DataFrame({"customer_id": ids, "timestamp": day, "amount": 1}).custcore.rfm()
    assert found["customer_id"].tolist() == [-(2**53) + 1, 0, 2**53 - 1]
    assert found.custcore.report.remarks[-1] == "column 'customer_id': 4 float ids read as integers"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([1, "a"], "integer in row 0, str in row 1"),
        (["a", None, b"a"], "str in row 0, bytes in row 2"),
        ([float("nan"), True, 1], "bool in row 1, integer in row 2"),
        ([{"a": 1}, "a"], "dict in row 0, str in row 1"),
        ([{"a": 1}, {"b": 1}], "struct"),
        ([2**70, 1], "Arrow cannot hold"),
        ([object(), None], "Arrow cannot hold"),
        ([1.5, Decimal(1)], "float in row 0, Decimal in row 1"),
        ([Decimal(1), Decimal(2)], "decimal"),
        ([True, False], "bool"),
    ],
)
def test_objects_that_are_no_ids(ids: list[Any], said: str) -> None:
    data = pd.DataFrame({"timestamp": pd.Timestamp("2024-01-01"), "amount": 1}, index=range(len(ids)))
    data["customer_id"] = pd.Series(ids, dtype=object)
    with pytest.raises(custcore.errors.InvalidTypeError, match=said) as caught:
        data.custcore.rfm()
    assert caught.value.column == "customer_id"


@needs("pyarrow", 23, to="know UUIDs of Python")
def test_uuid_ids() -> None:
    ids = [uuid.UUID(int=i) for i in (3, 1, 3)]
    found = pd.DataFrame({"customer_id": ids, "timestamp": pd.Timestamp("2024-01-01"), "amount": 1}).custcore.rfm()
    assert found["customer_id"].tolist() == [ids[1], ids[0]]


@pytest.mark.parametrize(
    ("values", "dtype", "row", "said"),
    [
        ([1.0, None, 2.5, 3.5], "float64", 2, r"contains 2.5 in row 2 \(2 such rows\).*below 2\*\*53"),
        ([1.0, 2.0**53], "float64", 1, "contains 9007199254740992.0 in row 1"),
        ([1.0, -(2.0**53)], "Float64", 1, "in row 1"),
        ([float("inf"), 1.0], "float64", 0, "contains inf in row 0"),
        ([1.0, 2.0**24], "float32", 1, r"below 2\*\*24"),
        ([1, 0.5], "category", 1, "contains 0.5"),
        ([1, 0.5], "object", 1, "contains 0.5"),
    ],
)
@pytest.mark.parametrize("argument", ["customer_id", "order_id"])
def test_float_ids_that_were_none(values: list[Any], dtype: str, row: int, said: str, argument: str) -> None:
    data = pd.DataFrame({"x": pd.Series(values, dtype=dtype), "timestamp": pd.Timestamp("2024-01-01"), "amount": 1})
    data["customer_id"] = 1
    with pytest.raises(custcore.errors.InvalidTypeError, match=said) as caught:
        data.custcore.rfm(**{argument: "x"})
    assert (caught.value.column, caught.value.row) == ("x", row)
    assert f"column 'x' ({argument})" in str(caught.value)


def test_float_order_ids() -> None:
    orders = [float(i // 2) if i % 5 else None for i in range(len(SAMPLE))]
    whole = SAMPLE.append_column("basket", pa.array([o if o is None else int(o) for o in orders], pa.int64()))
    data = frame(whole, basket=pd.Series(orders, dtype="float64"))
    nulls = orders.count(None)
    remark = f"column 'basket': {len(orders) - nulls} float ids read as integers, {nulls} NaN as null"
    check(data, whole, remark, order_id="basket")


# In: times

DAYS = SAMPLE["timestamp"].to_pylist()
TIMES = pd.Series(pd.to_datetime(pd.Series(DAYS)))


@pytest.mark.parametrize(
    "times",
    [
        *(TIMES.astype(f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")),
        TIMES + pd.Timedelta(hours=23, minutes=59),
        TIMES.astype("datetime64[s]").dt.tz_localize("Europe/Berlin"),
        TIMES.astype("datetime64[ms]").dt.tz_localize("UTC"),
        (TIMES.astype("datetime64[us]") + pd.Timedelta(hours=22)).dt.tz_localize("Pacific/Apia"),
        TIMES.astype("datetime64[ns]").dt.tz_localize("Asia/Kolkata"),
        TIMES.dt.tz_localize("+05:30"),
        pd.Series(DAYS, dtype=object),
        pd.Series([pd.NaT if d is None else d for d in DAYS], dtype=object),
        pd.Series([None if d is None else datetime.combine(d, time(18)) for d in DAYS], dtype=object),
        pd.Series([None if d is None else pd.Timestamp(d) for d in DAYS], dtype=object),
        pd.Series(DAYS).astype(pd.ArrowDtype(pa.date32())),
        pd.Series(DAYS).astype(pd.ArrowDtype(pa.date64())),
        TIMES.astype(pd.ArrowDtype(pa.timestamp("ms"))),
        TIMES.dt.tz_localize("Asia/Tokyo").astype(pd.ArrowDtype(pa.timestamp("us", "Asia/Tokyo"))),
    ],
    ids=lambda s: str(s.dtype),
)
def test_times(times: Any) -> None:
    zone = getattr(times.dtype, "tz", None) or getattr(getattr(times.dtype, "pyarrow_dtype", None), "tz", None)
    found = frame(timestamp=times).custcore.rfm(as_of=AS_OF)
    expected = custcore.rfm(SAMPLE, as_of=AS_OF)
    assert rows(found) == expected.to_pyarrow().to_pylist()
    assert found.custcore.report.entries == expected.report.entries
    if zone is None:
        assert found.custcore.report.remarks == expected.report.remarks


def test_timezone_is_heard() -> None:
    data = pd.DataFrame({"customer_id": [1], "timestamp": [pd.Timestamp("2024-01-01 23:30", tz="UTC")], "amount": [1]})
    assert data.custcore.rfm(timezone="Asia/Tokyo")["last_date"][0] == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (pd.Series(["2024-01-01"]), "string"),
        (pd.Series([20240101]), "int64"),
        (pd.Series(pd.period_range("2024", periods=1, freq="D")), r"period\[D\].*to_timestamp"),
        (pd.Series(pd.interval_range(0, 1)), "interval"),
        (
            pd.Series(["2024-01-01", pd.Timestamp("2024-01-01")], dtype=object),
            "str in row 0, a datetime without a zone in row 1",
        ),
        (
            pd.Series([None, pd.Timestamp("2024-01-01"), 7], dtype=object),
            "datetime without a zone in row 1, integer in row 2",
        ),
        (pd.Series([date(2024, 1, 1), 3], dtype=object), "date in row 0, integer in row 1"),
        (pd.Series([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="UTC")]), "a datetime in UTC in row 1"),
        (pd.Series([pd.Timedelta(1)]), "duration"),
    ],
)
def test_times_that_are_none(times: Any, said: str) -> None:
    data = pd.DataFrame({"customer_id": 1, "timestamp": times, "amount": 1})
    with pytest.raises(custcore.errors.InvalidTypeError, match=said) as caught:
        data.custcore.rfm()
    assert caught.value.column == "timestamp"


# In: amounts

AMOUNTS = SAMPLE["amount"].to_pylist()


@pytest.mark.parametrize(
    "amounts",
    [
        pd.Series(AMOUNTS, dtype="float64"),
        pd.Series(AMOUNTS, dtype="float32"),
        pd.Series(AMOUNTS, dtype="Float64"),
        pd.Series(AMOUNTS, dtype="Float32"),
        pd.Series(AMOUNTS, dtype=object),
        pd.Series(AMOUNTS, dtype="Sparse[float64]"),
        pd.Series(AMOUNTS, dtype=">f8"),
        pd.Series(AMOUNTS).astype(pd.ArrowDtype(pa.float32())),
    ],
    ids=lambda s: str(s.dtype),
)
def test_float_amounts(amounts: Any) -> None:
    assert check(frame(amount=amounts))["monetary_total"].dtype == "float64"


@pytest.mark.parametrize("dtype", ["Int16", "Int64", "object", "arrow"])
def test_integer_amounts(dtype: str) -> None:
    whole = [None if a is None else int(a) for a in AMOUNTS]
    like = replace(SAMPLE, "amount", pa.array(whole, pa.int64()))
    amounts = pd.Series(whole, dtype=pd.ArrowDtype(pa.int32()) if dtype == "arrow" else dtype)
    found = check(frame(amount=amounts), like)
    assert found["monetary_total"].dtype == "int64"
    assert type(found.custcore.report["null_customer_id"].sum) is int


@pytest.mark.parametrize("dtype", ["object", "arrow"])
def test_decimal_amounts(dtype: str) -> None:
    exact = [None if a is None else Decimal(f"{a:.2f}") for a in AMOUNTS]
    like = replace(SAMPLE, "amount", pa.array(exact, pa.decimal128(12, 2)))
    amounts = pd.Series(exact, dtype=pd.ArrowDtype(pa.decimal128(12, 2)) if dtype == "arrow" else object)
    found = check(frame(amount=amounts), like)
    assert type(found["monetary_total"][0]) is Decimal
    left_out = found.custcore.report["null_customer_id"].sum
    assert (type(left_out), left_out) == (Decimal, custcore.rfm(like).report["null_customer_id"].sum)


@pytest.mark.parametrize("dtype", ["bool", "boolean", pd.ArrowDtype(pa.bool_()), "complex128", "str"])
def test_amounts_that_are_none(dtype: Any) -> None:
    data = pd.DataFrame({"customer_id": [1, 2], "timestamp": pd.Timestamp("2024-01-01")})
    data["amount"] = pd.Series([True, False]).astype(dtype)
    with pytest.raises(custcore.errors.InvalidTypeError) as caught:
        data.custcore.rfm()
    assert caught.value.column == "amount"


@pytest.mark.parametrize(("column", "name"), [("customer_id", "1.0"), ("timestamp", "NaT"), ("amount", "NaN")])
def test_nulls_may_be_forbidden(column: str, name: str) -> None:
    data = pd.DataFrame({"customer_id": [1.0, 2.0], "timestamp": pd.Timestamp("2024-01-01"), "amount": [1.0, 2.0]})
    assert len(data.custcore.rfm(on_null="error")) == 2
    data.loc[1, column] = None
    with pytest.raises(custcore.errors.NullValueError) as caught:
        data.custcore.rfm(on_null="error")
    assert (caught.value.column, caught.value.row) == (column, 1)


def test_without_amounts() -> None:
    found = frame().drop(columns="amount").custcore.rfm(amount=None)
    assert "monetary_total" not in found
    assert len(found) == custcore.rfm(SAMPLE).num_rows
    assert found.custcore.report["null_customer_id"].sum is None


# In: the frame


def test_other_columns_and_the_index_play_no_part() -> None:
    data = frame()
    data["objects"] = [object(), {1: 2}, *[3] * (len(data) - 2)]
    data[7] = 1j
    data[("a", "b")] = 0
    twice = pd.concat([data, data[["objects", 7]]], axis=1).set_index(pd.Index([1] * len(data), name="objects"))
    before = twice.copy()
    check(twice)
    pd.testing.assert_frame_equal(twice, before)


@pytest.mark.parametrize("cut", [slice(None, None, 2), slice(None, None, -1), slice(10, 40), slice(0, 0)])
def test_slices(cut: slice) -> None:
    """Also of numpy-backed columns, whose values are then not side by side."""
    arrow = pa.Table.from_pandas(SAMPLE.to_pandas()[cut], preserve_index=False, schema=SAMPLE.schema)
    check(frame(timestamp=TIMES, amount=np.array(AMOUNTS, dtype=float))[cut], arrow)


def test_no_rows() -> None:
    empty = pd.DataFrame({"customer_id": [], "timestamp": [], "amount": []}, dtype=object)
    for scored in (empty.custcore.rfm(), empty.custcore.rfm_scores()):
        assert scored.empty
        assert scored["last_date"].dtype == "datetime64[s]"
        assert scored["monetary_total"].dtype == "float64"
    assert scored["segment"].dtype == "category"
    assert scored.custcore.report.as_of is None


def test_all_null() -> None:
    data = pd.DataFrame({"customer_id": [None, None], "timestamp": pd.Timestamp("2024-01-01"), "amount": 1.5})
    found = data.custcore.rfm()
    assert found.empty
    assert found.custcore.report["null_customer_id"].sum == 3.0


def test_a_missing_column() -> None:
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="did you mean 'customer_id'") as caught:
        frame().custcore.rfm(customer_id="customer")
    assert caught.value.column == "customer"
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="did you mean 'household'"):
        frame().rename(columns={"customer_id": "household"}).custcore.rfm(customer_id="houshold")
    with pytest.raises(custcore.errors.ColumnNotFoundError, match=r"in the index of the frame.*reset_index"):
        frame().set_index("customer_id").custcore.rfm()


def test_a_column_of_that_name_twice() -> None:
    data = frame()
    with pytest.raises(custcore.errors.DuplicateColumnError, match="amount"):
        pd.concat([data, data["amount"]], axis=1).custcore.rfm()


def test_arguments_are_those_of_the_function() -> None:
    for name in ("rfm", "rfm_scores"):
        method = getattr(custcore.pandas.CustcoreAccessor, name)
        function = getattr(custcore, name)
        theirs = list(inspect.signature(function).parameters.values())[1:]
        assert list(inspect.signature(method).parameters.values())[1:-1] == theirs
        text = inspect.getdoc(method)
        assert "set_index : bool" in text
        assert text.count("Parameters\n----------\n") == text.count("Returns\n-------\n") == 1
        assert "pyarrow" not in text.partition("Examples")[2]
        described = inspect.getdoc(function)
        assert all(parameter.name in text for parameter in theirs if parameter.name in described)
    with pytest.raises(TypeError, match="custmer"):
        frame().custcore.rfm(custmer="customer_id")
    with pytest.raises(custcore.errors.InvalidArgumentError):
        frame().custcore.rfm(returns="maybe")


def test_progress_and_threads_go_through() -> None:
    calls: list[tuple[int, int | None]] = []
    one = frame().custcore.rfm(n_threads=1, progress=lambda done, total: calls.append((done, total)))
    assert one.equals(frame().custcore.rfm(n_threads=2))
    assert calls == [] or calls[-1][1] == len(SAMPLE)


# Out


def test_dtypes() -> None:
    found = frame().custcore.rfm_scores()
    segments = found.pop("segment")
    assert segments.cat.categories.tolist() == custcore.SegmentMap.named("rf10").names
    assert not segments.cat.ordered
    assert found.pop("rfm_cell").cat.categories[:2].tolist() == ["1-1-1", "1-1-2"]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "customer_id": str(pa.array(["a"]).to_pandas().dtype),
        "first_date": "datetime64[s]",
        "last_date": "datetime64[s]",
        "recency_days": "int32",
        "tenure_days": "int32",
        "n_orders": "int64",
        "n_rows": "int64",
        "monetary_total": "float64",
        "monetary_mean": "float64",
        "r_score": "uint8",
        "f_score": "uint8",
        "m_score": "uint8",
        "rfm_score": "int32",
        "rfm_total": "float64",
    }


def test_scores_equal_those_of_the_table() -> None:
    found = frame().custcore.rfm_scores(bins=4, segments=None)
    assert rows(found) == custcore.rfm_scores(SAMPLE, bins=4, segments=None).to_pyarrow().to_pylist()


def test_integers_are_nullable_where_there_is_a_null() -> None:
    assert frame().custcore.rfm_scores(bins=12)["rfm_score"].dtype == "Int32"
    holes = pd.DataFrame({"recency_days": [1, None], "n_orders": [1, 2], "monetary_total": [1.0, 2.0]}).convert_dtypes()
    scored = holes.custcore.score(custcore.RFMScorer().fit(holes))
    assert (scored["r_score"].dtype, scored["f_score"].dtype) == ("UInt8", "uint8")
    assert scored["r_score"].isna().tolist() == [False, True]


def test_the_years_1_and_9999() -> None:
    days = pd.Series([date(1, 1, 1), date(9999, 12, 31)], dtype=object)
    found = pd.DataFrame({"customer_id": 1, "timestamp": days, "amount": 1}).custcore.rfm()
    assert (found["first_date"].dt.year[0], found["last_date"].dt.year[0]) == (1, 9999)


def test_set_index() -> None:
    plain = frame().custcore.rfm()
    indexed = frame().custcore.rfm(set_index=True)
    pd.testing.assert_frame_equal(indexed, plain.set_index("customer_id"))
    assert indexed.custcore.report == plain.custcore.report
    scored = frame().custcore.rfm_scores(set_index=True, sort=False)
    assert scored.index.name == "customer_id"


def test_the_result_goes_back_in() -> None:
    """A result is merged with what it came from, and read by custcore again."""
    data = frame(customer_id=pd.Series(STRINGS, dtype="category"))
    found = data.custcore.rfm()
    merged = data.merge(found, on="customer_id")
    assert len(merged) == data["customer_id"].isin(found["customer_id"]).sum()
    scorer = custcore.RFMScorer().fit(found)
    assert rows(found.custcore.score(scorer)) == rows(data.custcore.rfm_scores())


# The report in df.attrs


def test_the_report_lives_with_the_frame(tmp_path: Any) -> None:
    found = frame().custcore.rfm_scores()
    report = found.custcore.report
    expected = custcore.rfm_scores(SAMPLE).report
    assert isinstance(report, custcore.Report)
    assert report == expected
    found.to_parquet(tmp_path / "scored.parquet")
    for other in (
        found.copy(),
        copy.copy(found),
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        found[found["n_orders"] > 1],
        found.rename(columns=str.upper),
        found.sort_values("segment").reset_index(drop=True),
        pd.concat([found, found.copy()]),
        pd.read_parquet(tmp_path / "scored.parquet"),
    ):
        assert other.custcore.report == report
    assert found.equals(found.copy())
    pd.testing.assert_frame_equal(found, found.copy())
    pd.testing.assert_frame_equal(found, pickle.loads(pickle.dumps(found)))


def test_frames_with_unlike_reports_are_joined() -> None:
    joined = pd.concat([frame().custcore.rfm(), frame()[:20].custcore.rfm()])
    with pytest.raises(custcore.errors.InvalidArgumentError, match="has no report"):
        joined.custcore.report  # noqa: B018
    with pytest.raises(ValueError, match="has no report"):
        frame().custcore.report  # noqa: B018


def test_reports_with_decimals_survive() -> None:
    data = frame(amount=[None if a is None else Decimal(f"{a:.2f}") for a in AMOUNTS])
    report = pickle.loads(pickle.dumps(data.custcore.rfm())).custcore.report
    assert type(report["netted_refunds"].sum) is Decimal


# A scorer


def test_score_keeps_the_frame() -> None:
    customers = frame().custcore.rfm()
    customers["note"] = [object()] * len(customers)
    customers = customers.set_index(pd.Index(range(100, 100 + len(customers)), name="row"))
    scorer = custcore.RFMScorer().fit(custcore.rfm(SAMPLE))
    scored = customers.custcore.score(scorer)
    assert scored.index.equals(customers.index)
    pd.testing.assert_frame_equal(scored[list(customers.columns)], customers)
    expected = scorer.transform(custcore.rfm(SAMPLE)).to_pyarrow()
    for name in ("r_score", "f_score", "m_score", "rfm_cell", "rfm_score", "rfm_total", "segment"):
        assert scored[name].tolist() == expected[name].to_pylist()
    assert scored.custcore.report.entries == customers.custcore.report.entries
    assert "r_score" not in customers
    with pytest.raises(custcore.errors.DuplicateColumnError, match="r_score"):
        scored.custcore.score(scorer)


def test_score_says_what_is_wrong() -> None:
    customers = frame().custcore.rfm()
    scorer = custcore.RFMScorer().fit(customers)
    with pytest.raises(custcore.errors.NotFittedError):
        customers.custcore.score(custcore.RFMScorer())
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="n_orders"):
        customers.drop(columns="n_orders").custcore.score(scorer)
    customers["n_orders"] = [1, "many", *[1] * (len(customers) - 2)]
    with pytest.raises(custcore.errors.InvalidTypeError, match=r"'n_orders' contains objects of several types.*row 1"):
        customers.custcore.score(scorer)


# Against pandas


def test_net_of_refunds_as_pandas_has_it() -> None:
    """A shop's year: orders and refunds, nulls made floats of the ids; whole cents, which floats add exactly."""
    rng = np.random.default_rng(11)
    n = 20_000
    data = pd.DataFrame(
        {
            "household": np.where(rng.random(n) < 0.02, np.nan, rng.integers(0, 900, n)),
            "when": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 365 * 86_400, n), unit="s"),
            "cents": np.where(rng.random(n) < 0.15, -1.0, 1.0) * rng.integers(0, 20_000, n),
        }
    )
    data.loc[data["household"] < 5, "cents"] = -data.loc[data["household"] < 5, "cents"].abs() - 1
    data.loc[rng.random(n) < 0.01, "when"] = pd.NaT
    found = data.custcore.rfm(customer_id="household", timestamp="when", amount="cents", set_index=True)

    known = data.dropna(subset=["household", "when"]).assign(day=lambda d: d["when"].dt.normalize())
    bought = known[known["cents"] >= 0].groupby("household")
    expected = pd.DataFrame({"first_date": bought["day"].min(), "last_date": bought["day"].max()})
    as_of = known["day"].max()
    expected["recency_days"] = (as_of - expected["last_date"]).dt.days
    expected["tenure_days"] = (as_of - expected["first_date"]).dt.days
    expected["n_orders"] = expected["n_rows"] = bought.size()
    expected["monetary_total"] = known.groupby("household")["cents"].sum()
    expected["monetary_mean"] = expected["monetary_total"] / expected["n_orders"]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_index_type=False, check_exact=True)

    report = found.custcore.report
    assert 900 > len(found) == 895
    lost = data["household"].isna()
    assert report["null_customer_id"].count == lost.sum()
    assert report["null_customer_id"].first_row == lost.argmax()
    assert report["refund_only_customers"].count == 5
    left_out = sum(entry.sum for entry in report if entry.kind == "left_out")
    assert found["monetary_total"].sum() + left_out == data["cents"].sum()


# What is imported, and what is missing


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_the_door() -> None:
    assert "True False" in run(
        "import sys, custcore; assert 'pandas' not in sys.modules; import custcore.pandas; import pandas;"
        "print(hasattr(pandas.DataFrame, 'custcore'), 'polars' in sys.modules)"
    )


@pytest.mark.parametrize(
    ("absent", "code"),
    [
        ("pandas", "import custcore.pandas"),
        ("pyarrow", "import custcore.pandas, pandas; pandas.DataFrame({'customer_id': [1]}).custcore.rfm()"),
        ("pyarrow", "import custcore.pandas, pandas; pandas.DataFrame().custcore.score(custcore.RFMScorer())"),
    ],
)
def test_what_is_missing_is_said(absent: str, code: str) -> None:
    said = run(f"import sys; sys.modules[{absent!r}] = None\ntry:\n {code}\nexcept ImportError as e: print(e, e.name)")
    assert "pip install 'pandas>=" in said
    assert absent in said


@pytest.mark.parametrize("dtype", ["float64", "Float64", "boolean", "datetime64[ns]", "str", "Int64"])
def test_attributes_keep_their_type_where_there_are_no_rows(dtype):
    rows = pd.DataFrame({"customer_id": [1, 2], "timestamp": pd.to_datetime(["2024-01-01"] * 2), "amount": [1.0, 2.0]})
    some = rows.assign(note=pd.Series(["1", "2"] if dtype == "str" else [1, 0], dtype=dtype))
    none = rows.assign(note=pd.Series([None, None], dtype=dtype))
    want = some.custcore.rfm(attributes={"note": "last"})["note"].dtype
    assert some.iloc[:0].custcore.rfm(attributes={"note": "last"})["note"].dtype == want
    # nulls make integers and booleans nullable
    nulls = none.custcore.rfm(attributes={"note": "last"})["note"]
    assert nulls.isna().all()
    assert nulls.dtype == (dtype if dtype in {"boolean", "Int64"} else want)
