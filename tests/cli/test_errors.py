"""Exit codes and messages: 2 for usage, 3 for data, 130 for Ctrl-C; never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore._draft import replacing
from tests.cli.conftest import sales, save

JOURNEY = ["household_id", "transaction_timestamp", "sales_value"]


def test_columns_that_are_not_there_are_proposed_all_at_once(run, tmp_path):
    save(sales().rename_columns(JOURNEY), tmp_path / "sales.parquet")
    message = run("rfm", "sales.parquet", code=3).stderr
    assert message.startswith("custcore: sales.parquet: there is no column 'customer_id' (customer id)")
    proposed = "Did you mean --customer-id household_id --timestamp transaction_timestamp --amount sales_value?"
    assert proposed in message
    assert message.count("\n") == 1
    run("rfm", "sales.parquet", *proposed[len("Did you mean ") : -1].split())


def test_one_column_is_proposed_and_quoted(run, tmp_path):
    save(sales().rename_columns(["Customer ID", "timestamp", "amount"]), tmp_path / "sales.parquet")
    assert "Did you mean --customer-id 'Customer ID'?" in run("rfm", "sales.parquet", code=3).stderr
    message = run("rfm", "sales.parquet", "--customer-id", "Customer ID", "--order-id", "bill", code=3).stderr
    assert "there is no column 'bill' (order id)" in message
    assert "did you mean" not in message.lower()
    assert "The columns are 'Customer ID', 'timestamp', 'amount'" in message


def test_no_money_is_proposed_where_nothing_looks_like_it(run, tmp_path):
    save(sales().drop_columns(["amount"]), tmp_path / "sales.parquet")
    assert "--no-amount" in run("rfm", "sales.parquet", code=3).stderr
    run("rfm", "sales.parquet", "--no-amount")


def test_a_column_of_the_wrong_type_names_a_better_one(run, tmp_path):
    table = sales(bought_at=sales()["timestamp"])
    save(table.set_column(1, "timestamp", table["timestamp"].cast(pa.string())), tmp_path / "sales.parquet")
    message = run("rfm", "sales.parquet", code=3).stderr
    assert "column 'timestamp'" in message
    assert "is string" in message
    assert "Did you mean --timestamp bought_at?" in message


def test_day_and_month_are_not_guessed(run, run_json, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id,timestamp,amount\nann,12/1/2010 8:26,10\n")
    message = run("rfm", "sales.csv", code=3).stderr
    assert "column 'timestamp'" in message
    for form, day in (("%m/%d/%Y %H:%M", "2010-12-01"), ("%d/%m/%Y %H:%M", "2010-01-12")):
        assert f"--timestamp-format '{form}'" in message
        assert run_json("rfm", "sales.csv", "--timestamp-format", form)["as_of"] == day
    assert "--timestamp-format" in run("inspect", "sales.csv").stdout


def test_a_csv_with_another_delimiter(run, run_json, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id;timestamp;amount\nann;2026-01-05;10\n")
    found = run_json("rfm", "sales.csv")
    assert found["all"]["revenue"] == 10
    assert any("semicolons" in remark for remark in found["remarks"])
    assert "'customer_id'" in run("rfm", "sales.csv", "--delimiter", ",", code=3).stderr


def test_an_id_that_turns_into_text_late_in_a_csv(run, tmp_path):
    lines = "".join(f"{i},2026-01-05,10\n" for i in range(400_000))
    (tmp_path / "sales.csv").write_text(f"customer_id,timestamp,amount\n{lines}A7,2026-01-06,5\n")
    run("rfm", "sales.csv", "-o", "scores.parquet")
    ids = pq.read_table(tmp_path / "scores.parquet")["customer_id"]
    assert ids.type == pa.string()
    assert ids.to_pylist()[-1] == "A7"


def test_files_that_do_not_go_together(run, tmp_path):
    save(sales(), tmp_path / "a.parquet")
    save(sales([1], [1.0]), tmp_path / "b.parquet")
    save(sales().drop_columns(["amount"]), tmp_path / "c.parquet")
    message = run("rfm", "a.parquet", "b.parquet", code=3).stderr
    assert "'customer_id' is string in a.parquet and int64 in b.parquet" in message
    message = run("rfm", "a.parquet", "c.parquet", code=3).stderr
    assert "column 'amount' is missing in c.parquet" in message


@pytest.mark.parametrize("name", ["sales.parquet", "sales.arrow", "sales.csv"])
def test_files_that_are_not_what_their_name_says(run, tmp_path, name):
    (tmp_path / name).write_bytes(b"" if name.endswith("csv") else b"PAR1 nothing of the kind")
    assert name in run("rfm", name, code=3).stderr


def test_bad_values_are_named_with_their_row(run, tmp_path):
    save(sales(amounts=(1.0, float("inf"), 1.0, 1.0, 1.0, 1.0)), tmp_path / "sales.parquet")
    assert "row 1" in run("rfm", "sales.parquet", code=3).stderr
    run("rfm", "sales.parquet", "--on-nonfinite", "drop")
    save(sales(), tmp_path / "sales.parquet")
    assert "row 4" in run("rfm", "sales.parquet", "--on-null", "error", code=3).stderr


@pytest.mark.parametrize(
    "words",
    [
        ["rfm"],
        ["rfm", "missing.parquet"],
        ["rfm", "missing*.parquet"],
        ["rfm", "folder"],
        ["rfm", "notes.doc"],
        ["rfm", "sales.parquet", "--bins", "many"],
        ["rfm", "sales.parquet", "--bins", "1"],
        ["rfm", "sales.parquet", "--bins", "5,5"],
        ["rfm", "sales.parquet", "--returns", "ignore"],
        ["rfm", "sales.parquet", "--as-of", "yesterday"],
        ["rfm", "sales.parquet", "--segments", "rf11"],
        ["rfm", "sales.parquet", "--threads", "0"],
        ["rfm", "sales.parquet", "--delimiter", "::"],
        ["rfm", "sales.parquet", "--amount", "amount", "--no-amount"],
        ["rfm", "sales.parquet", "--no-scores", "--ties", "split"],
        ["rfm", "sales.parquet", "-o", "scores.doc"],
        ["rfm", "sales.parquet", "-o", "nowhere/scores.parquet"],
        ["rfm", "sales.parquet", "-o", "sales.parquet"],
        ["rfm", "sales.parquet", "-o", "./sales.parquet"],
        ["rfm", "sales.parquet", "--frobnicate"],
        ["frobnicate"],
        ["inspect"],
        ["bench", "missing.csv"],
    ],
    ids=" ".join,
)
def test_wrong_calls_are_exit_code_2(run, tmp_path, words):
    save(sales(), tmp_path / "sales.parquet")
    before = (tmp_path / "sales.parquet").read_bytes()
    (tmp_path / "notes.doc").touch()
    (tmp_path / "folder").mkdir()
    result = run(*words, code=2)
    assert result.stdout == ""
    assert "Error:" in result.stderr
    assert (tmp_path / "sales.parquet").read_bytes() == before


def test_json_keeps_stdout_empty_when_it_fails(run, tmp_path):
    save(sales().rename_columns(JOURNEY), tmp_path / "sales.parquet")
    assert run("rfm", "sales.parquet", "--json", code=3).stdout == ""


def test_an_old_result_stands_when_writing_fails(run, tmp_path, monkeypatch):
    save(sales(), tmp_path / "sales.parquet")
    (tmp_path / "scores.parquet").write_bytes(b"old")

    def fail(_rows, sink, **_options):
        sink.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", fail)
    assert "No space left" in run("rfm", "sales.parquet", "-o", "scores.parquet", code=3).stderr
    assert (tmp_path / "scores.parquet").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_takes_the_place_of_the_old_one_with_its_permissions(tmp_path):
    target = tmp_path / "scores.csv"
    with replacing(target) as sink:
        sink.write(b"one")
        assert not target.exists()
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    with replacing(link) as sink:
        sink.write(b"two")
    assert link.is_symlink()
    assert target.read_bytes() == b"two"
    assert target.stat().st_mode & 0o777 == 0o640


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_ctrl_c_is_130_and_leaves_nothing(run, tmp_path, monkeypatch):
    save(sales(), tmp_path / "sales.parquet")

    def interrupted(_rows, sink, **_options):
        sink.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("pyarrow.parquet.write_table", interrupted)
    result = run("rfm", "sales.parquet", "-o", "scores.parquet", code=130)
    assert "interrupted" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["sales.parquet"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_real_process(tmp_path):
    path = save(sales(), tmp_path / "sales.parquet")
    code = """
        import faulthandler, sys, custcore
        from custcore.cli import main

        faulthandler.dump_traceback_later(60, exit=True)

        def long(*_data, **_options):
            print("started", flush=True)
            custcore._core._spin(60.0)

        custcore.rfm_scores = long
        sys.exit(main(["rfm", sys.argv[1]]))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=20)
        assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert "Traceback" not in message


def test_a_defect_is_neither_the_calls_nor_the_datas_fault(run, tmp_path, monkeypatch):
    save(sales(), tmp_path / "sales.parquet")

    def broken(*_data, **_options):
        raise custcore.errors.InternalError("internal error: what")

    monkeypatch.setattr(custcore, "rfm_scores", broken)
    assert "internal error" in run("rfm", "sales.parquet", code=1).stderr


def test_arithmetic_names_what_is_no_column(run, tmp_path):
    (tmp_path / "sales.csv").write_text("customer_id,timestamp,Quantity,UnitPrice\n1,2026-01-05,2,1.5\n")
    failed = run("rfm", "sales.csv", "--amount", "Quantity * Unit", code=3).stderr
    assert "In it, 'Unit' is no column; did you mean 'UnitPrice'?" in " ".join(failed.split())
    assert "'Quantity' is no column" not in failed
