"""Churn models and their back-test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import custcore
from tests.api.fork.case import THREADS, Case, base, kinds, stored, touch

BACKTEST = (
    "backtest",
    *(f"Backtest.{name}" for name in ("summary", "thresholds", "calibration", "report", "__repr__")),
)


def churn() -> Iterator[Case]:
    covers, call = stored(custcore.ChurnModel, "__reduce__")
    for kind, data in kinds("few", "many", "strings"):

        def known(data: Any = data) -> Any:
            return base(data(), "days")

        def fitted(known: Any = known) -> tuple[Any, Any]:
            made = known()
            return custcore.ChurnModel().fit(made, n_threads=THREADS), made

        yield Case(
            f"ChurnModel.fit, {kind}",
            ("ChurnModel.__init__", "ChurnModel.fit"),
            lambda b: custcore.ChurnModel().fit(b, n_threads=THREADS).to_bytes(),
            known,
        )
        yield Case(
            f"ChurnModel.score, {kind}", ("ChurnModel.score",), lambda s: s[0].score(s[1], n_threads=THREADS), fitted
        )
        yield Case(f"backtest, {kind}", BACKTEST, lambda b: touch(custcore.backtest(b, n_threads=THREADS)), known)
        yield Case(
            f"ChurnModel, {kind}",
            (
                *(f"ChurnModel.{name}" for name in ("as_of_", "curves_", "strata_", "loss_days_")),
                *(f"ChurnModel.{name}" for name in ("horizon", "strata", "min_at_risk")),
                *covers,
            ),
            lambda s: (touch(s[0]), call(s[0])),
            fitted,
            given=False,
        )
