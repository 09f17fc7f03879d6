"""Lists of customers to hand out: segments, the first by a column, columns, attributes."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import custcore
from tests.cli.conftest import sales, save
from tests.cli.test_kmeans import COLUMNS, ROLES, purchases

SEGMENTS = ("champions", "hibernating")


def shop():
    """Purchases with the country and the address of each customer; the last address of c01 is new."""
    table = purchases().rename_columns(["customer_id", "timestamp", "amount"])
    ids, days = table["customer_id"].to_pylist(), table["timestamp"].to_pylist()
    last = max(day for name, day in zip(ids, days, strict=True) if name == "c01")
    mails = [
        f"{name}@{'new' if (name, day) == ('c01', last) else 'shop'}.example"
        for name, day in zip(ids, days, strict=True)
    ]
    countries = ["DE" if int(name[1:]) % 2 else "FR" for name in ids]
    return table.append_column("country", pa.array(countries)).append_column("email", pa.array(mails))


@pytest.fixture
def scored():
    return custcore.rfm_scores(shop(), attributes={"country": "last", "email": "last"})


def written(path):
    return pq.read_table(path).to_pylist()


def test_a_list_of_segments_and_columns(run, tmp_path, scored):
    save(shop(), tmp_path / "sales.parquet")
    shown = run(
        "rfm", "sales.parquet", "--segment", "champions", "--segment", "hibernating", "--attributes", "country,email",
        "--columns", "email, customer_id,segment", "-o", "list.parquet",
    ).stdout  # fmt: skip
    rows = [row for row in scored if row["segment"] in SEGMENTS]
    expected = [{name: row[name] for name in ("email", "customer_id", "segment")} for row in rows]
    assert written(tmp_path / "list.parquet") == expected
    assert list(expected[0]) == pq.read_table(tmp_path / "list.parquet").column_names
    assert 0 < len(expected) < 60
    assert f"The list has {len(expected)} of 60 customers (segment champions or hibernating)." in shown
    assert f"{len(expected)} customers written to list.parquet." in shown
    assert "60 " in shown.split("all")[1].splitlines()[0]  # the segments of all customers are still told


def test_attributes_ride_along_with_their_last_or_first_value(run, tmp_path):
    save(shop(), tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "--attributes", "email,country=first", "-o", "list.parquet")
    found = pq.read_table(tmp_path / "list.parquet")
    expected = custcore.rfm_scores(shop(), attributes={"email": "last", "country": "first"})
    assert found.to_pylist() == expected.to_pylist()
    assert dict(zip(found["customer_id"].to_pylist(), found["email"].to_pylist(), strict=True))["c01"].endswith(
        "@new.example"
    )
    run("rfm", "sales.parquet", "--attributes", "email=first", "-o", "first.parquet")
    assert "c01@new.example" not in pq.read_table(tmp_path / "first.parquet")["email"].to_pylist()


def test_the_first_by_money_or_by_a_column(run, run_json, tmp_path, scored):
    save(shop(), tmp_path / "sales.parquet")
    by_money = scored.sort_by("monetary_total", descending=True).head(7)
    shown = run("rfm", "sales.parquet", "--top", "7", "-o", "top.parquet").stdout
    assert [row["customer_id"] for row in written(tmp_path / "top.parquet")] == by_money["customer_id"].to_pylist()
    assert "The list has 7 of 60 customers (the first 7 by monetary_total, largest first)." in shown
    run("rfm", "sales.parquet", "--top", "7", "--sort-by", "recency_days", "--ascending", "-o", "top.parquet")
    recent = scored.sort_by("recency_days").head(7)
    assert [row["customer_id"] for row in written(tmp_path / "top.parquet")] == recent["customer_id"].to_pylist()
    run("rfm", "sales.parquet", "--sort-by", "segment", "-o", "sorted.parquet")
    names = [row["segment"] for row in written(tmp_path / "sorted.parquet")]
    assert names == sorted(names, reverse=True)
    assert len(names) == 60
    found = run_json("rfm", "sales.parquet", "--top", "3", "--columns", "customer_id")["list"]
    assert found["rows"] == [{"customer_id": name} for name in by_money["customer_id"].to_pylist()[:3]]
    assert (found["customers"], found["of"], found["top"], found["sort_by"]) == (3, 60, 3, "monetary_total")


def test_the_first_are_taken_after_the_segments(run, tmp_path, scored):
    save(shop(), tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "--segment", "hibernating", "--top", "2", "-o", "top.parquet")
    rows = [row for row in scored.sort_by("monetary_total", descending=True) if row["segment"] == "hibernating"]
    assert [row["customer_id"] for row in written(tmp_path / "top.parquet")] == [row["customer_id"] for row in rows[:2]]


def test_equals_of_the_last_one_are_counted(run, run_json, tmp_path):
    table = sales(["a", "b", "c", "d", "e"], [9.0, 5.0, 5.0, 5.0, 1.0])
    save(table, tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet", "--top", "2", "-o", "top.parquet").stdout
    assert "2 more customers have the value of the last one; the order of ids decides." in shown
    assert [row["customer_id"] for row in written(tmp_path / "top.parquet")] == ["a", "b"]
    assert run_json("rfm", "sales.parquet", "--top", "2", "-o", "top.parquet")["list"]["left_out_of_equals"] == 2
    assert "more customer" not in run("rfm", "sales.parquet", "--top", "1", "-o", "top.parquet").stdout


def test_a_list_without_a_file_is_shown(run, tmp_path, scored):
    save(shop(), tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet", "--top", "30", "--columns", "customer_id,monetary_total").stdout
    lines = [line.split() for line in shown.splitlines()]
    best = scored.sort_by("monetary_total", descending=True)
    for row in best[:25]:
        assert [row["customer_id"], f"{row['monetary_total']:,.2f}"] in lines
    assert f"{best[25]['customer_id']} " not in shown
    assert "... and 5 more; -o writes all of them." in shown
    assert "The list has 30 of 60 customers" in shown


def test_a_narrow_screen_keeps_what_the_list_is_made_for(run, tmp_path, monkeypatch):
    save(shop(), tmp_path / "sales.parquet")
    monkeypatch.setattr("custcore.cli._render.console", lambda _target=None: Console(width=60))
    shown = run("rfm", "sales.parquet", "--top", "1", "--sort-by", "tenure_days", "--attributes", "email").stdout
    heading = next(line for line in shown.splitlines() if line.startswith("customer_id"))
    assert heading.split() == ["customer_id", "tenure_days", "email", "segment"]
    assert "Not shown at this width: first_date" in shown


def test_a_list_on_stdout_is_csv_and_nothing_else(run, tmp_path, scored):
    save(shop(), tmp_path / "sales.parquet")
    result = run("rfm", "sales.parquet", "--top", "2", "--columns", "customer_id,segment", "-o", "-")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    best = scored.sort_by("monetary_total", descending=True).head(2)
    assert rows == best.select(["customer_id", "segment"]).to_pylist()
    assert "The list has 2 of 60 customers" in result.stderr
    assert "2 customers written to stdout." in result.stderr


def test_a_workbook_has_the_list(run, tmp_path):
    calamine = pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    save(shop(), tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "--top", "4", "--attributes", "email", "--columns", "customer_id,email", "-o", "l.xlsx")
    rows = calamine.CalamineWorkbook.from_path(tmp_path / "l.xlsx").get_sheet_by_index(0).to_python()
    assert rows[0] == ["customer_id", "email"]
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--segment", "Champion"], "no segment 'Champion'. Did you mean 'champions'? The segments are 'hibernating'"),
        (["--segment", "Cant Lose"], "Did you mean 'cant_lose'?"),
        (["--segment", "xyz"], "no segment 'xyz'. The segments are"),
        (["--segment", "champions", "--segments", "octants"], "The segments are 'general win back customers'"),
        (["--segment", "champions", "--segments", "none"], "the result has no segments"),
        (["--segment", "champions", "--no-scores"], "--segment and --no-scores exclude each other"),
        (["--columns", "customerid"], "no column 'customerid' in the result. Did you mean 'customer_id'?"),
        (["--columns", "email"], "it rides along with --attributes email"),
        (["--columns", "segment,segment"], "names 'segment' twice"),
        (["--sort-by", "money"], "--sort-by: there is no column 'money' in the result"),
        (["--top", "0"], "--top"),
        (["--top", "3", "--no-amount"], "--sort-by COLUMN"),
        (["--ascending"], "--ascending needs --sort-by"),
        (["--attributes", "country,country=first"], "'country' is named twice"),
        (["--by", "country", "--attributes", "country"], "leave it out of --attributes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_lists_are_told_before_a_row_is_read(run, tmp_path, monkeypatch, words, said):
    save(shop(), tmp_path / "sales.parquet")
    calls = []
    for name in ("rfm", "rfm_scores"):
        real = getattr(custcore, name)
        monkeypatch.setattr(
            custcore, name, lambda data, real=real, **given: calls.append(data.num_rows) or real(data, **given)
        )
    assert said in run("rfm", "sales.parquet", "-o", "list.parquet", *words, code=2).stderr
    assert sum(calls) == 0
    assert not (tmp_path / "list.parquet").exists()


def test_an_attribute_that_is_not_there_is_named(run, tmp_path):
    save(shop(), tmp_path / "sales.parquet")
    message = run("rfm", "sales.parquet", "--attributes", "land", code=3).stderr
    assert "there is no column 'land' (--attributes)" in message
    assert "'country'" in message


def test_a_segment_without_customers_is_an_empty_list(run, tmp_path):
    save(sales(), tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet", "--segment", "cant_lose", "-o", "list.csv").stdout
    assert "The list has 0 of 3 customers (segment cant_lose)." in shown
    assert (tmp_path / "list.csv").read_text().count("\n") == 1


def test_lists_of_clusters(run, tmp_path):
    save(purchases(), tmp_path / "sales.parquet")
    table, model = custcore.segment_customers(purchases(), k=3, **ROLES)
    name = model.names_[0]
    words = ("kmeans", "sales.parquet", *COLUMNS, "-k", "3")
    shown = run(*words, "--segment", name, "--top", "5", "--columns", "who,segment", "-o", "list.parquet").stdout
    rows = [row for row in table.sort_by("monetary_total", descending=True) if row["segment"] == name][:5]
    assert written(tmp_path / "list.parquet") == [{"who": row["who"], "segment": name} for row in rows]
    assert f"The list has 5 of 60 customers (segment {name};" in shown
    assert "Did you mean" in run(*words, "--segment", name.upper()[:-1], code=2).stderr
    assert "'whom'" in run(*words, "--columns", "whom", code=2).stderr


# Columns of kinds that a CSV or Parquet file has, by customer.
KINDS = {
    "bool": pa.array([True, False, True, True, None, False]),
    "date": pa.array([dt.date(2020, 1, 1), dt.date(2021, 6, 1), dt.date(2020, 1, 1), dt.date(2022, 2, 2), None, None]),
    "float": pa.array([0.5, 1.5, 0.5, 2.5, None, 3.5]),
}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("kind", KINDS)
def test_groups_and_attributes_of_every_kind(run, run_json, tmp_path, suffix, kind):
    table = sales(extra=KINDS[kind])
    save(table, tmp_path / f"sales.{suffix}")
    run("rfm", f"sales.{suffix}", "--attributes", "extra", "-o", "a.parquet")
    found = pq.read_table(tmp_path / "a.parquet")
    expected = custcore.rfm_scores(table, attributes={"extra": "last"}).to_pyarrow()
    assert found["extra"].type == expected["extra"].type == KINDS[kind].type
    assert found.to_pylist() == expected.to_pylist()
    run("rfm", f"sales.{suffix}", "--by", "extra", "--sort-by", "extra", "-o", "b.parquet", "--save-model", "m.json")
    found = pq.read_table(tmp_path / "b.parquet")
    expected = custcore.rfm_scores(table, by="extra").sort_by("extra", descending=True)
    assert found.to_pylist() == expected.to_pylist()
    assert "extra" in run_json("rfm", f"sales.{suffix}", "--attributes", "extra", "--top", "1")["list"]["rows"][0]
    # A scorer by groups of this kind scores the same customers the same.
    run("score", f"sales.{suffix}", "--model", "m.json", "--sort-by", "extra", "-o", "c.parquet")
    assert pq.read_table(tmp_path / "c.parquet").to_pylist() == found.to_pylist()
