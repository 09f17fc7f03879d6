"""Keys of several columns: what calls take, give and refuse."""

from __future__ import annotations

import datetime as dt
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custcore
import custcore.pandas
import custcore.polars
from custcore.errors import (
    ColumnNotFoundError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NullValueError,
    StateMismatchError,
)

KEY = ["country", "customer_id"]
DAY = dt.date(2026, 1, 5)


def orders(countries=("FR", "DE", "DE", None, "DE"), ids=(7, 17, 7, 1, 17), **columns):
    n = len(ids)
    table = {
        "country": pa.array(countries, pa.string()),
        "customer_id": pa.array(ids, pa.int32()),
        "timestamp": [DAY + dt.timedelta(days=i) for i in range(n)],
        "amount": [float(2 ** (i % 30)) for i in range(n)],
    }
    return pa.table(table | columns)


def base_of(*data, **options):
    base = custcore.CustomerBase(customer_id=KEY, track="days", **options)
    for table in data:
        base.update(table)
    return base


def keys_of(result):
    table = result.to_pyarrow()
    return list(zip(table["country"].to_pylist(), table["customer_id"].to_pylist(), strict=True))


def test_rfm_has_a_column_for_each_part():
    found = custcore.rfm(orders(), customer_id=KEY)
    assert found.column_names[:3] == ["country", "customer_id", "first_date"]
    assert keys_of(found) == [("DE", 7), ("DE", 17), ("FR", 7)]
    assert found.to_pyarrow()["monetary_total"].to_pylist() == [4.0, 18.0, 1.0]
    assert found.to_pyarrow().schema.field("customer_id").type == pa.int32()
    null = found.report["null_customer_id"]
    assert (null.count, null.sum, null.first_row) == (1, 8.0, 3)


def test_the_order_of_the_parts_is_the_order_of_the_rows():
    found = custcore.rfm(orders(), customer_id=KEY[::-1])
    assert found.column_names[:2] == KEY[::-1]
    assert keys_of(found) == [("DE", 7), ("FR", 7), ("DE", 17)]


def test_a_list_of_one_name_is_the_name():
    one, other = custcore.CustomerBase(customer_id=["customer_id"]), custcore.CustomerBase()
    for base in (one, other):
        base.update(orders())
    assert one.to_bytes() == other.to_bytes()


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_binary(), pa.binary(2), pa.uint64(), pa.uuid()])
def test_every_type_of_ids_may_be_a_part(kind):
    values = {
        pa.uint64(): [3, 2**63, 2**64 - 1],
        pa.uuid(): [uuid.UUID(int=i).bytes for i in range(3)],
        pa.string_view(): ["\0", "a", "é"],
    }.get(kind, [b"\0\0", b"a\0", b"a\1"])
    table = orders(["A"] * 3, [1, 2, 3], part=pa.array(values, kind))
    for key in (["part", "customer_id"], ["customer_id", "part"], ["country", "part"]):
        found = custcore.rfm(table, customer_id=key).to_pyarrow()
        assert found.schema.field("part").type == kind
        assert found["part"].to_pylist() == table["part"].to_pylist()


def test_orders_of_composite_keys():
    table = orders(
        ["DE"] * 5, [1] * 5, shop=pa.array(["x", "x", "y", None, "x"]), number=pa.array([1, 1, 1, 1, 2], pa.uint8())
    )
    options = {"customer_id": KEY, "order_id": ["shop", "number"]}
    found = custcore.rfm(table, **options)
    assert found.to_pyarrow()["n_orders"].to_pylist() == [4]
    assert found.report["null_order_id"].count == 1
    base = custcore.CustomerBase(track="orders", **options)
    for start in range(5):
        base.update(table.slice(start, 1))
        base = custcore.CustomerBase.from_bytes(base.to_bytes())
    assert base.rfm().to_pyarrow().equals(found.to_pyarrow())
    adjacent = custcore.CustomerBase(order_lines="adjacent", **options)
    adjacent.update(table)
    assert adjacent.rfm().to_pyarrow()["n_orders"].to_pylist() == [4]
    assert "'shop' and 'number'" in custcore.cohort_retention(table, **options).definition


def test_names_are_checked():
    for bad, error, message in (
        ([], InvalidArgumentError, "empty list"),
        (["country", "country"], InvalidArgumentError, "'country' twice"),
        (["country", 7], InvalidTypeError, "list of them for a composite key"),
        (["country", "custmer_id"], ColumnNotFoundError, "customer_id"),
    ):
        with pytest.raises(error, match=message):
            custcore.rfm(orders(), customer_id=bad)
        with pytest.raises(error, match=message):
            custcore.cohort_retention(orders(), customer_id=bad)
    with pytest.raises(DuplicateColumnError, match="'n_orders'"):
        custcore.rfm(orders(n_orders=[1] * 5), customer_id=["country", "n_orders"])
    with pytest.raises(InvalidTypeError, match=r"'amount' \(customer_id\) is float64"):
        custcore.rfm(orders(), customer_id=["country", "amount"])


def test_a_null_part_is_named():
    with pytest.raises(NullValueError, match="column 'country' is null at row 3"):
        custcore.rfm(orders(), customer_id=KEY, on_null="error")
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 0, 1]), pa.array(["DE", None]))
    with pytest.raises(NullValueError, match="column 'country' is null at row 1"):
        custcore.rfm(orders(country=dictionary), customer_id=KEY, on_null="error")


def test_updates_are_checked_and_widened_part_by_part():
    base = base_of(orders())
    wide = orders(["AT"], [1], customer_id=pa.array([2**31]))
    base.update(wide)
    found = base.rfm().to_pyarrow()
    assert found["customer_id"].to_pylist() == [2**31, 7, 17, 7]
    assert found.schema.field("customer_id").type == pa.int64()
    before = base.to_bytes()
    with pytest.raises(StateMismatchError, match="'country': ids were strings in earlier updates"):
        base.update(orders(country=pa.array([1] * 5)))
    with pytest.raises(StateMismatchError, match=r"customer_id is \[\"country\", \"customer_id\"\] here"):
        base.merge(custcore.CustomerBase(track="days"))
    assert base.to_bytes() == before


def test_a_stream_keeps_the_types_of_its_first_batch():
    with pytest.raises((InvalidTypeError, custcore.errors.ArrowImportError)):
        custcore.rfm([orders(), orders(country=pa.array([1] * 5))], customer_id=KEY)


def test_relabel_and_remove_take_tuples():
    base = base_of(orders())
    base.relabel({("DE", 7): ("AT", 2**40), ("DE", 17): ("FR", 7)})
    assert keys_of(base.rfm()) == [("AT", 2**40), ("FR", 7)]
    assert base.rfm().to_pyarrow().schema.field("customer_id").type == pa.int64()
    assert base.remove((("AT", 2**40), ("XX", 1))) == 1
    assert keys_of(base.rfm()) == [("FR", 7)]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (("DE",), "has 1 parts"),
        (("DE", 7, 7), "has 3 parts"),
        ((7, "DE"), "an integer was given as the part 'country'"),
        (("DE", "7"), "a string was given as the part 'customer_id'"),
        ("DE", "a string was given"),
        (("DE", None), "None is NoneType"),
    ],
)
def test_ids_of_other_columns_are_errors(bad, message):
    base = base_of(orders())
    for change in (lambda: base.remove([bad]), lambda: base.relabel({bad: ("DE", 1)})):
        with pytest.raises(InvalidTypeError, match=message):
            change()
    with pytest.raises(InvalidTypeError, match="is one id"):
        base.remove(("DE", 7))


@pytest.mark.parametrize("frame", [pa.table, pd.DataFrame, pl.DataFrame, pd.MultiIndex.from_frame])
def test_a_table_names_the_customers_to_remove(frame):
    columns = {"country": ["DE", "FR"], "customer_id": [17, 8]}
    given = frame(pd.DataFrame(columns)) if frame == pd.MultiIndex.from_frame else frame(columns)
    base = base_of(orders())
    assert base.remove(given) == 1
    assert keys_of(base.rfm()) == [("DE", 7), ("FR", 7)]


@pytest.mark.parametrize("by", [None, "country"])
def test_ties_are_split_by_the_parts(by):
    rng = np.random.default_rng(5)
    n = 300
    table = orders(rng.choice(["DE", "FR", "AT"], n), rng.integers(0, 60, n))
    table = table.set_column(3, "amount", pa.array([1.0] * n))
    table = table.set_column(2, "timestamp", pa.array([DAY] * n))
    options = {"ties": "split", "by": by, "segments": None, "bins": 4}
    found = custcore.rfm_scores(table, customer_id=KEY, **options)
    rows = found.to_pyarrow()
    assert keys_of(found) == sorted(keys_of(found))
    if by is None:
        # All have the same day: by id they are tiles of equal size, the first ids the best.
        assert rows["r_score"].to_pylist() == sorted(rows["r_score"].to_pylist(), reverse=True)
    base = base_of(table)
    scorer = custcore.RFMScorer(**options)
    assert scorer.fit(base.rfm()).transform(base.rfm()).to_pyarrow().equals(rows)
    scorer = custcore.RFMScorer.from_bytes(scorer._bytes())
    wanted = ("recency_days", "n_orders", "monetary_total")
    for row in rows.to_pylist()[::7]:
        key = (row["country"], row["customer_id"])
        one = scorer.score_one(*(row[name] for name in wanted), customer_id=key, group=by and row["country"])
        assert one[:3] == (row["r_score"], row["f_score"], row["m_score"])
    for wrong in ("DE", ("DE",), (17, "DE")):
        with pytest.raises(InvalidTypeError, match="the scorer was fitted on ids such as"):
            scorer.score_one(0, 1, 1.0, customer_id=wrong, group=by and "DE")


def test_scorers_read_tables_in_batches_and_from_files(tmp_path):
    import pyarrow.parquet as pq

    rng = np.random.default_rng(6)
    table = orders(rng.choice(["DE", "FR"], 200), rng.integers(0, 60, 200))
    found = custcore.rfm(table, customer_id=KEY).to_pyarrow()
    whole = custcore.QuantileScorer(["n_orders"], ties="split").fit(found).transform(found).to_pyarrow()
    pq.write_table(found, tmp_path / "rfm.parquet")
    for data in (pq.read_table(tmp_path / "rfm.parquet"), pa.Table.from_batches(found.to_batches(max_chunksize=9))):
        again = custcore.QuantileScorer(["n_orders"], ties="split").fit(data).transform(data).to_pyarrow()
        assert again["n_orders_score"].to_pylist() == whole["n_orders_score"].to_pylist()


def test_spilled_bases_have_the_same_customers(tmp_path):
    rng = np.random.default_rng(7)
    small = base_of(max_memory=1 << 20, spill_dir=tmp_path)
    whole = base_of()
    for _ in range(6):
        n = 20_000
        table = orders(rng.choice(["DE", "FR", "A\0", "A"], n), rng.integers(-9_000, 9_000, n))
        table = table.set_column(2, "timestamp", pa.array(rng.integers(0, 300, n).astype("datetime64[D]")))
        small.update(table)
        whole.update(table)
    assert small.nbytes_on_disk > 0
    assert len(small) == len(whole)
    assert small.rfm().to_pyarrow().combine_chunks().equals(whole.rfm().to_pyarrow().combine_chunks())


def test_a_scan_fills_bases_of_different_keys():
    bases = {"pair": base_of(), "one": custcore.CustomerBase(), "country": custcore.CustomerBase(customer_id="country")}
    custcore.scan(orders(), bases)
    assert [len(base) for base in bases.values()] == [3, 3, 2]
    assert bases["pair"].rfm().to_pyarrow().equals(custcore.rfm(orders(), customer_id=KEY).to_pyarrow())


def test_cohorts_segments_and_profiles():
    rng = np.random.default_rng(8)
    n = 400
    table = orders(rng.choice(["DE", "FR"], n), rng.integers(0, 40, n))
    codes = [f"{c}{i:02d}" for c, i in zip(table["country"].to_pylist(), table["customer_id"].to_pylist(), strict=True)]
    single = table.append_column("id", pa.array(codes))
    pair, one = (custcore.cohort_retention(single, customer_id=key, by="country", rfm=True) for key in (KEY, "id"))
    assert pair.to_table().to_pyarrow().equals(one.to_table().to_pyarrow())
    assert pair.customers().column_names[:2] == KEY
    assert pair.customers().to_pyarrow()["cohort"].equals(one.customers().to_pyarrow()["cohort"])
    assert keys_of(pair.rfm()) == keys_of(pair.customers())
    scored = [custcore.rfm_scores(single, customer_id=key) for key in (KEY, "id")]
    assert custcore.profile(scored[0]).to_pyarrow().equals(custcore.profile(scored[1]).to_pyarrow())
    clustered = [custcore.segment_customers(single, k=2, customer_id=key)[0].to_pyarrow() for key in (KEY, "id")]
    assert clustered[0]["cluster"].equals(clustered[1]["cluster"])
    dates = [DAY + dt.timedelta(days=d) for d in (50, 200, 399)]
    moved = []
    for key in (KEY, "id"):
        base = custcore.CustomerBase(customer_id=key, track="days")
        base.update(single)
        moved.append((base.transitions(dates, custcore.RFMScorer()), base.stays(dates, custcore.RFMScorer())))
    for a, b in zip(*moved, strict=True):
        assert a.to_pyarrow().equals(b.to_pyarrow())


@pytest.mark.parametrize("track", ["totals", "days"])
def test_files_of_single_plain_keys_stay_readable_for_older_versions(track):
    """Only composite keys and extension types need version 2 of the format."""

    def version(base):
        text = base.to_bytes()
        return pa.ipc.open_file(pa.py_buffer(text)).schema.metadata[b"custcore.format_version"]

    plain = custcore.CustomerBase(track=track)
    plain.update(orders())
    composite = custcore.CustomerBase(track=track, customer_id=KEY)
    assert (version(plain), version(composite)) == (b"1", b"2")
    composite.update(orders())
    assert version(composite) == b"2"
    again = custcore.CustomerBase.from_bytes(composite.to_bytes())
    assert again._options["customer_id"] == KEY
    assert again.rfm().to_pyarrow().equals(composite.rfm().to_pyarrow())
    text = composite.to_bytes()
    with pytest.raises(ModelFormatError):
        custcore.CustomerBase.from_bytes(text.replace(b"customer_id", b"customer_ix", 1))


def test_frames_in_and_out():
    frame = orders().to_pandas()
    found = frame.custcore.rfm(customer_id=KEY, set_index=True)
    assert found.index.names == KEY
    assert found.index.tolist() == [("DE", 7), ("DE", 17), ("FR", 7)]
    floats = frame.assign(customer_id=[7.0, 17.0, 7.0, np.nan, 17.0])
    found = floats.custcore.rfm(customer_id=KEY)
    assert found["customer_id"].tolist() == [7, 17, 7]
    assert "4 float ids read as integers, 1 NaN as null" in found.custcore.report.remarks[0]
    merged = frame.merge(frame.custcore.rfm_scores(customer_id=KEY, bins=2, segments=None), on=KEY)
    assert len(merged) == 4
    polars = pl.DataFrame(orders())
    for given in (polars, polars.lazy()):
        out = given.custcore.rfm(customer_id=KEY)
        assert out.select(KEY).rows() == [("DE", 7), ("DE", 17), ("FR", 7)]
        assert given.custcore.cohort_retention(customer_id=KEY).customers().select(KEY).rows() == out.select(KEY).rows()
    categories = frame.assign(country=frame["country"].astype("category"))
    assert categories.custcore.rfm(customer_id=KEY)["country"].tolist() == ["DE", "DE", "FR"]


def test_a_scorer_is_told_the_columns_that_a_frame_does_not_name():
    rng = np.random.default_rng(9)
    table = orders(rng.choice(["DE", "FR"], 200), rng.integers(0, 60, 200))
    found = custcore.rfm(table, customer_id=KEY)
    want = custcore.RFMScorer(ties="split").fit(found).transform(found).to_pyarrow()
    frame = found.to_polars().select("first_date", *KEY[::-1], "recency_days", "n_orders", "monetary_total")
    scorer = custcore.RFMScorer(ties="split", customer_id=KEY).fit(frame)
    assert scorer.transform(frame).to_pyarrow()["rfm_cell"].equals(want["rfm_cell"])
    again = custcore.RFMScorer.from_bytes(scorer._bytes())
    assert again == scorer
    assert "customer_id=['country', 'customer_id']" in repr(again)
    with pytest.raises(InvalidTypeError, match="the scorer was fitted on ids such as"):
        custcore.RFMScorer(ties="split").fit(found).transform(found.to_pyarrow().replace_schema_metadata(None))
    by_one = custcore.QuantileScorer(["n_orders"], ties="split", customer_id="customer_id").fit(frame)
    assert by_one.score_one([1], customer_id=7)
    with pytest.raises(InvalidArgumentError, match="twice"):
        custcore.RFMScorer(customer_id=["a", "a"])
