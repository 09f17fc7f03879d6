"""Parquet, Arrow, JSON lines, workbooks, folders, filters and arithmetic through `custcore.read`."""

# ruff: noqa: DTZ001 (times without a zone)
from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore._read import columnar
from custcore.errors import ColumnNotFoundError, FileFormatError, InvalidArgumentError, InvalidTypeError
from tests.online_retail import check_totals, published

DAYS = [dt.date(2026, 1, 5), dt.date(2026, 1, 9), dt.date(2026, 1, 20)]
SALES = pa.table({"customer_id": ["ann", "bob", "ann"], "timestamp": DAYS, "amount": [1.5, 2.25, 4.0], "n": [1, 2, 3]})


def totals(source, **options):
    return dict(
        zip(
            *custcore.rfm(source, **options).to_pyarrow().select([0, "monetary_total"]).to_pydict().values(),
            strict=True,
        )
    )


@pytest.fixture
def lake(tmp_path):
    for month in (1, 2):
        folder = tmp_path / "lake" / f"month=2026-0{month}" / f"shop={month}"
        folder.mkdir(parents=True)
        pq.write_table(SALES, folder / "part.parquet")
    (tmp_path / "lake" / "_SUCCESS").touch()
    return tmp_path / "lake"


def test_every_function_takes_a_source(tmp_path):
    path = tmp_path / "sales.parquet"
    pq.write_table(SALES, path)
    source = custcore.read(path)
    assert repr(source) == f"<Source {path}: 4 columns, 3 rows (customer_id, timestamp, amount, n)>"
    assert (source.n_rows, source.column_names, source.files) == (3, SALES.column_names, [str(path)])
    for call in (custcore.rfm, custcore.rfm_scores):
        assert call(source).to_pyarrow().equals(call(SALES).to_pyarrow())
    assert (
        custcore.cohort_retention(source)
        .to_table()
        .to_pyarrow()
        .equals(custcore.cohort_retention(SALES).to_table().to_pyarrow())
    )
    base = custcore.CustomerBase()
    base.update(source)
    assert base.rfm().to_pyarrow().equals(custcore.rfm(SALES).to_pyarrow())
    custcore.scan(source, {"base": custcore.CustomerBase()})
    assert custcore.KMeans(2).fit(source.table(["amount", "n"])).inertia_ >= 0
    assert pa.table(source).equals(SALES)
    assert source.head(2).equals(SALES.slice(0, 2))


def test_only_the_columns_needed_are_read(tmp_path, monkeypatch):
    pq.write_table(SALES.append_column("note", pa.array(["x"] * 3)), tmp_path / "sales.parquet")
    asked = []
    iterate = pq.ParquetFile.iter_batches

    def spy(self, *arguments, **options):
        asked.append(options["columns"])
        return iterate(self, *arguments, **options)

    def decoded(path, schema, columns):
        asked.append(list(columns))
        return iter(())

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    monkeypatch.setattr(columnar, "decoded", decoded)
    custcore.rfm(custcore.read(tmp_path / "sales.parquet"))
    assert asked == [["customer_id", "timestamp", "amount"]] * 2


def test_folders_state_columns_and_conditions_select(lake):
    source = custcore.read(lake)
    assert source.schema.names == [*SALES.column_names, "month", "shop"]
    found = source.reader(["month", "shop", "n"]).read_all()
    assert found.to_pydict() == {
        "month": ["2026-01"] * 3 + ["2026-02"] * 3,
        "shop": [1] * 3 + [2] * 3,
        "n": [1, 2, 3] * 2,
    }
    assert totals(custcore.read(lake, where="shop = 2 and n > 1")) == {"ann": 4.0, "bob": 2.25}
    assert totals(custcore.read(lake, where="amount >= 2.25")) == {"ann": 8.0, "bob": 4.5}
    assert totals(custcore.read(lake, where="timestamp < '2026-01-09' or customer_id in ('bob')")) == {
        "ann": 3.0,
        "bob": 4.5,
    }
    assert totals(custcore.read(lake, where="not (customer_id is null or n <> 3)")) == {"ann": 8.0}
    for wrong in ("n >", "nope = 1", "n = 'x'", "n = 1 n", "and"):
        with pytest.raises(InvalidArgumentError, match="where"):
            custcore.read(lake, where=wrong).reader(["n"]).read_all()


def test_arithmetic_over_columns_is_exact():
    text = b"customer_id,timestamp,Quantity,Unit Price\n1,2026-01-05,3,0.1\n1,2026-01-06,1,0.2\n1,2026-01-07,-1,0.3\n"
    source = custcore.read(io.BytesIO(text))
    assert totals(source, amount="Quantity * Unit Price") == {1: Decimal("0.2")}
    assert totals(source, amount='(Quantity + 1) * "Unit Price" / 2') == {1: pytest.approx(0.4)}
    with pytest.raises(ColumnNotFoundError, match="Quantity \\* Nope"):
        custcore.rfm(source, amount="Quantity * Nope")


def test_the_same_columns_in_another_format(tmp_path):
    import pyarrow.csv as csv

    csv.write_csv(SALES, tmp_path / "a.csv")
    pq.write_table(SALES, tmp_path / "b.parquet")
    with pa.OSFile(str(tmp_path / "c.arrow"), "wb") as sink, pa.ipc.new_file(sink, SALES.schema) as writer:
        writer.write_table(SALES)
    with pa.OSFile(str(tmp_path / "d.arrows"), "wb") as sink, pa.ipc.new_stream(sink, SALES.schema) as writer:
        writer.write_table(SALES)
    lines = [
        f'{{"customer_id": "{c}", "timestamp": "{t}T10:00:00Z", "amount": {a}, "n": {n}}}\n'
        for c, t, a, n in zip(*SALES.to_pydict().values(), strict=True)
    ]
    (tmp_path / "e.jsonl").write_text("".join(lines))
    expected = totals(SALES)
    for name in ("a.csv", "b.parquet", "c.arrow", "d.arrows", "e.jsonl"):
        assert totals(custcore.read(tmp_path / name)) == expected
    several = custcore.read(*(tmp_path / name for name in ("a.csv", "b.parquet", "c.arrow", "d.arrows")))
    assert totals(several) == {name: 4 * total for name, total in expected.items()}


def test_a_workbook(tmp_path):
    xlsxwriter, _ = pytest.importorskip("xlsxwriter"), pytest.importorskip("python_calamine")
    book = xlsxwriter.Workbook(tmp_path / "sales.xlsx")
    day = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    book.add_worksheet("notes").write(0, 0, "nothing")
    sheet = book.add_worksheet("sales")
    sheet.write_row(0, 0, ["customer_id", "timestamp", "amount", "invoice"])
    for i, (customer, when, amount) in enumerate(zip([17, 18, 17], DAYS, [1.5, 2, 4], strict=True), 1):
        sheet.write_row(i, 0, [customer, None, amount, "C7" if i == 3 else 7])
        sheet.write_datetime(i, 1, dt.datetime.combine(when, dt.time(18, 30)), day)
    book.close()
    source = custcore.read(tmp_path / "sales.xlsx", sheet="sales")
    assert totals(source) == {17: 5.5, 18: 2.0}
    found = source.table(["timestamp", "invoice"])
    assert found["timestamp"].to_pylist()[0] == dt.datetime(2026, 1, 5, 18, 30)
    assert found["invoice"].to_pylist() == ["7", "7", "C7"]
    assert custcore.read(tmp_path / "sales.xlsx", sheet=2).column_names == source.column_names
    with pytest.raises(InvalidArgumentError, match="'notes', 'sales'"):
        _ = custcore.read(tmp_path / "sales.xlsx", sheet="nope").schema


def test_old_time_stamps_of_parquet_do_not_wrap(tmp_path):
    times = [dt.datetime(2026, 1, 5), dt.datetime(3000, 1, 1), dt.datetime(9999, 12, 31)]
    table = SALES.set_column(1, "timestamp", pa.array(times, pa.timestamp("us")))
    pq.write_table(table, tmp_path / "old.parquet", use_deprecated_int96_timestamps=True)
    for where in (None, "n > 0"):
        assert (
            custcore.read(tmp_path / "old.parquet", where=where).table(["timestamp"])["timestamp"].to_pylist() == times
        )


def test_table_formats_are_refused(tmp_path):
    for name, log in (("delta", "_delta_log/00.json"), ("ice", "metadata/v1.metadata.json")):
        (tmp_path / name / log).parent.mkdir(parents=True)
        (tmp_path / name / log).touch()
        (tmp_path / name / "data").mkdir()
        pq.write_table(SALES, tmp_path / name / "data" / "a.parquet")
        with pytest.raises(FileFormatError, match=r"delta_scan|iceberg_scan"):
            custcore.read(tmp_path / name)
    pq.write_table(SALES, tmp_path / "delta" / "a.parquet")
    for path in ("delta/*.parquet", "delta/a.parquet"):
        with pytest.raises(FileFormatError, match="delta_scan"):
            custcore.read(str(tmp_path / path))


def test_urls():
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://sales/a.parquet", "wb") as sink:
        pq.write_table(SALES, sink)
    with fsspec.open("memory://sales/b.csv", "wb") as sink:
        sink.write(b"customer_id,timestamp,amount\nann,2026-01-05,1\n")
    assert totals(custcore.read("memory://sales/a.parquet")) == totals(SALES)
    assert totals(custcore.read("memory://sales/*")) == {"ann": 6.5, "bob": 2.25}
    assert totals(custcore.read("memory://sales")) == {"ann": 6.5, "bob": 2.25}
    with pytest.raises(FileNotFoundError):
        custcore.read("memory://sales/nope.parquet")
    with pytest.raises(InvalidArgumentError, match="nope"):
        custcore.read("nope://a.parquet")


def test_what_does_not_go_together(tmp_path):
    pq.write_table(SALES, tmp_path / "a.parquet")
    pq.write_table(SALES.drop_columns(["amount"]), tmp_path / "b.parquet")
    pq.write_table(SALES.set_column(0, "customer_id", pa.array([1, 2, 3])), tmp_path / "c.parquet")
    with pytest.raises(ColumnNotFoundError, match=r"missing in .*b\.parquet"):
        custcore.rfm(custcore.read(tmp_path / "a.parquet", tmp_path / "b.parquet"))
    with pytest.raises(InvalidTypeError, match=r"string in .* and int64 in"):
        custcore.rfm(custcore.read(tmp_path / "a.parquet", tmp_path / "c.parquet"))
    for missing in ("nope.csv", "nope*.csv"):
        with pytest.raises(FileNotFoundError):
            custcore.read(str(tmp_path / missing))
    with pytest.raises(InvalidArgumentError, match="no file"):
        custcore.read()
    (tmp_path / "notes.doc").touch()
    with pytest.raises(InvalidArgumentError, match="extension"):
        custcore.read(tmp_path / "notes.doc")


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xml"},
        {"delimiter": "::"},
        {"encoding": "nope"},
        {"decimal": ",", "thousands": ","},
        {"timestamp_format": "iso"},
        {"names": ["a", "a"]},
    ],
    ids=str,
)
def test_options_are_checked(options):
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        custcore.read(io.BytesIO(b"a,b\n1,2\n"), **options)


@pytest.mark.parametrize("shape", ["as published", "semicolons", "utf-16", "gz"])
def test_online_retail_as_published(tmp_path, shape):
    path = tmp_path / ("retail.csv.gz" if shape == "gz" else "retail.csv")
    ways = {"semicolons": {"sep": ";", "decimal": ","}, "utf-16": {"encoding": "utf-16"}}
    published().to_csv(path, index=False, **ways.get(shape, {}))
    found = custcore.rfm(
        custcore.read(path),
        customer_id="CustomerID",
        timestamp="InvoiceDate",
        order_id="InvoiceNo",
        amount="Quantity * UnitPrice",
    ).to_pyarrow()
    check_totals(found)
    assert found["CustomerID"].type == pa.int64()
