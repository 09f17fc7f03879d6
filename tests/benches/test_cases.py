"""The contenders of the benches give equal results on small cases, and a difference is found."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benches.harness import FailedError, UnequalError, installed_version
from benches.python import affinity, cohort, rfm
from benches.python.affinity import PairCase
from benches.python.bench_days import DaysCase, checked, child, customer_days
from benches.python.cohort import CohortCase
from benches.python.rfm import RfmCase

PLAIN = RfmCase(6_000, 600)
CASES = [
    *(replace(PLAIN, ids=ids) for ids in ("dense", "gap2", "gap7", "gap30", "gaps", "sparse", "string", "uuid")),
    replace(PLAIN, ids="dictionary"),
    replace(PLAIN, ids="gap2", order="clustered", sort=False),
    replace(PLAIN, ids="gap2", order_id=True),
    replace(PLAIN, ids="gap2", chunk_rows=0),
    replace(PLAIN, ids="uuid", chunk_rows=1_000),
    *(replace(PLAIN, ids=ids, source="parquet") for ids in ("gap2", "string", "dictionary", "dictionaries")),
]


def able(bench, case):
    """The contenders that are installed and can do a case."""
    for name, contender in bench.contenders.items():
        if installed_version(contender.package) is not None and contender.refuses(case) is None:
            yield name, contender


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_contenders_agree(case, tmp_path):
    path = rfm.BENCH.write(case, tmp_path).path
    found = {}
    for name, contender in able(rfm.BENCH, case):
        work = contender.prepare(case, path)
        found[name] = work.to_arrow(work.run())
    assert {"custcore", "custcore-whole", "pandas", "pyarrow"} <= found.keys()
    assert ("numpy" in found) == (case.ids in ("dense", "gap2", "gap7", "gap30", "gaps"))
    for table in found.values():
        rfm.BENCH.compare(case, found["custcore"], table)
    assert found["custcore"].num_rows == 600
    assert "segment" in found["custcore-whole"].column_names


def test_a_difference_is_found(tmp_path):
    case = replace(PLAIN, ids="gap2")
    work = rfm.CONTENDERS["custcore"].prepare(case, rfm.BENCH.write(case, tmp_path).path)
    right = work.to_arrow(work.run())
    for column in ("customer_id", "recency_days", "n_orders", "monetary_total", "m_score"):
        values = right[column].to_pylist()
        values[300] = values[300] % 5 + 1 if column == "m_score" else values[300] + 1
        wrong = right.set_column(right.column_names.index(column), column, pa.array(values, right[column].type))
        with pytest.raises(UnequalError):
            rfm.BENCH.compare(case, right, wrong)


def test_columns_are_asked_for_where_a_build_knows_them(tmp_path, monkeypatch):
    custcore = pytest.importorskip("custcore")
    path, asked = rfm.BENCH.write(PLAIN, tmp_path).path, []

    def newer(data, *, order_id, sort, n_threads, columns=None):
        asked.append(columns)

    def older(data, *, order_id, sort, n_threads):
        asked.append("no columns")

    for build in (newer, older):
        monkeypatch.setattr(custcore, "rfm_scores", build)
        for name in ("custcore", "custcore-whole"):
            rfm.CONTENDERS[name].prepare(PLAIN, path).run()
    columns = ["recency_days", "n_orders", "monetary_total", "r_score", "f_score", "m_score"]
    assert asked == [columns, None, "no columns", "no columns"]


def test_each_row_group_has_a_dictionary(tmp_path):
    case = replace(PLAIN, ids="dictionaries", source="parquet", chunk_rows=1_000)
    file = pq.ParquetFile(rfm.BENCH.write(case, tmp_path).path)
    assert file.num_row_groups == 6
    found = [file.read_row_group(i)["customer_id"].chunk(0).dictionary.to_pylist() for i in range(6)]
    assert all(set(found[0]) != set(names) for names in found[1:])
    assert found[0] != sorted(found[0])
    with pytest.raises(ValueError, match="needs source parquet"):
        rfm.BENCH.write(replace(case, source="memory"), tmp_path)


def test_batches_are_as_asked(tmp_path):
    for chunk_rows, batches in ((0, [6_000]), (2_500, [2_500, 2_500, 1_000])):
        path = rfm.BENCH.write(replace(PLAIN, chunk_rows=chunk_rows), tmp_path).path
        with pa.OSFile(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
        assert [batch.num_rows for batch in table.to_batches()] == batches


def test_keys_are_those_of_older_records():
    known = "6000 rows, 600 customers, dense ids, order time, from memory, sorted, 2 threads"
    assert known == PLAIN.key
    assert replace(PLAIN, chunk_rows=0).key == f"{known}, one batch"
    assert replace(PLAIN, chunk_rows=9).key == f"{known}, chunks of 9"


@pytest.mark.parametrize("ids", ["gap2", "gaps", "uuid"])
def test_cohort_contenders_agree(ids, tmp_path):
    case = CohortCase(6_000, 600, ids=ids)
    path = cohort.BENCH.write(case, tmp_path).path
    found = {}
    for name, contender in able(cohort.BENCH, case):
        if name in cohort.PEERS:
            work = contender.prepare(case, path)
            found[name] = work.to_arrow(work.run())
    assert len(found) >= 3
    for table in found.values():
        cohort.BENCH.compare(case, found["custcore"], table)


@pytest.mark.parametrize("source", ["made", "online_retail"])
def test_pair_contenders_agree(source, tmp_path):
    case = PairCase(source, 20_000, 300, 20 if source == "made" else 100)
    path = affinity.BENCH.write(case, tmp_path).path
    found = {}
    for name, contender in able(affinity.BENCH, case):
        work = contender.prepare(case, path)
        found[name] = work.to_arrow(work.run())
    assert {"custcore", "duckdb"} <= found.keys()
    for table in found.values():
        assert affinity.BENCH.compare(case, found["custcore"], table)["pairs"] > 100
    wrong = found["custcore"].slice(1)
    with pytest.raises(UnequalError, match="pairs instead of"):
        affinity.BENCH.compare(case, found["custcore"], wrong)


def test_days_are_measured():
    case = DaysCase(5_000, 500, "gap2")
    found = child(case, 2, check=True)
    assert found["customers"] > 450
    assert found["kept_bytes"] > 0
    assert len(found["fold"]["seconds"]) == 2
    assert {"rfm of a past day", "cohorts by month", "measures by month", "CLV summary"} <= found["analyses"].keys()


def test_days_are_compared():
    custcore = pytest.importorskip("custcore")
    rows = customer_days(DaysCase(5_000, 500, "gap2"))
    base = custcore.CustomerBase(track="days")
    base.update(rows.slice(1))
    with pytest.raises(FailedError, match="differs"):
        checked(base, rows, 2)
