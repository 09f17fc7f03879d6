"""The accessors of dataframes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import custcore
from tests.api.fork.case import FEATURES, THREADS, Case, kinds
from tests.api.fork.experiments import groups, scored, treated

KNOWN = custcore.clv.MBGNBD.of_parameters({"r": 0.9, "alpha": 9.0, "a": 0.8, "b": 2.5})


def frames(library: str, accessor: type) -> Iterator[Case]:
    """The accessor of a library of dataframes."""
    place = accessor.__name__

    def frame(data: dict[str, Any]) -> Any:
        if library == "pandas":
            import pandas as pd

            return pd.DataFrame(data)
        import polars as pl

        return pl.DataFrame(data)

    for kind, data in kinds("few", "many"):

        def transactions(data: Callable[[], Any] = data) -> Any:
            return frame(data())

        def customers(data: Callable[[], Any] = data) -> Any:
            return frame(data()).custcore.rfm(n_threads=THREADS)

        calls: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
            "clv_summary": (transactions, lambda f: f.custcore.clv_summary(n_threads=THREADS)),
            "clv_predict": (
                lambda transactions=transactions: transactions().custcore.clv_summary(n_threads=THREADS),
                lambda f: f.custcore.clv_predict(KNOWN, "1y", spend="own_mean", n_threads=THREADS),
            ),
            "pairs": (
                transactions,
                lambda f: f.custcore.pairs("country", order_id="order_id", n_threads=THREADS),
            ),
            "rules": (
                transactions,
                lambda f: f.custcore.rules("country", order_id="order_id", n_threads=THREADS),
            ),
            "abc": (transactions, lambda f: f.custcore.abc(n_threads=THREADS)),
            "rfm": (transactions, lambda f: f.custcore.rfm(n_threads=THREADS)),
            "rfm_scores": (transactions, lambda f: f.custcore.rfm_scores(n_threads=THREADS)),
            "cohort_retention": (transactions, lambda f: f.custcore.cohort_retention(n_threads=THREADS).to_table()),
            "lifecycle": (transactions, lambda f: f.custcore.lifecycle(n_threads=THREADS)),
            "preferences": (transactions, lambda f: f.custcore.preferences("country", n_threads=THREADS)),
            "measures": (transactions, lambda f: f.custcore.measures(n_threads=THREADS)),
            "decomposition": (transactions, lambda f: f.custcore.decomposition(n_threads=THREADS)),
            "score": (
                customers,
                lambda f: f.custcore.score(custcore.RFMScorer().fit(f, n_threads=THREADS), n_threads=THREADS),
            ),
            "kmeans": (customers, lambda f: f.custcore.kmeans(3, columns=FEATURES, n_threads=THREADS).inertia_),
            "clusters": (
                customers,
                lambda f: f.custcore.clusters(f.custcore.kmeans(3, columns=FEATURES, n_threads=THREADS)),
            ),
            "segment_customers": (
                customers,
                lambda f: f.custcore.segment_customers(k=4, features=FEATURES, n_threads=THREADS),
            ),
        }
        calls["portrait"] = (
            customers,
            lambda f: f.custcore.portrait(f, segment="n_orders", n_threads=THREADS).to_table(),
        )
        calls["nps"] = (
            transactions,
            lambda f: f.custcore.nps(score="country", by="country", customer_id="customer_id", n_threads=THREADS),
        )
        calls |= {
            "effect": (
                transactions,
                lambda f: f.custcore.effect(groups(f), start="2025-06-01", days_after=60, n_threads=THREADS).table(),
            ),
            "effect_of": (
                transactions,
                lambda f: f.custcore.effect_of(
                    [custcore.experiments.Mean("amount")], group="country", control="0", n_threads=THREADS
                ).table(),
            ),
            "before_after": (
                transactions,
                lambda f: f.custcore.before_after(
                    treated(f), start="2025-06-01", days_after=60, n_threads=THREADS
                ).table(),
            ),
            "uplift_curve": (
                lambda: frame(scored()),
                lambda f: f.custcore.uplift_curve(
                    score="score", group="group", outcome="amount", n_threads=THREADS
                ).table(),
            ),
            "funnel": (
                transactions,
                lambda f: f.custcore.funnel(["0", "1"], "60d", event="country", n_threads=THREADS),
            ),
        }
        if library == "pandas":
            calls["report"] = (customers, lambda f: f.custcore.report)
        for method, (prepare, call) in calls.items():
            yield Case(f"{place}.{method}, {kind}", (f"{place}.{method}",), call, prepare)
        for method in ("movement", "revenue_retention", "customers"):
            yield Case(
                f"{place}.cohort_retention.{method}, {kind}",
                (f"{place}.cohort_retention",),
                lambda c, method=method: getattr(c, method)(),
                lambda transactions=transactions: transactions().custcore.cohort_retention(
                    amount="amount", n_threads=THREADS
                ),
            )
