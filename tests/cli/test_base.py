"""``custcore base``: a base in a file that a daily job updates, each file once, whole or not at all."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.cli import _base_update
from tests.cli.conftest import save

fcntl = pytest.importorskip("fcntl")


def day(number, ids, amounts=None, **columns):
    """The purchases of one day."""
    amounts = [float(10 * number + at) for at in range(len(ids))] if amounts is None else amounts
    times = [dt.date(2026, 1, number)] * len(ids)
    return pa.table({"customer_id": ids, "timestamp": times, "amount": amounts} | columns)


DAYS = [day(1, ["ann", "bob"]), day(2, ["ann", "cleo", None]), day(3, ["dan", "bob", "bob"], [5.0, 7.5, -2.5])]
WHOLE = pa.concat_tables(DAYS)


@pytest.fixture
def days(tmp_path):
    """Files of three days."""
    for number, table in enumerate(DAYS, 1):
        save(table, tmp_path / f"day{number}.parquet")
        csv.write_csv(table, tmp_path / f"day{number}.csv")
    return [f"day{number}.parquet" for number in (1, 2, 3)]


def loaded(path):
    return custcore.CustomerBase.load(path)


def test_a_daily_job_is_the_whole_history(run, run_json, tmp_path, days):
    run("base", "init", "b.base", "--track", "days")
    for name in days:
        shown = run("base", "update", "b.base", name).stdout
        assert f"{name}: " in shown
    assert "1 row without a customer id" in run("base", "status", "b.base").stdout
    assert "left out  nothing" in shown  # of the last update, not of all
    found = run_json("base", "rfm", "b.base", "-o", "scores.parquet")
    expected = custcore.rfm_scores(WHOLE)
    assert pq.read_table(tmp_path / "scores.parquet").to_pylist() == expected.to_pylist()
    assert (found["customers"], found["as_of"]) == (4, "2026-01-03")
    assert found["all"]["revenue"] == pytest.approx(sum(expected["monetary_total"]))


def test_an_update_of_a_file_that_is_there_changes_nothing(run, run_json, tmp_path, days):
    run("base", "init", "b.base")
    first = run_json("base", "update", "b.base", days[0], days[1])
    assert [batch["is_known"] for batch in first["batches"]] == [False, False]
    assert [batch["rows"] for batch in first["batches"]] == [2, 3]
    assert (first["rows"], first["customers"], first["new_customers"]) == (5, 3, 3)
    before = (tmp_path / "b.base").read_bytes(), (tmp_path / "b.base").stat().st_mtime_ns
    shutil.copy(tmp_path / days[1], tmp_path / "renamed.parquet")
    shown = run("base", "update", "b.base", "renamed.parquet").stdout
    assert "renamed.parquet: already in the base (batch sha256:" in shown
    assert "nothing added" in shown
    assert ((tmp_path / "b.base").read_bytes(), (tmp_path / "b.base").stat().st_mtime_ns) == before
    # Known and new files together: the new ones are added.
    again = run_json("base", "update", "b.base", *days, "renamed.parquet")
    assert [batch["is_known"] for batch in again["batches"]] == [True, True, False, True]
    assert (again["rows"], loaded(tmp_path / "b.base").n_rows) == (3, 8)
    assert len(loaded(tmp_path / "b.base").batch_ids) == 3


def test_the_same_content_twice_in_one_update_is_added_once(run_json, run, tmp_path, days):
    shutil.copy(tmp_path / days[0], tmp_path / "copy.parquet")
    run("base", "init", "b.base")
    found = run_json("base", "update", "b.base", days[0], "copy.parquet")
    assert [batch["is_known"] for batch in found["batches"]] == [False, True]
    assert loaded(tmp_path / "b.base").n_rows == 2


def test_compressed_content_is_the_same_content(run_json, run, tmp_path):
    text = b"customer_id,timestamp,amount\nann,2026-01-01,5\nbob,2026-01-02,7\n"
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text, mtime=1))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", text)
    run("base", "init", "b.base")
    found = run_json("base", "update", "b.base", "a.csv.gz", "a.csv", "b.csv.gz", "a.zip")
    assert [batch["is_known"] for batch in found["batches"]] == [False, True, True, True]
    assert found["batches"][0]["batch_id"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
    assert loaded(tmp_path / "b.base").n_rows == 2


def test_a_damaged_compressed_file_is_an_error_and_adds_nothing(run, tmp_path):
    rows = "".join(f"{row * 7919 % 100003},2026-01-{row % 28 + 1:02d},{row * 31 % 977}\n" for row in range(200_000))
    whole = gzip.compress(f"customer_id,timestamp,amount\n{rows}".encode())
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) * 9 // 10])
    run("base", "init", "b.base")
    before = (tmp_path / "b.base").read_bytes()
    assert "a.csv.gz is damaged" in run("base", "update", "b.base", "a.csv.gz", code=3).stderr
    assert (tmp_path / "b.base").read_bytes() == before


def test_a_base_that_is_not_there_leaves_no_lock(run, tmp_path, days):
    assert "there is no base none.base" in run("base", "update", "none.base", days[0], code=2).stderr
    assert not (tmp_path / "none.base.lock").exists()


def test_a_wait_of_nan_seconds_is_refused(run, days):
    run("base", "init", "b.base")
    shown = run("base", "update", "b.base", days[0], "--lock-timeout", "nan", code=2).stderr
    assert "'nan' is no number of seconds" in shown


def test_rows_that_are_chosen_otherwise_are_another_batch(run, run_json, tmp_path):
    save(day(1, ["ann", "bob"], country=["DE", "FR"]), tmp_path / "s.parquet")
    run("base", "init", "b.base")
    for country, known in (("DE", False), ("FR", False), ("DE", True)):
        found = run_json("base", "update", "b.base", "s.parquet", "--where", f"country = '{country}'")
        assert found["batches"][0]["is_known"] is known
    assert loaded(tmp_path / "b.base").n_rows == 2
    # Folders that state columns make the same bytes other rows.
    for country in ("DE", "FR"):
        (tmp_path / f"country={country}").mkdir()
        save(day(2, ["eve"]), tmp_path / f"country={country}" / "part.parquet")
    run("base", "init", "c.base", "--customer-id", "country,customer_id")
    found = run_json("base", "update", "c.base", "country=DE", "country=FR")
    assert [batch["is_known"] for batch in found["batches"]] == [False, False]
    assert run_json("base", "status", "c.base")["customers"] == 2


def test_a_batch_id_names_all_files(run, run_json, tmp_path, days):
    run("base", "init", "b.base")
    found = run_json("base", "update", "b.base", *days[:2], "--batch-id", "2026-01-02")
    assert found["batches"] == [{"files": days[:2], "batch_id": "2026-01-02", "rows": 5, "is_known": False}]
    shown = run("base", "update", "b.base", days[2], "--batch-id", "2026-01-02").stdout
    assert "already in the base (batch 2026-01-02), nothing added" in shown
    assert loaded(tmp_path / "b.base").batch_ids == ["2026-01-02"]
    assert "--batch-id is empty" in run("base", "update", "b.base", days[2], "--batch-id", "", code=2).stderr


def test_of_files_with_a_broken_one_nothing_is_added(run, tmp_path, days):
    run("base", "init", "b.base")
    run("base", "update", "b.base", days[0])
    before = (tmp_path / "b.base").read_bytes()
    (tmp_path / "broken.csv").write_text("customer_id,timestamp,amount\nann,2026-01-05,10\nbob,2026-01-05\n")
    (tmp_path / "half.parquet").write_bytes((tmp_path / days[2]).read_bytes()[:300])
    save(day(2, ["x"], [float("inf")]), tmp_path / "infinite.parquet")
    save(day(2, [7]), tmp_path / "numbers.parquet")
    for name in ("broken.csv", "half.parquet", "infinite.parquet", "numbers.parquet"):
        for order in ([days[1], name], [name, days[1]], [days[1], name, days[2]]):
            assert name in run("base", "update", "b.base", *order, code=3).stderr
            assert (tmp_path / "b.base").read_bytes() == before
    assert "there is no file none.csv" in run("base", "update", "b.base", days[1], "none.csv", code=2).stderr
    assert (tmp_path / "b.base").read_bytes() == before
    run("base", "update", "b.base", *days[1:])  # the good ones are still new
    assert loaded(tmp_path / "b.base").n_rows == 8


def test_a_file_that_is_still_written_is_not_added(run, tmp_path, days, monkeypatch):
    run("base", "init", "b.base")
    before = (tmp_path / "b.base").read_bytes()
    real = custcore.CustomerBase.update

    def slow(self, data, **given):
        real(self, data, **given)
        with (tmp_path / "day1.csv").open("a") as file:
            file.write("eve,2026-01-01,1\n")

    monkeypatch.setattr(custcore.CustomerBase, "update", slow)
    assert "day1.csv changed while it was read" in run("base", "update", "b.base", "day1.csv", code=3).stderr
    assert (tmp_path / "b.base").read_bytes() == before


def test_a_file_that_changes_after_its_content_was_looked_at_is_not_added(run, tmp_path, days, monkeypatch):
    run("base", "init", "b.base")
    before = (tmp_path / "b.base").read_bytes()
    real = _base_update._content_id

    def replaced(place, chosen):
        found = real(place, chosen)
        (tmp_path / "day1.csv").write_bytes((tmp_path / "day3.csv").read_bytes())
        return found

    monkeypatch.setattr(_base_update, "_content_id", replaced)
    assert "day1.csv changed while it was read" in run("base", "update", "b.base", "day1.csv", code=3).stderr
    assert (tmp_path / "b.base").read_bytes() == before


def test_init_does_not_replace_a_file(run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "notes.txt exists already" in run("base", "init", "notes.txt", code=2).stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"
    run("base", "init", "b.base")
    assert "exists already" in run("base", "init", "b.base", "--track", "days", code=2).stderr
    assert loaded(tmp_path / "b.base").track == "totals"
    assert "does not exist" in run("base", "init", "no/b.base", code=2).stderr
    assert "there is no base none.base" in run("base", "update", "none.base", "notes.txt", code=2).stderr
    for verb in ("status", "rfm"):
        assert "there is no base none.base" in run("base", verb, "none.base", code=2).stderr
        assert "notes.txt" in run("base", verb, "notes.txt", code=3).stderr


def test_settings_reach_the_base(run, run_json, tmp_path):
    words = [
        "--customer-id", "country,who", "--timestamp", "at", "--amount", "price * pieces", "--order-id", "bill",
        "--track", "orders", "--attributes", "region=first,mail", "--returns", "exclude",
        "--timezone", "Europe/Berlin", "--on-null", "error", "--on-nonfinite", "drop", "--late", "report",
        "--max-memory", "64MiB", "--n-days",
    ]  # fmt: skip
    made = run_json("base", "init", "b.base", *words)
    expected = custcore.CustomerBase(
        customer_id=["country", "who"], timestamp="at", amount="price * pieces", order_id="bill", track="orders",
        attributes={"region": "first", "mail": "last"}, returns="exclude", timezone="Europe/Berlin", on_null="error",
        on_nonfinite="drop", late="report", max_memory="64MiB", n_days=True,
    )  # fmt: skip
    assert loaded(tmp_path / "b.base").settings == expected.settings
    assert made["settings"] == expected.settings
    status = run_json("base", "status", "b.base")
    assert (status["settings"], status["customers"], status["batches"]) == (expected.settings, 0, 0)
    shown = run("base", "status", "b.base").stdout
    for text in ("country,who", "price * pieces", "region=first,mail", "Europe/Berlin", "orders"):
        assert text in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--order-id", "bill"], "--track orders"),
        (["--amount", "x", "--no-amount"], "exclude each other"),
        (["--timezone", "Europe/Berlni"], "Berlin"),
        (["--max-memory", "lots"], "lots"),
        (["--attributes", "customer_id,customer_id"], "twice"),
    ],
)
def test_settings_that_cannot_be(run, tmp_path, words, said):
    assert said in run("base", "init", "b.base", *words, code=2).stderr
    assert not (tmp_path / "b.base").exists()


def test_composite_ids_and_arithmetic(run, tmp_path):
    # Whole, decimal and float prices, which are integers, decimals and floats by themselves.
    for number, prices in enumerate((("2.5", "0.1"), ("3", "3"), ("1e1", "0.25")), 1):
        lines = "".join(f"{shop},1,2026-01-0{number},{price},3\n" for shop, price in zip("AB", prices, strict=True))
        (tmp_path / f"{number}.csv").write_text(f"shop,id,at,price,pieces\n{lines}")
    for order in ((1, 2, 3), (2, 3, 1), (3, 1, 2)):
        run(
            "base",
            "init",
            f"{order}.base",
            "--customer-id",
            "shop,id",
            "--timestamp",
            "at",
            "--amount",
            "price * pieces",
        )
        for number in order:
            run("base", "update", f"{order}.base", f"{number}.csv")
        run("base", "rfm", f"{order}.base", "--no-scores", "-o", "t.parquet")
        found = pq.read_table(tmp_path / "t.parquet").select(["shop", "id", "monetary_total"]).to_pylist()
        assert found == [
            {"shop": "A", "id": 1, "monetary_total": 46.5},
            {"shop": "B", "id": 1, "monetary_total": 10.05},
        ]


def test_ids_that_look_like_numbers_one_day(run, run_json, tmp_path):
    for number, ids in ((1, "A7,007"), (2, "7,12")):
        lines = "".join(f"{name},2026-01-0{number},1\n" for name in ids.split(","))
        (tmp_path / f"d{number}.csv").write_text(f"customer_id,timestamp,amount\n{lines}")
    run("base", "init", "b.base")
    run("base", "update", "b.base", "d1.csv")
    found = run_json("base", "update", "b.base", "d2.csv")
    assert "ids are read as text, as they are in the base" in found["remarks"]
    run("base", "rfm", "b.base", "-o", "s.parquet")
    assert pq.read_table(tmp_path / "s.parquet")["customer_id"].to_pylist() == ["007", "12", "7", "A7"]
    # The other way round the earlier ids are numbers for good.
    run("base", "init", "c.base")
    run("base", "update", "c.base", "d2.csv")
    assert "ids were integers" in run("base", "update", "c.base", "d1.csv", code=3).stderr


def test_columns_of_a_base_are_chosen_by_init(run, tmp_path, days):
    run("base", "init", "b.base", "--customer-id", "who")
    message = run("base", "update", "b.base", days[0], code=3).stderr
    assert "there is no column 'who' (customer id)" in message
    assert "The columns of a base are chosen by `custcore base init`" in message


def test_scores_as_of_a_day_with_lists_and_models(run, run_json, tmp_path, days):
    run("base", "init", "b.base", "--track", "days")
    run("base", "update", "b.base", *days)
    found = run_json(
        "base", "rfm", "b.base", "--as-of", "2026-01-02", "--top", "2", "-o", "l.parquet", "--save-model", "m.json"
    )
    expected = custcore.rfm_scores(WHOLE, as_of="2026-01-02").sort_by("monetary_total", descending=True)
    assert pq.read_table(tmp_path / "l.parquet").to_pylist() == expected.head(2).to_pylist()
    assert (found["list"]["customers"], found["list"]["of"]) == (2, 3)
    found = run_json("base", "rfm", "b.base", "--model", "m.json", "-o", "now.parquet")
    scorer = custcore.RFMScorer().fit(custcore.rfm(WHOLE, as_of="2026-01-02"))
    assert pq.read_table(tmp_path / "now.parquet").to_pylist() == scorer.transform(custcore.rfm(WHOLE)).to_pylist()
    assert found["drift"] == scorer.drift(custcore.rfm(WHOLE)).to_pylist()
    shown = run("base", "rfm", "b.base", "--model", "m.json").stdout
    assert "PSI" in shown
    assert "scored by m.json" in shown
    assert "'champions'" in run("base", "rfm", "b.base", "--segment", "champion", code=2).stderr
    run("base", "rfm", "b.base", "--bins", "3", "--segments", "none", "-o", "three.parquet")
    assert max(pq.read_table(tmp_path / "three.parquet")["m_score"].to_pylist()) == 3
    excluded = (
        ["--no-scores", "--bins", "3"],
        ["--no-scores", "--segment", "champions"],
        ["--no-scores", "--model", "m.json"],
        ["--model", "m.json", "--ties", "split"],
        ["--model", "m.json", "--save-model", "n.json"],
    )
    for words in excluded:
        assert "exclude each other" in run("base", "rfm", "b.base", *words, code=2).stderr
    run("base", "init", "t.base")
    run("base", "update", "t.base", *days)
    message = run("base", "rfm", "t.base", "--as-of", "2026-01-02", code=2).stderr
    assert "--as-of 2026-01-02 is before the last day in the base, 2026-01-03" in message
    shutil.copy(tmp_path / "b.base", tmp_path / "b.parquet")
    assert "is the base" in run("base", "rfm", "b.parquet", "-o", "./b.parquet", code=2).stderr


def test_an_empty_base_has_no_scores(run, run_json, days):
    run("base", "init", "b.base", "--track", "days")
    assert "b.base is empty; add files" in run("base", "rfm", "b.base", code=3).stderr
    assert run_json("base", "status", "b.base")["first_purchase"] is None
    run("base", "update", "b.base", days[1])
    assert (
        "no customers with a purchase as of 2025-01-01"
        in run("base", "rfm", "b.base", "--as-of", "2025-01-01", code=3).stderr
    )


def test_quiet_is_quiet(run, days):
    run("base", "init", "b.base", "--quiet")
    for words in (["update", "b.base", days[0]], ["update", "b.base", days[0]], ["rfm", "b.base", "-o", "s.csv"]):
        result = run("base", *words, "--quiet")
        assert (result.stdout, result.stderr) == ("", "")
    assert run("base", "update", "b.base", "nothing.csv", "--quiet", code=2).stderr != ""


def test_status_tells_what_is_in_it(run, run_json, tmp_path, days):
    run("base", "init", "b.base")
    run("base", "update", "b.base", *days)
    found = run_json("base", "status", "b.base")
    base = loaded(tmp_path / "b.base")
    assert (found["customers"], found["buyers"], found["rows"], found["batches"]) == (4, 4, 8, 3)
    assert (found["first_purchase"], found["last_day"]) == ("2026-01-01", "2026-01-03")
    assert found["bytes"] == (tmp_path / "b.base").stat().st_size
    assert found["batch_ids"] == base.batch_ids
    assert found["settings"] == base.settings
    assert {entry["name"]: entry["count"] for entry in found["report"]}["null_customer_id"] == 1
    shown = run("base", "status", "b.base").stdout
    for text in ("b.base: 4 customers of 8 rows", "2026-01-01", "2026-01-03", "--track", "totals"):
        assert text in shown


def test_another_writer_is_waited_for(run, tmp_path, days):
    run("base", "init", "b.base")
    before = (tmp_path / "b.base").read_bytes()
    with (tmp_path / "b.base.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = run("base", "update", "b.base", days[0], "--lock-timeout", "0.2", code=4)
        assert "b.base is being changed by another process, which did not end within 0.2 s" in result.stderr
        assert "waiting for" in result.stderr
        assert run("base", "update", "b.base", days[0], "--lock-timeout", "0", "-q", code=4).stderr.count("\n") == 1
        run("base", "status", "b.base")  # reading needs no lock
        run("base", "init", "b.base", code=4)
    assert (tmp_path / "b.base").read_bytes() == before
    run("base", "update", "b.base", days[0], "--lock-timeout", "0")


def command(*words):
    return [sys.executable, "-m", "custcore", "base", *map(str, words)]


def test_jobs_at_once_add_every_file_once(run, tmp_path):
    for number in range(1, 7):
        save(day(number, [f"c{number}", "all"]), tmp_path / f"day{number}.parquet")
    run("base", "init", "b.base")
    jobs = [
        subprocess.Popen(
            command("update", "b.base", f"day{number}.parquet", "-q"), cwd=tmp_path, stderr=subprocess.PIPE
        )
        for number in (1, 2, 3, 4, 5, 6, 6, 1)
    ]
    assert [(job.wait(timeout=120), job.stderr.close()) for job in jobs] == [(0, None)] * 8
    base = loaded(tmp_path / "b.base")
    assert (base.n_rows, len(base), len(base.batch_ids)) == (12, 7, 6)


KILLED = """
import os, signal, sys, custcore
from custcore.cli import main
real = custcore.CustomerBase.save
def save(self, path):
    if sys.argv[1] == "after":
        real(self, path)
    os.kill(os.getpid(), signal.SIGKILL)
custcore.CustomerBase.save = save
main(sys.argv[2:])
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_update_is_whole_or_nothing(run, tmp_path, days, moment):
    run("base", "init", "b.base")
    run("base", "update", "b.base", days[0])
    words = [sys.executable, "-c", KILLED, moment, "base", "update", "b.base", *days[1:]]
    assert subprocess.run(words, cwd=tmp_path, timeout=120).returncode == -signal.SIGKILL
    assert loaded(tmp_path / "b.base").n_rows == (2 if moment == "before" else 8)
    run("base", "update", "b.base", *days, "--lock-timeout", "0")  # its lock ended with it
    assert loaded(tmp_path / "b.base").n_rows == 8
    assert run("base", "rfm", "b.base", "--no-scores", "-o", "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == custcore.rfm(WHOLE).to_pylist()


def test_an_update_killed_in_the_midst_of_writing_leaves_the_old_base(run, tmp_path):
    many = 400_000
    times = pa.array(np.full(many, np.datetime64("2026-01-01")))
    for number in (1, 2):
        ids = pa.array(np.arange(many) + number * many // 2)
        save(
            pa.table({"customer_id": ids, "timestamp": times, "amount": np.ones(many)}), tmp_path / f"{number}.parquet"
        )
    run("base", "init", "b.base")
    run("base", "update", "b.base", "1.parquet", "-q")
    before = (tmp_path / "b.base").read_bytes()
    seen = 0
    for _ in range(20):
        job = subprocess.Popen(command("update", "b.base", "2.parquet", "-q"), cwd=tmp_path)
        while job.poll() is None:
            if any(path.name.startswith(".b.base.") for path in tmp_path.iterdir()):
                job.kill()
                break
        if job.wait(timeout=60) == -signal.SIGKILL and (tmp_path / "b.base").read_bytes() == before:
            seen += 1
            break
        # The draft replaced the base before the signal came: all of it is there, and the next try starts anew.
        assert loaded(tmp_path / "b.base").n_rows == 2 * many
        (tmp_path / "b.base").write_bytes(before)
    assert seen == 1
    assert loaded(tmp_path / "b.base").n_rows == many
    run("base", "update", "b.base", "2.parquet", "-q")
    assert loaded(tmp_path / "b.base").n_rows == 2 * many
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.parquet", "2.parquet", "b.base", "b.base.lock"]


def test_an_interrupted_update_adds_nothing(run, tmp_path, days, monkeypatch):
    run("base", "init", "b.base")
    before = (tmp_path / "b.base").read_bytes()

    def interrupted(*_given, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(custcore.CustomerBase, "save", interrupted)
    assert "interrupted" in run("base", "update", "b.base", days[0], code=130).stderr
    assert (tmp_path / "b.base").read_bytes() == before


def test_files_from_stdin_and_in_archives(tmp_path, days, run):
    run("base", "init", "b.base")
    text = (tmp_path / "day1.csv").read_bytes()
    for known in (False, True):
        done = subprocess.run(
            [*command("update", "b.base", "-", "--format", "csv", "--json")], cwd=tmp_path, input=text,
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout)["batches"][0]["is_known"] is known
    assert run("base", "update", "b.base", "day1.csv").stdout.startswith("day1.csv: already in the base")


def test_what_is_left_out_is_that_of_the_update(run_json, run, tmp_path):
    run("base", "init", "b.base")
    for number, amounts in ((1, (1.0, None)), (2, (None, None)), (3, (1.0, 2.0))):
        save(day(number, ["ann", None], pa.array(amounts, pa.float64())), tmp_path / f"{number}.parquet")
    for number, nulls in ((1, 0), (2, 1), (3, 0)):
        found = run_json("base", "update", "b.base", f"{number}.parquet")
        report = {entry["name"]: entry["count"] for entry in found["report"]}
        assert (report["null_customer_id"], report["null_amount"]) == (1, nulls)
