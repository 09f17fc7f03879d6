"""Preferences and models of the next category."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import custcore
from tests.api.fork.case import THREADS, Case, kinds, stored


def base_of(data: Any) -> custcore.CustomerBase:
    """A base whose categories are countries."""
    base = custcore.CustomerBase(
        track="days", categories="country", promotion="amount", channel="country", category_days=True
    )
    base.update(data, n_threads=THREADS)
    return base


def preferences() -> Iterator[Case]:
    names = (
        "preferences",
        "channel_preferences",
        "breadth",
        "promotion_sensitivity",
        "channels",
        "preference_features",
    )
    calls = {name: lambda b, name=name: getattr(b, name)(n_threads=THREADS) for name in names}
    for kind, data in kinds("few", "many"):
        for name, call in calls.items():
            yield Case(
                f"CustomerBase.{name}, {kind}", (f"CustomerBase.{name}",), call, lambda data=data: base_of(data())
            )

        def fitted(data: Any = data) -> tuple[custcore.NextCategory, custcore.CustomerBase]:
            made = base_of(data())
            return custcore.NextCategory(min_customers=1).fit(made, n_threads=THREADS), made

        yield Case(
            f"NextCategory.fit, {kind}",
            ("NextCategory.__init__", "NextCategory.fit"),
            lambda b: custcore.NextCategory(min_customers=1).fit(b, n_threads=THREADS).to_bytes(),
            lambda data=data: base_of(data()),
        )
        yield Case(
            f"NextCategory.recommend, {kind}",
            ("NextCategory.recommend",),
            lambda s: s[0].recommend(s[1], n_threads=THREADS),
            fitted,
        )
        yield Case(
            f"backtest_next, {kind}",
            ("backtest_next",),
            lambda b: custcore.backtest_next(b, ["2024-06-30"], 30, min_customers=1, n_threads=THREADS),
            lambda data=data: base_of(data()),
        )
    covers, call = stored(custcore.NextCategory, "__reduce__", "__eq__")
    for kind, data in kinds("few"):
        yield Case(
            f"NextCategory, {kind}",
            (
                *covers,
                *(f"NextCategory.{name}" for name in ("as_of_", "categories_", "n_customers_", "n_pairs_")),
                *(f"NextCategory.{name}" for name in ("method", "min_customers")),
            ),
            lambda m, call=call: (call(m), m.as_of_, m.categories_, m.n_customers_, m.n_pairs_, m.method),
            lambda data=data: custcore.NextCategory(min_customers=1).fit(base_of(data())),
        )
