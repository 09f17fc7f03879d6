"""`custcore.portrait` and `custcore.nps`: corners, errors, and what users see."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import math
import pickle
import struct
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custcore
from custcore.errors import (
    ColumnNotFoundError,
    CustcoreError,
    DuplicateColumnError,
    InvalidArgumentError,
    InvalidTypeError,
    NonFiniteError,
    OutOfRangeError,
)

N = 120
SEGMENTS = pa.table({"customer_id": range(N), "segment": ["new"] * 40 + ["loyal"] * 80})
IDS = pa.array(range(N), pa.int64())


def of(**columns: Any) -> pa.Table:
    return pa.table({"customer_id": IDS, **columns})


def rows(portrait: custcore.Portrait, *names: str) -> list[tuple[Any, ...]]:
    return list(portrait.to_table().select(list(names)).rows())


def values(portrait: custcore.Portrait) -> dict[tuple[str, str, Any], int]:
    found = rows(portrait, "segment", "attribute", "value", "customers")
    return {(segment, attribute, value): count for segment, attribute, value, count in found if count}


def refused(call: Any, error: type[CustcoreError], *says: str) -> CustcoreError:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value)
    return caught.value


FLAGS = of(flag=[i % 2 for i in range(N)])


def test_columns_and_types():
    table = custcore.portrait(SEGMENTS, FLAGS).to_table()
    arrow = table.to_pyarrow().schema
    assert {str(arrow.field(name).type) for name in ("attribute", "value")} == {"string"}
    assert str(arrow.field("segment").type).startswith("dictionary<values=string")
    assert {str(arrow.field(name).type) for name in table.column_names[3:7]} == {"int64"}
    assert {str(arrow.field(name).type) for name in ("tested", "is_mark")} == {"bool"}
    assert {str(arrow.field(name).type) for name in table.column_names[7:] if name not in {"tested", "is_mark"}} == {
        "double"
    }
    assert table.column_names == [
        *("segment", "attribute", "value", "customers", "segment_known", "all_customers", "all_known"),
        *("share", "share_low", "share_high", "share_all", "index", "index_low", "index_high"),
        *("p_value", "tested", "p_adjusted", "strength", "is_mark"),
    ]


def test_kinds_of_attributes():
    days = [dt.date(2026, 1 + i % 3, 5) for i in range(N)]
    table = of(
        code=pa.array([i % 2 for i in range(N)], pa.int8()),
        big=pa.array([2**63 + i % 2 for i in range(N)], pa.uint64()),
        word=pa.array(["a", "b"] * 60).dictionary_encode(),
        flag=[i < 60 for i in range(N)],
        day=days,
        moment=pa.array([dt.datetime(2026, 1, 31, 23, tzinfo=dt.UTC)] * N, pa.timestamp("us", "Asia/Shanghai")),
        income=[float(i) for i in range(N)],
        price=pa.array([decimal.Decimal(i) / 2 for i in range(N)], pa.decimal128(9, 2)),
    )
    found = values(custcore.portrait(SEGMENTS, table))
    names: dict[str, set[Any]] = {}
    for _, attribute, value in found:
        names.setdefault(attribute, set()).add(value)
    assert names == {
        "code": {"0", "1"},
        "big": {str(2**63), str(2**63 + 1)},
        "word": {"a", "b"},
        "flag": {"true", "false"},
        "day": {"2026-01", "2026-02", "2026-03"},
        "moment": {"2026-02"},
        "income": {"<= 29.75", "(29.75, 59.5]", "(59.5, 89.25]", "> 89.25"},
        "price": {"<= 14.87", "(14.87, 29.75]", "(29.75, 44.62]", "> 44.62"},
    }
    assert found["new", "income", "<= 29.75"] == 30
    assert found["new", "income", "(29.75, 59.5]"] == 10
    for period, expected in (("year", "2026"), ("quarter", "2026-Q1"), ("week", "2026-01-05"), ("day", "2026-01-05")):
        assert ("new", "day", expected) in values(custcore.portrait(SEGMENTS, table, period=period))  # type: ignore[arg-type]


def test_bins():
    table = of(age=range(N), income=[float(i // 2) for i in range(N)])
    found = values(custcore.portrait(SEGMENTS, table, bins={"age": [30, 50.5], "income": None}))
    assert {key[2] for key in found if key[1] == "age"} == {"<= 30", "(30, 50.5]", "> 50.5"}
    assert found["new", "age", "<= 30"] == 31
    assert ("new", "income", "0") in found
    found = values(custcore.portrait(SEGMENTS, table, bins=2))
    assert {key[2] for key in found if key[1] == "income"} == {"<= 29.5", "> 29.5"}
    assert {key[2] for key in found if key[1] == "age"} == {str(i) for i in range(N)}
    ties = of(x=[1.0] * 100 + [2.0] * 20)
    assert {key[2] for key in values(custcore.portrait(SEGMENTS, ties))} == {"<= 1", "> 1"}
    for bins, error, says in (
        ({"age": 1}, InvalidArgumentError, "bins of 'age': 1 is outside 2 to 100"),
        ({"age": 300}, InvalidArgumentError, "bins of 'age'"),
        ({"age": []}, InvalidArgumentError, "bins of 'age': 0 edges"),
        ({"age": [3, 3]}, InvalidArgumentError, "bins of 'age': the edges 3, 3 do not ascend"),
        ({"age": [3, math.nan]}, InvalidArgumentError, "bins of 'age'"),
        ({"ages": 3}, InvalidArgumentError, "bins names 'ages', which is no attribute; did you mean 'age'"),
        ({"age": "many"}, InvalidTypeError, "bins of 'age'='many' is str"),
        ([3, 4], InvalidTypeError, "bins=[3, 4] is list; expected a number of bins, None, or a dict"),
        (1, InvalidArgumentError, "bins: 1 is outside 2 to 100"),
    ):
        refused(lambda bins=bins: custcore.portrait(SEGMENTS, table, bins=bins), error, says)
    words = of(word=["a"] * N)
    refused(lambda: custcore.portrait(SEGMENTS, words, bins={"word": 3}), InvalidTypeError, "'word'", "a number")
    endless = of(x=[math.inf] * N)
    assert refused(lambda: custcore.portrait(SEGMENTS, endless), NonFiniteError, "'x' is infinite at row 0").row == 0


def test_lists_are_recognised_and_stated():
    bought = pa.table({"customer_id": [0, 0, 0, 1, 50, 500], "item": ["a", "a", "b", "a", None, "a"]})
    found = custcore.portrait(SEGMENTS, bought, min_customers=1)
    assert values(found) == {("new", "item", "a"): 2, ("new", "item", "b"): 1}
    assert set(rows(found, "segment_known", "all_known")) == {(40, 120), (80, 120)}
    assert any("a list, of which a customer may have several values; 3 of 120" in text for text in found.report.remarks)
    assert found.report["not_in_segments"].count == 1
    single = bought.slice(2, 2)
    known = custcore.portrait(SEGMENTS, single, min_customers=1)
    assert {row[0] for row in rows(known, "all_known")} == {2}
    stated = custcore.portrait(SEGMENTS, long=single, min_customers=1)
    assert {row[0] for row in rows(stated, "all_known")} == {120}
    with_nulls = custcore.portrait(SEGMENTS, long={"what": bought}, nulls="value", min_customers=1)
    assert values(with_nulls)["loyal", "what", None] == 1
    wide = bought.append_column("more", pa.array([1] * 6))
    error = refused(
        lambda: custcore.portrait(SEGMENTS, [FLAGS, wide]),
        InvalidArgumentError,
        "table 2 of the attributes: customer customer_id=0 has two rows, 0 and 1; expected one row per customer",
        "long={'NAME': table}",
    )
    assert error.row == 1


def test_nulls_are_left_out_or_a_value():
    table = of(word=["a"] * 30 + [None] * 10 + ["b"] * 60 + [None] * 20).slice(0, 110)
    dropped = custcore.portrait(SEGMENTS, table)
    assert values(dropped) == {("new", "word", "a"): 30, ("loyal", "word", "b"): 60}
    assert set(rows(dropped, "segment", "segment_known", "all_known")) == {("new", 30, 90), ("loyal", 60, 90)}
    counted = custcore.portrait(SEGMENTS, table, nulls="value")
    assert values(counted)["loyal", "word", None] == 20
    assert set(rows(counted, "segment", "segment_known", "all_known")) == {("new", 40, 120), ("loyal", 80, 120)}
    assert dropped.report["not_in_attributes"].count == 10
    assert "attribute 'word': known for 90 of 120 customers (75.0 %)" in dropped.report.remarks


def test_sentences_of_rarely_known_values_and_of_nothing():
    table = of(word=["a"] * 15 + [None] * 25 + ["b"] * 60 + [None] * 20)
    found = custcore.portrait(SEGMENTS, table, min_customers=10)
    english, chinese = (found.sentences(lang)["sentence"].to_pylist() for lang in ("en", "zh"))  # type: ignore[arg-type]
    assert english[1] == (
        "new (40 customers, 33 % of all): a in word (100 % against 20 %, index 500) (known for 38 %); "
        "rarely b in word (<1 % against 80 %, index 0) (known for 38 %)."
    )
    assert chinese[1] == (
        "new（40 人，占 33%）：word为“a”的占 100%（全体 20%，指数 500）（已知 38%）；"
        "较少word为“b”（占 <1%，全体 80%，指数 0）（已知 38%）。"
    )
    alike = custcore.portrait(SEGMENTS, FLAGS)
    assert alike.marks().num_rows == 0
    assert alike.sentences()["sentence"].to_pylist() == [
        "loyal: nothing sets it apart at the 5 % level (80 customers).",
        "new: nothing sets it apart at the 5 % level (40 customers).",
    ]
    assert "在 1% 水平上无显著特征" in str(custcore.portrait(SEGMENTS, FLAGS, alpha=0.01).sentences("zh").to_pylist())
    assert repr(alike).splitlines()[0] == "custcore.Portrait"


def test_values_are_escaped_where_they_are_shown():
    table = of(word=["<b>&\x1b[31m"] * 40 + ["b\u202ec"] * 80)
    found = custcore.portrait(SEGMENTS, table)
    sentence = found.sentences()["sentence"].to_pylist()[1]
    assert sentence.startswith("new (40 customers, 33 % of all): <b>&\\u{1b}[31m in word (100 %")
    assert "\\u{202e}" in sentence
    assert "&lt;b&gt;&amp;\\u{1b}" in found._repr_html_()
    assert ("new", "word", "<b>&\x1b[31m") in values(found)


def test_order_of_segments():
    order = ["z", "a", "nobody", "m"]
    codes = pa.array([0] * 40 + [1] * 40 + [3] * 39 + [None], pa.int8())
    segments = pa.table({"customer_id": IDS, "segment": pa.DictionaryArray.from_arrays(codes, order)})
    found = custcore.portrait(segments, FLAGS)
    assert list(dict.fromkeys(row[0] for row in rows(found, "segment"))) == ["z", "a", "m"]
    assert found.report["null_segment"].count == 1
    assert "segments without customers: nobody" in found.report.remarks
    assert found.report["not_in_segments"].count == 1
    numbers = pa.table({"customer_id": IDS, "segment": [10] * 60 + [9] * 60})
    assert list(dict.fromkeys(row[0] for row in rows(custcore.portrait(numbers, FLAGS), "segment"))) == ["9", "10"]


def test_ids_are_found():
    renamed = SEGMENTS.rename_columns(["household", "segment"]).select(["household", "segment"])
    expected = rows(custcore.portrait(SEGMENTS, FLAGS), "segment", "value", "customers")
    first = custcore.portrait(renamed, FLAGS)
    assert rows(first, "segment", "value", "customers") == expected
    assert "table 1 of the attributes: the ids are in its first column, 'customer_id'" in first.report.remarks
    both = custcore.portrait(renamed, FLAGS.rename_columns(["household", "flag"]), customer_id="household")
    assert rows(both, "segment", "value", "customers") == expected
    refused(
        lambda: custcore.portrait(renamed, FLAGS, customer_id="household"),
        ColumnNotFoundError,
        "table 1 of the attributes: column 'household' (customer_id) is not in the data",
    )
    composite = pa.table({"a": [1] * N, "b": range(N), "segment": SEGMENTS["segment"]})
    flags = pa.table({"flag": FLAGS["flag"], "b": range(N), "a": pa.array([1] * N, pa.uint8())})
    assert (
        rows(custcore.portrait(composite, flags, customer_id=["a", "b"]), "segment", "value", "customers") == expected
    )
    day = dt.date(2026, 1, 5)
    orders = pa.table({"shop": ["x"] * N, "id": range(N), "timestamp": [day] * N, "amount": [1.0] * N})
    buyers = custcore.rfm(orders, customer_id=["shop", "id"]).to_pyarrow()
    segmented = buyers.append_column("segment", SEGMENTS["segment"])
    grouped = custcore.portrait(segmented, pa.table({"shop": ["x"] * N, "id": range(N), "flag": FLAGS["flag"]}))
    assert sum(count for key, count in values(grouped).items()) == N


def test_tables_in_any_form():
    expected = rows(custcore.portrait(SEGMENTS, FLAGS), "segment", "value", "customers")
    forms: list[Any] = [
        FLAGS.to_pandas(),
        FLAGS.to_pandas().iloc[::-1],
        pl.DataFrame(FLAGS),
        pl.DataFrame(FLAGS).lazy(),
        pa.RecordBatchReader.from_batches(FLAGS.schema, FLAGS.to_batches(max_chunksize=7)),
        [FLAGS],
        {"flag": FLAGS},
        {"customer_id": np.arange(N), "flag": np.arange(N) % 2},
        FLAGS.append_column("segment", SEGMENTS["segment"]),
    ]
    for form in forms:
        assert rows(custcore.portrait(SEGMENTS, form), "segment", "value", "customers") == expected
    named = custcore.portrait(SEGMENTS, {"odd": FLAGS, "two": of(a=["x"] * N, b=["y"] * N)})
    assert {row[0] for row in rows(named, "attribute")} == {"odd", "a", "b"}


def test_errors():
    def wrong(
        error: type[CustcoreError], says: str, table: Any = FLAGS, segments: Any = SEGMENTS, **options: Any
    ) -> None:
        refused(lambda: custcore.portrait(segments, table, **options), error, says)

    wrong(InvalidArgumentError, "no table of attributes", None)
    wrong(DuplicateColumnError, "two attributes are named 'flag'", [FLAGS, FLAGS])
    wrong(ColumnNotFoundError, "segments: column 'class' (segment) is not in the data", segment="class")
    wrong(ColumnNotFoundError, "no column of an attribute", FLAGS.select(["customer_id"]))
    twice = pa.concat_tables([SEGMENTS, SEGMENTS])
    wrong(InvalidArgumentError, "customer_id=0 has two rows, 0 and 120", segments=twice)
    wrong(InvalidArgumentError, "alpha=0 is outside 0 to 1", alpha=0)
    wrong(InvalidArgumentError, "alpha=NaN", alpha=math.nan)
    wrong(InvalidTypeError, "alpha='low' is str", alpha="low")
    wrong(InvalidArgumentError, "adjust='bonferroni' is invalid; expected one of 'bh', 'holm'", adjust="bonferroni")
    wrong(InvalidArgumentError, "nulls='keep'", nulls="keep")
    wrong(InvalidArgumentError, "period='decade'", period="decade")
    wrong(InvalidArgumentError, "min_customers=-1 is negative", min_customers=-1)
    wrong(InvalidTypeError, "a name in attributes=1 is int", {1: FLAGS})
    wrong(InvalidTypeError, "'x'", of(x=pa.array([[1]] * N)))
    wrong(InvalidTypeError, "contains only nulls", of(x=pa.nulls(N)))
    wrong(InvalidTypeError, "custcore.read", "people.csv")
    words = pa.table({"customer_id": ["0"], "x": [1]})
    wrong(InvalidTypeError, "table 1 of the attributes: column 'customer_id' (customer_id) is string", words)
    wrong(InvalidTypeError, "Ids of different kinds are never equal", {"words": words})
    many = pa.table({"customer_id": range(20_000), "segment": range(20_000)})
    wrong(InvalidArgumentError, "more than 10,000 values", segments=many)
    portrait = custcore.portrait(SEGMENTS, FLAGS)
    refused(lambda: portrait.marks(-1), InvalidArgumentError, "n=-1 is negative")
    refused(lambda: portrait.sentences("de"), InvalidArgumentError, "lang='de'")  # type: ignore[arg-type]


def test_empty_tables():
    for segments in (SEGMENTS.slice(0, 0), pa.table({"customer_id": pa.nulls(3, pa.int64()), "segment": ["a"] * 3})):
        found = custcore.portrait(segments, FLAGS)
        assert (found.to_table().num_rows, found.marks().num_rows, found.sentences().num_rows) == (0, 0, 0)
    found = custcore.portrait(SEGMENTS, FLAGS.slice(0, 0))
    assert found.to_table().num_rows == 0
    assert found.sentences().num_rows == 2
    assert "attribute 'flag': none of its 0 values is tested" in "\n".join(found.report.remarks)
    nobody = custcore.portrait(SEGMENTS, of(x=["a"] * 40 + [None] * 80))
    row = next(row for row in nobody.to_table().to_pylist() if row["segment"] == "loyal")
    assert [row[name] for name in ("share", "share_low", "index", "index_high", "p_adjusted")] == [None] * 5
    assert (row["p_value"], row["strength"], row["tested"]) == (1.0, 0.0, False)


def test_copies_files_and_threads(tmp_path: Any):
    found = custcore.portrait(SEGMENTS, of(word=["a"] * 50 + ["b"] * 70))
    for again in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert again.to_table().to_pylist() == found.to_table().to_pylist()
        assert again.sentences("zh").to_pylist() == found.sentences("zh").to_pylist()
        assert again.marks(1).to_pylist() == found.marks(1).to_pylist()
        assert again.report == found.report
    found.to_csv(tmp_path / "portrait.csv")
    assert (tmp_path / "portrait.csv").read_text().count("\n") == 5
    assert pa.table(found).num_rows == 4
    drawn = np.random.default_rng(3)
    n = 100_000
    segments = pa.table({"customer_id": np.arange(n), "segment": drawn.integers(0, 9, n)})
    bought = pa.table({"customer_id": drawn.integers(0, n, 400_000), "item": drawn.integers(0, 300, 400_000)})
    one, four = (custcore.portrait(segments, long=bought, n_threads=threads).to_table() for threads in (1, 4))
    assert one.to_pyarrow().equals(four.to_pyarrow())


def test_nps_of_few_answers():
    table = custcore.nps(pa.table({"score": [9, 10, 6, None, 7]}))
    assert table.column_names == [
        *("answers", "missing", "promoters", "passives", "detractors", "nps", "nps_low", "nps_high")
    ]
    assert next(iter(table.select(["answers", "missing", "promoters", "passives", "detractors", "nps"]).rows())) == (
        *(4, 1, 2, 1, 1),
        25.0,
    )
    nobody = custcore.nps(pa.table({"score": pa.nulls(2, pa.int8()), "team": ["a", None]}), by="team").to_pylist()
    assert [row["nps_low"] for row in nobody] == [None, None]
    assert [(row["segment"], row["missing"]) for row in nobody] == [(None, 2), ("a", 1)]
    assert custcore.nps(pa.table({"score": pa.array([], pa.int64())})).to_pylist()[0]["answers"] == 0
    halves = pa.array([decimal.Decimal("9.00"), decimal.Decimal("0.00")], pa.decimal128(5, 2))
    for scores in (halves, pa.array([9.0, 0.0], pa.float32()), pa.array([9, 0], pa.uint64())):
        assert custcore.nps(pa.table({"score": scores})).to_pylist()[0]["nps"] == 0.0


def test_nps_counts_customers_once():
    day = [dt.date(2026, 1, 1 + i) for i in (3, 1, 2, 5, 0)]
    table = pa.table(
        {"id": [1, 1, 2, 2, None], "score": [0, 10, 5, None, 9], "day": day, "team": ["x", "y", "x", "y", "x"]}
    )

    def counted(**options: Any) -> tuple[Any, ...]:
        found = custcore.nps(table, customer_id="id", **options)
        return found.report["null_customer_id"].count, *next(iter(found.select(["promoters", "detractors"]).rows()))

    assert counted() == (1, 1, 1)
    assert counted(which="first") == (1, 0, 2)
    assert counted(timestamp="day") == (1, 0, 2)
    assert counted(timestamp="day", which="first") == (1, 1, 1)
    found = custcore.nps(table, customer_id="id", by="team")
    assert [(row["segment"], row["answers"]) for row in found.to_pylist()] == [(None, 2), ("x", 1), ("y", 1)]
    assert found.report["other_answers"].count == 1


def test_nps_errors():
    def scores(*given: Any) -> pa.Table:
        return pa.table({"score": list(given)})

    batches = pa.Table.from_batches(scores(*[5] * 9, 11).to_batches(max_chunksize=4))
    error = refused(lambda: custcore.nps(batches), OutOfRangeError, "'score' is 11 at row 9; expected a whole number")
    assert (error.row, error.column) == (9, "score")
    for wrong in (-1, 7.5, math.inf, 256 + 9, decimal.Decimal("9.5")):
        refused(lambda wrong=wrong: custcore.nps(scores(wrong)), OutOfRangeError, "at row 0")
    refused(lambda: custcore.nps(scores("9")), InvalidTypeError, "'score'", "a number")
    refused(lambda: custcore.nps(scores(True)), InvalidTypeError, "'score'")
    refused(lambda: custcore.nps(scores(9), score="answer"), ColumnNotFoundError, "'answer' (score)")
    refused(lambda: custcore.nps(scores(9), by="team"), ColumnNotFoundError, "'team' (by)")
    refused(lambda: custcore.nps(scores(9), timestamp="score"), InvalidArgumentError, "customer_id=")
    refused(lambda: custcore.nps(scores(9), which="best"), InvalidArgumentError, "which='best'", "'first'")  # type: ignore[arg-type]
    refused(lambda: custcore.nps(scores(9), interval="exact"), InvalidArgumentError, "interval='exact'")  # type: ignore[arg-type]


def test_frames():
    import custcore.pandas
    import custcore.polars

    table = of(word=["a"] * 50 + ["b"] * 70)
    expected = custcore.portrait(SEGMENTS, table)
    frame = SEGMENTS.to_pandas()
    frame["customer_id"] = frame["customer_id"].astype(float)
    attributes = table.to_pandas()
    attributes.loc[N] = [math.nan, "c"]
    found = frame.custcore.portrait(attributes)
    assert isinstance(found.marks(), pd.DataFrame)
    assert found.to_table()["customers"].tolist() == [row[0] for row in rows(expected, "customers")]
    assert found.report["null_attribute_id"].count == 1
    assert sum("float ids read as integers" in text for text in found.report.remarks) == 2
    assert found.sentences("zh")["sentence"].tolist() == expected.sentences("zh")["sentence"].to_pylist()
    assert repr(found) == repr(expected)
    assert found._repr_html_() == expected._repr_html_()
    lazy = pl.DataFrame(SEGMENTS).lazy()
    for call in (lazy.custcore.portrait, lambda *a, **k: custcore.polars.portrait(lazy, *a, **k)):
        other = call([pl.DataFrame(table).lazy()], min_customers=30)
        assert isinstance(other.to_table(), pl.DataFrame)
        assert other.to_table()["customers"].to_list() == [row[0] for row in rows(expected, "customers")]
    assert custcore.pandas.portrait(frame, long={"word": attributes}).to_table()["all_known"].unique().tolist() == [N]
    answers = pd.DataFrame({"id": [1.0, 1.0, math.nan], "score": [9, 3, 5], "team": pd.Categorical(["b", "a", "b"])})
    scored = answers.custcore.nps(by="team", customer_id="id")
    assert scored["nps"].tolist() == [-100.0, -100.0]
    assert custcore.pandas.nps(answers)["answers"].tolist() == [3]
    polars = pl.DataFrame(answers).lazy()
    assert polars.custcore.nps(by="team")["segment"].to_list() == [None, "b", "a"]
    assert custcore.polars.nps(polars, interval="wald")["nps_low"].to_list() == pytest.approx([-100.0])


def test_exact_bits_do_not_depend_on_the_order_of_rows():
    drawn = np.random.default_rng(5)
    order = drawn.permutation(N)
    table = of(x=drawn.normal(size=N), y=drawn.integers(0, 3, N))
    one = custcore.portrait(SEGMENTS, table, min_customers=5).to_table().to_pyarrow()
    other = custcore.portrait(SEGMENTS.take(order), table.take(order[::-1]), min_customers=5).to_table().to_pyarrow()
    assert one.equals(other)
    assert [struct.pack("d", p) for p in one["p_value"].to_pylist()] == [
        struct.pack("d", p) for p in other["p_value"].to_pylist()
    ]
