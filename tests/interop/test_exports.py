"""`custcore.Table` goes out through the Arrow capsules: any number of times, without a copy, to everyone."""

from __future__ import annotations

import ctypes
import gc
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
from tests.samples import START, transactions
from tests.versions import needs


@pytest.fixture(scope="module")
def table() -> Any:
    return custcore.rfm_scores(transactions())


def capsule_name(capsule: object) -> bytes:
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return name(capsule)


def addresses(table: pa.Table) -> list[int]:
    buffers = (b for column in table.columns for chunk in column.chunks for b in chunk.buffers())
    return [b.address for b in buffers if b is not None and b.size]


def test_capsules_have_their_names(table: Any) -> None:
    assert capsule_name(table.__arrow_c_stream__()) == b"arrow_array_stream"
    assert capsule_name(table.__arrow_c_schema__()) == b"arrow_schema"


@needs("pyarrow", 18, to="ask a sequence for its schema")
def test_schema(table: Any) -> None:
    schema = pa.schema(table)
    assert schema.equals(table.to_pyarrow().schema)
    assert schema.names == table.column_names
    assert schema.equals(pa.schema(table.schema))


def test_exports_share_their_memory(table: Any) -> None:
    first, second = pa.table(table), pa.table(table)
    assert first.equals(second)
    assert addresses(first)
    assert addresses(first) == addresses(second) == addresses(table.to_pyarrow())


def test_exports_outlive_the_table() -> None:
    source = transactions()
    table = custcore.rfm(source)
    kept, copy = pa.table(table), table.to_pyarrow().to_pylist()
    del table, source
    gc.collect()
    assert kept.to_pylist() == copy


def test_capsules_that_nobody_reads_do_no_harm(table: Any) -> None:
    for _ in range(1000):
        table.__arrow_c_stream__()
        table.__arrow_c_schema__()
    reader = pa.RecordBatchReader.from_stream(table)
    del reader
    assert pa.table(table).num_rows == table.num_rows


def test_requested_schema_is_heard_or_ignored(table: Any) -> None:
    own = pa.schema(table)
    assert pa.RecordBatchReader.from_stream(table, schema=own).read_all().equals(pa.table(table))
    wide = own.set(0, pa.field("customer_id", pa.large_string()))
    capsule = table.__arrow_c_stream__(wide.__arrow_c_schema__())
    found = pa.RecordBatchReader._import_from_c_capsule(capsule).read_all()
    assert found.schema.field(0).type in (pa.string(), pa.large_string())
    assert found["customer_id"].to_pylist() == pa.table(table)["customer_id"].to_pylist()


def test_column_types(table: Any) -> None:
    schema = pa.schema(table)
    types = {name: schema.field(name).type for name in schema.names}
    assert types.pop("segment").value_type == pa.string()
    assert types.pop("rfm_cell") == pa.dictionary(pa.int16(), pa.string())
    assert types == {
        "customer_id": pa.string(),
        "first_date": pa.date32(),
        "last_date": pa.date32(),
        "recency_days": pa.int32(),
        "tenure_days": pa.int32(),
        "n_orders": pa.int64(),
        "n_rows": pa.int64(),
        "monetary_total": pa.float64(),
        "monetary_mean": pa.float64(),
        "r_score": pa.uint8(),
        "f_score": pa.uint8(),
        "m_score": pa.uint8(),
        "rfm_score": pa.int32(),
        "rfm_total": pa.float64(),
    }


def test_polars(table: Any) -> None:
    pl = pytest.importorskip("polars")
    frame = table.to_polars()
    assert isinstance(frame, pl.DataFrame)
    assert frame.drop("segment").to_arrow().to_pylist() == table.to_pyarrow().drop(["segment"]).to_pylist()
    assert frame["segment"].cast(pl.String).to_list() == table.to_pyarrow()["segment"].to_pylist()
    assert pl.DataFrame(table).equals(frame)


def test_pandas(table: Any) -> None:
    pd = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == table.column_names
    assert frame["segment"].tolist() == table.to_pyarrow()["segment"].to_pylist()
    assert frame["monetary_total"].dtype == np.float64
    assert frame["n_orders"].dtype == np.int64
    for column in ("customer_id", "n_orders", "monetary_total", "r_score"):
        assert frame[column].tolist() == table.to_pyarrow()[column].to_pylist()


def test_duckdb(table: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    arrow = table.to_pyarrow()
    for _ in range(2):
        found = duckdb.sql('select count(*), sum(n_orders)::bigint, count(distinct segment) from "table"').fetchall()[0]
        assert found == (table.num_rows, sum(arrow["n_orders"].to_pylist()), len(set(arrow["segment"].to_pylist())))


def test_goes_in_again(table: Any) -> None:
    """An export is an import: a scored table scored once more."""
    scorer = custcore.RFMScorer().fit(custcore.rfm(transactions()))
    again = scorer.transform(custcore.rfm(transactions()).to_pyarrow())
    assert again.to_pyarrow().to_pylist() == table.to_pyarrow().to_pylist()


def test_numpy(table: Any) -> None:
    expected = table.to_pyarrow()
    for column, dtype in (
        ("n_orders", "int64"),
        ("monetary_total", "float64"),
        ("recency_days", "int32"),
        ("r_score", "uint8"),
    ):
        values = table.to_numpy(column)
        assert isinstance(values, np.ndarray)
        assert values.dtype == np.dtype(dtype)
        assert values.tolist() == expected[column].to_pylist()
    days = table.to_numpy("last_date")
    assert days.dtype == np.dtype("datetime64[D]")
    assert days.tolist() == expected["last_date"].to_pylist()
    assert table.to_numpy("customer_id").tolist() == expected["customer_id"].to_pylist()
    with pytest.raises(KeyError, match="n_orders"):
        table.to_numpy("n_order")


def test_empty_table_exports() -> None:
    empty = custcore.rfm(transactions().slice(0, 0))
    assert pa.table(empty).num_rows == 0
    assert pa.schema(empty).equals(pa.schema(custcore.rfm(transactions())))
    assert empty.to_pandas().empty
    assert empty.to_polars().is_empty()
    assert empty.to_numpy("n_orders").shape == (0,)


def test_dates_are_dates() -> None:
    found = custcore.rfm(transactions(nulls=False)).to_pyarrow()["first_date"].to_pylist()
    assert all(type(day) is date and day >= START for day in found)
