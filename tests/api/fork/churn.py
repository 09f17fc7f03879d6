"""Churn models and their back-test."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import custcore
from tests.api.fork.case import THREADS, Case, base, kinds, stored, touch

RESULT = ("__init__", "__reduce__", "__repr__", "summary", "thresholds", "calibration", "report")
BACKTEST = ("backtest", *(f"Backtest.{name}" for name in RESULT))


def tested(known: custcore.CustomerBase) -> Any:
    result = custcore.backtest(known, n_threads=THREADS)
    again = pickle.loads(pickle.dumps(result))
    return touch(again), again.summary(), again.thresholds(), again.calibration()


def churn() -> Iterator[Case]:
    covers, call = stored(custcore.ChurnModel, "__reduce__", "__eq__")
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
        yield Case(f"backtest, {kind}", BACKTEST, tested, known)
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
