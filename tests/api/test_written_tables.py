"""Results as files: Parquet, CSV, Arrow and xlsx are what other readers read, and are written whole or not at all."""

from __future__ import annotations

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

import custcore
from custcore.errors import OutOfRangeError
from tests.samples import one_customer, transactions
from tests.versions import needs

WRITERS = ("to_parquet", "to_csv", "to_arrow_ipc", "to_xlsx")


def scored() -> custcore.Table:
    return custcore.rfm_scores(transactions(300, customers=40))


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@needs("pyarrow", 20, to="keep the type of the indices of a dictionary in Parquet")
def test_parquet_and_arrow(tmp_path: Path) -> None:
    table, path = scored(), tmp_path / "scores.parquet"
    table.to_parquet(path)
    assert pq.read_table(path).equals(table.to_pyarrow(), check_metadata=False)
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    table.to_parquet(str(path), compression="snappy")
    assert pl.read_parquet(path)["customer_id"].to_list() == table["customer_id"].to_pylist()
    table.to_arrow_ipc(tmp_path / "scores.arrow")
    assert pa.feather.read_table(tmp_path / "scores.arrow").equals(table.to_pyarrow())
    table.to_arrow_ipc(tmp_path / "scores.arrows", stream=True)
    with pa.ipc.open_stream(tmp_path / "scores.arrows") as reader:
        assert reader.read_all().equals(table.to_pyarrow())


def test_csv_is_read_back_and_guards_formulas(tmp_path: Path) -> None:
    ids = ["=1+1", "+1", "-1", "@x", "\tx", "plain", 'a "quoted", id', "line\nbreak", "重要"]
    table = custcore.rfm(
        one_customer([1.25] * len(ids), customer_id=ids).rename_columns(["=id", "timestamp", "amount"]),
        customer_id="=id",
    )
    path = tmp_path / "t.csv"
    assert table.to_csv(path) == 3
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    assert rows[0] == ["'=id", *table.columns[1:]]
    found = {row[0] for row in rows[1:]}
    # Signed numbers are no formulas.
    assert found == {f"'{i}" if i[0] in "=@\t" else i for i in ids}
    assert {row[rows[0].index("monetary_total")] for row in rows[1:]} == {"1.25"}
    assert table.to_csv(path, delimiter=";") == 3
    assert path.read_text(encoding="utf-8").splitlines()[0].count(";") == len(table.columns) - 1


@pytest.mark.parametrize("values", [[1.5, None, 2.0], [None, "a", "b"], [date(2026, 1, 1), date(2026, 1, 2), None]])
def test_csv_of_one_column_keeps_the_rows_of_nulls(tmp_path: Path, values: list[Any]) -> None:
    rows = one_customer([1.0, 2.0, 3.0], customer_id=["a", "b", "c"]).append_column("x", pa.array(values))
    table = custcore.rfm(rows, attributes={"x": "last"}).select(["x"])
    table.to_csv(tmp_path / "t.csv")
    # Readers skip lines with nothing in them.
    assert (
        pyarrow.csv.read_csv(tmp_path / "t.csv", convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))[
            "x"
        ].to_pylist()
        == values
    )
    assert pl.read_csv(tmp_path / "t.csv", try_parse_dates=True).height == len(values)


def test_xlsx_has_types_and_the_report(tmp_path: Path) -> None:
    table, path = scored(), tmp_path / "scores.xlsx"
    table.to_xlsx(path)
    found = sheets(path)
    assert list(found) == ["result", "report"]
    head, *rows = found["result"]
    assert head == table.columns
    assert len(rows) == table.num_rows
    for row, expected in zip(rows, table.rows(), strict=True):
        for ours, theirs in zip(row, expected, strict=True):
            assert ours == (
                "" if theirs is None else pytest.approx(theirs, rel=1e-15) if type(theirs) is float else theirs
            )
    day = head.index("first_date")
    assert {type(row[day]) for row in rows} == {date}
    lines = {row[0]: row for row in found["report"]}
    assert lines["input rows"][1] == table.report.n_rows
    assert lines["as of"][1] == table.report.as_of
    for entry in table.report:
        assert lines[entry.name][3] == entry.count
        assert lines[entry.name][4] == entry.sum


def test_xlsx_holds_exactly_what_it_can(tmp_path: Path) -> None:
    ids = [2**60 + 1, 7, 10**15 - 1]
    money = pa.array([Decimal("1.10"), Decimal("12345678901234567.89"), Decimal("-2.5")])
    days = [date(1899, 12, 31), date(1900, 3, 1), date(2026, 1, 5)]
    data = pa.table({"customer_id": ids, "timestamp": days, "amount": money, "note": ["=1+1", None, "{=x}"]})
    path = tmp_path / "t.xlsx"
    table = custcore.rfm(data, attributes={"note": "last"}, returns="count")
    table.to_xlsx(path)
    head, *rows = sheets(path)["result"]
    found = {name: [row[i] for row in rows] for i, name in enumerate(head)}
    assert found["customer_id"] == [7, 10**15 - 1, str(2**60 + 1)]
    assert found["monetary_total"] == ["12345678901234567.89", -2.5, 1.1]
    assert found["first_date"] == [date(1900, 3, 1), date(2026, 1, 5), "1899-12-31"]
    assert found["note"] == ["", "{=x}", "=1+1"]
    nothing = custcore.rfm(transactions().slice(0, 0))
    nothing.to_xlsx(path)
    assert sheets(path)["result"] == [nothing.columns]


def test_xlsx_too_large_is_an_error_before_the_file(tmp_path: Path) -> None:
    n = 1_048_576
    many = custcore.rfm(
        {"customer_id": np.arange(n), "timestamp": np.full(n, np.datetime64("2024-01-01"))}, amount=None
    )
    path = tmp_path / "t.xlsx"
    with pytest.raises(OutOfRangeError, match=r"1,048,576 rows.*to_parquet"):
        many.to_xlsx(path)
    with pytest.raises(OutOfRangeError, match=r"'customer_id'.*40,000 characters in row 0") as caught:
        custcore.rfm(one_customer([1.0], customer_id=["x" * 40_000])).to_xlsx(path)
    assert (caught.value.column, caught.value.row) == ("customer_id", 0)
    assert list(tmp_path.iterdir()) == []


def test_cohorts_are_written_and_converted(tmp_path: Path) -> None:
    cohorts = custcore.cohort_retention(transactions(300), amount="amount")
    assert cohorts.to_pandas().equals(cohorts.to_table().to_pandas())
    assert cohorts.to_polars().equals(cohorts.to_table().to_polars())
    assert cohorts.to_pyarrow().equals(cohorts.to_table().to_pyarrow())
    cohorts.to_parquet(tmp_path / "c.parquet")
    assert pq.read_table(tmp_path / "c.parquet").equals(pa.table(cohorts))
    assert cohorts.to_csv(tmp_path / "c.csv") == 0
    cohorts.to_xlsx(tmp_path / "c.xlsx")
    found = sheets(tmp_path / "c.xlsx")
    assert list(found) == ["rate", "customers", "cells", "report"]
    assert [len(found[name]) - 1 for name in ("rate", "cells")] == [
        cohorts.matrix().num_rows,
        cohorts.to_table().num_rows,
    ]
    assert found["customers"][0] == cohorts.matrix("customers").columns


@pytest.mark.parametrize("name", WRITERS)
def test_a_failed_write_leaves_the_old_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    places = {
        "to_parquet": "pyarrow.parquet.write_table",
        "to_csv": "pyarrow.csv.write_csv",
        "to_arrow_ipc": "pyarrow.ipc.new_file",
        "to_xlsx": "custcore.result._write._write_report",
    }
    with monkeypatch.context() as patched:
        patched.setattr(places[name], fail)
        with pytest.raises(OSError, match="No space"):
            getattr(scored(), name)(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    getattr(scored(), name)(path)
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", WRITERS)
def test_targets_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        getattr(scored(), name)(tmp_path)
    with pytest.raises(FileNotFoundError):
        getattr(scored(), name)(tmp_path / "none" / "t")
    if os.name == "posix":
        with pytest.raises(OSError):
            getattr(scored(), name)("/dev/null")
