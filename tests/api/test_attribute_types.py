"""Attributes and groups of any type: they come back with the type that came in, however the base was carried."""

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
import custcore.polars
from custcore.errors import InvalidArgumentError, InvalidTypeError, StateMismatchError

UTC = dt.UTC
DAY = dt.date(2026, 1, 5)
EARLY = dt.date(1955, 11, 5)
MOMENT = dt.datetime(2026, 1, 5, 6, 7, 8)  # noqa: DTZ001
INSTANT = MOMENT.replace(tzinfo=UTC)
NANOSECONDS = pd.Timestamp("2026-01-05T00:00:00.000000007", tz="UTC")
WHEN = [DAY, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=40), DAY]
IDS = [1, 1, 2, 3]

# By type: four values, of which null is one and the first two differ.
VALUES = {
    pa.bool_(): [True, False, None, False],
    pa.int8(): [-1, 5, None, 5],
    pa.uint64(): [2**64 - 1, 0, None, 0],
    pa.string(): ["b", "", None, ""],
    pa.binary(3): [b"abc", b"\0\0\0", None, b"abc"],
    pa.date32(): [DAY, EARLY, None, EARLY],
    pa.date64(): [DAY, EARLY, None, EARLY],
    pa.float16(): [np.float16(1.5), np.float16(-2), None, np.float16(-2)],
    pa.float32(): [1.5, -2.0, None, -2.0],
    pa.float64(): [0.1, -1e300, None, -1e300],
    pa.timestamp("s"): [MOMENT, dt.datetime(1, 1, 1), None, MOMENT],  # noqa: DTZ001
    pa.timestamp("ms", "Europe/Berlin"): [INSTANT, dt.datetime(1960, 1, 1, tzinfo=UTC), None, INSTANT],
    pa.timestamp("us"): [MOMENT.replace(microsecond=7), dt.datetime(9999, 1, 1), None, MOMENT],  # noqa: DTZ001
    pa.timestamp("ns", "UTC"): [NANOSECONDS, INSTANT, None, INSTANT],
    pa.uuid(): [uuid.UUID(int=2**100).bytes, uuid.UUID(int=1).bytes, None, uuid.UUID(int=1).bytes],
}
EACH_TYPE = pytest.mark.parametrize("kind", VALUES, ids=str)
LEVEL = {"track": "days"}


def orders(values, kind=None, ids=IDS):
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values[: len(ids)], kind)
    amounts = [float(2**i) for i in range(len(ids))]
    return pa.table({"customer_id": ids, "timestamp": WHEN[: len(ids)], "amount": amounts, "x": column})


def base_of(*updates, pick="first", **options):
    base = custcore.CustomerBase(attributes={"x": pick}, **LEVEL, **options)
    for data in updates:
        base.update(data)
    return base


def x_of(table):
    return table.to_pyarrow()["x"].combine_chunks()


def expected(kind, rows):
    return pa.array([VALUES[kind][row] for row in rows], kind)


@EACH_TYPE
@pytest.mark.parametrize(("pick", "rows"), [("first", [0, 2, 3]), ("last", [1, 2, 3])])
def test_values_keep_their_type(kind, pick, rows, tmp_path):
    data = orders(VALUES[kind], kind)
    want = expected(kind, rows)
    assert x_of(custcore.rfm(data, attributes={"x": pick})).equals(want)
    base = base_of(data, pick=pick)
    base.save(tmp_path / "base")
    on_disk = base_of(data.slice(0, 2), pick=pick, max_memory="1MiB")
    on_disk._core.spill()
    on_disk.update(data.slice(2))
    for found in (
        base,
        custcore.CustomerBase.load(tmp_path / "base"),
        custcore.CustomerBase.from_bytes(base.to_bytes()),
        pickle.loads(pickle.dumps(base)),
        on_disk,
        pickle.loads(pickle.dumps(on_disk)),
    ):
        assert found.rfm().to_pyarrow().schema.field("x").equals(data.schema.field("x"), check_metadata=True)
        assert x_of(found.rfm()).equals(want)
    first, second = base_of(data.slice(0, 1), pick=pick), base_of(data.slice(1), pick=pick)
    second.merge(first)
    assert second.to_bytes() == base.to_bytes() == on_disk.to_bytes()
    back = pickle.loads(pickle.dumps(base.rfm()))
    assert back.to_pyarrow().equals(base.rfm().to_pyarrow(), check_metadata=True)


@EACH_TYPE
def test_layouts_do_not_matter(kind):
    """Chunks, slices, and a dictionary with a null and unused values."""
    values = pa.array(VALUES[kind], kind)
    want = custcore.rfm(orders(values), attributes={"x": "first"}).to_pyarrow()
    chunks = pa.chunked_array([values.slice(0, 1), values.slice(1)])
    batches = [orders(values).slice(0, 3), orders(values).slice(3)]
    for data in (orders(chunks), batches, orders(pa.concat_arrays([values, values])[4:])):
        assert custcore.rfm(data, attributes={"x": "first"}).to_pyarrow().equals(want)
    if kind != pa.uuid():
        codes = pa.array([0, 1, 3, 1], pa.int8())
        dictionary = pa.DictionaryArray.from_arrays(codes, pa.array([*VALUES[kind][:2], VALUES[kind][3], None], kind))
        wanted = pa.array([VALUES[kind][0], None, VALUES[kind][1]], kind)
        assert x_of(custcore.rfm(orders(dictionary), attributes={"x": "first"})).equals(wanted)


@EACH_TYPE
@pytest.mark.parametrize("pick", ["first", "last"])
def test_values_are_those_of_pandas(kind, pick):
    random = np.random.default_rng(5)
    n = 400
    values = [VALUES[kind][i] for i in random.integers(0, 4, n)]
    # Distinct times, so that the first and the last row of a customer are clear.
    times = [MOMENT + dt.timedelta(minutes=int(i)) for i in random.permutation(n)]
    ids = random.integers(0, 40, n)
    data = pa.table({"customer_id": ids, "timestamp": times, "amount": [1.0] * n, "x": pa.array(values, kind)})
    found = custcore.rfm(data, attributes={"x": pick}).to_pyarrow()
    rows = pd.DataFrame({"id": ids, "at": times, "row": range(n)}).sort_values("at").groupby("id")["row"]
    picked = (rows.first() if pick == "first" else rows.last()).to_dict()
    want = pa.array([values[picked[id_]] for id_ in found["customer_id"].to_pylist()], kind)
    assert found["x"].combine_chunks().equals(want)


def test_nan_is_null_and_zero_has_no_sign():
    data = orders([float("nan"), 0.0, -0.0, 0.0], pa.float64(), [1, 2, 3, 4])
    found = x_of(custcore.rfm(data, attributes={"x": "first"}))
    assert found.null_count == 1
    assert [str(value) for value in found.to_pylist()] == ["None", "0.0", "0.0", "0.0"]
    cells = custcore.cohort_retention(data, by="x", as_of=WHEN[2]).to_table().to_pyarrow()
    assert set(cells["x"].to_pylist()) == {0.0, None}


def test_ties_go_to_the_smallest_value():
    for kind, few in (
        (pa.float64(), [2.0, -3.0]),
        (pa.bool_(), [True, False]),
        (pa.date32(), [DAY, EARLY]),
        (pa.timestamp("us", "UTC"), [MOMENT, dt.datetime(1960, 1, 1)]),  # noqa: DTZ001
    ):
        data = pa.table({"customer_id": [1, 1], "timestamp": [DAY, DAY], "x": pa.array(few, kind)})
        for pick in ("first", "last"):
            found = x_of(custcore.rfm(data, amount=None, attributes={"x": pick}))
            assert found.equals(pa.array([few[1]], kind))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (pa.float32(), pa.float64()),
        (pa.float16(), pa.float32()),
        (pa.date32(), pa.date64()),
        (pa.timestamp("s"), pa.timestamp("us")),
        (pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC")),
    ],
    ids=str,
)
@pytest.mark.parametrize("on_disk", [False, True])
def test_wider_types_widen_the_column(narrow, wide, on_disk):
    value = {"f": np.float16(1.5), "h": np.float16(1.5), "d": EARLY if narrow == pa.date32() else 1.5}.get(
        str(narrow)[0], MOMENT
    )
    ids = [1]
    first, second = (orders(pa.array([value], kind), ids=ids) for kind in (narrow, wide))
    second = second.set_column(0, "customer_id", pa.array([2]))
    for data in ((first, second), (second, first)):
        base = base_of(data[0], **({"max_memory": "1MiB"} if on_disk else {}))
        if on_disk:
            base._core.spill()
        base.update(data[1])
        found = x_of(base.rfm())
        assert found.equals(pa.array([value, value], wide))
        assert x_of(custcore.CustomerBase.from_bytes(base.to_bytes()).rfm()).equals(found)
    other = base_of(first)
    other.merge(base_of(second))
    assert other.to_bytes() == base.to_bytes()


def test_different_zones_become_utc():
    value = MOMENT.replace(tzinfo=UTC)
    berlin, tokyo = (orders([value], pa.timestamp("us", zone), [1]) for zone in ("Europe/Berlin", "Asia/Tokyo"))
    found = x_of(base_of(berlin, tokyo).rfm())
    assert found.type == pa.timestamp("us", "UTC")
    assert found.to_pylist() == [value]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (pa.bool_(), pa.int8(), ("booleans", "integers")),
        (pa.int64(), pa.float64(), ("integers", "floats")),
        (pa.date32(), pa.timestamp("us"), ("dates", "timestamps without a zone")),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), ("without a zone", "with a zone")),
        (pa.timestamp("us"), pa.timestamp("ns"), ("timestamps", "in ns")),
    ],
    ids=str,
)
def test_unlike_types_are_refused(before, now, words):
    nothing, data = orders(pa.nulls(4, before)), orders(pa.nulls(4, now))
    base = base_of(nothing)
    kept = base.to_bytes()
    with pytest.raises(StateMismatchError) as error:
        base.update(data)
    assert all(word in str(error.value) for word in ("'x'", *words))
    with pytest.raises(StateMismatchError):
        base.merge(base_of(data))
    assert base.to_bytes() == kept
    with pytest.raises(InvalidTypeError) as batch:
        base_of([nothing, data])
    assert "in the first batch" in str(batch.value)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1]] * 4),
        pa.array([{"a": 1}] * 4),
        pa.nulls(4),
        pa.array([1] * 4, pa.decimal128(5, 2)),
        pa.array([1] * 4, pa.duration("s")),
        pa.array([1] * 4, pa.time32("s")),
    ],
    ids=lambda values: str(values.type),
)
def test_types_that_stay_refused(values):
    for call in (
        lambda: custcore.rfm(orders(values), attributes={"x": "first"}),
        lambda: base_of(orders(values)),
        lambda: custcore.cohort_retention(orders(values), by="x"),
    ):
        with pytest.raises(InvalidTypeError, match="expected an integer, string, binary, bool, date, timestamp, float"):
            call()


def test_an_instant_beyond_microseconds_is_refused():
    data = orders(pa.array([2**62] * 4, pa.int64()).cast(pa.timestamp("s")))
    with pytest.raises(custcore.errors.OutOfRangeError, match="'x'"):
        custcore.rfm(data, attributes={"x": "first"})


@EACH_TYPE
def test_cohorts_by_any_type(kind):
    data = orders(VALUES[kind], kind)
    found = custcore.cohort_retention(data, by="x", period="month", amount="amount")
    cells = found.to_table().to_pyarrow()
    assert cells.schema.field("x").equals(data.schema.field("x"), check_metadata=True)
    sizes = {}
    for value, size in zip(cells["x"].to_pylist(), cells["cohort_size"].to_pylist(), strict=True):
        sizes[value] = size or sizes.get(value)
    firsts = [data["x"][row].as_py() for row in (0, 2, 3)]
    assert sizes == {value: firsts.count(value) for value in firsts}
    by_base = base_of(data).cohort_retention(by="x", period="month")
    assert by_base.to_table().to_pyarrow().equals(cells)
    assert by_base.customers().to_pyarrow().equals(found.customers().to_pyarrow())
    assert repr(found)
    assert found._repr_html_()
    as_cohorts = custcore.cohort_retention(data, cohort_by="x", period="month").to_table().to_pyarrow()
    assert as_cohorts.schema.field("cohort").type == data.schema.field("x").type


@EACH_TYPE
def test_scores_within_groups_of_any_type(kind, tmp_path):
    values = [VALUES[kind][i] for i in (0, 1, 2) * 10]
    ids = list(range(30))
    data = pa.table(
        {
            "customer_id": ids,
            "timestamp": [DAY + dt.timedelta(days=i) for i in ids],
            "amount": [float(i * i) for i in ids],
            "x": pa.array(values, kind),
        }
    )
    customers = custcore.rfm(data, attributes={"x": "first"})
    scorer = custcore.RFMScorer(by="x", bins=3).fit(customers)
    scored = scorer.transform(customers).to_pyarrow()
    # The groups are scored as each by itself.
    table = customers.to_pyarrow()
    for start in range(3):
        rows = list(range(start, 30, 3))
        alone = custcore.RFMScorer(bins=3).fit_transform(table.take(rows)).to_pyarrow()
        for name in ("r_score", "f_score", "m_score"):
            assert scored[name].take(rows).to_pylist() == alone[name].to_pylist()
    scorer.save(tmp_path / "model.json")
    loaded = custcore.RFMScorer.load(tmp_path / "model.json")
    assert loaded.transform(customers).to_pyarrow().equals(scored)
    one_call = custcore.rfm_scores(data, by="x", bins=3).to_pyarrow()
    assert one_call["rfm_score"].equals(scored["rfm_score"])
    for row, group in enumerate(VALUES[kind][:3]):
        value = np.datetime64(group) if type(group) is dt.datetime and group.tzinfo is None else group
        for given in (group, value, table["x"][row].as_py()):
            found = loaded.score_one(int(table["recency_days"][row].as_py()), 1, float(row * row), group=given)
            assert found[:3] == tuple(scored[name][row].as_py() for name in ("r_score", "f_score", "m_score"))
    with pytest.raises(InvalidArgumentError, match=r"column 'x' has the group 'never'"):
        loaded.score_one(1, 1, 1.0, group="never")


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (True, "true"),
        (2.5, "2.5"),
        (DAY, "2026-01-05"),
        (MOMENT, "2026-01-05T06:07:08"),
        (MOMENT.replace(microsecond=70), "2026-01-05T06:07:08.000070"),
        (MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))), "2026-01-05T05:07:08Z"),
        (np.float32(0.5), "0.5"),
        (np.bool_(False), "false"),
    ],
)
def test_an_unknown_group_is_named(group, words):
    customers = custcore.rfm(orders(["a", "b", "c", "d"], pa.string()), attributes={"x": "first"})
    scorer = custcore.RFMScorer(by="x").fit(customers)
    with pytest.raises(InvalidArgumentError) as error:
        scorer.score_one(1, 1, 1.0, group=group)
    assert f"group {words}," in str(error.value)


def test_missing_values_are_the_group_of_nulls():
    data = orders([1.5, None, float("nan"), 1.5], pa.float64(), [1, 2, 3, 4])
    scorer = custcore.RFMScorer(by="x").fit(custcore.rfm(data, attributes={"x": "first"}))
    for missing in (None, float("nan"), np.float32("nan"), pd.NaT):
        assert scorer.score_one(1, 1, 1.0, group=missing)


def test_the_extension_is_dropped_with_data_that_lack_it():
    data = orders(VALUES[pa.uuid()], pa.uuid())
    plain = orders(VALUES[pa.uuid()], pa.binary(16), IDS)
    for base in (base_of(data, plain), base_of(plain, data)):
        field = base.rfm().to_pyarrow().schema.field("x")
        assert field.type == pa.binary(16)
        assert not field.metadata


def test_pandas_columns():
    frame = pd.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "timestamp": pd.to_datetime(["2026-01-05", "2026-01-06", "2026-01-07"]),
            "amount": [1.0, 2.0, 3.0],
            "premium": [True, None, False],
            "member": pd.array([True, False, False]),
            "weight": [0.5, float("nan"), -0.0],
            "since": pd.to_datetime(["2020-01-01", None, "2021-05-05"]),
            "born": [DAY, EARLY, None],
        }
    )
    names = ["premium", "member", "weight", "since", "born"]
    found = frame.custcore.rfm(attributes=dict.fromkeys(names, "first"))
    assert found["premium"].tolist() == [True, pd.NA, False]
    assert found["premium"].dtype == "boolean"
    assert found["member"].dtype == bool
    assert found["member"].tolist() == [True, False, False]
    assert found["weight"].isna().tolist() == [False, True, False]
    assert found["since"].tolist() == frame["since"].tolist()
    assert found["born"].tolist() == [pd.Timestamp(DAY), pd.Timestamp(EARLY), pd.NaT]
    for name in names:
        sizes = frame.custcore.cohort_retention(by=name).to_table()
        assert sizes[name].nunique(dropna=False) == frame[name].nunique(dropna=False)
    scored = frame.custcore.rfm_scores(by="member")
    assert len(scored) == 3


def test_polars_columns():
    frame = pl.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "timestamp": [DAY, DAY, DAY],
            "amount": [1.0, 2.0, 3.0],
            "flag": [True, None, False],
            "rate": pl.Series([0.5, None, 1.0], dtype=pl.Float32),
            "born": [DAY, EARLY, None],
            "at": [MOMENT, None, MOMENT],
        }
    )
    names = ["flag", "rate", "born", "at"]
    found = frame.custcore.rfm(attributes=dict.fromkeys(names, "last"))
    assert found.select(names).equals(frame.select(names))
    assert found.select(names).schema == frame.select(names).schema
    lazy = frame.lazy().custcore.rfm(attributes=dict.fromkeys(names, "first"))
    assert (lazy.collect() if hasattr(lazy, "collect") else lazy).select(names).equals(frame.select(names))


def test_one_scan_of_several_bases():
    data = orders(VALUES[pa.date32()], pa.date32())
    bases = {pick: custcore.CustomerBase(attributes={"x": pick}, **LEVEL) for pick in ("first", "last")}
    custcore.scan(data, bases)
    for pick, base in bases.items():
        assert x_of(base.rfm()).equals(x_of(custcore.rfm(data, attributes={"x": pick})))


def test_reports_of_unknown_rows_name_none():
    """Of days, as a base keeps them, the rows are not known; of a base from a file none are."""
    data = pa.table(
        {
            "customer_id": [1, 1, 2, None],
            "timestamp": [DAY, DAY + dt.timedelta(days=9), DAY + dt.timedelta(days=9), DAY],
            "amount": [1.0, 2.0, 4.0, 8.0],
        }
    )
    base = custcore.CustomerBase(**LEVEL)
    base.update(data)
    start = DAY + dt.timedelta(days=5)
    report = base.cohort_retention(observation_start=start).report
    assert report["outside_cohorts"].count == 1
    assert report["outside_cohorts"].first_row is None
    assert report["null_customer_id"].first_row == 3
    loaded = custcore.CustomerBase.from_bytes(base.to_bytes())
    for found in (loaded.rfm().report, loaded.cohort_retention(observation_start=start).report, report):
        assert "None" not in repr(found)
        assert ("first in row" in repr(found)) == (found is report)
    assert all(entry.first_row is None for entry in loaded.rfm().report)
