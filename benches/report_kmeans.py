"""The k-means part of BENCHMARKS.md, made of ``benches/results/kmeans.json`` and ``benches/learnt_kmeans.md``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches.harness.machine import MIB
from benches.python.kmeans import BENCH

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
BENCHES = Path(__file__).resolve().parent
M = 1_000_000
LLOYD = ("scikit-learn", "scikit-learn-elkan", "scikit-learn-intelex")
SELECT_STARTS = 10

HEAD = """# K-means

Rows around one cloud (the hardest case for whoever counts on clusters) unless said otherwise, an array of C order for
everybody; `custcore-columns` gets the same numbers as an Arrow table. Same starting centres, same iterations, tol = 0.
The method is the one above. Results are compared before times are quoted: in float64 centres up to 1e-6 and at most one
label in 10,000 may differ (rows on a border); in float32 the others add up in float32, so the inertia of their centres,
computed anew in float64, has to be within one percent, and how far it is off is told. faiss is told not to subsample.
`benches/python/bench_kmeans.py` measures a case of your own, `benches/suite_kmeans.py` all of these.
"""


@dataclass(frozen=True)
class Target:
    """A target: the ratio of medians against the better of some contenders."""

    label: str
    case: dict[str, Any]
    at_least: float
    dream: float
    against: tuple[str, ...] = LLOYD


PLAIN = {
    "rows": 10 * M,
    "features": 3,
    "clusters": 8,
    "task": "iterations",
    "iterations": 20,
    "groups": 0,
    "shape": "normal",
    "threads": 2,
}
MIXED = {"rows": 4 * M, "shape": "mixed"}
MONEY = {"rows": M, "features": 8, "shape": "money"}
WIDE = {"task": "fit", "rows": M, "features": 8, "clusters": 16}
TARGETS = [
    *(Target("20 iterations", {"dtype": dtype}, 8, 15) for dtype in ("float32", "float64")),
    *(
        Target("default fit", {"task": "fit", "rows": n, "dtype": t}, 10, 20)
        for n in (M, 10 * M)
        for t in ("float32", "float64")
    ),
    *(Target("default fit", WIDE | {"dtype": dtype}, 3, 6) for dtype in ("float32", "float64")),
    *(Target("20 iterations", MIXED | {"dtype": dtype}, 8, 15) for dtype in ("float32", "float64")),
    *(
        Target("20 iterations", MONEY | {"clusters": k, "dtype": t}, 4, 8)
        for k in (8, 20)
        for t in ("float32", "float64")
    ),
    *(Target("default fit", MIXED | {"task": "fit", "dtype": dtype}, 10, 20) for dtype in ("float32", "float64")),
    Target(
        "select_k over 2..12, ten starts", {"task": "select", "rows": M, "dtype": "float64"}, 50, 200, ("scikit-learn",)
    ),
]


def sections(records: list[Record]) -> str:
    """Format all results of k-means; empty without results."""
    records = [record for record in records if "custcore" in _by_name(record)]
    if not records:
        return ""
    parts = [HEAD, _machines(records), _targets(records)]
    for title, belongs in SECTIONS:
        found = [record for record in records if belongs(record["case"])]
        if found:
            parts.append(_section(title, sorted(found, key=_rank)))
    parts += ["## Asked of each\n", *(f"- {name}: {c.asked}." for name, c in BENCH.contenders.items()), ""]
    parts += ["## What was learnt of k-means\n", (BENCHES / "learnt_kmeans.md").read_text()]
    return "\n".join(parts)


def _iterations(rows: int, threads: int) -> Callable[[Record], bool]:
    def belongs(case: Record) -> bool:
        same = case["rows"] == rows and case["threads"] == threads
        return bool(same and case["task"] == "iterations" and not case["groups"] and not _tails(case))

    return belongs


def _tails(case: Record) -> str:
    """What is said of features with heavy tails; empty for normal ones. Older records have no shape."""
    return {"mixed": "normal, gamma and cubed normal", "money": "log-normal and Pareto"}.get(case.get("shape", ""), "")


SECTIONS: list[tuple[str, Callable[[Record], bool]]] = [
    *(
        (f"{n} million rows, {'5' if n == 100 else '20'} iterations, {t} thread{'s' * (t > 1)}", _iterations(n * M, t))
        for n in (1, 10, 100)
        for t in (2, 1)
    ),
    ("Heavy tails, 20 iterations", lambda case: case["task"] == "iterations" and bool(_tails(case))),
    ("Ten groups that overlap, 20 iterations, 1 million rows", lambda case: bool(case["groups"])),
    ("The default fit, seeding included", lambda case: case["task"] == "fit"),
    ("Prediction", lambda case: case["task"] == "predict"),
]


def _by_name(record: Record) -> dict[str, Record]:
    return {row["name"]: row for row in record["contenders"]}


def _label(case: Record) -> str:
    words = [f"{case['rows'] // M} M" if case["rows"] >= M else f"{case['rows']:,} rows"]
    words += [f"d={case['features']}", f"k={case['clusters']}", case["dtype"]]
    words += [_tails(case)] if _tails(case) else []
    return ", ".join(words)


def _rank(record: Record) -> tuple[Any, ...]:
    case = record["case"]
    return case["rows"], case["features"], case["clusters"], case.get("shape", "normal"), case["dtype"]


def _table(what: str, records: list[Record], cell: Callable[[Record, Record], str]) -> list[str]:
    names = [name for name in BENCH.contenders if any(name in _by_name(record) for record in records)]
    lines = [f"| {what} | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for record in records:
        rows = _by_name(record)
        cells = [cell(rows[name], rows["custcore"]) if name in rows else "-" for name in names]
        lines.append(f"| {_label(record['case'])} | " + " | ".join(cells) + " |")
    return lines


def _seconds(row: Record, ours: Record) -> str:
    if row is ours:
        return f"**{row['median_seconds']:.3f}**"
    return f"{row['median_seconds']:.3f} ({row['median_seconds'] / ours['median_seconds']:.1f})"


def _off(row: Record, _: Record) -> str:
    notes = row["notes"]
    words = [f"{notes['labels']:,} labels"] if notes.get("labels") else []
    words += [f"{notes['iterations']} iterations"] if "iterations" in notes else []
    if above := notes.get("inertia, millionths above"):
        words.append(f"inertia {above:+,} ppm")
    return ", ".join(words) or "same"


def _section(title: str, records: list[Record]) -> str:
    lines = [f"## {title}", "", "Seconds, and in brackets how many times as long as custcore.", ""]
    lines += _table("seconds", records, _seconds)
    lines += ["", "MiB above the input at the peak:", ""]
    lines += _table("MiB", records, lambda row, _: f"{row['peak_bytes_above_input'] / MIB:,.0f}")
    lines += ["", "How far results are from custcore's:", "", *_table("off by", records, _off)]
    if all(record["case"]["task"] == "predict" for record in records):
        lines += ["", "Share of the time that reading the rows once would take:", ""]
        lines += _table("share", records, lambda row, _: f"{row['share_of_bandwidth']:.0%}")
    missing: dict[tuple[str, str], int] = {}
    for record in records:
        for name, why in record["skipped"].items():
            missing[name, why] = missing.get((name, why), 0) + 1
    if missing:
        skipped = "; ".join(f"{name} ({why}; cases: {n})" for (name, why), n in missing.items())
        lines += ["", f"Left out: {skipped}."]
    return "\n".join([*lines, ""])


def _is(case: Record, wanted: Record) -> bool:
    return all(case.get(name, "normal") == value for name, value in wanted.items())


def _targets(records: list[Record]) -> str:
    lines = ["## Targets of k-means", "", "Ratios of medians in one run, results compared, 2 threads.", ""]
    lines += ["| k-means | case | custcore, s | better peer | they, s | ratio | at least | dream | |"]
    lines += ["|---|---|---:|---|---:|---:|---:|---:|---|"]
    for target in TARGETS:
        wanted = PLAIN | target.case
        found = [record for record in records if _is(record["case"], wanted)]
        peers = {name: row for record in found[:1] for name, row in _by_name(record).items() if name in target.against}
        goal = f"{target.at_least:g} | {target.dream:g}"
        what = f"| {target.label} | {_label(wanted)} |"
        if not peers:
            lines.append(f"{what} | | | | {goal} | not measured |")
            continue
        ours = _by_name(found[0])["custcore"]["median_seconds"]
        name = min(peers, key=lambda name: peers[name]["median_seconds"])
        theirs = peers[name]["median_seconds"] * (SELECT_STARTS if wanted["task"] == "select" else 1)
        ratio = theirs / ours
        verdict = "dream" if ratio >= target.dream else "met" if ratio >= target.at_least else "missed"
        lines.append(f"{what} {ours:.3f} | {name} | {theirs:.3f} | {ratio:.1f} | {goal} | {verdict} |")
    lines += ["", "select_k: scikit-learn's loop was run with one start of the ten, and its time multiplied by ten."]
    one = [record for record in records if record["case"]["task"] == "predict_one"]
    if one:
        calls = one[0]["contenders"]
        each = (f"{row['name']} {row['median_seconds'] / 10_000 * 1e6:.2f}" for row in calls)
        lines += [f"The prediction of one row, microseconds a call: {', '.join(each)} (target: 0.5)."]
    return "\n".join([*lines, ""])


def _machines(records: list[Record]) -> str:
    dates = sorted({record["date"] for record in records})
    commits = sorted({record["revision"] for record in records})
    rates = sorted(record["bandwidth_bytes_per_second"] / 1e9 for record in records)
    words = sorted({f"{r['hardware']['processor']}, {r['hardware']['cores']} cores" for r in records})
    versions = sorted({f"{row['name']} {row['version']}" for record in records for row in record["contenders"]})
    return (
        f"{'; '.join(words)}; read memory at {rates[0]:.0f} to {rates[-1]:.0f} GB/s; {len(records)} cases, "
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}, commit {', '.join(commits)}. {', '.join(versions)}.\n"
    )
