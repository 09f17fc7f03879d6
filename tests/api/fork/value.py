"""Value classes of transactions and of bases."""

from __future__ import annotations

from collections.abc import Iterator

import custcore
from tests.api.fork.case import THREADS, Case, base, kinds


def value() -> Iterator[Case]:
    for kind, data in kinds():
        yield Case(f"abc, {kind}", ("abc",), lambda d: custcore.abc(d, group="country", n_threads=THREADS), data)
    for kind, data in kinds("few", "many"):
        for method in ("abc", "pareto", "concentration", "xyz", "abc_xyz"):
            yield Case(
                f"CustomerBase.{method}, {kind}",
                (f"CustomerBase.{method}",),
                lambda b, method=method: getattr(b, method)(n_threads=THREADS),
                lambda data=data: base(data(), "days"),
            )
