"""CSV as people have it is read right, or refused with the line and the way out; pandas and DuckDB are the oracle."""

# ruff: noqa: DTZ007 (times without a zone)
from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import zipfile

import pyarrow as pa
import pytest

import custcore
from custcore._read import csv_file
from custcore.errors import FileFormatError, InvalidTypeError

pd = pytest.importorskip("pandas")

HEAD = "customer_id,timestamp,amount\n"
ROWS = "ann,2026-01-05,1.5\nbob,2026-01-06,2.25\nann,2026-01-20,4\n"
SALES = HEAD + ROWS


def read(content, **options):
    data = content if isinstance(content, bytes) else content.encode()
    return custcore.read(io.BytesIO(data), format="csv", **options)


def scored(source):
    return custcore.rfm(source).to_pyarrow().select(["customer_id", "n_orders", "monetary_total", "last_date"])


EXPECTED = {
    "customer_id": ["ann", "bob"],
    "n_orders": [2, 1],
    "monetary_total": [5.5, 2.25],
    "last_date": [dt.date(2026, 1, 20), dt.date(2026, 1, 6)],
}


@pytest.mark.parametrize(
    "text",
    [
        SALES,
        SALES.replace("\n", "\r\n"),
        SALES.replace("\n", "\r"),
        "\ufeff" + SALES,
        "\n\n" + SALES.replace("\nbob", "\n\nbob"),
        SALES.replace(",", ";"),
        SALES.replace(",", "\t"),
        SALES.replace(",", "|"),
        "sep=;\n" + SALES.replace(",", ";"),
        SALES.replace(",", ";").replace("1.5", "1,5").replace("2.25", "2,25"),
        SALES.replace("1.5", "$1.50").replace("2.25", "$2.25"),
        SALES.replace("2026-01-05", "05.01.2026")
        .replace("2026-01-06", "06.01.2026")
        .replace("2026-01-20", "20.01.2026"),
        SALES.replace("2026-01-05", "1/5/2026 8:26")
        .replace("2026-01-06", "1/6/2026 9:00")
        .replace("2026-01-20", "1/20/2026 23:59"),
        SALES.replace("amount\n", "amount,,\n").replace("5\n", "5,,\n").replace("4\n", "4,,\n"),
        SALES.replace("ann", '"ann"'),
        *(SALES.encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")),
    ],
)
def test_ways_to_write_the_same_file(text):
    assert scored(read(text)).to_pydict() == EXPECTED


@pytest.mark.parametrize("name", ["gz", "bz2", "zip", "zst", "lz4"])
def test_compressed_files(tmp_path, name):
    path = tmp_path / f"sales.csv.{name}"
    if name == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", HEAD + ROWS[:19])
            archive.writestr("b.csv", HEAD + ROWS[19:])
    elif name in {"gz", "bz2"}:
        path.write_bytes((gzip if name == "gz" else bz2).compress(SALES.encode()))
    else:
        with pa.CompressedOutputStream(str(path), {"zst": "zstd", "lz4": "lz4"}[name]) as sink:
            sink.write(SALES.encode())
    assert scored(custcore.read(path)).to_pydict() == EXPECTED


def test_a_truncated_archive_is_an_error(tmp_path):
    (tmp_path / "sales.csv.gz").write_bytes(gzip.compress(SALES.encode() * 50)[:-12])
    with pytest.raises(FileFormatError, match=r"sales\.csv\.gz cannot be decompressed"):
        custcore.read(tmp_path / "sales.csv.gz")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1252", "Jörg Müller"), ("mac_roman", "Jörg Müller"), ("gb18030", "张伟,北京"), ("cp1251", "Иван Петров")],
)
def test_encodings_are_detected_and_told(encoding, name):
    data = (HEAD + f'"{name}",2026-01-05,1\n' * 20).encode(encoding)
    source = read(data)
    assert scored(source)["customer_id"].to_pylist() == [name]
    assert any(encoding in note for note in source.notes)
    assert scored(read(data, encoding=encoding))["customer_id"].to_pylist() == [name]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("gb18030", "客户36"), ("cp1251", "Иван"), ("shift_jis", "田中"), ("cp1254", "Şahin"), ("cp1253", "Αθήνα")],
)
def test_a_few_words_do_not_tell_a_regional_encoding(encoding, name):
    # Read as another one, they would be other customers than in the next file.
    data = (HEAD + f'"{name}",2026-01-05,1\n' * 2).encode(encoding)
    with pytest.raises(FileFormatError, match="its encoding cannot be detected; set it"):
        read(data)
    assert scored(read(data, encoding=encoding))["customer_id"].to_pylist() == [name]


def test_an_encoding_that_only_late_bytes_show():
    data = (HEAD + "ann,2026-01-05,1\n" * 100_000 + "Jörg,2026-01-05,1\n").encode("cp1252")
    source = read(data)
    assert scored(source)["customer_id"].to_pylist() == ["Jörg", "ann"]
    assert any("cp1252" in note for note in source.notes)
    with pytest.raises(FileFormatError, match=r"line 100,002 .*encoding="):
        read(data, encoding="utf-8").reader(["customer_id"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (ROWS, r"no header.*names=\['customer_id', 'timestamp', 'amount'\]"),
        (SALES.replace("bob,", '"bob,'), r"line 3: a quote"),
        (HEAD + '1,2026-01-05,"a\n2,2026-01-06,1\n3,2026-01-07,"c"\n', r"line 2: a quote"),
        (SALES.replace("2.25", "2,25"), r"line 3: the row has 4 cells, the header has 3"),
        (SALES.replace(",2.25", ""), r"line 3: the row has 2 cells"),
        ("Sales of January\n" + SALES, "lines above its header"),
    ],
)
def test_what_cannot_be_read_names_the_line(text, message):
    with pytest.raises(FileFormatError, match=message):
        read(text).reader(["customer_id", "timestamp", "amount"])


def test_cells_with_line_ends_are_no_fault():
    text = 'customer_id,timestamp,amount,note\nann,2026-01-05,1,"a\n\nb"\nbob,2026-01-06,2,"say ""x"""\n'
    found = read(text).reader(["customer_id", "note"]).read_all()
    assert found["note"].to_pylist() == pd.read_csv(io.StringIO(text))["note"].tolist()


def test_names_for_files_without_a_header():
    names = ["customer_id", "timestamp", "amount"]
    assert scored(read(ROWS, names=names)).to_pydict() == EXPECTED
    with pytest.raises(FileFormatError, match="3 columns, and 2 names"):
        read(ROWS, names=names[:2])


def test_a_header_only_is_an_empty_result():
    assert custcore.rfm(read(HEAD)).num_rows == 0
    assert custcore.cohort_retention(read(HEAD)).to_table().num_rows == 0


def test_whole_floats_are_ids_and_said():
    text = "customer_id,timestamp,amount\n12346.0,2026-01-05,10.0\n,2026-01-05,10.0\n"
    source = read(text)
    found = custcore.rfm(source).to_pyarrow()
    assert found["customer_id"].to_pylist() == [12346]
    assert found["monetary_total"].type == pa.float64()
    assert any("12346.0" in note for note in source.notes)
    assert custcore.rfm(read(text, text=["customer_id"])).to_pyarrow()["customer_id"].to_pylist() == ["12346"]


def test_leading_zeros():
    text = HEAD + "007,2026-01-05,1\n7,2026-01-06,1\n"
    source = read(text)
    assert custcore.rfm(source).num_rows == 1
    assert any("007 and 7" in note for note in source.notes)
    assert scored(read(text, text="customer_id"))["customer_id"].to_pylist() == ["007", "7"]
    padded = read(HEAD + "007,2026-01-05,1\n008,2026-01-06,1\n")
    custcore.rfm(padded)
    assert padded.notes == []


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y"])
def test_day_and_month_are_not_guessed(form):
    text = HEAD + "ann,1/2/2026,1\nbob,3/4/2026,2\n"
    with pytest.raises(InvalidTypeError, match=f"timestamp_format='{form}'"):
        read(text).reader(["timestamp"], {"timestamp": "timestamp"})
    found = custcore.rfm(read(text, timestamp_format=form)).to_pyarrow()["last_date"].to_pylist()
    assert found == [dt.datetime.strptime(day, form).date() for day in ("1/2/2026", "3/4/2026")]


def test_several_formats_and_days_that_do_not_exist():
    text = HEAD + "ann,31.01.2026,1\nbob,2026/02/01 10:00,2\n"
    found = custcore.rfm(read(text, timestamp_format=["%d.%m.%Y", "%Y/%m/%d %H:%M"])).to_pyarrow()
    assert found["last_date"].to_pylist() == [dt.date(2026, 1, 31), dt.date(2026, 2, 1)]
    with pytest.raises(InvalidTypeError, match=r"30\.02\.2026"):
        read(HEAD + "ann,30.02.2026,1\n", timestamp_format="%d.%m.%Y").reader(["timestamp"], {"timestamp": "timestamp"})


def test_an_amount_that_is_no_number_is_named():
    with pytest.raises(InvalidTypeError, match=r"'abc' in row 1") as caught:
        custcore.rfm(read(HEAD + "ann,2026-01-05,1\nbob,2026-01-05,abc\n"))
    assert caught.value.column == "amount"
    with pytest.raises(InvalidTypeError, match="'1,234'"):  # a decimal comma or thousands
        custcore.rfm(read(HEAD.replace(",", ";") + "ann;2026-01-05;1,234\n"))
    thousands = read(HEAD.replace(",", ";") + "ann;2026-01-05;1,234\n", decimal=".", thousands=",")
    assert custcore.rfm(thousands).to_pyarrow()["monetary_total"].to_pylist() == [1234.0]


def test_points_are_thousands_where_another_column_has_decimal_commas():
    text = "customer_id;timestamp;amount;rate\nann;2026-01-05;1.020;0,5\nbob;2026-01-05;2.500;1,5\n"
    assert custcore.rfm(read(text)).to_pyarrow()["monetary_total"].to_pylist() == [1020.0, 2500.0]


def test_large_files_are_read_in_blocks_with_the_same_result(monkeypatch, tmp_path):
    rows = [f"{i % 977},2026-{i % 12 + 1:02}-{i % 28 + 1:02} 10:00:00,{i % 500 / 4}\n" for i in range(60_000)]
    path = tmp_path / "sales.csv"
    path.write_text(HEAD + "".join(rows))
    whole = custcore.rfm(custcore.read(path)).to_pyarrow()
    monkeypatch.setattr("custcore._read.text_files.WHOLE", 1000)
    monkeypatch.setattr(csv_file, "BLOCK", 1 << 16)
    monkeypatch.setattr(csv_file, "HEAD", 1 << 16)
    assert custcore.rfm(custcore.read(path)).to_pyarrow().equals(whole)
    frame = pd.read_csv(path).groupby("customer_id")["amount"].sum()
    assert whole["monetary_total"].to_pylist() == frame.tolist()
    path.write_text(HEAD + "".join(rows[:20_000]) + "A7,2026-01-05 10:00:00,1\n" + "".join(rows[20_000:]))
    with pytest.raises(InvalidTypeError, match=r"'A7' in row 20,000") as caught:
        custcore.rfm(custcore.read(path))
    assert "Traceback" not in str(caught.value)
    path.write_text(HEAD + "".join(rows[:20_000]) + '"5,2026-01-05 10:00:00,1\n' + "".join(rows[20_000:]))
    with pytest.raises(FileFormatError, match=r"line 20,002: a quote"):
        custcore.rfm(custcore.read(path))
    days = [f"{i % 977},{i % 12 + 1}/{13 if i == 30_000 else 5}/2026,1\n" for i in range(60_000)]
    path.write_text(HEAD + "".join(days))
    source = custcore.read(path)
    assert custcore.rfm(source).to_pyarrow()["last_date"].to_pylist()[30_000 % 977].month in range(1, 13)
    assert any("%m/%d/%Y" in note for note in source.notes)


LATE = 41_007  # a row that no sample has


@pytest.mark.parametrize(
    ("late", "words"),
    [
        ("1/13/2026 8:26", None),
        ("13/1/2026 8:26", "'13/1/2026 8:26' in row 41,007"),
        ("2/30/2026 8:26", "'2/30/2026 8:26' in row 41,007"),
        ("4/31/2026 8:26", "'4/31/2026 8:26'"),
        ("1/13/0026 8:26", None),
        ("1/13/26 8:26", None),
        ("1/13/2026", None),
        ("soon", "'soon' in row 41,007"),
    ],
)
def test_times_are_those_of_python_wherever_a_value_stands(late, words):
    texts = [f"{i % 12 + 1}/{i % 28 + 1}/2026 {i % 24}:{i % 60:02}" for i in range(60_000)]
    texts[LATE] = late
    source = read("timestamp\n" + "".join(f"{text}\n" for text in texts))
    if words is not None:
        with pytest.raises(InvalidTypeError, match=words):
            source.table(["timestamp"], {"timestamp": "timestamp"})
        return
    form = "%m/%d/%y %H:%M" if late == "1/13/26 8:26" else "%m/%d/%Y" if late == "1/13/2026" else "%m/%d/%Y %H:%M"
    expected = [dt.datetime.strptime(text, "%m/%d/%Y %H:%M") for text in texts if text != late]
    found = source.table(["timestamp"], {"timestamp": "timestamp"})["timestamp"].to_pylist()
    assert found.pop(LATE) == dt.datetime.strptime(late, form)
    assert found == expected


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["1.0", "2.00", "3."], [1, 2, 3]),
        (["1.0", "", "-2.0"], [1, None, -2]),
        (["9007199254740993.0", "1.0"], [9007199254740993, 1]),
        (["1.5", "2.0"], [1.5, 2.0]),
        (["1e5", "2.0"], [1e5, 2.0]),
        (["1.0", "nan"], [1, None]),
        (["1.0", "inf"], [1.0, float("inf")]),
    ],
)
def test_whole_floats_are_exact_ids(ids, expected):
    found = read("customer_id,x\n" + "".join(f"{one},1\n" for one in ids))
    assert found.table(["customer_id"], {"customer_id": "customer_id"})["customer_id"].to_pylist() == expected
