"""Measures per period of transactions and of bases."""

from __future__ import annotations

from collections.abc import Iterator

import custcore
from tests.api.fork.case import THREADS, Case, base, kinds


def measures() -> Iterator[Case]:
    for kind, data in kinds():
        for name in ("measures", "decomposition"):
            for by in (None, "country"):
                yield Case(
                    f"{name} by {by}, {kind}",
                    (name,),
                    lambda d, name=name, by=by: getattr(custcore, name)(d, by=by, n_threads=THREADS),
                    data,
                )
    for kind, data in kinds("few", "many"):
        for method in ("measures", "decomposition"):
            yield Case(
                f"CustomerBase.{method}, {kind}",
                (f"CustomerBase.{method}",),
                lambda b, method=method: getattr(b, method)(n_threads=THREADS),
                lambda data=data: base(data(), "days"),
            )
