"""How far off comparisons without random groups are when nothing had happened at all.

Of CDNOW's customers on 1 October 1997 some are called treated, by a rule that regresses to the mean: mostly those who
bought of late, or those who had stopped. Nothing was tried, so every effect is an error. Printed are its mean and its
standard deviation, in % of what the treated spend in the 91 days after, and how often the 95 % interval holds 0.
The references beside them chose customers by like rules, with other shares of the customers (CUSTCORE_SHARED)::

    python benches/python/simulate_before_after.py --replications 4000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import custcore

SHARED = Path(os.environ.get("CUSTCORE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FACTS = SHARED / "golden" / "effect" / "simulation" / "facts.json"
START, DAYS = np.datetime64("1997-10-01"), 91
# What the references call the methods; their default matching has the same columns as custcore's.
METHODS = {
    "naive": "naive before/after",
    "after": "rec+n+m5+orders: post",
    "did": "rec+n+m5+orders: did",
    "adjusted": "rec+n+m5+orders: adjusted",
}


def chances(purchases: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The customers, and by rule the chance of each to be treated."""
    ids, places = np.unique(purchases["customer_id"], return_inverse=True)
    days = (purchases["timestamp"] - START).astype(int)
    last, later = np.full(len(ids), -10_000), np.zeros(len(ids), dtype=bool)
    np.maximum.at(last, places[days < 0], days[days < 0])
    later[places[days >= DAYS]] = True
    recency = -1 - last
    known = recency < 5_000
    rules = {
        "random": np.full(len(ids), 0.1),
        "recent 30 days": np.where(recency <= 30, 0.5, 0.1),
        "lapsed 60-180 days": np.where((recency >= 60) & (recency <= 180), 0.5, 0.0),
        # Who buys again after the windows: matching cannot know.
        "unseen level": np.where(later, 0.5, 0.1),
    }
    return ids, {name: np.where(known, chance, 0.0) for name, chance in rules.items()}


def simulate(
    base: custcore.CustomerBase, ids: np.ndarray, chance: np.ndarray, seed: list[int], replications: int
) -> tuple[dict[str, dict[str, float]], float]:
    """By method the error of effects on revenue; and how often the placebo says that the check failed."""
    random = np.random.default_rng(seed)
    errors, held, failed = defaultdict(list), defaultdict(int), 0
    for _ in range(replications):
        treated = {"customer_id": ids[random.random(len(ids)) < chance]}
        found = custcore.before_after(base, treated, start=START, days_after=DAYS, metrics=["revenue"])
        for row in found.table():
            errors[row["method"]].append(100 * row["effect"] / row["after"])
            held[row["method"]] += row["low"] <= 0 <= row["high"]
        failed += any(row["method"] == "did" and row["flagged"] for row in found.placebo())
    summary = {
        method: {"bias": np.mean(off), "sd": np.std(off), "coverage": held[method] / replications}
        for method, off in errors.items()
    }
    return summary, failed / replications


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--replications", type=int, default=4_000)
    replications = parser.parse_args().replications
    facts: dict[str, Any] = {}
    if FACTS.is_file():
        facts = json.loads(FACTS.read_text())["matched_controls_true_effect_zero"]["recency_classes"]
    table = pq.read_table(SHARED / "data" / "cdnow" / "cdnow_master.parquet", columns=["customer_id", "date", "spend"])
    purchases = {
        "customer_id": table["customer_id"].to_numpy(),
        "timestamp": table["date"].to_numpy().astype("datetime64[D]"),
        "amount": table["spend"].to_numpy().astype(np.float64),
    }
    base = custcore.CustomerBase(track="days")
    base.update(purchases)
    ids, rules = chances(purchases)
    for at, (rule, chance) in enumerate(rules.items()):
        found, failed = simulate(base, ids, chance, [7, at], replications)
        theirs = facts.get(f"cdnow | {rule}", {})
        print(f"\ntreated: {rule} (about {chance.sum():,.0f}), true effect 0, {replications} replications")
        print(f"  {'method':10} {'bias %':>8} {'sd %':>6} {'covered':>8}   reference: bias %, covered")
        for method, row in found.items():
            other = theirs.get(METHODS[method], {})
            known = f"{other['bias_pct']:+8.1f} {other['coverage']:8.3f}" if other else ""
            print(f"  {method:10} {row['bias']:+8.1f} {row['sd']:6.1f} {row['coverage']:8.3f}   {known}")
        print(f"  the placebo fails in {failed:.1%}")


if __name__ == "__main__":
    main()
