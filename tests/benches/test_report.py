"""The pages of the benches: made of whatever results there are, and up to date."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benches import report, suite, suite_cohort, suite_days, suite_kmeans, suites
from benches.harness import load, machine, record, save
from benches.python.bench_days import show as show_days
from benches.python.rfm import RfmCase
from benches.report_headline import headline, targets, verdict
from benches.report_history import history
from benches.targets import HEADLINE, OTHERS, find, is_meant

BENCHES = Path(report.__file__).parent
HARDWARE = {"processor": "P", "vectors": [], "cores": 2, "last_cache": "", "memory_gib": 8.0, "system": "Linux 1"}
SUITES = {"rfm": suite, "cohort": suite_cohort, "kmeans": suite_kmeans}
TAKES = {"custcore": 0.1, "custcore-whole": 0.15, "polars-streaming": 0.6, "duckdb": 0.55, "pandas": 1.2}


def measured(case, revision="abc", **seconds):
    """A record of a case, as the harness writes it."""
    rows = [
        {
            "name": name,
            "version": "1",
            "median_seconds": taken,
            "seconds": [taken],
            "peak_bytes_above_input": int(taken * 1e8),
            "share_of_bandwidth": 0.1,
            "notes": {},
        }
        for name, taken in (seconds or TAKES).items()
    ]
    return {
        "bench": "rfm",
        "key": case.key,
        "case": dataclasses.asdict(case),
        "revision": revision,
        "date": "2026-01-01",
        "hardware": HARDWARE,
        "python": "3",
        "bandwidth_bytes_per_second": 10**10,
        "skipped": {},
        "contenders": rows,
    }


def days(rows, ids="gap2", seconds=0.5):
    case = suite_days.DaysCase(rows, rows // 10, ids, 2)
    run = {"median_seconds": seconds, "median_cpu": seconds, "seconds": [seconds]}
    return {
        **measured(case),
        "bench": "days",
        "contenders": [{"name": "custcore", "version": "1"} | run],
        "kept_bytes": 12 * rows,
        "peak_bytes": 15 * rows,
        "analyses": {"rfm of a past day": run},
    }


def all_results():
    """Made-up results of all cases."""
    found = {name: [measured(entry.case) for entry in module.SUITES["full"]()] for name, module in SUITES.items()}
    for records in found.values():
        for each in records:
            if each["case"].get("rfm"):
                each["contenders"] += [row | {"name": "rfm-alone"} for row in each["contenders"][:1]]
    for each in found["kmeans"]:
        each["contenders"] = [
            row | {"name": "scikit-learn"} if row["name"] == "duckdb" else row for row in each["contenders"]
        ]
    return found | {"days": [days(20_000_000), days(50_000_000), days(20_000_000, "dense", 2.0)]}


def test_every_line_of_the_headline_is_measured_by_one_command():
    must = {name: module.SUITES["must" if "must" in module.SUITES else "quick"]() for name, module in SUITES.items()}
    for target in HEADLINE:
        cases = [dataclasses.asdict(entry.case) | {"threads": 2} for entry in must[target.results]]
        assert any(is_meant(target, case) for case in cases), target
        entry = must[target.results][[is_meant(target, case) for case in cases].index(True)]
        assert set(target.against) & set(entry.contenders), target
        assert entry.rounds >= (5 if target.results != "kmeans" and entry.case.rows < 100_000_000 else 3)
    assert {case.rows for case in suite_days.must()} == {20_000_000, 50_000_000, 100_000_000}


def test_the_full_suites_measure_all_targets():
    full = {name: module.SUITES["full"]() for name, module in SUITES.items()}
    for target in [*HEADLINE, *OTHERS]:
        cases = [(dataclasses.asdict(entry.case) | {"threads": 2}, entry) for entry in full[target.results]]
        meant = [entry for case, entry in cases if is_meant(target, case)]
        assert meant, target
        assert any(set(target.against) & set(entry.contenders) for entry in meant), target


@pytest.mark.parametrize("name", ["must", "quick", "full"])
def test_no_case_is_measured_twice(name):
    for module in (*SUITES.values(), suite_days):
        entries = module.SUITES.get(name, list)()
        keys = [getattr(entry, "case", entry).key for entry in entries]
        assert len(set(keys)) == len(keys)


def test_suites_without_a_name_are_left_out(monkeypatch):
    monkeypatch.setattr(suite_days, "SUITES", {"full": list})
    assert [Path(file).name for file in suites.chosen("must")][:2] == ["suite.py", "suite_cohort.py"]
    assert "suite_days.py" not in {Path(file).name for file in suites.chosen("must")}


def test_the_headline_begins_with_gaps():
    lines = headline(all_results())
    rows = [line for line in lines if line.startswith("| ")]
    assert rows[1] == "| every 2nd id used | 0.100 | 0.150 | 5.5 x | 5 | met | 12.0 x | 0.18 |"
    assert "| ids without a gap | 0.100 | 0.150 | 5.5 x | 6 | **missed** | 12.0 x | 0.18 |" in rows
    assert "| level days, 20 M customer-days | 40.0 M | 1.25 | 12.0 | met | 0.50 |" in rows
    assert not [line for line in rows if "not measured" in line]
    assert len("\n".join(lines).splitlines()) < 45


def test_what_is_not_measured_says_so():
    empty = {name: [] for name in ("rfm", "cohort", "days", "kmeans")}
    rows = [line for line in headline(empty) if line.startswith("| ")]
    assert rows[1] == "| every 2nd id used | - | - | - | 5 | not measured | - | - |"
    assert targets(empty) == []
    few = empty | {"rfm": [measured(RfmCase(10_000_000, 1_000_000, ids="uuid"), custcore=0.5, duckdb=1.0)]}
    rows = [line for line in headline(few) if line.startswith("| UUID")]
    assert rows == ["| UUID texts of 36 bytes | 0.500 | 0.500 | 2.00 x | 3 | **missed** | - | 0.50 |"]


def test_a_ratio_below_its_target_is_missed():
    assert [verdict(ratio, 5) for ratio in (4.99, 5.0, None)] == ["**missed**", "met", "not measured"]
    assert verdict(1.0, None) == ""


def test_older_records_lack_fields():
    old = measured(RfmCase(10_000_000, 1_000_000), custcore=0.1, duckdb=0.7)
    del old["case"]["chunk_rows"]
    target = next(target for target in HEADLINE if target.label == "ids without a gap")
    assert find(target, {"rfm": [old]}) is old
    assert "| ids without a gap | **0.100** | 0.100 | 7.0 |" in "\n".join(report.rfm_section([old]))


def test_all_results_are_in_the_tables(tmp_path):
    results = all_results()
    page = report.results_page(results, tmp_path)
    tables = [line for line in page.splitlines() if line.startswith("|") and "**0.100**" in line]
    grouped = len([each for each in results["rfm"] if each["case"]["rows"] in (10_000_000, 100_000_000)])
    kmeans = [case for case in results["kmeans"] if case["case"]["task"] in ("iterations", "fit", "predict")]
    cohorts = [case for case in results["cohort"] if not case["case"]["rfm"]]
    assert len(tables) == grouped + len(kmeans) + len(cohorts)
    for line in page.splitlines():
        assert line.count("|") in (0, *range(3, 20)), line


@pytest.mark.parametrize("left", ["rfm", "cohort", "days", "kmeans"])
def test_pages_are_made_of_any_results(left, tmp_path):
    results = {name: records if name == left else [] for name, records in all_results().items()}
    assert report.results_page(results, tmp_path).startswith("# Benchmarks\n")
    assert history(results, tmp_path).startswith("# History of the benchmarks\n")


def test_earlier_runs_are_kept(tmp_path):
    case, path = RfmCase(10_000_000, 1_000_000, ids="gap2"), tmp_path / "rfm.json"
    for commit, taken in (("one", 0.4), ("two", 0.3), ("two", 0.2), ("three", 0.1)):
        save(measured(case, commit, custcore=taken, duckdb=0.8), path)
    (kept,) = load(path).values()
    assert kept["revision"] == "three"
    assert [(run["revision"], run["seconds"]["custcore"]) for run in kept["earlier"]] == [("one", 0.4), ("two", 0.2)]
    page = history({"rfm": [kept]}, tmp_path)
    runs = "0.400 (2.0), 2026-01-01 one; 0.200 (4.0), 2026-01-01 two; 0.100 (8.0), 2026-01-01 three"
    assert f"| rfm: {case.key} | {runs} |" in page
    for number in range(2 * record.EARLIER):
        save(measured(case, f"c{number}"), path)
    assert len(load(path)[case.key]["earlier"]) == record.EARLIER


def test_records_without_medians_are_replaced(tmp_path):
    path = tmp_path / "base.json"
    for revision in ("one", "two"):
        save({"key": "days 2 threads", "revision": revision}, path)
    assert load(path) == {"days 2 threads": {"key": "days 2 threads", "revision": "two"}}


def test_results_do_not_change_the_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "__file__", str(tmp_path / "machine.py"))
    for words in (["init", "-q"], ["config", "user.email", "a@example.org"], ["config", "user.name", "A"]):
        machine._git(*words)

    def commit(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        machine._git("add", "-A")
        machine._git("commit", "-qm", text)
        return machine.revision()

    first = commit("code.py", "1")
    assert first
    assert commit("benches/results/rfm.json", "2") == first
    assert commit("BENCHMARKS.md", "3") == first
    (tmp_path / "benches/results/rfm.json").write_text("4")
    assert machine.revision() == first
    (tmp_path / "code.py").write_text("5")
    assert machine.revision() == f"{first}+"
    assert commit("code.py", "6") not in (first, f"{first}+")


def test_days_are_shown():
    text = show_days(days(20_000_000))
    assert "40.0 M rows/s; kept 229 MiB, 12.0 bytes a customer-day; peak 286 MiB, 1.25 of what is kept" in text


def test_committed_pages_are_those_of_the_committed_results():
    results = report.read(BENCHES / "results")
    picture = "results/growth.svg" if (BENCHES / "results/growth.svg").exists() else None
    page = report.results_page(results, BENCHES / "results")
    assert (BENCHES.parent / "BENCHMARKS.md").read_text() == page, "run `make bench-report`"
    assert (BENCHES / "HISTORY.md").read_text() == history(results, BENCHES / "results", picture)


def test_results_are_json_of_a_record_a_line():
    for path in (BENCHES / "results").glob("*.json"):
        lines = path.read_text().splitlines()
        assert (lines[0], lines[-1]) == ("[", "]")
        keys = [json.loads(line.rstrip(","))["key"] for line in lines[1:-1]]
        assert keys == sorted(keys)
