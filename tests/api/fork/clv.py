"""Lifetime value: summaries, fits, predictions, checks."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import custcore
from custcore import clv
from tests.api.fork.case import THREADS, Case, base, kinds, touch

END = "2025-06-30"
MODELS = (clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.NBD)


def fitted(kind: type[clv.PurchaseModel], summary: custcore.Table, **options: Any) -> clv.PurchaseModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(n_threads=THREADS, on_failure="warn", **options).fit(summary)


def checked(model: clv.PurchaseModel, spend: clv.GammaGamma, known: custcore.CustomerBase) -> Any:
    summary = known.clv_summary(END, n_threads=THREADS)
    evaluation = model.evaluate(summary, spend=spend)
    again = pickle.loads(pickle.dumps(evaluation))
    return touch(again), model.tracking(known, "4w", END), model.total(summary, "1y")


def values() -> Iterator[Case]:
    for kind, data in kinds("few", "many", "strings"):

        def known(data: Any = data) -> custcore.CustomerBase:
            return base(data(), "days")

        def summary(known: Any = known) -> custcore.Table:
            return known().clv_summary(n_threads=THREADS)

        def prepared(known: Any = known) -> Any:
            made = known()
            table = made.clv_summary(n_threads=THREADS)
            spend = clv.GammaGamma(n_threads=THREADS).fit(table)
            return fitted(clv.MBGNBD, table), spend, table, made

        yield Case(f"clv_summary, {kind}", ("clv_summary",), lambda d: custcore.clv_summary(d, n_threads=THREADS), data)
        yield Case(
            f"CustomerBase.clv_summary, {kind}",
            ("CustomerBase.clv_summary",),
            lambda b: b.clv_summary(END, n_threads=THREADS),
            known,
        )
        for model in MODELS:
            yield Case(
                f"clv.{model.__name__}.fit, {kind}", (), lambda s, model=model: fitted(model, s).to_bytes(), summary
            )
        yield Case(
            f"clv.GammaGamma, {kind}",
            (),
            lambda s: clv.GammaGamma(n_threads=THREADS).fit(s).predict(s),
            summary,
        )
        yield Case(
            f"clv.predict, {kind}",
            (),
            lambda s: s[0].predict(s[2], ["12w", None], spend=s[1], level=None),
            prepared,
        )
        yield Case(
            f"clv.predict with intervals, {kind}",
            (),
            lambda s: s[0].predict(s[2], "1y", cells=True, level=0.9),
            prepared,
        )
        yield Case(f"clv.evaluate, tracking, total, {kind}", (), lambda s: checked(s[0], s[1], s[3]), prepared)
        yield Case(
            f"clv.compare, {kind}",
            (),
            lambda s: clv.compare([clv.BGNBD(n_threads=THREADS), clv.NBD(n_threads=THREADS)], s),
            summary,
        )
        yield Case(
            f"clv.by_segment, {kind}",
            (),
            lambda s: clv.by_segment(
                s[0].predict(s[2], "12w", spend=s[1]), s[3].rfm(n_threads=THREADS), segment="n_orders"
            ),
            prepared,
        )
