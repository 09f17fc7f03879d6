"""Conditions and arithmetic over columns, against Decimal and Python; the rest is an error of custcore."""

import io
import threading
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore._read.expression import parse_expression
from custcore._read.numbers import detect_number_style, parse_numbers
from custcore.errors import ColumnNotFoundError, InvalidArgumentError, InvalidTypeError, OutOfRangeError

ROWS = [(i, f"2026-01-{i:02d}", i, f"{i}.35", "0.15") for i in range(1, 20)]
CSV = "customer_id,timestamp,Quantity,UnitPrice,Discount\n" + "".join(",".join(map(str, row)) + "\n" for row in ROWS)


def source(text: str = CSV, **options):
    return custcore.read(io.BytesIO(text.encode()), **options)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Quantity * UnitPrice * (1 - Discount)", lambda q, p, d: q * p * (1 - d)),
        ("UnitPrice * Discount * UnitPrice * Discount * UnitPrice", lambda q, p, d: p * d * p * d * p),
        ("Quantity * 99999999999999999999 - Quantity", lambda q, p, d: q * 99999999999999999999 - q),
        ("+".join(["UnitPrice"] * 2000), lambda q, p, d: 2000 * p),
        ("1 - UnitPrice - Quantity", lambda q, p, d: 1 - p - q),
        ("-(UnitPrice - 2) * -3", lambda q, p, d: -(p - 2) * -3),
    ],
)
def test_arithmetic_is_that_of_decimals(text, value):
    found = source().table([text], {text: "amount"})[text].to_pylist()
    expected = [value(Decimal(q), Decimal(p), Decimal(d)) for _, _, q, p, d in ROWS]
    if isinstance(found[0], Decimal | int):
        assert found == expected
    else:  # more than 76 digits
        assert found == pytest.approx(list(map(float, expected)))


def test_a_discount_of_lines_is_exact():
    found = custcore.rfm(source(), amount="Quantity * UnitPrice * (1 - Discount)")
    expected = [Decimal(q) * Decimal(p) * (1 - Decimal(d)) for _, _, q, p, d in ROWS]
    assert [Decimal(str(x)) for x in found["monetary_total"]] == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("(" * 3000 + "Quantity" + ")" * 3000, InvalidArgumentError),
        ("-" * 3000 + "Quantity", InvalidArgumentError),
        ("Quantity * " + "9" * 100, InvalidArgumentError),
        ("Quantity * 9000000000000000000", OutOfRangeError),
        ("timestamp * 2", InvalidTypeError),
        ("Quantities * 2", ColumnNotFoundError),
    ],
)
def test_what_cannot_be_computed(text, error):
    with pytest.raises(error) as caught:
        custcore.rfm(source(), amount=text)
    assert "Traceback" not in str(caught.value)


def test_integers_of_all_widths():
    batch = pa.record_batch({"a": pa.array([2**64 - 1], pa.uint64()), "b": pa.array([2], pa.int8())})
    assert parse_expression("a * b", ["a", "b"]).evaluate(batch).to_pylist() == [2 * (2**64 - 1)]


@pytest.mark.parametrize(
    ("where", "keeps"),
    [
        ("Quantity < 99999999999999999999", lambda q: True),
        ("Quantity > -99999999999999999999 and not Quantity = 3", lambda q: q != 3),
        ("Quantity >= 2.5", lambda q: q >= 2.5),
        (" or ".join(["Quantity = 3"] * 2000), lambda q: q == 3),
    ],
)
def test_conditions_on_numbers(where, keeps, tmp_path):
    expected = [q for _, _, q, _, _ in ROWS if keeps(q)]
    assert source(where=where).table(["Quantity"])["Quantity"].to_pylist() == expected
    path = tmp_path / "q.parquet"
    pq.write_table(pa.table({"Quantity": [row[2] for row in ROWS]}), path)
    assert custcore.read(path, where=where).table(["Quantity"])["Quantity"].to_pylist() == expected


@pytest.mark.parametrize(
    "where", ["Quantity = true", "Quantity = timestamp", "(" * 3000 + "Quantity = 1", "not " * 3000 + "Quantity = 1"]
)
def test_conditions_that_make_no_sense(where):
    with pytest.raises(InvalidArgumentError):
        source(where=where).table(["Quantity"])


def test_a_condition_compares_what_is_read_not_what_is_stored(tmp_path):
    path = tmp_path / "text.parquet"
    times = ["12/1/2010", "1/13/2011", "2/2/2012"]
    pq.write_table(pa.table({"customer_id": [1, 2, 3], "timestamp": times, "amount": [1.0, 2.0, 3.0]}), path)
    later = custcore.read(path, timestamp_format="%m/%d/%Y", where="timestamp >= '2011-01-01'")
    assert list(custcore.rfm(later)["customer_id"]) == [2, 3]


def test_a_currency_is_not_between_digits():
    values = ["$12.50", "-$3", "($4.25)", "$-5.5", "7.25 USD", "9.5€", "kr 5", "1 kr."]
    for value, number in zip(values, [12.5, -3, -4.25, -5.5, 7.25, 9.5, 5, 1], strict=True):
        style = detect_number_style([value])
        assert parse_numbers(pa.array([value]), style).to_pylist() == [number]
    assert detect_number_style(["$1.50", "€2.25"]) is None
    assert detect_number_style(["$1.50", "US$ 2.25", "3 USD", "4"]) is not None
    for value in ("12USD34", "1kr2", "1$2"):
        assert detect_number_style([value]) is None
        with pytest.raises(ValueError, match="no number"):
            parse_numbers(pa.array([value]), style)


def test_large_numbers_of_a_workbook(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "large.xlsx") as book:
        sheet = book.add_worksheet()
        for row, values in enumerate([("a", "b"), (1, 1e300), (2, 2.0)]):
            sheet.write_row(row, 0, values)
    found = custcore.read(tmp_path / "large.xlsx").table(["a", "b"])
    assert found.to_pydict() == {"a": [1, 2], "b": [1e300, 2.0]}


def test_several_threads_read_one_file_object(monkeypatch):
    monkeypatch.setattr("custcore._read.places.MEMORY", 1 << 10)
    text = "customer_id,timestamp,amount\n" + "".join(f"{i},2026-01-01,{i}.5\n" for i in range(100_000))
    shared, found = source(text), []
    threads = [threading.Thread(target=lambda: found.append(custcore.rfm(shared).equals(alone))) for _ in range(6)]
    alone = custcore.rfm(source(text))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


def test_rows_of_a_compressed_arrow_file_are_counted(tmp_path):
    path = tmp_path / "c.arrow"
    with pa.ipc.new_file(path, pa.schema({"x": pa.int64()}), options=pa.ipc.IpcWriteOptions(compression="zstd")) as out:
        for start in (0, 10):
            out.write_batch(pa.record_batch({"x": list(range(start, start + 10))}))
    assert custcore.read(path).n_rows == 20
