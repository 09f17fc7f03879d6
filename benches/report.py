"""Generate BENCHMARKS.md and benches/HISTORY.md of the results in ``benches/results`` and the notes ``learnt*.md``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.harness import load
from benches.python import cohort, rfm
from benches.report_base import section as base_section
from benches.report_cohort import section as cohort_section
from benches.report_headline import Results, headline
from benches.report_history import history
from benches.report_more import kmeans_section, more_sections
from benches.report_rfm import section as rfm_section
from benches.tables import by_name

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent

METHOD = """## Method

- One seeded generator (`benches/data.py`): three years, amounts of whole cents, some customers keener than others.
- Each contender has a process of its own, its input loaded as it likes it: that is not timed. From Parquet, each reads
  with the reader that suits it best, and that is timed; the file is in the page cache.
- Runs are interleaved (custcore, pandas, Polars, DuckDB, ..., custcore, ...), one at a time; medians are quoted. The
  machine may be shared and drift, so the ratios say more than the seconds.
- Every result is compared with custcore's, row by row, before times are quoted: ids, days, orders the same, money up to
  1e-6 of itself. Scores may differ only where a value lies within 1e-6 of an edge: float sums fall on either side.
- Peak memory is the growth of the peak of the process above its size with the input loaded, in the first run.
- The share of the bandwidth: the time that reading the columns once would take, at the rate at which the machine read
  memory between the rounds of the same run with as many threads, by the median. From Parquet it is that of the file.
- `make bench CASES=must` measures the cases of the table above but k-means (half an hour on a quiet machine), `make
  bench` 10 million rows, `make bench-full` everything; `MISSING=1` resumes a run. `benches/python/bench_rfm.py`
  measures a case of your own.
"""


def machines(records: list[Record]) -> list[str]:
    """The machine, dates and versions of the measurements."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        machine = record["hardware"]
        vectors = f" ({', '.join(machine['vectors'])})" if machine["vectors"] else ""
        words = f"{machine['processor']}{vectors}, {machine['cores']} cores, {machine['memory_gib']} GiB"
        words += f", {machine['system']}"
        groups.setdefault(words, []).append(record)
    lines = ["## Hardware and versions", ""]
    for words, measured in groups.items():
        rates = sorted(record["bandwidth_bytes_per_second"] / 1e9 for record in measured)
        dates = sorted({record["date"] for record in measured})
        commits = sorted({record["revision"] for record in measured})
        lines.append(
            f"- {words}; read memory at {rates[0]:.0f} to {rates[-1]:.0f} GB/s. {len(measured)} cases of RFM and "
            f"cohorts, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, commit {', '.join(commits)}."
        )
    versions: dict[str, set[str]] = {}
    for record in records:
        versions.setdefault("Python", set()).add(record["python"])
        for row in record["contenders"]:
            name = row["name"].removesuffix("-streaming")
            if name not in ("custcore-whole", "rfm-alone", "in-turn"):
                versions.setdefault(name, set()).add(row["version"])
    lines.append("- " + ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in versions.items()) + ".")
    return [*lines, "- custcore is built with the `dist` profile (fat LTO), as its wheels are.", ""]


def asked() -> list[str]:
    """What each contender was asked."""
    lines = ["## What each was asked", "", "The recipe that was found the fastest for it (`benches/python`).", ""]
    lines += ["RFM scores:", ""]
    lines += [f"- {name}: {contender.asked}." for name, contender in rfm.CONTENDERS.items()]
    lines += ["", "Cohorts:", ""]
    lines += [f"- {name}: {cohort.CONTENDERS[name].asked}." for name in cohort.PEERS]
    return [*lines, ""]


def read(folder: Path) -> Results:
    """The records of RFM, cohorts, days and k-means."""
    found = {name: list(load(folder / f"{name}.json").values()) for name in ("rfm", "cohort", "days", "kmeans")}
    return {name: [record for record in records if "custcore" in by_name(record)] for name, records in found.items()}


def results_page(results: Results, folder: Path) -> str:
    """Assemble BENCHMARKS.md."""
    measured = results["rfm"] + results["cohort"]
    lines = [*headline(results), METHOD, *(machines(measured) if measured else [])]
    lines += rfm_section(results["rfm"])
    lines += cohort_section(results["cohort"])
    lines += base_section(folder)
    lines += kmeans_section(results["kmeans"])
    lines += more_sections(folder)
    return "\n".join([*lines, *asked()]).rstrip() + "\n"


def drawn(records: list[Record], image: Path) -> bool:
    """Draw the plot of scaling; where matplotlib is not installed, an older one stays."""
    if importlib.util.find_spec("matplotlib") is None:
        return image.exists()
    from benches.growth import draw

    return draw(records, image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=BENCHES / "results", metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=BENCHES.parent / "BENCHMARKS.md", metavar="FILE")
    parser.add_argument("--history", type=Path, default=BENCHES / "HISTORY.md", metavar="FILE")
    arguments = parser.parse_args()
    results = read(arguments.results)
    if not any(results.values()):
        raise SystemExit(f"{arguments.results} has no results; run `make bench` first")
    image = arguments.results / "growth.svg"
    picture = os.path.relpath(image, arguments.history.parent) if drawn(results["rfm"], image) else None
    arguments.output.write_text(results_page(results, arguments.results))
    arguments.history.write_text(history(results, arguments.results, picture and Path(picture).as_posix()))


if __name__ == "__main__":
    main()
