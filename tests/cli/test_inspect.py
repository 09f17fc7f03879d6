"""``custcore inspect``: roles are guessed by name and type, and the command that it proposes runs."""

from __future__ import annotations

import shlex

import pyarrow as pa
import pytest

from custcore.cli import _columns
from tests.cli.conftest import sales, save

INT, TEXT, FLOAT = pa.int64(), pa.string(), pa.float64()
DAY, TIME = pa.date32(), pa.timestamp("us")


@pytest.mark.parametrize(
    ("fields", "roles"),
    [
        (
            {
                "household_id": INT,
                "store_id": INT,
                "basket_id": INT,
                "product_id": INT,
                "quantity": INT,
                "sales_value": FLOAT,
                "retail_disc": FLOAT,
                "coupon_disc": FLOAT,
                "coupon_match_disc": FLOAT,
                "week": INT,
                "transaction_timestamp": TIME,
            },
            ("household_id", "transaction_timestamp", "sales_value", "basket_id"),
        ),
        (
            {
                "InvoiceNo": TEXT,
                "StockCode": TEXT,
                "Description": TEXT,
                "Quantity": INT,
                "InvoiceDate": TIME,
                "UnitPrice": FLOAT,
                "CustomerID": INT,
                "Country": TEXT,
            },
            ("CustomerID", "InvoiceDate", None, "InvoiceNo"),
        ),
        (
            {"customer_id": TEXT, "order_date": DAY, "revenue": pa.int32()},
            ("customer_id", "order_date", "revenue", None),
        ),
        ({"Id": INT, "Date": DAY, "Price": FLOAT}, (None, "Date", "Price", None)),
        (
            {
                "order_id": TEXT,
                "customer_unique_id": TEXT,
                "order_status": TEXT,
                "order_purchase_timestamp": TIME,
                "order_delivered_customer_date": TIME,
                "payment_value": FLOAT,
            },
            ("customer_unique_id", "order_purchase_timestamp", "payment_value", "order_id"),
        ),
        (
            {"user_id": INT, "created_at": TIME, "total_price": pa.decimal128(10, 2), "tax_amount": FLOAT, "id": INT},
            ("user_id", "created_at", "total_price", None),
        ),
        ({"x": INT, "y": INT}, (None, None, None, None)),
        ({"when_": DAY, "client": TEXT, "umsatz": FLOAT}, ("client", "when_", "umsatz", None)),
        ({"customer_id": FLOAT, "date": TEXT, "amount": TEXT}, (None, None, None, None)),
    ],
)
def test_roles_by_name_and_type(fields, roles):
    found = _columns.guess(pa.schema(list(fields.items())))
    assert tuple(found.get(role) for role in _columns.ROLES) == roles


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "arrows"])
def test_the_command_it_proposes_runs(run, run_json, tmp_path, suffix):
    table = sales(invoice=[1, 2, 3, 4, 5, 6]).rename_columns(["client no", "bought at", "turnover", "invoice"])
    save(table, tmp_path / f"my sales.{suffix}")
    found = run_json("inspect", f"my sales.{suffix}")
    assert found["rows"] == (6 if suffix in {"parquet", "arrow"} else None)
    assert found["roles"] == {
        "customer_id": "client no",
        "timestamp": "bought at",
        "amount": "turnover",
        "order_id": "invoice",
    }
    assert [column["type"] for column in found["columns"]] == ["string", "date32[day]", "double", "int64"]
    assert found["columns"][0]["examples"] == ["ann", "bob", "cleo"]
    words = shlex.split(found["command"])
    assert words[0] == "custcore"
    run(*words[1:])
    assert (tmp_path / "scores.parquet").is_file()
    assert found["command"] in run("inspect", f"my sales.{suffix}").stdout


def test_what_is_missing_is_said(run, tmp_path):
    save(pa.table({"x": [1], "y": [[1]]}), tmp_path / "points.parquet")
    shown = run("inspect", "points.parquet").stdout
    assert "No column looks like a customer id" in shown
    assert "No column is a date" in shown
    assert "Next:" not in shown
    assert "refunds and cancellations cannot be seen" in shown


def test_two_columns_of_one_name(run, tmp_path):
    save(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "twice.arrow")
    assert "a" in run("inspect", "twice.arrow").stdout
    assert "two columns named 'a'" in run("rfm", "twice.arrow", "--customer-id", "a", code=3).stderr


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_without_rows(run, run_json, tmp_path, suffix):
    empty = sales().schema.empty_table()
    save(empty, tmp_path / f"empty.{suffix}")
    shown = run("inspect", f"empty.{suffix}").stdout
    assert "no rows" in shown
    assert "no row below it" in " ".join(shown.split())
    assert "Next:" not in shown
    assert "looks like a customer id" not in shown
    found = run_json("inspect", f"empty.{suffix}")
    assert (found["rows"], found["commands"]) == (0, [])
    assert [column["column"] for column in found["columns"]] == empty.column_names
