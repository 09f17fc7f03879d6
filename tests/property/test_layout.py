"""The same rows in another order, other batches, slices, encodings or threads: the same bits."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.property.strategies import ROWS, Row, table
from tests.samples import replace


def bits(found: Any) -> list[tuple[str, bytes]]:
    """Every column as its bytes: 0.0 is not -0.0 here, and a rounding in the last place shows."""
    arrow = found.to_pyarrow().combine_chunks()
    assert not any(column.null_count for column in arrow.columns)
    return [
        (name, repr(c.to_pylist()).encode() + numbers(c))
        for name, c in zip(arrow.column_names, arrow.columns, strict=True)
    ]


def numbers(column: pa.ChunkedArray) -> bytes:
    return np.asarray(column).tobytes() if pa.types.is_floating(column.type) else b""


def report(found: Any) -> list[tuple[str, int, Any]]:
    return [(e.name, e.count, e.sum) for e in found.report]


def same(found: Any, expected: Any) -> None:
    assert bits(found) == bits(expected)
    assert report(found) == report(expected)


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order(rows: list[Row], rng: random.Random) -> None:
    shuffled = rng.sample(rows, len(rows))
    same(custcore.rfm(table(shuffled)), custcore.rfm(table(rows)))


@given(ROWS, st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_batches(rows: list[Row], cuts: list[int], as_stream: bool) -> None:
    whole = table(rows)
    at = sorted({0, len(rows), *(c for c in cuts if c < len(rows))})
    parts = [whole.slice(0, 0), *(whole.slice(a, b - a) for a, b in pairwise(at))]
    found = custcore.rfm(pa.concat_tables(parts) if as_stream else iter(parts))
    same(found, custcore.rfm(whole))
    firsts = [e.first_row for e in custcore.rfm(whole).report]
    assert [e.first_row for e in found.report] == firsts


@given(ROWS, ROWS, ROWS)
def test_slices(before: list[Row], rows: list[Row], after: list[Row]) -> None:
    padded = table(before + rows + after).slice(len(before), len(rows))
    same(custcore.rfm(padded), custcore.rfm(table(rows)))


@given(ROWS, st.sampled_from([pa.int8(), pa.int32(), pa.uint16()]), st.integers(0, 5))
def test_dictionaries(rows: list[Row], index: pa.DataType, skip: int) -> None:
    plain = table(rows)
    codes = plain["customer_id"].combine_chunks().dictionary_encode()
    codes = codes.cast(pa.dictionary(index, pa.string()))
    found = custcore.rfm(replace(plain, "customer_id", codes).slice(skip))
    same(found, custcore.rfm(plain.slice(skip)))


@given(ROWS, st.sampled_from([1, 2, 7]))
def test_threads_on_few_rows(rows: list[Row], n_threads: int) -> None:
    same(custcore.rfm(table(rows), n_threads=n_threads), custcore.rfm(table(rows)))


@given(ROWS, ROWS)
def test_updates(first: list[Row], second: list[Row]) -> None:
    base = custcore.CustomerBase()
    base.update(table(first))
    base.update(table(second))
    same(base.rfm(), custcore.rfm(table(first + second)))


def many(kind: str, n: int = 200_000) -> pa.Table:
    """Rows enough for threads: dense ids, sparse ids, strings, or whole runs of one customer."""
    rng = np.random.default_rng(len(kind))
    ids: Any = rng.integers(0, n // 8, n)
    if kind == "sparse":
        ids = ids * 0x1234567_89ABCDE % (2**62)
    elif kind == "clustered":
        ids = np.sort(ids)
    ids = pa.array(ids, mask=rng.random(n) < 0.01)
    if kind == "strings":
        ids = ids.cast(pa.string())
    elif kind == "dictionary":
        ids = ids.cast(pa.string()).dictionary_encode()
    amounts = np.round(rng.lognormal(3, 2, n) * np.where(rng.random(n) < 0.1, -1, 1), 2)
    return pa.table(
        {
            "customer_id": ids,
            "timestamp": pa.array(rng.integers(1_600_000_000, 1_700_000_000, n)).cast(pa.timestamp("s")),
            "amount": pa.array(amounts, mask=rng.random(n) < 0.01),
        }
    )


@pytest.mark.parametrize("kind", ["dense", "sparse", "clustered", "strings", "dictionary"])
def test_threads_order_and_batches_on_many_rows(kind: str) -> None:
    data = many(kind)
    expected = custcore.rfm(data, n_threads=1)
    assert expected.num_rows > 20_000
    for n_threads in (2, 7):
        same(custcore.rfm(data, n_threads=n_threads), expected)
    shuffled = data.take(pa.array(np.random.default_rng(5).permutation(data.num_rows)))
    same(custcore.rfm(shuffled, n_threads=2), expected)
    same(custcore.rfm(data.to_batches(max_chunksize=7777), n_threads=7), expected)
    scores = custcore.RFMScorer(bins=7).fit_transform(expected).to_pyarrow()
    found = custcore.rfm_scores(shuffled, bins=7, n_threads=7).to_pyarrow()
    assert found.equals(scores)


@pytest.mark.parametrize("kind", ["dense", "strings"])
def test_many_rows_equal_pandas(kind: str) -> None:
    """One sum of cents per customer, by integers in pandas: the same number."""
    pytest.importorskip("pandas")
    data = many(kind)
    frame = data.to_pandas(types_mapper=None).dropna(subset=["customer_id"])
    frame["cents"] = (frame["amount"].fillna(0) * 100).round().astype("int64")
    expected = frame.groupby("customer_id")["cents"].sum()
    found = custcore.rfm(data, returns="count").to_pyarrow()
    assert found["monetary_total"].to_pylist() == (expected.sort_index() / 100).tolist()
