"""Columns whose storage is not their meaning, narrow numbers, and columns that a call only passes on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import custcore
import custcore.pandas
from custcore.errors import InvalidTypeError
from tests.versions import is_before, needs

pl = pytest.importorskip("polars")
import custcore.polars  # noqa: E402

DAY = dt.date(2024, 1, 1)
CUSTOMERS = {
    "customer_id": [1, 2, 3],
    "recency_days": [1, 5, 9],
    "n_orders": [3, 2, 1],
    "monetary_total": [10.0, 5.0, 1.0],
}
CELLS = ["5-5-5", "3-3-3", "1-1-1"]
exports_objects = needs("polars", 1, 40, to="export Python objects")
# pyarrow has the narrow ones since 19.
DECIMALS = ("decimal32", "decimal64", "decimal128", "decimal256")


def orders(library: Any = pa.table, **columns: Any) -> Any:
    return library({"customer_id": [1, 2, 1], "timestamp": [DAY] * 3, "amount": [1.0, 2.0, 4.0]} | columns)


def updated(data: Any, **options: Any) -> Any:
    base = custcore.CustomerBase(**({"track": "orders"} if "order_id" in options else {}), **options)
    base.update(data)
    return base.rfm()


# Python objects of polars: exported as their addresses


OBJECTS = pl.Series([uuid.UUID(int=3), uuid.UUID(int=1), uuid.UUID(int=3)], dtype=pl.Object)
PATHS: dict[str, Callable[..., Any]] = {
    "frame": custcore.rfm,
    "batches": lambda data, **options: custcore.rfm(iter([data]), **options),
    "base": updated,
    "accessor": lambda data, **options: data.custcore.rfm(**options),
    "lazy": lambda data, **options: data.lazy().custcore.rfm(**options),
    "cohorts": custcore.cohort_retention,
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("customer_id", {}),
        ("order", {"order_id": "order"}),
        ("amount", {}),
        ("label", {"attributes": {"label": "first"}}),
    ],
)
def test_python_objects_of_polars_are_refused(path: Any, column: str, options: dict[str, Any]) -> None:
    if path is custcore.cohort_retention:
        # Money is read only if it is asked for.
        options = {"cohort_by": "label"} if "attributes" in options else options | {"amount": "amount"}
    with pytest.raises(InvalidTypeError, match=rf"pl\.col\('{column}'\)\.map_elements") as caught:
        path(orders(pl.DataFrame, **{column: OBJECTS}), **options)
    assert caught.value.column == column


@pytest.mark.skipif(not is_before("polars", 1, 40), reason="this polars exports Python objects")
def test_python_objects_that_would_end_the_process() -> None:
    frame = pl.DataFrame(CUSTOMERS | {"x": OBJECTS})
    scorer = custcore.RFMScorer().fit(pl.DataFrame(CUSTOMERS))
    for data in (frame, frame.lazy(), [frame]):
        with pytest.raises(InvalidTypeError, match=r"'x' holds Python objects.*or drop it"):
            scorer.transform(data)
    assert scorer.transform(frame.drop("x")).to_pyarrow()["rfm_cell"].to_pylist() == CELLS


def test_python_objects_are_no_features() -> None:
    frame = pl.DataFrame({"a": [0.0, 1.0, 9.0], "b": OBJECTS})
    for call in (
        lambda: custcore.KMeans(2).fit(frame),
        lambda: custcore.KMeans(2, columns=["b"]).fit(frame),
        lambda: frame.custcore.kmeans(2),
        lambda: custcore.Scaler(["b"]).fit(frame),
        lambda: custcore.segment_customers(frame, 2, features=["a", "b"]),
    ):
        with pytest.raises(InvalidTypeError, match="holds Python objects"):
            call()
    assert custcore.KMeans(2, columns=["a"]).fit(frame).labels_.tolist()[:2] == [0, 0]


def test_ids_of_fixed_size_binary_are_no_objects() -> None:
    ids = pa.array([i.bytes[-8:] for i in OBJECTS], pa.binary(8))
    assert custcore.rfm(orders(customer_id=ids)).num_rows == 2


# Other storage


@pytest.mark.parametrize("name", ["Int128", "UInt128"])
def test_wide_integers_of_polars(name: str) -> None:
    kind = getattr(pl, name, None)
    if kind is None:
        pytest.skip("a newer polars")
    with pytest.raises(InvalidTypeError, match=rf"is {name} of polars.*cast\(pl\.Int64\)"):
        custcore.rfm(orders(pl.DataFrame, amount=pl.Series([1, 2, 4], dtype=kind)))


@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
def test_periods_of_pandas(column: str) -> None:
    frame = orders(pd.DataFrame, **{column: pd.period_range("2026-01-05", periods=3, freq="D")})
    with pytest.raises(InvalidTypeError, match=r"is period\[D\].*ordinals of periods.*to_timestamp"):
        custcore.rfm(frame)


def test_periods_are_no_scores() -> None:
    """They are passed on, also where a table is read more than once, but are not used."""
    frame = pd.DataFrame(CUSTOMERS).assign(when=pd.period_range("2026-01-05", periods=3, freq="D"))
    scored = custcore.RFMScorer().fit(frame).transform(frame)
    assert scored.to_pyarrow()["when"].type.extension_name == "pandas.period"
    assert not any("when" in remark for remark in scored.report.remarks)
    for call in (
        lambda: custcore.QuantileScorer(["when"]).fit(frame),
        lambda: custcore.QuantileScorer(["when"]).fit_transform(frame),
        lambda: custcore.KMeans(2).fit(frame),
        lambda: custcore.segment_customers(frame, 2, features=["n_orders", "when"]),
    ):
        with pytest.raises(InvalidTypeError, match=r"is a pandas Period|is period\[D\]"):
            call()


def test_huge_integers_of_duckdb() -> None:
    with pytest.raises(InvalidTypeError, match="HUGEINT"):
        custcore.rfm(orders(customer_id=pa.array([1, 2, 1], pa.decimal128(38, 0))))
    opaque = {"ARROW:extension:name": "arrow.opaque", "ARROW:extension:metadata": '{"type_name":"hugeint"}'}
    field = pa.field("customer_id", pa.binary(16), metadata=opaque)
    table = orders(customer_id=pa.array([bytes(16)] * 3, pa.binary(16)))
    with pytest.raises(InvalidTypeError, match="is a huge integer of DuckDB"):
        custcore.rfm(table.cast(pa.schema([field, *list(table.schema)[1:]])))


@pytest.mark.parametrize(
    "kind", [kind(5, 2) for kind in (getattr(pa, name, None) for name in DECIMALS) if kind], ids=str
)
def test_decimals_of_any_width(kind: pa.DataType) -> None:
    money = [Decimal("1.10"), None, Decimal("2.20")]
    table = orders(amount=pa.array(money, kind))
    found = custcore.rfm(table).to_pyarrow()["monetary_total"]
    assert found.to_pylist() == [Decimal("3.30"), Decimal(0)]
    assert found.type == pa.decimal128(38, 2)
    assert updated(table, track="days").to_pyarrow()["monetary_total"].to_pylist() == [Decimal("3.30"), Decimal(0)]
    features = pa.table({"a": pa.array([Decimal("1.1"), Decimal("1.2"), Decimal("9.9")], kind)})
    assert custcore.KMeans(2).fit(features).cluster_centers_.ravel().tolist() in ([1.15, 9.9], [9.9, 1.15])
    scorer = custcore.QuantileScorer(["a"], bins=3)
    assert scorer.fit_transform(features).to_pyarrow()["a_score"].to_pylist() == [1, 2, 3]


def test_half_floats() -> None:
    half = pa.array(np.array([1.5, np.nan, 2.5], np.float16))
    assert custcore.rfm(orders(amount=half)).to_pyarrow()["monetary_total"].to_pylist() == [4.0, 0.0]
    features = pa.table({"a": pa.array(np.array([0.0, 0.5, 9.5], np.float16))})
    assert sorted(custcore.KMeans(2).fit(features).cluster_centers_.ravel().tolist()) == [0.25, 9.5]
    assert custcore.QuantileScorer(["a"], bins=3).fit_transform(features).to_pyarrow()["a_score"].to_pylist() == [
        1,
        2,
        3,
    ]
    with pytest.raises(InvalidTypeError, match="customer_id"):
        custcore.rfm(orders(customer_id=half))


# Run-end encoded columns are decoded


def runs(values: Any, ends: Any, kind: pa.DataType = pa.int32()) -> pa.RunEndEncodedArray:  # noqa: B008
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, kind), values)


@pytest.mark.parametrize("kind", [pa.int16(), pa.int32(), pa.int64()], ids=str)
def test_run_end_encoded_columns(kind: pa.DataType) -> None:
    encoded = pa.table(
        {
            "customer_id": runs(pa.array(["a", None, "b"]), [2, 3, 5], kind),
            "timestamp": runs(pa.array([DAY], pa.date32()), [5], kind),
            "amount": runs(pa.array([1.0, 2.0]), [1, 5], kind),
        }
    )
    plain = pa.table(
        {"customer_id": ["a", "a", None, "b", "b"], "timestamp": [DAY] * 5, "amount": [1.0, 2.0, 2.0, 2.0, 2.0]}
    )
    for start in range(5):
        for rows in range(6 - start):
            expected = custcore.rfm(plain.slice(start, rows))
            found = custcore.rfm(encoded.slice(start, rows))
            assert found.to_pyarrow().equals(expected.to_pyarrow())
            assert found.report == expected.report
    attributes = custcore.rfm(
        plain.append_column("x", encoded["customer_id"]), attributes={"x": "first"}, amount=None
    ).to_pyarrow()
    assert attributes["x"].to_pylist() == ["a", "b"]


# Columns that are only passed on


PASSED = {
    "list": pa.array([["a"], [], None]),
    "large_list": pa.array([[1, 2], None, [3]], pa.large_list(pa.int8())),
    "fixed_size_list": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "nested": pa.array([[{"a": [1]}], None, [{"a": None}]]),
    "dictionary of lists": pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array([[1], [2, 3]])),
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "interval": pa.array([(1, 2, 3), None, (0, 0, 1)], pa.month_day_nano_interval()),
}


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("column", PASSED.values(), ids=PASSED)
def test_columns_are_passed_on(column: pa.Array, sliced: bool) -> None:
    if sliced:
        column = pa.concat_arrays([column.slice(1, 2), column, column]).slice(2, 3)
    table = pa.table(CUSTOMERS).append_column("x", column)
    if sliced:
        table = pa.concat_tables([table, table]).combine_chunks().slice(3)
    found = custcore.RFMScorer().fit(table).transform(table)
    arrow = found.to_pyarrow()
    assert arrow["rfm_cell"].to_pylist() == CELLS
    assert arrow["x"].type == column.type
    assert arrow["x"].to_pylist() == column.to_pylist()
    arrow.validate(full=True)
    assert found.report.remarks == custcore.RFMScorer().fit(table).transform(table.drop(["x"])).report.remarks
    model = custcore.KMeans(2, columns=["recency_days"]).fit(table)
    assert model.assign(table).to_pyarrow()["x"].to_pylist() == column.to_pylist()
    repr(found)
    segments, _ = custcore.segment_customers(table, 2)
    assert segments.to_pyarrow()["x"].to_pylist() == column.to_pylist()


def test_run_ends_are_passed_on_as_their_values() -> None:
    table = pa.table(CUSTOMERS).append_column("x", runs(pa.array(["a", "b"]), [2, 3]))
    assert custcore.RFMScorer().fit(table).transform(table).to_pyarrow()["x"].to_pylist() == ["a", "a", "b"]


UNREAD = {
    "union": (
        pa.table,
        pa.UnionArray.from_dense(
            pa.array([0, 0, 0], pa.int8()), pa.array([0, 1, 2], pa.int32()), [pa.array([1, 2, 3])]
        ),
    ),
    "list view": (pa.table, pa.array([[1], [], None], pa.list_view(pa.int64()))),
    "objects": pytest.param(pl.DataFrame, pl.Series([object()] * 3, dtype=pl.Object), marks=exports_objects),
}


@pytest.mark.parametrize(("library", "column"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("ties", ["same", "split"])
def test_columns_that_cannot_be_passed_on(library: Any, column: Any, ties: str) -> None:
    """The result is without them, and its report says so; a call that needs one fails."""
    table = library(CUSTOMERS | {"x": column})
    scorer = custcore.RFMScorer(ties=ties).fit(table)
    expected = scorer.transform(pa.table(CUSTOMERS)).to_pyarrow()
    for found in (scorer.transform(table), custcore.RFMScorer(ties=ties).fit_transform(table)):
        assert found.to_pyarrow().equals(expected)
        assert "x" not in found.column_names
        assert any("column 'x' is left out of the result" in remark for remark in found.report.remarks)
    segments, _ = custcore.segment_customers(table, 2)
    assert "x" not in segments.column_names
    assert any("column 'x' is left out" in remark for remark in segments.report.remarks)
    for call in (
        lambda: custcore.QuantileScorer(["x"]).fit(table),
        lambda: custcore.QuantileScorer(["x"]).fit_transform(table),
        lambda: custcore.RFMScorer(by="x").fit(table),
        lambda: custcore.KMeans(2).fit(table),
        lambda: custcore.segment_customers(table, 2, features=["n_orders", "x"]),
    ):
        with pytest.raises(InvalidTypeError, match="column 'x'"):
            call()


@exports_objects
def test_ids_that_cannot_be_read_do_not_make_another_column_the_ids() -> None:
    frame = pl.DataFrame(CUSTOMERS).with_columns(pl.Series("customer_id", OBJECTS, dtype=pl.Object))
    with pytest.raises(InvalidTypeError, match="customer_id"):
        custcore.RFMScorer(ties="split").fit(frame)
    fitted = custcore.RFMScorer(ties="split").fit(pl.DataFrame(CUSTOMERS))
    with pytest.raises(InvalidTypeError, match="customer_id"):
        fitted.transform(frame)
    assert custcore.RFMScorer().fit(frame).transform(frame).to_pyarrow()["rfm_cell"].to_pylist() == CELLS


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(CUSTOMERS).assign(tags=[["a"], [], ["b", "c"]]),
        pd.DataFrame(CUSTOMERS).assign(extra=[{"a": 1}] * 3),
        pd.DataFrame(CUSTOMERS).assign(when=pd.period_range("2026-01-05", periods=3, freq="D")),
        pl.DataFrame(CUSTOMERS | {"tags": [["a"], [], ["b", "c"]]}),
        pl.DataFrame(CUSTOMERS | {"extra": [{"a": 1}] * 3}),
        pytest.param(pl.DataFrame(CUSTOMERS | {"x": OBJECTS}), marks=exports_objects),
        pytest.param(pl.DataFrame({"x": OBJECTS} | CUSTOMERS), marks=exports_objects),
    ],
    ids=["lists, pandas", "dicts, pandas", "periods, pandas", "lists", "structs", "objects", "objects first"],
)
def test_frames_keep_their_columns(frame: Any) -> None:
    scorer = custcore.RFMScorer().fit(pa.table(CUSTOMERS))
    model = custcore.KMeans(2, columns=["n_orders", "recency_days"]).fit(pa.table(CUSTOMERS))
    scored, clustered = frame.custcore.score(scorer), frame.custcore.clusters(model)
    assert list(scored["rfm_cell"]) == CELLS
    assert list(clustered.columns) == [*frame.columns, "cluster"]
    assert list(scored.columns[: len(frame.columns)]) == list(frame.columns)
    segments = frame.custcore.segment_customers(2)[0]
    assert "segment" in segments.columns


def test_a_polars_column_of_wide_integers_is_kept() -> None:
    if not hasattr(pl, "Int128"):
        pytest.skip("a newer polars")
    frame = pl.DataFrame(CUSTOMERS | {"x": pl.Series([1, 2, 3], dtype=pl.Int128)})
    scored = frame.custcore.score(custcore.RFMScorer().fit(pa.table(CUSTOMERS)))
    assert scored["x"].to_list() == [1, 2, 3]
    assert scored["rfm_cell"].to_list() == CELLS


# Tables of other kinds


def test_datasets_and_scanners(tmp_path: Any) -> None:
    ds = pytest.importorskip("pyarrow.dataset")
    pq = pytest.importorskip("pyarrow.parquet")
    table = orders(unused=pa.array([["a"], ["b"], []]))
    pq.write_table(table, tmp_path / "a.parquet")
    expected = custcore.rfm(table).to_pyarrow()
    dataset = ds.dataset(tmp_path)
    assert custcore.rfm(dataset).to_pyarrow().equals(expected)
    assert custcore.rfm(dataset.scanner()).to_pyarrow().equals(expected)
    assert updated(dataset).to_pyarrow().equals(expected)
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="did you mean 'customer_id'"):
        custcore.rfm(dataset, customer_id="custmer_id")
    pq.write_table(pa.table(CUSTOMERS), tmp_path / "a.parquet")
    features = ds.dataset(tmp_path)
    assert custcore.KMeans(2, columns=["n_orders"]).fit(features).labels_.size == 3


def test_a_table_that_iterates_over_its_names() -> None:
    class Partitioned:
        columns = ("customer_id", "timestamp", "amount")

        def __iter__(self) -> Any:
            return iter(self.columns)

        def compute(self) -> pa.Table:
            return orders()

    with pytest.raises(InvalidTypeError, match=r"data is .*Partitioned, which does not export.*compute\(\)"):
        custcore.rfm(Partitioned())
    with pytest.raises(InvalidTypeError, match="Read the files first"):
        custcore.rfm(["orders.parquet"])


@pytest.mark.parametrize("index", [None, "customer_id"])
def test_an_empty_frame_has_no_types(index: str | None) -> None:
    frame = pd.DataFrame({"customer_id": [], "timestamp": [], "amount": [], "country": []})
    found = frame.custcore.rfm(attributes={"country": "first"}, set_index=index is not None)
    assert len(found) == 0
    assert found.custcore.report.remarks == ()
    assert len(frame.custcore.cohort_retention().matrix()) == 0
    assert len(frame.custcore.rfm_scores()) == 0
