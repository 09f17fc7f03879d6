"""The life cycle: its model, and the stages of a base."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import custcore
from tests.api.fork.case import DATES, THREADS, Case, base, kinds, stored, touch

WINDOWS = ("active_days", "loss_days", "active_multiple", "loss_multiple", "typical_gap_days", "horizon_days")
WORDS = (*(f"{name}_" for name in (*WINDOWS, "share_returned", "as_of", "curve")), "settings", "__reduce__", "__eq__")


def lifecycles() -> Iterator[Case]:
    """Fits and stages of bases that look back, with few customers and with many."""
    for kind, data in kinds("few", "many"):

        def known(data: Callable[[], Any] = data) -> Any:
            return base(data(), "days")

        def fitted(known: Callable[[], Any] = known) -> Any:
            made = known()
            return made, custcore.LifecycleModel().fit(made)

        yield Case(
            f"LifecycleModel.fit, {kind}",
            ("LifecycleModel.__init__", "LifecycleModel.fit"),
            lambda b: [custcore.LifecycleModel(rhythm=r).fit(b, n_threads=THREADS) for r in ("population", "own")],
            known,
        )
        covers, call = stored(custcore.LifecycleModel, *WORDS)
        yield Case(
            f"LifecycleModel, {kind}",
            covers,
            lambda pair, call=call: (touch(pair[1]), call(pair[1])),
            fitted,
            given=False,
        )
        yield Case(
            f"CustomerBase.lifecycle, {kind}",
            ("CustomerBase.lifecycle",),
            lambda pair: pair[0].lifecycle(model=pair[1], n_threads=THREADS),
            fitted,
        )
        for method in ("lifecycle_counts", "lifecycle_flows"):
            yield Case(
                f"CustomerBase.{method}, {kind}",
                (f"CustomerBase.{method}",),
                lambda pair, method=method: getattr(pair[0], method)(DATES, pair[1], n_threads=THREADS),
                fitted,
            )
