"""Compare two builds of custcore on the quick cases: ``python benches/builds.py --before FOLDER``.

FOLDER contains the package ``custcore`` of the other build. Both run in turns on the same inputs, and results are
compared before times are printed. A ratio is the median of this build over that of the other: above 1 is slower.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches import suite, suite_cohort, suite_kmeans
from benches.harness import FailedError, Limits, UnequalError, measure

SUITES: dict[str, Any] = {"rfm": suite, "cohort": suite_cohort, "kmeans": suite_kmeans}


def smaller(case: Any, times: int) -> Any:
    """The case with fewer rows and, if it has customers, fewer customers."""
    sizes = {name: max(1, getattr(case, name) // times) for name in ("rows", "customers") if hasattr(case, name)}
    return replace(case, **sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument(
        "--before", type=Path, required=True, metavar="FOLDER", help="folder of the other build's package"
    )
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--shrink", type=int, default=1, metavar="N", help="N times fewer rows and customers")
    parser.add_argument("--only", metavar="TEXT", help="only the cases whose key contains this")
    arguments = parser.parse_args()
    if not (arguments.before / "custcore").is_dir():
        parser.error(f"no package custcore in {arguments.before}")
    failures = 0
    print(f"{'case':<72} {'before s':>9} {'now s':>9} {'ratio':>6} {'before MiB':>10} {'now MiB':>8}")
    for name in arguments.suites:
        module = SUITES[name]
        for entry in module.quick():
            case = smaller(entry.case, arguments.shrink)
            if arguments.only and arguments.only not in case.key:
                continue
            limits = Limits(rounds=arguments.rounds)
            builds = {"before": arguments.before.resolve()}
            try:
                record = measure(module.BENCH, module.WHERE, case, ["custcore"], limits, builds)
            except (UnequalError, FailedError) as error:
                print(f"FAILED {case.key}: {error}", file=sys.stderr)
                failures += 1
                continue
            now, before = record["contenders"]
            times = [statistics.median(found["seconds"]) for found in (before, now)]
            peaks = [found["peak_bytes_above_input"] / 2**20 for found in (before, now)]
            print(
                f"{name + ' ' + case.key:<72} {times[0]:9.4f} {times[1]:9.4f} {times[1] / times[0]:6.3f} "
                f"{peaks[0]:10.0f} {peaks[1]:8.0f}",
                flush=True,
            )
    if failures:
        raise SystemExit(f"{failures} cases failed")


if __name__ == "__main__":
    main()
