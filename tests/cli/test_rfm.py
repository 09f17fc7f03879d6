"""``custcore rfm``: inputs, outputs, settings, what is on the screen."""

from __future__ import annotations

import gzip
import re

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.conftest import sales, save


def expected(**options):
    return custcore.rfm_scores(sales(), **options).to_pyarrow()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "arrows", "feather"])
@pytest.mark.parametrize("out", ["parquet", "arrow", "arrows", "csv"])
def test_every_format_in_and_out(run, tmp_path, suffix, out):
    save(sales(), tmp_path / f"sales.{suffix}")
    run("rfm", f"sales.{suffix}", "-o", f"scores.{out}")
    target = tmp_path / f"scores.{out}"
    if out == "parquet":
        assert pq.read_table(target).equals(expected().cast(pq.read_schema(target)))
    elif out == "csv":
        found = csv.read_csv(target)
        assert found.column_names == expected().column_names
        assert found["customer_id"].to_pylist() == ["ann", "bob", "cleo"]
        assert found["monetary_total"].to_pylist() == [30.3, 25.0, 99.9]
        assert found["segment"].to_pylist() == expected()["segment"].to_pylist()
    else:
        opened = pa.ipc.open_stream if out == "arrows" else pa.ipc.open_file
        with pa.OSFile(str(target)) as source:
            assert opened(source).read_all().to_pylist() == expected().to_pylist()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_json_says_everything(run_json, tmp_path):
    save(sales(), tmp_path / "sales.parquet")
    found = run_json("rfm", "sales.parquet", "-o", "s.parquet", "--as-of", "2026-02-01")
    assert (found["rows"], found["customers"], found["as_of"]) == (6, 3, "2026-02-01")
    assert found["all"]["orders"] == 4
    assert found["all"]["revenue"] == pytest.approx(155.2)
    assert sum(row["customers"] for row in found["segments"]) == 3
    assert {"segment", "customers", "share", "revenue", "revenue_share", "recency_mean"} <= set(found["segments"][0])
    report = {entry["name"]: entry for entry in found["report"]}
    assert report["null_customer_id"] == {
        "name": "null_customer_id",
        "kind": "left_out",
        "unit": "rows",
        "count": 1,
        "sum": 5.0,
        "first_row": 4,
    }
    assert report["refund_only_customers"]["count"] == 1
    assert found["settings"]["customer_id"] == "customer_id"
    assert found["settings"]["bins"] == 5
    assert found["seconds"] > 0
    assert found["output"] == "s.parquet"


def test_the_screen_shows_segments_and_what_was_left_out(run, tmp_path):
    save(sales(), tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet").stdout
    for word in ("segment", "customers", "revenue", "recency", "orders", "money", "all", "155.20", "100.0%"):
        assert word in shown
    assert "1 row without a customer id (5.00 in all)" in shown
    assert "1 customer with refunds only (-3.00 in all)" in shown
    assert "6 rows of sales.parquet, 4 orders, 3 customers" in shown
    assert "\x1b" not in shown  # no colours where there is no terminal
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sales.parquet"]


def test_no_terminal_gets_no_progress_and_whole_lines(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    save(sales(), tmp_path / "sales.parquet")
    result = run("rfm", "sales.parquet")
    assert result.stderr == ""
    assert "…" not in result.stdout


def test_globs_folders_and_many_files_are_one_stream(run_json, tmp_path):
    for i in range(40):
        folder = tmp_path / "year" / f"month{i % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        save(sales([f"c{i}", "all"], [1.0, 2.0]), folder / f"part{i:02}.parquet")
    (tmp_path / "year" / "_SUCCESS").touch()
    (tmp_path / "year" / ".part.parquet.crc").touch()
    for pattern in ("year", "year/*/*.parquet", "year/**/*.parquet"):
        found = run_json("rfm", pattern)
        assert (found["rows"], found["customers"], len(found["files"])) == (80, 41, 40)
        assert found["all"]["revenue"] == 120.0


def test_formats_mix_and_types_widen(run_json, tmp_path):
    one = sales([1, 2], [10.0, 20.0])
    save(one.set_column(0, "customer_id", one["customer_id"].cast(pa.int32())), tmp_path / "a.parquet")
    save(sales([2, 3], [5, 6]), tmp_path / "b.csv")
    save(sales([3, 4], [7.5, 8.0]), tmp_path / "c.arrow")
    save(sales([5, 4], [1.0, 1.0]), tmp_path / "d.arrows")
    found = run_json("rfm", "a.parquet", "b.csv", "c.arrow", "d.arrows")
    assert (found["rows"], found["customers"], found["all"]["revenue"]) == (8, 5, 58.5)


def test_a_file_is_never_held_as_a_whole(run_json, tmp_path, monkeypatch):
    table = pa.concat_tables([sales(["a", "b"], [1.0, 1.0])] * 200_000).combine_chunks()
    pq.write_table(table, tmp_path / "big.parquet", row_group_size=50_000)
    sizes, real = [], custcore.rfm_scores

    def spy(data, **options):
        if isinstance(data, pa.RecordBatchReader):
            schema = data.schema
            batches = (sizes.append(batch.num_rows) or batch for batch in data)
            data = pa.RecordBatchReader.from_batches(schema, batches)
        return real(data, **options)

    monkeypatch.setattr(custcore, "rfm_scores", spy)
    assert run_json("rfm", "big.parquet")["rows"] == 400_000
    assert sum(sizes) == 400_000
    assert max(sizes) <= 1 << 17


def test_only_needed_columns_are_read(run_json, tmp_path, monkeypatch):
    save(sales(note=["x"] * 6, order_id=[1, 2, 3, 4, 5, 6]), tmp_path / "sales.parquet")
    seen, real = [], custcore.rfm_scores

    def spy(data, **options):
        if isinstance(data, pa.RecordBatchReader):
            seen.append(data.schema.names)
        return real(data, **options)

    monkeypatch.setattr(custcore, "rfm_scores", spy)
    run_json("rfm", "sales.parquet")
    run_json("rfm", "sales.parquet", "--order-id", "order_id", "--no-amount")
    assert seen == [["customer_id", "timestamp", "amount"], ["customer_id", "timestamp", "order_id"]]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--returns", "exclude"], {"returns": "exclude"}),
        (["--returns", "count"], {"returns": "count"}),
        (["--ties", "split"], {"ties": "split"}),
        (["--binning", "nested"], {"binning": "nested"}),
        (["--bins", "3"], {"bins": 3}),
        (["--bins", "5,5,3"], {"bins": (5, 5, 3)}),
        (["--frequency", "rows"], {"frequency": "rows"}),
        (["--frequency", "days"], {"frequency": "days"}),
        (["--monetary", "mean"], {"monetary": "mean"}),
        (["--segments", "octants"], {"segments": "octants"}),
        (["--segments", "none"], {"segments": None}),
        (["--no-amount"], {"amount": None}),
        (["--order-id", "basket"], {"order_id": "basket"}),
        (["--order-id", "basket", "--order-lines", "adjacent"], {"order_id": "basket", "order_lines": "adjacent"}),
        (["--by", "country"], {"by": "country"}),
        (["--threads", "1"], {"n_threads": 1}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_setting_is_the_argument_of_its_name(run, tmp_path, words, options):
    table = sales(basket=[1, 2, 1, 3, 4, 5], country=["A", "B", "A", "A", "B", "B"])
    save(table, tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "-o", "scores.parquet", *words)
    found = pq.read_table(tmp_path / "scores.parquet")
    assert found.to_pylist() == custcore.rfm_scores(table, **options).to_pyarrow().to_pylist()


def test_without_scores_it_is_the_rfm_table(run, tmp_path):
    save(sales(), tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet", "--no-scores", "-o", "table.parquet").stdout
    assert "155.20" in shown
    assert pq.read_table(tmp_path / "table.parquet").to_pylist() == custcore.rfm(sales()).to_pyarrow().to_pylist()


def test_a_time_zone_moves_days(run_json, tmp_path):
    late = pa.array(["2026-01-31T23:30:00"]).cast(pa.timestamp("s")).cast(pa.timestamp("s", "UTC"))
    save(pa.table({"customer_id": [1], "timestamp": late, "amount": [1.0]}), tmp_path / "sales.parquet")
    assert run_json("rfm", "sales.parquet")["as_of"] == "2026-01-31"
    assert run_json("rfm", "sales.parquet", "--timezone", "Asia/Shanghai")["as_of"] == "2026-02-01"


def test_csv_cells_are_null_when_empty_and_wide_amounts_are_floats(run_json, tmp_path):
    (tmp_path / "sales.csv").write_text(
        'customer_id;timestamp;amount;note\nann;2026-01-05;10;"two\nlines"\n;2026-01-06;5;\nbob;2026-01-07;;\n'
        + "ann;2026-01-07;1;x\n" * 300_000
        + "cleo;2026-01-08;0.25;\n"
    )
    found = run_json("rfm", "sales.csv", "--delimiter", ";")
    assert (found["rows"], found["customers"], found["all"]["revenue"]) == (300_004, 3, 300_010.25)
    report = {entry["name"]: entry["count"] for entry in found["report"]}
    assert (report["null_customer_id"], report["null_amount"]) == (1, 1)


def test_csv_may_be_compressed_or_parted_by_tabs(run_json, tmp_path):
    text = "customer_id\ttimestamp\tamount\n007\t2026-01-05\t10\n7\t2026-01-05 10:00:00\t1\n"
    (tmp_path / "a.tsv").write_text(text)
    with gzip.open(tmp_path / "b.csv.gz", "wt") as sink:
        sink.write(text.replace("\t", ","))
    assert run_json("rfm", "a.tsv", "b.csv.gz")["customers"] == 1
    assert run_json("rfm", "a.tsv", "b.csv.gz", "--text-ids")["customers"] == 2


def test_a_csv_for_spreadsheets_holds_no_formulas(run, tmp_path):
    ids = ["=cmd|' /C calc'!A0", "+1+A1", "-x", "@x", "\ttab", "\rreturn", "plain", "a=b"]
    table = sales(ids[:6], [-1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).rename_columns(["=id", "timestamp", "amount"])
    more = sales(ids[6:], [7.0, 8.0]).rename_columns(["=id", "timestamp", "amount"])
    save(pa.concat_tables([table, more]), tmp_path / "sales.parquet")
    shown = run("rfm", "sales.parquet", "--customer-id", "=id", "--returns", "count", "-o", "scores.csv").stdout
    assert "6 cells that a spreadsheet would take for formulas" in shown
    found = csv.read_csv(tmp_path / "scores.csv", parse_options=csv.ParseOptions(newlines_in_values=True))
    assert found.column_names[0] == "'=id"
    assert set(found["'=id"].to_pylist()) == {f"'{name}" for name in ids[:6]} | {"plain", "a=b"}
    assert -1.0 in found["monetary_total"].to_pylist()  # a number stays a number
    run("rfm", "sales.parquet", "--customer-id", "=id", "--returns", "count", "-o", "scores.parquet")
    assert set(pq.read_table(tmp_path / "scores.parquet")["=id"].to_pylist()) == set(ids)


def test_bytes_are_hexadecimal_in_csv(run, tmp_path):
    save(sales([b"\x00\xff", b"=1"], [1.0, 2.0]), tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "-o", "scores.csv")
    assert csv.read_csv(
        tmp_path / "scores.csv", convert_options=csv.ConvertOptions(column_types={"customer_id": pa.string()})
    )["customer_id"].to_pylist() == ["00ff", "3d31"]


def test_no_buyers_is_a_result(run, run_json, tmp_path):
    save(sales(pa.array([None], pa.string()), [1.0]), tmp_path / "none.parquet")
    save(sales().slice(0, 0), tmp_path / "empty.parquet")
    assert "No customers" in run("rfm", "none.parquet").stdout
    assert "No customers: there are no rows." in run("rfm", "empty.parquet").stdout
    assert run_json("rfm", "none.parquet")["customers"] == 0
    assert run_json("rfm", "empty.parquet", "-o", "out.parquet")["rows"] == 0
    assert pq.read_table(tmp_path / "out.parquet").column_names == expected().column_names


def test_a_day_before_the_data_is_told(run, tmp_path):
    save(sales(), tmp_path / "sales.parquet")
    said = run("rfm", "sales.parquet", "--as-of", "2001-01-01").stdout
    assert re.search(r"No customers: all \d+ rows with an id and a time are after 2001-01-01; choose a later", said)


def test_names_from_files_do_not_steer_the_terminal(run, tmp_path):
    name = "bad\x1b[2J[red]name"
    save(sales().rename_columns([name, "timestamp", "amount"]), tmp_path / "sales.parquet")
    for result in (run("rfm", "sales.parquet", code=3), run("inspect", "sales.parquet")):
        assert "\x1b" not in result.stdout + result.stderr
        assert "[red]name" in result.stdout + result.stderr


SHOPS = sales(country=["DE", "FR", "FR", "DE", "DE", "DE"])


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_commas_make_a_composite_key(run, run_json, tmp_path, suffix):
    save(SHOPS, tmp_path / f"sales.{suffix}")
    run("rfm", f"sales.{suffix}", "--customer-id", "country, customer_id", "-o", "scores.parquet")
    found = pq.read_table(tmp_path / "scores.parquet")
    assert found.column_names[:2] == ["country", "customer_id"]
    assert found.select([0, 1]).to_pylist() == [
        {"country": country, "customer_id": name}
        for country, name in [("DE", "ann"), ("DE", "cleo"), ("FR", "ann"), ("FR", "bob")]
    ]
    told = run_json(
        "rfm", f"sales.{suffix}", "--customer-id", "country,customer_id", "--order-id", "customer_id,country"
    )
    assert told["settings"]["customer_id"] == ["country", "customer_id"]


def test_a_column_whose_name_has_commas_is_that_column(run, tmp_path):
    named = SHOPS.rename_columns(["a,b", "timestamp", "amount", "a"]).append_column("b", pa.array([1] * 6))
    save(named, tmp_path / "sales.parquet")
    run("rfm", "sales.parquet", "--customer-id", "a,b", "-o", "one.parquet")
    assert pq.read_table(tmp_path / "one.parquet").column_names[0] == "a,b"
    run("rfm", "sales.parquet", "--customer-id", '"a,b",a', "-o", "two.parquet")
    assert pq.read_table(tmp_path / "two.parquet").column_names[:2] == ["a,b", "a"]


def test_text_ids_are_every_part(run, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("shop,customer,timestamp,amount\n007,01,2026-01-05,1\n7,1,2026-01-06,2\n")
    run("rfm", "sales.csv", "--customer-id", "shop,customer", "--text-ids", "-o", "s.parquet")
    assert pq.read_table(tmp_path / "s.parquet").select([0, 1]).to_pylist() == [
        {"shop": "007", "customer": "01"},
        {"shop": "7", "customer": "1"},
    ]


def test_a_missing_part_is_named(run, tmp_path):
    save(SHOPS, tmp_path / "sales.parquet")
    found = run("rfm", "sales.parquet", "--customer-id", "land,customer_id", code=3)
    assert "there is no column 'land' (customer id)" in found.stderr


def test_the_recipe_of_pandas_is_not_compared_with_composite_keys(run, tmp_path):
    save(SHOPS, tmp_path / "sales.parquet")
    found = run("bench", "sales.parquet", "--customer-id", "country,customer_id", code=2)
    assert "bench compares with a recipe of one column of ids" in found.stderr
