"""Ids keep their type in results, and widen it rather than lose a customer, however they come into a base."""

from __future__ import annotations

import datetime as dt
import pickle
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custcore
import custcore.pandas
from custcore.errors import InvalidTypeError, OutOfRangeError

DAY = dt.date(2026, 1, 5)
UUIDS = [uuid.UUID(int=i) for i in (3, 1, 3)]
JSON = pa.json_() if hasattr(pa, "json_") else None


def orders(ids, kind=None, amounts=None):
    ids = pa.array(ids, kind)
    return pa.table(
        {"customer_id": ids, "timestamp": [DAY] * len(ids), "amount": amounts or [float(2**i) for i in range(len(ids))]}
    )


def base_of(*data):
    base = custcore.CustomerBase(track="days")
    for table in data:
        base.update(table)
    return base


def ids_of(base):
    return base.rfm().to_pyarrow()["customer_id"]


def uuids(kind=None):
    return orders([u.bytes for u in UUIDS], kind or pa.uuid())


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32()])
def test_a_new_id_beyond_the_type_widens_it(kind):
    base = base_of(orders([1, 2], kind))
    wide = 1 + 2**32 if kind != pa.uint8() else 1 + 2**8
    base.relabel({2: wide})
    assert ids_of(base).to_pylist() == [1, wide]
    assert ids_of(base).type == pa.int64()
    assert base.rfm().to_pyarrow()["monetary_total"].to_pylist() == [1.0, 2.0]
    after = custcore.CustomerBase.from_bytes(base.to_bytes())
    assert ids_of(after).equals(ids_of(base))
    # The same as of data with this id, of the type that it needs.
    expected = base_of(orders([1, 2], kind).slice(0, 1), orders([wide], pa.int64(), [2.0]))
    assert base.rfm().to_pyarrow().equals(expected.rfm().to_pyarrow())


def test_a_negative_id_widens_unsigned_ones():
    base = base_of(orders([1, 2], pa.uint32()))
    base.relabel({1: -5})
    assert (ids_of(base).to_pylist(), ids_of(base).type) == ([-5, 2], pa.int64())


def test_an_id_that_is_not_taken_up_widens_nothing():
    base = base_of(orders([1, 2], pa.int8()))
    base.relabel({7: 2**40})
    base.relabel({1: 100})
    assert (ids_of(base).to_pylist(), ids_of(base).type) == ([2, 100], pa.int8())


@pytest.mark.parametrize(
    ("kind", "bad"), [(pa.int8(), 2**63), (pa.int64(), -(2**63) - 1), (pa.uint64(), -1), (pa.uint64(), 2**64)]
)
def test_ids_beyond_64_bits_are_refused_as_new_ones_and_absent_as_old_ones(kind, bad):
    base = base_of(orders([1, 2], kind))
    with pytest.raises(OutOfRangeError, match=f"{bad}.*'customer_id' holds"):
        base.relabel({1: bad})
    base.relabel({bad: 1})
    assert base.remove([bad]) == 0
    assert (ids_of(base).to_pylist(), ids_of(base).type) == ([1, 2], kind)


def test_unsigned_ids_beyond_signed_ones_are_kept():
    base = base_of(orders([1, 2], pa.uint64()))
    base.relabel({2: 2**64 - 1})
    assert (ids_of(base).to_pylist(), ids_of(base).type) == ([1, 2**64 - 1], pa.uint64())
    assert base.remove([2**64 - 1]) == 1


def test_bytes_of_another_length_make_the_ids_binary():
    base = base_of(orders([b"aa", b"bb"], pa.binary(2)))
    base.relabel({b"aa": b"zzz"})
    assert (ids_of(base).to_pylist(), ids_of(base).type) == ([b"bb", b"zzz"], pa.binary())
    assert len(custcore.CustomerBase.from_bytes(base.to_bytes())) == 2
    assert base.cohort_retention().customers().num_rows == 2


@pytest.mark.parametrize("wrong", ["1", b"1", (1, 2)])
def test_ids_of_another_kind_are_errors(wrong):
    base = base_of(orders([1, 2]))
    for change in (lambda: base.relabel({1: wrong}), lambda: base.relabel({wrong: 1}), lambda: base.remove([wrong])):
        with pytest.raises(InvalidTypeError, match=r"the ids of this base are integers|a tuple was given"):
            change()


def test_uuids_stay_uuids_and_join():
    table = uuids()
    for found in (
        custcore.rfm(table).to_pyarrow(),
        custcore.rfm_scores(table).to_pyarrow(),
        custcore.cohort_retention(table, rfm=True).customers().to_pyarrow(),
        base_of(table).rfm().to_pyarrow(),
    ):
        assert found.schema.field("customer_id").type == pa.uuid()
        assert table.join(found.select(["customer_id"]), "customer_id").num_rows == 3


def test_uuids_survive_files_merges_and_pickle(tmp_path):
    base = base_of(uuids())
    base.save(tmp_path / "base")
    for after in (
        custcore.CustomerBase.load(tmp_path / "base"),
        pickle.loads(pickle.dumps(base)),
    ):
        after.merge(base_of(uuids()))
        assert ids_of(after).type == pa.uuid()
        assert ids_of(after).to_pylist() == sorted(set(UUIDS))


def test_uuids_and_plain_bytes_together_are_plain():
    for data in ((uuids(), uuids(pa.binary(16))), (uuids(pa.binary(16)), uuids())):
        assert ids_of(base_of(*data)).type == pa.binary(16)
    assert ids_of(base_of(uuids(), orders([b"short"], pa.binary()))).type == pa.binary()
    base = base_of(uuids())
    base.relabel({UUIDS[0]: b"short"})
    assert ids_of(base).type == pa.binary()


def test_uuids_change_a_base():
    base = base_of(uuids())
    base.relabel({UUIDS[0]: uuid.UUID(int=9)})
    assert ids_of(base).to_pylist() == [uuid.UUID(int=1), uuid.UUID(int=9)]
    assert ids_of(base).type == pa.uuid()
    assert base.remove([UUIDS[1]]) == 1
    assert base.remove(ids_of(base)) == 1


@pytest.mark.skipif(JSON is None, reason="this pyarrow has no such type")
def test_any_extension_type_is_kept():
    table = orders(pa.ExtensionArray.from_storage(JSON, pa.array(['"a"', '"b"'])))
    found = custcore.rfm(table).to_pyarrow()
    assert found["customer_id"].type == JSON


def test_uuids_of_pandas_come_back_as_uuids():
    frame = pd.DataFrame({"customer_id": UUIDS, "timestamp": pd.Timestamp(DAY), "amount": [1.0, 2.0, 4.0]})
    found = frame.custcore.rfm()
    assert found["customer_id"].tolist() == sorted(set(UUIDS))
    assert len(frame.merge(found, on="customer_id")) == 3
    base = base_of(uuids())
    assert base.remove(found["customer_id"]) == 2


def test_uuids_decide_ties():
    table = custcore.rfm(orders([uuid.UUID(int=i).bytes for i in range(10)], pa.uuid(), [1.0] * 10))
    scorer = custcore.RFMScorer(ties="split", segments=None).fit(table)
    scores = list(zip(*(scorer.transform(table).to_pyarrow()[name].to_pylist() for name in SCORES), strict=True))
    for i, expected in enumerate(scores):
        assert scorer.score_one(0, 1, 1.0, customer_id=uuid.UUID(int=i))[:3] == expected


SCORES = ("r_score", "f_score", "m_score")


def test_an_id_of_another_kind_is_refused_by_a_scorer():
    table = custcore.rfm(orders(list(range(10)), amounts=[1.0] * 10))
    scorer = custcore.RFMScorer(ties="split", segments=None).fit(table)
    with pytest.raises(InvalidTypeError, match="'7' was given; the scorer was fitted on ids such as"):
        scorer.score_one(0, 1, 1.0, customer_id="7")
    texts = custcore.rfm(orders(list("abcdefghij"), amounts=[1.0] * 10))
    with pytest.raises(InvalidTypeError, match="'a' was given"):
        scorer.transform(texts)


@pytest.mark.parametrize(
    "column",
    [
        lambda ids: pa.chunked_array([ids[:1], ids[1:]]),
        pa.array,
        np.array,
        pd.Series,
        pd.Index,
        pl.Series,
        iter,
        set,
        lambda ids: pa.table({"amount": [0.0] * len(ids), "customer_id": ids}),
        lambda ids: pd.DataFrame({"customer_id": ids}),
        lambda ids: pl.DataFrame({"customer_id": ids}),
        lambda ids: {"customer_id": np.array(ids)},
    ],
)
def test_ids_to_remove_come_from_any_column(column):
    base = base_of(orders([1, 2, 3]))
    assert base.remove(column([1, 3, 9])) == 2
    assert ids_of(base).to_pylist() == [2]


def test_a_table_without_the_column_of_ids_is_refused():
    with pytest.raises(custcore.errors.ColumnNotFoundError, match="without the column 'customer_id'"):
        base_of(orders([1])).remove(pa.table({"id": [1]}))
