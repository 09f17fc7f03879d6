"""Run the suites of all benches, one after the other: ``python benches/suites.py must``.

``must``: the cases of the first screen of BENCHMARKS.md, about half an hour on a quiet machine. ``quick``: 10 million
rows. ``full``: all cases. A suite that has no cases of a name is left out. The failure of one does not stop the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches import suite, suite_cohort, suite_days, suite_kmeans

MODULES = (suite, suite_cohort, suite_days, suite_kmeans)


def chosen(name: str) -> list[str]:
    """The files of the suites that have cases of a name."""
    return [str(module.__file__) for module in MODULES if name in module.SUITES]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    names = dict.fromkeys(name for module in MODULES for name in module.SUITES)
    parser.add_argument("suite", choices=list(names))
    parser.add_argument("--missing", action="store_true", help="only what was not measured at this commit")
    arguments = parser.parse_args()
    more = ["--missing"] if arguments.missing else []
    failed = [
        Path(file).name
        for file in chosen(arguments.suite)
        if subprocess.run([sys.executable, file, arguments.suite, *more], check=False).returncode
    ]
    if failed:
        raise SystemExit(f"{', '.join(failed)}: cases failed, and are not among the results")


if __name__ == "__main__":
    main()
