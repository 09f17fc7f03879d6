"""What intervals of experiments do when the truth is known: coverage, false alarms, the best-looking of ten segments.

Customers are drawn with replacement from those of CDNOW (273 days before and after 1 October 1997), or made; half of
them, or another share, get an effect that is known. Figures are printed beside those of the references, if they are
beside the checkout (CUSTCORE_SHARED)::

    python benches/python/simulate_experiments.py --replications 4000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import custcore
from custcore.experiments import Mean, Proportion, Ratio

SHARED = Path(os.environ.get("CUSTCORE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
GOLDEN = SHARED / "golden" / "effect"
METRICS = [
    Mean("revenue"),
    Mean("orders"),
    Proportion("active"),
    Ratio("revenue", "orders", "average_order_value"),
]
NAMES = np.array(["control", "treated"])


def windows() -> dict[str, np.ndarray]:
    """The windows of CDNOW's buyers, nothing having been tried."""
    purchases = pq.read_table(SHARED / "data" / "cdnow" / "cdnow_master.parquet")
    base = custcore.CustomerBase(timestamp="date", amount="spend", track="days")
    base.update(purchases)
    ids = pa.table({"customer_id": purchases["customer_id"].unique()})
    ids = ids.append_column("group", pa.array(["a" if i % 2 else "control" for i in range(len(ids))]))
    table = base.experiment_table(ids, start="1997-10-01", days_after=273, as_of="1998-06-30")
    names = ("revenue_before", "revenue_after", "orders_before", "orders_after")
    columns = {name: pa.table(table)[name].to_numpy() for name in names}
    return columns | {"segment": np.asarray(pa.table(table)["segment"].cast(pa.string()))}


def drawn(random: np.random.Generator, windows: dict[str, np.ndarray], n: int, share: float, effect: float) -> pa.Table:
    """An experiment of `n` customers, `share` of them treated: their money and orders grow by `effect`."""
    rows = random.integers(0, len(windows["segment"]), n)
    treated = np.zeros(n, dtype=int)
    treated[random.permutation(n)[: int(n * share)]] = 1
    factor = 1 + effect * treated
    columns = {name: column[rows] for name, column in windows.items()}
    return pa.table(
        {
            "group": NAMES[treated],
            "revenue": np.round(columns["revenue_after"] * factor, 2),
            "orders": columns["orders_after"] * factor,
            "active": (columns["orders_after"] > 0).astype(int),
            "revenue_before": columns["revenue_before"],
            "orders_before": columns["orders_before"],
            "segment": columns["segment"],
        }
    )


def coverage(windows: dict[str, np.ndarray], n: int, share: float, effect: float, replications: int) -> dict[str, Any]:
    """How often the intervals of several estimators hold the truth."""
    random = np.random.default_rng([n, int(100 * share), int(100 * effect)])
    truth = {
        "revenue": effect * windows["revenue_after"].mean(),
        "orders": effect * windows["orders_after"].mean(),
        "active": 0.0,
        "average_order_value": 0.0,
    }
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "adjusted": {"adjust": ["revenue_before", "orders_before"]},
        "strata": {"strata": "segment"},
        "both": {"adjust": ["revenue_before", "orders_before"], "strata": "segment"},
    }
    held: dict[tuple[str, str], int] = {}
    for _ in range(replications):
        table = drawn(random, windows, n, share, effect)
        for way, options in ways.items():
            for row in custcore.effect_of(table, METRICS, **options).table():
                name = row["metric"]
                held[name, way] = held.get((name, way), 0) + (row["low"] <= truth[name] <= row["high"])
                if way == "plain" and name in {"revenue", "orders"} and row["relative"] is not None:
                    is_held = row["relative_low"] <= effect <= row["relative_high"]
                    held[name, "relative"] = held.get((name, "relative"), 0) + is_held
    return {f"{name}, {way}": count / replications for (name, way), count in held.items()}


def looks(windows: dict[str, np.ndarray], replications: int) -> dict[str, float]:
    """False alarms of 20 looks at revenue, one every 1,000 customers."""
    random = np.random.default_rng(1)
    fixed = last = valid = 0
    for _ in range(replications):
        table = drawn(random, windows, 20_000, 0.5, 0.0).select(["group", "revenue"])
        order = random.permutation(20_000)
        shuffled = table.take(pa.array(order))
        alarms = {"fixed": False, "valid": False}
        for size in range(1_000, 20_001, 1_000):
            part = shuffled.slice(0, size)
            (row,) = custcore.effect_of(part, METRICS[:1]).table()
            alarms["fixed"] |= row["p_value"] < 0.05
            if size == 20_000:
                last += row["p_value"] < 0.05
            (row,) = custcore.effect_of(part, METRICS[:1], sequential=20_000).table()
            alarms["valid"] |= row["p_value"] < 0.05
        fixed += alarms["fixed"]
        valid += alarms["valid"]
    return {
        "fixed 5 % at each look": fixed / replications,
        "fixed at the last look only": last / replications,
        "always valid (tuned for 20,000)": valid / replications,
    }


def segments(replications: int) -> tuple[dict[str, float], dict[str, float]]:
    """Ten segments: false alarms without an effect, and how much the best-looking one is over-estimated."""
    random = np.random.default_rng(2)
    names = np.array([f"segment {at}" for at in range(10)])
    scale = np.linspace(5, 60, 10)
    found = {"none": 0, "holm": 0, "bh": 0}
    raw, shrunk = [], []
    for _ in range(replications):
        at = random.integers(0, 10, 20_000)
        treated = random.integers(0, 2, 20_000)
        noise = random.gamma(0.5, 2.0, 20_000)
        null = pa.table({"group": NAMES[treated], "segment": names[at], "value": np.round(scale[at] * noise, 2)})
        for correction in found:
            given = None if correction == "none" else correction
            rows = custcore.effect_of(null, [Mean("value")], by="segment", correction=given).segments()
            found[correction] += min(row["p_adjusted"] for row in rows) < 0.05
        truth = random.uniform(0.0, 0.4, 10)
        values = np.round(scale[at] * noise * (1 + truth[at] * treated), 2)
        made = pa.table({"group": NAMES[treated], "segment": names[at], "value": values})
        rows = list(custcore.effect_of(made, [Mean("value")], by="segment").segments())
        for column, errors in (("effect", raw), ("shrunk", shrunk)):
            relative = [row[column] / row["control"] for row in rows]
            best = int(np.argmax(relative))
            errors.append(relative[best] - truth[int(rows[best]["segment"].split()[1])])
    alarms = {name: count / replications for name, count in found.items()}
    return alarms, {"raw": float(np.mean(raw)), "shrunk": float(np.mean(shrunk))}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--replications", type=int, default=4_000)
    arguments = parser.parse_args()
    n = arguments.replications
    facts: dict[str, Any] = {}
    if GOLDEN.is_dir():
        facts = json.loads((GOLDEN / "simulation" / "facts.json").read_text())
    own = windows()
    for size, share, effect in (
        (400, 0.5, 0.0),
        (2000, 0.5, 0.0),
        (2000, 0.5, 0.2),
        (2000, 0.1, 0.0),
        (20_000, 0.5, 0.0),
    ):
        times = n // 2 if size == 20_000 else n
        case = f"N={size} treated={share} effect={effect}"
        print(f"\n{case}: coverage of 95 % intervals, {times} replications")
        theirs = facts.get("intervals_on_cdnow", {}).get(case, {}).get("results", {})
        known = {"plain": "welch", "adjusted": "cuped", "strata": "strata_segment", "both": "strata_segment+cuped"}
        for name, share_held in coverage(own, size, share, effect, times).items():
            metric, _, way = name.partition(", ")
            word = "relative_fieller" if way == "relative" else known[way]
            other = theirs.get(f"{metric}/{word}", {}).get("coverage")
            print(f"  {name:35} {share_held:.3f}" + (f"   reference {other:.3f}" if other is not None else ""))
    theirs = facts.get("peeking_segments_aa", {})
    print(f"\n20 looks, no effect: false alarms, {n // 2} replications")
    reference = theirs.get("peeking, 20 looks, revenue", {}).get("false positives", {})
    for name, rate in looks(own, n // 2).items():
        print(f"  {name:35} {rate:.3f}   reference {reference.get(name, float('nan')):.3f}")
    alarms, over = segments(n // 4)
    print(f"\nTen segments without an effect: share with a 'significant' one, {n // 4} replications")
    reference = theirs.get("segments under no effect, 10 segments, 20,000 customers", {})
    reference = reference.get("share with at least one 'significant' segment", {})
    for name, rate in alarms.items():
        print(f"  {name:35} {rate:.3f}   reference {reference.get(name, float('nan')):.3f}")
    print("\nTen segments with effects of 0 to 40 %: over-estimate of the best-looking one")
    reference = theirs.get("segments with relative effects 0 to 40 %", {})
    reference = reference.get("over-estimate of the segment that looks best", {})
    print(f"  raw    {over['raw']:+.3f}   reference {reference.get('raw', float('nan')):+.3f}")
    print(f"  shrunk {over['shrunk']:+.3f}   reference {reference.get('shrunk relative', float('nan')):+.3f}")


if __name__ == "__main__":
    main()
