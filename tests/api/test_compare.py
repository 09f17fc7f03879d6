"""`custcore.compare`: two score tables, counted by hand, by pandas, and by `transitions` of a base."""

from __future__ import annotations

import copy
import datetime
import math
import pickle
from decimal import Decimal
from typing import Any

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
    NullValueError,
    OutOfRangeError,
)
from tests.samples import transactions

JAN, FEB = datetime.date(2023, 12, 20), datetime.date(2024, 1, 20)

BEFORE = pa.table(
    {
        "customer_id": [1, 2, 3, 4],
        "monetary_total": [0.1, 20.0, 5.0, -1.0],
        "r_score": pa.array([1, 5, 3, None], pa.uint8()),
        "f_score": pa.array([1, 2, 3, 4], pa.uint8()),
        "segment": ["new", "loyal", "loyal", "gone"],
    }
)
AFTER = pa.table(
    {
        "customer_id": [5, 4, 1, 2],
        "monetary_total": [7.5, 3.0, 0.2, 0.1],
        "r_score": pa.array([5, 4, 3, 2], pa.uint8()),
        "f_score": pa.array([1, 4, 2, 2], pa.uint8()),
        "segment": ["new", "loyal", "loyal", "loyal"],
    }
)


def changed(table: pa.Table, column: str, values: Any) -> pa.Table:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    return table.set_column(table.column_names.index(column), column, array)


def refused(call: Any, error: type[CustcoreError], *says: str) -> CustcoreError:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in says:
        assert part in str(caught.value)
    return caught.value


def tables_of(compared: custcore.ScoreComparison) -> list[list[dict[str, Any]]]:
    return [table.to_pylist() for table in (compared.moves, compared.segments, compared.customers)]


def test_counted_by_hand() -> None:
    compared = custcore.compare(BEFORE, AFTER)
    assert [tuple(row.values()) for row in compared.moves] == [
        (None, "new", 1, None, 7.5, 1.0),
        ("gone", "loyal", 1, -1.0, 3.0, 1.0),
        ("loyal", "loyal", 1, 20.0, 0.1, 0.5),
        ("loyal", None, 1, 5.0, None, 0.5),
        ("new", "loyal", 1, 0.1, 0.2, 1.0),
    ]
    # 0.1 + 0.2 + 3.0 is 3.3: money is counted, not approximated.
    assert [tuple(row.values()) for row in compared.segments] == [
        ("gone", 1, 0, -1, 0.25, 0.0, -1.0, 0.0, 1.0, -10 / 241, 0.0),
        ("loyal", 2, 3, 1, 0.5, 0.75, 25.0, 3.3, -21.7, 250 / 241, 33 / 108),
        ("new", 1, 1, 0, 0.25, 0.25, 0.1, 7.5, 7.4, 1 / 241, 75 / 108),
    ]
    assert compared.customers.columns == [
        *("customer_id", "from_segment", "to_segment", "r_change", "f_change", "from_monetary", "to_monetary")
    ]
    assert [tuple(row.values()) for row in compared.customers] == [
        (1, "new", "loyal", 2, 1, 0.1, 0.2),
        (2, "loyal", "loyal", -3, 0, 20.0, 0.1),
        (3, "loyal", None, None, None, 5.0, None),
        (4, "gone", "loyal", None, 0, -1.0, 3.0),
        (5, None, "new", None, None, None, 7.5),
    ]
    counts = [compared.n_before, compared.n_after, compared.n_new, compared.n_gone, compared.n_moved]
    assert counts == [4, 4, 1, 1, 2]
    assert compared.days == (None, None)
    kinds = compared.moves.schema
    assert kinds["from_segment"].startswith("dictionary")
    assert kinds["customers"] == "int64"
    assert compared.customers.schema["r_change"] == "int16"


def scored(data: pa.Table, as_of: datetime.date, scorer: custcore.RFMScorer | None = None) -> Any:
    table = custcore.rfm(data, as_of=as_of)
    return (scorer or custcore.RFMScorer(3, segments=MAP).fit(table)).transform(table)


MAP = custcore.SegmentMap([("new", 3, 1), ("good", (2, 3), (2, 3)), ("never", 1, 3)], bins=3, rest="rest")


@pytest.mark.parametrize("edges", ["frozen", "refit"])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_as_transitions_of_a_base(edges: str, seed: int) -> None:
    data = transactions(300, customers=40, seed=seed)
    base = custcore.CustomerBase(track="days")
    base.update(data)
    scorer = custcore.RFMScorer(3, segments=MAP)
    if edges == "frozen":
        scorer.fit(custcore.rfm(data, as_of=JAN))
    expected = base.transitions([JAN, FEB], scorer, edges=edges)
    fixed = scorer if edges == "frozen" else None
    compared = custcore.compare(scored(data, JAN, fixed), scored(data, FEB, fixed))
    # A base counts those who are there at the second day.
    moves = [row for row in compared.moves if row["to_segment"] is not None]
    names = ("from_segment", "to_segment", "customers", "share")
    assert [[row[name] for name in names] for row in moves] == [[row[name] for name in names] for row in expected]
    assert [row["to_monetary"] for row in moves] == [row["revenue"] for row in expected]
    assert compared.days == (JAN.isoformat(), FEB.isoformat())
    assert compared.segments["segment"].to_pylist() == MAP.names


def test_the_same_as_a_merge_of_pandas() -> None:
    rng = __import__("random").Random(3)
    frames = []
    for _ in range(2):
        ids = rng.sample(range(500), 300)
        frames.append(
            pd.DataFrame(
                {
                    "customer_id": ids,
                    "segment": [rng.choice("abcd") for _ in ids],
                    "monetary_total": [float(rng.randrange(-500, 10_000)) for _ in ids],
                    "m_score": [rng.randrange(1, 6) for _ in ids],
                }
            )
        )
    compared = custcore.compare(*frames)
    joined = frames[0].merge(frames[1], on="customer_id", how="outer", suffixes=("_a", "_b")).sort_values("customer_id")
    joined = joined.astype(object).where(joined.notna(), None)
    customers = compared.customers.to_pylist()
    assert [row["customer_id"] for row in customers] == joined["customer_id"].tolist()
    for name, column in (("from_segment", "segment_a"), ("to_segment", "segment_b")):
        assert [row[name] for row in customers] == joined[column].tolist()
    for name, column in (("from_monetary", "monetary_total_a"), ("to_monetary", "monetary_total_b")):
        assert [row[name] for row in customers] == joined[column].tolist()
    groups = joined.fillna("~").groupby(["segment_a", "segment_b"])
    counted = {key: len(rows) for key, rows in groups}
    assert {(r["from_segment"] or "~", r["to_segment"] or "~"): r["customers"] for r in compared.moves} == counted
    for row in compared.moves:
        rows = groups.get_group((row["from_segment"] or "~", row["to_segment"] or "~"))
        for name, column in (("from_monetary", "monetary_total_a"), ("to_monetary", "monetary_total_b")):
            assert row[name] == (None if (rows[column] == "~").all() else rows[column].sum())


IDS: dict[str, tuple[pa.Array, pa.Array]] = {
    "widths": (pa.array([1, 2, 3, 4], pa.int8()), pa.array([5, 4, 1, 2], pa.int64())),
    "unsigned": (pa.array([1, 2, 3, 4], pa.uint8()), pa.array([5, 4, 1, 2], pa.int32())),
    "large": (pa.array(["1", "2", "3", "4"]), pa.array(["5", "4", "1", "2"], pa.large_string())),
    "view": (pa.array(["1", "2", "3", "4"], pa.string_view()), pa.array(["5", "4", "1", "2"])),
    "dictionary": (pa.array(["1", "2", "3", "4"]).dictionary_encode(), pa.array(["5", "4", "1", "2"])),
    "of integers": (pa.array([1, 2, 3, 4]).dictionary_encode(), pa.array([5, 4, 1, 2]).dictionary_encode()),
    "binary": (pa.array([b"1", b"2", b"3", b"4"]), pa.array([b"5", b"4", b"1", b"2"], pa.large_binary())),
    "fixed": (pa.array([b"1", b"2", b"3", b"4"], pa.binary(1)), pa.array([b"5", b"4", b"1", b"2"], pa.binary(1))),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_equal_whatever_their_layout(kind: str) -> None:
    a, b = IDS[kind]
    compared = custcore.compare(changed(BEFORE, "customer_id", a), changed(AFTER, "customer_id", b))
    plain = tables_of(custcore.compare(BEFORE, AFTER))
    moves, segments, customers = tables_of(compared)
    assert (moves, segments) == (plain[0], plain[1])

    def number(value: Any) -> int:
        return int(value)

    assert [row | {"customer_id": number(row["customer_id"])} for row in customers] == plain[2]


def test_composite_ids() -> None:
    def split(table: pa.Table) -> pa.Table:
        ids = table["customer_id"].to_pylist()
        shop = pa.array(["A" if i % 2 else "B" for i in ids]).dictionary_encode()
        return table.set_column(0, "number", pa.array([i // 2 for i in ids], pa.int16())).add_column(0, "shop", shop)

    compared = custcore.compare(split(BEFORE), split(AFTER), customer_id=["shop", "number"])
    assert tables_of(compared)[:2] == tables_of(custcore.compare(BEFORE, AFTER))[:2]
    assert [(row["shop"], row["number"]) for row in compared.customers] == [
        ("A", 0),
        ("A", 1),
        ("A", 2),
        ("B", 1),
        ("B", 2),
    ]
    refused(
        lambda: custcore.compare(split(BEFORE), split(AFTER), customer_id="shop"),
        InvalidArgumentError,
        "before: customer shop='A' has two rows, 0 and 2",
        "customer_id=[...]",
    )


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_frames(library: Any) -> None:
    frames = [table.to_pandas() if library is pd else pl.from_arrow(table) for table in (BEFORE, AFTER)]
    plain = custcore.compare(BEFORE, AFTER)
    assert tables_of(custcore.compare(*frames)) == tables_of(plain)
    assert tables_of(custcore.compare(*frames, customer_id="customer_id")) == tables_of(plain)
    assert tables_of(custcore.compare(BEFORE, frames[1].lazy() if library is pl else frames[1])) == tables_of(plain)


def test_other_columns() -> None:
    """Ids are those that a table was grouped by, segments and money of any name."""
    renamed = [t.rename_columns(["who", "money", "r_score", "f_score", "cluster"]) for t in (BEFORE, AFTER)]
    plain = custcore.compare(BEFORE, AFTER)
    compared = custcore.compare(*renamed, customer_id="who", segment="cluster", monetary="money")
    assert compared.moves == plain.moves or compared.moves.to_pylist() == plain.moves.to_pylist()
    moved = BEFORE.select(["segment", "customer_id", "monetary_total"]).replace_schema_metadata(
        {"custcore.customer_id": "customer_id"}
    )
    assert custcore.compare(moved, AFTER).moves.to_pylist() == plain.moves.to_pylist()
    numbered = [changed(t, "segment", [len(s) for s in t["segment"].to_pylist()]) for t in (BEFORE, AFTER)]
    assert custcore.compare(*numbered).segments["segment"].to_pylist() == ["3", "4", "5"]


def test_columns_that_only_one_table_has() -> None:
    compared = custcore.compare(BEFORE.drop_columns(["r_score"]), AFTER.drop_columns(["monetary_total"]))
    assert compared.customers.columns == ["customer_id", "from_segment", "to_segment", "f_change"]
    assert compared.moves.columns == ["from_segment", "to_segment", "customers", "share"]
    assert compared.moves.report.remarks == (
        "no money is compared: column 'monetary_total' is in 'before', not in 'after'",
    )
    assert "no money is compared" in repr(compared)
    neither = [t.select(["customer_id", "segment"]) for t in (BEFORE, AFTER)]
    assert custcore.compare(*neither).moves.report.remarks == ()


MONEY: dict[str, tuple[pa.DataType, pa.DataType, Any]] = {
    "integers": (pa.int64(), pa.int32(), int),
    "decimals": (pa.decimal128(10, 2), pa.decimal128(30, 4), Decimal),
    "decimal and integer": (pa.decimal128(10, 2), pa.int64(), Decimal),
    "float and integer": (pa.float32(), pa.int64(), float),
}


@pytest.mark.parametrize("name", MONEY)
def test_types_of_money(name: str) -> None:
    first, second, kind = MONEY[name]
    before = changed(BEFORE, "monetary_total", pa.array([1, 20, 5, -1]).cast(pa.float64()).cast(first))
    after = changed(AFTER, "monetary_total", pa.array([7, 3, 2, 1]).cast(pa.float64()).cast(second))
    moves = custcore.compare(before, after).moves
    assert moves["from_monetary"].to_pylist() == [None, -1, 20, 5, 1]
    assert moves["to_monetary"].to_pylist() == [7, 3, 1, None, 2]
    assert {type(value) for value in moves["to_monetary"].to_pylist() if value is not None} == {kind}


def test_money_that_is_missing_or_rounded() -> None:
    before = changed(BEFORE, "monetary_total", pa.array([None, 20.0, math.nan, 1e-9]))
    compared = custcore.compare(before, AFTER)
    assert compared.moves["from_monetary"].to_pylist() == [None, 0.0, 20.0, 0.0, 0.0]
    assert compared.moves.report.remarks == (
        "column 'monetary_total' of 'before': 2 rows without a value, which add 0",
        "column 'monetary_total' of 'before': 1 row changed by more than 1 % when rounded to 6 decimal places",
    )
    assert custcore.compare(before, AFTER, amount_decimals=12).moves["from_monetary"].to_pylist()[1] == 1e-9


@pytest.mark.parametrize("order", [["new", "gone", "loyal", "unused"], ["loyal", "new", "gone"]])
def test_segments_of_a_dictionary_keep_their_order(order: list[str]) -> None:
    def encoded(table: pa.Table) -> pa.Table:
        codes = pa.array([order.index(name) for name in table["segment"].to_pylist()], pa.int8())
        return changed(table, "segment", pa.DictionaryArray.from_arrays(codes, order))

    for before, after in ((encoded(BEFORE), encoded(AFTER)), (encoded(BEFORE), AFTER), (BEFORE, encoded(AFTER))):
        compared = custcore.compare(before, after)
        assert compared.segments["segment"].to_pylist() == order
        plain = custcore.compare(BEFORE, AFTER)
        assert sorted(map(str, compared.moves)) == sorted(map(str, plain.moves))
        assert compared.customers.to_pylist() == plain.customers.to_pylist()


def test_tables_without_rows() -> None:
    nobody = BEFORE.slice(0, 0)
    compared = custcore.compare(nobody, nobody)
    assert (compared.n_before, compared.moves.num_rows, compared.segments.num_rows) == (0, 0, 0)
    assert repr(compared).startswith("custcore.ScoreComparison\n0 customers before, 0 after: 0 new, 0 gone")
    grown = custcore.compare(nobody, AFTER)
    assert (grown.n_new, grown.n_moved) == (4, 0)
    assert grown.segments["share_before"].to_pylist() == [None, None]
    assert custcore.compare(BEFORE, nobody).n_gone == 4


WRONG: dict[str, tuple[pa.Table, pa.Table, type[CustcoreError], tuple[str, ...], str | None, int | None]] = {
    "kinds": (
        BEFORE,
        changed(AFTER, "customer_id", ["5", "4", "1", "2"]),
        InvalidTypeError,
        ("after: column 'customer_id'", "is string", "as in 'before'", "cast"),
        "customer_id",
        None,
    ),
    "floats": (
        changed(BEFORE, "customer_id", [1.0, 2.0, 3.0, 4.0]),
        AFTER,
        InvalidTypeError,
        ("before: ", "float64"),
        "customer_id",
        None,
    ),
    "twice": (
        changed(BEFORE, "customer_id", [1, 2, 7, 2]),
        AFTER,
        InvalidArgumentError,
        ("before: customer customer_id=2 has two rows, 1 and 3",),
        "customer_id",
        3,
    ),
    "twice in a later batch": (
        BEFORE,
        pa.concat_tables([AFTER, AFTER.slice(2, 1)]),
        InvalidArgumentError,
        ("after: customer customer_id=1 has two rows, 2 and 4",),
        "customer_id",
        4,
    ),
    "null id": (
        changed(BEFORE, "customer_id", [1, 2, None, 4]),
        AFTER,
        NullValueError,
        ("before: a customer id is null at row 2", "Leave such rows out"),
        "customer_id",
        2,
    ),
    "null in a dictionary": (
        BEFORE,
        changed(
            AFTER,
            "customer_id",
            pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3]), pa.array([1, 2, None, 4])),
        ),
        NullValueError,
        ("after: a customer id is null at row 2",),
        "customer_id",
        2,
    ),
    "null segment": (
        BEFORE,
        changed(AFTER, "segment", ["a", None, "b", None]),
        NullValueError,
        ("after: column 'segment' is null at row 1 (2 in its batch)",),
        "segment",
        1,
    ),
    "infinite": (
        changed(BEFORE, "monetary_total", [1.0, 2.0, math.inf, 4.0]),
        AFTER,
        NonFiniteError,
        ("before: column 'monetary_total' has an infinite amount at row 2",),
        "monetary_total",
        2,
    ),
    "too large": (
        changed(BEFORE, "monetary_total", [1.0, 1e300, 3.0, 4.0]),
        AFTER,
        OutOfRangeError,
        ("before: ", "at row 1"),
        "monetary_total",
        1,
    ),
    "text": (
        changed(BEFORE, "monetary_total", ["1", "2", "3", "4"]),
        AFTER,
        InvalidTypeError,
        ("before: ", "monetary_total"),
        "monetary_total",
        None,
    ),
    "float and decimal": (
        BEFORE,
        changed(AFTER, "monetary_total", [Decimal(1), Decimal(2), Decimal(3), Decimal(4)]),
        InvalidTypeError,
        ("a float in one table and a decimal in the other", "cast"),
        "monetary_total",
        None,
    ),
    "score": (
        changed(BEFORE, "r_score", [1.0, 2.5, 3.0, 4.0]),
        AFTER,
        OutOfRangeError,
        ("before: column 'r_score' is 2.5 at row 1",),
        "r_score",
        1,
    ),
    "no segment": (
        BEFORE,
        AFTER.drop_columns(["segment"]),
        ColumnNotFoundError,
        ("after: column 'segment'",),
        "segment",
        None,
    ),
    "two segments": (
        BEFORE,
        AFTER.append_column("segment", AFTER["segment"]),
        DuplicateColumnError,
        ("after: ", "segment"),
        "segment",
        None,
    ),
    "no id": (
        BEFORE,
        AFTER.rename_columns(["id", *AFTER.column_names[1:]]),
        ColumnNotFoundError,
        ("after: column 'customer_id'", "the columns are 'id'"),
        "customer_id",
        None,
    ),
    "no segments but ids": (
        pa.table({"customer_id": range(10_001), "segment": range(10_001)}),
        pa.table({"customer_id": range(10_001), "segment": range(10_001)}),
        InvalidArgumentError,
        ("before: column 'segment' has more than 10,000 values", "segment=..."),
        "segment",
        None,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared(name: str) -> None:
    before, after, error, says, column, row = WRONG[name]
    found = refused(lambda: custcore.compare(before, after), error, *says)
    assert (found.column, found.row) == (column, row)


def test_arguments() -> None:
    refused(lambda: custcore.compare(BEFORE, None), InvalidTypeError)  # type: ignore[arg-type]
    refused(lambda: custcore.compare(BEFORE, AFTER, customer_id=[]), InvalidArgumentError, "customer_id")
    refused(lambda: custcore.compare(BEFORE, AFTER, amount_decimals=13), OutOfRangeError, "amount_decimals=13")
    refused(lambda: custcore.compare(BEFORE, AFTER, amount_decimals=-1), OutOfRangeError, "amount_decimals=-1")
    refused(lambda: custcore.compare(pa.table({}), AFTER), ColumnNotFoundError)
    with pytest.raises(TypeError, match="segment"):
        custcore.compare(BEFORE, AFTER, segmnet="x")  # type: ignore[call-arg]


def test_pickled_copied_and_exported(tmp_path: Any) -> None:
    compared = custcore.compare(BEFORE, AFTER)
    for again in (pickle.loads(pickle.dumps(compared)), copy.copy(compared), copy.deepcopy(compared)):
        assert tables_of(again) == tables_of(compared)
        assert repr(again) == repr(compared)
        assert (again.n_moved, again.days) == (compared.n_moved, compared.days)
        assert pickle.loads(pickle.dumps(again)).customers.to_pylist() == compared.customers.to_pylist()
    assert pa.table(compared).to_pylist() == compared.to_table().to_pylist() == compared.moves.to_pylist()
    assert compared.to_pandas()["customers"].tolist() == compared.moves["customers"].to_pylist()
    compared.to_csv(tmp_path / "moves.csv")
    assert (tmp_path / "moves.csv").read_text().startswith('"from_segment","to_segment","customers"')


def test_text_fits_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"segment with a long name, number {i:03d}" for i in range(40)]
    before = pa.table({"customer_id": range(40), "segment": names, "monetary_total": [1e9] * 40})
    after = changed(before, "segment", names[1:] + names[:1])
    for width in (40, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        text = repr(custcore.compare(before, after))
        assert max(len(line) for line in text.splitlines()) <= width
        assert "40 customers before, 40 after: 0 new, 0 gone" in " ".join(text.split())
        assert "… 15 more segments" in text
        assert "… 35 more moves" in text
    chinese = changed(BEFORE, "segment", ["重要价值客户", "一般价值客户", "一般价值客户", "\x1b[31m"])
    assert "\x1b" not in repr(custcore.compare(chinese, AFTER))
