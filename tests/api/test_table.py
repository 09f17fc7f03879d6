"""`custcore.Table`: its parts, rows and values, without and with other libraries."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import narwhals as nw
import narwhals.stable.v1 as nw_v1
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.interchange
import pytest

import custcore
import custcore.pandas
import custcore.polars
from custcore.errors import ColumnNotFoundError, InvalidArgumentError, InvalidTypeError
from tests.samples import one_customer, replace, transactions


def scored() -> custcore.Table:
    return custcore.rfm_scores(transactions(400, customers=60))


def passed_on(values: pa.Array) -> custcore.Table:
    """A result that passes on a column of this type."""
    n = len(values)
    customers = pa.table({"recency_days": range(n), "n_orders": [1] * n, "passed": values})
    scorer = custcore.RFMScorer(3, segments=None).fit(customers)
    return scorer.transform(customers).select(["passed"])


VALUES: dict[str, pa.Array] = {
    "bool": pa.array([True, None, False]),
    "int8": pa.array([1, None, -128], pa.int8()),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float32": pa.array([0.1, None, float("inf")], pa.float32()),
    "decimal": pa.array([Decimal("1.10"), None, Decimal("-2.25")]),
    "date": pa.array([date(1, 1, 1), None, date(9999, 12, 31)]),
    "string": pa.array(["重要价值客户", None, ""]),
    "large_string": pa.array(["a", None, "b"], pa.large_string()),
    "string_view": pa.array(["a string longer than twelve bytes", None, "b"], pa.string_view()),
    "binary": pa.array([b"\x00\xff", None, b""]),
    "fixed binary": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "dictionary": pa.array(["x", None, "y"]).dictionary_encode(),
    "seconds": pa.array([-1, None, 1_767_225_600], pa.timestamp("s")),
    "ms": pa.array([-995, None, 1_767_225_600_000], pa.timestamp("ms")),
    "us": pa.array([1_767_262_830_000_120, None, 1_767_225_600_500_000], pa.timestamp("us")),
    "ns": pa.array([1_767_262_830_000_120_000, None, 0], pa.timestamp("ns")),
    "zone": pa.array([datetime(2026, 7, 1, 10, tzinfo=UTC), None], pa.timestamp("us", "Europe/Berlin")),
    "offset": pa.array([datetime(2026, 7, 1, 10, tzinfo=UTC), None], pa.timestamp("ms", "-05:30")),
    "list": pa.array([[1, 2], None, []]),
    "struct": pa.array([{"a": 1}, None, {"a": None}]),
    "time": pa.array([1, None], pa.time64("us")),
    "duration": pa.array([timedelta(seconds=1), None]),
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_values_are_those_of_pyarrow(values: pa.Array) -> None:
    column = passed_on(values)["passed"]
    assert column.to_pylist() == values.to_pylist()
    # pandas' Timestamp is a datetime, which pyarrow makes of nanoseconds.
    assert all(isinstance(theirs, type(ours)) for ours, theirs in zip(column, values.to_pylist(), strict=True))
    assert [column[i] for i in range(-len(column), len(column))] == values.to_pylist() * 2
    assert column.to_pyarrow().equals(values)
    assert len(repr(column).split("\n")) == len(column) + 1


def test_times_have_their_zone() -> None:
    at = passed_on(VALUES["zone"])["passed"][0]
    assert (at.hour, at.utcoffset()) == (12, timedelta(hours=2))
    at = passed_on(VALUES["offset"])["passed"][0]
    assert at.utcoffset() == timezone(-timedelta(hours=5, minutes=30)).utcoffset(None)


@pytest.mark.parametrize("ticks", [1, 10**18 + 1])
def test_times_that_no_datetime_holds_are_an_error(ticks: int) -> None:
    table = passed_on(pa.array([ticks, None], pa.timestamp("ns")))
    with pytest.raises(InvalidTypeError, match=r"'passed'.*to_pyarrow"):
        table["passed"].to_pylist()
    assert str(ticks % 10**9) in repr(table)


def test_rows_columns_and_sizes_are_those_of_pyarrow() -> None:
    table = scored()
    arrow = table.to_pyarrow()
    assert table.shape == arrow.shape
    assert table.columns == table.column_names == list(table.keys()) == arrow.column_names
    assert table.num_rows == len(table) == len(list(table)) == arrow.num_rows
    assert table.to_pylist() == list(table) == arrow.to_pylist()
    assert table.to_pydict() == arrow.to_pydict() == {name: list(column) for name, column in dict(table).items()}
    assert list(table.rows()) == [tuple(row.values()) for row in arrow.to_pylist()]
    assert list(table.rows(named=True)) == arrow.to_pylist()
    assert isinstance(table.metadata, dict)


def test_rows_of_many_and_of_none() -> None:
    ids = range(10_000)
    data = pa.table({"customer_id": ids, "timestamp": [date(2024, 1, 1)] * 10_000, "amount": [1.0] * 10_000})
    many = custcore.rfm(data)
    assert [row[0] for row in many.rows()] == list(many["customer_id"]) == list(ids)
    none = many[:0]
    assert list(none) == list(none.rows()) == none.to_pylist() == list(none["customer_id"]) == []
    assert none.to_pyarrow().equals(many.to_pyarrow().slice(0, 0))
    assert none["customer_id"].to_pyarrow().equals(pa.array([], pa.int64()))


@pytest.mark.parametrize(
    "rows",
    [slice(0, 10), slice(None), slice(-3, None), slice(5, 2), slice(50, 1000), slice(None, -55), slice(2, 5, 1)],
    ids=str,
)
def test_slices_are_those_of_a_list(rows: slice) -> None:
    table = scored()
    assert table[rows].to_pylist() == table.to_pylist()[rows]
    assert table["segment"][rows].to_pylist() == table.to_pydict()["segment"][rows]
    assert table[rows].report == table.report
    assert table[rows].schema == table.schema


@pytest.mark.parametrize("n", [0, 1, 5, 1000, -2, -1000])
def test_head_and_tail_are_those_of_pandas(n: int) -> None:
    table, frame = scored(), scored().to_pandas()
    assert table.head(n)["customer_id"].to_pylist() == frame.head(n)["customer_id"].tolist()
    assert table.tail(n)["customer_id"].to_pylist() == frame.tail(n)["customer_id"].tolist()


def test_single_rows_and_columns() -> None:
    table = scored()
    rows = table.to_pylist()
    assert (table[0], table[-1], table[np.int64(3)]) == (rows[0], rows[-1], rows[3])
    assert "segment" in table
    assert "segmnet" not in table
    assert rows[3] in table
    assert {"segment": "champions"} not in table
    part = table[["segment", "customer_id"]]
    assert part.columns == ["segment", "customer_id"]
    assert part.to_pyarrow().equals(table.to_pyarrow().select(["segment", "customer_id"]))
    assert part.equals(table.select(("segment", "customer_id")))
    assert part.report == table.report


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (10**6, IndexError),
        (-61, IndexError),
        (slice(0, 10, 2), ValueError),
        (slice(None, None, -1), ValueError),
        (1.5, TypeError),
        (True, TypeError),
        (None, TypeError),
        ([1, 2], InvalidTypeError),
        ("segmnet", ColumnNotFoundError),
        (["segmnet"], ColumnNotFoundError),
        (["segment", "segment"], InvalidArgumentError),
    ],
    ids=str,
)
def test_keys_that_are_none(key: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        scored()[key]
    if not isinstance(key, list | str):
        with pytest.raises(error):
            scored()["segment"][key]
    with pytest.raises(InvalidTypeError, match="list of names"):
        scored().select("segment")


def test_an_unknown_column_is_proposed() -> None:
    table = custcore.rfm(transactions())
    for call in (table.__getitem__, table.to_numpy):
        with pytest.raises(ColumnNotFoundError) as caught:
            call("monetary")
        assert "column 'monetary' is not in the table; did you mean" in str(caught.value)
        assert "'monetary_total'" in str(caught.value)
        assert caught.value.column == "monetary"


def test_sorted_rows_are_those_of_pandas() -> None:
    table = scored()
    frame = table.to_pandas()
    for names, descending in ((["monetary_total"], True), (["segment", "n_orders"], False), (["first_date"], True)):
        ours = table.sort_by(names, descending=descending)
        keyed = frame.assign(segment=frame["segment"].astype(str))
        theirs = keyed.sort_values(names, ascending=not descending, kind="stable")
        assert ours["customer_id"].to_pylist() == theirs["customer_id"].tolist()
        assert (ours.report, ours.schema, ours.metadata) == (table.report, table.schema, table.metadata)
    assert table.sort_by("n_orders").equals(table.sort_by(["n_orders"]))
    with pytest.raises(ColumnNotFoundError):
        table.sort_by("orders")
    with pytest.raises(InvalidArgumentError):
        table.sort_by([])


def test_rows_by_a_mask() -> None:
    table = scored()
    ids = table["customer_id"].to_pylist()
    wanted = [number % 3 == 0 for number in range(len(ids))]
    expected = [name for name, is_wanted in zip(ids, wanted, strict=True) if is_wanted]
    nulls = [value or None for value in wanted]
    for mask in (wanted, tuple(wanted), np.array(wanted), pa.array(nulls), pa.chunked_array([wanted[:2], wanted[2:]])):
        found = table.filter(mask)
        assert found["customer_id"].to_pylist() == expected
        assert (found.report, found.schema, found.metadata) == (table.report, table.schema, table.metadata)
    ticked = passed_on(pa.array([True, False, None]))
    assert ticked.filter(ticked[ticked.columns[0]]).num_rows == 1
    assert table.filter([False] * len(table)).schema == table.schema
    assert table[:0].filter([]).num_rows == 0
    with pytest.raises(InvalidArgumentError, match="one for each"):
        table.filter(wanted[1:])
    for wrong in ([1] * len(table), ["yes"] * len(table), 7, None, object()):
        with pytest.raises(InvalidTypeError, match="mask"):
            table.filter(wrong)


def test_equal_tables() -> None:
    table, frame = scored(), scored()
    assert table.equals(frame)
    assert table.equals(table)
    assert not table.equals(table[1:])
    assert not table.equals(table.select(table.columns[1:]))
    assert not table.equals(table.sort_by("monetary_total"))
    assert not table.equals(table.to_pyarrow())  # type: ignore[arg-type]
    numbers = passed_on(pa.array([1.0, float("nan"), None, -0.0]))
    assert numbers.equals(passed_on(pa.array([1.0, float("nan"), None, 0.0])))
    assert not numbers.equals(passed_on(pa.array([1.0, float("nan"), 2.0, 0.0])))
    batches = custcore.rfm(transactions()).to_pyarrow()
    scorer = custcore.RFMScorer().fit(batches)
    assert scorer.transform(batches.to_batches(5)).equals(scorer.transform(batches))


def test_a_column_of_several_batches_is_one_array() -> None:
    customers = custcore.rfm(transactions()).to_pyarrow()
    days = customers.set_column(0, "customer_id", customers["customer_id"].dictionary_encode())
    scorer = custcore.RFMScorer().fit(days)
    found = scorer.transform(days.to_batches(5))
    assert found.to_pyarrow()["segment"].num_chunks > 1
    for name in found.columns:
        assert found[name].to_pyarrow().to_pylist() == found[name].to_pylist()


def test_columns_go_to_other_libraries() -> None:
    table = scored()
    column = table["monetary_total"]
    assert (column.name, column.type, len(column)) == ("monetary_total", "float64", 60)
    expected = table.to_pydict()["monetary_total"]
    assert np.asarray(column).tolist() == np.asarray(column, dtype="float32").tolist() == expected
    assert np.shares_memory(np.asarray(column), column.to_numpy())
    assert not np.shares_memory(np.array(column), column.to_numpy())
    assert column.to_pandas().tolist() == pd.Series(column).tolist() == expected
    assert column.to_polars().to_list() == pl.Series(column).to_list() == expected
    assert column.to_polars().name == column.to_pandas().name == "monetary_total"
    assert pa.array(table["segment"]).equals(table.to_pyarrow()["segment"].combine_chunks())
    assert table["first_date"].to_pandas().dtype == table.to_pandas()["first_date"].dtype == "datetime64[s]"
    assert pa.field(column).type == pa.float64()
    # The constructor of pandas takes the rows one by one; `to_pandas` is faster and has the types.
    assert pd.DataFrame(table).columns.tolist() == table.columns
    assert pd.DataFrame(table).to_dict("list") == table.to_pydict()


def test_pandas_has_the_types_and_the_report_of_the_accessor() -> None:
    data = transactions(400, customers=60)
    ours = custcore.rfm_scores(data).to_pandas()
    theirs = data.to_pandas().custcore.rfm_scores()
    pd.testing.assert_frame_equal(ours, theirs)
    assert ours.attrs == theirs.attrs
    assert ours.custcore.report == custcore.rfm_scores(data).report
    assert isinstance(ours["segment"].dtype, pd.CategoricalDtype)
    money = replace(data, "amount", data["amount"].cast(pa.decimal128(12, 2)))
    assert custcore.rfm(money).to_pandas().custcore.report == custcore.rfm(money).report
    moves = custcore.cohort_retention(data).matrix("customers").to_pandas()
    assert str(moves.dtypes["1"]) == "Int64"


def test_interchange_protocol() -> None:
    ids = pa.array([b"\x00\xff", b"ab"])
    data = pa.table(
        {"customer_id": ids, "timestamp": [date(2026, 1, 5)] * 2, "amount": [Decimal("1.5"), Decimal("2.25")]}
    )
    table = custcore.rfm_scores(data, bins=2)
    arrow = pa.interchange.from_dataframe(table)
    assert arrow["customer_id"].to_pylist() == ["00ff", "6162"]
    assert arrow["monetary_total"].to_pylist() == [1.5, 2.25]
    assert [day.date() for day in arrow["first_date"].to_pylist()] == [date(2026, 1, 5)] * 2
    assert pd.api.interchange.from_dataframe(scored())["customer_id"].tolist() == scored().to_pydict()["customer_id"]
    for result in (scored(), custcore.profile(scored()), custcore.cohort_retention(transactions())):
        arrow = pa.interchange.from_dataframe(result)
        assert arrow.num_rows == pa.table(result).num_rows
        assert arrow.column_names == pa.table(result).column_names
    assert nw_v1.from_native(table, eager_or_interchange_only=True).columns == table.columns
    assert nw.from_arrow(table, backend="polars").columns == table.columns


BARE = """
import sys
for name in ("numpy", "pandas", "polars", "pyarrow", "xlsxwriter"):
    sys.modules[name] = None
import custcore
t = custcore.select_k([[0.0], [0.1], [5.0], [5.1]], [1, 2])
assert t["k"].to_pylist() == [1, 2] and t[1]["suggested"] and t.shape == (2, len(t.columns))
assert [row["k"] for row in t] == [k for k, *_ in t.rows()] == [1, 2]
assert t.head(1).to_pylist()[0]["k"] == 1 and t[["k"]].to_pydict() == {"k": [1, 2]} and t.equals(t[:])
assert "k" in repr(t) and "<table" in t._repr_html_()
for call in (t.to_pandas, t.to_polars, t.to_pyarrow, lambda: t.to_csv("x.csv"), lambda: t.to_xlsx("x.xlsx")):
    try:
        call()
    except ModuleNotFoundError as error:
        assert "pip install '" in str(error), error
    else:
        raise AssertionError(call)
"""


def test_values_need_no_library() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_misspelt_arguments_are_proposed() -> None:
    data = transactions()
    frame, lazy = data.to_pandas(), pl.LazyFrame(data)
    calls: list[tuple[Any, str, str]] = [
        (lambda **o: custcore.rfm(data, **o), "orderid", r"rfm\(\).*'order_id'"),
        (lambda **o: custcore.cohort_retention(data, **o), "presett", r"cohort_retention\(\).*'preset'"),
        (lambda **o: custcore.RFMScorer(**o), "segmnets", r"RFMScorer\(\).*'segments'"),
        (lambda **o: custcore.segment_customers(data, 2, **o), "feature", r"segment_customers\(\).*'features'"),
        (lambda **o: custcore.select_k(data, **o), "kss", r"select_k\(\).*'ks'"),
        (lambda **o: custcore.rfm(data).to_csv("x.csv", **o), "delimeter", r"to_csv\(\).*'delimiter'"),
        (frame.custcore.rfm, "orderid", r"rfm\(\).*'order_id'"),
        (frame.custcore.cohort_retention, "presett", r"cohort_retention\(\).*'preset'"),
        (lazy.custcore.rfm_scores, "binz", r"rfm_scores\(\).*'bins'"),
        (
            lambda **o: custcore.rfm(data, **o),
            "zzz",
            r"rfm\(\) has no argument 'zzz'; the arguments are data, columns, customer_id",
        ),
    ]
    for call, name, text in calls:
        with pytest.raises(TypeError, match=text):
            call(**{name: None})


def test_other_type_errors_stay() -> None:
    with pytest.raises(TypeError, match="positional"):
        custcore.rfm(transactions(), "customer_id")  # type: ignore[misc]
    with pytest.raises(InvalidTypeError, match="'amount'"):
        custcore.rfm(one_customer(["a"]))
    with pytest.raises(TypeError, match="missing"):
        custcore.rfm()  # type: ignore[call-arg]
