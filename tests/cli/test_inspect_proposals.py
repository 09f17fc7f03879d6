"""What ``custcore inspect`` proposes for files as people have them: a shell runs it as it is printed."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custcore.cli import _columns
from tests.online_retail import check_totals, published

HEAD = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
LINES = "1,6,12/1/2010 8:26,2.55,17850.0\n2,1,12/13/2010 8:28,1.85,13047.0\nC3,-1,12/14/2010 9:00,1.85,13047.0\n"
COLUMNS = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID"
# The lines above by hand.
EXPECTED = {17850: (1, 15.3), 13047: (1, 0.0)}


def run_in_shell(command, folder):
    """Run a printed command by bash, where custcore is this package."""
    defined = f'custcore() {{ "{sys.executable}" -m custcore "$@"; }}\n'
    result = subprocess.run(
        ["bash", "-c", defined + command], cwd=folder, capture_output=True, text=True, timeout=120, env=os.environ
    )
    assert result.returncode == 0, (command, result.stderr)
    return pq.read_table(folder / "scores.parquet")


def totals(scored):
    columns = scored.select([0, "n_orders", "monetary_total"]).to_pydict()
    return {c: (n, pytest.approx(float(m))) for c, n, m in zip(*columns.values(), strict=True)}


@pytest.mark.parametrize("shape", ["my retail.csv", "it's;retail.csv", "utf-16.csv", "retail.csv.gz"])
def test_online_retail_as_published(run_json, tmp_path, shape):
    ways = {"it's;retail.csv": {"sep": ";", "decimal": ","}, "utf-16.csv": {"encoding": "utf-16"}}
    published().to_csv(tmp_path / shape, index=False, **ways.get(shape, {}))
    found = run_json("inspect", shape)
    assert "--timestamp-format '%m/%d/%Y %H:%M'" in found["command"]
    assert "--amount 'Quantity * UnitPrice'" in found["command"]
    for detected in ("--delimiter", "--encoding", "--decimal", "--no-amount"):
        assert detected not in found["command"]
    assert any("negative quantity are refunds" in note for note in found["notes"])
    check_totals(run_in_shell(found["command"], tmp_path))


def write_xlsx(path, text):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "m/d/yyyy h:mm"})
        book.add_worksheet("read me").write(0, 0, "the lines are on the next sheet")
        sheet = book.add_worksheet("sales 2010")
        for i, line in enumerate(text.splitlines()):
            for j, cell in enumerate(line.split(",")):
                if i and j == 2:
                    sheet.write_datetime(i, j, dt.datetime.strptime(cell, "%m/%d/%Y %H:%M"), day)  # noqa: DTZ007
                else:
                    sheet.write(i, j, float(cell) if i and j in {1, 3, 4} else cell)


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("sales.csv", HEAD + LINES, ()),
        ("two  spaces\tand a tab.csv", HEAD + LINES, ()),
        ("$HOME `ls` \"x\" 'y'.csv", HEAD + LINES, ()),
        ("-rf.csv", HEAD + LINES, ()),
        ("sälés.csv", HEAD + LINES, ()),
        ("no header.csv", LINES, ("--names", COLUMNS)),
        ("comma.csv", (HEAD + LINES).replace(",", ";").replace(".", ","), ()),
        ("sheet.xlsx", HEAD + LINES, ("--sheet", "sales 2010")),
        ("names.csv", (HEAD + LINES).replace("UnitPrice", "Price (£/unit)").replace("CustomerID", "Customer ID"), ()),
    ],
)
def test_the_proposal_runs_as_printed(run, tmp_path, name, text, options):
    if name.endswith(".xlsx"):
        write_xlsx(tmp_path / name, text)
    else:
        (tmp_path / name).write_text(text)
    shown = run("inspect", *options, "--", name).stdout
    command = shown.split("Next:  ")[1].splitlines()[0]
    assert totals(run_in_shell(command, tmp_path)) == EXPECTED


def test_day_and_month_are_not_guessed_but_both_are_proposed(run, run_json, tmp_path):
    (tmp_path / "sales.csv").write_text(HEAD + "1,6,1/2/2010 8:26,2.55,17850\n")
    found = run_json("inspect", "sales.csv")
    assert found["command"] is None
    assert len(found["commands"]) == 2
    assert any("tells day and month apart" in note for note in found["notes"])
    days = [run_in_shell(command, tmp_path)["last_date"].to_pylist()[0] for command in found["commands"]]
    assert sorted(days) == [dt.date(2010, 1, 2), dt.date(2010, 2, 1)]
    shown = run("inspect", "sales.csv").stdout
    assert all(command in shown for command in found["commands"])


def test_a_comma_that_may_be_either_is_not_guessed(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id;timestamp;amount\n1;2026-01-05;1,234\n2;2026-01-06;5,678\n")
    found = run_json("inspect", "sales.csv")
    sums = [sum(run_in_shell(one, tmp_path)["monetary_total"].to_pylist()) for one in found["commands"]]
    assert sorted(sums) == [pytest.approx(6.912), pytest.approx(6912)]


def test_a_file_without_a_header_gets_the_command_that_names_its_columns(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text(LINES)
    found = run_json("inspect", "sales.csv")
    assert found["command"] == "custcore inspect sales.csv --names c1,c2,timestamp,c4,c5"
    assert [row["type"] for row in found["columns"]] == ["string", "int64", "timestamp[s]", "double", "double"]
    assert any("no header" in note for note in found["notes"])


def test_options_that_are_detected_anyway_are_left_out(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text((HEAD + LINES).replace(",", ";").replace(".", ","))
    found = run_json("inspect", "sales.csv", "--delimiter", ";", "--decimal", ",", "--encoding", "utf-8")
    assert not any(word in found["command"] for word in ("--delimiter", "--decimal", "--encoding"))
    (tmp_path / "bars.csv").write_text("a|b,customer_id,timestamp,amount\n1|2,7,2026-01-05,5\n")
    (tmp_path / "tilde.csv").write_text((HEAD + LINES).replace(",", "~"))
    found = run_json("inspect", "tilde.csv", "--delimiter", "~")
    assert "--delimiter '~'" in found["command"]
    assert totals(run_in_shell(found["command"], tmp_path)) == EXPECTED


def test_text_times_of_parquet_get_their_format(run_json, tmp_path):
    times = ["12/1/2010 8:26", "12/13/2010 8:28"]
    table = pa.table({"customer_id": [1, 2], "timestamp": times, "amount": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "sales.parquet")
    found = run_json("inspect", "sales.parquet")
    assert "--timestamp-format '%m/%d/%Y %H:%M'" in found["command"]
    assert run_in_shell(found["command"], tmp_path).num_rows == 2


def test_no_amount_is_not_silent(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id,timestamp,Quantity\n1,2026-01-05,3\n")
    found = run_json("inspect", "sales.csv")
    assert "--no-amount" in found["command"]
    assert any("refunds and cancellations cannot be seen" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("names", "amount"),
    [
        (("Invoice", "Quantity", "InvoiceDate", "Price", "Customer ID"), "Quantity * Price"),
        (("qty", "item_price", "date"), "qty * item_price"),
        (("Menge", "Einzelpreis", "Datum"), "Menge * Einzelpreis"),
        (("quantity", "unit_price", "revenue"), "revenue"),
        (("quantity", "total_price", "date"), "total_price"),
        (("quantity", "unit_price", "line_total"), "line_total"),
        (("quantity", "list_price", "amount"), "amount"),
        (("quantity", "date"), None),
    ],
)
def test_quantity_and_price_or_the_amount(run_json, tmp_path, names, amount):
    row = ["2026-01-05" if "date" in name.lower() or name == "Datum" else "2.5" for name in names]
    (tmp_path / "sales.csv").write_text(",".join(names) + "\n" + ",".join(row) + "\n")
    assert run_json("inspect", "sales.csv")["roles"].get("amount") == amount


def test_a_price_that_may_be_that_of_a_row_is_told(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id,timestamp,Quantity,Price\n1,2026-01-05,3,2.5\n")
    assert any("--amount Price" in note for note in run_json("inspect", "sales.csv")["notes"])
    assert _columns.is_price_of_a_unit("price_each")
